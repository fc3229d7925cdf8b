//! GraphQL documents of the disk: read, checked against the project's schema, and their mistakes
//! shown where they are.

use std::fs;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Limits, Problem, Problems, SourceId};
use crate::failure::Code;
use crate::gateway::Project;
use crate::plan::{self, Document, Location, RequestError};

use super::ending::Ending;

/// A document's text and what its file is called.
#[derive(Debug)]
pub(super) struct Query {
    /// The path as it was given.
    pub(super) name: String,
    /// The text.
    pub(super) text: Arc<str>,
}

impl Query {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, Ending> {
        let name = path.display().to_string();
        let text = if name == "-" { read_input() } else { fs::read_to_string(path) };
        match text {
            Ok(text) => Ok(Self { name, text: text.into() }),
            Err(error) => Err(Ending::failed(format!("`{name}` cannot be read: {error}"))),
        }
    }

    /// The document, if it is valid for the project's schema.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(&self, project: &Project) -> Result<Document, Vec<RequestError>> {
        Document::parse(&project.catalog, &self.text, &limits(&project.config.limits), true)
    }

    /// Adds errors of this document to problems, and with them the file.
    pub(super) fn report(&self, errors: Vec<RequestError>, problems: &mut Problems) {
        let source = problems.sources.add(self.name.clone(), Arc::clone(&self.text));
        problems.extend(errors.into_iter().map(|error| self.problem(error, source)));
    }

    fn problem(&self, error: RequestError, source: SourceId) -> Problem {
        let place = error.locations.first().map_or(0..0, |first| self.span(*first));
        let help = match error.failure.code {
            Code::OperationResolutionFailed => Some("`--operation NAME` chooses one".to_owned()),
            Code::BadUserInput => Some("`--variables` gives them".to_owned()),
            _ => None,
        };
        Problem { help, ..Problem::error(source, place, error.failure.message) }
    }

    /// The name at a place, or the place alone.
    fn span(&self, location: Location) -> Range<usize> {
        let start = self.offset(location);
        let rest = self.text.get(start..).unwrap_or_default();
        let begins = usize::from(rest.starts_with(['$', '@']));
        let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let name = rest.bytes().skip(begins).take_while(of_name).count();
        start..start + begins + name
    }

    /// Line ends are those of GraphQL (specification section 2.1.3).
    fn offset(&self, Location { line, column }: Location) -> usize {
        let mut before = 0;
        for _ in 1..line {
            let rest = self.text.get(before..).unwrap_or_default();
            let Some(end) = rest.find(['\n', '\r']) else { break };
            let ending = rest.get(end..).unwrap_or_default();
            before += end + if ending.starts_with("\r\n") { 2 } else { 1 };
        }
        let line = self.text.get(before..).unwrap_or_default();
        let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
        before + line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset)
    }
}

/// What the settings allow a document.
fn limits(limits: &Limits) -> plan::Limits {
    plan::Limits {
        tokens: limits.query_tokens.get() as usize,
        nesting: limits.query_nesting.get() as usize,
        fields: limits.plan_fields.get() as usize,
    }
}

fn read_input() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_found_in_the_text_whatever_ends_its_lines() {
        let query = Query { name: String::new(), text: "{\r\n a\r  $bç: é\n}".into() };
        let found = |line, column| {
            let span = query.span(Location { line, column });
            query.text.get(span).expect("on character boundaries")
        };
        assert_eq!(found(2, 2), "a");
        assert_eq!(found(3, 3), "$b");
        assert_eq!(found(4, 1), "", "the closing brace is no name");
        assert_eq!(query.span(Location { line: 3, column: 7 }).start, 13, "after a wide character");
        assert_eq!(query.span(Location { line: 9, column: 9 }), 18..18, "past the end is the end");
    }
}
