//! What a channel follows, and whether that covers an entry.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    entry::{Importance, Kind},
    slug::{Slug, searched},
};

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum What {
    /// Everything.
    All,
    /// An incident.
    Incident(Slug),
    /// Every incident in which an organisation has a role, and every entry that names it.
    Organisation(Slug),
}

/// How an organisation is written where an incident could have the same handle: `org=westpole`.
pub const ORGANISATION: &str = "org=";

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::All => f.write_str("all"),
            What::Incident(handle) => write!(f, "{handle}"),
            What::Organisation(handle) => write!(f, "{ORGANISATION}{handle}"),
        }
    }
}

impl FromStr for What {
    type Err = crate::slug::NotASlug;

    fn from_str(text: &str) -> Result<What, Self::Err> {
        match text.strip_prefix(ORGANISATION) {
            Some(handle) => handle.parse().map(What::Organisation),
            None if text == "all" => Ok(What::All),
            None => text.parse().map(What::Incident),
        }
    }
}

impl TryFrom<String> for What {
    type Error = crate::slug::NotASlug;

    fn try_from(text: String) -> Result<What, Self::Error> {
        text.parse()
    }
}

impl From<What> for String {
    fn from(what: What) -> String {
        what.to_string()
    }
}

/// What is followed, and what of it; an empty filter lets everything pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// What.
    pub what: What,
    /// Only entries that matter at least so much.
    #[serde(default = "minor", skip_serializing_if = "is_minor")]
    pub min_importance: Importance,
    /// Only entries of these kinds; of a correction, the kind of what is corrected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// Only entries that hold one of these, in any language; case and accents do not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Without a sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// Also when an update that was promised does not come in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapses: bool,
    /// The role that a new message calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<Mention>,
}

/// A role of a Discord server, called by entries that matter enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mention {
    /// The role's number: written as a string, for it is larger than the numbers that canonical JSON keeps exact.
    #[serde(with = "as_text")]
    pub role: u64,
    /// Only for entries that matter at least so much.
    #[serde(default = "minor", skip_serializing_if = "is_minor")]
    pub from: Importance,
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn minor() -> Importance {
    Importance::Minor
}

fn is_minor(importance: &Importance) -> bool {
    *importance == Importance::Minor
}

impl Follow {
    /// Everything about it.
    pub fn of(what: What) -> Follow {
        let (kinds, words) = (Vec::new(), Vec::new());
        Follow { what, min_importance: Importance::Minor, kinds, words, silent: false, lapses: false, mention: None }
    }
}

/// A subscription of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Its number: from 1, in the order in which they were made; it never changes.
    pub number: u32,
    /// The commit at which it began: it covers only what was recorded after that.
    pub since: u64,
    /// What of what.
    pub follow: Follow,
}

/// What a filter looks at in an entry.
#[derive(Clone, Debug)]
pub struct News {
    /// The commit at which it was recorded.
    pub commit: u64,
    /// Its incident.
    pub incident: Slug,
    /// Its kind; of a correction, the kind of what it corrects.
    pub kind: Kind,
    /// How much it matters now.
    pub importance: Importance,
    /// The organisations that it names, and those that have a role in its incident.
    pub organisations: Vec<Slug>,
    /// Every word in it, in every language, as [`searched`] makes them.
    pub text: String,
    /// Whether the news is that what it promised did not come in time.
    pub lapse: bool,
}

impl Subscription {
    /// Whether an entry is about what it follows.
    pub fn is_about(&self, news: &News) -> bool {
        match &self.follow.what {
            What::All => true,
            What::Incident(handle) => *handle == news.incident,
            What::Organisation(handle) => news.organisations.contains(handle),
        }
    }

    /// Whether it covers an entry.
    pub fn covers(&self, news: &News) -> bool {
        let Follow { min_importance, kinds, words, .. } = &self.follow;
        if news.lapse {
            // Whoever asked to hear of lapses hears of each: filters are for entries.
            return self.follow.lapses && self.is_about(news) && self.since < news.commit;
        }
        self.is_about(news)
            && self.since < news.commit
            && *min_importance <= news.importance
            && (kinds.is_empty() || kinds.contains(&news.kind))
            && (words.is_empty() || words.iter().any(|word| has_word(&news.text, &searched(word))))
    }
}

/// Whether one of a text's words begins so: "ransom" finds "ransomware", "dati" does not find "candidati".
fn has_word(text: &str, begins: &str) -> bool {
    let begins = begins.trim();
    text.match_indices(begins).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(char::is_alphanumeric) || !begins.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> News {
        News {
            commit: 9,
            incident: "westpole".parse().expect("a handle"),
            kind: Kind::Statement,
            importance: Importance::Normal,
            organisations: vec!["acn".parse().expect("a handle")],
            text: searched("Più di 700 enti · more than 700 bodies"),
            lapse: false,
        }
    }

    fn covers(change: impl FnOnce(&mut Follow)) -> bool {
        let mut follow = Follow::of(What::All);
        change(&mut follow);
        Subscription { number: 1, since: 8, follow }.covers(&news())
    }

    #[test]
    fn every_filter_narrows_and_an_empty_one_lets_everything_pass() {
        let what = |text: &str| text.parse::<What>().expect(text);
        assert!(covers(|_| {}));
        assert!(covers(|it| it.what = what("westpole")) && !covers(|it| it.what = what("other")));
        assert!(covers(|it| it.what = what("org=acn")) && !covers(|it| it.what = what("org=westpole")));
        assert!(
            covers(|it| it.min_importance = Importance::Normal) && !covers(|it| it.min_importance = Importance::Major)
        );
        assert!(
            covers(|it| it.kinds = vec![Kind::Event, Kind::Statement]) && !covers(|it| it.kinds = vec![Kind::Event])
        );
        assert!(covers(|it| it.words = vec!["PIU di".to_owned()]), "case and accents do not matter");
        assert!(covers(|it| it.words = vec!["ransom".to_owned(), "bodies".to_owned()]), "one of them is enough");
        assert!(!covers(|it| it.words = vec!["ransom".to_owned()]));
        assert!(covers(|it| it.words = vec!["bod".to_owned()]), "a word may go on");
        assert!(!covers(|it| it.words = vec!["odies".to_owned()]), "but begins as it was given");
        assert!(!Subscription { number: 1, since: 9, follow: Follow::of(What::All) }.covers(&news()), "began with it");
    }

    #[test]
    fn only_who_asked_hears_that_a_promise_lapsed_whatever_the_filters() {
        let hears = |lapses: bool, what: &str| {
            let what = what.parse().expect(what);
            let follow = Follow { lapses, min_importance: Importance::Major, ..Follow::of(what) };
            Subscription { number: 1, since: 8, follow }.covers(&News { lapse: true, ..news() })
        };
        assert!(hears(true, "westpole") && hears(true, "all") && hears(true, "org=acn"));
        assert!(!hears(false, "westpole") && !hears(true, "other"));
    }

    #[test]
    fn what_is_followed_is_read_as_it_is_written() {
        for text in ["all", "westpole", "org=acn"] {
            assert_eq!(text.parse::<What>().expect(text).to_string(), text);
        }
        assert!("org=".parse::<What>().is_err() && "a b".parse::<What>().is_err());
    }
}
