//! `/forget me`: what is kept about a person is erased.

use record::{
    lang::Text,
    private::{Bodies, Fact},
    reply::{Line, Reply, Tone},
    slug::folded,
    store::{Drafted, Set},
};

use crate::kit::{Arg, Ask, Command, Failure, Given, Role, Room, Shape, Spec, compose, shown};

/// How many lines one erasure names at most: a line of the journal has its limit.
const AT_ONCE: usize = 2_000;

/// `/forget who`
pub static FORGET: Command = Command {
    name: "forget",
    about: Text {
        en: "Erase what I keep about you: /forget me", it: "Cancella ciò che conservo su di te: /forget me"
    },
    args: &[&WHO.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: true,
    example: "me",
    run: forget,
};

static WHO: Arg<()> = Arg {
    spec: Spec {
        name: "who",
        about: Text { en: "me: everybody speaks for themself", it: "me: ognuno parla per sé" },
        required: true,
        shape: Shape::Person,
    },
    read: |_, ask, typed| match folded(typed.trim()).as_str() {
        "me" | "mi" => Ok(()),
        _ => {
            let words = ask.say("I forget only whoever asks for it: ", "Dimentico solo chi lo chiede: ");
            let line = Line::new().text(words).code("/forget me").text(ask.say(", not ", ", non "));
            Err(Failure::refused(line.strong(shown(typed)).text(".")))
        }
    },
};

fn forget(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    WHO.need(room, ask, given)?;
    let Some(address) = &ask.caller.address else {
        return Err(Failure::refused(ask.say(
            "I cannot tell who you are, so I keep nothing about you.",
            "Non so chi sei, quindi non conservo nulla su di te.",
        )));
    };
    if ask.caller.role > Role::Reader {
        return Err(Failure::refused(ask.say(
            "You keep the record, and who decided what must stay known. Have an owner remove you first: /moderators remove.",
            "Tieni il registro, e chi ha deciso che cosa deve restare noto. Prima fatti togliere da un titolare: /moderators remove.",
        )));
    }
    let commits = room.view.traces_of_person(address)?;
    if commits.is_empty() {
        return Ok(Reply::personal(Tone::Plain, ask.say("I keep nothing about you.", "Non conservo nulla su di te.")));
    }
    let why = "forgotten at their own wish".to_owned();
    let erasure = |commits: &[u64]| {
        Drafted::Fact(Fact::Erasure { commits: commits.to_vec(), bodies: Bodies::Private, why: why.clone(), by: None })
    };
    let said = commits.chunks(AT_ONCE).map(erasure).collect();
    // Without the ask's key: it would name the person again.
    compose::write(room, ask, Set { ask: None, expects: Vec::new(), said, at: ask.at })?;
    let words = ask.say(
        "Done: your choices, what you looked at, what you suggested and prepared, what you were refused, that you had chats follow something, and who stands behind your name in the record are erased. Entries that were recorded stay, under a name that leads to nobody.",
        "Fatto: sono cancellati le tue scelte, ciò che hai guardato, proposto e preparato, ciò che ti è stato rifiutato, il fatto che hai chiesto notizie per delle chat e chi c'è dietro il tuo nome nel registro. Le voci registrate restano, con un nome che non porta a nessuno.",
    );
    Ok(Reply::personal(Tone::Good, words).say(ask.say(
        "What chats follow stays, yours too: /unsubscribe ends it. Copies made before this moment may still hold the rest.",
        "Resta ciò che le chat seguono, anche la tua: /unsubscribe lo interrompe. Le copie fatte prima di adesso possono contenere ancora il resto.",
    )))
}
