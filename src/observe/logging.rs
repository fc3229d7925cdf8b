//! Where logs go and how they look: always standard error, so that standard output stays free for
//! what commands print.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `Pretty` on a terminal, else `Json`.
    #[default]
    Auto,
    /// For people. Coloured on a terminal only, and not if `NO_COLOR` is set.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not one.
    #[error("`{text}` is no log filter: write a level (`info`) or `target=level` pairs")]
    Filter {
        /// What was written.
        text: String,
        /// Why it is none.
        source: ParseError,
    },
    /// The process logs already.
    #[error("logging was started twice")]
    Twice(#[from] TryInitError),
}

/// Starts logging for the whole process.
///
/// `filter` is a level (`info`) or pairs of target and level (`onedoor=debug,hyper=warn`). The
/// environment variable `RUST_LOG`, where set and not empty, stands in its place.
///
/// # Errors
/// If the filter is not one, or if the process logs already.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let filter = parse_filter(from_environment.as_deref().unwrap_or(filter))?;
    let terminal = io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let layer = match (format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        (LogFormat::Pretty, _) | (LogFormat::Auto, true) => {
            let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
            layer.with_ansi(colour).with_target(false).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init()?;
    Ok(())
}

fn parse_filter(text: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(text)
        .map_err(|source| LoggingError::Filter { text: text.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_level_or_pairs_of_target_and_level() {
        for good in ["info", "onedoor=debug,hyper=warn", "off", ""] {
            assert!(parse_filter(good).is_ok(), "{good:?}");
        }
        let error = parse_filter("onedoor=loud").expect_err("`loud` is no level");
        assert!(error.to_string().contains("`onedoor=loud`"), "{error}");
    }
}
