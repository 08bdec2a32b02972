//! The awkward text through every dress.

use record::{
    dossier, export,
    lang::Lang,
    pages::{self, Reader},
};

use crate::town::{Town, awkward};

pub fn awkward_dossier() -> String {
    let text = toml_string(&awkward());
    let short = toml_string(&awkward().chars().filter(|c| !c.is_control()).take(180).collect::<String>());
    format!(
        "[[incident]]\nhandle = \"awkward\"\ntitle = {{ en = {short} }}\nsummary = {{ it = {text} }}\nzone = \"Europe/Rome\"\n\
         [[incident.source]]\nkey = \"s\"\nkind = \"press\"\npublisher = {short}\ntitle = {short}\n\
         [[incident.organisation]]\nhandle = \"o\"\nname = {short}\nroles = [\"victim\"]\nabout = {{ en = {text} }}\n\
         [[incident.claim]]\nkey = \"c\"\ntext = {{ en = {text} }}\n\
         [[incident.event]]\nkey = \"e\"\nwhen = \"2023-12-08T05:00~\"\ntext = {{ en = {text} }}\nsources = [\"s\"]\n\
         [[incident.statement]]\nkey = \"t\"\nspeaker = \"o\"\ncapacity = \"victim\"\ndate = \"2023-12-08\"\ngist = {{ it = {text} }}\nfor = [\"c\"]\n\
         [[incident.figure]]\nkey = \"f\"\nlabel = {{ en = {text} }}\nvalue = {{ en = {text} }}\n"
    )
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const ASKED: &[&str] = &[
    "/timeline awkward",
    "/latest awkward",
    "/sources awkward",
    "/incident awkward",
    "/incidents",
    "/claims awkward",
    "/who o",
    "/search everyone",
    "/start awkward",
];

#[test]
fn the_console_shows_it_whole_and_is_not_steered_by_it() {
    let town = Town::with(&awkward_dossier());
    for line in ASKED {
        for text in [town.ask(line), town.chiede(line)] {
            assert!(text.contains("@everyone"), "{line} leaves it out");
            let steering = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(steering), "{line} lets a control character through");
        }
    }
}

#[test]
fn markdown_holds_nothing_but_our_own_markup() {
    let town = Town::with(&awkward_dossier());
    let view = town.store().view();
    let mut out = Vec::new();
    export::markdown(&view, &view.incidents().unwrap(), Lang::En, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("@everyone"));
    for forbidden in ["<b>", "<script>", " *bold*", "`code`", "[x](http"] {
        for (at, _) in text.match_indices(forbidden) {
            let before = text[..at].chars().next_back();
            assert_eq!(before, Some('\\'), "{forbidden} is not escaped: {}", &text[at.saturating_sub(9)..at + 9]);
        }
    }
}

#[test]
fn it_survives_the_journal_and_a_dossier() {
    let town = Town::with(&awkward_dossier());
    let view = town.store().view();
    let mut out = Vec::new();
    export::toml(&view, &view.incidents().unwrap(), &mut out).unwrap();
    let again = dossier::read(std::str::from_utf8(&out).unwrap()).unwrap();
    let first = dossier::read(&awkward_dossier()).unwrap();
    for (a, b) in first[0].items.iter().zip(&again[0].items) {
        assert_eq!((&a.said, &a.key), (&b.said, &b.key));
    }
}

#[test]
fn no_page_has_a_button_that_does_not_fit() {
    let handle = "a".repeat(32);
    let mut dossier =
        format!("[[incident]]\nhandle = \"{handle}\"\ntitle = {{ en = \"Long\" }}\nzone = \"Europe/Rome\"\n");
    for number in 0..40 {
        dossier += &format!(
            "[[incident.event]]\nkey = \"e{number}\"\nwhen = \"2023-12-08\"\ntext = {{ en = \"{number}\" }}\nknown = \"2023-12-08\"\n"
        );
    }
    let town = Town::with(&dossier);
    let view = town.store().view();
    let incident = view.incident(&handle).unwrap().unwrap();
    let reader = Reader { lang: Lang::En, zone: None };
    for (from, as_of) in
        [(None, None), (Some("2023-12-08"), Some("2023-12-14")), (Some("2023-12-08T05:00~"), Some("2023-12-14T10:00~"))]
    {
        let date = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let ask =
            pages::TimelineAsk { page: 3, from: date(from), to: date(from.map(|_| "2023-12-09")), as_of: date(as_of) };
        let reply = pages::timeline(&view, &incident, &ask, &reader).unwrap();
        let buttons: Vec<_> = reply.buttons.iter().flatten().collect();
        assert!(buttons.iter().all(|button| button.line.len() <= 64));
        let next = buttons.iter().find(|button| button.label == "➡️");
        let line = next.map(|button| button.line.clone()).unwrap_or_else(|| {
            let text = town.ask(&format!("/timeline {handle} 3 {} 2023-12-09 {}", from.unwrap(), as_of.unwrap()));
            text.split("The next page: ").nth(1).unwrap().lines().next().unwrap().to_owned()
        });
        assert!(town.ask(&line).contains("25–32 of 40"), "{line}");
    }
}
