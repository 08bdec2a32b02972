//! What came of an order, and what follows from that.

use std::sync::Arc;

use record::{
    channel::{Channel, ChannelNumber, Network, PlaceKind},
    outbox::{self, Delivery, Ms, Outcome, Reason, State, Trouble},
    private::{Address, Fact},
};

use super::{
    super::lane::{Doing, Flying},
    GATHERED, GATHERED_TOPICS, Kept, Office, Troubled, Turn, Unsure, Word,
    suspects::Verdict,
    words,
};

/// In how many channels it is looked whether they took what another refuses.
const LOOKED_AT_FOR_EVIDENCE: u32 = 2_000;
/// The longest pause between two tries of something that did not get through.
const SOON: Ms = 30_000;
/// When something is tried again that we could not write down.
const REST: Ms = 10_000;

/// A message that Discord does not let us edit so often in a row is taken for one that cannot be.
const EDIT_TRIES: u32 = 4;

/// When something that did not get through is tried again: the platform itself is asked first whether it is well, so
/// this need not grow for long.
fn soon(tries: u32) -> Ms {
    outbox::pause(tries.saturating_sub(1)).min(SOON)
}

/// What came of it.
impl Office {
    pub(super) fn came(&mut self, (id, at): (u64, Ms), outcome: Outcome, now: Ms, turn: &mut Turn) -> Kept<()> {
        let Some((network, flying)) =
            Network::ALL.into_iter().find_map(|it| Some((it, self.lane(it).answered(id, at)?)))
        else {
            return Ok(());
        };
        match self.follows(network, &flying, outcome.clone(), now, turn) {
            Ok(()) => {
                turn.came.push((network, flying.doing.name(), outcome, at - flying.at));
                self.lane(network).landed(id);
                Ok(())
            }
            Err(error) => {
                // It is not written down: it will be, before anything else leaves for this channel.
                self.unread.push((id, outcome, at));
                Err(error)
            }
        }
    }

    /// What follows from an outcome.
    fn follows(&mut self, network: Network, flying: &Flying, outcome: Outcome, now: Ms, turn: &mut Turn) -> Kept<()> {
        let (number, commit) = (flying.channel, flying.commit);
        match (&flying.doing, &outcome) {
            (Doing::Probe, outcome) => {
                self.probed(network, outcome, now, turn);
                return Ok(());
            }
            (Doing::Publish { channel, message }, outcome) => {
                return self.published(*channel, *message, outcome, now);
            }
            (_, Outcome::Token) => return self.token(network, number, commit, turn, now),
            _ => {}
        }
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let (Some(channel), Some(mut delivery)) = (ledger.channel(number)?, ledger.delivery(number, commit)?) else {
            return Ok(());
        };
        // Whatever a look into the history comes to, what it looked for stays unknown until it is found or missed.
        delivery.unknown |= matches!(flying.doing, Doing::Find);
        match outcome {
            Outcome::Later { wait, all } => {
                // Where it goes on saying so, it is asked less and less often.
                delivery.tries += 1;
                let until = now.saturating_add(wait.max(outbox::pause(delivery.tries.saturating_sub(2))).max(1));
                let lane = self.lane(network);
                lane.pace.budget().shut_chat(&flying.chat, until);
                if all {
                    lane.pace.budget().shut(until);
                } else if network == Network::Discord
                    && matches!(flying.doing, Doing::Edit { .. })
                    && delivery.tries >= EDIT_TRIES
                {
                    // Old messages may be edited only so often: what comes after it in the channel must not wait for it.
                    let cannot = Outcome::Gone("it may not be edited for long".to_owned());
                    return self.edited(network, flying, delivery, cannot, now, turn);
                } else if network == Network::Telegram {
                    // It does not say whether it means everybody: a short rest tells.
                    lane.limited(&flying.chat, until, now);
                }
                self.back(number, commit, delivery, until, now)?;
            }
            Outcome::Moved(to) => {
                let said = self.say_at(Fact::Moved { from: channel.address.clone(), to }, self.moment(now));
                let follows = ledger.channel(number)?.is_some_and(|it| it.address != channel.address);
                match (said, follows) {
                    (false, _) => self.back(number, commit, delivery, now + REST, now)?,
                    (true, true) => self.back(number, commit, delivery, now, now)?,
                    // The new address is a channel of its own, which has it or will.
                    (true, false) => {
                        (delivery.state, delivery.at) = (State::None(Reason::Unsubscribed), now);
                        self.settle(number, &[(commit, delivery)], now)?;
                    }
                }
            }
            Outcome::Shut { why, right } => {
                // That we are put out of a chat, or blocked, is said of that chat alone.
                if right {
                    self.lane(network).refuses(number, now);
                }
                self.shut_out(number, &channel, delivery, commit, (&why, right), now)?;
            }
            Outcome::Closed(why) => self.closed(number, &channel, delivery, commit, &why, now)?,
            Outcome::NotSent(why) => {
                delivery.tries += 1;
                let until = now + soon(delivery.tries);
                tracing::debug!(why, network = network.name(), "a message did not leave");
                self.lane(network).doubt(now);
                self.back(number, commit, delivery, until, now)?;
            }
            outcome => match flying.doing {
                Doing::Post { .. } => self.posted(network, flying, &channel, delivery, outcome, now, turn)?,
                Doing::Edit { .. } => self.edited(network, flying, delivery, outcome, now, turn)?,
                Doing::Find => self.found(network, flying, delivery, outcome, now)?,
                Doing::Probe | Doing::Publish { .. } => {}
            },
        }
        Ok(())
    }

    /// It was not done: it waits again.
    fn back(&mut self, number: ChannelNumber, commit: u64, delivery: Delivery, until: Ms, now: Ms) -> Kept<()> {
        self.waits(number, commit, delivery, now)?;
        self.store.ledger().postpone(number, until)
    }

    /// This request was not done; an earlier one may have been, which only a platform with a memory can clear up.
    fn waits(&mut self, number: ChannelNumber, commit: u64, mut delivery: Delivery, now: Ms) -> Kept<()> {
        delivery.state = if delivery.unknown { State::Flying } else { State::Waiting };
        delivery.at = now;
        self.settle(number, &[(commit, delivery)], now)
    }

    fn token(&mut self, network: Network, number: ChannelNumber, commit: u64, turn: &mut Turn, now: Ms) -> Kept<()> {
        if self.lane(network).is_open() {
            turn.words.push(Word::Token(network));
        }
        self.lane(network).shut();
        match self.store.ledger().delivery(number, commit)? {
            Some(delivery) => self.back(number, commit, delivery, now, now),
            None => Ok(()),
        }
    }

    fn probed(&mut self, network: Network, outcome: &Outcome, now: Ms, turn: &mut Turn) {
        match outcome {
            Outcome::Done { .. } | Outcome::Found(_) => self.lane(network).trusts(),
            Outcome::Token => {
                self.lane(network).shut();
                turn.words.push(Word::Token(network));
            }
            Outcome::Later { wait, .. } => {
                self.lane(network).trusts();
                self.lane(network).pace.budget().shut(now.saturating_add(*wait));
            }
            _ => self.lane(network).doubt(now),
        }
    }

    /// The chat does not let us in: it is owed what is open, and tried again later.
    fn shut_out(
        &mut self,
        number: ChannelNumber,
        channel: &Channel,
        delivery: Delivery,
        commit: u64,
        (why, right): (&str, bool),
        now: Ms,
    ) -> Kept<()> {
        self.waits(number, commit, delivery, now)?;
        let trouble = match self.store.ledger().mailbox(number)?.trouble {
            Some(known) => known.again(now),
            None => {
                if right {
                    self.tell_right(number, channel, why, now + GATHERED);
                }
                Trouble::new(now, why, false)
            }
        };
        self.set_trouble(number, Some(trouble), now)
    }

    /// The topic is closed: the chat itself gets it, once; then it is waited for.
    fn closed(
        &mut self,
        number: ChannelNumber,
        channel: &Channel,
        mut delivery: Delivery,
        commit: u64,
        why: &str,
        now: Ms,
    ) -> Kept<()> {
        let trouble = self.store.ledger().mailbox(number)?.trouble;
        let in_topic = channel.address.0 != channel.address.chat();
        if trouble.is_none() && in_topic && !delivery.general && delivery.ids.is_empty() && !delivery.amends {
            delivery.general = true;
            return self.back(number, commit, delivery, now, now);
        }
        delivery.general = false;
        self.waits(number, commit, delivery, now)?;
        if trouble.is_none() {
            self.tell_closed(number, channel, false, why, now);
        }
        let trouble = match trouble {
            Some(known) => known.again(now),
            None => Trouble::new(now, why, true),
        };
        self.set_trouble(number, Some(trouble), now)
    }

    /// Whoever subscribed a channel can have the right given back; they are told at a moment.
    pub(super) fn tell_right(&mut self, number: ChannelNumber, channel: &Channel, why: &str, at: Ms) {
        let owed = !channel.subscriptions.is_empty();
        if let Some(by) = channel.by.clone().filter(|by| owed && *by != channel.address) {
            self.tell_trouble(by, number, channel, None, why, at);
        }
    }

    /// `posted`: whether something was posted in the group itself instead.
    fn tell_closed(&mut self, number: ChannelNumber, channel: &Channel, posted: bool, why: &str, now: Ms) {
        if let Some(to) = channel.by.clone() {
            let at = now + if posted { GATHERED_TOPICS } else { GATHERED };
            self.tell_trouble(to, number, channel, Some(posted), why, at);
        }
    }

    /// Whoever subscribed is told soon: of all channels that are in trouble by then, in one message.
    fn tell_trouble(
        &mut self,
        to: Address,
        number: ChannelNumber,
        channel: &Channel,
        closed: Option<bool>,
        why: &str,
        at: Ms,
    ) {
        let channels = self.troubles.entry((to, closed)).or_default();
        if !channels.iter().any(|it| it.channel == number) {
            channels.push(Troubled { at, channel: number, place: channel.place(), why: why.to_owned() });
        }
        self.tell_at = Some(self.tell_at.map_or(at, |known| known.min(at)));
    }

    #[expect(clippy::too_many_arguments, reason = "an outcome, where, and of what")]
    fn posted(
        &mut self,
        network: Network,
        flying: &Flying,
        channel: &Channel,
        mut delivery: Delivery,
        outcome: Outcome,
        now: Ms,
        turn: &mut Turn,
    ) -> Kept<()> {
        let (number, commit) = (flying.channel, flying.commit);
        match outcome {
            Outcome::Done { id, more } => {
                self.lane(network).trusts();
                self.took(network, number, now)?;
                self.lane(network).suspects.passed(&flying.chat, commit, delivery.plain, now);
                if let (PlaceKind::Broadcast, Network::Discord, Some(message)) = (channel.place, network, id) {
                    self.publish(number, message, now)?;
                }
                delivery.ids.extend(id);
                delivery.unknown = false;
                // 0 stands for a message that came before the chat moved: its number means nothing there.
                delivery.lost |= id.is_none() || delivery.ids.contains(&0);
                if more && !delivery.lost {
                    // The next part is a message of its own, with a nonce of its own.
                    (delivery.first, delivery.repeats) = (0, 0);
                    return self.back(number, commit, delivery, now, now);
                }
                self.arrived(flying, channel, delivery, now)
            }
            Outcome::Over => self.arrived(flying, channel, delivery, now),
            Outcome::Content(why) | Outcome::Gone(why) => self.refused(network, flying, delivery, &why, now, turn),
            Outcome::Unknown(why) => self.suspected(network, flying, channel, delivery, &why, now, turn),
            Outcome::Unsure(why) => {
                tracing::debug!(why, network = network.name(), "nobody knows whether a message arrived");
                self.lane(network).doubt(now);
                delivery.tries += 1;
                let until = now + soon(delivery.tries);
                match (network, self.rules.unsure) {
                    (Network::Telegram, Unsure::Hold) => self.hold(number, commit, delivery, now),
                    (Network::Telegram, _) if delivery.repeats >= outbox::REPEATS => {
                        self.hold(number, commit, delivery, now)
                    }
                    (Network::Telegram, Unsure::Repeat) => {
                        delivery.repeats += 1;
                        self.back(number, commit, delivery, until, now)
                    }
                    // It stays in flight: the same nonce, or a look into the history, tells.
                    (Network::Discord, _) => {
                        delivery.unknown = true;
                        self.back(number, commit, delivery, until, now)
                    }
                }
            }
            other => {
                tracing::error!(?other, "a message came to something that messages do not come to");
                self.back(number, commit, delivery, now + outbox::pause(10), now)
            }
        }
    }

    /// A channel took something: if the platform refused everything before, the others are tried again at once.
    fn took(&mut self, network: Network, number: ChannelNumber, now: Ms) -> Kept<()> {
        for channel in self.lane(network).taken(now).into_iter().filter(|channel| *channel != number) {
            self.store.ledger().postpone(channel, now)?;
        }
        Ok(())
    }

    /// A message, and all that it tells, is there.
    fn arrived(&mut self, flying: &Flying, channel: &Channel, delivery: Delivery, now: Ms) -> Kept<()> {
        let Doing::Post { told, copy, doubts } = &flying.doing else { return Ok(()) };
        let (number, store) = (flying.channel, Arc::clone(&self.store));
        let ledger = store.ledger();
        let sent = |mut it: Delivery| {
            (it.state, it.at, it.copy) = (State::Sent, now, *copy);
            (it.shown, it.born) = (delivery.born, delivery.born);
            (it.ids, it.lost, it.card) = (delivery.ids.clone(), delivery.lost, delivery.card);
            (it.lang, it.plain, it.general) = (delivery.lang, delivery.plain, delivery.general);
            (it.again, it.again_parts, it.names) =
                (delivery.again, delivery.again_parts.clone(), delivery.names.clone());
            it
        };
        let mut settled = vec![(flying.commit, sent(delivery.clone()))];
        for commit in told.iter().filter(|commit| **commit != flying.commit) {
            if let Some(other) = ledger.delivery(number, *commit)? {
                settled.push((*commit, sent(other)));
            }
        }
        if delivery.replaces {
            settled.extend(self.replaced(number, flying.commit)?);
        }
        self.settle(number, &settled, now)?;
        if *doubts {
            let mut left = ledger.mailbox(number)?.doubts;
            left.retain(|doubt| !delivery.names.contains(doubt));
            ledger.set_doubts(number, left)?;
        }
        if delivery.general {
            self.tell_closed(number, channel, true, "the topic is closed", now);
            return self.set_trouble(number, Some(Trouble::new(now, "the topic is closed", true)), now);
        }
        match ledger.mailbox(number)?.trouble {
            Some(_) => self.set_trouble(number, None, now),
            None => Ok(()),
        }
    }

    /// The copies that a new message takes the place of: corrections need not look for them any more.
    fn replaced(&self, number: ChannelNumber, commit: u64) -> Kept<Vec<(u64, Delivery)>> {
        let view = self.store.view();
        let mut replaced = Vec::new();
        if let Some(subject) = words::subject(&view, commit)? {
            for earlier in words::commits(&view, &subject)?.into_iter().filter(|it| *it != commit) {
                if let Some(mut copy) = self.store.ledger().delivery(number, earlier)?.filter(|it| it.copy && it.lost) {
                    copy.copy = false;
                    replaced.push((earlier, copy));
                }
            }
        }
        Ok(replaced)
    }

    /// The platform does not take what is said: the words alone, and then it is given up.
    fn refused(
        &mut self,
        network: Network,
        flying: &Flying,
        mut delivery: Delivery,
        why: &str,
        now: Ms,
        turn: &mut Turn,
    ) -> Kept<()> {
        if !delivery.plain {
            delivery.plain = true;
            return self.back(flying.channel, flying.commit, delivery, now, now);
        }
        self.tell_refused(network, flying.commit, why, turn)?;
        (delivery.state, delivery.at) = (State::Dead(why.chars().take(200).collect()), now);
        self.settle(flying.channel, &[(flying.commit, delivery)], now)
    }

    /// The platform refuses for a reason that it does not tell: see [`Verdict`].
    #[expect(clippy::too_many_arguments, reason = "an outcome, where, and of what")]
    fn suspected(
        &mut self,
        network: Network,
        flying: &Flying,
        channel: &Channel,
        mut delivery: Delivery,
        why: &str,
        now: Ms,
        turn: &mut Turn,
    ) -> Kept<()> {
        let (number, commit) = (flying.channel, flying.commit);
        // What an earlier process learned is in the ledger.
        let taken = delivery.plain
            && self.store.ledger().is_taken_elsewhere(network, commit, number, LOOKED_AT_FOR_EVIDENCE)?;
        let lane = self.lane(network);
        match lane.suspects.refused(&flying.chat, commit, delivery.plain, taken, now) {
            Verdict::TryPlain => {
                delivery.plain = true;
                self.back(number, commit, delivery, now, now)
            }
            Verdict::Wait => {
                if delivery.plain {
                    lane.refuses(number, now);
                }
                delivery.tries += 1;
                let until = now + soon(delivery.tries);
                self.back(number, commit, delivery, until, now)
            }
            Verdict::Channel => self.shut_out(number, channel, delivery, commit, (why, true), now),
            Verdict::Text => self.refused(network, flying, delivery, why, now, turn),
        }
    }

    /// Owners hear once of each entry, however many channels refuse it.
    fn tell_refused(&mut self, network: Network, commit: u64, why: &str, turn: &mut Turn) -> Kept<()> {
        if !self.refused.contains(&commit)
            && let Some((incident, number)) = self.store.view().recorded_at(commit)?
        {
            self.refused.push(commit);
            turn.words.push(Word::Refused { entry: incident.name(number), network, why: why.to_owned() });
        }
        Ok(())
    }

    fn edited(
        &mut self,
        network: Network,
        flying: &Flying,
        mut own: Delivery,
        outcome: Outcome,
        now: Ms,
        turn: &mut Turn,
    ) -> Kept<()> {
        let Doing::Edit { holder, part, parts, head } = flying.doing else { return Ok(()) };
        let (number, store) = (flying.channel, Arc::clone(&self.store));
        let ledger = store.ledger();
        let Some(copy) = ledger.delivery(number, holder)? else { return Ok(()) };
        // All that a card tells is one message.
        let mut holders = vec![(holder, copy.clone())];
        if let Some((first, last)) = copy.card {
            for row in ledger.deliveries(number, first) {
                let (commit, other) = row?;
                if commit > last {
                    break;
                }
                if commit != holder && other.card == copy.card {
                    holders.push((commit, other));
                }
            }
        }
        match outcome {
            Outcome::Done { .. } => {
                self.lane(network).trusts();
                self.took(network, number, now)?;
                self.lane(network).suspects.passed(&flying.chat, flying.commit, copy.plain, now);
                if part + 1 < parts {
                    self.lane(network).set_edited(number, holder, part + 1, head);
                } else {
                    self.lane(network).set_edited(number, holder, 0, head);
                    holders.iter_mut().for_each(|(_, it)| it.shown = head);
                    self.settle(number, &holders, now)?;
                }
                if ledger.mailbox(number)?.trouble.is_some() {
                    self.set_trouble(number, None, now)?;
                }
                ledger.postpone(number, now)
            }
            Outcome::Gone(_) => {
                holders.iter_mut().for_each(|(_, it)| it.lost = true);
                self.settle(number, &holders, now)?;
                ledger.postpone(number, now)
            }
            Outcome::Frozen(_) => {
                (own.state, own.at) = (State::None(Reason::Archived), now);
                self.settle(number, &[(flying.commit, own)], now)
            }
            Outcome::Unknown(why) if copy.plain => {
                let verdict = self.lane(network).suspects.refused(&flying.chat, flying.commit, true, false, now);
                match (verdict, ledger.channel(number)?) {
                    (Verdict::Channel, Some(channel)) => {
                        self.shut_out(number, &channel, own, flying.commit, (&why, true), now)
                    }
                    (Verdict::Text, _) => {
                        self.tell_refused(network, flying.commit, &why, turn)?;
                        (own.state, own.at) = (State::Dead(why.chars().take(200).collect()), now);
                        self.settle(number, &[(flying.commit, own)], now)
                    }
                    _ => {
                        own.tries += 1;
                        let until = now + soon(own.tries);
                        self.back(number, flying.commit, own, until, now)
                    }
                }
            }
            Outcome::Content(why) if copy.plain => {
                self.tell_refused(network, flying.commit, &why, turn)?;
                (own.state, own.at) = (State::Dead(why.chars().take(200).collect()), now);
                self.settle(number, &[(flying.commit, own)], now)
            }
            Outcome::Content(_) | Outcome::Unknown(_) => {
                holders.iter_mut().for_each(|(_, it)| it.plain = true);
                self.settle(number, &holders, now)?;
                ledger.postpone(number, now)
            }
            // Doing it twice is as good as once.
            _ => {
                self.lane(network).doubt(now);
                own.tries += 1;
                let until = now + soon(own.tries);
                self.back(number, flying.commit, own, until, now)
            }
        }
    }

    fn found(
        &mut self,
        network: Network,
        flying: &Flying,
        mut delivery: Delivery,
        outcome: Outcome,
        now: Ms,
    ) -> Kept<()> {
        match outcome {
            Outcome::Found(Some(id)) => {
                // Whether there is more of it to be sent, the next try tells.
                delivery.ids.push(id);
                (delivery.unknown, delivery.first) = (false, 0);
                self.back(flying.channel, flying.commit, delivery, now, now)
            }
            Outcome::Found(None) => {
                (delivery.first, delivery.unknown) = (0, false);
                self.back(flying.channel, flying.commit, delivery, now, now)
            }
            _ => {
                self.lane(network).doubt(now);
                delivery.tries += 1;
                delivery.unknown = true;
                let until = now + soon(delivery.tries);
                self.back(flying.channel, flying.commit, delivery, until, now)
            }
        }
    }

    /// What a card that was under way told.
    pub(super) fn open_between(&self, channel: ChannelNumber, first: u64, last: u64) -> Kept<Vec<u64>> {
        let mut open = Vec::new();
        for row in self.store.ledger().deliveries(channel, first) {
            let (commit, delivery) = row?;
            if commit > last {
                break;
            }
            if delivery.is_open() && !delivery.amends {
                open.push(commit);
            }
        }
        Ok(open)
    }
}
