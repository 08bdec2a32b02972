//! What the store asks of the disk where durability hangs on it, and the room that it keeps for itself there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The operations whose failure must lose nothing. The real one is [`Real`]; a test's may fail as it likes.
pub trait Disk: Send + Sync {
    /// Writes all bytes at the end of a file.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Makes what was written to a file durable.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Puts a file in the place of another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// How many bytes can still be written in a directory.
    fn free(&self, dir: &Path) -> io::Result<u64> {
        let at = rustix::fs::statvfs(dir)?;
        Ok(at.f_bavail.saturating_mul(at.f_frsize))
    }
}

/// The disk as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl Disk for Real {}

/// Whether an error says that there is no room left.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The name of the reserve in the data directory.
const RESERVE: &str = "reserve";

/// Room on the disk that nobody else gets: a file that is deleted when the disk is full at a start, so that the state can
/// be opened and a torn end be cut. Nothing is recorded while it is not whole, or while less than a quarter of it is free
/// besides.
pub struct Reserve {
    dir: PathBuf,
    bytes: u64,
    disk: Arc<dyn Disk>,
    whole: bool,
}

impl Reserve {
    /// In a directory, so many bytes; none of them looks for nothing.
    pub fn new(dir: &Path, bytes: u64, disk: Arc<dyn Disk>) -> Reserve {
        let whole = fs::metadata(dir.join(RESERVE)).is_ok_and(|meta| meta.len() == bytes);
        Reserve { dir: dir.to_owned(), bytes, disk, whole }
    }

    /// Lets go of it where the disk is full, so that a start has room to work in; whether it did.
    pub fn give_way(&mut self) -> io::Result<bool> {
        if !self.whole || self.bytes == 0 || self.disk.free(&self.dir)? >= self.margin() {
            return Ok(false);
        }
        fs::remove_file(self.dir.join(RESERVE))?;
        self.whole = false;
        Ok(true)
    }

    /// Whether there is room to open the state again, though perhaps none to record anything.
    pub fn can_work(&self) -> bool {
        self.bytes == 0 || self.disk.free(&self.dir).is_ok_and(|free| free >= self.margin())
    }

    /// Whether so many bytes can be recorded; if not, why, in words. Makes the reserve whole where it is not.
    pub fn has_room_for(&mut self, bytes: u64) -> Result<(), String> {
        if self.bytes == 0 {
            return Ok(());
        }
        let free = self.disk.free(&self.dir).map_err(|error| format!("looking for room on the disk: {error}"))?;
        let wanted = self.margin() + bytes + if self.whole { 0 } else { self.bytes };
        if free < wanted {
            let mb = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(format!("the disk has {} MB left, and {} MB are needed", mb(free), mb(wanted)));
        }
        if !self.whole {
            self.fill().map_err(|error| format!("setting room on the disk aside: {error}"))?;
            self.whole = true;
        }
        Ok(())
    }

    fn margin(&self) -> u64 {
        self.bytes / 4
    }

    /// Takes the room for real: a file with holes would hold nothing free.
    fn fill(&self) -> io::Result<()> {
        let path = self.dir.join(RESERVE);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.bytes).is_err() {
            io::copy(&mut io::repeat(0).take(self.bytes), &mut file)?;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Small(AtomicU64);

    impl Disk for Small {
        fn free(&self, _: &Path) -> io::Result<u64> {
            Ok(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn nothing_is_recorded_without_room_and_it_goes_on_by_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        let small = Arc::new(Small(AtomicU64::new(1_000)));
        let mut reserve = Reserve::new(dir.path(), 4_096, small.clone());
        assert!(reserve.has_room_for(10).is_err(), "the reserve would not fit");
        small.0.store(6_000, Ordering::Relaxed);
        reserve.has_room_for(10).expect("room");
        assert_eq!(fs::metadata(dir.path().join(RESERVE)).expect("a file").len(), 4_096);
        small.0.store(1_030, Ordering::Relaxed);
        assert!(reserve.has_room_for(10).is_err());
        assert!(!reserve.give_way().expect("looked"), "there is room to work in");
        small.0.store(10, Ordering::Relaxed);
        assert!(reserve.give_way().expect("given way"));
        assert!(!dir.path().join(RESERVE).exists());
        small.0.store(4_096, Ordering::Relaxed);
        assert!(reserve.has_room_for(10).is_err(), "what it gave is not written full");
        small.0.store(4_096 + 1_024 + 9, Ordering::Relaxed);
        assert!(reserve.has_room_for(10).is_err(), "one byte too few");
        small.0.store(4_096 + 1_024 + 10, Ordering::Relaxed);
        reserve.has_room_for(10).expect("room again");
        small.0.store(1_024, Ordering::Relaxed);
        assert!(!reserve.give_way().expect("looked"), "it has its margin yet");
        small.0.store(1_023, Ordering::Relaxed);
        assert!(reserve.give_way().expect("given way") && !reserve.give_way().expect("looked"), "once");
        let mut none = Reserve::new(dir.path(), 0, small);
        none.has_room_for(u64::MAX).expect("nothing is looked for");
        assert!(!none.give_way().expect("looked"));
    }
}
