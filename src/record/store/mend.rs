//! Mending what a comparison of everything found, while the store is open: by the writer, so that nothing is added
//! meanwhile.
//!
//! A line of the journal that is damaged or missing is put right from the state's copy, a copy in the state from the
//! journal's line, wherever the chain says which of the two is the good one. A state that cannot be read is put aside at
//! the next start. Erased bodies come back from nowhere: the state's copy lost them first.

use std::{fs, path::Path};

use super::{
    OpenError,
    fold::Head,
    keys,
    state::{Rows, State},
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

/// Mends everything up to a head; tells what, in words.
pub(super) fn mend(state: &State, dir: &Path, disk: &dyn Disk, head: Head) -> Result<Vec<String>, OpenError> {
    let journal_dir = dir.join("journal");
    let files = journal::files(&journal_dir).map_err(OpenError::io(format!("reading {}", journal_dir.display())))?;
    let mut mend = Mend { state, dir, disk, at: 0, hash: Hash::NONE, told: Vec::new() };
    let files = match files.first() {
        Some(first) if first.first == 1 => files,
        // Its first file is gone whole.
        _ => {
            [JournalFile { first: 1, path: journal_dir.join(journal::file_name(1)) }].into_iter().chain(files).collect()
        }
    };
    for (index, file) in files.iter().enumerate() {
        let until = files.get(index + 1).map_or(head.commit, |next| next.first - 1);
        mend.file(file, until)?;
    }
    Ok(mend.told)
}

struct Mend<'a> {
    state: &'a State,
    dir: &'a Path,
    disk: &'a dyn Disk,
    at: u64,
    hash: Hash,
    told: Vec<String>,
}

impl Mend<'_> {
    fn file(&mut self, file: &JournalFile, until: u64) -> Result<(), OpenError> {
        let io = |what: &str| OpenError::io(format!("{what} {}", file.path.display()));
        let (mut own, mut before) = (Vec::new(), Vec::new());
        if file.path.exists() {
            before = fs::read(&file.path).map_err(io("reading"))?;
            for found in Lines::open(&file.path).map_err(io("reading"))? {
                own.extend(Line::read(&found.map_err(io("reading"))?.bytes).ok());
            }
        }
        own.sort_by_key(|line| line.header.commit);
        let mut own = own.into_iter().peekable();
        let (mut content, mut restored) = (Vec::with_capacity(before.len()), 0u64);
        while self.at < until {
            let wanted = self.at + 1;
            while own.next_if(|line| line.header.commit < wanted).is_some() {}
            let copy = self.copy(wanted);
            let fits = |line: &Line| line.header.commit == wanted && line.header.previous == self.hash;
            let mut good = None;
            while let Some(line) = own.next_if(|line| line.header.commit == wanted) {
                good = good.or(Some(line).filter(fits));
            }
            let line = match good {
                Some(line) => {
                    if copy.as_ref().is_some_and(|copy| copy.as_deref() != Some(&line.bytes[..])) {
                        let row = Rows::from([(keys::line(wanted), Some(line.bytes.clone()))]);
                        self.state.apply(row)?;
                        self.told.push(format!("the state's copy of commit {wanted} was put right from the journal"));
                    }
                    line
                }
                None => match copy.flatten().and_then(|copy| Line::read(&copy).ok()).filter(fits) {
                    Some(line) => {
                        restored += 1;
                        line
                    }
                    None => {
                        self.told.push(format!(
                            "{}: commit {wanted} cannot be mended: no copy of it fits",
                            file.path.display()
                        ));
                        // What follows it cannot be judged.
                        (self.at, self.hash) = (until, Hash::NONE);
                        return Ok(());
                    }
                },
            };
            content.extend_from_slice(&line.bytes);
            content.push(b'\n');
            (self.at, self.hash) = (wanted, line.hash);
        }
        if content == before {
            return Ok(());
        }
        match before.is_empty() {
            true => journal::overwrite(self.disk, &file.path, &content),
            false => journal::replace(self.disk, &file.path, &content).map(drop),
        }
        .map_err(io("repairing"))?;
        self.told.push(format!("{}: put right; {restored} of its lines are the state's copies", file.path.display()));
        Ok(())
    }

    /// The state's copy of a line; none where the state cannot be read, which then is put aside at the next start.
    fn copy(&mut self, commit: u64) -> Option<Option<Vec<u8>>> {
        match verify::read(self.state, commit) {
            Ok(copy) => Some(copy.map(|copy| copy.to_vec())),
            Err(why) => {
                if suspicion(self.dir).is_none() {
                    let reason = format!("the state's copy of commit {commit} could not be read: {why}");
                    let noted = fs::write(self.dir.join(SUSPECT), &reason);
                    self.told.push(match noted {
                        Ok(()) => format!("{reason}; the next start folds the state anew"),
                        Err(error) => format!("{reason}, and that could not be noted for the next start: {error}"),
                    });
                }
                None
            }
        }
    }
}
