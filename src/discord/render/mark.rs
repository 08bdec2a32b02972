//! Pieces of text in Discord's markdown, escaped so that nothing recorded is obeyed, and cut between letters.

use std::borrow::Cow;

use record::{parts::soft, reply::Span};
use unicode_segmentation::UnicodeSegmentation;

/// The longest address that is made a link: whatever the record holds.
const LINK: usize = record::link::Link::MAX;

/// A piece of a reply.
#[derive(Clone, Debug)]
pub enum Piece<'a> {
    /// Our own markdown.
    Raw(&'static str),
    /// As it is.
    Text(Cow<'a, str>),
    /// Stands out.
    Strong(Cow<'a, str>),
    /// Taken back.
    Struck(Cow<'a, str>),
    /// To be typed as it stands.
    Code(Cow<'a, str>),
    /// Shown whole or not at all.
    Whole(String),
    /// A link: what it is called, and where it leads.
    Link(&'a str, &'a str),
}

impl<'a> Piece<'a> {
    /// A span, dressed. A moment becomes Discord's own, shown in each reader's zone: only moments known to the minute
    /// are spans of their own, so no day is shifted.
    pub fn of(span: &'a Span) -> Piece<'a> {
        match span {
            Span::Text(text) | Span::Soft(text) => Piece::Text(text.into()),
            Span::Strong(text) => Piece::Strong(text.into()),
            Span::Struck(text) => Piece::Struck(text.into()),
            Span::Code(text) => Piece::Code(text.into()),
            Span::Time { at, .. } => Piece::Whole(format!("<t:{at}:f>")),
            Span::Cite { number, link: Some(link) } if link.as_str().len() <= LINK => {
                Piece::Whole(format!("[[{number}]](<{}>)", address(link.as_str())))
            }
            Span::Cite { number, .. } => Piece::mark_of(*number),
            Span::Link { text, link } if link.as_str().len() <= LINK => Piece::Link(text, link.as_str()),
            Span::Link { text, .. } => Piece::Text(text.into()),
        }
    }

    /// A mark that leads nowhere.
    pub fn mark_of(number: u32) -> Piece<'a> {
        Piece::Whole(format!("\\[{number}\\]"))
    }

    /// As it stands in a heading.
    pub fn strong(self) -> Piece<'a> {
        match self {
            Piece::Text(text) => Piece::Strong(text),
            other => other,
        }
    }

    /// In markdown, after what stands before it.
    pub fn mark(&self, before: &str) -> String {
        let text = match self {
            Piece::Raw(text) => return (*text).to_owned(),
            Piece::Whole(text) => return text.clone(),
            Piece::Text(text) => return escaped_after(&safe(text), before),
            Piece::Strong(text) => wrapped(&safe(text), "**"),
            Piece::Struck(text) => wrapped(&safe(text), "~~"),
            Piece::Code(text) => code(&safe(text)),
            Piece::Link(text, link) => linked(&safe(text), link),
        };
        // Marks that touch would be read as one.
        let touch = text.chars().next().filter(|mark| "*~`".contains(*mark)).is_some_and(|mark| before.ends_with(mark));
        if touch { format!("\u{200b}{text}") } else { text }
    }

    /// The longest beginning that takes at most `room`, and the rest; none where it is not to be cut.
    pub fn split(&self, room: usize, before: &str) -> Option<(String, Piece<'a>)> {
        let (words, like): (&str, fn(String) -> Piece<'a>) = match self {
            Piece::Raw(_) | Piece::Whole(_) => return None,
            Piece::Text(text) => (text, |text| Piece::Text(text.into())),
            Piece::Strong(text) => (text, |text| Piece::Strong(text.into())),
            Piece::Struck(text) => (text, |text| Piece::Struck(text.into())),
            Piece::Code(text) => (text, |text| Piece::Code(text.into())),
            Piece::Link(text, _) => (text, |text| Piece::Text(text.into())),
        };
        let hard = beginning(words, room, |words| size(&like(words.to_owned()).mark(before)));
        let end = soft(words, hard);
        let (first, rest) = words.split_at_checked(end)?;
        if first.is_empty() {
            return None;
        }
        Some((like(first.to_owned()).mark(before), like(rest.to_owned())))
    }
}

/// How long a text is, in UTF-16 units: never less than what Discord counts, whichever way it does.
pub fn size(text: &str) -> usize {
    // Addresses, most of what is counted, are.
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// A text, dressed, that takes at most `room`: cut between letters, with "…", where it is longer.
pub fn cut(text: &str, room: usize, dressed: impl Fn(&str) -> String) -> String {
    let whole = dressed(text);
    if size(&whole) <= room {
        return whole;
    }
    let end = beginning(text, room.saturating_sub(1), |text| size(&dressed(text)));
    format!("{}…", dressed(text.get(..end).unwrap_or_default().trim_end()))
}

/// Where the longest beginning ends, between what readers see as letters, whose measure is at most `room`.
fn beginning(text: &str, room: usize, measure: impl Fn(&str) -> usize) -> usize {
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, letter)| at + letter.len()).collect();
    let fit = ends.partition_point(|end| text.get(..*end).is_some_and(|text| measure(text) <= room));
    fit.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0)
}

/// Text without control characters and overrides of the writing direction.
pub fn safe(text: &str) -> String {
    text.chars()
        .filter_map(|letter| match letter {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            control if control.is_control() => None,
            other => Some(other),
        })
        .collect()
}

/// Text in which Discord finds nothing to obey.
pub fn escaped(text: &str) -> String {
    escaped_after(text, "")
}

fn escaped_after(text: &str, before: &str) -> String {
    let line = before.rsplit('\n').next().unwrap_or_default();
    // What a piece before it began, it may end: "1" and ". x" make a list of one line.
    let line = line.strip_prefix("-# ").unwrap_or(line).trim_start();
    let mut start = line.is_empty();
    let mut digits = line.chars().all(|letter| letter.is_ascii_digit());
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        // What follows the last letter is another piece's, which might go on with an address.
        let address = || if out.ends_with("http") || out.ends_with("https") { '/' } else { ' ' };
        let next = letters.peek().copied().unwrap_or_else(address);
        let obeyed = match letter {
            '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '>' | '@' | '#' => true,
            // Addresses and names of emoji.
            ':' => next == '/' || next == '_' || next.is_alphabetic(),
            // Lists and small print.
            '-' | '+' => start,
            '.' | ')' => digits && !start,
            _ => false,
        };
        if obeyed {
            out.push('\\');
        }
        out.push(letter);
        digits = letter == '\n' || (digits && (letter.is_ascii_digit() || (start && letter.is_whitespace())));
        start = letter == '\n' || (start && letter.is_whitespace());
    }
    out
}

/// Marks around text; blanks stay outside, where Discord wants them.
fn wrapped(text: &str, mark: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let (before, after) = text.split_once(inner).unwrap_or_default();
    format!("{before}{mark}{}{mark}{after}", escaped(inner))
}

fn code(text: &str) -> String {
    if text.trim().is_empty() || text.contains('`') {
        return escaped(text);
    }
    format!("`{}`", text.replace('\n', " "))
}

/// A link by its name. Where the name is an address itself, Discord makes no link of it: both are shown.
fn linked(text: &str, link: &str) -> String {
    let to = address(link);
    if text == link || text.trim().is_empty() {
        return format!("<{to}>");
    }
    if text.contains("://") {
        return format!("{} <{to}>", escaped(text));
    }
    format!("[{}](<{to}>)", escaped(&text.replace('\n', " ")))
}

/// An address that cannot end the link it stands in.
fn address(link: &str) -> String {
    link.replace('<', "%3C").replace('>', "%3E").replace(char::is_whitespace, "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_recorded_is_obeyed() {
        assert_eq!(escaped("# a\n> b\n- c\n1. d 2.5 e-f"), "\\# a\n\\> b\n\\- c\n1\\. d 2.5 e-f");
        assert_eq!(escaped("@here <@&1> :smile: 14:30 https://x"), "\\@here \\<\\@&1\\> \\:smile: 14:30 https\\://x");
        assert_eq!(escaped_after("- x", "text "), "- x");
        assert_eq!(escaped_after("- x", "text\n"), "\\- x");
        assert_eq!(escaped_after(". x", "text\n-# 1"), "\\. x");
        assert_eq!(escaped_after("2. x", "text\n 1"), "2\\. x");
        assert_eq!(escaped_after("https:", ""), "https\\:");
    }

    #[test]
    fn marks_that_touch_are_kept_apart_and_blanks_stay_outside() {
        assert_eq!(Piece::Strong(" a ".into()).mark(""), " **a** ");
        assert_eq!(Piece::Strong("b".into()).mark("**a**"), "\u{200b}**b**");
        assert_eq!(Piece::Code("a`b".into()).mark(""), "a\\`b");
    }
}
