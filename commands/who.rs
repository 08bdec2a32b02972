//! `/who`: an organisation, and the incidents it appears in.

use record::{lang::Text, pages, reply::Reply};

use crate::kit::{Ask, Command, Failure, Given, ORGANISATION, Role, Room};

/// `/who organisation`
pub static WHO: Command = Command {
    name: "who",
    about: Text {
        en: "An organisation: what it is, and where it appears",
        it: "Un'organizzazione: che cos'è, e dove compare",
    },
    args: &[&ORGANISATION.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "PA Digitale",
    run: who,
};

fn who(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let handle = ORGANISATION.need(room, ask, given)?;
    let mut found = Vec::new();
    for incident in room.view.incidents_with(&handle)? {
        if let Some((organisation, entry)) = room.view.member(&incident, &handle)? {
            found.push((incident, organisation, entry));
        }
    }
    Ok(pages::organisation(&room.view, &found, &ask.reader())?)
}
