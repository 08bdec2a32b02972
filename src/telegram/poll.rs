//! Our own polling loop: the offset moves only behind what was handled, and one slow chat holds up no other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::Instrument;

use super::{
    hear::{self, Matter},
    send::Outcome,
    work::Worker,
};
use crate::{config::Platform, desk::Desk, signs::Sign};

/// How long Telegram may hold a poll when there is nothing new (at most 50 s).
const HOLD: Duration = Duration::from_secs(25);
/// While answers are under way, the same updates are asked for again not sooner than this: Telegram cuts the page of
/// those who ask for the same offset within half a second.
const BETWEEN: Duration = Duration::from_millis(700);
/// How many updates Telegram gives at once.
pub const PAGE: usize = 100;
/// An answer that takes longer than this may not hold up a full page of updates.
const SLOW: Duration = Duration::from_secs(5);
/// The longest pause after a failure.
const LONGEST: Duration = Duration::from_secs(60);

/// How polling ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it was told to.
    Stopped,
    /// Telegram does not take the token any more.
    TokenRefused,
}

/// Updates that were taken in, up to the lowest that is not handled.
#[derive(Default)]
struct Taken {
    /// Whether each is handled, and since when it is here.
    updates: BTreeMap<u32, (bool, Instant)>,
    /// The offset that confirms all below it; none before the first update.
    offset: Option<u32>,
}

impl Taken {
    /// Takes one in, unless it was before.
    fn take(&mut self, id: u32) -> bool {
        // Numbers begin anew after a quiet week: far below is new, just below is a repetition.
        let again =
            self.offset.is_some_and(|offset| id < offset && offset - id < 10_000) || self.updates.contains_key(&id);
        if !again {
            self.updates.insert(id, (false, Instant::now()));
        }
        !again
    }

    fn handled(&mut self, id: u32) {
        if let Some((done, _)) = self.updates.get_mut(&id) {
            *done = true;
        }
        while let Some((id, true)) = self.updates.first_key_value().map(|(id, (done, _))| (*id, *done)) {
            self.updates.remove(&id);
            self.offset = Some(id.wrapping_add(1));
        }
    }

    /// When a whole page waits behind slow answers, those are no longer waited for: they go on, and only a kill in that
    /// moment can lose them, but nobody else is kept waiting.
    fn let_go(&mut self, now: Instant) {
        if self.updates.len() < PAGE {
            return;
        }
        let slow = self.updates.iter().filter(|(_, (done, since))| !done && now - *since > SLOW).map(|(id, _)| *id);
        for id in slow.collect::<Vec<u32>>() {
            self.handled(id);
        }
    }

    /// Where to ask on from: behind what is handled.
    fn ask_from(&self) -> Option<u32> {
        self.updates.keys().next().copied().or(self.offset)
    }
}

/// Polls until told to stop, or until the token is refused.
pub async fn poll(worker: Arc<Worker>, desk: Desk, mut stop: watch::Receiver<bool>) -> Ended {
    let (done, mut handled) = mpsc::unbounded_channel::<u32>();
    let mut taken = Taken::default();
    let mut chats = Chats { worker: Arc::clone(&worker), queues: HashMap::new(), done };
    let mut pause = Duration::from_secs(1);
    let mut token_gone = worker.token_gone.subscribe();
    loop {
        while let Ok(id) = handled.try_recv() {
            taken.handled(id);
        }
        taken.let_go(Instant::now());
        let under_way = !taken.updates.is_empty();
        let began = Instant::now();
        let hold = if under_way { Duration::ZERO } else { HOLD };
        let outcome = tokio::select! {
            () = told(&mut stop) => return finish(&worker, taken, handled).await,
            () = told(&mut token_gone) => return Ended::TokenRefused,
            outcome = worker.updates(taken.ask_from(), hold, hear::KINDS) => outcome,
        };
        match outcome {
            Outcome::Done(Value::Array(updates)) => {
                desk.signs().set(Platform::Telegram, Sign::Serving);
                pause = Duration::from_secs(1);
                let mut new = false;
                for raw in updates {
                    new |= take_in(&mut taken, &mut chats, &raw, &worker);
                }
                if !taken.updates.is_empty() && !new {
                    wait_for_one(&mut handled, &mut taken, BETWEEN.saturating_sub(began.elapsed())).await;
                } else if new {
                    // Most answers are there in no time: then the next poll can be a long one.
                    wait_for_one(&mut handled, &mut taken, Duration::from_millis(50)).await;
                }
            }
            Outcome::TokenRefused => return Ended::TokenRefused,
            other => {
                desk.signs().set(Platform::Telegram, sign(&other));
                tracing::warn!(cause = ?cause(&other), wait = pause.as_secs(), "Telegram could not be polled");
                let wait = if let Outcome::Later(wait) = other { wait } else { pause };
                tokio::select! {
                    () = told(&mut stop) => return finish(&worker, taken, handled).await,
                    () = told(&mut token_gone) => return Ended::TokenRefused,
                    () = tokio::time::sleep(wait) => {}
                }
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

/// Comes back when it is time to stop.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever would say stop is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn sign(outcome: &Outcome) -> Sign {
    match outcome {
        Outcome::AnotherPoller => Sign::AnotherPoller,
        _ => Sign::Unreachable,
    }
}

fn cause(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(code, why, _) => format!("{code} {why}"),
        Outcome::NotSent(why) | Outcome::Unsure(why) => why.clone(),
        Outcome::Later(wait) => format!("too many requests, {} s", wait.as_secs()),
        Outcome::AnotherPoller => "409: another program polls with this token".to_owned(),
        Outcome::Done(_) => "an answer of another shape".to_owned(),
        Outcome::TokenRefused => "the token is refused".to_owned(),
    }
}

/// Waits for one more update to be handled, but not for long.
async fn wait_for_one(handled: &mut mpsc::UnboundedReceiver<u32>, taken: &mut Taken, longest: Duration) {
    if let Ok(Some(id)) = tokio::time::timeout(longest, handled.recv()).await {
        taken.handled(id);
    }
}

/// Confirms what was handled, so that the next start does not hear it again; the rest it does.
async fn finish(worker: &Worker, mut taken: Taken, mut handled: mpsc::UnboundedReceiver<u32>) -> Ended {
    let until = Instant::now() + Duration::from_secs(2);
    while !taken.updates.is_empty()
        && let Ok(Some(id)) = tokio::time::timeout_at(until, handled.recv()).await
    {
        taken.handled(id);
    }
    if let Some(offset) = taken.ask_from() {
        let confirm = json!({ "offset": offset, "limit": 1, "timeout": 0, "allowed_updates": hear::KINDS });
        // If it does not arrive, some answers come twice: better than not at all.
        let _ =
            tokio::time::timeout(Duration::from_secs(2), worker.api.call("getUpdates", &confirm, Duration::ZERO)).await;
    }
    Ended::Stopped
}

/// Hands a new update to its chat's queue; tells whether it was new.
fn take_in(taken: &mut Taken, chats: &mut Chats, raw: &Value, worker: &Worker) -> bool {
    let Some(id) = raw["update_id"].as_u64().and_then(|id| u32::try_from(id).ok()) else {
        tracing::warn!("Telegram sent an update without a number");
        return false;
    };
    if !taken.take(id) {
        return false;
    }
    match hear::read(raw).and_then(|update| hear::matter(update, &worker.me)) {
        Some(matter) => chats.hand(id, matter),
        None => taken.handled(id),
    }
    true
}

/// A queue a chat: in order within it, at once between them.
struct Chats {
    worker: Arc<Worker>,
    queues: HashMap<String, mpsc::UnboundedSender<(u32, Matter)>>,
    done: mpsc::UnboundedSender<u32>,
}

impl Chats {
    fn hand(&mut self, id: u32, matter: Matter) {
        let name = matter.queue();
        if self.queues.len() > 1_000 {
            let idle: BTreeSet<String> =
                self.queues.iter().filter(|(_, queue)| queue.is_closed()).map(|(name, _)| name.clone()).collect();
            self.queues.retain(|name, _| !idle.contains(name));
        }
        let queue = self.queues.entry(name.clone()).or_insert_with(|| start(&self.worker, &self.done));
        if let Err(mpsc::error::SendError(back)) = queue.send((id, matter)) {
            let queue = start(&self.worker, &self.done);
            // A queue that was just begun is open.
            let _ = queue.send(back);
            self.queues.insert(name, queue);
        }
    }
}

/// Works a chat's queue off; ends when it has rested for a minute.
fn start(worker: &Arc<Worker>, done: &mpsc::UnboundedSender<u32>) -> mpsc::UnboundedSender<(u32, Matter)> {
    let (queue, mut matters) = mpsc::unbounded_channel::<(u32, Matter)>();
    let (worker, done) = (Arc::clone(worker), done.clone());
    tokio::spawn(async move {
        while let Ok(Some((id, matter))) = tokio::time::timeout(Duration::from_secs(60), matters.recv()).await {
            handle(&worker, id, matter).await;
            if done.send(id).is_err() {
                return;
            }
        }
        matters.close();
        while let Some((id, matter)) = matters.recv().await {
            handle(&worker, id, matter).await;
            // Whoever listens may have stopped.
            let _ = done.send(id);
        }
    });
    queue
}

/// Handles one; whatever breaks in it breaks alone.
async fn handle(worker: &Arc<Worker>, id: u32, matter: Matter) {
    let worker = Arc::clone(worker);
    let span = tracing::info_span!("update", network = "telegram", id, what = matter.kind());
    let task = tokio::spawn(async move { worker.handle(matter).await }.instrument(span));
    if let Err(error) = task.await {
        tracing::error!(update = id, %error, "an update broke while it was handled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_moves_only_behind_what_was_handled() {
        let mut taken = Taken::default();
        assert!(taken.take(10) && taken.take(11) && taken.take(12));
        assert!(!taken.take(11), "a repetition");
        taken.handled(11);
        assert_eq!(taken.ask_from(), Some(10));
        taken.handled(10);
        assert_eq!(taken.ask_from(), Some(12));
        taken.handled(12);
        assert_eq!(taken.ask_from(), Some(13));
        assert!(!taken.take(12), "already handled");
        assert!(taken.take(900_000_000), "numbers may begin anew anywhere");
    }

    #[test]
    fn a_full_page_lets_slow_answers_go() {
        let mut taken = Taken::default();
        for id in 0..99 {
            taken.take(id + 10);
        }
        let later = Instant::now() + SLOW + Duration::from_secs(1);
        taken.let_go(later);
        assert_eq!(taken.ask_from(), Some(10), "not while there is room");
        taken.take(109);
        taken.let_go(later);
        assert_eq!(taken.ask_from(), Some(110));
    }
}
