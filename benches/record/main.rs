//! What the record can do, printed: what is durable a second beside a raw file and SQLite, import, open, memory, the
//! timeline, and copies, with few entries and with many.
//!
//! `cargo bench --bench record` uses 100,000 entries; `cargo bench --bench record -- 1000000` as many as you say.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use record::{
    dossier::{self, Dossier, Item},
    entry::{Event, Importance, Opening, Ref, Said},
    import,
    lang::{Lang, Prose},
    pages::{self, Reader, TimelineAsk},
    source::{Source, SourceKind},
    store::{Options, Store},
};

fn main() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return open_alone(Path::new(&dir));
    }
    beside::print();
    let many: usize = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_000);
    println!("| what | {} entries | {many} entries |\n|---|---|---|", 60);
    let westpole = dossier::read(include_str!("../../config/dossiers/westpole.toml")).unwrap().remove(0);
    let few = Bench::new(westpole);
    let lots = Bench::new(large(many));
    row("import, entries/s", |it| format!("{:.0}", it.entries as f64 / it.import.as_secs_f64()), [&few, &lots]);
    row("open after a clean stop, all of it written since the last", |it| format!("{:.1?}", it.open), [&few, &lots]);
    row("open after a clean stop, once more", |it| format!("{:.1?}", it.again), [&few, &lots]);
    row("fold anew, entries/s", |it| format!("{:.0}", it.entries as f64 / it.fold.as_secs_f64()), [&few, &lots]);
    row("/timeline, p50 and p99", |it| format!("{:.1?} {:.1?}", it.timeline.0, it.timeline.1), [&few, &lots]);
    row("/timeline as_of, p50 and p99", |it| format!("{:.1?} {:.1?}", it.as_of.0, it.as_of.1), [&few, &lots]);
    row("journal, bytes", |it| it.journal.to_string(), [&few, &lots]);
    row("state, bytes", |it| it.state.to_string(), [&few, &lots]);
    row("resident memory of a process that has it open, MB", |it| format!("{:.0}", it.memory), [&few, &lots]);
    row(
        "verify everything, entries/s",
        |it| format!("{:.0}", it.entries as f64 / it.verify.as_secs_f64()),
        [&few, &lots],
    );
    row(
        "backup, verified by folding, entries/s",
        |it| format!("{:.0}", it.entries as f64 / it.backup.as_secs_f64()),
        [&few, &lots],
    );
    row("state after compact, bytes", |it| it.compacted.to_string(), [&few, &lots]);
}

fn row(what: &str, cell: impl Fn(&Bench) -> String, of: [&Bench; 2]) {
    println!("| {what} | {} | {} |", cell(of[0]), cell(of[1]));
}

struct Bench {
    entries: usize,
    import: Duration,
    open: Duration,
    again: Duration,
    fold: Duration,
    timeline: (Duration, Duration),
    as_of: (Duration, Duration),
    journal: u64,
    state: u64,
    memory: f64,
    verify: Duration,
    backup: Duration,
    compacted: u64,
}

impl Bench {
    fn new(dossier: Dossier) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let (entries, handle) = (dossier.items.len(), dossier.handle.to_string());
        let store = open(dir.path());
        let at = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let start = Instant::now();
        import::import(&store, &dossier, at, false, &mut |_, _| {}).unwrap();
        let import = start.elapsed();
        drop((store, dossier));
        // sled notes where its pages lie when it is opened: the first opening reads all that was written before it.
        let (open_, memory) = alone(dir.path());
        let (again, _) = alone(dir.path());
        fs::remove_dir_all(dir.path().join("sled")).unwrap();
        let start = Instant::now();
        drop(open(dir.path()));
        let fold = start.elapsed();
        let store = open(dir.path());
        let timeline = percentiles(|| answer(&store, &handle, TimelineAsk { page: 1, ..TimelineAsk::default() }), 300);
        let as_of = TimelineAsk { page: 1, as_of: Some("2023-12-14".parse().unwrap()), ..TimelineAsk::default() };
        let as_of = percentiles(|| answer(&store, &handle, as_of), if entries > 1_000 { 2 } else { 300 });
        let (journal, state) = (size(&dir.path().join("journal")), size(&dir.path().join("sled")));
        let start = Instant::now();
        assert!(store.verify().unwrap().is_good());
        let verify = start.elapsed();
        let start = Instant::now();
        record::backup::make(&store, &dir.path().join("copies"), at).unwrap();
        let backup = start.elapsed();
        drop(store);
        let (_, compacted) = record::store::compact(&Options::new(dir.path()), &mut |_| {}).unwrap();
        Bench {
            entries,
            import,
            open: open_,
            again,
            fold,
            timeline,
            as_of,
            journal,
            state,
            memory,
            verify,
            backup,
            compacted,
        }
    }
}

/// How a copy of this program is told which store to open.
const CHILD: &str = "STRILLONE_BENCH_OPENS";

/// How long a process of its own takes to open a store after a clean stop, and the megabytes that it has then.
fn alone(dir: &Path) -> (Duration, f64) {
    let child = std::process::Command::new(std::env::current_exe().unwrap()).env(CHILD, dir).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let mut words = said.split_whitespace().map(|word| word.parse::<f64>().unwrap());
    (Duration::from_secs_f64(words.next().unwrap()), words.next().unwrap())
}

fn open_alone(dir: &Path) {
    let start = Instant::now();
    let store = open(dir);
    let took = start.elapsed();
    black_box(store.head());
    println!("{} {}", took.as_secs_f64(), resident());
}

/// As the console shows it.
fn rendered(reply: &record::reply::Reply) -> String {
    strillone::console::dress(reply, Lang::En, &strillone::console::Look::plain())
}

fn open(dir: &Path) -> Store {
    Store::open(Options::new(dir), &mut |_, _| {}).unwrap()
}

fn answer(store: &Store, handle: &str, ask: TimelineAsk) {
    let view = store.view();
    let incident = view.incident(handle).unwrap().unwrap();
    black_box(rendered(&pages::timeline(&view, &incident, &ask, &Reader { lang: Lang::En, zone: None }).unwrap()));
}

fn percentiles(mut run: impl FnMut(), times: usize) -> (Duration, Duration) {
    let mut took: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    took.sort();
    (took[times / 2], took[times - 1 - times / 100])
}

/// An incident with so many events, a minute apart, that cite one source.
fn large(events: usize) -> Dossier {
    let both = |en: String, it: String| Prose::both(en, it).unwrap();
    let opening =
        Opening { title: both("Large".to_owned(), "Grande".to_owned()), summary: None, zone: chrono_tz::Europe::Rome };
    let source = Source {
        kind: SourceKind::Press,
        publisher: "P".to_owned(),
        title: None,
        date: Some("2023-12-10".parse().unwrap()),
        link: None,
        archived: None,
        note: None,
    };
    let event = |number: usize| {
        let (day, hour, minute) = (number / 1_440 % 28 + 1, number / 60 % 24, number % 60);
        let when = format!("{}-02-{day:02}T{hour:02}:{minute:02}", 1_900 + number / 40_320).parse().unwrap();
        let text = both(
            format!("Something of no importance happened, the {number}th time"),
            format!("È successo qualcosa di poco conto, per la {number}ª volta"),
        );
        Said::Event(Event { when, as_of: None, text, sources: vec![Ref::Here(1)], rival: None })
    };
    let said = [Said::Opening(opening), Said::Source(source)].into_iter().chain((0..events).map(event));
    let item = |(line, said): (usize, Said)| Item {
        key: format!("k{line}").parse().unwrap(),
        importance: Importance::Normal,
        known: None,
        retracted: None,
        said,
        line,
    };
    Dossier { handle: "large".parse().unwrap(), items: said.enumerate().map(item).collect() }
}

fn size(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap())
        .map(|item| if item.path().is_dir() { size(&item.path()) } else { item.metadata().unwrap().len() })
        .sum()
}

/// Of this process, in megabytes; not known on systems without /proc.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1_000.0
}
