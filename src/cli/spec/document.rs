//! A document, read: what stands behind the gateway, and the requests with what they come to.

use std::path::{Path, PathBuf};

use http::header::HeaderMap;
use serde_json::Map;

use crate::config::ServiceName;
use crate::gateway::Mode;

use super::http_text::{Answer, Pattern};
use super::problem::DocumentProblem;
use super::reader;
use super::role::Head;

/// A spec document, read and free of mistakes of form.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it is, as whoever asked for it wrote it.
    pub(super) path: PathBuf,
    /// Its whole text.
    pub(super) text: String,
    /// How the gateway is started.
    pub(super) mode: Mode,
    /// Files of the schema; none: the project's.
    pub(super) schema: Vec<File>,
    /// Settings files.
    pub(super) settings: Vec<File>,
    /// The environment.
    pub(super) env: Vec<(String, String)>,
    /// What upstreams answer.
    pub(super) exchanges: Vec<Exchange>,
    /// What clients ask, in turn.
    pub(super) requests: Vec<Request>,
    /// What is wrong with schema and settings.
    pub(super) check: Option<Snapshot>,
}

/// A file that a block stands for.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its name relative to a project's root.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    /// Where in the document the text begins.
    pub(super) line: usize,
}

/// The headings around a place, from the outermost.
pub(super) type Section = Vec<usize>;

/// A call and its answer.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// Who is called.
    pub(super) upstream: ServiceName,
    /// What is called.
    pub(super) pattern: Pattern,
    /// What it answers.
    pub(super) answer: Answer,
    /// Requests of this section and those within it can make the call.
    pub(super) section: Section,
    /// Where it stands.
    pub(super) line: usize,
}

/// A request of a client and what it comes to.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Its name: its own, or the heading's.
    pub(super) name: String,
    /// The GraphQL document.
    pub(super) query: String,
    /// The operation to run, if it is named.
    pub(super) operation: Option<String>,
    /// The variables: any JSON.
    pub(super) variables: Option<String>,
    /// The claims of its token; `None`: it has none.
    pub(super) claims: Option<Map<String, serde_json::Value>>,
    /// The client's headers.
    pub(super) headers: HeaderMap,
    /// What the client gets: one response, or those of a stream or of an answer in parts.
    pub(super) responses: Vec<(Head, Snapshot)>,
    /// Headers of the upstreams' answers that the client gets.
    pub(super) returned: Option<Snapshot>,
    /// The upstream calls it makes.
    pub(super) calls: Option<Snapshot>,
    /// Its plan.
    pub(super) plan: Option<Snapshot>,
    /// Where it stands among headings.
    pub(super) section: Section,
    /// Its line.
    pub(super) line: usize,
    /// The end of the last block that says what is asked: the response goes below it.
    pub(super) asked: usize,
}

/// A block that shows what came out.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// What it shows.
    pub(super) text: String,
    /// Its line.
    pub(super) line: usize,
    /// Its bytes, fences included.
    pub(super) span: std::ops::Range<usize>,
    /// Its fence.
    pub(super) fence: String,
}

impl Request {
    /// Where what came out goes on: below the last response, or below what is asked.
    pub(super) fn answered(&self) -> usize {
        self.responses.last().map_or(self.asked, |(_, snapshot)| snapshot.span.end)
    }
}

impl Exchange {
    /// `orders GET /orders?userId=1`.
    pub(super) fn call_line(&self) -> String {
        format!("{} {} {}", self.upstream, self.pattern.method, self.pattern.target)
    }
}

impl Document {
    /// Reads a document. The path is for messages, and tells which project the document is in.
    ///
    /// # Errors
    /// All mistakes of form, by line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<DocumentProblem>> {
        reader::read(path, text)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its requests.
    pub fn requests(&self) -> impl ExactSizeIterator<Item = &str> {
        self.requests.iter().map(|request| request.name.as_str())
    }

    /// Whether it leaves the schema to the project it is in.
    #[must_use]
    pub fn needs_project(&self) -> bool {
        self.schema.is_empty()
    }
}
