//! `/redraft`: changes how much a draft's entry matters, or how loudly it corrects; without either, shows it again.

use record::{
    entry::{Importance, Level},
    lang::Text,
    private::Fact,
    reply::{Line, Reply},
};

use crate::{
    kit::{
        self, Arg, Ask, Choice, Command, Failure, Given, Offers, Role, Room, Shape, Spec, compose, decide,
        did_you_mean, shown,
    },
    publish::{DRAFT, recording},
};

/// `/redraft draft [importance] [level]`
pub static REDRAFT: Command = Command {
    name: "redraft",
    about: Text {
        en: "Change how much a draft matters, or how loudly it corrects",
        it: "Cambia il rilievo di una bozza, o il tipo di correzione",
    },
    args: &[&DRAFT.spec, &IMPORTANCE.spec, &LEVEL.spec],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "71 importance:major",
    run: redraft,
};

static IMPORTANCE: Arg<Importance> = Arg {
    spec: Spec {
        name: "importance",
        about: Text { en: "How much it matters", it: "Quanto conta" },
        required: false,
        shape: Shape::Choice(&[
            Choice { code: "minor", text: Text { en: "minor: detail", it: "minore: un dettaglio" } },
            Choice { code: "normal", text: Text { en: "normal: the usual", it: "normale: il solito" } },
            Choice { code: "major", text: Text { en: "major: changes the picture", it: "maggiore: cambia il quadro" } },
        ]),
    },
    read: |_, ask, typed| chosen(ask, typed, Importance::ALL, Importance::code),
};

static LEVEL: Arg<Level> = Arg {
    spec: Spec {
        name: "level",
        about: Text { en: "How loudly it corrects", it: "Quanto è evidente la correzione" },
        required: false,
        shape: Shape::Choice(&[
            Choice {
                code: "silent",
                text: Text { en: "silent fix: nobody is told", it: "ritocco: nessuno viene avvisato" },
            },
            Choice {
                code: "correction",
                text: Text {
                    en: "correction: posts are changed and marked",
                    it: "correzione: i messaggi sono modificati e segnati",
                },
            },
            Choice {
                code: "material",
                text: Text { en: "material: readers are told", it: "sostanziale: chi legge viene avvisato" },
            },
        ]),
    },
    read: |_, ask, typed| chosen(ask, typed, Level::ALL, Level::code),
};

fn chosen<T: Copy>(ask: &Ask, typed: &str, all: &[T], code: fn(T) -> &'static str) -> Result<T, Failure> {
    let wanted = typed.to_lowercase();
    all.iter().copied().find(|one| code(*one) == wanted).ok_or_else(|| {
        let codes: Vec<&str> = all.iter().map(|one| code(*one)).collect();
        let words = ask.say("I do not know ", "Non conosco ");
        Failure::refused(Line::new().text(words).strong(shown(typed)).join(did_you_mean(ask, &codes)))
    })
}

fn redraft(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    let (importance, level) = (IMPORTANCE.of(room, ask, given)?, LEVEL.of(room, ask, given)?);
    let draft = match compose::waiting(room, ask, number)? {
        Ok(draft) => draft,
        Err(over) => return Ok(over),
    };
    let recording = recording(&draft.command)?;
    decide::may_decide(ask, &compose::incident_of(room, ask, recording, &draft)?)?;
    if level.is_some() && recording.offers != Offers::Level {
        return Err(Failure::refused(ask.say("Only a correction has a level.", "Solo una correzione ha un livello.")));
    }
    if importance.is_some() && recording.offers == Offers::Nothing {
        return Err(Failure::refused(ask.say(
            "How much it matters is not to be chosen for this kind of entry.",
            "Per questo tipo di voce non si sceglie quanto conta.",
        )));
    }
    if importance.is_none() && level.is_none() {
        return compose::preview(room, ask, recording, number, &draft);
    }
    kit::note(room, ask, Fact::Redraft { draft: number, importance, level, last: None })?;
    match compose::waiting(room, ask, number)? {
        Ok(draft) => compose::preview(room, ask, recording, number, &draft),
        Err(over) => Ok(over),
    }
}
