//! What the ledger holds, for an operator: counts by state, what waits longest, what was refused, what is in doubt.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use record::{
    channel::ChannelNumber,
    outbox::{Delivery, Ms, State},
    store::{StateError, Store},
};

/// How many of a kind are named; the others are counted.
const NAMED: usize = 20;

/// The ledger in lines.
pub fn deliveries(store: &Store) -> Result<Vec<String>, StateError> {
    let (ledger, mut lines) = (store.ledger(), Vec::new());
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut oldest: Option<(Ms, ChannelNumber, u64)> = None;
    let mut refused: Vec<(ChannelNumber, u64, Delivery)> = Vec::new();
    for row in ledger.everything() {
        let (channel, commit, delivery) = row?;
        *counts.entry(word(&delivery.state)).or_default() += 1;
        if delivery.is_open() && oldest.is_none_or(|(at, ..)| delivery.at < at) {
            oldest = Some((delivery.at, channel, commit));
        }
        if matches!(delivery.state, State::Dead(_) | State::Unsure) {
            refused.push((channel, commit, delivery));
        }
    }
    for state in ["sent", "nothing to send", "waiting", "under way", "of unknown fate, held", "refused"] {
        lines.push(format!("{state}: {}", counts.get(state).copied().unwrap_or(0)));
    }
    if let Some((at, channel, commit)) = oldest {
        lines.push(format!("waiting longest: {}, since {}", called(store, channel, commit)?, moment(at)));
    }
    for (at, (channel, commit, delivery)) in refused.iter().enumerate() {
        if at < NAMED {
            let why = match &delivery.state {
                State::Dead(why) => format!("refused: {why}"),
                _ => "of unknown fate, held".to_owned(),
            };
            lines.push(format!("  {}: {why}", called(store, *channel, *commit)?));
        }
    }
    if refused.len() > NAMED {
        lines.push(format!("  and {} more", refused.len() - NAMED));
    }
    lines.extend(troubled(store)?);
    Ok(lines)
}

fn word(state: &State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Flying => "under way",
        State::Unsure => "of unknown fate, held",
        State::Sent => "sent",
        State::None(_) => "nothing to send",
        State::Dead(_) => "refused",
    }
}

/// The channels that cannot be reached.
fn troubled(store: &Store) -> Result<Vec<String>, StateError> {
    let (ledger, mut named, mut more) = (store.ledger(), Vec::new(), 0);
    for row in ledger.mailboxes() {
        let (channel, mailbox) = row?;
        let Some(trouble) = mailbox.trouble else { continue };
        if named.len() == NAMED {
            more += 1;
            continue;
        }
        let address = ledger.channel(channel)?.map_or_else(String::new, |channel| channel.address.to_string());
        let mut open = 0;
        if let Some((head, _)) = mailbox.head {
            for row in ledger.deliveries(channel, head) {
                open += usize::from(row?.1.is_open());
            }
        }
        let since = moment(trouble.since);
        named.push(format!("cannot be reached: {address}, since {since}: {} ({open} waiting)", trouble.why));
    }
    if more > 0 {
        named.push(format!("cannot be reached: {more} more channels"));
    }
    Ok(named)
}

/// "westpole#14 for telegram:5".
fn called(store: &Store, channel: ChannelNumber, commit: u64) -> Result<String, StateError> {
    let address = store.ledger().channel(channel)?.map_or_else(String::new, |channel| channel.address.to_string());
    Ok(format!("{} for {address}", entry(store, commit)?))
}

fn entry(store: &Store, commit: u64) -> Result<String, StateError> {
    let found = store.view().recorded_at(commit)?;
    Ok(found.map_or_else(|| format!("commit {commit}"), |(incident, number)| incident.name(number).to_string()))
}

fn moment(at: Ms) -> String {
    DateTime::<Utc>::from_timestamp_millis(at).unwrap_or_default().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
