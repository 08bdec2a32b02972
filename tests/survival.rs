//! Kill, tear, garble, reopen: what was acknowledged is there.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use record::{
    claim::Claim,
    entry::{Author, Draft, Importance, Said},
    import::random_key,
    lang::{Lang, Prose},
    private::{AskKey, Fact},
    store::{Conflict, Drafted, Expect, NotSaid, Note, Options, Set, Store},
};

use crate::town::{Town, at, open};

/// A dossier of one incident with many events.
pub fn large(handle: &str, events: usize) -> String {
    let mut text = format!(
        "[[incident]]\nhandle = \"{handle}\"\ntitle = {{ en = \"Large\" }}\nzone = \"UTC\"\n[[incident.source]]\nkey = \"s\"\nkind = \"press\"\npublisher = \"P\"\n"
    );
    for number in 0..events {
        let day = number % 28 + 1;
        text += &format!(
            "[[incident.event]]\nkey = \"e{number}\"\nwhen = \"2024-02-{day:02}\"\ntext = {{ en = \"Event {number}\" }}\nsources = [\"s\"]\n"
        );
    }
    text
}

#[test]
fn a_kill_while_importing_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let events = 4_000;
    fs::write(dir.path().join("large.toml"), large("large", events)).unwrap();
    let import = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strillone"));
        command.env_clear().env("STRILLONE_RECORD__BUNDLED", "[]").current_dir(dir.path());
        command.args(["--data", "data", "import", "large.toml"]).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut acknowledged = 0;
    for stop_after in [1, 3, 2, 5] {
        let mut child = import();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok).filter(|line| line.contains("are recorded")).take(stop_after) {
            let done: usize = line.split_whitespace().nth(2).unwrap().parse().unwrap();
            acknowledged = acknowledged.max(done);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&dir.path().join("data"));
        let present = store.view().incident("large").unwrap().map_or(0, |incident| incident.last as usize);
        assert!(present >= acknowledged, "{present} of {acknowledged} acknowledged are there");
        assert!(store.verify().unwrap().is_good());
    }
    assert!(acknowledged > 0, "nothing was acknowledged before the kills");
    assert!(import().wait().unwrap().success());
    let store = open(&dir.path().join("data"));
    let incident = store.view().incident("large").unwrap().unwrap();
    assert_eq!(incident.last as usize, events + 2, "nothing twice");
    assert!(store.verify().unwrap().is_good());
}

fn claim(incident: &str, text: &str) -> Drafted {
    Drafted::from(Draft {
        incident: incident.parse().unwrap(),
        author: Author("a".to_owned()),
        key: random_key().unwrap(),
        importance: Importance::Normal,
        known: None,
        dossier: false,
        push: true,
        said: Said::Claim(Claim { text: Prose::one(Lang::En, text).unwrap(), sources: Vec::new() }),
    })
}

fn set(said: Vec<Drafted>) -> Set {
    Set { ask: None, expects: Vec::new(), said, at: at() }
}

fn ask(id: &str) -> Option<AskKey> {
    Some(AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: id.to_owned() })
}

/// A store with an incident and some claims, closed; the path of its journal.
fn some(dir: &Path, claims: usize) -> std::path::PathBuf {
    let store = open(dir);
    let dossier = "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"UTC\"\n";
    record::import::import(&store, &record::dossier::read(dossier).unwrap()[0], at(), false, &mut |_, _| {}).unwrap();
    for number in 0..claims {
        store.say(set(vec![claim("x", &format!("claim {number}"))])).unwrap();
    }
    dir.join("journal/00000000000000000001.jsonl")
}

fn last_of(store: &Store) -> u32 {
    store.view().incident("x").unwrap().unwrap().last
}

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
    assert_eq!(last_of(&open(dir.path())), 7);
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
fn lines_that_the_journal_lost_are_written_back() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 10);
    let whole = fs::read(&journal).unwrap();
    let end_of_fourth = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(3).unwrap().0 + 1;
    fs::write(&journal, &whole[..end_of_fourth]).unwrap();
    let store = open(dir.path());
    assert!(matches!(store.notes(), [Note::Restored { .. }]), "{:?}", store.notes());
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
fn a_file_under_a_wrong_name_or_missing_is_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 6);
    let whole = fs::read(&journal).unwrap();
    fs::rename(&journal, dir.path().join("journal/00000000000000000003.jsonl")).unwrap();
    let store = open(dir.path());
    assert_eq!(last_of(&store), 7);
    assert!(store.verify().unwrap().is_good(), "{:?}", store.notes());
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
    let text = fs::read_to_string(&journal).unwrap().replace("\"format\":1", "\"format\":2");
    fs::write(&journal, text).unwrap();
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let refused = Store::open(Options::new(dir.path()), &mut |_, _| {}).err().unwrap().to_string();
    assert!(refused.contains("newer than this program's"), "{refused}");
}

#[test]
fn only_one_process_opens_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let refused = Store::open(Options::new(dir.path()), &mut |_, _| {}).err().unwrap().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
}

#[test]
fn an_ask_that_comes_twice_is_written_once_and_forgotten_after_8_days() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 0);
    let store = open(dir.path());
    let said =
        |at| Set { ask: ask("7"), expects: Vec::new(), said: vec![claim("x", "once"), claim("x", "and again")], at };
    assert!(!store.say(said(at())).unwrap().repeated);
    assert!(store.say(said(at())).unwrap().repeated);
    drop(store);
    let store = open(dir.path());
    assert!(store.say(said(at() + chrono::TimeDelta::days(7))).unwrap().repeated);
    assert_eq!(last_of(&store), 3);
    assert!(!store.say(said(at() + chrono::TimeDelta::days(9))).unwrap().repeated);
    assert_eq!(last_of(&store), 5);
}

#[test]
fn a_set_that_does_not_fit_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 1);
    let store = open(dir.path());
    let head = store.head();
    let refused = |set: Set| match store.say(set) {
        Err(NotSaid::Refused(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(set(vec![claim("x", "good"), claim("nowhere", "bad")])), Conflict::NoIncident(_)));
    let unresolved = |number| {
        let Drafted::Entry(mut draft) = claim("x", "t") else { unreachable!() };
        let why = Prose::one(Lang::En, "why").unwrap();
        draft.said = Said::Retraction(record::entry::Retraction { subject: record::entry::Ref::Number(number), why });
        Drafted::Entry(draft)
    };
    assert!(matches!(refused(set(vec![unresolved(99)])), Conflict::NoEntry(_)));
    assert!(matches!(refused(set(vec![unresolved(1)])), Conflict::NoEntry(_)), "an opening is not retracted");
    assert!(matches!(refused(set(Vec::new())), Conflict::SetSize));
    let long = "😀".repeat(Prose::MAX_CHARS);
    let Drafted::Entry(mut draft) = claim("x", "t") else { unreachable!() };
    let both = Prose::both(long.clone(), long.clone()).unwrap();
    let figure = record::entry::Figure {
        label: both.clone(),
        value: both,
        as_of: None,
        said_by: None,
        sources: Vec::new(),
        rival: None,
    };
    draft.said = Said::Figure(figure);
    assert!(matches!(refused(set(vec![Drafted::Entry(draft)])), Conflict::TooLong));
    assert_eq!(store.head(), head);
    store.say(set(vec![unresolved(2)])).unwrap();
    let entry = record::entry::EntryName { incident: "x".parse().unwrap(), number: 2 };
    let mut late = set(vec![claim("x", "late")]);
    late.expects = vec![Expect::Unrevised { entry, seen: 2 }];
    assert!(matches!(refused(late), Conflict::Revised(_, _)));
}

#[test]
fn private_facts_are_kept_and_never_exported() {
    let town = Town::westpole();
    let address = record::private::Address("telegram:5".to_owned());
    let fact = Fact::Setting { address: address.clone(), lang: Some(Lang::It), zone: None };
    town.store().say(Set { ask: ask("9"), expects: Vec::new(), said: vec![Drafted::Fact(fact)], at: at() }).unwrap();
    let zone = Fact::Setting { address: address.clone(), lang: None, zone: Some(chrono_tz::Tz::UTC) };
    town.store().say(set(vec![Drafted::Fact(zone)])).unwrap();
    let choice = town.store().view().choice(&address).unwrap();
    assert_eq!((choice.lang, choice.zone), (Some(Lang::It), Some(chrono_tz::Tz::UTC)));
    let mut out = Vec::new();
    town.desk.export(None, strillone::cli::Format::Jsonl, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("telegram:5") && !text.contains("import:dossier"));
    assert!(fs::read_to_string(town.dir().join("journal/00000000000000000001.jsonl")).unwrap().contains("telegram:5"));
}

#[test]
fn a_view_does_not_change_under_its_reader() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 3);
    let store = open(dir.path());
    let view = store.view();
    store.say(set(vec![claim("x", "later")])).unwrap();
    assert_eq!(view.incident("x").unwrap().unwrap().last, 4);
    assert_eq!(store.view().incident("x").unwrap().unwrap().last, 5);
    let incident = view.incident("x").unwrap().unwrap();
    assert!(view.entry(&incident, 5, None).unwrap().is_none());
}

#[test]
fn many_writers_at_once_each_get_their_own_place() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 0);
    let store = std::sync::Arc::new(open(dir.path()));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let store = std::sync::Arc::clone(&store);
            std::thread::spawn(move || {
                for number in 0..25 {
                    store.say(set(vec![claim("x", &format!("{thread} {number}"))])).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(last_of(&store), 201);
    assert!(store.verify().unwrap().is_good());
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
    fs::copy(&journal, &aside).unwrap();
    let why = "a court said so".to_owned();
    let erasure =
        Fact::Erasure { commits: vec![receipt.first], bodies: record::private::Bodies::Public, why, by: None };
    store.say(set(vec![Drafted::Fact(erasure)])).unwrap();
    for file in [&journal, &aside] {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("a name that must go") && text.contains("after it"), "{}", file.display());
    }
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
