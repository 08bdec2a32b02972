//! `/history`: how an entry read before, or what was corrected and retracted in an incident.

use record::{lang::Text, pages, reply::Reply};

use crate::kit::{Ask, Command, ENTRY, Failure, Given, INCIDENT, PAGE, Role, Room, Shape, Spec};

/// `/history entry [page]`
pub static HISTORY: Command = Command {
    name: "history",
    about: Text {
        en: "How an entry read before it was corrected, and why",
        it: "Com'era una voce prima di essere corretta, e perché",
    },
    args: &[&OF, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole#14",
    run: history,
};

static OF: Spec = Spec {
    name: "entry",
    about: Text {
        en: "The entry, such as westpole#14, or a whole incident",
        it: "La voce, come westpole#14, oppure un intero incidente",
    },
    required: true,
    shape: Shape::Entry,
};

fn history(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    let typed = given.get(OF.name).unwrap_or_default();
    if typed.contains('#') {
        let (incident, entry) = (ENTRY.read)(room, ask, typed)?;
        return Ok(pages::history(&room.view, &incident, &entry, page, &ask.reader())?);
    }
    let incident = (INCIDENT.read)(room, ask, typed)?;
    Ok(pages::changes(&room.view, &incident, page, &ask.reader())?)
}
