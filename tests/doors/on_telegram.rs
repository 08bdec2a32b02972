//! What readers live through on Telegram.

use std::time::Duration;

use commands::kit::Role;
use record::lang::Lang;
use strillone::{
    config::{Platform, PlatformSettings},
    desk::Desk,
    signs::Sign,
    telegram,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    task::JoinHandle,
};

use super::{
    PATIENCE, Post, platform, specs,
    telegram::{Chat, Fault, Message, Telegram, check_against_spec},
};
use crate::town::{Town, says};

/// The bot at Telegram's door, with threads of its own; a dropped one is killed.
pub struct Bot {
    desk: Desk,
    stop: watch::Sender<bool>,
    _post: Post,
    door: JoinHandle<()>,
    runtime: Option<Runtime>,
}

impl Bot {
    pub fn start(town: &Town, telegram: &Telegram) -> Bot {
        Bot::with_token(town, telegram, telegram.token())
    }

    pub fn with_token(town: &Town, telegram: &Telegram, token: &str) -> Bot {
        Bot::with_patience(town, telegram, token, Duration::from_millis(300))
    }

    /// One that asks this often whether a token is taken again.
    pub fn with_patience(town: &Town, telegram: &Telegram, token: &str, ask_again: Duration) -> Bot {
        Bot::with(town, platform("TELEGRAM", &telegram.url(), token), ask_again)
    }

    pub fn with(town: &Town, settings: PlatformSettings, ask_again: Duration) -> Bot {
        let ((stop, stopping), post) = (watch::channel(false), Post::open(town));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let patience = telegram::Patience { ask_again };
        let (desk, dispatch) = (town.desk.clone(), post.dispatch.clone());
        let door = runtime.spawn(telegram::serve_with(settings, desk, dispatch, stopping, patience));
        Bot { desk: town.desk.clone(), stop, _post: post, door, runtime: Some(runtime) }
    }

    pub async fn sign(&self, wanted: Sign) {
        let since = std::time::Instant::now();
        while self.desk.signs().get(Platform::Telegram) != wanted {
            assert!(since.elapsed() < PATIENCE, "the sign never said {wanted:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn stop(mut self) {
        self.stop.send(true).unwrap();
        (&mut self.door).await.unwrap();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Everything that was sent fits the platform's own spec.
pub fn sound(telegram: &Telegram) {
    if let Some(specs) = specs() {
        let faults = check_against_spec(&telegram.calls(), &specs);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

pub async fn answer(telegram: &Telegram, chat: Chat, user: i64, text: &str) -> Message {
    let before = telegram.messages(chat).len();
    telegram.says(chat, user, text);
    telegram.wait_for(chat, before + 1, PATIENCE).await.pop().unwrap()
}

/// What is asked, and what the answer says in either language.
const CASES: &[(&str, &str, &str)] = &[
    ("/timeline westpole", "1–8 of 18", "1–8 di 18"),
    ("/timeline westpole as_of:2023-12-14", "as known", "come era noto"),
    ("/latest westpole", "latest statements", "ultime dichiarazioni"),
    ("/sources westpole", "16 sources", "16 fonti"),
    ("/incident westpole", "what is disputed", "punti controversi"),
    ("/incidents", "1 incident", "1 incidente"),
    ("/search firewall", "Entries with", "Voci con"),
    ("/claims westpole", "disputed", "controverso"),
    ("/who ACN", "authority", "autorità"),
    ("/help", "What I can be asked", "Che cosa mi si può chiedere"),
    ("/start westpole", "Westpole", "Westpole"),
    ("/about", "Telegram: on, answering", "Telegram: acceso, risponde"),
    ("/privacy", "What I keep about you", "Che cosa conservo su di te"),
    ("/lang", "I answer in English", "Qui rispondo in italiano"),
    ("/timezone", "Europe/Rome here", "Qui mostro gli orari di Europe/Rome"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_answered_everywhere_in_both_languages() {
    let town = Town::westpole_set(&[("STRILLONE_COMMANDS__BURST", "1000")]);
    let telegram = Telegram::start().await;
    let places = [(Lang::En, 5, "en"), (Lang::It, 6, "it")].map(|(lang, user, tongue)| {
        let (private, group, forum) =
            (telegram.private(user, tongue, tongue), telegram.group("Crew"), telegram.forum("Forum"));
        (lang, user, [private, group, forum], telegram.topic(forum, "Westpole"), telegram.channel("News"))
    });
    let bot = Bot::start(&town, &telegram);
    for (lang, user, [private, group, forum], topic, channel) in places {
        // A channel's posts have no author whose language could be known.
        telegram.channel_post(channel, &format!("/lang {lang}"));
        for (line, _, _) in CASES {
            telegram.says(private, user, line);
            telegram.says(group, user, line);
            telegram.says_in_topic(forum, topic, user, line);
            telegram.channel_post(channel, line);
        }
    }
    for (lang, _, [private, group, forum], topic, channel) in places {
        for (line, en, it) in CASES {
            let words = lang.pick(*en, *it);
            for chat in [private, group, forum, channel] {
                let what = format!("{line} answered with {words} in {chat:?}");
                let found = |telegram: &Telegram| {
                    telegram.messages(chat).into_iter().find(|message| message.text.contains(words))
                };
                let message = telegram.until(&what, PATIENCE * 3, found).await;
                assert_eq!(message.thread, (chat == forum).then_some(topic), "{what}");
            }
        }
    }
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_groups_it_answers_what_is_meant_for_it_where_it_was_asked() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (group, forum, channel) = (telegram.supergroup("Crew"), telegram.forum("Forum"), telegram.channel("News"));
    telegram.user(5, "Ann", "it");
    telegram.rules(|rules| rules.privacy_off = true);
    let topic = telegram.topic(forum, "Westpole");
    let bot = Bot::start(&town, &telegram);
    telegram.says(group, 5, "has anybody heard?");
    telegram.says(group, 5, "/timeline@other_bot westpole");
    telegram.says(group, 5, "/incident@strillone_bot westpole");
    let said = telegram.wait_for(group, 1, PATIENCE).await;
    says(&said.last().unwrap().text, &["Westpole"]);
    telegram.says_in_topic(forum, topic, 5, "/claims westpole");
    let in_topic = telegram.wait_for(forum, 1, PATIENCE).await.pop().unwrap();
    assert_eq!(in_topic.thread, Some(topic));
    telegram.says(forum, 5, "/about");
    let general = telegram
        .until("an answer in General", PATIENCE, |it| {
            it.messages(forum).into_iter().find(|m| m.text.contains("Strillone"))
        })
        .await;
    assert_eq!(general.thread, None);
    telegram.channel_post(channel, "/incidents");
    let posted = telegram.wait_for(channel, 1, PATIENCE).await.pop().unwrap();
    says(&posted.text, &["westpole"]);
    bot.stop().await;
    assert_eq!(telegram.messages(group).len(), 1, "chatter and other bots' commands are left alone");
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_works_after_a_restart_and_is_always_answered() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    let first = answer(&telegram, ann, 5, "/timeline westpole").await;
    says(&first.text, &["1–8 of 18"]);
    bot.stop().await;
    let bot = Bot::start(&town, &telegram);
    let query = telegram.presses(&first, "➡️", 5);
    telegram.wait_answer(&query, PATIENCE).await;
    let turned = telegram
        .until("the page turned", PATIENCE, |it| it.messages(ann).into_iter().find(|m| m.text.contains("9–16 of 18")))
        .await;
    assert_eq!((turned.id, turned.edits), (first.id, 1), "in the place of the first");
    let mut old = turned.clone();
    old.buttons.push(vec![("Old".to_owned(), "/nonsense from long ago".to_owned())]);
    let query = telegram.presses(&old, "Old", 5);
    let notice = telegram.wait_answer(&query, PATIENCE).await;
    says(notice["text"].as_str().unwrap(), &["I do not know the command /nonsense"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_it_dies_between_question_and_answer() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.fault("sendMessage", 1, Fault::CutBefore);
    let bot = Bot::start(&town, &telegram);
    telegram.says(ann, 5, "/about");
    telegram
        .until("the answer was tried", PATIENCE, |it| {
            it.calls().iter().any(|call| call.method.eq_ignore_ascii_case("sendMessage")).then_some(())
        })
        .await;
    drop(bot);
    assert_eq!(telegram.messages(ann).len(), 0);
    let bot = Bot::start(&town, &telegram);
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["Strillone"]);
    bot.stop().await;
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    bot.stop().await;
    assert_eq!(telegram.messages(ann).len(), 1, "what was answered and confirmed is not answered again");
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_platform_are_lived_through() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    let entities = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0";
    let faults = [
        Fault::TooMany(1),
        Fault::Refuse(400, entities),
        Fault::Refuse(500, "Internal Server Error: restart"),
        Fault::Html(502),
        Fault::CutBefore,
        Fault::Slow(Duration::from_millis(300)),
        Fault::StrangeChat,
    ];
    for fault in faults {
        telegram.fault("sendMessage", 1, fault);
        says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    }
    telegram.fault("getUpdates", 2, Fault::Html(502));
    telegram.fault("getUpdates", 1, Fault::TooMany(1));
    says(&answer(&telegram, ann, 5, "/incidents").await.text, &["westpole"]);
    telegram.raw_update(serde_json::json!({ "something_new": { "x": 1 } }));
    telegram.raw_update(serde_json::json!({ "message": { "message_id": "not a number" } }));
    says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_platform_is_tried_again() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.fault("getMe", 2, Fault::CutBefore);
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Unreachable).await;
    says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_poller_is_waited_for() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    telegram.fault(
        "getUpdates",
        1,
        Fault::Refuse(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
    );
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::AnotherPoller).await;
    says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    bot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_programs_with_one_token_one_goes_on_when_the_other_stops() {
    let (town, other, telegram) = (Town::westpole(), Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let first = Bot::start(&town, &telegram);
    first.sign(Sign::Serving).await;
    telegram
        .until("the first polls", PATIENCE, |it| {
            it.calls().iter().any(|call| call.method == "getUpdates").then_some(())
        })
        .await;
    let second = Bot::start(&other, &telegram);
    first.sign(Sign::AnotherPoller).await;
    drop(second);
    says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    first.stop().await;
    assert_eq!(telegram.messages(ann).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_edits_are_not_answered() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    let id = telegram.says(ann, 5, "/about");
    telegram.wait_for(ann, 1, PATIENCE).await;
    telegram.edits(ann, id, "/incidents");
    let update = telegram
        .calls()
        .iter()
        .find_map(|call| call.reply.as_array()?.iter().find(|update| update["message"]["text"] == "/about").cloned());
    telegram.raw_update(update.unwrap());
    says(&answer(&telegram, ann, 5, "/privacy").await.text, &["What I keep"]);
    bot.stop().await;
    assert_eq!(telegram.messages(ann).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_heavy_asker_does_not_slow_another() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (heavy, ann) = (telegram.private(7, "Heavy", "en"), telegram.private(5, "Ann", "en"));
    let bot = Bot::start(&town, &telegram);
    for _ in 0..60 {
        telegram.says(heavy, 7, "/about");
    }
    says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
    let answered = telegram.messages(heavy).iter().filter(|m| m.text.contains("Strillone")).count();
    assert!(answered < 25, "the heavy asker waits their turn, with {answered} answers by now");
    drop(bot);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_manages_a_group_chooses_its_language() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let group = telegram.supergroup("Crew");
    telegram.user(5, "Ann", "en");
    telegram.user(6, "Ugo", "en");
    telegram.member(group, 5, "member");
    telegram.member(group, 6, "administrator");
    let bot = Bot::start(&town, &telegram);
    says(&answer(&telegram, group, 5, "/lang it").await.text, &["for those who manage this chat"]);
    says(&answer(&telegram, group, 6, "/lang it").await.text, &["D'ora in poi rispondo in italiano."]);
    says(&answer(&telegram, group, 5, "/about").await.text, &["In registro"]);
    telegram.says_anonymously(group, "/lang en");
    let last = telegram.wait_for(group, 4, PATIENCE).await.pop().unwrap();
    says(&last.text, &["I answer in English"]);
    let choice = town.store().view().choice(&record::private::Address(format!("telegram:{}", group.0))).unwrap();
    assert_eq!(choice.lang, Some(Lang::En));
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn inline_results_are_offered_and_commands_are_registered_once() {
    let town = Town::westpole_set(&[("STRILLONE_MODERATION__OWNERS", "[\"telegram:5\", \"telegram:66\"]")]);
    let telegram = Telegram::start().await;
    telegram.private(5, "Ann", "it");
    let bot = Bot::start(&town, &telegram);
    let query = telegram.inline(5, "west");
    let results = telegram.wait_answer(&query, PATIENCE).await;
    says(&results.to_string(), &["Westpole", "cronologia"]);
    telegram
        .until("commands are registered", PATIENCE, |it| (!it.commands("chat:5", "it").is_empty()).then_some(()))
        .await;
    let names = |scope| telegram.commands(scope, "").into_iter().map(|(name, _)| name).collect::<Vec<String>>();
    let those = |who| commands::ALL.iter().filter(|it| it.who <= who).map(|it| it.name).collect::<Vec<_>>();
    assert_eq!(names("default"), those(Role::Reader));
    assert_eq!(names("chat:5"), those(Role::Owner), "an owner is shown everything; who never wrote, nothing yet");
    says(&telegram.commands("default", "it")[0].1, &["dal più recente"]);
    bot.stop().await;
    let sets = |telegram: &Telegram| {
        telegram.calls().iter().filter(|call| call.method.eq_ignore_ascii_case("setMyCommands")).count()
    };
    assert_eq!(sets(&telegram), 4);
    let gets = |telegram: &Telegram| {
        telegram.calls().iter().filter(|call| call.method.eq_ignore_ascii_case("getMyCommands")).count()
    };
    let before = gets(&telegram);
    let bot = Bot::start(&town, &telegram);
    telegram.until("they are looked at again", PATIENCE, |it| (gets(it) >= before + 6).then_some(())).await;
    bot.stop().await;
    assert_eq!(sets(&telegram), 4, "only when they changed");
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_awkward_text_arrives_within_the_limits() {
    let town = Town::with(&crate::render::awkward_dossier());
    let telegram = Telegram::start().await;
    let ann = telegram.private(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    let lines = ["/timeline awkward", "/sources awkward", "/incident awkward", "/claims awkward"];
    for line in lines {
        telegram.says(ann, 5, line);
    }
    telegram.until("long answers", PATIENCE * 2, |it| (it.messages(ann).len() >= lines.len()).then_some(())).await;
    let refused: Vec<_> = telegram.calls().into_iter().filter(|call| call.status == 400).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(telegram.messages(ann).len(), lines.len(), "each answer is one message");
    drop(bot);
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_subscribes_another_chat_hears_what_is_missing_there() {
    let town = Town::westpole_set(&[("STRILLONE_COMMANDS__BURST", "1000")]);
    let telegram = Telegram::start().await;
    let (ann, group, channel) =
        (telegram.private(5, "Ann", "en"), telegram.supergroup("Crew"), telegram.channel("News"));
    telegram.names(group, "@the_crew");
    telegram.names(channel, "@the_news");
    let bot = Bot::start(&town, &telegram);
    let ask = async |line: &str, words: &[&str]| says(&answer(&telegram, ann, 5, line).await.text, words);
    ask("/subscribe westpole @nobody_here", &["@nobody_here is no chat that I can see"]).await;
    ask("/subscribe westpole @the_crew", &["Only its administrators choose"]).await;
    telegram.member(group, 5, "administrator");
    telegram.members_write(group, false);
    ask("/subscribe westpole where:@the_crew", &["I may not write there"]).await;
    telegram.makes_bot(group, "left", 5);
    ask("/subscribe westpole @the_crew", &["I am not a member there"]).await;
    ask("/unsubscribe westpole @the_crew", &["Only its administrators choose"]).await;
    let before = telegram.messages(ann).len();
    telegram.makes_bot(group, "restricted", 5);
    let told = telegram.wait_for(ann, before + 1, PATIENCE).await.pop().unwrap();
    says(&told.text, &["I was added to Crew", "I may not write there: in the group's permissions"]);
    ask("/subscribe westpole @the_crew", &["I may not write there"]).await;
    telegram.makes_bot(group, "trusted", 5);
    ask("/sub westpole @the_crew", &["westpole"]).await;
    ask("/unsub westpole @the_crew", &["I no longer post"]).await;
    telegram.member(channel, 5, "creator");
    telegram.makes_bot(channel, "mute", 5);
    ask("/subscribe westpole @the_news", &["I may not post there"]).await;
    telegram.makes_bot(channel, "administrator", 5);
    ask("/subscribe westpole @the_news", &["westpole"]).await;
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_in_a_group_is_told_in_private() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (ann, group) = (telegram.private(5, "Ann", "it"), telegram.supergroup("Crew"));
    telegram.user(6, "Ugo", "en");
    telegram.member(group, 5, "administrator");
    telegram.member(group, 6, "member");
    let bot = Bot::start(&town, &telegram);
    telegram.says(group, 5, "/event westpole 2024-01-01 | It is over.");
    let told = telegram.wait_for(ann, 1, PATIENCE).await.pop().unwrap();
    says(&told.text, &["Me l'hai chiesto in un gruppo", "riservato a chi tiene il registro"]);
    assert!(telegram.messages(group).is_empty(), "others do not see it");
    // Who never wrote to the bot can only be told where they asked.
    says(&answer(&telegram, group, 6, "/retract westpole#2 | no").await.text, &["for those who keep the record"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_may_not_write_the_asker_is_answered_in_private_and_told_how_to_change_that() {
    let town = Town::westpole_set(&[("STRILLONE_COMMANDS__BURST", "1000")]);
    let telegram = Telegram::start().await;
    let (ann, group, channel) = (telegram.private(5, "Ann", "en"), telegram.forum("Crew"), telegram.channel("News"));
    telegram.names(channel, "@the_news");
    telegram.member(group, 5, "administrator");
    telegram.member(channel, 5, "creator");
    telegram.makes_bot(channel, "administrator", 5);
    let bot = Bot::start(&town, &telegram);
    let topic = telegram.topic(group, "Incidents");
    telegram.sets_topic(group, topic, Some(true));
    telegram.says_in_topic(group, topic, 5, "/subscribe westpole");
    let told = telegram.wait_for(ann, 1, PATIENCE).await.pop().unwrap();
    says(&told.text, &["I may not write where you asked", "nothing has changed", "this topic is closed: reopen it"]);
    telegram.members_write(group, false);
    telegram.says(group, 5, "/subscribe westpole");
    let told = telegram.wait_for(ann, 2, PATIENCE).await.pop().unwrap();
    says(&told.text, &["I may not write where you asked", "in the group's permissions, allow sending messages"]);
    assert!(
        telegram.messages(group).iter().all(|it| !it.text.contains("cannot post")),
        "nothing of it is in the group"
    );

    says(&answer(&telegram, ann, 5, "/subscribe westpole @the_news").await.text, &["From now on", "@the_news"]);
    says(&answer(&telegram, ann, 5, "/mute westpole @the_news").await.text, &["is not posted in @the_news"]);
    says(&answer(&telegram, ann, 5, "/mute westpole off @the_news").await.text, &["is posted in @the_news again"]);
    says(&answer(&telegram, ann, 5, "/list @the_news").await.text, &["Followed in @the_news", "Westpole"]);
    says(&answer(&telegram, ann, 5, "/delivery @the_news").await.text, &["What I posted in @the_news last"]);
    says(&answer(&telegram, ann, 5, "/test @the_news").await.text, &["I am posting a sample in @the_news"]);
    says(&telegram.wait_for(channel, 1, PATIENCE).await[0].text, &["Sample: nothing has happened"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_posted_and_its_buttons_leave_it_as_it_is() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (ann, channel, ugo) =
        (telegram.private(5, "Ann", "en"), telegram.channel("News"), telegram.private(6, "Ugo", "it"));
    let bot = Bot::start(&town, &telegram);
    answer(&telegram, ann, 5, "/subscribe westpole").await;
    telegram.says(ann, 5, "/test");
    let sample = telegram.wait_for(ann, 3, PATIENCE).await.pop().unwrap();
    says(&sample.text, &["Sample: nothing has happened"]);
    let query = telegram.presses(&sample, "Followed here", 5);
    telegram.wait_answer(&query, PATIENCE).await;
    let all = telegram.wait_for(ann, 4, PATIENCE).await;
    assert_eq!((all[2].edits, &all[2].text), (0, &sample.text), "a post stays");

    telegram.channel_post(channel, "/test");
    let mut posted = telegram.wait_for(channel, 2, PATIENCE).await.pop().unwrap();
    posted.buttons.push(vec![("Chronicle".to_owned(), ">/timeline westpole".to_owned())]);
    let query = telegram.presses(&posted, "Chronicle", 6);
    let notice = telegram.wait_answer(&query, PATIENCE).await;
    says(notice["text"].as_str().unwrap(), &["chat privata", "@strillone_bot"]);
    says(&telegram.wait_for(ugo, 1, PATIENCE).await[0].text, &["1–8 di 18"]);
    assert_eq!(telegram.messages(channel).len(), 2, "who reads a channel does not make us write in it");
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lets_it_into_a_group_is_told_who_it_is() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (group, channel) = (telegram.supergroup("Crew"), telegram.channel("News"));
    telegram.user(6, "Ugo", "it");
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    let polled = |it: &Telegram| it.calls().iter().any(|call| call.method == "getUpdates").then_some(());
    telegram.until("a poll", PATIENCE, polled).await;
    telegram.added_to(channel, 6);
    telegram.added_to(group, 6);
    says(&telegram.wait_for(group, 1, PATIENCE).await[0].text, &["Sono Strillone", "/subscribe", "/help"]);
    telegram.removed_from(group, 6);
    telegram.added_to(group, 6);
    telegram.wait_for(group, 2, PATIENCE).await;
    telegram.makes_bot(group, "administrator", 6);
    says(&answer(&telegram, group, 6, "/about").await.text, &["Strillone"]);
    bot.stop().await;
    assert_eq!(
        (telegram.messages(group).len(), telegram.messages(channel).len()),
        (3, 0),
        "a promotion is no entrance"
    );
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channels_post_is_answered_once_in_the_channel_and_not_in_its_discussion() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (channel, group, ann) =
        (telegram.channel("News"), telegram.supergroup("Talk"), telegram.private(5, "Ann", "en"));
    telegram.member(group, 5, "member");
    telegram.discusses(channel, group);
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    telegram.channel_post(channel, "/timeline westpole");
    let answers = telegram.wait_for(channel, 1, PATIENCE).await;
    says(&answers[0].text, &["1–8 of 18"]);
    telegram.says(ann, 5, "/about");
    telegram.wait_for(ann, 1, PATIENCE).await;
    assert_eq!((telegram.messages(channel).len(), telegram.messages(group).len()), (1, 0));
    // The group itself is answered as ever.
    telegram.says(group, 5, "/about");
    telegram.wait_for(group, 1, PATIENCE).await;
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_groups_it_is_silent_about_commands_it_does_not_know() {
    let (town, telegram) = (Town::westpole(), Telegram::start().await);
    let (group, ann) = (telegram.supergroup("Talk"), telegram.private(5, "Ann", "en"));
    telegram.member(group, 5, "member");
    let bot = Bot::start(&town, &telegram);
    bot.sign(Sign::Serving).await;
    for line in ["/ban @x", "/rules", "/r/italy is down", "/timelien westpole", "/"] {
        telegram.says(group, 5, line);
    }
    telegram.says(group, 5, "/about");
    says(&telegram.wait_for(group, 1, PATIENCE).await[0].text, &["Strillone"]);
    assert_eq!(telegram.messages(group).len(), 1);
    telegram.says(group, 5, "/ban@strillone_bot @x");
    says(&telegram.wait_for(group, 2, PATIENCE).await[1].text, &["I do not know the command /ban"]);
    telegram.says(ann, 5, "/rules");
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["I do not know the command /rules"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_commands_that_an_earlier_program_left_do_not_hide_ours() {
    let town = Town::westpole_set(&[("STRILLONE_MODERATION__OWNERS", "[\"telegram:5\"]")]);
    let telegram = Telegram::start().await;
    let (owner, reader) = (telegram.private(5, "Ann", "it"), telegram.private(6, "Ugo", "de"));
    let group = telegram.supergroup("Talk");
    telegram.member(group, 6, "administrator");
    for scope in ["default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat:5"] {
        for language in ["", "it", "de", "en"] {
            telegram.leaves_commands(scope, language);
        }
    }
    assert_eq!(telegram.menu(reader, 6, "de"), ["old"]);
    // One request that fails does not stop the others.
    telegram.fault("deleteMyCommands", 1, Fault::Refuse(400, "Bad Request: strange"));
    let bot = Bot::start(&town, &telegram);
    let those = |who| commands::ALL.iter().filter(|it| it.who <= who).map(|it| it.name.to_owned()).collect::<Vec<_>>();
    for (chat, user, who) in [(owner, 5, Role::Owner), (reader, 6, Role::Reader), (group, 6, Role::Reader)] {
        for language in ["", "it", "de", "en", "fr"] {
            telegram
                .until("our commands are shown", PATIENCE * 2, |it| {
                    (it.menu(chat, user, language) == those(who)).then_some(())
                })
                .await;
        }
    }
    bot.stop().await;
}
