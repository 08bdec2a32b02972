//! Handles: the short names by which incidents and organisations are called.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::plain;

/// A handle: `[a-z0-9][a-z0-9-]{0,31}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The longest handle, in bytes (and characters: it is ASCII).
    pub const MAX: usize = 32;

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handle is 1 to 32 of a-z, 0-9 and -, and does not begin with -")]
pub struct NotASlug;

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Slug, NotASlug> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > Slug::MAX || text.starts_with('-') || !text.bytes().all(good) {
            return Err(NotASlug);
        }
        Ok(Slug(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = NotASlug;

    fn try_from(text: String) -> Result<Slug, NotASlug> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> String {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Text as it is compared: lower case, accents and compatibility forms folded away, letters such as ß and ø and the
/// quotation marks of phones written plainly, what cannot be seen left out but for blanks.
pub fn folded(text: &str) -> String {
    let seen = text.nfkd().filter(|c| c.is_whitespace() || c.is_control() || !plain::is_unseen(*c));
    let mut folded = String::with_capacity(text.len());
    for c in seen.flat_map(char::to_lowercase) {
        match plain::letters(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_what_the_grammar_says() {
        for good in ["w", "westpole", "3cx-2023", "a".repeat(32).as_str()] {
            assert_eq!(good.parse::<Slug>().map(|s| s.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "West", "a b", "è", "a_b", "a".repeat(33).as_str()] {
            assert_eq!(bad.parse::<Slug>(), Err(NotASlug), "{bad:?}");
        }
    }

    #[test]
    fn folding_ignores_case_accents_and_width() {
        assert_eq!(folded("WÈSTPOLÉ"), "westpole");
        assert_eq!(folded("ｗｅｓｔ"), "west");
        assert_eq!(folded("Straße İzmir"), "strasse izmir");
    }
}
