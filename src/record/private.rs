//! Private facts: what we must know to serve people, journalled like everything else and never exported.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    channel::{ChannelNumber, Network, PlaceKind},
    entry::{Author, Importance, Level},
    lang::Lang,
    outbox::Left,
    rank::Rank,
    slug::Slug,
    subscription::{Follow, What},
};

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
        /// Who had it done; none for whoever wished to be forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Address>,
    },
    /// A bundled dossier was loaded to its end.
    Loaded {
        /// The dossier's name.
        dossier: String,
    },
    /// A channel follows something from this commit on; if it did before, only what it wants of it changes.
    Subscription {
        /// Where news goes.
        address: Address,
        /// The chat whose choice of language and zone counts there.
        settings: Address,
        /// What kind of place it is.
        place: PlaceKind,
        /// The language it was asked for in.
        lang: Lang,
        /// Who asked for it, where no [`Fact::Keeper`] says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Address>,
        /// What it follows, and what of it.
        follow: Follow,
    },
    /// Who is told of trouble with a channel: whoever asked last. A fact of its own, so that it can be erased and the
    /// channel stay.
    Keeper {
        /// Which channel.
        address: Address,
        /// Who.
        by: Address,
    },
    /// A channel does not follow something any more.
    Unsubscription {
        /// Which channel.
        address: Address,
        /// What; none for everything that it follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<What>,
    },
    /// A channel does not want to hear of an incident for a while, or wants to again.
    Mute {
        /// Which channel.
        address: Address,
        /// The incident.
        incident: Slug,
        /// Whether it wants to again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        off: bool,
        /// Until when; none for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// A chat has another address now: its subscriptions, choices and what was delivered follow.
    Moved {
        /// The chat's address before.
        from: Address,
        /// And now.
        to: Address,
    },
    /// An entry is about to be sent to whoever follows it.
    Begun {
        /// The entry's commit.
        broadcast: u64,
    },
    /// An entry was sent to whoever follows it, or could not be; several lines if there are many.
    Drained {
        /// The entry's commit.
        broadcast: u64,
        /// The messages of each channel that has it, by the channel's number; none of them if their numbers are lost.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        copies: BTreeMap<ChannelNumber, Left>,
        /// The channels that could not be reached, and are still to have it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owed: Vec<ChannelNumber>,
        /// Whether this is the last of the lines.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// How far running broadcasts are, at most once a second: after a lost state only the channels that may have been
    /// attempted since are uncertain. Format 2.
    Delivered {
        /// The messages of the channels that are done since the last such line, by the entry's commit and the channel's
        /// number.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        done: BTreeMap<u64, BTreeMap<ChannelNumber, Left>>,
        /// The channels that may be attempted until the next such line, by the entry's commit; it takes the place of what
        /// earlier lines said.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        next: BTreeMap<u64, Vec<ChannelNumber>>,
    },
    /// Somebody looked at what is new.
    Looked {
        /// The person or the chat.
        address: Address,
        /// Everything up to this commit was shown.
        commit: u64,
    },
    /// Something to be recorded once it is published; its number is this line's commit.
    Draft(Draft),
    /// A draft reads otherwise from now on.
    Redraft {
        /// The draft.
        draft: u64,
        /// How much its entry matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        importance: Option<Importance>,
        /// How loudly its correction is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<Level>,
        /// The incident's last entry, which whoever decides has been told of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<u32>,
    },
    /// A draft was published with the entries of this set, or discarded.
    Decided {
        /// The draft.
        draft: u64,
        /// Whether it was published.
        published: bool,
        /// Who decided; none for the operator at the terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Address>,
    },
    /// A moderator wants a draft published, which a second one has to want as well.
    Approved {
        /// The draft.
        draft: u64,
        /// The moderator.
        by: Address,
    },
    /// A draft was shown to a moderator.
    Carded {
        /// The draft.
        draft: u64,
        /// The moderator.
        to: Address,
        /// The chat that the message is in.
        place: Address,
        /// The message's number there, in digits.
        message: String,
    },
    /// Everybody on a network who has to know what a line says of a draft or a promise was told.
    Told {
        /// The line's commit.
        of: u64,
        /// The network.
        network: Network,
    },
    /// Somebody may do something from now on, or nothing any more.
    Ranked {
        /// Who.
        address: Address,
        /// What; none takes it away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rank: Option<Rank>,
        /// In which incidents; in all of them, if none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        incidents: Vec<Slug>,
        /// Who gave it; none for the operator at the terminal, or for whoever had the code of the first start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Address>,
    },
    /// Somebody wanted to do what they may not.
    Refused {
        /// Who.
        address: Address,
        /// The command.
        command: String,
    },
    /// The update that a statement promised did not come in time.
    Lapsed {
        /// The incident.
        incident: Slug,
        /// The statement's number there.
        number: u32,
    },
    /// Somebody is asked, in a chat, for the parts of a command one after the other; until when, the time of the
    /// newest line says.
    Asking {
        /// The chat.
        address: Address,
        /// The command that is begun, in the place of any other; none where what is under way goes on or ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        /// What was given, by the arguments' names: only what was not known before.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        given: BTreeMap<String, String>,
        /// An argument that is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        without: Option<String>,
        /// Whether it is over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
    },
}

/// A command that records, as it was given: what it records is worked out anew when it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Who gave it; none for the operator at the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Address>,
    /// The command's name.
    pub command: String,
    /// Its arguments, by their names.
    pub given: BTreeMap<String, String>,
    /// The language its texts are in.
    pub lang: Lang,
    /// For a correction or retraction: the newest change of the entry that whoever gave it saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u32>,
    /// How much its entry matters; normal, or as before, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// How loudly its correction is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Whether it was suggested: whoever gave it may not publish it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suggested: bool,
    /// The incident's last entry that whoever gave it, or decides about it, could know of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
}

impl Fact {
    /// Whom the fact is about, so that it is erased when they wish to be forgotten: what they chose, looked at,
    /// suggested, prepared, were asked for and refused, what they asked for on behalf of a chat, and who stands behind
    /// their name in the record. Not what they decided.
    pub fn about(&self) -> Option<&Address> {
        match self {
            Fact::Person { address, .. }
            | Fact::Setting { address, .. }
            | Fact::Looked { address, .. }
            | Fact::Asking { address, .. }
            | Fact::Refused { address, .. } => Some(address),
            Fact::Keeper { by, .. } => Some(by),
            Fact::Draft(draft) => draft.by.as_ref(),
            _ => None,
        }
    }

    /// The kind its header names.
    pub fn kind(&self) -> &'static str {
        match self {
            Fact::Person { .. } => "person",
            Fact::Setting { .. } => "setting",
            Fact::Loaded { .. } => "loaded",
            Fact::Erasure { .. } => "erasure",
            Fact::Subscription { .. } => "subscription",
            Fact::Keeper { .. } => "keeper",
            Fact::Unsubscription { .. } => "unsubscription",
            Fact::Mute { .. } => "mute",
            Fact::Moved { .. } => "moved",
            Fact::Begun { .. } => "begun",
            Fact::Drained { .. } => "drained",
            Fact::Delivered { .. } => "delivered",
            Fact::Looked { .. } => "looked",
            Fact::Draft(_) => "draft",
            Fact::Redraft { .. } => "redraft",
            Fact::Decided { .. } => "decided",
            Fact::Approved { .. } => "approved",
            Fact::Carded { .. } => "carded",
            Fact::Told { .. } => "told",
            Fact::Ranked { .. } => "ranked",
            Fact::Refused { .. } => "refused",
            Fact::Lapsed { .. } => "lapsed",
            Fact::Asking { .. } => "asking",
        }
    }
}
