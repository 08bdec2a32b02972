//! `/timezone`: on whose clock to show times here.

use chrono_tz::{TZ_VARIANTS, Tz};
use record::{
    find::near,
    lang::Text,
    private::Fact,
    reply::{Chosen, Line, Reply, Tone},
    zone::{self, NotAZone},
};

use crate::kit::{self, Arg, Ask, Command, Failure, Given, Role, Room, Shape, Spec, shown};

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
    example: "Europe/London",
    run: timezone,
};

static ZONE: Arg<Tz> = Arg {
    spec: Spec {
        name: "zone",
        about: Text { en: "A zone such as Europe/Rome or UTC+2", it: "Un fuso come Europe/Rome o UTC+2" },
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
    let (name, now) = (zone::shown(zone), now(ask, zone));
    let words = ask.say(
        format!("I show clock times in {name} from now on; it is {now} there. Days stay as they are recorded."),
        format!(
            "D'ora in poi mostro gli orari di {name}: lì ora sono le {now}. Le date senza ora restano come sono registrate."
        ),
    );
    let mut reply = Reply::personal(Tone::Good, words);
    reply.chosen = Some(Chosen { lang: None, zone: Some(zone) });
    Ok(reply)
}

/// The time now in a zone, with its distance from UTC.
fn now(ask: &Ask, zone: Tz) -> String {
    format!("{} (UTC{})", ask.at.with_timezone(&zone).format("%H:%M"), zone::ahead_of_utc(zone, ask.at))
}

fn current(ask: &Ask) -> Reply {
    let text = match ask.zone {
        Some(zone) => {
            let (name, now) = (zone::shown(zone), now(ask, zone));
            ask.say(
                format!("I show clock times in {name} here; it is {now} there."),
                format!("Qui mostro gli orari di {name}: lì ora sono le {now}."),
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
    zone::parse(typed).map_err(|not| Failure::refused(refusal(ask, typed, &not)))
}

fn refusal(ask: &Ask, typed: &str, not: &NotAZone) -> Line {
    let line = Line::new().strong(shown(typed));
    match not {
        NotAZone::Unknown => {
            let line = line.text(ask.say(" is no time zone I know", " non è un fuso orario che conosco"));
            let wanted = typed.trim().replace(' ', "_");
            match near(&wanted, TZ_VARIANTS.iter().map(|zone| zone.name())).first() {
                Some(close) => line.text(ask.say(format!(". Did you mean {close}?"), format!(". Intendevi {close}?"))),
                None => line
                    .text(ask.say(". Write it as Europe/Rome or UTC+2.", ". Scrivilo così: Europe/Rome oppure UTC+2.")),
            }
        }
        NotAZone::TooFar => line.text(ask.say(
            ": no clock is so far from UTC. They go from UTC-12 to UTC+14.",
            ": nessun orologio è così lontano da UTC. Si va da UTC-12 a UTC+14.",
        )),
        NotAZone::NoSuchOffset => line.text(ask.say(
            ": no place keeps that distance from UTC all year. Write a place, such as America/St_Johns.",
            ": nessun luogo mantiene questa distanza da UTC tutto l'anno. Scrivi un luogo, come America/St_Johns.",
        )),
    }
}
