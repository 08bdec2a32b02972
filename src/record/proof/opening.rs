//! Torn, garbled, lost, put back: what was acknowledged is there after a start.

use std::fs;

use record::{
    line::{Hash, Header, Line, Place},
    private::Fact,
    store::{Drafted, NotSaid, Note, Options, Set, Store},
};

use super::{
    claim, on_record, open,
    saying::{ask, last_of, set},
    some,
};

#[test]
fn a_torn_end_is_cut_and_kept_beside() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 5);
    let whole = fs::read(&journal).unwrap();
    let mut torn = whole.clone();
    torn.extend_from_slice(b"{\"header\":{\"commit\":99,");
    fs::write(&journal, &torn).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Cut { .. }]), "{:?}", store.notes());
    assert_eq!(last_of(&store), 6);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    assert!(journal.with_extension("jsonl.torn-1").exists());
    store.say(set(vec![claim("x", "goes on")])).unwrap();
    drop(store);
    // A last line that lacks but its end is whole where the state has it, and torn where nobody knows it.
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 1]).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { .. }]), "{:?}", store.notes());
    assert_eq!(last_of(&store), 7);
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    fs::write(&journal, &whole[..whole.len() - 1]).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::remove_file(dir.path().join("head.json")).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Cut { from: 8, .. }, Note::CaughtUp { lines: 7 }]), "{:?}", store.notes());
    let words: Vec<String> = store.notes().iter().map(Note::to_string).collect();
    assert!(words[0].contains("torn-") && words[1].contains("7 lines"), "{words:?}");
    assert_eq!(last_of(&store), 6);
}

#[test]
fn a_set_without_its_end_is_cut_whole() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 1);
    let before = fs::read(&journal).unwrap().len();
    open(dir.path()).say(set(vec![claim("x", "first half"), claim("x", "second half")])).unwrap();
    let bytes = fs::read(&journal).unwrap();
    let end_of_first = before + bytes[before..].iter().position(|b| *b == b'\n').unwrap() + 1;
    fs::write(&journal, &bytes[..end_of_first]).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    assert_eq!(last_of(&store), 2, "{:?}", store.notes());
    assert_eq!(fs::read(&journal).unwrap().len(), before);
    assert!(store.verify().unwrap().is_good());
}

#[test]
fn a_set_whose_beginning_is_torn_is_cut_whole_and_what_was_acknowledged_behind_damage_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 2);
    let before = fs::read_to_string(&journal).unwrap();
    let set = set(vec![claim("x", "first half"), claim("x", "second half")]);
    open(dir.path()).say(set).unwrap();
    let torn = fs::read_to_string(&journal).unwrap().replace("first half", "first hal_");
    fs::write(&journal, &torn).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::remove_file(dir.path().join("head.json")).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Cut { from: 5, .. }, Note::CaughtUp { lines: 4 }]), "{:?}", store.notes());
    assert_eq!(fs::read_to_string(&journal).unwrap(), before);
    store.say(super::said("another")).unwrap();
    drop(store);
    let damaged = fs::read_to_string(&journal).unwrap().replace("claim 1", "claim _");
    fs::write(&journal, &damaged).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    assert!(store.read_only().unwrap().contains("(commit 4)"), "{:?}", store.read_only());
    assert_eq!(fs::read_to_string(&journal).unwrap(), damaged);
}

#[test]
fn folding_many_lines_anew_tells_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 0);
    let store = open(dir.path());
    for _ in 0..20 {
        store.say(set((0..60).map(|at| claim("x", &format!("claim {at}"))).collect())).unwrap();
    }
    drop(store);
    let told = || {
        let mut told = Vec::new();
        drop(Store::open(Options::new(dir.path()), &mut |done, all| told.push((done, all))).unwrap());
        told
    };
    assert_eq!(told(), [], "there is nothing to fold");
    let few = tempfile::tempdir().unwrap();
    some(few.path(), 20);
    fs::remove_dir_all(few.path().join("sled")).unwrap();
    drop(Store::open(Options::new(few.path()), &mut |_, _| panic!("that takes no time")).unwrap());
    let bytes = fs::metadata(dir.path().join("journal/00000000000000000001.jsonl")).unwrap().len();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let told = told();
    assert!(
        told.len() > 1 && told.is_sorted() && told.iter().all(|(done, all)| done <= all && *all == bytes),
        "{told:?}"
    );
    assert_eq!(told.last().unwrap().0, bytes);
    assert!(open(dir.path()).notes().is_empty());
}

#[test]
fn a_lost_or_garbled_state_is_folded_again() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 20);
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    assert_eq!(last_of(&store), 21);
    drop(store);
    let db = dir.path().join("sled/db");
    let mut bytes = fs::read(&db).unwrap();
    for byte in bytes.iter_mut().skip(64).step_by(7) {
        *byte ^= 0x5a;
    }
    fs::write(&db, bytes).unwrap();
    let store = open(dir.path());
    assert_eq!(last_of(&store), 21, "{:?}", store.notes());
    assert!(store.verify().unwrap().is_good());
}

#[test]
fn every_byte_of_the_states_settings_counts() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 2);
    let conf = dir.path().join("sled/conf");
    let whole = fs::read(&conf).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&conf, bytes).unwrap();
        let store = open(dir.path());
        assert!(matches!(store.notes(), [Note::Refolded { .. }, ..]), "byte {at}: {:?}", store.notes());
        assert_eq!(last_of(&store), 3);
        fs::remove_dir_all(dir.path().join("sled.aside-1")).unwrap();
    }
}

#[test]
fn lines_that_the_journal_lost_are_written_back() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 10);
    let whole = fs::read(&journal).unwrap();
    let end_of_fourth = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(3).unwrap().0 + 1;
    fs::write(&journal, &whole[..end_of_fourth]).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { lines: 8, .. }]), "{:?}", store.notes());
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    fs::remove_file(&journal).unwrap();
    assert_eq!(last_of(&open(dir.path())), 11);
    assert_eq!(fs::read(&journal).unwrap(), whole);
}

#[test]
fn a_damaged_line_is_repaired_from_its_copy_or_refuses_writes() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 10);
    let whole = fs::read(&journal).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 4;
    fs::write(&journal, &damaged).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { .. }]), "{:?}", store.notes());
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    assert!(journal.with_extension("jsonl.damaged-1").exists());

    fs::write(&journal, &damaged).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    let reason = store.read_only().expect("neither copy fits");
    assert!(reason.contains("00000000000000000001.jsonl at byte"), "{reason}");
    assert!(matches!(store.say(set(vec![claim("x", "no")])), Err(NotSaid::ReadOnly(_))));
    assert!(last_of(&store) >= 1, "reading goes on");
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), damaged, "what cannot be mended is not touched");
}

#[test]
fn a_state_of_another_history_is_put_aside() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = some(dir.path(), 3);
    some(other.path(), 9);
    let whole = fs::read(&journal).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::rename(other.path().join("sled"), dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Refolded { .. }, ..]), "{:?}", store.notes());
    assert_eq!(last_of(&store), 4);
    assert!(store.verify().unwrap().is_good() && dir.path().join("sled.aside-1").exists());
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::write(dir.path().join("sled"), "junk").unwrap();
    assert_eq!(last_of(&open(dir.path())), 4);
}

#[test]
fn a_state_of_another_history_is_put_aside_though_the_journal_goes_on_behind_it() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    some(dir.path(), 9);
    some(other.path(), 4);
    let truth = on_record(&open(dir.path()));
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::rename(other.path().join("sled"), dir.path().join("sled")).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Refolded { .. }, ..]), "{:?}", store.notes());
    assert!(store.verify().unwrap().is_good());
    assert_eq!(on_record(&store), truth);
}

#[test]
fn a_state_of_an_older_version_mends_the_journal_before_it_is_put_aside() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = some(dir.path(), 8);
    some(other.path(), 8);
    let older = |store: &Store| {
        let shape = (record::store::keys::SHAPE.to_vec(), Some(b"1".to_vec()));
        store.shared.state.apply(std::collections::BTreeMap::from([shape])).unwrap();
    };
    older(&open(dir.path()));
    older(&open(other.path()));
    let whole = fs::read(&journal).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let store = open(dir.path());
    let [Note::Refolded { reason, .. }, ..] = store.notes() else { panic!("{:?}", store.notes()) };
    assert!(
        reason.starts_with("the state was written by another version; ") && reason.contains("put right"),
        "{reason}"
    );
    assert_eq!((last_of(&store), store.read_only()), (9, None));
    assert!(store.verify().unwrap().is_good());
    older(&store);
    drop(store);
    assert_eq!(fs::read(&journal).unwrap(), whole);
    let store = open(dir.path());
    let words = store.notes()[0].to_string();
    assert!(words.starts_with("the state was written by another version; it was moved"), "nothing to mend: {words}");
    older(&store);
    drop(store);
    // One that tells of another history mends nothing.
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    fs::rename(other.path().join("sled"), dir.path().join("sled")).unwrap();
    assert_eq!(last_of(&open(dir.path())), 9);
    assert_eq!(fs::read(&journal).unwrap(), whole);
}

#[test]
fn a_file_under_a_wrong_name_or_missing_is_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 6);
    let whole = fs::read(&journal).unwrap();
    fs::rename(&journal, dir.path().join("journal/00000000000000000003.jsonl")).unwrap();
    let store = open(dir.path());
    assert_eq!(last_of(&store), 7);
    assert!(store.verify().unwrap().is_good(), "{:?}", store.notes());
    assert!(matches!(store.notes()[0], Note::Restored { lines: 2, .. }), "{:?}", store.notes());
    drop(store);
    let next = format!("journal/{:020}.jsonl", open(dir.path()).head().commit + 1);
    fs::write(dir.path().join(next), &whole).unwrap();
    let store = open(dir.path());
    store.say(set(vec![claim("x", "goes on")])).unwrap();
    assert!(store.verify().unwrap().is_good(), "{:?} {:?}", store.notes(), store.verify());
    drop(store);
    assert_eq!(last_of(&open(dir.path())), 8);
    fs::write(dir.path().join("journal/00000000000000000090.jsonl"), &whole).unwrap();
    let store = open(dir.path());
    assert!(store.read_only().unwrap().contains("00000000000000000090.jsonl"), "a file from nowhere is not guessed at");
    assert_eq!(last_of(&store), 8);
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 1);
    let older = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, older.replace("\"format\":1", "\"format\":3")).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let refused = || Store::open(Options::new(dir.path()), &mut |_, _| {}).err().unwrap().to_string();
    assert!(refused().contains("newer than this program's"), "{}", refused());
    // Damage in front of a newer program's lines: they are not taken for a torn end, and nothing is cut off.
    let (first, rest) = older.split_once('\n').unwrap();
    let mixed = format!("{}\n{}", first.replace("opening", "openinf"), rest.replace("\"format\":1", "\"format\":3"));
    fs::write(&journal, &mixed).unwrap();
    assert!(refused().contains("newer than this program's"), "{}", refused());
    assert_eq!(fs::read_to_string(&journal).unwrap(), mixed);
    fs::write(&journal, older).unwrap();
    let shape = (record::store::keys::SHAPE.to_vec(), Some(b"99".to_vec()));
    open(dir.path()).shared.state.apply(std::collections::BTreeMap::from([shape])).unwrap();
    assert!(refused().contains("the state has shape 99"), "{}", refused());
    assert!(!dir.path().join("sled.aside-1").exists());
}

#[test]
fn only_one_process_opens_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let refused = Store::open(Options::new(dir.path()), &mut |_, _| {}).err().unwrap().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
}

#[test]
fn an_erased_body_is_gone_from_journal_and_state_and_both_chains_hold() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 3);
    let store = open(dir.path());
    let receipt = store.say(Set { ask: ask("31"), ..set(vec![claim("x", "a name that must go")]) }).unwrap();
    store.say(set(vec![claim("x", "after it")])).unwrap();
    // A copy that was put aside must not keep it either.
    let aside = journal.with_extension("jsonl.damaged-1");
    let copied = fs::read(&journal).unwrap();
    fs::write(&aside, &copied[..copied.len() - 1]).unwrap();
    let (state, other) = (dir.path().join("sled.aside-1"), dir.path().join("sledge.aside-1"));
    [&state, &other].into_iter().for_each(|dir| fs::create_dir(dir).unwrap());
    let why = "a court said so".to_owned();
    let erasure =
        Fact::Erasure { commits: vec![receipt.first], bodies: record::private::Bodies::Public, why, by: None };
    store.say(set(vec![Drafted::Fact(erasure)])).unwrap();
    for file in [&journal, &aside] {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("a name that must go") && text.contains("after it"), "{}", file.display());
    }
    assert_eq!((state.exists(), other.exists()), (false, true), "a state cannot be erased in, so it goes");
    assert!(!fs::read(&aside).unwrap().ends_with(b"\n"), "what is erased is all that changes");
    assert!(fs::read_to_string(&journal).unwrap().contains("a court said so"));
    let check = |store: &Store| {
        let report = store.verify().unwrap();
        assert!(report.is_good() && report.erased == 1, "{report:?}");
        let view = store.view();
        let incident = view.incident("x").unwrap().unwrap();
        assert!(view.entry(&incident, 5, None).unwrap().is_none());
        assert!(view.entry(&incident, 6, None).unwrap().is_some());
    };
    check(&store);
    store.say(set(vec![claim("x", "goes on")])).unwrap();
    drop(store);
    check(&open(dir.path()));
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    check(&open(dir.path()));
}

#[test]
fn a_store_that_nobody_has_open_is_verified_without_a_change() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at_rest = |scratch: &str, dir: &std::path::Path, into: &tempfile::TempDir| {
        record::store::verify_at_rest(&Options::new(dir), &into.path().join(scratch)).unwrap()
    };
    assert!(at_rest("a", dir.path(), &scratch).is_none(), "there is nothing");
    assert_eq!(record::store::verify_journal(dir.path()).unwrap().head, None);
    let journal = some(dir.path(), 3);
    let report = at_rest("b", dir.path(), &scratch).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.entries, report.behind), (4, 0));
    let whole = fs::read(&journal).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    assert!(!at_rest("c", dir.path(), &scratch).unwrap().is_good());
    assert_eq!(fs::read(&journal).unwrap(), bytes, "nothing is changed");
    fs::write(&journal, &whole).unwrap();
    let (state, older) = (dir.path().join("sled"), scratch.path().join("older"));
    super::damage::copy(&state, &older);
    open(dir.path()).say(set(vec![claim("x", "later"), claim("x", "later still")])).unwrap();
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&older, &state).unwrap();
    let report = at_rest("behind", dir.path(), &scratch).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.entries, report.behind), (6, 2));
    fs::write(&journal, &whole).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let report = at_rest("d", dir.path(), &scratch).unwrap();
    assert!(report.is_good() && report.entries == 4, "a journal alone: {report:?}");
    fs::remove_file(&journal).unwrap();
    some(dir.path(), 0);
    fs::remove_file(&journal).unwrap();
    assert!(!at_rest("e", dir.path(), &scratch).unwrap().is_good(), "a state without its journal");
}

#[test]
fn a_line_that_is_whole_and_in_the_wrong_place_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 3);
    let whole = fs::read_to_string(&journal).unwrap();
    let last = whole.lines().last().unwrap();
    let verified = |change: &dyn Fn(&mut Header)| {
        let Line { mut header, public, private, .. } = Line::read(last.as_bytes()).unwrap();
        change(&mut header);
        let other = Line::seal(header, public, private).unwrap();
        fs::write(&journal, whole.replace(last, std::str::from_utf8(&other.bytes).unwrap())).unwrap();
        record::store::verify_journal(&dir.path().join("journal")).unwrap().faults.join("\n")
    };
    assert_eq!(verified(&|_| {}), "");
    let place = |header: &mut Header, change: &dyn Fn(&mut Place)| change(header.entry.as_mut().unwrap());
    for (faults, chain) in [
        (verified(&|header| header.commit += 1), "the chain"),
        (verified(&|header| header.previous = Hash::of(b"other")), "the chain"),
        (verified(&|header| place(header, &|it| it.number += 1)), "x#5 does not continue its incident's chain"),
        (verified(&|header| place(header, &|it| it.previous = Hash::of(b"other"))), "its incident's chain"),
    ] {
        assert!(faults.ends_with(chain) && !faults.contains('\n'), "{faults}");
    }
}

#[test]
fn what_is_synced_is_in_the_files_of_the_state() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    some(dir.path(), 2);
    let store = open(dir.path());
    store.say(set(vec![claim("x", "and this")])).unwrap();
    store.sync().unwrap();
    super::damage::copy(&dir.path().join("sled"), &copy.path().join("sled"));
    super::damage::copy(&dir.path().join("journal"), &copy.path().join("journal"));
    assert!(open(copy.path()).notes().is_empty(), "there is nothing to catch up with");
}
