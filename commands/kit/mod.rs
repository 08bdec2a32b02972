//! What every command is made of.

mod args;
pub(crate) mod chat;
pub(crate) mod compose;
mod conflict;
pub mod decide;
pub(crate) mod dialogue;
pub mod form;
pub mod letters;
mod line;
pub(crate) mod quote;
pub(crate) mod read;

use std::{fmt, path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use record::{
    channel::{Network, PlaceKind},
    guard::Guard,
    lang::{Lang, Text},
    pages::Reader,
    private::{Address, AskKey, Fact},
    reply::{Line, Reply, Tone},
    slug::Slug,
    store::{Drafted, NotSaid, Receipt, Set, StateError, Store},
    view::View,
};

pub use args::{AS_OF, Arg, Choice, FOLLOWED, FROM, INCIDENT, ORGANISATION, PAGE, Shape, Spec, TO, WHERE};
pub(crate) use args::{did_you_mean, read_flag, shown};
pub(crate) use compose::{Offers, Pen, Recording, published};
pub use decide::Danger;
pub use line::{Given, Typed, is_chat, typed};
pub(crate) use line::{by_names, example, missing};
pub use quote::Quoted;
pub(crate) use read::{ENTRY, LINK, named, sentence};

/// A command, defined once: registrations, help and documents are derived from it.
pub struct Command {
    /// Its name: `[a-z0-9_]{1,32}`, so that both networks take it.
    pub name: &'static str,
    /// What it does, in 1 to 100 characters (Discord's limit; Telegram's is 256).
    pub about: Text,
    /// Its arguments, those that must be given first.
    pub args: &'static [&'static Spec],
    /// Who may use it.
    pub who: Role,
    /// Whether it changes something for all in a chat, for which one must manage it.
    pub manages: bool,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// For commands that take sentences: how many arguments stand before the first `|`; each of the others is what
    /// stands between two of them.
    pub piped: Option<usize>,
    /// Whether it has news posted where it is asked, so that a door should look up whether that can be.
    pub posts: bool,
    /// Whether it changes something that no other field tells of: what is kept about a person, or who may do what.
    pub sets: bool,
    /// An example of its arguments.
    pub example: &'static str,
    /// What it does.
    pub run: fn(&Room<'_>, &Ask, &Given) -> Result<Reply, Failure>,
}

impl Command {
    /// `/timeline incident [page]`, or `/event incident when | text [| link]`.
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for (at, arg) in self.args.iter().enumerate() {
            let bar = if self.piped.is_some_and(|before| at >= before) { "| " } else { "" };
            let name = arg.name;
            usage += &if arg.required { format!(" {bar}{name}") } else { format!(" [{bar}{name}]") };
        }
        usage
    }

    /// Who may use it: whoever contributes may use what records, too, and what they give is a suggestion.
    pub fn least(&self) -> Role {
        if self.records() { self.who.min(Role::Contributor) } else { self.who }
    }

    /// How it is used where somebody asks: on Discord a form is filled in, with a field for each argument.
    pub fn usage_at(&self, ask: &Ask) -> String {
        if ask.network() != Some(Network::Discord) {
            return self.usage();
        }
        let args = self.args.iter().filter(|arg| arg.shape != Shape::Chat);
        args.fold(format!("/{}", self.name), |usage, arg| match arg.required {
            true => format!("{usage} {}", arg.name),
            false => format!("{usage} [{}]", arg.name),
        })
    }

    /// Whether it records, so that a form can ask for what a line of it lacks.
    pub fn records(&self) -> bool {
        self.piped.is_some() && self.who == Role::Moderator
    }

    /// Whether it only reads: the answer may be dropped, since the person can ask again and nothing is lost.
    pub fn is_question(&self) -> bool {
        self.who == Role::Reader && !self.manages && !self.posts && !self.sets && self.piped.is_none()
    }

    /// Whether it is called so.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// What somebody may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Asks.
    Reader,
    /// Suggests entries, with the commands that record them.
    Contributor,
    /// Records and corrects.
    Moderator,
    /// Decides who moderates.
    Owner,
}

/// One ask, from whatever door.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What was typed; a pressed button types its line.
    pub line: String,
    /// Who asks.
    pub caller: Caller,
    /// Where.
    pub place: Place,
    /// The language to answer in.
    pub lang: Lang,
    /// The zone to show clock times in, if one was chosen.
    pub zone: Option<Tz>,
    /// When.
    pub at: DateTime<Utc>,
    /// What makes it the same ask when it comes twice.
    pub key: Option<AskKey>,
    /// The message that it answers, if it answers one.
    pub quoted: Option<Quoted>,
}

impl Ask {
    /// The network on which is asked; none at the terminal.
    pub fn network(&self) -> Option<Network> {
        self.place.chat.as_ref().and_then(Address::network)
    }

    /// Whoever reads the answer.
    pub fn reader(&self) -> Reader {
        Reader { lang: self.lang, zone: self.zone }
    }

    /// One of two sentences, in the asker's language.
    pub fn say<T>(&self, en: T, it: T) -> T {
        self.lang.pick(en, it)
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where they are known; none for the operator at the terminal.
    pub address: Option<Address>,
    /// What they may do.
    pub role: Role,
    /// In which incidents they may do more than a reader; in all of them, if none is named.
    pub incidents: Vec<Slug>,
}

/// Where an ask comes from.
#[derive(Clone, Debug)]
pub struct Place {
    /// The chat whose choices count; none where nothing can be remembered, as at the terminal.
    pub address: Option<Address>,
    /// The chat itself with its topic or thread, where news would go; none where none can.
    pub chat: Option<Address>,
    /// What kind of place that is.
    pub kind: PlaceKind,
    /// Whether more people than the asker are there.
    pub shared: bool,
    /// Whether the asker may manage the chat; always so where they are alone.
    pub manages: bool,
    /// Whether we may post there.
    pub posting: Posting,
    /// Another chat that the asker names (`@channel`), as far as its door could look it up.
    pub elsewhere: Option<Elsewhere>,
    /// The language that the chat says is its own, where it says so.
    pub lang: Option<Lang>,
}

impl Place {
    /// The terminal: nobody else is there, and nothing can be remembered or posted.
    pub fn terminal() -> Place {
        Place {
            address: None,
            chat: None,
            kind: PlaceKind::Private,
            shared: false,
            manages: true,
            posting: Posting::Unknown,
            elsewhere: None,
            lang: None,
        }
    }
}

/// A chat other than the one in which is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// As it was named: `@channel`.
    pub name: String,
    /// Its address; none if there is no such chat, or we may not look at it.
    pub address: Option<Address>,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Whether the asker may manage it.
    pub manages: bool,
    /// Whether we may post there.
    pub posting: Posting,
}

/// Whether we may post in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// Nobody looked: it is not needed, or the platform did not say.
    Unknown,
    /// We may.
    May,
    /// We may not, for want of these rights.
    Lacks(Vec<Right>),
}

/// A right that is needed to post, and that somebody there can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Telegram: to be in the group or channel.
    Member,
    /// Telegram: to be an administrator of a channel, with *Post Messages*.
    PostInChannel,
    /// Telegram: not to be kept from writing in the group.
    WriteInGroup,
    /// Telegram: that the topic is open, or to be an administrator who may manage topics.
    OpenTopic,
    /// Discord: *View Channel*.
    ViewChannel,
    /// Discord: *Send Messages*.
    SendMessages,
    /// Discord: *Send Messages in Threads*.
    SendInThreads,
    /// Discord: *Embed Links*.
    EmbedLinks,
    /// Discord: that the role may be mentioned by anyone, or *Mention @everyone, @here and All Roles*.
    CallRole,
    /// Discord: to be installed in the place itself, not only for the person who asks.
    Installed,
}

impl Right {
    /// What is missing, and how it is granted.
    pub const fn text(self) -> Text {
        match self {
            Right::Member => Text {
                en: "I am not a member there: add me to the chat",
                it: "non ne faccio parte: aggiungimi alla chat",
            },
            Right::PostInChannel => Text {
                en: "I may not post there: make me an administrator of the channel, with the right to post messages",
                it: "non posso pubblicare lì: rendimi amministratore del canale, con il permesso di pubblicare messaggi",
            },
            Right::WriteInGroup => Text {
                en: "I may not write there: in the group's permissions, allow sending messages, or make me an administrator",
                it: "non posso scrivere lì: nei permessi del gruppo consenti l'invio di messaggi, oppure rendimi amministratore",
            },
            Right::OpenTopic => Text {
                en: "this topic is closed: reopen it, or make me an administrator with the right to manage topics",
                it: "questo argomento è chiuso: riaprilo, oppure rendimi amministratore con il permesso di gestire gli argomenti",
            },
            Right::ViewChannel => Text {
                en: "I cannot see the channel: in its settings, under Permissions, give my role “View Channel”",
                it: "non vedo il canale: nelle sue impostazioni, alla voce Permessi, dai al mio ruolo «Visualizza canale»",
            },
            Right::SendMessages => Text {
                en: "I may not write there: in the channel's settings, under Permissions, give my role “Send Messages”",
                it: "non posso scrivere lì: nelle impostazioni del canale, alla voce Permessi, dai al mio ruolo «Invia messaggi»",
            },
            Right::SendInThreads => Text {
                en: "I may not write in threads: in the settings of the channel above, under Permissions, give my role “Send Messages in Threads”",
                it: "non posso scrivere nei thread: nelle impostazioni del canale che li contiene, alla voce Permessi, dai al mio ruolo «Invia messaggi nei thread»",
            },
            Right::EmbedLinks => Text {
                en: "I may not embed links, and my posts are embeds: in the channel's settings, under Permissions, give my role “Embed Links”",
                it: "non posso incorporare link, e i miei messaggi lo richiedono: nelle impostazioni del canale, alla voce Permessi, dai al mio ruolo «Incorpora link»",
            },
            Right::CallRole => Text {
                en: "I cannot call that role: in the server's settings, under Roles, allow anyone to mention it, or give me “Mention @everyone, @here and All Roles”",
                it: "non posso chiamare quel ruolo: nelle impostazioni del server, alla voce Ruoli, permetti a chiunque di menzionarlo, oppure dammi «Menziona @everyone, @here e tutti i ruoli»",
            },
            Right::Installed => Text {
                en: "I am not part of this conversation, so I cannot post in it: add me to a server, or write to me directly",
                it: "non faccio parte di questa conversazione e non posso scrivere lì: aggiungimi a un server, oppure scrivimi direttamente",
            },
        }
    }
}

/// What a command works with: what is known at one commit number, and what can be said of the bot itself.
pub struct Room<'a> {
    /// To write.
    pub store: &'a Store,
    /// To read: taken once, so that an answer is never torn.
    pub view: View<'a>,
    /// The bot itself.
    pub house: &'a House,
}

/// One thing that is measured of the bot, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vital {
    /// What.
    pub what: String,
    /// How it is.
    pub how: String,
    /// Whether that is as it should be.
    pub well: bool,
}

impl Vital {
    /// As it should be.
    pub fn good(what: impl Into<String>, how: impl Into<String>) -> Vital {
        Vital { what: what.into(), how: how.into(), well: true }
    }

    /// Not as it should be.
    pub fn bad(what: impl Into<String>, how: impl Into<String>) -> Vital {
        Vital { well: false, ..Vital::good(what, how) }
    }
}

/// What is measured, by whoever measures it; it is worked out only for whoever asks.
#[derive(Clone)]
pub struct Vitals(pub Arc<dyn Fn(Lang) -> Vec<Vital> + Send + Sync>);

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vitals")
    }
}

impl Default for Vitals {
    fn default() -> Vitals {
        Vitals(Arc::new(|_| Vec::new()))
    }
}

/// What can be said of the bot itself, and what it goes by.
#[derive(Clone, Debug)]
pub struct House {
    /// Its version.
    pub version: String,
    /// The doors with their states in words.
    pub doors: Vec<Door>,
    /// Who may do everything, as the settings have it.
    pub owners: Vec<Address>,
    /// The language of those who say nothing of theirs.
    pub lang: Lang,
    /// The zone in which clock times are shown to those who chose none.
    pub zone: Tz,
    /// What two moderators have to want.
    pub two: Vec<Danger>,
    /// What is never recorded.
    pub guard: Arc<Guard>,
    /// The code by which the first owner is known, while there is none.
    pub code: Option<String>,
    /// Where backups lie; none if that is not known.
    pub backups: Option<PathBuf>,
    /// How it is.
    pub vitals: Vitals,
}

impl Default for House {
    fn default() -> House {
        House {
            version: String::new(),
            doors: Vec::new(),
            owners: Vec::new(),
            lang: Lang::En,
            zone: Tz::UTC,
            two: Vec::new(),
            guard: Arc::default(),
            code: None,
            backups: None,
            vitals: Vitals::default(),
        }
    }
}

/// A door and its state.
#[derive(Clone, Debug)]
pub struct Door {
    /// What it is called: "Telegram".
    pub name: &'static str,
    /// How it is, in words.
    pub state: Text,
}

/// Why an ask was not answered as hoped.
#[derive(Debug)]
pub enum Failure {
    /// Theirs: a kind reply to one person, and nothing changed.
    Refused(Box<Reply>),
    /// Ours: a log line with the cause, and an apology.
    Broke(String),
}

impl Failure {
    /// A kind sentence to the asker.
    pub fn refused(line: impl Into<Line>) -> Failure {
        Failure::Refused(Box::new(Reply::personal(Tone::Polite, line)))
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Failure {
        Failure::Broke(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(reply) => reply.blocks.iter().try_for_each(|block| match block {
                record::reply::Block::Text(line) => f.write_str(&line.plain()),
                _ => Ok(()),
            }),
            Failure::Broke(cause) => f.write_str(cause),
        }
    }
}

/// Writes a private fact for an ask; handed in twice, it is written once.
pub fn note(room: &Room<'_>, ask: &Ask, fact: Fact) -> Result<(), Failure> {
    say(room, ask, Set { ask: ask.key.clone(), expects: Vec::new(), said: vec![Drafted::Fact(fact)], at: ask.at })
        .map(|_| ())
}

/// Writes what an ask says. That the store takes no writes is told; what does not fit comes back as our fault, so a
/// command looks for it first.
pub fn say(room: &Room<'_>, ask: &Ask, set: Set) -> Result<Receipt, Failure> {
    room.store.say(set).map_err(|not_said| unsaid(ask, not_said))
}

/// Why nothing was written, as the asker is told.
pub(crate) fn unsaid(ask: &Ask, not_said: NotSaid) -> Failure {
    match not_said {
        NotSaid::ReadOnly(_) => Failure::refused(ask.say(
            "I cannot write anything down at the moment: my store takes no writes. Reading goes on. My operators have been told in the log.",
            "In questo momento non posso annotare nulla: il mio archivio non accetta scritture. La lettura continua. Chi mi gestisce lo trova nel registro.",
        )),
        NotSaid::Full(_) => Failure::refused(ask.say(
            "The disk I write on is nearly full, so I cannot write anything down at the moment. Nothing was changed; reading goes on, and so will writing once there is room. My owners are told.",
            "Il disco su cui scrivo è quasi pieno, perciò in questo momento non posso annotare nulla. Non è cambiato nulla; la lettura continua, e la scrittura riprenderà appena ci sarà spazio. Chi mi possiede è avvisato.",
        )),
        other => Failure::Broke(other.to_string()),
    }
}
