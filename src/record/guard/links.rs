//! Links: found in a text, and judged by the hosts they name.

use std::collections::BTreeSet;

use super::{
    Found,
    normal::{after, before, starts},
};
use crate::link::Link;

/// Gateways that show the Tor network to ordinary browsers; others are known by the onion name in theirs.
const GATEWAYS: &[&str] = &[
    "darknet.to",
    "onion.cab",
    "onion.casa",
    "onion.city",
    "onion.direct",
    "onion.dog",
    "onion.foundation",
    "onion.link",
    "onion.lt",
    "onion.lu",
    "onion.ly",
    "onion.moe",
    "onion.nu",
    "onion.pet",
    "onion.ps",
    "onion.re",
    "onion.rip",
    "onion.sh",
    "onion.to",
    "onion.top",
    "onion.ws",
    "tor2web.com",
    "tor2web.fi",
    "tor2web.io",
    "tor2web.it",
    "tor2web.org",
    "tor2web.su",
    "tor2web.xyz",
];

/// The longest name a host can have (RFC 1035), in bytes: of a longer one only the end is compared.
const HOST_MAX: usize = 253;
/// How often a link within a link within a link is decoded.
const DECODED: usize = 3;
/// The longest scheme looked for, in bytes.
const SCHEME_MAX: usize = 16;

/// A host as it is kept in the list; none if there is nothing to keep.
pub fn entry(host: &str) -> Option<String> {
    let host = host.trim().trim_start_matches(['*', '.']);
    let address = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    let host = match address.parse::<Link>() {
        Ok(link) => link.host().split(':').next().unwrap_or_default().to_owned(),
        Err(_) => host.to_lowercase(),
    };
    let host = host.trim_matches('.');
    (!host.is_empty()).then(|| host.to_owned())
}

/// The links of a text, and the text without them: where one was, the line ends.
///
/// A bare name stays in the text, unless it has a path that could be taken for a number or an e-mail address.
pub fn parted(text: &str) -> (Vec<&str>, String) {
    let mut links = Vec::new();
    let mut rest = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "<>\"«»“”„|`".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "<>\"«»“”„|`".contains(c));
        let cut = match word.find("://") {
            Some(colon) => {
                let link = scheme_start(word, colon);
                bare(&word[..link], &mut links);
                links.push(&word[link..]);
                Some(link)
            }
            None => bare(word, &mut links),
        };
        match cut {
            Some(cut) => {
                rest.push_str(&word[..cut]);
                rest.push('\n');
                rest.push_str(&piece[word.len()..]);
            }
            None => rest.push_str(piece),
        }
    }
    (links, rest)
}

fn scheme_start(word: &str, colon: usize) -> usize {
    let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    colon - word.as_bytes()[..colon].iter().rev().take(SCHEME_MAX).take_while(|byte| scheme(byte)).count()
}

/// Adds the bare host names of a word, with what follows them; gives the place from which the word is but a link.
fn bare<'t>(word: &'t str, links: &mut Vec<&'t str>) -> Option<usize> {
    for (start, run) in runs(word) {
        let end = start + run.len();
        if !is_host(run) || after(word, end) == Some('@') {
            continue;
        }
        if before(word, start) == Some('@') {
            // The host of an e-mail address is no link, but an onion address all the same.
            links.extend(run.to_lowercase().ends_with(".onion").then_some(run));
            continue;
        }
        let tail = &word[end..];
        let port = tail.strip_prefix(':').map_or(0, |tail| 1 + tail.bytes().take_while(u8::is_ascii_digit).count());
        if tail[port..].starts_with(['/', '?', '#', '\\']) {
            links.push(&word[start..]);
            return tail.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@').then_some(start);
        }
        links.push(run);
    }
    None
}

/// The longest stretches that could be a host name, with their places.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let mut next = 0;
    text.split_inclusive(part).map(move |piece| {
        let start = next;
        next += piece.len();
        let run = piece.trim_end_matches(part);
        let name = run.trim_start_matches(['.', '-', '_']);
        (start + run.len() - name.len(), name.trim_end_matches(['.', '-', '_']))
    })
}

/// Whether a name ends as names of hosts do: in a dot and at least two letters.
fn is_host(run: &str) -> bool {
    run.rsplit_once('.').is_some_and(|(_, last)| {
        starts(last, "xn--") || (last.chars().count() > 1 && last.chars().all(char::is_alphabetic))
    })
}

/// What is wrong with where a link leads, or with an address within it.
pub fn judged(link: &str, hosts: &BTreeSet<String>) -> Option<Found> {
    let link = decoded(link).to_lowercase().replace('\\', "/");
    let start = link.find("://").map_or(0, |colon| colon + 3);
    let end = link[start..].find(['/', '?', '#']).map_or(link.len(), |end| start + end);
    let leads = runs(&link[start..end]).find_map(|(_, host)| judged_host(host, hosts));
    leads.or_else(|| {
        let tail = &link[end..];
        runs(tail).find_map(|(at, host)| {
            // `/wiki/Pastebin.com` is a page about it; `/https://pastebin.com` and `/pastebin.com/x` lead there.
            let led = tail[..at].ends_with("//") || tail[..at].ends_with(":/");
            let leads = tail[at + host.len()..].strip_prefix('/').is_some_and(|path| path.starts_with(path_char));
            if led || leads { judged_host(host, hosts) } else { onion_name(host).then_some(Found::Onion) }
        })
    })
}

fn path_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '?' | '~')
}

fn judged_host(host: &str, hosts: &BTreeSet<String>) -> Option<Found> {
    let ascii = ascii(host);
    let host = &ascii[ascii.ceil_char_boundary(ascii.len().saturating_sub(HOST_MAX))..];
    if host.ends_with(".onion") || onion_name(host) {
        return Some(Found::Onion);
    }
    let starts = host.match_indices('.').map(|(dot, _)| dot + 1);
    std::iter::once(0).chain(starts).find_map(|start| {
        let parent = &host[start..];
        if GATEWAYS.contains(&parent) {
            return Some(Found::Onion);
        }
        hosts.get(parent).map(|entry| Found::Host(entry.clone()))
    })
}

/// The name in its ASCII form, as the list has it.
fn ascii(host: &str) -> String {
    if host.is_ascii() || host.len() > HOST_MAX {
        return host.to_owned();
    }
    format!("https://{host}").parse::<Link>().map_or_else(|_| host.to_owned(), |link| link.host().to_owned())
}

/// Whether a name has the label of an onion service (16 or 56 of base 32) before `onion`, whatever comes after.
fn onion_name(host: &str) -> bool {
    let label = |label: &str| {
        matches!(label.len(), 16 | 56) && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
    };
    let mut labels = host.split('.').peekable();
    while let Some(name) = labels.next() {
        if labels.peek() == Some(&"onion") && label(name) {
            return true;
        }
    }
    false
}

/// The link with its percent signs decoded, as often as links are wrapped in links.
pub fn decoded(link: &str) -> String {
    let mut link = link.to_owned();
    for _ in 0..DECODED {
        if !link.contains('%') {
            break;
        }
        link = decoded_once(&link);
    }
    link
}

fn decoded_once(link: &str) -> String {
    let bytes = link.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
