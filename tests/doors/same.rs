//! One record, every door: the same question gives the same facts in the same order.

use record::lang::Lang;
use strillone::{config::Platform, signs::Sign};

use super::{
    PATIENCE,
    discord::{Discord, may},
    on_discord, on_telegram,
    telegram::Telegram,
};
use crate::town::{Town, ask, says};

/// The facts in an answer, in their order: entries by their names, citations, standings and states of the words given.
fn facts(text: &str) -> Vec<String> {
    let text = text.replace('\\', "");
    let shown = text.split("\nSources\n").next().unwrap().split("\nFonti\n").next().unwrap();
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, _) in shown.match_indices("westpole#") {
        let digits: String = shown[at + 9..].chars().take_while(char::is_ascii_digit).collect();
        found.push((at, format!("#{digits}")));
    }
    for (at, _) in shown.match_indices('[') {
        let inner: String = shown[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        if !inner.is_empty() && shown[at + 1 + inner.len()..].starts_with(']') {
            found.push((at, format!("[{inner}]")));
        }
    }
    let words = [
        "denied",
        "confirmed",
        "disputed",
        "reported",
        "smentito",
        "controverso",
        "riferito",
        "LockBit",
        "540",
        "1,500",
        "1500",
    ];
    for word in words {
        found.extend(shown.match_indices(word).map(|(at, _)| (at, word.to_owned())));
    }
    found.sort();
    found.into_iter().map(|(_, fact)| fact).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_gives_the_same_facts_on_every_door() {
    let (town, telegram, discord) = (Town::westpole(), Telegram::start().await, Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let people = [(Lang::En, "en", "en-GB"), (Lang::It, "it", "it")].map(|(lang, tongue, locale)| {
        let number = 5 + lang as i64;
        (lang, telegram.private(number, tongue, tongue), number, discord.user(tongue, locale, may::USUAL))
    });
    let at_telegram = on_telegram::Bot::start(&town, &telegram);
    let at_discord = on_discord::Bot::start(&town, &discord).await;
    let questions: &[(&str, &[(&str, &str)])] = &[
        ("timeline", &[("incident", "westpole")]),
        ("timeline", &[("incident", "westpole"), ("page", "3")]),
        ("timeline", &[("incident", "westpole"), ("as_of", "2023-12-14")]),
        ("latest", &[("incident", "westpole")]),
        ("sources", &[("incident", "westpole")]),
        ("incident", &[("incident", "westpole")]),
        ("incidents", &[]),
        ("search", &[("words", "customers")]),
        ("claims", &[("incident", "westpole")]),
        ("who", &[("organisation", "westpole")]),
        ("start", &[("handle", "westpole")]),
    ];
    for (command, given) in questions {
        let line = given.iter().fold(format!("/{command}"), |line, (name, value)| format!("{line} {name}:{value}"));
        for (lang, chat, number, user) in people {
            let here = facts(&ask(&mut town.reader(lang), lang, &line));
            let before = telegram.messages(chat).len();
            telegram.says(chat, number, &line);
            let what = format!("the facts of {line} in Telegram");
            telegram
                .until(&what, PATIENCE, |it| {
                    let text: Vec<String> =
                        it.messages(chat)[before..].iter().map(|message| message.text.clone()).collect();
                    (facts(&text.join("\n")) == here).then_some(())
                })
                .await;
            let interaction = discord.slash(channel, user, command, given);
            let there = facts(&discord.answer(interaction, PATIENCE).await.text);
            assert_eq!(there, here, "{line} in {lang} on Discord");
            assert!(!here.is_empty() || *command == "incidents", "{line} has no facts to compare");
        }
    }
    at_telegram.stop().await;
    at_discord.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_revoked_on_one_platform_leaves_the_other_at_work_and_tells_the_owners_there() {
    let town = Town::set(&[("STRILLONE_MODERATION__OWNERS", "[\"telegram:5\"]")]);
    let (telegram, discord) = (Telegram::start().await, Discord::start().await);
    let owner = telegram.private(5, "Olga", "en");
    let at_telegram = on_telegram::Bot::start(&town, &telegram);
    let _at_discord = on_discord::Bot::start(&town, &discord).await;
    // The gateway may be connected a moment before the sign says so.
    let serves = || town.desk.signs().get(Platform::Discord) == Sign::Serving;
    discord.until(PATIENCE, "the sign", |_| serves().then_some(())).await;
    telegram.says(owner, 5, "/about");
    says(&telegram.wait_for(owner, 1, PATIENCE).await[0].text, &["Telegram: on, answering", "Discord: on, answering"]);
    discord.revoke_token();
    let told = telegram.wait_for(owner, 2, PATIENCE * 2).await.pop().unwrap();
    says(&told.text, &["Discord", "token"]);
    telegram.says(owner, 5, "/about");
    says(
        &telegram.wait_for(owner, 3, PATIENCE).await[2].text,
        &["Telegram: on, answering", "Discord: the platform refuses the token"],
    );
    at_telegram.stop().await;
}
