//! What Discord refuses: its error codes, and the limits of messages, forms and commands.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{items, number, word};

/// Code, status, message.
const PROBLEMS: &str = "401 401 401: Unauthorized; 404 404 404: Not Found; 405 405 405: Method Not Allowed;
    10002 404 Unknown Application; 10003 404 Unknown Channel; 10004 404 Unknown Guild; 10007 404 Unknown Member;
    10008 404 Unknown Message; 50033 400 Invalid Recipient(s); 10015 404 Unknown Webhook; 10062 404 Unknown interaction;
    30034 429 Max number of daily application command creates has been reached (200);
    40033 400 This message has already been crossposted; 40058 400 Cannot message this channel until a thread is made in it;
    40060 400 Interaction has already been acknowledged.; 40333 403 internal network error; 50001 403 Missing Access;
    50005 403 Cannot edit a message authored by another user; 50006 400 Cannot send an empty message;
    50008 400 Cannot send messages in a non-text channel; 50013 403 Missing Permissions;
    50024 400 Cannot execute action on this channel type; 50027 401 Invalid Webhook Token;
    50035 400 Invalid Form Body; 50083 400 This thread is archived; 160005 403 This thread is locked;
    50109 400 The request body contains invalid JSON.;
    160002 400 Cannot reply without permission to read message history";

/// Place, kind, least, most; `*` is every place in a list.
const EMBEDS: &str = "embeds list 0 10; embeds.*.title text 0 256; embeds.*.description text 0 4096;
    embeds.*.footer.text text 0 2048; embeds.*.author.name text 0 256; embeds.*.fields list 0 25;
    embeds.*.fields.*.name text 1 256; embeds.*.fields.*.value text 1 1024; embeds.*.color int 0 16777215;
    embeds.*.timestamp moment 0 0; embeds.*.url url 0 2048; embeds.*.author.url url 0 2048;
    embeds.*.author.icon_url url 0 2048; embeds.*.footer.icon_url url 0 2048; embeds.*.image.url url 0 2048;
    embeds.*.thumbnail.url url 0 2048";
const MESSAGE: &str = "content text 0 2000; nonce text 0 25; components list 0 5; components.*.type int 1 1;
    components.*.components list 1 5";
const BUTTON: &str = "style int 1 4; custom_id text 1 100; label text 0 80; url text 0 0";
const LINK: &str = "style int 5 5; custom_id text 0 0; label text 0 80; url url 1 512";
const SELECT: &str = "custom_id text 1 100; placeholder text 0 150; options list 1 25; options.*.label text 1 100;
    options.*.value text 1 100; options.*.description text 0 100";
const PICK: &str = "custom_id text 1 100; placeholder text 0 150";
const MODAL: &str = "data.custom_id text 1 100; data.title text 1 45; data.components list 1 5;
    data.components.*.type int 1 1; data.components.*.components list 1 1;
    data.components.*.components.*.type int 4 4; data.components.*.components.*.custom_id text 1 100;
    data.components.*.components.*.label text 1 45; data.components.*.components.*.style int 1 2;
    data.components.*.components.*.value text 0 4000; data.components.*.components.*.placeholder text 0 100;
    data.components.*.components.*.min_length int 0 4000; data.components.*.components.*.max_length int 0 4000";
const CHOICES: &str = "choices list 0 25; choices.*.name text 1 100; choices.*.value value 1 100";
const OPTION: &str = "type int 1 11; options list 0 25; name text 1 32; description text 1 100; min_length int 0 6000;
    max_length int 0 6000";
const COMMAND: &str = "options list 0 25; name text 1 32; description text 1 100";
const MENU: &str = "options list 0 0; name text 1 32; description text 0 0";
const LOCALES: &str = "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru \
                       uk hi th zh-CN ja zh-TW ko";

type Checked = Result<(), Problem>;

/// How Discord says no.
pub(super) struct Problem {
    pub status: u16,
    pub code: u64,
    pub message: String,
    pub errors: Value,
}

/// The problem with this code; below 1000 it is an HTTP status.
pub(super) fn problem(code: u64) -> Problem {
    let known = PROBLEMS.split(';').map(|line| line.trim().splitn(3, ' ').collect::<Vec<_>>());
    let found = known.into_iter().find(|line| line[0] == code.to_string()).unwrap_or(vec!["", "400", "Bad Request"]);
    let status = found[1].parse().unwrap_or(400);
    Problem { status, code: if code < 1000 { 0 } else { code }, message: found[2].into(), errors: Value::Null }
}

/// A form refused for one thing in it.
pub(super) fn not(at: &str, message: &str) -> Problem {
    let mut form = Form::default();
    form.fault(at, "BASE_TYPE_INVALID", message);
    Problem { errors: form.0, ..problem(50035) }
}

pub(super) fn snowflake(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| not("id", &format!("Value \"{text}\" is not snowflake.")))
}

/// A message, new or as an edit leaves it.
pub(super) fn message(body: &Value) -> Checked {
    let mut form = Form::default();
    form.must(body.is_object(), "data", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
    form.rows(body, "", MESSAGE);
    let size = form.rows(body, "", EMBEDS);
    form.must(size <= 6000, "embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000");
    for (at, embed) in places(body, "embeds.*") {
        let empty = ["title", "description", "fields", "image", "thumbnail", "author", "footer"]
            .iter()
            .all(|key| !filled(&embed[key]));
        form.must(!empty, &format!("{at}.description"), "BASE_TYPE_REQUIRED", "This field is required");
    }
    let mut seen = HashSet::new();
    for (at, part) in places(body, "components.*.components.*") {
        component(&mut form, &at, part, body);
        let new = part["custom_id"].is_null() || seen.insert(word(&part["custom_id"]));
        let at = format!("{at}.custom_id");
        form.must(new, &at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
    }
    for (at, kind) in places(body, "allowed_mentions.parse.*") {
        let known = ["users", "roles", "everyone"].contains(&word(kind).as_str());
        form.must(known, &at, "BASE_TYPE_CHOICES", "Value must be one of {'users', 'roles', 'everyone'}.");
        let twice = filled(&body["allowed_mentions"][word(kind)]);
        form.must(!twice, &at, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "Mutually exclusive with a list.");
    }
    form.done()?;
    let parts = ["content", "embeds", "components", "sticker_ids", "poll"];
    if parts.iter().any(|key| filled(&body[key])) { Ok(()) } else { Err(problem(50006)) }
}

fn component(form: &mut Form, at: &str, part: &Value, body: &Value) {
    let alone =
        at.rsplit_once('.').is_some_and(|(row, _)| places(body, row).iter().all(|(_, row)| items(row).len() == 1));
    let rules = match (number(&part["type"]), number(&part["style"])) {
        (2, 5) => LINK,
        (2, _) => BUTTON,
        (3, _) if alone => SELECT,
        (5..=8, _) if alone => PICK,
        _ => "type int 2 2",
    };
    form.rows(part, at, rules);
    let said = number(&part["type"]) > 2 || filled(&part["label"]) || filled(&part["emoji"]);
    form.must(said, at, "BUTTON_COMPONENT_EMPTY", "A button needs a label or an emoji.");
}

/// What autocomplete offers.
pub(super) fn choices(data: &Value) -> Checked {
    let mut form = Form::default();
    form.rows(data, "data", CHOICES);
    form.done()
}

/// A form to fill in.
pub(super) fn modal(callback: &Value) -> Checked {
    let mut form = Form::default();
    form.rows(callback, "", MODAL);
    let mut seen = HashSet::new();
    for (at, input) in places(callback, "data.components.*.components.*") {
        let new = seen.insert(word(&input["custom_id"]));
        form.must(new, &at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
        let bounds = [("min_length", 0), ("max_length", 4000)].map(|(key, free)| input[key].as_u64().unwrap_or(free));
        let size = word(&input["value"]).chars().count() as u64;
        let fits = bounds[1] >= 1 && bounds[0] <= bounds[1] && (size == 0 || (bounds[0]..=bounds[1]).contains(&size));
        form.must(fits, &format!("{at}.value"), "BASE_TYPE_BAD_LENGTH", "Must be between min_length and max_length.");
        let known = ["type", "id", "custom_id", "style", "label", "min_length", "max_length", "required", "value"];
        for key in input.as_object().into_iter().flat_map(|input| input.keys()) {
            let known = known.contains(&key.as_str()) || key == "placeholder";
            form.must(known, &format!("{at}.{key}"), "UNKNOWN_FIELD", "A text input has no such field.");
        }
    }
    form.done()
}

/// The whole list of commands.
pub(super) fn commands(body: &Value) -> Checked {
    let mut form = Form::default();
    form.must(body.is_array(), "data", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
    let mut seen = HashSet::new();
    for (at, command) in places(body, "*") {
        let kind = command["type"].as_u64().unwrap_or(1);
        let new = seen.insert((kind, word(&command["name"])));
        form.must(new, &at, "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique");
        let mut size = form.named(&at, command, if kind == 1 { COMMAND } else { MENU });
        for depth in ["options.*", "options.*.options.*", "options.*.options.*.options.*"] {
            for (inner, option) in places(command, depth) {
                size += form.option(&format!("{at}.{inner}"), option);
            }
        }
        form.must(size <= 8000, &at, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)");
        let bits = word(&command["default_member_permissions"]).chars().all(|digit| digit.is_ascii_digit());
        form.must(bits, &format!("{at}.default_member_permissions"), "NUMBER_TYPE_COERCE", "Value is not an integer.");
    }
    for (kind, most) in [(1, 100), (2, 15), (3, 15)] {
        let fine = seen.iter().filter(|(of, _)| *of == kind).count() <= most;
        form.must(fine, "data", "APPLICATION_COMMANDS_MAX", &format!("At most {most} commands of type {kind}."));
    }
    form.done()
}

/// A form under examination: what is wrong with it so far.
#[derive(Default)]
struct Form(Value);

impl Form {
    fn fault(&mut self, at: &str, code: &str, message: &str) {
        let place = at.split('.').fold(&mut self.0, |place, key| &mut place[key]);
        let mut faults = items(&place["_errors"]).to_vec();
        faults.push(json!({ "code": code, "message": message }));
        place["_errors"] = json!(faults);
    }

    fn must(&mut self, so: bool, at: &str, code: &str, message: &str) {
        if !so {
            self.fault(at, code, message);
        }
    }

    /// Checks a value by rows of a table; returns how many characters its texts have.
    fn rows(&mut self, value: &Value, under: &str, table: &str) -> u64 {
        let mut size = 0;
        for row in table.split(';').map(|row| row.split_whitespace().collect::<Vec<_>>()) {
            let [place, kind, least, most] = row[..] else { continue };
            let bounds = [least, most].map(|bound| bound.parse().unwrap_or(0));
            for (at, value) in places(value, place) {
                let at = if under.is_empty() { at } else { format!("{under}.{at}") };
                size += self.check(&at, value, kind, bounds);
            }
        }
        size
    }

    fn check(&mut self, at: &str, value: &Value, kind: &str, [least, most]: [u64; 2]) -> u64 {
        let text = value.as_str().map(str::trim);
        let size = text.map_or(items(value).len(), |text| text.chars().count()) as u64;
        let web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        let fits = match kind {
            _ if value.is_null() => least == 0,
            "int" => value.as_u64().is_some_and(|number| (least..=most).contains(&number)),
            "list" => value.is_array() && (least..=most).contains(&size),
            "value" | "text" if value.is_number() => kind == "value" || at == "nonce",
            "moment" => text.is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
            "url" => text.is_some_and(web) && size <= most,
            _ => text.is_some() && (least..=most).contains(&size),
        };
        let words = format!("Must be a {kind} between {least} and {most} in length.");
        self.must(fits, at, if size > most { "BASE_TYPE_MAX_LENGTH" } else { "BASE_TYPE_REQUIRED" }, &words);
        for (n, item) in items(value).iter().enumerate().filter(|(_, item)| !item.is_object()) {
            self.fault(&format!("{at}.{n}"), "DICT_TYPE_CONVERT", &format!("{item} is no dictionary."));
        }
        if matches!(kind, "text" | "value") { size } else { 0 }
    }

    /// A command or option with its names; returns what it counts towards the 8000.
    fn named(&mut self, at: &str, thing: &Value, rules: &str) -> u64 {
        let mut size = self.rows(thing, at, rules);
        let names: Vec<_> = places(thing, "name").into_iter().chain(localised(thing, "name")).collect();
        for (inner, name) in names.iter().filter(|_| rules != MENU) {
            let (name, at) = (word(name), format!("{at}.{inner}"));
            self.must(is_name(&name), &at, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
        }
        size += self.languages(at, thing, "name", 32) + self.languages(at, thing, "description", 100);
        let (mut seen, mut optional) = (HashSet::new(), false);
        for (inner, option) in places(thing, "options.*") {
            let (at, required) = (format!("{at}.{inner}"), option["required"] == true);
            let new = seen.insert(word(&option["name"]));
            self.must(new, &at, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option name already exists");
            let order = "Required options must be placed before non-required options";
            self.must(!(required && optional), &at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", order);
            optional |= !required;
        }
        size
    }

    /// Checks the localisations of a text; returns how many characters the longest has more, for that one counts.
    fn languages(&mut self, at: &str, thing: &Value, what: &str, most: u64) -> u64 {
        let mut longest = 0;
        for (inner, text) in localised(thing, what) {
            let (at, locale) = (format!("{at}.{inner}"), inner.rsplit('.').next().unwrap_or_default());
            let known = LOCALES.split_whitespace().any(|known| known == locale);
            self.must(known, &at, "ENUM_TYPE_COERCE", "Value is not a valid enum value.");
            longest = longest.max(self.check(&at, text, "text", [1, most]));
        }
        longest.saturating_sub(word(&thing[what]).chars().count() as u64)
    }

    fn option(&mut self, at: &str, option: &Value) -> u64 {
        let (kind, offers, completes) =
            (number(&option["type"]), filled(&option["choices"]), option["autocomplete"] == true);
        let mut size = self.named(at, option, OPTION) + self.rows(option, at, CHOICES);
        for (inner, choice) in places(option, "choices.*") {
            size += self.languages(&format!("{at}.{inner}"), choice, "name", 100);
        }
        let fine = !(offers && completes) && (matches!(kind, 3 | 4 | 10) || !(offers || completes));
        self.must(fine, at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Choices or autocomplete do not go here");
        self.must(kind < 3 || !filled(&option["options"]), at, "APPLICATION_COMMAND_OPTIONS_NESTED", "No options here");
        size
    }

    fn done(self) -> Checked {
        if self.0.is_null() { Ok(()) } else { Err(Problem { errors: self.0, ..problem(50035) }) }
    }
}

/// The values at a place, each with where it is.
fn places<'a>(value: &'a Value, place: &str) -> Vec<(String, &'a Value)> {
    let mut found = vec![(String::new(), value)];
    for key in place.split('.') {
        let join = |at: &str, key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        let inner = |(at, value): (String, &'a Value)| match key {
            "*" => items(value).iter().enumerate().map(|(n, item)| (join(&at, &n.to_string()), item)).collect(),
            key => vec![(join(&at, key), key.parse().map_or(&value[key], |n: usize| &value[n]))],
        };
        found = found.into_iter().flat_map(inner).collect();
    }
    found
}

fn localised<'a>(thing: &'a Value, what: &str) -> Vec<(String, &'a Value)> {
    let texts = thing[format!("{what}_localizations")].as_object().into_iter().flatten();
    texts.map(|(locale, text)| (format!("{what}_localizations.{locale}"), text)).collect()
}

/// Letters, digits and `-_'` of any script, in lower case.
fn is_name(name: &str) -> bool {
    let mark = |letter| matches!(letter, '\u{900}'..='\u{97f}' | '\u{e00}'..='\u{e7f}');
    name == name.to_lowercase() && name.chars().all(|c| c.is_alphanumeric() || "-_'".contains(c) || mark(c))
}

fn filled(value: &Value) -> bool {
    value.as_str().map_or(value.is_object() || !items(value).is_empty(), |text| !text.trim().is_empty())
}
