//! Reads a clock time: "alle 5 e mezza", "half past five", "5 pm", "le 5 del pomeriggio".

use super::{
    NotHeard,
    reader::Reader,
    said::{ClockTime, Half, Told},
    words::{Art, Token},
};

impl Reader<'_> {
    /// A clock time, if one comes next.
    pub(super) fn clock(&mut self) -> Result<Option<ClockTime>, NotHeard> {
        let free = self.article != Art::Day;
        let (hour, minute, taken) = match *self.rest {
            [Token::Clock(hour, minute, _), ..] if free => (hour, Some(minute), 1),
            [Token::Dotted(hour, minute), ..] if free && self.ear.dots_are_clocks => (hour, Some(minute), 1),
            [Token::Noon, ..] => (12, None, 1),
            [Token::Midnight, ..] => (0, None, 1),
            [Token::Half, Token::Past, Token::Number(hour, _) | Token::Count(hour), ..] => (hour, Some(30), 3),
            [Token::Quarter, Token::Past, Token::Number(hour, _) | Token::Count(hour), ..] => (hour, Some(15), 3),
            [Token::Quarter, Token::Until, Token::Number(hour, _) | Token::Count(hour), ..] => {
                (hour_before(hour)?, Some(45), 3)
            }
            [number @ (Token::Number(hour, 1..=2) | Token::Count(hour)), ref rest @ ..]
                if self.is_hour(number, rest) =>
            {
                (hour, None, 1)
            }
            _ => return Ok(None),
        };
        let fixed = matches!(self.rest, [Token::Noon | Token::Midnight | Token::Clock(_, _, true), ..]);
        self.take(taken);
        let (hour, minute) = match minute {
            Some(minute) => (hour, Some(minute)),
            None => self.quarters(hour)?,
        };
        let mut clock = ClockTime::new(hour, minute)?;
        if fixed {
            clock.told = Told::Fixed;
        }
        loop {
            match *self.rest {
                [Token::Am, ..] => clock = clock.halved(Half::Am)?,
                [Token::Pm, ..] => clock = clock.halved(Half::Pm)?,
                [Token::OClock, ..] => {}
                _ => match part_ahead(self.rest) {
                    Some(at) if let Some(Token::Part(part)) = self.rest.get(at) => {
                        clock = clock.on(*part)?;
                        self.take(at);
                    }
                    _ => return Ok(Some(clock)),
                },
            }
            self.take(1);
        }
    }

    /// Whether a number is an hour because of what stands around it.
    fn is_hour(&self, number: Token, rest: &[Token]) -> bool {
        match self.article {
            Art::Hour => true,
            Art::Day => false,
            Art::Elided => number == Token::Count(1) || (number == Token::Number(1, 1) && hour_ended(rest)),
            Art::Any => hour_ended(rest),
        }
    }

    /// What Italian adds to an hour: "le 5 e mezza", "le 5 e 10", "le 6 meno un quarto".
    fn quarters(&mut self, hour: u32) -> Result<(u32, Option<u32>), NotHeard> {
        use Token::{Count, E, Half, Minus, Month, Number, Quarter};
        let (hour, minute, taken) = match *self.rest {
            [E, Half, ..] => (hour, 30, 2),
            [E, Count(count @ (1 | 3)), Quarter, ..] => (hour, count * 15, 3),
            [E, Number(..) | Count(_), Month(_) | Token::Unit(_), ..] => return Ok((hour, None)),
            [E, Number(minute, 1..=2) | Count(minute), ..] => (hour, minute, 2),
            [Minus, Count(1), Quarter, ..] => (hour_before(hour)?, 45, 3),
            [Minus, Number(minute @ 1..=30, _) | Count(minute @ 1..=30), ..] => (hour_before(hour)?, 60 - minute, 2),
            _ => return Ok((hour, None)),
        };
        self.take(taken);
        Ok((hour, Some(minute)))
    }
}

/// Whether what stands behind a number makes it an hour: "5 pm", "5 di mattina", "5 e mezza".
pub(super) fn hour_ended(rest: &[Token]) -> bool {
    let told = matches!(rest, [Token::Am | Token::Pm | Token::OClock, ..] | [Token::E, Token::Half, ..]);
    told || part_ahead(rest).is_some()
}

/// Where the part of the day stands that belongs to the clock time before: "in the morning".
fn part_ahead(rest: &[Token]) -> Option<usize> {
    let at = rest.iter().take_while(|token| matches!(token, Token::Article(Art::Any | Art::Day) | Token::In)).count();
    matches!(rest.get(at), Some(Token::Part(_))).then_some(at)
}

fn hour_before(hour: u32) -> Result<u32, NotHeard> {
    hour.checked_sub(1).ok_or(NotHeard::Unclear)
}
