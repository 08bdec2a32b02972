//! `/new`: what changed since this chat or person last looked.

use record::{
    channel::Channel,
    entry::{Level, Said},
    lang::Text,
    pages,
    private::{Address, Fact},
    reply::{Block, Button, Item, Line, Reply},
    view::{Entry, Incident},
};

use crate::kit::{self, Ask, Command, Failure, Given, Role, Room};

/// How many lines are shown.
const SHOWN: usize = 20;
/// How many entries are shown to whoever looks for the first time.
const FIRST: usize = 5;
/// How many of the last entries are looked through for those.
const FIRST_OF: usize = 100;
/// How many of the newest entries are looked through.
const LOOKED_THROUGH: usize = 1_000;
/// How far back in the journal, in lines.
const BACK: u64 = 20_000;

/// `/new`
pub static NEW: Command = Command {
    name: "new",
    about: Text {
        en: "What changed since you, or this chat, last looked: corrections first",
        it: "Che cosa è cambiato dall'ultima volta che hai, o avete, guardato: prima le correzioni",
    },
    args: &[],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: new,
};

type Fresh = (Incident, Entry);

fn new(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let address = if ask.place.shared { &ask.place.chat } else { &ask.caller.address };
    let follows = match &ask.place.chat {
        Some(chat) => room.view.channel_at(chat)?.map(|(_, channel)| channel),
        None => None,
    };
    let follows = follows.filter(|channel| !channel.subscriptions.is_empty());
    let Some(address) = address else {
        let note = ask.say(
            "At the terminal I cannot remember when you last looked, so these are simply the last entries.",
            "Al terminale non posso ricordare quando hai guardato l'ultima volta: queste sono semplicemente le ultime voci.",
        );
        return last(room, ask, None, note);
    };
    let Some(looked) = room.view.looked(address)? else {
        let note = match ask.place.shared {
            true => ask.say(
                "Nobody looked here before. These are the last entries; next time I tell what is new since now.",
                "Qui non aveva ancora guardato nessuno. Queste sono le ultime voci; la prossima volta dico che cosa è cambiato da adesso.",
            ),
            false => ask.say(
                "You look for the first time. These are the last entries; next time I tell what is new since now.",
                "Guardi per la prima volta. Queste sono le ultime voci; la prossima volta dico che cosa è cambiato da adesso.",
            ),
        };
        let reply = last(room, ask, follows.as_ref(), note)?;
        return remember(room, ask, address, reply);
    };
    since(room, ask, address, looked, follows.as_ref())
}

/// The last entries, whenever they were recorded.
fn last(room: &Room<'_>, ask: &Ask, follows: Option<&Channel>, note: &str) -> Result<Reply, Failure> {
    let (entries, _) = room.view.search(&[], None, 0, FIRST_OF)?;
    let mut reply = Reply::titled(title(ask)).note(note);
    reply.personal = !ask.place.shared;
    let mut shown = 0;
    for entry in entries {
        let Some(incident) = room.view.incident(entry.name.incident.as_str())? else { continue };
        if wanted(room, ask, follows, &incident, &entry)? {
            reply = with_line(room, ask, reply, &(incident, entry))?;
            shown += 1;
        }
        if shown == FIRST {
            break;
        }
    }
    if shown == 0 {
        let none = match follows {
            None => ask.say("There is no entry yet.", "Non c'è ancora nessuna voce."),
            Some(_) => ask.say(
                "There is nothing yet of what is followed here and not muted.",
                "Non c'è ancora nulla di ciò che qui è seguito e non silenziato.",
            ),
        };
        reply = reply.say(none);
    }
    Ok(limits(ask, follows, reply))
}

fn since(
    room: &Room<'_>,
    ask: &Ask,
    address: &Address,
    looked: u64,
    follows: Option<&Channel>,
) -> Result<Reply, Failure> {
    let from = looked.max(room.view.head().commit.saturating_sub(BACK));
    let recorded = room.view.recorded_since(from, BACK as usize)?;
    let cut = from > looked || recorded.len() > LOOKED_THROUGH;
    let (mut changes, mut entries): (Vec<Fresh>, Vec<Fresh>) = (Vec::new(), Vec::new());
    for (_, place) in recorded.iter().rev().take(LOOKED_THROUGH) {
        let Some(incident) = room.view.incident(place.incident.as_str())? else { continue };
        let Some(entry) = room.view.entry(&incident, place.number, None)? else { continue };
        if wanted(room, ask, follows, &incident, &entry)? {
            let list = if entry.said.subject().is_some() { &mut changes } else { &mut entries };
            list.push((incident, entry));
        }
    }
    let mut reply = Reply::titled(title(ask));
    reply.personal = !ask.place.shared;
    reply = reply.note(counted(ask, changes.len(), entries.len(), cut));
    let all = changes.len() + entries.len();
    for fresh in changes.iter().chain(&entries).take(SHOWN) {
        reply = with_line(room, ask, reply, fresh)?;
    }
    if all > SHOWN {
        reply = reply.say(match (all - SHOWN, cut) {
            (more, true) => ask.say(format!("… and more than {more} more."), format!("… e più di altre {more}.")),
            (1, false) => ask.say("… and 1 more.".to_owned(), "… e un'altra.".to_owned()),
            (more, false) => ask.say(format!("… and {more} more."), format!("… e altre {more}.")),
        });
    }
    reply = limits(ask, follows, reply);
    let buttons = incidents(&changes, &entries).into_iter().filter_map(|incident| {
        Button::new(incident.opening.title.plain(ask.lang), format!("/timeline {}", incident.handle))
    });
    let reply = reply.row(buttons.collect::<Vec<_>>());
    if recorded.is_empty() { Ok(reply) } else { remember(room, ask, address, reply) }
}

/// The first incidents that something changed in.
fn incidents<'a>(changes: &'a [Fresh], entries: &'a [Fresh]) -> Vec<&'a Incident> {
    let mut incidents: Vec<&Incident> = Vec::new();
    for (incident, _) in changes.iter().chain(entries) {
        if incidents.len() < 5 && !incidents.iter().any(|known| known.handle == incident.handle) {
            incidents.push(incident);
        }
    }
    incidents
}

/// Whether a chat wants to hear of an entry: what it follows, and has not muted; everything, if it follows nothing. A
/// slip of the pen is nothing new.
fn wanted(
    room: &Room<'_>,
    ask: &Ask,
    follows: Option<&Channel>,
    incident: &Incident,
    entry: &Entry,
) -> Result<bool, Failure> {
    if matches!(&entry.said, Said::Correction(it) if it.level == Level::Silent) {
        return Ok(false);
    }
    let Some(channel) = follows else { return Ok(true) };
    if channel.mutes(&incident.handle, ask.at) {
        return Ok(false);
    }
    let subject = match entry.said.subject().and_then(|subject| subject.number()) {
        Some(number) => room.view.entry(incident, number, None)?,
        None => None,
    };
    // Also what was recorded before it was followed.
    let news = room.view.news(incident, subject.as_ref().unwrap_or(entry), u64::MAX)?;
    Ok(channel.subscriptions.iter().any(|it| it.covers(&news)))
}

fn with_line(room: &Room<'_>, ask: &Ask, reply: Reply, (incident, entry): &Fresh) -> Result<Reply, Failure> {
    let head = pages::news_line(&room.view, incident, entry, &ask.reader())?;
    Ok(reply.with(Block::Item(Item { head, body: Vec::new() })))
}

fn title(ask: &Ask) -> Line {
    Line::new().strong(ask.say("What is new", "Che cosa c'è di nuovo"))
}

/// "Since you last looked: 1 correction, 12 entries."
fn counted(ask: &Ask, changes: usize, entries: usize, cut: bool) -> String {
    let since = match ask.place.shared {
        true => ask.say("Since somebody here last looked", "Dall'ultima volta che qualcuno qui ha guardato"),
        false => ask.say("Since you last looked", "Dall'ultima volta che hai guardato"),
    };
    let changes = match changes {
        0 => None,
        1 => Some(ask.say("1 change of an earlier entry".to_owned(), "1 modifica a una voce precedente".to_owned())),
        n => Some(ask.say(format!("{n} changes of earlier entries"), format!("{n} modifiche a voci precedenti"))),
    };
    let entries = match entries {
        0 => None,
        1 => Some(ask.say("1 new entry".to_owned(), "1 nuova voce".to_owned())),
        n => Some(ask.say(format!("{n} new entries"), format!("{n} nuove voci"))),
    };
    let counts: Vec<String> = [changes, entries].into_iter().flatten().collect();
    if counts.is_empty() {
        return format!("{since}: {}.", ask.say("nothing new", "nulla di nuovo"));
    }
    let more = match cut {
        true => ask.say(" among the last ones; it was long ago", " fra le ultime; è passato molto tempo"),
        false => "",
    };
    format!("{since}: {}{more}.", counts.join(", "))
}

/// That only a part is shown, where a chat follows only a part.
fn limits(ask: &Ask, follows: Option<&Channel>, reply: Reply) -> Reply {
    if follows.is_none() {
        return reply;
    }
    reply.note(ask.say(
        "Only what is followed here, and not muted: /subscriptions.",
        "Solo ciò che è seguito qui e non silenziato: /subscriptions.",
    ))
}

/// Notes that this was shown. Where nothing can be written, what is new can still be read.
fn remember(room: &Room<'_>, ask: &Ask, address: &Address, reply: Reply) -> Result<Reply, Failure> {
    let looked = Fact::Looked { address: address.clone(), commit: room.view.head().commit };
    match kit::note(room, ask, looked) {
        Ok(()) => Ok(reply),
        Err(Failure::Refused(_)) => Ok(reply.note(ask.say(
            "I cannot write anything down at the moment, so I will show this again next time.",
            "In questo momento non posso annotare nulla, quindi la prossima volta lo mostrerò di nuovo.",
        ))),
        Err(broke) => Err(broke),
    }
}
