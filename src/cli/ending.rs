//! Why a command ends without having done what it was asked, and what the shell learns of it.

use std::io;
use std::process::ExitCode;

use crate::observe::LoggingError;

use super::terminal;

/// An end before the aim.
#[derive(Debug)]
pub(super) enum Ending {
    /// The project or a query has mistakes. They were shown already.
    Mistakes,
    /// The command could not run.
    Failed {
        /// One sentence without its stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// Whoever read the output has read enough: `onedoor schema | head`.
    NobodyReads,
}

impl Ending {
    /// The command could not run.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: None }
    }

    /// The same with advice.
    pub(super) fn with_help(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, .. } => Self::Failed { message, help: Some(advice.into()) },
            other => other,
        }
    }

    /// Says it, where that was not done yet.
    pub(super) fn show(&self) {
        if let Self::Failed { message, help } = self {
            let help = help.as_ref().map(|help| format!("help: {help}\n")).unwrap_or_default();
            terminal::say(&format!("error: {message}\n{help}"));
        }
    }

    /// The status that the program ends with.
    pub(super) fn status(&self) -> ExitCode {
        match self {
            Self::NobodyReads => ExitCode::SUCCESS,
            Self::Mistakes => ExitCode::from(1),
            Self::Failed { .. } => ExitCode::from(2),
        }
    }
}

/// Of writing output.
impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::failed(format!("the output cannot be written: {error}")),
        }
    }
}

impl From<LoggingError> for Ending {
    fn from(error: LoggingError) -> Self {
        Self::failed(error.to_string()).with_help("it stands in `RUST_LOG`")
    }
}
