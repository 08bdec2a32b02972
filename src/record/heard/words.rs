//! The words of a date in both languages, and what each may mean.

use chrono::Weekday;

use crate::lang::Lang;

/// Something typed that has a meaning in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A number, and with how many digits it was written.
    Number(u32, usize),
    /// A number in words.
    Count(u32),
    /// "17:30"; whether it was written with a zero before, as on a clock of 24 hours.
    Clock(u32, u32, bool),
    /// "8.12": a clock time or a day.
    Dotted(u32, u32),
    /// "8/12/2023"; what was parted by dots always has its day first.
    Slashed {
        first: u32,
        second: u32,
        year: Option<i32>,
        dotted: bool,
    },
    /// "2023-12-08", "2023-12", "12/2023".
    Iso {
        year: i32,
        month: u32,
        day: Option<u32>,
    },
    /// Between the ends of a span.
    Dash,
    /// Behind the number of a day: "8th", "1º".
    Ordinal,
    /// "primo": a day.
    First,
    Month(u32),
    Weekday(Weekday),
    /// So many days from today.
    Day(i64),
    Part(Part),
    Unit(Unit),
    /// "fa".
    Ago,
    /// "ago": "days ago" in English, "3 ago 2023" in Italian.
    AgoOrAugust,
    /// "ora": an hour, or now.
    Ora,
    Now,
    /// "scorso" is -1, "questo" 0, "prossimo" 1.
    Shift(i64),
    About,
    Before,
    After,
    /// "entro".
    By,
    Between,
    /// "and"; the Italian one also counts minutes: "le 5 e 10".
    And,
    E,
    /// Opens a span, and is an article: "dal", "dalle".
    From(Art),
    /// May close a span, and is an article: "al", "alle".
    To(Art),
    /// Closes a span, whatever follows.
    Until,
    Article(Art),
    /// "a": one, or like [`Token::To`].
    A,
    In,
    Am,
    Pm,
    OClock,
    Noon,
    Midnight,
    Half,
    Quarter,
    Past,
    /// "meno".
    Minus,
    /// Says nothing: "some time".
    Noise,
}

/// What an article says of the number behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Art {
    Any,
    /// "il": a day.
    Day,
    /// "le": an hour.
    Hour,
    /// "l'": day 8 or 11, day or hour 1.
    Elided,
}

/// A part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
    /// "Last night": in English that is the evening too.
    LastNight,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// The most words of one phrase.
pub(super) const LONGEST: usize = 4;

/// What a phrase means; folded, its words parted by single blanks.
pub(super) fn meaning(phrase: &str) -> Option<&'static [Token]> {
    WORDS.iter().find(|(words, _)| words.split('|').any(|word| word == phrase)).map(|(_, tokens)| *tokens)
}

/// The full name of a month or weekday.
pub(super) fn name(of: Token, lang: Lang) -> String {
    let words = WORDS.iter().find(|(_, tokens)| *tokens == [of]).map_or("", |(words, _)| words);
    let name = words.split('|').nth(lang.pick(1, 0)).unwrap_or_default();
    match (lang, name.split_at_checked(1), name.strip_suffix("di")) {
        (Lang::En, Some((first, rest)), _) => first.to_uppercase() + rest,
        (Lang::It, _, Some(weekday)) => format!("{weekday}dì"),
        _ => name.to_owned(),
    }
}

use Token::*;

/// Folded; of months and weekdays the Italian name, the English one, then what is short for them.
/// "mar" is March: so it is in both languages, while Tuesday is "mar" only in one.
pub(super) const WORDS: &[(&str, &[Token])] = &[
    ("gennaio|january|genn|gen|jan", &[Month(1)]),
    ("febbraio|february|febbr|feb", &[Month(2)]),
    ("marzo|march|mar", &[Month(3)]),
    ("aprile|april|apr", &[Month(4)]),
    ("maggio|may|magg|mag", &[Month(5)]),
    ("giugno|june|giu|jun", &[Month(6)]),
    ("luglio|july|lug|jul", &[Month(7)]),
    ("agosto|august|aug", &[Month(8)]),
    ("settembre|september|sett|set|sept|sep", &[Month(9)]),
    ("ottobre|october|ott|oct", &[Month(10)]),
    ("novembre|november|nov", &[Month(11)]),
    ("dicembre|december|dic|dec", &[Month(12)]),
    ("lunedi|monday|lun|mon", &[Weekday(Weekday::Mon)]),
    ("martedi|tuesday|tues|tue", &[Weekday(Weekday::Tue)]),
    ("mercoledi|wednesday|mer|wed", &[Weekday(Weekday::Wed)]),
    ("giovedi|thursday|gio|thurs|thur|thu", &[Weekday(Weekday::Thu)]),
    ("venerdi|friday|ven|fri", &[Weekday(Weekday::Fri)]),
    ("sabato|saturday|sab|sat", &[Weekday(Weekday::Sat)]),
    ("domenica|sunday|dom|sun", &[Weekday(Weekday::Sun)]),
    ("uno|una|un|one|an", &[Count(1)]),
    ("due|two", &[Count(2)]),
    ("tre|three", &[Count(3)]),
    ("quattro|four", &[Count(4)]),
    ("cinque|five", &[Count(5)]),
    ("sei|six", &[Count(6)]),
    ("sette|seven", &[Count(7)]),
    ("otto|eight", &[Count(8)]),
    ("nove|nine", &[Count(9)]),
    ("dieci|ten", &[Count(10)]),
    ("undici|eleven", &[Count(11)]),
    ("dodici|twelve", &[Count(12)]),
    ("quindici|fifteen", &[Count(15)]),
    ("venti|twenty", &[Count(20)]),
    ("trenta|thirty", &[Count(30)]),
    ("mezz ora|mezzora|half an hour", &[Count(30), Unit(Unit::Minute)]),
    ("primo|first", &[First]),
    ("oggi|today", &[Day(0)]),
    ("ieri|yesterday", &[Day(-1)]),
    ("l altro ieri|altro ieri|altroieri|ieri l altro|avantieri", &[Day(-2)]),
    ("the day before yesterday|day before yesterday", &[Day(-2)]),
    ("domani|tomorrow", &[Day(1)]),
    ("dopodomani|the day after tomorrow|day after tomorrow", &[Day(2)]),
    ("stamattina|stamani|stamane|questa mattina|this morning", &[Day(0), Part(Part::Morning)]),
    ("questo pomeriggio|this afternoon", &[Day(0), Part(Part::Afternoon)]),
    ("stasera|questa sera|this evening|tonight", &[Day(0), Part(Part::Evening)]),
    ("last evening", &[Day(-1), Part(Part::Evening)]),
    // "Prima" and "primo" mean something else by themselves.
    ("prima mattina|prima mattinata|primo mattino|tarda mattinata|early morning|late morning", &[Part(Part::Morning)]),
    ("primo pomeriggio|tardo pomeriggio|early afternoon|late afternoon", &[Part(Part::Afternoon)]),
    ("prima sera|prima serata|tarda sera|tarda serata|early evening|late evening", &[Part(Part::Evening)]),
    ("mattina|mattino|mattinata|morning", &[Part(Part::Morning)]),
    ("pomeriggio|afternoon", &[Part(Part::Afternoon)]),
    ("sera|serata|evening", &[Part(Part::Evening)]),
    ("notte|nottata|night|at night|stanotte|questa notte", &[Part(Part::Night)]),
    ("last night|la notte scorsa|notte scorsa|la scorsa notte|scorsa notte", &[Part(Part::LastNight)]),
    ("minuto|minuti|min|mins|minute|minutes", &[Unit(Unit::Minute)]),
    ("ore|hour|hours|hr|hrs", &[Unit(Unit::Hour)]),
    ("giorno|giorni|day|days", &[Unit(Unit::Day)]),
    ("settimana|settimane|week|weeks", &[Unit(Unit::Week)]),
    ("mese|mesi|month|months", &[Unit(Unit::Month)]),
    ("anno|anni|year|years", &[Unit(Unit::Year)]),
    ("ora", &[Ora]),
    ("adesso|now|right now|just now", &[Now]),
    ("fa", &[Ago]),
    ("ago", &[AgoOrAugust]),
    ("scorso|scorsa|passato|passata|last", &[Shift(-1)]),
    ("questo|questa|quest|this", &[Shift(0)]),
    ("prossimo|prossima|next", &[Shift(1)]),
    ("circa|ca|verso|intorno|attorno|about|around|approximately|approx|roughly", &[About]),
    ("prima|before", &[Before]),
    ("dopo|after", &[After]),
    ("entro|by", &[By]),
    ("tra|fra|between", &[Between]),
    ("and", &[And]),
    ("e|ed", &[E]),
    ("da|from|dalla", &[From(Art::Any)]),
    ("dal", &[From(Art::Day)]),
    ("dalle", &[From(Art::Hour)]),
    ("dall", &[From(Art::Elided)]),
    ("ad|alla", &[To(Art::Any)]),
    ("al", &[To(Art::Day)]),
    ("alle", &[To(Art::Hour)]),
    ("all", &[To(Art::Elided)]),
    ("to|until|till|fino|sino", &[Until]),
    ("a", &[A]),
    ("in", &[In]),
    ("di|d|of|on|la|della|nella", &[Article(Art::Any)]),
    ("il|lo|del|dello|nel|the", &[Article(Art::Day)]),
    ("le|delle|at|h", &[Article(Art::Hour)]),
    ("l|dell|nell", &[Article(Art::Elided)]),
    ("am|a m", &[Am]),
    ("pm|p m", &[Pm]),
    ("o clock|oclock", &[OClock]),
    ("mezzogiorno|noon|midday", &[Noon]),
    ("mezzanotte|midnight", &[Midnight]),
    ("mezza|mezzo|half", &[Half]),
    ("quarto|quarti|quarter", &[Quarter]),
    ("past", &[Past]),
    ("meno", &[Minus]),
    ("some time|sometime|in un momento|in punto", &[Noise]),
];
