//! What running a document came to, check by check, and how people are told.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

/// What running a document came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// The document.
    pub path: PathBuf,
    /// Everything that was looked at, in the document's order.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The request it is about; `None`: the document as a whole.
    pub request: Option<String>,
    /// What was looked at.
    pub subject: Subject,
    /// Where the document speaks of it.
    pub line: usize,
    /// What was found.
    pub outcome: Outcome,
    /// What makes the document say what was found.
    pub(super) edit: Option<Edit>,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// That a gateway can be made of schema and settings.
    Start,
    /// What `onedoor check` says.
    Problems,
    /// What the client gets.
    Response,
    /// Headers of the upstreams' answers that the client gets.
    Returned,
    /// Which calls are made.
    Calls,
    /// The request's plan.
    Plan,
    /// That an exchange answers each call, and each exchange is called.
    Exchanges,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as the document says.
    Passed,
    /// It is something else.
    Differs {
        /// What the document says; `None`: nothing yet.
        expected: Option<String>,
        /// What came out.
        actual: String,
    },
    /// Something is wrong that no snapshot shows. One or several lines.
    Failed(String),
}

/// A change of the document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The bytes that go.
    pub(super) span: Range<usize>,
    /// What comes in their place.
    pub(super) text: String,
}

impl Report {
    /// Whether everything is as the document says.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The checks that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome != Outcome::Passed)
    }

    /// The report on requests whose name holds a text; checks of the whole document stay.
    #[must_use]
    pub fn only(mut self, name: &str) -> Self {
        self.checks.retain(|check| check.request.as_ref().is_none_or(|of| of.contains(name)));
        self
    }

    /// The document's text with what was found in the place of what it says. All other bytes stay.
    /// `None`: there is nothing to change.
    #[must_use]
    pub fn rewritten(&self, text: &str) -> Option<String> {
        let mut edits: Vec<&Edit> =
            self.checks.iter().filter_map(|check| check.edit.as_ref()).collect();
        if edits.is_empty() {
            return None;
        }
        edits.sort_by_key(|edit| edit.span.start);
        let windows = text.contains("\r\n");
        let (mut rewritten, mut done) = (String::with_capacity(text.len()), 0);
        for edit in edits {
            rewritten.push_str(text.get(done..edit.span.start).unwrap_or_default());
            if windows {
                rewritten.push_str(&edit.text.replace('\n', "\r\n"));
            } else {
                rewritten.push_str(&edit.text);
            }
            done = edit.span.end.max(done);
        }
        rewritten.push_str(text.get(done..).unwrap_or_default());
        Some(rewritten)
    }

    /// The report once the document was rewritten: what is left that no rewriting mends.
    #[must_use]
    pub fn after_rewriting(mut self) -> Self {
        for check in &mut self.checks {
            if check.edit.take().is_some() {
                check.outcome = Outcome::Passed;
            }
        }
        self
    }

    /// Every failure in words, with its place in the document. Empty if there is none.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let failures = self.failures().map(|check| check.render(&self.path, colour));
        failures.collect::<Vec<_>>().join("\n")
    }
}

impl Check {
    /// What the document says otherwise once it is rewritten, in a few words; `None`: nothing.
    #[must_use]
    pub fn change(&self) -> Option<String> {
        self.edit.as_ref().map(|_| match &self.outcome {
            Outcome::Differs { expected: None, .. } => {
                format!("{}{}, for the first time", self.about(), self.subject.name())
            }
            _ => format!("{}{}", self.about(), self.subject.name()),
        })
    }

    /// Whether rewriting the document makes it pass.
    #[must_use]
    pub fn can_be_rewritten(&self) -> bool {
        self.edit.is_some()
    }

    /// `"one user": `
    fn about(&self) -> String {
        self.request.as_ref().map_or(String::new(), |request| format!("\"{request}\": "))
    }

    fn render(&self, path: &Path, colour: bool) -> String {
        let mut text = format!("{}:{}: {}", path.display(), self.line, self.about());
        let name = self.subject.name();
        match &self.outcome {
            Outcome::Passed => {}
            Outcome::Failed(message) => {
                let mut lines = message.lines();
                text.push_str(lines.next().unwrap_or_default());
                text.push('\n');
                for line in lines {
                    let indent = if line.is_empty() { "" } else { "    " };
                    let _ = writeln!(text, "{indent}{line}");
                }
            }
            Outcome::Differs { expected: None, actual } => {
                let _ = writeln!(text, "the document shows no {name} yet\n");
                text.push_str(&diff("", actual, colour));
            }
            Outcome::Differs { expected: Some(expected), actual } => {
                let other = if self.subject.is_one() { "another" } else { "other" };
                let _ = writeln!(text, "{other} {name} (- document, + gateway)\n");
                text.push_str(&diff(expected, actual, colour));
            }
        }
        text
    }
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "gateway",
            Self::Problems => "problems",
            Self::Response => "response",
            Self::Returned => "returned headers",
            Self::Calls => "upstream calls",
            Self::Plan => "plan",
            Self::Exchanges => "exchanges",
        }
    }

    fn is_one(self) -> bool {
        matches!(self, Self::Start | Self::Response | Self::Plan)
    }
}

/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;

fn diff(expected: &str, actual: &str, colour: bool) -> String {
    let diff = TextDiff::from_lines(expected, actual);
    let mut text = String::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            text.push_str("    …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, paint) = match change.tag() {
                ChangeTag::Equal => (' ', ""),
                ChangeTag::Delete => ('-', "\x1b[31m"),
                ChangeTag::Insert => ('+', "\x1b[32m"),
            };
            let line = format!("{sign} {}", change.value().trim_end_matches('\n'));
            let line = line.trim_end();
            let _ = match (colour, paint) {
                (true, paint) if !paint.is_empty() => writeln!(text, "    {paint}{line}\x1b[0m"),
                _ => writeln!(text, "    {line}"),
            };
        }
    }
    text
}
