//! Time zones as people type them: IANA names, cities, and distances from UTC such as `GMT+2`.

use chrono::{DateTime, NaiveDate, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::plain::{hyphens, is_unseen};

/// Why a text names no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAZone {
    /// No zone has this name.
    #[error("no time zone has this name")]
    Unknown,
    /// No clock on Earth differs so much from UTC: only −12:00 to +14:00 are in use.
    #[error("no clock is so far from UTC: UTC-12 to UTC+14 are in use")]
    TooFar,
    /// No zone of the IANA database stays at this distance from UTC all year.
    #[error("no time zone stays at this distance from UTC all year")]
    NoSuchOffset,
}

/// Reads a zone. `GMT+2`, `UTC+2`, `+2` and `+02:00` mean two hours ahead of UTC, as people say it; IANA's own
/// `Etc/GMT+2`, typed in full, keeps IANA's meaning, which is the opposite.
pub fn parse(typed: &str) -> Result<Tz, NotAZone> {
    let typed = hyphens(typed.trim_matches(is_unseen));
    if let Some(minutes) = offset(&typed) {
        return fixed(minutes?);
    }
    let wanted = typed.split_whitespace().collect::<Vec<_>>().join("_");
    let named = |zone: &&Tz| zone.name().eq_ignore_ascii_case(&wanted);
    let city = |zone: &&Tz| {
        zone.name().rsplit_once('/').is_some_and(|(area, city)| area != "Etc" && city.eq_ignore_ascii_case(&wanted))
    };
    let mut all = TZ_VARIANTS.iter();
    all.find(named).or_else(|| TZ_VARIANTS.iter().find(city)).copied().ok_or(NotAZone::Unknown)
}

/// Reads a zone where a file names it: an IANA name as IANA spells it, or a distance from UTC.
pub fn parse_exact(text: &str) -> Result<Tz, NotAZone> {
    match offset(&hyphens(text)) {
        Some(minutes) => fixed(minutes?),
        None => text.parse().map_err(|_| NotAZone::Unknown),
    }
}

/// The minutes ahead of UTC that a text says, if it says a distance at all.
fn offset(typed: &str) -> Option<Result<i32, NotAZone>> {
    let text: String = typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
    let rest = ["UTC", "GMT", "Z"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(&text);
    if rest.is_empty() {
        return (!text.is_empty()).then_some(Ok(0));
    }
    let (sign, rest) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once([':', '.', ',']) {
        Some((hours, fraction)) if !rest.contains(':') => (hours, decimal(fraction)?),
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes.to_owned()),
        Some(_) => return None,
        None if rest.len() == 4 => (rest.get(..2)?, rest.get(2..)?.to_owned()),
        None => (rest, "0".to_owned()),
    };
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(&minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = sign * (hours * 60 + minutes);
    Some(if minutes < 60 && (-12 * 60..=14 * 60).contains(&all) { Ok(all) } else { Err(NotAZone::TooFar) })
}

/// The minutes of `.5`, `.25` and `.75` of an hour.
fn decimal(fraction: &str) -> Option<String> {
    let minutes = match fraction {
        "0" | "00" => "0",
        "25" => "15",
        "5" | "50" => "30",
        "75" => "45",
        _ => return None,
    };
    Some(minutes.to_owned())
}

/// Zones whose clocks never change, for distances that are no whole hours.
const BROKEN: &[Tz] = &[
    Tz::Asia__Kolkata,
    Tz::Asia__Kathmandu,
    Tz::Asia__Tehran,
    Tz::Asia__Kabul,
    Tz::Asia__Yangon,
    Tz::Australia__Darwin,
    Tz::Australia__Eucla,
    Tz::Pacific__Marquesas,
];

/// The zone that is always so many minutes ahead of UTC.
fn fixed(minutes: i32) -> Result<Tz, NotAZone> {
    if minutes == 0 {
        return Ok(Tz::UTC);
    }
    if minutes % 60 == 0 {
        // POSIX, and IANA after it, counts what lies west of Greenwich as positive.
        return format!("Etc/GMT{:+}", -minutes / 60).parse().map_err(|_| NotAZone::TooFar);
    }
    let at = NaiveDate::from_ymd_opt(2024, 7, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default();
    let is = |zone: &&Tz| zone.offset_from_utc_datetime(&at).fix().local_minus_utc() == minutes * 60;
    BROKEN.iter().find(is).copied().ok_or(NotAZone::NoSuchOffset)
}

/// A zone as it is shown: by its IANA name, but `UTC+2` for `Etc/GMT-2`, whose sign misleads.
pub fn shown(zone: Tz) -> String {
    match zone.name().strip_prefix("Etc/GMT").and_then(|offset| offset.parse::<i32>().ok()) {
        Some(0) => "UTC".to_owned(),
        Some(west) => format!("UTC{:+}", -west),
        None => zone.name().to_owned(),
    }
}

/// How far a zone's clocks are ahead of UTC at a moment: `+02:00`.
pub fn ahead_of_utc(zone: Tz, at: DateTime<Utc>) -> String {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, TimeDelta::seconds(offset.unsigned_abs().into()));
    format!("{sign}{:02}:{:02}", offset.num_hours(), offset.num_minutes() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(typed: &str) -> Result<String, NotAZone> {
        parse(typed).map(|zone| ahead_of_utc(zone, DateTime::from_timestamp(1_700_000_000, 0).expect("a moment")))
    }

    #[test]
    fn a_distance_from_utc_is_meant_as_people_say_it() {
        for typed in ["GMT+2", "UTC+2", "utc +02", "+2", "+02:00", "+0200", "UTC+02:00", "Z+2", "gmt+2:00", "Etc/GMT-2"]
        {
            assert_eq!(ahead(typed).as_deref(), Ok("+02:00"), "{typed}");
            assert_eq!(parse(typed).map(shown).as_deref(), Ok("UTC+2"), "{typed}");
        }
        for typed in ["GMT-5", "UTC−5", "–5", "-05:00", "Etc/GMT+5"] {
            assert_eq!(ahead(typed).as_deref(), Ok("-05:00"), "{typed}");
        }
        for (typed, zone) in [
            ("UTC+5:30", Tz::Asia__Kolkata),
            ("+5.5", Tz::Asia__Kolkata),
            ("UTC+05:45", Tz::Asia__Kathmandu),
            ("UTC+9:30", Tz::Australia__Darwin),
            ("-9:30", Tz::Pacific__Marquesas),
            ("UTC", Tz::UTC),
            ("GMT", Tz::UTC),
            ("UTC+0", Tz::UTC),
            ("Europe/Rome", Tz::Europe__Rome),
            ("europe/rome", Tz::Europe__Rome),
            ("rome", Tz::Europe__Rome),
            ("new york", Tz::America__New_York),
            ("CET", Tz::CET),
        ] {
            assert_eq!(parse(typed), Ok(zone), "{typed}");
        }
        assert_eq!(ahead("UTC+14").as_deref(), Ok("+14:00"));
        assert_eq!(ahead("UTC-12").as_deref(), Ok("-12:00"));
    }

    #[test]
    fn what_no_zone_can_be_is_told_apart() {
        for typed in ["UTC+15", "GMT-13", "+99", "+02:75"] {
            assert_eq!(parse(typed), Err(NotAZone::TooFar), "{typed}");
        }
        for typed in ["UTC-3:30", "+12:45", "UTC+1:15"] {
            assert_eq!(parse(typed), Err(NotAZone::NoSuchOffset), "{typed}");
        }
        for typed in ["", "Atlantis", "UTC+", "+", "2", "GMT2", "+2x", "GMT++2"] {
            assert_eq!(parse(typed), Err(NotAZone::Unknown), "{typed}");
        }
    }

    #[test]
    fn files_name_zones_as_iana_spells_them() {
        assert_eq!(parse_exact("GMT+2").map(shown).as_deref(), Ok("UTC+2"));
        assert_eq!(parse_exact("Europe/Rome"), Ok(Tz::Europe__Rome));
        assert_eq!(parse_exact("Rome"), Err(NotAZone::Unknown));
    }

    #[test]
    fn every_zone_is_read_by_its_name_as_itself() {
        for zone in TZ_VARIANTS {
            let read = parse(zone.name()).unwrap_or_else(|error| panic!("{zone}: {error:?}"));
            let at = DateTime::from_timestamp(1_700_000_000, 0).expect("a moment");
            assert_eq!(ahead_of_utc(read, at), ahead_of_utc(zone, at), "{zone}");
            assert!(parse_exact(zone.name()).is_ok(), "{zone}");
        }
    }
}
