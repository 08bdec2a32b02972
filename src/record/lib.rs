//! What is known of an incident, where it is kept, and how it reads.
//!
//! Nothing here waits, spawns (but for the store's one writer thread) or reads the clock, and nothing knows a platform.
#![warn(missing_docs)]

// Proofs name it as everybody does, whichever binary they are compiled into.
#[cfg(test)]
extern crate self as record;

pub mod backup;
pub mod channel;
pub mod claim;
pub mod disk;
pub mod dossier;
pub mod entry;
pub mod export;
pub mod find;
pub mod guard;
pub mod heard;
pub mod import;
pub mod journal;
pub mod lang;
pub mod line;
pub mod link;
pub mod outbox;
pub mod pages;
pub mod parts;
pub mod party;
pub mod private;
#[cfg(test)]
mod proof;
pub mod rank;
pub mod reply;
pub mod silence;
pub mod slug;
pub mod source;
pub mod spoken;
pub mod statement;
pub mod store;
pub mod subscription;
pub mod view;
pub mod when;
