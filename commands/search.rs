//! `/search`: entries that hold some words.

use record::{lang::Text, pages, reply::Reply, view::Incident};

use crate::kit::{Arg, Ask, Command, Failure, Given, INCIDENT, PAGE, Role, Room, Shape, Spec};

/// `/search words [incident] [page]`
pub static SEARCH: Command = Command {
    name: "search",
    about: Text {
        en: "Entries with these words, in one incident or in all",
        it: "Voci con queste parole, in un incidente o in tutti",
    },
    args: &[&WORDS.spec, &WITHIN.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "firewall incident:westpole",
    run: search,
};

static WORDS: Arg<String> = Arg {
    spec: Spec {
        name: "words",
        about: Text {
            en: "The words; case and accents do not matter",
            it: "Le parole; maiuscole e accenti non contano",
        },
        required: true,
        shape: Shape::Words,
    },
    read: |_, _, typed| Ok(typed.to_owned()),
};

static WITHIN: Arg<Incident> = Arg {
    spec: Spec { required: false, name: "incident", about: INCIDENT_ABOUT, shape: Shape::Incident },
    read: |room, ask, typed| (INCIDENT.read)(room, ask, typed),
};

const INCIDENT_ABOUT: Text = Text { en: "Only in this incident", it: "Solo in questo incidente" };

fn search(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let words = WORDS.need(room, ask, given)?;
    let within = WITHIN.of(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    Ok(pages::search(&room.view, &words, within.as_ref(), page, &ask.reader())?)
}
