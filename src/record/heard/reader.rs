//! Reads one end of a phrase: its pieces may come in any order, but each only once and none may be left over.

use chrono::{Datelike, Days, Months, TimeDelta};

use super::{
    Ear, NotHeard,
    clock::hour_ended,
    said::{Said, fill},
    words::{Art, Token, Unit},
};
use crate::when::{Point, Stamp};

/// Reads all the tokens, or says why not.
pub(super) fn read(tokens: &[Token], ear: Ear) -> Result<Said, NotHeard> {
    let mut reader =
        Reader { rest: tokens, ear, said: Said::default(), article: Art::Any, about: false, last: Last::Other };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    reader.end()
}

/// What is still to be read, and what was.
pub(super) struct Reader<'t> {
    pub(super) rest: &'t [Token],
    pub(super) ear: Ear,
    said: Said,
    /// The article just read.
    pub(super) article: Art,
    /// "About" was said of what comes next.
    about: bool,
    last: Last,
}

/// What was read last.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Clock,
    Weekday,
    Other,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<(), NotHeard> {
        if self.filler() {
            return Ok(());
        }
        if let Some(clock) = self.clock()? {
            fill(&mut self.said.clock, clock)?;
            self.clock_was_read();
            return Ok(());
        }
        if self.article == Art::Hour {
            return Err(NotHeard::Unclear);
        }
        if self.elapsed()? {
            self.date_was_read(Last::Other);
            return Ok(());
        }
        match *self.rest {
            [Token::Shift(shift), Token::Unit(unit), ..] | [Token::Unit(unit), Token::Shift(shift), ..] => {
                self.shifted(unit, shift)?;
                self.take(2);
            }
            // It says which of the days or months is meant, before or after its name.
            [Token::Shift(shift), ..] => {
                self.take(1);
                return fill(&mut self.said.shift, shift);
            }
            [Token::Weekday(weekday), ..] => {
                fill(&mut self.said.weekday, weekday)?;
                self.take(1);
                self.date_was_read(Last::Weekday);
                return Ok(());
            }
            [Token::Day(days), ..] => {
                fill(&mut self.said.offset, days)?;
                self.take(1);
            }
            [Token::Part(part), ..] => {
                fill(&mut self.said.part, part)?;
                self.take(1);
            }
            [Token::Now | Token::Ora, ..] => {
                fill(&mut self.said.point, Point { stamp: Stamp::Minute(self.ear.now), about: false })?;
                self.take(1);
            }
            _ => return self.date(),
        }
        self.date_was_read(Last::Other);
        Ok(())
    }

    fn end(mut self) -> Result<Said, NotHeard> {
        if self.about {
            match self.said.clock.is_some() || self.said.loose.is_some() {
                true => self.said.about_clock = true,
                false => self.said.about_date = true,
            }
        }
        let misplaced = self.said.about_date && self.said.clock.is_some();
        if misplaced || self.article == Art::Hour || self.said == Said::default() {
            return Err(NotHeard::Unclear);
        }
        Ok(self.said)
    }

    pub(super) fn take(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.article = Art::Any;
    }

    fn clock_was_read(&mut self) {
        self.said.about_clock |= std::mem::take(&mut self.about);
        self.said.clock_first = !self.said.dated();
        self.last = Last::Clock;
    }

    fn date_was_read(&mut self, last: Last) {
        self.said.about_date |= std::mem::take(&mut self.about);
        self.last = last;
    }

    /// Skips an article or a word that says nothing; notes an "about".
    fn filler(&mut self) -> bool {
        let article = match *self.rest {
            [Token::About, ..] => {
                match self.last {
                    Last::Clock => self.said.about_clock = true,
                    Last::Weekday | Last::Other => self.about = true,
                }
                self.article
            }
            [
                Token::Ora | Token::Unit(Unit::Hour),
                Token::Number(_, 1..=2) | Token::Clock(..) | Token::Dotted(..),
                ..,
            ] => Art::Hour,
            [Token::Unit(Unit::Day), Token::Number(_, 1..=2), ..] => Art::Day,
            [Token::Unit(Unit::Year), Token::Number(_, 4), ..] => Art::Day,
            // One of "a week ago", "in 3 days".
            [Token::A, Token::Unit(_), ..] => return false,
            [Token::In, count, Token::Unit(_) | Token::Ora, ..] if count.count().is_some() => return false,
            [Token::Article(Art::Any) | Token::From(Art::Any) | Token::To(Art::Any), ..] => self.article,
            [Token::Article(article) | Token::From(article) | Token::To(article), ..] => article,
            [Token::A | Token::In | Token::Noise, ..] => self.article,
            _ => return false,
        };
        self.take(1);
        self.article = article;
        true
    }

    /// "3 days ago", "in 3 days": to the day; other lengths are counted from now and only about right.
    fn elapsed(&mut self) -> Result<bool, NotHeard> {
        let (ahead, count, unit) = match *self.rest {
            [Token::In | Token::Between, count, unit, ..] => (true, count, unit),
            [count, unit, Token::Ago | Token::AgoOrAugust, ..] => (false, count, unit),
            _ => return Ok(false),
        };
        let (Some(count), Some(unit)) = (count.count(), unit.unit()) else { return Ok(false) };
        match unit {
            Unit::Day => fill(&mut self.said.offset, i64::from(count) * if ahead { 1 } else { -1 })?,
            _ => {
                let stamp = self.far(count, unit, ahead)?;
                fill(&mut self.said.point, Point { stamp, about: true })?;
            }
        }
        self.take(3);
        Ok(true)
    }

    /// "Last year", "il mese prossimo".
    fn shifted(&mut self, unit: Unit, shift: i64) -> Result<(), NotHeard> {
        if unit == Unit::Week {
            return fill(&mut self.said.week, shift);
        }
        let count = u32::from(shift != 0);
        match self.far(count, unit, shift > 0)? {
            Stamp::Year(year) => fill(&mut self.said.year, year),
            Stamp::Month(first) => {
                fill(&mut self.said.month, first.month())?;
                fill(&mut self.said.year, first.year())
            }
            _ => Err(NotHeard::Unclear),
        }
    }

    /// So many units from now, as exactly as the unit says.
    fn far(&self, count: u32, unit: Unit, ahead: bool) -> Result<Stamp, NotHeard> {
        let now = self.ear.now;
        let months = |count| if ahead { now.checked_add_months(count) } else { now.checked_sub_months(count) };
        let days = |count| if ahead { now.checked_add_days(count) } else { now.checked_sub_days(count) };
        let minutes = |count| {
            let length = TimeDelta::minutes(i64::from(count));
            if ahead { now.checked_add_signed(length) } else { now.checked_sub_signed(length) }
        };
        let stamp = match unit {
            Unit::Minute => minutes(count).map(Stamp::Minute),
            Unit::Hour => minutes(count.saturating_mul(60)).map(Stamp::Minute),
            Unit::Day => days(Days::new(count.into())).map(|at| Stamp::Day(at.date())),
            Unit::Week => days(Days::new(u64::from(count) * 7)).map(|at| Stamp::Day(at.date())),
            Unit::Month => months(Months::new(count)).and_then(|at| at.date().with_day(1)).map(Stamp::Month),
            Unit::Year => months(Months::new(count.saturating_mul(12))).map(|at| Stamp::Year(at.year())),
        };
        stamp.ok_or(NotHeard::TooFar)
    }

    fn date(&mut self) -> Result<(), NotHeard> {
        match *self.rest {
            [Token::Iso { year, month, day }, ..] => {
                fill(&mut self.said.year, year)?;
                fill(&mut self.said.month, month)?;
                if let Some(day) = day {
                    fill(&mut self.said.day, day)?;
                }
                self.take(1);
            }
            [Token::Slashed { first, second, year, dotted }, ..] => {
                let turned = self.ear.month_first && !dotted;
                let (day, month) = if turned { (second, first) } else { (first, second) };
                self.day_and_month(day, month)?;
                self.take(1);
                match year {
                    Some(year) => fill(&mut self.said.year, year)?,
                    None => self.year()?,
                }
            }
            [Token::Dotted(day, month), ..] if !self.ear.dots_are_clocks => {
                self.day_and_month(day, month)?;
                self.take(1);
                self.year()?;
            }
            [Token::Month(_) | Token::AgoOrAugust, ..] => self.month_then_day()?,
            [Token::Number(year, 4), ..] => {
                fill(&mut self.said.year, i32::try_from(year).unwrap_or(0))?;
                self.take(1);
            }
            [Token::Number(day, 1..=2) | Token::Count(day), ..] => return self.day(day),
            [Token::First, ..] => return self.day(1),
            _ => return Err(NotHeard::Unclear),
        }
        self.date_was_read(Last::Other);
        Ok(())
    }

    fn day_and_month(&mut self, day: u32, month: u32) -> Result<(), NotHeard> {
        fill(&mut self.said.day, day)?;
        fill(&mut self.said.month, month)
    }

    /// A number, then perhaps its month and year: "8th of December 2023".
    fn day(&mut self, day: u32) -> Result<(), NotHeard> {
        let ordinal = matches!(self.rest, [Token::First, ..] | [_, Token::Ordinal, ..]);
        let known = match self.article {
            Art::Day => true,
            Art::Elided => day != 1,
            Art::Any | Art::Hour => self.last == Last::Weekday,
        };
        self.take(1 + usize::from(matches!(self.rest, [_, Token::Ordinal, ..])));
        let skipped = articles(self.rest);
        if let Some(month) = self.rest.get(skipped).and_then(|token| token.month()) {
            self.take(skipped + 1);
            self.day_and_month(day, month)?;
            self.year()?;
        } else if ordinal || known {
            fill(&mut self.said.day, day)?;
        } else {
            fill(&mut self.said.loose, day)?;
            self.clock_was_read();
            return Ok(());
        }
        self.date_was_read(Last::Other);
        Ok(())
    }

    /// A month, then perhaps the number of a day and the year: "December 8th, 2023".
    fn month_then_day(&mut self) -> Result<(), NotHeard> {
        if let Some(month) = self.rest.first().and_then(|token| token.month()) {
            fill(&mut self.said.month, month)?;
        }
        self.take(1);
        let skipped = usize::from(matches!(self.rest, [Token::Article(Art::Day), ..]));
        if let Some([Token::Number(day, 1..=2), rest @ ..]) = self.rest.get(skipped..)
            && !hour_ended(rest)
        {
            fill(&mut self.said.day, *day)?;
            self.take(skipped + 1 + usize::from(rest.first() == Some(&Token::Ordinal)));
        }
        self.year()
    }

    /// The year behind a month.
    fn year(&mut self) -> Result<(), NotHeard> {
        let skipped = articles(self.rest);
        match self.rest.get(skipped..) {
            Some([Token::Number(year, 4), ..]) => {
                fill(&mut self.said.year, i32::try_from(*year).unwrap_or(0))?;
                self.take(skipped + 1);
                Ok(())
            }
            Some([Token::Number(year, 2), rest @ ..]) if skipped == 0 && !hour_ended(rest) => {
                Err(NotHeard::ShortYear(format!("{year:02}")))
            }
            _ => Ok(()),
        }
    }
}

impl Token {
    /// How many: a number, a number in words, "a".
    fn count(self) -> Option<u32> {
        match self {
            Token::Number(count, 1..=4) | Token::Count(count) => Some(count),
            Token::A => Some(1),
            _ => None,
        }
    }

    fn unit(self) -> Option<Unit> {
        match self {
            Token::Unit(unit) => Some(unit),
            Token::Ora => Some(Unit::Hour),
            _ => None,
        }
    }

    fn month(self) -> Option<u32> {
        match self {
            Token::Month(month) => Some(month),
            Token::AgoOrAugust => Some(8),
            _ => None,
        }
    }
}

/// How many articles stand at the start, "dell'anno" among them.
fn articles(tokens: &[Token]) -> usize {
    let article =
        |token: &&Token| matches!(token, Token::Article(Art::Any | Art::Day | Art::Elided) | Token::Unit(Unit::Year));
    tokens.iter().take_while(article).count()
}
