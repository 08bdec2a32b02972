//! `/suggestions`: what waits to be decided on, for whoever was not reached, or lost the message.

use record::{
    lang::Text,
    pages,
    reply::{Block, Button, Item, Line, Reply},
};

use crate::{
    kit::{Ask, Command, Failure, Given, Role, Room, compose, decide},
    publish::recording,
};

/// How many are shown.
const SHOWN: usize = 10;

/// `/suggestions`
pub static SUGGESTIONS: Command = Command {
    name: "suggestions",
    about: Text { en: "What was suggested and waits for a decision", it: "Le proposte che aspettano una decisione" },
    args: &[],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: suggestions,
};

fn suggestions(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let title = ask.say("Suggestions that wait", "Proposte in attesa");
    let mut reply = Reply::titled(Line::new().strong(title));
    reply.personal = true;
    let (mut buttons, mut more) = (Vec::new(), 0);
    for (number, by) in room.view.suggestions()? {
        let Some(row) = room.view.draft(number)? else { continue };
        let incident = compose::incident_of(room, ask, recording(&row.draft.command)?, &row.draft);
        let Ok(incident) = incident else { continue };
        if decide::may_decide(ask, &incident).is_err() {
            continue;
        }
        if reply.blocks.len() == SHOWN {
            more += 1;
            continue;
        }
        let text = row.draft.given.get("text").map(String::as_str).unwrap_or_default();
        let head = Line::new().strong(format!("{number}")).text(format!(" · {incident} · {by}"));
        let body = vec![Line::new().text(pages::clipped(text, 200))];
        reply.blocks.push(Block::Item(Item { head, body }));
        buttons.extend(Button::new(format!("{number}"), format!("/redraft {number}")));
    }
    if reply.blocks.is_empty() {
        return Ok(reply.say(ask.say("Nothing waits.", "Non c'è nulla in attesa.")));
    }
    if more > 0 {
        reply = reply.note(ask.say(format!("… and {more} more."), format!("… e altre {more}.")));
    }
    reply = reply.note(ask.say(
        "A number shows the entry, to approve, edit or reject it.",
        "Un numero mostra la voce, per approvarla, modificarla o rifiutarla.",
    ));
    for row in buttons.chunks(5) {
        reply = reply.row(row.iter().cloned());
    }
    Ok(reply)
}
