//! The store: the journal that is the truth, the state folded from it, one writer, and readers that never wait for it
//! longer than one bounded group.

mod clock;
mod compact;
mod compose;
mod erase;
mod fold;
pub mod keys;
mod ledger;
mod letters;
mod marker;
mod memory;
mod mend;
mod people;
mod progress;
mod recover;
pub mod state;
mod verify;
mod writer;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

pub use compact::{compact, size};
pub use compose::{ASK_DAYS, Conflict, Drafted, Expect, NotSaid, Receipt, Set};
pub use fold::{AskRow, AskingRow, Broadcast, Choice, EntryRow, Head, IncidentHead, Known};
pub use ledger::{Audience, Due, Expanded, Ledger};
pub use letters::{Errand, Letters};
pub use marker::{Less, missing_at_rest};
pub use memory::Memory;
pub use mend::Mended;
pub use people::{Card, DraftRow, Fate, RefusedRow};
pub use recover::Note;
pub use state::StateError;
pub use verify::{Comparison, Report, verify_at_rest, verify_journal};

use crate::{
    disk::{Disk, Real, Reserve},
    journal::{self, Journal},
    line::Hash,
    view::View,
};
use chrono::{DateTime, Utc};
use clock::Clock;
use marker::Marker;
pub(crate) use marker::{header_on_disk, restored as note_restored};
use state::State;
use writer::{Job, Writer};

/// How many sets may wait for the writer before whoever asks waits too.
const QUEUE: usize = 1_024;

/// Where the store lies and what it may use.
#[derive(Clone)]
pub struct Options {
    /// The data directory: holds `journal/`, `sled/` and `lock`.
    pub dir: PathBuf,
    /// Memory for sled's page cache, in bytes.
    pub cache_bytes: u64,
    /// The size in bytes past which a journal file is closed and the next begun.
    pub rotate_at: u64,
    /// Keep the state in this memory instead of in `sled/`.
    pub memory: Option<Memory>,
    /// The room on the disk that is kept for the store alone, in bytes; 0 looks for none (see [`crate::disk::Reserve`]).
    pub reserve: u64,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Where backups lie, if what they hold is to be compared with what is there.
    pub backups: Option<PathBuf>,
    /// Go on with less than the last backup, or the last start, knew.
    pub accept_less: bool,
    /// Go on reading where less is there than the last backup, or the last start, knew.
    pub read_less: bool,
    /// Believe the clock, however far it is ahead of when it was last looked at.
    pub accept_clock: bool,
}

impl Options {
    /// The usual ones for a directory.
    pub fn new(dir: &Path) -> Options {
        Options {
            dir: dir.to_owned(),
            cache_bytes: 32 << 20,
            rotate_at: journal::ROTATE_AT,
            memory: None,
            reserve: 0,
            disk: Arc::new(Real),
            backups: None,
            accept_less: false,
            read_less: false,
            accept_clock: false,
        }
    }

    pub(crate) fn journal_dir(&self) -> PathBuf {
        self.dir.join("journal")
    }

    pub(crate) fn sled_dir(&self) -> PathBuf {
        self.dir.join("sled")
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data directory {0} is in use by another process")]
    Busy(String),
    /// It was written by a newer program.
    #[error("{0}")]
    Newer(String),
    /// The system refused.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What it answered.
        error: io::Error,
    },
    /// The state cannot be used, and could not be folded again.
    #[error(transparent)]
    State(#[from] StateError),
    /// Less is there than the marker, or a backup, says there was.
    #[error("{0}")]
    Less(Box<Less>),
}

impl OpenError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> OpenError {
        let what = what.into();
        move |error| OpenError::Io { what, error }
    }
}

/// An open store. Dropping it writes what is queued, flushes, and lets the next process in.
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    notes: Vec<Note>,
    options: Options,
    _lock: File,
}

/// What the writer and the readers share.
pub(crate) struct Shared {
    pub(crate) state: State,
    head: RwLock<Head>,
    read_only: RwLock<Option<String>>,
    full: RwLock<Option<String>>,
    behind: AtomicI64,
    watchers: Mutex<Vec<Watcher>>,
    /// What the marker says.
    marker: Mutex<Marker>,
    clock: Clock,
    /// When the newest line was written.
    newest: RwLock<Option<DateTime<Utc>>>,
}

type Watcher = Box<dyn Fn(u64) + Send>;

impl Shared {
    fn head(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, head: Head) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
        for watcher in self.watchers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            watcher(head.commit);
        }
    }

    /// Notes whether there is room.
    fn full(&self, why: Option<&str>) {
        let mut full = self.full.write().unwrap_or_else(PoisonError::into_inner);
        match (why, full.is_some()) {
            (Some(why), false) => tracing::error!(why, "nothing is recorded until there is room on the disk"),
            (None, true) => tracing::info!("there is room on the disk again"),
            _ => {}
        }
        *full = why.map(str::to_owned);
    }

    fn set_newest(&self, newest: Option<DateTime<Utc>>) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = newest;
    }

    fn marker(&self) -> Marker {
        self.marker.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what the marker says, and writes it if that is something new.
    fn mark(&self, options: &Options, change: impl FnOnce(&mut Marker)) -> io::Result<()> {
        let mut kept = self.marker.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = kept.clone();
        change(&mut new);
        if new != *kept && options.memory.is_none() {
            marker::write(&options.dir, &new)?;
        }
        *kept = new;
        Ok(())
    }

    fn read_only(&self, reason: &str) {
        self.set_read_only(Some(reason.to_owned()));
    }

    fn set_read_only(&self, reason: Option<String>) {
        *self.read_only.write().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

/// An answer that is still to come.
#[must_use = "nothing is known to be written before it is waited for"]
pub struct Pending(Receiver<Result<Receipt, NotSaid>>);

impl Pending {
    /// Waits until it is durable and shows, or refused.
    pub fn wait(self) -> Result<Receipt, NotSaid> {
        self.0.recv().unwrap_or_else(|_| Err(NotSaid::ReadOnly("the store is closing".to_owned())))
    }
}

impl Store {
    /// Opens or makes a store: recovers what a crash left, folds what the state lacks, starts the writer. `progress`
    /// hears how many bytes of how many were folded, when there is something to fold.
    pub fn open(options: Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Store, OpenError> {
        let lock = lock(&options.dir)?;
        let mut reserve = Reserve::new(&options.dir, options.reserve, Arc::clone(&options.disk));
        compact::put_back(&options)?;
        let gave = reserve.give_way().map_err(OpenError::io("making room on the disk"))?;
        let mut recovered = recover::recover(&options, None, progress)?;
        recovered.notes.extend(gave.then_some(Note::GaveWay));
        let (marker, less) = marker::at_start(&options, &recovered.state, recovered.head)?;
        match less {
            Some(less) if options.accept_less => recovered.notes.push(Note::Accepted(less)),
            Some(less) => recovered.read_only = Some(less.to_string()),
            None => {}
        }
        let journal_dir = options.journal_dir();
        let journal = Journal::open(&journal_dir, options.rotate_at, Arc::clone(&options.disk))
            .map_err(OpenError::io(format!("opening the journal in {}", journal_dir.display())))?;
        recovered.state.keep_unsynced();
        let shared = Arc::new(Shared {
            state: recovered.state,
            head: RwLock::new(recovered.head),
            read_only: RwLock::new(recovered.read_only.clone()),
            full: RwLock::default(),
            behind: AtomicI64::new(0),
            watchers: Mutex::default(),
            clock: Clock::new(marker.seen, options.accept_clock),
            newest: RwLock::new(recovered.newest),
            marker: Mutex::new(marker),
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal,
            options: options.clone(),
            head: recovered.head,
            newest: recovered.newest,
            reserve,
            disk: Arc::clone(&options.disk),
            broken: recovered.read_only,
            recovers: false,
            given_up: false,
            again: None,
            marked: None,
        };
        let (jobs, queue) = sync_channel(QUEUE);
        let marks = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| writer.run(&queue))).is_err() {
                    tracing::error!("the writer broke: nothing more is recorded until the next start");
                    marks.read_only("the writer broke; a restart recovers");
                }
            })
            .map_err(OpenError::io("starting the writer"))?;
        Ok(Store { shared, jobs: Some(jobs), writer: Some(writer), notes: recovered.notes, options, _lock: lock })
    }

    /// Writes a set and waits until it is durable and shows.
    pub fn say(&self, set: Set) -> Result<Receipt, NotSaid> {
        self.hand_in(set).wait()
    }

    /// Hands a set to the writer; many may be under way, and are written in the order they were handed in.
    pub fn hand_in(&self, set: Set) -> Pending {
        let (answer, pending) = std::sync::mpsc::channel();
        if let Some(jobs) = &self.jobs {
            // If the writer is gone, the sender of the answer is dropped with the job, and the asker is told.
            let _ = jobs.send(Job::Say(Box::new(set), answer));
        }
        Pending(pending)
    }

    /// Flushes the state to the disk (the journal always is).
    pub fn sync(&self) -> Result<(), NotSaid> {
        let (answer, done) = std::sync::mpsc::channel();
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Job::Sync(answer));
        }
        match done.recv() {
            Ok(result) => result.map_err(NotSaid::Broke),
            Err(_) => Err(NotSaid::ReadOnly("the store is closing".to_owned())),
        }
    }

    /// What was delivered, and what is to be.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::of(&self.shared.state)
    }

    /// What people still have to be told of.
    pub fn letters(&self) -> Letters<'_> {
        Letters::of(&self.shared.state)
    }

    /// Makes everything in the ledger durable; many may be written before it.
    pub fn sync_ledger(&self) -> Result<(), StateError> {
        self.shared.state.sync(&self.options.sled_dir())
    }

    /// What is known now; the view stays as it is whatever is written later.
    pub fn view(&self) -> View<'_> {
        View::new(&self.shared.state, self.shared.head())
    }

    /// The newest line.
    pub fn head(&self) -> Head {
        self.shared.head()
    }

    /// Why nothing can be written, if nothing can.
    pub fn read_only(&self) -> Option<String> {
        let read_only = self.shared.read_only.read().unwrap_or_else(PoisonError::into_inner).clone();
        read_only.or_else(|| self.shared.clock.doubt())
    }

    /// Why there is no room to record anything at the moment; it goes on by itself.
    pub fn full(&self) -> Option<String> {
        self.shared.full.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// By how many milliseconds the clock was behind the newest line when something was last recorded: 0 if it was not.
    pub fn clock_behind(&self) -> i64 {
        self.shared.behind.load(Ordering::Relaxed)
    }

    /// The last commit of a record that was restored, or that goes on with less than there was: of broadcasts up to there
    /// it is not known what was delivered since.
    pub fn restored(&self) -> Option<u64> {
        self.shared.marker().restored
    }

    /// What follows from [`Store::restored`] was done.
    pub fn clear_restored(&self) -> io::Result<()> {
        self.shared.mark(&self.options, |marker| marker.restored = None)
    }

    /// Whether a line is there, with this header.
    pub fn holds(&self, commit: u64, hash: Hash) -> bool {
        marker::header_in(&self.shared.state, commit) == Some(hash)
    }

    /// Has the store look at the clock, every few minutes at least: one that leaps far ahead is not believed, and nothing
    /// is recorded by it.
    pub fn look_at_clock(&self, now: DateTime<Utc>) {
        let newest = *self.shared.newest.read().unwrap_or_else(PoisonError::into_inner);
        self.shared.clock.look(now, newest);
    }

    /// What was found and mended while opening.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Calls `watcher` with the commit number after every group, on the writer's thread: it must be quick.
    pub fn watch(&self, watcher: impl Fn(u64) + Send + 'static) {
        self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(watcher));
    }

    /// Reads the whole journal up to now and compares it with the state.
    pub fn verify(&self) -> Result<Report, OpenError> {
        let head = self.head();
        verify::verify(&self.options.journal_dir(), Some(&self.shared.state), Some(head.commit))
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.options.dir
    }

    /// Where its journal lies.
    pub fn journal_dir(&self) -> PathBuf {
        self.options.journal_dir()
    }

    /// Begins to compare everything up to now, to go on with [`Store::compare_on`] a piece at a time.
    pub fn compare(&self) -> Result<Comparison, OpenError> {
        let head = self.head();
        Comparison::new(&self.options.journal_dir(), Some(&self.shared.state), Some(head.commit))
    }

    /// Compares so many lines more; whether it is over.
    pub fn compare_on(&self, comparison: &mut Comparison, lines: usize) -> Result<bool, OpenError> {
        comparison.step(Some(&self.shared.state), lines)
    }

    /// Mends what is damaged in the journal or in the state's copies of its lines, from the other. Where neither copy of a
    /// line is good, the store takes no writes from then on.
    ///
    /// # Errors
    /// Where the store takes no writes, or the disk does not.
    pub fn mend(&self) -> Result<Mended, NotSaid> {
        let (answer, done) = std::sync::mpsc::channel();
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Job::Mend(answer));
        }
        match done.recv() {
            Ok(result) => result.map_err(NotSaid::Broke),
            Err(_) => Err(NotSaid::ReadOnly("the store is closing".to_owned())),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer panicked");
        }
    }
}

/// The lock that says that a process has the store open.
pub(crate) fn lock(dir: &Path) -> Result<File, OpenError> {
    journal::make_dir(dir).map_err(OpenError::io(format!("making the data directory {}", dir.display())))?;
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(OpenError::io(format!("opening {}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Busy(dir.display().to_string())),
        Err(TryLockError::Error(error)) => Err(OpenError::Io { what: format!("locking {}", path.display()), error }),
    }
}
