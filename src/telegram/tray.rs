//! What was taken in and is not handled yet: which offset confirms what, and how much more there is room for.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use record::outbox::Ms;
use tokio::sync::Notify;

use super::inbox::Inbox;

/// The most updates that are not handled.
const UPDATES: usize = 1_000;
/// The most bytes of them that are held in memory.
const BYTES: usize = 16 << 20;
/// How often it is logged that nothing can be stored.
const SAID: Duration = Duration::from_secs(60);

/// Updates that were taken in. Stored ones are confirmed at once; the others, once all up to them are handled.
#[derive(Default)]
struct Taken {
    /// How long each update is that is not handled.
    open: BTreeMap<u32, usize>,
    /// Those that could not be stored, and whether each is handled.
    held: BTreeMap<u32, bool>,
    /// Those that were on the disk at the start: Telegram may send them again.
    restored: BTreeSet<u32>,
    /// Behind the last update that was taken in.
    next: Option<u32>,
    bytes: usize,
}

impl Taken {
    /// Takes one in from the disk, unless it was before.
    fn restore(&mut self, id: u32, bytes: usize) -> bool {
        let new = self.restored.insert(id);
        if new {
            self.open.insert(id, bytes);
            self.bytes += bytes;
        }
        new
    }

    /// Takes one in, unless it was before.
    fn take(&mut self, id: u32, bytes: usize) -> bool {
        if self.restored.contains(&id) {
            self.next = self.next.max(Some(id.wrapping_add(1)));
            return false;
        }
        // Numbers begin anew after a quiet week: far below is new, just below is a repetition.
        let again = self.next.is_some_and(|next| id < next && next - id < 10_000)
            || self.open.contains_key(&id)
            || self.held.contains_key(&id);
        if !again {
            self.open.insert(id, bytes);
            self.bytes += bytes;
            self.next = Some(id.wrapping_add(1));
        }
        !again
    }

    /// An update could not be stored: Telegram has to keep it until it is handled.
    fn hold(&mut self, id: u32) {
        self.held.insert(id, !self.open.contains_key(&id));
        self.confirm();
    }

    fn handled(&mut self, id: u32) {
        self.bytes -= self.open.remove(&id).unwrap_or(0).min(self.bytes);
        if let Some(done) = self.held.get_mut(&id) {
            *done = true;
        }
        self.confirm();
    }

    fn confirm(&mut self) {
        while let Some((id, true)) = self.held.first_key_value().map(|(id, done)| (*id, *done)) {
            self.held.remove(&id);
        }
    }

    fn ask_from(&self) -> Option<u32> {
        self.held.keys().next().copied().or(self.next)
    }

    /// Whether one more may be taken in, however long it is.
    fn has_room(&self) -> bool {
        self.open.len() < UPDATES && self.bytes < BYTES
    }
}

/// Everything that is not handled, in memory and, where the disk lets us, on it.
pub struct Tray {
    taken: Mutex<Taken>,
    inbox: Option<Inbox>,
    changed: Notify,
    said: Mutex<Option<Instant>>,
}

impl Tray {
    /// An empty tray; without an inbox every update is confirmed only once it is handled.
    pub fn new(inbox: Option<Inbox>) -> Tray {
        Tray { taken: Mutex::default(), inbox, changed: Notify::new(), said: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an update in from the disk, unless it was before.
    pub fn restore(&self, id: u32, bytes: usize) -> bool {
        self.taken().restore(id, bytes)
    }

    /// Takes an update in, unless it was before.
    pub fn take(&self, id: u32, bytes: usize) -> bool {
        self.taken().take(id, bytes)
    }

    /// An update is handled: nothing of it is kept, which may take the disk a moment.
    pub fn handled(self: &Arc<Tray>, id: u32) {
        self.taken().handled(id);
        self.changed.notify_waiters();
        if let Some(inbox) = self.inbox.clone() {
            tokio::task::spawn_blocking(move || inbox.handled(id));
        }
    }

    /// Stores a batch durably, off the async threads; where that cannot be, Telegram keeps it until it is handled.
    pub async fn keep(&self, batch: Vec<(u32, String)>, received: Ms, may: bool) {
        let ids: Vec<u32> = batch.iter().map(|(id, _)| *id).collect();
        let stored = match self.inbox.clone().filter(|_| may) {
            None => Err(io::Error::other("there is no inbox, or the disk is full")),
            Some(inbox) => match tokio::task::spawn_blocking(move || inbox.keep(batch, received)).await {
                Ok(stored) => stored,
                Err(broke) => Err(io::Error::other(broke)),
            },
        };
        let Err(error) = stored else { return };
        ids.into_iter().for_each(|id| self.taken().hold(id));
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|last| last.elapsed() >= SAID) {
            *said = Some(Instant::now());
            tracing::error!(%error, "Telegram's updates cannot be stored; each is confirmed once it is handled");
        }
    }

    /// Has handled bytes removed from the disk.
    pub async fn tidy(&self) {
        let Some(inbox) = self.inbox.clone() else { return };
        if let Err(error) = tokio::task::spawn_blocking(move || inbox.tidy(Instant::now())).await {
            tracing::error!(%error, "tidying the stored updates broke");
        }
    }

    /// Where to ask on from: behind everything that may be confirmed.
    pub fn ask_from(&self) -> Option<u32> {
        self.taken().ask_from()
    }

    /// Whether nothing more may be taken in.
    pub fn is_full(&self) -> bool {
        !self.taken().has_room()
    }

    /// Whether Telegram keeps updates for us that could not be stored.
    pub fn holds(&self) -> bool {
        !self.taken().held.is_empty()
    }

    /// Whether everything is handled.
    pub fn is_empty(&self) -> bool {
        self.taken().open.is_empty()
    }

    /// Comes back once something else is handled.
    pub fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_updates_are_confirmed_at_once_and_others_behind_what_was_handled() {
        let mut taken = Taken::default();
        assert!(taken.take(10, 1) && taken.take(11, 1));
        assert_eq!(taken.ask_from(), Some(12), "both are stored");
        assert!(taken.take(12, 1) && taken.take(13, 1) && taken.take(14, 1));
        [12, 13, 14].into_iter().for_each(|id| taken.hold(id));
        assert_eq!(taken.ask_from(), Some(12), "Telegram keeps what we could not store");
        taken.handled(13);
        assert_eq!(taken.ask_from(), Some(12));
        assert!(!taken.take(13, 1), "a repetition");
        taken.handled(12);
        assert_eq!(taken.ask_from(), Some(14));
        taken.handled(14);
        assert_eq!((taken.ask_from(), taken.open.len()), (Some(15), 2), "10 and 11 are stored and wait");
        assert!(!taken.take(11, 1), "a repetition");
        assert!(taken.take(900_000_000, 1), "numbers may begin anew anywhere");
    }

    #[test]
    fn what_was_on_the_disk_is_known_when_telegram_sends_it_again() {
        let mut taken = Taken::default();
        assert!(taken.restore(10, 1) && taken.restore(12, 1) && !taken.restore(12, 1));
        taken.handled(12);
        assert_eq!(taken.ask_from(), None, "what could not be stored before the restart comes again");
        assert!(!taken.take(10, 1) && taken.take(11, 1) && !taken.take(12, 1));
        assert_eq!(taken.ask_from(), Some(13));
    }

    #[test]
    fn there_is_an_end_to_what_is_taken_in() {
        let mut taken = Taken::default();
        taken.take(1, BYTES);
        assert!(!taken.has_room());
        taken.handled(1);
        assert!((2..).take(UPDATES).all(|id| taken.has_room() && taken.take(id, 1)));
        assert!(!taken.has_room());
        taken.handled(2);
        assert!(taken.has_room());
    }
}
