//! `/discard`: throws a draft away.

use record::{
    lang::Text,
    private::Fact,
    reply::Reply,
    store::{Drafted, Set},
};

use crate::{
    kit::{Ask, Command, Failure, Given, Role, Room, compose, decide, letters},
    publish::{DRAFT, recording},
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
    sets: false,
    example: "71",
    run: discard,
};

fn discard(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    let draft = match compose::waiting(room, ask, number)? {
        Ok(draft) => draft,
        Err(over) => return Ok(over),
    };
    if let Ok(incident) = compose::incident_of(room, ask, recording(&draft.command)?, &draft) {
        decide::may_decide(ask, &incident)?;
    }
    let said = vec![Drafted::Fact(Fact::Decided { draft: number, published: false, by: ask.caller.address.clone() })];
    let receipt =
        compose::write(room, ask, Set { ask: Some(compose::decision(number)), expects: Vec::new(), said, at: ask.at })?;
    if receipt.repeated
        && let Err(over) = compose::waiting(room, ask, number)?
    {
        return Ok(over);
    }
    Ok(letters::discarded(ask, draft.suggested, None))
}
