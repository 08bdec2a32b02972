//! When something happened, as exactly as is known and no more: EDTF (ISO 8601-2), extended by approximate clock times.
//!
//! | written | meaning |
//! |---|---|
//! | `2023-12-08T05:30` | to the minute, in the incident's zone |
//! | `2023-12-08T05:30~` | about that minute (ours: EDTF has no approximate clock times) |
//! | `2023-12-08T05~` | about that hour (ours) |
//! | `2023-12-08`, `2023-12`, `2023` | some time on that day, in that month, in that year |
//! | `2023-12-08~`, `2023-12~`, `2023~` | about then |
//! | `2023-12-09/2023-12-10` | the whole of a span, both ends included |
//! | `[2023-12-09..2023-12-10]` | some time within a span |
//! | `../2023-12-12` | before; `2023-12-12/..` after |

use std::{fmt, str::FromStr};

use chrono::{
    DateTime, Datelike, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A moment, span or bound in an incident's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum When {
    /// At one point, known as exactly as the point says.
    At(Point),
    /// From the first point to the last, the whole time.
    Whole(Point, Point),
    /// At one moment, somewhere from the first point to the last.
    Within(Point, Point),
    /// Before the point.
    Before(Point),
    /// After the point.
    After(Point),
}

/// One end of a [`When`]: a stamp, and whether it is only approximate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// How exact it is, and what it says.
    pub stamp: Stamp,
    /// "About": the true moment may lie a little outside.
    pub about: bool,
}

/// A stretch of the calendar, from a year down to a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stamp {
    /// A year, 1 to 9999.
    Year(i32),
    /// A month, held as its first day.
    Month(NaiveDate),
    /// A day.
    Day(NaiveDate),
    /// An hour, held as its first minute; always "about".
    Hour(NaiveDateTime),
    /// A minute.
    Minute(NaiveDateTime),
}

/// Why a text is not a [`When`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWhen {
    /// It is not one of the forms of the module's table.
    #[error(
        "\"{0}\" is not a date as we write them: 2023-12-08, 2023-12, 2023-12-08T05:30, 2023-12-08T05:30~ (about), 2023-12-09/2023-12-10 (all of it), [2023-12-09..2023-12-10] (some time within), ../2023-12-12 (before), 2023-12-12/.. (after)"
    )]
    Form(String),
    /// No such day or time.
    #[error("there is no {0} in the calendar")]
    NoSuchTime(String),
    /// The end lies before the beginning.
    #[error("\"{0}\" ends before it begins")]
    Backwards(String),
    /// An hour alone is only ever approximate.
    #[error("\"{0}\" says an hour without minutes: write {0}:00, or {0}~ for about that hour")]
    BareHour(String),
    /// The clocks were put forward over it.
    #[error("the clocks in {1} skipped {0}")]
    Skipped(String, String),
}

impl When {
    /// To the minute.
    pub fn minute(at: NaiveDateTime) -> When {
        When::At(Point { stamp: Stamp::Minute(at), about: false })
    }

    /// A day.
    pub fn day(day: NaiveDate) -> When {
        When::At(Point { stamp: Stamp::Day(day), about: false })
    }

    /// The first minute it can have begun; none if nothing bounds it.
    pub fn earliest(&self) -> Option<NaiveDateTime> {
        match self {
            When::At(point) | When::Whole(point, _) | When::Within(point, _) => Some(point.first()),
            When::Before(_) => None,
            When::After(point) => Some(point.last() + TimeDelta::minutes(1)),
        }
    }

    /// The last minute of it; none if nothing bounds it.
    pub fn latest(&self) -> Option<NaiveDateTime> {
        match self {
            When::At(point) | When::Whole(_, point) | When::Within(_, point) => Some(point.last()),
            When::Before(point) => Some(point.first() - TimeDelta::minutes(1)),
            When::After(_) => None,
        }
    }

    /// Where it stands among others: by the last minute it can have begun, then by the first. So a day known only as
    /// such follows what is known to the minute on that day, and a month follows its days.
    pub fn order(&self) -> Order {
        let (last, first) = match self {
            When::At(point) => (point.last(), point.first()),
            When::Whole(from, _) => (from.last(), from.first()),
            When::Within(from, to) => (to.last(), from.first()),
            When::Before(point) => return Order(minutes(point.first()) - 1, i64::MIN),
            When::After(point) => (point.last() + TimeDelta::minutes(1), point.last()),
        };
        Order(minutes(last), minutes(first))
    }

    /// The instant, if it is known to the minute; an approximate one is not, and must keep its "about".
    pub fn instant(&self, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            When::At(Point { stamp: Stamp::Minute(at), about: false }) => to_utc(*at, zone),
            _ => None,
        }
    }

    /// The same, with clock times as another zone's clocks show them; days and longer stay as they are.
    pub fn in_zone(&self, from: Tz, to: Tz) -> When {
        if from == to {
            return *self;
        }
        let turned = |point: &Point| point.in_zone(from, to);
        match self {
            When::At(point) => When::At(turned(point)),
            When::Whole(a, b) => When::Whole(turned(a), turned(b)),
            When::Within(a, b) => When::Within(turned(a), turned(b)),
            When::Before(point) => When::Before(turned(point)),
            When::After(point) => When::After(turned(point)),
        }
    }

    /// Whether every clock time in it exists in `zone`: not one that daylight saving skipped.
    pub fn check(&self, zone: Tz) -> Result<(), NotAWhen> {
        for point in self.points() {
            if let Stamp::Minute(at) = point.stamp
                && to_utc(at, zone).is_none()
            {
                return Err(NotAWhen::Skipped(point.to_string(), zone.name().to_owned()));
            }
        }
        Ok(())
    }

    /// Whether it says a clock time anywhere, so that a zone matters to it.
    pub fn has_clock(&self) -> bool {
        self.points().any(|point| matches!(point.stamp, Stamp::Minute(_) | Stamp::Hour(_)))
    }

    fn points(&self) -> impl Iterator<Item = Point> {
        let (first, second) = match self {
            When::At(a) | When::Before(a) | When::After(a) => (*a, None),
            When::Whole(a, b) | When::Within(a, b) => (*a, Some(*b)),
        };
        std::iter::once(first).chain(second)
    }
}

/// A sort key in minutes since 1970 on the incident's own clock: what it counts from, then how early it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(pub i64, pub i64);

impl Point {
    /// Its first minute.
    pub fn first(&self) -> NaiveDateTime {
        match self.stamp {
            Stamp::Year(year) => NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN),
            Stamp::Month(day) | Stamp::Day(day) => day.and_time(NaiveTime::MIN),
            Stamp::Hour(at) | Stamp::Minute(at) => at,
        }
    }

    /// Its last minute.
    pub fn last(&self) -> NaiveDateTime {
        let end_of = |next: Option<NaiveDate>| {
            next.map_or(NaiveDateTime::MAX, |next| next.and_time(NaiveTime::MIN) - TimeDelta::minutes(1))
        };
        match self.stamp {
            Stamp::Year(year) => end_of(NaiveDate::from_ymd_opt(year + 1, 1, 1)),
            Stamp::Month(day) => end_of(day.checked_add_months(Months::new(1))),
            Stamp::Day(day) => end_of(day.succ_opt()),
            Stamp::Hour(at) => at + TimeDelta::minutes(59),
            Stamp::Minute(at) => at,
        }
    }

    fn in_zone(&self, from: Tz, to: Tz) -> Point {
        let turned = |at| to_utc(at, from).map(|at| at.with_timezone(&to).naive_local());
        let stamp = match self.stamp {
            Stamp::Minute(at) => turned(at).map(Stamp::Minute),
            Stamp::Hour(at) => turned(at).map(|at| if at.minute() == 0 { Stamp::Hour(at) } else { Stamp::Minute(at) }),
            _ => None,
        };
        Point { stamp: stamp.unwrap_or(self.stamp), about: self.about }
    }
}

/// The instant of a clock time; of two (clocks put back) the first; none if the clocks skipped it.
pub fn to_utc(at: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&at) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
        LocalResult::None => None,
    }
}

fn minutes(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp().div_euclid(60)
}

impl FromStr for When {
    type Err = NotAWhen;

    fn from_str(text: &str) -> Result<When, NotAWhen> {
        let text = text.trim();
        let form = || NotAWhen::Form(shortened(text));
        let ordered = |a: Point, b: Point| {
            if b.first() < a.first() { Err(NotAWhen::Backwards(text.to_owned())) } else { Ok((a, b)) }
        };
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let (a, b) = inner.split_once("..").ok_or_else(form)?;
            return ordered(a.parse()?, b.parse()?).map(|(a, b)| When::Within(a, b));
        }
        match text.split_once('/') {
            None => text.parse().map(When::At),
            Some(("..", end)) => end.parse().map(When::Before),
            Some((start, "..")) => start.parse().map(When::After),
            Some((start, end)) => ordered(start.parse()?, end.parse()?).map(|(a, b)| When::Whole(a, b)),
        }
    }
}

impl FromStr for Point {
    type Err = NotAWhen;

    fn from_str(text: &str) -> Result<Point, NotAWhen> {
        let (exact, about) = match text.strip_suffix('~') {
            Some(exact) => (exact, true),
            None => (text, false),
        };
        let form = || NotAWhen::Form(shortened(text));
        let none = || NotAWhen::NoSuchTime(exact.to_owned());
        let (date, clock) = match exact.split_once('T') {
            Some((date, clock)) => (date, Some(clock)),
            None => (exact, None),
        };
        let year = digits(date.get(0..4), 4).filter(|year| *year > 0).ok_or_else(form)?;
        let part = |at: usize| match date.get(at..) {
            None | Some("") => Ok(None),
            Some(rest) if rest.starts_with('-') => digits(rest.get(1..3), 2).map(Some).ok_or_else(form),
            Some(_) => Err(form()),
        };
        let (month, day) = (part(4)?, part(7)?);
        if date.len() != 4 + 3 * (usize::from(month.is_some()) + usize::from(day.is_some())) {
            return Err(form());
        }
        let calendar = |month, day| {
            i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day)).ok_or_else(none)
        };
        let stamp = match (month, day, clock) {
            (None, None, None) => Stamp::Year(calendar(1, 1)?.year()),
            (Some(month), None, None) => Stamp::Month(calendar(month, 1)?),
            (Some(month), Some(day), None) => Stamp::Day(calendar(month, day)?),
            (Some(month), Some(day), Some(clock)) => {
                let (hour, minute) = match clock.split_once(':') {
                    Some((hour, minute)) => (hour, Some(digits(Some(minute), 2).ok_or_else(form)?)),
                    None => (clock, None),
                };
                let hour = digits(Some(hour), 2).ok_or_else(form)?;
                let at = calendar(month, day)?.and_hms_opt(hour, minute.unwrap_or(0), 0).ok_or_else(none)?;
                match minute {
                    Some(_) => Stamp::Minute(at),
                    None if about => Stamp::Hour(at),
                    None => return Err(NotAWhen::BareHour(exact.to_owned())),
                }
            }
            _ => return Err(form()),
        };
        Ok(Point { stamp, about })
    }
}

/// Exactly `len` ASCII digits, as a number.
fn digits(text: Option<&str>, len: usize) -> Option<u32> {
    text.filter(|text| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(40).chain(['…']).collect() }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::At(point) => write!(f, "{point}"),
            When::Whole(a, b) => write!(f, "{a}/{b}"),
            When::Within(a, b) => write!(f, "[{a}..{b}]"),
            When::Before(point) => write!(f, "../{point}"),
            When::After(point) => write!(f, "{point}/.."),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stamp {
            Stamp::Year(year) => write!(f, "{year:04}")?,
            Stamp::Month(day) => write!(f, "{}", day.format("%Y-%m"))?,
            Stamp::Day(day) => write!(f, "{}", day.format("%Y-%m-%d"))?,
            Stamp::Hour(at) => write!(f, "{}", at.format("%Y-%m-%dT%H"))?,
            Stamp::Minute(at) => write!(f, "{}", at.format("%Y-%m-%dT%H:%M"))?,
        }
        f.write_str(if self.about { "~" } else { "" })
    }
}

impl TryFrom<String> for When {
    type Error = NotAWhen;

    fn try_from(text: String) -> Result<When, NotAWhen> {
        text.parse()
    }
}

impl From<When> for String {
    fn from(when: When) -> String {
        when.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn when(text: &str) -> When {
        text.parse().expect(text)
    }

    #[test]
    fn every_form_is_read_and_printed_again() {
        for text in [
            "2023-12-08T05:30",
            "2023-12-08T05:00~",
            "2023-12-08T05~",
            "2023-12-08",
            "2023-12-08~",
            "2023-12",
            "2023-12~",
            "2023",
            "2023~",
            "2023-12-09/2023-12-10",
            "[2023-12-09..2023-12-10]",
            "../2023-12-12",
            "2023-12-12/..",
            "2023-12-08T05:00~/2023-12-10",
            "2024-02-29",
        ] {
            assert_eq!(when(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_date_is_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<When>().expect_err(text).to_string();
        assert!(reason("yesterday").starts_with("\"yesterday\" is not a date as we write them"));
        let long = "x".repeat(41);
        assert!(reason(&long).starts_with(&format!("\"{}…\" is not", &long[1..])));
        assert_eq!(reason("2023-02-30"), "there is no 2023-02-30 in the calendar");
        assert_eq!(reason("2023-12-08T25:00"), "there is no 2023-12-08T25:00 in the calendar");
        assert_eq!(reason("2023-12-10/2023-12-09"), "\"2023-12-10/2023-12-09\" ends before it begins");
        assert_eq!(
            reason("2023-12-08T05"),
            "\"2023-12-08T05\" says an hour without minutes: write 2023-12-08T05:00, or 2023-12-08T05~ for about that hour"
        );
        for bad in [
            "",
            "0000",
            "23-12-08",
            "2023-1-1",
            "2023-12-08T5:00",
            "2023-12-08 05:00",
            "2023-12-08T05:00:00",
            "../..",
            "[2023]",
            "2023-12-08~~",
            "2023T05:00",
            "2023x12-08",
            "2023-12x08",
            "202è-12-08",
            "2023è12-08",
            "2023-12-0è",
            "2023-12-08è05:00",
            "２０２３",
        ] {
            assert!(bad.parse::<When>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_skipped_clock_time_is_noticed() {
        let zone = chrono_tz::Europe::Rome;
        assert!(when("2023-03-26T02:30").check(zone).is_err());
        assert!(when("2023-10-29T02:30").check(zone).is_ok());
    }

    #[test]
    fn only_what_is_known_to_the_minute_is_an_instant() {
        let zone = chrono_tz::Europe::Rome;
        assert_eq!(when("2023-12-08T05:30").instant(zone).map(|at| at.timestamp()), Some(1_702_009_800));
        for vague in ["2023-12-08T05:30~", "2023-12-08T05~", "2023-12-08", "../2023-12-08T05:30"] {
            assert_eq!(when(vague).instant(zone), None, "{vague}");
        }
    }

    #[test]
    fn they_sort_as_people_would_lay_them_out() {
        let mut dates = [
            "2023-12",
            "2023-12-08",
            "2023-12-08T05:30",
            "2023-12-08T05:00~",
            "../2023-12-08",
            "2023-12-09/2023-12-10",
            "2023-12-08/..",
            "2023-12-12",
        ]
        .map(when);
        dates.sort_by_key(When::order);
        let printed: Vec<_> = dates.iter().map(When::to_string).collect();
        assert_eq!(
            printed,
            [
                "../2023-12-08",
                "2023-12-08T05:00~",
                "2023-12-08T05:30",
                "2023-12-08",
                "2023-12-08/..",
                "2023-12-09/2023-12-10",
                "2023-12-12",
                "2023-12"
            ]
        );
    }

    #[test]
    fn only_clock_times_follow_the_zone() {
        let (rome, tokyo) = (chrono_tz::Europe::Rome, chrono_tz::Asia::Tokyo);
        assert_eq!(when("2023-12-08T20:30").in_zone(rome, tokyo), when("2023-12-09T04:30"));
        assert_eq!(when("2023-12-08").in_zone(rome, tokyo), when("2023-12-08"));
        assert_eq!(when("2023-12-08T05~").in_zone(rome, chrono_tz::Asia::Kolkata), when("2023-12-08T09:30~"));
        for (there, here) in [
            ("2023-12-08T20:30/2023-12-10", "2023-12-09T04:30/2023-12-10"),
            ("[2023-12-08T20:30..2023-12-08T21:30]", "[2023-12-09T04:30..2023-12-09T05:30]"),
            ("../2023-12-08T20:30", "../2023-12-09T04:30"),
            ("2023-12-08T20:30/..", "2023-12-09T04:30/.."),
        ] {
            assert_eq!(when(there).in_zone(rome, tokyo), when(here));
            assert_eq!(when(there).in_zone(rome, rome), when(there));
        }
    }

    #[test]
    fn it_is_bounded_by_the_first_and_the_last_minute_it_can_have_begun() {
        let minute = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect(text);
        assert_eq!(When::minute(minute("2023-12-08T05:30")), when("2023-12-08T05:30"));
        assert_eq!(When::day(minute("2023-12-08T05:30").date()), when("2023-12-08"));
        for (text, first, last) in [
            ("2023-12-08T05:30", "2023-12-08T05:30", "2023-12-08T05:30"),
            ("2023-12-08T05~", "2023-12-08T05:00", "2023-12-08T05:59"),
            ("2023-12-08", "2023-12-08T00:00", "2023-12-08T23:59"),
            ("2024-02", "2024-02-01T00:00", "2024-02-29T23:59"),
            ("2023", "2023-01-01T00:00", "2023-12-31T23:59"),
            ("2023-12-09/2023-12-10", "2023-12-09T00:00", "2023-12-10T23:59"),
            ("[2023-12-09..2023-12-10]", "2023-12-09T00:00", "2023-12-10T23:59"),
        ] {
            let when = when(text);
            assert_eq!((when.earliest(), when.latest()), (Some(minute(first)), Some(minute(last))), "{text}");
        }
        let (before, after) = (when("../2023-12-12"), when("2023-12-12/.."));
        assert_eq!((before.earliest(), before.latest()), (None, Some(minute("2023-12-11T23:59"))));
        assert_eq!((after.earliest(), after.latest()), (Some(minute("2023-12-13T00:00")), None));
        assert!(when("../2023-12-12").order() < when("2023-12-12T00:00").order());
        assert!(when("2023-12-11T23:59").order() > when("../2023-12-12").order());
        assert!(when("2023-12-12").order() < when("2023-12-12/..").order());
        assert!(when("2023-12-12/..").order() < when("2023-12-13T00:01").order());
    }

    fn any_point() -> impl Strategy<Value = Point> {
        let minute = (-30_000_000i64..100_000_000)
            .prop_map(|minutes| DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::minutes(minutes));
        (minute, 0..5, any::<bool>()).prop_map(|(at, kind, about)| {
            let day = at.date();
            match kind {
                0 => Point { stamp: Stamp::Year(day.year()), about },
                1 => Point { stamp: Stamp::Month(day.with_day(1).expect("a first")), about },
                2 => Point { stamp: Stamp::Day(day), about },
                3 => Point { stamp: Stamp::Hour(at.with_minute(0).expect("an hour")), about: true },
                _ => Point { stamp: Stamp::Minute(at), about },
            }
        })
    }

    proptest! {
        #[test]
        fn what_was_printed_parses_again(a in any_point(), b in any_point(), kind in 0usize..5) {
            let (a, b) = if b.first() < a.first() { (b, a) } else { (a, b) };
            let it: When = [When::At(a), When::Whole(a, b), When::Within(a, b), When::Before(a), When::After(a)][kind];
            prop_assert_eq!(it.to_string().parse::<When>(), Ok(it));
            if let (Some(first), Some(last)) = (it.earliest(), it.latest()) {
                prop_assert!(first <= last);
            }
        }

        #[test]
        fn nothing_typed_panics(text in "\\PC{0,40}|[0-9T:~/\\[\\].-]{0,30}") {
            if let Ok(it) = text.parse::<When>() {
                let _ = (it.order(), it.earliest(), it.latest());
                prop_assert_eq!(it.to_string().parse::<When>(), Ok(it));
            }
        }
    }
}
