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

/// The commands, mentions, hashtags and links Telegram finds by itself, by TDLib's rules, in what people and bots write.
pub(super) fn spotted(text: &str) -> Vec<Value> {
    let text: Vec<char> = text.chars().collect();
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let one = named(&text, at).or_else(|| address(&text, at));
        found.extend(one.filter(|(start, _, _)| found.last().is_none_or(|last| last.1 <= *start)));
        at = found.last().map_or(0, |last| last.1).max(at + 1);
    }
    let units = |from: usize, to: usize| text[from..to].iter().map(|c| c.len_utf16()).sum::<usize>();
    found
        .iter()
        .map(|(from, to, kind)| json!({"type": kind, "offset": units(0, *from), "length": units(*from, *to)}))
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A mention, a command, or a hashtag that begins here.
fn named(text: &[char], at: usize) -> Option<(usize, usize, &'static str)> {
    let before = at.checked_sub(1).map_or(' ', |at| text[at]);
    let run = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
    let free = |end: usize, more: &str| text.get(end).is_none_or(|c| !is_word(*c) && !more.contains(*c));
    match text[at] {
        '@' if !is_word(before) => {
            let end = at + 1 + run(at + 1);
            ((3..=32).contains(&(end - at - 1)) && free(end, "")).then_some((at, end, "mention"))
        }
        '/' if !is_word(before) && !"/<>".contains(before) => {
            let end = at + 1 + run(at + 1);
            let name = if text.get(end) == Some(&'@') { run(end + 1) } else { 0 };
            let whole = if name >= 3 { end + 1 + name } else { end };
            ((1..=64).contains(&(end - at - 1)) && free(whole, "/<>")).then_some((at, whole, "bot_command"))
        }
        '#' if !is_word(before) => {
            let end = at + 1 + text[at + 1..].iter().take_while(|c| is_word(**c)).count();
            text[at + 1..end].iter().any(|c| c.is_alphabetic()).then_some((at, end, "hashtag"))
        }
        _ => None,
    }
}

/// An address around the dot that stands here, or the scheme of an app that begins here.
fn address(text: &[char], at: usize) -> Option<(usize, usize, &'static str)> {
    let is_host = |c: &char| {
        is_word(*c)
            || "-~.".contains(*c)
            || (*c as u32 > 0xbf && !c.is_whitespace() && !('\u{2000}'..='\u{206f}').contains(c))
    };
    let path = |from: usize| {
        let end = from + text[from..].iter().take_while(|c| !c.is_whitespace() && !"<>\"«»".contains(**c)).count();
        end - text[from..end].iter().rev().take_while(|c| ".,;:!?)".contains(**c)).count()
    };
    for scheme in ["tg://", "ton://"] {
        let scheme: Vec<char> = scheme.chars().collect();
        if text[at..].starts_with(&scheme) && text.get(at + scheme.len()).is_some_and(|c| is_word(*c)) {
            return Some((at, path(at), "url"));
        }
    }
    if text[at] != '.' {
        return None;
    }
    let first = at - text[..at].iter().rev().take_while(|c| is_host(c)).count();
    let last = at + text[at..].iter().take_while(|c| is_host(c)).count();
    let host: String = text[first..last].iter().collect();
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let [.., name, top] = labels[..] else { return None };
    let digits = |label: &&str| label.parse::<u8>().is_ok();
    let named = !name.is_empty()
        && (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic) || top.starts_with("xn--"));
    let numbered = labels.len() == 4 && labels.iter().all(digits);
    if !(named || numbered) {
        return None;
    }
    let before: String = text[..first].iter().collect();
    let scheme = ["https://", "http://"].iter().find(|scheme| before.to_lowercase().ends_with(*scheme));
    let start = first - scheme.map_or(0, |scheme| scheme.len());
    let user = text[..first].iter().rev().skip(1).take_while(|c| is_host(c)).count();
    match before.ends_with('@') && user > 0 {
        true => Some((first - 1 - user, first + host.trim_end_matches('.').chars().count(), "email")),
        false => Some((start, path(first), "url")),
    }
}

/// The text of a call, parsed and measured: in UTF-16 units, the stricter of the two readings of the limit.
pub(super) fn formatted(p: &Value, key: &str, too_long: &str) -> Result<Formatted, Refusal> {
    let raw = text(p, key);
    if raw.len() > 32_768 {
        return Err(bad("text is too long"));
    }
    let parsed = match text(p, "parse_mode").to_lowercase().as_str() {
        _ if raw.is_empty() => return Err(bad("message text is empty")),
        "html" => parse_html(&raw).map_err(|why| bad(&format!("can't parse entities: {why}")))?,
        "" => (raw, items(&opened(p, "entities")).iter().filter(|entity| entity.is_object()).cloned().collect()),
        _ => return Err(bad("unsupported parse_mode")),
    };
    match trimmed(parsed) {
        (text, _) if text.is_empty() => Err(bad("text must be non-empty")),
        (text, _) if units(&text) > 4096 => Err(bad(too_long)),
        (_, entities) if entities.iter().map(bytes_of).sum::<usize>() > 9_500 => Err(bad("ENTITIES_TOO_LONG")),
        (text, entities) => {
            let entities = with_spotted(&text, entities);
            Ok((text, entities))
        }
    }
}

/// What an entity counts as TDLib sends it: 12 bytes, and an address with its length, filled up to whole words.
fn bytes_of(entity: &Value) -> usize {
    12 + entity["url"].as_str().map_or(0, |url| (url.len() + 4).next_multiple_of(4))
}

/// The entities with those that Telegram finds by itself outside of code and links; the first 100 of all.
fn with_spotted(text: &str, mut entities: Vec<Value>) -> Vec<Value> {
    let is_shut = |entity: &&Value| ["code", "pre", "text_link"].contains(&entity["type"].as_str().unwrap_or_default());
    let shut: Vec<_> = entities.iter().filter(is_shut).map(span_of).collect();
    let free = |entity: &Value| {
        let (start, end) = span_of(entity);
        !shut.iter().any(|(from, to)| start < *to && *from < end)
    };
    entities.extend(spotted(text).into_iter().filter(free));
    entities.sort_by_key(|entity| (span_of(entity).0, Reverse(span_of(entity).1)));
    entities.truncate(100);
    entities
}

/// Takes the white space off both ends, as Telegram does, and moves the entities along.
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
    (text, entities)
}

/// Where an entity starts and ends.
pub(super) fn span_of(entity: &Value) -> (usize, usize) {
    let (offset, length) = (entity["offset"].as_u64().unwrap_or(0), entity["length"].as_u64().unwrap_or(0));
    (offset as usize, offset.saturating_add(length) as usize)
}
