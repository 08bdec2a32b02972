//! From a line to the rows it makes. Rows are added and never changed (but for heads and counters), each under the
//! commit that made it, so that a reader at an earlier commit simply does not see them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    keys::{self, IncidentId, List},
    letters, people, progress,
    state::{Layer, Read, StateError},
};
use crate::{
    channel::{Channel, ChannelNumber, Mute, Network},
    entry::{Kind, Said},
    journal::Spot,
    lang::Lang,
    line::{BadLine, Hash, Header, Line, Place, Public},
    outbox::{Delivery, Left, Mailbox, State, Tally},
    private::{Address, Bodies, Fact},
    subscription::{Subscription, What},
};

/// Which shape the rows have: another shape is folded again.
pub const SHAPE: u32 = 6;

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

/// Where the newest line lies, as a row.
pub(super) fn write_spot(spot: Spot) -> Vec<u8> {
    [spot.file.to_be_bytes(), spot.offset.to_be_bytes()].concat()
}

/// Where the state says that the newest line lies: to be looked at, for the file may have been changed since.
pub(super) fn read_spot(from: &dyn Read) -> Result<Option<Spot>, StateError> {
    let Some(row) = from.get(keys::SPOT)? else { return Ok(None) };
    let number = |at: usize| Some(u64::from_be_bytes(row.get(at..at + 8)?.try_into().ok()?));
    Ok(number(0).zip(number(8)).map(|(file, offset)| Spot { file, offset }))
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
        from.get(&keys::entry(id, number))?.map(|row| EntryRow::parse(&row)).transpose()
    }

    pub(crate) fn parse(row: &[u8]) -> Result<EntryRow, StateError> {
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
        read().ok_or_else(|| damaged("an entry's row"))
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
    if header.commit == 1 {
        layer.put(keys::SHAPE.to_vec(), SHAPE.to_string());
    }
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
        None => Ok(()),
        Some(fact) => fold_fact(layer, header, fact),
    }
}

fn fold_fact(layer: &mut Layer<'_>, header: &Header, fact: &Fact) -> Result<(), StateError> {
    if let Some(who) = fact.about() {
        layer.put(keys::trace(&who.0, header.commit), Vec::new());
    }
    match fact {
        Fact::Erasure { commits, bodies, .. } => {
            // Records of deliveries go by themselves: nobody decided it.
            let of = commits.first().map_or(Ok(None), |commit| kind_of(layer, *commit))?;
            if of.as_deref() != Some("delivered") {
                layer.put(keys::trail(header.commit), Vec::new());
            }
            erase(layer, header.commit, commits, *bodies)?;
        }
        Fact::Person { address, author } => layer.put(keys::person(&address.0), author.0.as_bytes()),
        Fact::Loaded { dossier } => layer.put(keys::loaded(dossier), header.commit.to_be_bytes()),
        Fact::Setting { address, lang, zone } => {
            let key = keys::setting(&address.0);
            let before: Choice = layer.get(&key)?.map_or(Ok(Choice::default()), |row| from_json(&row))?;
            layer.put(key, json(&Choice { lang: lang.or(before.lang), zone: zone.or(before.zone) })?);
        }
        Fact::Subscription { .. } => subscribe(layer, header.commit, fact)?,
        Fact::Keeper { address, by } => change_channel(layer, address, |channel| channel.by = Some(by.clone()))?,
        Fact::Unsubscription { address, what } => change_channel(layer, address, |channel| match what {
            None => channel.subscriptions.clear(),
            Some(what) => channel.subscriptions.retain(|it| it.follow.what != *what),
        })?,
        Fact::Mute { address, incident, off, until } => change_channel(layer, address, |channel| {
            channel.mutes.retain(|mute| mute.incident != *incident);
            if !off {
                channel.mutes.push(Mute { incident: incident.clone(), until: *until });
            }
        })?,
        Fact::Moved { from, to } => move_chat(layer, from, to)?,
        Fact::Begun { broadcast } => know(layer, *broadcast, Known::Begun)?,
        Fact::Drained { broadcast, copies, owed, last } => {
            drained(layer, header, *broadcast, copies, owed)?;
            if *last {
                progress::attempted(layer, *broadcast, &[], header.recorded_at.timestamp_millis())?;
                know(layer, *broadcast, Known::Drained)?;
                layer.forget(keys::attempted(*broadcast));
            }
        }
        Fact::Delivered { done, next } => progress::fold(layer, header, done, next)?,
        Fact::Looked { address, commit } => layer.put(keys::looked(&address.0), commit.to_be_bytes()),
        Fact::Lapsed { incident, number } => lapsed(layer, header.commit, incident, *number)?,
        Fact::Ranked { .. }
        | Fact::Refused { .. }
        | Fact::Draft(_)
        | Fact::Redraft { .. }
        | Fact::Approved { .. }
        | Fact::Carded { .. }
        | Fact::Told { .. }
        | Fact::Decided { .. } => people::fold(layer, header, fact)?,
        Fact::Asking { address, .. } => {
            let key = keys::asking(&address.0);
            let before = layer.get(&key)?.map(|row| from_json(&row)).transpose()?;
            match AskingRow::after(before, fact, header.recorded_at.timestamp_millis()) {
                Some(row) => layer.put(key, json(&row)?),
                None => layer.forget(key),
            }
        }
    }
    Ok(())
}

/// Notes that a promise lapsed, for those to hear of who asked to.
fn lapsed(layer: &mut Layer<'_>, commit: u64, incident: &crate::slug::Slug, number: u32) -> Result<(), StateError> {
    let Some(head) = IncidentHead::read(layer, incident.as_str())? else { return Ok(()) };
    let key = keys::lapsed(head.id, number);
    if layer.get(&key)?.is_none() {
        layer.put(key, commit.to_be_bytes());
        let broadcast = Broadcast { commit, incident: head.id, number, known: Known::Recorded };
        layer.put(keys::broadcast(commit), broadcast.write());
        letters::owe(layer, commit, Network::ALL)?;
    }
    Ok(())
}

/// An entry that is pushed to whoever follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Its commit.
    pub commit: u64,
    /// Its incident's id in this state.
    pub incident: IncidentId,
    /// Its number there.
    pub number: u32,
    /// How far the journal knows of it.
    pub known: Known,
}

/// How far the journal knows of a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was recorded.
    Recorded = 0,
    /// It was begun.
    Begun = 1,
    /// It is over.
    Drained = 2,
    /// It was begun, and later lines tell how far it is.
    Tracked = 3,
}

impl Broadcast {
    pub(super) fn parse(commit: u64, row: &[u8]) -> Result<Broadcast, StateError> {
        let read = || {
            let (incident, rest) = row.split_first_chunk::<4>()?;
            let (number, rest) = rest.split_first_chunk::<4>()?;
            let known = match rest {
                [0] => Known::Recorded,
                [1] => Known::Begun,
                [2] => Known::Drained,
                [3] => Known::Tracked,
                _ => return None,
            };
            let (incident, number) = (u32::from_be_bytes(*incident), u32::from_be_bytes(*number));
            Some(Broadcast { commit, incident, number, known })
        };
        read().ok_or_else(|| damaged("a broadcast"))
    }

    fn write(self) -> Vec<u8> {
        [&self.incident.to_be_bytes()[..], &self.number.to_be_bytes(), &[self.known as u8]].concat()
    }
}

/// What somebody is asked for, part by part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskingRow {
    /// The command.
    pub command: String,
    /// What was given, by the arguments' names.
    pub given: BTreeMap<String, String>,
    /// The arguments that are left out.
    pub without: BTreeSet<String>,
    /// When the last part was given, in milliseconds since 1970.
    pub at: i64,
}

impl AskingRow {
    /// What is asked for after a line; what goes on without a beginning, because that was erased, is nothing.
    fn after(before: Option<AskingRow>, fact: &Fact, at: i64) -> Option<AskingRow> {
        let Fact::Asking { command, given, without, over: false, .. } = fact else { return None };
        let begun = |command: &String| AskingRow {
            command: command.clone(),
            given: BTreeMap::new(),
            without: BTreeSet::new(),
            at,
        };
        let mut row = command.as_ref().map(begun).or(before)?;
        row.given.extend(given.clone());
        row.without.extend(without.clone());
        Some(AskingRow { at, ..row })
    }
}

pub(super) fn count(from: &dyn Read, key: &[u8]) -> Result<u32, StateError> {
    match from.get(key)? {
        Some(row) => Ok(u32::from_be_bytes((*row).try_into().map_err(|_| damaged("a counter"))?)),
        None => Ok(0),
    }
}

/// The number of the channel at an address, and the channel.
pub(super) fn channel_at(from: &dyn Read, address: &Address) -> Result<Option<(ChannelNumber, Channel)>, StateError> {
    let Some(row) = from.get(&keys::channel_at(&address.0))? else { return Ok(None) };
    let number = keys::last_number(&row).ok_or_else(|| damaged("a channel's number"))?;
    let row = from.get(&keys::channel(number))?.ok_or_else(|| damaged("a channel"))?;
    Ok(Some((number, from_json(&row)?)))
}

fn change_channel(
    layer: &mut Layer<'_>,
    address: &Address,
    change: impl FnOnce(&mut Channel),
) -> Result<(), StateError> {
    if let Some((number, mut channel)) = channel_at(layer, address)? {
        change(&mut channel);
        layer.put(keys::channel(number), json(&channel)?);
    }
    Ok(())
}

fn subscribe(layer: &mut Layer<'_>, commit: u64, fact: &Fact) -> Result<(), StateError> {
    let Fact::Subscription { address, settings, place, lang, by, follow } = fact else { return Ok(()) };
    let (number, mut channel) = match channel_at(layer, address)? {
        Some(known) => known,
        None => {
            let number = count(layer, keys::CHANNELS)? + 1;
            layer.put(keys::CHANNELS.to_vec(), number.to_be_bytes());
            layer.put(keys::channel_at(&address.0), number.to_be_bytes());
            let channel = Channel {
                address: address.clone(),
                settings: settings.clone(),
                place: *place,
                lang: *lang,
                by: None,
                subscriptions: Vec::new(),
                mutes: Vec::new(),
                moves: 0,
            };
            (number, channel)
        }
    };
    (channel.settings, channel.place, channel.lang, channel.by) = (settings.clone(), *place, *lang, by.clone());
    if let What::Incident(incident) = &follow.what {
        channel.mutes.retain(|mute| mute.incident != *incident);
    }
    match channel.subscriptions.iter_mut().find(|it| it.follow.what == follow.what) {
        Some(known) => known.follow = follow.clone(),
        None => {
            let subscription = count(layer, keys::SUBSCRIPTIONS)? + 1;
            layer.put(keys::SUBSCRIPTIONS.to_vec(), subscription.to_be_bytes());
            channel.subscriptions.push(Subscription { number: subscription, since: commit, follow: follow.clone() });
        }
    }
    layer.put(keys::channel(number), json(&channel)?);
    Ok(())
}

/// Only groups without topics move, so a chat is one channel. Where the new address is followed from already, both
/// lists become one.
fn move_chat(layer: &mut Layer<'_>, from: &Address, to: &Address) -> Result<(), StateError> {
    if let Some(choice) = layer.get(&keys::setting(&from.0))?
        && layer.get(&keys::setting(&to.0))?.is_none()
    {
        layer.put(keys::setting(&to.0), &*choice);
    }
    if let Some(looked) = layer.get(&keys::looked(&from.0))? {
        layer.put(keys::looked(&to.0), &*looked);
    }
    let Some((number, mut channel)) = channel_at(layer, from)? else { return Ok(()) };
    layer.forget(keys::channel_at(&from.0));
    if let Some((other, mut there)) = channel_at(layer, to)?
        && other != number
    {
        // The chat subscribed itself at its new address already: that goes on, with what was asked for before.
        let known = |it: &Subscription| there.subscriptions.iter().any(|own| own.follow.what == it.follow.what);
        let old: Vec<Subscription> = channel.subscriptions.drain(..).filter(|it| !known(it)).collect();
        there.subscriptions.extend(old);
        there.mutes.append(&mut channel.mutes);
        layer.put(keys::channel(other), json(&there)?);
        layer.put(keys::channel(number), json(&channel)?);
        return Ok(());
    }
    layer.put(keys::channel_at(&to.0), number.to_be_bytes());
    if channel.settings == *from {
        channel.settings = to.clone();
    }
    channel.address = to.clone();
    channel.moves += 1;
    layer.put(keys::channel(number), json(&channel)?);
    Ok(())
}

/// Notes how far the journal knows of a broadcast.
pub(super) fn know(layer: &mut Layer<'_>, commit: u64, known: Known) -> Result<(), StateError> {
    let key = keys::broadcast(commit);
    if let Some(row) = layer.get(&key)? {
        let broadcast = Broadcast { known, ..Broadcast::parse(commit, &row)? };
        layer.put(key, broadcast.write());
    }
    Ok(())
}

/// What a broadcast left, for a ledger that was lost: one that is there knows better.
fn drained(
    layer: &mut Layer<'_>,
    header: &Header,
    commit: u64,
    copies: &BTreeMap<ChannelNumber, Left>,
    owed: &[ChannelNumber],
) -> Result<(), StateError> {
    if layer.get(&keys::tally(commit))?.is_some_and(|row| from_json::<Tally>(&row).is_ok_and(|tally| tally.begun)) {
        return Ok(());
    }
    let at = header.recorded_at.timestamp_millis();
    let subject = subject_of(layer, commit)?;
    for (channel, left) in copies {
        let key = keys::delivery(*channel, commit);
        let known: Option<Delivery> = layer.get(&key)?.map(|row| from_json(&row)).transpose()?;
        if known.is_none_or(|it| it.is_open() || it.is_assumed()) {
            let delivery = sent(layer, *channel, (commit, subject), left, at)?;
            layer.put(key, json(&delivery)?);
        }
    }
    for channel in owed {
        let key = keys::delivery(*channel, commit);
        let known: Option<Delivery> = layer.get(&key)?.map(|row| from_json(&row)).transpose()?;
        if known.is_none_or(|it| it.is_assumed()) {
            layer.put(key, json(&Delivery::waiting(at, subject))?);
            let mailbox = keys::mailbox(*channel);
            let mut open: Mailbox = layer.get(&mailbox)?.map_or(Ok(Mailbox::default()), |row| from_json(&row))?;
            let row = layer.get(&keys::channel(*channel))?.ok_or_else(|| damaged("a channel"))?;
            let network = from_json::<Channel>(&row)?.address.network();
            let first = open.head.is_none_or(|(head, _)| commit < head);
            if let (true, Some(network)) = (first, network) {
                if let Some((_, due)) = open.head {
                    layer.forget(keys::due(network as u8, due, *channel));
                }
                open.head = Some((commit, at));
                layer.put(mailbox, json(&open)?);
                layer.put(keys::due(network as u8, at, *channel), commit.to_be_bytes());
            }
        }
    }
    Ok(())
}

/// A delivery as a line of the journal tells it.
pub(super) fn sent(
    layer: &Layer<'_>,
    channel: ChannelNumber,
    (commit, amends): (u64, bool),
    left: &Left,
    at: i64,
) -> Result<Delivery, StateError> {
    let mut delivery = Delivery::waiting(at, amends);
    (delivery.state, delivery.ids, delivery.card) = (State::Sent, left.ids.clone(), left.card);
    (delivery.replaces, delivery.copy) = (left.replaces, !amends || left.replaces);
    (delivery.shown, delivery.born, delivery.lost) = (commit, commit, left.ids.is_empty());
    (delivery.moves, delivery.journalled) = (channel_moves(layer, channel)?, true);
    Ok(delivery)
}

/// How often a channel's chat has moved: message numbers of a line are those of the chat as it was then.
pub(super) fn channel_moves(layer: &Layer<'_>, channel: ChannelNumber) -> Result<u32, StateError> {
    let row = layer.get(&keys::channel(channel))?;
    row.map_or(Ok(0), |row| from_json::<Channel>(&row).map(|channel| channel.moves))
}

/// Whether the entry of a commit corrects or retracts another.
pub(super) fn subject_of(layer: &Layer<'_>, commit: u64) -> Result<bool, StateError> {
    Ok(matches!(kind_of(layer, commit)?.as_deref(), Some("correction" | "retraction" | "erasure")))
}

/// What kind of line a commit's is.
fn kind_of(layer: &Layer<'_>, commit: u64) -> Result<Option<String>, StateError> {
    let Some(bytes) = layer.get(&keys::line(commit))? else { return Ok(None) };
    let (header, _) = crate::line::glance(&bytes).map_err(|error| StateError::Damaged(error.to_string()))?;
    Ok(Some(header.kind))
}

/// Erases the state's copies, and notes that the journal's files must follow.
fn erase(layer: &mut Layer<'_>, by: u64, commits: &[u64], bodies: Bodies) -> Result<(), StateError> {
    for (at, commit) in commits.iter().enumerate() {
        let key = keys::line(*commit);
        let Some(bytes) = layer.get(&key)?.map(|bytes| bytes.to_vec()) else { continue };
        let damaged = |error: BadLine| StateError::Damaged(format!("commit {commit}: {error}"));
        let line = Line::read(&bytes).map_err(damaged)?;
        layer.put(key, line.without(bodies).map_err(damaged)?);
        if bodies != Bodies::Public
            && let Some(fact) = line.private.as_ref().and_then(|private| private.fact.as_ref())
        {
            people::forget(layer, *commit, fact)?;
            if let Fact::Keeper { address, by } = fact {
                change_channel(layer, address, |channel| channel.by = channel.by.take().filter(|it| it != by))?;
            }
            if let Some(who) = fact.about() {
                layer.forget(keys::trace(&who.0, *commit));
            }
            if let Fact::Delivered { done, next } = fact {
                progress::forget(layer, *commit, done, next);
            }
        }
        // Whoever was sent the entry has what they see changed: the erasure is told like a retraction.
        if at == 0
            && bodies != Bodies::Private
            && let Some(place) = &line.header.entry
            && let Some((incident, _)) = incident_id(layer, place.incident.as_str())?
        {
            let broadcast = Broadcast { commit: by, incident, number: place.number, known: Known::Recorded };
            layer.put(keys::broadcast(by), broadcast.write());
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
    if keys::is_listed_by_kind(kind) {
        layer.put(keys::of_kind(head.id, kind, place.number), commit.to_be_bytes());
    }
    match &line.public {
        Some(public) => fold_public(layer, head.id, place.number, commit, public),
        None => Ok(()),
    }
}

fn open_incident(layer: &mut Layer<'_>, place: &Place, commit: u64) -> Result<IncidentHead, StateError> {
    let id = count(layer, keys::INCIDENTS)? + 1;
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
    if public.pushes() {
        let broadcast = Broadcast { commit, incident: id, number, known: Known::Recorded };
        layer.put(keys::broadcast(commit), broadcast.write());
    }
    let source = match &public.said {
        Said::Source(source) => Some((source, number)),
        Said::Correction(it) => match (&*it.now, it.subject.number()) {
            (Said::Source(source), Some(subject)) => Some((source, subject)),
            _ => None,
        },
        _ => None,
    };
    if let Some((source, number)) = source
        && let Some(link) = &source.link
        && layer.get(&keys::link(id, link.as_str()))?.is_none()
    {
        layer.put(keys::link(id, link.as_str()), number.to_be_bytes());
    }
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
        found_by.extend(statement.promises.map(|_| keys::promise(id, number)));
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

pub(super) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(value).map_err(|error| StateError::Damaged(error.to_string()))
}

pub(super) fn from_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))
}
