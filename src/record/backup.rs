//! Backups: the journal up to one commit, and nothing else, is a whole one. Each is verified by folding it elsewhere
//! before it gets its name; the state is never copied.
//!
//! A backup is a directory `strillone-<moment>-<commit>` with `journal/` and `backup.json`. A journal file that the backup
//! before it has, byte for byte, is linked and takes no room again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    journal::{self, Lines, RESTORING},
    line::{Hash, Line, MAX_LINE, glance},
    private::Bodies,
    slug::Slug,
    store::{self, OpenError, Options, Store, verify_journal},
};

/// The format of `backup.json` that this program writes.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
const PREFIX: &str = "strillone-";
/// How the name of one ends that is being made.
const PARTIAL: &str = ".partial";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file.
    pub format: u32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The commit of its last line.
    pub commit: u64,
    /// The hash of that line's header.
    pub hash: Hash,
    /// Its journal files.
    pub files: Vec<Kept>,
    /// The heads of the incidents' chains: handle, number of the last entry, hash of its header.
    pub heads: Vec<(Slug, u32, Hash)>,
}

/// A journal file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Hash,
}

/// A backup that lies somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its directory.
    pub path: PathBuf,
    /// What it says it holds.
    pub manifest: Manifest,
}

impl Backup {
    /// The hash of the header of its first line, which tells one record from another; none if it cannot be read.
    pub fn first_header(&self) -> Option<Hash> {
        let file = File::open(self.path.join("journal").join(&self.manifest.files.first()?.name)).ok()?;
        let mut first = Vec::new();
        io::BufReader::new(file.take(MAX_LINE as u64 + 1)).read_until(b'\n', &mut first).ok()?;
        Some(Line::read(first.strip_suffix(b"\n")?).ok()?.hash)
    }
}

/// Why there is no backup, or no restored store.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The system refused.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What it answered.
        error: io::Error,
    },
    /// It is not what it says it is.
    #[error("{}: {why}", path.display())]
    Bad {
        /// The backup.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is something already where it should go.
    #[error("{} holds a store already, and more than the backup, or another one; restore into an empty directory (--data), or move it away first", .0.display())]
    Taken(PathBuf),
    /// There is nothing to back up.
    #[error("there is nothing on record yet")]
    Empty,
    /// The store could not be opened or read.
    #[error(transparent)]
    Store(#[from] OpenError),
}

impl BackupError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> BackupError {
        let what = what.into();
        move |error| BackupError::Io { what, error }
    }

    fn bad(path: &Path, why: impl Into<String>) -> BackupError {
        BackupError::Bad { path: path.to_owned(), why: why.into() }
    }
}

type Done<T> = Result<T, BackupError>;

/// The backups in a directory, oldest first; what is none, or not finished, is passed over.
pub fn list(dir: &Path) -> Done<Vec<Backup>> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BackupError::io(format!("reading {}", dir.display()))(error)),
    };
    let mut backups = Vec::new();
    for item in listing {
        let path = item.map_err(BackupError::io(format!("reading {}", dir.display())))?.path();
        let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
        if named && let Ok(manifest) = read_manifest(&path) {
            backups.push(Backup { path, manifest });
        }
    }
    backups.sort_by_key(|backup| (backup.manifest.made_at, backup.manifest.commit));
    Ok(backups)
}

fn read_manifest(backup: &Path) -> Done<Manifest> {
    let path = backup.join(MANIFEST);
    let bytes = fs::read(&path).map_err(BackupError::io(format!("reading {}", path.display())))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| BackupError::bad(backup, format!("{MANIFEST}: {error}")))?;
    match manifest.format > FORMAT {
        true => Err(BackupError::bad(backup, "it was made by a newer Strillone: update this one")),
        false => Ok(manifest),
    }
}

/// Backs a store up into a directory, while it is in use: everything up to now, verified. One at a time in a directory:
/// what a crash left of another is removed.
pub fn make(store: &Store, dir: &Path, at: DateTime<Utc>) -> Done<Backup> {
    let head = store.head();
    if head.commit == 0 {
        return Err(BackupError::Empty);
    }
    let before = list(dir)?.pop();
    journal::make_dir(dir).map_err(BackupError::io(format!("making {}", dir.display())))?;
    let name = format!("{PREFIX}{}-{}", at.format("%Y%m%dT%H%M%SZ"), head.commit);
    let (partial, path) = (dir.join(format!(".{name}{PARTIAL}")), dir.join(&name));
    if path.exists() {
        return Err(BackupError::bad(&path, "it is there already"));
    }
    remove_partial(dir)?;
    let made = fill(store, &partial, before.as_ref(), (head.commit, head.hash), at)
        .and_then(|manifest| verify(&partial).map(|()| manifest));
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(error) => {
            // What is half a backup must not be taken for one; that it could not be removed changes nothing of that.
            let _ = remove(&partial);
            return Err(error);
        }
    };
    fs::rename(&partial, &path).map_err(BackupError::io(format!("naming {}", path.display())))?;
    journal::sync_dir(dir).map_err(BackupError::io(format!("syncing {}", dir.display())))?;
    Ok(Backup { path, manifest })
}

fn fill(
    store: &Store,
    into: &Path,
    before: Option<&Backup>,
    (commit, hash): (u64, Hash),
    at: DateTime<Utc>,
) -> Done<Manifest> {
    let target = into.join("journal");
    journal::make_dir(&target).map_err(BackupError::io(format!("making {}", target.display())))?;
    let source = store.journal_dir();
    let all = journal::files(&source).map_err(BackupError::io(format!("reading {}", source.display())))?;
    let mut files = Vec::new();
    for (index, file) in all.iter().enumerate().filter(|(_, file)| file.first <= commit) {
        let name = journal::file_name(file.first);
        let whole = all.get(index + 1).is_some_and(|next| next.first <= commit);
        let earlier = before.filter(|_| whole).and_then(|before| {
            let kept = before.manifest.files.iter().find(|kept| kept.name == name)?;
            Some((before.path.join("journal").join(&name), kept.clone()))
        });
        let io = |what: &str| BackupError::io(format!("{what} {}", file.path.display()));
        if let Some((path, kept)) = earlier
            && digest(&file.path).map_err(io("reading"))? == (kept.bytes, kept.sha256)
            && digest(&path).is_ok_and(|is| is == (kept.bytes, kept.sha256))
            && fs::hard_link(&path, target.join(&name)).is_ok()
        {
            files.push(kept);
            continue;
        }
        files.push(copy(&file.path, &target.join(&name), name, commit).map_err(io("copying"))?);
    }
    journal::sync_dir(&target).map_err(BackupError::io(format!("syncing {}", target.display())))?;
    let report = verify_journal(&target)?;
    if let Some(fault) = report.faults.first() {
        return Err(BackupError::bad(into, fault));
    }
    let manifest = Manifest { format: FORMAT, made_at: at, commit, hash, files, heads: report.heads };
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| BackupError::bad(into, error.to_string()))?;
    let path = into.join(MANIFEST);
    let mut file = private(&path).map_err(BackupError::io(format!("making {}", path.display())))?;
    file.write_all(&json)
        .and_then(|()| file.sync_all())
        .and_then(|()| journal::sync_dir(into))
        .map_err(BackupError::io(format!("writing {}", path.display())))?;
    Ok(manifest)
}

/// Copies a journal file's lines up to a commit.
fn copy(from: &Path, to: &Path, name: String, commit: u64) -> io::Result<Kept> {
    let mut out = BufWriter::new(private(to)?);
    let (mut sha256, mut bytes) = (Sha256::new(), 0);
    for found in Lines::open(from)? {
        let mut found = found?;
        if !found.ended || glance(&found.bytes).is_ok_and(|(header, _)| header.commit > commit) {
            break;
        }
        found.bytes.push(b'\n');
        out.write_all(&found.bytes)?;
        sha256.update(&found.bytes);
        bytes += found.bytes.len() as u64;
    }
    out.into_inner()?.sync_all()?;
    Ok(Kept { name, bytes, sha256: Hash(sha256.finalize().into()) })
}

fn digest(path: &Path) -> io::Result<(u64, Hash)> {
    let (mut file, mut sha256, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((bytes, Hash(sha256.finalize().into()))),
            read => {
                sha256.update(&piece[..read]);
                bytes += read as u64;
            }
        }
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Verifies a backup: its files are those it was made of, both chains hold, and folded elsewhere it comes to the same
/// heads.
pub fn verify(backup: &Path) -> Done<()> {
    let manifest = check(backup)?;
    // Beside it, so that its files can be linked.
    let scratch = backup.with_file_name(".verifying");
    remove(&scratch)?;
    let link = |from: &Path, to: &Path| fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop));
    let folded = put(backup, &scratch, &manifest, link)
        .and_then(|()| fold(backup, &manifest, &Options::new(&scratch), &mut |_, _| {}));
    remove(&scratch)?;
    folded
}

/// Whether its files are those it was made of, and both chains hold: nothing is written.
fn check(backup: &Path) -> Done<Manifest> {
    let manifest = read_manifest(backup)?;
    let journal_dir = backup.join("journal");
    for kept in &manifest.files {
        let path = journal_dir.join(&kept.name);
        let is = digest(&path).map_err(BackupError::io(format!("reading {}", path.display())))?;
        if is != (kept.bytes, kept.sha256) {
            return Err(BackupError::bad(backup, format!("journal/{} is not what it was when it was made", kept.name)));
        }
    }
    let report = verify_journal(&journal_dir)?;
    if let Some(fault) = report.faults.first() {
        return Err(BackupError::bad(backup, fault));
    }
    if (report.lines, report.head) != (manifest.commit, Some(manifest.hash)) || report.heads != manifest.heads {
        return Err(BackupError::bad(backup, "its journal does not come to the heads that it was made with"));
    }
    Ok(manifest)
}

/// Folds what was put into a data directory; whether it comes to what the backup says.
fn fold(backup: &Path, manifest: &Manifest, options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Done<()> {
    let store = Store::open(options.clone(), progress)?;
    let (view, mut heads) = (store.view(), Vec::new());
    for (handle, ..) in &manifest.heads {
        heads.extend(view.incident(handle.as_str()).map_err(OpenError::from)?.map(|incident| incident.last));
    }
    let wanted = manifest.heads.iter().map(|(_, number, _)| *number);
    match store.head().commit == manifest.commit && store.read_only().is_none() && heads.into_iter().eq(wanted) {
        true => Ok(()),
        false => Err(BackupError::bad(backup, "folded anew, it does not come to its heads")),
    }
}

/// Puts a backup's journal into a data directory: whole, or not at all.
fn put(backup: &Path, data: &Path, manifest: &Manifest, by: impl Fn(&Path, &Path) -> io::Result<()>) -> Done<()> {
    let (target, partial) = (data.join("journal"), data.join(RESTORING));
    remove(&partial)?;
    journal::make_dir(&partial).map_err(BackupError::io(format!("making {}", partial.display())))?;
    for kept in &manifest.files {
        let (from, to) = (backup.join("journal").join(&kept.name), partial.join(&kept.name));
        by(&from, &to).map_err(BackupError::io(format!("copying {}", from.display())))?;
    }
    journal::sync_dir(&partial)
        .and_then(|()| fs::rename(&partial, &target))
        .and_then(|()| journal::sync_dir(data))
        .map_err(BackupError::io(format!("naming {}", target.display())))
}

/// Restores a backup into a data directory that holds no store, or less than the backup, which is moved aside; and folds it
/// there. `progress` hears of that.
pub fn restore(backup: &Path, options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Done<Manifest> {
    let manifest = check(backup)?;
    let parts = ["journal", "sled"].map(|name| options.dir.join(name));
    let taken = parts.iter().any(|part| part.exists());
    if taken && !is_less(options, backup, &manifest)? {
        return Err(BackupError::Taken(options.dir.clone()));
    }
    let lock = store::lock(&options.dir)?;
    for part in parts.iter().filter(|part| part.exists()) {
        let aside = journal::free_name(part, "aside");
        fs::rename(part, &aside).map_err(BackupError::io(format!("moving {} aside", part.display())))?;
        tracing::warn!(path = %aside.display(), "what was there was moved aside");
    }
    put(backup, &options.dir, &manifest, |from, to| {
        let mut file = private(to)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        file.sync_all()
    })?;
    // What was delivered since the backup was made is not in it.
    store::note_restored(options, &Backup { path: backup.to_owned(), manifest: manifest.clone() })
        .map_err(BackupError::io("noting that it was restored"))?;
    drop(lock);
    fold(backup, &manifest, options, progress)?;
    Ok(manifest)
}

/// Whether a data directory holds nothing but the beginning of what a backup holds.
fn is_less(options: &Options, backup: &Path, manifest: &Manifest) -> Done<bool> {
    // As a start finds it, whatever the marker says.
    let alone = Options { backups: None, accept_less: false, read_less: true, ..options.clone() };
    let head = match Store::open(alone, &mut |_, _| {}) {
        Ok(store) => store.head(),
        Err(busy @ OpenError::Busy(_)) => return Err(busy.into()),
        Err(_) => return Ok(false),
    };
    let io = || BackupError::io(format!("reading {}", backup.display()));
    let same = || store::header_on_disk(&backup.join("journal"), head.commit).map_err(io());
    Ok(head.commit == 0 || (head.commit < manifest.commit && same()? == Some(head.hash)))
}

/// The backups in a directory that hold a part of this record, oldest first: neither those of another one, nor those that
/// know what is not in it.
pub fn of(store: &Store, dir: &Path) -> Done<Vec<Backup>> {
    let mut backups = list(dir)?;
    backups.retain(|backup| store.holds(backup.manifest.commit, backup.manifest.hash));
    Ok(backups)
}

/// Removes all but the newest backups of a record in a directory; how many went.
pub fn prune(store: &Store, dir: &Path, keep: usize) -> Done<usize> {
    let backups = of(store, dir)?;
    let old = backups.len().saturating_sub(keep);
    for backup in &backups[..old] {
        remove(&backup.path)?;
    }
    Ok(old)
}

/// Which backups in a directory still hold a body of a line: those that were made before it was erased.
pub fn holding(dir: &Path, commits: &[u64], bodies: Bodies) -> Done<Vec<Backup>> {
    let mut holding = Vec::new();
    for backup in list(dir)? {
        let files = &backup.manifest.files;
        let in_file = |commit: u64| files.iter().rev().find(|kept| kept.name <= journal::file_name(commit));
        let mut names: Vec<&str> =
            commits.iter().filter_map(|at| in_file(*at)).map(|kept| kept.name.as_str()).collect();
        names.dedup();
        let mut holds = false;
        for name in names {
            let path = backup.path.join("journal").join(name);
            let io = || BackupError::io(format!("reading {}", path.display()));
            for found in Lines::open(&path).map_err(io())? {
                let found = found.map_err(io())?;
                let wanted = glance(&found.bytes).is_ok_and(|(header, _)| commits.contains(&header.commit));
                holds |= wanted && Line::read(&found.bytes).is_ok_and(|line| line.holds(bodies));
            }
        }
        if holds {
            holding.push(backup);
        }
    }
    Ok(holding)
}

/// Removes what a crash left of backups that were being made.
fn remove_partial(dir: &Path) -> Done<()> {
    let io = || BackupError::io(format!("reading {}", dir.display()));
    for item in fs::read_dir(dir).map_err(io())? {
        let path = item.map_err(io())?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_prefix('.').is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(PARTIAL)) {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(dir: &Path) -> Done<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BackupError::io(format!("removing {}", dir.display()))(error))
        }
        _ => Ok(()),
    }
}
