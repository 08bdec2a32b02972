//! The silence clock's hand: once a minute, whoever has to know is reminded of promises that lapsed.

use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;

use crate::{
    config::Platform,
    desk::{Desk, Undone},
    signs::Sign,
};

/// How often is looked: a promise is made to the minute.
const EVERY: Duration = Duration::from_secs(60);

/// Looks until it is told to stop. While no door is open nobody could be reached, so a reminder waits for one.
pub async fn watch(desk: Desk, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let open = [Platform::Telegram, Platform::Discord].into_iter().any(|it| desk.signs().get(it) == Sign::Serving);
        if !open || desk.store().read_only().is_some() {
            continue;
        }
        let desk = desk.clone();
        match tokio::task::spawn_blocking(move || desk.remind(Utc::now())).await {
            Ok(Ok(0)) => {}
            Ok(Ok(lapsed)) => tracing::info!(lapsed, "promised updates are overdue; moderators are reminded"),
            Ok(Err(Undone(why))) => tracing::warn!(why, "nobody could be reminded of what was promised"),
            Err(error) => tracing::error!(%error, "a reminder broke"),
        }
    }
}
