//! `/audit`: the trail of what was decided about the record, and of what was refused.

use record::{
    lang::Text,
    pages,
    private::{Bodies, Fact},
    rank::Rank,
    reply::{Block, Button, Item, Line, Reply},
    slug::Slug,
    store::Fate,
};

use crate::kit::{self, Ask, Command, Failure, Given, PAGE, Role, Room};

/// How many lines a page has.
const LINES: usize = 15;

/// `/audit [page]`
pub static AUDIT: Command = Command {
    name: "audit",
    about: Text {
        en: "Who decided what, and who was refused what",
        it: "Chi ha deciso che cosa, e a chi è stato rifiutato che cosa",
    },
    args: &[&PAGE.spec],
    who: Role::Owner,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: audit,
};

fn audit(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    let mut reply = Reply::titled(Line::new().strong(ask.say("The trail", "Il registro delle azioni")));
    reply.personal = true;
    reply = reply.note(ask.say("newest first", "dalle più recenti"));
    let mut rows = room.view.trail().skip((page - 1) * LINES);
    for row in rows.by_ref().take(LINES) {
        let row = row?;
        let what = match &row.fact {
            Some(fact) => told(room, ask, row.commit, fact)?,
            None => ask.say("erased", "cancellata").into(),
        };
        let head = Line::new().span(pages::moment_of(row.at, &ask.reader())).text(" · ").join(what);
        reply.blocks.push(Block::Item(Item { head, body: Vec::new() }));
    }
    if reply.blocks.len() == 1 {
        reply = reply.say(ask.say("There is nothing here.", "Qui non c'è nulla."));
    }
    let more = rows.next().is_some();
    let before = (page > 1).then(|| Button::new("⬅️", format!("/audit {}", page - 1))).flatten();
    let after = more.then(|| Button::new("➡️", format!("/audit {}", page + 1))).flatten();
    Ok(reply.row(before.into_iter().chain(after)))
}

/// A line of the trail.
fn told(room: &Room<'_>, ask: &Ask, commit: u64, fact: &Fact) -> Result<Line, Failure> {
    let who = |by: &Option<record::private::Address>| {
        by.as_ref().map_or_else(|| ask.say("the operator", "l'operatore").to_owned(), ToString::to_string)
    };
    Ok(match fact {
        Fact::Ranked { address, rank: Some(rank), incidents, by } => {
            let (rank, scope) = (crate::moderators::named(*rank).get(ask.lang), scope(ask, incidents));
            match by {
                None if matches!(fact, Fact::Ranked { rank: Some(Rank::Owner), .. }) => {
                    Line::new().strong(address.to_string()).text(ask.say(" became the owner", " è diventato titolare"))
                }
                by => Line::new().strong(who(by)).text(
                    ask.say(format!(" made {address} {rank}{scope}"), format!(" ha nominato {address} {rank}{scope}")),
                ),
            }
        }
        Fact::Ranked { address, rank: None, by, .. } => Line::new()
            .strong(who(by))
            .text(ask.say(format!(" took the rank of {address} away"), format!(" ha tolto il grado a {address}"))),
        Fact::Refused { address, command } => Line::new()
            .strong(address.to_string())
            .text(ask.say(format!(" was refused /{command}"), format!(": rifiutato /{command}"))),
        Fact::Draft(draft) => {
            let about = draft.given.get("incident").or_else(|| draft.given.get("entry"));
            let about = about.map(|about| format!(" {}", kit::shown(about))).unwrap_or_default();
            Line::new().strong(who(&draft.by)).text(ask.say(
                format!(" suggested an entry (/{}{about}, draft {commit})", draft.command),
                format!(" ha proposto una voce (/{}{about}, bozza {commit})", draft.command),
            ))
        }
        Fact::Approved { draft, by } => Line::new()
            .strong(by.to_string())
            .text(ask.say(format!(" wants draft {draft} published"), format!(" vuole pubblicare la bozza {draft}"))),
        Fact::Decided { draft, published: true, by } => {
            let name = match room.view.draft(*draft)?.map(|row| row.fate) {
                Some(Fate::Published { by }) => kit::published(room, by)?.map(|name| name.to_string()),
                _ => None,
            };
            let of = ask.say(format!("draft {draft}"), format!("bozza {draft}"));
            let line = Line::new().strong(who(by)).text(ask.say(" published ", " ha pubblicato "));
            match name {
                Some(name) => line.strong(name).text(format!(" ({of})")),
                None => line.strong(of),
            }
        }
        Fact::Decided { draft, published: false, by } => Line::new()
            .strong(who(by))
            .text(ask.say(format!(" discarded draft {draft}"), format!(" ha scartato la bozza {draft}"))),
        Fact::Erasure { commits, bodies, why, by } => {
            let name = match (bodies, commits.first()) {
                (Bodies::Private, _) | (_, None) => None,
                (_, Some(first)) => room.view.recorded_at(*first)?.map(|(incident, number)| incident.name(number)),
            };
            match (by, name) {
                (Some(by), Some(name)) => Line::new().strong(by.to_string()).text(ask.say(
                    format!(" erased the text of {name}: {why}"),
                    format!(" ha cancellato il testo di {name}: {why}"),
                )),
                (Some(by), None) => Line::new()
                    .strong(by.to_string())
                    .text(ask.say(" erased the drafts that it came from", " ha cancellato le bozze da cui veniva")),
                (None, _) => ask.say("somebody had themself forgotten", "qualcuno si è fatto dimenticare").into(),
            }
        }
        other => Line::new().text(other.kind()),
    })
}

fn scope(ask: &Ask, incidents: &[Slug]) -> String {
    let names: Vec<&str> = incidents.iter().map(Slug::as_str).collect();
    match names.is_empty() {
        true => String::new(),
        false => ask.say(format!(" of {}", names.join(", ")), format!(" di {}", names.join(", "))),
    }
}
