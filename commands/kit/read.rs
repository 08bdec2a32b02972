//! What those who keep the record type, read as what the record holds; what does not fit is answered with what would.

use chrono_tz::Tz;
use record::{
    dossier::MAX_NAME,
    entry::{Kind, Said},
    heard,
    lang::{Lang, Prose, ProseError, Text, is_blank},
    link::{Link, NotALink},
    party::{Capacity, Organisation},
    reply::Line,
    slug::{Slug, folded, searched},
    view::{Entry, Incident, local},
    when::{NotAWhen, When},
};

use super::{Arg, Ask, Failure, INCIDENT, Room, Shape, Spec, shown};

/// Which entry.
pub static ENTRY: Arg<(Incident, Entry)> = Arg {
    spec: Spec {
        name: "entry",
        about: Text { en: "The entry, such as westpole#14", it: "La voce, come westpole#14" },
        required: true,
        shape: Shape::Entry,
    },
    read: read_entry,
};

/// Where it can be read.
pub static LINK: Spec = Spec {
    name: "link",
    about: Text {
        en: "Where it can be read: the source's web address",
        it: "Dove si legge: l'indirizzo web della fonte",
    },
    required: false,
    shape: Shape::Link,
};

/// An argument that takes what stands between two bars.
pub const fn sentence(name: &'static str, about: Text, required: bool) -> Spec {
    Spec { name, about, required, shape: Shape::Prose }
}

/// The same for a name or title.
pub const fn named(name: &'static str, about: Text, required: bool) -> Spec {
    Spec { name, about, required, shape: Shape::Name }
}

fn read_entry(room: &Room<'_>, ask: &Ask, typed: &str) -> Result<(Incident, Entry), Failure> {
    let named = typed.trim().rsplit_once('#');
    let Some((handle, number)) = named.and_then(|(handle, number)| Some((handle, number.parse::<u32>().ok()?))) else {
        let words = ask.say(
            " is no entry's name. An entry is named by its incident and its number there, such as ",
            " non è il nome di una voce. Una voce si indica con l'incidente e il suo numero, come ",
        );
        return Err(Failure::refused(Line::new().strong(shown(typed)).text(words).code("westpole#14").text(".")));
    };
    let incident = (INCIDENT.read)(room, ask, handle)?;
    let entry = room.view.entry(&incident, number, None)?;
    entry.map(|entry| (incident.clone(), entry)).ok_or_else(|| {
        let name = Line::new()
            .text(ask.say("There is no entry ", "Non c'è una voce "))
            .strong(incident.name(number).to_string());
        Failure::refused(match (1..=incident.last).contains(&number) {
            true => name.text(ask.say(" any more: its text was erased.", ": il suo testo è stato cancellato.")),
            false => name
                .text(ask.say(". The last one is ", ". L'ultima è "))
                .strong(incident.name(incident.last).to_string())
                .text("."),
        })
    })
}

/// A date or moment on the clock of `zone`.
pub fn when(ask: &Ask, typed: &str, zone: Tz) -> Result<When, Failure> {
    let read = typed.parse::<When>().and_then(|when| when.check(zone).map(|()| when));
    read.or_else(|not| {
        let line = match not {
            // As people write it, in either language.
            NotAWhen::Form(_) => match heard::when(typed, local(ask.at, zone), ask.lang) {
                Ok(heard) => match heard.check(zone) {
                    Ok(()) => return Ok(heard),
                    Err(_) => return when(ask, &heard.to_string(), zone),
                },
                Err(not) => not.reason(ask.lang).into(),
            },
            NotAWhen::NoSuchTime(time) => Line::new()
                .text(ask.say("There is no ", "Nel calendario non esiste "))
                .strong(shown(&time))
                .text(ask.say(" in the calendar.", ".")),
            NotAWhen::Backwards(span) => Line::new()
                .strong(shown(&span))
                .text(ask.say(" ends before it begins.", " finisce prima di cominciare.")),
            NotAWhen::BareHour(hour) => Line::new()
                .strong(shown(&hour))
                .text(ask.say(" says an hour without minutes. Write ", " indica un'ora senza i minuti. Scrivi "))
                .code(format!("{hour}:00"))
                .text(ask.say(", or ", ", oppure "))
                .code(format!("{hour}~"))
                .text(ask.say(" for about that hour.", " per dire verso quell'ora.")),
            NotAWhen::Skipped(time, zone) => {
                Line::new().text(ask.say("There was no ", "L'ora ")).strong(time).text(ask.say(
                    format!(" in {zone}: the clocks were put forward over it."),
                    format!(" non esiste in {zone}: viene saltata con il passaggio all'ora legale."),
                ))
            }
        };
        Err(Failure::refused(line))
    })
}

/// A date or moment to come: what is left out lies in the future.
pub fn ahead(ask: &Ask, typed: &str, zone: Tz) -> Result<When, Failure> {
    let heard = heard::ahead(typed, local(ask.at, zone), ask.lang);
    let heard = heard.map_err(|not| Failure::refused(not.reason(ask.lang)))?;
    // A time that the clocks skipped is told of as for any other date.
    if heard.check(zone).is_ok() { Ok(heard) } else { when(ask, &heard.to_string(), zone) }
}

/// A text of the record.
pub fn prose(ask: &Ask, lang: Lang, name: &str, typed: &str) -> Result<Prose, Failure> {
    // A dash stands for nothing.
    let typed = if typed.trim() == "-" { "" } else { typed };
    Prose::one(lang, typed).map_err(|not| {
        let line = Line::new().strong(name.to_owned());
        Failure::refused(match not {
            ProseError::Empty => line.text(ask.say(" must not be empty.", " non può essere vuoto.")),
            ProseError::TooLong => line.text(ask.say(
                format!(" can have {} characters at most; this has {}.", Prose::MAX_CHARS, typed.chars().count()),
                format!(" può avere al massimo {} caratteri; qui sono {}.", Prose::MAX_CHARS, typed.chars().count()),
            )),
        })
    })
}

/// A name or title: one line.
pub fn name(ask: &Ask, name: &str, typed: &str) -> Result<String, Failure> {
    let line: Vec<&str> =
        typed.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty()).collect();
    let line = line.join(" ");
    match line.chars().count() {
        _ if is_blank(&line) => Err(Failure::refused(
            Line::new().strong(name).text(ask.say(" must not be empty.", " non può essere vuoto.")),
        )),
        1..=MAX_NAME => Ok(line),
        long => Err(Failure::refused(Line::new().strong(name).text(ask.say(
            format!(" can have {MAX_NAME} characters at most; this has {long}."),
            format!(" può avere al massimo {MAX_NAME} caratteri; qui sono {long}."),
        )))),
    }
}

/// A handle, as it will be called from now on.
pub fn handle(ask: &Ask, typed: &str) -> Result<Slug, Failure> {
    typed.parse().map_err(|_| {
        let words = ask.say(
            " cannot be a handle. A handle is 1 to 32 of a-z, 0-9 and -, and does not begin with -: ",
            " non può essere un nome breve. Servono da 1 a 32 caratteri fra a-z, 0-9 e -, e il primo non può essere -: ",
        );
        Failure::refused(Line::new().strong(shown(typed)).text(words).code("acme-2026").text("."))
    })
}

/// The organisation of an incident that is called so, by its handle or one of its names.
pub fn member(room: &Room<'_>, incident: &Incident, typed: &str) -> Result<Option<Organisation>, Failure> {
    let wanted = searched(typed.trim());
    for entry in room.view.of_kind(incident, Kind::Organisation, None)? {
        if let Said::Organisation(organisation) = entry.said
            && entry.retracted.is_none()
            && is_called(&organisation, &wanted)
        {
            return Ok(Some(organisation));
        }
    }
    Ok(None)
}

fn is_called(organisation: &Organisation, wanted: &str) -> bool {
    let mut names = organisation.aliases.iter().chain([&organisation.name]);
    organisation.handle.as_str() == wanted || names.any(|name| searched(name) == wanted)
}

/// Whether this stands for sources that are not named.
pub fn is_unnamed(typed: &str) -> bool {
    let (wanted, unnamed) = (folded(typed.trim()), Capacity::Unnamed);
    wanted == "-" || is_word(&wanted, unnamed.code(), unnamed.text())
}

/// Whether a folded word is a code, or what people call it in some language.
pub fn is_word(wanted: &str, code: &str, text: Text) -> bool {
    wanted == code || Lang::ALL.into_iter().any(|lang| folded(text.get(lang)) == wanted)
}

/// An address of a source, without what tells only who sent a reader there.
pub fn link(ask: &Ask, typed: &str) -> Result<Link, Failure> {
    typed.parse::<Link>().map(Link::without_trackers).map_err(|not| {
        Failure::refused(match not {
            NotALink::Malformed | NotALink::Scheme => Line::new()
                .strong(shown(typed))
                .text(ask.say(
                    " is not a link I can record. It must be a whole web address that begins with https:// or http://, such as ",
                    " non è un link che posso registrare. Serve un indirizzo web completo che cominci con https:// o http://, come ",
                ))
                .code("https://example.org/page")
                .text("."),
            NotALink::Userinfo => ask
                .say(
                    "A link must not hold a user name or password before the @: they hide where it leads.",
                    "Un link non può contenere un nome utente o una password prima della @: nascondono dove porta.",
                )
                .into(),
            NotALink::TooLong => ask
                .say(
                    format!("A link can have {} bytes at most. Is there a shorter one without tracking?", Link::MAX),
                    format!("Un link può avere al massimo {} byte. Ce n'è uno più corto, senza tracciamento?", Link::MAX),
                )
                .into(),
        })
    })
}

#[cfg(test)]
mod tests {
    use record::party::Role;

    use super::*;

    #[test]
    fn an_organisation_is_known_by_any_of_its_names() {
        let organisation = Organisation {
            handle: "pa-digitale".parse().expect("a handle"),
            name: "PA Digitale".to_owned(),
            aliases: vec!["PAdì".to_owned()],
            roles: vec![Role::Supplier],
            about: None,
            sources: Vec::new(),
        };
        for typed in ["pa-digitale", "PA DIGITALE", "padi"] {
            assert!(is_called(&organisation, &searched(typed)), "{typed}");
        }
        assert!(!is_called(&organisation, &searched("digitale")));
    }

    #[test]
    fn sources_without_a_name_are_called_so_in_either_language() {
        for typed in ["-", "unnamed", "Unnamed sources", "Fonti anonime"] {
            assert!(is_unnamed(typed), "{typed}");
        }
        assert!(!is_unnamed("AGI"));
    }
}
