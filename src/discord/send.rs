//! What goes out to Discord over HTTP, tried again where that can help, and what became of it.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::Pauses;
use crate::config::Secret;

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

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is there.
    Yes,
    /// It could not be brought in time.
    TooLate,
    /// Discord would not take it.
    Refused,
}

/// What one try of a request came to.
enum Tried {
    Done(Value),
    Never(Failed),
    Again { after: Option<Duration>, why: String },
}

/// A client with timeouts: neither reqwest nor serenity has any of its own.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().connect_timeout(CONNECT).timeout(TOTAL).build()
}

impl Wire {
    /// A way to the API at `api_url`, which has no final slash.
    pub fn new(api_url: &str, token: Secret) -> reqwest::Result<Wire> {
        Ok(Wire { client: client()?, base: format!("{api_url}/api/v10"), token, refused: Arc::new(Notify::new()) })
    }

    /// The token, for serenity.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Asks for something, once.
    pub async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None, Instant::now()).await
    }

    /// Does a request, waiting as Discord says and trying again until the deadline where it was not refused; at least
    /// once.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        until: Instant,
    ) -> Result<Value, Failed> {
        let mut pauses = Pauses::new(PAUSES.0, PAUSES.1);
        loop {
            let (after, why) = match self.once(&method, path, body).await {
                Tried::Done(value) => return Ok(value),
                Tried::Never(failed) => {
                    if matches!(failed, Failed::Token) {
                        self.refused.notify_one();
                    }
                    return Err(failed);
                }
                Tried::Again { after, why } => (after, why),
            };
            let pause = after.unwrap_or_else(|| pauses.longer());
            if Instant::now() + pause >= until {
                return Err(Failed::Unanswered(why));
            }
            sleep(pause).await;
        }
    }

    async fn once(&self, method: &Method, path: &str, body: Option<&Value>) -> Tried {
        let again = |why: String| Tried::Again { after: None, why };
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .header(header::USER_AGENT, serenity::constants::USER_AGENT)
            .header(header::AUTHORIZATION, format!("Bot {}", self.token.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => {
                let empty = response.status() == StatusCode::NO_CONTENT;
                match response.bytes().await.map(|bytes| serde_json::from_slice(&bytes)) {
                    Ok(Ok(value)) => Tried::Done(value),
                    // It was done; only what is asked for is missed when the answer to it is cut off.
                    _ if empty || *method != Method::GET => Tried::Done(Value::Null),
                    _ => again("Discord's answer cannot be read".to_owned()),
                }
            }
            Ok(response) => refusal(response).await,
            // Its address holds an interaction's token.
            Err(error) => again(cause(&error.without_url())),
        }
    }

    /// Gives an interaction its first answer (type 4 to 8); worth trying for 3 seconds from its event.
    pub async fn first(&self, id: u64, token: &str, kind: u8, data: Option<&Value>, until: Instant) -> Told {
        let mut body = json!({ "type": kind });
        if let Some(data) = data {
            body["data"] = data.clone();
        }
        let path = format!("/interactions/{id}/{token}/callback");
        told(self.call(Method::POST, &path, Some(&body), until).await)
    }

    /// Edits the first answer; possible for 15 minutes from the interaction's event.
    pub async fn edit(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        let path = format!("/webhooks/{app}/{token}/messages/@original");
        told(self.call(Method::PATCH, &path, Some(data), until).await)
    }

    /// Says something after the first answer; possible for 15 minutes from the interaction's event.
    pub async fn follow_up(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        told(self.call(Method::POST, &format!("/webhooks/{app}/{token}"), Some(data), until).await)
    }

    /// Sends somebody a private message; `nonce` (at most 25 characters) makes a second try no second message.
    pub async fn private(&self, user: u64, data: &Value, nonce: &str, until: Instant) -> Result<(), Failed> {
        let recipient = json!({ "recipient_id": user.to_string() });
        let channel = self.call(Method::POST, "/users/@me/channels", Some(&recipient), until).await?;
        let channel = channel["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        let Some(channel) = channel else {
            return Err(Failed::Unanswered("Discord named no channel for a private message".to_owned()));
        };
        let mut message = data.clone();
        message["nonce"] = json!(nonce);
        message["enforce_nonce"] = json!(true);
        self.call(Method::POST, &format!("/channels/{channel}/messages"), Some(&message), until).await.map(drop)
    }
}

/// Reads what is not a success.
async fn refusal(response: Response) -> Tried {
    let status = response.status();
    let header = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let header = header.and_then(|seconds| seconds.parse::<f64>().ok());
    let text = response.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let code = body["code"].as_u64().unwrap_or(0);
    let after = body["retry_after"].as_f64().or(header).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match status {
        StatusCode::UNAUTHORIZED if code != ANSWER_TOKEN => Tried::Never(Failed::Token),
        StatusCode::TOO_MANY_REQUESTS if after.is_some() || code == 0 => {
            Tried::Again { after, why: "Discord limits the rate of requests".to_owned() }
        }
        status if status.is_server_error() => Tried::Again { after: None, why: format!("Discord answers {status}") },
        status => {
            let said = if body.is_object() { body.to_string() } else { "no JSON".to_owned() };
            let message = said.chars().take(REPEATED).collect();
            Tried::Never(Failed::Refused { status: status.as_u16(), code, message })
        }
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
            Told::Refused
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
