//! What is damaged is mended from the other copy, and what has no other is left alone and told of.

use std::{collections::BTreeMap, fs, path::Path};

use record::store::{NotSaid, Note, Options, Store, keys};

use super::{
    claim, damage, on_record, open, opened, said,
    saying::{last_of, set},
    some,
};

/// A line whose header is another, and still reads as one.
fn with_another_header(line: &str) -> String {
    let other = line.replacen("\"recorded_at\":\"2026-", "\"recorded_at\":\"2025-", 1);
    assert_ne!(line, other);
    other
}

/// The state's copy of a line.
fn copy_of(store: &Store, commit: u64) -> Vec<u8> {
    store.shared.state.prefix(&keys::line(commit)).next().unwrap().unwrap().1.to_vec()
}

/// Puts a copy of a line into the state, or takes it out.
fn put(store: &Store, commit: u64, copy: Option<&[u8]>) {
    let row = (keys::line(commit), copy.map(<[u8]>::to_vec));
    store.shared.state.apply(BTreeMap::from([row])).unwrap();
}

/// A store with many small files of its journal, closed; what is on record.
fn many_files(dir: &Path) -> Vec<String> {
    let store = Store::open(Options { rotate_at: 3_000, ..Options::new(dir) }, &mut |_, _| {}).unwrap();
    opened(&store);
    for number in 0..30 {
        store.say(said(&format!("claim {number}"))).unwrap();
    }
    on_record(&store)
}

#[test]
fn what_a_state_lacks_yet_stays_while_the_journal_before_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 6);
    let (state, older) = (dir.path().join("sled"), dir.path().join("older"));
    damage::copy(&state, &older);
    let store = open(dir.path());
    for text in ["later", "later still"] {
        store.say(said(text)).unwrap();
    }
    let truth = on_record(&store);
    drop(store);
    let whole = fs::read_to_string(&journal).unwrap();
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&older, &state).unwrap();
    let line = whole.lines().nth(3).unwrap();
    fs::write(&journal, whole.replace(line, &with_another_header(line))).unwrap();
    let store = open(dir.path());
    assert_eq!((store.read_only(), on_record(&store)), (None, truth));
    drop(store);
    assert_eq!(fs::read_to_string(&journal).unwrap(), whole);
}

#[test]
fn a_header_that_still_reads_as_one_is_mended_too() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 10);
    let whole = fs::read_to_string(&journal).unwrap();
    let lines = whole.lines().count();
    for at in [0, 5, lines - 2, lines - 1] {
        let line = whole.lines().nth(at).unwrap();
        fs::write(&journal, whole.replace(line, &with_another_header(line))).unwrap();
        let store = open(dir.path());
        assert!(store.read_only().is_none() && !store.notes().is_empty(), "{:?}", store.notes());
        assert_eq!(last_of(&store), 11);
        assert!(store.verify().unwrap().is_good(), "line {at}");
        drop(store);
        assert_eq!(fs::read_to_string(&journal).unwrap(), whole, "line {at}");
    }
}

#[test]
fn a_large_file_is_not_read_at_a_start_and_its_damage_is_found_by_the_comparison() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 2);
    let store = open(dir.path());
    let long = "x".repeat(5_000);
    while fs::metadata(&journal).unwrap().len() <= 9 << 20 {
        store.say(set((0..60).map(|_| claim("x", &long)).collect())).unwrap();
    }
    let last = last_of(&store);
    drop(store);
    let mut bytes = fs::read(&journal).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let store = open(dir.path());
    assert!(store.notes().is_empty() && store.read_only().is_none(), "{:?}", store.notes());
    assert_eq!(last_of(&store), last);
    let faults = store.verify().unwrap().faults;
    assert!(
        matches!(&faults[..], [_, chain] if chain.ends_with("its incident's chain")),
        "one flipped bit: {faults:?}"
    );
    let told = store.mend().unwrap().told;
    assert!(
        matches!(&told[..], [one] if one.ends_with("put right; 1 of its lines are the state's copies")),
        "{told:?}"
    );
    assert!(store.verify().unwrap().is_good());
    store.say(said("goes on")).unwrap();
    drop(store);
    // Its end is read: its newest line is the state's, what the state lacks is folded, what is torn is cut.
    let whole = fs::read_to_string(&journal).unwrap();
    let newest = whole.lines().last().unwrap();
    fs::write(&journal, whole.replace(newest, &with_another_header(newest))).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { lines: 1, .. }]), "{:?}", store.notes());
    drop(store);
    assert_eq!(fs::read_to_string(&journal).unwrap(), whole);
    let mut torn = fs::read(&journal).unwrap();
    torn.extend_from_slice(b"{\"header\":");
    fs::write(&journal, torn).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Cut { .. }]), "{:?}", store.notes());
    assert_eq!(last_of(&store), last + 1);
}

#[test]
fn files_that_are_gone_are_written_anew_from_the_state_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let truth = many_files(dir.path());
    let files = record::journal::files(&dir.path().join("journal")).unwrap();
    assert!(files.len() > 4);
    let gone = &files[files.len() - 2];
    let lines = files[files.len() - 1].first - gone.first;
    fs::remove_file(&gone.path).unwrap();
    let store = open(dir.path());
    // A start reads no older file: the comparison finds that one is missing, and it is written anew.
    let mended = match store.notes() {
        [Note::Restored { lines: restored, .. }] => *restored == lines,
        _ => !store.verify().unwrap().is_good() && !store.mend().unwrap().told.is_empty(),
    };
    assert!(mended, "{:?}", store.notes());
    assert!(store.verify().unwrap().is_good());
    assert_eq!(on_record(&store), truth);
}

#[test]
fn a_copy_that_the_state_lost_or_changed_is_found_and_put_right() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 6);
    let store = open(dir.path());
    let copy = copy_of(&store, 4);
    put(&store, 4, None);
    let report = store.verify().unwrap();
    assert!(report.faults[0].ends_with("(commit 4): the state has lost its copy of the line"), "{report:?}");
    store.mend().unwrap();
    assert!(store.verify().unwrap().is_good());
    assert_eq!(copy_of(&store, 4), copy);
    put(&store, 4, Some(&copy_of(&store, 5)));
    assert!(!store.verify().unwrap().is_good());
    store.mend().unwrap();
    assert!(store.verify().unwrap().is_good());
}

#[test]
fn the_first_file_is_written_anew_too() {
    let dir = tempfile::tempdir().unwrap();
    let truth = many_files(dir.path());
    let first = dir.path().join("journal/00000000000000000001.jsonl");
    let whole = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    let store = open(dir.path());
    assert!(!store.verify().unwrap().is_good() && !store.mend().unwrap().told.is_empty());
    assert_eq!(fs::read(&first).unwrap(), whole);
    assert!(store.verify().unwrap().is_good());
    assert_eq!(on_record(&store), truth);
}

/// Damages the first line of a file; the file's bytes since, and before.
fn damaged(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let whole = fs::read_to_string(path).unwrap();
    let first = whole.lines().next().unwrap();
    let bytes = whole.replace(first, &first.replace("\"text\":", "\"tixt\":")).into_bytes();
    fs::write(path, &bytes).unwrap();
    (bytes, whole.into_bytes())
}

#[test]
fn where_a_line_is_damaged_in_both_everything_before_it_stays_and_nothing_is_written_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let truth = many_files(dir.path());
    let files = record::journal::files(&dir.path().join("journal")).unwrap();
    let older = &files[2];
    let (bytes, _) = damaged(&older.path);
    let store = open(dir.path());
    let copy = copy_of(&store, older.first);
    let other = with_another_header(std::str::from_utf8(&copy).unwrap()).into_bytes();
    drop(store);
    // The state has no copy, or one that reads as a line and is another one.
    for copy in [None, Some(&other[..])] {
        let store = open(dir.path());
        put(&store, older.first, copy);
        let faults = store.verify().unwrap().faults.join("\n");
        assert!(faults.contains(&format!("(commit {})", older.first)), "{faults}");
        let mended = store.mend().unwrap();
        assert_eq!(mended.told, [""; 0]);
        let lost = mended.lost.unwrap();
        assert!(lost.contains(&format!("commit {} is damaged, and no copy of it fits", older.first)), "{lost}");
        assert_eq!((fs::read(&older.path).unwrap(), store.read_only()), (bytes.clone(), Some(lost)));
        assert!(matches!(store.say(said("no")), Err(NotSaid::ReadOnly(_))));
        assert!(store.mend().is_err(), "it was told");
        assert_eq!(on_record(&store).len(), truth.len() - usize::from(copy.is_none()), "reading goes on");
    }
    // With the copy back, it is mended.
    let store = open(dir.path());
    put(&store, older.first, Some(&copy));
    assert_eq!(store.mend().unwrap().lost, None);
    assert!(store.verify().unwrap().is_good());
    assert_eq!(on_record(&store), truth);
}

#[test]
fn a_start_refuses_to_write_behind_a_line_of_the_newest_file_that_is_damaged_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let truth = many_files(dir.path());
    let files = record::journal::files(&dir.path().join("journal")).unwrap();
    let newest = files.last().unwrap();
    let store = open(dir.path());
    let copy = copy_of(&store, newest.first);
    put(&store, newest.first, None);
    drop(store);
    let (bytes, whole) = damaged(&newest.path);
    let store = open(dir.path());
    let reason = store.read_only().expect("neither copy fits");
    let place = format!("byte 0 (commit {}), and the state's copy does not fit", newest.first);
    assert!(reason.contains(&place), "{reason}");
    assert!(matches!(store.say(said("no")), Err(NotSaid::ReadOnly(_))));
    assert_eq!(fs::read(&newest.path).unwrap(), bytes);
    put(&store, newest.first, Some(&copy));
    drop(store);
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { lines: 1, .. }]), "{:?}", store.notes());
    assert!(store.notes()[0].to_string().starts_with("1 damaged or missing line of "), "{}", store.notes()[0]);
    assert_eq!((on_record(&store), fs::read(&newest.path).unwrap()), (truth, whole));
}

#[test]
fn a_state_under_suspicion_is_put_aside_once() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 5);
    let truth = on_record(&open(dir.path()));
    let note = dir.path().join("state-suspect");
    fs::write(&note, "a page could not be read\n").unwrap();
    let store = open(dir.path());
    let [Note::Refolded { reason, aside }, Note::CaughtUp { lines: 7 }] = store.notes() else {
        panic!("{:?}", store.notes());
    };
    assert_eq!((reason.as_str(), aside.exists(), note.exists()), ("a page could not be read", true, false));
    assert_eq!(on_record(&store), truth);
    drop(store);
    assert!(open(dir.path()).notes().is_empty());
}

#[test]
fn a_state_that_cannot_be_read_any_more_is_put_aside_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 0);
    let store = Store::open(Options { cache_bytes: 1 << 16, ..Options::new(dir.path()) }, &mut |_, _| {}).unwrap();
    let long = "x".repeat(4_000);
    for _ in 0..40 {
        store.say(set((0..20).map(|_| claim("x", &long)).collect())).unwrap();
    }
    store.sync().unwrap();
    let truth = on_record(&store);
    // Under its feet.
    let db = dir.path().join("sled/db");
    let mut bytes = fs::read(&db).unwrap();
    bytes.iter_mut().skip(1 << 16).step_by(101).for_each(|byte| *byte ^= 0x15);
    fs::write(&db, bytes).unwrap();
    let report = store.verify().unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("cannot be read")), "{report:?}");
    assert!(report.faults.len() == 20 && report.more > 0, "{report:?}");
    let told = store.mend().unwrap().told;
    assert!(told.iter().any(|it| it.contains("the next start folds the state anew")), "{told:?}");
    drop(store);
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Refolded { .. }, ..]), "{:?}", store.notes());
    assert_eq!(on_record(&store), truth);
    assert!(store.verify().unwrap().is_good());
}
