//! `/status`: records where the service and the incident stand.

use chrono::{DateTime, Utc};
use record::{
    entry::{Disclosure, Kind, Said, Service, Status},
    lang::{Lang, Text},
    reply::{Line, Reply},
    slug::folded,
    view::{Incident, local},
    when::When,
};

use crate::kit::{
    Ask, Choice, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose,
    sentence, shown,
};

/// `/status incident state [| text] [| link] [| when]`
pub static STATUS: Command = Command {
    name: "status",
    about: Text { en: "Record how service and incident stand", it: "Registra lo stato di servizio e incidente" },
    args: &[&INCIDENT.spec, &STATE, &TEXT, &LINK, &WHEN],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole monitoring, confirmed | The services are back. | https://example.org/news",
    run: status,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &STATUS, compose: entry, offers: Offers::Importance };

static STATE: Spec = Spec {
    name: "state",
    about: Text {
        en: "How far the service or the incident is; when typed, both can be said, with a comma",
        it: "A che punto è il servizio o l'incidente; se lo scrivi, anche entrambi, con una virgola",
    },
    required: true,
    shape: Shape::Choice(&[
        Choice {
            code: "investigating",
            text: Text { en: "service: investigating", it: "servizio: in corso di accertamento" },
        },
        Choice { code: "identified", text: Text { en: "service: identified", it: "servizio: causa individuata" } },
        Choice {
            code: "monitoring",
            text: Text { en: "service: restored, being monitored", it: "servizio: ripristinato, sotto osservazione" },
        },
        Choice { code: "resolved", text: Text { en: "service: resolved", it: "servizio: risolto" } },
        Choice {
            code: "reported",
            text: Text { en: "incident: reported by others", it: "incidente: riferito da altri" },
        },
        Choice { code: "confirmed", text: Text { en: "incident: confirmed", it: "incidente: confermato" } },
        Choice { code: "disputed", text: Text { en: "incident: disputed", it: "incidente: controverso" } },
        Choice { code: "closed", text: Text { en: "incident: closed", it: "incidente: chiuso" } },
    ]),
};
static TEXT: Spec = sentence("text", Text { en: "In words", it: "In parole" }, false);
/// Since when. Where it is left out, the moment of the draft is kept under its name: what is shown is what is recorded.
pub static WHEN: Spec = Spec {
    name: "when",
    about: Text {
        en: "Since when, on the incident's clock; now, if left out",
        it: "Da quando, nell'orario dell'incidente; se manca, da ora",
    },
    required: false,
    shape: Shape::When,
};

fn status(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let mut told = compose::told(room, ask, &STATUS, given)?;
    if !told.contains_key(WHEN.name) {
        told.insert(WHEN.name.to_owned(), now(room, &incident, ask.at)?.to_string());
    }
    compose::keep(room, ask, &RECORDING, told)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let (service, disclosure) = states(pen.ask, pen.need(&STATE)?)?;
    let when = pen.when(&WHEN, &incident)?;
    let text = pen.given(&TEXT).map(|_| pen.prose(&TEXT)).transpose()?;
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Status(Status { when, service, disclosure, text, sources }))
}

/// Now, on the incident's clock, to the minute. Where the state of today, or of this month, is on record without a clock
/// time, it would count as the later one: then no more exactly than that.
pub fn now(room: &Room<'_>, incident: &Incident, at: DateTime<Utc>) -> Result<When, Failure> {
    let minute = local(at, incident.zone());
    let now = When::minute(minute);
    let mut last = now;
    for entry in room.view.of_kind(incident, Kind::Status, None)? {
        if let Said::Status(status) = entry.said
            && entry.retracted.is_none()
            && status.when.order() > last.order()
            && status.when.earliest().is_some_and(|earliest| earliest <= minute)
        {
            last = status.when;
        }
    }
    Ok(last)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Service(Service),
    Disclosure(Disclosure),
}

impl State {
    fn all() -> impl Iterator<Item = (State, &'static str, Text)> {
        let service = Service::ALL.iter().map(|it| (State::Service(*it), it.code(), it.text()));
        service.chain(Disclosure::ALL.iter().map(|it| (State::Disclosure(*it), it.code(), it.text())))
    }
}

/// Every way to say a state, the longest first: its code, its words, and each of these where a comma parts them.
fn names() -> Vec<(String, State)> {
    let mut names: Vec<(String, State)> = Vec::new();
    for (state, code, text) in State::all() {
        names.push((code.to_owned(), state));
        for words in Lang::ALL.map(|lang| folded(text.get(lang))) {
            names.extend(words.split(", ").map(|part| (part.to_owned(), state)));
            names.push((words, state));
        }
    }
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
}

/// The state of the service, of the incident, or both, as they are called in either language.
fn states(ask: &Ask, typed: &str) -> Result<(Option<Service>, Option<Disclosure>), Failure> {
    let (names, typed) = (names(), folded(typed));
    let (mut service, mut disclosure, mut rest) = (None, None, typed.as_str());
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || ",;+/&".contains(letter));
        rest = ["and ", "e ", "ed "].into_iter().find_map(|and| rest.strip_prefix(and)).unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return Ok((service, disclosure));
        }
        let whole = |name: &str| {
            rest.strip_prefix(name).filter(|more| !more.starts_with(|next: char| next.is_alphanumeric() || next == '-'))
        };
        let Some((state, more)) = names.iter().find_map(|(name, state)| Some((*state, whole(name)?))) else {
            return Err(no_state(ask, rest));
        };
        let twice = match state {
            State::Service(it) => service.replace(it).is_some_and(|before| before != it),
            State::Disclosure(it) => disclosure.replace(it).is_some_and(|before| before != it),
        };
        if twice {
            return Err(Failure::refused(ask.say(
                "The service has one state at a time, and so has the incident.",
                "Il servizio ha un solo stato alla volta, e così l'incidente.",
            )));
        }
        rest = more;
    }
}

fn no_state(ask: &Ask, typed: &str) -> Failure {
    let words = ask.say("I do not know the state ", "Non conosco lo stato ");
    let mut line = Line::new().text(words).strong(shown(typed));
    line = line.text(ask.say(". Of the service there are ", ". Per il servizio ci sono "));
    for (at, (state, _, text)) in State::all().enumerate() {
        line = match (at, state) {
            (0, _) => line,
            (_, State::Disclosure(Disclosure::Reported)) => {
                line.text(ask.say("; of the incident ", "; per l'incidente "))
            }
            _ => line.text(", "),
        };
        line = line.code(text.get(ask.lang));
    }
    Failure::refused(line.text("."))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::kit::{Caller, Place};

    fn read(typed: &str) -> Result<(Option<Service>, Option<Disclosure>), String> {
        let ask = Ask {
            line: String::new(),
            caller: Caller { address: None, role: Role::Moderator, incidents: Vec::new() },
            place: Place::terminal(),
            lang: Lang::En,
            zone: None,
            at: DateTime::UNIX_EPOCH,
            key: None,
            quoted: None,
        };
        states(&ask, typed).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_state_is_known_by_its_code_and_its_words_and_can_be_chosen() {
        let Shape::Choice(choices) = STATE.shape else { panic!("no choices") };
        for ((state, code, text), choice) in State::all().zip(choices) {
            let wanted = match state {
                State::Service(it) => (Some(it), None),
                State::Disclosure(it) => (None, Some(it)),
            };
            for typed in [code, text.en, text.it] {
                assert_eq!(read(typed), Ok(wanted), "{typed}");
                assert_eq!(read(&typed.to_uppercase()), Ok(wanted), "{typed}");
            }
            assert_eq!(choice.code, code);
            for lang in Lang::ALL {
                assert!(choice.text.get(lang).ends_with(text.get(lang)), "{code}");
            }
        }
        assert_eq!(choices.len(), State::all().count());
    }

    #[test]
    fn both_can_be_said_at_once_and_each_once() {
        let both = Ok((Some(Service::Monitoring), Some(Disclosure::Confirmed)));
        for typed in [
            "monitoring confirmed",
            "confirmed, monitoring",
            "restored, being monitored, confirmed",
            "Ripristinato e confermato",
            "ripristinato, sotto osservazione; confermato",
        ] {
            assert_eq!(read(typed), both, "{typed}");
        }
        assert!(read("resolved, monitoring").is_err_and(|why| why.contains("one state at a time")));
        assert!(read("resolvedly").is_err_and(|why| why.contains("I do not know the state resolvedly.")));
        assert!(read("closed, done").is_err_and(|why| why.contains("state done")));
    }
}
