//! The operator's end: the bot that runs, or the store itself where none runs.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Event, Request, address, carry_out};
use crate::desk::Desk;

/// Whoever carries out requests.
#[derive(Clone)]
pub enum Link {
    /// This process, which has the store open.
    Here(Desk),
    /// The bot that runs.
    There(Arc<Mutex<There>>),
}

/// A connection to the bot that runs.
pub struct There {
    requests: UnixStream,
    events: BufReader<UnixStream>,
}

/// Whether a bot was found running.
pub enum Connect {
    /// Yes.
    Running(Link),
    /// No: whoever asks may open the store.
    Nobody,
}

impl Connect {
    /// Looks for a bot that has the data directory open.
    pub fn to(dir: &Path) -> io::Result<Connect> {
        let connected = address(dir).and_then(|(path, _keep)| UnixStream::connect(path));
        match connected {
            Ok(requests) => {
                let events = BufReader::new(requests.try_clone()?);
                Ok(Connect::Running(Link::There(Arc::new(Mutex::new(There { requests, events })))))
            }
            Err(error) => match error.kind() {
                // What is wrong with the directory is told better by whoever opens the store there.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => {
                    Ok(Connect::Nobody)
                }
                _ => Err(error),
            },
        }
    }
}

impl Link {
    /// Has a request carried out; `hear` gets every event but the last.
    pub fn call(&self, request: Request, hear: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
        match self {
            Link::Here(desk) => carry_out(desk, request, &mut |event| match event {
                Event::Done => Ok(()),
                event => hear(event),
            }),
            Link::There(there) => there.lock().unwrap_or_else(PoisonError::into_inner).call(&request, hear),
        }
    }
}

impl There {
    fn call(&mut self, request: &Request, hear: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let gone = |_| io::Error::other("the bot stopped before it answered; ask again");
        self.requests.write_all(&line).map_err(gone)?;
        loop {
            let mut line = String::new();
            if self.events.read_line(&mut line).map_err(gone)? == 0 {
                return Err(gone(io::ErrorKind::UnexpectedEof.into()));
            }
            match serde_json::from_str(&line)? {
                Event::Done => return Ok(()),
                event => hear(event)?,
            }
        }
    }
}
