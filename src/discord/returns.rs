//! Where rights may have come back, told to dispatch without a storm: one change of a role makes many events, and each
//! try in a channel that is still shut counts against us.

use std::{collections::HashMap, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::dispatch::{Dispatch, Event};
use record::private::Address;

/// The shortest and the longest pause before dispatch hears of the same place again. The pause doubles whenever something
/// happened during it.
const QUIET: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(300));
/// How many places are remembered.
const REMEMBERED: usize = 10_000;
/// How many may wait to be told.
pub const WAITING: usize = 1_000;

/// Where rights may have come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A channel or thread.
    Channel(u64),
    /// All of a server.
    Server(u64),
}

#[derive(Clone, Copy, Debug)]
struct Known {
    told: Instant,
    quiet: Duration,
    /// Whether it happened again since.
    again: bool,
}

/// What was told lately.
#[derive(Debug, Default)]
struct Returns(HashMap<Place, Known>);

impl Returns {
    /// Notes an event in a place, and says whether dispatch hears of it now. An event during a pause is told after it; a
    /// new place is left out while the table is full.
    fn happens(&mut self, place: Place, now: Instant) -> bool {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, it| it.again || it.told + it.quiet * 2 > now);
        }
        let full = self.0.len() >= REMEMBERED;
        match self.0.get_mut(&place) {
            Some(known) if known.told + known.quiet > now => {
                known.again = true;
                false
            }
            Some(known) => {
                // Long after the last time all begins from the start.
                let calm = known.told + known.quiet * 2 < now;
                let quiet = if calm { QUIET.0 } else { (known.quiet * 2).min(QUIET.1) };
                *known = Known { told: now, quiet, again: false };
                true
            }
            None if full => false,
            None => {
                self.0.insert(place, Known { told: now, quiet: QUIET.0, again: false });
                true
            }
        }
    }

    /// The places of which dispatch is to be told by now.
    fn due(&mut self, now: Instant) -> Vec<Place> {
        let mut due = Vec::new();
        for (place, known) in &mut self.0 {
            if known.again && known.told + known.quiet <= now {
                *known = Known { told: now, quiet: (known.quiet * 2).min(QUIET.1), again: false };
                due.push(*place);
            }
        }
        due
    }

    fn next(&self) -> Option<Instant> {
        self.0.values().filter(|known| known.again).map(|known| known.told + known.quiet).min()
    }
}

/// Tells dispatch of the places that come in, until nobody sends any more.
pub async fn tell(dispatch: Dispatch, mut places: mpsc::Receiver<Place>) {
    let mut returns = Returns::default();
    loop {
        let next = returns.next();
        let late = next.unwrap_or_else(|| Instant::now() + QUIET.1);
        let told = tokio::select! {
            place = places.recv() => match place {
                Some(place) if returns.happens(place, Instant::now()) => vec![place],
                Some(_) => Vec::new(),
                None => return,
            },
            () = sleep_until(late), if next.is_some() => returns.due(Instant::now()),
        };
        for place in told {
            tracing::debug!(?place, "rights may have come back");
            dispatch.heard(match place {
                Place::Channel(channel) => Event::Returned(Address(format!("discord:{channel}"))),
                Place::Server(server) => Event::ReturnedServer(server),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_told_once_at_its_beginning_and_more_and_more_rarely() {
        let start = Instant::now();
        let mut returns = Returns::default();
        let mut told = 0;
        for ms in (0..60_000).step_by(100) {
            let now = start + Duration::from_millis(ms);
            told += usize::from(returns.happens(Place::Server(5), now)) + returns.due(now).len();
        }
        assert!((3..=6).contains(&told), "{told} in a minute");
        assert!(returns.happens(Place::Server(6), start), "each server by itself");
    }

    #[test]
    fn what_happens_in_the_pause_is_told_after_it() {
        let now = Instant::now();
        let mut returns = Returns::default();
        assert!(returns.happens(Place::Channel(1), now) && !returns.happens(Place::Channel(1), now));
        assert_eq!(returns.next(), Some(now + QUIET.0));
        assert_eq!((returns.due(now), returns.due(now + QUIET.0)), (vec![], vec![Place::Channel(1)]));
        assert_eq!(returns.next(), None);
        assert!(returns.happens(Place::Channel(1), now + QUIET.1), "long after, it is told at once");
    }
}
