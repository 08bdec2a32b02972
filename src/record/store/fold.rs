//! From a line to the rows it makes. Rows are added and never changed (but for heads and counters), each under the
//! commit that made it, so that a reader at an earlier commit simply does not see them.

use serde::{Deserialize, Serialize};

use super::{
    keys::{self, IncidentId, List},
    state::{Layer, Read, StateError},
};
use crate::{
    entry::{Kind, Said},
    lang::Lang,
    line::{Hash, Line, Place, Public},
    private::{Bodies, Fact},
};

/// Which shape the rows have: another shape is folded again.
pub const SHAPE: &[u8] = b"1";

/// The newest line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its commit number; 0 for an empty store.
    pub commit: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first line.
    pub const NONE: Head = Head { commit: 0, hash: Hash::NONE };

    pub(super) fn read(from: &dyn Read) -> Result<Head, StateError> {
        let Some(row) = from.get(keys::HEAD)? else { return Ok(Head::NONE) };
        let read = || {
            let (commit, hash) = row.split_first_chunk::<8>()?;
            Some(Head { commit: u64::from_be_bytes(*commit), hash: Hash(hash.try_into().ok()?) })
        };
        read().ok_or_else(|| damaged("its head"))
    }

    fn write(self) -> Vec<u8> {
        [self.commit.to_be_bytes().as_slice(), &self.hash.0].concat()
    }
}

/// Where an incident stands for its next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentHead {
    /// Its id in this state.
    pub id: IncidentId,
    /// The number of its last entry.
    pub number: u32,
    /// The hash of that entry's header.
    pub hash: Hash,
    /// How many events and statements it has.
    pub timeline: u32,
    /// How many sources.
    pub sources: u32,
    /// The commit of its last entry.
    pub commit: u64,
}

impl IncidentHead {
    pub(super) fn read(from: &dyn Read, handle: &str) -> Result<Option<IncidentHead>, StateError> {
        match incident_id(from, handle)? {
            None => Ok(None),
            Some((id, _)) => IncidentHead::of(from, id).map(Some),
        }
    }

    pub(crate) fn of(from: &dyn Read, id: IncidentId) -> Result<IncidentHead, StateError> {
        let row = from.get(&keys::incident(id))?.ok_or_else(|| damaged("an incident's head"))?;
        let read = || {
            let (number, rest) = row.split_first_chunk::<4>()?;
            let (timeline, rest) = rest.split_first_chunk::<4>()?;
            let (sources, rest) = rest.split_first_chunk::<4>()?;
            let (commit, hash) = rest.split_first_chunk::<8>()?;
            Some(IncidentHead {
                id,
                number: u32::from_be_bytes(*number),
                hash: Hash(hash.try_into().ok()?),
                timeline: u32::from_be_bytes(*timeline),
                sources: u32::from_be_bytes(*sources),
                commit: u64::from_be_bytes(*commit),
            })
        };
        read().ok_or_else(|| damaged("an incident's head"))
    }

    fn write(&self) -> Vec<u8> {
        let IncidentHead { number, timeline, sources, commit, .. } = self;
        [
            &number.to_be_bytes()[..],
            &timeline.to_be_bytes(),
            &sources.to_be_bytes(),
            &commit.to_be_bytes(),
            &self.hash.0,
        ]
        .concat()
    }
}

/// What is stored of an entry beside its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its line's commit.
    pub commit: u64,
    /// Its kind.
    pub kind: Kind,
    /// How many events and statements the incident has up to it, itself included.
    pub timeline: u32,
    /// How many sources: for a source, the number it is cited by.
    pub sources: u32,
}

impl EntryRow {
    pub(crate) fn read(from: &dyn Read, id: IncidentId, number: u32) -> Result<Option<EntryRow>, StateError> {
        let Some(row) = from.get(&keys::entry(id, number))? else { return Ok(None) };
        let read = || {
            let (commit, rest) = row.split_first_chunk::<8>()?;
            let (kind, rest) = rest.split_first()?;
            let (timeline, sources) = rest.split_first_chunk::<4>()?;
            Some(EntryRow {
                commit: u64::from_be_bytes(*commit),
                kind: Kind::from_byte(*kind)?,
                timeline: u32::from_be_bytes(*timeline),
                sources: u32::from_be_bytes(sources.try_into().ok()?),
            })
        };
        read().map(Some).ok_or_else(|| damaged("an entry's row"))
    }

    fn write(&self) -> Vec<u8> {
        let EntryRow { commit, kind, timeline, sources } = self;
        [&commit.to_be_bytes()[..], &[kind.byte()], &timeline.to_be_bytes(), &sources.to_be_bytes()].concat()
    }
}

/// What a person or a chat chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The language answers come in.
    pub lang: Option<Lang>,
    /// The zone clock times are shown in.
    pub zone: Option<chrono_tz::Tz>,
}

/// What is kept of an ask, for 8 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRow {
    /// When it was handed in, in milliseconds since 1970.
    pub at: i64,
    /// The commit of its first line.
    pub first: u64,
    /// How many lines it made.
    pub lines: u32,
}

/// The id of an incident and the commit that opened it.
pub(super) fn incident_id(from: &dyn Read, handle: &str) -> Result<Option<(IncidentId, u64)>, StateError> {
    let Some(row) = from.get(&keys::handle(handle))? else { return Ok(None) };
    let read = || {
        let (id, commit) = row.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*id), u64::from_be_bytes(commit.try_into().ok()?)))
    };
    read().map(Some).ok_or_else(|| damaged("an incident's handle"))
}

/// Adds the rows of one line to a layer that holds all lines before it.
pub(super) fn fold(layer: &mut Layer<'_>, line: &Line) -> Result<(), StateError> {
    let header = &line.header;
    layer.put(keys::SHAPE.to_vec(), SHAPE);
    layer.put(keys::HEAD.to_vec(), Head { commit: header.commit, hash: line.hash }.write());
    layer.put(keys::line(header.commit), line.bytes.as_slice());
    if let Some(place) = &header.entry {
        fold_entry(layer, line, place)?;
    }
    let Some(private) = &line.private else { return Ok(()) };
    if let Some(ask) = &private.ask
        && header.set.at == 1
    {
        let row = AskRow { at: header.recorded_at.timestamp_millis(), first: header.commit, lines: header.set.of };
        layer.put(keys::ask(&ask.to_string()), json(&row)?);
    }
    match &private.fact {
        None => {}
        Some(Fact::Erasure { commits, bodies, .. }) => erase(layer, commits, *bodies)?,
        Some(Fact::Person { address, author }) => layer.put(keys::person(&address.0), author.0.as_bytes()),
        Some(Fact::Loaded { dossier }) => layer.put(keys::loaded(dossier), header.commit.to_be_bytes()),
        Some(Fact::Setting { address, lang, zone }) => {
            let key = keys::setting(&address.0);
            let before: Choice = layer.get(&key)?.map_or(Ok(Choice::default()), |row| from_json(&row))?;
            layer.put(key, json(&Choice { lang: lang.or(before.lang), zone: zone.or(before.zone) })?);
        }
    }
    Ok(())
}

/// Erases the state's copies, and notes that the journal's files must follow.
fn erase(layer: &mut Layer<'_>, commits: &[u64], bodies: Bodies) -> Result<(), StateError> {
    for commit in commits {
        let key = keys::line(*commit);
        if let Some(bytes) = layer.get(&key)? {
            let line = Line::read(&bytes).and_then(|line| line.without(bodies));
            layer.put(key, line.map_err(|error| StateError::Damaged(format!("commit {commit}: {error}")))?);
        }
    }
    let mut all = erasing(layer)?;
    all.extend(commits.iter().map(|commit| (*commit, bodies)));
    layer.put(keys::ERASING.to_vec(), json(&all)?);
    Ok(())
}

/// What the journal's files still have to erase.
pub(super) fn erasing(from: &dyn Read) -> Result<Vec<(u64, Bodies)>, StateError> {
    from.get(keys::ERASING)?.map_or(Ok(Vec::new()), |row| from_json(&row))
}

fn fold_entry(layer: &mut Layer<'_>, line: &Line, place: &Place) -> Result<(), StateError> {
    let commit = line.header.commit;
    let mut head = match IncidentHead::read(layer, place.incident.as_str())? {
        Some(head) => head,
        None => open_incident(layer, place, commit)?,
    };
    let kind = Kind::ALL.iter().copied().find(|kind| kind.code() == line.header.kind);
    let kind = kind.ok_or_else(|| damaged("an entry's kind"))?;
    head.number = place.number;
    head.hash = line.hash;
    head.commit = commit;
    head.timeline += u32::from(matches!(kind, Kind::Event | Kind::Statement));
    head.sources += u32::from(kind == Kind::Source);
    layer.put(keys::incident(head.id), head.write());
    let row = EntryRow { commit, kind, timeline: head.timeline, sources: head.sources };
    layer.put(keys::entry(head.id, place.number), row.write());
    layer.put(keys::of_kind(head.id, kind, place.number), commit.to_be_bytes());
    match &line.public {
        Some(public) => fold_public(layer, head.id, place.number, commit, public),
        None => Ok(()),
    }
}

fn open_incident(layer: &mut Layer<'_>, place: &Place, commit: u64) -> Result<IncidentHead, StateError> {
    let count = match layer.get(keys::INCIDENTS)? {
        Some(row) => u32::from_be_bytes((*row).try_into().map_err(|_| damaged("the count of incidents"))?),
        None => 0,
    };
    let id = count + 1;
    layer.put(keys::INCIDENTS.to_vec(), id.to_be_bytes());
    layer.put(keys::handle(place.incident.as_str()), [&id.to_be_bytes()[..], &commit.to_be_bytes()].concat());
    Ok(IncidentHead { id, number: 0, hash: Hash::NONE, timeline: 0, sources: 0, commit })
}

fn fold_public(
    layer: &mut Layer<'_>,
    id: IncidentId,
    number: u32,
    commit: u64,
    public: &Public,
) -> Result<(), StateError> {
    layer.put(keys::key(id, public.key.as_str()), number.to_be_bytes());
    if let Some(subject) = public.said.subject().and_then(|subject| subject.number()) {
        layer.put(keys::revision(id, subject, number), commit.to_be_bytes());
        layer.put(keys::last_revision(id, subject), number.to_be_bytes());
    }
    if let (Said::Retraction(_), Some(subject)) =
        (&public.said, public.said.subject().and_then(|subject| subject.number()))
    {
        layer.put(keys::retracted(id, subject), number.to_be_bytes());
    }
    if let Said::Organisation(organisation) = &public.said {
        layer.put(keys::member(id, organisation.handle.as_str()), number.to_be_bytes());
    }
    match &public.said {
        Said::Correction(correction) => match correction.subject.number() {
            Some(subject) => index(layer, id, subject, commit, &correction.now),
            None => Ok(()),
        },
        said => index(layer, id, number, commit, said),
    }
}

/// The rows by which an entry is found: by date, claim, rival and organisation. A row that is there already stays.
fn index(layer: &mut Layer<'_>, id: IncidentId, number: u32, commit: u64, said: &Said) -> Result<(), StateError> {
    let mut found_by = Vec::new();
    if let Some(when) = said.when() {
        found_by.push(keys::listed(id, List::Timeline, when.order(), number));
    }
    if let Said::Statement(statement) = said {
        found_by.push(keys::listed(id, List::Statements, statement.date.order(), number));
        let claims = statement.claims.iter().filter_map(|stance| stance.claim.number());
        found_by.extend(claims.map(|claim| keys::voice(id, claim, number)));
    }
    let rival = match said {
        Said::Event(event) => event.rival,
        Said::Figure(figure) => figure.rival,
        _ => None,
    };
    found_by.extend(rival.and_then(|rival| rival.number()).map(|rival| keys::rival(id, rival, number)));
    found_by.extend(said.organisations().into_iter().map(|handle| keys::organisation(handle.as_str(), id, number)));
    for key in found_by {
        if layer.get(&key)?.is_none() {
            layer.put(key, commit.to_be_bytes());
        }
    }
    Ok(())
}

pub(super) fn damaged(what: &str) -> StateError {
    StateError::Damaged(format!("{what} cannot be read"))
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(value).map_err(|error| StateError::Damaged(error.to_string()))
}

pub(super) fn from_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))
}
