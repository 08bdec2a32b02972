//! How far broadcasts are, as lines of the journal tell it: what a projection makes of them, so that a lost ledger leaves
//! only the last seconds uncertain. A ledger that is there knows better.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fold::{self, Known, from_json, json},
    keys,
    state::{Layer, Read, StateError},
};
use crate::{
    channel::ChannelNumber,
    line::Header,
    outbox::{Delivery, Left},
};

/// The channels that are done since the last line, by entry.
type Done = BTreeMap<u64, BTreeMap<ChannelNumber, Left>>;
/// The channels that may be attempted, by entry.
type Next = BTreeMap<u64, Vec<ChannelNumber>>;

/// Notes what a line tells.
pub fn fold(layer: &mut Layer<'_>, header: &Header, done: &Done, next: &Next) -> Result<(), StateError> {
    let at = header.recorded_at.timestamp_millis();
    for (commit, channels) in done {
        let amends = fold::subject_of(layer, *commit)?;
        for (channel, left) in channels {
            let key = keys::delivery(*channel, *commit);
            let known: Option<Delivery> = layer.get(&key)?.map(|row| from_json(&row)).transpose()?;
            let row = match known {
                Some(known) if !known.assumed => Delivery { journalled: true, ..known },
                _ => fold::sent(layer, *channel, (*commit, amends), left, at)?,
            };
            layer.put(key, json(&row)?);
        }
    }
    let named: BTreeSet<u64> = done.keys().chain(next.keys()).copied().collect();
    for commit in &named {
        let commit = *commit;
        attempted(layer, commit, next.get(&commit).map_or(&[], Vec::as_slice), at)?;
        if let Some(row) = layer.get(&keys::broadcast(commit))?
            && fold::Broadcast::parse(commit, &row)?.known == Known::Begun
        {
            fold::know(layer, commit, Known::Tracked)?;
        }
    }
    if let Some(newest) = newest(done, next) {
        layer.put(keys::progress(newest, header.commit), json(&named)?);
    }
    Ok(())
}

/// Replaces the list of channels that may be sent this broadcast. A channel that leaves the list without having been sent
/// anything loses its assumed delivery. An empty list ends the broadcast.
pub fn attempted(layer: &mut Layer<'_>, commit: u64, next: &[ChannelNumber], at: i64) -> Result<(), StateError> {
    let key = keys::attempted(commit);
    let before: Vec<ChannelNumber> = layer.get(&key)?.map_or(Ok(Vec::new()), |row| from_json(&row))?;
    let amends = fold::subject_of(layer, commit)?;
    for channel in before.iter().filter(|channel| !next.contains(channel)) {
        let row = keys::delivery(*channel, commit);
        let known: Option<Delivery> = layer.get(&row)?.map(|row| from_json(&row)).transpose()?;
        if known.is_some_and(|it| it.is_assumed()) {
            layer.forget(row);
        }
    }
    for channel in next.iter().filter(|channel| !before.contains(channel)) {
        let row = keys::delivery(*channel, commit);
        if layer.get(&row)?.is_none() {
            layer.put(row, json(&Delivery::assumed(at, amends))?);
        }
    }
    match next.is_empty() {
        true => layer.forget(key),
        false => layer.put(key, json(&next)?),
    }
    Ok(())
}

/// Forgets that a line is to be erased, since it was.
pub fn forget(layer: &mut Layer<'_>, line: u64, done: &Done, next: &Next) {
    if let Some(newest) = newest(done, next) {
        layer.forget(keys::progress(newest, line));
    }
}

fn newest(done: &Done, next: &Next) -> Option<u64> {
    done.keys().chain(next.keys()).max().copied()
}
