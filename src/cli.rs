//! The command line: what can be typed, and what `--help` says.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use record::lang::Lang;

/// Keeps the public record of an incident - what happened, who said what, where it stands - and answers from it.
///
/// Without a command it runs the bot: it opens or makes the data directory, loads the bundled dossier into an empty
/// store, and offers a chat when standard input is a terminal. No configuration and no token are needed.
///
/// One process at a time has the store open. While the bot runs, console, import, export and check are carried out by
/// it, over a socket in the data directory: nothing needs to be stopped.
///
/// Every setting stands in config/strillone.toml with its default, and can be given in a file (--config) or as a
/// variable STRILLONE_<SECTION>__<KEY>.
///
/// Exit codes: 0 when all went well, 2 for a fault in the settings or on the command line, 3 when less is there than the
/// last backup or the last start knew, 1 for everything else.
#[derive(Debug, Parser)]
#[command(name = "strillone", version, max_term_width = 100)]
pub struct Cli {
    /// Read settings from this file, over the compiled-in defaults
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep everything in this directory (overrides store.path)
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Go on although the record holds less than the last backup, or the last start, knew
    ///
    /// What is there is the measure from then on, and backups that know more are kept. Once is enough.
    #[arg(long, global = true)]
    pub accept_less: bool,
    /// Go on although the clock is more than 90 days ahead of when the bot last ran
    #[arg(long, global = true)]
    pub accept_clock: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bot (the default)
    ///
    /// Serves every door whose token is set, and the web pages. Ctrl-C or SIGTERM stop it in order.
    Run,
    /// Ask in the terminal: one command a line
    ///
    /// Reads commands such as "/timeline westpole" from standard input, a line each, and answers on standard output
    /// until the input ends. "/help" lists them. On a terminal there are colours, a history and completion.
    Console {
        /// In whose name to ask
        #[arg(long = "as", value_enum, default_value_t = As::Reader, value_name = "ROLE")]
        role: As,
        /// In which language to answer
        #[arg(long, value_enum, default_value_t = Tongue::En, value_name = "LANG")]
        lang: Tongue,
    },
    /// Record what dossiers hold
    ///
    /// Records what is new and corrects what changed; importing a file twice changes nothing, and an import that was
    /// cut short is taken up where it ended. docs/DOSSIER.md describes the format. Nothing is imported unless every
    /// file is sound. Subscribers hear of imported entries only with --push.
    Import {
        /// Have subscribers hear of every entry that is recorded
        #[arg(long)]
        push: bool,
        /// Dossiers, in TOML
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the public record on standard output
    ///
    /// jsonl: the lines themselves, which anyone can verify with docs/FORMAT.md. toml: a dossier of what holds now,
    /// which can be imported. markdown: a document to read.
    Export {
        /// Only this incident
        #[arg(long, value_name = "HANDLE")]
        incident: Option<String>,
        /// In which form
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
    /// Look for faults in the settings and the store, and change nothing
    ///
    /// Follows every chain, checks every hash, compares the state with the journal. Exit code 2 tells of a fault in
    /// the settings, 1 of one in the store. A running bot does the same by itself once a day, and mends what it can; so
    /// does --mend.
    Check {
        /// Mend what is damaged from the other copy, where there is a good one
        #[arg(long)]
        mend: bool,
    },
    /// Back the record up into a directory, while the bot runs or not
    ///
    /// Makes a directory strillone-<moment>-<commit> there: the journal up to now, verified by folding it elsewhere. It
    /// holds everything but what was delivered where, and everything that is private; keep it as you keep the data
    /// directory.
    Backup {
        /// Where it goes
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Restore a backup into an empty data directory, or one that holds less than the backup
    ///
    /// Verifies it first, and folds it. What is there is moved aside, if it is nothing but the beginning of what the
    /// backup holds. What was recorded after it was made is not in it; what may have been delivered by then is taken
    /// for delivered.
    Restore {
        /// The backup
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
    },
    /// Write the state anew, without the old pages of what was changed or erased
    ///
    /// The bot must not be running. No old page is left of what was erased.
    Compact,
    /// Tell what was delivered to subscribers, and what is to be
    ///
    /// Counts by state, what waits longest, what the platforms refused, channels that cannot be reached, and what was
    /// taken for sent because the state was lost while it was under way.
    Deliveries {
        /// Have what was refused, or is of unknown fate and held, sent again
        #[arg(long)]
        retry: bool,
    },
    /// Tell whether a running bot is well (exit code 0 or 1)
    ///
    /// For a container's health check: asks the bot that has the data directory open.
    Health,
}

/// In whose name the console asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// Anybody
    Reader,
    /// One who keeps the record
    Moderator,
    /// One who decides who keeps it
    Owner,
}

impl From<As> for commands::kit::Role {
    fn from(role: As) -> Self {
        match role {
            As::Reader => Self::Reader,
            As::Moderator => Self::Moderator,
            As::Owner => Self::Owner,
        }
    }
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tongue {
    /// English
    En,
    /// Italian
    It,
}

impl From<Tongue> for Lang {
    fn from(tongue: Tongue) -> Lang {
        match tongue {
            Tongue::En => Lang::En,
            Tongue::It => Lang::It,
        }
    }
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lines that anyone can verify
    Jsonl,
    /// A dossier that can be imported
    Toml,
    /// A document to read
    Markdown,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
