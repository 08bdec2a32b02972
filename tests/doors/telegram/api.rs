//! What happens in this Telegram, and the methods of the Bot API.

use super::*;

/// What happens, whoever makes it happen.
impl World {
    /// A user as Telegram shows them; one never met before gets a name.
    pub(super) fn someone(&mut self, id: i64) -> Value {
        let bot = json!({"id": BOT, "is_bot": true, "first_name": "Strillone", "username": NAME});
        let stranger = json!({"id": id, "is_bot": false, "first_name": format!("User {id}")});
        self.users.entry(id).or_insert(if id == BOT { bot } else { stranger }).clone()
    }

    /// Puts a message in a chat; `more` is all of it but the id, the date and the chat.
    pub(super) fn post(&mut self, chat: i64, more: Value, html: &str, own: bool) -> i64 {
        let date = now().saturating_add_signed(self.rules.ahead);
        let Some(room) = self.rooms.get_mut(&chat) else { return 0 };
        room.last += 1;
        let mut wire = json!({"message_id": room.last, "date": date, "chat": room.wire});
        fill(&mut wire, more.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value.clone())));
        room.posts.insert(room.last, Post { wire, html: html.to_owned(), own, edits: 0, pinned: false });
        room.last
    }

    pub(super) fn rewrite(&mut self, chat: i64, id: i64, (text, entities): Formatted, html: &str, markup: Value) {
        let Some(post) = self.rooms.get_mut(&chat).and_then(|room| room.posts.get_mut(&id)) else { return };
        (post.html, post.edits) = (html.to_owned(), post.edits + 1);
        fill(&mut post.wire, [("text", json!(text)), ("entities", json!(entities)), ("reply_markup", markup)]);
        fill(&mut post.wire, [("edit_date", json!(now()))]);
    }

    /// A channel's post, whoever wrote it, stands in its discussion group, too.
    pub(super) fn pass_on(&mut self, channel: i64, id: i64) {
        let Some(room) = self.rooms.get(&channel) else { return };
        let (Some(group), Some(post)) = (room.discussion, room.posts.get(&id)) else { return };
        let (wire, html) = (post.wire.clone(), post.html.clone());
        let origin = json!({"type": "channel", "chat": wire["chat"], "message_id": id, "date": wire["date"]});
        self.users
            .entry(TELEGRAM)
            .or_insert_with(|| json!({"id": TELEGRAM, "is_bot": false, "first_name": "Telegram"}));
        let mut passed = json!({"from": self.someone(TELEGRAM), "sender_chat": wire["chat"], "forward_origin": origin});
        passed["is_automatic_forward"] = json!(true);
        fill(&mut passed, ["text", "entities", "caption", "photo"].map(|key| (key, wire[key].clone())));
        let copy = self.post(group, passed, &html, false);
        self.tell_of(group, copy, "");
    }

    /// Queues an update about a message, if the bot may hear of it.
    pub(super) fn tell_of(&mut self, chat: i64, id: i64, edited: &str) {
        let Some(room) = self.rooms.get(&chat) else { return };
        let Some(post) = room.posts.get(&id).filter(|post| room.reaches(&post.wire, &self.rules)) else { return };
        let kind = if room.kind() == "channel" { "channel_post" } else { "message" };
        self.push(&format!("{edited}{kind}"), post.wire.clone());
    }

    pub(super) fn push(&mut self, kind: &str, body: Value) {
        let usual = !["chat_member", "message_reaction", "message_reaction_count"].contains(&kind);
        if self.allowed.iter().any(|allowed| allowed == kind) || self.allowed.is_empty() && usual {
            self.last_update += 1;
            self.updates.push((self.last_update, json!({"update_id": self.last_update, kind: body}), false));
        }
    }

    pub(super) fn change_bot(&mut self, chat: i64, status: &str, by: i64) {
        let (from, bot) = (self.someone(by), self.someone(BOT));
        let Some(room) = self.rooms.get_mut(&chat) else { return };
        let old = room.members.insert(BOT, status.to_owned()).unwrap_or_else(|| "left".to_owned());
        let (old, new) = (membership(&old, &bot), membership(status, &bot));
        let mut change = json!({"from": from, "date": now(), "old_chat_member": old, "new_chat_member": new});
        change["chat"] = room.wire.clone();
        self.push("my_chat_member", change);
    }

    /// The fault ordered for this call, if any.
    pub(super) fn fault_for(&mut self, method: &str) -> Option<Fault> {
        let due = |(name, left, _): &&mut (String, u32, Fault)| *left > 0 && (name == method || name == "*");
        let (_, left, fault) = self.faults.iter_mut().find(due)?;
        *left -= 1;
        Some(*fault)
    }

    /// Counts a message against the limits, or says how long to wait.
    pub(super) fn meter(&mut self, chat: i64) -> Result<(), Refusal> {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let Some(room) = self.rooms.get_mut(&chat) else { return Ok(()) };
        for (sent, span) in [(&mut self.sent, second), (&mut room.sent, 60 * second)] {
            while sent.front().is_some_and(|at| now - *at >= span) {
                sent.pop_front();
            }
        }
        let a_minute = if chat < 0 { 20 } else { usize::MAX };
        for (sent, most, span) in
            [(&self.sent, 30, second), (&room.sent, 1, second), (&room.sent, a_minute, 60 * second)]
        {
            // The one that the new one would be too many after.
            let crowded = sent.len().checked_sub(most).and_then(|at| sent.get(at)).filter(|at| now - **at < span);
            if let Some(at) = crowded.filter(|_| self.rules.limits_enforced) {
                return Err(too_many((span - (now - *at)).as_secs() + 1));
            }
        }
        self.sent.push_back(now);
        room.sent.push_back(now);
        Ok(())
    }
}

impl Room {
    pub(super) fn kind(&self) -> &str {
        self.wire["type"].as_str().unwrap_or_default()
    }

    pub(super) fn status(&self, user: i64) -> &str {
        self.members.get(&user).map_or("left", String::as_str)
    }

    /// Privacy mode: in groups only service messages, commands not meant for another bot, mentions and replies.
    pub(super) fn reaches(&self, wire: &Value, rules: &Rules) -> bool {
        let words = (text(wire, "text") + &text(wire, "caption")).to_lowercase();
        let media = ["photo", "document", "video"].iter().any(|kind| !wire[*kind].is_null());
        let meant = match words.strip_prefix('/').and_then(|rest| rest.split_whitespace().next()) {
            Some(command) => !command.contains('@') || command.ends_with(&format!("@{NAME}")),
            None => words.is_empty() && !media || words.contains(&format!("@{NAME}")),
        };
        let free = rules.privacy_off || !self.kind().ends_with("group") || self.status(BOT) == "administrator";
        !["left", "kicked"].contains(&self.status(BOT))
            && (free || meant || wire["reply_to_message"]["from"]["id"] == BOT)
    }

    /// Why the bot may not speak here at all.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let kind = self.kind();
        Some(match (self.status(BOT), self.refusal, self.moved) {
            (.., Some(new)) => Refusal(400, MOVED.to_owned(), json!({"migrate_to_chat_id": new})),
            (_, Some((code, words)), _) => refusal(code, words),
            ("kicked", ..) if kind == "private" => refusal(403, "bot was blocked by the user"),
            ("kicked", ..) => refusal(403, &format!("bot was kicked from the {kind} chat")),
            ("left", ..) => refusal(403, &format!("bot is not a member of the {kind} chat")),
            ("restricted", ..) => bad("not enough rights to send text messages to the chat"),
            ("member", ..) if kind != "channel" && !self.members_write => {
                bad("not enough rights to send text messages to the chat")
            }
            ("mute", ..) if kind == "channel" => bad("need administrator rights in the channel chat"),
            ("member", ..) if kind == "channel" => bad("need administrator rights in the channel chat"),
            _ => return None,
        })
    }
}

impl Post {
    pub(super) fn seen(&self, chat: Chat) -> Message {
        let wire = self.wire.clone();
        let acts = ["callback_data", "url", "switch_inline_query", "switch_inline_query_current_chat"];
        let button = |b: &Value| (text(b, "text"), acts.map(|act| text(b, act)).concat());
        let rows = items(&wire["reply_markup"]["inline_keyboard"]);
        Message {
            chat,
            id: int(&wire, "message_id").unwrap_or(0),
            // As people see it: a word joiner is not to be seen.
            text: text(&wire, "text").replace('\u{2060}', ""),
            html: self.html.clone(),
            buttons: rows.iter().map(|row| items(row).iter().map(button).collect()).collect(),
            thread: int(&wire, "message_thread_id"),
            reply_to: int(&wire["reply_to_message"], "message_id"),
            edits: self.edits,
            pinned: self.pinned,
            wire,
        }
    }
}

/// The methods of the Bot API.
impl World {
    pub(super) fn obey(&mut self, method: &str, p: &Value) -> Done {
        match method {
            "getme" => self.me(),
            "sendmessage" => self.send_message(p),
            "editmessagetext" => self.edit(p, true),
            "editmessagereplymarkup" => self.edit(p, false),
            "deletemessage" | "pinchatmessage" => self.delete_or_pin(method, p),
            "answercallbackquery" if units(&text(p, "text")) > 200 => Err(bad("MESSAGE_TOO_LONG")),
            "answercallbackquery" => self.answer("callback_query_id", p),
            "answerinlinequery" => results(p).and_then(|()| self.answer("inline_query_id", p)),
            "setmycommands" | "getmycommands" | "deletemycommands" => self.my_commands(method, p),
            "getchat" | "getchatmember" | "getchatadministrators" => self.look(method, p),
            "sendchataction" => {
                let chat = self.reach(p)?;
                self.place(chat, p).map(|_| json!(true))
            }
            "leavechat" => {
                let chat = self.reach(p)?;
                self.change_bot(chat, "left", BOT);
                Ok(json!(true))
            }
            "deletewebhook" => {
                self.webhook.clear();
                self.updates.retain(|_| opened(p, "drop_pending_updates") != true);
                Ok(json!(true))
            }
            "getwebhookinfo" => Ok(
                json!({"url": self.webhook, "has_custom_certificate": false, "pending_update_count": self.updates.len()}),
            ),
            _ => Err(refusal(404, "")),
        }
    }

    pub(super) fn me(&mut self) -> Done {
        let mut me = self.someone(BOT);
        fill(&mut me, ["can_join_groups", "supports_inline_queries"].map(|key| (key, json!(true))));
        fill(&mut me, ["can_connect_to_business", "has_main_web_app"].map(|key| (key, json!(false))));
        fill(&mut me, [("can_read_all_group_messages", json!(self.rules.privacy_off))]);
        Ok(me)
    }

    /// The chat meant, whether or not the bot may speak there.
    pub(super) fn meant(&self, p: &Value) -> Result<(i64, &Room), Refusal> {
        let named = self.names.get(&text(p, "chat_id").to_lowercase()).copied();
        let id = named.or_else(|| int(p, "chat_id"));
        match id.and_then(|id| self.rooms.get_key_value(&id)) {
            Some((id, room)) => Ok((*id, room)),
            None if text(p, "chat_id").is_empty() => Err(bad("chat_id is empty")),
            None => Err(bad("chat not found")),
        }
    }

    /// The chat meant, if the bot may speak there now.
    pub(super) fn reach(&self, p: &Value) -> Result<i64, Refusal> {
        if int(p, "chat_id").is_some_and(|id| self.users.contains_key(&id) && !self.rooms.contains_key(&id)) {
            return Err(refusal(403, "bot can't initiate conversation with a user"));
        }
        let (chat, room) = self.meant(p)?;
        room.refusal().map_or(Ok(chat), Err)
    }

    pub(super) fn send_message(&mut self, p: &Value) -> Done {
        let (words, entities) = formatted(p, "text", "message is too long")?;
        let markup = markup(p)?;
        let chat = self.reach(p)?;
        let mut wire = self.place(chat, p)?;
        self.meter(chat)?;
        fill(&mut wire, [("text", json!(words)), ("entities", json!(entities)), ("reply_markup", markup)]);
        let id = self.post(chat, wire, &written(p), true);
        self.pass_on(chat, id);
        Ok(self.rooms[&chat].posts[&id].wire.clone())
    }

    /// Who sends, and to where in the chat: the topic, the message replied to.
    pub(super) fn place(&mut self, chat: i64, p: &Value) -> Done {
        let bot = self.someone(BOT);
        let room = &self.rooms[&chat];
        let mut wire = json!({});
        fill(&mut wire, [if room.kind() == "channel" { ("sender_chat", room.wire.clone()) } else { ("from", bot) }]);
        let thread = int(p, "message_thread_id");
        let closed = room.topics.get(&thread.unwrap_or(1));
        if thread == Some(1) || thread.is_some() && closed.is_none() {
            return Err(bad("message thread not found"));
        }
        if closed == Some(&true) {
            return Err(bad("TOPIC_CLOSED"));
        }
        fill(&mut wire, [("message_thread_id", json!(thread)), ("is_topic_message", json!(thread.map(|_| true)))]);
        let reply = opened(p, "reply_parameters");
        let post = int(&reply, "message_id").and_then(|id| room.posts.get(&id));
        if post.is_none() && !reply.is_null() && reply["allow_sending_without_reply"] != true {
            return Err(bad("message to be replied not found"));
        }
        fill(&mut wire, [("reply_to_message", json!(post.map(|post| &post.wire)))]);
        Ok(wire)
    }

    pub(super) fn edit(&mut self, p: &Value, rewords: bool) -> Done {
        let new = if rewords { Some(formatted(p, "text", "MESSAGE_TOO_LONG")?) } else { None };
        let markup = markup(p)?;
        let chat = self.reach(p)?;
        let id = int(p, "message_id").ok_or_else(|| bad("message identifier is not specified"))?;
        let post = self.rooms[&chat].posts.get(&id).ok_or_else(|| bad("message to edit not found"))?;
        let old = (text(&post.wire, "text"), items(&post.wire["entities"]).to_vec());
        let html = if rewords { written(p) } else { post.html.clone() };
        let new = new.unwrap_or_else(|| old.clone());
        if !post.own {
            return Err(bad("message can't be edited"));
        }
        if new == old && markup == post.wire["reply_markup"] {
            return Err(bad(SAME));
        }
        self.meter(chat)?;
        self.rewrite(chat, id, new, &html, markup);
        Ok(self.rooms[&chat].posts[&id].wire.clone())
    }

    pub(super) fn delete_or_pin(&mut self, method: &str, p: &Value) -> Done {
        let chat = self.reach(p)?;
        let room = self.rooms.get_mut(&chat).ok_or_else(|| bad("chat not found"))?;
        let may = room.kind() == "private" || room.status(BOT) == "administrator";
        let id = int(p, "message_id").ok_or_else(|| bad("message identifier is not specified"))?;
        match (room.posts.get_mut(&id), method) {
            (None, "deletemessage") => return Err(bad("message to delete not found")),
            (None, _) => return Err(bad("message to pin not found")),
            (Some(post), "deletemessage") if !may && !post.own => return Err(bad("message can't be deleted")),
            (Some(_), "deletemessage") => drop(room.posts.remove(&id)),
            _ if !may => return Err(bad("not enough rights to manage pinned messages in the chat")),
            (Some(post), _) => post.pinned = true,
        }
        Ok(json!(true))
    }

    pub(super) fn answer(&mut self, key: &str, p: &Value) -> Done {
        let query = self.queries.get_mut(&text(p, key)).filter(|(expired, _)| !expired);
        query.ok_or_else(|| bad(LATE))?.1.push(p.clone());
        Ok(json!(true))
    }

    pub(super) fn my_commands(&mut self, method: &str, p: &Value) -> Done {
        let language = text(p, "language_code");
        if !(language.is_empty() || language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase())) {
            return Err(bad("invalid language code specified"));
        }
        let place = (self.scope(&opened(p, "scope"))?, language);
        match method {
            "getmycommands" => return Ok(self.commands.get(&place).cloned().unwrap_or_else(|| json!([]))),
            "deletemycommands" => self.commands.remove(&place),
            _ => self.commands.insert(place, listed(&opened(p, "commands"))?),
        };
        Ok(json!(true))
    }

    /// A scope as one word: `default`, `chat:-5`, `chat_member:-5:7`.
    pub(super) fn scope(&self, scope: &Value) -> Result<String, Refusal> {
        let kind = text(scope, "type");
        match kind.as_str() {
            "" if scope.is_null() => Ok("default".to_owned()),
            "default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators" => Ok(kind),
            "chat" | "chat_administrators" => Ok(format!("{kind}:{}", self.meant(scope)?.0)),
            "chat_member" => Ok(format!("{kind}:{}:{}", self.meant(scope)?.0, text(scope, "user_id"))),
            _ => Err(bad("can't parse BotCommandScope: unsupported type specified")),
        }
    }

    /// The methods that look into a chat: the bot must be let in, but need not be let speak.
    pub(super) fn look(&mut self, method: &str, p: &Value) -> Done {
        let (chat, room) = self.meant(p)?;
        let public = method == "getchat" && room.wire["username"].is_string();
        let closed = |refusal: &Refusal| refusal.0 == 403 && room.kind() != "private" && !public;
        if let Some(refusal) = room.refusal().filter(closed) {
            return Err(refusal);
        }
        if method == "getchatmember" && room.kind() == "channel" && room.status(BOT) == "member" {
            return Err(bad("member list is inaccessible"));
        }
        let may_write = room.members_write;
        let (mut wire, members) = (room.wire.clone(), room.members.clone());
        let user = int(p, "user_id").unwrap_or(0);
        match method {
            "getchat" => {
                let gifts = "unlimited_gifts limited_gifts unique_gifts premium_subscription gifts_from_channels";
                wire["accepted_gift_types"] = gifts.split(' ').map(|gift| (gift.to_owned(), false)).collect();
                if text(&wire, "type").ends_with("group") {
                    wire["permissions"] = json!({ "can_send_messages": may_write });
                }
                fill(&mut wire, [("accent_color_id", json!(1)), ("max_reaction_count", json!(11))]);
                Ok(wire)
            }
            "getchatmember" if user != BOT && !self.users.contains_key(&user) => Err(bad("user not found")),
            "getchatmember" => Ok(membership(self.rooms[&chat].status(user).to_owned().as_str(), &self.someone(user))),
            _ if wire["type"] == "private" => Err(bad("there are no administrators in the private chat")),
            _ => {
                let head = |(_, status): &(&i64, &String)| ["creator", "administrator"].contains(&status.as_str());
                Ok(members.iter().filter(head).map(|(id, status)| membership(status, &self.someone(*id))).collect())
            }
        }
    }

    /// Before `getUpdates` waits: forgets what the offset confirms, takes the new wishes and numbers the poller.
    pub(super) fn confirm(&mut self, p: &Value) -> u64 {
        if let Some(allowed) = opened(p, "allowed_updates").as_array() {
            self.allowed.clone_from(allowed);
        }
        let offset = int(p, "offset").unwrap_or(0);
        let first = self.updates.len().saturating_sub(offset.unsigned_abs() as usize);
        match offset {
            ..0 => drop(self.updates.drain(..first)),
            _ => self.updates.retain(|(id, _, again)| *again || *id >= offset),
        }
        // Telegram gives one update to whoever asks for the same offset within half a second.
        let now = Instant::now();
        let hasty = self.offset.is_some_and(|(last, at)| last == offset && now - at < Duration::from_millis(500));
        self.hasty += usize::from(hasty);
        (self.offset, self.single) = (Some((offset, now)), hasty);
        self.poller += 1;
        self.poller
    }

    /// What there is to tell the poller of this number, unless another came after it.
    pub(super) fn batch(&mut self, poller: u64, p: &Value) -> Result<Vec<Value>, Refusal> {
        if !self.webhook.is_empty() {
            return Err(refusal(409, WEBHOOK));
        }
        if self.rules.token_revoked || self.poller != poller {
            return Err(if self.rules.token_revoked { refusal(401, "") } else { refusal(409, RIVAL) });
        }
        let most = if self.single { 1 } else { int(p, "limit").unwrap_or(100).clamp(1, 100) as usize };
        let batch: Vec<Value> = self.updates.iter().map(|(_, body, _)| body.clone()).take(most).collect();
        let rest = self.updates.split_off(batch.len());
        self.updates.retain(|(.., again)| !again);
        self.updates.extend(rest);
        Ok(batch)
    }
}
