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
