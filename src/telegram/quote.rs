//! A message that is answered, or that holds the command as the words to a picture: what a record can have of it.

use commands::kit::Quoted;
use teloxide::types::{Chat, MediaKind, Message, MessageEntityKind, MessageKind, MessageOrigin};

use super::render::undone;

/// What an ask can have of the message that it answers, or else of itself. What we said ourselves is no source, and what
/// opened a topic says nothing.
pub fn quoted(message: &Message, bot: u64) -> Option<Quoted> {
    let answered = message.reply_to_message().filter(|answered| {
        let own = answered.from.as_ref().is_some_and(|from| from.id.0 == bot);
        !own && (words(answered).is_some() || has_attachment(answered))
    });
    match answered {
        Some(answered) => {
            let chosen = message.quote().filter(|quote| quote.is_manual).map(|quote| quote.text.clone());
            let told = told(answered);
            Some(Quoted { text: chosen.map(|text| undone(&text)).or(told.text), ..told })
        }
        None if has_attachment(message) => Some(Quoted { text: None, link: None, author: None, ..told(message) }),
        None => None,
    }
}

/// Its text, or the words to its attachment.
pub fn words(message: &Message) -> Option<&str> {
    message.text().or_else(|| message.caption())
}

/// Whether it holds more than words that could be evidence.
pub fn has_attachment(message: &Message) -> bool {
    let MessageKind::Common(common) = &message.kind else { return false };
    matches!(
        common.media_kind,
        MediaKind::Animation(_)
            | MediaKind::Audio(_)
            | MediaKind::Document(_)
            | MediaKind::Photo(_)
            | MediaKind::Video(_)
            | MediaKind::VideoNote(_)
            | MediaKind::Voice(_)
    )
}

fn told(message: &Message) -> Quoted {
    let link = first_link(message);
    let text = words(message).map(str::trim).filter(|text| !text.is_empty() && Some(*text) != link.as_deref());
    let origin = message.forward_origin();
    Quoted {
        text: text.map(undone),
        at: origin.map_or(message.date, MessageOrigin::date),
        own: origin.and_then(first_address).or_else(|| address(&message.chat, message.id.0)),
        author: origin.map(author),
        attachment: has_attachment(message),
        link,
    }
}

/// The first `https://…` in it, also behind words.
fn first_link(message: &Message) -> Option<String> {
    let text = words(message)?;
    let mut entities: Vec<_> =
        message.entities().or_else(|| message.caption_entities()).unwrap_or_default().iter().collect();
    entities.sort_by_key(|entity| entity.offset);
    let units: Vec<u16> = text.encode_utf16().collect();
    let marked = entities.into_iter().filter_map(|entity| match &entity.kind {
        MessageEntityKind::TextLink { url } => Some(url.to_string()),
        MessageEntityKind::Url => {
            let part = units.get(entity.offset..entity.offset.checked_add(entity.length)?)?;
            String::from_utf16(part).ok()
        }
        _ => None,
    });
    let plain = text.split_whitespace().map(undone);
    marked.chain(plain).find(|link| link.starts_with("https://"))
}

/// Where a message that was passed on stood first, if that has an address.
fn first_address(origin: &MessageOrigin) -> Option<String> {
    match origin {
        MessageOrigin::Channel { chat, message_id, .. } => address(chat, message_id.0),
        MessageOrigin::User { .. } | MessageOrigin::HiddenUser { .. } | MessageOrigin::Chat { .. } => None,
    }
}

/// A message's address: for everybody, where the chat has a public name; else for its members. Private chats and small
/// groups have none.
fn address(chat: &Chat, message: i32) -> Option<String> {
    match chat.username().filter(|_| !chat.is_private()) {
        Some(name) => Some(format!("https://t.me/{name}/{message}")),
        None => {
            let id = chat.id.0.to_string();
            id.strip_prefix("-100").map(|id| format!("https://t.me/c/{id}/{message}"))
        }
    }
    .filter(|_| chat.is_channel() || chat.is_supergroup())
}

/// Who wrote it first.
fn author(origin: &MessageOrigin) -> String {
    match origin {
        MessageOrigin::User { sender_user, .. } => sender_user.full_name(),
        MessageOrigin::HiddenUser { sender_user_name, .. } => sender_user_name.clone(),
        MessageOrigin::Chat { sender_chat: chat, .. } | MessageOrigin::Channel { chat, .. } => {
            chat.title().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn raw(more: Value) -> Value {
        let mut message = json!({
            "message_id": 7,
            "date": 1_700_000_000,
            "chat": { "id": -1_001_234, "type": "supergroup", "title": "Crew" },
            "from": { "id": 5, "is_bot": false, "first_name": "Ann" },
        });
        for (key, value) in more.as_object().expect("fields") {
            message[key] = value.clone();
        }
        message
    }

    fn heard(more: Value) -> Option<Quoted> {
        let message: Message = serde_json::from_str(&raw(more).to_string()).expect("a message");
        quoted(&message, 1)
    }

    fn answering(answered: Value) -> Option<Quoted> {
        heard(json!({ "text": "/event westpole", "reply_to_message": raw(answered) }))
    }

    #[test]
    fn a_message_is_kept_with_its_words_and_where_it_leads() {
        let plain = answering(json!({ "text": " All is well. " })).expect("quoted");
        assert_eq!(plain.text.as_deref(), Some("All is well."));
        assert_eq!((plain.link, plain.author), (None, None));
        assert_eq!(plain.own.as_deref(), Some("https://t.me/c/1234/7"));
        assert_eq!(plain.at.timestamp(), 1_700_000_000);
        let entities = json!([
            { "type": "text_link", "offset": 3, "length": 4, "url": "http://plain.example/" },
            { "type": "url", "offset": 9, "length": 17 },
        ]);
        let linked = answering(json!({ "text": "🎄 more: https://a.example", "entities": entities })).expect("quoted");
        assert_eq!(linked.link.as_deref(), Some("https://a.example"));
        let copied = answering(json!({ "text": "See https:\u{2060}//www.\u{2060}a.\u{2060}example/x, @\u{2060}b" }))
            .expect("quoted");
        assert_eq!(copied.text.as_deref(), Some("See https://www.a.example/x, @b"));
        assert_eq!(copied.link.as_deref(), Some("https://www.a.example/x,"));
        let bare = answering(json!({ "text": "https://a.example/x" })).expect("quoted");
        assert_eq!((bare.text, bare.link.as_deref()), (None, Some("https://a.example/x")));
    }

    #[test]
    fn a_message_that_was_passed_on_is_its_first_writers() {
        let channel = json!({ "id": -1_009, "type": "channel", "title": "ACN", "username": "acn_it" });
        let origin = json!({ "type": "channel", "date": 1_600_000_000, "chat": channel, "message_id": 44 });
        let photo = json!([{ "file_id": "x", "file_unique_id": "y", "width": 1, "height": 1 }]);
        let passed = answering(json!({ "photo": photo, "caption": "See.", "forward_origin": origin })).expect("quoted");
        assert_eq!(passed.text.as_deref(), Some("See."));
        assert_eq!(passed.own.as_deref(), Some("https://t.me/acn_it/44"));
        assert_eq!((passed.author.as_deref(), passed.at.timestamp()), (Some("ACN"), 1_600_000_000));
        assert!(passed.attachment);
        let hidden = json!({ "type": "hidden_user", "date": 1_600_000_000, "sender_user_name": "Bo" });
        let passed = answering(json!({ "text": "Hm.", "forward_origin": hidden })).expect("quoted");
        assert_eq!((passed.author.as_deref(), passed.own.as_deref()), (Some("Bo"), Some("https://t.me/c/1234/7")));
    }

    #[test]
    fn what_we_said_and_what_opened_a_topic_is_no_source() {
        assert_eq!(answering(json!({ "text": "x", "from": { "id": 1, "is_bot": true, "first_name": "S" } })), None);
        let opened = json!({ "forum_topic_created": { "name": "t", "icon_color": 7_322_096 } });
        assert_eq!(answering(opened), None);
        let chosen = json!({ "text": "part", "position": 0, "is_manual": true });
        let answered = raw(json!({ "text": "part of it" }));
        let part = heard(json!({ "text": "/event x", "reply_to_message": answered, "quote": chosen }));
        assert_eq!(part.and_then(|it| it.text).as_deref(), Some("part"));
        assert_eq!(heard(json!({ "text": "/event westpole" })), None);
    }
}
