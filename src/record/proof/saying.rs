//! What is said is written whole or not at all, once, and in order.

use record::{
    entry::{Correction, Figure, Level, Ref, Retraction, Said},
    lang::{Lang, Prose},
    line::Line,
    party::{Organisation, Party},
    private::AskKey,
    store::{Conflict, Drafted, Expect, NotSaid, Set, Store},
};

use super::{at, claim, open, some};

pub fn set(said: Vec<Drafted>) -> Set {
    Set { ask: None, expects: Vec::new(), said, at: at() }
}

pub fn ask(id: &str) -> Option<AskKey> {
    Some(AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: id.to_owned() })
}

pub fn last_of(store: &Store) -> u32 {
    store.view().incident("x").unwrap().unwrap().last
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
    store.say(Set { ask: ask("6"), ..set(vec![claim("x", "something else")]) }).unwrap();
    let kept = |store: &Store| store.shared.state.prefix(&record::store::keys::ask("")).count();
    assert_eq!(kept(&store), 2);
    drop(store);
    let store = open(dir.path());
    assert!(store.say(said(at() + chrono::TimeDelta::days(7))).unwrap().repeated);
    assert_eq!((last_of(&store), kept(&store)), (4, 2));
    assert!(!store.say(said(at() + chrono::TimeDelta::days(9))).unwrap().repeated);
    assert_eq!((last_of(&store), kept(&store)), (6, 1));
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
        draft.said = Said::Retraction(Retraction { subject: Ref::Number(number), why });
        Drafted::Entry(draft)
    };
    assert!(matches!(refused(set(vec![unresolved(99)])), Conflict::NoEntry(_)));
    assert!(matches!(refused(set(vec![unresolved(1)])), Conflict::NoEntry(_)), "an opening is not retracted");
    assert!(matches!(refused(set(Vec::new())), Conflict::SetSize));
    let long = "😀".repeat(Prose::MAX_CHARS);
    let Drafted::Entry(mut draft) = claim("x", "t") else { unreachable!() };
    let both = Prose::both(long.clone(), long.clone()).unwrap();
    let figure =
        Figure { label: both.clone(), value: both, as_of: None, said_by: None, sources: Vec::new(), rival: None };
    draft.said = Said::Figure(figure);
    assert!(matches!(refused(set(vec![Drafted::Entry(draft)])), Conflict::TooLong));
    assert_eq!(store.head(), head);
    store.say(set(vec![unresolved(2)])).unwrap();
    let entry = record::entry::EntryName { incident: "x".parse().unwrap(), number: 2 };
    let mut late = set(vec![claim("x", "late")]);
    late.expects = vec![Expect::Unrevised { entry: entry.clone(), seen: 2 }];
    assert!(matches!(refused(late), Conflict::Revised(_, _)));
    let mut seen = set(vec![claim("x", "in time")]);
    seen.expects = vec![Expect::Unrevised { entry, seen: 3 }];
    store.say(seen).unwrap();
    let many = |count: usize| set((0..count).map(|_| claim("x", "one of many")).collect());
    assert!(matches!(refused(many(65)), Conflict::SetSize));
    assert_eq!(store.say(many(64)).unwrap().entries.len(), 64);
}

#[test]
fn what_contradicts_the_record_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path(), 1);
    let store = open(dir.path());
    let entry = |said: Said| {
        let Drafted::Entry(mut draft) = claim("x", "t") else { unreachable!() };
        draft.said = said;
        draft
    };
    let refused = |draft| match store.say(set(vec![Drafted::Entry(draft)])) {
        Err(NotSaid::Refused(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    let said = |draft| store.say(set(vec![Drafted::Entry(draft)])).unwrap().entries[0].number;
    let why = Prose::one(Lang::En, "why").unwrap();
    let view = store.view();
    let incident = view.incident("x").unwrap().unwrap();
    let opening = view.entry(&incident, 1, None).unwrap().unwrap().said;
    assert!(matches!(refused(entry(opening)), Conflict::IncidentTaken(_)));
    let Drafted::Entry(once) = claim("x", "once") else { unreachable!() };
    let number = said(once.clone());
    let Conflict::KeyTaken(key, name) = refused(once.clone()) else { panic!("the same key twice") };
    assert_eq!((key, name.number), (once.key, number));
    let organisation = |handle: &str| {
        entry(Said::Organisation(Organisation {
            handle: handle.parse().unwrap(),
            name: "An organisation".to_owned(),
            aliases: Vec::new(),
            roles: Vec::new(),
            about: None,
            sources: Vec::new(),
        }))
    };
    let number = said(organisation("acme"));
    let Conflict::OrganisationTaken(_, name) = refused(organisation("acme")) else { panic!("the same twice") };
    assert_eq!(name.number, number);
    let figure = |by: &str| {
        entry(Said::Figure(Figure {
            label: why.clone(),
            value: why.clone(),
            as_of: None,
            said_by: Some(Party::Organisation(by.parse().unwrap())),
            sources: Vec::new(),
            rival: None,
        }))
    };
    assert!(matches!(refused(figure("nobody")), Conflict::NoOrganisation(_)));
    said(figure("acme"));
    let retraction = |number| entry(Said::Retraction(Retraction { subject: Ref::Number(number), why: why.clone() }));
    let retracted = said(retraction(2));
    assert!(matches!(refused(retraction(2)), Conflict::Retracted(name) if name.number == 2));
    assert!(matches!(refused(retraction(retracted)), Conflict::NoEntry(_)), "what takes back is not taken back");
    let now = Box::new(Said::Retraction(Retraction { subject: Ref::Number(2), why: why.clone() }));
    let (subject, level) = (Ref::Number(3), Level::Correction);
    let correction = Correction { subject, now, what: why, level, importance: None, known: None };
    assert!(matches!(refused(entry(Said::Correction(correction))), Conflict::NoEntry(_)));
}

#[test]
fn what_is_to_be_pushed_is_what_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let journal = some(dir.path(), 0);
    let store = open(dir.path());
    let all = [(false, true), (false, false), (true, true), (true, false)];
    for (dossier, push) in all {
        let Drafted::Entry(mut draft) = claim("x", "t") else { unreachable!() };
        (draft.dossier, draft.push) = (dossier, push);
        store.say(set(vec![Drafted::Entry(draft)])).unwrap();
    }
    let text = std::fs::read_to_string(journal).unwrap();
    let lines = text.lines().skip(2).map(|line| Line::read(line.as_bytes()).unwrap().public.unwrap());
    assert_eq!(lines.map(|public| (public.dossier, public.pushes())).collect::<Vec<_>>(), all);
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
