//! What is said to a channel: worked out when it is sent, once for all who read it in the same language and zone.

use std::{collections::HashMap, sync::Arc};

use chrono_tz::Tz;
use record::{
    channel::Channel,
    entry::{Level, Said},
    lang::Lang,
    outbox::Ms,
    pages::{self, How, Reader},
    reply::Reply,
    slug::Slug,
    store::{StateError, Store},
    view::{Entry, Incident, View},
};

/// When more replies than this are remembered, all are forgotten.
const REMEMBERED: usize = 512;

/// What was said lately.
#[derive(Default)]
pub struct Words {
    said: HashMap<Key, Arc<Reply>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    incident: Slug,
    /// The incident's last entry: nothing else changes what is said of it.
    last: u32,
    number: u32,
    /// The correction that is told of; none for the entry itself.
    correction: Option<u32>,
    how: How,
    lang: Lang,
    zone: Option<Tz>,
}

/// In which language and zone a channel reads.
pub fn reader(store: &Store, channel: &Channel, zone: Tz) -> Result<Reader, StateError> {
    let choice = store.view().choice(&channel.settings)?;
    Ok(Reader { lang: choice.lang.unwrap_or(channel.lang), zone: Some(choice.zone.unwrap_or(zone)) })
}

impl Words {
    /// An entry as it is posted.
    pub fn notice(
        &mut self,
        view: &View<'_>,
        (incident, entry): (&Incident, &Entry),
        how: &How,
        reader: &Reader,
    ) -> Result<Arc<Reply>, StateError> {
        let key = self.key(incident, entry, None, how, reader);
        self.remembered(key, || pages::notice(view, incident, entry, how, reader))
    }

    /// The short message about a correction.
    pub fn correction(
        &mut self,
        view: &View<'_>,
        (incident, entry): (&Incident, &Entry),
        correction: u32,
        how: &How,
        reader: &Reader,
    ) -> Result<Arc<Reply>, StateError> {
        let key = self.key(incident, entry, Some(correction), how, reader);
        self.remembered(key, || pages::correction(view, incident, entry, correction, how, reader))
    }

    fn key(&self, incident: &Incident, entry: &Entry, correction: Option<u32>, how: &How, reader: &Reader) -> Key {
        Key {
            incident: incident.handle.clone(),
            last: incident.last,
            number: entry.name.number,
            correction,
            how: how.clone(),
            lang: reader.lang,
            zone: reader.zone,
        }
    }

    fn remembered(
        &mut self,
        key: Key,
        make: impl FnOnce() -> Result<Reply, StateError>,
    ) -> Result<Arc<Reply>, StateError> {
        if let Some(known) = self.said.get(&key) {
            return Ok(Arc::clone(known));
        }
        if self.said.len() >= REMEMBERED {
            self.said.clear();
        }
        let reply = Arc::new(make()?);
        self.said.insert(key, Arc::clone(&reply));
        Ok(reply)
    }
}

/// An entry that was recorded at some commit, as it reads now.
pub struct Subject {
    /// Its incident.
    pub incident: Incident,
    /// What messages show: the entry, or what it corrects or retracts.
    pub entry: Entry,
    /// The number of the entry of that commit itself.
    pub number: u32,
    /// When that was recorded.
    pub at: Ms,
    /// If it corrects or retracts: how loudly; a retraction has no level.
    pub amends: Option<Option<Level>>,
}

/// What was recorded at a commit; none if it is gone, or nothing that is posted.
pub fn subject(view: &View<'_>, commit: u64) -> Result<Option<Subject>, StateError> {
    let Some((incident, number)) = view.recorded_at(commit)? else { return Ok(None) };
    let Some(entry) = view.entry(&incident, number, None)? else { return Ok(None) };
    let at = entry.recorded_at.timestamp_millis();
    let (about, amends) = match &entry.said {
        Said::Correction(it) => (it.subject.number(), Some(Some(it.level))),
        Said::Retraction(it) => (it.subject.number(), Some(None)),
        _ => (None, None),
    };
    let entry = match (amends, about) {
        (None, _) => entry,
        (Some(_), Some(about)) => match view.entry(&incident, about, None)? {
            Some(entry) => entry,
            None => return Ok(None),
        },
        (Some(_), None) => return Ok(None),
    };
    Ok(Some(Subject { incident, entry, number, at, amends }))
}

/// The commits under which messages about an entry may have been sent: its own, and those of its corrections.
pub fn commits(view: &View<'_>, subject: &Subject) -> Result<Vec<u64>, StateError> {
    let numbers = subject.entry.corrections.iter().map(|it| it.number);
    let numbers = std::iter::once(subject.entry.name.number)
        .chain(numbers)
        .chain(subject.entry.retracted.iter().map(|it| it.number));
    let mut commits = Vec::new();
    for number in numbers {
        commits.extend(view.commit_of(&subject.incident, number)?);
    }
    Ok(commits)
}
