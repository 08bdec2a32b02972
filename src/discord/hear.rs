//! From Discord's events to asks, each heard once.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
};

use commands::kit::{Posting, Right, Shape, form::filled};
use record::{
    channel::PlaceKind,
    pages::quoted,
    private::{Address, AskKey},
    reply::pressed,
};
use serde_json::Value;
use serenity::all::{
    ActionRowComponent, AuthorizingIntegrationOwner, ChannelType, CommandDataOption, CommandDataOptionValue,
    CommandInteraction, CommandType, ComponentInteraction, GuildId, Interaction, InteractionContext, ModalInteraction,
    PartialChannel, Permissions, UserId,
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Door,
    form::{MENUS, Picked},
    number,
    returns::Place,
    servers::Servers,
};
use crate::{desk::Heard, dispatch};

/// How many interactions are remembered so as not to be answered twice; a repeat comes within seconds.
const REMEMBERED: usize = 1_024;

/// Who may change how a server is answered.
const MANAGERS: Permissions =
    Permissions::MANAGE_GUILD.union(Permissions::MANAGE_CHANNELS).union(Permissions::ADMINISTRATOR);

/// Something that the bot answers.
pub enum Happening {
    /// Somebody asks.
    Asked(Event),
    /// A server let us in.
    Joined(Joined),
    /// Somebody asks in a way that cannot be read.
    Unread(Unread),
}

/// An interaction that cannot be read: what is needed to say so.
pub struct Unread {
    /// When it came.
    pub since: Instant,
    /// Its id.
    pub id: u64,
    /// What answers it.
    pub token: String,
    /// Whether somebody is typing, so that there is nothing to be said.
    pub types: bool,
    /// The language that Discord says they have.
    pub tongue: String,
}

/// A server that let us in.
pub struct Joined {
    /// The server.
    pub server: u64,
    /// Where it greets its people.
    pub channel: u64,
    /// The language that it says is its own.
    pub tongue: String,
}

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

/// A button, and the message that it hangs on.
pub struct Pressed {
    /// The message.
    pub message: u64,
    /// What the button carries.
    pub id: String,
    /// The message's buttons.
    pub components: Value,
}

/// What somebody does.
pub enum What {
    /// Asks, by a slash command, by pressing a button, or with a form.
    Asks {
        /// The ask.
        heard: Box<Heard>,
        /// The button that was pressed, if one was.
        pressed: Option<Pressed>,
        /// Whether the answer must not take the place of the message that the button hangs on.
        fresh: bool,
        /// Whether a form was filled in: its answer is no other form.
        filled: bool,
    },
    /// Has something made of a message.
    Picks {
        /// The ask, without its line.
        heard: Box<Heard>,
        /// The message.
        picked: Box<Picked>,
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

/// What the shards tell their events to; it only hands them on.
pub struct Ear {
    pub(super) door: Arc<Door>,
    pub(super) events: mpsc::Sender<Happening>,
    /// Where rights may have come back.
    pub(super) places: mpsc::Sender<Place>,
}

impl Ear {
    /// Handles a gateway event: its name and data, from shard `shard` of `of`.
    pub fn hear(&self, (shard, of): (u32, u32), name: &str, data: Value) {
        match name {
            "INTERACTION_CREATE" => self.asked(data),
            "READY" => self.ready(shard, of, &data),
            "RESUMED" => tracing::debug!(shard, "Discord's gateway is back"),
            "GUILD_CREATE" => self.server_is_there(&data),
            "GUILD_DELETE" => self.server_is_gone(&data),
            "CHANNEL_DELETE" | "THREAD_DELETE" => self.gone(&data),
            _ => self.changed(name, &data),
        }
    }

    /// Changes what is known of the servers that we are in.
    fn servers<T>(&self, change: impl FnOnce(&mut Servers) -> T) -> T {
        change(&mut self.door.servers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn gone(&self, data: &Value) {
        let Some(channel) = number(&data["id"]) else { return };
        self.servers(|known| known.forget_thread(channel));
        let address = Address(format!("discord:{channel}"));
        let why = "the channel was deleted".to_owned();
        self.door.dispatch.heard(dispatch::Event::Removed { address, why });
    }

    fn ready(&self, shard: u32, of: u32, data: &Value) {
        let servers: Vec<u64> = list(&data["guilds"]).filter_map(|server| number(&server["id"])).collect();
        tracing::info!(shard, servers = servers.len(), "Discord's gateway is ready");
        if let Some(all) = self.servers(|known| known.ready(shard, of, servers)) {
            self.door.dispatch.heard(dispatch::Event::Servers(all));
        }
    }

    fn server_is_gone(&self, data: &Value) {
        let Some(server) = number(&data["id"]) else { return };
        // With `unavailable` it is an outage of Discord's: the server is still ours to serve.
        if data["unavailable"] == true {
            tracing::debug!(server, "a server is not available for a while");
            return self.servers(|known| known.away(server));
        }
        tracing::info!(server, "I was removed from a server");
        self.servers(|known| known.left(server));
        self.door.dispatch.heard(dispatch::Event::RemovedServer(server));
    }

    fn server_is_there(&self, data: &Value) {
        let Some(server) = number(&data["id"]).filter(|_| data["unavailable"] != true) else { return };
        let (joined, back) = self.servers(|known| {
            known.threads(list(&data["threads"]).filter_map(thread));
            (known.joined(server), known.back(server))
        });
        if back {
            // What changed while it was away, nobody says.
            self.may_be_back(Place::Server(server));
        }
        if !joined {
            return;
        }
        tracing::info!(server, "I was added to a server");
        self.door.dispatch.heard(dispatch::Event::ReturnedServer(server));
        if let Some(channel) = number(&data["system_channel_id"]) {
            let tongue = data["preferred_locale"].as_str().unwrap_or("en-US").to_owned();
            if self.events.try_send(Happening::Joined(Joined { server, channel, tongue })).is_err() {
                tracing::debug!(server, "a server is not greeted: too much waits already");
            }
        }
    }

    /// Whatever else may give us rights: Discord tells of changes, but not what they mean for us.
    fn changed(&self, name: &str, data: &Value) {
        let (own, server) = (number(&data["id"]), number(&data["guild_id"]));
        match name {
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" => {
                let Some(channel) = own else { return };
                // What holds in a channel holds in its threads.
                let threads = self.servers(|known| known.threads_of(channel));
                [channel].into_iter().chain(threads).for_each(|it| self.may_be_back(Place::Channel(it)));
            }
            "THREAD_CREATE" | "THREAD_UPDATE" => {
                self.servers(|known| known.threads(thread(data)));
                own.into_iter().for_each(|it| self.may_be_back(Place::Channel(it)));
            }
            "THREAD_LIST_SYNC" => {
                let threads: Vec<(u64, u64)> = list(&data["threads"]).filter_map(thread).collect();
                threads.iter().for_each(|(it, _)| self.may_be_back(Place::Channel(*it)));
                self.servers(|known| known.threads(threads));
            }
            "THREAD_MEMBER_UPDATE" => own.into_iter().for_each(|it| self.may_be_back(Place::Channel(it))),
            "GUILD_MEMBER_UPDATE" if number(&data["user"]["id"]) != Some(self.door.own) => {}
            "GUILD_MEMBER_UPDATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" => {
                server.into_iter().for_each(|it| self.may_be_back(Place::Server(it)));
            }
            "GUILD_UPDATE" => own.into_iter().for_each(|it| self.may_be_back(Place::Server(it))),
            _ => {}
        }
    }

    fn may_be_back(&self, place: Place) {
        if self.places.try_send(place).is_err() {
            // Dispatch tries there again by itself.
            tracing::debug!(?place, "that rights may have come back is not told: too much waits already");
        }
    }

    fn asked(&self, data: Value) {
        let since = Instant::now();
        let Some(id) = number(&data["id"]) else {
            return tracing::warn!("an interaction has no id");
        };
        if !self.door.memory.lock().unwrap_or_else(PoisonError::into_inner).is_new(id) {
            return;
        }
        let happening = match read(&data) {
            Ok((token, what)) => Happening::Asked(Event { since, id, token, what }),
            Err(why) => {
                // The reason names fields and kinds, and nothing that anybody said.
                tracing::warn!(interaction = id, kind = data["type"].as_u64(), why, "an interaction cannot be read");
                let Some(token) = data["token"].as_str().filter(|token| is_token(token)) else { return };
                let tongue = data["locale"].as_str().unwrap_or("en-US").to_owned();
                let (types, token) = (data["type"] == AUTOCOMPLETE, token.to_owned());
                Happening::Unread(Unread { since, id, token, types, tongue })
            }
        };
        if self.events.try_send(happening).is_err() {
            tracing::warn!("an interaction is left unanswered: too many wait already");
        }
    }
}

/// Discord's number for an interaction of somebody who is typing.
const AUTOCOMPLETE: u64 = 4;

/// Whether it can stand in an address.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A thread, and the channel that it belongs to.
fn thread(data: &Value) -> Option<(u64, u64)> {
    Some((number(&data["id"])?, number(&data["parent_id"])?))
}

/// Reads an interaction. What serenity cannot read in the messages that come with it is left out: their buttons and words
/// are all that counts. The error says why it cannot be read, without a word of anybody's.
pub fn read(data: &Value) -> Result<(String, What), String> {
    let whole = match serde_json::from_value::<Interaction>(data.clone()) {
        Ok(whole) => whole,
        Err(first) => serde_json::from_value(pruned(data.clone())).map_err(|error| {
            let (first, error) = (kind_of(&first), kind_of(&error));
            if first == error { first } else { format!("{first}; without what may be left out: {error}") }
        })?,
    };
    heard(whole).ok_or_else(|| "it asks for nothing that is offered".to_owned())
}

/// Why something cannot be read, without what stood there: serde repeats values behind a colon or in quotes.
fn kind_of(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let names = said.starts_with("missing field");
    let end = said.find([':', '"', '`']).filter(|_| !names).unwrap_or(said.len());
    said[..end].chars().take(80).collect::<String>().trim_end().to_owned()
}

/// An interaction without what may be left out of it.
fn pruned(mut data: Value) -> Value {
    if let Some(message) = data.get_mut("message").filter(|message| message.is_object()) {
        *message = slim(message);
    }
    if let Some(messages) = data.pointer_mut("/data/resolved/messages").and_then(Value::as_object_mut) {
        messages.values_mut().for_each(|message| *message = slim(message));
    }
    if let Some(it) = data.as_object_mut() {
        it.remove("guild");
        it.insert("entitlements".to_owned(), Value::Array(Vec::new()));
        it.insert("attachment_size_limit".to_owned(), Value::from(0));
    }
    data
}

/// What of a message counts.
fn slim(message: &Value) -> Value {
    const KEPT: [&str; 18] = [
        "id",
        "channel_id",
        "guild_id",
        "author",
        "content",
        "timestamp",
        "edited_timestamp",
        "tts",
        "mention_everyone",
        "mentions",
        "mention_roles",
        "attachments",
        "embeds",
        "pinned",
        "type",
        "flags",
        "components",
        "webhook_id",
    ];
    let kept = |(name, _): &(&String, &Value)| KEPT.contains(&name.as_str());
    let whole = message.as_object().into_iter().flatten();
    Value::Object(whole.filter(kept).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What an interaction says, with what answers it; none for kinds that we never offer.
pub fn heard(interaction: Interaction) -> Option<(String, What)> {
    match interaction {
        Interaction::Command(asked) if asked.data.kind == CommandType::Message => {
            let menu = MENUS.iter().find(|menu| menu.name.en == asked.data.name)?;
            let message = asked.data.resolved.messages.values().next()?;
            let picked = Box::new(Picked::of(menu, message, asked.guild_id));
            let heard = Box::new(Where::of(&asked).heard(String::new()));
            Some((asked.token, What::Picks { heard, picked }))
        }
        Interaction::Command(asked) => {
            let heard = Box::new(Where::of(&asked).heard(line(&asked.data.name, &asked.data.options)));
            Some((asked.token, What::Asks { heard, pressed: None, fresh: false, filled: false }))
        }
        Interaction::Component(asked) => {
            let (line, fresh) = pressed(&asked.data.custom_id);
            let heard = Box::new(Where::of_press(&asked).heard(line.to_owned()));
            let pressed = Pressed {
                message: asked.message.id.get(),
                id: asked.data.custom_id.clone(),
                components: serde_json::to_value(&asked.message.components).unwrap_or_default(),
            };
            Some((asked.token, What::Asks { heard, pressed: Some(pressed), fresh, filled: false }))
        }
        Interaction::Modal(asked) => Some(submitted(asked)),
        Interaction::Autocomplete(asked) => {
            let focused = asked.data.autocomplete()?;
            let command = commands::ALL.iter().find(|command| command.is_called(&asked.data.name))?;
            let shape = command.args.iter().find(|arg| arg.name == focused.name)?.shape;
            let (typed, place) = (focused.value.to_owned(), Where::of(&asked));
            let what = What::Types { shape, typed, settings: place.settings(), tongue: asked.locale.clone() };
            Some((asked.token, what))
        }
        _ => None,
    }
}

/// A form that was filled in. It changes the message from which it was opened, if the button for it hangs there.
fn submitted(asked: ModalInteraction) -> (String, What) {
    let parts = asked.data.components.iter().flat_map(|row| &row.components);
    let values = parts.filter_map(|part| match part {
        ActionRowComponent::InputText(input) => Some((input.custom_id.as_str(), input.value.as_deref()?)),
        _ => None,
    });
    let line = filled(&asked.data.custom_id, values);
    let heard = Box::new(Where::of_form(&asked).heard(line));
    let pressed = asked.message.as_ref().map(|message| Pressed {
        message: message.id.get(),
        id: asked.data.custom_id.clone(),
        components: serde_json::to_value(&message.components).unwrap_or_default(),
    });
    let fresh = !pressed.as_ref().is_some_and(hangs);
    (asked.token, What::Asks { heard, pressed: pressed.filter(|_| !fresh), fresh, filled: true })
}

/// Whether a message has the button that it is about.
fn hangs(it: &Pressed) -> bool {
    let rows = it.components.as_array().into_iter().flatten();
    let mut buttons = rows.filter_map(|row| row["components"].as_array()).flatten();
    buttons.any(|button| button["custom_id"].as_str().is_some_and(|id| pressed(id).0 == it.id))
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
            CommandDataOptionValue::Role(role) => role.to_string(),
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
    /// What we may do there.
    own: Option<Permissions>,
    kind: Option<ChannelType>,
    context: Option<InteractionContext>,
    /// For whom we are installed there.
    installed: &'a [AuthorizingIntegrationOwner],
    locale: &'a str,
    server_locale: Option<&'a str>,
    /// Whether a role is given that we could not call.
    mute_role: bool,
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
            own: asked.app_permissions,
            kind: asked.channel.as_ref().map(|channel: &PartialChannel| channel.kind),
            context: asked.context,
            installed: &asked.authorizing_integration_owners.0,
            locale: &asked.locale,
            server_locale: asked.guild_locale.as_deref(),
            mute_role: asked.data.resolved.roles.values().any(|role| !role.mentionable),
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
            own: asked.app_permissions,
            kind: asked.channel.as_ref().map(|channel: &PartialChannel| channel.kind),
            context: asked.context,
            installed: &asked.authorizing_integration_owners.0,
            locale: &asked.locale,
            server_locale: asked.guild_locale.as_deref(),
            mute_role: false,
        }
    }

    /// Of a form serenity does not tell for whom we are installed there, so whether we may post is not known.
    fn of_form(asked: &ModalInteraction) -> Where<'_> {
        Where {
            id: asked.id.get(),
            app: asked.application_id.get(),
            user: asked.user.id,
            channel: asked.channel_id.get(),
            guild: asked.guild_id,
            permissions: asked.member.as_ref().and_then(|member| member.permissions),
            own: None,
            kind: asked.channel.as_ref().map(|channel: &PartialChannel| channel.kind),
            context: None,
            installed: &[],
            locale: &asked.locale,
            server_locale: asked.guild_locale.as_deref(),
            mute_role: false,
        }
    }

    /// The server, else the person: in private chats, in groups of friends too, everybody has their own settings.
    fn settings(&self) -> Address {
        match self.guild {
            Some(guild) => Address(format!("discord:g{guild}")),
            None => Address(format!("discord:{}", self.user)),
        }
    }

    fn kind(&self) -> PlaceKind {
        match self.kind {
            _ if self.guild.is_none() => PlaceKind::Private,
            Some(kind) if is_thread(kind) => PlaceKind::Topic,
            Some(ChannelType::News) => PlaceKind::Broadcast,
            _ => PlaceKind::Group,
        }
    }

    /// Whether we may post there.
    fn posting(&self) -> Posting {
        let lacks = |right| Posting::Lacks(vec![right]);
        if self.guild.is_none() {
            return match self.context {
                Some(InteractionContext::BotDm) => Posting::May,
                Some(InteractionContext::PrivateChannel) => lacks(Right::Installed),
                _ => Posting::Unknown,
            };
        }
        let for_people = |it: &AuthorizingIntegrationOwner| matches!(it, AuthorizingIntegrationOwner::UserInstall(_));
        if !self.installed.is_empty() && self.installed.iter().all(for_people) {
            return lacks(Right::Installed);
        }
        let Some(own) = self.own else { return Posting::Unknown };
        let callable = own.intersects(Permissions::ADMINISTRATOR.union(Permissions::MENTION_EVERYONE));
        match allowed(own, self.kind.is_some_and(is_thread)) {
            Posting::May if self.mute_role && !callable => lacks(Right::CallRole),
            Posting::Lacks(mut rights) if self.mute_role && !callable => {
                rights.push(Right::CallRole);
                Posting::Lacks(rights)
            }
            posting => posting,
        }
    }

    /// The ask. Where a server chose no language, the asker's counts for answers, and the server's for what is posted;
    /// its `guild_locale` is `en-US` unless it was made a community, so that says nothing.
    fn heard(&self, line: String) -> Heard {
        // Discord says it with every interaction, so whatever is asked tells whether we are let in again.
        let posting = self.posting();
        Heard {
            line,
            caller: Some(Address(format!("discord:{}", self.user))),
            place: Address(format!("discord:{}", self.channel)),
            settings: self.settings(),
            shared: self.guild.is_some(),
            manages: self.guild.is_none() || self.permissions.is_some_and(|may| may.intersects(MANAGERS)),
            kind: self.kind(),
            posting,
            elsewhere: None,
            tongue: Some(self.locale.to_owned()),
            group_tongue: self.server_locale.filter(|locale| *locale != "en-US").map(str::to_owned),
            key: AskKey { platform: "discord".to_owned(), bot: self.app.to_string(), id: self.id.to_string() },
            quoted: None,
        }
    }
}

fn is_thread(kind: ChannelType) -> bool {
    matches!(kind, ChannelType::NewsThread | ChannelType::PublicThread | ChannelType::PrivateThread)
}

/// Whether these permissions let us post.
fn allowed(own: Permissions, thread: bool) -> Posting {
    if own.contains(Permissions::ADMINISTRATOR) {
        return Posting::May;
    }
    let write = match thread {
        true => (Permissions::SEND_MESSAGES_IN_THREADS, Right::SendInThreads),
        false => (Permissions::SEND_MESSAGES, Right::SendMessages),
    };
    let needed =
        [(Permissions::VIEW_CHANNEL, Right::ViewChannel), write, (Permissions::EMBED_LINKS, Right::EmbedLinks)];
    let missing: Vec<Right> =
        needed.into_iter().filter(|(bit, _)| !own.contains(*bit)).map(|(_, right)| right).collect();
    if missing.is_empty() { Posting::May } else { Posting::Lacks(missing) }
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
            { "name": "mention", "type": 8, "value": "77" },
        ]))
        .expect("options");
        assert_eq!(line("search", &options), r#"/search words:"PA \"Digitale\" as_of:x" page:2 mention:77"#);
    }

    #[test]
    fn what_we_may_not_do_is_named() {
        let [view, send, threads, embed] = [
            Permissions::VIEW_CHANNEL,
            Permissions::SEND_MESSAGES,
            Permissions::SEND_MESSAGES_IN_THREADS,
            Permissions::EMBED_LINKS,
        ];
        assert_eq!(allowed(view | send | embed, false), Posting::May);
        assert_eq!(allowed(view | threads | embed, true), Posting::May);
        assert_eq!(allowed(view | send, true), Posting::Lacks(vec![Right::SendInThreads, Right::EmbedLinks]));
        assert_eq!(allowed(send | embed, false), Posting::Lacks(vec![Right::ViewChannel]));
        assert_eq!(allowed(Permissions::ADMINISTRATOR, true), Posting::May);
    }

    #[test]
    fn why_something_cannot_be_read_is_said_without_what_stood_there() {
        let why = |data: Value| kind_of(&serde_json::from_value::<Interaction>(data).expect_err("no interaction"));
        for data in [json!({ "type": 2, "id": "my secret" }), json!({ "type": "my secret" }), json!("my secret")] {
            let said = why(data);
            assert!(!said.is_empty() && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn a_press_is_read_whatever_else_its_message_tells() {
        let user = json!({ "id": "3", "username": "ann", "discriminator": "0", "avatar": null });
        let message = json!({
            "id": "9", "channel_id": "5", "author": user, "content": "", "timestamp": "2023-12-08T04:00:00+00:00",
            "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
            "attachments": [], "embeds": [], "pinned": false, "type": 0, "components": [],
        });
        let mut press = json!({
            "id": "1", "application_id": "2", "type": 3, "token": "t", "version": 1, "channel_id": "5", "user": user,
            "data": { "custom_id": "/about", "component_type": 2 }, "message": message, "locale": "en-US",
            "app_permissions": "0", "entitlements": [], "authorizing_integration_owners": { "0": "0" }, "context": 1,
        });
        assert!(read(&press).is_ok(), "{:?}", read(&press).err());
        press["message"]["interaction_metadata"] = json!({ "type": 3, "new": true });
        press["message"]["resolved"] = json!(7);
        press["message"]["referenced_message"] = json!("none");
        press["entitlements"] = json!([{ "id": "none" }]);
        assert!(read(&press).is_ok(), "{:?}", read(&press).err());
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
