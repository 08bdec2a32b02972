//! `/publish`: records a draft.

use record::{
    entry::{Level, Said},
    lang::Text,
    private::{AskKey, Fact},
    reply::{Line, Reply},
    store::{Drafted, Set},
};

use crate::{
    correct, event,
    kit::{Arg, Ask, Command, Failure, Given, Recording, Role, Room, Shape, Spec, compose, shown},
    open, retract, source, statement,
};

/// `/publish draft`
pub static PUBLISH: Command = Command {
    name: "publish",
    about: Text { en: "Record a draft", it: "Registra una bozza" },
    args: &[&DRAFT.spec],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
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
    &source::RECORDING,
    &correct::RECORDING,
    &retract::RECORDING,
    &open::RECORDING,
];

/// The command that made a draft.
pub fn recording(name: &str) -> Result<&'static Recording, Failure> {
    let known = RECORDINGS.iter().copied().find(|recording| recording.command.name == name);
    known.ok_or_else(|| Failure::Broke(format!("a draft was made with /{name}, which records nothing")))
}

/// A draft is decided on once, whoever presses and however often: the writer takes the first.
pub fn decision(number: u64) -> AskKey {
    AskKey { platform: "draft".to_owned(), bot: String::new(), id: number.to_string() }
}

fn publish(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let number = DRAFT.need(room, ask, given)?;
    let draft = match compose::waiting(room, ask, number)? {
        Ok(draft) => draft,
        Err(over) => return Ok(over),
    };
    let (author, person) = compose::author(room, ask)?;
    let entries = compose::entries(room, ask, recording(&draft.command)?, &draft, author)?;
    let silent =
        entries.last().is_some_and(|last| matches!(&last.said, Said::Correction(it) if it.level == Level::Silent));
    let mut said: Vec<Drafted> = entries.into_iter().map(Drafted::from).collect();
    said.extend(person.map(Drafted::Fact));
    said.push(Drafted::Fact(Fact::Decided { draft: number, published: true }));
    let expects = compose::expects(room, ask, &draft)?;
    let receipt = compose::write(room, ask, Set { ask: Some(decision(number)), expects, said, at: ask.at })?;
    let Some(name) = receipt.entries.last() else {
        // Somebody was faster.
        return match compose::waiting(room, ask, number)? {
            Err(over) => Ok(over),
            Ok(_) => Err(Failure::Broke(format!("draft {number} was decided on and still waits"))),
        };
    };
    let line = Line::new().text(ask.say("Recorded as ", "Registrato come ")).strong(name.to_string()).text(". ");
    let handle = &name.incident;
    let heard = match silent {
        true => ask.say(
            "What was posted is put right, without a word.".to_owned(),
            "I messaggi già pubblicati vengono ritoccati, senza avvisi.".to_owned(),
        ),
        false => {
            ask.say(format!("Whoever follows {handle} hears of it."), format!("Chi segue {handle} ne riceve notizia."))
        }
    };
    Ok(compose::done(ask, line.text(heard), Some(name)))
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
