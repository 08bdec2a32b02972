//! A backup a day, verified, the oldest of which go; and those that somebody asks for.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use record::backup::{self, Backup};
use tokio::sync::watch;

use crate::{
    desk::{Desk, Undone},
    signs::{Alert, Words},
};

/// How old the newest backup may get.
const AGE: TimeDelta = TimeDelta::hours(24);
/// How often is looked.
const LOOK: Duration = Duration::from_secs(600);
/// How long after a start the first look is: a start has enough to do.
const FIRST: Duration = Duration::from_secs(30);

/// One is made at a time.
static AT_ONCE: Mutex<()> = Mutex::new(());

/// Backs a store up into a directory; what was made.
pub fn make(desk: &Desk, dir: &Path, at: DateTime<Utc>) -> Result<Backup, Undone> {
    let _one = AT_ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    backup::make(desk.store(), dir, at).map_err(|error| Undone(error.to_string()))
}

/// Makes the backup of the day where one is due, and lets the oldest of this record go; what was made, if anything was.
pub fn daily(desk: &Desk, dir: &Path, keep: usize, at: DateTime<Utc>) -> Result<Option<PathBuf>, Undone> {
    let undone = |error: backup::BackupError| Undone(error.to_string());
    let newest = backup::of(desk.store(), dir).map_err(undone)?.pop();
    if let Some(newest) = &newest {
        desk.vitals().backed_up(Ok(newest.manifest.made_at));
        let same = newest.manifest.commit == desk.store().head().commit;
        if same || at - newest.manifest.made_at < AGE {
            return Ok(None);
        }
    }
    if desk.store().head().commit == 0 {
        return Ok(None);
    }
    let made = make(desk, dir, at)?;
    desk.vitals().backed_up(Ok(at));
    let gone = backup::prune(desk.store(), dir, keep).map_err(undone)?;
    tracing::info!(commit = made.manifest.commit, gone, path = %made.path.display(), "a backup was made and verified");
    Ok(Some(made.path))
}

/// Looks after the daily backup until it is told to stop. Keeping none turns it off.
pub async fn watch(desk: Desk, dir: PathBuf, keep: usize, mut stop: watch::Receiver<bool>) {
    if keep == 0 {
        return;
    }
    let (mut wait, mut failed) = (FIRST, false);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = LOOK;
        let (at, looking, place) = (Utc::now(), desk.clone(), dir.clone());
        let came = tokio::task::spawn_blocking(move || daily(&looking, &place, keep, at)).await;
        let why = match came {
            Ok(Ok(_)) => {
                failed = false;
                continue;
            }
            Ok(Err(Undone(why))) => why,
            Err(error) => error.to_string(),
        };
        tracing::error!(why, "the daily backup failed; it is tried again in ten minutes");
        desk.vitals().backed_up(Err(why.clone()));
        if !std::mem::replace(&mut failed, true) {
            desk.signs().alert(Alert::to_owners(
                None,
                Words {
                    en: format!("My daily backup failed: {why}. I try again every ten minutes."),
                    it: format!("La mia copia quotidiana non è riuscita: {why}. Riprovo ogni dieci minuti."),
                },
            ));
        }
    }
}
