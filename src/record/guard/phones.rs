//! Telephone numbers: international, and Italian ones without a prefix; and the many numbers that are none.

use super::{
    normal::{before, wordy},
    numbers::{Gap, Group, chains, joined, thousands},
};

/// Words before a number that say it is another one.
const LABELS: &[&str] = &[
    "abi",
    "atti",
    "bug",
    "cab",
    "case",
    "caso",
    "cf",
    "cig",
    "codice",
    "code",
    "commit",
    "contratto",
    "cup",
    "delibera",
    "determina",
    "epoch",
    "fascicolo",
    "fattura",
    "fiscale",
    "gara",
    "id",
    "imei",
    "incident",
    "incidente",
    "invoice",
    "isbn",
    "iva",
    "issue",
    "lotto",
    "matricola",
    "order",
    "ordine",
    "partita",
    "pi",
    "piva",
    "pratica",
    "prot",
    "protocol",
    "protocollo",
    "provvedimento",
    "rea",
    "ref",
    "reference",
    "registro",
    "rep",
    "repertorio",
    "rif",
    "riferimento",
    "segnalazione",
    "sentenza",
    "serial",
    "seriale",
    "ticket",
    "timestamp",
    "unix",
    "vat",
];
/// Words that may stand between a label and its number.
const NUMBER: &[&str] = &["n", "nr", "no", "num", "number", "numero"];
/// How far before a number its label is looked for, in bytes.
const LABEL_NEAR: usize = 48;
/// What follows a number that counts.
const UNITS: &[&str] = &[
    "account",
    "accounts",
    "byte",
    "bytes",
    "chf",
    "cittadini",
    "contatti",
    "contacts",
    "customers",
    "clienti",
    "dollari",
    "dollars",
    "entries",
    "eur",
    "euro",
    "file",
    "files",
    "gb",
    "kb",
    "lire",
    "mb",
    "messaggi",
    "messages",
    "people",
    "persone",
    "pounds",
    "record",
    "records",
    "righe",
    "righi",
    "rows",
    "sterline",
    "tb",
    "usd",
    "users",
    "utenti",
];
const COINS: [char; 4] = ['€', '$', '£', '%'];

/// Whether a text has a telephone number.
pub fn any(text: &str) -> bool {
    chains(text).iter().any(|chain| {
        !identifier(text, chain) && (international(text, chain) || dateless(chain).iter().any(|run| local(text, run)))
    })
}

/// `CVE-2023-…`, `westpole#…`: the digits are part of a name.
fn identifier(text: &str, chain: &[Group<'_>]) -> bool {
    let Some(first) = chain.first() else { return true };
    let head = &text[..first.at];
    head.ends_with('#')
        || (head.ends_with(['-', '=', '/']) && wordy(before(head, head.len() - 1)) && !ends_in_call(head))
}

/// `tel/`, `fax-`.
fn ends_in_call(head: &str) -> bool {
    let head = head.trim_end_matches(['-', '=', '/']);
    ["tel", "fax", "cell", "phone", "mobile", "telefono", "cellulare"]
        .iter()
        .any(|word| head.get(head.len().saturating_sub(word.len())..).is_some_and(|end| end.eq_ignore_ascii_case(word)))
}

/// `+39 …`, `0044 …`.
fn international(text: &str, chain: &[Group<'_>]) -> bool {
    let [first, ..] = chain else { return false };
    let plus = text[..first.at].ends_with('+') && !wordy(before(text, first.at - 1));
    let zeros = !plus && first.digits.starts_with("00");
    if !(plus || zeros) || counted(text, chain) || (zeros && labelled(text, first.at)) {
        return false;
    }
    let mut total = 0;
    for (at, group) in chain.iter().enumerate() {
        total += group.digits.len();
        if total > 17 {
            break;
        }
        let ends = chain.get(at + 1).is_none_or(|next| next.gap == Some(Gap::Blank));
        let groups = &chain[..=at];
        // `00.15-01.30` are hours.
        let hours = zeros && groups.iter().all(|group| group.digits.len() <= 2);
        if ends && !hours && calls_abroad(groups, zeros) {
            return true;
        }
    }
    false
}

fn calls_abroad(groups: &[Group<'_>], zeros: bool) -> bool {
    let number = joined(groups);
    let number = if zeros { &number[2..] } else { &number };
    if let Some(italian) = number.strip_prefix("39") {
        // Freephone and shared-cost numbers belong to services.
        return (6..=11).contains(&italian.len()) && !italian.starts_with('8') && !amount(groups, 15);
    }
    (9..=15).contains(&number.len()) && !number.starts_with('0') && !amount(groups, 10)
}

/// Whether groups are an amount: thousands with dots, or with blanks if there are few of them.
fn amount(groups: &[Group<'_>], blanks_max: usize) -> bool {
    let dots = groups.get(1).is_some_and(|group| group.gap == Some(Gap::Dot));
    let italian = groups[0].digits == "39";
    thousands(groups) && (dots || (!italian && joined(groups).len() <= blanks_max))
}

/// Italian numbers without a prefix, among groups without dates.
fn local(text: &str, run: &[Group<'_>]) -> bool {
    let [start, ..] = run else { return false };
    if labelled(text, start.at) {
        return false;
    }
    let begins = |at: usize| {
        let group = &run[at];
        let first = at == 0 || group.gap == Some(Gap::Blank);
        first && group.digits.len() > 1 && group.digits.starts_with(['0', '3'])
    };
    (0..run.len()).filter(|at| begins(*at)).any(|from| {
        let mut total = 0;
        for to in from..run.len() {
            total += run[to].digits.len();
            if total > 12 {
                return false;
            }
            let ends = run.get(to + 1).is_none_or(|next| next.gap == Some(Gap::Blank));
            let groups = &run[from..=to];
            if ends && (mobile(groups) || landline(groups)) && !counted(text, groups) {
                return true;
            }
        }
        false
    })
}

fn mobile(groups: &[Group<'_>]) -> bool {
    let number = joined(groups);
    let with_prefix = groups.len() == 1 && number.starts_with("393") && number.len() == 12;
    let shape = number.starts_with('3') && (9..=10).contains(&number.len()) && groups[0].digits.len() >= 3;
    with_prefix || (shape && pieces(groups) && !thousands(groups))
}

fn landline(groups: &[Group<'_>]) -> bool {
    let number = joined(groups);
    if !number.starts_with('0') || number.starts_with("00") || !(8..=11).contains(&number.len()) {
        return false;
    }
    let [first, rest @ ..] = groups else { return false };
    if rest.is_empty() {
        // `08122023` is a day.
        return !(number.len() == 8 && day(&number[..2], &number[2..4]) && year(&number[4..]));
    }
    if groups.iter().all(|group| group.digits.len() <= 2) {
        return pairs(groups);
    }
    (2..=4).contains(&first.digits.len()) && pieces(groups)
}

/// Whether the pieces are such as numbers are told in: none of one digit, and a stroke only after the first.
fn pieces(groups: &[Group<'_>]) -> bool {
    groups
        .iter()
        .skip(1)
        .enumerate()
        .all(|(at, group)| group.digits.len() > 1 && (at == 0 || group.gap != Some(Gap::Slash)))
}

/// `02 12 34 56 78`, but not `08 12 23 10 30` nor `05.00-07.30`.
fn pairs(groups: &[Group<'_>]) -> bool {
    let same = groups.windows(2).skip(1).all(|two| two[0].gap == two[1].gap);
    let number = |at: usize| groups.get(at).and_then(|group| group.digits.parse::<u32>().ok()).unwrap_or(0);
    let moment = day(groups[0].digits, groups[1].digits) && number(3) < 24 && number(4) < 60;
    same && groups.len() >= 5 && groups.iter().all(|group| group.digits.len() == 2) && !moment
}

/// The groups in pieces, without what is a date, a span of years or an IP address.
fn dateless<'g, 't>(chain: &'g [Group<'t>]) -> Vec<&'g [Group<'t>]> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < chain.len() {
        let long = [4, 3, 2].into_iter().find(|long| {
            chain.get(at..at + long).is_some_and(|groups| {
                let next = chain.get(at + long).and_then(|group| group.gap);
                let before = if at == from { None } else { groups[0].gap };
                is_date_or_address(groups, before, next)
            })
        });
        match long {
            Some(long) => {
                pieces.push(&chain[from..at]);
                at += long;
                from = at;
            }
            None => at += 1,
        }
    }
    pieces.push(&chain[from..]);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn is_date_or_address(groups: &[Group<'_>], before: Option<Gap>, next: Option<Gap>) -> bool {
    let gap = groups[1].gap;
    if groups[1..].iter().any(|group| group.gap != gap) {
        return false;
    }
    match groups {
        [a, b, c, d] => {
            let byte = |group: &Group<'_>| group.digits.len() <= 3 && group.digits.parse::<u8>().is_ok();
            gap == Some(Gap::Dot) && next != gap && before != gap && [a, b, c, d].into_iter().all(byte)
        }
        [a, b, c] => {
            let alone = gap != Some(Gap::Blank) && next != gap && before != gap;
            (day(a.digits, b.digits) && (year(c.digits) || (alone && c.digits.len() == 2)))
                || (year(a.digits) && day(b.digits, c.digits))
        }
        [a, b] => {
            let month = a.digits.len() <= 2 && day("1", a.digits);
            let span = year(a.digits) && (year(b.digits) || b.digits.len() == 2);
            gap != Some(Gap::Blank) && ((month && year(b.digits)) || span)
        }
        _ => false,
    }
}

/// Whether two numbers are a day and a month, in either order.
fn day(one: &str, other: &str) -> bool {
    let number = |digits: &str| if digits.len() <= 2 { digits.parse::<u32>().unwrap_or(0) } else { 0 };
    let (one, other) = (number(one), number(other));
    one.min(other) >= 1 && one.min(other) <= 12 && one.max(other) <= 31
}

fn year(digits: &str) -> bool {
    digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
}

/// Whether the words before say that it is the number of a protocol, a ticket, a company.
fn labelled(text: &str, at: usize) -> bool {
    let near = &text[text.ceil_char_boundary(at.saturating_sub(LABEL_NEAR))..at];
    let line = near.rsplit('\n').next().unwrap_or_default().to_lowercase();
    let mut words = line.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        return match word {
            word if NUMBER.contains(&word) => continue,
            "f" => words.next() == Some("c"),
            "i" => words.next() == Some("p"),
            word => LABELS.contains(&word),
        };
    }
    false
}

/// Whether a number counts something, or is a part of one with decimals.
fn counted(text: &str, groups: &[Group<'_>]) -> bool {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let head = text[..first.at].trim_end_matches('+');
    let tail = &text[last.at + last.digits.len()..];
    let decimals = tail.strip_prefix(',').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let fraction = head.strip_suffix(',').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    let head = head.strip_suffix(' ').unwrap_or(head);
    let tail = tail.strip_prefix(' ').unwrap_or(tail);
    let word = tail.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let short = word.len() <= 16;
    decimals
        || fraction
        || head.ends_with(COINS)
        || tail.starts_with(COINS)
        || (short && UNITS.contains(&word.to_lowercase().as_str()))
}
