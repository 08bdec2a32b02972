//! `/privacy`: what is kept about a person.

use record::{
    channel::{Channel, Network},
    lang::Text,
    reply::{Line, Reply},
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room, dialogue};

/// `/privacy`
pub static PRIVACY: Command = Command {
    name: "privacy",
    about: Text { en: "What I keep about you", it: "Che cosa conservo su di te" },
    args: &[],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: privacy,
};

fn privacy(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let mut reply = Reply::titled(Line::new().strong(ask.say("What I keep about you", "Che cosa conservo su di te")));
    reply.personal = true;
    let reply = reply.say(ask.say(
        "Asking about incidents leaves no trace: I answer and keep nothing, neither your question nor your name.",
        "Chiedere degli incidenti non lascia traccia: rispondo e non conservo nulla, né la domanda né il tuo nome.",
    ));
    let reply = match ask.network() {
        Some(Network::Telegram) => reply.say(ask.say(
            "On Telegram, what you send me lies on my disk until I have handled it; a minute later it is gone.",
            "Su Telegram, quello che mi mandi resta sul mio disco finché non l'ho gestito; entro un minuto è sparito.",
        )),
        _ => reply,
    };
    let reply = reply.say(ask.say(
        "If you choose a language or a time zone, I keep that choice with the number of this chat. If you write in the record, it names you by a random word; who stands behind it is kept apart and never exported.",
        "Se scegli una lingua o un fuso orario, conservo la scelta con il numero di questa chat. Se scrivi nel registro, vi compari con una parola casuale; chi c'è dietro è conservato a parte e non viene mai esportato.",
    ));
    let reply = reply.say(ask.say(
        "If a chat follows something, I keep what it follows and mutes, its number, the number of whoever asked for it, and which messages I posted there. If you use /new, I keep up to which entry you have looked; in a chat with others, up to which entry the chat has.",
        "Se una chat segue qualcosa, conservo che cosa segue e silenzia, il suo numero, il numero di chi lo ha chiesto e quali messaggi vi ho pubblicato. Se usi /new, conservo fino a quale voce hai guardato; in una chat con altri, fino a quale voce ha guardato la chat.",
    ));
    let reply = match ask.caller.role >= Role::Moderator {
        true => reply.say(ask.say(
            "If you prepare an entry, I keep its words and your number with them, what you answer to my questions too, also once it is published, discarded or cancelled.",
            "Se prepari una voce, ne conservo le parole insieme al tuo numero, comprese le risposte alle mie domande, anche dopo che è pubblicata, scartata o annullata.",
        )),
        false => reply,
    };
    let reply = reply.say(ask.say(
        "So that a command that reaches me twice is carried out once, I remember the numbers of commands that changed something for 8 days. The journal of what was recorded is kept for good.",
        "Perché un comando arrivato due volte sia eseguito una volta sola, ricordo per 8 giorni i numeri dei comandi che hanno cambiato qualcosa. Il giornale delle registrazioni si conserva per sempre.",
    ));
    let reply = reply.say(ask.say(
        "If you suggest an entry, I keep its words and your number until it is decided on, and that you did. If you ask for something that only those who keep the record may do, I note that, once an hour.",
        "Se proponi una voce, ne conservo le parole con il tuo numero finché non si decide, e il fatto che l'hai proposta. Se chiedi qualcosa di riservato a chi tiene il registro, lo annoto, una volta all'ora.",
    ));
    let reply = match &ask.caller.address {
        Some(address) => {
            reply.say(Line::new().text(ask.say("I know you as ", "Ti conosco come ")).code(address.to_string()))
        }
        None => reply,
    };
    Ok(reply.say(here(room, ask)?))
}

/// What is kept about the asker at this moment.
fn here(room: &Room<'_>, ask: &Ask) -> Result<Line, Failure> {
    let mut kept = Vec::new();
    if let Some(address) = &ask.caller.address
        && let Some(ranked) = room.view.rank(address)?
    {
        let rank = ranked.rank.text().get(ask.lang);
        kept.push(ask.say(format!("that you are {rank}"), format!("che sei {rank}")));
    }
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
    if let Some(chat) = &ask.place.chat
        && let Some((_, channel)) = room.view.channel_at(chat)?
    {
        kept.extend(followed(ask, &channel));
    }
    let looks = if ask.place.shared { &ask.place.chat } else { &ask.caller.address };
    if let Some(looks) = looks
        && room.view.looked(looks)?.is_some()
    {
        kept.push(ask.say("where /new goes on from".to_owned(), "da dove riprende /new".to_owned()));
    }
    if dialogue::is_open(room, ask)? {
        kept.push(ask.say("what you answered to my questions so far", "quello che hai risposto finora").to_owned());
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

/// What is kept of a chat that follows something.
fn followed(ask: &Ask, channel: &Channel) -> Vec<String> {
    let mut kept = Vec::new();
    match channel.subscriptions.len() {
        0 => kept
            .push(ask.say("that this chat once followed something", "che questa chat ha seguito qualcosa").to_owned()),
        1 => kept.push(ask.say("1 subscription of this chat", "1 iscrizione di questa chat").to_owned()),
        n => kept.push(ask.say(format!("{n} subscriptions of this chat"), format!("{n} iscrizioni di questa chat"))),
    }
    match (&channel.by, &ask.caller.address) {
        (None, _) => {}
        (Some(by), Some(you)) if by == you => {
            kept.push(ask.say("that it was you who asked for that", "che le hai chieste tu").to_owned());
        }
        _ => kept.push(ask.say("the number of whoever asked for that", "il numero di chi le ha chieste").to_owned()),
    }
    kept
}
