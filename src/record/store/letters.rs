//! What people have to be told of in private, and who was told: moderators of what waits for them, whoever suggested
//! something of what became of it.
//!
//! A fact of which somebody has to hear makes a row for each network, which stays until everybody there was told. What
//! they are told is not kept: it is worked out from what is known when they are. That a row was gone through is
//! journalled; who of them was told already is not, so a state that is folded anew in between tells it once more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    fold::{from_json, json},
    keys,
    people::DraftRow,
    state::{Layer, Read, Rows, State, StateError},
};
use crate::channel::Network;

/// Something that people on a network have to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The commit of the line that says so.
    pub of: u64,
    /// The network.
    pub network: Network,
    /// How far it is.
    pub went: Went,
}

/// How far an errand is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Went {
    /// The marks of the letters that were brought, or cannot be.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<String>,
    /// The mark of the letter that is under way: it may have arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flying: Option<String>,
}

/// The errands of a store. Every change is applied at once; it is durable after the ledger was synced.
#[derive(Clone, Copy)]
pub struct Letters<'a> {
    state: &'a State,
}

impl<'a> Letters<'a> {
    pub(super) fn of(state: &'a State) -> Letters<'a> {
        Letters { state }
    }

    /// What people on a network have to be told of, oldest first.
    pub fn on(&self, network: Network) -> Result<Vec<Errand>, StateError> {
        let rows = self.state.prefix(&keys::letters(network as u8).end());
        rows.map(|row| {
            let (key, went) = row?;
            let of = keys::last_commit(&key).ok_or_else(|| StateError::Damaged("a letter".to_owned()))?;
            Ok(Errand { of, network, went: from_json(&went)? })
        })
        .collect()
    }

    /// Notes how far an errand is.
    pub fn note(&self, errand: &Errand) -> Result<(), StateError> {
        let key = keys::letter(errand.network as u8, errand.of);
        self.state.apply(Rows::from([(key, Some(json(&errand.went)?))]))
    }

    /// An errand on which nobody had to be told anything is over: a fold anew finds the same.
    pub fn drop_empty(&self, errand: &Errand) -> Result<(), StateError> {
        self.state.remove(&keys::letter(errand.network as u8, errand.of))
    }
}

/// Has people on networks be told of a line.
pub(super) fn owe(
    layer: &mut Layer<'_>,
    commit: u64,
    networks: impl IntoIterator<Item = Network>,
) -> Result<(), StateError> {
    for network in networks {
        layer.put(keys::letter(network as u8, commit), json(&Went::default())?);
    }
    Ok(())
}

/// The networks of everybody who knows of a draft: who was shown it, wants it, or suggested it.
pub(super) fn shown(layer: &Layer<'_>, draft: u64) -> Result<Vec<Network>, StateError> {
    let Some(row) = layer.get(&keys::draft(draft))? else { return Ok(Vec::new()) };
    let row: DraftRow = from_json(&row)?;
    let suggested = row.draft.by.iter().filter(|_| row.draft.suggested);
    let people: Vec<_> = row.cards.iter().map(|card| &card.to).chain(&row.approvals).chain(suggested).collect();
    Ok(Network::ALL.into_iter().filter(|network| people.iter().any(|who| who.network() == Some(*network))).collect())
}
