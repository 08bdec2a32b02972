//! The one thread that writes: it takes what is queued, checks it, appends it to the journal as one synced group,
//! applies it to the state as one batch, and only then answers.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Shared, erase,
    fold::{self, AskRow, EntryRow, Head, IncidentHead},
    keys, mend,
    state::{Layer, Read, Rows, StateError},
};
use crate::{
    disk::{Disk, Reserve},
    entry::{Draft, EntryName, Kind, Ref, Said},
    journal::{Journal, Spot},
    line::{BadLine, FORMAT, Header, Line, Place, Private, Public, Salt, SetPlace},
    private::{AskKey, Fact},
    slug::Slug,
};

/// A group takes no further set once it has this many lines: readers wait for one batch at most.
const MAX_GROUP: usize = 256;
/// The most lines in one set.
const MAX_SET: usize = 64;
/// How long an ask is remembered: Telegram numbers its updates anew after a week.
pub const ASK_DAYS: i64 = 8;
/// The room that is looked for before a group is written: its lines, and what they make in the state.
const LARGEST_GROUP: u64 = 16 << 20;
/// How far behind the clock may be before that is told, in milliseconds: clocks are corrected by some seconds.
const CLOCK_OFF: i64 = 60_000;
/// After this much quiet the state is flushed, so that the next start has little to catch up.
const QUIET: Duration = Duration::from_secs(2);

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
pub(super) enum Job {
    Say(Box<Set>, Asker),
    Sync(Sender<Result<(), String>>),
    Mend(Sender<Result<Vec<String>, String>>),
}

pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub journal: Journal,
    pub dir: PathBuf,
    pub sled_dir: PathBuf,
    pub head: Head,
    /// When the newest line was written.
    pub newest: Option<DateTime<Utc>>,
    pub reserve: Reserve,
    pub disk: Arc<dyn Disk>,
    /// Why nothing can be written any more.
    pub broken: Option<String>,
}

type Asker = Sender<Result<Receipt, NotSaid>>;
type Asked = (Box<Set>, Asker);

impl Writer {
    pub fn run(mut self, jobs: &Receiver<Job>) {
        let mut dirty = false;
        let mut forgotten: Option<DateTime<Utc>> = None;
        loop {
            let first = match jobs.recv_timeout(QUIET) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    if dirty && let Err(error) = self.sync() {
                        tracing::warn!(%error, "the state could not be flushed; the journal holds everything");
                    }
                    dirty = false;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let Gathered { sets, syncs, mends } = gather(first, jobs);
            if let Some((set, _)) = sets.first()
                && forgotten.is_none_or(|last| set.at - last > TimeDelta::hours(1))
            {
                forgotten = Some(set.at);
                self.forget_old_asks(set.at);
            }
            dirty |= !sets.is_empty();
            self.write(sets);
            for sync in syncs {
                // The asker may have stopped waiting.
                let _ = sync.send(self.sync());
            }
            for asked in mends {
                let _ = asked.send(self.mend());
            }
        }
        if let Err(error) = self.sync() {
            tracing::warn!(%error, "the state could not be flushed; the journal holds everything");
        }
    }

    /// Mends what is damaged; the file that is added to may be another one afterwards.
    fn mend(&mut self) -> Result<Vec<String>, String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let told = mend::mend(&self.shared.state, &self.dir, &*self.disk, self.head).map_err(|error| error.to_string());
        if let Err(error) = self.journal.reopen() {
            let reason = format!("reopening the journal: {error}");
            self.shared.read_only(&reason);
            self.broken = Some(reason);
        }
        told
    }

    fn sync(&self) -> Result<(), String> {
        self.shared.state.sync(&self.sled_dir).map_err(|error| error.to_string())
    }

    /// Writes a group and answers everybody in it.
    fn write(&mut self, sets: Vec<Asked>) {
        let mut group =
            Group { bytes: Vec::new(), head: self.head, first: self.head.commit + 1, newest: self.newest, last: 0 };
        let room = self.reserve.has_room_for(LARGEST_GROUP);
        self.shared.full(room.as_ref().err().map(String::as_str));
        let mut layer = Layer::over(&self.shared.state);
        let mut answers: Vec<(Asker, Receipt)> = Vec::new();
        let asked: Vec<DateTime<Utc>> = sets.iter().map(|(set, _)| set.at).collect();
        for (set, answer) in sets {
            let result = match &self.broken {
                Some(reason) => Err(NotSaid::ReadOnly(reason.clone())),
                None => match &room {
                    Ok(()) => group.add(&layer, &set),
                    Err(why) => Err(NotSaid::Full(why.clone())),
                },
            };
            match result {
                Ok((receipt, rows)) => {
                    layer.rows.extend(rows);
                    answers.push((answer, receipt));
                }
                // The asker may have stopped waiting.
                Err(not_said) => drop(answer.send(Err(not_said))),
            }
        }
        let rows = layer.rows;
        self.see_clock(&asked);
        match self.commit(group, rows) {
            Ok(()) => {
                for (answer, receipt) in answers {
                    let _ = answer.send(Ok(receipt));
                }
            }
            Err(reason) => {
                tracing::error!(
                    reason,
                    "the journal could not be written: nothing more is recorded until the next start"
                );
                self.shared.read_only(&reason);
                for (answer, _) in answers {
                    let _ = answer.send(Err(NotSaid::Broke(reason.clone())));
                }
                self.broken = Some(reason);
            }
        }
    }

    /// Journal first, synced; then the state; then readers may see it.
    fn commit(&mut self, group: Group, mut rows: Rows) -> Result<(), String> {
        if group.bytes.is_empty() {
            return Ok(());
        }
        let Spot { file, offset } = self
            .journal
            .append(group.first, &group.bytes)
            .map_err(|error| format!("appending to the journal: {error}"))?;
        let spot = Spot { file, offset: offset + group.last };
        rows.insert(keys::SPOT.to_vec(), Some(fold::write_spot(spot)));
        self.shared.state.apply(rows).map_err(|error| error.to_string())?;
        (self.head, self.newest) = (group.head, group.newest);
        self.shared.publish(group.head);
        self.follow_erasures()
    }

    /// Notes by how much the clock is behind what was recorded before. Such lines bear the moment of the newest one, so
    /// that the order in which things became known stays what it was.
    fn see_clock(&self, asked: &[DateTime<Utc>]) {
        let behind = |at: &DateTime<Utc>| self.newest.map_or(0, |newest| (newest - *at).num_milliseconds());
        let Some(behind) = asked.iter().map(behind).max() else { return };
        let before = self.shared.behind.swap(behind.max(0), Ordering::Relaxed);
        if behind >= CLOCK_OFF && before < CLOCK_OFF {
            tracing::error!(
                seconds = behind / 1_000,
                "the clock is behind what was recorded before: new lines bear the moment of the newest one"
            );
        }
    }

    /// Has the journal's files follow an erasure; the file that is added to may be another one afterwards.
    fn follow_erasures(&mut self) -> Result<(), String> {
        let state = &self.shared.state;
        if fold::erasing(state).map_err(|error| error.to_string())?.is_empty() {
            return Ok(());
        }
        erase::follow(state, self.journal.dir(), &*self.disk)
            .map_err(|error| format!("erasing in the journal: {error}"))?;
        self.journal.reopen().map_err(|error| format!("reopening the journal: {error}"))
    }

    fn forget_old_asks(&self, now: DateTime<Utc>) {
        let state = &self.shared.state;
        let old = |row: &[u8]| fold::from_json::<AskRow>(row).is_ok_and(|row| !remembered(&row, now));
        let forget = || -> Result<(), StateError> {
            for row in state.prefix(&keys::ask("")) {
                let (key, value) = row?;
                if old(&value) {
                    state.remove(&key)?;
                }
            }
            Ok(())
        };
        if let Err(error) = forget() {
            tracing::warn!(%error, "old asks could not be forgotten; it is tried again in an hour");
        }
    }
}

/// What is done in one go.
#[derive(Default)]
struct Gathered {
    sets: Vec<Asked>,
    syncs: Vec<Sender<Result<(), String>>>,
    mends: Vec<Sender<Result<Vec<String>, String>>>,
}

/// Takes what is queued behind the first job, within the bounds of a group.
fn gather(first: Job, jobs: &Receiver<Job>) -> Gathered {
    let (mut gathered, mut lines) = (Gathered::default(), 0);
    let mut next = Some(first);
    while let Some(job) = next {
        match job {
            Job::Say(set, answer) => {
                lines += set.said.len();
                gathered.sets.push((set, answer));
            }
            Job::Sync(answer) => gathered.syncs.push(answer),
            Job::Mend(answer) => gathered.mends.push(answer),
        }
        next = if lines < MAX_GROUP { jobs.try_recv().ok() } else { None };
    }
    gathered
}

fn remembered(row: &AskRow, now: DateTime<Utc>) -> bool {
    now.timestamp_millis() - row.at <= TimeDelta::days(ASK_DAYS).num_milliseconds()
}

/// A group under construction.
struct Group {
    bytes: Vec<u8>,
    head: Head,
    first: u64,
    /// When the newest line was written.
    newest: Option<DateTime<Utc>>,
    /// Where its last line begins in it.
    last: u64,
}

impl Group {
    /// Checks a set against everything before it, and adds its lines; or adds nothing.
    fn add(&mut self, before: &Layer<'_>, set: &Set) -> Result<(Receipt, Rows), NotSaid> {
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
            entry,
            format: FORMAT,
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
                    Place { incident: incident.clone(), number: 1, previous: crate::line::Hash::NONE },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_so_many_lines_and_leaves_what_waits_behind_them() {
        let (queue, jobs) = std::sync::mpsc::sync_channel(99);
        let (answer, _answers) = std::sync::mpsc::channel();
        let (synced, _) = std::sync::mpsc::channel();
        let loaded = || Drafted::Fact(Fact::Loaded { dossier: "x".to_owned() });
        let say = |lines: usize| {
            let said = (0..lines).map(|_| loaded()).collect();
            Job::Say(Box::new(Set { ask: None, expects: Vec::new(), said, at: DateTime::UNIX_EPOCH }), answer.clone())
        };
        for lines in [MAX_GROUP / 2, MAX_GROUP / 2 - 2, 1, 1] {
            queue.send(say(lines)).expect("room");
        }
        queue.send(Job::Sync(synced)).expect("room");
        let gathered = gather(say(1), &jobs);
        assert_eq!((gathered.sets.len(), gathered.syncs.len()), (4, 0));
        let gathered = gather(jobs.recv().expect("a job"), &jobs);
        assert_eq!((gathered.sets.len(), gathered.syncs.len()), (1, 1));
    }
}
