//! What a command that has news posted must know of a chat before it is answered: who manages it, and whether we may
//! post there. Looked up only for such commands, since each answer costs a request.

use commands::kit::{Elsewhere, Posting, Right, Shape};
use record::{channel::PlaceKind, private::Address};
use serde_json::{Value, json};

use super::{push::is_closed, send::Outcome, work::Worker};
use crate::{desk::Heard, dispatch::pace::Priority};

impl Worker {
    /// Looks up what an ask's command needs to know.
    pub(super) async fn look_up_rights(&self, heard: &mut Heard) {
        let Some((chat, topic)) = heard.place.parts::<i64, i32>() else { return };
        if heard.shared && !heard.manages && commands::needs_rights(&heard.line) {
            heard.manages = self.manages(&json!(chat), heard.caller.as_ref()).await == Some(true);
        }
        let posts = commands::needs_posting(&heard.line);
        if posts {
            let channel = heard.kind == PlaceKind::Broadcast;
            heard.posting = match heard.shared {
                false => Posting::May,
                true => self.posting(&json!(chat), channel, None).await,
            };
            if let (Some(topic), Posting::May) = (topic, &heard.posting)
                && self.is_closed(chat, topic).await
            {
                heard.posting = Posting::Lacks(vec![Right::OpenTopic]);
            }
        }
        if !heard.shared
            && let Some(name) = named(&heard.line)
        {
            heard.elsewhere = Some(self.elsewhere(name, heard.caller.as_ref(), posts).await);
        }
    }

    /// Whether a topic takes nothing from us. Telegram has no question for it, but refuses "is typing" there, too.
    async fn is_closed(&self, chat: i64, topic: i32) -> bool {
        let body = json!({ "chat_id": chat, "message_thread_id": topic, "action": "typing" });
        match self.ask_telegram("sendChatAction", &body).await {
            Outcome::Refused(400, why, _) => is_closed(&why),
            _ => false,
        }
    }

    async fn ask_telegram(&self, method: &str, body: &Value) -> Outcome {
        self.api.beside(Priority::Manager, method, body).await
    }

    /// Whether somebody administers a chat; none if Telegram does not say.
    async fn manages(&self, chat: &Value, who: Option<&Address>) -> Option<bool> {
        let user = who.and_then(|who| who.0.strip_prefix("telegram:")?.parse::<u64>().ok());
        let Some(user) = user else { return Some(false) };
        match self.ask_telegram("getChatMember", &json!({ "chat_id": chat, "user_id": user })).await {
            Outcome::Done(member) => Some(matches!(member["status"].as_str(), Some("creator" | "administrator"))),
            _ => None,
        }
    }

    /// Whether we may post in a group or channel; `about` is what is known of it.
    async fn posting(&self, chat: &Value, channel: bool, about: Option<&Value>) -> Posting {
        let own = self.ask_telegram("getChatMember", &json!({ "chat_id": chat, "user_id": self.me.id })).await;
        let own = match own {
            Outcome::Done(own) => own,
            Outcome::Refused(403, ..) => return Posting::Lacks(vec![Right::Member]),
            // What Telegram says of a channel to those who do not administer it.
            Outcome::Refused(400, why, _) if channel && why.contains("member list is inaccessible") => {
                return Posting::Lacks(vec![Right::PostInChannel]);
            }
            _ => return Posting::Unknown,
        };
        if channel || own["status"] != "member" {
            return standing(&own, channel, None);
        }
        match about {
            Some(about) => standing(&own, channel, Some(about)),
            None => match self.ask_telegram("getChat", &json!({ "chat_id": chat })).await {
                Outcome::Done(about) => standing(&own, channel, Some(&about)),
                _ => Posting::Unknown,
            },
        }
    }

    /// A chat that somebody names, for a command that posts or not.
    async fn elsewhere(&self, name: &str, who: Option<&Address>, posts: bool) -> Elsewhere {
        let mut elsewhere = Elsewhere {
            name: name.to_owned(),
            address: None,
            kind: PlaceKind::Broadcast,
            manages: false,
            posting: Posting::Unknown,
        };
        let Outcome::Done(about) = self.ask_telegram("getChat", &json!({ "chat_id": name })).await else {
            return elsewhere;
        };
        let (Some(id), kind) = (about["id"].as_i64(), about["type"].as_str()) else { return elsewhere };
        elsewhere.kind = match kind {
            Some("channel") => PlaceKind::Broadcast,
            Some("group" | "supergroup") => PlaceKind::Group,
            _ => return elsewhere,
        };
        let (chat, channel) = (json!(id), elsewhere.kind == PlaceKind::Broadcast);
        elsewhere.address = Some(Address(format!("telegram:{id}")));
        elsewhere.posting = self.posting(&chat, channel, Some(&about)).await;
        // Where we are not let in, Telegram does not tell us who is an administrator. Of a command that cannot be done
        // without posting there, whoever asks should hear what is missing first; others are refused.
        let let_in = !matches!(elsewhere.posting, Posting::Lacks(_));
        elsewhere.manages = self.manages(&chat, who).await.unwrap_or(posts && !let_in);
        elsewhere
    }
}

/// What our standing in a chat lets us do; `about` is the chat, where its permissions count.
fn standing(own: &Value, channel: bool, about: Option<&Value>) -> Posting {
    let lacks = |right| Posting::Lacks(vec![right]);
    match own["status"].as_str() {
        Some("creator") => Posting::May,
        Some("administrator") if channel && own["can_post_messages"] == false => lacks(Right::PostInChannel),
        Some("administrator") => Posting::May,
        Some("left" | "kicked") => lacks(Right::Member),
        Some("member" | "restricted") if channel => lacks(Right::PostInChannel),
        Some("restricted") if own["is_member"] == false => lacks(Right::Member),
        Some("restricted") if own["can_send_messages"] == false => lacks(Right::WriteInGroup),
        Some("member") if about.is_some_and(|about| about["permissions"]["can_send_messages"] == false) => {
            lacks(Right::WriteInGroup)
        }
        Some("member" | "restricted") => Posting::May,
        _ => Posting::Unknown,
    }
}

/// The public chat that a line names, where its command can be about another chat.
fn named(line: &str) -> Option<&str> {
    let command = commands::called(line)?;
    let chat = command.args.iter().find(|arg| arg.shape == Shape::Chat)?;
    let words = line.split_whitespace().skip(1);
    let bare = words.map(|word| match word.split_once(':') {
        Some((argument, value)) if argument.eq_ignore_ascii_case(chat.name) => value,
        _ => word,
    });
    bare.map(|word| word.trim_matches('"')).find(|word| commands::kit::is_chat(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_known() {
        let of = |status: &str| json!({ "status": status });
        let member = Posting::Lacks(vec![Right::Member]);
        let post = Posting::Lacks(vec![Right::PostInChannel]);
        let write = Posting::Lacks(vec![Right::WriteInGroup]);
        assert_eq!([standing(&of("left"), false, None), standing(&of("kicked"), true, None)], [member.clone(), member]);
        assert_eq!(standing(&of("member"), true, None), post);
        let muted = json!({ "status": "administrator", "can_post_messages": false });
        assert_eq!([standing(&muted, true, None), standing(&muted, false, None)], [post, Posting::May]);
        let restricted = |may| json!({ "status": "restricted", "is_member": true, "can_send_messages": may });
        assert_eq!(standing(&restricted(false), false, None), write);
        assert_eq!(standing(&restricted(true), false, None), Posting::May);
        let about = |may| json!({ "permissions": { "can_send_messages": may } });
        assert_eq!(standing(&of("member"), false, Some(&about(false))), write);
        assert_eq!(standing(&of("member"), false, Some(&about(true))), Posting::May);
        assert_eq!(standing(&of("administrator"), false, Some(&about(false))), Posting::May);
        assert_eq!(standing(&of("hologram"), false, None), Posting::Unknown);
    }
}
