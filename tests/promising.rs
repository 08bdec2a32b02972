//! Stories: an update is promised, is late, is told of, and comes.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use commands::kit::{Ask, Caller, Place};
use record::{entry::Said, export, lang::Lang, outbox::Outcome, private::Address, reply::Reply, subscription::Follow};
use strillone::{
    console::{Look, dress},
    desk::Desk,
    dispatch::{
        errand::{Errand, Order},
        office::{Happened, Office, Rules, Unsure},
        pace::{Budget, Clock, Limits, Pace},
    },
};

use crate::town::{Town, at, says, silent_on};

/// One incident whose supplier has spoken once, on 30 December.
const FLOOD: &str = r#"
[[incident]]
handle = "flood"
title.en = "Flood"
title.it = "Alluvione"
zone = "Europe/Rome"

[[incident.organisation]]
handle = "acme"
name = "Acme"
roles = ["supplier"]

[[incident.statement]]
key = "first"
speaker = "acme"
capacity = "supplier"
date = "2025-12-30"
gist.en = "We are looking into it."
gist.it = "Stiamo verificando."
"#;

fn flood() -> Town {
    let town = Town::set(&[("STRILLONE_MODERATION__OWNERS", r#"["telegram:1"]"#)]);
    town.import(FLOOD);
    town
}

/// Whoever keeps the record, some hours after the usual moment: 2 January 2026, 04:04 in Rome.
fn reply(town: &Town, lang: Lang, hours: i64, who: &str, line: &str) -> Reply {
    let address = Some(Address(who.to_owned()));
    let (role, incidents) = town.desk.role(address.as_ref());
    let chat = address.clone();
    town.desk.answer(&Ask {
        line: line.to_owned(),
        caller: Caller { address, role, incidents },
        place: Place { address: chat.clone(), chat, ..Place::terminal() },
        lang,
        zone: None,
        at: later(hours),
        key: None,
        quoted: None,
    })
}

fn ask(town: &Town, lang: Lang, hours: i64, line: &str) -> String {
    dress(&reply(town, lang, hours, "telegram:1", line), lang, &Look::plain())
}

/// Drafts and publishes.
fn records(town: &Town, hours: i64, line: &str) -> String {
    let preview = reply(town, Lang::En, hours, "telegram:1", line);
    let publish = preview.buttons.iter().flatten().find(|button| button.line.starts_with("/publish"));
    let publish = publish.unwrap_or_else(|| panic!("nothing to publish in {preview:#?}"));
    ask(town, Lang::En, hours, &publish.line)
}

fn later(hours: i64) -> DateTime<Utc> {
    at() + TimeDelta::hours(hours)
}

const DAY: i64 = 24;

#[test]
fn what_is_promised_shows_until_it_comes_and_how_late_it_is() {
    let town = flood();
    says(&ask(&town, Lang::En, 0, "/incident flood"), &["Last official statement 3 days ago."]);
    let preview = ask(&town, Lang::En, 0, "/promise flood 5 January 18:00 | Acme | https://example.org/news");
    says(&preview, &["Acme", "Promised an update by 5 January 2026, 18:00 (Europe/Rome).", "example.org"]);
    says(&records(&town, 0, "/promise flood 5 January 18:00 | Acme | https://example.org/news"), &["flood#5"]);
    let view = town.store().view();
    let incident = view.incident("flood").unwrap().unwrap();
    let Said::Statement(said) = view.entry(&incident, 5, None).unwrap().unwrap().said else { panic!("a statement") };
    assert_eq!(said.promises.map(|by| by.to_string()).as_deref(), Some("2026-01-05T18:00"));
    says(
        &ask(&town, Lang::En, 0, "/latest flood"),
        &["Acme (supplier)", "Promised an update by 5 January 2026, 18:00"],
    );
    says(
        &ask(&town, Lang::It, 0, "/latest flood"),
        &["Ha promesso un aggiornamento entro le 18:00 del 5 gennaio 2026"],
    );

    let card = |lang, hours| ask(&town, lang, hours, "/incident flood");
    says(&card(Lang::En, DAY), &["Last official statement 1 day ago; update promised by 5 January 2026, 18:00."]);
    says(
        &card(Lang::It, DAY),
        &["Ultima dichiarazione ufficiale 1 giorno fa; aggiornamento promesso entro le 18:00 del 5 gennaio 2026."],
    );
    says(&card(Lang::En, 3 * DAY + 16), &["promised update overdue 2 hours."]);
    says(&card(Lang::En, 9 * DAY), &["Last official statement 9 days ago; promised update overdue 5 days."]);
    says(
        &card(Lang::It, 9 * DAY),
        &["Ultima dichiarazione ufficiale 9 giorni fa; aggiornamento promesso in ritardo di 5 giorni."],
    );
    says(&card(Lang::It, 4 * DAY + 15), &["in ritardo di 1 giorno."]);

    records(&town, 9 * DAY, "/statement flood 2026-01-10 | AGI (press) | Acme still says nothing.");
    says(&card(Lang::En, 9 * DAY), &["promised update overdue 5 days."]);
    records(&town, 9 * DAY, "/statement flood 2026-01-11 | Acme | All is dry again.");
    says(&card(Lang::En, 9 * DAY), &["Last official statement today."]);
    silent_on(&card(Lang::En, 9 * DAY), &["overdue"]);
    records(&town, 9 * DAY, "/promise flood 2026-01-20");
    says(&card(Lang::En, 9 * DAY), &["update promised by 20 January 2026."]);
    records(&town, 9 * DAY, "/close flood");
    silent_on(&card(Lang::En, 30 * DAY), &["official statement", "promised update"]);
}

#[test]
fn a_promise_is_for_a_time_to_come_and_a_draft_of_one_can_be_changed() {
    let town = flood();
    let asked = |lang, line: &str| ask(&town, lang, 0, line);
    says(&asked(Lang::En, "/promise flood 2025-12-24"), &["24 December 2025 is past already", "a time to come"]);
    says(&asked(Lang::It, "/promise flood 2025-12-24"), &["24 dicembre 2025 è già passato"]);
    says(&asked(Lang::En, "/promise flood 2026-02-01/.."), &["needs a time by which it is due"]);
    says(&asked(Lang::En, "/promise flood soonish"), &["soonish"]);
    says(&asked(Lang::It, "/promise flood entro venerdì | -"), &["Ha promesso un aggiornamento entro"]);
    let preview = reply(&town, Lang::En, 0, "telegram:1", "/promise flood 5 January");
    let publish = preview.buttons.iter().flatten().find(|button| button.line.starts_with("/publish")).unwrap();
    let number = publish.line.split(' ').nth(1).unwrap();
    says(&asked(Lang::En, &format!("/edit {number} when:\"7 January\" who:Acme")), &["Acme", "by 7 January 2026."]);
    // What was due before it was published was promised all the same.
    let preview = reply(&town, Lang::En, 0, "telegram:1", "/promise flood tomorrow");
    let publish = preview.buttons.iter().flatten().find(|button| button.line.starts_with("/publish")).unwrap();
    says(&ask(&town, Lang::En, 9 * DAY, &publish.line), &["flood#"]);
    says(&ask(&town, Lang::En, 9 * DAY, "/incident flood"), &["promised update overdue 8 days."]);
}

#[test]
fn a_promise_goes_through_a_dossier_and_back() {
    let promised = FLOOD.replace("date = \"2025-12-30\"", "date = \"2025-12-30\"\npromises = \"2026-01-05T18:00\"");
    let town = Town::with(&promised);
    let exported = |town: &Town| {
        let view = town.store().view();
        let mut out = Vec::new();
        export::toml(&view, &view.incidents().unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let text = exported(&town);
    says(&text, &["promises = \"2026-01-05T18:00\""]);
    assert_eq!(exported(&Town::with(&text)), text);
    let other = promised.replace("2026-01-05T18:00", "2026-01-06");
    assert_eq!(town.import(&other).corrected, 1, "another date is a correction");
    let endless = promised.replace("2026-01-05T18:00", "2026-01-05/..");
    let fault = Desk::read_dossier("flood.toml", &endless).unwrap_err().to_string();
    says(&fault, &["\"promises\" has an end"]);
}

#[test]
fn who_decides_is_reminded_once_in_their_own_language() {
    let town = flood();
    let owner = |line: &str| ask(&town, Lang::En, 0, line);
    owner("/moderators add telegram:2 moderator");
    owner("/moderators add discord:3 moderator incidents:flood");
    owner("/moderators add telegram:4 contributor");
    reply(&town, Lang::It, 0, "telegram:2", "/lang it");
    records(&town, 0, "/promise flood 2026-01-05T18:00 | Acme");
    assert_eq!(town.desk.remind(later(3 * DAY)).unwrap(), 0, "not due");
    assert_eq!(town.desk.remind(later(4 * DAY)).unwrap(), 1);
    let told = town.letters();
    let whom: Vec<&str> = told.iter().map(|letter| letter.to.0.as_str()).collect();
    assert_eq!(whom.len(), 3, "{whom:?}");
    for (who, words) in [
        ("telegram:1", "The update that Acme promised by 5 January 2026, 18:00 (Europe/Rome) has not come."),
        ("telegram:2", "L'aggiornamento che Acme aveva promesso entro le 18:00 del 5 gennaio 2026 (Europe/Rome) non è"),
        ("discord:3", "The update that Acme promised"),
    ] {
        let letter = told.iter().find(|letter| letter.to.0 == who).unwrap_or_else(|| panic!("{who} in {whom:?}"));
        says(&dress(&letter.reply, Lang::En, &Look::plain()), &[words, "/statement flood"]);
        let lines: Vec<&str> = letter.reply.buttons.iter().flatten().map(|button| button.line.as_str()).collect();
        assert_eq!(lines, ["/incident flood", "/help statement"]);
    }
    assert_eq!(town.desk.remind(later(5 * DAY)).unwrap(), 0, "once");
    assert!(town.letters().is_empty());
    // A new promise that lapses is another lapse.
    records(&town, 5 * DAY, "/promise flood 2026-01-08 | Acme");
    assert_eq!(town.desk.remind(later(7 * DAY)).unwrap(), 1);
    records(&town, 7 * DAY, "/promise flood 2026-01-10 | Acme");
    records(&town, 7 * DAY, "/close flood");
    assert_eq!(town.desk.remind(later(30 * DAY)).unwrap(), 0, "nothing more is expected");
}

/// What dispatch hands out, everything arriving at once.
fn delivered(office: &mut Office, now: i64, first: Vec<Happened>) -> Vec<Order> {
    let (mut happened, mut all, mut id) = (first, Vec::new(), 0);
    for turn in 0..40 {
        let now = now + turn * 100;
        let done = office.turn(now, std::mem::take(&mut happened));
        assert!(done.failed.is_none(), "{:?}", done.failed);
        for placed in done.orders {
            id += 1;
            happened.push(Happened::Came(placed.id, Outcome::Done { id: Some(id), more: false }, now));
            all.push(placed.order);
        }
    }
    all
}

#[test]
fn channels_that_asked_for_it_hear_of_a_lapse_once() {
    let town = flood();
    let follow = |who: &str, line: &str| dress(&reply(&town, Lang::It, 0, who, line), Lang::It, &Look::plain());
    says(
        &follow("telegram:7", "/subscribe flood lapses:yes"),
        &["anche quando un aggiornamento promesso è in ritardo"],
    );
    says(&follow("telegram:7", "/subscriptions export"), &["flood lapses:yes"]);
    follow("telegram:8", "/subscribe flood");
    let kept = town.store().view().channel_at(&Address("telegram:7".to_owned())).unwrap().unwrap().1;
    let follows: Vec<Follow> = kept.subscriptions.into_iter().map(|it| it.follow).collect();
    assert!(follows.iter().all(|it| it.lapses));
    records(&town, 0, "/promise flood 2026-01-05T18:00 | Acme");
    let (clock, from) = (Clock::start(), at().timestamp_millis());
    let paces = [Limits::telegram(30, 20), Limits::discord(50, 2_000)].map(|limits| {
        let pace = Pace::new(limits, clock);
        *pace.budget() = Budget::new(limits, from);
        Arc::new(pace)
    });
    let rules = Rules {
        zone: Tz::UTC,
        unsure: Unsure::Repeat,
        telegram_in_flight: 8,
        discord_in_flight: 8,
        keep: 30 * 24 * 3_600_000,
    };
    let (mut office, _) =
        Office::open(Arc::clone(town.desk.store()), rules, paces, Utc::now().timestamp_millis()).unwrap();
    let posts =
        delivered(&mut office, later(1).timestamp_millis(), vec![Happened::Open(record::channel::Network::Telegram)]);
    assert_eq!(posts.len(), 2, "both hear of the promise");
    assert_eq!(town.desk.remind(later(4 * DAY)).unwrap(), 1);
    let posts = delivered(&mut office, later(4 * DAY).timestamp_millis(), Vec::new());
    let whom: Vec<&str> = posts.iter().map(|order| order.to.0.as_str()).collect();
    assert_eq!(whom, ["telegram:7"], "only who asked");
    let Errand::Post(post) = &posts[0].errand else { panic!("a post") };
    says(
        &dress(&post.reply, Lang::It, &Look::plain()),
        &["Alluvione", "L'aggiornamento che Acme aveva promesso entro le", "non è arrivato."],
    );
    assert!(delivered(&mut office, later(5 * DAY).timestamp_millis(), Vec::new()).is_empty(), "once");
    assert!(town.store().verify().unwrap().faults.is_empty());
}
