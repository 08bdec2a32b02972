//! Discord's bad moments.

use std::time::Duration;

use record::channel::PlaceKind;
use strillone::{config::Platform, signs::Sign};

use super::{
    PATIENCE,
    discord::{Discord, Fault, Id, may},
    news::Press,
    on_discord::{Bot, sound},
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
}
