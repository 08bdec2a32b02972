//! What Telegram's readers ask is kept through kills and full disks, and leaves room for those who keep the record.

use std::time::{Duration, Instant};

use strillone::signs::Sign;

use super::{
    PATIENCE,
    news::{OWNER, Press},
    on_telegram::{Bot, answer},
    telegram::{Fault, Telegram},
};
use crate::town::{Town, says};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_before_a_kill_is_recorded_once_and_answered() {
    let mut press = Press::new(&super::news::fast()).await;
    press.start().await;
    let owner = press.owner;
    press.publish("/open harbour | Harbour outage").await;
    let before = press.telegram.messages(owner).len();
    press.telegram.says(owner, OWNER, "/event harbour 2024-01-01 | The harbour is dark.");
    let preview = press.telegram.wait_for(owner, before + 1, PATIENCE).await.pop().unwrap();
    // The press is carried out, and its answer never gets through.
    press.telegram.fault("answerCallbackQuery", 1, Fault::CutBefore);
    press.telegram.fault("editMessageText", 100, Fault::Refuse(502, "Bad Gateway"));
    let label = preview.buttons[0][0].0.clone();
    press.telegram.presses(&preview, &label, OWNER);
    let tried = |it: &Telegram| it.calls().iter().any(|it| it.method == "editMessageText").then_some(());
    press.telegram.until("an answer is tried", PATIENCE, tried).await;
    press.kill();
    press.telegram.ends_faults();
    press.start().await;
    press
        .telegram
        .until("the answer", PATIENCE, |it| {
            it.messages(owner).iter().any(|it| it.id == preview.id && it.text.contains("Recorded as")).then_some(())
        })
        .await;
    let timeline = press.tool(&["console"], "/timeline harbour\n");
    assert_eq!(timeline.matches("The harbour is dark.").count(), 1, "{timeline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_disk_takes_nothing_updates_are_confirmed_once_they_are_handled() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    std::fs::write(town.store().dir().join("inbox-telegram"), "in the way").unwrap();
    let (ann, bob) = (telegram.private(5, "Ann", "en"), telegram.private(6, "Bob", "en"));
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    telegram.fault("sendMessage", 1, Fault::Slow(Duration::from_secs(600)));
    telegram.says(ann, 5, "/about");
    telegram.wait_for(ann, 1, PATIENCE).await;
    says(&answer(&telegram, bob, 6, "/about").await.text, &["Strillone"]);
    assert!(telegram.unconfirmed() >= 1, "Telegram keeps what is not handled");
    assert_eq!(telegram.hasty(), 0);
    drop(bot);
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(ann, 2, PATIENCE).await[1].text, &["Strillone"]);
    bot.stop().await;
    assert_eq!(telegram.unconfirmed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_the_record_is_answered_while_a_group_is_full_of_questions() {
    let mut press = Press::new(&[]).await;
    press.telegram.rules(|rules| rules.limits_enforced = true);
    let group = press.telegram.supergroup("Crew");
    press.telegram.user(5, "Ann", "en");
    press.start().await;
    for number in 0..30 {
        press.telegram.says(group, 5, &format!("/search word{number}"));
    }
    press.telegram.wait_for(group, 1, PATIENCE).await;
    let began = Instant::now();
    press.telegram.says(group, OWNER, "/about");
    press
        .telegram
        .until("the owner's answer", PATIENCE, |it| {
            it.messages(group).iter().any(|it| it.text.contains("Discord:")).then_some(())
        })
        .await;
    assert!(began.elapsed() < Duration::from_secs(9), "the owner waited for {:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(25)).await;
    let texts: Vec<String> = press.telegram.messages(group).into_iter().map(|it| it.text).collect();
    let words = texts.iter().filter(|it| it.contains("too many questions")).count();
    assert_eq!(words, 1, "one short word, then silence: {texts:#?}");
    assert!(texts.len() < 10, "{texts:#?}");
    let limited = press.telegram.calls().iter().filter(|it| it.status == 429).count();
    assert_eq!(limited, 0, "no answer comes too early");
}
