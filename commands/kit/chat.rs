//! The chat that a command is about: the one in which is asked, or another that is named; whether the asker may choose
//! for it, and whether we may post there. And the bell on cards, which says how that chat stands.

use record::{
    channel::{Network, PlaceKind},
    private::Address,
    reply::{BUTTON_BYTES, Button, Line, Reply, Tone},
    subscription::What,
    view::Incident,
};

use super::{Ask, Elsewhere, Failure, Posting, Room};

/// How many buttons stand in a row: what Discord takes.
const ROW: usize = 5;

/// A chat that news can go to.
pub(crate) struct Chat {
    /// Where news goes.
    pub address: Address,
    /// The chat whose choices count there.
    pub settings: Address,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// As it was named, if it is not the one in which is asked.
    pub named: Option<String>,
    posting: Posting,
}

/// The chat that is meant, if the asker may choose for it.
pub(crate) fn chat(ask: &Ask, named: Option<&str>) -> Result<Chat, Failure> {
    let Some(here) = ask.place.chat.clone() else { return Err(no_chat(ask)) };
    crate::lang::may_choose(ask)?;
    let Some(named) = named else {
        let settings = ask.place.address.clone().unwrap_or_else(|| here.clone());
        let posting = ask.place.posting.clone();
        return Ok(Chat { address: here, settings, kind: ask.place.kind, named: None, posting });
    };
    if here.network() != Some(Network::Telegram) {
        return Err(Failure::refused(ask.say(
            "Another chat can only be named on Telegram. On Discord, ask in the channel itself.",
            "Un'altra chat si può indicare solo su Telegram. Su Discord, chiedilo nel canale stesso.",
        )));
    }
    if ask.place.shared {
        return Err(Failure::refused(ask.say(
            "Choose for another chat in a private chat with me. Here you choose for this one.",
            "Per scegliere per un'altra chat scrivimi in privato. Qui scegli per questa.",
        )));
    }
    elsewhere(ask, named)
}

fn elsewhere(ask: &Ask, named: &str) -> Result<Chat, Failure> {
    let found = ask.place.elsewhere.as_ref();
    let Some(Elsewhere { name, address: Some(address), kind, manages, posting }) = found else {
        let words = ask.say(
            " is no chat that I can see. Write its public name as @channel, and add me to it if it is a group.",
            " non è una chat che posso vedere. Scrivi il suo nome pubblico come @canale e, se è un gruppo, aggiungimi.",
        );
        return Err(Failure::refused(Line::new().strong(super::shown(named)).text(words)));
    };
    if !manages {
        let words = ask.say(
            "Only its administrators choose what I post there, and you are not one of them: ",
            "Solo chi amministra una chat sceglie che cosa vi pubblico, e tu non amministri ",
        );
        return Err(Failure::refused(Line::new().text(words).strong(name).text(".")));
    }
    let (address, kind, posting) = (address.clone(), *kind, posting.clone());
    Ok(Chat { settings: address.clone(), address, kind, named: Some(name.clone()), posting })
}

/// That nothing can be posted or remembered where is asked.
pub(crate) fn no_chat(ask: &Ask) -> Failure {
    Failure::refused(ask.say(
        "News goes to chats, and the terminal is none. Ask me that on Telegram or on Discord.",
        "Le notizie vanno nelle chat, e il terminale non lo è. Chiedimelo su Telegram o su Discord.",
    ))
}

impl Chat {
    /// The network it is on.
    pub fn network(&self) -> Option<Network> {
        self.address.network()
    }

    /// "here", or "in @channel".
    pub fn place(&self, ask: &Ask) -> String {
        self.named.as_ref().map_or_else(|| ask.say("here", "qui").to_owned(), |name| format!("in {name}"))
    }

    /// A line that asks the same of this chat.
    pub fn line(&self, line: &str) -> String {
        match &self.named {
            None => line.to_owned(),
            Some(name) => format!("{line} {name}"),
        }
    }

    /// The rights that are missing to post there, as far as anybody looked.
    pub fn lacks(&self, ask: &Ask) -> Vec<Line> {
        match &self.posting {
            Posting::Unknown | Posting::May => Vec::new(),
            Posting::Lacks(rights) => {
                rights.iter().map(|right| format!("— {}.", right.text().get(ask.lang)).into()).collect()
            }
        }
    }

    /// Refuses, naming what is missing, where we may not post.
    pub fn must_take_posts(&self, ask: &Ask) -> Result<(), Failure> {
        let lacks = self.lacks(ask);
        if lacks.is_empty() {
            return Ok(());
        }
        let place = self.place(ask);
        let first = ask.say(
            format!("I cannot post {place} yet, so nothing has changed:"),
            format!("Non posso ancora pubblicare {place}, quindi non è cambiato nulla:"),
        );
        let reply = lacks.into_iter().fold(Reply::personal(Tone::Polite, first), Reply::say);
        let again = ask.say("Once that is done, try again.", "Fatto questo, riprova.");
        Err(Failure::Refused(Box::new(reply.say(again))))
    }
}

/// A card with one button more: to follow the incident here, to mute it, or to hear of it again.
pub(crate) fn with_bell(room: &Room<'_>, ask: &Ask, incident: &Incident, mut reply: Reply) -> Result<Reply, Failure> {
    let Some(bell) = bell(room, ask, incident)? else { return Ok(reply) };
    Ok(match reply.buttons.last_mut() {
        Some(row) if row.len() < ROW => {
            row.push(bell);
            reply
        }
        _ => reply.row([bell]),
    })
}

fn bell(room: &Room<'_>, ask: &Ask, incident: &Incident) -> Result<Option<Button>, Failure> {
    let Some(chat) = &ask.place.chat else { return Ok(None) };
    let channel = room.view.channel_at(chat)?.map(|(_, channel)| channel);
    let (mut follows, mut muted) = (false, false);
    if let Some(channel) = channel.filter(|channel| !channel.subscriptions.is_empty()) {
        let own = What::Incident(incident.handle.clone());
        follows = channel.subscriptions.iter().any(|it| it.follow.what == What::All || it.follow.what == own);
        muted = channel.mutes(&incident.handle, ask.at);
    }
    Ok(match (muted, follows) {
        (true, _) => unmute(ask, incident),
        (false, true) => mute(ask, incident),
        (false, false) => Button::new(ask.say("🔔 Follow", "🔔 Segui"), format!("/subscribe {}", incident.handle)),
    })
}

/// To hear of an incident no more for a while.
pub(crate) fn mute(ask: &Ask, incident: &Incident) -> Option<Button> {
    mute_in(ask, incident, None)
}

/// To hear of it again.
pub(crate) fn unmute(ask: &Ask, incident: &Incident) -> Option<Button> {
    unmute_in(ask, incident, None)
}

/// To hear of an incident no more for a while, in a chat.
pub(crate) fn mute_in(ask: &Ask, incident: &Incident, chat: Option<&Chat>) -> Option<Button> {
    bell_line(ask.say("🔕 Mute", "🔕 Silenzia"), format!("/mute {}", incident.handle), chat)
}

/// To hear of it again, in a chat.
pub(crate) fn unmute_in(ask: &Ask, incident: &Incident, chat: Option<&Chat>) -> Option<Button> {
    bell_line(ask.say("🔔 Unmute", "🔔 Riattiva"), format!("/mute {} off", incident.handle), chat)
}

fn bell_line(label: &str, line: String, chat: Option<&Chat>) -> Option<Button> {
    Button::new(label, chat.map_or_else(|| line.clone(), |chat| chat.line(&line)))
}

// The longest handle leaves room for the longest of these lines.
const _: () = assert!("/unsubscribe org=".len() + record::slug::Slug::MAX <= BUTTON_BYTES);
