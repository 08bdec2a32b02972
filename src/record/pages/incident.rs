//! One incident at a glance; one organisation across incidents; everything of an incident in one document.

use chrono::{DateTime, Utc};

use super::{Cites, Page, Reader, frame, item::Show, moment, prose, time, tone};
use crate::{
    entry::{Kind, Said},
    party::Organisation,
    reply::{Block, Button, Item, Line, Reply},
    view::{Entry, Incident, View, Window},
};

/// What happened, its state, organisations, figures, what is disputed, the last entry.
/// How long it has been quiet counts up to `at`; what is read at any time does not say.
pub fn incident(view: &View<'_>, incident: &Incident, at: Option<DateTime<Utc>>, reader: &Reader) -> Page<Reply> {
    let mut cites = Cites::of_one_incident();
    let mut reply = Reply::titled(Line::new().strong(incident.opening.title.plain(reader.lang)));
    reply.tone = tone(view.status(incident, None)?.0);
    reply = reply.note(Line::new().text(format!("{} · ", incident.handle)).join(frame(incident, None, reader)));
    if let Some(summary) = &incident.opening.summary {
        reply = reply.say(prose(summary, reader));
    }
    let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
    reply = show.status(reply)?;
    if let Some(at) = at
        && let Some(silence) = view.silence(incident, at)?
        && let Some(line) = super::silence::line(&silence, incident, at, reader)
    {
        reply = reply.say(line);
    }
    reply = show.organisations(reply)?;
    reply = show.figures(reply)?;
    reply.blocks.extend(show.disputed()?);
    if let Some(last) = view.entry(incident, incident.last, None)? {
        let mut line = Line::new().text(reader.say("Last entry: ", "Ultima voce: ")).code(last.name.to_string());
        line = line.text(format!(" ({}), ", last.said.kind().text().get(reader.lang)));
        let words = reader.say("recorded ", "registrata il ");
        line = line.text(words).span(moment(last.recorded_at, reader.zone_for(incident), reader));
        reply = reply.note(line);
    }
    reply.sources = cites.finish();
    Ok(reply.row(around(incident, reader)))
}

/// Buttons to the other pages about an incident.
fn around(incident: &Incident, reader: &Reader) -> Vec<Button> {
    let pages = [
        ("timeline", reader.say("Timeline", "Cronologia")),
        ("latest", reader.say("Statements", "Dichiarazioni")),
        ("claims", reader.say("Claims", "Affermazioni")),
        ("sources", reader.say("Sources", "Fonti")),
    ];
    pages
        .into_iter()
        .filter_map(|(command, label)| Button::new(label, format!("/{command} {}", incident.handle)))
        .collect()
}

impl Show<'_, '_> {
    fn status(&mut self, reply: Reply) -> Page<Reply> {
        let reader = self.reader;
        let (service, disclosure) = self.view.status(self.incident, self.as_of)?;
        let mut line = Line::new();
        if let Some(service) = service {
            line = line.text(reader.say("Service: ", "Servizio: ")).strong(service.text().get(reader.lang));
        }
        if let Some(disclosure) = disclosure {
            let words = reader.say("Incident: ", "Incidente: ");
            let gap = if line.is_empty() { "" } else { " · " };
            line = line.text(format!("{gap}{words}")).strong(disclosure.text().get(reader.lang));
        }
        let statuses = self.view.of_kind(self.incident, Kind::Status, self.as_of)?;
        if let Some(last) = statuses.iter().rev().find(|entry| entry.retracted.is_none()) {
            if let Said::Status(status) = &last.said {
                line = line.text(reader.say(", since ", ", dal ")).span(time(&status.when, self.incident, reader));
                if let Some(text) = &status.text {
                    line = line.text(". ").join(prose(text, reader));
                }
            }
            let sources = self.view.cited(self.incident, last, self.as_of)?;
            line = line.join(self.cites.cite(&sources, reader));
        }
        Ok(if line.is_empty() { reply } else { reply.say(line) })
    }

    fn organisations(&mut self, mut reply: Reply) -> Page<Reply> {
        let mut body = Vec::new();
        for entry in self.view.of_kind(self.incident, Kind::Organisation, self.as_of)? {
            if let Said::Organisation(organisation) = &entry.said
                && entry.retracted.is_none()
            {
                let line = self.roles(organisation);
                let sources = self.view.cited(self.incident, &entry, self.as_of)?;
                body.push(line.join(self.cites.cite(&sources, self.reader)));
            }
        }
        if !body.is_empty() {
            let head = Line::new().strong(self.reader.say("Organisations", "Organizzazioni"));
            reply.blocks.push(Block::Item(Item { head, body }));
        }
        Ok(reply)
    }

    fn roles(&self, organisation: &Organisation) -> Line {
        let roles: Vec<&str> = organisation.roles.iter().map(|role| role.text().get(self.reader.lang)).collect();
        Line::new().text(&organisation.name).soft(format!(" ({})", roles.join(", ")))
    }

    fn figures(&mut self, mut reply: Reply) -> Page<Reply> {
        let mut body = Vec::new();
        let mut entries = self.view.of_kind(self.incident, Kind::Figure, self.as_of)?;
        // Rivals stand side by side: each after the figure it differs from.
        entries.sort_by_key(|entry| match &entry.said {
            Said::Figure(figure) => {
                (figure.rival.and_then(|rival| rival.number()).unwrap_or(entry.name.number), entry.name.number)
            }
            _ => (entry.name.number, entry.name.number),
        });
        for entry in entries {
            if let Said::Figure(figure) = &entry.said
                && entry.retracted.is_none()
            {
                let line = self.figure(&entry, figure)?;
                body.push(match figure.rival {
                    None => line,
                    Some(_) => Line::new().text(self.reader.say("against it — ", "per contro — ")).join(line),
                });
            }
        }
        if !body.is_empty() {
            let head = Line::new().strong(self.reader.say("Figures", "Dati"));
            reply.blocks.push(Block::Item(Item { head, body }));
        }
        Ok(reply)
    }

    /// Claims that are not plain, and rival values.
    fn disputed(&mut self) -> Page<Vec<Block>> {
        let mut body = Vec::new();
        for entry in self.view.of_kind(self.incident, Kind::Claim, self.as_of)? {
            let Said::Claim(claim) = &entry.said else { continue };
            if entry.retracted.is_some() {
                continue;
            }
            let (heard, standing) = self.view.claim(self.incident, entry.name.number, self.as_of)?;
            let text = claim.text.plain(self.reader.lang).trim_end_matches('.').to_owned();
            let mut line = Line::new().text(format!("{text} — ")).strong(standing.text().get(self.reader.lang));
            let sources = self.view.cited(self.incident, &entry, self.as_of)?;
            line = line.join(self.cites.cite(&sources, self.reader));
            for voice in &heard {
                let sources = self.view.cited(self.incident, &voice.statement, self.as_of)?;
                line = line.join(self.cites.cite(&sources, self.reader));
            }
            body.push(dedup_cites(line));
        }
        let mut blocks = Vec::new();
        if !body.is_empty() {
            let head =
                Line::new().strong(self.reader.say("Claims, and what is disputed", "Affermazioni e punti controversi"));
            blocks.push(Block::Item(Item { head, body }));
        }
        blocks.extend(self.rivals()?);
        Ok(blocks)
    }
}

/// Each source once, however many statements cite it.
fn dedup_cites(line: Line) -> Line {
    let mut seen = Vec::new();
    let mut kept = Line::new();
    for span in line.0 {
        match &span {
            crate::reply::Span::Cite { number, .. } if seen.contains(number) => {
                // The blank before it goes with it.
                kept.0.pop();
            }
            crate::reply::Span::Cite { number, .. } => {
                seen.push(*number);
                kept = kept.span(span);
            }
            _ => kept = kept.span(span),
        }
    }
    kept
}

/// An organisation: what it is, and where it appears.
pub fn organisation(view: &View<'_>, incidents: &[(Incident, Organisation, Entry)], reader: &Reader) -> Page<Reply> {
    let name = incidents.first().map_or("", |(_, organisation, _)| organisation.name.as_str());
    let mut reply = Reply::titled(Line::new().strong(name));
    let mut aliases: Vec<&str> =
        incidents.iter().flat_map(|(_, it, _)| it.aliases.iter().map(String::as_str)).collect();
    aliases.dedup();
    if !aliases.is_empty() {
        let words = reader.say("also called ", "anche: ");
        reply = reply.note(format!("{words}{}", aliases.join(", ")));
    }
    let single = incidents.len() == 1;
    let mut cites = if single { Cites::of_one_incident() } else { Cites::of_many() };
    for (incident, organisation, entry) in incidents {
        let roles: Vec<&str> = organisation.roles.iter().map(|role| role.text().get(reader.lang)).collect();
        let head =
            Line::new().strong(incident.opening.title.plain(reader.lang)).text(format!(" · {}", roles.join(", ")));
        let mut body = Vec::new();
        if let Some(about) = &organisation.about {
            let sources = view.cited(incident, entry, None)?;
            body.push(prose(about, reader).join(cites.cite(&sources, reader)));
        }
        let spoke = |entry: &Entry| match &entry.said {
            Said::Statement(it) => it.speaker == Some(crate::party::Party::Organisation(organisation.handle.clone())),
            _ => false,
        };
        let (said, _) = view.statements(incident, 0, 3, spoke)?;
        let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
        let mut items = Vec::new();
        for entry in &said {
            items.push(Block::Item(show.entry(entry)?));
        }
        reply.blocks.push(Block::Item(Item { head: head.soft(format!(" · {}", incident.handle)), body }));
        if !items.is_empty() {
            reply.blocks.push(Block::Heading(reader.say("Latest statements", "Ultime dichiarazioni").into()));
            reply.blocks.extend(items);
        }
    }
    reply.sources = cites.finish();
    let buttons = incidents.iter().take(5).filter_map(|(incident, _, _)| {
        Button::new(incident.opening.title.plain(reader.lang), format!("/incident {}", incident.handle))
    });
    Ok(reply.row(buttons.collect::<Vec<_>>()))
}

/// Everything of an incident, in the order a reader would want it: for export.
pub fn document(view: &View<'_>, of: &Incident, reader: &Reader) -> Page<Vec<Reply>> {
    let mut card = incident(view, of, None, reader)?;
    card.buttons.clear();
    let mut timeline = Reply::titled(Line::new().strong(reader.say("Timeline", "Cronologia")));
    let mut cites = Cites::of_one_incident();
    let all = view.timeline(of, Window::default(), 0, of.timeline as usize)?;
    let mut show = Show { view, incident: of, reader, as_of: None, cites: &mut cites };
    for entry in &all.entries {
        let item = show.entry(entry)?;
        timeline.blocks.push(Block::Item(item));
    }
    let mut sources = Reply::titled(Line::new().strong(reader.say("Sources", "Fonti")));
    for entry in view.of_kind(of, Kind::Source, None)? {
        sources.blocks.push(Block::Item(super::lists::source_item(&entry, reader)));
    }
    card.sources.clear();
    Ok(vec![card, timeline, sources])
}
