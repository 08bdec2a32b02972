//! The doors, with the real clients on one end and platforms of our own on the other.

pub mod discord;
mod on_discord;
mod on_telegram;
mod program;
mod same;
pub mod telegram;

use std::{path::PathBuf, time::Duration};

use strillone::config::{self, PlatformSettings, Settings};

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Settings with what a test sets.
pub fn settings(variables: &[(&str, &str)]) -> Settings {
    let env = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    config::load(None, None, env, &strillone::bundled::names()).unwrap()
}

/// Settings of a platform that answers at `url`. No test may reach the real one: the fake's address is the only one given.
pub fn platform(section: &str, url: &str, token: &str) -> PlatformSettings {
    assert!(url.starts_with("http://127.0.0.1:"), "{url} is not ours");
    let (url_name, token_name) = (format!("STRILLONE_{section}__API_URL"), format!("STRILLONE_{section}__TOKEN"));
    let settings = settings(&[(&url_name, url), (&token_name, token)]);
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
