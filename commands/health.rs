//! `/health`: how the bot is, for those who own it.

use record::{
    lang::Text,
    reply::{Block, Line, Reply, Tone},
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room};

/// `/health`
pub static HEALTH: Command = Command {
    name: "health",
    about: Text {
        en: "How I am: store, disk, backups, deliveries, doors",
        it: "Come sto: archivio, disco, copie, consegne, porte",
    },
    args: &[],
    who: Role::Owner,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: health,
};

fn health(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let vitals = (room.house.vitals.0)(ask.lang);
    let tone = if vitals.iter().all(|vital| vital.well) { Tone::Good } else { Tone::Alarm };
    let title = Line::new().strong(match tone {
        Tone::Good => ask.say("All is well", "Va tutto bene"),
        _ => ask.say("Something is wrong", "Qualcosa non va"),
    });
    let mut reply = Reply { tone, personal: true, ..Reply::titled(title) };
    for vital in vitals {
        let mark = if vital.well { "" } else { "⚠️ " };
        reply.blocks.push(Block::Text(Line::new().strong(format!("{mark}{}: ", vital.what)).text(vital.how)));
    }
    for door in &room.house.doors {
        reply.blocks.push(Block::Text(Line::new().strong(format!("{}: ", door.name)).text(door.state.get(ask.lang))));
    }
    Ok(reply)
}
