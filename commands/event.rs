//! `/event`: records that something happened.

use record::{
    entry::{Event, Said},
    lang::Text,
    reply::Reply,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, sentence,
};

/// `/event incident when | text [| link]`
pub static EVENT: Command = Command {
    name: "event",
    about: Text { en: "Record something that happened", it: "Registra qualcosa che è successo" },
    args: &[&INCIDENT.spec, &WHEN, &TEXT, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole 2023-12-20T09:00 | The portal answers again. | https://example.org/news",
    run: event,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &EVENT, compose: entry, offers: Offers::Importance };

static WHEN: Spec = Spec {
    name: "when",
    about: Text {
        en: "When it happened, on the incident's clock, as exactly as is known",
        it: "Quando è successo, nell'orario dell'incidente, con la precisione che si ha",
    },
    required: true,
    shape: Shape::When,
};
static TEXT: Spec = sentence("text", Text { en: "What happened", it: "Che cosa è successo" }, true);

fn event(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let (when, text) = (pen.when(&WHEN, &incident)?, pen.prose(&TEXT)?);
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Event(Event { when, as_of: None, text, sources, rival: None }))
}
