//! The doors, with the real clients on one end and platforms of our own on the other.

mod day;
pub mod discord;
mod discord_moments;
mod forms;
mod keeping;
pub mod news;
mod on_discord;
mod on_telegram;
mod program;
mod proxy;
mod pushes;
mod same;
pub mod telegram;
mod telegram_kept;
mod telegram_moments;
mod whole;

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono_tz::Tz;
use strillone::{
    config::{self, PlatformSettings, Settings},
    dispatch::{
        Dispatch, Running, Setup,
        office::{Rules, Unsure},
        pace::{Clock, Limits, Pace},
    },
};

use crate::town::Town;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Limits that no test is slow by.
pub fn wide() -> Limits {
    Limits { per_second: 1_000, private: None, group: None, invalid: usize::MAX }
}

/// A pace that nobody feels.
pub fn pace() -> Arc<Pace> {
    Arc::new(Pace::new(wide(), Clock::start()))
}

/// The office of dispatch in a town, for all its doors; closed when it is dropped.
pub struct Post {
    pub dispatch: Dispatch,
    running: Option<Running>,
}

impl Post {
    pub fn open(town: &Town) -> Post {
        let (zone, unsure, keep) = (Tz::UTC, Unsure::Repeat, 90 * 24 * 3_600_000);
        let rules = Rules { zone, unsure, telegram_in_flight: 10, discord_in_flight: 10, keep };
        let setup = Setup { rules, telegram: wide(), discord: wide() };
        let store = Arc::clone(town.desk.store());
        let opened = Dispatch::start(store, setup, tokio::runtime::Handle::current(), |_| {});
        let (dispatch, running) = opened.unwrap();
        Post { dispatch, running: Some(running) }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let running = self.running.take();
        // It waits for what is under way, on the runtime that is not to be held up here.
        std::thread::spawn(move || running.into_iter().for_each(Running::stop));
    }
}

/// Settings with what a test sets.
pub fn settings(variables: &[(&str, &str)]) -> Settings {
    let env = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    config::load(None, None, env, &strillone::bundled::names()).unwrap()
}

/// Settings of a platform that answers at `url`. No test may reach the real one: the fake's address is the only one given.
pub fn platform(section: &str, url: &str, token: &str) -> PlatformSettings {
    platform_through(section, url, token, "")
}

/// As [`platform`], through a proxy; a name that there cannot be is nobody's address.
pub fn platform_through(section: &str, url: &str, token: &str, proxy: &str) -> PlatformSettings {
    let ours = ["http://127.0.0.1:", "https://127.0.0.1:", "http://nobody.invalid"];
    assert!(ours.iter().any(|ours| url.starts_with(ours)), "{url} is not ours");
    let (url_name, token_name) = (format!("STRILLONE_{section}__API_URL"), format!("STRILLONE_{section}__TOKEN"));
    let settings = settings(&[(&url_name, url), (&token_name, token), ("STRILLONE_NETWORK__PROXY", proxy)]);
    if section == "TELEGRAM" { settings.telegram } else { settings.discord }
}

/// The folder of the platforms' specs, if there is one to check against.
pub fn specs() -> Option<PathBuf> {
    match std::env::var_os("STRILLONE_SPECS") {
        Some(dir) => {
            let dir = PathBuf::from(dir);
            Some(if dir.is_absolute() { dir } else { PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(dir) })
        }
        None => {
            println!("skipped: STRILLONE_SPECS names no folder with the platforms' specs to check against");
            None
        }
    }
}
