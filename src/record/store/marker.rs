//! A small file beside journal and state that says how far the record is, so that a start notices when both are lost or
//! cut short. It is behind by a second or two at most, and never ahead of what is durable.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    OpenError, Options,
    fold::Head,
    keys,
    state::{Read, State, safely},
};
use crate::{
    backup::{self, Backup},
    journal::{self, Lines},
    line::{Hash, Line, glance},
};

/// The marker's name in the data directory.
const NAME: &str = "head.json";
/// No marker of ours is longer, in bytes.
const LONGEST: u64 = 16_384;
/// The format that this program writes; a newer one is no reason to stop.
const FORMAT: u32 = 1;
/// How many backups that know more are remembered as accepted at most, the newest of them.
const ACCEPTED: usize = 100;

/// What the marker says. In the file, a line with the SHA-256 of its line follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The format of this file.
    pub format: u32,
    /// The hash of the header of the record's first line, which tells one record from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Hash>,
    /// The newest commit.
    pub commit: u64,
    /// The hash of its header.
    pub hash: Hash,
    /// When it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// When the clock was last looked at, within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<DateTime<Utc>>,
    /// The last commit of a record that was restored, or that goes on with less than there was: what was delivered of it
    /// since is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
    /// The heads of the backups that know more, where somebody said to go on without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Hash>,
}

impl Marker {
    /// Of an empty record.
    pub const NONE: Marker = Marker {
        format: FORMAT,
        first: None,
        commit: 0,
        hash: Hash::NONE,
        at: None,
        seen: None,
        restored: None,
        accepted: Vec::new(),
    };
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

/// Reads the marker of a data directory.
pub fn read(dir: &Path) -> Found {
    let mut text = String::new();
    match File::open(dir.join(NAME)).and_then(|file| file.take(LONGEST).read_to_string(&mut text)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::None,
        Err(error) => return Found::Damaged(error.to_string()),
        Ok(_) => {}
    }
    let Some((json, sum)) = text.trim_end().split_once('\n') else {
        return Found::Damaged("it is cut short".to_owned());
    };
    if Hash::of(json.as_bytes()).to_string() != sum {
        return Found::Damaged("it is not what its checksum says".to_owned());
    }
    match serde_json::from_str::<Marker>(json) {
        Ok(marker) => Found::Marker(marker),
        Err(error) => Found::Damaged(error.to_string()),
    }
}

/// Writes the marker beside its place, makes it durable, and puts it there.
pub fn write(dir: &Path, marker: &Marker) -> io::Result<()> {
    let (place, beside) = (dir.join(NAME), dir.join(format!("{NAME}.new")));
    let json = serde_json::to_string(marker).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    writeln!(file, "{json}\n{}", Hash::of(json.as_bytes()))?;
    file.sync_all()?;
    fs::rename(&beside, &place)?;
    journal::sync_dir(dir)
}

/// What a start should have found and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Less {
    /// Where it was looked for.
    pub dir: PathBuf,
    /// The last commit that is there.
    pub found: u64,
    /// The commit that should be.
    pub expected: u64,
    /// Who says so, and when.
    pub says: String,
    /// The newest backup of this record that holds what is missing.
    pub backup: Option<PathBuf>,
}

impl fmt::Display for Less {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Less { dir, found, expected, says, backup } = self;
        match (found, found < expected) {
            (0, _) => write!(f, "the record in {} is gone: nothing is there", dir.display())?,
            (_, true) => write!(f, "the record in {} is cut short: it ends at commit {found}", dir.display())?,
            (_, false) => write!(
                f,
                "the record in {} is another one: its line {expected} is not the one that was there",
                dir.display()
            )?,
        }
        write!(f, ", but {says} knows commit {expected}.\n  Nothing is recorded, so that nothing is written over. ")?;
        writeln!(f, "If a disk is not mounted or a directory was moved, put it back and start again. Else either")?;
        match backup {
            Some(backup) => {
                writeln!(f, "    strillone restore {}   goes back to that backup,\n  or", backup.display())?;
            }
            None => writeln!(f, "    strillone restore BACKUP   goes back to a backup (none was found),\n  or")?,
        }
        write!(f, "    strillone run --accept-less   goes on with what is there.")
    }
}

/// The record as it was found: how far it goes, and its lines.
pub struct There<'a> {
    /// Its newest line.
    pub head: Head,
    /// The hash of a line's header; none if it cannot be told.
    pub header: &'a dyn Fn(u64) -> Option<Hash>,
}

impl There<'_> {
    /// Whether a line is there, with this header; a header that cannot be read is for the comparison to find.
    fn has(&self, commit: u64, hash: Hash) -> bool {
        match commit {
            0 => true,
            _ if commit == self.head.commit => hash == self.head.hash,
            _ if commit > self.head.commit => false,
            _ => (self.header)(commit).is_none_or(|there| there == hash),
        }
    }
}

/// The backups that belong to this record, oldest first: beside an empty record whose marker is lost, all do.
fn ours(options: &Options, there: &There<'_>, marker: Option<&Marker>) -> Vec<Backup> {
    let Some(dir) = &options.backups else { return Vec::new() };
    let backups = backup::list(dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "what the backups hold could not be compared with what is there");
        Vec::new()
    });
    let header = || (there.head.commit > 0).then(|| (there.header)(1)).flatten();
    let Some(first) = marker.and_then(|marker| marker.first).or_else(header) else {
        return if there.head.commit == 0 { backups } else { Vec::new() };
    };
    backups.into_iter().filter(|backup| backup.first_header() == Some(first)).collect()
}

/// The backups that know what is not there, oldest first.
pub fn knowing_more(options: &Options, there: &There<'_>, marker: Option<&Marker>) -> Vec<Backup> {
    let more = |backup: &Backup| !there.has(backup.manifest.commit, backup.manifest.hash);
    ours(options, there, marker).into_iter().filter(more).collect()
}

/// What is missing of what the marker, or the newest backup of this record, knows.
pub fn missing(options: &Options, there: &There<'_>) -> Option<Less> {
    let marker = match read(&options.dir) {
        Found::Marker(marker) => Some(marker),
        Found::None => None,
        Found::Damaged(why) => {
            let path = options.dir.join(NAME);
            tracing::warn!(why, "{} cannot be read: only the backups say how far the record should be", path.display());
            None
        }
    };
    let (dir, found) = (options.dir.clone(), there.head.commit);
    let mut less = marker.as_ref().filter(|marker| !there.has(marker.commit, marker.hash)).map(|marker| {
        let mut says = options.dir.join(NAME).display().to_string();
        if let Some(at) = marker.at {
            says += &format!(" (recorded {})", moment(at));
        }
        Less { dir: dir.clone(), found, expected: marker.commit, says, backup: None }
    });
    let accepted = |backup: &Backup| marker.as_ref().is_some_and(|it| it.accepted.contains(&backup.manifest.hash));
    let knows = |backup: &Backup| less.is_some() || !accepted(backup);
    if let Some(Backup { path, manifest }) = knowing_more(options, there, marker.as_ref()).into_iter().rfind(knows) {
        let says = format!("the backup {} of {}", path.display(), moment(manifest.made_at));
        let known = less.get_or_insert(Less { dir, found, expected: manifest.commit, says, backup: None });
        known.backup = Some(path);
    }
    less
}

/// The heads to leave out of account from now on: those that were, and those of backups that know what is not there.
pub fn accepted(options: &Options, there: &There<'_>, marker: Option<&Marker>) -> Vec<Hash> {
    let mut heads = marker.map(|marker| marker.accepted.clone()).unwrap_or_default();
    for Backup { manifest, .. } in knowing_more(options, there, marker) {
        if !heads.contains(&manifest.hash) {
            heads.push(manifest.hash);
        }
    }
    heads.split_off(heads.len().saturating_sub(ACCEPTED))
}

/// What a start makes of the marker: where less is there than should be, it stops, goes on reading, or goes on with what
/// is there, as the options say.
pub fn at_start(options: &Options, state: &State, head: Head) -> Result<(Marker, Option<Less>), OpenError> {
    if options.memory.is_some() {
        return Ok((Marker::NONE, None));
    }
    let found = match read(&options.dir) {
        Found::Marker(marker) => Some(marker),
        Found::None | Found::Damaged(_) => None,
    };
    let there = There { head, header: &|commit| header_in(state, commit) };
    let Some(less) = missing(options, &there) else { return Ok((found.unwrap_or(Marker::NONE), None)) };
    if options.accept_less {
        let accepted = accepted(options, &there, found.as_ref());
        let marker = Marker { restored: Some(head.commit), accepted, ..of(head, (there.header)(1)) };
        write(&options.dir, &marker).map_err(OpenError::io("noting how far the record is"))?;
        return Ok((marker, Some(less)));
    }
    match options.read_less {
        true => Ok((found.unwrap_or(Marker::NONE), Some(less))),
        false => Err(OpenError::Less(Box::new(less))),
    }
}

/// Notes that a backup was put in the place of what was there. Backups that know more are left out of account from now on.
pub fn restored(options: &Options, backup: &Backup) -> io::Result<()> {
    let head = Head { commit: backup.manifest.commit, hash: backup.manifest.hash };
    let dir = backup.path.join("journal");
    let there = There { head, header: &|commit| header_on_disk(&dir, commit).ok().flatten() };
    let marker = of(head, backup.first_header());
    let accepted = accepted(options, &there, Some(&marker));
    write(&options.dir, &Marker { restored: Some(head.commit), accepted, ..marker })
}

fn of(head: Head, first: Option<Hash>) -> Marker {
    Marker { first, commit: head.commit, hash: head.hash, ..Marker::NONE }
}

fn moment(at: DateTime<Utc>) -> impl fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}

/// The hash of a line's header, as the state has the line.
pub fn header_in(state: &State, commit: u64) -> Option<Hash> {
    let bytes = safely(|| state.get(&keys::line(commit))).ok().flatten()?;
    Some(Line::read(&bytes).ok()?.hash)
}

/// What is missing of a record that no process has open; nothing is changed.
pub fn missing_at_rest(options: &Options) -> io::Result<Option<Less>> {
    let dir = options.journal_dir();
    let mut head = Head::NONE;
    if let Some(last) = journal::files(&dir)?.last() {
        for found in Lines::open(&last.path)? {
            if let Ok(line) = Line::read(&found?.bytes) {
                head = Head { commit: line.header.commit, hash: line.hash };
            }
        }
    }
    Ok(missing(options, &There { head, header: &|commit| header_on_disk(&dir, commit).ok().flatten() }))
}

/// The hash of a line's header, as the journal has the line.
pub fn header_on_disk(journal_dir: &Path, commit: u64) -> io::Result<Option<Hash>> {
    let files = journal::files(journal_dir)?;
    let Some(file) = files.iter().rfind(|file| file.first <= commit) else { return Ok(None) };
    for found in Lines::open(&file.path)? {
        let found = found?;
        if glance(&found.bytes).is_ok_and(|(header, _)| header.commit == commit) {
            return Ok(Line::read(&found.bytes).ok().map(|line| line.hash));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_what_was_written_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), Found::None);
        let marker = Marker {
            first: Some(Hash::of(b"first")),
            commit: 7,
            hash: Hash::of(b"x"),
            restored: Some(5),
            accepted: vec![Hash::of(b"y")],
            ..Marker::NONE
        };
        write(dir.path(), &marker).unwrap();
        assert_eq!(read(dir.path()), Found::Marker(marker));
        let path = dir.path().join(NAME);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() - 1 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(read(dir.path()), Found::Damaged(_)), "byte {at}");
            fs::write(&path, &bytes[..at]).unwrap();
            assert!(matches!(read(dir.path()), Found::Damaged(_)), "cut at {at}");
        }
    }
}
