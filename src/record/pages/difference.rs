//! What was taken out of a text and what was put in, word by word.

use similar::{ChangeTag, TextDiff};

use crate::reply::{Line, Span};

/// Above this many words on either side a text is shown as it reads now: the difference would be all there is.
const WORDS: usize = 2_000;

/// The new text with what was taken out struck and what was put in standing out; none if they have little in common.
pub fn difference(old: &str, new: &str) -> Option<Line> {
    let words = |text: &str| text.split_whitespace().count();
    if words(old).max(words(new)) > WORDS {
        return None;
    }
    let diff = TextDiff::from_words(old, new);
    if diff.ratio() < 0.3 {
        return None;
    }
    let mut line = Line::new();
    for change in diff.iter_all_changes() {
        let text = change.value().to_owned();
        line = match change.tag() {
            ChangeTag::Equal => line.text(text),
            // A blank that is struck or stands out is no sign of anything.
            _ if text.trim().is_empty() => line.text(text),
            ChangeTag::Delete => line.struck(text),
            ChangeTag::Insert => line.strong(text),
        };
    }
    Some(joined(line))
}

/// The same with neighbours of one kind in one piece, and a blank between a word that goes and one that comes.
fn joined(line: Line) -> Line {
    let mut pieces: Vec<Span> = Vec::new();
    for span in line.0 {
        match (pieces.last_mut(), span) {
            (Some(Span::Text(before)), Span::Text(text)) => before.push_str(&text),
            (Some(Span::Struck(before)), Span::Struck(text)) => *before += &text,
            (Some(Span::Strong(before)), Span::Strong(text)) => *before += &text,
            (Some(Span::Struck(_)), Span::Strong(text)) => {
                pieces.extend([Span::Text(" ".to_owned()), Span::Strong(text)]);
            }
            (_, span) => pieces.push(span),
        }
    }
    Line(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_seen() {
        let line = difference("About 500 bodies were hit.", "About 540 bodies were hit.").expect("alike");
        let [Span::Text(a), Span::Struck(old), Span::Text(blank), Span::Strong(new), Span::Text(rest)] = &line.0[..]
        else {
            panic!("{line:?}")
        };
        assert_eq!([a, old, blank, new, rest], ["About ", "500", " ", "540", " bodies were hit."]);
        assert_eq!(difference("All is well.", "The portal was closed for good."), None);
        assert_eq!(difference("same", "same").map(|line| line.plain()), Some("same".to_owned()));
        assert_eq!(difference(&"a ".repeat(3_000), "a"), None);
    }
}
