//! What must hold for whatever comes in, on the examples of `fuzz/corpus` and on a bounded number of changes to them. The
//! fuzzer itself (`fuzz/README.md`) looks for more.

pub mod holds;
mod mutate;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use crate::proof::{Dice, long, seed};

/// Runs a property on the examples of a name, and on so many changes to each of them.
fn run(name: &str, changes: usize, holds: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(&dir).unwrap().map(|item| item.unwrap().path()).collect();
    paths.sort();
    let examples: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(examples.len() >= 5, "{name} has examples");
    for (path, example) in paths.iter().zip(&examples) {
        tried(&path.display().to_string(), example, holds);
    }
    let mut dice = Dice(seed(name));
    let changes = if long() { changes * 100 } else { changes };
    for round in 0..changes {
        let example = &examples[round % examples.len()];
        let other = &examples[dice.below(examples.len())];
        tried(name, &mutate::changed(example, other, &mut dice), holds);
    }
}

fn tried(what: &str, data: &[u8], holds: fn(&[u8])) {
    if catch_unwind(AssertUnwindSafe(|| holds(data))).is_err() {
        panic!("{what} does not hold for {:?}", String::from_utf8_lossy(data));
    }
}

#[test]
fn dates_are_written_so_that_they_are_read_again() {
    run("when", 4_000, holds::when);
}

#[test]
fn dates_are_said_so_that_they_are_heard_again() {
    run("heard", 3_000, holds::heard);
}

#[test]
fn dossiers_are_refused_or_exported_as_they_were() {
    run("dossier", 150, holds::dossier);
}

#[test]
fn lines_of_the_journal_are_read_as_they_are_or_not_at_all() {
    run("journal", 1_500, holds::journal);
}

#[test]
fn whatever_is_typed_is_answered() {
    run("lines", 600, holds::lines);
}

#[test]
fn a_forged_press_records_nothing() {
    run("presses", 400, holds::presses);
}

#[test]
fn whatever_telegram_sends_is_answered_or_left_alone() {
    run("telegram_update", 1_000, holds::telegram_update);
}

#[test]
fn whatever_discord_sends_is_answered_or_left_alone() {
    run("discord_interaction", 1_000, holds::discord_interaction);
}

#[test]
fn whatever_is_said_fits_and_obeys_nobody_in_every_dress() {
    run("renders", 1_500, holds::renders);
}
