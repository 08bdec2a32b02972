//! Brings people what they are to be told in private. What is owed is in the store, so a kill loses nothing; what is under
//! way is noted before it leaves, so that a second try says that it may be one.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use commands::kit::letters;
use record::{
    channel::Network,
    private::{Address, Fact},
    reply::Letter,
    store::{Drafted, Errand, Set},
};
use tokio::sync::watch;

use crate::desk::{Desk, Undone};

/// How long somebody who cannot be reached is tried for.
pub const KEEP: TimeDelta = TimeDelta::days(3);
/// How long is waited before what may not have arrived is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long is waited when something broke on our side.
const BROKE: Duration = Duration::from_secs(60);
/// How often what is too old is looked for, where nothing else happens.
const LOOK: Duration = Duration::from_secs(3_600);

/// What came of bringing a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is there: the chat that it is in, and its number there, where that is known.
    There(Option<(Address, u64)>),
    /// Whoever it is for does not take it, or what it changes is not there any more.
    Refused(String),
    /// Not now.
    Later(Duration),
    /// Nobody can tell.
    Unsure(String),
    /// Nothing can be brought there any more.
    Shut,
}

/// What people on a network have to be told at a moment: each errand with the letters that are left of it. One whose letters
/// cannot be worked out stays owed, and keeps no other waiting.
pub fn due(desk: &Desk, network: Network, at: DateTime<Utc>) -> Result<Vec<(Errand, Vec<Letter>)>, Undone> {
    let store = desk.store();
    let head = store.head().commit;
    let mut due = Vec::new();
    // A row may be seen a moment before its commit is everybody's.
    for errand in store.letters().on(network).map_err(undone)?.into_iter().filter(|errand| errand.of <= head) {
        let written = store.view().told_at(errand.of).map_err(undone)?;
        let letters = match written {
            Some(written) if at - written <= KEEP => {
                match letters::letters(store, &desk.house(), (errand.of, network), at) {
                    Ok(letters) => letters,
                    Err(why) => {
                        tracing::error!(why, commit = errand.of, "what is to be told of a line cannot be worked out");
                        continue;
                    }
                }
            }
            _ => Vec::new(),
        };
        let left = letters.into_iter().filter(|letter| !errand.went.told.contains(&letter.mark())).collect();
        due.push((errand, left));
    }
    Ok(due)
}

/// Notes that a letter leaves; whether it may have before.
pub fn flies(desk: &Desk, errand: &mut Errand, letter: &Letter) -> Result<bool, Undone> {
    // Changing a message twice is the same as once.
    if letter.place.is_some() {
        return Ok(false);
    }
    let mark = Some(letter.mark());
    let again = errand.went.flying == mark;
    if !again {
        errand.went.flying = mark;
        note(desk, errand)?;
    }
    Ok(again)
}

/// Notes that a letter did not leave.
pub fn stayed(desk: &Desk, errand: &mut Errand) -> Result<(), Undone> {
    match errand.went.flying.take() {
        Some(_) => note(desk, errand),
        None => Ok(()),
    }
}

/// Notes that a letter is there, or never will be, and where a draft is shown.
pub fn brought(
    desk: &Desk,
    errand: &mut Errand,
    letter: &Letter,
    place: Option<(Address, u64)>,
    at: DateTime<Utc>,
) -> Result<(), Undone> {
    if let (Some(draft), Some((place, message))) = (letter.draft, place) {
        say(desk, Fact::Carded { draft, to: letter.to.clone(), place, message: message.to_string() }, at)?;
    }
    errand.went.flying = None;
    errand.went.told.insert(letter.mark());
    note(desk, errand)
}

/// Notes that everybody was told.
pub fn over(desk: &Desk, errand: &Errand, at: DateTime<Utc>) -> Result<(), Undone> {
    match errand.went.told.is_empty() {
        true => desk.store().letters().drop_empty(errand).map_err(undone),
        false => say(desk, Fact::Told { of: errand.of, network: errand.network }, at),
    }
}

fn note(desk: &Desk, errand: &Errand) -> Result<(), Undone> {
    desk.store().letters().note(errand).map_err(undone)?;
    desk.store().sync_ledger().map_err(undone)
}

fn say(desk: &Desk, fact: Fact, at: DateTime<Utc>) -> Result<(), Undone> {
    let set = Set { ask: None, expects: Vec::new(), said: vec![Drafted::Fact(fact)], at };
    desk.store().say(set).map(drop).map_err(undone)
}

fn undone(error: impl std::fmt::Display) -> Undone {
    Undone(error.to_string())
}

/// Carries letters to a network until it is told to stop or nothing can be brought there. `bring` gets a letter and a
/// number that is the same however often it is tried: the commit of what it tells.
pub async fn carry<B, F>(desk: Desk, network: Network, bring: B, mut stop: watch::Receiver<bool>)
where
    B: Fn(Letter, u64) -> F,
    F: Future<Output = Brought>,
{
    let mut commits = desk.commits();
    loop {
        let next = match round(&desk, network, &bring).await {
            Ok(Next::Shut) => return,
            Ok(next) => next,
            Err(Undone(why)) => {
                tracing::error!(why, network = network.name(), "letters could not be brought");
                Next::Wait(BROKE)
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(match next { Next::Wait(wait) => wait, _ => LOOK }) => {}
            Ok(()) = commits.changed(), if next == Next::Idle => {}
        }
    }
}

/// What carrying goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing is left.
    Idle,
    /// More after a while.
    Wait(Duration),
    /// Nothing can be brought any more.
    Shut,
}

async fn round<B, F>(desk: &Desk, network: Network, bring: &B) -> Result<Next, Undone>
where
    B: Fn(Letter, u64) -> F,
    F: Future<Output = Brought>,
{
    if desk.store().read_only().is_some() {
        return Ok(Next::Wait(BROKE));
    }
    let mut next = Next::Idle;
    for (mut errand, letters) in off(desk, move |desk| due(desk, network, Utc::now())).await? {
        for letter in letters {
            let (leaving, again);
            (errand, leaving, again) = off(desk, move |desk| {
                let again = flies(desk, &mut errand, &letter)?;
                Ok((errand, letter, again))
            })
            .await?;
            let letter = leaving;
            let sent = match again {
                true => letters::marked(letter.clone(), desk.lang_for(&letter.to, None)),
                false => letter.clone(),
            };
            let came = bring(sent, errand.of).await;
            let place = match came {
                Brought::There(place) => place,
                Brought::Refused(why) => {
                    tracing::info!(network = network.name(), why, "a letter was not taken");
                    None
                }
                // It was tried a second time: whoever was told twice is not told a third time.
                Brought::Unsure(why) if again => {
                    tracing::warn!(network = network.name(), why, "a letter was brought, or not, and is given up");
                    None
                }
                Brought::Unsure(why) => {
                    tracing::info!(network = network.name(), why, "nobody can tell whether a letter arrived");
                    next = Next::Wait(AGAIN);
                    break;
                }
                Brought::Later(wait) => {
                    off(desk, move |desk| stayed(desk, &mut errand)).await?;
                    return Ok(Next::Wait(wait));
                }
                Brought::Shut => return Ok(Next::Shut),
            };
            errand = off(desk, move |desk| {
                brought(desk, &mut errand, &letter, place, Utc::now())?;
                Ok(errand)
            })
            .await?;
        }
        if next == Next::Idle {
            off(desk, move |desk| over(desk, &errand, Utc::now())).await?;
        } else {
            break;
        }
    }
    Ok(next)
}

/// Off the async threads.
async fn off<T: Send + 'static>(
    desk: &Desk,
    work: impl FnOnce(&Desk) -> Result<T, Undone> + Send + 'static,
) -> Result<T, Undone> {
    let desk = desk.clone();
    tokio::task::spawn_blocking(move || work(&desk)).await.map_err(undone)?
}
