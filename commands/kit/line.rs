//! From a typed line to a command and its arguments: by place in their listed order, or as `name:value`.

use std::collections::HashMap;

use record::{
    channel::Network,
    find::near,
    plain::{is_bar, is_colon, is_lone_dash, is_unseen},
    reply::Line,
};

use super::{
    Ask, Command, Failure, Shape, Spec,
    args::{did_you_mean, shown},
    places::{self, Names},
    words::{OpenQuote, Word, is_gap, leading_quotation, words},
};

/// The longest line that is read, in bytes; a platform's own limits are below it.
const MAX_LINE: usize = 32 * 1024;

/// The values that were given, by the arguments' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(HashMap<&'static str, String>);

impl Given {
    /// A value, if one was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Gives a value.
    pub fn set(&mut self, of: &Spec, value: impl Into<String>) {
        self.0.insert(of.name, value.into());
    }
}

/// A line that was understood.
pub struct Typed {
    /// The command.
    pub command: &'static Command,
    /// Its arguments.
    pub given: Given,
}

impl Typed {
    /// The first argument that must be given and is not.
    pub fn lacks(&self) -> Option<&'static Spec> {
        self.command.args.iter().copied().find(|arg| arg.required && self.given.get(arg.name).is_none())
    }
}

/// The name of a command that a line begins with, and what stands behind it.
pub(crate) fn head(line: &str) -> (String, &str) {
    let line = line.trim_start_matches(is_gap);
    let (name, rest) = line.split_once(is_gap).unwrap_or((line, ""));
    let name = name.trim_start_matches(['/', '／']).chars().filter(|c| !is_unseen(*c));
    (name.flat_map(char::to_lowercase).collect(), rest)
}

/// Reads a line; what does not fit is answered with what would. It may lack what must be given.
pub fn typed(all: &'static [&'static Command], ask: &Ask, names: Names<'_>) -> Result<Typed, Failure> {
    if ask.line.len() > MAX_LINE {
        return Err(Failure::refused(ask.say(
            "That is too long for me to read. Please say it in fewer words.",
            "È troppo lungo perché io lo legga. Dillo in meno parole, per favore.",
        )));
    }
    let (name, rest) = head(ask.line.trim());
    let Some(command) = all.iter().find(|command| command.is_called(&name)) else {
        return Err(unknown(all, ask, &name));
    };
    let given = match command.piped {
        Some(before) if !all_named(command, rest) => piped(command, ask, rest, before, names)?,
        _ => {
            let words =
                words(rest).map_err(|OpenQuote| {
                    Failure::refused(ask.say(
                        "A quotation mark is opened and never closed.",
                        "Hai aperto le virgolette senza chiuderle.",
                    ))
                })?;
            let mut given = arguments(command, ask, words, names)?;
            if command.piped.is_some() {
                // As between two bars: what may be left out, and is a dash, was left out.
                let optional = |name: &str| command.args.iter().any(|arg| arg.name == name && !arg.required);
                given.0.retain(|name, value| !is_lone_dash(value) || !optional(name));
            }
            given
        }
    };
    Ok(Typed { command, given })
}

/// What a line gives by names alone, as when a form was filled in, whatever else it lacks; none for other lines.
pub(crate) fn by_names(command: &'static Command, ask: &Ask) -> Option<Given> {
    let (_, rest) = head(ask.line.trim());
    if ask.line.len() > MAX_LINE || !all_named(command, rest) {
        return None;
    }
    arguments(command, ask, words(rest).ok()?, &places::no_names).ok()
}

fn unknown(all: &[&Command], ask: &Ask, name: &str) -> Failure {
    let near = near(name, all.iter().map(|command| command.name));
    let near: Vec<String> = near.into_iter().map(|name| format!("/{name}")).collect();
    let words = ask.say("I do not know the command ", "Non conosco il comando ");
    let line = match ask.line.trim_start().starts_with('/') || !near.is_empty() {
        true => Line::new().text(words).strong(format!("/{}", shown(name))).join(did_you_mean(ask, &near)),
        false => Line::new()
            .text(ask.say("I answer to commands, which begin with /.", "Rispondo ai comandi, che cominciano con /.")),
    };
    Failure::refused(line.text(ask.say(" /help lists what I can do.", " /help elenca quello che so fare.")))
}

/// What is said where something must be given and is not.
pub(crate) fn missing(command: &Command, ask: &Ask, name: &str) -> Failure {
    let words = ask.say("Something is missing: ", "Manca un'indicazione: ");
    let line = Line::new().text(words).strong(name).text(ask.say(". Usage: ", ". Si usa così: "));
    let line = line.code(command.usage_at(ask));
    Failure::refused(match command.example {
        "" => line,
        example => {
            let words = ask.say(", for example ", ", per esempio ");
            line.text(words).code(format!("/{} {example}", command.name))
        }
    })
}

/// Whether every word names its argument, as when a form was filled in.
fn all_named(command: &Command, rest: &str) -> bool {
    let known = |word: &Word| word.name.as_deref().is_some_and(|name| command.args.iter().any(|arg| arg.name == name));
    words(rest).is_ok_and(|words| !words.is_empty() && words.iter().all(known))
}

/// `westpole 2023-12-20 | what happened | https://…`: words before the first bar, then whole sentences, as typed. Where
/// the last argument before the bar is a sentence, it is all that stands there, or else what stands behind the bar.
fn piped(command: &Command, ask: &Ask, rest: &str, before: usize, names: Names<'_>) -> Result<Given, Failure> {
    let mut parts = rest.split(is_bar).map(str::trim);
    let (mut given, next) = before_bars(command, ask, parts.next().unwrap_or_default(), before, names)?;
    let mut next = next;
    for part in parts {
        if let Some((arg, value)) = by_name(command, next, part) {
            put(&mut given, command, ask, arg.name, value.to_owned())?;
            continue;
        }
        while command.args.get(next).is_some_and(|arg| given.get(arg.name).is_some()) {
            next += 1;
        }
        match command.args.get(next) {
            // Where something must be given, a dash may mean something: nobody who is named.
            Some(arg) if part.is_empty() || is_lone_dash(part) && !arg.required => {}
            Some(arg) => drop(given.0.insert(arg.name, part.to_owned())),
            None => return Err(too_many_parts(command, ask)),
        }
        next += 1;
    }
    Ok(given)
}

/// What stands before the first bar, and which argument stands behind it.
fn before_bars(
    command: &Command,
    ask: &Ask,
    mut left: &str,
    before: usize,
    names: Names<'_>,
) -> Result<(Given, usize), Failure> {
    let (mut given, mut next) = (Given::default(), 0);
    let is_sentence = |at: usize| at + 1 == before && command.args.get(at).is_some_and(|arg| ends_at_bar(arg.shape));
    for (at, arg) in command.args.iter().take(before).enumerate() {
        let last = at + 1 == before;
        // A date may have several words ("8 dicembre verso le 5"), and so may the name of an incident or entry.
        let whole = is_sentence(at)
            || (last && matches!(arg.shape, Shape::When | Shape::Ahead | Shape::Incident | Shape::Entry));
        let quotation = leading_quotation(left).filter(|_| !is_sentence(at));
        let (word, more) = match &quotation {
            Some((inner, more)) => (inner.as_str(), *more),
            None if whole => (left, ""),
            None => {
                let next = command.args.get(at + 1).filter(|_| at + 2 == before).copied();
                split_after(left, places::count_before_bar(arg, next, ask, left, names)?)
            }
        };
        if word.is_empty() {
            break;
        }
        let value = called(arg, word).unwrap_or(word);
        given.0.insert(arg.name, value.to_owned());
        (left, next) = (more.trim_start(), at + 1);
    }
    if let Some(word) = left.split_whitespace().next() {
        return Err(too_many(command, ask, word));
    }
    Ok((given, if is_sentence(next) { next } else { before }))
}

/// The first words of a text, so many, and the rest.
fn split_after(text: &str, words: usize) -> (&str, &str) {
    let mut end = 0;
    for _ in 0..words {
        let rest = &text[end..];
        let begin = rest.len() - rest.trim_start().len();
        end += begin + rest[begin..].find(char::is_whitespace).unwrap_or(rest.len() - begin);
    }
    (&text[..end], &text[end..])
}

/// Whether a value may have several words before a bar.
fn ends_at_bar(shape: Shape) -> bool {
    shape.is_greedy() || matches!(shape, Shape::Choice(_))
}

/// What stands behind an argument's name and a colon.
fn called<'a>(arg: &Spec, part: &'a str) -> Option<&'a str> {
    let (name, rest) = part.split_at_checked(arg.name.len())?;
    let value = rest.trim_start().strip_prefix(is_colon).filter(|_| name.eq_ignore_ascii_case(arg.name));
    value.map(str::trim)
}

/// Once only what may be left out is to come, a part may say by name what it is: `| link:https://…`.
fn by_name<'a>(command: &Command, next: usize, part: &'a str) -> Option<(&'static Spec, &'a str)> {
    if command.args.get(next).is_some_and(|arg| arg.required) {
        return None;
    }
    let mut optional = command.args.iter().copied().filter(|arg| !arg.required);
    optional.find_map(|arg| called(arg, part).filter(|value| !value.is_empty()).map(|value| (arg, value)))
}

/// An argument's value in a command's example.
pub(crate) fn example(command: &Command, ask: &Ask, of: &Spec) -> Option<String> {
    let given = piped(command, ask, command.example, command.piped?, &places::no_names).ok()?;
    given.get(of.name).map(str::to_owned)
}

fn too_many_parts(command: &Command, ask: &Ask) -> Failure {
    let words = ask.say(
        "There are more parts than I expect: a | begins a new one. Usage: ",
        "Ci sono più parti di quante me ne aspetti: ogni | ne comincia una nuova. Si usa così: ",
    );
    Failure::refused(Line::new().text(words).code(command.usage_at(ask)))
}

/// Whether a word is the public name of a chat of Telegram's: `@` and 4 to 32 letters, digits or `_`. An incident's
/// number (`@3`) is none.
pub fn is_chat(word: &str) -> bool {
    word.strip_prefix('@').is_some_and(|name| {
        (4..=32).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Gives every word to an argument: first what is named, then the others by their places.
fn arguments(command: &Command, ask: &Ask, words: Vec<Word>, names: Names<'_>) -> Result<Given, Failure> {
    let mut given = Given::default();
    let mut placed: Vec<Word> = Vec::new();
    let named = |word: &Word| {
        let name = word.name.as_deref()?;
        command.args.iter().copied().find(|arg| arg.name == name)
    };
    let by_name: Vec<&str> = words.iter().filter_map(&named).map(|arg| arg.name).collect();
    let mut rest = words.as_slice();
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        if let Some(arg) = named(word) {
            let (mut value, mut quoted) = (word.value.clone(), word.quoted);
            if let Some((next, after)) = rest.split_first()
                && value.is_empty()
                && !quoted
                && next.name.is_none()
            {
                (value, quoted, rest) = (next.value.clone(), next.quoted, after);
            }
            if value.chars().all(is_gap) {
                return Err(empty(command, ask, arg.name));
            }
            if !quoted {
                let open = places::open(command, &by_name, &given, placed.len());
                let more = places::goes_on(arg, &value, rest, &open, ask, names)?;
                for word in &rest[..more] {
                    value = value + " " + &word.value;
                }
                rest = &rest[more..];
            }
            put(&mut given, command, ask, arg.name, value)?;
        } else if let Some((arg, value)) = anywhere(command, &given, word) {
            put(&mut given, command, ask, arg.name, value)?;
        } else {
            placed.push(word.clone());
        }
    }
    by_place(command, ask, &mut given, &placed, names)?;
    given.0.retain(|_, value| !value.chars().all(is_gap));
    Ok(given)
}

/// What stands anywhere in a line: a chat's name, since nothing else looks like one, and an account's (`telegram:5`).
fn anywhere(command: &Command, given: &Given, word: &Word) -> Option<(&'static Spec, String)> {
    let open = |shape: Shape| {
        let mut args = command.args.iter().copied();
        args.find(|arg| arg.shape == shape && given.get(arg.name).is_none())
    };
    if let Some(arg) = open(Shape::Chat).filter(|_| is_chat(&word.whole)) {
        return Some((arg, word.value.clone()));
    }
    let account = || Network::ALL.iter().any(|it| word.name.as_deref() == Some(it.code()));
    open(Shape::Person).filter(|_| account()).map(|arg| (arg, word.whole.clone()))
}

/// Gives the words that name no argument to those that are left, in their order. One that may be left out, and that a
/// word does not fit, leaves the word to the first that it fits: `westpole 2023-12-14` says no page.
fn by_place(command: &Command, ask: &Ask, given: &mut Given, words: &[Word], names: Names<'_>) -> Result<(), Failure> {
    let mut open: Vec<&'static Spec> =
        command.args.iter().copied().filter(|arg| given.get(arg.name).is_none()).collect();
    let mut rest = words;
    while let Some(word) = rest.first() {
        if open.is_empty() {
            return Err(too_many(command, ask, &word.whole));
        }
        let arg = open.remove(places::meant(&open, rest, ask));
        if arg.shape.is_greedy() {
            let value = match rest {
                [only] => only.whole.clone(),
                several if matches!(arg.shape, Shape::Prose | Shape::Name) => joined(several, |word| &word.raw),
                several => joined(several, |word| &word.whole),
            };
            given.0.insert(arg.name, value);
            return Ok(());
        }
        let count = places::count(arg, rest, &open, ask, names)?;
        if let Some(name) = word.name.as_ref().filter(|_| !word.quoted && count == 0) {
            return Err(no_such_argument(command, ask, name));
        }
        let (taken, after) = rest.split_at(count.max(1));
        rest = after;
        match taken {
            [dash] if is_lone_dash(&dash.value) && !dash.quoted => {}
            taken => put(given, command, ask, arg.name, joined(taken, |word| &word.whole))?,
        }
    }
    Ok(())
}

fn joined(words: &[Word], text: impl Fn(&Word) -> &String) -> String {
    words.iter().map(|word| text(word).as_str()).collect::<Vec<_>>().join(" ")
}

fn put(given: &mut Given, command: &Command, ask: &Ask, name: &'static str, value: String) -> Result<(), Failure> {
    if given.0.insert(name, value).is_some() {
        let words = ask.say(" is given twice. Use it so: ", " è indicato due volte. Si usa così: ");
        return Err(Failure::refused(Line::new().strong(name).text(words).code(command.usage_at(ask))));
    }
    Ok(())
}

fn empty(command: &Command, ask: &Ask, name: &str) -> Failure {
    let words = ask.say("Nothing stands behind ", "Non c'è nulla dopo ");
    let usage = ask.say(" Usage: ", " Si usa così: ");
    Failure::refused(
        Line::new().text(words).strong(format!("{name}:")).text(".").text(usage).code(command.usage_at(ask)),
    )
}

fn too_many(command: &Command, ask: &Ask, word: &str) -> Failure {
    let words = ask.say("I do not know what to do with ", "Non so che cosa fare di ");
    let usage = ask.say(". Usage: ", ". Si usa così: ");
    Failure::refused(Line::new().text(words).strong(shown(word)).text(usage).code(command.usage_at(ask)))
}

fn no_such_argument(command: &Command, ask: &Ask, name: &str) -> Failure {
    let near = near(name, command.args.iter().map(|arg| arg.name));
    let words = ask.say(" takes no ", " non prevede ");
    let line = Line::new().strong(format!("/{}", command.name)).text(words).strong(shown(name));
    let line = line.join(did_you_mean(ask, &near));
    Failure::refused(line.text(ask.say(" Usage: ", " Si usa così: ")).code(command.usage_at(ask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Result<Vec<(&'static str, String)>, String> {
        let ask = Ask {
            line: line.to_owned(),
            caller: super::super::Caller { address: None, role: super::super::Role::Owner, incidents: Vec::new() },
            place: super::super::Place::terminal(),
            lang: record::lang::Lang::En,
            zone: None,
            at: chrono::DateTime::UNIX_EPOCH,
            key: None,
            quoted: None,
        };
        let typed = typed(PIPED, &ask, &places::no_names).map_err(|failure| failure.to_string())?;
        if let Some(lacks) = typed.lacks() {
            return Err(missing(typed.command, &ask, lacks.name).to_string());
        }
        let mut given: Vec<_> = typed.given.0.into_iter().collect();
        given.sort();
        Ok(given)
    }

    static PIPED: &[&Command] = &[&TELL, &COUNT];

    static COUNT: Command = Command {
        name: "count",
        about: record::lang::Text { en: "x", it: "y" },
        args: &[
            &one("incident", true, Shape::Incident),
            &one("how", true, Shape::Prose),
            &one("value", true, Shape::Prose),
        ],
        who: super::super::Role::Reader,
        manages: false,
        aliases: &[],
        piped: Some(2),
        posts: false,
        example: "x y | 3",
        run: |_, _, _| Ok(record::reply::Reply::default()),
    };

    static TELL: Command = Command {
        name: "tell",
        about: record::lang::Text { en: "x", it: "y" },
        args: &[
            &one("incident", true, Shape::Incident),
            &one("when", true, Shape::When),
            &one("text", true, Shape::Prose),
            &one("link", false, Shape::Prose),
            &one("claim", false, Shape::Word),
        ],
        who: super::super::Role::Reader,
        manages: false,
        aliases: &["t"],
        piped: Some(2),
        posts: false,
        example: "x 2023 | y",
        run: |_, _, _| Ok(record::reply::Reply::default()),
    };

    const fn one(name: &'static str, required: bool, shape: Shape) -> Spec {
        Spec { name, about: record::lang::Text { en: "x", it: "y" }, required, shape }
    }

    #[test]
    fn bars_part_sentences_which_are_kept_as_typed() {
        let all = [("incident", "x"), ("link", "https://a.example/b"), ("text", "he said: \"no"), ("when", "2023-12")];
        let all: Vec<_> = all.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        assert_eq!(given("/tell x 2023-12 | he said: \"no | https://a.example/b"), Ok(all.clone()));
        assert_eq!(given("/T x 2023-12|he said: \"no|https://a.example/b"), Ok(all.clone()));
        let form = r#"/tell incident:x when:2023-12 text:"he said: \"no" link:"https://a.example/b""#;
        assert_eq!(given(form), Ok(all), "a form that was filled in");
        assert_eq!(given("/tell x 2023-12 | y").map(|given| given.len()), Ok(3));
        assert!(given("/tell x 2023-12").is_err_and(|why| why.contains("text")));
        assert!(given("/tell x 2023-12 | ").is_err_and(|why| why.contains("text")));
        let date = given("/tell x 8 dicembre verso le 5 | y");
        let date = date.map(|all| all.contains(&("when", "8 dicembre verso le 5".to_owned())));
        assert_eq!(date, Ok(true));
        assert!(given("/tell x 2023-12 | a | b | c | d").is_err_and(|why| why.contains("more parts")));
    }

    #[test]
    fn what_may_be_left_out_may_be_named_behind_a_bar() {
        let of = |line: &str| given(line).expect(line).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(of("/tell x 2023 | y | claim:for:#1"), ["for:#1", "x", "y", "2023"]);
        assert_eq!(of("/tell x 2023 | y | claim: for:#1 | https://a"), ["for:#1", "x", "https://a", "y", "2023"]);
        assert_eq!(of("/tell x 2023 | link: see there"), ["x", "link: see there", "2023"], "it must be given");
        assert!(given("/tell x 2023 | y | https://a | link:b").is_err_and(|why| why.contains("twice")));
    }

    #[test]
    fn a_sentence_may_stand_on_either_side_of_the_first_bar() {
        for line in ["/count x how many | 3", "/count x | how many | 3", "/count x how:how many | 3"] {
            let all = [("how", "how many"), ("incident", "x"), ("value", "3")];
            assert_eq!(given(line), Ok(all.map(|(name, value)| (name, value.to_owned())).to_vec()), "{line}");
        }
        assert!(given("/count x how many").is_err_and(|why| why.contains("value")));
        assert!(given("/count x").is_err_and(|why| why.contains("how")));
        assert!(given("/count x | how many").is_err_and(|why| why.contains("value")));
    }
}
