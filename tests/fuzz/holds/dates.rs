//! Dates: what is read is written so that it is read again, and said so that it is heard again.

use chrono::NaiveDateTime;
use record::{
    heard::{self, NotHeard},
    lang::Lang,
    spoken,
    when::When,
};

use super::Tape;

/// A date as it is stored, whatever it may be.
pub fn when(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<When>() {
        Ok(when) => sound(&when),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// What holds of every date.
fn sound(when: &When) {
    let written = when.to_string();
    assert_eq!(written.parse::<When>().as_ref(), Ok(when), "{written}");
    let json = serde_json::to_string(when).expect("JSON");
    assert_eq!(&serde_json::from_str::<When>(&json).expect("a date"), when);
    if let (Some(first), Some(last)) = (when.earliest(), when.latest()) {
        assert!(first <= last, "{written}: {first} to {last}");
    }
    // Nothing that can be asked of it may panic.
    let _ = (when.order(), when.has_clock());
    for zone in [chrono_tz::Europe::Rome, chrono_tz::Pacific::Apia, chrono_tz::America::St_Johns] {
        let there = when.in_zone(chrono_tz::Europe::Rome, zone);
        let _ = (when.check(zone), when.instant(zone), there.order());
        for lang in Lang::ALL {
            assert!(!spoken::when(&there, lang).is_empty());
        }
    }
    for lang in Lang::ALL {
        for said in [spoken::when(when, lang), spoken::by(when, lang), spoken::as_of(when, lang)] {
            assert!(!said.trim().is_empty() && said.chars().count() <= heard::MAX_CHARS, "{written}: {said}");
        }
    }
}

/// A date as people write it.
pub fn heard(data: &[u8]) {
    let mut tape = Tape(data);
    let choice = tape.byte();
    let lang = if choice & 1 == 0 { Lang::En } else { Lang::It };
    let nows = ["2026-11-23T10:30:00", "2024-02-29T23:59:59", "2023-12-31T00:00:00", "2025-03-30T02:30:00"];
    let now: NaiveDateTime = nows[usize::from(choice >> 2) % nows.len()].parse().expect("a moment");
    let typed = tape.text();
    let hear = if choice & 2 == 0 { heard::when } else { heard::ahead };
    match hear(&typed, now, lang) {
        Ok(when) => {
            sound(&when);
            // What is said back says the same to whoever types it.
            let said = spoken::when(&when, lang);
            assert_eq!(heard::when(&said, now, lang), Ok(when), "{typed:?} is said as {said:?}");
        }
        Err(why) => {
            assert!(Lang::ALL.iter().all(|lang| !why.reason(*lang).is_empty()));
            if let NotHeard::Ambiguous { one, other } = why {
                assert_ne!(one, other);
                sound(&one);
                sound(&other);
            }
        }
    }
}
