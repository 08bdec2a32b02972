//! What is lived through in that world, and what must hold at the end of each story.

use super::*;

/// Seeds to run: one that is asked for, or a few.
fn seeds(usual: u64) -> Vec<u64> {
    match std::env::var("STRILLONE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => {
            let worlds = std::env::var("STRILLONE_WORLDS").ok().and_then(|worlds| worlds.parse().ok());
            (1..=worlds.unwrap_or(usual)).collect()
        }
    }
}

fn story(seed: u64, unsure: Unsure, entries: usize) -> (Ms, u32) {
    let mut world = World::new(seed, unsure);
    let began = world.now;
    town(&mut world);
    world.run(began + MINUTE);
    world.troubled_days(6, entries);
    let at = world.now + world.dice.between(HOUR, 100 * HOUR);
    world.plan(at, Plan::Unsubscribe(Address("telegram:3".to_owned())));
    world.peace();
    world.check();
    (world.now - began, world.kills)
}

fn told<T>(seed: u64, story: impl FnOnce() -> T + std::panic::UnwindSafe) -> T {
    std::panic::catch_unwind(story).unwrap_or_else(|fault| {
        println!("repeat it: STRILLONE_SEED={seed} cargo test --test all world -- --nocapture");
        std::panic::resume_unwind(fault)
    })
}

#[test]
fn in_a_world_where_everything_fails_nobody_misses_an_entry() {
    let (mut hours, mut kills) = (0, 0);
    for seed in seeds(8) {
        let (took, died) = told(seed, move || story(seed, Unsure::Repeat, 40));
        hours += took / HOUR;
        kills += died;
    }
    println!("{hours} hours were lived through, with {kills} kills");
    assert!(kills > 0 && hours > 100);
}

#[test]
fn where_unknown_fates_are_held_nothing_comes_twice() {
    for seed in seeds(4) {
        told(seed, move || {
            let mut world = World::new(seed, Unsure::Hold);
            town(&mut world);
            world.run(world.now + MINUTE);
            world.troubled_days(4, 25);
            world.peace();
            world.check();
            for follower in &world.followers {
                for number in world.entries.keys() {
                    let copies = world.copies(follower, *number);
                    let fresh = copies.iter().filter(|it| !it.words.contains("takes the place of"));
                    let discord = follower.address.network() == Some(Network::Discord);
                    assert!(discord || fresh.count() <= 1, "{} got x#{number} twice", follower.address);
                }
            }
        });
    }
}

#[test]
fn a_state_that_was_lost_sends_nothing_twice_and_the_rest_goes_on() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = World::new(seed, Unsure::Repeat);
            town(&mut world);
            world.run(world.now + MINUTE);
            (0..6).for_each(|n| world.plan(world.now + n * 20 * SECOND, Plan::Record));
            let lost = world.now + world.dice.between(0, 150 * SECOND);
            world.run(lost);
            world.office = None;
            world.store = None;
            world.flying.clear();
            world.queue.retain(|_, it| !matches!(it, Plan::Told(..)));
            world.memory.wipe();
            world.wake_up();
            (0..3).for_each(|n| world.plan(world.now + 10 * MINUTE + n * MINUTE, Plan::Record));
            world.plan(world.now + HOUR, Plan::Correct);
            world.run(world.now + 24 * HOUR);
            for follower in world.followers.iter().filter(|it| !it.major_only) {
                for number in world.entries.keys() {
                    let copies = world.copies(follower, *number);
                    let again =
                        |it: &&&Message| it.words.contains("takes the place of") || it.words.contains("Sent again");
                    let fresh: Vec<_> = copies.iter().filter(|it| !again(it)).collect();
                    if world.doubts.contains_key(follower.address.chat()) {
                        continue;
                    }
                    assert!(fresh.len() <= 1, "{} got x#{number} twice: {fresh:#?}", follower.address);
                }
                for number in world.entries.keys().rev().take(3) {
                    assert!(!world.copies(follower, *number).is_empty(), "{} misses x#{number}", follower.address);
                }
            }
            let ledger = world.store().ledger();
            let open = ledger.everything().filter(|it| matches!(it, Ok((_, _, it)) if it.state == State::Waiting));
            assert_eq!(open.count(), 0);
        });
    }
}

/// A world with so many chats on each network, all of which follow everything.
fn crowd(seed: u64, telegram: usize, discord: usize) -> World {
    let mut world = World::new(seed, Unsure::Repeat);
    for n in 1..=telegram {
        world.follow(&format!("telegram:{n}"), PlaceKind::Private, false);
    }
    for n in 1..=discord {
        world.follow(&format!("discord:{n}"), PlaceKind::Group, false);
    }
    world.run(world.now + MINUTE);
    world
}

impl World {
    /// The process dies, and its state is lost.
    fn lose_state(&mut self) {
        self.office = None;
        self.store = None;
        self.flying.clear();
        self.queue.retain(|_, it| !matches!(it, Plan::Told(..)));
        self.memory.wipe();
        self.wake = None;
    }

    /// Whether a message of a follower names an entry as possibly missing.
    fn is_told_missing(&self, follower: &Follower, number: u32) -> bool {
        let platform = &self.platforms[usize::from(follower.address.network() == Some(Network::Discord))];
        let messages = platform.chats.get(follower.address.chat()).map(|chat| chat.messages.as_slice());
        let name = format!("x#{number}");
        let names = |line: &str| {
            line.contains("may not have reached you")
                && line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).any(|word| word == name)
        };
        messages.unwrap_or_default().iter().any(|it| it.words.lines().any(names))
    }

    fn has(&self, follower: &Follower, number: u32) -> bool {
        !self.copies(follower, number).is_empty()
    }
}

#[test]
fn a_state_lost_in_the_middle_of_a_broadcast_leaves_only_seconds_uncertain() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = crowd(seed, 150, 100);
            world.calm = true;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            let lost = world.now + world.dice.between(200, 5 * SECOND);
            world.run(lost);
            world.lose_state();
            // What was under way arrives, or does not.
            world.run(world.now + SECOND);
            world.wake_up();
            world.run(world.now + 10 * MINUTE);
            let ledger = world.store().ledger();
            let doubts = |it: &&Follower| {
                let (number, _) = ledger.channel_at(&it.address).unwrap().unwrap();
                !ledger.mailbox(number).unwrap().doubts.is_empty()
            };
            let doubtful: Vec<Address> = world.followers.iter().filter(doubts).map(|it| it.address.clone()).collect();
            assert!(doubtful.len() <= 2 * (30 + 50), "{} channels are uncertain", doubtful.len());
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                assert!(copies.len() <= 1, "{} got it twice: {copies:#?}", follower.address);
                let known = !copies.is_empty() || doubtful.contains(&follower.address);
                assert!(known, "{} lacks it, and nobody knows", follower.address);
            }
            // The next message names what may be missing; it can be sent again.
            world.record();
            world.run(world.now + 10 * MINUTE);
            for follower in world.followers.iter().filter(|it| doubtful.contains(&it.address)) {
                assert!(world.is_told_missing(follower, number), "{} is not told", follower.address);
            }
            world.turn(vec![Happened::Event(Event::Retry)]);
            world.run(world.now + 10 * MINUTE);
            for follower in &world.followers {
                assert!(world.has(follower, number), "{} never got it", follower.address);
            }
            for platform in &world.platforms {
                assert!(platform.exceeded.is_empty(), "{:?}", platform.exceeded);
            }
        });
    }
}

#[test]
fn a_state_lost_soon_after_a_kill_or_another_loss_sends_nothing_twice() {
    for seed in seeds(6) {
        told(seed, move || {
            let mut world = crowd(seed, 150, 100);
            world.calm = true;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            for time in 0..2 {
                let end = world.now + world.dice.between(200, 2 * SECOND);
                world.run(end);
                if time == 0 && world.dice.chance(2) {
                    // It is woken up within three minutes.
                    world.kill();
                    while world.office.is_none() {
                        world.run(world.now + SECOND);
                    }
                    continue;
                }
                world.lose_state();
                // What was under way arrives, or does not.
                world.run(world.now + SECOND);
                world.wake_up();
            }
            world.run(world.now + 10 * MINUTE);
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                let fresh = copies.iter().filter(|it| !it.words.contains("Sent again")).count();
                assert!(fresh <= 1, "{} got it twice: {copies:#?}", follower.address);
            }
        });
    }
}

#[test]
fn a_platform_that_refuses_everything_for_a_moment_shuts_nobody_out() {
    for seed in seeds(4) {
        told(seed, move || {
            let mut world = crowd(seed, 100, 40);
            world.calm = true;
            for network in Network::ALL {
                world.platform(network).refuses_all = true;
            }
            let began = world.now;
            world.record();
            let number = *world.entries.keys().last().unwrap();
            world.run(began + 12 * SECOND);
            for network in Network::ALL {
                assert!(world.platform(network).requests < 40, "it is asked again and again");
                world.platform(network).refuses_all = false;
            }
            world.run(began + 3 * MINUTE);
            for follower in &world.followers {
                let copies = world.copies(follower, number);
                let [copy] = copies.as_slice() else { panic!("{} has {copies:#?}", follower.address) };
                assert!(copy.at < began + 45 * SECOND, "{} waited until {}", follower.address, copy.at - began);
            }
            assert!(world.words.is_empty(), "nobody is told of trouble that is over: {:?}", world.words);
        });
    }
}

#[test]
fn what_a_chat_or_a_text_is_refused_for_is_found_out() {
    let mut world = crowd(1, 20, 10);
    world.calm = true;
    world.platform(Network::Telegram).chat(&Address("telegram:3".to_owned())).refuses = Some("STRANGE_WORDS");
    world.record();
    let first = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * MINUTE);
    // Everybody else has it; that chat is kept, tried again, and told of when it is well.
    for follower in &world.followers {
        assert_eq!(world.has(follower, first), follower.address.0 != "telegram:3", "{}", follower.address);
    }
    assert!(!world.words.iter().any(|word| matches!(word, Word::Refused { .. })), "it is not the text's fault");
    world.platform(Network::Telegram).chat(&Address("telegram:3".to_owned())).refuses = None;
    world.run(world.now + 2 * HOUR);
    assert!(world.has(&world.followers[2], first), "it was kept, and came");
    // A text whose markup is not taken goes to all as plain words.
    world.platform(Network::Telegram).refuses_markup = true;
    world.record();
    let second = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * MINUTE);
    assert!(world.followers.iter().all(|it| world.has(it, second)), "as plain words everybody gets it");
    world.platform(Network::Telegram).refuses_markup = false;
    // A text that nobody takes while others pass is put aside, and owners hear of it.
    world.platform(Network::Telegram).refuses_words = Some(format!("happening {}", world.entries.len()));
    world.record();
    let third = *world.entries.keys().last().unwrap();
    world.run(world.now + 5 * SECOND);
    world.record();
    world.run(world.now + 40 * MINUTE);
    let fourth = *world.entries.keys().last().unwrap();
    for follower in &world.followers {
        let discord = follower.address.network() == Some(Network::Discord);
        assert_eq!((world.has(follower, third), world.has(follower, fourth)), (discord, true), "{}", follower.address);
    }
    let refused = world.words.iter().filter(|word| matches!(word, Word::Refused { .. })).count();
    assert_eq!(refused, 1, "owners are told once: {:?}", world.words);
}

#[test]
fn a_clock_that_was_ahead_or_behind_keeps_nobody_waiting() {
    for by in [3 * 24 * HOUR, 40 * 24 * HOUR, -2 * 24 * HOUR] {
        let mut world = crowd(1, 20, 10);
        let right = world.now;
        // The process starts with a wrong clock, some chats are shut, and it dies.
        world.kill();
        world.queue.clear();
        world.now = right + by;
        world.wake_up();
        for n in 1..=10 {
            world.kick(&format!("telegram:{n}"), true);
        }
        world.record();
        let first = *world.entries.keys().last().unwrap();
        world.run(world.now + 2 * MINUTE);
        world.kill();
        world.queue.clear();
        world.now = right + 5 * MINUTE;
        for n in 1..=10 {
            world.kick(&format!("telegram:{n}"), false);
        }
        world.wake_up();
        world.run(world.now + 2 * HOUR);
        for follower in &world.followers {
            let subscribed =
                world.store().ledger().channel_at(&follower.address).unwrap().unwrap().1.subscriptions.len();
            assert_eq!(subscribed, 1, "{} is still followed", follower.address);
            assert!(world.has(follower, first), "{} waits for the clock ({by} ms off)", follower.address);
        }
    }
}

#[test]
fn what_a_mute_held_back_is_told_when_it_ends() {
    for lost in [false, true] {
        let mut world = crowd(1, 2, 1);
        world.calm = true;
        let who = Address("telegram:1".to_owned());
        let until = DateTime::from_timestamp_millis(world.now + HOUR);
        world.say(vec![Drafted::Fact(Fact::Mute { address: who, incident: "x".parse().unwrap(), off: false, until })]);
        (0..5).for_each(|_| {
            world.record();
            world.run(world.now + 5 * MINUTE);
        });
        let numbers: Vec<u32> = world.entries.keys().copied().collect();
        let muted = world.followers[0].clone();
        assert!(numbers.iter().all(|number| !world.has(&muted, *number)), "nothing comes while it is muted");
        if lost {
            world.lose_state();
            world.wake_up();
        }
        world.run(world.now + 2 * HOUR);
        for number in &numbers {
            assert_eq!(world.copies(&muted, *number).len(), 1, "x#{number} is told when the mute has ended");
        }
        let told = &world.platforms[0].chats["telegram:1"].messages;
        assert_eq!(told.len(), 1, "in one message: {told:#?}");
        assert!(told[0].words.contains("muted here"));
        let open: Vec<_> = world.store().ledger().tallies().map(Result::unwrap).collect();
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn chats_that_answer_slowly_do_not_hold_up_the_others() {
    let mut world = World::new(1, Unsure::Repeat);
    world.calm = true;
    for n in 1..=40 {
        world.follow(&format!("telegram:{n}"), PlaceKind::Private, false);
    }
    // A few at once, nothing known of them; then many, once they are known.
    for slow in [7, 20] {
        world.slow = (1..=slow).map(|n| format!("telegram:{n}")).collect();
        if slow > 7 {
            world.record();
            world.run(world.now + HOUR);
        }
        let recorded = world.now;
        world.record();
        let number = *world.entries.keys().last().unwrap();
        world.run(world.now + HOUR);
        for follower in &world.followers {
            let copies = world.copies(follower, number);
            let [copy] = copies.as_slice() else { panic!("{} has {copies:#?}", follower.address) };
            let late = copy.at - recorded;
            let quick = !world.slow.contains(&follower.address.0);
            assert!(!quick || late < 10 * SECOND, "{} waited {late} ms for {slow} slow chats", follower.address);
        }
    }
    assert!(world.most_uncertain <= 8);
    world.check();
}
