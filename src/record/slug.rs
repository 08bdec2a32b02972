//! Handles: the short names by which incidents and organisations are called.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

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

/// Text as it is compared: lower case, accents and compatibility forms folded away, letters and apostrophes as a plain
/// keyboard has them.
pub fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match letter {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ı' => plain.push('i'),
            '’' | '‘' | '‛' | 'ʼ' | 'ʹ' | '´' | '`' | '′' => plain.push('\''),
            // Invisible: it separates nothing that anybody could see.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Text as it is searched: [`folded`], abbreviations without their dots ("S.p.A." is "spa"), and numbers without what
/// separates their thousands ("1.500", "1,500", "1 500" and "1'500" are "1500").
pub fn searched(text: &str) -> String {
    let letters: Vec<char> = folded(text).chars().collect();
    let at = |at: usize| letters.get(at).copied();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut plain = String::with_capacity(letters.len());
    for (place, letter) in letters.iter().copied().enumerate() {
        let before = place.checked_sub(1).and_then(at);
        let abbreviates = letter == '.'
            && before.is_some_and(char::is_alphabetic)
            && !place.checked_sub(2).and_then(at).is_some_and(char::is_alphanumeric);
        // A thousands separator: one to three digits before it, three after. A year before a number is no part of it.
        let run = letters[..place].iter().rev().take(4).take_while(|c| c.is_ascii_digit()).count();
        let groups = matches!(letter, '.' | ',' | '\'' | ' ' | '\u{202f}')
            && (1..=3).contains(&run)
            && (1..=3).all(|next| digit(at(place + next)))
            && !digit(at(place + 4));
        if !abbreviates && !groups {
            plain.push(letter);
        }
    }
    plain
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
        assert_eq!(folded("Straße Ærø Łódź đ"), "strasse aero lodz d");
        assert_eq!(folded("L’attacco"), folded("l'attacco"));
    }

    #[test]
    fn abbreviations_and_numbers_are_found_however_they_are_written() {
        for text in ["Westpole S.p.A.", "Westpole spa", "WESTPOLE S.P.A."] {
            assert_eq!(searched(text).trim_end_matches('.'), "westpole spa", "{text}");
        }
        for number in ["1500", "1.500", "1,500", "1 500", "1’500", "1\u{202f}500"] {
            assert_eq!(searched(&format!("about {number} bodies")), "about 1500 bodies", "{number}");
        }
        for same in ["3.5 hours", "14.12.2023", "end. Then", "v1.2", "in 2023 700 bodies"] {
            assert_eq!(searched(same), folded(same));
        }
    }
}
