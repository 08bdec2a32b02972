//! Updates on the disk between their arrival and the end of their handling, so that Telegram may forget them at once.
//!
//! The journal cannot forget; this can. Each batch of updates is a file of its own: a line that says when it arrived,
//! then an update a line. The file goes when its last update is handled; before that it is rewritten without the handled
//! ones, so that none of their bytes outlives a minute.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use record::outbox::Ms;
use serde_json::{Value, json};

/// The directory's name in the data directory.
const DIR: &str = "inbox-telegram";
/// The most bytes on the disk.
const BYTES: usize = 8 << 20;
/// A batch is rewritten this long after the first of its updates was handled.
const REWRITE: Duration = Duration::from_secs(20);
/// How long another bot's updates are kept, in milliseconds: Telegram itself keeps them no longer.
const FOREIGN: Ms = 24 * 3_600_000;
/// No file of ours is longer, whatever somebody put in its place.
const FILE: u64 = 64 << 20;

/// The updates of one bot on the disk. A clone is another handle on the same.
#[derive(Clone)]
pub struct Inbox(Arc<Mutex<Files>>);

struct Files {
    dir: PathBuf,
    bot: u64,
    next: u64,
    batches: BTreeMap<u64, Batch>,
}

/// What is left of a batch.
struct Batch {
    received: Ms,
    /// Each update that is not handled, as it came.
    open: BTreeMap<u32, String>,
    bytes: usize,
    /// When the first update was handled that is still in the file.
    handled: Option<Instant>,
}

/// An update from the disk.
pub struct Stored {
    /// Its number.
    pub id: u32,
    /// When it came, by our clock.
    pub received: Ms,
    /// What Telegram sent.
    pub raw: Value,
}

impl Inbox {
    /// The inbox in a data directory, and what waits in it in the order in which it came. What is not readable is logged
    /// and removed; another bot's updates are left for a day.
    pub fn open(data: &Path, bot: u64, now: Ms) -> io::Result<(Inbox, Vec<Stored>)> {
        let dir = data.join(DIR);
        match fs::symlink_metadata(&dir) {
            Ok(meta) if meta.is_dir() => fs::set_permissions(&dir, Permissions::from_mode(0o700))?,
            Ok(_) => return Err(io::Error::other(format!("{} is not a directory", dir.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().mode(0o700).create(&dir)?;
                sync_dir(data)?;
            }
            Err(error) => return Err(error),
        }
        let mut files = Files { dir, bot, next: 1, batches: BTreeMap::new() };
        let mut waiting = Vec::new();
        for name in files.names()? {
            if let Err(error) = files.take(&name, now, &mut waiting) {
                tracing::error!(%error, file = name, "a file of stored updates cannot be read");
            }
        }
        waiting.sort_by_key(|(sequence, at, _)| (*sequence, *at));
        let waiting = waiting.into_iter().map(|(_, _, stored)| stored).collect();
        Ok((Inbox(Arc::new(Mutex::new(files))), waiting))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a batch durably. Blocks on the disk.
    pub fn keep(&self, updates: Vec<(u32, String)>, received: Ms) -> io::Result<()> {
        let mut files = self.files();
        let open: BTreeMap<u32, String> = updates.into_iter().collect();
        let batch = Batch { received, bytes: size(&open), open, handled: None };
        let held: usize = files.batches.values().map(|batch| batch.bytes).sum();
        if held + batch.bytes > BYTES {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the inbox is full"));
        }
        let sequence = files.next;
        files.next += 1;
        if let Err(error) = files.write(sequence, &batch) {
            // It may have its name already, though not durably: it must not be handled once more after a start.
            let _ = remove(&files.path(sequence));
            return Err(error);
        }
        files.batches.insert(sequence, batch);
        Ok(())
    }

    /// Forgets an update that was handled. Blocks on the disk.
    pub fn handled(&self, id: u32) {
        let mut files = self.files();
        let mut over = Vec::new();
        for (sequence, batch) in &mut files.batches {
            if batch.open.remove(&id).is_some() {
                batch.handled.get_or_insert_with(Instant::now);
                over.extend(batch.open.is_empty().then_some(*sequence));
            }
        }
        over.into_iter().for_each(|sequence| files.forget(sequence));
    }

    /// Rewrites the batches in which handled updates have stood for long enough. Blocks on the disk.
    pub fn tidy(&self, now: Instant) {
        let mut files = self.files();
        let stale = |batch: &Batch| batch.handled.is_some_and(|since| now.saturating_duration_since(since) >= REWRITE);
        let due: Vec<u64> = files.batches.iter().filter(|(_, it)| stale(it)).map(|(number, _)| *number).collect();
        for sequence in due {
            let Some(mut batch) = files.batches.remove(&sequence) else { continue };
            batch.bytes = size(&batch.open);
            let done = match batch.open.is_empty() {
                // It could not be removed before.
                true => {
                    files.retry_forget(sequence, batch);
                    continue;
                }
                false => files.write(sequence, &batch),
            };
            match done {
                Ok(()) => batch.handled = None,
                Err(error) => tracing::warn!(%error, "stored updates could not be rewritten; it is tried again"),
            }
            files.batches.insert(sequence, batch);
        }
    }
}

impl Files {
    fn path(&self, sequence: u64) -> PathBuf {
        self.dir.join(format!("{}-{sequence:012}.jsonl", self.bot))
    }

    /// Writes a batch beside its place, makes it durable, and puts it there.
    fn write(&self, sequence: u64, batch: &Batch) -> io::Result<()> {
        let (place, beside) = (self.path(sequence), self.path(sequence).with_extension("new"));
        remove(&beside)?;
        let mut text = json!({ "received": batch.received }).to_string() + "\n";
        batch.open.values().for_each(|update| text += &format!("{update}\n"));
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let placed = written.and_then(|()| fs::rename(&beside, &place)).and_then(|()| sync_dir(&self.dir));
        if placed.is_err() {
            // What could not be written need not be kept; the next start removes it otherwise.
            let _ = remove(&beside);
        }
        placed
    }

    fn forget(&mut self, sequence: u64) {
        if let Some(batch) = self.batches.remove(&sequence) {
            self.retry_forget(sequence, batch);
        }
    }

    fn retry_forget(&mut self, sequence: u64, batch: Batch) {
        if let Err(error) = remove(&self.path(sequence)) {
            tracing::warn!(%error, "handled updates could not be removed; it is tried again");
            self.batches.insert(sequence, batch);
        }
    }

    /// The names in the directory, in order.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in fs::read_dir(&self.dir)? {
            names.push(item?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Takes one file of an earlier run in.
    fn take(&mut self, name: &str, now: Ms, waiting: &mut Vec<(u64, usize, Stored)>) -> io::Result<()> {
        let path = self.dir.join(name);
        let Some((bot, sequence, whole)) = parts(name) else {
            tracing::warn!(file = name, "a file among the stored updates is none of ours; it is left alone");
            return Ok(());
        };
        let meta = fs::symlink_metadata(&path)?;
        if !meta.is_file() || meta.len() > FILE || !whole {
            // A half-written one was never confirmed: Telegram sends it again.
            tracing::warn!(file = name, "a file of stored updates is not whole, or no file; it is removed");
            return remove(&path);
        }
        if bot != self.bot {
            return foreign(&path, name, now, &meta);
        }
        self.next = self.next.max(sequence + 1);
        let mut bytes = Vec::new();
        File::open(&path)?.take(FILE).read_to_end(&mut bytes)?;
        let (received, updates, damaged) = read(&String::from_utf8_lossy(&bytes), now);
        if damaged > 0 {
            tracing::error!(file = name, damaged, "stored updates are damaged and cannot be handled");
        }
        let open: BTreeMap<u32, String> = updates.iter().map(|(id, raw)| (*id, raw.to_string())).collect();
        if open.is_empty() {
            return remove(&path);
        }
        for (at, (id, raw)) in updates.into_iter().enumerate() {
            waiting.push((sequence, at, Stored { id, received, raw }));
        }
        let handled = (damaged > 0).then(Instant::now);
        self.batches.insert(sequence, Batch { received, bytes: size(&open), open, handled });
        Ok(())
    }
}

/// The updates in a file's text, when they came, and how many lines are damaged.
fn read(text: &str, now: Ms) -> (Ms, Vec<(u32, Value)>, usize) {
    let (mut received, mut updates, mut damaged) = (now, Vec::new(), 0);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let id = value["update_id"].as_u64().and_then(|id| u32::try_from(id).ok());
        match (id, value["received"].as_i64()) {
            (Some(id), _) => updates.push((id, value)),
            // A clock that was ahead makes nothing younger than it is.
            (None, Some(at)) => received = at.min(now),
            (None, None) => damaged += 1,
        }
    }
    (received, updates, damaged)
}

/// Another bot's updates wait for it for a day.
fn foreign(path: &Path, name: &str, now: Ms, meta: &fs::Metadata) -> io::Result<()> {
    let written = meta.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let age = now.saturating_sub(Ms::try_from(written).unwrap_or(Ms::MAX));
    if age < FOREIGN {
        tracing::warn!(file = name, "updates of another bot are stored here; they wait for its token for a day");
        return Ok(());
    }
    tracing::warn!(file = name, "updates of another bot are a day old; they are removed");
    remove(path)
}

/// The bot, the sequence number, and whether the file was written to its end.
fn parts(name: &str) -> Option<(u64, u64, bool)> {
    let (stem, end) = name.rsplit_once('.')?;
    let (bot, sequence) = stem.split_once('-')?;
    let whole = match end {
        "jsonl" => true,
        "new" => false,
        _ => return None,
    };
    Some((bot.parse().ok()?, sequence.parse().ok()?, whole))
}

fn size(open: &BTreeMap<u32, String>) -> usize {
    open.values().map(|update| update.len() + 1).sum::<usize>() + 64
}

/// Removes a file, or a link itself; one that is not there is removed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    /// By the clock of the files' own times.
    fn now() -> Ms {
        Utc::now().timestamp_millis()
    }

    fn updates(ids: &[u32]) -> Vec<(u32, String)> {
        ids.iter()
            .map(|id| (*id, json!({ "update_id": id, "message": { "text": format!("m{id}") } }).to_string()))
            .collect()
    }

    fn opened(dir: &Path, bot: u64) -> (Inbox, Vec<u32>) {
        let (inbox, waiting) = Inbox::open(dir, bot, now()).unwrap();
        (inbox, waiting.into_iter().map(|it| it.id).collect())
    }

    fn text(dir: &Path) -> String {
        let files = fs::read_dir(dir.join(DIR)).unwrap().map(|it| it.unwrap().path());
        files.filter(|it| it.is_file()).map(|it| fs::read_to_string(it).unwrap()).collect()
    }

    #[test]
    fn what_is_not_handled_is_there_after_a_restart_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, waiting) = opened(dir.path(), 7);
        assert!(waiting.is_empty());
        inbox.keep(updates(&[10, 11]), now()).unwrap();
        inbox.keep(updates(&[12]), now()).unwrap();
        inbox.handled(10);
        drop(inbox);
        let (inbox, waiting) = opened(dir.path(), 7);
        assert_eq!(waiting, [10, 11, 12], "the file was not rewritten yet");
        [10, 11, 12].into_iter().for_each(|id| inbox.handled(id));
        assert_eq!((text(dir.path()), opened(dir.path(), 7).1), (String::new(), Vec::new()));
    }

    #[test]
    fn handled_bytes_are_gone_within_a_minute_also_beside_one_that_waits() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, _) = opened(dir.path(), 7);
        inbox.keep(updates(&[10, 11]), now()).unwrap();
        inbox.handled(10);
        inbox.tidy(Instant::now());
        assert!(text(dir.path()).contains("m10"));
        inbox.tidy(Instant::now() + Duration::from_secs(30));
        assert!(!text(dir.path()).contains("m10") && text(dir.path()).contains("m11"));
        assert_eq!(opened(dir.path(), 7).1, [11]);
    }

    #[test]
    fn damaged_and_foreign_files_harm_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, _) = opened(dir.path(), 7);
        inbox.keep(updates(&[10, 11]), now()).unwrap();
        let (other, _) = opened(dir.path(), 8);
        other.keep(updates(&[90]), now()).unwrap();
        let place = dir.path().join(DIR);
        let first = fs::read_to_string(place.join("7-000000000001.jsonl")).unwrap();
        fs::write(place.join("7-000000000001.jsonl"), &first[..first.len() - 9]).unwrap();
        fs::write(place.join("7-000000000002.jsonl"), [0xff, 0x00, 0x0a]).unwrap();
        fs::write(place.join("7-000000000003.new"), "half").unwrap();
        fs::write(place.join("notes.txt"), "mine").unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, "kept").unwrap();
        std::os::unix::fs::symlink(&secret, place.join("7-000000000004.jsonl")).unwrap();
        assert_eq!(opened(dir.path(), 7).1, [10], "what is whole is handled");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "kept");
        assert!(place.join("notes.txt").exists() && !place.join("7-000000000003.new").exists());
        assert_eq!(opened(dir.path(), 8).1, [90], "another bot's wait for it");
        let tomorrow = now() + FOREIGN + 60_000;
        Inbox::open(dir.path(), 7, tomorrow).unwrap();
        assert!(opened(dir.path(), 8).1.is_empty());
    }

    #[test]
    fn nobody_else_can_read_it_and_it_has_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, _) = opened(dir.path(), 7);
        inbox.keep(updates(&[1]), now()).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = dir.path().join(DIR);
        assert_eq!((mode(place.clone()), mode(place.join("7-000000000001.jsonl"))), (0o700, 0o600));
        let big = |id: u32| vec![(id, format!("{{\"update_id\":{id},\"x\":\"{}\"}}", "y".repeat(BYTES / 2)))];
        inbox.keep(big(2), now()).unwrap();
        assert!(inbox.keep(big(3), now()).is_err(), "it is full");
        inbox.handled(2);
        inbox.keep(big(3), now()).unwrap();
    }

    #[test]
    fn no_link_is_followed_to_the_inbox() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(DIR)).unwrap();
        assert!(Inbox::open(dir.path(), 7, now()).is_err());
    }
}
