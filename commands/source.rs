//! `/source`: records where something can be read.

use record::{
    entry::Said,
    lang::Text,
    reply::{Line, Reply},
    source::Source,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, named, read,
};

/// `/source incident link [| publisher] [| title] [| date]`
pub static SOURCE: Command = Command {
    name: "source",
    about: Text { en: "Record where something can be read", it: "Registra dove si può leggere qualcosa" },
    args: &[&INCIDENT.spec, &LINK, &PUBLISHER, &TITLE, &DATE],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole https://example.org/news | Example | The title as published | 2023-12-20",
    run: source,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &SOURCE, compose: entry, offers: Offers::Nothing };

static LINK: Spec = Spec {
    name: "link",
    about: Text { en: "Its web address", it: "Il suo indirizzo web" },
    required: true,
    shape: Shape::Link,
};
static PUBLISHER: Spec = named(
    "publisher",
    Text {
        en: "Who published it; the site's name, if left out",
        it: "Chi l'ha pubblicata; se manca, il nome del sito",
    },
    false,
);
static TITLE: Spec =
    named("title", Text { en: "Its title, as published", it: "Il titolo, com'è stato pubblicato" }, false);
static DATE: Spec = Spec {
    name: "date",
    about: Text { en: "When it was published, if that is known", it: "Quando è uscita, se si sa" },
    required: false,
    shape: Shape::When,
};

fn source(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let link = read::link(pen.ask, pen.need(&LINK)?)?;
    if let Some(number) = pen.room.view.source_at(&incident, &link)? {
        let words = pen.ask.say("That source is recorded already, as ", "Questa fonte è già nel registro, come ");
        return Err(Failure::refused(Line::new().text(words).strong(incident.name(number).to_string()).text(".")));
    }
    let publisher = pen.given(&PUBLISHER).map(|typed| read::name(pen.ask, PUBLISHER.name, typed)).transpose()?;
    let title = pen.given(&TITLE).map(|typed| read::name(pen.ask, TITLE.name, typed)).transpose()?;
    let date = pen.given(&DATE).map(|_| pen.when(&DATE, &incident)).transpose()?;
    let bare = compose::bare_source(link);
    let publisher = publisher.unwrap_or_else(|| bare.publisher.clone());
    pen.write(&incident.handle, Said::Source(Source { publisher, title, date, ..bare }))
}
