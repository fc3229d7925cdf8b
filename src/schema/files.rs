//! The files of a schema: from the parser's positions to places in them.

use std::ops::Range;

use apollo_compiler::Node;
use apollo_compiler::ast::Value;
use apollo_compiler::collections::HashMap;
use apollo_compiler::parser::{FileId, SourceMap, SourceSpan};

use super::text::Text;
use crate::config::{Problem, SourceFile, SourceId, Sources};

/// Bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: SourceId,
    pub(super) span: Range<usize>,
}

impl Place {
    pub(super) fn error(&self, message: impl Into<String>) -> Problem {
        Problem::error(self.source, self.span.clone(), message)
    }

    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        Problem::warning(self.source, self.span.clone(), message)
    }
}

/// The files, by the parser's names for them.
#[derive(Debug)]
pub(super) struct Files {
    known: HashMap<FileId, (SourceId, SourceFile)>,
}

impl Files {
    /// Matches the parser's files with `sources`, which were parsed in this order after the
    /// directive definitions. What the parser or the gateway itself brings has no place.
    pub(super) fn new(parsed: &SourceMap, sources: &Sources) -> Self {
        let known = parsed
            .iter()
            .filter(|(id, _)| **id != FileId::BUILT_IN)
            .skip(1)
            .zip(sources.iter())
            .map(|((id, _), (source, file))| (*id, (source, file.clone())))
            .collect();
        Self { known }
    }

    /// Where a node stands.
    pub(super) fn place(&self, span: Option<SourceSpan>) -> Option<Place> {
        let span = span?;
        let (source, file) = self.known.get(&span.file_id())?;
        let end = span.end_offset().min(file.text.len());
        let start = span.offset().min(end);
        let written = file.text.get(start..end).map_or(0, |text| text.trim_end().len());
        Some(Place { source: *source, span: start..start + written })
    }

    /// The file's bytes at a place.
    pub(super) fn written(&self, place: &Place) -> &str {
        let text = self.file(place).and_then(|file| file.text.get(place.span.clone()));
        text.unwrap_or_default()
    }

    /// `schema/user.graphql:3:1`.
    pub(super) fn in_words(&self, place: &Place) -> String {
        self.file(place).map_or_else(String::new, |file| {
            format!("{}:{}", file.name, file.position(place.span.start))
        })
    }

    fn file(&self, place: &Place) -> Option<&SourceFile> {
        let found = self.known.values().find(|(source, _)| *source == place.source);
        found.map(|(_, file)| file)
    }

    /// A string value; `None` for other values.
    pub(super) fn text(&self, node: &Node<Value>) -> Option<Text> {
        let place = self.place(node.location())?;
        let Value::String(value) = &**node else { return None };
        Some(Text::new(value, self.written(&place), place))
    }
}
