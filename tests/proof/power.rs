//! The power goes: an ext4 of its own on a loop device is shut down without its log being written, mounted again, and
//! looked at. It needs root and loop devices; where they are missing that is said.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use record::store::size;

use super::{Dice, long, seed};
use crate::{survival::large, town::open};

/// How many events are recorded between two cuts at most.
const EVENTS: usize = 4_000;

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned()),
        false => Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim())),
    }
}

/// A file system of its own.
struct Volume {
    device: String,
    at: String,
    mounted: bool,
}

impl Volume {
    fn make(dir: &Path) -> Result<Volume, String> {
        let image = dir.join("image");
        File::create(&image).and_then(|file| file.set_len(256 << 20)).map_err(|error| error.to_string())?;
        let at = dir.join("mnt");
        std::fs::create_dir(&at).map_err(|error| error.to_string())?;
        let device = run("losetup", &["--find", "--show", &image.display().to_string()])?;
        let volume = Volume { device, at: at.display().to_string(), mounted: false };
        run("mkfs.ext4", &["-q", "-F", &volume.device])?;
        volume.mounted()
    }

    fn mounted(mut self) -> Result<Volume, String> {
        run("mount", &[&self.device, &self.at])?;
        self.mounted = true;
        Ok(self)
    }

    /// Cuts the power: what is not on the disk, the file system's own log among it, is gone.
    fn cut(&mut self) -> Result<(), String> {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let code = "import fcntl,os,struct,sys\nfd=os.open(sys.argv[1],os.O_RDONLY)\n\
                    fcntl.ioctl(fd,0x8004587d,struct.pack('I',2))\n";
        run("python3", &["-c", code, &self.at]).map(drop)
    }

    fn again(&mut self) -> Result<(), String> {
        let since = Instant::now();
        while let Err(why) = run("umount", &[&self.at]) {
            if since.elapsed() > Duration::from_secs(10) {
                return Err(why);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.mounted = false;
        run("mount", &[&self.device, &self.at])?;
        self.mounted = true;
        Ok(())
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.mounted {
            let _ = run("umount", &[&self.at]);
        }
        let _ = run("losetup", &["--detach", &self.device]);
    }
}

#[test]
fn after_every_power_cut_everything_acknowledged_is_there() {
    let home = tempfile::tempdir().unwrap();
    let mut volume = match Volume::make(home.path()) {
        Ok(volume) => volume,
        Err(why) => return println!("skipped: no file system of its own can be made here: {why}"),
    };
    let cuts = if long() { 200 } else { 5 };
    let mut dice = Dice(seed("power cuts"));
    let data = Path::new(&volume.at).join("data");
    let mut known: Vec<(String, usize)> = Vec::new();
    let mut notes: BTreeMap<String, usize> = BTreeMap::new();
    for cut in 0..cuts {
        let handle = format!("cut-{cut}");
        let dossier = home.path().join("dossier.toml");
        std::fs::write(&dossier, large(&handle, EVENTS)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_strillone"))
            .env_clear()
            .env("STRILLONE_RECORD__BUNDLED", "[]")
            .args(["--data".as_ref(), data.as_os_str(), "import".as_ref(), dossier.as_os_str()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let until = Instant::now() + Duration::from_millis(50 + dice.below(500) as u64);
        // Only what was read before the cut counts as acknowledged.
        let mut acknowledged = 0;
        while Instant::now() < until || acknowledged == 0 {
            let Some(Ok(line)) = lines.next() else { break };
            if line.contains("are recorded") {
                acknowledged = line.split_whitespace().nth(2).unwrap().parse().unwrap();
            }
        }
        let gone = volume.cut();
        let _ = child.kill();
        child.wait().unwrap();
        drop(lines);
        if let Err(why) = gone {
            return println!("skipped: the power cannot be cut here: {why}");
        }
        volume.again().unwrap();
        let store = open(&data);
        known.push((handle, acknowledged));
        for (handle, acknowledged) in &mut known {
            let found = store.view().incident(handle).unwrap().map_or(0, |incident| incident.last as usize);
            assert!(found >= *acknowledged, "cut {cut}, {handle}: {found} of {acknowledged}: {:?}", store.notes());
            // What was there after one cut is there after the next.
            *acknowledged = found;
        }
        assert_eq!(store.read_only(), None, "cut {cut}");
        assert!(store.verify().unwrap().is_good(), "cut {cut}");
        for note in store.notes() {
            *notes.entry(format!("{note:?}").split([' ', '{', '(']).next().unwrap().to_owned()).or_default() += 1;
        }
        drop(store);
        // The volume is small.
        if std::fs::metadata(&data).is_ok_and(|_| size(&data) > 150 << 20) {
            std::fs::remove_dir_all(&data).unwrap();
            known.clear();
        }
    }
    let all: usize = known.iter().map(|(_, found)| found).sum();
    println!("power cuts: {cuts}, none lost, none half; {all} entries at the end; at the starts: {notes:?}");
    assert!(all > 0, "something was recorded between them");
}
