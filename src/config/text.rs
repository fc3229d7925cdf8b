//! A string of a settings file that another module reads further: a template, a path.

use std::fmt;
use std::ops::Range;

use super::problem::{SourceId, Sources};
use super::reader::{Located, verbatim_start};
use super::substitute::Origin;

/// A string and its place, so that a mistake inside it can be shown where it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    text: String,
    source: SourceId,
    span: Range<usize>,
    origin: Origin,
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
            origin: located.place.as_ref().map_or(Origin::Written, |place| place.origin),
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

impl fmt::Debug for Text {
    /// What comes from the environment may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Written => write!(f, "{:?}", self.text),
            Origin::Environment | Origin::Default => f.write_str("***"),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
