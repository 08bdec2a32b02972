//! How an entry read before, and what was corrected and retracted in an incident: newest first.

use super::{Cites, PAGE, Page, Reader, Turn, difference::difference, item::Show, moment, prose};
use crate::{
    entry::{Kind, Level, Ref, Said},
    reply::{Block, Button, Item, Line, Reply},
    view::{Corrected, Entry, Incident, View},
};

/// Every version of an entry, newest first: when it was written, what changed, how it read.
pub fn history(view: &View<'_>, incident: &Incident, entry: &Entry, page: usize, reader: &Reader) -> Page<Reply> {
    let mut cites = Cites::of_one_incident();
    let title = Line::new().strong(entry.name.to_string()).text(reader.say(" · history", " · storia"));
    let total = 1 + entry.corrections.len() + usize::from(entry.retracted.is_some());
    let mut reply = Reply::titled(title).note(match total {
        1 => reader.say("It was never changed.", "Non è mai stata modificata.").to_owned(),
        _ => reader.say(format!("{total} versions, newest first"), format!("{total} versioni, dalla più recente")),
    });
    let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
    for step in (0..total).rev().skip((page - 1) * PAGE).take(PAGE) {
        let item = show.step(entry, step)?;
        reply.blocks.push(Block::Item(item));
    }
    reply.sources = cites.finish();
    let args = vec![("entry", Some(entry.name.to_string())), ("page", None)];
    Ok(turned(reply, incident, args, page, total, reader))
}

/// The corrections and retractions of an incident, newest first.
pub fn changes(view: &View<'_>, incident: &Incident, page: usize, reader: &Reader) -> Page<Reply> {
    let title = Line::new().strong(incident.opening.title.plain(reader.lang));
    let mut all = view.of_kind(incident, Kind::Correction, None)?;
    all.extend(view.of_kind(incident, Kind::Retraction, None)?);
    all.sort_by_key(|entry| std::cmp::Reverse(entry.name.number));
    let total = all.len();
    let mut reply =
        Reply::titled(title.text(reader.say(" · corrections and retractions", " · correzioni e ritrattazioni")));
    reply = reply.note(match total {
        0 => reader.say("Nothing was corrected or retracted.", "Nulla è stato corretto o ritrattato.").to_owned(),
        _ => reader.say(format!("{total} in all, newest first"), format!("{total} in tutto, dalle più recenti")),
    });
    let mut subjects: Vec<String> = Vec::new();
    for change in all.iter().skip((page - 1) * PAGE).take(PAGE) {
        let Some(Ref::Number(subject)) = change.said.subject() else { continue };
        let subject = incident.name(subject).to_string();
        reply.blocks.push(Block::Item(change_of(incident, change, &subject, reader)));
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    let to_entries = subjects.iter().take(5).filter_map(|name| Button::new(name, format!("/history {name}")));
    let reply = reply.row(to_entries.collect::<Vec<_>>());
    let args = vec![("entry", Some(incident.handle.to_string())), ("page", None)];
    Ok(turned(reply, incident, args, page, total, reader))
}

/// Adds the buttons to other pages, and to the timeline.
fn turned(
    mut reply: Reply,
    incident: &Incident,
    args: Vec<(&'static str, Option<String>)>,
    page: usize,
    total: usize,
    reader: &Reader,
) -> Reply {
    let pages = total.div_ceil(PAGE).max(1);
    if page > pages {
        reply = reply.say(super::lists::NO_SUCH_PAGE.get(reader.lang));
    }
    let turn = Turn { command: "history", incident: None, args, positional: true };
    turn.buttons(reply, page, Some(pages), page < pages, reader)
        .row(Button::new(reader.say("Timeline", "Cronologia"), format!("/timeline {}", incident.handle)))
}

/// "**westpole#14** corrected 2 January 2026, 04:04 · material correction · westpole#62", and what changed.
fn change_of(incident: &Incident, change: &Entry, subject: &str, reader: &Reader) -> Item {
    let (words, level, why) = match &change.said {
        Said::Correction(it) => (reader.say(" corrected ", " corretta il "), Some(it.level), &it.what),
        Said::Retraction(it) => (reader.say(" retracted ", " ritrattata il "), None, &it.why),
        _ => return Item::default(),
    };
    let at = moment(change.recorded_at, reader.zone_for(incident), reader);
    let head = Line::new().strong(subject).text(words).span(at).join(level_of(level, reader));
    let by = reader.say(" · by ", " · da ");
    let head = head.soft(format!(" · {}{by}{}", change.name, change.author.0));
    Item { head, body: vec![prose(why, reader)] }
}

/// " · material correction"; nothing for the usual one.
fn level_of(level: Option<Level>, reader: &Reader) -> Line {
    match level {
        None | Some(Level::Correction) => Line::new(),
        Some(level) => Line::new().text(format!(" · {}", level.text().get(reader.lang))),
    }
}

impl Show<'_, '_> {
    /// One step of an entry's history: 0 is how it was first written.
    fn step(&mut self, entry: &Entry, step: usize) -> Page<Item> {
        let (reader, zone) = (self.reader, self.reader.zone_for(self.incident));
        let corrected = step.checked_sub(1).map(|at| entry.corrections.get(at));
        let (words, at, number) = match (corrected, &entry.retracted) {
            (None, _) => (reader.say("Recorded ", "Registrata il "), entry.recorded_at, entry.name.number),
            (Some(Some(it)), _) => (reader.say("Corrected ", "Corretta il "), it.recorded_at, it.number),
            (Some(None), Some(it)) => (reader.say("Retracted ", "Ritrattata il "), it.recorded_at, it.number),
            (Some(None), None) => return Ok(Item::default()),
        };
        let head = Line::new().strong(words).span(moment(at, zone, reader));
        let name = self.incident.name(number);
        let head = match self.view.entry(self.incident, number, None)? {
            Some(it) => head.text(reader.say(" by ", " da ")).text(it.author.0),
            None => head,
        };
        let Some(Some(Corrected { to, .. })) = corrected else {
            let body = match (corrected, &entry.retracted) {
                (Some(_), Some(retracted)) => vec![prose(&retracted.why, reader)],
                _ => self.read(entry, 0)?,
            };
            return Ok(Item { head: head.soft(format!(" · {name}")), body });
        };
        let head = head.join(level_of(Some(to.level), reader)).soft(format!(" · {name}"));
        let what = Line::new().soft(reader.say("What changed: ", "Che cosa cambia: ")).join(prose(&to.what, reader));
        let mut body = vec![what];
        match self.difference(entry, step) {
            Some(line) => body.push(line),
            None => body.extend(self.read(entry, step)?),
        }
        Ok(Item { head, body })
    }

    /// What a correction took out of the text and put in, where the text is all that it changed.
    fn difference(&self, entry: &Entry, step: usize) -> Option<Line> {
        let said = |corrections: usize| match corrections.checked_sub(1) {
            None => entry.was.as_deref().unwrap_or(&entry.said),
            Some(last) => entry.corrections.get(last).map_or(&entry.said, |it| &*it.to.now),
        };
        let (old, new) = (said(step - 1), said(step));
        let (olds, news) = (old.texts(), new.texts());
        let ([was], [now]) = (olds.as_slice(), news.as_slice()) else { return None };
        let same = old.dates() == new.dates() && old.names() == new.names();
        let ((was, _), (now, missing)) = (was.read(self.reader.lang), now.read(self.reader.lang));
        let line = (same && was != now).then(|| difference(was, now)).flatten()?;
        Some(match missing {
            None => line,
            Some(lang) => line.soft(format!(" ({})", lang.code())),
        })
    }

    /// How an entry read after so many of its corrections.
    fn read(&mut self, entry: &Entry, corrections: usize) -> Page<Vec<Line>> {
        let first = entry.was.as_deref().unwrap_or(&entry.said);
        let done = &entry.corrections[..corrections.min(entry.corrections.len())];
        let said = done.last().map_or(first, |it| &it.to.now).clone();
        let importance = done.iter().rev().find_map(|it| it.to.importance).unwrap_or(entry.first_importance);
        let then = Entry { said, importance, was: None, corrections: Vec::new(), retracted: None, ..entry.clone() };
        let item = self.entry(&then)?;
        // What has no date has only its name at the head, which is said already.
        let head = then.said.when().map(|_| item.head);
        Ok(head.into_iter().chain(item.body).collect())
    }
}
