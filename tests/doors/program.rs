//! The running program itself at both doors: killed between question and button; and its figures, which are printed,
//! never asserted, and only when asked for:
//!
//! `STRILLONE_MEASURE=1 cargo test --release --test all measure -- --nocapture`

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    PATIENCE,
    discord::{Discord, may},
    telegram::Telegram,
};
use crate::town::says;

#[tokio::test(flavor = "multi_thread")]
async fn measure_the_program_with_both_doors() {
    if std::env::var_os("STRILLONE_MEASURE").is_none() {
        println!("skipped: STRILLONE_MEASURE is not set");
        return;
    }
    let (telegram, discord) = (Telegram::start().await, Discord::start().await);
    let dir = tempfile::tempdir().unwrap();
    let mut bot = program(dir.path(), &telegram, &discord).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let memory = resident(bot.id());
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-GB", may::USUAL);
    let (mut on_telegram, mut on_discord) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let chat = telegram.private(1_000 + number, "Ann", "en");
        let start = Instant::now();
        telegram.says(chat, 1_000 + number, "/timeline westpole");
        telegram.wait_for(chat, 1, PATIENCE).await;
        on_telegram.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    for _ in 0..25 {
        let start = Instant::now();
        let interaction = discord.slash(channel, ann, "timeline", &[("incident", "westpole")]);
        discord.answer(interaction, PATIENCE).await;
        on_discord.push(start.elapsed());
    }
    bot.kill().unwrap();
    bot.wait().unwrap();
    println!("| binary | {} bytes |", fs::metadata(env!("CARGO_BIN_EXE_strillone")).unwrap().len());
    println!("| idle memory, both doors connected | {memory} kB |");
    println!("| update to answer, Telegram, p50 and p99 | {} |", percentiles(on_telegram));
    println!("| interaction to answer, Discord, p50 and p99 | {} |", percentiles(on_discord));
}

/// The program itself, at both doors; back once it can be asked on both.
async fn program(dir: &Path, telegram: &Telegram, discord: &Discord) -> Child {
    let (url, token) = (telegram.url(), discord.token());
    assert!([url.as_str(), discord.url()].iter().all(|url| url.starts_with("http://127.0.0.1:")));
    let before = discord.identifies();
    let bot = Command::new(env!("CARGO_BIN_EXE_strillone"))
        .env_clear()
        .env("STRILLONE_WEB__LISTEN", "")
        .env("STRILLONE_TELEGRAM__TOKEN", telegram.token())
        .env("STRILLONE_TELEGRAM__API_URL", url)
        .env("STRILLONE_DISCORD__TOKEN", token)
        .env("STRILLONE_DISCORD__API_URL", discord.url())
        .args(["--data".as_ref(), dir.as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    discord.until(PATIENCE, "the gateway", |it| (it.identifies() > before).then_some(())).await;
    discord.connected(PATIENCE).await;
    discord.until(PATIENCE, "commands", |it| (!it.commands().is_empty()).then_some(())).await;
    bot
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_question_and_button_the_program_still_turns_the_page() {
    let (telegram, discord) = (Telegram::start().await, Discord::start().await);
    let dir = tempfile::tempdir().unwrap();
    let mut bot = program(dir.path(), &telegram, &discord).await;
    let (chat, channel) = (telegram.private(5, "Ann", "it"), discord.text_channel(discord.guild("Crew"), "news"));
    let ann = discord.user("ann", "it", may::USUAL);
    telegram.says(chat, 5, "/timeline westpole");
    let on_telegram = telegram.wait_for(chat, 1, PATIENCE).await.remove(0);
    let interaction = discord.slash(channel, ann, "timeline", &[("incident", "westpole")]);
    let on_discord = discord.answer(interaction, PATIENCE).await;
    bot.kill().unwrap();
    bot.wait().unwrap();
    let mut bot = program(dir.path(), &telegram, &discord).await;
    let query = telegram.presses(&on_telegram, "➡️", 5);
    telegram.wait_answer(&query, PATIENCE).await;
    telegram
        .until("page 2 in Telegram", PATIENCE, |it| {
            it.messages(chat).iter().any(|it| it.text.contains("9–16 di 18")).then_some(())
        })
        .await;
    let press = discord.presses(on_discord.id, "➡️", ann);
    says(&discord.answer(press, PATIENCE).await.text, &["9–16 di 18"]);
    bot.kill().unwrap();
    bot.wait().unwrap();
}

fn percentiles(mut took: Vec<Duration>) -> String {
    took.sort();
    format!("{:.1?} {:.1?}", took[took.len() / 2], took[took.len() - 1 - took.len() / 100])
}

fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or_default()
}
