//! Writing the state anew, row by row, so that no old page is left of what was changed or erased. That makes a state smaller
//! that was changed much; one that was only added to may grow, since sled leaves its segments half full.

use std::{fs, path::Path};

use super::{OpenError, Options, lock, state::State};
use crate::{
    journal::{self, RESTORING},
    store::state::Rows,
};

/// How many rows are written as one batch.
const BATCH: usize = 2_000;

/// Writes the state of a store that no process has open anew; how many bytes it took before, and takes now.
pub fn compact(options: &Options, progress: &mut dyn FnMut(u64)) -> Result<(u64, u64), OpenError> {
    let _lock = lock(&options.dir)?;
    put_back(options)?;
    let (sled, new, old) = places(options);
    let before = size(&sled);
    {
        let (from, to) = (State::open(&sled, options.cache_bytes)?, State::open(&new, options.cache_bytes)?);
        let (mut rows, mut done) = (Rows::new(), 0);
        for row in from.prefix(&[]) {
            let (key, value) = row?;
            rows.insert(key.to_vec(), Some(value.to_vec()));
            if rows.len() >= BATCH {
                done += rows.len() as u64;
                to.apply(std::mem::take(&mut rows))?;
                progress(done);
            }
        }
        to.apply(rows)?;
        to.sync(&new)?;
        let mut written = to.prefix(&[]);
        for row in from.prefix(&[]) {
            let (is, was) = (written.next().transpose()?, row?);
            if is.is_none_or(|is| *is.0 != *was.0 || *is.1 != *was.1) {
                return Err(super::StateError::Damaged("what was written anew is not what was there".to_owned()).into());
            }
        }
    }
    let io = |what: &str| OpenError::io(format!("{what} {}", sled.display()));
    fs::rename(&sled, &old).map_err(io("moving aside"))?;
    fs::rename(&new, &sled).map_err(io("putting the new state in the place of"))?;
    journal::sync_dir(&options.dir).map_err(io("syncing"))?;
    remove(&old)?;
    Ok((before, size(&sled)))
}

/// Finishes, or takes back, what a crash cut short: no copy stays that nobody looks after.
pub(super) fn put_back(options: &Options) -> Result<(), OpenError> {
    let (sled, new, old) = places(options);
    remove(&new)?;
    remove(&options.dir.join(RESTORING))?;
    match (sled.exists(), old.exists()) {
        (false, true) => fs::rename(&old, &sled).map_err(OpenError::io(format!("putting {} back", sled.display()))),
        (true, true) => remove(&old),
        _ => Ok(()),
    }
}

fn places(options: &Options) -> (std::path::PathBuf, std::path::PathBuf, std::path::PathBuf) {
    let sled = options.sled_dir();
    (sled.clone(), sled.with_extension("new"), sled.with_extension("old"))
}

fn remove(dir: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(OpenError::io(format!("removing {}", dir.display()))(error))
        }
        _ => Ok(()),
    }
}

/// How many bytes the files below a directory have; what cannot be read counts nothing.
pub fn size(dir: &Path) -> u64 {
    let Ok(items) = fs::read_dir(dir) else { return 0 };
    items
        .flatten()
        .map(|item| match item.file_type() {
            Ok(kind) if kind.is_dir() => size(&item.path()),
            _ => item.metadata().map_or(0, |meta| meta.len()),
        })
        .sum()
}
