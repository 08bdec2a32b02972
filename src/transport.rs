//! The way to other machines: HTTP clients and streams, straight or through the proxy of the settings, and what stands in
//! the way. The variables of other programs (`HTTPS_PROXY` and its like) do not count.

mod tunnel;

use std::error::Error;

pub use tunnel::{Stream, open};

use crate::config::Proxy;

/// Variables by which other programs are told of a proxy, in the order in which they are named to operators.
const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// The beginning of every HTTP client.
pub fn client(proxy: Option<&Proxy>) -> reqwest::Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder().no_proxy();
    Ok(match proxy {
        None => builder,
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.expose())?),
    })
}

/// The variable that names a proxy for other programs, if there is one.
pub fn variable(is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    VARIABLES.into_iter().find(|name| is_set(name))
}

/// An error with what caused it; what is said twice is said once.
pub fn cause(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let more = error.to_string();
        if !words.ends_with(&more) {
            words += &format!(": {more}");
        }
        inner = error.source();
    }
    words
}
