//! Whether the clock can be believed. No line is older than the one before it, so a clock that is far ahead would make all
//! later lines bear its moment: nothing is recorded by one that leaps further than a bot is ever switched off.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Datelike, TimeDelta, Utc};

/// How far it may be ahead of the moment at which somebody last looked at it.
const LEAP: TimeDelta = TimeDelta::days(90);
/// How far it may be ahead of the newest line, where nobody has looked at it yet.
const LEAP_UNSEEN: TimeDelta = TimeDelta::days(5 * 365);
/// No record is kept from this year on.
const NEVER: i32 = 2100;
/// By how much what was seen has grown when it is worth being noted.
pub const NOTED: TimeDelta = TimeDelta::hours(1);

/// What is known of the clock.
#[derive(Default)]
pub struct Clock(Mutex<Known>);

#[derive(Clone, Default)]
struct Known {
    /// When it was last looked at and believed.
    seen: Option<DateTime<Utc>>,
    /// Why it is not believed now.
    doubt: Option<String>,
    /// Whether somebody said that it is right.
    trusted: bool,
}

impl Clock {
    /// Last believed at some moment; or right, as somebody says who has looked.
    pub fn new(seen: Option<DateTime<Utc>>, trusted: bool) -> Clock {
        let seen = seen.filter(|_| !trusted);
        Clock(Mutex::new(Known { seen, doubt: None, trusted }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it was last believed.
    pub fn seen(&self) -> Option<DateTime<Utc>> {
        self.known().seen
    }

    /// Why it is not believed, if it is not.
    pub fn doubt(&self) -> Option<String> {
        self.known().doubt.clone()
    }

    /// Somebody looks at it; why it is not believed, if it is not.
    pub fn look(&self, at: DateTime<Utc>, newest: Option<DateTime<Utc>>) -> Option<String> {
        let mut known = self.known();
        let doubt = known.doubts(at, newest);
        match (&doubt, known.doubt.is_some()) {
            (Some(why), false) => tracing::error!(why, "nothing is recorded by this clock"),
            (None, true) => tracing::info!("the clock is believed again"),
            _ => {}
        }
        if doubt.is_none() {
            known.seen = known.seen.max(Some(at));
        }
        known.doubt.clone_from(&doubt);
        doubt
    }

    /// Checks the moment of a line as [`Clock::look`] does, and changes nothing that is known of the clock: the moment may
    /// come from elsewhere.
    pub fn dates(&self, at: DateTime<Utc>, newest: Option<DateTime<Utc>>) -> Option<String> {
        self.known().doubts(at, newest)
    }
}

impl Known {
    fn doubts(&self, at: DateTime<Utc>, newest: Option<DateTime<Utc>>) -> Option<String> {
        let says = format!("the clock says {}", at.format("%Y-%m-%d %H:%M UTC"));
        if at.year() >= NEVER {
            return Some(format!("{says}: set it"));
        }
        let last = self.seen.max(newest).filter(|_| !self.trusted)?;
        let leap = if self.seen.is_some() { LEAP } else { LEAP_UNSEEN };
        (at - last > leap).then(|| {
            format!(
                "{says}, {} days after it was last looked at: set it or, if it is right, start once with --accept-clock",
                (at - last).num_days()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_clock_that_leaps_is_not_believed_until_it_is_set_or_somebody_says_it_is_right() {
        let (then, soon) = (at("2026-03-01T00:00:00Z"), at("2026-05-29T00:00:00Z"));
        let (late, never) = (at("2031-03-01T00:00:00Z"), at("9999-01-01T00:00:00Z"));
        let clock = Clock::new(Some(then), false);
        assert!(clock.look(late, Some(then)).is_some_and(|why| why.contains("2031") && why.contains("--accept-clock")));
        assert!(clock.doubt().is_some() && clock.seen() == Some(then), "what is not believed is no measure");
        assert_eq!((clock.look(soon, Some(then)), clock.seen(), clock.doubt()), (None, Some(soon), None));
        assert_eq!((clock.look(then, Some(then)), clock.seen()), (None, Some(soon)), "behind is another matter");
        let clock = Clock::new(Some(then), true);
        assert_eq!((clock.look(late, Some(then)), clock.seen()), (None, Some(late)));
        assert!(clock.look(never, None).is_some(), "whatever somebody says");
        // An older version noted no moment, and a new record has none.
        let clock = Clock::new(None, false);
        assert!(clock.dates(at("2029-03-01T00:00:00Z"), Some(then)).is_none());
        assert!(clock.dates(at("2032-03-01T00:00:00Z"), Some(then)).is_some());
        assert!(Clock::default().dates(late, None).is_none() && Clock::default().dates(never, None).is_some());
    }
}
