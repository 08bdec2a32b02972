//! What does not fit what is known by now, in words.

use record::{
    entry::EntryName,
    reply::{Button, Line, Reply, Tone},
    store::Conflict,
};

use super::{Ask, Failure};

/// Refuses for something that does not fit, with the way to what does.
pub fn refused((line, changed): (Line, Option<EntryName>)) -> Failure {
    let reply = Reply::personal(Tone::Polite, line);
    let history = changed.and_then(|entry| Button::new(entry.to_string(), format!("/history {entry}")));
    Failure::Refused(Box::new(reply.row(history)))
}

/// What does not fit, in words, and the entry whose history tells more. `by` is what changed it, where that is known.
pub fn told(ask: &Ask, not: &Conflict, by: Option<EntryName>) -> (Line, Option<EntryName>) {
    let line = Line::new();
    let (line, changed) = match not {
        Conflict::Revised(entry, by) => (
            line.text(ask.say("Somebody changed ", "Nel frattempo qualcuno ha modificato "))
                .strong(entry.to_string())
                .text(ask.say(" meanwhile, with ", " con "))
                .strong(by.to_string())
                .text(ask.say(": ", ": "))
                .code(format!("/history {entry}"))
                .text(
                    ask.say(" shows how it reads now. Then try again.", " mostra come si legge adesso. Poi riprova."),
                ),
            Some(entry),
        ),
        Conflict::Retracted(entry) => {
            let line = line.strong(entry.to_string()).text(ask.say(" was retracted", " è stata ritrattata"));
            let line = match by {
                Some(by) => line.text(ask.say(" by ", " da ")).strong(by.to_string()),
                None => line,
            };
            (line.text(ask.say(", and stays as it is.", " e resta com'è.")), Some(entry))
        }
        Conflict::IncidentTaken(handle) => (
            line.text(ask.say("There is an incident ", "C'è già un incidente "))
                .strong(handle.as_str())
                .text(ask.say(" already. Please choose another handle.", ". Scegli un altro nome breve.")),
            None,
        ),
        Conflict::NoIncident(handle) => (
            line.text(ask.say("There is no incident ", "Non c'è un incidente ")).strong(handle.as_str()).text("."),
            None,
        ),
        Conflict::NoEntry(entry) => (
            line.strong(entry.to_string()).text(
                ask.say(" is not an entry that this can refer to.", " non è una voce a cui ci si possa riferire qui."),
            ),
            None,
        ),
        Conflict::NoOrganisation(handle) => (
            line.text(ask.say("The incident has no organisation ", "L'incidente non ha un'organizzazione "))
                .strong(handle.as_str())
                .text("."),
            None,
        ),
        Conflict::OrganisationTaken(name, entry) | Conflict::KeyTaken(name, entry) => (
            line.strong(name.as_str())
                .text(ask.say(" is recorded already, as ", " è già nel registro, come "))
                .strong(entry.to_string())
                .text("."),
            None,
        ),
        Conflict::TooLong | Conflict::SetSize => (
            line.text(ask.say(
                "Together this is too long for one entry. Please say it in fewer words.",
                "Tutto insieme è troppo lungo per una voce sola. Dillo in meno parole, per favore.",
            )),
            None,
        ),
    };
    (line, changed.cloned())
}
