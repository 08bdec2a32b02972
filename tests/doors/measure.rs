//! Figures of the running program with both doors connected: printed, never asserted, and only when asked for.
//!
//! `STRILLONE_MEASURE=1 cargo test --release --test all measure -- --nocapture`

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    PATIENCE,
    discord::{Discord, may},
    telegram::Telegram,
};

#[tokio::test(flavor = "multi_thread")]
async fn measure_the_program_with_both_doors() {
    if std::env::var_os("STRILLONE_MEASURE").is_none() {
        println!("skipped: STRILLONE_MEASURE is not set");
        return;
    }
    let (telegram, discord) = (Telegram::start().await, Discord::start().await);
    let dir = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_strillone");
    let mut bot = Command::new(binary)
        .env_clear()
        .env("STRILLONE_WEB__LISTEN", "")
        .env("STRILLONE_TELEGRAM__TOKEN", telegram.token())
        .env("STRILLONE_TELEGRAM__API_URL", telegram.url())
        .env("STRILLONE_DISCORD__TOKEN", discord.token())
        .env("STRILLONE_DISCORD__API_URL", discord.url())
        .args(["--data".as_ref(), dir.path().as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    discord.connected(PATIENCE).await;
    discord.until(PATIENCE, "commands", |it| (!it.commands().is_empty()).then_some(())).await;
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
    println!("| binary | {} bytes |", fs::metadata(binary).unwrap().len());
    println!("| idle memory, both doors connected | {memory} kB |");
    println!("| update to answer, Telegram, p50 and p99 | {} |", percentiles(on_telegram));
    println!("| interaction to answer, Discord, p50 and p99 | {} |", percentiles(on_discord));
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
