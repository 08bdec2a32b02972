//! Erasing bodies in the journal's files, and in what was put aside beside them.
//!
//! The erasure is a line of its own, synced first; the state's copies go with the batch that folds it. The files follow
//! here, and a note in the state (`keys::ERASING`) has a start finish what a crash cut short.

use std::{fs, io, path::Path};

use super::{
    fold::erasing,
    keys,
    state::{State, StateError},
};
use crate::{
    disk::Disk,
    journal::{self, Lines},
    line::Line,
    private::Bodies,
};

/// Has the journal's files follow the erasures that the state knows of.
pub(super) fn follow(state: &State, journal_dir: &Path, disk: &dyn Disk) -> Result<(), StateError> {
    let targets = erasing(state)?;
    if targets.is_empty() {
        return Ok(());
    }
    // States that were not trusted and moved aside hold copies of the lines: no part of such a file can be rewritten. What a
    // restore moved aside holds them, too.
    if let Some(data) = journal_dir.parent() {
        for item in fs::read_dir(data)? {
            let path = item?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if ["sled.aside", "journal.aside"].iter().any(|aside| name.starts_with(aside)) && path.is_dir() {
                fs::remove_dir_all(&path)?;
                tracing::warn!(path = %path.display(), "what was moved aside was deleted: it held what was erased");
            }
        }
    }
    for item in fs::read_dir(journal_dir)? {
        let path = item?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.contains(".jsonl") {
            erase_in(disk, &path, &targets)?;
        }
    }
    state.remove(keys::ERASING)
}

/// Rewrites a file without the bodies, if it holds any of them.
fn erase_in(disk: &dyn Disk, path: &Path, targets: &[(u64, Bodies)]) -> io::Result<()> {
    let (mut content, mut changed) = (Vec::new(), false);
    for found in Lines::open(path)? {
        let found = found?;
        let mut bytes = found.bytes;
        if let Ok(line) = Line::read(&bytes) {
            for (_, bodies) in targets.iter().filter(|(commit, _)| *commit == line.header.commit) {
                let line = Line::read(&bytes).map_err(io::Error::other)?;
                let without = line.without(*bodies).map_err(io::Error::other)?;
                changed |= without != bytes;
                bytes = without;
            }
        }
        content.extend_from_slice(&bytes);
        if found.ended {
            content.push(b'\n');
        }
    }
    if changed { journal::overwrite(disk, path, &content) } else { Ok(()) }
}
