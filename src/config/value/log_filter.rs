//! Which log lines are written: a level, or levels by module.

use std::fmt;

use super::{FromText, Mistake, written_as_text};
use crate::config::suggest::nearest;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A level, optionally followed by levels of single modules: `info,onedoor::fetch=debug`. It is in
/// the syntax of `tracing_subscriber::filter::Targets`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromText for LogFilter {
    const EXPECTED: &'static str = "a level such as \"info\", or \"info,onedoor::fetch=debug\"";

    fn from_text(text: &str) -> Result<Self, Mistake> {
        for part in text.split(',') {
            let (target, level) = part.split_once('=').unwrap_or(("", part));
            if part.contains('=') && !is_target(target) {
                return Err(Mistake::new(
                    "a module's path is expected before `=`",
                    "write `module::path=level`, as in `onedoor::fetch=debug`",
                ));
            }
            if !LEVELS.contains(&level) {
                return Err(Mistake::new("this names an unknown log level", advice(level)));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

fn advice(level: &str) -> String {
    match nearest(level, LEVELS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("levels are {}", crate::config::suggest::listed(LEVELS)),
    }
}

fn is_target(target: &str) -> bool {
    target.split("::").all(|segment| {
        !segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

written_as_text!(LogFilter);
