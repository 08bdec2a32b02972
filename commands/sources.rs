//! `/sources`: where it stands.

use record::{
    find::near,
    lang::Text,
    pages,
    reply::{Line, Reply},
    slug::folded,
    source::SourceKind,
};

use crate::kit::{Arg, Ask, Choice, Command, Failure, Given, INCIDENT, PAGE, Role, Room, Shape, Spec};

/// `/sources incident [kind] [page]`
pub static SOURCES: Command = Command {
    name: "sources",
    about: Text {
        en: "The sources of an incident, numbered as they are cited",
        it: "Le fonti di un incidente, numerate come sono citate",
    },
    args: &[&INCIDENT.spec, &KIND.spec, &PAGE.spec],
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "westpole kind:press",
    run: sources,
};

const KINDS: [Choice; SourceKind::ALL.len()] = {
    let mut kinds = [Choice { code: "", text: Text { en: "", it: "" } }; SourceKind::ALL.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = Choice { code: SourceKind::ALL[at].code(), text: SourceKind::ALL[at].text() };
        at += 1;
    }
    kinds
};

static KIND: Arg<SourceKind> = Arg {
    spec: Spec {
        name: "kind",
        about: Text { en: "Only sources of this kind", it: "Solo fonti di questo tipo" },
        required: false,
        shape: Shape::Choice(&KINDS),
    },
    read: read_kind,
};

fn sources(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let incident = INCIDENT.need(room, ask, given)?;
    let kind = KIND.of(room, ask, given)?;
    let page = PAGE.of(room, ask, given)?.unwrap_or(1);
    Ok(pages::sources(&room.view, &incident, kind, page, &ask.reader())?)
}

fn read_kind(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<SourceKind, Failure> {
    let wanted = folded(typed);
    let is =
        |kind: &&SourceKind| [kind.code(), kind.text().en, kind.text().it].iter().any(|name| folded(name) == wanted);
    if let Some(kind) = SourceKind::ALL.iter().find(is) {
        return Ok(*kind);
    }
    let codes: Vec<&str> = SourceKind::ALL.iter().map(|kind| kind.code()).collect();
    let words = ask.say(" is no kind of source I know. ", " non è un tipo di fonte che conosco. ");
    let line = Line::new().strong(typed).text(words);
    let offered = match near(&wanted, codes.iter().copied()).first() {
        Some(close) => ask.say(format!("Did you mean {close}? "), format!("Intendevi {close}? ")),
        None => String::new(),
    };
    let all = ask.say(format!("The kinds are {}.", codes.join(", ")), format!("I tipi sono {}.", codes.join(", ")));
    Err(Failure::refused(line.text(offered).text(all)))
}
