//! `/cancel`: ends being asked for an entry part by part.

use record::{
    lang::Text,
    reply::{Reply, Tone},
};

use crate::kit::{self, Ask, Command, Failure, Given, Role, Room, dialogue};

/// `/cancel`
pub static CANCEL: Command = Command {
    name: "cancel",
    about: Text {
        en: "Stop being asked for an entry; nothing is recorded",
        it: "Interrompi le domande per una voce; non si registra nulla",
    },
    args: &[],
    who: Role::Moderator,
    manages: false,
    aliases: &["annulla"],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: cancel,
};

fn cancel(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    match dialogue::over(room, ask)? {
        Some(over) => kit::note(room, ask, over)?,
        // The same ask again, after a kill.
        None if dialogue::came_before(room, ask)?.is_some() => {}
        None => {
            return Err(Failure::refused(ask.say(
                "There is nothing to cancel: I am not asking you anything here.",
                "Non c'è nulla da annullare: qui non ti sto chiedendo nulla.",
            )));
        }
    }
    let words = ask.say("Cancelled; nothing was recorded.", "Annullato: non è stato registrato nulla.");
    Ok(Reply { personal: false, ..Reply::personal(Tone::Plain, words) })
}
