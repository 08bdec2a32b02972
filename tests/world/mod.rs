//! Dispatch on virtual time: the real store, ledger and office, against pure models of both platforms, in a world where
//! everything goes wrong. A seed tells the whole story; a failing one is repeated by
//! `STRILLONE_SEED=7 cargo test --test all world -- --nocapture`.

pub mod platforms;
mod stories;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use record::{
    channel::{Network, PlaceKind},
    entry::{Author, Correction, Draft, Event as Happening, Importance, Level, Opening, Ref, Retraction, Said},
    import::random_key,
    lang::{Lang, Prose},
    outbox::{Ms, Outcome, State},
    private::{Address, Fact},
    store::{Drafted, Memory, Options, Set, Store},
    subscription::{Follow, What},
};
use strillone::dispatch::{
    Event,
    errand::{Errand, Order},
    office::{Happened, Office, Placed, Rules, Unsure, Word},
    pace::{Clock, Limits, Pace},
};

use platforms::{Message, Platform};

const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const HOUR: Ms = 60 * MINUTE;

/// Random numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn between(&mut self, a: Ms, b: Ms) -> Ms {
        a + (self.below((b - a) as u64)) as Ms
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What is going to happen.
#[derive(Clone, Debug)]
enum Plan {
    /// An order arrives at its platform.
    Arrives(Placed),
    /// Its outcome is told.
    Told(u64, Outcome),
    Record,
    Correct,
    Retract,
    Kill,
    Wake,
    Outage(Network, bool),
    Kick(String, bool),
    Close(String, bool),
    Migrate(String),
    Limit(String),
    Unsubscribe(Address),
    /// A platform refuses everything, or not any more.
    RefuseAll(Network, bool),
    /// A chat refuses everything in words that nobody knows, or not any more.
    Refuse(String, bool),
    /// A platform that refused our token takes it again.
    Open(Network),
}

/// A channel that follows everything.
#[derive(Clone, Debug)]
struct Follower {
    address: Address,
    place: PlaceKind,
    major_only: bool,
}

struct World {
    dice: Dice,
    now: Ms,
    queue: BTreeMap<(Ms, u64), Plan>,
    count: u64,
    dir: PathBuf,
    _keep: tempfile::TempDir,
    memory: Memory,
    store: Option<Arc<Store>>,
    office: Option<Office>,
    wake: Option<Ms>,
    unsure: Unsure,
    platforms: [Platform; 2],
    followers: Vec<Follower>,
    left: BTreeMap<String, u64>,
    /// Entries by number: the words they should show now.
    entries: BTreeMap<u32, String>,
    retracted: BTreeSet<u32>,
    /// Telegram messages of which nobody could know whether they arrived: by chat.
    doubts: BTreeMap<String, u32>,
    flying: BTreeMap<u64, Order>,
    most_uncertain: usize,
    kills: u32,
    log: bool,
    /// Nothing is lost, and nothing hangs but what is in slow chats.
    calm: bool,
    slow: BTreeSet<String>,
    /// What owners and subscribers were told.
    words: Vec<Word>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.office = None;
        self.store = None;
    }
}

fn limits() -> [Limits; 2] {
    [Limits::telegram(30, 20), Limits::discord(50, 2_000)]
}

impl World {
    fn new(seed: u64, unsure: Unsure) -> World {
        let fast = PathBuf::from("/dev/shm");
        let keep = if fast.is_dir() { tempfile::tempdir_in(fast) } else { tempfile::tempdir() }.unwrap();
        let mut world = World {
            dice: Dice(seed),
            now: 1_700_000_000_000,
            queue: BTreeMap::new(),
            count: 0,
            dir: keep.path().to_owned(),
            _keep: keep,
            memory: Memory::default(),
            store: None,
            office: None,
            wake: None,
            unsure,
            platforms: [Platform::new(Network::Telegram), Platform::new(Network::Discord)],
            followers: Vec::new(),
            left: BTreeMap::new(),
            entries: BTreeMap::new(),
            retracted: BTreeSet::new(),
            doubts: BTreeMap::new(),
            flying: BTreeMap::new(),
            most_uncertain: 0,
            kills: 0,
            log: std::env::var_os("STRILLONE_SEED").is_some(),
            calm: false,
            slow: BTreeSet::new(),
            words: Vec::new(),
        };
        world.wake_up();
        world.say(vec![world.draft(Said::Opening(Opening {
            title: prose("X"),
            summary: None,
            zone: chrono_tz::Tz::UTC,
        }))]);
        world
    }

    fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now).unwrap()
    }

    fn note(&self, text: impl FnOnce() -> String) {
        if self.log {
            println!("{} {}", (self.now - 1_700_000_000_000) as f64 / 1000.0, text());
        }
    }

    fn plan(&mut self, at: Ms, plan: Plan) {
        self.count += 1;
        self.queue.insert((at, self.count), plan);
    }

    fn wake_up(&mut self) {
        let options = Options { memory: Some(self.memory.clone()), ..Options::new(&self.dir) };
        let store = Arc::new(Store::open(options, &mut |_, _| {}).unwrap());
        let clock = Clock::start();
        let paces = limits().map(|limits| {
            let pace = Pace::new(limits, clock);
            *pace.budget() = strillone::dispatch::pace::Budget::new(limits, self.now);
            Arc::new(pace)
        });
        let rules = Rules {
            zone: chrono_tz::Tz::UTC,
            unsure: self.unsure,
            telegram_in_flight: 8,
            discord_in_flight: 32,
            keep: 365 * 24 * HOUR,
        };
        let (office, _) = Office::open(Arc::clone(&store), rules, paces, self.now).unwrap();
        self.store = Some(store);
        self.office = Some(office);
        self.turn(vec![Happened::Open(Network::Telegram), Happened::Open(Network::Discord)]);
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn draft(&self, said: Said) -> Drafted {
        Drafted::from(Draft {
            incident: "x".parse().unwrap(),
            author: Author("tester".to_owned()),
            key: random_key().unwrap(),
            importance: Importance::Normal,
            known: None,
            dossier: false,
            push: !matches!(said, Said::Opening(_)),
            said,
        })
    }

    fn say(&mut self, said: Vec<Drafted>) -> u32 {
        let at = self.at();
        let receipt = self.store().say(Set { ask: None, expects: Vec::new(), said, at }).unwrap();
        receipt.entries.first().map_or(0, |entry| entry.number)
    }

    fn follow(&mut self, address: &str, place: PlaceKind, major_only: bool) {
        let address = Address(address.to_owned());
        let mut follow = Follow::of(What::All);
        if major_only {
            follow.min_importance = Importance::Major;
        }
        let fact = Fact::Subscription {
            address: address.clone(),
            settings: Address(address.chat().to_owned()),
            place,
            lang: Lang::En,
            by: Some(Address("telegram:9".to_owned())),
            follow,
        };
        self.say(vec![Drafted::Fact(fact)]);
        self.platform(address.network().unwrap()).chat(&address);
        self.followers.push(Follower { address, place, major_only });
    }

    fn platform(&mut self, network: Network) -> &mut Platform {
        &mut self.platforms[usize::from(network == Network::Discord)]
    }

    fn turn(&mut self, happened: Vec<Happened>) {
        let now = self.now;
        let Some(office) = &mut self.office else { return };
        let turn = office.turn(now, happened);
        assert!(turn.failed.is_none(), "{:?}", turn.failed);
        self.wake = turn.wake;
        self.words.extend(turn.words);
        for placed in turn.orders {
            self.note(|| format!("leaves {} {}", placed.order.to, short(&placed.order.errand)));
            self.flying.insert(placed.id, placed.order.clone());
            let at = now + self.dice.between(2, 200);
            self.plan(at, Plan::Arrives(placed));
        }
        let uncertain = self.flying.values().filter(|it| telegram_post(it)).count();
        self.most_uncertain = self.most_uncertain.max(uncertain);
    }

    /// Lets everything happen until a moment, or until nothing more will.
    fn run(&mut self, until: Ms) {
        let mut turns = 0u64;
        loop {
            let planned = self.queue.first_key_value().map(|((at, _), _)| *at);
            let wake = self.wake.filter(|_| self.office.is_some());
            let Some(next) = [planned, wake].into_iter().flatten().min().filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            turns += 1;
            assert!(turns < 5_000_000, "it turns and turns at {}", self.now);
            if planned == Some(next) {
                let (_, plan) = self.queue.pop_first().unwrap();
                self.happens(plan);
            } else {
                self.turn(Vec::new());
            }
        }
        self.now = until.max(self.now);
    }

    fn happens(&mut self, plan: Plan) {
        match plan {
            Plan::Arrives(placed) => self.arrives(placed),
            Plan::Told(id, outcome) => {
                self.flying.remove(&id);
                let at = self.now;
                self.turn(vec![Happened::Came(id, outcome, at)]);
            }
            Plan::Record => self.record(),
            Plan::Correct => self.correct(),
            Plan::Retract => self.retract(),
            Plan::Kill => self.kill(),
            Plan::Wake => {
                if self.office.is_none() {
                    self.wake_up();
                }
            }
            Plan::Outage(network, down) => {
                self.note(|| format!("{} is {}", network.name(), if down { "down" } else { "up" }));
                self.platform(network).down = down;
            }
            Plan::Kick(chat, out) => self.kick(&chat, out),
            Plan::Close(chat, closed) => {
                self.note(|| format!("{chat} topics closed: {closed}"));
                self.platform(Network::Telegram).chat(&Address(chat)).closed = closed;
            }
            Plan::Migrate(chat) => self.migrate(&chat),
            Plan::Limit(chat) => {
                let until = self.now + self.dice.between(SECOND, 5 * MINUTE);
                let address = Address(chat);
                self.platform(address.network().unwrap()).chat(&address).limited_until = until;
            }
            Plan::RefuseAll(network, all) => {
                self.note(|| format!("{} refuses everything: {all}", network.name()));
                self.platform(network).refuses_all = all;
            }
            Plan::Refuse(chat, refuses) => {
                self.note(|| format!("{chat} refuses in strange words: {refuses}"));
                let address = Address(chat);
                let words = refuses.then_some("STRANGE_WORDS");
                self.platform(address.network().unwrap()).chat(&address).refuses = words;
            }
            Plan::Open(network) => {
                if self.office.is_some() {
                    self.turn(vec![Happened::Open(network)]);
                }
            }
            Plan::Unsubscribe(address) => {
                if self.office.is_some() {
                    self.say(vec![Drafted::Fact(Fact::Unsubscription { address: address.clone(), what: None })]);
                    let commit = self.store().head().commit;
                    self.left.insert(address.0, commit);
                }
            }
        }
    }

    /// A request arrives, or does not; its answer comes back, or does not.
    fn arrives(&mut self, placed: Placed) {
        let (network, order) = (placed.network, placed.order);
        let now = self.now;
        let (lost, cut) = (self.dice.chance(2) && !self.calm, self.dice.chance(2) && !self.calm);
        let down = self.platform(network).down;
        let outcome = match () {
            () if down && self.dice.chance(70) => Outcome::NotSent("connection refused".to_owned()),
            () if down && matches!(order.errand, Errand::Probe) => Outcome::NotSent("connection refused".to_owned()),
            // Some requests die in an outage, and some are done all the same.
            () if down && self.dice.chance(50) => Outcome::Unsure("502".to_owned()),
            // The token is refused once, for no reason.
            () if !self.calm && !down && self.dice.below(300) == 0 => {
                let at = now + self.dice.between(SECOND, 2 * MINUTE);
                self.plan(at, Plan::Open(network));
                Outcome::Token
            }
            () if lost && !down => Outcome::Unsure("cut before".to_owned()),
            () => {
                let done = self.platform(network).arrives(&order, now);
                if cut || down { Outcome::Unsure("cut after".to_owned()) } else { done }
            }
        };
        self.note(|| format!("{} {} comes to {outcome:?}", order.to, short(&order.errand)));
        if matches!(outcome, Outcome::Unsure(_)) && telegram_post(&order) {
            *self.doubts.entry(order.to.chat().to_owned()).or_default() += 1;
        }
        // Some answers hang until a client would give up.
        let takes = match self.dice.chance(3) && !self.calm || self.slow.contains(order.to.chat()) {
            true => self.dice.between(5 * SECOND, 40 * SECOND),
            false => self.dice.between(2, 100),
        };
        self.plan(now + takes, Plan::Told(placed.id, outcome));
    }

    fn record(&mut self) {
        if self.office.is_none() {
            return;
        }
        let text = format!("happening {}", self.entries.len());
        let when = "2026-01-02".parse().unwrap();
        let said = Said::Event(Happening { when, as_of: None, text: prose(&text), sources: Vec::new(), rival: None });
        let number = self.say(vec![self.draft(said)]);
        self.note(|| format!("recorded x#{number}"));
        self.entries.insert(number, text);
        self.turn(Vec::new());
    }

    fn some_entry(&mut self) -> Option<u32> {
        let open: Vec<u32> = self.entries.keys().copied().filter(|it| !self.retracted.contains(it)).collect();
        (!open.is_empty()).then(|| open[self.dice.below(open.len() as u64) as usize])
    }

    fn correct(&mut self) {
        let (Some(number), true) = (self.some_entry(), self.office.is_some()) else { return };
        let text = format!("corrected {number} at {}", self.now % 1_000_000);
        let when = "2026-01-02".parse().unwrap();
        let now = Said::Event(Happening { when, as_of: None, text: prose(&text), sources: Vec::new(), rival: None });
        let level = [Level::Silent, Level::Correction, Level::Material][self.dice.below(3) as usize];
        let importance = (level == Level::Material && self.dice.chance(50)).then_some(Importance::Major);
        let correction = Correction {
            subject: Ref::Number(number),
            now: Box::new(now),
            what: prose("it was wrong"),
            level,
            importance,
            known: None,
        };
        let own = self.say(vec![self.draft(Said::Correction(correction))]);
        self.note(|| format!("x#{own} corrects x#{number} ({level:?}, {importance:?})"));
        self.entries.insert(number, text);
        self.turn(Vec::new());
    }

    fn retract(&mut self) {
        let (Some(number), true) = (self.some_entry(), self.office.is_some()) else { return };
        let retraction = Retraction { subject: Ref::Number(number), why: prose("it never happened") };
        self.say(vec![self.draft(Said::Retraction(retraction))]);
        self.note(|| format!("retracted x#{number}"));
        self.retracted.insert(number);
        self.turn(Vec::new());
    }

    fn kill(&mut self) {
        if self.office.is_none() {
            return;
        }
        self.kills += 1;
        self.note(|| "killed".to_owned());
        // Whatever was not told by now never will be.
        let told: Vec<(Ms, u64)> =
            self.queue.iter().filter(|(_, it)| matches!(it, Plan::Told(..))).map(|(key, _)| *key).collect();
        for key in told {
            self.queue.remove(&key);
        }
        let uncertain: Vec<Order> = self.flying.values().filter(|it| telegram_post(it)).cloned().collect();
        assert!(uncertain.len() <= 8, "{} messages of unknown fate", uncertain.len());
        let chats: BTreeSet<String> = uncertain.iter().map(|it| it.to.chat().to_owned()).collect();
        assert_eq!(chats.len(), uncertain.len(), "two of unknown fate in one chat");
        for order in uncertain {
            *self.doubts.entry(order.to.chat().to_owned()).or_default() += 1;
        }
        self.flying.clear();
        self.office = None;
        let unsynced = self.memory.unsynced() as u64;
        let survive = self.dice.below(unsynced + 1) as usize;
        self.memory.die(survive);
        self.store = None;
        // Closing syncs; a death does not, but the journal is what counts, and it is all there.
        self.wake = None;
        let at = self.now + self.dice.between(SECOND, 3 * MINUTE);
        self.plan(at, Plan::Wake);
    }

    fn kick(&mut self, chat: &str, out: bool) {
        self.note(|| format!("{chat} {}", if out { "shuts" } else { "opens" }));
        let address = Address(chat.to_owned());
        self.platform(address.network().unwrap()).chat(&address).shut = out;
        if !out && self.office.is_some() && self.dice.chance(60) {
            self.turn(vec![Happened::Event(Event::Returned(address))]);
        } else if out && self.office.is_some() && self.dice.chance(50) {
            self.turn(vec![Happened::Event(Event::Removed { address, why: "kicked".to_owned() })]);
        }
    }

    fn migrate(&mut self, chat: &str) {
        let to = format!("{}99", chat.replace("telegram:-", "telegram:-100"));
        self.note(|| format!("{chat} moves to {to}"));
        let platform = self.platform(Network::Telegram);
        let old = platform.chats.get_mut(chat).unwrap();
        old.moved = Some(to.clone());
        platform.chats.entry(to.clone()).or_default();
        for follower in &mut self.followers {
            if follower.address.0 == chat {
                follower.address = Address(to.clone());
            }
        }
        if self.office.is_some() && self.dice.chance(50) {
            let event = Event::Moved { from: Address(chat.to_owned()), to: Address(to) };
            self.turn(vec![Happened::Event(event)]);
        }
    }

    /// A few days in which everything may go wrong.
    fn troubled_days(&mut self, days: Ms, entries: usize) {
        let (start, span) = (self.now, days * 24 * HOUR);
        for _ in 0..entries {
            let at = start + self.dice.between(0, span);
            // Sometimes several at once.
            for more in 0..1 + Ms::from(self.dice.chance(20)) * self.dice.between(1, 5) {
                let gap = self.dice.between(0, 2_000);
                self.plan(at + more * gap, Plan::Record);
            }
            if self.dice.chance(40) {
                let later = self.dice.between(1_000, 6 * HOUR);
                self.plan(at + later, Plan::Correct);
            }
            if self.dice.chance(10) {
                let later = self.dice.between(1_000, 6 * HOUR);
                self.plan(at + later, Plan::Retract);
            }
        }
        for _ in 0..days * 6 {
            let at = start + self.dice.between(0, span);
            self.plan(at, Plan::Kill);
        }
        // Some deaths come just when something is recorded.
        let busy: Vec<Ms> =
            self.queue.iter().filter(|(_, it)| matches!(it, Plan::Record)).map(|((at, _), _)| *at).collect();
        for at in busy {
            if self.dice.chance(25) {
                let after = self.dice.between(1, 1_500);
                self.plan(at + after, Plan::Kill);
            }
        }
        for network in Network::ALL {
            for _ in 0..days {
                let at = start + self.dice.between(0, span);
                let ends = at + self.dice.between(MINUTE, 5 * HOUR);
                self.plan(at, Plan::Outage(network, true));
                self.plan(ends, Plan::Outage(network, false));
            }
        }
        for network in Network::ALL {
            for _ in 0..days {
                let at = start + self.dice.between(0, span);
                let ends = at + self.dice.between(SECOND, 10 * MINUTE);
                self.plan(at, Plan::RefuseAll(network, true));
                self.plan(ends, Plan::RefuseAll(network, false));
            }
        }
        let chats: Vec<String> = self.followers.iter().map(|it| it.address.chat().to_owned()).collect();
        for chat in chats {
            if self.dice.chance(30) {
                let at = start + self.dice.between(0, span);
                self.plan(at, Plan::Refuse(chat.clone(), true));
                let back = at + self.dice.between(MINUTE, 10 * HOUR);
                self.plan(back, Plan::Refuse(chat.clone(), false));
            }
            if self.dice.chance(30) {
                let at = start + self.dice.between(0, span);
                self.plan(at, Plan::Kick(chat.clone(), true));
                let back = at + self.dice.between(MINUTE, 3 * 24 * HOUR);
                self.plan(back, Plan::Kick(chat.clone(), false));
            }
            if self.dice.chance(50) {
                let at = start + self.dice.between(0, span);
                self.plan(at, Plan::Limit(chat.clone()));
            }
            if self.dice.chance(30) {
                let at = start + self.dice.between(0, span);
                self.plan(at, Plan::Close(chat.clone(), true));
                let back = at + self.dice.between(MINUTE, 20 * HOUR);
                self.plan(back, Plan::Close(chat.clone(), false));
            }
            if chat == "telegram:-41" && self.dice.chance(70) {
                let at = start + self.dice.between(0, span);
                self.plan(at, Plan::Migrate(chat.clone()));
            }
        }
    }

    /// Everything is well again, and has time to settle.
    fn peace(&mut self) {
        self.run(self.now + 10 * 24 * HOUR);
        for platform in &mut self.platforms {
            (platform.down, platform.refuses_all) = (false, false);
            for chat in platform.chats.values_mut() {
                (chat.shut, chat.closed, chat.refuses) = (false, false, None);
            }
        }
        if self.office.is_none() {
            self.wake_up();
        }
        let addresses: Vec<Address> = self.followers.iter().map(|it| it.address.clone()).collect();
        let moved = self.platforms[0].chats.iter().filter_map(|(from, chat)| Some((from.clone(), chat.moved.clone()?)));
        for (from, to) in moved.collect::<Vec<_>>() {
            self.turn(vec![Happened::Event(Event::Moved { from: Address(from), to: Address(to) })]);
        }
        for address in addresses {
            self.turn(vec![Happened::Event(Event::Returned(address))]);
        }
        self.run(self.now + 3 * 24 * HOUR);
        for network in Network::ALL {
            let due = self.store().ledger().next_due(network, 0).unwrap();
            for due in self.store().ledger().due(network, Ms::MAX, 9).unwrap() {
                let ledger = self.store().ledger();
                let (channel, mailbox) = (ledger.channel(due.channel).unwrap(), ledger.mailbox(due.channel).unwrap());
                println!("{due:?} {channel:?} {mailbox:?} {:?}", ledger.delivery(due.channel, due.commit));
            }
            assert_eq!(due, None, "something is still to be done on {}", network.name());
        }
        let open: Vec<_> = self.store().ledger().tallies().map(Result::unwrap).collect();
        assert!(open.is_empty(), "broadcasts are not over: {open:?}");
    }

    /// The messages of a follower in which an entry is named, oldest first.
    fn copies(&self, follower: &Follower, number: u32) -> Vec<&Message> {
        let platform = &self.platforms[usize::from(follower.address.network() == Some(Network::Discord))];
        let mut messages: Vec<&Message> = Vec::new();
        for (name, chat) in &platform.chats {
            let own = *name == follower.address.chat() || chat.moved.as_deref() == Some(follower.address.chat());
            let here = |it: &&Message| it.to == follower.address || chat.moved.is_some();
            if own {
                messages.extend(chat.messages.iter().filter(here));
            }
        }
        messages.sort_by_key(|it| it.at);
        let name = format!("x#{number}");
        let names = |it: &&Message| {
            let told = it.words.lines().filter(|line| !line.contains("may not have reached you"));
            let mut words = told.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '#')));
            !it.words.starts_with("X · correction") && words.any(|word| word == name)
        };
        messages.into_iter().filter(names).collect()
    }

    fn check(&self) {
        for platform in &self.platforms {
            assert!(platform.exceeded.is_empty(), "{:?}", platform.exceeded);
        }
        for follower in &self.followers {
            self.check_follower(follower);
        }
    }

    /// The newest message about each correction says what holds now, whatever happened after it.
    fn check_replies(&self, follower: &Follower, chat: &platforms::Chat) {
        let who = &follower.address;
        if who.0.ends_with("99") || self.unsure == Unsure::Hold && self.doubts.contains_key(who.chat()) {
            return;
        }
        let mut newest: BTreeMap<&str, &Message> = BTreeMap::new();
        for told in chat.messages.iter().filter(|it| it.to == *who && it.words.starts_with("X · correction")) {
            newest.insert(told.words.trim_end().lines().last().unwrap_or_default(), told);
        }
        for (names, told) in newest {
            let number: u32 = names.split(" · ").next().and_then(|it| it.strip_prefix("x#")).unwrap().parse().unwrap();
            assert!(told.words.contains(&self.entries[&number]), "{who} reads an old x#{number}: {told:#?}");
            let gone = self.retracted.contains(&number);
            assert!(!gone || told.words.contains("Retracted"), "{who} is not told that x#{number} is gone: {told:#?}");
        }
    }

    fn check_follower(&self, follower: &Follower) {
        let who = &follower.address;
        let chats = self.platforms.iter().find_map(|platform| platform.chats.get(who.chat()));
        if let Some(chat) = chats {
            for told in chat.messages.iter().filter(|it| it.words.starts_with("X · correction")) {
                let answers = |id| chat.messages.iter().any(|it| it.id == id && it.at <= told.at);
                assert!(told.reply_to.is_none_or(answers) || who.0.ends_with("99"), "it answers nothing: {told:#?}");
            }
            self.check_replies(follower, chat);
        }
        let discord = who.network() == Some(Network::Discord);
        let left = self.left.get(&who.0).copied();
        let view = self.store().view();
        let incident = view.incident("x").unwrap().unwrap();
        let history = !self.platforms[1].chats.get(who.chat()).is_some_and(|chat| chat.no_history);
        let mut firsts: Vec<(Ms, u64, u32)> = Vec::new();
        let mut doubled = 0;
        for (number, words) in &self.entries {
            let copies = self.copies(follower, *number);
            let entry = view.entry(&incident, *number, None).unwrap().unwrap();
            let gone = self.retracted.contains(number);
            if left.is_some_and(|left| entry.commit > left) {
                assert!(copies.is_empty(), "{who} got x#{number} after it had left");
            }
            for it in &copies {
                let general = it.words.contains("closed or gone") || it.edits > 0;
                assert!(it.to.0.contains('/') == it.topic.is_some() || general, "in the wrong topic: {it:#?}");
            }
            let due = left.is_none() && !gone && (!follower.major_only || entry.importance == Importance::Major);
            if due && self.unsure == Unsure::Repeat {
                assert!(!copies.is_empty(), "{who} misses x#{number}");
            }
            let fresh = |it: &&&Message| !it.words.contains("takes the place of");
            let own: Vec<_> = copies.iter().filter(fresh).collect();
            if own.len() > 1 {
                doubled += own.len() - 1;
                if !discord {
                    // The first may have been a card that was told again as a card.
                    let marked = own
                        .iter()
                        .skip(1)
                        .all(|it| it.words.contains("Sent again") || it.words.contains("What you missed"));
                    let later = own.iter().skip(1).filter(|it| it.words.contains("Sent again")).count();
                    assert!(marked || later > 0, "{who} got x#{number} {} times, unmarked: {own:#?}", own.len());
                }
            }
            if discord && history {
                assert!(own.len() <= 1, "{who} got x#{number} {} times: {own:#?}", own.len());
            }
            if let Some(newest) = copies.last() {
                // A message in a chat that moved away cannot be changed, and a silent fix sends no new one.
                let shown = newest.words.contains(words.as_str())
                    || newest.words.contains("What you missed")
                    || who.0.ends_with("99")
                    || self.unsure == Unsure::Hold && self.doubts.contains_key(who.chat());
                assert!(shown, "{who} reads an old x#{number}, not {words}: {newest:#?}");
                if gone && shown {
                    let unknown = who.0.ends_with("99") || self.doubts.contains_key(who.chat());
                    let told = newest.words.contains("etracted") || unknown && self.unsure == Unsure::Hold;
                    assert!(
                        told || who.0.ends_with("99") || !history,
                        "{who} is not told that x#{number} was retracted: {copies:#?}"
                    );
                }
            }
            if let Some(first) = own.first().filter(|_| !gone) {
                firsts.push((first.at, first.id, *number));
            }
        }
        let doubts = self.doubts.get(who.chat()).copied().unwrap_or(0) as usize;
        let moved = self.doubts.get("telegram:-41").copied().unwrap_or(0) as usize;
        assert!(discord || doubled <= (doubts + moved) * 60, "{who}: {doubled} doubled, {doubts} of unknown fate");
        if !discord && doubts + moved == 0 {
            assert_eq!(doubled, 0, "{who} got something twice, and nothing was of unknown fate");
        }
        if !follower.major_only {
            let mut sorted = firsts.clone();
            sorted.sort();
            let order: Vec<u32> = sorted.iter().map(|(_, _, number)| *number).collect();
            assert!(order.is_sorted(), "{who} got entries out of order: {order:?}");
        }
        let _ = follower.place;
    }
}

fn telegram_post(order: &Order) -> bool {
    order.to.network() == Some(Network::Telegram) && matches!(order.errand, Errand::Post(_))
}

fn short(errand: &Errand) -> String {
    match errand {
        Errand::Post(post) => {
            let words = platforms::words(&post.reply);
            let name = words.rsplit("x#").next().unwrap_or_default();
            format!("post x#{} ({})", name.trim(), post.nonce)
        }
        Errand::Edit { message, .. } => format!("edit {message}"),
        Errand::Find { mark, .. } => format!("find {mark}"),
        Errand::Publish { message } => format!("publish {message}"),
        Errand::Probe => "probe".to_owned(),
    }
}

fn prose(text: &str) -> Prose {
    Prose::one(Lang::En, text).unwrap()
}

fn town(world: &mut World) {
    for n in 1..=3 {
        world.follow(&format!("telegram:{n}"), PlaceKind::Private, false);
    }
    world.follow("telegram:-41", PlaceKind::Group, false);
    world.follow("telegram:-10077/5", PlaceKind::Topic, false);
    world.follow("telegram:-10077/6", PlaceKind::Topic, false);
    world.follow("telegram:4", PlaceKind::Private, true);
    world.follow("telegram:-10088", PlaceKind::Broadcast, false);
    for n in 1..=4 {
        world.follow(&format!("discord:{n}"), PlaceKind::Group, false);
    }
    world.follow("discord:9", PlaceKind::Group, false);
    world.platform(Network::Discord).chat(&Address("discord:9".to_owned())).no_history = true;
}
