//! What changed since somebody last looked: a line an entry.

use super::{Page, Reader, foreign, moment, speaker, time};
use crate::{
    entry::{Kind, Said},
    lang::Prose,
    reply::Line,
    view::{Entry, Incident, View},
};

/// How many characters of a text stand in a line.
const SHORT: usize = 200;

/// An entry in one line: "**13 December 2023** · Westpole: Exfiltration is unlikely… · westpole#14"; a correction or
/// retraction says what became of which entry.
pub fn news_line(view: &View<'_>, incident: &Incident, entry: &Entry, reader: &Reader) -> Page<Line> {
    let zone = reader.zone_for(incident);
    let subject = entry.said.subject().and_then(|subject| subject.number()).map(|number| incident.name(number));
    let line = match (&entry.said, subject) {
        (Said::Correction(it), Some(subject)) => {
            let line = Line::new().strong(reader.say("Corrected", "Corretta")).text(format!(" {subject}, "));
            line.span(moment(entry.recorded_at, zone, reader)).text(": ").join(short(&it.what, false, reader))
        }
        (Said::Retraction(it), Some(subject)) => {
            let line = Line::new().strong(reader.say("Retracted", "Ritrattata")).text(format!(" {subject}, "));
            line.span(moment(entry.recorded_at, zone, reader)).text(": ").join(short(&it.why, false, reader))
        }
        _ => {
            let head = match entry.said.when() {
                Some(when) => Line::new().span(time(when, incident, reader)),
                None => Line::new().strong(capital(entry.said.kind(), reader)),
            };
            head.text(": ").join(gist(view, incident, entry, reader)?)
        }
    };
    Ok(line.soft(format!(" · {}", entry.name)))
}

/// What an entry says, shortened; struck out once it is retracted.
fn gist(view: &View<'_>, incident: &Incident, entry: &Entry, reader: &Reader) -> Page<Line> {
    let struck = entry.retracted.is_some();
    let states = |words: &[Option<&str>]| words.iter().flatten().copied().collect::<Vec<_>>().join(", ");
    Ok(match &entry.said {
        Said::Event(it) => short(&it.text, struck, reader),
        Said::Statement(it) => {
            let who = speaker(view, incident, it.speaker.as_ref(), it.capacity, reader)?;
            Line::new().text(format!("{who}: ")).join(short(&it.gist, struck, reader))
        }
        Said::Figure(it) => {
            Line::new().text(format!("{}: ", it.label.plain(reader.lang))).join(short(&it.value, struck, reader))
        }
        Said::Claim(it) => short(&it.text, struck, reader),
        Said::Opening(it) => short(&it.title, struck, reader),
        Said::Source(it) => match &it.title {
            Some(title) => words(&format!("{}, {title}", it.publisher), struck),
            None => words(&it.publisher, struck),
        },
        Said::Organisation(it) => words(&it.name, struck),
        Said::Status(it) => words(
            &states(&[
                it.service.map(|state| state.text().get(reader.lang)),
                it.disclosure.map(|state| state.text().get(reader.lang)),
            ]),
            struck,
        ),
        Said::Correction(it) => short(&it.what, struck, reader),
        Said::Retraction(it) => short(&it.why, struck, reader),
    })
}

fn short(text: &Prose, struck: bool, reader: &Reader) -> Line {
    let (text, other) = text.read(reader.lang);
    words(text, struck).join(foreign(other, reader))
}

/// Cut between two words, so that nothing is torn that belongs together.
fn words(text: &str, struck: bool) -> Line {
    let mut kept = String::new();
    for word in text.split_whitespace() {
        if !kept.is_empty() && kept.chars().count() + word.chars().count() > SHORT {
            kept.push_str(" …");
            break;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    if struck { Line::new().struck(kept) } else { Line::new().text(kept) }
}

fn capital(kind: Kind, reader: &Reader) -> String {
    let mut letters = kind.text().get(reader.lang).chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
