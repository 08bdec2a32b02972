//! `/discard`: throws a draft away.

use record::{
    lang::Text,
    private::Fact,
    reply::{Reply, Tone},
    store::{Drafted, Set},
};

use crate::{
    kit::{Ask, Command, Failure, Given, Role, Room, compose},
    publish::{DRAFT, decision},
};

/// `/discard draft`
pub static DISCARD: Command = Command {
    name: "discard",
    about: Text { en: "Throw a draft away; nothing is recorded", it: "Scarta una bozza; non si registra nulla" },
    args: &[&DRAFT.spec],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    example: "71",
    run: discard,
};

fn discard(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    if let Err(over) = compose::waiting(room, ask, number)? {
        return Ok(over);
    }
    let said = vec![Drafted::Fact(Fact::Decided { draft: number, published: false })];
    let receipt =
        compose::write(room, ask, Set { ask: Some(decision(number)), expects: Vec::new(), said, at: ask.at })?;
    if receipt.repeated
        && let Err(over) = compose::waiting(room, ask, number)?
    {
        return Ok(over);
    }
    let words = ask.say("Discarded; nothing was recorded.", "Scartata: non è stato registrato nulla.");
    Ok(Reply { personal: false, ..Reply::personal(Tone::Plain, words) })
}
