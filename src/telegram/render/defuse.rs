//! Keeps Telegram from finding mentions, commands and links by itself in what somebody recorded: it looks for them in HTML
//! and in plain text alike. A word joiner, which nobody sees, stands where each of them would begin or end.

use super::Run;

/// U+2060: no part of a name, a command, or an address in TDLib's rules.
pub const JOINER: char = '\u{2060}';

/// Defuses a page but for the runs that are `kept`: what begins in one run may end in the next.
pub fn all(runs: &mut [Run], kept: impl Fn(&Run) -> bool) {
    let text: Vec<char> = runs.iter().flat_map(|run| run.text.chars()).collect();
    let mut at = 0;
    for run in runs {
        let kept = kept(run);
        let mut out = String::with_capacity(run.text.len());
        for letter in run.text.chars() {
            out.push(letter);
            if !kept && begins(&text, at) {
                out.push(JOINER);
            }
            at += 1;
        }
        run.text = out;
    }
}

/// What somebody copied from our messages, without our word joiners: they must not get into the record, nor into a link.
pub fn undone(text: &str) -> String {
    let mut before = ' ';
    let kept = |letter: &char| {
        let sign = std::mem::replace(&mut before, *letter);
        *letter != JOINER || !matches!(sign, '@' | '/' | ':' | '.')
    };
    text.chars().filter(kept).collect()
}

/// Whether something that Telegram would find hangs on the letter at a place.
fn begins(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(' ');
    let after = |by: usize| text.get(at + by).copied().unwrap_or(' ');
    match text.get(at) {
        Some('@') => is_word(after(1)),
        Some('/') => is_word(after(1)) && !is_word(before) && before != '/',
        // The scheme of an address.
        Some(':') => after(1) == '/' && after(2) == '/',
        Some('.') if is_host(before) => {
            (is_tld(after(1)) && (is_tld(after(2)) || after(2) == '-')) || is_address(text, at)
        }
        _ => false,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_host(letter: char) -> bool {
    is_word(letter) || matches!(letter, '-' | '~') || (!letter.is_ascii() && !letter.is_whitespace())
}

/// A letter of the last part of a host's name, which is never a number.
fn is_tld(letter: char) -> bool {
    letter.is_alphabetic()
}

/// Whether the dot is the first of an IPv4 address.
fn is_address(text: &[char], dot: usize) -> bool {
    let digit = |it: &&char| it.is_ascii_digit();
    let first = text[..dot].iter().rev().take_while(digit).count();
    let mut rest = text[dot..].split(|it| *it == '.').skip(1).map(|part| part.iter().take_while(digit).count());
    let numbers = [first, rest.next().unwrap_or(0), rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
    let dots = text[dot..].iter().take_while(|it| it.is_ascii_digit() || **it == '.').filter(|it| **it == '.').count();
    dots >= 3 && numbers.iter().all(|digits| (1..=3).contains(digits))
}

/// How many things Telegram may still find by itself: hashtags, which our posts have on purpose, and the like.
pub fn left(text: &str) -> usize {
    let mut before = ' ';
    let begins = |letter: char| {
        let free = !is_word(std::mem::replace(&mut before, letter));
        free && matches!(letter, '#' | '$')
    };
    text.chars().map(begins).filter(|begins| *begins).count()
}

#[cfg(test)]
mod tests {
    use super::{super::Style, *};

    fn defused(text: &str) -> String {
        let mut runs = [Run { text: text.to_owned(), style: Style::Plain }];
        all(&mut runs, |_| false);
        runs[0].text.replace(JOINER, "+")
    }

    #[test]
    fn names_commands_and_addresses_are_broken_and_numbers_are_not() {
        for (text, expected) in [
            ("by @durov, @x", "by @+durov, @+x"),
            ("install.zip Main.RS", "install.+zip Main.+RS"),
            ("/unsubscribe x (/a) 24/7 and/or /", "/+unsubscribe x (/+a) 24/7 and/or /"),
            ("t.me/durov", "t.+me/durov"),
            ("see https://www.example.com/a.html", "see https:+//www.+example.+com/a.+html"),
            ("tg://resolve?domain=x ton://x", "tg:+//resolve?domain=x ton:+//x"),
            ("a.b@c.it", "a.b@+c.+it"),
            ("10.0.0.1:80 and 1.2.3", "10.+0.0.1:80 and 1.2.3"),
            ("1.500 S.p.A. 14.30 e.g. 3.5.", "1.500 S.p.A. 14.30 e.g. 3.5."),
            ("One. Two", "One. Two"),
            ("пример.рф", "пример.+рф"),
            ("x.xn--p1ai", "x.+xn--p1ai"),
            ("#westpole · westpole#14", "#westpole · westpole#14"),
        ] {
            assert_eq!(defused(text), expected);
            assert_eq!(undone(&expected.replace('+', "\u{2060}")), text, "copied and sent to us");
        }
    }

    #[test]
    fn hashtags_are_counted_and_names_of_entries_are_not() {
        assert_eq!(left("#westpole · westpole#14, $EUR"), 2);
    }

    #[test]
    fn what_goes_on_in_another_run_is_seen_and_code_is_left_alone() {
        let run = |text: &str, style| Run { text: text.to_owned(), style };
        let mut runs = [run("x @", Style::Plain), run("durov ", Style::Strong), run("/help", Style::Code)];
        all(&mut runs, |run| run.style == Style::Code);
        assert_eq!(runs.map(|run| run.text).concat(), "x @\u{2060}durov /help");
    }
}
