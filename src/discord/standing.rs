//! How we stand with Discord, as far as requests tell: whether it takes our token, whether it answers at all, and until
//! when its protection shuts us out.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// How we stand with Discord. Every request reads it and adds to it.
#[derive(Debug)]
pub struct Standing {
    facts: Mutex<Facts>,
    refused: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Facts {
    /// When the first request began that was not answered; none once anything is answered.
    waiting: Option<Instant>,
    /// Nothing is asked before this moment.
    shut_out: Option<Instant>,
    /// Whether the owners are still to be told that we are shut out.
    rings: bool,
}

impl Default for Standing {
    fn default() -> Standing {
        Standing { facts: Mutex::default(), refused: watch::Sender::new(false) }
    }
}

impl Standing {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Discord refuses our token at present.
    pub fn is_refused(&self) -> bool {
        *self.refused.borrow()
    }

    /// Notes whether Discord takes our token.
    pub fn token(&self, refused: bool) {
        self.refused.send_if_modified(|now| std::mem::replace(now, refused) != refused);
    }

    /// Waits until the token is refused, or until it is taken.
    pub async fn until_token(&self, refused: bool) {
        // The sender lives as long as this.
        let _ = self.refused.subscribe().wait_for(|now| *now == refused).await;
    }

    /// Discord answered a request, with whatever.
    pub fn answered(&self) {
        self.facts().waiting = None;
    }

    /// A request that began at this moment was not answered.
    pub fn unanswered(&self, began: Instant) {
        self.facts().waiting.get_or_insert(began);
    }

    /// For how long Discord has not answered although it was asked.
    pub fn silent_for(&self, now: Instant) -> Option<Duration> {
        self.facts().waiting.map(|began| now.saturating_duration_since(began))
    }

    /// Discord's protection shuts us out until a moment. The owners are told once for all requests that hear of it.
    pub fn shut_out(&self, until: Instant, now: Instant) {
        let mut facts = self.facts();
        let known = facts.shut_out.filter(|known| *known > now);
        facts.rings |= known.is_none();
        facts.shut_out = Some(known.map_or(until, |known| known.max(until)));
    }

    /// For how long nothing may be asked, if Discord's protection shuts us out.
    pub fn shut_out_for(&self, now: Instant) -> Option<Duration> {
        self.facts().shut_out.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Whether the owners are to be told that we are shut out; whoever asks tells them.
    pub fn take_ring(&self) -> bool {
        std::mem::take(&mut self.facts().rings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_once_for_each_time_that_we_are_shut_out() {
        let (standing, now) = (Standing::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        standing.shut_out(after(600), now);
        standing.shut_out(after(500), now);
        assert_eq!(standing.shut_out_for(now), Some(Duration::from_secs(600)));
        assert_eq!((standing.take_ring(), standing.take_ring()), (true, false));
        assert_eq!(standing.shut_out_for(after(600)), None);
        standing.shut_out(after(1_300), after(700));
        assert!(standing.take_ring());
    }

    #[test]
    fn silence_counts_from_the_first_request_without_an_answer() {
        let (standing, now) = (Standing::default(), Instant::now());
        assert_eq!(standing.silent_for(now), None);
        standing.unanswered(now);
        standing.unanswered(now + Duration::from_secs(9));
        assert_eq!(standing.silent_for(now + Duration::from_secs(31)), Some(Duration::from_secs(31)));
        standing.answered();
        assert_eq!(standing.silent_for(now), None);
    }
}
