//! `/affected`: who is hit by an incident, and who supplies them.

use record::{lang::Text, pages, reply::Reply};

use crate::kit::{Ask, Command, Failure, Given, INCIDENT, PAGE, Role, Room};

/// `/affected incident [page]`
pub static AFFECTED: Command = Command {
    name: "affected",
    about: Text {
        en: "Who is hit by an incident, and what they last said",
        it: "Chi è colpito da un incidente, e che cosa ha detto per ultimo",
    },
    args: &[&INCIDENT.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: affected,
};

fn affected(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    Ok(pages::affected(&room.view, &incident, page, &ask.reader())?)
}
