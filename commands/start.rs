//! `/start`: the first word to somebody new, or straight to an incident.

use record::{
    lang::Text,
    pages,
    reply::{Button, Line, Reply},
    view::Incident,
};

use crate::kit::{Arg, Ask, Command, Failure, Given, INCIDENT, Role, Room, Shape, Spec, chat::with_bell};

/// `/start [handle]`
pub static START: Command = Command {
    name: "start",
    about: Text {
        en: "Begin here, or go straight to an incident",
        it: "Si comincia da qui, o si va subito a un incidente",
    },
    args: &[&HANDLE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: start,
};

static HANDLE: Arg<Incident> = Arg {
    spec: Spec {
        name: "handle",
        about: Text { en: "The incident to show", it: "L'incidente da mostrare" },
        required: false,
        shape: Shape::Incident,
    },
    read: |room, ask, typed| (INCIDENT.read)(room, ask, typed),
};

fn start(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    if let Some(incident) = HANDLE.of(room, ask, given)? {
        let card = pages::incident(&room.view, &incident, Some(ask.at), &ask.reader())?;
        return with_bell(room, ask, &incident, card);
    }
    let reply = Reply::titled(Line::new().strong(ask.say("I am Strillone.", "Sono Strillone."))).say(ask.say(
        "I keep the public record of incidents: what happened and when, who said what, and where it stands. Every sentence comes with its source, and where sources differ you see both.",
        "Tengo il registro pubblico degli incidenti: che cosa è successo e quando, chi ha detto che cosa, e dove sta scritto. Ogni frase ha la sua fonte, e dove le fonti differiscono le vedi entrambe.",
    ));
    let mut latest = room.view.incidents()?;
    latest.sort_by_key(|incident| std::cmp::Reverse(incident.last_at));
    let reply = match latest.first() {
        Some(incident) => {
            let words = ask.say("Try ", "Prova ");
            reply.say(Line::new().text(words).code(format!("/timeline {}", incident.handle)).text(ask.say(
                ", or /help for everything I can be asked.",
                ", oppure /help per tutto quello che mi si può chiedere.",
            )))
        }
        None => reply.say(ask.say(
            "Nothing is on record yet. /help tells what I can be asked.",
            "Il registro è ancora vuoto. /help dice che cosa mi si può chiedere.",
        )),
    };
    let to_incidents = latest.iter().take(3).filter_map(|incident| {
        Button::new(incident.opening.title.plain(ask.lang), format!("/incident {}", incident.handle))
    });
    Ok(reply.row(to_incidents.collect::<Vec<_>>()))
}
