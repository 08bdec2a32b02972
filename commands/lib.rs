//! What the bot can be asked, and its answers: one file a command.
//!
//! Adding a command is one file here and two lines below; nothing else is opened.
#![warn(missing_docs)]

mod about;
mod affected;
mod audit;
mod cancel;
mod claim;
mod claims;
mod close;
mod correct;
mod delivery;
mod discard;
mod edit;
mod event;
mod figure;
mod forget;
mod health;
mod help;
mod history;
mod incident;
mod incidents;
pub mod kit;
mod lang;
mod latest;
mod moderators;
mod mute;
mod new;
mod open;
mod organisation;
mod privacy;
mod promise;
mod publish;
mod redact;
mod redraft;
mod retract;
mod search;
mod source;
mod sources;
mod start;
mod statement;
mod status;
mod subscribe;
mod subscriptions;
mod suggest;
mod suggestions;
mod test;
mod timeline;
mod timezone;
mod undo;
mod unsubscribe;
mod verify;
mod who;

use kit::{Ask, Command, Failure, House, LINK, Role, Room, Typed, dialogue, form, form::Form, missing, quote};
use record::{
    lang::Lang,
    parts,
    private::Fact,
    reply::{Block, Reply, Tone},
    store::Store,
};

/// Every command, in the order in which help lists them.
pub static ALL: &[&Command] = &[
    &timeline::TIMELINE,
    &latest::LATEST,
    &sources::SOURCES,
    &incident::INCIDENT_CARD,
    &incidents::INCIDENTS,
    &search::SEARCH,
    &claims::CLAIMS,
    &affected::AFFECTED,
    &who::WHO,
    &new::NEW,
    &subscribe::SUBSCRIBE,
    &unsubscribe::UNSUBSCRIBE,
    &subscriptions::SUBSCRIPTIONS,
    &mute::MUTE,
    &delivery::DELIVERY,
    &test::TEST,
    &history::HISTORY,
    &verify::VERIFY,
    &help::HELP,
    &start::START,
    &about::ABOUT,
    &privacy::PRIVACY,
    &forget::FORGET,
    &lang::LANG,
    &timezone::TIMEZONE,
    &suggest::SUGGEST,
    &suggestions::SUGGESTIONS,
    &moderators::MODERATORS,
    &audit::AUDIT,
    &health::HEALTH,
    &redact::REDACT,
    &event::EVENT,
    &statement::STATEMENT,
    &promise::PROMISE,
    &source::SOURCE,
    &figure::FIGURE,
    &claim::CLAIM,
    &organisation::ORGANISATION,
    &status::STATUS,
    &correct::CORRECT,
    &retract::RETRACT,
    &undo::UNDO,
    &open::OPEN,
    &close::CLOSE,
    &publish::PUBLISH,
    &discard::DISCARD,
    &redraft::REDRAFT,
    &edit::EDIT,
    &cancel::CANCEL,
];

/// An answer, and what broke on our side, if something did: to be logged once, by whoever asked.
#[derive(Debug)]
pub struct Answer {
    /// What the asker gets.
    pub reply: Reply,
    /// The cause, where the reply is an apology.
    pub broke: Option<String>,
}

/// Answers an ask, whatever it holds.
pub fn answer(store: &Store, house: &House, ask: &Ask) -> Answer {
    let room = Room { store, view: store.view(), house };
    let (line, part) = parts::asked(&ask.line);
    if !is_repeatable(line) {
        return answer_once(&room, ask);
    }
    let mut answer = match part {
        None => answer_once(&room, ask),
        Some(_) => answer_once(&room, &Ask { line: line.to_owned(), ..ask.clone() }),
    };
    answer.reply.again.get_or_insert_with(|| line.trim().to_owned());
    answer.reply.part = part;
    answer
}

/// The commands that only read: asking again does no harm, so what does not fit into a message is asked for by the line
/// itself.
const READS: &[&str] = &[
    "timeline",
    "latest",
    "sources",
    "incident",
    "incidents",
    "search",
    "claims",
    "affected",
    "who",
    "delivery",
    "history",
    "verify",
    "help",
    "start",
    "about",
    "privacy",
    "suggestions",
    "audit",
    "health",
];
/// Those that only read where nothing but the number of a draft, or nothing at all, is given.
const READS_BARE: &[(&str, usize)] = &[("subscriptions", 0), ("moderators", 0), ("redraft", 1)];

fn is_repeatable(line: &str) -> bool {
    let Some(name) = called(line).map(|command| command.name) else { return false };
    let given = line.split_whitespace().count() - 1;
    READS.contains(&name) || READS_BARE.contains(&(name, given))
}

fn answer_once(room: &Room<'_>, ask: &Ask) -> Answer {
    match run(room, ask) {
        Ok(reply) => Answer { reply, broke: None },
        Err(Failure::Refused(reply)) => Answer { reply: *reply, broke: None },
        Err(Failure::Broke(cause)) => Answer { reply: sorry(ask.lang), broke: Some(cause) },
    }
}

/// The form that answers an ask where a door can show one: a command that records and lacks something is asked for it,
/// and a draft to be changed is shown as it was given. None where the answer is another.
pub fn form(store: &Store, ask: &Ask) -> Option<Form> {
    let command = called(&ask.line).filter(|command| ask.caller.role >= command.least())?;
    match command.records() {
        true => form::missing(command, ask),
        false if command.name == edit::EDIT.name => edit::form(&store.view(), ask),
        false => None,
    }
}

/// Whether a line could be answered by a form, so that a door should ask for one first.
pub fn may_need_form(line: &str) -> bool {
    called(line).is_some_and(|command| command.records() || command.name == edit::EDIT.name)
}

/// The apology for what went wrong on our side.
pub fn sorry(lang: Lang) -> Reply {
    let words = lang.pick(
        "Sorry, something went wrong on my side. It has been written down for my operators; please try again later.",
        "Scusa, qualcosa è andato storto da parte mia. È stato annotato per chi mi gestisce; riprova più tardi.",
    );
    Reply::personal(Tone::Alarm, words)
}

/// Whether a line is a command that changes something for all in a chat, so that a door should look up whether the
/// asker manages it.
pub fn needs_rights(line: &str) -> bool {
    called(line).is_some_and(|command| command.manages)
}

/// Whether a line is a command that has news posted, so that a door should look up whether it may post there.
pub fn needs_posting(line: &str) -> bool {
    called(line).is_some_and(|command| command.posts)
}

/// Whether a line is a command that may go unanswered without a loss: one that only reads, or an unknown one.
pub fn is_question(line: &str) -> bool {
    line.trim_start().starts_with('/') && called(line).is_none_or(Command::is_question)
}

/// The command that a line begins with.
pub fn called(line: &str) -> Option<&'static Command> {
    let name = line.trim_start().trim_start_matches('/').split_whitespace().next().unwrap_or_default();
    ALL.iter().copied().find(|command| command.is_called(name))
}

fn run(room: &Room<'_>, ask: &Ask) -> Result<Reply, Failure> {
    match dialogue::take(room, ask, publish::recording)? {
        dialogue::Taken::Not => command(room, ask),
        dialogue::Taken::Late(begun) => dialogue::too_late(command(room, ask), ask, &begun),
        dialogue::Taken::Answer(reply) => Ok(*reply),
    }
}

fn command(room: &Room<'_>, ask: &Ask) -> Result<Reply, Failure> {
    // Who may not is told so, and not what else the line lacks.
    if let Some(command) = called(&ask.line).filter(|command| ask.caller.role < command.least()) {
        return Err(refuse(room, ask, command));
    }
    let mut typed = kit::typed(ALL, ask)?;
    quote::fill(room, ask, &mut typed)?;
    let mut reply = whole(room, ask, &typed)?;
    let told = quote::attachment(ask, typed.given.get(LINK.name)).filter(|_| typed.command.piped.is_some());
    // Near the top, where it is not cut off.
    reply.blocks.splice(1.min(reply.blocks.len())..1.min(reply.blocks.len()), told.map(Block::Note));
    Ok(reply)
}

/// Does what is asked, or asks for what is missing where somebody can be asked back.
fn whole(room: &Room<'_>, ask: &Ask, typed: &Typed) -> Result<Reply, Failure> {
    let Some(lacks) = typed.lacks() else { return (typed.command.run)(room, ask, &typed.given) };
    match publish::recording(typed.command.name) {
        Ok(recording) if dialogue::may_begin(ask) => dialogue::begin(room, ask, recording, typed),
        _ => Err(missing(typed.command, ask, lacks.name)),
    }
}

/// How long the same refusal of the same person is told of once in the trail.
const ONE_REFUSAL: i64 = 3_600_000;

/// Refuses, and leaves a line in the trail: one an hour, whatever somebody tries.
pub(crate) fn refuse(room: &Room<'_>, ask: &Ask, command: &Command) -> Failure {
    let Some(address) = ask.caller.address.clone() else {
        if ask.place.chat.is_none() {
            return Failure::refused(match command.who {
                Role::Owner => ask.say(
                    "That is for those who own this bot. At the terminal, “strillone console --as owner” lets you.",
                    "Questo è riservato a chi possiede questo bot. Al terminale lo permette «strillone console --as owner».",
                ),
                _ => ask.say(
                    "That is for those who keep the record. At the terminal, “strillone console --as moderator” lets you.",
                    "Questo è riservato a chi tiene il registro. Al terminale lo permette «strillone console --as moderator».",
                ),
            });
        }
        return Failure::refused(ask.say(
            "I cannot tell who you are, so I cannot let you do that: you write as the group or the channel itself. Switch off “Remain anonymous” in your administrator's rights, or write to me in a private chat.",
            "Non so chi sei, perciò non posso lasciartelo fare: scrivi a nome del gruppo o del canale. Disattiva «Resta anonimo» fra i tuoi permessi di amministratore, oppure scrivimi in privato.",
        ));
    };
    let now = ask.at.timestamp_millis();
    let told = match room.view.refused(&address) {
        Ok(last) => last.is_some_and(|last| last.command == command.name && now - last.at < ONE_REFUSAL),
        Err(error) => return Failure::from(error),
    };
    if !told {
        let fact = Fact::Refused { address, command: command.name.to_owned() };
        if let Err(Failure::Broke(cause)) = kit::note(room, ask, fact) {
            return Failure::Broke(cause);
        }
    }
    let words = match command.who {
        Role::Owner => ask.say(
            "That is for those who own this bot. It is noted that you asked.",
            "Questo è riservato a chi possiede questo bot. Resta annotato che l'hai chiesto.",
        ),
        _ => ask.say(
            "That is for those who keep the record. It is noted that you asked; with /suggest you can propose an entry to them.",
            "Questo è riservato a chi tiene il registro. Resta annotato che l'hai chiesto; con /suggest puoi proporre loro una voce.",
        ),
    };
    Failure::Refused(Box::new(Reply { discreet: true, ..Reply::personal(Tone::Polite, words) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use record::lang::{Lang, Text};

    use super::{
        ALL,
        kit::{Shape, Spec},
    };

    #[test]
    fn what_records_decides_or_sets_is_no_question() {
        let questions: Vec<&str> = ALL.iter().filter(|it| it.is_question()).map(|it| it.name).collect();
        assert_eq!(
            questions.join(" "),
            "timeline latest sources incident incidents search claims affected who new history verify help start about privacy"
        );
        assert!(super::is_question("/timeline westpole") && super::is_question("/nonsense"));
        assert!(!super::is_question("14 December 2023"), "it may be an answer to a question of ours");
        assert!(!super::is_question("/lang it") && !super::is_question("/publish 3"));
    }

    fn good_name(name: &str) -> bool {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }

    /// Discord takes 100 characters, Telegram 256.
    fn good_description(text: Text) -> bool {
        Lang::ALL.into_iter().all(|lang| (1..=100).contains(&text.get(lang).chars().count())) && text.en != text.it
    }

    #[test]
    fn names_and_descriptions_are_taken_by_both_platforms() {
        let mut names = BTreeSet::new();
        for command in ALL {
            assert!(good_name(command.name), "/{}", command.name);
            for name in [command.name].iter().chain(command.aliases) {
                assert!(good_name(name) && names.insert(*name), "/{name} is there twice");
            }
            assert!(good_description(command.about), "/{}", command.name);
            assert!(command.args.len() <= 25, "/{}", command.name);
            for arg in command.args {
                assert!(good_name(arg.name), "/{} {}", command.name, arg.name);
                let same = arg.about.en == arg.about.it;
                assert!(good_description(arg.about) != same, "/{} {}", command.name, arg.name);
            }
        }
        assert!(ALL.len() <= 100, "Telegram and Discord both take 100 commands");
    }

    #[test]
    fn what_must_be_given_comes_first_and_nothing_by_place_comes_after_all_words() {
        for command in ALL {
            let args = command.args;
            let required: Vec<bool> = args.iter().map(|arg| arg.required).collect();
            assert!(required.is_sorted_by(|a, b| a >= b), "/{}: required before optional", command.name);
            let greedy = args.iter().filter(|arg| arg.shape.is_greedy() && arg.required).count();
            // In a piped command each sentence ends at a bar; elsewhere those behind the first are given by name.
            assert!(greedy <= 1 || command.piped.is_some(), "/{}: only one argument can take all words", command.name);
            let names: BTreeSet<_> = args.iter().map(|arg| arg.name).collect();
            assert_eq!(names.len(), args.len(), "/{}: an argument twice", command.name);
        }
    }

    #[test]
    fn choices_fit_both_platforms() {
        let choices = |spec: &Spec| match spec.shape {
            Shape::Choice(choices) => choices.to_vec(),
            _ => Vec::new(),
        };
        for command in ALL {
            for arg in command.args {
                let choices = choices(arg);
                assert!(choices.len() <= 25, "/{} {}", command.name, arg.name);
                assert!(choices.iter().all(|choice| !choice.code.is_empty() && choice.text.en.chars().count() <= 100));
            }
        }
    }

    #[test]
    fn whatever_has_pages_only_reads() {
        let paged = |args: &[&Spec]| args.iter().any(|arg| arg.name == "page");
        let known = |name: &str| super::READS.contains(&name);
        assert!(ALL.iter().all(|it| known(it.name) || !paged(it.args)));
        assert!(super::READS.iter().all(|name| ALL.iter().any(|it| it.name == *name)));
        assert!(!super::is_repeatable("/event westpole | text part:2") && !super::is_repeatable("/redraft 7 major"));
        assert!(super::is_repeatable("/redraft 7") && super::is_repeatable("timeline westpole"));
    }

    #[test]
    fn every_command_of_this_folder_is_listed() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(dir).expect("the folder").map(|item| item.expect("an item").path());
        let names: BTreeSet<String> = files
            .filter(|path| path.extension().is_some_and(|end| end == "rs") && !path.ends_with("lib.rs"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        let listed: BTreeSet<String> = ALL.iter().map(|command| command.name.to_owned()).collect();
        assert_eq!(names, listed);
    }

    /// Set `STRILLONE_BLESS` to have it written.
    #[test]
    fn the_readme_of_commands_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = readme();
        if std::env::var_os("STRILLONE_BLESS").is_some() {
            std::fs::write(&path, &readme).expect("written");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == readme, "commands/README.md is not current: run the tests with STRILLONE_BLESS=1");
    }

    fn readme() -> String {
        let mut text = String::from(
            "# Commands\n\nWhat the bot can be asked, written by a test from the list of commands itself.\nArguments go in \
             their listed order or as `name:value`; `\"…\"` keeps blanks together; those in brackets may be left out.\n",
        );
        for command in ALL {
            text += &format!("\n## `{}`\n\n{} · *{}*\n", command.usage(), command.about.en, command.about.it);
            if !command.aliases.is_empty() {
                text += &format!("\nAlso called `/{}`.\n", command.aliases.join("`, `/"));
            }
            if !command.args.is_empty() {
                text += "\n| argument | | |\n|---|---|---|\n";
            }
            for arg in command.args {
                let optional = if arg.required { "required" } else { "" };
                text += &format!("| `{}` | {optional} | {} · *{}* |\n", arg.name, arg.about.en, arg.about.it);
            }
            if !command.example.is_empty() {
                text += &format!("\n`/{} {}`\n", command.name, command.example);
            }
        }
        text
    }
}
