//! From Discord's events to asks, each heard once.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
};

use commands::kit::Shape;
use record::{
    pages::quoted,
    private::{Address, AskKey},
};
use serenity::{
    all::{
        CommandDataOption, CommandDataOptionValue, CommandInteraction, ComponentInteraction, GuildId, Interaction,
        Permissions, Ready, ResumedEvent, UnavailableGuild, UserId,
    },
    async_trait,
    client::{Context, EventHandler},
};
use tokio::{sync::mpsc, time::Instant};

use super::Door;
use crate::{config::Platform, desk::Heard, signs::Sign};

/// How many interactions are remembered so as not to be answered twice; a repeat comes within seconds.
const REMEMBERED: usize = 1_024;

/// Who may change how a server is answered.
const MANAGERS: Permissions =
    Permissions::MANAGE_GUILD.union(Permissions::MANAGE_CHANNELS).union(Permissions::ADMINISTRATOR);

/// Something that wants an answer within 3 seconds of `since`.
pub struct Event {
    /// When it came.
    pub since: Instant,
    /// The interaction's id.
    pub id: u64,
    /// What answers it, for 15 minutes.
    pub token: String,
    /// What it is.
    pub what: What,
}

/// What somebody does.
pub enum What {
    /// Asks, by a slash command or by pressing a button.
    Asks {
        /// The ask.
        heard: Box<Heard>,
        /// Whether it is a button.
        pressed: bool,
    },
    /// Is typing a value.
    Types {
        /// What kind of value.
        shape: Shape,
        /// What stands there so far.
        typed: String,
        /// Who is typing, for the language.
        settings: Address,
        /// The language Discord says they have.
        tongue: String,
    },
}

/// The ids of the last interactions.
#[derive(Default)]
pub struct Memory(VecDeque<u64>);

impl Memory {
    /// Whether an interaction is new; it is not the next time.
    fn is_new(&mut self, id: u64) -> bool {
        if self.0.contains(&id) {
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(id);
        true
    }
}

/// What serenity tells its events to; it lives on the gateway's own threads and only hands them on.
pub struct Ear {
    pub(super) door: Arc<Door>,
    pub(super) events: mpsc::Sender<Event>,
}

#[async_trait]
impl EventHandler for Ear {
    async fn ready(&self, _: Context, ready: Ready) {
        let shard = ready.shard.map_or(0, |shard| shard.id.0);
        tracing::info!(shard, servers = ready.guilds.len(), "Discord's gateway is ready");
        self.door.desk.signs().set(Platform::Discord, Sign::Serving);
    }

    async fn resume(&self, _: Context, _: ResumedEvent) {
        self.door.desk.signs().set(Platform::Discord, Sign::Serving);
    }

    async fn guild_delete(&self, _: Context, guild: UnavailableGuild, _: Option<serenity::all::Guild>) {
        // With `unavailable` it is an outage of Discord's: the server is still ours to serve.
        match guild.unavailable {
            true => tracing::debug!(server = guild.id.get(), "a server is not available for a while"),
            false => tracing::info!(server = guild.id.get(), "I was removed from a server"),
        }
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        let (since, id) = (Instant::now(), interaction.id().get());
        let new = self.door.memory.lock().unwrap_or_else(PoisonError::into_inner).is_new(id);
        let Some((token, what)) = new.then(|| heard(interaction)).flatten() else { return };
        if self.events.try_send(Event { since, id, token, what }).is_err() {
            tracing::warn!("an interaction is left unanswered: too many wait already");
        }
    }
}

/// What an interaction says, with what answers it; none for kinds that we never offer.
fn heard(interaction: Interaction) -> Option<(String, What)> {
    match interaction {
        Interaction::Command(asked) => {
            let heard = Box::new(Where::of(&asked).heard(line(&asked.data.name, &asked.data.options)));
            Some((asked.token, What::Asks { heard, pressed: false }))
        }
        Interaction::Component(asked) => {
            let heard = Box::new(Where::of_press(&asked).heard(asked.data.custom_id.clone()));
            Some((asked.token, What::Asks { heard, pressed: true }))
        }
        Interaction::Autocomplete(asked) => {
            let focused = asked.data.autocomplete()?;
            let command = commands::ALL.iter().find(|command| command.name == asked.data.name)?;
            let shape = command.args.iter().find(|arg| arg.name == focused.name)?.shape;
            let (typed, place) = (focused.value.to_owned(), Where::of(&asked));
            let what = What::Types { shape, typed, settings: place.settings(), tongue: asked.locale.clone() };
            Some((asked.token, what))
        }
        _ => None,
    }
}

/// A slash command as it would be typed.
fn line(name: &str, options: &[CommandDataOption]) -> String {
    let mut line = format!("/{name}");
    for option in options {
        let value = match &option.value {
            CommandDataOptionValue::String(text) => quoted(text),
            CommandDataOptionValue::Integer(number) => number.to_string(),
            CommandDataOptionValue::Boolean(truth) => truth.to_string(),
            CommandDataOptionValue::Number(number) => number.to_string(),
            _ => continue,
        };
        line += &format!(" {}:{value}", option.name);
    }
    line
}

/// Where an interaction comes from and from whom, whatever kind it is.
struct Where<'a> {
    id: u64,
    app: u64,
    user: UserId,
    channel: u64,
    guild: Option<GuildId>,
    permissions: Option<Permissions>,
    locale: &'a str,
}

impl Where<'_> {
    fn of(asked: &CommandInteraction) -> Where<'_> {
        Where {
            id: asked.id.get(),
            app: asked.application_id.get(),
            user: asked.user.id,
            channel: asked.channel_id.get(),
            guild: asked.guild_id,
            permissions: asked.member.as_ref().and_then(|member| member.permissions),
            locale: &asked.locale,
        }
    }

    fn of_press(asked: &ComponentInteraction) -> Where<'_> {
        Where {
            id: asked.id.get(),
            app: asked.application_id.get(),
            user: asked.user.id,
            channel: asked.channel_id.get(),
            guild: asked.guild_id,
            permissions: asked.member.as_ref().and_then(|member| member.permissions),
            locale: &asked.locale,
        }
    }

    /// The server, else the person: in private chats, in groups of friends too, everybody has their own settings.
    fn settings(&self) -> Address {
        match self.guild {
            Some(guild) => Address(format!("discord:g{guild}")),
            None => Address(format!("discord:{}", self.user)),
        }
    }

    /// The ask. Where a server chose no language, the asker's counts: a server's `guild_locale` is `en-US` unless it
    /// was made a community, so it says nothing.
    fn heard(&self, line: String) -> Heard {
        Heard {
            line,
            caller: Some(Address(format!("discord:{}", self.user))),
            place: Address(format!("discord:{}", self.channel)),
            settings: self.settings(),
            shared: self.guild.is_some(),
            manages: self.guild.is_none() || self.permissions.is_some_and(|may| may.intersects(MANAGERS)),
            tongue: Some(self.locale.to_owned()),
            key: AskKey { platform: "discord".to_owned(), bot: self.app.to_string(), id: self.id.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slash_command_is_what_would_be_typed() {
        let options: Vec<CommandDataOption> = serde_json::from_value(json!([
            { "name": "words", "type": 3, "value": "PA \"Digitale\" as_of:x" },
            { "name": "page", "type": 4, "value": 2 },
        ]))
        .expect("options");
        assert_eq!(line("search", &options), r#"/search words:"PA \"Digitale\" as_of:x" page:2"#);
    }

    #[test]
    fn an_interaction_is_new_once_and_the_memory_has_an_end() {
        let mut memory = Memory::default();
        assert!(memory.is_new(1) && !memory.is_new(1));
        for id in 2..5_000 {
            assert!(memory.is_new(id));
        }
        assert_eq!(memory.0.len(), REMEMBERED);
    }
}
