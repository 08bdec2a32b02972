//! What the owners are called for: a platform out of reach, deliveries that stall, a store that takes no writes, damage on the
//! disk; each once, and again only after it was well.

use std::{
    fs,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use record::{
    channel::{Network, PlaceKind},
    lang::Lang,
    private::{Address, Fact},
    store::{Audience, Drafted, Set},
    subscription::{Follow, What},
};
use strillone::{
    config::Platform,
    signs::{Alert, Sign},
    watchman::Round,
};
use tokio::sync::broadcast::Receiver;

use crate::{
    proof::{at, opened, said},
    town::{Town, says},
};

/// What was told since the last time, in both languages.
fn told(alerts: &mut Receiver<Alert>) -> Vec<(String, String)> {
    std::iter::from_fn(|| alerts.try_recv().ok())
        .map(|it| (it.words.get(Lang::En).to_owned(), it.words.get(Lang::It).to_owned()))
        .collect()
}

#[test]
fn a_platform_that_cannot_be_reached_is_told_of_once_until_it_is_back() {
    let town = Town::westpole();
    let (mut round, mut alerts) = (Round::new(town.desk.clone()), town.desk.signs().listen());
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    town.desk.signs().set(Platform::Telegram, Sign::Unreachable);
    for seconds in [0, 60, 119] {
        round.look(after(seconds), at());
    }
    assert_eq!(told(&mut alerts), [], "not yet");
    for seconds in [120, 125, 600] {
        round.look(after(seconds), at());
    }
    let now = told(&mut alerts);
    assert_eq!(now.len(), 1, "{now:?}");
    says(&now[0].0, &["Telegram has been out of reach for two minutes"]);
    says(&now[0].1, &["Da due minuti Telegram non è raggiungibile"]);
    town.desk.signs().set(Platform::Telegram, Sign::Serving);
    round.look(after(610), at());
    town.desk.signs().set(Platform::Telegram, Sign::Unreachable);
    round.look(after(620), at());
    round.look(after(730), at());
    assert_eq!(told(&mut alerts), [], "two minutes anew");
    round.look(after(740), at());
    assert_eq!(told(&mut alerts).len(), 1);
}

#[test]
fn deliveries_that_stall_are_told_of_with_how_long_they_wait() {
    let town = Town::empty();
    let store = town.store();
    opened(store);
    let address = Address("telegram:5".to_owned());
    let (settings, follow, place) = (address.clone(), Follow::of(What::All), PlaceKind::Private);
    let fact = Fact::Subscription { address, settings, place, lang: Lang::En, by: None, follow };
    store.say(Set { ask: None, expects: Vec::new(), said: vec![Drafted::Fact(fact)], at: at() }).unwrap();
    let commit = store.say(said("news")).unwrap().first;
    let ledger = store.ledger();
    let view = store.view();
    let incident = view.incident("x").unwrap().unwrap();
    let entry = view.entry(&incident, incident.last, None).unwrap().unwrap();
    let audience = Audience::Followers(view.news(&incident, &entry, commit).unwrap());
    ledger.expand(commit, &audience, &mut Default::default(), 10, at().timestamp_millis()).unwrap();
    let (mut round, mut alerts) = (Round::new(town.desk.clone()), town.desk.signs().listen());
    let start = Instant::now();
    for minutes in [0, 14] {
        round.look(start + Duration::from_secs(minutes * 60), at() + TimeDelta::minutes(minutes.cast_signed()));
    }
    assert_eq!(told(&mut alerts), []);
    for minutes in [16, 17] {
        round.look(start + Duration::from_secs(minutes * 60), at() + TimeDelta::minutes(minutes.cast_signed()));
    }
    let now = told(&mut alerts);
    assert_eq!(now.len(), 1, "{now:?}");
    says(&now[0].0, &[Network::Telegram.name(), "stalled", "16 minutes"]);
    says(&now[0].1, &["ferme", "16 minuti"]);
}

#[test]
fn damage_is_found_while_the_bot_runs_mended_and_told_of() {
    let town = Town::westpole();
    let journal = town.dir().join("journal/00000000000000000001.jsonl");
    let whole = fs::read(&journal).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let (mut round, mut alerts) = (Round::new(town.desk.clone()), town.desk.signs().listen());
    round.look(Instant::now(), at());
    let now = told(&mut alerts);
    assert_eq!(now.len(), 1, "{now:?}");
    says(&now[0].0, &["Something was damaged on my disk, and I have looked after it", "put right"]);
    assert_eq!(fs::read(&journal).unwrap(), whole, "one flipped bit is put right");
    for seconds in 1..4 {
        round.look(Instant::now() + Duration::from_secs(seconds), at());
    }
    assert_eq!(told(&mut alerts), [], "and not told of again");
}
