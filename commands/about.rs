//! `/about`: version, state, when something was last recorded.

use record::{
    lang::Text,
    reply::{Line, Reply, Span},
    spoken,
    when::When,
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room};

/// `/about`
pub static ABOUT: Command = Command {
    name: "about",
    about: Text { en: "What I am, my version, and how I am doing", it: "Che cosa sono, la mia versione, e come sto" },
    args: &[],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: about,
};

fn about(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let title = format!("Strillone {}", room.house.version);
    let mut reply = Reply::titled(Line::new().strong(title)).say(ask.say(
        "I keep the public record of incidents and answer from it, each sentence with its source.",
        "Tengo il registro pubblico degli incidenti e rispondo da lì, ogni frase con la sua fonte.",
    ));
    let (incidents, entries) = counts(room)?;
    let incidents_en = if incidents == 1 { "1 incident".to_owned() } else { format!("{incidents} incidents") };
    let incidents_it = if incidents == 1 { "1 incidente".to_owned() } else { format!("{incidents} incidenti") };
    let entries_en = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    let entries_it = if entries == 1 { "1 voce".to_owned() } else { format!("{entries} voci") };
    let mut line = Line::new().text(ask.say(
        format!("On record: {incidents_en}, {entries_en}."),
        format!("In registro: {incidents_it}, {entries_it}."),
    ));
    if let Some(at) = room.view.last_recorded()? {
        let zone = ask.zone.unwrap_or(chrono_tz::Tz::UTC);
        let local = When::minute(at.with_timezone(&zone).naive_local());
        let text = spoken::when(&local, ask.lang);
        let words = ask.say(" Last recorded: ", " Ultima registrazione: ");
        line = line.text(words).span(Span::Time { text, at: at.timestamp() }).text(format!(" ({zone})."));
    }
    reply = reply.say(line);
    let read_only = room.store.read_only();
    reply = reply.say(match &read_only {
        None => ask.say("My store is in order.", "Il mio archivio è in ordine."),
        Some(_) => ask.say(
            "My store is damaged: I can be read, and nothing new is written down until my operators have mended it.",
            "Il mio archivio è danneggiato: si può leggere, ma non si scrive nulla finché chi mi gestisce non lo avrà riparato.",
        ),
    });
    for door in &room.house.doors {
        reply = reply.say(Line::new().strong(door.name).text(format!(": {}", door.state.get(ask.lang))));
    }
    Ok(reply)
}

fn counts(room: &Room<'_>) -> Result<(usize, u64), Failure> {
    let incidents = room.view.incidents()?;
    let entries = incidents.iter().map(|incident| u64::from(incident.last)).sum();
    Ok((incidents.len(), entries))
}
