//! Cuts a reply into pages that each fit what a platform takes in one message, so that nothing is lost and nothing is
//! said twice.

use std::collections::{BTreeSet, VecDeque};

use unicode_segmentation::UnicodeSegmentation;

use crate::{
    lang::Lang,
    reply::{BACK, BUTTON_BYTES, Block, Button, Item, Line, NEXT, Reply, Span},
};

/// The name of the hidden argument that asks for a part of an answer.
const PART: &str = " part:";
/// A part beyond any: it is clamped to the last one.
const LAST: usize = 99;
/// A block goes on on the next page if fewer characters of it than this would stand on the present one.
const LEAST: usize = 100;

/// Separates the hidden argument from a line: `/timeline westpole page:2 part:3` asks for the third part of that page.
pub fn asked(line: &str) -> (&str, Option<usize>) {
    let part = line.trim_end().rsplit_once(PART).and_then(|(line, part)| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        Some((line, digits.then(|| part.parse().ok())??))
    });
    part.map_or((line, None), |(line, part)| (line, Some(part)))
}

/// The messages that answer an ask: one, if the rest can be reached by its buttons; else all of them, with the buttons
/// under the last one.
pub fn answer(reply: &Reply, lang: Lang, fits: impl Fn(&Reply) -> bool) -> Vec<Reply> {
    if fits(reply) {
        return vec![reply.clone()];
    }
    let longer = |page: &Reply| match reply.single && reply.part.is_none() {
        true => from_start(page.clone(), lang),
        false => noted(page.clone(), LAST, LAST, lang),
    };
    let noted = |page: &Reply| fits(&longer(page));
    let parts = Cutter { whole: reply, titled: true, fits: noted }.pages(usize::MAX);
    match continued(reply, parts, lang) {
        Ok(part) => vec![part],
        Err(_) => messages(reply, fits),
    }
}

/// The messages of something that is posted: the title stands in the first, the buttons under the last.
pub fn messages(reply: &Reply, fits: impl Fn(&Reply) -> bool) -> Vec<Reply> {
    last_has_buttons(Cutter { whole: reply, titled: false, fits }.pages(usize::MAX))
}

/// The same in at most so many messages: where it takes more, the last one says so in the words of `rest`.
pub fn within(reply: &Reply, most: usize, rest: &Line, fits: impl Fn(&Reply) -> bool) -> Vec<Reply> {
    let all = Cutter { whole: reply, titled: false, fits: &fits }.pages(most + 1);
    if all.len() <= most {
        return last_has_buttons(all);
    }
    let fits = |page: &Reply| fits(&page.clone().note(rest.clone()));
    let mut some = Cutter { whole: reply, titled: false, fits }.pages(most);
    if let Some(last) = some.last_mut() {
        last.blocks.push(Block::Note(rest.clone()));
    }
    last_has_buttons(some)
}

fn last_has_buttons(mut pages: Vec<Reply>) -> Vec<Reply> {
    let before = pages.len().saturating_sub(1);
    pages.iter_mut().take(before).for_each(|page| page.buttons.clear());
    pages
}

fn noted(page: Reply, part: usize, parts: usize, lang: Lang) -> Reply {
    page.note(lang.pick(format!("Part {part} of {parts}"), format!("Parte {part} di {parts}")))
}

fn from_start(page: Reply, lang: Lang) -> Reply {
    page.note(lang.pick(
        "This does not fit into one message: ➡️ shows it from the start.",
        "Non entra in un solo messaggio: ➡️ lo mostra dall'inizio.",
    ))
}

/// One of several parts, with buttons to the others; the parts themselves where a button cannot hold the line.
fn continued(reply: &Reply, mut parts: Vec<Reply>, lang: Lang) -> Result<Reply, Vec<Reply>> {
    let Some(again) = reply.again.as_deref() else { return Err(parts) };
    let line = |part: usize| format!("{again}{PART}{part}");
    if parts.len() < 2 || line(parts.len()).len() > BUTTON_BYTES {
        return Err(parts);
    }
    let count = parts.len();
    if reply.single && reply.part.is_none() {
        // What is asked again may begin otherwise than this card, so it is shown from its start.
        let mut card = from_start(parts.swap_remove(0), lang);
        card.buttons.insert(0, Button::new(NEXT, line(1)).into_iter().collect());
        return Ok(card);
    }
    let part = reply.part.unwrap_or(1).clamp(1, count);
    let mut page = noted(parts.swap_remove(part - 1), part, count, lang);
    let own = page.buttons.iter().position(|row| row.iter().any(|it| it.label == NEXT || it.label == BACK));
    let (mut back, mut next, mut here, mut others) = (None, None, None, Vec::new());
    for button in own.map(|row| page.buttons.remove(row)).unwrap_or_default() {
        match button.label.as_str() {
            BACK => back = Some(button),
            NEXT => next = Some(button),
            _ if button.line == again => here = Some(button),
            _ => others.push(button),
        }
    }
    back = match part {
        1 => back.map(|it| Button::new(BACK, format!("{}{PART}{LAST}", it.line)).unwrap_or(it)),
        _ => Button::new(BACK, line(part - 1)),
    };
    if part < count {
        next = Button::new(NEXT, line(part + 1));
    }
    let label = here.map_or_else(|| format!("{part}/{count}"), |it| format!("{} ({part}/{count})", it.label));
    let row = [back, Button::new(label, line(part)), next].into_iter().flatten().chain(others).collect();
    // At the top: where there are more rows than a platform takes, these must not be the ones that are missing.
    page.buttons.insert(own.unwrap_or(0), row);
    Ok(page)
}

struct Cutter<'a, F> {
    whole: &'a Reply,
    /// Whether every page has the title; else the first alone.
    titled: bool,
    fits: F,
}

impl<F: Fn(&Reply) -> bool> Cutter<'_, F> {
    /// The first so many pages.
    fn pages(&self, most: usize) -> Vec<Reply> {
        let mut rest: VecDeque<Block> = self.whole.blocks.iter().cloned().collect();
        // A title that leaves no room for anything is the first of what is said.
        let titled = (self.fits)(&self.page(vec![Block::Text("x".repeat(LEAST).into())], true));
        if !titled {
            rest.push_front(Block::Heading(self.whole.title.clone()));
        }
        let page = |blocks: Vec<Block>, first: bool| {
            let mut page = self.page(blocks, first);
            if !titled {
                page.title = Line::new();
            }
            page
        };
        let mut done: Vec<Reply> = Vec::new();
        let mut now: Vec<Block> = Vec::new();
        while let Some(block) = rest.pop_front() {
            if done.len() >= most {
                return done;
            }
            let with = |more: Block| page(now.iter().cloned().chain([more]).collect(), done.is_empty());
            if (self.fits)(&with(block.clone())) {
                now.push(block);
                continue;
            }
            let alone = (self.fits)(&page(vec![block.clone()], false));
            let fresh = now.is_empty() || now.iter().all(|it| matches!(it, Block::Heading(_)));
            let cut = if alone && !fresh { None } else { cut(&block, !fresh, &|part| (self.fits)(&with(part))) };
            let next = match cut {
                Some((head, tail)) => {
                    now.push(head);
                    vec![tail]
                }
                None if now.is_empty() => {
                    now.push(block);
                    Vec::new()
                }
                None => {
                    // A heading stays with what follows.
                    let kept =
                        now.iter().rposition(|it| !matches!(it, Block::Heading(_))).map_or(now.len(), |at| at + 1);
                    now.drain(kept..).chain([block]).collect()
                }
            };
            done.push(page(std::mem::take(&mut now), done.is_empty()));
            next.into_iter().rev().for_each(|block| rest.push_front(block));
        }
        if !now.is_empty() || done.is_empty() {
            done.push(page(now, done.is_empty()));
        }
        self.uncited(&mut done);
        done.truncate(most);
        done
    }

    fn page(&self, blocks: Vec<Block>, first: bool) -> Reply {
        let cited = cited(&blocks);
        let whole = self.whole;
        Reply {
            title: if first || self.titled { whole.title.clone() } else { Line::new() },
            sources: whole.sources.iter().filter(|source| cited.contains(&source.number)).cloned().collect(),
            blocks,
            tone: whole.tone,
            buttons: whole.buttons.clone(),
            personal: whole.personal,
            discreet: whole.discreet,
            mark: whole.mark.clone(),
            again: whole.again.clone(),
            part: whole.part,
            single: whole.single,
            ..Reply::default()
        }
    }

    /// Sources that nothing cites stand at the end.
    fn uncited(&self, done: &mut Vec<Reply>) {
        let cited = cited(&self.whole.blocks);
        for source in self.whole.sources.iter().filter(|source| !cited.contains(&source.number)) {
            let Some(last) = done.last_mut() else { return };
            last.sources.push(source.clone());
            if !(self.fits)(last) && (last.sources.len() > 1 || !last.blocks.is_empty()) {
                last.sources.pop();
                let page = Reply { sources: vec![source.clone()], ..self.page(Vec::new(), false) };
                done.push(page);
            }
        }
    }
}

/// The numbers that are cited in some blocks.
fn cited(blocks: &[Block]) -> BTreeSet<u32> {
    let lines = blocks.iter().flat_map(Block::lines);
    let numbers = lines.flat_map(|line| &line.0).filter_map(|span| match span {
        Span::Cite { number, .. } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

/// The beginning of a block that fits, and the rest; with `enough`, none unless a good deal of it fits.
fn cut(block: &Block, enough: bool, fits: &dyn Fn(Block) -> bool) -> Option<(Block, Block)> {
    let line = |line: &Line, make: fn(Line) -> Block| {
        let (head, tail) = cut_line(line, !enough, &|line| fits(make(line)))?;
        (!enough || head.plain().chars().count() >= LEAST).then(|| (make(head), make(tail)))
    };
    match block {
        Block::Heading(it) => line(it, Block::Heading),
        Block::Text(it) => line(it, Block::Text),
        Block::Note(it) => line(it, Block::Note),
        Block::Item(item) => {
            let (head, tail) = cut_item(item, !enough, &|item| fits(Block::Item(item)))?;
            let said: usize = head.body.iter().map(|line| line.plain().chars().count()).sum();
            (!enough || said >= LEAST).then_some((Block::Item(head), Block::Item(tail)))
        }
    }
}

/// Between two lines of its body where that is possible, else within one.
fn cut_item(item: &Item, force: bool, fits: &dyn Fn(Item) -> bool) -> Option<(Item, Item)> {
    let of = |head: &Line, body: &[Line]| Item { head: head.clone(), body: body.to_vec() };
    let lines = (1..item.body.len()).take_while(|lines| fits(of(&item.head, &item.body[..*lines]))).last();
    if let Some(lines) = lines {
        let (first, rest) = item.body.split_at(lines);
        return Some((of(&item.head, first), of(&rest[0], &rest[1..])));
    }
    let Some((first, rest)) = item.body.split_first() else {
        let (head, tail) = cut_line(&item.head, force, &|head| fits(of(&head, &[])))?;
        return Some((of(&head, &[]), of(&tail, &[])));
    };
    if let Some((head, tail)) = cut_line(first, force, &|line| fits(of(&item.head, &[line]))) {
        return Some((of(&item.head, &[head]), of(&tail, rest)));
    }
    if fits(of(&item.head, &[])) {
        return force.then(|| (of(&item.head, &[]), of(first, rest)));
    }
    let (head, tail) = cut_line(&item.head, force, &|head| fits(of(&head, &[])))?;
    Some((of(&head, &[]), of(&tail, &item.body)))
}

/// The longest beginning of a line that fits, and the rest: within a text at the end of a sentence, at a blank, or between
/// graphemes.
fn cut_line(line: &Line, force: bool, fits: &dyn Fn(Line) -> bool) -> Option<(Line, Line)> {
    let spans = &line.0;
    let of = |spans: &[Span]| Line(spans.to_vec());
    let whole = (1..=spans.len()).take_while(|count| fits(of(&spans[..*count]))).last().unwrap_or(0);
    let next = spans.get(whole)?;
    let before = &spans[..whole];
    let first = before.iter().all(|span| Line(vec![span.clone()]).plain().trim().is_empty());
    let part = cut_span(next, force && first, &|span| fits(of(before).span(span)));
    let (head, mut tail) = match part {
        Some((head, tail)) => (of(before).span(head), Line(vec![tail])),
        None if first => return None,
        None => (of(before), Line(vec![next.clone()])),
    };
    tail.0.extend_from_slice(&spans[whole + 1..]);
    if let Some(Span::Text(text)) = tail.0.first_mut() {
        *text = text.trim_start().to_owned();
    }
    tail.0.retain(|span| !matches!(span, Span::Text(text) if text.is_empty()));
    (!tail.plain().trim().is_empty()).then_some((head, tail))
}

fn cut_span(span: &Span, force: bool, fits: &dyn Fn(Span) -> bool) -> Option<(Span, Span)> {
    let (text, make): (&str, &dyn Fn(String) -> Span) = match span {
        Span::Text(text) => (text, &Span::Text),
        Span::Strong(text) => (text, &Span::Strong),
        Span::Soft(text) => (text, &Span::Soft),
        Span::Struck(text) => (text, &Span::Struck),
        Span::Code(text) => (text, &Span::Code),
        // Its name is short, unless somebody made it long on purpose.
        Span::Link { text, link } if force => {
            let (head, tail) = cut_text(text, true, &|text| fits(Span::Link { text, link: link.clone() }))?;
            return Some((Span::Link { text: head, link: link.clone() }, Span::Text(tail)));
        }
        Span::Time { text, .. } if force => (text, &Span::Strong),
        _ => return None,
    };
    let (head, tail) = cut_text(text, force, &|text| fits(make(text)))?;
    Some((make(head), make(tail)))
}

fn cut_text(text: &str, force: bool, fits: &dyn Fn(String) -> bool) -> Option<(String, String)> {
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, it)| at + it.len()).collect();
    let mut at = ends.get(longest(&ends, text, fits).checked_sub(1).unwrap_or(usize::MAX)).copied().unwrap_or(0);
    if at == 0 && force {
        // One grapheme larger than a message, of thousands of marks, is cut between its characters.
        let ends: Vec<usize> = text.char_indices().map(|(at, it)| at + it.len_utf8()).collect();
        at = ends.get(longest(&ends, text, fits).checked_sub(1)?).copied()?;
    }
    let at = soft(text, at);
    let (head, tail) = text.split_at_checked(at)?;
    let tail = tail.trim_start();
    (!head.trim().is_empty() && !tail.is_empty()).then(|| (head.to_owned(), tail.to_owned()))
}

/// How many of the ends can be taken so that the text up to there fits; looked for from small texts on, as the whole may
/// be many pages.
fn longest(ends: &[usize], text: &str, fits: &dyn Fn(String) -> bool) -> usize {
    let fits = |count: usize| count == 0 || text.get(..ends[count - 1]).is_some_and(|text| fits(text.to_owned()));
    let (mut good, mut step) = (0, 512);
    while good + step <= ends.len() && fits(good + step) {
        good += step;
        step *= 2;
    }
    let mut bad = (good + step).min(ends.len() + 1);
    while good + 1 < bad {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    good
}

/// Where a text of which so many bytes fit is best cut: behind a sentence, else at a blank, if one is in the second half.
pub fn soft(text: &str, hard: usize) -> usize {
    let Some(head) = text.get(..hard).filter(|_| hard < text.len()) else { return hard };
    if text[hard..].starts_with(char::is_whitespace) {
        return hard;
    }
    let (mut blank, mut sentence) = (0, 0);
    for (at, letter) in head.char_indices().filter(|(_, letter)| letter.is_whitespace()) {
        blank = at + letter.len_utf8();
        if letter == '\n' || head[..at].ends_with(['.', '!', '?', '…', ';', ':']) {
            sentence = blank;
        }
    }
    [sentence, blank].into_iter().find(|at| *at * 2 > hard).unwrap_or(hard)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reply::Citation;

    /// Everything that is said, without blanks.
    fn words(reply: &Reply) -> String {
        let lines = reply.blocks.iter().flat_map(Block::lines).map(Line::plain);
        lines.collect::<String>().split_whitespace().collect()
    }

    fn size(page: &Reply) -> usize {
        let of = |line: &Line| line.plain().chars().count();
        let sources: usize = page.sources.iter().map(|source| of(&source.text)).sum();
        of(&page.title) + page.blocks.iter().flat_map(Block::lines).map(of).sum::<usize>() + sources
    }

    fn span() -> impl Strategy<Value = Span> {
        let text = prop_oneof!["[a-c .!]{0,300}", "[x]{0,900}", "(👩‍👩‍👧‍👦|שלום ){0,40}"];
        (0..7_u8, text, 1..9_u32).prop_map(|(kind, text, number)| match kind {
            0 | 1 => Span::Text(text),
            2 => Span::Strong(text),
            3 => Span::Struck(text),
            4 => Span::Code(text),
            5 => Span::Time { text, at: 0 },
            _ => Span::Cite { number, link: None },
        })
    }

    fn line() -> impl Strategy<Value = Line> {
        prop::collection::vec(span(), 0..5).prop_map(Line)
    }

    fn block() -> impl Strategy<Value = Block> {
        (0..5_u8, line(), prop::collection::vec(line(), 0..5)).prop_map(|(kind, head, body)| match kind {
            0 => Block::Heading(head),
            1 => Block::Text(head),
            2 => Block::Note(head),
            _ => Block::Item(Item { head, body }),
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_said_twice(title in line(), blocks in prop::collection::vec(block(), 0..12)) {
            let sources = (1..9).map(|number| Citation { number, text: "a source".into() }).collect();
            let reply = Reply { title: title.clone(), blocks, sources, ..Reply::default() };
            let most = 400;
            let pages = messages(&reply, |page| size(page) <= most);
            let mut all: String = pages.iter().map(words).collect();
            if pages[0].title.is_empty() {
                let title: String = title.plain().split_whitespace().collect();
                all = all.strip_prefix(&title).expect("the title first").to_owned();
            }
            prop_assert_eq!(all, words(&reply));
            for page in &pages {
                prop_assert!(size(page) <= most, "{} in {:?}", size(page), page);
                let cited = cited(&page.blocks);
                prop_assert!(cited.iter().all(|it| page.sources.iter().any(|source| source.number == *it)));
            }
            let listed: BTreeSet<u32> = pages.iter().flat_map(|it| &it.sources).map(|it| it.number).collect();
            prop_assert_eq!(listed.len(), 8);
        }
    }

    #[test]
    fn a_line_names_a_part_only_at_its_end() {
        assert_eq!(asked("/timeline westpole page:2 part:3"), ("/timeline westpole page:2", Some(3)));
        for line in ["/timeline westpole", "/search part:2 x", "/search part:x", "/search part:1234", "part:2"] {
            assert_eq!(asked(line), (line, None));
        }
    }

    #[test]
    fn a_heading_stays_with_what_follows() {
        let mut reply = Reply::default().say("x".repeat(80));
        reply.blocks.push(Block::Heading("Next".into()));
        let pages = messages(&reply.say("y".repeat(80)), |page| size(page) <= 100);
        assert_eq!(pages.len(), 2);
        assert_eq!(words(&pages[1]), format!("Next{}", "y".repeat(80)));
    }

    #[test]
    fn a_long_text_is_cut_behind_a_sentence() {
        let text = "One sentence stands here. ".repeat(20);
        let pages = messages(&Reply::default().say(text.as_str()), |page| size(page) <= 200);
        assert!(pages.iter().all(|page| words(page).ends_with("here.")), "{pages:?}");
    }

    #[test]
    fn the_buttons_of_parts_and_of_pages_are_one_row() {
        let button = |label: &str, page: usize| Button::new(label, format!("/t page:{page}")).expect("it fits");
        let mut reply = Reply::default().row([button("⬅️", 1), button("2/3", 2), button("➡️", 3)]);
        reply.again = Some("/t page:2".to_owned());
        reply.blocks = (0..5).map(|_| Block::Text("x".repeat(50).into())).collect();
        let shown = |part| {
            let [page] = &answer(&Reply { part, ..reply.clone() }, Lang::En, |page| size(page) <= 120)[..] else {
                panic!("one message")
            };
            let row = page.buttons[0].iter().map(|it| format!("{} {}", it.label, it.line)).collect::<Vec<_>>();
            (page.blocks.last().cloned(), row)
        };
        let (note, row) = shown(None);
        assert_eq!(note, Some(Block::Note("Part 1 of 3".into())));
        let expected = ["⬅️ /t page:1 part:99", "2/3 (1/3) /t page:2 part:1", "➡️ /t page:2 part:2"];
        assert_eq!(row, expected);
        let last = ["⬅️ /t page:2 part:2", "2/3 (3/3) /t page:2 part:3", "➡️ /t page:3"];
        assert_eq!(
            (shown(Some(3)).1, shown(Some(99)).1),
            (last.map(str::to_owned).to_vec(), last.map(str::to_owned).to_vec())
        );
        let without = Reply { again: None, ..reply };
        let all = answer(&without, Lang::En, |page| size(page) <= 120);
        assert_eq!(all.iter().map(|it| it.buttons.len()).collect::<Vec<_>>(), [0, 0, 1]);
    }

    #[test]
    fn a_card_that_does_not_fit_is_shown_from_its_start() {
        let mut card = Reply::default().say("x".repeat(90)).say("y".repeat(120)).preceded("Why");
        card.again = Some("/redraft 7".to_owned());
        let fits = |page: &Reply| size(page) <= 200;
        let [shown] = &answer(&card, Lang::En, fits)[..] else { panic!("one message") };
        assert_eq!(shown.buttons[0][0], Button::new(NEXT, "/redraft 7 part:1").expect("it fits"));
        assert!(fits(shown) && words(shown).contains("➡️showsitfromthestart"), "{shown:?}");
    }
}
