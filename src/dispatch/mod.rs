//! When and where a push goes, never what it says.
//!
//! One thread decides and writes the ledger ([`office`]); requests run on the async runtime, and come back as what
//! they came to. The same office runs in the tests on virtual time, against models of both platforms.

pub mod errand;
mod lane;
pub mod metrics;
pub mod office;
pub mod pace;
mod words;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use record::{
    channel::Network,
    outbox::{Ms, Outcome},
    private::Address,
    store::{StateError, Store},
};
use tokio::runtime::Handle;
use tracing::Instrument;

use errand::Courier;
use metrics::Metrics;
use office::{Happened, Office, Placed, Rules, Word};
use pace::{Clock, Limits, Pace};

/// How long messages under way may take when the program stops.
const LAST_MESSAGES: Ms = 5_000;
/// How long to rest after the ledger could not be read or written.
const REST: Ms = 5_000;

/// Something that happened on a platform and matters for pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// We are let into a chat again.
    Returned(Address),
    /// We were put out of a chat, or it is gone.
    Removed {
        /// Which.
        address: Address,
        /// How, in a few words.
        why: String,
    },
    /// We are in a chat, and may not post there any more: whoever subscribed is told.
    Muted {
        /// Which.
        address: Address,
        /// How, in a few words.
        why: String,
    },
    /// A chat has another address now.
    Moved {
        /// Before.
        from: Address,
        /// Now.
        to: Address,
    },
    /// We are let into a Discord server again.
    ReturnedServer(u64),
    /// We were put out of a Discord server.
    RemovedServer(u64),
    /// Every Discord server that we are in.
    Servers(Vec<u64>),
    /// What was refused, or is of unknown fate and held, is to be sent again.
    Retry,
}

/// What the office hears of.
enum Heard {
    Open(Network, Arc<dyn Courier>),
    Shut(Network),
    Event(Event),
    /// An order came to this, at this moment.
    Came(u64, Outcome, Ms),
    /// Something was recorded.
    Recorded,
    Stop,
}

/// A handle on dispatch; a clone is another handle on the same.
#[derive(Clone)]
pub struct Dispatch {
    paces: [Arc<Pace>; 2],
    heard: mpsc::Sender<Heard>,
    metrics: Arc<Metrics>,
}

/// What dispatch goes by.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// What the office goes by.
    pub rules: Rules,
    /// What Telegram allows.
    pub telegram: Limits,
    /// What Discord allows.
    pub discord: Limits,
}

/// The running office: stopping it waits for what is under way.
pub struct Running {
    heard: mpsc::Sender<Heard>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops: nothing more leaves, and what is under way is waited for, but not for long.
    pub fn stop(mut self) {
        // It may have stopped by itself.
        let _ = self.heard.send(Heard::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("dispatch broke while it stopped");
        }
    }
}

impl Dispatch {
    /// Opens the office on a thread of its own; requests run on `runtime`. `tell` brings words to owners and subscribers.
    pub fn start(
        store: Arc<Store>,
        setup: Setup,
        runtime: Handle,
        tell: impl Fn(Word) + Send + 'static,
    ) -> Result<(Dispatch, Running), StateError> {
        let clock = Clock::start();
        let paces = [setup.telegram, setup.discord].map(|limits| Arc::new(Pace::new(limits, clock)));
        let (office, words) = Office::open(Arc::clone(&store), setup.rules, paces.clone(), clock.now())?;
        words.into_iter().for_each(&tell);
        let (sender, heard) = mpsc::channel();
        let recorded = sender.clone();
        store.watch(move |_| {
            // Once the office is closed there is nobody to be told.
            let _ = recorded.send(Heard::Recorded);
        });
        let metrics = Arc::new(Metrics::default());
        let desk = Desk {
            office,
            couriers: [None, None],
            runtime,
            back: sender.clone(),
            clock,
            metrics: Arc::clone(&metrics),
            tell: Box::new(tell),
        };
        let thread = std::thread::Builder::new().name("dispatch".to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| desk.run(&heard))).is_err() {
                tracing::error!("dispatch broke: nothing more is pushed until the next start");
            }
        });
        let thread = thread.map_err(StateError::Io)?;
        let dispatch = Dispatch { paces, heard: sender.clone(), metrics };
        Ok((dispatch, Running { heard: sender, thread: Some(thread) }))
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The budget of a network, shared by answers and pushes.
    pub fn pace(&self, network: Network) -> Arc<Pace> {
        let [telegram, discord] = &self.paces;
        Arc::clone(match network {
            Network::Telegram => telegram,
            Network::Discord => discord,
        })
    }

    /// A network can be reached: what waits for it leaves with this courier.
    pub fn open(&self, network: Network, courier: Arc<dyn Courier>) {
        self.tell(Heard::Open(network, courier));
    }

    /// A network cannot be reached any more: what waits for it is kept.
    pub fn shut(&self, network: Network) {
        self.tell(Heard::Shut(network));
    }

    /// Tells of something that happened.
    pub fn heard(&self, event: Event) {
        self.tell(Heard::Event(event));
    }

    fn tell(&self, heard: Heard) {
        // Once the office is closed there is nobody to be told.
        let _ = self.heard.send(heard);
    }
}

/// The office's thread.
struct Desk {
    office: Office,
    couriers: [Option<Arc<dyn Courier>>; 2],
    runtime: Handle,
    back: mpsc::Sender<Heard>,
    clock: Clock,
    metrics: Arc<Metrics>,
    tell: Box<dyn Fn(Word) + Send>,
}

impl Desk {
    fn run(mut self, heard: &mpsc::Receiver<Heard>) {
        let (mut wake, mut stopping): (Option<Ms>, Option<Ms>) = (Some(self.clock.now()), None);
        loop {
            let mut happened = Vec::new();
            let now = self.clock.now();
            let until = [wake, stopping].into_iter().flatten().min();
            let first = match until {
                None => heard.recv().ok(),
                Some(until) => {
                    let wait = Duration::from_millis(u64::try_from(until - now).unwrap_or(0));
                    heard.recv_timeout(wait).ok()
                }
            };
            for it in first.into_iter().chain(heard.try_iter()) {
                match it {
                    Heard::Stop => {
                        stopping = Some(self.clock.now() + LAST_MESSAGES);
                        happened.extend(Network::ALL.map(Happened::Shut));
                    }
                    Heard::Open(..) if stopping.is_some() => {}
                    other => happened.extend(self.understood(other)),
                }
            }
            let now = self.clock.now();
            self.office.set_wall(chrono::Utc::now().timestamp_millis() - now);
            let turn = self.office.turn(now, happened);
            turn.came.iter().for_each(|came| self.metrics.came(came));
            turn.words.into_iter().for_each(&self.tell);
            turn.orders.into_iter().for_each(|placed| self.carry(placed));
            wake = match turn.failed {
                None => turn.wake,
                Some(error) => {
                    tracing::error!(%error, "the ledger cannot be read or written; pushing rests for a moment");
                    Some(now + REST)
                }
            };
            if stopping.is_some_and(|until| now >= until || self.office.flying() == 0) {
                return;
            }
        }
    }

    fn understood(&mut self, heard: Heard) -> Option<Happened> {
        match heard {
            Heard::Open(network, courier) => {
                self.couriers[place(network)] = Some(courier);
                Some(Happened::Open(network))
            }
            Heard::Shut(network) => Some(Happened::Shut(network)),
            Heard::Event(event) => Some(Happened::Event(event)),
            Heard::Came(id, outcome, at) => Some(Happened::Came(id, outcome, at)),
            Heard::Recorded | Heard::Stop => None,
        }
    }

    /// Has an order carried out; whatever breaks in it comes back as of unknown fate.
    fn carry(&self, placed: Placed) {
        let Some(courier) = self.couriers[place(placed.network)].clone() else { return };
        let (back, clock) = (self.back.clone(), self.clock);
        self.runtime.spawn(async move {
            let Placed { id, order, network, .. } = placed;
            let span = tracing::info_span!("push", network = network.code(), order = id);
            let carried = tokio::spawn(async move { courier.carry(&order).await }.instrument(span)).await;
            let outcome = carried.unwrap_or_else(|error| Outcome::Unsure(format!("it broke: {error}")));
            // Once the office is closed nobody waits for it.
            let _ = back.send(Heard::Came(id, outcome, clock.now()));
        });
    }
}

fn place(network: Network) -> usize {
    match network {
        Network::Telegram => 0,
        Network::Discord => 1,
    }
}
