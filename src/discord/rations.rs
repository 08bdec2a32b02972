//! When the next IDENTIFY may leave. Discord allows 1,000 of them a day and resets the token of a bot that sends more.
//!
//! Pure: every moment is an argument. Each shard has growing pauses of its own; all together keep to what Discord says
//! is left (`session_start_limit` of `GET /gateway/bot`) and to what this process counted itself.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

/// The window in which Discord counts.
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// What Discord allows in it, where it does not say.
const DAILY: usize = 1_000;
/// One part in this many is left to later starts of the program.
const RESERVE: usize = 10;

/// The pauses between IDENTIFYs.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Discord's pause between two shards of one rate limit key.
    pub between: Duration,
    /// The first pause after a session that did not last; it doubles with each.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// A session that was kept this long ends the growing.
    pub lasted: Duration,
}

impl Default for Pauses {
    fn default() -> Pauses {
        let [between, first, longest, lasted] = [5, 5, 600, 300].map(Duration::from_secs);
        Pauses { between, first, longest, lasted }
    }
}

/// What Discord said is left, and when.
#[derive(Clone, Copy, Debug)]
struct Said {
    total: usize,
    remaining: usize,
    resets: Instant,
    at_once: u32,
}

/// A shard's last IDENTIFYs.
#[derive(Clone, Copy, Debug, Default)]
struct Shard {
    last: Option<Instant>,
    /// How many there were since a session lasted.
    streak: u32,
}

/// What may be spent on IDENTIFYs.
#[derive(Debug)]
pub struct Rations {
    pauses: Pauses,
    said: Option<Said>,
    /// When this process sent its own, within a day.
    own: VecDeque<Instant>,
    shards: BTreeMap<u32, Shard>,
    /// When each rate limit key was used last.
    keys: BTreeMap<u32, Instant>,
    /// When the process began to ask.
    began: Instant,
}

impl Rations {
    /// A new count of sessions, before Discord has told its limit.
    pub fn new(pauses: Pauses, now: Instant) -> Rations {
        let (own, shards, keys) = (VecDeque::new(), BTreeMap::new(), BTreeMap::new());
        Rations { pauses, said: None, own, shards, keys, began: now }
    }

    /// Notes a `session_start_limit` of Discord's.
    pub fn said(&mut self, limit: &Value, now: Instant) {
        let number = |name: &str| limit[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let total = number("total").unwrap_or(DAILY).max(1);
        let resets = limit["reset_after"].as_u64().map_or(DAY, Duration::from_millis).min(DAY);
        let at_once = limit["max_concurrency"].as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or(1).max(1);
        let remaining = number("remaining").unwrap_or(total);
        self.said = Some(Said { total, remaining, resets: now + resets, at_once });
    }

    /// When a shard may send its next IDENTIFY. Whoever is told to wait asks again then.
    pub fn next(&mut self, shard: u32, now: Instant) -> Instant {
        while self.own.front().is_some_and(|at| *at + DAY <= now) {
            self.own.pop_front();
        }
        let known = self.shards.get(&shard).copied().unwrap_or_default();
        let grown = self.pauses.first.saturating_mul(1 << known.streak.saturating_sub(1).min(16));
        let pause = if known.streak == 0 { Duration::ZERO } else { grown.min(self.pauses.longest) };
        let own = known.last.map_or(now, |last| last + pause);
        let key = self.keys.get(&(shard % self.at_once())).map_or(now, |last| *last + self.pauses.between);
        own.max(key).max(self.by_what_is_left(known.last.is_none(), now)).max(now)
    }

    fn at_once(&self) -> u32 {
        self.said.map_or(1, |said| said.at_once)
    }

    /// Once half is spent, the rest is spread over the time until there is more. A part of it is only for shards that
    /// have not been connected since the start.
    fn by_what_is_left(&self, starts: bool, now: Instant) -> Instant {
        let fresh = Said { total: DAILY, remaining: DAILY, resets: now + DAY, at_once: 1 };
        let said = self.said.unwrap_or(fresh);
        // After the reset Discord has to be asked again; until then our own count holds.
        let theirs = if said.resets <= now { said.total } else { said.remaining };
        let left = theirs.min(said.total.saturating_sub(self.own.len()));
        if left * 2 > said.total {
            return now;
        }
        let until = match self.own.front().filter(|_| theirs > left) {
            Some(oldest) => *oldest + DAY,
            None => said.resets,
        };
        let reserve = if starts { 0 } else { said.total / RESERVE };
        let Some(spendable) = left.checked_sub(reserve).filter(|spendable| *spendable > 0) else { return until };
        let share = u32::try_from(spendable).unwrap_or(u32::MAX);
        let since = self.own.back().copied().unwrap_or(self.began);
        since + until.saturating_duration_since(since.min(now)) / share
    }

    /// A shard's IDENTIFY leaves.
    pub fn spend(&mut self, shard: u32, now: Instant) {
        self.own.push_back(now);
        self.keys.insert(shard % self.at_once(), now);
        let known = self.shards.entry(shard).or_default();
        (known.last, known.streak) = (Some(now), known.streak.saturating_add(1));
        if let Some(said) = &mut self.said {
            said.remaining = said.remaining.saturating_sub(1);
        }
    }

    /// A shard's session ended that had been there this long.
    pub fn ended(&mut self, shard: u32, kept: Duration) {
        if kept >= self.pauses.lasted {
            self.shards.entry(shard).or_default().streak = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(remaining: u64, reset: Duration) -> Value {
        json!({ "total": 1_000, "remaining": remaining, "reset_after": reset.as_millis() as u64, "max_concurrency": 1 })
    }

    /// Discord's own count: a window of a day that begins with the first.
    struct Count {
        began: Instant,
        used: u64,
    }

    impl Count {
        fn said(&mut self, now: Instant) -> Value {
            while self.began + DAY <= now {
                (self.began, self.used) = (self.began + DAY, 0);
            }
            limit(1_000u64.saturating_sub(self.used), self.began + DAY - now)
        }
    }

    /// Identifies whenever that is allowed, and every session ends after `kept`; how many leave in a day at most.
    fn busiest_day(shards: u32, kept: Duration, restarts: Option<Duration>) -> usize {
        let start = Instant::now();
        let (mut now, mut spent) = (start, Vec::new());
        let mut count = Count { began: start, used: 0 };
        let mut rations = Rations::new(Pauses::default(), now);
        let (mut process, mut free) = (now, vec![now; shards as usize]);
        while now < start + 2 * DAY {
            if restarts.is_some_and(|every| now >= process + every) {
                (process, rations) = (now, Rations::new(Pauses::default(), now));
                free.fill(now);
            }
            for shard in 0..shards {
                let said = count.said(now);
                rations.said(&said, now);
                if free[shard as usize] <= now && rations.next(shard, now) <= now {
                    rations.spend(shard, now);
                    rations.ended(shard, kept);
                    (count.used, free[shard as usize]) = (count.used + 1, now + kept);
                    spent.push(now);
                }
            }
            now += SECOND;
        }
        let (mut first, mut most) = (0, 0);
        for (last, at) in spent.iter().enumerate() {
            while spent[first] + DAY <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        assert!(most > 0, "some may leave");
        most
    }

    #[test]
    fn a_single_new_session_is_quick_and_a_storm_is_slowed_down() {
        let now = Instant::now();
        let mut rations = Rations::new(Pauses::default(), now);
        rations.said(&limit(1_000, DAY), now);
        assert_eq!(rations.next(0, now), now);
        rations.spend(0, now);
        let later = now + 400 * SECOND;
        rations.ended(0, 400 * SECOND);
        assert_eq!(rations.next(0, later), later, "the session lasted");
        let mut at = later;
        let waits: Vec<u64> = (0..9)
            .map(|_| {
                rations.spend(0, at);
                let next = rations.next(0, at);
                let wait = (next - at).as_secs();
                at = next;
                wait
            })
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    }

    #[test]
    fn shards_wait_for_each_other_by_rate_limit_key() {
        let now = Instant::now();
        let mut rations = Rations::new(Pauses::default(), now);
        let mut said = limit(1_000, DAY);
        said["max_concurrency"] = json!(2);
        rations.said(&said, now);
        rations.spend(0, now);
        assert_eq!((rations.next(1, now), rations.next(2, now)), (now, now + 5 * SECOND));
    }

    #[test]
    fn once_half_is_spent_the_rest_lasts_until_there_is_more() {
        let now = Instant::now();
        let mut rations = Rations::new(Pauses::default(), now);
        rations.said(&limit(400, DAY), now);
        assert!(rations.next(0, now) >= now + DAY / 400, "a start waits too, or restarts would spend it all");
        rations.spend(0, now);
        rations.ended(0, DAY);
        assert!(rations.next(0, now) >= now + DAY / 300, "a tenth is left to later starts");
        rations.said(&limit(100, DAY), now);
        assert!(rations.next(0, now) >= now + DAY - SECOND);
        rations.said(&limit(0, 60 * SECOND), now);
        assert_eq!(rations.next(7, now), now + 60 * SECOND);
    }

    #[test]
    fn no_pattern_spends_a_thousand_a_day() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for (shards, kept, restarts) in [
            (1, Duration::ZERO, None),
            (8, Duration::ZERO, None),
            (1, minutes(5), None),
            (6, minutes(6), None),
            (1, Duration::ZERO, Some(3 * SECOND)),
            (3, minutes(1), Some(minutes(30))),
        ] {
            let most = busiest_day(shards, kept, restarts);
            assert!(most <= 1_000, "{shards} shards, kept {kept:?}, restarts {restarts:?}: {most}");
        }
    }
}
