//! The silence clock: when those who owe an answer last spoke, and whether they kept what they promised.

use chrono::NaiveDateTime;

use crate::{
    party::Capacity,
    statement::Statement,
    when::{Order, When},
};

/// A statement with its number.
pub type Numbered<'a> = (u32, &'a Statement);

/// How long it has been quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// When the last official statement was published.
    pub last: Option<When>,
    /// The newest promise of an update that was not kept yet.
    pub promise: Option<Promise>,
}

/// An update that was promised, and has not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The statement that promises it.
    pub number: u32,
    /// By when.
    pub by: When,
    /// The last minute in which it was in time, if that is over.
    pub overdue: Option<NaiveDateTime>,
}

/// Whether a statement is official: by those who were hit, those who supply them, or an authority.
pub fn is_official(said: &Statement) -> bool {
    matches!(said.capacity, Capacity::Victim | Capacity::Supplier | Capacity::Authority)
}

/// What an incident's statements, none of them retracted, come to at a moment on its clock.
pub fn silence(said: &[Numbered<'_>], now: NaiveDateTime) -> Silence {
    let began = |said: &Statement| said.date.earliest().is_none_or(|earliest| earliest <= now);
    let official = said.iter().filter(|(_, it)| is_official(it) && began(it));
    let last = official.map(|(_, it)| it.date).max_by_key(When::order);
    let open = said.iter().filter(|it| it.1.promises.is_some() && !said.iter().any(|other| keeps(*other, **it)));
    let newest = open.max_by_key(|it| made(it));
    let promise = newest.and_then(|(number, it)| it.promises.map(|by| (*number, by))).map(|(number, by)| {
        let overdue = by.latest().filter(|latest| *latest < now);
        Promise { number, by, overdue }
    });
    Silence { last, promise }
}

fn made((number, said): &Numbered<'_>) -> (Order, u32) {
    (said.date.order(), *number)
}

/// Whether a statement is the update that another promised, or takes its place: by the same speaker, or by anybody
/// official where nobody is named. What was recorded before it, on the day it was made, came before it; and what has
/// the same source was said with it.
fn keeps((number, said): Numbered<'_>, (promised, promise): Numbered<'_>) -> bool {
    let by_them = match &promise.speaker {
        Some(speaker) => said.speaker.as_ref() == Some(speaker),
        None => is_official(said) || (said.speaker.is_none() && said.promises.is_some()),
    };
    let with_it = said.promises.is_none() && said.sources.iter().any(|source| promise.sources.contains(source));
    let (from, made) = (said.date.earliest(), promise.date);
    let surely_later = from.is_some_and(|from| made.latest().is_some_and(|made| from > made));
    let may_be_later = said.date.latest().zip(made.earliest()).is_none_or(|(latest, made)| latest >= made);
    by_them && number != promised && !with_it && (surely_later || (may_be_later && number > promised))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::Ref,
        lang::{Lang, Prose},
        party::Party,
    };

    fn said(who: Option<&str>, capacity: Capacity, date: &str, promises: Option<&str>) -> Statement {
        Statement {
            speaker: who.map(Party::named),
            capacity,
            published_by: None,
            date: date.parse().expect(date),
            as_of: None,
            gist: Prose::one(Lang::En, "Words.").expect("words"),
            quote: None,
            promises: promises.map(|by| by.parse().expect(by)),
            sources: Vec::new(),
            claims: Vec::new(),
        }
    }

    fn at(said: &[Statement], now: &str) -> Silence {
        let numbered: Vec<_> = (1..).zip(said).collect();
        silence(&numbered, now.parse().expect(now))
    }

    fn promise() -> Statement {
        said(Some("ACN"), Capacity::Authority, "2023-12-08T10:00", Some("2023-12-14T18:00"))
    }

    #[test]
    fn a_promise_is_open_then_overdue_then_kept() {
        let early = at(&[promise()], "2023-12-14T18:00:00");
        let by = "2023-12-14T18:00".parse().expect("a date");
        assert_eq!(early.promise, Some(Promise { number: 1, by, overdue: None }), "the minute itself is in time");
        let late = at(&[promise()], "2023-12-14T18:01:00").promise.and_then(|it| it.overdue);
        assert_eq!(late.map(|it| it.to_string()).as_deref(), Some("2023-12-14 18:00:00"));
        let day = said(Some("ACN"), Capacity::Authority, "2023-12-08", Some("2023-12-14"));
        assert_eq!(at(&[day], "2023-12-14T23:59:00").promise.and_then(|it| it.overdue), None, "the day is not over");
        let kept = said(Some("ACN"), Capacity::Authority, "2023-12-15", None);
        let silence = at(&[promise(), kept], "2023-12-20T00:00:00");
        assert_eq!((silence.promise, silence.last), (None, "2023-12-15".parse().ok()));
    }

    #[test]
    fn only_who_promised_keeps_a_promise_and_only_after_it() {
        let other = said(Some("Westpole"), Capacity::Victim, "2023-12-15", None);
        assert!(at(&[promise(), other.clone()], "2023-12-20T00:00:00").promise.is_some(), "somebody else");
        let before = said(Some("ACN"), Capacity::Authority, "2023-12-07", None);
        assert!(at(&[promise(), before], "2023-12-20T00:00:00").promise.is_some(), "said before");
        let same_day = said(Some("ACN"), Capacity::Authority, "2023-12-08", None);
        assert!(
            at(&[promise(), same_day.clone()], "2023-12-20T00:00:00").promise.is_none(),
            "that day, recorded later"
        );
        assert!(
            at(&[same_day.clone(), promise()], "2023-12-20T00:00:00").promise.is_some(),
            "that day, on record already"
        );
        let (mut with_it, mut promise) = (same_day, promise());
        with_it.sources = vec![Ref::Number(9)];
        promise.sources = vec![Ref::Number(9)];
        assert!(at(&[promise, with_it], "2023-12-20T00:00:00").promise.is_some(), "said with it");
        let unnamed = said(None, Capacity::Unnamed, "2023-12-08T10:00", Some("2023-12-14"));
        assert!(at(&[unnamed.clone(), other], "2023-12-20T00:00:00").promise.is_none(), "anybody official");
        let press = said(Some("AGI"), Capacity::Press, "2023-12-15", None);
        assert!(at(&[unnamed, press], "2023-12-20T00:00:00").promise.is_some(), "the press is not");
    }

    #[test]
    fn a_new_promise_takes_the_place_of_the_old_one_and_the_last_statement_is_an_official_one() {
        let again = said(Some("ACN"), Capacity::Authority, "2023-12-14T17:00", Some("2023-12-20"));
        let silence = at(&[promise(), again], "2023-12-18T00:00:00");
        assert_eq!(silence.promise.map(|it| (it.number, it.overdue)), Some((2, None)));
        let press = said(Some("AGI"), Capacity::Press, "2023-12-17", None);
        let to_come = said(Some("ACN"), Capacity::Authority, "2024-01-01", None);
        let silence = at(&[promise(), press, to_come], "2023-12-18T00:00:00");
        assert_eq!(silence.last, "2023-12-08T10:00".parse().ok());
        assert_eq!(at(&[], "2023-12-18T00:00:00"), Silence::default());
    }
}
