//! Why a command ends without having done what it was asked, and what the shell learns of it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::observe::LoggingError;

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

    /// Says it, and gives the status that the program ends with.
    pub(super) fn tell(self) -> ExitCode {
        match self {
            Self::NobodyReads => ExitCode::SUCCESS,
            Self::Mistakes => ExitCode::from(1),
            Self::Failed { message, help } => {
                let help = help.map(|help| format!("help: {help}\n")).unwrap_or_default();
                // If standard error is gone, the status alone must do.
                let _ = write!(io::stderr(), "error: {message}\n{help}");
                ExitCode::from(2)
            }
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
