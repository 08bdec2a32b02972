//! What a start should find, and a disk that runs full to its last byte and has room again.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::Utc;

use crate::{
    backup,
    private::Fact,
    store::{Drafted, NotSaid, Note, OpenError, Options, Set, Store, missing_at_rest, state::Read},
};

fn options(dir: &Path) -> Options {
    Options { backups: Some(dir.join("backups")), ..Options::new(dir) }
}

fn open(options: Options) -> Result<Store, OpenError> {
    Store::open(options, &mut |_, _| {})
}

fn say(store: &Store, dossier: &str) -> Result<(), NotSaid> {
    let said = vec![Drafted::Fact(Fact::Loaded { dossier: dossier.to_owned() })];
    store.say(Set { ask: None, expects: Vec::new(), said, at: Utc::now() }).map(drop)
}

/// A record of so many lines, with a backup of it, in a directory.
fn record(lines: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(options(dir.path())).unwrap();
    (0..lines).for_each(|line| say(&store, &format!("d{line}")).unwrap());
    backup::make(&store, &dir.path().join("backups"), Utc::now()).unwrap();
    dir
}

fn remove(dir: &Path, names: &[&str]) {
    for name in names {
        let path = dir.join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}

fn less(opened: Result<Store, OpenError>) -> String {
    match opened {
        Err(error @ OpenError::Less { .. }) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(store) => panic!("it opened, at {}", store.head().commit),
    }
}

#[test]
fn a_start_that_finds_less_than_a_backup_or_the_marker_knows_stops_and_names_the_ways_on() {
    // Journal and state are gone beside the backups.
    let dir = record(9);
    remove(dir.path(), &["journal", "sled", "head.json"]);
    let why = less(open(options(dir.path())));
    assert!(why.contains("is gone") && why.contains("commit 9"), "{why}");
    assert!(why.contains("strillone restore") && why.contains("--accept-less"), "{why}");
    less(open(options(dir.path())));
    // Only the marker is left.
    let dir = record(9);
    remove(dir.path(), &["journal", "sled", "backups"]);
    assert!(less(open(options(dir.path()))).contains("head.json"));
    // The journal is cut short, and the state is gone.
    let dir = record(9);
    let journal: Vec<PathBuf> =
        fs::read_dir(dir.path().join("journal")).unwrap().map(|it| it.unwrap().path()).collect();
    let text = fs::read_to_string(&journal[0]).unwrap();
    let half: String = text.split_inclusive('\n').take(4).collect();
    fs::write(&journal[0], half).unwrap();
    remove(dir.path(), &["sled"]);
    let why = less(open(options(dir.path())));
    assert!(why.contains("ends at commit 4"), "{why}");
    let store = open(Options { accept_less: true, ..options(dir.path()) }).unwrap();
    assert_eq!((store.head().commit, store.restored()), (4, Some(4)));
    say(&store, "more").unwrap();
    drop(store);
    // What was accepted is the new measure, also where the backup that knows more still lies there.
    let store = open(options(dir.path())).unwrap();
    assert_eq!((store.head().commit, store.restored()), (5, Some(4)));
    assert!(store.notes().is_empty(), "{:?}", store.notes());
    drop(store);
    remove(dir.path(), &["sled"]);
    fs::write(&journal[0], "").unwrap();
    assert!(less(open(options(dir.path()))).contains("knows commit 5"), "less than that is less again");
}

#[test]
fn what_was_accepted_to_be_lost_is_never_removed_for_a_newer_backup() {
    let dir = record(9);
    let backups = dir.path().join("backups");
    remove(dir.path(), &["journal", "sled"]);
    let store = open(Options { accept_less: true, ..options(dir.path()) }).unwrap();
    assert!(matches!(store.notes(), [Note::Accepted(less)] if less.expected == 9 && less.found == 0));
    drop(store);
    let store = open(options(dir.path())).unwrap();
    for day in 1..5 {
        say(&store, &format!("new {day}")).unwrap();
        backup::make(&store, &backups, Utc::now() + chrono::TimeDelta::days(day)).unwrap();
    }
    assert_eq!(backup::prune(&store, &backups, 2).unwrap(), 2);
    let kept: Vec<u64> = backup::list(&backups).unwrap().iter().map(|it| it.manifest.commit).collect();
    assert_eq!(kept, [9, 3, 4]);
    assert_eq!(backup::of(&store, &backups).unwrap().len(), 2);
}

#[test]
fn a_backup_is_restored_where_a_start_has_stopped_for_it() {
    let dir = record(9);
    let backup = backup::list(&dir.path().join("backups")).unwrap().pop().unwrap();
    // All gone; and a start that has seen it.
    remove(dir.path(), &["journal", "sled"]);
    less(open(options(dir.path())));
    backup::restore(&backup.path, &options(dir.path()), &mut |_, _| {}).unwrap();
    let store = open(options(dir.path())).unwrap();
    assert_eq!((store.head().commit, store.restored()), (9, Some(9)));
    let after = ["more", "and more"].map(|it| say(&store, it));
    assert!(after.iter().all(Result::is_ok));
    let newer = backup::make(&store, &dir.path().join("backups"), Utc::now() + chrono::TimeDelta::days(1)).unwrap();
    drop(store);
    // Nothing is missing: then nothing is put in its place.
    let taken = backup::restore(&newer.path, &options(dir.path()), &mut |_, _| {}).unwrap_err();
    assert!(taken.to_string().contains("holds a store already"), "{taken}");
    // Cut short, and the older backup chosen: the newer one is no reason to stop again.
    remove(dir.path(), &["sled"]);
    let journal = dir.path().join("journal/00000000000000000001.jsonl");
    let lines = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, lines.split_inclusive('\n').take(4).collect::<String>()).unwrap();
    let why = less(open(options(dir.path())));
    assert!(why.contains("cut short") && why.contains(&newer.path.display().to_string()), "{why}");
    backup::restore(&backup.path, &options(dir.path()), &mut |_, _| {}).unwrap();
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 9);
    assert!(dir.path().join("journal.aside-2").exists(), "what was there is kept");
    // A record that went another way is never taken for the beginning of the backup.
    let other = record(3);
    let taken = backup::restore(&backup.path, &options(other.path()), &mut |_, _| {}).unwrap_err();
    assert!(taken.to_string().contains("holds a store already"), "{taken}");
}

#[test]
fn whoever_only_reads_goes_on_with_less_and_changes_nothing() {
    let dir = record(9);
    let journal = dir.path().join("journal/00000000000000000001.jsonl");
    let lines = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, lines.split_inclusive('\n').take(4).collect::<String>()).unwrap();
    remove(dir.path(), &["sled"]);
    let store = open(Options { read_less: true, ..options(dir.path()) }).unwrap();
    assert_eq!(store.head().commit, 4);
    assert!(store.read_only().is_some_and(|why| why.contains("cut short")));
    assert!(matches!(say(&store, "no"), Err(NotSaid::ReadOnly(_))));
    drop(store);
    less(open(options(dir.path())));
    let at_rest = missing_at_rest(&options(dir.path())).unwrap().expect("it is told");
    assert_eq!((at_rest.found, at_rest.expected), (4, 9));
}

#[test]
fn a_damaged_marker_is_a_warning_and_the_backups_decide() {
    let dir = record(9);
    let marker = dir.path().join("head.json");
    let text = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, text.replace("\"commit\":9", "\"commit\":99")).unwrap();
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 9);
    fs::write(&marker, "{").unwrap();
    remove(dir.path(), &["journal", "sled"]);
    assert!(less(open(options(dir.path()))).contains("is gone"));
    // A marker of a record keeps backups of another one out of it.
    let (mine, other) = (record(3), record(9));
    remove(mine.path(), &["backups", "journal", "sled"]);
    let why = less(open(Options { backups: Some(other.path().join("backups")), ..options(mine.path()) }));
    assert!(why.contains("knows commit 3") && why.contains("none was found"), "{why}");
}

#[test]
fn a_start_that_finds_everything_says_nothing() {
    let dir = record(9);
    let store = open(options(dir.path())).unwrap();
    say(&store, "more").unwrap();
    drop(store);
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 10);
    remove(dir.path(), &["sled"]);
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 10, "a lost state is folded anew");
    remove(dir.path(), &["head.json"]);
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 10, "an older version wrote no marker");
    // A backup of another record, which is longer, is none of ours.
    let other = record(40);
    for backup in fs::read_dir(other.path().join("backups")).unwrap() {
        let backup = backup.unwrap();
        let copied = Command::new("cp").arg("-r").arg(backup.path()).arg(dir.path().join("backups")).status().unwrap();
        assert!(copied.success());
    }
    assert_eq!(open(options(dir.path())).unwrap().head().commit, 10);
    // A new directory is a new record.
    let fresh = tempfile::tempdir().unwrap();
    assert_eq!(open(options(fresh.path())).unwrap().head().commit, 0);
}

#[test]
fn what_was_restored_says_so_until_that_is_done_with() {
    let dir = record(9);
    let made = backup::list(&dir.path().join("backups")).unwrap().pop().unwrap();
    let place = tempfile::tempdir().unwrap();
    backup::restore(&made.path, &options(place.path()), &mut |_, _| {}).unwrap();
    let store = open(options(place.path())).unwrap();
    assert_eq!(store.restored(), Some(9));
    store.clear_restored().unwrap();
    assert_eq!(store.restored(), None);
}

const NETWORK: crate::channel::Network = crate::channel::Network::Telegram;

/// A small file system of its own; none where it cannot be mounted.
struct Small(PathBuf, #[expect(dead_code, reason = "it goes with the directory")] tempfile::TempDir);

impl Small {
    fn mount() -> Option<Small> {
        let keep = tempfile::tempdir().unwrap();
        let place = keep.path().join("small");
        fs::create_dir(&place).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(&place).output();
        mounted.is_ok_and(|it| it.status.success()).then(|| Small(place, keep))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_was_full_to_its_last_byte_goes_on_in_the_same_process() {
    let Some(small) = Small::mount() else {
        println!("skipped: no file system of our own can be mounted here");
        return;
    };
    let dir = small.0.join("data");
    let store = open(Options { reserve: 2 << 20, ..options(&dir) }).unwrap();
    let mut acknowledged = 0;
    (0..50).for_each(|line| {
        say(&store, &format!("before {line}")).unwrap();
        acknowledged += 1;
    });
    // Somebody else fills the disk while lines and rows of the ledger are written.
    let filler = small.0.join("filler");
    let mut file = File::create(&filler).unwrap();
    let block = vec![7; 64 << 10];
    while file.write_all(&block).is_ok() {}
    let _ = file.write_all(&[7; 512]);
    let (mut refused, mut noted) = (0, None);
    for line in 0..60 {
        match say(&store, &format!("full {line}")) {
            Ok(()) => acknowledged += 1,
            Err(_) => refused += 1,
        }
        // The ledger of deliveries is written beside it, also while the disk is full.
        if store.ledger().set_limit(NETWORK, line).is_ok() {
            noted = Some(line);
        }
        let _ = store.sync_ledger();
    }
    assert!(refused > 0, "the disk is full");
    drop(file);
    fs::remove_file(&filler).unwrap();
    let since = Instant::now();
    loop {
        let line = say(&store, "after");
        let row = store.sync_ledger();
        match (line, row) {
            (Ok(()), Ok(())) => break,
            other => assert!(since.elapsed() < Duration::from_secs(60), "it does not go on: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    acknowledged += 1;
    assert_eq!(store.ledger().limit(NETWORK).unwrap(), noted, "a row of the ledger that was taken is there");
    assert!(store.full().is_none() && store.read_only().is_none());
    assert!(store.head().commit >= acknowledged, "{} of {acknowledged}", store.head().commit);
    assert!(store.verify().unwrap().is_good());
    drop(store);
    assert!(open(options(&dir)).unwrap().head().commit >= acknowledged);
}

#[test]
fn a_clock_years_ahead_at_a_start_dates_no_line_until_it_is_set_or_said_to_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let at = |text: &str| text.parse::<chrono::DateTime<Utc>>().unwrap();
    let say_at = |store: &Store, at| {
        let said = vec![Drafted::Fact(Fact::Loaded { dossier: "d".to_owned() })];
        store.say(Set { ask: None, expects: Vec::new(), said, at })
    };
    let (then, wrong) = (at("2026-03-01T10:00:00Z"), at("2031-03-01T10:00:00Z"));
    let store = open(options(dir.path())).unwrap();
    store.look_at_clock(then);
    say_at(&store, then).unwrap();
    drop(store);
    let store = open(options(dir.path())).unwrap();
    store.look_at_clock(wrong);
    assert!(store.read_only().is_some_and(|why| why.contains("2031")), "every sign says so");
    assert!(matches!(say_at(&store, wrong), Err(NotSaid::ReadOnly(_))));
    store.look_at_clock(then + chrono::TimeDelta::hours(1));
    assert_eq!(store.read_only(), None);
    let receipt = say_at(&store, then + chrono::TimeDelta::hours(1)).unwrap();
    assert_eq!(receipt.first, 2);
    drop(store);
    let store = open(Options { accept_clock: true, ..options(dir.path()) }).unwrap();
    store.look_at_clock(wrong);
    say_at(&store, wrong).unwrap();
    assert!(say_at(&store, at("9999-01-01T00:00:00Z")).is_err());
    drop(store);
    let store = open(options(dir.path())).unwrap();
    store.look_at_clock(wrong);
    assert_eq!(store.read_only(), None, "once is enough");
}

/// A disk with as much room as it is told to have.
struct Sized(AtomicU64);

impl crate::disk::Disk for Sized {
    fn free(&self, _: &Path) -> std::io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn whether_the_disk_is_full_is_known_though_nobody_records_and_also_from_a_start_on() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Sized(AtomicU64::new(1_000)));
    let options = || Options { reserve: 1 << 20, disk: disk.clone(), ..options(dir.path()) };
    let turns = |store: &Store, full: bool| {
        let since = Instant::now();
        while store.full().is_some() != full {
            assert!(since.elapsed() < Duration::from_secs(20), "it is not noticed: {full}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let store = open(options()).unwrap();
    turns(&store, true);
    disk.0.store(1 << 30, Ordering::SeqCst);
    turns(&store, false);
    assert!(dir.path().join("reserve").exists(), "it is set aside as soon as there is room");
    say(&store, "recorded").unwrap();
    disk.0.store(1_000, Ordering::SeqCst);
    turns(&store, true);
}

/// Fills a file system to its last byte; what takes the room.
fn filled(place: &Path) -> PathBuf {
    let filler = place.join("filler");
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&filler).unwrap();
    while file.write_all(&[7; 64 << 10]).is_ok() {}
    while file.write_all(&[7; 64]).is_ok() {}
    filler
}

#[test]
fn whatever_the_ledger_took_on_a_full_disk_is_there_afterwards_while_others_read() {
    let Some(small) = Small::mount() else {
        println!("skipped: no file system of our own can be mounted here");
        return;
    };
    let dir = small.0.join("data");
    let store = open(Options { reserve: 2 << 20, ..options(&dir) }).unwrap();
    (0..50).for_each(|line| say(&store, &format!("before {line}")).unwrap());
    let row = |number: u32| [&b"~proof"[..], &number.to_be_bytes()].concat();
    let state = &store.shared.state;
    let (mut taken, mut failed, mut next) = (Vec::new(), 0, 0);
    let over = AtomicBool::new(false);
    let unread = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut read, mut unread) = (0, 0);
                    while !over.load(Ordering::Relaxed) {
                        let rows = state.prefix(b"").take(500).filter(Result::is_err).count();
                        match store.view().incident("x") {
                            Ok(_) if rows == 0 => read += 1,
                            _ => unread += 1,
                        }
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    (read, unread)
                })
            })
            .collect();
        for round in 0..3 {
            let filler = filled(&small.0);
            let full = Instant::now();
            // As dispatch does: rows, then a sync, on and on.
            while full.elapsed() < Duration::from_secs(3) {
                let rows = BTreeMap::from([(row(next), Some(vec![round; 8_000]))]);
                match state.apply(rows) {
                    Ok(()) => {
                        taken.push((next, round));
                        next += 1;
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
                failed += u32::from(store.sync_ledger().is_err());
                if taken.len() % 64 == 0 {
                    filled(&small.0);
                }
            }
            fs::remove_file(filler).unwrap();
            let since = Instant::now();
            while say(&store, &format!("after {round}")).and_then(|()| store.sync()).is_err() {
                assert!(since.elapsed() < Duration::from_secs(30), "{:?} {:?}", store.read_only(), store.full());
                std::thread::sleep(Duration::from_millis(50));
            }
            println!(
                "round {round}: {} rows, {failed} syncs failed, on again after {:?}",
                taken.len(),
                since.elapsed()
            );
        }
        over.store(true, Ordering::Relaxed);
        readers.into_iter().map(|it| it.join().unwrap()).collect::<Vec<_>>()
    });
    println!("read, unread: {unread:?}");
    assert!(failed > 0, "sled met the end of the disk");
    assert!(unread.iter().all(|(read, _)| *read > 100));
    for (number, round) in taken {
        let found = state.get(&row(number)).unwrap();
        assert!(found.is_some_and(|it| it.len() == 8_000 && it[0] == round), "row {number}, of round {round}");
    }
    assert_eq!((store.full(), store.read_only()), (None, None));
    assert!(store.head().commit >= 53);
    assert!(store.verify().unwrap().is_good());
    assert!(dir.join("reserve").exists(), "what was given up is set aside again");
}
