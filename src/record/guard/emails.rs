//! E-mail addresses: one is a contact, several are people.

use std::collections::BTreeSet;

/// The longest local part (RFC 5321), in bytes.
const LOCAL_MAX: usize = 64;
/// The longest host name (RFC 1035), in bytes.
const HOST_MAX: usize = 253;

/// Whether a text has two or more different addresses.
pub fn several(text: &str) -> bool {
    let mut seen = BTreeSet::new();
    for (sign, _) in text.match_indices('@') {
        if let Some((start, end)) = address(text, sign) {
            seen.insert(text[start..end].to_lowercase());
            if seen.len() > 1 {
                return true;
            }
        }
    }
    false
}

/// Where the address around an `@` begins and ends. A handle such as `@acn@social.example` is none.
pub fn address(text: &str, sign: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let local = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte) || !byte.is_ascii();
    let start = sign - bytes[..sign].iter().rev().take(LOCAL_MAX).take_while(local).count();
    let start = text.ceil_char_boundary(start);
    let name = text[start..sign].trim_start_matches(|c: char| !c.is_alphanumeric());
    let start = sign - name.len();
    if name.is_empty() || text[..start].ends_with('@') {
        return None;
    }
    let host = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let long = bytes[sign + 1..].iter().take(HOST_MAX).take_while(host).count();
    let host = text[sign + 1..sign + 1 + long].trim_end_matches(['.', '-']);
    let (before, last) = host.rsplit_once('.')?;
    let named = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    (named && before.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some((start, sign + 1 + host.len()))
}
