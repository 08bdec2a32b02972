//! Who may do what, what they prepared, and the trail that it leaves: rows of private facts.

use serde::{Deserialize, Serialize};

use super::{
    fold::{from_json, json},
    keys, letters,
    state::{Layer, Read, StateError},
};
use crate::{
    channel::Network,
    line::Header,
    private::{Address, Draft, Fact},
    rank::Ranked,
};

/// A draft, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRow {
    /// As it reads now.
    pub draft: Draft,
    /// What became of it.
    pub fate: Fate,
    /// Moderators who want it published, where more than one must.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Address>,
    /// The messages that showed it to moderators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
}

/// A message that shows a draft to a moderator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The moderator.
    pub to: Address,
    /// The chat that it is in.
    pub place: Address,
    /// Its number there.
    pub message: String,
}

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It waits.
    Open,
    /// It was published.
    Published {
        /// The commit of the line that says so: the last of its set.
        by: u64,
    },
    /// It was discarded.
    Discarded,
}

/// The last thing that somebody was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The command.
    pub command: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// Adds the rows of a fact about people and drafts.
pub(super) fn fold(layer: &mut Layer<'_>, header: &Header, fact: &Fact) -> Result<(), StateError> {
    match fact {
        Fact::Ranked { address, rank, incidents, .. } => match rank {
            Some(rank) => {
                let ranked = Ranked { rank: *rank, incidents: incidents.clone() };
                layer.put(keys::rank(&address.0), json(&ranked)?);
            }
            None => layer.forget(keys::rank(&address.0)),
        },
        Fact::Refused { address, command, .. } => {
            let row = RefusedRow { command: command.clone(), at: header.recorded_at.timestamp_millis() };
            layer.put(keys::refused(&address.0), json(&row)?);
        }
        Fact::Draft(draft) => {
            let row = DraftRow { draft: draft.clone(), fate: Fate::Open, approvals: Vec::new(), cards: Vec::new() };
            layer.put(keys::draft(header.commit), json(&row)?);
            if draft.suggested {
                letters::owe(layer, header.commit, Network::ALL)?;
                let by = draft.by.as_ref().map(|by| by.0.clone()).unwrap_or_default();
                layer.put(keys::suggestion(header.commit), by.into_bytes());
            }
        }
        Fact::Redraft { draft, importance, level, last, .. } => change_draft(layer, *draft, |row| {
            row.draft.importance = importance.or(row.draft.importance);
            row.draft.level = level.or(row.draft.level);
            row.draft.last = last.or(row.draft.last);
        })?,
        Fact::Approved { draft, by } => {
            change_draft(layer, *draft, |row| {
                if !row.approvals.contains(by) {
                    row.approvals.push(by.clone());
                }
            })?;
            letters::owe(layer, header.commit, Network::ALL)?;
        }
        Fact::Carded { draft, to, place, message } => {
            let card = Card { to: to.clone(), place: place.clone(), message: message.clone() };
            change_draft(layer, *draft, |row| row.cards.push(card))?;
        }
        Fact::Decided { draft, published, .. } => {
            let shown = letters::shown(layer, *draft)?;
            letters::owe(layer, header.commit, shown)?;
            change_draft(layer, *draft, |row| {
                row.draft.given.clear();
                row.fate = if *published { Fate::Published { by: header.commit } } else { Fate::Discarded };
            })?;
            layer.forget(keys::suggestion(*draft));
        }
        Fact::Told { of, network } => layer.forget(keys::letter(*network as u8, *of)),
        _ => return Ok(()),
    }
    if is_trail(fact) {
        layer.put(keys::trail(header.commit), Vec::new());
    }
    Ok(())
}

/// Forgets what a fact about a person made, since its body was erased.
pub(super) fn forget(layer: &mut Layer<'_>, commit: u64, fact: &Fact) -> Result<(), StateError> {
    match fact {
        Fact::Person { address, .. } => layer.forget(keys::person(&address.0)),
        Fact::Setting { address, .. } => layer.forget(keys::setting(&address.0)),
        Fact::Looked { address, .. } => layer.forget(keys::looked(&address.0)),
        Fact::Asking { address, .. } => layer.forget(keys::asking(&address.0)),
        Fact::Refused { address, .. } => layer.forget(keys::refused(&address.0)),
        Fact::Draft(_) => {
            let key = keys::draft(commit);
            if let Some(row) = layer.get(&key)? {
                let mut row: DraftRow = from_json(&row)?;
                row.draft.given.clear();
                row.draft.by = None;
                // What has no words any more cannot be published.
                if row.fate == Fate::Open {
                    row.fate = Fate::Discarded;
                }
                layer.put(key, json(&row)?);
            }
            layer.forget(keys::suggestion(commit));
        }
        _ => {}
    }
    Ok(())
}

/// Whether the trail tells of it: who may do what, what was refused, and what became of drafts.
fn is_trail(fact: &Fact) -> bool {
    match fact {
        Fact::Ranked { .. } | Fact::Refused { .. } | Fact::Approved { .. } | Fact::Decided { .. } => true,
        Fact::Draft(draft) => draft.suggested,
        _ => false,
    }
}

fn change_draft(layer: &mut Layer<'_>, commit: u64, change: impl FnOnce(&mut DraftRow)) -> Result<(), StateError> {
    let key = keys::draft(commit);
    if let Some(row) = layer.get(&key)? {
        let mut row: DraftRow = from_json(&row)?;
        if row.fate == Fate::Open {
            change(&mut row);
            layer.put(key, json(&row)?);
        }
    }
    Ok(())
}
