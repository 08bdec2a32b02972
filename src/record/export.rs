//! Exports: the public record as lines that anyone can verify, as a dossier, or as a document.

use std::io::{self, Write};

use toml::Spanned;

use crate::{
    dossier::{
        self, ClaimTable, EventTable, FigureTable, IncidentTable, Key, OrganisationTable, SourceTable, Speaker,
        StatementTable, StatusTable,
    },
    entry::{Kind, Ref, Said},
    lang::Lang,
    pages::{self, Reader},
    party::Party,
    reply::{Block, Item, Line, Reply, Span},
    statement::Side,
    store::StateError,
    view::{Entry, Incident, View},
};

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// What was written could not be taken.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The dossier could not be written.
    #[error("{0}")]
    Toml(#[from] toml::ser::Error),
}

/// The headers and public bodies of every entry, incident by incident in the order of their handles: the same bytes for
/// the same record. docs/FORMAT.md says how to verify them.
pub fn jsonl(view: &View<'_>, incidents: &[Incident], out: &mut dyn Write) -> Result<(), ExportError> {
    for incident in incidents {
        for number in 1..=incident.last {
            if let Some(line) = view.exported((incident, number))? {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

/// The record as it reads now, as a dossier that can be imported.
pub fn toml(view: &View<'_>, incidents: &[Incident], out: &mut dyn Write) -> Result<(), ExportError> {
    let mut file = dossier::File::default();
    for incident in incidents {
        file.incident.push(here(table(view, incident)?));
    }
    out.write_all(toml::to_string(&file)?.as_bytes())?;
    Ok(())
}

fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn table(view: &View<'_>, incident: &Incident) -> Result<IncidentTable, StateError> {
    let opening = view.entry(incident, 1, None)?;
    let mut table = IncidentTable {
        handle: incident.handle.clone(),
        title: incident.opening.title.clone(),
        summary: incident.opening.summary.clone(),
        zone: incident.opening.zone,
        known: opening.as_ref().and_then(|entry| entry.known),
        importance: opening.map_or_else(Default::default, |entry| entry.importance),
        source: Vec::new(),
        organisation: Vec::new(),
        claim: Vec::new(),
        event: Vec::new(),
        statement: Vec::new(),
        figure: Vec::new(),
        status: Vec::new(),
    };
    let kinds =
        [Kind::Source, Kind::Organisation, Kind::Claim, Kind::Event, Kind::Statement, Kind::Figure, Kind::Status];
    for kind in kinds {
        for entry in view.of_kind(incident, kind, None)? {
            add(view, incident, entry, &mut table)?;
        }
    }
    Ok(table)
}

fn add(view: &View<'_>, incident: &Incident, entry: Entry, table: &mut IncidentTable) -> Result<(), StateError> {
    let key_of = |number: u32| -> Result<Option<Key>, StateError> {
        Ok(view.entry(incident, number, None)?.map(|entry| here(dossier_key(&entry))))
    };
    let keys = |refs: &[Ref]| -> Result<Vec<Key>, StateError> {
        let keys = refs.iter().filter_map(|it| it.number()).map(key_of);
        keys.filter_map(Result::transpose).collect()
    };
    let speaker = |party: Option<Party>| -> Option<Speaker> { party.map(here) };
    let Entry { key, importance, known, retracted, said, .. } = entry;
    let retracted = retracted.map(|it| it.why);
    match said {
        Said::Source(it) => {
            let (kind, publisher, title, date) = (it.kind, it.publisher, it.title, it.date);
            let (link, archived, note) = (it.link, it.archived, it.note);
            let row =
                SourceTable { key, kind, publisher, title, date, link, archived, note, importance, known, retracted };
            table.source.push(here(row));
        }
        Said::Organisation(it) => {
            let (handle, name, aliases, roles, about) = (it.handle, it.name, it.aliases, it.roles, it.about);
            let sources = keys(&it.sources)?;
            let row = OrganisationTable { handle, name, aliases, roles, about, sources, importance, known, retracted };
            table.organisation.push(here(row));
        }
        Said::Claim(it) => {
            let sources = keys(&it.sources)?;
            table.claim.push(here(ClaimTable { key, text: it.text, sources, importance, known, retracted }));
        }
        Said::Event(it) => {
            let rival = it.rival.and_then(Ref::number).map(key_of).transpose()?.flatten();
            let (when, as_of, text, sources) = (it.when, it.as_of, it.text, keys(&it.sources)?);
            table.event.push(here(EventTable { key, when, as_of, text, sources, rival, importance, known, retracted }));
        }
        Said::Statement(it) => {
            let side = |side: Side| -> Result<Vec<Key>, StateError> {
                let refs: Vec<Ref> = it.claims.iter().filter(|it| it.side == side).map(|it| it.claim).collect();
                keys(&refs)
            };
            let (r#for, against, takes_back) = (side(Side::For)?, side(Side::Against)?, side(Side::TakenBack)?);
            let sources = keys(&it.sources)?;
            let (speaker, published_by) = (speaker(it.speaker), speaker(it.published_by));
            let (capacity, date, as_of, gist, quote) = (it.capacity, it.date, it.as_of, it.gist, it.quote);
            let promises = it.promises;
            table.statement.push(here(StatementTable {
                key,
                speaker,
                capacity,
                published_by,
                date,
                as_of,
                gist,
                quote,
                promises,
                sources,
                r#for,
                against,
                takes_back,
                importance,
                known,
                retracted,
            }));
        }
        Said::Figure(it) => {
            let rival = it.rival.and_then(Ref::number).map(key_of).transpose()?.flatten();
            let (label, value, as_of, said_by) = (it.label, it.value, it.as_of, speaker(it.said_by));
            let sources = keys(&it.sources)?;
            let row = FigureTable { key, label, value, as_of, said_by, sources, rival, importance, known, retracted };
            table.figure.push(here(row));
        }
        Said::Status(it) => {
            let (when, service, disclosure, text, sources) =
                (it.when, it.service, it.disclosure, it.text, keys(&it.sources)?);
            let row = StatusTable { key, when, service, disclosure, text, sources, importance, known, retracted };
            table.status.push(here(row));
        }
        Said::Opening(_) | Said::Correction(_) | Said::Retraction(_) => {}
    }
    Ok(())
}

/// What a dossier calls an entry: organisations go by their handles.
fn dossier_key(entry: &Entry) -> String {
    match &entry.said {
        Said::Organisation(organisation) => organisation.handle.to_string(),
        _ => entry.key.to_string(),
    }
}

/// A document per incident, in Markdown (CommonMark), for reading and printing.
pub fn markdown(view: &View<'_>, incidents: &[Incident], lang: Lang, out: &mut dyn Write) -> Result<(), ExportError> {
    let reader = Reader { lang, zone: None };
    for incident in incidents {
        for (at, part) in pages::document(view, incident, &reader)?.iter().enumerate() {
            out.write_all(markdown_of(part, if at == 0 { 1 } else { 2 }).as_bytes())?;
        }
    }
    Ok(())
}

/// A reply in Markdown, its heading at a level.
pub fn markdown_of(reply: &Reply, level: usize) -> String {
    let mut text = format!("{} {}\n\n", "#".repeat(level), escaped(&reply.title.plain().replace('\n', " ")));
    for block in &reply.blocks {
        match block {
            Block::Heading(line) => text += &format!("{} {}\n\n", "#".repeat(level + 1), one_line(line)),
            Block::Text(line) | Block::Note(line) => text += &format!("{}\n\n", many_lines(line, "")),
            Block::Item(Item { head, body }) => {
                text += &format!("- {}\n", many_lines(head, "  "));
                for line in body {
                    text += &format!("\n  {}\n", many_lines(line, "  "));
                }
                text.push('\n');
            }
        }
    }
    for citation in &reply.sources {
        text += &format!("- \\[{}\\] {}\n", citation.number, many_lines(&citation.text, "  "));
    }
    text
}

fn one_line(line: &Line) -> String {
    many_lines(line, "").replace("\\\n", " ")
}

fn many_lines(line: &Line, indent: &str) -> String {
    let broken = |text: &str| escaped(text).replace('\n', &format!("\\\n{indent}"));
    let mut text = String::new();
    for span in &line.0 {
        text += &match span {
            Span::Text(words) | Span::Soft(words) => broken(words),
            Span::Strong(words) => around("**", &broken(words)),
            Span::Struck(words) => around("~~", &broken(words)),
            Span::Code(words) => broken(words),
            Span::Time { text, .. } => around("**", &broken(text)),
            Span::Cite { number, link: Some(link) } => format!("[\\[{number}\\]](<{}>)", address(link.as_str())),
            Span::Cite { number, link: None } => format!("\\[{number}\\]"),
            Span::Link { text, link } => format!("[{}](<{}>)", broken(text), address(link.as_str())),
        };
    }
    text
}

/// Marks around words, not around the blanks at their ends, where CommonMark would not see them.
fn around(mark: &str, words: &str) -> String {
    let inner = words.trim();
    match words.split_once(inner) {
        Some((before, after)) if !inner.is_empty() => format!("{before}{mark}{inner}{mark}{after}"),
        _ => words.to_owned(),
    }
}

/// Text of the record is text: nothing in it is markup, neither within a line nor at the beginning of one.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            safe.push('\n');
        }
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        for (place, letter) in line.char_indices() {
            let begins = place == 0 && "#+-=".contains(letter);
            let numbers = place == digits && place > 0 && ".)".contains(letter);
            match letter {
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' => safe.extend(['\\', letter]),
                letter if begins || numbers => safe.extend(['\\', letter]),
                control if control.is_control() => safe.push(' '),
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                other => safe.push(other),
            }
        }
    }
    safe
}

fn address(link: &str) -> String {
    link.replace('<', "%3C").replace('>', "%3E").replace('\\', "%5C")
}
