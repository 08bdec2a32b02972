//! Our own polling loop: always one long poll; updates are stored as they come, then confirmed by the next poll.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use record::lang::Text;
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use super::{
    hear,
    inbox::Stored,
    queue::{Chats, Item},
    send::{LONGEST, Outcome},
    tray::Tray,
    work::Worker,
};
use crate::{
    config::Platform,
    desk::Desk,
    signs::{Alert, Sign},
};

/// How long Telegram may hold a poll when there is nothing new (at most 50 s).
const HOLD: Duration = Duration::from_secs(25);
/// The same offset is not asked for again sooner than this: Telegram cuts the page of those who ask for it within half a
/// second.
const BETWEEN: Duration = Duration::from_millis(700);
/// While updates cannot be stored, new ones are looked for this often although the oldest is not handled.
const UNSTORED: Duration = Duration::from_secs(5);
/// How many updates Telegram gives at once.
pub const PAGE: usize = 100;
/// How often a webhook that somebody sets is removed.
const WEBHOOK: Duration = Duration::from_secs(3_600);
/// At a stop, waiting updates are still begun for this long, then those that were begun may end.
const LAST_BEGIN: Duration = Duration::from_millis(1_500);
const LAST_END: Duration = Duration::from_millis(2_500);

const WEBHOOK_AGAIN: Text = Text {
    en: "Another program set a webhook for my Telegram bot, and commands went to it instead of me. I have removed the webhook; from now on they reach me again. If a command was not answered, send it again. Please stop that program, or give it a bot of its own.",
    it: "Un altro programma ha impostato un webhook per il mio bot Telegram, e i comandi arrivavano a lui invece che a me. Ho rimosso il webhook: da ora arrivano di nuovo a me. Se un comando è rimasto senza risposta, invialo di nuovo. Ferma quel programma, o dagli un bot tutto suo.",
};

/// How polling ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it was told to.
    Stopped,
    /// Telegram refuses the token; it may take it again.
    TokenRefused,
}

/// Polls, and hands what comes to the queues of the chats.
pub struct Poller {
    worker: Arc<Worker>,
    desk: Desk,
    tray: Arc<Tray>,
    chats: Arc<Chats>,
    /// The offset asked for last, and when.
    asked: Option<(Option<u32>, Instant)>,
    pause: Duration,
    /// When a webhook that somebody had set was last removed.
    removed: Option<Instant>,
}

impl Poller {
    /// Before the first poll: what was stored and not handled is handed on first, in its order.
    pub fn new(worker: &Arc<Worker>, desk: &Desk, tray: &Arc<Tray>, waiting: Vec<Stored>) -> Poller {
        let chats = Chats::new(worker, desk, tray);
        let poller = Poller {
            worker: Arc::clone(worker),
            desk: desk.clone(),
            tray: Arc::clone(tray),
            chats,
            asked: None,
            pause: Duration::from_secs(1),
            removed: None,
        };
        if !waiting.is_empty() {
            tracing::info!(updates = waiting.len(), "updates that were stored are handled first");
        }
        for Stored { id, received, raw } in waiting {
            let bytes = raw.to_string().len();
            if !poller.tray.restore(id, bytes) {
                continue;
            }
            match Item::read(id, &raw, received, &poller.worker.me) {
                Some(item) => poller.chats.hand(item),
                None => poller.tray.handled(id),
            }
        }
        poller
    }

    /// Removes a webhook that an earlier program left; what waits for us is kept.
    pub async fn remove_webhook(&self) -> bool {
        match self.worker.api.delete_webhook().await {
            Outcome::Done(_) => true,
            other => {
                tracing::warn!(cause = cause(&other), "a webhook could not be looked for");
                false
            }
        }
    }

    /// Polls until told to stop, or until the token is refused.
    pub async fn poll(&mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        let mut refused = self.worker.api.refusal();
        loop {
            let outcome = tokio::select! {
                () = told(stop) => return self.finish().await,
                () = told(&mut refused) => return Ended::TokenRefused,
                outcome = self.next() => outcome,
            };
            let wait = match outcome {
                Outcome::Done(Value::Array(updates)) => {
                    self.pause = Duration::from_secs(1);
                    self.take_in(updates).await;
                    Duration::ZERO
                }
                Outcome::TokenRefused => return Ended::TokenRefused,
                Outcome::Refused(409, why, _) => {
                    tracing::warn!(why, "Telegram sends updates to a webhook");
                    self.webhook_again().await
                }
                other => self.failed(&other),
            };
            self.hang();
            tokio::select! {
                () = told(stop) => return self.finish().await,
                () = told(&mut refused) => return Ended::TokenRefused,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// The next poll, once there is room for what it brings and its offset is a new one.
    async fn next(&mut self) -> Outcome {
        self.ready().await;
        let from = self.tray.ask_from();
        self.asked = Some((from, Instant::now()));
        self.worker.updates(from, HOLD, hear::KINDS).await
    }

    async fn ready(&self) {
        loop {
            let changed = self.tray.changed();
            let same = self.asked.filter(|(offset, _)| *offset == self.tray.ask_from());
            let rest = match same {
                _ if self.tray.is_full() => None,
                None => return,
                Some((_, at)) => {
                    let between = if self.tray.holds() { UNSTORED } else { BETWEEN };
                    Some(between.saturating_sub(at.elapsed())).filter(|rest| !rest.is_zero())
                }
            };
            match rest {
                Some(rest) => drop(tokio::time::timeout(rest, changed).await),
                None if self.tray.is_full() => changed.await,
                None => return,
            }
        }
    }

    fn failed(&mut self, outcome: &Outcome) -> Duration {
        let wait = if let Outcome::Later(wait) = outcome { *wait } else { self.pause };
        tracing::warn!(cause = cause(outcome), wait = wait.as_secs(), "Telegram could not be polled");
        self.pause = (self.pause * 2).min(LONGEST);
        wait
    }

    /// A webhook came back while we ran: it is removed again at most once an hour, and the owners hear of it.
    async fn webhook_again(&mut self) -> Duration {
        let due = self.removed.is_none_or(|last| last.elapsed() >= WEBHOOK);
        if due && self.remove_webhook().await {
            if self.removed.is_none() {
                self.desk.signs().alert(Alert::to_owners(None, WEBHOOK_AGAIN));
            }
            self.removed = Some(Instant::now());
            return Duration::from_secs(1);
        }
        self.pause = (self.pause * 2).min(LONGEST);
        self.pause
    }

    /// Hangs up the sign that is true now.
    fn hang(&self) {
        self.desk.signs().set(Platform::Telegram, self.worker.api.reach().sign(Instant::now()));
    }

    /// Takes a batch in: stores what matters, then hands it to the chats. What does not fit is left with Telegram.
    async fn take_in(&self, updates: Vec<Value>) {
        let received = Utc::now().timestamp_millis();
        let mut fresh = Vec::new();
        for raw in updates {
            let Some(id) = raw["update_id"].as_u64().and_then(|id| u32::try_from(id).ok()) else {
                tracing::warn!("Telegram sent an update without a number");
                continue;
            };
            let text = raw.to_string();
            if self.tray.is_full() {
                break;
            }
            if !self.tray.take(id, text.len()) {
                continue;
            }
            match Item::read(id, &raw, received, &self.worker.me) {
                Some(item) => fresh.push((item, text)),
                None => self.tray.handled(id),
            }
        }
        if fresh.is_empty() {
            return;
        }
        let (items, batch): (Vec<Item>, Vec<(u32, String)>) = fresh
            .into_iter()
            .map(|(item, text): (Item, String)| {
                let id = item.id;
                (item, (id, text))
            })
            .unzip();
        // Below its margin the disk belongs to the record alone.
        let full = self.desk.store().full().is_some();
        self.tray.keep(batch, received, !full).await;
        items.into_iter().for_each(|item| self.chats.hand(item));
    }

    /// Ends what was begun, and confirms what was handled without having been stored; the rest is on the disk.
    async fn finish(&self) -> Ended {
        let idle = async {
            loop {
                let changed = self.tray.changed();
                if self.tray.is_empty() {
                    return;
                }
                changed.await;
            }
        };
        let _ = tokio::time::timeout(LAST_BEGIN, idle).await;
        self.chats.stop();
        let _ = tokio::time::timeout(LAST_END, self.chats.at_rest()).await;
        let from = self.tray.ask_from();
        if let Some(offset) = from.filter(|_| self.asked.is_none_or(|(asked, _)| asked != from)) {
            let confirm = json!({ "offset": offset, "limit": 1, "timeout": 0, "allowed_updates": hear::KINDS });
            // If it does not arrive, Telegram sends again what is stored, and that is known by its number.
            let call = self.worker.api.call("getUpdates", &confirm, Duration::ZERO);
            let _ = tokio::time::timeout(Duration::from_secs(1), call).await;
        }
        Ended::Stopped
    }
}

/// Comes back when it is time to stop.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever would say stop is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why a call came to nothing, for the log.
pub fn cause(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(code, why, _) => format!("{code} {why}"),
        Outcome::NotSent(why) | Outcome::Unsure(why) => why.clone(),
        Outcome::Later(wait) => format!("too many requests, {} s", wait.as_secs()),
        Outcome::AnotherPoller => "409: another program polls with this token".to_owned(),
        Outcome::Done(_) => "an answer of another shape".to_owned(),
        Outcome::TokenRefused => "the token is refused".to_owned(),
    }
}

/// Looks after the sign while polls are held, and calls the owners when another program polls for long.
pub async fn look_after(worker: Arc<Worker>, tray: Arc<Tray>) {
    const EVERY: Duration = Duration::from_secs(1);
    const TIDY: u32 = 5;
    const LASTED: Duration = Duration::from_secs(120);
    const RIVAL_STAYS: Text = Text {
        en: "For two minutes another program has been polling Telegram with my token, so commands there may not reach me. Posts go on. Please stop the other program, or get a new token from @BotFather.",
        it: "Da due minuti un altro programma interroga Telegram con il mio token, perciò i comandi lì possono non arrivarmi. Le pubblicazioni continuano. Ferma l'altro programma, o fatti dare un nuovo token da @BotFather.",
    };
    let (mut told, mut round) = (false, 0u32);
    loop {
        tokio::time::sleep(EVERY).await;
        round = round.wrapping_add(1);
        let (signs, now) = (worker.desk.signs(), Instant::now());
        let sign = worker.api.reach().sign(now);
        signs.set(Platform::Telegram, sign);
        match worker.api.reach().conflict(now) {
            None => told = false,
            Some(lasted) if lasted >= LASTED && !told && sign != Sign::TokenRefused => {
                told = true;
                signs.alert(Alert::to_owners(None, RIVAL_STAYS));
            }
            Some(_) => {}
        }
        if round % TIDY == 0 {
            tray.tidy().await;
        }
    }
}
