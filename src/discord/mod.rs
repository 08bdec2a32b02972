//! Discord's door: everything that names serenity, and the room where interactions are answered.

mod answer;
mod form;
mod hear;
mod push;
mod register;
mod render;
mod send;
mod servers;
mod watch;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono_tz::Tz;
use record::{
    channel::Network,
    lang::Text,
    private::Address,
    reply::{Letter, Reply, Tone},
};
use serde_json::Value;
use tokio::{
    sync::{broadcast, mpsc, watch as told},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    config::{Platform, PlatformSettings},
    desk::{Desk, Heard},
    dispatch::Dispatch,
    post::{self, Brought},
    signs::{Alert, Sign, account},
};
use answer::in_full;
use hear::{Happening, Memory, What};
use send::Failed;
use servers::Servers;
use watch::End;

pub use form::modal;
pub use push::Push;
pub use render::{answer as pages, dress, plain, posts};
pub use send::Wire;
pub use watch::Patience;

/// Why a door is shut for good: one line, never with the token in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TokenRefused(pub String);

/// How many events may wait to be answered: more would be too late for Discord's 3 seconds anyway.
const WAITING: usize = 1_000;
/// How long answers under way may take when the program stops.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// How long an alert is tried to be brought.
const ALERT_WITHIN: Duration = Duration::from_secs(600);
/// How long a letter is tried to be brought before the others go on: as long as its nonce holds.
const LETTER_WITHIN: Duration = Duration::from_secs(60);

/// What everybody behind this door works with.
struct Door {
    desk: Desk,
    dispatch: Dispatch,
    wire: Arc<Wire>,
    /// The application's id.
    app: u64,
    memory: Mutex<Memory>,
    servers: Mutex<Servers>,
}

/// What an interaction asks, if it asks anything; an interaction is whatever Discord, or whoever says to be it, sends.
pub fn asked(interaction: &Value) -> Option<Heard> {
    match hear::heard(serde_json::from_value(interaction.clone()).ok()?)?.1 {
        What::Asks { heard, .. } => Some(*heard),
        What::Picks { heard, picked } => Some(Heard { line: picked.line(Tz::UTC), ..*heard }),
        What::Types { .. } => None,
    }
}

/// Serves until told to stop. A token that Discord refuses at the first contact is an error; one that it refuses later
/// hangs up [`Sign::Stopped`], rings for the owners behind the other door, and ends this in peace.
pub async fn serve(
    settings: PlatformSettings,
    desk: Desk,
    dispatch: Dispatch,
    stop: told::Receiver<bool>,
) -> Result<(), TokenRefused> {
    serve_with(settings, desk, dispatch, stop, Patience::default()).await
}

/// As [`serve`], with another patience with shards that say nothing.
pub async fn serve_with(
    settings: PlatformSettings,
    desk: Desk,
    dispatch: Dispatch,
    mut stop: told::Receiver<bool>,
    patience: Patience,
) -> Result<(), TokenRefused> {
    let Some(token) = settings.token else { return Ok(()) };
    desk.signs().set(Platform::Discord, Sign::Connecting);
    let alerts = desk.signs().listen();
    let wire = Wire::new(&settings.api_url, token, dispatch.pace(Network::Discord))
        .map_err(|error| TokenRefused(format!("discord: no HTTP client can be made: {error}")))?;
    let (app, own) = tokio::select! {
        us = first_contact(&wire, &desk) => us?,
        () = stopped(&mut stop) => return Ok(()),
    };
    let wire = Arc::new(wire);
    dispatch.open(Network::Discord, Arc::new(Push::new(wire.clone(), own, desk.clone())));
    let door = Door { desk, dispatch, wire, app, memory: Mutex::default(), servers: Mutex::default() };
    let door = Arc::new(door);
    let (events, heard) = mpsc::channel(WAITING);
    let mut company = JoinSet::new();
    company.spawn(register::register(door.clone()));
    company.spawn(bring_alerts(door.clone(), alerts));
    company.spawn(bring_letters(door.clone(), stop.clone()));
    // The gateway and every event it hands on hold a sender; when the last is gone, so are the questions.
    let mut answering = tokio::spawn(reception(door.clone(), heard));
    let end = watch::tend(&door, events, &settings.api_url, patience, &mut stop).await;
    door.dispatch.shut(Network::Discord);
    company.shutdown().await;
    if timeout(LAST_ANSWERS, &mut answering).await.is_err() {
        answering.abort();
        tracing::debug!("answers on Discord were left when the program stopped");
    }
    close(&door, end);
    Ok(())
}

/// Hangs up the last sign, and rings where somebody must know.
fn close(door: &Door, end: End) {
    let text = match end {
        End::Told => return door.desk.signs().set(Platform::Discord, Sign::Off),
        End::Token => Text {
            en: "Discord no longer accepts my token, so I have stopped there. A new token and a restart bring me back.",
            it: "Discord non accetta più il mio token, quindi lì mi sono fermato. Servono un token nuovo e un riavvio.",
        },
        End::Shut => Text {
            en: "Discord's gateway shut me out for good, so I have stopped there. The log says why.",
            it: "Il gateway di Discord mi ha escluso, quindi lì mi sono fermato. Il registro dice perché.",
        },
    };
    tracing::error!("{}", text.en);
    door.desk.signs().set(Platform::Discord, Sign::Stopped);
    door.desk.signs().alert(Alert::to_owners(Some(Platform::Discord), text));
}

/// Asks Discord who we are, until it answers: the application's id, and its bot's, which old ones have of their own.
async fn first_contact(wire: &Wire, desk: &Desk) -> Result<(u64, u64), TokenRefused> {
    let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_secs(60));
    loop {
        let why = match wire.get("/applications/@me").await {
            Ok(app) => match number(&app["id"]) {
                Some(id) if id > 0 => return Ok((id, number(&app["bot"]["id"]).unwrap_or(id))),
                _ => "what answers is not Discord".to_owned(),
            },
            Err(Failed::Token) => {
                desk.signs().set(Platform::Discord, Sign::Stopped);
                return Err(TokenRefused(
                    "discord.token: Discord refuses it; the developer portal (Bot, Reset Token) gives a new one"
                        .to_owned(),
                ));
            }
            Err(failed) => failed.to_string(),
        };
        let pause = pauses.longer();
        tracing::warn!(why, seconds = pause.as_secs(), "Discord cannot be reached; I try again");
        desk.signs().set(Platform::Discord, Sign::Unreachable);
        sleep(pause).await;
    }
}

fn number(id: &Value) -> Option<u64> {
    id.as_str()?.parse().ok()
}

/// Answers events side by side; one that breaks harms no other.
async fn reception(door: Arc<Door>, mut heard: mpsc::Receiver<Happening>) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            event = heard.recv() => match event {
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
async fn bring_alerts(door: Arc<Door>, mut alerts: broadcast::Receiver<Alert>) {
    loop {
        let alert = match alerts.recv().await {
            Ok(alert) => alert,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "alerts were not brought to the owners on Discord");
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let manners = door.desk.manners();
        let reply = Reply::personal(Tone::Alarm, alert.words.get(manners.lang));
        let until = Instant::now() + ALERT_WITHIN;
        for person in alert.whom(Platform::Discord, &door.desk.owners()) {
            let nonce = format!("alert{:x}", chrono::Utc::now().timestamp_micros());
            let told = in_full(&reply, manners.lang, |message, part| {
                let (door, nonce) = (door.clone(), format!("{nonce}.{part}"));
                async move { door.wire.private(person, &message, &nonce, until).await }
            });
            if let Err(failed) = told.await {
                tracing::warn!(%failed, "somebody could not be alerted on Discord");
            }
        }
    }
}

/// Brings letters to those who are here.
async fn bring_letters(door: Arc<Door>, stop: told::Receiver<bool>) {
    let carry = |letter, of| {
        let door = door.clone();
        async move { bring(&door, letter, of).await }
    };
    post::carry(door.desk.clone(), Network::Discord, carry, stop).await;
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
