//! Why a date was not understood, and how that is said to who typed it.

use chrono::{Datelike, NaiveDate, Weekday};

use super::{
    MAX_CHARS,
    words::{Token, name},
};
use crate::{lang::Lang, spoken, when::When};

/// Why a text was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason(Lang::En))]
pub enum NotHeard {
    /// Nothing was typed.
    Empty,
    /// More than [`MAX_CHARS`].
    TooLong,
    /// A word or sign that has no meaning in a date.
    Unknown(String),
    /// Every word is known, but together they do not make one time.
    Unclear,
    /// Two readings are left.
    Ambiguous {
        /// The first of them.
        one: When,
        /// Another.
        other: When,
    },
    /// It is not in the calendar.
    NoSuchDay {
        /// The day of the month, if it was said.
        day: Option<u32>,
        /// The month, if it was said.
        month: Option<u32>,
        /// The year, if it was said.
        year: Option<i32>,
    },
    /// The clock does not show it, or EDTF says a day that is not in the calendar.
    NoSuchTime(String),
    /// The day is another day of the week.
    WrongWeekday {
        /// The day.
        day: NaiveDate,
        /// What it was called.
        said: Weekday,
    },
    /// A year of two digits.
    ShortYear(String),
    /// The end lies before the beginning.
    Backwards,
    /// EDTF with an hour but no minutes.
    BareHour(String),
    /// Outside the years 1 to 9999.
    TooFar,
}

impl NotHeard {
    /// The reason, as said to who typed it, with what would be understood.
    pub fn reason(&self, lang: Lang) -> String {
        let example = lang.pick(
            "Write, for instance, 8 December 2023 at 05:30, yesterday 18:30, or 2023-12-08T05:30.",
            "Scrivi, per esempio, 8 dicembre 2023 alle 5:30, ieri 18:30 oppure 2023-12-08T05:30.",
        );
        match self {
            NotHeard::Empty => lang.pick(format!("Which date? {example}"), format!("Quale data? {example}")),
            NotHeard::TooLong => lang.pick(
                format!("A date can have {MAX_CHARS} characters at most. {example}"),
                format!("Una data può avere al massimo {MAX_CHARS} caratteri. {example}"),
            ),
            NotHeard::Unknown(word) => lang.pick(
                format!("I do not understand “{word}” in a date. {example}"),
                format!("Non capisco «{word}» in una data. {example}"),
            ),
            NotHeard::Unclear => lang.pick(
                format!("I know these words, but cannot make one time of them. {example}"),
                format!("Conosco queste parole, ma non riesco a ricavarne un momento preciso. {example}"),
            ),
            NotHeard::Ambiguous { one, other } => {
                let (first, second) = (spoken::when(one, lang), spoken::when(other, lang));
                lang.pick(
                    format!("This can be {first} or {second}. Write {one} or {other}."),
                    format!("Può voler dire {first} oppure {second}. Scrivi {one} oppure {other}."),
                )
            }
            NotHeard::NoSuchDay { day, month, year } => {
                let day = date(*day, *month, *year, lang);
                lang.pick(format!("There is no {day} in the calendar."), format!("Nel calendario non esiste: {day}."))
            }
            NotHeard::NoSuchTime(time) => lang.pick(format!("There is no {time}."), format!("Non esiste: {time}.")),
            NotHeard::WrongWeekday { day, said } => {
                let [is, said] = [day.weekday(), *said].map(|weekday| name(Token::Weekday(weekday), lang));
                let day = spoken::day(*day, lang);
                lang.pick(
                    format!("{day} is a {is}, not a {said}. Which one do you mean?"),
                    format!("{day} cade di {is}, non di {said}. Quale intendi?"),
                )
            }
            NotHeard::ShortYear(year) => lang.pick(
                format!("Is {year} a year? Write all four digits, such as 2023; and an hour such as 17:00."),
                format!("{year} è un anno? Scrivilo con quattro cifre, come 2023; e un'ora come 17:00."),
            ),
            NotHeard::Backwards => lang.pick("This ends before it begins.", "Finisce prima di cominciare.").to_owned(),
            NotHeard::BareHour(hour) => lang.pick(
                format!("{hour} says an hour without minutes. Write {hour}:00, or {hour}~ for about that hour."),
                format!(
                    "{hour} indica un'ora senza i minuti. Scrivi {hour}:00, oppure {hour}~ per dire verso quell'ora."
                ),
            ),
            NotHeard::TooFar => {
                lang.pick("I only know the years 1 to 9999.", "Conosco solo gli anni da 1 a 9999.").to_owned()
            }
        }
    }
}

/// A date that does not exist: "30 February 2023"; "12/13/2023" where there is no such month either.
fn date(day: Option<u32>, month: Option<u32>, year: Option<i32>, lang: Lang) -> String {
    let (month, between) = match month {
        Some(month @ 1..=12) => (Some(name(Token::Month(month), lang)), " "),
        other => (other.map(|month| month.to_string()), "/"),
    };
    let parts = [day.map(|day| day.to_string()), month, year.map(|year| year.to_string())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(between)
}
