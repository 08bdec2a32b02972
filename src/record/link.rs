//! Links to sources: http or https, kept in one normal form.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// An address of a source: `http` or `https`, with a host and without a user name, at most 2,000 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link(String);

impl Link {
    /// The longest address, in bytes, as most browsers and both platforms take it.
    pub const MAX: usize = 2_000;

    /// The address; international host names in their ASCII form, so that look-alikes show.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without `www.`, for a short mention.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host)
    }

    /// The same address without what merely tells who sent a reader there: two people who copy the same page from two
    /// places then cite one source. Everything else stays as it is, character by character.
    pub fn without_trackers(self) -> Link {
        let (before, fragment) = self.0.split_once('#').map_or((&*self.0, None), |(before, rest)| (before, Some(rest)));
        let Some((page, query)) = before.split_once('?') else { return self };
        let told: Vec<&str> = query.split('&').filter(|pair| !is_tracker(pair)).collect();
        if told.len() == query.split('&').count() {
            return self;
        }
        let mut link = page.to_owned();
        if !told.is_empty() {
            link.push('?');
            link.push_str(&told.join("&"));
        }
        if let Some(fragment) = fragment {
            link.push('#');
            link.push_str(fragment);
        }
        Link(link)
    }
}

/// Whether a pair of a query names the campaign, the advertisement or the mail by which somebody came.
fn is_tracker(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    const NAMES: [&str; 14] = [
        "_ga", "_gl", "dclid", "fbclid", "gbraid", "gclid", "igsh", "igshid", "mc_cid", "mc_eid", "msclkid", "twclid",
        "wbraid", "yclid",
    ];
    name.starts_with("utm_") || NAMES.contains(&name.as_str())
}

/// Why a text is not an address of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALink {
    /// It does not parse as a URL (WHATWG URL Standard).
    #[error("a link must be a web address such as https://example.org/page")]
    Malformed,
    /// Only http and https can be cited.
    #[error("a link must begin with http:// or https://")]
    Scheme,
    /// A user name in an address hides where it leads.
    #[error("a link must not hold a user name or password")]
    Userinfo,
    /// Over [`Link::MAX`].
    #[error("a link must not be longer than {} bytes", Link::MAX)]
    TooLong,
}

impl FromStr for Link {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Link, NotALink> {
        let url = Url::parse(text.trim()).map_err(|_| NotALink::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NotALink::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotALink::Userinfo);
        }
        let normal = String::from(url);
        if normal.len() > Link::MAX {
            return Err(NotALink::TooLong);
        }
        Ok(Link(normal))
    }
}

impl TryFrom<String> for Link {
    type Error = NotALink;

    fn try_from(text: String) -> Result<Link, NotALink> {
        text.parse()
    }
}

impl From<Link> for String {
    fn from(link: Link) -> String {
        link.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_only_who_sent_a_reader_is_left_out() {
        let told = |link: &str| link.parse::<Link>().expect("a link").without_trackers().to_string();
        for (given, kept) in [
            ("https://example.org/a?utm_source=x&id=7&UTM_medium=y#part", "https://example.org/a?id=7#part"),
            ("https://example.org/a?fbclid=abc", "https://example.org/a"),
            ("https://example.org/a?gclid=1#top", "https://example.org/a#top"),
            ("https://example.org/a?b=%20c&&d", "https://example.org/a?b=%20c&&d"),
            ("https://example.org/a?", "https://example.org/a?"),
            ("https://example.org/?q=utm_source", "https://example.org/?q=utm_source"),
            ("https://example.org/#?utm_source=x", "https://example.org/#?utm_source=x"),
        ] {
            assert_eq!(told(given), kept, "{given}");
        }
    }

    #[test]
    fn an_address_is_normalised_and_foreign_schemes_are_refused() {
        let link: Link = " HTTPS://Example.ORG:443/a b ".parse().expect("a link");
        assert_eq!(link.as_str(), "https://example.org/a%20b");
        assert_eq!("https://www.agi.it/x".parse::<Link>().expect("a link").host(), "agi.it");
        assert_eq!("javascript:alert(1)".parse::<Link>(), Err(NotALink::Scheme));
        assert_eq!("ftp://example.org".parse::<Link>(), Err(NotALink::Scheme));
        assert_eq!("https://agi.it@evil.example/".parse::<Link>(), Err(NotALink::Userinfo));
        assert_eq!("westpole".parse::<Link>(), Err(NotALink::Malformed));
        assert_eq!("https://аgi.it/".parse::<Link>().expect("a link").host(), "xn--gi-6kc.it");
    }
}
