//! Discord's door: everything that names serenity, and the room where interactions are answered.

mod answer;
mod form;
mod gateway;
mod health;
mod hear;
mod push;
mod rations;
mod register;
mod render;
mod returns;
mod send;
mod servers;
mod standing;
mod watch;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono_tz::Tz;
use record::{
    channel::Network,
    private::Address,
    reply::{Letter, Reply, Tone},
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch as told},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    alerts,
    config::{Platform, PlatformSettings},
    desk::{Desk, Heard},
    dispatch::Dispatch,
    post::{self, Brought},
    signs::{Sign, Words, account},
};
use answer::in_full;
use health::Health;
use hear::{Ear, Happening, Memory, What};
use send::{Failed, Token};
use servers::Servers;

pub use form::modal;
pub use push::Push;
pub use rations::Pauses as IdentifyPauses;
pub use render::{answer as pages, dress, plain, posts};
pub use send::Wire;
pub use watch::Patience;

/// How many events may wait to be answered, and how many are answered at a time: more would be too late for Discord's 3
/// seconds anyway.
const WAITING: usize = 1_000;
/// How long answers under way may take when the program stops.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// How long an alert is tried to be brought.
const ALERT_WITHIN: Duration = Duration::from_secs(60);
/// How long a letter is tried to be brought before the others go on: as long as its nonce holds.
const LETTER_WITHIN: Duration = Duration::from_secs(60);

/// What everybody behind this door works with.
struct Door {
    desk: Desk,
    dispatch: Dispatch,
    wire: Arc<Wire>,
    health: Arc<Health>,
    /// The application's id.
    app: u64,
    /// The bot's own id.
    own: u64,
    memory: Mutex<Memory>,
    servers: Mutex<Servers>,
}

/// What an interaction asks, if it asks anything; an interaction is whatever Discord, or whoever says to be it, sends.
pub fn asked(interaction: &Value) -> Option<Heard> {
    match hear::read(interaction).ok()?.1 {
        What::Asks { heard, .. } => Some(*heard),
        What::Picks { heard, picked } => Some(Heard { line: picked.line(Tz::UTC), ..*heard }),
        What::Types { .. } => None,
    }
}

/// Serves until told to stop. Whatever Discord does meanwhile is a state of this platform: a token that it refuses is
/// asked about once a minute.
pub async fn serve(settings: PlatformSettings, desk: Desk, dispatch: Dispatch, stop: told::Receiver<bool>) {
    serve_with(settings, desk, dispatch, stop, Patience::default()).await;
}

/// As [`serve`], with another patience with Discord.
pub async fn serve_with(
    settings: PlatformSettings,
    desk: Desk,
    dispatch: Dispatch,
    mut stop: told::Receiver<bool>,
    patience: Patience,
) {
    let Some(token) = settings.token else { return };
    let health = Arc::new(Health::new(desk.clone()));
    let wire = match Wire::through(settings.proxy, &settings.api_url, token, dispatch.pace(Network::Discord)) {
        Ok(wire) => Arc::new(wire),
        Err(error) => {
            tracing::error!(%error, "no client for Discord can be made");
            desk.signs().set(Platform::Discord, Sign::Stopped);
            return;
        }
    };
    let us = tokio::select! {
        us = first_contact(&wire, &health, patience) => us,
        () = stopped(&mut stop) => {
            desk.signs().set(Platform::Discord, Sign::Off);
            return;
        }
    };
    health.elsewhere(us.elsewhere);
    let push = Arc::new(Push::new(wire.clone(), us.own, desk.clone()));
    dispatch.open(Network::Discord, push.clone());
    let (memory, servers) = (Mutex::default(), Mutex::default());
    let door = Arc::new(Door { desk, dispatch, wire, health, app: us.app, own: us.own, memory, servers });
    let (events, heard) = mpsc::channel(WAITING);
    let (places, returned) = mpsc::channel(returns::WAITING);
    let mut company = JoinSet::new();
    company.spawn(register::register(door.clone()));
    company.spawn(bring_alerts(door.clone(), stop.clone()));
    company.spawn(bring_letters(door.clone(), stop.clone()));
    company.spawn(returns::tell(door.dispatch.clone(), returned));
    company.spawn(keep_token(door.clone(), push, patience));
    company.spawn(look_at_endpoint(door.clone(), patience));
    let watched = door.clone();
    company.spawn(async move { watched.health.watch(&watched.wire, patience).await });
    // The gateway and every event it hands on hold a sender; when the last is gone, so are the questions.
    let mut answering = tokio::spawn(reception(door.clone(), heard));
    let ear = Arc::new(Ear { door: door.clone(), events, places });
    watch::tend(&ear, patience, &mut stop).await;
    drop(ear);
    door.dispatch.shut(Network::Discord);
    company.shutdown().await;
    if timeout(LAST_ANSWERS, &mut answering).await.is_err() {
        answering.abort();
        tracing::debug!("answers on Discord were left when the program stopped");
    }
    door.desk.signs().set(Platform::Discord, Sign::Off);
}

/// Who we are on Discord.
struct Us {
    /// The application's id.
    app: u64,
    /// Its bot's, which old ones have of their own.
    own: u64,
    /// Whether interactions are sent to an address of the settings.
    elsewhere: bool,
}

impl Us {
    fn of(app: &Value) -> Option<Us> {
        let id = number(&app["id"]).filter(|id| *id > 0)?;
        let elsewhere = app["interactions_endpoint_url"].as_str().is_some_and(|url| !url.is_empty());
        Some(Us { app: id, own: number(&app["bot"]["id"]).unwrap_or(id), elsewhere })
    }
}

/// Asks Discord who we are, until it answers.
async fn first_contact(wire: &Wire, health: &Health, patience: Patience) -> Us {
    let mut pauses = Pauses::new(watch::RECONNECT.0, watch::RECONNECT.1);
    loop {
        let why = match wire.get("/applications/@me").await {
            Ok(app) => match Us::of(&app) {
                Some(us) => {
                    health.introduced();
                    return us;
                }
                None => "what answers is not Discord".to_owned(),
            },
            Err(failed) => {
                if matches!(failed, Failed::Refused { status: 404, .. }) {
                    // What comes of it is noted where every request is.
                    let _ = wire.confirm().await;
                }
                if wire.standing.is_refused() {
                    until_taken(wire, health, patience).await;
                    continue;
                }
                failed.to_string()
            }
        };
        let pause = pauses.longer();
        tracing::warn!(why, seconds = pause.as_secs(), "Discord cannot be reached; I try again");
        health.ring(wire);
        health.unreachable();
        sleep(pause).await;
    }
}

/// Asks again and again until Discord takes the token. Owners hear of it if that takes long, and when it is over.
async fn until_taken(wire: &Wire, health: &Health, patience: Patience) {
    tracing::warn!("Discord refuses the token; nothing is done there until it takes it again");
    health.refused(true);
    let mut told = false;
    while wire.standing.is_refused() {
        sleep(patience.token).await;
        match wire.confirm_again().await {
            Token::Taken => break,
            Token::Refused if !told => {
                health.tell_refused();
                told = true;
            }
            Token::Refused => {}
            Token::Unknown(why) => tracing::warn!(why, "whether Discord takes the token is not known; I ask again"),
        }
    }
    tracing::info!("Discord takes the token");
    health.refused(false);
    if told {
        health.tell_taken();
    }
}

/// Shuts everything while Discord refuses the token, and opens it again.
async fn keep_token(door: Arc<Door>, push: Arc<Push>, patience: Patience) {
    loop {
        door.wire.standing.until_token(true).await;
        door.dispatch.shut(Network::Discord);
        until_taken(&door.wire, &door.health, patience).await;
        door.dispatch.open(Network::Discord, push.clone());
    }
}

/// Looks now and then whether interactions are sent to an address of the settings: then none comes by the gateway.
async fn look_at_endpoint(door: Arc<Door>, patience: Patience) {
    let mut elsewhere = door.health.is_elsewhere();
    loop {
        sleep(if elsewhere { patience.endpoint.1 } else { patience.endpoint.0 }).await;
        door.wire.standing.until_token(false).await;
        match door.wire.get("/applications/@me").await.map(|app| Us::of(&app)) {
            Ok(Some(us)) => {
                elsewhere = us.elsewhere;
                door.health.elsewhere(elsewhere);
            }
            Ok(None) => tracing::debug!("what answers is not Discord"),
            Err(failed) => tracing::debug!(%failed, "where interactions go could not be looked up"),
        }
    }
}

/// A number as Discord writes it: a text of digits.
fn number(id: &Value) -> Option<u64> {
    id.as_str()?.parse().ok()
}

/// Answers events side by side; one that breaks harms no other.
async fn reception(door: Arc<Door>, mut heard: mpsc::Receiver<Happening>) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            event = heard.recv(), if answers.len() < WAITING => match event {
                Some(event) => {
                    answers.spawn(answer::answer(door.clone(), event));
                }
                None => break,
            },
            Some(ended) = answers.join_next() => noted(ended),
        }
    }
    while let Some(ended) = answers.join_next().await {
        noted(ended);
    }
}

fn noted(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "an answer on Discord broke");
    }
}

/// Brings what the owners should know to those who are here.
async fn bring_alerts(door: Arc<Door>, stop: told::Receiver<bool>) {
    let bring = |person, words: Words| {
        let door = door.clone();
        async move {
            // Nobody can be told meanwhile.
            door.wire.standing.until_token(false).await;
            let lang = door.desk.lang_for(&Address(format!("discord:{person}")), None);
            let reply = Reply::personal(Tone::Alarm, words.get(lang));
            let until = Instant::now() + ALERT_WITHIN;
            let nonce = format!("alert{:x}", chrono::Utc::now().timestamp_micros());
            let told = in_full(&reply, lang, |message, part| {
                let (door, nonce) = (door.clone(), format!("{nonce}.{part}"));
                async move { door.wire.private(person, &message, &nonce, until).await }
            });
            let told = told.await;
            if let Err(failed) = &told {
                tracing::warn!(%failed, "somebody could not be alerted on Discord; it is tried again");
            }
            told.is_ok()
        }
    };
    alerts::carry(door.desk.clone(), Platform::Discord, bring, stop).await;
}

/// Brings letters to those who are here.
async fn bring_letters(door: Arc<Door>, stop: told::Receiver<bool>) {
    let carry = |letter, of| {
        let door = door.clone();
        async move { bring(&door, letter, of).await }
    };
    // It ends when the token is refused, too.
    while !*stop.borrow() {
        door.wire.standing.until_token(false).await;
        post::carry(door.desk.clone(), Network::Discord, carry, stop.clone()).await;
    }
}

/// Brings somebody a letter: a private message, or another in the place of one. Of one commit a person gets one letter.
async fn bring(door: &Door, letter: Letter, of: u64) -> Brought {
    let Some(person) = account(&letter.to, Platform::Discord) else {
        return Brought::Refused(format!("{} is nobody on Discord", letter.to));
    };
    let lang = door.desk.lang_for(&letter.to, None);
    let until = Instant::now() + LETTER_WITHIN;
    let place = letter.place.as_ref().and_then(|(place, message)| {
        let (channel, _) = place.parts::<u64, u64>()?;
        Some((channel, message.parse::<u64>().ok()?))
    });
    let brought = in_full(&letter.reply, lang, |message, part| async move {
        match place.filter(|_| part == 0) {
            Some((channel, earlier)) => {
                door.wire.change(channel, earlier, &message, until).await.map(|()| (channel, earlier))
            }
            None => door.wire.letter(person, &message, &format!("letter{of:x}.{part}"), until).await,
        }
    });
    let brought = brought.await;
    match brought {
        Ok((channel, message)) => Brought::There(Some((Address(format!("discord:{channel}")), message))),
        Err(failed) => failed.of_letter(),
    }
}

/// Waits until the program is told to stop.
async fn stopped(stop: &mut told::Receiver<bool>) {
    // Whoever could say so is gone: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Pauses that double from a shortest to a longest.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn new(shortest: Duration, longest: Duration) -> Pauses {
        Pauses { next: shortest, longest }
    }

    fn longer(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }
}
