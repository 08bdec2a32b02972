//! Which rows come of which lines, word for word: whoever changes that must make the shape a new one
//! (`store::fold::SHAPE`), since the states that are out there have the old rows.

use std::{fmt::Write, fs};

use crate::{
    channel::{Network, PlaceKind},
    dossier,
    entry::{Author, Correction, Draft as Entry, Importance, Kind, Level, Ref, Retraction, Said},
    import,
    lang::{Lang, Prose},
    line::Line,
    outbox::Left,
    party::{Capacity, Party},
    private::{Address, AskKey, Bodies, Draft, Fact},
    rank::Rank,
    statement::Statement,
    store::{Drafted, Options, Set, Store, keys},
    subscription::{Follow, What},
};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proof/rows.txt");

fn at(minute: i64) -> chrono::DateTime<chrono::Utc> {
    let first: chrono::DateTime<chrono::Utc> = "2026-01-02T03:04:05.678Z".parse().unwrap();
    first + chrono::TimeDelta::minutes(minute)
}

fn who(address: &str) -> Address {
    Address(address.to_owned())
}

/// One of every kind of line but of erasures, in an order in which each finds what it is about; what is to be erased: an
/// entry, and private facts about people.
fn everything(store: &Store) -> (u64, Vec<u64>) {
    let text = include_str!("../../../tests/golden/dossier.toml");
    for text in [text.to_owned(), text.replace("Water came in.", "Water came in through the roof.")] {
        import::import(store, &dossier::read(&text).unwrap()[0], at(0), false, &mut |_, _| {}).unwrap();
    }
    let mut minute = 0;
    let mut say = |said: Drafted| {
        minute += 1;
        let ask = AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: minute.to_string() };
        let ask = (minute % 5 == 0).then_some(ask);
        store.say(Set { ask, expects: Vec::new(), said: vec![said], at: at(minute) }).unwrap().first
    };
    let fact = |fact: Fact| Drafted::Fact(fact);
    let (flood, private, group) = ("flood".parse().unwrap(), who("telegram:5"), who("telegram:-4"));
    let follows = |address: &Address, what: What| Fact::Subscription {
        address: address.clone(),
        settings: address.clone(),
        place: PlaceKind::Group,
        lang: Lang::It,
        by: Some(who("telegram:5")),
        follow: Follow { min_importance: Importance::Major, kinds: vec![Kind::Event], ..Follow::of(what) },
    };
    say(fact(Fact::Person { address: private.clone(), author: Author("an-author".to_owned()) }));
    say(fact(Fact::Setting { address: private.clone(), lang: Some(Lang::It), zone: None }));
    say(fact(Fact::Setting { address: private.clone(), lang: None, zone: Some(chrono_tz::Tz::UTC) }));
    say(fact(Fact::Setting { address: group.clone(), lang: Some(Lang::En), zone: None }));
    say(fact(Fact::Loaded { dossier: "golden".to_owned() }));
    let incident = || What::Incident("flood".parse().unwrap());
    say(fact(follows(&private, incident())));
    say(fact(follows(&private, What::All)));
    say(fact(follows(&group, incident())));
    say(fact(Fact::Mute {
        address: group.clone(),
        incident: "flood".parse().unwrap(),
        off: false,
        until: Some(at(99)),
    }));
    say(fact(Fact::Mute { address: private.clone(), incident: "flood".parse().unwrap(), off: false, until: None }));
    say(fact(Fact::Mute { address: private.clone(), incident: "flood".parse().unwrap(), off: true, until: None }));
    say(fact(Fact::Keeper { address: group.clone(), by: who("telegram:6") }));
    say(fact(Fact::Unsubscription { address: private.clone(), what: Some(What::All) }));
    say(fact(Fact::Moved { from: group, to: who("telegram:-1009") }));
    // A chat that moves to where something is followed already.
    say(fact(follows(&who("telegram:-7"), What::All)));
    say(fact(follows(&who("telegram:-7"), incident())));
    say(fact(follows(&who("telegram:-1007"), incident())));
    say(fact(Fact::Looked { address: who("telegram:-7"), commit: 3 }));
    say(fact(Fact::Moved { from: who("telegram:-7"), to: who("telegram:-1007") }));
    say(fact(follows(&who("discord:8"), incident())));
    say(fact(Fact::Unsubscription { address: who("discord:8"), what: None }));
    let entry = |said: Said| {
        Drafted::from(Entry {
            incident: "flood".parse().unwrap(),
            author: Author("an-author".to_owned()),
            key: format!("key-{}", said.kind().code()).parse().unwrap(),
            importance: Importance::Major,
            known: None,
            dossier: false,
            push: true,
            said,
        })
    };
    let why = Prose::one(Lang::En, "why").unwrap();
    let promise = say(entry(Said::Statement(Statement {
        speaker: Some(Party::Organisation("city".parse().unwrap())),
        capacity: Capacity::Victim,
        published_by: None,
        as_of: None,
        date: "2026-01-01".parse().unwrap(),
        gist: why.clone(),
        quote: None,
        claims: Vec::new(),
        sources: Vec::new(),
        promises: Some("2026-01-03T10:00".parse().unwrap()),
    })));
    let number = store.view().incident("flood").unwrap().unwrap().last;
    say(fact(Fact::Lapsed { incident: flood, number }));
    say(fact(Fact::Lapsed { incident: "flood".parse().unwrap(), number }));
    say(fact(Fact::Begun { broadcast: promise }));
    let left = Left { ids: vec![7, 8], replaces: false, card: None };
    let copies = std::collections::BTreeMap::from([(1, left)]);
    say(fact(Fact::Drained { broadcast: promise, copies, owed: vec![2], last: true }));
    let retraction = say(entry(Said::Retraction(Retraction { subject: Ref::Number(number), why })));
    let copies = std::collections::BTreeMap::from([(1, Left { ids: Vec::new(), replaces: true, card: Some((3, 4)) })]);
    say(fact(Fact::Drained { broadcast: retraction, copies, owed: vec![2], last: false }));
    let draft = |by: &str, suggested| Draft {
        by: Some(who(by)),
        command: "event".to_owned(),
        given: [("incident".to_owned(), "flood".to_owned())].into(),
        lang: Lang::En,
        seen: None,
        importance: None,
        level: None,
        suggested,
        last: Some(3),
    };
    let plain = say(fact(Fact::Draft(draft("telegram:5", false))));
    let suggested = say(fact(Fact::Draft(draft("telegram:9", true))));
    let forgotten = say(fact(Fact::Draft(draft("telegram:10", true))));
    let (importance, level) = (Some(Importance::Minor), Some(Level::Material));
    say(fact(Fact::Redraft { draft: plain, importance, level, last: Some(5) }));
    say(fact(Fact::Redraft { draft: plain, importance: None, level: None, last: None }));
    say(fact(Fact::Approved { draft: suggested, by: private.clone() }));
    say(fact(Fact::Approved { draft: suggested, by: private.clone() }));
    let message = "12".to_owned();
    say(fact(Fact::Carded { draft: suggested, to: private.clone(), place: private.clone(), message }));
    say(fact(Fact::Told { of: suggested, network: Network::Discord }));
    say(fact(Fact::Decided { draft: suggested, published: true, by: Some(private.clone()) }));
    say(fact(Fact::Decided { draft: plain, published: false, by: None }));
    say(fact(Fact::Redraft { draft: plain, importance, level, last: None }));
    let ranked = |rank| Fact::Ranked { address: who("discord:3"), rank, incidents: Vec::new(), by: None };
    say(fact(ranked(Some(Rank::Moderator))));
    say(fact(Fact::Ranked {
        address: private.clone(),
        rank: Some(Rank::Contributor),
        incidents: vec!["flood".parse().unwrap()],
        by: Some(who("discord:3")),
    }));
    say(fact(ranked(None)));
    say(fact(Fact::Refused { address: private.clone(), command: "redact".to_owned() }));
    let asking = |command: Option<&str>, given: &str, without: Option<&str>, over| Fact::Asking {
        address: who("telegram:5"),
        command: command.map(str::to_owned),
        given: [(given.to_owned(), "x".to_owned())].into(),
        without: without.map(str::to_owned),
        over,
    };
    say(fact(asking(Some("event"), "when", None, false)));
    say(fact(asking(None, "text", Some("link"), false)));
    let elsewhere = Fact::Asking {
        address: who("telegram:6"),
        command: Some("event".to_owned()),
        given: Default::default(),
        without: None,
        over: false,
    };
    say(fact(elsewhere.clone()));
    if let Fact::Asking { address, .. } = elsewhere {
        let (command, given, without) = (None, Default::default(), None);
        say(fact(Fact::Asking { address, command, given, without, over: true }));
    }
    // What was muted of another incident stays so when one is followed again.
    say(fact(Fact::Mute { address: who("discord:8"), incident: "other".parse().unwrap(), off: false, until: None }));
    say(fact(Fact::Mute { address: who("discord:8"), incident: "flood".parse().unwrap(), off: false, until: None }));
    say(fact(follows(&who("discord:8"), incident())));
    say(fact(Fact::Subscription {
        address: who("discord:8"),
        settings: who("discord:7"),
        place: PlaceKind::Topic,
        lang: Lang::En,
        by: Some(who("discord:6")),
        follow: Follow::of(incident()),
    }));
    // A chat whose settings are another's, and one that made its choice where it moves to already.
    say(fact(Fact::Moved { from: who("discord:8"), to: who("discord:80") }));
    say(fact(Fact::Setting { address: who("telegram:-20"), lang: Some(Lang::It), zone: None }));
    say(fact(Fact::Setting { address: who("telegram:-1020"), lang: Some(Lang::En), zone: None }));
    say(fact(Fact::Moved { from: who("telegram:-20"), to: who("telegram:-1020") }));
    // What is owed to a channel waits for its oldest, whichever is told first.
    let [older, newer] = ["older", "newer"].map(|text| say(super::claim("flood", text)));
    let drained = |broadcast, owed: &[u32], last| Fact::Drained {
        broadcast,
        copies: std::collections::BTreeMap::new(),
        owed: owed.to_vec(),
        last,
    };
    say(fact(drained(newer, &[4, 5], true)));
    say(fact(drained(older, &[4], true)));
    say(fact(drained(newer, &[4], false)));
    say(fact(Fact::Drained {
        broadcast: newer,
        copies: [(5, Left { ids: vec![9], replaces: false, card: None })].into(),
        owed: Vec::new(),
        last: true,
    }));
    say(fact(Fact::Begun { broadcast: 1 }));
    // How far a broadcast is: done, may be attempted, not any more, and done after it might have been attempted.
    let running = say(super::claim("flood", "running"));
    say(fact(Fact::Begun { broadcast: running }));
    let left = |id| Left { ids: vec![id], replaces: false, card: None };
    let delivered = |done: &[(u32, u64)], next: &[u32]| Fact::Delivered {
        done: match done {
            [] => Default::default(),
            done => [(running, done.iter().map(|(channel, id)| (*channel, left(*id))).collect())].into(),
        },
        next: [(running, next.to_vec())].into(),
    };
    say(fact(delivered(&[], &[1, 2, 4])));
    say(fact(delivered(&[(1, 31)], &[2, 5])));
    say(fact(delivered(&[(2, 32)], &[5])));
    // A source that lies elsewhere now is found at both its addresses.
    let view = store.view();
    let flood = view.incident("flood").unwrap().unwrap();
    let mut moved = view.entry(&flood, 2, None).unwrap().unwrap().said;
    if let Said::Source(source) = &mut moved {
        source.link = Some("https://daily.example/moved".parse().unwrap());
    }
    say(entry(Said::Correction(Correction {
        subject: Ref::Number(2),
        now: Box::new(moved),
        what: Prose::one(Lang::En, "it moved").unwrap(),
        level: Level::Correction,
        importance: None,
        known: None,
    })));
    let sam = who("telegram:11");
    let (given, incident) = (Default::default(), "flood".parse().unwrap());
    let asked =
        Fact::Asking { address: sam.clone(), command: Some("event".to_owned()), given, without: None, over: false };
    let about = [
        Fact::Person { address: sam.clone(), author: Author("another-author".to_owned()) },
        Fact::Setting { address: sam.clone(), lang: Some(Lang::It), zone: None },
        Fact::Looked { address: sam.clone(), commit: 3 },
        asked,
        Fact::Refused { address: sam.clone(), command: "redact".to_owned() },
        Fact::Keeper { address: who("telegram:-1009"), by: sam.clone() },
        Fact::Keeper { address: who("telegram:-1007"), by: sam.clone() },
        Fact::Ranked { address: sam.clone(), rank: Some(Rank::Moderator), incidents: vec![incident], by: None },
    ];
    let mut forgotten = vec![forgotten];
    forgotten.extend(about.map(|it| say(fact(it))));
    // Somebody else is told of that channel since: forgetting the one does not forget the other.
    say(fact(Fact::Keeper { address: who("telegram:-1007"), by: who("telegram:5") }));
    (promise, forgotten)
}

/// Every row in words, but for the copies of lines, for where the newest lies, and for what is drawn; hashes by the
/// commits that they are of.
fn rows(store: &Store) -> String {
    let mut hashes = Vec::new();
    for row in store.shared.state.prefix(b"l") {
        let (_, bytes) = row.unwrap();
        let line = Line::read(&bytes).unwrap();
        hashes.push((hex::encode(line.hash.0), line.header.commit));
    }
    let mut text = String::new();
    for row in store.shared.state.prefix(b"") {
        let (key, value) = row.unwrap();
        // Where a key is drawn (those of what an import corrects), it is another every time.
        let drawn = key[0] == b'u' && key[5] == b'x' && key[6..].iter().all(u8::is_ascii_hexdigit);
        if key[0] == b'l' || &*key == keys::SPOT || drawn {
            continue;
        }
        let mut value = hex::encode(&*value);
        for (hash, commit) in &hashes {
            value = value.replace(hash, &format!("<hash of {commit}>"));
        }
        writeln!(text, "{} {} = {value}", char::from(key[0]), hex::encode(&key[1..])).unwrap();
    }
    text
}

/// Erases them.
fn erase(store: &Store, (entry, facts): (u64, Vec<u64>)) {
    for (commits, bodies) in [(vec![entry], Bodies::Public), (facts, Bodies::Private)] {
        let fact = Fact::Erasure { commits, bodies, why: "a court said so".to_owned(), by: None };
        store.say(Set { ask: None, expects: Vec::new(), said: vec![Drafted::Fact(fact)], at: at(100) }).unwrap();
    }
}

/// The first line in which two texts differ.
fn difference<'a>(a: &'a str, b: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut a, mut b) = (a.lines(), b.lines());
    std::iter::repeat_with(|| (a.next().unwrap_or_default(), b.next().unwrap_or_default()))
        .take_while(|(a, b)| !(a.is_empty() && b.is_empty()))
        .find(|(a, b)| a != b)
}

#[test]
fn every_line_makes_the_rows_that_it_always_made() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open(Options::new(dir.path()), &mut |_, _| {}).unwrap();
    let store = open();
    let erased = everything(&store);
    let before = rows(&store);
    drop(store);
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = open();
    assert_eq!(difference(&rows(&store), &before), None, "what is folded anew is what was there");
    erase(&store, erased);
    let after = rows(&store);
    assert!(store.verify().unwrap().is_good());
    let said: Vec<String> = before.lines().chain(["after erasing"]).chain(after.lines()).map(masked).collect();
    let said = said.join("\n") + "\n";
    if std::env::var_os("STRILLONE_BLESS").is_some() {
        fs::write(GOLDEN, &said).unwrap();
    }
    let known = fs::read_to_string(GOLDEN).unwrap();
    assert_eq!(difference(&said, &known), None, "rows are others than they were, so SHAPE must be, too");
}

/// The row of a person whose name an import drew: its value is another every time.
fn masked(line: &str) -> String {
    match line.split_once(" = ") {
        Some((key, _)) if key.starts_with("p ") && key.contains(&hex::encode("import:")) => format!("{key} = <drawn>"),
        _ => line.to_owned(),
    }
}
