//! Following: what people ask of the news in their chats, and the words they get.

use std::cell::Cell;

use commands::kit::{Ask, Caller, Elsewhere, Place, Posting, Right, Role};
use record::{
    channel::{Channel, PlaceKind},
    entry::{Correction, Importance, Kind, Level, Ref, Retraction, Said},
    lang::{Lang, Prose},
    outbox::{self, Delivery, Reason, State},
    private::{Address, AskKey},
    reply::Reply,
    subscription::{Follow, Mention, What},
};
use strillone::console::{Look, dress};

use crate::town::{Town, at, says, silent_on};

/// A chat, and somebody in it.
struct Chat<'a> {
    town: &'a Town,
    lang: Lang,
    address: &'static str,
    settings: &'static str,
    caller: &'static str,
    kind: PlaceKind,
    shared: bool,
    manages: bool,
    posting: Posting,
    elsewhere: Option<Elsewhere>,
    asked: Cell<u32>,
}

impl<'a> Chat<'a> {
    /// A private chat on Telegram.
    fn private(town: &'a Town) -> Chat<'a> {
        Chat {
            town,
            lang: Lang::En,
            address: "telegram:5",
            settings: "telegram:5",
            caller: "telegram:5",
            kind: PlaceKind::Private,
            shared: false,
            manages: true,
            posting: Posting::May,
            elsewhere: None,
            asked: Cell::new(0),
        }
    }

    /// A topic of a group on Telegram.
    fn topic(town: &'a Town) -> Chat<'a> {
        let (address, settings) = ("telegram:-100/4", "telegram:-100");
        Chat { address, settings, kind: PlaceKind::Topic, shared: true, ..Chat::private(town) }
    }

    /// A channel of a server on Discord.
    fn discord(town: &'a Town) -> Chat<'a> {
        let (address, settings, caller) = ("discord:77", "discord:g9", "discord:5");
        Chat { address, settings, caller, kind: PlaceKind::Group, shared: true, ..Chat::private(town) }
    }

    fn in_italian(self) -> Chat<'a> {
        Chat { lang: Lang::It, ..self }
    }

    fn reply(&self, line: &str) -> Reply {
        self.asked.set(self.asked.get() + 1);
        let id = format!("{} {}", self.address, self.asked.get());
        self.town.desk.answer(&Ask {
            line: line.to_owned(),
            caller: Caller {
                address: Some(Address(self.caller.to_owned())),
                role: Role::Reader,
                incidents: Vec::new(),
            },
            place: Place {
                address: Some(Address(self.settings.to_owned())),
                chat: Some(Address(self.address.to_owned())),
                kind: self.kind,
                shared: self.shared,
                manages: self.manages,
                posting: self.posting.clone(),
                elsewhere: self.elsewhere.clone(),
                lang: None,
            },
            lang: self.lang,
            zone: None,
            at: at(),
            key: Some(AskKey { platform: "test".to_owned(), bot: self.lang.to_string(), id }),
            quoted: None,
        })
    }

    /// The answer, as a pipe shows it.
    fn ask(&self, line: &str) -> String {
        dress(&self.reply(line), self.lang, &Look::plain())
    }

    /// The channel as it is kept.
    fn kept(&self) -> Option<Channel> {
        channel(self.town, self.address)
    }

    fn follows(&self) -> Vec<Follow> {
        self.kept().map(|it| it.subscriptions.into_iter().map(|it| it.follow).collect()).unwrap_or_default()
    }
}

fn channel(town: &Town, address: &str) -> Option<Channel> {
    town.store().view().channel_at(&Address(address.to_owned())).unwrap().map(|(_, channel)| channel)
}

fn handle<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

#[test]
fn a_chat_follows_an_incident_and_sees_how_it_stands() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    let answer = chat.ask("/subscribe westp");
    says(
        &answer,
        &[
            "From now on I post every new entry about Westpole",
            "here.",
            "Entries recorded before this are not posted again",
            "Westpole",
            "Organisations",
            "Timeline",
            "🔕 Mute  /mute westpole",
        ],
    );
    let kept = chat.kept().unwrap();
    assert_eq!(kept.by, Some(Address("telegram:5".to_owned())));
    assert_eq!((kept.place, kept.lang), (PlaceKind::Private, Lang::En));
    assert_eq!(chat.follows(), [Follow::of(What::Incident(handle("westpole")))]);
    assert!(!chat.reply("/subscribe westpole").personal, "everybody there sees it");
    let chat = Chat::topic(&town).in_italian();
    says(
        &chat.ask("/sub westpole"),
        &["D'ora in poi pubblico qui ogni nuova voce su Westpole", "non vengono ripubblicate"],
    );
    let kept = chat.kept().unwrap();
    assert_eq!((kept.settings.0.as_str(), kept.place, kept.lang), ("telegram:-100", PlaceKind::Topic, Lang::It));
}

#[test]
fn what_is_followed_is_all_an_incident_or_an_organisation() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    says(&chat.ask("/subscribe tutti"), &["every new entry of every incident here.", "Incidents", "Westpole"]);
    says(
        &chat.ask("/subscribe \"PA Digitale\""),
        &["about PA Digitale", "incidents it is part of here", "PA Digitale"],
    );
    says(&chat.ask("/subscribe org=westpole"), &["about Westpole", "incidents it is part of"]);
    let whats: Vec<String> = chat.follows().iter().map(|it| it.what.to_string()).collect();
    assert_eq!(whats, ["all", "org=pa-digitale", "org=westpole"]);
    says(&chat.ask("/subscribe nobody-at-all"), &["no incident and no organisation called nobody-at-all"]);
    says(&chat.ask("/subscribe org=westpoel"), &["no organisation called westpoel", "Did you mean westpole?"]);
    says(&chat.ask("/subscribe"), &["Something is missing: what", "/subscribe westpole"]);
    assert_eq!(chat.follows().len(), 3);
    let chat = Chat::private(&town).in_italian();
    says(&chat.ask("/subscribe nessuno-proprio"), &["Non conosco né un incidente né un'organizzazione"]);
    says(&chat.ask("/subscribe all"), &["Era già così: pubblico qui ogni nuova voce di tutti gli incidenti."]);
}

#[test]
fn every_filter_is_read_kept_and_said() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    let only = |answer: &str, words: &[&str]| {
        says(answer, words);
        chat.follows().remove(0)
    };
    let follow = only(
        &chat.ask("/sub westpole normal"),
        &["I post new entries about Westpole", "only of normal or major importance."],
    );
    assert_eq!(follow.min_importance, Importance::Normal);
    let follow = only(
        &chat.ask("/sub westpole maggiore"),
        &["The filters have changed: from now on", "only of major importance."],
    );
    assert_eq!(follow.min_importance, Importance::Major);
    let follow = only(
        &chat.ask("/sub westpole kinds:\"dichiarazioni, event,fonte\""),
        &["only statements, events and sources."],
    );
    assert_eq!(
        (follow.kinds, follow.min_importance),
        (vec![Kind::Statement, Kind::Event, Kind::Source], Importance::Minor)
    );
    let follow = only(
        &chat.ask("/sub westpole words:\"ransom, Più  di 700,RANSOM\" silent:sì"),
        &["only with the words “ransom” or “Più di 700”; without a sound."],
    );
    assert_eq!((follow.words, follow.silent), (vec!["ransom".to_owned(), "Più di 700".to_owned()], true));
    let follow =
        only(&chat.ask("/sub westpole - silent:yes"), &["every new entry about Westpole", "here; without a sound."]);
    assert!(follow.silent && follow.words.is_empty());
    let chat = Chat::private(&town).in_italian();
    says(
        &chat.ask("/sub westpole normale evento riscatto,dati silent:si"),
        &[
            "I filtri sono cambiati: d'ora in poi pubblico qui le nuove voci su Westpole",
            "solo quelle di importanza normale o maggiore; solo eventi; solo con le parole «riscatto» o «dati»; senza suono.",
        ],
    );
}

#[test]
fn a_role_is_called_on_discord_and_nowhere_else() {
    let town = Town::westpole();
    let chat = Chat::discord(&town);
    says(&chat.ask("/subscribe westpole mention:<@&123>"), &["calling role 123 each time."]);
    says(&chat.ask("/subscribe westpole mention:123 mention_from:major"), &["only for what is of major importance."]);
    assert_eq!(chat.follows()[0].mention, Some(Mention { role: 123, from: Importance::Major }));
    says(&chat.ask("/subscribe westpole mention:9"), &["I never call everyone"]);
    says(&chat.ask("/subscribe westpole mention:@staff"), &["@staff is no role"]);
    says(&chat.ask("/subscribe westpole mention_from:major"), &["Say which role to call"]);
    says(&chat.ask("/subscribe westpole where:@elsewhere"), &["only be named on Telegram"]);
    says(&Chat::private(&town).ask("/subscribe westpole mention:123"), &["Only on Discord are there roles"]);
    let direct = Chat { kind: PlaceKind::Private, settings: "discord:77", shared: false, ..Chat::discord(&town) };
    says(&direct.in_italian().ask("/subscribe westpole mention:123"), &["ruoli da chiamare ci sono solo in un server"]);
    assert_eq!(chat.follows()[0].mention, Some(Mention { role: 123, from: Importance::Major }), "nothing else changed");
    assert!(Chat::private(&town).kept().is_none());
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    let head = town.store().head().commit;
    for (line, words) in [
        ("/sub PA Digitale", &["Digitale is not an importance", "\"quotation marks\""] as &[&str]),
        ("/sub westpole kinds:rumour", &["rumour is no kind of entry", "statement"]),
        ("/sub westpole kinds:corrections", &["come along with what they change"]),
        ("/sub westpole kinds:,", &["is no kind of entry"]),
        ("/sub westpole words:,", &["no word among those"]),
        ("/sub westpole silent:perhaps", &["I expect yes or no, not perhaps"]),
        ("/sub westpole words:\"unclosed", &["quotation mark is opened"]),
    ] {
        says(&chat.ask(line), words);
    }
    let many = (0..21).map(|n| format!("w{n}")).collect::<Vec<_>>().join(",");
    says(&chat.ask(&format!("/sub westpole words:{many}")), &["I take 20 words at most, each of 60 characters"]);
    says(&chat.ask(&format!("/sub westpole words:{}", "è".repeat(61))), &["I take 20 words at most"]);
    assert_eq!(town.store().head().commit, head);
    says(&chat.ask(&format!("/sub westpole words:{}", "è".repeat(60))), &["From now on"]);
}

#[test]
fn only_who_manages_a_chat_chooses_and_only_where_posts_can_go() {
    let town = Town::westpole();
    says(&town.ask("/subscribe westpole"), &["the terminal is none"]);
    says(&town.chiede("/mute westpole"), &["il terminale non lo è"]);
    let member = Chat { manages: false, ..Chat::topic(&town) };
    for line in
        ["/subscribe westpole", "/unsubscribe", "/mute westpole", "/test", "/delivery", "/subscriptions import all"]
    {
        says(&member.ask(line), &["for those who manage this chat"]);
    }
    let lacks = Posting::Lacks(vec![Right::SendMessages, Right::EmbedLinks]);
    let mute = Chat { posting: lacks.clone(), ..Chat::discord(&town) };
    for line in ["/subscribe westpole", "/test", "/subscriptions import all"] {
        let answer = mute.ask(line);
        says(&answer, &["cannot post here yet", "Send Messages", "Embed Links", "try again"]);
    }
    let mute = Chat { posting: lacks, ..Chat::discord(&town) }.in_italian();
    says(
        &mute.ask("/subscribe westpole"),
        &["Non posso ancora pubblicare qui", "Invia messaggi", "Incorpora link", "riprova"],
    );
    assert!(mute.kept().is_none() && member.kept().is_none());
}

#[test]
fn another_chat_is_named_from_a_private_one() {
    let town = Town::westpole();
    let found = |address: Option<&str>, manages, posting| Elsewhere {
        name: "@mychannel".to_owned(),
        address: address.map(|it| Address(it.to_owned())),
        kind: PlaceKind::Broadcast,
        manages,
        posting,
    };
    let with = |elsewhere| Chat { elsewhere: Some(elsewhere), ..Chat::private(&town) };
    let channel_address = Some("telegram:-200");
    says(
        &with(found(None, false, Posting::Unknown)).ask("/sub westpole @mychannel"),
        &["@mychannel is no chat that I can see"],
    );
    says(&Chat::private(&town).ask("/sub westpole where:@mychannel"), &["is no chat that I can see"]);
    says(
        &with(found(channel_address, false, Posting::May)).ask("/sub westpole @mychannel"),
        &["Only its administrators", "@mychannel"],
    );
    let lacking = with(found(channel_address, true, Posting::Lacks(vec![Right::PostInChannel])));
    says(&lacking.ask("/sub westpole @mychannel"), &["cannot post in @mychannel yet", "administrator of the channel"]);
    says(&Chat::topic(&town).ask("/sub westpole where:@mychannel"), &["in a private chat with me"]);
    assert!(channel(&town, "telegram:-200").is_none());
    let mine = with(found(channel_address, true, Posting::May));
    says(
        &mine.ask("/sub westpole @mychannel silent:yes"),
        &["every new entry about Westpole", "in @mychannel; without a sound."],
    );
    let kept = channel(&town, "telegram:-200").unwrap();
    assert_eq!((kept.settings.0.as_str(), kept.place), ("telegram:-200", PlaceKind::Broadcast));
    assert!(mine.kept().is_none());
    says(&mine.ask("/unsub @mychannel"), &["no longer post new entries about Westpole", "in @mychannel"]);
    assert!(channel(&town, "telegram:-200").unwrap().subscriptions.is_empty());
}

#[test]
fn subscriptions_end_one_by_one_or_together() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    says(&chat.ask("/unsubscribe"), &["Nothing is followed here"]);
    chat.ask("/subscribe westpole");
    says(
        &chat.ask("/unsub"),
        &["no longer post new entries about Westpole", "is still corrected", "/subscribe westpole"],
    );
    for what in ["westpole", "all", "org=acn"] {
        chat.ask(&format!("/subscribe {what}"));
    }
    let which = chat.ask("/unsubscribe");
    says(&which, &["Which one should end?", "/unsubscribe westpole", "/unsubscribe all", "/unsubscribe org=acn"]);
    says(&which, &["All of them  /unsubscribe all_of_them"]);
    says(
        &chat.ask("/unsubscribe westpole"),
        &["Westpole", "may still come, because every incident is followed as well"],
    );
    says(&chat.ask("/unsubscribe acn"), &["no longer post"]);
    says(&chat.ask("/unsubscribe org=acn"), &["is not followed here, so nothing has changed"]);
    assert_eq!(chat.follows(), [Follow::of(What::All)]);
    chat.ask("/subscribe westpole");
    let chat = Chat::private(&town).in_italian();
    says(&chat.ask("/unsubscribe all_of_them"), &["Non pubblico più nulla di nuovo qui: 2 iscrizioni sono terminate"]);
    assert!(chat.follows().is_empty());
}

#[test]
fn what_is_shown_to_everybody_is_not_turned_by_one() {
    let town = Town::westpole();
    let fresh = |chat: Chat<'_>| {
        let buttons: Vec<String> =
            chat.reply("/subscribe westpole").buttons.into_iter().flatten().map(|it| it.line).collect();
        assert!(buttons.len() > 2, "{buttons:?}");
        buttons.iter().filter(|line| line.starts_with('>')).count() == buttons.len()
    };
    assert!(fresh(Chat::topic(&town)) && fresh(Chat::discord(&town)));
    assert!(!fresh(Chat::private(&town)));
}

#[test]
fn an_incident_is_muted_for_a_while_and_the_bell_says_so() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    says(&chat.ask("/mute westpole"), &["is not followed here, so there is nothing to mute"]);
    says(&chat.ask("/incident westpole"), &["🔔 Follow  /subscribe westpole"]);
    chat.ask("/subscribe all");
    says(&chat.ask("/incident westpole"), &["🔕 Mute  /mute westpole"]);
    says(
        &chat.ask("/mute westpole 2026-01-08"),
        &["Westpole", "is not posted here until 8 January 2026, 23:59 (Europe/Rome).", "🔔 Unmute  /mute westpole off"],
    );
    let until = chat.kept().unwrap().mutes[0].until.unwrap();
    assert_eq!(until.to_rfc3339(), "2026-01-08T22:59:00+00:00");
    says(&chat.ask("/start westpole"), &["🔔 Unmute  /mute westpole off"]);
    says(&chat.ask("/mute westpole 2026-01-01"), &["2026-01-01 lies in the past"]);
    says(&chat.ask("/mute westpole 2026-01-05/.."), &["does not say when it ends"]);
    says(&chat.ask("/mute westpole soonish"), &["I do not understand “soonish” in a date"]);
    assert_eq!(chat.kept().unwrap().mutes[0].until, Some(until));
    let lui = Chat::private(&town).in_italian();
    says(&lui.ask("/mute westpole 2026-01-08"), &["non viene pubblicato qui fino all'8 gennaio 2026", "🔔 Riattiva"]);
    says(&lui.ask("/mute westpole"), &["finché non lo riattivi"]);
    says(&lui.ask("/mute westpole basta"), &["torna a essere pubblicato qui", "🔕 Silenzia"]);
    says(&lui.ask("/mute westpole off"), &["non è silenziato qui"]);
    chat.ask("/mute westpole");
    says(&chat.ask("/subscribe westpole"), &["From now on", "It is no longer muted."]);
    assert!(chat.kept().unwrap().mutes.is_empty());
    silent_on(&town.ask("/incident westpole"), &["🔔", "🔕"]);
    for row in chat.reply("/incident westpole").buttons {
        assert!(row.len() <= 5, "Discord takes five in a row");
    }
}

#[test]
fn what_is_followed_is_listed_exported_and_imported() {
    let town = Town::westpole();
    let chat = Chat::discord(&town);
    says(&chat.ask("/subscriptions"), &["Nothing is followed here"]);
    chat.ask("/subscribe westpole major kinds:event,statement words:\"data theft, 50%; a:b,kinds:x\" silent:yes mention:123 mention_from:major");
    chat.ask("/subscribe all");
    chat.ask("/mute westpole 2026-01-09");
    let list = chat.ask("/list");
    says(
        &list,
        &[
            "Followed here",
            "Westpole",
            "· westpole",
            "only of major importance; only events and statements; only with the words “data theft”, “50%; a:b” or “kinds:x”",
            "every incident · all",
            "every entry",
            "Muted",
            "until 9 January 2026, 23:59",
            "/unsubscribe westpole",
            "/unsubscribe all",
        ],
    );
    let exported = chat.ask("/subscriptions export");
    let line =
        exported.lines().find(|line| line.contains("min_importance:")).unwrap().trim().trim_matches('`').to_owned();
    let before = chat.follows();
    chat.ask("/unsubscribe all_of_them");
    let answer = chat.ask(&format!("/subscriptions import {line}"));
    says(&answer, &["2 subscriptions are new. From now on:", "about Westpole", "of every incident"]);
    assert_eq!(chat.follows(), before, "{line}");
    let form = format!("/subscriptions action:import text:{}", record::pages::quoted(&line));
    says(&chat.ask(&form), &["2 subscriptions have changed"]);
    assert_eq!(chat.follows(), before, "as a form is filled in");
    let member = Chat { manages: false, ..Chat::discord(&town) };
    says(&member.ask("/list"), &["Followed here"]);
}

#[test]
fn an_import_is_taken_whole_or_not_at_all() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    let head = town.store().head().commit;
    for (line, words) in [
        (
            "all; westpole kinds:rumour",
            &["Nothing has changed, because of item 2, westpole kinds:rumour", "rumour is no kind"] as &[&str],
        ),
        ("all; tutti", &["item 2", "it is there twice"]),
        ("westpole kind:event", &["item 1", "kind: is not a filter", "min_importance"]),
        ("kinds:event", &["item 1", "does not say what to follow"]),
        ("westpole silent:yes silent:no", &["item 1", "silent: is there twice"]),
        ("westpole mention:1", &["item 1", "Only on Discord"]),
        (" ; ", &["There is nothing in that line"]),
    ] {
        says(&chat.ask(&format!("/subscriptions import {line}")), words);
    }
    let many = vec!["x"; 51].join(";");
    says(&chat.ask(&format!("/subscriptions import {many}")), &["item 1"]);
    says(&chat.ask("/subscriptions import"), &["Write the line behind it"]);
    says(&chat.ask("/subscriptions explain"), &["export or import, not explain"]);
    says(&chat.ask("/subscriptions export"), &["Nothing is followed here"]);
    assert_eq!(town.store().head().commit, head);
    says(&chat.ask("/subscriptions import what:all; PA Digitale min_importance:major"), &["2 subscriptions are new"]);
    let chat = Chat::private(&town).in_italian();
    says(
        &chat.ask("/subscriptions importa all silent:sì; westpole"),
        &["1 iscrizione è nuova, 1 è cambiata. D'ora in poi:"],
    );
    says(&chat.ask("/list"), &["Seguiti qui", "senza suono", "ogni voce", "Esporta"]);
}

#[test]
fn what_is_new_is_told_once_corrections_first() {
    let town = Town::westpole();
    says(&town.ask("/new"), &["At the terminal I cannot remember"]);
    let chat = Chat::private(&town);
    let first = chat.ask("/new");
    says(&first, &["You look for the first time", "westpole#"]);
    assert_eq!(first.matches("· westpole#").count(), 5);
    says(&chat.ask("/new"), &["Since you last looked: nothing new."]);
    let entry = {
        let view = town.store().view();
        let westpole = view.incident("westpole").unwrap().unwrap();
        let of_kind = |kind| view.of_kind(&westpole, kind, None).unwrap();
        (of_kind(Kind::Claim).remove(0), of_kind(Kind::Event).remove(0), of_kind(Kind::Source).remove(0))
    };
    let (claim, event, source) = entry;
    let correct = |entry: &record::view::Entry, level, what: &str| {
        let (subject, now) = (Ref::Number(entry.name.number), Box::new(entry.said.clone()));
        let what = Prose::one(Lang::En, what).unwrap();
        town.write(
            "westpole",
            Said::Correction(Correction { subject, now, what, level, importance: None, known: None }),
        )
        .unwrap();
    };
    town.write("westpole", claim.said.clone()).unwrap();
    correct(&event, Level::Correction, "The day was wrong.");
    correct(&event, Level::Silent, "A comma.");
    let why = Prose::one(Lang::En, "It was another firm.").unwrap();
    town.write("westpole", Said::Retraction(Retraction { subject: Ref::Number(source.name.number), why })).unwrap();
    let news = chat.ask("/new");
    says(
        &news,
        &[
            "Since you last looked: 2 changes of earlier entries, 1 new entry.",
            &format!("Retracted {}", source.name),
            "It was another firm.",
            &format!("Corrected {}", event.name),
            "The day was wrong.",
            "Claim: ",
            "/timeline westpole",
        ],
    );
    silent_on(&news, &["A comma."]);
    says(&chat.ask("/new"), &["nothing new"]);
    let chat = Chat::topic(&town).in_italian();
    says(&chat.ask("/new"), &["Qui non aveva ancora guardato nessuno"]);
    for _ in 0..21 {
        town.write("westpole", claim.said.clone()).unwrap();
    }
    says(
        &chat.ask("/new"),
        &["Dall'ultima volta che qualcuno qui ha guardato: 21 nuove voci.", "Affermazione: ", "… e un'altra."],
    );
    says(&chat.ask("/new"), &["nulla di nuovo"]);
}

#[test]
fn what_is_new_in_a_chat_is_what_it_follows() {
    let town = Town::westpole();
    let chat = Chat::topic(&town);
    chat.ask("/new");
    let claim = {
        let view = town.store().view();
        let westpole = view.incident("westpole").unwrap().unwrap();
        view.of_kind(&westpole, Kind::Claim, None).unwrap().remove(0).said
    };
    chat.ask("/subscribe westpole kinds:event");
    town.write("westpole", claim.clone()).unwrap();
    says(&chat.ask("/new"), &["nothing new", "Only what is followed here"]);
    chat.ask("/subscribe westpole kinds:claim");
    town.write("westpole", claim).unwrap();
    says(&chat.ask("/new"), &["1 new entry"]);
}

#[test]
fn deliveries_are_told_in_words() {
    let town = Town::westpole();
    let chat = Chat::discord(&town);
    says(&chat.ask("/delivery"), &["Nothing is followed here"]);
    chat.ask("/subscribe all");
    says(&chat.ask("/delivery"), &["Nothing was due here yet", "I look for it in the channel's history"]);
    let ledger = town.store().ledger();
    let (number, _) = ledger.channel_at(&Address("discord:77".to_owned())).unwrap().unwrap();
    let view = town.store().view();
    let westpole = view.incident("westpole").unwrap().unwrap();
    let now = at().timestamp_millis();
    let states = [
        State::Sent,
        State::Waiting,
        State::Flying,
        State::Unsure,
        State::Dead("too long".to_owned()),
        State::None(Reason::Muted),
    ];
    let settled: Vec<(u64, Delivery)> = (1..)
        .zip(states)
        .map(|(entry, state)| {
            let commit = view.commit_of(&westpole, entry).unwrap().unwrap();
            (commit, Delivery { state, ..Delivery::waiting(now, false) })
        })
        .collect();
    ledger.settle(number, &settled, now).unwrap();
    ledger.set_doubts(number, vec![settled[3].0]).unwrap();
    ledger.set_trouble(number, Some(outbox::Trouble::new(now, "Missing Access", false)), now).unwrap();
    says(
        &chat.ask("/delivery"),
        &[
            "I cannot post here since 2 January 2026",
            "Discord says “Missing Access”",
            "westpole#6 · muted here · 2 January 2026, 04:04",
            "westpole#5 · refused by the platform: “too long”",
            "westpole#4 · may have arrived (not repeated)",
            "westpole#3 · being sent",
            "westpole#2 · waiting",
            "westpole#1 · delivered",
            "May not have come",
            "westpole#4",
        ],
    );
    let chat = Chat::discord(&town).in_italian();
    says(
        &chat.ask("/delivery"),
        &[
            "Non riesco a pubblicare qui dal 2 gennaio 2026",
            "silenziata qui",
            "rifiutata dalla piattaforma",
            "consegnata",
        ],
    );
    says(&chat.ask("/list"), &["Non riesco a pubblicare qui", "Missing Access"]);
    let chat = Chat::private(&town);
    chat.ask("/subscribe all");
    says(&chat.ask("/delivery"), &["“once” means on Telegram"]);
}

#[test]
fn a_sample_is_unmistakable() {
    let town = Town::westpole();
    let reply = Chat::discord(&town).reply("/test");
    assert!(reply.personal);
    says(&dress(&reply, Lang::En, &Look::plain()), &["I am posting a sample here"]);
    let post = reply.post.unwrap();
    assert!(!post.personal);
    assert!(dress(&post, Lang::En, &Look::plain()).starts_with("Sample: nothing has happened"));
    let reply = Chat::topic(&town).in_italian().reply("/test");
    assert!(dress(&reply.post.unwrap(), Lang::It, &Look::plain()).starts_with("Esempio: non è successo nulla"));
}

#[test]
fn privacy_says_what_is_kept_of_a_chat_that_follows() {
    let town = Town::westpole();
    let chat = Chat::private(&town);
    says(&chat.ask("/privacy"), &["what it follows and mutes", "up to which entry", "I keep nothing about you"]);
    chat.ask("/subscribe all");
    chat.ask("/new");
    says(
        &chat.ask("/privacy"),
        &["1 subscription of this chat", "that it was you who asked", "where /new goes on from"],
    );
    let chat = Chat::private(&town).in_italian();
    says(&chat.ask("/privacy"), &["1 iscrizione di questa chat", "che le hai chieste tu", "da dove riprende /new"]);
}

#[test]
fn a_chat_follows_fifty_things_at_most() {
    let mut dossier = String::new();
    for n in 0..51 {
        dossier += &format!("[[incident]]\nhandle = \"i{n}\"\ntitle = {{ en = \"I{n}\" }}\nzone = \"UTC\"\n");
    }
    let town = Town::with(&dossier);
    let chat = Chat::private(&town);
    let items = |from: u32, to: u32| (from..to).map(|n| format!("i{n}")).collect::<Vec<_>>().join("; ");
    says(&chat.ask(&format!("/subscriptions import {}", items(0, 51))), &["follow 50 things at most"]);
    says(&chat.ask(&format!("/subscriptions import {}", items(0, 50))), &["50 subscriptions are new"]);
    says(&chat.ask("/subscribe i50"), &["follow 50 things at most"]);
    says(&chat.ask("/subscribe i49 major"), &["The filters have changed"]);
    let list = chat.reply("/subscriptions");
    assert!(list.buttons.len() <= 5 && list.buttons.iter().all(|row| row.len() <= 5), "Discord takes no more");
    assert!(chat.ask("/subscriptions export").lines().all(|line| line.len() <= 1_000));
}
