//! A claim, and its standing: worked out from the statements about it, never stored.

use serde::{Deserialize, Serialize};

use crate::{
    entry::Ref,
    lang::{Prose, worded},
    party::{Capacity, Party},
    statement::Side,
};

/// Something that may or may not be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim in one sentence.
    pub text: Prose,
    /// Where it can be read; who stands behind it, statements say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Ref>,
}

worded! {
    /// What can be said of a claim, from who has spoken for and against it.
    Standing {
        /// Nobody has spoken of it yet.
        Unspoken = "unspoken", "nobody has spoken of it yet", "nessuno si è ancora espresso";
        /// Only for, and none of it by an authority or a victim.
        Reported = "reported", "reported", "riferito";
        /// Only for, some of it by an authority or a victim.
        Confirmed = "confirmed", "confirmed", "confermato";
        /// For and against.
        Disputed = "disputed", "disputed", "controverso";
        /// Only against.
        Denied = "denied", "denied", "smentito";
        /// Everything said for it was taken back.
        Withdrawn = "withdrawn", "withdrawn", "ritirato";
    }
}

/// One voice about a claim, in the order the voices were published.
#[derive(Clone, Debug)]
pub struct Voice {
    /// Who speaks; none for unnamed sources.
    pub speaker: Option<Party>,
    /// Who published it, where that is not the speaker.
    pub publisher: Option<Party>,
    /// In what capacity.
    pub capacity: Capacity,
    /// On which side.
    pub side: Side,
    /// Whether the record has retracted the statement.
    pub retracted: bool,
}

impl Voice {
    /// Whether the same people speak. Of sources that are not named, those of one publisher are taken for the same.
    fn is_the_same_voice(&self, other: &Voice) -> bool {
        self.speaker == other.speaker && (self.speaker.is_some() || self.publisher == other.publisher)
    }
}

/// The standing of a claim, from all that was said about it, oldest first.
pub fn standing(voices: &[Voice]) -> Standing {
    let taken_back = |at: usize, voice: &Voice| {
        voice.retracted
            || voices[at..]
                .iter()
                .any(|later| !later.retracted && later.side == Side::TakenBack && later.is_the_same_voice(voice))
    };
    let mut said_for = voices.iter().enumerate().filter(|(_, voice)| voice.side == Side::For).peekable();
    let ever = said_for.peek().is_some();
    let standing: Vec<&Voice> =
        said_for.filter(|(at, voice)| !taken_back(*at, voice)).map(|(_, voice)| voice).collect();
    let against = voices.iter().any(|voice| voice.side == Side::Against && !voice.retracted);
    let weighty = standing.iter().any(|voice| matches!(voice.capacity, Capacity::Authority | Capacity::Victim));
    match (standing.is_empty(), against) {
        (false, true) => Standing::Disputed,
        (false, false) if weighty => Standing::Confirmed,
        (false, false) => Standing::Reported,
        (true, _) if ever => Standing::Withdrawn,
        (true, true) => Standing::Denied,
        (true, false) => Standing::Unspoken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(name: &str, capacity: Capacity, side: Side) -> Voice {
        Voice { speaker: Some(Party::named(name)), publisher: None, capacity, side, retracted: false }
    }

    #[test]
    fn the_standing_follows_from_who_spoke() {
        let press = voice("AGI", Capacity::Unnamed, Side::For);
        let acn = voice("ACN", Capacity::Authority, Side::For);
        let limone = voice("Limone", Capacity::Press, Side::Against);
        assert_eq!(standing(&[]), Standing::Unspoken);
        assert_eq!(standing(std::slice::from_ref(&press)), Standing::Reported);
        assert_eq!(standing(&[press.clone(), acn.clone()]), Standing::Confirmed);
        assert_eq!(standing(&[voice("Westpole", Capacity::Victim, Side::For)]), Standing::Confirmed);
        assert_eq!(standing(&[press, limone.clone()]), Standing::Disputed);
        assert_eq!(standing(&[acn, limone.clone()]), Standing::Disputed);
        assert_eq!(standing(&[limone]), Standing::Denied);
    }

    #[test]
    fn what_was_taken_back_counts_no_more() {
        let said = voice("AGI", Capacity::Press, Side::For);
        let back = voice("AGI", Capacity::Press, Side::TakenBack);
        let other = voice("ANSA", Capacity::Press, Side::For);
        assert_eq!(standing(&[said.clone(), back.clone()]), Standing::Withdrawn);
        assert_eq!(standing(&[said.clone(), other, back.clone()]), Standing::Reported);
        assert_eq!(standing(&[back.clone(), said.clone()]), Standing::Reported, "said again after taking it back");
        let unnamed = |publisher: &str, side| Voice {
            speaker: None,
            publisher: Some(Party::named(publisher)),
            ..voice("", Capacity::Unnamed, side)
        };
        let two = [unnamed("AGI", Side::For), unnamed("ANSA", Side::TakenBack)];
        assert_eq!(standing(&two), Standing::Reported, "another paper's unnamed sources");
        assert_eq!(standing(&[Voice { retracted: true, ..said.clone() }]), Standing::Withdrawn);
        assert_eq!(standing(&[said, Voice { retracted: true, ..back }]), Standing::Reported);
        assert_eq!(
            standing(&[Voice { retracted: true, ..voice("x", Capacity::Press, Side::Against) }]),
            Standing::Unspoken
        );
    }
}
