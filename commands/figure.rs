//! `/figure`: records a number, and who said it.

use record::{
    entry::{Figure, Said},
    lang::Text,
    party::Party,
    reply::Reply,
    view::Incident,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Spec, compose, read, sentence,
};

/// `/figure incident label | value [| said_by] [| link]`
pub static FIGURE: Command = Command {
    name: "figure",
    about: Text { en: "Record a number, and who said it", it: "Registra un numero, e chi l'ha detto" },
    args: &[&INCIDENT.spec, &LABEL, &VALUE, &SAID_BY, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole administrations hit | about 1,300 | ACN | https://example.org/news",
    run: figure,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &FIGURE, compose: entry, offers: Offers::Importance };

static LABEL: Spec = sentence("label", Text { en: "What is counted", it: "Che cosa si conta" }, true);
static VALUE: Spec = sentence(
    "value",
    Text { en: "How many, as it was said: about 1,300", it: "Quanti, come è stato detto: circa 1.300" },
    true,
);
static SAID_BY: Spec = sentence(
    "said_by",
    Text { en: "Who said so: an organisation, or a name", it: "Chi l'ha detto: un'organizzazione o un nome" },
    false,
);

fn figure(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let (label, value) = (pen.prose(&LABEL)?, pen.prose(&VALUE)?);
    let said_by = said_by(pen, &incident)?;
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Figure(Figure { label, value, as_of: None, said_by, sources, rival: None }))
}

fn said_by(pen: &Pen<'_>, incident: &Incident) -> Result<Option<Party>, Failure> {
    let Some(typed) = pen.given(&SAID_BY).filter(|typed| !read::is_unnamed(typed)) else { return Ok(None) };
    Ok(Some(match read::member(pen.room, incident, typed)? {
        Some(organisation) => Party::Organisation(organisation.handle),
        None => Party::named(&read::name(pen.ask, SAID_BY.name, typed)?),
    }))
}
