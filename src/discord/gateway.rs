//! One connection to Discord's gateway (version 10): HELLO, IDENTIFY or RESUME, heartbeats, events, and how it ends.
//!
//! serenity's own runner hides close codes, sends IDENTIFY without asking, and drops what it cannot parse; so the
//! protocol is spoken here, over serenity's types.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use serenity::all::GatewayIntents;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use url::Url;

use super::stopped;
use crate::{
    config::{Proxy, Secret},
    transport::{self, Stream, cause},
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long saying something may take, and the other side's goodbye.
const SAYING: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_secs(1);
/// The largest event that is taken, in bytes: a server with all its channels has a few millions.
const EVENT: usize = 32 << 20;
/// What is taken for a heartbeat's interval: Discord's is about 41 s.
const BEATS: (u64, u64) = (100, 600_000);
/// Close codes of ours: 1000 ends the session, 4900 keeps it, so that it can be resumed.
const GOOD: u16 = 1000;
const FOR_A_WHILE: u16 = 4900;

/// A session, which a later connection can go on with.
#[derive(Clone, Debug)]
pub struct Session {
    id: String,
    /// Where Discord wants it resumed.
    url: Option<String>,
    seq: u64,
    /// When it began.
    pub since: Instant,
}

impl Session {
    /// Where it is to be resumed: where Discord said, or, when that did not work, where every session begins.
    pub fn url<'a>(&'a self, base: &'a str, failures: u32) -> &'a str {
        self.url.as_deref().filter(|_| failures.is_multiple_of(2)).unwrap_or(base)
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its session can be resumed, if there is one.
    Lost(String),
    /// Its session is over.
    Invalid(String),
    /// The token is refused (close code 4004).
    Token,
    /// Discord will not have us back as we are (close codes 4010 to 4014).
    Final(u16, String),
    /// We were told to close it.
    Told,
}

/// What a connection goes by.
pub struct Terms<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// Through which proxy, if there is one.
    pub proxy: Option<&'a Proxy>,
    /// What we identify with.
    pub token: &'a Secret,
    /// Which shard, of how many.
    pub shard: (u32, u32),
    /// How long Discord may take to say HELLO, and READY or RESUMED.
    pub patience: Duration,
}

/// Who is told what happens on a connection.
pub trait Hears: Send {
    /// IDENTIFY leaves now.
    fn identifies(&mut self);
    /// The session is there, or there again.
    fn connected(&mut self);
    /// An event.
    fn event(&mut self, name: &str, data: Value);
}

type Socket = WebSocketStream<Box<dyn Stream>>;

/// A connection that is being served.
struct Line<'a, H> {
    socket: Socket,
    terms: &'a Terms<'a>,
    session: &'a mut Option<Session>,
    hears: &'a mut H,
    /// When the next heartbeat is due, and how often one is; none before HELLO.
    beat: Option<(Instant, Duration)>,
    acknowledged: bool,
    /// When Discord must have said what is waited for.
    waits: Option<Instant>,
}

/// Connects, goes on with the session or begins one, and serves it until it ends.
pub async fn serve(
    terms: &Terms<'_>,
    session: &mut Option<Session>,
    hears: &mut impl Hears,
    closing: &mut watch::Receiver<bool>,
) -> Ended {
    let config = WebSocketConfig { max_message_size: Some(EVENT), max_frame_size: Some(EVENT), ..Default::default() };
    let Some(url) = address(terms.url) else { return Ended::Lost("the gateway's address is none".to_owned()) };
    let connecting = async {
        let stream = transport::open(&url, terms.proxy).await.map_err(|error| cause(&error))?;
        client_async_with_config(url.as_str(), stream, Some(config)).await.map_err(|error| cause(&error))
    };
    let socket = tokio::select! {
        connected = timeout(CONNECT, connecting) => match connected {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(why)) => return Ended::Lost(why),
            Err(_) => return Ended::Lost("no connection was made in time".to_owned()),
        },
        () = stopped(closing) => return Ended::Told,
    };
    let waits = Some(Instant::now() + terms.patience);
    let mut line = Line { socket, terms, session, hears, beat: None, acknowledged: true, waits };
    let ended = tokio::select! {
        ended = line.run() => ended,
        () = stopped(closing) => Ended::Told,
    };
    // A session that is over, or that we leave, is not kept by Discord either.
    line.close(if ended == Ended::Told { GOOD } else { FOR_A_WHILE }).await;
    ended
}

/// The address with the protocol's version.
fn address(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(Some("v=10&encoding=json"));
    Some(url)
}

impl<H: Hears> Line<'_, H> {
    async fn run(&mut self) -> Ended {
        loop {
            let never = Instant::now() + Duration::from_secs(3_600);
            let (beat, waits) = (self.beat.map_or(never, |(at, _)| at), self.waits.unwrap_or(never));
            let frame = tokio::select! {
                frame = self.socket.next() => frame,
                () = sleep_until(beat) => match self.beats().await {
                    Ok(()) => continue,
                    Err(ended) => return ended,
                },
                () = sleep_until(waits), if self.waits.is_some() => {
                    return Ended::Lost("Discord's gateway said nothing in time".to_owned());
                }
            };
            let heard = match frame {
                Some(Ok(Message::Text(text))) => self.heard(&text).await,
                Some(Ok(Message::Close(frame))) => return closed(frame.as_ref()),
                Some(Ok(_)) => Ok(()),
                Some(Err(error)) => return Ended::Lost(cause(&error)),
                None => return Ended::Lost("the connection ended".to_owned()),
            };
            if let Err(ended) = heard {
                return ended;
            }
        }
    }

    /// The next heartbeat; one that was not acknowledged means that nobody is there any more.
    async fn beats(&mut self) -> Result<(), Ended> {
        let Some((at, every)) = self.beat else { return Ok(()) };
        if !std::mem::take(&mut self.acknowledged) {
            return Err(Ended::Lost("a heartbeat was not acknowledged".to_owned()));
        }
        self.beat = Some((at.max(Instant::now()) + every, every));
        self.say(json!({ "op": 1, "d": self.session.as_ref().map(|session| session.seq) })).await
    }

    async fn heard(&mut self, text: &str) -> Result<(), Ended> {
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
            tracing::warn!(bytes = text.len(), "something of Discord's gateway cannot be read");
            return Ok(());
        };
        match frame["op"].as_u64() {
            Some(0) => self.event(&mut frame),
            Some(1) => self.say(json!({ "op": 1, "d": self.session.as_ref().map(|session| session.seq) })).await?,
            Some(7) => return Err(Ended::Lost("Discord wants us to reconnect".to_owned())),
            Some(9) if frame["d"] == true => return Err(Ended::Lost("the session is to be resumed".to_owned())),
            Some(9) => return Err(Ended::Invalid("the session is not valid any more".to_owned())),
            // A second HELLO begins nothing anew: an IDENTIFY leaves only as `rations.rs` says.
            Some(10) if self.beat.is_some() => {}
            Some(10) => {
                let every = frame["d"]["heartbeat_interval"].as_u64().unwrap_or(41_250).clamp(BEATS.0, BEATS.1);
                let every = Duration::from_millis(every);
                // The first comes at some moment of the interval, so that not all come at once after an outage.
                self.beat = Some((Instant::now() + every.mul_f64(chance()), every));
                self.begin().await?;
            }
            Some(11) => self.acknowledged = true,
            _ => {}
        }
        Ok(())
    }

    /// Goes on with the session, or begins one.
    async fn begin(&mut self) -> Result<(), Ended> {
        let token = self.terms.token.expose();
        self.waits = Some(Instant::now() + self.terms.patience);
        if let Some(session) = self.session.as_ref() {
            let resume = json!({ "token": token, "session_id": session.id, "seq": session.seq });
            return self.say(json!({ "op": 6, "d": resume })).await;
        }
        let (shard, of) = self.terms.shard;
        let identify = json!({
            "token": token,
            "intents": GatewayIntents::GUILDS.bits(),
            "shard": [shard, of],
            "compress": false,
            "large_threshold": 50,
            "properties": { "os": std::env::consts::OS, "browser": "strillone", "device": "strillone" },
        });
        // It counts even where sending it fails half-way.
        self.hears.identifies();
        self.say(json!({ "op": 2, "d": identify })).await
    }

    fn event(&mut self, frame: &mut Value) {
        let data = frame["d"].take();
        let name = frame["t"].as_str().unwrap_or_default();
        if name == "READY" {
            let word = |name: &str| data[name].as_str().map(str::to_owned);
            let id = word("session_id").unwrap_or_default();
            *self.session = Some(Session { id, url: word("resume_gateway_url"), seq: 0, since: Instant::now() });
        }
        if let (Some(session), Some(seq)) = (self.session.as_mut(), frame["s"].as_u64()) {
            session.seq = seq;
        }
        if matches!(name, "READY" | "RESUMED") {
            self.waits = None;
            self.hears.connected();
        }
        self.hears.event(name, data);
    }

    async fn say(&mut self, frame: Value) -> Result<(), Ended> {
        match timeout(SAYING, self.socket.send(Message::Text(frame.to_string()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ended::Lost(cause(&error))),
            Err(_) => Err(Ended::Lost("the connection takes nothing".to_owned())),
        }
    }

    /// Says goodbye, and waits a moment for the other side's.
    async fn close(&mut self, code: u16) {
        let goodbye = async {
            let frame = CloseFrame { code: code.into(), reason: "".into() };
            if self.socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // Nobody may be there any more.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// What a close frame of Discord's means.
fn closed(frame: Option<&CloseFrame<'_>>) -> Ended {
    let Some(frame) = frame else { return Ended::Lost("the connection was closed".to_owned()) };
    let code = u16::from(frame.code);
    let said: String = frame.reason.chars().take(100).collect();
    let why = format!("closed with {code} {said}").trim_end().to_owned();
    match code {
        4004 => Ended::Token,
        4010..=4014 => Ended::Final(code, reason(code).to_owned()),
        // Not authenticated, no such session, a wrong sequence number, timed out.
        4003 | 4006 | 4007 | 4009 => Ended::Invalid(why),
        _ => Ended::Lost(why),
    }
}

/// What Discord means by a close code after which nobody may come back.
fn reason(code: u16) -> &'static str {
    match code {
        4010 => "invalid shard",
        4011 => "sharding required",
        4012 => "invalid API version",
        4013 => "invalid intents",
        _ => "disallowed intents",
    }
}

/// A part of one that is hardly the same twice.
pub fn chance() -> f64 {
    f64::from(chrono::Utc::now().timestamp_subsec_micros() % 1_000) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_has_its_meaning() {
        let with = |code: u16| closed(Some(&CloseFrame { code: code.into(), reason: "".into() }));
        assert_eq!(with(4004), Ended::Token);
        for code in 4010..=4014 {
            assert!(matches!(with(code), Ended::Final(it, _) if it == code), "{code}");
        }
        for code in [4003, 4006, 4007, 4009] {
            assert!(matches!(with(code), Ended::Invalid(_)), "{code}");
        }
        for code in [1000, 1001, 1011, 4000, 4001, 4002, 4005, 4008] {
            assert!(matches!(with(code), Ended::Lost(_)), "{code}");
        }
        assert!(matches!(closed(None), Ended::Lost(_)));
    }

    #[test]
    fn the_version_is_part_of_the_address() {
        let asked = [
            ("wss://gateway.chat.example", "wss://gateway.chat.example/?v=10&encoding=json"),
            ("ws://127.0.0.1:5/", "ws://127.0.0.1:5/?v=10&encoding=json"),
        ];
        for (url, whole) in asked {
            assert_eq!(address(url).as_ref().map(Url::as_str), Some(whole));
        }
        assert_eq!(address("nothing"), None);
    }
}
