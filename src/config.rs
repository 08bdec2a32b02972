//! What the program is told before it starts, and the one line that says what is wrong with it.
//!
//! `config/strillone.toml` is both the defaults and the schema: a file or a variable may set only what stands there, to
//! a value of the same type. No fault repeats a value, so a token pasted into the wrong place is not printed either.

mod proxy;
mod sheet;

use std::{
    ffi::OsString,
    fmt::{self, Display},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use commands::kit::Danger;
pub use proxy::{Proxy, ProxyKind};
use record::{
    guard::{self, Guard},
    lang::Lang,
    private::Address,
};
use sheet::Sheet;

/// All settings, checked; `config/strillone.toml` says why each is there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the record is kept.
    pub store: StoreSettings,
    /// How it is backed up.
    pub backup: BackupSettings,
    /// How often people may ask.
    pub commands: CommandSettings,
    /// Where the program says how it is.
    pub web: WebSettings,
    /// What a new record starts with, and how it first reads.
    pub record: RecordSettings,
    /// Who decides.
    pub moderation: ModerationSettings,
    /// The way to Telegram.
    pub telegram: PlatformSettings,
    /// The way to Discord.
    pub discord: PlatformSettings,
    /// How news is pushed.
    pub delivery: DeliverySettings,
    /// What the program tells of its own work.
    pub log: LogSettings,
    /// Whether a start goes on with less than the last backup, or the last start, knew; only the command line says so.
    pub accept_less: bool,
    /// Whether a clock that is far ahead is believed; only the command line says so.
    pub accept_clock: bool,
}

/// The section `[store]`.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The data directory, holding `journal/` and `sled/`; it may not exist yet.
    pub path: PathBuf,
    /// Memory for sled's page cache in MiB, 1 to 4096.
    pub cache_mb: u64,
    /// The room on the disk that is kept for the store alone, in MiB, 0 to 4096; 0 looks for none.
    pub reserve_mb: u64,
}

/// The section `[backup]`.
#[derive(Clone, Debug)]
pub struct BackupSettings {
    /// Where daily backups go; none is `backups` in the data directory.
    pub path: Option<PathBuf>,
    /// How many are kept, 0 to 1,000; 0 makes none.
    pub keep: usize,
}

impl Settings {
    /// Where daily backups go.
    pub fn backups(&self) -> PathBuf {
        self.backup.path.clone().unwrap_or_else(|| self.store.path.join("backups"))
    }
}

/// The section `[web]`.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where to listen; `None` is off.
    pub listen: Option<SocketAddr>,
    /// Whether somebody chose this: a chosen address already taken is a fault, the default one only a warning.
    pub chosen: bool,
}

/// The section `[record]`.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    /// The compiled-in dossiers to load, each a name the program knows.
    pub bundled: Vec<String>,
    /// The language a chat is first answered in.
    pub lang: Lang,
    /// The time zone in which times are first shown.
    pub timezone: chrono_tz::Tz,
}

/// The section `[moderation]`.
#[derive(Clone, Debug)]
pub struct ModerationSettings {
    /// Who may always moderate; perhaps nobody.
    pub owners: Vec<Owner>,
    /// What two moderators have to want.
    pub two_people: Vec<Danger>,
    /// Hosts that no entry may lead to, besides those that are known.
    pub leak_hosts: Vec<String>,
    /// Known ones that it may lead to all the same.
    pub allowed_hosts: Vec<String>,
}

impl ModerationSettings {
    /// What is never recorded.
    pub fn guard(&self) -> Guard {
        let known = guard::HOSTS.iter().copied().filter(|host| !self.allowed_hosts.iter().any(|it| it == host));
        Guard::new(known.map(str::to_owned).chain(self.leak_hosts.iter().cloned()))
    }
}

/// The section `[telegram]` or `[discord]`.
#[derive(Clone, Debug)]
pub struct PlatformSettings {
    /// The bot's token, set or read from `token_file`; `None` leaves the platform out.
    pub token: Option<Secret>,
    /// Where the API answers: http or https, without user name, query, token or final slash.
    pub api_url: String,
    /// The proxy through which it is reached: the setting `network.proxy`.
    pub proxy: Option<Proxy>,
}

/// How news is pushed: the section `[delivery]`, and what `[telegram]` and `[discord]` say of pushing.
#[derive(Clone, Copy, Debug)]
pub struct DeliverySettings {
    /// Whether a message of unknown fate is sent again on Telegram.
    pub repeat_unsure: bool,
    /// Pushed messages under way on Telegram, 1 to 64.
    pub telegram_in_flight: u32,
    /// Requests a second on Telegram, 1 to 1,000.
    pub telegram_per_second: u32,
    /// Messages a minute in a group or channel on Telegram, 1 to 1,000.
    pub telegram_per_group_minute: u32,
    /// Requests a second on Discord, 1 to 1,000.
    pub discord_per_second: u32,
    /// Invalid requests on Discord in 10 minutes, 1 to 9,000.
    pub discord_invalid_limit: u32,
    /// Days after an incident is closed for which message numbers are kept, 1 to 3,650.
    pub keep_days: u32,
}

/// The section `[log]`.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged: `EnvFilter` directives of tracing-subscriber, not yet parsed.
    pub filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, an object a line.
    Json,
}

/// An account that may always moderate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where the account is.
    pub platform: Platform,
    /// Its number there, neither 0 nor `u64::MAX`, which no platform gives and serenity panics on.
    pub id: u64,
}

impl Owner {
    /// As the record knows it.
    pub fn address(&self) -> Address {
        Address(format!("{}:{}", self.platform.code(), self.id))
    }
}

impl Platform {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Platform::Telegram => "Telegram",
            Platform::Discord => "Discord",
        }
    }

    /// As settings and addresses write it.
    pub const fn code(self) -> &'static str {
        match self {
            Platform::Telegram => "telegram",
            Platform::Discord => "discord",
        }
    }
}

/// How often a person, and a chat, may ask.
#[derive(Clone, Copy, Debug)]
pub struct CommandSettings {
    /// So many at once, 1 to 10,000.
    pub burst: u64,
    /// Then so many a second, 1 to 1,000.
    pub per_second: u64,
}

/// A network people have accounts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Telegram.
    Telegram,
    /// Discord.
    Discord,
}

/// A token of the shape its platform gives, printed nowhere.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The token itself, for the platform's client and nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A token of the shape that a platform gives; blanks around it do not count.
    fn parse(platform: Platform, text: &str) -> Option<Secret> {
        let token = text.trim();
        let shaped = match platform {
            Platform::Telegram => is_telegram_token(token),
            Platform::Discord => is_discord_token(token),
        };
        shaped.then(|| Secret(token.to_owned()))
    }
}

impl Platform {
    /// What a token of this platform must be, for whoever mistyped one.
    const fn token_shape(self) -> &'static str {
        match self {
            Platform::Telegram => "a token as @BotFather gives it: digits, a colon, and at least 30 of A-Z a-z 0-9 _ -",
            Platform::Discord => {
                "a bot token as the developer portal gives it: three parts of A-Z a-z 0-9 _ - with dots between, \
                 without \"Bot \" before it"
            }
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// `123456:ABC-DEF…`: the bot's number and a key, of which 35 characters are usual.
fn is_telegram_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(id, key)| {
        let number = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        number && (30..=200).contains(&key.len()) && key.bytes().all(is_token_byte)
    })
}

/// Parts of base64url with dots between: the bot's number, a moment, a signature.
fn is_discord_token(token: &str) -> bool {
    let parts = || token.split('.');
    token.len() <= 300
        && parts().count() >= 3
        && parts().all(|part| !part.is_empty() && part.bytes().all(is_token_byte))
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// Why the program cannot start: one line with the place, the setting, and what it must be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    fn at(place: impl Display, what: impl Display) -> Fault {
        Fault(format!("{place}: {what}").replace(char::is_control, " "))
    }
}

/// The defaults overlaid by `file`, then by `env`, then by `data` as the data directory. `bundled_names` are the
/// compiled-in dossiers there are. Reads `file` and the token files, at most 1 MiB each, and nothing else.
pub fn load(
    file: Option<&Path>,
    data: Option<&Path>,
    env: impl Iterator<Item = (OsString, OsString)>,
    bundled_names: &[&str],
) -> Result<Settings, Fault> {
    let mut sheet = Sheet::defaults()?;
    if let Some(path) = file {
        sheet.lay_file(path)?;
    }
    sheet.lay_environment(env)?;
    sheet.settings(data, bundled_names)
}

#[cfg(test)]
mod tests;
