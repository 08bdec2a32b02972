//! What can be written in the public record: one entry, its kinds, and how entries refer to one another.

use std::fmt;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    claim::Claim,
    lang::{Prose, worded},
    party::{Organisation, Party},
    slug::Slug,
    source::Source,
    statement::Statement,
    when::When,
};

/// A reference to an entry of the same incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ref {
    /// By its number.
    Number(u32),
    /// By its place in the set it is written with (0 is the first); the writer puts the number in its place.
    Here(usize),
}

impl Ref {
    /// The number; none while it is only a place in a set.
    pub fn number(self) -> Option<u32> {
        match self {
            Ref::Number(number) => Some(number),
            Ref::Here(_) => None,
        }
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Ref::Number(number) => serializer.serialize_u32(*number),
            Ref::Here(_) => Err(serde::ser::Error::custom("a reference within a set was not resolved")),
        }
    }
}

impl<'de> Deserialize<'de> for Ref {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ref, D::Error> {
        u32::deserialize(deserializer).map(Ref::Number)
    }
}

worded! {
    /// How much an entry matters.
    Importance {
        /// Detail.
        Minor = "minor", "minor", "minore";
        /// The usual.
        Normal = "normal", "normal", "normale";
        /// Changes the picture.
        Major = "major", "major", "maggiore";
    }
}

worded! {
    /// What an entry is.
    Kind {
        /// Opens an incident: its title, summary and zone.
        Opening = "opening", "opening", "apertura";
        /// Something happened.
        Event = "event", "event", "evento";
        /// Somebody said something.
        Statement = "statement", "statement", "dichiarazione";
        /// Something that may be so.
        Claim = "claim", "claim", "affermazione";
        /// A number.
        Figure = "figure", "figure", "dato";
        /// Where something can be read.
        Source = "source", "source", "fonte";
        /// An organisation and its role.
        Organisation = "organisation", "organisation", "organizzazione";
        /// The state of service and of disclosure.
        Status = "status", "status", "stato";
        /// An earlier entry, put right.
        Correction = "correction", "correction", "correzione";
        /// An earlier entry, taken back.
        Retraction = "retraction", "retraction", "ritrattazione";
    }
}

#[expect(clippy::derivable_impls, reason = "the enum is made by a macro")]
impl Default for Importance {
    fn default() -> Importance {
        Importance::Normal
    }
}

impl Kind {
    /// A number that is stored, and so never changes its meaning.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The kind a stored number stands for.
    pub fn from_byte(byte: u8) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.byte() == byte)
    }
}

worded! {
    /// How far the service is.
    Service {
        /// The cause is looked for.
        Investigating = "investigating", "investigating", "in corso di accertamento";
        /// The cause is known.
        Identified = "identified", "identified", "causa individuata";
        /// It is mended and watched.
        Monitoring = "monitoring", "restored, being monitored", "ripristinato, sotto osservazione";
        /// It is over.
        Resolved = "resolved", "resolved", "risolto";
    }
}

worded! {
    /// How far the incident is disclosed.
    Disclosure {
        /// Others report it.
        Reported = "reported", "reported by others", "riferito da altri";
        /// Those hit, or an authority, say so.
        Confirmed = "confirmed", "confirmed", "confermato";
        /// It is contested.
        Disputed = "disputed", "disputed", "controverso";
        /// Nothing more is expected.
        Closed = "closed", "closed", "chiuso";
    }
}

worded! {
    /// How loudly a correction is made.
    Level {
        /// A slip of the pen: copies are edited, nobody is told.
        Silent = "silent", "silent fix", "ritocco";
        /// Copies are edited and marked.
        Correction = "correction", "correction", "correzione";
        /// Changes what readers should think: copies are edited, and readers are told.
        Material = "material", "material correction", "correzione sostanziale";
    }
}

/// The first entry of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What it is called.
    pub title: Prose,
    /// What happened, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Prose>,
    /// The zone of every clock time in it (IANA).
    pub zone: Tz,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it happened.
    pub when: When,
    /// Up to when was looked, for a finding of absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<When>,
    /// What happened.
    pub text: Prose,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Ref>,
    /// Another event that says the same thing otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Ref>,
}

/// A number, with who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What is counted.
    pub label: Prose,
    /// How many, as it was said: "about 500".
    pub value: Prose,
    /// At what time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<When>,
    /// Who says so, beyond those who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<Party>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Ref>,
    /// Another figure for the same thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Ref>,
}

/// Where the incident stands; what is left out stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Since when.
    pub when: When,
    /// Of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Of disclosure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<Disclosure>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Prose>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Ref>,
}

/// An earlier entry, whole, as it should read; the earlier one stays in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The entry that is put right.
    pub subject: Ref,
    /// How it reads from now on; of the subject's kind.
    pub now: Box<Said>,
    /// What changed, in words.
    pub what: Prose,
    /// How loudly.
    pub level: Level,
    /// How much the subject matters from now on; as before, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// When the subject became public; as before, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<When>,
}

/// An earlier entry is taken back; it is shown struck out, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// The entry that is taken back.
    pub subject: Ref,
    /// Why.
    pub why: Prose,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// See [`Opening`].
    Opening(Opening),
    /// See [`Event`].
    Event(Event),
    /// See [`Statement`].
    Statement(Statement),
    /// See [`Claim`].
    Claim(Claim),
    /// See [`Figure`].
    Figure(Figure),
    /// See [`Source`].
    Source(Source),
    /// See [`Organisation`].
    Organisation(Organisation),
    /// See [`Status`].
    Status(Status),
    /// See [`Correction`].
    Correction(Correction),
    /// See [`Retraction`].
    Retraction(Retraction),
}

impl Said {
    /// What kind of entry it is.
    pub fn kind(&self) -> Kind {
        match self {
            Said::Opening(_) => Kind::Opening,
            Said::Event(_) => Kind::Event,
            Said::Statement(_) => Kind::Statement,
            Said::Claim(_) => Kind::Claim,
            Said::Figure(_) => Kind::Figure,
            Said::Source(_) => Kind::Source,
            Said::Organisation(_) => Kind::Organisation,
            Said::Status(_) => Kind::Status,
            Said::Correction(_) => Kind::Correction,
            Said::Retraction(_) => Kind::Retraction,
        }
    }

    /// Where it stands in the timeline, for events and statements.
    pub fn when(&self) -> Option<&When> {
        match self {
            Said::Event(event) => Some(&event.when),
            Said::Statement(statement) => Some(&statement.date),
            _ => None,
        }
    }

    /// Its sources.
    pub fn sources(&self) -> &[Ref] {
        match self {
            Said::Event(it) => &it.sources,
            Said::Statement(it) => &it.sources,
            Said::Claim(it) => &it.sources,
            Said::Figure(it) => &it.sources,
            Said::Status(it) => &it.sources,
            Said::Organisation(it) => &it.sources,
            _ => &[],
        }
    }

    /// The entry it corrects or retracts.
    pub fn subject(&self) -> Option<Ref> {
        match self {
            Said::Correction(it) => Some(it.subject),
            Said::Retraction(it) => Some(it.subject),
            _ => None,
        }
    }

    /// Every date in it.
    pub fn dates(&self) -> Vec<&When> {
        match self {
            Said::Event(it) => [Some(&it.when), it.as_of.as_ref()].into_iter().flatten().collect(),
            Said::Statement(it) => {
                [Some(&it.date), it.as_of.as_ref(), it.promises.as_ref()].into_iter().flatten().collect()
            }
            Said::Figure(it) => it.as_of.iter().collect(),
            Said::Status(it) => vec![&it.when],
            Said::Source(it) => it.date.iter().collect(),
            Said::Correction(it) => it.now.dates(),
            _ => Vec::new(),
        }
    }

    /// Every text in it that a reader may look for.
    pub fn texts(&self) -> Vec<&Prose> {
        match self {
            Said::Opening(it) => [Some(&it.title), it.summary.as_ref()].into_iter().flatten().collect(),
            Said::Event(it) => vec![&it.text],
            Said::Statement(it) => vec![&it.gist],
            Said::Claim(it) => vec![&it.text],
            Said::Figure(it) => vec![&it.label, &it.value],
            Said::Source(it) => it.note.iter().collect(),
            Said::Organisation(it) => it.about.iter().collect(),
            Said::Status(it) => it.text.iter().collect(),
            Said::Correction(it) => vec![&it.what],
            Said::Retraction(it) => vec![&it.why],
        }
    }

    /// Every name and title in it that a reader may look for: the same in every language.
    pub fn names(&self) -> Vec<&str> {
        fn party(it: &Option<Party>) -> Option<&str> {
            match it {
                Some(Party::Organisation(handle)) => Some(handle.as_str()),
                Some(Party::Named(named)) => Some(&named.name),
                None => None,
            }
        }
        match self {
            Said::Statement(it) => {
                let quote = it.quote.as_ref().map(|quote| quote.text.as_str());
                [party(&it.speaker), party(&it.published_by), quote].into_iter().flatten().collect()
            }
            Said::Figure(it) => party(&it.said_by).into_iter().collect(),
            Said::Source(it) => {
                let link = it.link.as_ref().map(|link| link.as_str());
                [Some(it.publisher.as_str()), it.title.as_deref(), link].into_iter().flatten().collect()
            }
            Said::Organisation(it) => {
                [it.handle.as_str(), &it.name].into_iter().chain(it.aliases.iter().map(String::as_str)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The organisations it names by their handles.
    pub fn organisations(&self) -> Vec<&Slug> {
        fn handle(party: &Option<Party>) -> Option<&Slug> {
            match party {
                Some(Party::Organisation(handle)) => Some(handle),
                _ => None,
            }
        }
        match self {
            Said::Organisation(it) => vec![&it.handle],
            Said::Statement(it) => [handle(&it.speaker), handle(&it.published_by)].into_iter().flatten().collect(),
            Said::Figure(it) => handle(&it.said_by).into_iter().collect(),
            Said::Correction(it) => it.now.organisations(),
            _ => Vec::new(),
        }
    }

    /// Every reference in it with the kind it must lead to (none: any kind that can be corrected), to check or resolve.
    pub fn refs_mut(&mut self) -> Vec<(&mut Ref, Option<Kind>)> {
        fn sources(of: &mut [Ref]) -> impl Iterator<Item = (&mut Ref, Option<Kind>)> {
            of.iter_mut().map(|it| (it, Some(Kind::Source)))
        }
        match self {
            Said::Event(it) => {
                sources(&mut it.sources).chain(it.rival.iter_mut().map(|it| (it, Some(Kind::Event)))).collect()
            }
            Said::Figure(it) => {
                sources(&mut it.sources).chain(it.rival.iter_mut().map(|it| (it, Some(Kind::Figure)))).collect()
            }
            Said::Statement(it) => {
                let claims = it.claims.iter_mut().map(|stance| (&mut stance.claim, Some(Kind::Claim)));
                sources(&mut it.sources).chain(claims).collect()
            }
            Said::Claim(it) => sources(&mut it.sources).collect(),
            Said::Status(it) => sources(&mut it.sources).collect(),
            Said::Organisation(it) => sources(&mut it.sources).collect(),
            Said::Correction(it) => {
                let kind = it.now.kind();
                let mut refs = it.now.refs_mut();
                refs.push((&mut it.subject, Some(kind)));
                refs
            }
            Said::Retraction(it) => vec![(&mut it.subject, None)],
            Said::Opening(_) | Said::Source(_) => Vec::new(),
        }
    }
}

/// A random name for somebody who writes in the record; who it is, only private facts know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Author(pub String);

/// An entry as it is handed to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The incident it belongs to.
    pub incident: Slug,
    /// Who writes it.
    pub author: Author,
    /// Its name for dossiers, unique in the incident; made up at random for what is written in chat.
    pub key: Slug,
    /// How much it matters.
    pub importance: Importance,
    /// When it became public, if that is said.
    pub known: Option<When>,
    /// Whether it comes out of a dossier.
    pub dossier: bool,
    /// Whether subscribers hear of it.
    pub push: bool,
    /// What it says.
    pub said: Said,
}

/// How an entry is named everywhere: `westpole#14`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryName {
    /// The incident's handle.
    pub incident: Slug,
    /// Its number there.
    pub number: u32,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.incident, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_kind_keeps_its_number() {
        let numbers: Vec<u8> = Kind::ALL.iter().map(|kind| kind.byte()).collect();
        assert_eq!(numbers, (0..10).collect::<Vec<u8>>(), "stored numbers must never be reordered");
        assert_eq!(Kind::from_byte(2), Some(Kind::Statement));
        assert_eq!(Kind::from_byte(10), None);
    }

    #[test]
    fn an_unresolved_reference_is_never_written() {
        assert!(serde_json::to_string(&Ref::Here(0)).is_err());
        assert_eq!(serde_json::to_string(&Ref::Number(7)).expect("a number"), "7");
    }
}
