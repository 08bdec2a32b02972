//! `/claims`: who says so and who says not so, side by side.

use record::{lang::Text, pages, reply::Reply};

use crate::kit::{Ask, Command, Failure, Given, INCIDENT, PAGE, Role, Room};

/// `/claims incident [page]`
pub static CLAIMS: Command = Command {
    name: "claims",
    about: Text {
        en: "What is claimed, by whom, and where sources differ",
        it: "Che cosa si afferma, chi lo dice, dove le fonti differiscono",
    },
    args: &[&INCIDENT.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: claims,
};

fn claims(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    Ok(pages::claims(&room.view, &incident, page, &ask.reader())?)
}
