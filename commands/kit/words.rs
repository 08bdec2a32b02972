//! A line cut into words as phones type them: quotation marks, dashes, colons and blanks of any kind are read plainly where
//! they delimit, and kept where they are content.

use record::plain::{is_colon, is_double_quote, is_single_quote};

/// One word of a line: its text, and the argument it names, if it has the form `name:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What stands before the first colon, where that looks like a name and was not in quotes.
    pub name: Option<String>,
    /// Without quotes and name.
    pub value: String,
    /// With its name.
    pub whole: String,
    /// Exactly as typed.
    pub raw: String,
    /// Whether a quotation stands in it.
    pub quoted: bool,
}

/// A quotation mark without its partner.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenQuote;

/// Whether a character parts words: a blank, or one of no width that pasted text brings along.
pub(crate) fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}')
}

/// Splits at blanks; `"…"` keeps blanks together, and `\"` is a quotation mark inside it.
pub(super) fn words(text: &str) -> Result<Vec<Word>, OpenQuote> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_gap);
    while !rest.is_empty() {
        let (word, after) = one_word(rest)?;
        words.push(word);
        rest = after.trim_start_matches(is_gap);
    }
    Ok(words)
}

/// The word at the beginning of a text, which begins with no blank; and the rest.
fn one_word(text: &str) -> Result<(Word, &str), OpenQuote> {
    let mut word = Word { name: None, value: String::new(), whole: String::new(), raw: String::new(), quoted: false };
    let mut rest = text;
    while let Some(letter) = rest.chars().next().filter(|c| !is_gap(*c)) {
        let after = &rest[letter.len_utf8()..];
        if word.value.is_empty()
            && !word.quoted
            && let Some((inner, after)) = quotation(letter, after)?
        {
            word.quoted = true;
            word.whole.push_str(&inner);
            word.value.push_str(&inner);
            rest = after;
            continue;
        }
        rest = after;
        let names = word.name.is_none() && !word.quoted && looks_like_a_name(&word.value);
        if is_colon(letter) && names && !after.starts_with("//") {
            word.whole.push(':');
            word.name = Some(std::mem::take(&mut word.value).to_lowercase());
        } else {
            word.whole.push(letter);
            word.value.push(letter);
        }
    }
    word.raw = text[..text.len() - rest.len()].to_owned();
    Ok((word, rest))
}

/// The quotation that a text begins with, and what follows it.
pub(super) fn leading_quotation(text: &str) -> Option<(String, &str)> {
    let open = text.chars().next().filter(|c| is_double_quote(*c))?;
    let (inner, after) = quotation(open, &text[open.len_utf8()..]).ok()??;
    (after.is_empty() || after.starts_with(is_gap)).then_some((inner, after))
}

/// What is quoted, and what follows the closing mark; `None` where `open` is no quotation mark, as an apostrophe is none.
fn quotation(open: char, text: &str) -> Result<Option<(String, &str)>, OpenQuote> {
    if open == '"'
        && let Some(found) = escaped(text)
    {
        return Ok(Some(found));
    }
    if is_double_quote(open) {
        let partner = partners(open);
        let close = text.find(|c| partner.contains(&c)).or_else(|| text.find(is_double_quote)).ok_or(OpenQuote)?;
        return Ok(Some(cut(text, close)));
    }
    if !is_single_quote(open) || text.starts_with(is_gap) {
        return Ok(None);
    }
    let closes = |(at, mark): &(usize, &str)| text[at + mark.len()..].chars().next().is_none_or(is_gap);
    let close = text.match_indices(is_single_quote).find(closes).map(|(at, _)| at);
    Ok(close.filter(|at| *at > 0).map(|at| cut(text, at)))
}

/// What stands before a mark at a place, and what stands behind it.
fn cut(text: &str, mark: usize) -> (String, &str) {
    let behind = text[mark..].chars().next().map_or(0, char::len_utf8);
    (text[..mark].to_owned(), &text[mark + behind..])
}

/// What stands before the next `"`; with `\` before them, `"` and `\` are part of it.
fn escaped(text: &str) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((inner, &text[at + 1..])),
            '\\' if matches!(letters.peek(), Some((_, '"' | '\\'))) => {
                inner.extend(letters.next().map(|(_, letter)| letter));
            }
            letter => inner.push(letter),
        }
    }
    None
}

/// The marks that close what a mark opens, in the languages that use it.
fn partners(open: char) -> &'static [char] {
    match open {
        '«' | '《' => &['»', '》'],
        '»' => &['«', '»'],
        '„' => &['“', '”', '‟', '"'],
        '“' | '‟' | '❝' | '〝' => &['”', '"', '❞', '〞', '〟'],
        _ => &['”', '“', '"', '″', '＂', '❞', '〞', '〟'],
    }
}

fn looks_like_a_name(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<(Option<String>, String)> {
        words(text).expect(text).into_iter().map(|word| (word.name, word.value)).collect()
    }

    #[test]
    fn words_keep_what_stands_in_quotes() {
        let plain = |value: &str| (None, value.to_owned());
        let named = |name: &str, value: &str| (Some(name.to_owned()), value.to_owned());
        assert_eq!(split("westpole 2"), [plain("westpole"), plain("2")]);
        assert_eq!(split(r#"by:"PA Digitale" page:2"#), [named("by", "PA Digitale"), named("page", "2")]);
        assert_eq!(split(r#""as_of:x" "a \" b""#), [plain("as_of:x"), plain("a \" b")]);
        assert_eq!(split("as_of:2023-12-08T05:00~"), [named("as_of", "2023-12-08T05:00~")]);
        assert_eq!(split("2023-12-08T05:00"), [plain("2023-12-08T05:00")]);
        assert_eq!(split("https://a.example/x"), [plain("https://a.example/x")]);
        assert_eq!(words("a \"b"), Err(OpenQuote));
    }

    #[test]
    fn quotation_marks_of_phones_are_read_as_plain_ones() {
        let named = |name: &str, value: &str| (Some(name.to_owned()), value.to_owned());
        for (open, close) in [
            ('“', '”'),
            ('„', '“'),
            ('„', '”'),
            ('”', '”'),
            ('‟', '”'),
            ('«', '»'),
            ('»', '«'),
            ('‹', '›'),
            ('‘', '’'),
            ('‚', '‘'),
            ('‛', '’'),
            ('＂', '＂'),
            ('"', '”'),
            ('“', '"'),
        ] {
            let line = format!("words:{open}riscatto, ransom{close} page：2");
            assert_eq!(split(&line), [named("words", "riscatto, ransom"), named("page", "2")], "{line}");
        }
        assert_eq!(split("Words: “a b”"), [(Some("words".to_owned()), String::new()), (None, "a b".to_owned())]);
        assert_eq!(split("“a” “b”").len(), 2);
        assert_eq!(words("“a b"), Err(OpenQuote));
    }

    #[test]
    fn an_apostrophe_is_none() {
        for line in ["l’attacco", "’ndrangheta", "dell’", "l'attacco", "‘ndrangheta", "'"] {
            assert_eq!(split(line), [(None, line.to_owned())]);
        }
        assert_eq!(split("“l’attacco”"), [(None, "l’attacco".to_owned())]);
        assert_eq!(split("‘dell’area’"), [(None, "dell’area".to_owned())]);
    }

    #[test]
    fn blanks_of_any_kind_part_words() {
        assert_eq!(split("westpole\u{a0}2\u{202f}a\u{3000}b\u{200b}c\u{feff}").len(), 5);
    }

    proptest! {
        #[test]
        fn no_line_panics(text in "\\PC{0,60}|[\"“”„«»‘’ a:\\\\]{0,30}") {
            let _ = words(&text);
        }

        #[test]
        fn what_a_button_says_is_understood_again(
            value in "[^\\x00-\\x1f\\x7f-\\x9f]{1,20}|[“”„«»‘’'\" a：:\\\\–-]{1,12}",
        ) {
            let again = split(&format!("words:{}", record::pages::quoted(&value)));
            prop_assert_eq!(again, [(Some("words".to_owned()), value)]);
        }
    }
}
