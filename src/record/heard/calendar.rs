//! What was said, on the calendar: the year that was left out, "last Monday", "in the evening".

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{
    Lean, NotHeard,
    said::{ClockTime, Said},
    words::Part,
};
use crate::when::{Point, Stamp, When};

/// How many days are searched for one that fits: the 29th of February can be 8 years away.
const SEARCHED: usize = 8 * 366;

impl Said {
    /// The moment that was meant: what was left open is the latest that fits up to `anchor`, or the next from there.
    /// "Today" and its like count from `now`.
    pub fn resolve(&self, now: NaiveDateTime, anchor: NaiveDateTime, lean: Lean) -> Result<When, NotHeard> {
        if let Some(point) = self.point {
            let alone = Said { point: self.point, about_date: self.about_date, ..Said::default() };
            let about = point.about || self.about_date;
            return if *self == alone { Ok(When::At(Point { about, ..point })) } else { Err(NotHeard::Unclear) };
        }
        if let (Some(weeks), None) = (self.week, self.weekday) {
            let alone = Said { week: self.week, ..Said::default() };
            let monday = monday(now, weeks)?;
            let sunday = monday.checked_add_days(Days::new(6)).ok_or(NotHeard::TooFar)?;
            let day = |day| Point { stamp: Stamp::Day(day), about: false };
            return if *self == alone { Ok(When::Within(day(monday), day(sunday))) } else { Err(NotHeard::Unclear) };
        }
        let clock = match (self.clock, self.part) {
            (Some(clock), Some(part)) => Some(clock.on(part)?),
            (clock, _) => clock,
        };
        match (self.stamp(now, anchor.date(), lean)?, clock, self.part) {
            (Some(stamp), None, None) => Ok(When::At(Point { stamp, about: self.about_date })),
            (Some(Stamp::Day(day)), Some(clock), part) => {
                let at = |day| clock.on_day(day, self.about_clock);
                // "Monday night at 2" is what some call Tuesday.
                match (part, day.succ_opt()) {
                    (Some(Part::Night | Part::LastNight), Some(next)) if clock.hour < 12 => {
                        Err(NotHeard::Ambiguous { one: at(day)?, other: at(next)? })
                    }
                    _ => at(day),
                }
            }
            (Some(Stamp::Day(day)), None, Some(Part::Night | Part::LastNight)) => Err(NotHeard::Ambiguous {
                one: part_of_day(Part::Night, day)?,
                other: part_of_day(Part::LastNight, day.succ_opt().ok_or(NotHeard::TooFar)?)?,
            }),
            (Some(Stamp::Day(day)), None, Some(part)) => part_of_day(part, day),
            (None, Some(clock), _) => {
                let time = NaiveTime::from_hms_opt(clock.hour % 24, clock.minute.unwrap_or(0), 0);
                let clock = ClockTime { hour: clock.hour % 24, ..clock };
                clock.on_day(day_with(time.unwrap_or_default(), anchor, lean)?, self.about_clock)
            }
            (None, None, Some(part)) => {
                let time = NaiveTime::from_hms_opt(part.hours().0, 0, 0);
                part_of_day(part, day_with(time.unwrap_or_default(), anchor, lean)?)
            }
            _ => Err(NotHeard::Unclear),
        }
    }

    /// The day, month or year; none if there is only a clock time or part of the day.
    fn stamp(&self, now: NaiveDateTime, anchor: NaiveDate, lean: Lean) -> Result<Option<Stamp>, NotHeard> {
        if self.shift.is_some() && self.month.is_none() && self.day.is_none() && self.weekday.is_none() {
            return Err(NotHeard::Unclear);
        }
        let stamp = match (self.offset, self.week, self.weekday) {
            (Some(days), None, _) if self.year.is_none() && self.month.is_none() && self.day.is_none() => {
                now.date().checked_add_signed(TimeDelta::days(days)).map(Stamp::Day).ok_or(NotHeard::TooFar)?
            }
            (None, Some(weeks), Some(weekday)) if self.year.is_none() && self.month.is_none() && self.day.is_none() => {
                let days = Days::new(weekday.num_days_from_monday().into());
                monday(now, weeks)?.checked_add_days(days).map(Stamp::Day).ok_or(NotHeard::TooFar)?
            }
            (None, None, _) => match self.named(anchor, lean)? {
                Some(stamp) => stamp,
                None => return Ok(None),
            },
            _ => return Err(NotHeard::Unclear),
        };
        match (self.weekday, stamp) {
            (None, stamp) => Ok(Some(stamp)),
            (Some(said), Stamp::Day(day)) if day.weekday() == said => Ok(Some(stamp)),
            (Some(said), Stamp::Day(day)) => Err(NotHeard::WrongWeekday { day, said }),
            (Some(_), _) => Err(NotHeard::Unclear),
        }
    }

    /// What is called by its name on the calendar.
    fn named(&self, anchor: NaiveDate, lean: Lean) -> Result<Option<Stamp>, NotHeard> {
        let none = || NotHeard::NoSuchDay { day: self.day, month: self.month, year: self.year };
        let exists = |year| NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        // In a leap year, every day there ever is.
        exists(self.year.unwrap_or(2000)).ok_or_else(none)?;
        let strict = self.shift.is_some_and(|shift| shift != 0);
        let lean = match self.shift {
            Some(-1) => Lean::Past,
            Some(1) => Lean::Future,
            _ => lean,
        };
        let same_month = |day: NaiveDate| (day.year(), day.month()) == (anchor.year(), anchor.month());
        let nearest = |fits: &dyn Fn(NaiveDate) -> bool| {
            let step = |day: &NaiveDate| if lean == Lean::Past { day.pred_opt() } else { day.succ_opt() };
            let days = std::iter::successors(Some(anchor), step).skip(usize::from(strict));
            days.take(SEARCHED).find(|day| fits(*day)).ok_or_else(none)
        };
        let stamp = match (self.year, self.month, self.day) {
            (Some(year), None, None) => Stamp::Year(year),
            (Some(year), Some(_), None) => Stamp::Month(exists(year).ok_or_else(none)?),
            (Some(year), Some(_), Some(_)) => Stamp::Day(exists(year).ok_or_else(none)?),
            (Some(_), None, Some(_)) => return Err(NotHeard::Unclear),
            (None, Some(month), None) => {
                let day = nearest(&|day| day.month() == month && !(strict && same_month(day)))?;
                Stamp::Month(day.with_day(1).ok_or_else(none)?)
            }
            (None, Some(month), Some(number)) => {
                Stamp::Day(nearest(&|day| (day.month(), day.day()) == (month, number))?)
            }
            (None, None, Some(number)) => Stamp::Day(nearest(&|day| day.day() == number)?),
            (None, None, None) => match self.weekday {
                Some(weekday) => Stamp::Day(nearest(&|day| day.weekday() == weekday)?),
                None => return Ok(None),
            },
        };
        Ok(Some(stamp))
    }
}

impl ClockTime {
    /// On a day; 24:00 is where the next one begins. An hour alone is its first minute, unless it is only "about".
    fn on_day(self, day: NaiveDate, about: bool) -> Result<When, NotHeard> {
        let midnight = day.and_time(NaiveTime::MIN);
        let length = TimeDelta::minutes(i64::from(self.hour * 60 + self.minute.unwrap_or(0)));
        let at = midnight.checked_add_signed(length).ok_or(NotHeard::TooFar)?;
        let stamp = if about && self.minute.is_none() { Stamp::Hour(at) } else { Stamp::Minute(at) };
        Ok(When::At(Point { stamp, about }))
    }
}

impl Part {
    /// From which hour to which; last night began on the day before.
    fn hours(self) -> (u32, u32) {
        match self {
            Part::Night | Part::LastNight => (0, 6),
            Part::Morning => (6, 12),
            Part::Afternoon => (12, 18),
            Part::Evening => (18, 24),
        }
    }
}

/// Some time in a part of a day. An evening ends at 23:59, so that it names one day only.
fn part_of_day(part: Part, day: NaiveDate) -> Result<When, NotHeard> {
    let (from, to) = part.hours();
    let first = if part == Part::LastNight { day.pred_opt().ok_or(NotHeard::TooFar)? } else { day };
    let from = if part == Part::LastNight { Part::Evening.hours().0 } else { from };
    let (to, minute) = if to == 24 { (23, 59) } else { (to, 0) };
    let point = |day: NaiveDate, hour, minute| {
        let at = day.and_hms_opt(hour, minute, 0).ok_or(NotHeard::TooFar)?;
        Ok(Point { stamp: Stamp::Minute(at), about: false })
    };
    Ok(When::Within(point(first, from, 0)?, point(day, to, minute)?))
}

/// The night between two days that follow one another: from the evening of one to the morning of the other.
pub(super) fn night_between(one: Point, other: Point) -> Result<When, NotHeard> {
    match (one.stamp, other.stamp) {
        (Stamp::Day(day), Stamp::Day(next)) if !one.about && !other.about && day.succ_opt() == Some(next) => {
            part_of_day(Part::LastNight, next)
        }
        _ => Err(NotHeard::Unclear),
    }
}

/// The latest day on which that time lies not after the anchor, or the next on which it lies not before.
fn day_with(time: NaiveTime, anchor: NaiveDateTime, lean: Lean) -> Result<NaiveDate, NotHeard> {
    let today = anchor.date();
    let day = match lean {
        Lean::Past if time > anchor.time() => today.pred_opt(),
        Lean::Future if time < anchor.time() => today.succ_opt(),
        _ => Some(today),
    };
    day.ok_or(NotHeard::TooFar)
}

fn monday(now: NaiveDateTime, weeks: i64) -> Result<NaiveDate, NotHeard> {
    let back = i64::from(now.weekday().num_days_from_monday());
    now.date().checked_add_signed(TimeDelta::days(weeks * 7 - back)).ok_or(NotHeard::TooFar)
}
