//! Text that looks like a password, a key or a token.

use super::{
    emails,
    normal::{after, before},
};

/// Words after which a password follows a colon or an equals sign.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "psw",
    "api_key",
    "apikey",
    "api-key",
    "client_secret",
    "secret_key",
    "secret_access_key",
];
/// Words after which one follows only where a name was given shortly before.
const SHORT: &[&str] = &["pass", "pw"];
/// Words that give such a name.
const NAMES: &[&str] =
    &["user", "username", "userid", "user_id", "utente", "login", "email", "e-mail", "account", "nome"];
/// How far before its password a name is looked for, in bytes.
const NEAR: usize = 200;
/// How much of a value is looked at, in characters.
const VALUE_MAX: usize = 128;
/// Shorter values are taken for words.
const VALUE_MIN: usize = 6;

/// How keys of well-known services begin, and how many letters or digits follow at least.
const KEYS: &[(&str, usize)] = &[
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("AIza", 35),
];

/// How algorithms, protocols and other names with digits in them begin, which are no password.
const ALGORITHMS: &[&str] = &[
    "aes", "argon", "base", "bcrypt", "blake", "chacha", "covid", "crc", "des", "ed", "gost", "hmac", "iso", "md",
    "ntlm", "ntlmv", "office", "pbkdf", "rc", "rsa", "scrypt", "sha", "ssl", "tls", "windows", "wpa", "yescrypt",
];
/// What follows a number that counts or measures.
const MEASURES: &[&str] =
    &["b", "bit", "bits", "d", "fa", "gb", "k", "kb", "m", "mb", "mila", "mln", "ore", "tb", "des"];

/// Whether a text has any of them.
pub fn any(text: &str) -> bool {
    pair(text) || in_address(text) || dump_line(text) || hash_line(text) || private_key(text) || token(text)
}

/// `password: x`, and `user: x pass: y`.
fn pair(text: &str) -> bool {
    let mut named = None;
    for (sign, _) in text.match_indices([':', '=']) {
        let head = text[..sign].trim_end_matches([' ', '"', '\'', '*']);
        // A bound on the blanks, so that a text of nothing else is not read over and over.
        if sign - head.len() > 8 {
            continue;
        }
        let ends = |words: &[&str]| words.iter().any(|word| ends_in_word(head, word));
        if ends(NAMES) {
            named = Some(sign);
        }
        let near = named.is_some_and(|name| sign - name <= NEAR);
        if (ends(SECRETS) || (near && ends(SHORT))) && made_up(value(&text[sign + 1..])) {
            return true;
        }
    }
    false
}

fn ends_in_word(text: &str, word: &str) -> bool {
    let Some(start) = text.len().checked_sub(word.len()) else { return false };
    text.is_char_boundary(start)
        && text[start..].eq_ignore_ascii_case(word)
        && !before(text, start).is_some_and(char::is_alphanumeric)
}

/// What was given: up to the next blank, without quotation marks and the sentence's punctuation.
fn value(text: &str) -> &str {
    let quote = |c: char| matches!(c, '"' | '\'' | '«' | '»' | '“' | '”' | '‘' | '’' | '`' | '*');
    let lead = text.char_indices().take(8).find(|(_, c)| !(quote(*c) || matches!(c, ' ' | '\t' | '=' | '>' | '<')));
    let text = lead.map_or("", |(start, _)| &text[start..]);
    let end =
        text.char_indices().take(VALUE_MAX).find(|(_, c)| c.is_whitespace() || matches!(c, '"' | '»' | '”' | '`'));
    let end = end.map_or_else(|| text.char_indices().nth(VALUE_MAX).map_or(text.len(), |(end, _)| end), |(end, _)| end);
    text[..end].trim_end_matches(|c: char| quote(c) || ".,;:!?)]}>…".contains(c))
}

/// Whether a value is neither a word, nor a name with a number in it, nor blacked out.
fn made_up(value: &str) -> bool {
    let masked = value.contains("**") || value.contains("••") || value.contains("...") || value.contains("xxx");
    let filled_in = ["${", "$(", "{", "[", "%("].iter().any(|open| value.starts_with(open));
    if value.chars().count() < VALUE_MIN || masked || filled_in || is_email(value) || known_name(value) {
        return false;
    }
    // Marks that words and sentences have too do not count.
    let symbol = |c: char| c.is_ascii_punctuation() && !"-'./,_:;()\"!?".contains(c);
    value.chars().any(char::is_alphabetic) && value.chars().any(|c| c.is_numeric() || symbol(c))
}

fn is_email(value: &str) -> bool {
    value.find('@').and_then(|sign| emails::address(value, sign)) == Some((0, value.len()))
}

/// `SHA256`, `AES-256-GCM`, `PBKDF2/HMAC-SHA1`, `128-bit`, `16mila`.
fn known_name(value: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    let mut known = false;
    let fits = value.split(['-', '/', '_', '+', '(', ',', '.', ':']).all(|piece| {
        let lower = piece.to_lowercase();
        let word = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let name = word.trim_end_matches(digit);
        let measure = name.is_empty() && value.starts_with(digit) && MEASURES.contains(&&lower[word.len()..]);
        // A digit or more after the name, and at most a short ending, as in `argon2id`.
        let named = word.len() > name.len() && ALGORITHMS.contains(&name) && lower.len() - word.len() <= 2;
        known |= measure || named || ALGORITHMS.contains(&lower.as_str());
        measure
            || named
            || lower.chars().all(char::is_alphabetic)
            || (lower.len() <= 5 && name.is_empty() && word == lower)
    });
    fits && known
}

/// `https://user:secret@host`.
fn in_address(text: &str) -> bool {
    text.match_indices("://").any(|(colon, _)| {
        let rest = &text[colon + 3..];
        let near = &rest[..rest.floor_char_boundary(VALUE_MAX * 2)];
        let end =
            near.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '<' | '"')).unwrap_or(near.len());
        let user = near[..end].rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, secret)| !secret.is_empty())
    })
}

/// `mail@host:secret`, as lists of stolen accounts have it.
fn dump_line(text: &str) -> bool {
    text.match_indices('@').any(|(sign, _)| {
        let Some((start, end)) = emails::address(text, sign) else { return false };
        if text[start..sign].eq_ignore_ascii_case("git") || !after(text, end).is_some_and(|c| ":;|".contains(c)) {
            return false;
        }
        let secret = &text[end + 1..];
        if secret.starts_with(|c: char| c.is_whitespace() || matches!(c, '/' | '~')) {
            return false;
        }
        let value = value(secret);
        made_up(value) || (before(text, start).is_none_or(|c| c == '\n') && is_rest_of_line(&text[end..]))
    })
}

/// `:secret` and nothing more, such as a word that would not look made up in a sentence.
fn is_rest_of_line(text: &str) -> bool {
    let Some(secret) = text.strip_prefix(':') else { return false };
    let near = &secret[..secret.floor_char_boundary(VALUE_MAX)];
    let line = near.split('\n').next().unwrap_or_default();
    let ends = line.len() < near.len() || near.len() == secret.len();
    let line = line.trim_end();
    let chars = line.chars().filter(|c| c.is_alphanumeric()).count();
    ends && chars >= VALUE_MIN && !line.contains(char::is_whitespace) && !is_email(line)
}

/// `user:500:hash:hash`, as tools print the accounts of a Windows machine. A hash alone tells nothing.
fn hash_line(text: &str) -> bool {
    let hash = |part: &str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_whitespace().any(|word| {
        let mut last = ["", ""];
        word.split(':').any(|part| {
            let number = !last[0].is_empty() && last[0].bytes().all(|byte| byte.is_ascii_digit());
            let found = number && hash(last[1]) && hash(part);
            last = [last[1], part];
            found
        })
    })
}

/// The first line of a private key (PEM, RFC 7468; OpenPGP).
fn private_key(text: &str) -> bool {
    const KEY: &str = "PRIVATE KEY";
    text.match_indices(KEY).any(|(key, _)| {
        let head = &text[text.ceil_char_boundary(key.saturating_sub(24))..key];
        let tail = &text[key + KEY.len()..];
        head.contains("-BEGIN ") && (tail.starts_with('-') || tail.starts_with(" BLOCK-"))
    })
}

/// Keys and tokens that are known by their form.
fn token(text: &str) -> bool {
    let part = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    text.split(part).any(|word| {
        let mut last = ["", ""];
        word.split('.').any(|part| {
            let found = json_token(last[0], last[1], part) || discord(last[0], last[1], part) || key(part);
            last = [last[1], part];
            found
        })
    }) || telegram(text)
}

fn key(part: &str) -> bool {
    let long = |rest: &str, least| {
        rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) && rest.len() >= least
    };
    KEYS.iter().any(|(begin, least)| part.strip_prefix(begin).is_some_and(|rest| long(rest, *least)))
        || part.split(['-', '_']).any(amazon)
}

fn amazon(word: &str) -> bool {
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// A JSON web token (RFC 7519): two objects in base 64, which begin with `{"`, and a signature.
fn json_token(head: &str, claims: &str, signature: &str) -> bool {
    let object = |part: &str| part.len() >= 10 && part.starts_with("eyJ");
    object(head) && object(claims) && signature.len() >= 10
}

/// The token of a Discord bot: its number in base 64, a moment, a signature.
fn discord(id: &str, moment: &str, signature: &str) -> bool {
    let number = || {
        // Base 64 of digits: the first and every fourth letter says `0` to `?` in its upper bits.
        id.bytes().step_by(4).all(|byte| matches!(byte, b'M' | b'N' | b'O'))
    };
    (23..=28).contains(&id.len()) && (6..=7).contains(&moment.len()) && (27..=40).contains(&signature.len()) && number()
}

/// The token of a Telegram bot: its number, a colon, and 35 letters, digits, `-` or `_`.
fn telegram(text: &str) -> bool {
    text.match_indices(':').any(|(colon, _)| {
        let number = text.as_bytes()[..colon].iter().rev().take(13).take_while(|byte| byte.is_ascii_digit()).count();
        let rest = &text.as_bytes()[colon + 1..];
        let secret =
            rest.iter().take(37).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
        (7..=12).contains(&number) && (34..=36).contains(&secret) && rest[..secret].iter().any(u8::is_ascii_alphabetic)
    })
}
