//! Nothing leaks: tokens are in no log, no file and no process's arguments, and only we may read what we keep.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::doors::news::{LONG, OWNER, Press, fast};

/// Too long a number to stand in a hash or a time by chance.
const READER: i64 = 8_099_887_766;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_nowhere_and_only_we_may_read_what_is_kept() {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log");
    let mut settings = fast().to_vec();
    settings.extend([("STRILLONE_LOG__FILTER", "trace"), ("STRILLONE_LOG__FORMAT", "json")]);
    let mut press = Press::new(&settings).await;
    press.log_to(&log);
    press.start().await;
    press.publish("/open x | The X incident").await;
    press.publish("/event x 2023-12-20T09:00 | It began. | https://example.org/a").await;
    let reader = press.telegram.private(READER, "Ann", "en");
    press.telegram.says(reader, READER, "/subscribe x");
    press.telegram.wait_for(reader, 1, LONG).await;
    press.tool(&["backup", press.dir().join("copies").to_str().unwrap()], "");
    let exported = ["jsonl", "toml", "markdown"].map(|form| press.tool(&["export", "--format", form], ""));
    let tokens = [press.telegram.token().to_owned(), press.discord.token()];
    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", press.process())).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for path in files(press.dir()) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{} has mode {mode:o}", path.display());
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            for token in &tokens {
                let there = bytes.windows(token.len()).any(|it| it == token.as_bytes());
                assert!(!there, "{} holds a token", path.display());
            }
        }
    }
    let log = fs::read_to_string(log).unwrap();
    assert!(log.lines().count() > 100, "everything is logged");
    for token in &tokens {
        assert!(!log.contains(token.as_str()), "the log holds a token");
        assert!(!arguments.contains(token.as_str()));
        assert!(exported.iter().all(|text| !text.contains(token.as_str())));
    }
    let people = [OWNER.to_string(), READER.to_string()];
    let names = |text: &str| people.iter().any(|it| text.contains(it));
    assert!(exported.iter().all(|text| !text.is_empty() && !names(text)), "an export names who recorded or who asked");
    // At the usual level, who asks and where is in no line; every line about a packet names it.
    let mut packets = 0;
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let ours = line["target"].as_str().is_some_and(|it| it.starts_with("strillone") || it.starts_with("record"));
        let usual = ["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap());
        assert!(!ours || !usual || !names(&line.to_string()), "{line}");
        packets += usize::from(ours && line["span"]["name"] == "update");
    }
    assert!(packets > 0, "what is done about an update is told within its span");
}
