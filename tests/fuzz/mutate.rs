//! Changes to examples, as a fuzzer makes them, but few, and the same for the same seed.

use crate::proof::Dice;

/// Words that matter somewhere.
const WORDS: &[&str] = &[
    "/timeline westpole",
    "/event ",
    " | ",
    "westpole#",
    "as_of:",
    "#14",
    "@everyone",
    "<@&1>",
    "<b>",
    "&amp;",
    "**",
    "~~",
    "||",
    "```",
    "[x](http://evil.example)",
    "\u{202e}",
    "\u{1b}[31m",
    "\0",
    "\u{301}",
    "👩‍👩‍👧‍👦",
    "https://",
    "\n- ",
    "\n1. ",
    "2023-12-08",
    "T05:30",
    "~",
    "..",
    "/",
    "0000",
    "9999",
    "-1",
    "ieri",
    "yesterday",
    "alle 5",
    "at noon",
    "dicembre",
    "\"",
    "\\",
    "{",
    "}",
    "[[incident]]",
    "null",
    "true",
    "18446744073709551615",
    "1e999",
    "è",
    "#",
];

/// An example, changed a few times.
pub fn changed(example: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = example.to_vec();
    for _ in 0..=dice.below(4) {
        change(&mut bytes, other, dice);
    }
    bytes.truncate(1 << 16);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let until = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => bytes.insert(at, u8::try_from(dice.below(256)).unwrap_or_default()),
        2 => drop(bytes.drain(at..until)),
        3 => {
            let again = bytes[at..until].to_vec();
            bytes.splice(at..at, again);
        }
        4 => {
            let from = dice.below(other.len() + 1);
            let to = from + dice.below((other.len() - from).min(200) + 1);
            bytes.splice(at..until, other[from..to].iter().copied());
        }
        5 => bytes.truncate(at),
        _ => {
            let word = WORDS[dice.below(WORDS.len())];
            bytes.splice(at..at, word.bytes());
        }
    }
}
