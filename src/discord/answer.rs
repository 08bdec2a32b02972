//! From an event to its answer: at once where that is possible within Discord's 3 seconds, else later.

use std::{pin::pin, sync::Arc, time::Duration};

use commands::kit::{Posting, Shape};
use record::{
    lang::Lang,
    private::Address,
    reply::{Button, Line, Reply, Tone},
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::{
    Door, LETTER_WITHIN,
    form::modal,
    hear::{Event, Happening, Joined, Pressed, Unread, What},
    render::{self, dress, offers, plain},
    send::{Failed, Told},
};
use crate::{desk::Heard, dispatch::Event as Happened};

/// How long an answer is waited for before Discord is told that it will come later; Discord waits for 3 seconds.
const AT_ONCE: Duration = Duration::from_secs(2);
/// How long a first answer is tried: a little longer than it can come through, to learn what became of it.
const FIRST: Duration = Duration::from_secs(5);
/// How long a later answer is tried; Discord takes it for 15 minutes.
const LATER: Duration = Duration::from_secs(14 * 60);

/// Discord's number for a message only its asker sees.
const EPHEMERAL: u64 = 1 << 6;
/// Discord's kinds of first answers.
const MESSAGE: u8 = 4;
const MESSAGE_LATER: u8 = 5;
const CHANGE_LATER: u8 = 6;
const CHANGE: u8 = 7;
const OFFERS: u8 = 8;
const FORM: u8 = 9;

/// An ask that is being answered.
struct Asked<'a> {
    door: &'a Door,
    since: Instant,
    id: u64,
    token: &'a str,
    pressed: Option<Pressed>,
    /// Whether the answer takes the place of the message that was pressed.
    changes: bool,
    /// Whether a form was filled in.
    filled: bool,
    /// Whether it is about a message with attachments.
    attached: bool,
    shared: bool,
    channel: Option<u64>,
    lang: Lang,
}

/// How a message of an answer is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As the first answer.
    First,
    /// As the first answer, in the place of the message that was pressed.
    Change,
    /// In the place of the first answer, which said that it would come.
    Edit,
    /// After the first answer.
    More,
}

/// Brings a reply that is no answer, whole: each of its messages as it is, once in plain words where Discord does not take
/// that, and else an apology. What the last of them came to.
pub async fn in_full<T, F>(reply: &Reply, lang: Lang, send: impl Fn(Value, usize) -> F) -> Result<T, Failed>
where
    F: Future<Output = Result<T, Failed>>,
{
    let mut last = Err(Failed::Unanswered("there is nothing to be said".to_owned()));
    for (at, page) in render::answer_or_posts(reply, lang).iter().enumerate() {
        last = match send(dress(page, lang), at).await {
            Err(failed) if failed.is_of_content() => {
                tracing::warn!(%failed, "Discord does not take a message as it is: it is sent in plain words");
                let mut message = plain(page, lang);
                if failed.is_of_buttons() {
                    message["components"] = json!([]);
                }
                match send(message, at).await {
                    Err(failed) if failed.is_of_content() => {
                        tracing::error!(%failed, "Discord takes neither a message nor its plain words: an apology is sent");
                        send(plain(&commands::sorry(lang), lang), at).await
                    }
                    other => other,
                }
            }
            other => other,
        };
        if last.is_err() {
            break;
        }
    }
    last
}

/// Answers what happens.
pub async fn answer(door: Arc<Door>, happens: Happening) {
    match happens {
        Happening::Asked(event) => {
            let span = tracing::info_span!("interaction", network = "discord", id = event.id);
            answer_event(door, event).instrument(span).await;
        }
        Happening::Unread(unread) => {
            let span = tracing::info_span!("interaction", network = "discord", id = unread.id);
            apologise(&door, unread).instrument(span).await;
        }
        Happening::Joined(joined) => {
            let span = tracing::info_span!("greeting", network = "discord", server = joined.server);
            greet(&door, joined).instrument(span).await;
        }
    }
}

/// Says that something could not be read; who is typing is offered nothing.
async fn apologise(door: &Door, Unread { since, id, token, types, tongue }: Unread) {
    let until = since + FIRST;
    if types {
        door.wire.first(id, &token, OFFERS, Some(&offers(&[])), until).await;
        return;
    }
    let lang = Lang::parse(&tongue).unwrap_or(door.desk.manners().lang);
    let words = lang.pick(
        "Sorry, I could not read what Discord sent me. Please try again, or type the command.",
        "Scusa, non sono riuscito a leggere quello che Discord mi ha inviato. Riprova, o scrivi il comando.",
    );
    let sorry = dress(&Reply::personal(Tone::Polite, words), lang);
    door.wire.first(id, &token, MESSAGE, Some(&quietly(sorry)), until).await;
}

/// Says who we are in a server that let us in, where it greets its people.
async fn greet(door: &Door, Joined { server, channel, tongue }: Joined) {
    let lang = door.desk.lang_for(&Address(format!("discord:g{server}")), Some(&tongue));
    let (nonce, until) = (format!("g{server}"), Instant::now() + FIRST);
    let greeting = door.desk.greeting(lang);
    let posted = in_full(&greeting, lang, |message, part| {
        let nonce = format!("{nonce}.{part}");
        async move { door.wire.post(channel, &message, &nonce, until).await }
    });
    if let Err(failed) = posted.await {
        tracing::debug!(server, %failed, "a server could not be greeted");
    }
}

async fn answer_event(door: Arc<Door>, event: Event) {
    let Event { since, id, ref token, what } = event;
    let (heard, pressed, fresh, filled, attached) = match what {
        What::Types { shape, typed, settings, tongue } => {
            let lang = door.desk.lang_for(&settings, Some(&tongue));
            let offered = offers(&suggestions(&door, shape, typed, lang).await);
            door.wire.first(id, token, OFFERS, Some(&offered), since + FIRST).await;
            return;
        }
        What::Picks { mut heard, picked } => {
            heard.line = picked.line(door.desk.zone_for(&heard.settings));
            (heard, None, false, false, picked.attached)
        }
        What::Asks { heard, pressed, fresh, filled } => (heard, pressed, fresh, filled, false),
    };
    let asked = Asked {
        door: &door,
        since,
        id,
        token,
        changes: pressed.is_some() && !fresh,
        pressed,
        filled,
        attached,
        shared: heard.shared,
        channel: heard.place.parts::<u64, u64>().map(|(channel, _)| channel),
        lang: door.desk.lang_of(&heard),
    };
    asked.answer(*heard).await;
}

/// What a value could be, looked up in turn with the asks.
async fn suggestions(door: &Door, shape: Shape, typed: String, lang: Lang) -> Vec<(String, String)> {
    // The semaphore is never closed.
    let _hand = door.desk.manners().hands.acquire().await;
    let desk = door.desk.clone();
    let found = tokio::task::spawn_blocking(move || desk.suggest(shape, &typed, lang)).await;
    found.unwrap_or_else(|error| {
        tracing::error!(%error, "a value could not be completed");
        Vec::new()
    })
}

impl Asked<'_> {
    async fn answer(&self, heard: Heard) {
        if heard.posting == Posting::May {
            // Where we were found to be let in, what was owed can leave.
            self.door.dispatch.heard(Happened::Returned(heard.place.clone()));
        }
        if !self.filled && self.open(&heard).await {
            return;
        }
        let line = heard.line.clone();
        let mut working = pin!(self.heard(heard, line));
        if let Ok(mut reply) = timeout_at(self.since + AT_ONCE, &mut working).await {
            let (post, turned) = apart(reply.as_mut());
            self.at_once(reply).await;
            self.turn(turned).await;
            return self.post(post).await;
        }
        let (told, mut reply) = tokio::join!(self.defer(), working);
        let (post, turned) = apart(reply.as_mut());
        match told {
            Told::Yes => self.later(reply).await,
            _ => tracing::debug!("an answer took too long, and Discord could not be told so"),
        }
        self.turn(turned).await;
        self.post(post).await;
    }

    /// Opens a form, if that is the answer: it must be the first one, and cannot come later.
    async fn open(&self, heard: &Heard) -> bool {
        let form = timeout_at(self.since + AT_ONCE, self.door.desk.form(heard)).await.ok().flatten();
        let Some(modal) = form.and_then(|form| modal(&form, self.attached, self.lang)) else { return false };
        if let Told::Refused { why, .. } = self.first(FORM, Some(&modal)).await {
            tracing::error!(why, "Discord does not take a form: an apology is given");
            let sorry = dress(&commands::sorry(self.lang), self.lang);
            self.first(MESSAGE, Some(&quietly(sorry))).await;
        }
        true
    }

    /// The answer. Where a form was filled in for nothing, it is given back: Discord keeps none.
    async fn heard(&self, heard: Heard, line: String) -> Option<Reply> {
        let reply = self.door.desk.hear(heard).await;
        let lost = self.filled && reply.as_ref().is_none_or(|reply| reply.tone == Tone::Polite);
        if !lost {
            return reply;
        }
        let words = self.lang.pick(
            "So that it is not lost, this is what you sent:",
            "Perché non vada perso, ecco quello che hai inviato:",
        );
        Some(reply.unwrap_or_else(|| self.slow_down()).say(words).say(Line::new().code(line)))
    }

    /// Puts another button in the place of the pressed one: the message stays as it is.
    async fn turn(&self, turned: Option<Button>) {
        let (Some(turned), Some(pressed), Some(channel)) = (turned, &self.pressed, self.channel) else { return };
        if self.changes {
            return;
        }
        let mut components = pressed.components.clone();
        let rows = components.as_array_mut().into_iter().flatten();
        for button in rows.filter_map(|row| row["components"].as_array_mut()).flatten() {
            if button["custom_id"] == pressed.id {
                button["label"] = json!(turned.label);
                button["custom_id"] = json!(turned.clone().freshened().line);
            }
        }
        let (body, until) = (json!({ "components": components }), Instant::now() + FIRST);
        // The answer says what holds now; the button is only a short way to it.
        if let Err(failed) = self.door.wire.change(channel, pressed.message, &body, until).await {
            tracing::debug!(channel, %failed, "a button could not be turned");
        }
    }

    /// What an answer has posted besides, as news is.
    async fn post(&self, post: Option<Box<Reply>>) {
        let (Some(post), Some(channel)) = (post, self.channel) else { return };
        let until = Instant::now() + LETTER_WITHIN;
        let posted = in_full(&post, self.lang, |message, part| {
            let nonce = format!("p{}.{part}", self.id);
            async move { self.door.wire.post(channel, &message, &nonce, until).await }
        });
        if let Err(failed) = posted.await {
            tracing::info!(%failed, "something could not be posted");
        }
    }

    /// The first answer. Whoever was told to slow down is not told again: a press is acknowledged without a word, but
    /// a slash command must be answered with some.
    async fn at_once(&self, reply: Option<Reply>) {
        let reply = match reply {
            None if self.pressed.is_some() => {
                self.first(CHANGE_LATER, None).await;
                return;
            }
            None => self.slow_down(),
            Some(reply) => reply,
        };
        let changes = self.changes && !private(&reply);
        // Everybody may press what is posted: who does should not write on the wall.
        let quiet = private(&reply) || (self.pressed.is_some() && self.shared);
        self.bring(&reply, if changes { Way::Change } else { Way::First }, quiet).await;
    }

    /// Brings an answer whole: in one message, or where its buttons cannot hold the way to the rest, in several.
    async fn bring(&self, reply: &Reply, way: Way, quiet: bool) {
        let mut way = way;
        for page in render::answer(reply, self.lang) {
            if self.bring_page(&page, way, quiet).await != Told::Yes {
                return;
            }
            way = Way::More;
        }
    }

    /// Brings a page; in plain words, once, where Discord does not take it, and else an apology.
    async fn bring_page(&self, page: &Reply, way: Way, quiet: bool) -> Told {
        let buttons = match self.say(dress(page, self.lang), way, quiet).await {
            Told::Refused { buttons, .. } => buttons,
            told => return told,
        };
        let mut to = way;
        for mut message in render::answer_plainly(page, self.lang) {
            if buttons {
                message["components"] = json!([]);
            }
            match self.say(message, to, quiet).await {
                Told::Yes => to = Way::More,
                Told::TooLate => return Told::TooLate,
                Told::Refused { why, .. } => {
                    tracing::error!(why, "Discord takes neither an answer nor its plain words: an apology is given");
                    let sorry = plain(&commands::sorry(self.lang), self.lang);
                    return self.say(sorry, to, true).await;
                }
            }
        }
        Told::Yes
    }

    async fn say(&self, mut message: Value, way: Way, quiet: bool) -> Told {
        // Who sees what is changed is fixed already.
        if quiet && !matches!(way, Way::Change | Way::Edit) {
            message = quietly(message);
        }
        let (wire, app, until) = (&self.door.wire, self.door.app, self.since + LATER);
        match way {
            Way::First => self.first(MESSAGE, Some(&message)).await,
            Way::Change => self.first(CHANGE, Some(&message)).await,
            Way::Edit => wire.edit(app, self.token, &message, until).await,
            Way::More => wire.follow_up(app, self.token, &message, until).await,
        }
    }

    /// Tells Discord that the answer will come. Who may see it is fixed now: where others are, only the asker, as the
    /// answer may turn out to be personal.
    async fn defer(&self) -> Told {
        let data = json!({ "flags": EPHEMERAL });
        match self.changes {
            true => self.first(CHANGE_LATER, None).await,
            false => self.first(MESSAGE_LATER, self.shared.then_some(&data)).await,
        }
    }

    async fn later(&self, reply: Option<Reply>) {
        let reply = match reply {
            None if self.changes => return,
            None => self.slow_down(),
            Some(reply) => reply,
        };
        // A new first answer is seen as it was announced: by the asker alone, where others are.
        let own = if self.changes { private(&reply) } else { self.shared || private(&reply) };
        let way = if self.changes && private(&reply) { Way::More } else { Way::Edit };
        self.bring(&reply, way, own).await;
    }

    async fn first(&self, kind: u8, data: Option<&Value>) -> Told {
        self.door.wire.first(self.id, self.token, kind, data, self.since + FIRST).await
    }

    fn slow_down(&self) -> Reply {
        let words = self.lang.pick(
            "That was a lot at once. Please wait a moment, then ask again.",
            "Sono tante domande insieme. Aspetta un momento, poi chiedi di nuovo.",
        );
        Reply::personal(Tone::Polite, words)
    }
}

/// What an answer has posted besides, and what becomes of the pressed button.
fn apart(reply: Option<&mut Reply>) -> (Option<Box<Reply>>, Option<Button>) {
    reply.map(|reply| (reply.post.take(), reply.turned.take())).unwrap_or_default()
}

/// Whether only the asker should see it.
fn private(reply: &Reply) -> bool {
    reply.personal || reply.tone == Tone::Polite
}

/// So that only the asker sees it.
fn quietly(mut message: Value) -> Value {
    message["flags"] = json!(EPHEMERAL);
    message
}
