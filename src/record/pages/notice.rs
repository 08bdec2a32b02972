//! An entry as it is posted to those who follow it: new, corrected, retracted; several that waited, as one card; and
//! what is about to be recorded, as it will be posted.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::{Page, Reader, moment, party, prose, speaker, time, tone};
use crate::{
    entry::{Draft, EntryName, Importance, Kind, Level, Opening, Ref, Said},
    reply::{Block, Button, Item, Line, Reply, Span},
    spoken,
    statement::Statement,
    view::{Corrected, Entry, Incident, Retracted, View},
    when::{Stamp, When},
};

/// What is said around an entry because of the way it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct How {
    /// It may be there already: nothing told whether the first try arrived.
    pub repeated: bool,
    /// The topic is closed, so it comes here, this once.
    pub general: bool,
    /// An earlier message that should have been changed cannot be.
    pub replaces: bool,
    /// Earlier entries that may not have come.
    pub doubts: Vec<EntryName>,
    /// The incident is muted there: the bell offers to hear of it again.
    pub muted: bool,
    /// A mute held it back, and has ended.
    pub held: bool,
}

/// An entry as it reads now, with what was struck out of it.
pub fn notice(view: &View<'_>, incident: &Incident, entry: &Entry, how: &How, reader: &Reader) -> Page<Reply> {
    let sources = view.cited(incident, entry, None)?;
    Post { view, incident, entry, sources: &sources, reader }.reply(how)
}

struct Post<'a, 'v> {
    view: &'a View<'v>,
    incident: &'a Incident,
    entry: &'a Entry,
    sources: &'a [Entry],
    reader: &'a Reader,
}

impl Post<'_, '_> {
    fn reply(&self, how: &How) -> Page<Reply> {
        let (entry, reader) = (self.entry, self.reader);
        let mut title = Line::new().strong(self.incident.opening.title.plain(reader.lang));
        // A post's first line stays as it was, whatever is corrected later.
        if entry.first_importance == Importance::Major {
            title = title.text(reader.say(" · major", " · importanza maggiore"));
        }
        let mut reply = Reply::titled(title);
        reply.tone = tone(self.view.status(self.incident, None)?.0);
        for line in before(how, reader) {
            reply = reply.note(line);
        }
        let loud = entry.corrections.iter().rposition(|it| it.to.level != Level::Silent);
        let before = loud.map(|at| version(entry, at));
        let (head, body) = (self.head(&entry.said)?, self.body(&entry.said)?);
        if let Some(was) = before {
            let (old_head, old_body) = (self.head(was)?, self.body(was)?);
            if old_head.plain() != head.plain() {
                reply = reply.say(struck(&old_head));
            }
            if old_body != body {
                for line in &old_body {
                    // What holds now must have its room: of long old words the beginning is enough, History has all.
                    reply = reply.say(Line::new().struck(clipped(&line.plain(), OLD_WORDS)));
                }
            }
        }
        let taken_back = |line: Line| if entry.retracted.is_some() { struck(&line) } else { line };
        let body: Vec<Line> = body.into_iter().map(taken_back).collect();
        reply.blocks.push(Block::Item(Item { head, body }));
        for mark in self.marks(loud) {
            reply = reply.say(mark);
        }
        if entry.importance != entry.first_importance {
            let now = entry.importance.text().get(reader.lang);
            reply = reply.say(reader.say(format!("Importance now: {now}"), format!("Importanza ora: {now}")));
        }
        if let Some(line) = self.source_line() {
            reply = reply.say(line);
        }
        Ok(reply.note(self.foot()).row(self.buttons(how.muted)))
    }

    /// "Statement · **Westpole** (victim), published by PA Digitale · 13 December 2023".
    fn head(&self, said: &Said) -> Page<Line> {
        let reader = self.reader;
        let kind = match said {
            Said::Opening(_) => reader.say("new incident", "nuovo incidente"),
            other => other.kind().text().get(reader.lang),
        };
        let mut letters = kind.chars();
        let kind: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let mut line = Line::new().text(kind);
        if let Said::Statement(statement) = said {
            line = line.text(" · ").join(self.who(statement)?);
        }
        let (when, as_of) = match said {
            Said::Event(it) => (Some(&it.when), it.as_of.as_ref()),
            Said::Statement(it) => (Some(&it.date), it.as_of.as_ref()),
            Said::Figure(it) => (None, it.as_of.as_ref()),
            Said::Status(it) => (Some(&it.when), None),
            _ => (None, None),
        };
        if let Some(when) = when {
            line = line.text(" · ").span(self.clock(when));
        }
        if let Some(as_of) = as_of {
            let here = as_of.in_zone(self.incident.zone(), reader.zone_for(self.incident));
            line = line.text(format!(" · {}", spoken::as_of(&here, reader.lang)));
        }
        Ok(line)
    }

    /// A date in words, with its zone where there is a clock time in it: whoever reads may be anywhere.
    fn clock(&self, when: &When) -> Span {
        let zone = self.reader.zone_for(self.incident);
        let here = when.in_zone(self.incident.zone(), zone);
        let at = match here {
            When::At(point) => match point.stamp {
                Stamp::Minute(at) | Stamp::Hour(at) => Some(at),
                _ => None,
            },
            _ => None,
        };
        match (time(when, self.incident, self.reader), at) {
            (Span::Time { text, at: instant }, Some(at)) => {
                Span::Time { text: format!("{text} {}", abbreviation(at, zone)), at: instant }
            }
            (Span::Text(text), Some(at)) => Span::Text(format!("{text} {}", abbreviation(at, zone))),
            (span, _) => span,
        }
    }

    fn who(&self, statement: &Statement) -> Page<Line> {
        let reader = self.reader;
        let name = speaker(self.view, self.incident, statement.speaker.as_ref(), statement.capacity, reader)?;
        let mut line = Line::new().strong(name);
        line = line.text(super::in_capacity(statement, reader));
        if let Some(publisher) = statement.published_by.as_ref().filter(|_| statement.published_by != statement.speaker)
        {
            let publisher = party(self.view, self.incident, publisher)?;
            line = line.text(reader.say(format!(", published by {publisher}"), format!(", tramite {publisher}")));
        }
        Ok(line)
    }

    /// What is said, a line or two.
    fn body(&self, said: &Said) -> Page<Vec<Line>> {
        let reader = self.reader;
        Ok(match said {
            Said::Event(event) => vec![prose(&event.text, reader)],
            Said::Statement(statement) => {
                let mut lines = vec![prose(&statement.gist, reader)];
                if let Some(quote) = &statement.quote {
                    let text = reader.say(format!("“{}”", quote.text), format!("«{}»", quote.text));
                    lines.push(Line::new().text(text).soft(format!(" ({})", quote.lang)));
                }
                lines
            }
            Said::Claim(claim) => vec![prose(&claim.text, reader)],
            Said::Figure(figure) => {
                let mut line = prose(&figure.label, reader).text(": ").join(strong(prose(&figure.value, reader)));
                if let Some(who) = &figure.said_by {
                    line = line.text(format!(" — {}", party(self.view, self.incident, who)?));
                }
                vec![line]
            }
            Said::Source(source) => {
                let mut lines = vec![super::in_full(source, self.entry, reader)];
                lines.extend(source.note.as_ref().map(|note| prose(note, reader)));
                lines
            }
            Said::Organisation(it) => {
                let roles: Vec<&str> = it.roles.iter().map(|role| role.text().get(reader.lang)).collect();
                let line = Line::new().strong(&it.name).text(format!(" ({})", roles.join(", ")));
                vec![it.about.iter().fold(line, |line, about| line.text(": ").join(prose(about, reader)))]
            }
            Said::Opening(it) => {
                let line = Line::new().strong(it.title.plain(reader.lang));
                vec![it.summary.iter().fold(line, |line, summary| line.text(": ").join(prose(summary, reader)))]
            }
            Said::Status(it) => {
                let states = [
                    it.service.map(|state| state.text().get(reader.lang)),
                    it.disclosure.map(|state| state.text().get(reader.lang)),
                ];
                let states: Vec<&str> = states.into_iter().flatten().collect();
                let mut lines = vec![Line::new().strong(states.join(", "))];
                lines.extend(it.text.as_ref().map(|text| prose(text, reader)));
                lines
            }
            Said::Correction(it) => vec![prose(&it.what, reader)],
            Said::Retraction(it) => vec![prose(&it.why, reader)],
        })
    }

    /// "Corrected 13 December 2023, 10:15 CET: the number was wrong".
    fn marks(&self, loud: Option<usize>) -> Vec<Line> {
        let (reader, mut marks) = (self.reader, Vec::new());
        if let Some(Corrected { recorded_at, to, .. }) = loud.and_then(|at| self.entry.corrections.get(at)) {
            let line = Line::new().strong(reader.say("Corrected ", "Corretto ")).join(self.on(*recorded_at));
            marks.push(line.text(": ").join(prose(&to.what, reader)));
        }
        if let Some(Retracted { recorded_at, why, .. }) = &self.entry.retracted {
            let line = Line::new().strong(reader.say("Retracted ", "Ritrattato ")).join(self.on(*recorded_at));
            marks.push(line.text(": ").join(prose(why, reader)));
        }
        marks
    }

    /// "13 December 2023, 10:15 CET", in Italian with its article: "l'8 dicembre".
    fn on(&self, at: DateTime<Utc>) -> Line {
        let day = at.with_timezone(&self.reader.zone_for(self.incident)).day();
        let article = if matches!(day, 8 | 11) { "l'" } else { "il " };
        Line::new().text(self.reader.say("", article)).span(self.moment(at))
    }

    fn moment(&self, at: DateTime<Utc>) -> Span {
        let zone = self.reader.zone_for(self.incident);
        match moment(at, zone, self.reader) {
            Span::Time { text, at: instant } => {
                Span::Time { text: format!("{text} {}", abbreviation_at(at, zone)), at: instant }
            }
            other => other,
        }
    }

    /// "Source: edoardolimone.com · archived copy", or that there is none.
    fn source_line(&self) -> Option<Line> {
        let (entry, reader) = (self.entry, self.reader);
        let mut line = Line::new();
        for source in self.sources {
            let Said::Source(it) = &source.said else { continue };
            line = if line.is_empty() { line } else { line.text("; ") };
            line = match &it.link {
                Some(link) => line.span(Span::Link { text: it.publisher.clone(), link: link.clone() }),
                None => line.text(&it.publisher).soft(reader.say(" (address unknown)", " (indirizzo non noto)")),
            };
            if let Some(archived) = &it.archived {
                let text = reader.say("archived copy", "copia archiviata").to_owned();
                line = line.text(" · ").span(Span::Link { text, link: archived.clone() });
            }
        }
        if !line.is_empty() {
            let words = match self.sources.len() {
                1 => reader.say("Source: ", "Fonte: "),
                _ => reader.say("Sources: ", "Fonti: "),
            };
            return Some(Line::new().text(words).join(line));
        }
        let sourced = matches!(entry.said.kind(), Kind::Event | Kind::Statement | Kind::Figure);
        sourced.then(|| Line::new().soft(reader.say("No source recorded.", "Nessuna fonte registrata.")))
    }

    /// "recorded 13 December 2023, 10:15 CET · #westpole · westpole#14 r2".
    fn foot(&self) -> Line {
        let entry = self.entry;
        let line = Line::new().text(self.reader.say("recorded ", "registrato ")).join(self.on(entry.recorded_at));
        let tag: String = entry.name.incident.as_str().replace('-', "_");
        let revision = 1 + entry.corrections.len() + usize::from(entry.retracted.is_some());
        line.text(format!(" · #{tag} · {} r{revision}", entry.name))
    }

    fn buttons(&self, muted: bool) -> Vec<Button> {
        let (handle, reader) = (&self.incident.handle, self.reader);
        let changed = !self.entry.corrections.is_empty() || self.entry.retracted.is_some();
        let history =
            changed.then(|| Button::fresh(reader.say("History", "Storia"), format!("/history {}", self.entry.name)));
        [
            Button::fresh(reader.say("Timeline", "Cronologia"), format!("/timeline {handle}")),
            Button::fresh(reader.say("Sources", "Fonti"), format!("/sources {handle}")),
            history.flatten(),
            match muted {
                false => Button::fresh(reader.say("🔕 Mute", "🔕 Silenzia"), format!("/mute {handle}")),
                true => Button::fresh(reader.say("🔔 Unmute", "🔔 Riattiva"), format!("/mute {handle} off")),
            },
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// How an entry read before one of its corrections.
fn version(entry: &Entry, correction: usize) -> &Said {
    let before = correction.checked_sub(1).and_then(|at| entry.corrections.get(at)).map(|it| &*it.to.now);
    before.or(entry.was.as_deref()).unwrap_or(&entry.said)
}

fn struck(line: &Line) -> Line {
    Line::new().struck(line.plain())
}

fn strong(line: Line) -> Line {
    Line::new().strong(line.plain())
}

/// "CET", or "+01" where a zone has no letters.
fn abbreviation(at: NaiveDateTime, zone: Tz) -> String {
    match zone.from_local_datetime(&at).earliest() {
        Some(at) => at.format("%Z").to_string(),
        None => zone.offset_from_utc_datetime(&at).fix().to_string(),
    }
}

fn abbreviation_at(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Z").to_string()
}

/// What is said before an entry, because of the way it came.
pub(super) fn before(how: &How, reader: &Reader) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    if how.repeated {
        lines.push(
            reader
                .say(
                    "↻ Sent again: nothing told me whether the first one arrived.",
                    "↻ Inviato di nuovo: non ho saputo se il primo era arrivato.",
                )
                .into(),
        );
    }
    if how.general {
        lines.push(
            reader
                .say(
                    "The topic I post in is closed or gone, so this one comes here. The next ones wait until the topic is open again; /subscribe in another topic has me post there.",
                    "L'argomento in cui pubblico è chiuso o non esiste più, perciò questo arriva qui. I prossimi aspettano che riapra; con /subscribe in un altro argomento pubblico lì.",
                )
                .into(),
        );
    }
    if how.replaces {
        lines.push(
            reader
                .say(
                    "This takes the place of an earlier message of mine, which I can no longer change.",
                    "Questo prende il posto di un mio messaggio precedente, che non posso più modificare.",
                )
                .into(),
        );
    }
    if !how.doubts.is_empty() {
        let names: Vec<String> = how.doubts.iter().map(EntryName::to_string).collect();
        let names = names.join(", ");
        lines.push(
            reader
                .say(
                    format!("An earlier message may not have reached you: {names}."),
                    format!("Un messaggio precedente potrebbe non essere arrivato: {names}."),
                )
                .into(),
        );
    }
    lines
}

/// A short message that answers the one it corrects. What happens to the entry later is seen in it, too.
pub fn correction(
    view: &View<'_>,
    incident: &Incident,
    entry: &Entry,
    number: u32,
    how: &How,
    reader: &Reader,
) -> Page<Reply> {
    let post = Post { view, incident, entry, sources: &[], reader };
    let title = Line::new().strong(incident.opening.title.plain(reader.lang));
    let mut reply = Reply::titled(title.text(reader.say(" · correction", " · correzione")));
    for line in before(how, reader) {
        reply = reply.note(line);
    }
    if let Some(at) = entry.corrections.iter().position(|it| it.number == number) {
        let words = reader.say("Corrected: ", "Corretto: ");
        reply = reply.say(Line::new().strong(words).join(prose(&entry.corrections[at].to.what, reader)));
        let later = |it: &Corrected| it.to.level != Level::Silent;
        // What this one put in place, up to the next one that was not a silent fix.
        let next = entry.corrections.iter().skip(at + 1).position(later).map(|more| at + 1 + more);
        let newest = next.and_then(|_| entry.corrections.iter().rposition(later));
        let first = |said: &Said| post.body(said).map(|lines| lines.into_iter().next().unwrap_or_default());
        let (now, was) = (first(&entry.said)?, next.map(|next| first(version(entry, next))).transpose()?);
        if let Some(was) = was.filter(|was| *was != now) {
            reply = reply.say(Line::new().struck(clipped(&was.plain(), OLD_WORDS)));
        }
        let body = vec![if entry.retracted.is_some() { struck(&now) } else { now }];
        reply.blocks.push(Block::Item(Item { head: post.head(&entry.said)?, body }));
        for mark in post.marks(newest) {
            reply = reply.say(mark);
        }
    }
    let names = format!("{} · {}", entry.name, incident.name(number));
    Ok(reply.note(names).row(Button::fresh(reader.say("History", "Storia"), format!("/history {}", entry.name))))
}

/// How many characters of what was corrected are shown, struck out.
const OLD_WORDS: usize = 800;
/// How many characters of an entry a card shows.
const SHOWN: usize = 140;

/// Entries that waited while a chat could not be reached, told together.
pub fn catch_up(view: &View<'_>, entries: &[(Incident, Entry)], how: &How, reader: &Reader) -> Page<Reply> {
    let count = entries.len();
    let title = reader.say(format!("What you missed: {count} entries"), format!("Nel frattempo: {count} voci"));
    let mut reply = Reply::titled(Line::new().strong(title));
    for line in before(how, reader) {
        reply = reply.note(line);
    }
    reply = reply.note(match how.held {
        true => reader.say(
            "This was muted here. Here is all that came meanwhile, oldest first.",
            "Gli aggiornamenti qui erano silenziati; ecco tutto quello che è arrivato nel frattempo, dal meno recente.",
        ),
        false => reader.say(
            "I could not reach this chat for a while; here is everything at once, oldest first.",
            "Per un po' non sono riuscito a raggiungere questa chat; ecco tutto insieme, a partire dalla meno recente.",
        ),
    });
    // The more there are, the less is shown of each; all are named.
    let shown = (2_400 / count.max(1)).clamp(24, SHOWN);
    let mut handles: Vec<&Incident> = Vec::new();
    for (incident, entry) in entries {
        let post = Post { view, incident, entry, sources: &[], reader };
        let kind = entry.said.kind().text().get(reader.lang);
        let head = Line::new().strong(entry.name.to_string()).text(format!(" · {kind}"));
        let words = post.body(&entry.said)?.into_iter().next().unwrap_or_default().plain();
        let words = clipped(&words, shown);
        let speaker = match &entry.said {
            Said::Statement(it) => Some(speaker(view, incident, it.speaker.as_ref(), it.capacity, reader)?),
            _ => None,
        };
        let head = match speaker {
            Some(name) => head.text(format!(" · {name}")),
            None => head,
        };
        let body = match entry.retracted {
            Some(_) => Line::new().struck(words).text(reader.say(" (retracted)", " (ritrattata)")),
            None if entry.corrections.iter().any(|it| it.to.level != Level::Silent) => {
                Line::new().text(words).text(reader.say(" (corrected)", " (corretta)"))
            }
            None => words.into(),
        };
        reply.blocks.push(Block::Item(Item { head, body: vec![body] }));
        if !handles.iter().any(|known| known.handle == incident.handle) {
            handles.push(incident);
        }
    }
    let buttons = handles.into_iter().take(5).filter_map(|incident| {
        Button::fresh(incident.opening.title.plain(reader.lang), format!("/timeline {}", incident.handle))
    });
    Ok(reply.row(buttons.collect::<Vec<_>>()))
}

/// The beginning of a text in so many characters, cut at a blank where there is one.
pub fn clipped(text: &str, most: usize) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= most {
        return text;
    }
    let short: String = text.chars().take(most).collect();
    let end = short.rfind(' ').filter(|end| *end > short.len() / 2).unwrap_or(short.len());
    format!("{}…", short[..end].trim_end_matches('\u{200d}'))
}

/// What a set will be posted as, once it is recorded: its last entry, with the sources that come with it.
pub fn preview(view: &View<'_>, set: &[Draft], at: DateTime<Utc>, reader: &Reader) -> Page<Reply> {
    let Some(draft) = set.last() else { return Ok(Reply::default()) };
    let known = view.incident(draft.incident.as_str())?;
    let incident = match (&draft.said, known) {
        (_, Some(incident)) => incident,
        (said, None) => unopened(draft, said, at),
    };
    let entry_of = |place: usize, draft: &Draft| Entry {
        name: incident.name(incident.last + 1 + u32::try_from(place).unwrap_or(0)),
        commit: u64::MAX,
        recorded_at: at,
        author: draft.author.clone(),
        key: draft.key.clone(),
        importance: draft.importance,
        known: draft.known,
        first_importance: draft.importance,
        first_known: draft.known,
        dossier: false,
        cite: 0,
        said: draft.said.clone(),
        was: None,
        corrections: Vec::new(),
        retracted: None,
    };
    let number = incident.last + u32::try_from(set.len()).unwrap_or(1);
    let entry = match &draft.said {
        Said::Correction(it) => {
            let Some(mut entry) = it.subject.number().map_or(Ok(None), |it| view.entry(&incident, it, None))? else {
                return Ok(Reply::default());
            };
            let before = std::mem::replace(&mut entry.said, (*it.now).clone());
            entry.was.get_or_insert(Box::new(before));
            entry.importance = it.importance.unwrap_or(entry.importance);
            entry.corrections.push(Corrected { number, recorded_at: at, dossier: false, to: it.clone() });
            entry
        }
        Said::Retraction(it) => {
            let Some(mut entry) = it.subject.number().map_or(Ok(None), |it| view.entry(&incident, it, None))? else {
                return Ok(Reply::default());
            };
            entry.retracted = Some(Retracted { number, recorded_at: at, why: it.why.clone() });
            entry
        }
        _ => entry_of(set.len() - 1, draft),
    };
    let mut sources = Vec::new();
    for source in entry.said.sources() {
        match source {
            Ref::Number(number) => sources.extend(view.entry(&incident, *number, None)?),
            Ref::Here(place) => sources.extend(set.get(*place).map(|draft| entry_of(*place, draft))),
        }
    }
    Post { view, incident: &incident, entry: &entry, sources: &sources, reader }.reply(&How::default())
}

/// An incident that is about to be opened.
fn unopened(draft: &Draft, said: &Said, at: DateTime<Utc>) -> Incident {
    let untitled = Opening { title: crate::lang::Prose::ours(super::UNTITLED), summary: None, zone: Tz::UTC };
    let opening = match said {
        Said::Opening(opening) => opening.clone(),
        _ => untitled,
    };
    Incident {
        id: 0,
        handle: draft.incident.clone(),
        opening,
        opened_at: at,
        last: 0,
        last_at: at,
        timeline: 0,
        sources: 0,
    }
}
