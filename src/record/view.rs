//! What is known at one commit number: entries with their corrections, lists by date, sources, standing. Rows that were
//! added later are ignored, so an answer is never torn; with an `as_of`, so is whatever was not public by then.

mod chain;
mod people;
mod quiet;
mod traces;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::{
    channel::{Channel, ChannelNumber},
    claim::{self, Standing, Voice},
    entry::{Author, Correction, Disclosure, EntryName, Importance, Kind, Opening, Ref, Said, Service},
    lang::Prose,
    line,
    link::Link,
    party::Organisation,
    private::{Address, AskKey},
    slug::{Slug, searched},
    statement::Side,
    store::{
        AskRow, AskingRow, Choice, EntryRow, Head, IncidentHead, Ledger, StateError,
        keys::{self, IncidentId, List},
        state::{Read, State},
    },
    subscription::News,
    when::{Order, When},
};

pub use people::Trailed;
pub use quiet::Lapse;
pub use traces::Erased;

/// The last minute, on the incident's clock, that a reader may know of; none for everything.
pub type AsOf = Option<NaiveDateTime>;

/// An incident.
#[derive(Clone, Debug)]
pub struct Incident {
    pub(crate) id: IncidentId,
    /// Its handle.
    pub handle: Slug,
    /// What it is called, in what zone its clocks run.
    pub opening: Opening,
    /// When it was opened here.
    pub opened_at: DateTime<Utc>,
    /// The number of its last entry.
    pub last: u32,
    /// When that was recorded.
    pub last_at: DateTime<Utc>,
    /// How many events and statements it has.
    pub timeline: u32,
    /// How many sources.
    pub sources: u32,
}

impl Incident {
    /// The zone of its clock times.
    pub fn zone(&self) -> Tz {
        self.opening.zone
    }

    /// The name of one of its entries.
    pub fn name(&self, number: u32) -> EntryName {
        EntryName { incident: self.handle.clone(), number }
    }
}

/// An entry as it reads at some moment: its corrections applied.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: EntryName,
    /// Its line's commit number.
    pub commit: u64,
    /// When it was written here.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub author: Author,
    /// Its name for dossiers.
    pub key: Slug,
    /// How much it matters.
    pub importance: Importance,
    /// When it became public, if that was said.
    pub known: Option<When>,
    /// How much it mattered before its corrections.
    pub first_importance: Importance,
    /// When it was said to have become public before its corrections.
    pub first_known: Option<When>,
    /// Whether it came out of a dossier.
    pub dossier: bool,
    /// For a source: the number it is cited by in its incident, from 1.
    pub cite: u32,
    /// What it says now.
    pub said: Said,
    /// What it said first, if it was corrected.
    pub was: Option<Box<Said>>,
    /// Its corrections, oldest first.
    pub corrections: Vec<Corrected>,
    /// Its retraction.
    pub retracted: Option<Retracted>,
}

/// A correction that was applied.
#[derive(Clone, Debug)]
pub struct Corrected {
    /// The correction's own number.
    pub number: u32,
    /// When it was written here.
    pub recorded_at: DateTime<Utc>,
    /// Whether it came out of a dossier.
    pub dossier: bool,
    /// What changed, and how the entry reads since.
    pub to: Correction,
}

/// A retraction that holds.
#[derive(Clone, Debug)]
pub struct Retracted {
    /// Its own number.
    pub number: u32,
    /// When it was written here.
    pub recorded_at: DateTime<Utc>,
    /// Why.
    pub why: Prose,
}

/// A part of a list by date.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Leave out what certainly lies before this.
    pub from: Option<NaiveDateTime>,
    /// Leave out what certainly lies after this.
    pub to: Option<NaiveDateTime>,
    /// Only what was public by then.
    pub as_of: AsOf,
}

impl Window {
    /// Whether an entry does not certainly lie outside the period.
    fn holds(&self, entry: &Entry) -> bool {
        let when = entry.said.when();
        let before = |from| when.and_then(When::latest).is_some_and(|last| last < from);
        let after = |to| when.and_then(When::earliest).is_some_and(|first| first > to);
        !self.from.is_some_and(before) && !self.to.is_some_and(after)
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The entries of the page.
    pub entries: Vec<Entry>,
    /// How many the whole list has.
    pub total: usize,
}

/// Somebody's voice about a claim, with the statement it comes from.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The statement.
    pub statement: Entry,
    /// On which side.
    pub side: Side,
}

/// A reader's look at the record.
#[derive(Clone, Copy)]
pub struct View<'a> {
    state: &'a State,
    head: Head,
}

type Read_<T> = Result<T, StateError>;

impl<'a> View<'a> {
    pub(crate) fn new(state: &'a State, head: Head) -> View<'a> {
        View { state, head }
    }

    /// The newest line that this view knows of.
    pub fn head(&self) -> Head {
        self.head
    }

    /// When the newest line was written; none in an empty store.
    pub fn last_recorded(&self) -> Read_<Option<DateTime<Utc>>> {
        Ok(self.line(self.head.commit)?.map(|(header, _)| header.recorded_at))
    }

    /// An incident by its exact handle.
    pub fn incident(&self, handle: &str) -> Read_<Option<Incident>> {
        let Some(row) = self.state.get(&keys::handle(handle))? else { return Ok(None) };
        self.opened(handle, &row)
    }

    /// An incident by its number in this store (`@3`), which short buttons use.
    pub fn incident_at(&self, id: u32) -> Read_<Option<Incident>> {
        let Some(row) = self.state.get(&keys::entry(id, 1))? else { return Ok(None) };
        let Some(commit) = row.first_chunk::<8>().map(|commit| u64::from_be_bytes(*commit)) else { return Ok(None) };
        match self.line(commit)?.and_then(|(header, _)| header.entry) {
            Some(place) => self.incident(place.incident.as_str()),
            None => Ok(None),
        }
    }

    fn opened(&self, handle: &str, row: &[u8]) -> Read_<Option<Incident>> {
        let (Some((id, commit)), Ok(handle)) = (row.split_first_chunk::<4>(), handle.parse::<Slug>()) else {
            return Err(StateError::Damaged("an incident's handle cannot be read".to_owned()));
        };
        let id = u32::from_be_bytes(*id);
        let commit = commit.try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX);
        if commit > self.head.commit {
            return Ok(None);
        }
        let Some((last, row)) = self.last_entry(id)? else { return Ok(None) };
        let last_at = self.line(row.commit)?.map(|(header, _)| header.recorded_at).unwrap_or_default();
        let shell = Incident {
            id,
            handle,
            opening: Opening { title: Prose::ours(crate::pages::UNTITLED), summary: None, zone: Tz::UTC },
            opened_at: last_at,
            last,
            last_at,
            timeline: row.timeline,
            sources: row.sources,
        };
        match self.entry(&shell, 1, None)? {
            Some(Entry { said: Said::Opening(opening), recorded_at, .. }) => {
                Ok(Some(Incident { opening, opened_at: recorded_at, ..shell }))
            }
            _ => Ok(Some(shell)),
        }
    }

    /// The last entry of an incident that this view knows of, with its row.
    fn last_entry(&self, id: IncidentId) -> Read_<Option<(u32, EntryRow)>> {
        let mut number = IncidentHead::of(self.state, id)?.number;
        while number > 0 {
            match EntryRow::read(self.state, id, number)? {
                Some(row) if row.commit <= self.head.commit => return Ok(Some((number, row))),
                _ => number -= 1,
            }
        }
        Ok(None)
    }

    /// The handles of all incidents, in alphabetical order, that begin with `prefix`.
    pub fn handles(&self, prefix: &str) -> impl Iterator<Item = Read_<Slug>> + use<'a> {
        let head = self.head.commit;
        self.state.prefix(&keys::handle(prefix)).filter_map(move |row| match row {
            Err(error) => Some(Err(error)),
            Ok((key, value)) => {
                let commit = value.last_chunk::<8>().map_or(u64::MAX, |commit| u64::from_be_bytes(*commit));
                let handle = key.get(1..).and_then(|bytes| std::str::from_utf8(bytes).ok())?.parse().ok()?;
                (commit <= head).then_some(Ok(handle))
            }
        })
    }

    /// Every incident, in alphabetical order of handles.
    pub fn incidents(&self) -> Read_<Vec<Incident>> {
        let mut incidents = Vec::new();
        for handle in self.handles("") {
            incidents.extend(self.incident(handle?.as_str())?);
        }
        Ok(incidents)
    }

    /// An entry by its number, as it reads now or read then; none if it is not there, or its text was erased.
    pub fn entry(&self, incident: &Incident, number: u32, as_of: AsOf) -> Read_<Option<Entry>> {
        let Some(row) = EntryRow::read(self.state, incident.id, number)? else { return Ok(None) };
        let Some((header, Some(public))) = self.line(row.commit)? else { return Ok(None) };
        let mut entry = Entry {
            name: incident.name(number),
            commit: row.commit,
            recorded_at: header.recorded_at,
            author: public.author,
            key: public.key,
            importance: public.importance,
            known: public.known,
            first_importance: public.importance,
            first_known: public.known,
            dossier: public.dossier,
            cite: row.sources,
            said: public.said,
            was: None,
            corrections: Vec::new(),
            retracted: None,
        };
        if self.state.get(&keys::last_revision(incident.id, number))?.is_some() {
            self.revise(incident, number, as_of, &mut entry)?;
        }
        Ok(Some(entry))
    }

    /// Applies the corrections and the retraction that were public by then.
    fn revise(&self, incident: &Incident, number: u32, as_of: AsOf, entry: &mut Entry) -> Read_<()> {
        for row in self.state.prefix(&keys::Key::of(b'c').n32(incident.id).n32(number).end()) {
            let (key, value) = row?;
            let Some(commit) = value.first_chunk::<8>().map(|commit| u64::from_be_bytes(*commit)) else { continue };
            let Some((header, Some(public))) = self.line(commit)? else { continue };
            let known = public.known.and_then(|known| known.latest().or_else(|| known.earliest()));
            let known = known.unwrap_or_else(|| local(header.recorded_at, incident.zone()));
            if as_of.is_some_and(|as_of| known > as_of) {
                continue;
            }
            let (number, recorded_at) = (keys::last_number(&key).unwrap_or_default(), header.recorded_at);
            match public.said {
                Said::Correction(it) => {
                    let before = std::mem::replace(&mut entry.said, (*it.now).clone());
                    entry.was.get_or_insert(Box::new(before));
                    entry.importance = it.importance.unwrap_or(entry.importance);
                    entry.known = it.known.or(entry.known);
                    let (dossier, to) = (public.dossier, it);
                    entry.corrections.push(Corrected { number, recorded_at, dossier, to });
                }
                Said::Retraction(it) => entry.retracted = Some(Retracted { number, recorded_at, why: it.why }),
                _ => {}
            }
        }
        Ok(())
    }

    fn line(&self, commit: u64) -> Read_<Option<(line::Header, Option<line::Public>)>> {
        if commit > self.head.commit {
            return Ok(None);
        }
        let Some(bytes) = self.state.get(&keys::line(commit))? else { return Ok(None) };
        line::glance(&bytes).map(Some).map_err(|error| StateError::Damaged(format!("commit {commit}: {error}")))
    }

    /// A line's bytes as an export shows them.
    pub fn exported(&self, entry: (&Incident, u32)) -> Read_<Option<Vec<u8>>> {
        let (incident, number) = entry;
        let Some(row) = EntryRow::read(self.state, incident.id, number)? else { return Ok(None) };
        let Some(bytes) = self.state.get(&keys::line(row.commit))? else { return Ok(None) };
        let line = line::Line::read(&bytes).and_then(|line| line.exported());
        line.map(Some).map_err(|error| StateError::Damaged(format!("commit {}: {error}", row.commit)))
    }

    /// When an entry became public, on the incident's clock: as given; else its statement's or source's date; else its
    /// earliest dated source; else when it was recorded. An inexact date counts from its last moment, and nothing is
    /// known before it happened.
    pub fn known(&self, incident: &Incident, entry: &Entry) -> Read_<NaiveDateTime> {
        let own = entry.known.as_ref().or(match &entry.said {
            Said::Statement(statement) => Some(&statement.date),
            Said::Source(source) => source.date.as_ref(),
            _ => None,
        });
        let end = |when: &When| when.latest().or_else(|| when.earliest());
        let mut known = own.and_then(end);
        if known.is_none() {
            for source in self.cited(incident, entry, None)? {
                if let Said::Source(source) = &source.said {
                    let date = source.date.as_ref().and_then(end);
                    known = [known, date].into_iter().flatten().min();
                }
            }
        }
        let known = known.unwrap_or_else(|| local(entry.recorded_at, incident.zone()));
        Ok(entry.said.when().and_then(When::earliest).map_or(known, |earliest| known.max(earliest)))
    }

    fn public_by(&self, incident: &Incident, entry: &Entry, as_of: AsOf) -> Read_<bool> {
        match as_of {
            None => Ok(true),
            Some(as_of) => Ok(self.known(incident, entry)? <= as_of),
        }
    }

    /// The sources of an entry, those public by then, in the order of their numbers.
    pub fn cited(&self, incident: &Incident, entry: &Entry, as_of: AsOf) -> Read_<Vec<Entry>> {
        let mut sources = Vec::new();
        for number in entry.said.sources().iter().filter_map(|source| source.number()) {
            if let Some(source) = self.entry(incident, number, as_of)?
                && self.public_by(incident, &source, as_of)?
            {
                sources.push(source);
            }
        }
        sources.sort_by_key(|source| source.cite);
        Ok(sources)
    }

    /// All entries of a kind, oldest first, that were public by then.
    pub fn of_kind(&self, incident: &Incident, kind: Kind, as_of: AsOf) -> Read_<Vec<Entry>> {
        let mut entries = Vec::new();
        let listed = keys::is_listed_by_kind(kind);
        let prefix = if listed { keys::all_of_kind(incident.id, kind) } else { keys::entries(incident.id) };
        for row in self.state.prefix(&prefix.end()) {
            let (key, value) = row?;
            if let Some(number) = keys::last_number(&key)
                && (listed || EntryRow::parse(&value)?.kind == kind)
                && let Some(entry) = self.entry(incident, number, as_of)?
                && self.public_by(incident, &entry, as_of)?
            {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// A page of the timeline, newest first.
    pub fn timeline(&self, incident: &Incident, window: Window, skip: usize, take: usize) -> Read_<Slice> {
        let whole = window.from.is_none() && window.to.is_none() && window.as_of.is_none();
        let known_total = whole.then_some(incident.timeline as usize);
        let (mut entries, mut seen) = (Vec::new(), 0);
        for row in self.listed(incident, List::Timeline) {
            let (order, number) = row?;
            let wanted = seen >= skip && seen < skip + take;
            if !wanted && whole && self.state.get(&keys::last_revision(incident.id, number))?.is_none() {
                seen += 1;
            } else if let Some(entry) =
                self.standing_at(incident, order, number, window.as_of)?.filter(|it| window.holds(it))
            {
                if wanted {
                    entries.push(entry);
                }
                seen += 1;
            }
            if known_total.is_some() && entries.len() == take {
                break;
            }
        }
        Ok(Slice { entries, total: known_total.unwrap_or(seen) })
    }

    /// The latest statements, newest first, for which `wanted` says so: from the `skip`th, at most `take`, and whether
    /// there are more.
    pub fn statements(
        &self,
        incident: &Incident,
        skip: usize,
        take: usize,
        mut wanted: impl FnMut(&Entry) -> bool,
    ) -> Read_<(Vec<Entry>, bool)> {
        let (mut entries, mut seen) = (Vec::new(), 0);
        for row in self.listed(incident, List::Statements) {
            let (order, number) = row?;
            let Some(entry) = self.standing_at(incident, order, number, None)?.filter(&mut wanted) else { continue };
            seen += 1;
            if seen > skip + take {
                return Ok((entries, true));
            }
            if seen > skip {
                entries.push(entry);
            }
        }
        Ok((entries, false))
    }

    /// The rows of a list, newest first.
    fn listed(&self, incident: &Incident, list: List) -> impl Iterator<Item = Read_<(Order, u32)>> + use<'a> {
        let head = self.head.commit;
        let start = keys::list_of(incident.id, list).end();
        let end = keys::list_at(incident.id, list, Order(i64::MAX, i64::MAX)).n32(u32::MAX).end();
        self.state.range(Bound::Included(start), Bound::Included(end)).rev().filter_map(move |row| match row {
            Err(error) => Some(Err(error)),
            Ok((key, value)) => {
                let commit = value.first_chunk::<8>().map_or(u64::MAX, |commit| u64::from_be_bytes(*commit));
                keys::read_listed(&key).filter(|_| commit <= head).map(Ok)
            }
        })
    }

    /// The entry that a row of a list stands for, if that is where it stands now, and it was public by then.
    fn standing_at(&self, incident: &Incident, order: Order, number: u32, as_of: AsOf) -> Read_<Option<Entry>> {
        let Some(entry) = self.entry(incident, number, as_of)? else { return Ok(None) };
        let here = entry.said.when().map(When::order) == Some(order);
        Ok(if here && self.public_by(incident, &entry, as_of)? { Some(entry) } else { None })
    }

    /// Other entries that say the same thing otherwise, each once.
    pub fn rivals(&self, incident: &Incident, entry: &Entry, as_of: AsOf) -> Read_<Vec<Entry>> {
        let mut numbers = BTreeSet::new();
        for row in self.state.prefix(&keys::rivals(incident.id).n32(entry.name.number).end()) {
            numbers.extend(keys::last_number(&row?.0));
        }
        numbers.extend(rival_of(&entry.said));
        let mut rivals = Vec::new();
        for number in numbers {
            if let Some(rival) = self.entry(incident, number, as_of)?
                && rival.retracted.is_none()
                && (rival_of(&rival.said) == Some(entry.name.number) || rival_of(&entry.said) == Some(number))
                && self.public_by(incident, &rival, as_of)?
            {
                rivals.push(rival);
            }
        }
        Ok(rivals)
    }

    /// The entries of which others say the same thing otherwise: events first, each kind in the order in which the first
    /// other one was recorded.
    pub fn rivalled(&self, incident: &Incident, as_of: AsOf) -> Read_<Vec<u32>> {
        let mut found = Vec::new();
        for row in self.state.prefix(&keys::rivals(incident.id).end()) {
            if let Some((subject, number)) = keys::read_rival(&row?.0)
                && let Some(rival) = self.entry(incident, number, as_of)?
                && rival.retracted.is_none()
                && rival_of(&rival.said) == Some(subject)
                && self.public_by(incident, &rival, as_of)?
            {
                found.push((rival.said.kind().byte(), number, subject));
            }
        }
        found.sort_unstable();
        let mut subjects = Vec::new();
        for (_, _, subject) in found {
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        Ok(subjects)
    }

    /// Who spoke for and against a claim, oldest first, and the standing that follows.
    pub fn claim(&self, incident: &Incident, claim: u32, as_of: AsOf) -> Read_<(Vec<Heard>, Standing)> {
        let mut heard = Vec::new();
        for row in self.state.prefix(&keys::Key::of(b's').n32(incident.id).n32(claim).end()) {
            let (key, _) = row?;
            let Some(number) = keys::last_number(&key) else { continue };
            let Some(statement) = self.entry(incident, number, as_of)? else { continue };
            let Said::Statement(said) = &statement.said else { continue };
            let stance = said.claims.iter().find(|stance| stance.claim == Ref::Number(claim));
            if let Some(side) = stance.map(|stance| stance.side)
                && self.public_by(incident, &statement, as_of)?
            {
                heard.push(Heard { statement, side });
            }
        }
        heard.sort_by_key(|it| (it.statement.said.when().map(When::order), it.statement.name.number));
        let voices: Vec<Voice> = heard.iter().filter_map(voice).collect();
        let standing = claim::standing(&voices);
        Ok((heard, standing))
    }

    /// The state of service and of disclosure, as the latest entries have it.
    pub fn status(&self, incident: &Incident, as_of: AsOf) -> Read_<(Option<Service>, Option<Disclosure>)> {
        let mut entries = self.of_kind(incident, Kind::Status, as_of)?;
        entries.retain(|entry| entry.retracted.is_none());
        entries.sort_by_key(|entry| match &entry.said {
            Said::Status(status) => (status.when.order(), entry.name.number),
            _ => (Order(i64::MIN, i64::MIN), 0),
        });
        let (mut service, mut disclosure) = (None, None);
        for entry in &entries {
            if let Said::Status(status) = &entry.said {
                service = status.service.or(service);
                disclosure = status.disclosure.or(disclosure);
            }
        }
        Ok((service, disclosure))
    }

    /// When an incident was recorded to be closed; none while it is open.
    pub fn closed_at(&self, incident: &Incident) -> Read_<Option<DateTime<Utc>>> {
        if self.status(incident, None)?.1 != Some(Disclosure::Closed) {
            return Ok(None);
        }
        let closes = |entry: &Entry| match &entry.said {
            Said::Status(status) => status.disclosure == Some(Disclosure::Closed) && entry.retracted.is_none(),
            _ => false,
        };
        let entries = self.of_kind(incident, Kind::Status, None)?;
        Ok(entries.into_iter().filter(closes).map(|entry| entry.recorded_at).max())
    }

    /// An organisation of an incident, by its handle.
    pub fn member(&self, incident: &Incident, handle: &Slug) -> Read_<Option<(Organisation, Entry)>> {
        let Some(row) = self.state.get(&keys::member(incident.id, handle.as_str()))? else { return Ok(None) };
        let Some(number) = keys::last_number(&row) else { return Ok(None) };
        Ok(self.entry(incident, number, None)?.and_then(|entry| match entry.said.clone() {
            Said::Organisation(organisation) => Some((organisation, entry)),
            _ => None,
        }))
    }

    /// The number of the entry that made an organisation part of an incident.
    pub fn member_number(&self, incident: &Incident, handle: &str) -> Read_<Option<u32>> {
        let row = self.state.get(&keys::member(incident.id, handle))?;
        Ok(row.and_then(|row| keys::last_number(&row)))
    }

    /// The handles of all organisations of all incidents.
    pub fn organisations(&self) -> Read_<Vec<Slug>> {
        let mut handles: Vec<Slug> = Vec::new();
        let mut from = keys::Key::of(b'o').end();
        loop {
            let upto = keys::Key::of(b'o' + 1).end();
            let Some(row) = self.state.range(Bound::Included(from), Bound::Excluded(upto)).next() else { break };
            let (key, _) = row?;
            let name = key.get(1..).unwrap_or_default();
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            let Ok(handle) = String::from_utf8_lossy(&name[..end]).parse::<Slug>() else { break };
            from = keys::Key::of(b'o').text(handle.as_str()).byte(1).end();
            handles.push(handle);
        }
        Ok(handles)
    }

    /// The incidents an organisation is part of.
    pub fn incidents_with(&self, organisation: &Slug) -> Read_<Vec<Incident>> {
        let (mut incidents, mut from) = (Vec::new(), 0u32);
        loop {
            let key = |id: u32| keys::Key::of(b'o').text(organisation.as_str()).byte(0).n32(id).end();
            let upto = keys::Key::of(b'o').text(organisation.as_str()).byte(1).end();
            let Some(row) = self.state.range(Bound::Included(key(from)), Bound::Excluded(upto)).next() else { break };
            let (row, _) = row?;
            let Some(id) = row.get(row.len().saturating_sub(8)..).and_then(|tail| tail.first_chunk::<4>()) else {
                break;
            };
            let id = u32::from_be_bytes(*id);
            incidents.extend(self.incident_at(id)?);
            let Some(next) = id.checked_add(1) else { break };
            from = next;
        }
        Ok(incidents)
    }

    /// Entries that hold all the words (case and accents do not matter), the newest recorded first; from the `skip`th,
    /// at most `take`, and whether there are more.
    pub fn search(
        &self,
        words: &[String],
        incident: Option<&Incident>,
        skip: usize,
        take: usize,
    ) -> Read_<(Vec<Entry>, bool)> {
        let words: Vec<String> = words.iter().map(|word| searched(word)).collect();
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut known: HashMap<Slug, Option<Incident>> = HashMap::new();
        let rows = self.state.range(Bound::Included(keys::line(0)), Bound::Included(keys::line(self.head.commit)));
        for row in rows.rev() {
            let (_, bytes) = row?;
            let Ok((header, Some(public))) = line::glance(&bytes) else { continue };
            let Some(place) = header.entry else { continue };
            if incident.is_some_and(|incident| incident.handle != place.incident) {
                continue;
            }
            let number = public.said.subject().and_then(Ref::number).unwrap_or(place.number);
            if !known.contains_key(&place.incident) {
                known.insert(place.incident.clone(), self.incident(place.incident.as_str())?);
            }
            let Some(Some(of)) = known.get(&place.incident) else { continue };
            // Only what was corrected may hold words that its own line does not.
            let revised = self.state.get(&keys::last_revision(of.id, number))?.is_some();
            if !revised && !holds(&public.said, &words) {
                continue;
            }
            let Some(entry) = self.entry(of, number, None)? else { continue };
            if !holds(&entry.said, &words) || !seen.insert((of.id, number)) {
                continue;
            }
            if seen.len() > skip + take {
                return Ok((found, true));
            }
            if seen.len() > skip {
                found.push(entry);
            }
        }
        Ok((found, false))
    }

    /// The number of the entry that a dossier calls by a key.
    pub fn keyed(&self, incident: &Incident, key: &Slug) -> Read_<Option<u32>> {
        let row = self.state.get(&keys::key(incident.id, key.as_str()))?;
        Ok(row.and_then(|row| keys::last_number(&row)))
    }

    /// The name that somebody has in the record.
    pub fn author(&self, address: &Address) -> Read_<Option<Author>> {
        let row = self.state.get(&keys::person(&address.0))?;
        Ok(row.map(|row| Author(String::from_utf8_lossy(&row).into_owned())))
    }

    /// What a person or a chat chose.
    pub fn choice(&self, address: &Address) -> Read_<Choice> {
        match self.state.get(&keys::setting(&address.0))? {
            None => Ok(Choice::default()),
            Some(row) => serde_json::from_slice(&row).map_err(|error| StateError::Damaged(error.to_string())),
        }
    }

    /// The entry that was recorded at a commit: its incident and its number there; the promise that a line says lapsed;
    /// none for any other private fact.
    pub fn recorded_at(&self, commit: u64) -> Read_<Option<(Incident, u32)>> {
        let Some((header, _)) = self.line(commit)? else { return Ok(None) };
        let Some(place) = header.entry else { return self.lapsed_at(commit) };
        Ok(self.incident(place.incident.as_str())?.map(|incident| (incident, place.number)))
    }

    /// The newest entry that somebody wrote in the record, if that was not before a moment.
    pub fn last_by(&self, author: &Author, since: DateTime<Utc>) -> Read_<Option<(Incident, Entry)>> {
        let rows = self.state.range(Bound::Included(keys::line(0)), Bound::Included(keys::line(self.head.commit)));
        for row in rows.rev() {
            let (_, bytes) = row?;
            let (header, public) =
                line::glance(&bytes).map_err(|error| StateError::Damaged(format!("a line: {error}")))?;
            if header.recorded_at < since {
                break;
            }
            if let (Some(place), Some(public)) = (header.entry, public)
                && public.author == *author
                && let Some(incident) = self.incident(place.incident.as_str())?
                && let Some(entry) = self.entry(&incident, place.number, None)?
            {
                return Ok(Some((incident, entry)));
            }
        }
        Ok(None)
    }

    /// The commit at which an entry was recorded.
    pub fn commit_of(&self, incident: &Incident, number: u32) -> Read_<Option<u64>> {
        Ok(EntryRow::read(self.state, incident.id, number)?.map(|row| row.commit))
    }

    /// An entry as filters see it, as it reads now; `commit` is that of what is news about it.
    pub fn news(&self, incident: &Incident, entry: &Entry, commit: u64) -> Read_<News> {
        let mut organisations: Vec<Slug> = entry.said.organisations().into_iter().cloned().collect();
        for member in self.of_kind(incident, Kind::Organisation, None)? {
            if let Said::Organisation(it) = member.said
                && member.retracted.is_none()
            {
                organisations.push(it.handle);
            }
        }
        let (incident, kind, lapse) = (incident.handle.clone(), entry.said.kind(), self.lapsed_at(commit)?.is_some());
        let (importance, text) = (entry.importance, words_of(&entry.said));
        Ok(News { commit, incident, kind, importance, organisations, text, lapse })
    }

    /// The entries that were recorded after a commit, oldest first, at most so many; and how many lines were looked at.
    pub fn recorded_since(&self, commit: u64, most: usize) -> Read_<Vec<(u64, line::Place)>> {
        let mut found = Vec::new();
        let (from, to) = (keys::line(commit.saturating_add(1)), keys::line(self.head.commit));
        if from > to {
            return Ok(found);
        }
        for row in self.state.range(Bound::Included(from), Bound::Included(to)) {
            let (key, bytes) = row?;
            let (header, public) =
                line::glance(&bytes).map_err(|error| StateError::Damaged(format!("a line: {error}")))?;
            if let (Some(place), Some(_)) = (header.entry, public) {
                found.push((keys::last_commit(&key).unwrap_or_default(), place));
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The number of a source with this link, the first of them.
    pub fn source_at(&self, incident: &Incident, link: &Link) -> Read_<Option<u32>> {
        let row = self.state.get(&keys::link(incident.id, link.as_str()))?;
        let Some(number) = row.and_then(|row| keys::last_number(&row)) else { return Ok(None) };
        let entry = self.entry(incident, number, None)?;
        let same = entry.is_some_and(|entry| match entry.said {
            Said::Source(source) => entry.retracted.is_none() && source.link.as_ref() == Some(link),
            _ => false,
        });
        Ok(same.then_some(number))
    }

    /// What somebody is asked for in a chat, part by part.
    pub fn asking(&self, address: &Address) -> Read_<Option<AskingRow>> {
        match self.state.get(&keys::asking(&address.0))? {
            None => Ok(None),
            Some(row) => serde_json::from_slice(&row).map(Some).map_err(|error| StateError::Damaged(error.to_string())),
        }
    }

    /// What came of an ask that changed something, if it was handed in before.
    pub fn handed_in(&self, ask: &AskKey) -> Read_<Option<AskRow>> {
        match self.state.get(&keys::ask(&ask.to_string()))? {
            None => Ok(None),
            Some(row) => serde_json::from_slice(&row).map(Some).map_err(|error| StateError::Damaged(error.to_string())),
        }
    }

    /// Up to which commit a person or chat has seen what is new.
    pub fn looked(&self, address: &Address) -> Read_<Option<u64>> {
        Ok(self.state.get(&keys::looked(&address.0))?.and_then(|row| keys::last_commit(&row)))
    }

    /// The channel at an address, with its number.
    pub fn channel_at(&self, address: &Address) -> Read_<Option<(ChannelNumber, Channel)>> {
        Ledger::of(self.state).channel_at(address)
    }

    /// Whether a bundled dossier was loaded to its end.
    pub fn loaded(&self, dossier: &str) -> Read_<bool> {
        Ok(self.state.get(&keys::loaded(dossier))?.is_some())
    }
}

/// A moment on an incident's clock, to the minute.
pub fn local(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let local = at.with_timezone(&zone).naive_local();
    local.date().and_hms_opt(local.hour(), local.minute(), 0).unwrap_or(local)
}

fn rival_of(said: &Said) -> Option<u32> {
    match said {
        Said::Event(event) => event.rival.and_then(Ref::number),
        Said::Figure(figure) => figure.rival.and_then(Ref::number),
        _ => None,
    }
}

fn voice(heard: &Heard) -> Option<Voice> {
    match &heard.statement.said {
        Said::Statement(said) => Some(Voice {
            speaker: said.speaker.clone(),
            publisher: said.published_by.clone(),
            capacity: said.capacity,
            side: heard.side,
            retracted: heard.statement.retracted.is_some(),
        }),
        _ => None,
    }
}

/// Whether what is said holds every word, in any language.
fn holds(said: &Said, words: &[String]) -> bool {
    let text = words_of(said);
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Every word of what is said, in every language, without case and accents.
fn words_of(said: &Said) -> String {
    let mut text = String::new();
    for prose in said.texts() {
        for (_, words) in prose.iter() {
            text.push_str(&searched(words));
            text.push(' ');
        }
    }
    for name in said.names() {
        text.push_str(&searched(name));
        text.push(' ');
    }
    text
}
