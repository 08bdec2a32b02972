//! How long an incident has been quiet, and which promises lapsed.

use chrono::{DateTime, Utc};

use super::{Entry, Incident, Read_, View, local};
use crate::{
    entry::{Disclosure, Said},
    line::Line,
    private::Fact,
    silence::{self, Numbered, Silence},
    store::{
        StateError,
        keys::{self, List},
        state::Read,
    },
    when::{Order, When},
};

/// How many statements are looked through at most, the newest first: a card must not cost more the longer an incident is.
const LOOKED_THROUGH: usize = 1_000;

/// A promise that was not kept in time, and of which nobody was told.
#[derive(Clone, Debug)]
pub struct Lapse {
    /// The incident.
    pub incident: Incident,
    /// The statement that promised an update.
    pub promise: Entry,
}

impl View<'_> {
    /// How long an incident has been quiet; none once it is closed, for then nothing more is expected.
    pub fn silence(&self, incident: &Incident, at: DateTime<Utc>) -> Read_<Option<Silence>> {
        if self.status(incident, None)?.1 == Some(Disclosure::Closed) {
            return Ok(None);
        }
        let mut said: Vec<Entry> = Vec::new();
        for row in self.state.prefix(&keys::promises(incident.id).end()) {
            let (key, _) = row?;
            if let Some(number) = keys::last_number(&key)
                && let Some(entry) = self.entry(incident, number, None)?.filter(stands)
                && promises(&entry)
            {
                said.push(entry);
            }
        }
        let oldest = said.iter().filter_map(|it| it.said.when().and_then(When::earliest)).min();
        let (mut official, mut looked) = (false, 0);
        let now = local(at, incident.zone());
        for row in self.listed(incident, List::Statements) {
            let (order, number) = row?;
            // What comes now was said before every promise, and the last official statement is known.
            if official && oldest.is_none_or(|oldest| order < of(oldest)) {
                break;
            }
            looked += 1;
            if looked > LOOKED_THROUGH {
                // Whether a promise was kept is not known, so nothing is said of it.
                said.retain(|it| !promises(it));
                break;
            }
            let known = said.iter().any(|it| it.name.number == number);
            if !known && let Some(entry) = self.standing_at(incident, order, number, None)?.filter(stands) {
                said.push(entry);
            }
            official |= said.last().is_some_and(|it| {
                let past = it.said.when().and_then(When::earliest).is_none_or(|earliest| earliest <= now);
                past && matches!(&it.said, Said::Statement(it) if silence::is_official(it))
            });
        }
        let numbered: Vec<Numbered<'_>> = said
            .iter()
            .filter_map(|it| match &it.said {
                Said::Statement(said) => Some((it.name.number, said)),
                _ => None,
            })
            .collect();
        Ok(Some(silence::silence(&numbered, now)))
    }

    /// The promises that lapsed by some moment, and of which nobody was told: one an incident, the newest.
    pub fn lapses(&self, at: DateTime<Utc>) -> Read_<Vec<Lapse>> {
        let (mut lapses, mut seen) = (Vec::new(), None);
        for row in self.state.prefix(&keys::PROMISES) {
            let (key, _) = row?;
            let id = keys::promised_in(&key).ok_or_else(|| StateError::Damaged("a promise".to_owned()))?;
            if seen.replace(id) == Some(id) {
                continue;
            }
            let Some(incident) = self.incident_at(id)? else { continue };
            let promise = self.silence(&incident, at)?.and_then(|it| it.promise).filter(|it| it.overdue.is_some());
            if let Some(promise) = promise
                && self.state.get(&keys::lapsed(id, promise.number))?.is_none()
                && let Some(promise) = self.entry(&incident, promise.number, None)?
            {
                lapses.push(Lapse { incident, promise });
            }
        }
        Ok(lapses)
    }

    /// When the line of a commit was written.
    pub fn told_at(&self, commit: u64) -> Read_<Option<DateTime<Utc>>> {
        Ok(self.line(commit)?.map(|(header, _)| header.recorded_at))
    }

    /// The incident and the promise of which a line says that it lapsed; none if the line says something else.
    pub fn lapsed_at(&self, commit: u64) -> Read_<Option<(Incident, u32)>> {
        let Some((header, _)) = self.line(commit)?.filter(|(header, _)| header.kind == "lapsed") else {
            return Ok(None);
        };
        let Some(bytes) = self.state.get(&keys::line(header.commit))? else { return Ok(None) };
        let line = Line::read(&bytes).map_err(|error| StateError::Damaged(format!("commit {commit}: {error}")))?;
        match line.private.and_then(|private| private.fact) {
            Some(Fact::Lapsed { incident, number }) => {
                Ok(self.incident(incident.as_str())?.map(|incident| (incident, number)))
            }
            _ => Ok(None),
        }
    }
}

fn stands(entry: &Entry) -> bool {
    entry.retracted.is_none()
}

fn promises(entry: &Entry) -> bool {
    matches!(&entry.said, Said::Statement(it) if it.promises.is_some())
}

/// The order of the first thing that can have been said at a moment.
fn of(at: chrono::NaiveDateTime) -> Order {
    Order(When::minute(at).order().0, i64::MIN)
}
