//! A form: what a command still needs, asked field by field where a door can show such a thing. What was filled in is a
//! line again.

use record::{dossier::MAX_NAME, lang::Prose, link::Link, pages::quoted};

use super::{Ask, Command, Given, Shape, Spec, by_names};

/// How many fields a form may have: Discord's limit.
pub const FIELDS: usize = 5;
/// How long the line of a form may be, in characters: Discord keeps 100 for us while a form is open.
pub const LINE: usize = 100;
/// How long a title or label may be, in characters: Discord's limit.
pub const LABEL: usize = 45;
/// What a handle, a number or a date may take, in characters.
const WORD: usize = 200;

/// Fields to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is about, in at most [`LABEL`] characters.
    pub title: String,
    /// The command whose arguments are asked for.
    pub command: &'static str,
    /// The line that goes on with what is filled in; at most [`LINE`] characters.
    pub line: String,
    /// From 1 to [`FIELDS`].
    pub fields: Vec<Field>,
}

/// One argument to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The argument's name.
    pub name: &'static str,
    /// What it means, in at most [`LABEL`] characters.
    pub label: String,
    /// The same at length, or an example, in at most 100 characters.
    pub hint: String,
    /// What stands there already.
    pub value: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether it may have several lines.
    pub long: bool,
    /// How many characters it can hold.
    pub max: usize,
}

impl Form {
    /// A form for these arguments, the first of them where they are too many; none if it would be too large.
    pub fn new<'a>(
        ask: &Ask,
        title: String,
        command: &'static Command,
        line: String,
        args: &[&'static Spec],
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Form> {
        let args = &args[..args.len().min(FIELDS)];
        let fits = !args.is_empty() && line.chars().count() <= LINE;
        let fields = args.iter().map(|arg| Field::new(ask, arg, value(arg.name).unwrap_or_default())).collect();
        fits.then_some(Form { title, command: command.name, line, fields })
    }
}

impl Field {
    fn new(ask: &Ask, arg: &Spec, value: &str) -> Field {
        let about = arg.about.get(ask.lang);
        let hint = match arg.shape {
            Shape::When | Shape::Ahead => "2023-12-14T18:30 · 2023-12-14 · 2023-12",
            _ => about,
        };
        Field {
            name: arg.name,
            label: short(about).to_owned(),
            hint: hint.to_owned(),
            value: value.to_owned(),
            required: arg.required,
            long: arg.shape == Shape::Prose,
            max: most(arg.shape),
        }
    }
}

/// How many characters a value of some kind can have.
pub fn most(shape: Shape) -> usize {
    match shape {
        Shape::Prose => Prose::MAX_CHARS,
        Shape::Name => MAX_NAME,
        Shape::Link => Link::MAX,
        _ => WORD,
    }
}

/// What something means, without what is said behind it.
pub(crate) fn short(about: &str) -> &str {
    about.split([',', ';', ':', '(']).next().unwrap_or_default().trim_end()
}

/// The form for what a line lacks whose arguments are all named. What stands before the first that is missing is kept,
/// as far as it is short; from there on everything is asked, and every sentence.
pub(crate) fn missing(command: &'static Command, ask: &Ask) -> Option<Form> {
    let given = by_names(command, ask)?;
    let lacks = command.args.iter().position(|arg| arg.required && given.get(arg.name).is_none())?;
    let from = lacks.min(command.piped.unwrap_or_default());
    let line = line(command, &command.args[..from], &given);
    let (line, from) = if line.chars().count() <= LINE { (line, from) } else { (self::line(command, &[], &given), 0) };
    let title = short(command.about.get(ask.lang)).to_owned();
    Form::new(ask, title, command, line, &command.args[from..], |name| given.get(name))
}

/// A command with what is given for some of its arguments.
fn line(command: &Command, args: &[&Spec], given: &Given) -> String {
    let given = args.iter().filter_map(|arg| Some((arg.name, given.get(arg.name)?)));
    given.fold(format!("/{}", command.name), |line, (name, value)| format!("{line} {name}:{}", quoted(value)))
}

/// The line of a form that was filled in. What the command does not take is left out; what was emptied and may be is a
/// dash.
pub fn filled<'a>(line: &str, values: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut whole = line.trim().to_owned();
    let Some(command) = crate::called(line) else { return whole };
    for (name, value) in values.into_iter().take(FIELDS) {
        let Some(arg) = command.args.iter().find(|arg| arg.name == name) else { continue };
        match value.trim() {
            "" if arg.required => {}
            "" => whole += &format!(" {name}:-"),
            value => whole += &format!(" {name}:{}", quoted(value)),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use record::lang::Lang;

    use super::*;
    use crate::kit::{Caller, Place, Role};

    fn ask(line: &str, lang: Lang) -> Ask {
        Ask {
            line: line.to_owned(),
            caller: Caller { address: None, role: Role::Owner, incidents: Vec::new() },
            place: Place::terminal(),
            lang,
            zone: None,
            at: DateTime::UNIX_EPOCH,
            key: None,
            quoted: None,
        }
    }

    fn form(line: &str) -> Option<Form> {
        missing(crate::called(line)?, &ask(line, Lang::En))
    }

    fn names(form: &Form) -> Vec<&str> {
        form.fields.iter().map(|field| field.name).collect()
    }

    #[test]
    fn every_command_that_records_fits_a_form_in_both_languages() {
        for command in crate::ALL.iter().filter(|command| command.records()) {
            let required = command.args.iter().filter(|arg| arg.required).count();
            assert!(required <= FIELDS, "/{}", command.name);
            for lang in Lang::ALL {
                let size = |text: &str| text.chars().count();
                assert!((1..=LABEL).contains(&size(short(command.about.get(lang)))), "/{}", command.name);
                let (ask, line) = (ask("", lang), format!("/{}", command.name));
                let form = Form::new(&ask, String::new(), command, line, command.args, |_| None).expect("a form");
                for field in form.fields {
                    assert!((1..=LABEL).contains(&size(&field.label)), "{}", field.label);
                    assert!((1..=100).contains(&size(&field.hint)), "{}", field.hint);
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_asked_from_the_first_on_with_every_sentence() {
        let event = form("/event incident:westpole").expect("a form");
        assert_eq!(
            (event.title.as_str(), event.line.as_str()),
            ("Record something that happened", "/event incident:westpole")
        );
        assert_eq!(names(&event), ["when", "text", "link"]);
        let event = form(r#"/event incident:westpole when:2023-12-20 link:https://a.example/"#).expect("a form");
        assert_eq!(event.line, "/event incident:westpole when:2023-12-20");
        assert_eq!(names(&event), ["text", "link"]);
        assert_eq!(event.fields[1].value, "https://a.example/");
        assert!(event.fields[0].long && !event.fields[1].long && !event.fields[1].required);
        let whole = form(r#"/event when:2023-12-20 text:"it said \"no\"""#).expect("a form");
        assert_eq!((whole.line.as_str(), names(&whole).len()), ("/event", 4));
        assert_eq!(whole.fields[2].value, "it said \"no\"");
        let long = format!("/source incident:westpole title:{}", "x".repeat(150));
        assert_eq!(names(&form(&long).expect("a form")), ["link", "publisher", "title", "date"]);
        let long = format!("/correct entry:{} text:x", "x".repeat(150));
        assert_eq!(
            names(&form(&long).expect("a form")),
            ["entry", "text", "what", "when"],
            "what is too long to be kept is asked"
        );
        for other in
            ["/event westpole 2023-12-20", "/event incident:a when:2023 text:x", "/event", "/timeline incident:a"]
        {
            assert_eq!(
                crate::called(other).filter(|it| it.records()).and_then(|it| missing(it, &ask(other, Lang::En))),
                None
            );
        }
    }

    #[test]
    fn what_was_filled_in_is_a_line_again() {
        let values = [("text", " two\nlines: \"x\" "), ("link", ""), ("nonsense", "y"), ("when", "")];
        let line = filled("/event incident:westpole", values);
        assert_eq!(line, "/event incident:westpole text:\"two\nlines: \\\"x\\\"\" link:-");
        assert_eq!(filled("/nothing at all", values), "/nothing at all");
        let whole = filled("/event incident:westpole when:2023-12-20", values);
        let typed = crate::kit::typed(crate::ALL, &ask(&whole, Lang::En)).expect("it is understood");
        assert_eq!(typed.given.get("text"), Some("two\nlines: \"x\""));
        assert_eq!(typed.given.get("link"), None, "a dash is left out");
    }
}
