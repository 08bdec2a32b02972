//! How a [`When`] is said: "8 December 2023, about 05:00", "dall'8 al 10 dicembre 2023".

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::{
    lang::Lang,
    when::{Point, Stamp, When},
};

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_IT: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];

/// The words for a date, as people write them in `lang`.
pub fn when(when: &When, lang: Lang) -> String {
    match lang {
        Lang::En => english(when),
        Lang::It => italian(when),
    }
}

/// A day alone: "8 December 2023", "1º dicembre 2023".
pub fn day(day: NaiveDate, lang: Lang) -> String {
    let month = month(day, lang);
    match (lang, day.day()) {
        (Lang::It, 1) => format!("1º {month}"),
        (_, number) => format!("{number} {month}"),
    }
}

/// By when something is promised: "by 8 December 2023, 18:00", "entro le 18:00 dell'8 dicembre 2023".
pub fn by(when: &When, lang: Lang) -> String {
    let point = match when {
        When::At(point) | When::Whole(_, point) | When::Within(_, point) => point,
        When::Before(_) | When::After(_) => return self::when(when, lang),
    };
    match lang {
        Lang::En => format!("by {}", english(&When::At(*point))),
        Lang::It => format!("entro {}", part_it(point, Prep::Il)),
    }
}

/// Up to a last minute: "by the end of 14 December 2023", "at 10:00 on 14 December 2023".
pub fn end_of(last: NaiveDateTime, lang: Lang) -> String {
    let whole_day = (last.hour(), last.minute()) == (23, 59);
    let minute = Point { stamp: Stamp::Minute(last), about: false };
    let date = Point { stamp: Stamp::Day(last.date()), about: false };
    match (lang, whole_day) {
        (Lang::En, true) => format!("by the end of {}", date_en(&date)),
        (Lang::En, false) => format!("at {}", part_en(&minute)),
        (Lang::It, true) => format!("alla fine {}", date_it(&date, Prep::Di)),
        (Lang::It, false) => part_it(&minute, Prep::A),
    }
}

/// The moment a finding holds for: "as of 18 December 2023", "al 18 dicembre 2023".
pub fn as_of(when: &When, lang: Lang) -> String {
    match (lang, when) {
        (Lang::En, _) => format!("as of {}", self::when(when, lang)),
        (Lang::It, When::At(point)) => match point.stamp {
            Stamp::Year(year) => format!("nel {year:04}"),
            _ => part_it(point, Prep::A),
        },
        (Lang::It, _) => format!("situazione: {}", self::when(when, lang)),
    }
}

/// A month with its year, in four digits, so that what is said is heard again: "December 2023".
fn month(day: NaiveDate, lang: Lang) -> String {
    let names = lang.pick(MONTHS_EN, MONTHS_IT);
    format!("{} {:04}", names[day.month0() as usize], day.year())
}

fn clock(at: NaiveDateTime) -> String {
    at.format("%H:%M").to_string()
}

fn english(when: &When) -> String {
    match when {
        When::At(point) => match point.stamp {
            Stamp::Minute(at) => format!("{}, {}{}", day(at.date(), Lang::En), about(point, "about "), clock(at)),
            Stamp::Hour(at) => format!("{}, around {}", day(at.date(), Lang::En), hour_en(at.hour())),
            _ => format!("{}{}", about(point, "about "), date_en(point)),
        },
        When::Whole(a, b) => match same_month(a, b) {
            Some(from) => format!("from {from} to {}", date_en(b)),
            None => format!("from {} to {}", part_en(a), part_en(b)),
        },
        When::Within(a, b) => match same_month(a, b) {
            Some(from) => format!("some time between {from} and {}", date_en(b)),
            None => format!("some time between {} and {}", part_en(a), part_en(b)),
        },
        When::Before(point) => format!("before {}", part_en(point)),
        When::After(point) => format!("after {}", part_en(point)),
    }
}

/// A point inside a longer phrase.
fn part_en(point: &Point) -> String {
    match point.stamp {
        Stamp::Minute(at) => format!("{}{} on {}", about(point, "about "), clock(at), day(at.date(), Lang::En)),
        Stamp::Hour(at) => format!("around {} on {}", hour_en(at.hour()), day(at.date(), Lang::En)),
        _ => format!("{}{}", about(point, "about "), date_en(point)),
    }
}

fn date_en(point: &Point) -> String {
    match point.stamp {
        Stamp::Year(year) => format!("{year:04}"),
        Stamp::Month(first) => month(first, Lang::En),
        Stamp::Day(date) => day(date, Lang::En),
        Stamp::Hour(at) | Stamp::Minute(at) => day(at.date(), Lang::En),
    }
}

fn hour_en(hour: u32) -> String {
    match hour {
        0 => "midnight".to_owned(),
        12 => "noon".to_owned(),
        1..=11 => format!("{hour} am"),
        _ => format!("{} pm", hour - 12),
    }
}

fn about(point: &Point, word: &'static str) -> &'static str {
    if point.about { word } else { "" }
}

/// Two days of one month: the number of the first, so that the month is said once.
fn same_month(a: &Point, b: &Point) -> Option<u32> {
    match (a.stamp, b.stamp) {
        (Stamp::Day(from), Stamp::Day(to))
            if !a.about && !b.about && from != to && (from.year(), from.month()) == (to.year(), to.month()) =>
        {
            Some(from.day())
        }
        _ => None,
    }
}

fn italian(when: &When) -> String {
    let first = |from: u32| if from == 1 { "1º".to_owned() } else { from.to_string() };
    match when {
        When::At(point) => match point.stamp {
            Stamp::Minute(at) => {
                format!("{}, {} {}", day(at.date(), Lang::It), if point.about { "verso le" } else { "ore" }, clock(at))
            }
            Stamp::Hour(at) => format!("{}, intorno {}", day(at.date(), Lang::It), hour_it(at.hour(), Prep::A)),
            _ if point.about => format!("intorno {}", date_it(point, Prep::A)),
            _ => date_it(point, Prep::None),
        },
        When::Whole(a, b) => match same_month(a, b) {
            Some(from) => format!("{}{} {}", Prep::Da.before_day(from), first(from), date_it(b, Prep::A)),
            None => format!("{} {}", part_it(a, Prep::Da), part_it(b, Prep::A)),
        },
        When::Within(a, b) => match same_month(a, b) {
            Some(from) => {
                format!("in un momento fra {}{} e {}", Prep::Il.before_day(from), first(from), date_it(b, Prep::Il))
            }
            None => format!("in un momento fra {} e {}", part_it(a, Prep::Il), part_it(b, Prep::Il)),
        },
        When::Before(point) => format!("prima {}", part_it(point, Prep::Di)),
        When::After(point) => format!("dopo {}", part_it(point, Prep::Il)),
    }
}

/// An Italian preposition, joined to the article of what follows; `Il` is the article alone.
#[derive(Clone, Copy)]
enum Prep {
    None,
    Il,
    Di,
    Da,
    A,
}

impl Prep {
    /// Before the number of a day: "dall'" before 8 and 11, "dal " else.
    fn before_day(self, number: u32) -> &'static str {
        let vowel = matches!(number, 8 | 11);
        match (self, vowel) {
            (Prep::None, _) => "",
            (Prep::Il, true) => "l'",
            (Prep::Il, false) => "il ",
            (Prep::Di, true) => "dell'",
            (Prep::Di, false) => "del ",
            (Prep::Da, true) => "dall'",
            (Prep::Da, false) => "dal ",
            (Prep::A, true) => "all'",
            (Prep::A, false) => "al ",
        }
    }

    /// Before a clock time: "dalle ".
    fn before_clock(self) -> &'static str {
        match self {
            Prep::None => "",
            Prep::Il => "le ",
            Prep::Di => "delle ",
            Prep::Da => "dalle ",
            Prep::A => "alle ",
        }
    }

    /// Before a month, which has no article.
    fn before_month(self) -> &'static str {
        match self {
            Prep::None | Prep::Il => "",
            Prep::Di => "di ",
            Prep::Da => "da ",
            Prep::A => "a ",
        }
    }
}

fn date_it(point: &Point, prep: Prep) -> String {
    match point.stamp {
        Stamp::Year(year) => format!("{}{year:04}", prep.before_day(0)),
        Stamp::Month(first) => format!("{}{}", prep.before_month(), month(first, Lang::It)),
        Stamp::Day(date) => format!("{}{}", prep.before_day(date.day()), day(date, Lang::It)),
        Stamp::Hour(at) | Stamp::Minute(at) => format!("{}{}", prep.before_day(at.day()), day(at.date(), Lang::It)),
    }
}

fn part_it(point: &Point, prep: Prep) -> String {
    let circa = about(point, " circa");
    match point.stamp {
        Stamp::Minute(at) => format!("{}{}{circa} {}", prep.before_clock(), clock(at), date_it(point, Prep::Di)),
        Stamp::Hour(at) => format!("{}{circa} {}", hour_it(at.hour(), prep), date_it(point, Prep::Di)),
        _ => format!("{}{circa}", date_it(point, prep)),
    }
}

/// An hour with its preposition: "alle 5", "all'1", "a mezzanotte".
fn hour_it(hour: u32, prep: Prep) -> String {
    match hour {
        0 => format!("{}mezzanotte", prep.before_month()),
        12 => format!("{}mezzogiorno", prep.before_month()),
        1 => format!("{}1", prep.before_day(8)),
        _ => format!("{}{hour}", prep.before_clock()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_findings_are_said_with_their_prepositions() {
        let latest = |edtf: &str| edtf.parse::<When>().expect(edtf).latest().expect("an end");
        assert_eq!(end_of(latest("2023-12-08"), Lang::En), "by the end of 8 December 2023");
        assert_eq!(end_of(latest("2023-12-08"), Lang::It), "alla fine dell'8 dicembre 2023");
        assert_eq!(end_of(latest("2023-12-14T10:00"), Lang::En), "at 10:00 on 14 December 2023");
        assert_eq!(end_of(latest("2023-12-14T10:00"), Lang::It), "alle 10:00 del 14 dicembre 2023");
        let finding = |edtf: &str, lang| as_of(&edtf.parse().expect(edtf), lang);
        assert_eq!(finding("2023-12-18", Lang::It), "al 18 dicembre 2023");
        assert_eq!(finding("2021", Lang::It), "nel 2021");
        assert_eq!(finding("2023-12-19T10:37", Lang::It), "alle 10:37 del 19 dicembre 2023");
        assert_eq!(finding("2023-12-19T10:37", Lang::En), "as of 19 December 2023, 10:37");
    }

    #[test]
    fn what_is_promised_is_promised_by_some_time() {
        let by = |edtf: &str, lang| by(&edtf.parse().expect(edtf), lang);
        for (edtf, en, it) in [
            ("2023-12-14T18:00", "by 14 December 2023, 18:00", "entro le 18:00 del 14 dicembre 2023"),
            ("2023-12-08", "by 8 December 2023", "entro l'8 dicembre 2023"),
            ("2023-12", "by December 2023", "entro dicembre 2023"),
            ("2023-12-18/2023-12-22", "by 22 December 2023", "entro il 22 dicembre 2023"),
            ("../2023-12-12", "before 12 December 2023", "prima del 12 dicembre 2023"),
        ] {
            assert_eq!((by(edtf, Lang::En).as_str(), by(edtf, Lang::It).as_str()), (en, it), "{edtf}");
        }
    }

    #[test]
    fn dates_are_said_as_people_say_them() {
        let cases = [
            ("2023-12-08T05:30", "8 December 2023, 05:30", "8 dicembre 2023, ore 05:30"),
            ("2023-12-08T05:00~", "8 December 2023, about 05:00", "8 dicembre 2023, verso le 05:00"),
            ("2023-12-08T05~", "8 December 2023, around 5 am", "8 dicembre 2023, intorno alle 5"),
            ("2023-12-08T13~", "8 December 2023, around 1 pm", "8 dicembre 2023, intorno alle 13"),
            ("2023-12-08T01~", "8 December 2023, around 1 am", "8 dicembre 2023, intorno all'1"),
            ("2023-12-08T00~", "8 December 2023, around midnight", "8 dicembre 2023, intorno a mezzanotte"),
            ("2023-12-08", "8 December 2023", "8 dicembre 2023"),
            ("2023-12-01", "1 December 2023", "1º dicembre 2023"),
            ("2023-12-08~", "about 8 December 2023", "intorno all'8 dicembre 2023"),
            ("2023-12", "December 2023", "dicembre 2023"),
            ("2023-12~", "about December 2023", "intorno a dicembre 2023"),
            ("2023", "2023", "2023"),
            ("2023~", "about 2023", "intorno al 2023"),
            ("0079-08-24", "24 August 0079", "24 agosto 0079"),
            ("2023-12-09/2023-12-10", "from 9 to 10 December 2023", "dal 9 al 10 dicembre 2023"),
            (
                "2023-12-08/2024-01-01",
                "from 8 December 2023 to 1 January 2024",
                "dall'8 dicembre 2023 al 1º gennaio 2024",
            ),
            ("2023-12/2024-01", "from December 2023 to January 2024", "da dicembre 2023 a gennaio 2024"),
            (
                "2023-12-08T05:00~/2023-12-09T10:00",
                "from about 05:00 on 8 December 2023 to 10:00 on 9 December 2023",
                "dalle 05:00 circa dell'8 dicembre 2023 alle 10:00 del 9 dicembre 2023",
            ),
            (
                "[2023-12-09..2023-12-10]",
                "some time between 9 and 10 December 2023",
                "in un momento fra il 9 e il 10 dicembre 2023",
            ),
            (
                "[2023-12-01..2023-12-11]",
                "some time between 1 and 11 December 2023",
                "in un momento fra il 1º e l'11 dicembre 2023",
            ),
            ("[2022..2023]", "some time between 2022 and 2023", "in un momento fra il 2022 e il 2023"),
            ("../2023-12-12", "before 12 December 2023", "prima del 12 dicembre 2023"),
            ("../2023-12-08T05:00", "before 05:00 on 8 December 2023", "prima delle 05:00 dell'8 dicembre 2023"),
            ("../2023-12", "before December 2023", "prima di dicembre 2023"),
            ("2023-12-11/..", "after 11 December 2023", "dopo l'11 dicembre 2023"),
        ];
        for (edtf, en, it) in cases {
            let parsed: When = edtf.parse().expect(edtf);
            assert_eq!(when(&parsed, Lang::En), en, "{edtf}");
            assert_eq!(when(&parsed, Lang::It), it, "{edtf}");
        }
    }
}
