//! The slash commands as Discord is told of them: all at once, and only when something changed.

use std::{sync::Arc, time::Duration};

use commands::kit::{Command, Role, Shape, Spec, form::most};
use record::lang::Text;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    Door, Pauses,
    form::{MENUS, Menu},
    send::{Failed, NO_CHAT, Wire},
};

/// What is registered when a string may be long; Discord's own limit is 6,000.
const WORDS: u64 = 1_000;
/// What a handle, a name or a date may take.
const WORD: u64 = 200;
/// The permission to manage a server (1 << 5), as Discord writes it.
const MANAGE_GUILD: &str = "32";
/// Discord's kinds of options.
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const BOOLEAN: u8 = 5;
const ROLE: u8 = 8;
/// How long one try at registering lasts.
const TRY: Duration = Duration::from_secs(120);

/// Registers the commands, trying until it is done or refused: 200 new ones a day are allowed, so a restart must not
/// register what stands there already.
pub async fn register(door: Arc<Door>) {
    let mut pauses = Pauses::new(Duration::from_secs(5), Duration::from_secs(600));
    loop {
        match once(&door.wire, door.app).await {
            Ok(true) => return tracing::info!(commands = commands::ALL.len(), "commands are registered with Discord"),
            Ok(false) => return tracing::debug!("Discord knows the commands already"),
            Err(failed @ Failed::Refused { .. }) => {
                return tracing::error!(%failed, "Discord does not take the commands");
            }
            Err(Failed::Token) => door.wire.standing.until_token(false).await,
            Err(failed) => tracing::warn!(%failed, "commands are not registered with Discord yet; I try again"),
        }
        sleep(pauses.longer()).await;
    }
}

/// Whether it was needed.
async fn once(wire: &Wire, app: u64) -> Result<bool, Failed> {
    let until = Instant::now() + TRY;
    let path = format!("/applications/{app}/commands");
    let known = wire.call(Method::GET, &format!("{path}?with_localizations=true"), None, NO_CHAT, until).await?;
    let wanted = all();
    if same(&wanted, &known) {
        return Ok(false);
    }
    wire.call(Method::PUT, &path, Some(&wanted), NO_CHAT, until).await.map(|_| true)
}

/// Every command as Discord is told of it; its other names are commands of their own there. Behind them what can be
/// done with a message.
fn all() -> Value {
    let names = |command: &'static Command| [command.name].into_iter().chain(command.aliases.iter().copied());
    let slash = commands::ALL.iter().flat_map(|command| names(command).map(|name| self::command(name, command)));
    slash.chain(MENUS.iter().map(menu)).collect()
}

fn menu(menu: &Menu) -> Value {
    json!({
        "type": 3,
        "name": menu.name.en,
        "name_localizations": localised(menu.name),
        "default_member_permissions": MANAGE_GUILD,
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
    })
}

fn command(name: &str, command: &Command) -> Value {
    // A chat of Telegram's cannot be named here.
    let named = command.args.iter().filter(|arg| arg.shape != Shape::Chat).enumerate();
    // What a command that records lacks, a form asks for; only what Discord completes is better given before.
    let options: Vec<Value> =
        named.map(|(at, arg)| option(arg, arg.required && (at == 0 || !command.records()))).collect();
    let mut json = json!({
        "type": 1,
        "name": name,
        "description": command.about.en,
        "description_localizations": localised(command.about),
        "options": options,
        "default_member_permissions": null,
        // In servers, with the bot, and in other private chats; for servers and for people.
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
    });
    if command.who > Role::Reader {
        json["default_member_permissions"] = json!(MANAGE_GUILD);
    }
    json
}

fn option(arg: &Spec, required: bool) -> Value {
    let mut json = json!({
        "type": STRING,
        "name": arg.name,
        "description": arg.about.en,
        "description_localizations": localised(arg.about),
        "required": required,
    });
    match arg.shape {
        Shape::Number => {
            json["type"] = json!(INTEGER);
            json["min_value"] = json!(1);
        }
        Shape::Choice(choices) => {
            let choice = |choice: &commands::kit::Choice| json!({ "name": choice.text.en, "name_localizations": localised(choice.text), "value": choice.code });
            json["choices"] = choices.iter().map(choice).collect();
        }
        Shape::Incident | Shape::Organisation | Shape::Followed => {
            json["autocomplete"] = json!(true);
            json["max_length"] = json!(WORD);
        }
        Shape::Flag => json["type"] = json!(BOOLEAN),
        Shape::Role => json["type"] = json!(ROLE),
        Shape::Word => json["max_length"] = json!(WORDS),
        Shape::When | Shape::Ahead | Shape::Entry | Shape::Chat | Shape::Person => json["max_length"] = json!(WORD),
        Shape::Words => json["max_length"] = json!(WORDS),
        Shape::Prose | Shape::Name | Shape::Link => json["max_length"] = json!(most(arg.shape)),
    }
    json
}

/// A text under Discord's names of our languages. Its default stands there too: else somebody whose client is English
/// could be shown another language's.
fn localised(text: Text) -> Value {
    json!({ "en-US": text.en, "en-GB": text.en, "it": text.it })
}

/// Whether Discord knows the commands as they are wanted, in whatever order.
fn same(wanted: &Value, known: &Value) -> bool {
    let kind = |command: &Value| command["type"].as_u64().unwrap_or(1);
    let ours = |known: &&Value| matches!(kind(known), 1 | 3);
    let known: Vec<&Value> = known.as_array().into_iter().flatten().filter(ours).collect();
    let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
    wanted.len() == known.len()
        && wanted.iter().all(|wanted| {
            known.iter().any(|it| (kind(it), &it["name"]) == (kind(wanted), &wanted["name"]) && covers(it, wanted))
        })
}

/// Whether what Discord returns says what was set; it leaves out what is as it would be anyway, and adds things.
fn covers(known: &Value, wanted: &Value) -> bool {
    match (known, wanted) {
        (Value::Object(known), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| covers(known.get(key).unwrap_or(&Value::Null), value))
        }
        (Value::Array(known), Value::Array(wanted)) => {
            known.len() == wanted.len() && known.iter().zip(wanted).all(|(known, wanted)| covers(known, wanted))
        }
        (Value::Null, Value::Bool(wanted)) => !wanted,
        (Value::Null, Value::Array(wanted)) => wanted.is_empty(),
        (Value::Number(known), Value::Number(wanted)) => known.as_f64() == wanted.as_f64(),
        (known, wanted) => known == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discord_returns_is_recognised_and_a_change_is_seen() {
        let wanted = all();
        let mut known = wanted.clone();
        for command in known.as_array_mut().expect("commands") {
            command["id"] = json!("1");
            command["version"] = json!("2");
            for option in command["options"].as_array_mut().into_iter().flatten() {
                if option["required"] == false {
                    option.as_object_mut().expect("an option").remove("required");
                }
            }
            if command["options"].as_array().is_some_and(Vec::is_empty) {
                command.as_object_mut().expect("a command").remove("options");
            }
        }
        known.as_array_mut().expect("commands").reverse();
        assert!(same(&wanted, &known));
        let last = known.as_array().expect("commands").len() - 1;
        for (at, texts) in [(0, "name_localizations"), (last, "description_localizations")] {
            let mut changed = known.clone();
            changed[at][texts]["it"] = json!("altro");
            assert!(!same(&wanted, &changed), "{texts}");
        }
        assert!(!same(&wanted, &json!([])));
    }

    #[test]
    fn every_command_is_within_discords_limits() {
        let text = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        let all = all();
        let (slash, menus): (Vec<_>, Vec<_>) =
            all.as_array().expect("commands").iter().partition(|command| command["type"] == 1);
        for menu in menus {
            let names = menu["name_localizations"].as_object().expect("names").values().chain([&menu["name"]]);
            assert!(names.map(text).all(|size| (1..=32).contains(&size)), "{menu}");
        }
        for command in slash {
            assert!((1..=100).contains(&text(&command["description"])));
            assert!((1..=100).contains(&text(&command["description_localizations"]["it"])));
            for option in command["options"].as_array().expect("options") {
                assert!((1..=100).contains(&text(&option["description"])), "{option}");
                assert!(option["choices"].as_array().is_none_or(|choices| (1..=25).contains(&choices.len())));
            }
        }
    }
}
