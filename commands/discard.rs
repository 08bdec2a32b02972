//! `/discard`: throws a draft away.

use record::{
    lang::{Lang, Text},
    private::Fact,
    reply::{Reply, Tone},
    store::{Drafted, Set},
};

use crate::{
    kit::{Ask, Command, Failure, Given, Role, Room, compose, decide},
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
    let row = room.view.draft(number)?;
    let said = vec![Drafted::Fact(Fact::Decided { draft: number, published: false, by: ask.caller.address.clone() })];
    let receipt =
        compose::write(room, ask, Set { ask: Some(compose::decision(number)), expects: Vec::new(), said, at: ask.at })?;
    if receipt.repeated
        && let Err(over) = compose::waiting(room, ask, number)?
    {
        return Ok(over);
    }
    let told = |lang: Lang| {
        let words = match draft.suggested {
            false => lang.pick("Discarded; nothing was recorded.", "Scartata: non è stato registrato nulla."),
            true => lang.pick("Not taken into the record.", "Non accolta nel registro."),
        };
        Reply { personal: false, ..Reply::personal(Tone::Plain, words) }
    };
    let mut reply = told(ask.lang);
    if let Some(row) = row.filter(|_| !receipt.repeated) {
        reply.letters = decide::decided(room, ask, &row, false, &told)?;
    }
    Ok(reply)
}
