//! Operating a running bot: console, import, export and check over a Unix socket in the data directory.
//!
//! A connection carries requests and events as JSON, one a line: a request, then its events up to `Done`. The socket
//! has mode 0600 and lies in a directory of mode 0700: who may connect is who may read the files.

mod client;
mod deliveries;
mod server;

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use chrono::Utc;
use chrono_tz::Tz;
use record::{import::Imported, lang::Lang, reply::Reply};
use serde::{Deserialize, Serialize};

pub use client::{Connect, Link};
pub use server::{Server, serve};

use crate::{
    backups,
    cli::Format,
    desk::{Desk, Undone},
    signs::Condition,
};

/// The socket's name in the data directory.
pub const SOCKET: &str = "strillone.sock";

/// The longest request, in bytes: a dossier of the largest size, escaped.
const MAX_REQUEST: u64 = 4 * record::dossier::MAX_BYTES as u64;

/// What is asked over the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "do")]
pub enum Request {
    /// Answer a line.
    Ask {
        /// The line.
        line: String,
        /// In whose name.
        role: Who,
        /// In which language.
        lang: Lang,
        /// On whose clock.
        zone: Option<Tz>,
    },
    /// Complete the last word of a line.
    Complete {
        /// The line.
        line: String,
        /// In whose name.
        role: Who,
    },
    /// Import a dossier.
    Import {
        /// What its file is called, for messages.
        name: String,
        /// Its text.
        text: String,
        /// Only read it and look for faults.
        dry: bool,
        /// Have subscribers hear of it.
        push: bool,
    },
    /// Export the record.
    Export {
        /// Only this incident.
        incident: Option<String>,
        /// In which form.
        format: Format,
    },
    /// Look for faults in the store.
    Check {
        /// Mend what can be mended.
        mend: bool,
    },
    /// Back the store up.
    Backup {
        /// Into which directory: a whole path.
        dir: PathBuf,
    },
    /// Tell what was delivered, and what is to be.
    Deliveries {
        /// Have what was refused or held sent again.
        retry: bool,
    },
    /// Tell how the bot is.
    Health,
}

/// A role, as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// See [`commands::kit::Role::Reader`].
    Reader,
    /// See [`commands::kit::Role::Contributor`].
    Contributor,
    /// See [`commands::kit::Role::Moderator`].
    Moderator,
    /// See [`commands::kit::Role::Owner`].
    Owner,
}

impl From<Who> for commands::kit::Role {
    fn from(who: Who) -> Self {
        match who {
            Who::Reader => Self::Reader,
            Who::Contributor => Self::Contributor,
            Who::Moderator => Self::Moderator,
            Who::Owner => Self::Owner,
        }
    }
}

impl From<commands::kit::Role> for Who {
    fn from(role: commands::kit::Role) -> Self {
        match role {
            commands::kit::Role::Reader => Self::Reader,
            commands::kit::Role::Contributor => Self::Contributor,
            commands::kit::Role::Moderator => Self::Moderator,
            commands::kit::Role::Owner => Self::Owner,
        }
    }
}

/// What happens while a request is carried out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// An answer.
    Reply(Box<Reply>),
    /// Completions.
    Words(Vec<String>),
    /// So many items of an incident are durable.
    Progress {
        /// The incident.
        incident: String,
        /// How many.
        done: usize,
        /// Of how many.
        total: usize,
    },
    /// An incident was imported to its end.
    Imported {
        /// The incident.
        incident: String,
        /// Recorded for the first time.
        recorded: usize,
        /// Corrected.
        corrected: usize,
        /// Retracted.
        retracted: usize,
        /// There already.
        unchanged: usize,
        /// Retracted here, and left so.
        left: usize,
    },
    /// A piece of output.
    Out(String),
    /// A line about the store or the bot.
    Line(String),
    /// A fault; the request has failed.
    Fault(String),
    /// The request is carried out.
    Done,
}

/// Carries out a request; the events go to `tell`, which may fail when nobody listens any more.
pub fn carry_out(desk: &Desk, request: Request, tell: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
    match request {
        Request::Ask { line, role, lang, zone } => {
            tell(Event::Reply(Box::new(desk.console(&line, role.into(), lang, zone))))?;
        }
        Request::Complete { line, role } => tell(Event::Words(desk.complete(&line, role.into())))?,
        Request::Import { name, text, dry, push } => import(desk, &name, &text, (dry, push), tell)?,
        Request::Export { incident, format } => {
            let mut out = Out { tell, pending: String::new(), broken: None };
            let done = desk.export(incident.as_deref(), format, &mut out);
            if let Some(error) = out.broken {
                return Err(error);
            }
            if let Err(Undone(why)) = done {
                tell(Event::Fault(why))?;
            }
        }
        Request::Check { mend } => check(desk, mend, tell)?,
        Request::Backup { dir } => match backups::make(desk, &dir, Utc::now()) {
            Ok(made) => tell(Event::Line(format!(
                "{}: commits 1 to {}, verified, head {}",
                made.path.display(),
                made.manifest.commit,
                made.manifest.hash
            )))?,
            Err(Undone(why)) => tell(Event::Fault(why))?,
        },
        Request::Deliveries { retry } => match desk.deliveries(retry, deliveries::deliveries) {
            Ok(lines) => lines.into_iter().try_for_each(|line| tell(Event::Line(line)))?,
            Err(Undone(why)) => tell(Event::Fault(why))?,
        },
        Request::Health => {
            let (condition, lines) = desk.health();
            let well = condition != Condition::Down;
            for line in lines {
                tell(if well { Event::Line(line) } else { Event::Fault(line) })?;
            }
        }
    }
    tell(Event::Done)
}

fn check(desk: &Desk, mend: bool, tell: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
    if mend {
        match desk.store().mend() {
            Ok(mended) => {
                mended.told.into_iter().try_for_each(|line| tell(Event::Line(format!("mended: {line}"))))?;
                mended.lost.into_iter().try_for_each(|line| tell(Event::Fault(format!("not mended: {line}"))))?;
            }
            Err(error) => tell(Event::Fault(error.to_string()))?,
        }
    }
    match desk.check() {
        Ok(report) => report_lines(&report, tell),
        Err(Undone(why)) => tell(Event::Fault(why)),
    }
}

fn import(
    desk: &Desk,
    name: &str,
    text: &str,
    (dry, push): (bool, bool),
    tell: &mut dyn FnMut(Event) -> io::Result<()>,
) -> io::Result<()> {
    let dossiers = match Desk::read_dossier(name, text) {
        Ok(dossiers) => dossiers,
        Err(Undone(why)) => return tell(Event::Fault(why)),
    };
    if dry {
        return Ok(());
    }
    // A client that went away does not end the import: what it acknowledged is durable, and the rest is wanted too.
    let mut gone = false;
    for dossier in &dossiers {
        let incident = dossier.handle.to_string();
        let mut progress = |imported: &Imported, total: usize| {
            let done = imported.done();
            gone = gone || tell(Event::Progress { incident: incident.clone(), done, total }).is_err();
        };
        match desk.import(dossier, push, &mut progress) {
            Ok(Imported { recorded, corrected, retracted, unchanged, left }) => {
                let done = Event::Imported { incident, recorded, corrected, retracted, unchanged, left };
                gone = gone || tell(done).is_err();
            }
            Err(error) => return tell(Event::Fault(format!("{name}: {incident}: {error}"))),
        }
    }
    Ok(())
}

/// A report, a line each; its faults as faults.
pub fn report_lines(report: &record::store::Report, tell: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
    for fault in &report.faults {
        tell(Event::Fault(fault.clone()))?;
    }
    if report.more > 0 {
        tell(Event::Fault(format!("and {} more faults", report.more)))?;
    }
    let head = report.head.map_or_else(|| "none".to_owned(), |head| head.to_string());
    tell(Event::Line(format!(
        "journal: {} lines, {} public entries in {} incidents, {} erased bodies, head {head}",
        report.lines, report.entries, report.incidents, report.erased
    )))?;
    for (handle, number, hash) in &report.heads {
        tell(Event::Line(format!("incident {handle}: {number} entries, head {hash}")))?;
    }
    if report.behind > 0 {
        tell(Event::Line(format!("the state lacks the last {} lines; the next start adds them", report.behind)))?;
    }
    Ok(())
}

/// Output that leaves as events of a bounded size.
struct Out<'a> {
    tell: &'a mut dyn FnMut(Event) -> io::Result<()>,
    pending: String,
    broken: Option<io::Error>,
}

impl Out<'_> {
    const PIECE: usize = 64 * 1024;

    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.pending);
        if piece.is_empty() {
            return Ok(());
        }
        (self.tell)(Event::Out(piece)).inspect_err(|error| self.broken = Some(error.kind().into()))
    }
}

impl io::Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Exports are written in whole lines of UTF-8.
        self.pending.push_str(std::str::from_utf8(bytes).map_err(io::Error::other)?);
        if self.pending.len() > Out::PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

/// The socket's address. A path over the system's limit (108 bytes on Linux) is reached through the open directory.
fn address(dir: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let plain = dir.join(SOCKET);
    if plain.as_os_str().len() < 100 {
        return Ok((plain, None));
    }
    let open = File::open(dir)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(SOCKET);
    Ok((short, Some(open)))
}
