//! What readers live through on Discord.

use std::time::Duration;

use strillone::{
    config::{Platform, PlatformSettings},
    desk::Desk,
    discord,
    signs::Sign,
};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    PATIENCE, Post,
    discord::{Answer, Discord, Fault, Id, check_against_spec, may},
    platform, specs,
};
use crate::town::{Town, says, silent_on};

/// Patience for a test: what takes a minute takes a moment.
pub fn patience() -> discord::Patience {
    discord::Patience { token: Duration::from_millis(300), ..discord::Patience::default() }
}

/// The bot at Discord's door; a dropped one is killed.
pub struct Bot {
    desk: Desk,
    stop: watch::Sender<bool>,
    _post: Post,
    door: JoinHandle<()>,
}

impl Bot {
    /// Starts it, and waits until commands are registered and the gateway is connected.
    pub async fn start(town: &Town, discord: &Discord) -> Bot {
        let bot = Bot::open(town, discord, patience());
        discord.connected(PATIENCE).await;
        discord.until(PATIENCE, "commands are registered", |it| (!it.commands().is_empty()).then_some(())).await;
        bot
    }

    /// Starts it, and waits for nothing.
    pub fn open(town: &Town, discord: &Discord, patience: discord::Patience) -> Bot {
        Bot::with(town, platform("DISCORD", discord.url(), &discord.token()), patience)
    }

    pub fn with(town: &Town, settings: PlatformSettings, patience: discord::Patience) -> Bot {
        let ((stop, stopping), post) = (watch::channel(false), Post::open(town));
        let (desk, dispatch) = (town.desk.clone(), post.dispatch.clone());
        let door = tokio::spawn(discord::serve_with(settings, desk, dispatch, stopping, patience));
        Bot { desk: town.desk.clone(), stop, _post: post, door }
    }

    /// Whether it still serves.
    pub fn serves(&self) -> bool {
        !self.door.is_finished()
    }

    /// Waits until the sign says this.
    pub async fn sign(&self, wanted: Sign) {
        let since = std::time::Instant::now();
        while self.desk.signs().get(Platform::Discord) != wanted {
            assert!(since.elapsed() < PATIENCE, "the sign never said {wanted:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        self.stop.send(true).unwrap();
        (&mut self.door).await.unwrap();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// Everything that was sent fits the platform's own spec.
pub fn sound(discord: &Discord) {
    if let Some(specs) = specs() {
        let faults = check_against_spec(&discord.calls(), &specs);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

async fn slash(discord: &Discord, place: Id, user: Id, command: &str, options: &[(&str, &str)]) -> Answer {
    let interaction = discord.slash(place, user, command, options);
    discord.answer(interaction, PATIENCE).await
}

/// A command, what is filled in, and what the answer says in either language.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

/// For a reader who asks everything at once.
const FREELY: &[(&str, &str)] = &[("STRILLONE_COMMANDS__BURST", "1000")];

const WESTPOLE: &[(&str, &str)] = &[("incident", "westpole")];

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_answered_in_both_languages() {
    let (town, discord) = (Town::westpole_set(FREELY), Discord::start().await);
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "news");
    let (ann, ugo) = (discord.user("ann", "en-GB", may::USUAL), discord.user("ugo", "it", may::USUAL));
    let places = [channel, discord.thread(channel, "talk"), discord.announcement(guild, "loud")];
    let bot = Bot::start(&town, &discord).await;
    let cases: &[Case] = &[
        ("timeline", WESTPOLE, "1–8 of 18", "1–8 di 18"),
        ("timeline", &[("incident", "westpole"), ("as_of", "2023-12-14")], "as known", "come era noto"),
        ("latest", WESTPOLE, "latest statements", "ultime dichiarazioni"),
        ("sources", &[("incident", "westpole"), ("kind", "podcast")], "Morning", "Morning"),
        ("incident", WESTPOLE, "what is disputed", "punti controversi"),
        ("incidents", &[], "1 incident", "1 incidente"),
        ("search", &[("words", "firewall")], "Entries with", "Voci con"),
        ("claims", WESTPOLE, "8 December 2023, about 05:00", "8 dicembre 2023, verso le 05:00"),
        ("who", &[("organisation", "acn")], "authority", "autorità"),
        ("help", &[], "What I can be asked", "Che cosa mi si può chiedere"),
        ("start", &[("handle", "westpole")], "Westpole", "Westpole"),
        ("about", &[], "on, answering", "acceso, risponde"),
        ("privacy", &[], "What I keep about you", "Che cosa conservo su di te"),
        ("lang", &[], "I answer in English", "Qui rispondo in italiano"),
        ("timezone", &[], "Europe/Rome here", "Qui mostro gli orari di Europe/Rome"),
    ];
    for (command, options, en, it) in cases {
        for place in places {
            says(&slash(&discord, place, ann, command, options).await.text, &[en]);
            says(&slash(&discord, place, ugo, command, options).await.text, &[it]);
        }
        says(&slash(&discord, discord.dm(ann), ann, command, options).await.text, &[en]);
    }
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_and_error_answers_are_for_the_asker_alone() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    let near = slash(&discord, channel, ann, "timeline", &[("incident", "wetspole")]).await;
    says(&near.text, &["Did you mean", "westpole"]);
    assert!(near.ephemeral);
    assert!(slash(&discord, channel, ann, "privacy", &[]).await.ephemeral);
    assert!(!slash(&discord, channel, ann, "timeline", WESTPOLE).await.ephemeral);
    let refused = slash(&discord, channel, ann, "lang", &[("language", "it")]).await;
    says(&refused.text, &["for those who manage this chat"]);
    assert!(refused.ephemeral);
    let boss = discord.user("boss", "en-US", may::USUAL | may::MANAGE_GUILD);
    says(&slash(&discord, channel, boss, "lang", &[("language", "it")]).await.text, &["D'ora in poi"]);
    says(&slash(&discord, channel, ann, "about", &[]).await.text, &["In registro"]);
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn places_of_every_kind_are_answered_without_mentions() {
    let town = Town::with(&crate::render::awkward_dossier());
    let discord = Discord::start().await;
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let places = [channel, discord.thread(channel, "talk"), discord.announcement(guild, "loud"), discord.dm(ann)];
    let bot = Bot::start(&town, &discord).await;
    for place in places {
        for command in ["timeline", "incident", "claims", "sources", "latest"] {
            let answer = slash(&discord, place, ann, command, &[("incident", "awkward")]).await;
            assert_eq!(answer.sent["allowed_mentions"]["parse"], serde_json::json!([]), "/{command}");
            silent_on(&answer.text, &["\u{202e}"]);
        }
    }
    assert!(discord.statuses().iter().all(|status| *status < 400), "{:?}", discord.statuses());
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_works_after_a_restart() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    let first = slash(&discord, channel, ann, "timeline", WESTPOLE).await;
    bot.stop().await;
    let bot = Bot::start(&town, &discord).await;
    let press = discord.presses(first.id, "➡️", ann);
    let turned = discord.answer(press, PATIENCE).await;
    says(&turned.text, &["9–16 of 18"]);
    let now = discord.messages(channel);
    assert_eq!(now.len(), 1, "in the place of the first");
    says(&now[0].text, &["9–16 of 18"]);
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_complete_and_commands_are_registered_once() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "it", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    let typed = discord.autocomplete(channel, ann, "timeline", "incident", "WEST");
    let choices = discord.answer(typed, PATIENCE).await.choices;
    assert_eq!(choices.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(), [serde_json::json!("westpole")]);
    let typed = discord.autocomplete(channel, ann, "who", "organisation", "pa");
    says(&discord.answer(typed, PATIENCE).await.choices[0].0, &["PA Digitale"]);
    let names: Vec<String> = discord.commands().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    let all: Vec<String> = commands::ALL.iter().map(|it| it.name.to_owned()).collect();
    assert!(all.iter().all(|name| names.contains(name)), "{names:?}");
    bot.stop().await;
    let puts = |it: &Discord| it.calls().iter().filter(|call| call.0 == "PUT" && call.1.ends_with("/commands")).count();
    assert_eq!(puts(&discord), 1);
    let bot = Bot::start(&town, &discord).await;
    slash(&discord, channel, ann, "about", &[]).await;
    bot.stop().await;
    assert_eq!(puts(&discord), 1, "only when they changed");
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_a_state_and_is_asked_for_again() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    bot.sign(Sign::Serving).await;
    let mut bell = town.desk.signs().listen();
    discord.revoke_token();
    bot.sign(Sign::TokenRefused).await;
    assert_eq!(bell.recv().await.unwrap().about, Some(Platform::Discord), "the owners elsewhere hear of it");
    discord.takes_token_again();
    bot.sign(Sign::Serving).await;
    slash(&discord, channel, ann, "about", &[]).await;
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_may_drop_resume_forget_and_die_silently() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    for happens in [Discord::drop_connection, Discord::reconnect, Discord::invalid_session, Discord::stop_acks] {
        happens(&discord);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let since = std::time::Instant::now();
        // A person whose command is not answered within 3 seconds tries again.
        loop {
            discord.connected(PATIENCE * 2).await;
            let interaction = discord.slash(channel, ann, "about", &[]);
            let answered = tokio::time::timeout(Duration::from_secs(4), discord.answer(interaction, PATIENCE)).await;
            if let Ok(answer) = answered {
                says(&answer.text, &["Strillone"]);
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(90), "it never came back");
        }
    }
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_and_duplicates_are_lived_through() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    for fault in [Fault::Limited(0.3, "user"), Fault::Down(502), Fault::Slow(Duration::from_millis(300))] {
        discord.fault("POST /interactions", 1, fault);
        says(&slash(&discord, channel, ann, "about", &[]).await.text, &["Strillone"]);
    }
    let interaction = discord.slash(channel, ann, "about", &[]);
    discord.answer(interaction, PATIENCE).await;
    discord.again(interaction);
    discord.event("SOMETHING_NEW", serde_json::json!({ "x": 1 }));
    discord.outage(guild, true);
    discord.outage(guild, false);
    says(&slash(&discord, channel, ann, "incidents", &[]).await.text, &["westpole"]);
    let callbacks =
        discord.calls().iter().filter(|call| call.1.contains(&format!("/interactions/{interaction}/"))).count();
    assert_eq!(callbacks, 1, "a duplicate is answered once");
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_subscribes_hears_what_is_missing_there() {
    let (town, discord) = (Town::westpole_set(FREELY), Discord::start().await);
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "news");
    let thread = discord.thread(channel, "talk");
    let boss = discord.user("boss", "en-US", may::USUAL | may::MANAGE_GUILD);
    let role = discord.role(guild, "On call");
    let bot = Bot::start(&town, &discord).await;
    let what: &[(&str, &str)] = &[("what", "westpole")];
    discord.bot_may(channel, may::VIEW | may::EMBED);
    let refused = slash(&discord, channel, boss, "subscribe", what).await;
    says(&refused.text, &["I cannot post", "Send Messages"]);
    assert!(refused.ephemeral);
    discord.bot_may(channel, may::VIEW | may::SEND);
    says(&slash(&discord, channel, boss, "sub", what).await.text, &["Embed Links"]);
    discord.bot_may(thread, may::VIEW | may::SEND | may::EMBED);
    says(&slash(&discord, thread, boss, "subscribe", what).await.text, &["Send Messages in Threads"]);
    discord.bot_may(channel, may::USUAL);
    discord.bot_may(thread, may::USUAL);
    let calling: &[(&str, &str)] = &[("what", "westpole"), ("mention", "On call")];
    says(&slash(&discord, channel, boss, "subscribe", calling).await.text, &["westpole"]);
    let exported = slash(&discord, channel, boss, "list", &[("action", "export")]).await;
    says(&exported.text, &["westpole", &format!("mention:{role}")]);
    discord.quiet_role(guild, "Sleepers");
    let quiet: &[(&str, &str)] = &[("what", "westpole"), ("mention", "Sleepers")];
    says(&slash(&discord, channel, boss, "subscribe", quiet).await.text, &["I cannot call that role", "Roles"]);
    for place in [thread, discord.dm(boss)] {
        silent_on(&slash(&discord, place, boss, "subscribe", what).await.text, &["I cannot post"]);
    }
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_posted_and_its_buttons_leave_it_as_it_is() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let boss = discord.user("boss", "en-US", may::USUAL | may::MANAGE_GUILD);
    let bot = Bot::start(&town, &discord).await;
    assert!(slash(&discord, channel, boss, "test", &[]).await.ephemeral);
    let posted = |it: &Discord| it.messages(channel).pop();
    let sample = discord.until(PATIENCE, "a sample", posted).await;
    says(&sample.text, &["Sample: nothing has happened"]);
    assert_eq!(sample.sent["enforce_nonce"], true);
    let press = discord.presses(sample.id, "Followed here", boss);
    let answer = discord.answer(press, PATIENCE).await;
    assert!(answer.ephemeral && answer.id != sample.id, "a post stays, and who asks is answered alone");
    assert_eq!(discord.messages(channel).pop().unwrap().text, sample.text);
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_followed_completes_and_other_names_are_commands_too() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let channel = discord.text_channel(discord.guild("Crew"), "news");
    let ann = discord.user("ann", "en-US", may::USUAL);
    let bot = Bot::start(&town, &discord).await;
    for (typed, first) in
        [("", "all"), ("westp", "westpole"), ("org=pa", "org=pa-digitale"), ("digitale", "org=pa-digitale")]
    {
        let choices = discord.autocomplete(channel, ann, "sub", "what", typed);
        let choices = discord.answer(choices, PATIENCE).await.choices;
        assert_eq!(choices.first().map(|(_, value)| value.as_str().unwrap()), Some(first), "{typed}: {choices:?}");
    }
    for command in discord.commands() {
        let options = command["options"].as_array().cloned().unwrap_or_default();
        assert!(options.iter().all(|option| option["name"] != "where"), "that is Telegram's: {command}");
    }
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_it_in_is_told_who_it_is() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "welcome");
    discord.greets_in(guild, channel, "it");
    let bot = Bot::start(&town, &discord).await;
    let ann = discord.user("ann", "en-US", may::USUAL);
    discord.outage(guild, true);
    discord.outage(guild, false);
    says(&slash(&discord, channel, ann, "about", &[]).await.text, &["Strillone"]);
    assert_eq!(discord.messages(channel).len(), 1, "an outage is no entrance");
    discord.kick(guild);
    // Events are heard side by side: nobody is let in again within a moment.
    says(&slash(&discord, discord.dm(ann), ann, "about", &[]).await.text, &["Strillone"]);
    discord.invite(guild);
    let greeted = |it: &Discord| it.messages(channel).into_iter().find(|it| it.text.contains("Sono Strillone"));
    says(&discord.until(PATIENCE, "a greeting", greeted).await.text, &["/subscribe", "/help"]);
    let thread = discord.thread(channel, "talk");
    discord.delete_channel(thread);
    discord.delete_channel(channel);
    let other = discord.text_channel(guild, "other");
    says(&slash(&discord, other, ann, "about", &[]).await.text, &["Strillone"]);
    bot.stop().await;
    sound(&discord);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bell_under_a_post_turns_and_posts_speak_the_servers_language() {
    let (town, discord) = (Town::westpole(), Discord::start().await);
    let guild = discord.guild("Crew");
    let channel = discord.text_channel(guild, "news");
    discord.greets_in(guild, channel, "it");
    let boss = discord.user("boss", "en-US", may::USUAL | may::MANAGE_GUILD);
    let bot = Bot::start(&town, &discord).await;
    let card = slash(&discord, channel, boss, "subscribe", &[("what", "westpole")]).await;
    says(&card.text, &["From now on"]);
    let place = record::private::Address(format!("discord:{channel}"));
    let kept = || town.store().view().channel_at(&place).unwrap().unwrap().1;
    assert_eq!(
        kept().lang,
        record::lang::Lang::It,
        "whoever asks is answered in English, and the server reads Italian"
    );
    for (bell, turned) in [("🔕 Mute", "🔔 Unmute"), ("🔔 Unmute", "🔕 Mute")] {
        let answer = discord.answer(discord.presses(card.id, bell, boss), PATIENCE).await;
        assert!(answer.ephemeral && answer.id != card.id);
        let now = |it: &Discord| {
            let card = it.messages(channel).into_iter().find(|it| it.id == card.id)?;
            card.rows.iter().flatten().any(|(label, _)| label == turned).then_some(card.text)
        };
        assert_eq!(discord.until(PATIENCE, "the bell", now).await, card.text, "the post stays as it is");
    }
    assert!(kept().mutes.is_empty());
    bot.stop().await;
    sound(&discord);
}
