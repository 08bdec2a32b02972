//! Something known → a reply: one page for command, push, web and feed.

mod affected;
mod claims;
mod delivery;
mod difference;
mod follows;
mod history;
mod incident;
mod item;
mod lists;
mod news;
mod notice;
mod silence;
mod turn;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use affected::affected;
pub use claims::claims;
pub use delivery::{Deliveries, deliveries};
pub use follows::{clock, filters, followed, in_trouble, plural, promise, subscriptions, until};
pub use history::{changes, history};
pub use incident::{document, incident, organisation};
pub use item::entry_item;
pub use lists::{By, TimelineAsk, incidents, latest, search, sources, timeline};
pub use news::news_line;
pub use notice::{How, catch_up, clipped, correction, notice, preview};
pub use silence::{lapse, lapsed};
pub use turn::{Turn, quoted};

use crate::{
    entry::{Said, Service},
    lang::{Lang, Prose, Text},
    party::{Capacity, Party},
    reply::{Citation, Line, Span, Tone},
    source::Source,
    spoken,
    statement::Statement,
    store::StateError,
    view::{AsOf, Entry, Incident, View},
    when::When,
};

/// How many events and statements a page shows.
pub const PAGE: usize = 8;

/// The name of an incident whose opening was erased.
pub const UNTITLED: Text = Text { en: "untitled", it: "senza titolo" };

/// Who reads: in which language, and on whose clock.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The language.
    pub lang: Lang,
    /// The zone they chose; none for each incident's own.
    pub zone: Option<Tz>,
}

impl Reader {
    /// One of two sentences.
    pub fn say<T>(&self, en: T, it: T) -> T {
        self.lang.pick(en, it)
    }

    /// The zone in which clock times of an incident are shown.
    pub fn zone_for(&self, incident: &Incident) -> Tz {
        self.zone.unwrap_or(incident.zone())
    }
}

/// What can be read, or could not be: ours to mend.
pub type Page<T> = Result<T, StateError>;

/// The sources cited on a page, numbered: in a page about one incident, by the source's place in that incident; in
/// others, in the order in which they come.
pub(crate) struct Cites {
    own: bool,
    seen: BTreeMap<u32, (Line, (String, u32))>,
}

impl Cites {
    pub fn of_one_incident() -> Cites {
        Cites { own: true, seen: BTreeMap::new() }
    }

    pub fn of_many() -> Cites {
        Cites { own: false, seen: BTreeMap::new() }
    }

    /// `[1] [4]`, each once remembered for the foot of the page.
    pub fn cite(&mut self, sources: &[Entry], reader: &Reader) -> Line {
        let mut line = Line::new();
        for entry in sources {
            let Said::Source(source) = &entry.said else { continue };
            let number = self.number(entry);
            let text = || (in_full(source, entry, reader), (entry.name.incident.to_string(), entry.name.number));
            self.seen.entry(number).or_insert_with(text);
            line = line.text(" ").span(Span::Cite { number, link: source.link.clone() });
        }
        line
    }

    fn number(&self, entry: &Entry) -> u32 {
        if self.own {
            return entry.cite;
        }
        let name = (entry.name.incident.to_string(), entry.name.number);
        let known = self.seen.iter().find(|(_, (_, of))| *of == name).map(|(number, _)| *number);
        known.unwrap_or_else(|| self.seen.last_key_value().map_or(1, |(last, _)| last + 1))
    }

    pub fn finish(self) -> Vec<Citation> {
        self.seen.into_iter().map(|(number, (text, _))| Citation { number, text }).collect()
    }
}

/// A source in full: publisher, title, date, address or that none is known, archived copy.
pub(crate) fn in_full(source: &Source, entry: &Entry, reader: &Reader) -> Line {
    let mut line = Line::new();
    line = match entry.retracted {
        Some(_) => line.struck(&source.publisher).text(reader.say(" (retracted)", " (ritrattata)")),
        None => line.text(&source.publisher),
    };
    if let Some(title) = &source.title {
        line = line.text(reader.say(format!(", “{title}”"), format!(", «{title}»")));
    }
    line = line.text(match &source.date {
        Some(date) => format!(", {}", spoken::when(date, reader.lang)),
        None => reader.say(", undated", ", senza data").to_owned(),
    });
    line = line.text(" · ");
    line = match &source.link {
        Some(link) => line.span(Span::Link { text: link.to_string(), link: link.clone() }),
        None => line.soft(reader.say("address unknown", "indirizzo non noto")),
    };
    if let Some(archived) = &source.archived {
        let text = reader.say("archived copy", "copia archiviata").to_owned();
        line = line.text(" · ").span(Span::Link { text, link: archived.clone() });
    }
    line
}

/// A text of the record, in the reader's language or marked as not.
pub(crate) fn prose(text: &Prose, reader: &Reader) -> Line {
    let (words, other) = text.read(reader.lang);
    Line::new().text(words).join(foreign(other, reader))
}

/// The mark behind a text that is not in the reader's language.
fn foreign(other: Option<Lang>, reader: &Reader) -> Line {
    match other {
        None => Line::new(),
        Some(Lang::En) => Line::new().soft(reader.say(" (in English)", " (in inglese)")),
        Some(Lang::It) => Line::new().soft(reader.say(" (in Italian)", " (in italiano)")),
    }
}

/// A date in words; an instant where it is known to the minute.
pub(crate) fn time(when: &When, incident: &Incident, reader: &Reader) -> Span {
    let text = spoken::when(&when.in_zone(incident.zone(), reader.zone_for(incident)), reader.lang);
    match when.instant(incident.zone()) {
        Some(at) => Span::Time { text, at: at.timestamp() },
        None => Span::Text(text),
    }
}

/// A moment of ours, on the reader's clock.
pub fn moment_of(at: DateTime<Utc>, reader: &Reader) -> Span {
    moment(at, clock(reader), reader)
}

/// A moment of ours in words.
pub(crate) fn moment(at: DateTime<Utc>, zone: Tz, reader: &Reader) -> Span {
    let local = When::minute(at.with_timezone(&zone).naive_local());
    Span::Time { text: spoken::when(&local, reader.lang), at: at.timestamp() }
}

/// Whose name a party has, as people read it.
pub(crate) fn party(view: &View<'_>, incident: &Incident, party: &Party) -> Page<String> {
    Ok(match party {
        Party::Named(named) => named.name.clone(),
        Party::Organisation(handle) => match view.member(incident, handle)? {
            Some((organisation, _)) => organisation.name,
            None => handle.to_string(),
        },
    })
}

/// Who speaks: the name, or that the sources are not named.
pub(crate) fn speaker(
    view: &View<'_>,
    incident: &Incident,
    who: Option<&Party>,
    capacity: Capacity,
    reader: &Reader,
) -> Page<String> {
    match who {
        Some(who) => party(view, incident, who),
        None => {
            let text = capacity.text().get(reader.lang);
            let mut letters = text.chars();
            Ok(letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect()))
        }
    }
}

/// " (victim)": in what capacity somebody speaks who is named, where that says anything.
pub(crate) fn in_capacity(statement: &Statement, reader: &Reader) -> String {
    match (&statement.speaker, statement.capacity) {
        (None, _) | (_, Capacity::Other) => String::new(),
        (Some(_), capacity) => format!(" ({})", capacity.text().get(reader.lang)),
    }
}

/// How an incident feels, from the state of its service.
pub(crate) fn tone(service: Option<Service>) -> Tone {
    match service {
        None => Tone::Plain,
        Some(Service::Investigating | Service::Identified) => Tone::Alarm,
        Some(Service::Monitoring) => Tone::Watch,
        Some(Service::Resolved) => Tone::Good,
    }
}

/// A zone as people call it: the database's "Etc/GMT-2" is two hours ahead, which everybody else writes "UTC+2".
pub fn zone_name(zone: Tz) -> String {
    match zone.name().strip_prefix("Etc/GMT") {
        Some(rest) if rest.starts_with('-') => format!("UTC+{}", &rest[1..]),
        Some(rest) if rest.starts_with('+') => format!("UTC-{}", &rest[1..]),
        _ => zone.name().to_owned(),
    }
}

/// "times in Europe/Rome", and as of when.
pub(crate) fn frame(incident: &Incident, as_of: AsOf, reader: &Reader) -> Line {
    let zone = zone_name(reader.zone_for(incident));
    let mut line = Line::new().text(reader.say(format!("times in {zone}"), format!("orari di {zone}")));
    if let Some(last) = as_of {
        let until = spoken::end_of(last, reader.lang);
        let words = reader.say(format!(" · as known {until}"), format!(" · come era noto {until}"));
        line = line.text(words).text(format!(" ({})", incident.zone()));
    }
    line
}
