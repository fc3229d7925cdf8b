//! `onedoor schema`: the contract with clients, and what editors need to help with the files.

use clap::ValueEnum;

use crate::config::{SettingsFile, settings_json_schema};
use crate::schema::directives_sdl;

use super::ending::Ending;
use super::root::RootArgs;
use super::terminal::print;

const EXAMPLES: &str = "\
Examples:
  onedoor schema > schema.graphql                      what clients may ask for, without directives
  onedoor schema --directives > onedoor.graphql        for editors of `schema/*.graphql`
  onedoor schema --settings > onedoor.schema.json      for editors of `onedoor.toml`
  onedoor schema --settings upstream > upstream.schema.json";

/// Print the schema that clients see
///
/// It is the GraphQL of `schema/` in one, without any trace of upstreams. With `--directives` or
/// `--settings` no project is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The definitions of the directives (`@rest`, `@ref`, ..) instead
    #[arg(long, conflicts_with = "settings")]
    directives: bool,
    /// The JSON Schema of a settings file instead
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "gateway")]
    settings: Option<Settings>,
}

/// A kind of settings file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Settings {
    /// `onedoor.toml`
    Gateway,
    /// `upstreams/*.toml`
    Upstream,
}

/// Prints it.
///
/// # Errors
/// If the project has mistakes.
pub(super) fn run(args: &Args, root: &RootArgs) -> Result<(), Ending> {
    let text = match args.settings {
        Some(settings) => settings_schema(settings),
        None if args.directives => directives_sdl().to_owned(),
        None => root.find()?.load()?.0.catalog.public_sdl(),
    };
    Ok(print(&text)?)
}

fn settings_schema(settings: Settings) -> String {
    let schema = settings_json_schema(match settings {
        Settings::Gateway => SettingsFile::Gateway,
        Settings::Upstream => SettingsFile::Upstream,
    });
    format!("{schema:#}\n")
}
