//! A Discord of our own for the tests: REST v10 and gateway over one world, refusing what the real one refuses.
#![allow(dead_code, reason = "each test takes of it what it needs")]

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::Router;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time};

pub use spec::check_against_spec;

use gateway::Gateway;
use interactions::Interaction;
use limits::{Problem, problem};

mod gateway;
mod interactions;
mod limits;
mod rest;
mod spec;

/// Any snowflake; all come from one counter, so no two things share one.
pub type Id = u64;
/// A request as it came: method, path (without `/api/v10`, with the query), body.
pub type Call = (String, String, Value);
/// What a request comes to; null is 204.
type Done = Result<Value, Problem>;

/// Permission bits.
pub mod may {
    pub const MANAGE_GUILD: u64 = 1 << 5;
    pub const VIEW: u64 = 1 << 10;
    pub const SEND: u64 = 1 << 11;
    pub const MANAGE_MESSAGES: u64 = 1 << 13;
    pub const EMBED: u64 = 1 << 14;
    pub const HISTORY: u64 = 1 << 16;
    pub const MANAGE_THREADS: u64 = 1 << 34;
    pub const SEND_IN_THREADS: u64 = 1 << 38;
    /// What a bot asks for in its invitation.
    pub const USUAL: u64 = VIEW | SEND | EMBED | HISTORY | SEND_IN_THREADS;
}

const EPHEMERAL: u64 = 1 << 6;
const LOADING: u64 = 1 << 7;
/// Flags a bot may set on a new message: no embeds shown, silent.
const SETTABLE: u64 = 1 << 2 | 1 << 12;
/// The first millisecond of Discord's time.
const EPOCH: u64 = 1_420_070_400_000;

/// The running fake; a clone is another handle on the same one.
#[derive(Clone)]
pub struct Discord(Arc<Inner>);

struct Inner {
    world: Mutex<World>,
    changed: watch::Sender<()>,
    url: String,
}

/// What Discord decides, and a test may move.
pub struct Rules {
    /// How long an interaction waits for its first answer.
    pub ack_within: Duration,
    /// How long an interaction's token edits and follows up.
    pub token_life: Duration,
    /// How long a nonce is remembered.
    pub nonce_window: Duration,
    /// Requests a second for the whole bot; interactions are free.
    pub per_second: usize,
    /// Requests in a bucket, and how long until it is full again.
    pub bucket: (usize, Duration),
    /// What HELLO asks for.
    pub heartbeat: Duration,
    /// Whether the gateway takes connections.
    pub gateway_up: bool,
    /// How many shards `/gateway/bot` recommends.
    pub shards: u64,
    /// How often a bot may identify a day.
    pub identifies: usize,
    /// How long until all of them are there again; the count is then reset.
    pub identifies_reset: Duration,
    /// Whether a session can be kept: without, every IDENTIFY is answered with op 9.
    pub sessions: bool,
    /// How far Discord's clock is ahead of this machine's, in milliseconds.
    pub clock_ahead: i64,
    /// Where interactions are sent instead of to the gateway.
    pub endpoint: Option<&'static str>,
}

impl Default for Rules {
    fn default() -> Rules {
        let [ack_within, heartbeat, token_life, nonce_window] = [3, 2, 900, 180].map(Duration::from_secs);
        let bucket = (1000, Duration::from_secs(1)); // wide, so that no test is slow by accident
        let (per_second, gateway_up, shards, identifies, endpoint) = (50, true, 1, 1000, None);
        Rules {
            ack_within,
            token_life,
            nonce_window,
            per_second,
            bucket,
            heartbeat,
            gateway_up,
            shards,
            identifies,
            identifies_reset: Duration::from_secs(86_400),
            sessions: true,
            clock_ahead: 0,
            endpoint,
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 429, not done: seconds to wait; scope is `user`, `shared` or `global`.
    Limited(f64, &'static str),
    /// Not done: status, Discord's code, message.
    Refused(u16, u64, &'static str),
    /// Not done: a 5xx in plain text.
    Down(u16),
    /// Not done: Cloudflare's page, without rate headers.
    Html(u16),
    /// The same as JSON: 429, without rate headers.
    Blocked,
    /// Not done: this status in plain text, as something between us and Discord answers.
    Plain(u16),
    /// Done, and answered with this many bytes before the answer.
    Endless(usize),
    /// Done, and answered later.
    Slow(Duration),
    /// Done, but answered with this status.
    DoneBut(u16),
    /// Done, but the answer ends half-way.
    Cut,
    /// Done, but the connection dies before the answer.
    Lost,
}

/// What a person sees of a message, of choices or of a form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub id: Id,
    /// Everything readable, a line each: content, then embeds.
    pub text: String,
    pub content: String,
    /// Rows of buttons: label, and custom id or address.
    pub rows: Vec<Vec<(String, String)>>,
    /// What autocomplete offers: name and value.
    pub choices: Vec<(String, Value)>,
    pub ephemeral: bool,
    pub edited: bool,
    /// As Discord returns it.
    pub raw: Value,
    /// As the bot last sent it, with `allowed_mentions` and `nonce`.
    pub sent: Value,
}

#[derive(Default)]
struct World {
    last: Id,
    app: Id,
    token: String,
    rules: Rules,
    guilds: BTreeMap<Id, Guild>,
    channels: BTreeMap<Id, Channel>,
    users: BTreeMap<Id, User>,
    posts: BTreeMap<Id, Post>,
    /// The messages of each channel, oldest first.
    lines: HashMap<Id, Vec<Id>>,
    nonces: HashMap<String, (Instant, Id)>,
    commands: Vec<Value>,
    created: usize,
    interactions: BTreeMap<Id, Interaction>,
    calls: Vec<Call>,
    statuses: Vec<u16>,
    faults: Vec<(String, usize, Fault)>,
    buckets: HashMap<String, (Instant, usize)>,
    recent: VecDeque<Instant>,
    gateway: Gateway,
}

struct Guild {
    json: Value,
    here: bool,
}

struct Channel {
    json: Value,
    bot: u64,
}

struct User {
    json: Value,
    locale: String,
    permissions: u64,
}

struct Post {
    json: Value,
    sent: Value,
}

impl Discord {
    /// A fresh Discord on two ports of this machine.
    pub async fn start() -> Discord {
        let http = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let ws = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = |listener: &TcpListener| listener.local_addr().expect("a bound port");
        let (url, world) = (format!("http://{}", at(&http)), World::new(format!("ws://{}", at(&ws))));
        let discord = Discord(Arc::new(Inner { world: Mutex::new(world), changed: watch::Sender::new(()), url }));
        let app = Router::new().fallback(rest::serve).with_state(discord.clone());
        tokio::spawn(async move { axum::serve(http, app).await });
        tokio::spawn(gateway::listen(discord.clone(), ws));
        discord
    }

    /// Where the REST API is: what a client takes as its proxy.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The right token, until it is revoked.
    pub fn token(&self) -> String {
        self.look(|world| world.token.clone())
    }

    /// The application's id, which is also the bot's.
    pub fn app(&self) -> Id {
        self.look(|world| world.app)
    }

    /// Moves something Discord decides.
    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        self.with(|world| change(&mut world.rules));
    }

    /// A guild the bot is in, speaking `en-US`.
    pub fn guild(&self, name: &str) -> Id {
        self.with(|world| {
            world.last += 1 << 22; // so that guilds fall on different shards
            let (id, own) = (world.id(), world.id());
            let roles = json!([role_json(id, "@everyone", may::USUAL), role_json(own, "Strillone", may::USUAL)]);
            world.guilds.insert(id, Guild { json: guild_json(id, name, &roles), here: true });
            world.push("GUILD_CREATE", world.guild_event(id));
            id
        })
    }

    /// A role people can be mentioned by.
    pub fn role(&self, guild: Id, name: &str) -> Id {
        self.with(|world| {
            let id = world.id();
            let roles = world.guilds.get_mut(&guild).and_then(|guild| guild.json["roles"].as_array_mut());
            roles.expect("a guild").push(role_json(id, name, 0));
            id
        })
    }

    /// A role that only those who may mention everyone can call.
    pub fn quiet_role(&self, guild: Id, name: &str) -> Id {
        let id = self.role(guild, name);
        self.with(|world| {
            let roles = world.guilds.get_mut(&guild).and_then(|guild| guild.json["roles"].as_array_mut());
            let role = roles.expect("a guild").iter_mut().find(|role| id_of(&role["id"]) == id);
            role.expect("a role")["mentionable"] = json!(false);
        });
        id
    }

    /// An ordinary channel.
    pub fn text_channel(&self, guild: Id, name: &str) -> Id {
        self.channel(json!({ "type": 0, "guild_id": guild.to_string(), "name": name, "parent_id": null }))
    }

    /// A channel whose messages can be published to followers.
    pub fn announcement(&self, guild: Id, name: &str) -> Id {
        self.channel(json!({ "type": 5, "guild_id": guild.to_string(), "name": name, "parent_id": null }))
    }

    /// A public thread under a channel.
    pub fn thread(&self, channel: Id, name: &str) -> Id {
        let guild = self.look(|world| world.channels[&channel].json["guild_id"].clone());
        let state = json!({ "archived": false, "locked": false, "auto_archive_duration": 1440,
                            "archive_timestamp": moment(channel) });
        self.channel(json!({ "type": 11, "guild_id": guild, "name": name, "parent_id": channel.to_string(),
                             "owner_id": self.app().to_string(), "thread_metadata": state }))
    }

    /// The private channel with somebody.
    pub fn dm(&self, user: Id) -> Id {
        self.with(|world| world.dm(user).expect("somebody"))
    }

    /// A channel of any kind.
    pub fn channel(&self, mut json: Value) -> Id {
        self.with(|world| {
            let id = world.id();
            overlay(&mut json, &json!({ "id": id.to_string(), "last_message_id": null, "flags": 0 }));
            world.channels.insert(id, Channel { json: json.clone(), bot: may::USUAL });
            if json["guild_id"].is_string() {
                world.push(if json["thread_metadata"].is_null() { "CHANNEL_CREATE" } else { "THREAD_CREATE" }, json);
            }
            id
        })
    }

    /// Somebody, with the permissions they have everywhere.
    pub fn user(&self, name: &str, locale: &str, permissions: u64) -> Id {
        self.with(|world| world.user(name, locale, permissions))
    }

    /// Archives a thread, or takes it out of the archive; a locked one only those take out who manage threads.
    pub fn archives(&self, thread: Id, archived: bool, locked: bool) {
        self.with(|world| {
            let state = &mut world.channels.get_mut(&thread).expect("a thread").json["thread_metadata"];
            (state["archived"], state["locked"]) = (json!(archived), json!(locked));
            let json = world.channels[&thread].json.clone();
            world.push("THREAD_UPDATE", json);
        });
    }

    /// As [`Discord::bot_may`], and the gateway tells of it.
    pub fn bot_may_and_hears(&self, channel: Id, bits: u64) {
        self.bot_may(channel, bits);
        self.with(|world| {
            let json = world.channels[&channel].json.clone();
            world.push("CHANNEL_UPDATE", json);
        });
    }

    /// Sets what the bot may do in a channel.
    pub fn bot_may(&self, channel: Id, bits: u64) {
        self.with(|world| {
            let (app, channel) = (world.app.to_string(), world.channels.get_mut(&channel).expect("a channel"));
            let (allow, deny) = (bits.to_string(), (may::USUAL & !bits).to_string());
            channel.json["permission_overwrites"] = json!([{ "id": app, "type": 1, "allow": allow, "deny": deny }]);
            channel.bot = bits;
        });
    }

    /// A channel or thread is gone for good.
    pub fn delete_channel(&self, channel: Id) {
        self.with(|world| {
            let Channel { json, .. } = world.channels.remove(&channel).expect("a channel");
            world.push(if json["thread_metadata"].is_null() { "CHANNEL_DELETE" } else { "THREAD_DELETE" }, json);
        });
    }

    /// The bot is thrown out of a guild.
    pub fn kick(&self, guild: Id) {
        self.with(|world| {
            world.guilds.get_mut(&guild).expect("a guild").here = false;
            world.push("GUILD_DELETE", json!({ "id": guild.to_string() }));
        });
    }

    /// The bot is let into a guild again.
    pub fn invite(&self, guild: Id) {
        self.with(|world| {
            world.guilds.get_mut(&guild).expect("a guild").here = true;
            world.push("GUILD_CREATE", world.guild_event(guild));
        });
    }

    /// Where a guild greets whoever comes, and in which language.
    pub fn greets_in(&self, guild: Id, channel: Id, locale: &str) {
        self.with(|world| {
            let json = &mut world.guilds.get_mut(&guild).expect("a guild").json;
            (json["system_channel_id"], json["preferred_locale"]) = (json!(channel.to_string()), json!(locale));
        });
    }

    /// A role of a guild changes, as when somebody gives the bot a right.
    pub fn role_changes(&self, guild: Id) {
        self.with(|world| {
            let role = world.guilds[&guild].json["roles"][1].clone();
            world.push("GUILD_ROLE_UPDATE", json!({ "guild_id": guild.to_string(), "role": role }));
        });
    }

    /// The bot gets or loses a role in a guild.
    pub fn member_changes(&self, guild: Id) {
        self.with(|world| {
            let mut member = world.member_json(guild, world.app);
            member["guild_id"] = json!(guild.to_string());
            world.push("GUILD_MEMBER_UPDATE", member);
        });
    }

    /// A guild is down for a while, or back: not a removal.
    pub fn outage(&self, guild: Id, down: bool) {
        self.with(|world| match down {
            true => world.push("GUILD_DELETE", json!({ "id": guild.to_string(), "unavailable": true })),
            false => world.push("GUILD_CREATE", world.guild_event(guild)),
        });
    }

    /// Somebody writes a message.
    pub fn says(&self, channel: Id, user: Id, text: &str) -> Id {
        self.with(|world| world.post(channel, user, &json!({ "content": text }), &json!({})))
    }

    /// Somebody sends a file without a word.
    pub fn shows(&self, channel: Id, user: Id, file: &str) -> Id {
        self.with(|world| {
            let id = world.id().to_string();
            let url = format!("{}/attachments/{id}/{file}?ex=1", self.url());
            let file = json!({ "id": id, "filename": file, "size": 9, "url": url, "proxy_url": url });
            world.post(channel, user, &json!({ "content": "" }), &json!({ "attachments": [file] }))
        })
    }

    /// A moderator deletes a message.
    pub fn deletes(&self, message: Id) {
        self.with(|world| world.posts.remove(&message));
    }

    /// What stands in a channel for all to see, oldest first.
    pub fn messages(&self, channel: Id) -> Vec<Answer> {
        self.look(|world| world.in_channel(channel).map(|(id, _)| world.shown(id)).collect())
    }

    /// Every request so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.look(|world| world.calls.clone())
    }

    /// The status of every answer so far, in the order given.
    pub fn statuses(&self) -> Vec<u16> {
        self.look(|world| world.statuses.clone())
    }

    /// The registered commands.
    pub fn commands(&self) -> Vec<Value> {
        self.look(|world| world.commands.clone())
    }

    /// Orders a fault for the next `times` requests whose "METHOD /path" contains `of`.
    pub fn fault(&self, of: &str, times: usize, fault: Fault) {
        self.with(|world| world.faults.push((of.into(), times, fault)));
    }

    /// Takes back every fault ordered.
    pub fn heal(&self) {
        self.with(|world| world.faults.clear());
    }

    /// Waits until something is so, looking again at every change here.
    pub async fn until<T>(&self, within: Duration, what: &str, so: impl Fn(&Discord) -> Option<T>) -> T {
        let mut changes = self.0.changed.subscribe();
        let wait = async {
            loop {
                if let Some(found) = so(self) {
                    return found;
                }
                changes.changed().await.expect("the sender is in self");
            }
        };
        let found = time::timeout(within, wait).await;
        found.unwrap_or_else(|_| panic!("no {what} in {within:?}: {:?} after {:#?}", self.statuses(), self.calls()))
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        at(&self.lock())
    }

    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.lock());
        self.0.changed.send_replace(());
        result
    }
}

impl World {
    fn new(gateway: String) -> World {
        let mut world = World { gateway: Gateway::at(gateway), ..World::default() };
        world.app = world.user("strillone", "en-US", may::USUAL);
        world.token = format!("{}.fake00.{:0>27}", world.app, "secret");
        world
    }

    fn id(&mut self) -> Id {
        let now = (unix().as_millis() as i64 + self.rules.clock_ahead) as u64;
        self.last = (self.last + 1).max(now.saturating_sub(EPOCH) << 22);
        self.last
    }

    fn user(&mut self, name: &str, locale: &str, permissions: u64) -> Id {
        let id = self.id();
        let json = json!({ "id": id.to_string(), "username": name, "global_name": name, "discriminator": "0",
                           "avatar": null, "public_flags": 0, "bot": self.app == 0 });
        self.users.insert(id, User { json, locale: locale.into(), permissions });
        id
    }

    /// The private channel with somebody, made the first time.
    fn dm(&mut self, user: Id) -> Option<Id> {
        let with = self.users.get(&user)?.json.clone();
        let is = |channel: &Channel| channel.json["recipients"][0]["id"] == with["id"];
        if let Some(known) = self.channels.iter().find(|(_, channel)| is(channel)) {
            return Some(*known.0);
        }
        let id = self.id();
        let json =
            json!({ "type": 1, "recipients": [with], "id": id.to_string(), "last_message_id": null, "flags": 0 });
        self.channels.insert(id, Channel { json, bot: may::USUAL });
        Some(id)
    }

    /// Puts a message that was checked into a channel.
    fn post(&mut self, channel: Id, author: Id, body: &Value, extra: &Value) -> Id {
        let id = self.id();
        let mut json = json!({
            "id": id.to_string(), "channel_id": channel.to_string(), "author": self.users[&author].json, "type": 0,
            "timestamp": moment(id), "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [],
            "mention_roles": [], "pinned": false, "flags": 0, "content": "", "embeds": [], "components": [],
            "attachments": [],
        });
        overlay(&mut json, extra);
        write(&mut json, body);
        json["mention_roles"] = json!(called(body));
        if let Some(answered) = body.get("message_reference").map(|it| id_of(&it["message_id"])) {
            json["message_reference"] =
                json!({ "type": 0, "message_id": answered.to_string(), "channel_id": channel.to_string() });
        }
        self.posts.insert(id, Post { json, sent: body.clone() });
        self.lines.entry(channel).or_default().push(id);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.json["last_message_id"] = json!(id.to_string());
        }
        id
    }

    /// Changes a message, if what becomes of it is allowed.
    fn revise(&mut self, id: Id, body: &Value) -> Done {
        let now = moment(self.id());
        let post = self.posts.get_mut(&id).ok_or(problem(10008))?;
        let mut json = post.json.clone();
        overlay(&mut json, body);
        json["nonce"] = Value::Null;
        limits::message(&json)?;
        write(&mut post.json, body);
        if !has(&post.json, LOADING) {
            post.json["edited_timestamp"] = json!(now); // what fills a deferred answer is no edit
        }
        let flags = number(&post.json["flags"]) & !LOADING;
        post.json["flags"] = json!(body["flags"].as_u64().map_or(flags, |new| flags & !SETTABLE | new & SETTABLE));
        post.sent = body.clone();
        Ok(post.json.clone())
    }

    fn in_channel(&self, channel: Id) -> impl DoubleEndedIterator<Item = (Id, &Value)> {
        let lines = self.lines.get(&channel).map_or(&[][..], Vec::as_slice).iter();
        let posts = lines.filter_map(|id| Some((*id, &self.posts.get(id)?.json)));
        posts.filter(|(_, json)| !has(json, EPHEMERAL))
    }

    fn shown(&self, id: Id) -> Answer {
        let Post { json: raw, sent } = &self.posts[&id];
        let mut lines = vec![word(&raw["content"])];
        for embed in items(&raw["embeds"]) {
            lines.extend([&embed["author"]["name"], &embed["title"], &embed["description"]].map(word));
            lines
                .extend(items(&embed["fields"]).iter().map(|f| format!("{}: {}", word(&f["name"]), word(&f["value"]))));
            lines.push(word(&embed["footer"]["text"]));
        }
        lines.retain(|line| !line.is_empty());
        let button = |b: &Value| (word(&b["label"]), word(b.get("custom_id").unwrap_or(&b["url"])));
        let row = |row: &Value| items(&row["components"]).iter().map(button).collect();
        Answer {
            id,
            text: lines.join("\n"),
            content: word(&raw["content"]),
            rows: items(&raw["components"]).iter().map(row).collect(),
            choices: Vec::new(),
            ephemeral: has(raw, EPHEMERAL),
            edited: !raw["edited_timestamp"].is_null(),
            raw: raw.clone(),
            sent: sent.clone(),
        }
    }

    fn member_json(&self, guild: Id, user: Id) -> Value {
        let own = (user == self.app).then(|| self.guilds[&guild].json["roles"][1]["id"].clone());
        json!({ "user": self.users[&user].json, "roles": own.as_slice(), "nick": null, "avatar": null, "banner": null,
                "joined_at": moment(guild), "premium_since": null, "deaf": false, "mute": false, "flags": 0,
                "pending": false, "communication_disabled_until": null })
    }

    /// A guild as GUILD_CREATE tells it.
    fn guild_event(&self, id: Id) -> Value {
        let inside = self.channels.values().map(|channel| &channel.json).filter(|json| id_of(&json["guild_id"]) == id);
        let (threads, channels): (Vec<_>, Vec<_>) = inside.partition(|json| json["thread_metadata"].is_object());
        let mut json = self.guilds[&id].json.clone();
        let more = json!({ "joined_at": moment(id), "large": false, "unavailable": false, "member_count": 2,
            "voice_states": [], "members": [self.member_json(id, self.app)], "channels": channels, "threads": threads,
            "presences": [], "stage_instances": [], "guild_scheduled_events": [] });
        overlay(&mut json, &more);
        json
    }
}

/// The roles that a message calls: named in its text, and allowed to be.
fn called(body: &Value) -> Vec<String> {
    let text = word(&body["content"]);
    let named = text.split("<@&").skip(1).filter_map(|rest| rest.split_once('>')).map(|(role, _)| role.to_owned());
    let allowed = &body["allowed_mentions"];
    let may = |role: &String| {
        allowed.is_null()
            || items(&allowed["parse"]).contains(&json!("roles"))
            || items(&allowed["roles"]).contains(&json!(role))
    };
    named.filter(may).collect()
}

fn guild_json(id: Id, name: &str, roles: &Value) -> Value {
    json!({ "id": id.to_string(), "name": name, "roles": roles, "owner_id": "1", "icon": null, "splash": null,
        "banner": null, "discovery_splash": null, "afk_channel_id": null, "afk_timeout": 300, "verification_level": 0,
        "default_message_notifications": 1, "explicit_content_filter": 0, "emojis": [], "features": [], "mfa_level": 0,
        "application_id": null, "system_channel_id": null, "system_channel_flags": 0, "rules_channel_id": null,
        "vanity_url_code": null, "description": null, "premium_tier": 0, "preferred_locale": "en-US", "nsfw_level": 0,
        "public_updates_channel_id": null, "stickers": [], "premium_progress_bar_enabled": false })
}

fn role_json(id: Id, name: &str, bits: u64) -> Value {
    json!({ "id": id.to_string(), "name": name, "permissions": bits.to_string(), "position": 0, "color": 0,
        "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null }, "hoist": false,
        "managed": name == "Strillone", "mentionable": true, "flags": 0, "icon": null, "unicode_emoji": null })
}

/// Puts what a body says into a message, as Discord stores it.
fn write(json: &mut Value, body: &Value) {
    for (key, none) in [("content", json!("")), ("embeds", json!([])), ("components", json!([]))] {
        match body.get(key) {
            None => {}
            Some(Value::Null) => json[key] = none,
            Some(Value::String(text)) => json[key] = json!(text.trim()),
            Some(value) => json[key] = value.clone(),
        }
    }
    for embed in json["embeds"].as_array_mut().into_iter().flatten() {
        embed["type"] = json!("rich");
        for field in embed.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            field["inline"] = json!(field["inline"] == true);
        }
    }
}

fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When a snowflake was made.
fn moment(id: Id) -> String {
    let at = DateTime::from_timestamp_millis(((id >> 22) + EPOCH) as i64).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn overlay(onto: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        onto[key] = value.clone();
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn id_of(value: &Value) -> Id {
    word(value).parse().unwrap_or(0)
}

fn has(message: &Value, flag: u64) -> bool {
    number(&message["flags"]) & flag != 0
}
