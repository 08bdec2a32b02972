//! The one thread that writes: it takes what is queued, checks it, appends it to the journal as one synced group,
//! applies it to the state as one batch, and only then answers.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    OpenError, Options, Shared,
    clock::NOTED,
    compose::{Group, NotSaid, Receipt, Set, remembered},
    erase,
    fold::{self, AskRow, Head},
    keys, marker,
    mend::{self, Mended},
    recover::{self, Recovered},
    state::{Layer, Rows, StateError},
};
use crate::{
    disk::{Disk, Reserve},
    journal::{Journal, NotAppended, Spot},
};

/// A group takes no further set once it has this many lines: readers wait for one batch at most.
const MAX_GROUP: usize = 256;
/// The room that is looked for before a group is written: its lines, and what they make in the state.
const LARGEST_GROUP: u64 = 16 << 20;
/// How far behind the clock may be before that is told, in milliseconds: clocks are corrected by some seconds.
const CLOCK_OFF: i64 = 60_000;
/// After this much quiet the state is flushed, so that the next start has little to catch up.
const QUIET: Duration = Duration::from_secs(2);
/// How long it is not tried again at most to open the state that could not be opened.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often it is noted at most how far the record is.
const MARKED: Duration = Duration::from_secs(1);

pub(super) enum Job {
    Say(Box<Set>, Asker),
    Sync(Sender<Result<(), String>>),
    Mend(Sender<Result<Mended, String>>),
}

pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub journal: Journal,
    pub options: Options,
    pub head: Head,
    /// When the newest line was written.
    pub newest: Option<DateTime<Utc>>,
    pub reserve: Reserve,
    pub disk: Arc<dyn Disk>,
    /// Why nothing can be written any more.
    pub broken: Option<String>,
    /// Whether that may be over once there is room on the disk.
    pub recovers: bool,
    /// Whether only a start can recover the state.
    pub given_up: bool,
    /// When the state could not be opened again, and how long that is not tried.
    pub again: Option<(Instant, Duration)>,
    /// When the marker was written.
    pub marked: Option<Instant>,
}

type Asker = Sender<Result<Receipt, NotSaid>>;
type Asked = (Box<Set>, Asker);

impl Writer {
    pub fn run(mut self, jobs: &Receiver<Job>) {
        let mut dirty = false;
        let mut forgotten: Option<DateTime<Utc>> = None;
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|last| last.elapsed() >= QUIET) {
                looked = Some(Instant::now());
                self.look_at_the_disk();
            }
            let first = match jobs.recv_timeout(QUIET) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    if dirty && let Err(error) = self.sync() {
                        tracing::warn!(%error, "the state could not be flushed; the journal holds everything");
                    }
                    dirty = false;
                    self.mark(true);
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
            self.mark(false);
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
        self.mark(true);
    }

    /// Notes outside journal and state how far the record is: at most once a second, and whenever nothing else is done.
    fn mark(&mut self, now: bool) {
        let due = now || self.marked.is_none_or(|at| at.elapsed() >= MARKED);
        if self.head.commit == 0 || self.options.read_less || !due {
            return;
        }
        let Writer { head, newest, .. } = *self;
        let first = || marker::header_in(&self.shared.state, 1);
        let marked = self.shared.mark(&self.options, |marker| {
            marker.first = if marker.commit == 0 { first() } else { marker.first.or_else(first) };
            (marker.commit, marker.hash, marker.at) = (head.commit, head.hash, newest);
            let seen = self.shared.clock.seen();
            if let Some(at) = seen
                && marker.seen.is_none_or(|noted| at - noted >= NOTED)
            {
                marker.seen = seen;
            }
        });
        if let Err(error) = marked {
            tracing::warn!(%error, "how far the record is could not be noted beside it");
        }
        self.marked = Some(Instant::now());
    }

    /// Sees whether there is room on the disk, also when nobody records, and goes on after the disk has failed.
    fn look_at_the_disk(&mut self) {
        let failed = self.shared.state.has_failed();
        if failed && let Err(error) = self.reserve.give_way() {
            tracing::warn!(%error, "no room could be made on the disk");
        }
        // It is opened again before the reserve is made whole: until then nothing can even be read.
        if (failed || self.recovers) && !self.given_up && self.reserve.can_work() {
            self.recover();
        }
        let room = self.reserve.has_room_for(LARGEST_GROUP);
        self.shared.full(room.as_ref().err().map(String::as_str));
    }

    /// Opens the state again in its place, as a start does: the disk refused something, and there is room again. Where it
    /// cannot be opened, that is tried less and less often.
    fn recover(&mut self) {
        if self.again.is_some_and(|(last, wait)| last.elapsed() < wait) {
            return;
        }
        tracing::warn!("the disk refused the state something: it is opened anew");
        // What stops writing for another reason goes on doing so.
        let other = self.broken.clone().filter(|_| !self.recovers);
        self.shared.state.close();
        let unsynced = self.shared.state.kept_unsynced();
        let recovered = recover::recover(&self.options, Some(&unsynced), &mut |_, _| {});
        let Recovered { state, head, newest, notes, read_only } = match recovered {
            Ok(recovered) => recovered,
            Err(OpenError::State(StateError::Damaged(why))) => {
                self.shared.state.replace(None);
                (self.recovers, self.given_up) = (false, true);
                tracing::error!(why, "the state is damaged: the next start folds it anew");
                return self.breaks(format!("the state is damaged ({why}); a restart folds it anew"));
            }
            Err(error) => {
                self.shared.state.replace(None);
                self.breaks(format!("the state could not be opened anew, which is tried again: {error}"));
                self.recovers = true;
                let wait = self.again.map_or(QUIET, |(_, wait)| (2 * wait).min(LONGEST_WAIT));
                self.again = Some((Instant::now(), wait));
                return tracing::error!(%error, "the state could not be opened anew; it is tried again");
            }
        };
        notes.iter().for_each(|note| tracing::warn!("{note}"));
        self.shared.state.replace(Some(state));
        (self.recovers, self.again) = (false, None);
        if let Err(error) = self.journal.reopen() {
            return self.breaks(format!("reopening the journal: {error}"));
        }
        (self.head, self.newest) = (head, newest);
        self.shared.set_newest(newest);
        self.broken = read_only.or(other);
        self.shared.set_read_only(self.broken.clone());
        self.shared.publish(head);
        tracing::info!(commit = head.commit, "the store is open again");
    }

    /// Mends what is damaged; the file that is added to may be another one afterwards. Where a line is lost, nothing more
    /// is written behind it.
    fn mend(&mut self) -> Result<Mended, String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let mended = mend::mend(&self.shared.state, &self.options.dir, &*self.disk, self.head);
        if let Err(error) = self.journal.reopen() {
            self.breaks(format!("reopening the journal: {error}"));
        } else if let Ok(Mended { lost: Some(lost), .. }) = &mended {
            self.breaks(lost.clone());
        }
        mended.map_err(|error| error.to_string())
    }

    /// Nothing is written any more.
    fn breaks(&mut self, reason: String) {
        self.shared.read_only(&reason);
        self.broken = Some(reason);
    }

    fn sync(&self) -> Result<(), String> {
        self.shared.state.sync(&self.options.sled_dir()).map_err(|error| error.to_string())
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
                None => match (&room, self.shared.clock.dates(set.at, self.newest)) {
                    (Err(why), _) => Err(NotSaid::Full(why.clone())),
                    (Ok(()), Some(doubt)) => Err(NotSaid::ReadOnly(doubt)),
                    (Ok(()), None) => group.add(&layer, &set),
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
            Err(stop) => {
                let not_said = self.stopped(stop);
                for (answer, _) in answers {
                    let _ = answer.send(Err(not_said.clone()));
                }
            }
        }
    }

    /// What follows from a group that was not written, and what is said of it.
    fn stopped(&mut self, stop: Stop) -> NotSaid {
        match stop {
            Stop::Full(why) => {
                self.shared.full(Some(&why));
                NotSaid::Full(why)
            }
            // The journal has it: it shows once the state was opened again.
            Stop::State(reason) => {
                tracing::error!(reason, "the state could not be written: nothing is recorded until it is opened again");
                self.breaks(format!("{reason}; it is opened again, and goes on by itself"));
                self.recovers = true;
                NotSaid::Broke(reason)
            }
            Stop::Broke(reason) => {
                tracing::error!(
                    reason,
                    "the journal could not be written: nothing more is recorded until the next start"
                );
                self.breaks(reason.clone());
                NotSaid::Broke(reason)
            }
        }
    }

    /// Journal first, synced; then the state; then readers may see it.
    fn commit(&mut self, group: Group, mut rows: Rows) -> Result<(), Stop> {
        if group.bytes.is_empty() {
            return Ok(());
        }
        let Spot { file, offset } = self.journal.append(group.first, &group.bytes).map_err(|error| match error {
            NotAppended::Full(_) => Stop::Full(format!("appending to the journal: {error}")),
            NotAppended::Unknown(_) => Stop::Broke(format!("appending to the journal: {error}")),
        })?;
        let spot = Spot { file, offset: offset + group.last };
        rows.insert(keys::SPOT.to_vec(), Some(fold::write_spot(spot)));
        self.shared.state.apply(rows).map_err(|error| Stop::State(error.to_string()))?;
        (self.head, self.newest) = (group.head, group.newest);
        self.shared.set_newest(self.newest);
        self.shared.publish(group.head);
        self.follow_erasures().map_err(Stop::Broke)
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

/// Why a group was not written.
enum Stop {
    /// There was no room in the journal, and nothing of it is there.
    Full(String),
    /// The journal has it, and the state does not.
    State(String),
    /// Nothing is known of what reached the disk.
    Broke(String),
}

/// What is done in one go.
#[derive(Default)]
struct Gathered {
    sets: Vec<Asked>,
    syncs: Vec<Sender<Result<(), String>>>,
    mends: Vec<Sender<Result<Mended, String>>>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{private::Fact, store::Drafted};

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
