//! Typed arguments: what a value may be, and how a forgiving reading of it goes.

use record::{
    find::{self, Found},
    heard,
    lang::Text,
    pages,
    reply::Line,
    slug::{Slug, folded},
    subscription::What,
    view::{Incident, local},
    when::When,
};

use super::{Ask, Failure, Given, Room};

/// What an argument is called and may hold.
pub struct Spec {
    /// Its name: `[a-z0-9_]{1,32}`.
    pub name: &'static str,
    /// What it means, in 1 to 100 characters.
    pub about: Text,
    /// Whether it must be given.
    pub required: bool,
    /// What kind of value it holds.
    pub shape: Shape,
}

/// What kind of value an argument holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An incident's handle; doors may complete it.
    Incident,
    /// An organisation's handle or name; doors may complete it. Takes all the words that are left.
    Organisation,
    /// A whole number from 1.
    Number,
    /// A date or moment in EDTF.
    When,
    /// The same, of something to come: what is left out lies in the future.
    Ahead,
    /// One of a few words.
    Choice(&'static [Choice]),
    /// One word.
    Word,
    /// All the words that are left; arguments listed behind it are given by name.
    Words,
    /// A sentence or more: in a piped command what stands between two bars, else like [`Shape::Words`].
    Prose,
    /// A name or title: one line, else like [`Shape::Prose`].
    Name,
    /// A web address, else like [`Shape::Prose`].
    Link,
    /// An entry's name: `westpole#14`.
    Entry,
    /// What can be followed: `all`, an incident, or `org=` and an organisation; doors may complete it.
    Followed,
    /// Yes or no.
    Flag,
    /// A role of a Discord server, as its number.
    Role,
    /// A public chat of Telegram: `@channel`.
    Chat,
    /// An account: its number, a mention, or its network and number.
    Person,
}

impl Shape {
    /// Whether it takes all the words that are left.
    pub fn is_greedy(self) -> bool {
        matches!(self, Shape::Organisation | Shape::Words | Shape::Prose | Shape::Name | Shape::Link)
    }
}

/// One of the words an argument may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// As it is typed.
    pub code: &'static str,
    /// What it means.
    pub text: Text,
}

/// An argument with a type.
pub struct Arg<T> {
    /// What it is called and may hold.
    pub spec: Spec,
    /// How a value is read.
    pub read: fn(&Room<'_>, &Ask, &str) -> Result<T, Failure>,
}

impl<T> Arg<T> {
    /// The value, if one was given.
    pub fn of(&self, room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Option<T>, Failure> {
        given.get(self.spec.name).map(|value| (self.read)(room, ask, value)).transpose()
    }

    /// The value of an argument that must be given.
    pub fn need(&self, room: &Room<'_>, ask: &Ask, given: &Given) -> Result<T, Failure> {
        self.of(room, ask, given)?.ok_or_else(|| Failure::Broke(format!("{} was not checked for", self.spec.name)))
    }
}

/// Which incident.
pub static INCIDENT: Arg<Incident> = Arg {
    spec: Spec {
        name: "incident",
        about: Text {
            en: "The incident's handle, or the beginning of it",
            it: "Il nome breve dell'incidente, o come comincia",
        },
        required: true,
        shape: Shape::Incident,
    },
    read: read_incident,
};

/// Which organisation.
pub static ORGANISATION: Arg<Slug> = Arg {
    spec: Spec {
        name: "organisation",
        about: Text {
            en: "The organisation's name, or the beginning of it",
            it: "Il nome dell'organizzazione, o come comincia",
        },
        required: true,
        shape: Shape::Organisation,
    },
    read: read_organisation,
};

/// What to follow.
pub static FOLLOWED: Arg<What> = Arg {
    spec: Spec {
        name: "what",
        about: Text {
            en: "An incident, an organisation (org=name where that is not clear), or all",
            it: "Un incidente, un'organizzazione (org=nome se non è chiaro), oppure all per tutto",
        },
        required: true,
        shape: Shape::Followed,
    },
    read: read_followed,
};

/// Which other chat.
pub static WHERE: Arg<String> = Arg {
    spec: Spec {
        name: "where",
        about: Text {
            en: "Another chat of yours, as @channel (Telegram, in a private chat with me)",
            it: "Un'altra tua chat, come @canale (su Telegram, scrivendomi in privato)",
        },
        required: false,
        shape: Shape::Chat,
    },
    read: |_, _, typed| Ok(typed.to_owned()),
};

/// Which page.
pub static PAGE: Arg<usize> = Arg {
    spec: Spec {
        name: "page",
        about: Text { en: "The page, from 1", it: "La pagina, da 1" },
        required: false,
        shape: Shape::Number,
    },
    read: read_page,
};

const fn date(name: &'static str, about: Text) -> Arg<When> {
    Arg { spec: Spec { name, about, required: false, shape: Shape::When }, read: read_when }
}

/// From when on.
pub static FROM: Arg<When> = date(
    "from",
    Text { en: "Leave out what lies before this date", it: "Tralascia quanto è avvenuto prima di questa data" },
);
/// Up to when.
pub static TO: Arg<When> =
    date("to", Text { en: "Leave out what lies after this date", it: "Tralascia quanto è avvenuto dopo questa data" });
/// As was known when.
pub static AS_OF: Arg<When> = date(
    "as_of",
    Text {
        en: "Show only what was public at the end of this date",
        it: "Mostra solo quanto era noto alla fine di questa data",
    },
);

/// Reads an incident's name; a near miss and a beginning that fits several get an answer that helps.
pub fn read_incident(room: &Room<'_>, ask: &Ask, typed: &str) -> Result<Incident, Failure> {
    match find::incident(&room.view, typed)? {
        Found::One(incident) => Ok(incident),
        Found::Several(handles) => Err(Failure::refused(several(ask, typed, &handles))),
        Found::None(near) if near.is_empty() => {
            let words = ask.say("I know no incident called ", "Non conosco un incidente di nome ");
            let hint = ask.say(". /incidents lists those I know.", ". /incidents elenca quelli che conosco.");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).text(hint)))
        }
        Found::None(near) => {
            let words = ask.say("I know no incident called ", "Non conosco un incidente di nome ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).join(did_you_mean(ask, &near))))
        }
    }
}

fn read_organisation(room: &Room<'_>, ask: &Ask, typed: &str) -> Result<Slug, Failure> {
    match find::organisation(&room.view, typed)? {
        Found::One(handle) => Ok(handle),
        Found::Several(handles) => Err(Failure::refused(several(ask, typed, &handles))),
        Found::None(near) => {
            let words = ask.say("I know no organisation called ", "Non conosco un'organizzazione di nome ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).join(did_you_mean(ask, &near))))
        }
    }
}

/// Reads what can be followed: everything, an incident, else an organisation.
fn read_followed(room: &Room<'_>, ask: &Ask, typed: &str) -> Result<What, Failure> {
    let typed = typed.trim();
    if ["all", "tutto", "tutti"].contains(&folded(typed).as_str()) {
        return Ok(What::All);
    }
    if let Some((kind, name)) = typed.split_once('=')
        && folded(kind) == "org"
    {
        return read_organisation(room, ask, name).map(What::Organisation);
    }
    let mut near = match find::incident(&room.view, typed)? {
        Found::One(incident) => return Ok(What::Incident(incident.handle)),
        Found::Several(handles) => return Err(Failure::refused(several(ask, typed, &handles))),
        Found::None(near) => near,
    };
    match find::organisation(&room.view, typed)? {
        Found::One(handle) => Ok(What::Organisation(handle)),
        Found::Several(handles) => Err(Failure::refused(several(ask, typed, &handles))),
        Found::None(more) => {
            near.extend(more);
            near.dedup();
            let words = ask.say(
                "I know no incident and no organisation called ",
                "Non conosco né un incidente né un'organizzazione di nome ",
            );
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).join(did_you_mean(ask, &near))))
        }
    }
}

/// Reads yes or no.
pub(crate) fn read_flag(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<bool, Failure> {
    match folded(typed.trim()).as_str() {
        "yes" | "true" | "si" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => {
            let words = ask.say("I expect yes or no, not ", "Mi aspetto sì o no, non ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).text(".")))
        }
    }
}

/// ". Did you mean **westpole**?"
pub(crate) fn did_you_mean<T: AsRef<str>>(ask: &Ask, near: &[T]) -> Line {
    if near.is_empty() {
        return ".".into();
    }
    let mut line = Line::new().text(ask.say(". Did you mean ", ". Intendevi "));
    for (at, name) in near.iter().enumerate() {
        if at > 0 {
            line = line.text(if at + 1 == near.len() { ask.say(" or ", " o ") } else { ", " });
        }
        line = line.strong(name.as_ref());
    }
    line.text("?")
}

fn several(ask: &Ask, typed: &str, handles: &[Slug]) -> Line {
    let mut line = Line::new().strong(shown(typed));
    line = line.text(ask.say(" could be several: ", " può essere più d'uno: "));
    for (at, handle) in handles.iter().enumerate() {
        line = line.text(if at == 0 { "" } else { ", " }).strong(handle.as_str());
    }
    line.text(ask.say(". Which one?", ". Quale?"))
}

/// What was typed, short enough to repeat.
pub(crate) fn shown(typed: &str) -> String {
    if typed.chars().count() <= 40 { typed.to_owned() } else { typed.chars().take(40).chain(['…']).collect() }
}

fn read_page(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<usize, Failure> {
    match typed.parse::<usize>() {
        Ok(page) if (1..=1_000_000).contains(&page) => Ok(page),
        _ => {
            let words =
                ask.say("A page is a whole number from 1, not ", "Una pagina è un numero intero a partire da 1, non ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).text(".")))
        }
    }
}

fn read_when(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<When, Failure> {
    let now = local(ask.at, pages::clock(&ask.reader()));
    heard::when(typed, now, ask.lang).map_err(|not| Failure::refused(not.reason(ask.lang)))
}
