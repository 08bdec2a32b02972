//! A reply as Telegram messages: HTML with everything escaped, the same in plain words, and an inline keyboard.

mod defuse;

pub use defuse::undone;

use std::collections::BTreeSet;

use record::{
    lang::Lang,
    link::Link,
    parts,
    reply::{BUTTON_BYTES, Block, Button, Line, Reply, Span, Tone},
};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

/// What one message may hold.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// UTF-16 units after the entities are parsed (Bot API: 4,096 characters).
    units: usize,
    /// Entities: what comes after the 100th is dropped without a word, those that Telegram finds by itself included.
    entities: usize,
    /// Bytes of entities as TDLib sends them; the server refuses more than about 9,500.
    bytes: usize,
    /// Bytes of HTML: the Bot API server refuses more than 32,768 before it parses them.
    raw: usize,
}

/// Everywhere a little below the limit, so that no difference in counting matters.
const MESSAGE: Budget = Budget { units: 4_000, entities: 95, bytes: 8_600, raw: 30_000 };
/// What is offered inline is short.
const INLINE: Budget = Budget { units: 900, entities: 30, bytes: 3_000, raw: 8_000 };
/// The longest address that is shown whole; of longer ones the beginning is, and the link leads there.
const ADDRESS: usize = 120;
/// How many buttons a keyboard takes, how many stand in a row, and how long a label is: the Bot API names no bound, and the
/// server refuses more.
const BUTTONS: usize = 100;
const ROW: usize = 8;
const LABEL: usize = 60;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// In HTML parse mode.
    pub html: String,
    /// The same without any markup, for when Telegram does not take the HTML.
    pub plain: String,
    /// Its `reply_markup`, if it has buttons.
    pub keyboard: Option<Value>,
}

impl Part {
    /// A message of some words.
    pub fn of(words: &str) -> Part {
        Part { html: escaped(words), plain: words.to_owned(), keyboard: None }
    }
}

/// The messages of an answer: one, if the rest can be reached by its buttons. At least one.
pub fn answer(reply: &Reply, lang: Lang) -> Vec<Part> {
    parts::answer(reply, lang, |page| fits(page, MESSAGE)).iter().map(dress).collect()
}

/// The messages of a post.
pub fn posts(reply: &Reply) -> Vec<Part> {
    parts::messages(reply, |page| fits(page, MESSAGE)).iter().map(dress).collect()
}

/// A post as at most `most` messages. If it needs more, the last message ends with `rest`, which says so.
pub fn within(reply: &Reply, most: usize, rest: &Line) -> Vec<Part> {
    parts::within(reply, most.max(1), rest, |page| fits(page, MESSAGE)).iter().map(dress).collect()
}

/// A short form of a reply, without buttons; where it is not all, it ends in `rest`.
pub fn inline(reply: &Reply, rest: &Line) -> Part {
    let bare = Reply { buttons: Vec::new(), ..reply.clone() };
    let mut short = parts::within(&bare, 1, rest, |page| fits(page, INLINE));
    short.truncate(1);
    short.first().map_or_else(|| Part::of(&rest.plain()), dress)
}

/// A name on one line, cut to a length in UTF-16 units; never empty.
pub fn name(text: &str, units: usize) -> String {
    let name = shortened(clean(text).replace('\n', " ").trim(), units);
    if name.is_empty() { "…".to_owned() } else { name }
}

fn fits(page: &Reply, budget: Budget) -> bool {
    let said = said(page);
    let (mut units, mut entities, mut bytes) = (0, 0, 0);
    for run in &said {
        units += run.text.encode_utf16().count();
        if let Some(size) = run.style.size() {
            (entities, bytes) = (entities + 1, bytes + size);
        }
        entities += defuse::left(&run.text);
    }
    if units > budget.units || entities > budget.entities || bytes > budget.bytes {
        // Most of what does not fit is much too long: it is not dressed.
        return false;
    }
    let (marked, plain) = (marked(&said), plain(&said));
    let raw: usize = marked.iter().map(|run| run.html().len()).sum();
    units = marked.iter().map(|run| run.text.encode_utf16().count()).sum();
    units.max(plain.encode_utf16().count()) <= budget.units && raw <= budget.raw
}

fn dress(page: &Reply) -> Part {
    let said = said(page);
    let mut html: String = marked(&said).iter().map(Run::html).collect();
    let mut plain = plain(&said);
    if plain.trim().is_empty() {
        (html, plain) = ("…".to_owned(), "…".to_owned());
    }
    Part { html, plain, keyboard: keyboard(page) }
}

/// A run of text in one style.
#[derive(Clone)]
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

impl Style {
    /// What an entity of it counts, in bytes: a number for its kind, two for its place, and an address with its length,
    /// filled up to whole words.
    fn size(&self) -> Option<usize> {
        match self {
            Style::Plain => None,
            Style::Link(link) => Some(12 + (link.len() + 4).next_multiple_of(4)),
            _ => Some(12),
        }
    }
}

impl Run {
    fn html(&self) -> String {
        let safe = escaped(&self.text);
        match &self.style {
            Style::Plain => safe,
            Style::Strong => format!("<b>{safe}</b>"),
            Style::Soft => format!("<i>{safe}</i>"),
            Style::Struck => format!("<s>{safe}</s>"),
            Style::Code => format!("<code>{safe}</code>"),
            Style::Link(link) => format!("<a href=\"{}\">{safe}</a>", escaped(link)),
        }
    }
}

/// The words alone, cut to a length in UTF-16 units, for notices above a button (Bot API: 200); and whether that is all.
pub fn notice(reply: &Reply, units: usize) -> (String, bool) {
    // Nothing is made a link there.
    let text: String = said(reply).into_iter().map(|run| run.text).collect();
    let short = shortened(text.trim(), units);
    let whole = short == text.trim();
    (short, whole)
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
    json!({ "text": name(&button.label, LABEL), "callback_data": button.line })
}

/// The runs, in which Telegram finds nothing by itself: it does not look into code, nor into the names of links.
fn marked(said: &[Run]) -> Vec<Run> {
    let mut runs = said.to_vec();
    defuse::all(&mut runs, |run| matches!(run.style, Style::Code | Style::Link(_)));
    runs
}

/// The words alone, in which Telegram finds nothing but what we say to be typed, and addresses that a link shows.
fn plain(said: &[Run]) -> String {
    let mut runs = said.to_vec();
    defuse::all(&mut runs, |run| match &run.style {
        Style::Link(link) => run.text.contains("://") && link.starts_with(run.text.trim_end_matches('…')),
        style => *style == Style::Code,
    });
    runs.into_iter().map(|run| run.text).collect()
}

/// The reply as runs, its blocks apart.
fn said(reply: &Reply) -> Vec<Run> {
    let mut runs = Runs { done: Vec::new(), linked: BTreeSet::new() };
    for span in reply.blocks.iter().flat_map(Block::lines).flat_map(|line| &line.0) {
        if let Span::Link { link, .. } = span {
            runs.linked.insert(link.as_str());
        }
    }
    if !reply.title.is_empty() {
        runs.plain(mark(reply.tone));
        runs.line(&reply.title, Style::Strong);
    }
    for (at, block) in reply.blocks.iter().enumerate() {
        let note_below_title = at == 0 && matches!(block, Block::Note(_));
        runs.plain(match (runs.done.is_empty(), note_below_title) {
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
    runs.done
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

struct Runs<'a> {
    done: Vec<Run>,
    /// The addresses that something on the page leads to: once a page is enough.
    linked: BTreeSet<&'a str>,
}

impl<'a> Runs<'a> {
    fn plain(&mut self, text: &str) {
        self.push(text.to_owned(), Style::Plain);
    }

    fn push(&mut self, text: String, style: Style) {
        match self.done.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.style == style => last.text += &text,
            _ => self.done.push(Run { text, style }),
        }
    }

    fn line(&mut self, line: &'a Line, ground: Style) {
        for span in &line.0 {
            match span {
                Span::Text(text) => self.push(clean(text), ground.clone()),
                Span::Strong(text) | Span::Time { text, .. } => self.push(clean(text), Style::Strong),
                Span::Soft(text) => self.push(clean(text), Style::Soft),
                Span::Struck(text) => self.push(clean(text), Style::Struck),
                Span::Code(text) => self.push(clean(text), Style::Code),
                Span::Cite { number, link: Some(link) } if self.linked.insert(link.as_str()) => {
                    self.push(format!("[{number}]"), Style::Link(link.to_string()))
                }
                Span::Cite { number, .. } => self.push(format!("[{number}]"), Style::Plain),
                Span::Link { text, link } => self.push(name_of(text, link), Style::Link(link.to_string())),
            }
        }
    }
}

/// What a link is called: of a long address that stands for itself, the beginning.
fn name_of(text: &str, link: &Link) -> String {
    let name = if text == link.as_str() { shortened(text, ADDRESS) } else { clean(text) };
    // Without a name there is no link.
    if name.trim().is_empty() { shortened(link.as_str(), ADDRESS) } else { name }
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

    /// UTF-16 units of what is shown, entities, and bytes of entities.
    fn sound(part: &Part) {
        let tags = part.html.matches("</").count();
        assert!(part.plain.encode_utf16().count() <= 4_096 && tags <= 100 && part.html.len() <= 32_768);
        let links: usize =
            part.html.replace("&amp;", "&").split("href=\"").skip(1).map(|it| it.find('"').unwrap_or(0) + 8).sum();
        assert!(tags * 12 + links <= 9_500);
    }

    #[test]
    fn nothing_recorded_becomes_markup_or_grows_too_long() {
        let piece = "<b>&amp; *x* ©everyone <script> \"q\" 👩‍👩‍👧‍👦 e\u{301} שלום \u{202e}x ";
        let text: String = piece.chars().cycle().take(5_000).collect();
        let parts = posts(&Reply::titled("t").say(Line::new().strong(&text)).say(text.as_str()));
        assert!(parts.len() >= 3);
        for part in &parts {
            sound(part);
            assert!(!part.html.contains("<script>") && !part.html.contains('\u{202e}'));
        }
        let all: String = parts.iter().map(|part| part.plain.as_str()).collect();
        assert_eq!(all.matches("©everyone").count(), 2 * text.matches("©everyone").count(), "nothing is lost");
    }

    #[test]
    fn one_endless_word_and_one_endless_grapheme_are_cut() {
        for text in ["x".repeat(9_000), format!("e{}", "\u{301}".repeat(9_000))] {
            let parts = posts(&Reply::default().say(text.as_str()));
            assert_eq!(parts.len(), 3);
            assert_eq!(parts.iter().map(|part| part.plain.chars().count()).sum::<usize>(), text.chars().count());
        }
    }

    #[test]
    fn a_post_holds_whatever_the_record_can_hold() {
        let longest = "👩‍👩‍👧‍👦".chars().cycle().take(record::lang::Prose::MAX_CHARS).collect::<String>();
        let line = Line::new().struck(&longest).text("\n").text(&longest);
        let parts = posts(&Reply::titled("t").say(line));
        let all: String = parts.iter().map(|part| part.plain.as_str()).collect();
        assert_eq!(all.matches('👦').count(), 2 * longest.matches('👦').count(), "nothing is lost");
        parts.iter().for_each(sound);
    }

    #[test]
    fn many_links_and_much_markup_go_on_in_the_next_message() {
        for length in [20, 140, 420, 1_900] {
            let link = |n: u32| format!("https://a.example/{n}/{}", "x&".repeat(length / 2)).parse::<Link>().ok();
            let line = (1..=60).fold(Line::new(), |line, number| {
                line.strong(format!("word {number} ")).span(Span::Cite { number, link: link(number) })
            });
            let parts = posts(&Reply::titled("t").say(line.clone()).say(line));
            parts.iter().for_each(sound);
            let all: String = parts.iter().map(|part| part.html.as_str()).collect();
            assert!((1..=60).all(|n| all.contains(&format!("a.example/{n}/"))), "{length}");
            assert_eq!(all.matches("word ").count(), 120);
        }
    }

    #[test]
    fn what_a_link_is_called_is_broken_in_plain_words_unless_it_is_the_address() {
        let link: Link = "https://a.example/x".parse().expect("a link");
        let of = |text: &str| Span::Link { text: text.to_owned(), link: link.clone() };
        let line = Line::new().span(of("@durov install.zip")).text(" ").span(of(link.as_str()));
        let part = &posts(&Reply::default().say(line))[0];
        assert!(part.html.contains(">@durov install.zip</a>"), "{}", part.html);
        assert_eq!(part.plain, "@\u{2060}durov install.\u{2060}zip https://a.example/x");
    }

    #[test]
    fn what_only_plain_words_make_longer_fits_without_markup_too() {
        let link: Link = "https://a.example/x".parse().expect("a link");
        let text = "@ab.cd ".repeat(40);
        let line =
            (0..60).fold(Line::new(), |line, _| line.span(Span::Link { text: text.clone(), link: link.clone() }));
        let parts = posts(&Reply::default().say(line));
        parts.iter().for_each(sound);
        let all: String = parts.iter().map(|part| part.plain.replace('\u{2060}', "")).collect();
        assert_eq!(all.matches("@ab.cd").count(), 60 * 40);
    }

    #[test]
    fn an_address_is_linked_once_a_page() {
        let link: Link = "https://a.example/x".parse().expect("a link");
        let cite = || Span::Cite { number: 1, link: Some(link.clone()) };
        let reply = Reply::default().say(Line::new().span(cite()).span(cite()));
        assert_eq!(posts(&reply)[0].html, "<a href=\"https://a.example/x\">[1]</a>[1]");
        let named = Line::new().span(cite()).text(" ").span(Span::Link { text: link.to_string(), link: link.clone() });
        assert_eq!(
            posts(&Reply::default().say(named))[0].html,
            "[1] <a href=\"https://a.example/x\">https://a.example/x</a>"
        );
    }

    #[test]
    fn where_a_post_takes_more_messages_than_it_has_the_last_says_so() {
        let parts = within(&Reply::default().say("word ".repeat(5_000)), 2, &"more".into());
        assert_eq!(parts.len(), 2);
        parts.iter().for_each(sound);
        assert!(parts[1].html.ends_with("\n<i>more</i>") && parts[1].plain.ends_with("\nmore"));
        assert!(!parts[0].html.contains("more"));
    }

    #[test]
    fn what_is_offered_inline_is_short_and_says_where_the_rest_is() {
        let item = |n: u32| Block::Text(format!("Entry {n}. {}", "word ".repeat(40)).into());
        let reply = Reply { blocks: (0..20).map(item).collect(), ..Reply::titled("t") };
        let part = inline(&reply, &Line::new().text("The rest: ").code("/incident x"));
        assert!(part.plain.encode_utf16().count() <= 1_000 && part.plain.ends_with("\nThe rest: /incident x"));
        assert!(part.plain.contains("word \n\n") || part.plain.contains("word\n\n"), "{}", part.plain);
        assert_eq!(inline(&Reply::titled("t").say("short"), &"rest".into()).plain, "t\n\nshort");
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
        let (short, whole) = notice(&reply, 200);
        assert_eq!((short.encode_utf16().count(), whole), (200, false));
        assert!(notice(&Reply::personal(Tone::Polite, "è"), 200).1);
    }
}
