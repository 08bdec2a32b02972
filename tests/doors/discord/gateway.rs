//! Discord's gateway: sessions, what is pushed to them, and how connections end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, UnboundedSender},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{Discord, Id, World, id_of, number, word};

/// Every intent there is; the three this application was not granted; the one events about guilds need.
const INTENTS: u64 = (1 << 26) - 1;
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;
const GUILDS: u64 = 1;

#[derive(Default)]
pub(super) struct Gateway {
    pub url: String,
    pub identifies: usize,
    /// Those since the last reset, and when that was.
    counted: (usize, Option<Instant>),
    pub resumes: usize,
    sessions: BTreeMap<String, Session>,
    lines: Vec<Line>,
}

type Line = UnboundedSender<Order>;

/// What a connection is told to do.
#[derive(Clone)]
enum Order {
    Say(Value),
    Close(u16),
    Drop,
    Deafen,
}

struct Session {
    shard: (u64, u64),
    intents: u64,
    log: Vec<Value>,
    line: Line,
}

impl Discord {
    /// Waits until somebody has identified or resumed and is being told events.
    pub async fn connected(&self, within: Duration) {
        self.until(within, "connection", |discord| discord.look(|world| world.gateway.is_heard()).then_some(())).await;
    }

    /// How often somebody identified.
    pub fn identifies(&self) -> usize {
        self.look(|world| world.gateway.identifies)
    }

    /// How often somebody resumed.
    pub fn resumes(&self) -> usize {
        self.look(|world| world.gateway.resumes)
    }

    /// Pushes any event; one about a guild goes to its shard.
    pub fn event(&self, name: &str, data: Value) {
        self.with(|world| world.push(name, data));
    }

    /// Ends every connection without a word, as a broken cable does.
    pub fn drop_connection(&self) {
        self.order(Order::Drop);
    }

    /// Closes every connection with this code.
    pub fn close(&self, code: u16) {
        self.order(Order::Close(code));
    }

    /// Asks every connection to reconnect and resume (op 7).
    pub fn reconnect(&self) {
        self.order(Order::Say(json!({ "op": 7, "d": null })));
    }

    /// Every open connection goes silent: no acks, no events, no end.
    pub fn stop_acks(&self) {
        self.order(Order::Deafen);
    }

    /// Forgets all sessions: says so to the open ones (op 9), and no resume succeeds.
    pub fn invalid_session(&self) {
        self.with(|world| world.gateway.sessions.clear());
        self.order(Order::Say(json!({ "op": 9, "d": false })));
    }

    /// The token is changed: the old one is refused everywhere from now on.
    pub fn revoke_token(&self) {
        self.with(|world| world.token.push('2'));
        self.order(Order::Close(4004));
    }

    /// Counts those that identify from nothing again.
    pub fn forgets_identifies(&self) {
        self.with(|world| world.gateway.identifies = 0);
    }

    /// The token that was refused is taken again.
    pub fn takes_token_again(&self) {
        self.with(|world| world.token.truncate(world.token.len() - 1));
    }

    fn order(&self, order: Order) {
        self.with(|world| world.gateway.lines.retain(|line| line.send(order.clone()).is_ok()));
    }
}

impl Gateway {
    pub(super) fn at(url: String) -> Gateway {
        Gateway { url, ..Gateway::default() }
    }

    /// A client that says goodbye itself (1000, 1001) ends its session too.
    fn hung_up(&mut self, line: &Line, code: u16) {
        if matches!(code, 1000 | 1001) {
            self.sessions.retain(|_, session| !session.line.same_channel(line));
        }
    }

    fn is_heard(&self) -> bool {
        self.sessions.values().any(|session| !session.line.is_closed())
    }
}

impl Session {
    fn tell(&mut self, name: &str, data: &Value) {
        let event = json!({ "op": 0, "t": name, "s": self.log.len() + 1, "d": data });
        self.log.push(event.clone());
        let _ = self.line.send(Order::Say(event)); // a closed line gets it when it resumes
    }

    fn wants(&self, name: &str, guild: Id) -> bool {
        let about_guilds = ["GUILD_", "CHANNEL_", "THREAD_"].iter().any(|start| name.starts_with(start));
        let (shard, of) = self.shard;
        (!about_guilds || self.intents & GUILDS != 0) && (guild >> 22) % of == shard
    }
}

impl World {
    /// Tells an event to every session that wants it.
    pub(super) fn push(&mut self, name: &str, data: Value) {
        let own = data.get("id").filter(|_| name.starts_with("GUILD_"));
        let guild = data.get("guild_id").or(own).map_or(0, id_of);
        for session in self.gateway.sessions.values_mut().filter(|session| session.wants(name, guild)) {
            session.tell(name, &data);
        }
    }

    /// What a client's frame leads to; `session` is whether it has identified or resumed.
    fn frame(&mut self, text: &str, line: &Line, session: &mut bool) -> Order {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        match frame["op"].as_u64() {
            _ if text.len() > 4096 => Order::Close(4002),
            Some(1) => Order::Say(json!({ "op": 11 })),
            Some(2 | 6) if *session => Order::Close(4005),
            Some(2) => self.identify(&frame["d"], line, session),
            Some(6) => self.resume(&frame["d"], line, session),
            Some(3 | 4 | 8) if *session => Order::Say(Value::Null),
            Some(3 | 4 | 8) => Order::Close(4003),
            Some(_) => Order::Close(4001),
            None => Order::Close(4002),
        }
    }

    /// How many times somebody may still identify, and in how long there are all of them again.
    pub(super) fn identifies_left(&mut self) -> (usize, Duration) {
        let every = self.rules.identifies_reset;
        let since = self.gateway.counted.1.filter(|since| since.elapsed() < every);
        let since = since.unwrap_or_else(|| {
            let now = Instant::now();
            self.gateway.counted = (0, Some(now));
            now
        });
        let left = self.rules.identifies.saturating_sub(self.gateway.counted.0);
        (left, every.saturating_sub(since.elapsed()))
    }

    /// With or without "Bot " before it, as Discord takes both here.
    fn knows(&self, token: &Value) -> bool {
        word(token).trim_start_matches("Bot ") == self.token
    }

    fn identify(&mut self, asked: &Value, line: &Line, session: &mut bool) -> Order {
        self.gateway.identifies += 1;
        let left = self.identifies_left().0;
        self.gateway.counted.0 += 1;
        if left == 0 {
            // Who identifies too often has the token reset.
            self.token.push('2');
        }
        let shard = asked.get("shard").map_or((0, 1), |shard| (number(&shard[0]), number(&shard[1])));
        let intents = asked["intents"].as_u64();
        match intents {
            _ if !self.knows(&asked["token"]) => return Order::Close(4004),
            _ if shard.0 >= shard.1 => return Order::Close(4010),
            None => return Order::Close(4013),
            Some(bits) if bits & !INTENTS != 0 => return Order::Close(4013),
            Some(bits) if bits & PRIVILEGED != 0 => return Order::Close(4014),
            _ if !asked["properties"].is_object() => return Order::Close(4002),
            _ if !self.rules.sessions => return Order::Say(json!({ "op": 9, "d": false })),
            _ => *session = true,
        }
        let id = format!("session{}", self.id());
        let mut session = Session { shard, intents: intents.unwrap_or(0), log: vec![], line: line.clone() };
        let mine = |id: &Id| (id >> 22) % shard.1 == shard.0;
        let here: Vec<_> = self.guilds.iter().filter(|(id, guild)| guild.here && mine(id)).map(|(id, _)| *id).collect();
        let guilds: Vec<_> = here.iter().map(|id| json!({ "id": id.to_string(), "unavailable": true })).collect();
        let ready = json!({ "v": 10, "user": self.users[&self.app].json, "guilds": guilds, "session_id": id,
            "session_type": "normal", "resume_gateway_url": self.gateway.url, "shard": [shard.0, shard.1],
            "application": { "id": self.app.to_string(), "flags": 0 }, "private_channels": [], "relationships": [] });
        session.tell("READY", &ready);
        for guild in if session.intents & GUILDS != 0 { here } else { vec![] } {
            session.tell("GUILD_CREATE", &self.guild_event(guild));
        }
        self.gateway.sessions.insert(id, session);
        Order::Say(Value::Null)
    }

    fn resume(&mut self, asked: &Value, line: &Line, resumed: &mut bool) -> Order {
        let known = self.knows(&asked["token"]);
        let Some(session) = self.gateway.sessions.get_mut(&word(&asked["session_id"])) else {
            return Order::Say(json!({ "op": 9, "d": false }));
        };
        let seen = number(&asked["seq"]) as usize;
        if !known || seen > session.log.len() {
            return Order::Close(if known { 4007 } else { 4004 });
        }
        self.gateway.resumes += 1;
        (session.line, *resumed) = (line.clone(), true);
        for missed in &session.log[seen..] {
            let _ = line.send(Order::Say(missed.clone()));
        }
        session.tell("RESUMED", &json!({}));
        Order::Say(Value::Null)
    }
}

/// Takes connections while the gateway is up.
pub(super) async fn listen(discord: Discord, door: TcpListener) {
    while let Ok((stream, _)) = door.accept().await {
        if discord.look(|world| world.rules.gateway_up) {
            tokio::spawn(talk(discord.clone(), stream));
        }
    }
}

/// One connection, from HELLO to its end.
async fn talk(discord: Discord, stream: TcpStream) -> Option<()> {
    let mut socket = accept_async(stream).await.ok()?;
    let (line, mut orders) = mpsc::unbounded_channel();
    let beat = discord.look(|world| world.rules.heartbeat.as_millis() as u64);
    discord.with(|world| world.gateway.lines.push(line.clone()));
    say(&mut socket, json!({ "op": 10, "d": { "heartbeat_interval": beat } })).await?;
    let (mut identified, mut deaf) = (false, false);
    loop {
        let order = tokio::select! {
            order = orders.recv() => order?,
            frame = socket.next() => match frame?.ok()? {
                Message::Text(_) if deaf => continue,
                Message::Text(text) => discord.with(|world| world.frame(&text, &line, &mut identified)),
                Message::Close(frame) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    discord.with(|world| world.gateway.hung_up(&line, code));
                    return None;
                }
                _ => continue,
            },
        };
        match order {
            Order::Drop => return None,
            Order::Deafen => deaf = true,
            Order::Close(code) => {
                let frame = CloseFrame { code: code.into(), reason: "".into() };
                return socket.close(Some(frame)).await.ok();
            }
            Order::Say(frame) if !deaf && !frame.is_null() => {
                identified &= frame["op"] != 9; // it may identify again on the same connection
                say(&mut socket, frame).await?;
            }
            Order::Say(_) => {}
        }
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, frame: Value) -> Option<()> {
    socket.send(Message::Text(frame.to_string())).await.ok()
}
