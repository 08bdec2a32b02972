//! What is said to a channel: worked out when it is sent, once for all who read it in the same language and zone.

use std::{collections::HashMap, sync::Arc};

use chrono_tz::Tz;
use record::{
    channel::Channel,
    entry::{Author, Importance, Level, Ref, Retraction, Said},
    lang::{Lang, Prose},
    outbox::Ms,
    pages::{self, How, Reader},
    reply::Reply,
    slug::Slug,
    store::{StateError, Store},
    view::{Entry, Erased, Incident, View},
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
    /// What is said of it instead once its text was erased, which no entry tells.
    commit: u64,
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
            commit: entry.commit,
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
    /// Whether what is told of is that its promise lapsed.
    pub lapse: bool,
    /// If it corrects or retracts: how loudly; a retraction has no level.
    pub amends: Option<Option<Level>>,
}

/// What was recorded at a commit; none if it is gone, or nothing that is posted.
pub fn subject(view: &View<'_>, commit: u64) -> Result<Option<Subject>, StateError> {
    let Some((incident, number)) = view.recorded_at(commit)? else { return erased(view, commit) };
    let Some(entry) = view.entry(&incident, number, None)? else { return erased(view, commit) };
    if entry.commit != commit && view.lapsed_at(commit)?.is_some() {
        let at = view.told_at(commit)?.unwrap_or(entry.recorded_at).timestamp_millis();
        return Ok(Some(Subject { incident, entry, number, at, lapse: true, amends: None }));
    }
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
    Ok(Some(Subject { incident, entry, number, at, lapse: false, amends }))
}

/// An entry whose text was erased, as messages show it from then on: taken back, without a word of what it said.
fn erased(view: &View<'_>, commit: u64) -> Result<Option<Subject>, StateError> {
    let Some(Erased { incident, number, at, why }) = view.erasure_at(commit)? else { return Ok(None) };
    let words = |lead: &str| format!("{lead}: {why}");
    let why =
        Prose::both(words("The text of this entry was erased"), words("Il testo di questa voce è stato cancellato"));
    let Ok(why) = why else { return Ok(None) };
    let entry = Entry {
        name: incident.name(number),
        commit,
        recorded_at: at,
        author: Author(String::new()),
        key: incident.handle.clone(),
        importance: Importance::Normal,
        known: None,
        first_importance: Importance::Normal,
        first_known: None,
        dossier: false,
        cite: 0,
        said: Said::Retraction(Retraction { subject: Ref::Number(number), why }),
        was: None,
        corrections: Vec::new(),
        retracted: None,
    };
    Ok(Some(Subject { incident, entry, number, at: at.timestamp_millis(), lapse: false, amends: Some(None) }))
}

/// The commits under which messages about an entry may have been sent: its own, and those of its corrections.
pub fn commits(view: &View<'_>, subject: &Subject) -> Result<Vec<u64>, StateError> {
    let own = subject.entry.name.number;
    let numbers = std::iter::once(own).chain(view.revisions(&subject.incident, own)?);
    let mut commits = Vec::new();
    for number in numbers {
        commits.extend(view.commit_of(&subject.incident, number)?);
    }
    Ok(commits)
}
