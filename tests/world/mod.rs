//! Dispatch on virtual time: the real store, ledger and office, against pure models of both platforms, in a world where
//! everything goes wrong. A seed tells the whole story; a failing one is repeated by
//! `STRILLONE_SEED=7 cargo test --test all world -- --nocapture`.

pub mod platforms;

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

/// Seeds to run: one that is asked for, or a few.
fn seeds(usual: u64) -> Vec<u64> {
    match std::env::var("STRILLONE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => {
            let worlds = std::env::var("STRILLONE_WORLDS").ok().and_then(|worlds| worlds.parse().ok());
            (1..=worlds.unwrap_or(usual)).collect()
        }
    }
}

fn story(seed: u64, unsure: Unsure, entries: usize) -> (Ms, u32) {
    let mut world = World::new(seed, unsure);
    let began = world.now;
    town(&mut world);
    world.run(began + MINUTE);
    world.troubled_days(6, entries);
    let at = world.now + world.dice.between(HOUR, 100 * HOUR);
    world.plan(at, Plan::Unsubscribe(Address("telegram:3".to_owned())));
    world.peace();
    world.check();
    (world.now - began, world.kills)
}

fn told(seed: u64, story: impl FnOnce() -> (Ms, u32) + std::panic::UnwindSafe) -> (Ms, u32) {
    std::panic::catch_unwind(story).unwrap_or_else(|fault| {
        println!("repeat it: STRILLONE_SEED={seed} cargo test --test all world -- --nocapture");
        std::panic::resume_unwind(fault)
    })
}

#[test]
fn in_a_world_where_everything_fails_nobody_misses_an_entry() {
    let (mut hours, mut kills) = (0, 0);
    for seed in seeds(8) {
        let (took, died) = told(seed, move || story(seed, Unsure::Repeat, 40));
        hours += took / HOUR;
        kills += died;
    }
    println!("{hours} hours were lived through, with {kills} kills");
    assert!(kills > 0 && hours > 100);
}

#[test]
fn where_unknown_fates_are_held_nothing_comes_twice() {
    for seed in seeds(4) {
        told(seed, move || {
            let mut world = World::new(seed, Unsure::Hold);
            town(&mut world);
            world.run(world.now + MINUTE);
            world.troubled_days(4, 25);
            world.peace();
            world.check();
            for follower in &world.followers {
                for number in world.entries.keys() {
                    let copies = world.copies(follower, *number);
                    let fresh = copies.iter().filter(|it| !it.words.contains("takes the place of"));
                    let discord = follower.address.network() == Some(Network::Discord);
                    assert!(discord || fresh.count() <= 1, "{} got x#{number} twice", follower.address);
                }
            }
            (0, 0)
        });
    }
}

#[test]
fn a_state_that_was_lost_sends_nothing_twice_and_the_rest_goes_on() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = World::new(seed, Unsure::Repeat);
            town(&mut world);
            world.run(world.now + MINUTE);
            (0..6).for_each(|n| world.plan(world.now + n * 20 * SECOND, Plan::Record));
            let lost = world.now + world.dice.between(0, 150 * SECOND);
            world.run(lost);
            world.office = None;
            world.store = None;
            world.flying.clear();
            world.queue.retain(|_, it| !matches!(it, Plan::Told(..)));
            world.memory.wipe();
            world.wake_up();
            (0..3).for_each(|n| world.plan(world.now + 10 * MINUTE + n * MINUTE, Plan::Record));
            world.plan(world.now + HOUR, Plan::Correct);
            world.run(world.now + 24 * HOUR);
            for follower in world.followers.iter().filter(|it| !it.major_only) {
                for number in world.entries.keys() {
                    let copies = world.copies(follower, *number);
                    let again =
                        |it: &&&Message| it.words.contains("takes the place of") || it.words.contains("Sent again");
                    let fresh: Vec<_> = copies.iter().filter(|it| !again(it)).collect();
                    if world.doubts.contains_key(follower.address.chat()) {
                        continue;
                    }
                    assert!(fresh.len() <= 1, "{} got x#{number} twice: {fresh:#?}", follower.address);
                }
                for number in world.entries.keys().rev().take(3) {
                    assert!(!world.copies(follower, *number).is_empty(), "{} misses x#{number}", follower.address);
                }
            }
            let ledger = world.store().ledger();
            let open = ledger.everything().filter(|it| matches!(it, Ok((_, _, it)) if it.state == State::Waiting));
            assert_eq!(open.count(), 0);
            (0, 0)
        });
    }
}

/// A world with so many chats on each network, all of which follow everything.
fn crowd(seed: u64, telegram: usize, discord: usize) -> World {
    let mut world = World::new(seed, Unsure::Repeat);
    for n in 1..=telegram {
        world.follow(&format!("telegram:{n}"), PlaceKind::Private, false);
    }
    for n in 1..=discord {
        world.follow(&format!("discord:{n}"), PlaceKind::Group, false);
    }
    world.run(world.now + MINUTE);
    world
}

impl World {
    /// The process dies, and its state is lost.
    fn lose_state(&mut self) {
        self.office = None;
        self.store = None;
        self.flying.clear();
        self.queue.retain(|_, it| !matches!(it, Plan::Told(..)));
        self.memory.wipe();
        self.wake = None;
    }

    /// Whether a message of a follower names an entry as possibly missing.
    fn is_told_missing(&self, follower: &Follower, number: u32) -> bool {
        let platform = &self.platforms[usize::from(follower.address.network() == Some(Network::Discord))];
        let messages = platform.chats.get(follower.address.chat()).map(|chat| chat.messages.as_slice());
        let name = format!("x#{number}");
        let names = |line: &str| {
            line.contains("may not have reached you")
                && line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).any(|word| word == name)
        };
        messages.unwrap_or_default().iter().any(|it| it.words.lines().any(names))
    }

    fn has(&self, follower: &Follower, number: u32) -> bool {
        !self.copies(follower, number).is_empty()
    }
}

#[test]
fn a_state_lost_in_the_middle_of_a_broadcast_leaves_only_seconds_uncertain() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = crowd(seed, 150, 100);
            world.calm = true;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            let lost = world.now + world.dice.between(200, 5 * SECOND);
            world.run(lost);
            world.lose_state();
            // What was under way arrives, or does not.
            world.run(world.now + SECOND);
            world.wake_up();
            world.run(world.now + 10 * MINUTE);
            let ledger = world.store().ledger();
            let doubts = |it: &&Follower| {
                let (number, _) = ledger.channel_at(&it.address).unwrap().unwrap();
                !ledger.mailbox(number).unwrap().doubts.is_empty()
            };
            let doubtful: Vec<Address> = world.followers.iter().filter(doubts).map(|it| it.address.clone()).collect();
            assert!(doubtful.len() <= 2 * (30 + 50), "{} channels are uncertain", doubtful.len());
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                assert!(copies.len() <= 1, "{} got it twice: {copies:#?}", follower.address);
                let known = !copies.is_empty() || doubtful.contains(&follower.address);
                assert!(known, "{} lacks it, and nobody knows", follower.address);
            }
            // The next message names what may be missing; it can be sent again.
            world.record();
            world.run(world.now + 10 * MINUTE);
            for follower in world.followers.iter().filter(|it| doubtful.contains(&it.address)) {
                assert!(world.is_told_missing(follower, number), "{} is not told", follower.address);
            }
            world.turn(vec![Happened::Event(Event::Retry)]);
            world.run(world.now + 10 * MINUTE);
            for follower in &world.followers {
                if !world.has(follower, number) {
                    let ledger = world.store().ledger();
                    let (channel, _) = ledger.channel_at(&follower.address).unwrap().unwrap();
                    println!("{:?} {:?}", ledger.mailbox(channel), ledger.deliveries(channel, 0).collect::<Vec<_>>());
                }
                assert!(world.has(follower, number), "{} never got it", follower.address);
            }
            for platform in &world.platforms {
                assert!(platform.exceeded.is_empty(), "{:?}", platform.exceeded);
            }
            (0, 0)
        });
    }
}

#[test]
fn a_state_lost_soon_after_a_kill_or_another_loss_sends_nothing_twice() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = crowd(seed, 150, 100);
            world.calm = true;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            for time in 0..2 {
                let end = world.now + world.dice.between(200, 2 * SECOND);
                world.run(end);
                if time == 0 && world.dice.chance(2) {
                    // It is woken up within three minutes.
                    world.kill();
                    while world.office.is_none() {
                        world.run(world.now + SECOND);
                    }
                    continue;
                }
                world.lose_state();
                // What was under way arrives, or does not.
                world.run(world.now + SECOND);
                world.wake_up();
            }
            world.run(world.now + 10 * MINUTE);
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                let fresh = copies.iter().filter(|it| !it.words.contains("Sent again")).count();
                assert!(fresh <= 1, "{} got it twice: {copies:#?}", follower.address);
            }
            (0, 0)
        });
    }
}

#[test]
fn a_platform_that_refuses_everything_for_a_moment_shuts_nobody_out() {
    for seed in seeds(4) {
        told(seed, move || {
            let mut world = crowd(seed, 100, 40);
            world.calm = true;
            for network in Network::ALL {
                world.platform(network).refuses_all = true;
            }
            let began = world.now;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            world.run(began + 12 * SECOND);
            for network in Network::ALL {
                assert!(world.platform(network).requests < 40, "it is asked again and again");
                world.platform(network).refuses_all = false;
            }
            world.run(began + 3 * MINUTE);
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                let [copy] = copies.as_slice() else { panic!("{} has {copies:#?}", follower.address) };
                assert!(copy.at < began + 45 * SECOND, "{} waited until {}", follower.address, copy.at - began);
            }
            assert!(world.words.is_empty(), "nobody is told of trouble that is over: {:?}", world.words);
            (0, 0)
        });
    }
}

#[test]
fn what_a_chat_or_a_text_is_refused_for_is_found_out() {
    let mut world = crowd(1, 20, 10);
    world.calm = true;
    world.platform(Network::Telegram).chat(&Address("telegram:3".to_owned())).refuses = Some("STRANGE_WORDS");
    world.record();
    let first = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * MINUTE);
    // Everybody else has it; that chat is kept, tried again, and told of when it is well.
    for follower in &world.followers {
        assert_eq!(world.has(follower, first), follower.address.0 != "telegram:3", "{}", follower.address);
    }
    assert!(!world.words.iter().any(|word| matches!(word, Word::Refused { .. })), "it is not the text's fault");
    world.platform(Network::Telegram).chat(&Address("telegram:3".to_owned())).refuses = None;
    world.run(world.now + 2 * HOUR);
    assert!(world.has(&world.followers[2], first), "it was kept, and came");
    // A text whose markup is not taken goes to all as plain words.
    world.platform(Network::Telegram).refuses_markup = true;
    world.record();
    let second = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * MINUTE);
    assert!(world.followers.iter().all(|it| world.has(it, second)), "as plain words everybody gets it");
    world.platform(Network::Telegram).refuses_markup = false;
    // A text that nobody takes while others pass is put aside, and owners hear of it.
    world.platform(Network::Telegram).refuses_words = Some(format!("happening {}", world.entries.len()));
    world.record();
    let third = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * SECOND);
    world.record();
    world.run(world.now + 40 * MINUTE);
    let fourth = *world.entries.keys().last().unwrap();
    for follower in &world.followers {
        let discord = follower.address.network() == Some(Network::Discord);
        assert_eq!((world.has(follower, third), world.has(follower, fourth)), (discord, true), "{}", follower.address);
    }
    let refused = world.words.iter().filter(|word| matches!(word, Word::Refused { .. })).count();
    assert_eq!(refused, 1, "owners are told once: {:?}", world.words);
}

#[test]
fn a_clock_that_was_ahead_or_behind_keeps_nobody_waiting() {
    for by in [3 * 24 * HOUR, 40 * 24 * HOUR, -2 * 24 * HOUR] {
        let mut world = crowd(1, 20, 10);
        let right = world.now;
        // The process starts with a wrong clock, some chats are shut, and it dies.
        world.kill();
        world.queue.clear();
        world.now = right + by;
        world.wake_up();
        for n in 1..=10 {
            world.kick(&format!("telegram:{n}"), true);
        }
        world.record();
        let first = *world.entries.keys().last().unwrap();
        world.run(world.now + 2 * MINUTE);
        world.kill();
        world.queue.clear();
        world.now = right + 5 * MINUTE;
        for n in 1..=10 {
            world.kick(&format!("telegram:{n}"), false);
        }
        world.wake_up();
        world.run(world.now + 2 * HOUR);
        for follower in &world.followers {
            let subscribed =
                world.store().ledger().channel_at(&follower.address).unwrap().unwrap().1.subscriptions.len();
            assert_eq!(subscribed, 1, "{} is still followed", follower.address);
            assert!(world.has(follower, first), "{} waits for the clock ({by} ms off)", follower.address);
        }
    }
}

#[test]
fn what_a_mute_held_back_is_told_when_it_ends() {
    let mut world = crowd(1, 2, 1);
    world.calm = true;
    let who = Address("telegram:1".to_owned());
    let until = DateTime::from_timestamp_millis(world.now + HOUR);
    world.say(vec![Drafted::Fact(Fact::Mute { address: who, incident: "x".parse().unwrap(), off: false, until })]);
    (0..5).for_each(|_| {
        world.record();
        world.run(world.now + 5 * MINUTE);
    });
    let numbers: Vec<u32> = world.entries.keys().copied().collect();
    let muted = world.followers[0].clone();
    assert!(numbers.iter().all(|number| !world.has(&muted, *number)), "nothing comes while it is muted");
    world.run(world.now + 2 * HOUR);
    for number in &numbers {
        assert_eq!(world.copies(&muted, *number).len(), 1, "x#{number} is told when the mute has ended");
    }
    let told = &world.platforms[0].chats["telegram:1"].messages;
    assert_eq!(told.len(), 1, "in one message: {told:#?}");
    assert!(told[0].words.contains("muted here"));
    let open: Vec<_> = world.store().ledger().tallies().map(Result::unwrap).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn chats_that_answer_slowly_do_not_hold_up_the_others() {
    let mut world = World::new(1, Unsure::Repeat);
    world.calm = true;
    for n in 1..=40 {
        world.follow(&format!("telegram:{n}"), PlaceKind::Private, false);
    }
    // A few at once, nothing known of them; then many, once they are known.
    for slow in [7, 20] {
        world.slow = (1..=slow).map(|n| format!("telegram:{n}")).collect();
        if slow > 7 {
            world.record();
            world.run(world.now + HOUR);
        }
        let recorded = world.now;
        world.record();
        let number = *world.entries.keys().last().unwrap();
        world.run(world.now + HOUR);
        for follower in &world.followers {
            let copies = world.copies(follower, number);
            let [copy] = copies.as_slice() else { panic!("{} has {copies:#?}", follower.address) };
            let late = copy.at - recorded;
            let quick = !world.slow.contains(&follower.address.0);
            assert!(!quick || late < 10 * SECOND, "{} waited {late} ms for {slow} slow chats", follower.address);
        }
    }
    assert!(world.most_uncertain <= 8);
    world.check();
}
