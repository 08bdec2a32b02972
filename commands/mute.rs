//! `/mute`: an incident is not posted here for a while.

use chrono::{DateTime, Utc};
use record::{
    channel::Channel,
    heard,
    lang::Text,
    pages,
    private::Fact,
    reply::{Button, Line, Reply, Tone},
    slug::folded,
    subscription::What,
    view::{Incident, local},
    when::{When, to_utc},
};

use crate::kit::{
    self, Arg, Ask, Command, Failure, Given, INCIDENT, Role, Room, Shape, Spec, WHERE,
    chat::{self, Chat, chat},
    shown,
};

/// `/mute incident [until] [where]`
pub static MUTE: Command = Command {
    name: "mute",
    about: Text {
        en: "An incident is not posted here, until a date or until you end it",
        it: "Un incidente non viene più pubblicato qui, fino a una data o finché non lo riattivi",
    },
    args: &[&INCIDENT.spec, &UNTIL.spec, &WHERE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole 2027-01-31",
    run: mute,
};

/// How long.
#[derive(Clone, Copy)]
enum Until {
    /// Until the end of a date.
    Date(When),
    /// Not any more.
    Off,
}

static UNTIL: Arg<Until> = Arg {
    spec: Spec {
        name: "until",
        about: Text {
            en: "A date, such as 2027-01-31; off ends it; left out, it lasts until you end it",
            it: "Una data, come 2027-01-31; off lo riattiva; se manca, dura finché non lo riattivi",
        },
        required: false,
        shape: Shape::When,
    },
    read: |_, ask, typed| match folded(typed.trim()).as_str() {
        "off" | "no" | "basta" => Ok(Until::Off),
        _ => {
            let now = local(ask.at, pages::clock(&ask.reader()));
            let until = heard::ahead(typed, now, ask.lang).map(Until::Date);
            until.map_err(|not| Failure::refused(not.reason(ask.lang)))
        }
    },
};

fn mute(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let chat = chat(ask, given.get(WHERE.spec.name))?;
    let incident = INCIDENT.need(room, ask, given)?;
    let until = UNTIL.of(room, ask, given)?;
    let channel = room.view.channel_at(&chat.address)?.map(|(_, channel)| channel);
    let muted = channel.as_ref().is_some_and(|channel| channel.mutes(&incident.handle, ask.at));
    let (address, handle, place) = (chat.address.clone(), incident.handle.clone(), chat.place(ask));
    let until = match until {
        Some(Until::Off) => {
            if !muted {
                let line =
                    about(ask, &incident, format!(" is not muted {place}."), format!(" non è silenziato {place}."));
                return Err(Failure::refused(line));
            }
            kit::note(room, ask, Fact::Mute { address, incident: handle, off: true, until: None })?;
            let line = about(
                ask,
                &incident,
                format!(" is posted {place} again from now on."),
                format!(" torna a essere pubblicato {place}."),
            );
            let held = channel.as_ref().is_some_and(|channel| channel.mute_ends(&incident.handle, ask.at));
            let reply = Reply::personal(Tone::Good, line).note(if held {
                ask.say(
                    "What was recorded while it was muted is posted now.",
                    "Quanto è stato registrato mentre era silenziato viene pubblicato adesso.",
                )
            } else {
                ask.say(
                    "What was recorded while it was muted is not posted later.",
                    "Quanto è stato registrato mentre era silenziato non viene pubblicato dopo.",
                )
            });
            return Ok(turned(reply, ask, &incident, chat::mute_in(ask, &incident, Some(&chat))));
        }
        Some(Until::Date(when)) => Some(end(ask, given.get(UNTIL.spec.name).unwrap_or_default(), when)?),
        None => None,
    };
    if !comes(room, channel.as_ref(), &incident)? {
        return Err(not_followed(ask, &incident, &chat));
    }
    kit::note(room, ask, Fact::Mute { address, incident: handle, off: false, until })?;
    let (en, it) = (format!(" is not posted {place} "), format!(" non viene pubblicato {place} "));
    let line = about(ask, &incident, en, it);
    let line = line.join(pages::until(until, &ask.reader())).text(".");
    let mut reply = Reply::personal(Tone::Good, line);
    if until.is_some() {
        reply = reply.note(ask.say(
            "What is recorded until then is posted when the mute ends.",
            "Quanto viene registrato fino ad allora viene pubblicato alla fine del silenzio.",
        ));
    }
    let reply = reply.note(ask.say(
        "What I posted before is still corrected if something in it changes.",
        "Quanto ho già pubblicato viene ancora corretto se qualcosa cambia.",
    ));
    Ok(turned(reply, ask, &incident, chat::unmute_in(ask, &incident, Some(&chat))))
}

/// With a way on and a way back; where a post's bell was pressed, it becomes the way back, too.
fn turned(mut reply: Reply, ask: &Ask, incident: &Incident, bell: Option<Button>) -> Reply {
    let card = Button::new(ask.say("The incident", "L'incidente"), format!("/incident {}", incident.handle));
    reply.turned = bell.clone();
    reply.row(bell.into_iter().chain(card))
}

fn about(ask: &Ask, incident: &Incident, en: String, it: String) -> Line {
    Line::new().strong(incident.opening.title.plain(ask.lang)).text(ask.say(en, it))
}

/// The moment at which it ends, which must be still to come.
fn end(ask: &Ask, typed: &str, when: When) -> Result<DateTime<Utc>, Failure> {
    let zone = pages::clock(&ask.reader());
    let Some(last) = when.latest() else {
        let words = ask.say(
            " does not say when it ends. Give a date, or leave it out.",
            " non dice quando finisce. Indica una data, oppure non indicare nulla.",
        );
        return Err(Failure::refused(Line::new().strong(shown(typed)).text(words)));
    };
    let Some(until) = to_utc(last, zone) else {
        let words = ask.say(
            format!(" does not exist: the clocks in {zone} skip it. Give a time a little later."),
            format!(" non esiste: a {zone} gli orologi la saltano. Indica un'ora un po' più tardi."),
        );
        return Err(Failure::refused(Line::new().strong(shown(typed)).text(words)));
    };
    if until <= ask.at {
        let words = ask.say(
            " lies in the past. A mute ends at a time that is still to come.",
            " è già passato. Indica una data futura.",
        );
        return Err(Failure::refused(Line::new().strong(shown(typed)).text(words)));
    }
    Ok(until)
}

/// Whether an incident's entries may come to a chat.
fn comes(room: &Room<'_>, channel: Option<&Channel>, incident: &Incident) -> Result<bool, Failure> {
    for what in channel.iter().flat_map(|channel| &channel.subscriptions).map(|it| &it.follow.what) {
        let comes = match what {
            What::All => true,
            What::Incident(handle) => *handle == incident.handle,
            What::Organisation(handle) => room.view.member(incident, handle)?.is_some(),
        };
        if comes {
            return Ok(true);
        }
    }
    Ok(false)
}

fn not_followed(ask: &Ask, incident: &Incident, chat: &Chat) -> Failure {
    let place = chat.place(ask);
    let line = about(
        ask,
        incident,
        format!(" is not followed {place}, so there is nothing to mute."),
        format!(" non è seguito {place}, quindi non c'è nulla da silenziare."),
    );
    Failure::refused(line)
}
