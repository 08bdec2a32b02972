//! Whether Telegram can be reached, judged by every call, so that the sign at the door is true.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::send::Outcome;
use crate::signs::Sign;

/// Without any word from Telegram for this long, it is out of reach. A quiet long poll answers sooner.
const SILENT: Duration = Duration::from_secs(35);
/// Calls that only fail for this long mean that answers and posts cannot leave.
const FAILING: Duration = Duration::from_secs(30);
/// A conflict with another poller that was not seen again for this long is over.
const CONFLICT_OVER: Duration = Duration::from_secs(90);

/// What the calls so far have shown.
#[derive(Debug)]
pub struct Reach(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    /// The last answer of Telegram's, whatever it said.
    answered: Instant,
    /// Since when `getUpdates` only fails.
    polls_fail: Option<Instant>,
    /// Since when all other calls only fail, and the last of them.
    calls_fail: Option<(Instant, Instant)>,
    /// The last poll was refused because another program polls, or has a webhook.
    rival: bool,
    /// When another poller was first and last seen.
    conflict: Option<(Instant, Instant)>,
    refused: bool,
}

impl Reach {
    /// Nothing has gone wrong yet.
    pub fn new(now: Instant) -> Reach {
        Reach(Mutex::new(Seen {
            answered: now,
            polls_fail: None,
            calls_fail: None,
            rival: false,
            conflict: None,
            refused: false,
        }))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a call came to; `poll` says that it was `getUpdates`.
    pub fn came(&self, poll: bool, outcome: &Outcome, now: Instant) {
        let mut seen = self.seen();
        let failed = matches!(outcome, Outcome::NotSent(_) | Outcome::Unsure(_));
        if !failed {
            seen.answered = now;
        }
        match (poll, failed) {
            (true, _) => {
                seen.rival = matches!(outcome, Outcome::AnotherPoller | Outcome::Refused(409, ..));
                // A refusal is an answer, but brings no updates.
                let brings = matches!(outcome, Outcome::Done(_));
                seen.polls_fail = if brings || seen.rival { None } else { seen.polls_fail.or(Some(now)) };
            }
            (false, true) => seen.calls_fail = Some((seen.calls_fail.map_or(now, |(since, _)| since), now)),
            (false, false) => seen.calls_fail = None,
        }
        if poll && *outcome == Outcome::AnotherPoller {
            let since = seen.conflict.filter(|(_, last)| now.duration_since(*last) < CONFLICT_OVER);
            seen.conflict = Some((since.map_or(now, |(since, _)| since), now));
        }
    }

    /// Notes whether Telegram refuses the token.
    pub fn refuses(&self, refused: bool, now: Instant) {
        let mut seen = self.seen();
        (seen.refused, seen.answered) = (refused, now);
    }

    /// The sign that is true at this moment.
    pub fn sign(&self, now: Instant) -> Sign {
        let seen = self.seen();
        let longer = |since: Instant, than| now.duration_since(since) >= than;
        let calls_fail = seen.calls_fail.is_some_and(|(since, last)| longer(since, FAILING) && !longer(last, SILENT));
        match &*seen {
            Seen { refused: true, .. } => Sign::TokenRefused,
            it if longer(it.answered, SILENT) || calls_fail => Sign::Unreachable,
            it if it.polls_fail.is_some_and(|since| longer(since, FAILING)) => Sign::Unreachable,
            Seen { rival: true, .. } => Sign::AnotherPoller,
            _ => Sign::Serving,
        }
    }

    /// For how long another program has polled with our token, if it still does.
    pub fn conflict(&self, now: Instant) -> Option<Duration> {
        let (since, last) = self.seen().conflict?;
        (now.duration_since(last) < CONFLICT_OVER).then(|| now.duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn after(seconds: u64) -> impl Fn(Instant) -> Instant {
        move |began| began + Duration::from_secs(seconds)
    }

    #[test]
    fn the_sign_says_unreachable_once_nothing_succeeds_for_half_a_minute() {
        let (began, failed) = (Instant::now(), Outcome::NotSent("x".to_owned()));
        let reach = Reach::new(began);
        reach.came(true, &failed, after(1)(began));
        assert_eq!(reach.sign(after(2)(began)), Sign::Serving, "one failed poll is a moment");
        assert_eq!(reach.sign(after(31)(began)), Sign::Unreachable);
        reach.came(true, &Outcome::Done(Value::Null), after(40)(began));
        assert_eq!(reach.sign(after(41)(began)), Sign::Serving);
        assert_eq!(reach.sign(after(80)(began)), Sign::Unreachable, "a poll that hangs is no success");
    }

    #[test]
    fn sending_that_fails_while_polling_works_is_no_serving() {
        let (began, failed) = (Instant::now(), Outcome::Unsure("502".to_owned()));
        let reach = Reach::new(began);
        for second in [0, 10, 20, 31] {
            reach.came(false, &failed, after(second)(began));
            reach.came(true, &Outcome::Done(Value::Null), after(second)(began));
        }
        assert_eq!(reach.sign(after(31)(began)), Sign::Unreachable);
        reach.came(false, &Outcome::Refused(400, String::new(), None), after(32)(began));
        assert_eq!(reach.sign(after(32)(began)), Sign::Serving, "a refusal is an answer");
    }

    #[test]
    fn polls_that_are_only_refused_bring_nothing_and_are_no_serving() {
        let began = Instant::now();
        let refused = |code| Outcome::Refused(code, "Bad Request".to_owned(), None);
        for outcome in [refused(400), refused(403), Outcome::Later(Duration::from_secs(3))] {
            let reach = Reach::new(began);
            for second in [0, 10, 20, 31] {
                reach.came(true, &outcome, after(second)(began));
            }
            assert_eq!(reach.sign(after(31)(began)), Sign::Unreachable, "{outcome:?}");
            reach.came(true, &Outcome::Done(Value::Null), after(32)(began));
            assert_eq!(reach.sign(after(32)(began)), Sign::Serving);
        }
    }

    #[test]
    fn a_webhook_is_another_program_but_no_poller() {
        let began = Instant::now();
        let reach = Reach::new(began);
        for second in [0, 60, 125] {
            reach.came(true, &Outcome::Refused(409, "webhook is active".to_owned(), None), after(second)(began));
        }
        assert_eq!(reach.sign(after(126)(began)), Sign::AnotherPoller);
        assert_eq!(reach.conflict(after(126)(began)), None);
        reach.came(true, &Outcome::Done(Value::Null), after(130)(began));
        assert_eq!(reach.sign(after(130)(began)), Sign::Serving);
    }

    #[test]
    fn another_poller_is_told_apart_and_its_time_is_known() {
        let began = Instant::now();
        let reach = Reach::new(began);
        for second in [0, 60, 120] {
            reach.came(true, &Outcome::AnotherPoller, after(second)(began));
            reach.came(false, &Outcome::Done(Value::Null), after(second)(began));
        }
        assert_eq!(reach.sign(after(125)(began)), Sign::AnotherPoller);
        assert_eq!(reach.conflict(after(125)(began)), Some(Duration::from_secs(125)));
        reach.came(true, &Outcome::Done(Value::Null), after(130)(began));
        assert_eq!(reach.sign(after(130)(began)), Sign::Serving);
        assert_eq!(reach.conflict(after(211)(began)), None);
    }
}
