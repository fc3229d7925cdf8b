//! `onedoor test`: spec documents, run without any service.

use std::io;
use std::path::PathBuf;

use crate::cli::ending::Ending;
use crate::cli::root::RootArgs;
use crate::cli::terminal::is_colourful;

use super::suite::{Options, Verdict, run_all};

const EXAMPLES: &str = "\
Examples:
  onedoor test                               the documents in the project's `spec` or `tests/spec`
  onedoor test spec/orders.md
  onedoor test --filter \"no such order\"      by a part of the path, or of a request's name
  onedoor test --update                      documents say what comes out; look at the difference

It ends with 0 if everything is as the documents say, with 1 if not, with 2 if one cannot be read.";

/// Run spec documents: requests and what comes of them, with upstreams that the document plays
///
/// No service is needed, and nothing leaves the process.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Documents, and folders of documents
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rewrite documents to say what came out
    #[arg(long)]
    update: bool,
    /// Only documents and requests with this in their name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// The folders of documents below a project's root, of which the first that is there counts.
const FOLDERS: [&str; 2] = ["spec", "tests/spec"];

/// Runs and reports.
///
/// # Errors
/// If something is not as the documents say, which was shown, or a document cannot be read.
pub(in crate::cli) fn run(args: &Args, root: &RootArgs) -> Result<(), Ending> {
    let mut paths = args.paths.clone();
    if paths.is_empty() {
        let root = root.find()?;
        let folder =
            FOLDERS.iter().map(|folder| root.path().join(folder)).find(|path| path.is_dir());
        paths.push(folder.ok_or_else(|| {
            Ending::failed("the project has no folder `spec` or `tests/spec`")
                .with_help("name the documents: `onedoor test docs/orders.md`")
        })?);
    }
    let mut out = io::stdout().lock();
    let colour = is_colourful(&out);
    let options = Options { update: args.update, filter: args.filter.clone(), colour };
    match run_all(&paths, &options, &mut out)? {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Err(Ending::Mistakes),
        Verdict::Unreadable => Err(Ending::failed("not every document could be run")),
    }
}
