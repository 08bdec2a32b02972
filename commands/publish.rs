//! `/publish`: records a draft.

use record::{
    entry::Draft,
    lang::Text,
    private::{self, Address, Fact},
    reply::{Block, Button, Line, Reply, Tone},
    slug::Slug,
    store::{Drafted, Set},
};

use crate::{
    claim, close, correct, event, figure,
    kit::{
        self, Arg, Ask, Command, Failure, Given, Recording, Role, Room, Shape, Spec, compose, decide, letters,
        read_flag, shown,
    },
    open, organisation, promise, retract, source, statement, status, suggest,
};

/// `/publish draft [quiet]`
pub static PUBLISH: Command = Command {
    name: "publish",
    about: Text { en: "Record a draft", it: "Registra una bozza" },
    args: &[&DRAFT.spec, &QUIET.spec],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "71",
    run: publish,
};

/// Which draft.
pub static DRAFT: Arg<u64> = Arg {
    spec: Spec {
        name: "draft",
        about: Text {
            en: "The draft's number, as its buttons have it",
            it: "Il numero della bozza, come nei suoi pulsanti",
        },
        required: true,
        shape: Shape::Number,
    },
    read: read_draft,
};

static QUIET: Arg<bool> = Arg {
    spec: Spec {
        name: "quiet",
        about: Text { en: "Without telling anybody: yes or no", it: "Senza avvisare nessuno: sì o no" },
        required: false,
        shape: Shape::Flag,
    },
    read: read_flag,
};

fn read_draft(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<u64, Failure> {
    typed.parse().map_err(|_| {
        let words = ask.say("A draft has a number, and this is none: ", "Una bozza ha un numero, e questo non lo è: ");
        Failure::refused(Line::new().text(words).strong(shown(typed)).text("."))
    })
}

/// Every command that records.
static RECORDINGS: &[&Recording] = &[
    &event::RECORDING,
    &statement::RECORDING,
    &promise::RECORDING,
    &source::RECORDING,
    &figure::RECORDING,
    &claim::RECORDING,
    &organisation::RECORDING,
    &status::RECORDING,
    &correct::RECORDING,
    &retract::RECORDING,
    &open::RECORDING,
    &suggest::RECORDING,
    &close::RECORDING,
];

/// The command that made a draft.
pub fn recording(name: &str) -> Result<&'static Recording, Failure> {
    let known = RECORDINGS.iter().copied().find(|recording| recording.command.name == name);
    known.ok_or_else(|| Failure::Broke(format!("a draft was made with /{name}, which records nothing")))
}

fn publish(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    let quiet = QUIET.of(room, ask, given)?.unwrap_or(false);
    let draft = match compose::waiting(room, ask, number)? {
        Ok(draft) => draft,
        Err(over) => return Ok(over),
    };
    let recording = recording(&draft.command)?;
    let (author, person) = compose::author(room, ask)?;
    let mut entries = compose::entries(room, ask, recording, &draft, author)?;
    let Some(incident) = entries.last().map(|last| last.incident.clone()) else {
        return Err(Failure::Broke(format!("draft {number} records nothing")));
    };
    decide::may_decide(ask, &incident)?;
    decide::no_leak(room, ask, &entries)?;
    if let Some(reply) = news_since(room, ask, recording, (number, &draft), &incident)? {
        return Ok(reply);
    }
    if let Some(reply) = second(room, ask, (number, &draft), &entries, &incident)? {
        return Ok(reply);
    }
    if quiet {
        entries.iter_mut().for_each(|entry| entry.push = false);
    }
    let mut said: Vec<Drafted> = entries.into_iter().map(Drafted::from).collect();
    said.extend(person.map(Drafted::Fact));
    said.push(Drafted::Fact(Fact::Decided { draft: number, published: true, by: ask.caller.address.clone() }));
    let expects = compose::expects(room, ask, &draft)?;
    let receipt = compose::write(room, ask, Set { ask: Some(compose::decision(number)), expects, said, at: ask.at })?;
    let Some(name) = receipt.entries.last().filter(|_| !receipt.repeated) else {
        // Somebody was faster.
        return match compose::waiting(room, ask, number)? {
            Err(over) => Ok(over),
            Ok(_) => Err(Failure::Broke(format!("draft {number} was decided on and still waits"))),
        };
    };
    letters::recorded(room, ask, name, None)
}

/// What was recorded since the draft was made is told once before it is published.
fn news_since(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    (number, draft): (u64, &private::Draft),
    incident: &Slug,
) -> Result<Option<Reply>, Failure> {
    // Of a correction, what matters is whether its entry was changed: that is looked at when it is written.
    let known = draft.last.filter(|_| draft.seen.is_none());
    let (Some(known), Some(incident)) = (known, room.view.incident(incident.as_str())?) else { return Ok(None) };
    let new = incident.last.saturating_sub(known);
    if new == 0 {
        return Ok(None);
    }
    let fact = Fact::Redraft { draft: number, importance: None, level: None, last: Some(incident.last) };
    kit::note(room, ask, fact)?;
    let newest = incident.name(incident.last);
    let words = match new {
        1 => ask.say(
            format!("Since this was prepared, an entry was recorded: {newest}. Publish again if this still holds."),
            format!("Da quando è stata preparata è stata registrata una voce: {newest}. Se vale ancora, pubblica di nuovo."),
        ),
        new => ask.say(
            format!("Since this was prepared, {new} entries were recorded, the last one {newest}. Publish again if this still holds."),
            format!("Da quando è stata preparata sono state registrate {new} voci, l'ultima {newest}. Se vale ancora, pubblica di nuovo."),
        ),
    };
    let mut reply = compose::preview(room, ask, recording, number, draft)?;
    reply.blocks.insert(0, Block::Text(Line::new().strong(words)));
    Ok(Some(reply))
}

/// Where two people must want it, and whoever asks is the first: notes that, and shows it to the others.
fn second(
    room: &Room<'_>,
    ask: &Ask,
    (number, draft): (u64, &private::Draft),
    entries: &[Draft],
    incident: &Slug,
) -> Result<Option<Reply>, Failure> {
    let Some(danger) = decide::danger(room, entries) else { return Ok(None) };
    if decide::moderators(room, incident)?.len() < 2 {
        return Ok(None);
    }
    let me = decide::who(ask);
    let mut want = room.view.draft(number)?.map(|row| row.approvals).unwrap_or_default();
    if !draft.suggested {
        want.push(draft.by.clone().unwrap_or_else(|| Address(decide::OPERATOR.to_owned())));
    }
    if want.iter().any(|other| *other != me) {
        return Ok(None);
    }
    let known = room.view.draft(number)?.is_some_and(|row| row.approvals.contains(&me));
    let what = danger.text().get(ask.lang);
    let words = ask.say(
        format!("This entry {what}, so a second moderator has to publish it, too. I have shown it to the others; nothing is recorded yet."),
        format!("Questa voce {what}, perciò deve pubblicarla anche un secondo moderatore. L'ho mostrata agli altri; non è ancora registrato nulla."),
    );
    let mut reply = Reply { personal: false, ..Reply::personal(Tone::Watch, words) };
    reply = reply.row(Button::new(ask.say("Discard", "Scarta"), format!("/discard {number}")));
    if !known {
        kit::note(room, ask, Fact::Approved { draft: number, by: me })?;
    }
    Ok(Some(reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_records_can_be_published() {
        let piped = crate::ALL.iter().filter(|command| command.who == Role::Moderator && command.piped.is_some());
        for command in piped {
            assert!(recording(command.name).is_ok(), "/{}", command.name);
        }
    }
}
