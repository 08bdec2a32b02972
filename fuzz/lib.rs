//! What must hold, as the tests have it.

#[path = "../tests/fuzz/holds/mod.rs"]
pub mod holds;
