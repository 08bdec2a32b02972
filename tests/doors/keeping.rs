//! Those who keep the record on Telegram: by answering a message, and by being asked part by part.

use record::{
    entry::Said,
    lang::Lang,
    party::Party,
    view::{Entry, Incident},
};
use serde_json::json;

use super::{
    PATIENCE,
    on_telegram::{Bot, answer, sound},
    telegram::{Chat, Fault, Message, Telegram, document, photo},
};
use crate::town::{Town, says, silent_on};

/// 20 December 2023, 09:00 UTC: 10:00 where Westpole's clocks run.
const DATE: i64 = 1_703_062_800;

fn town() -> Town {
    let owners = ("STRILLONE_MODERATION__OWNERS", "[\"telegram:5\"]");
    Town::westpole_set(&[owners, ("STRILLONE_COMMANDS__BURST", "1000")])
}

fn westpole(town: &Town) -> Incident {
    town.store().view().incident("westpole").unwrap().unwrap()
}

fn last(town: &Town) -> Entry {
    let incident = westpole(town);
    town.store().view().entry(&incident, incident.last, None).unwrap().unwrap()
}

/// The link of the source that the newest entry cites.
fn cited(town: &Town) -> String {
    let cited = town.store().view().cited(&westpole(town), &last(town), None).unwrap();
    match &cited[0].said {
        Said::Source(source) => source.link.as_ref().unwrap().as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

async fn reply(telegram: &Telegram, chat: Chat, to: i64, line: &str) -> Message {
    let before = telegram.messages(chat).len();
    telegram.replies(chat, to, 5, line);
    telegram.wait_for(chat, before + 1, PATIENCE).await.pop().unwrap()
}

/// Presses a button of a preview; what takes its place.
async fn press(telegram: &Telegram, message: &Message, label: &str) -> String {
    let query = telegram.presses(message, label, 5);
    telegram.wait_answer(&query, PATIENCE).await;
    let edited = |it: &Telegram| {
        it.messages(message.chat).into_iter().find(|found| found.id == message.id && found.edits > message.edits)
    };
    telegram.until("the message changes", PATIENCE, edited).await.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_a_group_is_recorded_by_answering_it() {
    let (town, telegram) = (town(), Telegram::start().await);
    let group = telegram.supergroup("Crew");
    telegram.user(5, "Ann", "en");
    let bot = Bot::start(&town, &telegram);
    let message = telegram.sends(group, 6, json!({"text": "The portal answers again.", "date": DATE}));
    let preview = reply(&telegram, group, message, "/event westpole").await;
    says(
        &preview.text,
        &["This is how it will be posted.", "20 December 2023, 10:00 CET", "The portal answers again.", "t.me"],
    );
    silent_on(&preview.text, &["attachment"]);
    says(&press(&telegram, &preview, "Publish").await, &["Recorded as westpole#62"]);
    let number = group.0.to_string();
    assert_eq!(cited(&town), format!("https://t.me/c/{}/{message}", number.trim_start_matches("-100")));

    telegram.names(group, "@the_crew");
    let linked = json!({"text": "More at https://example.org/news today", "date": DATE});
    let linked = telegram.sends(group, 6, linked);
    let preview = reply(&telegram, group, linked, "/event@strillone_bot westpole 2023-12-21").await;
    says(&preview.text, &["21 December 2023", "Source: example.org"]);
    press(&telegram, &preview, "Publish").await;
    assert_eq!(cited(&town), "https://example.org/news");

    let plain = telegram.sends(group, 6, json!({"text": "Tutto risolto.", "date": DATE}));
    let preview = reply(&telegram, group, plain, "/statement westpole | ACN").await;
    says(&preview.text, &["ACN", "Tutto risolto."]);
    press(&telegram, &preview, "Publish").await;
    assert_eq!(cited(&town), format!("https://t.me/the_crew/{plain}"), "what is given is kept, the rest comes with it");

    let whole = reply(&telegram, group, plain, "/event westpole 2023-12-21 | My own words.").await;
    silent_on(&whole.text, &["Source:", "Tutto risolto."]);
    says(&reply(&telegram, group, plain, "/statement westpole").await.text, &["Something is missing: speaker"]);
    says(&reply(&telegram, group, whole.id, "/event westpole").await.text, &["Something is missing: when"]);
    says(&answer(&telegram, group, 5, "/event westpole").await.text, &["Something is missing: when"]);
    says(&reply(&telegram, group, plain, "/event nowhere").await.text, &["I know no incident called nowhere"]);
    telegram.replies(group, plain, 6, "/event westpole");
    let refusal = |it: &Telegram| it.messages(group).pop().filter(|last| last.text.contains("who keep the record"));
    telegram.until("a refusal", PATIENCE, refusal).await;
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_is_kept_as_a_link_and_said_to_be_not_stored() {
    let (town, telegram) = (town(), Telegram::start().await);
    let (group, ann) = (telegram.supergroup("Crew"), telegram.private(5, "Ann", "en"));
    telegram.names(group, "@the_crew");
    let bot = Bot::start(&town, &telegram);
    let picture = telegram.sends(group, 6, photo("The notice on https://example.org/door"));
    let preview = reply(&telegram, group, picture, "/event westpole").await;
    says(
        &preview.text,
        &["The attachment itself is not stored, only the link to the message.", "The notice on", "Source: t.me"],
    );
    press(&telegram, &preview, "Publish").await;
    assert_eq!(cited(&town), format!("https://t.me/the_crew/{picture}"));

    let letter = telegram.sends(group, 6, document(""));
    says(&reply(&telegram, group, letter, "/event westpole").await.text, &["Something is missing: text"]);
    let preview = reply(&telegram, group, letter, "/event westpole | A letter went out.").await;
    says(&preview.text, &["is not stored, only the link", "A letter went out.", "Source: t.me"]);
    let preview = reply(&telegram, group, letter, "/event westpole 2023-12-20 | A letter went out.").await;
    says(&preview.text, &["is not stored, only the link", "20 December 2023", "Source: t.me"]);

    let sent = telegram.sends(ann, 5, photo("Seen at the door."));
    says(&telegram.wait_for(ann, 1, PATIENCE).await[0].text, &["I answer to commands"]);
    let preview = reply(&telegram, ann, sent, "/event westpole").await;
    says(&preview.text, &["The attachment itself is not stored, and its message has no public address", "Seen at"]);
    silent_on(&preview.text, &["Source:"]);
    let before = telegram.messages(group).len();
    telegram.sends(group, 5, photo("/event westpole 2023-12-20 | A sign on the door."));
    let preview = telegram.wait_for(group, before + 1, PATIENCE).await.pop().unwrap();
    says(&preview.text, &["is not stored, only the link", "A sign on the door.", "Source: t.me"]);
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channels_post_that_was_passed_on_is_that_channels_statement() {
    let (town, telegram) = (town(), Telegram::start().await);
    let (ann, channel) = (telegram.private(5, "Ann", "it"), telegram.channel("ACN"));
    telegram.names(channel, "@acn_it");
    let bot = Bot::start(&town, &telegram);
    let mut post = document("Tutti gli enti sono stati aiutati.");
    post["forward_origin"] = telegram.origin(channel, 44, DATE);
    let passed = telegram.sends(ann, 5, post);
    telegram.wait_for(ann, 1, PATIENCE).await;
    let preview = reply(&telegram, ann, passed, "/statement westpole").await;
    says(
        &preview.text,
        &[
            "Ecco come verrà pubblicato.",
            "resta solo il link al messaggio",
            "ACN",
            "20 dicembre 2023, ore 10:00",
            "Tutti gli enti",
        ],
    );
    says(&press(&telegram, &preview, "Pubblica").await, &["Registrato come"]);
    let Said::Statement(statement) = last(&town).said else { panic!("a statement") };
    assert_eq!(statement.speaker, Some(Party::Organisation("acn".parse().unwrap())));
    assert_eq!(
        (statement.date.to_string().as_str(), cited(&town).as_str()),
        ("2023-12-20T10:00", "https://t.me/acn_it/44")
    );
    bot.stop().await;
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_part_by_part_goes_on_after_a_kill() {
    let (town, telegram) = (town(), Telegram::start().await);
    let ann = telegram.private(5, "Anna", "it");
    let bot = Bot::start(&town, &telegram);
    let says_to = async |line: &str, words: &[&str]| says(&answer(&telegram, ann, 5, line).await.text, words);
    says_to("/event", &["incident: Il nome breve", "?", "Per esempio: westpole", "/cancel interrompe tutto"]).await;
    says_to("altrove", &["Non conosco un incidente di nome altrove", "incident: "]).await;
    says_to("west", &["when: Quando è successo", "Per esempio: 2023-12-20T09:00"]).await;
    says_to("prima o poi", &["Non capisco", "when: "]).await;

    // Killed after the answer is written down and before the next question is there.
    telegram.fault("sendMessage", 1, Fault::CutBefore);
    let tried =
        |it: &Telegram| it.calls().iter().filter(|call| call.method.eq_ignore_ascii_case("sendMessage")).count();
    let (before, sent) = (tried(&telegram), telegram.messages(ann).len());
    telegram.says(ann, 5, "2023-12-20T09:00");
    telegram.until("the question was tried", PATIENCE, |it| (tried(it) > before).then_some(())).await;
    drop(bot);
    let bot = Bot::start(&town, &telegram);
    let asked = telegram.wait_for(ann, sent + 1, PATIENCE).await.pop().unwrap();
    says(&asked.text, &["text: Che cosa è successo?"]);
    bot.stop().await;

    // Killed before the answer is heard.
    telegram.says(ann, 5, "Il portale | risponde di nuovo.");
    let bot = Bot::start(&town, &telegram);
    let asked = telegram.wait_for(ann, sent + 2, PATIENCE).await.pop().unwrap();
    says(&asked.text, &["link: Dove si legge", "- per lasciarlo fuori"]);
    says_to("/incidents", &["westpole"]).await;
    says_to("example.org", &["example.org non è un link", "link: "]).await;
    let preview = answer(&telegram, ann, 5, "https://example.org/novità").await;
    says(
        &preview.text,
        &["Ecco come verrà pubblicato.", "20 dicembre 2023, ore 09:00", "Il portale | risponde di nuovo."],
    );
    says(&press(&telegram, &preview, "Pubblica").await, &["Registrato come westpole#62"]);
    says_to("grazie", &["Rispondo ai comandi"]).await;
    bot.stop().await;
    assert_eq!(last(&town).said.when().unwrap().to_string(), "2023-12-20T09:00");
    let Said::Event(event) = last(&town).said else { panic!("an event") };
    assert_eq!(event.text.plain(Lang::It), "Il portale | risponde di nuovo.");
    sound(&telegram);
}

#[tokio::test(flavor = "multi_thread")]
async fn being_asked_can_be_cancelled() {
    let (town, telegram) = (town(), Telegram::start().await);
    let (ann, bo) = (telegram.private(5, "Ann", "en"), telegram.private(6, "Bo", "en"));
    let bot = Bot::start(&town, &telegram);
    let question = answer(&telegram, ann, 5, "/event westpole").await;
    says(&question.text, &["when: When it happened"]);
    says(&press(&telegram, &question, "Cancel").await, &["Cancelled; nothing was recorded."]);
    says(&answer(&telegram, ann, 5, "2023-12-20").await.text, &["I answer to commands"]);
    says(&answer(&telegram, ann, 5, "/annulla").await.text, &["There is nothing to cancel"]);
    answer(&telegram, ann, 5, "/retract westpole#14").await;
    telegram.sends(ann, 5, photo(""));
    let again = telegram.wait_for(ann, 5, PATIENCE).await.pop().unwrap();
    says(&again.text, &["why: Why, in words for readers?", "The attachment itself is not stored"]);
    says(&answer(&telegram, ann, 5, "/cancel").await.text, &["Cancelled"]);
    says(&answer(&telegram, bo, 6, "/event westpole").await.text, &["for those who keep the record"]);
    bot.stop().await;
    assert_eq!(westpole(&town).last, 60);
    sound(&telegram);
}
