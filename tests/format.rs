//! The format is a promise: an export verifies with nothing of ours, and a journal of every version can be read.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use strillone::cli::Format;

use crate::town::{Town, ask, open};

fn exported(town: &Town) -> String {
    let mut out = Vec::new();
    town.desk.export(None, Format::Jsonl, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Runs the independent script; none where there is no Python.
fn verify(export: &str) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify.py");
    let child = Command::new("python3")
        .arg(script)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: there is no python3 here to run tests/verify.py");
        return None;
    };
    // A script that found a fault stops reading.
    let _ = child.stdin.take().unwrap().write_all(export.as_bytes());
    Some(child.wait_with_output().unwrap())
}

#[test]
fn a_stranger_can_verify_an_export() {
    let export = exported(&Town::westpole());
    let Some(good) = verify(&export) else { return };
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stdout));
    let lines: Vec<&str> = export.lines().collect();
    let without = |at: usize| {
        lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let mut swapped = lines.clone();
    swapped.swap(10, 11);
    let body = export.replacen("LockBit", "LuckBit", 1);
    let header = export.replacen("\"number\":7", "\"number\":8", 1);
    let salt = export.replacen("\"salt\":\"", "\"salt\":\"0", 1);
    for (what, broken) in [
        ("a missing line", without(5)),
        ("swapped lines", swapped.join("\n") + "\n"),
        ("a changed text", body),
        ("a changed header", header),
        ("a changed salt", salt),
    ] {
        let verdict = verify(&broken).unwrap();
        assert_eq!(verdict.status.code(), Some(1), "{what} was not noticed");
    }
    let start = lines[20].find("},\"public\":{").unwrap() + 1;
    let erased = export.replace(lines[20], &format!("{}}}", &lines[20][..start]));
    assert!(verify(&erased).unwrap().status.success(), "an erased body leaves the chain good");
}

/// Set `STRILLONE_BLESS` when a new format version is made, never for an old one.
#[test]
fn a_journal_of_every_version_is_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    let bless = std::env::var_os("STRILLONE_BLESS").is_some() && !golden.exists();
    let dir: PathBuf = golden.join("journal");
    if bless {
        let town = Town::with(include_str!("golden/dossier.toml"));
        town.import(&include_str!("golden/dossier.toml").replace("Water came in.", "Water came in through the roof."));
        let fact = record::private::Fact::Setting {
            address: record::private::Address("telegram:5".to_owned()),
            lang: Some(record::lang::Lang::It),
            zone: None,
        };
        let said = vec![record::store::Drafted::Fact(fact)];
        town.store().say(record::store::Set { ask: None, expects: Vec::new(), said, at: crate::town::at() }).unwrap();
        fs::create_dir_all(&dir).unwrap();
        fs::copy(town.dir().join("journal/00000000000000000001.jsonl"), dir.join("00000000000000000001.jsonl"))
            .unwrap();
    }
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("journal")).unwrap();
    for item in fs::read_dir(&dir).unwrap() {
        let path = item.unwrap().path();
        fs::copy(&path, scratch.path().join("journal").join(path.file_name().unwrap())).unwrap();
    }
    let store = std::sync::Arc::new(open(scratch.path()));
    assert!(store.verify().unwrap().is_good());
    let desk = strillone::desk::Desk::new(store, crate::town::manners());
    let mut session = strillone::console::Session::new(
        strillone::control::Link::Here(desk.clone()),
        commands::kit::Role::Reader,
        record::lang::Lang::En,
    );
    let mut answers = String::new();
    for line in [
        "/timeline flood",
        "/latest flood",
        "/sources flood",
        "/incident flood",
        "/claims flood",
        "/who city",
        "/search water",
    ] {
        answers += &format!("> {line}\n{}\n", ask(&mut session, record::lang::Lang::En, line));
    }
    let mut export = Vec::new();
    desk.export(None, Format::Jsonl, &mut export).unwrap();
    // How answers are worded may change; what a journal holds may not.
    if std::env::var_os("STRILLONE_BLESS").is_some() {
        fs::write(golden.join("answers.txt"), &answers).unwrap();
    }
    if bless {
        fs::write(golden.join("export.jsonl"), &export).unwrap();
    }
    assert_eq!(answers, fs::read_to_string(golden.join("answers.txt")).unwrap());
    assert_eq!(String::from_utf8(export).unwrap(), fs::read_to_string(golden.join("export.jsonl")).unwrap());
}
