//! `/suggest`: anybody proposes an entry; those who keep the record decide about it.

use record::{
    entry::{Event, Said},
    lang::Text,
    reply::Reply,
    view::local,
    when::When,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, read,
    sentence,
};

/// `/suggest incident | text [| link] [| when]`
pub static SUGGEST: Command = Command {
    name: "suggest",
    about: Text { en: "Propose an entry to those who keep the record", it: "Proponi una voce a chi tiene il registro" },
    args: &[&INCIDENT.spec, &TEXT, &LINK, &WHEN],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: true,
    example: "westpole | The portal of my town answers again. | https://example.org/news | 2023-12-20",
    run: suggest,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &SUGGEST, compose: entry, offers: Offers::Importance };

static TEXT: Spec = sentence("text", Text { en: "What happened", it: "Che cosa è successo" }, true);
static WHEN: Spec = Spec {
    name: "when",
    about: Text { en: "When it happened; today, if left out", it: "Quando è successo; oggi, se manca" },
    required: false,
    shape: Shape::When,
};

fn suggest(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    if ask.caller.address.is_none() && ask.caller.role < Role::Moderator {
        return Err(crate::refuse(room, ask, &SUGGEST));
    }
    compose::suggest(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let when = match pen.given(&WHEN) {
        Some(typed) => read::when(pen.ask, typed, incident.zone())?,
        None => When::day(local(pen.ask.at, incident.zone()).date()),
    };
    let text = pen.prose(&TEXT)?;
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Event(Event { when, as_of: None, text, sources, rival: None }))
}
