//! Every ask is handed in here, and answered off the async threads; here the clock is read.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Instant,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use commands::kit::{self, Ask, Caller, Danger, Elsewhere, House, Place, Posting, Quoted, Role, form::Form};
use record::{
    channel::PlaceKind,
    disk::Disk,
    dossier::{self, Dossier},
    export,
    find::{self, Found},
    guard::Guard,
    import::{self, ImportError, Imported},
    lang::Lang,
    private::{Address, AskKey, Fact},
    rank::Rank,
    reply::{Line, Reply, Tone},
    slug::Slug,
    store::{Drafted, Report, Set, StateError, Store},
    view::{Incident, Lapse},
};
use tokio::sync::{Semaphore, watch};

use crate::{
    alerts,
    cli::Format,
    config::{Owner, Settings},
    dispatch::{self, Dispatch},
    rates::{Rates, Verdict},
    signs::{Condition, Signs},
    vitals::{Gauge, Vitals},
};

mod offers;

/// Where asks are handed in.
#[derive(Clone)]
pub struct Desk {
    store: Arc<Store>,
    manners: Arc<Manners>,
    dispatch: Arc<OnceLock<Dispatch>>,
    commits: watch::Receiver<u64>,
}

/// What the desk goes by, and the signs of the doors.
pub struct Manners {
    /// The language of those who say nothing of theirs.
    pub lang: Lang,
    /// The zone in which clock times are shown to those who chose none.
    pub zone: Tz,
    /// Who may do everything.
    pub owners: Vec<Owner>,
    /// What two moderators have to want.
    pub two: Vec<Danger>,
    /// What is never recorded.
    pub guard: Arc<Guard>,
    /// The code by which the first owner is known.
    pub code: OnceLock<String>,
    /// How often people may ask.
    pub rates: Rates,
    /// How the doors are.
    pub signs: Signs,
    /// How the bot is, as far as it is measured.
    pub vitals: Arc<Vitals>,
    /// The disk, with how long syncs take.
    pub gauge: Arc<Gauge>,
    /// The room on the disk that is kept for the store alone, in MiB.
    pub reserve_mb: u64,
    /// Where daily backups lie.
    pub backups: PathBuf,
    /// How many asks are worked on at once; the others wait in turn.
    pub hands: Semaphore,
}

impl Manners {
    /// As the settings have it.
    pub fn of(settings: &Settings) -> Manners {
        Manners {
            lang: settings.record.lang,
            zone: settings.record.timezone,
            owners: settings.moderation.owners.clone(),
            two: settings.moderation.two_people.clone(),
            guard: Arc::new(settings.moderation.guard()),
            code: OnceLock::new(),
            rates: Rates::new(settings.commands.burst, settings.commands.per_second),
            signs: Signs::default(),
            vitals: Arc::default(),
            gauge: Arc::default(),
            reserve_mb: settings.store.reserve_mb,
            backups: settings.backups(),
            hands: Semaphore::new(HANDS),
        }
    }
}

/// U+2060, which nobody sees.
const JOINER: char = '\u{2060}';
/// How many asks are worked on at once: more threads than cores only wait for one another.
const HANDS: usize = 16;

/// An ask as a door hears it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What was typed, pressed, or filled in.
    pub line: String,
    /// Who asks; none for a channel or an anonymous administrator.
    pub caller: Option<Address>,
    /// The chat, with its topic if it has one.
    pub place: Address,
    /// The chat whose settings count: the group of a topic, the server of a channel.
    pub settings: Address,
    /// Whether others are there.
    pub shared: bool,
    /// Whether the asker may manage the chat.
    pub manages: bool,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Whether we may post there; looked up only where it matters.
    pub posting: Posting,
    /// Another chat that is named, looked up only where it matters.
    pub elsewhere: Option<Elsewhere>,
    /// The language the platform says the asker (or the group) has.
    pub tongue: Option<String>,
    /// The language the platform says the group has, where it says so.
    pub group_tongue: Option<String>,
    /// What makes it the same ask when it comes twice.
    pub key: AskKey,
    /// The message that it answers, if it answers one.
    pub quoted: Option<Quoted>,
}

/// Why something an operator asked for could not be done, in one line or a few.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Undone(pub String);

impl Undone {
    fn of(error: impl std::fmt::Display) -> Undone {
        Undone(error.to_string())
    }
}

impl Desk {
    /// A desk before a store.
    pub fn new(store: Arc<Store>, manners: Manners) -> Desk {
        let (published, commits) = watch::channel(store.head().commit);
        store.watch(move |commit| {
            published.send_replace(commit);
        });
        let desk = Desk { store, manners: Arc::new(manners), dispatch: Arc::default(), commits };
        alerts::keep(&desk);
        desk
    }

    /// Hears of every commit: that there is something new, not each of them.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Tells it of dispatch, once that runs.
    pub fn set_dispatch(&self, dispatch: Dispatch) {
        // Nobody else does.
        let _ = self.dispatch.set(dispatch);
    }

    /// What is counted of pushes, as Prometheus reads it.
    pub fn metrics(&self) -> Result<String, Undone> {
        let mut text = self.dispatch.get().map(|dispatch| dispatch.metrics().text()).unwrap_or_default();
        text += &dispatch::metrics::queue(&self.store, Utc::now().timestamp_millis()).map_err(Undone::of)?;
        text += &self.manners.vitals.text(&self.store, &self.manners.gauge);
        text += &self.signs().text();
        text += &self.manners.rates.text();
        Ok(text)
    }

    /// What was delivered, in lines; with `retry`, what was refused or held is sent again.
    pub fn deliveries(
        &self,
        retry: bool,
        lines: impl FnOnce(&Store) -> Result<Vec<String>, StateError>,
    ) -> Result<Vec<String>, Undone> {
        let mut lines = lines(&self.store).map_err(Undone::of)?;
        match self.dispatch.get().filter(|_| retry) {
            _ if !retry => {}
            // The ledger has one writer: while the bot runs, that is dispatch.
            Some(dispatch) => {
                dispatch.heard(dispatch::Event::Retry);
                lines.push("what was refused or held is being sent again".to_owned());
            }
            None => {
                let now = Utc::now().timestamp_millis();
                let count = self.store.ledger().retry_all(now).map_err(Undone::of)?;
                self.store.sync_ledger().map_err(Undone::of)?;
                lines.push(format!("put back to be sent: {count}"));
            }
        }
        Ok(lines)
    }

    /// How the bot is, as far as it is measured.
    pub fn vitals(&self) -> &Vitals {
        &self.manners.vitals
    }

    fn tell_vitals(&self, lang: Lang) -> Vec<kit::Vital> {
        let it = &self.manners;
        let mut vitals = it.vitals.tell(&self.store, &it.gauge, lang);
        if let Ok(waiting) = dispatch::metrics::waiting(&self.store, Utc::now().timestamp_millis()) {
            vitals.extend(waiting.into_iter().filter_map(|(network, it)| it.vital(network, lang)));
        }
        let (asks, refused) = it.rates.counted();
        vitals.push(kit::Vital::good(
            lang.pick("Asks", "Domande"),
            lang.pick(
                format!("{asks} answered since the start, {refused} from people who asked too much too fast"),
                format!("{asks} con risposta dall'avvio, {refused} da chi ha chiesto troppo in troppo poco tempo"),
            ),
        ));
        vitals
    }

    /// How much room the disk has left and below how much nothing is recorded, in MiB, if that is not far away.
    pub fn disk_low(&self) -> Option<(u64, u64)> {
        let (low, free) = (self.manners.reserve_mb / 4 + 16, self.manners.gauge.free(self.store.dir()).ok()? >> 20);
        (self.manners.reserve_mb > 0 && free < low * 10 && self.store.full().is_none()).then_some((free, low))
    }

    /// What it goes by.
    pub fn manners(&self) -> &Manners {
        &self.manners
    }

    /// The signs of the doors.
    pub fn signs(&self) -> &Signs {
        &self.manners.signs
    }

    /// Answers what a door heard, off the async threads; none if the asker was told to slow down and goes on.
    pub async fn hear(&self, heard: Heard) -> Option<Reply> {
        let lang = self.lang_of(&heard);
        match self.manners.rates.ask(heard.caller.as_ref(), &heard.place, tokio::time::Instant::now()) {
            Verdict::Silence => return None,
            Verdict::Wait(wait) => return Some(slow_down(wait.as_secs(), lang)),
            Verdict::Go => {}
        }
        Some(self.answered(heard, lang).await)
    }

    /// Answers what is asked while somebody still types, which is not counted against them.
    pub async fn hear_freely(&self, heard: Heard) -> Reply {
        let lang = self.lang_of(&heard);
        self.answered(heard, lang).await
    }

    async fn answered(&self, heard: Heard, lang: Lang) -> Reply {
        // The semaphore is never closed.
        let _hand = self.manners.hands.acquire().await;
        let (desk, span) = (self.clone(), tracing::Span::current());
        let answered = tokio::task::spawn_blocking(move || span.in_scope(|| desk.answer_heard(heard, lang))).await;
        answered.unwrap_or_else(|error| {
            tracing::error!(%error, "an ask broke while it was answered");
            commands::sorry(lang)
        })
    }

    /// The form that answers what a door heard, if one does; a door that has none asks for the answer right away.
    pub async fn form(&self, heard: &Heard) -> Option<Form> {
        if !commands::may_need_form(&heard.line) {
            return None;
        }
        // The semaphore is never closed.
        let _hand = self.manners.hands.acquire().await;
        let (desk, heard) = (self.clone(), heard.clone());
        let form = tokio::task::spawn_blocking(move || {
            let lang = desk.lang_of(&heard);
            commands::form(&desk.store, &desk.ask(heard, lang))
        });
        form.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a form could not be made");
            None
        })
    }

    fn answer_heard(&self, heard: Heard, lang: Lang) -> Reply {
        self.answer(&self.ask(heard, lang))
    }

    /// What a door heard, as commands are asked it.
    pub fn ask(&self, heard: Heard, lang: Lang) -> Ask {
        let own = heard.group_tongue.as_deref().and_then(Lang::parse);
        let zone = self.zone_for(&heard.settings);
        let (role, incidents) = self.role(heard.caller.as_ref());
        Ask {
            // What was copied out of an answer of ours holds what keeps a platform from finding links in it.
            line: heard.line.replace(JOINER, ""),
            caller: Caller { role, incidents, address: heard.caller },
            place: Place {
                address: Some(heard.settings),
                chat: Some(heard.place),
                kind: heard.kind,
                shared: heard.shared,
                manages: heard.manages,
                posting: heard.posting,
                elsewhere: heard.elsewhere,
                lang: own,
            },
            lang,
            zone: Some(zone),
            at: Utc::now(),
            key: Some(heard.key),
            quoted: heard.quoted.map(|it| Quoted { text: it.text.map(|text| text.replace(JOINER, "")), ..it }),
        }
    }

    /// The zone of a chat, else the default.
    pub fn zone_for(&self, place: &Address) -> Tz {
        let chosen = self.store.view().choice(place).ok().and_then(|choice| choice.zone);
        chosen.unwrap_or(self.manners.zone)
    }

    /// The chat's choice, else what the platform says, else the default.
    pub fn lang_of(&self, heard: &Heard) -> Lang {
        if heard.tongue.is_none()
            && let Ok(Some((_, channel))) = self.store.view().channel_at(&heard.place)
        {
            // Nobody in person: an anonymous administrator, or the channel itself.
            return self.lang_for(&heard.settings, Some(channel.lang.code()));
        }
        self.lang_for(&heard.settings, heard.tongue.as_deref())
    }

    /// The language of a chat, where the platform says `tongue` of it.
    pub fn lang_for(&self, place: &Address, tongue: Option<&str>) -> Lang {
        let chosen = self.store.view().choice(place).ok().and_then(|choice| choice.lang);
        chosen.or_else(|| tongue.and_then(Lang::parse)).unwrap_or(self.manners.lang)
    }

    /// What somebody may do, and in which incidents; in all of them, if none is named.
    pub fn role(&self, who: Option<&Address>) -> (Role, Vec<Slug>) {
        let Some(who) = who else { return (Role::Reader, Vec::new()) };
        if self.manners.owners.iter().any(|owner| owner.address() == *who) {
            return (Role::Owner, Vec::new());
        }
        match self.store.view().rank(who) {
            Ok(None) => (Role::Reader, Vec::new()),
            Ok(Some(ranked)) => {
                let role = match ranked.rank {
                    Rank::Contributor => Role::Contributor,
                    Rank::Moderator => Role::Moderator,
                    Rank::Owner => Role::Owner,
                };
                (role, ranked.incidents)
            }
            Err(error) => {
                tracing::error!(%error, "what somebody may do could not be looked up; they are taken for a reader");
                (Role::Reader, Vec::new())
            }
        }
    }

    /// Everybody who owns the bot: by the settings, and since.
    pub fn owners(&self) -> Vec<Address> {
        let mut owners: Vec<Address> = self.manners.owners.iter().map(Owner::address).collect();
        let ranks = self.store.view().ranks().unwrap_or_else(|error| {
            tracing::error!(%error, "the owners could not be looked up");
            Vec::new()
        });
        owners.extend(ranks.into_iter().filter(|(_, it)| it.rank == Rank::Owner).map(|(address, _)| address));
        owners
    }

    /// Notes the promises that lapsed by a moment, so that everybody who may decide about their incidents is reminded,
    /// once; how many lapsed.
    pub fn remind(&self, at: DateTime<Utc>) -> Result<usize, Undone> {
        let view = self.store.view();
        let lapses = view.lapses(at).map_err(Undone::of)?;
        for Lapse { incident, promise } in &lapses {
            let fact = Fact::Lapsed { incident: incident.handle.clone(), number: promise.name.number };
            let set = Set { ask: None, expects: Vec::new(), said: vec![Drafted::Fact(fact)], at };
            self.store.say(set).map_err(Undone::of)?;
        }
        Ok(lapses.len())
    }

    /// Makes the code by which the first owner is known, where there is none yet.
    pub fn offer_code(&self) -> Option<&str> {
        if !self.owners().is_empty() || self.store.read_only().is_some() {
            return None;
        }
        let words = import::new_author().and_then(|first| Ok([first, import::new_author()?]));
        match words {
            // 128 bits.
            Ok([first, second]) => Some(self.manners.code.get_or_init(|| first.0 + &second.0)),
            Err(error) => {
                tracing::error!(%error, "no code could be made for the first owner");
                None
            }
        }
    }

    /// What can be said of the bot itself, and what it goes by.
    pub fn house(&self) -> House {
        House {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            doors: self.signs().doors(),
            owners: self.manners.owners.iter().map(Owner::address).collect(),
            lang: self.manners.lang,
            zone: self.manners.zone,
            two: self.manners.two.clone(),
            guard: Arc::clone(&self.manners.guard),
            code: self.manners.code.get().cloned(),
            backups: Some(self.manners.backups.clone()),
            vitals: {
                let desk = self.clone();
                kit::Vitals(Arc::new(move |lang| desk.tell_vitals(lang)))
            },
        }
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Answers an ask; what broke on our side is logged here, once.
    pub fn answer(&self, ask: &Ask) -> Reply {
        let since = Instant::now();
        let answer = commands::answer(&self.store, &self.house(), ask);
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(command = commands::called(&ask.line).map_or("", |command| command.name), micros, "answered");
        if let Some(cause) = answer.broke {
            tracing::error!(cause, "an ask could not be answered");
        }
        answer.reply
    }

    /// Answers a line typed at the terminal.
    pub fn console(&self, line: &str, role: Role, lang: Lang, zone: Option<Tz>) -> Reply {
        self.answer(&Ask {
            line: line.to_owned(),
            caller: Caller { address: None, role, incidents: Vec::new() },
            place: Place::terminal(),
            lang,
            zone: zone.or(Some(self.manners.zone)),
            at: Utc::now(),
            key: None,
            quoted: None,
        })
    }

    /// What a chat is told into which we were let.
    pub fn greeting(&self, lang: Lang) -> Reply {
        let words = lang.pick(
            "I am Strillone: I keep the public record of incidents, with a source for every claim, and cry every update.",
            "Sono Strillone: tengo il registro pubblico degli incidenti, con una fonte per ogni affermazione, e grido ogni novità.",
        );
        let ways = Line::new()
            .code("/subscribe")
            .text(lang.pick(" has the news posted here. ", " fa arrivare qui le novità. "))
            .code("/help")
            .text(lang.pick(" tells what else I can be asked.", " dice che cos'altro mi si può chiedere."));
        Reply::default().say(words).say(ways)
    }

    /// Imports one incident, for subscribers to hear of if `push` says so; `progress` hears of every durable item.
    pub fn import(
        &self,
        dossier: &Dossier,
        push: bool,
        progress: &mut dyn FnMut(&Imported, usize),
    ) -> Result<Imported, ImportError> {
        import::import(&self.store, dossier, Utc::now(), push, progress)
    }

    /// Reads a dossier's text.
    pub fn read_dossier(name: &str, text: &str) -> Result<Vec<Dossier>, Undone> {
        dossier::read(text).map_err(|fault| match fault.line {
            Some(line) => Undone(format!("{name}:{line}: {}", fault.what)),
            None => Undone(format!("{name}: {}", fault.what)),
        })
    }

    /// Loads the bundled dossiers that the store has not finished loading; tells which were loaded.
    pub fn load_bundled(&self, names: &[String]) -> Result<Vec<String>, Undone> {
        let mut loaded = Vec::new();
        for name in BTreeSet::from_iter(names) {
            let dossiers = crate::bundled::dossier(name)
                .ok_or_else(|| Undone(format!("no dossier called {name} is compiled in")))?
                .map_err(|fault| Undone(format!("the bundled dossier {name}: {fault}")))?;
            let new = import::load_bundled(&self.store, name, &dossiers, Utc::now(), &mut |_, _| {});
            if new.map_err(|error| Undone(format!("the bundled dossier {name}: {error}")))? {
                loaded.push(name.clone());
            }
        }
        Ok(loaded)
    }

    /// Writes the public record, whole or of one incident.
    pub fn export(&self, incident: Option<&str>, format: Format, out: &mut dyn Write) -> Result<(), Undone> {
        let view = self.store.view();
        let incidents: Vec<Incident> = match incident {
            None => view.incidents().map_err(Undone::of)?,
            Some(typed) => match find::incident(&view, typed).map_err(Undone::of)? {
                Found::One(incident) => vec![incident],
                Found::Several(handles) => {
                    let handles: Vec<String> = handles.into_iter().map(String::from).collect();
                    return Err(Undone(format!("{typed} could be several incidents: {}", handles.join(", "))));
                }
                Found::None(_) => return Err(Undone(format!("there is no incident {typed}"))),
            },
        };
        let written = match format {
            Format::Jsonl => export::jsonl(&view, &incidents, out),
            Format::Toml => export::toml(&view, &incidents, out),
            Format::Markdown => export::markdown(&view, &incidents, self.manners.lang, out),
        };
        written.map_err(Undone::of)?;
        out.flush().map_err(|error: io::Error| Undone::of(error))?;
        match self.store.read_only() {
            None => Ok(()),
            Some(reason) => Err(Undone(format!("the export may not be whole: {reason}"))),
        }
    }

    /// Compares everything in the store with everything.
    pub fn check(&self) -> Result<Report, Undone> {
        self.store.verify().map_err(Undone::of)
    }

    /// How the bot is as a whole, and line by line.
    pub fn health(&self) -> (Condition, Vec<String>) {
        let read_only = self.store.read_only();
        let mut lines = vec![match (&read_only, self.store.full()) {
            (None, None) => format!("store: in order, at commit {}", self.store.head().commit),
            (None, Some(why)) => format!("store: nothing is recorded: {why}"),
            (Some(reason), _) => format!("store: read-only: {reason}"),
        }];
        lines
            .extend(self.signs().doors().iter().map(|door| format!("{}: {}", door.name.to_lowercase(), door.state.en)));
        let (mut stalled, now) = (false, Utc::now().timestamp_millis());
        match dispatch::metrics::waiting(&self.store, now) {
            Ok(waiting) => {
                for (network, it) in waiting.into_iter().filter(|(_, it)| it.unreachable > 0 || it.oldest > 0) {
                    stalled |= it.oldest >= dispatch::metrics::STALLED;
                    lines.push(format!(
                        "deliveries on {}: {} channels cannot be reached, the oldest that can be waits {} s",
                        network.code(),
                        it.unreachable,
                        it.oldest / 1_000
                    ));
                }
            }
            Err(error) => {
                stalled = true;
                lines.push(format!("deliveries: cannot be read: {error}"));
            }
        }
        let condition = match (read_only, self.signs().condition()) {
            (Some(_), _) | (None, Condition::Down) => Condition::Down,
            (None, Condition::Well) if !stalled && self.store.full().is_none() => Condition::Well,
            (None, _) => Condition::Degraded,
        };
        lines.insert(0, format!("status: {}", condition.word()));
        (condition, lines)
    }
}

/// "Try again in 5 seconds."
fn slow_down(seconds: u64, lang: Lang) -> Reply {
    let words = match seconds {
        0 | 1 => lang
            .pick(
                "That was a lot at once. Please try again in 1 second.",
                "Sono tante domande insieme. Riprova fra 1 secondo.",
            )
            .to_owned(),
        n => lang.pick(
            format!("That was a lot at once. Please try again in {n} seconds."),
            format!("Sono tante domande insieme. Riprova fra {n} secondi."),
        ),
    };
    Reply::personal(Tone::Polite, words)
}
