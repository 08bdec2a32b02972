//! What mutes hold back is told when they end: a mute hides no entry for good.

use std::sync::Arc;

use record::{channel::ChannelNumber, outbox::Ms};

use super::{Kept, Office, Turn, wake, words};

/// How often it is looked for mutes that have ended.
const EVERY: Ms = 20_000;
/// How many deliveries are looked at in a turn.
const LOOKED_AT: usize = 500;

/// Where the look through what is held back is.
#[derive(Default)]
pub(super) struct Holding {
    looked: Option<Ms>,
    next: (ChannelNumber, u64),
}

impl Office {
    /// Releases what mutes held back that have ended.
    pub(super) fn release(&mut self, now: Ms, turn: &mut Turn) -> Kept<()> {
        let at = self.holding.looked.map_or(now, |looked| looked + EVERY);
        let store = Arc::clone(&self.store);
        let (ledger, view) = (store.ledger(), store.view());
        if at > now {
            if !ledger.held((0, 0), 1)?.is_empty() {
                wake(turn, at);
            }
            return Ok(());
        }
        let page = ledger.held(self.holding.next, LOOKED_AT)?;
        self.holding.next = match page.last() {
            Some((channel, commit)) if page.len() == LOOKED_AT => (*channel, commit + 1),
            _ => (0, 0),
        };
        if self.holding.next == (0, 0) {
            self.holding.looked = Some(now);
        }
        for (channel, commit) in &page {
            let (Some(row), Some(subject)) = (ledger.channel(*channel)?, words::subject(&view, *commit)?) else {
                ledger.release(*channel, *commit, false, now)?;
                continue;
            };
            if !row.mutes(&subject.incident.handle, self.moment(now)) {
                let news = view.news(&subject.incident, &subject.entry, *commit)?;
                ledger.release(*channel, *commit, row.follows(&news), now)?;
                self.dirty = true;
            } else if !row.mute_ends(&subject.incident.handle, self.moment(now)) {
                // It was muted for good meanwhile.
                ledger.release(*channel, *commit, false, now)?;
            }
        }
        if !page.is_empty() {
            wake(turn, if self.holding.next == (0, 0) { now + EVERY } else { now });
        }
        Ok(())
    }
}
