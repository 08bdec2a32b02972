//! A small file beside journal and state that says how far the record is, so that a start notices when both are lost or
//! cut short. It is behind by a second at most, and never ahead of what is durable.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Options,
    fold::Head,
    keys,
    state::{Read, State, StateError},
};
use crate::{
    backup,
    line::{self, Hash},
};

/// The marker's name in the data directory.
const NAME: &str = "head.json";
/// No marker of ours is longer, in bytes.
const LONGEST: u64 = 4_096;

/// What the marker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// The newest commit.
    pub commit: u64,
    /// The hash of its header.
    pub hash: Hash,
    /// The last commit of a record that was restored, or that goes on with less than there was: what was delivered of it
    /// since is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
}

/// What was found of a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// None: nothing is recorded yet, or an older version did not write one.
    None,
    /// One that cannot be read.
    Damaged(String),
    /// One.
    Marker(Marker),
}

impl Found {
    /// See [`Marker::restored`].
    pub fn restored(&self) -> Option<u64> {
        match self {
            Found::Marker(marker) => marker.restored,
            Found::None | Found::Damaged(_) => None,
        }
    }
}

/// Reads the marker of a data directory.
pub fn read(dir: &Path) -> Found {
    let mut text = String::new();
    let read = File::open(dir.join(NAME)).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::None,
        Err(error) => Found::Damaged(error.to_string()),
        Ok(_) => serde_json::from_str(&text).map_or_else(|error| Found::Damaged(error.to_string()), Found::Marker),
    }
}

/// Writes the marker beside its place, makes it durable, and puts it there.
pub fn write(dir: &Path, head: Head, restored: Option<u64>) -> io::Result<()> {
    let marker = Marker { commit: head.commit, hash: head.hash, restored };
    let (place, beside) = (dir.join(NAME), dir.join(format!("{NAME}.new")));
    let text = serde_json::to_string(&marker).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &place)?;
    File::open(dir)?.sync_all()
}

/// What a start should have found and did not, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Less {
    /// The last commit that is there.
    pub found: u64,
    /// The commit that should be.
    pub expected: u64,
    /// Who says so.
    pub says: String,
    /// The newest backup of this record that holds more than is there.
    pub backup: Option<PathBuf>,
}

/// What is missing of what the marker, or the newest backup of this record, knows.
pub fn missing(options: &Options, state: &State, head: Head) -> Result<Option<Less>, StateError> {
    let mut less: Option<Less> = None;
    match read(&options.dir) {
        Found::Marker(marker) if !is_there(state, head, marker.commit, marker.hash)? => {
            let says = format!("{} (the record itself, before it was closed)", options.dir.join(NAME).display());
            less = Some(Less { found: head.commit, expected: marker.commit, says, backup: None });
        }
        Found::Damaged(why) => tracing::warn!(why, "the note of how far the record is cannot be read"),
        Found::Marker(_) | Found::None => {}
    }
    let Some(dir) = &options.backups else { return Ok(less) };
    // A directory that cannot be read says nothing.
    let backups = backup::list(dir).unwrap_or_default();
    for backup in backups.into_iter().rev() {
        let manifest = &backup.manifest;
        if !is_of_this_record(state, head, &backup)? || is_there(state, head, manifest.commit, manifest.hash)? {
            continue;
        }
        let says = format!("the backup {} of {}", backup.path.display(), manifest.made_at.format("%Y-%m-%d %H:%M UTC"));
        let expected = manifest.commit;
        let known = less.get_or_insert(Less { found: head.commit, expected, says, backup: None });
        known.backup = Some(backup.path);
        break;
    }
    Ok(less)
}

/// Whether a commit is there, with this header.
fn is_there(state: &State, head: Head, commit: u64, hash: Hash) -> Result<bool, StateError> {
    if commit == 0 {
        return Ok(true);
    }
    if commit == head.commit {
        return Ok(hash == head.hash);
    }
    Ok(commit < head.commit && header_of(state, commit)? == Some(hash))
}

fn header_of(state: &State, commit: u64) -> Result<Option<Hash>, StateError> {
    let Some(bytes) = state.get(&keys::line(commit))? else { return Ok(None) };
    let line = line::Line::read(&bytes).map_err(|error| StateError::Damaged(error.to_string()))?;
    Ok(Some(line.hash))
}

/// Whether a backup is one of this record: both begin with the same line. Beside an empty record every backup counts.
fn is_of_this_record(state: &State, head: Head, backup: &backup::Backup) -> Result<bool, StateError> {
    if head.commit == 0 {
        return Ok(true);
    }
    let first = backup.first_header();
    Ok(first.is_some() && header_of(state, 1)? == first)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_what_was_written_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), Found::None);
        let head = Head { commit: 7, hash: Hash::of(b"x") };
        write(dir.path(), head, Some(5)).unwrap();
        assert_eq!(read(dir.path()), Found::Marker(Marker { commit: 7, hash: head.hash, restored: Some(5) }));
        fs::write(dir.path().join(NAME), "{").unwrap();
        assert!(matches!(read(dir.path()), Found::Damaged(_)));
    }
}
