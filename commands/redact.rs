//! `/redact`: an entry's text is erased for good, as a law may demand.

use record::{
    backup,
    entry::EntryName,
    lang::Text,
    private::{Bodies, Fact},
    reply::{Line, Reply, Tone},
    store::{Drafted, Set},
};

use crate::kit::{
    Arg, Ask, Command, ENTRY, Failure, Given, Role, Room, Shape, Spec, compose, decide, read_flag, sentence, shown,
};

/// The longest reason, in characters: it is shown in the place of what was said.
const WHY: usize = 300;

/// `/redact entry | why [| sure]`
pub static REDACT: Command = Command {
    name: "redact",
    about: Text {
        en: "Erase an entry's text for good, where a law demands it",
        it: "Cancella per sempre il testo di una voce, se una legge lo impone",
    },
    args: &[&ENTRY.spec, &REASON, &SURE.spec],
    who: Role::Owner,
    manages: false,
    aliases: &[],
    piped: Some(1),
    posts: false,
    sets: false,
    example: "westpole#14 | it named a private person",
    run: redact,
};

static REASON: Spec =
    sentence("why", Text { en: "Why; everybody may read it", it: "Perché; chiunque lo può leggere" }, true);
static SURE: Arg<bool> = Arg {
    spec: Spec {
        name: "sure",
        about: Text {
            en: "yes, once you have read what will be erased",
            it: "sì, dopo aver letto che cosa si cancella",
        },
        required: false,
        shape: Shape::Flag,
    },
    read: read_flag,
};

fn redact(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let typed = given.get(ENTRY.spec.name).unwrap_or_default();
    let name = match (ENTRY.read)(room, ask, typed) {
        Ok((_, entry)) => entry.name,
        Err(refused) => return Err(refused),
    };
    let why = given.get(REASON.name).unwrap_or_default().trim();
    if why.is_empty() || why.chars().count() > WHY {
        return Err(Failure::refused(ask.say(
            format!("Say why in 1 to {WHY} characters; everybody may read it."),
            format!("Indica il perché in un massimo di {WHY} caratteri; chiunque lo potrà leggere."),
        )));
    }
    let Some(incident) = room.view.incident(name.incident.as_str())? else {
        return Err(Failure::Broke(format!("{name} has no incident")));
    };
    if name.number == 1 {
        return Err(Failure::refused(ask.say(
            "The entry that opens an incident cannot be erased: without it nothing after it could be read. Correct its title or summary first, then redact what is left in the entries.",
            "La voce che apre un incidente non si può cancellare: senza di essa non si leggerebbe nulla di ciò che segue. Correggi prima titolo o descrizione, poi cancella il resto nelle altre voci.",
        )));
    }
    let (public, private) = room.view.traces_of_entry(&incident, name.number)?;
    if SURE.of(room, ask, given)? != Some(true) {
        return Ok(warn(ask, &name, why, public.len(), private.len()));
    }
    let by = Some(decide::who(ask));
    let copies = copies(room, &public, &private)?;
    let erasure =
        |commits, bodies| Drafted::Fact(Fact::Erasure { commits, bodies, why: why.to_owned(), by: by.clone() });
    let mut said = vec![erasure(public, Bodies::Public)];
    if !private.is_empty() {
        said.push(erasure(private, Bodies::Private));
    }
    compose::write(room, ask, Set { ask: ask.key.clone(), expects: Vec::new(), said, at: ask.at })?;
    let line = Line::new().text(ask.say("The text of ", "Il testo di ")).strong(name.to_string()).text(ask.say(
        " is erased: from the journal and the state, with its corrections and drafts. What was posted is being changed; the chain still verifies.",
        " è cancellato: dal giornale e dallo stato, con correzioni e bozze. Quanto è stato pubblicato viene modificato; la catena resta verificabile.",
    ));
    let reply = Reply::personal(Tone::Good, line);
    let reply = match (copies.len(), &room.house.backups) {
        (0, Some(_)) => {
            reply.say(ask.say("None of my daily backups holds it.", "Nessuna delle mie copie quotidiane lo contiene."))
        }
        (0, None) => reply,
        _ => {
            let words = ask.say(
                "Backups that still hold it, to be deleted or kept under lock: ",
                "Copie che lo contengono ancora, da cancellare o custodire: ",
            );
            reply.say(Line::new().text(words).code(copies.join(" ")).text("."))
        }
    };
    Ok(reply.say(ask.say(
        "Exports, and copies that somebody else made before this moment, may hold it, too. Old pages of the state go with “strillone compact”. The line that says that it was erased, by whom and why stays.",
        "Anche esportazioni e copie fatte da altri prima di adesso possono contenerlo. Le vecchie pagine dello stato spariscono con «strillone compact». Resta la riga che dice che è stato cancellato, da chi e perché.",
    )))
}

/// The backups that hold what is to be erased, by their names.
fn copies(room: &Room<'_>, public: &[u64], private: &[u64]) -> Result<Vec<String>, Failure> {
    let Some(dir) = &room.house.backups else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for (commits, bodies) in [(public, Bodies::Public), (private, Bodies::Private)] {
        let holding = backup::holding(dir, commits, bodies).map_err(|error| Failure::Broke(error.to_string()))?;
        let named = holding.iter().filter_map(|it| it.path.file_name()).map(|name| name.to_string_lossy().into_owned());
        names.extend(named);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn warn(ask: &Ask, name: &EntryName, why: &str, lines: usize, drafts: usize) -> Reply {
    let words = ask.say(
        " will be erased for good, with all its corrections: nobody will be able to read it again, and it cannot be undone. To take something back and keep how it read, /retract it instead.",
        " sarà cancellata per sempre, con tutte le sue correzioni: nessuno potrà più leggerla, e non si può tornare indietro. Per ritrattare qualcosa conservando ciò che diceva, usa invece /retract.",
    );
    let reply = Reply::personal(Tone::Alarm, Line::new().strong(name.to_string()).text(words));
    let reply = reply.note(ask.say(
        format!("{lines} lines of the record and {drafts} of its drafts lose their text."),
        format!("Perdono il testo {lines} righe del registro e {drafts} delle sue bozze."),
    ));
    let line = format!("/{} {name} | {} | {}", REDACT.name, shown(why), ask.say("yes", "sì"));
    reply.say(Line::new().text(ask.say("If you are sure, send: ", "Se sei sicuro, invia: ")).code(line))
}
