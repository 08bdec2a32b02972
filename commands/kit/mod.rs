//! What every command is made of.

mod args;
mod line;

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use record::{
    lang::{Lang, Text},
    pages::Reader,
    private::{Address, AskKey, Fact},
    reply::{Line, Reply, Tone},
    store::{Drafted, NotSaid, Set, StateError, Store},
    view::View,
};

pub use args::{AS_OF, Arg, Choice, FROM, INCIDENT, ORGANISATION, PAGE, Shape, Spec, TO};
pub use line::{Given, Typed, typed};

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
    /// An example of its arguments.
    pub example: &'static str,
    /// What it does.
    pub run: fn(&Room<'_>, &Ask, &Given) -> Result<Reply, Failure>,
}

impl Command {
    /// `/timeline incident [page]`.
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for arg in self.args {
            let name = arg.name;
            usage += &if arg.required { format!(" {name}") } else { format!(" [{name}]") };
        }
        usage
    }
}

/// What somebody may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Asks.
    Reader,
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
}

impl Ask {
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
}

/// Where an ask comes from.
#[derive(Clone, Debug)]
pub struct Place {
    /// The chat; none where nothing can be remembered, as at the terminal.
    pub address: Option<Address>,
    /// Whether more people than the asker are there.
    pub shared: bool,
    /// Whether the asker may manage the chat; always so where they are alone.
    pub manages: bool,
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

/// What can be said of the bot itself.
#[derive(Clone, Debug, Default)]
pub struct House {
    /// Its version.
    pub version: String,
    /// The doors with their states in words.
    pub doors: Vec<Door>,
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

/// Writes private facts for an ask; handed in twice, it is written once.
pub fn note(room: &Room<'_>, ask: &Ask, fact: Fact) -> Result<(), Failure> {
    let set = Set { ask: ask.key.clone(), expects: Vec::new(), said: vec![Drafted::Fact(fact)], at: ask.at };
    match room.store.say(set) {
        Ok(_) => Ok(()),
        Err(NotSaid::ReadOnly(_)) => Err(Failure::refused(ask.say(
            "I cannot write anything down at the moment: my store takes no writes. Reading goes on. My operators have been told in the log.",
            "In questo momento non posso annotare nulla: il mio archivio non accetta scritture. La lettura continua. Chi mi gestisce lo trova nel registro.",
        ))),
        Err(other) => Err(Failure::Broke(other.to_string())),
    }
}
