//! Stories: who may do what, suggestions, two people for what is dangerous, what is never recorded, and the trail.

use commands::kit::{Ask, Caller, Place, Posting, Role};
use record::{
    channel::{Network, PlaceKind},
    lang::Lang,
    private::Address,
    reply::Reply,
};
use strillone::{
    console::{Look, dress},
    post,
};

use crate::town::{Town, at, says, silent_on};

/// Somebody who asks, behind a door.
#[derive(Clone)]
struct Person<'a> {
    town: &'a Town,
    address: Option<&'static str>,
    network: &'static str,
    kind: PlaceKind,
    lang: Lang,
    later: i64,
}

impl<'a> Person<'a> {
    fn new(town: &'a Town, address: &'static str) -> Person<'a> {
        let network = address.split(':').next().unwrap();
        Person { town, address: Some(address), network, kind: PlaceKind::Private, lang: Lang::En, later: 0 }
    }

    fn in_italian(self) -> Person<'a> {
        Person { lang: Lang::It, ..self }
    }

    fn after(&self, minutes: i64) -> Person<'a> {
        Person { later: minutes, ..self.clone() }
    }

    fn reply(&self, line: &str) -> Reply {
        let address = self.address.map(|address| Address(address.to_owned()));
        let (role, incidents) = self.town.desk.role(address.as_ref());
        let chat = match self.kind {
            PlaceKind::Private => {
                format!("{}:{}", self.network, self.address.unwrap_or("1:1").split(':').nth(1).unwrap())
            }
            _ => format!("{}:77", self.network),
        };
        self.town.desk.answer(&Ask {
            line: line.to_owned(),
            caller: Caller { address, role, incidents },
            place: Place {
                address: Some(Address(chat.clone())),
                chat: Some(Address(chat)),
                kind: self.kind,
                shared: self.kind != PlaceKind::Private,
                manages: true,
                posting: Posting::May,
                elsewhere: None,
                lang: None,
            },
            lang: self.lang,
            zone: None,
            at: at() + chrono::TimeDelta::minutes(self.later),
            key: None,
            quoted: None,
        })
    }

    fn ask(&self, line: &str) -> String {
        dress(&self.reply(line), self.lang, &Look::plain())
    }

    /// Drafts and publishes.
    fn records(&self, line: &str) -> String {
        let preview = self.reply(line);
        self.ask(&line_of(&preview, "/publish"))
    }
}

/// The first line behind a button that begins so.
#[track_caller]
fn line_of(reply: &Reply, command: &str) -> String {
    let found = reply.buttons.iter().flatten().find(|button| button.line.starts_with(command));
    found.unwrap_or_else(|| panic!("no button for {command} in {reply:#?}")).line.clone()
}

fn owned() -> Town {
    Town::set(&[("STRILLONE_MODERATION__OWNERS", r#"["telegram:1"]"#)])
}

#[test]
fn whoever_may_not_is_refused_everywhere_and_whoever_may_is_not() {
    let town = Town::westpole_set(&[("STRILLONE_MODERATION__OWNERS", r#"["telegram:1", "discord:1"]"#)]);
    let owner = Person::new(&town, "telegram:1");
    for (who, rank) in [("2", "moderator"), ("3", "contributor")] {
        for network in ["telegram", "discord"] {
            says(&owner.ask(&format!("/moderators add {network}:{who} {rank}")), &["is now", rank]);
        }
    }
    let people = [("telegram:1", "discord:1", Role::Owner), ("telegram:2", "discord:2", Role::Moderator)];
    let others = [("telegram:3", "discord:3", Role::Contributor), ("telegram:4", "discord:4", Role::Reader)];
    for (telegram, discord, role) in people.into_iter().chain(others) {
        for address in [telegram, discord] {
            for kind in [PlaceKind::Private, PlaceKind::Group, PlaceKind::Topic, PlaceKind::Broadcast] {
                let person = Person { kind, ..Person::new(&town, address) };
                for command in commands::ALL {
                    let answer = person.ask(&format!("/{} {}", command.name, command.example));
                    let refused = answer.contains("It is noted that you asked");
                    let named = command.name == "moderators" && role < Role::Owner;
                    assert_eq!(
                        refused,
                        role < command.least() || named,
                        "{address} in a {kind:?}: /{}\n{answer}",
                        command.name
                    );
                }
            }
        }
    }
}

#[test]
fn nobody_in_person_keeps_the_record_and_is_told_how_to() {
    let town = Town::westpole();
    for network in ["telegram", "discord"] {
        for kind in [PlaceKind::Group, PlaceKind::Broadcast] {
            let nobody = Person { address: None, network, kind, ..Person::new(&town, "telegram:9") };
            for command in commands::ALL.iter().filter(|command| command.least() > Role::Reader) {
                let answer = nobody.ask(&format!("/{} {}", command.name, command.example));
                says(&answer, &["I cannot tell who you are", "Remain anonymous", "private chat"]);
            }
        }
    }
    assert_eq!(town.store().view().trail().count(), 0, "nobody leaves no trail");
}

#[test]
fn a_moderator_of_some_incidents_decides_about_those_alone_and_not_after_the_rank_is_gone() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    owner.records("/open two | Two");
    says(&owner.ask("/moderators add discord:2 moderator one"), &["discord:2", "moderator of one."]);
    let some = Person::new(&town, "discord:2");
    says(&some.records("/event one 2026-01-01 | It began."), &["Recorded as one#2."]);
    says(&some.ask("/event two 2026-01-01 | It began."), &["You moderate one. Of two, somebody else decides."]);
    let theirs = line_of(&owner.reply("/event two 2026-01-01 | It began."), "/publish");
    says(&some.ask(&theirs), &["somebody else decides"]);
    let own = line_of(&some.reply("/event one 2026-01-02 | It ended."), "/publish");
    says(&owner.ask("/moderators remove discord:2"), &["reads and suggests from now on"]);
    says(&some.ask(&own), &["That is for those who keep the record."]);
    says(&owner.ask("/moderators remove discord:2"), &["has no rank"]);
    says(&owner.ask("/moderators remove telegram:1"), &["owner by the settings"]);
    says(&owner.ask("/moderators add Ann"), &["is nobody I can find", "/privacy"]);
    let list = owner.ask("/moderators");
    says(&list, &["telegram:1 · owner (by the settings)"]);
    silent_on(&list, &["discord:2"]);
}

#[test]
fn the_first_owner_is_known_by_a_code_that_works_once() {
    let town = Town::empty();
    let code = town.desk.offer_code().unwrap().to_owned();
    let (ann, ugo) = (Person::new(&town, "telegram:5"), Person::new(&town, "discord:6").in_italian());
    says(&ugo.ask("/moderators claim 123"), &["Quel codice non funziona"]);
    says(&ann.ask(&format!("/moderators claim {code}")), &["You own this bot now"]);
    says(&ugo.ask(&format!("/moderators claim {code}")), &["Quel codice non funziona"]);
    assert_eq!(town.desk.role(Some(&Address("telegram:5".to_owned()))).0, Role::Owner);
    assert_eq!(town.desk.offer_code(), None, "there is an owner");
    says(&ann.ask("/moderators"), &["telegram:5 · owner"]);
    says(&ann.ask("/audit"), &["telegram:5 became the owner"]);
}

#[test]
fn a_suggestion_is_decided_on_once_and_everybody_hears_of_it() {
    let town = owned();
    let (owner, mod_) = (Person::new(&town, "telegram:1"), Person::new(&town, "discord:2").in_italian());
    owner.records("/open one | One");
    owner.ask("/moderators add discord:2");
    town.letters();
    let reader = Person::new(&town, "discord:9");
    says(&reader.ask("/suggest one | The portal answers again. | https://example.org/a"), &["Thank you."]);
    let shown = town.letters();
    let to: Vec<&str> = shown.iter().map(|letter| letter.to.0.as_str()).collect();
    assert_eq!(to, ["telegram:1", "discord:2"]);
    let card = dress(&shown[0].reply, Lang::En, &Look::plain());
    says(&card, &["discord:9 suggests this entry (draft ", "The portal answers again.", "Approve", "Reject"]);
    says(&mod_.ask(&line_of(&shown[1].reply, "/publish")), &["Registrato come one#3"]);
    let told = town.letters();
    let places: Vec<_> = told.iter().map(|it| it.place.as_ref().map(|(_, message)| message.as_str())).collect();
    assert_eq!(places, [Some("11"), Some("12"), None]);
    says(&dress(&told[0].reply, Lang::En, &Look::plain()), &["Recorded as one#3 by discord:2."]);
    assert_eq!(told[2].to.0, "discord:9");
    says(
        &dress(&told[2].reply, Lang::En, &Look::plain()),
        &["Your suggestion was accepted. Thank you.", "Recorded as one#3."],
    );
    says(&owner.ask(&line_of(&shown[0].reply, "/discard")), &["published already, as one#3"]);
    assert!(town.letters().is_empty(), "whoever comes second changes nothing");

    says(&owner.ask("/suggestions"), &["Nothing waits."]);
    for n in 0..5 {
        says(&reader.ask(&format!("/suggest one | Number {n}.")), &["Thank you."]);
    }
    says(&reader.ask("/suggest one | One more."), &["5 of your suggestions wait"]);
    let waiting = owner.reply("/suggestions");
    says(&dress(&waiting, Lang::En, &Look::plain()), &["one · discord:9", "Number 0.", "Number 4."]);
    says(&owner.ask(&waiting.buttons[0][1].line), &["Number 1.", "Approve", "Reject"]);
    let contributor = Person::new(&town, "telegram:7");
    owner.ask("/moderators add telegram:7 contributor");
    town.letters();
    says(&contributor.ask("/event one 2026-01-01T09:00 | It began."), &["Thank you."]);
    let shown = town.letters();
    says(&owner.ask(&line_of(&shown[0].reply, "/discard")), &["Not taken into the record."]);
    let told = town.letters();
    let told: Vec<String> = told.iter().map(|it| dress(&it.reply, Lang::En, &Look::plain())).collect();
    says(
        &told.join("\n"),
        &["telegram:1 did not take this into the record.", "decided on", "Not taken into the record."],
    );
    says(&owner.ask("/audit"), &["telegram:1 discarded draft", "telegram:7 suggested an entry (/event one, draft "]);
}

#[test]
fn what_people_have_to_be_told_outlives_a_kill_and_is_told_once() {
    let owners = [("STRILLONE_MODERATION__OWNERS", r#"["telegram:1", "telegram:2"]"#)];
    let town = Town::set(&owners);
    Person::new(&town, "telegram:1").records("/open one | One");
    Person::new(&town, "telegram:9").ask("/suggest one | The portal answers again.");
    let due = |town: &Town| post::due(&town.desk, Network::Telegram, at()).unwrap();
    let town = town.reopened(&owners);
    let [(errand, letters)] = &due(&town)[..] else { panic!("one errand") };
    assert_eq!(letters.iter().map(|letter| letter.to.0.as_str()).collect::<Vec<_>>(), ["telegram:1", "telegram:2"]);
    let mut errand = errand.clone();
    assert!(!post::flies(&town.desk, &mut errand, &letters[0]).unwrap());
    post::brought(&town.desk, &mut errand, &letters[0], Some((letters[0].to.clone(), 7)), at()).unwrap();
    assert!(!post::flies(&town.desk, &mut errand, &letters[1]).unwrap());
    // Killed while the second one was under way.
    let town = town.reopened(&owners);
    let [(errand, left)] = &due(&town)[..] else { panic!("one errand") };
    assert_eq!(left.iter().map(|letter| letter.to.0.as_str()).collect::<Vec<_>>(), ["telegram:2"]);
    let mut errand = errand.clone();
    assert!(post::flies(&town.desk, &mut errand, &left[0]).unwrap(), "it may have been told already");
    post::brought(&town.desk, &mut errand, &left[0], Some((left[0].to.clone(), 8)), at()).unwrap();
    post::over(&town.desk, &errand, at()).unwrap();
    assert!(due(&town).is_empty());
    // Also by a state that is folded anew.
    let dir = town.dir().join("sled");
    let town = town.reopened_after(&owners, || std::fs::remove_dir_all(&dir).unwrap());
    assert!(due(&town).is_empty());
    // What nobody could be told for days is let go.
    Person::new(&town, "telegram:9").ask("/suggest one | Something else.");
    assert_eq!(due(&town)[0].1.len(), 2);
    let late = post::due(&town.desk, Network::Telegram, at() + post::KEEP + chrono::TimeDelta::minutes(1)).unwrap();
    assert!(late[0].1.is_empty());
}

#[test]
fn what_is_dangerous_is_wanted_by_two() {
    let town = owned();
    let (owner, second) = (Person::new(&town, "telegram:1"), Person::new(&town, "discord:2").in_italian());
    owner.records("/open one | One");
    says(&owner.records("/event one 2026-01-01 | 40 GB of data were stolen."), &["Recorded as one#2."]);
    owner.ask("/moderators add discord:2");
    town.letters();
    let draft = owner.reply("/event one 2026-01-02 | More data was leaked.");
    let publish = line_of(&draft, "/publish");
    says(&owner.ask(&publish), &["says that data was taken", "a second moderator", "nothing is recorded yet"]);
    let shown = town.letters();
    assert_eq!(shown.iter().map(|letter| letter.to.0.as_str()).collect::<Vec<_>>(), ["discord:2"]);
    says(
        &dress(&shown[0].reply, Lang::En, &Look::plain()),
        &["says that data was taken", "telegram:1 already did. Draft"],
    );
    says(&owner.ask(&publish), &["a second moderator"]);
    assert!(town.letters().is_empty(), "the others are asked once");
    says(&second.ask(&line_of(&shown[0].reply, "/publish")), &["Registrato come one#3."]);
    let told = town.letters();
    let whom: Vec<_> = told.iter().map(|letter| (letter.to.0.as_str(), letter.place.is_some())).collect();
    assert_eq!(whom, [("telegram:1", false), ("discord:2", true)], "the first one hears of it, the card is changed");
    says(&dress(&told[0].reply, Lang::En, &Look::plain()), &["Recorded as one#3 by discord:2."]);
    let draft = second.reply("/retract one#3 | Non era vero.");
    says(&owner.ask(&line_of(&draft, "/publish")), &["Recorded as one#4."]);
    says(&owner.records("/event one 2026-01-02 | The portal answers again."), &["Recorded as one#5."]);
}

#[test]
fn what_a_leak_bot_would_post_is_refused_and_nothing_is_kept() {
    let town = Town::set(&[
        ("STRILLONE_MODERATION__OWNERS", r#"["telegram:1"]"#),
        ("STRILLONE_MODERATION__LEAK_HOSTS", r#"["leaks.example"]"#),
    ]);
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    let before = town.store().head();
    for (line, words) in [
        ("/event one 2026-01-01 | See abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion", ""),
        ("/event one 2026-01-01 | It is out. | https://pastebin.com/abc", ""),
        ("/event one 2026-01-01 | It is out. | https://www.leaks.example/x", ""),
        ("/event one 2026-01-01 | They are anna@example.org and ugo@example.org.", ""),
        ("/event one 2026-01-01 | Call +39 333 123 4567.", ""),
        ("/event one 2026-01-01 | The card 4111 1111 1111 1111.", ""),
        ("/statement one 2026-01-01 | Anna (press) | It is RSSMRA85T10A562S.", ""),
        ("/source one https://example.org/a | Example | admin password: hunter2!x", ""),
        ("/suggest one | password: Tr0ub4dor&3", ""),
    ] {
        let answer = owner.ask(line);
        says(&answer, &["Nothing was kept. This is a record", words]);
        silent_on(&answer, &["hunter2", "RSSMRA", "4111", "Tr0ub4dor"]);
    }
    assert_eq!(town.store().head(), before);
}

#[test]
fn what_was_recorded_meanwhile_is_told_before_a_draft_is_published() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    let publish = line_of(&owner.reply("/event one 2026-01-01 | It began."), "/publish");
    owner.records("/event one 2026-01-01 | It had begun before.");
    says(&owner.ask(&publish), &["Since this was prepared, an entry was recorded: one#2. Publish again"]);
    says(&owner.ask(&publish), &["Recorded as one#3."]);
    says(&owner.ask(&publish), &["published already, as one#3"]);
}

#[test]
fn dates_are_read_as_people_write_them_and_said_back_before_anything_is_saved() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    says(&owner.ask("/event one yesterday 18:30 | It began."), &["1 January 2026, 18:30 CET", "It began."]);
    let lui = owner.clone().in_italian();
    says(&lui.ask("/event one 8 dicembre verso le 5 | È cominciato."), &["8 dicembre 2025, intorno alle 5 CET"]);
    says(&lui.ask("/event one il 31 novembre | È cominciato."), &["31 novembre"]);
    // "Yesterday" stays the day it was, also when it is published later.
    let publish = line_of(&owner.reply("/event one yesterday | It began."), "/publish");
    owner.after(3 * 24 * 60).ask(&publish);
    says(&owner.ask("/timeline one"), &["1 January 2026", "It began."]);
    says(&owner.ask("/event one sooner or later | It began."), &["sooner"]);
}

#[test]
fn quietly_published_is_recorded_and_pushed_to_nobody() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    let reply = owner.reply("/event one 2026-01-01 | It began.");
    let row: Vec<&str> = reply.buttons[0].iter().map(|button| button.label.as_str()).collect();
    assert_eq!(row[..2], ["Publish", "Publish quietly"]);
    let quietly = reply.buttons[0][1].line.clone();
    says(&owner.ask(&quietly), &["Recorded as one#2.", "nobody is told"]);
    let view = town.store().view();
    let commit = view.commit_of(&view.incident("one").unwrap().unwrap(), 2).unwrap().unwrap();
    assert_eq!(town.store().ledger().broadcast(commit).unwrap(), None);
}

#[test]
fn what_is_refused_leaves_one_line_an_hour_in_the_trail() {
    let town = owned();
    let reader = Person::new(&town, "discord:9");
    for minutes in [0, 1, 59] {
        says(&reader.after(minutes).ask("/open x | X"), &["It is noted that you asked", "/suggest"]);
    }
    assert_eq!(town.store().view().trail().count(), 1);
    reader.after(61).ask("/open x | X");
    let owner = Person::new(&town, "telegram:1").in_italian();
    says(&owner.ask("/audit"), &["discord:9: rifiutato /open", "discord:9: rifiutato /open"]);
    says(&reader.ask("/audit"), &["That is for those who own this bot."]);
}

#[test]
fn a_text_is_erased_for_good_and_the_chain_still_verifies() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    owner.records("/event one 2026-01-01 | Zeffirino Rossi did it.");
    owner.records("/correct one#2 | Zeffirino Rossi, of the town, did it. | where from");
    says(&owner.ask("/history one#2"), &["Corrected", "by ", "What changed: where from", "of the town"]);
    let mod_ = Person::new(&town, "discord:2");
    owner.ask("/moderators add discord:2");
    says(&mod_.ask("/redact one#2 | a private person"), &["That is for those who own this bot."]);
    let warned = owner.ask("/redact one#2 | a private person");
    says(&warned, &["one#2 will be erased for good", "2 lines of the record and 2 of its drafts", "| yes"]);
    says(&owner.ask("/timeline one"), &["Zeffirino"]);
    says(
        &owner.ask("/redact one#2 | a private person | yes"),
        &["The text of one#2 is erased", "None of my daily backups holds it."],
    );
    says(&owner.ask("/redact one#2 | a private person | yes"), &["its text was erased"]);
    for line in ["/timeline one", "/history one", "/search Zeffirino", "/new", "/latest one"] {
        silent_on(&owner.ask(line).replace("“Zeffirino”", ""), &["Zeffirino"]);
    }
    says(&owner.ask("/audit"), &["telegram:1 erased the text of one#2: a private person"]);
    assert!(town.store().verify().unwrap().is_good());
    town.store().sync().unwrap();
    let journal = std::fs::read_dir(town.dir().join("journal")).unwrap();
    for file in journal.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("Zeffirino"), "{}", file.display());
    }
    says(&owner.ask("/redact one#1 | x"), &["The entry that opens an incident cannot be erased"]);
}

#[test]
fn whoever_wishes_it_is_forgotten() {
    let town = owned();
    let owner = Person::new(&town, "telegram:1");
    owner.records("/open one | One");
    let reader = Person::new(&town, "discord:9");
    reader.ask("/lang it");
    reader.ask("/new");
    reader.ask("/suggest one | The portal answers again.");
    reader.ask("/audit");
    let address = Address("discord:9".to_owned());
    let view = town.store().view();
    assert!(view.refused(&address).unwrap().is_some() && view.looked(&address).unwrap().is_some());
    assert_eq!(view.suggestions().unwrap().len(), 1);
    reader.ask("/subscribe one");
    let keeper = || town.store().view().channel_at(&address).unwrap().map(|(_, channel)| channel.by);
    assert_eq!(keeper(), Some(Some(address.clone())));
    says(&reader.ask("/forget telegram:1"), &["I forget only whoever asks for it"]);
    says(&reader.ask("/forget me"), &["Done: your choices"]);
    let view = town.store().view();
    assert!(view.refused(&address).unwrap().is_none() && view.looked(&address).unwrap().is_none());
    assert!(view.choice(&address).unwrap().lang.is_none() && view.suggestions().unwrap().is_empty());
    assert!(view.traces_of_person(&address).unwrap().is_empty());
    assert_eq!(keeper(), Some(None), "the chat still follows it, and nobody is named");
    says(&reader.ask("/forget me"), &["I keep nothing about you."]);
    says(&owner.ask("/forget me"), &["Have an owner remove you first"]);
    says(&owner.ask("/audit"), &["somebody had themself forgotten"]);
    assert!(town.store().verify().unwrap().is_good());
    // Folded anew from what is left, it is the same.
    let sled = town.dir().join("sled");
    let town = town.reopened_after(&[], || std::fs::remove_dir_all(sled).unwrap());
    let view = town.store().view();
    let (number, channel) = view.channel_at(&address).unwrap().unwrap();
    assert_eq!((number, channel.by, channel.subscriptions.len()), (1, None, 1));
    assert!(view.traces_of_person(&address).unwrap().is_empty());
}
