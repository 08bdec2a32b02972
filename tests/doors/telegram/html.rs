//! Telegram's own reading of its HTML.

use super::*;

/// A tag that is open: its name, its argument, and where its text begins, in UTF-16 units and in bytes.
struct Tag(String, String, usize, usize);

/// Telegram's own reading of its HTML, and its own words when it cannot. A lone `&` is let be.
pub(super) fn parse_html(src: &str) -> Result<Formatted, String> {
    let (mut text, mut entities, mut open, mut at) = (String::new(), Vec::new(), Vec::new(), 0);
    while let Some(next) = src[at..].chars().next() {
        if src[at..].starts_with("</") {
            let tag: Tag = open.pop().ok_or_else(|| format!("Unexpected end tag at byte offset {at}"))?;
            at = end_tag(src, at, &tag.0)?;
            add_entity(&tag, &text, &mut entities)?;
        } else if next == '<' {
            let (name, argument, end) = start_tag(src, at)?;
            open.push(Tag(name, argument, units(&text), text.len()));
            at = end;
        } else {
            let (c, length) = if next == '&' { character(&src[at..]) } else { (next, next.len_utf8()) };
            text.push(c);
            at += length;
        }
    }
    if let Some(Tag(name, ..)) = open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{name}\""));
    }
    entities.sort_by_key(|entity| (span_of(entity).0, Reverse(span_of(entity).1)));
    Ok((text, entities.into_iter().fold(Vec::new(), nested)))
}

/// Keeps an entity unless it stands within code, or quotes within a quotation.
fn nested(mut kept: Vec<Value>, mut entity: Value) -> Vec<Value> {
    let is = |entity: &Value, kinds: &[&str]| kinds.contains(&entity["type"].as_str().unwrap_or_default());
    let quote = ["blockquote", "expandable_blockquote"];
    let lost = kept.iter().any(|outer| {
        span_of(outer).1 >= span_of(&entity).1
            && (is(outer, &["code", "pre"]) || is(outer, &quote) && is(&entity, &quote))
    });
    if is(&entity, &["code"]) {
        fill(&mut entity, [("language", Value::Null)]);
    }
    kept.extend((!lost).then_some(entity));
    kept
}

/// The character an `&` stands for, and how many bytes it takes.
fn character(src: &str) -> (char, usize) {
    let body = |from: usize, is: fn(&char) -> bool| src[from..].chars().take_while(is).count() + from;
    let (end, code) = if src.starts_with("&#x") {
        let end = body(3, char::is_ascii_hexdigit);
        (end, u32::from_str_radix(&src[3..end], 16).ok())
    } else if src.starts_with("&#") {
        let end = body(2, char::is_ascii_digit);
        (end, src[2..end].parse().ok())
    } else {
        let end = body(1, char::is_ascii_alphabetic);
        let named = [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"')];
        (end, named.iter().find(|(name, _)| *name == &src[1..end]).map(|(_, c)| u32::from(*c)))
    };
    match code.filter(|code| *code > 0 && end < 10).and_then(char::from_u32) {
        Some(c) => (c, end + usize::from(src[end..].starts_with(';'))),
        None => ('&', 1),
    }
}

/// The name of a start tag, its argument, and where the text goes on.
fn start_tag(src: &str, begin: usize) -> Result<(String, String, usize), String> {
    let stop = src[begin..].find(|c: char| c.is_ascii_whitespace() || c == '>');
    let mut at = begin + stop.ok_or_else(|| format!("Unclosed start tag at byte offset {begin}"))?;
    let (name, mut argument) = (src[begin + 1..at].to_lowercase(), String::new());
    if kind_of(&name).is_empty() {
        return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
    }
    loop {
        at = src.len() - src[at..].trim_start().len();
        if src[at..].starts_with('>') {
            break;
        }
        let (key, value, end) = attribute(src, at, &name, begin)?;
        argument = match (name.as_str(), key) {
            ("a", "href") | ("tg-emoji", "emoji-id") => value,
            ("code", "class") => value.strip_prefix("language-").map_or(argument, str::to_owned),
            ("span", "class") => value.strip_prefix("tg-").map_or(argument, str::to_owned),
            ("blockquote", "expandable") => key.to_owned(),
            _ => argument,
        };
        at = end;
    }
    if name == "span" && argument != "spoiler" {
        return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
    }
    Ok((name, argument, at + 1))
}

/// An attribute's name, its value, and where it ends.
fn attribute<'a>(src: &'a str, from: usize, tag: &str, begin: usize) -> Result<(&'a str, String, usize), String> {
    let unclosed = || format!("Unclosed start tag at byte offset {begin}");
    let stop = src[from..].find(|c: char| c.is_ascii_whitespace() || "=>/'\"".contains(c));
    let (key, rest) = src[from..].split_at(stop.unwrap_or(src.len() - from));
    if key.is_empty() {
        return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
    }
    let valued = rest.trim_start().strip_prefix('=').map(str::trim_start);
    let at = src.len() - valued.unwrap_or(rest).len();
    match valued.unwrap_or(rest.trim_start()).chars().next() {
        None => Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
        Some(_) if valued.is_none() => Ok((key, String::new(), at)),
        Some(quote @ ('"' | '\'')) => {
            let end = at + 1 + src[at + 1..].find(quote).ok_or_else(unclosed)?;
            src[end + 1..].chars().next().map(|_| (key, decoded(&src[at + 1..end]), end + 1)).ok_or_else(unclosed)
        }
        Some(_) => {
            let end = src[at..].find(|c: char| !c.is_ascii_alphanumeric() && !".-".contains(c)).ok_or_else(unclosed)?;
            match src.as_bytes()[at + end] {
                b'>' | b' ' | b'\t' | b'\r' | b'\n' => Ok((key, src[at..at + end].to_lowercase(), at + end)),
                _ => Err(format!("Unexpected end of name token at byte offset {at}")),
            }
        }
    }
}

/// A text with its `&…;` replaced.
fn decoded(mut src: &str) -> String {
    let mut text = String::new();
    while let Some(next) = src.chars().next() {
        let (c, length) = if next == '&' { character(src) } else { (next, next.len_utf8()) };
        text.push(c);
        src = &src[length..];
    }
    text
}

/// Where the text goes on after an end tag; it must be that of the tag opened last, or of none by name.
fn end_tag(src: &str, begin: usize, open: &str) -> Result<usize, String> {
    let unclosed = || format!("Unclosed end tag at byte offset {begin}");
    let stop = src[begin..].find(|c: char| c.is_ascii_whitespace() || c == '>').ok_or_else(unclosed)?;
    let (name, rest) = (src[begin + 2..begin + stop].to_lowercase(), src[begin + stop..].trim_start());
    let rest = rest.strip_prefix('>').ok_or_else(unclosed)?;
    if !name.is_empty() && name != open {
        return Err(format!("Unmatched end tag at byte offset {begin}, expected \"</{open}>\", found \"</{name}>\""));
    }
    Ok(src.len() - rest.len())
}

fn kind_of(tag: &str) -> &'static str {
    match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "span" | "tg-spoiler" => "spoiler",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        "tg-emoji" => "custom_emoji",
        _ => "",
    }
}

/// Adds the entity of a tag that closes; one without text is none, and neither is a link to nowhere.
fn add_entity(Tag(name, argument, offset, begin): &Tag, text: &str, entities: &mut Vec<Value>) -> Result<(), String> {
    let length = units(&text[*begin..]);
    let mut entity = json!({"type": kind_of(name), "offset": offset, "length": length});
    match name.as_str() {
        _ if length == 0 => return Ok(()),
        "a" => {
            let url = if argument.is_empty() { &text[*begin..] } else { argument };
            let Some(url) = link(url) else { return Ok(()) };
            entity["url"] = json!(url);
        }
        "tg-emoji" if argument.parse::<u64>().is_err() => {
            return Err("Invalid custom emoji identifier specified".to_owned());
        }
        "tg-emoji" => entity["custom_emoji_id"] = json!(argument),
        "blockquote" if argument == "expandable" => entity["type"] = json!("expandable_blockquote"),
        "code" if !argument.is_empty() => {
            let outer = entities.pop_if(|last| last["type"] == "pre" && span_of(last) == span_of(&entity));
            fill(&mut entity, [("language", json!(argument)), ("type", json!(outer.map_or("code", |_| "pre")))]);
        }
        "pre" => {
            let inner = entities.pop_if(|last| last["language"].is_string() && span_of(last) == span_of(&entity));
            fill(&mut entity, inner.map(|inner| ("language", inner["language"].clone())));
        }
        _ => {}
    }
    entities.push(entity);
    Ok(())
}

/// A link as Telegram keeps it; `None` if it drops it (in a text, silently).
pub(super) fn link(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let slash = if path.starts_with('/') { "" } else { "/" };
    match scheme.to_lowercase().as_str() {
        "tg" | "ton" | "tonsite" => Some(url.to_owned()),
        "http" | "https" if host.contains('.') && !url.contains(' ') => Some(format!("{scheme}://{host}{slash}{path}")),
        _ => None,
    }
}
