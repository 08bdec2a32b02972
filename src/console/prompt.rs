//! The prompt on a terminal: editing, history, completion, colours.

use std::{borrow::Cow, io};

use rustyline::{
    CompletionType, Config, Editor, Helper,
    completion::Completer,
    error::ReadlineError,
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    history::MemHistory,
    validate::Validator,
};

use super::{Look, Session, dress};

/// How a chat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The input ended (Ctrl-D).
    Input,
    /// It was interrupted (Ctrl-C).
    Interrupted,
}

/// Chats until the input ends or is interrupted. What was typed is remembered while it lasts, and not written anywhere.
pub fn chat(mut session: Session) -> io::Result<End> {
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let mut editor: Editor<Assist, MemHistory> =
        Editor::with_history(config, MemHistory::new()).map_err(io::Error::other)?;
    loop {
        editor.set_helper(Some(Assist { session: session.clone() }));
        match editor.readline("strillone> ") {
            Ok(line) if matches!(line.trim(), "exit" | "quit" | "/exit" | "/quit") => return Ok(End::Input),
            Ok(line) => {
                if let Some(reply) = session.ask(&line)? {
                    println!("{}", dress(&reply, session.lang, &Look::terminal()));
                }
            }
            Err(ReadlineError::Eof) => return Ok(End::Input),
            Err(ReadlineError::Interrupted) => return Ok(End::Interrupted),
            Err(ReadlineError::Io(error)) => return Err(error),
            Err(other) => return Err(io::Error::other(other)),
        }
    }
}

/// What helps while typing.
struct Assist {
    session: Session,
}

impl Completer for Assist {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &rustyline::Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or(line);
        let start = typed.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        let mut words = self.session.complete(typed);
        if let [only] = words.as_mut_slice()
            && !only.ends_with(':')
        {
            only.push(' ');
        }
        Ok((start, words))
    }
}

impl Hinter for Assist {
    type Hint = String;
}

impl Highlighter for Assist {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        false
    }
}

impl Validator for Assist {}

impl Helper for Assist {}
