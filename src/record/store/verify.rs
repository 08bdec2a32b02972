//! Reads everything and compares everything: every line's hashes, both chains, and the state's copy of each line.

use std::{collections::HashMap, fs, io, os::unix::fs::PermissionsExt, path::Path};

use super::{
    OpenError, Options,
    fold::Head,
    keys,
    state::{Bytes, Read, State, safely},
};
use crate::{
    journal::{self, JournalFile, Lines},
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

/// Verifies journal files alone, without a state.
pub fn verify_journal(dir: &Path) -> Result<Report, OpenError> {
    verify(dir, None, None)
}

/// Verifies the journal up to a commit (or its end), and the state's copies of its lines.
pub(super) fn verify(dir: &Path, state: Option<&State>, until: Option<u64>) -> Result<Report, OpenError> {
    let mut comparison = Comparison::new(dir, state, until)?;
    while !comparison.step(state, usize::MAX)? {}
    Ok(comparison.report)
}

/// A comparison of everything, a piece at a time.
pub struct Comparison {
    files: std::vec::IntoIter<JournalFile>,
    at: Option<(JournalFile, Lines)>,
    walk: Walk,
    report: Report,
    until: Option<u64>,
}

impl Comparison {
    /// Of what is there now, up to a commit or to the journal's end.
    pub(super) fn new(dir: &Path, state: Option<&State>, until: Option<u64>) -> Result<Comparison, OpenError> {
        let mut report = Report::default();
        let known = match state.map(|state| safely(|| Head::read(state))) {
            Some(Ok(head)) => head,
            None => Head::NONE,
            Some(Err(why)) => {
                report.fault(format!("the state cannot be read: {why}"));
                Head::NONE
            }
        };
        let walk = Walk { at: Head::NONE, state: known.commit, incidents: HashMap::new() };
        let files = journal::files(dir).map_err(OpenError::io(format!("reading {}", dir.display())))?.into_iter();
        Ok(Comparison { files, at: None, walk, report, until })
    }

    /// What was found so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Goes on for so many lines; whether it is over.
    pub(super) fn step(&mut self, state: Option<&State>, lines: usize) -> Result<bool, OpenError> {
        for _ in 0..lines {
            if self.until.is_some_and(|until| self.walk.at.commit >= until) {
                return Ok(self.end());
            }
            let Some((file, lines)) = &mut self.at else {
                let Some(file) = self.files.next() else { return Ok(self.end()) };
                self.open(file)?;
                continue;
            };
            let io = OpenError::io(format!("reading {}", file.path.display()));
            let Some(found) = lines.next().transpose().map_err(io)? else {
                self.at = None;
                continue;
            };
            let place = format!("{}, byte {} (commit {})", file.path.display(), found.offset, self.walk.at.commit + 1);
            if !found.ended {
                self.report.fault(format!("{place}: the line has no end; a start cuts what a crash tore"));
            }
            match Line::read(&found.bytes) {
                Ok(line) => self.walk.line(&mut self.report, &place, line, state)?,
                Err(bad) => {
                    self.report.fault(format!("{place}: {bad}"));
                    self.walk.at = Head { commit: self.walk.at.commit + 1, hash: Hash::NONE };
                }
            }
        }
        Ok(false)
    }

    fn open(&mut self, file: JournalFile) -> Result<(), OpenError> {
        let wanted = self.walk.at.commit + 1;
        if file.first != wanted {
            self.report.fault(format!("{}: begins with commit {}, not {wanted}", file.path.display(), file.first));
            self.walk.at = Head { commit: file.first - 1, hash: Hash::NONE };
        }
        let lines = Lines::open(&file.path).map_err(OpenError::io(format!("opening {}", file.path.display())))?;
        self.at = Some((file, lines));
        Ok(())
    }

    fn end(&mut self) -> bool {
        let report = &mut self.report;
        report.incidents = self.walk.incidents.len();
        report.heads = std::mem::take(&mut self.walk.incidents)
            .into_iter()
            .map(|(handle, (number, hash))| (handle, number, hash))
            .collect();
        report.heads.sort();
        report.head = (report.lines > 0).then_some(self.walk.at.hash);
        let wanted = self.until.unwrap_or(self.walk.state);
        if wanted > self.walk.at.commit {
            let lost = wanted - self.walk.at.commit;
            report.fault(format!("the journal ends at commit {}; the state has {lost} more", self.walk.at.commit));
        }
        true
    }
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
            let copy = match read(state, header.commit) {
                Ok(copy) => copy,
                Err(why) => {
                    report.fault(format!("{place}: the state's copy of the line cannot be read: {why}"));
                    self.at = Head { commit: header.commit, hash: line.hash };
                    return Ok(());
                }
            };
            match copy {
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

/// The state's copy of a line.
pub(super) fn read(state: &State, commit: u64) -> Result<Option<Bytes>, String> {
    safely(|| state.get(&keys::line(commit)))
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
