//! Text as it is judged: one form for what can be written in many, and disguises undone.

use unicode_normalization::UnicodeNormalization;

/// What people write in brackets so that an address is no longer one, and what it stands for.
const DISGUISES: &[(&str, &str)] = &[
    (".", "."),
    ("dot", "."),
    ("punto", "."),
    ("@", "@"),
    ("at", "@"),
    ("chiocciola", "@"),
    (":", ":"),
    ("://", "://"),
    ("/", "/"),
];

/// The longest of them with a bracket and two blanks on either side, in bytes.
const DISGUISE_MAX: usize = 16;

/// The text in compatibility form (NFKC), without invisible characters, with one kind of dash, and not defanged.
pub fn normalised(text: &str) -> String {
    if text.is_ascii() {
        return refanged(text);
    }
    let plain: String = text.nfkc().filter(|c| !invisible(*c)).map(plain).collect();
    refanged(&plain)
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2E3A}' | '\u{2E3B}' | '\u{FE58}' => '-',
        '\u{3002}' => '.',
        _ => c,
    }
}

fn refanged(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '{', 'h', 'H']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((len, meant)) = disguise(rest) {
            out.truncate(out.trim_end_matches(' ').len());
            out.push_str(meant);
            rest = rest[len..].trim_start_matches(' ');
        } else if starts(rest, "hxxp") && !out.ends_with(char::is_alphanumeric) {
            out.push_str("http");
            rest = &rest["hxxp".len()..];
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// The length of a disguise at the beginning, and what it stands for.
fn disguise(text: &str) -> Option<(usize, &'static str)> {
    let close = match text.as_bytes().first()? {
        b'[' => ']',
        b'(' => ')',
        b'{' => '}',
        _ => return None,
    };
    let near = &text[1..text.floor_char_boundary(DISGUISE_MAX)];
    let inside = &near[..near.find(close)?];
    let (_, meant) = DISGUISES.iter().find(|(word, _)| inside.trim().eq_ignore_ascii_case(word))?;
    Some((inside.len() + 2, meant))
}

/// Whether a text begins with ASCII letters, in either case.
pub fn starts(text: &str, with: &str) -> bool {
    text.as_bytes().get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
}

/// The character before a place in a text.
pub fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

/// The character at a place in a text.
pub fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// Whether a character makes a word go on.
pub fn wordy(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The places where a word of ASCII letters and digits begins.
pub fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).filter(move |at| bytes[*at].is_ascii_alphanumeric() && !wordy(before(text, *at)))
}
