//! What those who keep the record live through with Discord's forms.

use serde_json::{Value, json};

use super::{
    PATIENCE,
    discord::{Answer, Discord, Id, may},
    on_discord::{Bot, sound},
};
use crate::town::{Town, says, silent_on};

/// A server with somebody who keeps the record and somebody who only reads it.
struct Crew {
    town: Town,
    discord: Discord,
    bot: Bot,
    channel: Id,
    keeper: Id,
    reader: Id,
}

impl Crew {
    async fn speaking(locale: &str) -> Crew {
        let discord = Discord::start().await;
        let channel = discord.text_channel(discord.guild("Crew"), "news");
        let keeper = discord.user("kay", locale, may::USUAL | may::MANAGE_GUILD);
        let reader = discord.user("ann", locale, may::USUAL);
        let owners = format!("[\"discord:{keeper}\"]");
        let town = Town::westpole_set(&[
            ("STRILLONE_MODERATION__OWNERS", owners.as_str()),
            ("STRILLONE_COMMANDS__BURST", "1000"),
        ]);
        let bot = Bot::start(&town, &discord).await;
        Crew { town, discord, bot, channel, keeper, reader }
    }

    async fn answer(&self, interaction: Id) -> Answer {
        let mut answer = self.discord.answer(interaction, PATIENCE).await;
        // As people read it.
        answer.text = answer.text.replace('\\', "");
        answer
    }

    /// The form that an interaction is answered with.
    async fn form(&self, interaction: Id) -> Vec<(String, Value)> {
        let form = self.answer(interaction).await;
        assert_eq!(self.discord.acknowledged(interaction), Some(9), "{form:?}");
        let rows = form.raw["components"].as_array().unwrap().iter();
        rows.map(|row| &row["components"][0])
            .map(|it| (it["custom_id"].as_str().unwrap().to_owned(), it.clone()))
            .collect()
    }

    fn slash(&self, command: &str, given: &[(&str, &str)]) -> Id {
        self.discord.slash(self.channel, self.keeper, command, given)
    }

    async fn fill(&self, form: Id, filled: &[(&str, &str)]) -> (Id, Answer) {
        let sent = self.discord.modal_submit(form, filled, self.keeper);
        (sent, self.answer(sent).await)
    }

    async fn press(&self, on: Id, button: &str) -> (Id, Answer) {
        let press = self.discord.presses(on, button, self.keeper);
        (press, self.answer(press).await)
    }

    async fn end(self) {
        self.bot.stop().await;
        sound(&self.discord);
        assert!(self.discord.statuses().iter().all(|status| *status < 400), "{:?}", self.discord.statuses());
    }
}

fn names(form: &[(String, Value)]) -> Vec<&str> {
    form.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_lacks_its_text_opens_a_form_and_what_is_filled_in_is_drafted_and_recorded() {
    let crew = Crew::speaking("en-GB").await;
    let asked = crew.slash("event", &[("incident", "westpole")]);
    let form = crew.form(asked).await;
    assert_eq!(names(&form), ["when", "text", "link"]);
    let (when, text, link) = (&form[0].1, &form[1].1, &form[2].1);
    assert_eq!(
        (&when["label"], &when["style"], &when["required"]),
        (&json!("When it happened"), &json!(1), &json!(true))
    );
    assert_eq!(
        (&text["label"], &text["style"], &text["max_length"]),
        (&json!("What happened"), &json!(2), &json!(4000))
    );
    assert_eq!(link["required"], false);
    let raw = crew.answer(asked).await.raw;
    assert_eq!(
        (&raw["title"], &raw["custom_id"]),
        (&json!("Record something that happened"), &json!("/event incident:westpole"))
    );
    let words = "The portal: \"it answers\".\nAll of it | so far.";
    let (sent, preview) = crew.fill(asked, &[("when", "2023-12-20T09:00"), ("text", words)]).await;
    assert!(preview.ephemeral, "a draft is for whoever gave it");
    says(&preview.text, &["This is how it will be posted.", "The portal: \"it answers\".", "All of it | so far."]);
    let labels: Vec<_> = preview.rows[0].iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["Publish", "Publish quietly", "Edit", "Discard"]);
    says(&crew.press(sent, "Publish").await.1.text, &["Recorded as", "westpole#61"]);
    says(&crew.town.ask("/timeline westpole"), &["20 December 2023, 09:00", "The portal: \"it answers\"."]);
    // What is given needs no form; what is half given comes back in it.
    let whole = crew.slash("event", &[("incident", "westpole"), ("when", "2023-12-20"), ("text", "More.")]);
    says(&crew.answer(whole).await.text, &["This is how it will be posted.", "More."]);
    let half = crew.slash("correct", &[("entry", "westpole#61"), ("what", "less of it")]);
    let form = crew.form(half).await;
    assert_eq!(names(&form), ["text", "what", "when"]);
    assert_eq!(form[1].1["value"], "less of it");
    says(&crew.fill(half, &[("text", "Less.")]).await.1.text, &["Less.", "less of it"]);
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_filled_in_for_nothing_is_given_back() {
    let crew = Crew::speaking("en-US").await;
    let asked = crew.slash("event", &[("incident", "westpole")]);
    crew.form(asked).await;
    let (_, refused) = crew.fill(asked, &[("when", "soonish"), ("text", "All is well.")]).await;
    says(&refused.text, &["I do not understand “soonish” in a date", "So that it is not lost", "All is well."]);
    assert!(refused.ephemeral);
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_an_event_or_a_source() {
    let crew = Crew::speaking("en-US").await;
    let said = crew.discord.says(crew.channel, crew.reader, "They say <https://example.org/news>: all is well.");
    let menu = crew.discord.menu(crew.channel, crew.keeper, "Add to incident", said);
    let form = crew.form(menu).await;
    assert_eq!(names(&form), ["incident", "when", "text", "link"]);
    let value = |form: &[(String, Value)], at: usize| form[at].1["value"].as_str().unwrap_or_default().to_owned();
    assert_eq!((value(&form, 0).as_str(), &form[0].1["required"]), ("", &json!(true)));
    assert_eq!(value(&form, 2), "They say <https://example.org/news>: all is well.");
    assert_eq!(value(&form, 3), "https://example.org/news");
    let at = chrono::Utc::now().with_timezone(&chrono_tz::Tz::Europe__Rome).format("%Y-%m-%d").to_string();
    assert_eq!(value(&form, 1).get(..10), Some(at.as_str()));
    let (sent, preview) = crew.fill(menu, &[("incident", "westpole"), ("text", "All is well.")]).await;
    says(&preview.text, &["All is well.", "example.org"]);
    says(&crew.press(sent, "Publish").await.1.text, &["westpole#62"]);

    let menu = crew.discord.menu(crew.channel, crew.keeper, "Add as source", said);
    let form = crew.form(menu).await;
    assert_eq!(names(&form), ["incident", "link", "publisher", "title", "date"]);
    assert_eq!((value(&form, 1).as_str(), value(&form, 2).as_str()), ("https://example.org/news", "example.org"));
    let (_, known) = crew.fill(menu, &[("incident", "westpole")]).await;
    says(&known.text, &["That source is recorded already, as", "westpole#61", "So that it is not lost"]);

    // Where there is no address, the message has one; an attachment's would end.
    let picture = crew.discord.shows(crew.channel, crew.reader, "photo.png");
    let menu = crew.discord.menu(crew.channel, crew.keeper, "Add as source", picture);
    let form = crew.form(menu).await;
    says(&value(&form, 1), &["/channels/", &format!("/{}/{picture}", crew.channel)]);
    assert_eq!(form[1].1["label"], "Link (attachments are not kept)");
    let menu = crew.discord.menu(crew.channel, crew.keeper, "Add to incident", picture);
    assert_eq!(value(&crew.form(menu).await, 2), "");
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_edited_in_its_place() {
    let crew = Crew::speaking("en-US").await;
    let given =
        [("incident", "westpole"), ("when", "2023-12-20"), ("text", "Al is well."), ("link", "https://example.org/a")];
    let asked = crew.slash("event", &given);
    says(&crew.answer(asked).await.text, &["Al is well.", "example.org"]);
    let first = crew.answer(asked).await;
    let press = crew.discord.presses(asked, "Major", crew.keeper);
    crew.answer(press).await;
    let edit = crew.discord.presses(asked, "Edit", crew.keeper);
    let form = crew.form(edit).await;
    assert_eq!(names(&form), ["incident", "when", "text", "link"]);
    assert_eq!((&form[0].1["value"], &form[2].1["value"]), (&json!("westpole"), &json!("Al is well.")));
    let again = crew.discord.presses(asked, "Edit", crew.keeper);
    crew.form(again).await;
    let (sent, preview) = crew.fill(edit, &[("text", "All is well."), ("link", "")]).await;
    says(&preview.text, &["· major", "All is well."]);
    silent_on(&preview.text, &["example.org"]);
    assert_eq!((crew.discord.acknowledged(sent), preview.id), (Some(7), first.id), "in the place of the old preview");
    let (_, late) = crew.fill(again, &[("text", "Nothing is well.")]).await;
    says(&late.text, &["This draft was changed meanwhile", "So that it is not lost", "Nothing is well."]);
    assert!(late.ephemeral && late.id != first.id);
    says(&crew.press(asked, "Publish").await.1.text, &["westpole#61"]);
    says(&crew.town.ask("/timeline westpole"), &["All is well."]);
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_too_long_for_a_form_is_edited_by_its_line() {
    let crew = Crew::speaking("en-US").await;
    let long = "x".repeat(4_500);
    let asked = crew.slash("event", &[("incident", "westpole"), ("when", "2023-12-20"), ("text", &long)]);
    crew.answer(asked).await;
    let (press, shown) = crew.press(asked, "Edit").await;
    assert_eq!(crew.discord.acknowledged(press), Some(4));
    says(&shown.text, &["Copy this line"]);
    assert!(shown.ephemeral);
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_keep_the_record_is_refused_in_private_and_no_form_opens() {
    let crew = Crew::speaking("en-US").await;
    let (discord, channel, reader) = (&crew.discord, crew.channel, crew.reader);
    let said = discord.says(channel, reader, "https://example.org/news");
    for asked in [
        discord.slash(channel, reader, "event", &[("incident", "westpole")]),
        discord.menu(channel, reader, "Add to incident", said),
        discord.menu(channel, reader, "Add as source", said),
        discord.slash(channel, reader, "edit", &[("draft", "1")]),
    ] {
        let refused = crew.answer(asked).await;
        says(&refused.text, &["That is for those who keep the record."]);
        assert!(refused.ephemeral && discord.acknowledged(asked) == Some(4));
    }
    let input = |name: &str| json!({ "type": 1, "id": 1, "components": [{ "type": 4, "id": 2, "custom_id": name, "value": "x" }] });
    let forged = discord.forges_form(channel, reader, "/event incident:westpole when:2023", json!([input("text")]));
    says(&crew.answer(forged).await.text, &["That is for those who keep the record."]);
    for (id, words) in [
        ("nonsense at all", "I answer to commands"),
        ("/timeline \"", "never closed"),
        ("/event", "Something is missing"),
    ] {
        let forged = discord.forges_form(
            channel,
            crew.keeper,
            id,
            json!([input("nonsense"), { "type": 1, "id": 3, "components": [] }]),
        );
        let answer = crew.answer(forged).await;
        says(&answer.text, &[words]);
        assert!(answer.ephemeral);
    }
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_menus_speak_italian() {
    let crew = Crew::speaking("it").await;
    let asked = crew.slash("statement", &[("incident", "westpole")]);
    let form = crew.form(asked).await;
    let labels: Vec<_> = form.iter().map(|(_, it)| it["label"].as_str().unwrap()).collect();
    assert_eq!(
        labels,
        [
            "Quando è stata pubblicata",
            "Chi l'ha detto",
            "Che cosa dice",
            "Dove si legge",
            "Su quale affermazione si esprime",
        ]
    );
    assert_eq!(crew.answer(asked).await.text, "Registra una dichiarazione");
    let filled = [("date", "2023-12-20"), ("speaker", "-"), ("text", "Tutto bene.")];
    let (sent, preview) = crew.fill(asked, &filled).await;
    says(&preview.text, &["Ecco come verrà pubblicato", "Tutto bene."]);
    let edit = crew.discord.presses(sent, "Modifica", crew.keeper);
    says(&crew.answer(edit).await.text, &["Modifica la bozza"]);
    let menus: Vec<Value> = crew.discord.commands().into_iter().filter(|it| it["type"] == 3).collect();
    let names: Vec<_> = menus.iter().map(|it| it["name_localizations"]["it"].as_str().unwrap()).collect();
    assert_eq!(names, ["Aggiungi a un incidente", "Aggiungi come fonte"]);
    assert!(menus.iter().all(|it| it["default_member_permissions"] == "32"), "{menus:?}");
    crew.end().await;
}
