//! Telegram's bad moments, and updates that are stored before they are confirmed.

use std::{path::PathBuf, time::Duration};

use strillone::{config::Platform, signs::Sign};

use super::{
    PATIENCE,
    on_telegram::{Bot, answer, sound},
    telegram::{Fault, Telegram},
};
use crate::town::{Town, says};

/// The text of every file in the inbox.
fn inbox(town: &Town) -> String {
    let dir = town.store().dir().join("inbox-telegram");
    let files: Vec<PathBuf> =
        std::fs::read_dir(dir).map(|all| all.map(|it| it.unwrap().path()).collect()).unwrap_or_default();
    files.into_iter().filter_map(|it| std::fs::read_to_string(it).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_a_state_and_is_asked_for_again() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.rules(|rules| rules.token_revoked = true);
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::TokenRefused).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = |method: &str| telegram.calls().iter().filter(|call| call.method == method).count();
    assert!((2..=6).contains(&asked("getMe")), "{} times, and every 0.3 s here", asked("getMe"));
    assert_eq!(asked("getUpdates"), 0);
    telegram.says(ann, 5, "/about");
    telegram.rules(|rules| rules.token_revoked = false);
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["Strillone"]);
    let mut bell = town.desk.signs().listen();
    telegram.rules(|rules| rules.token_revoked = true);
    bot.sign(Sign::TokenRefused).await;
    assert_eq!(bell.recv().await.unwrap().about, Some(Platform::Telegram), "the owners elsewhere hear of it");
    telegram.says(ann, 5, "/incidents");
    telegram.rules(|rules| rules.token_revoked = false);
    says(&telegram.wait_for(ann, 2, PATIENCE).await[1].text, &["westpole"]);
    bot.sign(Sign::Serving).await;
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_of_the_token_costs_nothing() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    for (method, code) in [("sendMessage", 401), ("sendMessage", 404), ("getUpdates", 401), ("getUpdates", 404)] {
        telegram.fault(method, 1, Fault::Refuse(code, ""));
        says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
        assert_eq!(town.desk.signs().get(Platform::Telegram), Sign::Serving, "after one {code} of {method}");
    }
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_of_the_token_at_the_start_is_a_moment() {
    for code in [401, 404] {
        let (town, telegram) = (Town::westpole(), Telegram::start().await);
        telegram.fault("getMe", 1, Fault::Refuse(code, ""));
        let bot = Bot::with_patience(&town, &telegram, telegram.token(), Duration::from_secs(600));
        bot.sign(Sign::Serving).await;
        bot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_another_program_left_is_removed_and_its_updates_are_kept() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.sets_webhook("https://old.example/hook");
    telegram.says(ann, 5, "/about");
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["Strillone"]);
    assert_eq!(telegram.webhook(), "");
    let mut bell = town.desk.signs().listen();
    telegram.sets_webhook("https://other.example/hook");
    telegram.says(ann, 5, "/incidents");
    says(&telegram.wait_for(ann, 2, PATIENCE * 2).await[1].text, &["westpole"]);
    says(&bell.recv().await.unwrap().words.en, &["webhook"]);
    let removed = telegram.calls().iter().filter(|call| call.method == "deleteWebhook").count();
    assert_eq!(removed, 2, "at the start, and when it came back");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_stored_before_they_are_confirmed_and_forgotten_when_handled() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    // Its answer hangs, so it waits, stored and confirmed.
    telegram.fault("sendMessage", 1, Fault::Slow(Duration::from_secs(60)));
    telegram.says(ann, 5, "/about");
    telegram.wait_for(ann, 1, PATIENCE).await;
    telegram
        .until("the update is confirmed", PATIENCE, |it| {
            (it.unconfirmed() == 0 && inbox(&town).contains("/about")).then_some(())
        })
        .await;
    drop(bot);
    let before = telegram.messages(ann).len();
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(ann, before + 1, PATIENCE).await[before].text, &["Strillone"]);
    let since = std::time::Instant::now();
    while inbox(&town).contains("/about") {
        assert!(since.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bot.stop().await;
    assert_eq!(inbox(&town), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_slow_chat_slows_nobody_and_there_is_always_one_long_poll() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (ann, bob) = (telegram.private(5, "Ann", "en"), telegram.private(6, "Bob", "en"));
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    telegram.fault("sendMessage", 1, Fault::Slow(Duration::from_secs(8)));
    telegram.says(ann, 5, "/about");
    telegram.wait_for(ann, 1, PATIENCE).await;
    let began = std::time::Instant::now();
    for line in ["/about", "/incidents", "/privacy"] {
        answer(&telegram, bob, 6, line).await;
    }
    assert!(began.elapsed() < Duration::from_secs(6), "Bob waited for Ann");
    assert_eq!(telegram.hasty(), 0, "the same offset is never asked for at once");
    let polls = telegram.calls().into_iter().filter(|call| call.method == "getUpdates");
    assert!(polls.into_iter().all(|call| call.params["timeout"] == 25), "every poll is a long one");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_equal_questions_after_an_outage_are_one_answer_and_old_ones_one_short_word() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (fresh, stale) = (telegram.group("Fresh"), telegram.group("Stale"));
    telegram.user(5, "Ann", "en");
    for _ in 0..40 {
        telegram.says(fresh, 5, "/timeline westpole");
        let text = serde_json::json!({ "text": "/timeline westpole", "date": chrono::Utc::now().timestamp() - 300 });
        telegram.sends(stale, 5, text);
    }
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(fresh, 1, PATIENCE).await[0].text, &["Westpole"]);
    assert_eq!(telegram.wait_for(stale, 1, PATIENCE).await[0].text, "I was away: please ask again.");
    // What sets something is done however old it is.
    let old = chrono::Utc::now().timestamp() - 300;
    let ann = telegram.private(5, "Ann", "en");
    telegram.sends(ann, 5, serde_json::json!({ "text": "/lang it", "date": old }));
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["italiano"]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((telegram.messages(fresh).len(), telegram.messages(stale).len()), (1, 1));
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_old_a_question_is_goes_by_telegrams_clock_and_not_by_ours_or_a_proxys() {
    for ahead in [-300, 300] {
        let (town, telegram) = (Town::westpole(), Telegram::start().await);
        telegram.rules(|rules| rules.ahead = ahead);
        let (ann, bob) = (telegram.private(5, "Ann", "en"), telegram.private(6, "Bob", "en"));
        let bot = Bot::start(&town, &telegram);
        says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
        let old = chrono::Utc::now().timestamp() + ahead - 120;
        telegram.sends(bob, 6, serde_json::json!({ "text": "/about", "date": old }));
        assert_eq!(telegram.wait_for(bob, 1, PATIENCE).await[0].text, "I was away: please ask again.");
        telegram.fault("sendMessage", 1, Fault::Html(502));
        says(&answer(&telegram, ann, 5, "/privacy").await.text, &["keep"]);
        says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
        bot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_goes_on_within_seconds_after_an_outage() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.fault("getUpdates", 5, Fault::CutBefore);
    telegram.says(ann, 5, "/about");
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(ann, 1, Duration::from_secs(60)).await[0].text, &["Strillone"]);
    let polls: Vec<_> = telegram.calls().into_iter().filter(|call| call.method == "getUpdates").collect();
    assert!(polls.len() > 5, "five were cut off");
    let longest = polls.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    assert!(longest < Duration::from_secs(7), "a pause of {longest:?}");
    bot.stop().await;
}
