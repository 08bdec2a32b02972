//! `/promise`: records that an update was promised, and by when.

use record::{
    entry::Said,
    lang::{Lang, Prose, Text},
    party::Capacity,
    reply::{Line, Reply},
    spoken,
    statement::Statement,
    view::{Incident, local},
    when::{Point, Stamp, When},
};

use crate::{
    kit::{
        Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, named,
    },
    statement::speaker,
};

/// `/promise incident when [| who] [| link]`
pub static PROMISE: Command = Command {
    name: "promise",
    about: Text {
        en: "Record that an update was promised, and by when",
        it: "Registra un aggiornamento promesso, ed entro quando",
    },
    args: &[&INCIDENT.spec, &WHEN, &WHO, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole 2030-12-14T18:00 | PA Digitale | https://example.org/news",
    run: promise,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &PROMISE, compose: entry, offers: Offers::Importance };

static WHEN: Spec = Spec {
    name: "when",
    about: Text {
        en: "By when it was promised, on the incident's clock",
        it: "Entro quando è promesso, nell'orario dell'incidente",
    },
    required: true,
    shape: Shape::Ahead,
};
static WHO: Spec = named(
    "who",
    Text {
        en: "Who promised it, as in /statement: an organisation, or a name; unnamed, if left out",
        it: "Chi l'ha promesso, come in /statement: un'organizzazione o un nome; se manca, fonti anonime",
    },
    false,
);
/// When it was promised: the day of the draft, kept under its name, so that what is shown is what is recorded.
const MADE: &str = "made";

fn promise(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let mut told = compose::told(room, ask, &PROMISE, given)?;
    told.insert(MADE.to_owned(), now(ask, &incident).to_string());
    compose::keep(room, ask, &RECORDING, told)
}

fn now(ask: &Ask, incident: &Incident) -> When {
    When::minute(local(ask.at, incident.zone()))
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let date = pen.draft.given.get(MADE).and_then(|made| made.parse().ok());
    let date: When = date.unwrap_or_else(|| now(pen.ask, &incident));
    let by = pen.ahead(&WHEN, &incident)?;
    // A draft may be published when what it promises is due already: that is no less so.
    match by.latest() {
        None => return Err(no_end(pen.ask)),
        Some(latest) if date.earliest().is_some_and(|made| latest <= made) => return Err(past(pen.ask, &by)),
        Some(_) => {}
    }
    let (speaker, capacity) = match pen.given(&WHO) {
        Some(_) => speaker(pen, &incident, &WHO)?,
        None => (None, Capacity::Unnamed),
    };
    let sources = pen.sources(&incident)?;
    let (published_by, as_of, quote, claims) = (None, None, None, Vec::new());
    let (gist, promises) = (gist(&by, &incident)?, Some(by));
    let said = Statement { speaker, capacity, published_by, date, as_of, gist, quote, promises, sources, claims };
    pen.write(&incident.handle, Said::Statement(said))
}

/// "Promised an update by 14 December 2023, 18:00 (Europe/Rome)." Readers have clocks of their own, so it names its zone.
pub(crate) fn gist(by: &When, incident: &Incident) -> Result<Prose, Failure> {
    let clock = if by.has_clock() { format!(" ({})", incident.zone()) } else { String::new() };
    let (en, it) = (spoken::by(by, Lang::En), spoken::by(by, Lang::It));
    let gist =
        Prose::both(format!("Promised an update {en}{clock}."), format!("Ha promesso un aggiornamento {it}{clock}."));
    gist.map_err(|not| Failure::Broke(format!("what is promised cannot be said: {not}")))
}

fn past(ask: &Ask, by: &When) -> Failure {
    let line = Line::new().strong(spoken::when(by, ask.lang));
    Failure::refused(line.text(ask.say(
        " is past already. An update is promised for a time to come.",
        " è già passato. Un aggiornamento si promette per un momento che deve ancora venire.",
    )))
}

fn no_end(ask: &Ask) -> Failure {
    let by = When::At(Point { stamp: Stamp::Day(local(ask.at, chrono_tz::UTC).date()), about: false });
    let words = ask.say(
        "A promise needs a time by which it is due, such as ",
        "Serve un momento entro il quale l'aggiornamento è promesso, come ",
    );
    Failure::refused(Line::new().text(words).code(by.to_string()).text("."))
}
