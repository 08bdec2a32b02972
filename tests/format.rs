//! The format is a promise: an export verifies with nothing of ours, and a journal of every version can be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use record::{
    entry::{Disclosure, Kind, Level, Service},
    line::{self, Hash, Line},
    outbox::State,
    party::{Capacity, Role},
    source::SourceKind,
    statement::Side,
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
    verify_with(&["-"], export)
}

fn printed(run: &Output) -> String {
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// What it printed, or what it found wrong.
fn said_by(run: &Output) -> String {
    printed(run) + &String::from_utf8_lossy(&run.stderr)
}

fn verify_with(args: &[&str], export: &str) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify.py");
    let child = Command::new("python3")
        .arg(script)
        .args(args)
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

/// The head of the whole record: what a stranger computes from an export is what the store has.
#[test]
fn a_full_export_gives_the_head_at_a_commit() {
    let town = Town::westpole();
    town.import(include_str!("golden/dossier.toml"));
    let export = exported(&town);
    let head = |commit: u64, heads: &BTreeMap<String, String>| {
        let heads: Vec<String> = heads.iter().map(|(incident, hash)| format!("\"{incident}\":\"{hash}\"")).collect();
        Hash::of(format!("{{\"commit\":{commit},\"heads\":{{{}}}}}", heads.join(",")).as_bytes()).to_string()
    };
    let report = town.store().verify().unwrap();
    let heads = report.heads.iter().map(|(incident, _, hash)| (incident.to_string(), hash.to_string())).collect();
    let last = export.lines().map(|line| Line::read(line.as_bytes()).unwrap().header.commit).max().unwrap();
    let whole = head(last, &heads);
    let computed = |at: &str| verify_with(&["--at", at, "-"], &export).map(|run| (run.status.success(), printed(&run)));
    let Some((good, words)) = computed(&last.to_string()) else { return };
    assert!(good && words.contains(&format!("head at commit {last} {whole}\n")), "{words}");
    // Before the second incident was opened, and before anything was: erasures and private lines change nothing.
    let westpole = export.lines().map(|line| Line::read(line.as_bytes()).unwrap());
    let westpole: Vec<Line> = westpole.filter(|line| line.header.commit <= 31).collect();
    let earlier = BTreeMap::from([("westpole".to_owned(), westpole.last().unwrap().hash.to_string())]);
    for (commit, heads) in [(31, earlier), (0, BTreeMap::new())] {
        let (_, words) = computed(&commit.to_string()).unwrap();
        assert!(words.contains(&head(commit, &heads)), "{commit}: {words}");
    }
    assert!(computed(&format!("{last}={}", &whole[..20])).unwrap().0, "20 digits, as a post has them");
    assert!(!computed(&format!("{last}={}", &whole[..19])).unwrap().0, "fewer prove too little");
    assert!(!computed(&format!("{last}={}", Hash::NONE)).unwrap().0);
    assert!(!computed(&(last + 1).to_string()).unwrap().0, "what is not there yet has no head");
}

/// What format 2 reserves, as a later export could hold it: made line by line, since nothing writes it yet.
#[test]
fn a_stranger_reads_the_reserved_parts_and_refuses_what_nobody_decided() {
    let opening = r#""opening":{"handle":"flood","title":{"pt-BR":"Cheia"},"zone":"Europe/Rome"}"#;
    let event = r#""event":{"text":{"en":"Water."},"when":"2026-12-01T05:30+01:00/2026-12-01T04:40:10Z"}"#;
    let status =
        r#""status":{"component":{"key":"archive","name":{"en":"Archive"}},"service":"resolved","when":"2026-2X"}"#;
    let figure = r#""figure":{"amount":{"bound":"about","to":"12.50","unit":"EUR","value":"9"},"label":{"en":"x"},"said_by":{"for":"city","name":"A"},"value":{"en":"y"}}"#;
    let erasure = r#""erasure":{"ground":"court","refs":[{"number":2}]},"#;
    let said = |kind: &'static str, said: &str| Made { kind, said: Some(said.replace("2026-2X", "202X")), header: "" };
    let gone = Made { kind: "event", said: None, header: "" };
    let erased = || Made { kind: "erasure", said: Some(r#""erasure":{}"#.to_owned()), header: erasure };
    let all = || vec![said("opening", opening), gone.clone(), said("event", event), said("status", status), erased()];
    let run = |format, lines: &[Made]| verify(&made("00c0ffee00c0ffee", format, lines)).map(|run| said_by(&run));
    let Some(good) = run(2, &all()) else { return };
    assert!(good.starts_with("5 entries in 1 incidents: good, 1 erased\nhead "), "{good}");
    let unsaid = run(2, &all()[..2]).unwrap();
    assert!(unsaid.contains("1 of them erased without an entry that says so: 00c0ffee00c0ffee#2"), "{unsaid}");
    assert!(run(2, &[said("opening", opening), said("figure", figure)]).unwrap().contains(": good"));
    let older = r#""opening":{"title":{"en":"x"},"zone":"Europe/Rome"}"#;
    let restored = [said("opening", opening), said("event", event), erased()];
    for (what, format, lines, words) in [
        ("a format that nobody decided", 3, all(), "has format 3: a newer program wrote it"),
        ("no format", 0, all(), "has 0 for a format"),
        ("format 1 with what it does not have", 1, vec![said("opening", opening)], "the field handle of a opening"),
        ("format 1 with a date of format 2", 1, vec![said("opening", older), said("event", event)], "an instant"),
        ("format 1 with a kind of format 2", 1, vec![said("opening", older), erased()], "has other header fields"),
        ("a body that was erased", 2, restored.to_vec(), "says that 2 was erased, whose body is there"),
        ("a kind that nobody decided", 2, vec![said("opening", opening), said("rumour", r#""rumour":{}"#)], "too old"),
        ("a field that nobody decided", 2, vec![said("opening", &opening.replace("handle", "nick"))], "other fields"),
    ] {
        let verdict = run(format, &lines).unwrap();
        assert!(verdict.contains(words), "{what}: {verdict}");
    }
    let named = verify(&made("flood", 2, &[said("opening", opening)])).unwrap();
    assert!(said_by(&named).contains("is an opening of format 2 and goes by flood"), "{}", said_by(&named));
}

/// A line of an export that is made by hand: its kind, what it says (none: erased), and further fields of its header.
#[derive(Clone)]
struct Made {
    kind: &'static str,
    said: Option<String>,
    header: &'static str,
}

/// An export of such lines, each chained to the one before; all fields are in the order of RFC 8785.
fn made(incident: &str, format: u32, lines: &[Made]) -> String {
    let (mut export, mut before) = (String::new(), Hash::NONE);
    for (Made { kind, said, header }, number) in lines.iter().zip(1..) {
        let body = said.as_ref().map(|said| {
            format!(
                r#"{{"author":"a1","importance":"normal","key":"k{number}","said":{{{said}}},"salt":"{number:032}"}}"#
            )
        });
        let hash = Hash::of(body.as_deref().unwrap_or_default().as_bytes());
        let header = format!(
            r#"{{"commit":{number},"entry":{{"incident":"{incident}","number":{number},"previous":"{before}"}},{header}"format":{format},"group":1,"kind":"{kind}","previous":"{before}","public":"{hash}","recorded_at":"2026-12-01T08:00:00.000Z","set":"1/1"}}"#
        );
        before = Hash::of(header.as_bytes());
        let public = body.map(|body| format!(r#","public":{body}"#)).unwrap_or_default();
        export += &format!("{{\"header\":{header}{public}}}\n");
    }
    export
}

/// The first column of the table that follows a heading or sentence of FORMAT.md: each row's words in backticks.
fn table(after: &str) -> BTreeMap<String, String> {
    let text = include_str!("../docs/FORMAT.md");
    let rest = text.split_once(after).unwrap_or_else(|| panic!("FORMAT.md lacks {after:?}")).1;
    let rows = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').splitn(2, '|');
        let name = cells.next()?.split('`').nth(1)?.trim_end_matches('?');
        Some((name.to_owned(), cells.next()?.to_owned()))
    })
    .collect()
}

fn codes(row: &str) -> BTreeSet<&str> {
    row.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_tables_of_the_format_say_what_the_program_writes() {
    let kinds = table("| kind | fields of `said.<kind>`");
    let written: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(kinds.keys().map(String::as_str).collect::<BTreeSet<_>>(), written);
    let source = include_str!("../src/record/private.rs").split_once("pub fn kind(").unwrap().1;
    let facts: BTreeSet<&str> = source.split("=> \"").skip(1).filter_map(|arm| arm.split('"').next()).collect();
    let described = table("| kind | fields |");
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), facts);
    for fact in facts {
        let marked = include_str!("../docs/FORMAT.md").contains(&format!("| `{fact}` ² |"));
        assert_eq!(marked, line::lowest_format(false, fact) == 2, "{fact}");
    }
    let values = table("| code | values |");
    macro_rules! written {
        ($($code:literal: $type:ty),*) => {$(
            let all: BTreeSet<&str> = <$type>::ALL.iter().map(|it| it.code()).collect();
            let row = values[$code].split('(').next().unwrap_or_default();
            assert!(codes(row).is_subset(&all) && codes(&values[$code]).is_superset(&all), "{}", $code);
        )*};
    }
    written!("capacity": Capacity, "claims[].side": Side, "source.kind": SourceKind, "roles": Role,
        "service": Service, "disclosure": Disclosure, "level": Level);
    let header = table("| field | meaning |");
    let golden = include_str!("golden/v1/journal/00000000000000000001.jsonl");
    for line in golden.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields = line["header"].as_object().unwrap().keys();
        assert!(fields.clone().all(|field| header.contains_key(field)), "{fields:?}");
    }
}

/// Set `STRILLONE_BLESS` when answers are worded otherwise. A journal is never changed: each was checked by hand.
#[test]
fn a_journal_of_every_version_is_read() {
    for version in 1..=line::FORMAT {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"));
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("journal")).unwrap();
        for item in fs::read_dir(golden.join("journal")).unwrap() {
            let path = item.unwrap().path();
            fs::copy(&path, scratch.path().join("journal").join(path.file_name().unwrap())).unwrap();
        }
        let store = std::sync::Arc::new(open(scratch.path()));
        assert!(store.verify().unwrap().is_good(), "{version}: {:?}", store.verify());
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
        let export = String::from_utf8(export).unwrap();
        // How answers are worded may change; what a journal holds may not.
        if std::env::var_os("STRILLONE_BLESS").is_some() {
            fs::write(golden.join("answers.txt"), &answers).unwrap();
            if !golden.join("export.jsonl").exists() {
                fs::write(golden.join("export.jsonl"), &export).unwrap();
            }
        }
        assert_eq!(answers, fs::read_to_string(golden.join("answers.txt")).unwrap());
        assert_eq!(export, fs::read_to_string(golden.join("export.jsonl")).unwrap());
        let Some(run) = verify(&export) else { continue };
        assert!(run.status.success(), "{version}: {}", said_by(&run));
    }
}

/// The golden journal of format 2 has two broadcasts: one is over, the other was under way when its state was lost.
#[test]
fn a_projection_of_format_2_knows_who_has_an_entry_who_may_have_it_and_who_has_not() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("journal")).unwrap();
    let journal = include_str!("golden/v2/journal/00000000000000000001.jsonl");
    fs::write(scratch.path().join("journal/00000000000000000001.jsonl"), journal).unwrap();
    let store = open(scratch.path());
    let stands = |commit: u64| {
        [1, 2, 3, 4, 5].map(|channel| store.ledger().delivery(channel, commit).unwrap().map(|it| (it.state, it.ids)))
    };
    let has = |message: u64| Some((State::Sent, vec![message]));
    let owed = Some((State::Waiting, Vec::new()));
    let over = [has(41), has(42), has(1_180_000_000_000_000_001), owed, None];
    assert_eq!(stands(7), over, "of two kinds of lines; the last channel was to be sent nothing after all");
    assert_eq!(stands(13), [has(43), Some((State::Unsure, Vec::new())), None, None, None]);
}
