//! Turning pages: buttons whose lines ask the same question for another page.

use crate::{
    pages::Reader,
    reply::{BACK, BUTTON_BYTES, Button, Line, NEXT, Reply},
    view::Incident,
};

/// A question that has pages, as it was asked.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// The command's name.
    pub command: &'static str,
    /// The incident it is about, the command's first argument.
    pub incident: Option<&'a Incident>,
    /// The other arguments in the order the command lists them, `page` among them with no value.
    pub args: Vec<(&'static str, Option<String>)>,
    /// Whether they may be given by their places alone: not where one of them takes all the words there are.
    pub positional: bool,
}

impl Turn<'_> {
    /// The line that asks for a page, the first of these that fits in a button: with the incident's handle, with its
    /// number, with arguments by their places. Else the first, to be typed.
    pub fn line(&self, page: usize) -> Result<String, String> {
        let value = |(name, value): &(&'static str, Option<String>)| match *name {
            "page" => Some(page.to_string()),
            _ => value.clone(),
        };
        let (mut named, mut placed, mut skipped) = (String::new(), String::new(), String::new());
        for arg in &self.args {
            match value(arg).map(|value| quoted(&value)) {
                Some(value) => {
                    named += &format!(" {}:{value}", arg.0);
                    placed += &format!("{skipped} {value}");
                    skipped.clear();
                }
                None => skipped += " -",
            }
        }
        let handle = self.incident.map_or_else(String::new, |incident| format!(" {}", incident.handle));
        let number = self.incident.map_or_else(String::new, |incident| format!(" @{}", incident.id));
        let line = |incident: &str, args: &str| format!("/{}{incident}{args}", self.command);
        let mut lines = vec![line(&handle, &named), line(&number, &named)];
        if self.positional {
            lines.push(line(&number, &placed));
            // The slash may be left out, which is one byte less.
            lines.push(line(&number, &placed).trim_start_matches('/').to_owned());
        }
        match lines.iter().find(|line| line.len() <= BUTTON_BYTES) {
            Some(fits) => Ok(fits.clone()),
            None => Err(lines.swap_remove(0)),
        }
    }

    /// Adds the row of buttons to a reply: back, where one is, on, and to the first page. `pages` is none where only
    /// whether there is more is known. Where a line is too long for a button, the reply says what to type.
    pub fn buttons(&self, mut reply: Reply, page: usize, pages: Option<usize>, more: bool, reader: &Reader) -> Reply {
        reply.again = self.line(page).ok();
        let mut row = Vec::new();
        let mut add = |label: String, page: usize| match self.line(page) {
            Ok(line) => row.extend(Button::new(label, line)),
            Err(line) if label == NEXT => {
                let words = reader.say("The next page: ", "La pagina seguente: ");
                reply.blocks.push(crate::reply::Block::Note(Line::new().text(words).code(line)));
            }
            Err(_) => {}
        };
        if page == 1 && !more {
            return reply;
        }
        if let Some(last) = pages.map(|pages| pages.max(1)).filter(|last| page > *last) {
            // Beyond the end there is only the way back.
            add(BACK.to_owned(), last);
            return reply.row(row);
        }
        if page > 1 {
            add(BACK.to_owned(), page - 1);
        }
        add(pages.map_or_else(|| page.to_string(), |pages| format!("{page}/{pages}")), page);
        if more {
            add(NEXT.to_owned(), page + 1);
        }
        if page > 2 {
            add("⏮".to_owned(), 1);
        }
        reply.row(row)
    }
}

/// Quotation marks and colons, however a phone writes them, and what escapes them.
const MARKS: [char; 13] = ['"', '\\', ':', '：', '“', '”', '„', '‟', '«', '»', '‹', '›', '＂'];

/// An argument as it is typed: in straight quotes if it holds a blank or a character that reading would change.
pub fn quoted(value: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with('/')
        && value != "-"
        && !value.contains(|c: char| {
            c.is_whitespace() || MARKS.contains(&c) || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
        });
    let dated = value.bytes().all(|byte| byte.is_ascii_digit() || b"-T:~/.[]".contains(&byte));
    if plain || (dated && value.len() > 1) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
