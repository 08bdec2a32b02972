//! Interactions: how people ask, and how the bot answers them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, Discord, Done, EPHEMERAL, Id, LOADING, SETTABLE, World, has, id_of, items,
    limits::{self, problem},
    number, overlay,
    rest::Heard,
    unix, word,
};

#[derive(Default)]
pub(super) struct Interaction {
    token: String,
    /// 2 command, 3 component, 4 autocomplete, 5 form.
    kind: u64,
    channel: Id,
    made: Duration,
    ack: Option<u64>,
    original: Option<Id>,
    follow_ups: Vec<Id>,
    /// The message whose component was used.
    source: Option<Id>,
    /// The interaction that was answered with the form.
    opener: Option<Id>,
    edited: bool,
    /// What the first answer held.
    given: Value,
    event: Value,
}

impl Discord {
    /// Somebody uses a slash command, "name" or "name subcommand"; values are typed as registered.
    pub fn slash(&self, place: Id, user: Id, command: &str, given: &[(&str, &str)]) -> Id {
        self.with(|world| world.interact(2, place, user, world.typed(user, command, given, false), None))
    }

    /// A command of a shape that nobody has heard of.
    pub fn garbled_slash(&self, place: Id, user: Id, command: &str) -> Id {
        self.with(|world| {
            let mut data = world.typed(user, command, &[], false);
            (data["name"], data["options"]) = (json!(7), json!("none"));
            world.interact(2, place, user, data, None)
        })
    }

    /// Somebody is typing this option.
    pub fn autocomplete(&self, place: Id, user: Id, command: &str, option: &str, typed: &str) -> Id {
        self.with(|world| world.interact(4, place, user, world.typed(user, command, &[(option, typed)], true), None))
    }

    /// Somebody uses a message command on a message.
    pub fn menu(&self, place: Id, user: Id, command: &str, message: Id) -> Id {
        self.with(|world| {
            let known = world.commands.iter().find(|known| known["type"] == 3 && known["name"] == command);
            let id = known.unwrap_or_else(|| panic!("no message command {command}"))["id"].clone();
            let target = message.to_string();
            let resolved = json!({ "messages": { &target: world.posts[&message].json } });
            let data = json!({ "id": id, "name": command, "type": 3, "target_id": target, "resolved": resolved });
            world.interact(2, place, user, data, None)
        })
    }

    /// Somebody presses a button, by label or custom id, on a message or on what an interaction was answered with.
    pub fn presses(&self, of: Id, button: &str, user: Id) -> Id {
        self.with(|world| {
            let (message, part) = world.component(of, button);
            let channel = id_of(&world.posts[&message].json["channel_id"]);
            let data = json!({ "custom_id": part["custom_id"], "component_type": part["type"], "id": 1 });
            world.interact(3, channel, user, data, Some(message))
        })
    }

    /// Somebody fills in the form an interaction was answered with; panics where Discord would not let them send it.
    pub fn modal_submit(&self, of: Id, filled: &[(&str, &str)], user: Id) -> Id {
        self.with(|world| {
            let asked = &world.interactions[&of];
            assert_eq!(asked.ack, Some(9), "no form was opened");
            let inputs = items(&asked.given["components"]).iter().map(|row| &row["components"][0]);
            let inputs: Vec<_> = inputs.collect();
            for (name, _) in filled {
                assert!(inputs.iter().any(|input| input["custom_id"] == *name), "the form has no {name}");
            }
            let value = |input: &Value| {
                let given = filled.iter().find(|(name, _)| input["custom_id"] == *name).map(|(_, text)| json!(text));
                let value = given.or(input.get("value").cloned()).unwrap_or(json!(""));
                let (size, most) = (word(&value).chars().count() as u64, input["max_length"].as_u64().unwrap_or(4000));
                let empty = word(&value).trim().is_empty();
                assert!(size <= most && (!empty || input["required"] == false), "{input} cannot be {value}");
                json!({ "type": 4, "id": 2, "custom_id": input["custom_id"], "value": value })
            };
            let row = |row: &Value| json!({ "type": 1, "id": 1, "components": [value(&row["components"][0])] });
            let rows: Vec<_> = items(&asked.given["components"]).iter().map(row).collect();
            let data = json!({ "custom_id": asked.given["custom_id"], "components": rows });
            let (channel, source) = (asked.channel, asked.source);
            let id = world.interact(5, channel, user, data, source);
            world.interactions.entry(id).and_modify(|asked| asked.opener = Some(of));
            id
        })
    }

    /// Somebody presses a button on a message that has parts of which nobody has heard yet.
    pub fn presses_strange(&self, of: Id, button: &str, user: Id) -> Id {
        self.with(|world| {
            let (message, _) = world.component(of, button);
            let strange = json!({ "id": "none", "type": "new", "triggering_interaction_metadata": 7 });
            world.posts.get_mut(&message).expect("a message").json["interaction_metadata"] = strange;
        });
        self.presses(of, button, user)
    }

    /// A form that nobody was shown comes back filled in.
    pub fn forges_form(&self, place: Id, user: Id, custom_id: &str, rows: Value) -> Id {
        let data = json!({ "custom_id": custom_id, "components": rows });
        self.with(|world| world.interact(5, place, user, data, None))
    }

    /// The gateway delivers an interaction a second time.
    pub fn again(&self, interaction: Id) {
        self.with(|world| world.push("INTERACTION_CREATE", world.interactions[&interaction].event.clone()));
    }

    /// Makes an interaction older.
    pub fn ages(&self, interaction: Id, by: Duration) {
        self.with(|world| world.interactions.get_mut(&interaction).expect("an interaction").made -= by);
    }

    /// What the person who asked sees in the end: a deferred answer is waited for.
    pub async fn answer(&self, interaction: Id, within: Duration) -> Answer {
        self.until(within, "answer", |discord| discord.look(|world| world.answered(interaction))).await
    }

    /// How an interaction was first answered (the callback's type), if it was.
    pub fn acknowledged(&self, interaction: Id) -> Option<u64> {
        self.look(|world| world.interactions[&interaction].ack)
    }

    /// The follow-ups to an interaction.
    pub fn follow_ups(&self, interaction: Id) -> Vec<Answer> {
        self.look(|world| world.interactions[&interaction].follow_ups.iter().map(|id| world.shown(*id)).collect())
    }
}

impl Interaction {
    fn age(&self) -> Duration {
        unix().saturating_sub(self.made)
    }
}

impl World {
    /// Registers an interaction and pushes it.
    fn interact(&mut self, kind: u64, channel: Id, user: Id, data: Value, source: Option<Id>) -> Id {
        let id = self.id();
        let (asker, place, token) = (&self.users[&user], &self.channels[&channel], format!("interaction-{id}"));
        let (guild, bits) = (place.json["guild_id"].as_str(), json!(asker.permissions.to_string()));
        let mut about = place.json.clone();
        about["permissions"] = bits.clone();
        let mut event = json!({
            "id": id.to_string(), "application_id": self.app.to_string(), "type": kind, "data": data, "token": token,
            "version": 1, "channel_id": channel.to_string(), "channel": about, "locale": asker.locale,
            "app_permissions": place.bot.to_string(), "entitlements": [], "attachment_size_limit": 10 << 20,
            "context": u8::from(guild.is_none()), "authorizing_integration_owners": { "0": guild.unwrap_or("0") },
        });
        if let Some(guild) = guild {
            let locale = self.guilds[&id_of(&json!(guild))].json["preferred_locale"].clone();
            let mut member = self.member_json(id_of(&json!(guild)), user);
            member["permissions"] = bits;
            let home = json!({ "id": guild, "locale": locale, "features": [] });
            let more = json!({ "guild_id": guild, "guild_locale": locale, "guild": home, "member": member });
            overlay(&mut event, &more);
        } else {
            event["user"] = asker.json.clone();
        }
        if let Some(post) = source.and_then(|source| self.posts.get(&source)) {
            event["message"] = post.json.clone();
        }
        self.push("INTERACTION_CREATE", event.clone());
        let asked = Interaction { token, kind, channel, made: unix(), source, event, ..Interaction::default() };
        self.interactions.insert(id, asked);
        id
    }

    /// What is sent for a slash command; panics where Discord would not let a person send it.
    fn typed(&self, user: Id, command: &str, given: &[(&str, &str)], typing: bool) -> Value {
        let mut words = command.split_whitespace().map(|word| json!(word));
        let name = words.next().unwrap_or_default();
        let known = self.commands.iter().find(|known| known["type"] == 1 && known["name"] == name);
        let known = known.unwrap_or_else(|| panic!("/{command} is not registered"));
        let named = |of: &Value, name: &Value| items(&of["options"]).iter().find(|o| o["name"] == *name).cloned();
        let (mut level, mut path) = (known.clone(), vec![]);
        for word in words {
            level = named(&level, &word).unwrap_or_else(|| panic!("/{command}: no {word}"));
            path.push(level.clone());
        }
        let mut resolved = json!({});
        let value = |(name, text): &(&str, &str)| {
            let option = named(&level, &json!(name)).unwrap_or_else(|| panic!("/{command} has no option {name}"));
            let value = if typing { json!(text) } else { self.value(user, &option, text, &mut resolved) };
            let mut json = json!({ "type": option["type"], "name": name, "value": value });
            if typing {
                json["focused"] = json!(true);
            }
            json
        };
        let options: Value = given.iter().map(value).collect();
        let lacks = |o: &&Value| o["required"] == true && !given.iter().any(|(name, _)| o["name"] == *name);
        let missing = items(&level["options"]).iter().find(lacks);
        assert!(typing || missing.is_none(), "/{command} cannot be sent without {missing:?}");
        let wrap = |inner, level: &Value| json!([{ "type": level["type"], "name": level["name"], "options": inner }]);
        let options = path.iter().rev().fold(options, wrap);
        let mut data = json!({ "id": known["id"], "name": name, "type": 1 });
        for (key, value) in [("options", options), ("resolved", resolved)] {
            if value != json!([]) && value != json!({}) {
                data[key] = value;
            }
        }
        data
    }

    /// A typed value; people, channels and roles are given by name.
    fn value(&self, user: Id, option: &Value, text: &str, resolved: &mut Value) -> Value {
        let choice = items(&option["choices"]).iter().find(|c| c["value"] == text || c["name"] == text);
        let free = items(&option["choices"]).is_empty() || option["type"] != 3;
        let nobody = || panic!("{text} is no {} for Discord", option["name"]);
        match option["type"].as_u64() {
            Some(3) if free => json!(text),
            Some(3) => choice.map_or_else(nobody, |choice| choice["value"].clone()),
            Some(4) => text.parse::<i64>().map_or_else(|_| nobody(), |number| json!(number)),
            Some(5) => text.parse::<bool>().map_or_else(|_| nobody(), |truth| json!(truth)),
            Some(10) => text.parse::<f64>().map_or_else(|_| nobody(), |number| json!(number)),
            kind => self.named(user, kind, text).map_or_else(nobody, |(section, id, json)| {
                resolved[section][&id] = json;
                json!(id)
            }),
        }
    }

    fn named(&self, asker: Id, kind: Option<u64>, name: &str) -> Option<(&'static str, String, Value)> {
        let mut users = self.users.values().map(|user| &user.json);
        let mut roles = self.guilds.values().flat_map(|guild| items(&guild.json["roles"]));
        let (section, json) = match kind? {
            6 | 9 => ("users", users.find(|user| user["username"] == name)?.clone()),
            8 => ("roles", roles.find(|role| role["name"] == name)?.clone()),
            7 => {
                let channel = self.channels.values().find(|channel| channel.json["name"] == name)?;
                let (bot, own) = (channel.bot.to_string(), self.users[&asker].permissions.to_string());
                let mut json = channel.json.clone();
                overlay(&mut json, &json!({ "app_permissions": bot, "permissions": own }));
                ("channels", json)
            }
            _ => return None,
        };
        Some((section, word(&json["id"]), json))
    }

    /// The component of that label or custom id, and the message it is on.
    fn component(&self, of: Id, wanted: &str) -> (Id, Value) {
        let answers = self.interactions.get(&of).map(|asked| asked.original.iter().chain(&asked.follow_ups));
        let mut messages: Vec<Id> = answers.map_or(vec![of], |answers| answers.copied().collect());
        messages.retain(|id| self.posts.contains_key(id));
        let rows = |id: &Id| items(&self.posts[id].json["components"]);
        let parts = |id: &Id| rows(id).iter().flat_map(|row| items(&row["components"])).collect::<Vec<_>>();
        let mut parts = messages.iter().flat_map(|id| parts(id).into_iter().map(|part| (*id, part)));
        let found = parts.find(|(_, part)| part["label"] == wanted || part["custom_id"] == wanted);
        let (id, part) = found.unwrap_or_else(|| panic!("nothing called {wanted} to press on {messages:?}"));
        assert!(part["type"] == 2 && part["disabled"] != true && part["style"] != 5, "{wanted} cannot be pressed");
        (id, part.clone())
    }

    /// What the first answer has become, once there is something to see.
    fn answered(&self, id: Id) -> Option<Answer> {
        let asked = self.interactions.get(&id)?;
        let data = &asked.given;
        match asked.ack? {
            5 | 6 if !asked.edited => None,
            8 => {
                let choice = |choice: &Value| (word(&choice["name"]), choice["value"].clone());
                let choices = items(&data["choices"]).iter().map(choice).collect();
                Some(Answer { choices, raw: data.clone(), ..Answer::default() })
            }
            9 => Some(Answer { text: word(&data["title"]), raw: data.clone(), ..Answer::default() }),
            _ => asked.original.filter(|id| self.posts.contains_key(id)).map(|id| self.shown(id)),
        }
    }

    /// The first answer to an interaction.
    pub(super) fn callback(&mut self, id: Id, token: &str, heard: &Heard) -> Done {
        let asked = self.interactions.get(&id).filter(|asked| asked.token == token).ok_or(problem(10062))?;
        let (kind, data) = (number(&heard.body["type"]), &heard.body["data"]);
        match (kind, asked.kind) {
            _ if asked.ack.is_some() => return Err(problem(40060)),
            _ if asked.age() > self.rules.ack_within => return Err(problem(10062)),
            (4 | 5, 2 | 3 | 5) | (6 | 7, 3) | (8, 4) | (9, 2 | 3) => {}
            (6 | 7, 5) if asked.source.is_some() => {}
            _ => return Err(limits::not("type", "This response type does not answer this interaction.")),
        }
        let (channel, source) = (asked.channel, asked.source);
        let original = match kind {
            4 => {
                limits::message(data)?;
                Some(self.reply(id, channel, data, 0))
            }
            5 if number(&data["flags"]) & !EPHEMERAL != 0 => {
                return Err(limits::not("data.flags", "Only EPHEMERAL here."));
            }
            5 => Some(self.reply(id, channel, &json!({ "flags": data["flags"] }), LOADING)),
            6 => source,
            7 => source.map(|source| self.revise(source, data).map(|_| source)).transpose()?,
            8 => limits::choices(data).map(|()| None)?,
            _ => limits::modal(heard.body).map(|()| None)?,
        };
        if let Some(asked) = self.interactions.get_mut(&id) {
            (asked.ack, asked.original, asked.given) = (Some(kind), original, data.clone());
        }
        Ok(Value::Null)
    }

    /// Posts an answer to an interaction, with the flags it may have.
    fn reply(&mut self, of: Id, channel: Id, body: &Value, more: u64) -> Id {
        let app = self.app.to_string();
        let flags = number(&body["flags"]) & (SETTABLE | EPHEMERAL) | more;
        let metadata = self.metadata(of);
        let own = json!({ "flags": flags, "application_id": app, "webhook_id": app, "interaction_metadata": metadata });
        self.post(channel, self.app, body, &own)
    }

    /// What a message tells of the interaction that it answers: it depends on its kind.
    fn metadata(&self, id: Id) -> Value {
        let asked = &self.interactions[&id];
        let user = asked.event.get("member").map_or(&asked.event["user"], |member| &member["user"]);
        let owners = &asked.event["authorizing_integration_owners"];
        let mut json = json!({ "id": id.to_string(), "type": asked.kind, "user": user,
                               "authorizing_integration_owners": owners });
        match (asked.kind, asked.source, asked.opener) {
            (3, Some(source), _) => json["interacted_message_id"] = json!(source.to_string()),
            (5, _, Some(opener)) => json["triggering_interaction_metadata"] = self.metadata(opener),
            (2, ..) => json["target_message_id"] = asked.event["data"]["target_id"].clone(),
            _ => {}
        }
        json
    }

    /// What comes after the first answer: edits, deletions, follow-ups.
    pub(super) fn webhook(&mut self, app: Id, token: &str, rest: &[&str], heard: &Heard) -> Done {
        let asked = self.interactions.iter().find(|(_, asked)| asked.token == token && app == self.app);
        let (id, asked) = asked.filter(|(_, asked)| asked.ack.is_some()).ok_or(problem(10015))?;
        if asked.age() > self.rules.token_life {
            return Err(problem(50027));
        }
        let (id, channel, original) = (*id, asked.channel, asked.original);
        let loading = original.filter(|id| self.posts.get(id).is_some_and(|post| has(&post.json, LOADING)));
        let message = match (rest, loading) {
            ([], None) if heard.method == "POST" => return self.follow_up(id, channel, heard.body),
            ([], Some(loading)) if heard.method == "POST" => loading, // as Discord does: it fills the deferred answer
            (["messages", "@original"], _) => original.ok_or(problem(10008))?,
            (["messages", message], _) => limits::snowflake(message)?,
            _ => return Err(problem(404)),
        };
        if original != Some(message) && !asked.follow_ups.contains(&message) {
            return Err(problem(10008));
        }
        match heard.method {
            "GET" => self.posts.get(&message).map(|post| post.json.clone()).ok_or(problem(10008)),
            "DELETE" => self.posts.remove(&message).map(|_| Value::Null).ok_or(problem(10008)),
            "PATCH" | "POST" => {
                let json = self.revise(message, heard.body)?;
                self.interactions.entry(id).and_modify(|asked| asked.edited = true);
                Ok(json)
            }
            _ => Err(problem(405)),
        }
    }

    fn follow_up(&mut self, id: Id, channel: Id, body: &Value) -> Done {
        limits::message(body)?;
        let message = self.reply(id, channel, body, 0);
        self.interactions.entry(id).and_modify(|asked| asked.follow_ups.push(message));
        Ok(self.posts[&message].json.clone())
    }
}
