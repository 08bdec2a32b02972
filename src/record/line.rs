//! One line of the journal: a chained header and up to two bodies, each committed in it by a salted hash.
//!
//! docs/FORMAT.md describes the same for a stranger. Everything is RFC 8785 (JCS) JSON, so the bytes on disk are the
//! bytes that were hashed.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    entry::{Author, EntryName, Importance, Said},
    private::{AskKey, Bodies, Fact},
    slug::Slug,
    when::When,
};

/// The format of the lines this program writes; it reads this one and every older one.
pub const FORMAT: u32 = 1;

/// The longest line, in bytes: sled never syncs a value over 128 KiB, so we stay well below.
pub const MAX_LINE: usize = 64 * 1024;

/// A SHA-256 hash, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first line of a chain has before it.
    pub const NONE: Hash = Hash([0; 32]);

    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Hash(bytes))
    }
}

/// The chained part of a line: what can never be erased. It holds nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its commit number: 1 for the first line of a journal, then one more each.
    pub commit: u64,
    /// For public entries: where it stands in its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Place>,
    /// [`FORMAT`] when it was written.
    pub format: u32,
    /// The commit number of the first line of the group it was synced with.
    pub group: u64,
    /// What it is: an entry's kind, or a private fact's.
    pub kind: String,
    /// The hash of the header before it in the journal.
    pub previous: Hash,
    /// The hash of its private body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Hash>,
    /// The hash of its public body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Hash>,
    /// When it was written, UTC, to the millisecond.
    #[serde(with = "moment")]
    pub recorded_at: DateTime<Utc>,
    /// Its place in the set of lines that one ask made.
    pub set: SetPlace,
}

/// Where a public entry stands in its incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The incident's handle.
    pub incident: Slug,
    /// Its number there, from 1.
    pub number: u32,
    /// The hash of the incident's header before it.
    pub previous: Hash,
}

impl Place {
    /// The entry's name.
    pub fn name(&self) -> EntryName {
        EntryName { incident: self.incident.clone(), number: self.number }
    }
}

/// The place of a line among those that one ask made, written `1/2`, `2/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetPlace {
    /// From 1.
    pub at: u32,
    /// How many there are.
    pub of: u32,
}

impl Serialize for SetPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.at, self.of))
    }
}

impl<'de> Deserialize<'de> for SetPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SetPlace, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let (at, of) = text.split_once('/')?;
            let place = SetPlace { at: at.parse().ok()?, of: of.parse().ok()? };
            (1 <= place.at && place.at <= place.of).then_some(place)
        };
        read().ok_or_else(|| serde::de::Error::custom("a place in a set is written 1/2"))
    }
}

/// What everybody may see of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// Who wrote it, by a random name.
    pub author: Author,
    /// Whether it came out of a dossier.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dossier: bool,
    /// How much it matters.
    pub importance: Importance,
    /// Its name for dossiers.
    pub key: Slug,
    /// When it became public, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<When>,
    /// Whether subscribers hear of it; if left out, they do unless it came out of a dossier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    /// What it says.
    pub said: Said,
    /// Random, so that nobody can guess an erased body from its hash.
    pub salt: Salt,
}

impl Public {
    /// Whether subscribers hear of it.
    pub fn pushes(&self) -> bool {
        self.push.unwrap_or(!self.dossier)
    }
}

/// What only we may see of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    /// The ask that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<AskKey>,
    /// The fact, for a line that is no public entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Fact>,
    /// Random, so that nobody can guess an erased body from its hash.
    pub salt: Salt,
}

/// 16 random bytes, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(pub String);

impl Salt {
    /// A new one, from the system's generator.
    pub fn random() -> Result<Salt, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Salt(hex::encode(bytes)))
    }
}

/// A line, whole: its header with that header's hash, its bodies, its bytes without the line feed.
#[derive(Clone, Debug)]
pub struct Line {
    /// The header.
    pub header: Header,
    /// The hash of the header.
    pub hash: Hash,
    /// The public body; none if it has none, or was erased.
    pub public: Option<Public>,
    /// The private body; none if it has none, or was erased.
    pub private: Option<Private>,
    /// As it stands in the journal.
    pub bytes: Vec<u8>,
}

/// Why some bytes are not a good line.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// Not JSON of the right shape.
    #[error("it cannot be read: {0}")]
    Form(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("it has format {0}, newer than this program's {FORMAT}: update Strillone")]
    Newer(u32),
    /// A body is not the one whose hash the header holds.
    #[error("its {0} body does not fit the hash in its header")]
    Body(&'static str),
    /// It is not in canonical form, so that its hashes cannot be told.
    #[error("it is not in canonical form")]
    Canonical,
    /// Its end is missing.
    #[error("its end is missing")]
    Torn,
    /// It does not follow the line before it.
    #[error("it does not continue the chain")]
    Chain,
    /// Its body is of another kind than its header says.
    #[error("its body is of another kind than its header says")]
    Kind,
    /// Over [`MAX_LINE`].
    #[error("it is longer than {MAX_LINE} bytes")]
    TooLong,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(borrow)]
    header: &'a RawValue,
    #[serde(borrow, default)]
    private: Option<&'a RawValue>,
    #[serde(borrow, default)]
    public: Option<&'a RawValue>,
}

impl Line {
    /// Makes a line: fills in the hashes of the bodies, and writes everything canonically.
    pub fn seal(mut header: Header, public: Option<Public>, private: Option<Private>) -> Result<Line, BadLine> {
        let public_bytes = public.as_ref().map(canonical).transpose()?;
        let private_bytes = private.as_ref().map(canonical).transpose()?;
        header.public = public_bytes.as_deref().map(Hash::of);
        header.private = private_bytes.as_deref().map(Hash::of);
        let header_bytes = canonical(&header)?;
        let bytes = assemble(&header_bytes, private_bytes.as_deref(), public_bytes.as_deref());
        if bytes.len() > MAX_LINE {
            return Err(BadLine::TooLong);
        }
        Ok(Line { hash: Hash::of(&header_bytes), header, public, private, bytes })
    }

    /// Reads a line and checks that its bodies are those its header commits to. The chain is the reader's to follow.
    pub fn read(bytes: &[u8]) -> Result<Line, BadLine> {
        if bytes.len() > MAX_LINE {
            return Err(BadLine::TooLong);
        }
        let raw: Raw<'_> = serde_json::from_slice(bytes)?;
        let format = serde_json::from_str::<FormatOnly>(raw.header.get())?.format;
        if format > FORMAT {
            return Err(BadLine::Newer(format));
        }
        let header: Header = serde_json::from_str(raw.header.get())?;
        let public = body(raw.public, header.public, "public")?;
        let private = body(raw.private, header.private, "private")?;
        let part = |raw: Option<&RawValue>| raw.map(|raw| raw.get().as_bytes().to_vec());
        let again = assemble(raw.header.get().as_bytes(), part(raw.private).as_deref(), part(raw.public).as_deref());
        let same = |canonical: Option<Vec<u8>>, raw: Option<&RawValue>| {
            canonical.as_deref() == raw.map(|raw| raw.get().as_bytes())
        };
        let bodies_same = same(public.as_ref().map(canonical).transpose()?, raw.public)
            && same(private.as_ref().map(canonical).transpose()?, raw.private);
        if again != bytes || !same(Some(canonical(&header)?), Some(raw.header)) || !bodies_same {
            return Err(BadLine::Canonical);
        }
        if public.as_ref().is_some_and(|public: &Public| public.said.kind().code() != header.kind) {
            return Err(BadLine::Kind);
        }
        Ok(Line { hash: Hash::of(raw.header.get().as_bytes()), header, public, private, bytes: bytes.to_vec() })
    }

    /// The line without some of its bodies; its header, and so both chains, stay as they are.
    pub fn without(&self, bodies: Bodies) -> Result<Vec<u8>, BadLine> {
        let raw: Raw<'_> = serde_json::from_slice(&self.bytes)?;
        let keep = |of: Bodies, body: Option<&RawValue>| {
            body.filter(|_| bodies != of && bodies != Bodies::Both).map(|raw| raw.get().as_bytes().to_vec())
        };
        let (private, public) = (keep(Bodies::Private, raw.private), keep(Bodies::Public, raw.public));
        Ok(assemble(raw.header.get().as_bytes(), private.as_deref(), public.as_deref()))
    }

    /// Whether it still has one of these bodies.
    pub fn holds(&self, bodies: Bodies) -> bool {
        (bodies != Bodies::Private && self.public.is_some()) || (bodies != Bodies::Public && self.private.is_some())
    }

    /// The bytes that an export shows: the header and the public body.
    pub fn exported(&self) -> Result<Vec<u8>, BadLine> {
        self.without(Bodies::Private)
    }
}

/// The header and public body of a line that was checked when it was written: the fast way for readers.
pub fn glance(bytes: &[u8]) -> Result<(Header, Option<Public>), BadLine> {
    #[derive(Deserialize)]
    struct Glance {
        header: Header,
        #[serde(default)]
        public: Option<Public>,
    }
    let Glance { header, public } = serde_json::from_slice(bytes)?;
    Ok((header, public))
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

fn body<T: DeserializeOwned>(
    raw: Option<&RawValue>,
    committed: Option<Hash>,
    which: &'static str,
) -> Result<Option<T>, BadLine> {
    match (raw, committed) {
        (Some(raw), Some(hash)) if Hash::of(raw.get().as_bytes()) == hash => Ok(Some(serde_json::from_str(raw.get())?)),
        (None, _) => Ok(None),
        _ => Err(BadLine::Body(which)),
    }
}

/// RFC 8785 JSON.
fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

fn assemble(header: &[u8], private: Option<&[u8]>, public: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(header.len() + 64);
    bytes.extend_from_slice(br#"{"header":"#);
    bytes.extend_from_slice(header);
    for (name, body) in [("private", private), ("public", public)] {
        if let Some(body) = body {
            bytes.extend_from_slice(b",\"");
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b"\":");
            bytes.extend_from_slice(body);
        }
    }
    bytes.push(b'}');
    bytes
}

/// A moment as the journal writes it: `2023-12-08T04:00:00.000Z`.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

mod moment {
    use super::*;

    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&stamp(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?.with_timezone(&Utc);
        if stamp(at) == text {
            Ok(at)
        } else {
            Err(serde::de::Error::custom("a moment is written 2023-12-08T04:00:00.000Z"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        claim::Claim,
        lang::{Lang, Prose},
    };

    fn line() -> Line {
        let header = Header {
            commit: 7,
            entry: Some(Place { incident: "westpole".parse().expect("a handle"), number: 3, previous: Hash::NONE }),
            format: FORMAT,
            group: 7,
            kind: "claim".to_owned(),
            previous: Hash::of(b"before"),
            private: None,
            public: None,
            recorded_at: DateTime::UNIX_EPOCH,
            set: SetPlace { at: 1, of: 2 },
        };
        let public = Public {
            author: Author("a1".to_owned()),
            dossier: false,
            importance: Importance::Normal,
            key: "k".parse().expect("a handle"),
            known: None,
            push: None,
            said: Said::Claim(Claim {
                text: Prose::one(Lang::En, "è così \u{1f6a8} <&>\n").expect("a text"),
                sources: Vec::new(),
            }),
            salt: Salt("00".to_owned()),
        };
        Line::seal(header, Some(public), Some(Private { ask: None, fact: None, salt: Salt("11".to_owned()) }))
            .expect("a line")
    }

    #[test]
    fn what_was_sealed_is_read_again() {
        let line = line();
        let again = Line::read(&line.bytes).expect("a good line");
        assert_eq!((again.header, again.hash, again.public), (line.header, line.hash, line.public));
    }

    #[test]
    fn an_erased_body_leaves_the_header_good() {
        let line = line();
        let exported = line.exported().expect("bytes");
        let again = Line::read(&exported).expect("a good line without its private body");
        assert_eq!(again.hash, line.hash);
        assert!(again.private.is_none() && again.public.is_some() && again.header.private.is_some());
    }

    #[test]
    fn a_newer_format_is_named() {
        let bytes = String::from_utf8(line().bytes).expect("text").replace(r#""format":1"#, r#""format":2"#);
        assert!(matches!(Line::read(bytes.as_bytes()), Err(BadLine::Newer(2))));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let line = line();
        for at in 0..line.bytes.len() {
            let mut bytes = line.bytes.clone();
            bytes[at] ^= 1;
            if let Ok(read) = Line::read(&bytes) {
                assert_ne!(read.hash, line.hash, "byte {at} changed unnoticed");
            }
        }
    }

    #[test]
    fn a_line_is_in_canonical_form_or_refused() {
        let text = String::from_utf8(line().bytes).expect("text");
        let read = |text: &str| Line::read(text.as_bytes()).map(|_| ()).expect_err(text);
        assert!(matches!(read(&text.replacen("{", "{ ", 1)), BadLine::Canonical));
        assert!(matches!(read(&format!("{text} ")), BadLine::Canonical));
        for other in ["00:00:00Z", "00:00:00.000+00:00", "00:00:00.0000Z"] {
            assert!(matches!(read(&text.replace("00:00:00.000Z", other)), BadLine::Form(_)), "{other}");
        }
        for other in ["0/2", "3/2", "1", "1/", "+1/2 "] {
            assert!(matches!(read(&text.replace("\"1/2\"", &format!("\"{other}\""))), BadLine::Form(_)), "{other}");
        }
        assert!(Line::read(text.replace("\"1/2\"", "\"2/2\"").as_bytes()).is_ok(), "the last of a set");
        let long = format!("{text}{}", " ".repeat(MAX_LINE - text.len()));
        assert!(matches!(read(&long), BadLine::Canonical), "as long as a line may be");
        assert!(matches!(read(&(long + " ")), BadLine::TooLong));
    }

    #[test]
    fn a_body_of_another_kind_than_the_header_says_is_refused() {
        let Line { header, public, .. } = line();
        let other = Line::seal(Header { kind: "event".to_owned(), ..header }, public, None).expect("a line");
        assert!(matches!(Line::read(&other.bytes), Err(BadLine::Kind)));
    }

    #[test]
    fn a_line_holds_the_bodies_that_were_not_erased() {
        let held = |bytes: Vec<u8>| {
            let line = Line::read(&bytes).expect("a good line");
            [Bodies::Public, Bodies::Private, Bodies::Both].map(|bodies| line.holds(bodies))
        };
        let line = line();
        assert_eq!(held(line.bytes.clone()), [true, true, true]);
        assert_eq!(held(line.without(Bodies::Private).expect("bytes")), [true, false, true]);
        assert_eq!(held(line.without(Bodies::Public).expect("bytes")), [false, true, true]);
        assert_eq!(held(line.without(Bodies::Both).expect("bytes")), [false, false, false]);
    }

    #[test]
    fn what_is_no_dossiers_is_pushed_unless_it_says_otherwise() {
        let public = line().public.expect("a body");
        for (dossier, push, pushes) in
            [(false, None, true), (true, None, false), (true, Some(true), true), (false, Some(false), false)]
        {
            assert_eq!(Public { dossier, push, ..public.clone() }.pushes(), pushes, "{dossier} {push:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Line::read(&bytes);
        }
    }
}
