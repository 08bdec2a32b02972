//! Stories: somebody is asked for an entry part by part, in a chat of their own.

use std::{cell::Cell, fs};

use chrono::{DateTime, TimeDelta, Utc};
use commands::kit::{Ask, Caller, House, Place, Role};
use record::{
    entry::Said,
    lang::Lang,
    private::{Address, AskKey, Bodies, Fact},
    reply::Reply,
    store::{Drafted, Set, Store},
};
use strillone::console::{Look, dress};

use crate::town::{Town, at, open, says, silent_on};

/// A moderator in a chat with the bot.
struct Anna<'a> {
    store: &'a Store,
    lang: Lang,
    asked: Cell<u32>,
    now: Cell<DateTime<Utc>>,
}

impl<'a> Anna<'a> {
    fn with(store: &'a Store) -> Anna<'a> {
        Anna { store, lang: Lang::En, asked: Cell::new(0), now: Cell::new(at()) }
    }

    fn ask_of(&self, line: &str, role: Role) -> Ask {
        let chat = Address("telegram:5".to_owned());
        let id = self.asked.get().to_string();
        Ask {
            line: line.to_owned(),
            caller: Caller { address: Some(chat.clone()), role, incidents: Vec::new() },
            place: Place { address: Some(chat.clone()), chat: Some(chat), ..Place::terminal() },
            lang: self.lang,
            zone: None,
            at: self.now.get(),
            key: Some(AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id }),
            quoted: None,
        }
    }

    /// The answer to a line.
    fn says(&self, line: &str) -> String {
        self.asked.set(self.asked.get() + 1);
        self.again(line)
    }

    /// The answer to the same update, told once more.
    fn again(&self, line: &str) -> String {
        dress(&self.reply(&self.ask_of(line, Role::Moderator)), self.lang, &Look::plain())
    }

    fn reply(&self, ask: &Ask) -> Reply {
        let answer = commands::answer(self.store, &House::default(), ask);
        assert_eq!(answer.broke, None);
        answer.reply
    }

    fn waits(&self, minutes: i64) {
        self.now.set(self.now.get() + TimeDelta::minutes(minutes));
    }
}

fn asking(store: &Store) -> Option<record::store::AskingRow> {
    store.view().asking(&Address("telegram:5".to_owned())).unwrap()
}

#[test]
fn a_dialogue_comes_to_a_draft_and_journals_each_part_once() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    let head = town.store().head().commit;
    says(
        &anna.says("/statement west 2023-12-21"),
        &[
            "speaker: Who said it",
            "?",
            "For example: PA Digitale",
            "one thing after the other. /cancel ends it",
            "Cancel  /cancel",
        ],
    );
    says(&anna.says("ACN"), &["text: What was said, in our words?"]);
    says(&anna.says("-"), &["text must not be empty.", "text: What was said"]);
    says(&anna.says("All is well."), &["link: Where it can be read", "- leaves it out."]);
    says(&anna.says("-"), &["claim: ", "- leaves it out."]);
    assert_eq!(town.store().head().commit, head + 4, "what is refused is not written");
    let row = asking(town.store()).unwrap();
    assert_eq!((row.command.as_str(), row.given["incident"].as_str()), ("statement", "westpole"));
    let preview = anna.says("-");
    says(&preview, &["This is how it will be posted.", "ACN", "All is well.", "Publish  /publish "]);
    assert_eq!(town.store().head().commit, head + 6, "the draft, and that it is over, in one set");
    assert_eq!(asking(town.store()), None);
    assert_eq!(anna.again("-"), preview, "the last answer told twice");
    assert_eq!(town.store().head().commit, head + 6);
    let publish = preview.lines().find_map(|line| line.find("/publish ").map(|at| line[at..].trim().to_owned()));
    says(&anna.says(&publish.unwrap()), &["Recorded as westpole#61."]);
}

#[test]
fn an_answer_told_twice_is_taken_once() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    anna.says("/correct westpole#14");
    says(&anna.again("/correct westpole#14"), &["text: How its text should read"]);
    says(&anna.says("New words."), &["what: What changed"]);
    says(&anna.again("New words."), &["what: What changed"]);
    assert_eq!(asking(town.store()).unwrap().given.len(), 2);
    says(&anna.says("the words"), &["when: Its date, if that was wrong"]);
    says(&anna.says("-"), &["This is how it will be posted.", "New words.", "Corrected "]);
}

#[test]
fn every_command_that_records_can_be_asked_for() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    for (line, answers) in [
        ("/event", &["westpole", "2023-12", "It happened.", "-"][..]),
        ("/statement", &["westpole", "2023-12-20", "-", "It happened.", "https://a.example", "-"]),
        ("/source", &["westpole", "https://b.example", "-", "Its title", "2023"]),
        ("/correct", &["westpole#14", "New words.", "the words", "-"]),
        ("/retract", &["westpole#14", "not so"]),
        ("/open", &["acme", "Outage at Acme"]),
    ] {
        let mut said = anna.says(line);
        for answer in answers {
            says(&said, &["?"]);
            said = anna.says(answer);
        }
        says(&said, &["This is how it will be posted."]);
        assert_eq!(asking(town.store()), None, "{line}");
    }
}

#[test]
fn what_does_not_fit_is_asked_again_where_it_was_given() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    let head = town.store().head().commit;
    for (line, words) in [
        ("/event nowhere", "I know no incident called nowhere"),
        ("/event westpole soonish", "I do not understand “soonish” in a date"),
        ("/retract westpole#1", "opens its incident and cannot be retracted"),
    ] {
        says(&anna.says(line), &[words]);
    }
    assert_eq!(town.store().head().commit, head, "nothing is begun with what does not fit");
    anna.says("/event westpole");
    for (answer, words) in [
        ("soonish", "I do not understand “soonish” in a date"),
        ("2023-02-30", "There is no 2023-02-30 in the calendar."),
        ("2024-03-31T02:30", "There was no 2024-03-31T02:30 in Europe/Rome"),
        ("timeline westpole", "in a date"),
    ] {
        says(&anna.says(answer), &[words, "when: When it happened", "For example: 2023-12-20T09:00"]);
    }
    says(&anna.says("2023-12"), &["text: What happened?"]);
    anna.says("/open");
    says(&anna.says("westpole"), &["westpole is the handle of another incident", "handle: The short name"]);
    says(&anna.says("acme"), &["title: Its title?"]);
}

#[test]
fn it_is_over_after_half_an_hour_and_says_so_once() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    anna.says("/event westpole");
    anna.waits(30);
    says(&anna.says("2023-12-20"), &["text: What happened?"]);
    anna.waits(31);
    let late = anna.says("It happened.");
    says(&late, &["I answer to commands", "What you had begun with /event is over: I had no answer for 30 minutes."]);
    assert_eq!(asking(town.store()), None);
    silent_on(&anna.says("It happened."), &["is over"]);
    let now = Cell::new(anna.now.get());
    let anna = Anna { lang: Lang::It, asked: Cell::new(100), now, ..Anna::with(town.store()) };
    anna.says("/event westpole");
    anna.waits(31);
    says(&anna.says("/timeline westpole"), &["Westpole"]);
    says(
        &anna.says("timeline westpole"),
        &["Westpole", "Quello che avevi cominciato con /event è scaduto: non ho avuto risposta per 30 minuti."],
    );
}

#[test]
fn looking_something_up_leaves_it_and_recording_ends_it() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    anna.says("/event westpole");
    says(&anna.says("/timeline westpole"), &["1–8 of"]);
    says(&anna.says("/privacy"), &["what you answered to my questions so far"]);
    says(&anna.says("2023-12-20"), &["text: What happened?"]);
    says(&anna.says("/retract westpole#14"), &["why: Why"]);
    says(&anna.says("a mistake"), &["This is how it will be posted."]);
    anna.says("/event westpole");
    says(&anna.says("/event westpole 2023-12-20 | It happened."), &["This is how it will be posted."]);
    assert_eq!(asking(town.store()), None);
    says(&anna.says("/cancel"), &["There is nothing to cancel"]);
    anna.says("/event westpole");
    says(&anna.says("/annulla"), &["Cancelled; nothing was recorded."]);
    says(&anna.again("/annulla"), &["Cancelled; nothing was recorded."]);
    says(&anna.says("2023"), &["I answer to commands", "/help"]);
}

#[test]
fn nobody_else_is_asked_back() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    let reader = anna.ask_of("/event westpole", Role::Reader);
    says(&dress(&anna.reply(&reader), Lang::En, &Look::plain()), &["for those who keep the record"]);
    let here = anna.ask_of("/event westpole", Role::Moderator);
    let others = [
        Place { shared: true, ..here.place.clone() },
        Place { kind: record::channel::PlaceKind::Topic, ..here.place.clone() },
        Place { chat: Some(Address("discord:7".to_owned())), ..here.place.clone() },
        Place::terminal(),
    ];
    for place in others {
        let ask = Ask { place, key: None, ..here.clone() };
        says(&dress(&anna.reply(&ask), Lang::En, &Look::plain()), &["Something is missing: when"]);
    }
    anna.says("/event westpole");
    let reader = Ask { line: "2023-12-20".to_owned(), ..anna.ask_of("2023-12-20", Role::Reader) };
    says(&dress(&anna.reply(&reader), Lang::En, &Look::plain()), &["I answer to commands"]);
}

#[test]
fn it_outlives_a_fold_anew_and_can_be_erased() {
    let town = Town::westpole();
    let anna = Anna::with(town.store());
    anna.says("/event westpole");
    let begun = town.store().head().commit;
    anna.says("2023-12-20");
    let row = asking(town.store());
    assert!(row.is_some());
    let anew = |what: &str| {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("journal")).unwrap();
        for item in fs::read_dir(town.dir().join("journal")).unwrap() {
            let path = item.unwrap().path();
            fs::copy(&path, scratch.path().join("journal").join(path.file_name().unwrap())).unwrap();
        }
        let store = open(scratch.path());
        assert!(store.verify().unwrap().is_good(), "{what}");
        (store, scratch)
    };
    let (store, _scratch) = anew("as it is");
    assert_eq!(asking(&store), row);
    let anna = Anna { asked: Cell::new(50), ..Anna::with(&store) };
    says(&anna.says("It happened."), &["link: Where it can be read"]);
    says(&anna.says("-"), &["This is how it will be posted.", "20 December 2023", "It happened."]);

    let commits = vec![begun, begun + 1];
    let fact = Fact::Erasure { commits, bodies: Bodies::Private, why: "by wish".to_owned(), by: None };
    let said = vec![Drafted::Fact(fact)];
    town.store().say(Set { ask: None, expects: Vec::new(), said, at: at() }).unwrap();
    let (store, _scratch) = anew("erased");
    assert_eq!(asking(&store), None);
}

#[test]
fn what_was_asked_is_recorded_as_it_was_answered() {
    let town = Town::westpole();
    let anna = Anna { lang: Lang::It, ..Anna::with(town.store()) };
    anna.says("/event westpole");
    anna.says("2023-12-20T09:00~");
    anna.says("incident:altro | \"testo\"");
    let preview = anna.says("-");
    let publish = preview.lines().find_map(|line| line.find("/publish ").map(|at| line[at..].trim().to_owned()));
    anna.says(&publish.unwrap());
    let view = town.store().view();
    let incident = view.incident("westpole").unwrap().unwrap();
    let Said::Event(event) = view.entry(&incident, incident.last, None).unwrap().unwrap().said else { panic!() };
    assert_eq!(event.text.plain(Lang::It), "incident:altro | \"testo\"");
    assert_eq!((event.when.to_string().as_str(), event.sources.len()), ("2023-12-20T09:00~", 0));
}
