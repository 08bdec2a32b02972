//! A moderator's day: one story from an empty store, by the program itself, on both networks at once.

use super::{
    discord::{Answer, Id, may},
    news::{LONG, OWNER, Press, fast},
    telegram::{Chat, Message},
};
use crate::town::{says, silent_on};

/// Who takes part, and where.
struct Day {
    press: Press,
    /// A group on Telegram, and a channel on Discord, that follow.
    group: Chat,
    channel: Id,
    /// A moderator, and a reader, on Discord.
    kay: Id,
    ann: Id,
}

/// What people read of a message on Discord, without the signs that make it bold.
fn shown(message: &Answer) -> String {
    message.text.replace(['\\', '`'], "").replace("**", "")
}

impl Day {
    async fn begin() -> Day {
        let mut press = Press::new(&fast()).await;
        let group = press.telegram.supergroup("Crew");
        press.telegram.member(group, OWNER, "creator");
        let channel = press.discord.text_channel(press.discord.guild("Crew"), "news");
        let kay = press.discord.user("kay", "en-GB", may::USUAL | may::MANAGE_GUILD);
        let ann = press.discord.user("ann", "en-US", may::USUAL);
        press.start().await;
        Day { press, group, channel, kay, ann }
    }

    /// The owner writes a line in a chat; the answer.
    async fn owner(&self, chat: Chat, line: &str) -> Message {
        let telegram = &self.press.telegram;
        let before = telegram.messages(chat).len();
        telegram.says(chat, OWNER, line);
        telegram.wait_for(chat, before + 1, LONG).await.pop().unwrap()
    }

    /// The owner presses a button; what the message says then.
    async fn owner_presses(&self, message: &Message, label: &str) -> Message {
        let telegram = &self.press.telegram;
        let query = telegram.presses(message, label, OWNER);
        telegram.wait_answer(&query, LONG).await;
        let changed = |it: &Message| it.id == message.id && it.edits > message.edits;
        telegram.until(label, LONG, |it| it.messages(message.chat).into_iter().find(changed)).await
    }

    /// What somebody on Discord is answered with in the end.
    async fn answer(&self, interaction: Id) -> String {
        shown(&self.press.discord.answer(interaction, LONG).await)
    }

    async fn slash(&self, who: Id, command: &str, given: &[(&str, &str)]) -> (Id, String) {
        let asked = self.press.discord.slash(self.channel, who, command, given);
        (asked, self.answer(asked).await)
    }

    async fn presses(&self, of: Id, label: &str) -> String {
        let press = self.press.discord.presses(of, label, self.kay);
        self.answer(press).await
    }

    /// A private message to somebody on Discord that holds some words.
    async fn private(&self, who: Id, words: &str) -> Answer {
        let channel = self.press.discord.dm(who);
        let found = |it: &Answer| shown(it).contains(words);
        self.press.discord.until(LONG, words, |it| it.messages(channel).into_iter().find(found)).await
    }

    /// How an entry's post reads now on Telegram and on Discord, once both hold some words.
    async fn posts(&self, entry: &str, words: &str) -> [String; 2] {
        let (own, held) = (format!("{entry} r"), |text: &str| text.contains(words));
        let (group, channel) = (self.group, self.channel);
        let telegram = self
            .press
            .telegram
            .until(&format!("{entry}: {words}"), LONG, |it| {
                it.messages(group).into_iter().find(|it| it.text.contains(&own) && held(&it.text))
            })
            .await;
        let so = |it: &Answer| shown(it).contains(&own) && held(&shown(it));
        let discord =
            self.press.discord.until(LONG, &own, |it| it.messages(channel).into_iter().find(|it| so(it))).await;
        [telegram.html, shown(&discord)]
    }

    /// The entries that were posted, in the order of the posts.
    fn order(&self) -> [Vec<String>; 2] {
        let telegram = self.press.telegram.messages(self.group).into_iter().map(|it| it.text);
        let discord = self.press.discord.messages(self.channel).into_iter().map(|it| shown(&it));
        let posted = |texts: Vec<String>| {
            let name = |text: &String| {
                text.split_whitespace().rfind(|word| word.contains('#') && !word.starts_with('#')).map(str::to_owned)
            };
            texts.iter().filter(|it| it.contains(" r1") || it.contains(" r2")).filter_map(name).collect()
        };
        [posted(telegram.collect()), posted(discord.collect())]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_kept_by_two_people_on_two_networks() {
    let day = Day::begin().await;
    let (press, own) = (&day.press, day.press.owner);
    says(&press.publish("/open acme | Acme S.p.A.").await, &["Recorded as acme#1."]);
    let named = day.owner(own, &format!("/moderators add discord:{}", day.kay)).await;
    says(&named.text, &[&format!("discord:{} is now a moderator.", day.kay)]);
    says(&day.owner(day.group, "/subscribe acme").await.text, &["From now on", "acme"]);
    says(&day.slash(day.kay, "subscribe", &[("what", "acme")]).await.1, &["From now on", "acme"]);

    // One records in a line, the other in a form; each is posted on the other network too, in that order.
    let line = "/event acme 2023-12-20T09:00 | The portal is down. | https://example.org/a";
    says(&press.publish(line).await, &["Recorded as acme#3."]);
    let (form, title) = day.slash(day.kay, "statement", &[("incident", "acme")]).await;
    says(&title, &["Record what somebody said"]);
    let filled = [("date", "20 December 2023"), ("speaker", "Acme (press office)"), ("text", "Nothing was lost.")];
    let sent = press.discord.modal_submit(form, &filled, day.kay);
    says(&day.answer(sent).await, &["This is how it will be posted.", "20 December 2023", "Nothing was lost."]);
    says(&day.presses(sent, "Publish").await, &["Recorded as acme#4."]);
    for post in day.posts("acme#4", "Nothing was lost.").await {
        says(&post, &["Acme S.p.A.", "Statement", "press office", "20 December 2023", "Nothing was lost."]);
    }
    let [telegram, discord] = day.posts("acme#3", "The portal is down.").await;
    says(&telegram, &["Event · ", "20 December 2023, 09:00", "example.org"]);
    // Discord tells it on everybody's own clock.
    says(&discord, &["Event · <t:1703059200:f>", "example.org"]);
    assert_eq!(day.order(), [vec!["acme#3", "acme#4"], vec!["acme#3", "acme#4"]]);

    // A mistake is corrected on Discord: the posts change.
    let wrong = [("entry", "acme#3"), ("text", "The portal answers slowly."), ("what", "it was never down")];
    let (asked, preview) = day.slash(day.kay, "correct", &wrong).await;
    says(&preview, &["The portal answers slowly.", "it was never down"]);
    says(&day.presses(asked, "Publish").await, &["Recorded as acme#5."]);
    let [telegram, discord] = day.posts("acme#3", "it was never down").await;
    says(&telegram, &["<s>The portal is down.</s>", "The portal answers slowly.", "Corrected"]);
    says(&discord, &["~~The portal is down.~~", "The portal answers slowly.", "Corrected"]);

    // The owner takes the statement back: the other one has to want it, too.
    let draft = day.owner(own, "/retract acme#4 | it was said of another outage").await;
    let waits = day.owner_presses(&draft, "Publish").await;
    says(&waits.text, &["takes an entry back", "second moderator", "nothing is recorded yet"]);
    let card = day.private(day.kay, "takes an entry back").await;
    says(&shown(&card), &["already did. Draft", "This is how it will be posted.", "it was said of another outage"]);
    for post in day.posts("acme#4", "Nothing was lost.").await {
        silent_on(&post, &["Retracted", "another outage"]);
    }
    says(&day.presses(card.id, "Publish").await, &["Recorded as acme#6"]);
    let [telegram, discord] = day.posts("acme#4", "it was said of another outage").await;
    says(&telegram, &["<s>Nothing was lost.</s>", "Retracted"]);
    says(&discord, &["~~Nothing was lost.~~", "Retracted"]);

    press.all_on_telegram(&[own], &format!("Recorded as acme#6 by discord:{}. It takes acme#4 back.", day.kay)).await;

    // A reader suggests; the owner approves; the other's card changes, and the reader hears of it.
    let before = press.telegram.messages(own).len();
    let given = [("incident", "acme"), ("text", "The portal is back."), ("link", "https://example.org/b")];
    says(&day.slash(day.ann, "suggest", &given).await.1, &["Thank you."]);
    let card = press.telegram.wait_for(own, before + 1, LONG).await.pop().unwrap();
    says(&card.text, &["suggests this entry", "The portal is back.", "example.org"]);
    let theirs = day.private(day.kay, "suggests this entry").await;
    says(&shown(&theirs), &["The portal is back.", "example.org"]);
    assert_eq!(theirs.rows[0].iter().map(|it| it.0.as_str()).collect::<Vec<_>>()[..2], ["Approve", "Approve quietly"]);
    let done = day.owner_presses(&card, "Approve").await;
    says(&done.text, &["Recorded as acme#8"]);
    let told = day.private(day.ann, "Your suggestion was accepted. Thank you.").await;
    says(&shown(&told), &["Recorded as acme#8."]);
    let changed =
        |it: &Answer| (it.id == theirs.id && shown(it).contains("Recorded as acme#8 by telegram:")).then(|| it.clone());
    let dm = press.discord.dm(day.kay);
    let theirs = press.discord.until(LONG, "the card", |it| it.messages(dm).iter().find_map(changed)).await;
    assert!(theirs.rows.iter().flatten().all(|(label, _)| label != "Approve"), "{theirs:#?}");
    for post in day.posts("acme#8", "The portal is back.").await {
        says(&post, &["Acme S.p.A.", "Event", "example.org"]);
    }

    // What happened is told to whoever wants to know.
    let history = day.owner(own, "/history acme#3").await.text;
    says(&history, &["2 versions", "it was never down", "The portal is", "answers", "slowly.", "The portal is down."]);
    let trail = day.owner(own, "/audit").await.text;
    let kay = format!("discord:{}", day.kay);
    for words in [&format!("discord:{} suggested an entry", day.ann), &kay, "acme#8", "acme#6"] {
        says(&trail, &[words]);
    }
    press.sound();
}
