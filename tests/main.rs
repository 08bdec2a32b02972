//! Everything that needs more than one room, in one binary.
#![allow(clippy::unwrap_used, missing_docs)]

mod contract;
mod doors;
mod format;
mod house;
mod render;
mod stories;
mod survival;
mod town;
