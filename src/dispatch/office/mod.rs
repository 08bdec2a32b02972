//! The office: decides what leaves next, writes it into the ledger, and reads what came of it. It neither waits nor
//! reads the clock: a turn is given the moment and what happened, and gives back the orders that may leave now. What an
//! order relies on is durable before the order is given back.

mod audience;
mod came;
mod forget;
mod hold;
mod plan;
mod progress;
mod publish;
mod say;
pub(super) mod suspects;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use record::{
    channel::{Channel, ChannelNumber, Network},
    entry::EntryName,
    outbox::{Left, Ms, Outcome, Tally, Trouble},
    private::{Address, Fact},
    store::{Drafted, Known, Set, StateError, Store},
};

use super::{
    Event,
    errand::Order,
    lane::{Doing, Lane},
    pace::Pace,
    words::{self, Subject, Words},
};

/// How many channels one turn looks at for one broadcast: readers and outcomes wait no longer than for these.
const LOOKED_AT: usize = 400;
/// How many channels' messages go into one line of the journal, and how many bytes they may take there.
const IN_A_LINE: ChannelNumber = 1_000;
const LINE: usize = 56 * 1024;
/// For how long channels in trouble are gathered before whoever subscribed them is told: a second try has failed by then.
const GATHERED: Ms = 45_000;
/// The same for what is certain: topics of which the group itself was told instead, and rights that were taken away.
const GATHERED_TOPICS: Ms = 5_000;
/// A global limit of before a start holds at most for so long: then one more request tells.
const LONGEST_LIMIT: Ms = 3_600_000;
/// How long is waited before the journal, or a full disk, is tried again.
const RETRY: Ms = 3_000;
/// A channel in trouble is not tried again sooner than this, whatever is heard of it.
const NUDGE: Ms = 3_000;
/// How many heads are taken from the ledger at once.
const TAKEN: usize = 128;

/// What becomes of a message on Telegram of which nobody knows whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsure {
    /// It is sent again, marked as a repetition.
    Repeat,
    /// It is not; the next message says that it may be missing.
    Hold,
}

/// What the office goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The zone in which clock times are shown to those who chose none.
    pub zone: Tz,
    /// See [`Unsure`].
    pub unsure: Unsure,
    /// How many requests may be under way on Telegram: after a kill so many at most are of unknown fate.
    pub telegram_in_flight: usize,
    /// The same on Discord, where a nonce makes a second try harmless.
    pub discord_in_flight: usize,
    /// For how long after an incident is closed its messages are remembered, so that corrections reach them.
    pub keep: Ms,
}

/// What happened since the last turn.
#[derive(Clone, Debug)]
pub enum Happened {
    /// An order came to this, at this moment.
    Came(u64, Outcome, Ms),
    /// A network can be reached.
    Open(Network),
    /// A network cannot be reached until it is opened again.
    Shut(Network),
    /// Something else.
    Event(Event),
}

/// An order to be carried out now.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its number, by which its outcome is told.
    pub id: u64,
    /// On which network.
    pub network: Network,
    /// The order.
    pub order: Order,
}

/// Somebody should be told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The owners: a platform does not take an entry.
    Refused {
        /// The entry.
        entry: EntryName,
        /// The platform.
        network: Network,
        /// What it said.
        why: String,
    },
    /// The owners: the platform does not take our token.
    Token(Network),
    /// Whoever subscribed some channels: nothing can be posted there any more.
    Trouble {
        /// Whom.
        to: Address,
        /// Which channels, and what the platform said of each.
        channels: Vec<(String, String)>,
        /// Whether only their topics are closed; if so, whether something was posted in the group itself instead.
        closed: Option<bool>,
    },
    /// The owners: broadcasts were under way when the state was lost, so channels may lack an entry.
    Doubtful {
        /// Of how many entries nothing is known but that they were begun.
        entries: u32,
        /// How many channels may lack an entry of which more is known.
        channels: usize,
    },
}

/// What a turn gives back.
#[derive(Debug, Default)]
pub struct Turn {
    /// What leaves now.
    pub orders: Vec<Placed>,
    /// When the next turn is due, if nothing happens before.
    pub wake: Option<Ms>,
    /// Who should be told what.
    pub words: Vec<Word>,
    /// The outcomes of requests, for the metrics: network, kind of request, outcome, milliseconds since the request left.
    pub came: Vec<(Network, &'static str, Outcome, Ms)>,
    /// What of the ledger could not be read or written, the first of it.
    pub failed: Option<StateError>,
}

/// The office.
pub struct Office {
    store: Arc<Store>,
    rules: Rules,
    lanes: [Lane; 2],
    words: Words,
    /// Broadcasts with nothing open any more, and the channel to go on from with what the journal is told of them.
    draining: VecDeque<(u64, ChannelNumber)>,
    /// What became of deliveries whose broadcast the journal knows to be over: by broadcast.
    late: HashMap<u64, Vec<(ChannelNumber, Left)>>,
    /// The commit up to which every broadcast was expanded.
    expanded: u64,
    orders: u64,
    /// The ledger was written since it was last synced, by something that must last.
    dirty: bool,
    /// The journal takes nothing: until this moment no broadcast is begun, then it is tried again.
    mute: Option<Ms>,
    /// Whether that was logged.
    muted: bool,
    /// What came of requests and could not be written down yet.
    unread: Vec<(u64, Outcome, Ms)>,
    /// The moment of this turn.
    now: Ms,
    /// How far the wall's clock is ahead of the one that does not step.
    wall: Ms,
    /// When the next post is to be published to those who follow its channel.
    publish_at: Option<Ms>,
    holding: hold::Holding,
    /// The platforms' global limits, as they are noted.
    limits: [Ms; 2],
    refused: Vec<u64>,
    /// Channels in trouble, by whom is to be told and whether only a topic is closed; and when they are.
    troubles: BTreeMap<(Address, Option<bool>), Vec<Troubled>>,
    tell_at: Option<Ms>,
    forgetting: forget::Forgetting,
    progress: progress::Progress,
}

type Kept<T> = Result<T, StateError>;

/// A channel of which somebody is to be told that nothing can be posted there.
struct Troubled {
    /// When that is told.
    at: Ms,
    channel: ChannelNumber,
    place: String,
    why: String,
}

/// What is to be done about the head of a channel.
enum Step {
    /// It was settled; the next one may be due.
    Settled,
    /// Nothing now: it is due at another time.
    Wait,
    /// This leaves.
    Leave(Box<Order>, Doing),
}

impl Office {
    /// How many requests are under way.
    pub fn flying(&self) -> usize {
        self.lanes.iter().map(Lane::flying).sum()
    }

    /// Opens at a moment: takes up every broadcast where it was left.
    pub fn open(store: Arc<Store>, rules: Rules, paces: [Arc<Pace>; 2], now: Ms) -> Kept<(Office, Vec<Word>)> {
        let [telegram, discord] = paces;
        let lanes = [Lane::new(telegram, rules.telegram_in_flight), Lane::new(discord, rules.discord_in_flight)];
        let expanded = store.ledger().expanded()?;
        let mut office = Office {
            store,
            rules,
            lanes,
            words: Words::default(),
            draining: VecDeque::new(),
            late: HashMap::new(),
            expanded,
            orders: 0,
            dirty: false,
            mute: None,
            muted: false,
            unread: Vec::new(),
            now,
            wall: 0,
            publish_at: Some(0),
            holding: hold::Holding::default(),
            limits: [0; 2],
            refused: Vec::new(),
            troubles: BTreeMap::new(),
            tell_at: None,
            forgetting: forget::Forgetting::default(),
            progress: progress::Progress::default(),
        };
        let words = office.take_up()?;
        office.take_up_limits()?;
        Ok((office, words))
    }

    /// Looks through what was left.
    fn take_up(&mut self) -> Kept<Vec<Word>> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let tallies: Vec<(u64, Tally)> = ledger.tallies().collect::<Kept<_>>()?;
        for (commit, tally) in tallies {
            let known = ledger.broadcast(commit)?.map(|it| it.known);
            if tally.begun && known == Some(Known::Recorded) {
                self.say(Fact::Begun { broadcast: commit });
            }
            if tally.expanded && tally.open == 0 && !tally.drained {
                self.draining.push_back((commit, 1));
            }
        }
        let words = self.take_up_lost()?;
        for (commit, channels) in ledger.attempted()? {
            for channel in channels {
                self.progress.attempted.insert((commit, channel));
                // It was done, or given up for uncertain, and the journal was not told: else the next line would say that
                // it was not attempted.
                if ledger.delivery(channel, commit)?.is_some_and(|it| it.is_untold()) {
                    self.progress.done(commit, channel);
                }
            }
        }
        self.store.sync_ledger()?;
        Ok(words)
    }

    /// What an earlier process noted: a global limit goes on, and moments that only a wrong clock can have noted are bounded.
    fn take_up_limits(&mut self) -> Kept<()> {
        let store = Arc::clone(&self.store);
        let now = self.now;
        for network in Network::ALL {
            if let Some(until) = store.ledger().limit(network)?.filter(|until| *until > now) {
                self.lane(network).pace.budget().shut(until.min(now + LONGEST_LIMIT));
            }
        }
        let bounded = store.ledger().bound_moments(now)?;
        if bounded > 0 {
            tracing::warn!(channels = bounded, "what was put off by a clock that was ahead is due now");
            store.sync_ledger()?;
        }
        Ok(())
    }

    /// Notes a global limit, so that it outlives a restart.
    fn note_limits(&mut self, now: Ms) -> Kept<()> {
        for (at, network) in Network::ALL.into_iter().enumerate() {
            let until = self.lane(network).pace.budget().shut_until();
            if until > now + 1_000 && self.limits.get(at).is_some_and(|noted| *noted != until) {
                self.limits[at] = until;
                self.store.ledger().set_limit(network, until)?;
                self.dirty = true;
            }
        }
        Ok(())
    }

    /// Recovers broadcasts after the ledger was lost: where the journal does not say which channels have an entry, each of
    /// them may have it.
    fn take_up_lost(&mut self) -> Kept<Vec<Word>> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        // A restored record does not know what was delivered since its backup was made.
        let restored = self.store.restored().unwrap_or(0);
        let (mut lost, mut doubtful, mut at) = (false, 0, self.expanded);
        while let Some(broadcast) = ledger.broadcast_after(at)? {
            at = broadcast.commit;
            if ledger.tally(at)?.is_some() {
                continue;
            }
            if broadcast.known == Known::Tracked {
                lost = true;
            }
            let unknown = at <= restored && broadcast.known != Known::Drained;
            if broadcast.known == Known::Begun || unknown {
                let tally = Tally { begun: true, doubtful: true, ..Tally::default() };
                ledger.set_tally(at, Some(&tally))?;
                doubtful += 1;
            }
        }
        let now = self.now;
        let channels = if lost { ledger.take_up_assumed(now)? } else { 0 };
        self.store.sync_ledger()?;
        self.store.clear_restored()?;
        Ok(match (doubtful, channels) {
            (0, 0) => Vec::new(),
            (entries, channels) => vec![Word::Doubtful { entries, channels }],
        })
    }

    fn lane(&mut self, network: Network) -> &mut Lane {
        let [telegram, discord] = &mut self.lanes;
        match network {
            Network::Telegram => telegram,
            Network::Discord => discord,
        }
    }

    /// Notes how far the wall's clock is ahead of the one that turns are told: dates that people gave are meant by the wall's.
    pub fn set_wall(&mut self, ahead: Ms) {
        if (ahead - self.wall).abs() > 5_000 {
            tracing::warn!(
                by = ahead - self.wall,
                "the clock was set; waiting is measured with one that does not step"
            );
        }
        self.wall = ahead;
    }

    /// A moment on the wall's clock.
    fn moment(&self, now: Ms) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(now.saturating_add(self.wall)).unwrap_or_default()
    }

    /// One turn: reads what happened, expands, and gives out what may leave.
    pub fn turn(&mut self, now: Ms, happened: Vec<Happened>) -> Turn {
        let mut turn = Turn::default();
        self.now = now;
        if self.mute.is_some_and(|until| until <= now) {
            self.mute = None;
        }
        for (id, outcome, at) in std::mem::take(&mut self.unread) {
            let read = self.came((id, at), outcome, now, &mut turn);
            turn.failed = turn.failed.or(read.err());
        }
        for it in happened {
            let read = match it {
                Happened::Came(id, outcome, at) => self.came((id, at), outcome, now, &mut turn),
                Happened::Open(network) => {
                    self.lane(network).open();
                    Ok(())
                }
                Happened::Shut(network) => {
                    self.lane(network).shut();
                    Ok(())
                }
                Happened::Event(event) => self.event(event, now),
            };
            // What went wrong with one of them must not hide what happened to the others.
            turn.failed = turn.failed.or(read.err());
        }
        let worked = self.work(now, &mut turn);
        turn.failed = turn.failed.or(worked.err());
        if self.dirty {
            match self.store.sync_ledger() {
                Ok(()) => self.dirty = false,
                Err(error) => {
                    // Nothing leaves that is not durable.
                    for placed in turn.orders.drain(..) {
                        drop(self.lane(placed.network).answered(placed.id, now));
                        self.lane(placed.network).landed(placed.id);
                    }
                    turn.failed = turn.failed.or(Some(error));
                }
            }
        }
        turn
    }

    fn work(&mut self, now: Ms, turn: &mut Turn) -> Kept<()> {
        if self.store.full().is_some() {
            // The ledger must not meet the end of the disk: what is under way is still written down.
            wake(turn, now + RETRY);
            return Ok(());
        }
        self.note_limits(now)?;
        self.release(now, turn)?;
        let busy = self.expand(now)? | self.drain(now)?;
        self.tell_progress(now, turn)?;
        let busy = busy || self.forget(now)?;
        for network in Network::ALL {
            self.plan(network, now, turn)?;
        }
        self.plan_publishing(now, turn)?;
        self.tell(now, turn)?;
        let told = self.draining.is_empty() && self.late.is_empty();
        match self.mute {
            Some(until) => wake(turn, until),
            None if busy || !told => turn.wake = Some(now),
            None => {}
        }
        Ok(())
    }

    /// Tells whoever subscribed them of channels in trouble, unless they are well again or the platform itself is unwell.
    fn tell(&mut self, now: Ms, turn: &mut Turn) -> Kept<()> {
        let Some(at) = self.tell_at else { return Ok(()) };
        if at > now {
            wake(turn, at);
            return Ok(());
        }
        if self.lanes.iter().any(Lane::is_flooded) {
            self.tell_at = Some(now + GATHERED);
            wake(turn, now + GATHERED);
            return Ok(());
        }
        self.tell_at = None;
        for ((to, closed), channels) in std::mem::take(&mut self.troubles) {
            let (due, later): (Vec<Troubled>, Vec<Troubled>) = channels.into_iter().partition(|it| it.at <= now);
            if let Some(next) = later.iter().map(|it| it.at).min() {
                self.tell_at = Some(self.tell_at.map_or(next, |at| at.min(next)));
                self.troubles.insert((to.clone(), closed), later);
            }
            let mut still = Vec::new();
            for it in due {
                let trouble = self.store.ledger().mailbox(it.channel)?.trouble;
                // A post that went to the group instead is told in any case.
                if closed == Some(true) || trouble.is_some() {
                    still.push((it.place, it.why));
                }
            }
            if !still.is_empty() {
                turn.words.push(Word::Trouble { to, channels: still, closed });
            }
        }
        if let Some(at) = self.tell_at {
            wake(turn, at);
        }
        Ok(())
    }

    /// Says a fact in the journal; tells whether it is there.
    fn say(&mut self, fact: Fact) -> bool {
        let at = self.store.view().last_recorded().ok().flatten().unwrap_or_default();
        self.say_at(fact, at)
    }

    fn say_at(&mut self, fact: Fact, at: DateTime<Utc>) -> bool {
        let said = self.store.say(Set { ask: None, expects: Vec::new(), said: vec![Drafted::Fact(fact)], at });
        if let Err(error) = &said {
            if !self.muted {
                tracing::error!(%error, "the journal takes nothing: no further entry is sent until it does");
            }
            self.muted = true;
            self.mute = Some(self.now + RETRY);
        } else if std::mem::take(&mut self.muted) {
            tracing::info!("the journal takes lines again: entries are sent again");
        }
        said.is_ok()
    }
}

/// The Discord server that a channel is in.
fn server_of(channel: &Channel) -> Option<u64> {
    channel.settings.0.strip_prefix("discord:g")?.parse().ok()
}

fn wake(turn: &mut Turn, at: Ms) {
    turn.wake = Some(turn.wake.map_or(at, |now| now.min(at)));
}

/// What happened on the platforms.
impl Office {
    fn event(&mut self, event: Event, now: Ms) -> Kept<()> {
        match event {
            Event::Moved { from, to } => {
                self.say_at(Fact::Moved { from, to }, self.moment(now));
            }
            Event::Returned(address) => {
                for channel in self.store.ledger().channels_in(&address.0)? {
                    self.returned(channel, now)?;
                }
            }
            Event::Removed { address, why } => {
                for channel in self.store.ledger().channels_in(&address.0)? {
                    self.removed(channel, &why, now)?;
                }
            }
            Event::Muted { address, why } => {
                for number in self.store.ledger().channels_in(&address.0)? {
                    let fine = self.store.ledger().mailbox(number)?.trouble.is_none();
                    if fine && let Some(channel) = self.store.ledger().channel(number)? {
                        // The platform said so by itself: there is nothing to wait for.
                        self.tell_right(number, &channel, &why, now + GATHERED_TOPICS);
                    }
                    self.removed(number, &why, now)?;
                }
            }
            Event::ReturnedServer(server) => {
                for channel in self.in_server(|it| it == server)? {
                    self.returned(channel, now)?;
                }
            }
            Event::RemovedServer(server) => {
                for channel in self.in_server(|it| it == server)? {
                    self.removed(channel, "removed from the server", now)?;
                }
            }
            Event::Retry => {
                self.store.ledger().retry_all(now)?;
                self.dirty = true;
            }
            Event::Servers(servers) => {
                let servers: HashSet<u64> = servers.into_iter().collect();
                for channel in self.in_server(|it| !servers.contains(&it))? {
                    self.removed(channel, "not in the server any more", now)?;
                }
                let mut back = Vec::new();
                for row in self.store.ledger().mailboxes() {
                    let (channel, mailbox) = row?;
                    if mailbox.trouble.is_some_and(|it| it.why.contains("the server")) {
                        back.push(channel);
                    }
                }
                for channel in back {
                    let server = self.store.ledger().channel(channel)?.and_then(|it| server_of(&it));
                    if server.is_some_and(|it| servers.contains(&it)) {
                        self.returned(channel, now)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The channels of some Discord servers.
    fn in_server(&self, wanted: impl Fn(u64) -> bool) -> Kept<Vec<ChannelNumber>> {
        let mut found = Vec::new();
        for row in self.store.ledger().all_channels() {
            let (number, channel) = row?;
            if server_of(&channel).is_some_and(&wanted) {
                found.push(number);
            }
        }
        Ok(found)
    }

    /// We may be let in again: what waits there is tried at once.
    fn returned(&mut self, channel: ChannelNumber, now: Ms) -> Kept<()> {
        let mailbox = self.store.ledger().mailbox(channel)?;
        let Some(trouble) = mailbox.trouble else { return Ok(()) };
        if mailbox.head.is_none() {
            return self.set_trouble(channel, None, now);
        }
        self.store.ledger().postpone(channel, now.max(trouble.tried.min(now) + NUDGE))
    }

    fn removed(&mut self, channel: ChannelNumber, why: &str, now: Ms) -> Kept<()> {
        match self.store.ledger().mailbox(channel)?.trouble {
            Some(_) => Ok(()),
            None => self.set_trouble(channel, Some(Trouble::new(now, why, false)), now),
        }
    }
}
