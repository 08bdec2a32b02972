//! What Telegram refuses of keyboards, inline results and lists of commands.

use super::*;

/// A reply markup, checked; an empty keyboard is none.
pub(super) fn markup(p: &Value) -> Done {
    let markup = opened(p, "reply_markup");
    let words = "field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array";
    let mut count = 0;
    match &markup["inline_keyboard"] {
        Value::Array(rows) => {
            for row in rows {
                for button in row.as_array().ok_or_else(|| bad(&format!("{words} of Arrays")))? {
                    check_button(button)?;
                    count += 1;
                }
            }
        }
        Value::Null if markup.is_null() || markup.is_object() => return Ok(markup),
        Value::Null => return Err(bad("object expected as reply markup")),
        _ => return Err(bad(words)),
    }
    match count {
        0 => Ok(Value::Null),
        1..=100 => Ok(markup),
        _ => Err(bad("reply markup is too long")),
    }
}

pub(super) fn check_button(button: &Value) -> Result<(), Refusal> {
    let acts = "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat \
                switch_inline_query_chosen_chat copy_text callback_game pay";
    let cannot = |why: &str| bad(&format!("can't parse inline keyboard button: {why}"));
    let fields = button.as_object().ok_or_else(|| cannot("InlineKeyboardButton must be an Object"))?;
    let label = fields.get("text").ok_or_else(|| cannot("Can't find field \"text\""))?;
    let acts: Vec<&str> = acts.split_whitespace().filter(|act| fields.contains_key(*act)).collect();
    match (acts.as_slice(), text(button, "callback_data"), text(button, "url")) {
        _ if !label.is_string() => Err(cannot("Field \"text\" must be of type String")),
        _ if label == "" => Err(bad("inline keyboard button text must be non-empty")),
        (["callback_data"], data, _) if data.len() > 64 => Err(bad("BUTTON_DATA_INVALID")),
        (["callback_data"], data, _) if !data.is_empty() => Ok(()),
        ([] | ["callback_data"], ..) => Err(cannot("Text buttons are unallowed in the inline keyboard")),
        (["url"], _, url) if link(&url).is_none() => {
            Err(bad(&format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")))
        }
        ([_], ..) => Ok(()),
        _ => Err(bad("BUTTON_TYPE_INVALID")),
    }
}

/// The results of an inline query: of articles also the message they send; of other kinds this Telegram knows none.
pub(super) fn results(p: &Value) -> Result<(), Refusal> {
    let (all, mut ids) = (opened(p, "results"), BTreeSet::new());
    for result in all.as_array().ok_or_else(|| bad("expected an Array of inline query results"))? {
        let id = text(result, "id");
        let content = &result["input_message_content"];
        match id.len() {
            _ if items(&all).len() > 50 => return Err(bad("RESULTS_TOO_MUCH")),
            1..=64 if result["type"] != "article" => return Err(bad("RESULT_TYPE_INVALID")),
            1..=64 if ids.contains(&id) => return Err(bad("RESULT_ID_DUPLICATE")),
            1..=64 if text(result, "title").is_empty() => return Err(bad("ARTICLE_TITLE_EMPTY")),
            1..=64 => ids.insert(id),
            _ => return Err(bad("RESULT_ID_INVALID")),
        };
        formatted(content, "message_text", "MESSAGE_TOO_LONG").and_then(|_| markup(result))?;
    }
    if text(p, "next_offset").len() > 64 { Err(bad("NEXT_OFFSET_INVALID")) } else { Ok(()) }
}

/// A list of commands as `setMyCommands` takes it.
pub(super) fn listed(commands: &Value) -> Done {
    let all = commands.as_array().ok_or_else(|| bad("expected an Array of BotCommand"))?;
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    for each in all {
        let (name, about) = (text(each, "command"), units(&text(each, "description")));
        match name.len() {
            _ if all.len() > 100 => return Err(bad("BOT_COMMANDS_TOO_MUCH")),
            1..=32 if !name.bytes().all(letter) => return Err(bad("BOT_COMMAND_INVALID")),
            1..=32 if !(1..=256).contains(&about) => return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID")),
            1..=32 => {}
            _ => return Err(bad("BOT_COMMAND_INVALID")),
        }
    }
    Ok(commands.clone())
}
