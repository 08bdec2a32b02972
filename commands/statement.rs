//! `/statement`: records that somebody said something.

use record::{
    entry::{Kind, Said},
    lang::{Lang, Text},
    party::{self, Capacity, Organisation, Party},
    reply::Reply,
    slug::folded,
    statement::Statement,
    view::Incident,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, read,
    sentence,
};

/// `/statement incident date | speaker | text [| link]`
pub static STATEMENT: Command = Command {
    name: "statement",
    about: Text { en: "Record what somebody said", it: "Registra una dichiarazione" },
    args: &[&INCIDENT.spec, &DATE, &SPEAKER, &TEXT, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    example: "westpole 2023-12-20 | PA Digitale | All services are up again. | https://example.org/news",
    run: statement,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &STATEMENT, compose: entry, offers: Offers::Importance };

static DATE: Spec = Spec {
    name: "date",
    about: Text {
        en: "When it was published, on the incident's clock",
        it: "Quando è stata pubblicata, nell'orario dell'incidente",
    },
    required: true,
    shape: Shape::When,
};
static SPEAKER: Spec = sentence(
    "speaker",
    Text {
        en: "Who said it: an organisation, or a name such as Ann Lee (authority); - for unnamed sources",
        it: "Chi l'ha detto: un'organizzazione o un nome, come Anna Rossi (autorità); - per fonti anonime",
    },
    true,
);
static TEXT: Spec =
    sentence("text", Text { en: "What was said, in our words", it: "Che cosa dice, in parole nostre" }, true);

fn statement(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let (date, gist) = (pen.when(&DATE, &incident)?, pen.prose(&TEXT)?);
    let (speaker, capacity) = speaker(pen, &incident)?;
    let sources = pen.sources(&incident)?;
    let said = Statement {
        speaker,
        capacity,
        published_by: None,
        date,
        as_of: None,
        gist,
        quote: None,
        sources,
        claims: Vec::new(),
    };
    pen.write(&incident.handle, Said::Statement(said))
}

fn speaker(pen: &Pen<'_>, incident: &Incident) -> Result<(Option<Party>, Capacity), Failure> {
    let typed = pen.need(&SPEAKER)?;
    let wanted = folded(typed.trim());
    if is_unnamed(&wanted) {
        return Ok((None, Capacity::Unnamed));
    }
    for entry in pen.room.view.of_kind(incident, Kind::Organisation, None)? {
        if let Said::Organisation(organisation) = entry.said
            && entry.retracted.is_none()
            && is_called(&organisation, &wanted)
        {
            let capacity = capacity(&organisation);
            return Ok((Some(Party::Organisation(organisation.handle)), capacity));
        }
    }
    let (name, capacity) = in_capacity(typed);
    let capacity = capacity.unwrap_or(Capacity::Other);
    Ok((Some(Party::named(&read::name(pen.ask, SPEAKER.name, name)?)), capacity))
}

/// A name, and the capacity in brackets behind it: "Anna Rossi (autorità)".
fn in_capacity(typed: &str) -> (&str, Option<Capacity>) {
    let found = typed.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let Some((name, word)) = found.filter(|(name, _)| !name.trim().is_empty()) else { return (typed, None) };
    let wanted = folded(word.trim());
    let is = |it: &Capacity| it.code() == wanted || Lang::ALL.iter().any(|lang| folded(it.text().get(*lang)) == wanted);
    let capacity = Capacity::ALL.iter().copied().filter(|it| *it != Capacity::Unnamed).find(is);
    (if capacity.is_some() { name.trim() } else { typed }, capacity)
}

fn is_unnamed(wanted: &str) -> bool {
    let named = Capacity::Unnamed.text();
    wanted == "-" || wanted == Capacity::Unnamed.code() || Lang::ALL.iter().any(|lang| wanted == named.get(*lang))
}

fn is_called(organisation: &Organisation, wanted: &str) -> bool {
    let mut names = organisation.aliases.iter().chain([&organisation.name]);
    organisation.handle.as_str() == wanted || names.any(|name| folded(name) == wanted)
}

/// In what capacity an organisation speaks: its first role, the most telling.
fn capacity(organisation: &Organisation) -> Capacity {
    match organisation.roles.first() {
        Some(party::Role::Victim) => Capacity::Victim,
        Some(party::Role::Supplier) => Capacity::Supplier,
        Some(party::Role::Customer) => Capacity::Customer,
        Some(party::Role::Authority) => Capacity::Authority,
        Some(party::Role::Attacker) => Capacity::Attacker,
        Some(party::Role::Mentioned) | None => Capacity::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_known_by_any_of_its_names_and_speaks_in_its_first_role() {
        let organisation = Organisation {
            handle: "pa-digitale".parse().expect("a handle"),
            name: "PA Digitale".to_owned(),
            aliases: vec!["PAdì".to_owned()],
            roles: vec![party::Role::Supplier, party::Role::Customer],
            about: None,
            sources: Vec::new(),
        };
        for typed in ["pa-digitale", "PA DIGITALE", "padi"] {
            assert!(is_called(&organisation, &folded(typed)), "{typed}");
        }
        assert!(!is_called(&organisation, &folded("digitale")));
        assert_eq!(capacity(&organisation), Capacity::Supplier);
    }

    #[test]
    fn who_is_no_organisation_speaks_in_the_capacity_that_is_given() {
        assert_eq!(in_capacity("Anna Rossi (autorità)"), ("Anna Rossi", Some(Capacity::Authority)));
        assert_eq!(in_capacity("AGI (PRESS) "), ("AGI", Some(Capacity::Press)));
        assert_eq!(in_capacity("Acme (Italy)"), ("Acme (Italy)", None));
        assert_eq!(in_capacity("(press)"), ("(press)", None));
    }

    #[test]
    fn sources_without_a_name_are_called_so_in_either_language() {
        for typed in ["-", "unnamed", "Unnamed sources", "Fonti anonime"] {
            assert!(is_unnamed(&folded(typed)), "{typed}");
        }
        assert!(!is_unnamed(&folded("AGI")));
    }
}
