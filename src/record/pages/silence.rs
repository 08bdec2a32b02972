//! How long it has been quiet, in words; and that a promise lapsed, for those who remind and those who asked to hear.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Page, Reader, notice::How, speaker};
use crate::{
    entry::Said,
    reply::{Button, Line, Reply, Tone},
    silence::{Promise, Silence},
    spoken,
    statement::Statement,
    view::{Entry, Incident, View, local},
    when::{Point, Stamp, When},
};

/// Up to how many days ago something is counted in days; what is longer ago is told by its date.
const COUNTED: i64 = 99;

/// "Last official statement 9 days ago; promised update overdue 3 days."
pub(super) fn line(silence: &Silence, incident: &Incident, at: DateTime<Utc>, reader: &Reader) -> Option<Line> {
    let now = local(at, incident.zone());
    let last = silence.last.map(|when| last(&when, now, reader));
    let promise = silence.promise.map(|promise| match promise.overdue {
        Some(_) => overdue(&promise, now, reader),
        None => promised(&promise, incident, reader),
    });
    let parts: Vec<String> = last.into_iter().chain(promise).collect();
    let mut words = parts.join("; ");
    if words.is_empty() {
        return None;
    }
    let first = words.remove(0);
    Some(Line::new().text(format!("{}{words}.", first.to_uppercase())))
}

/// "last official statement 9 days ago"; where the day is not known, or is long past, its date.
fn last(when: &When, now: NaiveDateTime, reader: &Reader) -> String {
    let day = match when {
        When::At(Point { stamp: Stamp::Day(_) | Stamp::Minute(_) | Stamp::Hour(_), about: false }) => when.earliest(),
        _ => None,
    };
    let days = day.map(|day| (now.date() - day.date()).num_days()).filter(|days| (0..=COUNTED).contains(days));
    match days {
        Some(0) => reader.say("last official statement today", "ultima dichiarazione ufficiale oggi").to_owned(),
        Some(days) => reader.say(
            format!("last official statement {} ago", counted(days, ("day", "days"))),
            format!("ultima dichiarazione ufficiale {} fa", counted(days, ("giorno", "giorni"))),
        ),
        None => {
            let date = spoken::when(when, reader.lang);
            reader.say(format!("last official statement: {date}"), format!("ultima dichiarazione ufficiale: {date}"))
        }
    }
}

/// "promised update overdue 3 days".
fn overdue(promise: &Promise, now: NaiveDateTime, reader: &Reader) -> String {
    let since = promise.overdue.unwrap_or(now);
    let (en, it) = late(&promise.by, since, now);
    reader.say(format!("promised update overdue {en}"), format!("aggiornamento promesso in ritardo di {it}"))
}

/// How late it is: in days, or, where it was promised by a clock time, in hours and minutes on the first day.
fn late(by: &When, since: NaiveDateTime, now: NaiveDateTime) -> (String, String) {
    let passed = now - since;
    let days = match by.has_clock() {
        true => passed.num_days(),
        false => (now.date() - since.date()).num_days(),
    };
    let (count, en, it) = if days > 0 {
        (days, ("day", "days"), ("giorno", "giorni"))
    } else if passed >= TimeDelta::hours(1) {
        (passed.num_hours(), ("hour", "hours"), ("ora", "ore"))
    } else {
        (passed.num_minutes().max(1), ("minute", "minutes"), ("minuto", "minuti"))
    };
    (counted(count, en), counted(count, it))
}

/// "1 day", "3 days".
fn counted(count: i64, (one, many): (&str, &str)) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn promised(promise: &Promise, incident: &Incident, reader: &Reader) -> String {
    let by = spoken::by(&promise.by.in_zone(incident.zone(), reader.zone_for(incident)), reader.lang);
    reader.say(format!("update promised {by}"), format!("aggiornamento promesso {by}"))
}

/// That a promise lapsed: who promised what by when, for moderators to look after it.
pub fn lapse(view: &View<'_>, incident: &Incident, promise: &Entry, reader: &Reader) -> Page<Reply> {
    let line = broken(view, incident, promise, reader)?;
    let mut reply = Reply::titled(Line::new().strong(incident.opening.title.plain(reader.lang))).say(line);
    reply.tone = Tone::Watch;
    let (open, close) = reader.say(
        ("If they spoke meanwhile, record it with ", ". You are reminded of this once."),
        ("Se nel frattempo si sono espressi, registralo con ", ". Te lo ricordo una volta sola."),
    );
    let handle = &incident.handle;
    let reply = reply.note(Line::new().text(open).code(format!("/statement {handle}")).text(close));
    let buttons = [
        (reader.say("Incident", "Incidente"), format!("/incident {handle}")),
        (reader.say("How to record it", "Come si registra"), "/help statement".to_owned()),
    ];
    Ok(reply.row(buttons.into_iter().filter_map(|(label, line)| Button::new(label, line))))
}

/// That a promise lapsed, as it is posted to those who asked to hear.
pub fn lapsed(view: &View<'_>, (incident, promise): (&Incident, &Entry), how: &How, reader: &Reader) -> Page<Reply> {
    let mut reply = Reply::titled(Line::new().strong(incident.opening.title.plain(reader.lang)));
    reply.tone = Tone::Watch;
    for line in super::notice::before(how, reader) {
        reply = reply.note(line);
    }
    let reply = reply.say(broken(view, incident, promise, reader)?);
    let foot = Line::new().code(promise.name.to_string());
    // In a group its answer is a message of its own: what everybody reads stays what it is.
    let card = Button::new(reader.say("Incident", "Incidente"), format!("/incident {}", incident.handle))
        .map(Button::freshened);
    Ok(reply.note(foot).row(card))
}

/// "The update that ACN promised by 14 December 2023, 18:00 (Europe/Rome) has not come."
fn broken(view: &View<'_>, incident: &Incident, promise: &Entry, reader: &Reader) -> Page<Line> {
    let Said::Statement(Statement { speaker: who, capacity, promises: Some(by), .. }) = &promise.said else {
        return Ok(Line::new());
    };
    let zone = reader.zone_for(incident);
    let clock = if by.has_clock() { format!(" ({})", super::zone_name(zone)) } else { String::new() };
    let by = format!("{}{clock}", spoken::by(&by.in_zone(incident.zone(), zone), reader.lang));
    Ok(match who {
        None => Line::new().text(reader.say(
            format!("The update that was promised {by} has not come."),
            format!("L'aggiornamento promesso {by} non è arrivato."),
        )),
        Some(_) => {
            let name = speaker(view, incident, who.as_ref(), *capacity, reader)?;
            let (open, close) = reader.say(
                ("The update that ", format!(" promised {by} has not come.")),
                ("L'aggiornamento che ", format!(" aveva promesso {by} non è arrivato.")),
            );
            Line::new().text(open).strong(name).text(close)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().expect(text)
    }

    #[test]
    fn what_is_late_is_counted_in_the_right_number() {
        let late = |by: &str, now: &str| {
            let by: When = by.parse().expect(by);
            late(&by, by.latest().expect("an end"), at(now))
        };
        let said = |en: &str, it: &str| (en.to_owned(), it.to_owned());
        assert_eq!(late("2023-12-14T18:00", "2023-12-14T18:01:00"), said("1 minute", "1 minuto"));
        assert_eq!(late("2023-12-14T18:00", "2023-12-14T18:40:00"), said("40 minutes", "40 minuti"));
        assert_eq!(late("2023-12-14T18:00", "2023-12-14T19:10:00"), said("1 hour", "1 ora"));
        assert_eq!(late("2023-12-14T18:00", "2023-12-15T17:00:00"), said("23 hours", "23 ore"));
        assert_eq!(late("2023-12-14T18:00", "2023-12-15T18:00:00"), said("1 day", "1 giorno"));
        assert_eq!(late("2023-12-14", "2023-12-15T00:10:00"), said("1 day", "1 giorno"));
        assert_eq!(late("2023-12-14", "2023-12-17T10:00:00"), said("3 days", "3 giorni"));
    }

    #[test]
    fn the_last_statement_is_counted_in_days_while_that_says_something() {
        let last = |when: &str, lang| {
            last(&when.parse().expect(when), at("2023-12-17T10:00:00"), &Reader { lang, zone: None })
        };
        assert_eq!(last("2023-12-17", Lang::En), "last official statement today");
        assert_eq!(last("2023-12-16", Lang::It), "ultima dichiarazione ufficiale 1 giorno fa");
        assert_eq!(last("2023-12-08T10:00", Lang::En), "last official statement 9 days ago");
        assert_eq!(last("2023-12", Lang::En), "last official statement: December 2023");
        assert_eq!(last("2023-02-01", Lang::It), "ultima dichiarazione ufficiale: 1º febbraio 2023");
    }
}
