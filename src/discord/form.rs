//! Forms as Discord has them, and what is made of a message that somebody picks.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use commands::kit::form::{Form, LABEL, most};
use record::{
    lang::{Lang, Text},
    link::Link,
    pages::quoted,
};
use serde_json::{Value, json};
use serenity::all::{GuildId, Message};

/// What a field of a form can hold, in characters.
const FIELD: usize = 4_000;

/// Something that can be done with a message, and the command that does it.
pub struct Menu {
    /// As Discord lists it: at most 32 characters.
    pub name: Text,
    makes: Makes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Makes {
    Event,
    Source,
}

/// What can be done with a message.
pub static MENUS: [Menu; 2] = [
    Menu { name: Text { en: "Add to incident", it: "Aggiungi a un incidente" }, makes: Makes::Event },
    Menu { name: Text { en: "Add as source", it: "Aggiungi come fonte" }, makes: Makes::Source },
];

/// A message of which something is to be made.
pub struct Picked {
    makes: Makes,
    at: DateTime<Utc>,
    text: String,
    /// The first address in it.
    link: Option<Link>,
    /// The title of the page there, as Discord shows it.
    title: Option<String>,
    /// The address of the message itself.
    here: String,
    /// Whether something is attached, whose address would end.
    pub attached: bool,
}

impl Picked {
    /// What is to be made of a message.
    pub fn of(menu: &Menu, message: &Message, guild: Option<GuildId>) -> Picked {
        let place = guild.map_or_else(|| "@me".to_owned(), |guild| guild.to_string());
        let link = first_link(&message.content);
        let is_there = |url: &str| url.parse::<Link>().ok().is_some_and(|url| Some(&url) == link.as_ref());
        let page = message.embeds.iter().find(|embed| embed.url.as_deref().is_some_and(is_there));
        Picked {
            makes: menu.makes,
            at: *message.timestamp,
            text: message.content.clone(),
            title: page.and_then(|page| page.title.clone()),
            link,
            here: format!("https://discord.com/channels/{place}/{}/{}", message.channel_id, message.id),
            attached: !message.attachments.is_empty(),
        }
    }

    /// The line that it makes, on the clock of `zone`: everything but the incident.
    pub fn line(&self, zone: Tz) -> String {
        let at = self.at.with_timezone(&zone);
        let link = self.link.as_ref().map_or(self.here.as_str(), Link::as_str);
        let host = link.parse::<Link>().map(|link| link.host().to_owned()).unwrap_or_default();
        let (command, values) = match self.makes {
            Makes::Event => {
                let when = at.format("%Y-%m-%dT%H:%M").to_string();
                ("event", vec![("when", when), ("text", cut(&self.text, FIELD)), ("link", link.to_owned())])
            }
            Makes::Source => {
                let title = cut(self.title.as_deref().unwrap_or_default(), most(commands::kit::Shape::Name));
                // When a page came out that a message leads to, the message does not tell.
                let date = if self.link.is_none() { at.format("%Y-%m-%d").to_string() } else { String::new() };
                let values = [("link", link.to_owned()), ("publisher", host), ("title", title), ("date", date)];
                ("source", values.to_vec())
            }
        };
        let given = values.into_iter().filter(|(_, value)| !value.trim().is_empty());
        given.fold(format!("/{command}"), |line, (name, value)| format!("{line} {name}:{}", quoted(value.trim())))
    }
}

/// The first `https` address in a text, without what stands around it.
fn first_link(text: &str) -> Option<Link> {
    let starts = text.match_indices("https://").map(|(at, _)| &text[at..]);
    starts.into_iter().find_map(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '|')).unwrap_or(rest.len());
        let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~', '\'', '»', '”']);
        let url = if url.contains('(') { url } else { url.split(')').next().unwrap_or_default() };
        url.parse().ok()
    })
}

fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A form as Discord shows it; none where it cannot hold what stands there already.
pub fn modal(form: &Form, attached: bool, lang: Lang) -> Option<Value> {
    if form.fields.iter().any(|field| field.value.chars().count() > FIELD.min(field.max)) {
        return None;
    }
    let rows: Vec<Value> = form
        .fields
        .iter()
        .map(|field| {
            let label = match field.name == "link" && attached {
                true => lang.pick("Link (attachments are not kept)", "Link (gli allegati non si conservano)"),
                false => &field.label,
            };
            let mut input = json!({
                "type": 4,
                "custom_id": field.name,
                "label": cut(label, LABEL),
                "placeholder": cut(&field.hint, 100),
                "style": if field.long { 2 } else { 1 },
                "required": field.required,
                "max_length": field.max.min(FIELD),
            });
            if !field.value.is_empty() {
                input["value"] = json!(field.value);
            }
            json!({ "type": 1, "components": [input] })
        })
        .collect();
    Some(json!({ "custom_id": form.line, "title": cut(&form.title, LABEL), "components": rows }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(makes: Makes, text: &str) -> Picked {
        let at = "2023-12-08T04:30:59Z".parse().expect("a moment");
        let here = "https://chat.example/channels/1/2/3".to_owned();
        Picked { makes, at, text: text.to_owned(), link: first_link(text), title: None, here, attached: false }
    }

    #[test]
    fn the_first_address_of_a_message_is_found_without_what_stands_around_it() {
        for (text, link) in [
            ("see https://a.example/x, and https://b.example", Some("https://a.example/x")),
            ("(https://a.example/x).", Some("https://a.example/x")),
            ("[it](https://a.example/x) is", Some("https://a.example/x")),
            ("<https://a.example/x>", Some("https://a.example/x")),
            ("https://a.example/x_(y)", Some("https://a.example/x_(y)")),
            ("**https://a.example/x**", Some("https://a.example/x")),
            ("https:// https://b.example/y", Some("https://b.example/y")),
            ("http://a.example only", None),
        ] {
            assert_eq!(first_link(text).as_ref().map(Link::as_str), link, "{text}");
        }
    }

    #[test]
    fn a_message_makes_a_line_that_lacks_the_incident() {
        let event = picked(Makes::Event, "It is \"down\":\nhttps://a.example/x").line(Tz::Europe__Rome);
        let expected = "/event when:2023-12-08T05:30 text:\"It is \\\"down\\\":\nhttps://a.example/x\" link:\"https://a.example/x\"";
        assert_eq!(event, expected);
        let bare = picked(Makes::Event, "").line(Tz::UTC);
        assert_eq!(bare, "/event when:2023-12-08T04:30 link:\"https://chat.example/channels/1/2/3\"");
        let source = picked(Makes::Source, "https://a.example/x").line(Tz::UTC);
        assert_eq!(source, "/source link:\"https://a.example/x\" publisher:a.example");
        let source = picked(Makes::Source, "nothing").line(Tz::UTC);
        assert!(source.ends_with("publisher:chat.example date:2023-12-08"), "{source}");
        let long = picked(Makes::Event, &"è".repeat(5_000)).line(Tz::UTC);
        assert_eq!(long.matches('è').count(), FIELD - 1);
    }
}
