//! The queues of the chats: who waits for whom, and which questions are left out.
//!
//! A chat has three lanes: whatever those ask who manage the chat or keep the record; what readers set; and the questions
//! of readers. Lanes do not wait for one another, but nothing goes before something earlier of the same person. Chats
//! never wait for one another.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use commands::kit::Role;
use record::{lang::Text, outbox::Ms, private::Address};
use serde_json::Value;
use tokio::{sync::Notify, time::Instant};
use tracing::Instrument;

use super::{
    hear::{self, Matter, Me},
    send::Target,
    tray::Tray,
    work::Worker,
};
use crate::{
    desk::{Desk, Heard},
    dispatch::pace::Priority,
};

/// A question that is older is not answered, in milliseconds.
const STALE: Ms = 60_000;
/// A question is left out whose answer would have to wait longer than this for its chat's limit.
const LIMITED: Duration = Duration::from_secs(10);
/// The same, with the time that it waited for earlier questions.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many questions may wait in a chat: about as many as a group may be answered within the minute that they count.
const QUESTIONS: usize = 15;
/// How much else of readers may wait in a chat. What those ask who manage it or keep the record has no such end: while
/// too much of everything waits, nothing more is taken in.
const OTHERS: usize = 200;
/// How often a chat is told that questions are left out.
const WORD: Duration = Duration::from_secs(60);
/// When so many chats were told, those are forgotten to whom it was long ago.
const WORDS: usize = 1_000;

const AWAY: Text = Text { en: "I was away: please ask again.", it: "Non c'ero: chiedimelo di nuovo." };
const MANY: Text = Text {
    en: "There are too many questions here at once, so I leave some out. Please ask again in a minute.",
    it: "Qui arrivano troppe domande insieme e ne salto qualcuna. Riprova fra un minuto.",
};

/// An update that wants something of us.
pub struct Item {
    /// Its number.
    pub id: u32,
    matter: Matter,
    /// When it was said, by Telegram's clock, where Telegram tells.
    said: Option<Ms>,
    /// When it came, by ours.
    received: Ms,
    /// Since when it waits here.
    since: Instant,
}

impl Item {
    /// What an update wants, if anything.
    pub fn read(id: u32, raw: &Value, received: Ms, me: &Me) -> Option<Item> {
        let matter = hear::matter(hear::read(raw)?, me)?;
        let date = ["message", "channel_post"].iter().find_map(|kind| raw[*kind]["date"].as_i64());
        Some(Item { id, matter, said: date.map(|date| date.saturating_mul(1_000)), received, since: Instant::now() })
    }

    /// How old it is; `server` is this moment on Telegram's clock, `now` on ours.
    fn age(&self, server: Option<Ms>, now: Ms) -> Ms {
        match (self.said, server) {
            (Some(said), Some(server)) => server - said,
            _ => now - self.received,
        }
    }

    fn heard(&self) -> Option<&Heard> {
        match &self.matter {
            Matter::Ask(heard, _) | Matter::Press(heard, ..) | Matter::Inline(heard, _) => Some(heard),
            Matter::EmptyPress(_) | Matter::Event(..) | Matter::Joined(_) => None,
        }
    }

    /// Whether it comes from somebody who manages the chat or keeps the record, or from Telegram itself.
    fn is_first(&self, desk: &Desk) -> bool {
        self.heard()
            .is_none_or(|heard| heard.shared && heard.manages || desk.role(heard.caller.as_ref()).0 > Role::Reader)
    }

    /// Whoever it comes from: earlier things of theirs go first.
    fn caller(&self) -> Option<Address> {
        self.heard().and_then(|heard| heard.caller.clone())
    }

    /// What makes two questions equal; none for what may not be left out.
    fn question(&self, desk: &Desk) -> Option<String> {
        let heard = self.heard()?;
        if matches!(self.matter, Matter::Inline(..)) {
            return Some(heard.line.clone());
        }
        if self.is_first(desk) || !commands::is_question(&heard.line) {
            return None;
        }
        let words: Vec<&str> = heard.line.split_whitespace().collect();
        let mut key = format!("{} {}", desk.lang_of(heard), words.join(" "));
        if let Matter::Press(_, _, pressed) = &self.matter {
            key += &format!(" of {}", pressed.message);
        }
        // What it says is of the asker alone.
        if commands::called(&heard.line).is_some_and(|command| command.name == "privacy") {
            key += &heard.caller.as_ref().map(Address::to_string).unwrap_or_default();
        }
        Some(key)
    }
}

impl Item {
    /// How urgent its answer is. What a reader writes without a command may be an answer of theirs, but is no more.
    fn priority(&self, desk: &Desk, question: bool) -> Priority {
        let Some(heard) = self.heard() else { return Priority::Manager };
        match question || !self.is_first(desk) && !heard.line.starts_with('/') {
            true => Priority::Reader,
            false => Priority::Manager,
        }
    }
}

/// Which of a chat's lanes something goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    First,
    Others,
    Questions,
}

impl Lane {
    const ALL: [Lane; 3] = [Lane::First, Lane::Others, Lane::Questions];

    /// How much may wait in it.
    fn most(self) -> usize {
        match self {
            Lane::First => usize::MAX,
            Lane::Others => OTHERS,
            Lane::Questions => QUESTIONS,
        }
    }
}

/// Something that waits.
struct Waiting<T> {
    what: T,
    lane: Lane,
    caller: Option<Address>,
    /// What makes two questions equal.
    question: Option<String>,
    /// When it came, by our clock.
    received: Ms,
}

/// What is under way in a lane.
struct Begun {
    caller: Option<Address>,
    question: Option<String>,
    /// When it began: whoever asks the same later may have read its answer already.
    at: Ms,
}

/// One chat's queue.
struct Queue<T> {
    waiting: VecDeque<Waiting<T>>,
    /// What is under way in each lane: whose it is, and which question.
    busy: [Option<Begun>; Lane::ALL.len()],
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { waiting: VecDeque::new(), busy: [const { None }; Lane::ALL.len()] }
    }
}

/// What became of something that was to wait.
#[derive(Debug, PartialEq, Eq)]
enum Put<T> {
    Waits,
    /// The same is asked already: one answer is enough.
    Equal(T),
    /// Too much waits.
    Many(T),
}

impl<T> Queue<T> {
    fn put(&mut self, it: Waiting<T>) -> Put<T> {
        let asked = it.question.is_some();
        let count = self.waiting.iter().filter(|other| other.lane == it.lane).count();
        let under_way = self.busy.iter().flatten().filter(|begun| it.received <= begun.at).map(|begun| &begun.question);
        let same = |question: &Option<String>| asked && *question == it.question;
        if self.waiting.iter().map(|other| &other.question).chain(under_way).any(same) {
            return Put::Equal(it.what);
        }
        if count >= it.lane.most() {
            return Put::Many(it.what);
        }
        self.waiting.push_back(it);
        Put::Waits
    }

    /// The next of a lane that waits for nobody.
    fn begin(&mut self, lane: Lane, now: Ms) -> Option<T> {
        if self.busy[lane as usize].is_some() {
            return None;
        }
        let free = |at: usize, it: &Waiting<T>| {
            it.lane == lane
                && !self.busy.iter().flatten().any(|begun| begun.caller == it.caller)
                && !self.waiting.iter().take(at).any(|earlier| earlier.caller == it.caller)
        };
        let at = self.waiting.iter().enumerate().position(|(at, it)| free(at, it))?;
        let it = self.waiting.remove(at)?;
        self.busy[lane as usize] = Some(Begun { caller: it.caller, question: it.question, at: now });
        Some(it.what)
    }

    fn ended(&mut self, lane: Lane) {
        self.busy[lane as usize] = None;
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.busy.iter().all(Option::is_none)
    }
}

/// Why a question is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Equal,
    Many,
    Stale,
}

/// The queues of all chats.
pub struct Chats {
    worker: Arc<Worker>,
    desk: Desk,
    tray: Arc<Tray>,
    queues: Mutex<HashMap<String, Queue<Item>>>,
    /// When a chat was last told that questions are left out.
    words: Mutex<HashMap<String, Instant>>,
    stopping: AtomicBool,
    ended: Notify,
}

impl Chats {
    /// Without anything that waits.
    pub fn new(worker: &Arc<Worker>, desk: &Desk, tray: &Arc<Tray>) -> Arc<Chats> {
        Arc::new(Chats {
            worker: Arc::clone(worker),
            desk: desk.clone(),
            tray: Arc::clone(tray),
            queues: Mutex::default(),
            words: Mutex::default(),
            stopping: AtomicBool::new(false),
            ended: Notify::new(),
        })
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Queue<Item>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an update to its chat.
    pub fn hand(self: &Arc<Chats>, item: Item) {
        let name = item.matter.queue();
        let (caller, question, received) = (item.caller(), item.question(&self.desk), item.received);
        let lane = match &question {
            Some(_) => Lane::Questions,
            None if item.is_first(&self.desk) => Lane::First,
            None => Lane::Others,
        };
        let waiting = Waiting { lane, caller, question, received, what: item };
        let put = self.queues().entry(name.clone()).or_default().put(waiting);
        match put {
            Put::Waits => self.begin(&name),
            Put::Equal(item) => self.leave_out(&name, item, Why::Equal),
            Put::Many(item) => self.leave_out(&name, item, Why::Many),
        }
    }

    /// Begins nothing more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Comes back once nothing is under way.
    pub async fn at_rest(&self) {
        loop {
            let ended = self.ended.notified();
            if self.queues().values().all(|queue| queue.busy.iter().all(Option::is_none)) {
                return;
            }
            ended.await;
        }
    }

    /// Begins what waits for nobody.
    fn begin(self: &Arc<Chats>, name: &str) {
        if self.stopping.load(Ordering::Relaxed) {
            return;
        }
        let mut queues = self.queues();
        let Some(queue) = queues.get_mut(name) else { return };
        for lane in Lane::ALL {
            if let Some(item) = queue.begin(lane, Utc::now().timestamp_millis()) {
                let (chats, name) = (Arc::clone(self), name.to_owned());
                tokio::spawn(async move { chats.work(&name, lane, item).await });
            }
        }
        if queue.is_idle() {
            queues.remove(name);
        }
    }

    async fn work(self: Arc<Chats>, name: &str, lane: Lane, item: Item) {
        match self.left_out(lane, &item) {
            Some(why) => self.leave_out(name, item, why),
            None => {
                let priority = item.priority(&self.desk, lane == Lane::Questions);
                let Item { id, matter, .. } = item;
                self.handle(id, priority, matter).await;
                self.tray.handled(id);
            }
        }
        if let Some(queue) = self.queues().get_mut(name) {
            queue.ended(lane);
        }
        self.ended.notify_waiters();
        self.begin(name);
    }

    /// Why something is not answered, if it is not: a question grows old, or its chat is asked faster than Telegram lets
    /// us answer there.
    fn left_out(&self, lane: Lane, item: &Item) -> Option<Why> {
        if lane != Lane::Questions {
            return None;
        }
        let waited = item.since.elapsed();
        let here = Ms::try_from(waited.as_millis()).unwrap_or(Ms::MAX);
        if item.age(self.worker.api.server_now(), Utc::now().timestamp_millis()) - here > STALE {
            return Some(Why::Stale);
        }
        let place = item.heard().filter(|_| !matches!(item.matter, Matter::Inline(..)))?.place.parts::<i64, i32>();
        let wait = place.map(|(chat, _)| self.worker.api.wait_of_readers(chat)).unwrap_or_default();
        (wait > LIMITED || waited + wait > PATIENCE).then_some(Why::Many)
    }

    /// Handles one; whatever breaks in it breaks alone.
    async fn handle(&self, id: u32, priority: Priority, matter: Matter) {
        let worker = Arc::clone(&self.worker);
        let span = tracing::info_span!("update", network = "telegram", id, what = matter.kind());
        let task = tokio::spawn(async move { worker.handle(priority, matter).await }.instrument(span));
        if let Err(error) = task.await {
            tracing::error!(update = id, %error, "an update broke while it was handled");
        }
    }

    /// Leaves something out; the chat hears of it in a short word, once a minute.
    fn leave_out(self: &Arc<Chats>, name: &str, item: Item, why: Why) {
        tracing::debug!(update = item.id, ?why, "a question is left out");
        let words = match why {
            Why::Equal => None,
            Why::Many => Some(MANY),
            Why::Stale => Some(AWAY),
        };
        let due = words.filter(|_| item.heard().is_some() && !matches!(item.matter, Matter::Inline(..)));
        let due = due.filter(|_| self.is_due(name));
        let chats = Arc::clone(self);
        tokio::spawn(async move {
            chats.say(&item, due).await;
            chats.tray.handled(item.id);
        });
    }

    async fn say(&self, item: &Item, words: Option<Text>) {
        let said = |heard: &Heard| words.map(|words| words.get(self.desk.lang_of(heard)));
        match &item.matter {
            // The button stops spinning in any case.
            Matter::Press(heard, _, pressed) => {
                self.worker.answer_press(Priority::Reader, &pressed.query, said(heard).unwrap_or_default()).await;
            }
            Matter::EmptyPress(query) => self.worker.answer_press(Priority::Reader, query, "").await,
            Matter::Ask(heard, target) => {
                if let Some(words) = said(heard) {
                    self.worker.say(&Target { edits: None, ..target.clone() }, words, self.desk.lang_of(heard)).await;
                }
            }
            Matter::Inline(..) | Matter::Event(..) | Matter::Joined(_) => {}
        }
    }

    /// Whether a chat was not told within the last minute; now it is.
    fn is_due(&self, name: &str) -> bool {
        let (mut words, now) = (self.words.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if words.len() > WORDS {
            words.retain(|_, last| now.duration_since(*last) < WORD);
        }
        let due = words.get(name).is_none_or(|last| now.duration_since(*last) >= WORD);
        if due {
            words.insert(name.to_owned(), now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(caller: &str, question: Option<&str>, what: &'static str) -> Waiting<&'static str> {
        let lane = match question {
            Some(_) => Lane::Questions,
            None if caller == "olga" => Lane::First,
            None => Lane::Others,
        };
        let (caller, question) = (Some(Address(caller.to_owned())), question.map(str::to_owned));
        Waiting { lane, what, caller, question, received: 5 }
    }

    /// What begins in each lane at this moment.
    fn begun(queue: &mut Queue<&'static str>) -> [Option<&'static str>; 3] {
        Lane::ALL.map(|lane| queue.begin(lane, 5))
    }

    #[test]
    fn what_records_goes_before_others_questions_but_not_before_ones_own() {
        let mut queue = Queue::default();
        for it in [
            from("ann", Some("q1"), "ann asks"),
            from("bob", Some("q2"), "bob asks"),
            from("bob", None, "bob sets"),
            from("olga", None, "olga records"),
        ] {
            assert_eq!(queue.put(it), Put::Waits);
        }
        assert_eq!(
            begun(&mut queue),
            [Some("olga records"), None, Some("ann asks")],
            "bob's question is first for bob"
        );
        assert_eq!(begun(&mut queue), [None; 3], "the lanes are busy, or wait for bob");
        queue.ended(Lane::First);
        assert_eq!(begun(&mut queue), [None; 3]);
        queue.ended(Lane::Questions);
        assert_eq!(begun(&mut queue), [None, None, Some("bob asks")]);
        assert_eq!(begun(&mut queue), [None; 3], "bob's own question is under way");
        queue.ended(Lane::Questions);
        assert_eq!(begun(&mut queue), [None, Some("bob sets"), None]);
        queue.ended(Lane::Others);
        assert!(queue.is_idle());
    }

    #[test]
    fn equal_questions_are_one_and_few_wait() {
        let mut queue = Queue::default();
        assert_eq!(queue.put(from("ann", Some("q"), "1")), Put::Waits);
        assert_eq!(queue.put(from("bob", Some("q"), "2")), Put::Equal("2"));
        assert_eq!(queue.begin(Lane::Questions, 5), Some("1"));
        assert_eq!(queue.put(from("bob", Some("q"), "3")), Put::Equal("3"), "its answer is on the way");
        let later = Waiting { received: 6, ..from("bob", Some("q"), "4") };
        assert_eq!(queue.put(later), Put::Waits, "its answer may be read already");
        queue.waiting.clear();
        let numbers: Vec<String> = (0..=QUESTIONS).map(|number| number.to_string()).collect();
        for number in &numbers[..QUESTIONS] {
            assert_eq!(queue.put(from("ann", Some(number), "x")), Put::Waits);
        }
        assert_eq!(queue.put(from("ann", Some(&numbers[QUESTIONS]), "last")), Put::Many("last"));
        assert_eq!(queue.put(from("ann", None, "a setting")), Put::Waits, "questions leave room for it");
    }

    #[test]
    fn what_those_ask_who_keep_the_record_is_never_left_out_and_waits_for_no_reader() {
        let mut queue = Queue::default();
        for _ in 0..OTHERS {
            assert_eq!(queue.put(from("ann", None, "ann sets")), Put::Waits);
        }
        assert_eq!(queue.put(from("bob", None, "bob sets")), Put::Many("bob sets"), "readers' waiting has an end");
        for _ in 0..=OTHERS {
            assert_eq!(queue.put(from("olga", None, "olga records")), Put::Waits);
        }
        assert_eq!(begun(&mut queue), [Some("olga records"), Some("ann sets"), None]);
    }
}
