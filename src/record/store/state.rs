//! The state: one ordered map of rows, each group applied as one atomic batch. It lives on disk, in sled, or in memory
//! alone. Only this file names sled.
//!
//! One tree with a table byte in front of each key, instead of a tree a table: a batch over one tree is atomic without
//! a transaction's closures and retries, and every table is scanned the same way.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    ops::{Bound, Deref},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::memory::{self, Memory};

/// Rows as they will be once a group is applied; none for those that will be gone.
pub type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn closed() -> StateError {
    StateError::Io(io::Error::other("it could not be opened again yet"))
}

/// Something that rows can be read from.
pub trait Read {
    /// One row's value.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError>;
}

/// A value or key as the state holds it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(sled::IVec);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes(bytes.into())
    }
}

/// Why the state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("the state in {0} is open in another process")]
    Locked(String),
    /// It cannot be trusted: it must be moved aside and folded again.
    #[error("the state is damaged: {0}")]
    Damaged(String),
    /// The system refused.
    #[error("the state cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

impl From<sled::Error> for StateError {
    fn from(error: sled::Error) -> StateError {
        match error {
            sled::Error::Io(error) => StateError::Io(error),
            other => StateError::Damaged(other.to_string()),
        }
    }
}

/// How many bytes are kept unsynced at most before they are synced unasked.
const MOST_UNSYNCED: usize = 8 << 20;
/// How often a locked state is tried again, 20 ms apart.
const LETTING_GO: u32 = 150;

/// The state.
pub struct State {
    kept: Kept,
    /// Where sled lies.
    dir: PathBuf,
    /// sled met an error that it does not forget: it has to be opened again.
    failed: AtomicBool,
    /// What was applied since the last sync, so that it is not lost where sled has to be opened again.
    unsynced: Mutex<Unsynced>,
    /// See [`State::alone`].
    changing: Mutex<()>,
}

/// Rows in the order in which they were applied.
#[derive(Default)]
struct Unsynced {
    /// Whether they are kept at all.
    kept: bool,
    batches: VecDeque<(u64, Rows)>,
    /// The number of the next batch.
    next: u64,
    bytes: usize,
}

impl Unsynced {
    fn push(&mut self, rows: Rows) {
        self.bytes += Unsynced::size(&rows);
        self.batches.push_back((self.next, rows));
        self.next += 1;
    }

    /// Those before a number are durable.
    fn synced(&mut self, before: u64) {
        while let Some((number, rows)) = self.batches.pop_front() {
            if number >= before {
                return self.batches.push_front((number, rows));
            }
            self.bytes -= Unsynced::size(&rows);
        }
    }

    fn size(rows: &Rows) -> usize {
        rows.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }
}

enum Kept {
    OnDisk(Arc<Slot>),
    InMemory(Memory),
}

/// Where sled's handle is. Nobody keeps one for longer than a step takes, so that sled can be opened again.
struct Slot {
    /// None while it is being opened again.
    db: RwLock<Option<sled::Db>>,
    opening: AtomicBool,
}

impl Slot {
    /// The handle, if it is open.
    fn now(&self) -> Option<sled::Db> {
        self.db.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The handle; while it is being opened again, that is waited for.
    fn db(&self) -> Result<sled::Db, StateError> {
        for _ in 0..LETTING_GO {
            match self.now() {
                Some(db) => return Ok(db),
                None if !self.opening.load(Ordering::Acquire) => break,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Err(closed())
    }

    fn put(&self, db: Option<sled::Db>) -> Option<sled::Db> {
        std::mem::replace(&mut *self.db.write().unwrap_or_else(PoisonError::into_inner), db)
    }
}

impl State {
    /// Opens or makes it. Whoever calls holds the store's own lock, so a state that is locked is one that threads of
    /// sled's, in this process, are just letting go of: that is waited for.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<State, StateError> {
        for _ in 0..LETTING_GO {
            match State::open_once(dir, cache_bytes) {
                Err(StateError::Locked(_)) => std::thread::sleep(Duration::from_millis(20)),
                other => return other,
            }
        }
        State::open_once(dir, cache_bytes)
    }

    /// sled 0.34 may panic on a damaged file, and does not open beside a half-written snapshot.
    fn open_once(dir: &Path, cache_bytes: u64) -> Result<State, StateError> {
        remove_half_snapshots(dir)?;
        check_settings(dir)?;
        let open = || sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(Some(500)).open();
        match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(db)) => {
                let slot = Slot { db: RwLock::new(Some(db)), opening: AtomicBool::default() };
                Ok(State::of(Kept::OnDisk(Arc::new(slot)), dir))
            }
            Ok(Err(sled::Error::Io(error))) if error.to_string().contains("lock") => {
                Err(StateError::Locked(dir.display().to_string()))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StateError::Damaged("sled panicked while opening it".to_owned())),
        }
    }

    /// A state in memory: as much of it is left after a death as was synced before.
    pub fn in_memory(memory: Memory) -> State {
        State::of(Kept::InMemory(memory), Path::new(""))
    }

    fn of(kept: Kept, dir: &Path) -> State {
        State {
            kept,
            dir: dir.to_owned(),
            failed: AtomicBool::default(),
            unsynced: Mutex::default(),
            changing: Mutex::default(),
        }
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while rows that several threads change are read and written back.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps from now on what is applied until it is synced.
    pub fn keep_unsynced(&self) {
        self.unsynced().kept = matches!(self.kept, Kept::OnDisk(_));
    }

    /// What was applied since the last sync, in its order.
    pub fn kept_unsynced(&self) -> Vec<Rows> {
        self.unsynced().batches.iter().map(|(_, rows)| rows.clone()).collect()
    }

    /// Notes whether sled failed: after an error of the disk it takes nothing more until it is opened again.
    fn noted<T>(&self, done: Result<T, StateError>) -> Result<T, StateError> {
        if done.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Whether it has to be closed and opened again.
    pub fn has_failed(&self) -> bool {
        if self.failed.load(Ordering::Relaxed) {
            return true;
        }
        let Kept::OnDisk(slot) = &self.kept else { return false };
        // What fails on a thread of sled's own is kept there; who writes next would hear of it.
        slot.now().is_none_or(|db| db.context.global_error().is_err())
    }

    /// Lets go of sled, so that it can be opened again; until that is done or given up, those who ask wait for it.
    pub fn close(&self) {
        let Kept::OnDisk(slot) = &self.kept else { return };
        slot.opening.store(true, Ordering::Release);
        let db = {
            // Nobody is applying anything.
            let _unsynced = self.unsynced();
            slot.put(None)
        };
        let closed = catch_unwind(AssertUnwindSafe(|| {
            if let Some(db) = db {
                // sled may leave one who flushes asleep after an error; the next one wakes them all.
                let _ = db.flush();
            }
        }));
        if closed.is_err() {
            tracing::warn!("sled panicked while it was closed");
        }
    }

    /// Goes on with what was opened in its place, which has what was kept; none if it could not be opened.
    pub fn replace(&self, other: Option<State>) {
        let Kept::OnDisk(slot) = &self.kept else { return };
        if let Some(State { kept: Kept::OnDisk(new), .. }) = other {
            let mut unsynced = self.unsynced();
            slot.put(new.put(None));
            let next = unsynced.next;
            unsynced.synced(next);
            self.failed.store(false, Ordering::Relaxed);
        }
        slot.opening.store(false, Ordering::Release);
    }

    /// Applies a group's rows, all or none.
    pub fn apply(&self, rows: Rows) -> Result<(), StateError> {
        match &self.kept {
            Kept::InMemory(memory) => memory.apply(rows),
            Kept::OnDisk(slot) => {
                drop(slot.db()?);
                let mut unsynced = self.unsynced();
                // It may have been closed meanwhile.
                let db = slot.now().ok_or_else(closed)?;
                let kept = unsynced.kept.then(|| rows.clone());
                let mut batch = sled::Batch::default();
                for (key, value) in rows {
                    match value {
                        Some(value) => batch.insert(key, value),
                        None => batch.remove(key),
                    }
                }
                self.noted(db.apply_batch(batch).map_err(StateError::from))?;
                kept.into_iter().for_each(|rows| unsynced.push(rows));
                let much = unsynced.bytes >= MOST_UNSYNCED;
                drop(unsynced);
                if much {
                    // It was applied; that it could not be synced is noted, and told to whoever syncs next.
                    let _ = self.sync(&self.dir);
                }
            }
        }
        Ok(())
    }

    /// Forgets one row.
    pub fn remove(&self, key: &[u8]) -> Result<(), StateError> {
        self.apply(Rows::from([(key.to_vec(), None)]))
    }

    /// The rows of a range of keys, either way round. Some are read ahead: not a snapshot.
    pub fn range(&self, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Scan {
        match &self.kept {
            Kept::OnDisk(slot) => Scan::OnDisk(Ahead::new(slot, from, to)),
            Kept::InMemory(memory) => Scan::InMemory(memory.range(from, to)),
        }
    }

    /// The rows whose keys begin with `prefix`.
    pub fn prefix(&self, prefix: &[u8]) -> Scan {
        self.range(Bound::Included(prefix.to_vec()), memory::behind(prefix))
    }

    /// Writes everything out and makes it durable: sled's own flush does not sync on Linux (sled #1452).
    pub fn sync(&self, dir: &Path) -> Result<(), StateError> {
        match &self.kept {
            Kept::InMemory(memory) => memory.sync(),
            Kept::OnDisk(slot) => {
                let db = slot.db()?;
                let applied = self.unsynced().next;
                self.noted(db.flush().map_err(StateError::from))?;
                self.noted(fs::File::open(dir.join("db")).and_then(|file| file.sync_data()).map_err(StateError::from))?;
                self.unsynced().synced(applied);
            }
        }
        Ok(())
    }
}

impl Read for State {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        match &self.kept {
            Kept::OnDisk(slot) => Ok(slot.db()?.get(key)?.map(Bytes)),
            Kept::InMemory(memory) => Ok(memory.get(key).map(|value| Bytes(value.into()))),
        }
    }
}

/// Rows, one after the other.
pub enum Scan {
    /// Of a state on disk.
    OnDisk(Ahead),
    /// Of a state in memory.
    InMemory(memory::Scan),
}

type Row = Result<(Bytes, Bytes), StateError>;

/// Rows of a state on disk, some of them read ahead: first one, then more at a time.
pub struct Ahead {
    slot: Arc<Slot>,
    /// The range that is not read yet.
    range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    /// Rows from the front and from the back, in the order in which they are given out.
    front: VecDeque<(Bytes, Bytes)>,
    back: VecDeque<(Bytes, Bytes)>,
    /// How many are read the next time; 0 when there is no more.
    most: usize,
}

/// How many rows are read ahead at most.
const MOST_AHEAD: usize = 64;

impl Ahead {
    fn new(slot: &Arc<Slot>, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Ahead {
        let (front, back) = (VecDeque::new(), VecDeque::new());
        Ahead { slot: Arc::clone(slot), range: (from, to), front, back, most: 1 }
    }

    /// Reads some more from one end.
    fn read(&mut self, from_back: bool) -> Result<(), StateError> {
        let most = std::mem::take(&mut self.most);
        if most == 0 || memory::is_empty(&self.range.0, &self.range.1) {
            return Ok(());
        }
        let mut rows = self.slot.db()?.range::<Vec<u8>, _>(self.range.clone());
        let mut found = VecDeque::new();
        while found.len() < most
            && let Some(row) = if from_back { rows.next_back() } else { rows.next() }
        {
            let (key, value) = row?;
            found.push_back((Bytes(key), Bytes(value)));
        }
        if let Some((last, _)) = found.back().filter(|_| found.len() == most) {
            let last = Bound::Excluded(last.to_vec());
            match from_back {
                true => self.range.1 = last,
                false => self.range.0 = last,
            }
            self.most = (most * 8).min(MOST_AHEAD);
        }
        match from_back {
            true => self.back = found,
            false => self.front = found,
        }
        Ok(())
    }

    fn step(&mut self, from_back: bool) -> Option<Row> {
        let ahead = |it: &mut Ahead| if from_back { it.back.pop_front() } else { it.front.pop_front() };
        if let Some(row) = ahead(self) {
            return Some(Ok(row));
        }
        if let Err(error) = self.read(from_back) {
            return Some(Err(error));
        }
        // What is left was read from the other end.
        let left = |it: &mut Ahead| if from_back { it.front.pop_back() } else { it.back.pop_back() };
        ahead(self).or_else(|| left(self)).map(Ok)
    }
}

fn kept((key, value): (Vec<u8>, Vec<u8>)) -> Row {
    Ok((Bytes(key.into()), Bytes(value.into())))
}

impl Iterator for Scan {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        match self {
            Scan::OnDisk(rows) => rows.step(false),
            Scan::InMemory(rows) => rows.next().map(kept),
        }
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Row> {
        match self {
            Scan::OnDisk(rows) => rows.step(true),
            Scan::InMemory(rows) => rows.next_back().map(kept),
        }
    }
}

/// Rows that are not applied yet, over those that are.
pub struct Layer<'a> {
    under: &'a dyn Read,
    /// What is new.
    pub rows: Rows,
}

impl<'a> Layer<'a> {
    /// Nothing new yet.
    pub fn over(under: &'a dyn Read) -> Layer<'a> {
        Layer { under, rows: Rows::new() }
    }

    /// Sets a row.
    pub fn put(&mut self, key: Vec<u8>, value: impl Into<Vec<u8>>) {
        self.rows.insert(key, Some(value.into()));
    }

    /// Forgets a row.
    pub fn forget(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }
}

impl Read for Layer<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        match self.rows.get(key) {
            Some(value) => Ok(value.as_ref().map(|value| Bytes(value.as_slice().into()))),
            None => self.under.get(key),
        }
    }
}

/// Reads of a state that may be damaged: some damage makes sled panic when its pages are read.
pub fn safely<T>(read: impl FnOnce() -> Result<T, StateError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("sled panicked".to_owned()),
    }
}

/// sled only warns in its log where its settings are not what their checksum says; a file as short as this has none, and
/// is written anew.
fn check_settings(dir: &Path) -> Result<(), StateError> {
    let bytes = match fs::read(dir.join("conf")) {
        Ok(bytes) if bytes.len() > 8 => bytes,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (settings, sum) = bytes.split_at(bytes.len() - 4);
    match crc32fast::hash(settings).to_le_bytes() == sum {
        true => Ok(()),
        false => Err(StateError::Damaged("sled's settings are not what their checksum says".to_owned())),
    }
}

/// A snapshot that was being written when the process died blocks opening (sled #1527, #1533); it holds nothing that
/// the log does not.
fn remove_half_snapshots(dir: &Path) -> io::Result<()> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for item in listing {
        let path = item?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(rows: impl Iterator<Item = Row>) -> Vec<u8> {
        rows.map(|row| row.expect("a row").0[0]).collect()
    }

    fn of(count: u8) -> (tempfile::TempDir, State) {
        let dir = tempfile::tempdir().expect("a directory");
        let state = State::open(&dir.path().join("sled"), 1 << 20).expect("a state");
        (0..count).for_each(|key| state.apply(Rows::from([(vec![key], Some(vec![key]))])).expect("applied"));
        (dir, state)
    }

    #[test]
    fn a_scan_of_a_state_on_disk_goes_both_ways_and_meets_in_the_middle() {
        let (_dir, state) = of(200);
        let all: Vec<u8> = (0..200).collect();
        assert_eq!(keys(state.prefix(&[])), all);
        assert_eq!(keys(state.prefix(&[]).rev()), all.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(keys(state.prefix(&[7])), [7]);
        for from_front in [0, 1, 2, 9, 10, 100, 199, 200] {
            let mut scan = state.prefix(&[]);
            let mut met: Vec<u8> = (0..from_front).map(|_| scan.next().expect("a row").expect("read").0[0]).collect();
            let mut back = keys(scan.by_ref().rev());
            back.reverse();
            met.extend(back);
            assert_eq!(met, all, "{from_front}");
            assert!(scan.next().is_none() && scan.next_back().is_none());
        }
        let (mut scan, mut turns, mut met) = (state.prefix(&[]), 0, Vec::new());
        while let Some(row) = if turns % 3 == 0 { scan.next_back() } else { scan.next() } {
            turns += 1;
            met.push(row.expect("read").0[0]);
        }
        met.sort_unstable();
        assert_eq!(met, all);
        let range = |from: u8, to: u8| keys(state.range(Bound::Included(vec![from]), Bound::Excluded(vec![to])));
        assert_eq!((range(10, 13), range(10, 10), range(13, 10)), (vec![10, 11, 12], vec![], vec![]));
    }

    #[test]
    fn a_state_is_opened_again_under_those_who_scan_and_has_what_was_not_synced() {
        let (dir, state) = of(100);
        let sled = dir.path().join("sled");
        state.keep_unsynced();
        state.apply(Rows::from([(vec![100], Some(vec![1])), (vec![0], None)])).expect("applied");
        let mut scan = state.prefix(&[]);
        let first = keys(scan.by_ref().take(5));
        state.close();
        let kept = state.kept_unsynced();
        assert_eq!(kept.len(), 1);
        let again = State::open(&sled, 1 << 20).expect("nobody holds it");
        kept.into_iter().for_each(|rows| again.apply(rows).expect("applied"));
        let waits = std::thread::scope(|scope| {
            let waits = scope.spawn(|| state.get(&[100]).expect("it is waited for"));
            std::thread::sleep(Duration::from_millis(50));
            state.replace(Some(again));
            waits.join().expect("read")
        });
        assert!(waits.is_some() && state.kept_unsynced().is_empty() && !state.has_failed());
        assert_eq!([first, keys(scan)].concat(), (1..=100).collect::<Vec<_>>());
        state.close();
        state.replace(None);
        assert!(state.get(&[1]).is_err() && state.prefix(&[]).next().is_some_and(|row| row.is_err()));
        assert!(state.has_failed() && state.apply(Rows::new()).is_err() && state.sync(&sled).is_err());
    }
}
