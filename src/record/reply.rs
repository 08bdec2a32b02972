//! A reply is a document: what is said, before any door dresses it.

use serde::{Deserialize, Serialize};

use crate::{lang::Lang, link::Link, private::Address};

/// What a button may carry, in bytes: Telegram's limit for `callback_data` (Discord's is 100).
pub const BUTTON_BYTES: usize = 64;

/// What stands on the button to the next page.
pub const NEXT: &str = "➡️";
/// What stands on the button to the page before.
pub const BACK: &str = "⬅️";

/// An answer, or a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// How it feels; a door may turn it into a colour, and the words say it too.
    pub tone: Tone,
    /// Its heading.
    pub title: Line,
    /// Its parts.
    pub blocks: Vec<Block>,
    /// The sources cited in it, in full, in the order of their numbers.
    pub sources: Vec<Citation>,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// Only the asker should see it, where the door can do that.
    pub personal: bool,
    /// It is told in private, where a door can: others who read along are not to see that somebody was refused.
    #[serde(default)]
    pub discreet: bool,
    /// What the asker chose for themself; doors that forget (the console) keep to it while they last.
    pub chosen: Option<Chosen>,
    /// It is a card, which says what becomes of it: where it does not fit, it says how to read it whole.
    #[serde(default)]
    pub single: bool,
    /// Something to be posted where it was asked, as news is.
    #[serde(default)]
    pub post: Option<Box<Reply>>,
    /// Where that is posted, if not where it was asked.
    #[serde(default)]
    pub post_to: Option<Address>,
    /// What the pressed button becomes, where the message that it hangs on stays.
    #[serde(default)]
    pub turned: Option<Button>,
    /// Marks a post, so that it is found again in the chat's history.
    #[serde(default)]
    pub mark: Option<String>,
    /// The line that asks for the same again, where asking twice does no harm: what does not fit is asked for by it.
    #[serde(default)]
    pub again: Option<String>,
    /// Which part of what does not fit into one message was asked for, from 1.
    #[serde(default)]
    pub part: Option<usize>,
}

/// Something that somebody is told in private, besides what they asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Whom.
    pub to: Address,
    /// What.
    pub reply: Box<Reply>,
    /// The draft that it shows: where the message is must be noted, so that it can be changed.
    pub draft: Option<u64>,
    /// The earlier message that it takes the place of: the chat that it is in, and its number there.
    pub place: Option<(Address, String)>,
}

impl Letter {
    /// What tells it from the others that one line makes: whom it is for, or which message it changes.
    pub fn mark(&self) -> String {
        match &self.place {
            Some((place, message)) => format!("{place}#{message}"),
            None => self.to.0.clone(),
        }
    }
}

/// How a reply feels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Information.
    #[default]
    Plain,
    /// All is well, or it worked.
    Good,
    /// Something is under way.
    Watch,
    /// Something is wrong.
    Alarm,
    /// The asker should look again at what was asked.
    Polite,
}

/// A choice of language or zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The language.
    pub lang: Option<Lang>,
    /// The zone.
    pub zone: Option<chrono_tz::Tz>,
}

/// A part of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// A heading within it.
    Heading(Line),
    /// A paragraph.
    Text(Line),
    /// A remark in a lower voice.
    Note(Line),
    /// One thing of a list.
    Item(Item),
}

impl Block {
    /// Its lines, in order.
    pub fn lines(&self) -> Vec<&Line> {
        match self {
            Block::Heading(line) | Block::Text(line) | Block::Note(line) => vec![line],
            Block::Item(item) => [&item.head].into_iter().chain(&item.body).collect(),
        }
    }
}

/// One thing of a list: a first line, and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is about, and when.
    pub head: Line,
    /// What it says.
    pub body: Vec<Line>,
}

/// A source in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The number it is cited by.
    pub number: u32,
    /// Publisher, title, date, address.
    pub text: Line,
}

/// A button: pressing it is the same as typing its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What it asks; at most [`BUTTON_BYTES`].
    pub line: String,
}

impl Button {
    /// A button; none if its line does not fit.
    pub fn new(label: impl Into<String>, line: impl Into<String>) -> Option<Button> {
        let line = line.into();
        (line.len() <= BUTTON_BYTES).then(|| Button { label: label.into(), line })
    }

    /// A button whose answer is a message of its own: for posts, which must stay.
    pub fn fresh(label: impl Into<String>, line: impl AsRef<str>) -> Option<Button> {
        Button::new(label, format!("{FRESH}{}", line.as_ref()))
    }

    /// The same button, its answer a message of its own; as it is where that does not fit.
    #[must_use]
    pub fn freshened(self) -> Button {
        Button::fresh(&self.label, pressed(&self.line).0).unwrap_or(self)
    }
}

/// What stands before the line of a button whose answer must not take the place of the message it hangs on.
pub const FRESH: char = '>';

/// The line that a pressed button types, and whether its answer is a message of its own.
pub fn pressed(line: &str) -> (&str, bool) {
    line.strip_prefix(FRESH).map_or((line, false), |line| (line, true))
}

/// A run of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line(pub Vec<Span>);

/// A piece of text of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    /// As it is.
    Text(String),
    /// Stands out.
    Strong(String),
    /// Stands back.
    Soft(String),
    /// Taken back.
    Struck(String),
    /// To be typed as it stands.
    Code(String),
    /// A moment known to the minute: the words for it, and the instant in seconds since 1970.
    Time {
        /// In words, in the reader's zone.
        text: String,
        /// Seconds since 1970 UTC.
        at: i64,
    },
    /// `[1]`.
    Cite {
        /// The number.
        number: u32,
        /// Where it leads.
        link: Option<Link>,
    },
    /// A link.
    Link {
        /// What it is called.
        text: String,
        /// Where it leads.
        link: Link,
    },
}

impl Line {
    /// An empty one.
    pub fn new() -> Line {
        Line::default()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a piece.
    pub fn span(mut self, span: Span) -> Line {
        self.0.push(span);
        self
    }

    /// Adds text.
    pub fn text(self, text: impl Into<String>) -> Line {
        self.span(Span::Text(text.into()))
    }

    /// Adds text that stands out.
    pub fn strong(self, text: impl Into<String>) -> Line {
        self.span(Span::Strong(text.into()))
    }

    /// Adds text that stands back.
    pub fn soft(self, text: impl Into<String>) -> Line {
        self.span(Span::Soft(text.into()))
    }

    /// Adds text that was taken back.
    pub fn struck(self, text: impl Into<String>) -> Line {
        self.span(Span::Struck(text.into()))
    }

    /// Adds something to type.
    pub fn code(self, text: impl Into<String>) -> Line {
        self.span(Span::Code(text.into()))
    }

    /// Adds another line's pieces.
    pub fn join(mut self, other: Line) -> Line {
        self.0.extend(other.0);
        self
    }

    /// The words alone.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Text(text) | Span::Strong(text) | Span::Soft(text) | Span::Struck(text) | Span::Code(text) => {
                    text.clone()
                }
                Span::Time { text, .. } | Span::Link { text, .. } => text.clone(),
                Span::Cite { number, .. } => format!("[{number}]"),
            })
            .collect()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Line {
        Line::new().text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line::new().text(text)
    }
}

impl Reply {
    /// A reply with a heading.
    pub fn titled(title: impl Into<Line>) -> Reply {
        Reply { title: title.into(), ..Reply::default() }
    }

    /// A short reply to one person.
    pub fn personal(tone: Tone, text: impl Into<Line>) -> Reply {
        Reply { tone, blocks: vec![Block::Text(text.into())], personal: true, ..Reply::default() }
    }

    /// Adds a part.
    pub fn with(mut self, block: Block) -> Reply {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    pub fn say(self, line: impl Into<Line>) -> Reply {
        self.with(Block::Text(line.into()))
    }

    /// Adds a remark.
    pub fn note(self, line: impl Into<Line>) -> Reply {
        self.with(Block::Note(line.into()))
    }

    /// Says something before everything else. What is asked again begins otherwise, so it is a card.
    #[must_use]
    pub fn preceded(mut self, line: impl Into<Line>) -> Reply {
        self.blocks.insert(0, Block::Note(line.into()));
        (self.single, self.part) = (true, None);
        self
    }

    /// Adds a row of buttons, if there are any.
    pub fn row(mut self, buttons: impl IntoIterator<Item = Button>) -> Reply {
        let row: Vec<Button> = buttons.into_iter().collect();
        if !row.is_empty() {
            self.buttons.push(row);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_that_does_not_fit_is_not_made() {
        assert!(Button::new("➡️", "x".repeat(BUTTON_BYTES)).is_some());
        assert!(Button::new("➡️", "è".repeat(BUTTON_BYTES)).is_none());
    }
}
