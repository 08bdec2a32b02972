//! The keys of the state: a table byte, then fixed-width big-endian integers, so that a prefix scan is an answer.

use crate::{channel::ChannelNumber, entry::Kind, when::Order};

/// The number an incident has inside one state; it never leaves it.
pub type IncidentId = u32;

/// Which ordered list of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Events and statements.
    Timeline = 0,
    /// Statements alone.
    Statements = 1,
}

/// `commit number and hash of the newest line`
pub const HEAD: &[u8] = b"m/head";
/// `where the newest line lies in the journal: the first commit of its file, its first byte there`
pub const SPOT: &[u8] = b"m/spot";
/// `how many incidents there are`
pub const INCIDENTS: &[u8] = b"m/incidents";
/// `which shape these rows have`
pub const SHAPE: &[u8] = b"m/shape";

/// `the erasure that the journal's files still have to follow: which bodies of which commits`
pub const ERASING: &[u8] = b"m/erasing";

/// `how many channels there are`
pub const CHANNELS: &[u8] = b"m/channels";
/// `how many subscriptions were made`
pub const SUBSCRIPTIONS: &[u8] = b"m/subscriptions";
/// `the commit up to which every broadcast was expanded`
pub const EXPANDED: &[u8] = b"m/expanded";

/// A key under construction.
pub struct Key(Vec<u8>);

impl Key {
    /// In a table.
    pub fn of(table: u8) -> Key {
        Key(vec![table])
    }

    /// A number of 4 bytes.
    pub fn n32(mut self, number: u32) -> Key {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// A number of 8 bytes.
    pub fn n64(mut self, number: u64) -> Key {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// One byte.
    pub fn byte(mut self, byte: u8) -> Key {
        self.0.push(byte);
        self
    }

    /// Text.
    pub fn text(mut self, text: &str) -> Key {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Done.
    pub fn end(self) -> Vec<u8> {
        self.0
    }
}

/// `line's commit → its bytes`
pub fn line(commit: u64) -> Vec<u8> {
    Key::of(b'l').n64(commit).end()
}

/// `handle → incident's id, commit of its opening`
pub fn handle(handle: &str) -> Vec<u8> {
    Key::of(b'h').text(handle).end()
}

/// `incident → its head: last number, last hash, counters`
pub fn incident(id: IncidentId) -> Vec<u8> {
    Key::of(b'n').n32(id).end()
}

/// `incident, number → commit, kind, counters up to here`
pub fn entry(id: IncidentId, number: u32) -> Vec<u8> {
    entries(id).n32(number).end()
}

/// `incident, list, order, number → commit that put it there`
pub fn listed(id: IncidentId, list: List, order: Order, number: u32) -> Vec<u8> {
    list_at(id, list, order).n32(number).end()
}

/// The beginning of the keys of a list from one order on.
pub fn list_at(id: IncidentId, list: List, Order(last, first): Order) -> Key {
    list_of(id, list).n64(sortable(last)).n64(sortable(first))
}

/// The beginning of the keys of a list.
pub fn list_of(id: IncidentId, list: List) -> Key {
    Key::of(b't').n32(id).byte(list as u8)
}

/// The order and the number in a key of a list.
pub fn read_listed(key: &[u8]) -> Option<(Order, u32)> {
    let number = |at: usize| Some(u64::from_be_bytes(key.get(at..at + 8)?.try_into().ok()?));
    let entry = u32::from_be_bytes(key.get(22..26)?.try_into().ok()?);
    Some((Order(unsortable(number(6)?), unsortable(number(14)?)), entry))
}

/// Whether entries of a kind have rows of their own by which they are listed. There are many events and statements: they
/// are in the timeline, and where all of them are wanted, every entry is looked at.
pub fn is_listed_by_kind(kind: Kind) -> bool {
    !matches!(kind, Kind::Event | Kind::Statement)
}

/// The beginning of the keys of an incident's entries, by number.
pub fn entries(id: IncidentId) -> Key {
    Key::of(b'e').n32(id)
}

/// The beginning of the keys of an incident's entries of a kind that is listed.
pub fn all_of_kind(id: IncidentId, kind: Kind) -> Key {
    Key::of(b'k').n32(id).byte(kind.byte())
}

/// `incident, kind, number → commit`, for kinds that are listed
pub fn of_kind(id: IncidentId, kind: Kind, number: u32) -> Vec<u8> {
    all_of_kind(id, kind).n32(number).end()
}

/// `incident, subject, number of the correction or retraction → commit`
pub fn revision(id: IncidentId, subject: u32, number: u32) -> Vec<u8> {
    Key::of(b'c').n32(id).n32(subject).n32(number).end()
}

/// `incident, subject → number of its newest correction or retraction`
pub fn last_revision(id: IncidentId, subject: u32) -> Vec<u8> {
    Key::of(b'q').n32(id).n32(subject).end()
}

/// `incident, claim, number of a statement about it → commit`
pub fn voice(id: IncidentId, claim: u32, number: u32) -> Vec<u8> {
    Key::of(b's').n32(id).n32(claim).n32(number).end()
}

/// The beginning of every key of a statement that promises an update.
pub const PROMISES: [u8; 1] = [b'P'];

/// `incident, statement that promises an update → commit`
pub fn promise(id: IncidentId, number: u32) -> Vec<u8> {
    promises(id).n32(number).end()
}

/// The beginning of the keys of an incident's promises.
pub fn promises(id: IncidentId) -> Key {
    Key::of(PROMISES[0]).n32(id)
}

/// The incident in a key of a promise.
pub fn promised_in(key: &[u8]) -> Option<IncidentId> {
    Some(u32::from_be_bytes(key.get(1..5)?.try_into().ok()?))
}

/// `incident, statement whose promise lapsed → commit of the line that says so`
pub fn lapsed(id: IncidentId, number: u32) -> Vec<u8> {
    Key::of(b'J').n32(id).n32(number).end()
}

/// The beginning of the keys of an incident's rivals.
pub fn rivals(id: IncidentId) -> Key {
    Key::of(b'v').n32(id)
}

/// `incident, entry, number of its rival → commit`
pub fn rival(id: IncidentId, entry: u32, number: u32) -> Vec<u8> {
    rivals(id).n32(entry).n32(number).end()
}

/// The entry and its rival in a key of rivals.
pub fn read_rival(key: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(key.get(at..at + 4)?.try_into().ok()?));
    number(5).zip(number(9))
}

/// `incident, dossier key → number`
pub fn key(id: IncidentId, key: &str) -> Vec<u8> {
    Key::of(b'u').n32(id).text(key).end()
}

/// `organisation, incident, number of an entry that names it → commit`
pub fn organisation(handle: &str, id: IncidentId, number: u32) -> Vec<u8> {
    Key::of(b'o').text(handle).byte(0).n32(id).n32(number).end()
}

/// `incident, organisation → number of the entry that made it part of the incident`
pub fn member(id: IncidentId, handle: &str) -> Vec<u8> {
    Key::of(b'y').n32(id).text(handle).end()
}

/// `incident, entry → number of its retraction`
pub fn retracted(id: IncidentId, subject: u32) -> Vec<u8> {
    Key::of(b'w').n32(id).n32(subject).end()
}

/// `ask → when it was handed in, what came of it`
pub fn ask(key: &str) -> Vec<u8> {
    Key::of(b'a').text(key).end()
}

/// `address → author`
pub fn person(address: &str) -> Vec<u8> {
    Key::of(b'p').text(address).end()
}

/// `address → what was chosen there`
pub fn setting(address: &str) -> Vec<u8> {
    Key::of(b'g').text(address).end()
}

/// `dossier → commit of the line that says it was loaded to its end`
pub fn loaded(dossier: &str) -> Vec<u8> {
    Key::of(b'b').text(dossier).end()
}

/// `incident, the first half of its link's hash → number of a source with that link`
pub fn link(id: IncidentId, link: &str) -> Vec<u8> {
    let hash = crate::line::Hash::of(link.as_bytes());
    let mut key = Key::of(b'z').n32(id).end();
    key.extend_from_slice(&hash.0[..16]);
    key
}

/// `channel's number → the channel`
pub fn channel(number: ChannelNumber) -> Vec<u8> {
    Key::of(b'C').n32(number).end()
}

/// `address → number of the channel that is there`
pub fn channel_at(address: &str) -> Vec<u8> {
    Key::of(b'A').text(address).end()
}

/// `commit of an entry that is pushed → incident, number, how far the journal knows`
pub fn broadcast(commit: u64) -> Vec<u8> {
    Key::of(b'B').n64(commit).end()
}

/// `channel, commit of an entry → what became of it there`
pub fn delivery(channel: ChannelNumber, commit: u64) -> Vec<u8> {
    Key::of(b'D').n32(channel).n64(commit).end()
}

/// `channel, commit of an entry → nothing`: held back by a mute that ends some time
pub fn held(channel: ChannelNumber, commit: u64) -> Vec<u8> {
    Key::of(b'H').n32(channel).n64(commit).end()
}

/// `channel, message → how far its publishing to those who follow the channel elsewhere is`
pub fn publishing(channel: ChannelNumber, message: u64) -> Vec<u8> {
    Key::of(b'U').n32(channel).n64(message).end()
}

/// `number → something that owners, or somebody, should know and nobody has got yet`
pub fn alert(number: u64) -> Vec<u8> {
    Key::of(b'I').n64(number).end()
}

/// `network → until when the platform wants nothing at all`
pub fn limit(network: u8) -> Vec<u8> {
    [b"m/limit/", &[network][..]].concat()
}

/// `commit of an entry → channels that may be attempted, as the newest line of the journal says`
pub fn attempted(commit: u64) -> Vec<u8> {
    Key::of(b'G').n64(commit).end()
}

/// `commit of the newest entry that a line tells of, commit of the line → commits of all entries that it tells of`: lines
/// that tell how far broadcasts are, to be erased when these are forgotten
pub fn progress(commit: u64, line: u64) -> Vec<u8> {
    Key::of(b'E').n64(commit).n64(line).end()
}

/// `network, when it is due, channel → commit of its oldest open delivery`
pub fn due(network: u8, at: i64, channel: ChannelNumber) -> Vec<u8> {
    Key::of(b'Q').byte(network).n64(sortable(at)).n32(channel).end()
}

/// The moment and the channel in a key of what is due.
pub fn read_due(key: &[u8]) -> Option<(i64, ChannelNumber)> {
    let at = u64::from_be_bytes(key.get(2..10)?.try_into().ok()?);
    Some((unsortable(at), u32::from_be_bytes(key.get(10..14)?.try_into().ok()?)))
}

/// `channel → what is open there, and what is wrong with it`
pub fn mailbox(channel: ChannelNumber) -> Vec<u8> {
    Key::of(b'O').n32(channel).end()
}

/// `commit of an entry → how far its broadcast is`
pub fn tally(commit: u64) -> Vec<u8> {
    Key::of(b'R').n64(commit).end()
}

/// `commit of an entry, channel that cannot be reached → nothing`
pub fn owed(commit: u64, channel: ChannelNumber) -> Vec<u8> {
    Key::of(b'W').n64(commit).n32(channel).end()
}

/// The beginning of the keys of what people on a network have to be told of.
pub fn letters(network: u8) -> Key {
    Key::of(b'M').byte(network)
}

/// `network, commit of a line that people there have to be told of → who was told already`
pub fn letter(network: u8, commit: u64) -> Vec<u8> {
    letters(network).n64(commit).end()
}

/// `commit of a draft → the draft`
pub fn draft(commit: u64) -> Vec<u8> {
    Key::of(b'T').n64(commit).end()
}

/// The beginning of every key of a suggestion that waits.
pub const SUGGESTIONS: [u8; 1] = [b'S'];

/// `commit of a draft that is a suggestion and waits → who made it`
pub fn suggestion(commit: u64) -> Vec<u8> {
    Key::of(SUGGESTIONS[0]).n64(commit).end()
}

/// The beginning of every key of somebody who was given something.
pub const RANKS: [u8; 1] = [b'K'];

/// `address → what they may do`
pub fn rank(address: &str) -> Vec<u8> {
    Key::of(RANKS[0]).text(address).end()
}

/// `address → the last thing that they were refused`
pub fn refused(address: &str) -> Vec<u8> {
    Key::of(b'X').text(address).end()
}

/// The beginning of every key of the trail.
pub const TRAIL: [u8; 1] = [b'Y'];

/// `commit of a line that the trail tells of → nothing`
pub fn trail(commit: u64) -> Vec<u8> {
    Key::of(TRAIL[0]).n64(commit).end()
}

/// The beginning of the keys of the lines that are about somebody.
pub fn traces(address: &str) -> Key {
    Key::of(b'V').text(address).byte(0)
}

/// `address, commit of a line that is about whoever is there → nothing`
pub fn trace(address: &str, commit: u64) -> Vec<u8> {
    traces(address).n64(commit).end()
}

/// `person or chat → the commit up to which it has seen what is new`
pub fn looked(address: &str) -> Vec<u8> {
    Key::of(b'L').text(address).end()
}

/// `chat → what somebody is asked for there, part by part`
pub fn asking(address: &str) -> Vec<u8> {
    Key::of(b'F').text(address).end()
}

/// The last 8 bytes of a key, where commits stand.
pub fn last_commit(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.last_chunk::<8>().copied()?))
}

/// The last 4 bytes of a key, where numbers of entries stand.
pub fn last_number(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.last_chunk::<4>().copied()?))
}

/// Signed numbers in the order of their bytes.
fn sortable(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

fn unsortable(bits: u64) -> i64 {
    (bits ^ (1 << 63)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_is_the_order_of_dates() {
        let key = |last, first, number| listed(7, List::Timeline, Order(last, first), number);
        let sorted = [key(-5, -9, 1), key(-1, -2, 1), key(0, 0, 1), key(0, 0, 2), key(3, -1, 1), key(3, 2, 1)];
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(read_listed(&key(-5, 9, 44)), Some((Order(-5, 9), 44)));
    }
}
