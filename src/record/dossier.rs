//! Dossiers: incidents written by hand in TOML, strict about every key, reference and date.
//!
//! docs/DOSSIER.md describes the format for those who write one. A file holds one or more `[[incident]]`, each with
//! `[[incident.source]]`, `[[incident.organisation]]`, `[[incident.claim]]`, `[[incident.event]]`,
//! `[[incident.statement]]`, `[[incident.figure]]` and `[[incident.status]]`. Things refer to one another by `key`
//! (organisations by `handle`).

use std::{collections::HashMap, fmt, ops::Range};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    claim::Claim,
    entry::{Disclosure, Event, Figure, Importance, Kind, Opening, Ref, Said, Service, Status},
    lang::{Prose, is_blank},
    link::Link,
    party::{Capacity, Organisation, Party, Role},
    slug::Slug,
    source::{Source, SourceKind},
    statement::{Quote, Side, Stance, Statement},
    when::When,
};

/// The largest dossier that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// The longest name, title or publisher, in characters.
pub const MAX_NAME: usize = 300;

/// The longest texts of one item together, in bytes: with all the rest it must fit in a line of the journal.
const MAX_ITEM: usize = 48 << 10;

/// The key of an incident's opening, which no other item may have.
pub const OPENING: &str = "opening";

/// What is wrong with a dossier, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; none if it concerns the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for Fault {}

/// An incident of a dossier, checked: its items in the order in which they can be recorded.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The incident.
    pub handle: Slug,
    /// Its items, the opening first; an item refers only to items before it.
    pub items: Vec<Item>,
}

/// One entry of a dossier. References are places in [`Dossier::items`] ([`Ref::Here`]).
#[derive(Clone, Debug)]
pub struct Item {
    /// Its key.
    pub key: Slug,
    /// How much it matters.
    pub importance: Importance,
    /// When it became public, if that is said.
    pub known: Option<When>,
    /// Why it is taken back, if it is.
    pub retracted: Option<Prose>,
    /// What it says.
    pub said: Said,
    /// The line it begins on.
    pub line: usize,
}

/// A dossier file as it is written; also what `export --format toml` prints.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its incidents.
    #[serde(default)]
    pub incident: Vec<Spanned<IncidentTable>>,
}

/// `[[incident]]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentTable {
    /// `[a-z0-9][a-z0-9-]{0,31}`.
    pub handle: Slug,
    /// What it is called.
    pub title: Prose,
    /// What happened, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Prose>,
    /// The zone of its clock times (IANA).
    pub zone: Tz,
    /// See [`Common`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<When>,
    /// See [`Common`].
    #[serde(default, skip_serializing_if = "is_normal")]
    pub importance: Importance,
    /// `[[incident.source]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<Spanned<SourceTable>>,
    /// `[[incident.organisation]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisation: Vec<Spanned<OrganisationTable>>,
    /// `[[incident.claim]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claim: Vec<Spanned<ClaimTable>>,
    /// `[[incident.event]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event: Vec<Spanned<EventTable>>,
    /// `[[incident.statement]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement: Vec<Spanned<StatementTable>>,
    /// `[[incident.figure]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figure: Vec<Spanned<FigureTable>>,
    /// `[[incident.status]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<Spanned<StatusTable>>,
}

/// Defines the table of one kind of item: its own keys, and those that every item may have.
macro_rules! tables {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty $(= $skip:literal)?,)* })+) => {$(
        $(#[$about])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* $(#[serde(default, skip_serializing_if = $skip)])? pub $field: $type,)*
            /// How much it matters; `normal` if left out.
            #[serde(default, skip_serializing_if = "is_normal")]
            pub importance: Importance,
            /// When it became public; worked out if left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub known: Option<When>,
            /// Why it is taken back, if it is.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub retracted: Option<Prose>,
        }
    )+};
}

/// A reference to another item, by its key.
pub type Key = Spanned<String>;

tables! {
    /// `[[incident.source]]`.
    SourceTable {
        /// Its key.
        key: Slug,
        /// What it is.
        kind: SourceKind,
        /// Who published it.
        publisher: String,
        /// Its title, as published.
        title: Option<String> = "Option::is_none",
        /// When it was published.
        date: Option<When> = "Option::is_none",
        /// Its address.
        link: Option<Link> = "Option::is_none",
        /// A copy that survives it.
        archived: Option<Link> = "Option::is_none",
        /// What else is to be known.
        note: Option<Prose> = "Option::is_none",
    }
    /// `[[incident.organisation]]`.
    OrganisationTable {
        /// Its handle, the same in every incident.
        handle: Slug,
        /// Its name.
        name: String,
        /// Other names.
        aliases: Vec<String> = "Vec::is_empty",
        /// Its roles, the most telling first.
        roles: Vec<Role>,
        /// What is to be known of it here.
        about: Option<Prose> = "Option::is_none",
        /// Who says so.
        sources: Vec<Key> = "Vec::is_empty",
    }
    /// `[[incident.claim]]`.
    ClaimTable {
        /// Its key.
        key: Slug,
        /// The claim in one sentence.
        text: Prose,
        /// Where it can be read.
        sources: Vec<Key> = "Vec::is_empty",
    }
    /// `[[incident.event]]`.
    EventTable {
        /// Its key.
        key: Slug,
        /// When it happened.
        when: When,
        /// Up to when was looked.
        as_of: Option<When> = "Option::is_none",
        /// What happened.
        text: Prose,
        /// Who says so.
        sources: Vec<Key> = "Vec::is_empty",
        /// Another event that says the same thing otherwise.
        rival: Option<Key> = "Option::is_none",
    }
    /// `[[incident.statement]]`.
    StatementTable {
        /// Its key.
        key: Slug,
        /// An organisation's handle, or `{ name = "…" }`; left out for unnamed sources.
        speaker: Option<Speaker> = "Option::is_none",
        /// In what capacity.
        capacity: Capacity,
        /// Who published it, where that is not the speaker.
        published_by: Option<Speaker> = "Option::is_none",
        /// When it was published.
        date: When,
        /// Up to when it looked.
        as_of: Option<When> = "Option::is_none",
        /// What it says, in our words.
        gist: Prose,
        /// A short quotation.
        quote: Option<Quote> = "Option::is_none",
        /// By when it promises an update.
        promises: Option<When> = "Option::is_none",
        /// Where it can be read.
        sources: Vec<Key> = "Vec::is_empty",
        /// Claims it speaks for.
        r#for: Vec<Key> = "Vec::is_empty",
        /// Claims it speaks against.
        against: Vec<Key> = "Vec::is_empty",
        /// Claims for which it takes back what the speaker had said.
        takes_back: Vec<Key> = "Vec::is_empty",
    }
    /// `[[incident.figure]]`.
    FigureTable {
        /// Its key.
        key: Slug,
        /// What is counted.
        label: Prose,
        /// How many.
        value: Prose,
        /// At what time.
        as_of: Option<When> = "Option::is_none",
        /// Who says so, beyond those who published it.
        said_by: Option<Speaker> = "Option::is_none",
        /// Where it can be read.
        sources: Vec<Key> = "Vec::is_empty",
        /// Another figure for the same thing.
        rival: Option<Key> = "Option::is_none",
    }
    /// `[[incident.status]]`.
    StatusTable {
        /// Its key.
        key: Slug,
        /// Since when.
        when: When,
        /// Of the service.
        service: Option<Service> = "Option::is_none",
        /// Of disclosure.
        disclosure: Option<Disclosure> = "Option::is_none",
        /// In words.
        text: Option<Prose> = "Option::is_none",
        /// Who says so.
        sources: Vec<Key> = "Vec::is_empty",
    }
}

/// Somebody who speaks: an organisation of the incident by its handle, or a name.
pub type Speaker = Spanned<Party>;

fn is_normal(importance: &Importance) -> bool {
    *importance == Importance::Normal
}

/// Reads a dossier file; every fault is told with its line.
pub fn read(text: &str) -> Result<Vec<Dossier>, Fault> {
    if text.len() > MAX_BYTES {
        return Err(Fault { line: None, what: format!("a dossier must not be larger than {} MiB", MAX_BYTES >> 20) });
    }
    let lines = LineIndex::of(text);
    let file: File = toml::from_str(text).map_err(|error| Fault {
        line: error.span().map(|span| lines.line(span.start)),
        what: explained(error.message()),
    })?;
    if file.incident.is_empty() {
        return Err(Fault { line: None, what: "there is no [[incident]] in it".to_owned() });
    }
    let mut dossiers: Vec<Dossier> = Vec::new();
    for table in file.incident {
        let at = lines.line(table.span().start);
        let dossier = Reader {
            lines: &lines,
            at,
            items: Vec::new(),
            keys: HashMap::new(),
            members: HashMap::new(),
            zone: Tz::UTC,
        }
        .incident(table.into_inner())?;
        if dossiers.iter().any(|other| other.handle == dossier.handle) {
            return Err(Fault { line: Some(at), what: format!("the incident {} is there twice", dossier.handle) });
        }
        dossiers.push(dossier);
    }
    Ok(dossiers)
}

/// The parser's words, in one line, with a hint where they puzzle people.
fn explained(message: &str) -> String {
    let message = message.trim().replace('\n', ", ");
    match message.as_str() {
        "invalid type: map, expected a string" => format!("{message} (dates stand in \"quotation marks\")"),
        _ => message,
    }
}

/// Where lines begin, to turn a place into a line number.
struct LineIndex(Vec<usize>);

impl LineIndex {
    fn of(text: &str) -> LineIndex {
        LineIndex(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

/// Reads one incident: gives keys their places, turns references into places, checks dates against the zone.
struct Reader<'a> {
    lines: &'a LineIndex,
    at: usize,
    items: Vec<Item>,
    keys: HashMap<Slug, (usize, Kind)>,
    members: HashMap<Slug, usize>,
    zone: Tz,
}

/// What every item may have beside its own keys.
struct Common {
    key: Slug,
    importance: Importance,
    known: Option<When>,
    retracted: Option<Prose>,
    line: usize,
}

macro_rules! common {
    ($table:ident, $span:expr, $lines:expr) => {
        Common {
            key: $table.key.clone(),
            importance: $table.importance,
            known: $table.known,
            retracted: $table.retracted.clone(),
            line: $lines.line($span.start),
        }
    };
}

impl Reader<'_> {
    fn incident(mut self, table: IncidentTable) -> Result<Dossier, Fault> {
        self.zone = table.zone;
        let opening = Opening { title: table.title, summary: table.summary, zone: table.zone };
        let key = OPENING.parse().map_err(|_| self.fault(self.at, "an incident's opening has no key"))?;
        let common = Common { key, importance: table.importance, known: table.known, retracted: None, line: self.at };
        self.add(common, Said::Opening(opening))?;
        for table in table.source {
            self.source(table)?;
        }
        for table in table.organisation {
            self.organisation(table)?;
        }
        for table in table.claim {
            let (span, table) = (table.span(), table.into_inner());
            let sources = self.refs(&table.sources, Kind::Source)?;
            self.add(common!(table, span, self.lines), Said::Claim(Claim { text: table.text, sources }))?;
        }
        let (first, rivals): (Vec<_>, Vec<_>) = table.event.into_iter().partition(|it| it.get_ref().rival.is_none());
        for table in first.into_iter().chain(rivals) {
            self.event(table)?;
        }
        for table in table.statement {
            self.statement(table)?;
        }
        let (first, rivals): (Vec<_>, Vec<_>) = table.figure.into_iter().partition(|it| it.get_ref().rival.is_none());
        for table in first.into_iter().chain(rivals) {
            self.figure(table)?;
        }
        for table in table.status {
            self.status(table)?;
        }
        Ok(Dossier { handle: table.handle, items: self.items })
    }

    fn source(&mut self, table: Spanned<SourceTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let common = common!(table, span, self.lines);
        let SourceTable { kind, publisher, title, date, link, archived, note, .. } = table;
        self.named(common.line, "publisher", &publisher)?;
        if let Some(title) = &title {
            self.named(common.line, "title", title)?;
        }
        self.add(common, Said::Source(Source { kind, publisher, title, date, link, archived, note }))
    }

    fn organisation(&mut self, table: Spanned<OrganisationTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let line = self.lines.line(span.start);
        let OrganisationTable { handle, name, aliases, roles, about, importance, known, retracted, sources } = table;
        self.named(line, "name", &name)?;
        if roles.is_empty() {
            return Err(self.fault(line, "an organisation needs at least one role"));
        }
        for alias in &aliases {
            self.named(line, "alias", alias)?;
        }
        if aliases.len() > 20 {
            return Err(self.fault(line, "an organisation has at most 20 aliases"));
        }
        let sources = self.refs(&sources, Kind::Source)?;
        self.members.insert(handle.clone(), line);
        let common = Common { key: handle.clone(), importance, known, retracted, line };
        self.add(common, Said::Organisation(Organisation { handle, name, aliases, roles, about, sources }))
    }

    fn event(&mut self, table: Spanned<EventTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let common = common!(table, span, self.lines);
        let sources = self.refs(&table.sources, Kind::Source)?;
        let rival = self.rival(table.rival.as_ref(), Kind::Event)?;
        let EventTable { when, as_of, text, .. } = table;
        self.add(common, Said::Event(Event { when, as_of, text, sources, rival }))
    }

    fn statement(&mut self, table: Spanned<StatementTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let common = common!(table, span, self.lines);
        let sources = self.refs(&table.sources, Kind::Source)?;
        let mut claims: Vec<Stance> = Vec::new();
        let sides = [(&table.r#for, Side::For), (&table.against, Side::Against), (&table.takes_back, Side::TakenBack)];
        for (keys, side) in sides {
            for (key, claim) in keys.iter().zip(self.refs(keys, Kind::Claim)?) {
                if claims.iter().any(|stance| stance.claim == claim) {
                    let line = self.lines.line(key.span().start);
                    return Err(self.fault(line, &format!("the statement takes two sides on \"{}\"", key.get_ref())));
                }
                claims.push(Stance { claim, side });
            }
        }
        let speaker = self.party(table.speaker)?;
        let published_by = self.party(table.published_by)?;
        if speaker.is_none() != (table.capacity == Capacity::Unnamed) {
            return Err(self.fault(common.line, "a statement has a speaker, or the capacity \"unnamed\""));
        }
        if let Some(quote) = &table.quote {
            self.named(common.line, "quotation's language", &quote.lang)?;
        }
        if table.quote.as_ref().is_some_and(|quote| quote.text.chars().count() > Quote::MAX_CHARS) {
            return Err(self.fault(common.line, &format!("a quotation has at most {} characters", Quote::MAX_CHARS)));
        }
        if table.promises.is_some_and(|by| by.latest().is_none()) {
            return Err(self.fault(common.line, "what is promised is promised by some time: \"promises\" has an end"));
        }
        let StatementTable { capacity, date, as_of, gist, quote, promises, .. } = table;
        let statement =
            Statement { speaker, capacity, published_by, date, as_of, gist, quote, promises, sources, claims };
        self.add(common, Said::Statement(statement))
    }

    fn figure(&mut self, table: Spanned<FigureTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let common = common!(table, span, self.lines);
        let sources = self.refs(&table.sources, Kind::Source)?;
        let rival = self.rival(table.rival.as_ref(), Kind::Figure)?;
        let said_by = self.party(table.said_by)?;
        let FigureTable { label, value, as_of, .. } = table;
        self.add(common, Said::Figure(Figure { label, value, as_of, said_by, sources, rival }))
    }

    fn status(&mut self, table: Spanned<StatusTable>) -> Result<(), Fault> {
        let (span, table) = (table.span(), table.into_inner());
        let common = common!(table, span, self.lines);
        if table.service.is_none() && table.disclosure.is_none() {
            return Err(self.fault(common.line, "a status names the service's state, the disclosure's, or both"));
        }
        let sources = self.refs(&table.sources, Kind::Source)?;
        let StatusTable { when, service, disclosure, text, .. } = table;
        self.add(common, Said::Status(Status { when, service, disclosure, text, sources }))
    }

    fn add(&mut self, common: Common, said: Said) -> Result<(), Fault> {
        let Common { key, importance, known, retracted, line } = common;
        for when in said.dates().into_iter().chain(&known) {
            when.check(self.zone).map_err(|error| self.fault(line, &error.to_string()))?;
        }
        if said.texts().into_iter().chain(&retracted).flat_map(Prose::iter).any(|(_, words)| is_blank(words)) {
            return Err(self.fault(line, "a text must not be empty"));
        }
        let long = said.texts().iter().flat_map(|text| text.iter()).map(|(_, words)| words.len()).sum::<usize>();
        if long > MAX_ITEM {
            return Err(
                self.fault(line, &format!("the texts of one item must not be longer than {MAX_ITEM} bytes together"))
            );
        }
        if self.keys.insert(key.clone(), (self.items.len(), said.kind())).is_some() {
            let what = match key.as_str() {
                OPENING => format!("the key \"{OPENING}\" belongs to the incident itself"),
                _ => format!("the key \"{key}\" is there twice"),
            };
            return Err(self.fault(line, &what));
        }
        self.items.push(Item { key, importance, known, retracted, said, line });
        Ok(())
    }

    fn refs(&self, keys: &[Key], kind: Kind) -> Result<Vec<Ref>, Fault> {
        let mut refs = Vec::new();
        for key in keys {
            let found = self.one_ref(key.get_ref(), key.span(), kind)?;
            if refs.contains(&found) {
                let line = self.lines.line(key.span().start);
                return Err(self.fault(line, &format!("\"{}\" is named twice", key.get_ref())));
            }
            refs.push(found);
        }
        Ok(refs)
    }

    fn rival(&self, key: Option<&Key>, kind: Kind) -> Result<Option<Ref>, Fault> {
        key.map(|key| self.one_ref(key.get_ref(), key.span(), kind)).transpose()
    }

    fn one_ref(&self, key: &str, span: Range<usize>, kind: Kind) -> Result<Ref, Fault> {
        match self.keys.get(key) {
            Some((place, found)) if *found == kind => Ok(Ref::Here(*place)),
            Some((_, found)) => {
                let what =
                    format!("\"{key}\" is a key of kind {}; here one of kind {} is needed", found.code(), kind.code());
                Err(self.fault(self.lines.line(span.start), &what))
            }
            None => {
                let what = format!("no {} before this one has the key \"{key}\"", kind.code());
                Err(self.fault(self.lines.line(span.start), &what))
            }
        }
    }

    fn party(&self, speaker: Option<Speaker>) -> Result<Option<Party>, Fault> {
        let Some(speaker) = speaker else { return Ok(None) };
        let line = self.lines.line(speaker.span().start);
        match speaker.into_inner() {
            Party::Organisation(handle) if !self.members.contains_key(&handle) => {
                let what =
                    format!("no organisation has the handle \"{handle}\" (a mere name is written {{ name = \"…\" }})");
                Err(self.fault(line, &what))
            }
            Party::Named(named) => {
                self.named(line, "name", &named.name)?;
                Ok(Some(Party::Named(named)))
            }
            organisation => Ok(Some(organisation)),
        }
    }

    fn named(&self, line: usize, what: &str, name: &str) -> Result<(), Fault> {
        if name.chars().any(char::is_control) {
            return Err(self.fault(line, &format!("a {what} is one line of text, without control characters")));
        }
        if is_blank(name) || name.chars().count() > MAX_NAME {
            return Err(self.fault(line, &format!("a {what} has 1 to {MAX_NAME} characters")));
        }
        Ok(())
    }

    fn fault(&self, line: usize, what: &str) -> Fault {
        Fault { line: Some(line), what: what.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"Europe/Rome\"\n\
        [[incident.source]]\nkey = \"s\"\nkind = \"press\"\npublisher = \"P\"\n\
        [[incident.event]]\nkey = \"e\"\nwhen = \"2024-01-01T05:00~\"\ntext = { en = \"E\" }\nsources = [\"s\"]\n";

    fn fault(change: (&str, &str)) -> String {
        assert!(GOOD.contains(change.0), "{}", change.0);
        read(&GOOD.replace(change.0, change.1)).expect_err(change.1).to_string()
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        assert_eq!(read(GOOD).expect("a good dossier")[0].items.len(), 3);
        assert_eq!(
            fault(("sources = [\"s\"]", "sources = [\"t\"]")),
            "line 13: no source before this one has the key \"t\""
        );
        assert_eq!(
            fault(("sources = [\"s\"]", "sources = [\"e\"]")),
            "line 13: no source before this one has the key \"e\""
        );
        assert_eq!(fault(("sources = [\"s\"]", "sources = [\"s\", \"s\"]")), "line 13: \"s\" is named twice");
        assert_eq!(fault(("key = \"e\"", "key = \"s\"")), "line 9: the key \"s\" is there twice");
        assert_eq!(
            fault(("key = \"e\"", "key = \"opening\"")),
            "line 9: the key \"opening\" belongs to the incident itself"
        );
        assert!(fault(("key = \"e\"", "key = \"e\"\nnonsense = 1")).starts_with("line 11: unknown field `nonsense`"));
        assert!(fault(("\"2024-01-01T05:00~\"", "2024-01-01")).ends_with("(dates stand in \"quotation marks\")"));
        assert!(fault(("2024-01-01T05:00~", "2024-02-30")).starts_with("line 11: there is no 2024-02-30"));
        assert!(fault(("\"P\"", "\" \"")).contains("a publisher has 1 to 300 characters"));
        assert_eq!(fault(("\"E\"", "\"\\u200b\\u2060 \"")), "line 9: a text must not be empty");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            prop_assert!(read(&text).is_err());
        }

        #[test]
        fn no_mangled_dossier_panics(at in 0..GOOD.len(), with in "[\\[\\]={}\"a-z0-9.\n-]{0,6}", drop in 0usize..20) {
            let end = (at + drop).min(GOOD.len());
            let _ = read(&format!("{}{with}{}", &GOOD[..at], &GOOD[end..]));
        }
    }
}
