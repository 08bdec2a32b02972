//! What must hold whatever comes in: one function a thing that comes in, for the fuzzer (`fuzz/`) and for the bounded runs
//! of the tests alike. Each panics where it does not hold.

mod asks;
mod dates;
mod dress;
mod kept;
mod reply;

pub use asks::{discord_interaction, lines, presses, telegram_update};
pub use dates::{heard, when};
pub use kept::{dossier, journal};
pub use reply::renders;

/// Bytes that are used up from the front; where there are no more, there are zeros.
struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// From 0 up to but without `n`.
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    fn over(&self) -> bool {
        self.0.is_empty()
    }

    /// Whatever is left, as text.
    fn text(&self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// The next bytes, as many as the first of them says, as text.
    fn words(&mut self) -> String {
        let wanted = match self.byte() {
            // Now and then something long.
            long @ 240.. => usize::from(long - 239) * 300,
            short => usize::from(short % 48),
        };
        let (words, rest): (&'a [u8], &'a [u8]) = self.0.split_at(wanted.min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(words).into_owned()
    }
}
