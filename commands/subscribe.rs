//! `/subscribe`: news comes here from now on.

use record::{
    channel::{Channel, Network, PlaceKind},
    entry::{Importance, Kind},
    lang::Text,
    pages::{self, plural},
    private::Fact,
    reply::{Block, Button, Line, Reply},
    slug::{Slug, folded},
    store::{Drafted, Set},
    subscription::{Follow, Mention, What},
};

use crate::kit::{
    self, Arg, Ask, Choice, Command, FOLLOWED, Failure, Given, Role, Room, Shape, Spec, WHERE,
    chat::{Chat, chat, with_bell},
    read_flag, shown,
};

/// How many things a chat follows at most: every new entry is compared with each of them.
pub(crate) const MOST: usize = 50;
/// How many words a filter holds at most, and how long they are, in characters.
const WORDS_MOST: (usize, usize) = (20, 60);

/// `/subscribe what [min_importance] [kinds] [words] [silent] [mention] [mention_from] [lapses] [where]`
pub static SUBSCRIBE: Command = Command {
    name: "subscribe",
    about: Text {
        en: "New entries are posted here from now on: of an incident, an organisation, or all",
        it: "D'ora in poi le nuove voci arrivano qui: di un incidente, di un'organizzazione o tutte",
    },
    args: &[
        &FOLLOWED.spec,
        &MIN_IMPORTANCE.spec,
        &KINDS.spec,
        &WORDS.spec,
        &SILENT.spec,
        &MENTION.spec,
        &MENTION_FROM.spec,
        &LAPSES.spec,
        &WHERE.spec,
    ],
    who: Role::Reader,
    manages: true,
    aliases: &["sub"],
    piped: None,
    posts: true,
    sets: false,
    example: "westpole min_importance:normal",
    run: subscribe,
};

const IMPORTANCE: Shape = Shape::Choice(&[
    Choice { code: "minor", text: Text { en: "minor and above: everything", it: "minore in su: tutto" } },
    Choice { code: "normal", text: Text { en: "normal and above", it: "normale in su" } },
    Choice { code: "major", text: Text { en: "only major", it: "solo maggiore" } },
]);

static MIN_IMPORTANCE: Arg<Importance> = Arg {
    spec: Spec {
        name: "min_importance",
        about: Text { en: "Only entries that matter at least so much", it: "Solo le voci almeno così importanti" },
        required: false,
        shape: IMPORTANCE,
    },
    read: read_importance,
};

static KINDS: Arg<Vec<Kind>> = Arg {
    spec: Spec {
        name: "kinds",
        about: Text {
            en: "Only entries of these kinds, such as event,statement,figure",
            it: "Solo le voci di questi tipi, come evento,dichiarazione,dato",
        },
        required: false,
        shape: Shape::Word,
    },
    read: read_kinds,
};

static WORDS: Arg<Vec<String>> = Arg {
    spec: Spec {
        name: "words",
        about: Text {
            en: "Only entries with one of these words, separated by commas, such as \"ransom,data theft\"",
            it: "Solo le voci con una di queste parole, separate da virgole: \"riscatto,furto di dati\"",
        },
        required: false,
        shape: Shape::Word,
    },
    read: read_words,
};

static SILENT: Arg<bool> = Arg {
    spec: Spec {
        name: "silent",
        about: Text { en: "Without a sound: yes or no", it: "Senza suono: sì o no" },
        required: false,
        shape: Shape::Flag,
    },
    read: read_flag,
};

static LAPSES: Arg<bool> = Arg {
    spec: Spec {
        name: "lapses",
        about: Text {
            en: "Also when a promised update is overdue: yes or no",
            it: "Anche quando un aggiornamento promesso è in ritardo: sì o no",
        },
        required: false,
        shape: Shape::Flag,
    },
    read: read_flag,
};

static MENTION: Arg<u64> = Arg {
    spec: Spec {
        name: "mention",
        about: Text {
            en: "The role to call with each post (Discord)",
            it: "Il ruolo da chiamare a ogni messaggio (Discord)",
        },
        required: false,
        shape: Shape::Role,
    },
    read: read_role,
};

static MENTION_FROM: Arg<Importance> = Arg {
    spec: Spec {
        name: "mention_from",
        about: Text {
            en: "Call the role only for entries that matter at least so much",
            it: "Chiama il ruolo solo per le voci almeno così importanti",
        },
        required: false,
        shape: IMPORTANCE,
    },
    read: read_importance,
};

fn subscribe(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let chat = chat(ask, given.get(WHERE.spec.name))?;
    chat.must_take_posts(ask)?;
    let value = |name: &str| given.get(name).map(str::to_owned);
    let follow = follow(room, ask, &chat, &value)?;
    let before = room.view.channel_at(&chat.address)?.map(|(_, channel)| channel);
    let change = Change::of(before.as_ref(), &follow, ask);
    let full = before.is_some_and(|channel| channel.subscriptions.len() >= MOST);
    if full && change.kind == Kept::New {
        return Err(Failure::refused(too_many(ask)));
    }
    let said = facts(ask, &chat, [follow.clone()]);
    kit::say(room, ask, Set { ask: ask.key.clone(), expects: Vec::new(), said, at: ask.at })?;
    let name = chat.named.as_deref();
    let promise = pages::promise(&room.view, &follow, name, &ask.reader())?;
    let card = card(room, ask, &follow.what)?;
    let reply = Reply { tone: card.tone, ..Reply::default() }.say(change.line(ask, promise));
    let mut reply = reply.note(match change.kind {
        Kept::New => ask.say(
            "Entries recorded before this are not posted again. So it stands now:",
            "Le voci registrate prima non vengono ripubblicate. La situazione ora:",
        ),
        Kept::Changed | Kept::Same => ask.say("So it stands now:", "La situazione ora:"),
    });
    reply.blocks.push(Block::Heading(card.title));
    reply.blocks.extend(card.blocks);
    (reply.sources, reply.buttons) = (card.sources, card.buttons);
    if ask.place.shared {
        // It is everybody's: whoever turns its pages gets pages of their own.
        let fresh = |row: Vec<Button>| row.into_iter().map(Button::freshened).collect();
        reply.buttons = reply.buttons.into_iter().map(fresh).collect();
    }
    Ok(reply)
}

/// What a chat asks for, to be written down, and who asks for it.
pub(crate) fn facts(ask: &Ask, chat: &Chat, follows: impl IntoIterator<Item = Follow>) -> Vec<Drafted> {
    let subscription = |follow| Fact::Subscription {
        address: chat.address.clone(),
        settings: chat.settings.clone(),
        place: chat.kind,
        lang: ask.place.lang.filter(|_| chat.named.is_none()).unwrap_or(ask.lang),
        by: None,
        follow,
    };
    let keeper = ask.caller.address.clone().map(|by| Fact::Keeper { address: chat.address.clone(), by });
    follows.into_iter().map(subscription).chain(keeper).map(Drafted::Fact).collect()
}

pub(crate) fn too_many(ask: &Ask) -> Line {
    let words = ask.say(
        format!("A chat can follow {MOST} things at most. End one first, "),
        format!("Una chat può seguire al massimo {MOST} cose. Prima togline una, "),
    );
    Line::new().text(words).code("/subscriptions").text(ask.say(" lists them.", " le elenca."))
}

/// What a subscription changes.
struct Change {
    kind: Kept,
    unmutes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    New,
    Changed,
    Same,
}

impl Change {
    fn of(before: Option<&Channel>, follow: &Follow, ask: &Ask) -> Change {
        let known = before.and_then(|channel| channel.subscriptions.iter().find(|it| it.follow.what == follow.what));
        let kind = match known {
            None => Kept::New,
            Some(known) if known.follow == *follow => Kept::Same,
            Some(_) => Kept::Changed,
        };
        let unmutes = match &follow.what {
            What::Incident(incident) => before.is_some_and(|channel| channel.mutes(incident, ask.at)),
            _ => false,
        };
        Change { kind, unmutes }
    }

    /// "From now on I post every new entry about **Westpole** here."
    fn line(&self, ask: &Ask, promise: Line) -> Line {
        let start = match self.kind {
            Kept::New => ask.say("From now on ", "D'ora in poi "),
            Kept::Changed => ask.say("The filters have changed: from now on ", "I filtri sono cambiati: d'ora in poi "),
            Kept::Same => ask.say("That was so already: ", "Era già così: "),
        };
        let line = Line::new().text(start).join(promise);
        match self.unmutes {
            true => line.text(ask.say(" It is no longer muted.", " Non è più silenziato.")),
            false => line,
        }
    }
}

/// How what is followed stands now.
fn card(room: &Room<'_>, ask: &Ask, what: &What) -> Result<Reply, Failure> {
    let reader = ask.reader();
    match what {
        What::All => Ok(pages::incidents(&room.view, room.view.incidents()?, None, 1, &reader)?),
        What::Incident(handle) => match room.view.incident(handle.as_str())? {
            Some(incident) => {
                let card = pages::incident(&room.view, &incident, Some(ask.at), &reader)?;
                with_bell(room, ask, &incident, card)
            }
            None => Ok(Reply::default()),
        },
        What::Organisation(handle) => organisation(room, ask, handle),
    }
}

fn organisation(room: &Room<'_>, ask: &Ask, handle: &Slug) -> Result<Reply, Failure> {
    let mut found = Vec::new();
    for incident in room.view.incidents_with(handle)? {
        if let Some((organisation, entry)) = room.view.member(&incident, handle)? {
            found.push((incident, organisation, entry));
        }
    }
    Ok(pages::organisation(&room.view, &found, &ask.reader())?)
}

/// Reads what is followed and how it is filtered, from values by the names of the arguments.
pub(crate) fn follow(
    room: &Room<'_>,
    ask: &Ask,
    chat: &Chat,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Follow, Failure> {
    let what = FOLLOWED.spec.name;
    let Some(what) = value(what) else { return Err(Failure::Broke(format!("{what} was not checked for"))) };
    let mut follow = Follow::of((FOLLOWED.read)(room, ask, &what)?);
    if let Some(typed) = value(MIN_IMPORTANCE.spec.name) {
        follow.min_importance = read_importance(room, ask, &typed)?;
    }
    if let Some(typed) = value(KINDS.spec.name) {
        follow.kinds = read_kinds(room, ask, &typed)?;
    }
    if let Some(typed) = value(WORDS.spec.name) {
        follow.words = read_words(room, ask, &typed)?;
    }
    if let Some(typed) = value(SILENT.spec.name) {
        follow.silent = read_flag(room, ask, &typed)?;
    }
    if let Some(typed) = value(LAPSES.spec.name) {
        follow.lapses = read_flag(room, ask, &typed)?;
    }
    let from = value(MENTION_FROM.spec.name).map(|typed| read_importance(room, ask, &typed)).transpose()?;
    match value(MENTION.spec.name) {
        Some(typed) => {
            let role = role_of(room, ask, chat, &typed)?;
            follow.mention = Some(Mention { role, from: from.unwrap_or(Importance::Minor) });
        }
        None if from.is_some() => {
            let words = ask.say("Say which role to call as well, with ", "Indica anche quale ruolo chiamare, con ");
            return Err(Failure::refused(Line::new().text(words).code("mention:").text(".")));
        }
        None => {}
    }
    Ok(follow)
}

fn role_of(room: &Room<'_>, ask: &Ask, chat: &Chat, typed: &str) -> Result<u64, Failure> {
    if chat.network() != Some(Network::Discord) {
        return Err(Failure::refused(ask.say(
            "Only on Discord are there roles that I could call. Leave mention out here.",
            "I ruoli da chiamare ci sono solo su Discord. Qui lascia stare mention.",
        )));
    }
    let server = chat.settings.0.strip_prefix("discord:g");
    if chat.kind == PlaceKind::Private || server.is_none() {
        return Err(Failure::refused(ask.say(
            "Only in a server are there roles that I could call. Leave mention out here.",
            "I ruoli da chiamare ci sono solo in un server. Qui lascia stare mention.",
        )));
    }
    let role = read_role(room, ask, typed)?;
    // The role that everybody has bears the server's number.
    if server.is_some_and(|server| *server == *role.to_string()) {
        return Err(Failure::refused(ask.say(
            "I never call everyone in a server. Choose a role that people can take.",
            "Non chiamo mai tutti i membri di un server. Scegli un ruolo che si possa prendere.",
        )));
    }
    Ok(role)
}

fn read_importance(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<Importance, Failure> {
    match folded(typed.trim()).as_str() {
        "minor" | "minore" | "minori" => Ok(Importance::Minor),
        "normal" | "normale" | "normali" => Ok(Importance::Normal),
        "major" | "maggiore" | "maggiori" => Ok(Importance::Major),
        _ => {
            let words = ask.say(
                " is not an importance. Choose minor, normal or major; a name with blanks goes in \"quotation marks\".",
                " non è un'importanza. Scegli fra minore, normale e maggiore; un nome con spazi va fra \"virgolette\".",
            );
            Err(Failure::refused(Line::new().strong(shown(typed)).text(words)))
        }
    }
}

fn read_kinds(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<Vec<Kind>, Failure> {
    let mut kinds = Vec::new();
    for name in typed.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let wanted = folded(name);
        match Kind::ALL.iter().copied().find(|kind| is_called(*kind, &wanted)) {
            Some(Kind::Correction | Kind::Retraction) => {
                return Err(Failure::refused(ask.say(
                    "Corrections and retractions come along with what they change. Name the kinds of entries that you want.",
                    "Correzioni e ritrattazioni arrivano insieme a ciò che cambiano. Indica i tipi di voci che vuoi.",
                )));
            }
            Some(kind) if kinds.contains(&kind) => {}
            Some(kind) => kinds.push(kind),
            None => return Err(no_kind(ask, name)),
        }
    }
    if kinds.is_empty() { Err(no_kind(ask, typed)) } else { Ok(kinds) }
}

fn is_called(kind: Kind, wanted: &str) -> bool {
    let (one, many) = (kind.text(), plural(kind));
    let names = [kind.code(), one.en, one.it, many.en, many.it];
    names.iter().any(|name| folded(name) == wanted) || (kind == Kind::Status && ["stati", "statuses"].contains(&wanted))
}

fn no_kind(ask: &Ask, name: &str) -> Failure {
    let all = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Correction | Kind::Retraction));
    let all: Vec<&str> = all.map(|kind| kind.text().get(ask.lang)).collect();
    let words = ask.say(" is no kind of entry. There are: ", " non è un tipo di voce. Ci sono: ");
    Failure::refused(Line::new().strong(shown(name)).text(words).text(all.join(", ")).text("."))
}

fn read_words(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<Vec<String>, Failure> {
    let mut words: Vec<String> = Vec::new();
    for word in typed.split(',') {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = words.iter().any(|known| folded(known) == folded(&word));
        if !known && !folded(&word).trim().is_empty() {
            words.push(word);
        }
    }
    let (most, longest) = WORDS_MOST;
    if words.is_empty() {
        return Err(Failure::refused(ask.say(
            "There is no word among those. Part them with commas, such as ransom,data.",
            "Lì non c'è nessuna parola. Separale con virgole, come riscatto,dati.",
        )));
    }
    if words.len() > most || words.iter().any(|word| word.chars().count() > longest) {
        return Err(Failure::refused(ask.say(
            format!("I take {most} words at most, each of {longest} characters at most."),
            format!("Accetto al massimo {most} parole, ciascuna di {longest} caratteri al massimo."),
        )));
    }
    Ok(words)
}

fn read_role(_: &Room<'_>, ask: &Ask, typed: &str) -> Result<u64, Failure> {
    let number = typed.trim().strip_prefix("<@&").and_then(|rest| rest.strip_suffix('>')).unwrap_or(typed.trim());
    match number.parse::<u64>() {
        Ok(role) if role > 0 => Ok(role),
        _ => {
            let words = ask.say(
                " is no role. Mention it as Discord offers it, or give its number.",
                " non è un ruolo. Menzionalo come propone Discord, oppure indicane il numero.",
            );
            Err(Failure::refused(Line::new().strong(shown(typed)).text(words)))
        }
    }
}
