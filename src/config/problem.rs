//! What is wrong in a project's files, gathered instead of stopping at the first mistake. The type
//! is shared by everything that reads files: settings here, the schema language in `schema`.
//!
//! It knows texts and byte offsets, nothing of TOML, GraphQL or terminals (`render` has those).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// All problems of one reading, together with the files they point into.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    /// The files that were read; every [`Problem::source`] is one of them.
    pub sources: Sources,
    list: Vec<Problem>,
}

/// One mistake or doubt: where, what, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the gateway from starting.
    pub severity: Severity,
    /// The file; `None` where no file is at fault (a directory without settings).
    pub source: Option<SourceId>,
    /// The bytes of that file; an empty range is a point.
    pub span: Range<usize>,
    /// What is wrong. Never holds a secret nor a value taken from the environment.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The gateway does not start.
    Error,
    /// It starts, and probably does not do what was meant.
    Warning,
}

/// A file that was read, or a text that stands for one.
#[derive(Clone)]
pub struct SourceFile {
    /// The path as its user would write it, relative to the project's root.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// The files of one [`Problems`].
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// Names a file of one [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A place as people count it; both begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Problems {
    /// Nothing read, nothing wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Every problem, in the order in which they were found or sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.list.iter()
    }

    /// True if nothing at all was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True if the gateway must not start.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.error_count() > 0
    }

    /// How many errors there are.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warning_count(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Sorts by file (in the order they were added), then by position. Problems without a file
    /// come first.
    pub fn sort(&mut self) {
        self.list.sort_by(|a, b| a.order().cmp(&b.order()));
    }

    /// Adds several problems that point into these sources.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.list.extend(problems);
    }

    /// Takes over another reading's files and problems. Ids of `self` stay valid, those of `other`
    /// do not.
    pub fn merge(&mut self, other: Self) {
        let Self { sources, list } = other;
        let moved_by = self.sources.files.len() as u32;
        self.sources.files.extend(sources.files);
        self.list.extend(list.into_iter().map(|problem| Problem {
            source: problem.source.map(|SourceId(id)| SourceId(id + moved_by)),
            ..problem
        }));
    }

    fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }
}

impl Problem {
    /// An error at a place of a file.
    pub fn error(source: SourceId, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Some(source), span, message.into())
    }

    /// A warning at a place of a file.
    pub fn warning(source: SourceId, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Some(source), span, message.into())
    }

    /// An error that belongs to no file.
    pub fn without_file(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, None, 0..0, message.into())
    }

    /// The same problem with advice.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn new(
        severity: Severity,
        source: Option<SourceId>,
        span: Range<usize>,
        message: String,
    ) -> Self {
        Self { severity, source, span, message, help: None }
    }

    fn order(&self) -> (Option<SourceId>, usize, usize, Severity, &str) {
        (self.source, self.span.start, self.span.end, self.severity, &self.message)
    }
}

impl Sources {
    /// Adds a file and names it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(self.files.len() as u32);
        self.files.push(SourceFile { name: name.into(), text: text.into() });
        id
    }

    /// The file of that name; `None` for an id of other sources.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, in the order they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(n, file)| (SourceId(n as u32), file))
    }

    /// Where a byte offset lies. Past the end of the text it is the end.
    #[must_use]
    pub fn position(&self, id: SourceId, offset: usize) -> Position {
        self.get(id).map_or(Position { line: 1, column: 1 }, |file| file.position(offset))
    }
}

impl SourceFile {
    /// Where a byte offset lies. Past the end of the text it is the end.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..floor_char_boundary(&self.text, offset)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl fmt::Debug for SourceFile {
    /// Without the text, which may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The last character boundary at or before an offset.
pub(crate) fn floor_char_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
