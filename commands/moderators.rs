//! `/moderators`: who keeps the record; owners give and take that, and the first owner is known by a code.

use record::{
    channel::Network,
    lang::Text,
    private::{Address, AskKey, Fact},
    rank::Rank,
    reply::{Block, Item, Line, Reply, Tone},
    slug::{Slug, folded},
    store::{Drafted, Set},
};

use crate::kit::{
    self, Arg, Ask, Choice, Command, Failure, Given, INCIDENT, Role, Room, Shape, Spec, did_you_mean, shown,
};

/// `/moderators [action] [who] [rank] [incidents]`
pub static MODERATORS: Command = Command {
    name: "moderators",
    about: Text { en: "Who keeps the record: list, add, remove", it: "Chi tiene il registro: elenca, aggiungi, togli" },
    args: &[&ACTION.spec, &WHO.spec, &RANK.spec, &INCIDENTS.spec],
    // Whoever has the code is nobody yet.
    who: Role::Reader,
    manages: false,
    aliases: &[],
    piped: None,
    posts: false,
    sets: true,
    example: "add telegram:123456 moderator westpole",
    run: moderators,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    List,
    Add,
    Remove,
    Claim,
}

static ACTION: Arg<Action> = Arg {
    spec: Spec {
        name: "action",
        about: Text {
            en: "list, add or remove; claim and the code of the first start makes you the owner",
            it: "list, add o remove; claim con il codice del primo avvio ti rende titolare",
        },
        required: false,
        shape: Shape::Choice(&[
            Choice { code: "list", text: Text { en: "list them", it: "elencali" } },
            Choice { code: "add", text: Text { en: "add somebody", it: "aggiungi qualcuno" } },
            Choice { code: "remove", text: Text { en: "remove somebody", it: "togli qualcuno" } },
            Choice {
                code: "claim",
                text: Text { en: "I have the code of the first start", it: "ho il codice del primo avvio" },
            },
        ]),
    },
    read: |_, ask, typed| match folded(typed.trim()).as_str() {
        "list" | "elenca" | "elenco" => Ok(Action::List),
        "add" | "aggiungi" => Ok(Action::Add),
        "remove" | "togli" | "rimuovi" => Ok(Action::Remove),
        "claim" | "codice" => Ok(Action::Claim),
        _ => {
            let words = ask.say("I can list, add or remove, not ", "So elencare, aggiungere o togliere, non ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).text(".")))
        }
    },
};

static WHO: Arg<String> = Arg {
    spec: Spec {
        name: "who",
        about: Text {
            en: "A number, @mention (Discord), or telegram:ID or discord:ID; /privacy tells everybody theirs",
            it: "Un numero, una @menzione (Discord), telegram:ID o discord:ID; /privacy dice a ognuno il suo",
        },
        required: false,
        shape: Shape::Person,
    },
    read: |_, _, typed| Ok(typed.trim().to_owned()),
};

static RANK: Arg<Rank> = Arg {
    spec: Spec {
        name: "rank",
        about: Text {
            en: "moderator, contributor (suggests) or owner",
            it: "moderatore, collaboratore (propone) o titolare",
        },
        required: false,
        shape: Shape::Choice(&[
            Choice {
                code: "moderator",
                text: Text { en: "moderator: records and decides", it: "moderatore: registra e decide" },
            },
            Choice { code: "contributor", text: Text { en: "contributor: suggests", it: "collaboratore: propone" } },
            Choice { code: "owner", text: Text { en: "owner: everything", it: "titolare: tutto" } },
        ]),
    },
    read: |_, ask, typed| {
        let wanted = folded(typed.trim());
        let is = |it: &Rank| [it.code(), it.text().en, it.text().it].iter().any(|name| folded(name) == wanted);
        Rank::ALL.iter().copied().find(is).ok_or_else(|| {
            let codes: Vec<&str> = Rank::ALL.iter().map(|rank| rank.text().get(ask.lang)).collect();
            let words = ask.say("There is no rank ", "Non c'è un grado ");
            Failure::refused(Line::new().text(words).strong(shown(typed)).join(did_you_mean(ask, &codes)))
        })
    },
};

static INCIDENTS: Arg<Vec<Slug>> = Arg {
    spec: Spec {
        name: "incidents",
        about: Text {
            en: "Only these incidents, separated by commas; left out, all of them",
            it: "Solo questi incidenti, separati da virgole; se manca, tutti",
        },
        required: false,
        shape: Shape::Word,
    },
    read: |room, ask, typed| {
        let names = typed.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| (INCIDENT.read)(room, ask, name).map(|incident| incident.handle)).collect()
    },
};

fn moderators(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let action = ACTION.of(room, ask, given)?.unwrap_or(Action::List);
    let who = WHO.of(room, ask, given)?;
    if action == Action::Claim {
        return claim(room, ask, who.as_deref());
    }
    let least = if action == Action::List { Role::Moderator } else { Role::Owner };
    if ask.caller.role < least {
        return Err(crate::refuse(room, ask, &MODERATORS));
    }
    let Some(typed) = who.filter(|_| action != Action::List) else {
        return match action {
            Action::List => list(room, ask),
            _ => {
                let words = ask.say("Say who: ", "Indica chi: ");
                let example = format!("/{} {}", MODERATORS.name, MODERATORS.example);
                Err(Failure::refused(Line::new().text(words).code(example)))
            }
        };
    };
    let address = address(ask, &typed)?;
    if room.house.owners.contains(&address) {
        return Err(Failure::refused(ask.say(
            format!("{address} is an owner by the settings; only they can change that."),
            format!("{address} è titolare per impostazione; solo le impostazioni possono cambiarlo."),
        )));
    }
    match action {
        Action::Add => {
            let rank = RANK.of(room, ask, given)?.unwrap_or(Rank::Moderator);
            let incidents = INCIDENTS.of(room, ask, given)?.unwrap_or_default();
            add(room, ask, address, rank, incidents)
        }
        _ => remove(room, ask, address),
    }
}

/// An address, however it was given.
fn address(ask: &Ask, typed: &str) -> Result<Address, Failure> {
    let mention = typed.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
    let typed = mention.map_or(typed, |number| number.trim_start_matches('!'));
    let (network, number) = match typed.split_once(':') {
        Some(("telegram", number)) => (Some(Network::Telegram), number),
        Some(("discord", number)) => (Some(Network::Discord), number),
        Some(_) => (None, typed),
        None if mention.is_some() => (Some(Network::Discord), typed),
        None => (ask.network(), typed),
    };
    match (network, number.parse::<u64>()) {
        (Some(network), Ok(number)) if number > 0 => Ok(Address(format!("{}:{number}", network.code()))),
        _ => {
            let words = ask.say(
                " is nobody I can find. Their /privacy tells the number by which I know them, such as ",
                " non è nessuno che io possa trovare. Il loro /privacy dice con quale numero li conosco, come ",
            );
            Err(Failure::refused(Line::new().strong(shown(typed)).text(words).code("telegram:123456").text(".")))
        }
    }
}

fn add(room: &Room<'_>, ask: &Ask, address: Address, rank: Rank, incidents: Vec<Slug>) -> Result<Reply, Failure> {
    if rank == Rank::Owner && !incidents.is_empty() {
        return Err(Failure::refused(ask.say(
            "An owner may do everything in all incidents. Leave the incidents out.",
            "Un titolare può fare tutto in ogni incidente. Non indicare incidenti.",
        )));
    }
    let by = ask.caller.address.clone();
    let fact = Fact::Ranked { address: address.clone(), rank: Some(rank), incidents: incidents.clone(), by };
    kit::note(room, ask, fact)?;
    let line = Line::new().strong(address.to_string()).text(ask.say(" is now ", " ora è "));
    let line = line.strong(named(rank).get(ask.lang)).text(scope(ask, &incidents)).text(".");
    let reply = Reply::personal(Tone::Good, line);
    Ok(match address.network() {
        // The list is Discord's, and follows what people may do there.
        Some(Network::Discord) if rank >= Rank::Moderator => reply.note(ask.say(
            "In a server, Discord lists commands that record only to those who manage it. Server settings → Integrations shows them to others; in a private chat with me they are there at once.",
            "In un server, Discord elenca i comandi che registrano solo a chi lo gestisce. Impostazioni del server → Integrazioni li mostra anche ad altri; nella chat privata con me ci sono subito.",
        )),
        _ => reply,
    })
}

/// "a moderator".
pub(crate) const fn named(rank: Rank) -> Text {
    match rank {
        Rank::Contributor => Text { en: "a contributor", it: "collaboratore" },
        Rank::Moderator => Text { en: "a moderator", it: "moderatore" },
        Rank::Owner => Text { en: "an owner", it: "titolare" },
    }
}

/// " of westpole, other", or nothing where it holds for all.
fn scope(ask: &Ask, incidents: &[Slug]) -> String {
    if incidents.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = incidents.iter().map(Slug::as_str).collect();
    ask.say(format!(" of {}", names.join(", ")), format!(" di {}", names.join(", ")))
}

fn remove(room: &Room<'_>, ask: &Ask, address: Address) -> Result<Reply, Failure> {
    if room.view.rank(&address)?.is_none() {
        return Err(Failure::refused(ask.say(
            format!("{address} has no rank that could be taken away."),
            format!("{address} non ha un grado da togliere."),
        )));
    }
    let by = ask.caller.address.clone();
    kit::note(room, ask, Fact::Ranked { address: address.clone(), rank: None, incidents: Vec::new(), by })?;
    let line = Line::new().strong(address.to_string());
    Ok(Reply::personal(
        Tone::Good,
        line.text(ask.say(" reads and suggests from now on.", " d'ora in poi legge e propone.")),
    ))
}

fn list(room: &Room<'_>, ask: &Ask) -> Result<Reply, Failure> {
    let title = ask.say("Who keeps the record", "Chi tiene il registro");
    let mut reply = Reply::titled(Line::new().strong(title));
    reply.personal = true;
    let owner = Rank::Owner.text().get(ask.lang);
    for address in &room.house.owners {
        let head = Line::new().strong(address.to_string()).text(format!(" · {owner}"));
        let head = head.soft(ask.say(" (by the settings)", " (per impostazione)"));
        reply.blocks.push(Block::Item(Item { head, body: Vec::new() }));
    }
    for (address, ranked) in room.view.ranks()? {
        let rank = ranked.rank.text().get(ask.lang);
        let head = Line::new().strong(address.to_string()).text(format!(" · {rank}"));
        reply.blocks.push(Block::Item(Item { head: head.text(scope(ask, &ranked.incidents)), body: Vec::new() }));
    }
    if reply.blocks.is_empty() {
        reply = reply.say(ask.say("Nobody yet.", "Ancora nessuno."));
    }
    Ok(reply)
}

/// Whoever has the code of the first start is the owner; it works once, and only while there is none.
fn claim(room: &Room<'_>, ask: &Ask, typed: Option<&str>) -> Result<Reply, Failure> {
    let Some(address) = ask.caller.address.clone() else {
        return Err(crate::refuse(room, ask, &MODERATORS));
    };
    let owned = || -> Result<bool, Failure> {
        Ok(!room.house.owners.is_empty() || room.view.ranks()?.iter().any(|(_, it)| it.rank == Rank::Owner))
    };
    let fits = room.house.code.as_deref().zip(typed).is_some_and(|(code, typed)| same(code, typed));
    if !fits || owned()? {
        return Err(Failure::refused(ask.say(
            "That code does not work. It is shown when the bot starts and nobody owns it yet, and works once.",
            "Quel codice non funziona. Compare quando il bot parte e non ha ancora un titolare, e vale una volta sola.",
        )));
    }
    let fact = Fact::Ranked { address, rank: Some(Rank::Owner), incidents: Vec::new(), by: None };
    // Of two who have the code, the writer takes the first.
    let once = AskKey {
        platform: "owner-code".to_owned(),
        bot: String::new(),
        id: typed.unwrap_or_default().trim().to_owned(),
    };
    let said = vec![Drafted::Fact(fact)];
    if kit::say(room, ask, Set { ask: Some(once), expects: Vec::new(), said, at: ask.at })?.repeated {
        return Err(Failure::refused(ask.say("That code was used already.", "Quel codice è già stato usato.")));
    }
    let words = ask.say(
        "You own this bot now. /help shows what that lets you do; /moderators add names others.",
        "Ora sei titolare di questo bot. /help mostra che cosa puoi fare; con /moderators add nomini altri.",
    );
    Ok(Reply::personal(Tone::Good, words))
}

/// Compares in a time that does not tell how much fits.
fn same(code: &str, typed: &str) -> bool {
    let typed = typed.trim();
    code.len() == typed.len() && code.bytes().zip(typed.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn a_code_fits_whole_or_not_at_all() {
        assert!(same("abcd", " abcd "));
        assert!(!same("abcd", "abce") && !same("abcd", "abc") && !same("abcd", ""));
    }
}
