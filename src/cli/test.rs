//! `onedoor test`: spec documents, run without any network.

use std::io;
use std::path::PathBuf;

use super::ending::Ending;
use super::root::RootArgs;
use super::spec::{self, Verdict};
use super::terminal;

const EXAMPLES: &str = "\
Examples:
  onedoor test                          every document of the project
  onedoor test tests/spec/11-*.md
  onedoor test --filter dashboard       of those, what is about the dashboard
  onedoor test --update                 where the gateway is right and the document is not

A document is Markdown: it says what a client asks, what the upstreams answer, and what comes out.";

/// Run spec documents
///
/// It ends with 1 if something comes out that no document says, with 2 if a document cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Documents, and folders to look for them in [default: the project's folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rewrite the documents to say what came out
    #[arg(long)]
    update: bool,
    /// Only documents and requests with this text in their name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Runs them and tells what came of it.
///
/// # Errors
/// If not everything is as they say, which was told.
pub(super) fn run(args: &Args, root: &RootArgs) -> Result<(), Ending> {
    let paths = match args.paths.as_slice() {
        [] => vec![root.find()?.path().to_path_buf()],
        named => named.to_vec(),
    };
    let mut out = io::stdout();
    let options = spec::Options {
        update: args.update,
        filter: args.filter.clone(),
        colour: terminal::is_colourful(&out),
    };
    match spec::run_all(&paths, &options, &mut out)? {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Err(Ending::Mistakes),
        Verdict::Unreadable => Err(Ending::failed("not everything could be run")),
    }
}
