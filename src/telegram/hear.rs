//! Telegram's updates as asks.

use commands::kit::Posting;
use record::{
    channel::PlaceKind,
    private::{Address, AskKey},
    reply::pressed,
};
use serde_json::Value;
use teloxide::types::{
    CallbackQuery, Chat, ChatMemberKind, ChatMemberUpdated, InlineKeyboardButtonKind, InlineQuery,
    MaybeInaccessibleMessage, Message, Update, UpdateKind, User,
};

use super::{quote, render::undone, send::Target};
use crate::{desk::Heard, dispatch::Event};

/// The bot itself, as `getMe` describes it.
#[derive(Clone, Debug)]
pub struct Me {
    /// Its number.
    pub id: u64,
    /// Its name, without `@`.
    pub username: String,
}

/// Something to be done about an update.
#[derive(Debug)]
pub enum Matter {
    /// A question, and where the answer goes.
    Ask(Box<Heard>, Target),
    /// A pressed button: like a question, and the press itself wants an answer.
    Press(Box<Heard>, Target, Pressed),
    /// A press that means nothing to us; it wants an answer all the same.
    EmptyPress(String),
    /// Somebody types `@bot …` in another chat.
    Inline(Box<Heard>, String),
    /// Something that matters for news: where we may post, or under which address.
    Event(Address, Event),
    /// We were let into a group.
    Joined(Joined),
}

/// A press, and the message that the button hangs on.
#[derive(Debug)]
pub struct Pressed {
    /// What answers the press.
    pub query: String,
    /// The message.
    pub message: i32,
    /// What the button says.
    pub data: String,
    /// The message's buttons, as far as Telegram tells.
    pub keyboard: Option<Value>,
}

/// A group that let us in.
#[derive(Debug)]
pub struct Joined {
    /// The group.
    pub place: Address,
    /// Where it is greeted.
    pub target: Target,
    /// What it is called.
    pub title: String,
    /// Who let us in.
    pub by: i64,
    /// The language that they have.
    pub tongue: Option<String>,
}

/// What we want to hear of; it is remembered by the platform until it is said anew. Nothing else is read: teloxide panics
/// on some that are not whole (0.17: an answer to a poll by nobody).
pub const KINDS: &[&str] = &["message", "callback_query", "my_chat_member", "inline_query", "channel_post"];

/// An update as Telegram sent it: unknown kinds are no error. Read from text, since teloxide's types borrow from it.
pub fn read(raw: &Value) -> Option<Update> {
    let (kind, what) = KINDS.iter().find_map(|kind| raw.get(kind).map(|what| (*kind, what)))?;
    let update =
        Value::from_iter([("update_id", raw.get("update_id")?), (kind, what)].map(|(key, it)| (key, it.clone())));
    serde_json::from_str(&update.to_string()).ok()
}

/// What an update wants of us; most want nothing.
pub fn matter(update: Update, me: &Me) -> Option<Matter> {
    let id = update.id.0;
    match update.kind {
        UpdateKind::Message(message) | UpdateKind::ChannelPost(message) => {
            migration(&message).or_else(|| reopened(&message)).or_else(|| message_matter(&message, id, me))
        }
        UpdateKind::MyChatMember(change) => Some(membership(&change)),
        UpdateKind::CallbackQuery(press) => Some(press_matter(press, id, me)),
        UpdateKind::InlineQuery(query) => Some(inline_matter(query, id, me)),
        _ => None,
    }
}

fn message_matter(message: &Message, id: u32, me: &Me) -> Option<Matter> {
    let private = message.chat.is_private();
    // A channel's post in its discussion group was answered in the channel.
    if message.is_automatic_forward() {
        return None;
    }
    // Who writes to us alone is answered also where they send a picture without a word; an album would be many.
    let wordless = || (private && quote::has_attachment(message) && message.media_group_id().is_none()).then_some("");
    let text = quote::words(message).or_else(wordless)?;
    let line = addressed(&typed(text), me, private)?;
    let thread = message.thread_id.filter(|_| message.is_topic_message).map(|thread| thread.0.0);
    let chat = message.chat.id.0;
    let anonymous = message.sender_chat.as_ref().is_some_and(|sender| sender.id == message.chat.id);
    let from = message.from.as_ref().filter(|_| message.sender_chat.is_none());
    let heard = Heard {
        line,
        caller: from.map(person),
        place: place(chat, thread),
        settings: place(chat, None),
        shared: !private,
        // In a channel only its administrators can post.
        manages: private || anonymous || message.chat.is_channel(),
        kind: kind(&message.chat, thread),
        posting: Posting::Unknown,
        elsewhere: None,
        tongue: from.and_then(|user| user.language_code.clone()),
        group_tongue: None,
        key: key(me, id),
        quoted: quote::quoted(message, me.id),
    };
    Some(Matter::Ask(Box::new(heard), Target { chat, thread, edits: None }))
}

/// A group that became a supergroup says so in both.
fn migration(message: &Message) -> Option<Matter> {
    let here = message.chat.id.0;
    let (from, to) = match (message.migrate_to_chat_id(), message.migrate_from_chat_id()) {
        (Some(to), _) => (here, to.0),
        (_, Some(from)) => (from.0, here),
        _ => return None,
    };
    let (from, to) = (place(from, None), place(to, None));
    Some(Matter::Event(from.clone(), Event::Moved { from, to }))
}

/// A topic that was closed takes messages again.
fn reopened(message: &Message) -> Option<Matter> {
    message.forum_topic_reopened()?;
    let topic = place(message.chat.id.0, message.thread_id.map(|thread| thread.0.0));
    Some(Matter::Event(topic.clone(), Event::Returned(topic)))
}

/// We were let in, put out, or given another standing.
fn membership(change: &ChatMemberUpdated) -> Matter {
    let (chat, old, new) = (&change.chat, &change.old_chat_member, &change.new_chat_member);
    let address = place(chat.id.0, None);
    if !new.is_present() {
        let why = match (new.is_banned(), chat.is_private()) {
            (true, true) => "bot was blocked by the user",
            (true, false) => "bot was removed from the chat",
            (false, _) => "bot left the chat",
        };
        return Matter::Event(address.clone(), Event::Removed { address, why: why.to_owned() });
    }
    if !old.is_present() && (chat.is_group() || chat.is_supergroup()) {
        return Matter::Joined(Joined {
            place: address,
            target: Target { chat: chat.id.0, thread: None, edits: None },
            title: chat.title().unwrap_or_default().to_owned(),
            by: i64::try_from(change.from.id.0).unwrap_or_default(),
            tongue: change.from.language_code.clone(),
        });
    }
    let writes = match &new.kind {
        ChatMemberKind::Restricted(it) => it.can_send_messages,
        ChatMemberKind::Administrator(it) if chat.is_channel() => it.can_post_messages,
        ChatMemberKind::Member(_) => !chat.is_channel(),
        _ => true,
    };
    if !writes {
        return Matter::Event(address.clone(), Event::Muted { address, why: "not enough rights to post".to_owned() });
    }
    Matter::Event(address.clone(), Event::Returned(address))
}

fn press_matter(press: CallbackQuery, id: u32, me: &Me) -> Matter {
    let query = press.id.0;
    let (Some(line), Some(message)) = (press.data, press.message) else { return Matter::EmptyPress(query) };
    let (chat, private) = (message.chat().id.0, message.chat().is_private());
    let thread = match &message {
        MaybeInaccessibleMessage::Regular(message) => {
            message.thread_id.filter(|_| message.is_topic_message).map(|thread| thread.0.0)
        }
        MaybeInaccessibleMessage::Inaccessible(_) => None,
    };
    let own = offers(&message, &line);
    let keyboard = match &message {
        MaybeInaccessibleMessage::Regular(message) => {
            message.reply_markup().and_then(|keyboard| serde_json::to_value(keyboard).ok())
        }
        MaybeInaccessibleMessage::Inaccessible(_) => None,
    };
    let hangs = Pressed { query, message: message.id().0, data: line.clone(), keyboard };
    let (line, fresh) = pressed(&line);
    let fresh = fresh || !own;
    let heard = Heard {
        line: line.to_owned(),
        caller: Some(person(&press.from)),
        place: place(chat, thread),
        settings: place(chat, None),
        shared: !private,
        manages: private,
        kind: kind(message.chat(), thread),
        posting: Posting::Unknown,
        elsewhere: None,
        tongue: press.from.language_code,
        group_tongue: None,
        key: key(me, id),
        quoted: None,
    };
    let target = match fresh {
        false => Target { chat, thread, edits: Some(message.id().0) },
        // Whoever reads a channel must not make us write in it.
        true if heard.kind == PlaceKind::Broadcast => {
            Target { chat: i64::try_from(press.from.id.0).unwrap_or_default(), thread: None, edits: None }
        }
        true => Target { chat, thread, edits: None },
    };
    Matter::Press(Box::new(heard), target, hangs)
}

/// Whether a message has a button that says this. A press may say anything: one that no button of the message says must
/// not change the message.
fn offers(message: &MaybeInaccessibleMessage, line: &str) -> bool {
    let MaybeInaccessibleMessage::Regular(message) = message else { return true };
    let Some(keyboard) = message.reply_markup() else { return true };
    let says =
        |kind: &InlineKeyboardButtonKind| matches!(kind, InlineKeyboardButtonKind::CallbackData(it) if it == line);
    keyboard.inline_keyboard.iter().flatten().any(|button| says(&button.kind))
}

fn inline_matter(query: InlineQuery, id: u32, me: &Me) -> Matter {
    let asker = person(&query.from);
    let heard = Heard {
        line: query.query,
        caller: Some(asker.clone()),
        place: asker.clone(),
        settings: asker,
        shared: false,
        manages: true,
        kind: PlaceKind::Private,
        posting: Posting::Unknown,
        elsewhere: None,
        tongue: query.from.language_code,
        group_tongue: None,
        key: key(me, id),
        quoted: None,
    };
    Matter::Inline(Box::new(heard), query.id.0)
}

/// A text as it would have been typed: without the joiners of what was copied from us. Words of the record that only look
/// like a command do not become one.
fn typed(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('/').map_or_else(|| undone(text), |rest| format!("/{}", undone(rest)))
}

/// The line, if it is meant for us: a command without a name or with ours; in a private chat, anything.
fn addressed(text: &str, me: &Me, private: bool) -> Option<String> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('/') else { return private.then(|| text.to_owned()) };
    let (word, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match word.split_once('@') {
        // Other bots have commands, too, and people write paths: in groups only ours are ours.
        None => (private || commands::called(text).is_some()).then(|| text.to_owned()),
        Some((command, name)) if name.eq_ignore_ascii_case(&me.username) => {
            Some(format!("/{command} {arguments}").trim_end().to_owned())
        }
        Some(_) => None,
    }
}

fn kind(chat: &Chat, thread: Option<i32>) -> PlaceKind {
    match thread {
        Some(_) => PlaceKind::Topic,
        None if chat.is_private() => PlaceKind::Private,
        None if chat.is_channel() => PlaceKind::Broadcast,
        None => PlaceKind::Group,
    }
}

fn person(user: &User) -> Address {
    Address(format!("telegram:{}", user.id.0))
}

fn place(chat: i64, thread: Option<i32>) -> Address {
    Address(match thread {
        Some(thread) => format!("telegram:{chat}/{thread}"),
        None => format!("telegram:{chat}"),
    })
}

fn key(me: &Me, update: u32) -> AskKey {
    AskKey { platform: "telegram".to_owned(), bot: me.id.to_string(), id: update.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_ours_or_somebody_elses() {
        let me = Me { id: 1, username: "strillone_bot".to_owned() };
        let line = |text, private| addressed(text, &me, private);
        assert_eq!(line("/timeline@Strillone_Bot westpole 2", false).as_deref(), Some("/timeline westpole 2"));
        assert_eq!(line("/about@strillone_bot", false).as_deref(), Some("/about"));
        assert_eq!(line("/timeline@other_bot westpole", false), None);
        assert_eq!(line("/timeline westpole", false).as_deref(), Some("/timeline westpole"));
        assert_eq!(line("what happened?", false), None);
        for others in ["/ban @x", "/rules", "/r/italy is nice", "/", "//"] {
            assert_eq!(line(others, false), None, "{others}");
        }
        assert_eq!(line("/rules@strillone_bot", false).as_deref(), Some("/rules"), "whoever names us is answered");
        assert_eq!(line("/rules", true).as_deref(), Some("/rules"));
        assert_eq!(line("timeline westpole", true).as_deref(), Some("timeline westpole"));
    }

    #[test]
    fn what_is_copied_from_us_is_heard_as_it_was_recorded() {
        let copied = "/source westpole link:https:\u{2060}//www.\u{2060}a.\u{2060}example/x";
        assert_eq!(typed(copied), "/source westpole link:https://www.a.example/x");
        assert_eq!(typed(" ask @\u{2060}durov "), "ask @durov");
        let recorded = "/\u{2060}unsubscribe x";
        assert_eq!(typed(recorded), recorded, "no command, as long as nobody types it");
        assert_eq!(typed("a\u{2060}b"), "a\u{2060}b", "a joiner of somebody's own");
    }

    #[test]
    fn what_happens_to_us_in_a_chat_is_heard() {
        let me = Me { id: 1, username: "strillone_bot".to_owned() };
        let heard = |update: Value| read(&update).and_then(|update| matter(update, &me));
        let bot = serde_json::json!({ "id": 1, "is_bot": true, "first_name": "Strillone" });
        let change = |chat: i64, kind: &str, old: &str, new: &str| {
            let member = |status| serde_json::json!({ "status": status, "user": bot, "until_date": 0 });
            let chat = serde_json::json!({ "id": chat, "type": kind, "title": "t", "first_name": "t" });
            let by = serde_json::json!({ "id": 6, "is_bot": false, "first_name": "Ugo", "language_code": "it" });
            serde_json::json!({ "update_id": 9, "my_chat_member": {
                "chat": chat, "from": by, "date": 0, "old_chat_member": member(old), "new_chat_member": member(new),
            } })
        };
        let removed = |matter| match matter {
            Some(Matter::Event(_, Event::Removed { address, why })) => format!("{address}: {why}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            removed(heard(change(-4, "group", "member", "kicked"))),
            "telegram:-4: bot was removed from the chat"
        );
        assert_eq!(removed(heard(change(-4, "group", "member", "left"))), "telegram:-4: bot left the chat");
        assert_eq!(removed(heard(change(5, "private", "member", "kicked"))), "telegram:5: bot was blocked by the user");
        let joined = heard(change(-4, "group", "left", "member"));
        let Some(Matter::Joined(joined)) = joined else { panic!("{joined:?}") };
        assert_eq!((joined.target.chat, joined.by, joined.tongue.as_deref()), (-4, 6, Some("it")));
        let back = heard(change(5, "private", "kicked", "member"));
        assert!(matches!(back, Some(Matter::Event(_, Event::Returned(_)))));
        let plain = heard(change(-1_002, "channel", "left", "member"));
        assert!(matches!(plain, Some(Matter::Event(_, Event::Muted { .. }))), "{plain:?}");
        let mut reopened = serde_json::json!({ "message_id": 2, "date": 0, "message_thread_id": 7 });
        reopened["chat"] = serde_json::json!({ "id": -1009, "type": "supergroup", "title": "t", "is_forum": true });
        reopened["is_topic_message"] = serde_json::json!(true);
        reopened["forum_topic_reopened"] = serde_json::json!({});
        let back = heard(serde_json::json!({ "update_id": 9, "message": reopened }));
        let Some(Matter::Event(_, Event::Returned(topic))) = back else { panic!("a topic is open again") };
        assert_eq!(topic.0, "telegram:-1009/7");
        let service = |chat: i64, key: &str, to: i64| {
            let chat = serde_json::json!({ "id": chat, "type": "group", "title": "t" });
            serde_json::json!({ "update_id": 9, "message": { "message_id": 2, "date": 0, "chat": chat, key: to } })
        };
        for moved in [service(-4, "migrate_to_chat_id", -1009), service(-1009, "migrate_from_chat_id", -4)] {
            let Some(Matter::Event(_, Event::Moved { from, to })) = heard(moved) else { panic!("a move") };
            assert_eq!((from.0.as_str(), to.0.as_str()), ("telegram:-4", "telegram:-1009"));
        }
    }
}
