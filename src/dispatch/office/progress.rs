//! What the journal is told of running broadcasts, at most once a second: the channels that are done, with their messages,
//! and those that may be attempted until it is told again. Only these may be attempted, so a lost ledger leaves at most the
//! sends of two seconds uncertain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use record::{
    channel::{ChannelNumber, Network},
    outbox::{Delivery, Left, Ms, State},
    private::Fact,
};

use super::{Kept, LINE, Office, Turn, wake};

/// How often the journal is told.
const EVERY: Ms = 1_000;
/// How many channels a line names at most; fewer, if they have many messages (`LINE`).
const NAMED: usize = 1_000;

/// How many entries behind a channel's head are looked at.
const BEHIND: usize = 5;

/// The messages of an entry in each channel, by the entry's commit.
type Lefts = BTreeMap<u64, BTreeMap<ChannelNumber, Left>>;

/// What the journal knows, and what it is to be told.
#[derive(Default)]
pub(super) struct Progress {
    /// Done, and not told yet.
    done: BTreeSet<(u64, ChannelNumber)>,
    /// What may be attempted, as the journal knows.
    pub attempted: BTreeSet<(u64, ChannelNumber)>,
    /// Something is due that may not be attempted yet.
    pub wanted: bool,
    told: Option<Ms>,
}

impl Progress {
    /// A channel is done with an entry.
    pub fn done(&mut self, commit: u64, channel: ChannelNumber) {
        self.done.insert((commit, channel));
    }

    /// Whether a channel may be attempted.
    pub fn may(&self, commit: u64, channel: ChannelNumber) -> bool {
        self.attempted.contains(&(commit, channel))
    }
}

impl Office {
    /// Tells the journal how far broadcasts are, if there is something to tell and it is time.
    pub(super) fn tell_progress(&mut self, now: Ms, turn: &mut Turn) -> Kept<()> {
        if self.mute.is_some() {
            return Ok(());
        }
        let wanted = std::mem::take(&mut self.progress.wanted) || self.starves(now)?;
        if !wanted && self.progress.done.is_empty() {
            return Ok(());
        }
        // Where no platform sets a limit, a second's worth is more than a line holds.
        let every = if self.progress.done.len() >= NAMED / 2 { 0 } else { EVERY };
        let at = self.progress.told.map_or(now, |told| told + every);
        if at > now {
            self.progress.wanted = wanted;
            wake(turn, at);
            return Ok(());
        }
        let next = self.attempt_next(now)?;
        let (done, lefts) = self.lefts(LINE.saturating_sub(12 * next.len()))?;
        if done.is_empty() && next.is_subset(&self.progress.attempted) {
            return Ok(());
        }
        // What the journal says was done must be known here for good.
        if !done.is_empty() {
            self.store.sync_ledger()?;
        }
        let mut named: BTreeMap<u64, Vec<ChannelNumber>> = BTreeMap::new();
        next.iter().for_each(|(commit, channel)| named.entry(*commit).or_default().push(*channel));
        // What may no longer be attempted of a broadcast is taken back by naming the broadcast.
        let over: BTreeSet<u64> = self.progress.attempted.iter().map(|(commit, _)| *commit).collect();
        for commit in over {
            named.entry(commit).or_default();
        }
        let fact = Fact::Delivered { done: lefts, next: named };
        if self.say_at(fact, self.moment(now)) {
            self.progress.done.retain(|it| !done.contains(it));
            self.progress.attempted = next;
            self.progress.told = Some(now);
        }
        Ok(())
    }

    /// Whether something is due of which nothing may be attempted.
    fn starves(&mut self, now: Ms) -> Kept<bool> {
        let store = Arc::clone(&self.store);
        for network in Network::ALL {
            if self.lane(network).is_open() {
                let due = store.ledger().due(network, now, 1)?;
                if due.first().is_some_and(|due| !self.progress.may(due.commit, due.channel)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What may be attempted next: what was begun, and the heads that are due, as many as may leave in the time.
    fn attempt_next(&mut self, now: Ms) -> Kept<BTreeSet<(u64, ChannelNumber)>> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let mut next = BTreeSet::new();
        for (commit, channel) in &self.progress.attempted {
            if ledger.delivery(*channel, *commit)?.is_some_and(|it| it.is_open() && may_be_there(&it)) {
                next.insert((*commit, *channel));
            }
        }
        for network in Network::ALL {
            let lane = self.lane(network);
            if lane.is_open() {
                let most = lane.pace.per_second() as usize * 3 / 2 + lane.flying();
                let most = most.min(NAMED / 2);
                let due = ledger.due(network, now + EVERY, most)?;
                let mut room = most.saturating_sub(due.len());
                next.extend(due.iter().map(|due| (due.commit, due.channel)));
                // What waits behind a head may leave within the second, too.
                for head in due {
                    for row in ledger.deliveries(head.channel, head.commit + 1).take(BEHIND.min(room)) {
                        let (commit, delivery) = row?;
                        if delivery.is_open() {
                            next.insert((commit, head.channel));
                            room -= 1;
                        }
                    }
                }
            }
        }
        Ok(next)
    }

    /// What is done and not told yet, as much as fits into so many bytes of a line: whose, and as the journal has it.
    fn lefts(&self, room: usize) -> Kept<(BTreeSet<(u64, ChannelNumber)>, Lefts)> {
        let ledger = self.store.ledger();
        let (mut done, mut lefts) = (BTreeSet::new(), Lefts::new());
        let mut bytes = 0;
        for (commit, channel) in self.progress.done.iter().take(NAMED) {
            if let Some(delivery) = ledger.delivery(*channel, *commit)? {
                let moves = ledger.channel(*channel)?.map_or(0, |it| it.moves);
                let left = Left::of(&delivery, moves);
                bytes += left.bytes();
                if bytes > room && !done.is_empty() {
                    break;
                }
                lefts.entry(*commit).or_default().insert(*channel, left);
            }
            done.insert((*commit, *channel));
        }
        Ok((done, lefts))
    }
}

/// Whether a request for it may have arrived.
fn may_be_there(delivery: &Delivery) -> bool {
    delivery.state == State::Flying || delivery.unknown || delivery.repeats > 0 || !delivery.ids.is_empty()
}
