//! The way out to one network: what is at hand, what is under way, and whether the platform is to be trusted.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use record::{
    channel::ChannelNumber,
    outbox::{self, Ms},
    store::Due,
};

use super::{
    office::suspects::Suspects,
    pace::{Pace, Place},
};

/// So many chats that are limited one after the other, with nothing that gets through between them, mean that the
/// platform may limit us as a whole: Telegram does not say which it is.
const LIMITED: usize = 5;
/// How long pushing then rests at first; twice as long each time that a try afterwards is limited too.
const REST: Ms = 1_000;
/// And how long at most.
const LONGEST_REST: Ms = 16_000;

/// So many channels that refuse us one after the other within [`SECONDS`], with nothing that gets through between them,
/// mean that the platform is unwell: then one is tried at a time.
const REFUSALS: usize = 5;
/// What "within seconds" is.
const SECONDS: Ms = 30_000;
/// A channel that still refuses us when a flood has ended does not count towards the next flood for this long.
const STUBBORN: Ms = 3_600_000;
/// How long is waited between two of these tries: 1, 2, 4 … seconds, at most this.
const LONGEST_TRY: Ms = 30_000;

/// A request that takes longer makes its chat a slow one …
const SLOW: Ms = 4_000;
/// … and of all that may be under way, slow chats together get one in so many, so that they never hold up the others.
const SLOW_SHARE: usize = 4;
/// So many slow chats are remembered.
const SLOW_KNOWN: usize = 10_000;

/// A request under way.
#[derive(Clone, Debug)]
pub struct Flying {
    /// For which channel; 0 for none.
    pub channel: ChannelNumber,
    /// For which delivery.
    pub commit: u64,
    /// The chat whose budget it spends.
    pub chat: String,
    /// What it is.
    pub doing: Doing,
    /// When it left.
    pub at: Ms,
    /// The place that it takes in the budget.
    pub place: Place,
    /// Whether it was answered, and only what follows from that is still to be written down.
    pub answered: bool,
}

/// What a request is.
#[derive(Clone, Debug)]
pub enum Doing {
    /// A message.
    Post {
        /// The entries that it tells.
        told: Vec<u64>,
        /// Whether it shows an entry whole.
        copy: bool,
        /// Whether it tells of entries that may not have come.
        doubts: bool,
    },
    /// A change of an earlier message.
    Edit {
        /// The delivery that it was sent for.
        holder: u64,
        /// Which of its messages, of how many.
        part: usize,
        /// How many messages it has.
        parts: usize,
        /// Everything up to this commit was known when it was written.
        head: u64,
    },
    /// A look into the history.
    Find,
    /// A message of a channel is published to those who follow it elsewhere.
    Publish {
        /// The channel.
        channel: ChannelNumber,
        /// The message.
        message: u64,
    },
    /// A harmless question.
    Probe,
}

impl Doing {
    /// For whoever counts.
    pub fn name(&self) -> &'static str {
        match self {
            Doing::Post { .. } => "post",
            Doing::Edit { .. } => "edit",
            Doing::Find => "find",
            Doing::Publish { .. } => "publish",
            Doing::Probe => "probe",
        }
    }
}

/// Whether the platform is asked something harmless before anything else leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Yes,
    /// It is asked at this moment.
    At(Ms),
    /// It is being asked.
    Asking,
}

/// The way out to one network.
pub struct Lane {
    open: bool,
    /// What may be spent.
    pub pace: Arc<Pace>,
    most: usize,
    /// Heads that are due, in the order in which they became due.
    pub hands: VecDeque<Due>,
    flying: BTreeMap<u64, Flying>,
    channels: HashSet<ChannelNumber>,
    chats: HashSet<String>,
    /// How many messages of a delivery were changed already, by channel.
    edited: HashMap<(ChannelNumber, u64), (usize, u64)>,
    trust: Trust,
    failures: u32,
    limited: Vec<String>,
    rests: u32,
    /// Chats whose last request was slow.
    slow: HashSet<String>,
    /// Channels that refused us one after the other, and when.
    refusals: VecDeque<(ChannelNumber, Ms)>,
    /// Channels that were tried again after a flood, and when that ended: they are no sign of another.
    stubborn: HashMap<ChannelNumber, Ms>,
    /// Set while the platform itself seems to refuse everything.
    flood: Option<Flood>,
    /// What is known of refusals whose reason the platform does not tell.
    pub suspects: Suspects,
}

/// Many channels refuse us at once: the platform is unwell.
#[derive(Clone, Copy, Debug)]
struct Flood {
    /// How many single tries there were.
    tries: u32,
    /// When the next may leave.
    next: Ms,
}

impl Lane {
    /// A lane that is shut.
    pub fn new(pace: Arc<Pace>, most: usize) -> Lane {
        Lane {
            open: false,
            pace,
            most,
            hands: VecDeque::new(),
            flying: BTreeMap::new(),
            channels: HashSet::new(),
            chats: HashSet::new(),
            edited: HashMap::new(),
            trust: Trust::Yes,
            failures: 0,
            limited: Vec::new(),
            rests: 0,
            slow: HashSet::new(),
            refusals: VecDeque::new(),
            stubborn: HashMap::new(),
            flood: None,
            suspects: Suspects::default(),
        }
    }

    /// The network can be reached.
    pub fn open(&mut self) {
        self.open = true;
        self.trusts();
    }

    /// It cannot; what is under way still comes back.
    pub fn shut(&mut self) {
        self.open = false;
        self.hands.clear();
    }

    /// Whether anything may leave.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether anything but a probe may leave.
    pub fn may_leave(&self) -> bool {
        self.open && self.trust == Trust::Yes && self.flood.is_none()
    }

    /// How many requests are under way.
    pub fn flying(&self) -> usize {
        self.flying.len()
    }

    /// Whether one more may leave.
    pub fn has_room(&self) -> bool {
        self.flying.len() < self.most
    }

    /// Takes due heads to hand, those that are not already.
    pub fn take(&mut self, due: Vec<Due>, most: usize) {
        for due in due {
            if self.hands.len() >= most {
                return;
            }
            if !self.channels.contains(&due.channel) && !self.hands.iter().any(|it| it.channel == due.channel) {
                self.hands.push_back(due);
            }
        }
    }

    /// Whether something is under way for a chat or a channel.
    pub fn is_busy(&self, chat: &str, channel: ChannelNumber) -> bool {
        self.channels.contains(&channel) || self.chats.contains(chat)
    }

    /// Whether a chat, which was slow the last time, has to wait for other slow ones.
    pub fn waits_for_slow(&self, chat: &str) -> bool {
        let slow = || self.flying.values().filter(|it| self.slow.contains(&it.chat)).count();
        self.slow.contains(chat) && slow() >= (self.most / SLOW_SHARE).max(1)
    }

    /// A request left.
    pub fn left(&mut self, id: u64, flying: Flying) {
        match flying.doing {
            Doing::Probe => self.trust = Trust::Asking,
            // Its limit is its own, and no channel waits for it.
            Doing::Publish { .. } => _ = self.chats.insert(flying.chat.clone()),
            _ => {
                self.channels.insert(flying.channel);
                self.chats.insert(flying.chat.clone());
            }
        }
        self.flying.insert(id, flying);
    }

    /// A request came back at a moment: its place in the budget is free some time after. Until [`Lane::landed`] nothing else
    /// leaves for its channel.
    pub fn answered(&mut self, id: u64, at: Ms) -> Option<Flying> {
        let flying = self.flying.get_mut(&id)?;
        if !flying.answered {
            flying.answered = true;
            self.pace.budget().end(&flying.place, at);
            if at - flying.at < SLOW {
                self.slow.remove(&flying.chat);
            } else if self.slow.len() < SLOW_KNOWN && !matches!(flying.doing, Doing::Probe) {
                self.slow.insert(flying.chat.clone());
            }
        }
        Some(flying.clone())
    }

    /// What a request came to is written down.
    pub fn landed(&mut self, id: u64) {
        if let Some(flying) = self.flying.remove(&id) {
            self.channels.remove(&flying.channel);
            self.chats.remove(&flying.chat);
        }
    }

    /// How many messages of a delivery were changed already to what is known at a commit.
    pub fn edited(&self, channel: ChannelNumber, holder: u64, head: u64) -> usize {
        self.edited.get(&(channel, holder)).filter(|(_, of)| *of == head).map_or(0, |(parts, _)| *parts)
    }

    /// Notes how many messages of a delivery were changed to what was known at a commit.
    pub fn set_edited(&mut self, channel: ChannelNumber, holder: u64, parts: usize, head: u64) {
        match parts {
            0 => self.edited.remove(&(channel, holder)),
            parts => self.edited.insert((channel, holder), (parts, head)),
        };
    }

    /// A chat is limited until a moment. Where that may mean that we are as a whole, pushing rests.
    pub fn limited(&mut self, chat: &str, until: Ms, now: Ms) {
        if self.limited.len() < LIMITED && !self.limited.iter().any(|known| known == chat) {
            self.limited.push(chat.to_owned());
        }
        let mut budget = self.pace.budget();
        // What left before the rest began tells nothing new.
        if self.limited.len() >= LIMITED && !budget.rests(now) {
            budget.rest(until.min(now + (REST << self.rests.min(8)).min(LONGEST_REST)));
            self.rests += 1;
        }
    }

    /// A channel refuses us. Many at once are taken for a fault of the platform.
    pub fn refuses(&mut self, channel: ChannelNumber, now: Ms) {
        if let Some(flood) = &mut self.flood {
            flood.tries = flood.tries.saturating_add(1);
            flood.next = now + outbox::pause(flood.tries.saturating_sub(1)).min(LONGEST_TRY);
        } else if self.stubborn.get(&channel).is_some_and(|at| now - at < STUBBORN) {
            return;
        } else {
            self.refusals.retain(|(known, at)| *known != channel && now - *at < SECONDS);
        }
        if !self.refusals.iter().any(|(known, _)| *known == channel) && self.refusals.len() < SLOW_KNOWN {
            self.refusals.push_back((channel, now));
        }
        if self.flood.is_none() && self.refusals.len() >= REFUSALS {
            tracing::warn!(channels = self.refusals.len(), "many channels refuse at once: the platform seems unwell");
            self.flood = Some(Flood { tries: 0, next: now + outbox::pause(0) });
        }
    }

    /// Whether the platform itself seems to refuse everything.
    pub fn is_flooded(&self) -> bool {
        self.flood.is_some()
    }

    /// While the platform refuses everything: when the next single try may leave.
    pub fn tries_at(&self) -> Option<Ms> {
        self.flood.map(|flood| flood.next)
    }

    /// Another of the channels that refused us, in turn.
    pub fn next_refusal(&mut self) -> Option<ChannelNumber> {
        self.refusals.rotate_left(usize::from(!self.refusals.is_empty()));
        self.refusals.front().map(|(channel, _)| *channel)
    }

    /// A channel took something: if the platform refused everything before, the channels that it refused.
    pub fn taken(&mut self, now: Ms) -> Vec<ChannelNumber> {
        let refused = std::mem::take(&mut self.refusals);
        match self.flood.take() {
            Some(_) => {
                if self.stubborn.len() > SLOW_KNOWN {
                    self.stubborn.clear();
                }
                self.stubborn.extend(refused.iter().map(|(channel, _)| (*channel, now)));
                refused.into_iter().map(|(channel, _)| channel).collect()
            }
            None => Vec::new(),
        }
    }

    /// Something got through.
    pub fn trusts(&mut self) {
        self.trust = Trust::Yes;
        self.failures = 0;
        self.limited.clear();
        self.rests = 0;
    }

    /// Something did not get through, or nobody knows: before more is risked, the platform is asked something harmless.
    pub fn doubt(&mut self, now: Ms) {
        if matches!(self.trust, Trust::At(_)) {
            return;
        }
        self.trust = Trust::At(now + if self.failures == 0 { 0 } else { outbox::pause(self.failures.min(6)) });
        self.failures += 1;
    }

    /// When the platform is to be asked something harmless.
    pub fn probes_at(&self) -> Option<Ms> {
        match self.trust {
            Trust::At(at) => Some(at),
            _ => None,
        }
    }

    /// Whether it is being asked.
    pub fn is_probing(&self) -> bool {
        self.trust == Trust::Asking
    }
}
