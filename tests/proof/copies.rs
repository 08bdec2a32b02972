//! A backup a day, what erasing says of them, and what owners and everybody see of it.

use record::{backup, private::Bodies, store::Options};
use strillone::backups;

use super::{at, on_record, open, opened, said};
use crate::town::{Town, says};

#[test]
fn one_backup_a_day_and_erasing_names_those_that_hold_the_text() {
    let town = Town::set(&[("STRILLONE_MODERATION__OWNERS", r#"["telegram:1"]"#)]);
    let into = tempfile::tempdir().unwrap();
    assert_eq!(backups::daily(&town.desk, into.path(), 3, at()).unwrap(), None, "there is nothing yet");
    opened(town.store());
    let gone = town.store().say(said("a name that must go")).unwrap().first;
    let first = backups::daily(&town.desk, into.path(), 3, at()).unwrap().expect("made");
    let more = town.store().say(said("more")).unwrap().first;
    let later = |hours| at() + chrono::TimeDelta::hours(hours);
    assert_eq!(backups::daily(&town.desk, into.path(), 3, later(23)).unwrap(), None, "it is not due");
    assert!(backups::daily(&town.desk, into.path(), 3, later(25)).unwrap().is_some());
    assert_eq!(backups::daily(&town.desk, into.path(), 3, later(60)).unwrap(), None, "nothing is new");
    let holding = backup::holding(into.path(), &[gone], Bodies::Public).unwrap();
    assert_eq!(holding.len(), 2);
    assert_eq!(backup::holding(into.path(), &[more], Bodies::Public).unwrap().len(), 1, "the first one is older");
    let why = "a court said so".to_owned();
    let erasure = record::private::Fact::Erasure { commits: vec![gone], bodies: Bodies::Public, why, by: None };
    town.store()
        .say(record::store::Set {
            ask: None,
            expects: Vec::new(),
            said: vec![record::store::Drafted::Fact(erasure)],
            at: at(),
        })
        .unwrap();
    backups::daily(&town.desk, into.path(), 3, later(50)).unwrap().expect("made");
    assert_eq!(backup::holding(into.path(), &[gone], Bodies::Public).unwrap(), holding, "the newest one lacks it");
    let dir = tempfile::tempdir().unwrap();
    backup::restore(&first, &Options::new(dir.path()), &mut |_, _| {}).unwrap();
    assert_eq!(on_record(&open(dir.path())), ["a name that must go"], "a copy made before still has it");
}

#[test]
fn everybody_can_verify_an_incident_and_its_owner_sees_how_the_bot_is() {
    let town = Town::westpole();
    let head = town.store().verify().unwrap().heads.remove(0);
    says(
        &town.ask("/verify westpole"),
        &["All 60 entries are as they were recorded", "westpole#60", &head.2.to_string()],
    );
    says(
        &town.chiede("/verify westpole"),
        &["Tutte le 60 voci sono come sono state registrate", "La testa della catena"],
    );
    says(&town.ask("/health"), &["those who own this bot"]);
    let mut owner = strillone::console::Session::new(
        strillone::control::Link::Here(town.desk.clone()),
        commands::kit::Role::Owner,
        record::lang::Lang::En,
    );
    let health = crate::town::ask(&mut owner, record::lang::Lang::En, "/health");
    says(&health, &["All is well", "Store: in order, at commit", "Disk: ", "Backups: none yet", "Telegram: off"]);
    town.desk.vitals().backed_up(Err("the disk is gone".to_owned()));
    let health = crate::town::ask(&mut owner, record::lang::Lang::En, "/health");
    says(&health, &["Something is wrong", "⚠️ Backups: the last one failed: the disk is gone"]);
}
