//! Dates as people write them, in Italian or English, read as a [`When`]: "8 dicembre verso le 5", "yesterday 18:30".
//!
//! Both languages are understood whatever the setting, mixed too, and so is EDTF. What is read is said back
//! ([`crate::spoken`]) before anything is saved, so it may be forgiving; but it never reads around a word it does not
//! know, and asks where two readings are left.
//!
//! | said | read as |
//! |---|---|
//! | "8 December", "Friday", "23 dicembre" without a year | the latest such day up to today; [`ahead`]: the next from today |
//! | "lunedì scorso", "next Monday" | strictly before, strictly after today |
//! | "18:30" without a day | the latest up to now; [`ahead`]: the next from now |
//! | "alle 5", "at 5" | 05:00: without am, pm or a part of the day, a clock of 24 hours |
//! | "verso le 5" | about that hour; "verso le 5:00" is about that minute |
//! | "mezzanotte", "midnight" | 00:00 of the day named; "alle 24" is where the next day begins |
//! | morning, afternoon, evening | some time within 06:00–12:00, 12:00–18:00, 18:00–23:59 |
//! | "stanotte" | some time within the last (or next) 00:00–06:00 |
//! | "last night", "nella notte tra il 7 e l'8 dicembre" | some time from 18:00 to 06:00 |
//! | "Monday night", "la notte dell'8" | refused: before that day or after it? |
//! | "3 days ago" | that day |
//! | "10 minuti fa", "a week ago", "2 months ago" | about that minute, day, month |
//! | 8/12/2023, 8-12-2023 | the day first; in English refused while both readings exist. 8.12.2023: always the day first |
//! | "dicembre 23" | the 23rd of December; a year has four digits, "8 dicembre 23" is refused |
//! | "from 28 November to 2 January 2024" | what one end leaves out comes from the other: from 2023 |
//! | "from 28 to 2 December" | a day's month comes from the other end as it is: refused as backwards |

use chrono::{Datelike, NaiveDateTime, Timelike};

use crate::{
    lang::Lang,
    when::{NotAWhen, Point, When},
};

mod calendar;
mod clock;
mod reader;
mod said;
mod tokens;
mod unheard;
mod words;

#[cfg(test)]
mod tests;

use said::Said;
pub use unheard::NotHeard;
use words::{Part, Token};

/// The longest date that is read, in characters: our own longest sentence about a time has fewer than a hundred.
pub const MAX_CHARS: usize = 120;

/// Where what was left out is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lean {
    Past,
    Future,
}

/// How the numbers are taken that could be taken in two ways, and from when days are counted.
#[derive(Clone, Copy)]
struct Ear {
    now: NaiveDateTime,
    lean: Lean,
    month_first: bool,
    dots_are_clocks: bool,
}

/// When something happened: what is left out lies in the past. `now` is what the clocks show in the incident's zone;
/// `lang` decides between what both languages know but read differently.
pub fn when(typed: &str, now: NaiveDateTime, lang: Lang) -> Result<When, NotHeard> {
    hear(typed, now, lang, Lean::Past)
}

/// When something is to happen: what is left out lies in the future. "Entro venerdì" is understood too, as that day.
pub fn ahead(typed: &str, now: NaiveDateTime, lang: Lang) -> Result<When, NotHeard> {
    hear(typed, now, lang, Lean::Future)
}

fn hear(typed: &str, now: NaiveDateTime, lang: Lang, lean: Lean) -> Result<When, NotHeard> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(NotHeard::Empty);
    }
    if typed.chars().nth(MAX_CHARS).is_some() {
        return Err(NotHeard::TooLong);
    }
    match typed.parse::<When>() {
        Ok(when) => return near(when),
        Err(NotAWhen::Form(_) | NotAWhen::Skipped(..)) => {}
        Err(NotAWhen::NoSuchTime(time)) => return Err(NotHeard::NoSuchTime(time)),
        Err(NotAWhen::Backwards(_)) => return Err(NotHeard::Backwards),
        Err(NotAWhen::BareHour(hour)) => return Err(NotHeard::BareHour(hour)),
    }
    let tokens = tokens::tokens(typed)?;
    let now = now.with_second(0).and_then(|now| now.with_nanosecond(0)).unwrap_or(now);
    let months_first: &[bool] = lang.pick(&[false, true], &[false]);
    let ears = months_first
        .iter()
        .flat_map(|&month_first| [false, true].map(|dots_are_clocks| Ear { now, lean, month_first, dots_are_clocks }));
    agreed(ears.map(|ear| phrase(&tokens, ear).and_then(near)))
}

/// A date in the years 1 to 9999: what is written with other years is a slip, and could not be said back.
fn near(when: When) -> Result<When, NotHeard> {
    if when.to_string().parse() == Ok(when) { Ok(when) } else { Err(NotHeard::TooFar) }
}

/// The one reading there is. Two are a question to whoever typed it; without any, the first good reason.
fn agreed(readings: impl Iterator<Item = Result<When, NotHeard>>) -> Result<When, NotHeard> {
    let (mut found, mut reason) = (None, NotHeard::Unclear);
    for reading in readings {
        match (reading, found) {
            (Ok(other), Some(one)) if one != other => return Err(NotHeard::Ambiguous { one, other }),
            (Ok(when), _) => found = Some(when),
            (Err(why), _) if reason == NotHeard::Unclear => reason = why,
            (Err(_), _) => {}
        }
    }
    found.ok_or(reason)
}

/// A bound, a span or a moment.
fn phrase(tokens: &[Token], ear: Ear) -> Result<When, NotHeard> {
    match tokens {
        [Token::Noise, rest @ ..] => phrase(rest, ear),
        [Token::By, rest @ ..] if ear.lean == Lean::Future => single(&[&[Token::In], rest].concat(), ear),
        _ if let Some(at) = tokens.iter().position(|token| matches!(token, Token::Before | Token::After)) => {
            let when = bounded(&tokens[..at], &tokens[at + 1..], ear)?;
            Ok(if tokens[at] == Token::Before { When::Before(ends(when).0) } else { When::After(ends(when).1) })
        }
        _ => {
            let opening = tokens.iter().position(|token| matches!(token, Token::Between | Token::From(_)));
            let spans = spans(tokens, opening, ear);
            match opening.and_then(|at| tokens.get(at)) {
                Some(Token::From(_)) => agreed(spans),
                _ => agreed(spans.chain([single(tokens, ear)])),
            }
        }
    }
}

/// What comes behind "before" or "after"; before these may stand its day: "8 dicembre dopo le 5".
fn bounded(before: &[Token], tokens: &[Token], ear: Ear) -> Result<When, NotHeard> {
    if before.is_empty() {
        return single(tokens, ear);
    }
    let (day, clock) = (reader::read(before, ear)?, reader::read(tokens, ear)?);
    let timeless = day.clock.is_none() && day.loose.is_none();
    match day.dated() && timeless && !clock.dated() && clock.clock.is_some() {
        true => single(&[before, tokens].concat(), ear),
        false => Err(NotHeard::Unclear),
    }
}

/// One moment, all by itself.
fn single(tokens: &[Token], ear: Ear) -> Result<When, NotHeard> {
    let mut said = reader::read(tokens, ear)?;
    if said.loose.is_some() && !said.about_clock {
        return Err(NotHeard::Unclear);
    }
    said.loose_is_hour()?;
    said.resolve(ear.now, ear.now, ear.lean)
}

/// A reading for every place where the span may be parted in two.
fn spans(tokens: &[Token], opening: Option<usize>, ear: Ear) -> impl Iterator<Item = Result<When, NotHeard>> {
    let (before, body) = tokens.split_at(opening.unwrap_or(0));
    let (between, body) = match body {
        [Token::Between, body @ ..] => (true, body),
        _ => (false, body),
    };
    body.iter().enumerate().filter_map(move |(at, token)| {
        let second = match (between, token) {
            (true, Token::And | Token::E) => at + 1,
            (false, Token::Until | Token::Dash) => at + 1,
            // It is an article too, which says whether a day or an hour follows.
            (false, Token::To(_) | Token::A) if opening.is_some() => at,
            _ => return None,
        };
        Some(span(before, &body[..at], &body[second..], between, ear))
    })
}

/// From one end to the other; `before` it may stand the day of both: "8 dicembre dalle 5 alle 7".
fn span(before: &[Token], from: &[Token], to: &[Token], within: bool, ear: Ear) -> Result<When, NotHeard> {
    let (mut from, mut to) = (reader::read(from, ear)?, reader::read(to, ear)?);
    let mut night = false;
    if !before.is_empty() {
        let common = reader::read(before, ear)?;
        night = common == Said { part: Some(Part::Night), ..Said::default() } && (from.dated() || to.dated());
        if !night {
            (from, to) = on(common, from, to)?;
        }
    }
    let (from, to) = resolved(from, to, ear)?;
    if night && within {
        return calendar::night_between(from, to);
    }
    if night || to.last() < from.first() || to.first() < from.first() {
        return Err(if night { NotHeard::Unclear } else { NotHeard::Backwards });
    }
    Ok(if within { When::Within(from, to) } else { When::Whole(from, to) })
}

/// Two clock times on a day said before them; the second may lie past midnight.
fn on(common: Said, from: Said, mut to: Said) -> Result<(Said, Said), NotHeard> {
    let bare = |end: Said| {
        let Said { clock, loose, about_clock, clock_first, .. } = end;
        end == Said { clock, loose, about_clock, clock_first, ..Said::default() }
    };
    let timeless = common.clock.is_none() && common.loose.is_none() && common.point.is_none() && !common.about_date;
    if !timeless || !bare(from) || !bare(to) {
        return Err(NotHeard::Unclear);
    }
    to.part = common.part;
    let Said { clock, loose, about_clock, .. } = from;
    Ok((Said { clock, loose, about_clock, clock_first: true, ..common }, to))
}

/// Both ends, each filled in from the other.
fn resolved(mut from: Said, mut to: Said, ear: Ear) -> Result<(Point, Point), NotHeard> {
    let from_dated = from.dated();
    if to.dated() {
        to.settle(&from)?;
        from.settle(&to)?;
    } else {
        from.settle(&to)?;
        to.settle(&from)?;
    }
    if let (Some(first), Some(last)) = (&mut from.clock, to.clock)
        && !(from_dated && to.dated())
    {
        *first = first.up_to(last);
    }
    // "December 8–10, 2023".
    if to.year.is_some() && to.day.is_some() {
        to.month = to.month.or(from.month);
    }
    let clock_alone = |end: &Said| !end.dated() && end.clock.is_some();
    let timeless = |end: &Said| end.dated() && end.clock.is_none() && end.part.is_none();
    if clock_alone(&to) && timeless(&from) || clock_alone(&from) && timeless(&to) {
        return Err(NotHeard::Unclear);
    }
    let day_alone = to.day.is_some() && to.month.is_none() && from.month.is_some();
    let weekdays = ear.lean == Lean::Future && from.weekday.is_some() && from.day.is_none();
    let from_first = from.dated() && !to.dated() || from.year.is_some() && to.year.is_none() || day_alone || weekdays;
    let (first, second, lean) = if from_first { (from, to, Lean::Future) } else { (to, from, Lean::Past) };
    let first = first.resolve(ear.now, ear.now, ear.lean)?;
    let anchor = if from_first { first.earliest() } else { first.latest() }.ok_or(NotHeard::TooFar)?;
    let second = in_month(second, anchor).resolve(ear.now, anchor, lean)?;
    let (from, to) = if from_first { (first, second) } else { (second, first) };
    Ok((ends(from).0, ends(to).1))
}

/// A day without its month has that of the other end.
fn in_month(mut end: Said, other: NaiveDateTime) -> Said {
    if end.day.is_some() && end.month.is_none() && end.year.is_none() && end.shift.is_none() {
        (end.year, end.month) = (Some(other.year()), Some(other.month()));
    }
    end
}

/// The first and the last point that are named.
fn ends(when: When) -> (Point, Point) {
    match when {
        When::At(point) | When::Before(point) | When::After(point) => (point, point),
        When::Whole(from, to) | When::Within(from, to) => (from, to),
    }
}
