//! Numbers that prove themselves: IBAN, payment card and Italian fiscal code, each by its check digits.

use std::ops::RangeInclusive;

use super::normal::{after, before, word_starts, wordy};

/// How long an IBAN is, and in which countries (SWIFT's IBAN registry).
const IBANS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HU LB PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU"),
    (31, "MT SC"),
    (32, "LC"),
];

/// Whether a text has an IBAN, with blanks or dashes or none.
pub fn iban(text: &str) -> bool {
    word_starts(text).any(|start| {
        let Some(country) = text.get(start..start + 2).map(str::to_ascii_uppercase) else { return false };
        let known = IBANS.iter().find(|(_, countries)| countries.split(' ').any(|code| code == country));
        let Some((long, _)) = known else { return false };
        squeezed(text, start, *long).is_some_and(|(number, _)| mod_97(&number) == 1)
    })
}

/// The remainder by ISO 7064 of an account number, its first four characters moved to the end.
fn mod_97(number: &str) -> u32 {
    let (head, tail) = number.split_at(4);
    if !head.bytes().skip(2).all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    tail.chars().chain(head.chars()).filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        let shift = if value > 9 { 100 } else { 10 };
        (rest * shift + value) % 97
    })
}

/// The letters and digits from a place on, in upper case, over single blanks and dashes, and how many of these there
/// were; none if they do not end with a word.
fn squeezed(text: &str, start: usize, long: usize) -> Option<(String, usize)> {
    let mut out = String::with_capacity(long);
    let (mut gaps, mut in_gap) = (0, false);
    for c in text[start..].chars() {
        if out.len() == long {
            return (!wordy(Some(c))).then_some((out, gaps));
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_uppercase());
            in_gap = false;
        } else if matches!(c, ' ' | '-') && !in_gap {
            gaps += 1;
            in_gap = true;
        } else {
            return None;
        }
    }
    (out.len() == long).then_some((out, gaps))
}

/// Whether a text has an Italian fiscal code of a person.
pub fn fiscal_code(text: &str) -> bool {
    word_starts(text).filter(|start| text.as_bytes()[*start].is_ascii_alphabetic()).any(|start| {
        squeezed(text, start, 16).is_some_and(|(code, gaps)| {
            // Words that add up to sixteen letters are words.
            let digits = code.bytes().filter(u8::is_ascii_digit).count();
            (gaps == 0 || (gaps <= 3 && digits >= 2)) && is_fiscal_code(code.as_bytes())
        })
    })
}

/// The letters that stand for digits where two people would have the same code.
const OMOCODIA: &[u8] = b"LMNPQRSTUV";
/// What a digit, or the letter of the same rank, counts at an odd place (decree of 23 December 1976).
const ODD: [usize; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

fn is_fiscal_code(code: &[u8]) -> bool {
    let digit = |at: usize| {
        let byte = code[at];
        let rank = if byte.is_ascii_digit() { Some(byte - b'0') } else { None };
        rank.map(usize::from).or_else(|| OMOCODIA.iter().position(|letter| *letter == byte))
    };
    let (Some(tens), Some(ones)) = (digit(9), digit(10)) else { return false };
    let letters = [0, 1, 2, 3, 4, 5, 8, 11, 15].iter().all(|at| code[*at].is_ascii_uppercase());
    let digits = [6, 7, 12, 13, 14].iter().all(|at| digit(*at).is_some());
    // Women's days are counted from 41.
    let day = tens * 10 + ones;
    let born = b"ABCDEHLMPRST".contains(&code[8]) && ((1..=31).contains(&day) || (41..=71).contains(&day));
    letters && digits && born && check(&code[..15]) == usize::from(code[15] - b'A')
}

fn check(code: &[u8]) -> usize {
    let rank = |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    // The first place is odd.
    code.iter().enumerate().map(|(at, byte)| if at % 2 == 0 { ODD[rank(*byte)] } else { rank(*byte) }).sum::<usize>()
        % 26
}

/// What stands between two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    Blank,
    Dot,
    Dash,
    Slash,
}

/// Digits that touch no letter, where they stand, and what stands before them in their chain.
#[derive(Clone, Copy, Debug)]
pub struct Group<'t> {
    pub at: usize,
    pub digits: &'t str,
    pub gap: Option<Gap>,
}

/// The digits of a text, in chains of groups that may be one number.
pub fn chains(text: &str) -> Vec<Vec<Group<'_>>> {
    let bytes = text.as_bytes();
    let mut chains: Vec<Vec<Group<'_>>> = Vec::new();
    let mut end = 0;
    // Whether the next group may go on with the last chain.
    let mut open = false;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let long = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = &text[at..at + long];
        if wordy(before(text, at)) || wordy(after(text, at + long)) {
            open = false;
        } else {
            let gap = if open { gap(&text[end..at]) } else { None };
            let group = Group { at, digits, gap };
            match chains.last_mut() {
                Some(chain) if gap.is_some() => chain.push(group),
                _ => chains.push(vec![group]),
            }
            open = true;
        }
        at += long;
        end = at;
    }
    chains
}

fn gap(between: &str) -> Option<Gap> {
    match between {
        " " | "  " | "\t" | ")" | ") " | " (" | "(" | ")-" => Some(Gap::Blank),
        "." => Some(Gap::Dot),
        "-" | " - " | " -" | "- " => Some(Gap::Dash),
        "/" | " / " | ")/" => Some(Gap::Slash),
        _ => None,
    }
}

/// The groups of digits as one number.
pub fn joined(groups: &[Group<'_>]) -> String {
    groups.iter().map(|group| group.digits).collect()
}

/// Whether groups are one number written with separators of thousands.
pub fn thousands(groups: &[Group<'_>]) -> bool {
    let [first, rest @ ..] = groups else { return false };
    let same = |gap| rest.iter().all(|group| group.gap == Some(gap) && group.digits.len() == 3);
    !rest.is_empty()
        && first.digits.len() <= 3
        && !first.digits.starts_with('0')
        && (same(Gap::Dot) || same(Gap::Blank))
}

/// The shortest and longest number of a card.
const CARD: RangeInclusive<usize> = 13..=19;

/// Whether a text has the number of a payment card, in one piece or in groups as it is printed.
pub fn card(text: &str) -> bool {
    chains(text).iter().any(|chain| (0..chain.len()).any(|first| card_from(text, &chain[first..])))
}

fn card_from(text: &str, groups: &[Group<'_>]) -> bool {
    // The decimals of a number are no card.
    let decimals = text[..groups[0].at].ends_with([',', '.'])
        && before(text, groups[0].at - 1).is_some_and(|c| c.is_ascii_digit());
    if decimals {
        return false;
    }
    let mut total = 0;
    for (at, group) in groups.iter().enumerate() {
        let printed = at == 0 || matches!(group.gap, Some(Gap::Blank | Gap::Dash));
        total += group.digits.len();
        if !printed || total > *CARD.end() {
            return false;
        }
        // No group before the last is short: `4111 1111 1111 1111`, `3782 822463 10005`.
        let candidate = &groups[..=at];
        if CARD.contains(&total) && !thousands(candidate) && is_card(&joined(candidate)) {
            return true;
        }
        if group.digits.len() < 3 {
            return false;
        }
    }
    false
}

fn is_card(number: &str) -> bool {
    // Of the numbers that begin with 2 only Mir's and Mastercard's are cards; years, and dates such as 20231208, are not.
    let issuer = match number.as_bytes() {
        [b'2', ..] => ("2200".."2721").contains(&&number[..4]),
        [b'3', next, ..] => matches!(next, b'0' | b'4'..=b'9'),
        [first, ..] => (b'4'..=b'6').contains(first),
        [] => false,
    };
    let same = number.bytes().all(|byte| number.starts_with(char::from(byte)));
    issuer && !same && luhn(number)
}

fn luhn(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
