//! How fast anything may leave for a platform. A budget is pure: every moment is an argument.
//!
//! Overall, a request holds its place from its start until a second after its answer: it reached the platform some
//! time in between, so no window of a second, wherever the platform begins it, ever sees more than the limit. In a
//! chat it is a bucket (the generic cell rate algorithm). After a start every budget is spent: what the process before
//! sent is not known.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use record::outbox::Ms;
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

/// How long a request counts after its answer.
const WINDOW: Ms = 1_000;
/// When more chats than this are remembered, those that have rested are forgotten.
const REMEMBERED: usize = 20_000;
/// Discord's window for requests that it counts as invalid.
const INVALID_WINDOW: Ms = 600_000;

/// What a platform allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second in all.
    pub per_second: u32,
    /// In a private chat: so many at once, and one every so many milliseconds.
    pub private: Option<(u32, Ms)>,
    /// The same in a group or channel.
    pub group: Option<(u32, Ms)>,
    /// Invalid requests in 10 minutes after which nothing more is pushed.
    pub invalid: usize,
}

/// So many messages at once in a chat.
pub const BURST: u32 = 3;

impl Limits {
    /// Telegram's: so many a second in all, 1 a second in a chat, so many a minute in a group. A burst and what the
    /// bucket gains in a minute stay together within the minute's limit.
    pub fn telegram(per_second: u32, group_minute: u32) -> Limits {
        let burst = BURST.min(group_minute);
        let steady = Ms::from(group_minute.saturating_sub(burst).max(1));
        let group = Some((burst, 60_000 / steady + 1));
        Limits { per_second, private: Some((BURST, 1_000)), group, invalid: usize::MAX }
    }

    /// Discord's: so many a second in all; the rest it says in its answers.
    pub fn discord(per_second: u32, invalid: usize) -> Limits {
        Limits { per_second, private: None, group: None, invalid }
    }
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Now.
    Go,
    /// Not before this moment, whatever the chat.
    All(Ms),
    /// This chat not before this moment.
    Chat(Ms),
}

/// What was spent of a platform's limits.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    /// When the process began.
    began: Ms,
    /// Requests under way.
    flying: u32,
    /// When the last ones were answered, within [`WINDOW`].
    landed: VecDeque<Ms>,
    last: Ms,
    chats: HashMap<String, Chat>,
    /// Nothing leaves before this moment.
    shut_until: Ms,
    /// Nothing is pushed before this moment; answers may leave.
    rest_until: Ms,
    /// Answers that wait for their turn: pushes wait for them.
    answers: u32,
    invalid: VecDeque<Ms>,
    /// How far the platform's clock is ahead of ours, as far as it said.
    ahead: Ms,
}

#[derive(Clone, Copy, Debug)]
struct Chat {
    /// When its bucket is full again.
    full: Ms,
    /// When the last message left.
    last: Ms,
    /// The platform wants nothing before this moment.
    shut_until: Ms,
}

impl Budget {
    /// A budget that is spent.
    pub fn new(limits: Limits, now: Ms) -> Budget {
        let landed = std::iter::repeat_n(now, limits.per_second as usize).collect();
        Budget {
            limits,
            began: now,
            flying: 0,
            landed,
            last: now,
            chats: HashMap::new(),
            shut_until: 0,
            rest_until: 0,
            answers: 0,
            invalid: VecDeque::new(),
            ahead: 0,
        }
    }

    /// Notes what the platform's clock says at a moment of ours, such as in a `Date` header (RFC 9110, to the second).
    pub fn server_said(&mut self, server: Ms, now: Ms) {
        // Less than this may be the way of the answer, or the seconds that the header does not tell.
        const NOISE: Ms = 2_000;
        let ahead = server - now;
        if (ahead - self.ahead).abs() > NOISE {
            self.ahead = ahead;
        }
    }

    /// A moment of ours on the platform's clock.
    pub fn server_time(&self, now: Ms) -> Ms {
        now.saturating_add(self.ahead)
    }

    /// Whether a push may leave for a chat.
    pub fn push(&mut self, chat: &str, now: Ms) -> May {
        if self.answers > 0 {
            return May::All(now + self.spacing());
        }
        if let Some(until) = self.too_many_invalid(now) {
            return May::All(until);
        }
        if self.rest_until > now {
            return May::All(self.rest_until);
        }
        let (bucket, known) = (self.bucket(chat), self.chat(chat));
        // Steadily, and one at a time: bursts are for answers.
        let steady = bucket.map_or(0, |(_, period)| known.last + period);
        let until = self.chat_free(chat).max(steady);
        if until > now { May::Chat(until) } else { self.overall(now) }
    }

    /// Whether an answer may leave for a chat. Whoever is told to wait asks again then.
    pub fn answer(&mut self, chat: &str, now: Ms) -> May {
        let until = self.chat_free(chat);
        if until > now { May::Chat(until) } else { self.overall(now) }
    }

    /// When a chat may next get a push, as far as it alone counts.
    pub fn chat_next(&self, chat: &str) -> Ms {
        let steady = self.bucket(chat).map_or(0, |(_, period)| self.chat(chat).last + period);
        self.chat_free(chat).max(steady)
    }

    /// When the chat's bucket, and the platform, let one more through.
    fn chat_free(&self, chat: &str) -> Ms {
        let known = self.chat(chat);
        let room = self.bucket(chat).map_or(0, |(burst, period)| known.full - period * Ms::from(burst - 1));
        room.max(known.shut_until)
    }

    fn chat(&self, chat: &str) -> Chat {
        let spent = self.bucket(chat).map_or(0, |(burst, period)| period * Ms::from(burst - 1));
        let unknown = Chat { full: self.began + spent, last: self.began, shut_until: 0 };
        self.chats.get(chat).copied().unwrap_or(unknown)
    }

    /// Telegram's groups and channels have negative numbers.
    fn bucket(&self, chat: &str) -> Option<(u32, Ms)> {
        let group = chat.split_once(':').is_some_and(|(_, number)| number.starts_with('-'));
        if group { self.limits.group } else { self.limits.private }
    }

    fn spacing(&self) -> Ms {
        // A little less than evenly: the window is what counts.
        WINDOW / Ms::from(self.limits.per_second.max(1)) * 9 / 10
    }

    fn overall(&mut self, now: Ms) -> May {
        while self.landed.front().is_some_and(|at| at + WINDOW <= now) {
            self.landed.pop_front();
        }
        if self.shut_until > now {
            return May::All(self.shut_until);
        }
        let held = self.flying as usize + self.landed.len();
        if held >= self.limits.per_second as usize {
            // Those under way free their places later than those that landed.
            return May::All(self.landed.front().map_or(now + self.spacing().max(1), |at| at + WINDOW));
        }
        let next = self.last + self.spacing();
        if next > now { May::All(next) } else { May::Go }
    }

    /// A request leaves for a chat.
    pub fn begin(&mut self, chat: &str, now: Ms) {
        self.flying += 1;
        self.last = now;
        if let Some((_, period)) = self.bucket(chat) {
            if self.chats.len() > REMEMBERED {
                self.chats.retain(|_, it| it.full.max(it.shut_until) > now);
            }
            let mut known = self.chat(chat);
            (known.full, known.last) = (known.full.max(now) + period, now);
            self.chats.insert(chat.to_owned(), known);
        }
    }

    /// A request was answered, or given up.
    pub fn end(&mut self, chat: &str, now: Ms) {
        self.flying = self.flying.saturating_sub(1);
        // They are told of in the order in which somebody looked, which need not be that of their answers.
        let later = self.landed.iter().rposition(|at| *at <= now).map_or(0, |at| at + 1);
        self.landed.insert(later, now);
        let bucket = self.bucket(chat);
        if let (Some((_, period)), Some(known)) = (bucket, self.chats.get_mut(chat)) {
            // It may have arrived as late as this.
            (known.full, known.last) = (known.full.max(now + period), known.last.max(now));
        }
    }

    /// The platform wants nothing for a chat before a moment.
    pub fn shut_chat(&mut self, chat: &str, until: Ms) {
        let mut known = self.chat(chat);
        known.shut_until = known.shut_until.max(until);
        self.chats.insert(chat.to_owned(), known);
    }

    /// The platform wants nothing at all before a moment.
    pub fn shut(&mut self, until: Ms) {
        self.shut_until = self.shut_until.max(until);
    }

    /// The platform may want nothing before a moment: pushes wait for it, answers do not.
    pub fn rest(&mut self, until: Ms) {
        self.rest_until = self.rest_until.max(until);
    }

    /// Whether pushes rest.
    pub fn rests(&self, now: Ms) -> bool {
        self.rest_until > now
    }

    /// A request that the platform counts as invalid; how many there were in 10 minutes.
    pub fn invalid(&mut self, now: Ms) -> usize {
        self.invalid.push_back(now);
        self.too_many_invalid(now);
        self.invalid.len()
    }

    fn too_many_invalid(&mut self, now: Ms) -> Option<Ms> {
        while self.invalid.front().is_some_and(|at| at + INVALID_WINDOW <= now) {
            self.invalid.pop_front();
        }
        let over = self.invalid.len() >= self.limits.invalid;
        self.invalid.front().filter(|_| over).map(|at| at + INVALID_WINDOW)
    }
}

/// A clock that never steps back: the wall's at the start, and what has passed since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Ms,
    began: Instant,
}

impl Clock {
    /// From now on.
    pub fn start() -> Clock {
        Clock { wall: chrono::Utc::now().timestamp_millis(), began: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Ms {
        self.wall.saturating_add(Ms::try_from(self.began.elapsed().as_millis()).unwrap_or(Ms::MAX))
    }
}

/// A platform's budget, shared by answers and pushes.
pub struct Pace {
    clock: Clock,
    budget: Mutex<Budget>,
    freed: Notify,
}

impl Pace {
    /// A budget that is spent.
    pub fn new(limits: Limits, clock: Clock) -> Pace {
        Pace { clock, budget: Mutex::new(Budget::new(limits, clock.now())), freed: Notify::new() }
    }

    /// The budget itself.
    pub fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock that it goes by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits for the turn of an answer: before every push, and within the limits. The request must leave while the turn
    /// is held.
    pub async fn turn(&self, chat: &str) -> Turn<'_> {
        let mut waiting: Option<Waiting<'_>> = None;
        loop {
            let now = self.clock.now();
            let may = {
                let mut budget = self.budget();
                let may = budget.answer(chat, now);
                match may {
                    May::Go => budget.begin(chat, now),
                    // Its own chat's limit is nothing that pushes elsewhere must wait for.
                    May::All(_) if waiting.is_none() => budget.answers += 1,
                    _ => {}
                }
                may
            };
            let until = match may {
                May::Go => return Turn { pace: self, chat: chat.to_owned() },
                May::All(until) => {
                    waiting.get_or_insert(Waiting { pace: self });
                    until
                }
                May::Chat(until) => {
                    waiting = None;
                    until
                }
            };
            let wait = Duration::from_millis(u64::try_from(until - now).unwrap_or(0).max(1));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.freed.notified() => {}
            }
        }
    }

    /// A request that left in its turn was answered.
    pub fn landed(&self, chat: &str) {
        self.budget().end(chat, self.clock.now());
        self.freed.notify_one();
    }
}

/// An answer that waits for the platform's overall limit: nothing is pushed meanwhile.
struct Waiting<'a> {
    pace: &'a Pace,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut budget = self.pace.budget();
        budget.answers = budget.answers.saturating_sub(1);
    }
}

/// A request's turn: until this is dropped it counts as under way.
pub struct Turn<'a> {
    pace: &'a Pace,
    chat: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.landed(&self.chat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes as fast as is allowed for so long; when each left.
    fn pushes(budget: &mut Budget, chats: &[&str], from: Ms, to: Ms, takes: Ms) -> Vec<Ms> {
        let (mut left, mut flying): (Vec<Ms>, Vec<(Ms, &str)>) = (Vec::new(), Vec::new());
        for now in from..to {
            flying.retain(|(at, chat)| {
                let landed = at + takes <= now;
                if landed {
                    budget.end(chat, now);
                }
                !landed
            });
            for chat in chats {
                if budget.push(chat, now) == May::Go {
                    budget.begin(chat, now);
                    flying.push((now, chat));
                    left.push(now);
                }
            }
        }
        left
    }

    fn most_within(times: &[Ms], window: Ms) -> usize {
        (0..times.len())
            .map(|at| times[at..].iter().take_while(|it| **it < times[at] + window).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn no_second_ever_sees_more_than_the_limit_and_hardly_less_is_reached() {
        let names: Vec<String> = (1..400).map(|n| format!("telegram:{n}")).collect();
        let chats: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        let left = pushes(&mut budget, &chats, 0, 11_000, 2);
        assert!(left[0] >= 1_000, "after a start the budget is spent");
        assert!(most_within(&left, 1_000) <= 30);
        assert!(left.len() >= 297, "{} of 300 in 10 seconds", left.len());
    }

    #[test]
    fn a_group_never_sees_more_than_20_a_minute_nor_a_chat_more_than_1_a_second() {
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        let left = pushes(&mut budget, &["telegram:-5"], 0, 300_000, 2);
        assert!(most_within(&left, 60_000) <= 20 && left.len() >= 75, "{}", left.len());
        let left = pushes(&mut budget, &["telegram:5"], 300_000, 310_000, 2);
        assert!(most_within(&left, 1_000) <= 1 && left.len() >= 9, "{left:?}");
    }

    #[test]
    fn an_answer_may_come_in_a_burst_of_three_and_does_not_wait_behind_pushes() {
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        budget.begin("telegram:5", 5_000);
        budget.end("telegram:5", 5_001);
        assert_eq!(budget.push("telegram:5", 5_100), May::Chat(6_001));
        assert_eq!(budget.answer("telegram:5", 5_100), May::Go);
        budget.begin("telegram:5", 5_100);
        budget.begin("telegram:5", 5_200);
        assert!(matches!(budget.answer("telegram:5", 5_300), May::Chat(_)));
        budget.answers = 1;
        assert!(matches!(budget.push("telegram:9", 9_000), May::All(_)), "pushes wait for answers");
    }

    #[test]
    fn what_the_platform_shuts_stays_shut_and_others_go_on() {
        let mut budget = Budget::new(Limits::discord(50, 3), 0);
        budget.shut_chat("discord:1", 9_000);
        assert_eq!((budget.push("discord:1", 2_000), budget.push("discord:2", 2_000)), (May::Chat(9_000), May::Go));
        budget.shut(4_000);
        assert_eq!(budget.push("discord:2", 3_000), May::All(4_000));
        budget.rest(4_500);
        assert_eq!((budget.push("discord:2", 4_000), budget.rests(4_000)), (May::All(4_500), true));
        assert_eq!((budget.answer("discord:2", 4_000), budget.rests(4_500)), (May::Go, false), "answers do not rest");
        assert_eq!((budget.invalid(5_000), budget.invalid(5_001)), (1, 2));
        assert_eq!(budget.push("discord:2", 5_100), May::Go);
        budget.invalid(5_002);
        assert_eq!(budget.push("discord:2", 5_100), May::All(605_000), "far from Discord's 10,000");
        assert_eq!(budget.answer("discord:2", 5_100), May::Go);
    }
}
