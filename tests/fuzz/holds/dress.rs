//! What must hold of every reply in every dress: nothing beyond what a platform takes, and nothing in it that obeys
//! somebody else than us.

use record::{export, lang::Lang, reply::Reply};
use serde_json::Value;
use strillone::{console, discord, telegram};

/// Dresses a reply for every door.
pub fn sound(reply: &Reply, lang: Lang) {
    on_telegram(reply, lang);
    on_discord(reply, lang);
    let plain = console::dress(reply, lang, &console::Look::plain());
    assert!(!plain.contains(steers), "{plain:?}");
    in_colours(&console::dress(reply, lang, &console::Look::of(60)));
    in_a_document(&export::markdown_of(reply, 2));
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A letter that steers what shows it, or turns the writing of others around.
fn steers(letter: char) -> bool {
    (letter.is_control() && letter != '\n') || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bot API: 4,096 UTF-16 units after entities are parsed, 100 entities of 9,500 bytes in all, 32,768 bytes of HTML;
/// `callback_data` of 1 to 64 bytes; 100 buttons.
fn on_telegram(reply: &Reply, lang: Lang) {
    let [answer, posts] = [telegram::answer(reply, lang), telegram::posts(reply)];
    let within = telegram::within(reply, 2, &"more".into());
    assert!(!answer.is_empty() && !posts.is_empty() && (1..=2).contains(&within.len()));
    let inline = telegram::inline(reply, &"more".into());
    assert!(units(&inline.plain) <= 1_000 && inline.keyboard.is_none());
    for part in answer.iter().chain(&posts).chain(&within).chain([&inline]) {
        assert!((1..=4_096).contains(&units(&part.plain)) && !part.plain.trim().is_empty(), "{:?}", part.plain);
        assert!(!part.plain.contains(steers), "{:?}", part.plain);
        // Plain words have joiners where Telegram would make a link or a mention of them.
        let unjoined = |words: &str| words.replace('\u{2060}', "");
        assert_eq!(unjoined(&words_of_html(&part.html)), unjoined(&part.plain));
        let links: usize = part.html.split("href=\"").skip(1).map(|it| it.find('"').unwrap_or(0) + 8).sum();
        let entities = part.html.matches("</").count();
        assert!(entities <= 100 && entities * 12 + links <= 9_500 && part.html.len() <= 32_768, "{}", part.html);
        on_keyboard(part);
    }
}

fn on_keyboard(dressed: &telegram::Part) {
    let Some(keyboard) = &dressed.keyboard else { return };
    let rows = keyboard["inline_keyboard"].as_array().expect("rows");
    let buttons: Vec<&Value> = rows.iter().flat_map(|row| row.as_array().expect("a row")).collect();
    assert!(
        (1..=100).contains(&buttons.len()) && rows.iter().all(|row| (1..=8).contains(&row.as_array().unwrap().len()))
    );
    for button in buttons {
        let (text, data) = (button["text"].as_str().expect("a text"), button["callback_data"].as_str().expect("data"));
        assert!(!text.trim().is_empty() && units(text) <= 64 && !text.contains(steers), "{text:?}");
        assert!((1..=64).contains(&data.len()), "{data:?}");
    }
}

/// What Telegram shows of HTML; panics where it would refuse it, or where there is a tag that is not ours.
fn words_of_html(html: &str) -> String {
    let (mut words, mut open, mut rest) = (String::new(), Vec::new(), html);
    while let Some(letter) = rest.chars().next() {
        match letter {
            '<' => {
                let (tag, after) = rest[1..].split_once('>').unwrap_or_else(|| panic!("a tag without an end: {html}"));
                match tag.strip_prefix('/') {
                    Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{html}"),
                    None => {
                        let (name, attribute) = tag.split_once(' ').unwrap_or((tag, ""));
                        let link = attribute.strip_prefix("href=\"http").and_then(|it| it.strip_suffix('"'));
                        assert!(!link.is_some_and(|it| it.contains(['"', '<'])), "{html}");
                        assert!(matches!((name, link), ("b" | "i" | "s" | "code", None) | ("a", Some(_))), "{html}");
                        assert!(link.is_some() || attribute.is_empty(), "{html}");
                        open.push(name.to_owned());
                    }
                }
                rest = after;
            }
            '&' => {
                let (name, after) = rest[1..].split_once(';').unwrap_or_else(|| panic!("a bare &: {html}"));
                words.push(match name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    other => panic!("&{other}; in {html}"),
                });
                rest = after;
            }
            other => {
                assert!(other != '>', "{html}");
                words.push(other);
                rest = &rest[other.len_utf8()..];
            }
        }
    }
    assert!(open.is_empty(), "{html}");
    words
}

/// Discord: 6,000 in all embeds, 256 a title, 4,096 a description, 10 embeds; 2,000 without; 5 rows of 5 buttons, each with
/// a label of 1 to 80 and an id of its own of 1 to 100.
fn on_discord(reply: &Reply, lang: Lang) {
    let posts = discord::posts(reply, lang);
    assert!(!posts.is_empty());
    let pages = discord::pages(reply, lang);
    let cut = posts.iter().chain(&pages).flat_map(|page| [discord::dress(page, lang), discord::plain(page, lang)]);
    for message in [discord::dress(reply, lang), discord::plain(reply, lang)].into_iter().chain(cut) {
        assert_eq!(message["allowed_mentions"]["parse"], serde_json::json!([]), "nobody is called");
        let embeds = message["embeds"].as_array().expect("embeds");
        let mut all = 0;
        for embed in embeds {
            let of = |path: &str| embed.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let (title, text, footer) = (of("/title"), of("/description"), of("/footer/text"));
            assert!(units(title) <= 256 && units(text) <= 4_096 && units(footer) <= 2_048);
            assert!(!(title.trim().is_empty() && text.trim().is_empty()), "an embed without words: {message}");
            all += units(title) + units(text) + units(footer);
            // A footer is shown as it stands.
            assert!(!footer.contains(steers), "{footer:?}");
            [title, text].into_iter().for_each(obeys_nobody);
        }
        assert!(embeds.len() <= 10 && all <= 6_000, "{all}");
        if let Some(content) = message.get("content").and_then(Value::as_str) {
            assert!((1..=2_000).contains(&units(content)) && !content.trim().is_empty(), "{content:?}");
            // The last line is the mark by which we find our own posts again.
            let mark = reply.mark.as_ref().map(|mark| format!("\n-# {mark}")).unwrap_or_default();
            obeys_nobody(content.strip_suffix(&mark).expect("a mark"));
        }
        let rows = message["components"].as_array().expect("rows");
        let mut ids = std::collections::BTreeSet::new();
        assert!(rows.len() <= 5);
        for row in rows {
            let buttons = row["components"].as_array().expect("buttons");
            assert!((1..=5).contains(&buttons.len()));
            for button in buttons {
                let (label, id) =
                    (button["label"].as_str().expect("a label"), button["custom_id"].as_str().expect("an id"));
                assert!(!label.trim().is_empty() && units(label) <= 80 && !label.contains(steers), "{label:?}");
                assert!((1..=100).contains(&units(id)) && ids.insert(id), "{id:?}");
            }
        }
    }
}

/// That in Discord's markdown nothing is left that we did not write: what we write is taken out first.
fn obeys_nobody(text: &str) {
    assert!(!text.contains(steers), "{text:?}");
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_prefix("-# ").unwrap_or(line)).collect();
    for line in &lines {
        let begins = line.trim_start();
        let digits = begins.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let list = begins.starts_with("- ") || begins.starts_with("+ ") || begins == "-" || begins.starts_with("-# ");
        assert!(!list, "a list that nobody wrote: {text:?}");
        let numbered = digits.len() < begins.len() && (digits.starts_with(". ") || digits.starts_with(") "));
        assert!(!numbered, "a numbered list that nobody wrote: {text:?}");
    }
    let all = lines.join("\n");
    let (mut rest, mut bold, mut struck) = (all.as_str(), false, false);
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = match letter {
            '\\' => after.strip_prefix(|_: char| true).unwrap_or(after),
            '`' => after.split_once('`').unwrap_or_else(|| panic!("code without an end: {text:?}")).1,
            '*' => {
                bold = !bold;
                after.strip_prefix('*').unwrap_or_else(|| panic!("a lone star: {text:?}"))
            }
            '~' => {
                struck = !struck;
                after.strip_prefix('~').unwrap_or_else(|| panic!("a lone tilde: {text:?}"))
            }
            '<' => {
                let (inside, after) = after.split_once('>').unwrap_or_else(|| panic!("a bare <: {text:?}"));
                let moment =
                    inside.strip_prefix("t:").is_some_and(|it| it.trim_end_matches(":f").parse::<i64>().is_ok());
                let link = inside.starts_with("http") && !inside.contains(|it: char| it.is_whitespace() || it == '<');
                assert!(moment || link, "<{inside}> in {text:?}");
                after
            }
            // Our links: `[words](<address>)`, and `[[1]](<address>)`.
            '[' => match after.strip_prefix('[') {
                Some(cite) => {
                    let (number, after) = cite.split_once("]](").unwrap_or_else(|| panic!("a bare [[: {text:?}"));
                    assert!(number.parse::<u32>().is_ok(), "{text:?}");
                    after
                }
                None => after,
            },
            ']' => after.strip_prefix('(').unwrap_or_else(|| panic!("a bare ]: {text:?}")),
            '@' | '#' | '|' | '_' | '>' => panic!("a bare {letter}: {text:?}"),
            _ => after,
        };
    }
    assert!(!bold && !struck, "marks without an end: {text:?}");
}

/// A terminal: our own colours, and nothing else that steers.
fn in_colours(text: &str) {
    let mut parts = text.split("\x1b[");
    let bare = |part: &str| assert!(!part.contains(steers), "{text:?}");
    bare(parts.next().unwrap_or_default());
    for part in parts {
        let (colour, words) = part.split_once('m').unwrap_or_else(|| panic!("{text:?}"));
        assert!(colour.chars().all(|it| it.is_ascii_digit() || it == ';'), "{text:?}");
        bare(words);
    }
}

/// A document in Markdown: no markup but ours, so no tag at all.
fn in_a_document(text: &str) {
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = match letter {
            '\\' => after.strip_prefix(|_: char| true).unwrap_or(after),
            '<' => {
                let (inside, after) = after.split_once('>').unwrap_or_else(|| panic!("a bare <: {text:?}"));
                assert!(inside.starts_with("http") && !inside.contains('<'), "<{inside}>");
                after
            }
            '`' | '|' => panic!("a bare {letter}: {text:?}"),
            _ => after,
        };
    }
    assert!(!text.contains(steers), "{text:?}");
}
