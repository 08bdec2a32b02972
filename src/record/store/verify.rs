//! Reads everything and compares everything: every line's hashes, both chains, and the state's copy of each line.

use std::{collections::HashMap, fs, io, os::unix::fs::PermissionsExt, path::Path};

use super::{
    OpenError, Options,
    fold::Head,
    keys,
    state::{Read, State},
};
use crate::{
    journal::{self, Lines},
    line::{Hash, Line},
    slug::Slug,
};

/// The most faults a report names; the rest are counted.
const NAMED: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many lines the journal has.
    pub lines: u64,
    /// How many of them are public entries.
    pub entries: u64,
    /// In how many incidents.
    pub incidents: usize,
    /// Bodies that were erased, as their headers say.
    pub erased: u64,
    /// How many lines the state lacks; it catches up at the next start.
    pub behind: u64,
    /// The hash of the last header.
    pub head: Option<Hash>,
    /// The head of each incident's chain: handle, number of its last entry, hash of that entry's header.
    pub heads: Vec<(Slug, u32, Hash)>,
    /// What is wrong, in words, each with its place.
    pub faults: Vec<String>,
    /// How many more faults there are than are named.
    pub more: u64,
}

impl Report {
    /// Nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < NAMED {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// Verifies a store that no process has open, without changing it: the journal as it lies, and a copy of the state.
/// None if there is no store there.
pub fn verify_at_rest(options: &Options, scratch: &Path) -> Result<Option<Report>, OpenError> {
    let (journal_dir, sled_dir) = (options.journal_dir(), options.sled_dir());
    if !journal_dir.exists() && !sled_dir.exists() {
        return Ok(None);
    }
    if !sled_dir.exists() {
        return verify(&journal_dir, None, None).map(Some);
    }
    let copy = scratch.join("sled");
    copy_dir(&sled_dir, &copy).map_err(OpenError::io(format!("copying {}", sled_dir.display())))?;
    match State::open(&copy, options.cache_bytes) {
        Ok(state) => verify(&journal_dir, Some(&state), None).map(Some),
        Err(error) => {
            let mut report = verify(&journal_dir, None, None)?;
            report.fault(format!("{}: {error}", sled_dir.display()));
            Ok(Some(report))
        }
    }
}

/// Verifies the journal up to a commit (or its end), and the state's copies of its lines.
pub(super) fn verify(dir: &Path, state: Option<&State>, until: Option<u64>) -> Result<Report, OpenError> {
    let mut report = Report::default();
    let known = state.map_or(Ok(Head::NONE), |state| Head::read(state))?;
    let mut walk = Walk { at: Head::NONE, state: known.commit, incidents: HashMap::new() };
    for file in journal::files(dir).map_err(OpenError::io(format!("reading {}", dir.display())))? {
        let io = |what: &str| OpenError::io(format!("{what} {}", file.path.display()));
        if file.first != walk.at.commit + 1 {
            report.fault(format!(
                "{}: begins with commit {}, not {}",
                file.path.display(),
                file.first,
                walk.at.commit + 1
            ));
            walk.at = Head { commit: file.first - 1, hash: Hash::NONE };
        }
        for found in Lines::open(&file.path).map_err(io("opening"))? {
            let found = found.map_err(io("reading"))?;
            if until.is_some_and(|until| walk.at.commit >= until) {
                break;
            }
            let place = format!("{}, byte {} (commit {})", file.path.display(), found.offset, walk.at.commit + 1);
            if !found.ended {
                report.fault(format!("{place}: the line has no end; a start cuts what a crash tore"));
            }
            match Line::read(&found.bytes) {
                Ok(line) => walk.line(&mut report, &place, line, state)?,
                Err(bad) => {
                    report.fault(format!("{place}: {bad}"));
                    walk.at = Head { commit: walk.at.commit + 1, hash: Hash::NONE };
                }
            }
        }
    }
    report.incidents = walk.incidents.len();
    report.heads = walk.incidents.into_iter().map(|(handle, (number, hash))| (handle, number, hash)).collect();
    report.heads.sort();
    report.head = (report.lines > 0).then_some(walk.at.hash);
    if let Some(state) = state {
        let head = Head::read(state)?;
        if until.is_none() && head.commit > walk.at.commit {
            let lost = head.commit - walk.at.commit;
            report.fault(format!("the journal ends at commit {}; the state has {lost} more", walk.at.commit));
        }
    }
    Ok(report)
}

struct Walk {
    at: Head,
    /// The commit that the state says it has come to.
    state: u64,
    incidents: HashMap<Slug, (u32, Hash)>,
}

impl Walk {
    fn line(&mut self, report: &mut Report, place: &str, line: Line, state: Option<&State>) -> Result<(), OpenError> {
        let header = &line.header;
        report.lines += 1;
        let follows = header.commit == self.at.commit + 1
            && (header.previous == self.at.hash || (self.at.hash == Hash::NONE && self.at.commit > 0));
        if !follows {
            report.fault(format!("{place}: it does not continue the chain"));
        }
        if let Some(entry) = &header.entry {
            report.entries += 1;
            let before = self.incidents.insert(entry.incident.clone(), (entry.number, line.hash));
            let (number, hash) = before.unwrap_or((0, Hash::NONE));
            if entry.number != number + 1 || entry.previous != hash {
                report.fault(format!("{place}: {} does not continue its incident's chain", entry.name()));
            }
        }
        let missing = |hash: &Option<Hash>, here: bool| u64::from(hash.is_some() && !here);
        report.erased +=
            missing(&header.public, line.public.is_some()) + missing(&header.private, line.private.is_some());
        if let Some(state) = state {
            match state.get(&keys::line(header.commit))? {
                Some(copy) if *copy != *line.bytes => {
                    report.fault(format!("{place}: the state's copy differs from the journal's line"));
                }
                Some(_) => {}
                None if header.commit <= self.state => {
                    report.fault(format!("{place}: the state has lost its copy of the line"));
                }
                None => report.behind += 1,
            }
        }
        self.at = Head { commit: header.commit, hash: line.hash };
        Ok(())
    }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy_dir(&item.path(), &target)?;
        } else {
            fs::copy(item.path(), &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}
