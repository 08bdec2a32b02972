//! What one ask says, and the lines that it becomes: whole, or refused with the reason.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    fold::{self, AskRow, EntryRow, Head, IncidentHead},
    keys,
    state::{Layer, Read, Rows, StateError},
};
use crate::{
    entry::{Draft, EntryName, Kind, Ref, Said},
    line::{self, BadLine, Header, Line, Place, Private, Public, Salt, SetPlace},
    private::{AskKey, Fact},
    slug::Slug,
};

/// The most lines in one set.
const MAX_SET: usize = 64;
/// How long an ask is remembered: Telegram numbers its updates anew after a week.
pub const ASK_DAYS: i64 = 8;

/// All that one ask says: written whole or not at all.
#[derive(Clone, Debug)]
pub struct Set {
    /// What makes the ask the same ask when it is handed in twice.
    pub ask: Option<AskKey>,
    /// What must still be so.
    pub expects: Vec<Expect>,
    /// What is said, in order.
    pub said: Vec<Drafted>,
    /// When.
    pub at: DateTime<Utc>,
}

/// One thing to be written.
#[derive(Clone, Debug)]
pub enum Drafted {
    /// A public entry.
    Entry(Box<Draft>),
    /// A private fact.
    Fact(Fact),
}

impl From<Draft> for Drafted {
    fn from(draft: Draft) -> Drafted {
        Drafted::Entry(Box::new(draft))
    }
}

/// Something the asker relied on, checked by the writer before it appends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No correction or retraction of the entry has a higher number than this one (the entry's own, if none was seen).
    Unrevised {
        /// The entry.
        entry: EntryName,
        /// The newest correction the asker saw.
        seen: u32,
    },
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The commit number of the first line.
    pub first: u64,
    /// How many lines.
    pub lines: u32,
    /// The entries, in the order of the set (empty for an ask that was known already).
    pub entries: Vec<EntryName>,
    /// The ask had been written before: nothing was written now.
    pub repeated: bool,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSaid {
    /// What is asked does not fit what is known.
    #[error(transparent)]
    Refused(#[from] Conflict),
    /// The store does not take writes, for the reason said; reading goes on.
    #[error("the record cannot be written: {0}")]
    ReadOnly(String),
    /// There is no room on the disk; nothing was changed, and it goes on by itself once there is.
    #[error("there is no room to record anything: {0}")]
    Full(String),
    /// Something of ours broke; whether it was written is not known.
    #[error("the record could not be written: {0}")]
    Broke(String),
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// No such incident.
    #[error("there is no incident {0}")]
    NoIncident(Slug),
    /// The handle is in use.
    #[error("the incident {0} exists already")]
    IncidentTaken(Slug),
    /// The dossier key is in use.
    #[error("the key {0} is taken by entry {1}")]
    KeyTaken(Slug, EntryName),
    /// The organisation is part of the incident already.
    #[error("the organisation {0} is part of the incident already, by entry {1}")]
    OrganisationTaken(Slug, EntryName),
    /// No such organisation in the incident.
    #[error("the incident has no organisation {0}")]
    NoOrganisation(Slug),
    /// A reference leads nowhere, or to the wrong kind of entry.
    #[error("entry {0} is not there, or not what the reference needs")]
    NoEntry(EntryName),
    /// The entry was taken back.
    #[error("entry {0} was retracted")]
    Retracted(EntryName),
    /// Somebody was faster.
    #[error("entry {0} was changed meanwhile, by {1}")]
    Revised(EntryName, EntryName),
    /// More than one line can hold.
    #[error("this is too long to be recorded in one entry")]
    TooLong,
    /// A set of nothing, or of too much.
    #[error("a set has 1 to {MAX_SET} lines")]
    SetSize,
}

/// Handed to the writer.
pub(super) fn remembered(row: &AskRow, now: DateTime<Utc>) -> bool {
    now.timestamp_millis() - row.at <= TimeDelta::days(ASK_DAYS).num_milliseconds()
}

/// A group under construction.
pub(super) struct Group {
    pub bytes: Vec<u8>,
    pub head: Head,
    pub first: u64,
    /// When the newest line was written.
    pub newest: Option<DateTime<Utc>>,
    /// Where its last line begins in it.
    pub last: u64,
}

impl Group {
    /// Checks a set against everything before it, and adds its lines; or adds nothing.
    pub fn add(&mut self, before: &Layer<'_>, set: &Set) -> Result<(Receipt, Rows), NotSaid> {
        if set.said.is_empty() || set.said.len() > MAX_SET {
            return Err(Conflict::SetSize.into());
        }
        if let Some(receipt) = known_ask(before, set).map_err(broke)? {
            return Ok((receipt, Rows::new()));
        }
        let mut layer = Layer::over(before);
        for expect in &set.expects {
            check(&layer, expect)?;
        }
        let mut composer = Composer {
            set,
            group: self.first,
            head: self.head,
            at: self.newest.map_or(set.at, |newest| newest.max(set.at)),
            last: 0,
            entries: Vec::new(),
            bytes: Vec::new(),
            numbers: Vec::new(),
        };
        for (at, drafted) in set.said.iter().enumerate() {
            composer.add(&mut layer, at, drafted)?;
        }
        let receipt =
            Receipt { first: self.head.commit + 1, lines: lines(set), entries: composer.entries, repeated: false };
        self.head = composer.head;
        self.newest = Some(composer.at);
        self.last = self.bytes.len() as u64 + composer.last;
        self.bytes.extend_from_slice(&composer.bytes);
        Ok((receipt, layer.rows))
    }
}

fn lines(set: &Set) -> u32 {
    u32::try_from(set.said.len()).unwrap_or(u32::MAX)
}

fn known_ask(before: &Layer<'_>, set: &Set) -> Result<Option<Receipt>, StateError> {
    let Some(ask) = &set.ask else { return Ok(None) };
    let Some(row) = before.get(&keys::ask(&ask.to_string()))? else { return Ok(None) };
    let row: AskRow = fold::from_json(&row)?;
    Ok(remembered(&row, set.at).then_some(Receipt {
        first: row.first,
        lines: row.lines,
        entries: Vec::new(),
        repeated: true,
    }))
}

fn check(layer: &Layer<'_>, Expect::Unrevised { entry, seen }: &Expect) -> Result<(), NotSaid> {
    let head = head_of(layer, &entry.incident)?;
    let last = layer.get(&keys::last_revision(head.id, entry.number)).map_err(broke)?;
    match last.and_then(|row| keys::last_number(&row)) {
        Some(last) if last > *seen => {
            let by = EntryName { incident: entry.incident.clone(), number: last };
            Err(Conflict::Revised(entry.clone(), by).into())
        }
        _ => Ok(()),
    }
}

fn head_of(layer: &Layer<'_>, incident: &Slug) -> Result<IncidentHead, NotSaid> {
    let head = IncidentHead::read(layer, incident.as_str()).map_err(broke)?;
    head.ok_or_else(|| Conflict::NoIncident(incident.clone()).into())
}

/// Makes the lines of one set.
struct Composer<'a> {
    set: &'a Set,
    group: u64,
    head: Head,
    /// When its lines are written: never before the line before them.
    at: DateTime<Utc>,
    /// Where its last line begins in its bytes.
    last: u64,
    entries: Vec<EntryName>,
    /// The number each place of the set received.
    numbers: Vec<Option<u32>>,
    bytes: Vec<u8>,
}

impl Composer<'_> {
    fn add(&mut self, layer: &mut Layer<'_>, at: usize, drafted: &Drafted) -> Result<(), NotSaid> {
        let place = SetPlace { at: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1), of: lines(self.set) };
        let salt = || Salt::random().map_err(|error| NotSaid::Broke(error.to_string()));
        let ask = self.set.ask.clone();
        let (kind, entry, public, private) = match drafted {
            Drafted::Entry(draft) => {
                let (said, place) = self.place(layer, draft)?;
                let public = Public {
                    author: draft.author.clone(),
                    dossier: draft.dossier,
                    importance: draft.importance,
                    key: draft.key.clone(),
                    known: draft.known,
                    push: (!draft.push || draft.dossier).then_some(draft.push),
                    said,
                    salt: salt()?,
                };
                let private = if ask.is_some() { Some(Private { ask, fact: None, salt: salt()? }) } else { None };
                (public.said.kind().code(), Some(place), Some(public), private)
            }
            Drafted::Fact(fact) => {
                (fact.kind(), None, None, Some(Private { ask, fact: Some(fact.clone()), salt: salt()? }))
            }
        };
        self.numbers.push(entry.as_ref().map(|place| place.number));
        self.entries.extend(entry.as_ref().map(Place::name));
        let header = Header {
            commit: self.head.commit + 1,
            format: line::lowest_format(entry.is_some(), kind),
            entry,
            group: self.group,
            kind: kind.to_owned(),
            previous: self.head.hash,
            private: None,
            public: None,
            recorded_at: self.at,
            set: place,
        };
        let line = Line::seal(header, public, private).map_err(|error| match error {
            BadLine::TooLong => NotSaid::Refused(Conflict::TooLong),
            other => NotSaid::Broke(other.to_string()),
        })?;
        fold::fold(layer, &line).map_err(broke)?;
        self.head = Head { commit: line.header.commit, hash: line.hash };
        self.last = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&line.bytes);
        self.bytes.push(b'\n');
        Ok(())
    }

    /// Finds an entry its number, and turns its references into numbers, each checked.
    fn place(&self, layer: &Layer<'_>, draft: &Draft) -> Result<(Said, Place), NotSaid> {
        let incident = &draft.incident;
        let head = IncidentHead::read(layer, incident.as_str()).map_err(broke)?;
        let opens = matches!(draft.said, Said::Opening(_));
        let head = match (head, opens) {
            (Some(head), false) => head,
            (None, true) => {
                return Ok((
                    draft.said.clone(),
                    Place { incident: incident.clone(), number: 1, previous: line::Hash::NONE },
                ));
            }
            (Some(_), true) => return Err(Conflict::IncidentTaken(incident.clone()).into()),
            (None, false) => return Err(Conflict::NoIncident(incident.clone()).into()),
        };
        let name = |number| EntryName { incident: incident.clone(), number };
        if let Some(row) = layer.get(&keys::key(head.id, draft.key.as_str())).map_err(broke)? {
            let number = keys::last_number(&row).unwrap_or_default();
            return Err(Conflict::KeyTaken(draft.key.clone(), name(number)).into());
        }
        self.check_organisations(layer, &head, draft)?;
        let mut said = draft.said.clone();
        if let Said::Correction(correction) = &said
            && matches!(correction.now.kind(), Kind::Correction | Kind::Retraction)
        {
            return Err(Conflict::NoEntry(name(correction.subject.number().unwrap_or_default())).into());
        }
        let subject_matters = said.subject().is_some();
        for (reference, kind) in said.refs_mut() {
            let number = self.resolve(*reference).ok_or_else(|| Conflict::NoEntry(name(0)))?;
            let row = EntryRow::read(layer, head.id, number).map_err(broke)?;
            let fits = row.is_some_and(|row| match kind {
                Some(kind) => row.kind == kind,
                None => !matches!(row.kind, Kind::Opening | Kind::Correction | Kind::Retraction),
            });
            if !fits {
                return Err(Conflict::NoEntry(name(number)).into());
            }
            *reference = Ref::Number(number);
        }
        if subject_matters
            && let Some(subject) = said.subject().and_then(Ref::number)
            && layer.get(&keys::retracted(head.id, subject)).map_err(broke)?.is_some()
        {
            return Err(Conflict::Retracted(name(subject)).into());
        }
        Ok((said, Place { incident: incident.clone(), number: head.number + 1, previous: head.hash }))
    }

    fn check_organisations(&self, layer: &Layer<'_>, head: &IncidentHead, draft: &Draft) -> Result<(), NotSaid> {
        let own = match &draft.said {
            Said::Organisation(organisation) => Some(&organisation.handle),
            _ => None,
        };
        for handle in draft.said.organisations() {
            let member = layer.get(&keys::member(head.id, handle.as_str())).map_err(broke)?;
            match (member, own == Some(handle)) {
                (Some(row), true) => {
                    let number = keys::last_number(&row).unwrap_or_default();
                    let name = EntryName { incident: draft.incident.clone(), number };
                    return Err(Conflict::OrganisationTaken(handle.clone(), name).into());
                }
                (None, false) => return Err(Conflict::NoOrganisation(handle.clone()).into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn resolve(&self, reference: Ref) -> Option<u32> {
        match reference {
            Ref::Number(number) => Some(number),
            Ref::Here(at) => self.numbers.get(at).copied().flatten(),
        }
    }
}

fn broke(error: StateError) -> NotSaid {
    NotSaid::Broke(error.to_string())
}
