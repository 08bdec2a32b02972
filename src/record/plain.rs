//! Characters as a reader would type them on a plain keyboard: the quotation marks, dashes and letters that phones and
//! typesetters put in their place, what cannot be seen, and the forms in which texts and names are compared.

use unicode_normalization::char::is_combining_mark;

use crate::slug::folded;

/// Whether a character is some form of `"`.
pub fn is_double_quote(c: char) -> bool {
    matches!(
        c,
        '"' | '“'
            | '”'
            | '„'
            | '‟'
            | '«'
            | '»'
            | '《'
            | '》'
            | '＂'
            | '″'
            | '〝'
            | '〞'
            | '〟'
            | '❝'
            | '❞'
            | '⹂'
    )
}

/// Whether a character is some form of `'`, as an apostrophe or as a single quotation mark.
pub fn is_single_quote(c: char) -> bool {
    is_apostrophe(c) || matches!(c, '‹' | '›')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '‘' | '’' | '‚' | '‛' | '＇' | '′' | 'ʼ' | 'ʻ' | 'ʹ' | '`' | '´' | '❛' | '❜')
}

/// Whether a character is a hyphen, a dash or a minus sign.
pub fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' | '﹘' | '﹣' | '－')
}

/// Whether a character is some form of `:`.
pub fn is_colon(c: char) -> bool {
    matches!(c, ':' | '：' | '﹕' | '∶' | 'ː')
}

/// Whether a character is some form of `|`.
pub fn is_bar(c: char) -> bool {
    matches!(c, '|' | '｜' | '│' | '∣' | '❘')
}

/// The text with every hyphen, dash and minus sign written as `-`.
pub fn hyphens(text: &str) -> String {
    text.chars().map(|c| if is_dash(c) { '-' } else { c }).collect()
}

/// Whether somebody wrote dashes and nothing else, for "nothing" or "nobody".
pub fn is_lone_dash(text: &str) -> bool {
    let text = text.trim_matches(is_unseen);
    !text.is_empty() && text.chars().count() <= 2 && text.chars().all(is_dash)
}

/// Whether a character leaves no mark on the screen: a blank, a control, or one that only shapes what stands beside it.
pub fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || is_combining_mark(c)
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D159 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF)
}

/// Whether a text shows nothing, whatever characters it is made of.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// The plain letters for a lower-case letter that no decomposition takes apart; `None` for every other character.
pub(crate) fn letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' | 'ǽ' => "ae",
        'œ' => "oe",
        'ø' | 'ɵ' => "o",
        'ł' | 'ƚ' => "l",
        'đ' | 'ð' | 'ɖ' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ı' | 'ɨ' => "i",
        'ĸ' | 'ƙ' => "k",
        'ƀ' | 'ɓ' => "b",
        'ƒ' => "f",
        'ǥ' | 'ɠ' => "g",
        'ɉ' => "j",
        'ɍ' => "r",
        'ʉ' => "u",
        'ƶ' => "z",
        'ə' => "e",
        _ if is_apostrophe(c) => "'",
        _ if is_double_quote(c) => "\"",
        _ => return None,
    })
}

/// The forms in which a text is searched: folded, and once more with numbers and abbreviations written together, so that
/// "1500" is found in "1.500" and "spa" in "S.p.A.".
pub fn searched(text: &str) -> String {
    let folded = folded(text);
    let together = together(&folded);
    if together == folded { folded } else { folded + "\n" + &together }
}

/// The forms of a word that is looked for: the text has it if it has one of them.
pub fn wanted(word: &str) -> Vec<String> {
    let folded = folded(word);
    let mut forms = vec![together(&folded), folded];
    forms.retain(|form| !form.trim().is_empty());
    forms.dedup();
    forms
}

/// A name as names are compared: folded, abbreviations and numbers written together, one blank for all other signs.
pub fn name(text: &str) -> String {
    let together = together(&folded(text));
    let mut words = together.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + " " + word)
}

/// What stands behind a company's name and says only of what legal kind it is, as [`name`] writes it.
const LEGAL_FORMS: &[&str] = &[
    "spa", "srl", "srls", "sapa", "snc", "sas", "scarl", "scpa", "inc", "ltd", "limited", "llc", "llp", "plc", "corp",
    "gmbh", "ag", "kg", "se", "sa", "sarl", "sl", "bv", "nv", "ab", "as", "oy", "oyj", "aps", "sro", "zrt", "kft",
];

/// A compared name without the legal form at its end; `None` without such an end.
pub(crate) fn without_legal_form(name: &str) -> Option<&str> {
    name.rsplit_once(' ').filter(|(_, form)| LEGAL_FORMS.contains(form)).map(|(name, _)| name)
}

/// A folded text with "1.500", "1 500" and "s.p.a." written as "1500" and "spa".
fn together(folded: &str) -> String {
    let text: Vec<char> = folded.chars().collect();
    let (mut out, mut at) = (String::with_capacity(folded.len()), 0);
    while let Some(&c) = text.get(at) {
        let begins = at == 0 || !text[at - 1].is_alphanumeric();
        let taken = match begins {
            true => grouped(&text[at..], &mut out).or_else(|| abbreviated(&text[at..], &mut out)),
            false => None,
        };
        at += taken.unwrap_or_else(|| {
            out.push(c);
            1
        });
    }
    out
}

/// Writes a number in groups of three digits without what parts them; how many characters it took.
fn grouped(text: &[char], out: &mut String) -> Option<usize> {
    let digits = |at: usize| text[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut end = Some(digits(0)).filter(|first| (1..=3).contains(first))?;
    let parts = *text.get(end).filter(|c| matches!(c, '.' | ',' | ' ' | '\'' | '_'))?;
    let first = end;
    while text.get(end) == Some(&parts) && digits(end + 1) == 3 {
        end += 4;
    }
    if end == first {
        return None;
    }
    out.extend(text[..end].iter().filter(|c| c.is_ascii_digit()));
    Some(end)
}

/// Writes single letters with points behind them as one word; how many characters it took.
fn abbreviated(text: &[char], out: &mut String) -> Option<usize> {
    let (mut word, mut end) = (String::new(), 0);
    loop {
        let blanks = usize::from(!word.is_empty() && text.get(end) == Some(&' '));
        let Some(letter) = text.get(end + blanks).filter(|c| c.is_alphabetic()) else { break };
        let next = text.get(end + blanks + 1);
        if next == Some(&'.') {
            end += blanks + 2;
        } else if blanks == 0 && !word.is_empty() && next.is_none_or(|c| !c.is_alphanumeric()) {
            end += 1;
            word.push(*letter);
            break;
        } else {
            break;
        }
        word.push(*letter);
    }
    if word.chars().count() < 2 {
        return None;
    }
    out.push_str(&word);
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(text: &str, word: &str) -> bool {
        let text = searched(text);
        wanted(word).iter().any(|form| text.contains(form.as_str()))
    }

    #[test]
    fn letters_are_found_as_a_reader_would_type_them() {
        for (text, word) in [
            ("Straße", "strasse"),
            ("STRASSE", "straße"),
            ("Tromsø", "tromso"),
            ("Æon", "aeon"),
            ("œuvre", "oeuvre"),
            ("Łódź", "lodz"),
            ("Đorđević", "dordevic"),
            ("Guðmundur Þór", "gudmundur"),
            ("Þór", "thor"),
            ("Işık", "isik"),
            ("l’attacco", "l'attacco"),
            ("l'attacco", "l’attacco"),
            ("ri\u{ad}scatto", "riscatto"),
        ] {
            assert!(finds(text, word), "{text} {word}");
        }
    }

    #[test]
    fn numbers_and_abbreviations_are_found_however_they_are_parted() {
        for text in ["1500 enti", "1.500 enti", "1,500 bodies", "1 500 enti", "1\u{202f}500 enti", "1'500", "1’500"] {
            for word in ["1500", "1.500", "1,500"] {
                assert!(finds(text, word), "{text} {word}");
            }
        }
        for text in ["Westpole S.p.A.", "Westpole S.p.A", "Westpole SpA", "westpole spa", "Westpole S. p. A."] {
            for word in ["spa", "S.p.A.", "SpA", "s.p.a"] {
                assert!(finds(text, word), "{text} {word}");
            }
        }
        assert!(finds("Acme S.r.l.", "Srl") && finds("Acme Srl", "S.r.l."));
        assert!(finds("8.500", "8.5") && finds("8.12.2023", "8.12.2023"), "what was found as written still is");
        assert!(!finds("8 e 500", "8500"));
    }

    #[test]
    fn names_are_the_same_however_they_are_written() {
        for other in ["westpole spa", "WESTPOLE S.P.A", "Westpole, S. p. A.", " Westpole  SpA. "] {
            assert_eq!(name("Westpole S.p.A."), name(other), "{other}");
        }
        assert_ne!(name("Westpole"), name("Westpole S.p.A."));
    }

    #[test]
    fn what_cannot_be_seen_is_blank() {
        for unseen in [
            "",
            " ",
            "\u{200b}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{34f}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}",
            "\u{e0041}\u{e007f}",
            "\u{7}",
            "\u{a0}\u{200b}\n",
            "\u{115f}",
            "\u{ffa0}",
            "\u{202e}",
        ] {
            assert!(is_blank(unseen), "{unseen:?}");
        }
        for seen in ["a", "\u{200b}a", "…", "👍", "-", "ｱ"] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }

    #[test]
    fn a_dash_alone_stands_for_nothing_however_long_it_is() {
        for dash in ["-", "–", "—", "--", " − "] {
            assert!(is_lone_dash(dash), "{dash}");
        }
        assert!(!is_lone_dash("") && !is_lone_dash("a-") && !is_lone_dash("---"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_finds_itself(text in "\\PC{0,40}") {
            let _ = name(&text);
            let searched = searched(&text);
            prop_assert!(wanted(&text).iter().all(|form| searched.contains(form.as_str())));
        }
    }
}
