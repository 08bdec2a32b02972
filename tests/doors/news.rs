//! News, end to end: the program itself at both doors, an owner who records on one of them, and hundreds of channels on
//! both; killed in the middle, and with every trouble that platforms make.
//!
//! What others' bots got wrong, and where it is shown that this one does not:
//!
//! | failure | test |
//! |---|---|
//! | one send error ends the broadcast; a move to a supergroup loses the chat; flood waits lose posts; the first 403 loses all settings | `two_thousand_chats…`, `tests/world` |
//! | a closed topic falls back to General without a word | `two_thousand_chats…` |
//! | cut inside a letter; bytes counted as characters; one long line never arrives; a formatting error swallows the message | `a_long_line…`, the renderers' own tests |
//! | subscribed, and then it may not post | `tests/following.rs`, `on_telegram`, `on_discord` |
//! | buttons die on restart | `program` |
//! | a cosmetic edit posts again, a correction never arrives, edits notify nobody | `news_reaches…`, `every_kind…`, `tests/world` |
//! | later updates are left out | `every_kind…` |
//! | the store does not open after an abrupt stop | `tests/survival.rs` |

use std::{
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use record::{
    channel::PlaceKind,
    lang::Lang,
    private::{Address, Fact},
    store::{Drafted, Set},
    subscription::{Follow, What},
};

use super::{
    discord::{Answer, Discord, Fault as Mishap, Id, may},
    specs,
    telegram::{self, Chat, Fault, Message, Telegram},
};
use crate::town::{open, says, silent_on};

/// A broadcast takes its time on two busy cores.
pub const LONG: Duration = Duration::from_secs(120);
/// Nothing else in what is kept or logged looks like it.
pub const OWNER: i64 = 7_060_504_033;

/// Both platforms, and the program between them.
pub struct Press {
    pub telegram: Telegram,
    pub discord: Discord,
    dir: tempfile::TempDir,
    bot: Option<Child>,
    settings: Vec<(&'static str, String)>,
    log: Option<std::path::PathBuf>,
    pub owner: Chat,
}

impl Drop for Press {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Press {
    pub async fn new(settings: &[(&'static str, &str)]) -> Press {
        let (telegram, discord) = (Telegram::start().await, Discord::start().await);
        discord.rules(|rules| rules.per_second = 10_000);
        let owner = telegram.private(OWNER, "Olga", "en");
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Press { telegram, discord, dir: tempfile::tempdir().unwrap(), bot: None, settings, log: None, owner }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Channels that follow everything, as if they had asked for it.
    pub fn follow(&self, channels: &[(String, PlaceKind, Follow)]) {
        self.follows(None, channels);
    }

    /// Channels of a server of Discord's follow, as if somebody had subscribed them there.
    pub fn follow_in(&self, server: Id, channels: &[(String, PlaceKind, Follow)]) {
        self.follows(Some(Address(format!("discord:g{server}"))), channels);
    }

    fn follows(&self, settings: Option<Address>, channels: &[(String, PlaceKind, Follow)]) {
        let store = open(self.dir());
        for some in channels.chunks(50) {
            let facts = some.iter().map(|(address, place, follow)| {
                let address = Address(address.clone());
                Drafted::Fact(Fact::Subscription {
                    settings: settings.clone().unwrap_or_else(|| Address(address.chat().to_owned())),
                    address,
                    place: *place,
                    lang: Lang::En,
                    by: Some(Address(format!("telegram:{OWNER}"))),
                    follow: follow.clone(),
                })
            });
            let set = Set { ask: None, expects: Vec::new(), said: facts.collect(), at: chrono::Utc::now() };
            store.say(set).unwrap();
        }
    }

    pub async fn start(&mut self) {
        let before = self.discord.identifies();
        self.begin();
        self.discord.until(LONG, "the gateway", |it| (it.identifies() > before).then_some(())).await;
    }

    /// Starts it, and waits for nothing.
    pub fn begin(&mut self) {
        let bot = Command::new(env!("CARGO_BIN_EXE_strillone"))
            .env_clear()
            .env("STRILLONE_WEB__LISTEN", "")
            .env("STRILLONE_RECORD__BUNDLED", "[]")
            .env("STRILLONE_MODERATION__OWNERS", format!("[\"telegram:{OWNER}\"]"))
            .env("STRILLONE_TELEGRAM__TOKEN", self.telegram.token())
            .env("STRILLONE_TELEGRAM__API_URL", self.telegram.url())
            .env("STRILLONE_DISCORD__TOKEN", self.discord.token())
            .env("STRILLONE_DISCORD__API_URL", self.discord.url())
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .args(["--data".as_ref(), self.dir().as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(match &self.log {
                Some(log) => std::fs::File::create(log).unwrap().into(),
                None if std::env::var_os("STRILLONE_SEE").is_some() => Stdio::inherit(),
                None => Stdio::null(),
            })
            .spawn()
            .unwrap();
        self.bot = Some(bot);
    }

    /// What it logs goes there from the next start on.
    pub fn log_to(&mut self, path: &Path) {
        self.log = Some(path.to_owned());
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.bot.as_ref().unwrap().id()
    }

    pub fn kill(&mut self) {
        if let Some(mut bot) = self.bot.take() {
            bot.kill().unwrap();
            bot.wait().unwrap();
        }
    }

    /// The owner types a line, and presses the first button of what comes back; what the message says then.
    pub async fn publish(&self, line: &str) -> String {
        let before = self.telegram.messages(self.owner).len();
        self.telegram.says(self.owner, OWNER, line);
        let preview = self.telegram.wait_for(self.owner, before + 1, LONG).await.pop().unwrap();
        assert!(!preview.buttons.is_empty(), "{preview:#?}");
        let (label, _) = preview.buttons[0][0].clone();
        assert!(label.starts_with("Publish"), "{preview:#?}");
        let query = self.telegram.presses(&preview, &label, OWNER);
        self.telegram.wait_answer(&query, LONG).await;
        self.telegram
            .until("what became of it", LONG, |it| {
                let now = it.messages(self.owner).into_iter().find(|it| it.id == preview.id)?;
                now.text.contains("Recorded as").then_some(now.text)
            })
            .await
    }

    /// The program as an operator's tool beside the running bot: what it prints.
    pub fn tool(&self, arguments: &[&str], input: &str) -> String {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_strillone"))
            .env_clear()
            .env("STRILLONE_RECORD__BUNDLED", "[]")
            .args(arguments)
            .args(["--data".as_ref(), self.dir().as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = tool.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// An operator records at the terminal.
    pub fn record_at_the_terminal(&self, line: &str) -> String {
        let preview = self.tool(&["console", "--as", "owner"], &format!("{line}\n"));
        let number: String = preview
            .split("/publish ")
            .nth(1)
            .unwrap_or_else(|| panic!("no draft in {preview}"))
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        self.tool(&["console", "--as", "owner"], &format!("/publish {number}\n"))
    }

    /// Every chat of Telegram shows some words in one of its messages.
    pub async fn all_on_telegram(&self, chats: &[Chat], words: &str) {
        for chat in chats {
            let what = format!("{words:?} in {chat:?}");
            self.telegram
                .until(&what, LONG, |it| it.messages(*chat).iter().any(|it| it.text.contains(words)).then_some(()))
                .await;
        }
    }

    pub async fn all_on_discord(&self, channels: &[Id], words: &str) {
        for channel in channels {
            let what = format!("{words:?} in {channel}");
            self.discord
                .until(LONG, &what, |it| it.messages(*channel).iter().any(|it| shown(it).contains(words)).then_some(()))
                .await;
        }
    }

    pub fn sound(&self) {
        if let Some(specs) = specs() {
            let faults = telegram::check_against_spec(&self.telegram.calls(), &specs);
            assert!(faults.is_empty(), "{faults:#?}");
            let faults = super::discord::check_against_spec(&self.discord.calls(), &specs);
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}

/// What people see of a message: its backslashes only keep signs from being markup.
pub fn shown(message: &Answer) -> String {
    message.text.replace('\\', "")
}

pub fn everything() -> Follow {
    Follow::of(What::All)
}

pub fn on_telegram(chat: Chat) -> (String, PlaceKind, Follow) {
    (format!("telegram:{}", chat.0), if chat.0 > 0 { PlaceKind::Private } else { PlaceKind::Group }, everything())
}

pub fn on_discord(channel: Id) -> (String, PlaceKind, Follow) {
    (format!("discord:{channel}"), PlaceKind::Group, everything())
}

/// The messages of a chat that name an entry as theirs.
pub fn copies<'a>(messages: &'a [Message], entry: &str) -> Vec<&'a Message> {
    messages.iter().filter(|it| names(&it.text, entry)).collect()
}

/// Whether a message is an entry's post, or a card that names it among others.
pub fn names(text: &str, entry: &str) -> bool {
    [" r", " · ", "** · "].iter().any(|end| text.contains(&format!("{entry}{end}")))
}

pub fn fast() -> [(&'static str, &'static str); 3] {
    [
        ("STRILLONE_TELEGRAM__PER_SECOND", "1000"),
        ("STRILLONE_TELEGRAM__PER_GROUP_MINUTE", "1000"),
        ("STRILLONE_DISCORD__PER_SECOND", "1000"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn news_reaches_hundreds_on_both_networks_through_a_kill_and_corrections_travel() {
    let slow = [("STRILLONE_TELEGRAM__PER_SECOND", "40"), ("STRILLONE_DISCORD__PER_SECOND", "40")];
    let mut press = Press::new(&slow).await;
    let mut chats: Vec<Chat> = (0..60).map(|n| press.telegram.private(1_000 + n, "Ann", "en")).collect();
    chats.extend((0..60).map(|n| press.telegram.supergroup(&format!("group {n}"))));
    let guild = press.discord.guild("Crew");
    let channels: Vec<Id> = (0..120).map(|n| press.discord.text_channel(guild, &format!("c{n}"))).collect();
    let followers: Vec<_> =
        chats.iter().map(|it| on_telegram(*it)).chain(channels.iter().map(|it| on_discord(*it))).collect();
    press.follow(&followers);
    press.start().await;
    says(&press.publish("/open x | The X incident").await, &["Recorded as x#1"]);
    press.all_on_telegram(&chats, "The X incident").await;
    press.all_on_discord(&channels, "The X incident").await;

    says(&press.publish("/event x 2023-12-20T09:00 | It began at nine. | https://example.org/a").await, &["x#3"]);
    let some =
        |press: &Press| chats.iter().filter(|it| !copies(&press.telegram.messages(**it), "x#3").is_empty()).count();
    press.telegram.until("some of the messages", LONG, |_| (some(&press) >= 30).then_some(())).await;
    press.kill();
    let reached = some(&press);
    assert!(reached < chats.len(), "the kill came too late to be in the middle");
    press.start().await;
    press.all_on_telegram(&chats, "x#3 r").await;
    press.all_on_discord(&channels, "x#3 r").await;
    let mut twice = 0;
    for chat in &chats {
        let messages = press.telegram.messages(*chat);
        let copies = copies(&messages, "x#3");
        twice += copies.len() - 1;
        assert!(copies.iter().skip(1).all(|it| it.text.contains("Sent again")), "unmarked: {copies:#?}");
        says(
            &copies[0].text,
            &["The X incident", "Event · 20 December 2023, 09:00", "It began at nine.", "example.org"],
        );
    }
    assert!(twice <= 8, "{twice} were of unknown fate");
    for channel in &channels {
        let copies = press.discord.messages(*channel).iter().filter(|it| shown(it).contains("x#3 r")).count();
        assert_eq!(copies, 1, "once, in {channel}");
    }

    press.publish("/correct x#3 | It began at ten. | the hour was wrong").await;
    press.all_on_telegram(&chats, "It began at ten.").await;
    press.all_on_discord(&channels, "It began at ten.").await;
    for chat in &chats {
        let messages = press.telegram.messages(*chat);
        let newest = copies(&messages, "x#3").pop().unwrap().clone();
        says(&newest.html, &["<s>It began at nine.</s>", "It began at ten.", "Corrected", "the hour was wrong"]);
        assert!(newest.buttons.iter().flatten().any(|(label, _)| label == "History"), "{newest:#?}");
        assert!(newest.edits >= 1 && newest.text.starts_with(messages[0].text.lines().next().unwrap()));
    }
    press.publish("/retract x#3 | it never happened").await;
    press.all_on_telegram(&chats, "Retracted").await;
    press.all_on_discord(&channels, "Retracted").await;
    let answer: Vec<Answer> = press.discord.messages(channels[0]);
    let copy = answer.iter().find(|it| shown(it).contains("x#3 r")).unwrap();
    says(&copy.text, &["~~It began at ten.~~", "it never happened"]);
    press.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_chats_with_every_trouble_and_all_others_are_reached() {
    let mut press = Press::new(&fast()).await;
    let count = 1_000;
    let mut followers = Vec::new();
    let (mut well, mut blocked, mut moved, mut closed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..count {
        match n % 100 {
            0..5 => {
                let chat = press.telegram.private(10_000 + n, "Gone", "en");
                press.telegram.member(chat, OWNER, "member");
                press.telegram.refuses(chat, Some((403, "bot was blocked by the user")));
                followers.push(on_telegram(chat));
                blocked.push(chat);
            }
            5..7 => {
                let chat = press.telegram.group(&format!("moving {n}"));
                followers.push(on_telegram(chat));
                moved.push(chat);
            }
            7 => {
                let forum = press.telegram.forum(&format!("forum {n}"));
                let topic = press.telegram.topic(forum, "news");
                press.telegram.sets_topic(forum, topic, Some(true));
                followers.push((format!("telegram:{}/{topic}", forum.0), PlaceKind::Topic, everything()));
                closed.push(forum);
            }
            _ => {
                let chat = press.telegram.private(10_000 + n, "Well", "en");
                followers.push(on_telegram(chat));
                well.push(chat);
            }
        }
    }
    let guild = press.discord.guild("Crew");
    let (mut fine, mut shut) = (Vec::new(), Vec::new());
    for n in 0..count {
        let channel = press.discord.text_channel(guild, &format!("c{n}"));
        followers.push(on_discord(channel));
        if n % 20 == 0 {
            press.discord.bot_may(channel, may::VIEW);
            shut.push(channel);
        } else {
            fine.push(channel);
        }
    }
    press.follow(&followers);
    let there: Vec<Chat> = moved.iter().map(|chat| press.telegram.migrates(*chat)).collect();
    press.start().await;
    press.publish("/open x | The X incident").await;
    // A storm: many calls are limited, wherever they go.
    press.telegram.fault("sendMessage", 60, Fault::TooMany(1));
    press.discord.fault("POST /channels/", 40, Mishap::Limited(0.5, "user"));
    press.telegram.fault("sendMessage", 5, Fault::CutAfter);
    press.telegram.fault("sendMessage", 5, Fault::HtmlAfter(502));
    press.all_on_telegram(&well, "x#1 r").await;
    press.all_on_telegram(&there, "x#1 r").await;
    press.all_on_discord(&fine, "x#1 r").await;
    press.all_on_telegram(&closed, "x#1 r").await;
    for forum in &closed {
        let message = press.telegram.messages(*forum).pop().unwrap();
        assert_eq!(message.thread, None, "it came to the group itself");
        says(&message.text, &["The topic I post in is closed or gone"]);
    }
    for channel in &fine {
        assert_eq!(press.discord.messages(*channel).len(), 1, "once in {channel}");
    }
    for chat in well.iter().chain(&there) {
        let messages = press.telegram.messages(*chat);
        assert!(messages.iter().skip(1).all(|it| it.text.contains("Sent again")), "{messages:#?}");
    }
    for chat in &blocked {
        assert!(press.telegram.messages(*chat).is_empty());
    }
    let tries = |channel: &Id| {
        let path = format!("/channels/{channel}/messages");
        press.discord.calls().iter().filter(|(_, to, _)| to.starts_with(&path)).count()
    };
    // It is tried again after half a minute, and then less and less often.
    assert!(shut.iter().all(|channel| (1..=4).contains(&tries(channel))), "a channel that shuts us out is left alone");
    // Whoever subscribed a closed topic is told, privately.
    press
        .telegram
        .until("word of the closed topics", LONG, |it| {
            it.messages(press.owner).iter().any(|it| it.text.contains("are closed or gone")).then_some(())
        })
        .await;
    // Those who let us in again get what they missed.
    for chat in &blocked {
        press.telegram.refuses(*chat, None);
        press.telegram.added_to(*chat, chat.0);
    }
    press.all_on_telegram(&blocked, "x#1 r").await;
    press.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_arrives_whole_refused_markup_comes_as_words_and_others_hear_all_the_same() {
    let mut press = Press::new(&fast()).await;
    let (ann, bob) = (press.telegram.private(7, "Ann", "en"), press.telegram.private(8, "Bob", "en"));
    let channel = press.discord.text_channel(press.discord.guild("Crew"), "news");
    press.follow(&[on_telegram(ann), on_telegram(bob), on_discord(channel)]);
    press.start().await;
    press.publish("/open x | X").await;
    press.all_on_telegram(&[ann, bob], "x#1 r").await;
    let line: String = "è👩‍👩‍👧‍👦שלום<&>@everyone ".chars().cycle().take(5_000).collect();
    says(&press.record_at_the_terminal(&format!("/event x 2023-12-20 | {}", line.trim())), &["Recorded as x#2"]);
    press.all_on_telegram(&[ann, bob], "x#2 r").await;
    press.all_on_discord(&[channel], "x#2 r").await;
    let count = line.matches("@everyone").count();
    let all: String = press.telegram.messages(ann).iter().skip(1).map(|it| it.text.clone()).collect();
    assert_eq!(all.matches("@everyone").count(), count, "nothing is lost");
    let all: String = press.discord.messages(channel).iter().skip(1).map(shown).collect();
    assert_eq!(all.matches("@everyone").count(), count, "nothing is lost");
    // The first tries of the next one are refused: once as markup, for one chat also as words.
    press.telegram.fault("sendMessage", 1, Fault::Refuse(400, "can't parse entities: nonsense"));
    press.publish("/event x 2023-12-21 | Short <news>.").await;
    press.all_on_telegram(&[ann, bob], "Short <news>.").await;
    press.all_on_discord(&[channel], "x#3 r").await;
    silent_on(&press.discord.messages(channel).pop().unwrap().text, &["<@", "\n@everyone"]);
    press.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_entry_is_posted_once_in_order_and_a_material_correction_answers_it() {
    let mut press = Press::new(&fast()).await;
    let ann = press.telegram.private(7, "Ann", "it");
    let channel = press.discord.text_channel(press.discord.guild("Crew"), "news");
    press.follow(&[on_telegram(ann), on_discord(channel)]);
    press.start().await;
    let dossier = concat!(env!("CARGO_MANIFEST_DIR"), "/config/dossiers/westpole.toml");
    says(&press.tool(&["import", "--push", dossier], ""), &["westpole", "60 recorded"]);
    press.all_on_telegram(&[ann], "westpole#60 r").await;
    press.all_on_discord(&[channel], "westpole#60 r").await;
    let numbers = |texts: Vec<String>| -> Vec<u32> {
        let own = texts.iter().map(|text| text.rsplit("westpole#").next().unwrap().split(' ').next().unwrap().parse());
        own.map(Result::unwrap).collect()
    };
    let all: Vec<u32> = (1..=60).collect();
    assert_eq!(numbers(press.telegram.messages(ann).into_iter().map(|it| it.text).collect()), all);
    assert_eq!(numbers(press.discord.messages(channel).iter().map(shown).collect()), all);

    let event = press
        .telegram
        .messages(ann)
        .into_iter()
        .find(|it| it.text.starts_with("🟢 ") || it.text.contains("Event"))
        .unwrap();
    let name = event.text.rsplit("#").next().unwrap().split(' ').next().unwrap().to_owned();
    let before = press.telegram.messages(press.owner).len();
    press.telegram.says(press.owner, OWNER, &format!("/correct westpole#{name} | It was otherwise. | all of it"));
    let preview = press.telegram.wait_for(press.owner, before + 1, LONG).await.pop().unwrap();
    press.telegram.presses(&preview, "Material", OWNER);
    let chosen = press
        .telegram
        .until("the choice", LONG, |it| {
            let now = it.messages(press.owner).into_iter().find(|it| it.id == preview.id)?;
            now.buttons.iter().flatten().any(|(label, _)| label == "• Material").then_some(now)
        })
        .await;
    press.telegram.presses(&chosen, "Publish", OWNER);
    press.all_on_telegram(&[ann], "all of it").await;
    let answers = |it: &Message| it.reply_to == Some(event.id);
    let reply = press.telegram.until("the short reply", LONG, |it| it.messages(ann).into_iter().find(answers)).await;
    says(&reply.text, &["It was otherwise."]);
    assert!(reply.text.chars().count() < 400, "it is short: {}", reply.text);

    // Whoever had a channel follow hears when we may not post there any more.
    let crier = press.telegram.channel("Crier");
    press.telegram.names(crier, "@the_crier");
    press.telegram.member(crier, OWNER, "creator");
    press.telegram.makes_bot(crier, "administrator", OWNER);
    press.telegram.says(press.owner, OWNER, "/subscribe westpole @the_crier");
    press.all_on_telegram(&[press.owner], "@the_crier").await;
    press.telegram.makes_bot(crier, "mute", 7);
    press.all_on_telegram(&[press.owner], "I can no longer post where you subscribed").await;

    // The bell under a post turns, and turns back.
    let bell = |it: &Message| {
        it.buttons
            .iter()
            .flatten()
            .map(|(label, _)| label.clone())
            .find(|it| it.contains("lenzia") || it.contains("ttiva"))
    };
    press.telegram.presses(&event, "🔕 Mute", 7);
    let turned = press
        .telegram
        .until("the bell", LONG, |it| {
            let now = it.messages(ann).into_iter().find(|it| it.id == event.id)?;
            (bell(&now).as_deref() == Some("🔔 Riattiva")).then_some(now)
        })
        .await;
    press.telegram.presses(&turned, "🔔 Riattiva", 7);
    press
        .telegram
        .until("the bell, back", LONG, |it| {
            let now = it.messages(ann).into_iter().find(|it| it.id == event.id)?;
            (bell(&now).as_deref() == Some("🔕 Silenzia") && now.text.contains("otherwise")).then_some(())
        })
        .await;
    // What is erased is erased in what was posted, too.
    press.telegram.says(press.owner, OWNER, &format!("/redact westpole#{name} | it was not ours to tell | yes"));
    press.all_on_telegram(&[press.owner], "is erased: from the journal").await;
    press.all_on_telegram(&[ann], "was erased: it was not ours to tell").await;
    press.all_on_discord(&[channel], "was erased: it was not ours to tell").await;
    let gone = |text: &str| !text.contains("It was otherwise.") && !text.contains("all of it");
    press
        .telegram
        .until("nothing of it", LONG, |it| it.messages(ann).iter().all(|it| gone(&it.text)).then_some(()))
        .await;
    assert!(press.discord.messages(channel).iter().map(shown).all(|text| gone(&text)));

    press.sound();
}
