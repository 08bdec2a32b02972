//! `/timeline`: what happened and when, newest first; or what was known of it at some time.

use record::{
    lang::Text,
    pages::{self, TimelineAsk},
    reply::{Line, Reply},
};

use crate::kit::{AS_OF, Ask, Command, FROM, Failure, Given, INCIDENT, PAGE, Role, Room, TO};

/// `/timeline incident [page] [from] [to] [as_of]`
pub static TIMELINE: Command = Command {
    name: "timeline",
    about: Text { en: "What happened and when, newest first", it: "Che cosa è successo e quando, dal più recente" },
    args: &[&INCIDENT.spec, &PAGE.spec, &FROM.spec, &TO.spec, &AS_OF.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole as_of:2023-12-14",
    run: timeline,
};

fn timeline(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    let (from, to) = (FROM.of(room, ask, given)?, TO.of(room, ask, given)?);
    let as_of = AS_OF.of(room, ask, given)?;
    if let Some(open) = as_of.filter(|as_of| as_of.latest().is_none()) {
        let words =
            ask.say(" has no end: as_of needs a date that ends.", " non ha fine: as_of richiede una data che finisca.");
        return Err(Failure::refused(Line::new().strong(open.to_string()).text(words)));
    }
    if let (Some(from), Some(to)) = (from.and_then(|it| it.earliest()), to.and_then(|it| it.latest()))
        && to < from
    {
        return Err(Failure::refused(
            ask.say("The period ends before it begins.", "Il periodo finisce prima di cominciare."),
        ));
    }
    Ok(pages::timeline(&room.view, &incident, &TimelineAsk { page, from, to, as_of }, &ask.reader())?)
}
