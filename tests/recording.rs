//! Stories: those who keep the record draft, look, publish, put right and take back.

use commands::kit::{Ask, Caller, House, Place, Role};
use record::{
    entry::{Importance, Kind, Level, Ref, Said},
    lang::Lang,
    party::{Capacity, Party},
    private::{Address, AskKey},
    reply::Reply,
    view::{Entry, Incident},
};
use strillone::{
    console::{Look, Session, dress},
    control::Link,
};

use crate::town::{Town, ask, at, says, silent_on};

/// Somebody who keeps the record, at the console.
pub struct Keeper {
    session: Session,
    lang: Lang,
}

impl Keeper {
    pub fn of(town: &Town) -> Keeper {
        Keeper::speaking(town, Lang::En)
    }

    pub fn speaking(town: &Town, lang: Lang) -> Keeper {
        Keeper { session: Session::new(Link::Here(town.desk.clone()), Role::Owner, lang), lang }
    }

    pub fn ask(&mut self, line: &str) -> String {
        ask(&mut self.session, self.lang, line)
    }

    /// Drafts and publishes.
    pub fn record(&mut self, line: &str) -> String {
        let preview = self.ask(line);
        self.ask(&button(&preview, "/publish"))
    }
}

/// The first line behind a button that begins so.
#[track_caller]
pub fn button(answer: &str, command: &str) -> String {
    let line = answer.lines().find_map(|line| line.find(&format!("{command} ")).map(|at| line[at..].trim().to_owned()));
    line.unwrap_or_else(|| panic!("no button for {command} in:\n{answer}"))
}

pub fn incident(town: &Town, handle: &str) -> Incident {
    town.store().view().incident(handle).unwrap().unwrap()
}

pub fn entry(town: &Town, number: u32) -> Entry {
    town.store().view().entry(&incident(town, "westpole"), number, None).unwrap().unwrap()
}

pub fn last(town: &Town) -> Entry {
    entry(town, incident(town, "westpole").last)
}

#[test]
fn an_event_is_shown_first_and_recorded_when_it_is_published() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/event west 2023-12-20T09:00 | The portal answers again. | https://example.org/news");
    says(
        &preview,
        &[
            "This is how it will be posted. Nothing is recorded until you publish it.",
            "20 December 2023, 09:00 CET",
            "The portal answers again.",
            "Source: example.org",
            "Publish  /publish ",
            "Discard  /discard ",
            "Minor  /redraft ",
            " importance:minor",
            "• Normal  /redraft ",
            " importance:normal",
        ],
    );
    assert_eq!(incident(&town, "westpole").last, 60, "a draft is no entry");
    silent_on(&town.ask("/timeline westpole"), &["The portal answers again."]);
    let done = keeper.ask(&button(&preview, "/publish"));
    says(&done, &["Recorded as westpole#62. Whoever follows westpole hears of it.", "Timeline  /timeline westpole"]);
    says(
        &town.ask("/timeline westpole"),
        &["20 December 2023, 09:00", "The portal answers again. [17]", "[17] example.org, undated"],
    );
    let (source, event) = (entry(&town, 61), entry(&town, 62));
    assert_eq!((source.said.kind(), source.importance), (Kind::Source, Importance::Minor));
    assert_eq!(event.said.sources(), [Ref::Number(61)]);
    assert_eq!((event.importance, event.dossier), (Importance::Normal, false));
    assert_eq!(event.author, source.author);
    assert_eq!(town.store().view().author(&Address("console".to_owned())).unwrap(), Some(event.author));
    let ledger = town.store().ledger();
    let first = ledger.broadcast_after(source.commit - 1).unwrap().unwrap();
    assert_eq!(first.commit, event.commit, "readers hear of the event, and not of its source too");
}

#[test]
fn a_link_that_is_known_is_cited_and_not_recorded_twice() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    keeper.record("/event westpole 2023-12-20 | One. | https://example.org/news");
    let done = keeper.record("/event westpole 2023-12-21 | Two. | HTTPS://EXAMPLE.ORG/news?utm_source=post");
    says(&done, &["Recorded as westpole#63."]);
    assert_eq!(last(&town).said.sources(), [Ref::Number(61)]);
    says(
        &keeper.ask("/source westpole https://example.org/news | Example"),
        &["That source is recorded already, as westpole#61."],
    );
}

#[test]
fn two_drafts_with_one_new_link_become_one_source() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let one = keeper.ask("/event westpole 2023-12-20 | One. | https://example.org/news");
    let two = keeper.ask("/event westpole 2023-12-21 | Two. | https://example.org/news");
    let three = keeper.ask("/source westpole https://example.org/news");
    keeper.ask(&button(&one, "/publish"));
    says(&keeper.ask(&button(&two, "/publish")), &["2 entries were recorded"]);
    says(&keeper.ask(&button(&two, "/publish")), &["Recorded as westpole#63."]);
    assert_eq!(last(&town).said.sources(), [Ref::Number(61)]);
    keeper.ask(&button(&three, "/publish"));
    says(&keeper.ask(&button(&three, "/publish")), &["recorded already, as westpole#61"]);
}

#[test]
fn a_speaker_is_found_by_any_name_or_is_somebody_by_name_or_nobody() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let mut said = |speaker: &str| {
        keeper.record(&format!("/statement westpole 2023-12-21 | {speaker} | All is well."));
        match last(&town).said {
            Said::Statement(it) => (it.speaker, it.capacity),
            other => panic!("{other:?}"),
        }
    };
    let organisation = |handle: &str| Some(Party::Organisation(handle.parse().unwrap()));
    assert_eq!(said("pa digitale"), (organisation("pa-digitale"), Capacity::Customer));
    assert_eq!(said("ACN"), (organisation("acn"), Capacity::Authority));
    assert_eq!(said("Anna  Rossi"), (Some(Party::named("Anna Rossi")), Capacity::Other));
    assert_eq!(said("AGI (stampa)"), (Some(Party::named("AGI")), Capacity::Press));
    for nobody in ["-", "unnamed", "Fonti anonime"] {
        assert_eq!(said(nobody), (None, Capacity::Unnamed));
    }
    says(&town.ask("/latest westpole"), &["21 December 2023", "Unnamed sources: All is well."]);
}

#[test]
fn a_source_is_recorded_with_what_is_known_of_it() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/source westpole https://www.example.org/a | Example | - | 2023-12-20");
    silent_on(&preview, &["/redraft"]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#61."]);
    says(&town.ask("/sources westpole"), &["[17] Example, 20 December 2023 · https://www.example.org/a"]);
    keeper.record("/source westpole https://www.example.org/b | | Its title");
    says(&town.ask("/sources westpole"), &["[18] example.org, “Its title”, undated"]);
}

#[test]
fn what_matters_is_chosen_under_the_preview() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/event westpole 2023-12-20 | The portal answers again.");
    let major = button(&preview, "/publish").replace("/publish", "/redraft") + " importance:major";
    let preview = keeper.ask(&major);
    says(&preview, &["Westpole", "· major", "Minor  /redraft", "• Major  /redraft"]);
    silent_on(&preview, &["• Normal"]);
    keeper.ask(&button(&preview, "/publish"));
    assert_eq!(last(&town).importance, Importance::Major);
    let level = keeper.ask("/event westpole 2023-12-20 | More.");
    let level = button(&level, "/publish").replace("/publish", "/redraft") + " level:silent";
    says(&keeper.ask(&level), &["Only a correction has a level."]);
    says(
        &keeper.ask(&level.replace("silent", "loud")),
        &["I do not know loud. Did you mean silent, correction or material?"],
    );
}

#[test]
fn a_correction_keeps_how_it_read_before() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    keeper.record("/event westpole 2023-12-20 | The portal answers again.");
    let preview = keeper.ask("/correct WESTPOLE#61 | Part of the portal answers again. | only part of it");
    says(
        &preview,
        &[
            "~~The portal answers again.~~",
            "Part of the portal answers again.",
            "Corrected ",
            ": only part of it",
            "Silent fix  /redraft",
            "• Correction  /redraft",
            "Material  /redraft",
            "Minor  /redraft",
            "Normal  /redraft",
        ],
    );
    silent_on(&preview, &["• Normal", "• Minor", "• Major"]);
    let redraft = button(&preview, "/publish").replace("/publish", "/redraft");
    says(&keeper.ask(&format!("{redraft} level:material")), &["• Material"]);
    let preview = keeper.ask(&format!("{redraft} importance:major"));
    says(&preview, &["• Material", "• Major"]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#62."]);
    says(
        &town.ask("/timeline westpole"),
        &["major", "Part of the portal answers again.", "Corrected ", ": only part of it"],
    );
    let corrected = entry(&town, 61);
    let to = &corrected.corrections[0].to;
    assert_eq!(
        (to.level, to.importance, corrected.importance),
        (Level::Material, Some(Importance::Major), Importance::Major)
    );
    keeper.record("/correct westpole#61 | Most of the portal answers again. | more of it");
    assert_eq!(entry(&town, 61).importance, Importance::Major, "as before, if it is not chosen");
    let history = town.ask("/history westpole#61");
    says(
        &history,
        &[
            "westpole#61 · history",
            "3 versions, newest first",
            "Corrected ",
            "westpole#63",
            "What changed: more of it",
            "Most of the portal answers again.",
            "material correction",
            "westpole#62",
            "Part of the portal answers again.",
            "Recorded ",
            "The portal answers again.",
            "Timeline  /timeline westpole",
        ],
    );
    says(
        &town.chiede("/history westpole#61"),
        &[
            "3 versioni, dalla più recente",
            "Corretta il ",
            "Che cosa cambia: more of it (in inglese)",
            "Registrata il ",
        ],
    );
    says(
        &town.ask("/history westpole"),
        &[
            "2 in all, newest first",
            "westpole#61 corrected ",
            "· westpole#63",
            "more of it",
            "westpole#61 corrected ",
            "· material correction · westpole#62",
        ],
    );
    says(&town.ask("/history westpole#14"), &["It was never changed."]);
}

#[test]
fn every_kind_of_entry_can_be_put_right() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let view = town.store().view();
    let westpole = incident(&town, "westpole");
    for kind in [
        Kind::Opening,
        Kind::Event,
        Kind::Statement,
        Kind::Claim,
        Kind::Figure,
        Kind::Source,
        Kind::Organisation,
        Kind::Status,
    ] {
        let first = view.of_kind(&westpole, kind, None).unwrap().swap_remove(0).name;
        let done = keeper.record(&format!("/correct {first} | New words. | the words"));
        says(&done, &["Recorded as westpole#"]);
        let now = entry(&town, first.number).said;
        assert_eq!(now.kind(), kind);
        assert!(format!("{now:?}").contains("New words."), "{now:?}");
        says(&town.ask(&format!("/history {first}")), &["2 versions", "What changed: the words"]);
    }
}

#[test]
fn a_retraction_is_final() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    keeper.record("/event westpole 2023-12-20 | The portal answers again.");
    let preview = keeper.ask("/retract west#61 | it was another portal");
    says(&preview, &["~~The portal answers again.~~", "Retracted ", ": it was another portal"]);
    silent_on(&preview, &["/redraft"]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#62."]);
    says(&town.ask("/timeline westpole"), &["~~The portal answers again.~~", "Retracted ", "it was another portal"]);
    says(&town.ask("/history westpole#61"), &["2 versions", "Retracted ", "it was another portal", "Recorded "]);
    for line in ["/correct westpole#61 | x | y", "/retract westpole#61 | y"] {
        says(
            &keeper.ask(line),
            &["westpole#61 was retracted by westpole#62, and stays as it is.", "/history westpole#61"],
        );
    }
    says(&keeper.ask("/correct westpole#62 | x | y"), &["westpole#62 itself changes an earlier entry", "westpole#61"]);
    says(&keeper.ask("/retract westpole#1 | y"), &["westpole#1 opens its incident and cannot be retracted."]);
}

#[test]
fn an_incident_is_opened_with_its_own_clock() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    keeper.ask("/timezone Europe/London");
    let preview = keeper.ask("/open acme-2026 | Outage at Acme");
    says(&preview, &["This is how it will be posted.", "Outage at Acme"]);
    assert!(town.store().view().incident("acme-2026").unwrap().is_none());
    let twin = keeper.ask("/open acme-2026 | The same");
    says(&Keeper::of(&town).ask(&button(&preview, "/publish")), &["Recorded as acme-2026#1."]);
    let opened = incident(&town, "acme-2026");
    assert_eq!((opened.opening.title.plain(Lang::En), opened.zone().name()), ("Outage at Acme", "Europe/London"));
    says(&keeper.ask(&button(&twin, "/publish")), &["acme-2026 is the handle of another incident."]);
    for (line, words) in [
        ("/open acme-2026 | x", "acme-2026 is the handle of another incident."),
        ("/open ALL! | x", "ALL! cannot be a handle."),
        ("/open all | x", "all means every incident."),
        ("/open b | ", "Something is missing: title"),
    ] {
        says(&keeper.ask(line), &[words]);
    }
    says(&keeper.record("/event acme 2026-01-02T10:00 | It began."), &["Recorded as acme-2026#2."]);
}

#[test]
fn publishing_twice_records_once() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/event westpole 2023-12-20 | The portal answers again.");
    let publish = button(&preview, "/publish");
    says(&keeper.ask(&publish), &["Recorded as westpole#61."]);
    let head = town.store().head().commit;
    for again in [
        publish.clone(),
        publish.replace("publish", "discard"),
        publish.replace("publish", "redraft") + " importance:minor",
    ] {
        says(&keeper.ask(&again), &["This was published already, as westpole#61.", "/timeline westpole"]);
    }
    assert_eq!(town.store().head().commit, head);
    let preview = keeper.ask("/event westpole 2023-12-20 | Never mind.");
    says(&keeper.ask(&button(&preview, "/discard")), &["Discarded; nothing was recorded."]);
    for again in ["/publish", "/discard"] {
        let again = button(&preview, again);
        says(&keeper.ask(&again), &["This was discarded already; nothing was recorded."]);
    }
    says(&keeper.ask("/publish 9999999"), &["There is no draft 9999999."]);
    says(&keeper.ask("/publish 1"), &["There is no draft 1."]);
    says(&keeper.ask("/publish x"), &["A draft has a number, and this is none: x."]);
    assert_eq!(incident(&town, "westpole").last, 61);
}

#[test]
fn many_who_publish_at_once_record_once() {
    let town = Town::westpole();
    let preview =
        Keeper::of(&town).ask("/event westpole 2023-12-20 | The portal answers again. | https://example.org/x");
    let publish = button(&preview, "/publish");
    let answers: Vec<String> = std::thread::scope(|scope| {
        let press = |number: usize| {
            let (town, publish) = (&town, &publish);
            scope.spawn(move || said(&by(town, &format!("telegram:{number}"), None, publish)))
        };
        let presses: Vec<_> = (0..8).map(press).collect();
        presses.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let count = |words: &str| answers.iter().filter(|it| it.contains(words)).count();
    assert_eq!(count("Recorded as westpole#62."), 1, "{answers:#?}");
    assert_eq!(count("This was published already, as westpole#62."), 7, "{answers:#?}");
    assert_eq!(incident(&town, "westpole").last, 62);
}

#[test]
fn a_draft_is_edited_by_its_line_and_the_old_one_leads_on() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let old = keeper.ask("/event westpole 2023-12-20T09:00 | Al \"is\" well. | https://example.org/a");
    says(&old, &["Publish  /publish ", "Edit  >/edit ", "Discard  /discard "]);
    let shown = keeper.ask(&button(&old, "/edit"));
    says(&shown, &["Copy this line"]);
    let line = button(&shown, "/edit");
    says(
        &line,
        &["incident:westpole when:2023-12-20T09:00 text:\"Al \\\"is\\\" well.\" link:\"https://example.org/a\""],
    );
    assert_eq!(button(&keeper.ask(&line), "/publish"), button(&old, "/publish"), "nothing was changed");
    let new = keeper.ask(&line.replace("Al ", "All ").replace("\"https://example.org/a\"", "-"));
    says(&new, &["All \"is\" well."]);
    silent_on(&new, &["example.org"]);
    for command in ["/publish", "/discard", "/edit"] {
        let next = button(&new, "/publish").replace("/publish ", "");
        let late = keeper.ask(&button(&old, command));
        says(
            &late,
            &[&format!("This draft was changed meanwhile, and goes on as draft {next}."), "Show it  /redraft "],
        );
        says(&keeper.ask(&button(&late, "/redraft")), &["All \"is\" well."]);
    }
    says(&keeper.ask(&format!("{} The portal is up: today.", button(&new, "/edit"))), &["The portal is up: today."]);
    says(&keeper.ask(&format!("{} text:late", button(&new, "/edit"))), &["This draft was changed meanwhile"]);
    let other = keeper.ask("/retract westpole#60 | twice");
    let edit = button(&other, "/edit");
    says(&keeper.ask(&format!("{edit} speaker:ACN")), &["A draft of /retract has no speaker. It has entry, why."]);
    says(&keeper.ask(&format!("{edit} entry:westpole#9999")), &["There is no entry westpole#9999"]);
    let other = keeper.ask(&format!("{edit} why:\"three times\""));
    says(&keeper.ask(&button(&other, "/publish")), &["Recorded as westpole#61."]);
    says(&keeper.ask(&button(&other, "/edit")), &["This was published already, as westpole#61."]);
}

#[test]
fn of_two_corrections_the_second_must_look_again() {
    let town = Town::westpole();
    let (mut anna, mut bruno) = (Keeper::of(&town), Keeper::speaking(&town, Lang::It));
    anna.record("/event westpole 2023-12-20 | The portal answers again.");
    let annas = anna.ask("/correct westpole#61 | All of it answers. | all of it");
    let brunos = bruno.ask("/correct westpole#61 | Ne risponde una parte. | solo una parte");
    let retraction = bruno.ask("/retract westpole#61 | un altro portale");
    says(&anna.ask(&button(&annas, "/publish")), &["Recorded as westpole#62."]);
    says(
        &bruno.ask(&button(&brunos, "/publish")),
        &["Nel frattempo qualcuno ha modificato westpole#61 con westpole#62", "/history westpole#61"],
    );
    says(&bruno.ask(&button(&retraction, "/publish")), &["westpole#62"]);
    says(
        &anna.ask(&button(&retraction, "/publish")),
        &["Somebody changed westpole#61 meanwhile, with westpole#62: /history westpole#61 shows"],
    );
    assert_eq!(incident(&town, "westpole").last, 62);
    says(
        &bruno.record("/correct westpole#61 | Ne risponde una parte. | solo una parte"),
        &["Registrato come westpole#63."],
    );
}

#[test]
fn an_update_that_comes_twice_makes_one_draft() {
    let town = Town::westpole();
    let line = "/event westpole 2023-12-20 | The portal answers again.";
    let first = by(&town, "telegram:7", Some("1"), line);
    let head = town.store().head().commit;
    assert_eq!(said(&by(&town, "telegram:7", Some("1"), line)), said(&first));
    assert_eq!(town.store().head().commit, head);
    let publish = button(&said(&first), "/publish");
    by(&town, "discord:8", Some("2"), &publish);
    says(&said(&by(&town, "telegram:7", Some("1"), line)), &["This was published already, as westpole#61."]);
    let view = town.store().view();
    let author = |who: &str| view.author(&Address(who.to_owned())).unwrap();
    assert_eq!(author("discord:8"), Some(last(&town).author), "whoever publishes it answers for it");
    assert_eq!(author("telegram:7"), None);
}

#[test]
fn what_cannot_be_recorded_is_told_and_changes_nothing() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let head = town.store().head().commit;
    let long = "x".repeat(6_001);
    let cases: &[(&str, &[&str])] = &[
        ("/event nowhere 2023 | x", &["I know no incident called nowhere"]),
        ("/event westpole soonish | x", &["I do not understand “soonish” in a date"]),
        ("/event westpole 2023-02-30 | x", &["There is no 2023-02-30 in the calendar."]),
        ("/event westpole 2023-12-20/2023-12-19 | x", &["ends before it begins"]),
        ("/event westpole 2023-12-20T09 | x", &["says an hour without minutes", "2023-12-20T09:00", "2023-12-20T09~"]),
        ("/event westpole 2024-03-31T02:30 | x", &["There was no 2024-03-31T02:30 in Europe/Rome"]),
        ("/event westpole 2023 | x | example", &["example is not a link I can record", "https://"]),
        ("/event westpole 2023 | x | ftp://example.org", &["is not a link I can record"]),
        ("/event westpole 2023 | x | https://agi.it@evil.example/", &["must not hold a user name"]),
        ("/event westpole 2023 | -", &["text must not be empty."]),
        ("/event westpole 2023", &["Something is missing: text", "/event incident when | text [| link]"]),
        ("/event westpole 2023 | a | b | c", &["more parts than I expect"]),
        (&format!("/event westpole 2023 | {long}"), &["text can have 6000 characters at most; this has 6001."]),
        (
            &format!("/source westpole https://a.example | {}", "x".repeat(301)),
            &["publisher can have 300 characters at most"],
        ),
        ("/correct westpole#99 | x | y", &["There is no entry westpole#99. The last one is westpole#60."]),
        ("/correct westpole | x | y", &["westpole is no entry's name", "westpole#14"]),
        ("/correct westpole#14 | x", &["Something is missing: what"]),
        ("/history westpole#0", &["There is no entry westpole#0."]),
        ("/history nowhere", &["I know no incident called nowhere"]),
    ];
    for (line, words) in cases {
        says(&keeper.ask(line), words);
    }
    let mut custode = Keeper::speaking(&town, Lang::It);
    let casi: &[(&str, &[&str])] = &[
        ("/event westpole 2023-02-30 | x", &["Nel calendario non esiste 2023-02-30."]),
        ("/event westpole 2024-03-31T02:30 | x", &["L'ora 2024-03-31T02:30 non esiste in Europe/Rome"]),
        ("/event westpole 2023 | x | esempio", &["esempio non è un link che posso registrare"]),
        ("/correct westpole#99 | x | y", &["Non c'è una voce westpole#99. L'ultima è westpole#60."]),
        ("/publish 9999999", &["Non c'è una bozza numero 9999999."]),
    ];
    for (line, words) in casi {
        says(&custode.ask(line), words);
    }
    says(&town.ask("/event westpole 2023 | x"), &["That is for those who keep the record."]);
    assert_eq!(town.store().head().commit, head);
}

#[test]
fn the_preview_speaks_the_language_of_whoever_looks() {
    let town = Town::westpole();
    let mut keeper = Keeper::speaking(&town, Lang::It);
    let preview = keeper.ask("/event westpole 2023-12-20 | Il portale risponde di nuovo.");
    says(
        &preview,
        &["Ecco come verrà pubblicato.", "Pubblica  /publish", "Scarta  /discard", "Minore", "• Normale", "Maggiore"],
    );
    let redraft = button(&preview, "/publish").replace("/publish", "/redraft");
    let again = Keeper::of(&town).ask(&redraft);
    says(&again, &["This is how it will be posted.", "Il portale risponde di nuovo. (in Italian)"]);
    says(
        &keeper.ask(&button(&preview, "/publish")),
        &["Registrato come westpole#61. Chi segue westpole ne riceve notizia.", "Cronologia"],
    );
}

/// The answer to somebody with an address, as from a door that numbers its updates.
fn by(town: &Town, who: &str, update: Option<&str>, line: &str) -> Reply {
    let key = update.map(|id| AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: id.to_owned() });
    let ask = Ask {
        line: line.to_owned(),
        caller: Caller { address: Some(Address(who.to_owned())), role: Role::Moderator, incidents: Vec::new() },
        place: Place::terminal(),
        lang: Lang::En,
        zone: None,
        at: at(),
        key,
        quoted: None,
    };
    let answer = commands::answer(town.store(), &House::default(), &ask);
    assert_eq!(answer.broke, None);
    answer.reply
}

fn said(reply: &Reply) -> String {
    dress(reply, Lang::En, &Look::plain())
}
