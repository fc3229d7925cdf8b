//! From Markdown to a [`Document`], with every mistake of form.

use std::path::Path;

use crate::config::suggest::nearest;
use crate::gateway::Mode;
use crate::json::Body;

use super::document::{Document, Exchange, File, Request, Section, Snapshot};
use super::http_text;
use super::markdown::{self, Fenced, Heading, Part};
use super::problem::DocumentProblem;
use super::role::Role;

pub(super) fn read(path: &Path, text: &str) -> Result<Document, Vec<DocumentProblem>> {
    let mut reader = Reader::new(path, text);
    for part in markdown::parts(text) {
        match part {
            Part::FrontMatter(block) => reader.front_matter(&block),
            Part::Heading(heading) => reader.heading(heading),
            Part::Block(block) => reader.block(block),
        }
    }
    reader.finish()
}

/// Whether a text asks anything, so that it is meant as a document.
pub(super) fn asks(text: &str) -> bool {
    markdown::parts(text).iter().any(|part| match part {
        Part::Block(block) => matches!(
            Role::parse(&block.info, block.line),
            Some(Ok(Role::Request { .. } | Role::Check))
        ),
        Part::FrontMatter(_) | Part::Heading(_) => false,
    })
}

struct Reader {
    document: Document,
    problems: Vec<DocumentProblem>,
    /// The headings around the current place: number, level, text.
    headings: Vec<(usize, usize, String)>,
    n_headings: usize,
}

impl Reader {
    fn new(path: &Path, text: &str) -> Self {
        let document = Document {
            path: path.to_owned(),
            text: text.to_owned(),
            mode: Mode::Serve,
            schema: Vec::new(),
            settings: Vec::new(),
            env: Vec::new(),
            exchanges: Vec::new(),
            requests: Vec::new(),
            check: None,
        };
        Self { document, problems: Vec::new(), headings: Vec::new(), n_headings: 0 }
    }

    fn wrong(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(DocumentProblem::new(line, message));
    }

    /// `mode: dev`. Other lines are for whatever else reads the file.
    fn front_matter(&mut self, block: &Fenced) {
        for (at, line) in block.text.lines().enumerate() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let line = block.line + 1 + at;
            match (name.trim(), value.trim()) {
                ("mode", "dev") => self.document.mode = Mode::Dev,
                ("mode", "serve") => self.document.mode = Mode::Serve,
                ("mode", other) => {
                    self.wrong(line, format!("the mode is `dev` or `serve`, not `{other}`"));
                }
                (name, _) if nearest(name, ["mode"]).is_some() => {
                    let problem = DocumentProblem::new(line, format!("there is no `{name}`"));
                    self.problems.push(problem.help("did you mean `mode`?"));
                }
                _ => {}
            }
        }
    }

    fn heading(&mut self, heading: Heading) {
        self.headings.retain(|(_, level, _)| *level < heading.level);
        self.headings.push((self.n_headings, heading.level, heading.text));
        self.n_headings += 1;
    }

    fn section(&self) -> Section {
        self.headings.iter().map(|(number, ..)| *number).collect()
    }

    fn block(&mut self, block: Fenced) {
        let role = match Role::parse(&block.info, block.line) {
            None => return,
            Some(Err(problem)) => return self.problems.push(problem),
            Some(Ok(role)) => role,
        };
        if !block.at_margin {
            let problem = DocumentProblem::new(block.line, "this block is in a list or quotation");
            return self.problems.push(problem.help("blocks begin at the left margin"));
        }
        if !block.closed {
            return self.wrong(block.line, "this block has no end");
        }
        match role {
            Role::Schema(name) => self.schema(name, block),
            Role::Settings(name) => self.settings(name, block),
            Role::Env => self.env(&block),
            Role::Exchange(upstream) => match http_text::exchange(&block.text, block.line + 1) {
                Ok((pattern, answer)) => {
                    let (section, line) = (self.section(), block.line);
                    let exchange = Exchange { upstream, pattern, answer, section, line };
                    self.document.exchanges.push(exchange);
                }
                Err(problems) => self.problems.extend(problems),
            },
            Role::Request { name, operation } => self.request(name, operation, block),
            Role::Check => {
                if let Some(first) = &self.document.check {
                    let message = format!("there is a `check` already, in line {}", first.line);
                    return self.wrong(block.line, message);
                }
                self.document.check = Some(snapshot(block));
            }
            role => self.part_of_request(role, block),
        }
    }

    fn schema(&mut self, name: Option<String>, block: Fenced) {
        let unnamed = match self.document.schema.len() {
            0 => "schema.graphql".to_owned(),
            n => format!("schema-{}.graphql", n + 1),
        };
        let name = name.unwrap_or(unnamed);
        if self.document.schema.iter().any(|file| file.name == name) {
            return self.wrong(block.line, format!("there is a schema file `{name}` already"));
        }
        self.document.schema.push(File { name, text: block.text, line: block.line + 1 });
    }

    fn settings(&mut self, name: String, block: Fenced) {
        if self.document.settings.iter().any(|file| file.name == name) {
            return self.wrong(block.line, format!("there is a `{name}` already"));
        }
        self.document.settings.push(File { name, text: block.text, line: block.line + 1 });
    }

    /// `NAME=value`, a line each.
    fn env(&mut self, block: &Fenced) {
        for (at, line) in block.text.lines().enumerate() {
            match line.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    self.document.env.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ if line.trim().is_empty() => {}
                _ => {
                    let message = format!("`{line}` is not `NAME=value`");
                    self.wrong(block.line + 1 + at, message);
                }
            }
        }
    }

    fn request(&mut self, name: Option<String>, operation: Option<String>, block: Fenced) {
        let heading = self.headings.last().map(|(_, _, text)| text.clone());
        let name = name.or(heading).unwrap_or_else(|| "request".to_owned());
        let taken = |name: &str| self.document.requests.iter().any(|other| other.name == name);
        let unique = if taken(&name) {
            let numbered = (2..).map(|n| format!("{name} ({n})"));
            numbered.into_iter().find(|name| !taken(name)).unwrap_or_default()
        } else {
            name
        };
        let request = Request {
            name: unique,
            query: block.text,
            operation,
            variables: None,
            claims: None,
            headers: http::HeaderMap::new(),
            responses: Vec::new(),
            returned: None,
            calls: None,
            plan: None,
            section: self.section(),
            line: block.line,
            asked: block.span.end,
        };
        self.document.requests.push(request);
    }

    /// A block that belongs to the request above it.
    fn part_of_request(&mut self, role: Role, block: Fenced) {
        let Some(request) = self.document.requests.last_mut() else {
            let problem = DocumentProblem::new(block.line, "there is no request above this block");
            return self.problems.push(problem.help("a ```graphql request goes before it"));
        };
        let taken = match &role {
            Role::Variables => request.variables.is_some(),
            Role::Claims => request.claims.is_some(),
            Role::Headers => !request.headers.is_empty(),
            Role::Response(_) => request.responses.iter().any(|(head, _)| !head.is_streamed()),
            Role::Returned => request.returned.is_some(),
            Role::Calls => request.calls.is_some(),
            _ => request.plan.is_some(),
        };
        if taken {
            let message = format!("\"{}\" has such a block already", request.name);
            let problem = DocumentProblem::new(block.line, message);
            return self.problems.push(problem.help("a ```graphql request begins another one"));
        }
        if matches!(role, Role::Variables | Role::Claims | Role::Headers) {
            request.asked = block.span.end;
        }
        let result = match role {
            Role::Variables => json(&block).map(|_| request.variables = Some(block.text)),
            Role::Claims => claims(&block).map(|claims| request.claims = Some(claims)),
            Role::Headers => http_text::client_headers(&block.text, block.line + 1)
                .map(|headers| request.headers = headers),
            Role::Response(head) => {
                response(&block).map(|()| request.responses.push((head, snapshot(block))))
            }
            Role::Returned => {
                request.returned = Some(snapshot(block));
                Ok(())
            }
            Role::Calls => {
                request.calls = Some(snapshot(block));
                Ok(())
            }
            _ => {
                request.plan = Some(snapshot(block));
                Ok(())
            }
        };
        self.problems.extend(result.err().unwrap_or_default());
    }

    fn finish(mut self) -> Result<Document, Vec<DocumentProblem>> {
        let Self { document, problems, .. } = &mut self;
        for request in &document.requests {
            if request.claims.is_some() && request.headers.contains_key("authorization") {
                let message =
                    format!("\"{}\" has claims and an authorization header", request.name);
                let problem = DocumentProblem::new(request.line, message);
                problems.push(problem.help("claims are sent as a token: leave one of them out"));
            }
        }
        if document.requests.is_empty() && document.check.is_none() && problems.is_empty() {
            let problem = DocumentProblem::new(1, "this document asks nothing");
            problems.push(problem.help("add a ```graphql request or a ```text check"));
        }
        problems.sort_by_key(|problem| problem.line);
        if problems.is_empty() { Ok(self.document) } else { Err(self.problems) }
    }
}

fn snapshot(block: Fenced) -> Snapshot {
    let Fenced { text, line, span, fence, .. } = block;
    Snapshot { text, line, span, fence }
}

fn json(block: &Fenced) -> Result<Body, Vec<DocumentProblem>> {
    Body::parse(block.text.clone().into()).map_err(|invalid| {
        let before = block.text.as_bytes().get(..invalid.offset).unwrap_or_default();
        let line = block.line + 1 + before.iter().filter(|byte| **byte == b'\n').count();
        vec![DocumentProblem::new(line, format!("this is not JSON: {}", invalid.reason))]
    })
}

fn claims(
    block: &Fenced,
) -> Result<serde_json::Map<String, serde_json::Value>, Vec<DocumentProblem>> {
    json(block)?;
    serde_json::from_str(&block.text).map_err(|_| {
        let problem = DocumentProblem::new(block.line, "claims are a JSON object");
        vec![problem.help("as in `{\"sub\": \"7\"}`")]
    })
}

/// An empty response is one that `--update` fills in.
fn response(block: &Fenced) -> Result<(), Vec<DocumentProblem>> {
    if block.text.trim().is_empty() { Ok(()) } else { json(block).map(|_| ()) }
}
