//! The door to Telegram. Only this room names teloxide.

mod hear;
mod inbox;
mod poll;
mod push;
mod queue;
mod quote;
mod reach;
mod register;
mod render;
mod rights;
mod send;
mod tray;
mod work;

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use record::{channel::Network, lang::Text};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    alerts,
    config::{Platform, PlatformSettings},
    desk::{Desk, Heard},
    dispatch::Dispatch,
    post,
    signs::{Alert, Sign, account},
};
use hear::Matter;
use inbox::{Inbox, Stored};
use poll::{Ended, Poller, told};
use send::Outcome;
use tray::Tray;
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

const REFUSED: Text = Text {
    en: "Telegram has refused my token for more than a minute. Nothing is lost: what is due there waits, and I ask again every minute. If the token was revoked, put the new one from @BotFather into the settings and restart me.",
    it: "Telegram rifiuta il mio token da più di un minuto. Non si perde nulla: quello che deve partire aspetta e io riprovo ogni minuto. Se il token è stato revocato, metti quello nuovo di @BotFather nelle impostazioni e riavviami.",
};
const TAKEN_AGAIN: Text = Text {
    en: "Telegram takes my token again; what waited is on its way.",
    it: "Telegram accetta di nuovo il mio token; quello che aspettava sta partendo.",
};
/// Everything that was begun while the token was refused has come back after this.
const SETTLED: Duration = Duration::from_millis(200);
/// The longest pause before the first contact is tried again.
const CONTACT: Duration = Duration::from_secs(5);

/// How long is waited for what may be over by itself.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often Telegram is asked whether it takes a token again that it refused.
    pub ask_again: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { ask_again: Duration::from_secs(60) }
    }
}

/// Serves until told to stop. A token that is refused, at whatever time, is a state: what is due waits, and Telegram is
/// asked again once a minute.
pub async fn serve(settings: PlatformSettings, desk: Desk, dispatch: Dispatch, stop: watch::Receiver<bool>) {
    serve_with(settings, desk, dispatch, stop, Patience::default()).await;
}

/// As [`serve`], with another patience.
pub async fn serve_with(
    settings: PlatformSettings,
    desk: Desk,
    dispatch: Dispatch,
    mut stop: watch::Receiver<bool>,
    patience: Patience,
) {
    let Some(token) = &settings.token else { return };
    desk.signs().set(Platform::Telegram, Sign::Connecting);
    let api = match Api::through(settings.proxy.as_ref(), token, &settings.api_url, dispatch.pace(Network::Telegram)) {
        Ok(api) => Arc::new(api),
        Err(error) => {
            tracing::error!(%error, "no client for Telegram can be made");
            desk.signs().set(Platform::Telegram, Sign::Stopped);
            return;
        }
    };
    let Some(me) = introduce(&api, &desk, patience, &mut stop).await else { return };
    tracing::info!(bot = me.username, "connected to Telegram");
    let (tray, waiting) = open_inbox(&desk, me.id).await;
    let worker = Arc::new(Worker { api: Arc::clone(&api), me, desk: desk.clone(), dispatch: dispatch.clone() });
    let mut poller = Poller::new(&worker, &desk, &tray, waiting);
    poller.remove_webhook().await;
    desk.signs().set(Platform::Telegram, Sign::Serving);
    let mut company = JoinSet::new();
    let registering = || register(settings.clone(), owners(&desk));
    company.spawn(registering());
    company.spawn(bring_alerts(Arc::clone(&worker), stop.clone()));
    company.spawn(bring_letters(Arc::clone(&worker), stop.clone()));
    company.spawn(poll::look_after(Arc::clone(&worker), Arc::clone(&tray)));
    loop {
        dispatch.open(Network::Telegram, Arc::new(Push::new(Arc::clone(&api))));
        match poller.poll(&mut stop).await {
            Ended::Stopped => break,
            Ended::TokenRefused => {
                dispatch.shut(Network::Telegram);
                if !taken_again(&api, &desk, patience, &mut stop).await {
                    break;
                }
                company.spawn(registering());
                // A post that comes back with the refusal after dispatch is opened would shut it again.
                tokio::time::sleep(SETTLED).await;
            }
        }
    }
    dispatch.shut(Network::Telegram);
    company.shutdown().await;
}

/// Opens the inbox, and what waits in it; without one every update is confirmed only once it is handled.
async fn open_inbox(desk: &Desk, bot: u64) -> (Arc<Tray>, Vec<Stored>) {
    let dir = desk.store().dir().to_owned();
    let opened = tokio::task::spawn_blocking(move || Inbox::open(&dir, bot, Utc::now().timestamp_millis())).await;
    match opened.map_err(std::io::Error::other).and_then(|opened| opened) {
        Ok((inbox, waiting)) => (Arc::new(Tray::new(Some(inbox))), waiting),
        Err(error) => {
            tracing::error!(%error, "Telegram's updates cannot be stored; each is confirmed once it is handled");
            (Arc::new(Tray::new(None)), Vec::new())
        }
    }
}

/// Asks Telegram once a minute whether it takes the token again; whether it does, else the program stops. Owners hear of it
/// once it has lasted for more than a minute.
async fn taken_again(api: &Api, desk: &Desk, patience: Patience, stop: &mut watch::Receiver<bool>) -> bool {
    tracing::error!("Telegram refuses the token; it is asked again once a minute");
    desk.signs().set(Platform::Telegram, Sign::TokenRefused);
    let mut alerted = false;
    loop {
        tokio::select! {
            () = told(stop) => return false,
            () = tokio::time::sleep(patience.ask_again) => {}
        }
        match api.get_me().await {
            Outcome::Done(me) if me["id"].is_u64() => break,
            Outcome::TokenRefused if !alerted => {
                desk.signs().alert(Alert::to_owners(Some(Platform::Telegram), REFUSED));
                alerted = true;
            }
            _ => {}
        }
    }
    tracing::info!("Telegram takes the token again");
    api.is_taken_again();
    desk.signs().set(Platform::Telegram, Sign::Serving);
    if alerted {
        desk.signs().alert(Alert::to_owners(None, TAKEN_AGAIN));
    }
    true
}

/// The first contact: who are we? Tried until Telegram answers; none if told to stop.
async fn introduce(api: &Api, desk: &Desk, patience: Patience, stop: &mut watch::Receiver<bool>) -> Option<Me> {
    let (mut pause, mut doubted) = (Duration::from_secs(1), false);
    loop {
        let outcome = tokio::select! {
            () = told(stop) => return None,
            outcome = api.get_me() => outcome,
        };
        let wait = match outcome {
            Outcome::Done(me) if me["id"].is_u64() => {
                let username = me["username"].as_str().unwrap_or_default().to_owned();
                return Some(Me { id: me["id"].as_u64().unwrap_or_default(), username });
            }
            // One refusal may be a moment of Telegram's: it is asked once more at once.
            Outcome::TokenRefused if !std::mem::replace(&mut doubted, true) => continue,
            Outcome::TokenRefused => {
                if !taken_again(api, desk, patience, stop).await {
                    return None;
                }
                continue;
            }
            Outcome::Later(wait) => wait,
            other => {
                tracing::warn!(cause = poll::cause(&other), wait = pause.as_secs(), "Telegram cannot be reached");
                pause
            }
        };
        desk.signs().set(Platform::Telegram, Sign::Unreachable);
        tokio::select! {
            () = told(stop) => return None,
            () = tokio::time::sleep(wait) => {}
        }
        pause = (pause * 2).min(CONTACT);
    }
}

/// How long a request that registers commands may take.
const REGISTERED_WITHIN: Duration = Duration::from_secs(17);

/// Registers the commands, trying again later if it does not work.
async fn register(settings: PlatformSettings, owners: Vec<u64>) {
    let (Some(token), Ok(url)) = (&settings.token, settings.api_url.parse()) else { return };
    let client = match send::client_within(settings.proxy.as_ref(), REGISTERED_WITHIN) {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no client to register commands with can be made"),
    };
    let bot = teloxide::Bot::with_client(token.expose(), client).set_api_url(url);
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

/// Brings the owners on this platform, or somebody there, what they should know.
async fn bring_alerts(worker: Arc<Worker>, stop: watch::Receiver<bool>) {
    let bring = |person, words| {
        let worker = Arc::clone(&worker);
        async move { worker.alert(person, &words).await }
    };
    alerts::carry(worker.desk.clone(), Platform::Telegram, bring, stop).await;
}
