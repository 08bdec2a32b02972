//! The contract of the command line: what other programs rely on, tried on the program itself.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::town::{says, silent_on};

fn strillone(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strillone"));
    command.env_clear().current_dir(dir).arg("--data").arg(dir.join("data"));
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that does not read its input may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A bot that runs beside the test, and is killed with it.
struct Bot(Child);

impl Bot {
    /// Starts one without the web pages, and waits until it can be asked.
    fn start(dir: &Path) -> Bot {
        let mut command = strillone(dir);
        command.env("STRILLONE_WEB__LISTEN", "").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let bot = Bot(command.spawn().unwrap());
        let since = Instant::now();
        while UnixStream::connect(dir.join("data/strillone.sock")).is_err() {
            assert!(since.elapsed() < Duration::from_secs(60), "the bot does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        bot
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_console_answers_lines_and_ends_with_the_input() {
    let dir = tempfile::tempdir().unwrap();
    let output =
        run(strillone(dir.path()).arg("console"), "/timeline westpole\n\n/timeline westpole page:2\n/claims westpole");
    assert_eq!(output.status.code(), Some(0));
    says(&out(&output), &["timeline", "1–8 of 18", "9–16 of 18", "claims"]);
    silent_on(&out(&output), &["\u{1b}"]);
    let output = run(strillone(dir.path()).args(["console", "--lang", "it", "--as", "owner"]), "/timeline westpole\n");
    says(&out(&output), &["cronologia", "dicembre 2023"]);
}

#[test]
fn faults_in_settings_are_one_line_and_exit_code_2_in_every_command() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("my.toml"), "[store]\ncache_mb = 64\ncach_mb = 3\n").unwrap();
    for arguments in [&["console"][..], &["export"], &["check"], &["health"], &["import", "x.toml"], &["run"], &[]] {
        let output = run(strillone(dir.path()).args(["--config", "my.toml"]).args(arguments), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
        says(&err(&output), &["my.toml:3", "cach_mb"]);
    }
    for (name, value) in
        [("STRILLONE_STORE__CACHE_MB", "many"), ("STRILLONE_NO__SUCH", "1"), ("STRILLONE_RECORD__TIMEZONE", "Rome")]
    {
        let output = run(strillone(dir.path()).env(name, value).arg("check"), "");
        assert_eq!(output.status.code(), Some(2));
        says(&err(&output), &[name]);
    }
    let output = run(strillone(dir.path()).args(["--config", "none.toml", "check"]), "");
    assert_eq!(output.status.code(), Some(2));
    let output = run(strillone(dir.path()).env("STRILLONE_PORT", "80").env("STRILLONE_SPECS", "x").arg("check"), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn secrets_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    fs::write(dir.path().join("my.toml"), format!("[telegram]\ntoken = \"{secret}\"\n[store]\nx = 1\n")).unwrap();
    for arguments in [&["--config", "my.toml", "check"][..], &["check"], &["--help"], &["console"]] {
        let output = run(strillone(dir.path()).env("STRILLONE_TELEGRAM__TOKEN", secret).args(arguments), "/about\n");
        silent_on(&(out(&output) + &err(&output)), &[secret, "AAAAAAA"]);
    }
}

#[test]
fn check_changes_nothing_and_finds_a_flipped_byte() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(strillone(dir.path()).arg("check"), "");
    assert_eq!(output.status.code(), Some(0), "a store that is not there has no fault");
    assert!(!dir.path().join("data").exists());
    run(strillone(dir.path()).arg("console"), "/about\n");
    let before = listing(&dir.path().join("data"));
    let output = run(strillone(dir.path()).arg("check"), "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    says(&out(&output), &["settings: in order", "60 public entries in 1 incidents", "store: in order"]);
    assert_eq!(listing(&dir.path().join("data")), before);
    let journal = dir.path().join("data/journal/00000000000000000001.jsonl");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let output = run(strillone(dir.path()).arg("check"), "");
    assert_eq!(output.status.code(), Some(1));
    says(&err(&output), &["00000000000000000001.jsonl, byte"]);
    let output = run(strillone(dir.path()).arg("console"), "/about\n");
    says(&err(&output), &["1 damaged or missing line of", "restored from the state's copy"]);
    let output = run(strillone(dir.path()).arg("check"), "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

/// Every file with its content.
fn listing(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else if path.is_file() {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn an_export_is_the_same_bytes_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let first = run(strillone(dir.path()).arg("export"), "");
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(out(&first).lines().count(), 60);
    assert!(out(&first).lines().all(|line| line.starts_with("{\"header\":{\"commit\":")));
    let again = run(strillone(dir.path()).args(["export", "--incident", "westpole"]), "");
    assert_eq!(first.stdout, again.stdout);
    silent_on(&out(&first), &["private\":{", "import:dossier"]);
    let markdown = out(&run(strillone(dir.path()).args(["export", "--format", "markdown"]), ""));
    says(&markdown, &["# Westpole", "## Timeline", "## Sources"]);
    let none = run(strillone(dir.path()).args(["export", "--incident", "nothing"]), "");
    assert_eq!((none.status.code(), out(&none)), (Some(1), String::new()));
}

#[test]
fn import_refuses_a_faulty_file_with_its_line_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let good = "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"UTC\"\n";
    fs::write(dir.path().join("good.toml"), good).unwrap();
    let cases = [
        ("[[incident]]\nhandle = \"y\"\ntitle = { en = \"Y\" }\nzone = \"UTC\"\nzoom = 1\n", "bad.toml:5"),
        (
            "[[incident]]\nhandle = \"y\"\ntitle = { en = \"Y\" }\nzone = \"UTC\"\n[[incident.event]]\nkey = \"e\"\nwhen = \"2023-02-30\"\ntext = { en = \"?\" }\n",
            "bad.toml:7: there is no 2023-02-30 in the calendar",
        ),
        (
            "[[incident]]\nhandle = \"y\"\ntitle = { en = \"Y\" }\nzone = \"UTC\"\n[[incident.event]]\nkey = \"e\"\nwhen = \"2023-02-03\"\ntext = { en = \"?\" }\nsources = [\"s9\"]\n",
            "bad.toml:9: no source before this one has the key \"s9\"",
        ),
        (
            "[[incident]]\nhandle = \"y\"\ntitle = { en = \"Y\" }\nzone = \"Europe/Rome\"\n[[incident.event]]\nkey = \"e\"\nwhen = \"2023-03-26T02:30\"\ntext = { en = \"?\" }\n",
            "the clocks in Europe/Rome skipped 2023-03-26T02:30",
        ),
        ("not toml", "bad.toml:1"),
    ];
    for (text, fault) in cases {
        fs::write(dir.path().join("bad.toml"), text).unwrap();
        let output = run(strillone(dir.path()).args(["import", "good.toml", "bad.toml"]), "");
        assert_eq!(output.status.code(), Some(1));
        says(&err(&output), &[fault]);
        assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
    }
    assert!(!dir.path().join("data").exists());
    let output = run(strillone(dir.path()).args(["import", "good.toml"]), "");
    says(&out(&output), &["good.toml: x: 1 recorded, 0 corrected, 0 unchanged"]);
    let output = run(strillone(dir.path()).args(["import", "good.toml"]), "");
    says(&out(&output), &["good.toml: x: 0 recorded, 0 corrected, 1 unchanged"]);
}

#[test]
fn a_running_bot_carries_out_what_operators_ask() {
    let dir = tempfile::tempdir().unwrap();
    let mut bot = Bot::start(dir.path());
    let mode = |name: &str| fs::metadata(dir.path().join("data").join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("strillone.sock"), mode("lock"), mode("")), (0o600, 0o600, 0o700));
    assert_eq!(mode("sled/db") & 0o077, 0);
    let output = run(strillone(dir.path()).args(["console", "--lang", "it"]), "/timeline westpole\n/lang en\n/about\n");
    says(&out(&output), &["cronologia", "I answer in English", "On record"]);
    fs::write(dir.path().join("x.toml"), "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"UTC\"\n")
        .unwrap();
    says(&out(&run(strillone(dir.path()).args(["import", "x.toml"]), "")), &["x: 1 recorded"]);
    assert_eq!(out(&run(strillone(dir.path()).arg("export"), "")).lines().count(), 61);
    assert_eq!(run(strillone(dir.path()).arg("check"), "").status.code(), Some(0));
    assert_eq!(run(strillone(dir.path()).arg("health"), "").status.code(), Some(0));
    bot.signal("TERM");
    assert_eq!(bot.0.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    bot.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    says(&said, &["store     on", "telegram  off  telegram.token", "discord   off", "console   off"]);
    assert!(!dir.path().join("data/strillone.sock").exists());
    assert_eq!(run(strillone(dir.path()).arg("health"), "").status.code(), Some(1));
}

#[test]
fn operators_come_and_go_and_none_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut bot = Bot::start(dir.path());
    let idle: Vec<UnixStream> =
        (0..40).map(|_| UnixStream::connect(dir.path().join("data/strillone.sock")).unwrap()).collect();
    for _ in 0..60 {
        let mut hangs_up = UnixStream::connect(dir.path().join("data/strillone.sock")).unwrap();
        hangs_up.write_all(b"{\"do\":\"export\",\"incident\":null,\"format\":\"jsonl\"}\n").unwrap();
    }
    assert_eq!(run(strillone(dir.path()).arg("health"), "").status.code(), Some(0));
    assert_eq!(out(&run(strillone(dir.path()).arg("export"), "")).lines().count(), 60);
    drop(idle);
    let mut console = strillone(dir.path())
        .arg("console")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asks = console.stdin.take().unwrap();
    asks.write_all(b"/about\n").unwrap();
    let mut answers = BufReader::new(console.stdout.take().unwrap());
    answers.read_line(&mut String::new()).unwrap();
    bot.signal("TERM");
    bot.0.wait().unwrap();
    asks.write_all(b"/about\n").unwrap();
    drop(asks);
    assert_eq!(console.wait().unwrap().code(), Some(1), "a question without an answer is a failure");
}

#[test]
fn an_output_that_takes_nothing_is_a_failure_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    run(strillone(dir.path()).arg("console"), "");
    for command in ["check", "export"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child = strillone(dir.path());
        let status = child.arg(command).stdin(Stdio::null()).stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{command}");
    }
}

#[test]
fn ctrl_c_stops_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut bot = Bot::start(dir.path());
    bot.signal("INT");
    assert_eq!(bot.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_chosen_port_that_is_taken_is_a_fault_and_pages_are_served_on_a_free_one() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = run(strillone(dir.path()).env("STRILLONE_WEB__LISTEN", &listen).arg("run"), "");
    assert_eq!(output.status.code(), Some(1));
    says(&err(&output), &["web.listen", &listen]);
    drop(taken);
    let mut command = strillone(dir.path());
    command.env("STRILLONE_WEB__LISTEN", &listen).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bot = Bot(command.spawn().unwrap());
    let mut lines = BufReader::new(bot.0.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("console") {}
    says(&get(&listen, "/healthz"), &["200 OK", "store: in order"]);
    says(&get(&listen, "/readyz"), &["200 OK", "ready"]);
    says(&get(&listen, "/"), &["404"]);
}

fn get(listen: &str, path: &str) -> String {
    let since = Instant::now();
    loop {
        let mut stream = std::net::TcpStream::connect(listen).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if !answer.contains("503") || since.elapsed() > Duration::from_secs(30) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn bundled_dossiers_can_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(strillone(dir.path()).env("STRILLONE_RECORD__BUNDLED", "[]").arg("console"), "/incidents\n");
    says(&out(&output), &["No incident is recorded yet."]);
    let output = run(strillone(dir.path()).arg("console"), "/incidents\n");
    says(&out(&output), &["westpole"]);
}

#[test]
fn a_data_directory_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("data"), "a file").unwrap();
    for (command, told) in [("console", "making the data directory"), ("check", "is a file, and no directory")] {
        let output = run(strillone(dir.path()).arg(command), "");
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(err(&output).contains("/data") && err(&output).contains(told), "{}", err(&output));
    }
    assert_eq!(fs::read_to_string(dir.path().join("data")).unwrap(), "a file");
}

#[test]
fn a_deep_data_directory_has_a_socket_too() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a".repeat(60)).join("b".repeat(60));
    fs::create_dir_all(&deep).unwrap();
    let mut command = strillone(&deep);
    command.env("STRILLONE_WEB__LISTEN", "").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut bot = Bot(command.spawn().unwrap());
    let mut lines = BufReader::new(bot.0.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("console") {}
    assert_eq!(run(strillone(&deep).arg("health"), "").status.code(), Some(0));
}

#[test]
fn help_reads_like_a_manual() {
    let dir = tempfile::tempdir().unwrap();
    let help = out(&run(strillone(dir.path()).arg("--help"), ""));
    says(&help, &["Exit codes", "run", "console", "import", "export", "check", "health", "--config", "--data"]);
    for command in ["console", "import", "export", "check", "health", "run"] {
        assert_eq!(run(strillone(dir.path()).args([command, "--help"]), "").status.code(), Some(0));
    }
}
