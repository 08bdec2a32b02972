//! The rules of the house: which room may name which crate, who may know whom, and that the papers are there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file, without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn names(code: &str, crate_name: &str) -> bool {
    code.contains(&format!("{crate_name}::")) || code.contains(&format!("use {crate_name};"))
}

#[test]
fn each_heavy_crate_is_named_in_one_room() {
    let rooms = [
        ("sled", "src/record/store/state.rs"),
        ("axum", "src/web"),
        ("serenity", "src/discord"),
        ("tokio_tungstenite", "src/discord/gateway.rs"),
        ("teloxide", "src/telegram"),
        ("rustyline", "src/console/prompt.rs"),
        ("clap", "src/cli.rs"),
    ];
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("commands"))) {
        let place = path.strip_prefix(root()).unwrap();
        let code = code(&path);
        for (name, room) in rooms {
            let allowed = place.starts_with(room) || (name == "clap" && place == Path::new("src/main.rs"));
            assert!(allowed || !names(&code, name), "{} names {name}, which lives in {room}", place.display());
        }
    }
}

#[test]
fn below_the_doors_nobody_waits_spawns_or_reads_the_clock() {
    let below = rust_files(&root().join("src/record")).into_iter().chain(rust_files(&root().join("commands")));
    // Proofs are tests, and read what to prove from the environment.
    let proofs = root().join("src/record/proof");
    for path in below.filter(|path| !path.starts_with(&proofs)) {
        let place = path.strip_prefix(root()).unwrap().to_owned();
        let code = code(&path);
        for word in
            ["Utc::now", "Local::now", "SystemTime", "Instant::now", "async fn", ".await", "std::env::var", "println!"]
        {
            // The store's writer is a thread of its own, and says once a second how far the record is.
            let writer = word == "Instant::now" && place == Path::new("src/record/store/writer.rs");
            assert!(writer || !code.contains(word), "{} has {word}", place.display());
        }
        let writer = place.starts_with("src/record/store");
        assert!(writer || !code.contains("thread::"), "{} spawns or sleeps", place.display());
        assert!(!code.contains("Date::now()") && !names(&code, "tokio"), "{}", place.display());
    }
}

#[test]
fn the_crates_know_each_other_one_way() {
    let manifest = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let dependencies = |text: &str| -> BTreeSet<String> {
        let table: toml::Table = text.parse().unwrap();
        table["dependencies"].as_table().unwrap().keys().cloned().collect()
    };
    let record = dependencies(&manifest("src/record/Cargo.toml"));
    let commands = dependencies(&manifest("commands/Cargo.toml"));
    for name in ["tokio", "axum", "serenity", "teloxide", "commands", "strillone"] {
        assert!(!record.contains(name), "record knows {name}");
        assert!(name == "commands" || !commands.contains(name), "commands knows {name}");
    }
    assert_eq!(commands, BTreeSet::from(["chrono", "chrono-tz", "record"].map(str::to_owned)));
}

#[test]
fn the_rooms_of_the_program_know_only_whom_they_may() {
    let may: &[(&str, &[&str])] = &[
        ("alarms", &["dispatch", "signs"]),
        ("bundled", &[]),
        ("cli", &[]),
        ("config", &[]),
        ("desk", &["bundled", "cli", "config", "dispatch", "rates", "signs"]),
        ("dispatch", &[]),
        ("rates", &[]),
        ("signs", &["config"]),
        ("web", &["desk"]),
        ("control", &["cli", "desk", "signs"]),
        ("console", &["control"]),
        ("transport", &["config"]),
        ("discord", &["config", "desk", "dispatch", "signs", "transport"]),
        ("telegram", &["config", "desk", "dispatch", "signs", "transport"]),
    ];
    for (room, known) in may {
        let single = root().join(format!("src/{room}.rs"));
        let folder = root().join(format!("src/{room}"));
        let mut files = if folder.is_dir() { rust_files(&folder) } else { Vec::new() };
        files.extend(single.is_file().then_some(single));
        assert!(!files.is_empty(), "{room} is gone");
        for path in files {
            let code = code(&path);
            for other in may.iter().map(|(name, _)| *name).chain(["serve"]) {
                let knows = code.contains(&format!("crate::{other}")) || code.contains(&format!("\n    {other}::"));
                let allowed = other == *room || known.contains(&other);
                assert!(allowed || !knows, "{} knows {other}", path.display());
            }
        }
    }
}

#[test]
fn nothing_is_unsafe_and_nothing_is_left_to_do() {
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("commands"))) {
        let code = code(&path);
        for word in ["unsafe ", "todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"] {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
        let text = fs::read_to_string(&path).unwrap();
        let opens = text.starts_with("//! ");
        assert!(opens, "{} does not say what lives there", path.display());
    }
}

#[test]
fn the_papers_are_there_and_name_what_exists() {
    for paper in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "docs/FORMAT.md",
        "docs/DOSSIER.md",
        "docs/PERFORMANCE.md",
    ] {
        let text = fs::read_to_string(root().join(paper)).unwrap_or_default();
        assert!(text.len() > 200, "{paper} is missing");
        for piece in text.split('`').skip(1).step_by(2) {
            let path = piece.trim_end_matches('/');
            let inside =
                ["src/", "commands/", "config/", "tests/", "docs/", "benches/"].iter().any(|dir| path.starts_with(dir));
            if inside && !path.contains([' ', '*', '<', '…', '{']) {
                assert!(root().join(path).exists(), "{paper} names {path}, which is not there");
            }
        }
    }
}

/// Tests talk to the fakes alone: no file of theirs may name the real hosts, and `doors::platform` refuses an address
/// that is not this machine's.
#[test]
fn no_test_can_reach_the_real_platforms() {
    let hosts =
        ["api.telegram".to_owned() + ".org", "discord".to_owned() + ".com", "gateway.discord".to_owned() + ".gg"];
    for path in rust_files(&root().join("tests")).into_iter().filter(|path| !path.ends_with("house.rs")) {
        let code = code(&path);
        for host in &hosts {
            assert!(!code.contains(&format!("//{host}")), "{} names {host}", path.display());
        }
        let place = path.strip_prefix(root()).unwrap();
        let may_start = place.ends_with("doors/on_telegram.rs") || place.ends_with("doors/on_discord.rs");
        let starts = code.contains("telegram::serve(") || code.contains("discord::serve(");
        assert!(!starts || (may_start && code.contains("platform(\"")), "{} starts a door by itself", place.display());
    }
}
