//! Replies of any kind, made of bytes, in every dress.

use record::{
    lang::Lang,
    link::Link,
    reply::{Block, Button, Citation, Item, Line, Reply, Span, Tone},
};

use super::{Tape, dress};

/// A reply of any kind.
pub fn renders(data: &[u8]) {
    let mut tape = Tape(data);
    let lang = if tape.byte() & 1 == 0 { Lang::En } else { Lang::It };
    let tones = [Tone::Plain, Tone::Good, Tone::Watch, Tone::Alarm, Tone::Polite];
    let mut reply = Reply { tone: tones[tape.below(tones.len())], title: line(&mut tape), ..Reply::default() };
    let shape = tape.byte();
    (reply.personal, reply.single) = (shape & 1 != 0, shape & 2 != 0);
    reply.mark = (shape & 4 != 0).then(|| format!("#westpole · westpole#{}", tape.byte()));
    while !tape.over() && reply.blocks.len() < 60 {
        match tape.below(7) {
            0 => reply.blocks.push(Block::Heading(line(&mut tape))),
            1 => reply.blocks.push(Block::Text(line(&mut tape))),
            2 => reply.blocks.push(Block::Note(line(&mut tape))),
            3 | 4 => {
                let head = line(&mut tape);
                let body = (0..tape.below(4)).map(|_| line(&mut tape)).collect();
                reply.blocks.push(Block::Item(Item { head, body }));
            }
            5 => reply.sources.push(Citation { number: u32::from(tape.byte()), text: line(&mut tape) }),
            _ => {
                let row = (0..tape.below(9)).filter_map(|_| Button::new(tape.words(), tape.words()));
                let row: Vec<Button> = row.collect();
                reply = reply.row(row);
            }
        }
    }
    dress::sound(&reply, lang);
}

fn line(tape: &mut Tape<'_>) -> Line {
    let spans = (0..tape.below(5)).map(|_| match tape.below(8) {
        0 | 1 => Span::Text(tape.words()),
        2 => Span::Strong(tape.words()),
        3 => Span::Soft(tape.words()),
        4 => Span::Struck(tape.words()),
        5 => Span::Code(tape.words()),
        6 => Span::Time { text: tape.words(), at: (tape.number() >> 24).cast_signed() },
        _ => match (format!("https://example.org/{}", tape.words()).parse::<Link>(), tape.byte() & 1) {
            (Ok(link), 0) => Span::Link { text: tape.words(), link },
            (link, _) => Span::Cite { number: u32::from(tape.byte()), link: link.ok() },
        },
    });
    Line(spans.collect())
}
