//! `/organisation`: records an organisation, and what it has to do with an incident.

use record::{
    entry::Said,
    lang::Text,
    party::{self, Organisation},
    reply::{Line, Reply},
    slug::folded,
};

use crate::kit::{
    Ask, Command, Failure, Given, INCIDENT, LINK, Offers, Pen, Recording, Role, Room, Shape, Spec, compose, read,
    sentence, shown,
};

/// How many other names an organisation has at most, as in dossiers.
const ALIASES_MOST: usize = 20;

/// `/organisation incident handle | name [| roles] [| about] [| aliases] [| link]`
pub static ORGANISATION: Command = Command {
    name: "organisation",
    about: Text {
        en: "Record an organisation, and what it has to do with an incident",
        it: "Registra un'organizzazione, e che cosa c'entra con un incidente",
    },
    args: &[&INCIDENT.spec, &HANDLE, &NAME, &ROLES, &ABOUT, &ALIASES, &LINK],
    who: Role::Moderator,
    manages: false,
    aliases: &[],
    piped: Some(2),
    posts: false,
    sets: false,
    example: "westpole buffetti | Buffetti S.p.A. | customer, supplier | Sells office supplies. | Buffetti",
    run: organisation,
};

/// How it records.
pub static RECORDING: Recording = Recording { command: &ORGANISATION, compose: entry, offers: Offers::Importance };

static HANDLE: Spec = Spec {
    name: "handle",
    about: Text {
        en: "Its short name, the same in every incident: a-z, 0-9 and -, at most 32",
        it: "Il nome breve che ha in ogni incidente: a-z, 0-9 e -, al massimo 32",
    },
    required: true,
    shape: Shape::Word,
};
static NAME: Spec = sentence("name", Text { en: "Its name", it: "Il suo nome" }, true);
static ROLES: Spec = sentence(
    "roles",
    Text {
        en: "victim, supplier, customer, authority, attacker, mentioned: one or more, with commas",
        it: "vittima, fornitore, cliente, autorità, attaccante, citata: uno o più, separati da virgole",
    },
    false,
);
static ABOUT: Spec =
    sentence("about", Text { en: "What is to be known about it here", it: "Che cosa c'è da sapere, qui" }, false);
static ALIASES: Spec = sentence(
    "aliases",
    Text { en: "Other names it is called by, with commas", it: "Altri nomi con cui è chiamata, separati da virgole" },
    false,
);

fn organisation(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    compose::propose(room, ask, &RECORDING, given)
}

fn entry(pen: &mut Pen<'_>) -> Result<(), Failure> {
    let incident = pen.incident()?;
    let handle = read::handle(pen.ask, pen.need(&HANDLE)?)?;
    if let Some(number) = pen.room.view.member_number(&incident, handle.as_str())? {
        return Err(compose::taken(pen.ask, handle, incident.name(number)));
    }
    let name = read::name(pen.ask, NAME.name, pen.need(&NAME)?)?;
    let roles = roles(pen)?;
    let about = pen.given(&ABOUT).map(|_| pen.prose(&ABOUT)).transpose()?;
    let aliases = aliases(pen)?;
    let sources = pen.sources(&incident)?;
    pen.write(&incident.handle, Said::Organisation(Organisation { handle, name, aliases, roles, about, sources }))
}

/// The pieces between commas.
fn listed(typed: Option<&str>) -> impl Iterator<Item = &str> {
    typed.into_iter().flat_map(|typed| typed.split(',')).map(str::trim).filter(|piece| !piece.is_empty())
}

fn roles(pen: &Pen<'_>) -> Result<Vec<party::Role>, Failure> {
    let mut roles = Vec::new();
    for typed in listed(pen.given(&ROLES)) {
        let wanted = folded(typed);
        let found = party::Role::ALL.iter().copied().find(|role| read::is_word(&wanted, role.code(), role.text()));
        let role = found.ok_or_else(|| no_role(pen, typed))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        roles.push(party::Role::Mentioned);
    }
    Ok(roles)
}

fn no_role(pen: &Pen<'_>, typed: &str) -> Failure {
    let words = pen.ask.say(" is no role. The roles are: ", " non è un ruolo. I ruoli sono: ");
    let all: Vec<&str> = party::Role::ALL.iter().map(|role| role.text().get(pen.ask.lang)).collect();
    Failure::refused(Line::new().strong(shown(typed)).text(words).text(all.join(", ")).text("."))
}

fn aliases(pen: &Pen<'_>) -> Result<Vec<String>, Failure> {
    let mut aliases = Vec::new();
    for typed in listed(pen.given(&ALIASES)) {
        let alias = read::name(pen.ask, ALIASES.name, typed)?;
        if !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    match aliases.len() > ALIASES_MOST {
        true => Err(Failure::refused(pen.ask.say(
            format!("An organisation can have {ALIASES_MOST} other names at most; these are {}.", aliases.len()),
            format!("Un'organizzazione può avere al massimo {ALIASES_MOST} altri nomi; qui sono {}.", aliases.len()),
        ))),
        false => Ok(aliases),
    }
}
