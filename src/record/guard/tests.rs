//! What the guard refuses and what it lets pass, by example.

use proptest::prelude::*;

use super::{
    Found::{Card, Credentials, Emails, FiscalCode, Iban, Onion, Phone},
    *,
};

fn host(name: &str) -> Found {
    Found::Host(name.to_owned())
}

fn link(text: &str) -> Link {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn each_passes(texts: &[&str]) {
    let guard = Guard::default();
    for text in texts {
        assert_eq!(guard.text(text), Ok(()), "{text:?}");
    }
}

fn each_is_refused(why: &Found, texts: &[&str]) {
    let guard = Guard::default();
    for text in texts {
        assert_eq!(guard.text(text).as_ref(), Err(why), "{text:?}");
    }
}

#[test]
fn onion_addresses_and_gateways_are_refused() {
    each_is_refused(
        &Onion,
        &[
            "The gang's site is lockbitexample.onion",
            "see http://LockBitExample.ONION/leak",
            "hxxp://lockbitexample[.]onion/post",
            "lockbitexample (dot) onion",
            "Il sito è lockbitexample[punto]onion.",
            "lockbit\u{200B}example.on\u{2060}ion",
            "ｌｏｃｋ.ｏｎｉｏｎ",
            "https://lockbitexample.onion.to/x",
            "tramite foo.onion.ly si vede",
            "https://abc.tor2web.org/",
            "https://abcdefghijklmnop.onion.example/x",
            "https://web.archive.org/web/2023/http://foo.onion/x",
            "https://example.org/?u=http%3A%2F%2Ffoo.onion%2Fx",
            "scrivere a noi@foo.onion",
            "ftp://foo.onion",
        ],
    );
    each_passes(&[
        "https://theonion.com/an-article",
        "The site is a .onion one",
        "un sito .onion raggiungibile con Tor",
        "onion routing, spiegato",
        "https://example.org/what-is-a.onion-address",
    ]);
}

#[test]
fn listed_hosts_are_refused_wherever_a_link_leads_there() {
    each_is_refused(
        &host("pastebin.com"),
        &[
            "https://pastebin.com/abc123",
            "published on pastebin.com",
            "[qui](https://www.pastebin.com/raw/x)",
            "PASTEBIN.COM/raw/x",
            "pastebin[.]com/x",
            "hxxps[:]//pastebin(.)com/x",
            "pastebin [dot] com",
            "su pastebin [punto] com",
            "**pastebin.com**, _e altrove_",
            "_pastebin.com_",
            "https://web.archive.org/web/2023/https://pastebin.com/x",
            "https://archive.ph/pastebin.com/x",
            "https://example.org/go?to=https%253A%252F%252Fpastebin.com%252Fx",
            "https://agi.it@pastebin.com/x",
            "https:\\\\pastebin.com\\x",
            "pastebin.com:443/x",
            "pastebin.com.",
            "pastebin。com",
        ],
    );
    each_is_refused(&host("mega.nz"), &["Download: mega.nz/folder/x", "scarica da https://eu.static.mega.nz/x"]);
    each_passes(&[
        "The data appeared on Pastebin and on Mega",
        "https://en.wikipedia.org/wiki/Pastebin.com",
        "https://example.org/news/what-is-pastebin.com-and-why",
        "https://notpastebin.com/x",
        "pastebin.com.example.org",
        "https://telegra.ph/x https://gist.github.com/a/b https://haveibeenpwned.com/ https://www.ransomware.live/x",
        "https://web.archive.org/web/20231219/https://www.ilpost.it/2023/12/15/attacco-informatico-westpole/",
    ]);
}

#[test]
fn the_list_is_a_setting() {
    let guard = Guard::new(["https://www.Leaks.example/path", " *.drop.example ", "", "bücher.example"]);
    assert_eq!(guard.text("on leaks.example"), Err(host("leaks.example")));
    assert_eq!(guard.text("https://eu.drop.example/x"), Err(host("drop.example")));
    assert_eq!(guard.text("https://BÜCHER.example/"), Err(host("xn--bcher-kva.example")));
    assert_eq!(guard.link(&link("https://bücher.example/")), Err(host("xn--bcher-kva.example")));
    assert_eq!(guard.text("https://pastebin.com/x"), Ok(()));
    assert_eq!(guard.text("x.onion"), Err(Onion));
    let kept: Vec<_> = Guard::default().hosts.into_iter().collect();
    let mut listed: Vec<_> = HOSTS.iter().map(ToString::to_string).collect();
    listed.sort();
    assert_eq!(kept, listed);
}

#[test]
fn links_are_judged_by_hosts_and_keys_never_by_numbers() {
    let guard = Guard::default();
    for good in [
        "https://example.org/news/3451234567",
        "https://example.org/4111111111111111/RSSMRA85T10A562S",
        "https://example.org/?id=IT60X0542811101000000123456&tel=%2B393451234567",
        "https://maps.example.org/@45.4642035,9.189982,15z",
        "https://medium.com/@somebody/a-story",
        "https://example.org/a?from=a@example.org&to=b@example.org",
    ] {
        assert_eq!(guard.link(&link(good)), Ok(()), "{good}");
        assert_eq!(guard.text(good), Ok(()), "{good}");
        assert_eq!(guard.text(good.trim_start_matches("https://")), Ok(()), "{good}");
    }
    let hook = format!("https://api.example.org/bot123456789:{}/getMe", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1");
    let signed = format!("https://s3.example.org/x?X-Amz-Credential={}{}%2F2023", "AKIA", "IOSFODNN7EXAMPLE");
    for bad in [hook, signed] {
        assert_eq!(guard.link(&link(&bad)), Err(Credentials), "{bad}");
    }
    assert_eq!(guard.link(&link("https://x.example/?u=//gofile.io/d/x")), Err(host("gofile.io")));
    assert_eq!(guard.link(&link("https://pastebin.com/x")), Err(host("pastebin.com")));
    assert_eq!(guard.link(&link("http://foo.onion/")), Err(Onion));
}

#[test]
fn credentials_are_refused() {
    each_is_refused(
        &Credentials,
        &[
            "password: hunter2",
            "Password: «Estate2023!»",
            "la pwd=Westpole#1 funzionava",
            "passwd : P@ssword",
            "DB_PASSWORD=s3cr3tvalue",
            "{\"user\":\"mario\",\"pass\":\"abc123\"}",
            "user: mario pass: Roma1927",
            "utente: mario, pw: Roma1927",
            "api_key = 9f8e7d6c5b",
            "password : ｈｕｎｔｅｒ２",
            "mario.rossi@example.com:Secret12",
            "mario(at)example(dot)com:Secret12",
            "https://accounts.example.org/signin:mario@example.com:Passw0rd1",
            "Elenco:\nmario@example.com:ciaociao\n",
            "mario@example.com:ciaociao!\r\nluigi",
            "mario@example.com:\"èèèèèè",
            "mario@example.com;Secret12;Milano",
            "https://admin:segreta@example.org/x",
            "postgres://app:x1y2@db.example.org/prod",
            "Administrator:500:aad3b435b51404eeaad3b435b51404ee:31d6cfe0d16ae931b73c59d7e0c089c0:::",
        ],
    );
    // In two halves, so that nobody's scanner takes an example for the real thing.
    let halves = [
        ("-----BEGIN RSA PRIV", "ATE KEY-----"),
        ("—–BEGIN OPENSSH PRIV", "ATE KEY—–"),
        ("-----BEGIN PGP PRIV", "ATE KEY BLOCK-----"),
        ("chiave AKIA", "IOSFODNN7EXAMPLE"),
        ("token ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("github", "_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789"),
        ("123456789", ":AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4", ".Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0", ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    ];
    for (one, other) in halves {
        assert_eq!(Guard::default().text(&format!("x: {one}{other} y")), Err(Credentials), "{one}");
    }
}

#[test]
fn words_about_credentials_pass() {
    each_passes(&[
        "password: non risultano esposte",
        "le password sono cifrate",
        "Password: SHA256",
        "password: argon2id, con sale",
        "password: bcrypt",
        "Password=AES-256-GCM",
        "password: PBKDF2/HMAC-SHA1",
        "password: 128-bit",
        "password: 16mila",
        "password: cifrate/hashate",
        "password: l'azienda nega",
        "password: ********",
        "password: p****d12",
        "password: <redacted>",
        "password: ${DB_PASSWORD}",
        "recupero password: info@westpole.it",
        "Green pass: Italia2021",
        "Passwords were reset; users: all of them",
        "hash 5f4dcc3b5aa765d61d8327deb882cf99",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "scrivere a info@westpole.it: risponderemo",
        "git@github.com:3cx/app.git",
        "sip:info@example.org:5060",
        "ASIATICHE E AFRICANE",
        "-----BEGIN CERTIFICATE-----",
        "https://example.org/reset-password?page=2",
    ]);
}

#[test]
fn numbers_with_good_check_digits_are_refused() {
    each_is_refused(
        &Iban,
        &[
            "IBAN IT60X0542811101000000123456",
            "IBAN: it60 x054 2811 1010 0000 0123 456, intestato",
            "DE89 3704 0044 0532 0130 00",
            "GB82-WEST-1234-5698-7654-32",
        ],
    );
    each_is_refused(
        &Card,
        &[
            "carta 4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111111111111111",
            "4111–1111–1111–1111 scad. 12/25",
            "3782 822463 10005",
            "Visa:4111111111111111.",
            "6011111111111117 123",
            "4111\u{A0}1111\u{A0}1111\u{A0}1111",
            "il 18-12-2023 4111 1111 1111 1111",
            "5500005555555559",
        ],
    );
    each_is_refused(
        &FiscalCode,
        &[
            "RSSMRA85T10A562S",
            "c.f. rssmra85t10a562s",
            "CF:RSSMRA85T10A56NH",
            "RSS MRA 85T10 A562S",
            "(BNCGLI90A41H501E)",
        ],
    );
    each_passes(&[
        "IT61X0542811101000000123456",
        "IT60X0542811101000000123456X",
        "DE89 stati",
        "4111 1111 1111 1112",
        "14111111111111111 e 41111111111111111111",
        "0000000000000000 4444444444444444",
        "2021 2022 2023 2024",
        "0,4111111111111111",
        "RSSMRA85T10A562T",
        "RSSMRA85T10A562SX",
        "550e8400-e29b-41d4-a716-446655440000",
        "discord 1180000000000000000",
        "responsabilmente incontrovertibile",
    ]);
}

#[test]
fn telephone_numbers_are_refused() {
    each_is_refused(
        &Phone,
        &[
            "+39 345 1234567",
            "+393451234567",
            "(+39) 345 123 4567",
            "+39 02 12345678",
            "+39-06-1234567",
            "+44 20 7946 0958",
            "+1 (202) 555-0143",
            "0039 345 1234567",
            "00442079460958",
            "345 1234567",
            "345-1234567",
            "345.123.4567",
            "345/1234567",
            "345 123 45 67",
            "3451234567",
            "cell.3451234567",
            "whatsapp 393451234567",
            "Call 02 12345678 now",
            "02-12345678",
            "0773/123456",
            "0773 - 123456",
            "06.12345678",
            "0212345678",
            "(02) 12345678",
            "02 12 34 56 78",
            "02.12.34.56.78",
            "telefono n. 0312345678",
            "l'8/12/2023 0773 123456",
            "nel 2023 345 1234567",
            "٣ e +39 345 1234567",
            "tel-3451234567",
        ],
    );
}

#[test]
fn other_numbers_are_no_telephone() {
    each_passes(&[
        "08/12/2023",
        "08-12-2023 e 2023-12-08",
        "08.12.2023 05:00",
        "08 12 2023",
        "08/12/2023-18/12/2023",
        "08/12/23 10",
        "08 12 23 10 30",
        "08122023",
        "20231208",
        "2023-12-08T05:00:00+01:00",
        "dalle 05.00 alle 07.30, 05:00-07:30, 05.00-07.30",
        "00.15-01.30 01.30-02.45",
        "2022-2023, 2023/24, dal 1999 al 2003",
        "12/2023",
        "1.500.000 €",
        "100,000 records",
        "12 345",
        "345.123.456 euro e 345 123 456",
        "€ 3451234567",
        "3451234567 byte",
        "+1.500.000 e +10.500.000 account",
        "3451234567,50",
        "16%, 3.5 %, +39%",
        "CVE-2023-34362, CVE-2023-3451234567",
        "192.168.10.15, 31.14.135.20 e 8.8.8.8/24",
        "Chrome 120.0.6099.109",
        "n. 196/2003 e UE 2016/679",
        "L. 90/2024, art. 33, GDPR 2016/679",
        "westpole#14",
        "prot. n. 0312345678",
        "Prot. n. 0001234567/2023 del 8/12/2023",
        "ticket 3451234567",
        "Ticket #3451234567",
        "P. IVA 01234567890",
        "P.IVA/C.F. 01234567890",
        "P.I. 01234567890, C.F. 01234567890",
        "VAT no. 01234567890",
        "rif. 3451234567",
        "112, 118 e 117",
        "800 123456, 803 803, 840 000 123",
        "+39 800 123456",
        "00144 Roma, 04100 Latina",
        "45.4642035, 9.189982",
        "1.3.6.1.4.1.311",
        "a65810e57836827",
    ]);
}

#[test]
fn one_address_is_a_contact_and_two_are_people() {
    each_is_refused(
        &Emails,
        &[
            "mario@example.com, luigi@example.com",
            "mario (at) example (dot) com e luigi [chiocciola] example [punto] it",
            "From a.b+c@mail.example.org to x@example.org",
            "<mario@example.com>;<luigi@example.com>",
        ],
    );
    each_passes(&[
        "scrivere a info@westpole.it",
        "info@westpole.it oppure Info@Westpole.it.",
        "@acn@social.example e @csirt@social.example",
        "@nobody at @everybody",
        "root@localhost, admin@server",
    ]);
}

#[test]
fn the_first_reason_is_given() {
    let guard = Guard::default();
    let mut text = "a@b.it c@d.it".to_owned();
    let mut expect = |more: &str, why: Found| {
        text = format!("{text} {more}");
        assert_eq!(guard.text(&text), Err(why));
    };
    expect("", Emails);
    expect("e 345 1234567", Phone);
    expect("di RSSMRA85T10A562S", FiscalCode);
    expect("con 4111111111111111", Card);
    expect("su IT60X0542811101000000123456", Iban);
    expect("password: hunter2", Credentials);
    expect("pastebin.com", host("pastebin.com"));
}

#[test]
fn a_reason_has_both_languages_and_does_not_repeat_what_was_found() {
    for found in [Onion, host("mega.nz"), Credentials, Emails, Phone, FiscalCode, Card, Iban] {
        let (en, it) = (found.reason(Lang::En), found.reason(Lang::It));
        assert_ne!(en, it);
        assert_eq!(found.to_string(), en);
        for words in [en, it] {
            assert!(words.ends_with('.') && words.len() < 300 && !words.contains("  "), "{words}");
            let named = words.contains("mega.nz");
            assert_eq!(named, matches!(found, Found::Host(_)), "{words}");
        }
    }
}

fn walk(value: &toml::Value, with: &mut impl FnMut(&str)) {
    match value {
        toml::Value::String(text) => with(text),
        toml::Value::Array(values) => values.iter().for_each(|value| walk(value, with)),
        toml::Value::Table(table) => table.values().for_each(|value| walk(value, with)),
        _ => {}
    }
}

#[test]
fn the_bundled_dossiers_pass() {
    let guard = Guard::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/dossiers");
    let (mut texts, mut links) = (0, 0);
    for file in std::fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        let dossier: toml::Value = toml::from_str(&std::fs::read_to_string(path).expect("a text")).expect("toml");
        walk(&dossier, &mut |text| {
            texts += 1;
            assert_eq!(guard.text(text), Ok(()), "{text}");
            if let Ok(link) = text.parse::<Link>() {
                links += 1;
                assert_eq!(guard.link(&link), Ok(()), "{text}");
            }
        });
    }
    assert!(texts > 200 && links > 10, "{texts} {links}");
}

/// What is read in quadratic time would take minutes each.
#[test]
fn hostile_texts_are_read_to_their_ends() {
    let guard = Guard::default();
    for piece in [
        "1",
        "1 ",
        "0",
        "00 ",
        "+",
        "+1",
        "+39 ",
        "0.",
        "345.",
        "3 4-",
        "12/",
        "4111 ",
        "4",
        "@",
        "a@",
        "a@b.c",
        "a@b.it:x",
        "@a.it",
        "a.",
        "a.bb ",
        "è.aa ",
        "è",
        "://",
        "a://",
        "http://a.b/",
        "//",
        "/",
        "%25",
        "%",
        "a.bb/",
        "a.onion",
        ".onion",
        "(",
        "[",
        "[at] ",
        " ",
        "\n",
        ":",
        "=",
        "password:",
        "password=a1",
        "user: pass:",
        "eyJ",
        "eyJ.",
        "-",
        "_",
        "-BEGIN ",
        "PRIVATE KEY",
        "AKIA",
        "ghp_",
        "IT60",
        "IT60 ",
        "RSSMRA85T10A562",
        "it60-",
        "hxxp",
        "\u{200B}",
        "\u{FDFA}",
        "a\u{301}\u{316}",
        "\u{301}",
        ":500:",
        "1:a",
        "\\",
    ] {
        let text = format!("{} https://pastebin.com/x", piece.repeat((16 << 10) / piece.len()));
        assert!(guard.text(&text).is_err(), "{piece:?}");
        if piece.contains(['%', '/', '@']) {
            assert!(guard.text(&format!("password: https://example.org/{text}")).is_err(), "{piece:?}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(
        any in "\\PC{0,200}",
        near in "([a3 .:/@+=%()-]|\\[at\\]|00|39|345|password|eyJ|IT60|\\.onion|://|è|\u{200B}|\u{FDFA}|PRIVATE KEY|a@b.it[:;|]|[\"«*'#]|\n){0,60}",
    ) {
        let guard = Guard::default();
        let _ = guard.text(&any);
        let _ = guard.text(&near);
        if let Ok(link) = format!("https://example.org/{near}{any}").parse::<Link>() {
            let _ = guard.link(&link);
        }
    }
}
