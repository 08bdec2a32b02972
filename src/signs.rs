//! What hangs on each door: how it is, in words; and the bell by which one door calls the owners behind the other.

use std::sync::{PoisonError, RwLock};

use commands::kit::Door;
use record::lang::Text;
use tokio::sync::broadcast;

use crate::config::Platform;

/// How a door is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// Its token is not set.
    #[default]
    Off,
    /// It is being connected for the first time.
    Connecting,
    /// It serves.
    Serving,
    /// The platform cannot be reached; it is tried again and again.
    Unreachable,
    /// Another program polls with the same token.
    AnotherPoller,
    /// The platform refuses the token: it stays shut until the next start.
    Stopped,
}

impl Sign {
    /// In words.
    pub const fn text(self) -> Text {
        match self {
            Sign::Off => Text { en: "off", it: "non attivo" },
            Sign::Connecting => Text { en: "connecting", it: "in collegamento" },
            Sign::Serving => Text { en: "on, answering", it: "acceso, risponde" },
            Sign::Unreachable => {
                Text { en: "cannot be reached; I keep trying", it: "non raggiungibile; continuo a provare" }
            }
            Sign::AnotherPoller => Text {
                en: "another program uses the same token; I wait for it to stop",
                it: "un altro programma usa lo stesso token; aspetto che smetta",
            },
            Sign::Stopped => {
                Text { en: "stopped: the platform refuses the token", it: "fermo: la piattaforma rifiuta il token" }
            }
        }
    }
}

/// The signs of both doors.
#[derive(Debug)]
pub struct Signs {
    telegram: RwLock<Sign>,
    discord: RwLock<Sign>,
    bell: broadcast::Sender<Alert>,
}

/// Something the owners should know, for the doors that still work.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The platform it is about: its own door leaves it to the others.
    pub about: Platform,
    /// In words.
    pub text: Text,
}

/// How many alerts may wait for a door that is slow.
const ALERTS: usize = 32;

impl Default for Signs {
    fn default() -> Signs {
        Signs { telegram: RwLock::default(), discord: RwLock::default(), bell: broadcast::channel(ALERTS).0 }
    }
}

impl Signs {
    fn of(&self, platform: Platform) -> &RwLock<Sign> {
        match platform {
            Platform::Telegram => &self.telegram,
            Platform::Discord => &self.discord,
        }
    }

    /// How a door is.
    pub fn get(&self, platform: Platform) -> Sign {
        *self.of(platform).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hangs up another sign; a change is logged.
    pub fn set(&self, platform: Platform, sign: Sign) {
        let mut now = self.of(platform).write().unwrap_or_else(PoisonError::into_inner);
        if *now != sign {
            *now = sign;
            tracing::info!(platform = platform.name(), state = sign.text().en, "a door changed");
        }
    }

    /// Rings for the owners behind the other doors.
    pub fn alert(&self, alert: Alert) {
        // Nobody may be listening: the log has it in any case.
        let _ = self.bell.send(alert);
    }

    /// Hears the bell.
    pub fn listen(&self) -> broadcast::Receiver<Alert> {
        self.bell.subscribe()
    }

    /// Both doors in words.
    pub fn doors(&self) -> Vec<Door> {
        [Platform::Telegram, Platform::Discord]
            .into_iter()
            .map(|platform| Door { name: platform.name(), state: self.get(platform).text() })
            .collect()
    }
}
