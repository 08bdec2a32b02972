//! A message that is answered with a command: what the command lacks comes from it.

use chrono::{DateTime, Utc};
use record::{
    reply::Line,
    view::{Incident, local},
    when::When,
};

use super::{Ask, Failure, INCIDENT, LINK, Room, Shape, Spec, Typed};

/// A message that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// What it says, or what is said of its attachment.
    pub text: Option<String>,
    /// When it was written; of a message that was passed on, the first time.
    pub at: DateTime<Utc>,
    /// The first web address in it.
    pub link: Option<String>,
    /// Its own web address, or that of the message that was passed on.
    pub own: Option<String>,
    /// Who wrote it first, if it was passed on.
    pub author: Option<String>,
    /// Whether it holds more than words: a picture, a document.
    pub attachment: bool,
}

impl Quoted {
    /// The address that is kept of it. What it is attached to is found where it stands.
    fn kept(&self) -> Option<&str> {
        let (first, second) = if self.attachment { (&self.own, &self.link) } else { (&self.link, &self.own) };
        first.as_deref().or(second.as_deref())
    }

    /// Whether what is kept is the message itself, and not what it points at.
    fn keeps_itself(&self) -> bool {
        self.own.is_some() && self.kept() == self.own.as_deref()
    }

    /// What it has for an argument. Whoever wrote about a page, and when, says nothing of who published the page.
    fn part(&self, of: &Spec, incident: Option<&Incident>) -> Option<String> {
        let itself = of.required || self.keeps_itself();
        match of.name {
            "text" => self.text.clone(),
            "speaker" => self.author.clone(),
            "publisher" if itself => self.author.clone(),
            name if name == LINK.name => self.kept().map(str::to_owned),
            _ if of.shape == Shape::When && itself => {
                incident.map(|incident| When::minute(local(self.at, incident.zone())).to_string())
            }
            _ => None,
        }
    }
}

/// Gives a command that records what it lacks. What is whole needs nothing; an attachment is kept as a link all the same.
/// Without an incident there is no clock on which the message's time could be told, so that stays open.
pub fn fill(room: &Room<'_>, ask: &Ask, typed: &mut Typed) -> Result<(), Failure> {
    let Some(quoted) = ask.quoted.as_ref().filter(|_| typed.command.piped.is_some()) else { return Ok(()) };
    let lacks = typed.lacks().is_some();
    let incident = typed.given.get(INCIDENT.spec.name).map(|typed| (INCIDENT.read)(room, ask, typed)).transpose()?;
    for arg in typed.command.args {
        let wanted = lacks || (quoted.attachment && arg.name == LINK.name);
        if wanted
            && typed.given.get(arg.name).is_none()
            && let Some(part) = quoted.part(arg, incident.as_ref())
        {
            typed.given.set(arg, part);
        }
    }
    Ok(())
}

/// What is said of an attachment; `kept` is the link that the entry will have.
pub fn attachment(ask: &Ask, kept: Option<&str>) -> Option<Line> {
    let quoted = ask.quoted.as_ref().filter(|quoted| quoted.attachment)?;
    let words = match &quoted.own {
        Some(own) if kept == Some(own) => ask.say(
            "The attachment itself is not stored, only the link to the message.",
            "L'allegato non viene conservato: resta solo il link al messaggio.",
        ),
        Some(_) => ask.say("The attachment itself is not stored.", "L'allegato non viene conservato."),
        None => ask.say(
            "The attachment itself is not stored, and its message has no public address that could be kept instead.",
            "L'allegato non viene conservato, e il suo messaggio non ha un indirizzo pubblico da conservare al suo posto.",
        ),
    };
    Some(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::EVENT, source::SOURCE, statement::STATEMENT};

    fn quoted() -> Quoted {
        let (link, own) = (Some("https://example.org/a".to_owned()), Some("https://t.me/acn/7".to_owned()));
        Quoted {
            text: Some("All is well.".to_owned()),
            at: DateTime::UNIX_EPOCH,
            link,
            own,
            author: Some("ACN".to_owned()),
            attachment: false,
        }
    }

    fn part(quoted: &Quoted, command: &crate::kit::Command, name: &str) -> Option<String> {
        quoted.part(command.args.iter().find(|arg| arg.name == name).expect("an argument"), None)
    }

    #[test]
    fn what_a_message_points_at_is_kept_or_else_the_message_itself() {
        let points = quoted();
        assert_eq!(part(&points, &EVENT, "link").as_deref(), Some("https://example.org/a"));
        assert_eq!(part(&points, &SOURCE, "publisher"), None, "who passes a link on did not publish the page");
        for itself in [Quoted { link: None, ..quoted() }, Quoted { attachment: true, ..quoted() }] {
            assert_eq!(part(&itself, &STATEMENT, "link").as_deref(), Some("https://t.me/acn/7"));
            assert_eq!(part(&itself, &SOURCE, "publisher").as_deref(), Some("ACN"));
        }
        let nowhere = Quoted { own: None, attachment: true, ..quoted() };
        assert_eq!(part(&nowhere, &EVENT, "link").as_deref(), Some("https://example.org/a"));
        assert_eq!(part(&points, &STATEMENT, "speaker").as_deref(), Some("ACN"));
        assert_eq!(part(&points, &STATEMENT, "text").as_deref(), Some("All is well."));
        assert_eq!(part(&points, &EVENT, "when"), None, "no time without a clock");
    }
}
