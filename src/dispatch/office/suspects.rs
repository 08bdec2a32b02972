//! Refusals whose reason a platform does not tell: is it the text, the chat, or the platform itself?
//!
//! The same text goes as plain words to one chat first. Taken there, it was the markup. Refused there while others take
//! it, it is that chat's trouble. Refused in several while other texts pass, it is the text. Where nothing passes, it is tried again
//! for a while, for the platform itself may be unwell.

use std::collections::{BTreeSet, HashMap, VecDeque};

use record::outbox::Ms;

/// For how long what passed is evidence.
const EVIDENCE: Ms = 10 * 60_000;
/// How much of it is remembered.
const REMEMBERED: usize = 2_000;
/// After this long without any evidence something has to be decided.
const UNDECIDED: Ms = 15 * 60_000;
/// How many entries are suspected at once; the oldest is forgotten.
const SUSPECTS: usize = 200;

/// What is known of the entries that one platform refuses.
#[derive(Default)]
pub struct Suspects {
    passed: VecDeque<(Ms, String, u64)>,
    entries: HashMap<u64, Suspect>,
}

struct Suspect {
    since: Ms,
    /// The chat that tries the plain words first.
    tester: String,
    plain: Plain,
    /// Whether a channel took it as it is.
    taken: bool,
    /// Chats that refuse it as plain words, too.
    refused: BTreeSet<String>,
}

/// What came of trying the plain words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plain {
    /// Some chat is trying them.
    Testing,
    Taken,
    Refused,
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody can tell yet: the plain words are tried here.
    TryPlain,
    /// Another channel is trying the plain words, or nothing tells yet: again in a while.
    Wait,
    /// This channel's.
    Channel,
    /// The text's.
    Text,
}

impl Suspects {
    /// A channel took an entry.
    pub fn passed(&mut self, chat: &str, commit: u64, plain: bool, now: Ms) {
        if self.passed.len() == REMEMBERED {
            self.passed.pop_front();
        }
        self.passed.push_back((now, chat.to_owned(), commit));
        match self.entries.get_mut(&commit) {
            Some(suspect) if plain => suspect.plain = Plain::Taken,
            Some(suspect) => suspect.taken = true,
            None => {}
        }
    }

    /// Whether an entry is known to pass only as plain words.
    pub fn is_plain(&self, commit: u64) -> bool {
        // Where a channel took it as it is, others may, too.
        self.entries.get(&commit).is_some_and(|it| it.plain == Plain::Taken && !it.taken)
    }

    /// A channel refused an entry, as plain words or not; `taken`: the ledger knows that another channel has it.
    pub fn refused(&mut self, chat: &str, commit: u64, plain: bool, taken: bool, now: Ms) -> Verdict {
        while self.passed.front().is_some_and(|(at, ..)| now - at > EVIDENCE) {
            self.passed.pop_front();
        }
        if self.entries.len() >= SUSPECTS
            && !self.entries.contains_key(&commit)
            && let Some(oldest) = self.entries.iter().min_by_key(|(_, it)| it.since).map(|(commit, _)| *commit)
        {
            self.entries.remove(&oldest);
        }
        let known = self.passed.iter().any(|(.., of)| *of == commit);
        let suspect = self.entries.entry(commit).or_insert(Suspect {
            since: now,
            tester: chat.to_owned(),
            plain: Plain::Testing,
            taken: known,
            refused: BTreeSet::new(),
        });
        if !plain {
            return match suspect.plain {
                Plain::Testing if suspect.tester != chat && now - suspect.since < EVIDENCE => Verdict::Wait,
                Plain::Testing | Plain::Taken | Plain::Refused => Verdict::TryPlain,
            };
        }
        suspect.refused.insert(chat.to_owned());
        if suspect.plain == Plain::Testing && suspect.tester == chat {
            suspect.plain = Plain::Refused;
        }
        let others_take_it = taken || self.passed.iter().any(|(_, who, of)| *of == commit && who != chat);
        let other_texts_pass =
            self.passed.iter().any(|(at, _, of)| *of != commit && *at >= suspect.since - EVIDENCE / 10);
        // One chat alone may be what is wrong, whatever passes elsewhere.
        let many = suspect.refused.len() > 1;
        match (others_take_it, many && other_texts_pass, now - suspect.since >= UNDECIDED) {
            (true, ..) => Verdict::Channel,
            (false, true, _) => Verdict::Text,
            (false, false, false) => Verdict::Wait,
            (false, false, true) if many => Verdict::Text,
            (false, false, true) => Verdict::Channel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_chat_takes_as_plain_words_goes_to_all_as_plain_words() {
        let mut suspects = Suspects::default();
        assert_eq!(suspects.refused("1", 9, false, false, 1_000), Verdict::TryPlain);
        assert_eq!(suspects.refused("2", 9, false, false, 1_010), Verdict::Wait, "one chat is enough to learn from");
        suspects.passed("1", 9, true, 1_200);
        assert!(suspects.is_plain(9) && !suspects.is_plain(8));
        assert_eq!(suspects.refused("2", 9, false, false, 2_000), Verdict::TryPlain);
    }

    #[test]
    fn a_text_that_others_take_is_the_trouble_of_the_chat() {
        let mut suspects = Suspects::default();
        suspects.passed("2", 9, false, 500);
        assert_eq!(suspects.refused("1", 9, false, false, 1_000), Verdict::TryPlain);
        assert_eq!(suspects.refused("1", 9, true, false, 1_100), Verdict::Channel);
        assert!(!suspects.is_plain(9), "the others get it as it is");
    }

    #[test]
    fn a_text_that_is_refused_while_others_pass_is_put_aside() {
        let mut suspects = Suspects::default();
        suspects.refused("1", 9, false, false, 1_000);
        suspects.passed("5", 8, false, 1_050);
        assert_eq!(suspects.refused("1", 9, true, false, 1_100), Verdict::Wait, "it may be this chat");
        assert_eq!(suspects.refused("2", 9, false, false, 1_200), Verdict::TryPlain);
        assert_eq!(suspects.refused("2", 9, true, false, 1_300), Verdict::Text);
        assert_eq!(suspects.refused("1", 9, true, false, 2_100), Verdict::Text);
    }

    #[test]
    fn where_nothing_passes_it_is_tried_for_a_while() {
        let mut suspects = Suspects::default();
        for channel in 1..=9 {
            suspects.refused(&channel.to_string(), 9, false, false, 1_000);
        }
        assert_eq!(suspects.refused("1", 9, true, false, 2_000), Verdict::Wait);
        assert_eq!(suspects.refused("2", 9, true, false, 60_000), Verdict::Wait);
        assert_eq!(suspects.refused("2", 9, true, false, UNDECIDED + 1_000), Verdict::Text);
        assert_eq!(suspects.refused("3", 7, false, false, 1_000), Verdict::TryPlain);
        assert_eq!(
            suspects.refused("3", 7, true, false, UNDECIDED + 1_000),
            Verdict::Channel,
            "one chat alone is kept waiting"
        );
    }
}
