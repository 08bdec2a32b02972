//! `/latest`: who said what, the latest first.

use record::{
    entry::Said,
    lang::Text,
    pages,
    party::Party,
    reply::Reply,
    slug::folded,
    statement::Statement,
    view::{Entry, Incident},
};

use crate::kit::{Arg, Ask, Command, Failure, Given, INCIDENT, PAGE, Role, Room, Shape, Spec};

/// `/latest incident [by] [page]`
pub static LATEST: Command = Command {
    name: "latest",
    about: Text {
        en: "The latest statements: who said what, and where",
        it: "Le ultime dichiarazioni: chi ha detto che cosa, e dove",
    },
    args: &[&INCIDENT.spec, &BY.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole by:ACN",
    run: latest,
};

static BY: Arg<String> = Arg {
    spec: Spec {
        name: "by",
        about: Text { en: "Only by this speaker, or in this capacity", it: "Solo di chi parla, o a che titolo" },
        required: false,
        shape: Shape::Words,
    },
    read: |_, _, typed| Ok(typed.to_owned()),
};

fn latest(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    let by = BY.of(room, ask, given)?;
    let wanted = by.as_deref().map(folded).unwrap_or_default();
    let fits = |entry: &Entry| match &entry.said {
        Said::Statement(statement) => is_by(room, &incident, statement, &wanted),
        _ => false,
    };
    let by = by.as_deref().map(|who| (who, &fits as &dyn Fn(&Entry) -> bool));
    Ok(pages::latest(&room.view, &incident, by, page, &ask.reader())?)
}

/// Whether a statement's speaker or capacity begins with what was typed, in any of their names.
fn is_by(room: &Room<'_>, incident: &Incident, statement: &Statement, wanted: &str) -> bool {
    let capacity = statement.capacity;
    let mut names = vec![folded(capacity.code()), folded(capacity.text().en), folded(capacity.text().it)];
    match &statement.speaker {
        None => {}
        Some(Party::Named(named)) => names.push(folded(&named.name)),
        Some(Party::Organisation(handle)) => {
            names.push(handle.to_string());
            if let Ok(Some((organisation, _))) = room.view.member(incident, handle) {
                names.push(folded(&organisation.name));
                names.extend(organisation.aliases.iter().map(|alias| folded(alias)));
            }
        }
    }
    names.iter().any(|name| name.starts_with(wanted) || name.split_whitespace().any(|word| word == wanted))
}
