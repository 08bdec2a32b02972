//! `/timezone`: on whose clock to show times here.

use chrono_tz::{TZ_VARIANTS, Tz};
use record::{
    find::near,
    lang::Text,
    pages::zone_name,
    private::Fact,
    reply::{Chosen, Line, Reply, Tone},
};

use crate::kit::{self, Arg, Ask, Command, Failure, Given, Role, Room, Shape, Spec};

/// `/timezone [zone]`
pub static TIMEZONE: Command = Command {
    name: "timezone",
    about: Text { en: "In which time zone I show times here", it: "In quale fuso orario mostro gli orari qui" },
    args: &[&ZONE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "Europe/London",
    run: timezone,
};

static ZONE: Arg<Tz> = Arg {
    spec: Spec {
        name: "zone",
        about: Text { en: "A zone such as Europe/Rome", it: "Un fuso come Europe/Rome" },
        required: false,
        shape: Shape::Words,
    },
    read: read_zone,
};

fn timezone(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let Some(zone) = ZONE.of(room, ask, given)? else { return Ok(current(ask)) };
    crate::lang::may_choose(ask)?;
    if let Some(address) = ask.place.address.clone() {
        kit::note(room, ask, Fact::Setting { address, lang: None, zone: Some(zone) })?;
    }
    let (name, now) = (zone_name(zone), ask.at.with_timezone(&zone).format("%H:%M"));
    let words = ask.say(
        format!("I show clock times in {name} from now on (it is {now} there now). Days stay as they are recorded."),
        format!(
            "D'ora in poi mostro gli orari di {name} (ora lì: {now}). Le date senza ora restano come sono registrate."
        ),
    );
    let mut reply = Reply::personal(Tone::Good, words);
    reply.chosen = Some(Chosen { lang: None, zone: Some(zone) });
    Ok(reply)
}

fn current(ask: &Ask) -> Reply {
    let text = match ask.zone {
        Some(zone) => {
            let (name, now) = (zone_name(zone), ask.at.with_timezone(&zone).format("%H:%M"));
            ask.say(
                format!("I show clock times in {name} here (it is {now} there now)."),
                format!("Qui mostro gli orari di {name} (ora lì: {now})."),
            )
        }
        None => ask
            .say(
                "I show clock times in each incident's own zone here.",
                "Qui mostro gli orari nel fuso di ciascun incidente.",
            )
            .to_owned(),
    };
    let hint = ask.say(" To change that: ", " Per cambiare: ");
    Reply::personal(Tone::Plain, Line::new().text(text).text(hint).code("/timezone Europe/London"))
}

fn read_zone(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<Tz, Failure> {
    if let Some(minutes) = offset(typed) {
        return ahead(minutes).ok_or_else(|| {
            let words = ask.say(
                " fits no time zone that I know. Give a place, such as Europe/Rome.",
                " non corrisponde a nessun fuso orario che conosco. Indica un luogo, per esempio Europe/Rome.",
            );
            Failure::refused(Line::new().strong(kit::shown(typed.trim())).text(words))
        });
    }
    let wanted = typed.trim().replace(' ', "_");
    let same = |zone: &&Tz| {
        let name = zone.name();
        name.eq_ignore_ascii_case(&wanted)
            || name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&wanted))
    };
    TZ_VARIANTS.iter().find(same).copied().ok_or_else(|| {
        let words = ask.say(" is no time zone I know", " non è un fuso orario che conosco");
        let cities = TZ_VARIANTS.iter().map(|zone| zone.name());
        let close = near(&wanted, cities);
        let line = Line::new().strong(typed).text(words);
        Failure::refused(match close.first() {
            Some(close) => line.text(ask.say(format!(". Did you mean {close}?"), format!(". Intendevi {close}?"))),
            None => line.text(ask.say(". Write it as Europe/Rome.", ". Scrivilo così: Europe/Rome.")),
        })
    })
}

/// How many minutes ahead of UTC an offset is, as people write it: `GMT+2`, `UTC +05:30`, `+2`, `-0930`, `Z`.
fn offset(typed: &str) -> Option<i32> {
    let text: String = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let text = text.replace(['\u{2212}', '\u{2013}'], "-");
    let rest = ["GMT", "UTC", "UT"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(&text);
    if rest.is_empty() || rest == "Z" {
        return (!text.is_empty()).then_some(0);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = &rest[1..];
    let (hours, minutes) = match digits.split_once([':', '.']) {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| (1..=2).contains(&text.len()));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    Some(sign * (hours * 60 + minutes))
}

/// The time zone with a fixed offset from UTC, in minutes (positive: east).
fn ahead(minutes: i32) -> Option<Tz> {
    let named = match minutes {
        -570 => Some(Tz::Pacific__Marquesas),
        210 => Some(Tz::Asia__Tehran),
        270 => Some(Tz::Asia__Kabul),
        330 => Some(Tz::Asia__Kolkata),
        345 => Some(Tz::Asia__Kathmandu),
        390 => Some(Tz::Asia__Yangon),
        525 => Some(Tz::Australia__Eucla),
        570 => Some(Tz::Australia__Darwin),
        _ => None,
    };
    let whole = || match (minutes % 60, minutes / 60) {
        (0, 0) => Some(Tz::UTC),
        // The database counts the other way round.
        (0, hours) if hours > 0 => format!("Etc/GMT-{hours}").parse().ok(),
        (0, hours) => format!("Etc/GMT+{}", -hours).parse().ok(),
        _ => None,
    };
    named.or_else(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_ahead_of_utc_as_people_mean_it() {
        for (typed, minutes) in [
            ("GMT+2", 120),
            ("UTC+2", 120),
            ("utc +02:00", 120),
            ("+2", 120),
            ("+02:00", 120),
            ("-0930", -570),
            ("UTC−5", -300),
            ("GMT", 0),
            ("UTC+5:30", 330),
        ] {
            assert_eq!(offset(typed), Some(minutes), "{typed}");
            assert!(ahead(minutes).is_some(), "{typed}");
        }
        assert_eq!(ahead(120).map(zone_name).as_deref(), Some("UTC+2"));
        assert_eq!(ahead(-300).map(zone_name).as_deref(), Some("UTC-5"));
        for other in ["Europe/Rome", "Etc/GMT+2", "rome", "+", "+2x", "GMT2", "+123"] {
            assert_eq!(offset(other), None, "{other}");
        }
        assert_eq!((ahead(15 * 60), ahead(7)), (None, None));
    }
}
