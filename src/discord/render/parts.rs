//! A post that is longer than a message, as several.

use record::reply::{Block, Item, Line, Reply, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::mark::{escaped, size};

/// About how much one of several messages holds: markup may double what is shown.
const HALF: usize = 2_400;
/// How many messages a post may take: a text of the record, struck out, and its correction.
const MOST: usize = 12;

/// The reply as messages that each fit, in order; the buttons are on the last.
pub fn parts(reply: &Reply, fits: impl Fn(&Reply) -> bool) -> Vec<Reply> {
    let (mut parts, mut rest) = (Vec::new(), reply.clone());
    while !fits(&rest) && parts.len() + 1 < MOST {
        let Some((head, tail)) = halve(rest.clone()) else { break };
        parts.push(head);
        rest = tail;
    }
    parts.push(rest);
    parts
}

/// The beginning of a reply, about [`HALF`] long, and the rest; none if there is nothing to be parted.
fn halve(reply: Reply) -> Option<(Reply, Reply)> {
    let mut left = HALF;
    let mut head = Reply { blocks: Vec::new(), buttons: Vec::new(), sources: Vec::new(), ..reply.clone() };
    let mut tail = Reply { title: Line::new(), blocks: Vec::new(), ..reply.clone() };
    for block in reply.blocks {
        if left == 0 {
            tail.blocks.push(block);
            continue;
        }
        let (first, second) = part_block(block, &mut left);
        head.blocks.extend(first);
        tail.blocks.extend(second);
    }
    (!head.blocks.is_empty() && !tail.blocks.is_empty()).then_some((head, tail))
}

/// What of a block still has room, and what has not.
fn part_block(block: Block, left: &mut usize) -> (Option<Block>, Option<Block>) {
    match block {
        Block::Heading(line) => both(part_line(line, left), Block::Heading),
        Block::Text(line) => both(part_line(line, left), Block::Text),
        Block::Note(line) => both(part_line(line, left), Block::Note),
        Block::Item(Item { head, body }) => {
            let (head, more) = part_line(head, left);
            let (mut first, mut second) = (Vec::new(), Vec::new());
            second.extend((!more.is_empty()).then_some(more));
            for line in body {
                let (line, more) = part_line(line, left);
                first.extend((!line.is_empty()).then_some(line));
                second.extend((!more.is_empty()).then_some(more));
            }
            let rest = (!second.is_empty()).then(|| Block::Item(Item { head: second.remove(0), body: second }));
            (Some(Block::Item(Item { head, body: first })), rest)
        }
    }
}

fn both((first, second): (Line, Line), block: fn(Line) -> Block) -> (Option<Block>, Option<Block>) {
    ((!first.is_empty()).then(|| block(first)), (!second.is_empty()).then(|| block(second)))
}

fn part_line(line: Line, left: &mut usize) -> (Line, Line) {
    let (mut first, mut second) = (Line::new(), Line::new());
    for span in line.0 {
        if *left == 0 {
            second = second.span(span);
            continue;
        }
        let (head, tail) = part_span(span, left);
        first.0.extend(head);
        second.0.extend(tail);
    }
    (first, second)
}

fn part_span(span: Span, left: &mut usize) -> (Option<Span>, Option<Span>) {
    let make: fn(String) -> Span = match &span {
        Span::Text(_) => Span::Text,
        Span::Strong(_) => Span::Strong,
        Span::Soft(_) => Span::Soft,
        Span::Struck(_) => Span::Struck,
        _ => {
            *left = left.saturating_sub(100);
            return (Some(span), None);
        }
    };
    let (Span::Text(text) | Span::Strong(text) | Span::Soft(text) | Span::Struck(text)) = span else {
        return (None, None);
    };
    let whole = size(&escaped(&text));
    if whole <= *left {
        *left -= whole;
        return (Some(make(text)), None);
    }
    let (mut used, mut hard, mut soft, mut full) = (0, 0, 0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += size(&escaped(grapheme));
        if used > *left {
            break;
        }
        hard = at + grapheme.len();
        if grapheme.trim().is_empty() {
            soft = hard;
            if grapheme.contains('\n') || text[..at].ends_with(['.', '!', '?', '…', ';', ':']) {
                full = hard;
            }
        }
    }
    let soft = if full * 2 > hard { full } else { soft };
    // Behind a sentence or at a blank, if one is near; one letter that is longer than a message is left whole to whoever cuts it.
    let at = if soft * 2 > hard { soft } else { hard };
    let at = if at == 0 { text.len() } else { at };
    *left = 0;
    let (head, tail) = text.split_at(at);
    (Some(make(head.to_owned())), (!tail.trim().is_empty()).then(|| make(tail.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_the_parts() {
        let text = "word <b> *x* 👩‍👩‍👧‍👦 ".repeat(200);
        let mut reply = Reply::titled("t").say(Line::new().struck(&text)).say(text.as_str()).note("foot");
        reply.blocks.push(Block::Item(Item { head: "head".into(), body: vec![text.as_str().into(), "end".into()] }));
        let words = |reply: &Reply| -> String {
            let lines = reply.blocks.iter().flat_map(|block| match block {
                Block::Heading(line) | Block::Text(line) | Block::Note(line) => vec![line.plain()],
                Block::Item(item) => [&item.head].into_iter().chain(&item.body).map(Line::plain).collect(),
            });
            lines.collect::<String>().split_whitespace().collect()
        };
        let fits = |it: &Reply| words(it).chars().count() < 4_000;
        let parts = parts(&reply, fits);
        assert!(parts.len() > 2 && parts.iter().all(fits));
        assert_eq!(parts.iter().map(words).collect::<String>(), words(&reply));
        assert!(parts[0].title == reply.title && parts[1].title.is_empty());
    }
}
