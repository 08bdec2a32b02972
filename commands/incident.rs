//! `/incident`: what happened, at a glance.

use record::{lang::Text, pages, reply::Reply};

use crate::kit::{Ask, Command, Failure, Given, INCIDENT, Role, Room, chat::with_bell};

/// `/incident incident`
pub static INCIDENT_CARD: Command = Command {
    name: "incident",
    about: Text {
        en: "An incident at a glance: state, organisations, figures, what is disputed",
        it: "Un incidente in breve: stato, organizzazioni, dati, punti controversi",
    },
    args: &[&INCIDENT.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: incident,
};

fn incident(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let card = pages::incident(&room.view, &incident, Some(ask.at), &ask.reader())?;
    with_bell(room, ask, &incident, card)
}
