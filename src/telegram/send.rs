//! What leaves for Telegram: one client, and the meaning of every answer.
//!
//! Calls are classified by their HTTP code first and the description after it, which teloxide throws away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::DateTime;
use record::outbox::Ms;
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use super::{
    push::{is_gone, is_of_chat},
    reach::Reach,
    render::Part,
};
use crate::{
    config::{Proxy, Secret},
    dispatch::pace::{Pace, Priority, Turn},
    post::Brought,
    transport,
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take in all; a long poll adds its own time.
const CALL: Duration = Duration::from_secs(40);
/// A connection that rested this long is not used again: the other end may be gone.
const IDLE: Duration = Duration::from_secs(25);
/// How long is waited where "too many requests" does not say.
const UNSAID: Duration = Duration::from_secs(5);
/// An answer is tried for this long.
const TRIED_FOR: Duration = Duration::from_secs(600);
/// A question about the bot itself waits this long for its turn: calls that wait for its answer may hold every place.
const SOON: Duration = Duration::from_millis(1_200);
/// An answer waits this long for the token to be taken again.
const HELD_FOR: Duration = Duration::from_secs(3_600);

/// The longest pause between two tries while Telegram cannot be reached.
pub const LONGEST: Duration = Duration::from_secs(5);
/// The most bytes of an answer that are read.
const BODY: usize = 1 << 20;
/// The same of a batch of updates.
const UPDATES: usize = 32 << 20;
/// No wait that Telegram asks for is longer, in seconds.
const DAY: u64 = 24 * 3_600;
/// The budget of requests that go to no chat; a chat's name begins so.
const EVERYWHERE: &str = "telegram:";
/// The difference between the clocks before Telegram has told its time.
const UNTOLD: i64 = i64::MIN;

/// The Bot API, for one bot.
pub struct Api {
    client: reqwest::Client,
    base: String,
    pace: Arc<Pace>,
    /// Whether Telegram refuses the token at this moment.
    refused: watch::Sender<bool>,
    /// Held while the token is in doubt: one question settles it for all calls.
    doubt: tokio::sync::Mutex<()>,
    reach: Reach,
    /// By how many milliseconds Telegram's clock is ahead of ours, or [`UNTOLD`].
    ahead: AtomicI64,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done; the result.
    Done(Value),
    /// Later: the platform said how long to wait.
    Later(Duration),
    /// Refused, with code and description; the group's new number if it moved.
    Refused(u16, String, Option<i64>),
    /// The token is not (no longer) good.
    TokenRefused,
    /// Another program polls.
    AnotherPoller,
    /// Nothing was sent.
    NotSent(String),
    /// It may or may not have been done.
    Unsure(String),
}

/// A client whose requests, answers included, take no longer than `total`.
pub fn client_within(proxy: Option<&Proxy>, total: Duration) -> Result<reqwest::Client, reqwest::Error> {
    transport::client(proxy)?.connect_timeout(CONNECT).timeout(total).build()
}

impl Api {
    /// A client for the bot with this token, which keeps this pace.
    pub fn new(token: &Secret, api_url: &str, pace: Arc<Pace>) -> Result<Api, reqwest::Error> {
        Api::through(None, token, api_url, pace)
    }

    /// As [`Api::new`], through a proxy.
    pub fn through(
        proxy: Option<&Proxy>,
        token: &Secret,
        api_url: &str,
        pace: Arc<Pace>,
    ) -> Result<Api, reqwest::Error> {
        let client = transport::client(proxy)?.connect_timeout(CONNECT).pool_idle_timeout(IDLE).build()?;
        let base = format!("{}/bot{}", api_url.trim_end_matches('/'), token.expose());
        Ok(Api {
            client,
            base,
            pace,
            refused: watch::Sender::new(false),
            doubt: tokio::sync::Mutex::default(),
            reach: Reach::new(Instant::now()),
            ahead: AtomicI64::new(UNTOLD),
        })
    }

    /// Calls a method once. Where the token is refused, `getMe` is asked at once: if that is answered, the call is made
    /// again as if nothing had happened. While the token is known to be refused, nothing is called.
    pub async fn call(&self, method: &str, body: &Value, longer: Duration) -> Outcome {
        if self.is_refused() {
            return Outcome::TokenRefused;
        }
        match self.once(method, body, longer).await {
            Outcome::TokenRefused => self.doubted(method, body, longer).await,
            outcome => outcome,
        }
    }

    async fn doubted(&self, method: &str, body: &Value, longer: Duration) -> Outcome {
        let settling = self.doubt.lock().await;
        if self.is_refused() {
            return Outcome::TokenRefused;
        }
        match self.get_me().await {
            Outcome::TokenRefused => {
                self.reach.refuses(true, Instant::now());
                self.refused.send_replace(true);
                return Outcome::TokenRefused;
            }
            me @ Outcome::Done(_) if method == "getMe" => return me,
            Outcome::Done(_) => tracing::warn!(method, "Telegram refused the token once, and takes it again"),
            Outcome::Later(wait) => return Outcome::Later(wait),
            other => return Outcome::NotSent(format!("the token was refused, and getMe came to {other:?}")),
        }
        drop(settling);
        let _turn = self.soon().await;
        match self.once(method, body, longer).await {
            Outcome::TokenRefused => Outcome::NotSent("refused with 401 or 404 while getMe is answered".to_owned()),
            outcome => outcome,
        }
    }

    /// Asks `getMe` once, whatever is known of the token.
    pub async fn get_me(&self) -> Outcome {
        let _turn = self.soon().await;
        self.once("getMe", &json!({}), Duration::ZERO).await
    }

    /// Removes a webhook, if there is one; the updates that wait are kept.
    pub async fn delete_webhook(&self) -> Outcome {
        let _turn = self.soon().await;
        self.call("deleteWebhook", &json!({ "drop_pending_updates": false }), Duration::ZERO).await
    }

    async fn soon(&self) -> Option<Turn<'_>> {
        tokio::time::timeout(SOON, self.pace.turn(Priority::Manager, EVERYWHERE)).await.ok()
    }

    fn is_refused(&self) -> bool {
        *self.refused.borrow()
    }

    /// Whether Telegram refuses the token, as it changes.
    pub fn refusal(&self) -> watch::Receiver<bool> {
        self.refused.subscribe()
    }

    /// The token is taken again.
    pub fn is_taken_again(&self) {
        self.reach.refuses(false, Instant::now());
        self.refused.send_replace(false);
    }

    /// Waits until the token is taken again, but not longer than this; whether it is.
    async fn taken_within(&self, longest: Duration) -> bool {
        let mut refused = self.refused.subscribe();
        tokio::time::timeout(longest, refused.wait_for(|refused| !refused)).await.is_ok_and(|it| it.is_ok())
    }

    /// What the calls so far say of the way to Telegram.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// This moment on Telegram's clock, in milliseconds since 1970; none before Telegram has told its time.
    pub fn server_now(&self) -> Option<Ms> {
        let ahead = self.ahead.load(Ordering::Relaxed);
        (ahead != UNTOLD).then(|| self.pace.clock().now().saturating_add(ahead))
    }

    async fn once(&self, method: &str, body: &Value, longer: Duration) -> Outcome {
        let outcome = self.exchange(method, body, longer).await;
        self.reach.came(method == "getUpdates", &outcome, Instant::now());
        outcome
    }

    async fn exchange(&self, method: &str, body: &Value, longer: Duration) -> Outcome {
        let sent = self.client.post(format!("{}/{method}", self.base)).json(body).timeout(CALL + longer).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Outcome::NotSent(said(error)),
            Err(error) => return Outcome::Unsure(said(error)),
        };
        let code = answer.status().as_u16();
        let (server, now) = (date(&answer), self.pace.clock().now());
        let (text, broken) = read(answer, if method == "getUpdates" { UPDATES } else { BODY }).await;
        // A proxy on the way has a clock of its own.
        if let Some(server) = server.filter(|_| is_telegrams(&text)) {
            self.ahead.store(server - now, Ordering::Relaxed);
            self.pace.budget().server_said(server, now);
        }
        match (text, broken) {
            (text, None) => understood(code, &text),
            // Its beginning, or its code, says enough.
            (text, Some(_)) if is_done(&text) || code == 429 => understood(code, &text),
            (_, Some(why)) => Outcome::Unsure(why),
        }
    }

    /// Sends an answer's messages to a chat, in turn, until they are there or cannot be. The first takes the place of
    /// the message that is to be changed. `sorry` is said where Telegram takes neither a message nor its plain words.
    pub async fn answer(
        &self,
        priority: Priority,
        to: &Target,
        parts: &[Part],
        sorry: &Part,
    ) -> Result<Landed, TokenGone> {
        let mut to = to.clone();
        for part in parts {
            if self.deliver(priority, &to, part, sorry).await? == Landed::Refused {
                return Ok(Landed::Refused);
            }
            to.edits = None;
        }
        Ok(Landed::There)
    }

    /// One message, tried until it is there, refused, or too old.
    async fn deliver(&self, priority: Priority, to: &Target, part: &Part, sorry: &Part) -> Result<Landed, TokenGone> {
        let mut since = Instant::now();
        let mut pause = Duration::from_secs(1);
        let (mut to, mut dress) = (to.clone(), Dress::Whole);
        while since.elapsed() < TRIED_FOR {
            let method = if to.edits.is_some() { "editMessageText" } else { "sendMessage" };
            let body = to.body(part, sorry, dress);
            match self.in_turn(priority, to.chat, method, &body).await {
                Outcome::Done(_) => return Ok(Landed::There),
                Outcome::Later(wait) if since.elapsed() + wait >= TRIED_FOR => break,
                Outcome::Later(wait) => tokio::time::sleep(wait).await,
                Outcome::TokenRefused if self.taken_within(HELD_FOR).await => since = Instant::now(),
                Outcome::TokenRefused => return Err(TokenGone),
                Outcome::NotSent(why) | Outcome::Unsure(why) => {
                    tracing::warn!(why, "an answer did not reach Telegram; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST);
                }
                Outcome::Refused(_, _, Some(moved)) => to.chat = moved,
                Outcome::Refused(400, why, _) if why.contains("message is not modified") => return Ok(Landed::There),
                // The message is gone, or too old to be changed: a new one.
                Outcome::Refused(400, why, _) if to.edits.is_some() && is_gone(&why) => to.edits = None,
                Outcome::Refused(400, why, _) if why.contains("thread not found") && to.thread.is_some() => {
                    to.thread = None;
                }
                Outcome::Refused(code, why, _) => match dress.next(code, &why) {
                    Some(next) => dress = next,
                    None => {
                        tracing::info!(code, why, "an answer was refused");
                        return Ok(Landed::Refused);
                    }
                },
                Outcome::AnotherPoller => return Ok(Landed::There),
            }
        }
        tracing::error!("an answer could not be sent for {} minutes and was given up", TRIED_FOR.as_secs() / 60);
        Ok(Landed::There)
    }
}

/// How much of a message is sent: less of it, once Telegram does not take what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dress {
    /// With markup and buttons.
    Whole,
    /// The words alone; with the buttons, unless it was they that were refused.
    Plain { buttons: bool },
    /// The apology.
    Sorry,
}

impl Dress {
    /// What is tried after a refusal: plain words once, then the apology; none if the chat is what is refused.
    fn next(self, code: u16, why: &str) -> Option<Dress> {
        let content = matches!(code, 400 | 413) && !is_of_chat(why);
        match self {
            _ if !content => None,
            Dress::Whole => {
                tracing::warn!(code, why, "Telegram does not take a message as it is: sent as plain words");
                let said = why.to_lowercase();
                Some(Dress::Plain { buttons: !["button", "markup", "keyboard"].iter().any(|it| said.contains(it)) })
            }
            Dress::Plain { .. } => {
                tracing::error!(code, why, "Telegram takes neither a message nor its plain words: an apology is sent");
                Some(Dress::Sorry)
            }
            Dress::Sorry => None,
        }
    }
}

/// How long is waited before a letter is tried again that could not leave.
const UNREACHABLE: Duration = Duration::from_secs(15);

impl Api {
    /// Brings a letter, of which the last message counts, or puts it in the place of an earlier message; its number, if
    /// it is there.
    pub async fn letter(&self, to: &Target, parts: &[Part], sorry: &Part) -> Result<Option<u64>, Brought> {
        let (mut to, mut last) = (to.clone(), None);
        for (at, part) in parts.iter().enumerate() {
            let since = Instant::now();
            last = loop {
                match self.letter_part(&to, part, sorry).await {
                    // The parts before it are there: the letter is not begun anew.
                    Err(Brought::Later(wait)) if at > 0 && since.elapsed() + wait < TRIED_FOR => {
                        tokio::time::sleep(wait).await;
                    }
                    done => break done?,
                }
            };
            to.edits = None;
        }
        Ok(last)
    }

    async fn letter_part(&self, to: &Target, part: &Part, sorry: &Part) -> Result<Option<u64>, Brought> {
        let method = if to.edits.is_some() { "editMessageText" } else { "sendMessage" };
        let mut dress = Dress::Whole;
        loop {
            return Err(match self.in_turn(Priority::Manager, to.chat, method, &to.body(part, sorry, dress)).await {
                Outcome::Done(message) => return Ok(message["message_id"].as_u64()),
                // What it changes reads so already.
                Outcome::Refused(_, why, _) if why.contains("message is not modified") => return Ok(None),
                Outcome::Later(wait) => Brought::Later(wait),
                Outcome::NotSent(_) | Outcome::AnotherPoller | Outcome::TokenRefused => Brought::Later(UNREACHABLE),
                Outcome::Unsure(why) => Brought::Unsure(why),
                Outcome::Refused(code, why, _) => match dress.next(code, &why) {
                    Some(next) if !(to.edits.is_some() && is_gone(&why)) => {
                        dress = next;
                        continue;
                    }
                    _ => Brought::Refused(why),
                },
            });
        }
    }

    /// Calls a method that the limits of a chat count, in its turn; the whole chat waits as long as Telegram says.
    pub async fn in_turn(&self, priority: Priority, chat: i64, method: &str, body: &Value) -> Outcome {
        let key = format!("{EVERYWHERE}{chat}");
        let _turn = self.pace.turn(priority, &key).await;
        let outcome = self.call(method, body, Duration::ZERO).await;
        if let Outcome::Later(wait) = outcome {
            let until = self.pace.clock().now().saturating_add(Ms::try_from(wait.as_millis()).unwrap_or(Ms::MAX));
            self.pace.budget().shut_chat(&key, until);
        }
        outcome
    }

    /// Calls a method that only the overall limit counts, in its turn.
    pub async fn beside(&self, priority: Priority, method: &str, body: &Value) -> Outcome {
        let _turn = self.pace.turn(priority, EVERYWHERE).await;
        self.call(method, body, Duration::ZERO).await
    }

    /// How long an answer to a reader of a chat would wait for the chat's limit.
    pub fn wait_of_readers(&self, chat: i64) -> Duration {
        self.pace.wait_of_readers(&format!("{EVERYWHERE}{chat}"))
    }
}

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It is there, or was given up after long.
    There,
    /// The chat does not take it.
    Refused,
}

/// The token is not good any more.
#[derive(Debug)]
pub struct TokenGone;

/// Where an answer goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The chat.
    pub chat: i64,
    /// Its topic.
    pub thread: Option<i32>,
    /// The message to put the answer in the place of.
    pub edits: Option<i32>,
}

impl Target {
    fn body(&self, part: &Part, sorry: &Part, dress: Dress) -> Value {
        let text = match dress {
            Dress::Whole => &part.html,
            Dress::Plain { .. } => &part.plain,
            Dress::Sorry => &sorry.plain,
        };
        let mut body = json!({ "chat_id": self.chat, "text": text, "link_preview_options": { "is_disabled": true } });
        if dress == Dress::Whole {
            body["parse_mode"] = json!("HTML");
        }
        let buttons = matches!(dress, Dress::Whole | Dress::Plain { buttons: true });
        if let Some(keyboard) = part.keyboard.as_ref().filter(|_| buttons) {
            body["reply_markup"] = keyboard.clone();
        }
        match (self.edits, self.thread) {
            (Some(message), _) => body["message_id"] = json!(message),
            (None, Some(thread)) => body["message_thread_id"] = json!(thread),
            (None, None) => {}
        }
        body
    }
}

/// What went wrong and why (a name that is not found, a certificate, a proxy that refuses); never with the address in
/// it, which holds the token.
fn said(error: reqwest::Error) -> String {
    transport::cause(&error.without_url())
}

/// As much of an answer as comes, up to so many bytes, and what broke it off.
async fn read(mut answer: reqwest::Response, most: usize) -> (String, Option<String>) {
    let mut bytes = Vec::new();
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(piece)) if bytes.len() + piece.len() > most => {
                bytes.extend_from_slice(&piece[..most - bytes.len()]);
                break Some(format!("an answer of more than {most} bytes"));
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break None,
            Err(error) => break Some(said(error)),
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), broken)
}

/// The server's clock, as an answer's `Date` has it (RFC 9110), in milliseconds since 1970.
fn date(answer: &reqwest::Response) -> Option<Ms> {
    let date = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date).ok().map(|date| date.timestamp_millis())
}

/// Whether an answer is the Bot API's own, rather than one of something on the way.
fn is_telegrams(text: &str) -> bool {
    text.trim_start().starts_with("{\"ok\":")
}

/// Delivered is delivered, whatever else an answer holds.
fn is_done(text: &str) -> bool {
    text.trim_start().strip_prefix("{\"ok\":").is_some_and(|rest| rest.trim_start().starts_with("true"))
}

/// The first number that an answer calls a message's: the message's own stands before those it tells of.
fn message_in(text: &str) -> Option<u64> {
    let (_, after) = text.split_once("\"message_id\":")?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    // One that breaks off in its middle is another's.
    after.trim_start().len().gt(&digits.len()).then(|| digits.parse().ok())?
}

fn understood(code: u16, text: &str) -> Outcome {
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return match code {
            _ if is_done(text) => Outcome::Done(message_in(text).map_or(Value::Null, |id| json!({ "message_id": id }))),
            401 => Outcome::TokenRefused,
            413 => Outcome::Refused(413, "Request Entity Too Large".to_owned(), None),
            429 => Outcome::Later(UNSAID),
            _ => Outcome::Unsure(format!("HTTP {code} without JSON")),
        };
    };
    if answer["ok"] == true {
        return Outcome::Done(answer["result"].clone());
    }
    let code = answer["error_code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(code);
    let why = answer["description"].as_str().unwrap_or("no description").to_owned();
    let parameters = &answer["parameters"];
    match code {
        429 => Outcome::Later(Duration::from_secs(parameters["retry_after"].as_u64().unwrap_or(1).clamp(1, DAY))),
        401 => Outcome::TokenRefused,
        404 if why == "Not Found" => Outcome::TokenRefused,
        409 if why.contains("webhook") => Outcome::Refused(code, why, None),
        409 => Outcome::AnotherPoller,
        408 | 500.. => Outcome::Unsure(why),
        _ => Outcome::Refused(code, why, parameters["migrate_to_chat_id"].as_i64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_meaning() {
        let unsure = |outcome| matches!(outcome, Outcome::Unsure(_));
        assert_eq!(understood(200, r#"{"ok":true,"result":7}"#), Outcome::Done(json!(7)));
        assert_eq!(understood(200, r#"{"ok":true,"result":{"#), Outcome::Done(Value::Null));
        let cut = r#"{"ok":true,"result":{"message_id":71,"chat":{"#;
        assert_eq!(understood(200, cut), Outcome::Done(json!({ "message_id": 71 })));
        assert_eq!(understood(200, &cut[..36]), Outcome::Done(Value::Null), "a number that breaks off");
        assert!(is_done("{\"ok\": true, \"result\": {") && !is_done("{\"ok\":false") && !is_done("<html>true"));
        assert_eq!(understood(429, "<html>slow down</html>"), Outcome::Later(UNSAID));
        let later = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7,"new":1}}"#;
        assert_eq!(understood(429, later), Outcome::Later(Duration::from_secs(7)));
        assert_eq!(
            understood(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
            Outcome::TokenRefused
        );
        assert_eq!(
            understood(404, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#),
            Outcome::TokenRefused
        );
        assert!(unsure(understood(502, "<html>bad gateway</html>")));
        assert!(unsure(understood(
            500,
            r#"{"ok":false,"error_code":500,"description":"Internal Server Error: restart"}"#
        )));
        let late = r#"{"ok":false,"error_code":408,"description":"Request Timeout"}"#;
        assert!(unsure(understood(408, late)));
        let conflict =
            |why: &str| understood(409, &json!({ "ok": false, "error_code": 409, "description": why }).to_string());
        assert_eq!(conflict("Conflict: terminated by other getUpdates request"), Outcome::AnotherPoller);
        let webhook = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it";
        assert_eq!(conflict(webhook), Outcome::Refused(409, webhook.to_owned(), None));
        let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009}}"#;
        assert!(matches!(understood(400, moved), Outcome::Refused(400, _, Some(-1009))));
    }
}
