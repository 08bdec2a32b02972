//! What pushing costs, printed: the whole path from a recorded entry to the courier, with the real store, ledger, office
//! and budgets, and a platform of our own at the other end that counts as strictly as can be.
//!
//! `cargo bench --bench push` uses 10,000 subscriptions where many are asked for; `cargo bench --bench push -- 1000000`
//! as many as you say.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::VecDeque,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use record::{
    channel::{Network, PlaceKind},
    entry::{Author, Draft, Event, Importance, Opening, Said},
    import,
    lang::{Lang, Prose},
    outbox::{Ms, Outcome},
    pages::{self, Reader, TimelineAsk},
    private::{Address, AskKey, Fact},
    store::{Drafted, Options, Set, Store},
    subscription::{Follow, What},
};
use strillone::dispatch::{
    Dispatch, Running, Setup,
    errand::{Carried, Courier, Errand, Order},
    office::{Rules, Unsure},
    pace::Limits,
};

/// A platform that takes everything within a limit a second, counted over every window of a second.
struct Strict {
    most: usize,
    takes: Duration,
    arrived: Mutex<VecDeque<Instant>>,
    done: AtomicU64,
    refused: AtomicU64,
    first: Mutex<Option<Instant>>,
}

impl Strict {
    fn new(most: usize, takes: Duration) -> Arc<Strict> {
        Arc::new(Strict {
            most,
            takes,
            arrived: Mutex::default(),
            done: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            first: Mutex::new(None),
        })
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

impl Courier for Strict {
    fn carry<'a>(&'a self, order: &'a Order) -> Carried<'a> {
        Box::pin(async move {
            self.first.lock().unwrap().get_or_insert_with(Instant::now);
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes / 2).await;
            }
            if self.most < usize::MAX {
                let (now, mut arrived) = (Instant::now(), self.arrived.lock().unwrap());
                arrived.retain(|at| now - *at < Duration::from_secs(1));
                arrived.push_back(now);
                if arrived.len() > self.most {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    return Outcome::Later { wait: 1_000, all: true };
                }
            }
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes / 2).await;
            }
            let number = match order.errand {
                Errand::Post(_) => self.done.fetch_add(1, Ordering::Relaxed) + 1,
                _ => 0,
            };
            Outcome::Done { id: Some(number), more: false }
        })
    }
}

struct World {
    store: Arc<Store>,
    dir: tempfile::TempDir,
}

impl World {
    fn new(subscriptions: usize) -> World {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(Options::new(dir.path()), &mut |_, _| {}).unwrap());
        let world = World { store, dir };
        world.record(Said::Opening(Opening { title: prose("X"), summary: None, zone: chrono_tz::Tz::UTC }), false);
        for events in 0..40 {
            world.event(&format!("earlier {events}"), false);
        }
        let mut waiting = VecDeque::new();
        for from in (0..subscriptions).step_by(64) {
            let facts = (from..subscriptions.min(from + 64)).map(|n| Drafted::Fact(subscription(n + 1)));
            waiting.push_back(world.store.hand_in(set(facts.collect())));
            if waiting.len() > 64 {
                waiting.pop_front().unwrap().wait().unwrap();
            }
        }
        waiting.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
        world
    }

    fn record(&self, said: Said, push: bool) {
        let draft = Draft {
            incident: "x".parse().unwrap(),
            author: Author("bench".to_owned()),
            key: import::random_key().unwrap(),
            importance: Importance::Normal,
            known: None,
            dossier: false,
            push,
            said,
        };
        self.store.say(set(vec![Drafted::from(draft)])).unwrap();
    }

    fn event(&self, text: &str, push: bool) {
        let when = "2026-01-02".parse().unwrap();
        let event = Event { when, as_of: None, text: prose(text), sources: Vec::new(), rival: None };
        self.record(Said::Event(event), push);
    }

    fn dispatch(&self, runtime: &tokio::runtime::Runtime, telegram: Limits, in_flight: usize) -> (Dispatch, Running) {
        let rules = Rules {
            zone: chrono_tz::Tz::UTC,
            unsure: Unsure::Repeat,
            telegram_in_flight: in_flight,
            discord_in_flight: in_flight,
            keep: Ms::MAX,
        };
        let setup = Setup { rules, telegram, discord: Limits::discord(50, 2_000) };
        Dispatch::start(Arc::clone(&self.store), setup, runtime.handle().clone(), |_| {}).unwrap()
    }

    fn timeline(&self) -> Duration {
        let start = Instant::now();
        let view = self.store.view();
        let incident = view.incident("x").unwrap().unwrap();
        let reader = Reader { lang: Lang::En, zone: None };
        let ask = TimelineAsk { page: 1, ..TimelineAsk::default() };
        let reply = pages::timeline(&view, &incident, &ask, &reader).unwrap();
        assert!(!reply.blocks.is_empty());
        start.elapsed()
    }
}

fn set(said: Vec<Drafted>) -> Set {
    Set { ask: None, expects: Vec::new(), said, at: chrono::Utc::now() }
}

fn subscription(number: usize) -> Fact {
    let address = Address(format!("telegram:{number}"));
    let (settings, follow) = (address.clone(), Follow::of(What::All));
    Fact::Subscription { address, settings, place: PlaceKind::Private, lang: Lang::En, by: None, follow }
}

fn prose(text: &str) -> Prose {
    Prose::one(Lang::En, text).unwrap()
}

fn unlimited() -> Limits {
    Limits { per_second: 1_000_000, private: None, group: None, invalid: usize::MAX }
}

fn wait_for(courier: &Strict, count: u64) -> Duration {
    let start = Instant::now();
    while courier.done() < count {
        std::thread::sleep(Duration::from_millis(2));
    }
    start.elapsed()
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.1?}, {:.1?}", times[times.len() / 2], times[times.len() - 1 - times.len() / 100])
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn main() {
    let many: usize = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("| what | |\n|---|---|");
    ceiling(&runtime);
    recording(many);
    broadcast(&runtime);
    year(&runtime);
}

/// A simulated year: every day ten entries, each sent to 20 chats, and 50 people who look at what is new.
fn year(runtime: &tokio::runtime::Runtime) {
    let world = World::new(20);
    let courier = Strict::new(usize::MAX, Duration::ZERO);
    let (dispatch, office) = world.dispatch(runtime, unlimited(), 64);
    let begun: Arc<dyn Courier> = courier.clone();
    dispatch.open(Network::Telegram, begun);
    let size = |name: &str| record::store::size(&world.dir.path().join(name)) as f64 / 1e6;
    let mut told = Vec::new();
    for day in 0_u64..365 {
        let at = chrono::Utc::now() + chrono::TimeDelta::days(day.cast_signed());
        for number in 0..10 {
            world.event(&format!("news {number} of day {day}: {}", "something happened. ".repeat(10)), true);
        }
        for person in 0..50 {
            let looked = Fact::Looked { address: Address(format!("telegram:9{person}")), commit: day };
            let ask = AskKey { platform: "telegram".to_owned(), bot: "1".to_owned(), id: format!("{day}-{person}") };
            world.store.say(Set { ask: Some(ask), at, ..set(vec![Drafted::Fact(looked)]) }).unwrap();
        }
        wait_for(&courier, (day + 1) * 200);
        if [29, 90, 181, 364].contains(&day) {
            world.store.sync().unwrap();
            told.push(format!("{:.0} + {:.0}", size("journal"), size("sled")));
        }
    }
    println!("| journal and state after 1, 3, 6 and 12 months of a simulated year, MB | {} |", told.join("; "));
    office.stop();
}

/// With the real limits of Telegram, against a platform that refuses the 31st message of any second.
fn ceiling(runtime: &tokio::runtime::Runtime) {
    let world = World::new(700);
    let courier = Strict::new(30, Duration::from_millis(2));
    let (dispatch, office) = world.dispatch(runtime, Limits::telegram(30, 20), 8);
    let begun: Arc<dyn Courier> = courier.clone();
    dispatch.open(Network::Telegram, begun);
    world.event("news", true);
    wait_for(&courier, 30);
    let (start, before) = (Instant::now(), courier.done());
    wait_for(&courier, 630);
    let rate = (courier.done() - before) as f64 / start.elapsed().as_secs_f64();
    println!("| share of Telegram's 30 a second that is reached | {:.1} % |", rate / 30.0 * 100.0);
    println!("| 429s drawn meanwhile | {} |", courier.refused.load(Ordering::Relaxed));
    office.stop();
}

/// What recording one entry costs, however many follow it.
fn recording(many: usize) {
    for subscriptions in [10, 10_000.min(many), many] {
        let world = World::new(subscriptions);
        let times = (0..200)
            .map(|number| {
                let start = Instant::now();
                world.event(&format!("news {number}"), true);
                start.elapsed()
            })
            .collect();
        println!("| recording, {subscriptions} subscriptions, p50 and p99 | {} |", percentiles(times));
        println!("| resident memory with them, MB | {:.0} |", resident());
    }
}

/// 10,000 chats, and a platform without limits.
fn broadcast(runtime: &tokio::runtime::Runtime) {
    let world = World::new(10_000);
    let idle: Vec<Duration> = (0..500).map(|_| world.timeline()).collect();
    let courier = Strict::new(usize::MAX, Duration::ZERO);
    let (dispatch, office) = world.dispatch(runtime, unlimited(), 64);
    let begun: Arc<dyn Courier> = courier.clone();
    dispatch.open(Network::Telegram, begun);
    std::thread::sleep(Duration::from_millis(1_200));
    let start = Instant::now();
    world.event("news", true);
    let recorded = Instant::now();
    let mut busy = Vec::new();
    while courier.done() < 10_000 {
        busy.push(world.timeline());
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = start.elapsed();
    let first = courier.first.lock().unwrap().unwrap();
    println!("| recorded → the first of 10,000 pushes leaves | {:.1?} |", first.saturating_duration_since(recorded));
    println!("| deliveries/s without a platform's limit | {:.0} |", 10_000.0 / took.as_secs_f64());
    println!("| `/timeline`, idle, p50 and p99 | {} |", percentiles(idle));
    println!("| `/timeline` while the broadcast drains, p50 and p99 | {} |", percentiles(busy));
    office.stop();
}
