//! Orders of dispatch as calls of the Bot API: each one call, and what came of it.

use std::sync::Arc;

use record::{
    lang::Lang,
    outbox::{Ms, Outcome},
    private::Address,
    reply::Reply,
};
use serde_json::{Value, json};

use super::{
    render::{self, Part},
    send::{Api, Outcome as Came},
};
use crate::dispatch::errand::{Carried, Courier, Errand, LEFT_OVER, Order, Post, SENT_AGAIN, more_to_read};

/// What Telegram says where somebody in the chat can give us the right to write, in small letters; with 400 or 403.
const RIGHTS: &[&str] = &[
    "not enough rights",
    "have no rights to send",
    "need administrator rights",
    "chat_write_forbidden",
    "chat_admin_required",
    "chat_restricted",
    "chat_guest_send_forbidden",
    "user_banned_in_channel",
    "right_forbidden",
];
/// A kind of message that a chat does not allow: `CHAT_SEND_PLAIN_FORBIDDEN` and the like.
const KIND_FORBIDDEN: (&str, &str) = ("chat_send_", "_forbidden");
/// What it says of a chat that is out of our reach, in small letters; with 400 or 403.
const UNREACHABLE: &[&str] = &[
    "chat not found",
    "user not found",
    "have no write access to the chat",
    "chat is not accessible",
    "peer_id_invalid",
    "chat_id_invalid",
    "channel_private",
    "channel_invalid",
    "channel_public_group_na",
    "chat_forbidden",
    "user_is_blocked",
    "user_is_bot",
    "user_deactivated",
    "input_user_deactivated",
    "user is deactivated",
    "user_not_participant",
    "group is deactivated",
    "group chat was deactivated",
    "bot was blocked by the user",
    "bot was kicked",
    "bot is not a member",
    "privacy_premium_required",
    "user_privacy_restricted",
    "allow_payment_required",
];
/// What it says of a message that no chat would take, in small letters.
const CONTENT: &[&str] = &[
    "can't parse entities",
    "message is too long",
    "message_too_long",
    "text is too long",
    "entities_too_long",
    "message text is empty",
    "text must be non-empty",
    "text must be encoded in utf-8",
    "message_empty",
    "entity_",
    "entities_",
    "button_",
    "inline keyboard button",
    "inline keyboard expected",
    "reply markup",
    "reply_markup_",
    "can't parse reply keyboard",
    "wrong http url",
    "wrong type of the web page content",
];
/// What it says of a topic that takes nothing.
const CLOSED: &[&str] = &["topic_closed", "topic_deleted", "message thread not found"];

/// Whether a refusal means that a topic takes nothing.
pub fn is_closed(why: &str) -> bool {
    let said = why.to_lowercase();
    CLOSED.iter().any(|words| said.contains(words))
}

/// What it says of a message that cannot be changed.
const GONE: &[&str] = &[
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message_edit_time_expired",
    "no text in the message to edit",
];

/// Whether a refusal means that the message to be changed cannot be.
pub fn is_gone(why: &str) -> bool {
    let said = why.to_lowercase();
    GONE.iter().any(|words| said.contains(words))
}

/// Whether a refusal is one of the chat or of its topic, so that other words would not be taken either.
pub fn is_of_chat(why: &str) -> bool {
    let said = why.to_lowercase();
    let has = |list: &&[&str]| list.iter().any(|words| said.contains(words));
    [RIGHTS, CLOSED, UNREACHABLE].iter().any(has) || forbids_kind(&said)
}

/// The way out for news.
pub struct Push {
    api: Arc<Api>,
}

impl Courier for Push {
    fn carry<'a>(&'a self, order: &'a Order) -> Carried<'a> {
        Box::pin(self.run(order))
    }
}

impl Push {
    /// A way out through this client.
    pub fn new(api: Arc<Api>) -> Push {
        Push { api }
    }

    async fn run(&self, order: &Order) -> Outcome {
        if let Errand::Probe = order.errand {
            // It goes to no chat.
            return fate(self.call("getMe", &json!({})).await, None, false).of_question();
        }
        let Some((chat, thread)) = order.to.parts::<i64, i32>() else {
            return Outcome::Shut { why: format!("{} is no chat of Telegram's", order.to), right: false };
        };
        match &order.errand {
            Errand::Post(post) => self.post(chat, thread.filter(|_| !post.general), post, order.lang).await,
            Errand::Edit { message, reply, part, parts, plain, repeat } => {
                let again = repeat.then_some(SENT_AGAIN.get(order.lang));
                self.edit((chat, *message), reply, (*part, *parts), *plain, again, order.lang).await
            }
            // A bot cannot read what it said.
            Errand::Find { .. } | Errand::Probe => Outcome::Found(None),
            // A channel's readers have it already.
            Errand::Publish { .. } => Outcome::Over,
        }
    }

    async fn call(&self, method: &str, body: &Value) -> Came {
        self.api.call(method, body, std::time::Duration::ZERO).await
    }

    async fn post(&self, chat: i64, thread: Option<i32>, post: &Post, lang: Lang) -> Outcome {
        let parts = render::posts(&post.reply);
        let Some(part) = parts.get(post.part) else { return Outcome::Over };
        let more = post.part + 1 < parts.len();
        let again = post.repeat.then_some(SENT_AGAIN.get(lang));
        let mut body = text_body(chat, part, post.plain, again);
        if let Some(thread) = thread {
            body["message_thread_id"] = json!(thread);
        }
        if post.silent {
            body["disable_notification"] = json!(true);
        }
        if let Some(message) = post.reply_to {
            body["reply_parameters"] = json!({ "message_id": message, "allow_sending_without_reply": true });
        }
        fate(self.call("sendMessage", &body).await, None, more)
    }

    async fn edit(
        &self,
        (chat, message): (i64, u64),
        reply: &Reply,
        (part, parts): (usize, usize),
        plain: bool,
        again: Option<&str>,
        lang: Lang,
    ) -> Outcome {
        let all = render::within(reply, parts, &more_to_read(lang));
        let nothing = Part::of(LEFT_OVER.get(lang));
        let more = part + 1 < parts;
        let mut body = text_body(chat, all.get(part).unwrap_or(&nothing), plain, again);
        body["message_id"] = json!(message);
        if !more && let Some(keyboard) = all.last().and_then(|last| last.keyboard.clone()) {
            body["reply_markup"] = keyboard;
        } else if let Some(fields) = body.as_object_mut() {
            // The buttons hang on the last of several messages.
            fields.remove("reply_markup");
        }
        fate(self.call("editMessageText", &body).await, Some(message), more)
    }
}

/// `again` stands above the text.
fn text_body(chat: i64, part: &Part, plain: bool, again: Option<&str>) -> Value {
    let text = if plain { &part.plain } else { &part.html };
    let text = again.map_or_else(|| text.clone(), |again| format!("{again}\n{text}"));
    let mut body = json!({ "chat_id": chat, "text": text, "link_preview_options": { "is_disabled": true } });
    if !plain {
        body["parse_mode"] = json!("HTML");
    }
    if let Some(keyboard) = &part.keyboard {
        body["reply_markup"] = keyboard.clone();
    }
    body
}

/// What a call came to; `edited` is the message that it was to change.
fn fate(came: Came, edited: Option<u64>, more: bool) -> Outcome {
    match came {
        Came::Done(message) => Outcome::Done { id: message["message_id"].as_u64().or(edited), more },
        Came::Later(wait) => Outcome::Later { wait: Ms::try_from(wait.as_millis()).unwrap_or(Ms::MAX), all: false },
        Came::TokenRefused => Outcome::Token,
        Came::AnotherPoller => Outcome::NotSent("409: another program polls".to_owned()),
        Came::NotSent(why) => Outcome::NotSent(why),
        Came::Unsure(why) => Outcome::Unsure(why),
        Came::Refused(_, _, Some(moved)) => Outcome::Moved(Address(format!("telegram:{moved}"))),
        Came::Refused(code, why, None) => refused(code, why, edited, more),
    }
}

fn refused(code: u16, why: String, edited: Option<u64>, more: bool) -> Outcome {
    let said = why.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
    match code {
        400 if edited.is_some() && has(&["message is not modified"]) => Outcome::Done { id: edited, more },
        400 if edited.is_some() && has(GONE) => Outcome::Gone(why),
        400 | 403 if has(CLOSED) => Outcome::Closed(why),
        400 if has(CONTENT) => Outcome::Content(why),
        400 | 403 if has(RIGHTS) || forbids_kind(&said) => Outcome::Shut { why, right: true },
        400 | 406 if has(UNREACHABLE) => Outcome::Shut { why, right: false },
        403 => Outcome::Shut { why, right: false },
        _ => Outcome::Unknown(why),
    }
}

fn forbids_kind(said: &str) -> bool {
    let (before, after) = KIND_FORBIDDEN;
    said.split_once(before).is_some_and(|(_, rest)| rest.contains(after))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(code: u16, why: &str, edited: Option<u64>) -> Outcome {
        fate(Came::Refused(code, why.to_owned(), None), edited, false)
    }

    #[test]
    fn what_telegram_says_has_its_meaning() {
        let shut = |right| move |outcome| matches!(outcome, Outcome::Shut { right: it, .. } if it == right);
        for (code, why) in [
            (400, "Bad Request: not enough rights to send text messages to the chat"),
            (403, "Forbidden: not enough rights to send text messages to the chat"),
            (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
            (400, "Bad Request: have no rights to send a message"),
            (403, "Forbidden: need administrator rights in the channel chat"),
            (400, "Bad Request: USER_BANNED_IN_CHANNEL"),
            (403, "Forbidden: CHAT_GUEST_SEND_FORBIDDEN"),
            (400, "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN"),
            (400, "Bad Request: CHAT_RESTRICTED"),
        ] {
            assert!(shut(true)(said(code, why, None)) && is_of_chat(why), "{why}");
        }
        for (code, why) in [
            (403, "Forbidden: bot was blocked by the user"),
            (403, "Forbidden: bot was kicked from the group chat"),
            (403, "Forbidden: bot is not a member of the channel chat"),
            (403, "Forbidden: the group chat was deleted"),
            (403, "Forbidden: user is deactivated"),
            (403, "Forbidden: bot can't initiate conversation with a user"),
            (400, "Bad Request: chat not found"),
            (400, "Bad Request: have no write access to the chat"),
            (400, "Bad Request: Have no write access to the chat"),
            (400, "Bad Request: CHANNEL_PRIVATE"),
            (400, "Bad Request: chat is not accessible"),
            (400, "Bad Request: PEER_ID_INVALID"),
            (400, "Bad Request: INPUT_USER_DEACTIVATED"),
        ] {
            assert!(shut(false)(said(code, why, None)), "{why}");
            assert!(code == 403 || is_of_chat(why), "{why}: an answer is not tried in other words");
        }
        for why in ["TOPIC_CLOSED", "message thread not found", "TOPIC_DELETED"] {
            assert!(matches!(said(400, &format!("Bad Request: {why}"), None), Outcome::Closed(_)) && is_of_chat(why));
        }
        for why in [
            "can't parse entities: x",
            "message is too long",
            "MESSAGE_TOO_LONG",
            "ENTITIES_TOO_LONG",
            "text is too long",
            "message text is empty",
            "BUTTON_DATA_INVALID",
            "can't parse reply keyboard markup JSON object",
            "ENTITY_BOUNDS_INVALID",
        ] {
            assert!(matches!(said(400, &format!("Bad Request: {why}"), None), Outcome::Content(_)), "{why}");
            assert!(!is_of_chat(why), "{why}: an answer is tried in plain words");
        }
    }

    #[test]
    fn a_refusal_in_words_nobody_knows_blames_neither_the_chat_nor_the_message() {
        for (code, why) in [
            (400, "Bad Request: something else"),
            (400, "Bad Request"),
            (405, "Method Not Allowed"),
            (413, "Request Entity Too Large"),
            (420, "FLOOD"),
        ] {
            assert_eq!(said(code, why, None), Outcome::Unknown(why.to_owned()), "{code}");
            assert_eq!(said(code, why, Some(7)), Outcome::Unknown(why.to_owned()), "{code}");
        }
    }

    #[test]
    fn an_edit_knows_what_is_done_and_what_is_gone() {
        let same = "Bad Request: message is not modified: specified new message content …";
        assert_eq!(said(400, same, Some(7)), Outcome::Done { id: Some(7), more: false });
        for why in ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"] {
            assert!(matches!(said(400, &format!("Bad Request: {why}"), Some(7)), Outcome::Gone(_)), "{why}");
        }
        assert_eq!(fate(Came::Done(Value::Null), Some(7), true), Outcome::Done { id: Some(7), more: true });
    }

    #[test]
    fn the_rest_is_as_the_call_has_it() {
        let fate = |came| fate(came, None, false);
        assert_eq!(fate(Came::Done(json!({ "message_id": 9 }))), Outcome::Done { id: Some(9), more: false });
        assert_eq!(fate(Came::Done(Value::Null)), Outcome::Done { id: None, more: false });
        assert_eq!(fate(Came::Later(Duration::from_secs(7))), Outcome::Later { wait: 7_000, all: false });
        let moved = Came::Refused(400, "group chat was upgraded to a supergroup chat".to_owned(), Some(-1009));
        assert_eq!(fate(moved), Outcome::Moved(Address("telegram:-1009".to_owned())));
        assert_eq!(fate(Came::TokenRefused), Outcome::Token);
        assert_eq!(fate(Came::NotSent("x".to_owned())), Outcome::NotSent("x".to_owned()));
        assert_eq!(fate(Came::Unsure("x".to_owned())), Outcome::Unsure("x".to_owned()));
    }
}
