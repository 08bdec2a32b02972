//! Everything that needs more than one room, in one binary.
#![allow(clippy::unwrap_used, missing_docs)]

mod contract;
mod dialogue;
mod doors;
mod following;
mod format;
mod fuzz;
mod house;
mod keeping;
mod moderating;
mod promising;
mod proof;
mod recording;
mod render;
mod stories;
mod survival;
mod town;
mod watching;
mod world;
