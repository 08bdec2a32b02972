//! The gateway's shards: as many as Discord recommends, each brought back whenever it is lost, closed in order.
//!
//! Reconnecting costs nothing and happens within seconds; only IDENTIFYs are rationed ([`super::rations`]).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{self, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    Door, Pauses,
    gateway::{self, Ended, Hears, Session, Terms, chance},
    hear::Ear,
    rations::{self, Rations},
    send::{Failed, Token},
    stopped,
};

/// What waiting for Discord goes by.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long the gateway may take to say HELLO, and READY or RESUMED.
    pub connect: Duration,
    /// How often the sign is worked out again.
    pub look: Duration,
    /// A shard may be disconnected for this long before the sign says so.
    pub outage: Duration,
    /// Discord may leave all requests unanswered for this long before the sign says so.
    pub silence: Duration,
    /// How often Discord is asked whether it takes a refused token again. Owners hear of the refusal after the first such
    /// question.
    pub token: Duration,
    /// How often Discord is asked where it sends interactions: usually, and while they go elsewhere.
    pub endpoint: (Duration, Duration),
    /// The pauses between IDENTIFYs.
    pub identify: rations::Pauses,
}

impl Default for Patience {
    fn default() -> Patience {
        let [connect, look, outage, silence, token, hour, minutes] =
            [30, 1, 10, 30, 60, 3_600, 300].map(Duration::from_secs);
        let identify = rations::Pauses::default();
        Patience { connect, look, outage, silence, token, endpoint: (hour, minutes), identify }
    }
}

/// How long closing the shards may take.
const CLOSING: Duration = Duration::from_secs(3);
/// The pauses between connections that fail: they cost nothing, and people wait.
pub const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// A session that cannot be resumed this often, though the gateway answers, is given up.
const RESUMES: u32 = 5;
/// What Discord says is left is asked again when it is older than this.
const FRESH: Duration = Duration::from_secs(30);

/// Why shards are no longer tended.
enum Lost {
    /// The program stops.
    Told,
    /// The token is refused, or something broke: all are opened again once the token is taken.
    Again,
    /// Discord will not have us back.
    Final(u16, String),
}

/// Keeps shards connected until the program stops.
pub async fn tend(ear: &Arc<Ear>, patience: Patience, stop: &mut watch::Receiver<bool>) {
    let door = &ear.door;
    let rations = Arc::new(Turns::new(patience));
    loop {
        let lost = tokio::select! {
            lost = round(ear, &rations, patience) => lost,
            () = stopped(stop) => Lost::Told,
        };
        match lost {
            Lost::Told => return,
            Lost::Again => {
                tokio::select! {
                    () = door.wire.standing.until_token(false) => {}
                    () = stopped(stop) => return,
                }
            }
            Lost::Final(code, why) => {
                door.health.shut(code, &why);
                return stopped(stop).await;
            }
        }
    }
}

/// Shards that are closed when this is dropped.
struct Shards {
    running: JoinSet<Lost>,
    closing: watch::Sender<bool>,
}

impl Drop for Shards {
    fn drop(&mut self) {
        // Those that hear of it say goodbye by themselves, but not for long.
        let _ = self.closing.send(true);
        let mut running = std::mem::take(&mut self.running);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let all = async { while running.join_next().await.is_some() {} };
                if timeout(CLOSING, all).await.is_err() {
                    tracing::debug!("Discord's shards were not closed in time");
                }
            });
        }
    }
}

/// Opens as many shards as Discord recommends, and tends them until they make no more sense.
async fn round(ear: &Arc<Ear>, turns: &Arc<Turns>, patience: Patience) -> Lost {
    let door = &ear.door;
    let mut pauses = Pauses::new(RECONNECT.0, RECONNECT.1);
    let (url, count) = loop {
        door.wire.standing.until_token(false).await;
        match turns.ask(door).await {
            Ok(known) => break known,
            Err(why) => {
                let pause = pauses.longer();
                tracing::warn!(why, seconds = pause.as_secs(), "Discord's gateway cannot be found; I try again");
                sleep(pause).await;
            }
        }
    };
    let mut shards = Shards { running: JoinSet::new(), closing: watch::Sender::new(false) };
    door.health.shards(count, patience.identify.between);
    for id in 0..count {
        let shard = Shard { ear: ear.clone(), turns: turns.clone(), url: url.clone(), id: (id, count), patience };
        shards.running.spawn(shard.tend(shards.closing.subscribe()));
    }
    tokio::select! {
        ended = shards.running.join_next() => match ended {
            Some(Ok(lost)) => lost,
            Some(Err(error)) => {
                tracing::error!(%error, "a shard broke; all are opened anew");
                sleep(RECONNECT.1).await;
                Lost::Again
            }
            None => Lost::Told,
        },
        () = door.wire.standing.until_token(true) => Lost::Again,
    }
}

/// The turns of shards to send IDENTIFY: one at a time.
struct Turns {
    rations: Mutex<Rations>,
    /// Held by the shard whose turn it is, until its IDENTIFY left.
    gate: sync::Mutex<()>,
    asked: sync::Mutex<Option<Instant>>,
}

impl Turns {
    fn new(patience: Patience) -> Turns {
        let rations = Mutex::new(Rations::new(patience.identify, Instant::now()));
        Turns { rations, gate: sync::Mutex::default(), asked: sync::Mutex::default() }
    }

    fn rations(&self) -> MutexGuard<'_, Rations> {
        self.rations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks Discord where its gateway is, how many shards it wants, and how many IDENTIFYs are left.
    async fn ask(&self, door: &Door) -> Result<(String, u32), String> {
        let mut asked = self.asked.lock().await;
        let gateway = door.wire.get("/gateway/bot").await.map_err(|failed: Failed| failed.to_string())?;
        let now = Instant::now();
        self.rations().said(&gateway["session_start_limit"], now);
        *asked = Some(now);
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        match (gateway["url"].as_str(), number(&gateway["shards"])) {
            (Some(url), Some(count @ 1..)) => Ok((url.to_owned(), count)),
            _ => Err("Discord does not say where its gateway is".to_owned()),
        }
    }

    /// Waits until a shard may send IDENTIFY; the gate is held until it did.
    async fn wait(&self, door: &Door, shard: u32) -> sync::MutexGuard<'_, ()> {
        let mut told = false;
        loop {
            let now = Instant::now();
            let at = self.rations().next(shard, now);
            if at > now {
                let wait = at - now;
                if wait > rations::Pauses::default().between && !told {
                    tracing::warn!(shard, seconds = wait.as_secs(), "sessions do not last; the next one waits");
                    told = true;
                }
                // A clock of Discord's may run out earlier than it said.
                sleep(wait.min(Duration::from_secs(600))).await;
                self.refresh(door).await;
                continue;
            }
            let gate = self.gate.lock().await;
            self.refresh(door).await;
            let now = Instant::now();
            if self.rations().next(shard, now) <= now {
                return gate;
            }
        }
    }

    /// Asks again what is left, if what is known is old. Unknown, what was known and counted holds.
    async fn refresh(&self, door: &Door) {
        let old = self.asked.lock().await.is_none_or(|at| at.elapsed() > FRESH);
        if old && let Err(why) = self.ask(door).await {
            tracing::debug!(why, "Discord does not say how many sessions are left");
        }
    }
}

/// One shard.
struct Shard {
    ear: Arc<Ear>,
    turns: Arc<Turns>,
    url: String,
    /// Which, of how many.
    id: (u32, u32),
    patience: Patience,
}

/// What a connection of a shard tells.
struct Heard<'a> {
    shard: &'a Shard,
    gate: Option<sync::MutexGuard<'a, ()>>,
    connected: bool,
}

impl Hears for Heard<'_> {
    fn identifies(&mut self) {
        self.shard.turns.rations().spend(self.shard.id.0, Instant::now());
        self.gate = None;
    }

    fn connected(&mut self) {
        self.connected = true;
        self.shard.ear.door.health.shard(self.shard.id.0, true);
    }

    fn event(&mut self, name: &str, data: Value) {
        self.shard.ear.hear(self.shard.id, name, data);
    }
}

impl Shard {
    /// Connects again and again, until that makes no more sense.
    async fn tend(self, mut closing: watch::Receiver<bool>) -> Lost {
        let (mut session, mut failures): (Option<Session>, u32) = (None, 0);
        let mut pauses = Pauses::new(RECONNECT.0, RECONNECT.1);
        loop {
            let began = session.as_ref().map(|session| session.since);
            let (ended, connected) = self.once(&mut session, failures, &mut closing).await;
            self.ear.door.health.shard(self.id.0, false);
            if connected {
                (failures, pauses) = (0, Pauses::new(RECONNECT.0, RECONNECT.1));
            } else {
                failures += u32::from(session.is_some());
            }
            let since = session.as_ref().map(|session| session.since).or(began);
            let (why, pause) = match ended {
                Ended::Told => return Lost::Told,
                Ended::Final(code, why) => return Lost::Final(code, why),
                Ended::Token => {
                    session = None;
                    if self.token_is_refused().await {
                        return Lost::Again;
                    }
                    ("the gateway refused the token, but it is valid".to_owned(), pauses.longer())
                }
                // Discord asks for a pause of one to five seconds before the next IDENTIFY.
                Ended::Invalid(why) => (why, {
                    session = None;
                    self.patience.identify.first.min(RECONNECT.0 + (RECONNECT.1 - RECONNECT.0).mul_f64(chance()))
                }),
                // A first try to resume is at once.
                Ended::Lost(why) if connected => (why, Duration::ZERO),
                Ended::Lost(why) => (why, pauses.longer()),
            };
            if failures >= RESUMES * 2 {
                (session, failures) = (None, 0);
            }
            if session.is_none() {
                let kept = since.map_or(Duration::ZERO, |since| since.elapsed());
                self.turns.rations().ended(self.id.0, kept);
            }
            tracing::info!(shard = self.id.0, why, ms = pause.as_millis(), "a shard is lost; it connects again");
            tokio::select! {
                () = sleep(pause) => {}
                () = stopped(&mut closing) => return Lost::Told,
            }
        }
    }

    /// One connection; how it ended, and whether its session was there.
    async fn once(
        &self,
        session: &mut Option<Session>,
        failures: u32,
        closing: &mut watch::Receiver<bool>,
    ) -> (Ended, bool) {
        let door = &self.ear.door;
        let gate = match session {
            Some(_) => None,
            None => tokio::select! {
                gate = self.turns.wait(door, self.id.0) => Some(gate),
                () = stopped(closing) => return (Ended::Told, false),
            },
        };
        let url = session.as_ref().map_or(self.url.as_str(), |it| it.url(&self.url, failures)).to_owned();
        let terms = Terms {
            url: &url,
            proxy: door.wire.proxy(),
            token: door.wire.token(),
            shard: self.id,
            patience: self.patience.connect,
        };
        let mut heard = Heard { shard: self, gate, connected: false };
        let ended = gateway::serve(&terms, session, &mut heard, closing).await;
        (ended, heard.connected)
    }

    /// Whether requests are refused the token, too. Until that is known no IDENTIFY may leave.
    async fn token_is_refused(&self) -> bool {
        loop {
            match self.ear.door.wire.confirm().await {
                Token::Taken => return false,
                Token::Refused => return true,
                Token::Unknown(why) => {
                    tracing::warn!(why, "whether Discord still takes the token is not known; I ask again");
                    sleep(RECONNECT.1).await;
                }
            }
        }
    }
}
