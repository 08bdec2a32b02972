//! From a dossier to entries: what is new is recorded, what changed becomes a correction, the rest stays.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    dossier::{Dossier, Item},
    entry::{Author, Correction, Draft, EntryName, Importance, Level, Ref, Retraction, Said},
    lang::{Prose, Text},
    private::{Address, Fact},
    slug::Slug,
    store::{Drafted, Expect, NotSaid, Pending, Set, StateError, Store},
    view::{Entry, Incident},
    when::When,
};

/// Who writes what comes out of dossiers.
pub const IMPORTER: &str = "import:dossier";

/// How many sets may be on their way at once.
const UNDER_WAY: usize = 512;

/// What came of importing one incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Items recorded for the first time.
    pub recorded: usize,
    /// Items that had changed.
    pub corrected: usize,
    /// Items that were taken back.
    pub retracted: usize,
    /// Items that were there already.
    pub unchanged: usize,
    /// Items that somebody had retracted here: they stay so.
    pub left: usize,
}

impl Imported {
    /// How many items were dealt with.
    pub fn done(&self) -> usize {
        self.recorded + self.corrected + self.retracted + self.unchanged + self.left
    }
}

/// Why an import ended early; what was acknowledged before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An item could not be recorded.
    #[error("line {line}: {not_said}")]
    Item {
        /// The line of the dossier it begins on.
        line: usize,
        /// Why.
        not_said: NotSaid,
    },
    /// The store could not be written.
    #[error(transparent)]
    NotSaid(#[from] NotSaid),
    /// The store could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Imports one incident; subscribers hear of it only if `push` says so. After every durable item `progress` hears what was done so far, and how many items there are.
/// Doing it again, or after it was cut short, records only what is missing.
pub fn import(
    store: &Store,
    dossier: &Dossier,
    at: DateTime<Utc>,
    push: bool,
    progress: &mut dyn FnMut(&Imported, usize),
) -> Result<Imported, ImportError> {
    let author = importer(store, at)?;
    let mut import = Import {
        store,
        dossier,
        author,
        at,
        push,
        numbers: vec![None; dossier.items.len()],
        under_way: VecDeque::new(),
        done: Imported::default(),
        progress,
    };
    for place in 0..dossier.items.len() {
        import.item(place)?;
    }
    import.wait(0)?;
    Ok(import.done)
}

/// Loads a bundled dossier into a store that has never finished loading it; a half-loaded one is resumed.
pub fn load_bundled(
    store: &Store,
    name: &str,
    dossiers: &[Dossier],
    at: DateTime<Utc>,
    progress: &mut dyn FnMut(&Imported, usize),
) -> Result<bool, ImportError> {
    if store.view().loaded(name)? {
        return Ok(false);
    }
    for dossier in dossiers {
        import(store, dossier, at, false, progress)?;
    }
    say(store, vec![Drafted::Fact(Fact::Loaded { dossier: name.to_owned() })], at)?;
    Ok(true)
}

/// The importer's random name, made at its first import.
fn importer(store: &Store, at: DateTime<Utc>) -> Result<Author, ImportError> {
    let address = Address(IMPORTER.to_owned());
    if let Some(author) = store.view().author(&address)? {
        return Ok(author);
    }
    let author = new_author()?;
    say(store, vec![Drafted::Fact(Fact::Person { address, author: author.clone() })], at)?;
    Ok(author)
}

/// A new random name for somebody who writes.
pub fn new_author() -> Result<Author, NotSaid> {
    let salt = crate::line::Salt::random().map_err(|error| NotSaid::Broke(error.to_string()))?;
    Ok(Author(salt.0.chars().take(16).collect()))
}

fn say(store: &Store, said: Vec<Drafted>, at: DateTime<Utc>) -> Result<(), NotSaid> {
    store.say(Set { ask: None, expects: Vec::new(), said, at }).map(|_| ())
}

/// What one set does, once it is written.
#[derive(Clone, Copy)]
enum Does {
    Record,
    Correct,
    Retract,
}

struct Import<'a> {
    store: &'a Store,
    dossier: &'a Dossier,
    author: Author,
    at: DateTime<Utc>,
    /// Whether subscribers hear of it.
    push: bool,
    /// The number each item has in the store.
    numbers: Vec<Option<u32>>,
    under_way: VecDeque<(usize, Does, Pending)>,
    done: Imported,
    progress: &'a mut dyn FnMut(&Imported, usize),
}

impl Import<'_> {
    fn item(&mut self, place: usize) -> Result<(), ImportError> {
        let dossier = self.dossier;
        let item = &dossier.items[place];
        let mut said = item.said.clone();
        if said.refs_mut().iter().any(|(reference, _)| self.number(**reference).is_none()) {
            self.wait(0)?;
        }
        for (reference, _) in said.refs_mut() {
            if let Some(number) = self.number(*reference) {
                *reference = Ref::Number(number);
            }
        }
        if place == 1 {
            // Everything else needs the incident to be there.
            self.wait(0)?;
        }
        match self.existing(item)? {
            None => self.record(place, item, said),
            Some((incident, number)) => {
                self.numbers[place] = Some(number);
                self.compare(place, item, said, &incident, number)
            }
        }
    }

    fn number(&self, reference: Ref) -> Option<u32> {
        match reference {
            Ref::Number(number) => Some(number),
            Ref::Here(place) => self.numbers.get(place).copied().flatten(),
        }
    }

    /// The entry that the item is in the store already.
    fn existing(&self, item: &Item) -> Result<Option<(Incident, u32)>, StateError> {
        let view = self.store.view();
        let Some(incident) = view.incident(self.dossier.handle.as_str())? else { return Ok(None) };
        let number = match &item.said {
            Said::Opening(_) => Some(1),
            Said::Organisation(organisation) => view.member_number(&incident, organisation.handle.as_str())?,
            _ => view.keyed(&incident, &item.key)?,
        };
        Ok(number.map(|number| (incident, number)))
    }

    fn record(&mut self, place: usize, item: &Item, said: Said) -> Result<(), ImportError> {
        let mut set = vec![Drafted::from(self.draft(item.key.clone(), item.importance, item.known, said))];
        if let Some(why) = &item.retracted {
            let retraction = Said::Retraction(Retraction { subject: Ref::Here(0), why: why.clone() });
            set.push(self.draft(random_key()?, Importance::Normal, None, retraction).into());
        }
        self.hand_in(place, Does::Record, set, Vec::new())
    }

    /// What the dossier last said of an entry, against what it says now.
    fn compare(
        &mut self,
        place: usize,
        item: &Item,
        said: Said,
        incident: &Incident,
        number: u32,
    ) -> Result<(), ImportError> {
        let Some(entry) = self.store.view().entry(incident, number, None)? else {
            self.done.left += 1;
            return Ok(());
        };
        if entry.retracted.is_some() {
            match item.retracted {
                Some(_) => self.done.unchanged += 1,
                None => self.done.left += 1,
            }
            return Ok(());
        }
        let last = last_imported(&entry);
        let same = |(said_before, importance, known): (&Said, Importance, Option<When>)| {
            *said_before == said && importance == item.importance && (known == item.known || item.known.is_none())
        };
        let expects = vec![Expect::Unrevised {
            entry: incident.name(number),
            seen: entry.corrections.last().map_or(number, |last| last.number),
        }];
        if let Some(why) = &item.retracted {
            let retraction = Said::Retraction(Retraction { subject: Ref::Number(number), why: why.clone() });
            let set = vec![self.draft(random_key()?, Importance::Normal, None, retraction).into()];
            return self.hand_in(place, Does::Retract, set, expects);
        }
        if same((&entry.said, entry.importance, entry.known)) || last.is_some_and(same) {
            self.done.unchanged += 1;
            (self.progress)(&self.done, self.dossier.items.len());
            return Ok(());
        }
        let before = last.map_or(&entry.said, |(said, _, _)| said);
        let correction = Said::Correction(Correction {
            subject: Ref::Number(number),
            what: what_changed(before, &said),
            now: Box::new(said),
            level: Level::Correction,
            importance: (item.importance != entry.importance).then_some(item.importance),
            known: item.known.filter(|known| Some(*known) != entry.known),
        });
        let set = vec![self.draft(random_key()?, item.importance, None, correction).into()];
        self.hand_in(place, Does::Correct, set, expects)
    }

    fn draft(&self, key: Slug, importance: Importance, known: Option<When>, said: Said) -> Draft {
        let (incident, author) = (self.dossier.handle.clone(), self.author.clone());
        Draft { incident, author, key, importance, known, dossier: true, push: self.push, said }
    }

    fn hand_in(
        &mut self,
        place: usize,
        does: Does,
        said: Vec<Drafted>,
        expects: Vec<Expect>,
    ) -> Result<(), ImportError> {
        let pending = self.store.hand_in(Set { ask: None, expects, said, at: self.at });
        self.under_way.push_back((place, does, pending));
        self.wait(UNDER_WAY)
    }

    /// Waits until at most `left` sets are on their way.
    fn wait(&mut self, left: usize) -> Result<(), ImportError> {
        while self.under_way.len() > left
            && let Some((place, does, pending)) = self.under_way.pop_front()
        {
            let line = self.dossier.items[place].line;
            let receipt = pending.wait().map_err(|not_said| ImportError::Item { line, not_said })?;
            match does {
                Does::Record => {
                    self.numbers[place] = receipt.entries.first().map(|EntryName { number, .. }| *number);
                    self.done.recorded += 1;
                }
                Does::Correct => self.done.corrected += 1,
                Does::Retract => self.done.retracted += 1,
            }
            (self.progress)(&self.done, self.dossier.items.len());
        }
        Ok(())
    }
}

/// What a dossier last said of an entry: itself, or its newest correction out of a dossier.
fn last_imported(entry: &Entry) -> Option<(&Said, Importance, Option<When>)> {
    let first = entry.was.as_deref().unwrap_or(&entry.said);
    let mut last = entry.dossier.then_some((first, entry.first_importance, entry.first_known));
    for correction in entry.corrections.iter().filter(|correction| correction.dossier) {
        let (_, importance, known) = last.unwrap_or((first, entry.importance, entry.known));
        let to = &correction.to;
        last = Some((&to.now, to.importance.unwrap_or(importance), to.known.or(known)));
    }
    last
}

/// A name for an entry that nobody named.
pub fn random_key() -> Result<Slug, NotSaid> {
    let salt = crate::line::Salt::random().map_err(|error| NotSaid::Broke(error.to_string()))?;
    let key: String = std::iter::once('x').chain(salt.0.chars().take(11)).collect();
    key.parse().map_err(|_| NotSaid::Broke("a random key is no handle".to_owned()))
}

/// "text, sources": the fields that differ, in words.
fn what_changed(before: &Said, now: &Said) -> Prose {
    const FIELDS: &[(&str, Text)] = &[
        ("text", Text { en: "text", it: "testo" }),
        ("gist", Text { en: "text", it: "testo" }),
        ("sources", Text { en: "sources", it: "fonti" }),
        ("when", Text { en: "date", it: "data" }),
        ("date", Text { en: "date", it: "data" }),
        ("as_of", Text { en: "time of the finding", it: "momento della verifica" }),
        ("rival", Text { en: "differing source", it: "fonte divergente" }),
        ("speaker", Text { en: "speaker", it: "autore" }),
        ("capacity", Text { en: "capacity", it: "veste" }),
        ("published_by", Text { en: "publisher", it: "editore" }),
        ("publisher", Text { en: "publisher", it: "editore" }),
        ("quote", Text { en: "quotation", it: "citazione" }),
        ("promises", Text { en: "promised date", it: "data promessa" }),
        ("claims", Text { en: "claims", it: "affermazioni" }),
        ("label", Text { en: "what is counted", it: "che cosa si conta" }),
        ("value", Text { en: "value", it: "valore" }),
        ("title", Text { en: "title", it: "titolo" }),
        ("link", Text { en: "address", it: "indirizzo" }),
        ("archived", Text { en: "archived copy", it: "copia archiviata" }),
        ("name", Text { en: "name", it: "nome" }),
        ("roles", Text { en: "role", it: "ruolo" }),
        ("about", Text { en: "description", it: "descrizione" }),
        ("summary", Text { en: "summary", it: "sintesi" }),
        ("service", Text { en: "service", it: "servizio" }),
        ("disclosure", Text { en: "disclosure", it: "divulgazione" }),
    ];
    let (before, now) = (fields(before), fields(now));
    let changed: Vec<Text> =
        FIELDS.iter().filter(|(field, _)| before.get(*field) != now.get(*field)).map(|(_, words)| *words).collect();
    if changed.is_empty() {
        return Prose::ours(Text { en: "details", it: "dettagli" });
    }
    let list = |words: fn(&Text) -> &'static str| changed.iter().map(words).collect::<Vec<_>>().join(", ");
    let details = Text { en: "details", it: "dettagli" };
    let (en, it) = (format!("changed: {}", list(|text| text.en)), format!("modifiche: {}", list(|text| text.it)));
    Prose::both(en, it).unwrap_or_else(|_| Prose::ours(details))
}

/// The fields of what is said, as JSON.
fn fields(said: &Said) -> serde_json::Map<String, Value> {
    match serde_json::to_value(said) {
        Ok(Value::Object(kinds)) => match kinds.into_iter().next() {
            Some((_, Value::Object(fields))) => fields,
            _ => serde_json::Map::new(),
        },
        _ => serde_json::Map::new(),
    }
}
