//! The two languages a reader may have, our own words in both, and the texts of a record in one or more.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// A language everything we say exists in (ISO 639-1 codes `en` and `it`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    En,
    /// Italian.
    It,
}

impl Lang {
    /// Every language, the default first.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::It];

    /// Reads a language tag as platforms send it (`it`, `it-IT`, `EN_us`); only the first part counts.
    pub fn parse(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Lang::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.code()))
    }

    /// The two-letter code.
    pub const fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::It => "it",
        }
    }

    /// The language's own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::It => "italiano",
        }
    }

    /// One of two values, by language: for sentences with something filled in.
    pub fn pick<T>(self, en: T, it: T) -> T {
        match self {
            Lang::En => en,
            Lang::It => it,
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Words of ours, in every language: a missing translation does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: &'static str,
    /// In Italian.
    pub it: &'static str,
}

impl Text {
    /// The words in one language.
    pub const fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::It => self.it,
        }
    }
}

/// A text of the record: somebody's words, kept as typed, in at least one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Lang, String>", into = "BTreeMap<Lang, String>")]
pub struct Prose(BTreeMap<Lang, String>);

impl Prose {
    /// The longest text in one language, in Unicode characters: a line of the journal must stay under 64 KiB.
    pub const MAX_CHARS: usize = 6_000;

    /// A text in one language.
    pub fn one(lang: Lang, words: &str) -> Result<Prose, ProseError> {
        // What was recorded before this was looked at can still be read.
        if is_blank(words) {
            return Err(ProseError::Empty);
        }
        Prose::try_from(BTreeMap::from([(lang, words.to_owned())]))
    }

    /// Words of ours as a text of the record, in every language.
    pub fn ours(words: Text) -> Prose {
        Prose(Lang::ALL.into_iter().map(|lang| (lang, words.get(lang).to_owned())).collect())
    }

    /// A sentence of ours with something filled in, in both languages.
    pub fn both(en: String, it: String) -> Result<Prose, ProseError> {
        Prose::try_from(BTreeMap::from([(Lang::En, en), (Lang::It, it)]))
    }

    /// The text for a reader of `lang`; where it is missing, another language's, which is then named.
    pub fn read(&self, lang: Lang) -> (&str, Option<Lang>) {
        if let Some(words) = self.0.get(&lang) {
            return (words, None);
        }
        self.0.iter().next().map_or(("", None), |(other, words)| (words, Some(*other)))
    }

    /// The text without a mark, for titles and names.
    pub fn plain(&self, lang: Lang) -> &str {
        self.read(lang).0
    }

    /// Every language it exists in, with its words.
    pub fn iter(&self) -> impl Iterator<Item = (Lang, &str)> {
        self.0.iter().map(|(lang, words)| (*lang, words.as_str()))
    }
}

/// Whether nothing of a text is to be seen: blanks, and letters that no font draws.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    })
}

/// Why something is not a text of the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProseError {
    /// No language at all, or nothing but blanks in one.
    #[error("a text must not be empty")]
    Empty,
    /// Longer than [`Prose::MAX_CHARS`].
    #[error("a text must not be longer than {} characters", Prose::MAX_CHARS)]
    TooLong,
}

impl TryFrom<BTreeMap<Lang, String>> for Prose {
    type Error = ProseError;

    fn try_from(texts: BTreeMap<Lang, String>) -> Result<Prose, ProseError> {
        if texts.is_empty() || texts.values().any(|words| words.trim().is_empty()) {
            return Err(ProseError::Empty);
        }
        if texts.values().any(|words| words.chars().count() > Prose::MAX_CHARS) {
            return Err(ProseError::TooLong);
        }
        Ok(Prose(texts))
    }
}

impl From<Prose> for BTreeMap<Lang, String> {
    fn from(prose: Prose) -> Self {
        prose.0
    }
}

/// Defines an enum whose variants have a code (in the journal and in dossiers) and a name in each language.
macro_rules! worded {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $en:literal, $it:literal;)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// Every one of them, in the order they are offered.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The code used in the journal, in dossiers and in commands.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// What people call it.
            pub const fn text(self) -> $crate::lang::Text {
                match self { $($name::$variant => $crate::lang::Text { en: $en, it: $it },)+ }
            }
        }
    };
}
pub(crate) use worded;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platforms_tag_is_read_by_its_first_part() {
        assert_eq!(Lang::parse("it-IT"), Some(Lang::It));
        assert_eq!(Lang::parse("EN_us"), Some(Lang::En));
        assert_eq!(Lang::parse("de"), None);
        assert_eq!(Lang::parse(""), None);
    }

    #[test]
    fn a_missing_language_is_replaced_and_named() {
        let prose = Prose::one(Lang::It, "ciao").expect("a text");
        assert_eq!(prose.read(Lang::It), ("ciao", None));
        assert_eq!(prose.read(Lang::En), ("ciao", Some(Lang::It)));
    }

    #[test]
    fn an_empty_or_endless_text_is_refused() {
        for blank in [" \n", "\u{200b}", "\u{2060} \u{feff}", "\u{2800}\u{3164}"] {
            assert_eq!(Prose::one(Lang::En, blank), Err(ProseError::Empty));
        }
        assert!(!is_blank("\u{200b}x") && !is_blank("👩\u{200d}👩"));
        assert_eq!(Prose::one(Lang::En, &"è".repeat(Prose::MAX_CHARS + 1)), Err(ProseError::TooLong));
        assert!(Prose::one(Lang::En, &"è".repeat(Prose::MAX_CHARS)).is_ok());
        assert!(serde_json::from_str::<Prose>("{}").is_err());
        assert!(serde_json::from_str::<Prose>(r#"{"de":"x"}"#).is_err());
    }
}
