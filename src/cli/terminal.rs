//! What is shown, and where: output on standard output, all else on standard error; colours for
//! terminals only.

use std::io::{self, IsTerminal, Write as _};

use crate::config::Problems;

/// Writes output, at once.
///
/// # Errors
/// If it cannot be written; whoever reads may have gone.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Shows a word beside the output. If standard error is gone there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Shows problems, each with its source line.
pub(super) fn show(problems: &Problems) {
    say(&problems.render(is_colourful(&io::stderr())));
}

/// Shows problems, each in one line.
pub(super) fn show_briefly(problems: &Problems) {
    say(&problems.lines());
}

/// Whether colours are welcome: on a terminal that knows them, unless `NO_COLOR` is set
/// (no-color.org).
pub(super) fn is_colourful(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
