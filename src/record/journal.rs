//! The journal's files: `<first commit>.jsonl`, appended in synced groups, rotated by size, never rewritten in passing.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk::{Disk, is_full},
    line::MAX_LINE,
};

/// A file is closed and the next begun when it has grown past this many bytes.
pub const ROTATE_AT: u64 = 64 * 1024 * 1024;

/// What its directory is called while it is being restored.
pub const RESTORING: &str = "journal.partial";

/// One file of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFile {
    /// The commit number of its first line.
    pub first: u64,
    /// Where it lies.
    pub path: PathBuf,
}

/// The journal's files, in order. A directory that is not there has none.
pub fn files(dir: &Path) -> io::Result<Vec<JournalFile>> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for item in listing {
        let path = item?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
        if let Some(name) = name.filter(|name| name.len() == 20)
            && let Ok(first) = name.parse()
        {
            files.push(JournalFile { first, path });
        }
    }
    files.sort_by_key(|file| file.first);
    Ok(files)
}

/// Makes a directory that only we may look into.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens or makes a file that only we may read.
pub fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Makes what was done to the names in a directory durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A line as it lies in a file: where it begins, and its bytes without the line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its first byte's place in the file.
    pub offset: u64,
    /// Its bytes; what exceeds [`MAX_LINE`] is left out.
    pub bytes: Vec<u8>,
    /// Whether a line feed ended it.
    pub ended: bool,
}

/// Reads a file line by line, in bounded memory whatever it holds.
pub struct Lines {
    file: BufReader<File>,
    offset: u64,
}

impl Lines {
    /// From the file's first byte.
    pub fn open(path: &Path) -> io::Result<Lines> {
        Lines::open_at(path, 0)
    }

    /// From a byte on at which a line begins.
    pub fn open_at(path: &Path, offset: u64) -> io::Result<Lines> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Lines { file: BufReader::with_capacity(1 << 17, file), offset })
    }
}

impl Iterator for Lines {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<io::Result<Found>> {
        let mut bytes = Vec::new();
        let limit = MAX_LINE as u64 + 2;
        match self.file.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(read) => {
                let offset = self.offset;
                self.offset += read as u64;
                let ended = bytes.last() == Some(&b'\n');
                if ended {
                    bytes.pop();
                }
                Some(Ok(Found { offset, bytes, ended }))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The end of the journal, where lines are added.
pub struct Journal {
    dir: PathBuf,
    file: Option<File>,
    /// The first commit of the file, as its name has it.
    first: u64,
    len: u64,
    rotate_at: u64,
    disk: Arc<dyn Disk>,
}

/// Where something lies in the journal: the first commit of its file, and its first byte there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The first commit of the file.
    pub file: u64,
    /// The first byte.
    pub offset: u64,
}

/// Why a group is not in the journal.
#[derive(Debug, thiserror::Error)]
pub enum NotAppended {
    /// There is no room for it; nothing of it is left in the file.
    #[error("{0}")]
    Full(io::Error),
    /// Nothing is known of what reached the disk: the journal must not be written again.
    #[error("{0}")]
    Unknown(#[from] io::Error),
}

impl Journal {
    /// Opens the last file for adding to it. Whole and half lines were dealt with before (see `store::recover`).
    pub fn open(dir: &Path, rotate_at: u64, disk: Arc<dyn Disk>) -> io::Result<Journal> {
        let mut journal = Journal { dir: dir.to_owned(), file: None, first: 0, len: 0, rotate_at, disk };
        let mut files = files(dir)?;
        // A file without lines would be written on under a name that is not its first commit.
        while let Some(empty) = files.pop_if(|last| fs::metadata(&last.path).is_ok_and(|meta| meta.len() == 0)) {
            fs::remove_file(&empty.path)?;
        }
        if let Some(last) = files.last() {
            let mut file = private_file(&last.path)?;
            journal.len = file.seek(SeekFrom::End(0))?;
            journal.first = last.first;
            journal.file = Some(file);
        }
        Ok(journal)
    }

    /// Where its files lie.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens the last file again, after files were put in the place of others.
    pub fn reopen(&mut self) -> io::Result<()> {
        *self = Journal::open(&self.dir, self.rotate_at, Arc::clone(&self.disk))?;
        Ok(())
    }

    /// Adds a group of whole lines, each with its line feed, and makes them durable; tells where it begins. `first` is
    /// the commit number of the first.
    pub fn append(&mut self, first: u64, group: &[u8]) -> Result<Spot, NotAppended> {
        if self.file.is_none() || self.len >= self.rotate_at {
            self.begin(first).map_err(|error| match is_full(&error) {
                true => NotAppended::Full(error),
                false => NotAppended::Unknown(error),
            })?;
        }
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("the journal has no file"))?;
        if let Err(error) = self.disk.write(file, group).and_then(|()| self.disk.sync(file)) {
            // The file up to `self.len` was synced before and is whole. What was written of this group is cut off, if the
            // disk allows that.
            let cut = is_full(&error) && file.set_len(self.len).and_then(|()| self.disk.sync(file)).is_ok();
            return Err(if cut { NotAppended::Full(error) } else { NotAppended::Unknown(error) });
        }
        let spot = Spot { file: self.first, offset: self.len };
        self.len += group.len() as u64;
        Ok(spot)
    }

    /// Begins the file of a commit.
    fn begin(&mut self, first: u64) -> io::Result<()> {
        let file = private_file(&self.dir.join(file_name(first)))?;
        sync_dir(&self.dir)?;
        (self.file, self.first, self.len) = (Some(file), first, 0);
        Ok(())
    }
}

/// The name of the file that begins with a commit.
pub fn file_name(first: u64) -> String {
    format!("{first:020}.jsonl")
}

/// Takes everything from `offset` on out of a file, into a side file beside it, and makes both durable.
pub fn cut(path: &Path, offset: u64) -> io::Result<PathBuf> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let side = free_name(path, "torn");
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&side)?;
    io::copy(&mut file, &mut copy)?;
    copy.sync_all()?;
    if let Some(dir) = path.parent() {
        sync_dir(dir)?;
    }
    file.set_len(offset)?;
    file.sync_all()?;
    Ok(side)
}

/// Puts a file in the place of another, durably; the one that was there is kept beside it.
pub fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let kept = free_name(path, "damaged");
    fs::hard_link(path, &kept)?;
    overwrite(disk, path, content)?;
    Ok(kept)
}

/// Puts a file in the place of another, durably; nothing is kept of the one that was there.
pub fn overwrite(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    disk.write(&mut file, content)?;
    disk.sync(&file)?;
    disk.rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// A name beside `path` that is not taken: `…​.torn-1`, `…​.torn-2`.
pub fn free_name(path: &Path, word: &str) -> PathBuf {
    let base = path.as_os_str().to_owned();
    (1u32..)
        .map(|number| {
            let mut name = base.clone();
            name.push(format!(".{word}-{number}"));
            PathBuf::from(name)
        })
        .find(|name| !name.exists())
        .unwrap_or_else(|| path.with_extension(word))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::disk::Real;

    #[test]
    fn groups_are_appended_and_files_rotate() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut journal = Journal::open(dir.path(), 10, Arc::new(Real)).expect("a journal");
        journal.append(1, b"one\n").expect("written");
        assert_eq!(journal.append(2, b"two two two\n").expect("written"), Spot { file: 1, offset: 4 });
        assert_eq!(journal.append(3, b"three\n").expect("written"), Spot { file: 3, offset: 0 });
        let files = files(dir.path()).expect("files");
        assert_eq!(files.iter().map(|file| file.first).collect::<Vec<_>>(), [1, 3]);
        let mode = fs::metadata(&files[0].path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let lines: Vec<_> = Lines::open(&files[0].path).expect("lines").map(|line| line.expect("a line")).collect();
        assert_eq!((lines[1].offset, lines[1].bytes.as_slice(), lines[1].ended), (4, b"two two two".as_slice(), true));
    }

    #[test]
    fn only_files_that_are_called_like_it_are_its() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(files(&dir.path().join("none")).expect("none"), []);
        let file = dir.path().join(file_name(7));
        fs::write(&file, b"seven\n").expect("written");
        assert!(files(&file).is_err(), "a file is no directory");
        for other in ["7.jsonl", "0000000000000000000x.jsonl", "00000000000000000008.jsonl.torn-1"] {
            fs::write(dir.path().join(other), b"").expect("written");
        }
        assert_eq!(files(dir.path()).expect("files"), [JournalFile { first: 7, path: file }]);
    }

    #[test]
    fn a_file_that_is_as_long_as_it_may_be_is_closed() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut journal = Journal::open(dir.path(), 8, Arc::new(Real)).expect("a journal");
        journal.append(1, b"one\n").expect("written");
        journal.append(2, b"two\n").expect("written");
        drop(journal);
        let mut journal = Journal::open(dir.path(), 9, Arc::new(Real)).expect("a journal");
        assert_eq!(journal.append(3, b"!\n").expect("written"), Spot { file: 1, offset: 8 });
        assert_eq!(journal.append(4, b"four\n").expect("written"), Spot { file: 4, offset: 0 });
    }

    #[test]
    fn a_line_as_long_as_a_line_may_be_is_read_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(file_name(1));
        let long = "x".repeat(MAX_LINE);
        fs::write(&path, format!("{long}\n{long}xxx\nlast\n")).expect("written");
        let found: Vec<_> = Lines::open(&path).expect("lines").map(|line| line.expect("a line")).collect();
        let said: Vec<_> = found.iter().map(|it| (it.offset, it.bytes.len() as u64, it.ended)).collect();
        let most = MAX_LINE as u64;
        assert_eq!(
            said,
            [(0, most, true), (most + 1, most + 2, false), (2 * most + 3, 1, true), (2 * most + 5, 4, true)]
        );
    }

    #[test]
    fn a_file_that_another_replaces_is_kept_beside() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(file_name(1));
        fs::write(&path, b"before").expect("written");
        let kept = replace(&Real, &path, b"after").expect("replaced");
        assert_eq!(kept, dir.path().join(format!("{}.damaged-1", file_name(1))));
        assert_eq!(
            (fs::read(&path).expect("a file"), fs::read(kept).expect("a file")),
            (b"after".to_vec(), b"before".to_vec())
        );
        overwrite(&Real, &path, b"at last").expect("overwritten");
        assert_eq!(
            (fs::read(&path).expect("a file"), fs::read_dir(dir.path()).expect("a directory").count()),
            (b"at last".to_vec(), 2)
        );
    }

    #[test]
    fn what_is_cut_is_kept_beside() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(file_name(1));
        fs::write(&path, b"good\nba").expect("written");
        let side = cut(&path, 5).expect("cut");
        assert_eq!(
            (fs::read(&path).expect("a file"), fs::read(side).expect("a file")),
            (b"good\n".to_vec(), b"ba".to_vec())
        );
        fs::write(&path, b"good\nx").expect("written");
        assert!(cut(&path, 5).expect("cut").ends_with(format!("{}.torn-2", file_name(1))));
    }
}
