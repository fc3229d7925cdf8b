//! `onedoor check`: every mistake of every file of a project at once, nothing started.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::config::{Problems, ProcessEnv};
use crate::gateway::Project;

use super::ending::Ending;
use super::mocked;
use super::query::Query;
use super::root::Root;
use super::size::{Size, counted};
use super::terminal;

const EXAMPLES: &str = "\
Examples:
  onedoor check
  onedoor check examples/queries/*.graphql     the queries of an app too
  onedoor check --format short                 one line a mistake: file:line:column: ..
  onedoor check --format json > report.json

Mistakes are shown on standard error, the summary of a project without any on standard output. With
`--format json` the whole report is on standard output.";

/// Check a project: settings, schema, mock data, and queries
///
/// It ends with 1 if there are errors; warnings alone leave it at 0.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// GraphQL documents to validate against the schema
    #[arg(value_name = "QUERY")]
    queries: Vec<PathBuf>,
    /// How mistakes are told
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// With the line of the file
    #[default]
    Text,
    /// One line each
    Short,
    /// An object for programs
    Json,
}

/// Checks and reports.
///
/// # Errors
/// If there are mistakes, which were shown, or a query cannot be read.
pub(super) fn run(args: &Args, root: &Root) -> Result<(), Ending> {
    let queries = args.queries.iter().map(|path| Query::read(path));
    let queries = queries.collect::<Result<Vec<_>, _>>()?;
    let (project, mut problems) =
        Project::load_with(root.path(), &ProcessEnv, |draft, problems| {
            mocked::read(root.path(), draft, problems);
        });
    if let Some(project) = &project {
        for query in &queries {
            if let Err(errors) = query.parse(project) {
                query.report(errors, &mut problems);
            }
        }
    }
    report(args.format, &problems)?;
    if project.is_none() && !queries.is_empty() {
        terminal::say("the queries were not checked: that needs a project without mistakes\n");
    }
    match project {
        Some(project) if !problems.has_errors() => match args.format {
            Format::Json => Ok(()),
            Format::Text | Format::Short => {
                Ok(terminal::print(&summary(&project, queries.len(), &problems))?)
            }
        },
        _ => Err(Ending::Mistakes),
    }
}

fn report(format: Format, problems: &Problems) -> Result<(), Ending> {
    match format {
        Format::Text => terminal::show(problems),
        Format::Short => terminal::show_briefly(problems),
        Format::Json => terminal::print(&format!("{:#}\n", problems.to_json()))?,
    }
    Ok(())
}

/// `3 upstreams, 12 types, 41 fields, 9 requests, 7 queries: no mistakes`
fn summary(project: &Project, queries: usize, problems: &Problems) -> String {
    let size = Size::of(project);
    let queries = match queries {
        0 => String::new(),
        n => format!(", {}", counted(n, "query", "queries")),
    };
    let warnings = match problems.warning_count() {
        0 => String::new(),
        n => format!(", {}", counted(n, "warning", "warnings")),
    };
    format!("{size}{queries}: no mistakes{warnings}\n")
}
