//! `/undo`: takes back one's own last entry, while it is fresh.

use chrono::TimeDelta;
use record::{
    entry::{Draft, Kind, Ref, Retraction, Said},
    import::random_key,
    lang::{Prose, Text},
    pages,
    reply::{Block, Button, Line, Reply, Tone},
    store::{Drafted, Expect, Set},
    view::{Entry, Incident},
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room, compose, unsaid};

/// `/undo`
pub static UNDO: Command = Command {
    name: "undo",
    about: Text {
        en: "Take back your own last entry, within ten minutes",
        it: "Ritira la tua ultima voce, entro dieci minuti",
    },
    args: &[],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: undo,
};

/// For how long an entry can be taken back without saying which, and why.
const MINUTES: i64 = 10;
const BY_MISTAKE: Text = Text { en: "recorded by mistake", it: "registrata per errore" };

fn undo(room: &Room<'_>, ask: &Ask, _: &Given) -> Result<Reply, Failure> {
    let author = room.view.author(&compose::address(ask))?;
    let since = ask.at - TimeDelta::minutes(MINUTES);
    let last = author.map(|author| room.view.last_by(&author, since)).transpose()?.flatten();
    let Some((incident, entry)) = last else { return Err(nothing(ask)) };
    match &entry.said {
        // Asked again, it is answered again.
        Said::Retraction(it) if it.why == Prose::ours(BY_MISTAKE) => return undone(room, ask, &incident, &entry),
        Said::Retraction(it) => return Err(not_this_way(ask, &incident, &entry, it.subject, TAKES_BACK)),
        Said::Correction(it) => return Err(not_this_way(ask, &incident, &entry, it.subject, CORRECTS)),
        Said::Opening(_) => return Err(opens(ask, &entry)),
        _ => {}
    }
    if let Some(retracted) = &entry.retracted {
        return Err(compose::retracted(ask, entry.name.clone(), incident.name(retracted.number)));
    }
    let receipt = compose::write(room, ask, set(ask, &incident, &entry)?)?;
    // The same ask a second time: what it wrote the first time.
    let view = room.store.view();
    let retraction = match view.recorded_at(receipt.first)? {
        Some((incident, number)) => view.entry(&incident, number, None)?.map(|retraction| (incident, retraction)),
        None => None,
    };
    match retraction {
        Some((incident, retraction)) => undone(room, ask, &incident, &retraction),
        None => Err(Failure::Broke(format!("what was undone at {} is not there", receipt.first))),
    }
}

fn set(ask: &Ask, incident: &Incident, entry: &Entry) -> Result<Set, Failure> {
    let why = Prose::ours(BY_MISTAKE);
    let retraction = Draft {
        incident: incident.handle.clone(),
        author: entry.author.clone(),
        key: random_key().map_err(|not_said| unsaid(ask, not_said))?,
        importance: entry.importance,
        known: None,
        dossier: false,
        push: true,
        said: Said::Retraction(Retraction { subject: Ref::Number(entry.name.number), why }),
    };
    let expects = vec![Expect::Unrevised { entry: entry.name.clone(), seen: compose::newest(entry) }];
    Ok(Set { ask: ask.key.clone(), expects, said: vec![Drafted::from(retraction)], at: ask.at })
}

/// What was taken back, struck out, as it stands in the record now.
fn undone(room: &Room<'_>, ask: &Ask, incident: &Incident, retraction: &Entry) -> Result<Reply, Failure> {
    let view = room.store.view();
    let subject = retraction.said.subject().and_then(Ref::number);
    let entry = subject.map(|number| view.entry(incident, number, None)).transpose()?.flatten();
    let Some(entry) = entry else {
        return Err(Failure::Broke(format!("{} takes back what is not there", retraction.name)));
    };
    let name = entry.name.to_string();
    let line = Line::new().strong(&name).text(ask.say(" is taken back, with ", " è ritirata, con "));
    let line = line.strong(retraction.name.to_string()).text(ask.say(
        ". Whoever has not been sent it yet will not be; where it was posted, it is struck out.",
        ". A chi non è ancora arrivata non arriverà; dove è già stata pubblicata, viene barrata.",
    ));
    let mut reply = Reply::personal(Tone::Good, line);
    let (item, cited) = pages::entry_item(&view, incident, &entry, &ask.reader())?;
    reply = reply.with(Block::Item(item));
    reply.sources = cited;
    // Sources that were recorded with it, in the same set.
    for source in view.cited(incident, &entry, None)? {
        if source.recorded_at == entry.recorded_at && source.author == entry.author && source.retracted.is_none() {
            let command = format!("/retract {} | …", source.name);
            let words = ask.say("Its source stays, as ", "La sua fonte resta, come ");
            let line = Line::new().text(words).strong(source.name.to_string());
            reply = reply
                .note(line.text(ask.say("; to take it back, too: ", "; per ritirare anche quella: ")).code(command));
        }
    }
    Ok(reply.row(Button::new(ask.say("History", "Storia"), format!("/history {name}"))))
}

fn nothing(ask: &Ask) -> Failure {
    let line = Line::new()
        .text(ask.say(
            "You have recorded nothing in the last ten minutes. To take back what is older, say which entry and why: ",
            "Negli ultimi dieci minuti non hai registrato nulla. Per ritirare qualcosa di meno recente, di' quale voce e perché: ",
        ))
        .code(ask.say("/retract westpole#14 | why", "/retract westpole#14 | perché"))
        .text(".");
    Failure::refused(line)
}

const CORRECTS: (Text, Text) = (
    Text { en: " corrects ", it: " corregge " },
    Text {
        en: ". A correction cannot be undone, but corrected again: ",
        it: ". Una correzione non si annulla, ma si può correggere di nuovo: ",
    },
);
const TAKES_BACK: (Text, Text) = (
    Text { en: " takes back ", it: " ritira " },
    Text { en: ". That is final; how it came about is told by ", it: ". È definitivo; com'è andata lo dice " },
);

fn not_this_way(ask: &Ask, incident: &Incident, entry: &Entry, subject: Ref, (does, so): (Text, Text)) -> Failure {
    let subject = incident.name(subject.number().unwrap_or_default());
    let command = match entry.said.kind() {
        Kind::Correction => format!("/correct {subject} | … | …"),
        _ => format!("/history {subject}"),
    };
    let line = Line::new().text(ask.say("Your last entry, ", "La tua ultima voce, ")).strong(entry.name.to_string());
    let line = line.text(",").text(does.get(ask.lang)).strong(subject.to_string());
    let line = line.text(so.get(ask.lang)).code(command).text(".");
    let history = Button::new(ask.say("History", "Storia"), format!("/history {subject}"));
    Failure::Refused(Box::new(Reply::personal(Tone::Polite, line).row(history)))
}

fn opens(ask: &Ask, entry: &Entry) -> Failure {
    let line = Line::new().strong(entry.name.to_string()).text(ask.say(
        " opens its incident and cannot be taken back. Its title can be put right with ",
        " apre il suo incidente e non si può ritirare. Il titolo si corregge con ",
    ));
    Failure::refused(line.code(format!("/correct {} | … | …", entry.name)).text("."))
}
