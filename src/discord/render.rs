//! A reply as a Discord message: embeds and buttons within every limit, with nothing in them that Discord would obey.

mod fill;
mod mark;

use std::collections::{BTreeSet, HashSet};

use record::{
    lang::Lang,
    parts,
    reply::{Block, Line, Reply, Span, Tone},
};
use serde_json::{Value, json};

use fill::Sheets;
use mark::{Piece, cut, escaped, safe, size};

/// What Discord takes, less 5 % against counting otherwise than it does; here UTF-16 units are counted, which is never
/// less than what it counts. A title: 256.
const TITLE: usize = 243;
/// All embeds of a message: 6,000.
const WHOLE: usize = 5_700;
/// What a footer takes at most: the state in words, and a mark.
const FOOTER: usize = 100;
/// A message without embeds: 2,000, less 5 % and the mention of a role before it.
const CONTENT: usize = 1_850;
/// What stands on a button: 80.
const LABEL: usize = 76;
/// What a button carries: 100.
const CUSTOM_ID: usize = 95;
/// Buttons in a row, and rows.
const ROW: usize = 5;
/// The name or the value of what autocompletion offers: 100.
const OFFER: usize = 95;
/// How many values autocompletion offers.
const OFFERS: usize = 25;

/// The messages of an answer: one, if the rest can be reached by its buttons. At least one.
pub fn answer(reply: &Reply, lang: Lang) -> Vec<Reply> {
    parts::answer(reply, lang, |page| fits(page, lang))
}

/// The messages of an answer in plain words, for when Discord does not take the rest.
pub fn answer_plainly(reply: &Reply, lang: Lang) -> Vec<Value> {
    parts::messages(reply, |page| fits_plainly(page, lang)).iter().map(|page| plain(page, lang)).collect()
}

/// A letter or an answer as messages. Each message fits both with markup and as plain words.
pub fn answer_or_posts(reply: &Reply, lang: Lang) -> Vec<Reply> {
    parts::answer(reply, lang, |page| fits(page, lang) && fits_plainly(page, lang))
}

/// A post as messages, in order. Each message fits both with markup and as plain words.
pub fn posts(reply: &Reply, lang: Lang) -> Vec<Reply> {
    parts::messages(reply, |page| fits(page, lang) && fits_plainly(page, lang))
}

/// A post as at most `most` messages, with markup or as plain words (`plainly`). If it needs more, the last message ends
/// with `rest`, which says so.
pub fn within(reply: &Reply, most: usize, rest: &Line, plainly: bool, lang: Lang) -> Vec<Reply> {
    let all = posts(reply, lang);
    if all.len() <= most {
        return all;
    }
    // What is changed keeps its dress, so it need not fit both ways.
    parts::within(reply, most.max(1), rest, |page| match plainly {
        true => fits_plainly(page, lang),
        false => fits(page, lang),
    })
}

fn fits(page: &Reply, lang: Lang) -> bool {
    // Most of what does not fit is much too long: it is not dressed.
    if addresses(page) > WHOLE {
        return false;
    }
    let title = escaped(&safe(&page.title.plain()));
    // The footer is short, and its room is kept free in any case.
    size(&title) <= TITLE && !filled(page, lang, WHOLE - size(&title) - FOOTER, Links::Firsts(BTreeSet::new())).is_cut()
}

/// How long the addresses of a page are, that of a source once.
fn addresses(page: &Reply) -> usize {
    let mut had = BTreeSet::new();
    let spans = page.blocks.iter().flat_map(Block::lines).flat_map(|line| &line.0);
    let lengths = spans.filter_map(|span| match span {
        Span::Cite { number, link: Some(link) } => had.insert(*number).then(|| size(link.as_str())),
        Span::Link { link, .. } => Some(size(link.as_str())),
        _ => None,
    });
    lengths.sum()
}

fn fits_plainly(page: &Reply, lang: Lang) -> bool {
    size(&escaped(&words(page, lang))) <= CONTENT
}

/// Dresses a reply as the body of a message: embeds, buttons, and nobody mentioned. Addresses count although nobody sees
/// them, so where not everything fits, fewer marks lead to their sources: what is said comes first.
pub fn dress(reply: &Reply, lang: Lang) -> Value {
    let title = cut(&safe(&reply.title.plain()), TITLE, escaped);
    let mark = reply.mark.as_deref().map(safe).unwrap_or_default();
    let footer = [tone_word(reply, lang), &mark].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    let footer = footer.join(" · ");
    let room = WHOLE - size(&title) - size(&footer);
    let filled = |links| filled(reply, lang, room, links);
    let every = filled(Links::Every);
    let sheets = if every.is_cut() { filled(Links::Firsts(BTreeSet::new())) } else { every };
    json!({
        "embeds": embeds(title, sheets.done(), colour(reply.tone), &footer),
        "components": rows(reply),
        "allowed_mentions": { "parse": [] },
    })
}

/// The words alone, where Discord does not take the rest.
pub fn plain(reply: &Reply, lang: Lang) -> Value {
    let text = cut(&words(reply, lang), CONTENT, escaped);
    let mark = reply.mark.as_deref().map(|mark| format!("\n-# {}", safe(mark))).unwrap_or_default();
    json!({
        "content": if text.is_empty() { format!("…{mark}") } else { format!("{text}{mark}") },
        "embeds": [],
        "components": rows(reply),
        "allowed_mentions": { "parse": [] },
    })
}

/// Everything that is said, a line each.
fn words(reply: &Reply, lang: Lang) -> String {
    let mut lines = vec![reply.title.plain()];
    lines.extend(reply.blocks.iter().flat_map(Block::lines).map(Line::plain));
    lines.push(tone_word(reply, lang).to_owned());
    lines.retain(|line| !line.trim().is_empty());
    safe(&lines.join("\n")).trim().to_owned()
}

/// Which marks lead to their sources.
enum Links {
    Every,
    /// The first of each source; these had theirs.
    Firsts(BTreeSet<u32>),
}

impl Links {
    fn piece<'a>(&mut self, span: &'a Span) -> Piece<'a> {
        let Span::Cite { number, link: Some(_) } = span else { return Piece::of(span) };
        let leads = match self {
            Links::Every => true,
            Links::Firsts(had) => had.insert(*number),
        };
        if leads { Piece::of(span) } else { Piece::mark_of(*number) }
    }
}

/// Everything that is said, as far as there is room.
fn filled(reply: &Reply, lang: Lang, room: usize, mut links: Links) -> Sheets {
    let mut sheets = Sheets::new(room);
    for (at, block) in reply.blocks.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| reply.blocks.get(at));
        let gap = if before.is_none_or(|before| close(before, block)) { "\n" } else { "\n\n" };
        sheets.add(gap, &pieces(block, &mut links));
    }
    let unlinked = unlinked(reply);
    if !unlinked.is_empty() {
        sheets.add("\n\n", &[Piece::Text(lang.pick("Sources", "Fonti").into())]);
    }
    for (number, text) in unlinked {
        let mark = Piece::Text(format!("[{number}] ").into());
        let pieces: Vec<_> = [mark].into_iter().chain(text.0.iter().map(Piece::of)).collect();
        sheets.add("\n", &pieces);
    }
    sheets
}

/// The choices of an autocompletion: what each is called, and its value.
pub fn offers(found: &[(String, String)]) -> Value {
    let fits = found.iter().filter(|(_, value)| (1..=OFFER).contains(&size(value)));
    let choice = |(name, value): &(String, String)| {
        let name = cut(&safe(name).replace('\n', " "), OFFER, str::to_owned);
        json!({ "name": if name.trim().is_empty() { value } else { &name }, "value": value })
    };
    json!({ "choices": fits.take(OFFERS).map(choice).collect::<Vec<_>>() })
}

/// Whether a part follows another one without a blank line.
fn close(before: &Block, block: &Block) -> bool {
    matches!((before, block), (Block::Heading(_), _) | (Block::Note(_), Block::Note(_)))
}

fn pieces<'a>(block: &'a Block, links: &mut Links) -> Vec<Piece<'a>> {
    let mut of = |line: &'a Line| line.0.iter().map(|span| links.piece(span)).collect::<Vec<_>>();
    match block {
        Block::Heading(line) => of(line).into_iter().map(Piece::strong).collect(),
        Block::Text(line) => of(line),
        Block::Note(line) => [Piece::Raw("-# ")].into_iter().chain(of(line)).collect(),
        Block::Item(item) => {
            let mut pieces = of(&item.head);
            for line in &item.body {
                pieces.push(Piece::Raw("\n"));
                pieces.extend(of(line));
            }
            pieces
        }
    }
}

/// The sources that no mark leads to.
fn unlinked(reply: &Reply) -> Vec<(u32, &Line)> {
    let spans = reply.blocks.iter().flat_map(Block::lines).flat_map(|line| &line.0);
    let linked: BTreeSet<u32> = spans
        .filter_map(|span| match span {
            Span::Cite { number, link: Some(_) } => Some(*number),
            _ => None,
        })
        .collect();
    let sources = reply.sources.iter().map(|source| (source.number, &source.text));
    sources.filter(|(number, _)| !linked.contains(number)).collect()
}

fn embeds(title: String, mut texts: Vec<String>, colour: u32, footer: &str) -> Vec<Value> {
    // An embed without any words is refused; blanks are none.
    texts.retain(|text| !text.trim().is_empty());
    let title = if title.trim().is_empty() { String::new() } else { title };
    if texts.is_empty() {
        texts.push(if title.is_empty() { "…".to_owned() } else { String::new() });
    }
    let mut embeds: Vec<Value> =
        texts.into_iter().map(|text| json!({ "description": text, "color": colour })).collect();
    if let Some(first) = embeds.first_mut().filter(|_| !title.is_empty()) {
        first["title"] = json!(title);
    }
    if let Some(last) = embeds.last_mut().filter(|_| !footer.is_empty()) {
        last["footer"] = json!({ "text": footer });
    }
    embeds
}

fn rows(reply: &Reply) -> Vec<Value> {
    let mut seen = HashSet::new();
    let mut all: Vec<Vec<&record::reply::Button>> = Vec::new();
    for row in &reply.buttons {
        let fits = row.iter().filter(|button| (1..=CUSTOM_ID).contains(&size(&button.line)));
        let new: Vec<_> = fits.filter(|button| seen.insert(&button.line)).collect();
        all.extend(new.chunks(ROW).map(<[_]>::to_vec));
    }
    if all.len() > ROW {
        // Rows that are full have room for more of them.
        all = all.concat().chunks(ROW).map(<[_]>::to_vec).collect();
    }
    all.truncate(ROW);
    let button = |button: &&record::reply::Button| {
        let label = cut(&safe(&button.label).replace('\n', " "), LABEL, str::to_owned);
        let label = if label.trim().is_empty() { "…" } else { &label };
        json!({ "type": 2, "style": 2, "label": label, "custom_id": button.line })
    };
    all.iter().map(|row| json!({ "type": 1, "components": row.iter().map(button).collect::<Vec<_>>() })).collect()
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Plain => 0x4F_6D7A,
        Tone::Good => 0x2E_8B57,
        Tone::Watch | Tone::Polite => 0xE0_A800,
        Tone::Alarm => 0xC0_392B,
    }
}

/// The colour in words, for those who do not see it; what is said to one person says it in its own words.
fn tone_word(reply: &Reply, lang: Lang) -> &'static str {
    match reply.tone {
        _ if reply.personal => "",
        Tone::Plain | Tone::Polite => "",
        Tone::Good => lang.pick("Green: in order", "Verde: in ordine"),
        Tone::Watch => lang.pick("Yellow: being watched", "Giallo: sotto osservazione"),
        Tone::Alarm => lang.pick("Red: something is wrong", "Rosso: qualcosa non va"),
    }
}

#[cfg(test)]
mod tests {
    use record::reply::{Button, Citation, Item};

    use super::*;

    fn awkward() -> String {
        let bit = "👩‍👩‍👧‍👦 e\u{301} **bold** _it_ ||sp|| `code` @everyone <@&1> <#2> # no\n# h\n> q\n- l\n1. n مرحبا\u{202e} [a](https://x.example) ";
        bit.repeat(60).chars().take(5_000).collect()
    }

    fn texts(message: &Value) -> Vec<String> {
        let embeds = message["embeds"].as_array().expect("embeds");
        embeds.iter().map(|embed| embed["description"].as_str().expect("a text").to_owned()).collect()
    }

    fn within_limits(message: &Value) {
        let embeds = message["embeds"].as_array().expect("embeds");
        assert!((1..=10).contains(&embeds.len()));
        let of = |embed: &Value, path: &str| size(embed.pointer(path).and_then(Value::as_str).unwrap_or_default());
        let mut whole = 0;
        for embed in embeds {
            let (title, text) = (of(embed, "/title"), of(embed, "/description"));
            assert!(title <= 256 && text <= 4_096 && title + text > 0, "{title} {text}");
            whole += title + text + of(embed, "/footer/text");
        }
        assert!(whole <= WHOLE, "{whole}");
        assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
        let rows = message["components"].as_array().expect("rows");
        assert!(
            rows.len() <= 5 && rows.iter().all(|row| row["components"].as_array().is_some_and(|row| row.len() <= 5))
        );
    }

    #[test]
    fn an_awkward_text_fits_wherever_it_stands_and_mentions_nobody() {
        let text = awkward();
        let line = |span: fn(String) -> Span| Line::new().span(span(text.clone()));
        for span in [Span::Text, Span::Strong, Span::Soft, Span::Struck, Span::Code] {
            let item = Block::Item(Item { head: line(span), body: vec![line(span)] });
            let blocks = [Block::Heading(line(span)), Block::Text(line(span)), Block::Note(line(span)), item];
            for block in blocks {
                let mut reply = Reply { tone: Tone::Alarm, title: line(span), ..Reply::default() };
                reply.blocks = vec![block.clone(), block];
                reply.sources = vec![Citation { number: 1, text: line(span) }];
                reply.buttons = vec![Button::new(text.clone(), "/a").into_iter().collect(); 9];
                let message = dress(&reply, Lang::It);
                within_limits(&message);
                let all = texts(&message).concat();
                assert!(all.contains('…'), "what is no page of its own is cut");
                assert!(!all.contains('\u{202e}'));
                if span(String::new()) != Span::Code(String::new()) {
                    assert!(all.contains("\\@everyone") && !all.contains(" <@"), "{all}");
                    assert!(!all.contains("\n# ") && !all.contains("\n> ") && !all.contains("](https://"));
                }
            }
        }
    }

    #[test]
    fn a_post_bears_its_mark_with_and_without_markup() {
        let mark = Some("3f2ab4c5d6".to_owned());
        let reply = Reply { tone: Tone::Alarm, mark, ..Reply::titled("@here t").say(awkward()) };
        let message = dress(&reply, Lang::En);
        within_limits(&message);
        let last = message["embeds"].as_array().and_then(|embeds| embeds.last()).expect("an embed");
        assert_eq!(last["footer"]["text"], "Red: something is wrong · 3f2ab4c5d6");
        let message = plain(&reply, Lang::En);
        let content = message["content"].as_str().expect("a text");
        assert!(size(content) <= 1_900 && content.ends_with("…\n-# 3f2ab4c5d6"), "{content}");
        assert!(content.starts_with("\\@here t\n") && !content.contains(" <@") && message["embeds"] == json!([]));
        let calm = Reply { mark: Some("3f2a".to_owned()), ..Reply::titled("t") };
        assert_eq!(dress(&calm, Lang::En)["embeds"][0]["footer"]["text"], "3f2a");
    }

    #[test]
    fn what_does_not_fit_one_embed_goes_on_in_the_next() {
        let reply = Reply::default().say("x ".repeat(1_500)).say("y ".repeat(1_000)).say("z");
        let message = dress(&reply, Lang::En);
        within_limits(&message);
        let texts = texts(&message);
        assert_eq!(texts.len(), 2);
        assert!(texts[1].starts_with("y ") && texts[1].ends_with('z'), "{texts:?}");
    }

    #[test]
    fn a_long_post_goes_on_in_the_next_message_with_and_without_markup() {
        for text in ["word ".repeat(2_000), "x".repeat(6_000), "🦜".repeat(6_000), "ש*".repeat(3_000)] {
            let letters = |text: &str| text.chars().filter(|it| "wxש🦜".contains(*it)).count();
            let reply = Reply { tone: Tone::Alarm, ..Reply::titled("t").say(text.as_str()) };
            let posts = posts(&reply, Lang::En);
            assert!(posts.len() > 1);
            let all: String = posts.iter().flat_map(|post| texts(&dress(post, Lang::En))).collect();
            assert_eq!(letters(&all), letters(&text));
            let plainly = |post: &Reply| plain(post, Lang::En)["content"].as_str().map(letters).unwrap_or_default();
            let said: usize = posts.iter().map(plainly).sum();
            let tone = letters(tone_word(&reply, Lang::En));
            assert_eq!(said - tone * posts.len(), letters(&text));
            posts.iter().for_each(|post| within_limits(&dress(post, Lang::En)));
            let one = within(&reply, 1, &"the rest".into(), false, Lang::En);
            assert_eq!(one.len(), 1);
            assert!(texts(&dress(&one[0], Lang::En)).concat().ends_with("-# the rest"));
            within_limits(&dress(&one[0], Lang::En));
        }
    }

    #[test]
    fn more_rows_than_five_are_packed() {
        let rows = (0..6).fold(Reply::default().say("x"), |reply, n| reply.row(Button::new("b", format!("/p {n}"))));
        let message = dress(&rows, Lang::En);
        let all = message["components"].as_array().expect("rows");
        assert_eq!(all.iter().filter_map(|row| row["components"].as_array()).map(Vec::len).sum::<usize>(), 6);
    }

    #[test]
    fn nothing_is_cut_inside_what_looks_like_one_letter() {
        let family = "👩‍👩‍👧‍👦";
        let message = dress(&Reply::titled(family.repeat(100)).say(family.repeat(700)), Lang::En);
        within_limits(&message);
        let title = message["embeds"][0]["title"].as_str().expect("a title");
        assert!(title.trim_end_matches('…').replace(family, "").is_empty(), "{title}");
        for text in texts(&message) {
            let text = text.split('…').next().unwrap_or_default();
            assert!(text.replace(family, "").is_empty(), "{text}");
        }
    }

    #[test]
    fn spans_are_dressed_as_discord_writes_them() {
        let link = |text: &str| text.parse().expect("a link");
        let line = Line::new()
            .text("at ")
            .span(Span::Time { text: "05:00".into(), at: 1_702_008_000 })
            .span(Span::Cite { number: 1, link: Some(link("https://a.example/x_y")) })
            .span(Span::Cite { number: 2, link: None })
            .text(" ")
            .span(Span::Link { text: "a_b".into(), link: link("https://b.example/") })
            .text(" ")
            .strong("s*")
            .struck("t")
            .code("/x y");
        let mut reply = Reply::titled(line.clone()).say(line).note("soft");
        reply.sources = (1..=2).map(|number| Citation { number, text: format!("source {number}").into() }).collect();
        let message = dress(&reply, Lang::En);
        let expected = r"at <t:1702008000:f>[[1]](<https://a.example/x_y>)\[2\] [a\_b](<https://b.example/>) **s\***~~t~~`/x y`

-# soft

Sources
\[2\] source 2";
        assert_eq!(texts(&message), [expected]);
        assert_eq!(message["embeds"][0]["title"], r"at 05:00\[1\]\[2\] a\_b s\*t/x y");
    }

    #[test]
    fn buttons_are_unique_and_in_rows_of_five() {
        let buttons = (0..12).filter_map(|n| Button::new(format!("{n}"), format!("/p page:{}", n / 2)));
        let message = dress(&Reply::default().say("x").row(buttons), Lang::En);
        let rows = message["components"].as_array().expect("rows");
        let sizes: Vec<_> = rows.iter().map(|row| row["components"].as_array().map_or(0, Vec::len)).collect();
        assert_eq!(sizes, [5, 1]);
    }

    #[test]
    fn at_most_25_values_are_offered_each_within_its_limit() {
        let found: Vec<_> = (0..40).map(|n| (format!("{n} {}", "ü".repeat(200)), format!("v{n}"))).collect();
        let offered = offers(&found);
        let choices = offered["choices"].as_array().expect("choices");
        assert_eq!(choices.len(), 25);
        assert!(choices.iter().all(|choice| choice["name"].as_str().is_some_and(|name| name.chars().count() <= 100)));
    }
}
