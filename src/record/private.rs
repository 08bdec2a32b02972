//! Private facts: what we must know to serve people, journalled like everything else and never exported.

use std::fmt;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{entry::Author, lang::Lang};

/// What makes an ask the same ask when a platform hands it to us twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskKey {
    /// `telegram`, `discord`, `console`, `import`.
    pub platform: String,
    /// The bot's own id there: update ids are counted per bot.
    pub bot: String,
    /// The update's or interaction's id.
    pub id: String,
}

impl fmt::Display for AskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.platform, self.bot, self.id)
    }
}

/// Somebody or some place on a platform: `telegram:5`, `discord:77`, `telegram:-100123/4` for a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(pub String);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which bodies of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bodies {
    /// What everybody may see.
    Public,
    /// What only we may see.
    Private,
    /// Both.
    Both,
}

/// A fact that is not part of any incident's public record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Fact {
    /// Somebody who writes in the record, and the random name they have there.
    Person {
        /// Where they are known.
        address: Address,
        /// Their name in the record.
        author: Author,
    },
    /// What a person or a chat chose; what is left out stays as it was.
    Setting {
        /// Whose choice.
        address: Address,
        /// The language answers come in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lang: Option<Lang>,
        /// The zone clock times are shown in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Tz>,
    },
    /// Bodies were erased, by law or by wish; no copy may bring them back.
    Erasure {
        /// The commits of their lines.
        commits: Vec<u64>,
        /// Which of the lines' bodies.
        bodies: Bodies,
        /// Why, in words.
        why: String,
    },
    /// A bundled dossier was loaded to its end.
    Loaded {
        /// The dossier's name.
        dossier: String,
    },
}

impl Fact {
    /// The kind its header names.
    pub fn kind(&self) -> &'static str {
        match self {
            Fact::Person { .. } => "person",
            Fact::Setting { .. } => "setting",
            Fact::Loaded { .. } => "loaded",
            Fact::Erasure { .. } => "erasure",
        }
    }
}
