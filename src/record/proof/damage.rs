//! Every file of the data directory is damaged in every way: a start recovers everything, or refuses with the reason.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use record::store::{Options, Store};

use super::{Dice, long, on_record, opened, said, seed};

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

pub(super) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// What is done to a file's bytes.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice, how: usize) -> &'static str {
    let at = dice.below(bytes.len());
    let end = (at + 1 + dice.below(64)).min(bytes.len());
    match how {
        0 => {
            bytes.truncate(at);
            "truncated"
        }
        1 => {
            bytes[at..end].iter_mut().for_each(|byte| *byte = u8::try_from(dice.roll() & 255).unwrap());
            "garbled"
        }
        2 => {
            bytes[at..end].fill(0);
            "zeroed"
        }
        3 => {
            bytes.clear();
            "emptied"
        }
        _ => {
            bytes[at] ^= 1 << dice.below(8);
            "a bit flipped"
        }
    }
}

fn options(dir: &Path) -> Options {
    Options { rotate_at: 6_000, reserve: 0, accept_less: true, ..Options::new(dir) }
}

/// Opens the store, and what it says of itself: never a panic.
fn start(dir: &Path) -> Result<Store, String> {
    Store::open(options(dir), &mut |_, _| {}).map_err(|error| error.to_string())
}

#[test]
fn whatever_is_damaged_nothing_wrong_is_served() {
    let mut dice = Dice(seed("damage"));
    let whole = tempfile::tempdir().unwrap();
    let store = start(whole.path()).unwrap();
    opened(&store);
    for number in 0..40 {
        store.say(said(&format!("claim {number}"))).unwrap();
    }
    let truth = on_record(&store);
    drop(store);
    let rounds = if long() { 400 } else { 12 };
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for file in files(whole.path()) {
        let name = file.strip_prefix(whole.path()).unwrap().to_owned();
        for round in 0..rounds {
            let dir = tempfile::tempdir().unwrap();
            copy(whole.path(), dir.path());
            let mut bytes = fs::read(&file).unwrap();
            if bytes.is_empty() {
                break;
            }
            let how = damage(&mut bytes, &mut dice, round % 5);
            fs::write(dir.path().join(&name), &bytes).unwrap();
            let place = format!("{} {how}", name.display());
            let came = match start(dir.path()) {
                Err(reason) => {
                    assert!(!reason.is_empty(), "{place}");
                    "refused to open"
                }
                Ok(store) => {
                    let found = on_record(&store);
                    match store.read_only() {
                        // A prefix is served, and the place is named.
                        Some(reason) => {
                            assert!(reason.contains(".jsonl"), "{place}: {reason}");
                            assert_eq!(found[..], truth[..found.len()], "{place}");
                            "read-only"
                        }
                        None if found == truth && store.verify().unwrap().is_good() => {
                            store.say(said("it goes on")).unwrap();
                            "recovered"
                        }
                        // A file that a start does not read: the comparison of everything finds it, and mends it.
                        None => {
                            let report = store.verify().unwrap();
                            assert!(!report.is_good() || found == truth, "{place}: something wrong is served");
                            assert!(found.iter().all(|it| truth.contains(it)), "{place}: {found:?}");
                            let mended = store.mend().unwrap();
                            assert!(!mended.told.is_empty() && mended.lost.is_none(), "{place}: {report:?}");
                            drop(store);
                            let store = start(dir.path()).unwrap();
                            assert_eq!(on_record(&store), truth, "{place}: {mended:?} {:?}", store.notes());
                            assert!(store.verify().unwrap().is_good(), "{place}");
                            "found and mended"
                        }
                    }
                }
            };
            *seen.entry(came).or_default() += 1;
        }
    }
    println!("damage: {seen:?}");
    assert!(seen.get("recovered").is_some_and(|count| *count > 0));
    assert!(!seen.contains_key("read-only"), "one damaged file is always mended from the other copy: {seen:?}");
    assert!(!seen.contains_key("refused to open"), "{seen:?}");
}
