//! A reply as Telegram messages: HTML with everything escaped, the same in plain words, and an inline keyboard.

use record::reply::{BUTTON_BYTES, Block, Button, Line, Reply, Span, Tone};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

/// The longest message after its entities are parsed (Bot API: 4096), counted in UTF-16 units to be on the safe side.
pub const MAX_UNITS: usize = 4_096;
/// Where we cut: a little below, so that no difference in counting matters.
const CUT_AT: usize = 4_000;
/// How many messages one answer may take; what is beyond is said to be.
pub const ANSWER: usize = 5;
/// How many messages a post may take: two lines of the record (what was said, and what is said now) have 128 Ki units
/// at the most, and no message but the last is cut shorter than half of what it may hold.
pub const POST: usize = 70;
/// How many buttons a keyboard takes, how many stand in a row, and how long a label is: the Bot API names no bound, and the
/// server refuses more.
const BUTTONS: usize = 100;
const ROW: usize = 8;
const LABEL: usize = 60;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In HTML parse mode.
    pub html: String,
    /// The same without any markup, for when Telegram does not take the HTML.
    pub plain: String,
}

/// A reply, dressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Dressed {
    /// Its messages, at least one.
    pub parts: Vec<Part>,
    /// The `reply_markup` of the last one, if it has buttons.
    pub keyboard: Option<Value>,
}

/// A run of text in one style.
struct Run {
    text: String,
    style: Style,
}

#[derive(Clone, PartialEq)]
enum Style {
    Plain,
    Strong,
    Soft,
    Struck,
    Code,
    Link(String),
}

/// Dresses a reply in at most so many messages; `more` is said in the last one if not all of it fits.
pub fn dress(reply: &Reply, most: usize, more: &str) -> Dressed {
    let mut parts = cut(runs(reply));
    if parts.len() > most.max(1) {
        parts.truncate(most.max(1));
        if let Some(last) = parts.last_mut() {
            last.html += &format!("\n<i>{}</i>", escaped(more));
            last.plain += &format!("\n{more}");
        }
    }
    if parts.is_empty() {
        parts.push(Part { html: "…".to_owned(), plain: "…".to_owned() });
    }
    Dressed { parts, keyboard: keyboard(reply) }
}

/// The words alone, cut to a length in UTF-16 units: for notices above a button (Bot API: 200).
pub fn notice(reply: &Reply, units: usize) -> String {
    let text: String = runs(reply).into_iter().map(|run| run.text).collect();
    shortened(text.trim(), units)
}

/// The buttons that Telegram takes; a row that is too long goes on in the next.
fn keyboard(reply: &Reply) -> Option<Value> {
    let (mut rows, mut room): (Vec<Vec<Value>>, usize) = (Vec::new(), BUTTONS);
    for row in &reply.buttons {
        let fits = row.iter().filter(|button| (1..=BUTTON_BYTES).contains(&button.line.len()));
        let buttons: Vec<Value> = fits.take(room).map(button).collect();
        room -= buttons.len();
        rows.extend(buttons.chunks(ROW).map(<[Value]>::to_vec));
    }
    (!rows.is_empty()).then(|| json!({ "inline_keyboard": rows }))
}

/// A button without words is refused, and so would be the whole message.
fn button(button: &Button) -> Value {
    let label = shortened(clean(&button.label).replace('\n', " ").trim(), LABEL);
    json!({ "text": if label.is_empty() { "…" } else { &label }, "callback_data": button.line })
}

/// The reply as runs, its blocks apart.
fn runs(reply: &Reply) -> Vec<Run> {
    let mut runs = Runs(Vec::new());
    if !reply.title.is_empty() {
        runs.plain(mark(reply.tone));
        runs.line(&reply.title, Style::Strong);
    }
    for (at, block) in reply.blocks.iter().enumerate() {
        let note_below_title = at == 0 && matches!(block, Block::Note(_));
        runs.plain(match (runs.0.is_empty(), note_below_title) {
            (true, _) => "",
            (false, true) => "\n",
            (false, false) => "\n\n",
        });
        match block {
            Block::Heading(line) => runs.line(line, Style::Strong),
            Block::Text(line) => runs.line(line, Style::Plain),
            Block::Note(line) => runs.line(line, Style::Soft),
            Block::Item(item) => {
                runs.line(&item.head, Style::Plain);
                for line in &item.body {
                    runs.plain("\n");
                    runs.line(line, Style::Plain);
                }
            }
        }
    }
    runs.0
}

/// A colour for the state; the words say it too.
fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain | Tone::Polite => "",
        Tone::Good => "🟢 ",
        Tone::Watch => "🟠 ",
        Tone::Alarm => "🔴 ",
    }
}

struct Runs(Vec<Run>);

impl Runs {
    fn plain(&mut self, text: &str) {
        self.push(text.to_owned(), Style::Plain);
    }

    fn push(&mut self, text: String, style: Style) {
        if !text.is_empty() {
            self.0.push(Run { text, style });
        }
    }

    fn line(&mut self, line: &Line, ground: Style) {
        for span in &line.0 {
            match span {
                Span::Text(text) => self.push(clean(text), ground.clone()),
                Span::Strong(text) | Span::Time { text, .. } => self.push(clean(text), Style::Strong),
                Span::Soft(text) => self.push(clean(text), Style::Soft),
                Span::Struck(text) => self.push(clean(text), Style::Struck),
                Span::Code(text) => self.push(clean(text), Style::Code),
                Span::Cite { number, link: Some(link) } => {
                    self.push(format!("[{number}]"), Style::Link(link.to_string()))
                }
                Span::Cite { number, link: None } => self.push(format!("[{number}]"), Style::Plain),
                Span::Link { text, link } => self.push(clean(text), Style::Link(link.to_string())),
            }
        }
    }
}

/// Cuts runs into messages: at the last line end or blank that fits, else between two graphemes.
fn cut(runs: Vec<Run>) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut part, mut units) = (Part { html: String::new(), plain: String::new() }, 0);
    for Run { text, style } in runs {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (head, tail) = split(rest, CUT_AT - units);
            if !head.is_empty() {
                add(&mut part, head, &style);
                units += head.encode_utf16().count();
            }
            rest = tail;
            if !rest.is_empty() {
                finish(&mut parts, &mut part);
                units = 0;
                rest = rest.trim_start_matches(['\n', ' ']);
            }
        }
    }
    finish(&mut parts, &mut part);
    parts
}

fn finish(parts: &mut Vec<Part>, part: &mut Part) {
    let done = std::mem::replace(part, Part { html: String::new(), plain: String::new() });
    if !done.plain.trim().is_empty() {
        parts.push(done);
    }
}

/// The longest beginning within `units`, and the rest. An empty beginning means: begin a new message.
fn split(text: &str, units: usize) -> (&str, &str) {
    if text.encode_utf16().count() <= units {
        return (text, "");
    }
    let (mut used, mut hard, mut soft, mut full) = (0, 0, None, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.encode_utf16().count();
        if used > units {
            break;
        }
        hard = at + grapheme.len();
        if grapheme.trim().is_empty() {
            soft = Some(hard);
            if grapheme.contains('\n') || text[..at].ends_with(['.', '!', '?', '…', ';', ':']) {
                full = hard;
            }
        }
    }
    // Behind a sentence, if one ends in the second half.
    let soft = if full * 2 > hard { Some(full) } else { soft };
    let at = soft.filter(|soft| *soft * 2 > hard).unwrap_or(if units < CUT_AT / 2 { soft.unwrap_or(0) } else { hard });
    // One grapheme longer than a message (thousands of combining marks) is cut between its characters.
    let at = if at == 0 && units == CUT_AT { longest_chars(text, units) } else { at };
    text.split_at(at)
}

fn longest_chars(text: &str, units: usize) -> usize {
    let mut used = 0;
    text.char_indices()
        .find(|(_, c)| {
            used += c.len_utf16();
            used > units
        })
        .map_or(text.len(), |(at, _)| at)
}

fn add(part: &mut Part, text: &str, style: &Style) {
    part.plain.push_str(text);
    let safe = escaped(text);
    part.html += &match style {
        Style::Plain => safe,
        Style::Strong => format!("<b>{safe}</b>"),
        Style::Soft => format!("<i>{safe}</i>"),
        Style::Struck => format!("<s>{safe}</s>"),
        Style::Code => format!("<code>{safe}</code>"),
        Style::Link(link) => format!("<a href=\"{}\">{safe}</a>", escaped(link)),
    };
}

/// For HTML parse mode, in text and in quoted attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Without control characters and without overrides of the writing direction, which would turn our own words around.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')))
        .collect()
}

fn shortened(text: &str, units: usize) -> String {
    if text.encode_utf16().count() <= units {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for grapheme in text.graphemes(true) {
        used += grapheme.encode_utf16().count();
        if used > units {
            break;
        }
        short.push_str(grapheme);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_recorded_becomes_markup_or_grows_too_long() {
        let piece = "<b>&amp; *x* @everyone <script> \"q\" 👩‍👩‍👧‍👦 e\u{301} שלום \u{202e}x ";
        let text: String = piece.chars().cycle().take(5_000).collect();
        let dressed = dress(&Reply::titled("t").say(Line::new().strong(&text)).say(text.as_str()), ANSWER, "more");
        assert!(dressed.parts.len() >= 3);
        for part in &dressed.parts {
            assert!(part.plain.encode_utf16().count() <= MAX_UNITS);
            assert!(!part.html.contains("<script>") && !part.html.contains('\u{202e}'));
        }
        let all: String = dressed.parts.iter().map(|part| part.plain.as_str()).collect();
        assert_eq!(all.matches("@everyone").count(), 2 * text.matches("@everyone").count(), "nothing is lost");
    }

    #[test]
    fn one_endless_word_and_one_endless_grapheme_are_cut() {
        for text in ["x".repeat(9_000), format!("e{}", "\u{301}".repeat(9_000))] {
            let dressed = dress(&Reply::default().say(text.as_str()), ANSWER, "more");
            assert_eq!(dressed.parts.len(), 3);
            assert_eq!(
                dressed.parts.iter().map(|part| part.plain.chars().count()).sum::<usize>(),
                text.chars().count()
            );
        }
    }

    #[test]
    fn a_post_holds_whatever_the_record_can_hold() {
        let longest = "👩‍👩‍👧‍👦".chars().cycle().take(record::lang::Prose::MAX_CHARS).collect::<String>();
        let line = Line::new().struck(&longest).text("\n").text(&longest);
        let dressed = dress(&Reply::titled("t").say(line), POST, "more");
        let all: String = dressed.parts.iter().map(|part| part.plain.as_str()).collect();
        assert_eq!(all.matches('👦').count(), 2 * longest.matches('👦').count(), "nothing is lost");
        assert!(dressed.parts.iter().all(|part| part.plain.encode_utf16().count() <= CUT_AT));
    }

    #[test]
    fn what_does_not_fit_is_said_to_be_left_out() {
        let dressed = dress(&Reply::default().say("x ".repeat(5_000)), 2, "more");
        assert_eq!(dressed.parts.len(), 2);
        assert!(dressed.parts[1].html.ends_with("\n<i>more</i>") && dressed.parts[1].plain.ends_with("\nmore"));
    }

    #[test]
    fn buttons_are_those_that_telegram_takes() {
        let row =
            |label: &str, count| (0..count).filter_map(|at| Button::new(label, format!("/x {at}"))).collect::<Vec<_>>();
        let reply = Reply::default().row(row("\u{202e}\u{7}", 1)).row(row("a\nb\0", 9)).row(row("c", 99));
        let keyboard = keyboard(&reply).expect("a keyboard");
        let rows: Vec<&Vec<Value>> = keyboard["inline_keyboard"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row.as_array().expect("a row"))
            .collect();
        assert_eq!(rows[0][0]["text"], "…");
        assert_eq!((rows[1].len(), rows[2].len(), &rows[2][0]["text"]), (8, 1, &json!("a b")));
        assert_eq!(rows.iter().map(|row| row.len()).sum::<usize>(), BUTTONS);
    }

    #[test]
    fn a_notice_is_short() {
        let reply = Reply::personal(Tone::Polite, "è".repeat(500));
        assert_eq!(notice(&reply, 200).encode_utf16().count(), 200);
    }
}
