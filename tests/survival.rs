//! What was acknowledged to whoever imports is there after a kill, and what is private is never exported.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use record::{
    lang::Lang,
    private::{AskKey, Fact},
    store::{Drafted, Set},
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

#[test]
fn a_start_that_finds_less_stops_with_its_own_exit_code_and_goes_on_as_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one.toml"), large("one", 9)).unwrap();
    fs::write(dir.path().join("two.toml"), large("two", 2)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strillone"));
        command.env_clear().env("STRILLONE_RECORD__BUNDLED", "[]").current_dir(dir.path());
        let done = command.args(["--data", "data"]).args(arguments).stdin(Stdio::null()).output().unwrap();
        let words = [done.stdout, done.stderr].map(|it| String::from_utf8(it).unwrap());
        (done.status.code(), words[0].clone(), words[1].clone())
    };
    let data = dir.path().join("data");
    let lose = || ["journal", "sled"].iter().for_each(|part| fs::remove_dir_all(data.join(part)).unwrap());
    assert_eq!(run(&["import", "one.toml"]).0, Some(0));
    assert_eq!(run(&["backup", "data/backups"]).0, Some(0));
    let backup = fs::read_dir(data.join("backups")).unwrap().next().unwrap().unwrap().file_name();
    let backup = format!("data/backups/{}", backup.to_str().unwrap());
    lose();
    for stops in [&["run"][..], &["import", "two.toml"], &["backup", "data/backups"]] {
        let (code, _, why) = run(stops);
        assert_eq!(code, Some(3), "{stops:?}: {why}");
        for words in ["is gone", "knows commit", &format!("strillone restore {backup}"), "run --accept-less"] {
            assert!(why.contains(words), "{stops:?}: {words} is not in {why}");
        }
    }
    let (code, _, why) = run(&["check"]);
    assert!(code == Some(1) && why.contains("is gone"), "{why}");
    // Whoever only reads is told, and nothing is written.
    let (code, _, why) = run(&["export"]);
    assert!(code == Some(1) && why.contains("is gone"), "{why}");
    assert_eq!(run(&["run"]).0, Some(3));
    // Back to the backup.
    let (code, _, why) = run(&["restore", &backup]);
    assert_eq!(code, Some(0), "{why}");
    let (code, out, why) = run(&["export"]);
    assert!(code == Some(0) && out.lines().count() == 11, "{why} {out}");
    assert_eq!(run(&["check"]).0, Some(0));
    // On with what is there, once and for all.
    lose();
    let (code, _, why) = run(&["--accept-less", "import", "two.toml"]);
    assert!(code == Some(0) && why.contains("goes on with what is there"), "{why}");
    let (code, _, why) = run(&["import", "two.toml"]);
    assert!(code == Some(0) && !why.contains("goes on"), "{why}");
    assert_eq!(run(&["check"]).0, Some(0));
}

#[test]
fn private_facts_are_kept_and_never_exported() {
    let town = Town::westpole();
    let set = |said| Set { ask: None, expects: Vec::new(), said, at: at() };
    let ask = Some(AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: "9".to_owned() });
    let address = record::private::Address("telegram:5".to_owned());
    let fact = Fact::Setting { address: address.clone(), lang: Some(Lang::It), zone: None };
    town.store().say(Set { ask, ..set(vec![Drafted::Fact(fact)]) }).unwrap();
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
