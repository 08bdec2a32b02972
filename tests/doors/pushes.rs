//! What leaves for either platform by order of dispatch, and what is told of it: one request an order.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use record::{
    channel::PlaceKind,
    lang::Lang,
    outbox::{Ms, Outcome},
    private::Address,
    reply::{Button, Line, Reply, Tone},
};
use strillone::{
    discord::{self, Wire},
    dispatch::{
        errand::{Courier, Errand, Order, Post},
        pace::Pace,
    },
    telegram::{self, Api},
};

use super::{
    discord::{Discord, Fault as Gone, Id, may},
    pace, platform, specs,
    telegram::{Chat, Fault, Telegram},
};
use crate::town::{Town, says};

const MARK: &str = "3f2ab4c5d6";

fn news() -> Reply {
    let button = Button::new("Timeline", "/timeline westpole");
    let reply = Reply { tone: Tone::Alarm, mark: Some(MARK.to_owned()), ..Reply::titled("It <broke>") };
    reply.say(Line::new().text("at ").strong("five")).row(button)
}

/// One that takes several messages on Telegram.
fn long() -> Reply {
    let mut text = String::new();
    (0..2_200).for_each(|number| text += &format!("w{number} "));
    Reply::titled("Long").say(Line::new().struck(text.trim())).row(Button::new("Timeline", "/timeline westpole"))
}

fn post(reply: Reply) -> Post {
    Post {
        reply: Arc::new(reply),
        part: 0,
        plain: false,
        reply_to: None,
        nonce: "a-nonce".to_owned(),
        silent: false,
        mention: None,
        general: false,
        repeat: false,
    }
}

fn edit(message: u64, reply: Reply, part: usize, parts: usize) -> Errand {
    Errand::Edit { message, reply: Arc::new(reply), part, parts, plain: false, repeat: false }
}

fn order(to: &str, place: PlaceKind, errand: Errand) -> Order {
    Order { to: Address(to.to_owned()), place, lang: Lang::En, errand }
}

fn done(outcome: Outcome) -> (u64, bool) {
    match outcome {
        Outcome::Done { id: Some(id), more } => (id, more),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_shut(outcome: Outcome, by_right: bool) {
    assert!(matches!(outcome, Outcome::Shut { right, .. } if right == by_right), "{outcome:?}");
}

fn now() -> Ms {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Ms
}

/// Telegram's courier, and where it goes.
struct ToTelegram {
    telegram: Telegram,
    push: telegram::Push,
}

impl ToTelegram {
    async fn new() -> ToTelegram {
        let telegram = Telegram::start().await;
        let url = telegram.url();
        ToTelegram::at(telegram, &url)
    }

    fn at(telegram: Telegram, url: &str) -> ToTelegram {
        let token = platform("TELEGRAM", url, telegram.token()).token.unwrap();
        let api = Api::new(&token, url, pace()).unwrap();
        ToTelegram { telegram, push: telegram::Push::new(Arc::new(api)) }
    }

    async fn carry(&self, chat: Chat, errand: Errand) -> Outcome {
        self.carry_to(&format!("telegram:{}", chat.0), errand).await
    }

    async fn carry_to(&self, to: &str, errand: Errand) -> Outcome {
        let place = if to.contains('/') { PlaceKind::Topic } else { PlaceKind::Group };
        self.push.carry(&order(to, place, errand)).await
    }

    fn sound(&self) {
        if let Some(specs) = specs() {
            let faults = super::telegram::check_against_spec(&self.telegram.calls(), &specs);
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_on_telegram_stands_where_it_belongs() {
    let to = ToTelegram::new().await;
    let (forum, group) = (to.telegram.forum("Forum"), to.telegram.supergroup("Crew"));
    let topic = to.telegram.topic(forum, "Westpole");
    let (id, more) = done(to.carry_to(&format!("telegram:{}/{topic}", forum.0), Errand::Post(post(news()))).await);
    let there = to.telegram.messages(forum).remove(0);
    assert_eq!((there.id, there.thread, more), (id as i64, Some(topic), false));
    says(&there.html, &["<b>It &lt;broke&gt;</b>", "at <b>five</b>"]);
    assert_eq!(there.buttons, [[("Timeline".to_owned(), "/timeline westpole".to_owned())]]);
    let answered = post(news());
    let answered = Post { plain: true, silent: true, reply_to: Some(id), ..answered };
    done(to.carry_to(&format!("telegram:{}/{topic}", forum.0), Errand::Post(answered.clone())).await);
    let plain = to.telegram.messages(forum).remove(1);
    assert_eq!((plain.reply_to, plain.html.contains("<b>")), (Some(id as i64), false));
    let call = to.telegram.calls().pop().unwrap();
    assert_eq!(call.params["disable_notification"], true);
    assert!(call.params.get("parse_mode").is_none() && call.params["link_preview_options"]["is_disabled"] == true);
    // A message that is gone cannot be answered, and is posted all the same.
    done(to.carry(group, Errand::Post(Post { reply_to: Some(99), ..answered })).await);
    assert_eq!(to.telegram.messages(group)[0].reply_to, None);
    assert_eq!(to.carry(group, Errand::Find { mark: MARK.to_owned(), since: 0 }).await, Outcome::Found(None));
    assert!(matches!(to.carry_to("telegram", Errand::Probe).await, Outcome::Done { .. }));
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_post_arrives_whole_on_telegram_and_is_changed_in_its_messages() {
    let to = ToTelegram::new().await;
    let ann = to.telegram.private(5, "Ann", "en");
    let (mut ids, mut more) = (Vec::new(), true);
    while more {
        let (id, rest) = done(to.carry(ann, Errand::Post(Post { part: ids.len(), ..post(long()) })).await);
        ids.push(id);
        more = rest;
    }
    let all = to.telegram.messages(ann);
    assert!(ids.len() > 2 && all.len() == ids.len());
    let text: Vec<&str> = all.iter().map(|message| message.text.trim()).collect();
    assert_eq!(
        text.join(" ").split_whitespace().filter(|word| word.starts_with('w')).count(),
        2_200,
        "nothing is lost"
    );
    let with_buttons: Vec<bool> = all.iter().map(|message| !message.buttons.is_empty()).collect();
    assert_eq!(with_buttons.iter().filter(|it| **it).count(), 1);
    assert!(with_buttons.last().unwrap());

    let parts = ids.len();
    let same = to.carry(ann, edit(ids[0], long(), 0, parts)).await;
    assert_eq!(done(same), (ids[0], true), "what reads so already is done");
    for (part, id) in ids.iter().enumerate() {
        assert_eq!(done(to.carry(ann, edit(*id, news(), part, parts)).await), (*id, part + 1 < parts));
    }
    let all = to.telegram.messages(ann);
    says(&all[0].text, &["It <broke>"]);
    assert!(all[0].buttons.is_empty());
    assert!(
        all[1..].iter().all(|message| message.text.contains("Nothing is left here")),
        "what is left over says nothing"
    );
    assert_eq!(all.last().unwrap().buttons.len(), 1, "the buttons stay on the last");

    for (part, id) in ids[..2].iter().enumerate() {
        done(to.carry(ann, edit(*id, long(), part, 2)).await);
    }
    let all = to.telegram.messages(ann);
    says(&all[1].text, &["There is more than fits here: /history tells it."]);
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_telegram_refuses_is_understood() {
    let to = ToTelegram::new().await;
    let (forum, group, channel) = (to.telegram.forum("F"), to.telegram.supergroup("G"), to.telegram.channel("C"));
    let ann = to.telegram.private(5, "Ann", "en");
    let say = || Errand::Post(post(news()));
    let topic = to.telegram.topic(forum, "T");
    to.telegram.sets_topic(forum, topic, Some(true));
    let there = format!("telegram:{}/{topic}", forum.0);
    assert!(matches!(to.carry_to(&there, say()).await, Outcome::Closed(_)));
    to.telegram.sets_topic(forum, topic, None);
    assert!(matches!(to.carry_to(&there, say()).await, Outcome::Closed(_)));
    done(to.carry_to(&there, Errand::Post(Post { general: true, ..post(news()) })).await);
    assert_eq!(to.telegram.messages(forum)[0].thread, None);

    to.telegram.removed_from(ann, 5);
    is_shut(to.carry(ann, say()).await, false);
    is_shut(to.carry(Chat(77), say()).await, false);
    is_shut(to.carry_to("telegram:x", say()).await, false);
    to.telegram.members_write(group, false);
    is_shut(to.carry(group, say()).await, true);
    to.telegram.refuses(group, Some((400, "CHAT_WRITE_FORBIDDEN")));
    is_shut(to.carry(group, say()).await, true);
    to.telegram.refuses(group, None);
    to.telegram.removed_from(group, 5);
    is_shut(to.carry(group, say()).await, false);
    to.telegram.makes_bot(channel, "member", 5);
    is_shut(to.carry(channel, say()).await, true);

    let old = to.telegram.group("Old");
    let new = to.telegram.migrates(old);
    assert_eq!(to.carry(old, say()).await, Outcome::Moved(Address(format!("telegram:{}", new.0))));
    assert!(matches!(to.carry(new, edit(99, news(), 0, 1)).await, Outcome::Gone(_)));
    to.telegram.fault("sendMessage", 1, Fault::TooMany(7));
    assert_eq!(to.carry(new, say()).await, Outcome::Later { wait: 7_000, all: false });
    to.telegram.fault("sendMessage", 1, Fault::Refuse(400, "can't parse entities: no"));
    assert!(matches!(to.carry(new, say()).await, Outcome::Content(_)));
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_on_telegram_is_told_from_what_did_not() {
    let to = ToTelegram::new().await;
    let ann = to.telegram.private(5, "Ann", "en");
    let say = || Errand::Post(post(news()));
    for fault in
        [Fault::CutBefore, Fault::CutAfter, Fault::HtmlAfter(502), Fault::Html(502), Fault::Refuse(500, "restart")]
    {
        to.telegram.fault("sendMessage", 1, fault);
        assert!(matches!(to.carry(ann, say()).await, Outcome::Unsure(_)), "{fault:?}");
    }
    assert_eq!(to.telegram.messages(ann).len(), 2);
    to.telegram.fault("sendMessage", 1, Fault::StrangeChat);
    let (id, _) = done(to.carry(ann, say()).await);
    assert_eq!(to.telegram.messages(ann).last().unwrap().id, id as i64);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let nowhere = ToTelegram::at(to.telegram.clone(), &url);
    let Outcome::NotSent(why) = nowhere.carry(ann, say()).await else { panic!("it was sent to nobody") };
    assert!(!why.contains("7000000001"), "the token is in {why}");
    to.telegram.rules(|rules| rules.token_revoked = true);
    assert_eq!(to.carry(ann, say()).await, Outcome::Token);
}

/// Discord's courier, and where it goes.
struct ToDiscord {
    discord: Discord,
    town: Town,
    pace: Arc<Pace>,
    wire: Arc<Wire>,
    push: discord::Push,
    guild: Id,
    channel: Id,
}

impl ToDiscord {
    async fn new() -> ToDiscord {
        let (discord, town, pace) = (Discord::start().await, Town::empty(), pace());
        let token = platform("DISCORD", discord.url(), &discord.token()).token.unwrap();
        let wire = Arc::new(Wire::new(discord.url(), token, Arc::clone(&pace)).unwrap());
        let push = discord::Push::new(Arc::clone(&wire), discord.app(), town.desk.clone());
        let guild = discord.guild("Crew");
        let channel = discord.text_channel(guild, "news");
        ToDiscord { discord, town, pace, wire, push, guild, channel }
    }

    async fn carry(&self, errand: Errand) -> Outcome {
        self.carry_to(self.channel, PlaceKind::Group, errand).await
    }

    async fn carry_to(&self, channel: Id, place: PlaceKind, errand: Errand) -> Outcome {
        self.push.carry(&order(&format!("discord:{channel}"), place, errand)).await
    }

    async fn say(&self) -> Outcome {
        self.carry(Errand::Post(post(news()))).await
    }

    async fn find(&self) -> Outcome {
        self.carry(Errand::Find { mark: MARK.to_owned(), since: now() }).await
    }

    fn sound(&self) {
        if let Some(specs) = specs() {
            let faults = super::discord::check_against_spec(&self.discord.calls(), &specs);
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_on_discord_bears_its_mark_and_calls_only_the_role_it_should() {
    let to = ToDiscord::new().await;
    let role = to.discord.role(to.guild, "On call");
    let (first, more) = done(to.say().await);
    assert!(!more);
    let said =
        Post { silent: true, mention: Some(role), reply_to: Some(first), nonce: "two".to_owned(), ..post(news()) };
    done(to.carry(Errand::Post(said.clone())).await);
    let [one, two] = &to.discord.messages(to.channel)[..] else { panic!("two messages") };
    says(&one.text, &["It \\<broke\\>", "at **five**", "Red: something is wrong · 3f2ab4c5d6"]);
    assert_eq!(one.sent["allowed_mentions"], serde_json::json!({ "parse": [] }));
    assert!(one.content.is_empty() && one.sent["enforce_nonce"] == true && one.sent["nonce"] == "a-nonce");
    assert_eq!(two.content, format!("<@&{role}>"));
    assert_eq!(two.raw["mention_roles"], serde_json::json!([role.to_string()]));
    assert_eq!(two.sent["allowed_mentions"], serde_json::json!({ "parse": [], "roles": [role.to_string()] }));
    assert_eq!(
        (two.raw["flags"].as_u64(), &two.raw["message_reference"]["message_id"]),
        (Some(1 << 12), &serde_json::json!(first.to_string()))
    );
    let plain = Post { plain: true, nonce: "three".to_owned(), ..said };
    done(to.carry(Errand::Post(plain)).await);
    let three = to.discord.messages(to.channel).pop().unwrap();
    assert!(three.raw["embeds"].as_array().unwrap().is_empty());
    says(&three.content, &[&format!("<@&{role}>\nIt \\<broke\\>\nat five"), "-# 3f2ab4c5d6"]);
    let probe = order("discord", PlaceKind::Private, Errand::Probe);
    assert!(matches!(to.push.carry(&probe).await, Outcome::Done { .. }), "it goes to no channel");
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_on_discord_that_is_sent_twice_is_there_once() {
    let to = ToDiscord::new().await;
    for fault in [Gone::Lost, Gone::DoneBut(502), Gone::Cut] {
        to.discord.fault("POST /channels", 1, fault);
        assert!(matches!(to.say().await, Outcome::Unsure(_)), "{fault:?}");
    }
    let (id, _) = done(to.say().await);
    assert_eq!(to.discord.messages(to.channel).iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
    to.discord.deletes(id);
    assert_eq!(to.say().await, Outcome::Done { id: None, more: false }, "it was there, and somebody deleted it");
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_discord_is_changed_without_calling_anybody_again() {
    let to = ToDiscord::new().await;
    let role = to.discord.role(to.guild, "On call");
    let (id, _) = done(to.carry(Errand::Post(Post { mention: Some(role), ..post(news()) })).await);
    assert_eq!(done(to.carry(edit(id, Reply::titled("All is well"), 0, 1)).await), (id, false));
    let now = to.discord.messages(to.channel).pop().unwrap();
    says(&now.text, &["All is well"]);
    assert_eq!((now.content, now.rows.len()), (format!("<@&{role}>"), 0));
    assert!(now.sent.get("content").is_none() && now.sent["allowed_mentions"] == serde_json::json!({ "parse": [] }));
    let ann = to.discord.user("ann", "en-US", may::USUAL);
    let hers = to.discord.says(to.channel, ann, "hello");
    assert!(matches!(to.carry(edit(hers, news(), 0, 1)).await, Outcome::Gone(_)));
    to.discord.deletes(id);
    assert!(matches!(to.carry(edit(id, news(), 0, 1)).await, Outcome::Gone(_)));
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_again_by_its_mark() {
    let to = ToDiscord::new().await;
    assert_eq!(to.find().await, Outcome::Found(None));
    let ann = to.discord.user("ann", "en-US", may::USUAL);
    to.discord.says(to.channel, ann, &format!("I say {MARK}"));
    for _ in 0..150 {
        to.discord.says(to.channel, ann, "chatter");
    }
    assert_eq!(to.find().await, Outcome::Found(None), "others' messages are not ours");
    let (id, _) = done(to.say().await);
    assert_eq!(to.find().await, Outcome::Found(Some(id)), "on the second page");
    let later = Errand::Find { mark: MARK.to_owned(), since: now() + 3_600_000 };
    assert_eq!(to.carry(later).await, Outcome::Found(None));
    to.discord.bot_may(to.channel, may::SEND | may::EMBED);
    assert_eq!(to.find().await, Outcome::Found(None), "what may not be read cannot be found");
    to.discord.bot_may(to.channel, may::USUAL);
    to.discord.fault("GET /channels", 1, Gone::Down(502));
    assert!(matches!(to.find().await, Outcome::NotSent(_)));
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_refuses_is_understood() {
    let to = ToDiscord::new().await;
    to.discord.bot_may(to.channel, may::VIEW | may::EMBED);
    is_shut(to.say().await, true);
    to.discord.bot_may(to.channel, 0);
    is_shut(to.say().await, true);
    to.discord.bot_may(to.channel, may::USUAL);
    let thread = to.discord.thread(to.channel, "talk");
    done(to.carry_to(thread, PlaceKind::Topic, Errand::Post(post(news()))).await);
    let forum = to
        .discord
        .channel(serde_json::json!({ "type": 15, "guild_id": to.guild.to_string(), "name": "f", "parent_id": null }));
    is_shut(to.carry_to(forum, PlaceKind::Group, Errand::Post(post(news()))).await, false);
    to.discord.delete_channel(thread);
    is_shut(to.carry_to(thread, PlaceKind::Topic, Errand::Post(post(news()))).await, false);
    is_shut(to.push.carry(&order("discord:g5", PlaceKind::Group, Errand::Post(post(news())))).await, false);
    to.discord.fault("POST /channels", 1, Gone::Refused(400, 200_000, "blocked by AutoMod"));
    assert!(matches!(to.say().await, Outcome::Content(_)));
    to.discord.fault("POST /channels", 1, Gone::Refused(400, 50007, "Cannot send messages to this user"));
    is_shut(to.say().await, false);
    to.discord.kick(to.guild);
    is_shut(to.say().await, true);
    to.discord.revoke_token();
    assert_eq!(to.say().await, Outcome::Token);
    assert!(to.wire.standing.is_refused(), "the door hears that the token is refused");
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_refuses_without_a_known_reason_is_not_the_contents_fault() {
    let to = ToDiscord::new().await;
    for fault in [
        Gone::Refused(400, 0, "400: Bad Request"),
        Gone::Refused(413, 40005, "Request entity too large"),
        Gone::Refused(451, 0, "Unavailable"),
        Gone::Plain(400),
        Gone::Plain(413),
        Gone::Plain(404),
    ] {
        to.discord.fault("POST /channels", 1, fault);
        let outcome = to.say().await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{fault:?}: {outcome:?}");
    }
    to.discord.fault("POST /channels", 1, Gone::DoneBut(408));
    assert!(matches!(to.say().await, Outcome::Unsure(_)));
    let (id, _) = done(to.say().await);
    assert_eq!(
        to.discord.messages(to.channel).iter().map(|it| it.id).collect::<Vec<_>>(),
        [id],
        "one nonce, one message"
    );
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_401_or_404_of_the_token_leaves_a_delivery_as_it_is() {
    let to = ToDiscord::new().await;
    to.discord.fault("POST /channels", 1, Gone::Refused(401, 0, "401: Unauthorized"));
    done(to.say().await);
    for status in [401, 404] {
        to.discord.fault("GET /users/@me", 1, Gone::Refused(status, 0, "no"));
        let probed = to.push.carry(&order("discord", PlaceKind::Private, Errand::Probe)).await;
        assert!(matches!(probed, Outcome::Done { .. }), "{probed:?}");
    }
    assert!(!to.wire.standing.is_refused());
    // Whether the token is refused is not known: nothing is risked, and nothing given up.
    to.discord.fault("POST /channels", 1, Gone::Refused(401, 0, "401: Unauthorized"));
    to.discord.fault("GET /users/@me", 1, Gone::Down(503));
    assert!(matches!(to.say().await, Outcome::NotSent(_)));
    assert!(!to.wire.standing.is_refused());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_found_by_discords_clock() {
    for ahead in [-300_000, 300_000] {
        let to = ToDiscord::new().await;
        to.discord.rules(|rules| rules.clock_ahead = ahead);
        // The first answer tells what time it is there.
        to.push.carry(&order("discord", PlaceKind::Private, Errand::Probe)).await;
        let now = to.pace.clock().now();
        let there = to.pace.budget().server_time(now);
        assert!((there - now - ahead).abs() < 2_000, "{} of {ahead}", there - now);
        let (id, _) = done(to.say().await);
        let found = to.carry(Errand::Find { mark: MARK.to_owned(), since: there }).await;
        assert_eq!(found, Outcome::Found(Some(id)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    let to = ToDiscord::new().await;
    to.discord.fault("POST /channels", 1, Gone::Endless(16 << 20));
    assert!(matches!(to.say().await, Outcome::Unsure(_)), "it is taken for cut off");
    to.discord.fault("POST /channels", 1, Gone::Endless(1 << 20));
    done(to.say().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_opens_an_archived_thread_or_is_left() {
    let to = ToDiscord::new().await;
    let thread = to.discord.thread(to.channel, "talk");
    let (id, _) = done(to.carry_to(thread, PlaceKind::Topic, Errand::Post(post(news()))).await);
    let change = || edit(id, Reply::titled("It is mended"), 0, 1);
    to.discord.archives(thread, true, false);
    done(to.carry_to(thread, PlaceKind::Topic, change()).await);
    to.discord.archives(thread, true, true);
    assert!(matches!(to.carry_to(thread, PlaceKind::Topic, change()).await, Outcome::Frozen(_)));
    is_shut(to.carry_to(thread, PlaceKind::Topic, Errand::Post(post_again("two"))).await, false);
    to.discord.archives(thread, true, false);
    to.discord.bot_may(thread, may::VIEW);
    assert!(matches!(to.carry_to(thread, PlaceKind::Topic, change()).await, Outcome::Frozen(_)));
    to.discord.bot_may(thread, may::USUAL);
    to.discord.fault("PATCH /channels", 1, Gone::Refused(400, 50083, "This thread is archived"));
    to.discord.fault(&format!("PATCH /channels/{thread}"), 1, Gone::Down(502));
    let later = to.carry_to(thread, PlaceKind::Topic, change()).await;
    assert!(matches!(later, Outcome::Unsure(_)), "it may be opened later: {later:?}");
}

fn post_again(nonce: &str) -> Post {
    Post { nonce: nonce.to_owned(), ..post(news()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_limit_on_any_request_holds_for_all() {
    let to = ToDiscord::new().await;
    to.discord.fault("GET /users/@me", 1, Gone::Limited(2.0, "global"));
    to.push.carry(&order("discord", PlaceKind::Private, Errand::Probe)).await;
    let now = to.pace.clock().now();
    assert!(to.pace.budget().shut_until() > now + 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_may_be_read_nothing_is_answered_but_all_is_posted() {
    let to = ToDiscord::new().await;
    let (first, _) = done(to.say().await);
    to.discord.bot_may(to.channel, may::VIEW | may::SEND | may::EMBED);
    let answer = || Errand::Post(Post { reply_to: Some(first), nonce: "two".to_owned(), ..post(news()) });
    assert!(matches!(to.carry(answer()).await, Outcome::Later { all: false, .. }));
    done(to.carry(answer()).await);
    to.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_says_of_limits_is_minded() {
    let to = ToDiscord::new().await;
    let chat = format!("discord:{}", to.channel);
    let free_in =
        || to.pace.budget().chat_next(strillone::dispatch::pace::Priority::Push, &chat) - to.pace.clock().now();
    to.discord.rules(|rules| rules.bucket = (2, Duration::from_secs(30)));
    done(to.say().await);
    assert!(free_in() <= 0, "there is one left");
    done(to.say().await);
    assert!((20_000..=30_000).contains(&free_in()), "{}", free_in());
    assert!(matches!(to.say().await, Outcome::Later { all: false, wait: 20_000..=30_000 }));
    to.discord.fault("POST /channels", 1, Gone::Limited(1.5, "global"));
    assert_eq!(to.say().await, Outcome::Later { wait: 1_500, all: true });
    // Of these four and the next, only those that are our fault are counted: 429 twice, and 403.
    to.discord.fault("POST /channels", 1, Gone::Limited(0.1, "shared"));
    to.say().await;
    let mut bell = to.town.desk.signs().listen();
    for _ in 0..2 {
        to.discord.fault("POST /channels", 1, Gone::Html(403));
        let said = to.say().await;
        assert!(matches!(said, Outcome::Later { wait: 599_000..=600_000, all: true }), "{said:?}");
    }
    let alert = bell.recv().await.unwrap();
    assert_eq!(alert.about, None);
    says(&alert.words.en, &["shut me out"]);
    assert!(bell.try_recv().is_err(), "it is told once");
    // The second was not even asked.
    assert_eq!(to.pace.budget().invalid(to.pace.clock().now()), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_in_an_announcement_channel_is_published() {
    let to = ToDiscord::new().await;
    let loud = to.discord.announcement(to.guild, "loud");
    let (id, _) = done(to.carry_to(loud, PlaceKind::Broadcast, Errand::Post(post(news()))).await);
    let published = |it: &Discord| {
        let messages = it.messages(loud);
        messages.iter().any(|it| it.id == id && it.raw["flags"].as_u64().unwrap_or(0) & 1 != 0).then_some(())
    };
    assert!(published(&to.discord).is_none(), "publishing is a request of its own");
    let publish = || to.carry_to(loud, PlaceKind::Broadcast, Errand::Publish { message: id });
    done(publish().await);
    assert!(published(&to.discord).is_some());
    // A second time it is published already: that is no trouble.
    assert_eq!(publish().await, Outcome::Over);
    to.sound();
}
