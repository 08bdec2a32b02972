//! What leaves: the heads that are due, as far as budgets and platforms allow, and what is to be done about each.

use std::sync::Arc;

use record::{
    channel::{Channel, ChannelNumber, Network, PlaceKind},
    lang::Lang,
    outbox::{self, Delivery, Ms, Reason, State},
    private::{Address, Fact},
    store::Due,
};

use super::{
    super::{
        errand::{Errand, Order},
        lane::{Doing, Flying},
        pace::{Place, Priority, Wait},
    },
    Kept, Office, Placed, Step, TAKEN, Turn, Unsure, wake, words,
};

/// A first try that lies further ahead was noted by a clock that was wrong: then nothing is known of the nonce.
const NONCE_AHEAD: Ms = 10_000;
/// How long channels that refuse us wait where the platform counts many of our requests as invalid.
const WARY: Ms = 600_000;
/// How long a slow chat waits for the other slow ones.
const SLOW_WAIT: Ms = 1_000;

/// What leaves.
impl Office {
    /// Places the orders of a network that may leave now.
    pub(super) fn plan(&mut self, network: Network, now: Ms, turn: &mut Turn) -> Kept<()> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        if !self.lane(network).is_open() {
            return Ok(());
        }
        if let Some(at) = self.lane(network).probes_at() {
            if at > now {
                wake(turn, at);
                return Ok(());
            }
            let order = Order {
                to: Address(format!("{}:", network.code())),
                place: PlaceKind::Private,
                lang: Lang::En,
                errand: Errand::Probe,
            };
            // It counts like everything else.
            let taken = self.lane(network).pace.budget().take(Priority::Push, order.to.chat(), now);
            match taken {
                Ok(place) => {
                    let none = Due { at: now, channel: 0, commit: 0 };
                    self.leave(network, none, order, Doing::Probe, place, now, turn);
                }
                Err(Wait::All(until) | Wait::Chat(until)) => wake(turn, until),
            }
            return Ok(());
        }
        if self.lane(network).is_probing() {
            return Ok(());
        }
        if let Some(at) = self.lane(network).tries_at() {
            // The platform refuses everything: one is tried at a time.
            if self.lane(network).flying() > 0 {
                return Ok(());
            }
            if at > now {
                wake(turn, at);
                return Ok(());
            }
            if ledger.due(network, now, 1)?.is_empty()
                && let Some(channel) = self.lane(network).next_refusal()
            {
                ledger.postpone(channel, now)?;
            }
        }
        if self.lane(network).hands.len() < TAKEN / 2 {
            let known = self.lane(network).flying() + self.lane(network).hands.len();
            let due = ledger.due(network, now, TAKEN + known)?;
            self.lane(network).take(due, TAKEN);
        }
        let mut at = 0;
        while let Some(due) = self.lane(network).hands.get(at).copied() {
            let single = self.lane(network).is_flooded() && self.lane(network).flying() > 0;
            if single || !self.lane(network).has_room() {
                return Ok(());
            }
            let Some(channel) = ledger.channel(due.channel)? else {
                self.lane(network).hands.remove(at);
                continue;
            };
            if !self.progress.may(due.commit, due.channel) {
                // The journal must name it first.
                self.progress.wanted = true;
                at += 1;
                continue;
            }
            let chat = channel.address.chat().to_owned();
            if self.lane(network).is_busy(&chat, due.channel) {
                at += 1;
                continue;
            }
            if self.lane(network).waits_for_slow(&chat) {
                ledger.postpone(due.channel, now + SLOW_WAIT)?;
                self.lane(network).hands.remove(at);
                continue;
            }
            let taken = self.lane(network).pace.budget().take(Priority::Push, &chat, now);
            let place = match taken {
                Ok(place) => place,
                Err(Wait::All(until)) => {
                    wake(turn, until);
                    return Ok(());
                }
                Err(Wait::Chat(until)) => {
                    ledger.postpone(due.channel, until)?;
                    self.lane(network).hands.remove(at);
                    continue;
                }
            };
            let step = match self.step(network, due, &channel, now) {
                Ok(step) => step,
                Err(error) => {
                    // What is wrong with one channel must not keep the others waiting.
                    tracing::error!(channel = due.channel, %error, "a channel's deliveries cannot be read or written");
                    ledger.postpone(due.channel, now + outbox::pause(10))?;
                    Step::Wait
                }
            };
            match step {
                Step::Settled | Step::Wait => {
                    self.lane(network).pace.budget().give_back(place);
                    self.lane(network).hands.remove(at);
                }
                Step::Leave(order, doing) => {
                    self.lane(network).hands.remove(at);
                    self.leave(network, due, *order, doing, place, now, turn);
                }
            }
        }
        // What is due by now waits for something that is under way, whose end brings the next turn.
        if let Some(next) = ledger.next_due(network, now)? {
            wake(turn, next);
        }
        if self.lane(network).flying() == 0 && !ledger.due(network, now, 1)?.is_empty() {
            wake(turn, now + 1);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "everything that one request is made of")]
    pub(super) fn leave(
        &mut self,
        network: Network,
        due: Due,
        order: Order,
        doing: Doing,
        place: Place,
        now: Ms,
        turn: &mut Turn,
    ) {
        self.orders += 1;
        let id = self.orders;
        let chat = order.to.chat().to_owned();
        let chat = if matches!(doing, Doing::Publish { .. }) { place.chat().to_owned() } else { chat };
        let (channel, commit) = (due.channel, due.commit);
        let flying = Flying { channel, commit, chat, doing, at: now, place, answered: false };
        self.lane(network).left(id, flying);
        turn.orders.push(Placed { id, network, order });
    }

    /// What is to be done about the head of a channel.
    fn step(&mut self, network: Network, due: Due, channel: &Channel, now: Ms) -> Kept<Step> {
        let store = Arc::clone(&self.store);
        let (ledger, view) = (store.ledger(), store.view());
        let number = due.channel;
        let Some(mut delivery) = ledger.delivery(number, due.commit)?.filter(Delivery::is_open) else {
            // Its row was forgotten: whatever comes next takes its place.
            self.settle(number, &[], now)?;
            return Ok(Step::Settled);
        };
        let trouble = ledger.mailbox(number)?.trouble;
        if trouble.as_ref().is_some_and(|trouble| trouble.is_over(now)) {
            return self.expire(number, channel, now);
        }
        if trouble.is_some() && self.lane(network).pace.budget().is_wary(now) {
            ledger.postpone(number, now + WARY)?;
            return Ok(Step::Wait);
        }
        if self.lane(network).suspects.is_plain(due.commit) && !delivery.amends {
            delivery.plain = true;
        }
        let Some(subject) = words::subject(&view, due.commit)? else {
            return self.nothing(due, delivery, Reason::Erased, now);
        };
        if delivery.state == State::Flying {
            // A process before this one died over it, or nothing told what came of it.
            match self.uncertain(network, number, due.commit, &mut delivery, now)? {
                None => {}
                Some(step) => return Ok(step),
            }
        }
        match delivery.amends {
            true => self.amend(due, channel, delivery, &subject, &view, now),
            false => self.post(due, channel, delivery, &subject, &view, now),
        }
    }

    /// What is to be done about a message of which nobody knows whether it arrived: none if it is to be sent again.
    fn uncertain(
        &mut self,
        network: Network,
        channel: ChannelNumber,
        commit: u64,
        delivery: &mut Delivery,
        now: Ms,
    ) -> Kept<Option<Step>> {
        let on_server = self.lane(network).pace.budget().server_time(now);
        match (network, self.rules.unsure) {
            (Network::Discord, _)
                if on_server < delivery.first + outbox::NONCE_WINDOW && delivery.first <= on_server + NONCE_AHEAD =>
            {
                delivery.unknown = true;
                Ok(None)
            }
            (Network::Discord, _) => {
                let Some(row) = self.store.ledger().channel(channel)? else { return Ok(Some(Step::Wait)) };
                let nonce = self.nonce(&row.address, channel, commit, delivery)?;
                let errand = Errand::Find { mark: outbox::mark(&nonce).to_owned(), since: delivery.first };
                let order = Order { to: row.address, place: row.place, lang: row.lang, errand };
                Ok(Some(Step::Leave(Box::new(order), Doing::Find)))
            }
            (Network::Telegram, Unsure::Repeat) if delivery.repeats < outbox::REPEATS => {
                delivery.repeats += 1;
                (delivery.state, delivery.at) = (State::Waiting, now);
                Ok(None)
            }
            (Network::Telegram, _) => {
                self.hold(channel, commit, delivery.clone(), now)?;
                Ok(Some(Step::Settled))
            }
        }
    }

    /// Leaves it at that; the next message tells.
    pub(super) fn hold(&mut self, channel: ChannelNumber, commit: u64, delivery: Delivery, now: Ms) -> Kept<()> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let told = match delivery.card {
            None => vec![commit],
            Some((first, last)) => self.open_between(channel, first, last)?,
        };
        let mut doubts = ledger.mailbox(channel)?.doubts;
        doubts.extend(&told);
        let mut held = Vec::new();
        for commit in told {
            if let Some(mut it) = ledger.delivery(channel, commit)? {
                (it.state, it.at, it.copy, it.lost) = (State::Unsure, now, !it.amends, true);
                held.push((commit, it));
            }
        }
        self.settle(channel, &held, now)?;
        ledger.set_doubts(channel, doubts)
    }

    pub(super) fn nothing(&mut self, due: Due, mut delivery: Delivery, why: Reason, now: Ms) -> Kept<Step> {
        if why == Reason::Muted && !delivery.amends {
            self.store.ledger().hold_back(due.channel, due.commit)?;
        }
        (delivery.state, delivery.at) = (State::None(why), now);
        self.settle(due.channel, &[(due.commit, delivery)], now)?;
        Ok(Step::Settled)
    }

    /// Nobody let us in for 30 days: the subscriptions end.
    fn expire(&mut self, number: ChannelNumber, channel: &Channel, now: Ms) -> Kept<Step> {
        let fact = Fact::Unsubscription { address: channel.address.clone(), what: None };
        if !self.say_at(fact, self.moment(now)) {
            self.store.ledger().postpone(number, now + outbox::pause(10))?;
            return Ok(Step::Wait);
        }
        let over = self.store.ledger().give_up(number, Reason::Expired, now)?;
        self.draining.extend(over.into_iter().map(|commit| (commit, 1)));
        self.set_trouble(number, None, now)?;
        Ok(Step::Settled)
    }
}
