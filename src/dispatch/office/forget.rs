//! Message numbers are kept while an incident is open and for a time after; once a day what is older is forgotten.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use record::{
    channel::ChannelNumber,
    outbox::Ms,
    private::{Bodies, Fact},
};

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
    /// Lines of the journal that tell how far old broadcasts were: their bodies go, too.
    lines: BTreeSet<u64>,
}

/// How many lines one erasure names.
const ERASED: usize = 500;
const WHY: &str = "records of deliveries are kept for a while after an incident is closed";

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
                for (line, named) in ledger.progress_lines(*commit)? {
                    let mut old = true;
                    for commit in named {
                        old &= self.is_old(commit, now)?;
                    }
                    self.forgetting.lines.extend(old.then_some(line));
                }
            }
        }
        if self.forgetting.lines.len() >= ERASED || self.forgetting.next.is_none() {
            self.erase_lines(now);
        }
        Ok(self.forgetting.next.is_some())
    }

    /// Erases the bodies of lines that tell of deliveries which are forgotten.
    fn erase_lines(&mut self, now: Ms) {
        let commits: Vec<u64> = self.forgetting.lines.iter().copied().take(ERASED).collect();
        if commits.is_empty() {
            return;
        }
        let fact = Fact::Erasure { commits: commits.clone(), bodies: Bodies::Private, why: WHY.to_owned(), by: None };
        if self.say_at(fact, self.moment(now)) {
            self.forgetting.lines.retain(|line| !commits.contains(line));
        }
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
