//! Backups hold everything, are what they say, and come back; the state is written anew without losing a row.

use std::{fs, path::Path};

use super::{at, on_record, open, opened, said, some};
use record::{
    backup::{self, BackupError},
    private::{Bodies, Fact},
    store::{Drafted, Note, Options, Set, Store, compact},
};

fn restored(backup: &Path) -> (tempfile::TempDir, Result<backup::Manifest, BackupError>) {
    let dir = tempfile::tempdir().unwrap();
    let done = backup::restore(backup, &Options::new(dir.path()), &mut |_, _| {});
    (dir, done)
}

#[test]
fn a_backup_made_while_others_write_holds_everything_up_to_its_commit() {
    let (dir, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(Options { rotate_at: 3_000, ..Options::new(dir.path()) }, &mut |_, _| {}).unwrap();
    opened(&store);
    std::thread::scope(|scope| {
        let writing =
            scope.spawn(|| (0..300).for_each(|number| drop(store.say(said(&format!("claim {number}"))).unwrap())));
        let mut made = Vec::new();
        for minute in 0..4 {
            made.push(backup::make(&store, into.path(), at() + chrono::TimeDelta::minutes(minute)).unwrap());
        }
        writing.join().unwrap();
        for backup in made {
            let (dir, done) = restored(&backup.path);
            let manifest = done.unwrap();
            let again = open(dir.path());
            assert_eq!(again.head().commit, manifest.commit);
            let (all, found) = (on_record(&store), on_record(&again));
            assert_eq!(found[..], all[..found.len()]);
            assert!(again.verify().unwrap().is_good());
            again.say(said("it goes on")).unwrap();
        }
    });
    assert!(store.verify().unwrap().is_good());
}

#[test]
fn files_that_did_not_change_take_no_room_again_and_the_oldest_go() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (dir, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(Options { rotate_at: 2_000, ..Options::new(dir.path()) }, &mut |_, _| {}).unwrap();
    opened(&store);
    for day in 0..4 {
        for number in 0..6 {
            store.say(said(&format!("claim {day} {number}"))).unwrap();
        }
        backup::make(&store, into.path(), at() + chrono::TimeDelta::days(day)).unwrap();
    }
    let all = backup::list(into.path()).unwrap();
    assert_eq!(all.len(), 4);
    let first = all[3].path.join("journal/00000000000000000001.jsonl");
    let meta = fs::metadata(&first).unwrap();
    assert!(meta.nlink() >= 4, "the first file is the same in all of them");
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert_eq!(backup::prune(&store, into.path(), 2).unwrap(), 2);
    assert_eq!(backup::list(into.path()).unwrap(), all[2..]);
    backup::verify(&all[3].path).unwrap();
    let names: Vec<_> = fs::read_dir(into.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing half-made is left: {names:?}");
}

#[test]
fn a_backup_that_is_not_what_it_was_is_refused_and_nothing_is_restored() {
    let (dir, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    some(dir.path(), 20);
    let backup = backup::make(&open(dir.path()), into.path(), at()).unwrap().path;
    let journal = backup.join("journal/00000000000000000001.jsonl");
    let whole = fs::read(&journal).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 30) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&journal, bytes).unwrap();
        let (dir, done) = restored(&backup);
        assert!(matches!(done, Err(BackupError::Bad { .. })), "byte {at}: {done:?}");
        assert!(!dir.path().join("journal").exists());
    }
    fs::write(&journal, &whole[..whole.len() - 5]).unwrap();
    assert!(restored(&backup).1.is_err());
    fs::write(&journal, &whole).unwrap();
    let manifest = backup.join("backup.json");
    let newer = fs::read_to_string(&manifest).unwrap().replace("\"format\": 1", "\"format\": 2");
    let older = fs::read(&manifest).unwrap();
    fs::write(&manifest, newer).unwrap();
    assert!(restored(&backup).1.unwrap_err().to_string().contains("newer Strillone"));
    fs::write(&manifest, older).unwrap();
    let taken = backup::restore(&backup, &Options::new(dir.path()), &mut |_, _| {}).unwrap_err();
    assert!(taken.to_string().contains("holds a store already"), "{taken}");
    restored(&backup).1.unwrap();
}

#[test]
fn a_state_written_anew_has_the_same_rows_and_no_old_page() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 500);
    let before = on_record(&open(dir.path()));
    let options = Options::new(dir.path());
    let mut told = Vec::new();
    let (was, is) = compact(&options, &mut |rows| told.push(rows)).unwrap();
    assert_eq!(told, [2_000], "of its rows, whenever so many are written");
    assert!(was > 100_000, "{was}");
    let files = ["db", "conf"].map(|file| fs::metadata(dir.path().join("sled").join(file)).unwrap().len());
    assert_eq!(is, files.into_iter().sum::<u64>());
    let store = open(dir.path());
    assert!(!store.notes().iter().any(|note| matches!(note, Note::Refolded { .. })), "{:?}", store.notes());
    assert_eq!(on_record(&store), before);
    assert!(store.verify().unwrap().is_good());
    assert!(compact(&options, &mut |_| {}).unwrap_err().to_string().contains("in use"), "it is open");
    drop(store);
    // A crash between the two moves.
    fs::rename(dir.path().join("sled"), dir.path().join("sled.old")).unwrap();
    let store = open(dir.path());
    assert!(store.notes().is_empty(), "{:?}", store.notes());
    assert_eq!(on_record(&store), before);
    drop(store);
    // And one before them, or behind them, or in a restore.
    for left in ["sled.new", "sled.old", "journal.partial"].map(|name| dir.path().join(name)) {
        super::damage::copy(&dir.path().join("sled"), &left);
        assert_eq!(on_record(&open(dir.path())), before);
        assert!(!left.exists());
    }
}

#[test]
fn what_is_no_backup_is_none_and_one_of_the_same_moment_is_not_written_over() {
    let (dir, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path());
    assert_eq!(backup::list(&into.path().join("none")).unwrap(), []);
    assert!(matches!(backup::make(&store, into.path(), at()), Err(BackupError::Empty)));
    opened(&store);
    // What a crash left of another goes; what is called otherwise is not ours.
    let names = [".strillone-20251231T000000Z-7.partial", ".other.partial"].map(|name| into.path().join(name));
    names.iter().for_each(|path| fs::create_dir(path).unwrap());
    let made = backup::make(&store, into.path(), at()).unwrap();
    assert_eq!(names.map(|path| path.exists()), [false, true]);
    let again = backup::make(&store, into.path(), at()).unwrap_err().to_string();
    assert!(again.contains("it is there already"), "{again}");
    fs::create_dir(into.path().join(made.path.file_name().unwrap().to_str().unwrap().replace("2026", "2025"))).unwrap();
    assert_eq!(backup::list(into.path()).unwrap(), std::slice::from_ref(&made));
    let file = into.path().join("a-file");
    fs::write(&file, "").unwrap();
    assert!(backup::list(&file).is_err() && backup::make(&store, &file, at()).is_err());
    // Where it is folded to be verified, a file is in the way.
    let scratch = into.path().join(".verifying");
    fs::write(&scratch, "").unwrap();
    assert!(backup::verify(&made.path).unwrap_err().to_string().contains("removing"));
    fs::remove_file(&scratch).unwrap();
    backup::verify(&made.path).unwrap();
    assert!(!scratch.exists());
    // A manifest that tells of another head.
    let manifest = made.path.join("backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let (commit, other) = (made.manifest.commit, made.manifest.commit + 1);
    // What a killed restore left is no store, and in nobody's way.
    let (dir, half) = (tempfile::tempdir().unwrap(), "journal.partial/00000000000000000001.jsonl");
    fs::create_dir(dir.path().join("journal.partial")).unwrap();
    fs::write(dir.path().join(half), "{").unwrap();
    backup::restore(&made.path, &Options::new(dir.path()), &mut |_, _| {}).unwrap();
    assert_eq!(open(dir.path()).head(), store.head());
    assert!(!dir.path().join("journal.partial").exists());
    fs::write(&manifest, text.replace(&format!("\"commit\": {commit}"), &format!("\"commit\": {other}"))).unwrap();
    let bad = backup::verify(&made.path).unwrap_err().to_string();
    assert!(bad.contains("does not come to the heads"), "{bad}");
    assert!(restored(&made.path).1.is_err());
}

#[test]
fn backups_that_hold_what_was_erased_since_are_named() {
    let (dir, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(Options { rotate_at: 2_000, ..Options::new(dir.path()) }, &mut |_, _| {}).unwrap();
    opened(&store);
    let before = backup::make(&store, into.path(), at()).unwrap();
    let commits: Vec<u64> = (0..9).map(|number| store.say(said(&format!("claim {number}"))).unwrap().first).collect();
    let with = backup::make(&store, into.path(), at() + chrono::TimeDelta::days(1)).unwrap();
    let holding = |commits: &[u64], bodies| backup::holding(into.path(), commits, bodies).unwrap();
    assert_eq!(holding(&commits[3..4], Bodies::Public), std::slice::from_ref(&with));
    assert_eq!(holding(&commits[3..4], Bodies::Private), [], "they have no private body");
    assert_eq!(holding(&[1], Bodies::Both), [before, with.clone()]);
    let erasure = Fact::Erasure {
        commits: commits[3..4].to_vec(),
        bodies: Bodies::Public,
        why: "a court said so".to_owned(),
        by: None,
    };
    store.say(Set { said: vec![Drafted::Fact(erasure)], ..said("an erasure") }).unwrap();
    let without = backup::make(&store, into.path(), at() + chrono::TimeDelta::days(2)).unwrap();
    assert_eq!(holding(&commits[3..4], Bodies::Public), std::slice::from_ref(&with));
    assert_eq!(holding(&commits[2..4], Bodies::Public), [with, without], "one of them is still there");
}
