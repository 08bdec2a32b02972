//! Brings owners, and those who subscribed channels, what they should know: each alert waits in the ledger until somebody
//! has got it on some platform, over restarts too.

use std::time::Duration;

use chrono::Utc;
use record::outbox::{Ms, OwnerAlert};
use tokio::sync::{broadcast::error::RecvError, watch};

use crate::{
    config::Platform,
    desk::Desk,
    signs::{Alert, Sign, Words},
};

/// How often what waits is looked at.
const LOOK: Duration = Duration::from_secs(20);
/// How long after somebody has got it the other platform may still bring it.
const LATER: Ms = 10 * 60_000;
/// How long an alert is kept for owners, and for somebody else.
const KEPT: [Ms; 2] = [30 * 24 * 3_600_000, 3 * 24 * 3_600_000];

/// An alert as the ledger keeps it.
pub fn kept(alert: &Alert, at: Ms) -> OwnerAlert {
    OwnerAlert {
        at,
        about: alert.about.map(|platform| platform.code().to_owned()),
        to: alert.to.clone(),
        en: alert.words.en.clone(),
        it: alert.words.it.clone(),
        told: Vec::new(),
        tries: 0,
    }
}

/// Keeps alerts of a desk's signs in its ledger.
pub fn keep(desk: &Desk) {
    let store = desk.store().clone();
    desk.signs().keep_alerts(move |alert| {
        let ledger = store.ledger();
        let kept = ledger.add_alert(&kept(alert, Utc::now().timestamp_millis())).and_then(|()| store.sync_ledger());
        if let Err(error) = kept {
            tracing::error!(%error, words = alert.words.en, "an alert could not be kept; it is told now or never");
        }
    });
}

/// Brings what waits to those who are on a platform, until told to stop. `bring` tells whether somebody has got it.
pub async fn carry<B, F>(desk: Desk, platform: Platform, bring: B, mut stop: watch::Receiver<bool>)
where
    B: Fn(u64, Words) -> F,
    F: Future<Output = bool>,
{
    let mut bell = desk.signs().listen();
    loop {
        round(&desk, platform, &bring).await;
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
            rung = bell.recv() => if matches!(rung, Err(RecvError::Closed)) { return },
        }
    }
}

async fn round<B, F>(desk: &Desk, platform: Platform, bring: &B)
where
    B: Fn(u64, Words) -> F,
    F: Future<Output = bool>,
{
    let waiting = match desk.store().ledger().alerts() {
        Ok(waiting) => waiting,
        Err(error) => return tracing::error!(%error, "alerts cannot be read"),
    };
    for (number, alert) in waiting {
        let words = Words { en: alert.en.clone(), it: alert.it.clone() };
        let about =
            [Platform::Telegram, Platform::Discord].into_iter().find(|it| alert.about.as_deref() == Some(it.code()));
        let whom = Alert { about, to: alert.to.clone(), words: words.clone() }.whom(platform, &desk.owners());
        let mine = platform.code().to_owned();
        let tried = !alert.told.contains(&mine) && !whom.is_empty();
        let mut got = false;
        if tried {
            for person in whom {
                got |= bring(person, words.clone()).await;
            }
        } else if !is_over(desk, &alert, Utc::now().timestamp_millis()) {
            continue;
        }
        // The other platform may have brought it meanwhile.
        let written = desk.store().ledger().change_alert(number, |mut alert| {
            match (tried, got) {
                (true, true) if !alert.told.contains(&mine) => alert.told.push(mine),
                (true, false) => alert.tries = alert.tries.saturating_add(1),
                _ => {}
            }
            Some(alert).filter(|alert| !is_over(desk, alert, Utc::now().timestamp_millis()))
        });
        if let Err(error) = written.and_then(|()| desk.store().sync_ledger()) {
            tracing::error!(%error, "that an alert was brought could not be noted; it may come again");
        }
    }
}

/// Whether nobody needs to be told any more.
fn is_over(desk: &Desk, alert: &OwnerAlert, now: Ms) -> bool {
    let age = now.saturating_sub(alert.at);
    let kept = KEPT[usize::from(alert.to.is_some())];
    let others = [Platform::Telegram, Platform::Discord].into_iter().any(|platform| {
        let can = desk.signs().get(platform) == Sign::Serving && alert.about.as_deref() != Some(platform.code());
        let owners = desk.owners().iter().any(|owner| crate::signs::account(owner, platform).is_some());
        can && owners && alert.to.is_none() && !alert.told.iter().any(|told| told == platform.code())
    });
    age > kept || !alert.told.is_empty() && (!others || age > LATER)
}
