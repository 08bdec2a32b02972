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

/// Why a request may not leave yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing of its priority leaves before this moment, whatever the chat.
    All(Ms),
    /// This chat gets nothing of its priority before this moment.
    Chat(Ms),
}

/// What a request is for. All draw on the same window; who goes first, and what is kept free for whom, differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// An answer to somebody who manages the chat or moderates, a notification, or an answer that records or sets.
    Manager,
    /// An answer to a reader.
    Reader,
    /// A push, and what belongs to it: edits, searches, probes.
    Push,
}

/// How many requests of each [`Priority`] there are.
#[derive(Clone, Copy, Debug, Default)]
struct Counts([u32; 3]);

impl Counts {
    fn of(&mut self, priority: Priority) -> &mut u32 {
        &mut self.0[priority as usize]
    }

    fn get(&self, priority: Priority) -> u32 {
        self.0[priority as usize]
    }

    fn sum(&self) -> u32 {
        self.0.iter().sum()
    }
}

/// What was spent of a platform's limits.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    /// When the process began.
    began: Ms,
    /// Requests under way, and those answered within [`WINDOW`].
    held: Counts,
    /// When the last ones were answered, within [`WINDOW`].
    landed: VecDeque<(Ms, Priority)>,
    /// When the last push left: pushes are spaced evenly.
    last: Ms,
    chats: HashMap<String, Chat>,
    /// Nothing leaves before this moment.
    shut_until: Ms,
    /// Nothing is pushed before this moment; answers may leave.
    rest_until: Ms,
    /// Answers that wait for their turn.
    waiting: Counts,
    /// When a push last had to wait for the platform's overall limit.
    push_waits: Option<Ms>,
    invalid: VecDeque<Ms>,
    /// How far the platform's clock is ahead of ours, as far as it said.
    ahead: Ms,
}

#[derive(Clone, Copy, Debug)]
struct Chat {
    /// When its bucket is full again.
    full: Ms,
    /// When the bucket for readers' answers is full again.
    readers: Ms,
    /// When the last message left.
    last: Ms,
    /// The platform wants nothing before this moment.
    shut_until: Ms,
}

/// A place that was taken: it is kept until the request is answered, or given back if nothing leaves after all.
#[derive(Clone, Debug)]
pub struct Place {
    priority: Priority,
    chat: String,
    /// What the chat had spent before.
    before: Option<Chat>,
    last: Ms,
}

impl Place {
    /// The chat whose budget it spends.
    pub fn chat(&self) -> &str {
        &self.chat
    }
}

impl Budget {
    /// A budget that is spent.
    pub fn new(limits: Limits, now: Ms) -> Budget {
        let landed = std::iter::repeat_n((now, Priority::Push), limits.per_second as usize).collect();
        Budget {
            limits,
            began: now,
            held: Counts([0, 0, limits.per_second]),
            landed,
            last: now,
            chats: HashMap::new(),
            shut_until: 0,
            rest_until: 0,
            waiting: Counts::default(),
            push_waits: None,
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

    /// Takes a place for a request to a chat, if it may leave now. Whoever is told to wait asks again then.
    pub fn take(&mut self, priority: Priority, chat: &str, now: Ms) -> Result<Place, Wait> {
        if priority == Priority::Push {
            let invalid = self.too_many_invalid(now);
            if let Some(until) = invalid.or((self.rest_until > now).then_some(self.rest_until)) {
                return Err(Wait::All(until));
            }
        }
        let until = self.chat_next(priority, chat);
        if until > now {
            return Err(Wait::Chat(until));
        }
        match self.overall(priority, now) {
            None => Ok(self.begin(priority, chat, now)),
            Some(until) => {
                if priority == Priority::Push {
                    self.push_waits = Some(now);
                }
                Err(Wait::All(until))
            }
        }
    }

    /// When a chat may next get something, as far as it alone counts.
    pub fn chat_next(&self, priority: Priority, chat: &str) -> Ms {
        let known = self.chat(chat);
        let Some((burst, period)) = self.bucket(chat) else { return known.shut_until };
        let room = known.full - period * Ms::from(burst - 1);
        let own = match priority {
            Priority::Manager => Ms::MIN,
            // Steadily, and one at a time: bursts are for answers.
            Priority::Push => known.last + period,
            Priority::Reader => known.readers - readers_period(chat, period) * Ms::from(readers_burst(chat, burst) - 1),
        };
        room.max(own).max(known.shut_until)
    }

    fn chat(&self, chat: &str) -> Chat {
        let spent = self.bucket(chat).map_or(0, |(burst, period)| period * Ms::from(burst - 1));
        let unknown = Chat { full: self.began + spent, readers: self.began, last: self.began, shut_until: 0 };
        self.chats.get(chat).copied().unwrap_or(unknown)
    }

    /// Requests that are for no chat, such as a probe, have no bucket.
    fn bucket(&self, chat: &str) -> Option<(u32, Ms)> {
        let (_, number) = chat.split_once(':').filter(|(_, number)| !number.is_empty())?;
        if is_group(number) { self.limits.group } else { self.limits.private }
    }

    fn spacing(&self) -> Ms {
        // A little less than evenly: the window is what counts.
        WINDOW / Ms::from(self.limits.per_second.max(1)) * 9 / 10
    }

    /// Until when a request has to wait for the platform's overall limit, or for others that go first.
    fn overall(&mut self, priority: Priority, now: Ms) -> Option<Ms> {
        while let Some((_, of)) = self.landed.pop_front_if(|(at, _)| *at + WINDOW <= now) {
            *self.held.of(of) = self.held.get(of).saturating_sub(1);
        }
        if self.shut_until > now {
            return Some(self.shut_until);
        }
        let soon = now + self.spacing().max(1);
        if self.held.sum() >= self.limits.per_second {
            // Those under way free their places later than those that landed.
            return Some(self.landed.front().map_or(soon, |(at, _)| at + WINDOW));
        }
        let readers_may = self.held.get(Priority::Reader) < self.for_readers(now);
        match priority {
            Priority::Manager => None,
            Priority::Reader => (!readers_may).then_some(soon),
            Priority::Push => {
                let managers = self.waiting.get(Priority::Manager) > 0;
                let behind = managers || self.waiting.get(Priority::Reader) > 0 && readers_may;
                let next = self.last + self.spacing();
                if behind { Some(soon) } else { (next > now).then_some(next) }
            }
        }
    }

    /// How many places in the window readers' answers may hold: a tenth is kept for those who manage, and half for pushes
    /// while some wait.
    fn for_readers(&self, now: Ms) -> u32 {
        let all = self.limits.per_second;
        let pushes = if self.push_waits.is_some_and(|at| now - at < WINDOW) { all / 2 } else { 0 };
        (all - all / 10 - pushes).max(1)
    }

    /// A request leaves for a chat.
    fn begin(&mut self, priority: Priority, chat: &str, now: Ms) -> Place {
        *self.held.of(priority) += 1;
        let place = Place {
            priority,
            chat: chat.to_owned(),
            before: self.bucket(chat).map(|_| self.chat(chat)),
            last: self.last,
        };
        if priority == Priority::Push {
            self.last = now;
        }
        if let Some((_, period)) = self.bucket(chat) {
            if self.chats.len() > REMEMBERED {
                self.chats.retain(|_, it| it.full.max(it.shut_until) > now);
            }
            let mut known = self.chat(chat);
            (known.full, known.last) = (known.full.max(now) + period, now);
            if priority == Priority::Reader {
                known.readers = known.readers.max(now) + readers_period(chat, period);
            }
            self.chats.insert(chat.to_owned(), known);
        }
        place
    }

    /// Nothing left after all.
    pub fn give_back(&mut self, place: Place) {
        *self.held.of(place.priority) = self.held.get(place.priority).saturating_sub(1);
        if place.priority == Priority::Push {
            self.last = place.last;
        }
        // An answer may have left for the chat meanwhile: then what was taken stays taken.
        if let (Some(before), Some((_, period)), Some(known)) =
            (place.before, self.bucket(&place.chat), self.chats.get_mut(&place.chat))
            && known.full <= before.full.max(known.last) + period
        {
            let shut_until = known.shut_until;
            *known = Chat { shut_until, ..before };
        }
    }

    /// A request was answered, or given up.
    pub fn end(&mut self, place: &Place, now: Ms) {
        // They are told of in the order in which somebody looked, which need not be that of their answers.
        let later = self.landed.iter().rposition(|(at, _)| *at <= now).map_or(0, |at| at + 1);
        self.landed.insert(later, (now, place.priority));
        let bucket = self.bucket(&place.chat);
        if let (Some((_, period)), Some(known)) = (bucket, self.chats.get_mut(&place.chat)) {
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

    /// Until when the platform wants nothing at all.
    pub fn shut_until(&self) -> Ms {
        self.shut_until
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

    /// Whether more than half of the invalid requests that are allowed were made: then channels that refuse us are not
    /// tried again for a while.
    pub fn is_wary(&mut self, now: Ms) -> bool {
        self.too_many_invalid(now);
        self.invalid.len() >= (self.limits.invalid / 2).max(1)
    }

    fn too_many_invalid(&mut self, now: Ms) -> Option<Ms> {
        while self.invalid.front().is_some_and(|at| at + INVALID_WINDOW <= now) {
            self.invalid.pop_front();
        }
        let over = self.invalid.len() >= self.limits.invalid;
        self.invalid.front().filter(|_| over).map(|at| at + INVALID_WINDOW)
    }
}

/// Telegram's groups and channels have negative numbers.
fn is_group(number: &str) -> bool {
    number.starts_with('-')
}

/// How often readers' answers may come in a chat, in the long run: what is left is for pushes and those who manage it.
fn readers_period(chat: &str, period: Ms) -> Ms {
    if chat.split_once(':').is_some_and(|(_, number)| is_group(number)) { period * 2 } else { period * 3 / 2 }
}

fn readers_burst(chat: &str, burst: u32) -> u32 {
    if chat.split_once(':').is_some_and(|(_, number)| is_group(number)) { burst.min(2) } else { burst }
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

    /// How many requests a second the platform allows.
    pub fn per_second(&self) -> u32 {
        self.budget().limits.per_second
    }

    /// The clock that it goes by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits for the turn of an answer: before every push, and within the limits. The request must leave while the turn
    /// is held.
    pub async fn turn(&self, priority: Priority, chat: &str) -> Turn<'_> {
        let mut waiting: Option<Waiting<'_>> = None;
        loop {
            let now = self.clock.now();
            let taken = {
                let mut budget = self.budget();
                let taken = budget.take(priority, chat, now);
                // Its own chat's limit is nothing that pushes elsewhere must wait for.
                if matches!(taken, Err(Wait::All(_))) && waiting.is_none() {
                    *budget.waiting.of(priority) += 1;
                    waiting = Some(Waiting { pace: self, priority });
                }
                taken
            };
            let until = match taken {
                Ok(place) => return Turn { pace: self, place },
                Err(Wait::Chat(until)) => {
                    waiting = None;
                    until
                }
                Err(Wait::All(until)) => until,
            };
            let wait = Duration::from_millis(u64::try_from(until - now).unwrap_or(0).max(1));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.freed.notified() => {}
            }
        }
    }

    /// How long a reader of a chat would wait for an answer, as far as the chat alone counts.
    pub fn wait_of_readers(&self, chat: &str) -> Duration {
        let until = self.budget().chat_next(Priority::Reader, chat);
        Duration::from_millis(u64::try_from(until - self.clock.now()).unwrap_or(0))
    }

    /// A request that left in its place was answered.
    pub fn landed(&self, place: &Place) {
        self.budget().end(place, self.clock.now());
        self.freed.notify_one();
    }
}

/// An answer that waits for the platform's overall limit.
struct Waiting<'a> {
    pace: &'a Pace,
    priority: Priority,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut budget = self.pace.budget();
        let waiting = budget.waiting.of(self.priority);
        *waiting = waiting.saturating_sub(1);
    }
}

/// A request's turn: until this is dropped it counts as under way.
pub struct Turn<'a> {
    pace: &'a Pace,
    place: Place,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.landed(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(budget: &mut Budget, priority: Priority, chat: &str, now: Ms) -> bool {
        budget.take(priority, chat, now).is_ok()
    }

    fn wait(budget: &mut Budget, priority: Priority, chat: &str, now: Ms) -> Wait {
        budget.take(priority, chat, now).expect_err("it has to wait")
    }

    /// What leaves where each chat asks for its own as often as is allowed; every answer takes so long.
    fn traffic(budget: &mut Budget, chats: &[(Priority, &str)], from: Ms, to: Ms, takes: Ms) -> Vec<(Ms, Priority)> {
        let mut left = Vec::new();
        let mut flying: Vec<(Ms, Place)> = Vec::new();
        for now in from..to {
            flying.retain(|(at, place)| {
                let landed = at + takes <= now;
                if landed {
                    budget.end(place, now);
                }
                !landed
            });
            let mut waiting = Counts::default();
            for (priority, chat) in chats {
                match budget.take(*priority, chat, now) {
                    Ok(place) => {
                        flying.push((now, place));
                        left.push((now, *priority));
                    }
                    Err(Wait::All(_)) => *waiting.of(*priority) += 1,
                    Err(Wait::Chat(_)) => {}
                }
            }
            budget.waiting = waiting;
        }
        left
    }

    fn pushes(budget: &mut Budget, chats: &[&str], from: Ms, to: Ms, takes: Ms) -> Vec<Ms> {
        let chats: Vec<(Priority, &str)> = chats.iter().map(|chat| (Priority::Push, *chat)).collect();
        traffic(budget, &chats, from, to, takes).into_iter().map(|(at, _)| at).collect()
    }

    fn most_within(times: &[Ms], window: Ms) -> usize {
        (0..times.len())
            .map(|at| times[at..].iter().take_while(|it| **it < times[at] + window).count())
            .max()
            .unwrap_or(0)
    }

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|n| format!("telegram:{n}")).collect()
    }

    #[test]
    fn no_second_ever_sees_more_than_the_limit_and_hardly_less_is_reached() {
        let names = names(400);
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
        let place = budget.take(Priority::Manager, "telegram:5", 5_000).expect("a place");
        budget.end(&place, 5_001);
        assert_eq!(wait(&mut budget, Priority::Push, "telegram:5", 5_100), Wait::Chat(6_001));
        assert!(go(&mut budget, Priority::Manager, "telegram:5", 5_100));
        assert!(go(&mut budget, Priority::Manager, "telegram:5", 5_200));
        assert!(matches!(wait(&mut budget, Priority::Manager, "telegram:5", 5_300), Wait::Chat(_)));
        *budget.waiting.of(Priority::Manager) = 1;
        assert!(
            matches!(wait(&mut budget, Priority::Push, "telegram:9", 9_000), Wait::All(_)),
            "pushes wait for answers"
        );
    }

    #[test]
    fn what_the_platform_shuts_stays_shut_and_others_go_on() {
        let mut budget = Budget::new(Limits::discord(50, 3), 0);
        let push = |budget: &mut Budget, chat: &str, now| budget.take(Priority::Push, chat, now).err();
        budget.shut_chat("discord:1", 9_000);
        assert_eq!(push(&mut budget, "discord:1", 2_000), Some(Wait::Chat(9_000)));
        assert_eq!(push(&mut budget, "discord:2", 2_000), None);
        budget.shut(4_000);
        assert_eq!(push(&mut budget, "discord:2", 3_000), Some(Wait::All(4_000)));
        budget.rest(4_500);
        assert_eq!((push(&mut budget, "discord:2", 4_000), budget.rests(4_000)), (Some(Wait::All(4_500)), true));
        assert!(go(&mut budget, Priority::Reader, "discord:2", 4_000) && !budget.rests(4_500), "answers do not rest");
        assert_eq!((budget.invalid(5_000), budget.invalid(5_001)), (1, 2));
        assert_eq!(push(&mut budget, "discord:2", 5_100), None);
        budget.invalid(5_002);
        assert_eq!(push(&mut budget, "discord:2", 5_100), Some(Wait::All(605_000)), "far from Discord's 10,000");
        assert!(go(&mut budget, Priority::Reader, "discord:2", 5_100));
    }

    #[test]
    fn a_place_that_nothing_left_in_is_free_again() {
        let mut budget = Budget::new(Limits::telegram(2, 20), 0);
        let place = budget.take(Priority::Push, "telegram:5", 5_000).expect("a place");
        budget.give_back(place);
        assert!(go(&mut budget, Priority::Push, "telegram:5", 5_000), "the chat and the second have room");
        assert!(go(&mut budget, Priority::Manager, "telegram:6", 5_000));
        assert!(!go(&mut budget, Priority::Manager, "telegram:7", 5_000), "two are under way");
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        let place = budget.take(Priority::Push, "telegram:5", 5_000).expect("a place");
        assert!(go(&mut budget, Priority::Manager, "telegram:5", 5_000));
        budget.give_back(place);
        assert!(!go(&mut budget, Priority::Push, "telegram:5", 5_500), "the answer still counts");
    }

    #[test]
    fn readers_who_ask_without_end_leave_room_for_pushes_and_for_those_who_manage() {
        let readers = names(60);
        let pushed: Vec<String> = (100..500).map(|n| format!("telegram:{n}")).collect();
        let mut chats: Vec<(Priority, &str)> = readers.iter().map(|chat| (Priority::Reader, chat.as_str())).collect();
        chats.extend(pushed.iter().map(|chat| (Priority::Push, chat.as_str())));
        chats.push((Priority::Manager, "telegram:999"));
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        let left = traffic(&mut budget, &chats, 0, 21_000, 20);
        let count = |of| left.iter().filter(|(_, it)| *it == of).count();
        assert!(count(Priority::Push) >= 250, "{} pushes in 20 seconds", count(Priority::Push));
        assert!(count(Priority::Reader) >= 200, "{} answers in 20 seconds", count(Priority::Reader));
        assert!(count(Priority::Manager) >= 19, "{} answers to the manager", count(Priority::Manager));
        let times: Vec<Ms> = left.iter().map(|(at, _)| *at).collect();
        assert!(most_within(&times, 1_000) <= 30);
    }

    #[test]
    fn a_group_in_which_somebody_asks_without_end_still_gets_its_pushes() {
        let group = "telegram:-5";
        let mut budget = Budget::new(Limits::telegram(30, 20), 0);
        let chats = [(Priority::Reader, group), (Priority::Push, group), (Priority::Manager, "telegram:6")];
        let left = traffic(&mut budget, &chats, 0, 301_000, 20);
        let times = |of| left.iter().filter(|(_, it)| *it == of).map(|(at, _)| *at).collect::<Vec<Ms>>();
        let pushes = times(Priority::Push);
        let longest = pushes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        assert!(longest <= 10_000, "a push waited for {longest} ms");
        let group = left.iter().filter(|(_, it)| *it != Priority::Manager).map(|(at, _)| *at).collect::<Vec<Ms>>();
        assert!(most_within(&group, 60_000) <= 20);
        assert!(times(Priority::Reader).len() >= 30, "readers are answered, too");
    }
}
