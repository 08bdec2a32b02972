//! Lists: the timeline, the latest statements, the sources, the incidents, what was found.

use super::{Cites, PAGE, Page, Reader, frame, item::Show, moment, prose, tone};
use crate::{
    entry::{Kind, Said},
    lang::Text,
    pages::Turn,
    reply::{Block, Item, Line, Reply, Span},
    source::SourceKind,
    spoken,
    view::{Entry, Incident, View, Window},
    when::When,
};

/// What part of a timeline is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimelineAsk {
    /// From 1.
    pub page: usize,
    /// Leave out what lies before.
    pub from: Option<When>,
    /// Leave out what lies after.
    pub to: Option<When>,
    /// Only what was public at the end of it.
    pub as_of: Option<When>,
}

pub(super) const NO_SUCH_PAGE: Text =
    Text { en: "There is nothing on that page.", it: "In quella pagina non c'è nulla." };

/// Events and statements, newest first.
pub fn timeline(view: &View<'_>, incident: &Incident, ask: &TimelineAsk, reader: &Reader) -> Page<Reply> {
    let as_of = ask.as_of.and_then(|when| when.latest());
    let window =
        Window { from: ask.from.and_then(|when| when.earliest()), to: ask.to.and_then(|when| when.latest()), as_of };
    let skip = (ask.page - 1) * PAGE;
    let slice = view.timeline(incident, window, skip, PAGE)?;
    let mut cites = Cites::of_one_incident();
    let mut reply = heading(incident, reader.say("timeline", "cronologia"), reader);
    reply.tone = tone(view.status(incident, as_of)?.0);
    let shown = match (slice.total, slice.entries.len()) {
        (0, _) => reader.say("nothing recorded", "nulla di registrato").to_owned(),
        (total, 0) => reader.say(format!("{total} in all"), format!("{total} in tutto")),
        (total, here) => {
            let (first, last) = (skip + 1, skip + here);
            let of = if first == last { format!("{first}") } else { format!("{first}–{last}") };
            reader.say(format!("{of} of {total}, newest first"), format!("{of} di {total}, dalle più recenti"))
        }
    };
    let frame = frame(incident, as_of, reader);
    reply = reply.note(Line::new().text(format!("{shown} · ")).join(frame).join(span_of(ask, reader)));
    if slice.entries.is_empty() {
        reply = reply.say(nothing(slice.total, ask, reader));
    }
    let mut show = Show { view, incident, reader, as_of, cites: &mut cites };
    for entry in &slice.entries {
        let item = show.entry(entry)?;
        reply.blocks.push(Block::Item(item));
    }
    reply.sources = cites.finish();
    let text = |when: Option<When>| when.map(|when| when.to_string());
    let args = vec![("page", None), ("from", text(ask.from)), ("to", text(ask.to)), ("as_of", text(ask.as_of))];
    let turn = Turn { command: "timeline", incident: Some(incident), args, positional: true };
    let pages = slice.total.div_ceil(PAGE);
    Ok(turn.buttons(reply, ask.page, Some(pages), ask.page < pages, reader))
}

fn nothing(total: usize, ask: &TimelineAsk, reader: &Reader) -> Line {
    if total > 0 {
        return NO_SUCH_PAGE.get(reader.lang).into();
    }
    match ask.as_of {
        Some(_) => reader.say("Nothing was public yet.", "Non era ancora noto nulla.").into(),
        None => reader
            .say("There are no events or statements here yet.", "Non ci sono ancora eventi o dichiarazioni.")
            .into(),
    }
}

/// "from 8 December 2023 to 10 December 2023", if a part was asked for.
fn span_of(ask: &TimelineAsk, reader: &Reader) -> Line {
    let mut line = Line::new();
    for (when, en, it) in [(ask.from, "from", "da"), (ask.to, "to", "fino a")] {
        if let Some(when) = when {
            line = line.text(format!(" · {}: {}", reader.say(en, it), spoken::when(&when, reader.lang)));
        }
    }
    line
}

/// "Westpole · timeline".
fn heading(incident: &Incident, what: &str, reader: &Reader) -> Reply {
    Reply::titled(Line::new().strong(incident.opening.title.plain(reader.lang)).text(format!(" · {what}")))
}

/// Whose statements: who was asked for, in words, and whether an entry is theirs.
pub type By<'a> = (&'a str, &'a dyn Fn(&Entry) -> bool);

/// The latest statements; `by` is who is asked for, in words, with those it fits.
pub fn latest(view: &View<'_>, incident: &Incident, by: Option<By<'_>>, page: usize, reader: &Reader) -> Page<Reply> {
    let wanted = |entry: &Entry| by.is_none_or(|(_, wanted)| wanted(entry));
    let (entries, more) = view.statements(incident, (page - 1) * PAGE, PAGE, wanted)?;
    let mut cites = Cites::of_one_incident();
    let mut reply = heading(incident, reader.say("latest statements", "ultime dichiarazioni"), reader);
    reply = reply.note(frame(incident, None, reader));
    if entries.is_empty() {
        let who = by.map(|(who, _)| who);
        reply = reply.say(match (page, who) {
            (2.., _) => NO_SUCH_PAGE.get(reader.lang).to_owned(),
            (_, Some(who)) => reader
                .say(format!("No statement by {who} is recorded."), format!("Non risultano dichiarazioni di {who}.")),
            (_, None) => reader.say("No statement is recorded yet.", "Non ci sono ancora dichiarazioni.").to_owned(),
        });
    }
    let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
    for entry in &entries {
        let item = show.entry(entry)?;
        reply.blocks.push(Block::Item(item));
    }
    reply.sources = cites.finish();
    let args = vec![("by", by.map(|(who, _)| who.to_owned())), ("page", None)];
    Ok(Turn { command: "latest", incident: Some(incident), args, positional: false }
        .buttons(reply, page, None, more, reader))
}

/// How many sources a page shows.
const SOURCES: usize = 20;

/// Where it stands: the sources of an incident, by their numbers.
pub fn sources(
    view: &View<'_>,
    incident: &Incident,
    kind: Option<SourceKind>,
    page: usize,
    reader: &Reader,
) -> Page<Reply> {
    let mut all = view.of_kind(incident, Kind::Source, None)?;
    all.retain(|entry| matches!(&entry.said, Said::Source(source) if kind.is_none_or(|kind| kind == source.kind)));
    let mut reply = heading(incident, reader.say("sources", "fonti"), reader);
    let total = all.len();
    reply = reply.note(match (total, kind) {
        (1, None) => reader.say("1 source".to_owned(), "1 fonte".to_owned()),
        (_, None) => reader.say(format!("{total} sources"), format!("{total} fonti")),
        (_, Some(kind)) => format!("{}: {total}", kind.text().get(reader.lang)),
    });
    for entry in all.iter().skip((page - 1) * SOURCES).take(SOURCES) {
        reply.blocks.push(Block::Item(source_item(entry, reader)));
    }
    if reply.blocks.len() == 1 {
        reply = reply.say(match total {
            0 => reader.say("No such source is recorded yet.", "Non ci sono ancora fonti di questo tipo."),
            _ => NO_SUCH_PAGE.get(reader.lang),
        });
    }
    let pages = total.div_ceil(SOURCES);
    let args = vec![("kind", kind.map(|kind| kind.code().to_owned())), ("page", None)];
    let turn = Turn { command: "sources", incident: Some(incident), args, positional: true };
    Ok(turn.buttons(reply, page, Some(pages), page < pages, reader))
}

/// "[1] Edoardo Limone, 19 December 2023 · https://…", with its kind and note.
pub(super) fn source_item(entry: &Entry, reader: &Reader) -> Item {
    let Said::Source(source) = &entry.said else { return Item::default() };
    let head = Line::new().span(Span::Cite { number: entry.cite, link: source.link.clone() }).text(" ");
    let mut body = Line::new().soft(source.kind.text().get(reader.lang));
    if let Some(note) = &source.note {
        body = body.text(" · ").join(prose(note, reader));
    }
    let mut lines = vec![body.soft(format!(" · {}", entry.name))];
    if let Some(retracted) = &entry.retracted {
        lines.push(Line::new().strong(reader.say("Retracted: ", "Ritrattata: ")).join(prose(&retracted.why, reader)));
    }
    Item { head: head.join(super::in_full(source, entry, reader)), body: lines }
}

/// How many incidents a page shows.
const INCIDENTS: usize = 10;

/// The incidents, the one written in last first.
pub fn incidents(
    view: &View<'_>,
    mut all: Vec<Incident>,
    query: Option<&str>,
    page: usize,
    reader: &Reader,
) -> Page<Reply> {
    all.sort_by(|a, b| (b.last_at, &a.handle).cmp(&(a.last_at, &b.handle)));
    let total = all.len();
    let mut reply = Reply::titled(Line::new().strong(reader.say("Incidents", "Incidenti")));
    reply = reply.note(match (total, query) {
        (0, Some(query)) => {
            reader.say(format!("No incident fits “{query}”."), format!("Nessun incidente corrisponde a «{query}»."))
        }
        (0, None) => reader.say("No incident is recorded yet.", "Non ci sono ancora incidenti.").to_owned(),
        (1, _) => reader.say("1 incident", "1 incidente").to_owned(),
        _ => reader.say(format!("{total} incidents"), format!("{total} incidenti")),
    });
    for incident in all.iter().skip((page - 1) * INCIDENTS).take(INCIDENTS) {
        let (service, disclosure) = view.status(incident, None)?;
        let service =
            service.map(|it| format!("{}{}", reader.say("Service: ", "Servizio: "), it.text().get(reader.lang)));
        let disclosure =
            disclosure.map(|it| format!("{}{}", reader.say("Incident: ", "Incidente: "), it.text().get(reader.lang)));
        let states: Vec<String> = [service, disclosure].into_iter().flatten().collect();
        let head =
            Line::new().strong(incident.opening.title.plain(reader.lang)).soft(format!(" · {}", incident.handle));
        let mut line = Line::new();
        if !states.is_empty() {
            line = line.text(format!("{} · ", states.join(" · ")));
        }
        let entries = match incident.last {
            1 => reader.say("1 entry", "1 voce").to_owned(),
            last => reader.say(format!("{last} entries"), format!("{last} voci")),
        };
        let words = reader.say(", the last recorded ", ", l'ultima registrata il ");
        let zone = reader.zone_for(incident);
        line = line.text(entries).text(words).span(moment(incident.last_at, zone, reader));
        reply.blocks.push(Block::Item(Item { head, body: vec![line] }));
    }
    if reply.blocks.len() == 1 && total > 0 {
        reply = reply.say(NO_SUCH_PAGE.get(reader.lang));
    }
    let pages = total.div_ceil(INCIDENTS);
    let args = vec![("query", query.map(str::to_owned)), ("page", None)];
    Ok(Turn { command: "incidents", incident: None, args, positional: false }.buttons(
        reply,
        page,
        Some(pages),
        page < pages,
        reader,
    ))
}

/// Entries that hold the words, the newest recorded first.
pub fn search(view: &View<'_>, words: &str, incident: Option<&Incident>, page: usize, reader: &Reader) -> Page<Reply> {
    let each: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let (entries, more) = view.search(&each, incident, (page - 1) * PAGE, PAGE)?;
    let title = reader.say(format!("Entries with “{words}”"), format!("Voci con «{words}»"));
    let mut reply = Reply::titled(Line::new().strong(title));
    let single = entries.iter().all(|entry| entry.name.incident == entries[0].name.incident);
    let mut cites = if single { Cites::of_one_incident() } else { Cites::of_many() };
    if entries.is_empty() {
        reply = reply.say(match page {
            1 => reader.say("No entry holds all these words.", "Nessuna voce contiene tutte queste parole."),
            _ => NO_SUCH_PAGE.get(reader.lang),
        });
    }
    for entry in &entries {
        let of = match incident {
            Some(incident) => Some(incident.clone()),
            None => view.incident(entry.name.incident.as_str())?,
        };
        let Some(of) = of else { continue };
        let item = Show { view, incident: &of, reader, as_of: None, cites: &mut cites }.entry(entry)?;
        reply.blocks.push(Block::Item(item));
    }
    reply.sources = cites.finish();
    let within = incident.map(|incident| match incident.handle.as_str().len() {
        0..=12 => incident.handle.to_string(),
        _ => format!("@{}", incident.id),
    });
    let args = vec![("words", Some(words.to_owned())), ("incident", within), ("page", None)];
    Ok(Turn { command: "search", incident: None, args, positional: false }.buttons(reply, page, None, more, reader))
}
