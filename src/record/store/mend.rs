//! Mending what a comparison of everything found, while the store is open: by the writer, so that nothing is added
//! meanwhile.
//!
//! A line of the journal that is damaged or missing is put right from the state's copy, a copy in the state from the
//! journal's line, wherever the chain says which of the two is the good one. A state that cannot be read is put aside at
//! the next start. Erased bodies come back from nowhere: the state's copy lost them first.

use std::{collections::HashMap, fs, path::Path};

use super::{
    OpenError,
    fold::Head,
    keys,
    state::{Rows, State, safely},
    verify,
};
use crate::{
    disk::Disk,
    journal::{self, JournalFile, Lines},
    line::{Hash, Line},
};

/// The name, in the data directory, of what says that the state is to be put aside at the next start, and why.
const SUSPECT: &str = "state-suspect";

/// Why the state is to be put aside, if it is.
pub(super) fn suspicion(dir: &Path) -> Option<String> {
    fs::read_to_string(dir.join(SUSPECT)).ok().map(|reason| reason.trim().to_owned())
}

/// The state was put aside.
pub(super) fn clear(dir: &Path) -> std::io::Result<()> {
    match fs::remove_file(dir.join(SUSPECT)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// What was put right, in words.
    pub told: Vec<String>,
    /// The newest place that no copy fits, if there is one: it and everything before it stay as they are.
    pub lost: Option<String>,
}

/// Mends everything up to a head.
pub(super) fn mend(state: &State, dir: &Path, disk: &dyn Disk, head: Head) -> Result<Mended, OpenError> {
    let journal_dir = dir.join("journal");
    let files = journal::files(&journal_dir).map_err(OpenError::io(format!("reading {}", journal_dir.display())))?;
    let files = match files.first() {
        Some(first) if first.first == 1 => files,
        // Its first file is gone whole.
        _ => {
            [JournalFile { first: 1, path: journal_dir.join(journal::file_name(1)) }].into_iter().chain(files).collect()
        }
    };
    // From the newest line backwards: each says which line was before it, so there is never a doubt which copy is good.
    let mut mend = Mend { state, dir, disk, at: head.commit, hash: head.hash, mended: Mended::default() };
    if let Err(why) = safely(|| Head::read(state)) {
        mend.suspect(format!("the state could not be read: {why}"));
    }
    for (index, file) in files.iter().enumerate().rev().filter(|(_, file)| file.first <= head.commit) {
        mend.file(file, index + 1 == files.len())?;
        if mend.mended.lost.is_some() {
            break;
        }
    }
    Ok(mend.mended)
}

struct Mend<'a> {
    state: &'a State,
    dir: &'a Path,
    disk: &'a dyn Disk,
    at: u64,
    hash: Hash,
    mended: Mended,
}

impl Mend<'_> {
    fn file(&mut self, file: &JournalFile, newest: bool) -> Result<(), OpenError> {
        let io = |what: &str| OpenError::io(format!("{what} {}", file.path.display()));
        let (mut own, mut before) = (HashMap::new(), Vec::new());
        if file.path.exists() {
            before = fs::read(&file.path).map_err(io("reading"))?;
            for found in Lines::open(&file.path).map_err(io("reading"))? {
                if let Ok(line) = Line::read(&found.map_err(io("reading"))?.bytes) {
                    own.insert(line.hash, line);
                }
            }
        }
        // What the state lacks yet follows its newest line.
        let mut after = Vec::new();
        if newest {
            let next: HashMap<Hash, Hash> = own.iter().map(|(hash, line)| (line.header.previous, *hash)).collect();
            let mut tip = self.hash;
            while let Some(line) = next.get(&tip).and_then(|hash| own.get(hash)).filter(|_| after.len() < own.len()) {
                after.push(line.bytes.clone());
                tip = line.hash;
            }
        }
        let (mut lines, mut restored) = (Vec::new(), 0u64);
        while self.at >= file.first {
            let copy = self.copy(self.at);
            let (at, hash) = (self.at, self.hash);
            let line = match own.remove(&hash) {
                Some(line) => {
                    if copy.as_ref().is_some_and(|copy| copy.as_deref() != Some(&line.bytes[..])) {
                        let row = Rows::from([(keys::line(at), Some(line.bytes.clone()))]);
                        self.state.apply(row)?;
                        self.mended
                            .told
                            .push(format!("the state's copy of commit {at} was put right from the journal"));
                    }
                    line
                }
                None => {
                    let copy = copy.flatten().and_then(|copy| Line::read(&copy).ok());
                    let Some(line) = copy.filter(|line| line.hash == hash) else {
                        // What is before it cannot be judged.
                        let place = file.path.display();
                        self.mended.lost = Some(format!("{place}: commit {at} is damaged, and no copy of it fits"));
                        return Ok(());
                    };
                    restored += 1;
                    line
                }
            };
            (self.at, self.hash) = (at - 1, line.header.previous);
            lines.push(line.bytes);
        }
        let mut content = Vec::with_capacity(before.len());
        for line in lines.iter().rev().chain(&after) {
            content.extend_from_slice(line);
            content.push(b'\n');
        }
        if content == before {
            return Ok(());
        }
        match before.is_empty() {
            true => journal::overwrite(self.disk, &file.path, &content),
            false => journal::replace(self.disk, &file.path, &content).map(drop),
        }
        .map_err(io("repairing"))?;
        self.mended
            .told
            .push(format!("{}: put right; {restored} of its lines are the state's copies", file.path.display()));
        Ok(())
    }

    /// The state's copy of a line; none where the state cannot be read, which then is put aside at the next start.
    fn copy(&mut self, commit: u64) -> Option<Option<Vec<u8>>> {
        match verify::read(self.state, commit) {
            Ok(copy) => Some(copy.map(|copy| copy.to_vec())),
            Err(why) => {
                self.suspect(format!("the state's copy of commit {commit} could not be read: {why}"));
                None
            }
        }
    }

    /// Notes why the state is to be put aside at the next start; the first reason is enough.
    fn suspect(&mut self, reason: String) {
        if suspicion(self.dir).is_none() {
            let noted = fs::write(self.dir.join(SUSPECT), &reason);
            self.mended.told.push(match noted {
                Ok(()) => format!("{reason}; the next start folds the state anew"),
                Err(error) => format!("{reason}, and that could not be noted for the next start: {error}"),
            });
        }
    }
}
