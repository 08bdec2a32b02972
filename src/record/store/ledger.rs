//! The ledger: what was delivered to whom, and what is still to be. It is state about us and not a fact of the record,
//! so it lives in the state alone; the journal tells how far each broadcast is, once a second, so that a state that was folded
//! anew sends nothing twice and leaves only the last seconds uncertain.
//!
//! A channel's deliveries are done in the order of their commits: only the oldest open one, its head, is ever due.

use std::{collections::BTreeMap, ops::Bound};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::{
    fold::{self, Broadcast, from_json, json},
    keys,
    state::{Bytes, Layer, Read, Rows, State, StateError},
};
use crate::{
    channel::{Channel, ChannelNumber, Network},
    outbox::{self, Delivery, Left, Mailbox, Ms, OwnerAlert, Publishing, Reason, Tally, Trouble},
    private::Address,
    subscription::News,
};

/// The ledger. Every change is applied at once and whole; it is durable after the store was told to sync it.
#[derive(Clone, Copy)]
pub struct Ledger<'a> {
    state: &'a State,
}

/// A channel whose head is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it became due.
    pub at: Ms,
    /// The channel.
    pub channel: ChannelNumber,
    /// The entry's commit.
    pub commit: u64,
}

/// Who is to hear of an entry.
#[derive(Clone, Debug)]
pub enum Audience {
    /// Those who follow it.
    Followers(News),
    /// Those who have what it corrects or retracts.
    Holders {
        /// The commits under which messages about it were sent: its own, and those of its corrections before this one.
        copies: Vec<u64>,
        /// The correction as news: those who follow what is corrected as it reads now, and do not have it yet.
        reaches: Option<News>,
    },
}

/// What came of looking at a few channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// How many are to hear of it.
    pub found: u32,
    /// Whether there are no more channels to look at.
    pub over: bool,
}

type Kept<T> = Result<T, StateError>;

impl<'a> Ledger<'a> {
    pub(crate) fn of(state: &'a State) -> Ledger<'a> {
        Ledger { state }
    }

    fn row<T: DeserializeOwned>(&self, from: &dyn Read, key: &[u8]) -> Kept<Option<T>> {
        from.get(key)?.map(|row| from_json(&row)).transpose()
    }

    /// How many channels there are; their numbers go from 1 to this.
    pub fn channels(&self) -> Kept<ChannelNumber> {
        fold::count(self.state, keys::CHANNELS)
    }

    /// A channel by its number.
    pub fn channel(&self, number: ChannelNumber) -> Kept<Option<Channel>> {
        self.row(self.state, &keys::channel(number))
    }

    /// The channel at an address, with its number.
    pub fn channel_at(&self, address: &Address) -> Kept<Option<(ChannelNumber, Channel)>> {
        fold::channel_at(self.state, address)
    }

    /// Every channel, in the order of their numbers.
    pub fn all_channels(&self) -> impl Iterator<Item = Kept<(ChannelNumber, Channel)>> + use<'a> {
        self.state.prefix(&keys::Key::of(b'C').end()).map(|row| {
            let (key, value) = row?;
            Ok((keys::last_number(&key).unwrap_or_default(), from_json(&value)?))
        })
    }

    /// The channels in a chat: itself, and its topics.
    pub fn channels_in(&self, chat: &str) -> Kept<Vec<ChannelNumber>> {
        let mut found = Vec::new();
        for row in self.state.prefix(&keys::channel_at(chat)) {
            let (key, value) = row?;
            let rest = key.get(1 + chat.len()..).unwrap_or_default();
            if rest.is_empty() || rest.first() == Some(&b'/') {
                found.extend(keys::last_number(&value));
            }
        }
        Ok(found)
    }

    /// What became of an entry in a channel.
    pub fn delivery(&self, channel: ChannelNumber, commit: u64) -> Kept<Option<Delivery>> {
        self.row(self.state, &keys::delivery(channel, commit))
    }

    /// The deliveries of a channel from a commit on, oldest first.
    pub fn deliveries(
        &self,
        channel: ChannelNumber,
        from: u64,
    ) -> impl DoubleEndedIterator<Item = Kept<(u64, Delivery)>> + use<'a> {
        let (start, end) = (keys::delivery(channel, from), keys::delivery(channel, u64::MAX));
        self.state.range(Bound::Included(start), Bound::Included(end)).map(|row| {
            let (key, value) = row?;
            Ok((keys::last_commit(&key).unwrap_or_default(), from_json(&value)?))
        })
    }

    /// Every delivery of every channel.
    pub fn everything(&self) -> impl Iterator<Item = Kept<(ChannelNumber, u64, Delivery)>> + use<'a> {
        self.state.prefix(&keys::Key::of(b'D').end()).map(of_whom)
    }

    /// Some deliveries, from one on: of whatever channels come.
    pub fn page(&self, from: (ChannelNumber, u64), most: usize) -> Kept<Vec<(ChannelNumber, u64, Delivery)>> {
        let (start, end) = (keys::delivery(from.0, from.1), keys::delivery(ChannelNumber::MAX, u64::MAX));
        self.state.range(Bound::Included(start), Bound::Included(end)).take(most).map(of_whom).collect()
    }

    /// What is open in a channel, and what is wrong with it.
    pub fn mailbox(&self, channel: ChannelNumber) -> Kept<Mailbox> {
        Ok(self.row(self.state, &keys::mailbox(channel))?.unwrap_or_default())
    }

    /// The channels that have something open or are in trouble.
    pub fn mailboxes(&self) -> impl Iterator<Item = Kept<(ChannelNumber, Mailbox)>> + use<'a> {
        self.state.prefix(&keys::Key::of(b'O').end()).map(|row| {
            let (key, value) = row?;
            Ok((keys::last_number(&key).unwrap_or_default(), from_json(&value)?))
        })
    }

    /// How far a broadcast is; none before it was looked at, or when the ledger was lost.
    pub fn tally(&self, commit: u64) -> Kept<Option<Tally>> {
        self.row(self.state, &keys::tally(commit))
    }

    /// The broadcasts that are not over.
    pub fn tallies(&self) -> impl Iterator<Item = Kept<(u64, Tally)>> + use<'a> {
        self.state.prefix(&keys::Key::of(b'R').end()).map(|row| {
            let (key, value) = row?;
            Ok((keys::last_commit(&key).unwrap_or_default(), from_json(&value)?))
        })
    }

    /// The first broadcast behind a commit.
    pub fn broadcast_after(&self, commit: u64) -> Kept<Option<Broadcast>> {
        let (from, to) = (keys::broadcast(commit), keys::broadcast(u64::MAX));
        let Some(row) = self.state.range(Bound::Excluded(from), Bound::Included(to)).next() else { return Ok(None) };
        let (key, value) = row?;
        Broadcast::parse(keys::last_commit(&key).unwrap_or_default(), &value).map(Some)
    }

    /// The broadcast of an entry, if it has one.
    pub fn broadcast(&self, commit: u64) -> Kept<Option<Broadcast>> {
        let Some(row) = self.state.get(&keys::broadcast(commit))? else { return Ok(None) };
        Broadcast::parse(commit, &row).map(Some)
    }

    /// The commit up to which every broadcast was expanded.
    pub fn expanded(&self) -> Kept<u64> {
        Ok(self.state.get(keys::EXPANDED)?.and_then(|row| keys::last_commit(&row)).unwrap_or(0))
    }

    /// Notes that every broadcast up to this one was expanded.
    pub fn set_expanded(&self, commit: u64) -> Kept<()> {
        self.state.apply(Rows::from([(keys::EXPANDED.to_vec(), Some(commit.to_be_bytes().to_vec()))]))
    }

    /// Changes how far a broadcast is; none forgets it.
    pub fn set_tally(&self, commit: u64, tally: Option<&Tally>) -> Kept<()> {
        self.state.apply(Rows::from([(keys::tally(commit), tally.map(json).transpose()?)]))
    }

    /// The channels whose heads are due, those first that wait longest.
    pub fn due(&self, network: Network, now: Ms, most: usize) -> Kept<Vec<Due>> {
        let from = keys::due(network as u8, Ms::MIN, 0);
        let to = keys::due(network as u8, now, ChannelNumber::MAX);
        let mut due = Vec::new();
        for row in self.state.range(Bound::Included(from), Bound::Included(to)).take(most) {
            let (key, value) = row?;
            if let (Some((at, channel)), Some(commit)) = (keys::read_due(&key), keys::last_commit(&value)) {
                due.push(Due { at, channel, commit });
            }
        }
        Ok(due)
    }

    /// When the next head of a network is due that is not due at a moment.
    pub fn next_due(&self, network: Network, after: Ms) -> Kept<Option<Ms>> {
        let from = keys::due(network as u8, after.saturating_add(1), 0);
        let to = keys::due(network as u8, Ms::MAX, ChannelNumber::MAX);
        let first = self.state.range(Bound::Included(from), Bound::Included(to)).next().transpose()?;
        Ok(first.and_then(|(key, _)| keys::read_due(&key)).map(|(at, _)| at))
    }

    /// Looks at a few channels from where a broadcast is, and puts what they are to hear into their mailboxes.
    pub fn expand(&self, commit: u64, audience: &Audience, tally: &mut Tally, most: usize, now: Ms) -> Kept<Expanded> {
        let mut layer = Layer::over(self.state);
        let (mut found, mut looked) = (0, 0);
        let at = DateTime::<Utc>::from_timestamp_millis(now).unwrap_or_default();
        let range = (keys::channel(tally.next), keys::channel(ChannelNumber::MAX));
        for row in self.state.range(Bound::Included(range.0), Bound::Included(range.1)) {
            let (key, value) = row?;
            let number = keys::last_number(&key).unwrap_or_default();
            if looked == most {
                break;
            }
            tally.next = number + 1;
            looked += 1;
            let channel: Channel = match from_json(&value) {
                Ok(channel) => channel,
                Err(error) => {
                    // One that cannot be read must not keep the others from hearing.
                    tracing::error!(channel = number, %error, "a channel cannot be read");
                    continue;
                }
            };
            if let Audience::Followers(news) = audience
                && channel.mute_ends(&news.incident, at)
                && channel.subscriptions.iter().any(|it| it.covers(news))
                && layer.get(&keys::delivery(number, commit))?.is_none()
            {
                let state = outbox::State::None(Reason::Muted);
                layer.put(keys::delivery(number, commit), json(&Delivery { state, ..Delivery::waiting(now, false) })?);
                layer.put(keys::held(number, commit), Vec::new());
                continue;
            }
            if let Some(amends) = self.hears(number, &channel, audience, at)?
                && layer.get(&keys::delivery(number, commit))?.is_none()
            {
                match (tally.doubtful, amends) {
                    (false, _) => {
                        self.put_in(&mut layer, number, &channel, commit, Delivery::waiting(now, amends), tally, now)?;
                    }
                    // Changing a message twice is as good as once; a reply that comes again says so.
                    (true, true) => {
                        let again = Delivery { repeats: 1, ..Delivery::waiting(now, amends) };
                        self.put_in(&mut layer, number, &channel, commit, again, tally, now)?;
                    }
                    (true, false) => self.may_lack(&mut layer, number, commit, now)?,
                }
                found += 1;
            }
        }
        tally.total += found;
        // In the same batch as the rows: whatever of this is durable, it is said before anything leaves.
        tally.begun |= found > 0;
        tally.expanded = tally.next > self.channels()?;
        layer.put(keys::tally(commit), json(tally)?);
        self.state.apply(layer.rows)?;
        Ok(Expanded { found, over: tally.expanded })
    }

    /// Notes that a channel may have an entry, or may lack it: its next message says so.
    fn may_lack(&self, layer: &mut Layer<'_>, number: ChannelNumber, commit: u64, now: Ms) -> Kept<()> {
        let unsure = Delivery { assumed: false, ..Delivery::assumed(now, false) };
        layer.put(keys::delivery(number, commit), json(&unsure)?);
        let key = keys::mailbox(number);
        let mut mailbox: Mailbox = self.row(layer, &key)?.unwrap_or_default();
        mailbox.doubts.push(commit);
        layer.put(key, json(&mailbox)?);
        Ok(())
    }

    /// Whether a channel is to hear of it, and if so, whether as a change of what it has.
    fn hears(
        &self,
        number: ChannelNumber,
        channel: &Channel,
        audience: &Audience,
        at: DateTime<Utc>,
    ) -> Kept<Option<bool>> {
        let covered =
            |news: &News| !channel.mutes(&news.incident, at) && channel.subscriptions.iter().any(|it| it.covers(news));
        match audience {
            Audience::Followers(news) => Ok(covered(news).then_some(false)),
            Audience::Holders { copies, reaches } => {
                for commit in copies {
                    // What was settled without a message leaves nothing to be changed.
                    let there = self.delivery(number, *commit)?;
                    if there.is_some_and(|it| it.copy || it.is_open() || matches!(it.state, outbox::State::Unsure)) {
                        return Ok(Some(true));
                    }
                }
                Ok(reaches.as_ref().is_some_and(covered).then_some(false))
            }
        }
    }

    /// Puts a delivery into a channel's mailbox.
    #[expect(clippy::too_many_arguments, reason = "all of it is one row of the ledger and what points to it")]
    fn put_in(
        &self,
        layer: &mut Layer<'_>,
        number: ChannelNumber,
        channel: &Channel,
        commit: u64,
        delivery: Delivery,
        tally: &mut Tally,
        now: Ms,
    ) -> Kept<()> {
        let Some(network) = channel.address.network() else { return Ok(()) };
        layer.put(keys::delivery(number, commit), json(&delivery)?);
        let key = keys::mailbox(number);
        let mut mailbox: Mailbox = self.row(layer, &key)?.unwrap_or_default();
        match &mailbox.trouble {
            Some(_) => layer.put(keys::owed(commit, number), Vec::new()),
            None => tally.open += 1,
        }
        // After a lost ledger an older broadcast may come behind a newer one.
        if mailbox.head.is_none_or(|(head, _)| commit < head) {
            if let Some((_, due)) = mailbox.head {
                layer.forget(keys::due(network as u8, due, number));
            }
            let due = mailbox.trouble.as_ref().map_or(now, |trouble| trouble.next().max(now));
            mailbox.head = Some((commit, due));
            layer.put(keys::due(network as u8, due, number), commit.to_be_bytes());
            layer.put(key, json(&mailbox)?);
        }
        Ok(())
    }

    /// Notes what became of deliveries of a channel. What is no longer open makes room for what comes after it; the
    /// broadcasts that have nothing open any more are told.
    pub fn settle(&self, channel: ChannelNumber, settled: &[(u64, Delivery)], now: Ms) -> Kept<Vec<u64>> {
        let mut layer = Layer::over(self.state);
        let mut over = Vec::new();
        for (commit, delivery) in settled {
            let key = keys::delivery(channel, *commit);
            let was: Option<Delivery> = self.row(&layer, &key)?;
            layer.put(key, json(delivery)?);
            if !delivery.is_open() && was.is_some_and(|was| was.is_open()) {
                over.extend(self.closed(&mut layer, channel, *commit)?);
            }
        }
        let mut mailbox: Mailbox = self.row(&layer, &keys::mailbox(channel))?.unwrap_or_default();
        if let Some((head, _)) = mailbox.head {
            let open = self.first_open(&layer, channel, head)?;
            if open != Some(head) {
                self.move_head(&mut layer, channel, &mut mailbox, open.map(|commit| (commit, now)))?;
            }
        }
        self.state.apply(layer.rows)?;
        Ok(over)
    }

    /// Counts a delivery as done; its broadcast, if that was the last.
    fn closed(&self, layer: &mut Layer<'_>, channel: ChannelNumber, commit: u64) -> Kept<Option<u64>> {
        let owed = keys::owed(commit, channel);
        if layer.get(&owed)?.is_some() {
            layer.forget(owed);
            return Ok(None);
        }
        let key = keys::tally(commit);
        let Some(mut tally) = self.row::<Tally>(layer, &key)? else { return Ok(None) };
        tally.open = tally.open.saturating_sub(1);
        layer.put(key, json(&tally)?);
        Ok((tally.open == 0 && tally.expanded && !tally.drained).then_some(commit))
    }

    fn first_open(&self, layer: &Layer<'_>, channel: ChannelNumber, from: u64) -> Kept<Option<u64>> {
        for row in self.deliveries(channel, from) {
            let (commit, kept) = row?;
            let newest: Option<Delivery> = self.row(layer, &keys::delivery(channel, commit))?;
            if newest.unwrap_or(kept).is_open() {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// Puts another delivery at the head of a channel, or the same at another time.
    fn move_head(
        &self,
        layer: &mut Layer<'_>,
        channel: ChannelNumber,
        mailbox: &mut Mailbox,
        head: Option<(u64, Ms)>,
    ) -> Kept<()> {
        let row: Option<Channel> = self.row(layer, &keys::channel(channel))?;
        let Some(network) = row.and_then(|channel| channel.address.network()) else { return Ok(()) };
        if let Some((_, due)) = mailbox.head {
            layer.forget(keys::due(network as u8, due, channel));
        }
        mailbox.head = head;
        if let Some((commit, due)) = head {
            layer.put(keys::due(network as u8, due, channel), commit.to_be_bytes());
        }
        self.keep(layer, channel, mailbox)
    }

    /// A mailbox with nothing in it is not kept.
    fn keep(&self, layer: &mut Layer<'_>, channel: ChannelNumber, mailbox: &Mailbox) -> Kept<()> {
        match *mailbox == Mailbox::default() {
            true => layer.forget(keys::mailbox(channel)),
            false => layer.put(keys::mailbox(channel), json(mailbox)?),
        }
        Ok(())
    }

    /// Has a channel's head wait until another time.
    pub fn postpone(&self, channel: ChannelNumber, due: Ms) -> Kept<()> {
        let mut layer = Layer::over(self.state);
        let mut mailbox: Mailbox = self.row(&layer, &keys::mailbox(channel))?.unwrap_or_default();
        if let Some((commit, _)) = mailbox.head {
            self.move_head(&mut layer, channel, &mut mailbox, Some((commit, due)))?;
            self.state.apply(layer.rows)?;
        }
        Ok(())
    }

    /// Notes that a channel cannot be reached (what is open there is owed from now on), that it was tried once more, or
    /// that it can be reached again. Tells the broadcasts that have nothing else open any more.
    pub fn set_trouble(&self, channel: ChannelNumber, trouble: Option<Trouble>, now: Ms) -> Kept<Vec<u64>> {
        let mut layer = Layer::over(self.state);
        let mut mailbox: Mailbox = self.row(&layer, &keys::mailbox(channel))?.unwrap_or_default();
        let (was, is) = (mailbox.trouble.is_some(), trouble.is_some());
        let mut over = Vec::new();
        if was != is {
            for row in self.deliveries(channel, mailbox.head.map_or(u64::MAX, |(head, _)| head)) {
                let (commit, delivery) = row?;
                if !delivery.is_open() {
                    continue;
                }
                match is {
                    true => {
                        over.extend(self.closed(&mut layer, channel, commit)?);
                        layer.put(keys::owed(commit, channel), Vec::new());
                    }
                    false => self.reopened(&mut layer, channel, commit)?,
                }
            }
        }
        let due = trouble.as_ref().map_or(now, |trouble| trouble.next().max(now));
        mailbox.trouble = trouble;
        let head = mailbox.head.map(|(commit, _)| (commit, due));
        self.move_head(&mut layer, channel, &mut mailbox, head)?;
        self.state.apply(layer.rows)?;
        Ok(over)
    }

    /// What was owed counts as open again, unless the broadcast was closed without it.
    fn reopened(&self, layer: &mut Layer<'_>, channel: ChannelNumber, commit: u64) -> Kept<()> {
        let key = keys::tally(commit);
        if let Some(mut tally) = self.row::<Tally>(layer, &key)?
            && !tally.drained
        {
            layer.forget(keys::owed(commit, channel));
            tally.open += 1;
            layer.put(key, json(&tally)?);
        }
        Ok(())
    }

    /// Notes entries that may not have come, or that they were told of.
    pub fn set_doubts(&self, channel: ChannelNumber, doubts: Vec<u64>) -> Kept<()> {
        let mut layer = Layer::over(self.state);
        let mut mailbox: Mailbox = self.row(&layer, &keys::mailbox(channel))?.unwrap_or_default();
        mailbox.doubts = doubts;
        self.keep(&mut layer, channel, &mailbox)?;
        self.state.apply(layer.rows)
    }

    /// Gives up everything that is open in a channel.
    pub fn give_up(&self, channel: ChannelNumber, why: Reason, now: Ms) -> Kept<Vec<u64>> {
        let mut settled = Vec::new();
        for row in self.deliveries(channel, 0) {
            let (commit, mut delivery) = row?;
            if delivery.is_open() {
                (delivery.state, delivery.at) = (outbox::State::None(why), now);
                settled.push((commit, delivery));
            }
        }
        self.settle(channel, &settled, now)
    }

    /// Puts a delivery that was given up back into its channel's mailbox.
    pub fn retry(&self, channel: ChannelNumber, commit: u64, now: Ms) -> Kept<bool> {
        let (Some(row), Some(kept)) = (self.channel(channel)?, self.delivery(channel, commit)?) else {
            return Ok(false);
        };
        if !matches!(kept.state, outbox::State::Dead(_) | outbox::State::Unsure) {
            return Ok(false);
        }
        let mut layer = Layer::over(self.state);
        let mut tally: Tally = self.row(&layer, &keys::tally(commit))?.unwrap_or_else(over);
        // One of unknown fate may be there: what comes now says so.
        let repeats = kept.repeats + u32::from(matches!(kept.state, outbox::State::Unsure));
        let journalled = kept.journalled;
        let again = Delivery { repeats, journalled, ..Delivery::waiting(now, kept.amends) };
        let mut mailbox: Mailbox = self.row(&layer, &keys::mailbox(channel))?.unwrap_or_default();
        mailbox.doubts.retain(|doubt| *doubt != commit);
        layer.put(keys::mailbox(channel), json(&mailbox)?);
        self.put_in(&mut layer, channel, &row, commit, again, &mut tally, now)?;
        layer.put(keys::tally(commit), json(&tally)?);
        self.state.apply(layer.rows)?;
        Ok(true)
    }

    /// Puts everything that was given up, or is of unknown fate and held, back; how many that were.
    pub fn retry_all(&self, now: Ms) -> Kept<usize> {
        let mut count = 0;
        for row in self.everything() {
            let (channel, commit, delivery) = row?;
            if matches!(delivery.state, outbox::State::Dead(_) | outbox::State::Unsure) {
                count += usize::from(self.retry(channel, commit, now)?);
            }
        }
        Ok(count)
    }

    /// The messages of an entry in a few channels from a number on, and the channels that still are to have it; the
    /// number to go on from, if there are more.
    #[expect(clippy::type_complexity, reason = "three lists that are written into one line")]
    pub fn copies(
        &self,
        commit: u64,
        from: ChannelNumber,
        most: ChannelNumber,
    ) -> Kept<(BTreeMap<ChannelNumber, Left>, Vec<ChannelNumber>, Option<ChannelNumber>)> {
        let (mut copies, mut owed) = (BTreeMap::new(), Vec::new());
        let last = self.channels()?;
        let end = from.saturating_add(most).min(last.saturating_add(1));
        for channel in from..end {
            match self.delivery(channel, commit)? {
                Some(delivery) if delivery.is_open() => owed.push(channel),
                // A mute that ends holds it back: a state that is folded anew must know.
                Some(_) if self.state.get(&keys::held(channel, commit))?.is_some() => owed.push(channel),
                // What a line told already need not be told again.
                Some(delivery) if delivery.journalled => {}
                Some(delivery) if matches!(delivery.state, outbox::State::Sent | outbox::State::Unsure) => {
                    let moves = self.channel(channel)?.map_or(0, |it| it.moves);
                    copies.insert(channel, Left::of(&delivery, moves));
                }
                _ => {}
            }
        }
        Ok((copies, owed, (end <= last).then_some(end)))
    }

    /// Whether another channel of a network has a message of an entry; so many channels are looked at.
    pub fn is_taken_elsewhere(&self, network: Network, commit: u64, but: ChannelNumber, most: u32) -> Kept<bool> {
        for channel in (1..=self.channels()?).filter(|channel| *channel != but).take(most as usize) {
            let Some(delivery) = self.delivery(channel, commit)? else { continue };
            if delivery.state == outbox::State::Sent
                && !delivery.ids.is_empty()
                && self.channel(channel)?.and_then(|it| it.address.network()) == Some(network)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Forgets what was delivered of an entry in a channel.
    pub fn forget(&self, channel: ChannelNumber, commit: u64) -> Kept<()> {
        self.state.apply(Rows::from([(keys::delivery(channel, commit), None), (keys::held(channel, commit), None)]))
    }

    /// Whether anything is owed of a broadcast.
    pub fn owes(&self, commit: u64) -> Kept<bool> {
        Ok(self.state.prefix(&keys::Key::of(b'W').n64(commit).end()).next().transpose()?.is_some())
    }

    /// Notes that a mute, which ends some time, holds a delivery back.
    pub fn hold_back(&self, channel: ChannelNumber, commit: u64) -> Kept<()> {
        self.state.apply(Rows::from([(keys::held(channel, commit), Some(Vec::new()))]))
    }

    /// Some deliveries that mutes hold back, from one on.
    pub fn held(&self, from: (ChannelNumber, u64), most: usize) -> Kept<Vec<(ChannelNumber, u64)>> {
        let (start, end) = (keys::held(from.0, from.1), keys::held(ChannelNumber::MAX, u64::MAX));
        let rows = self.state.range(Bound::Included(start), Bound::Included(end)).take(most);
        rows.map(|row| Ok(whose(&row?.0))).collect()
    }

    /// A mute has ended, or does not count any more: what it held back is put in again, if it still is wanted.
    pub fn release(&self, channel: ChannelNumber, commit: u64, wanted: bool, now: Ms) -> Kept<()> {
        let mut layer = Layer::over(self.state);
        layer.forget(keys::held(channel, commit));
        if let (true, Some(row), Some(kept)) = (wanted, self.channel(channel)?, self.delivery(channel, commit)?)
            && kept.state == outbox::State::None(Reason::Muted)
        {
            let mut tally = self.tally(commit)?.unwrap_or_else(over);
            let again = Delivery { held: true, ..Delivery::waiting(now, kept.amends) };
            self.put_in(&mut layer, channel, &row, commit, again, &mut tally, now)?;
            layer.put(keys::tally(commit), json(&tally)?);
        }
        self.state.apply(layer.rows)
    }

    /// A post that is to be published to those who follow the channel elsewhere, or no more.
    pub fn set_publishing(&self, channel: ChannelNumber, message: u64, publishing: Option<&Publishing>) -> Kept<()> {
        let row = publishing.map(json).transpose()?;
        self.state.apply(Rows::from([(keys::publishing(channel, message), row)]))
    }

    /// A post that is to be published to those who follow its channel elsewhere.
    pub fn publishing(&self, channel: ChannelNumber, message: u64) -> Kept<Option<Publishing>> {
        self.row(self.state, &keys::publishing(channel, message))
    }

    /// The oldest post of each channel that is to be published to those who follow the channel elsewhere.
    pub fn publishings(&self) -> Kept<Vec<(ChannelNumber, u64, Publishing)>> {
        let (mut found, mut from) = (Vec::new(), keys::publishing(0, 0));
        let end = keys::publishing(ChannelNumber::MAX, u64::MAX);
        while let Some(row) = self.state.range(Bound::Included(from), Bound::Included(end.clone())).next() {
            let (key, value) = row?;
            let (channel, message) = whose(&key);
            found.push((channel, message, from_json(&value)?));
            let Some(next) = channel.checked_add(1) else { break };
            from = keys::publishing(next, 0);
        }
        Ok(found)
    }

    /// How many posts of a channel are still to be published to those who follow it elsewhere.
    pub fn unpublished(&self, channel: ChannelNumber) -> usize {
        self.state.prefix(&keys::Key::of(b'U').n32(channel).end()).count()
    }

    /// The alerts that wait, oldest first, each with its number.
    pub fn alerts(&self) -> Kept<Vec<(u64, OwnerAlert)>> {
        let rows = self.state.prefix(&keys::Key::of(b'I').end());
        rows.map(|row| {
            let (key, value) = row?;
            Ok((keys::last_commit(&key).unwrap_or_default(), from_json(&value)?))
        })
        .collect()
    }

    /// Keeps an alert until somebody has got it; beyond so many the oldest is forgotten.
    pub fn add_alert(&self, alert: &OwnerAlert) -> Kept<()> {
        const MOST: usize = 500;
        let _alone = self.state.alone();
        let known = self.alerts()?;
        // The same is told once.
        if known.iter().any(|(_, it)| it.en == alert.en && it.to == alert.to) {
            return Ok(());
        }
        // No number is used twice, though the alert that had it may be gone.
        let next = known.last().map_or(1, |(number, _)| number + 1).max(alert.at.unsigned_abs());
        let mut rows = Rows::from([(keys::alert(next), Some(json(alert)?))]);
        let over = (known.len() + 1).saturating_sub(MOST);
        rows.extend(known.iter().take(over).map(|(number, _)| (keys::alert(*number), None)));
        self.state.apply(rows)
    }

    /// Changes an alert as it is now, or forgets it; nothing if it is gone.
    pub fn change_alert(&self, number: u64, change: impl FnOnce(OwnerAlert) -> Option<OwnerAlert>) -> Kept<()> {
        let _alone = self.state.alone();
        let Some(alert) = self.row(self.state, &keys::alert(number))? else { return Ok(()) };
        let row = change(alert).as_ref().map(json).transpose()?;
        self.state.apply(Rows::from([(keys::alert(number), row)]))
    }

    /// Until when a platform wanted nothing at all, as far as it was noted.
    pub fn limit(&self, network: Network) -> Kept<Option<Ms>> {
        self.row(self.state, &keys::limit(network as u8))
    }

    /// Notes until when a platform wants nothing at all.
    pub fn set_limit(&self, network: Network, until: Ms) -> Kept<()> {
        self.state.apply(Rows::from([(keys::limit(network as u8), Some(json(&until)?))]))
    }

    /// Bounds every moment that lies further ahead than anything is ever put off: another clock must have noted it.
    pub fn bound_moments(&self, now: Ms) -> Kept<usize> {
        /// Nothing is put off for longer.
        const LONGEST: Ms = 2 * 3_600_000;
        let mut bounded = 0;
        let rows: Vec<(ChannelNumber, Mailbox)> = self.mailboxes().collect::<Kept<_>>()?;
        for (channel, mut mailbox) in rows {
            let late = mailbox.trouble.as_ref().is_some_and(|it| it.tried > now || it.since > now);
            if let Some(trouble) = mailbox.trouble.as_mut().filter(|_| late) {
                (trouble.tried, trouble.since) = (trouble.tried.min(now), trouble.since.min(now));
                let mut layer = Layer::over(self.state);
                self.keep(&mut layer, channel, &mailbox)?;
                self.state.apply(layer.rows)?;
            }
            let Some((commit, due)) = mailbox.head else { continue };
            if due > now + LONGEST {
                self.postpone(channel, now)?;
            }
            if let Some(delivery) = self.delivery(channel, commit)?.filter(|it| it.at > now) {
                let row = Delivery { at: now, ..delivery };
                self.state.apply(Rows::from([(keys::delivery(channel, commit), Some(json(&row)?))]))?;
            }
            bounded += usize::from(late || due > now + LONGEST);
        }
        Ok(bounded)
    }

    /// The channels that may be attempted of each broadcast, as the newest lines of the journal say.
    pub fn attempted(&self) -> Kept<Vec<(u64, Vec<ChannelNumber>)>> {
        let rows = self.state.prefix(&keys::Key::of(b'G').end());
        rows.map(|row| {
            let (key, value) = row?;
            Ok((keys::last_commit(&key).unwrap_or_default(), from_json(&value)?))
        })
        .collect()
    }

    /// Some lines of the journal that tell how far broadcasts were, from a place on: the place of each (the newest entry that
    /// it tells of, its own commit), and all entries that it tells of.
    pub fn progress_lines(&self, from: (u64, u64), most: usize) -> Kept<Vec<(u64, u64, Vec<u64>)>> {
        let (start, end) = (keys::progress(from.0, from.1), keys::progress(u64::MAX, u64::MAX));
        let rows = self.state.range(Bound::Included(start), Bound::Included(end)).take(most);
        rows.map(|row| {
            let (key, value) = row?;
            let newest = key.get(1..9).and_then(|bytes| bytes.first_chunk::<8>()).copied().map(u64::from_be_bytes);
            Ok((newest.unwrap_or_default(), keys::last_commit(&key).unwrap_or_default(), from_json(&value)?))
        })
        .collect()
    }

    /// Puts back what a projection took for attempted, where doing it twice is as good as once; what else may be there is
    /// named with the channel's next message. How many channels may lack an entry.
    pub fn take_up_assumed(&self, now: Ms) -> Kept<usize> {
        let mut lacking = std::collections::BTreeSet::new();
        for row in self.everything() {
            let (channel, commit, delivery) = row?;
            if !delivery.is_assumed() {
                continue;
            }
            if delivery.amends {
                self.retry(channel, commit, now)?;
                continue;
            }
            lacking.insert(channel);
            // From now on it is like any other of unknown fate.
            let row = Delivery { assumed: false, ..delivery };
            self.state.apply(Rows::from([(keys::delivery(channel, commit), Some(json(&row)?))]))?;
            let mut doubts = self.mailbox(channel)?.doubts;
            if !doubts.contains(&commit) {
                doubts.push(commit);
                self.set_doubts(channel, doubts)?;
            }
        }
        Ok(lacking.len())
    }
}

/// How far a broadcast is of which nothing is open any more.
fn over() -> Tally {
    Tally { expanded: true, begun: true, drained: true, ..Tally::default() }
}

/// The channel and the number that a row's key ends with.
fn whose(key: &[u8]) -> (ChannelNumber, u64) {
    let channel = key.get(1..5).and_then(|bytes| bytes.first_chunk::<4>()).copied().unwrap_or_default();
    (u32::from_be_bytes(channel), keys::last_commit(key).unwrap_or_default())
}

/// A delivery's row: whose, of what, and what became of it.
fn of_whom(row: Kept<(Bytes, Bytes)>) -> Kept<(ChannelNumber, u64, Delivery)> {
    let (key, value) = row?;
    let (channel, commit) = whose(&key);
    Ok((channel, commit, from_json(&value)?))
}

#[cfg(test)]
mod tests {
    use super::{super::Memory, *};
    use crate::{
        channel::PlaceKind,
        entry::{Importance, Kind},
        lang::Lang,
        outbox::State as Stands,
        subscription::{Follow, Subscription, What},
    };

    fn world(channels: u32) -> State {
        let state = State::in_memory(Memory::default());
        let mut rows = Rows::new();
        for number in 1..=channels {
            let address = Address(format!("telegram:{number}"));
            let follow = Follow::of(What::All);
            let channel = Channel {
                settings: address.clone(),
                place: PlaceKind::Private,
                lang: Lang::En,
                by: None,
                subscriptions: vec![Subscription { number, since: 1, follow }],
                mutes: Vec::new(),
                moves: 0,
                address,
            };
            rows.insert(keys::channel(number), Some(json(&channel).expect("json")));
        }
        rows.insert(keys::CHANNELS.to_vec(), Some(channels.to_be_bytes().to_vec()));
        state.apply(rows).expect("applied");
        state
    }

    fn news(commit: u64) -> Audience {
        Audience::Followers(News {
            commit,
            incident: "x".parse().expect("a handle"),
            kind: Kind::Event,
            importance: Importance::Normal,
            organisations: Vec::new(),
            text: String::new(),
            lapse: false,
        })
    }

    fn expand(ledger: &Ledger<'_>, commit: u64) -> Tally {
        let mut tally = ledger.tally(commit).expect("read").unwrap_or_default();
        while !ledger.expand(commit, &news(commit), &mut tally, 2, commit as Ms).expect("expanded").over {}
        tally
    }

    fn done(ledger: &Ledger<'_>, channel: u32, commit: u64) -> Vec<u64> {
        let sent = Delivery { state: Stands::Sent, ids: vec![7], ..Delivery::waiting(0, false) };
        ledger.settle(channel, &[(commit, sent)], 100).expect("settled")
    }

    #[test]
    fn only_the_oldest_open_delivery_of_a_channel_is_due() {
        let state = world(5);
        let ledger = Ledger::of(&state);
        assert_eq!((expand(&ledger, 10).open, expand(&ledger, 11).open), (5, 5));
        let due = |now| ledger.due(Network::Telegram, now, 99).expect("due");
        assert_eq!(
            due(500).iter().map(|due| (due.channel, due.commit)).collect::<Vec<_>>(),
            [(1, 10), (2, 10), (3, 10), (4, 10), (5, 10)]
        );
        assert!(done(&ledger, 2, 10).is_empty());
        assert_eq!(due(500).last().map(|due| (due.channel, due.commit, due.at)), Some((2, 11, 100)));
        ledger.postpone(1, 400).expect("postponed");
        assert_eq!((due(399).len(), ledger.next_due(Network::Telegram, 0).expect("read")), (4, Some(10)));
        for channel in [1, 3, 4] {
            assert!(done(&ledger, channel, 10).is_empty());
        }
        assert_eq!(done(&ledger, 5, 10), [10], "the last one ends the broadcast");
        assert!(ledger.due(Network::Discord, 500, 99).expect("due").is_empty());
    }

    #[test]
    fn what_a_channel_in_trouble_is_owed_does_not_hold_up_a_broadcast() {
        let state = world(2);
        let ledger = Ledger::of(&state);
        expand(&ledger, 10);
        assert!(done(&ledger, 1, 10).is_empty());
        assert_eq!(ledger.set_trouble(2, Some(Trouble::new(0, "kicked", false)), 20).expect("set"), [10]);
        expand(&ledger, 11);
        assert_eq!(ledger.tally(11).expect("read").expect("a tally").open, 1);
        assert_eq!(ledger.next_due(Network::Telegram, 0).expect("read"), Some(11));
        assert_eq!(done(&ledger, 1, 11), [11]);
        assert_eq!(ledger.next_due(Network::Telegram, 0).expect("read"), Some(30_000), "tried again soon");
        let (copies, owed, more) = ledger.copies(11, 1, 100).expect("read");
        assert_eq!((copies.keys().copied().collect::<Vec<_>>(), owed, more), (vec![1], vec![2], None));
        ledger.set_trouble(2, None, 50).expect("set");
        assert_eq!(ledger.tally(11).expect("read").expect("a tally").open, 1);
        assert!(!done(&ledger, 2, 10).is_empty() && !done(&ledger, 2, 11).is_empty());
        assert_eq!(ledger.mailbox(2).expect("read"), Mailbox::default());
        assert_eq!(ledger.next_due(Network::Telegram, 0).expect("read"), None);
    }

    #[test]
    fn what_a_mute_holds_back_is_owed() {
        let state = world(2);
        let ledger = Ledger::of(&state);
        expand(&ledger, 10);
        let muted = Delivery { state: Stands::None(Reason::Muted), ..Delivery::waiting(0, false) };
        ledger.hold_back(2, 10).expect("held");
        assert!(ledger.settle(2, &[(10, muted)], 100).expect("settled").is_empty());
        assert_eq!(done(&ledger, 1, 10), [10]);
        let (copies, owed, _) = ledger.copies(10, 1, 100).expect("read");
        assert_eq!((copies.keys().copied().collect::<Vec<_>>(), owed), (vec![1], vec![2]));
    }

    #[test]
    fn an_alert_is_changed_as_it_is_now_and_no_number_is_used_twice() {
        let state = world(1);
        let ledger = Ledger::of(&state);
        let alert = |at, en: &str| OwnerAlert { at, en: en.to_owned(), ..OwnerAlert::default() };
        let numbers = || ledger.alerts().expect("read").into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        ledger.add_alert(&alert(1_000, "a")).expect("kept");
        let first = numbers()[0];
        for platform in ["telegram", "discord"] {
            let told = |mut it: OwnerAlert| {
                it.told.push(platform.to_owned());
                Some(it)
            };
            ledger.change_alert(first, told).expect("changed");
        }
        assert_eq!(ledger.alerts().expect("read")[0].1.told, ["telegram", "discord"]);
        ledger.change_alert(first, |_| None).expect("forgotten");
        ledger.add_alert(&alert(2_000, "b")).expect("kept");
        ledger.change_alert(first, Some).expect("nothing to change");
        assert!(numbers().len() == 1 && numbers()[0] != first);
    }

    #[test]
    fn each_channel_has_its_oldest_post_published_first() {
        let state = world(1);
        let ledger = Ledger::of(&state);
        for (channel, message) in [(1, 7), (1, 8), (3, 5), (u32::MAX, 9)] {
            let publishing = Publishing { due: 0, tries: 0, waited: 0 };
            ledger.set_publishing(channel, message, Some(&publishing)).expect("kept");
        }
        let found = || ledger.publishings().expect("read").into_iter().map(|(of, id, _)| (of, id)).collect::<Vec<_>>();
        assert_eq!(found(), [(1, 7), (3, 5), (u32::MAX, 9)]);
        ledger.set_publishing(1, 7, None).expect("gone");
        assert_eq!(found(), [(1, 8), (3, 5), (u32::MAX, 9)]);
    }

    #[test]
    fn a_channel_that_is_given_up_holds_nothing_any_more() {
        let state = world(1);
        let ledger = Ledger::of(&state);
        (10..15).for_each(|commit| assert_eq!(expand(&ledger, commit).open, 1));
        assert_eq!(ledger.give_up(1, Reason::Expired, 60).expect("given up"), [10, 11, 12, 13, 14]);
        assert_eq!(ledger.next_due(Network::Telegram, 0).expect("read"), None);
    }

    #[test]
    fn a_dead_letter_can_be_tried_again() {
        let state = world(1);
        let ledger = Ledger::of(&state);
        expand(&ledger, 10);
        let dead = Delivery { state: Stands::Dead("no".to_owned()), ..Delivery::waiting(0, false) };
        ledger.settle(1, &[(10, dead)], 5).expect("settled");
        expand(&ledger, 11);
        assert!(ledger.retry(1, 10, 20).expect("retried") && !ledger.retry(1, 11, 20).expect("not retried"));
        assert_eq!(ledger.due(Network::Telegram, 99, 9).expect("due").first().map(|due| due.commit), Some(10));
        done(&ledger, 1, 10);
        done(&ledger, 1, 11);
        assert_eq!(ledger.next_due(Network::Telegram, 0).expect("read"), None);
    }
}
