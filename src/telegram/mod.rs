//! The door to Telegram. Only this room names teloxide.

mod hear;
mod poll;
mod push;
mod quote;
mod register;
mod render;
mod rights;
mod send;
mod work;

use std::{sync::Arc, time::Duration};

use record::{channel::Network, lang::Text};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use crate::{
    config::{Platform, PlatformSettings, Secret},
    desk::{Desk, Heard},
    dispatch::Dispatch,
    post,
    signs::{Alert, Sign, account},
};
use hear::Matter;
use poll::{Ended, told};
use send::Outcome;
use work::Worker;

pub use hear::Me;
pub use push::Push;
pub use render::{Part, answer, inline, posts, within};
pub use send::Api;

/// What an update asks of a bot, if it asks anything; an update is whatever Telegram, or whoever says to be it, sends.
pub fn asked(update: &Value, me: &Me) -> Option<Heard> {
    match hear::matter(hear::read(update)?, me)? {
        Matter::Ask(heard, _) | Matter::Press(heard, ..) | Matter::Inline(heard, _) => Some(*heard),
        Matter::EmptyPress(_) | Matter::Event(..) | Matter::Joined(_) => None,
    }
}

const STOPPED: Text = Text {
    en: "Telegram refuses my token since just now. I have stopped there; the rest goes on. A new token needs a restart.",
    it: "Telegram ha appena iniziato a rifiutare il mio token. Lì mi sono fermato; il resto continua. Un nuovo token richiede un riavvio.",
};

/// Telegram does not take the token: one line for whoever started the program.
#[derive(Debug, thiserror::Error)]
#[error("telegram.token: Telegram refuses it; take the right one from @BotFather")]
pub struct TokenRefused;

/// Serves until told to stop. A token that is refused at the first contact is an error; one that is refused later stops
/// this door alone, and the owners behind the others are told.
pub async fn serve(
    settings: PlatformSettings,
    desk: Desk,
    dispatch: Dispatch,
    stop: watch::Receiver<bool>,
) -> Result<(), TokenRefused> {
    let Some(token) = &settings.token else { return Ok(()) };
    desk.signs().set(Platform::Telegram, Sign::Connecting);
    let api = match Api::new(token, &settings.api_url, dispatch.pace(Network::Telegram)) {
        Ok(api) => Arc::new(api),
        Err(error) => {
            tracing::error!(%error, "no client for Telegram can be made");
            desk.signs().set(Platform::Telegram, Sign::Stopped);
            return Ok(());
        }
    };
    let Some(me) = introduce(&api, &desk, stop.clone()).await? else { return Ok(()) };
    tracing::info!(bot = me.username, "connected to Telegram");
    desk.signs().set(Platform::Telegram, Sign::Serving);
    let (token_gone, _) = watch::channel(false);
    dispatch.open(Network::Telegram, Arc::new(Push::new(Arc::clone(&api), token_gone.clone())));
    let worker = Arc::new(Worker { api, me, desk: desk.clone(), dispatch: dispatch.clone(), token_gone });
    let registering = tokio::spawn(register(token.clone(), settings.api_url.clone(), owners(&desk)));
    let bell = tokio::spawn(hear_bell(Arc::clone(&worker), desk.signs().listen()));
    let letters = tokio::spawn(bring_letters(Arc::clone(&worker), stop.clone()));
    let ended = poll::poll(worker, desk.clone(), stop).await;
    dispatch.shut(Network::Telegram);
    bell.abort();
    letters.abort();
    registering.abort();
    if ended == Ended::TokenRefused {
        tracing::error!("Telegram refuses the token: this door is shut until the next start");
        desk.signs().set(Platform::Telegram, Sign::Stopped);
        desk.signs().alert(Alert::to_owners(Some(Platform::Telegram), STOPPED));
    }
    Ok(())
}

/// The first contact: who are we? Tried with growing pauses until Telegram can be reached; none if told to stop.
async fn introduce(api: &Api, desk: &Desk, mut stop: watch::Receiver<bool>) -> Result<Option<Me>, TokenRefused> {
    let mut pause = Duration::from_secs(1);
    let nothing = json!({});
    loop {
        let outcome = tokio::select! {
            () = told(&mut stop) => return Ok(None),
            outcome = api.call("getMe", &nothing, Duration::ZERO) => outcome,
        };
        let wait = match outcome {
            Outcome::Done(me) if me["id"].is_u64() => {
                let username = me["username"].as_str().unwrap_or_default().to_owned();
                return Ok(Some(Me { id: me["id"].as_u64().unwrap_or_default(), username }));
            }
            Outcome::TokenRefused => return Err(TokenRefused),
            Outcome::Later(wait) => wait,
            other => {
                tracing::warn!(cause = ?other, wait = pause.as_secs(), "Telegram cannot be reached");
                pause
            }
        };
        desk.signs().set(Platform::Telegram, Sign::Unreachable);
        tokio::select! {
            () = told(&mut stop) => return Ok(None),
            () = tokio::time::sleep(wait) => {}
        }
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}

/// Registers the commands, trying again later if it does not work.
async fn register(token: Secret, api_url: String, owners: Vec<u64>) {
    let Ok(url) = api_url.parse() else { return };
    let bot = teloxide::Bot::new(token.expose()).set_api_url(url);
    for wait in [5, 60, 600] {
        match register::register(&bot, &owners).await {
            Ok(changed) => return tracing::debug!(changed, "commands are registered with Telegram"),
            Err(error) => tracing::warn!(%error, wait, "commands could not be registered with Telegram"),
        }
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
}

/// The owners who are here.
fn owners(desk: &Desk) -> Vec<u64> {
    desk.owners().iter().filter_map(|owner| account(owner, Platform::Telegram)).collect()
}

/// Brings letters to those who are here.
async fn bring_letters(worker: Arc<Worker>, stop: watch::Receiver<bool>) {
    let bring = |letter, _| {
        let worker = Arc::clone(&worker);
        async move { worker.letter(letter).await }
    };
    post::carry(worker.desk.clone(), Network::Telegram, bring, stop).await;
}

/// Tells the owners on this platform, or somebody there, what they should know.
async fn hear_bell(worker: Arc<Worker>, mut bell: broadcast::Receiver<Alert>) {
    loop {
        match bell.recv().await {
            Ok(alert) => {
                let whom = alert.whom(Platform::Telegram, &worker.desk.owners());
                worker.tell(&whom, &alert.words).await;
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => tracing::warn!(missed, "alerts were missed"),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
