//! Discord's bad moments.

use std::time::Duration;

use record::channel::PlaceKind;
use strillone::{
    config::Platform,
    discord::{IdentifyPauses, Patience},
    signs::Sign,
};

use super::{
    PATIENCE,
    discord::{Discord, Fault, Id, may},
    news::Press,
    on_discord::{Bot, patience, sound},
};
use crate::town::{Town, says};

async fn asks(discord: &Discord, channel: Id, user: Id) -> String {
    let interaction = discord.slash(channel, user, "about", &[]);
    discord.answer(interaction, PATIENCE).await.text
}

struct Scene {
    town: Town,
    discord: Discord,
    channel: Id,
    ann: Id,
    bot: Bot,
}

async fn scene() -> Scene {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    bot.sign(Sign::Serving).await;
    Scene { town, discord, channel, ann, bot }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_of_the_token_costs_nothing() {
    let Scene { town, discord, channel, ann, bot } = scene().await;
    discord.fault("/interactions/", 1, Fault::Refused(401, 0, "401: Unauthorized"));
    says(&asks(&discord, channel, ann).await, &["Strillone"]);
    assert_eq!(town.desk.signs().get(Platform::Discord), Sign::Serving);
    let before = discord.identifies();
    discord.close(4004);
    discord.until(PATIENCE, "a new session", |it| (it.identifies() == before + 1).then_some(())).await;
    bot.sign(Sign::Serving).await;
    says(&asks(&discord, channel, ann).await, &["Strillone"]);
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_shuts_us_out_is_not_asked_again_and_owners_hear_why() {
    for code in [4010, 4011, 4012, 4013, 4014] {
        let Scene { town, discord, bot, .. } = scene().await;
        let mut bell = town.desk.signs().listen();
        let before = discord.identifies();
        discord.close(code);
        bot.sign(Sign::Stopped).await;
        says(&bell.recv().await.unwrap().words.en, &[&code.to_string(), "posts go on"]);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(discord.identifies(), before, "{code}: nobody identifies any more");
        bot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_cannot_be_resumed_are_begun_more_and_more_rarely() {
    let Scene { discord, bot, .. } = scene().await;
    let began = discord.identifies();
    let until = std::time::Instant::now() + Duration::from_secs(12);
    while std::time::Instant::now() < until {
        discord.invalid_session();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let times = discord.identifies() - began;
    assert!((1..=3).contains(&times), "{times} sessions in 12 s");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interaction_that_cannot_be_read_is_answered_with_an_apology() {
    let Scene { discord, channel, ann, bot, .. } = scene().await;
    let interaction = discord.garbled_slash(channel, ann, "about");
    says(&discord.answer(interaction, PATIENCE).await.text, &["Sorry"]);
    says(&asks(&discord, channel, ann).await, &["Strillone"]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interactions_that_are_sent_elsewhere_are_noticed() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    discord.rules(|rules| rules.endpoint = Some("https://elsewhere.example/interactions"));
    let mut bell = town.desk.signs().listen();
    let bot = Bot::start(&town, &discord).await;
    bot.sign(Sign::InteractionsElsewhere).await;
    says(&bell.recv().await.unwrap().words.en, &["Interactions Endpoint URL", "Posts go on"]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_lets_us_in_again_has_its_entry_within_seconds() {
    let mut press = Press::new(&super::news::fast()).await;
    let channel = press.discord.text_channel(press.discord.guild("Crew"), "news");
    press.follow(&[super::news::on_discord(channel)]);
    press.start().await;
    press.discord.bot_may(channel, may::VIEW);
    press.publish("/open x | The X incident").await;
    let path = format!("/channels/{channel}/messages");
    press
        .discord
        .until(PATIENCE, "a try", |it| it.calls().iter().any(|call| call.1.starts_with(&path)).then_some(()))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let given = std::time::Instant::now();
    press.discord.bot_may_and_hears(channel, may::USUAL);
    press.all_on_discord(&[channel], "x#1 r").await;
    assert!(given.elapsed() < Duration::from_secs(8), "after {:?}", given.elapsed());
    press.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_reaches_an_archived_thread_and_skips_a_locked_one() {
    let mut press = Press::new(&super::news::fast()).await;
    let parent = press.discord.text_channel(press.discord.guild("Crew"), "news");
    let (open, locked) = (press.discord.thread(parent, "open"), press.discord.thread(parent, "locked"));
    let follow = |thread: Id| (format!("discord:{thread}"), PlaceKind::Topic, super::news::everything());
    press.follow(&[follow(open), follow(locked)]);
    press.start().await;
    press.publish("/open x | The X incident").await;
    press.all_on_discord(&[open, locked], "x#1 r").await;
    says(&press.record_at_the_terminal("/event x 2023-12-20 | It began"), &["Recorded as x#2"]);
    press.all_on_discord(&[open, locked], "x#2 r").await;
    press.discord.archives(open, true, false);
    press.discord.archives(locked, true, true);
    says(&press.record_at_the_terminal("/correct x#2 | It began early | a slip"), &["Recorded as x#3"]);
    press
        .discord
        .until(PATIENCE, "the correction", |it| {
            it.messages(open).iter().any(|it| it.edited && it.text.contains("It began early")).then_some(())
        })
        .await;
    let path = format!("/channels/{locked}");
    let tried = |it: &Discord| it.calls().iter().any(|call| call.0 == "PATCH" && call.1 == path).then_some(());
    press.discord.until(PATIENCE, "a try in the locked thread", tried).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    press.discord.archives(locked, false, false);
    says(&press.record_at_the_terminal("/event x 2023-12-21 | More happened"), &["Recorded as x#4"]);
    press.all_on_discord(&[open, locked], "x#4 r").await;
    let skipped = press.discord.messages(locked).iter().all(|it| !it.text.contains("It began early"));
    assert!(skipped, "only that change is skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_told_as_json_stops_us_and_owners_hear_of_it_once() {
    let mut press = Press::new(&super::news::fast()).await;
    let guild = press.discord.guild("Crew");
    let channels: Vec<Id> = (0..200).map(|n| press.discord.text_channel(guild, &format!("c{n}"))).collect();
    press.follow(&channels.iter().map(|channel| super::news::on_discord(*channel)).collect::<Vec<_>>());
    press.start().await;
    press.discord.fault("POST /channels/", 500, Fault::Blocked);
    press.publish("/open x | The X incident").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let asked = press.discord.calls().iter().filter(|call| call.0 == "POST" && call.1.ends_with("/messages")).count();
    assert!(asked <= 60, "{asked} requests although we are blocked");
    let told = press.telegram.messages(press.owner).into_iter().filter(|it| it.text.contains("shut me out")).count();
    assert_eq!(told, 1, "the owner is told once, where that is possible");
    let about = super::on_telegram::answer(&press.telegram, press.owner, super::news::OWNER, "/about").await.text;
    says(&about, &["Discord: cannot be reached"]);
}

/// A patience by which a test need not wait for minutes.
fn hasty() -> Patience {
    let [ms20, ms50, ms300, second] = [20, 50, 300, 1_000].map(Duration::from_millis);
    let identify = IdentifyPauses { between: ms20, first: ms50, longest: ms300, lasted: second };
    Patience {
        look: ms50,
        outage: ms300,
        silence: second,
        token: ms300,
        endpoint: (ms300, ms300),
        identify,
        ..patience()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_sessions_are_begun_than_discord_allows_and_it_goes_on_afterwards() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let ann = discord.user("ann", "en-US", may::USUAL);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    discord.rules(|rules| {
        (rules.sessions, rules.identifies, rules.identifies_reset) = (false, 20, Duration::from_secs(6));
    });
    let token = discord.token();
    let bot = Bot::open(&town, &discord, hasty());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let times = discord.identifies();
    assert!((8..=20).contains(&times), "{times} of 20");
    assert_eq!(discord.token(), token, "it would be reset");
    discord.rules(|rules| rules.sessions = true);
    bot.sign(Sign::Serving).await;
    says(&asks(&discord, channel, ann).await, &["Strillone"]);
    assert_eq!(discord.token(), token);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_do_not_spend_the_sessions_of_a_day() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    discord.rules(|rules| rules.identifies = 8);
    let token = discord.token();
    for _ in 0..10 {
        let bot = Bot::open(&town, &discord, hasty());
        // A start waits for a second until it asks anything.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        bot.stop().await;
    }
    assert!((3..=5).contains(&discord.identifies()), "{} of 8", discord.identifies());
    assert_eq!(discord.token(), token);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_refused_at_the_first_contact_is_asked_for_again() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    for status in [401, 404] {
        let mut bell = town.desk.signs().listen();
        discord.fault("GET /applications/@me", 1_000, Fault::Refused(status, 0, "no"));
        discord.fault("GET /users/@me", 1_000, Fault::Refused(status, 0, "no"));
        let bot = Bot::open(&town, &discord, Patience { token: Duration::from_secs(5), ..hasty() });
        bot.sign(Sign::TokenRefused).await;
        assert!(bell.try_recv().is_err(), "not at once");
        says(&bell.recv().await.unwrap().words.en, &["refuses my token"]);
        assert!(bot.serves() && discord.identifies() == 0, "nobody identifies with a refused token");
        discord.heal();
        bot.sign(Sign::Serving).await;
        says(&bell.recv().await.unwrap().words.en, &["takes my token again"]);
        assert!(bell.try_recv().is_err(), "once each");
        bot.stop().await;
        discord.forgets_identifies();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_delivery_is_sent_again_and_a_stop_ends_a_refused_bot() {
    let mut press = Press::new(&super::news::fast()).await;
    let channel = press.discord.text_channel(press.discord.guild("Crew"), "news");
    press.follow(&[super::news::on_discord(channel)]);
    press.start().await;
    press.discord.fault("POST /channels/", 1, Fault::Refused(401, 0, "401: Unauthorized"));
    press.publish("/open x | The X incident").await;
    press.all_on_discord(&[channel], "x#1 r").await;
    let (town, discord) = (Town::westpole(), Discord::start().await);
    discord.revoke_token();
    discord.fault("GET /users/@me", 9, Fault::Refused(401, 0, "401: Unauthorized"));
    discord.fault("GET /applications/@me", 9, Fault::Refused(401, 0, "401: Unauthorized"));
    let bot = Bot::open(&town, &discord, hasty());
    bot.sign(Sign::TokenRefused).await;
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_is_unreachable_while_either_half_is_and_back_with_both() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let bot = Bot::open(&town, &discord, hasty());
    bot.sign(Sign::Serving).await;
    let ann = discord.user("ann", "en-US", may::USUAL);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    discord.until(PATIENCE, "commands are registered", |it| (!it.commands().is_empty()).then_some(())).await;
    for fault in [Fault::Down(503), Fault::Lost] {
        discord.fault(" /", 1_000, fault);
        discord.slash(channel, ann, "about", &[]);
        bot.sign(Sign::Unreachable).await;
        discord.heal();
        bot.sign(Sign::Serving).await;
    }
    discord.rules(|rules| rules.gateway_up = false);
    discord.drop_connection();
    bot.sign(Sign::Unreachable).await;
    let before = discord.identifies();
    tokio::time::sleep(Duration::from_secs(3)).await;
    discord.rules(|rules| rules.gateway_up = true);
    let since = std::time::Instant::now();
    bot.sign(Sign::Serving).await;
    assert!(since.elapsed() < Duration::from_millis(5_500), "{:?}", since.elapsed());
    assert_eq!(discord.identifies(), before, "the session is resumed");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_cleared_is_noticed_and_owners_are_told_once() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    discord.rules(|rules| rules.endpoint = Some("https://elsewhere.example/interactions"));
    let mut bell = town.desk.signs().listen();
    let bot = Bot::open(&town, &discord, hasty());
    bot.sign(Sign::InteractionsElsewhere).await;
    says(&bell.recv().await.unwrap().words.it, &["Interactions Endpoint URL", "developer portal"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    discord.rules(|rules| rules.endpoint = None);
    bot.sign(Sign::Serving).await;
    assert!(bell.try_recv().is_err());
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_on_a_message_with_unknown_parts_is_answered() {
    let Scene { discord, channel, ann, bot, .. } = scene().await;
    let page = discord.answer(discord.slash(channel, ann, "timeline", &[("incident", "westpole")]), PATIENCE).await;
    let press = discord.presses_strange(page.id, "➡️", ann);
    says(&discord.answer(press, PATIENCE).await.text, &["9–16 of 18"]);
    let unread = discord.garbled_slash(channel, discord.user("ugo", "it", may::USUAL), "about");
    says(&discord.answer(unread, PATIENCE).await.text, &["Scusa"]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_come_back_by_a_role_or_an_end_of_an_outage_are_heard() {
    let mut press = Press::new(&super::news::fast()).await;
    let guild = press.discord.guild("Crew");
    let channel = press.discord.text_channel(guild, "news");
    press.follow_in(guild, &[super::news::on_discord(channel)]);
    press.start().await;
    type Gives = fn(&Discord, Id);
    let ways: [Gives; 3] = [Discord::role_changes, Discord::member_changes, |discord, guild| {
        discord.outage(guild, true);
        discord.outage(guild, false);
    }];
    let tries = |it: &Discord| it.calls().iter().filter(|call| call.1.ends_with("/messages")).count();
    press.publish("/open x | The X incident").await;
    press.all_on_discord(&[channel], "x#1 r").await;
    for (n, gives) in ways.into_iter().enumerate() {
        press.discord.bot_may(channel, may::VIEW);
        let before = tries(&press.discord);
        press.record_at_the_terminal(&format!("/event x 2023-12-2{n} | Something happened"));
        press.discord.until(PATIENCE, "a refusal", |it| (tries(it) > before).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        press.discord.bot_may(channel, may::USUAL);
        let given = std::time::Instant::now();
        gives(&press.discord, guild);
        press.all_on_discord(&[channel], &format!("x#{} r", n + 2)).await;
        assert!(given.elapsed() < Duration::from_secs(10), "{n}: after {:?}", given.elapsed());
    }
}
