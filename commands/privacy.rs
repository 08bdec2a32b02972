//! `/privacy`: what is kept about a person.

use record::{
    lang::Text,
    reply::{Line, Reply},
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room};

/// `/privacy`
pub static PRIVACY: Command = Command {
    name: "privacy",
    about: Text { en: "What I keep about you", it: "Che cosa conservo su di te" },
    args: &[],
    who: Role::Reader,
    manages: false,
    example: "",
    run: privacy,
};

fn privacy(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let mut reply = Reply::titled(Line::new().strong(ask.say("What I keep about you", "Che cosa conservo su di te")));
    reply.personal = true;
    let reply = reply.say(ask.say(
        "Asking leaves no trace: I answer and keep nothing, neither your question nor your name.",
        "Chiedere non lascia traccia: rispondo e non conservo nulla, né la domanda né il tuo nome.",
    ));
    let reply = reply.say(ask.say(
        "If you choose a language or a time zone, I keep that choice with the number of this chat. If you write in the record, it names you by a random word; who stands behind it is kept apart and never exported.",
        "Se scegli una lingua o un fuso orario, conservo la scelta con il numero di questa chat. Se scrivi nel registro, vi compari con una parola casuale; chi c'è dietro è conservato a parte e non viene mai esportato.",
    ));
    let reply = reply.say(ask.say(
        "So that a command that reaches me twice is carried out once, I remember the numbers of commands that changed something for 8 days. The journal of what was recorded is kept for good.",
        "Perché un comando arrivato due volte sia eseguito una volta sola, ricordo per 8 giorni i numeri dei comandi che hanno cambiato qualcosa. Il giornale delle registrazioni si conserva per sempre.",
    ));
    Ok(reply.say(here(room, ask)?))
}

/// What is kept about the asker at this moment.
fn here(room: &Room<'_>, ask: &Ask) -> Result<Line, Failure> {
    let mut kept = Vec::new();
    if let Some(place) = &ask.place.address {
        let choice = room.view.choice(place)?;
        kept.extend(
            choice
                .lang
                .map(|lang| ask.say(format!("the language {}", lang.name()), format!("la lingua {}", lang.name()))),
        );
        kept.extend(choice.zone.map(|zone| ask.say(format!("the time zone {zone}"), format!("il fuso orario {zone}"))));
    }
    if let Some(address) = &ask.caller.address
        && let Some(author) = room.view.author(address)?
    {
        kept.push(
            ask.say(
                format!("your name in the record, {}", author.0),
                format!("il tuo nome nel registro, {}", author.0),
            ),
        );
    }
    Ok(match kept.is_empty() {
        true => {
            ask.say("At this moment I keep nothing about you.", "In questo momento non conservo nulla su di te.").into()
        }
        false => ask
            .say(
                format!("At this moment I keep: {}.", kept.join(", ")),
                format!("In questo momento conservo: {}.", kept.join(", ")),
            )
            .into(),
    })
}
