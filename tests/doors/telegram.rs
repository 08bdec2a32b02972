//! A Telegram of our own: the Bot API on 127.0.0.1 with people, chats and a memory, refusing what the real one refuses.
#![allow(dead_code, reason = "each test takes of it what it needs")]

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, http::Uri, http::header};
use axum::{response::IntoResponse, response::Response};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{cmp::Reverse, path::Path, pin::pin, time::Duration, time::SystemTime};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

mod api;
mod checks;
mod html;
mod http;
mod spec;
mod words;

use {checks::*, html::*, http::*, words::*};

pub use spec::check_against_spec;
pub use words::{document, photo};

const BOT: i64 = 7_000_000_001;
const NAME: &str = "strillone_bot";
/// The real shape, digits and 35 characters, so that what hides tokens in logs hides this one.
const TOKEN: &str = "7000000001:AAFakeTokenOfTheStrilloneTestsXYZ12";
/// The account that speaks for a group when one of its administrators hides.
const ANONYMOUS: i64 = 1_087_968_824;
/// The account in whose name Telegram passes a channel's posts on to their discussion.
const TELEGRAM: i64 = 777_000;
const MOVED: &str = "Bad Request: group chat was upgraded to a supergroup chat";
const LATE: &str = "query is too old and response timeout expired or query ID is invalid";
const RIVAL: &str = "terminated by other getUpdates request; make sure that only one bot instance is running";
const WEBHOOK: &str =
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const SAME: &str = "message is not modified: specified new message content and reply markup are exactly the same as a \
                    current content and reply markup of the message";

/// A chat, by the id Telegram gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chat(pub i64);

/// A message as it reads now: `html` as the bot wrote it, `buttons` in rows of (label, callback data or URL), `wire` as
/// Telegram tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub chat: Chat,
    pub id: i64,
    pub text: String,
    pub html: String,
    pub buttons: Vec<Vec<(String, String)>>,
    pub thread: Option<i64>,
    pub reply_to: Option<i64>,
    pub edits: u32,
    pub pinned: bool,
    pub wire: Value,
}

/// A request, in the order it came; `status` and `reply` are 0 and null until it is answered, and stay so if it is cut.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub params: Value,
    pub at: Instant,
    pub status: u16,
    pub reply: Value,
}

/// What a test can order to go wrong. With the last four the call takes effect all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// 429 with these seconds to wait.
    TooMany(u64),
    /// Any refusal, in Telegram's words: `Refuse(500, "restart")`.
    Refuse(u16, &'static str),
    /// A proxy's HTML page with this status.
    Html(u16),
    /// The connection closes without a word.
    CutBefore,
    CutAfter,
    HtmlAfter(u16),
    /// An answer that comes late.
    Slow(Duration),
    /// An answer that tells of a chat of a type nobody has heard of.
    StrangeChat,
}

/// What holds for the whole of this Telegram.
#[derive(Default)]
pub struct Rules {
    pub token_revoked: bool,
    pub privacy_off: bool,
    /// 30 messages a second in all, 1 a second in a chat, 20 a minute in a group or channel.
    pub limits_enforced: bool,
    /// By how many seconds its clock is ahead of ours.
    pub ahead: i64,
}

/// A refusal: code, description, and sometimes parameters.
#[derive(Debug)]
struct Refusal(u16, String, Value);
type Done = Result<Value, Refusal>;
/// A text after parsing, and its entities.
type Formatted = (String, Vec<Value>);

/// A message from the inside; `own` if the bot sent it.
struct Post {
    wire: Value,
    html: String,
    own: bool,
    edits: u32,
    pinned: bool,
}

/// A chat from the inside. `topics` says which are closed; a forum has topic 1, General.
struct Room {
    wire: Value,
    members: BTreeMap<i64, String>,
    topics: BTreeMap<i64, bool>,
    posts: BTreeMap<i64, Post>,
    last: i64,
    refusal: Option<(u16, &'static str)>,
    moved: Option<i64>,
    /// When the bot's last messages came, within a minute.
    sent: VecDeque<Instant>,
    /// Whether its members may write.
    members_write: bool,
    /// The group in which a channel's posts are discussed.
    discussion: Option<i64>,
}

/// `updates` are those not confirmed; one marked is told once whatever the offset. `queries` know if it is too late for
/// them, and their answers.
#[derive(Default)]
struct World {
    rules: Rules,
    users: BTreeMap<i64, Value>,
    rooms: BTreeMap<i64, Room>,
    updates: Vec<(i64, Value, bool)>,
    last_update: i64,
    allowed: Vec<Value>,
    poller: u64,
    /// Where updates go instead of to whoever polls.
    webhook: String,
    /// The last offset that was asked for, and when.
    offset: Option<(i64, Instant)>,
    /// How often the same offset was asked for within half a second: such a poll gets one update.
    hasty: usize,
    /// Whether the poll under way gets one update.
    single: bool,
    queries: BTreeMap<String, (bool, Vec<Value>)>,
    commands: BTreeMap<(String, String), Value>,
    faults: Vec<(String, u32, Fault)>,
    calls: Vec<Call>,
    /// When the bot's last messages came, within a second; the public names of chats.
    sent: VecDeque<Instant>,
    names: BTreeMap<String, i64>,
}

/// The running fake; a clone is another handle on the same one.
#[derive(Clone)]
pub struct Telegram {
    port: u16,
    world: Arc<Mutex<World>>,
    bell: Arc<Notify>,
}

/// What a test does as the people and chats of this Telegram, and what it sees.
impl Telegram {
    pub async fn start() -> Telegram {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let tg = Telegram { port, world: Arc::default(), bell: Arc::default() };
        tokio::spawn(axum::serve(listener, Router::new().fallback(serve).with_state(tg.clone())).into_future());
        tg
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// Another program has Telegram send updates to an address; empty ends it.
    pub fn sets_webhook(&self, url: &str) {
        self.change(|world| url.clone_into(&mut world.webhook));
    }

    pub fn webhook(&self) -> String {
        self.world().webhook.clone()
    }

    /// How many updates are not confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.world().updates.len()
    }

    /// How often the same offset was asked for within half a second.
    pub fn hasty(&self) -> usize {
        self.world().hasty
    }

    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        self.change(|world| change(&mut world.rules));
    }

    /// Someone Telegram knows, who has not (yet) started the bot.
    pub fn user(&self, id: i64, name: &str, language: &str) {
        let user = json!({"id": id, "is_bot": false, "first_name": name, "language_code": language});
        self.world().users.insert(id, user);
    }

    pub fn private(&self, user: i64, name: &str, language: &str) -> Chat {
        self.user(user, name, language);
        self.room(user, "member", json!({"type": "private", "first_name": name}))
    }

    pub fn group(&self, title: &str) -> Chat {
        self.room(-4_000_000, "member", json!({"type": "group", "title": title}))
    }

    pub fn supergroup(&self, title: &str) -> Chat {
        self.room(-1_002_000_000_000, "member", json!({"type": "supergroup", "title": title}))
    }

    pub fn forum(&self, title: &str) -> Chat {
        let wire = json!({"type": "supergroup", "title": title, "is_forum": true});
        let chat = self.room(-1_002_000_000_000, "member", wire);
        self.sets_topic(chat, 1, Some(false));
        chat
    }

    pub fn channel(&self, title: &str) -> Chat {
        self.room(-1_002_000_000_000, "administrator", json!({"type": "channel", "title": title}))
    }

    fn room(&self, base: i64, status: &str, mut wire: Value) -> Chat {
        let mut world = self.world();
        let id = if base > 0 { base } else { base - world.rooms.len() as i64 };
        wire["id"] = json!(id);
        let (members, topics) = (BTreeMap::from([(BOT, status.to_owned())]), BTreeMap::new());
        let (posts, sent) = (BTreeMap::new(), VecDeque::new());
        let room = Room {
            wire,
            members,
            topics,
            posts,
            last: 1,
            refusal: None,
            moved: None,
            sent,
            members_write: true,
            discussion: None,
        };
        world.rooms.insert(id, room);
        Chat(id)
    }

    /// Opens a topic; its id is that of the service message that opens it.
    pub fn topic(&self, chat: Chat, name: &str) -> i64 {
        let opening = json!({"forum_topic_created": {"name": name, "icon_color": 7_322_096}, "is_topic_message": true});
        let id = self.world().post(chat.0, opening, "", false);
        self.sets_topic(chat, id, Some(false));
        id
    }

    /// Closes a topic, opens it again or (`None`) deletes it; 1 is General.
    pub fn sets_topic(&self, chat: Chat, topic: i64, closed: Option<bool>) {
        self.within(chat, |room| match closed {
            Some(closed) => room.topics.insert(topic, closed),
            None => room.topics.remove(&topic),
        });
    }

    /// Gives a chat a public name, by which it can be asked for.
    pub fn names(&self, chat: Chat, name: &str) {
        self.within(chat, |room| room.wire["username"] = json!(name.trim_start_matches('@')));
        self.world().names.insert(name.to_lowercase(), chat.0);
    }

    /// From now on what the channel posts stands in the group, too, passed on by Telegram itself.
    pub fn discusses(&self, channel: Chat, group: Chat) {
        self.within(channel, |room| room.discussion = Some(group.0));
    }

    /// An earlier program's list of commands, left in a scope and language.
    pub fn leaves_commands(&self, scope: &str, language: &str) {
        let list = json!([{"command": "old", "description": "Of an earlier program"}]);
        self.world().commands.insert((scope.to_owned(), language.to_owned()), list);
    }

    /// The commands that somebody is shown in a chat: those of the narrowest scope that has a list, in it those of their
    /// language before those of none.
    pub fn menu(&self, chat: Chat, user: i64, language: &str) -> Vec<String> {
        let world = self.world();
        let room = &world.rooms[&chat.0];
        let private = room.kind() == "private";
        let manages = ["creator", "administrator"].contains(&room.status(user));
        let scopes = [
            (!private).then(|| format!("chat_member:{}:{user}", chat.0)),
            (!private && manages).then(|| format!("chat_administrators:{}", chat.0)),
            Some(format!("chat:{}", chat.0)),
            (!private && manages).then(|| "all_chat_administrators".to_owned()),
            Some(if private { "all_private_chats" } else { "all_group_chats" }.to_owned()),
            Some("default".to_owned()),
        ];
        let each = scopes
            .into_iter()
            .flatten()
            .flat_map(|scope| [(scope.clone(), language.to_owned()), (scope, String::new())]);
        let shown = each
            .filter_map(|place| world.commands.get(&place))
            .find(|list| list.as_array().is_some_and(|all| !all.is_empty()));
        shown.and_then(Value::as_array).into_iter().flatten().map(|command| text(command, "command")).collect()
    }

    /// Whether a group lets its members write; administrators may in any case.
    pub fn members_write(&self, chat: Chat, may: bool) {
        self.within(chat, |room| room.members_write = may);
    }

    /// Makes someone `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`; the bot is not told. Also
    /// `trusted`, who is restricted but may write, and `mute`, an administrator who may not post.
    pub fn member(&self, chat: Chat, user: i64, status: &str) {
        self.world().someone(user);
        self.within(chat, |room| room.members.insert(user, status.to_owned()));
    }

    /// From now on the chat takes nothing from the bot, with this code and these words of Telegram's; `None` ends it.
    pub fn refuses(&self, chat: Chat, refusal: Option<(u16, &'static str)>) {
        self.within(chat, |room| room.refusal = refusal);
    }

    /// Someone writes; in a group the bot hears it only if privacy mode lets it. Returns the message's id.
    pub fn says(&self, chat: Chat, user: i64, text: &str) -> i64 {
        self.hear(chat, user, text, json!({}))
    }

    pub fn says_in_topic(&self, chat: Chat, topic: i64, user: i64, text: &str) -> i64 {
        let opening = self.wire_of(chat, topic);
        let more = json!({"message_thread_id": topic, "is_topic_message": true, "reply_to_message": opening});
        self.hear(chat, user, text, more)
    }

    pub fn replies(&self, chat: Chat, to: i64, user: i64, text: &str) -> i64 {
        self.hear(chat, user, text, json!({"reply_to_message": self.quoted(chat, to)}))
    }

    /// A message as an answer to it shows it: without what it answers itself.
    fn quoted(&self, chat: Chat, id: i64) -> Value {
        let mut wire = self.wire_of(chat, id);
        fill(&mut wire, [("reply_to_message", Value::Null)]);
        wire
    }

    /// Someone sends more than words: `what` has `text`, or `photo` and `caption`, `forward_origin`, another `date` …
    pub fn sends(&self, chat: Chat, user: i64, mut what: Value) -> i64 {
        self.change(|world| {
            let (said, caption) = (text(&what, "text"), text(&what, "caption"));
            let spotted = [("entities", json!(spotted(&said))), ("caption_entities", json!(spotted(&caption)))];
            fill(&mut what, [("from", world.someone(user))].into_iter().chain(spotted));
            let id = world.post(chat.0, what, &escaped(&said), false);
            world.tell_of(chat.0, id, "");
            id
        })
    }

    /// Where a channel's post that was passed on comes from.
    pub fn origin(&self, channel: Chat, id: i64, date: i64) -> Value {
        let chat = self.within(channel, |room| room.wire.clone());
        json!({"type": "channel", "chat": chat, "message_id": id, "date": date})
    }

    /// An administrator writes as the group itself.
    pub fn says_anonymously(&self, chat: Chat, text: &str) -> i64 {
        let speaker = json!({"id": ANONYMOUS, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot"});
        self.world().users.insert(ANONYMOUS, speaker);
        let group = self.within(chat, |room| room.wire.clone());
        self.hear(chat, ANONYMOUS, text, json!({"sender_chat": group}))
    }

    pub fn channel_post(&self, chat: Chat, text: &str) -> i64 {
        let channel = self.within(chat, |room| room.wire.clone());
        self.hear(chat, 0, text, json!({"sender_chat": channel}))
    }

    fn hear(&self, chat: Chat, user: i64, text: &str, mut more: Value) -> i64 {
        self.change(|world| {
            let from = if user == 0 { Value::Null } else { world.someone(user) };
            fill(&mut more, [("from", from), ("text", json!(text)), ("entities", json!(spotted(text)))]);
            let id = world.post(chat.0, more, &escaped(text), false);
            world.tell_of(chat.0, id, "");
            world.pass_on(chat.0, id);
            id
        })
    }

    /// What was written is written otherwise.
    pub fn edits(&self, chat: Chat, id: i64, text: &str) {
        self.change(|world| {
            world.rewrite(chat.0, id, (text.to_owned(), spotted(text)), &escaped(text), Value::Null);
            world.tell_of(chat.0, id, "edited_");
        });
    }

    /// Presses a button, by its label or data, of a message as it was when looked at; returns the callback query's id.
    pub fn presses(&self, message: &Message, button: &str, user: i64) -> String {
        let found = message.buttons.iter().flatten().find(|(label, data)| label == button || data == button);
        let (_, data) = found.unwrap_or_else(|| panic!("no button {button:?} among {:?}", message.buttons));
        let shown = match self.wire_of(message.chat, message.id) {
            Value::Null => json!({"chat": message.wire["chat"], "message_id": message.id, "date": 0}),
            wire => wire,
        };
        self.ask("callback_query", user, json!({"message": shown, "chat_instance": "1", "data": data}))
    }

    /// Someone types `@strillone_bot query`; returns the inline query's id.
    pub fn inline(&self, user: i64, query: &str) -> String {
        self.ask("inline_query", user, json!({"query": query, "offset": ""}))
    }

    fn ask(&self, kind: &str, user: i64, mut body: Value) -> String {
        self.change(|world| {
            let id = (9_000_000_000 + world.queries.len()).to_string();
            world.queries.insert(id.clone(), (false, vec![]));
            (body["id"], body["from"]) = (json!(id), world.someone(user));
            world.push(kind, body);
            id
        })
    }

    /// From now on it is too late to answer this callback or inline query.
    pub fn expires(&self, query: &str) {
        self.world().queries.entry(query.to_owned()).or_default().0 = true;
    }

    /// The bot is let in (a private chat: started again): `my_chat_member`, and in a group a service message.
    pub fn added_to(&self, chat: Chat, by: i64) {
        let kind = self.within(chat, |room| room.kind().to_owned());
        self.member(chat, BOT, "left");
        self.makes_bot(chat, if kind == "channel" { "administrator" } else { "member" }, by);
        if kind.ends_with("group") {
            let bot = self.world().someone(BOT);
            self.service(chat, by, "new_chat_members", json!([bot]));
        }
    }

    /// The bot is thrown out (a private chat: blocked).
    pub fn removed_from(&self, chat: Chat, by: i64) {
        self.makes_bot(chat, "kicked", by);
    }

    /// The bot becomes anything else: `administrator`, `restricted`, `left` …
    pub fn makes_bot(&self, chat: Chat, status: &str, by: i64) {
        self.change(|world| world.change_bot(chat.0, status, by));
    }

    /// A group becomes a supergroup: another chat, service messages in both, and the old one refuses what is sent.
    pub fn migrates(&self, chat: Chat) -> Chat {
        let (title, members) = self.within(chat, |room| (room.wire["title"].clone(), room.members.clone()));
        let new = self.supergroup(title.as_str().unwrap_or_default());
        self.within(new, |room| room.members = members);
        self.within(chat, |room| room.moved = Some(new.0));
        self.service(chat, ANONYMOUS, "migrate_to_chat_id", json!(new.0));
        self.service(new, ANONYMOUS, "migrate_from_chat_id", json!(chat.0));
        new
    }

    fn service(&self, chat: Chat, by: i64, key: &str, what: Value) {
        self.change(|world| {
            let from = world.someone(by);
            let id = world.post(chat.0, json!({"from": from, key: what}), "", false);
            world.tell_of(chat.0, id, "");
        });
    }

    /// Queues an update as it stands. One with an `update_id` is told once whatever the offset: a duplicate.
    pub fn raw_update(&self, mut body: Value) -> i64 {
        let given = body["update_id"].as_i64();
        self.change(|world| {
            let id = given.unwrap_or(world.last_update + 1);
            world.last_update = world.last_update.max(id);
            body["update_id"] = json!(id);
            world.updates.push((id, body, given.is_some()));
            id
        })
    }

    /// The next calls of a method (`*`: of any) go wrong so; the faults of a method are used up in the order given.
    pub fn fault(&self, method: &str, times: u32, fault: Fault) {
        self.world().faults.push((method.to_lowercase(), times, fault));
    }

    /// From now on nothing goes wrong that a test ordered.
    pub fn ends_faults(&self) {
        self.world().faults.clear();
    }

    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Commands and their descriptions as set for `default`, `all_group_chats`, `chat:-5`, `chat_member:-5:7` …
    pub fn commands(&self, scope: &str, language: &str) -> Vec<(String, String)> {
        let world = self.world();
        let set = world.commands.get(&(scope.to_owned(), language.to_owned())).and_then(Value::as_array);
        set.into_iter().flatten().map(|c| (text(c, "command"), text(c, "description"))).collect()
    }

    /// What the bot has in a chat, as it reads now.
    pub fn messages(&self, chat: Chat) -> Vec<Message> {
        self.within(chat, |room| room.posts.values().filter(|post| post.own).map(|post| post.seen(chat)).collect())
    }

    pub fn answers(&self, query: &str) -> Vec<Value> {
        self.world().queries.get(query).map(|(_, answers)| answers.clone()).unwrap_or_default()
    }

    /// Waits until the bot has at least `n` messages in a chat.
    pub async fn wait_for(&self, chat: Chat, n: usize, patience: Duration) -> Vec<Message> {
        self.until("the message", patience, |tg| Some(tg.messages(chat)).filter(|all| all.len() >= n)).await
    }

    /// Waits for the first answer to a callback or inline query.
    pub async fn wait_answer(&self, query: &str, patience: Duration) -> Value {
        self.until("the answer", patience, |tg| tg.answers(query).into_iter().next()).await
    }

    /// Looks again after everything that happens here until something is found.
    pub async fn until<T>(&self, what: &str, patience: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let end = Instant::now() + patience;
        loop {
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            if let Some(found) = look(self) {
                return found;
            }
            timeout_at(end, rung).await.unwrap_or_else(|_| {
                let calls = self.calls();
                panic!("{what} did not come; the last calls: {:#?}", &calls[calls.len().saturating_sub(5)..])
            });
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn within<T>(&self, chat: Chat, act: impl FnOnce(&mut Room) -> T) -> T {
        act(self.world().rooms.get_mut(&chat.0).expect("a chat of this Telegram"))
    }

    fn wire_of(&self, chat: Chat, id: i64) -> Value {
        self.within(chat, |room| room.posts.get(&id).map_or(Value::Null, |post| post.wire.clone()))
    }

    /// Changes the world and wakes all who wait for something to happen in it.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.world());
        self.bell.notify_waiters();
        result
    }
}
