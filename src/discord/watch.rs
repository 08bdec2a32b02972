//! The gateway's shards: opened as Discord recommends, watched, rebuilt when they fall silent, closed in order.
//!
//! serenity restarts most broken shards itself, but it can lose one without a word, and after a close frame without a
//! code its runner spins without yielding. So each client has a runtime of its own: what spins there harms nobody else,
//! and dropping the runtime ends whatever is left of the client.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use serenity::{
    all::{GatewayIntents, ShardId},
    client::ClientBuilder,
    gateway::{ConnectionStage, GatewayError, ShardManager},
    http::HttpBuilder,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot, watch},
    time::{Instant, interval, sleep, timeout},
};

use super::{
    Door, Pauses,
    hear::{Ear, Happening},
    send::{Failed, client},
    stopped,
};
use crate::{config::Platform, signs::Sign};

/// How long shards may say nothing before the client is rebuilt.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a shard may take to connect, or to come back.
    pub connect: Duration,
    /// How long a connected shard's heartbeat may go unanswered: three times Discord's usual interval of 41 s.
    pub heartbeat: Duration,
    /// How often the shards are looked at.
    pub look: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let [connect, heartbeat, look] = [60, 125, 1].map(Duration::from_secs);
        Patience { connect, heartbeat, look }
    }
}

/// Between two shards' first connections: serenity's pace, and Discord's for most bots.
const BETWEEN_SHARDS: Duration = Duration::from_secs(5);
/// After this long without any connected shard the sign at the door says so.
const OUTAGE: Duration = Duration::from_secs(10);
/// How long closing the shards may take.
const CLOSING: Duration = Duration::from_secs(3);
/// How long serenity may take to build its client.
const BUILDING: Duration = Duration::from_secs(30);
/// The pauses between clients. Discord allows 1,000 identifies a day, so the longest is long.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));
/// The longest wait for new identifies before Discord is asked again how many are left.
const IDENTIFIES: Duration = Duration::from_secs(3_600);

/// Why the gateway is no longer tended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The program stops.
    Told,
    /// The token is refused.
    Token,
    /// Discord will not have us back (close codes 4013 and 4014).
    Shut,
}

/// What became of a client.
enum Lost {
    /// It is over.
    For(End),
    /// It may go better the next time.
    Now(String),
}

/// Keeps shards connected until that makes no more sense.
pub async fn tend(
    door: &Arc<Door>,
    events: mpsc::Sender<Happening>,
    api_url: &str,
    patience: Patience,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let mut pauses = Pauses::new(PAUSES.0, PAUSES.1);
    loop {
        let since = Instant::now();
        let lost = tokio::select! {
            shards = Shards::open(door, events.clone(), api_url) => match shards {
                Ok(shards) => shards.tend(door, patience, stop).await,
                Err(lost) => lost,
            },
            () = stopped(stop) => Lost::For(End::Told),
        };
        let why = match lost {
            Lost::For(end) => return end,
            Lost::Now(why) => why,
        };
        if since.elapsed() > patience.connect * 2 {
            pauses = Pauses::new(PAUSES.0, PAUSES.1);
        }
        let pause = pauses.longer();
        tracing::warn!(why, seconds = pause.as_secs(), "Discord's gateway is lost; I connect anew");
        door.desk.signs().set(Platform::Discord, Sign::Unreachable);
        tokio::select! {
            () = sleep(pause) => {}
            () = stopped(stop) => return End::Told,
        }
    }
}

/// A runtime that can be dropped anywhere, with everything that still runs in it.
struct Apart(Option<Runtime>);

impl Drop for Apart {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// serenity's client, with its shards.
struct Shards {
    manager: Arc<ShardManager>,
    ended: oneshot::Receiver<serenity::Result<()>>,
    count: u32,
    /// Declared last: what lives in it is gone when the rest is.
    _apart: Apart,
}

impl Shards {
    /// Starts as many shards as Discord recommends.
    async fn open(door: &Arc<Door>, events: mpsc::Sender<Happening>, api_url: &str) -> Result<Shards, Lost> {
        let (url, count) = recommended(door).await?;
        // serenity asks where the gateway is, too: that counts like anything else.
        let _turn = door.wire.turn().await;
        let broken = |error: &dyn std::fmt::Display| Lost::Now(format!("no client can be built: {error}"));
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("discord").enable_all().build();
        let apart = Apart(Some(runtime.map_err(|error| broken(&error))?));
        // Its connections live in the client's runtime, so it shares no HTTP client with us.
        let http = HttpBuilder::new(door.wire.token().expose())
            .client(client().map_err(|error| broken(&error))?)
            .proxy(api_url)
            .ratelimiter_disabled(true)
            .build();
        let builder = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
            .event_handler(Ear { door: door.clone(), events });
        let (hand_over, manager) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let life = async move {
            let mut client = match builder.await {
                Ok(client) => client,
                Err(error) => return end.send(Err(error)),
            };
            // Where `GET /gateway` fails, serenity falls back to the real Discord.
            *client.ws_url.lock().await = url;
            // Nobody waits for it any more only if the program stops.
            let _ = hand_over.send(client.shard_manager.clone());
            end.send(client.start_shards(count).await)
        };
        if let Some(runtime) = &apart.0 {
            runtime.spawn(life);
        }
        match timeout(BUILDING, manager).await {
            Ok(Ok(manager)) => Ok(Shards { manager, ended, count, _apart: apart }),
            _ => Err(Lost::Now("no client was built in time".to_owned())),
        }
    }

    /// Watches them until they are lost, or closes them when the program stops.
    async fn tend(mut self, door: &Arc<Door>, patience: Patience, stop: &mut watch::Receiver<bool>) -> Lost {
        let manager = self.manager.clone();
        let refused = door.wire.refused.clone();
        tokio::select! {
            lost = self.watched(door, patience) => lost,
            () = refused.notified() => Lost::For(End::Token),
            () = stopped(stop) => {
                if timeout(CLOSING, manager.shutdown_all()).await.is_err() {
                    tracing::debug!("Discord's shards were not closed in time");
                }
                Lost::For(End::Told)
            }
        }
    }

    async fn watched(&mut self, door: &Arc<Door>, patience: Patience) -> Lost {
        let now = Instant::now();
        let mut pulses: Vec<Pulse> = (0..self.count).map(|id| Pulse::new(now + BETWEEN_SHARDS * id)).collect();
        let mut looks = interval(patience.look);
        let mut served = now;
        loop {
            tokio::select! {
                end = &mut self.ended => return ended(end),
                _ = looks.tick() => {}
            }
            let now = Instant::now();
            let runners = self.manager.runners.lock().await;
            for (id, pulse) in (0..).zip(&mut pulses) {
                let runner = runners.get(&ShardId(id));
                let connected = runner.is_some_and(|runner| runner.stage == ConnectionStage::Connected);
                pulse.feel(connected, runner.and_then(|runner| runner.latency), now);
                if pulse.is_dead(patience, now) {
                    return Lost::Now(format!("shard {id} of {} has said nothing for too long", self.count));
                }
            }
            drop(runners);
            if pulses.iter().any(|pulse| pulse.connected) {
                served = now;
                door.desk.signs().set(Platform::Discord, Sign::Serving);
            } else if now.saturating_duration_since(served) > OUTAGE {
                door.desk.signs().set(Platform::Discord, Sign::Unreachable);
            }
        }
    }
}

/// A shard's signs of life.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    connected: bool,
    /// How long the last heartbeat's answer took: to the nanosecond, so each answer changes it.
    latency: Option<Duration>,
    since: Instant,
}

impl Pulse {
    fn new(since: Instant) -> Pulse {
        Pulse { connected: false, latency: None, since }
    }

    fn feel(&mut self, connected: bool, latency: Option<Duration>, now: Instant) {
        let answered = connected && latency.is_some() && latency != self.latency;
        if answered || connected != self.connected {
            self.since = self.since.max(now);
        }
        (self.connected, self.latency) = (connected, latency);
    }

    fn is_dead(&self, patience: Patience, now: Instant) -> bool {
        let limit = if self.connected { patience.heartbeat } else { patience.connect };
        now.saturating_duration_since(self.since) > limit
    }
}

/// Where the gateway is, and how many shards Discord wants.
async fn recommended(door: &Arc<Door>) -> Result<(String, u32), Lost> {
    let gateway = match door.wire.get("/gateway/bot").await {
        Ok(gateway) => gateway,
        Err(Failed::Token) => return Err(Lost::For(End::Token)),
        Err(failed) => return Err(Lost::Now(failed.to_string())),
    };
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let (Some(url), Some(count @ 1..)) = (gateway["url"].as_str(), number(&gateway["shards"])) else {
        return Err(Lost::Now("Discord does not say where its gateway is".to_owned()));
    };
    let limit = &gateway["session_start_limit"];
    if let Some(left) = number(&limit["remaining"]).filter(|left| *left < count) {
        let wait = Duration::from_millis(limit["reset_after"].as_u64().unwrap_or(0)).min(IDENTIFIES);
        tracing::error!(left, seconds = wait.as_secs(), "Discord allows no more connections today; I wait");
        sleep(wait).await;
        return Err(Lost::Now("no connections were left".to_owned()));
    }
    Ok((url.trim_end_matches('/').to_owned(), count))
}

/// What serenity's end means.
fn ended(end: Result<serenity::Result<()>, oneshot::error::RecvError>) -> Lost {
    match end {
        Ok(Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication))) => Lost::For(End::Token),
        Ok(Err(serenity::Error::Gateway(
            error @ (GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents),
        ))) => {
            tracing::error!(%error, "Discord's gateway shut us out");
            Lost::For(End::Shut)
        }
        Ok(Err(error)) => Lost::Now(format!("serenity ended: {error}")),
        Ok(Ok(())) => Lost::Now("serenity ended".to_owned()),
        Err(_) => Lost::Now("serenity broke".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_dead_when_its_heartbeats_go_unanswered_or_it_stays_away() {
        let patience = Patience::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::new(start);
        assert!(!pulse.is_dead(patience, at(60)) && pulse.is_dead(patience, at(61)));
        pulse.feel(true, None, at(5));
        assert!(!pulse.is_dead(patience, at(120)));
        pulse.feel(true, Some(Duration::from_millis(40)), at(46));
        pulse.feel(true, Some(Duration::from_millis(40)), at(100));
        assert!(!pulse.is_dead(patience, at(171)) && pulse.is_dead(patience, at(172)));
        pulse.feel(false, None, at(172));
        assert!(!pulse.is_dead(patience, at(230)) && pulse.is_dead(patience, at(233)));
    }
}
