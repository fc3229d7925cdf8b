//! Spec documents: Markdown files that say what clients ask, what the upstreams answer, and what
//! comes out. They are the documentation of a schema and its tests in one.
//!
//! [`Document::parse`] reads one, [`Document::run`] runs it through a whole gateway whose upstreams
//! are the document's own exchanges, and [`run_all`] is `onedoor test`. `tests/spec/README.md` says
//! how a document is written.
//!
//! It knows the gateway from the outside only: HTTP requests in, HTTP responses out, and what
//! arrives at the upstreams.

mod call;
mod command;
mod document;
mod http_text;
mod markdown;
mod plan;
mod pretty;
mod problem;
mod project;
mod reader;
mod report;
mod role;
mod run;
mod snapshot;
mod streamed;
mod suite;
mod upstreams;

pub(super) use command::{Args, run};
pub use document::Document;
pub use problem::DocumentProblem;
pub use project::project_root;
pub use report::{Check, Outcome, Report, Subject};
pub use suite::{Options, Verdict, run_all};
