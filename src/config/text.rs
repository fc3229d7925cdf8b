//! A string of a settings file that another module reads further: a template, a path.

use std::fmt;
use std::ops::Range;

use super::problem::{SourceId, Sources};
use super::reader::{Located, verbatim_start};

/// A string and its place, so that a mistake inside it can be shown where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    text: String,
    source: SourceId,
    span: Range<usize>,
    /// Where the string's first byte stands, if the file holds it just as it is.
    start: Option<usize>,
}

impl Text {
    pub(crate) fn new(located: &Located<String>, source: SourceId, sources: &Sources) -> Self {
        let span = located.span();
        let file = sources.get(source).map_or("", |file| &*file.text);
        Self {
            text: located.value.clone(),
            source,
            start: verbatim_start(file, span.clone(), &located.value),
            span,
        }
    }

    /// The string, variables filled in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The file it stands in.
    #[must_use]
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The whole literal, quotes included.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where a part of the string stands in the file. Where escapes or variables have moved it,
    /// the whole literal.
    #[must_use]
    pub fn span_of(&self, part: Range<usize>) -> Range<usize> {
        match self.start {
            Some(start) => start + part.start..start + part.end,
            None => self.span(),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
