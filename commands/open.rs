//! `/open`: opens an incident.

use chrono_tz::Tz;
use record::{
    entry::{Opening, Said},
    lang::Text,
    reply::{Line, Reply},
};

use crate::kit::{Ask, Command, Failure, Given, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, named, read};

/// `/open handle | title`
pub static OPEN: Command = Command {
    name: "open",
    about: Text { en: "Open a new incident", it: "Apri un nuovo incidente" },
    args: &[&HANDLE, &TITLE],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: false,
    example: "acme | Outage at Acme",
    run: open,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &OPEN, compose: entry, offers: Offers::Nothing };

static HANDLE: Spec = Spec {
    name: "handle",
    about: Text {
        en: "The short name it will be called by: a-z, 0-9 and -, at most 32",
        it: "Il nome breve con cui si chiamerà: a-z, 0-9 e -, al massimo 32",
    },
    required: true,
    shape: Shape::Word,
};
static TITLE: Spec = named("title", Text { en: "Its title", it: "Il titolo" }, true);

/// Not an argument: the clock of whoever opens it, kept so that another publisher's does not take its place.
const ZONE: &str = "zone";

/// Means every incident wherever an incident can be named.
const ALL: &str = "all";

fn open(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let mut given = compose::told(room, ask, &OPEN, given)?;
    given.insert(ZONE.to_owned(), ask.zone.unwrap_or(Tz::Europe__Rome).name().to_owned());
    compose::keep(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let handle = read::handle(pen.ask, pen.need(&HANDLE)?)?;
    let taken = match handle.as_str() {
        ALL => Some(pen.ask.say(
            " means every incident. Please choose another handle.",
            " vuol dire tutti gli incidenti. Scegli un altro nome breve.",
        )),
        other => pen.room.view.incident(other)?.map(|_| {
            pen.ask.say(
                " is the handle of another incident. Please choose another.",
                " è già il nome breve di un altro incidente. Scegline un altro.",
            )
        }),
    };
    if let Some(words) = taken {
        return Err(Failure::refused(Line::new().strong(handle.as_str()).text(words)));
    }
    let zone = pen.draft.given.get(ZONE).and_then(|zone| zone.parse().ok()).unwrap_or(Tz::Europe__Rome);
    let title = pen.title(&TITLE)?;
    pen.write(&handle, Said::Opening(Opening { title, summary: None, zone }))
}
