//! `/statement`: records that somebody said something.

use record::{
    entry::{Kind, Ref, Said},
    lang::Text,
    party::{self, Capacity, Organisation, Party},
    reply::{Line, Reply},
    slug::folded,
    statement::{Side, Stance, Statement},
    view::Incident,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, named,
    read, sentence, shown,
};

/// `/statement incident date | speaker | text [| link] [| claim]`
pub static STATEMENT: Command = Command {
    name: "statement",
    about: Text { en: "Record what somebody said", it: "Registra una dichiarazione" },
    args: &[&INCIDENT.spec, &DATE, &SPEAKER, &TEXT, &LINK, &CLAIM],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole 2023-12-20 | PA Digitale | All services are up again. | https://example.org/news",
    run: statement,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &STATEMENT, compose: entry, offers: Offers::Importance };

static DATE: Spec = Spec {
    name: "date",
    about: Text {
        en: "When it was published, on the incident's clock",
        it: "Quando è stata pubblicata, nell'orario dell'incidente",
    },
    required: true,
    shape: Shape::When,
};
static SPEAKER: Spec = named(
    "speaker",
    Text {
        en: "Who said it: an organisation, or a name such as Ann Lee (authority); - for unnamed sources",
        it: "Chi l'ha detto: un'organizzazione o un nome, come Anna Rossi (autorità); - per fonti anonime",
    },
    true,
);
static TEXT: Spec =
    sentence("text", Text { en: "What was said, in our words", it: "Che cosa dice, in parole nostre" }, true);
static CLAIM: Spec = sentence(
    "claim",
    Text {
        en: "Which claim it is for or against, such as for:#12 or against:#12",
        it: "Su quale affermazione si esprime, come a favore:#12 o contro:#12",
    },
    false,
);

fn statement(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let date = pen.when(&DATE, &incident)?;
    let (speaker, capacity) = speaker(pen, &incident, &SPEAKER)?;
    let claims = stances(pen, &incident)?;
    let gist = pen.prose(&TEXT)?;
    let sources = pen.sources(&incident)?;
    let (published_by, as_of, quote, promises) = (None, None, None, None);
    let said = Statement { speaker, capacity, published_by, date, as_of, gist, quote, promises, sources, claims };
    pen.write(&incident.handle, Said::Statement(said))
}

/// Who speaks, and in what capacity.
pub fn speaker(pen: &Pen<'_>, incident: &Incident, of: &Spec) -> Result<(Option<Party>, Capacity), Failure> {
    let typed = pen.need(of)?;
    if read::is_unnamed(typed) {
        return Ok((None, Capacity::Unnamed));
    }
    if let Some(organisation) = read::member(pen.room, incident, typed)? {
        let capacity = capacity(&organisation);
        return Ok((Some(Party::Organisation(organisation.handle)), capacity));
    }
    let (name, capacity) = in_capacity(typed);
    let capacity = capacity.unwrap_or(Capacity::Other);
    Ok((Some(Party::named(&read::name(pen.ask, of.name, name)?)), capacity))
}

/// `for:#12, against:#14`: which claims it speaks of.
fn stances(pen: &Pen<'_>, incident: &Incident) -> Result<Vec<Stance>, Failure> {
    let mut stances: Vec<Stance> = Vec::new();
    for typed in pen.given(&CLAIM).into_iter().flat_map(|typed| typed.split(',')) {
        let Some((side, number)) = side_of(typed, incident) else { return Err(no_stance(pen, typed)) };
        let claim = pen.room.view.entry(incident, number, None)?;
        let stands = claim.is_some_and(|claim| claim.said.kind() == Kind::Claim && claim.retracted.is_none());
        if !stands {
            let words = pen.ask.say(
                " is no claim that somebody can speak for or against. These are: ",
                " non è un'affermazione su cui esprimersi. Ecco quali lo sono: ",
            );
            let line = Line::new().strong(incident.name(number).to_string()).text(words);
            return Err(Failure::refused(line.code(format!("/claims {}", incident.handle)).text(".")));
        }
        let claim = Ref::Number(number);
        if stances.iter().any(|stance| stance.claim == claim) {
            let words = pen.ask.say(
                " is named twice: a statement takes one side on a claim, once.",
                " è indicata due volte: una dichiarazione prende posizione su un'affermazione una volta sola.",
            );
            return Err(Failure::refused(Line::new().strong(incident.name(number).to_string()).text(words)));
        }
        stances.push(Stance { claim, side });
    }
    Ok(stances)
}

/// "for:#12", "contro westpole#14".
fn side_of(typed: &str, incident: &Incident) -> Option<(Side, u32)> {
    let typed = typed.trim();
    let rest = typed.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = typed.get(rest.len()..)?.parse().ok()?;
    let rest = rest.trim_end_matches('#').trim_end();
    let rest = rest.strip_suffix(incident.handle.as_str()).unwrap_or(rest);
    let wanted = folded(rest.trim_end_matches([' ', ':']));
    let side = Side::ALL.iter().copied().find(|side| read::is_word(&wanted, side.code(), side.text()))?;
    Some((side, number))
}

fn no_stance(pen: &Pen<'_>, typed: &str) -> Failure {
    let words = pen.ask.say(
        " does not say on which side of which claim it stands. Write ",
        " non dice da che parte sta, e di quale affermazione. Scrivi ",
    );
    let (yes, no, back) =
        pen.ask.say(("for:#12", "against:#12", "taken-back:#12"), ("a favore:#12", "contro:#12", "ritratta:#12"));
    let line = Line::new().strong(shown(typed.trim())).text(words).code(yes).text(", ").code(no);
    Failure::refused(line.text(pen.ask.say(" or ", " o ")).code(back).text("."))
}

/// A name, and the capacity in brackets behind it: "Anna Rossi (autorità)".
fn in_capacity(typed: &str) -> (&str, Option<Capacity>) {
    let found = typed.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let Some((name, word)) = found.filter(|(name, _)| !name.trim().is_empty()) else { return (typed, None) };
    let wanted = folded(word.trim());
    let is = |it: &Capacity| *it != Capacity::Unnamed && read::is_word(&wanted, it.code(), it.text());
    let capacity = Capacity::ALL.iter().copied().find(is);
    (if capacity.is_some() { name.trim() } else { typed }, capacity)
}

/// In what capacity an organisation speaks: its first role, the most telling.
fn capacity(organisation: &Organisation) -> Capacity {
    match organisation.roles.first() {
        Some(party::Role::Victim) => Capacity::Victim,
        Some(party::Role::Supplier) => Capacity::Supplier,
        Some(party::Role::Customer) => Capacity::Customer,
        Some(party::Role::Authority) => Capacity::Authority,
        Some(party::Role::Attacker) => Capacity::Attacker,
        Some(party::Role::Mentioned) | None => Capacity::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_speaks_in_its_first_role() {
        let organisation = Organisation {
            handle: "pa-digitale".parse().expect("a handle"),
            name: "PA Digitale".to_owned(),
            aliases: Vec::new(),
            roles: vec![party::Role::Supplier, party::Role::Customer],
            about: None,
            sources: Vec::new(),
        };
        assert_eq!(capacity(&organisation), Capacity::Supplier);
    }

    #[test]
    fn who_is_no_organisation_speaks_in_the_capacity_that_is_given() {
        assert_eq!(in_capacity("Anna Rossi (autorità)"), ("Anna Rossi", Some(Capacity::Authority)));
        assert_eq!(in_capacity("AGI (PRESS) "), ("AGI", Some(Capacity::Press)));
        assert_eq!(in_capacity("Acme (Italy)"), ("Acme (Italy)", None));
        assert_eq!(in_capacity("(press)"), ("(press)", None));
    }
}
