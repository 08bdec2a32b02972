//! A statement: what somebody said, who published it, and which claims it speaks for or against.

use serde::{Deserialize, Serialize};

use crate::{
    entry::Ref,
    lang::{Prose, worded},
    party::{Capacity, Party},
    when::When,
};

worded! {
    /// On which side of a claim a statement stands.
    Side {
        /// It says so.
        For = "for", "for", "a favore";
        /// It says not so.
        Against = "against", "against", "contro";
        /// It takes back what the same speaker had said for it.
        TakenBack = "taken-back", "takes it back", "ritratta";
    }
}

/// What a statement says of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stance {
    /// The claim.
    pub claim: Ref,
    /// For or against.
    pub side: Side,
}

/// A few words as they were said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The language they were said in (BCP 47).
    pub lang: String,
    /// The words, at most [`Quote::MAX_CHARS`] characters.
    pub text: String,
}

impl Quote {
    /// A quotation stays short.
    pub const MAX_CHARS: usize = 500;
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Who said it; none for sources that are not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Party>,
    /// In what capacity.
    pub capacity: Capacity,
    /// Who published it, where that is not the speaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<Party>,
    /// When it was published.
    pub date: When,
    /// Up to when it looked, for a finding of absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<When>,
    /// What it says, in our words.
    pub gist: Prose,
    /// A short quotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// By when it promises an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promises: Option<When>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Ref>,
    /// The claims it speaks for or against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Stance>,
}
