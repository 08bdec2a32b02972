//! The disk fails: what was acknowledged is there afterwards, and what was not is told as not written.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use record::{
    disk::Disk,
    store::{NotSaid, Note, Options, Store},
};

use super::{Dice, at, on_record, opened, said, seed, some};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing is written, and that is told.
    Write(i32),
    /// A part is written, and the rest is told not to be.
    Short(i32),
    /// Everything is written, and nobody can tell whether it stays.
    Sync(i32),
    /// A file cannot take another's place.
    Rename(i32),
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const FAULTS: [Fault; 7] = [
    Fault::Write(EIO),
    Fault::Write(ENOSPC),
    Fault::Short(EIO),
    Fault::Short(ENOSPC),
    Fault::Sync(EIO),
    Fault::Sync(ENOSPC),
    Fault::Rename(EIO),
];

/// A disk whose n-th operation of a kind fails, once.
struct Failing {
    fault: Fault,
    left: AtomicU64,
}

impl Failing {
    fn after(fault: Fault, good: u64) -> Arc<Failing> {
        Arc::new(Failing { fault, left: AtomicU64::new(good + 1) })
    }

    fn due(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1))) == Ok(1)
    }

    fn happened(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

impl Disk for Failing {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        match self.fault {
            Fault::Write(code) if self.due() => Err(io::Error::from_raw_os_error(code)),
            Fault::Short(code) if self.due() => {
                file.write_all(&bytes[..bytes.len() / 2])?;
                Err(io::Error::from_raw_os_error(code))
            }
            _ => file.write_all(bytes),
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        match self.fault {
            Fault::Sync(code) if self.due() => Err(io::Error::from_raw_os_error(code)),
            _ => file.sync_data(),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.fault {
            Fault::Rename(code) if self.due() => Err(io::Error::from_raw_os_error(code)),
            _ => std::fs::rename(from, to),
        }
    }
}

fn on(dir: &Path, disk: Arc<dyn Disk>) -> Result<Store, String> {
    Store::open(Options { disk, rotate_at: 4_000, ..Options::new(dir) }, &mut |_, _| {})
        .map_err(|error| error.to_string())
}

#[test]
fn whatever_fails_under_an_append_nothing_acknowledged_is_lost() {
    let mut dice = Dice(seed("faults of the journal"));
    for fault in FAULTS.into_iter().filter(|fault| !matches!(fault, Fault::Rename(_))) {
        for _ in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let disk = Failing::after(fault, 4 + dice.below(12) as u64);
            let store = on(dir.path(), disk.clone()).unwrap();
            opened(&store);
            let mut acknowledged = Vec::new();
            let (mut broke, mut full) = (0, 0);
            for number in 0..25 {
                let text = format!("claim {number}");
                match store.say(said(&text)) {
                    Ok(_) => acknowledged.push(text),
                    Err(NotSaid::Broke(_)) => broke += 1,
                    Err(NotSaid::Full(_)) => full += 1,
                    Err(NotSaid::ReadOnly(_)) => assert_eq!(broke, 1, "{fault:?}: only after a fault"),
                    Err(other) => panic!("{fault:?}: {other}"),
                }
            }
            assert!(disk.happened() && broke + full == 1, "{fault:?}");
            assert_eq!(on_record(&store), acknowledged, "{fault:?}: reading goes on, of what was acknowledged");
            // What has no room is cut off again, so that its fate is known, and writing goes on.
            let known = matches!(fault, Fault::Write(ENOSPC) | Fault::Short(ENOSPC) | Fault::Sync(ENOSPC));
            assert_eq!((full, acknowledged.len()), if known { (1, 24) } else { (0, acknowledged.len()) }, "{fault:?}");
            assert_eq!(store.read_only().is_none(), known, "{fault:?}: else nothing more is written");
            drop(store);
            // A start recovers: everything acknowledged, perhaps what nobody could tell, and nothing else.
            let store = on(dir.path(), Arc::new(record::disk::Real)).unwrap();
            let found = on_record(&store);
            assert_eq!(found[..acknowledged.len()], acknowledged[..], "{fault:?} {:?}", store.notes());
            assert!(found.len() <= acknowledged.len() + 1, "{fault:?}: {found:?}");
            assert_eq!(store.read_only(), None, "{fault:?}");
            store.say(said("it goes on")).unwrap();
            assert!(store.verify().unwrap().is_good(), "{fault:?}");
        }
    }
}

#[test]
fn whatever_fails_while_the_journal_is_mended_the_next_start_mends_it() {
    for fault in FAULTS {
        let dir = tempfile::tempdir().unwrap();
        some(dir.path(), 8);
        let journal = dir.path().join("journal/00000000000000000001.jsonl");
        let whole = std::fs::read(&journal).unwrap();
        let mut damaged = whole.clone();
        damaged[whole.len() - 200] ^= 4;
        std::fs::write(&journal, &damaged).unwrap();
        let disk = Failing::after(fault, 0);
        let first = on(dir.path(), disk.clone());
        assert!(first.is_err() && disk.happened(), "{fault:?}: what cannot be mended is told");
        let store = on(dir.path(), Arc::new(record::disk::Real)).unwrap();
        assert!(store.notes().iter().any(|note| matches!(note, Note::Restored { .. })), "{:?}", store.notes());
        assert_eq!(on_record(&store).len(), 8, "{fault:?}");
        assert!(store.verify().unwrap().is_good(), "{fault:?}");
        drop(store);
        assert_eq!(std::fs::read(&journal).unwrap(), whole, "{fault:?}");
    }
}

/// A disk with as much room as it is told to have.
struct Sized(AtomicU64);

impl Disk for Sized {
    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn a_full_disk_is_seen_before_anything_is_written_and_writing_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Sized(AtomicU64::new(1 << 30)));
    let options = Options { disk: disk.clone(), reserve: 1 << 20, ..Options::new(dir.path()) };
    let store = Store::open(options.clone(), &mut |_, _| {}).unwrap();
    opened(&store);
    store.say(said("before")).unwrap();
    assert_eq!(std::fs::metadata(dir.path().join("reserve")).unwrap().len(), 1 << 20);
    let head = store.head();
    disk.0.store(3 << 20, Ordering::SeqCst);
    match store.say(said("while it is full")) {
        Err(NotSaid::Full(why)) => assert!(why.contains("3 MB left"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!((store.head(), store.read_only()), (head, None));
    assert!(store.full().is_some());
    assert_eq!(on_record(&store), ["before"]);
    disk.0.store(1 << 30, Ordering::SeqCst);
    store.say(said("after")).unwrap();
    assert_eq!(store.full(), None);
    drop(store);
    // It cannot be opened on a full disk without room to work in: the reserve is that room.
    disk.0.store(1_000, Ordering::SeqCst);
    let store = Store::open(options, &mut |_, _| {}).unwrap();
    assert!(store.notes().contains(&Note::GaveWay), "{:?}", store.notes());
    assert!(!dir.path().join("reserve").exists());
    assert!(matches!(store.say(said("still full")), Err(NotSaid::Full(_))));
    assert_eq!(on_record(&store), ["before", "after"]);
    disk.0.store(1 << 30, Ordering::SeqCst);
    store.say(said("room again")).unwrap();
    assert!(dir.path().join("reserve").exists(), "and it is set aside again");
}

#[test]
fn a_clock_that_goes_back_changes_no_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = on(dir.path(), Arc::new(record::disk::Real)).unwrap();
    opened(&store);
    let mut early = said("the clock says yesterday");
    early.at -= chrono::TimeDelta::days(1);
    store.say(early).unwrap();
    assert_eq!(store.clock_behind(), 86_400_000);
    let view = store.view();
    let incident = view.incident("x").unwrap().unwrap();
    let entry = view.entry(&incident, 2, None).unwrap().unwrap();
    assert_eq!(entry.recorded_at, at(), "not before what was recorded before it");
    store.say(said("it is right again")).unwrap();
    assert_eq!(store.clock_behind(), 0);
    assert!(store.verify().unwrap().is_good());
}
