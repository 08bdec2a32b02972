//! `/claim`: records something that may or may not be so; who says so, and who says not so, `/statement` records.

use record::{claim::Claim, entry::Said, lang::Text, reply::Reply};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Spec, compose, sentence,
};

/// `/claim incident text [| link]`
pub static CLAIM: Command = Command {
    name: "claim",
    about: Text { en: "Record something that may or may not be so", it: "Registra qualcosa che può essere vero o no" },
    args: &[&INCIDENT.spec, &TEXT, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole A ransom was asked for. | https://example.org/news",
    run: claim,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &CLAIM, compose: entry, offers: Offers::Importance };

static TEXT: Spec =
    sentence("text", Text { en: "The claim, in one sentence", it: "L'affermazione, in una frase" }, true);

fn claim(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let text = pen.prose(&TEXT)?;
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Claim(Claim { text, sources }))
}
