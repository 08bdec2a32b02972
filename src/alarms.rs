//! What dispatch has to tell, in words: to owners, and to whoever subscribed a channel that cannot be reached.

use crate::{
    dispatch::office::Word,
    signs::{Alert, Words},
};

/// How many channels a message names.
const NAMED: usize = 10;

/// A word of dispatch's, as it is told behind the doors.
pub fn alert(word: Word) -> Option<Alert> {
    let words = |en: String, it: String| Words { en, it };
    Some(match word {
        Word::Refused { entry, network, why } => {
            tracing::error!(%entry, network = network.name(), why, "a platform does not take an entry");
            let name = network.name();
            Alert::to_owners(
                None,
                words(
                    format!(
                        "{name} does not take {entry}, not even as plain text: {why}. Those who follow it there did not get it; “strillone deliveries --retry” sends it again."
                    ),
                    format!(
                        "{name} non accetta {entry}, nemmeno come testo semplice: {why}. Chi lo segue lì non lo ha ricevuto; «strillone deliveries --retry» lo invia di nuovo."
                    ),
                ),
            )
        }
        Word::Token(network) => {
            tracing::error!(network = network.name(), "the platform refuses the token: nothing more is pushed there");
            // The door that is shut by it tells the owners behind the other.
            return None;
        }
        Word::Trouble { to, channels, closed } => {
            let some: Vec<String> =
                channels.iter().take(NAMED).map(|(channel, why)| format!("{channel} ({why})")).collect();
            let more = channels.len().saturating_sub(NAMED);
            let mut list = some.join(", ");
            if more > 0 {
                list += &format!(" + {more}");
            }
            tracing::info!(channels = channels.len(), "channels cannot be reached; whoever subscribed them is told");
            let words = match closed {
                Some(true) => words(
                    format!(
                        "Topics that you had me post in are closed or gone: {list}. I posted once in the group itself; what comes next waits for 30 days until the topic is open again. /subscribe in another topic has me post there."
                    ),
                    format!(
                        "Alcuni argomenti in cui mi hai fatto pubblicare sono chiusi o non esistono più: {list}. Ho pubblicato una volta nel gruppo; il resto aspetta per 30 giorni che l'argomento riapra. Con /subscribe in un altro argomento pubblico lì."
                    ),
                ),
                Some(false) => words(
                    format!(
                        "Topics that you had me post in are closed or gone: {list}. What comes next waits for 30 days until the topic is open again. /subscribe in another topic has me post there."
                    ),
                    format!(
                        "Alcuni argomenti in cui mi hai fatto pubblicare sono chiusi o non esistono più: {list}. Quello che arriva aspetta per 30 giorni che l'argomento riapra. Con /subscribe in un altro argomento pubblico lì."
                    ),
                ),
                None => words(
                    format!(
                        "I can no longer post where you subscribed: {list}. What comes next waits for 30 days; give me the right to write there, and I bring it."
                    ),
                    format!(
                        "Non posso più pubblicare dove mi avevi chiesto: {list}. Quello che arriva aspetta 30 giorni; dammi il permesso di scrivere lì e te lo porto."
                    ),
                ),
            };
            Alert { about: None, to: Some(to), words }
        }
        Word::Doubtful { entries, channels } => {
            tracing::error!(
                entries,
                channels,
                "entries were under way when the state was lost; some channels may lack them"
            );
            let (mut en, mut it) = (Vec::new(), Vec::new());
            match channels {
                0 => {}
                1 => {
                    en.push("one channel may lack an entry".to_owned());
                    it.push("a un canale può mancare una voce".to_owned());
                }
                n => {
                    en.push(format!("{n} channels may lack an entry"));
                    it.push(format!("a {n} canali può mancare una voce"));
                }
            }
            match entries {
                0 => {}
                1 => {
                    en.push("one entry was being sent, and I do not know to whom".to_owned());
                    it.push("una voce era in consegna e non so a chi sia arrivata".to_owned());
                }
                n => {
                    en.push(format!("{n} entries were being sent, and I do not know to whom"));
                    it.push(format!("{n} voci erano in consegna e non so a chi siano arrivate"));
                }
            }
            let (en, it) = (en.join("; "), it.join("; "));
            Alert::to_owners(
                None,
                words(
                    format!(
                        "My state was lost and rebuilt: {en}. My next message in each channel concerned names what may be missing. “strillone deliveries” lists it, “strillone deliveries --retry” sends it again."
                    ),
                    format!(
                        "Il mio stato è andato perso e l'ho ricostruito: {it}. Il mio prossimo messaggio in ogni canale interessato dirà che cosa può mancare. «strillone deliveries» lo elenca, «strillone deliveries --retry» lo invia di nuovo."
                    ),
                ),
            )
        }
    })
}
