//! What is heard, phrase by phrase. Today is Wednesday 25 November 2026, 10:00.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

use super::*;
use crate::{spoken, when::Stamp};

fn now() -> NaiveDateTime {
    "2026-11-25T10:00:00".parse().expect("a moment")
}

/// EDTF of what was heard, or the reason.
fn heard(typed: &str, lang: Lang) -> String {
    said(when(typed, now(), lang), lang)
}

fn said(heard: Result<When, NotHeard>, lang: Lang) -> String {
    heard.map_or_else(|why| why.reason(lang), |when| when.to_string())
}

fn same_in_both(cases: &[(&str, &str)]) {
    for (typed, edtf) in cases {
        for lang in Lang::ALL {
            assert_eq!(heard(typed, lang), *edtf, "{typed:?} in {lang}");
        }
    }
}

#[test]
fn days_months_and_years() {
    same_in_both(&[
        ("2023-12-08", "2023-12-08"),
        ("2023-12-08T05~", "2023-12-08T05~"),
        ("[2023-12-09..2023-12-10]", "[2023-12-09..2023-12-10]"),
        ("8 dicembre 2023", "2023-12-08"),
        ("  8   DICEMBRE,  2023. ", "2023-12-08"),
        ("l'8 dicembre 2023", "2023-12-08"),
        ("L’8 dicembre del 2023", "2023-12-08"),
        ("l'otto dicembre 2023", "2023-12-08"),
        ("il giorno 9 dicembre dell'anno 2023", "2023-12-09"),
        ("1º gennaio 2024", "2024-01-01"),
        ("1° gennaio 2024", "2024-01-01"),
        ("primo gennaio 2024", "2024-01-01"),
        ("il primo di gennaio 2024", "2024-01-01"),
        ("the first of January 2024", "2024-01-01"),
        ("dicembre 2023", "2023-12"),
        ("nel dicembre del 2023", "2023-12"),
        ("in December 2023", "2023-12"),
        ("12/2023", "2023-12"),
        ("8 Dec 2023", "2023-12-08"),
        ("8-Dec-2023", "2023-12-08"),
        ("8 dic. 2023", "2023-12-08"),
        ("3 ago 2023", "2023-08-03"),
        ("8 mar 2023", "2023-03-08"),
        ("December 8th, 2023", "2023-12-08"),
        ("Dec. 8, 2023", "2023-12-08"),
        ("the 8th of December 2023", "2023-12-08"),
        ("on 8 December 2023", "2023-12-08"),
        ("8.12.2023", "2023-12-08"),
        ("13/12/2023", "2023-12-13"),
        ("12/12/2023", "2023-12-12"),
        ("2023/12/08", "2023-12-08"),
        ("2023", "2023"),
        ("nel 2023", "2023"),
        ("in 2023", "2023"),
        ("29 febbraio 2024", "2024-02-29"),
        ("venerdì 8 dicembre 2023", "2023-12-08"),
        ("Friday, 8 December 2023", "2023-12-08"),
    ]);
}

#[test]
fn what_is_left_out_lies_in_the_past() {
    same_in_both(&[
        ("8 dicembre", "2025-12-08"),
        ("l'8 dicembre scorso", "2025-12-08"),
        ("lo scorso 8 dicembre", "2025-12-08"),
        ("Dec 8", "2025-12-08"),
        ("December 8th", "2025-12-08"),
        ("24 novembre", "2026-11-24"),
        ("25 novembre", "2026-11-25"),
        ("29 febbraio", "2024-02-29"),
        ("dicembre", "2025-12"),
        ("novembre", "2026-11"),
        ("dicembre scorso", "2025-12"),
        ("last November", "2025-11"),
        ("il 23", "2026-11-23"),
        ("the 28th", "2026-10-28"),
        ("on the 8th at 5", "2026-11-08T05:00"),
        ("8 dicembre dell'anno scorso", "2025-12-08"),
        ("il 3 del mese scorso", "2026-10-03"),
        ("last year", "2025"),
        ("il mese scorso", "2026-10"),
        ("last week", "[2026-11-16..2026-11-22]"),
        ("lunedì della settimana scorsa", "2026-11-16"),
    ]);
    let december: NaiveDateTime = "2026-12-20T10:00:00".parse().expect("a moment");
    assert_eq!(said(when("8 dicembre", december, Lang::It), Lang::It), "2026-12-08");
}

#[test]
fn days_counted_from_today() {
    same_in_both(&[
        ("oggi", "2026-11-25"),
        ("today", "2026-11-25"),
        ("ieri", "2026-11-24"),
        ("Yesterday", "2026-11-24"),
        ("l'altro ieri", "2026-11-23"),
        ("avantieri", "2026-11-23"),
        ("the day before yesterday", "2026-11-23"),
        ("domani", "2026-11-26"),
        ("tomorrow", "2026-11-26"),
        ("dopodomani", "2026-11-27"),
        ("3 giorni fa", "2026-11-22"),
        ("3 days ago", "2026-11-22"),
        ("tre giorni fa alle 18:30", "2026-11-22T18:30"),
        ("two hours ago", "2026-11-25T08:00~"),
        ("due ore fa", "2026-11-25T08:00~"),
        ("un'ora fa", "2026-11-25T09:00~"),
        ("about an hour ago", "2026-11-25T09:00~"),
        ("mezz'ora fa", "2026-11-25T09:30~"),
        ("10 minuti fa", "2026-11-25T09:50~"),
        ("una settimana fa", "2026-11-18~"),
        ("a week ago", "2026-11-18~"),
        ("2 months ago", "2026-09~"),
        ("un anno fa", "2025~"),
        ("in 3 days", "2026-11-28"),
        ("tra 3 giorni", "2026-11-28"),
        ("fra due ore", "2026-11-25T12:00~"),
        ("in a week", "2026-12-02~"),
        ("ora", "2026-11-25T10:00"),
        ("adesso", "2026-11-25T10:00"),
        ("now", "2026-11-25T10:00"),
        ("lunedì", "2026-11-23"),
        ("on Monday", "2026-11-23"),
        ("lunedì scorso", "2026-11-23"),
        ("last Monday", "2026-11-23"),
        ("mercoledì", "2026-11-25"),
        ("mercoledi' scorso", "2026-11-18"),
        ("last Wednesday", "2026-11-18"),
        ("next Monday", "2026-11-30"),
        ("Thursday at 5 pm", "2026-11-19T17:00"),
        ("lunedì 23", "2026-11-23"),
    ]);
}

#[test]
fn clock_times() {
    same_in_both(&[
        ("8 dicembre verso le 5", "2025-12-08T05~"),
        ("8 dicembre 2023 alle 5", "2023-12-08T05:00"),
        ("8 dicembre 2023, ore 5", "2023-12-08T05:00"),
        ("8 dicembre 2023 alle ore 17:30", "2023-12-08T17:30"),
        ("8 dicembre 2023 h 5", "2023-12-08T05:00"),
        ("8 dicembre 2023 h17.30", "2023-12-08T17:30"),
        ("8 dicembre 2023 alle 17.30", "2023-12-08T17:30"),
        ("alle 5.10 dell'8 dicembre 2023", "2023-12-08T05:10"),
        ("2023-12-08 05:30", "2023-12-08T05:30"),
        ("2023-12-08t05:30", "2023-12-08T05:30"),
        ("8.12.2023 5:30", "2023-12-08T05:30"),
        ("yesterday 18:30", "2026-11-24T18:30"),
        ("yesterday at 5pm", "2026-11-24T17:00"),
        ("5:30 am on 8 December 2023", "2023-12-08T05:30"),
        ("Dec 8 2023 5 p.m.", "2023-12-08T17:00"),
        ("12 am, 8 December 2023", "2023-12-08T00:00"),
        ("8 December 2023 at 12:15 am", "2023-12-08T00:15"),
        ("8 December 2023 at five o'clock", "2023-12-08T05:00"),
        ("9:30", "2026-11-25T09:30"),
        ("18:30", "2026-11-24T18:30"),
        ("alle 5", "2026-11-25T05:00"),
        ("at 5", "2026-11-25T05:00"),
        ("at 5 pm", "2026-11-24T17:00"),
        ("verso le 5", "2026-11-25T05~"),
        ("circa alle 5", "2026-11-25T05~"),
        ("intorno alle 5", "2026-11-25T05~"),
        ("intorno all'1", "2026-11-25T01~"),
        ("all'una", "2026-11-25T01:00"),
        ("about 5", "2026-11-25T05~"),
        ("around 5 pm", "2026-11-24T17~"),
        ("~5:30", "2026-11-25T05:30~"),
        ("alle 5:30 circa", "2026-11-25T05:30~"),
        ("verso le 5:00", "2026-11-25T05:00~"),
        ("ieri alle 5 e mezza", "2026-11-24T05:30"),
        ("ieri alle cinque e un quarto", "2026-11-24T05:15"),
        ("ieri alle 5 e tre quarti", "2026-11-24T05:45"),
        ("ieri alle 5 e dieci", "2026-11-24T05:10"),
        ("ieri alle 6 meno un quarto", "2026-11-24T05:45"),
        ("ieri alle 6 meno dieci", "2026-11-24T05:50"),
        ("half past five yesterday", "2026-11-24T05:30"),
        ("yesterday at a quarter past five", "2026-11-24T05:15"),
        ("quarter to six pm yesterday", "2026-11-24T17:45"),
        ("ieri a mezzogiorno", "2026-11-24T12:00"),
        ("verso mezzogiorno di ieri", "2026-11-24T12~"),
        ("noon yesterday", "2026-11-24T12:00"),
        ("mezzanotte dell'8 dicembre 2023", "2023-12-08T00:00"),
        ("midnight", "2026-11-25T00:00"),
        ("ieri alle 24", "2026-11-25T00:00"),
        ("ieri alle 5 del pomeriggio", "2026-11-24T17:00"),
        ("le 5 di mattina", "2026-11-25T05:00"),
        ("ieri alle 9 di sera", "2026-11-24T21:00"),
        ("8 dicembre 2023 alle 2 di notte", "2023-12-08T02:00"),
        ("8 dicembre 2023 alle 11 di notte", "2023-12-08T23:00"),
        ("yesterday at 9 in the evening", "2026-11-24T21:00"),
        ("ieri sera alle 9", "2026-11-24T21:00"),
        ("stamattina alle 9", "2026-11-25T09:00"),
        ("stanotte alle 3", "2026-11-25T03:00"),
        ("stanotte alle 11", "2026-11-24T23:00"),
        ("last night at 11", "2026-11-24T23:00"),
        ("last night at 2", "2026-11-25T02:00"),
        ("tonight at 8", "2026-11-25T20:00"),
    ]);
}

#[test]
fn parts_of_the_day() {
    same_in_both(&[
        ("stamattina", "[2026-11-25T06:00..2026-11-25T12:00]"),
        ("this morning", "[2026-11-25T06:00..2026-11-25T12:00]"),
        ("stasera", "[2026-11-25T18:00..2026-11-25T23:59]"),
        ("tonight", "[2026-11-25T18:00..2026-11-25T23:59]"),
        ("ieri sera", "[2026-11-24T18:00..2026-11-24T23:59]"),
        ("yesterday evening", "[2026-11-24T18:00..2026-11-24T23:59]"),
        ("ieri pomeriggio", "[2026-11-24T12:00..2026-11-24T18:00]"),
        ("stanotte", "[2026-11-25T00:00..2026-11-25T06:00]"),
        ("last night", "[2026-11-24T18:00..2026-11-25T06:00]"),
        ("nella mattina dell'8 dicembre 2023", "[2023-12-08T06:00..2023-12-08T12:00]"),
        ("on the morning of 8 December 2023", "[2023-12-08T06:00..2023-12-08T12:00]"),
        ("nella notte tra il 7 e l'8 dicembre 2023", "[2023-12-07T18:00..2023-12-08T06:00]"),
        ("nella notte tra sabato e domenica", "[2026-11-21T18:00..2026-11-22T06:00]"),
        ("in the night between 7 and 8 December 2023", "[2023-12-07T18:00..2023-12-08T06:00]"),
        ("nel primo pomeriggio di ieri", "[2026-11-24T12:00..2026-11-24T18:00]"),
        ("prima serata del 10 dicembre 2023", "[2023-12-10T18:00..2023-12-10T23:59]"),
        ("before this evening", "../2026-11-25T18:00"),
    ]);
    for (night, edtf) in [
        (
            "la notte dell'8 dicembre 2023",
            "[2023-12-08T00:00..2023-12-08T06:00] or [2023-12-08T18:00..2023-12-09T06:00]",
        ),
        ("Monday night at 2", "2026-11-23T02:00 or 2026-11-24T02:00"),
    ] {
        assert!(heard(night, Lang::En).ends_with(&format!("Write {edtf}.")), "{}", heard(night, Lang::En));
    }
}

#[test]
fn about_a_day() {
    same_in_both(&[
        ("circa l'8 dicembre 2023", "2023-12-08~"),
        ("about 8 December 2023", "2023-12-08~"),
        ("intorno al 10 dicembre", "2025-12-10~"),
        ("~8 dicembre", "2025-12-08~"),
        ("8 dicembre 2023 circa", "2023-12-08~"),
        ("verso dicembre 2023", "2023-12~"),
        ("around 2023", "2023~"),
    ]);
}

#[test]
fn spans_and_bounds() {
    same_in_both(&[
        ("dall'8 al 10 dicembre 2023", "2023-12-08/2023-12-10"),
        ("dal 28 novembre al 2 dicembre", "2025-11-28/2025-12-02"),
        ("dal 28 novembre 2023 al 2 gennaio", "2023-11-28/2024-01-02"),
        ("dal 28 dicembre al 2 gennaio 2024", "2023-12-28/2024-01-02"),
        ("from 8 to 10 December 2023", "2023-12-08/2023-12-10"),
        ("from December 8 until December 10, 2023", "2023-12-08/2023-12-10"),
        ("8-10 dicembre", "2025-12-08/2025-12-10"),
        ("8–10 December 2023", "2023-12-08/2023-12-10"),
        ("8 - 10 dicembre 2023", "2023-12-08/2023-12-10"),
        ("December 8–10, 2023", "2023-12-08/2023-12-10"),
        ("Dec 8-10", "2025-12-08/2025-12-10"),
        ("8.12.2023-10.12.2023", "2023-12-08/2023-12-10"),
        ("dall'8 dicembre 2023 al 10", "2023-12-08/2023-12-10"),
        ("dal 20 al 24", "2026-11-20/2026-11-24"),
        ("dal 20 al 24 del mese scorso", "2026-10-20/2026-10-24"),
        ("da dicembre a gennaio 2024", "2023-12/2024-01"),
        ("2023-2024", "2023/2024"),
        ("da lunedì a mercoledì", "2026-11-23/2026-11-25"),
        ("from yesterday to today", "2026-11-24/2026-11-25"),
        ("from two hours ago to now", "2026-11-25T08:00~/2026-11-25T10:00"),
        ("tra l'8 e il 10 dicembre 2023", "[2023-12-08..2023-12-10]"),
        ("fra l’8 e il 10 dicembre", "[2025-12-08..2025-12-10]"),
        ("between 8 and 10 December", "[2025-12-08..2025-12-10]"),
        ("about 8 to 10 December 2023", "2023-12-08~/2023-12-10"),
        ("prima del 12 dicembre 2023", "../2023-12-12"),
        ("before 12 December 2023", "../2023-12-12"),
        ("dopo il 12 dicembre 2023", "2023-12-12/.."),
        ("after 5 pm yesterday", "2026-11-24T17:00/.."),
        ("ieri dopo le 5", "2026-11-24T05:00/.."),
        ("8 December 2023, before 5 pm", "../2023-12-08T17:00"),
        ("prima delle 5 di ieri", "../2026-11-24T05:00"),
        ("dalle 5 alle 7 dell'8 dicembre 2023", "2023-12-08T05:00/2023-12-08T07:00"),
        ("8 dicembre 2023 dalle 5 alle 7", "2023-12-08T05:00/2023-12-08T07:00"),
        ("8 dicembre 2023, dalle 22 alle 2", "2023-12-08T22:00/2023-12-09T02:00"),
        ("dalle 22 alle 2 del 9 dicembre 2023", "2023-12-08T22:00/2023-12-09T02:00"),
        ("dalle 22 alle 2", "2026-11-24T22:00/2026-11-25T02:00"),
        ("from 5 to 7 on 8 December 2023", "2023-12-08T05:00/2023-12-08T07:00"),
        ("between 5 and 7 pm on 8 December 2023", "[2023-12-08T17:00..2023-12-08T19:00]"),
        ("from 11 to 1 pm yesterday", "2026-11-24T11:00/2026-11-24T13:00"),
        ("dalle 11 alle 2 di notte", "2026-11-24T23:00/2026-11-25T02:00"),
        ("from 5 to 7 pm on 8 December 2023", "2023-12-08T17:00/2023-12-08T19:00"),
        ("from 05:00 to 7 pm on 8 December 2023", "2023-12-08T05:00/2023-12-08T19:00"),
        ("from 5:00 on 8 December 2023 to 7 pm on 9 December 2023", "2023-12-08T05:00/2023-12-09T19:00"),
        ("yesterday from 5 to midnight", "2026-11-24T05:00/2026-11-25T00:00"),
        ("ieri tra le 5 e le 7", "[2026-11-24T05:00..2026-11-24T07:00]"),
        ("ieri tra le 5 e mezza e le 7", "[2026-11-24T05:30..2026-11-24T07:00]"),
        ("ieri sera dalle 9 alle 11", "2026-11-24T21:00/2026-11-24T23:00"),
        ("8 dicembre 2023 17:30-18:00", "2023-12-08T17:30/2023-12-08T18:00"),
        ("dall'8 dicembre 2023 alle 17:30 al 10 dicembre alle 12", "2023-12-08T17:30/2023-12-10T12:00"),
        ("dalla mattina alla sera dell'8 dicembre 2023", "2023-12-08T06:00/2023-12-08T23:59"),
        ("from quarter to six to seven yesterday", "2026-11-24T05:45/2026-11-24T07:00"),
    ]);
}

#[test]
fn ahead_what_is_left_out_lies_in_the_future() {
    for (typed, edtf) in [
        ("8 dicembre", "2026-12-08"),
        ("24 novembre", "2027-11-24"),
        ("25 November", "2026-11-25"),
        ("venerdì", "2026-11-27"),
        ("entro venerdì", "2026-11-27"),
        ("by Friday", "2026-11-27"),
        ("by Friday at 5 pm", "2026-11-27T17:00"),
        ("entro il 12 dicembre", "2026-12-12"),
        ("entro 3 giorni", "2026-11-28"),
        ("by tomorrow at noon", "2026-11-26T12:00"),
        ("next Wednesday", "2026-12-02"),
        ("mercoledì prossimo", "2026-12-02"),
        ("9:00", "2026-11-26T09:00"),
        ("alle 18", "2026-11-25T18:00"),
        ("stanotte", "[2026-11-26T00:00..2026-11-26T06:00]"),
        ("gennaio", "2027-01"),
        ("da lunedì a mercoledì", "2026-11-30/2026-12-02"),
        ("dal 28 dicembre al 2 gennaio", "2026-12-28/2027-01-02"),
        ("il mese prossimo", "2026-12"),
        ("29 febbraio", "2028-02-29"),
    ] {
        for lang in Lang::ALL {
            assert_eq!(said(ahead(typed, now(), lang), lang), edtf, "{typed:?} in {lang}");
        }
    }
    assert_eq!(when("by Friday", now(), Lang::En), Err(NotHeard::Unclear));
}

#[test]
fn numbers_that_may_be_two_days_are_asked_about() {
    for (typed, day_first, month_first) in [
        ("8/12/2023", "2023-12-08", "2023-08-12"),
        ("8-12-2023", "2023-12-08", "2023-08-12"),
        ("8/12", "2025-12-08", "2026-08-12"),
        ("8/12/2023 5:30", "2023-12-08T05:30", "2023-08-12T05:30"),
        ("before 8/12/2023", "../2023-12-08", "../2023-08-12"),
    ] {
        assert_eq!(heard(typed, Lang::It), day_first);
        let parsed = |edtf: &str| edtf.parse().expect(edtf);
        let ambiguous = NotHeard::Ambiguous { one: parsed(day_first), other: parsed(month_first) };
        assert_eq!(when(typed, now(), Lang::En), Err(ambiguous), "{typed}");
    }
    assert_eq!(
        heard("8/12/2023", Lang::En),
        "This can be 8 December 2023 or 12 August 2023. Write 2023-12-08 or 2023-08-12."
    );
    assert_eq!(heard("12/13/2023", Lang::En), "2023-12-13");
    assert_eq!(heard("12/13/2023", Lang::It), "Nel calendario non esiste: 12/13/2023.");
    assert_eq!(
        heard("8.12", Lang::It),
        "Può voler dire 8 dicembre 2025 oppure 25 novembre 2026, ore 08:12. Scrivi 2025-12-08 oppure 2026-11-25T08:12."
    );
    assert_eq!(heard("8.12 alle 5", Lang::It), "2025-12-08T05:00");
    assert_eq!(heard("17.30", Lang::It), "2026-11-24T17:30");
}

#[test]
fn what_is_not_understood_is_refused_with_the_reason() {
    let no_day = |day, month, year| NotHeard::NoSuchDay { day: Some(day), month: Some(month), year };
    let unknown = |word: &str| NotHeard::Unknown(word.to_owned());
    let short = |year: &str| NotHeard::ShortYear(year.to_owned());
    let no_time = |time: &str| NotHeard::NoSuchTime(time.to_owned());
    for (typed, why) in [
        ("", NotHeard::Empty),
        (" \n ", NotHeard::Empty),
        ("8 brumaio", unknown("brumaio")),
        ("8 dicembre forse", unknown("forse")),
        ("8 dicembre 2023 05:30 UTC", unknown("utc")),
        ("8 dicembre?", unknown("?")),
        ("٨ dicembre", unknown("٨")),
        ("8 o 9 dicembre", unknown("o")),
        ("05:30:15", unknown("05:30:15")),
        ("30 febbraio", no_day(30, 2, None)),
        ("31 novembre 2023", no_day(31, 11, Some(2023))),
        ("29 February 2023", no_day(29, 2, Some(2023))),
        ("31/02/2023", no_day(31, 2, Some(2023))),
        ("2023-02-30 05:00", no_day(30, 2, Some(2023))),
        ("2023-02-30", no_time("2023-02-30")),
        ("ieri alle 25", no_time("25:00")),
        ("ieri alle 24:30", no_time("24:30")),
        ("ieri alle 5:60", no_time("5:60")),
        ("yesterday at 17 pm", no_time("17:00 pm")),
        ("8/12/23", short("23")),
        ("8 dicembre 23", short("23")),
        ("8 Dec '23", short("23")),
        ("dal 10 all'8 dicembre 2023 ", NotHeard::Backwards),
        ("dal 28 al 2 dicembre", NotHeard::Backwards),
        ("dal 28 novembre al 2", NotHeard::Backwards),
        ("2023-12-10/2023-12-08", NotHeard::Backwards),
        ("2023-12-08T05", NotHeard::BareHour("2023-12-08T05".to_owned())),
        ("9999 years ago", NotHeard::TooFar),
        ("5", NotHeard::Unclear),
        ("from 5 to 7", NotHeard::Unclear),
        ("8 dicembre 5", NotHeard::Unclear),
        ("alle", NotHeard::Unclear),
        ("circa", NotHeard::Unclear),
        ("ieri oggi", NotHeard::Unclear),
        ("3 giorni prima di ieri", NotHeard::Unclear),
        ("alle 5 dopo ieri", NotHeard::Unclear),
        ("8 dicembre dalle 5 alla sera", NotHeard::Unclear),
        ("notte tra il 7 e il 9 dicembre", NotHeard::Unclear),
        ("primo giorno di dicembre", NotHeard::Unclear),
        ("dicembre alle 5", NotHeard::Unclear),
        ("da ieri", NotHeard::Unclear),
        ("dall'8 dicembre alle 17:30", NotHeard::Unclear),
        ("8-10 dicembre alle 5", NotHeard::Unclear),
        ("stamattina alle 5 pm", NotHeard::Unclear),
    ] {
        assert_eq!(when(typed, now(), Lang::It), Err(why), "{typed:?}");
    }
    assert_eq!(when(&"8 dicembre ".repeat(6000), now(), Lang::It), Err(NotHeard::TooLong));
    assert_eq!(heard("30 febbraio", Lang::It), "Nel calendario non esiste: 30 febbraio.");
    assert_eq!(heard("31 November 2023", Lang::En), "There is no 31 November 2023 in the calendar.");
    assert_eq!(
        heard("giovedì 8 dicembre 2023", Lang::It),
        "8 dicembre 2023 cade di venerdì, non di giovedì. Quale intendi?"
    );
    assert_eq!(
        heard("Thursday 8 December 2023", Lang::En),
        "8 December 2023 is a Friday, not a Thursday. Which one do you mean?"
    );
}

#[test]
fn what_was_heard_is_said_back_in_plain_words() {
    for (typed, en, it) in [
        ("8 dicembre verso le 5", "8 December 2025, around 5 am", "8 dicembre 2025, intorno alle 5"),
        ("yesterday 18:30", "24 November 2026, 18:30", "24 novembre 2026, ore 18:30"),
        ("10 minuti fa", "25 November 2026, about 09:50", "25 novembre 2026, verso le 09:50"),
        ("circa l'8 dicembre", "about 8 December 2025", "intorno all'8 dicembre 2025"),
        ("8-10 Dec", "from 8 to 10 December 2025", "dall'8 al 10 dicembre 2025"),
        (
            "stamattina",
            "some time between 06:00 on 25 November 2026 and 12:00 on 25 November 2026",
            "in un momento fra le 06:00 del 25 novembre 2026 e le 12:00 del 25 novembre 2026",
        ),
        ("prima del 12 dicembre", "before 12 December 2025", "prima del 12 dicembre 2025"),
    ] {
        for lang in Lang::ALL {
            let heard = when(typed, now(), lang).expect(typed);
            assert_eq!(spoken::when(&heard, lang), lang.pick(en, it), "{typed}");
        }
    }
}

/// Years of three digits and less are said without zeros, and then a number.
fn any_point() -> impl Strategy<Value = Point> {
    let minute = (0i64..400 * 366 * 24 * 60).prop_map(|minutes| {
        let start = NaiveDate::from_ymd_opt(1850, 1, 1).expect("a day").and_time(chrono::NaiveTime::MIN);
        start + TimeDelta::minutes(minutes)
    });
    (minute, 0..5, any::<bool>(), any::<bool>()).prop_map(|(at, kind, about, whole)| {
        let at = if whole { at.with_minute(0).expect("an hour") } else { at };
        match kind {
            0 => Point { stamp: Stamp::Year(at.year()), about },
            1 => Point { stamp: Stamp::Month(at.date().with_day(1).expect("a first")), about },
            2 => Point { stamp: Stamp::Day(at.date()), about },
            3 => Point { stamp: Stamp::Hour(at.with_minute(0).expect("an hour")), about: true },
            _ => Point { stamp: Stamp::Minute(at), about },
        }
    })
}

/// Two points, sometimes of the same month, in order.
fn any_points() -> impl Strategy<Value = (Point, Point)> {
    let near = (any_point(), 1u32..=28, 1u32..=28).prop_map(|(point, one, other)| {
        let day = |number| Point { stamp: Stamp::Day(point.first().date().with_day(number).expect("a day")), ..point };
        (day(one), day(other))
    });
    prop_oneof![(any_point(), any_point()), near].prop_map(|(a, b)| if b.first() < a.first() { (b, a) } else { (a, b) })
}

fn any_word() -> impl Strategy<Value = String> {
    let words: Vec<&str> = words::WORDS.iter().flat_map(|(words, _)| words.split('|')).collect();
    prop_oneof![
        4 => proptest::sample::select(words).prop_map(str::to_owned),
        2 => "[0-9]{1,4}(st|th|º|°|h|pm)?",
        1 => "[0-9]{1,4}([-/.:–][0-9]{1,4}){1,3}",
        1 => "[-–~,.']",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_we_say_we_understand((a, b) in any_points(), kind in 0usize..5) {
        let it: When = [When::At(a), When::Whole(a, b), When::Within(a, b), When::Before(a), When::After(a)][kind];
        for lang in Lang::ALL {
            let words = spoken::when(&it, lang);
            prop_assert_eq!(when(&words, now(), lang), Ok(it), "{}", words);
            prop_assert_eq!(ahead(&words, now(), lang), Ok(it), "{}", words);
        }
    }

    #[test]
    fn nothing_typed_panics(text in "\\PC{0,60}|\\s{0,3}[0-9A-Za-z/.:~'’º° –-]{0,60}") {
        for lang in Lang::ALL {
            let _ = said(when(&text, now(), lang), lang);
        }
    }

    #[test]
    fn no_words_of_a_date_panic(words in prop::collection::vec(any_word(), 1..12), zone in 0i64..2_000_000) {
        let now = now() + TimeDelta::minutes(zone);
        for lang in Lang::ALL {
            for heard in [when(&words.join(" "), now, lang), ahead(&words.join(" "), now, lang)] {
                match heard {
                    // What was heard is a moment that can be written and read.
                    Ok(it) => {
                        prop_assert_eq!(it.to_string().parse::<When>(), Ok(it));
                        let _ = spoken::when(&it, lang);
                    }
                    Err(why) => prop_assert!(!why.reason(lang).is_empty()),
                }
            }
        }
    }
}
