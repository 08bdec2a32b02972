//! Proof that nothing acknowledged is lost, of the store alone: the disk fails in every way, files are damaged, torn, lost
//! and put back; backups hold everything. `STRILLONE_PROOF=long` runs what docs/RELIABILITY.md tells of.

mod copies;
mod damage;
mod faults;
mod mending;
mod opening;
mod rows;
mod saying;
mod small;
mod start;
mod tools;

use std::path::{Path, PathBuf};

use tools::{Dice, at, claim, long, on_record, open, opened, said, seed};

/// A store with so many claims about `x`, closed; the path of its journal.
fn some(dir: &Path, claims: usize) -> PathBuf {
    let store = open(dir);
    opened(&store);
    for number in 0..claims {
        store.say(said(&format!("claim {number}"))).unwrap();
    }
    dir.join("journal/00000000000000000001.jsonl")
}
