//! Every answer arrives whole, however much there is to say: one message, whose buttons lead to the rest.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    PATIENCE,
    discord::{Discord, Fault as Mishap, Id, may},
    on_discord, on_telegram,
    telegram::{Chat, Fault, Message, Telegram},
};
use crate::town::{Town, says, silent_on};

const FREELY: &[(&str, &str)] = &[("STRILLONE_COMMANDS__BURST", "10000")];

/// An incident of 30 sources with archived copies, 15 organisations, 24 events, 12 figures and 10 claims, each citing three
/// sources, with addresses of so many bytes.
fn large(length: usize) -> String {
    let mut text = String::from(
        "[[incident]]\nhandle = \"large\"\ntitle = { en = \"A large one\" }\nsummary = { en = \"What happened.\" }\nzone = \"Europe/Rome\"\n",
    );
    let link = |of: &str, n: usize| format!("{:x<length$}", format!("https://{of}.example/{n:02}/"));
    let cited = |n: usize| format!("[\"s{:02}\", \"s{:02}\", \"s{:02}\"]", n % 30, (n + 7) % 30, (n + 19) % 30);
    for n in 0..30 {
        let (at, kept) = (link("paper", n), link("archive", n));
        writeln!(text, "[[incident.source]]\nkey = \"s{n:02}\"\nkind = \"press\"\npublisher = \"Paper{n:02}\"\nlink = \"{at}\"\narchived = \"{kept}\"").unwrap();
    }
    for n in 0..15 {
        writeln!(text, "[[incident.organisation]]\nhandle = \"org{n:02}\"\nname = \"Body{n:02} S.p.A.\"\nroles = [\"victim\"]\nsources = {}", cited(n)).unwrap();
    }
    for n in 0..24 {
        writeln!(text, "[[incident.event]]\nkey = \"e{n:02}\"\nwhen = \"2023-12-{:02}\"\ntext = {{ en = \"Event{n:02} took place, and many saw it.\" }}\nsources = {}", n + 1, cited(n)).unwrap();
    }
    for n in 0..12 {
        writeln!(text, "[[incident.figure]]\nkey = \"f{n:02}\"\nlabel = {{ en = \"Figure{n:02}\" }}\nvalue = {{ en = \"1.500\" }}\nsources = {}", cited(n)).unwrap();
    }
    for n in 0..10 {
        writeln!(text, "[[incident.claim]]\nkey = \"c{n:02}\"\ntext = {{ en = \"Claim{n:02} is made.\" }}").unwrap();
        writeln!(text, "[[incident.statement]]\nkey = \"t{n:02}\"\nspeaker = \"org{n:02}\"\ncapacity = \"victim\"\ndate = \"2023-11-{:02}\"\ngist = {{ en = \"Gist{n:02} was said.\" }}\nfor = [\"c{n:02}\"]\nsources = {}", n + 1, cited(n)).unwrap();
    }
    text
}

/// What is asked, and what must be on exactly one page of the answer.
const ASKED: &[(&str, &[(&str, usize)])] = &[
    ("timeline", &[("Event", 24), ("Gist", 10)]),
    ("latest", &[("Gist", 10)]),
    ("sources", &[("Paper", 30)]),
    ("incident", &[("Body", 15), ("Figure", 12), ("Claim", 10)]),
    ("claims", &[("Claim", 10)]),
];

/// Each thing is on exactly one of the pages.
fn each_once(command: &str, pages: &[String], things: &[(&str, usize)]) {
    for (name, count) in things {
        for n in 0..*count {
            let thing = format!("{name}{n:02}");
            let on = pages.iter().filter(|page| page.lines().any(|line| is_about(line, &thing))).count();
            assert_eq!(on, 1, "/{command}: {thing} on {on} of {} pages", pages.len());
        }
    }
}

fn is_about(line: &str, thing: &str) -> bool {
    let line = line.replace(['*', '\\', '\u{2060}'], "");
    line.starts_with(thing)
        || [format!(": {thing}"), format!(") {thing}"), format!("] {thing}")].iter().any(|it| line.contains(it))
}

/// Walks all pages of an answer by its buttons.
async fn walk(telegram: &Telegram, chat: Chat, line: &str) -> Vec<Message> {
    let mut now = on_telegram::answer(telegram, chat, 5, line).await;
    let mut pages = vec![now.clone()];
    while now.buttons.iter().flatten().any(|(label, _)| label == "➡️") {
        let query = telegram.presses(&now, "➡️", 5);
        telegram.wait_answer(&query, PATIENCE).await;
        let (id, edits) = (now.id, now.edits);
        let turned = |it: &Telegram| it.messages(chat).into_iter().find(|it| it.id == id && it.edits > edits);
        now = telegram.until("the next page", PATIENCE, turned).await;
        pages.push(now.clone());
        assert!(pages.len() < 200, "a walk without an end");
    }
    pages
}

async fn whole_on_telegram(length: usize) {
    let town = Town::set(FREELY);
    town.import(&large(length));
    let telegram = Telegram::start().await;
    let ann = telegram.private(5, "Ann", "en");
    let bot = on_telegram::Bot::start(&town, &telegram);
    for (command, things) in ASKED {
        let before = telegram.messages(ann).len();
        let pages = walk(&telegram, ann, &format!("/{command} large")).await;
        assert_eq!(telegram.messages(ann).len(), before + 1, "/{command}: one message");
        let texts: Vec<String> = pages.iter().map(|page| page.text.clone()).collect();
        each_once(command, &texts, things);
        let mut links = BTreeSet::new();
        for page in &pages {
            let entities = page.wire["entities"].as_array().map_or(0, Vec::len);
            assert!(entities < 100, "{entities}: some may have been dropped");
            links.extend(page.html.split("href=\"").skip(1).filter_map(|it| it.split('"').next().map(str::to_owned)));
        }
        if *command == "sources" {
            assert_eq!(links.len(), 60, "each source and each copy");
        }
    }
    let found = walk(&telegram, ann, "/search took").await;
    each_once("search", &found.iter().map(|page| page.text.clone()).collect::<Vec<_>>(), &[("Event", 24)]);
    let others = ["/history large", "/affected large", "/who org00", "/verify large", "/help", "/about", "/privacy"];
    for line in others {
        walk(&telegram, ann, line).await;
    }
    let query = telegram.inline(5, "");
    let offered = telegram.wait_answer(&query, PATIENCE).await;
    let results = offered["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 2);
    for result in results {
        let text = result["input_message_content"]["message_text"].as_str().unwrap();
        says(text, &["A large one", "in a chat with", "@strillone_bot", "large"]);
    }
    let refused: Vec<_> = telegram.calls().into_iter().filter(|call| call.status >= 400).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    bot.stop().await;
    on_telegram::sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_telegram_with_short_links() {
    whole_on_telegram(90).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_telegram_with_usual_links() {
    whole_on_telegram(140).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_telegram_with_long_links() {
    whole_on_telegram(420).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_telegram_with_the_longest_links() {
    whole_on_telegram(1_900).await;
}

async fn slash(discord: &Discord, place: Id, user: Id, command: &str, given: &[(&str, &str)]) -> Vec<String> {
    let asked = discord.slash(place, user, command, given);
    let mut now = discord.answer(asked, PATIENCE).await;
    let mut pages = vec![now.text.clone()];
    while now.rows.iter().flatten().any(|button| button.0 == "➡️") {
        let press = discord.presses(now.id, "➡️", user);
        now = discord.answer(press, PATIENCE).await;
        pages.push(now.text.clone());
        assert!(pages.len() < 200, "a walk without an end");
    }
    pages
}

async fn whole_on_discord(length: usize) {
    let town = Town::set(FREELY);
    town.import(&large(length));
    let discord = Discord::start().await;
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = on_discord::Bot::start(&town, &discord).await;
    for (command, things) in ASKED {
        let before = discord.messages(channel).len();
        let pages = slash(&discord, channel, ann, command, &[("incident", "large")]).await;
        assert_eq!(discord.messages(channel).len(), before + 1, "/{command}: one message");
        each_once(command, &pages, things);
    }
    let found = slash(&discord, channel, ann, "search", &[("words", "took")]).await;
    each_once("search", &found, &[("Event", 24)]);
    let large = ("incident", "large");
    let others: [(&str, &[(&str, &str)]); 8] = [
        ("history", &[("entry", "large#40")]),
        ("affected", &[large]),
        ("verify", &[large]),
        ("who", &[("organisation", "org00")]),
        ("incidents", &[]),
        ("help", &[]),
        ("about", &[]),
        ("privacy", &[]),
    ];
    for (command, given) in others {
        slash(&discord, channel, ann, command, given).await;
    }
    assert!(discord.statuses().iter().all(|status| *status < 400), "{:?}", discord.statuses());
    bot.stop().await;
    on_discord::sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_discord_with_short_links() {
    whole_on_discord(90).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_discord_with_usual_links() {
    whole_on_discord(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_discord_with_long_links() {
    whole_on_discord(420).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_large_incident_is_on_one_page_on_discord_with_the_longest_links() {
    whole_on_discord(1_900).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entry_longer_than_a_message_goes_on_whatever_it_is_written_in() {
    for (letter, per) in [("x", 6_000), ("🦜", 6_000), ("ש", 6_000), ("👩‍👩‍👧‍👦", 850)] {
        let text = letter.repeat(per);
        let town = Town::set(FREELY);
        town.import(&format!(
            "[[incident]]\nhandle = \"large\"\ntitle = {{ en = \"t\" }}\nzone = \"UTC\"\n[[incident.event]]\nkey = \"e\"\nwhen = \"2023-12-08\"\ntext = {{ en = \"{text}\" }}\n"
        ));
        let (telegram, discord) = (Telegram::start().await, Discord::start().await);
        let ann = telegram.private(5, "Ann", "en");
        let bot = on_telegram::Bot::start(&town, &telegram);
        let pages = walk(&telegram, ann, "/timeline large").await;
        assert!(pages.len() > 1);
        assert_eq!(pages.iter().map(|page| page.text.matches(letter).count()).sum::<usize>(), per);
        bot.stop().await;
        let channel = discord.text_channel(discord.guild("Crew"), "news");
        let ugo = discord.user("ugo", "en-US", may::USUAL);
        let bot = on_discord::Bot::start(&town, &discord).await;
        let pages = slash(&discord, channel, ugo, "timeline", &[("incident", "large")]).await;
        assert!(pages.len() > 1);
        assert_eq!(pages.iter().map(|page| page.matches(letter).count()).sum::<usize>(), per);
        bot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_telegram_does_not_take_is_said_in_plain_words_once_and_else_an_apology_is() {
    let (town, telegram) = (Town::westpole_set(FREELY), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = on_telegram::Bot::start(&town, &telegram);
    for why in [
        "Bad Request: ENTITIES_TOO_LONG",
        "Bad Request: something nobody has heard of",
        "Bad Request: BUTTON_DATA_INVALID",
    ] {
        telegram.fault("sendMessage", 1, Fault::Refuse(400, why));
        let message = on_telegram::answer(&telegram, ann, 5, "/timeline westpole").await;
        says(&message.text, &["1–8 of 18"]);
        silent_on(&message.html, &["<b>"]);
        assert_eq!(message.buttons.is_empty(), why.contains("BUTTON"));
    }
    // Where the chat is what is refused, nothing is said in other words.
    for why in ["Bad Request: CHAT_SEND_PLAIN_FORBIDDEN", "Bad Request: have no write access to the chat"] {
        let tried = |it: &Telegram| it.calls().iter().filter(|call| call.method == "sendMessage").count();
        let before = tried(&telegram);
        telegram.fault("sendMessage", 1, Fault::Refuse(400, why));
        telegram.says(ann, 5, "/timeline westpole");
        telegram.until("the try", PATIENCE, |it| (tried(it) > before).then_some(())).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(tried(&telegram), before + 1, "{why}");
    }
    telegram.fault("sendMessage", 2, Fault::Refuse(400, "Bad Request: ENTITIES_TOO_LONG"));
    let message = on_telegram::answer(&telegram, ann, 5, "/timeline westpole").await;
    says(&message.text, &["Sorry, something went wrong on my side."]);
    let query = telegram.inline(5, "west");
    telegram.wait_answer(&query, PATIENCE).await;
    telegram.fault("answerInlineQuery", 1, Fault::Refuse(400, "Bad Request: MESSAGE_TOO_LONG"));
    let query = telegram.inline(5, "west");
    let offered = telegram.wait_answer(&query, PATIENCE).await;
    assert!(offered["results"][0]["input_message_content"]["parse_mode"].is_null(), "plain words");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_recorded_calls_commands_or_links_on_telegram() {
    let town = Town::set(FREELY);
    let text = "ask @durov, run install.zip, /unsubscribe x, t.me/durov, https://evil.example/a, a.b@c.it, 10.0.0.1, tg://resolve?domain=x, 1.500 S.p.A.";
    town.import(&format!(
        "[[incident]]\nhandle = \"large\"\ntitle = {{ en = \"@durov\" }}\nzone = \"UTC\"\n[[incident.source]]\nkey = \"s\"\nkind = \"press\"\npublisher = \"@durov\"\ntitle = \"setup.zip\"\nlink = \"https://a.example/x\"\narchived = \"https://b.example/x\"\n[[incident.event]]\nkey = \"e\"\nwhen = \"2023-12-08\"\ntext = {{ en = \"{text}\" }}\nsources = [\"s\"]\n"
    ));
    let telegram = Telegram::start().await;
    let ann = telegram.private(5, "Ann", "en");
    let bot = on_telegram::Bot::start(&town, &telegram);
    let kinds = |message: &Message| {
        let entities = message.wire["entities"].as_array().cloned().unwrap_or_default();
        entities.iter().map(|it| it["type"].as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>()
    };
    let found = ["mention", "bot_command", "url", "email"];
    let marked = on_telegram::answer(&telegram, ann, 5, "/timeline large").await;
    telegram.fault("sendMessage", 1, Fault::Refuse(400, "Bad Request: can't parse entities: x"));
    let plain = on_telegram::answer(&telegram, ann, 5, "/timeline large").await;
    for message in [marked, plain] {
        says(&message.text, &["@durov", text]);
        assert!(found.iter().all(|kind| !kinds(&message).contains(*kind)), "{:?}", message.wire);
        says(message.wire["text"].as_str().unwrap(), &["1.500 S.p.A."]);
    }
    telegram.fault("sendMessage", 1, Fault::Refuse(400, "Bad Request: can't parse entities: x"));
    let sources = on_telegram::answer(&telegram, ann, 5, "/sources large").await;
    says(&sources.text, &["@durov", "setup.zip"]);
    let may = BTreeSet::from(["url".to_owned()]);
    assert!(kinds(&sources).is_subset(&may), "the source's own address alone: {:?}", sources.wire);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_does_not_take_is_said_in_plain_words_once_and_else_an_apology_is() {
    let (town, discord) = (Town::westpole_set(FREELY), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = on_discord::Bot::start(&town, &discord).await;
    let ask = async || {
        let asked = discord.slash(channel, ann, "timeline", &[("incident", "westpole")]);
        discord.answer(asked, PATIENCE).await
    };
    for (status, code) in [(400, 50_035), (400, 50_006), (400, 240_000), (413, 40_005)] {
        discord.fault("POST /interactions/", 1, Mishap::Refused(status, code, "not so"));
        let answer = ask().await;
        says(&answer.content, &["1–8 of 18"]);
        assert!(answer.raw["embeds"].as_array().is_none_or(Vec::is_empty) && !answer.rows.is_empty());
    }
    discord.fault("POST /interactions/", 2, Mishap::Refused(400, 50_035, "not so"));
    says(&ask().await.text, &["Sorry, something went wrong on my side."]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_longer_than_a_message_can_be_read_to_its_end_before_it_is_published() {
    let owners = ("STRILLONE_MODERATION__OWNERS", "[\"telegram:5\"]");
    let (town, telegram) = (Town::westpole_set(&[owners, FREELY[0]]), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = on_telegram::Bot::start(&town, &telegram);
    let text = "It was said that z happened. ".repeat(135);
    let pages = walk(&telegram, ann, &format!("/event westpole 2023-12-21 | {text}")).await;
    let said = |page: &Message| page.text.matches("that z happened").count();
    assert!(pages.len() > 2, "the card, and the draft from its start");
    says(&pages[0].text, &["This is how it will be posted.", "shows it from the start"]);
    assert_eq!(pages[1..].iter().map(said).sum::<usize>(), 135);
    let publishes = |page: &Message| page.buttons.iter().flatten().any(|(label, _)| label == "Publish");
    assert!(pages.iter().all(publishes));
    assert_eq!(telegram.messages(ann).len(), 1);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_is_read_in_a_group_by_another_member_after_a_restart() {
    let town = Town::set(FREELY);
    town.import(&large(1_900));
    let telegram = Telegram::start().await;
    let group = telegram.supergroup("Crew");
    telegram.user(5, "Ann", "en");
    telegram.user(6, "Bob", "en");
    let bot = on_telegram::Bot::start(&town, &telegram);
    let first = on_telegram::answer(&telegram, group, 5, "/incident large").await;
    says(&first.text, &["Part 1 of "]);
    bot.stop().await;
    let bot = on_telegram::Bot::start(&town, &telegram);
    let turned =
        |text: &'static str| move |it: &Telegram| it.messages(group).into_iter().find(|it| it.text.contains(text));
    let query = telegram.presses(&first, "➡️", 6);
    telegram.wait_answer(&query, PATIENCE).await;
    let second = telegram.until("the second part", PATIENCE, turned("Part 2 of ")).await;
    let query = telegram.presses(&second, "⬅️", 5);
    telegram.wait_answer(&query, PATIENCE).await;
    let back = telegram.until("the first part", PATIENCE, turned("Part 1 of ")).await;
    assert_eq!((back.id, &back.text), (first.id, &first.text), "in the place of the first");
    assert_eq!(telegram.messages(group).len(), 1);
    bot.stop().await;
    on_telegram::sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_long_leads_on_like_any_other() {
    let town = Town::set(FREELY);
    town.import(&large(420));
    let discord = Discord::start().await;
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = on_discord::Bot::start(&town, &discord).await;
    let hands = &town.desk.manners().hands;
    let busy = hands.acquire_many(u32::try_from(hands.available_permits()).unwrap()).await.unwrap();
    let asked = discord.slash(channel, ann, "timeline", &[("incident", "large")]);
    discord.until(PATIENCE, "it is told to wait", |it| (it.acknowledged(asked) == Some(5)).then_some(())).await;
    drop(busy);
    let first = discord.answer(asked, PATIENCE).await;
    says(&first.text, &["Part 1 of"]);
    let press = discord.presses(first.id, "➡️", ann);
    let second = discord.answer(press, PATIENCE).await;
    assert_eq!(second.id, first.id);
    says(&second.text, &["Part 2 of"]);
    bot.stop().await;
    on_discord::sound(&discord);
}
