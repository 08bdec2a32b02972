//! What was typed, cut into the numbers and words of a date.

use super::{
    NotHeard,
    words::{LONGEST, Token, meaning},
};
use crate::slug::folded;

/// A word still without its meaning, which may need the words beside it.
enum Piece {
    Word(String),
    Token(Token),
}

/// The tokens of what was typed; the first word without a meaning is the reason if there is one.
pub(super) fn tokens(typed: &str) -> Result<Vec<Token>, NotHeard> {
    let pieces = pieces(&folded(typed).chars().collect::<Vec<char>>())?;
    let mut tokens = Vec::new();
    let mut rest = pieces.as_slice();
    while let Some(piece) = rest.first() {
        let (taken, meant) = match piece {
            Piece::Token(token) => (1, std::slice::from_ref(token)),
            Piece::Word(word) => phrase(rest).ok_or_else(|| NotHeard::Unknown(word.clone()))?,
        };
        tokens.extend_from_slice(meant);
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(hyphenated(&tokens))
}

/// The longest phrase the pieces begin with: of how many words, and what it means.
fn phrase(pieces: &[Piece]) -> Option<(usize, &'static [Token])> {
    let words = pieces.iter().map_while(|piece| match piece {
        Piece::Word(word) => Some(word.as_str()),
        Piece::Token(_) => None,
    });
    let words: Vec<&str> = words.take(LONGEST).collect();
    (1..=words.len()).rev().find_map(|len| Some((len, meaning(&words[..len].join(" "))?)))
}

fn pieces(text: &[char]) -> Result<Vec<Piece>, NotHeard> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let len = match first {
            '0'..='9' => numeral_len(rest),
            _ if first.is_alphabetic() => rest.iter().take_while(|c| c.is_alphabetic()).count(),
            _ => 1,
        };
        let (piece, after) = rest.split_at(len);
        rest = after;
        let piece: String = piece.iter().collect();
        match first {
            '0'..='9' => {
                numeral(&piece, &mut pieces)?;
                rest = suffix(rest, &mut pieces);
            }
            _ if first.is_alphabetic() => pieces.push(Piece::Word(piece)),
            '-' | '‐' | '–' | '—' | '−' => pieces.push(Piece::Token(Token::Dash)),
            '~' | '≈' => pieces.push(Piece::Token(Token::About)),
            ',' | '.' | ';' | '\'' | '’' | '`' => {}
            _ if first.is_whitespace() => {}
            _ => return Err(NotHeard::Unknown(piece)),
        }
    }
    Ok(pieces)
}

/// How many characters belong to the numeral at the start: digits, and marks between two digits.
fn numeral_len(text: &[char]) -> usize {
    let inside = |at: usize| match (text.get(at), text.get(at + 1)) {
        (Some(c), _) if c.is_ascii_digit() => true,
        (Some('-' | '–' | '/' | '.' | ':'), Some(next)) => next.is_ascii_digit(),
        _ => false,
    };
    (0..).take_while(|at| inside(*at)).count()
}

/// What sticks to a numeral: "8th", "1º" (folded to "1o"), "5h", and the T of EDTF.
fn suffix<'t>(text: &'t [char], pieces: &mut Vec<Piece>) -> &'t [char] {
    let len = text.iter().take_while(|c| c.is_alphabetic() || **c == '°').count();
    let (letters, rest) = text.split_at(len);
    let token = match letters.iter().collect::<String>().as_str() {
        "st" | "nd" | "rd" | "th" | "o" | "°" => Token::Ordinal,
        "h" => Token::OClock,
        "t" if rest.first().is_some_and(char::is_ascii_digit) => return rest,
        _ => return text,
    };
    pieces.push(Piece::Token(token));
    rest
}

/// Digits, with marks between them.
fn numeral(typed: &str, pieces: &mut Vec<Piece>) -> Result<(), NotHeard> {
    let unknown = || NotHeard::Unknown(typed.to_owned());
    let marks: String = typed.chars().filter(|c| !c.is_ascii_digit()).collect();
    let parts: Vec<&str> = typed.split(|c: char| !c.is_ascii_digit()).collect();
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 4).ok_or_else(unknown);
    let year = |part: &str| match part.len() {
        4 => part.parse::<i32>().map_err(|_| unknown()),
        2 => Err(NotHeard::ShortYear(part.to_owned())),
        _ => Err(unknown()),
    };
    let token = match (marks.as_str(), parts.as_slice()) {
        ("", [one]) => Token::Number(number(one)?, one.len()),
        (":", [hour, minute]) if minute.len() == 2 => {
            Token::Clock(number(hour)?, number(minute)?, hour.starts_with('0'))
        }
        ("." | "/" | "-", [first, second]) if second.len() == 4 && first.len() <= 2 => {
            Token::Iso { year: year(second)?, month: number(first)?, day: None }
        }
        ("/" | "-", [first, second]) if first.len() == 4 && second.len() <= 2 => {
            Token::Iso { year: year(first)?, month: number(second)?, day: None }
        }
        (".", [first, second]) if second.len() == 2 => Token::Dotted(number(first)?, number(second)?),
        ("." | "/", [first, second]) => {
            Token::Slashed { first: number(first)?, second: number(second)?, year: None, dotted: marks == "." }
        }
        ("//" | "--" | "..", [first, second, third]) if first.len() == 4 => {
            Token::Iso { year: year(first)?, month: number(second)?, day: Some(number(third)?) }
        }
        ("//" | "--" | "..", [first, second, third]) => {
            let (first, second, year) = (number(first)?, number(second)?, Some(year(third)?));
            Token::Slashed { first, second, year, dotted: marks == ".." }
        }
        _ => {
            let (from, to) = typed.split_once(['-', '–']).ok_or_else(unknown)?;
            numeral(from, pieces)?;
            pieces.push(Piece::Token(Token::Dash));
            return numeral(to, pieces);
        }
    };
    pieces.push(Piece::Token(token));
    Ok(())
}

/// Without the dashes inside a date: "8-Dec-2023".
fn hyphenated(tokens: &[Token]) -> Vec<Token> {
    let inside = |at: usize| {
        let beside = (at.checked_sub(1).and_then(|before| tokens.get(before)), tokens.get(at + 1));
        let day = matches!(beside, (Some(Token::Number(_, 1..=2)), Some(Token::Month(_))));
        day || matches!(beside, (Some(Token::Month(_)), Some(Token::Number(_, 4))))
    };
    (0..).zip(tokens).filter(|(at, token)| **token != Token::Dash || !inside(*at)).map(|(_, token)| *token).collect()
}
