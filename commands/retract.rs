//! `/retract`: takes an entry back; it stays in the record, struck out.

use record::{
    entry::{Kind, Ref, Retraction, Said},
    lang::Text,
    reply::{Line, Reply},
};

use crate::kit::{Ask, Command, ENTRY, Failure, Given, Offers, Pen, Recording, Role, Room, Spec, compose, sentence};

/// `/retract entry | why`
pub static RETRACT: Command = Command {
    name: "retract",
    about: Text {
        en: "Take an entry back; it stays on record, struck out",
        it: "Ritratta una voce; resta nel registro, barrata",
    },
    args: &[&ENTRY.spec, &WHY],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: false,
    example: "westpole#14 | it was another company's portal",
    run: retract,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &RETRACT, compose: entry, offers: Offers::Nothing };

static WHY: Spec =
    sentence("why", Text { en: "Why, in words for readers", it: "Perché, in parole per chi legge" }, true);

fn retract(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let (incident, entry) = pen.subject()?;
    let name = entry.name.to_string();
    if entry.said.kind() == Kind::Opening {
        let words = pen.ask.say(
            " opens its incident and cannot be retracted. Its title can be put right with ",
            " apre il suo incidente e non si può ritrattare. Il titolo si corregge con ",
        );
        let correct = format!("/correct {name} | … | …");
        return Err(Failure::refused(Line::new().strong(name).text(words).code(correct).text(".")));
    }
    let said = Retraction { subject: Ref::Number(entry.name.number), why: pen.prose(&WHY)? };
    pen.write_as(&incident.handle, entry.importance, Said::Retraction(said))
}
