//! One line of the journal: a chained header and up to two bodies, each committed in it by a salted hash.
//!
//! docs/FORMAT.md describes the same for a stranger. Everything is RFC 8785 (JCS) JSON, so the bytes on disk are the
//! bytes that were hashed.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    entry::{Author, EntryName, Importance, Kind, Said},
    private::{AskKey, Bodies, Fact},
    slug::Slug,
    when::When,
};

/// The highest format this program reads. A line is written in the lowest format that holds it: see [`lowest_format`].
pub const FORMAT: u32 = 2;

/// The kinds of private facts ([`Fact::kind`]) that only format 2 has.
const FACTS_OF_FORMAT_2: [&str; 1] = ["delivered"];
/// The header's fields that format 2 reserves. A line with one of them is newer than this program, not damaged.
const RESERVED_IN_HEADERS: [&str; 1] = ["erasure"];

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
    /// The lowest format that holds the line: see [`lowest_format`].
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
    /// Written by a newer program, in a format this one does not read.
    #[error("a newer Strillone wrote it: it has format {0}, newer than this program's {FORMAT}: update Strillone")]
    Newer(u32),
    /// Written by a newer program, with a reserved part of a format that this one reads: the hashes fit, so it is not
    /// damaged.
    #[error(
        "a newer Strillone wrote it: it uses a part of format {0} that this program does not know ({1}): update Strillone"
    )]
    Reserved(u32, String),
    /// Its header names a lower format than the line needs.
    #[error("it says format {said} and holds what only format {needed} has")]
    Understated {
        /// What the header says.
        said: u32,
        /// The lowest format that holds the line.
        needed: u32,
    },
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

impl BadLine {
    /// Whether the line is good, and only a newer program understands it: it must not be mended or cut off.
    pub fn is_newer(&self) -> bool {
        matches!(self, BadLine::Newer(_) | BadLine::Reserved(..))
    }
}

/// The lowest format that holds a line: what its header must say at least. `entry` tells public entries from private
/// facts, whose kinds have names of their own.
pub fn lowest_format(entry: bool, kind: &str) -> u32 {
    if !entry && FACTS_OF_FORMAT_2.contains(&kind) { 2 } else { 1 }
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
        let header = read_header(raw.header, format)?;
        let public: Option<Public> = body(raw.public, header.public, "public", format)?;
        let private: Option<Private> = body(raw.private, header.private, "private", format)?;
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
        let fact = private.as_ref().and_then(|private| private.fact.as_ref());
        let kinds = public.as_ref().map(|public| public.said.kind().code()).into_iter().chain(fact.map(Fact::kind));
        if kinds.into_iter().any(|kind| kind != header.kind) {
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

/// Reads a header and checks that its format holds what it says.
fn read_header(raw: &RawValue, format: u32) -> Result<Header, BadLine> {
    let header: Header = match serde_json::from_str(raw.get()) {
        Ok(header) => header,
        Err(error) => {
            let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(raw.get())?;
            return Err(match RESERVED_IN_HEADERS.iter().find(|name| fields.contains_key(**name)) {
                Some(_) if format > 1 => BadLine::Reserved(format, error.to_string()),
                _ => error.into(),
            });
        }
    };
    let entry = header.entry.is_some();
    if entry && !Kind::ALL.iter().any(|kind| kind.code() == header.kind) {
        // Its body may be erased, so that nothing else tells.
        return Err(match format {
            0 | 1 => BadLine::Kind,
            _ => BadLine::Reserved(format, format!("entries of the kind {:?}", header.kind)),
        });
    }
    let needed = lowest_format(entry, &header.kind);
    if format < needed { Err(BadLine::Understated { said: format, needed }) } else { Ok(header) }
}

/// Reads a body. If its hash fits and its shape is unknown, it is not damaged: format 1 never had it, and format 2 reserves
/// more than this program knows.
fn body<T: DeserializeOwned>(
    raw: Option<&RawValue>,
    committed: Option<Hash>,
    which: &'static str,
    format: u32,
) -> Result<Option<T>, BadLine> {
    match (raw, committed) {
        (Some(raw), Some(hash)) if Hash::of(raw.get().as_bytes()) == hash => match serde_json::from_str(raw.get()) {
            Ok(body) => Ok(Some(body)),
            Err(error) if format > 1 => Err(BadLine::Reserved(format, error.to_string())),
            Err(error) => Err(error.into()),
        },
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
            format: 1,
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

    fn read_as(change: impl Fn(String) -> String) -> Result<Line, BadLine> {
        Line::read(change(String::from_utf8(line().bytes).expect("text")).as_bytes())
    }

    #[test]
    fn a_newer_format_is_named() {
        let read = |format: u32| read_as(|text| text.replace(r#""format":1"#, &format!(r#""format":{format}"#)));
        let newer = read(3).expect_err("a format that this program does not read");
        assert!(matches!(newer, BadLine::Newer(3)) && newer.is_newer());
        assert!(newer.to_string().starts_with("a newer Strillone wrote it: it has format 3"), "{newer}");
        assert!(matches!(read(0), Err(BadLine::Understated { said: 0, needed: 1 })));
        assert_eq!(read(2).expect("harmless: an erased body cannot tell what the line needed").header.format, 2);
    }

    #[test]
    fn a_line_needs_the_lowest_format_that_holds_it() {
        assert_eq!([lowest_format(true, "claim"), lowest_format(false, "drained")], [1, 1]);
        assert_eq!([lowest_format(false, "delivered"), lowest_format(true, "delivered")], [2, 1]);
        let header = Header { entry: None, kind: "delivered".to_owned(), ..line().header };
        let erased = |format| Line::seal(Header { format, ..header.clone() }, None, None).expect("a line").bytes;
        assert!(matches!(Line::read(&erased(1)), Err(BadLine::Understated { said: 1, needed: 2 })));
        assert!(Line::read(&erased(2)).is_ok(), "its header alone, once its body is erased");
    }

    /// A line whose public body has one more member, with the hash that fits.
    fn with_more(format: u32) -> Vec<u8> {
        let line = line();
        let body = String::from_utf8(canonical(&line.public).expect("a body")).expect("text");
        let more = body.replace(r#""salt":"00""#, r#""salt":"00","sensitive":true"#);
        let header = Header { format, public: Some(Hash::of(more.as_bytes())), private: None, ..line.header };
        assemble(&canonical(&header).expect("a header"), None, Some(more.as_bytes()))
    }

    #[test]
    fn a_reserved_part_of_format_2_is_newer_and_not_damaged() {
        assert!(matches!(Line::read(&with_more(2)), Err(BadLine::Reserved(2, why)) if why.contains("sensitive")));
        assert!(matches!(Line::read(&with_more(1)), Err(BadLine::Form(_))), "format 1 has nothing reserved");
        let flipped = String::from_utf8(with_more(2)).expect("text").replace("sensitive", "sensitivf");
        assert!(matches!(Line::read(flipped.as_bytes()), Err(BadLine::Body("public"))), "damage is damage");
        let header = |format: u32, name: &str| {
            read_as(|text| {
                let reserved = format!(r#""{name}":{{"ground":"court","refs":[{{"number":2}}]}},"format":{format}"#);
                text.replace(r#""format":1"#, &reserved)
            })
        };
        assert!(matches!(header(2, "erasure"), Err(BadLine::Reserved(2, _))));
        assert!(matches!(header(1, "erasure"), Err(BadLine::Form(_))));
        assert!(matches!(header(2, "erasurf"), Err(BadLine::Form(_))), "a flipped bit is damage");
        let merged = |format| {
            let header = Header { kind: "merged".to_owned(), format, public: None, private: None, ..line().header };
            Line::read(&assemble(&canonical(&header).expect("a header"), None, None))
        };
        assert!(matches!(merged(2), Err(BadLine::Reserved(2, _))), "an entry of a reserved kind, erased");
        assert!(matches!(merged(1), Err(BadLine::Kind)));
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
        let fact = Some(Fact::Loaded { dossier: "d".to_owned() });
        let private = Some(Private { ask: None, fact, salt: Salt("22".to_owned()) });
        let header = |kind: &str| Header { entry: None, kind: kind.to_owned(), ..line().header };
        let read = |kind: &str| Line::read(&Line::seal(header(kind), None, private.clone()).expect("a line").bytes);
        assert!(read("loaded").is_ok());
        assert!(matches!(read("told"), Err(BadLine::Kind)));
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
