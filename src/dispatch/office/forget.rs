//! Message numbers are kept while an incident is open and for a time after; once a day what is older is forgotten.

use std::{collections::HashMap, sync::Arc};

use record::{channel::ChannelNumber, outbox::Ms};

use super::{Kept, Office};

/// How often it is looked for what may go.
const EVERY: Ms = 24 * 3_600_000;
/// How many deliveries a turn looks at.
const LOOKED_AT: usize = 500;

/// Where the look through the ledger is.
#[derive(Default)]
pub(super) struct Forgetting {
    /// When the last one began.
    began: Option<Ms>,
    /// The delivery to go on from; none between two looks.
    next: Option<(ChannelNumber, u64)>,
    /// Whether an entry's deliveries may go, by its commit.
    old: HashMap<u64, bool>,
}

impl Office {
    /// Looks at some deliveries; whether there are more to look at.
    pub(super) fn forget(&mut self, now: Ms) -> Kept<bool> {
        let from = match self.forgetting.next {
            Some(next) => next,
            None if self.forgetting.began.is_none_or(|began| now - began >= EVERY) => {
                self.forgetting = Forgetting { began: Some(now), ..Forgetting::default() };
                (0, 0)
            }
            None => return Ok(false),
        };
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let page = ledger.page(from, LOOKED_AT)?;
        self.forgetting.next = match page.last() {
            Some((channel, commit, _)) if page.len() == LOOKED_AT => Some((*channel, commit + 1)),
            _ => None,
        };
        for (channel, commit, delivery) in &page {
            if !delivery.is_open() && self.is_old(*commit, now)? {
                ledger.forget(*channel, *commit)?;
            }
        }
        Ok(self.forgetting.next.is_some())
    }

    /// Whether an entry belongs to an incident that was closed long ago.
    fn is_old(&mut self, commit: u64, now: Ms) -> Kept<bool> {
        if let Some(known) = self.forgetting.old.get(&commit) {
            return Ok(*known);
        }
        let view = self.store.view();
        let closed = match view.recorded_at(commit)? {
            Some((incident, _)) => view.closed_at(&incident)?,
            None => None,
        };
        let old = closed.is_some_and(|at| now - at.timestamp_millis() > self.rules.keep);
        self.forgetting.old.insert(commit, old);
        Ok(old)
    }
}
