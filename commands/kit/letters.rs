//! What people are told in private because of something that others did: moderators of what waits for them and of what
//! became of it, whoever suggested something of its fate. Worked out when they are told, from the line that says it.

use chrono::{DateTime, Utc};
use record::{
    channel::Network,
    entry::{EntryName, Level, Said},
    lang::Lang,
    pages::{self, Reader},
    private::{Address, Fact},
    reply::{Block, Letter, Line, Reply, Tone},
    store::{DraftRow, Fate, Store},
};

use super::{
    Ask, Caller, Failure, House, Place, Role, Room, compose,
    decide::{self, Danger},
};
use crate::publish::recording;

/// Who on a network has to be told of a line, and what. A line of which nobody has to hear makes none.
///
/// # Errors
/// What broke on our side, in words for the log.
pub fn letters(
    store: &Store,
    house: &House,
    (of, network): (u64, Network),
    at: DateTime<Utc>,
) -> Result<Vec<Letter>, String> {
    let desk = Desk { room: Room { store, view: store.view(), house }, at };
    let letters = match desk.room.view.fact(of).map_err(|error| error.to_string())? {
        Some(Fact::Draft(draft)) if draft.suggested => desk.shown(of, None),
        Some(Fact::Approved { draft, by }) => desk.shown(draft, Some(by)),
        Some(Fact::Decided { draft, published, by }) => desk.decided(draft, published, by),
        Some(Fact::Lapsed { incident, number }) => desk.reminded(incident.as_str(), number),
        _ => Ok(Vec::new()),
    };
    match letters {
        Ok(letters) => Ok(letters.into_iter().filter(|letter| letter.to.network() == Some(network)).collect()),
        // What it is about does not hold any more: its incident was renamed, its entry retracted.
        Err(Failure::Refused(_)) => Ok(Vec::new()),
        Err(Failure::Broke(cause)) => Err(cause),
    }
}

struct Desk<'a> {
    room: Room<'a>,
    at: DateTime<Utc>,
}

impl Desk<'_> {
    /// Nobody asks; it is worked out as if somebody did, in their language and zone.
    fn as_asked_by(&self, to: &Address) -> Result<Ask, Failure> {
        let choice = self.room.view.choice(to)?;
        Ok(Ask {
            line: String::new(),
            caller: Caller { address: Some(to.clone()), role: Role::Moderator, incidents: Vec::new() },
            place: Place::terminal(),
            lang: choice.lang.unwrap_or(self.room.house.lang),
            zone: Some(choice.zone.unwrap_or(self.room.house.zone)),
            at: self.at,
            key: None,
            quoted: None,
        })
    }

    /// A draft, to everybody who may decide about it and was not shown it; where a first moderator wants it, to the
    /// others, so that one of them notices.
    fn shown(&self, number: u64, first: Option<Address>) -> Result<Vec<Letter>, Failure> {
        let Some(row) = self.room.view.draft(number)?.filter(|row| row.fate == Fate::Open) else {
            return Ok(Vec::new());
        };
        let recording = recording(&row.draft.command)?;
        let mut letters = Vec::new();
        let Some(somebody) = self.room.house.owners.first().cloned().or_else(|| row.draft.by.clone()) else {
            return Ok(Vec::new());
        };
        let entries = compose::entries_of(&self.room, &self.as_asked_by(&somebody)?, recording, &row.draft)?;
        let Some(incident) = entries.last().map(|last| last.incident.clone()) else { return Ok(Vec::new()) };
        let danger = first.as_ref().and(decide::danger(&self.room, &entries));
        for to in decide::moderators(&self.room, &incident)? {
            let left_out = match first {
                Some(_) => row.approvals.contains(&to),
                None => row.cards.iter().any(|card| card.to == to),
            };
            if left_out {
                continue;
            }
            let ask = self.as_asked_by(&to)?;
            let mut reply = compose::preview(&self.room, &ask, recording, number, &row.draft)?;
            reply.blocks.insert(0, Block::Note(why(&ask, number, &row, first.as_ref().zip(danger))));
            letters.push(Letter { to, reply: Box::new(reply), draft: Some(number), place: None });
        }
        Ok(letters)
    }

    /// What became of a draft, told to everybody who was shown it, to whoever wanted it first, and to whoever suggested
    /// it. Where it was changed, what it reads now takes its place.
    fn decided(&self, number: u64, published: bool, by: Option<Address>) -> Result<Vec<Letter>, Failure> {
        let Some(row) = self.room.view.draft(number)? else { return Ok(Vec::new()) };
        if let Some(next) = compose::successor(&self.room.view, number)? {
            return self.changed(&row, next);
        }
        let by = by.unwrap_or_else(|| Address(decide::OPERATOR.to_owned()));
        let name = match row.fate {
            Fate::Published { by } => compose::published(&self.room, by)?,
            _ => None,
        };
        let told = |ask: &Ask, by: Option<&Address>| match &name {
            Some(name) => recorded(&self.room, ask, name, by),
            None if published => Ok(compose::done(ask, gone(ask), None)),
            None => Ok(discarded(ask, row.draft.suggested, by)),
        };
        let mut letters = Vec::new();
        for card in &row.cards {
            let ask = self.as_asked_by(&card.to)?;
            let place = Some((card.place.clone(), card.message.clone()));
            letters.push(Letter { to: card.to.clone(), reply: Box::new(told(&ask, Some(&by))?), draft: None, place });
        }
        // Whoever wanted it first was told that it waits for a second.
        let wanted =
            row.approvals.iter().filter(|first| **first != by && !row.cards.iter().any(|card| card.to == **first));
        for first in wanted {
            let reply = told(&self.as_asked_by(first)?, Some(&by))?;
            letters.push(Letter { to: first.clone(), reply: Box::new(reply), draft: None, place: None });
        }
        if let Some(author) = row.draft.by.clone().filter(|author| row.draft.suggested && *author != by) {
            let choice = self.room.view.choice(&author)?;
            let ask = Ask { lang: choice.lang.unwrap_or(row.draft.lang), ..self.as_asked_by(&author)? };
            let words = match published {
                true => ask.say("Your suggestion was accepted. Thank you.", "La tua proposta è stata accolta. Grazie."),
                false => ask.say("Your suggestion was decided on.", "È stato deciso sulla tua proposta."),
            };
            let mut reply = told(&ask, None)?;
            reply.blocks.insert(0, Block::Text(words.into()));
            reply.tone = Tone::Plain;
            letters.push(Letter { to: author, reply: Box::new(reply), draft: None, place: None });
        }
        Ok(letters)
    }

    /// What a draft reads now, where the one before was shown.
    fn changed(&self, before: &DraftRow, number: u64) -> Result<Vec<Letter>, Failure> {
        let Some(row) = self.room.view.draft(number)?.filter(|row| row.fate == Fate::Open) else {
            return Ok(Vec::new());
        };
        let recording = recording(&row.draft.command)?;
        let mut letters = Vec::new();
        for card in &before.cards {
            let ask = self.as_asked_by(&card.to)?;
            let mut reply = compose::preview(&self.room, &ask, recording, number, &row.draft)?;
            let words = ask.say("This was changed meanwhile.", "Nel frattempo è stata modificata.");
            reply.blocks.insert(0, Block::Note(words.into()));
            let place = Some((card.place.clone(), card.message.clone()));
            letters.push(Letter { to: card.to.clone(), reply: Box::new(reply), draft: Some(number), place });
        }
        Ok(letters)
    }

    /// That a promised update did not come, to everybody who may record what was said.
    fn reminded(&self, incident: &str, number: u32) -> Result<Vec<Letter>, Failure> {
        let view = &self.room.view;
        let Some(incident) = view.incident(incident)? else { return Ok(Vec::new()) };
        let Some(promise) = view.entry(&incident, number, None)?.filter(|it| it.retracted.is_none()) else {
            return Ok(Vec::new());
        };
        let told = |to: Address| {
            let Ask { lang, zone, .. } = self.as_asked_by(&to)?;
            let reply = pages::lapse(view, &incident, &promise, &Reader { lang, zone })?;
            Ok(Letter { to, reply: Box::new(reply), draft: None, place: None })
        };
        decide::moderators(&self.room, &incident.handle)?.into_iter().map(told).collect()
    }
}

/// Why a moderator is shown a draft.
fn why(ask: &Ask, number: u64, row: &DraftRow, second: Option<(&Address, Danger)>) -> Line {
    match second {
        Some((first, danger)) => {
            let what = danger.text().get(ask.lang);
            ask.say(
                format!(
                    "This entry {what}, so a second moderator has to publish it, too; {first} already did. Draft {number}."
                ),
                format!(
                    "Questa voce {what}, perciò deve pubblicarla anche un secondo moderatore; {first} lo ha già fatto. Bozza {number}."
                ),
            )
            .into()
        }
        None => {
            let by = match &row.draft.by {
                Some(by) => by.to_string(),
                None => ask.say("Somebody", "Qualcuno").to_owned(),
            };
            ask.say(
                format!("{by} suggests this entry (draft {number}). Whoever decides first decides for all."),
                format!("{by} propone questa voce (bozza {number}). Chi decide per primo decide per tutti."),
            )
            .into()
        }
    }
}

/// That a draft was recorded, by whom if that is to be said; what it does to another entry, and who hears of it.
pub fn recorded(room: &Room<'_>, ask: &Ask, name: &EntryName, by: Option<&Address>) -> Result<Reply, Failure> {
    let line = Line::new().text(ask.say("Recorded as ", "Registrato come ")).strong(name.to_string());
    let line = match by {
        Some(by) => line.text(ask.say(format!(" by {by}. "), format!(" da {by}. "))),
        None => line.text(". "),
    };
    let incident = &name.incident;
    let Some(public) = room.store.view().public(name)? else {
        return Ok(compose::done(ask, line, Some(name)));
    };
    let (subject, silent) = match &public.said {
        Said::Correction(it) => (it.subject.number().map(|n| (n, true)), it.level == Level::Silent),
        Said::Retraction(it) => (it.subject.number().map(|n| (n, false)), false),
        _ => (None, false),
    };
    let line = match subject {
        Some((number, true)) => {
            line.text(ask.say(format!("It corrects {incident}#{number}. "), format!("Corregge {incident}#{number}. ")))
        }
        Some((number, false)) => line
            .text(ask.say(format!("It takes {incident}#{number} back. "), format!("Ritratta {incident}#{number}. "))),
        None => line,
    };
    let heard = match (public.pushes(), silent) {
        (false, _) => ask.say(
            "It is in the record, and nobody is told.".to_owned(),
            "È nel registro, e nessuno viene avvisato.".to_owned(),
        ),
        (true, true) => ask.say(
            "What was posted is put right, without a word.".to_owned(),
            "I messaggi già pubblicati vengono ritoccati, senza avvisi.".to_owned(),
        ),
        (true, false) => ask.say(
            format!("Whoever follows {incident} hears of it."),
            format!("Chi segue {incident} ne riceve notizia."),
        ),
    };
    Ok(compose::done(ask, line.text(heard), Some(name)))
}

/// That a draft came to nothing.
pub fn discarded(ask: &Ask, suggested: bool, by: Option<&Address>) -> Reply {
    let words = match (suggested, by) {
        (false, None) => {
            ask.say("Discarded; nothing was recorded.", "Scartata: non è stato registrato nulla.").to_owned()
        }
        (false, Some(by)) => ask.say(
            format!("{by} discarded this; nothing was recorded."),
            format!("{by} ha scartato la bozza: non è stato registrato nulla."),
        ),
        (true, None) => ask.say("Not taken into the record.", "Non accolta nel registro.").to_owned(),
        (true, Some(by)) => {
            ask.say(format!("{by} did not take this into the record."), format!("{by} non l'ha accolta nel registro."))
        }
    };
    Reply { personal: false, ..Reply::personal(Tone::Plain, words) }
}

/// That a draft was recorded and what it became is not there any more.
fn gone(ask: &Ask) -> Line {
    ask.say("This was published.", "È stata pubblicata.").into()
}

/// Words before a letter that may be a second one.
pub fn perhaps_again(lang: Lang) -> Block {
    let words = lang.pick(
        "You may have been told this already: I could not see whether it arrived.",
        "Forse te l'ho già detto: non ho potuto vedere se era arrivato.",
    );
    Block::Note(words.into())
}

/// A letter as it is told when it may be the second time.
pub fn marked(mut letter: Letter, lang: Lang) -> Letter {
    letter.reply.blocks.insert(0, perhaps_again(lang));
    letter
}
