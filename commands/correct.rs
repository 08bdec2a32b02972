//! `/correct`: puts an entry's text right; how it read before stays in the record.

use record::{
    entry::{Correction, Level, Ref, Said},
    lang::Text,
    reply::Reply,
};

use crate::kit::{
    Ask, Command, ENTRY, Failure, Given, Offers, Pen, Recording, Role, Room, Spec, compose, read, sentence,
};

/// `/correct entry | text | what`
pub static CORRECT: Command = Command {
    name: "correct",
    about: Text {
        en: "Put an entry right; how it read before stays on record",
        it: "Correggi una voce; com'era prima resta nel registro",
    },
    args: &[&ENTRY.spec, &TEXT, &WHAT],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    example: "westpole#14 | The portal answers again since 09:30. | the time was wrong",
    run: correct,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &CORRECT, compose: entry, offers: Offers::Level };

static TEXT: Spec =
    sentence("text", Text { en: "How its text should read, whole", it: "Il testo come deve essere, per intero" }, true);
static WHAT: Spec = sentence(
    "what",
    Text { en: "What changed, in a few words for readers", it: "Che cosa cambia, in poche parole per chi legge" },
    true,
);

fn correct(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let (incident, entry) = pen.subject()?;
    let now = Box::new(with_text(pen, entry.said)?);
    let (level, importance) = (pen.draft.level.unwrap_or(Level::Correction), pen.draft.importance);
    let subject = Ref::Number(entry.name.number);
    let said = Correction { subject, now, what: pen.prose(&WHAT)?, level, importance, known: None };
    pen.write_as(&incident.handle, importance.unwrap_or(entry.importance), Said::Correction(said))
}

/// What is said, with its main text replaced.
fn with_text(pen: &Pen<'_>, mut said: Said) -> Result<Said, Failure> {
    match &mut said {
        Said::Event(it) => it.text = pen.prose(&TEXT)?,
        Said::Statement(it) => it.gist = pen.prose(&TEXT)?,
        Said::Claim(it) => it.text = pen.prose(&TEXT)?,
        Said::Figure(it) => it.value = pen.prose(&TEXT)?,
        Said::Status(it) => it.text = Some(pen.prose(&TEXT)?),
        Said::Organisation(it) => it.about = Some(pen.prose(&TEXT)?),
        Said::Opening(it) => it.title = pen.title(&TEXT)?,
        Said::Source(it) => it.title = Some(read::name(pen.ask, TEXT.name, pen.need(&TEXT)?)?),
        // A pen gives out no such subject.
        Said::Correction(_) | Said::Retraction(_) => {}
    }
    Ok(said)
}
