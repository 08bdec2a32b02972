//! Orders of dispatch as requests to Discord: each one request, and what came of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use record::{
    lang::Lang,
    outbox::{Ms, Outcome},
    reply::{Block, Reply},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    health::ring,
    number,
    render::{dress, plain, posts, within},
    send::{ARCHIVED, Answer, Counts, Silent, Wire, ms},
};
use crate::{
    desk::Desk,
    dispatch::errand::{Carried, Courier, Errand, LEFT_OVER, Order, Post, SENT_AGAIN, more_to_read},
};

/// The flag of a message that makes no sound.
const SILENT: u64 = 1 << 12;
/// The first millisecond of Discord's time.
const EPOCH: Ms = 1_420_070_400_000;
/// A message is looked for from this long before it was sent: clocks differ.
const BEFORE: Ms = 60_000;
/// How many messages of a history are read at once, and how often.
const PAGE: usize = 100;
const PAGES: usize = 5;
/// How long is waited where Discord says "later" and not when.
const UNSAID: Ms = 5_000;
/// How many channels are remembered in which nothing can be answered.
const REMEMBERED: usize = 10_000;

/// What Discord says where a channel or server is gone, or somebody takes no messages.
const GONE: &[u64] = &[10003, 10004, 50007, 50278, 20009];
/// Where a right is missing.
const RIGHTS: &[u64] = &[50001, 50013];
/// Where a place takes no messages, or none any more.
const CLOSED: &[u64] = &[50008, 40058, 50024, 160_005, 50083];
/// Where it does not like what is said.
const CONTENT: &[u64] = &[200_000, 240_000, 50035, 50006];
/// Where it takes it later.
const LATER: &[u64] = &[20016, 20022, 20028, 40062, 30046, 130_000];
const UNKNOWN_MESSAGE: u64 = 10008;
const ANOTHERS_MESSAGE: u64 = 50005;
/// The message that is answered cannot be read without the right to read the history.
const NO_HISTORY: u64 = 160_002;
const PUBLISHED: u64 = 40033;

/// Whether a code is about the place or the person that something is for, or about the moment, so that other words would
/// not be taken either.
pub fn is_of_place(code: u64) -> bool {
    [GONE, RIGHTS, CLOSED, LATER].iter().any(|list| list.contains(&code))
}

/// The way out for news.
pub struct Push {
    wire: Arc<Wire>,
    /// The bot's own number.
    own: u64,
    desk: Desk,
    /// Channels in which no message can be answered, for want of the right to read the history.
    unheard: Mutex<BTreeSet<u64>>,
}

impl Courier for Push {
    fn carry<'a>(&'a self, order: &'a Order) -> Carried<'a> {
        Box::pin(self.run(order))
    }
}

impl Push {
    /// A way out through this client, for the bot of this number.
    pub fn new(wire: Arc<Wire>, own: u64, desk: Desk) -> Push {
        Push { wire, own, desk, unheard: Mutex::default() }
    }

    async fn run(&self, order: &Order) -> Outcome {
        if let Errand::Probe = order.errand {
            // It goes to no channel.
            let asked = self.wire.ask(&Method::GET, "/users/@me", None, Counts::Already(order.to.chat())).await;
            return self.fate(asked, None).of_question();
        }
        let Some((channel, _)) = order.to.parts::<u64, u64>() else {
            return Outcome::Shut { why: format!("{} is no channel of Discord's", order.to), right: false };
        };
        match &order.errand {
            Errand::Post(post) => self.post(order, channel, post).await,
            Errand::Edit { message, reply, part, parts, plain, repeat } => {
                let reply = marked(part_of(reply, (*part, *parts), *plain, order.lang), *repeat, order.lang);
                self.edit(order, (channel, *message), &reply, *plain, part + 1 < *parts).await
            }
            Errand::Publish { message } => self.publish(channel, *message).await,
            Errand::Find { mark, since } => self.find(order, channel, mark, *since).await.of_question(),
            Errand::Probe => Outcome::Found(None),
        }
    }

    async fn post(&self, order: &Order, channel: u64, post: &Post) -> Outcome {
        let chat = order.to.chat();
        let parts = posts(&post.reply, order.lang);
        let more = post.part + 1 < parts.len();
        let Some(part) = parts.into_iter().nth(post.part) else { return Outcome::Over };
        let mut body = dressed(&marked(part, post.repeat, order.lang), order.lang, post.plain);
        body["nonce"] = json!(post.nonce);
        body["enforce_nonce"] = json!(true);
        if let Some(role) = post.mention {
            let said = body["content"].as_str().map(|text| format!("\n{text}")).unwrap_or_default();
            body["content"] = json!(format!("<@&{role}>{said}"));
            body["allowed_mentions"]["roles"] = json!([role.to_string()]);
        }
        if post.silent {
            body["flags"] = json!(SILENT);
        }
        if let Some(message) = post.reply_to.filter(|_| !self.unheard().contains(&channel)) {
            body["message_reference"] = json!({ "message_id": message.to_string(), "fail_if_not_exists": false });
        }
        let path = format!("/channels/{channel}/messages");
        let asked = self.wire.ask(&Method::POST, &path, Some(&body), Counts::Already(chat)).await;
        if asked.as_ref().is_ok_and(|answer| answer.code() == NO_HISTORY) {
            self.remember(channel);
        }
        let mut outcome = self.fate(asked, None);
        if let Outcome::Done { more: there_is, .. } = &mut outcome {
            *there_is = more;
        }
        outcome
    }

    fn unheard(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, channel: u64) {
        let mut unheard = self.unheard();
        if unheard.len() >= REMEMBERED {
            unheard.clear();
        }
        unheard.insert(channel);
    }

    async fn edit(
        &self,
        order: &Order,
        (channel, message): (u64, u64),
        reply: &Reply,
        plain: bool,
        more: bool,
    ) -> Outcome {
        let mut body = dressed(reply, order.lang, plain);
        if more {
            // The buttons hang on the last of several messages.
            body["components"] = json!([]);
        }
        let (path, chat) = (format!("/channels/{channel}/messages/{message}"), order.to.chat());
        let asked = self.wire.ask(&Method::PATCH, &path, Some(&body), Counts::Already(chat)).await;
        if !asked.as_ref().is_ok_and(|answer| answer.code() == ARCHIVED) {
            return self.fate(asked, Some(message));
        }
        let opened = self.wire.unarchive(channel, chat).await;
        if !opened.as_ref().is_ok_and(Answer::is_done) {
            return frozen(self.fate(opened, Some(message)));
        }
        // Somebody may archive it again at this moment: then this edit is left.
        frozen(self.fate(self.wire.ask(&Method::PATCH, &path, Some(&body), Counts::InTurn(chat)).await, Some(message)))
    }

    /// Publishes a message to those who follow its channel elsewhere; the second time Discord says that it was.
    async fn publish(&self, channel: u64, message: u64) -> Outcome {
        let path = format!("/channels/{channel}/messages/{message}/crosspost");
        // Its limit, of 10 an hour, is not the channel's.
        let counted = format!("discord:{channel}#crosspost");
        let asked = self.wire.ask(&Method::POST, &path, None, Counts::Already(&counted)).await;
        match asked {
            Ok(answer) if answer.code() == PUBLISHED => Outcome::Over,
            asked => self.fate(asked, Some(message)),
        }
    }

    /// Reads the history on from a little before the message was sent.
    async fn find(&self, order: &Order, channel: u64, mark: &str, since: Ms) -> Outcome {
        let chat = order.to.chat();
        let mut after = snowflake(since - BEFORE);
        for page in 0..PAGES {
            let counts = if page == 0 { Counts::Already(chat) } else { Counts::InTurn(chat) };
            let path = format!("/channels/{channel}/messages?after={after}&limit={PAGE}");
            let read = match self.wire.ask(&Method::GET, &path, None, counts).await {
                Ok(read) if read.is_done() => read,
                // What may not be read cannot be found.
                Ok(no) if RIGHTS.contains(&no.code()) || (no.status == 403 && no.json.is_object()) => {
                    return Outcome::Found(None);
                }
                other => return self.fate(other, None),
            };
            let Some(messages) = read.json.as_array() else {
                return Outcome::NotSent("Discord's answer cannot be read".to_owned());
            };
            if let Some(ours) = messages
                .iter()
                .find(|message| number(&message["author"]["id"]) == Some(self.own) && bears(message, mark))
            {
                return Outcome::Found(number(&ours["id"]));
            }
            let newest = messages.iter().filter_map(|message| number(&message["id"])).max();
            match newest.filter(|newest| messages.len() == PAGE && *newest > after) {
                Some(newest) => after = newest,
                None => break,
            }
        }
        Outcome::Found(None)
    }

    /// What a request came to; `edited` is the message that it was to change.
    fn fate(&self, asked: Result<Answer, Silent>, edited: Option<u64>) -> Outcome {
        ring(&self.wire, &self.desk);
        match asked {
            Ok(answer) => fate(&answer, edited),
            Err(Silent::NotSent(_)) if self.wire.standing.is_refused() => Outcome::Token,
            Err(Silent::NotSent(why)) => match self.wire.standing.shut_out_for(Instant::now()) {
                Some(left) => Outcome::Later { wait: ms(left), all: true },
                None => Outcome::NotSent(why),
            },
            Err(Silent::Unsure(why)) => Outcome::Unsure(why),
        }
    }
}

/// Of a change in an archived thread: a refusal concerns this change alone, for new posts open the thread.
fn frozen(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Shut { why, .. } | Outcome::Unknown(why) => Outcome::Frozen(why),
        other => other,
    }
}

/// A message that may be there already says so.
fn marked(mut reply: Reply, repeat: bool, lang: Lang) -> Reply {
    if repeat {
        reply.blocks.insert(0, Block::Note(SENT_AGAIN.get(lang).into()));
    }
    reply
}

fn dressed(reply: &Reply, lang: Lang, without_markup: bool) -> Value {
    if without_markup { plain(reply, lang) } else { dress(reply, lang) }
}

/// Part `part` of a post that was sent as `parts` messages. The last part says how to read the rest; a part that is no
/// longer needed says that nothing is left of it.
fn part_of(reply: &Reply, (part, parts): (usize, usize), plain: bool, lang: Lang) -> Reply {
    let all = within(reply, parts, &more_to_read(lang), plain, lang);
    let last = all.len() <= part;
    all.into_iter().nth(part).unwrap_or_else(|| Reply {
        mark: reply.mark.clone(),
        buttons: if last { reply.buttons.clone() } else { Vec::new() },
        ..Reply::default().say(LEFT_OVER.get(lang))
    })
}

/// Whether a message bears a mark: in its small print, or in its text where it has no markup.
fn bears(message: &Value, mark: &str) -> bool {
    let holds = |text: &Value| text.as_str().is_some_and(|text| text.contains(mark));
    let embeds = message["embeds"].as_array();
    holds(&message["content"]) || embeds.is_some_and(|embeds| embeds.iter().any(|it| holds(&it["footer"]["text"])))
}

/// The lowest number that a message of a moment can have.
fn snowflake(at: Ms) -> u64 {
    u64::try_from(at.saturating_sub(EPOCH)).unwrap_or(0) << 22
}

fn fate(answer: &Answer, edited: Option<u64>) -> Outcome {
    let code = answer.code();
    let why = || match answer.json["message"].as_str() {
        Some(message) => message.chars().take(200).collect(),
        None => format!("{} {}", answer.status, answer.said()),
    };
    let is = |codes: &[u64]| codes.contains(&code);
    let later = || Outcome::Later { wait: answer.after.map_or(UNSAID, ms), all: answer.global };
    match answer.status {
        200..300 => match number(&answer.json["id"]).or(edited) {
            Some(id) => Outcome::Done { id: Some(id), more: false },
            None => Outcome::Unsure("Discord's answer cannot be read".to_owned()),
        },
        _ if let Some(wait) = answer.shut_out_for() => Outcome::Later { wait: ms(wait), all: true },
        _ if answer.refuses_token() => Outcome::Token,
        _ if is(LATER) || answer.status == 429 => later(),
        _ if code == NO_HISTORY => Outcome::Later { wait: UNSAID, all: false },
        _ if is(RIGHTS) => Outcome::Shut { why: why(), right: true },
        _ if is(GONE) || is(CLOSED) => Outcome::Shut { why: why(), right: false },
        _ if is(CONTENT) => Outcome::Content(why()),
        _ if code == UNKNOWN_MESSAGE => match edited {
            Some(_) => Outcome::Gone(why()),
            // It was there before, and somebody deleted it.
            None => Outcome::Done { id: None, more: false },
        },
        _ if code == ANOTHERS_MESSAGE && edited.is_some() => Outcome::Gone(why()),
        // A server that gave up waiting does not say whether it was done.
        408 | 500.. => Outcome::Unsure(why()),
        403 => Outcome::Shut { why: why(), right: false },
        404 if answer.json.is_object() => Outcome::Shut { why: why(), right: false },
        // Whether it is about the content, the channel or what stands between us and Discord, it does not say.
        _ => Outcome::Unknown(why()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::send::Failed, *};

    fn answer(status: u16, json: Value) -> Answer {
        Answer { status, json, whole: true, ..Answer::default() }
    }

    fn said(status: u16, code: u64, edited: Option<u64>) -> Outcome {
        fate(&answer(status, json!({ "code": code, "message": "x" })), edited)
    }

    #[test]
    fn every_code_has_its_meaning() {
        for code in [10003, 10004, 50007, 50278, 20009, 50008, 40058, 50024, 160_005, 50083] {
            assert!(matches!(said(400, code, None), Outcome::Shut { right: false, .. }), "{code}");
        }
        for code in [50001, 50013] {
            assert!(matches!(said(403, code, None), Outcome::Shut { right: true, .. }), "{code}");
        }
        for code in [200_000, 240_000, 50035, 50006] {
            assert!(matches!(said(400, code, None), Outcome::Content(_)), "{code}");
        }
        for (status, code) in [(400, 20016), (429, 20028), (429, 40062), (429, 30046), (503, 130_000), (429, 20022)] {
            assert_eq!(said(status, code, Some(7)), Outcome::Later { wait: UNSAID, all: false }, "{code}");
        }
        for (status, code) in [(401, 0), (401, 40001), (403, 50014)] {
            assert_eq!(said(status, code, None), Outcome::Token, "{code}");
        }
        assert!(matches!(said(404, 10008, Some(7)), Outcome::Gone(_)));
        assert_eq!(said(404, 10008, None), Outcome::Done { id: None, more: false });
        assert!(matches!(said(403, 50005, Some(7)), Outcome::Gone(_)));
        assert!(matches!(said(502, 0, None), Outcome::Unsure(_)));
        assert!(matches!(said(403, 99, None), Outcome::Shut { right: false, .. }));
    }

    #[test]
    fn other_words_are_tried_only_where_the_words_were_refused() {
        let refused = |status, code| Failed::Refused { status, code, message: String::new() };
        for code in [50278, 50007, 50083, 160_005, 40058, 20016] {
            assert!(!refused(400, code).is_of_content(), "{code}");
        }
        for (status, code) in [(400, 50035), (400, 50006), (400, 240_000), (400, 0), (413, 40005)] {
            assert!(refused(status, code).is_of_content(), "{code}");
        }
        assert!(!refused(403, 50007).is_of_content());
    }

    #[test]
    fn a_refusal_without_a_known_reason_is_not_taken_for_a_fault_of_the_content() {
        for (status, code) in [
            (400, 0),
            (400, 99),
            (402, 0),
            (405, 0),
            (406, 0),
            (409, 0),
            (410, 0),
            (413, 0),
            (413, 40005),
            (415, 0),
            (422, 0),
            (451, 0),
        ] {
            assert!(matches!(said(status, code, None), Outcome::Unknown(_)), "{status} {code}");
        }
        for status in [400, 404, 407, 413] {
            let page = answer(status, Value::Null);
            assert!(matches!(fate(&page, None), Outcome::Unknown(_)), "a page of some proxy's, {status}");
        }
        assert!(matches!(said(408, 0, None), Outcome::Unsure(_)), "the same nonce decides");
    }

    #[test]
    fn limits_say_how_long_and_for_whom() {
        let mut limited = answer(429, json!({ "message": "limited", "retry_after": 1.5, "global": false }));
        limited.after = Some(std::time::Duration::from_millis(1_500));
        assert_eq!(fate(&limited, None), Outcome::Later { wait: 1_500, all: false });
        limited.global = true;
        assert_eq!(fate(&limited, None), Outcome::Later { wait: 1_500, all: true });
        let block = "You are being blocked from accessing our API temporarily due to exceeding our rate limits";
        for mut shut_out in [
            answer(429, Value::Null),
            answer(403, Value::Null),
            answer(403, json!({ "code": 40333 })),
            answer(429, json!({ "code": 0, "message": block })),
            answer(403, json!({ "code": 0, "message": block })),
            answer(429, json!({ "code": 0, "message": "limited" })),
        ] {
            assert_eq!(fate(&shut_out, None), Outcome::Later { wait: 600_000, all: true });
            shut_out.after = Some(std::time::Duration::from_secs(5));
            assert_eq!(fate(&shut_out, None), Outcome::Later { wait: 600_000, all: true });
            shut_out.after = Some(std::time::Duration::from_secs(3_600));
            assert_eq!(fate(&shut_out, None), Outcome::Later { wait: 3_600_000, all: true });
        }
        let cut = Answer { whole: false, ..answer(403, Value::Null) };
        assert!(matches!(fate(&cut, None), Outcome::Shut { .. }), "a refusal that breaks off is one");
    }

    #[test]
    fn what_was_done_but_cannot_be_read_is_unsure() {
        assert_eq!(fate(&answer(200, json!({ "id": "9" })), None), Outcome::Done { id: Some(9), more: false });
        assert!(matches!(fate(&answer(200, Value::Null), None), Outcome::Unsure(_)));
        assert_eq!(fate(&answer(200, Value::Null), Some(7)), Outcome::Done { id: Some(7), more: false });
    }

    #[test]
    fn a_mark_is_found_where_it_was_set() {
        assert!(bears(&json!({ "content": "", "embeds": [{}, { "footer": { "text": "Red · 3f2a" } }] }), "3f2a"));
        assert!(bears(&json!({ "content": "words\n-# 3f2a", "embeds": [] }), "3f2a"));
        assert!(!bears(&json!({ "content": "", "embeds": [{ "title": "3f2a" }] }), "3f2a"));
        assert_eq!(snowflake(EPOCH + 1), 1 << 22);
        assert_eq!(snowflake(0), 0);
    }
}
