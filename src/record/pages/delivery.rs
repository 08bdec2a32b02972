//! What became of the last entries that were to be posted in a chat.

use chrono::{DateTime, Utc};

use super::{
    Page, Reader,
    follows::{at_moment, clock, in_trouble},
    moment,
};
use crate::{
    channel::Network,
    outbox::{Delivery, Mailbox, Ms, State},
    reply::{Block, Item, Line, Reply, Tone},
    view::View,
};

/// What is told of a chat's deliveries.
#[derive(Clone, Debug)]
pub struct Deliveries {
    /// The last ones, the newest first.
    pub last: Vec<(u64, Delivery)>,
    /// How many are still to be done.
    pub open: usize,
    /// What is wrong there.
    pub mailbox: Mailbox,
    /// How many posts are still to be published to those who follow the channel elsewhere.
    pub unpublished: usize,
    /// The network.
    pub network: Network,
    /// The chat as it was named, if it is another than the one in which is asked.
    pub place: Option<String>,
}

/// The last entries with what became of them, what waits, what is in doubt, and what "once" means there.
pub fn deliveries(view: &View<'_>, of: &Deliveries, reader: &Reader) -> Page<Reply> {
    let zone = clock(reader);
    let here = || reader.say("here", "qui").to_owned();
    let place = of.place.as_ref().map_or_else(here, |name| format!("in {name}"));
    let title = reader.say(format!("What I posted {place} last"), format!("Che cosa ho pubblicato {place} di recente"));
    let mut reply = Reply::titled(Line::new().strong(title));
    reply.personal = true;
    if let Some(trouble) = &of.mailbox.trouble {
        reply.tone = Tone::Alarm;
        reply = reply.say(in_trouble(trouble, of.network, reader));
    }
    if of.last.is_empty() {
        reply = reply.say(reader.say(
            "Nothing was due here yet: what is recorded from now on, and followed here, will be listed.",
            "Qui non c'era ancora nulla da pubblicare: elencherò ciò che viene registrato d'ora in poi ed è seguito qui.",
        ));
    } else {
        reply = reply.note(reader.say(
            format!("newest first · times in {}", super::zone_name(zone)),
            format!("dalle più recenti · orari di {}", super::zone_name(zone)),
        ));
    }
    for (commit, delivery) in &of.last {
        let head = Line::new().strong(name(view, *commit, reader)?).text(" · ").text(state(delivery, reader));
        let head = head.soft(" · ").span(moment(time(delivery.at), zone, reader));
        reply.blocks.push(Block::Item(Item { head, body: Vec::new() }));
    }
    if let Some(line) = waits(of, reader) {
        reply = reply.say(line);
    }
    match of.unpublished {
        0 => {}
        1 => {
            reply = reply.say(reader.say(
                "1 post is still to be published to the servers that follow this channel.",
                "1 messaggio deve ancora essere pubblicato nei server che seguono questo canale.",
            ));
        }
        n => {
            reply = reply.say(reader.say(
                format!("{n} posts are still to be published to the servers that follow this channel."),
                format!("{n} messaggi devono ancora essere pubblicati nei server che seguono questo canale."),
            ));
        }
    }
    if !of.mailbox.doubts.is_empty() {
        let mut names = Vec::new();
        for commit in &of.mailbox.doubts {
            names.push(name(view, *commit, reader)?);
        }
        let words = reader.say(
            "May not have come; the next message says so: ",
            "Forse non arrivate; lo dirà il prossimo messaggio: ",
        );
        reply = reply.say(Line::new().text(words).text(names.join(", ")));
    }
    Ok(reply.note(once(of.network, reader)))
}

fn time(at: Ms) -> DateTime<Utc> {
    DateTime::<Utc>::from_timestamp_millis(at).unwrap_or_default()
}

fn name(view: &View<'_>, commit: u64, reader: &Reader) -> Page<String> {
    Ok(match view.recorded_at(commit)? {
        Some((incident, number)) => incident.name(number).to_string(),
        None => reader.say("an entry", "una voce").to_owned(),
    })
}

/// "3 entries wait; the first is due on 5 January 2026, 10:15."
fn waits(of: &Deliveries, reader: &Reader) -> Option<Line> {
    let (_, due) = of.mailbox.head?;
    let words = match of.open {
        0 => return None,
        1 => reader.say("1 entry waits; it is due ", "1 voce è in attesa; è prevista ").to_owned(),
        open => reader.say(
            format!("{open} entries wait; the first is due "),
            format!("{open} voci sono in attesa; la prima è prevista "),
        ),
    };
    Some(Line::new().text(words).join(at_moment(("on ", "il ", "l'"), time(due), reader)).text("."))
}

/// Where a delivery stands, in words.
pub fn state(delivery: &Delivery, reader: &Reader) -> String {
    match &delivery.state {
        State::Waiting => reader.say("waiting", "in attesa").to_owned(),
        State::Flying if delivery.unknown => reader
            .say(
                "not known yet whether it arrived: I am finding out",
                "non si sa ancora se è arrivata: sto verificando",
            )
            .to_owned(),
        State::Flying => reader.say("being sent", "in corso di invio").to_owned(),
        State::Unsure => reader.say("may have arrived (not repeated)", "forse arrivata (non ripetuta)").to_owned(),
        State::Sent if delivery.repeats > 0 => reader
            .say(
                "delivered, perhaps twice: nothing told whether the first try arrived",
                "consegnata, forse due volte: del primo invio non si è saputo nulla",
            )
            .to_owned(),
        State::Sent if delivery.general => reader
            .say("delivered, outside its topic, which is closed", "consegnata, fuori dall'argomento, che è chiuso")
            .to_owned(),
        State::Sent => reader.say("delivered", "consegnata").to_owned(),
        State::None(reason) => reason.text().get(reader.lang).to_owned(),
        State::Dead(why) => {
            reader.say(format!("refused by the platform: “{why}”"), format!("rifiutata dalla piattaforma: «{why}»"))
        }
    }
}

/// What "once" means on a network.
fn once(network: Network, reader: &Reader) -> &'static str {
    match network {
        Network::Telegram => reader.say(
            "What “once” means on Telegram: every entry is sent once. If nothing tells whether it arrived, I cannot look it up there: it is sent again and marked as a possible repeat, or held back and named with the next message.",
            "Che cosa vuol dire «una volta» su Telegram: ogni voce è inviata una volta. Se non si sa se è arrivata, lì non posso controllare: la invio di nuovo, segnalando che può essere una ripetizione, oppure la trattengo e la nomino nel messaggio seguente.",
        ),
        Network::Discord => reader.say(
            "What “once” means on Discord: every entry shows once. If nothing tells whether it arrived, I look for it in the channel's history before I send it again.",
            "Che cosa vuol dire «una volta» su Discord: ogni voce compare una volta. Se non si sa se è arrivata, la cerco nella cronologia del canale prima di inviarla di nuovo.",
        ),
    }
}
