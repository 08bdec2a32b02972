//! A reply as text for a terminal or a pipe. Nothing that somebody recorded can move the cursor or change a colour.

use std::io::IsTerminal;

use record::{
    lang::Lang,
    reply::{Block, Line, Reply, Span, Tone},
};
use unicode_width::UnicodeWidthStr;

/// How it should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether there are colours.
    colours: bool,
    /// At how many columns lines are broken; not at all for a pipe.
    width: Option<usize>,
}

impl Look {
    /// For a pipe: no colours, lines as long as they are.
    pub const fn plain() -> Look {
        Look { colours: false, width: None }
    }

    /// In colours, so many columns wide.
    pub const fn of(width: usize) -> Look {
        Look { colours: true, width: Some(width) }
    }

    /// For the terminal that standard output is; `NO_COLOR` is respected (no-color.org).
    pub fn terminal() -> Look {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(80, |size| usize::from(size.ws_col));
        Look { colours: colours && std::io::stdout().is_terminal(), width: Some(columns.clamp(40, 100)) }
    }
}

/// Ways in which words stand out.
const STRONG: &str = "\x1b[1m";
const SOFT: &str = "\x1b[2m";
const STRUCK: &str = "\x1b[9m";
const CODE: &str = "\x1b[36m";
const END: &str = "\x1b[0m";

/// Dresses a reply.
pub fn dress(reply: &Reply, lang: Lang, look: &Look) -> String {
    let mut page = Page { look, text: String::new() };
    if !reply.title.is_empty() {
        let (on, off) = page.paint(tone(reply.tone));
        page.line(&reply.title, "", "", (on, off));
    }
    let mut after_item = false;
    for (at, block) in reply.blocks.iter().enumerate() {
        let note = matches!(block, Block::Note(_));
        let first = at == 0 && reply.title.is_empty();
        if !(first || (note && at == 0)) && (after_item || !note || at > 0) {
            page.text.push('\n');
        }
        match block {
            Block::Heading(line) => {
                let colours = page.paint(STRONG);
                page.line(line, "", "", colours);
            }
            Block::Text(line) => page.line(line, "", "", ("", "")),
            Block::Note(line) => {
                let colours = page.paint(SOFT);
                page.line(line, "", "", colours);
            }
            Block::Item(item) => {
                page.line(&item.head, "", "  ", ("", ""));
                for line in &item.body {
                    page.line(line, "  ", "  ", ("", ""));
                }
            }
        }
        after_item = matches!(block, Block::Item(_));
    }
    if !reply.sources.is_empty() {
        page.text.push('\n');
        let colours = page.paint(STRONG);
        page.line(&lang.pick("Sources", "Fonti").into(), "", "", colours);
        for citation in &reply.sources {
            let mark = format!("  [{}] ", citation.number);
            page.line(&citation.text, &mark, "      ", ("", ""));
        }
    }
    if !reply.buttons.is_empty() {
        page.text.push('\n');
        for button in reply.buttons.iter().flatten() {
            let line = Line::new().text(format!("{}  ", button.label)).code(&button.line);
            page.line(&line, "  ", "    ", ("", ""));
        }
    }
    page.text
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => STRONG,
        Tone::Good => "\x1b[1;32m",
        Tone::Watch | Tone::Polite => "\x1b[1;33m",
        Tone::Alarm => "\x1b[1;31m",
    }
}

struct Page<'a> {
    look: &'a Look,
    text: String,
}

impl Page<'_> {
    fn paint(&self, code: &'static str) -> (&'static str, &'static str) {
        if self.look.colours { (code, END) } else { ("", "") }
    }

    /// Writes a line: `first` before it, `rest` before what follows a break, all of it in a colour.
    fn line(&mut self, line: &Line, first: &str, rest: &str, (on, off): (&'static str, &'static str)) {
        let mut column = first.width();
        self.text.push_str(first);
        for span in &line.0 {
            let (words, colours) = self.words(span);
            let (on, off) = if colours.0.is_empty() { (on, off) } else { colours };
            self.text.push_str(on);
            for (at, part) in words.split('\n').enumerate() {
                if at > 0 {
                    self.text.push('\n');
                    self.text.push_str(rest);
                    column = rest.width();
                }
                self.wrapped(part, rest, &mut column);
            }
            self.text.push_str(off);
        }
        self.text.push('\n');
    }

    /// Writes words, breaking lines at blanks where they would grow too wide.
    fn wrapped(&mut self, words: &str, rest: &str, column: &mut usize) {
        let Some(limit) = self.look.width else {
            self.text.push_str(words);
            return;
        };
        for piece in words.split_inclusive(' ') {
            let width = piece.trim_end().width();
            if *column + width > limit && *column > rest.width() {
                while self.text.ends_with(' ') {
                    self.text.pop();
                }
                self.text.push('\n');
                self.text.push_str(rest);
                *column = rest.width();
            }
            self.text.push_str(piece);
            *column += piece.width();
        }
    }

    fn words(&self, span: &Span) -> (String, (&'static str, &'static str)) {
        let struck = |text: &str| if self.look.colours { safe(text) } else { format!("~~{}~~", safe(text)) };
        match span {
            Span::Text(text) => (safe(text), ("", "")),
            Span::Strong(text) => (safe(text), self.paint(STRONG)),
            Span::Soft(text) => (safe(text), self.paint(SOFT)),
            Span::Struck(text) => (struck(text), self.paint(STRUCK)),
            Span::Code(text) => (safe(text), self.paint(CODE)),
            Span::Time { text, .. } => (safe(text), self.paint(STRONG)),
            Span::Cite { number, .. } => (format!("[{number}]"), self.paint(CODE)),
            Span::Link { text, link } if text == link.as_str() => (safe(text), ("", "")),
            Span::Link { text, link } => (format!("{} ({})", safe(text), link), ("", "")),
        }
    }
}

/// Text without anything a terminal would obey: control characters and overrides of the writing direction.
fn safe(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_cannot_steer_the_terminal() {
        let reply = Reply::default().say("red \x1b[31m bell \x07 \u{202e}evil\u{202c} \u{9b}31m");
        let text = dress(&reply, Lang::En, &Look::plain());
        assert_eq!(text, "red [31m bell  evil 31m\n");
    }

    #[test]
    fn lines_are_broken_at_blanks_and_keep_their_indent() {
        let look = Look { colours: false, width: Some(12) };
        let mut reply = Reply::default();
        reply
            .blocks
            .push(Block::Item(record::reply::Item { head: "head".into(), body: vec!["one two three four".into()] }));
        assert_eq!(dress(&reply, Lang::En, &look), "head\n  one two\n  three four\n");
    }
}
