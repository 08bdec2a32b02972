//! Filling a message's embeds with what is said.

use super::mark::{Piece, size};

/// A text of an embed: 4,096, less 5 %.
const SHEET: usize = 3_891;
/// What is kept free for the sign that something was cut, which no page should be.
const KEPT_FREE: usize = 4;

/// The texts of a message's embeds, being written.
pub struct Sheets {
    full: Vec<String>,
    now: String,
    /// How much may still be written in all.
    left: usize,
    /// Whether something was left out: then nothing more is written.
    cut: bool,
}

impl Sheets {
    /// Empty ones, for so much text.
    pub fn new(whole: usize) -> Sheets {
        Sheets { full: Vec::new(), now: String::new(), left: whole.saturating_sub(KEPT_FREE), cut: false }
    }

    /// Whether something was left out.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    fn room(&self) -> usize {
        SHEET.saturating_sub(size(&self.now)).min(self.left)
    }

    fn write(&mut self, text: &str) {
        self.left = self.left.saturating_sub(size(text));
        self.now.push_str(text);
    }

    fn turn(&mut self) {
        self.full.push(std::mem::take(&mut self.now));
    }

    /// Writes a part, after a gap if something stands before it: whole where that is possible, on the next sheet if
    /// need be.
    pub fn add(&mut self, gap: &str, pieces: &[Piece<'_>]) {
        if self.cut || pieces.is_empty() {
            return;
        }
        let marked = |before: &str| {
            let mut text = before.to_owned();
            pieces.iter().for_each(|piece| text += &piece.mark(&text));
            text.split_off(before.len())
        };
        let gap = if self.now.is_empty() { "" } else { gap };
        let whole = marked(&format!("{}{gap}", self.now));
        if size(gap) + size(&whole) <= self.room() {
            self.write(gap);
            return self.write(&whole);
        }
        let alone = marked("");
        if size(&alone) <= SHEET.min(self.left) {
            self.turn();
            return self.write(&alone);
        }
        if size(gap) < self.room() {
            self.write(gap);
        }
        pieces.iter().for_each(|piece| self.pour(piece.clone()));
    }

    /// Writes a piece, on several sheets if need be, until all are full.
    fn pour(&mut self, mut piece: Piece<'_>) {
        while !self.cut {
            let text = piece.mark(&self.now);
            if size(&text) <= self.room() {
                return self.write(&text);
            }
            let last = self.room() == self.left;
            match piece.split(self.room(), &self.now) {
                Some((text, rest)) => {
                    self.write(&text);
                    piece = rest;
                }
                // It does not even fit on a sheet of its own.
                None if self.now.is_empty() => self.cut = true,
                None => {}
            }
            match last {
                true => self.cut = true,
                false if !self.cut => self.turn(),
                false => {}
            }
        }
    }

    /// The texts.
    pub fn done(mut self) -> Vec<String> {
        if self.cut {
            self.now = format!("{}…", self.now.trim_end());
        }
        if !self.now.is_empty() {
            self.turn();
        }
        self.full
    }
}
