//! Whether an incident's entries are those that were recorded, one after the other.

use super::{Incident, Read_, View};
use crate::{
    line::{Hash, Line},
    store::{EntryRow, StateError, keys, state::Read},
};

/// What following an incident's chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// How many entries were followed, up to the last one.
    pub followed: u32,
    /// The hash of the last entry's header: whoever has it can tell any change before it.
    pub head: Hash,
    /// The first entry that is not what was recorded, if one is not.
    pub broken: Option<u32>,
}

impl View<'_> {
    /// Follows an incident's chain over its last entries, so many at most.
    pub fn chain(&self, incident: &Incident, most: u32) -> Read_<Chain> {
        let first = incident.last.saturating_sub(most.max(1) - 1).max(1);
        let (mut before, mut broken) = (None, None);
        for number in first..=incident.last {
            let line = self.line_of(incident, number)?;
            let place = line.as_ref().and_then(|line| line.header.entry.as_ref());
            let fits = place.is_some_and(|place| {
                place.number == number
                    && place.incident == incident.handle
                    && before.is_none_or(|before| place.previous == before)
                    && (number > 1 || place.previous == Hash::NONE)
            });
            if !fits {
                broken = broken.or(Some(number));
            }
            before = line.map(|line| line.hash);
        }
        Ok(Chain { followed: incident.last + 1 - first, head: before.unwrap_or(Hash::NONE), broken })
    }

    /// The line of an entry; none if it cannot be read as one.
    fn line_of(&self, incident: &Incident, number: u32) -> Read_<Option<Line>> {
        let Some(row) = EntryRow::read(self.state, incident.id, number)? else { return Ok(None) };
        let bytes = self.state.get(&keys::line(row.commit))?;
        let bytes = bytes.ok_or_else(|| StateError::Damaged(format!("commit {} is not there", row.commit)))?;
        Ok(Line::read(&bytes).ok())
    }
}
