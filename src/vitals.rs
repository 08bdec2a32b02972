//! How the bot is, measured: the disk and how long it takes to sync, the last backup, the last comparison of everything.

use std::{
    fs::File,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use chrono::{DateTime, Utc};
use commands::kit::Vital;
use record::{
    disk::Disk,
    lang::Lang,
    store::{Store, size},
};

use crate::signs::Words;

/// The upper ends of the buckets in which syncs are counted, in microseconds.
const BUCKETS: [u64; 8] = [500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000];

/// The disk, and how long syncs on it take.
#[derive(Debug, Default)]
pub struct Gauge {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Disk for Gauge {
    fn sync(&self, file: &File) -> io::Result<()> {
        let since = Instant::now();
        let synced = file.sync_data();
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        for (bucket, end) in self.buckets.iter().zip(BUCKETS) {
            bucket.fetch_add(u64::from(micros <= end), Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        synced
    }
}

/// What is measured and remembered while the bot runs.
#[derive(Debug, Default)]
pub struct Vitals {
    remembered: Mutex<Remembered>,
}

#[derive(Clone, Debug, Default)]
struct Remembered {
    backup: Option<Result<DateTime<Utc>, String>>,
    compared: Option<DateTime<Utc>>,
    found: Option<String>,
}

impl Vitals {
    fn with<T>(&self, look: impl FnOnce(&mut Remembered) -> T) -> T {
        look(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A backup was made, or could not be.
    pub fn backed_up(&self, came: Result<DateTime<Utc>, String>) {
        self.with(|it| it.backup = Some(came));
    }

    /// Everything was compared; what was found, in words, if something was.
    pub fn compared(&self, at: DateTime<Utc>, found: Option<String>) {
        self.with(|it| (it.compared, it.found) = (Some(at), found));
    }

    /// When the newest backup was made.
    pub fn newest_backup(&self) -> Option<DateTime<Utc>> {
        self.with(|it| it.backup.as_ref().and_then(|came| came.as_ref().ok().copied()))
    }

    /// How the store, the disk and the backups are.
    pub fn tell(&self, store: &Store, gauge: &Gauge, lang: Lang) -> Vec<Vital> {
        let dir = store.dir();
        let it = self.with(|it| it.clone());
        let commit = store.head().commit;
        let state = match (store.read_only(), store.full()) {
            (Some(why), _) => Vital::bad(
                lang.pick("Store", "Archivio"),
                lang.pick(
                    format!("takes no writes: {why}. “strillone check” says more; a restart recovers what can be."),
                    format!(
                        "non accetta scritture: {why}. «strillone check» dice di più; un riavvio recupera ciò che si può."
                    ),
                ),
            ),
            (None, Some(why)) => Vital::bad(
                lang.pick("Store", "Archivio"),
                lang.pick(
                    format!("nothing is recorded: {why}. It goes on by itself once there is room."),
                    format!("non si registra nulla: {why}. Riprende da sé appena c'è spazio."),
                ),
            ),
            (None, None) => Vital::good(
                lang.pick("Store", "Archivio"),
                lang.pick(format!("in order, at commit {commit}"), format!("in ordine, al commit {commit}")),
            ),
        };
        let mut vitals = vec![state];
        let free = gauge.free(dir);
        let (journal, sled) = (size(&dir.join("journal")), size(&dir.join("sled")));
        vitals.push(match &free {
            Err(error) => Vital::bad(lang.pick("Disk", "Disco"), error.to_string()),
            Ok(free) => Vital::good(
                lang.pick("Disk", "Disco"),
                lang.pick(
                    format!(
                        "{} free; the journal takes {}, the state {}",
                        mb(*free, lang),
                        mb(journal, lang),
                        mb(sled, lang)
                    ),
                    format!(
                        "{} liberi; il giornale ne occupa {}, lo stato {}",
                        mb(*free, lang),
                        mb(journal, lang),
                        mb(sled, lang)
                    ),
                ),
            ),
        });
        let (count, micros) = (gauge.count.load(Ordering::Relaxed), gauge.micros.load(Ordering::Relaxed));
        if count > 0 {
            let mean = tenths(micros as f64 / count as f64 / 1_000.0, lang);
            vitals.push(Vital::good(
                lang.pick("Syncs of the journal", "Scritture del giornale"),
                lang.pick(
                    format!("{count}, {mean} ms each on average"),
                    format!("{count}, in media {mean} ms ciascuna"),
                ),
            ));
        }
        vitals.push(match it.backup {
            Some(Ok(at)) => Vital::good(
                lang.pick("Backups", "Copie"),
                lang.pick(format!("the last one is of {}", moment(at)), format!("l'ultima è del {}", moment(at))),
            ),
            Some(Err(why)) => Vital::bad(
                lang.pick("Backups", "Copie"),
                lang.pick(format!("the last one failed: {why}"), format!("l'ultima non è riuscita: {why}")),
            ),
            None => Vital::good(lang.pick("Backups", "Copie"), lang.pick("none yet", "ancora nessuna")),
        });
        vitals.push(match (it.found, it.compared) {
            (Some(found), _) => Vital::bad(lang.pick("Comparison of everything", "Confronto completo"), found),
            (None, Some(at)) => Vital::good(
                lang.pick("Comparison of everything", "Confronto completo"),
                lang.pick(format!("nothing found, {}", moment(at)), format!("nulla da segnalare, {}", moment(at))),
            ),
            (None, None) => Vital::good(
                lang.pick("Comparison of everything", "Confronto completo"),
                lang.pick("under way", "in corso"),
            ),
        });
        let behind = store.clock_behind() / 1_000;
        if behind >= 60 {
            vitals.push(Vital::bad(
                lang.pick("Clock", "Orologio"),
                lang.pick(
                    format!("{behind} seconds behind what was recorded before; new entries bear the moment of the newest one"),
                    format!(
                        "{behind} secondi indietro rispetto a quanto già registrato; le nuove voci portano il momento dell'ultima"
                    ),
                ),
            ));
        }
        vitals
    }

    /// The same for whoever collects numbers, as Prometheus reads them.
    pub fn text(&self, store: &Store, gauge: &Gauge) -> String {
        let dir = store.dir();
        let mut text = String::new();
        let mut one = |name: &str, help: &str, value: String| {
            text +=
                &format!("# HELP strillone_{name} {help}\n# TYPE strillone_{name} gauge\nstrillone_{name} {value}\n");
        };
        one("chain_head", "The commit number of the newest line.", store.head().commit.to_string());
        one("writable", "Whether the store takes writes.", u8::from(store.read_only().is_none()).to_string());
        one(
            "disk_full",
            "Whether there is too little room to record anything.",
            u8::from(store.full().is_some()).to_string(),
        );
        one("journal_bytes", "The size of the journal.", size(&dir.join("journal")).to_string());
        one("state_bytes", "The size of the state.", size(&dir.join("sled")).to_string());
        if let Ok(free) = gauge.free(dir) {
            one("disk_free_bytes", "What can still be written.", free.to_string());
        }
        let (backup, compared) = self.with(|it| (it.backup.clone(), it.compared));
        if let Some(Ok(at)) = backup {
            one(
                "backup_seconds",
                "When the newest backup was made, in seconds since 1970.",
                at.timestamp().to_string(),
            );
        }
        if let Some(at) = compared {
            one(
                "compared_seconds",
                "When everything was last compared, in seconds since 1970.",
                at.timestamp().to_string(),
            );
        }
        text += "# HELP strillone_sync_seconds How long syncs of the journal took.\n# TYPE strillone_sync_seconds histogram\n";
        for (bucket, end) in gauge.buckets.iter().zip(BUCKETS) {
            let (end, count) = (end as f64 / 1e6, bucket.load(Ordering::Relaxed));
            text += &format!("strillone_sync_seconds_bucket{{le=\"{end}\"}} {count}\n");
        }
        let (count, micros) = (gauge.count.load(Ordering::Relaxed), gauge.micros.load(Ordering::Relaxed));
        text += &format!("strillone_sync_seconds_bucket{{le=\"+Inf\"}} {count}\n");
        text += &format!("strillone_sync_seconds_sum {}\nstrillone_sync_seconds_count {count}\n", micros as f64 / 1e6);
        text
    }
}

/// Megabytes, as people say them.
fn mb(bytes: u64, lang: Lang) -> String {
    match bytes {
        0..10_000_000 => format!("{} MB", tenths(bytes as f64 / 1e6, lang)),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

/// With one digit behind the point, or the comma.
fn tenths(number: f64, lang: Lang) -> String {
    let text = format!("{number:.1}");
    if lang == Lang::It { text.replace('.', ",") } else { text }
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Something that owners are told of once, and again only after it was over.
#[derive(Debug, Default)]
pub struct Once(std::collections::BTreeSet<String>);

impl Once {
    /// The words, if it is so and was not told yet.
    pub fn tell(&mut self, what: &str, words: Option<Words>) -> Option<Words> {
        match words {
            Some(words) => self.0.insert(what.to_owned()).then_some(words),
            None => {
                self.0.remove(what);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_once() {
        let words = || Some(Words { en: "full".to_owned(), it: "pieno".to_owned() });
        let mut once = Once::default();
        assert!(once.tell("disk", words()).is_some());
        assert!(once.tell("disk", words()).is_none());
        assert!(once.tell("disk", None).is_none());
        assert!(once.tell("disk", words()).is_some());
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!(
            [mb(1_500_000, Lang::It), mb(44_000_000, Lang::En), mb(51_000_000_000, Lang::En)],
            ["1,5 MB", "44 MB", "51 GB"]
        );
    }
}
