//! What becomes of a message that is sent, when it is tried again, and how a second try is known to be one.

use std::num::ParseIntError;

use serde::{Deserialize, Serialize};

use crate::{
    channel::ChannelNumber,
    lang::{Lang, Text},
    line::Hash,
    private::Address,
};

/// A moment in milliseconds since 1970 UTC.
pub type Ms = i64;

const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const HOUR: Ms = 60 * MINUTE;
const DAY: Ms = 24 * HOUR;

/// How long Discord surely remembers a nonce: "a few minutes", so we count on less than two.
pub const NONCE_WINDOW: Ms = 110 * SECOND;
/// How long the subscriptions of a channel that cannot be reached are kept.
pub const KEPT: Ms = 30 * DAY;
/// Entries that wait longer than this are told together.
pub const LATE: Ms = 10 * MINUTE;
/// A message on Telegram is sent again at most so often: then it is left at that, and the next one tells.
pub const REPEATS: u32 = 8;
/// More late entries than this become one card.
pub const FEW: usize = 3;
/// How many entries one catch-up card names.
pub const CARD: usize = 60;

/// What a delivery left in a chat, as a line of the journal holds it: in one string, for the numbers of messages are
/// larger than those that canonical JSON (RFC 8785) keeps exact. `12 13` for an entry's messages, `again 12` where they
/// took the place of lost ones, `card:7-9 12` where they told the entries of commits 7 to 9 together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Left {
    /// Its messages, in order; none if their numbers are lost.
    pub ids: Vec<u64>,
    /// Whether they took the place of an earlier message.
    pub replaces: bool,
    /// The first and the last entry of the card that they are.
    pub card: Option<(u64, u64)>,
}

impl Left {
    /// What a delivery left in a chat that has moved so often.
    pub fn of(delivery: &Delivery, moves: u32) -> Left {
        let ids = if delivery.is_stale(moves) { Vec::new() } else { delivery.ids.clone() };
        Left { ids, replaces: delivery.replaces, card: delivery.card }
    }

    /// The bytes that it takes in a line of the journal, with its channel's number: at most so many.
    pub fn bytes(&self) -> usize {
        let card = if self.card.is_some() { 48 } else { 0 };
        64 + card + 21 * self.ids.len()
    }
}

impl From<Left> for String {
    fn from(left: Left) -> String {
        let again = left.replaces.then(|| "again".to_owned());
        let card = left.card.map(|(first, last)| format!("card:{first}-{last}"));
        let words: Vec<String> = again.into_iter().chain(card).chain(left.ids.iter().map(u64::to_string)).collect();
        words.join(" ")
    }
}

impl TryFrom<String> for Left {
    type Error = ParseIntError;

    fn try_from(text: String) -> Result<Left, Self::Error> {
        let mut left = Left::default();
        for word in text.split_whitespace() {
            match word.strip_prefix("card:").map(|card| card.split_once('-').unwrap_or((card, card))) {
                Some((first, last)) => left.card = Some((first.parse()?, last.parse()?)),
                None if word == "again" => left.replaces = true,
                None => left.ids.push(word.parse()?),
            }
        }
        Ok(left)
    }
}

/// What one request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done {
        /// The message's number; none if the platform's answer could not be read.
        id: Option<u64>,
        /// The reply has more messages than this one.
        more: bool,
    },
    /// Nothing was done: the reply has no such message, all of it is there.
    Over,
    /// Nothing was done; not before so many milliseconds.
    Later {
        /// How long to wait.
        wait: Ms,
        /// Whether that holds for every chat.
        all: bool,
    },
    /// Nothing was done: the chat has another address.
    Moved(Address),
    /// The platform does not take what is said.
    Content(String),
    /// Nothing was done: the platform refuses, and its words do not tell whether the content, the chat or the platform
    /// itself is the reason.
    Unknown(String),
    /// Only this change of an earlier message cannot be done, such as in an archived thread; the chat takes other messages.
    Frozen(String),
    /// The message that was to be changed is not there, or cannot be changed.
    Gone(String),
    /// The topic is closed or deleted.
    Closed(String),
    /// The chat does not let us in.
    Shut {
        /// What the platform said.
        why: String,
        /// Whether a right is missing, which somebody there could give.
        right: bool,
    },
    /// The platform does not take our token.
    Token,
    /// Nothing was done: the platform cannot be reached.
    NotSent(String),
    /// It may or may not have been done.
    Unsure(String),
    /// Looked for in the chat's history: the message, if it is there.
    Found(Option<u64>),
}

impl Outcome {
    /// The same of a request that changes nothing: where its fate is unknown, it may as well not have been sent.
    #[must_use]
    pub fn of_question(self) -> Outcome {
        match self {
            Outcome::Unsure(why) => Outcome::NotSent(why),
            other => other,
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing was sent, as far as can be known.
    Waiting,
    /// A request is under way, or was when we died.
    Flying,
    /// It may be there; it was not sent again.
    Unsure,
    /// It is there.
    Sent,
    /// There was nothing to be sent.
    None(Reason),
    /// The platform does not take it, whatever is done.
    Dead(String),
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// What was sent earlier holds it already.
    Included,
    /// Earlier messages were changed; that was all.
    Edited,
    /// The channel does not follow it any more.
    Unsubscribed,
    /// It is muted there.
    Muted,
    /// The entry was taken back before it was sent.
    Retracted,
    /// The entry's text was erased.
    Erased,
    /// The channel could not be reached for 30 days.
    Expired,
    /// What it corrects never came there.
    Nothing,
    /// The earlier message is gone, and a new one is not wanted.
    Gone,
    /// The earlier message is in an archived thread, where nothing can be changed.
    Archived,
}

impl Reason {
    /// In words.
    pub const fn text(self) -> Text {
        match self {
            Reason::Included => Text { en: "part of an earlier message", it: "compresa in un messaggio precedente" },
            Reason::Edited => Text { en: "earlier message corrected", it: "messaggio precedente corretto" },
            Reason::Unsubscribed => Text { en: "not followed any more", it: "non più seguita" },
            Reason::Muted => Text { en: "muted here", it: "silenziata qui" },
            Reason::Retracted => Text { en: "retracted before it was sent", it: "ritrattata prima dell'invio" },
            Reason::Erased => Text { en: "erased before it was sent", it: "cancellata prima dell'invio" },
            Reason::Expired => Text { en: "could not be delivered for 30 days", it: "non consegnabile per 30 giorni" },
            Reason::Gone => {
                Text { en: "the message to correct is gone", it: "il messaggio da correggere non c'è più" }
            }
            Reason::Archived => Text {
                en: "the message to correct is in an archived thread",
                it: "il messaggio da correggere è in una discussione archiviata",
            },
            Reason::Nothing => Text { en: "nothing to correct here", it: "nulla da correggere qui" },
        }
    }
}

/// What became of one entry in one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it stands.
    pub state: State,
    /// When it came to stand there.
    pub at: Ms,
    /// When its first request left, on the platform's clock; for the nonce.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: Ms,
    /// Its messages, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u64>,
    /// How often the chat had moved when they were sent: their numbers mean nothing after another move.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub moves: u32,
    /// Whether its messages show the entry (or what it corrects) whole, so that corrections must reach them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    /// The messages show everything recorded up to this commit.
    #[serde(default, skip_serializing_if = "is_zero64")]
    pub shown: u64,
    /// When its first message was written, everything up to this commit was known.
    #[serde(default, skip_serializing_if = "is_zero64")]
    pub born: u64,
    /// The first and the last entry of the card that it was told in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<(u64, u64)>,
    /// Whether it is a correction's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub amends: bool,
    /// Its first message says that it was sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Which of its later messages, from 1, say that they were sent again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again_parts: Vec<usize>,
    /// The entries that its message names as possibly missing in the channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<u64>,
    /// How often it was sent again without knowing whether it was there.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub repeats: u32,
    /// A request of it came to nobody knows what, and that was not cleared up since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// How often it was tried in vain.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub tries: u32,
    /// Its markup was refused: the words alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// Its topic is closed: it goes to the chat itself, this once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub general: bool,
    /// The language it was written in, which later changes of it keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// It replaces a message that is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
    /// A mute held it back; it is told now that the mute has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// A line of the journal names it as done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub journalled: bool,
    /// A projection made it, since the journal says that it may have been attempted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// The numbers of its messages are lost, or the messages are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

fn is_zero(ms: &Ms) -> bool {
    *ms == 0
}

fn is_zero64(n: &u64) -> bool {
    *n == 0
}

fn is_zero32(n: &u32) -> bool {
    *n == 0
}

impl Delivery {
    /// One that waits since a moment.
    pub fn waiting(at: Ms, amends: bool) -> Delivery {
        Delivery {
            state: State::Waiting,
            at,
            first: 0,
            ids: Vec::new(),
            moves: 0,
            copy: false,
            shown: 0,
            born: 0,
            card: None,
            amends,
            again: false,
            again_parts: Vec::new(),
            names: Vec::new(),
            repeats: 0,
            unknown: false,
            tries: 0,
            plain: false,
            general: false,
            lang: None,
            replaces: false,
            held: false,
            journalled: false,
            assumed: false,
            lost: false,
        }
    }

    /// One that may be there, for all that is known after the ledger was lost.
    pub fn assumed(at: Ms, amends: bool) -> Delivery {
        let state = State::Unsure;
        Delivery { state, copy: !amends, lost: true, assumed: true, ..Delivery::waiting(at, amends) }
    }

    /// Whether the numbers of its messages are those of a chat that has moved since.
    pub fn is_stale(&self, moves: u32) -> bool {
        !self.ids.is_empty() && (self.moves != moves || self.ids.contains(&0))
    }

    /// Whether only a projection takes it for attempted: what a later line says of it counts.
    pub fn is_assumed(&self) -> bool {
        self.assumed && self.state == State::Unsure
    }

    /// Whether a channel is done with it, and the journal was not told.
    pub fn is_untold(&self) -> bool {
        matches!(self.state, State::Sent | State::Unsure) && !self.journalled
    }

    /// Whether something is still to be done.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Flying)
    }
}

/// What is open in a channel, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its oldest open delivery, and when it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<(u64, Ms)>,
    /// Why it gets nothing for the time being.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Entries that may not have come, to be told with the next message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<u64>,
}

/// Something that owners, or somebody, should know: it waits until one of them has got it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerAlert {
    /// When it came up.
    pub at: Ms,
    /// The platform that cannot tell it, since it is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The one person whom it is for; none for the owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// In English.
    pub en: String,
    /// In Italian.
    pub it: String,
    /// The platforms on which somebody has got it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// How often bringing it was tried in vain.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub tries: u32,
}

/// A post in an announcement channel that is still to be published to those who follow the channel elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publishing {
    /// When it is tried next.
    pub due: Ms,
    /// How often it was tried in vain.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub tries: u32,
    /// How long it has waited so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waited: Ms,
}

/// A channel that does not let us in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when.
    pub since: Ms,
    /// What the platform said.
    pub why: String,
    /// How often it was tried since.
    pub probes: u32,
    /// When it was last tried.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tried: Ms,
    /// Whether only its topic is closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// How long a channel in trouble waits for its next try: every few minutes at first, growing to an hour.
const TRIES: [Ms; 6] = [30 * SECOND, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE];
/// A channel is not given up before it was tried so often, whatever the clock says.
const LEAST_TRIES: u32 = 100;

impl Trouble {
    /// One that begins.
    pub fn new(since: Ms, why: &str, closed: bool) -> Trouble {
        // A platform's words are short; what answers instead of it may not be.
        Trouble { since, why: why.chars().take(200).collect(), probes: 0, tried: since, closed }
    }

    /// The same after one more try in vain.
    #[must_use]
    pub fn again(self, now: Ms) -> Trouble {
        Trouble { probes: self.probes.saturating_add(1), tried: now, ..self }
    }

    /// When it is tried again.
    pub fn next(&self) -> Ms {
        self.tried.max(self.since) + TRIES.get(self.probes as usize).copied().unwrap_or(HOUR)
    }

    /// Whether its subscriptions are kept no longer. A clock that jumps ahead ends nothing: the tries count, too.
    pub fn is_over(&self, now: Ms) -> bool {
        now >= self.since + KEPT && self.probes >= LEAST_TRIES
    }
}

/// How far a broadcast is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The next channel to look at.
    pub next: ChannelNumber,
    /// Whether every channel was looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expanded: bool,
    /// Whether the journal knows that it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// Deliveries that are open, in channels that can be reached.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub open: u32,
    /// Deliveries in all.
    #[serde(default, skip_serializing_if = "is_zero32")]
    pub total: u32,
    /// Whether the journal knows that it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drained: bool,
    /// The ledger was lost while it was under way, and the journal does not tell how far it was: every channel that has no
    /// row may have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

/// How long to wait after so many tries in vain: 1, 2, 4 … seconds, at most 10 minutes.
pub fn pause(tries: u32) -> Ms {
    (SECOND << tries.min(10)).min(10 * MINUTE)
}

/// A name for one message of one delivery, the same at every try: at most 25 characters, as Discord's nonce.
pub fn nonce(
    channel: &Address,
    number: ChannelNumber,
    commit: u64,
    recorded: Ms,
    part: usize,
    purpose: &str,
) -> String {
    let row = format!("{channel} {number} {commit} {recorded} {part} {purpose}");
    Hash::of(row.as_bytes()).to_string().chars().take(24).collect()
}

/// What marks a message in a chat's history: the beginning of its nonce.
pub fn mark(nonce: &str) -> &str {
    nonce.get(..10).unwrap_or(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_in_trouble_is_tried_within_minutes_then_hourly_and_kept_for_30_days() {
        let mut trouble = Trouble::new(0, "x", false);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let next = trouble.next();
            waits.push((next - trouble.tried) / SECOND);
            trouble = trouble.again(next);
        }
        assert_eq!(waits, [30, 120, 300, 600, 1_200, 2_400, 3_600, 3_600]);
        assert!(!trouble.is_over(KEPT), "a clock that jumps ahead ends nothing");
        trouble.probes = LEAST_TRIES;
        assert!(!trouble.is_over(KEPT - 1) && trouble.is_over(KEPT));
    }

    #[test]
    fn a_nonce_is_short_and_its_own() {
        let address = Address("discord:77".to_owned());
        let nonce = |number, part| nonce(&address, number, 9, 5, part, "post");
        assert_eq!(nonce(1, 0).len(), 24);
        assert_eq!(nonce(1, 0), nonce(1, 0));
        assert!(nonce(1, 0) != nonce(2, 0) && nonce(1, 0) != nonce(1, 1));
        assert_eq!(mark(&nonce(1, 0)).len(), 10);
    }

    #[test]
    fn pauses_double_up_to_10_minutes() {
        assert_eq!([0, 1, 2, 9, 10, 99].map(pause), [1_000, 2_000, 4_000, 512_000, 600_000, 600_000]);
    }

    #[test]
    fn message_numbers_survive_canonical_json() {
        let left = Left { ids: vec![1_234_567_890_123_456_789, u64::MAX], ..Left::default() };
        let stored = serde_json_canonicalizer::to_vec(&left).expect("json");
        assert_eq!(stored, b"\"1234567890123456789 18446744073709551615\"");
        assert_eq!(serde_json::from_slice::<Left>(&stored).expect("read"), left);
        assert_eq!(serde_json::from_str::<Left>("\"\"").expect("read"), Left::default());
        let card = Left { ids: vec![5], replaces: true, card: Some((7, 9)) };
        assert_eq!(String::from(card.clone()), "again card:7-9 5");
        let long = Left { ids: vec![u64::MAX; 9], replaces: true, card: Some((u64::MAX, u64::MAX)) };
        assert!(String::from(long.clone()).len() + "\"4294967295\":\"\",".len() <= long.bytes());
        assert_eq!(Left::try_from("again card:7-9 5".to_owned()), Ok(card));
        assert!(Left::try_from("soon 5".to_owned()).is_err());
    }

    #[test]
    fn a_delivery_is_stored_in_few_bytes() {
        let stored = serde_json::to_string(&Delivery::waiting(1_700_000_000_000, false)).expect("json");
        assert_eq!(stored, r#"{"state":"waiting","at":1700000000000}"#);
    }
}
