//! Stories: what people type on phones, names of several words, zones as people say them, texts that show nothing.

use record::lang::Lang;

use crate::{
    recording::{Keeper, last},
    town::{Town, ask, says, silent_on},
};

const SEVERAL: &str = "[[incident]]\nhandle = \"flood\"\ntitle = { en = \"Flood of Café Østerbro\" }\nzone = \"GMT+2\"\n\
    [[incident.organisation]]\nhandle = \"oster\"\nname = \"Østerbro Straße S.r.l.\"\naliases = [\"Old Town Baths\"]\nroles = [\"victim\"]\n\
    [[incident.event]]\nkey = \"water\"\nwhen = \"2024-01-05T10:00\"\ntext = { en = \"Water reached 1.500 homes; l’attacco said Łukasz.\" }\n\
    [[incident.event]]\nkey = \"later\"\nwhen = \"2024-02-05\"\ntext = { en = \"It was dry.\" }\n";

#[test]
fn quotation_marks_of_phones_delimit_and_apostrophes_do_not() {
    let town = Town::with(SEVERAL);
    for line in [
        "/search “l’attacco”",
        "/search l’attacco",
        "/search l'attacco",
        "/search «l’attacco» incident：flood",
        "/search words:“l’attacco” incident:flood",
        "/search Words: „l'attacco homes“ Incident:flood",
        "/search ‘l’attacco’",
        "/search\u{a0}l’attacco",
    ] {
        says(&town.ask(line), &["flood#"]);
    }
    says(&town.ask("/search “open"), &["A quotation mark is opened and never closed."]);
}

#[test]
fn search_folds_letters_numbers_and_abbreviations() {
    let town = Town::with(SEVERAL);
    for words in
        ["1500", "1.500", "1,500", "1 500", "lukasz", "Łukasz", "srl", "S.r.l.", "strasse", "osterbro", "Østerbro"]
    {
        says(&town.ask(&format!("/search {words}")), &["flood#"]);
    }
    let westpole = Town::westpole();
    for words in ["spa", "S.p.A.", "SpA"] {
        says(&westpole.ask(&format!("/search Westpole {words}")), &["westpole#"]);
    }
}

#[test]
fn a_name_of_several_words_finds_its_incident() {
    let town = Town::westpole();
    let plain = town.ask("/timeline westpole");
    for line in [
        "/timeline Westpole S.p.A.",
        "/timeline westpole spa",
        "/timeline “Westpole S.p.A.”",
        "/timeline incident:Westpole S.p.A.",
        "/timeline Westpole S.p.A. · ransomware attack",
        "/timeline Westpole S.p.A. · attacco ransomware",
        "/timeline PA Digitale S.p.A.",
    ] {
        says(&town.ask(line), &["1–8 of 18, newest first"]);
        silent_on(&town.ask(line), &["not S.p.A", ".."]);
    }
    says(&town.ask("/timeline Westpole S.p.A. 3"), &["17–18 of 18"]);
    says(&town.ask("/sources Westpole S.p.A. press"), &["Westpole"]);
    says(&town.ask("/search ransom incident:Westpole S.p.A. page:1"), &["westpole#"]);
    says(&town.ask("/latest Westpole S.p.A. by:PA Digitale page:1"), &["PA Digitale"]);
    assert_eq!(town.ask("/timeline westpole 1"), plain);
    let flood = Town::with(SEVERAL);
    for name in ["Flood of Café Østerbro", "flood of cafe osterbro", "Old Town Baths", "osterbro strasse srl"] {
        says(&flood.ask(&format!("/timeline {name}")), &["It was dry."]);
        says(&flood.ask(&format!("/incident {name}")), &["Flood"]);
    }
    let mut keeper = Keeper::of(&flood);
    keeper.record("/event Old Town Baths 8 February 2024 | The baths “opened” again.");
    says(&flood.ask("/timeline flood"), &["8 February 2024", "The baths “opened” again."]);
    says(&flood.ask("/history Old Town Baths #3"), &["flood#3"]);
}

#[test]
fn a_date_has_as_many_words_as_it_needs() {
    let town = Town::westpole();
    let known = town.ask("/timeline westpole as_of:2023-12-08");
    for line in [
        "/timeline westpole as_of:8 December 2023",
        "/timeline as_of:8 December 2023 westpole",
        "/timeline westpole as_of:“8 December 2023”",
        "/timeline westpole as_of:2023–12–08",
        "/timeline westpole as_of: 8 dicembre 2023 page:1",
    ] {
        assert_eq!(town.ask(line), known, "{line}");
    }
    let since = town.ask("/timeline westpole from:2023-12-14");
    for line in [
        "/timeline westpole 2023-12-14",
        "/timeline westpole 14 December 2023",
        "/timeline Westpole S.p.A. 14 dicembre 2023",
    ] {
        assert_eq!(town.ask(line), since, "{line}");
    }
    let both = town.ask("/timeline westpole from:2023-12-08 to:2023-12-10");
    assert_eq!(town.ask("/timeline westpole 2023-12-08 2023-12-10"), both);
    assert_eq!(town.ask("/timeline westpole 8 December 2023 10 December 2023"), both);
    assert_eq!(town.ask("/timeline westpole — 2023-12-08 2023-12-10"), both);
    says(&town.ask("/timeline westpole 2023-13-45"), &["There is no 2023-13-45."]);
    says(&town.ask("/timeline westpole as_of:8 Smarch 2023"), &["I do not understand “smarch” in a date"]);
}

#[test]
fn a_sentence_that_ends_with_what_was_typed_has_one_full_stop() {
    let town = Town::westpole();
    for line in [
        "/timeline Acme S.p.A.",
        "/timeline westpole page:S.p.A.",
        "/who Acme S.p.A.",
        "/subscribe Acme S.p.A.",
        "/incident westpole 5 S.p.A.",
        "/lang S.p.A.",
        "/sources westpole S.p.A.",
        "/timezone S.p.A.",
        "/history S.p.A.",
        "/help S.p.A.",
        "/S.p.A.",
        "/mute westpole S.p.A.",
    ] {
        for answer in [town.ask(line), town.chiede(line)] {
            silent_on(&answer, &[".. ", "..\n", "...", "stack"]);
            assert!(!answer.trim_end().ends_with(".."), "{line}: {answer}");
        }
    }
}

#[test]
fn a_zone_is_what_people_mean_by_it_and_its_time_is_shown() {
    let town = Town::westpole();
    let mut session = town.reader(Lang::En);
    for typed in ["GMT+2", "UTC+2", "+2", "+02:00"] {
        says(
            &ask(&mut session, Lang::En, &format!("/timezone {typed}")),
            &["in UTC+2 from now on", "(UTC+02:00) there"],
        );
        // 04:30 UTC.
        says(&ask(&mut session, Lang::En, "/timeline westpole 3"), &["times in UTC+2", "8 December 2023, 06:30"]);
    }
    says(&ask(&mut session, Lang::En, "/timezone UTC+5:30"), &["in Asia/Kolkata", "(UTC+05:30) there"]);
    says(&ask(&mut session, Lang::En, "/timezone"), &["in Asia/Kolkata here", "(UTC+05:30)"]);
    says(&ask(&mut session, Lang::En, "/timezone UTC-3:30"), &["no place keeps that distance", "America/St_Johns"]);
    says(&town.chiede("/timezone UTC+25"), &["nessun orologio è così lontano"]);
    says(&Town::with(SEVERAL).ask("/timeline flood"), &["times in UTC+2", "5 January 2024, 10:00"]);
}

#[test]
fn a_text_that_shows_nothing_is_refused_wherever_it_is_read() {
    let town = Town::westpole();
    let mut keeper = Keeper::of(&town);
    let before = last(&town).name;
    for unseen in ["\u{200b}", "\u{2060}\u{feff}", "\u{ad}", "\u{34f}", "\u{3164}", "\u{2800}", "\u{fe0f}", "\u{e0041}"]
    {
        for line in [
            format!("/event westpole 2024-01-05 | {unseen}"),
            format!("/event incident:westpole when:2024-01-05 text:\"{unseen}\""),
            format!("/statement westpole 2024-01-05 | {unseen} | words"),
            format!("/statement westpole 2024-01-05 | ACN | {unseen}"),
            format!("/source westpole https://example.org/a | {unseen}"),
            format!("/open empty | {unseen}"),
            format!("/organisation westpole newco | {unseen}"),
            format!("/figure westpole | {unseen} | 3"),
            format!("/correct westpole#14 | {unseen}"),
            format!("/retract westpole#14 | {unseen}"),
        ] {
            let answer = keeper.ask(&line);
            silent_on(&answer, &["/publish"]);
        }
        let text = SEVERAL.replace("It was dry.", unseen);
        assert!(record::dossier::read(&text).is_err(), "{unseen:?}");
        let text = SEVERAL.replace("Old Town Baths", unseen);
        assert!(record::dossier::read(&text).is_err(), "{unseen:?}");
        let text = SEVERAL.replace("Flood of Café Østerbro", unseen);
        assert!(record::dossier::read(&text).is_err(), "{unseen:?}");
    }
    assert_eq!(last(&town).name, before);
}
