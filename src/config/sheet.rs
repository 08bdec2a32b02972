//! Every setting by its full name: the defaults, a file and the environment laid one over the other, then read.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt::Display,
    io::{self, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use record::lang::Lang;
use serde::Deserialize;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    BackupSettings, CommandSettings, DeliverySettings, Fault, LogFormat, LogSettings, ModerationSettings, Owner,
    Platform, PlatformSettings, Proxy, RecordSettings, Secret, Settings, StoreSettings, WebSettings,
};

pub(super) const DEFAULTS: &str = include_str!("../../config/strillone.toml");

/// A variable is ours if it begins so and holds `__`: `STRILLONE_PORT` is another program's.
pub(super) const PREFIX: &str = "STRILLONE_";

/// A settings or token file above 1 MiB is some other file, named by mistake.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Every setting by its full name, such as `store.path`.
pub(super) struct Sheet(pub(super) BTreeMap<String, Setting>);

pub(super) struct Setting {
    /// Always of the type that the defaults give it.
    value: Value,
    /// The line or the variable that says so; `None` is the default.
    place: Option<String>,
}

/// What the settings mean.
impl Sheet {
    pub(super) fn settings(&self, data: Option<&Path>, bundled_names: &[&str]) -> Result<Settings, Fault> {
        let path = || self.text("store.path", "must not be empty", directory);
        let must_listen = "must be IP:PORT such as 127.0.0.1:8080, or empty";
        let must_bundle = format!("must be a compiled-in dossier ({})", bundled_names.join(", "));
        let must_zone = "must be an IANA time zone such as Europe/Rome";
        let must_own = "must be \"telegram:ID\" or \"discord:ID\", ID a number above 0";
        let must_host = "must be a list of host names such as paste.example";
        let bundled = |name: &str| bundled_names.contains(&name).then(|| name.to_owned());
        Ok(Settings {
            store: StoreSettings {
                path: data.map_or_else(path, |data| Ok(data.to_owned()))?,
                cache_mb: self.read("store.cache_mb", "must be between 1 and 4096", |value| whole(value, 1, 4096))?,
                reserve_mb: self
                    .read("store.reserve_mb", "must be between 0 and 4096", |value| whole(value, 0, 4_096))?,
            },
            backup: BackupSettings {
                path: self.text("backup.path", "must be text", |text| Some(directory(text)))?,
                keep: self
                    .read("backup.keep", "must be between 0 and 1000", |value| whole(value, 0, 1_000))
                    .map(|keep| usize::try_from(keep).unwrap_or_default())?,
            },
            commands: CommandSettings {
                burst: self.read("commands.burst", "must be between 1 and 10000", |value| whole(value, 1, 10_000))?,
                per_second: self
                    .read("commands.per_second", "must be between 1 and 1000", |value| whole(value, 1, 1_000))?,
            },
            web: WebSettings {
                listen: self.text("web.listen", must_listen, listen)?,
                chosen: self.0.get("web.listen").is_some_and(|setting| setting.place.is_some()),
            },
            record: RecordSettings {
                bundled: self.list("record.bundled", &must_bundle, bundled)?,
                lang: self.text("record.lang", "must be en or it", lang)?,
                timezone: self.text("record.timezone", must_zone, |name| name.parse().ok())?,
            },
            moderation: ModerationSettings {
                owners: self.list("moderation.owners", must_own, owner)?,
                two_people: self.list(
                    "moderation.two_people",
                    "must be a list of victim, data and retraction",
                    commands::kit::Danger::parse,
                )?,
                leak_hosts: self.list("moderation.leak_hosts", must_host, host)?,
                allowed_hosts: self.list("moderation.allowed_hosts", must_host, host)?,
            },
            telegram: self.platform(Platform::Telegram)?,
            discord: self.platform(Platform::Discord)?,
            delivery: self.delivery()?,
            accept_less: false,
            accept_clock: false,
            log: LogSettings {
                format: self.text("log.format", "must be text or json", log_format)?,
                filter: self.text("log.filter", "must be directives such as info or warn,strillone=debug", filter)?,
            },
        })
    }

    fn delivery(&self) -> Result<DeliverySettings, Fault> {
        let number = |name: &str, to: u64| {
            let must = format!("must be between 1 and {to}");
            self.read(name, &must, |value| whole(value, 1, to).and_then(|number| u32::try_from(number).ok()))
        };
        let unsure = |text: &str| match text {
            "repeat" => Some(true),
            "hold" => Some(false),
            _ => None,
        };
        Ok(DeliverySettings {
            repeat_unsure: self.text("telegram.unsure", "must be repeat or hold", unsure)?,
            telegram_in_flight: number("telegram.in_flight", 64)?,
            telegram_per_second: number("telegram.per_second", 1_000)?,
            telegram_per_group_minute: number("telegram.per_group_minute", 1_000)?,
            discord_per_second: number("discord.per_second", 1_000)?,
            discord_invalid_limit: number("discord.invalid_limit", 9_000)?,
            keep_days: number("delivery.keep_days", 3_650)?,
        })
    }

    fn platform(&self, platform: Platform) -> Result<PlatformSettings, Fault> {
        let section = platform.code();
        let must = "must be an http:// or https:// address without user name, query or token";
        let api_url = self.text(&format!("{section}.api_url"), must, base_url)?;
        Ok(PlatformSettings { token: self.token(platform)?, api_url, proxy: self.proxy()? })
    }

    fn proxy(&self) -> Result<Option<Proxy>, Fault> {
        let must = "must be an http://, https://, socks5:// or socks5h:// address with a host and port, or empty";
        self.text("network.proxy", must, |text| if text.is_empty() { Some(None) } else { Proxy::parse(text).map(Some) })
    }

    fn token(&self, platform: Platform) -> Result<Option<Secret>, Fault> {
        let section = platform.code();
        let must = format!("must be {}", platform.token_shape());
        let (set, kept) = (format!("{section}.token"), format!("{section}.token_file"));
        match (self.plain(&set)?.as_str(), self.plain(&kept)?.as_str()) {
            ("", "") => Ok(None),
            ("", path) => token_in(platform, Path::new(path)).map(Some).map_err(|what| self.fault(&kept, what)),
            (_, "") => self.text(&set, &must, |text| Secret::parse(platform, text)).map(Some),
            _ => Err(self.fault(&kept, format_args!("and {set} ({}) are both set: keep one", self.place(&set)))),
        }
    }
}

fn directory(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| text.into())
}

fn whole(value: &Value, from: u64, to: u64) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| (from..=to).contains(number))
}

fn listen(text: &str) -> Option<Option<SocketAddr>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

/// Stricter than `Lang::parse`, which takes a tag in any of the ways platforms write it.
fn lang(text: &str) -> Option<Lang> {
    Lang::parse(text).filter(|lang| lang.code() == text)
}

/// A host's name: letters, digits, dashes and dots.
fn host(text: &str) -> Option<String> {
    let fits = text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    (fits && !text.starts_with('.') && !text.ends_with('.')).then(|| text.to_ascii_lowercase())
}

fn owner(text: &str) -> Option<Owner> {
    let (platform, id) = text.split_once(':')?;
    let platform = match platform {
        "telegram" => Platform::Telegram,
        "discord" => Platform::Discord,
        _ => return None,
    };
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    let id = id.parse().ok().filter(|id| digits && (1..u64::MAX).contains(id))?;
    Some(Owner { platform, id })
}

/// A colon in the path gives away a pasted `/bot<token>`.
fn base_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let http = text.starts_with("http://") || text.starts_with("https://");
    let user = !url.username().is_empty() || url.password().is_some();
    let more = url.query().is_some() || url.fragment().is_some() || url.path().contains(':');
    (http && !user && !more).then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn filter(text: &str) -> Option<String> {
    tracing_subscriber::EnvFilter::builder().parse(text).ok().map(|_| text.to_owned())
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn token_in(platform: Platform, path: &Path) -> Result<Secret, String> {
    let bytes = read(path).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.trim_ascii().is_empty() {
        return Err("names an empty file".to_owned());
    }
    let token = str::from_utf8(&bytes).ok().and_then(|text| Secret::parse(platform, text));
    token.ok_or_else(|| format!("names a file that does not hold one token alone, {}", platform.token_shape()))
}

/// How one setting is read once everything is laid; `must` says what `parse` understands.
impl Sheet {
    fn read<T>(&self, name: &str, must: &str, parse: impl Fn(&Value) -> Option<T>) -> Result<T, Fault> {
        let value = self.0.get(name).map(|setting| &setting.value);
        value.and_then(parse).ok_or_else(|| self.fault(name, must))
    }

    fn text<T>(&self, name: &str, must: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        self.read(name, must, |value| parse(value.as_str()?))
    }

    fn plain(&self, name: &str) -> Result<String, Fault> {
        self.text(name, "must be text", |text| Some(text.to_owned()))
    }

    fn list<T>(&self, name: &str, must: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Fault> {
        let items = self.read(name, "must be a list", |value| value.as_array().cloned())?;
        let parsed = items.iter().zip(1..).map(|(item, number)| {
            let item = item.as_str().and_then(&parse);
            item.ok_or_else(|| self.fault(name, format_args!("item {number} {must}")))
        });
        parsed.collect()
    }

    fn fault(&self, name: &str, what: impl Display) -> Fault {
        Fault::at(self.place(name), format_args!("{name} {what}"))
    }

    fn place(&self, name: &str) -> &str {
        self.0.get(name).and_then(|setting| setting.place.as_deref()).unwrap_or("config/strillone.toml (compiled in)")
    }
}

/// Where settings come from, each source laid over the last.
impl Sheet {
    pub(super) fn defaults() -> Result<Sheet, Fault> {
        let sections: BTreeMap<String, Table> =
            toml::from_str(DEFAULTS).map_err(|error| Fault::at("config/strillone.toml", error.message()))?;
        let mut sheet = Sheet(BTreeMap::new());
        for (section, keys) in sections {
            for (key, value) in keys {
                sheet.0.insert(format!("{section}.{key}"), Setting { value, place: None });
            }
        }
        Ok(sheet)
    }

    pub(super) fn lay_file(&mut self, path: &Path) -> Result<(), Fault> {
        let path_shown = path.display();
        let bytes = read(path).map_err(|error| Fault::at(&path_shown, format_args!("cannot be read: {error}")))?;
        let place = |at| format!("{path_shown}:{}", line(&bytes, at));
        let text =
            str::from_utf8(&bytes).map_err(|error| Fault::at(place(error.valid_up_to()), "is not UTF-8 text"))?;
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.trim_end().len()));
            Fault::at(place(at), format_args!("not valid TOML: {}", error.message()))
        })?;
        for (at, section, found) in in_order(document.get_ref()) {
            let DeValue::Table(keys) = found else {
                return Err(Fault::at(place(at), format_args!("unknown setting {section}, outside of any [section]")));
            };
            self.check_section(section, &place(at))?;
            for (at, key, found) in in_order(keys) {
                self.lay(section, key, place(at), found.clone())?;
            }
        }
        Ok(())
    }

    /// In order of name, so that of several faults it is always the same one that is told.
    pub(super) fn lay_environment(&mut self, env: impl Iterator<Item = (OsString, OsString)>) -> Result<(), Fault> {
        let named = env.map(|(name, raw)| (name.to_string_lossy().into_owned(), raw));
        let ours = named.filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"));
        ours.collect::<BTreeMap<_, _>>().into_iter().try_for_each(|(name, raw)| self.lay_variable(name, &raw))
    }

    fn lay_variable(&mut self, name: String, raw: &OsStr) -> Result<(), Fault> {
        if name.contains(|letter: char| letter.is_ascii_lowercase()) {
            return Err(Fault::at(name, "a variable is STRILLONE_<SECTION>__<KEY>, all in upper case"));
        }
        let lower = name.strip_prefix(PREFIX).unwrap_or_default().to_ascii_lowercase();
        let (section, key) = lower.split_once("__").unwrap_or((&lower, ""));
        let setting = format!("{section}.{key}");
        let plain = raw.to_str().ok_or_else(|| Fault::at(&name, format_args!("{setting} is not UTF-8 text")))?;
        let takes_text = self.0.get(&setting).is_some_and(|setting| setting.value.is_str());
        let found = match DeValue::parse(plain.trim()).map(Spanned::into_inner) {
            Ok(found) if found.is_str() || !takes_text => found,
            _ => DeValue::String(plain.into()),
        };
        self.lay(section, key, name, found)
    }

    fn lay(&mut self, section: &str, key: &str, place: String, found: DeValue) -> Result<(), Fault> {
        self.check_section(section, &place)?;
        let name = format!("{section}.{key}");
        let Some(setting) = self.0.get_mut(&name) else {
            let siblings = self.names().filter(|(known, _)| *known == section);
            let near = did_you_mean(key, siblings.map(|(_, key)| key));
            return Err(Fault::at(place, format_args!("unknown setting {name}{near}")));
        };
        let (due, given) = (kind(setting.value.type_str()), kind(found.type_str()));
        if due != given {
            return Err(Fault::at(place, format_args!("{name} must be {due}, not {given}")));
        }
        setting.value = Value::deserialize(ValueDeserializer::from(Spanned::new(0..0, found)))
            .map_err(|_| Fault::at(&place, format_args!("{name} holds a number beyond 64 bits")))?;
        setting.place = Some(place);
        Ok(())
    }

    fn check_section(&self, section: &str, place: &str) -> Result<(), Fault> {
        if self.names().any(|(known, _)| known == section) {
            return Ok(());
        }
        let near = did_you_mean(section, self.names().map(|(known, _)| known));
        Err(Fault::at(place, format_args!("unknown section {section}{near}")))
    }

    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().filter_map(|name| name.split_once('.'))
    }
}

/// A table's entries with where they stand, first line first.
fn in_order<'a>(table: &'a DeTable) -> Vec<(usize, &'a str, &'a DeValue<'a>)> {
    let entries = table.iter().map(|(key, value)| (key.span().start, key.get_ref().as_ref(), value.get_ref()));
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(at, ..)| *at);
    entries
}

/// TOML's own names for its types, as people say them.
fn kind(type_str: &str) -> &str {
    match type_str {
        "string" => "text",
        "integer" => "a whole number",
        "float" => "a decimal number",
        "boolean" => "true or false",
        "datetime" => "a date or time",
        "array" => "a list",
        _ => "a table",
    }
}

/// A likeness of 0.8 lets through a slip of the finger, but no other word.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|known| (strsim::jaro(name, known), known)).filter(|(likeness, _)| *likeness > 0.8);
    let nearest = near.max_by(|one, other| one.0.total_cmp(&other.0));
    nearest.map_or_else(String::new, |(_, known)| format!(" (did you mean {known}?)"))
}

fn line(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
