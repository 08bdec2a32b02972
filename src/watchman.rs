//! Looks after the bot while it runs: compares everything with everything, slowly; calls the owners when the store takes
//! no writes, the disk runs low, a platform cannot be reached, or deliveries stall.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use record::store::{Comparison, Store};
use tokio::sync::watch;

use crate::{
    config::Platform,
    desk::Desk,
    dispatch,
    signs::{Alert, Sign, Words},
    vitals::Once,
};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(5);
/// How many lines are compared each time: a million take three quarters of an hour, and a hundredth of a core.
const LINES: usize = 2_000;
/// How long is rested after everything was compared.
const REST: Duration = Duration::from_secs(24 * 3_600);
/// How long a platform is out of reach before the owners are told.
const UNREACHED: Duration = Duration::from_secs(120);
/// How long the oldest delivery waits before the owners are told, in milliseconds.
const STALLED: i64 = dispatch::metrics::STALLED;
/// How often deliveries are looked at: that reads a row for each channel with something open.
const DELIVERIES: Duration = Duration::from_secs(60);

/// Looks until it is told to stop.
pub async fn watch(desk: Desk, mut stop: watch::Receiver<bool>) {
    let mut round = Round::new(desk);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match tokio::task::spawn_blocking(move || {
            round.look(Instant::now(), Utc::now());
            round
        })
        .await
        {
            Ok(again) => round = again,
            Err(error) => {
                tracing::error!(%error, "looking after the bot broke; nothing is compared until the next start");
                return;
            }
        }
    }
}

/// What is remembered between two looks.
pub struct Round {
    desk: Desk,
    told: Once,
    comparison: Option<Comparison>,
    rested: Option<Instant>,
    unreached: [Option<Instant>; 2],
    delivered: Option<Instant>,
}

const PLATFORMS: [Platform; 2] = [Platform::Telegram, Platform::Discord];

impl Round {
    /// Before the first look.
    pub fn new(desk: Desk) -> Round {
        Round { desk, told: Once::default(), comparison: None, rested: None, unreached: [None; 2], delivered: None }
    }

    /// One look at everything, at a moment: how much time went by is told by `now`, what is told of it bears `at`.
    pub fn look(&mut self, now: Instant, at: DateTime<Utc>) {
        self.desk.store().look_at_clock(at);
        self.store();
        self.platforms(now);
        if self.delivered.is_none_or(|last| now.duration_since(last) >= DELIVERIES) {
            self.delivered = Some(now);
            self.deliveries(at);
        }
        self.compare(now, at);
    }

    fn tell(&mut self, what: &str, about: Option<Platform>, words: Option<Words>) {
        if let Some(words) = self.told.tell(what, words) {
            self.desk.signs().alert(Alert::to_owners(about, words));
        }
    }

    fn store(&mut self) {
        let read_only = self.desk.store().read_only().map(|why| Words {
            en: format!("My store takes no writes any more: {why}. Reading goes on; /health says how I am, and a restart recovers what can be."),
            it: format!("Il mio archivio non accetta più scritture: {why}. La lettura continua; /health dice come sto, e un riavvio recupera ciò che si può."),
        });
        self.tell("read-only", None, read_only);
        let full = self.desk.store().full().map(|why| Words {
            en: format!("I cannot record anything: {why}. Make room on my disk; I go on by myself."),
            it: format!("Non posso registrare nulla: {why}. Fate spazio sul mio disco; riprendo da solo."),
        });
        self.tell("full", None, full);
        let low = self.desk.disk_low().map(|(free, low)| Words {
            en: format!("My disk runs low: {free} MB are left. Below {low} MB I stop recording until there is room."),
            it: format!("Il mio disco si sta riempiendo: restano {free} MB. Sotto {low} MB smetto di registrare finché non c'è spazio."),
        });
        self.tell("low", None, low);
        let behind = self.desk.store().clock_behind() / 1_000;
        let clock = (behind >= 60).then(|| Words {
            en: format!("My clock is {behind} seconds behind what was recorded before. New entries bear the moment of the newest one; please set the clock."),
            it: format!("Il mio orologio è indietro di {behind} secondi rispetto a quanto già registrato. Le nuove voci portano il momento dell'ultima; regolate l'orologio."),
        });
        self.tell("clock", None, clock);
    }

    fn platforms(&mut self, now: Instant) {
        for (at, platform) in PLATFORMS.into_iter().enumerate() {
            let away = self.desk.signs().get(platform) == Sign::Unreachable;
            self.unreached[at] = if away { self.unreached[at].or(Some(now)) } else { None };
            let long = self.unreached[at].is_some_and(|since| now.duration_since(since) >= UNREACHED);
            let name = platform.name();
            let words = long.then(|| Words {
                en: format!(
                    "{name} has been out of reach for two minutes. I keep trying; what is to be delivered there waits."
                ),
                it: format!(
                    "Da due minuti {name} non è raggiungibile. Continuo a provare; ciò che va consegnato lì aspetta."
                ),
            });
            self.tell(&format!("unreached {}", platform.code()), Some(platform), words);
        }
    }

    fn deliveries(&mut self, at: DateTime<Utc>) {
        let waits = match dispatch::metrics::oldest(self.desk.store(), at.timestamp_millis()) {
            Ok(waits) => waits,
            Err(error) => return tracing::error!(%error, "deliveries could not be looked at"),
        };
        for (network, waited) in waits {
            let name = network.name();
            let words = (waited >= STALLED).then(|| Words {
                en: format!("Deliveries on {name} have stalled: the oldest waits for {} minutes. “strillone deliveries” says what for.", waited / 60_000),
                it: format!("Le consegne su {name} sono ferme: la più vecchia aspetta da {} minuti. «strillone deliveries» dice perché.", waited / 60_000),
            });
            self.tell(&format!("stalled {}", network.code()), None, words);
        }
    }

    /// Compares some lines more; what is damaged is mended where a good copy is left.
    fn compare(&mut self, now: Instant, at: DateTime<Utc>) {
        if self.rested.is_some_and(|since| now.duration_since(since) < REST) {
            return;
        }
        let store = self.desk.store().clone();
        match self.compare_some(&store, at) {
            Ok(false) => {}
            Ok(true) => {
                self.comparison = None;
                self.rested = Some(now);
            }
            Err(why) => {
                tracing::error!(why, "everything could not be compared; it is tried again in a day");
                self.comparison = None;
                self.rested = Some(now);
            }
        }
    }

    fn compare_some(&mut self, store: &Store, at: DateTime<Utc>) -> Result<bool, String> {
        let mut comparison = match self.comparison.take() {
            Some(comparison) => comparison,
            None => store.compare().map_err(|error| error.to_string())?,
        };
        let over = store.compare_on(&mut comparison, LINES).map_err(|error| error.to_string())?;
        if comparison.report().is_good() {
            if over {
                tracing::debug!(lines = comparison.report().lines, "everything was compared, and nothing found");
                self.desk.vitals().compared(at, None);
            }
            self.comparison = Some(comparison);
            return Ok(over);
        }
        // The writer looks again, for files may have been written anew meanwhile.
        let mended = store.mend().map_err(|error| error.to_string())?;
        if let Some(lost) = mended.lost {
            // The store takes no writes any more, which is told by itself; what is before that place is not looked at.
            tracing::error!(lost, told = ?mended.told, "something is damaged on the disk and cannot be mended");
            self.desk.vitals().compared(at, Some(lost));
            return Ok(true);
        }
        if mended.told.is_empty() {
            return Ok(false);
        }
        let told = mended.told.join("; ");
        tracing::error!(told, "something was damaged on the disk");
        self.desk.vitals().compared(at, Some(told.clone()));
        self.desk.signs().alert(Alert::to_owners(None, Words {
            en: format!("Something was damaged on my disk, and I have looked after it: {told}. Please have the disk checked."),
            it: format!("Sul mio disco qualcosa era danneggiato e ho provveduto: {told}. Fate controllare il disco."),
        }));
        Ok(false)
    }
}
