//! `/timezone`: on whose clock to show times here.

use chrono_tz::{TZ_VARIANTS, Tz};
use record::{
    find::near,
    lang::Text,
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
    let words = ask.say(
        format!("I show clock times in {zone} from now on. Days stay as they are recorded."),
        format!("D'ora in poi mostro gli orari di {zone}. Le date senza ora restano come sono registrate."),
    );
    let mut reply = Reply::personal(Tone::Good, words);
    reply.chosen = Some(Chosen { lang: None, zone: Some(zone) });
    Ok(reply)
}

fn current(ask: &Ask) -> Reply {
    let text = match ask.zone {
        Some(zone) => {
            ask.say(format!("I show clock times in {zone} here."), format!("Qui mostro gli orari di {zone}."))
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
