//! How often a person, and a chat, may ask: a burst, then so many a second.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use record::private::Address;
use tokio::time::Instant;

/// When more than this many askers are remembered, those who have rested are forgotten.
const REMEMBERED: usize = 10_000;

/// What everybody may spend.
pub struct Rates {
    burst: f64,
    per_second: f64,
    spent: Mutex<HashMap<Address, Spent>>,
    answered: AtomicU64,
    refused: AtomicU64,
}

#[derive(Clone, Copy)]
struct Spent {
    /// Asks that are not made up for yet.
    asks: f64,
    at: Instant,
    /// Whether the asker was told to wait since they last asked within bounds.
    told: bool,
}

/// Whether an ask is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Go,
    /// Not for so long, and the asker should be told.
    Wait(Duration),
    /// Not, and the asker knows already.
    Silence,
}

impl Rates {
    /// So many at once, then so many a second.
    pub fn new(burst: u64, per_second: u64) -> Rates {
        let number = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        Rates {
            burst: number(burst),
            per_second: number(per_second),
            spent: Mutex::default(),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Counts an ask of somebody somewhere: both have a budget.
    pub fn ask(&self, who: Option<&Address>, place: &Address, now: Instant) -> Verdict {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() > REMEMBERED {
            spent.retain(|_, it| self.left(it, now) > 0.0);
        }
        let payers: Vec<&Address> =
            who.into_iter().chain(std::iter::once(place).filter(|place| who != Some(*place))).collect();
        let mut wait = 0.0f64;
        for payer in &payers {
            let it = spent.entry((*payer).clone()).or_insert(Spent { asks: 0.0, at: now, told: false });
            it.asks = self.left(it, now);
            it.at = now;
            wait = wait.max(it.asks + 1.0 - self.burst);
        }
        // Everybody is told once themselves, also where it is the room that is too loud.
        let asker = payers.first().copied();
        let told = asker.is_some_and(|asker| spent.get(asker).is_some_and(|it| it.told));
        for payer in payers {
            let Some(it) = spent.get_mut(payer) else { continue };
            it.told = wait > 0.0 && asker == Some(payer);
            if wait <= 0.0 {
                it.asks += 1.0;
            }
        }
        let counter = if wait > 0.0 { &self.refused } else { &self.answered };
        counter.fetch_add(1, Ordering::Relaxed);
        match (wait > 0.0, told) {
            (false, _) => Verdict::Go,
            (true, true) => Verdict::Silence,
            (true, false) => Verdict::Wait(Duration::from_secs_f64((wait / self.per_second).ceil())),
        }
    }

    /// How many asks were let through, and how many came too fast.
    pub fn counted(&self) -> (u64, u64) {
        (self.answered.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// The same, as Prometheus reads it.
    pub fn text(&self) -> String {
        let (answered, refused) = self.counted();
        format!(
            "# HELP strillone_asks_total What people asked, and whether it came too fast to be answered.\n\
             # TYPE strillone_asks_total counter\n\
             strillone_asks_total{{answered=\"yes\"}} {answered}\nstrillone_asks_total{{answered=\"no\"}} {refused}\n"
        )
    }

    /// What is still not made up for.
    fn left(&self, spent: &Spent, now: Instant) -> f64 {
        (spent.asks - now.saturating_duration_since(spent.at).as_secs_f64() * self.per_second).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_a_second_and_one_polite_word() {
        let rates = Rates::new(3, 1);
        let (ann, room, now) = (Address("t:1".to_owned()), Address("t:-1".to_owned()), Instant::now());
        let ask = |seconds| rates.ask(Some(&ann), &room, now + Duration::from_secs(seconds));
        assert_eq!([ask(0), ask(0), ask(0)], [Verdict::Go; 3]);
        assert_eq!(ask(0), Verdict::Wait(Duration::from_secs(1)));
        assert_eq!(ask(0), Verdict::Silence);
        assert_eq!(ask(1), Verdict::Go);
        assert_eq!(ask(1), Verdict::Wait(Duration::from_secs(1)));
        let bob = Address("t:2".to_owned());
        let told = rates.ask(Some(&bob), &room, now + Duration::from_secs(1));
        assert_eq!(told, Verdict::Wait(Duration::from_secs(1)), "the room has a budget too, and Bob is told himself");
        assert_eq!(rates.ask(Some(&bob), &bob, now + Duration::from_secs(1)), Verdict::Go);
    }
}
