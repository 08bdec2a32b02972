//! Posts in announcement channels are published to those who follow the channel elsewhere: through the ledger, so that a
//! kill or a limit (10 an hour a channel) only delays it.

use std::sync::Arc;

use record::{
    channel::{ChannelNumber, Network, PlaceKind},
    lang::Lang,
    outbox::{self, Ms, Outcome, Publishing},
    private::Address,
    store::Due,
};

use super::{
    super::{
        errand::{Errand, Order},
        lane::Doing,
        pace::{Priority, Wait},
    },
    Kept, Office, Turn, wake,
};

/// How often one that is refused is tried: somebody may have to give a right first.
const TRIES: u32 = 6;
/// How long one waits at most, limits included.
const LONGEST: Ms = 48 * 3_600_000;
/// The longest pause between two tries.
const PAUSE: Ms = 3_600_000;

impl Office {
    /// A post is to be published.
    pub(super) fn publish(&mut self, channel: ChannelNumber, message: u64, now: Ms) -> Kept<()> {
        let publishing = Publishing { due: now, tries: 0, waited: 0 };
        self.store.ledger().set_publishing(channel, message, Some(&publishing))?;
        self.publish_at = Some(now);
        self.dirty = true;
        Ok(())
    }

    /// Places the requests that publish posts, if some are due.
    pub(super) fn plan_publishing(&mut self, now: Ms, turn: &mut Turn) -> Kept<()> {
        let network = Network::Discord;
        let Some(at) = self.publish_at.filter(|_| self.lane(network).may_leave()) else { return Ok(()) };
        if at > now {
            wake(turn, at);
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        self.publish_at = None;
        for (channel, message, publishing) in ledger.publishings()? {
            let mut next = publishing.due;
            if next <= now {
                next = self.publish_now(channel, message, now, turn)?;
            }
            self.publish_at = Some(self.publish_at.map_or(next, |at| at.min(next)));
        }
        if let Some(at) = self.publish_at {
            wake(turn, at);
        }
        Ok(())
    }

    /// Places one request, if it may leave; when to look again.
    fn publish_now(&mut self, channel: ChannelNumber, message: u64, now: Ms, turn: &mut Turn) -> Kept<Ms> {
        let network = Network::Discord;
        let Some(row) = self.store.ledger().channel(channel)? else {
            self.store.ledger().set_publishing(channel, message, None)?;
            return Ok(now + PAUSE);
        };
        // Its limit, of 10 an hour, is not the channel's.
        let chat = format!("{}#crosspost", row.address);
        if !self.lane(network).has_room() || self.lane(network).is_busy(&chat, 0) {
            return Ok(now + 1_000);
        }
        let place = match self.lane(network).pace.budget().take(Priority::Push, &chat, now) {
            Ok(place) => place,
            Err(Wait::All(until) | Wait::Chat(until)) => return Ok(until),
        };
        let order = Order {
            to: Address(row.address.0.clone()),
            place: PlaceKind::Broadcast,
            lang: Lang::En,
            errand: Errand::Publish { message },
        };
        let none = Due { at: now, channel: 0, commit: 0 };
        self.leave(network, none, order, Doing::Publish { channel, message }, place, now, turn);
        Ok(now + outbox::pause(5))
    }

    /// What came of publishing a post.
    pub(super) fn published(&mut self, channel: ChannelNumber, message: u64, outcome: &Outcome, now: Ms) -> Kept<()> {
        let store = Arc::clone(&self.store);
        let Some(mut publishing) = store.ledger().publishing(channel, message)? else { return Ok(()) };
        let refused = match outcome {
            Outcome::Done { .. } | Outcome::Over | Outcome::Gone(_) => {
                // The channel's next post may be due.
                self.publish_at = Some(now);
                return store.ledger().set_publishing(channel, message, None);
            }
            Outcome::Later { wait, all } => {
                if *all {
                    self.lane(Network::Discord).pace.budget().shut(now.saturating_add(*wait));
                }
                (publishing.due, publishing.waited) =
                    (now.saturating_add(*wait).min(now + 2 * PAUSE), publishing.waited + wait);
                false
            }
            Outcome::NotSent(_) | Outcome::Unsure(_) | Outcome::Token => false,
            _ => true,
        };
        if refused {
            publishing.tries += 1;
        }
        if publishing.due <= now {
            let pause = outbox::pause(5 + publishing.tries).min(PAUSE);
            (publishing.due, publishing.waited) = (now + pause, publishing.waited + pause);
        }
        if publishing.tries >= TRIES || publishing.waited > LONGEST {
            self.publish_at = Some(now);
            tracing::warn!(channel, message, ?outcome, "a post could not be published to those who follow its channel");
            return store.ledger().set_publishing(channel, message, None);
        }
        self.publish_at = Some(self.publish_at.map_or(publishing.due, |at| at.min(publishing.due)));
        store.ledger().set_publishing(channel, message, Some(&publishing))
    }
}
