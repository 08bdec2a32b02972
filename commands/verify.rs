//! `/verify`: that an incident's record is what was recorded, and the hash by which anybody can tell later.

use record::{
    lang::Text,
    reply::{Line, Reply, Tone},
};

use crate::kit::{Ask, Command, Failure, Given, INCIDENT, Role, Room};

/// How many entries are followed at most: an answer must not take long.
const MOST: u32 = 2_000;

/// `/verify incident`
pub static VERIFY: Command = Command {
    name: "verify",
    about: Text {
        en: "Check that nothing in an incident's record was changed",
        it: "Controlla che nel registro di un incidente non sia cambiato nulla",
    },
    args: &[&INCIDENT.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: verify,
};

fn verify(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let chain = room.view.chain(&incident, MOST)?;
    let title = Line::new().strong(incident.opening.title.plain(ask.lang));
    if let Some(number) = chain.broken {
        let words = ask.say(
            format!("Entry {} is not as it was recorded, so do not rely on it or on what follows. My owners find it with “strillone check”.", incident.name(number)),
            format!("La voce {} non è più com'era stata registrata: non fidarti di quella né di ciò che segue. Chi mi possiede la trova con «strillone check».", incident.name(number)),
        );
        return Ok(Reply { tone: Tone::Alarm, ..Reply::titled(title) }.say(words));
    }
    let (last, followed) = (incident.last, chain.followed);
    let words = match (last, followed == last) {
        (1, _) => ask.say(
            "Its one entry is as it was recorded.".to_owned(),
            "L'unica voce è com'è stata registrata.".to_owned(),
        ),
        (_, true) => ask.say(
            format!("All {last} entries are as they were recorded, in the same order."),
            format!("Tutte le {last} voci sono come sono state registrate, nello stesso ordine."),
        ),
        (_, false) => ask.say(
            format!("The last {followed} of {last} entries are as they were recorded, in the same order."),
            format!("Le ultime {followed} voci di {last} sono come sono state registrate, nello stesso ordine."),
        ),
    };
    let head = Line::new()
        .text(ask.say("The head of the chain, at ", "La testa della catena, a "))
        .strong(incident.name(last).to_string())
        .text(": ")
        .code(chain.head.to_string());
    Ok(Reply { tone: Tone::Good, ..Reply::titled(title) }.say(words).say(head).note(ask.say(
        "Keep this hash: whoever has it can tell from any later export whether something before it was changed. docs/FORMAT.md says how.",
        "Conserva questo hash: chi lo ha può capire da qualsiasi esportazione successiva se qualcosa prima è stato cambiato. docs/FORMAT.md spiega come.",
    )))
}
