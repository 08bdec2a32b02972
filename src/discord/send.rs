//! What goes out to Discord over HTTP, tried again where that can help, and what became of it.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use record::{line::Hash, outbox::Ms};
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{Pauses, number, push::is_of_place, standing::Standing};
use crate::{
    config::{Proxy, Secret},
    dispatch::pace::{Pace, Priority},
    post::Brought,
    transport::{self, cause},
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take in all.
const TOTAL: Duration = Duration::from_secs(20);
/// The pauses between tries of one request.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// How much of what Discord says of a refusal is repeated in the log, in characters.
const REPEATED: usize = 300;
/// How long one try of an interaction's first answer may take: Discord waits 3 seconds for it.
const FIRST_TRY: Duration = Duration::from_millis(1_200);
/// A connection that was not used for this long is not used again: it may be dead.
const IDLE: Duration = Duration::from_secs(25);
/// How much of an answer is read, in bytes: a hundred messages have less than one million.
const READ: usize = 4 << 20;
/// For how long nothing is asked of Discord after its protection shut us out, at least.
pub const SHUT_OUT: Duration = Duration::from_secs(600);
/// How long everything waits when a global limit does not say how long.
const GLOBAL: Duration = Duration::from_secs(5);

/// The error codes of an interaction that was answered before, and of one whose time is over.
const ANSWERED_BEFORE: u64 = 40060;
const OVER: [u64; 3] = [10062, 10015, 50027];
/// The code of an answer's token that has ended: the only 401 that is not about ours.
const ANSWER_TOKEN: u64 = 50027;
/// The codes that say that our token is refused, beside 401.
const TOKEN: [u64; 2] = [40001, 50014];
/// The code of a thread that is archived, so that nothing in it can be changed.
pub const ARCHIVED: u64 = 50083;
/// Discord's protection has shut us out.
const PROTECTION: u64 = 40333;
/// What is asked to learn whether Discord takes our token.
const US: &str = "/users/@me";

/// How a request is tried.
#[derive(Clone, Copy)]
struct Tries {
    /// How long one try may take.
    within: Duration,
    /// Whether it is tried again only where it is known not to have been done.
    only_known: bool,
}

impl Default for Tries {
    fn default() -> Tries {
        Tries { within: TOTAL, only_known: false }
    }
}

/// The way to Discord's REST API (version 10) with one token.
pub struct Wire {
    client: reqwest::Client,
    base: String,
    token: Secret,
    proxy: Option<Proxy>,
    pace: Arc<Pace>,
    /// How we stand with Discord.
    pub standing: Standing,
    /// When Discord was last asked whether it takes our token, and what it said.
    confirmed: Mutex<Option<(Instant, Token)>>,
}

/// Whether Discord takes our token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// It does.
    Taken,
    /// It does not.
    Refused,
    /// It did not say.
    Unknown(String),
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
        matches!(self, Failed::Refused { status: 400 | 413, code, .. } if !is_of_place(*code))
    }

    /// Whether it is the buttons.
    pub fn is_of_buttons(&self) -> bool {
        matches!(self, Failed::Refused { message, .. } if message.contains("component") || message.contains("custom_id"))
    }

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is there.
    Yes,
    /// It could not be brought in time.
    TooLate,
    /// Discord would not take it.
    Refused {
        /// Whether it was the buttons that it would not take.
        buttons: bool,
        /// What it said.
        why: String,
    },
}

/// Whose limits a request counts against.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    /// Nobody's: interactions and what belongs to them.
    Not,
    /// Everybody's, and this chat's: it waits for its turn as answers do.
    InTurn(&'a str),
    /// As `InTurn`, but dispatch has already taken the place in the budget.
    Already(&'a str),
}

/// What is asked of Discord in no chat.
pub const NO_CHAT: Counts<'static> = Counts::InTurn("discord:");

impl<'a> Counts<'a> {
    /// The same for another try, for which nobody has counted anything yet.
    fn again(self) -> Counts<'a> {
        match self {
            Counts::Already(chat) => Counts::InTurn(chat),
            other => other,
        }
    }

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
    /// Whether it says anything of limits, as Discord does and what protects it does not.
    pub limits: bool,
    /// What the server's clock said, in milliseconds since 1970.
    pub date: Option<Ms>,
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

    /// Whether our token is refused.
    pub fn refuses_token(&self) -> bool {
        let code = self.code();
        (self.status == 401 && code != ANSWER_TOKEN) || (self.status >= 400 && TOKEN.contains(&code))
    }

    /// Whether it is not Discord that answers but what protects it: it writes no JSON, or a 429 without a word of limits.
    pub fn is_shut_out(&self) -> bool {
        let strange = matches!(self.status, 403 | 429) && self.whole && !self.json.is_object();
        let limited = self.limits || self.json["retry_after"].is_number();
        let blocked = matches!(self.status, 403 | 429)
            && self.json["message"].as_str().is_some_and(|said| said.contains("blocked from accessing our API"));
        let silent = self.status == 429 && self.json.is_object() && self.code() == 0 && !limited;
        strange || blocked || silent || self.code() == PROTECTION
    }

    /// For how long nothing is to be asked, if Discord's protection shuts us out.
    pub fn shut_out_for(&self) -> Option<Duration> {
        self.is_shut_out().then(|| self.after.map_or(SHUT_OUT, |after| after.clamp(SHUT_OUT, DAY)))
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

/// The longest that is waited because of what a header says.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A client with timeouts: neither reqwest nor serenity has any of its own.
fn client(proxy: Option<&Proxy>) -> reqwest::Result<reqwest::Client> {
    transport::client(proxy)?.connect_timeout(CONNECT).timeout(TOTAL).pool_idle_timeout(IDLE).build()
}

impl Wire {
    /// A way to the API at `api_url`, which has no final slash, at this pace.
    pub fn new(api_url: &str, token: Secret, pace: Arc<Pace>) -> reqwest::Result<Wire> {
        Wire::through(None, api_url, token, pace)
    }

    /// As [`Wire::new`], through a proxy.
    pub fn through(proxy: Option<Proxy>, api_url: &str, token: Secret, pace: Arc<Pace>) -> reqwest::Result<Wire> {
        let (client, base) = (client(proxy.as_ref())?, format!("{api_url}/api/v10"));
        Ok(Wire { client, base, token, proxy, pace, standing: Standing::default(), confirmed: Mutex::default() })
    }

    /// The proxy through which everything goes, the gateway too.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The bot's token, for the gateway's IDENTIFY and RESUME.
    pub fn token(&self) -> &Secret {
        &self.token
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
        self.call_so(method, path, body, counts, until, Tries::default()).await
    }

    async fn call_so(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
        until: Instant,
        tries: Tries,
    ) -> Result<Value, Failed> {
        let mut pauses = Pauses::new(PAUSES.0, PAUSES.1);
        loop {
            let done = self.ask_within(&method, path, body, counts, tries.within).await;
            let unknown = match &done {
                Ok(answer) => matches!(answer.status, 408 | 500..),
                Err(silent) => matches!(silent, Silent::Unsure(_)),
            };
            let (after, why) = match done {
                Ok(answer) if answer.is_done() => match answer.json {
                    // It was done; only what is asked for is missed when the answer to it is cut off.
                    Value::Null if method == Method::GET && answer.status != 204 => {
                        (None, "Discord's answer cannot be read".to_owned())
                    }
                    json => return Ok(json),
                },
                Ok(answer) => refusal(&answer)?,
                Err(_) if self.standing.is_refused() && counts.chat().is_some() => return Err(Failed::Token),
                Err(Silent::NotSent(why) | Silent::Unsure(why)) => (None, why),
            };
            let pause = after.unwrap_or_else(|| pauses.longer());
            if (unknown && tries.only_known) || Instant::now() + pause >= until {
                return Err(Failed::Unanswered(why));
            }
            sleep(pause).await;
        }
    }

    /// Does a request once; after a 401 that does not hold, once more. Whatever the answer says of limits is minded.
    pub async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
    ) -> Result<Answer, Silent> {
        self.ask_within(method, path, body, counts, TOTAL).await
    }

    async fn ask_within(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
        within: Duration,
    ) -> Result<Answer, Silent> {
        let answer = self.once(method, path, body, counts, within).await?;
        let unknown_us = path == US && answer.status == 404;
        if !answer.refuses_token() && !unknown_us {
            return Ok(answer);
        }
        match self.confirm().await {
            Token::Taken => {}
            Token::Refused => return Err(Silent::NotSent("Discord refuses the token".to_owned())),
            Token::Unknown(why) => return Err(Silent::NotSent(why)),
        }
        tracing::info!("Discord refused the token once, and takes it; the request is made again");
        let again = self.once(method, path, body, counts.again(), within).await?;
        match again.refuses_token() {
            true => Err(Silent::NotSent("Discord refuses this one request the token that it takes".to_owned())),
            false => Ok(again),
        }
    }

    /// Asks Discord whether it takes our token; all who want to know at the same time hear of one answer.
    pub async fn confirm(&self) -> Token {
        let since = Instant::now();
        let mut confirmed = self.confirmed.lock().await;
        if let Some((_, known)) = confirmed.as_ref().filter(|(at, _)| *at >= since) {
            return known.clone();
        }
        if self.standing.is_refused() {
            return Token::Refused;
        }
        let asked = Instant::now();
        let token = self.is_taken().await;
        self.standing.token(token == Token::Refused);
        *confirmed = Some((asked, token.clone()));
        token
    }

    /// Asks again whether a refused token is taken.
    pub async fn confirm_again(&self) -> Token {
        let token = self.is_taken().await;
        if token == Token::Taken {
            self.standing.token(false);
        }
        token
    }

    async fn is_taken(&self) -> Token {
        let _turn = self.pace.turn(Priority::Manager, "discord:").await;
        let answer = match self.send(&Method::GET, US, None, NO_CHAT, TOTAL).await {
            Ok(answer) => answer,
            Err(Silent::NotSent(why) | Silent::Unsure(why)) => return Token::Unknown(why),
        };
        match answer.status {
            200..300 => Token::Taken,
            404 => Token::Refused,
            _ if answer.refuses_token() => Token::Refused,
            status => Token::Unknown(format!("Discord answers {status}")),
        }
    }

    /// Does a request in its turn, unless nothing may be asked at present.
    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
        within: Duration,
    ) -> Result<Answer, Silent> {
        // What belongs to interactions bears a token of its own.
        if self.standing.is_refused() && counts.chat().is_some() {
            return Err(Silent::NotSent("Discord refuses the token".to_owned()));
        }
        if self.standing.shut_out_for(Instant::now()).is_some() {
            return Err(Silent::NotSent("Discord's protection shuts us out".to_owned()));
        }
        let _turn = match counts {
            Counts::InTurn(chat) => Some(self.pace.turn(Priority::Manager, chat).await),
            _ => None,
        };
        self.send(method, path, body, counts, within).await
    }

    /// Sends a request that was paid for.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        counts: Counts<'_>,
        within: Duration,
    ) -> Result<Answer, Silent> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .timeout(within)
            .header(header::USER_AGENT, serenity::constants::USER_AGENT)
            .header(header::AUTHORIZATION, format!("Bot {}", self.token.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let began = Instant::now();
        let sent = request.send().await;
        match sent {
            Ok(response) => {
                let answer = read(response).await;
                self.mind(&answer, counts, began);
                Ok(answer)
            }
            Err(error) => {
                self.standing.unanswered(began);
                // Its address holds an interaction's token.
                let (connects, why) = (error.is_connect(), cause(&error.without_url()));
                Err(if connects { Silent::NotSent(why) } else { Silent::Unsure(why) })
            }
        }
    }

    /// Minds what an answer says of limits and of the time, and counts what Discord holds against us.
    fn mind(&self, answer: &Answer, counts: Counts<'_>, began: Instant) {
        match answer.status {
            // What stands before Discord answers for it.
            500.. => self.standing.unanswered(began),
            _ if !answer.whole => self.standing.unanswered(began),
            _ => self.standing.answered(),
        }
        let now = self.pace.clock().now();
        let later = |wait: Duration| now.saturating_add(ms(wait));
        let mut budget = self.pace.budget();
        // What stands before Discord has a clock of its own.
        let discords = answer.json.is_object() || answer.json.is_array() || answer.status == 204;
        if let Some(date) = answer.date.filter(|_| discords && answer.status < 500) {
            budget.server_said(date, now);
        }
        let limited = answer.status == 429;
        if matches!(answer.status, 401 | 403) || (limited && !answer.shared) {
            budget.invalid(now);
        }
        if let Some(wait) = answer.shut_out_for() {
            budget.shut(later(wait));
            let now = Instant::now();
            return self.standing.shut_out(now + wait, now);
        }
        match answer.after.filter(|_| limited) {
            Some(wait) if answer.global => budget.shut(later(wait)),
            Some(wait) => counts.chat().into_iter().for_each(|chat| budget.shut_chat(chat, later(wait))),
            None if limited && answer.global => budget.shut(later(GLOBAL)),
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
        // A try that came through and was not heard of is harmless: the next one is told so.
        let tries = Tries { within: FIRST_TRY, ..Tries::default() };
        told(self.call_so(Method::POST, &path, Some(&body), Counts::Not, until, tries).await)
    }

    /// Edits the first answer; possible for 15 minutes from the interaction's event.
    pub async fn edit(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        let path = format!("/webhooks/{app}/{token}/messages/@original");
        told(self.call(Method::PATCH, &path, Some(data), Counts::Not, until).await)
    }

    /// Says something after the first answer; possible for 15 minutes from the interaction's event.
    pub async fn follow_up(&self, app: u64, token: &str, data: &Value, until: Instant) -> Told {
        // It has no nonce: what may be there is not sent again.
        let (path, tries) = (format!("/webhooks/{app}/{token}"), Tries { only_known: true, ..Tries::default() });
        told(self.call_so(Method::POST, &path, Some(data), Counts::Not, until, tries).await)
    }

    /// Sends somebody a private message; `key`, the same at every try, makes a second try no second message.
    pub async fn private(&self, user: u64, data: &Value, key: &str, until: Instant) -> Result<(), Failed> {
        self.letter(user, data, key, until).await.map(drop)
    }

    /// The same; tells in which channel the message is, and its number. The channel is part of the nonce: Discord may
    /// take the same from one author for one message, wherever it goes.
    pub async fn letter(&self, user: u64, data: &Value, key: &str, until: Instant) -> Result<(u64, u64), Failed> {
        let recipient = json!({ "recipient_id": user.to_string() });
        let channel = self.call(Method::POST, "/users/@me/channels", Some(&recipient), NO_CHAT, until).await?;
        let channel = number(&channel["id"]);
        let Some(channel) = channel else {
            return Err(Failed::Unanswered("Discord named no channel for a private message".to_owned()));
        };
        let nonce: String = Hash::of(format!("{channel} {key}").as_bytes()).to_string().chars().take(24).collect();
        let message = self.say(channel, data, &nonce, until).await?;
        let id = number(&message["id"]);
        id.map(|id| (channel, id)).ok_or_else(|| Failed::Unanswered("Discord's answer cannot be read".to_owned()))
    }

    /// Puts another message in the place of one of ours, or another part of it.
    pub async fn change(&self, channel: u64, message: u64, data: &Value, until: Instant) -> Result<(), Failed> {
        let (path, chat) = (format!("/channels/{channel}/messages/{message}"), format!("discord:{channel}"));
        let counts = Counts::InTurn(&chat);
        match self.call(Method::PATCH, &path, Some(data), counts, until).await {
            Err(Failed::Refused { code: ARCHIVED, .. }) => {
                self.call(Method::PATCH, &format!("/channels/{channel}"), Some(&unarchived()), counts, until).await?;
                self.call(Method::PATCH, &path, Some(data), counts, until).await.map(drop)
            }
            done => done.map(drop),
        }
    }

    /// Opens an archived thread again, so that what stands in it can be changed: one request.
    pub async fn unarchive(&self, thread: u64, chat: &str) -> Result<Answer, Silent> {
        let path = format!("/channels/{thread}");
        self.ask(&Method::PATCH, &path, Some(&unarchived()), Counts::InTurn(chat)).await
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

fn unarchived() -> Value {
    json!({ "archived": false })
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
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds).ok().map(|time| time.min(DAY));
    let spent = seconds("x-ratelimit-reset-after").filter(|_| named("x-ratelimit-remaining") == Some("0"));
    let date = named("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let limits = response.headers().keys().any(|name| name.as_str().starts_with("x-ratelimit-"));
    let mut answer = Answer {
        status,
        limits,
        // It tells no parts of a second.
        date: date.map(|date| date.timestamp_millis() + 500),
        after: seconds("retry-after").and_then(time),
        global: named("x-ratelimit-global") == Some("true") || named("x-ratelimit-scope") == Some("global"),
        shared: named("x-ratelimit-scope") == Some("shared"),
        spent: spent.and_then(time),
        ..Answer::default()
    };
    let mut bytes = Vec::new();
    answer.whole = loop {
        match response.chunk().await {
            // Nothing of Discord's is this long: it is taken for cut off.
            Ok(Some(piece)) if bytes.len() + piece.len() > READ => {
                bytes.clear();
                break false;
            }
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
        _ if answer.is_shut_out() => Ok((answer.shut_out_for(), "Discord's protection shuts us out".to_owned())),
        429 if answer.after.is_some() || code == 0 => {
            Ok((answer.after, "Discord limits the rate of requests".to_owned()))
        }
        status @ (408 | 500..) => Ok((None, format!("Discord answers {status}"))),
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
            tracing::warn!(%failed, "Discord does not take an answer as it is");
            Told::Refused { buttons: failed.is_of_buttons(), why: failed.to_string() }
        }
        Err(failed) => {
            tracing::warn!(%failed, "an answer could not be brought");
            Told::TooLate
        }
    }
}
