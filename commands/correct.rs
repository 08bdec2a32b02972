//! `/correct`: puts an entry's text right; how it read before stays in the record.

use record::{
    entry::{Correction, Level, Ref, Said},
    lang::Text,
    reply::{Line, Reply},
    view::Incident,
};

use crate::{
    kit::{
        Ask, Command, ENTRY, Failure, Given, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, read, sentence,
    },
    promise,
};

/// `/correct entry | text | what [| when]`
pub static CORRECT: Command = Command {
    name: "correct",
    about: Text {
        en: "Put an entry right; how it read before stays on record",
        it: "Correggi una voce; com'era prima resta nel registro",
    },
    args: &[&ENTRY.spec, &TEXT, &WHAT, &WHEN],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: false,
    example: "westpole#14 | The portal answers again since 09:30. | the time was wrong",
    run: correct,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &CORRECT, compose: entry, offers: Offers::Level };

static TEXT: Spec = sentence(
    "text",
    Text {
        en: "How its text should read, whole; = if it stays",
        it: "Il testo come deve essere, per intero; = se resta",
    },
    true,
);
static WHAT: Spec = sentence(
    "what",
    Text { en: "What changed, in a few words for readers", it: "Che cosa cambia, in poche parole per chi legge" },
    true,
);

static WHEN: Spec = Spec {
    name: "when",
    about: Text {
        en: "Its date, if that was wrong; of a promise, by when",
        it: "La data, se era sbagliata; di una promessa, entro quando",
    },
    required: false,
    shape: Shape::When,
};
/// Stands for a text that stays as it is.
const STAYS: &str = "=";

fn correct(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let (incident, entry) = pen.subject()?;
    let (text, when) = (pen.given(&TEXT) != Some(STAYS), pen.given(&WHEN).is_some());
    if !text && !when {
        return Err(nothing(pen.ask));
    }
    let now = if text { with_text(pen, entry.said)? } else { entry.said };
    let now = Box::new(if when { with_date(pen, &incident, now)? } else { now });
    let (level, importance) = (pen.draft.level.unwrap_or(Level::Correction), pen.draft.importance);
    let subject = Ref::Number(entry.name.number);
    let said = Correction { subject, now, what: pen.prose(&WHAT)?, level, importance, known: None };
    pen.write_as(&incident.handle, importance.unwrap_or(entry.importance), Said::Correction(said))
}

/// What is said, with another date.
fn with_date(pen: &Pen<'_>, incident: &Incident, mut said: Said) -> Result<Said, Failure> {
    match &mut said {
        Said::Statement(it) if it.promises.is_some() => {
            let by = pen.ahead(&WHEN, incident)?;
            // Its words say by when.
            if pen.given(&TEXT) == Some(STAYS) {
                it.gist = promise::gist(&by, incident)?;
            }
            it.promises = Some(by);
        }
        Said::Event(it) => it.when = pen.when(&WHEN, incident)?,
        Said::Statement(it) => it.date = pen.when(&WHEN, incident)?,
        Said::Status(it) => it.when = pen.when(&WHEN, incident)?,
        Said::Figure(it) => it.as_of = Some(pen.when(&WHEN, incident)?),
        Said::Source(it) => it.date = Some(pen.when(&WHEN, incident)?),
        Said::Claim(_) | Said::Organisation(_) | Said::Opening(_) | Said::Correction(_) | Said::Retraction(_) => {
            return Err(Failure::refused(pen.ask.say(
                "An entry of this kind has no date that could be put right.",
                "Una voce di questo tipo non ha una data da correggere.",
            )));
        }
    }
    Ok(said)
}

fn nothing(ask: &Ask) -> Failure {
    let words = ask.say(
        "The text stays, and no date is given: nothing would be corrected. Add the right date, as in ",
        "Il testo resta e non c'è una data: non si correggerebbe nulla. Aggiungi la data giusta, come in ",
    );
    Failure::refused(
        Line::new()
            .text(words)
            .code(ask.say(
                "/correct acme#3 | = | wrong day | 2023-12-08",
                "/correct acme#3 | = | giorno sbagliato | 2023-12-08",
            ))
            .text("."),
    )
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
