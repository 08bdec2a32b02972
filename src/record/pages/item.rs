//! One entry as it stands in a list.

use super::{Cites, Page, Reader, foreign, moment, party, prose, speaker, time};
use crate::{
    entry::{Event, Figure, Importance, Said},
    lang::Prose,
    reply::{Item, Line, Span},
    statement::{Side, Statement},
    view::{AsOf, Entry, Incident, View},
};

/// Everything that is needed to show an entry.
pub(super) struct Show<'a, 'v> {
    pub view: &'a View<'v>,
    pub incident: &'a Incident,
    pub reader: &'a Reader,
    pub as_of: AsOf,
    pub cites: &'a mut Cites,
}

/// An entry by itself, with its sources: for posts and for looking one up.
pub fn entry_item(
    view: &View<'_>,
    incident: &Incident,
    entry: &Entry,
    reader: &Reader,
) -> Page<(Item, Vec<crate::reply::Citation>)> {
    let mut cites = Cites::of_one_incident();
    let item = Show { view, incident, reader, as_of: None, cites: &mut cites }.entry(entry)?;
    Ok((item, cites.finish()))
}

impl Show<'_, '_> {
    /// The item for an entry of any kind.
    pub fn entry(&mut self, entry: &Entry) -> Page<Item> {
        let mut item = match &entry.said {
            Said::Event(event) => self.event(entry, event)?,
            Said::Statement(statement) => self.statement(entry, statement)?,
            Said::Figure(figure) => Item { head: self.head(entry, None), body: vec![self.figure(entry, figure)?] },
            other => self.other(entry, other)?,
        };
        item.body.extend(self.marks(entry));
        Ok(item)
    }

    /// "**8 December 2023, about 05:00** · major · westpole#31".
    fn head(&self, entry: &Entry, when: Option<Span>) -> Line {
        let mut line = Line::new();
        match when {
            Some(Span::Text(text)) => line = line.strong(text),
            Some(span) => line = line.span(span),
            None => line = line.strong(entry.said.kind().text().get(self.reader.lang)),
        }
        if entry.importance == Importance::Major {
            line = line.text(self.reader.say(" · major", " · importanza maggiore"));
        }
        line.soft(format!(" · {}", entry.name))
    }

    fn event(&mut self, entry: &Entry, event: &Event) -> Page<Item> {
        let mut head = self.head(entry, Some(time(&event.when, self.incident, self.reader)));
        if let Some(as_of) = &event.as_of {
            head = head.text(" · ").join(self.as_of_line(as_of));
        }
        let mut body = vec![self.text(entry, &event.text).join(self.cited(entry)?)];
        for rival in self.view.rivals(self.incident, entry, self.as_of)? {
            let Said::Event(other) = &rival.said else { continue };
            let mut line = Line::new().text(self.reader.say("Another source: ", "Un'altra fonte: "));
            line = match other.when == event.when {
                true => line.join(prose(&other.text, self.reader)),
                false => line.span(time(&other.when, self.incident, self.reader)),
            };
            body.push(line.join(self.cited(&rival)?).soft(format!(" · {}", rival.name)));
        }
        Ok(Item { head, body })
    }

    fn statement(&mut self, entry: &Entry, statement: &Statement) -> Page<Item> {
        let mut head = self.head(entry, Some(time(&statement.date, self.incident, self.reader)));
        if let Some(as_of) = &statement.as_of {
            head = head.text(" · ").join(self.as_of_line(as_of));
        }
        let first = self.who(statement)?.text(": ").join(self.text(entry, &statement.gist)).join(self.cited(entry)?);
        let mut body = vec![first];
        if let Some(quote) = &statement.quote {
            let text = self.reader.say(format!("“{}”", quote.text), format!("«{}»", quote.text));
            body.push(Line::new().text(text).soft(format!(" ({})", quote.lang)));
        }
        if entry.retracted.is_none() {
            body.extend(self.stances(statement)?);
        }
        Ok(Item { head, body })
    }

    /// "**Westpole** (victim), published by PA Digitale".
    fn who(&self, statement: &Statement) -> Page<Line> {
        let reader = self.reader;
        let name = speaker(self.view, self.incident, statement.speaker.as_ref(), statement.capacity, reader)?;
        let mut line = Line::new().strong(name);
        line = line.text(super::in_capacity(statement, reader));
        if let Some(publisher) = &statement.published_by
            && statement.published_by != statement.speaker
        {
            let publisher = party(self.view, self.incident, publisher)?;
            line = line.text(reader.say(format!(", published by {publisher}"), format!(", tramite {publisher}")));
        }
        Ok(line)
    }

    fn stances(&self, statement: &Statement) -> Page<Vec<Line>> {
        let mut lines = Vec::new();
        for stance in &statement.claims {
            let Some(number) = stance.claim.number() else { continue };
            let Some(Entry { said: Said::Claim(claim), .. }) = self.view.entry(self.incident, number, None)? else {
                continue;
            };
            let (_, standing) = self.view.claim(self.incident, number, self.as_of)?;
            let side = match (stance.side, self.reader.lang) {
                (Side::For, _) => self.reader.say("Speaks for", "A favore di"),
                (Side::Against, _) => self.reader.say("Speaks against", "Contro"),
                (Side::TakenBack, _) => self.reader.say("Takes back", "Ritratta"),
            };
            let text = claim.text.plain(self.reader.lang).trim_end_matches('.').to_owned();
            let text = self.reader.say(format!("{side} “{text}” "), format!("{side} «{text}» "));
            lines.push(Line::new().soft(text).soft("(").strong(standing.text().get(self.reader.lang)).soft(")"));
        }
        Ok(lines)
    }

    /// "540 municipalities served [1]", with who says so.
    pub fn figure(&mut self, entry: &Entry, figure: &Figure) -> Page<Line> {
        let reader = self.reader;
        let label = figure.label.plain(reader.lang);
        let (value, other) = figure.value.read(reader.lang);
        let mut line = Line::new().text(format!("{label}: "));
        line = if entry.retracted.is_some() { line.struck(value) } else { line.strong(value) };
        line = line.join(foreign(other, reader));
        if let Some(as_of) = &figure.as_of {
            line = line.text(" · ").join(self.as_of_line(as_of));
        }
        line = line.text(" — ").text(self.who_says(entry, figure)?);
        Ok(line.join(self.cited(entry)?))
    }

    /// Who says a figure: whoever is said to, else those who published it.
    pub fn who_says(&self, entry: &Entry, figure: &Figure) -> Page<String> {
        if let Some(who) = &figure.said_by {
            return party(self.view, self.incident, who);
        }
        let mut publishers: Vec<String> = Vec::new();
        for source in self.view.cited(self.incident, entry, self.as_of)? {
            if let Said::Source(source) = source.said
                && !publishers.contains(&source.publisher)
            {
                publishers.push(source.publisher);
            }
        }
        Ok(match publishers.is_empty() {
            true => self.reader.say("nobody is named", "non è indicato da chi").to_owned(),
            false => publishers.join(", "),
        })
    }

    fn other(&mut self, entry: &Entry, said: &Said) -> Page<Item> {
        let reader = self.reader;
        let line = match said {
            Said::Source(source) => {
                let mut line = super::in_full(source, entry, reader);
                if let Some(note) = &source.note {
                    line = line.text(" · ").join(prose(note, reader));
                }
                line
            }
            Said::Organisation(organisation) => {
                let roles: Vec<&str> = organisation.roles.iter().map(|role| role.text().get(reader.lang)).collect();
                let mut line = Line::new().strong(&organisation.name).text(format!(" ({})", roles.join(", ")));
                if let Some(about) = &organisation.about {
                    line = line.text(": ").join(prose(about, reader));
                }
                line
            }
            Said::Opening(opening) => {
                let line = Line::new().strong(opening.title.plain(reader.lang));
                match &opening.summary {
                    Some(summary) => line.text(": ").join(prose(summary, reader)),
                    None => line,
                }
            }
            Said::Claim(claim) => prose(&claim.text, reader),
            Said::Status(status) => {
                let states = [
                    status.service.map(|state| state.text().get(reader.lang)),
                    status.disclosure.map(|state| state.text().get(reader.lang)),
                ];
                let states: Vec<&str> = states.into_iter().flatten().collect();
                let line = Line::new()
                    .span(time(&status.when, self.incident, reader))
                    .text(format!(": {}", states.join(", ")));
                match &status.text {
                    Some(text) => line.text(". ").join(prose(text, reader)),
                    None => line,
                }
            }
            Said::Correction(it) => prose(&it.what, reader),
            Said::Retraction(it) => prose(&it.why, reader),
            Said::Event(_) | Said::Statement(_) | Said::Figure(_) => Line::new(),
        };
        let line = line.join(self.cited(entry)?);
        Ok(Item { head: self.head(entry, None), body: vec![line] })
    }

    /// The words of an entry; struck out once it is retracted.
    fn text(&self, entry: &Entry, text: &Prose) -> Line {
        if entry.retracted.is_none() {
            return prose(text, self.reader);
        }
        let (words, other) = text.read(self.reader.lang);
        Line::new().struck(words).join(foreign(other, self.reader))
    }

    /// The marks of its sources, or that it has none.
    fn cited(&mut self, entry: &Entry) -> Page<Line> {
        let sources = self.view.cited(self.incident, entry, self.as_of)?;
        if !sources.is_empty() {
            return Ok(self.cites.cite(&sources, self.reader));
        }
        let sourced = matches!(entry.said, Said::Event(_) | Said::Statement(_) | Said::Figure(_));
        Ok(match (sourced, entry.said.sources().is_empty()) {
            (true, true) => Line::new().soft(self.reader.say(" (no source recorded)", " (nessuna fonte registrata)")),
            (true, false) => {
                Line::new().soft(self.reader.say(" (its sources appeared later)", " (le fonti sono uscite dopo)"))
            }
            (false, _) => Line::new(),
        })
    }

    fn as_of_line(&self, as_of: &crate::when::When) -> Line {
        let here = as_of.in_zone(self.incident.zone(), self.reader.zone_for(self.incident));
        Line::new().text(crate::spoken::as_of(&here, self.reader.lang))
    }

    /// That it was corrected or retracted, when, and what changed.
    fn marks(&self, entry: &Entry) -> Vec<Line> {
        let (reader, zone) = (self.reader, self.reader.zone_for(self.incident));
        let mut lines = Vec::new();
        if let Some(last) = entry.corrections.iter().rev().find(|it| it.to.level != crate::entry::Level::Silent) {
            let line =
                Line::new().soft(reader.say("Corrected ", "Corretto il ")).span(moment(last.recorded_at, zone, reader));
            lines.push(line.text(": ").join(prose(&last.to.what, reader)));
        }
        if let Some(retracted) = &entry.retracted {
            let line = Line::new().strong(reader.say("Retracted ", "Ritrattato il "));
            lines.push(
                line.span(moment(retracted.recorded_at, zone, reader)).text(": ").join(prose(&retracted.why, reader)),
            );
        }
        lines
    }
}
