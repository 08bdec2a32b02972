//! A state in memory, with the same promises as one on disk: a batch is applied whole, and a death takes everything
//! that was not synced. It outlives the store that uses it, as a disk does, so that a world can die and wake a
//! thousand times a second.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::state::Rows;

/// How many rows a scan looks ahead.
const AHEAD: usize = 64;

/// The rows, and how to take back what was not synced. A clone is the same memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What each batch since the last sync replaced.
    undo: Vec<Rows>,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back the batches that were not synced, but for the first `survive` of them: a disk may have kept some.
    pub fn die(&self, survive: usize) {
        let mut inner = self.inner();
        let keep = survive.min(inner.undo.len());
        for before in inner.undo.split_off(keep).into_iter().rev() {
            for (key, value) in before {
                match value {
                    Some(value) => inner.rows.insert(key, value),
                    None => inner.rows.remove(&key),
                };
            }
        }
        inner.undo.clear();
    }

    /// How many batches were applied since the last sync.
    pub fn unsynced(&self) -> usize {
        self.inner().undo.len()
    }

    /// Loses everything, as a disk that was exchanged.
    pub fn wipe(&self) {
        *self.inner() = Inner::default();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.inner().rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn apply(&self, rows: Rows) {
        let mut inner = self.inner();
        let mut before = Rows::new();
        for (key, value) in rows {
            let old = match value {
                Some(value) => inner.rows.insert(key.clone(), value),
                None => inner.rows.remove(&key),
            };
            before.insert(key, old);
        }
        inner.undo.push(before);
    }

    pub(super) fn sync(&self) {
        self.inner().undo.clear();
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner().rows.get(key).cloned()
    }

    pub(super) fn range(&self, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Scan {
        Scan { memory: self.clone(), from, to, front: Vec::new(), back: Vec::new() }
    }

    #[cfg(test)]
    fn prefix(&self, prefix: &[u8]) -> Scan {
        self.range(Bound::Included(prefix.to_vec()), behind(prefix))
    }
}

/// The bound behind all keys that begin with a prefix.
pub(super) fn behind(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    match end.last_mut() {
        None => Bound::Unbounded,
        Some(last) => {
            *last += 1;
            Bound::Excluded(end)
        }
    }
}

/// Whether there can be no key in a range.
pub(super) fn is_empty(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}

/// The rows of a range: some are copied ahead, so that nobody is kept from writing meanwhile.
pub struct Scan {
    memory: Memory,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    /// Rows from the front, the next one last.
    front: Vec<(Vec<u8>, Vec<u8>)>,
    /// Rows from the back, the next one last.
    back: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Scan {
    fn look(&self, back: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        if is_empty(&self.from, &self.to) {
            return Vec::new();
        }
        let inner = self.memory.inner();
        let range = inner.rows.range((self.from.clone(), self.to.clone()));
        let own = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        let mut rows: Vec<_> = match back {
            true => range.rev().take(AHEAD).map(own).collect(),
            false => range.take(AHEAD).map(own).collect(),
        };
        rows.reverse();
        rows
    }
}

impl Iterator for Scan {
    type Item = (Vec<u8>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front.is_empty() {
            self.front = self.look(false);
            match self.front.first() {
                Some((last, _)) => self.from = Bound::Excluded(last.clone()),
                None => return if self.back.is_empty() { None } else { Some(self.back.remove(0)) },
            }
        }
        self.front.pop()
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.back.is_empty() {
            self.back = self.look(true);
            match self.back.first() {
                Some((first, _)) => self.to = Bound::Excluded(first.clone()),
                None => return if self.front.is_empty() { None } else { Some(self.front.remove(0)) },
            }
        }
        self.back.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(memory: &Memory, key: u8, value: Option<u8>) {
        memory.apply(Rows::from([(vec![key], value.map(|value| vec![value]))]));
    }

    #[test]
    fn a_death_takes_what_was_not_synced_and_may_leave_its_beginning() {
        let memory = Memory::default();
        put(&memory, 1, Some(1));
        memory.sync();
        put(&memory, 1, Some(2));
        put(&memory, 1, None);
        put(&memory, 2, Some(9));
        assert_eq!((memory.get(&[1]), memory.get(&[2])), (None, Some(vec![9])));
        memory.die(1);
        assert_eq!((memory.get(&[1]), memory.get(&[2])), (Some(vec![2]), None));
        put(&memory, 3, Some(1));
        memory.die(0);
        assert_eq!(memory.get(&[3]), None);
    }

    #[test]
    fn a_scan_goes_both_ways_and_meets_in_the_middle() {
        let memory = Memory::default();
        (0..200).for_each(|key| put(&memory, key, Some(key)));
        let keys = |rows: Vec<(Vec<u8>, Vec<u8>)>| rows.into_iter().map(|(key, _)| key[0]).collect::<Vec<_>>();
        assert_eq!(keys(memory.prefix(&[]).collect()), (0..200).collect::<Vec<_>>());
        assert_eq!(keys(memory.prefix(&[]).rev().collect()), (0..200).rev().collect::<Vec<_>>());
        let mut scan = memory.range(Bound::Included(vec![10]), Bound::Excluded(vec![15]));
        let (first, last) = (scan.next().expect("a row"), scan.next_back().expect("a row"));
        assert_eq!((first.0, last.0), (vec![10], vec![14]));
        assert_eq!(keys(scan.collect()), [11, 12, 13]);
    }
}
