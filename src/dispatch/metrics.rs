//! What is counted of pushes, for whoever watches the bot: outcomes, limits met, and how long things take.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use record::{
    channel::Network,
    outbox::{Ms, Outcome},
    store::{StateError, Store},
};

/// The upper ends of the histogram's buckets, in milliseconds.
const BUCKETS: [Ms; 10] = [5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000];

/// Counters since the start.
#[derive(Default)]
pub struct Metrics(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    outcomes: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    took: BTreeMap<&'static str, Took>,
}

#[derive(Clone, Default)]
struct Took {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: Ms,
}

/// A name for an outcome.
fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } | Outcome::Over => "done",
        Outcome::Later { .. } => "later",
        Outcome::Moved(_) => "moved",
        Outcome::Content(_) => "content_refused",
        Outcome::Unknown(_) => "refused_for_unknown_reason",
        Outcome::Frozen(_) => "archived",
        Outcome::Gone(_) => "gone",
        Outcome::Closed(_) => "topic_closed",
        Outcome::Shut { .. } => "channel_trouble",
        Outcome::Token => "token_trouble",
        Outcome::NotSent(_) => "not_sent",
        Outcome::Unsure(_) => "unsure",
        Outcome::Found(_) => "found",
    }
}

impl Metrics {
    /// A request came back.
    pub fn came(&self, (network, doing, outcome, took): &(Network, &'static str, Outcome, Ms)) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.outcomes.entry((network.code(), doing, name(outcome))).or_default() += 1;
        let it = counted.took.entry(network.code()).or_default();
        for (bucket, end) in it.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(*took <= end);
        }
        it.count += 1;
        it.sum += took;
    }

    /// In the text format of Prometheus (version 0.0.4).
    pub fn text(&self) -> String {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from(
            "# HELP strillone_requests_total Requests of the dispatcher, by what they came to.\n\
             # TYPE strillone_requests_total counter\n",
        );
        for ((network, doing, outcome), count) in &counted.outcomes {
            text += &format!(
                "strillone_requests_total{{network=\"{network}\",doing=\"{doing}\",outcome=\"{outcome}\"}} {count}\n"
            );
        }
        text += "# HELP strillone_rate_limited_total Answers that asked to wait (HTTP 429, and the like).\n\
                 # TYPE strillone_rate_limited_total counter\n";
        for network in Network::ALL {
            let of = |(key, count): (&(&str, &str, &str), &u64)| {
                if key.0 == network.code() && key.2 == "later" { *count } else { 0 }
            };
            let limited: u64 = counted.outcomes.iter().map(of).sum();
            text += &format!("strillone_rate_limited_total{{network=\"{}\"}} {limited}\n", network.code());
        }
        text += "# HELP strillone_request_seconds How long requests of the dispatcher took.\n\
                 # TYPE strillone_request_seconds histogram\n";
        for (network, it) in &counted.took {
            let mut bucket = |end: String, count: u64| {
                text += &format!("strillone_request_seconds_bucket{{network=\"{network}\",le=\"{end}\"}} {count}\n");
            };
            for (count, end) in it.buckets.iter().zip(BUCKETS) {
                bucket(seconds(end), *count);
            }
            bucket("+Inf".to_owned(), it.count);
            text += &format!("strillone_request_seconds_sum{{network=\"{network}\"}} {}\n", seconds(it.sum));
            text += &format!("strillone_request_seconds_count{{network=\"{network}\"}} {}\n", it.count);
        }
        text
    }
}

/// How long the oldest delivery may wait before deliveries count as stalled.
pub const STALLED: Ms = 15 * 60_000;

/// What waits on a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Channels that can be reached and have something due.
    pub channels: u64,
    /// Channels that do not let us in.
    pub unreachable: u64,
    /// How long the oldest delivery of a channel that can be reached waits.
    pub oldest: Ms,
}

impl Waiting {
    /// For `/health`; nothing if nothing is to be said.
    pub fn vital(&self, network: Network, lang: record::lang::Lang) -> Option<commands::kit::Vital> {
        let minutes = self.oldest / 60_000;
        if self.unreachable == 0 && minutes == 0 {
            return None;
        }
        let (name, count) = (network.name(), self.unreachable);
        let what = lang.pick(format!("Deliveries on {name}"), format!("Consegne su {name}"));
        let how = match count {
            0 => String::new(),
            1 => lang.pick("1 channel cannot be reached", "1 canale non è raggiungibile").to_owned(),
            n => lang.pick(format!("{n} channels cannot be reached"), format!("{n} canali non sono raggiungibili")),
        };
        let waits = match minutes {
            0 => String::new(),
            n => lang.pick(
                format!("the oldest entry has waited for {n} min"),
                format!("la voce più vecchia aspetta da {n} min"),
            ),
        };
        let how = [how, waits].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ");
        let well = self.oldest < STALLED && count == 0;
        Some(if well { commands::kit::Vital::good(what, how) } else { commands::kit::Vital::bad(what, how) })
    }
}

/// What waits on each network.
pub fn waiting(store: &Store, now: Ms) -> Result<BTreeMap<Network, Waiting>, StateError> {
    let ledger = store.ledger();
    let mut waits: BTreeMap<Network, Waiting> = Network::ALL.into_iter().map(|it| (it, Waiting::default())).collect();
    for row in ledger.mailboxes() {
        let (number, mailbox) = row?;
        let network = ledger.channel(number)?.and_then(|channel| channel.address.network());
        let Some(it) = network.and_then(|network| waits.get_mut(&network)) else { continue };
        if mailbox.trouble.is_some() {
            it.unreachable += 1;
        } else if let Some((commit, _)) = mailbox.head {
            it.channels += 1;
            let since = ledger.delivery(number, commit)?.map_or(now, |delivery| delivery.at);
            it.oldest = it.oldest.max(now - since);
        }
    }
    Ok(waits)
}

/// How long the oldest delivery waits on each network, in a channel that can be reached.
pub fn oldest(store: &Store, now: Ms) -> Result<Vec<(Network, Ms)>, StateError> {
    Ok(waiting(store, now)?.into_iter().map(|(network, it)| (network, it.oldest)).collect())
}

/// How many channels have something due, how many cannot be reached, and how long the oldest waits.
pub fn queue(store: &Store, now: Ms) -> Result<String, StateError> {
    let mut text = String::from(
        "# HELP strillone_channels_waiting Channels with something to be delivered.\n\
         # TYPE strillone_channels_waiting gauge\n",
    );
    let waits = waiting(store, now)?;
    let gauge = |text: &mut String, name: &str, network: Network, value: &str| {
        text.push_str(&format!("{name}{{network=\"{}\"}} {value}\n", network.code()));
    };
    for (network, Waiting { channels, .. }) in &waits {
        gauge(&mut text, "strillone_channels_waiting", *network, &channels.to_string());
    }
    text += "# HELP strillone_channels_unreachable Channels that do not let us in.\n\
             # TYPE strillone_channels_unreachable gauge\n";
    for (network, Waiting { unreachable, .. }) in &waits {
        gauge(&mut text, "strillone_channels_unreachable", *network, &unreachable.to_string());
    }
    text += "# HELP strillone_oldest_waiting_seconds How long the oldest delivery of a channel that can be reached waits.\n\
             # TYPE strillone_oldest_waiting_seconds gauge\n";
    for (network, Waiting { oldest, .. }) in &waits {
        gauge(&mut text, "strillone_oldest_waiting_seconds", *network, &seconds(*oldest));
    }
    Ok(text)
}

/// Milliseconds in seconds, without digits that say nothing.
fn seconds(ms: Ms) -> String {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_and_times_are_told_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        let done = Outcome::Done { id: Some(1), more: false };
        for (outcome, took) in [(done.clone(), 3), (done, 30), (Outcome::Later { wait: 5, all: false }, 2_000)] {
            metrics.came(&(Network::Telegram, "post", outcome, took));
        }
        let text = metrics.text();
        for line in [
            "strillone_requests_total{network=\"telegram\",doing=\"post\",outcome=\"done\"} 2",
            "strillone_rate_limited_total{network=\"telegram\"} 1",
            "strillone_request_seconds_bucket{network=\"telegram\",le=\"0.005\"} 1",
            "strillone_request_seconds_bucket{network=\"telegram\",le=\"0.05\"} 2",
            "strillone_request_seconds_bucket{network=\"telegram\",le=\"+Inf\"} 3",
            "strillone_request_seconds_sum{network=\"telegram\"} 2.033",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
    }
}
