//! A chat in the terminal: one command a line, and the answers. Also the door that the story tests talk on.

mod prompt;
mod render;

use std::io::{self, BufRead, IsTerminal, Read, Write};

use chrono_tz::Tz;
use commands::kit::Role;
use record::{lang::Lang, reply::Reply};

pub use prompt::{End, chat};
pub use render::{Look, dress};

use crate::control::{Event, Link, Request};

/// One who asks at the terminal; keeps what they chose while the chat lasts.
#[derive(Clone)]
pub struct Session {
    link: Link,
    role: Role,
    lang: Lang,
    zone: Option<Tz>,
}

impl Session {
    /// A new one.
    pub fn new(link: Link, role: Role, lang: Lang) -> Session {
        Session { link, role, lang, zone: None }
    }

    /// The answer to a line; none for an empty one.
    pub fn ask(&mut self, line: &str) -> io::Result<Option<Reply>> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        let (line, role) = (line.to_owned(), self.role.into());
        let request = Request::Ask { line, role, lang: self.lang, zone: self.zone };
        let mut reply = None;
        self.link.call(request, &mut |event| match event {
            Event::Reply(it) => {
                reply = Some(*it);
                Ok(())
            }
            Event::Fault(why) => Err(io::Error::other(why)),
            _ => Ok(()),
        })?;
        if let Some(chosen) = reply.as_ref().and_then(|reply| reply.chosen) {
            self.lang = chosen.lang.unwrap_or(self.lang);
            self.zone = chosen.zone.or(self.zone);
        }
        Ok(reply)
    }

    /// What the end of a line may be completed to.
    pub fn complete(&self, line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let request = Request::Complete { line: line.to_owned(), role: self.role.into() };
        let heard = self.link.call(request, &mut |event| {
            if let Event::Words(found) = event {
                words = found;
            }
            Ok(())
        });
        if heard.is_err() {
            // Completion is a courtesy; the next ask tells what is wrong.
            words.clear();
        }
        words
    }
}

/// Answers lines from `input` on `output` until the input ends.
pub fn answer_lines(session: &mut Session, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let look = Look::plain();
    loop {
        let Some(line) = next_line(input)? else { return Ok(()) };
        let line = String::from_utf8_lossy(&line);
        if let Some(reply) = session.ask(&line)? {
            output.write_all(dress(&reply, session.lang, &look).as_bytes())?;
            output.write_all(b"\n")?;
            output.flush()?;
        }
    }
}

/// The longest line that is read whole, in bytes; of a longer one the beginning, which is too long to be answered.
const MAX_LINE: u64 = 64 * 1024;

/// The next line, in bounded memory; none at the end of the input.
fn next_line(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let mut whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE;
    while !whole {
        let mut rest = Vec::new();
        let read = input.take(MAX_LINE).read_until(b'\n', &mut rest)?;
        whole = read == 0 || rest.ends_with(b"\n");
    }
    Ok(Some(line))
}

/// The chat for whatever standard input is: a terminal, or lines from elsewhere.
pub fn talk(session: Session) -> io::Result<End> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return chat(session);
    }
    let mut session = session;
    answer_lines(&mut session, &mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(End::Input)
}
