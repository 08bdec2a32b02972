//! Each kind of fault with its line, precedence, and that no secret is told.

use super::{
    sheet::{DEFAULTS, MAX_FILE_BYTES, PREFIX},
    *,
};

/// What is made of a file `my.toml` and some variables; a fault as it is seen from the file's directory.
fn said(file: impl AsRef<[u8]>, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.toml");
    std::fs::write(&path, file).unwrap();
    let env = variables.iter().map(|(name, value)| (name.into(), value.into()));
    let here = format!("{}/", dir.path().display());
    load(Some(&path), None, env, &["westpole"]).map_err(|fault| fault.to_string().replace(&here, ""))
}

fn fault(file: impl AsRef<[u8]>, variables: &[(&str, &str)]) -> String {
    said(file, variables).unwrap_err()
}

#[test]
fn without_a_word_the_defaults_stand() {
    let settings = load(None, None, std::iter::empty(), &["westpole"]).unwrap();
    let expected = "Settings { store: StoreSettings { path: \"data\", cache_mb: 32, reserve_mb: 64 }, \
        backup: BackupSettings { path: None, keep: 7 }, \
        commands: CommandSettings { burst: 30, per_second: 1 }, \
            web: WebSettings { listen: Some(127.0.0.1:8080), chosen: false }, \
        record: RecordSettings { bundled: [\"westpole\"], lang: En, timezone: Europe/Rome }, \
        moderation: ModerationSettings { owners: [], two_people: [Victim, Data, Retraction], leak_hosts: [], \
        allowed_hosts: [] }, \
        telegram: PlatformSettings { token: None, api_url: \"https://api.telegram.org\", proxy: None }, \
        discord: PlatformSettings { token: None, api_url: \"https://discord.com\", proxy: None }, \
        delivery: DeliverySettings { repeat_unsure: true, telegram_in_flight: 8, telegram_per_second: 30, \
        telegram_per_group_minute: 20, discord_per_second: 50, discord_invalid_limit: 2000, keep_days: 365 }, \
        log: LogSettings { format: Text, filter: \"info\" }, accept_less: false, accept_clock: false }";
    assert_eq!(format!("{settings:?}"), expected);
    assert_eq!(format!("{:?}", said(DEFAULTS, &[]).unwrap()), expected.replace("chosen: false", "chosen: true"));
}

#[test]
fn a_fault_in_a_file_names_line_and_setting() {
    let url = "must be an http:// or https:// address without user name, query or token";
    let own = "must be \"telegram:ID\" or \"discord:ID\", ID a number above 0";
    for (file, expected) in [
        ("\n\n[stor]", "my.toml:3: unknown section stor (did you mean store?)"),
        ("[nonsense]", "my.toml:1: unknown section nonsense"),
        ("[store]\n\ncach_mb = 1", "my.toml:3: unknown setting store.cach_mb (did you mean cache_mb?)"),
        ("store.zzz = 1", "my.toml:1: unknown setting store.zzz"),
        ("cache_mb = 1", "my.toml:1: unknown setting cache_mb, outside of any [section]"),
        ("[[store]]", "my.toml:1: unknown setting store, outside of any [section]"),
        ("[store]\ncache_mb = '1'", "my.toml:2: store.cache_mb must be a whole number, not text"),
        ("[store]\ncache_mb = 1.5", "my.toml:2: store.cache_mb must be a whole number, not a decimal number"),
        ("[store]\npath = true", "my.toml:2: store.path must be text, not true or false"),
        ("[store]\npath = 2026-01-01", "my.toml:2: store.path must be text, not a date or time"),
        ("[store.path]", "my.toml:1: store.path must be text, not a table"),
        ("[moderation]\nowners = ''", "my.toml:2: moderation.owners must be a list, not text"),
        ("[store]\ncache_mb = 0", "my.toml:2: store.cache_mb must be between 1 and 4096"),
        ("[store]\ncache_mb = -1", "my.toml:2: store.cache_mb must be between 1 and 4096"),
        ("[store]\ncache_mb = 4097", "my.toml:2: store.cache_mb must be between 1 and 4096"),
        ("store.cache_mb = 99999999999999999999", "my.toml:1: store.cache_mb holds a number beyond 64 bits"),
        ("[store]\npath = ''", "my.toml:2: store.path must not be empty"),
        ("[web]\nlisten = 'x'", "my.toml:2: web.listen must be IP:PORT such as 127.0.0.1:8080, or empty"),
        ("[record]\nlang = 'it-IT'", "my.toml:2: record.lang must be en or it"),
        ("record.timezone = 'Rome'", "my.toml:1: record.timezone must be an IANA time zone such as Europe/Rome"),
        ("record.bundled = ['no']", "my.toml:1: record.bundled item 1 must be a compiled-in dossier (westpole)"),
        ("[log]\nformat = 'xml'", "my.toml:2: log.format must be text or json"),
        (
            "[telegram]\ntoken = 'a b'",
            "my.toml:2: telegram.token must be a token as @BotFather gives it: digits, a colon, and at least 30 of A-Z a-z \
             0-9 _ -",
        ),
        ("a =\n\n", "my.toml:1: not valid TOML: string values must be quoted, expected literal string"),
        ("[log]\n[log]", "my.toml:2: not valid TOML: duplicate key"),
    ] {
        assert_eq!(fault(file, &[]), expected, "{file}");
    }
    for owner in ["5", "signal:5", "telegram:", "telegram:+5", "telegram:-5", "discord:0", "discord:5 "] {
        let file = format!("[moderation]\nowners = ['discord:7', '{owner}']");
        assert_eq!(fault(file, &[]), format!("my.toml:2: moderation.owners item 2 {own}"));
    }
    for bad in ["", "discord.com", "ftp://x", "http:x", "http://", "http://u@x", "https://x/?a", "https://x/bot1:a"] {
        assert_eq!(fault(format!("discord.api_url = '{bad}'"), &[]), format!("my.toml:1: discord.api_url {url}"));
    }
}

#[test]
fn a_fault_in_a_variable_names_it() {
    for (name, value, expected) in [
        ("STRILLONE_STORE__CACHE_MB", "x", "store.cache_mb must be a whole number, not text"),
        ("STRILLONE_STORE__CACHE_MB", "", "store.cache_mb must be a whole number, not text"),
        ("STRILLONE_STORE__CACHE_MB", "5000", "store.cache_mb must be between 1 and 4096"),
        ("STRILLONE_MODERATION__OWNERS", "", "moderation.owners must be a list, not text"),
        ("STRILLONE_MODERATION__OWNERS", "5", "moderation.owners must be a list, not a whole number"),
        ("STRILLONE_LOG__FORMATT", "x", "unknown setting log.formatt (did you mean format?)"),
        ("STRILLONE_LOGS__FORMAT", "x", "unknown section logs (did you mean log?)"),
        ("STRILLONE__PORT", "1", "unknown section _port"),
        ("STRILLONE_STRILLONE_LOG__FORMAT", "text", "unknown section strillone_log"),
        ("STRILLONE_log__format", "text", "a variable is STRILLONE_<SECTION>__<KEY>, all in upper case"),
    ] {
        assert_eq!(fault("", &[(name, value)]), format!("{name}: {expected}"));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_text_is_a_fault() {
    use std::os::unix::ffi::OsStringExt;
    let env = [("STRILLONE_LOG__FILTER".into(), OsString::from_vec(vec![0xff]))];
    let fault_in_env = load(None, None, env.into_iter(), &["westpole"]).unwrap_err().to_string();
    assert_eq!(fault_in_env, "STRILLONE_LOG__FILTER: log.filter is not UTF-8 text");
    assert_eq!(fault(b"[log]\n\nfilter = '\xff'", &[]), "my.toml:3: is not UTF-8 text");
    let too_large = "#".repeat(MAX_FILE_BYTES as usize + 1);
    assert_eq!(fault(too_large, &[]), "my.toml: cannot be read: it is larger than 1 MiB");
    let missing = load(Some(Path::new("no/\nfile")), None, std::iter::empty(), &[]).unwrap_err().to_string();
    assert_eq!(missing, "no/ file: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn the_last_word_counts() {
    let file = "[store]\npath = 'file'\ncache_mb = 2\n[record]\nlang = 'it'\nbundled = []";
    let env = || [("STRILLONE_STORE__PATH".into(), "env".into())].into_iter();
    let here = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(here.path(), file).unwrap();
    let settings = load(Some(here.path()), None, env(), &["westpole"]).unwrap();
    assert_eq!((settings.store.path, settings.store.cache_mb), (PathBuf::from("env"), 2));
    assert_eq!((settings.record.lang, settings.record.bundled.len()), (Lang::It, 0));
    let settings = load(Some(here.path()), Some(Path::new("flag")), env(), &["westpole"]).unwrap();
    assert_eq!(settings.store.path, Path::new("flag"));
}

#[test]
fn a_variable_is_toml_or_plain_text() {
    let settings = said(
        "[web]\nlisten = '[::1]:1'",
        &[
            ("STRILLONE_PORT", "not ours"),
            ("STRILLONE_SPECS", "not ours"),
            ("STRILLONE_STORE__PATH", "12345"),
            ("STRILLONE_STORE__CACHE_MB", " 64 "),
            ("STRILLONE_RECORD__LANG", "\"it\""),
            ("STRILLONE_RECORD__TIMEZONE", "UTC"),
            ("STRILLONE_MODERATION__OWNERS", "['telegram:5', \"discord:6\"]"),
            ("STRILLONE_TELEGRAM__TOKEN", " 123:abcdefghijklmnopqrstuvwxyz_-0123456\n"),
            ("STRILLONE_TELEGRAM__API_URL", "http://127.0.0.1:8081/"),
            ("STRILLONE_DISCORD__TOKEN", "MTI.abc.d-_9"),
            ("STRILLONE_LOG__FILTER", ""),
        ],
    )
    .unwrap();
    assert_eq!((settings.store.path, settings.store.cache_mb), (PathBuf::from("12345"), 64));
    assert_eq!((settings.record.lang, settings.record.timezone), (Lang::It, chrono_tz::UTC));
    let owners = [(Platform::Telegram, 5), (Platform::Discord, 6)].map(|(platform, id)| Owner { platform, id });
    assert_eq!(settings.moderation.owners, owners);
    assert_eq!(settings.telegram.token.unwrap().expose(), "123:abcdefghijklmnopqrstuvwxyz_-0123456");
    assert_eq!(settings.telegram.api_url, "http://127.0.0.1:8081");
    assert_eq!(settings.discord.token.unwrap().expose(), "MTI.abc.d-_9");
    assert_eq!(settings.log.filter, "");
}

#[test]
fn an_address_is_chosen_by_being_written_down() {
    assert!(!said("", &[]).unwrap().web.chosen);
    assert!(said("[web]\nlisten = '127.0.0.1:8080'", &[]).unwrap().web.chosen);
    let off = said("", &[("STRILLONE_WEB__LISTEN", "")]).unwrap().web;
    assert_eq!((off.listen, off.chosen), (None, true));
}

#[test]
fn a_token_may_be_kept_in_a_file_but_not_said_twice() {
    let kept = tempfile::NamedTempFile::new().unwrap();
    let path = kept.path().to_str().unwrap();
    let token_file = [("STRILLONE_DISCORD__TOKEN_FILE", path)];
    for (content, expected) in
        [(" \n", "names an empty file"), ("a\nb", "names a file that does not hold one token alone, a bot token")]
    {
        std::fs::write(path, content).unwrap();
        let expected = format!("STRILLONE_DISCORD__TOKEN_FILE: discord.token_file {expected}");
        let told = fault("", &token_file);
        assert!(told.starts_with(&expected), "{told}");
    }
    std::fs::write(path, "\n tok.en.s\n").unwrap();
    assert_eq!(said("", &token_file).unwrap().discord.token.unwrap().expose(), "tok.en.s");
    let twice =
        "STRILLONE_DISCORD__TOKEN_FILE: discord.token_file and discord.token (my.toml:1) are both set: keep one";
    assert_eq!(fault("discord.token = 'x'", &token_file), twice);
    let missing = "my.toml:1: discord.token_file cannot be read: No such file or directory (os error 2)";
    assert_eq!(fault("discord.token_file = '/no/such'", &[]), missing);
}

#[test]
fn a_token_is_never_shown() {
    let settings = said(
        "telegram.token = '123:hushhushhushhushhushhushhushhushhush'",
        &[("STRILLONE_DISCORD__TOKEN", "hush.hush.hush")],
    )
    .unwrap();
    assert_eq!(format!("{:?}", settings.discord.token.as_ref().unwrap()), "Secret(…)");
    assert!(!format!("{settings:?} {settings:#?}").contains("hush"));
    for file in [
        "telegram.token = 123:hush",
        "telegram.token = 'hush",
        "telegram.token = \"\\hush\"",
        "telegram.token = ['hush']",
        "telegram.tokn = 'hush'",
        "token = 'hush'",
        "telegram = 'hush'",
        "telegram.token = 'hush hush'",
        "telegram.token = '123:hush'",
        "telegram.token = 'hush:hushhushhushhushhushhushhushhushhush'",
        "discord.token = 'Bot hush.hush.hush'",
        "discord.token = 'hush.hush'",
        "discord.token = 'hush..hush.hush'",
        "discord.token = '\"hush.hush.hush\"'",
        "telegram.token = 'hush'\ntelegram.token_file = 'hush'",
        "telegram.token_file = 'hush'",
        "telegram.api_url = 'https://api.telegram.org/bot1:hush'",
        "moderation.owners = ['telegram:hush']",
        "record.lang = 'hush'",
        "network.proxy = 'ftp://me:hush@proxy.example'",
        "network.proxy = 'http://me:hush@proxy.example/x'",
    ] {
        assert!(!format!("{:?}", fault(file, &[])).contains("hush"), "{file}");
    }
}

#[test]
fn one_proxy_is_for_both_platforms_and_its_login_is_not_shown() {
    let settings = said("network.proxy = 'socks5h://me:hush@proxy.example:1080'", &[]).unwrap();
    assert!(settings.telegram.proxy.is_some() && settings.telegram.proxy == settings.discord.proxy);
    assert!(!format!("{settings:?}").contains("hush"));
    let must = "must be an http://, https://, socks5:// or socks5h:// address with a host and port, or empty";
    assert_eq!(
        fault("", &[("STRILLONE_NETWORK__PROXY", "proxy:1")]),
        format!("STRILLONE_NETWORK__PROXY: network.proxy {must}")
    );
}

#[test]
fn every_setting_says_why() {
    let lines: Vec<_> = DEFAULTS.lines().collect();
    let settings: Vec<_> =
        lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#')).collect();
    assert_eq!(settings.len(), Sheet::defaults().unwrap().0.len());
    settings.iter().for_each(|pair| assert!(pair[0].starts_with("# "), "{}", pair[1]));
}

#[test]
fn the_example_holds_names_and_no_value() {
    let names = include_str!("../../config/example.env").lines().filter(|line| line.contains('='));
    let names: Vec<_> = names.map(|line| line.strip_suffix('=').unwrap()).collect();
    let active: Vec<_> = names.iter().filter(|name| !name.starts_with('#')).map(|name| (*name, "")).collect();
    assert!(said("", &active).unwrap().telegram.token.is_none());
    let known = |name: &String| format!("{PREFIX}{}", name.replace('.', "__").to_uppercase());
    let known: Vec<_> = Sheet::defaults().unwrap().0.keys().map(known).collect();
    names.iter().for_each(|name| assert!(known.iter().any(|known| known == name.trim_start_matches('#')), "{name}"));
}
