//! Stories: numbers, claims, organisations and states on record, what is taken back at once, and who is hit.

use chrono::{DateTime, TimeDelta, Utc};
use commands::kit::{Ask, Caller, House, Place, Role};
use record::{
    entry::{Disclosure, Importance, Kind, Ref, Said, Service},
    lang::Lang,
    party::{self, Party},
    private::{Address, AskKey},
};
use strillone::console::{Look, dress};

use crate::{
    recording::{Keeper, button, entry, incident, last},
    town::{Town, at, says, silent_on},
};

/// One Monday in the story.
fn monday() -> DateTime<Utc> {
    at() + TimeDelta::days(3)
}

/// The answer to somebody with an address, at some moment; an update's number makes it the same ask again.
fn by(town: &Town, (who, lang): (&str, Lang), update: Option<&str>, at: DateTime<Utc>, line: &str) -> String {
    let key = update.map(|id| AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: id.to_owned() });
    let ask = Ask {
        line: line.to_owned(),
        caller: Caller { address: Some(Address(who.to_owned())), role: Role::Moderator, incidents: Vec::new() },
        place: Place::terminal(),
        lang,
        zone: None,
        at,
        key,
        quoted: None,
    };
    let answer = commands::answer(town.store(), &House::default(), &ask);
    assert_eq!(answer.broke, None);
    dress(&answer.reply, lang, &Look::plain())
}

const ANNA: (&str, Lang) = ("telegram:7", Lang::En);
const BRUNO: (&str, Lang) = ("discord:8", Lang::It);

/// Drafts and publishes.
fn records(town: &Town, who: (&str, Lang), at: DateTime<Utc>, line: &str) -> String {
    let preview = by(town, who, None, at, line);
    by(town, who, None, at, &button(&preview, "/publish"))
}

/// None of these is recorded, and each is told so.
fn refused(town: &Town, lang: Lang, cases: &[(&str, &[&str])]) {
    let mut keeper = Keeper::speaking(town, lang);
    let head = town.store().head().commit;
    for (line, words) in cases {
        says(&keeper.ask(line), words);
    }
    assert_eq!(town.store().head().commit, head);
}

#[test]
fn a_number_is_recorded_with_who_said_it() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/figure west administrations hit | about 1,300 | acn | https://example.org/n");
    says(&preview, &["Figure", "administrations hit: about 1,300 — ACN", "Source: example.org", "• Normal  /redraft "]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#62."]);
    let said_by = |entry: record::view::Entry| match entry.said {
        Said::Figure(it) => (it.said_by, it.sources),
        other => panic!("{other:?}"),
    };
    assert_eq!(said_by(last(&town)), (Some(Party::Organisation("acn".parse().unwrap())), vec![Ref::Number(61)]));
    says(&town.ask("/incident westpole"), &["Figures", "administrations hit: about 1,300"]);
    let mut custode = Keeper::speaking(&town, Lang::It);
    says(
        &custode.record("/figure westpole | comuni colpiti | circa 500 | Anna  Rossi"),
        &["Registrato come westpole#63"],
    );
    assert_eq!(said_by(last(&town)), (Some(Party::named("Anna Rossi")), Vec::new()));
    custode.record("/figure westpole comuni colpiti | circa 600 | fonti anonime | https://example.org/n");
    assert_eq!(said_by(last(&town)), (None, vec![Ref::Number(61)]));
    custode.record("/figure westpole comuni colpiti | circa 700 | link:https://example.org/n");
    assert_eq!(said_by(last(&town)), (None, vec![Ref::Number(61)]));
    refused(
        &town,
        Lang::En,
        &[
            (
                "/figure westpole administrations hit",
                &["Something is missing: value", "/figure incident label | value"],
            ),
            ("/figure westpole", &["Something is missing: label"]),
            ("/figure westpole hit | ", &["Something is missing: value"]),
            ("/figure westpole hit | 3 | ACN | example", &["example is not a link I can record"]),
            ("/figure westpole hit | 3 | ACN | - | more", &["more parts than I expect"]),
        ],
    );
    refused(
        &town,
        Lang::It,
        &[
            ("/figure westpole colpiti | -", &["value non può essere vuoto."]),
            ("/figure nessuno colpiti | 3", &["Non conosco un incidente di nome nessuno"]),
        ],
    );
}

#[test]
fn a_claim_is_recorded_and_spoken_for_and_against() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/claim westpole Backups were lost. | https://example.org/n");
    says(&preview, &["Claim", "Backups were lost.", "Source: example.org"]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#62."]);
    says(
        &town.ask("/claims westpole"),
        &["5 claims", "Backups were lost — nobody has spoken of it yet · westpole#62 [17]"],
    );
    keeper.record("/statement westpole 2023-12-20 | AGI (press) | They were. | - | for:#62");
    says(&town.ask("/claims westpole"), &["Backups were lost — reported", "For: AGI (press)"]);
    let mut custode = Keeper::speaking(&town, Lang::It);
    custode.record("/statement westpole 2023-12-21 | Westpole | Non è vero. | claim:contro westpole#62");
    says(&town.chiede("/claims westpole"), &["Backups were lost — controverso", "Contro: Westpole"]);
    custode
        .record("/statement westpole 2023-12-22 | AGI (stampa) | Ci siamo sbagliati. | | ritratta: 62, a favore:#30");
    match last(&town).said {
        Said::Statement(it) => assert_eq!(it.claims.len(), 2),
        other => panic!("{other:?}"),
    }
    custode.record("/retract westpole#62 | mai detto");
    let of = entry(&town, 62);
    assert!(of.retracted.is_some() && of.said.kind() == Kind::Claim);
    refused(
        &town,
        Lang::En,
        &[
            ("/claim westpole", &["Something is missing: text", "/claim incident text [| link]"]),
            ("/statement westpole 2023 | ACN | x | - | #30", &["#30 does not say on which side", "for:#12"]),
            ("/statement westpole 2023 | ACN | x | claim:for", &["for does not say on which side"]),
            ("/statement westpole 2023 | ACN | x | claim:for:#14", &["westpole#14 is no claim", "/claims westpole"]),
            ("/statement westpole 2023 | ACN | x | claim:for:#62", &["westpole#62 is no claim"]),
            ("/statement westpole 2023 | ACN | x | claim:for:#99", &["westpole#99 is no claim"]),
            ("/statement westpole 2023 | ACN | x | claim:for:#30,against:#30", &["westpole#30 is named twice"]),
        ],
    );
    refused(
        &town,
        Lang::It,
        &[(
            "/statement westpole 2023 | ACN | x | claim:forse:#30",
            &["forse:#30 non dice da che parte sta", "contro:#12"],
        )],
    );
}

#[test]
fn an_organisation_is_recorded_with_its_roles_in_either_language() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let line = "/organisation westpole buffetti | Buffetti  S.p.A. | Customer, fornitore, customer | Sells software. | Buffetti, The Group";
    let preview = keeper.ask(line);
    says(&preview, &["Organisation", "Buffetti S.p.A. (customer, supplier): Sells software."]);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#61."]);
    match last(&town).said {
        Said::Organisation(it) => {
            assert_eq!(it.roles, [party::Role::Customer, party::Role::Supplier]);
            assert_eq!(it.aliases, ["Buffetti", "The Group"]);
        }
        other => panic!("{other:?}"),
    }
    says(&town.ask("/who the group"), &["Buffetti S.p.A."]);
    let mut custode = Keeper::speaking(&town, Lang::It);
    custode.record("/organisation westpole acme | Acme | autorità | link:https://example.org/acme");
    custode.record("/organisation westpole comune | Il Comune");
    match last(&town).said {
        Said::Organisation(it) => assert_eq!((it.roles, it.about), (vec![party::Role::Mentioned], None)),
        other => panic!("{other:?}"),
    }
    refused(
        &town,
        Lang::En,
        &[
            ("/organisation westpole new | New | boss", &["boss is no role.", "victim, supplier, customer, authority"]),
            ("/organisation westpole New! | New", &["New! cannot be a handle."]),
            ("/organisation westpole new", &["Something is missing: name"]),
            ("/organisation westpole | New", &["Something is missing: handle"]),
            ("/organisation westpole acn | ACN", &["acn is recorded already, as westpole#"]),
            ("/organisation westpole a b | New", &["I do not know what to do with b"]),
        ],
    );
    refused(
        &town,
        Lang::It,
        &[
            ("/organisation westpole nuova | Nuova | capo", &["capo non è un ruolo.", "vittima, fornitore, cliente"]),
            ("/organisation westpole acn | ACN", &["acn è già nel registro, come westpole#"]),
        ],
    );
}

#[test]
fn of_two_who_record_one_organisation_the_second_is_told() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let one = keeper.ask("/organisation westpole acme | Acme");
    let two = keeper.ask("/organisation westpole acme | ACME");
    says(&keeper.ask(&button(&one, "/publish")), &["Recorded as westpole#61."]);
    says(&keeper.ask(&button(&two, "/publish")), &["acme is recorded already, as westpole#61."]);
    assert_eq!(incident(&town, "westpole").last, 61);
}

#[test]
fn a_state_is_recorded_in_codes_or_words() {
    let town = Town::westpole();
    let state = || town.store().view().status(&incident(&town, "westpole"), None).unwrap();
    says(
        &records(&town, ANNA, monday(), "/status westpole resolved | All is back. | https://example.org/n"),
        &["Recorded as westpole#62."],
    );
    assert_eq!(state(), (Some(Service::Resolved), Some(Disclosure::Confirmed)));
    match last(&town).said {
        Said::Status(it) => assert_eq!(it.when.to_string(), "2026-01-05T04:04", "now, on the incident's clock"),
        other => panic!("{other:?}"),
    }
    let preview = by(&town, BRUNO, None, monday(), "/status westpole in corso di accertamento, controverso");
    says(&preview, &["Stato · 5 gennaio 2026, ore 04:04", "in corso di accertamento, controverso"]);
    let later = monday() + TimeDelta::hours(3);
    by(&town, BRUNO, None, later, &button(&preview, "/publish"));
    assert_eq!(state(), (Some(Service::Investigating), Some(Disclosure::Disputed)));
    match last(&town).said {
        Said::Status(it) => assert_eq!(it.when.to_string(), "2026-01-05T04:04", "as it was shown"),
        other => panic!("{other:?}"),
    }
    records(&town, ANNA, later, "/status westpole | identified | - | - | 2026-01-05");
    assert_eq!(state().0, Some(Service::Identified));
    // A day without a clock time stands after all its minutes: what is said since must count all the same.
    records(&town, ANNA, later, "/status westpole monitoring");
    assert_eq!(state().0, Some(Service::Monitoring));
    records(&town, ANNA, later + TimeDelta::days(1), "/status westpole resolved | when:2026-01-06T08:00");
    assert_eq!(state().0, Some(Service::Resolved));
    refused(
        &town,
        Lang::En,
        &[
            (
                "/status westpole broken | x",
                &["I do not know the state broken.", "investigating", "; of the incident ", "closed"],
            ),
            ("/status westpole resolved, monitoring", &["one state at a time"]),
            ("/status westpole", &["Something is missing: state"]),
            ("/status westpole resolved | x | - | soonish", &["I do not understand “soonish” in a date"]),
        ],
    );
    refused(
        &town,
        Lang::It,
        &[
            ("/status westpole rotto", &["Non conosco lo stato rotto.", "causa individuata", "; per l'incidente "]),
            ("/status westpole chiuso confermato", &["un solo stato alla volta"]),
        ],
    );
}

#[test]
fn an_incident_is_closed_once_and_can_be_opened_again() {
    let town = Town::westpole();
    let closed = || town.store().view().closed_at(&incident(&town, "westpole")).unwrap();
    let mut keeper = Keeper::of(&town);
    let preview = keeper.ask("/close west | All services are back.");
    let twin = keeper.ask("/close west");
    says(&preview, &["Status · ", "closed", "All services are back."]);
    assert_eq!(closed(), None);
    says(&keeper.ask(&button(&preview, "/publish")), &["Recorded as westpole#61."]);
    assert_eq!(closed(), Some(last(&town).recorded_at));
    says(&town.ask("/incident westpole"), &["Service: restored, being monitored · Incident: closed"]);
    let again = ["westpole is closed already, with westpole#61. /status westpole confirmed opens it again."];
    says(&keeper.ask(&button(&twin, "/publish")), &again);
    refused(&town, Lang::En, &[("/close westpole | again", &again), ("/close nowhere", &["I know no incident"])]);
    refused(
        &town,
        Lang::It,
        &[("/close westpole", &["westpole è già chiuso, con westpole#61. /status westpole confirmed lo riapre."])],
    );
    keeper.record("/status westpole confirmed");
    assert_eq!(closed(), None);
    let mut custode = Keeper::speaking(&town, Lang::It);
    says(&custode.record("/close westpole | Fine."), &["Registrato come westpole#63."]);
    assert!(closed().is_some());
}

#[test]
fn ones_own_last_entry_is_taken_back_while_it_is_fresh() {
    let town = Town::westpole();
    records(&town, ANNA, monday(), "/event westpole 2023-12-20 | The portal answers. | https://example.org/n");
    records(&town, BRUNO, monday(), "/event westpole 2023-12-21 | Altro.");
    let undone = by(&town, ANNA, Some("1"), monday() + TimeDelta::minutes(10), "/undo");
    says(
        &undone,
        &[
            "westpole#62 is taken back, with westpole#64.",
            "it is struck out.",
            "~~The portal answers.~~",
            ": recorded by mistake",
            "Its source stays, as westpole#61",
            "/retract westpole#61",
            "History  /history westpole#62",
        ],
    );
    let (subject, retraction) = (entry(&town, 62), entry(&town, 64));
    assert!(subject.retracted.is_some() && entry(&town, 63).retracted.is_none());
    assert_eq!((&retraction.author, retraction.importance), (&subject.author, Importance::Normal));
    let broadcast = town.store().ledger().broadcast_after(retraction.commit - 1).unwrap().unwrap();
    assert_eq!(broadcast.commit, retraction.commit, "whoever has it is told");
    // The same update again, and the button pressed twice.
    let head = town.store().head().commit;
    for update in [Some("1"), Some("2"), None] {
        assert_eq!(by(&town, ANNA, update, monday() + TimeDelta::minutes(11), "/undo"), undone);
    }
    assert_eq!(town.store().head().commit, head);
    says(&town.chiede("/history westpole#62"), &["Ritrattata il ", "registrata per errore"]);
    // An update that comes again after more was recorded undoes nothing new.
    records(&town, ANNA, monday() + TimeDelta::minutes(12), "/event westpole 2023-12-22 | More.");
    assert_eq!(by(&town, ANNA, Some("1"), monday() + TimeDelta::minutes(12), "/undo"), undone);
    assert!(last(&town).retracted.is_none());
}

#[test]
fn what_is_old_or_somebody_elses_is_not_undone() {
    let town = Town::westpole();
    records(&town, ANNA, monday(), "/event westpole 2023-12-20 | The portal answers.");
    let head = town.store().head().commit;
    let soon = monday() + TimeDelta::minutes(1);
    says(
        &by(&town, BRUNO, None, soon, "/undo"),
        &["Negli ultimi dieci minuti non hai registrato nulla.", "/retract westpole#14 | perché"],
    );
    let late = monday() + TimeDelta::minutes(10) + TimeDelta::milliseconds(1);
    says(&by(&town, ANNA, None, late, "/undo"), &["You have recorded nothing in the last ten minutes."]);
    assert_eq!(town.store().head().commit, head);
    says(&town.ask("/undo"), &["That is for those who keep the record."]);
    records(&town, BRUNO, soon, "/retract westpole#61 | un altro portale");
    says(&by(&town, ANNA, None, soon, "/undo"), &["westpole#61 was retracted by westpole#62, and stays as it is."]);
    says(
        &by(&town, BRUNO, None, soon, "/undo"),
        &["La tua ultima voce, westpole#62, ritira westpole#61. È definitivo", "/history westpole#61"],
    );
    assert_eq!(incident(&town, "westpole").last, 62);
}

#[test]
fn corrections_and_openings_are_not_undone() {
    let town = Town::westpole();
    records(&town, ANNA, monday(), "/correct westpole#31 | Something else. | the words");
    says(
        &by(&town, ANNA, None, monday(), "/undo"),
        &[
            "Your last entry, westpole#61, corrects westpole#31.",
            "/correct westpole#31 | … | …",
            "/history westpole#31",
        ],
    );
    records(&town, BRUNO, monday(), "/open acme | Acme");
    says(&by(&town, BRUNO, None, monday(), "/undo"), &["acme#1 apre il suo incidente e non si può ritirare."]);
    assert_eq!((incident(&town, "westpole").last, incident(&town, "acme").last), (61, 1));
}

#[test]
fn many_presses_of_undo_take_back_one_entry() {
    let town = Town::westpole();
    records(&town, ANNA, monday(), "/event westpole 2023-12-20 | One.");
    records(&town, ANNA, monday(), "/event westpole 2023-12-20 | Two.");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| by(&town, ANNA, None, monday(), "/undo"));
        }
    });
    assert_eq!(incident(&town, "westpole").last, 63);
    assert!(entry(&town, 61).retracted.is_none() && entry(&town, 62).retracted.is_some());
}

#[test]
fn who_is_hit_is_told_apart_from_who_supplies_them() {
    let town = Town::westpole();
    let page = town.ask("/affected westpole");
    says(
        &page,
        &[
            "Westpole",
            "· who is hit",
            "2 organisations hit · ",
            "Hit",
            "Westpole S.p.A. · victim, supplier",
            "An Italian IT services company",
            "Last said, ",
            "PA Digitale S.p.A. · customer, supplier",
            "A direct customer of Westpole",
        ],
    );
    says(&page, &["Westpole S.p.A.  /who westpole", "🔔 Follow Westpole S.p.A.  /subscribe org=westpole"]);
    silent_on(&page, &["ACN · authority", "LockBit ·", "Suppliers", "➡️"]);
    let mut keeper = Keeper::of(&town);
    keeper.record("/organisation westpole acme | Acme | supplier | Hosts the sites. | - | https://example.org/acme");
    for number in 1..=3 {
        keeper.record(&format!("/organisation westpole town-{number} | Town {number} | customer"));
    }
    let first = town.chiede("/affected westpole");
    says(
        &first,
        &[
            "· chi è colpito",
            "5 organizzazioni colpite · 1 fornitore · ",
            "Colpite",
            "vittima, fornitore",
            "Town 2 · cliente",
        ],
    );
    says(&first, &["🔔 Segui Town 2  /subscribe org=town-2", "➡️  /affected westpole page:2"]);
    silent_on(&first, &["Town 3", "Acme"]);
    let second = town.ask("/affected westpole 2");
    says(
        &second,
        &["Hit", "Town 3 · customer", "Suppliers", "Acme · supplier", "Hosts the sites. [17]", "[17] example.org"],
    );
    let town = Town::empty();
    Keeper::of(&town).record("/open acme | Acme");
    says(&town.ask("/affected acme"), &["0 organisations hit", "Nobody is on record as hit yet."]);
    says(&town.chiede("/affected acme"), &["Nel registro non c'è ancora nessuno tra i colpiti."]);
}

#[test]
fn a_wrong_date_is_put_right() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    keeper.record("/event westpole 2024-01-03 | The last portal answers.");
    says(
        &keeper.record("/correct westpole#61 | = | wrong day | 2 January 2024"),
        &["Recorded as westpole#62. It corrects westpole#61."],
    );
    let Said::Event(event) = entry(&town, 61).said else { panic!("an event") };
    assert_eq!(
        (event.when.to_string(), event.text.plain(Lang::En)),
        ("2024-01-02".to_owned(), "The last portal answers.")
    );
    says(&keeper.ask("/history westpole#61"), &["2 January 2024", "3 January 2024"]);
    keeper.record("/promise westpole 5 Jan 2027 18:00 | acn");
    keeper.record("/correct westpole#63 | = | they said the 6th | 6 Jan 2027 18:00");
    let Said::Statement(it) = entry(&town, 63).said else { panic!("a statement") };
    assert_eq!(it.promises.map(|by| by.to_string()).as_deref(), Some("2027-01-06T18:00"));
    says(it.gist.plain(Lang::En), &["Promised an update by 6 January 2027, 18:00"]);
    refused(
        &town,
        Lang::En,
        &[
            ("/correct westpole#61 | = | nothing", &["nothing would be corrected"]),
            ("/correct westpole#1 | = | date | 2024-01-02", &["no date that could be put right"]),
            ("/correct westpole#61 | = | date | soonish", &["soonish"]),
        ],
    );
    refused(&town, Lang::It, &[("/correct westpole#61 | = | niente", &["non si correggerebbe nulla"])]);
}
