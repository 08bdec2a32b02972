//! Discord's HTTP side: what each request does, and how it is refused.

use std::{
    io::Error,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time;

use super::{
    Call, Discord, Done, Fault, Id, SETTABLE, World, has, id_of, items,
    limits::{self, Problem, problem},
    may, number, overlay,
};

type Headers = Vec<(&'static str, String)>;
type Reply = (u16, Headers, String);

const CROSSPOSTED: u64 = 1;
const CLOUDFLARE: &str = "<!doctype html><title>Access denied | discord.com used Cloudflare to restrict access</title>";

/// One request, taken apart.
pub(super) struct Heard<'a> {
    pub method: &'a str,
    path: Vec<&'a str>,
    query: Vec<(&'a str, &'a str)>,
    pub body: &'a Value,
}

impl Heard<'_> {
    /// A number of the query.
    fn asks(&self, name: &str) -> Option<u64> {
        self.query.iter().find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok())
    }
}

/// Answers one request.
pub(super) async fn serve(
    State(discord): State<Discord>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = path.strip_prefix("/api/v10").unwrap_or("/").to_owned();
    let json = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let (valid, call) = (json.is_ok(), (method.to_string(), path, json.unwrap_or_default()));
    let (fault, (status, headers, body)) = discord.with(|world| world.take(&call, valid, &headers));
    if let Some(Fault::Slow(wait)) = fault {
        time::sleep(wait).await;
    }
    discord.with(|world| world.statuses.push(status));
    let body = match fault {
        Some(Fault::Cut) => torn(Some(body[..body.len() / 2].to_owned())),
        Some(Fault::Lost) => torn(None),
        Some(Fault::Endless(bytes)) => Body::from(" ".repeat(bytes) + &body),
        _ => Body::from(body),
    };
    let date = chrono::Utc::now() + chrono::TimeDelta::milliseconds(discord.look(|world| world.rules.clock_ahead));
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let response = Response::builder().status(status).header("date", date);
    let response = headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(body).unwrap_or_default()
}

/// A body that breaks off: after a part that is let through, or before anything is sent.
fn torn(part: Option<String>) -> Body {
    let sent = stream::iter(part.clone().map(Ok));
    let broken = stream::once(async move {
        time::sleep(Duration::from_millis(part.map_or(0, |_| 20))).await;
        Err(Error::other("torn on purpose"))
    });
    Body::from_stream(sent.chain(broken))
}

/// Cloudflare's block in its newer form.
const BLOCKED: &str = r#"{"code":0,"message":"You are being blocked from accessing our API temporarily due to exceeding our rate limits frequently. Please read our docs."}"#;

impl World {
    /// Notes a request, does what it asks unless a fault forbids it, and words the answer.
    fn take(&mut self, call: &Call, valid: bool, headers: &HeaderMap) -> (Option<Fault>, Reply) {
        self.calls.push(call.clone());
        let fault = self.fault(&format!("{} {}", call.0, call.1));
        let reply = match fault {
            Some(Fault::Limited(after, scope)) => limited(after, scope, vec![]),
            Some(Fault::Refused(status, code, message)) => {
                refusal(Problem { status, code, message: message.into(), errors: Value::Null }, vec![])
            }
            Some(Fault::Down(status)) => (status, vec![], "upstream connect error".into()),
            Some(Fault::Blocked) => (429, vec![("content-type", "application/json".into())], BLOCKED.into()),
            Some(Fault::Plain(status)) => (status, vec![("content-type", "text/html".into())], "<h1>proxy</h1>".into()),
            Some(Fault::Html(status)) => (status, vec![("content-type", "text/html".into())], CLOUDFLARE.into()),
            _ => self.hear(call, valid, headers),
        };
        match fault {
            Some(Fault::DoneBut(status)) => (fault, (status, vec![], "upstream request timeout".into())),
            _ => (fault, reply),
        }
    }

    fn fault(&mut self, spoken: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, times, _)| *times > 0 && spoken.contains(of))?;
        let (_, times, fault) = &mut self.faults[at];
        *times = times.saturating_sub(1);
        Some(*fault)
    }

    fn hear(&mut self, (method, said, body): &Call, valid: bool, headers: &HeaderMap) -> Reply {
        let (path, query) = said.split_once('?').unwrap_or((said, ""));
        let path = path.split('/').filter(|part| !part.is_empty()).collect();
        let query = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let heard = Heard { method, path, query, body };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (mut headers, late) = self.pace(&heard);
        let done = match late {
            Some((after, scope)) => return limited(after, scope, headers),
            None if !header("user-agent").starts_with("DiscordBot (") => Err(problem(40333)),
            None if !valid => Err(problem(50109)),
            None => self.answer(&heard, header("authorization") == format!("Bot {}", self.token)),
        };
        match done {
            Ok(Value::Null) => (204, headers, String::new()),
            Ok(json) => {
                headers.push(("content-type", "application/json".into()));
                (200, headers, json.to_string())
            }
            Err(problem) => refusal(problem, headers),
        }
    }

    /// Counts a request; what its headers say, and how long it must wait if it came too early.
    fn pace(&mut self, heard: &Heard) -> (Headers, Option<(f64, &'static str)>) {
        let (now, second, (most, window)) = (Instant::now(), Duration::from_secs(1), self.rules.bucket);
        self.recent.retain(|at| now - *at < second);
        let free = matches!(heard.path.first(), Some(&("interactions" | "webhooks")));
        if !free && self.recent.len() >= self.rules.per_second {
            let wait = self.recent.front().map_or(second, |first| second - (now - *first));
            return (vec![], Some((wait.as_secs_f64(), "global")));
        }
        let key = heard.path.iter().enumerate().filter(|(at, part)| *at < 3 || part.parse::<Id>().is_err());
        let key = format!("{} {}", heard.method, key.map(|(_, part)| *part).collect::<Vec<_>>().join(" "));
        let name = key.chars().filter(|letter| !letter.is_numeric()).collect();
        let (since, used) = self.buckets.entry(key).or_insert((now, 0));
        if now - *since >= window {
            (*since, *used) = (now, 0);
        }
        let after = (window - (now - *since)).as_secs_f64();
        let late = (*used >= most).then_some((after, "user"));
        if late.is_none() {
            *used += 1;
            self.recent.extend((!free).then_some(now));
        }
        let headers = vec![
            ("x-ratelimit-limit", most.to_string()),
            ("x-ratelimit-remaining", most.saturating_sub(*used).to_string()),
            ("x-ratelimit-reset-after", format!("{after:.3}")),
            ("x-ratelimit-reset", format!("{:.3}", super::unix().as_secs_f64() + after)),
            ("x-ratelimit-bucket", name),
        ];
        (headers, late)
    }

    fn answer(&mut self, heard: &Heard, authorized: bool) -> Done {
        match (heard.method, heard.path.as_slice()) {
            ("GET", ["gateway"]) => Ok(json!({ "url": self.gateway.url })),
            ("POST", ["interactions", id, token, "callback"]) => self.callback(limits::snowflake(id)?, token, heard),
            (_, ["webhooks", app, token, rest @ ..]) => self.webhook(limits::snowflake(app)?, token, rest, heard),
            _ if !authorized => Err(problem(401)),
            ("GET", ["gateway", "bot"]) => {
                let total = self.rules.identifies;
                let (left, reset) = self.identifies_left();
                let limit = json!({ "total": total, "remaining": left, "reset_after": reset.as_millis() as u64,
                                    "max_concurrency": 1 });
                Ok(json!({ "url": self.gateway.url, "shards": self.rules.shards, "session_start_limit": limit }))
            }
            ("GET", ["users", "@me"]) => Ok(self.users[&self.app].json.clone()),
            ("POST", ["users", "@me", "channels"]) => {
                let channel = self.dm(id_of(&heard.body["recipient_id"])).ok_or(problem(50033))?;
                Ok(self.channels[&channel].json.clone())
            }
            ("GET", ["users", "@me", "guilds"]) => Ok(self.own_guilds(heard)),
            ("GET", ["applications", "@me"] | ["oauth2", "applications", "@me"]) => Ok(json!({
                "id": self.app.to_string(), "name": "Strillone", "icon": null, "description": "", "bot_public": true,
                "bot_require_code_grant": false, "verify_key": "00", "team": null, "flags": 0, "hook": true,
                "interactions_endpoint_url": self.rules.endpoint, "bot": self.users[&self.app].json,
                "approximate_guild_count": self.guilds.len(), "summary": "",
            })),
            (method, ["applications", app, "commands"]) => match method {
                _ if limits::snowflake(app)? != self.app => Err(problem(10002)),
                "GET" => Ok(json!(self.commands)),
                "PUT" => self.register(heard.body),
                _ => Err(problem(405)),
            },
            (_, ["channels", id, rest @ ..]) => self.in_a_channel(limits::snowflake(id)?, rest, heard),
            ("GET", ["guilds", id, rest @ ..]) => self.in_a_guild(limits::snowflake(id)?, rest),
            _ => Err(problem(404)),
        }
    }

    fn own_guilds(&self, heard: &Heard) -> Value {
        let guilds = self.guilds.iter().filter(|(id, guild)| guild.here && **id > heard.asks("after").unwrap_or(0));
        let own = guilds.take(heard.asks("limit").unwrap_or(200) as usize).map(|(_, guild)| {
            json!({ "id": guild.json["id"], "name": guild.json["name"], "icon": null, "banner": null, "owner": false,
                    "features": [], "permissions": may::USUAL.to_string() })
        });
        own.collect()
    }

    fn in_a_guild(&self, id: Id, rest: &[&str]) -> Done {
        let guild = self.guilds.get(&id).filter(|guild| guild.here).ok_or(problem(10004))?;
        match rest {
            [] => Ok(guild.json.clone()),
            ["members", "@me"] => Ok(self.member_json(id, self.app)),
            ["members", user] => {
                let user = limits::snowflake(user)?;
                self.users.get(&user).map(|_| self.member_json(id, user)).ok_or(problem(10007))
            }
            _ => Err(problem(404)),
        }
    }

    /// Whether the bot sees the channel and may do there what is needed; returns the channel's kind.
    fn reach(&self, id: Id, need: u64) -> Result<u64, Problem> {
        let channel = self.channels.get(&id).ok_or(problem(10003))?;
        let gone = self.guilds.get(&id_of(&channel.json["guild_id"])).is_some_and(|guild| !guild.here);
        match channel.bot {
            bits if gone || bits & may::VIEW == 0 => Err(problem(50001)),
            bits if bits & need != need => Err(problem(50013)),
            _ => Ok(number(&channel.json["type"])),
        }
    }

    fn in_a_channel(&mut self, id: Id, rest: &[&str], heard: &Heard) -> Done {
        let kind = self.reach(id, 0)?;
        let message = match rest {
            [] if heard.method == "GET" => return Ok(self.channels[&id].json.clone()),
            ["messages"] if heard.method == "GET" => return Ok(self.history(id, heard)),
            ["messages"] if heard.method == "POST" => return self.say(id, kind, heard.body),
            [] if heard.method == "PATCH" => return self.revive(id, heard.body),
            ["messages", message, ..] => limits::snowflake(message)?,
            _ => return Err(problem(404)),
        };
        let post = self.posts.get_mut(&message).ok_or(problem(10008))?;
        if id_of(&post.json["channel_id"]) != id {
            return Err(problem(10008));
        }
        let own = id_of(&post.json["author"]["id"]) == self.app;
        match (heard.method, &rest[2..]) {
            ("GET", []) => Ok(post.json.clone()),
            ("PATCH", []) if !own => Err(problem(50005)),
            ("PATCH", []) if self.channels[&id].json["thread_metadata"]["archived"] == true => Err(problem(50083)),
            ("PATCH", []) => self.revise(message, heard.body),
            ("DELETE", []) => {
                self.reach(id, if own { 0 } else { may::MANAGE_MESSAGES })?;
                self.posts.remove(&message);
                Ok(Value::Null)
            }
            ("POST", ["crosspost"]) if kind != 5 => Err(problem(50024)),
            ("POST", ["crosspost"]) if has(&post.json, CROSSPOSTED) => Err(problem(40033)),
            ("POST", ["crosspost"]) => {
                post.json["flags"] = json!(number(&post.json["flags"]) | CROSSPOSTED);
                Ok(post.json.clone())
            }
            _ => Err(problem(404)),
        }
    }

    /// A thread is taken out of the archive: whoever may send there may do so, unless it is locked.
    fn revive(&mut self, id: Id, body: &Value) -> Done {
        let state = self.channels[&id].json["thread_metadata"].clone();
        if state["locked"] == true {
            self.reach(id, may::MANAGE_THREADS)?;
        }
        self.reach(id, may::SEND_IN_THREADS)?;
        let channel = self.channels.get_mut(&id).ok_or(problem(10003))?;
        if body["archived"].is_boolean() {
            channel.json["thread_metadata"]["archived"] = body["archived"].clone();
        }
        Ok(channel.json.clone())
    }

    /// Newest first; after some message, the ones next to it.
    fn history(&self, channel: Id, heard: &Heard) -> Value {
        let (after, most) = (heard.asks("after"), heard.asks("limit").unwrap_or(50).min(100) as usize);
        let seen = self.in_channel(channel).filter(|(id, _)| *id > after.unwrap_or(0));
        let seen = seen.filter(|_| self.reach(channel, may::HISTORY).is_ok()).map(|(_, json)| json.clone());
        if after.is_some() {
            seen.take(most).collect::<Vec<_>>().into_iter().rev().collect()
        } else {
            seen.rev().take(most).collect()
        }
    }

    fn say(&mut self, channel: Id, kind: u64, body: &Value) -> Done {
        match kind {
            4 => return Err(problem(50008)),
            15 | 16 => return Err(problem(40058)),
            _ => limits::message(body)?,
        }
        let speak = if (10..=12).contains(&kind) { may::SEND_IN_THREADS } else { may::SEND };
        self.reach(channel, if items(&body["embeds"]).is_empty() { speak } else { speak | may::EMBED })?;
        let state = &mut self.channels.get_mut(&channel).ok_or(problem(10003))?.json["thread_metadata"];
        if state["archived"] == true {
            if state["locked"] == true {
                return Err(problem(160_005));
            }
            state["archived"] = json!(false);
        }
        if let Some(answered) = body.get("message_reference") {
            self.reach(channel, may::HISTORY).map_err(|_| problem(160_002))?;
            let known = self.posts.contains_key(&id_of(&answered["message_id"]));
            if !known && answered["fail_if_not_exists"] != false {
                return Err(limits::not("message_reference", "Unknown message"));
            }
        }
        // Whether Discord keeps nonces by channel is not documented: by author alone is the stricter.
        let nonce = body["nonce"].to_string();
        let known = self.nonces.get(&nonce).filter(|(at, _)| at.elapsed() < self.rules.nonce_window);
        let id = match known {
            Some((_, id)) if body["enforce_nonce"] == true && !body["nonce"].is_null() => *id,
            _ => {
                let flags = json!({ "flags": number(&body["flags"]) & SETTABLE });
                let id = self.post(channel, self.app, body, &flags);
                self.nonces.insert(nonce, (Instant::now(), id));
                id
            }
        };
        let mut json = self.posts.get(&id).ok_or(problem(10008))?.json.clone();
        if !body["nonce"].is_null() {
            json["nonce"] = body["nonce"].clone(); // only here: a message read later has none
        }
        Ok(json)
    }

    /// Replaces the list of commands; one that keeps its name keeps its id.
    fn register(&mut self, body: &Value) -> Done {
        limits::commands(body)?;
        let kind = |command: &Value| command["type"].as_u64().unwrap_or(1);
        let mut commands = Vec::new();
        for wanted in items(body) {
            let same = |old: &&Value| old["name"] == wanted["name"] && kind(old) == kind(wanted);
            let id = self.commands.iter().find(same).map(|old| old["id"].clone());
            self.created += usize::from(id.is_none());
            let mut command = json!({ "description": "", "default_member_permissions": null, "nsfw": false,
                "contexts": null, "integration_types": [0] });
            overlay(&mut command, wanted);
            let id = id.unwrap_or_else(|| json!(self.id().to_string()));
            let own = json!({ "id": id, "type": kind(wanted), "application_id": self.app.to_string(),
                "version": self.id().to_string() });
            overlay(&mut command, &own);
            commands.push(command);
        }
        if self.created > 200 {
            return Err(problem(30034));
        }
        self.commands = commands;
        Ok(json!(self.commands))
    }
}

fn refusal(Problem { status, code, message, errors }: Problem, mut headers: Headers) -> Reply {
    let mut body = json!({ "message": message, "code": code });
    if !errors.is_null() {
        body["errors"] = errors;
    }
    headers.push(("content-type", "application/json".into()));
    (status, headers, body.to_string())
}

fn limited(after: f64, scope: &str, mut headers: Headers) -> Reply {
    let body = json!({ "message": "You are being rate limited.", "retry_after": after, "global": scope == "global" });
    headers.extend([("content-type", "application/json".into()), ("retry-after", after.ceil().to_string())]);
    headers.push(("x-ratelimit-scope", scope.into()));
    headers.extend((scope == "global").then_some(("x-ratelimit-global", "true".into())));
    (429, headers, body.to_string())
}
