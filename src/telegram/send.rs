//! What leaves for Telegram: one client, the meaning of every answer, and the pace of each chat.
//!
//! Calls are classified by their HTTP code first and the description after it, which teloxide throws away.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::render::Dressed;
use crate::config::Secret;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take in all; a long poll adds its own time.
const CALL: Duration = Duration::from_secs(40);
/// A connection that rested this long is not used again: the other end may be gone.
const IDLE: Duration = Duration::from_secs(25);
/// An answer is tried for this long.
const TRIED_FOR: Duration = Duration::from_secs(600);
/// Messages a second in one chat, after a burst.
const PACE: Duration = Duration::from_secs(1);
/// How many messages may leave for a chat at once.
const BURST: u32 = 3;

/// The Bot API, for one bot.
pub struct Api {
    client: reqwest::Client,
    base: String,
    pace: Pace,
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

impl Api {
    /// A client for the bot with this token.
    pub fn new(token: &Secret, api_url: &str) -> Result<Api, reqwest::Error> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT).pool_idle_timeout(IDLE).build()?;
        let base = format!("{}/bot{}", api_url.trim_end_matches('/'), token.expose());
        Ok(Api { client, base, pace: Pace::default() })
    }

    /// Calls a method once.
    pub async fn call(&self, method: &str, body: &Value, longer: Duration) -> Outcome {
        let sent = self.client.post(format!("{}/{method}", self.base)).json(body).timeout(CALL + longer).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Outcome::NotSent(said(error)),
            Err(error) => return Outcome::Unsure(said(error)),
        };
        let code = answer.status().as_u16();
        match answer.text().await {
            Ok(text) => understood(code, &text),
            Err(error) => Outcome::Unsure(said(error)),
        }
    }

    /// Sends an answer's messages to a chat, in turn, until they are there or cannot be. Tells whether the token is good.
    pub async fn answer(&self, to: &Target, dressed: &Dressed) -> Result<(), TokenGone> {
        let last = dressed.parts.len() - 1;
        for (at, part) in dressed.parts.iter().enumerate() {
            let keyboard = dressed.keyboard.as_ref().filter(|_| at == last);
            let edits = if last == 0 { to.edits } else { None };
            let html = to.body(&part.html, Some("HTML"), keyboard, edits);
            let plain = to.body(&part.plain, None, keyboard, edits);
            self.deliver(to, edits.is_some(), &html, &plain).await?;
        }
        Ok(())
    }

    /// One message, tried until it is there, refused, or too old.
    async fn deliver(&self, to: &Target, edit: bool, html: &Value, plain: &Value) -> Result<(), TokenGone> {
        let since = Instant::now();
        let (mut body, mut pause) = (html.clone(), Duration::from_secs(1));
        let mut method = if edit { "editMessageText" } else { "sendMessage" };
        while since.elapsed() < TRIED_FOR {
            self.pace.turn(to.chat).await;
            match self.call(method, &body, Duration::ZERO).await {
                Outcome::Done(_) => return Ok(()),
                Outcome::Later(wait) if since.elapsed() + wait >= TRIED_FOR => break,
                Outcome::Later(wait) => tokio::time::sleep(wait).await,
                Outcome::TokenRefused => return Err(TokenGone),
                Outcome::NotSent(why) | Outcome::Unsure(why) => {
                    tracing::warn!(why, "an answer did not reach Telegram; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
                Outcome::Refused(400, why, _) if why.contains("message is not modified") => return Ok(()),
                Outcome::Refused(400, why, _) if why.contains("can't parse entities") && body != *plain => {
                    tracing::error!(why, "Telegram does not take our markup: sent as plain text");
                    body = merged(plain, &body);
                }
                Outcome::Refused(400, _, _) if method == "editMessageText" => {
                    // The message is gone, or too old to be edited: a new one.
                    method = "sendMessage";
                    body = to.body(
                        body["text"].as_str().unwrap_or_default(),
                        body["parse_mode"].as_str(),
                        body.get("reply_markup"),
                        None,
                    );
                }
                Outcome::Refused(400, _, Some(moved)) => body["chat_id"] = json!(moved),
                Outcome::Refused(400, why, _)
                    if why.contains("thread not found") && body.get("message_thread_id").is_some() =>
                {
                    if let Some(fields) = body.as_object_mut() {
                        fields.remove("message_thread_id");
                    }
                }
                Outcome::Refused(code, why, _) => {
                    tracing::info!(code, why, "an answer was refused");
                    return Ok(());
                }
                Outcome::AnotherPoller => return Ok(()),
            }
        }
        tracing::error!("an answer could not be sent for {} minutes and was given up", TRIED_FOR.as_secs() / 60);
        Ok(())
    }
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
    fn body(&self, text: &str, mode: Option<&str>, keyboard: Option<&Value>, edits: Option<i32>) -> Value {
        let mut body = json!({ "chat_id": self.chat, "text": text, "link_preview_options": { "is_disabled": true } });
        if let Some(mode) = mode {
            body["parse_mode"] = json!(mode);
        }
        if let Some(keyboard) = keyboard {
            body["reply_markup"] = keyboard.clone();
        }
        match (edits, self.thread) {
            (Some(message), _) => body["message_id"] = json!(message),
            (None, Some(thread)) => body["message_thread_id"] = json!(thread),
            (None, None) => {}
        }
        body
    }
}

/// The plain words, where the message goes by now.
fn merged(plain: &Value, body: &Value) -> Value {
    let mut plain = plain.clone();
    plain["chat_id"] = body["chat_id"].clone();
    plain
}

/// Never with the address in it, which holds the token.
fn said(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

fn understood(code: u16, text: &str) -> Outcome {
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        // Delivered is delivered, whatever else the body holds.
        return match text.trim_start().starts_with("{\"ok\":true") {
            true => Outcome::Done(Value::Null),
            false if code == 401 => Outcome::TokenRefused,
            false => Outcome::Unsure(format!("HTTP {code} without JSON")),
        };
    };
    if answer["ok"] == true {
        return Outcome::Done(answer["result"].clone());
    }
    let code = answer["error_code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(code);
    let why = answer["description"].as_str().unwrap_or("no description").to_owned();
    let parameters = &answer["parameters"];
    match code {
        429 => Outcome::Later(Duration::from_secs(parameters["retry_after"].as_u64().unwrap_or(1).max(1))),
        401 => Outcome::TokenRefused,
        404 if why == "Not Found" => Outcome::TokenRefused,
        409 => Outcome::AnotherPoller,
        500.. => Outcome::Unsure(why),
        _ => Outcome::Refused(code, why, parameters["migrate_to_chat_id"].as_i64()),
    }
}

/// When the next message may leave for each chat (the generic cell rate algorithm).
#[derive(Default)]
struct Pace(Mutex<HashMap<i64, Instant>>);

impl Pace {
    /// Waits for a chat's turn.
    async fn turn(&self, chat: i64) {
        let at = self.reserve(chat, Instant::now());
        tokio::time::sleep_until(at).await;
    }

    fn reserve(&self, chat: i64, now: Instant) -> Instant {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if chats.len() > 10_000 {
            chats.retain(|_, full| *full > now);
        }
        let full = chats.entry(chat).or_insert(now);
        let at = full.checked_sub(PACE * (BURST - 1)).map_or(now, |at| at.max(now));
        *full = (*full).max(now) + PACE;
        at
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
        let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009}}"#;
        assert!(matches!(understood(400, moved), Outcome::Refused(400, _, Some(-1009))));
    }

    #[test]
    fn three_at_once_then_one_a_second_each_chat_for_itself() {
        let (pace, now) = (Pace::default(), Instant::now());
        let waits = |chat| -> Vec<u64> { (0..5).map(|_| (pace.reserve(chat, now) - now).as_secs()).collect() };
        assert_eq!(waits(1), [0, 0, 0, 1, 2]);
        assert_eq!(waits(2), [0, 0, 0, 1, 2]);
        assert_eq!((pace.reserve(1, now + Duration::from_secs(60)) - now).as_secs(), 60);
    }
}
