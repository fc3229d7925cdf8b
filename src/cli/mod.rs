//! The command line: what a person or a script starts.
//!
//! What a command was asked for goes to standard output, everything else to standard error:
//! mistakes, warnings, logs. `check` shows mistakes for people on standard error; only
//! `--format json` is output. It ends with 0 if all went well, with 1 if the project or a query has
//! mistakes, with 2 if the command line is wrong or the command could not run.

mod check;
mod dev;
mod ending;
pub mod mock;
mod mocked;
mod plan;
mod query;
mod root;
mod schema;
mod serve;
mod size;
pub mod spec;
mod stop;
mod terminal;
mod token;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::observe::{LogFormat, start_logging};

use ending::Ending;
use root::RootArgs;

/// Runs the program with its arguments, the first of which is its own name.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        // `--help` and `--version` come this way too. There is nowhere left to tell a failure.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match arguments.command.run(&arguments.root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ending) => {
            ending.show();
            ending.status()
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  onedoor dev                     the gateway with mocked upstreams, reloaded when a file changes
  onedoor check                   every mistake of every file at once
  onedoor test                    the project's spec documents, without any network
  onedoor serve --listen [::]:80  the gateway, for production

A project is a folder with `onedoor.toml`, `upstreams/*.toml` and `schema/*.graphql`. Every command
ends with 0 if all went well, with 1 if the project or a query has mistakes, with 2 if it could not
run.";

/// One GraphQL query per screen, one door for every REST service behind it.
#[derive(Debug, Parser)]
#[command(name = "onedoor", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    root: RootArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Dev(dev::Args),
    Check(check::Args),
    Plan(plan::Args),
    Test(spec::Args),
    Schema(schema::Args),
    Token(token::Args),
}

impl Command {
    fn run(&self, root: &RootArgs) -> Result<(), Ending> {
        match self {
            // What runs for long logs as the project's settings say.
            Self::Serve(_) | Self::Dev(_) => {}
            _ => start_logging(LogFormat::Pretty, "error")?,
        }
        match self {
            Self::Serve(args) => serve::run(args, &root.find()?),
            Self::Dev(args) => dev::run(args, &root.find()?),
            Self::Check(args) => check::run(args, &root.find()?),
            Self::Plan(args) => plan::run(args, &root.find()?),
            Self::Test(args) => spec::run(args, root),
            Self::Schema(args) => schema::run(args, root),
            Self::Token(args) => token::run(args, &root.find()?),
        }
    }
}
