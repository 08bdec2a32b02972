//! Claims with who says so and who says not so, and rival values side by side.

use super::{Cites, Page, Reader, frame, item::Show, speaker, time};
use crate::{
    entry::{Kind, Said},
    lang::Text,
    pages::Turn,
    reply::{Block, Item, Line, Reply},
    statement::Side,
    view::{Entry, Heard, Incident, View},
};

/// How many claims a page shows.
const CLAIMS: usize = 6;

const RIVALS: Text = Text { en: "Where sources differ", it: "Dove le fonti differiscono" };

/// Every claim with its voices; on the first page, rival figures and times too.
pub fn claims(view: &View<'_>, incident: &Incident, page: usize, reader: &Reader) -> Page<Reply> {
    let mut all = view.of_kind(incident, Kind::Claim, None)?;
    // What was taken back is shown struck out, after the rest.
    all.sort_by_key(|entry| entry.retracted.is_some());
    let total = all.len();
    let title = Line::new().strong(incident.opening.title.plain(reader.lang));
    let mut reply = Reply::titled(title.text(reader.say(" · claims", " · affermazioni")));
    let count = match total {
        1 => reader.say("1 claim", "1 affermazione").to_owned(),
        _ => reader.say(format!("{total} claims"), format!("{total} affermazioni")),
    };
    reply = reply.note(Line::new().text(format!("{count} · ")).join(frame(incident, None, reader)));
    let mut cites = Cites::of_one_incident();
    let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
    for entry in all.iter().skip((page - 1) * CLAIMS).take(CLAIMS) {
        let item = show.claim(entry)?;
        reply.blocks.push(Block::Item(item));
    }
    if page == 1 {
        reply.blocks.extend(show.rivals()?);
    }
    reply.sources = cites.finish();
    let pages = total.div_ceil(CLAIMS);
    let turn = Turn { command: "claims", incident: Some(incident), args: vec![("page", None)], positional: true };
    Ok(turn.buttons(reply, page, Some(pages), page < pages, reader))
}

impl Show<'_, '_> {
    fn claim(&mut self, entry: &Entry) -> Page<Item> {
        let Said::Claim(claim) = &entry.said else { return Ok(Item::default()) };
        let (heard, standing) = self.view.claim(self.incident, entry.name.number, self.as_of)?;
        let reader = self.reader;
        let text = claim.text.plain(reader.lang).trim_end_matches('.').to_owned();
        if let Some(retracted) = &entry.retracted {
            let head = Line::new().struck(text).soft(format!(" · {}", entry.name));
            let why = Line::new()
                .strong(reader.say("Retracted: ", "Ritrattata: "))
                .join(super::prose(&retracted.why, reader));
            return Ok(Item { head, body: vec![why] });
        }
        let head = Line::new().strong(text).text(" — ");
        let head = head.strong(standing.text().get(reader.lang)).soft(format!(" · {}", entry.name));
        let sources = self.view.cited(self.incident, entry, self.as_of)?;
        let head = head.join(self.cites.cite(&sources, reader));
        let mut body = Vec::new();
        for side in [Side::For, Side::Against, Side::TakenBack] {
            for voice in heard.iter().filter(|voice| voice.side == side) {
                body.push(self.voice(voice)?);
            }
        }
        Ok(Item { head, body })
    }

    /// "For: Unnamed sources, published by AGI, 18 December 2023: gist [7]".
    fn voice(&mut self, voice: &Heard) -> Page<Line> {
        let Said::Statement(statement) = &voice.statement.said else { return Ok(Line::new()) };
        let reader = self.reader;
        let who = speaker(self.view, self.incident, statement.speaker.as_ref(), statement.capacity, reader)?;
        let side = match voice.side {
            Side::For => reader.say("For: ", "A favore: "),
            Side::Against => reader.say("Against: ", "Contro: "),
            Side::TakenBack => reader.say("Taken back: ", "Ritrattato: "),
        };
        let mut line = Line::new().text(side).strong(who);
        line = line.text(super::in_capacity(statement, reader));
        if let Some(publisher) = &statement.published_by
            && statement.published_by != statement.speaker
        {
            let publisher = super::party(self.view, self.incident, publisher)?;
            line = line.text(reader.say(format!(", published by {publisher}"), format!(", tramite {publisher}")));
        }
        let looked = statement.as_of.as_ref();
        line = line.text(", ").span(time(looked.unwrap_or(&statement.date), self.incident, reader)).text(": ");
        let gist = statement.gist.plain(reader.lang);
        line = if voice.statement.retracted.is_some() { line.struck(gist) } else { line.text(gist) };
        let sources = self.view.cited(self.incident, &voice.statement, self.as_of)?;
        Ok(line.join(self.cites.cite(&sources, reader)).soft(format!(" · {}", voice.statement.name)))
    }

    /// Rival figures and times, side by side.
    pub fn rivals(&mut self) -> Page<Vec<Block>> {
        let mut blocks = Vec::new();
        for subject in self.view.rivalled(self.incident, self.as_of)? {
            blocks.extend(self.rivals_of(subject)?);
        }
        if !blocks.is_empty() {
            blocks.insert(0, Block::Heading(RIVALS.get(self.reader.lang).into()));
        }
        Ok(blocks)
    }

    fn rivals_of(&mut self, subject: u32) -> Page<Option<Block>> {
        let Some(first) = self.view.entry(self.incident, subject, self.as_of)? else { return Ok(None) };
        let mut all = vec![first.clone()];
        all.extend(self.view.rivals(self.incident, &first, self.as_of)?);
        all.retain(|entry| entry.retracted.is_none());
        if all.len() < 2 {
            return Ok(None);
        }
        let reader = self.reader;
        let head = match &first.said {
            Said::Event(event) => event.text.plain(reader.lang).to_owned(),
            Said::Figure(figure) => figure.label.plain(reader.lang).to_owned(),
            _ => return Ok(None),
        };
        let mut body = Vec::new();
        for entry in &all {
            let mut line = match &entry.said {
                Said::Event(event) => Line::new().span(time(&event.when, self.incident, reader)),
                Said::Figure(figure) => Line::new().strong(figure.value.plain(reader.lang)),
                _ => continue,
            };
            let sources = self.view.cited(self.incident, entry, self.as_of)?;
            let who = match &entry.said {
                Said::Figure(figure) => self.who_says(entry, figure)?,
                _ => sources.iter().filter_map(|source| source_name(&source.said)).collect::<Vec<_>>().join(", "),
            };
            line = line.text(format!(" — {who}"));
            body.push(line.join(self.cites.cite(&sources, reader)).soft(format!(" · {}", entry.name)));
        }
        Ok(Some(Block::Item(Item { head: Line::new().text(head), body })))
    }
}

fn source_name(said: &Said) -> Option<&str> {
    match said {
        Said::Source(source) => Some(&source.publisher),
        _ => None,
    }
}
