//! Telegram's updates as asks.

use record::private::{Address, AskKey};
use serde_json::Value;
use teloxide::types::{CallbackQuery, InlineQuery, MaybeInaccessibleMessage, Message, Update, UpdateKind, User};

use super::send::Target;
use crate::desk::Heard;

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
    Press(Box<Heard>, Target, String),
    /// A press that means nothing to us; it wants an answer all the same.
    EmptyPress(String),
    /// Somebody types `@bot …` in another chat.
    Inline(Box<Heard>, String),
}

/// An update as Telegram sent it: unknown kinds are no error. Read from text, since teloxide's types borrow from it.
pub fn read(raw: &Value) -> Option<Update> {
    serde_json::from_str(&raw.to_string()).ok()
}

/// What an update wants of us; most want nothing.
pub fn matter(update: Update, me: &Me) -> Option<Matter> {
    let id = update.id.0;
    match update.kind {
        UpdateKind::Message(message) | UpdateKind::ChannelPost(message) => message_matter(&message, id, me),
        UpdateKind::CallbackQuery(press) => Some(press_matter(press, id, me)),
        UpdateKind::InlineQuery(query) => Some(inline_matter(query, id, me)),
        _ => None,
    }
}

fn message_matter(message: &Message, id: u32, me: &Me) -> Option<Matter> {
    let text = message.text()?;
    let line = addressed(text, me, message.chat.is_private())?;
    let thread = message.thread_id.filter(|_| message.is_topic_message).map(|thread| thread.0.0);
    let chat = message.chat.id.0;
    let anonymous = message.sender_chat.as_ref().is_some_and(|sender| sender.id == message.chat.id);
    let from = message.from.as_ref().filter(|_| message.sender_chat.is_none());
    let private = message.chat.is_private();
    let heard = Heard {
        line,
        caller: from.map(person),
        place: place(chat, thread),
        settings: place(chat, None),
        shared: !private,
        // In a channel only its administrators can post.
        manages: private || anonymous || message.chat.is_channel(),
        tongue: from.and_then(|user| user.language_code.clone()),
        key: key(me, id),
    };
    Some(Matter::Ask(Box::new(heard), Target { chat, thread, edits: None }))
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
    let heard = Heard {
        line,
        caller: Some(person(&press.from)),
        place: place(chat, thread),
        settings: place(chat, None),
        shared: !private,
        manages: private,
        tongue: press.from.language_code,
        key: key(me, id),
    };
    Matter::Press(Box::new(heard), Target { chat, thread, edits: Some(message.id().0) }, query)
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
        tongue: query.from.language_code,
        key: key(me, id),
    };
    Matter::Inline(Box::new(heard), query.id.0)
}

/// The line, if it is meant for us: a command without a name or with ours; in a private chat, anything.
fn addressed(text: &str, me: &Me, private: bool) -> Option<String> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix('/') else { return private.then(|| text.to_owned()) };
    let (word, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match word.split_once('@') {
        None => Some(text.to_owned()),
        Some((command, name)) if name.eq_ignore_ascii_case(&me.username) => {
            Some(format!("/{command} {arguments}").trim_end().to_owned())
        }
        Some(_) => None,
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
        assert_eq!(line("timeline westpole", true).as_deref(), Some("timeline westpole"));
    }
}
