//! A command that records, asked for part by part in a private chat. What was given so far is journalled, so that it
//! outlives a restart; it ends with a draft, with `/cancel`, with another command that records, or unanswered.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use record::{
    channel::{Network, PlaceKind},
    private::{Address, Fact},
    reply::{Block, Button, Line, Reply, Tone},
    store::AskingRow,
};

use super::{
    Ask, Command, Failure, Given, INCIDENT, Recording, Role, Room, Spec, Typed, compose, example, note, quote,
};

/// For how many minutes an answer is waited for.
pub const MINUTES: i64 = 30;

/// Leaves out what may be left out.
const LEFT_OUT: &str = "-";

/// What is made of a line.
pub enum Taken {
    /// It is none of a dialogue's.
    Not,
    /// It would have been an answer to what this command lacks, but comes too late.
    Late(String),
    /// It was an answer; what is said to it.
    Answer(Box<Reply>),
}

/// Where somebody can be asked back: in a chat of their own. On Discord a form is filled in instead, and what is written
/// beside it is not heard.
fn chat(ask: &Ask) -> Option<&Address> {
    let alone = ask.place.kind == PlaceKind::Private && !ask.place.shared && ask.caller.address.is_some();
    ask.place.chat.as_ref().filter(|_| alone && ask.network() != Some(Network::Discord))
}

/// Whether whoever asks can be asked back.
pub fn may_begin(ask: &Ask) -> bool {
    chat(ask).is_some()
}

/// Begins to ask for what a command lacks, in the place of whatever was asked for before.
pub fn begin(room: &Room<'_>, ask: &Ask, recording: &Recording, typed: &Typed) -> Result<Reply, Failure> {
    let Some(chat) = chat(ask) else { return Err(Failure::Broke("nobody can be asked here".to_owned())) };
    let command = recording.command.name.to_owned();
    let given = compose::told(room, ask, recording.command, &typed.given)?;
    compose::check(room, ask, recording, given.clone()).map_err(|(_, failure)| failure)?;
    let begun = AskingRow { command: command.clone(), given: given.clone(), without: BTreeSet::new(), at: 0 };
    let fact = Fact::Asking { address: chat.clone(), command: Some(command), given, without: None, over: false };
    note(room, ask, fact)?;
    // Where the ask came twice, it goes on from where it is.
    let row = room.store.view().asking(chat)?.unwrap_or(begun);
    let words = ask.say(
        "I ask for what is missing, one thing after the other. ",
        "Ti chiedo quello che manca, una cosa alla volta. ",
    );
    let ends = ask.say(" ends it, and nothing is recorded.", " interrompe tutto, e non si registra nulla.");
    let intro = Block::Note(Line::new().text(words).code("/cancel").text(ends));
    Ok(question(recording.command, ask, &row).with(intro))
}

/// Takes a line that is no command for an answer, if one is waited for.
pub fn take(
    room: &Room<'_>,
    ask: &Ask,
    recording: fn(&str) -> Result<&'static Recording, Failure>,
) -> Result<Taken, Failure> {
    let chat = chat(ask).filter(|_| ask.caller.role >= Role::Contributor);
    let Some(chat) = chat.filter(|_| !ask.line.trim_start().starts_with('/')) else { return Ok(Taken::Not) };
    let (row, before) = (room.view.asking(chat)?, came_before(room, ask)?);
    if let Some(draft) = before.map(|first| room.view.draft(first)).transpose()?.flatten() {
        let recording = recording(&draft.draft.command)?;
        return compose::show(room, ask, recording, before.unwrap_or_default()).map(answer);
    }
    let Some(row) = row else { return Ok(Taken::Not) };
    if ask.at.timestamp_millis() - row.at > TimeDelta::minutes(MINUTES).num_milliseconds() {
        let command = row.command;
        note(room, ask, end(chat))?;
        return Ok(Taken::Late(command));
    }
    let recording = recording(&row.command)?;
    match before {
        // The same line again, after a kill: it is part of what was given.
        Some(_) => Ok(answer(question(recording.command, ask, &row))),
        None => go_on(room, ask, chat, (recording, row)).map(answer),
    }
}

fn answer(reply: Reply) -> Taken {
    Taken::Answer(Box::new(reply))
}

/// The commit of the first line that an ask made, if it was handed in before.
pub fn came_before(room: &Room<'_>, ask: &Ask) -> Result<Option<u64>, Failure> {
    let row = ask.key.as_ref().map(|key| room.view.handed_in(key)).transpose()?;
    Ok(row.flatten().map(|row| row.first))
}

fn go_on(
    room: &Room<'_>,
    ask: &Ask,
    chat: &Address,
    (recording, mut row): (&Recording, AskingRow),
) -> Result<Reply, Failure> {
    let command = recording.command;
    let (typed, about) = (ask.line.trim(), quote::attachment(ask, None));
    let told = |reply: Reply| about.iter().cloned().fold(reply, Reply::note);
    let Some(arg) = next(command, &row) else { return (command.run)(room, ask, &given(command, &row)) };
    if typed.is_empty() {
        return Ok(told(question(command, ask, &row)));
    }
    let (mut new, mut without) = (BTreeMap::new(), None);
    if typed == LEFT_OUT && !arg.required {
        without = Some(arg.name.to_owned());
        row.without.extend(without.clone());
    } else {
        match fitting(room, ask, (recording, &row), (arg, typed)) {
            Ok(value) => drop(new.insert(arg.name.to_owned(), value)),
            Err((at, Failure::Refused(refusal))) if at == arg.name => return Ok(again(*refusal, command, ask, &row)),
            Err((_, failure)) => return Err(failure),
        }
        row.given.extend(new.clone());
    }
    if next(command, &row).is_none() {
        // The draft ends it.
        return (command.run)(room, ask, &given(command, &row)).map(told);
    }
    let fact = Fact::Asking { address: chat.clone(), command: None, given: new, without, over: false };
    note(room, ask, fact)?;
    Ok(told(question(command, ask, &row)))
}

/// A value by its whole name, if it fits with what was given before; or which argument is wrong.
fn fitting(
    room: &Room<'_>,
    ask: &Ask,
    (recording, row): (&Recording, &AskingRow),
    (arg, typed): (&'static Spec, &str),
) -> Result<String, (&'static str, Failure)> {
    let zone = match row.given.get(INCIDENT.spec.name).map(|handle| room.view.incident(handle)).transpose() {
        Ok(incident) => incident.flatten().map(|incident| incident.zone()),
        Err(error) => return Err((arg.name, Failure::from(error))),
    };
    let value = compose::whole(room, ask, arg, typed, zone).map_err(|failure| (arg.name, failure))?;
    let mut all = row.given.clone();
    all.insert(arg.name.to_owned(), value.clone());
    compose::check(room, ask, recording, all).map(|()| value)
}

/// The next argument that is asked for.
fn next(command: &Command, row: &AskingRow) -> Option<&'static Spec> {
    let open = |arg: &&'static Spec| !row.given.contains_key(arg.name) && !row.without.contains(arg.name);
    command.args.iter().copied().find(open)
}

fn given(command: &Command, row: &AskingRow) -> Given {
    let mut given = Given::default();
    for arg in command.args {
        if let Some(value) = row.given.get(arg.name) {
            given.set(arg, value.as_str());
        }
    }
    given
}

fn question(command: &Command, ask: &Ask, row: &AskingRow) -> Reply {
    let Some(arg) = next(command, row) else { return Reply::default() };
    let line = Line::new().strong(arg.name).text(": ").text(arg.about.get(ask.lang)).text("?");
    let mut reply = Reply { personal: true, ..Reply::default() }.say(line);
    if let Some(example) = example(command, ask, arg) {
        reply = reply.say(Line::new().text(ask.say("For example: ", "Per esempio: ")).code(example));
    }
    if !arg.required {
        let leave = Line::new().code(LEFT_OUT).text(ask.say(" leaves it out.", " per lasciarlo fuori."));
        reply = reply.say(leave);
    }
    reply.row(Button::new(ask.say("Cancel", "Annulla"), "/cancel"))
}

/// What is wrong with an answer, and the question again.
fn again(refusal: Reply, command: &Command, ask: &Ask, row: &AskingRow) -> Reply {
    let question = question(command, ask, row);
    let mut reply = Reply { tone: Tone::Polite, personal: true, ..refusal };
    reply.blocks.extend(question.blocks);
    reply.buttons.extend(question.buttons);
    reply
}

fn end(chat: &Address) -> Fact {
    Fact::Asking { address: chat.clone(), command: None, given: BTreeMap::new(), without: None, over: true }
}

/// Ends what somebody is asked for where they ask, if they are.
pub fn over(room: &Room<'_>, ask: &Ask) -> Result<Option<Fact>, Failure> {
    let Some(chat) = chat(ask) else { return Ok(None) };
    Ok(room.view.asking(chat)?.map(|_| end(chat)))
}

/// Whether somebody is asked for something where they ask.
pub fn is_open(room: &Room<'_>, ask: &Ask) -> Result<bool, Failure> {
    over(room, ask).map(|over| over.is_some())
}

/// What is said besides to an answer that comes too late.
pub fn too_late(answer: Result<Reply, Failure>, ask: &Ask, command: &str) -> Result<Reply, Failure> {
    let begun = ask.say("What you had begun with ", "Quello che avevi cominciato con ");
    let line = Line::new().text(begun).code(format!("/{command}")).text(ask.say(
        format!(" is over: I had no answer for {MINUTES} minutes. Nothing was recorded; please begin it anew."),
        format!(
            " è scaduto: non ho avuto risposta per {MINUTES} minuti. Non è stato registrato nulla; ricomincia da capo."
        ),
    ));
    match answer {
        Ok(reply) => Ok(reply.say(line)),
        Err(Failure::Refused(reply)) => Err(Failure::Refused(Box::new(reply.say(line)))),
        Err(broke) => Err(broke),
    }
}
