//! What somebody may do besides asking.

use serde::{Deserialize, Serialize};

use crate::{lang::worded, slug::Slug};

worded! {
    /// What somebody may do; each may do what those before it may.
    Rank {
        /// Suggests entries, in the same words as those who record them.
        Contributor = "contributor", "contributor", "collaboratore";
        /// Records, corrects, and decides about suggestions.
        Moderator = "moderator", "moderator", "moderatore";
        /// Decides who moderates.
        Owner = "owner", "owner", "titolare";
    }
}

/// What somebody was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// What they may do.
    pub rank: Rank,
    /// In which incidents; in all of them, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Slug>,
}
