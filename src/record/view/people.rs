//! Who may do what, drafts, and the trail.

use chrono::{DateTime, Utc};

use super::{Read_, View};
use crate::{
    line::Line,
    private::{Address, Fact},
    rank::{Rank, Ranked},
    slug::Slug,
    store::{DraftRow, RefusedRow, StateError, keys, state::Read},
};

/// Something that the trail tells.
#[derive(Clone, Debug)]
pub struct Trailed {
    /// Its commit.
    pub commit: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was done; none if it was erased.
    pub fact: Option<Fact>,
}

impl View<'_> {
    /// A draft, and what became of it.
    pub fn draft(&self, number: u64) -> Read_<Option<DraftRow>> {
        self.state.get(&keys::draft(number))?.map(|row| read(&row)).transpose()
    }

    /// The suggestions that wait, oldest first: their numbers, and who made them.
    pub fn suggestions(&self) -> Read_<Vec<(u64, Address)>> {
        let rows = self.state.prefix(&keys::SUGGESTIONS);
        rows.map(|row| {
            let (key, by) = row?;
            let number = keys::last_commit(&key).ok_or_else(|| StateError::Damaged("a suggestion".to_owned()))?;
            Ok((number, Address(String::from_utf8_lossy(&by).into_owned())))
        })
        .collect()
    }

    /// What somebody was given.
    pub fn rank(&self, address: &Address) -> Read_<Option<Ranked>> {
        self.state.get(&keys::rank(&address.0))?.map(|row| read(&row)).transpose()
    }

    /// Everybody who was given something, by their addresses.
    pub fn ranks(&self) -> Read_<Vec<(Address, Ranked)>> {
        let rows = self.state.prefix(&keys::RANKS);
        rows.map(|row| {
            let (key, ranked) = row?;
            Ok((Address(String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned()), read(&ranked)?))
        })
        .collect()
    }

    /// Everybody who may decide about an incident, `owners` among them.
    pub fn moderators(&self, owners: &[Address], incident: &Slug) -> Read_<Vec<Address>> {
        let mut all = owners.to_vec();
        for (address, ranked) in self.ranks()? {
            let here = ranked.incidents.is_empty() || ranked.incidents.contains(incident);
            if ranked.rank >= Rank::Moderator && here && !all.contains(&address) {
                all.push(address);
            }
        }
        Ok(all)
    }

    /// The last thing that somebody was refused.
    pub fn refused(&self, address: &Address) -> Read_<Option<RefusedRow>> {
        self.state.get(&keys::refused(&address.0))?.map(|row| read(&row)).transpose()
    }

    /// The trail, the newest first.
    pub fn trail(&self) -> impl Iterator<Item = Read_<Trailed>> + '_ {
        self.state.prefix(&keys::TRAIL).rev().map(|row| {
            let (key, _) = row?;
            let commit = keys::last_commit(&key).ok_or_else(|| StateError::Damaged("the trail".to_owned()))?;
            let bytes = self.state.get(&keys::line(commit))?;
            let bytes = bytes.ok_or_else(|| StateError::Damaged(format!("commit {commit} is not there")))?;
            let line = Line::read(&bytes).map_err(|error| StateError::Damaged(format!("commit {commit}: {error}")))?;
            let fact = line.private.and_then(|private| private.fact);
            Ok(Trailed { commit, at: line.header.recorded_at, fact })
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(row: &[u8]) -> Read_<T> {
    serde_json::from_slice(row).map_err(|error| StateError::Damaged(error.to_string()))
}
