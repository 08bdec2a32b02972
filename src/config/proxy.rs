//! The proxy through which everything goes, as the setting `network.proxy` names it.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode_str;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP, unencrypted up to the proxy.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS5; this machine looks names up.
    Socks5,
    /// SOCKS5; the proxy looks names up.
    Socks5h,
}

/// A proxy, with what it asks for to let us in; printed without that.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub kind: ProxyKind,
    /// Its name or address; of IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User name and password.
    pub login: Option<(String, String)>,
    url: String,
}

impl Proxy {
    /// Reads `http://`, `https://`, `socks5://` or `socks5h://` with a host, perhaps `user:password@` and a port.
    pub fn parse(text: &str) -> Option<Proxy> {
        let url = url::Url::parse(text.trim()).ok()?;
        let (kind, port) = match url.scheme() {
            "http" => (ProxyKind::Http, 80),
            "https" => (ProxyKind::Https, 443),
            "socks5" => (ProxyKind::Socks5, 1080),
            "socks5h" => (ProxyKind::Socks5h, 1080),
            _ => return None,
        };
        let more = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
        let host = url.host_str().filter(|host| !host.is_empty() && !more)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some((decoded(user)?, decoded(password.unwrap_or_default())?)),
        };
        // SOCKS5 has a byte for the length of each.
        let fits = |text: &str| text.len() <= 255;
        let fitting = fits(&host) && login.as_ref().is_none_or(|(user, password)| fits(user) && fits(password));
        fitting.then(|| Proxy { kind, host, port: url.port().unwrap_or(port), login, url: url.to_string() })
    }

    /// The whole address, with user name and password, for an HTTP client and nobody else.
    pub fn expose(&self) -> &str {
        &self.url
    }
}

/// Text without percent-encoding; none if that is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "Proxy({:?} {}:{})", self.kind, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_with_a_login_that_is_not_shown() {
        let proxy = Proxy::parse("http://us%40er:pa%3Ass@proxy.example:3128").expect("a proxy");
        assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (ProxyKind::Http, "proxy.example", 3128));
        assert_eq!(proxy.login, Some(("us@er".to_owned(), "pa:ss".to_owned())));
        assert_eq!(format!("{proxy:?}"), "Proxy(Http proxy.example:3128)");
        for (text, kind, port) in [
            ("https://p.example", ProxyKind::Https, 443),
            ("socks5://127.0.0.1:9050", ProxyKind::Socks5, 9050),
            ("socks5h://p.example/", ProxyKind::Socks5h, 1080),
            ("socks5://[::1]", ProxyKind::Socks5, 1080),
        ] {
            let proxy = Proxy::parse(text).expect(text);
            assert_eq!((proxy.kind, proxy.port, proxy.login), (kind, port, None), "{text}");
        }
        for bad in
            ["", "proxy:3128", "ftp://x", "http://", "http://x/path", "http://x?y", "http://%ff:a@x", "socks4://x"]
        {
            assert_eq!(Proxy::parse(bad), None, "{bad}");
        }
    }
}
