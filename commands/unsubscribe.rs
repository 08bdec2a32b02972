//! `/unsubscribe`: news does not come here any more.

use record::{
    channel::Channel,
    lang::Text,
    pages,
    private::Fact,
    reply::{Button, Line, Reply, Tone},
    slug::folded,
    subscription::{ORGANISATION, What},
};

use crate::kit::{
    self, Arg, Ask, Command, FOLLOWED, Failure, Given, Role, Room, Shape, Spec, WHERE,
    chat::{Chat, chat},
};

/// The word that ends every subscription. No handle can hold a `_`, and `all` is a subscription of its own.
const ALL_OF_THEM: &str = "all_of_them";
/// How many are offered as buttons: Discord takes 25, and one ends all.
const OFFERED: usize = 20;

/// `/unsubscribe [what] [where]`
pub static UNSUBSCRIBE: Command = Command {
    name: "unsubscribe",
    about: Text { en: "New entries are not posted here any more", it: "Le nuove voci non arrivano più qui" },
    args: &[&WHAT.spec, &WHERE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &["unsub"],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole",
    run: unsubscribe,
};

static WHAT: Arg<What> = Arg {
    spec: Spec {
        name: "what",
        about: Text {
            en: "What to follow no more; all_of_them ends everything that is followed here",
            it: "Che cosa non seguire più; all_of_them toglie tutto ciò che è seguito qui",
        },
        required: false,
        shape: Shape::Followed,
    },
    read: |room, ask, typed| (FOLLOWED.read)(room, ask, typed),
};

fn unsubscribe(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let typed = given.get(WHAT.spec.name);
    let chat = chat(ask, given.get(WHERE.spec.name))?;
    let channel = room.view.channel_at(&chat.address)?.map(|(_, channel)| channel);
    let Some(channel) = channel.filter(|channel| !channel.subscriptions.is_empty()) else {
        return Err(Failure::refused(nothing(ask, &chat)));
    };
    match (typed, channel.subscriptions.as_slice()) {
        (None, [only]) => end(room, ask, &chat, &channel, &only.follow.what),
        (None, _) => which(room, ask, &chat, &channel),
        (Some(typed), _) if folded(typed.trim()) == ALL_OF_THEM => end_all(room, ask, &chat, &channel),
        (Some(typed), _) => {
            let what = followed(room, ask, &channel, typed)?;
            end(room, ask, &chat, &channel, &what)
        }
    }
}

/// What is meant, if it is followed there; where an incident and an organisation have one name, the one that is.
fn followed(room: &Room<'_>, ask: &Ask, channel: &Channel, typed: &str) -> Result<What, Failure> {
    let follows = |what: &What| channel.subscriptions.iter().any(|it| it.follow.what == *what);
    let meant = (WHAT.read)(room, ask, typed)?;
    if follows(&meant) {
        return Ok(meant);
    }
    if let Ok(other) = (WHAT.read)(room, ask, &format!("{ORGANISATION}{typed}"))
        && follows(&other)
    {
        return Ok(other);
    }
    let name = pages::followed(&room.view, &meant, &ask.reader())?;
    let words =
        ask.say(" is not followed here, so nothing has changed. ", " qui non è seguito, quindi non è cambiato nulla. ");
    let line = Line::new().strong(name).text(words).code("/subscriptions");
    Err(Failure::refused(line.text(ask.say(" lists what is.", " elenca ciò che lo è."))))
}

/// That nothing is followed, and how to begin.
pub(crate) fn nothing(ask: &Ask, chat: &Chat) -> Line {
    let place = chat.place(ask);
    let words = ask
        .say(format!("Nothing is followed {place}. To begin: "), format!("Nulla è seguito {place}. Per cominciare: "));
    let line = Line::new().text(words).code("/subscribe all");
    line.text(ask.say(", or an incident instead of all.", ", oppure un incidente al posto di all."))
}

fn end(room: &Room<'_>, ask: &Ask, chat: &Chat, channel: &Channel, what: &What) -> Result<Reply, Failure> {
    kit::note(room, ask, Fact::Unsubscription { address: chat.address.clone(), what: Some(what.clone()) })?;
    let name = pages::followed(&room.view, what, &ask.reader())?;
    let place = chat.place(ask);
    let line = match what {
        What::All => Line::new().text(ask.say(
            format!("I no longer post everything {place}."),
            format!("Non pubblico più {place} le voci di tutti gli incidenti."),
        )),
        _ => Line::new()
            .text(ask.say(
                "I no longer post new entries about ".to_owned(),
                format!("Non pubblico più {place} le nuove voci su "),
            ))
            .strong(name)
            .text(ask.say(format!(" {place}."), ".".to_owned())),
    };
    let reply = Reply { tone: Tone::Plain, ..Reply::default() }.say(line).note(still(ask));
    let reply = match remains(room, channel, what)? {
        Some(other) => {
            let name = pages::followed(&room.view, &other, &ask.reader())?;
            let words = ask.say(
                format!("Its entries may still come, because {name} is followed as well."),
                format!("Le sue voci possono ancora arrivare, perché è seguito anche: {name}."),
            );
            reply.note(words)
        }
        None => reply,
    };
    let again = chat.line(&format!("/subscribe {what}"));
    Ok(reply.row(Button::new(ask.say("🔔 Follow again", "🔔 Segui di nuovo"), again)))
}

/// Another subscription that may bring the same entries.
fn remains(room: &Room<'_>, channel: &Channel, what: &What) -> Result<Option<What>, Failure> {
    let What::Incident(handle) = what else { return Ok(None) };
    let incident = room.view.incident(handle.as_str())?;
    for other in channel.subscriptions.iter().map(|it| &it.follow.what) {
        let brings = match (other, &incident) {
            (What::All, _) => true,
            (What::Organisation(organisation), Some(incident)) => room.view.member(incident, organisation)?.is_some(),
            _ => false,
        };
        if brings {
            return Ok(Some(other.clone()));
        }
    }
    Ok(None)
}

fn end_all(room: &Room<'_>, ask: &Ask, chat: &Chat, channel: &Channel) -> Result<Reply, Failure> {
    kit::note(room, ask, Fact::Unsubscription { address: chat.address.clone(), what: None })?;
    let place = chat.place(ask);
    let ended = match channel.subscriptions.len() {
        1 => ask.say("1 subscription has ended".to_owned(), "1 iscrizione è terminata".to_owned()),
        n => ask.say(format!("{n} subscriptions have ended"), format!("{n} iscrizioni sono terminate")),
    };
    let line = ask.say(
        format!("Nothing new is posted {place} any more: {ended}."),
        format!("Non pubblico più nulla di nuovo {place}: {ended}."),
    );
    Ok(Reply::default().say(line).note(still(ask)))
}

fn still(ask: &Ask) -> &'static str {
    ask.say(
        "What I posted before stays, and is still corrected if something in it changes.",
        "Quanto ho già pubblicato resta, e viene ancora corretto se qualcosa cambia.",
    )
}

fn which(room: &Room<'_>, ask: &Ask, chat: &Chat, channel: &Channel) -> Result<Reply, Failure> {
    let words = ask.say("Which one should end?", "Quale iscrizione vuoi togliere?");
    let mut reply = Reply::personal(Tone::Plain, words);
    for subscription in &channel.subscriptions {
        let what = &subscription.follow.what;
        let name = pages::followed(&room.view, what, &ask.reader())?;
        let line = chat.line(&format!("/unsubscribe {what}"));
        reply = reply.say(Line::new().strong(name).text(" · ").code(line));
    }
    for button in buttons(room, ask, chat, channel)?.chunks(5) {
        reply = reply.row(button.iter().cloned());
    }
    let all = chat.line(&format!("/unsubscribe {ALL_OF_THEM}"));
    let reply = reply.row(Button::new(ask.say("All of them", "Tutte quante"), all));
    Ok(reply)
}

/// A button to end each subscription, the first ones of them.
pub(crate) fn buttons(room: &Room<'_>, ask: &Ask, chat: &Chat, channel: &Channel) -> Result<Vec<Button>, Failure> {
    let mut buttons = Vec::new();
    for subscription in channel.subscriptions.iter().take(OFFERED) {
        let what = &subscription.follow.what;
        let name = pages::followed(&room.view, what, &ask.reader())?;
        buttons.extend(Button::new(format!("🔕 {name}"), chat.line(&format!("/unsubscribe {what}"))));
    }
    Ok(buttons)
}
