//! A mistake on its way from serde to a `Problem`: what, where, and by which path it was reached.

use std::fmt;
use std::ops::Range;

use serde::de;

use crate::config::problem::{Problem, SourceId};

/// serde's error for settings. The path grows while it unwinds, innermost step first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error {
    message: String,
    help: Option<String>,
    span: Option<Range<usize>>,
    path: Vec<Step>,
    table: Option<usize>,
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// Divides a message from its advice in the one string that serde lets a type report.
const HELP: &str = "\nhelp: ";

/// What a value's own type says about it: the message, and what to do.
pub(crate) struct Mistake {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{HELP}{}", self.message, self.help)
    }
}

impl Error {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span: None, path: Vec::new(), table: None }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Places the error, unless something further in has done so.
    pub(super) fn at(self, span: Range<usize>) -> Self {
        Self { span: self.span.or(Some(span)), ..self }
    }

    /// Notes a step on the way out.
    pub(super) fn under(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// Notes the table in which the innermost key stands, by where it begins.
    pub(super) fn in_table(self, table: &Range<usize>) -> Self {
        Self { table: self.table.or(Some(table.start)), ..self }
    }

    pub(super) fn table(&self) -> usize {
        self.table.unwrap_or_default()
    }

    /// The way from the document's root to the mistaken value.
    pub(super) fn path(&self) -> Vec<Step> {
        self.path.iter().rev().cloned().collect()
    }

    pub(super) fn problem(&self, source: SourceId) -> Problem {
        let span = self.span.clone().unwrap_or_default();
        let problem = Problem::error(source, span, self.message.as_str());
        match &self.help {
            Some(help) => problem.with_help(help.as_str()),
            None => problem,
        }
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(said: T) -> Self {
        let said = said.to_string();
        match said.split_once(HELP) {
            Some((message, help)) => Self::new(message).with_help(help),
            None => Self::new(said),
        }
    }

    /// Says what kind of value stands there and never the value itself: it may be a secret.
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", kind(&found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is missing"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

fn kind<'a>(found: &de::Unexpected<'a>) -> &'a str {
    match found {
        de::Unexpected::Bool(_) => "true or false",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) => "a whole number",
        de::Unexpected::Float(_) => "a number with a fraction",
        de::Unexpected::Str(_) | de::Unexpected::Char(_) | de::Unexpected::Bytes(_) => "a string",
        de::Unexpected::Seq => "a list",
        de::Unexpected::Map => "a table",
        de::Unexpected::Other(kind) => kind,
        _ => "something else",
    }
}
