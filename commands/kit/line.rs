//! From a typed line to a command and its arguments: by place in their listed order, or as `name:value`.

use std::collections::HashMap;

use record::{channel::Network, find::near, reply::Line};

use super::{
    Ask, Command, Failure, Shape, Spec,
    args::{did_you_mean, shown},
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

/// Reads a line; what does not fit is answered with what would. It may lack what must be given.
pub fn typed(all: &'static [&'static Command], ask: &Ask) -> Result<Typed, Failure> {
    if ask.line.len() > MAX_LINE {
        return Err(Failure::refused(ask.say(
            "That is too long for me to read. Please say it in fewer words.",
            "È troppo lungo perché io lo legga. Dillo in meno parole, per favore.",
        )));
    }
    let line = ask.line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let name = name.strip_prefix('/').unwrap_or(name).to_lowercase();
    let Some(command) = all.iter().find(|command| command.is_called(&name)) else {
        return Err(unknown(all, ask, &name));
    };
    let given = match command.piped {
        Some(before) if !all_named(command, rest) => piped(command, ask, rest, before)?,
        _ => {
            let words =
                words(rest).map_err(|OpenQuote| {
                    Failure::refused(ask.say(
                        "A quotation mark is opened and never closed.",
                        "Hai aperto le virgolette senza chiuderle.",
                    ))
                })?;
            let mut given = arguments(command, ask, words)?;
            if command.piped.is_some() {
                // As between two bars: what may be left out, and is a dash, was left out.
                let optional = |name: &str| command.args.iter().any(|arg| arg.name == name && !arg.required);
                given.0.retain(|name, value| value.trim() != "-" || !optional(name));
            }
            given
        }
    };
    Ok(Typed { command, given })
}

/// What a line gives by names alone, as when a form was filled in, whatever else it lacks; none for other lines.
pub(crate) fn by_names(command: &'static Command, ask: &Ask) -> Option<Given> {
    let rest = ask.line.trim().split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    if ask.line.len() > MAX_LINE || !all_named(command, rest) {
        return None;
    }
    arguments(command, ask, words(rest).ok()?).ok()
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

/// One word of a line: its text, and the argument it names, if it has the form `name:value`.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    /// What stands before the first colon, where that looks like a name and was not in quotes.
    name: Option<String>,
    /// Without quotes and name.
    value: String,
    /// With its name.
    whole: String,
    quoted: bool,
}

/// A quotation mark without its partner.
#[derive(Debug, PartialEq, Eq)]
struct OpenQuote;

/// Splits at blanks; `"…"` keeps blanks together, and `\"` is a quotation mark inside it.
fn words(text: &str) -> Result<Vec<Word>, OpenQuote> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|c| c.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(words);
        }
        let (mut whole, mut name, mut value, mut quoted) = (String::new(), None, String::new(), false);
        while let Some(letter) = letters.next_if(|c| !c.is_whitespace()) {
            match letter {
                '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '＂' if value.is_empty() && !quoted =>
                {
                    quoted = true;
                    let inner = inside(&mut letters, letter)?;
                    whole.push_str(&inner);
                    value.push_str(&inner);
                }
                ':' | '：'
                    if name.is_none()
                        && !quoted
                        && looks_like_a_name(&value)
                        && !letters.clone().take(2).eq(['/', '/']) =>
                {
                    whole.push(':');
                    name = Some(std::mem::take(&mut value).to_lowercase());
                }
                other => {
                    whole.push(other);
                    value.push(other);
                }
            }
        }
        if !quoted {
            value = plain_dashes(value);
        }
        words.push(Word { name, value, whole, quoted });
    }
}

/// Reads up to the closing quotation mark. A straight mark closes a straight one, so that whatever `quoted` wrote is read
/// back as it was; guillemets close guillemets; the curly marks of phones close one another.
fn inside(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, opened: char) -> Result<String, OpenQuote> {
    let closes = |letter: char| match opened {
        '«' => letter == '»',
        '»' => letter == '«',
        '‹' => letter == '›',
        '›' => letter == '‹',
        '"' => letter == '"',
        _ => matches!(letter, '"' | '“' | '”' | '‟' | '＂'),
    };
    let mut inner = String::new();
    loop {
        match letters.next() {
            None => return Err(OpenQuote),
            Some(letter) if closes(letter) => return Ok(inner),
            Some('\\') if matches!(letters.peek(), Some('"' | '\\')) => inner.extend(letters.next()),
            Some(letter) => inner.push(letter),
        }
    }
}

/// A dash that a phone made of a hyphen, where it stands alone or between digits, as in a date.
fn plain_dashes(value: String) -> String {
    let dash = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    let plain = value.chars().any(dash)
        && value.chars().all(|c| dash(c) || c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | '.'));
    match plain {
        true => value.chars().map(|c| if dash(c) { '-' } else { c }).collect(),
        false => value,
    }
}

fn looks_like_a_name(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Whether every word names its argument, as when a form was filled in.
fn all_named(command: &Command, rest: &str) -> bool {
    let known = |word: &Word| word.name.as_deref().is_some_and(|name| command.args.iter().any(|arg| arg.name == name));
    words(rest).is_ok_and(|words| !words.is_empty() && words.iter().all(known))
}

/// `westpole 2023-12-20 | what happened | https://…`: words before the first bar, then whole sentences, as typed. Where
/// the last argument before the bar is a sentence, it is all that stands there, or else what stands behind the bar.
fn piped(command: &Command, ask: &Ask, rest: &str, before: usize) -> Result<Given, Failure> {
    let mut parts = rest.split('|').map(str::trim);
    let (mut given, mut left, mut next) = (Given::default(), parts.next().unwrap_or_default(), 0);
    let is_sentence = |at: usize| at + 1 == before && command.args.get(at).is_some_and(|arg| ends_at_bar(arg.shape));
    for (at, arg) in command.args.iter().take(before).enumerate() {
        // A date may have several words: "8 dicembre verso le 5".
        let whole = is_sentence(at) || (matches!(arg.shape, Shape::When | Shape::Ahead) && at + 1 == before);
        let (word, more) = match whole {
            true => (left, ""),
            false => left.split_once(char::is_whitespace).unwrap_or((left, "")),
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
    if !is_sentence(next) {
        next = before;
    }
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
            Some(arg) if part.is_empty() || part == "-" && !arg.required => {}
            Some(arg) => drop(given.0.insert(arg.name, part.to_owned())),
            None => return Err(too_many_parts(command, ask)),
        }
        next += 1;
    }
    Ok(given)
}

/// Whether a value may have several words before a bar.
fn ends_at_bar(shape: Shape) -> bool {
    shape.is_greedy() || matches!(shape, Shape::Choice(_))
}

/// What stands behind an argument's name and a colon.
fn called<'a>(arg: &Spec, part: &'a str) -> Option<&'a str> {
    part.strip_prefix(arg.name)?.strip_prefix(':').map(str::trim)
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
    let given = piped(command, ask, command.example, command.piped?).ok()?;
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

/// Gives every word to an argument.
fn arguments(command: &Command, ask: &Ask, words: Vec<Word>) -> Result<Given, Failure> {
    let mut given = Given::default();
    let mut next = 0;
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let named = word.name.as_deref().and_then(|name| command.args.iter().find(|arg| arg.name == name));
        if let Some(arg) = named {
            let value = match word.value.is_empty() && !word.quoted {
                true => words.next_if(|next| next.name.is_none()).map(|next| next.value).unwrap_or_default(),
                false => word.value,
            };
            if value.trim().is_empty() {
                return Err(empty(command, ask, arg.name));
            }
            put(&mut given, command, ask, arg.name, value)?;
            continue;
        }
        // A chat's name stands anywhere: nothing else looks like one.
        let chat = command.args.iter().find(|arg| arg.shape == Shape::Chat && given.get(arg.name).is_none());
        if let Some(arg) = chat.filter(|_| is_chat(&word.whole)) {
            put(&mut given, command, ask, arg.name, word.value)?;
            continue;
        }
        // Nor do names of accounts: `telegram:5`.
        let account = command.args.iter().find(|arg| arg.shape == Shape::Person && given.get(arg.name).is_none());
        if let Some(arg) = account.filter(|_| Network::ALL.iter().any(|it| word.name.as_deref() == Some(it.code()))) {
            put(&mut given, command, ask, arg.name, word.whole)?;
            continue;
        }
        while command.args.get(next).is_some_and(|arg| given.get(arg.name).is_some() && !arg.shape.is_greedy()) {
            next += 1;
        }
        let Some(arg) = command.args.get(next) else { return Err(too_many(command, ask, &word.whole)) };
        if arg.shape.is_greedy() {
            let sofar = given.0.entry(arg.name).or_default();
            if !sofar.is_empty() {
                sofar.push(' ');
            }
            sofar.push_str(&word.whole);
            continue;
        }
        if let Some(name) = word.name.filter(|_| !word.quoted) {
            return Err(no_such_argument(command, ask, &name));
        }
        next += 1;
        if word.value != "-" || word.quoted {
            put(&mut given, command, ask, arg.name, word.value)?;
        }
    }
    given.0.retain(|_, value| !value.trim().is_empty());
    Ok(given)
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
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<(Option<String>, String)> {
        words(text).expect(text).into_iter().map(|word| (word.name, word.value)).collect()
    }

    #[test]
    fn input_is_read_as_phones_type_it() {
        let named = |name: &str, value: &str| (Some(name.to_owned()), value.to_owned());
        assert_eq!(split("words:“riscatto, ransom”"), [named("words", "riscatto, ransom")]);
        assert_eq!(split("words：«riscatto, ransom»"), [named("words", "riscatto, ransom")]);
        assert_eq!(
            split("„a b“ “c d\" “l’attacco”").into_iter().map(|it| it.1).collect::<Vec<_>>(),
            ["a b", "c d", "l’attacco"]
        );
        assert_eq!(split("as_of:2023–12–14 —"), [named("as_of", "2023-12-14"), (None, "-".to_owned())]);
        assert_eq!(split("a\u{a0}b").len(), 2, "a blank that does not break is a blank");
    }

    #[test]
    fn words_keep_what_stands_in_quotes() {
        let plain = |value: &str| (None, value.to_owned());
        let named = |name: &str, value: &str| (Some(name.to_owned()), value.to_owned());
        assert_eq!(split("westpole 2"), [plain("westpole"), plain("2")]);
        assert_eq!(split(r#"by:"PA Digitale" page:2"#), [named("by", "PA Digitale"), named("page", "2")]);
        assert_eq!(split(r#""as_of:x" "a \" b""#), [plain("as_of:x"), plain("a \" b")]);
        assert_eq!(split("as_of:2023-12-08T05:00~"), [named("as_of", "2023-12-08T05:00~")]);
        assert_eq!(split("2023-12-08T05:00"), [plain("2023-12-08T05:00")]);
        assert_eq!(split("https://a.example/x"), [plain("https://a.example/x")]);
        assert_eq!(words("a \"b"), Err(OpenQuote));
    }

    #[test]
    fn what_is_quoted_is_read_back_as_it_was_whatever_marks_are_in_it() {
        for value in [
            "The portal says “offline”.",
            "“ciao”",
            "He said \"no\" now",
            "«sì»",
            "a：b",
            "1–2",
            "−5",
            "back\\slash “x\"",
        ] {
            let line = format!("text:{}", record::pages::quoted(value));
            assert_eq!(split(&line), [(Some("text".to_owned()), value.to_owned())], "{line}");
        }
    }

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
        let typed = typed(PIPED, &ask).map_err(|failure| failure.to_string())?;
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
        sets: false,
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
        sets: false,
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

    proptest! {
        #[test]
        fn no_line_panics(text in "\\PC{0,60}") {
            let _ = words(&text);
        }

        #[test]
        fn what_a_button_says_is_understood_again(value in "[^\\x00-\\x1f\\x7f-\\x9f]{1,20}") {
            let again = split(&format!("words:{}", record::pages::quoted(&value)));
            prop_assert_eq!(again, [(Some("words".to_owned()), value)]);
        }
    }
}
