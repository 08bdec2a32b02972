//! Small things said of JSON and of texts.

use super::*;

pub(super) fn int(p: &Value, key: &str) -> Option<i64> {
    p[key].as_i64().or_else(|| p[key].as_str()?.parse().ok())
}

/// A parameter as text; a number is one too.
pub(super) fn text(p: &Value, key: &str) -> String {
    match &p[key] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A parameter that is an object or a list, also where it came as a string of JSON.
pub(super) fn opened(p: &Value, key: &str) -> Value {
    match &p[key] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| p[key].clone()),
        other => other.clone(),
    }
}

pub(super) fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Sets fields; one with nothing in it is taken away.
pub(super) fn fill<'a>(object: &mut Value, with: impl IntoIterator<Item = (&'a str, Value)>) {
    let Some(fields) = object.as_object_mut() else { return };
    for (key, value) in with {
        fields.insert(key.to_owned(), value);
    }
    fields.retain(|_, value| !value.is_null() && !value.as_array().is_some_and(Vec::is_empty));
}

pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What the bot wrote, in HTML.
pub(super) fn written(p: &Value) -> String {
    let raw = text(p, "text");
    if text(p, "parse_mode").is_empty() { escaped(&raw) } else { raw }
}

/// A `ChatMember` with the rights that go with a status; a right after `-` is withheld.
pub(super) fn membership(standing: &str, user: &Value) -> Value {
    let status = match standing {
        "trusted" => "restricted",
        "mute" => "administrator",
        other => other,
    };
    let rights = match status {
        "creator" => "-is_anonymous",
        "administrator" => {
            "-is_anonymous -can_be_edited can_manage_chat can_delete_messages can_manage_video_chats can_post_messages \
             can_edit_messages can_restrict_members -can_promote_members can_change_info can_invite_users \
             can_pin_messages can_post_stories can_edit_stories can_delete_stories can_manage_topics"
        }
        "restricted" => {
            "is_member -can_send_messages -can_send_audios -can_send_documents -can_send_photos -can_send_videos \
             -can_send_video_notes -can_send_voice_notes -can_send_polls -can_send_other_messages -can_edit_tag \
             -can_add_web_page_previews -can_react_to_messages -can_change_info -can_invite_users -can_pin_messages \
             -can_manage_topics"
        }
        _ => "",
    };
    let mut member = json!({"status": status, "user": user});
    fill(
        &mut member,
        rights.split_whitespace().map(|right| (right.trim_start_matches('-'), json!(!right.starts_with('-')))),
    );
    if standing == "trusted" {
        member["can_send_messages"] = json!(true);
    }
    if standing == "mute" {
        member["can_post_messages"] = json!(false);
    }
    fill(&mut member, ["kicked", "restricted"].contains(&status).then_some(("until_date", json!(0))));
    member
}

/// A picture as Telegram describes it, and the words to it.
pub fn photo(caption: &str) -> Value {
    let size = json!({"file_id": "p1", "file_unique_id": "u1", "width": 90, "height": 60});
    captioned(json!({"photo": [size]}), caption)
}

/// A file, and the words to it.
pub fn document(caption: &str) -> Value {
    captioned(json!({"document": {"file_id": "d1", "file_unique_id": "u2", "file_name": "letter.pdf"}}), caption)
}

fn captioned(mut what: Value, caption: &str) -> Value {
    fill(&mut what, (!caption.is_empty()).then(|| ("caption", json!(caption))));
    what
}

/// The commands, mentions and links Telegram finds by itself in what people write.
pub(super) fn spotted(text: &str) -> Vec<Value> {
    let named = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let (mut offset, mut found) = (0, Vec::new());
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end_matches(|c: char| c.is_whitespace() || ".,;:!?)".contains(c));
        let kind = match (bare.strip_prefix('/'), bare.strip_prefix('@')) {
            (Some(command), _) if command.splitn(2, '@').all(named) => "bot_command",
            (_, Some(name)) if named(name) => "mention",
            _ if bare.starts_with("https://") || bare.starts_with("http://") => "url",
            _ => "",
        };
        found.extend((!kind.is_empty()).then(|| json!({"type": kind, "offset": offset, "length": units(bare)})));
        offset += units(word);
    }
    found
}

/// The text of a call, parsed and measured: in UTF-16 units, the stricter of the two readings of the limit.
pub(super) fn formatted(p: &Value, key: &str, too_long: &str) -> Result<Formatted, Refusal> {
    let raw = text(p, key);
    let parsed = match text(p, "parse_mode").to_lowercase().as_str() {
        _ if raw.is_empty() => return Err(bad("message text is empty")),
        "html" => parse_html(&raw).map_err(|why| bad(&format!("can't parse entities: {why}")))?,
        "" => (raw, items(&opened(p, "entities")).iter().filter(|entity| entity.is_object()).cloned().collect()),
        _ => return Err(bad("unsupported parse_mode")),
    };
    match trimmed(parsed) {
        (text, _) if text.is_empty() => Err(bad("text must be non-empty")),
        (text, _) if units(&text) > 4096 => Err(bad(too_long)),
        parsed => Ok(parsed),
    }
}

/// Takes the white space off both ends, as Telegram does, and moves the entities along; keeps the first 100.
pub(super) fn trimmed((text, mut entities): Formatted) -> Formatted {
    let first = entities.iter().map(|entity| span_of(entity).0).min().unwrap_or(usize::MAX);
    let lead = text.chars().take_while(|c| c.is_whitespace()).count().min(first);
    let text: String = text.trim_end().chars().skip(lead).collect();
    let whole = units(&text);
    entities.retain_mut(|entity| {
        let (start, end) = span_of(entity);
        let length = (end - lead).min(whole).saturating_sub(start - lead);
        (entity["offset"], entity["length"]) = (json!(start - lead), json!(length));
        length > 0
    });
    entities.truncate(100);
    (text, entities)
}

/// Where an entity starts and ends.
pub(super) fn span_of(entity: &Value) -> (usize, usize) {
    let (offset, length) = (entity["offset"].as_u64().unwrap_or(0), entity["length"].as_u64().unwrap_or(0));
    (offset as usize, offset.saturating_add(length) as usize)
}
