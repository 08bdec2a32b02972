//! A small disk that fills up under journal and state: a file system in memory, mounted for the test. It needs root; where
//! that cannot be had, the test says so and is skipped.

use std::{fs, path::Path, process::Command};

use record::store::{NotSaid, Options, Store};

use super::{on_record, opened, said};

/// A file system of so many megabytes, gone when it is dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn new(megabytes: u32) -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Small(dir)),
            Ok(done) => {
                println!("skipped: no file system can be mounted: {}", String::from_utf8_lossy(&done.stderr).trim());
                None
            }
            Err(error) => {
                println!("skipped: no file system can be mounted: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let to = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copied(&item.path(), &to);
        } else {
            fs::copy(item.path(), to).unwrap();
        }
    }
}

/// Says so much until something else than a receipt comes back; what was acknowledged, and what came.
fn until_refused(store: &Store) -> (Vec<String>, NotSaid) {
    let mut acknowledged = Vec::new();
    loop {
        let text = format!("claim {}: {}", acknowledged.len(), "x".repeat(2_000));
        match store.say(said(&text)) {
            Ok(_) => acknowledged.push(text),
            Err(refused) => return (acknowledged, refused),
        }
    }
}

#[test]
fn a_disk_that_fills_up_loses_nothing_that_was_acknowledged() {
    let Some(small) = Small::new(6) else { return };
    let data = small.path().join("data");
    let store = Store::open(Options::new(&data), &mut |_, _| {}).unwrap();
    opened(&store);
    let (acknowledged, refused) = until_refused(&store);
    assert!(acknowledged.len() > 100, "{refused}");
    assert!(matches!(refused, NotSaid::Broke(_) | NotSaid::ReadOnly(_) | NotSaid::Full(_)), "{refused}");
    drop(store);
    // The disk that it is carried to has room.
    let roomy = tempfile::tempdir().unwrap();
    copied(&data, &roomy.path().join("data"));
    let store = Store::open(Options::new(&roomy.path().join("data")), &mut |_, _| {}).unwrap();
    let found = on_record(&store);
    assert_eq!(found[..acknowledged.len()], acknowledged[..], "{:?}", store.notes());
    assert!(found.len() <= acknowledged.len() + 1, "at most the one whose fate was not known");
    assert!(store.verify().unwrap().is_good());
}

#[test]
fn with_a_reserve_a_full_disk_is_seen_before_and_writing_goes_on_by_itself() {
    let Some(small) = Small::new(60) else { return };
    let data = small.path().join("data");
    let options = Options { reserve: 8 << 20, ..Options::new(&data) };
    let store = Store::open(options, &mut |_, _| {}).unwrap();
    opened(&store);
    let ballast = small.path().join("ballast");
    fs::write(&ballast, vec![1; 30 << 20]).unwrap();
    let (acknowledged, refused) = until_refused(&store);
    assert!(matches!(refused, NotSaid::Full(_)), "{refused}");
    assert!(store.read_only().is_none());
    assert_eq!(on_record(&store)[..], acknowledged[..]);
    fs::remove_file(&ballast).unwrap();
    store.say(said("there is room again")).unwrap();
    assert!(store.verify().unwrap().is_good());
}
