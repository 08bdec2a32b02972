//! What is done about each update: ask the desk, dress the reply, send it where the question was.

use std::{sync::Arc, time::Duration};

use commands::kit::{Posting, Right};
use record::{
    channel::PlaceKind,
    lang::Lang,
    private::Address,
    reply::{Button, Letter, Line, Reply, Span, Tone},
};
use serde_json::{Value, json};

use super::{
    hear::{Joined, Matter, Me, Pressed},
    render::{self, Part},
    send::{Api, Landed, Outcome, Target, TokenGone},
};
use crate::{
    config::Platform,
    desk::{Desk, Heard},
    dispatch::{Dispatch, Event, pace::Priority},
    post::Brought,
    signs::{Words, account},
};

/// How many inline results are offered (Bot API: at most 50).
const INLINE: usize = 10;
/// How long a title of one, or the line below it, is in UTF-16 units.
const NAME: usize = 200;
/// The longest notice above a button (Bot API).
const NOTICE: usize = 200;

/// Everything that is needed to answer.
pub struct Worker {
    /// The way out.
    pub api: Arc<Api>,
    /// The bot itself.
    pub me: Me,
    /// Where asks are answered.
    pub desk: Desk,
    /// Who hears of what matters for news.
    pub dispatch: Dispatch,
}

impl Matter {
    /// What it is, for the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Matter::Ask(..) => "ask",
            Matter::Press(..) | Matter::EmptyPress(_) => "press",
            Matter::Inline(..) => "inline",
            Matter::Event(..) | Matter::Joined(_) => "member",
        }
    }

    /// Matters of one queue are handled in order.
    pub fn queue(&self) -> String {
        match self {
            Matter::Ask(heard, _) | Matter::Press(heard, _, _) => heard.place.to_string(),
            Matter::Inline(heard, _) => format!("inline {}", heard.place),
            Matter::EmptyPress(query) => query.clone(),
            Matter::Event(place, _) => place.to_string(),
            Matter::Joined(joined) => joined.place.to_string(),
        }
    }
}

impl Worker {
    /// Asks for updates.
    pub async fn updates(&self, offset: Option<u32>, hold: Duration, kinds: &[&str]) -> Outcome {
        let mut body = json!({ "timeout": hold.as_secs(), "allowed_updates": kinds, "limit": super::poll::PAGE });
        if let Some(offset) = offset {
            body["offset"] = json!(offset);
        }
        self.api.call("getUpdates", &body, hold).await
    }

    /// Does what an update wants; `priority` is that of the answer.
    pub async fn handle(self: &Arc<Worker>, priority: Priority, matter: Matter) {
        match matter {
            Matter::Ask(heard, target) => self.ask(priority, *heard, target).await,
            Matter::Press(heard, target, pressed) => self.press(priority, *heard, target, pressed).await,
            Matter::EmptyPress(query) => self.answer_press(priority, &query, "").await,
            Matter::Inline(heard, query) => self.inline(*heard, &query).await,
            Matter::Event(_, event) => self.dispatch.heard(event),
            Matter::Joined(joined) => self.joined(joined).await,
        }
    }

    async fn ask(&self, priority: Priority, mut heard: Heard, target: Target) {
        let lang = self.desk.lang_of(&heard);
        self.look_up_rights(&mut heard).await;
        self.may_post(&heard);
        let asker = heard.caller.clone().filter(|_| heard.shared);
        if let Some(mut reply) = self.desk.hear(heard).await {
            let (post, to) = (reply.post.take(), reply.post_to.take());
            if reply.discreet && self.tell_aside(priority, asker.as_ref(), &reply, lang).await {
                return;
            }
            if self.send(priority, &target, &reply, lang).await == Landed::Refused {
                self.answer_aside(priority, asker, reply, lang).await;
            }
            self.post(&target, (post, to), lang).await;
        }
    }

    /// What is too long for a notice above a button is told in a message: where others read along, in private.
    async fn tell_whole(
        &self,
        priority: Priority,
        target: &Target,
        asker: Option<&Address>,
        reply: &Reply,
        lang: Lang,
    ) {
        match asker {
            Some(_) => drop(self.tell_aside(priority, asker, reply, lang).await),
            None => drop(self.send(priority, &Target { edits: None, ..target.clone() }, reply, lang).await),
        }
    }

    /// What others in a group are not to see goes to whoever asked, if they ever wrote to us in private; whether it did.
    async fn tell_aside(&self, priority: Priority, asker: Option<&Address>, reply: &Reply, lang: Lang) -> bool {
        let Some((chat, _)) = asker.and_then(Address::parts::<i64, i32>) else { return false };
        let words = lang.pick(
            "You asked in a group; this is for you alone:",
            "Me l'hai chiesto in un gruppo; questo è solo per te:",
        );
        let mut reply = reply.clone();
        reply = reply.preceded(words);
        self.send(priority, &Target { chat, thread: None, edits: None }, &reply, lang).await == Landed::There
    }

    /// Where we may not write, whoever asks is answered in private, if they ever wrote to us there.
    async fn answer_aside(&self, priority: Priority, asker: Option<Address>, mut reply: Reply, lang: Lang) {
        let Some((chat, _)) = asker.and_then(|asker| asker.parts::<i64, i32>()) else { return };
        let words = lang.pick(
            "I may not write where you asked, so I answer here:",
            "Non posso scrivere dove me l'hai chiesto, perciò rispondo qui:",
        );
        reply = reply.preceded(words);
        self.send(priority, &Target { chat, thread: None, edits: None }, &reply, lang).await;
    }

    /// Says who we are in a group that let us in; where we may not write there, whoever let us in is told.
    async fn joined(&self, Joined { place, target, title, by, tongue }: Joined) {
        let lang = self.desk.lang_for(&place, tongue.as_deref());
        if self.send(Priority::Manager, &target, &self.desk.greeting(lang), lang).await == Landed::There {
            return self.dispatch.heard(Event::Returned(place));
        }
        let words = lang.pick("I was added to ", "Sono in ");
        let reply = self.desk.greeting(lang).say(
            Line::new()
                .text(words)
                .strong(title)
                .text(lang.pick(", but nothing I say gets through:", ", ma lì non posso scrivere:")),
        );
        let reply = reply.say(format!("— {}.", Right::WriteInGroup.text().get(lang)));
        self.send(Priority::Manager, &Target { chat: by, thread: None, edits: None }, &reply, lang).await;
        self.dispatch.heard(Event::Muted { address: place, why: "not enough rights to post".to_owned() });
    }

    /// Where we were found to be let in, what was owed can leave. Whoever writes to us in private has not blocked us.
    fn may_post(&self, heard: &Heard) {
        if heard.posting == Posting::May || !heard.shared {
            self.dispatch.heard(Event::Returned(heard.place.clone()));
        }
    }

    /// What an answer has posted besides, as news is.
    async fn post(&self, target: &Target, (post, to): (Option<Box<Reply>>, Option<Address>), lang: Lang) {
        let Some(post) = post else { return };
        let target = match to.and_then(|to| to.parts::<i64, i32>()) {
            Some((chat, thread)) => Target { chat, thread, edits: None },
            None => Target { edits: None, ..target.clone() },
        };
        if let Err(TokenGone) = self.api.answer(Priority::Manager, &target, &render::posts(&post), &sorry(lang)).await {
            tracing::error!("what an answer has posted was given up: the token is refused");
        }
    }

    /// A press first gets its own answer, so that the button stops spinning; then the message becomes the new page.
    async fn press(&self, priority: Priority, mut heard: Heard, target: Target, pressed: Pressed) {
        let (query, chat) = (pressed.query.clone(), heard.place.parts::<i64, i32>().map(|(chat, _)| chat));
        let lang = self.desk.lang_of(&heard);
        self.look_up_rights(&mut heard).await;
        let shared = heard.shared;
        let asker = heard.caller.clone().filter(|_| shared);
        self.may_post(&heard);
        let aside = heard.kind == PlaceKind::Broadcast && target.edits.is_none();
        let mut reply = self.desk.hear(heard).await;
        let post = reply.as_mut().map(|reply| (reply.post.take(), reply.post_to.take())).unwrap_or_default();
        let turned = reply.as_mut().and_then(|reply| reply.turned.take()).filter(|_| target.edits.is_none());
        let private = reply.as_ref().is_some_and(|reply| reply.personal && (shared || reply.tone == Tone::Polite));
        match reply {
            None => self.answer_press(priority, &query, "").await,
            Some(reply) if private => {
                let (notice, whole) = render::notice(&reply, NOTICE);
                self.answer_press(priority, &query, &notice).await;
                if !whole {
                    self.tell_whole(priority, &target, asker.as_ref(), &reply, lang).await;
                }
            }
            Some(reply) => {
                let words = if aside { self.aside(lang) } else { String::new() };
                self.answer_press(priority, &query, &words).await;
                self.send(priority, &target, &reply, lang).await;
            }
        }
        if let (Some(turned), Some(chat)) = (turned, chat) {
            self.turn(priority, chat, pressed, turned).await;
        }
        self.post(&target, post, lang).await;
    }

    /// Puts another button in the place of the pressed one: the message stays as it is.
    async fn turn(&self, priority: Priority, chat: i64, pressed: Pressed, turned: Button) {
        let Some(mut keyboard) = pressed.keyboard else { return };
        let rows = keyboard["inline_keyboard"].as_array_mut().into_iter().flatten();
        for button in rows.filter_map(Value::as_array_mut).flatten() {
            if button["callback_data"] == pressed.data {
                *button = json!({ "text": turned.label, "callback_data": turned.clone().freshened().line });
            }
        }
        let body = json!({ "chat_id": chat, "message_id": pressed.message, "reply_markup": keyboard });
        match self.api.in_turn(priority, chat, "editMessageReplyMarkup", &body).await {
            Outcome::Done(_) => {}
            // The answer says what holds now; the button is only a short way to it.
            other => tracing::debug!(?other, "a button could not be turned"),
        }
    }

    /// Where the answer is to a reader of a channel.
    fn aside(&self, lang: Lang) -> String {
        let (en, it) = ("I answer in our private chat: @", "Rispondo nella nostra chat privata: @");
        format!("{}{}", lang.pick(en, it), self.me.username)
    }

    /// Answers a press, so that its button stops spinning; a notice is shown above it.
    pub async fn answer_press(&self, priority: Priority, query: &str, notice: &str) {
        let mut body = json!({ "callback_query_id": query });
        if !notice.is_empty() {
            body["text"] = json!(notice);
            body["show_alert"] = json!(true);
        }
        match self.api.beside(priority, "answerCallbackQuery", &body).await {
            Outcome::Done(_) => {}
            // A press that is too old needs no answer any more.
            other => tracing::debug!(?other, "a press could not be answered"),
        }
    }

    async fn send(&self, priority: Priority, target: &Target, reply: &Reply, lang: Lang) -> Landed {
        let parts = render::answer(reply, lang);
        self.api.answer(priority, target, &parts, &sorry(lang)).await.unwrap_or_else(|TokenGone| {
            tracing::error!("an answer was given up: the token is refused");
            Landed::There
        })
    }

    /// A short word, where a question is not answered.
    pub async fn say(&self, target: &Target, words: &str, lang: Lang) {
        self.send(Priority::Reader, target, &Reply::personal(Tone::Polite, words), lang).await;
    }

    /// `@bot westpole`: incidents that fit, each as a card or a timeline to post.
    async fn inline(&self, heard: Heard, query: &str) {
        let lang = self.desk.lang_of(&heard);
        let words = heard.line.trim_start_matches('/').to_owned();
        let mut results: Vec<Offered> = Vec::new();
        let desk = self.desk.clone();
        let suggest = move || desk.suggest(commands::kit::Shape::Incident, &words, lang);
        let suggested = tokio::task::spawn_blocking(suggest).await.unwrap_or_default();
        for (title, handle) in suggested.into_iter().take(INLINE / 2) {
            for command in ["incident", "timeline"] {
                let line = format!("/{command} {handle}");
                let rest = self.rest(&handle, &line, lang);
                let reply = self.desk.hear_freely(Heard { line, ..heard.clone() }).await;
                if reply.personal {
                    continue;
                }
                let part = render::inline(&reply, &rest);
                let about = reply.title.plain();
                results.push(Offered { id: format!("{command}:{handle}"), title: title.clone(), about, part });
            }
        }
        // Of what Telegram does not take, one result would take all others along.
        for looks in [Looks::Marked, Looks::Plain, Looks::Title] {
            let results: Vec<Value> = results.iter().map(|it| it.article(looks)).collect();
            let body = json!({ "inline_query_id": query, "results": results, "cache_time": 30, "is_personal": true });
            match self.api.beside(Priority::Reader, "answerInlineQuery", &body).await {
                Outcome::Refused(400 | 413, why, _) if !why.contains("query is too old") => {
                    tracing::error!(why, ?looks, "Telegram does not take what is offered inline");
                }
                Outcome::Done(_) => return,
                other => return tracing::debug!(?other, "an inline query could not be answered"),
            }
        }
    }

    /// Where all of what is offered inline can be read.
    fn rest(&self, handle: &str, line: &str, lang: Lang) -> Line {
        let words = lang.pick("All of it, in a chat with ", "Per leggere tutto, in una chat con ");
        let name = format!("@{}", self.me.username);
        let rest = match format!("https://t.me/{}?start={handle}", self.me.username).parse() {
            Ok(link) => Line::new().text(words).span(Span::Link { text: name, link }),
            Err(_) => Line::new().text(words).code(name),
        };
        rest.text(": ").code(line)
    }

    /// Brings somebody a letter: a message of their private chat, or another in the place of one.
    pub async fn letter(&self, letter: Letter) -> Brought {
        let Some(account) = account(&letter.to, Platform::Telegram) else {
            return Brought::Refused(format!("{} is nobody on Telegram", letter.to));
        };
        let chat = i64::try_from(account).unwrap_or_default();
        let lang = self.desk.lang_for(&letter.to, None);
        let parts = render::answer(&letter.reply, lang);
        let place = letter.place.as_ref().and_then(|(place, message)| {
            let (chat, _) = place.parts::<i64, i32>()?;
            Some((chat, message.parse::<i32>().ok()?))
        });
        let (chat, edits) = place.map_or((chat, None), |(chat, message)| (chat, Some(message)));
        match self.api.letter(&Target { chat, thread: None, edits }, &parts, &sorry(lang)).await {
            Ok(message) => {
                let message = message.or(edits.and_then(|edited| u64::try_from(edited).ok()));
                Brought::There(message.map(|message| (Address(format!("telegram:{chat}")), message)))
            }
            Err(other) => other,
        }
    }

    /// Tells somebody something in private; whether they have got it.
    pub async fn alert(&self, person: u64, words: &Words) -> bool {
        let chat = i64::try_from(person).unwrap_or_default();
        let lang = self.desk.lang_for(&Address(format!("telegram:{person}")), None);
        let reply = Reply::personal(Tone::Alarm, words.get(lang));
        let target = Target { chat, thread: None, edits: None };
        let brought = self.api.letter(&target, &render::answer(&reply, lang), &sorry(lang)).await;
        if let Err(why) = &brought {
            tracing::info!(?why, "an alert was not brought; it is tried again");
        }
        brought.is_ok()
    }
}

/// What is said where not even the plain words are taken.
fn sorry(lang: Lang) -> Part {
    Part::of(&render::notice(&commands::sorry(lang), usize::MAX).0)
}

/// How much of an inline result is offered.
#[derive(Clone, Copy, Debug)]
enum Looks {
    Marked,
    Plain,
    Title,
}

/// One inline result: what is posted when it is chosen.
struct Offered {
    id: String,
    title: String,
    about: String,
    part: Part,
}

impl Offered {
    fn article(&self, looks: Looks) -> Value {
        let mut content = json!({ "link_preview_options": { "is_disabled": true } });
        match looks {
            Looks::Marked => (content["message_text"], content["parse_mode"]) = (json!(self.part.html), json!("HTML")),
            Looks::Plain => content["message_text"] = json!(self.part.plain),
            Looks::Title => content["message_text"] = json!(render::name(&self.title, NAME)),
        }
        json!({
            "type": "article",
            "id": self.id,
            "title": render::name(&self.title, NAME),
            "description": render::name(&self.about, NAME),
            "input_message_content": content,
        })
    }
}
