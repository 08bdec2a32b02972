//! `/help`: what the bot can be asked, from the list of commands itself.

use record::{
    channel::Network,
    find::near,
    lang::Text,
    reply::{Block, Button, Item, Line, Reply},
};

use crate::{
    ALL,
    kit::{Arg, Ask, Command, Failure, Given, Role, Room, Shape, Spec},
};

/// `/help [command]`
pub static HELP: Command = Command {
    name: "help",
    about: Text { en: "What I can be asked, and how", it: "Che cosa mi si può chiedere, e come" },
    args: &[&COMMAND.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "timeline",
    run: help,
};

static COMMAND: Arg<&'static Command> = Arg {
    spec: Spec {
        name: "command",
        about: Text { en: "The command to explain", it: "Il comando da spiegare" },
        required: false,
        shape: Shape::Word,
    },
    read: read_command,
};

fn help(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    match COMMAND.of(room, ask, given)? {
        Some(command) => Ok(one(ask, command)),
        None => Ok(all(ask)),
    }
}

fn read_command(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<&'static Command, Failure> {
    let name = typed.trim_start_matches('/').to_lowercase();
    let usable = || ALL.iter().copied().filter(|command| command.least() <= ask.caller.role);
    usable().find(|command| command.is_called(&name)).ok_or_else(|| {
        let words = ask.say("There is no command called ", "Non c'è un comando di nome ");
        let line = Line::new().text(words).strong(typed);
        Failure::refused(match near(&name, usable().map(|command| command.name)).first() {
            Some(close) => line.text(ask.say(format!(". Did you mean {close}?"), format!(". Intendevi {close}?"))),
            None => line.text(ask.say(". /help lists them all.", ". /help li elenca tutti.")),
        })
    })
}

fn all(ask: &Ask) -> Reply {
    let mut reply = Reply::titled(Line::new().strong(ask.say("What I can be asked", "Che cosa mi si può chiedere")));
    reply.personal = true;
    for command in ALL.iter().filter(|command| command.least() <= ask.caller.role) {
        let head = Line::new().code(command.usage_at(ask));
        reply.blocks.push(Block::Item(Item { head, body: vec![command.about.get(ask.lang).into()] }));
    }
    reply
        .say(ask.say(
            "To follow an incident here, ask /subscribe and its name: from then on I post every new entry, in the order recorded, and what I posted is corrected when the record is. On Discord an entry comes once. Telegram cannot be asked whether a message arrived: one whose fate nobody knows is sent again, and says so. /delivery tells what became of each.",
            "Per seguire un incidente qui, chiedi /subscribe con il suo nome: da allora pubblico ogni nuova voce, nell'ordine in cui è registrata, e ciò che ho pubblicato viene corretto quando si corregge il registro. Su Discord una voce arriva una volta sola. A Telegram non si può chiedere se un messaggio è arrivato: quello di cui non si sa nulla viene inviato di nuovo, e lo dice. /delivery dice che ne è stato di ciascuno.",
        ))
        .note(ask.say(
            "Arguments follow in that order, or by name as in as_of:2023-12-14; words with blanks go in \"quotation marks\". Those in [brackets] may be left out. /help and a command's name tells more.",
            "Gli argomenti vanno in quest'ordine, oppure per nome, come as_of:2023-12-14; le parole con spazi vanno fra \"virgolette\". Quelli fra [parentesi] si possono omettere. /help con il nome di un comando dice di più.",
        ))
        .row(Button::new(ask.say("Incidents", "Incidenti"), "/incidents"))
}

fn one(ask: &Ask, command: &Command) -> Reply {
    let mut reply =
        Reply::titled(Line::new().code(command.usage_at(ask))).say(format!("{}.", command.about.get(ask.lang)));
    reply.personal = true;
    let discord = ask.network() == Some(Network::Discord);
    for arg in command.args.iter().filter(|arg| !discord || arg.shape != Shape::Chat) {
        let mut line = Line::new().text(arg.about.get(ask.lang));
        if let Shape::Choice(choices) = arg.shape {
            let words: Vec<&str> = choices.iter().map(|choice| choice.code).collect();
            line = line.text(format!(": {}", words.join(", ")));
        }
        if arg.shape.is_greedy() && command.args.len() > 1 && command.piped.is_none() {
            let words = ask.say(
                "; takes all the words that follow, so what is listed behind it is given by name, as in page:2",
                "; prende tutte le parole che seguono: quello che viene dopo si indica per nome, come page:2",
            );
            line = line.text(words);
        }
        if matches!(arg.shape, Shape::When | Shape::Ahead) {
            let words = ask.say(
                ", such as 2023-12-14, 2023-12 or 2023-12-14T18:30",
                ", come 2023-12-14, 2023-12 o 2023-12-14T18:30",
            );
            line = line.text(words);
        }
        let mut head = Line::new().code(arg.name);
        if !arg.required {
            head = head.soft(ask.say(" (may be left out)", " (si può omettere)"));
        }
        reply.blocks.push(Block::Item(Item { head, body: vec![line] }));
    }
    if command.example.is_empty() {
        return reply;
    }
    let words = ask.say("For example: ", "Per esempio: ");
    reply.note(Line::new().text(words).code(format!("/{} {}", command.name, command.example)))
}
