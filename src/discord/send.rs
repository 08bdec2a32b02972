//! What goes out to Discord over HTTP, tried again where that can help, and what became of it.

use std::{sync::Arc, time::Duration};

use record::outbox::Ms;
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::Pauses;
use crate::{
    config::Secret,
    dispatch::pace::{Pace, Turn},
    post::Brought,
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take in all.
const TOTAL: Duration = Duration::from_secs(20);
/// The pauses between tries of one request.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// How much of what Discord says of a refusal is repeated in the log, in characters.
const REPEATED: usize = 300;

/// The error codes of an interaction that was answered before, and of one whose time is over.
const ANSWERED_BEFORE: u64 = 40060;
const OVER: [u64; 3] = [10062, 10015, 50027];
/// The code of an answer's token that has ended: the only 401 that is not about ours.
const ANSWER_TOKEN: u64 = 50027;

/// The way to Discord's REST API (version 10) with one token.
pub struct Wire {
    client: reqwest::Client,
    base: String,
    token: Secret,
    pace: Arc<Pace>,
    /// Rung when Discord refuses the token.
    pub refused: Arc<Notify>,
}

/// Why a request was not done, as far as is known; never with a token in it.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Our token is refused (401).
    #[error("Discord refuses the token")]
    Token,
    /// Discord will not do it, however often it is asked.
    #[error("Discord refuses it with {status}, code {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's own code; 0 if it gave none.
        code: u64,
        /// What Discord said, shortened.
        message: String,
    },
    /// It was not done in the time there was.
    #[error("{0}")]
    Unanswered(String),
}

impl Failed {
    /// Whether it is what is said that Discord does not take, so that plain words may be taken.
    pub fn is_of_content(&self) -> bool {
        matches!(self, Failed::Refused { status: 400 | 413, .. })
    }

    /// Whether it is the buttons.
    pub fn is_of_buttons(&self) -> bool {
        matches!(self, Failed::Refused { message, .. } if message.contains("component") || message.contains("custom_id"))
    }

    /// What it means for a letter.
    /// What it means for a letter.
    pub fn of_letter(self) -> Brought {
        match self {
            Failed::Token => Brought::Shut,
            Failed::Refused { .. } => Brought::Refused(self.to_string()),
            Failed::Unanswered(why) => Brought::Unsure(why),
        }
    }
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is there.
    Yes,
    /// It could not be brought in time.
    TooLate,
    /// Discord would not take it; whether it was the buttons that it would not take.
    Refused {
        /// The buttons.
        buttons: bool,
    },
}

/// Whose limits a request counts against.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    /// Nobody's: interactions and what belongs to them.
    Not,
    /// Everybody's, and this chat's: it waits for its turn as answers do.
    InTurn(&'a str),
    /// The same, and whoever sends it has counted it already.
    Already(&'a str),
}

/// What is asked of Discord in no chat.
pub const NO_CHAT: Counts<'static> = Counts::InTurn("discord:");

impl Counts<'_> {
    fn chat(&self) -> Option<&str> {
        match self {
            Counts::Not => None,
            Counts::InTurn(chat) | Counts::Already(chat) => Some(chat),
        }
    }
}

/// What Discord answered, as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null if it is no JSON.
    pub json: Value,
    /// Whether the whole body came.
    pub whole: bool,
    /// How long to wait, if it says so.
    pub after: Option<Duration>,
    /// Whether that holds for everything we ask.
    pub global: bool,
    /// Whether a limit was reached that others share, so that it was not our fault.
    pub shared: bool,
    /// How long a limit is spent, if it is.
    pub spent: Option<Duration>,
}

impl Answer {
    /// Discord's own code; 0 if it gave none.
    pub fn code(&self) -> u64 {
        self.json["code"].as_u64().unwrap_or(0)
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What Discord said of a refusal, shortened.
    pub fn said(&self) -> String {
        let said = if self.json.is_object() { self.json.to_string() } else { "no JSON".to_owned() };
        said.chars().take(REPEATED).collect()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silent {
    /// Nothing was sent.
    NotSent(String),
    /// It may or may not have been done.
    Unsure(String),
}

/// A client with timeouts: neither reqwest nor serenity has any of its own.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().connect_timeout(CONNECT).timeout(TOTAL).build()
}

impl Wire {
    /// A way to the API at `api_url`, which has no final slash, at this pace.
    pub fn new(api_url: &str, token: Secret, pace: Arc<Pace>) -> reqwest::Result<Wire> {
        let (client, base) = (client()?, format!("{api_url}/api/v10"));
        Ok(Wire { client, base, token, pace, refused: Arc::new(Notify::new()) })
    }

    /// The token, for serenity.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// The turn of a request that somebody else makes with our token.
    pub async fn turn(&self) -> Turn<'_> {
        self.pace.turn("discord:").await
    }

    /// Asks for something, once.
    pub async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None, NO_CHAT, Instant::now()).await
    }

    /// Does a request, waiting as Discord says and trying again until the deadline where it was not refused; at least
    /// once.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
        until: Instant,
    ) -> Result<Value, Failed> {
        let mut pauses = Pauses::new(PAUSES.0, PAUSES.1);
        loop {
            let (after, why) = match self.ask(&method, path, body, counts).await {
                Ok(answer) if answer.is_done() => match answer.json {
                    // It was done; only what is asked for is missed when the answer to it is cut off.
                    Value::Null if method == Method::GET && answer.status != 204 => {
                        (None, "Discord's answer cannot be read".to_owned())
                    }
                    json => return Ok(json),
                },
                Ok(answer) => match refusal(&answer) {
                    Ok(again) => again,
                    Err(failed) => {
                        if matches!(failed, Failed::Token) {
                            self.refused.notify_one();
                        }
                        return Err(failed);
                    }
                },
                Err(Silent::NotSent(why) | Silent::Unsure(why)) => (None, why),
            };
            let pause = after.unwrap_or_else(|| pauses.longer());
            if Instant::now() + pause >= until {
                return Err(Failed::Unanswered(why));
            }
            sleep(pause).await;
        }
    }

    /// Does a request once. Whatever the answer says of limits is minded.
    pub async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
    ) -> Result<Answer, Silent> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .header(header::USER_AGENT, serenity::constants::USER_AGENT)
            .header(header::AUTHORIZATION, format!("Bot {}", self.token.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let _turn = match counts {
            Counts::InTurn(chat) => Some(self.pace.turn(chat).await),
            _ => None,
        };
        match request.send().await {
            Ok(response) => {
                let answer = read(response).await;
                self.mind(&answer, counts);
                Ok(answer)
            }
            // Its address holds an interaction's token.
            Err(error) if error.is_connect() => Err(Silent::NotSent(cause(&error.without_url()))),
            Err(error) => Err(Silent::Unsure(cause(&error.without_url()))),
        }
    }

    /// Minds what an answer says of limits, and counts what Discord holds against us.
    fn mind(&self, answer: &Answer, counts: Counts<'_>) {
        let now = self.pace.clock().now();
        let later = |wait: Duration| now.saturating_add(ms(wait));
        let mut budget = self.pace.budget();
        let limited = answer.status == 429;
        if matches!(answer.status, 401 | 403) || (limited && !answer.shared) {
            budget.invalid(now);
        }
        match answer.after.filter(|_| limited) {
            Some(wait) if answer.global => budget.shut(later(wait)),
            Some(wait) => counts.chat().into_iter().for_each(|chat| budget.shut_chat(chat, later(wait))),
            None => {}
        }
        if let (Some(chat), Some(spent)) = (counts.chat(), answer.spent) {
            budget.shut_chat(chat, later(spent));
        }
    }

    /// Gives an interaction its first answer (type 4 to 9); worth trying for 3 seconds from its event.
    pub async fn first(&self, id: u64, token: &str, kind: u8, data: Option<&Value>, until: Instant) -> Told {
        let mut body = json!({ "type": kind });
        if let Some(data) = data {
            body["data"] = data.clone();
        }
        let path = format!("/interactions/{id}/{token}/callback");
        told(self.call(Method::POST, &path, Some(&body), Counts::Not, until).await)
    }

    /// Edits the first answer; possible for 15 minutes from the interaction's event.
    pub async fn edit(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        let path = format!("/webhooks/{app}/{token}/messages/@original");
        told(self.call(Method::PATCH, &path, Some(data), Counts::Not, until).await)
    }

    /// Says something after the first answer; possible for 15 minutes from the interaction's event.
    pub async fn follow_up(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        told(self.call(Method::POST, &format!("/webhooks/{app}/{token}"), Some(data), Counts::Not, until).await)
    }

    /// Sends somebody a private message; `nonce` (at most 25 characters) makes a second try no second message.
    pub async fn private(&self, user: u64, data: &Value, nonce: &str, until: Instant) -> Result<(), Failed> {
        self.letter(user, data, nonce, until).await.map(drop)
    }

    /// The same; tells in which channel the message is, and its number.
    pub async fn letter(&self, user: u64, data: &Value, nonce: &str, until: Instant) -> Result<(u64, u64), Failed> {
        let recipient = json!({ "recipient_id": user.to_string() });
        let channel = self.call(Method::POST, "/users/@me/channels", Some(&recipient), NO_CHAT, until).await?;
        let channel = channel["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        let Some(channel) = channel else {
            return Err(Failed::Unanswered("Discord named no channel for a private message".to_owned()));
        };
        let message = self.say(channel, data, nonce, until).await?;
        let id = message["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        id.map(|id| (channel, id)).ok_or_else(|| Failed::Unanswered("Discord's answer cannot be read".to_owned()))
    }

    /// Puts another message in the place of one of ours.
    pub async fn change(&self, channel: u64, message: u64, data: &Value, until: Instant) -> Result<(), Failed> {
        let (path, chat) = (format!("/channels/{channel}/messages/{message}"), format!("discord:{channel}"));
        self.call(Method::PATCH, &path, Some(data), Counts::InTurn(&chat), until).await.map(drop)
    }

    /// Posts a message where everybody sees it; `nonce` (at most 25 characters) makes a second try no second message.
    pub async fn post(&self, channel: u64, data: &Value, nonce: &str, until: Instant) -> Result<(), Failed> {
        self.say(channel, data, nonce, until).await.map(drop)
    }

    async fn say(&self, channel: u64, data: &Value, nonce: &str, until: Instant) -> Result<Value, Failed> {
        let mut message = data.clone();
        message["nonce"] = json!(nonce);
        message["enforce_nonce"] = json!(true);
        let (path, chat) = (format!("/channels/{channel}/messages"), format!("discord:{channel}"));
        self.call(Method::POST, &path, Some(&message), Counts::InTurn(&chat), until).await
    }
}

/// A duration as moments are counted.
pub fn ms(wait: Duration) -> Ms {
    Ms::try_from(wait.as_millis()).unwrap_or(Ms::MAX)
}

/// Reads an answer, as far as it comes.
async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let named = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let seconds = |name: &str| named(name).and_then(|seconds| seconds.parse::<f64>().ok());
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let spent = seconds("x-ratelimit-reset-after").filter(|_| named("x-ratelimit-remaining") == Some("0"));
    let mut answer = Answer {
        status,
        after: seconds("retry-after").and_then(time),
        global: named("x-ratelimit-global") == Some("true") || named("x-ratelimit-scope") == Some("global"),
        shared: named("x-ratelimit-scope") == Some("shared"),
        spent: spent.and_then(time),
        ..Answer::default()
    };
    let mut bytes = Vec::new();
    answer.whole = loop {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            end => break end.is_ok(),
        }
    };
    answer.json = serde_json::from_slice(&bytes).unwrap_or_default();
    answer.after = answer.json["retry_after"].as_f64().and_then(time).or(answer.after);
    answer.global |= answer.json["global"] == true;
    answer
}

/// Reads what is not a success: when and why to try again, or why not.
fn refusal(answer: &Answer) -> Result<(Option<Duration>, String), Failed> {
    let code = answer.code();
    match answer.status {
        401 if code != ANSWER_TOKEN => Err(Failed::Token),
        429 if answer.after.is_some() || code == 0 => {
            Ok((answer.after, "Discord limits the rate of requests".to_owned()))
        }
        status @ 500.. => Ok((None, format!("Discord answers {status}"))),
        status => Err(Failed::Refused { status, code, message: answer.said() }),
    }
}

/// What an answer's request came to; what nobody else will hear of is logged here, once.
fn told(done: Result<Value, Failed>) -> Told {
    match done {
        Ok(_) => Told::Yes,
        // An earlier try came through, and only the word of it was lost.
        Err(Failed::Refused { code: ANSWERED_BEFORE, .. }) => {
            tracing::debug!("an interaction was answered before");
            Told::Yes
        }
        Err(Failed::Refused { code, .. }) if OVER.contains(&code) => {
            tracing::debug!(code, "an answer came too late");
            Told::TooLate
        }
        Err(failed @ Failed::Refused { .. }) => {
            tracing::error!(%failed, "an answer was not taken");
            Told::Refused { buttons: failed.is_of_buttons() }
        }
        Err(failed) => {
            tracing::warn!(%failed, "an answer could not be brought");
            Told::TooLate
        }
    }
}

/// An error with what caused it.
fn cause(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        words += &format!(": {error}");
        inner = error.source();
    }
    words
}
