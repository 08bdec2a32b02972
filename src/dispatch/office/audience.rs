//! Who is to hear of what: broadcasts are expanded channel by channel, and closed in the journal.

use std::{collections::BTreeMap, sync::Arc};

use record::{
    channel::ChannelNumber,
    entry::Level,
    outbox::{Delivery, Left, Ms, Trouble},
    private::Fact,
    store::{Audience, Broadcast, Known},
    view::View,
};

use super::{IN_A_LINE, Kept, LINE, LOOKED_AT, Office, Subject, words};

/// Who is to hear of what.
impl Office {
    /// Looks at some channels for the oldest broadcast that is not expanded; whether there is more to do.
    pub(super) fn expand(&mut self, now: Ms) -> Kept<bool> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let head = store.head().commit;
        if self.mute.is_some() {
            return Ok(false);
        }
        let Some(broadcast) = ledger.broadcast_after(self.expanded)?.filter(|it| it.commit <= head) else {
            return Ok(false);
        };
        let commit = broadcast.commit;
        let mut tally = ledger.tally(commit)?.unwrap_or_default();
        if broadcast.known == Known::Drained || tally.expanded {
            self.expanded = commit;
            ledger.set_expanded(commit)?;
            return Ok(true);
        }
        let Some(audience) = self.audience(&store.view(), &broadcast)? else {
            self.expanded = commit;
            ledger.set_expanded(commit)?;
            return Ok(true);
        };
        let begun = tally.begun || broadcast.known != Known::Recorded;
        let looked = ledger.expand(commit, &audience, &mut tally, LOOKED_AT, now)?;
        if looked.found > 0 && !begun {
            // First durable here, then said: a state that was folded anew knows the one without the other.
            self.store.sync_ledger()?;
            if !self.say_at(Fact::Begun { broadcast: commit }, self.moment(now)) {
                return Ok(false);
            }
        }
        if looked.over {
            self.expanded = commit;
            ledger.set_expanded(commit)?;
            match (tally.begun, tally.open) {
                (false, _) => {
                    // Nobody was to hear of it: a state that is folded anew must not ask again, with other filters.
                    let over =
                        Fact::Drained { broadcast: commit, copies: BTreeMap::new(), owed: Vec::new(), last: true };
                    if ledger.channels()? == 0 || self.say_at(over, self.moment(now)) {
                        ledger.set_tally(commit, None)?;
                    }
                }
                (true, 0) => self.draining.push_back((commit, 1)),
                (true, _) => {}
            }
        }
        Ok(true)
    }

    fn audience(&self, view: &View<'_>, broadcast: &Broadcast) -> Kept<Option<Audience>> {
        let Some(subject) = words::subject(view, broadcast.commit)? else { return Ok(None) };
        let Subject { incident, entry, .. } = &subject;
        let Some(level) = subject.amends else {
            return Ok(Some(Audience::Followers(view.news(incident, entry, broadcast.commit)?)));
        };
        let copies: Vec<u64> =
            words::commits(view, &subject)?.into_iter().filter(|commit| *commit < broadcast.commit).collect();
        let material = level == Some(Level::Material) && entry.retracted.is_none();
        let reaches = material.then(|| view.news(incident, entry, broadcast.commit)).transpose()?;
        Ok(Some(Audience::Holders { copies, reaches }))
    }

    /// Tells the journal what came of broadcasts that are over; whether there is more to tell.
    pub(super) fn drain(&mut self, now: Ms) -> Kept<bool> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        if self.mute.is_some() {
            return Ok(false);
        }
        for (broadcast, copies) in std::mem::take(&mut self.late) {
            let fact = Fact::Drained { broadcast, copies: copies.into_iter().collect(), owed: Vec::new(), last: false };
            self.say_at(fact, self.moment(now));
        }
        let Some((commit, from)) = self.draining.pop_front() else { return Ok(false) };
        let Some(mut tally) = ledger.tally(commit)?.filter(|tally| !tally.drained && tally.open == 0) else {
            return Ok(true);
        };
        // What the journal says was done must be known here for good.
        self.store.sync_ledger()?;
        let mut most = IN_A_LINE;
        let (copies, owed, next) = loop {
            let found = ledger.copies(commit, from, most)?;
            // Posts of several messages have several numbers.
            let bytes = found.0.values().map(Left::bytes).sum::<usize>() + 11 * found.1.len();
            if bytes <= LINE || most == 1 {
                break found;
            }
            most /= 2;
        };
        let last = next.is_none();
        if (last || !copies.is_empty() || !owed.is_empty())
            && !self.say_at(Fact::Drained { broadcast: commit, copies, owed, last }, self.moment(now))
        {
            return Ok(false);
        }
        match next {
            Some(next) => self.draining.push_front((commit, next)),
            None if ledger.owes(commit)? => {
                tally.drained = true;
                ledger.set_tally(commit, Some(&tally))?;
            }
            None => ledger.set_tally(commit, None)?,
        }
        Ok(true)
    }

    /// Notes what became of deliveries of a channel.
    pub(super) fn settle(&mut self, channel: ChannelNumber, settled: &[(u64, Delivery)], now: Ms) -> Kept<()> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        for (commit, delivery) in settled.iter().filter(|(_, delivery)| !delivery.is_open()) {
            if delivery.is_untold() {
                self.progress.done(*commit, channel);
            }
            let over = ledger.broadcast(*commit)?.is_some_and(|it| it.known == Known::Drained);
            if over && ledger.delivery(channel, *commit)?.is_some_and(|it| it.is_open()) {
                let moves = ledger.channel(channel)?.map_or(0, |it| it.moves);
                self.late.entry(*commit).or_default().push((channel, Left::of(delivery, moves)));
            }
        }
        let over = ledger.settle(channel, settled, now)?;
        for commit in self.late.keys() {
            if ledger.tally(*commit)?.is_some_and(|tally| tally.drained) && !ledger.owes(*commit)? {
                ledger.set_tally(*commit, None)?;
            }
        }
        self.draining.extend(over.into_iter().map(|commit| (commit, 1)));
        self.dirty = true;
        Ok(())
    }

    pub(super) fn set_trouble(&mut self, channel: ChannelNumber, trouble: Option<Trouble>, now: Ms) -> Kept<()> {
        let over = self.store.ledger().set_trouble(channel, trouble, now)?;
        self.draining.extend(over.into_iter().map(|commit| (commit, 1)));
        self.dirty = true;
        Ok(())
    }
}
