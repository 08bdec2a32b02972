//! Where the words of an entry, and what is known of a person, stand in the journal: for whoever has them erased.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Incident, Read_, View};
use crate::{
    entry::EntryName,
    line::{Line, Public},
    private::{Address, Bodies, Fact},
    store::{StateError, keys, state::Read},
};

/// How far behind an entry the line stands at most that says which draft became it: the name of its author may be
/// between, and the sources that came with it are before it.
const DECIDED_WITHIN: u64 = 4;
/// How far before a draft its dialogue is looked for.
const ASKED_WITHIN: u64 = 500;

/// An erasure that is told like a retraction.
#[derive(Clone, Debug)]
pub struct Erased {
    /// The incident.
    pub incident: Incident,
    /// The entry's number there.
    pub number: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in words.
    pub why: String,
}

impl View<'_> {
    fn fact_at(&self, commit: u64) -> Read_<Option<(Line, Option<Fact>)>> {
        let Some(bytes) = self.state.get(&keys::line(commit))? else { return Ok(None) };
        let mut line = Line::read(&bytes).map_err(|error| StateError::Damaged(format!("commit {commit}: {error}")))?;
        let fact = line.private.as_mut().and_then(|private| private.fact.take());
        Ok(Some((line, fact)))
    }

    /// What a line says that is no public entry; none if it is one, or was erased.
    pub fn fact(&self, commit: u64) -> Read_<Option<Fact>> {
        Ok(self.fact_at(commit)?.and_then(|(_, fact)| fact))
    }

    /// What was said in public when an entry was recorded; none if it is not there, or was erased.
    pub fn public(&self, name: &EntryName) -> Read_<Option<Public>> {
        let Some(incident) = self.incident(name.incident.as_str())? else { return Ok(None) };
        let Some(commit) = self.commit_of(&incident, name.number)? else { return Ok(None) };
        Ok(self.fact_at(commit)?.and_then(|(line, _)| line.public))
    }

    /// The name of the entry that a line records, also where the line is newer than what this view shows: a row of the
    /// state may tell of it a moment before its commit is everybody's.
    pub fn name_at(&self, commit: u64) -> Read_<Option<EntryName>> {
        let place = self.fact_at(commit)?.and_then(|(line, _)| line.header.entry);
        Ok(place.map(|place| EntryName { incident: place.incident, number: place.number }))
    }

    /// The numbers of the corrections and retractions of an entry, in order.
    pub fn revisions(&self, incident: &Incident, number: u32) -> Read_<Vec<u32>> {
        let prefix = keys::Key::of(b'c').n32(incident.id).n32(number).end();
        let rows = self.state.prefix(&prefix);
        rows.map(|row| {
            let (key, _) = row?;
            keys::last_number(&key).ok_or_else(|| StateError::Damaged("a revision".to_owned()))
        })
        .collect()
    }

    /// The erasure that a line tells of, if it is of an entry.
    pub fn erasure_at(&self, commit: u64) -> Read_<Option<Erased>> {
        let Some((line, Some(Fact::Erasure { commits, bodies, why, .. }))) = self.fact_at(commit)? else {
            return Ok(None);
        };
        let Some(first) = commits.first().filter(|_| bodies != Bodies::Private) else { return Ok(None) };
        let Some((incident, number)) = self.recorded_at(*first)? else { return Ok(None) };
        Ok(Some(Erased { incident, number, at: line.header.recorded_at, why }))
    }

    /// The lines that hold an entry's words: its own and those of what changed it (public bodies), and those of the
    /// drafts and dialogues that they came from (private bodies).
    pub fn traces_of_entry(&self, incident: &Incident, number: u32) -> Read_<(Vec<u64>, Vec<u64>)> {
        let mut public = Vec::new();
        for number in [number].into_iter().chain(self.revisions(incident, number)?) {
            public.extend(self.commit_of(incident, number)?);
        }
        let mut private = BTreeSet::new();
        for commit in &public {
            for near in *commit + 1..=*commit + DECIDED_WITHIN {
                if let Some((_, Some(Fact::Decided { draft, published: true, .. }))) = self.fact_at(near)? {
                    self.traces_of_draft(draft, &mut private)?;
                    break;
                }
            }
        }
        Ok((public, private.into_iter().collect()))
    }

    /// A draft's line, those of the drafts that it was edited from, and those of the dialogue that it came from.
    fn traces_of_draft(&self, draft: u64, private: &mut BTreeSet<u64>) -> Read_<()> {
        let mut at = draft;
        while private.insert(at) {
            let by = match self.fact_at(at)? {
                Some((_, Some(Fact::Draft(draft)))) => draft.by,
                _ => return Ok(()),
            };
            for near in (at.saturating_sub(ASKED_WITHIN)..at).rev() {
                match self.fact_at(near)? {
                    Some((_, Some(Fact::Asking { address, command, .. }))) if Some(&address) == by.as_ref() => {
                        private.insert(near);
                        if command.is_some() {
                            break;
                        }
                    }
                    _ => {}
                }
            }
            match self.fact_at(at - 1)? {
                Some((_, Some(Fact::Decided { draft: before, published: false, .. }))) if before < at => at = before,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The lines that are about a person, as [`Fact::about`] has it, oldest first.
    pub fn traces_of_person(&self, who: &Address) -> Read_<Vec<u64>> {
        let rows = self.state.prefix(&keys::traces(&who.0).end());
        rows.map(|row| {
            let (key, _) = row?;
            keys::last_commit(&key).ok_or_else(|| StateError::Damaged("a trace".to_owned()))
        })
        .collect()
    }
}
