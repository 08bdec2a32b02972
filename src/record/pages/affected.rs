//! Who is hit by an incident, and apart from them who supplies them, each with what they last said.

use super::{Cites, Page, Reader, frame, item::Show, prose, time};
use crate::{
    entry::{Kind, Said},
    pages::Turn,
    party::{Organisation, Party, Role},
    reply::{Block, Button, Item, Line, Reply},
    view::{Entry, Incident, View},
};

/// How many organisations a page shows: each has a row of buttons, Discord takes five, and one turns the pages.
const AFFECTED: usize = 4;

/// How an organisation is concerned, those hit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Victim,
    Customer,
    Supplier,
}

impl Part {
    fn of(organisation: &Organisation) -> Option<Part> {
        let has = |role: Role| organisation.roles.contains(&role);
        match (has(Role::Victim), has(Role::Customer), has(Role::Supplier)) {
            (true, ..) => Some(Part::Victim),
            (_, true, _) => Some(Part::Customer),
            (_, _, true) => Some(Part::Supplier),
            _ => None,
        }
    }

    fn heading(self, reader: &Reader) -> &'static str {
        match self {
            Part::Victim | Part::Customer => reader.say("Hit", "Colpite"),
            Part::Supplier => reader.say("Suppliers", "Fornitori"),
        }
    }
}

/// Organisations that are hit, then suppliers, with buttons to each and to follow it.
pub fn affected(view: &View<'_>, incident: &Incident, page: usize, reader: &Reader) -> Page<Reply> {
    let mut all: Vec<(Part, Organisation, Entry)> = Vec::new();
    for entry in view.of_kind(incident, Kind::Organisation, None)? {
        if let Said::Organisation(it) = &entry.said
            && entry.retracted.is_none()
            && let Some(part) = Part::of(it)
        {
            all.push((part, it.clone(), entry));
        }
    }
    all.sort_by_key(|(part, _, entry)| (*part, entry.name.number));
    let title = Line::new().strong(incident.opening.title.plain(reader.lang));
    let mut reply = Reply::titled(title.text(reader.say(" · who is hit", " · chi è colpito")));
    let hit = all.iter().filter(|(part, ..)| *part != Part::Supplier).count();
    reply = reply.note(Line::new().text(counted(hit, all.len() - hit, reader)).join(frame(incident, None, reader)));
    if hit == 0 {
        reply = reply
            .say(reader.say("Nobody is on record as hit yet.", "Nel registro non c'è ancora nessuno tra i colpiti."));
    }
    let mut cites = Cites::of_one_incident();
    let mut show = Show { view, incident, reader, as_of: None, cites: &mut cites };
    let mut heading = "";
    for (part, organisation, entry) in all.iter().skip((page - 1) * AFFECTED).take(AFFECTED) {
        if part.heading(reader) != heading {
            heading = part.heading(reader);
            reply.blocks.push(Block::Heading(heading.into()));
        }
        let item = show.concerned(organisation, entry)?;
        reply.blocks.push(Block::Item(item));
        reply = reply.row(buttons(organisation, reader));
    }
    reply.sources = cites.finish();
    let pages = all.len().div_ceil(AFFECTED);
    let turn = Turn { command: "affected", incident: Some(incident), args: vec![("page", None)], positional: true };
    Ok(turn.buttons(reply, page, Some(pages), page < pages, reader))
}

/// "2 organisations hit · 1 supplier · ".
fn counted(hit: usize, suppliers: usize, reader: &Reader) -> String {
    let hit = match hit {
        1 => reader.say("1 organisation hit", "1 organizzazione colpita").to_owned(),
        _ => reader.say(format!("{hit} organisations hit"), format!("{hit} organizzazioni colpite")),
    };
    match suppliers {
        0 => format!("{hit} · "),
        1 => format!("{hit} · {} · ", reader.say("1 supplier", "1 fornitore")),
        _ => format!("{hit} · {suppliers} {} · ", reader.say("suppliers", "fornitori")),
    }
}

fn buttons(organisation: &Organisation, reader: &Reader) -> Vec<Button> {
    let (name, handle) = (&organisation.name, &organisation.handle);
    let follow = reader.say(format!("🔔 Follow {name}"), format!("🔔 Segui {name}"));
    [Button::new(name, format!("/who {handle}")), Button::new(follow, format!("/subscribe org={handle}"))]
        .into_iter()
        .flatten()
        .collect()
}

impl Show<'_, '_> {
    /// "**PA Digitale** · customer, supplier", what it is, and what it last said.
    fn concerned(&mut self, organisation: &Organisation, entry: &Entry) -> Page<Item> {
        let reader = self.reader;
        let roles: Vec<&str> = organisation.roles.iter().map(|role| role.text().get(reader.lang)).collect();
        let mut head = Line::new().strong(&organisation.name).text(format!(" · {}", roles.join(", ")));
        let (sources, mut body) = (self.view.cited(self.incident, entry, self.as_of)?, Vec::new());
        let cited = self.cites.cite(&sources, reader);
        match &organisation.about {
            Some(about) => body.push(prose(about, reader).join(cited)),
            None => head = head.join(cited),
        }
        let own = Some(Party::Organisation(organisation.handle.clone()));
        let spoke = |entry: &Entry| match &entry.said {
            Said::Statement(it) => it.speaker == own && entry.retracted.is_none(),
            _ => false,
        };
        let (last, _) = self.view.statements(self.incident, 0, 1, spoke)?;
        for entry in &last {
            let Said::Statement(said) = &entry.said else { continue };
            let sources = self.view.cited(self.incident, entry, self.as_of)?;
            let line = Line::new().strong(reader.say("Last said, ", "Ultima dichiarazione, "));
            let line = line.span(time(&said.date, self.incident, reader)).text(": ").join(prose(&said.gist, reader));
            body.push(line.join(self.cites.cite(&sources, reader)));
        }
        Ok(Item { head: head.soft(format!(" · {}", entry.name)), body })
    }
}
