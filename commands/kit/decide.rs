//! Who decides about a draft, when one of them is not enough, and what nobody may record.

use record::{
    entry::{Draft, Said},
    lang::{Lang, Prose, Text},
    link::Link,
    party,
    private::Address,
    reply::{Reply, Tone},
    slug::{Slug, folded},
};

use super::{Ask, Failure, Room};

/// Under which address the operator at the terminal, who has none, is known.
pub const OPERATOR: &str = "console";

/// What is dangerous enough for two people to have to want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// That somebody was attacked.
    Victim,
    /// That data was taken.
    Data,
    /// That something was not so.
    Retraction,
}

impl Danger {
    /// The one with a code, as settings have it.
    pub fn parse(code: &str) -> Option<Danger> {
        match code {
            "victim" => Some(Danger::Victim),
            "data" => Some(Danger::Data),
            "retraction" => Some(Danger::Retraction),
            _ => None,
        }
    }

    /// What an entry of the kind does.
    pub const fn text(self) -> Text {
        match self {
            Danger::Victim => Text { en: "names a victim", it: "nomina una vittima" },
            Danger::Data => Text { en: "says that data was taken", it: "dice che sono stati sottratti dei dati" },
            Danger::Retraction => Text { en: "takes an entry back", it: "ritratta una voce" },
        }
    }

    /// Whether an entry is of the kind.
    fn is_in(self, said: &Said) -> bool {
        match (self, said) {
            (_, Said::Correction(it)) => self.is_in(&it.now),
            (Danger::Retraction, Said::Retraction(_)) => true,
            (Danger::Victim, Said::Organisation(it)) => it.roles.contains(&party::Role::Victim),
            (Danger::Data, said) => said.texts().into_iter().any(tells_of_taken_data),
            _ => false,
        }
    }
}

/// Word stems by which a text is taken to say that data was stolen or published: of data (first) and of its being taken.
const DATA: &[&str] = &["data", "dati", "dato", "record", "file", "documents", "document", "archivi", "database"];
const TAKEN: &[&str] =
    &["exfiltrat", "stolen", "leaked", "theft", "esfiltra", "rubat", "sottratt", "trafuga", "furto", "diffusi"];

fn tells_of_taken_data(text: &Prose) -> bool {
    Lang::ALL.iter().any(|lang| {
        let text = folded(text.plain(*lang));
        let has = |stems: &[&str]| {
            text.split(|c: char| !c.is_alphanumeric()).any(|word| stems.iter().any(|stem| word.starts_with(stem)))
        };
        has(DATA) && has(TAKEN)
    })
}

/// What is dangerous in a set of entries, of what the settings name.
pub fn danger(room: &Room<'_>, set: &[Draft]) -> Option<Danger> {
    room.house.two.iter().copied().find(|danger| set.iter().any(|draft| danger.is_in(&draft.said)))
}

/// Refuses what a leak bot would post. All that one entry says is looked at together.
pub fn no_leak(room: &Room<'_>, ask: &Ask, set: &[Draft]) -> Result<(), Failure> {
    let guard = &room.house.guard;
    let mut found = Ok(());
    for draft in set {
        let mut said = vec![&draft.said];
        if let Said::Correction(it) = &draft.said {
            said.push(&it.now);
        }
        let texts = said.iter().flat_map(|it| it.texts());
        let mut words: Vec<&str> = texts.flat_map(|it| it.iter().map(|(_, words)| words)).collect();
        for name in said.iter().flat_map(|it| it.names()) {
            match name.parse::<Link>() {
                Ok(link) => found = found.and(guard.link(&link)),
                Err(_) => words.push(name),
            }
        }
        for said in &said {
            if let Said::Source(it) = said {
                found = it.archived.iter().fold(found, |found, link| found.and(guard.link(link)));
            }
        }
        found = found.and(guard.text(&words.join("\n")));
    }
    found.map_err(|found| {
        let words = ask.say(
            "Nothing was kept. This is a record, not a place to publish what was stolen.",
            "Non ho conservato nulla. Questo è un registro, non un posto dove pubblicare ciò che è stato rubato.",
        );
        Failure::Refused(Box::new(Reply::personal(Tone::Polite, found.reason(ask.lang)).say(words)))
    })
}

/// Whoever asks, by the address that the trail knows.
pub fn who(ask: &Ask) -> Address {
    ask.caller.address.clone().unwrap_or_else(|| Address(OPERATOR.to_owned()))
}

/// Everybody who may decide about an incident.
pub fn moderators(room: &Room<'_>, incident: &Slug) -> Result<Vec<Address>, Failure> {
    Ok(room.view.moderators(&room.house.owners, incident)?)
}

/// Whether whoever asks may decide about an incident; where they may not, a kind answer.
pub fn may_decide(ask: &Ask, incident: &Slug) -> Result<(), Failure> {
    if ask.caller.incidents.is_empty() || ask.caller.incidents.contains(incident) {
        return Ok(());
    }
    let own: Vec<&str> = ask.caller.incidents.iter().map(Slug::as_str).collect();
    let own = own.join(", ");
    Err(Failure::refused(ask.say(
        format!("You moderate {own}. Of {incident}, somebody else decides."),
        format!("Tu moderi {own}. Di {incident} decide qualcun altro."),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_data_was_taken_is_known_by_its_words() {
        let tells = |lang, text| tells_of_taken_data(&Prose::one(lang, text).expect("a text"));
        assert!(tells(Lang::En, "The group says it stole… 40 GB of data were exfiltrated."));
        assert!(tells(Lang::It, "Sono stati sottratti dati di 1.300 enti."));
        assert!(tells(Lang::It, "Furto di dati confermato."));
        assert!(!tells(Lang::En, "The data centre is up again."));
        assert!(!tells(Lang::It, "Furto di un portatile, senza conseguenze."));
    }

    #[test]
    fn dangers_are_known_by_their_codes() {
        for code in ["victim", "data", "retraction"] {
            assert!(Danger::parse(code).is_some(), "{code}");
        }
        assert_eq!(Danger::parse("everything"), None);
    }
}
