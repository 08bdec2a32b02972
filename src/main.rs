//! Flags → serve; no decisions.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    strillone::serve::execute(strillone::cli::Cli::parse())
}
