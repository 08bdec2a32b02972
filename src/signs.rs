//! What hangs on each door: how it is, in words; and the bell by which the owners are called.

use std::{
    fmt,
    sync::{OnceLock, PoisonError, RwLock},
};

use commands::kit::Door;
use record::{
    lang::{Lang, Text},
    private::Address,
};
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
    /// The platform refuses the token; it is asked again once a minute.
    TokenRefused,
    /// Discord sends interactions to an address of its settings instead of the gateway: posts go on, commands do not come.
    InteractionsElsewhere,
    /// The platform shut us out until the next start.
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
            Sign::TokenRefused => Text {
                en: "the platform refuses the token; I ask again every minute",
                it: "la piattaforma rifiuta il token; riprovo ogni minuto",
            },
            Sign::InteractionsElsewhere => Text {
                en: "commands do not reach me: the developer portal sends them to an Interactions Endpoint URL; posts go on",
                it: "i comandi non mi arrivano: il developer portal li invia a un Interactions Endpoint URL; le pubblicazioni continuano",
            },
            Sign::Stopped => Text {
                en: "stopped: the platform shut me out; a restart tries again",
                it: "fermo: la piattaforma mi ha escluso; al riavvio riprovo",
            },
        }
    }
}

/// How the bot is as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Everything works.
    Well,
    /// Something does not, and the rest goes on.
    Degraded,
    /// Nobody is served.
    Down,
}

impl Condition {
    /// As operators read it.
    pub const fn word(self) -> &'static str {
        match self {
            Condition::Well => "ok",
            Condition::Degraded => "degraded",
            Condition::Down => "down",
        }
    }
}

/// The signs of both doors.
pub struct Signs {
    telegram: RwLock<Sign>,
    discord: RwLock<Sign>,
    bell: broadcast::Sender<Alert>,
    /// Keeps alerts until somebody has got them.
    keeps: OnceLock<Keeper>,
}

type Keeper = Box<dyn Fn(&Alert) + Send + Sync>;

impl fmt::Debug for Signs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signs({:?}, {:?})", self.get(Platform::Telegram), self.get(Platform::Discord))
    }
}

/// Something the owners, or somebody, should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The platform whose door is shut: it leaves it to the others. None: every door tells it.
    pub about: Option<Platform>,
    /// The one person it is for; none: the owners.
    pub to: Option<Address>,
    /// In words.
    pub words: Words,
}

impl Alert {
    /// For the owners.
    pub fn to_owners(about: Option<Platform>, words: impl Into<Words>) -> Alert {
        Alert { about, to: None, words: words.into() }
    }

    /// Whom a platform's door tells it: accounts there.
    pub fn whom(&self, platform: Platform, owners: &[Address]) -> Vec<u64> {
        match &self.to {
            _ if self.about == Some(platform) => Vec::new(),
            Some(to) => account(to, platform).into_iter().collect(),
            None => owners.iter().filter_map(|owner| account(owner, platform)).collect(),
        }
    }
}

/// The account of an address on a platform.
pub fn account(address: &Address, platform: Platform) -> Option<u64> {
    address.0.strip_prefix(platform.code())?.strip_prefix(':')?.parse().ok()
}

/// A sentence with something filled in, in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Italian.
    pub it: String,
}

impl Words {
    /// The words in one language.
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.it)
    }
}

impl From<Text> for Words {
    fn from(text: Text) -> Words {
        Words { en: text.en.to_owned(), it: text.it.to_owned() }
    }
}

/// How many alerts may wait for a door that is slow.
const ALERTS: usize = 1_024;

impl Default for Signs {
    fn default() -> Signs {
        Signs {
            telegram: RwLock::default(),
            discord: RwLock::default(),
            bell: broadcast::channel(ALERTS).0,
            keeps: OnceLock::new(),
        }
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

    /// How the doors are, as Prometheus reads it: 1 for the state that each is in.
    pub fn text(&self) -> String {
        let mut text =
            String::from("# HELP strillone_door Whether a platform's door serves.\n# TYPE strillone_door gauge\n");
        for platform in [Platform::Telegram, Platform::Discord] {
            let sign = self.get(platform);
            text += &format!(
                "strillone_door{{network=\"{}\",state=\"{}\"}} {}\n",
                platform.code(),
                format!("{sign:?}").to_lowercase(),
                u8::from(sign == Sign::Serving)
            );
        }
        text
    }

    /// Has alerts kept until somebody has got them.
    pub fn keep_alerts(&self, keep: impl Fn(&Alert) + Send + Sync + 'static) {
        // Only the first counts.
        let _ = self.keeps.set(Box::new(keep));
    }

    /// Rings for the owners. What is told waits, over restarts too, until somebody has got it.
    pub fn alert(&self, alert: Alert) {
        if let Some(keep) = self.keeps.get() {
            keep(&alert);
        }
        // Nobody may be listening: the log has it in any case.
        let _ = self.bell.send(alert);
    }

    /// How the platforms are together: those that are not configured do not count.
    pub fn condition(&self) -> Condition {
        let signs = [Platform::Telegram, Platform::Discord].map(|platform| self.get(platform));
        let configured: Vec<Sign> = signs.into_iter().filter(|sign| *sign != Sign::Off).collect();
        let away = |sign: &Sign| matches!(sign, Sign::Unreachable | Sign::TokenRefused);
        if configured.iter().all(|sign| *sign == Sign::Serving) {
            Condition::Well
        } else if configured.iter().all(away) {
            Condition::Down
        } else {
            Condition::Degraded
        }
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
