//! Proof that nothing acknowledged is lost, of the whole program: it is killed, the power goes, tokens are nowhere. Short
//! here; `STRILLONE_PROOF=long` runs what docs/RELIABILITY.md tells of. What needs the store alone is in `src/record/proof`.

mod copies;
mod kills;
mod power;
mod secrets;
#[path = "../../src/record/proof/tools.rs"]
mod tools;

pub use tools::{Dice, at, long, on_record, open, opened, said, seed};
