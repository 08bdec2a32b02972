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
        Mutex, MutexGuard, PoisonError, RwLock,
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
    /// Whether it is being opened again.
    opening: AtomicBool,
    /// What was applied since the last sync, so that it is not lost where sled has to be opened again.
    unsynced: Mutex<Unsynced>,
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
    /// None while it is being opened again.
    OnDisk(RwLock<Option<sled::Db>>),
    InMemory(Memory),
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
            Ok(Ok(db)) => Ok(State::of(Kept::OnDisk(RwLock::new(Some(db))), dir)),
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
            opening: AtomicBool::default(),
            unsynced: Mutex::default(),
        }
    }

    /// sled's handle; while it is being opened again, that is waited for.
    fn db(&self, slot: &RwLock<Option<sled::Db>>) -> Result<sled::Db, StateError> {
        for _ in 0..LETTING_GO {
            if let Some(db) = &*slot.read().unwrap_or_else(PoisonError::into_inner) {
                return Ok(db.clone());
            }
            if !self.opening.load(Ordering::Acquire) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(closed())
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
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
        let db = slot.read().unwrap_or_else(PoisonError::into_inner).clone();
        db.is_none_or(|db| db.context.global_error().is_err())
    }

    /// Lets go of sled, so that it can be opened again; until that is done or given up, those who ask wait for it.
    pub fn close(&self) {
        let Kept::OnDisk(slot) = &self.kept else { return };
        self.opening.store(true, Ordering::Release);
        let db = {
            // Nobody is applying anything.
            let _unsynced = self.unsynced();
            slot.write().unwrap_or_else(PoisonError::into_inner).take()
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
        if let (Kept::OnDisk(slot), Some(State { kept: Kept::OnDisk(new), .. })) = (&self.kept, other) {
            let mut unsynced = self.unsynced();
            *slot.write().unwrap_or_else(PoisonError::into_inner) =
                new.into_inner().unwrap_or_else(PoisonError::into_inner);
            let next = unsynced.next;
            unsynced.synced(next);
            self.failed.store(false, Ordering::Relaxed);
        }
        self.opening.store(false, Ordering::Release);
    }

    /// Applies a group's rows, all or none.
    pub fn apply(&self, rows: Rows) -> Result<(), StateError> {
        match &self.kept {
            Kept::InMemory(memory) => memory.apply(rows),
            Kept::OnDisk(slot) => {
                drop(self.db(slot)?);
                let mut unsynced = self.unsynced();
                // It may have been closed meanwhile.
                let db = slot.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)?;
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

    /// The rows of a range of keys, either way round. Each step sees what is there at that step: not a snapshot.
    pub fn range(&self, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>) -> Scan {
        match &self.kept {
            Kept::OnDisk(slot) => match self.db(slot) {
                Ok(db) => Scan::OnDisk(db.range::<Vec<u8>, _>((from, to))),
                Err(error) => Scan::Closed(Some(error)),
            },
            Kept::InMemory(memory) => Scan::InMemory(memory.range(from, to)),
        }
    }

    /// The rows whose keys begin with `prefix`.
    pub fn prefix(&self, prefix: &[u8]) -> Scan {
        match &self.kept {
            Kept::OnDisk(slot) => match self.db(slot) {
                Ok(db) => Scan::OnDisk(db.scan_prefix(prefix)),
                Err(error) => Scan::Closed(Some(error)),
            },
            Kept::InMemory(memory) => Scan::InMemory(memory.prefix(prefix)),
        }
    }

    /// Writes everything out and makes it durable: sled's own flush does not sync on Linux (sled #1452).
    pub fn sync(&self, dir: &Path) -> Result<(), StateError> {
        match &self.kept {
            Kept::InMemory(memory) => memory.sync(),
            Kept::OnDisk(slot) => {
                let db = self.db(slot)?;
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
            Kept::OnDisk(slot) => Ok(self.db(slot)?.get(key)?.map(Bytes)),
            Kept::InMemory(memory) => Ok(memory.get(key).map(|value| Bytes(value.into()))),
        }
    }
}

/// Rows, one after the other.
pub enum Scan {
    /// Of a state on disk.
    OnDisk(sled::Iter),
    /// Of a state in memory.
    InMemory(memory::Scan),
    /// Of a state that is being opened again: why there is nothing.
    Closed(Option<StateError>),
}

fn row(found: sled::Result<(sled::IVec, sled::IVec)>) -> Result<(Bytes, Bytes), StateError> {
    found.map(|(key, value)| (Bytes(key), Bytes(value))).map_err(StateError::from)
}

fn kept((key, value): (Vec<u8>, Vec<u8>)) -> Result<(Bytes, Bytes), StateError> {
    Ok((Bytes(key.into()), Bytes(value.into())))
}

impl Iterator for Scan {
    type Item = Result<(Bytes, Bytes), StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Scan::OnDisk(rows) => rows.next().map(row),
            Scan::InMemory(rows) => rows.next().map(kept),
            Scan::Closed(why) => why.take().map(Err),
        }
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Scan::OnDisk(rows) => rows.next_back().map(row),
            Scan::InMemory(rows) => rows.next_back().map(kept),
            Scan::Closed(why) => why.take().map(Err),
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
