//! `/close`: records that an incident is over, and nothing more is expected.

use record::{
    entry::{Disclosure, Kind, Said, Status},
    lang::Text,
    reply::{Button, Line, Reply, Tone},
    view::Incident,
};

use crate::{
    kit::{Ask, Command, Failure, Given, INCIDENT, Offers, Pen, Recording, Role, Room, Spec, compose, sentence},
    status::{self, WHEN},
};

/// `/close incident [| text]`
pub static CLOSE: Command = Command {
    name: "close",
    about: Text {
        en: "Record that an incident is over, and nothing more is expected",
        it: "Registra che un incidente è chiuso, e non ci si aspetta altro",
    },
    args: &[&INCIDENT.spec, &TEXT],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: false,
    example: "westpole | All services are back, and the inquiries are over.",
    run: close,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &CLOSE, compose: entry, offers: Offers::Importance };

static TEXT: Spec = sentence("text", Text { en: "In words", it: "In parole" }, false);

fn close(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let mut told = compose::told(room, ask, &CLOSE, given)?;
    told.insert(WHEN.name.to_owned(), status::now(room, &incident, ask.at)?.to_string());
    compose::keep(room, ask, &RECORDING, told)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    if pen.room.view.status(&incident, None)?.1 == Some(Disclosure::Closed) {
        return Err(closed_already(pen, &incident)?);
    }
    let when = pen.when(&WHEN, &incident)?;
    let text = pen.given(&TEXT).map(|_| pen.prose(&TEXT)).transpose()?;
    let disclosure = Some(Disclosure::Closed);
    pen.write(&incident.handle, Said::Status(Status { when, service: None, disclosure, text, sources: Vec::new() }))
}

fn closed_already(pen: &Pen<'_>, incident: &Incident) -> Result<Failure, Failure> {
    let closing = pen.room.view.of_kind(incident, Kind::Status, None)?.into_iter().rev().find(|entry| {
        let closes = matches!(&entry.said, Said::Status(status) if status.disclosure == Some(Disclosure::Closed));
        closes && entry.retracted.is_none()
    });
    let (handle, ask) = (&incident.handle, pen.ask);
    let mut line = Line::new().strong(handle.as_str()).text(ask.say(" is closed already", " è già chiuso"));
    if let Some(closing) = &closing {
        line = line.text(ask.say(", with ", ", con ")).strong(closing.name.to_string());
    }
    line = line.text(". ").code(format!("/status {handle} confirmed"));
    line = line.text(ask.say(" opens it again.", " lo riapre."));
    let card = Button::new(ask.say("Incident", "Incidente"), format!("/incident {handle}"));
    Ok(Failure::Refused(Box::new(Reply::personal(Tone::Polite, line).row(card))))
}
