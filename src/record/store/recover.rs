//! What happens at start: the journal's end is put in order, and the state is brought to where the journal is.
//!
//! A torn last group is cut; lines that the journal lost are written back from the state's copies where the chain
//! fits; a state that cannot be trusted is moved aside and folded again. Where nothing fits, the store opens for
//! reading only and names the place.

use std::{
    fmt, fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{
    OpenError, Options, erase,
    fold::{self, Head, SHAPE},
    keys,
    marker::Less,
    mend,
    state::{Layer, Read, Rows, State, StateError},
};
use crate::{
    disk::Disk,
    journal::{self, Found, JournalFile, Lines},
    line::{BadLine, Hash, Line},
};

/// A last file of the journal that is not larger, in bytes, is followed whole at a start: that takes a tenth of a second.
const READ_WHOLE: u64 = 8 << 20;
/// How many lines are folded as one batch.
const FOLD_BATCH: usize = 256;

/// Something that was found and mended while opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The state lacked the newest lines.
    CaughtUp {
        /// How many.
        lines: u64,
    },
    /// The state could not be used.
    Refolded {
        /// Why.
        reason: String,
        /// Where it lies now.
        aside: PathBuf,
    },
    /// The end of the journal was torn, or a set lacked its end: none of it had been acknowledged.
    Cut {
        /// The first commit that was cut.
        from: u64,
        /// Where the bytes lie now.
        side: PathBuf,
    },
    /// A line was damaged in a way that only the line after it tells.
    Mended {
        /// What was done.
        told: Vec<String>,
    },
    /// Less was there than should be, and whoever started it said to go on.
    Accepted(Less),
    /// The disk was full: the room set aside for that was given up, so that a start had some to work in.
    GaveWay,
    /// The journal lacked lines, or they were damaged; the state's copies fitted the chain.
    Restored {
        /// How many.
        lines: u64,
        /// Which file they went to.
        file: PathBuf,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::CaughtUp { lines: 1 } => write!(f, "the state lacked 1 line of the journal; it has it now"),
            Note::CaughtUp { lines } => write!(f, "the state lacked {lines} lines of the journal; it has them now"),
            Note::Refolded { reason, aside } => {
                write!(f, "{reason}; it was moved to {} and folded again from the journal", aside.display())
            }
            Note::Cut { from, side } => write!(
                f,
                "the journal's end, from commit {from} on, was torn by a crash before it was acknowledged; it was cut and is kept in {}",
                side.display()
            ),
            Note::Mended { told } => write!(f, "the journal was damaged: {}", told.join("; ")),
            Note::Accepted(less) => write!(
                f,
                "as it was told, it goes on with what is there, up to commit {}, though {} knows commit {}; what was \
                 delivered since is not known",
                less.found, less.says, less.expected
            ),
            Note::GaveWay => f.write_str(
                "the disk is full: the reserve was given up so that the store could be opened; nothing is recorded until \
                 there is room for it again",
            ),
            Note::Restored { lines: 0, file } => {
                write!(f, "lines of {} that were there twice were taken out", file.display())
            }
            Note::Restored { lines: 1, file } => {
                write!(f, "1 damaged or missing line of {} was restored from the state's copy", file.display())
            }
            Note::Restored { lines, file } => {
                write!(
                    f,
                    "{lines} damaged or missing lines of {} were restored from the state's copies",
                    file.display()
                )
            }
        }
    }
}

/// A store that is in order, or can at least be read.
pub(super) struct Recovered {
    pub state: State,
    pub head: Head,
    /// When the newest line was written.
    pub newest: Option<DateTime<Utc>>,
    pub notes: Vec<Note>,
    pub read_only: Option<String>,
}

/// Why one pass ended early.
enum Stop {
    /// The state is not to be trusted: move it aside, and once more.
    State(String),
    /// The journal was mended from the state's newest line backwards: once more.
    Mended(Vec<String>),
    /// It cannot go on at all.
    Open(OpenError),
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Stop {
        Stop::Open(error)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Stop {
        match error {
            StateError::Damaged(_) => Stop::State(error.to_string()),
            other => Stop::Open(other.into()),
        }
    }
}

/// Recovers a store at a start; or, with what was applied and not synced before, one that goes on after its disk failed. Then
/// a state that cannot be trusted is left to the next start: who delivers would not know of another ledger.
pub(super) fn recover(
    options: &Options,
    unsynced: Option<&[Rows]>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Recovered, OpenError> {
    let (journal_dir, sled_dir) = (options.journal_dir(), options.sled_dir());
    journal::make_dir(&journal_dir).map_err(OpenError::io(format!("making {}", journal_dir.display())))?;
    let mut notes = Vec::new();
    for last_try in [false, false, true] {
        let suspect = mend::suspicion(&options.dir).filter(|_| !last_try && sled_dir.exists());
        let opened = match (&options.memory, sled_dir.exists() && !sled_dir.is_dir()) {
            (Some(memory), _) => Ok(State::in_memory(memory.clone())),
            (None, true) => Err(Stop::State("the state is no directory".to_owned())),
            (None, false) if suspect.is_some() => Err(Stop::State(suspect.unwrap_or_default())),
            (None, false) => State::open(&sled_dir, options.cache_bytes).map_err(Stop::from),
        };
        let opened = opened.and_then(|state| again(state, &sled_dir, unsynced));
        let reason = match opened.and_then(|state| {
            // Some damage makes sled panic only when its pages are read.
            let passed = catch_unwind(AssertUnwindSafe(|| {
                let mut pass = Pass::new(&state, options, &journal_dir, progress)?;
                let ran = pass.run();
                notes.append(&mut pass.notes);
                ran?;
                let newest = pass.copy(pass.head.commit)?.map(|line| line.header.recorded_at);
                Ok((pass.head, newest, pass.read_only))
            }));
            let panicked = || Err(Stop::State("the state panicked while it was read".to_owned()));
            let (head, newest, read_only) = passed.unwrap_or_else(|_| panicked())?;
            Ok((state, head, newest, read_only))
        }) {
            Ok((state, head, newest, read_only)) => {
                erase::follow(&state, &journal_dir, &*options.disk)?;
                if options.memory.is_none() {
                    close_files(&sled_dir)
                        .map_err(OpenError::io(format!("closing {} to others", sled_dir.display())))?;
                }
                return Ok(Recovered { state, head, newest, notes, read_only });
            }
            Err(Stop::Open(error)) => return Err(error),
            Err(Stop::Mended(told)) => {
                notes.push(Note::Mended { told });
                continue;
            }
            Err(Stop::State(reason)) if last_try || unsynced.is_some() => {
                return Err(StateError::Damaged(reason).into());
            }
            Err(Stop::State(reason)) => reason,
        };
        if let Some(memory) = &options.memory {
            memory.wipe();
            continue;
        }
        let aside = journal::free_name(&sled_dir, "aside");
        fs::rename(&sled_dir, &aside).map_err(OpenError::io(format!("moving {} aside", sled_dir.display())))?;
        mend::clear(&options.dir).map_err(OpenError::io("noting that the state was moved aside"))?;
        notes.push(Note::Refolded { reason, aside });
    }
    Err(StateError::Damaged("what was mended is damaged again, or could not be folded".to_owned()).into())
}

/// Refuses a journal because of a line that only a newer program understands.
fn newer(file: &JournalFile, found: &Found, bad: &BadLine) -> OpenError {
    OpenError::Newer(format!("{}, byte {}: {bad}", file.path.display(), found.offset))
}

/// Applies once more what was applied and not synced: the rows are what they come to, so twice is once.
fn again(state: State, dir: &Path, unsynced: Option<&[Rows]>) -> Result<State, Stop> {
    for rows in unsynced.unwrap_or_default() {
        state.apply(rows.clone())?;
    }
    if unsynced.is_some() {
        state.sync(dir)?;
    }
    Ok(state)
}

/// sled makes its files with the process's mask; only we may read them.
fn close_files(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// What an older version's state is still good for before it is put aside: its copies of lines are what they always were, so
/// what is damaged in the journal is mended from them. Only if the journal has its newest line: it might tell of another
/// history.
fn mended_from(state: &State, options: &Options, journal: &Path, head: Head) -> Option<String> {
    let files = journal::files(journal).ok()?;
    let file = files.iter().rfind(|file| file.first <= head.commit)?;
    let mut lines = Lines::open(&file.path).ok()?.map_while(Result::ok);
    lines.find(|found| Line::read(&found.bytes).is_ok_and(|line| line.hash == head.hash))?;
    match mend::mend(state, &options.dir, &*options.disk, head) {
        Ok(mended) if mended.told.is_empty() => None,
        Ok(mended) => Some(mended.told.join("; ")),
        Err(error) => Some(format!("its copies could not be used to mend the journal: {error}")),
    }
}

/// One pass over the end of the journal.
struct Pass<'a> {
    state: &'a State,
    disk: &'a dyn Disk,
    dir: &'a Path,
    progress: &'a mut dyn FnMut(u64, u64),
    /// Where the state is.
    head: Head,
    /// The last good line seen; its hash is unknown before the first.
    at: u64,
    hash: Option<Hash>,
    /// Good lines past the state's head, with where they begin, not folded yet.
    waiting: Vec<(u64, Line)>,
    folded: u64,
    notes: Vec<Note>,
    read_only: Option<String>,
    bytes: (u64, u64),
}

impl<'a> Pass<'a> {
    fn new(
        state: &'a State,
        options: &'a Options,
        dir: &'a Path,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Result<Pass<'a>, Stop> {
        let head = Head::read(state)?;
        let shape = state.get(keys::SHAPE)?.map(|shape| String::from_utf8_lossy(&shape).parse::<u32>().ok());
        if head.commit > 0 && shape != Some(Some(SHAPE)) {
            // A newer program's state knows what was delivered since: it is not put aside for want of understanding.
            return Err(match shape.flatten().filter(|shape| *shape > SHAPE) {
                Some(shape) => Stop::Open(OpenError::Newer(format!(
                    "{}: the state has shape {shape}, newer than this program's {SHAPE}: update Strillone",
                    options.sled_dir().display()
                ))),
                None => Stop::State(format!(
                    "the state was written by another version{}",
                    mended_from(state, options, dir, head).map(|told| format!("; {told}")).unwrap_or_default()
                )),
            });
        }
        Ok(Pass {
            state,
            disk: &*options.disk,
            dir,
            progress,
            head,
            at: 0,
            hash: Some(Hash::NONE),
            waiting: Vec::new(),
            folded: 0,
            notes: Vec::new(),
            read_only: None,
            bytes: (0, 0),
        })
    }

    fn run(&mut self) -> Result<(), Stop> {
        let files = journal::files(self.dir).map_err(OpenError::io(format!("reading {}", self.dir.display())))?;
        let from = files.iter().rposition(|file| file.first <= self.head.commit).unwrap_or(0);
        let files = &files[from..];
        if let Some(first) = files.first().filter(|_| from > 0) {
            self.at = first.first - 1;
            self.hash = self.copy(self.at)?.map(|line| line.hash);
        }
        self.bytes.1 = files.iter().filter_map(|file| fs::metadata(&file.path).ok()).map(|meta| meta.len()).sum();
        let spot = files.first().map_or(Ok(None), |file| self.at_head(file))?;
        for (index, file) in files.iter().enumerate() {
            let from = spot.filter(|_| index == 0).unwrap_or_default();
            self.file(file, from, files.get(index + 1))?;
            if self.read_only.is_some() {
                return Ok(());
            }
        }
        let last = files.last().map(|file| file.path.clone());
        self.drop_half_set(last.as_deref())?;
        self.fold_waiting()?;
        self.write_back(last)?;
        if self.folded > 0 {
            self.notes.push(Note::CaughtUp { lines: self.folded });
        }
        Ok(())
    }

    /// The byte behind the state's newest line, if it lies where the state says: what is before it was followed when it
    /// was written, and is compared while the bot runs.
    fn at_head(&mut self, file: &JournalFile) -> Result<Option<u64>, Stop> {
        if fs::metadata(&file.path).is_ok_and(|meta| meta.len() <= READ_WHOLE) {
            return Ok(None);
        }
        let Some(spot) = fold::read_spot(self.state)?.filter(|spot| spot.file == file.first) else { return Ok(None) };
        let first = Lines::open_at(&file.path, spot.offset).ok().and_then(|mut lines| lines.next());
        let Some(Ok(found)) = first.filter(|found| found.as_ref().is_ok_and(|found| found.ended)) else {
            return Ok(None);
        };
        match Line::read(&found.bytes) {
            Ok(line) if line.header.commit == self.head.commit && line.hash == self.head.hash => {
                (self.at, self.hash) = (self.head.commit, Some(self.head.hash));
                Ok(Some(spot.offset + found.bytes.len() as u64 + 1))
            }
            _ => Ok(None),
        }
    }

    /// Writes the lines between what was seen and the beginning of a file from the state's copies, as a file of theirs.
    fn fill_gap(&mut self, file: &JournalFile) -> Result<(), Stop> {
        let (mut content, from) = (Vec::new(), self.at + 1);
        while self.at + 1 < file.first {
            match self.copy(self.at + 1)?.filter(|copy| self.hash.is_none_or(|hash| copy.header.previous == hash)) {
                Some(copy) => {
                    content.extend_from_slice(&copy.bytes);
                    content.push(b'\n');
                    (self.at, self.hash) = (copy.header.commit, Some(copy.hash));
                }
                None => {
                    self.read_only = Some(format!(
                        "the journal lacks commit {} before {}, and no copy of it fits",
                        self.at + 1,
                        file.path.display()
                    ));
                    return Ok(());
                }
            }
        }
        let path = self.dir.join(journal::file_name(from));
        journal::overwrite(self.disk, &path, &content).map_err(OpenError::io(format!("writing {}", path.display())))?;
        self.notes.push(Note::Restored { lines: self.at + 1 - from, file: path });
        Ok(())
    }

    /// Follows the chain through one file; on the first bad line, mends the file or gives up on it.
    fn file(&mut self, file: &JournalFile, from: u64, next: Option<&JournalFile>) -> Result<(), Stop> {
        let io = |what: &str| OpenError::io(format!("{what} {}", file.path.display()));
        if file.first > self.at + 1 {
            self.fill_gap(file)?;
            if self.read_only.is_some() {
                return Ok(());
            }
        }
        for found in Lines::open_at(&file.path, from).map_err(io("opening"))? {
            let found = found.map_err(io("reading"))?;
            self.bytes.0 += found.bytes.len() as u64 + 1;
            match self.follow(&found) {
                Ok(line) => self.good(found.offset, line)?,
                Err(bad) if bad.is_newer() => return Err(newer(file, &found, &bad).into()),
                Err(bad) => return self.mend(file, next, &found, &bad),
            }
        }
        Ok(())
    }

    /// A line, if it is whole and continues the chain.
    fn follow(&self, found: &Found) -> Result<Line, BadLine> {
        let line = Line::read(&found.bytes)?;
        let continues = line.header.commit == self.at + 1 && self.hash.is_none_or(|hash| hash == line.header.previous);
        match (found.ended, continues && !self.is_damaged_head(&line)) {
            (true, true) => Ok(line),
            (false, _) => Err(BadLine::Torn),
            (true, false) => Err(BadLine::Chain),
        }
    }

    /// Whether the line is the state's newest one with a header that was changed: no line after it tells, but the state's
    /// copy of it and the hash that the state keeps for itself agree, and its bodies are the same. A line of another history
    /// has other bodies.
    fn is_damaged_head(&self, line: &Line) -> bool {
        line.header.commit == self.head.commit
            && line.hash != self.head.hash
            && self.copy(self.head.commit).ok().flatten().is_some_and(|copy| {
                let bodies = |line: &Line| (line.header.public, line.header.private);
                copy.hash == self.head.hash && bodies(&copy) == bodies(line)
            })
    }

    fn good(&mut self, offset: u64, line: Line) -> Result<(), Stop> {
        (self.at, self.hash) = (line.header.commit, Some(line.hash));
        if self.at < self.head.commit {
            return Ok(());
        }
        if self.at == self.head.commit {
            let same = line.hash == self.head.hash;
            return if same { Ok(()) } else { Err(Stop::State("the state disagrees with the journal".to_owned())) };
        }
        let new_group = self.waiting.last().is_some_and(|(_, last)| last.header.group != line.header.group);
        if new_group && self.waiting.len() >= FOLD_BATCH {
            self.fold_waiting()?;
        }
        self.waiting.push((offset, line));
        Ok(())
    }

    fn fold_waiting(&mut self) -> Result<(), Stop> {
        let mut layer = Layer::over(self.state);
        for (_, line) in self.waiting.drain(..) {
            fold::fold(&mut layer, &line)?;
            self.head = Head { commit: line.header.commit, hash: line.hash };
            self.folded += 1;
        }
        let rows = layer.rows;
        self.state.apply(rows)?;
        if self.folded > 2 * FOLD_BATCH as u64 {
            (self.progress)(self.bytes.0.min(self.bytes.1), self.bytes.1);
        }
        Ok(())
    }

    /// A bad line: the state's copies take its place where they fit; a torn end is cut; else we read only.
    fn mend(&mut self, file: &JournalFile, next: Option<&JournalFile>, bad: &Found, why: &BadLine) -> Result<(), Stop> {
        let rest = self.rest(file, bad.offset)?;
        // What is read begins with the file of the state's newest line: no other holds a line that has a copy.
        if self.at < self.head.commit {
            return self.restore(file, bad.offset, &rest);
        }
        let torn = next.is_none() && rest.iter().all(|line| line.header.group <= self.at + 1);
        if torn {
            let side = journal::cut(&file.path, bad.offset)
                .map_err(OpenError::io(format!("cutting the torn end of {}", file.path.display())))?;
            self.notes.push(Note::Cut { from: self.at + 1, side });
            return Ok(());
        }
        self.fold_waiting()?;
        self.read_only = Some(format!(
            "the journal is damaged in {} at byte {} (commit {}): {why}, and no other copy of it fits",
            file.path.display(),
            bad.offset,
            self.at + 1
        ));
        Ok(())
    }

    /// The lines that can still be read behind a bad one. A newer program's lines stop it: they must not be cut off.
    fn rest(&self, file: &JournalFile, from: u64) -> Result<Vec<Line>, Stop> {
        let io = || OpenError::io(format!("reading {}", file.path.display()));
        let mut rest = Vec::new();
        for found in Lines::open(&file.path).map_err(io())? {
            let found = found.map_err(io())?;
            if found.offset > from && found.ended {
                match Line::read(&found.bytes) {
                    Ok(line) => rest.push(line),
                    Err(bad) if bad.is_newer() => return Err(newer(file, &found, &bad).into()),
                    Err(_) => {}
                }
            }
        }
        Ok(rest)
    }

    /// Writes the file anew: what was good, then what continues the chain, the journal's own lines before the state's
    /// copies.
    fn restore(&mut self, file: &JournalFile, good: u64, rest: &[Line]) -> Result<(), Stop> {
        let io = |what: &str| OpenError::io(format!("{what} {}", file.path.display()));
        let mut content = fs::read(&file.path).map_err(io("reading"))?;
        content.truncate(usize::try_from(good).unwrap_or(usize::MAX));
        let (mut lines, mut restored, before) = (Vec::new(), 0, (self.at, self.hash));
        let last = rest.iter().map(|line| line.header.commit).max().unwrap_or(0).max(self.head.commit);
        while self.at < last {
            let fits = |line: &Line| {
                line.header.commit == self.at + 1 && self.hash.is_none_or(|hash| line.header.previous == hash)
            };
            let own = rest.iter().find(|line| fits(line)).cloned();
            restored += u64::from(own.is_none());
            match own.map_or_else(|| self.copy(self.at + 1), |own| Ok(Some(own)))?.filter(fits) {
                Some(line) => {
                    (self.at, self.hash) = (line.header.commit, Some(line.hash));
                    lines.push(line);
                }
                None => {
                    if let Some(told) = self.mended_backwards()? {
                        return Err(Stop::Mended(told));
                    }
                    self.read_only = Some(format!(
                        "the journal is damaged in {} at byte {good} (commit {}), and the state's copy does not fit",
                        file.path.display(),
                        self.at + 1
                    ));
                    (self.at, self.hash) = before;
                    return Ok(());
                }
            }
        }
        for line in &lines {
            content.extend_from_slice(&line.bytes);
            content.push(b'\n');
        }
        journal::replace(self.disk, &file.path, &content).map_err(io("repairing"))?;
        self.notes.push(Note::Restored { lines: restored, file: file.path.clone() });
        self.waiting.extend(
            lines.into_iter().filter(|line| line.header.commit > self.head.commit).map(|line| (u64::MAX, line)),
        );
        Ok(())
    }

    /// A line whose header is damaged still reads as one, and only the next line does not follow it. The state's newest
    /// line is known for good, and each says which was before it: what was mended that way, if everything was.
    fn mended_backwards(&self) -> Result<Option<Vec<String>>, Stop> {
        let Some(data) = self.dir.parent() else { return Ok(None) };
        let newest = self.copy(self.head.commit)?.is_some_and(|line| line.hash == self.head.hash);
        if !newest || self.head.commit == 0 {
            return Ok(None);
        }
        let mended = mend::mend(self.state, data, self.disk, self.head)?;
        let whole = !mended.told.is_empty() && mended.lost.is_none();
        Ok(whole.then_some(mended.told))
    }

    /// The state's copy of a line.
    fn copy(&self, commit: u64) -> Result<Option<Line>, StateError> {
        Ok(self.state.get(&keys::line(commit))?.and_then(|bytes| Line::read(&bytes).ok()))
    }

    /// Cuts a set whose end is missing: none of it was acknowledged.
    fn drop_half_set(&mut self, file: Option<&Path>) -> Result<(), Stop> {
        let Some((_, last)) = self.waiting.last() else { return Ok(()) };
        let whole = last.header.set.at == last.header.set.of;
        let keep = self.waiting.len().saturating_sub(last.header.set.at as usize);
        let (Some(file), false) = (file, whole) else { return Ok(()) };
        let Some((offset, first)) = self.waiting.get(keep).filter(|(offset, _)| *offset != u64::MAX) else {
            return Ok(());
        };
        let side = journal::cut(file, *offset)
            .map_err(OpenError::io(format!("cutting the torn end of {}", file.display())))?;
        self.notes.push(Note::Cut { from: first.header.commit, side });
        (self.at, self.hash) = (first.header.commit - 1, Some(first.header.previous));
        self.waiting.truncate(keep);
        Ok(())
    }

    /// Lines that the state has and the journal's end lacks are written back, if they continue its chain.
    fn write_back(&mut self, last: Option<PathBuf>) -> Result<(), Stop> {
        if self.at >= self.head.commit {
            return Ok(());
        }
        let path = last.unwrap_or_else(|| self.dir.join(journal::file_name(1)));
        let mut content = Vec::new();
        let from = self.at;
        while self.at < self.head.commit {
            let Some(copy) = self.copy(self.at + 1)?.filter(|copy| self.hash == Some(copy.header.previous)) else {
                // The journal is whole, and the state tells another story: it is put aside, not lost.
                return Err(Stop::State(format!(
                    "the state goes on to commit {} where the journal ends at {from}, and does not continue it",
                    self.head.commit
                )));
            };
            content.extend_from_slice(&copy.bytes);
            content.push(b'\n');
            (self.at, self.hash) = (copy.header.commit, Some(copy.hash));
        }
        let write = || -> io::Result<()> {
            let mut file = journal::private_file(&path)?;
            self.disk.write(&mut file, &content)?;
            self.disk.sync(&file)?;
            journal::sync_dir(self.dir)
        };
        write().map_err(OpenError::io(format!("writing lost lines back to {}", path.display())))?;
        self.notes.push(Note::Restored { lines: self.at - from, file: path });
        Ok(())
    }
}
