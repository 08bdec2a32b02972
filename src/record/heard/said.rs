//! What one end of a phrase said, before the calendar or the other end fills in what was left open.

use chrono::Weekday;

use super::{NotHeard, words::Part};
use crate::when::Point;

/// What was said, and only that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub year: Option<i32>,
    pub month: Option<u32>,
    pub day: Option<u32>,
    pub weekday: Option<Weekday>,
    /// So many days from today.
    pub offset: Option<i64>,
    /// So many weeks from this one.
    pub week: Option<i64>,
    /// "Last" is -1, "next" is 1: strictly before or after today.
    pub shift: Option<i64>,
    pub part: Option<Part>,
    pub clock: Option<ClockTime>,
    /// "Three hours ago": nothing is left open.
    pub point: Option<Point>,
    /// A number that may be a day or an hour.
    pub loose: Option<u32>,
    pub about_date: bool,
    pub about_clock: bool,
    /// The clock time was said before the day.
    pub clock_first: bool,
}

/// A time on the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClockTime {
    /// 0 to 24.
    pub hour: u32,
    /// None: the hour was said alone.
    pub minute: Option<u32>,
    pub told: Told,
}

/// Whether the half of the day was said too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Told {
    /// No: "5", "5:30".
    Open,
    /// It needs none: "05:30", "noon".
    Fixed,
    /// "Pm", "in the evening": of both ends, where a span has two.
    Half,
}

/// A half of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Half {
    Am,
    Pm,
}

impl Said {
    /// Whether a day is said, or at least which month, weekday or year.
    pub fn dated(&self) -> bool {
        self.placed() || self.year.is_some() || self.day.is_some()
    }

    /// Whether a loose number beside it can no longer be the day.
    fn placed(&self) -> bool {
        self.month.is_some() || self.weekday.is_some() || self.offset.is_some() || self.week.is_some()
    }

    /// Takes the loose number, if any, for a day or an hour, as what stands around it and the other end of the span
    /// allow: "8-10 December" are days, "5 to 7 on 8 December" are hours.
    pub fn settle(&mut self, other: &Said) -> Result<(), NotHeard> {
        let hours = other.clock.is_some() && (other.clock_first || !other.dated());
        match self.loose {
            None => Ok(()),
            Some(_) if self.placed() || hours => self.loose_is_hour(),
            Some(day) if other.day.is_some() && other.clock.is_none() => {
                self.loose = None;
                self.about_date |= std::mem::take(&mut self.about_clock);
                fill(&mut self.day, day)
            }
            Some(_) => Err(NotHeard::Unclear),
        }
    }

    /// Takes the loose number for an hour.
    pub fn loose_is_hour(&mut self) -> Result<(), NotHeard> {
        match self.loose.take() {
            Some(hour) => fill(&mut self.clock, ClockTime::new(hour, None)?),
            None => Ok(()),
        }
    }
}

impl ClockTime {
    /// An hour and its minute, if there are such.
    pub fn new(hour: u32, minute: Option<u32>) -> Result<ClockTime, NotHeard> {
        match (hour, minute.unwrap_or(0)) {
            (0..=23, 0..=59) | (24, 0) => Ok(ClockTime { hour, minute, told: Told::Open }),
            (_, minute) => Err(NotHeard::NoSuchTime(format!("{hour}:{minute:02}"))),
        }
    }

    /// The same, am or pm.
    pub fn halved(self, half: Half) -> Result<ClockTime, NotHeard> {
        let hour = match (self.hour, half) {
            (12, Half::Am) => 0,
            (12, Half::Pm) | (1..=11, Half::Am) => self.hour,
            (1..=11, Half::Pm) => self.hour + 12,
            (hour, half) => {
                let half = if half == Half::Am { "am" } else { "pm" };
                return Err(NotHeard::NoSuchTime(format!("{hour}:{:02} {half}", self.minute.unwrap_or(0))));
            }
        };
        Ok(ClockTime { hour, told: Told::Half, ..self })
    }

    /// As the first of a span whose end says its half of the day: the latest such time before it. So "from 5 to 7 pm"
    /// is from 17, "from 11 to 1 pm" from 11, "from 11 to 2 am" from 23.
    pub fn up_to(self, end: ClockTime) -> ClockTime {
        let other = ClockTime { hour: (self.hour + 12) % 24, ..self };
        let minutes = |clock: ClockTime| clock.hour * 60 + clock.minute.unwrap_or(0);
        let length = |start| (24 * 60 + minutes(end) - minutes(start)) % (24 * 60);
        let open = self.told == Told::Open && (1..=12).contains(&self.hour) && end.told == Told::Half;
        if open && length(other) < length(self) { other } else { self }
    }

    /// The same, in a part of the day: 5 in the afternoon is 17.
    pub fn on(self, part: Part) -> Result<ClockTime, NotHeard> {
        let hour = match (part, self.hour) {
            (Part::Morning, 0..=11) | (Part::Afternoon, 12..=18) | (Part::Evening, 17..=23) => self.hour,
            (Part::Afternoon, 1..=7) | (Part::Evening, 4..=11) => self.hour + 12,
            (Part::Night | Part::LastNight, 0..=6 | 20..=24) => self.hour,
            (Part::Night | Part::LastNight, 8..=11) => self.hour + 12,
            (Part::Night | Part::LastNight, 12) => 0,
            _ => return Err(NotHeard::Unclear),
        };
        Ok(ClockTime { hour, told: Told::Half, ..self })
    }
}

/// Puts a value where none was: what is said twice is not understood.
pub(super) fn fill<T>(slot: &mut Option<T>, value: T) -> Result<(), NotHeard> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(NotHeard::Unclear),
    }
}
