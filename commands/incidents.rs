//! `/incidents`: those on record.

use record::{lang::Text, pages, reply::Reply, slug::folded, view::Incident};

use crate::kit::{Arg, Ask, Command, Failure, Given, PAGE, Role, Room, Shape, Spec};

/// `/incidents [query] [page]`
pub static INCIDENTS: Command = Command {
    name: "incidents",
    about: Text {
        en: "The incidents on record, the last written in first",
        it: "Gli incidenti registrati, dall'ultimo aggiornato",
    },
    args: &[&QUERY.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "ransomware",
    run: incidents,
};

static QUERY: Arg<String> = Arg {
    spec: Spec {
        name: "query",
        about: Text { en: "Words in the handle, title or summary", it: "Parole nel nome, nel titolo o nella sintesi" },
        required: false,
        shape: Shape::Words,
    },
    read: |_, _, typed| Ok(typed.to_owned()),
};

fn incidents(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let query = QUERY.of(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    let mut all = room.view.incidents()?;
    if let Some(query) = &query {
        let words: Vec<String> = query.split_whitespace().map(folded).collect();
        all.retain(|incident| holds(incident, &words));
    }
    Ok(pages::incidents(&room.view, all, query.as_deref(), page, &ask.reader())?)
}

fn holds(incident: &Incident, words: &[String]) -> bool {
    let mut text = incident.handle.to_string();
    for prose in std::iter::once(&incident.opening.title).chain(&incident.opening.summary) {
        for (_, words) in prose.iter() {
            text.push(' ');
            text.push_str(&folded(words));
        }
    }
    words.iter().all(|word| text.contains(word.as_str()))
}
