//! Stories: what people ask about Westpole, and the words they get.

use commands::kit::Role;
use record::{
    entry::{Correction, Importance, Level, Ref, Retraction, Said},
    lang::{Lang, Prose},
};

use crate::town::{Town, ask, says, silent_on};

#[test]
fn the_timeline_tells_what_happened_newest_first() {
    let town = Town::westpole();
    let first = town.ask("/timeline westpole");
    says(
        &first,
        &[
            "Westpole",
            "timeline",
            "1–8 of 18, newest first",
            "Europe/Rome",
            "19 December 2023",
            "18 December 2023",
            "LockBit",
        ],
    );
    says(
        &first,
        &[
            "Sources",
            "[1] Edoardo Limone, 19 December 2023 · https://edoardolimone.com/2023/12/19/il-caso-westpole-s-p-a",
        ],
    );
    says(&first, &["➡️  /timeline westpole page:2"]);
    let last = town.ask("/timeline westpole page:3");
    says(
        &last,
        &[
            "17–18 of 18",
            "8 December 2023, 05:30",
            "8 December 2023, about 05:00",
            "⬅️",
            "⏮  /timeline westpole page:1",
        ],
    );
    silent_on(&last, &["➡️"]);
}

#[test]
fn la_cronologia_si_legge_in_italiano() {
    let town = Town::westpole();
    says(
        &town.chiede("/timeline westpole 3"),
        &["cronologia", "17–18 di 18", "8 dicembre 2023, ore 05:30", "8 dicembre 2023, verso le 05:00"],
    );
    says(&town.chiede("/timeline westpole 2"), &["12 dicembre 2023, verso le 19:00", "dal 9 al 10 dicembre 2023"]);
    says(&town.chiede("/timeline westpole"), &["dalle più recenti", "Fonti", "[1] Edoardo Limone, 19 dicembre 2023"]);
}

#[test]
fn every_page_button_leads_where_it_says() {
    let town = Town::westpole();
    let mut page = town.ask("/timeline westpole");
    let mut seen = 1;
    while let Some(line) = page.lines().find_map(|line| line.trim().strip_prefix("➡️").map(str::trim)) {
        assert!(line.len() <= 64, "{line}");
        page = town.ask(line);
        seen += 1;
    }
    assert_eq!(seen, 3);
    says(&page, &["17–18 of 18"]);
}

#[test]
fn a_reader_of_14_december_does_not_know_what_came_later() {
    let town = Town::westpole();
    for page in 1..=2 {
        let then = town.ask(&format!("/timeline westpole {page} as_of:2023-12-14"));
        says(&then, &["as known by the end of 14 December 2023"]);
        silent_on(
            &then,
            &["LockBit", "18 December", "19 December", "15 December", "ACN", "700", "agenzianova", "edoardolimone"],
        );
    }
    says(&town.ask("/timeline westpole as_of:2023-12-18"), &["ACN", "LockBit 3.0"]);
    silent_on(&town.ask("/timeline westpole as_of:2023-12-18"), &["portal shows no claim"]);
    says(&town.ask("/timeline westpole as_of:2023-12-19"), &["portal shows no claim"]);
    says(&town.ask("/timeline westpole as_of:2023-12-01"), &["Nothing was public yet."]);
    says(&town.chiede("/timeline westpole as_of:2023-12-14"), &["come era noto alla fine del 14 dicembre 2023"]);
}

#[test]
fn a_part_of_the_timeline_can_be_asked_for() {
    let town = Town::westpole();
    let part = town.ask("/timeline westpole from:2023-12-09 to:2023-12-12");
    says(&part, &["12 December 2023", "from 9 to 10 December 2023"]);
    says(&town.ask("/timeline westpole from:2023-12-10 to:2023-12-10"), &["from 9 to 10 December 2023"]);
    silent_on(&town.ask("/timeline westpole from:2023-12-11 to:2023-12-11"), &["from 9 to 10 December 2023"]);
    silent_on(&part, &["18 December", "westpole#34", "8 December 2023, about"]);
    says(&town.ask("/timeline westpole from:2023-12-12 to:2023-12-09"), &["The period ends before it begins."]);
}

#[test]
fn disagreements_stand_side_by_side_with_their_sources() {
    let town = Town::westpole();
    let claims = town.ask("/claims westpole");
    says(&claims, &["Data left the systems", "denied", "Against", "Westpole", "[1]"]);
    says(&claims, &["LockBit 3.0", "confirmed", "For", "ACN (authority)"]);
    says(
        &claims,
        &[
            "claimed",
            "disputed",
            "For: Unnamed sources, published by AGI",
            "[7]",
            "Against: Edoardo Limone",
            "19 December 2023, 10:37",
            "[1]",
        ],
    );
    says(&claims, &["ransom", "reported"]);
    says(&claims, &["Where sources differ", "about 05:00 — Edoardo Limone [1]", "05:30 — Latina Oggi [2]"]);
    says(&claims, &["540 — Edoardo Limone [1]", "about 500 — Eco Vicentino [10]"]);
    let it = town.chiede("/claims westpole");
    says(
        &it,
        &[
            "smentito",
            "confermato",
            "controverso",
            "riferito",
            "Dove le fonti differiscono",
            "verso le 05:00",
            "ore 05:30",
            "540",
            "circa 500",
        ],
    );
    says(&town.ask("/timeline westpole 3"), &["Another source: 8 December 2023, about 05:00"]);
}

#[test]
fn every_reader_command_answers_in_both_languages() {
    let town = Town::westpole();
    let cases = [
        ("/latest westpole", "latest statements", "ultime dichiarazioni"),
        ("/latest westpole by:ACN", "ACN (authority), published by", "ACN (autorità)"),
        ("/sources westpole", "16 sources", "16 fonti"),
        ("/sources westpole podcast", "Il Post, “Morning”, 19 December 2023", "Il Post, «Morning», 19 dicembre 2023"),
        ("/incident westpole", "Claims, and what is disputed", "Affermazioni e punti controversi"),
        ("/incidents", "1 incident", "1 incidente"),
        ("/incidents ransomware", "westpole", "westpole"),
        ("/search firewall", "Entries with “firewall”", "Voci con «firewall»"),
        ("/claims westpole", "4 claims", "4 affermazioni"),
        ("/affected westpole", "2 organisations hit", "2 organizzazioni colpite"),
        ("/who PA Digitale", "PA Digitale", "PA Digitale"),
        ("/who acn", "authority", "autorità"),
        ("/history westpole", "Nothing was corrected or retracted.", "Nulla è stato corretto o ritrattato."),
        (
            "/verify westpole",
            "All 60 entries are as they were recorded",
            "Tutte le 60 voci sono come sono state registrate",
        ),
        ("/new", "At the terminal I cannot remember", "Al terminale non posso ricordare"),
        ("/subscribe westpole", "the terminal is none", "il terminale non lo è"),
        ("/unsubscribe", "the terminal is none", "il terminale non lo è"),
        ("/subscriptions", "the terminal is none", "il terminale non lo è"),
        ("/mute westpole", "the terminal is none", "il terminale non lo è"),
        ("/test", "the terminal is none", "il terminale non lo è"),
        ("/delivery", "the terminal is none", "il terminale non lo è"),
        ("/suggest westpole | x", "--as moderator", "--as moderator"),
        ("/moderators", "--as moderator", "--as moderator"),
        ("/forget me", "I cannot tell who you are", "Non so chi sei"),
        ("/help", "What I can be asked", "Che cosa mi si può chiedere"),
        (
            "/help timeline",
            "/timeline incident [page] [from] [to] [as_of]",
            "Per esempio: /timeline westpole as_of:2023-12-14",
        ),
        ("/help sub", "/subscribe what", "/subscribe what"),
        ("/start", "I am Strillone.", "Sono Strillone."),
        ("/start westpole", "Westpole", "Westpole"),
        ("/about", "On record: 1 incident, 60 entries.", "In registro: 1 incidente, 60 voci."),
        ("/privacy", "What I keep about you", "Che cosa conservo su di te"),
        ("/lang", "I answer in English here", "Qui rispondo in italiano"),
        ("/timezone", "I show clock times in Europe/Rome here", "Qui mostro gli orari di Europe/Rome"),
    ];
    for (line, en, it) in cases {
        says(&town.ask(line), &[en]);
        says(&town.chiede(line), &[it]);
    }
    let asked: Vec<&str> =
        cases.iter().map(|(line, _, _)| line.split(' ').next().unwrap().trim_start_matches('/')).collect();
    let readers = commands::ALL.iter().filter(|command| command.who == Role::Reader);
    for command in readers.filter(|command| command.name != "timeline") {
        assert!(asked.contains(&command.name), "/{} is not asked here", command.name);
    }
}

#[test]
fn a_source_without_an_address_says_so() {
    let town = Town::westpole();
    says(&town.ask("/sources westpole"), &["[14] Westpole S.p.A., 12 December 2023 · address unknown"]);
    says(
        &town.chiede("/sources westpole"),
        &["[2] Latina Oggi, senza data", "[14] Westpole S.p.A., 12 dicembre 2023 · indirizzo non noto"],
    );
}

#[test]
fn handles_are_forgiving() {
    let town = Town::westpole();
    for typed in ["westpole", "WESTPOLE", "Wèstpolé", "west", "@1"] {
        says(&town.ask(&format!("/incident {typed}")), &["Westpole"]);
    }
    says(&town.ask("/timeline wetspole"), &["I know no incident called wetspole. Did you mean westpole?"]);
    says(&town.chiede("/timeline wetspole"), &["Non conosco un incidente di nome wetspole. Intendevi westpole?"]);
    says(&town.ask("/timeline zzzzzzzz"), &["/incidents lists those I know."]);
    town.import("[[incident]]\nhandle = \"westgate\"\ntitle = { en = \"Westgate\" }\nzone = \"UTC\"\n");
    says(&town.ask("/timeline west"), &["west could be several: westgate, westpole. Which one?"]);
    says(&town.chiede("/timeline west"), &["Quale?"]);
}

#[test]
fn what_cannot_be_understood_is_answered_kindly() {
    let town = Town::westpole();
    says(&town.ask("/timelien westpole"), &["I do not know the command /timelien. Did you mean /timeline?"]);
    says(
        &town.ask("/timeline"),
        &[
            "Something is missing: incident. Usage: /timeline incident [page] [from] [to] [as_of]",
            "for example /timeline westpole",
        ],
    );
    says(&town.ask("/timeline westpole zwei"), &["A page is a whole number from 1, not zwei."]);
    says(&town.ask("/timeline westpole 0"), &["A page is a whole number from 1"]);
    says(&town.ask("/timeline westpole 99"), &["There is nothing on that page."]);
    says(&town.ask("/timeline westpole as_of:soonish"), &["I do not understand “soonish” in a date"]);
    says(&town.ask("/timeline westpole as_of:2023-12-14/.."), &["has no end"]);
    says(&town.ask("/timeline westpole asof:2023"), &["/timeline takes no asof. Did you mean as_of?"]);
    says(&town.ask("/timeline westpole page:1 page:2"), &["page is given twice"]);
    says(&town.ask("/incident westpole extra"), &["I do not know what to do with extra."]);
    says(&town.ask("/sources westpole pres"), &["Did you mean press?"]);
    says(&town.ask("/who Nobody"), &["I know no organisation called Nobody"]);
    says(&town.ask("/search \"open"), &["A quotation mark is opened and never closed."]);
    says(&town.ask("/lang de"), &["I speak English (en) and Italian (it), not de."]);
    says(&town.ask("/timezone Mars/Base"), &["is no time zone I know"]);
    says(&town.ask(&format!("/search {}", "x".repeat(40_000))), &["too long for me to read"]);
    says(&town.chiede("/timeline"), &["Manca un'indicazione: incident. Si usa così:"]);
}

#[test]
fn search_finds_in_either_language_without_accents() {
    let town = Town::westpole();
    says(&town.ask("/search ransom cryptocurrency"), &["westpole#"]);
    says(&town.ask("/search criptovaluta"), &["westpole#"]);
    says(&town.ask("/search CRIPTOVALÙTA incident:west"), &["westpole#"]);
    says(&town.ask("/search nothinglikethis"), &["No entry holds all these words."]);
}

#[test]
fn a_choice_of_language_and_zone_lasts_as_long_as_the_chat() {
    let town = Town::westpole();
    let mut session = town.reader(Lang::En);
    says(&ask(&mut session, Lang::En, "/lang it"), &["D'ora in poi rispondo in italiano."]);
    says(&ask(&mut session, Lang::It, "/about"), &["In registro"]);
    says(&ask(&mut session, Lang::It, "/timezone new york"), &["America/New_York"]);
    let shifted = ask(&mut session, Lang::It, "/timeline westpole 3");
    says(&shifted, &["orari di America/New_York", "7 dicembre 2023, ore 23:30"]);
    says(&town.ask("/about"), &["On record"]);
}

#[test]
fn a_correction_replays_by_its_own_time_and_a_retraction_is_struck_out() {
    let town = Town::westpole();
    let view = town.store().view();
    let incident = view.incident("westpole").unwrap().unwrap();
    let number = view.keyed(&incident, &key_of(&town, "second public communiqué")).unwrap().unwrap();
    let entry = view.entry(&incident, number, None).unwrap().unwrap();
    let Said::Event(mut event) = entry.said else { panic!("not an event") };
    event.text = Prose::one(Lang::En, "The second communiqué, put right.").unwrap();
    event.when = "2023-12-16".parse().unwrap();
    let correction = Correction {
        subject: Ref::Number(number),
        now: Box::new(Said::Event(event)),
        what: Prose::one(Lang::En, "the day").unwrap(),
        level: Level::Correction,
        importance: Some(Importance::Major),
        known: None,
    };
    town.write("westpole", Said::Correction(correction)).unwrap();
    let now = town.ask("/timeline westpole");
    says(
        &now,
        &["1–8 of 18", "16 December 2023 · major", "The second communiqué, put right.", "Corrected ", ": the day"],
    );
    silent_on(&now, &["15 December 2023"]);
    says(&town.chiede("/timeline westpole"), &["put right. (in inglese)"]);
    let then = town.ask("/timeline westpole as_of:2023-12-17");
    says(&then, &["15 December 2023", "second public communiqué"]);
    let retraction =
        Retraction { subject: Ref::Number(number), why: Prose::one(Lang::En, "it was another company's").unwrap() };
    town.write("westpole", Said::Retraction(retraction.clone())).unwrap();
    says(
        &town.ask("/timeline westpole"),
        &["~~The second communiqué, put right.~~", "Retracted ", "it was another company's"],
    );
    assert!(town.write("westpole", Said::Retraction(retraction)).is_err(), "retracted twice");
}

/// The dossier key of the one entry whose English text holds some words.
fn key_of(town: &Town, words: &str) -> record::slug::Slug {
    let view = town.store().view();
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let (found, _) = view.search(&words, None, 0, 2).unwrap();
    assert_eq!(found.len(), 1, "{words:?}");
    found[0].key.clone()
}

#[test]
fn importing_twice_changes_nothing_and_a_changed_dossier_corrects() {
    let dossier = include_str!("../config/dossiers/westpole.toml");
    let town = Town::westpole();
    let commit = town.store().head().commit;
    let again = town.import(dossier);
    assert_eq!((again.recorded, again.corrected, again.unchanged), (0, 0, 60));
    assert_eq!(town.store().head().commit, commit);
    let changed = dossier.replace("issued its second public communiqué", "issued its second communiqué to the public");
    assert_ne!(changed, dossier);
    let once = town.import(&changed);
    assert_eq!((once.recorded, once.corrected, once.unchanged), (0, 1, 59));
    says(&town.ask("/timeline westpole"), &["second communiqué to the public", "Corrected ", "changed: text"]);
    says(&town.chiede("/timeline westpole"), &["Corretto il ", "modifiche: testo"]);
    assert_eq!(town.import(&changed).corrected, 0);
}

#[test]
fn what_the_record_exports_as_a_dossier_can_be_imported() {
    let town = Town::westpole();
    let exported = |town: &Town| {
        let mut out = Vec::new();
        town.desk.export(None, strillone::cli::Format::Toml, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let dossier = exported(&town);
    assert_eq!(town.import(&dossier).unchanged, 60, "into the same store");
    let other = Town::with(&dossier);
    assert_eq!(exported(&other), dossier);
    for page in 1..=3 {
        let line = format!("/timeline westpole {page}");
        assert_eq!(other.ask(&line), town.ask(&line));
    }
}

#[test]
fn every_statement_taken_back_withdraws_the_claim() {
    let statement = |key: &str, side: &str, date: &str| {
        format!(
            "[[incident.statement]]\nkey = \"{key}\"\nspeaker = {{ name = \"Anna\" }}\ncapacity = \"press\"\ndate = \"{date}\"\n\
             gist = {{ en = \"{key}\" }}\n{side} = [\"c\"]\n"
        )
    };
    let base = "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"UTC\"\n[[incident.claim]]\nkey = \"c\"\ntext = { en = \"It is so.\" }\n";
    let town = Town::with(&format!("{base}{}", statement("a", "for", "2024-01-01")));
    says(&town.ask("/claims x"), &["It is so — reported"]);
    town.import(&format!(
        "{base}{}{}",
        statement("a", "for", "2024-01-01"),
        statement("b", "takes_back", "2024-01-02")
    ));
    says(&town.ask("/claims x"), &["It is so — withdrawn"]);
    says(&town.chiede("/claims x"), &["It is so — ritirato"]);
}
