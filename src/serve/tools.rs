//! What operators ask for on the command line: the running bot does it, or this process where none runs.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use commands::kit::Role;
use indicatif::ProgressBar;
use record::{
    lang::Lang,
    store::{OpenError, missing_at_rest, verify_at_rest},
};

use super::{Done, Ended, Stop, Want, bar, complain, load_bundled, open, options, tell, undone};
use crate::{
    cli::Format,
    config::Settings,
    console::{self, Session},
    control::{self, Connect, Event, Link, Request},
    desk::{Desk, Undone},
};

/// How long a command waits for a bot that is just starting or stopping.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running bot, or the store itself, whichever is to be had.
fn link(settings: &Settings, want: Want) -> Result<Link, Stop> {
    let dir = &settings.store.path;
    let since = Instant::now();
    loop {
        if let Connect::Running(link) = Connect::to(dir).map_err(undone("reaching the running bot"))? {
            return Ok(link);
        }
        match open(settings, want) {
            Ok(desk) => {
                load_bundled(&desk, settings)?;
                return Ok(Link::Here(desk));
            }
            // A bot that is starting has the store open before it listens.
            Err(OpenError::Busy(_)) if since.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(error.into()),
        }
    }
}

pub fn console(settings: &Settings, role: Role, lang: Lang) -> Ended {
    let session = Session::new(link(settings, Want::Read)?, role, lang);
    match console::talk(session) {
        // Whoever read the answers has enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map(|_| ()).map_err(|error| Undone(error.to_string()).into()),
    }
}

pub fn import(settings: &Settings, files: &[PathBuf], push: bool) -> Ended {
    let mut texts = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let mut text = String::new();
        let limit = record::dossier::MAX_BYTES as u64 + 1;
        std::fs::File::open(path)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .map_err(|error| Undone(format!("{name}: {error}")))?;
        Desk::read_dossier(&name, &text)?;
        texts.push((name, text));
    }
    let link = link(settings, Want::Write)?;
    for (name, text) in texts {
        let mut told = Told { name: name.clone(), bar: bar(&name), faults: Vec::new() };
        link.call(Request::Import { name, text, dry: false, push }, &mut |event| told.hear(event))
            .map_err(|error| Undone(format!("{}: {error}", told.name)))?;
        told.bar.finish_and_clear();
        if let Some(fault) = told.faults.into_iter().next() {
            return Err(Undone(fault).into());
        }
    }
    Ok(())
}

/// Tells how an import goes: a bar on a terminal; elsewhere a line now and then, each of which is a promise kept.
struct Told {
    name: String,
    bar: ProgressBar,
    faults: Vec<String>,
}

impl Told {
    fn hear(&mut self, event: Event) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match event {
            Event::Progress { incident, done, total } => {
                self.bar.set_length(total as u64);
                self.bar.set_position(done as u64);
                if self.bar.is_hidden() && done % 100 == 0 && done < total {
                    writeln!(out, "{}: {incident}: {done} of {total} are recorded", self.name)?;
                    out.flush()?;
                }
            }
            Event::Imported { incident, recorded, corrected, retracted, unchanged, left } => {
                let mut line = format!(
                    "{}: {incident}: {recorded} recorded, {corrected} corrected, {unchanged} unchanged",
                    self.name
                );
                if retracted > 0 {
                    line += &format!(", {retracted} retracted");
                }
                if left > 0 {
                    line += &format!(", {left} left as they were retracted here");
                }
                self.bar.suspend(|| writeln!(out, "{line}"))?;
                out.flush()?;
            }
            Event::Fault(fault) => self.faults.push(fault),
            _ => {}
        }
        Ok(())
    }
}

pub fn export(settings: &Settings, incident: Option<String>, format: Format) -> Ended {
    let link = link(settings, Want::Read)?;
    let mut fault = None;
    let heard = link.call(Request::Export { incident, format }, &mut |event| match event {
        Event::Out(text) => io::stdout().lock().write_all(text.as_bytes()),
        Event::Fault(why) => {
            fault = Some(why);
            Ok(())
        }
        _ => Ok(()),
    });
    match (heard.and_then(|()| io::stdout().lock().flush()), fault) {
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        (Err(error), _) => Err(Undone(error.to_string()).into()),
        (Ok(()), Some(why)) => Err(Undone(why).into()),
        (Ok(()), None) => Ok(()),
    }
}

pub fn deliveries(settings: &Settings, retry: bool) -> Ended {
    let want = if retry { Want::Write } else { Want::Read };
    Ok(carried_out(link(settings, want)?, Request::Deliveries { retry }, "reading the deliveries")?)
}

pub fn backup(settings: &Settings, dir: &Path) -> Ended {
    let dir = std::path::absolute(dir).map_err(undone(dir.display().to_string()))?;
    Ok(carried_out(link(settings, Want::Write)?, Request::Backup { dir }, "backing up")?)
}

pub fn restore(settings: &Settings, backup: &Path) -> Ended {
    let bar = bar("folding the journal");
    let restored = record::backup::restore(backup, &options(settings), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let manifest = restored.map_err(|error| Undone(error.to_string()))?;
    tell(format!(
        "{}: restored up to commit {}, as it was at {}",
        settings.store.path.display(),
        manifest.commit,
        manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC")
    ))?;
    Ok(())
}

pub fn compact(settings: &Settings) -> Done {
    if !settings.store.path.join("sled").exists() {
        return Err(Undone(format!("there is no store in {}", settings.store.path.display())));
    }
    let bar = bar("writing the state anew");
    let done = record::store::compact(&options(settings), &mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    let (before, after) = done.map_err(|error| match error {
        OpenError::Busy(_) => Undone("the bot is running: stop it first".to_owned()),
        other => Undone(other.to_string()),
    })?;
    tell(format!("state: {before} bytes before, {after} now"))
}

/// Has a request carried out, its lines printed; the first fault is the error.
fn carried_out(link: Link, request: Request, what: &'static str) -> Done {
    let mut faults = Vec::new();
    link.call(request, &mut |event| match event {
        Event::Line(line) => writeln!(io::stdout(), "{line}"),
        Event::Fault(fault) => {
            faults.push(fault);
            Ok(())
        }
        _ => Ok(()),
    })
    .map_err(undone(what))?;
    match faults.into_iter().next() {
        None => Ok(()),
        Some(fault) => Err(Undone(fault)),
    }
}

pub fn check(settings: &Settings, mend: bool) -> Ended {
    let mut faults = 0;
    let mut hear = |event: Event| match event {
        Event::Line(line) => writeln!(io::stdout(), "{line}"),
        Event::Fault(fault) => {
            faults += 1;
            complain(&fault);
            Ok(())
        }
        _ => Ok(()),
    };
    tell("settings: in order")?;
    let request = Request::Check { mend };
    match Connect::to(&settings.store.path).map_err(undone("reaching the running bot"))? {
        Connect::Running(link) => link.call(request, &mut hear).map_err(undone("checking"))?,
        Connect::Nobody if mend && settings.store.path.join("journal").exists() => {
            let desk = open(settings, Want::Write)?;
            desk.store().notes().iter().try_for_each(|note| tell(format!("mended: {note}")))?;
            Link::Here(desk).call(request, &mut hear).map_err(undone("checking"))?;
        }
        Connect::Nobody => {
            let options = options(settings);
            if let Ok(Some(less)) = missing_at_rest(&options) {
                hear(Event::Fault(less.to_string())).map_err(undone("checking"))?;
            }
            // A container may have no other place to write than beside the store.
            let scratch = tempfile::tempdir()
                .or_else(|_| tempfile::tempdir_in(&options.dir))
                .map_err(undone("making a directory for a copy of the state"))?;
            match verify_at_rest(&options, scratch.path()).map_err(|error| Undone(error.to_string()))? {
                Some(report) => control::report_lines(&report, &mut hear).map_err(undone("checking"))?,
                None if settings.store.path.is_file() => {
                    let place = settings.store.path.display();
                    return Err(Undone(format!("{place} is a file, and no directory")).into());
                }
                None => tell(format!("store: there is none yet in {}", settings.store.path.display()))?,
            }
        }
    }
    match faults {
        0 => Ok(tell("store: in order")?),
        _ => Err(Undone("the store has faults".to_owned()).into()),
    }
}

pub fn health(settings: &Settings) -> Done {
    let Connect::Running(link) = Connect::to(&settings.store.path).map_err(undone("reaching the bot"))? else {
        return Err(Undone(format!("no bot is running on {}", settings.store.path.display())));
    };
    let mut well = true;
    let told = link.call(Request::Health, &mut |event| match event {
        Event::Line(line) => writeln!(io::stdout(), "{line}"),
        Event::Fault(line) => {
            well = false;
            writeln!(io::stdout(), "{line}")
        }
        _ => Ok(()),
    });
    told.map_err(undone("asking the bot"))?;
    if well { Ok(()) } else { Err(Undone(String::new())) }
}
