//! What a chat follows, in words: subscriptions with their filters, mutes, and what stands in the way of posting.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;

use super::{Page, Reader, moment};
use crate::{
    channel::{Channel, Mute, Network},
    entry::{Importance, Kind},
    lang::Text,
    outbox::Trouble,
    reply::{Block, Item, Line, Reply},
    subscription::{Follow, What},
    view::View,
};

/// The zone of moments that belong to no incident, for those who chose none.
const ZONE: Tz = Tz::Europe__Rome;

/// The zone in which a reader is told of moments that belong to no incident.
pub fn clock(reader: &Reader) -> Tz {
    reader.zone.unwrap_or(ZONE)
}

/// The name of what is followed: an incident's title, an organisation's name.
pub fn followed(view: &View<'_>, what: &What, reader: &Reader) -> Page<String> {
    Ok(match what {
        What::All => reader.say("every incident", "tutti gli incidenti").to_owned(),
        What::Incident(handle) => match view.incident(handle.as_str())? {
            Some(incident) => incident.opening.title.plain(reader.lang).to_owned(),
            None => handle.to_string(),
        },
        What::Organisation(handle) => {
            let first = view.incidents_with(handle)?.into_iter().next();
            let member = first.map(|incident| view.member(&incident, handle)).transpose()?.flatten();
            member.map_or_else(|| handle.to_string(), |(organisation, _)| organisation.name)
        }
    })
}

/// What is posted, as the rest of a sentence: "I post every new entry about **Westpole** here; without a sound."
pub fn promise(view: &View<'_>, follow: &Follow, elsewhere: Option<&str>, reader: &Reader) -> Page<Line> {
    let place = elsewhere.map(|name| reader.say(format!("in {name}"), format!("in {name}")));
    let place = place.unwrap_or_else(|| reader.say("here", "qui").to_owned());
    let narrow = narrows(follow);
    let entries = match narrow {
        true => reader.say("new entries", "le nuove voci"),
        false => reader.say("every new entry", "ogni nuova voce"),
    };
    let name = followed(view, &follow.what, reader)?;
    let start = reader.say(format!("I post {entries} "), format!("pubblico {place} {entries} "));
    let mut line = Line::new().text(start);
    line = match &follow.what {
        What::All => line.text(reader.say("of ", "di ")).strong(name),
        What::Incident(_) => line.text(reader.say("about ", "su ")).strong(name),
        What::Organisation(_) => line
            .text(reader.say("about ", "su "))
            .strong(name)
            .text(reader.say(" and about the incidents it is part of", " e sugli incidenti in cui compare")),
    };
    line = line.text(reader.say(format!(" {place}"), String::new()));
    let filters = filters(follow, reader);
    if !filters.is_empty() {
        line = line.text(if narrow { ": " } else { "; " }).text(filters.join("; "));
    }
    Ok(line.text("."))
}

/// Whether some entries do not pass.
fn narrows(follow: &Follow) -> bool {
    follow.min_importance > Importance::Minor || !follow.kinds.is_empty() || !follow.words.is_empty()
}

/// Each filter in a few words; none lets everything pass, with a sound.
pub fn filters(follow: &Follow, reader: &Reader) -> Vec<String> {
    let mut filters = Vec::new();
    match follow.min_importance {
        Importance::Minor => {}
        Importance::Normal => filters.push(
            reader.say("only of normal or major importance", "solo quelle di importanza normale o maggiore").to_owned(),
        ),
        Importance::Major => {
            filters.push(reader.say("only of major importance", "solo quelle di importanza maggiore").to_owned());
        }
    }
    if !follow.kinds.is_empty() {
        let kinds: Vec<String> = follow.kinds.iter().map(|kind| plural(*kind).get(reader.lang).to_owned()).collect();
        filters.push(format!("{} {}", reader.say("only", "solo"), listed(&kinds, reader.say("and", "e"))));
    }
    if !follow.words.is_empty() {
        let quoted = |word: &String| reader.say(format!("“{word}”"), format!("«{word}»"));
        let words: Vec<String> = follow.words.iter().map(quoted).collect();
        let (one, words) = (words.len() == 1, listed(&words, reader.say("or", "o")));
        filters.push(match one {
            true => reader.say(format!("only with the word {words}"), format!("solo con la parola {words}")),
            false => reader.say(format!("only with the words {words}"), format!("solo con le parole {words}")),
        });
    }
    if follow.silent {
        filters.push(reader.say("without a sound", "senza suono").to_owned());
    }
    if follow.lapses {
        filters.push(
            reader
                .say("also when a promised update is overdue", "anche quando un aggiornamento promesso è in ritardo")
                .to_owned(),
        );
    }
    if let Some(mention) = follow.mention {
        let role = mention.role;
        filters.push(match mention.from {
            Importance::Minor => {
                reader.say(format!("calling role {role} each time"), format!("chiamando ogni volta il ruolo {role}"))
            }
            Importance::Normal => reader.say(
                format!("calling role {role} from normal importance on"),
                format!("chiamando il ruolo {role} dall'importanza normale in su"),
            ),
            Importance::Major => reader.say(
                format!("calling role {role} only for what is of major importance"),
                format!("chiamando il ruolo {role} solo per ciò che è di importanza maggiore"),
            ),
        });
    }
    filters
}

/// "a, b and c".
fn listed(names: &[String], and: &str) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} {and} {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Several entries of a kind.
pub fn plural(kind: Kind) -> Text {
    match kind {
        Kind::Opening => Text { en: "openings", it: "aperture" },
        Kind::Event => Text { en: "events", it: "eventi" },
        Kind::Statement => Text { en: "statements", it: "dichiarazioni" },
        Kind::Claim => Text { en: "claims", it: "affermazioni" },
        Kind::Figure => Text { en: "figures", it: "dati" },
        Kind::Source => Text { en: "sources", it: "fonti" },
        Kind::Organisation => Text { en: "organisations", it: "organizzazioni" },
        Kind::Status => Text { en: "changes of status", it: "cambi di stato" },
        Kind::Correction => Text { en: "corrections", it: "correzioni" },
        Kind::Retraction => Text { en: "retractions", it: "ritrattazioni" },
    }
}

/// Everything that a chat follows, with its filters and mutes, and why it gets nothing, if that is so.
pub fn subscriptions(
    view: &View<'_>,
    channel: &Channel,
    trouble: Option<&Trouble>,
    at: DateTime<Utc>,
    reader: &Reader,
) -> Page<Reply> {
    let mut reply = Reply::titled(Line::new().strong(reader.say("Followed here", "Seguiti qui")));
    reply.personal = true;
    let network = channel.address.network();
    if let (Some(trouble), Some(network)) = (trouble, network) {
        reply = reply.say(in_trouble(trouble, network, reader));
    }
    for subscription in &channel.subscriptions {
        let follow = &subscription.follow;
        let name = followed(view, &follow.what, reader)?;
        let head = Line::new().strong(name).soft(format!(" · {}", follow.what));
        let filters = filters(follow, reader);
        let words = match filters.is_empty() {
            true => reader.say("every entry", "ogni voce").to_owned(),
            false => filters.join("; "),
        };
        reply.blocks.push(Block::Item(Item { head, body: vec![words.into()] }));
    }
    let mut body = Vec::new();
    for mute in channel.mutes.iter().filter(|mute| channel.mutes(&mute.incident, at)) {
        body.push(muted(view, mute, reader)?);
    }
    if !body.is_empty() {
        let head = Line::new().strong(reader.say("Muted", "Silenziati"));
        reply.blocks.push(Block::Item(Item { head, body }));
    }
    Ok(reply)
}

/// "Westpole until 5 January 2026, 18:00 (Europe/Rome)".
fn muted(view: &View<'_>, mute: &Mute, reader: &Reader) -> Page<Line> {
    let line = Line::new().text(followed(view, &What::Incident(mute.incident.clone()), reader)?);
    Ok(line.text(" ").join(until(mute.until, reader)))
}

/// "until 5 January 2026, 18:00 (Europe/Rome)", or until somebody ends it.
pub fn until(until: Option<DateTime<Utc>>, reader: &Reader) -> Line {
    match until {
        Some(until) => {
            let zone = clock(reader);
            at_moment(("until ", "fino al ", "fino all'"), until, reader).text(format!(" ({})", super::zone_name(zone)))
        }
        None => reader.say("until you end it", "finché non lo riattivi").into(),
    }
}

/// Why nothing can be posted in a chat at the moment, and what becomes of it.
pub fn in_trouble(trouble: &Trouble, network: Network, reader: &Reader) -> Line {
    let since = DateTime::<Utc>::from_timestamp_millis(trouble.since).unwrap_or_default();
    let (network, why) = (network.name(), &trouble.why);
    let line = Line::new().strong(match trouble.closed {
        true => reader.say("The topic is closed", "L'argomento è chiuso"),
        false => reader.say("I cannot post here", "Non riesco a pubblicare qui"),
    });
    let line = line.join(at_moment((" since ", " dal ", " dall'"), since, reader));
    line.text(reader.say(
        format!(": {network} says “{why}”. What is due waits for 30 days, and comes as soon as I am let in again."),
        format!(": {network} risponde «{why}». Quel che è in attesa si conserva 30 giorni e arriva appena posso di nuovo scrivere."),
    ))
}

/// A moment behind a word; the Italian one has a form for days that begin with a vowel: "fino all'8 gennaio".
pub(super) fn at_moment((en, it, vowel): (&str, &str, &str), at: DateTime<Utc>, reader: &Reader) -> Line {
    let zone = clock(reader);
    let it = if matches!(at.with_timezone(&zone).day(), 8 | 11) { vowel } else { it };
    Line::new().text(reader.say(en, it)).span(moment(at, zone, reader))
}
