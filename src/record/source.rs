//! A source: where something can be read.

use serde::{Deserialize, Serialize};

use crate::{
    lang::{Prose, worded},
    link::Link,
    when::When,
};

worded! {
    /// What kind of thing a source is.
    SourceKind {
        /// A news report.
        Press = "press", "press", "stampa";
        /// Somebody's analysis.
        Analysis = "analysis", "analysis", "analisi";
        /// What a company tells its customers.
        Notice = "notice", "company notice", "avviso aziendale";
        /// A company's or body's web site.
        Site = "site", "web site", "sito web";
        /// A press release.
        Release = "release", "press release", "comunicato stampa";
        /// An authority's own publication.
        Authority = "authority", "authority's note", "nota di un'autorità";
        /// A podcast or broadcast.
        Podcast = "podcast", "podcast", "podcast";
        /// A post on a social network.
        Social = "social", "social post", "post sui social";
        /// A document.
        Document = "document", "document", "documento";
    }
}

/// Where something can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Who published it.
    pub publisher: String,
    /// Its title, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it was published, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<When>,
    /// Its address; none if none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// A copy that survives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<Link>,
    /// What else is to be known: what it relays, what it is kept as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Prose>,
}
