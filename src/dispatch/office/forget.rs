//! Message numbers are kept while an incident is open and for a time after; once a day what is older is forgotten.

use std::{collections::HashMap, sync::Arc};

use record::{
    channel::ChannelNumber,
    outbox::Ms,
    private::{Bodies, Fact},
};

use super::{Kept, Office};

/// How often it is looked for what may go.
const EVERY: Ms = 24 * 3_600_000;
/// How many deliveries, or lines, a turn looks at; an erasure names no more.
const LOOKED_AT: usize = 500;

/// Where the look through the ledger is.
#[derive(Default)]
pub(super) struct Forgetting {
    /// When the last one began.
    began: Option<Ms>,
    /// What to go on with; none between two looks.
    next: Option<Place>,
    /// Whether an entry's deliveries may go, by its commit.
    old: HashMap<u64, bool>,
}

/// A place in one of the two tables that a look goes through, one after the other.
#[derive(Clone, Copy)]
enum Place {
    /// Deliveries, by channel and entry.
    Delivery(ChannelNumber, u64),
    /// Lines of the journal that tell how far broadcasts were, by their newest entry and their own commit.
    Line(u64, u64),
}

const WHY: &str = "records of deliveries are kept for a while after an incident is closed";

impl Office {
    /// Looks at some deliveries, or lines of the journal that tell of them; whether there are more to look at.
    pub(super) fn forget(&mut self, now: Ms) -> Kept<bool> {
        let place = match self.forgetting.next {
            Some(place) => place,
            None if self.forgetting.began.is_none_or(|began| now - began >= EVERY) => {
                self.forgetting = Forgetting { began: Some(now), ..Forgetting::default() };
                Place::Delivery(0, 0)
            }
            None => return Ok(false),
        };
        self.forgetting.next = match place {
            Place::Delivery(channel, commit) => Some(self.forget_deliveries((channel, commit), now)?),
            Place::Line(newest, line) => self.erase_lines((newest, line), now)?,
        };
        Ok(self.forgetting.next.is_some() && self.mute.is_none())
    }

    fn forget_deliveries(&mut self, from: (ChannelNumber, u64), now: Ms) -> Kept<Place> {
        let store = Arc::clone(&self.store);
        let page = store.ledger().page(from, LOOKED_AT)?;
        for (channel, commit, delivery) in &page {
            if !delivery.is_open() && self.is_old(*commit, now)? {
                store.ledger().forget(*channel, *commit)?;
            }
        }
        Ok(match page.last() {
            Some((channel, commit, _)) if page.len() == LOOKED_AT => Place::Delivery(*channel, commit + 1),
            _ => Place::Line(0, 0),
        })
    }

    /// Erases the bodies of lines that tell of old broadcasts alone; where to go on, if there are more.
    fn erase_lines(&mut self, from: (u64, u64), now: Ms) -> Kept<Option<Place>> {
        let store = Arc::clone(&self.store);
        let page = store.ledger().progress_lines(from, LOOKED_AT)?;
        let mut commits = Vec::new();
        for (_, line, named) in &page {
            let mut old = true;
            for commit in named {
                old &= self.is_old(*commit, now)?;
            }
            commits.extend(old.then_some(*line));
        }
        let erased = commits.is_empty() || {
            let fact = Fact::Erasure { commits, bodies: Bodies::Private, why: WHY.to_owned(), by: None };
            self.say_at(fact, self.moment(now))
        };
        Ok(match page.last() {
            // The journal takes nothing at present.
            _ if !erased => Some(Place::Line(from.0, from.1)),
            Some((newest, line, _)) if page.len() == LOOKED_AT => Some(Place::Line(*newest, line + 1)),
            _ => None,
        })
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
