//! What is kept out of a public record: addresses of leaks, credentials, and people's data.
//!
//! It is a heuristic that guards against carelessness, not against malice: it knows shapes, not meanings. Every
//! scanner reads a text once, and looks a bounded way back and ahead.

mod credentials;
mod emails;
mod links;
mod normal;
mod numbers;
mod phones;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, error::Error, fmt};

use crate::{lang::Lang, link::Link};

/// Well-known hosts of pastes, file drops, leaks and the trade in them; subdomains are meant too.
// Left out on purpose, though leaks were seen there: telegra.ph (articles are published on it), gist.github.com
// (researchers publish indicators of compromise there), archive.org (the way to cite a page that is gone; what it holds
// a copy of is judged by itself), haveibeenpwned.com and ransomware.live (they say that a leak exists, and do not hold it).
pub const HOSTS: &[&str] = &[
    // Pastes.
    "0bin.net",
    "bpa.st",
    "cl1p.net",
    "controlc.com",
    "defuse.ca",
    "doxbin.com",
    "doxbin.net",
    "doxbin.org",
    "dpaste.com",
    "dpaste.org",
    "ghostbin.co",
    "ghostbin.com",
    "hastebin.com",
    "ix.io",
    "justpaste.it",
    "justpaste.me",
    "paste.ee",
    "paste.rs",
    "paste.sh",
    "pastebin.ai",
    "pastebin.com",
    "pastebin.pl",
    "pastes.io",
    "pastie.org",
    "privatebin.info",
    "privatebin.net",
    "rentry.co",
    "rentry.org",
    "sprunge.us",
    "termbin.com",
    "throwbin.io",
    "zerobin.net",
    // File drops.
    "1fichier.com",
    "anonfile.com",
    "anonfiles.com",
    "bayfiles.com",
    "catbox.moe",
    "dropmefiles.com",
    "easyupload.io",
    "file.io",
    "gofile.io",
    "krakenfiles.com",
    "mediafire.com",
    "mega.co.nz",
    "mega.io",
    "mega.nz",
    "pixeldrain.com",
    "qiwi.gg",
    "sendspace.com",
    "transfer.sh",
    "ufile.io",
    "we.tl",
    "wetransfer.com",
    "workupload.com",
    "zippyshare.com",
    // Leaks, and where they are traded or searched.
    "breached.to",
    "breached.vc",
    "breachforums.bf",
    "breachforums.cx",
    "breachforums.hn",
    "breachforums.is",
    "breachforums.st",
    "breachforums.vc",
    "cracked.io",
    "cracked.sh",
    "cracked.to",
    "ddosecrets.com",
    "dehashed.com",
    "exploit.in",
    "intelx.io",
    "leakbase.cc",
    "leakbase.io",
    "leakbase.la",
    "leakcheck.io",
    "leakpeek.com",
    "nulled.to",
    "raidforums.com",
    "ramp4u.io",
    "snusbase.com",
    "weleakinfo.to",
    "wikileaks.org",
    "xss.is",
];

/// Judges texts and links before they are recorded.
#[derive(Clone, Debug)]
pub struct Guard {
    hosts: BTreeSet<String>,
}

/// Why a text or a link is refused; never the thing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An address of the Tor network, or of a gateway to it.
    Onion,
    /// A listed host: the entry of the list.
    Host(String),
    /// A password, key or token.
    Credentials,
    /// Two or more e-mail addresses.
    Emails,
    /// A telephone number.
    Phone,
    /// An Italian fiscal code.
    FiscalCode,
    /// The number of a payment card.
    Card,
    /// The number of a bank account.
    Iban,
}

impl Guard {
    /// A guard that knows these hosts. Of an entry written as an address only the host counts; blank ones are ignored.
    pub fn new(hosts: impl IntoIterator<Item = impl Into<String>>) -> Guard {
        Guard { hosts: hosts.into_iter().filter_map(|host| links::entry(&host.into())).collect() }
    }

    /// Judges what somebody wrote; the links within it are judged as [`Guard::link`] does.
    pub fn text(&self, text: &str) -> Result<(), Found> {
        let text = normal::normalised(text);
        let (links, rest) = links::parted(&text);
        refuse(links.into_iter().find_map(|link| links::judged(link, &self.hosts)))?;
        refuse(credentials::any(&text).then_some(Found::Credentials))?;
        refuse(numbers::iban(&rest).then_some(Found::Iban))?;
        refuse(numbers::card(&rest).then_some(Found::Card))?;
        refuse(numbers::fiscal_code(&rest).then_some(Found::FiscalCode))?;
        refuse(phones::any(&rest).then_some(Found::Phone))?;
        refuse(emails::several(&rest).then_some(Found::Emails))
    }

    /// Judges a link: where it leads, what it leads on to, and the keys in it. Numbers in it are no one's.
    pub fn link(&self, link: &Link) -> Result<(), Found> {
        refuse(links::judged(link.as_str(), &self.hosts))?;
        refuse(credentials::any(&links::decoded(link.as_str())).then_some(Found::Credentials))
    }
}

impl Default for Guard {
    fn default() -> Guard {
        Guard::new(HOSTS.iter().copied())
    }
}

fn refuse(found: Option<Found>) -> Result<(), Found> {
    found.map_or(Ok(()), Err)
}

impl Found {
    /// The reason, as it is told to who wrote it.
    pub fn reason(&self, lang: Lang) -> String {
        let words = match self {
            Found::Host(host) => {
                return lang.pick(
                    format!(
                        "I do not record links to {host}, where leaked data is often posted. \
                         Please cite a page that reports on it instead."
                    ),
                    format!(
                        "Non registro link a {host}, dove spesso finiscono dati trafugati. \
                         Cita invece, per favore, una pagina che ne dia notizia."
                    ),
                );
            }
            Found::Onion => lang.pick(
                "I do not record addresses of the Tor network, nor of gateways to it. \
                 Please cite a public page that reports on it instead.",
                "Non registro indirizzi della rete Tor, né di siti che vi danno accesso. \
                 Cita invece, per favore, una pagina pubblica che ne dia notizia.",
            ),
            Found::Credentials => lang.pick(
                "This seems to contain a password, a key or a token, which I do not record. \
                 Please describe what was exposed without repeating it.",
                "Qui sembra esserci una password, una chiave o un token, e non ne registro. \
                 Descrivi, per favore, che cosa è stato esposto senza riportarlo.",
            ),
            Found::Emails => lang.pick(
                "This contains more than one e-mail address, and I do not record lists of them. \
                 Please keep at most one, such as a press contact.",
                "Qui c'è più di un indirizzo e-mail, e non ne registro elenchi. \
                 Lasciane, per favore, al massimo uno, per esempio quello dell'ufficio stampa.",
            ),
            Found::Phone => lang.pick(
                "This seems to contain a telephone number, which I do not record. Please leave it out; \
                 if it is another number, say which before it (for instance “ticket” or “ref.”).",
                "Qui sembra esserci un numero di telefono, e non ne registro. Toglilo, per favore; \
                 se è un altro numero, scrivi prima che cos'è (per esempio «prot. n.» o «ticket»).",
            ),
            Found::FiscalCode => lang.pick(
                "This seems to contain an Italian fiscal code, which identifies a person. Please leave it out.",
                "Qui sembra esserci un codice fiscale, che identifica una persona. Toglilo, per favore.",
            ),
            Found::Card => lang.pick(
                "This seems to contain the number of a payment card, which I do not record. Please leave it out.",
                "Qui sembra esserci il numero di una carta di pagamento, e non ne registro. Toglilo, per favore.",
            ),
            Found::Iban => lang.pick(
                "This seems to contain the IBAN of a bank account, which I do not record. Please leave it out.",
                "Qui sembra esserci l'IBAN di un conto bancario, e non ne registro. Toglilo, per favore.",
            ),
        };
        words.to_owned()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason(Lang::En))
    }
}

impl Error for Found {}
