//! Which words of a line belong together, where their argument is not named or its value has several words.

use record::{
    find::NAME_WORDS,
    heard::{self, NotHeard},
    lang::Lang,
    pages,
    plain::is_lone_dash,
    slug::folded,
    view::local,
    when::When,
};

use super::{Ask, Choice, Command, Failure, Given, Shape, Spec, line::is_chat, words::Word};

/// Tells how many words at the beginning are together the whole name of an incident, or of an organisation in one; 0 is
/// none.
pub type Names<'a> = &'a dyn Fn(&[&str]) -> Result<usize, Failure>;

/// Knows no names: for lines that are read without a record.
pub fn no_names(_: &[&str]) -> Result<usize, Failure> {
    Ok(0)
}

/// The most words that a date has.
const DATE_WORDS: usize = 16;

/// The arguments that are given by place behind so many words: neither by name in the line, nor already.
pub(super) fn open(command: &Command, by_name: &[&str], given: &Given, words: usize) -> Vec<&'static Spec> {
    let args = command.args.iter().copied();
    args.filter(|arg| !by_name.contains(&arg.name) && given.get(arg.name).is_none()).skip(words).collect()
}

/// How many of the words that follow a named value belong to it: as many as make one date or one name with it; else those
/// that nothing else in the line could be.
pub(super) fn goes_on(
    arg: &Spec,
    value: &str,
    following: &[Word],
    open: &[&Spec],
    ask: &Ask,
    names: Names<'_>,
) -> Result<usize, Failure> {
    let plain =
        |word: &&Word| word.name.is_none() && !word.quoted && !is_chat(&word.whole) && !is_lone_dash(&word.value);
    let next = following.iter().take_while(plain).take(NAME_WORDS).map(|word| word.value.as_str());
    let all: Vec<&str> = [value].into_iter().chain(next).collect();
    match arg.shape {
        Shape::When | Shape::Ahead => {
            let words = all.len().min(DATE_WORDS);
            if let Some(count) = (1..=words).rev().find(|count| is_date(&all[..*count].join(" "), ask)) {
                return Ok(count - 1);
            }
        }
        Shape::Incident | Shape::Followed if all.len() > 1 => {
            let count = names(&all)?;
            if count > 1 {
                return Ok(count - 1);
            }
        }
        Shape::Number | Shape::Flag | Shape::Choice(_) | Shape::Role | Shape::Chat | Shape::Person | Shape::Entry => {
            return Ok(0);
        }
        _ => {}
    }
    let belongs = |at: &usize| {
        let listed = all[*at].ends_with(',');
        listed || !open.iter().any(|arg| accepts(arg, all[at + 1], ask))
    };
    Ok((0..all.len() - 1).take_while(belongs).count())
}

/// Which of the open arguments the next words are meant for: the first, unless they do not fit it, it may be left out,
/// and they fit another.
pub(super) fn meant(open: &[&Spec], words: &[Word], ask: &Ask) -> usize {
    let (Some(first), Some(word)) = (open.first(), words.first()) else { return 0 };
    let typed = matches!(first.shape, Shape::Number | Shape::When | Shape::Ahead | Shape::Choice(_) | Shape::Flag);
    if first.required || !typed || word.quoted || is_lone_dash(&word.value) {
        return 0;
    }
    let dates = |arg: &&Spec| matches!(arg.shape, Shape::When | Shape::Ahead);
    let date = open.iter().position(dates);
    if let Some(at) = date.filter(|_| first.shape == Shape::Number && date_words(words, ask) > 1) {
        return at;
    }
    if accepts(first, &word.whole, ask) {
        return 0;
    }
    let other = open.iter().position(|arg| accepts(arg, &word.whole, ask));
    // What begins like a date and is none is told so as a date.
    let like_a_date = |word: &str| word.len() > 4 && word.starts_with(|c: char| c.is_ascii_digit());
    other.or(date.filter(|_| like_a_date(&word.whole))).unwrap_or(0)
}

/// How many words an argument takes that is not greedy; 0 where the first names an argument that there is not.
pub(super) fn count(arg: &Spec, words: &[Word], open: &[&Spec], ask: &Ask, names: Names<'_>) -> Result<usize, Failure> {
    let named = words.first().is_some_and(|word| word.name.is_some() && !word.quoted);
    let least = usize::from(!named);
    if words.first().is_none_or(|word| word.quoted || is_lone_dash(&word.value)) {
        return Ok(1);
    }
    Ok(match arg.shape {
        Shape::When | Shape::Ahead => date_words(words, ask).max(least),
        Shape::Entry => entry_words(words.iter().map(|word| word.whole.as_str())).max(least),
        Shape::Incident | Shape::Followed => name_words(words, open, ask, names)?.max(least),
        _ => least,
    })
}

/// How many words name an incident: the longest whole name there is; else as few as leave a rest that fits what follows.
fn name_words(words: &[Word], open: &[&Spec], ask: &Ask, names: Names<'_>) -> Result<usize, Failure> {
    let all: Vec<&str> = words.iter().take_while(|word| !word.quoted).map(|word| word.whole.as_str()).collect();
    let paged = |rest: &[&str]| matches!(rest, [page] if is_number(page));
    // The line of a page's button means the same whatever else is called so.
    if all.len() < 2 || paged(&all[1..]) && names(&all[..1])? == 1 {
        return Ok(usize::from(words.first().is_none_or(|word| word.name.is_none())));
    }
    let known = names(&all)?;
    if known > 0 {
        return Ok(known);
    }
    let plain = words.iter().take_while(|word| word.name.is_none() && !word.quoted).count();
    let most = plain.min(NAME_WORDS);
    Ok((1..=most).find(|count| fits(open, &words[*count..plain], ask)).unwrap_or(most.min(1)))
}

/// Whether every word fits an argument that is still open.
fn fits(open: &[&Spec], mut words: &[Word], ask: &Ask) -> bool {
    let mut open = open.to_vec();
    while let Some(word) = words.first() {
        if open.is_empty() {
            return false;
        }
        let arg = open.remove(meant(&open, words, ask));
        if !accepts(arg, &word.whole, ask) {
            return false;
        }
        if arg.shape.is_greedy() {
            return true;
        }
        let dated = matches!(arg.shape, Shape::When | Shape::Ahead);
        words = &words[if dated { date_words(words, ask).max(1) } else { 1 }..];
    }
    true
}

/// How many words an argument takes before a bar; `next` is the last argument before the bar, if that is the next one.
pub(super) fn count_before_bar(
    arg: &Spec,
    next: Option<&Spec>,
    ask: &Ask,
    left: &str,
    names: Names<'_>,
) -> Result<usize, Failure> {
    let all: Vec<&str> = left.split_whitespace().take(NAME_WORDS + DATE_WORDS).collect();
    match arg.shape {
        Shape::Entry => Ok(entry_words(all.iter().copied())),
        Shape::Incident if all.len() > 1 => {
            let known = names(&all)?;
            let dated = next.is_some_and(|next| matches!(next.shape, Shape::When | Shape::Ahead));
            let begins_date = |count: &usize| is_date(&all[*count..].join(" "), ask);
            Ok(match dated && known == 0 {
                true => (1..all.len()).find(begins_date).unwrap_or(1),
                false => known.max(1),
            })
        }
        _ => Ok(1),
    }
}

/// How many words name an entry: up to the `#` with its number, as in `Westpole S.p.A. #14`.
fn entry_words<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words.take(NAME_WORDS).position(|word| word.contains(['#', '＃'])).map_or(1, |at| at + 1)
}

/// How many words at the beginning are together a date.
fn date_words(words: &[Word], ask: &Ask) -> usize {
    let plain = words.iter().take_while(|word| !word.quoted && word.name.is_none()).take(DATE_WORDS);
    let all: Vec<&str> = plain.map(|word| word.whole.as_str()).collect();
    (1..=all.len()).rev().find(|count| is_date(&all[..*count].join(" "), ask)).unwrap_or(0)
}

/// Whether a word is what an argument may hold; any word may be a name.
fn accepts(arg: &Spec, word: &str, ask: &Ask) -> bool {
    match arg.shape {
        Shape::Number => is_number(word),
        Shape::When | Shape::Ahead => is_date(word, ask),
        Shape::Choice(choices) => choices.iter().any(|choice| is_choice(choice, word)),
        Shape::Flag => ["yes", "true", "si", "on", "no", "false", "off"].contains(&folded(word).as_str()),
        Shape::Entry => word.contains(['#', '＃']),
        Shape::Chat => is_chat(word),
        Shape::Role => word.starts_with("<@&") || is_number(word),
        _ => true,
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_choice(choice: &Choice, word: &str) -> bool {
    let word = folded(word);
    word == choice.code || Lang::ALL.iter().any(|lang| folded(choice.text.get(*lang)) == word)
}

/// Whether a text is a date, be it one that is not in the calendar or that could be two.
fn is_date(text: &str, ask: &Ask) -> bool {
    let now = local(ask.at, pages::clock(&ask.reader()));
    text.parse::<When>().is_ok()
        || match heard::when(text, now, ask.lang) {
            Ok(_) | Err(NotHeard::Ambiguous { .. } | NotHeard::NoSuchDay { .. } | NotHeard::WrongWeekday { .. }) => {
                true
            }
            Err(_) => false,
        }
}
