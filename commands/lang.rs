//! `/lang`: in which language to answer here.

use record::{
    lang::{Lang, Text},
    private::Fact,
    reply::{Button, Chosen, Line, Reply, Tone},
    slug::folded,
};

use crate::kit::{self, Arg, Ask, Choice, Command, Failure, Given, Role, Room, Shape, Spec};

/// `/lang [language]`
pub static LANG: Command = Command {
    name: "lang",
    about: Text { en: "In which language I answer here", it: "In quale lingua rispondo qui" },
    args: &[&LANGUAGE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "it",
    run: lang,
};

static LANGUAGE: Arg<Lang> = Arg {
    spec: Spec {
        name: "language",
        about: Text { en: "en or it", it: "en o it" },
        required: false,
        shape: Shape::Choice(&[
            Choice { code: "en", text: Text { en: "English", it: "inglese" } },
            Choice { code: "it", text: Text { en: "Italian", it: "italiano" } },
        ]),
    },
    read: read_lang,
};

fn lang(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let Some(lang) = LANGUAGE.of(room, ask, given)? else { return Ok(current(ask)) };
    may_choose(ask)?;
    if let Some(address) = ask.place.address.clone() {
        kit::note(room, ask, Fact::Setting { address, lang: Some(lang), zone: None })?;
    }
    let words = match lang {
        Lang::En => "I answer in English from now on.",
        Lang::It => "D'ora in poi rispondo in italiano.",
    };
    let mut reply = Reply::personal(Tone::Good, words);
    reply.chosen = Some(Chosen { lang: Some(lang), zone: None });
    Ok(reply)
}

fn current(ask: &Ask) -> Reply {
    let reply = Reply::personal(
        Tone::Plain,
        ask.say("I answer in English here. To change that:", "Qui rispondo in italiano. Per cambiare:"),
    );
    reply.row(Lang::ALL.into_iter().filter_map(|lang| Button::new(lang.name(), format!("/lang {lang}"))))
}

fn read_lang(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<Lang, Failure> {
    let wanted = folded(typed);
    let named = Lang::ALL.into_iter().find(|lang| {
        let names: &[&str] = match lang {
            Lang::En => &["en", "english", "inglese"],
            Lang::It => &["it", "italian", "italiano"],
        };
        names.contains(&wanted.as_str())
    });
    named.or_else(|| Lang::parse(typed)).ok_or_else(|| {
        let words = ask.say("I speak English (en) and Italian (it), not ", "Parlo inglese (en) e italiano (it), non ");
        Failure::refused(Line::new().text(words).strong(typed).text("."))
    })
}

/// In a chat with others, only those who manage it choose for all.
pub(crate) fn may_choose(ask: &Ask) -> Result<(), Failure> {
    if !ask.place.shared || ask.place.manages {
        return Ok(());
    }
    Err(Failure::refused(ask.say(
        "Here that is for those who manage this chat. In a private chat with me you choose for yourself.",
        "Qui lo può chiedere solo chi gestisce questa chat. In una chat privata con me scegli tu.",
    )))
}
