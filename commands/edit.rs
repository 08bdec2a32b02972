//! `/edit`: has a draft read otherwise; without values, shows the line to change.

use record::{
    lang::Text,
    pages::quoted,
    private::Draft,
    reply::{Line, Reply, Tone},
    store::Fate,
    view::View,
};

use crate::{
    kit::{Ask, Command, ENTRY, Failure, Given, INCIDENT, Recording, Role, Room, Shape, Spec, compose, form::Form},
    publish::{DRAFT, recording},
};

/// `/edit draft [text]`, and whatever else the draft holds, by name.
pub static EDIT: Command = Command {
    name: "edit",
    about: Text { en: "Change what a draft says", it: "Cambia quello che dice una bozza" },
    args: &[
        &DRAFT.spec,
        &TEXT,
        &INCIDENT_,
        &ENTRY_,
        &HANDLE,
        &WHEN,
        &DATE,
        &SPEAKER,
        &LINK,
        &PUBLISHER,
        &TITLE,
        &WHAT,
        &WHY,
        &LABEL,
        &VALUE,
        &SAID_BY,
        &NAME,
        &ROLES,
        &ABOUT,
        &ALIASES,
        &STATE,
        &CLAIM,
        &WHO,
    ],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "71 when:2023-12-20 text:\"The portal answers again.\"",
    run: edit,
};

const fn changed(name: &'static str, about: Text, shape: Shape) -> Spec {
    Spec { name, about, required: false, shape }
}

static TEXT: Spec = changed("text", Text { en: "Its text", it: "Il suo testo" }, Shape::Prose);
static INCIDENT_: Spec = changed("incident", INCIDENT.spec.about, Shape::Incident);
static ENTRY_: Spec = changed("entry", ENTRY.spec.about, Shape::Entry);
static HANDLE: Spec = changed(
    "handle",
    Text { en: "The new incident's short name", it: "Il nome breve del nuovo incidente" },
    Shape::Word,
);
static WHEN: Spec = changed("when", Text { en: "When it happened", it: "Quando è successo" }, Shape::When);
static DATE: Spec = changed("date", Text { en: "When it was published", it: "Quando è uscita" }, Shape::When);
static SPEAKER: Spec = changed("speaker", Text { en: "Who said it", it: "Chi l'ha detto" }, Shape::Name);
static LINK: Spec = changed(
    "link",
    Text { en: "Where it can be read; - for nowhere", it: "Dove si legge; - per toglierlo" },
    Shape::Link,
);
static PUBLISHER: Spec = changed("publisher", Text { en: "Who published it", it: "Chi l'ha pubblicata" }, Shape::Name);
static TITLE: Spec = changed("title", Text { en: "Its title", it: "Il titolo" }, Shape::Name);
static WHAT: Spec =
    changed("what", Text { en: "What a correction changes", it: "Che cosa cambia la correzione" }, Shape::Prose);
static WHY: Spec = changed("why", Text { en: "Why it is taken back", it: "Perché si ritratta" }, Shape::Prose);

static LABEL: Spec = changed("label", Text { en: "What is counted", it: "Che cosa si conta" }, Shape::Prose);
static VALUE: Spec = changed("value", Text { en: "How many", it: "Quanti" }, Shape::Prose);
static SAID_BY: Spec = changed("said_by", Text { en: "Who said how many", it: "Chi ha detto quanti" }, Shape::Prose);
static NAME: Spec =
    changed("name", Text { en: "An organisation's name", it: "Il nome dell'organizzazione" }, Shape::Prose);
static ROLES: Spec =
    changed("roles", Text { en: "Its roles, with commas", it: "I suoi ruoli, con le virgole" }, Shape::Prose);
static ABOUT: Spec =
    changed("about", Text { en: "What is to be known of it", it: "Che cosa se ne deve sapere" }, Shape::Prose);
static ALIASES: Spec = changed(
    "aliases",
    Text { en: "Its other names, with commas", it: "I suoi altri nomi, con le virgole" },
    Shape::Prose,
);
static STATE: Spec = changed("state", Text { en: "The state", it: "Lo stato" }, Shape::Word);
static CLAIM: Spec = changed(
    "claim",
    Text { en: "For or against which claim", it: "A favore o contro quale affermazione" },
    Shape::Prose,
);

static WHO: Spec = changed("who", Text { en: "Who promised it", it: "Chi l'ha promesso" }, Shape::Name);

/// The form with what an open draft holds.
pub fn form(view: &View<'_>, ask: &Ask) -> Option<Form> {
    let typed = crate::kit::typed(crate::ALL, ask).ok()?;
    if EDIT.args.iter().skip(1).any(|arg| typed.given.get(arg.name).is_some()) {
        return None;
    }
    let number: u64 = typed.given.get(DRAFT.spec.name)?.parse().ok()?;
    let row = view.draft(number).ok()?.filter(|row| row.fate == Fate::Open)?;
    let command = recording(&row.draft.command).ok()?.command;
    let title = ask.say(format!("Change draft {number}"), format!("Modifica la bozza {number}"));
    let value = |name: &str| row.draft.given.get(name).map(String::as_str);
    Form::new(ask, title, command, format!("/{} {number}", EDIT.name), command.args, value)
}

fn edit(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    let changes: Vec<(&str, &str)> =
        EDIT.args.iter().skip(1).filter_map(|arg| Some((arg.name, given.get(arg.name)?))).collect();
    let draft = match compose::waiting(room, ask, number)? {
        Ok(draft) => draft,
        Err(over) if changes.is_empty() => return Ok(over),
        Err(over) => return Ok(aside(over)),
    };
    let recording = recording(&draft.command)?;
    if changes.is_empty() {
        return Ok(to_copy(ask, number, recording, &draft));
    }
    let mut now = draft.given.clone();
    let zone = match now.get(INCIDENT.spec.name) {
        Some(incident) => room.view.incident(incident)?.map(|incident| incident.zone()),
        None => None,
    };
    for (name, value) in changes {
        let Some(arg) = recording.command.args.iter().find(|arg| arg.name == name) else {
            return Err(holds_none(ask, recording.command, name));
        };
        match value.trim() == "-" && !arg.required {
            true => drop(now.remove(name)),
            false => drop(now.insert(name.to_owned(), compose::whole(room, ask, arg, value, zone)?)),
        }
    }
    if now == draft.given {
        return compose::preview(room, ask, recording, number, &draft);
    }
    Ok(compose::replace(room, ask, recording, number, &draft, now)?.unwrap_or_else(aside))
}

/// So that it is said to whoever came too late, and the preview that others look at stays.
fn aside(over: Reply) -> Reply {
    Reply { tone: Tone::Polite, personal: true, ..over }
}

/// The line that says what a draft says, to be changed and sent.
fn to_copy(ask: &Ask, number: u64, recording: &Recording, draft: &Draft) -> Reply {
    let given = recording.command.args.iter().filter_map(|arg| Some((arg.name, draft.given.get(arg.name)?)));
    let line = given
        .fold(format!("/{} {number}", EDIT.name), |line, (name, value)| format!("{line} {name}:{}", quoted(value)));
    let words = ask.say(
        "Copy this line, change what should read otherwise, and send it:",
        "Copia questa riga, cambia quello che va detto diversamente e inviala:",
    );
    Reply::default().say(words).say(Line::new().code(line))
}

fn holds_none(ask: &Ask, command: &Command, name: &str) -> Failure {
    let words = ask.say(" has no ", " non prevede ");
    let line = Line::new().text(ask.say("A draft of ", "Una bozza di ")).strong(format!("/{}", command.name));
    let line = line.text(words).strong(name).text(ask.say(". It has ", ". Ha "));
    let names: Vec<&str> = command.args.iter().map(|arg| arg.name).collect();
    Failure::refused(line.text(names.join(", ")).text("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_draft_holds_can_be_changed() {
        for command in crate::ALL.iter().filter(|command| command.records()) {
            for arg in command.args {
                let known = EDIT.args.iter().find(|known| known.name == arg.name).map(|known| known.shape);
                let wanted = match arg.shape {
                    Shape::Choice(_) => Shape::Word,
                    Shape::Ahead => Shape::When,
                    shape => shape,
                };
                assert_eq!(known, Some(wanted), "/{} {}", command.name, arg.name);
            }
        }
    }
}
