//! Runs a document: a whole gateway over services that answer as the document says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::Full;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use crate::cache::Clock;
use crate::config::{self, JwtIssuer};
use crate::gateway::{Gateway, Project};
use crate::identity;
use crate::json::write_string;

use super::call::{Call, body_text};
use super::document::{Document, Request, Snapshot};
use super::plan;
use super::problem::DocumentProblem;
use super::project::{self, Loaded};
use super::report::{Check, Edit, Outcome, Report, Subject};
use super::role::{Head, MEDIA};
use super::snapshot;
use super::streamed;
use super::upstreams::{Undeclared, Upstreams};

/// How long a document's tokens are valid, unless their claims say otherwise.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

impl Document {
    /// Runs every request in turn and compares. `root` is the project that the document lies in;
    /// a document with a schema of its own needs none. Waits for nothing and uses no network.
    #[must_use]
    pub fn run(&self, root: Option<&Path>) -> Report {
        // A thread of its own, so that callers may be async or not, and all tasks run in turn.
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            runtime.map(|runtime| runtime.block_on(Run::new(self).all(root)))
        };
        let checks = std::thread::scope(|scope| scope.spawn(run).join());
        let checks = match checks {
            Ok(Ok(checks)) => checks,
            Ok(Err(error)) => vec![failed_start(format!("nothing can run here: {error}"))],
            Err(_) => vec![failed_start("the gateway panicked".to_owned())],
        };
        Report { path: self.path.clone(), checks }
    }
}

fn failed_start(message: String) -> Check {
    let (request, subject, outcome) = (None, Subject::Start, Outcome::Failed(message));
    Check { request, subject, line: 1, outcome, edit: None }
}

/// A gateway that answers a document's requests.
struct Stack {
    gateway: Gateway,
    upstreams: Arc<Upstreams>,
    issuers: Vec<JwtIssuer>,
    path: String,
}

/// What a client gets.
struct Answer {
    head: Head,
    /// Headers that the gateway does not write itself, a line each.
    returned: String,
    /// The responses, as documents show them.
    bodies: Vec<String>,
}

struct Run<'d> {
    document: &'d Document,
    checks: Vec<Check>,
}

impl<'d> Run<'d> {
    fn new(document: &'d Document) -> Self {
        Self { document, checks: Vec::new() }
    }

    async fn all(mut self, root: Option<&Path>) -> Vec<Check> {
        let Loaded { project, problems } = match project::load(self.document, root) {
            Ok(loaded) => loaded,
            Err(problem) => {
                let DocumentProblem { line, message, help } = problem;
                let help = help.map_or(String::new(), |help| format!("\n{help}"));
                let outcome = Outcome::Failed(message + &help);
                self.push(None, Subject::Start, line, outcome, None);
                return self.checks;
            }
        };
        if let Some(expected) = &self.document.check {
            let found = problems.render(false);
            self.compare(None, Subject::Problems, expected, found.trim_end());
        }
        match project {
            Some(project) => {
                self.plans(&project);
                let stack = Stack::new(self.document, project);
                for request in &self.document.requests {
                    self.request(&stack, request).await;
                }
                self.unused(&stack.upstreams);
                self.checks.sort_by_key(|check| check.line);
            }
            None if self.document.check.is_none() => {
                for (line, message) in snapshot::errors(self.document, &problems) {
                    self.push(None, Subject::Start, line, Outcome::Failed(message), None);
                }
            }
            None => {
                if let Some(request) = self.document.requests.first() {
                    let message = "there is no gateway to ask: schema and settings have errors";
                    self.fail(Some(request), Subject::Start, message.to_owned());
                }
            }
        }
        self.checks
    }

    async fn request(&mut self, stack: &Stack, request: &Request) {
        stack.upstreams.begin(&request.section);
        let answer = match stack.ask(request).await {
            Ok(answer) => answer,
            Err(message) => return self.fail(Some(request), Subject::Response, message),
        };
        let asked = stack.upstreams.asked();
        for undeclared in &asked.undeclared {
            self.fail(Some(request), Subject::Exchanges, unknown(undeclared));
        }
        // What came of such a call is no answer of the services: it must not be written down.
        if asked.undeclared.is_empty() {
            self.responses(request, &answer);
            let calls: String = asked.calls.iter().map(Call::text).collect();
            self.listed(request, Subject::Returned, &request.returned, &answer.returned);
            self.listed(request, Subject::Calls, &request.calls, &calls);
        }
    }

    fn plans(&mut self, project: &Project) {
        for request in &self.document.requests {
            if let Some(expected) = &request.plan {
                let found = plan::text(project, request);
                self.compare(Some(request), Subject::Plan, expected, &found);
            }
        }
    }

    /// Compares one by one: a response without a block is written below the last one, and a block
    /// without a response goes.
    fn responses(&mut self, request: &Request, answer: &Answer) {
        for (at, body) in answer.bodies.iter().enumerate() {
            self.response(request, request.responses.get(at), &answer.head, body);
        }
        for (_, snapshot) in request.responses.iter().skip(answer.bodies.len()) {
            let outcome =
                Outcome::Differs { expected: Some(snapshot.text.clone()), actual: String::new() };
            let edit = Edit { span: snapshot.span.clone(), text: String::new() };
            self.push(Some(request), Subject::Response, snapshot.line, outcome, Some(edit));
        }
    }

    fn response(
        &mut self,
        request: &Request,
        written: Option<&(Head, Snapshot)>,
        head: &Head,
        body: &str,
    ) {
        // An empty block is one to be filled in.
        let expected = written.filter(|(_, snapshot)| !snapshot.text.trim().is_empty());
        let shown = |head: &Head, body: &str, with_head: bool| {
            if with_head { format!("{}\n{body}", head.info()) } else { body.to_owned() }
        };
        let outcome = match expected {
            Some((expected, snapshot)) => {
                let heads = expected != head;
                let text = body_text(&Bytes::copy_from_slice(snapshot.text.as_bytes()));
                if !heads && text == body {
                    Outcome::Passed
                } else {
                    let expected = Some(shown(expected, &text, heads));
                    Outcome::Differs { expected, actual: shown(head, body, heads) }
                }
            }
            None => {
                let actual = shown(head, body, *head != Head::usual());
                Outcome::Differs { expected: None, actual }
            }
        };
        let edit = (outcome != Outcome::Passed).then(|| match written {
            Some((_, snapshot)) => snapshot::replaced(snapshot, &head.info(), body),
            None => snapshot::inserted(request.answered(), &head.info(), body),
        });
        let line = written.map_or(request.line, |(_, snapshot)| snapshot.line);
        self.push(Some(request), Subject::Response, line, outcome, edit);
    }

    /// A request without a block of calls makes none; one without a block of returned headers gets
    /// none.
    fn listed(
        &mut self,
        request: &Request,
        subject: Subject,
        expected: &Option<Snapshot>,
        actual: &str,
    ) {
        match expected {
            Some(expected) => self.compare(Some(request), subject, expected, actual),
            None if actual.is_empty() => {}
            None => {
                let edit = snapshot::inserted(request.answered(), subject.info(), actual);
                let outcome = Outcome::Differs { expected: None, actual: actual.to_owned() };
                self.push(Some(request), subject, request.line, outcome, Some(edit));
            }
        }
    }

    fn unused(&mut self, upstreams: &Upstreams) {
        let known = |check: &Check| check.subject != Subject::Exchanges;
        // A call that wants an exchange explains one that is not called.
        if !self.checks.iter().all(known) {
            return;
        }
        for exchange in upstreams.unused() {
            let whose = if exchange.section.len() > 1 { "below its heading" } else { "at all" };
            let line = exchange.call_line();
            let message = format!("this exchange is never used: no request {whose} calls `{line}`");
            let outcome = Outcome::Failed(message);
            self.push(None, Subject::Exchanges, exchange.line, outcome, None);
        }
    }

    fn compare(
        &mut self,
        request: Option<&Request>,
        subject: Subject,
        expected: &Snapshot,
        actual: &str,
    ) {
        let (written, actual) = (snapshot::lines(&expected.text), snapshot::lines(actual));
        let passed = written == actual;
        let edit = (!passed).then(|| snapshot::replaced(expected, subject.info(), &actual));
        let outcome = if passed {
            Outcome::Passed
        } else {
            Outcome::Differs { expected: Some(written), actual }
        };
        self.push(request, subject, expected.line, outcome, edit);
    }

    fn fail(&mut self, request: Option<&Request>, subject: Subject, message: String) {
        let line = request.map_or(1, |request| request.line);
        self.push(request, subject, line, Outcome::Failed(message), None);
    }

    fn push(
        &mut self,
        request: Option<&Request>,
        subject: Subject,
        line: usize,
        outcome: Outcome,
        edit: Option<Edit>,
    ) {
        let request = request.map(|request| request.name.clone());
        self.checks.push(Check { request, subject, line, outcome, edit });
    }
}

fn unknown(undeclared: &Undeclared) -> String {
    let Undeclared { call, nearest } = undeclared;
    let mut message = format!("no exchange answers the call `{}`\n", call.line());
    if let Some((line, at, difference)) = nearest {
        message.push_str(&format!("nearest: `{line}` in line {at}"));
        if let Some(difference) = difference {
            message.push_str(&format!("; {difference}"));
        }
        message.push('\n');
    }
    message.push_str(&format!("to declare it:\n\n{}\n", call.exchange()));
    message
}

impl Stack {
    fn new(document: &Document, project: Project) -> Self {
        let config = &project.config;
        let max_answer = config.limits.upstream_answer.bytes();
        let upstreams = Arc::new(Upstreams::new(document.exchanges.clone(), max_answer));
        let issuers = config.auth.jwt.clone();
        let path = config.graphql.path.as_str().to_owned();
        let gateway = Gateway::over(project, document.mode, Clock::machine(), |upstream| {
            Some(upstreams.transport(upstream))
        });
        Self { gateway, upstreams, issuers, path }
    }

    async fn ask(&self, request: &Request) -> Result<Answer, String> {
        let request = self.http(request)?;
        let router = TowerToHyperService::new(self.gateway.router());
        let response = match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let media = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let media = String::from_utf8_lossy(media);
        let media = media.split(';').next().unwrap_or_default().trim().to_owned();
        let head = Head { status: parts.status, media };
        let returned = returned(&parts.headers);
        let bodies = streamed::bodies(&head, body).await?;
        Ok(Answer { head, returned, bodies: bodies.iter().map(body_text).collect() })
    }

    fn http(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, String> {
        let mut http = http::Request::new(Full::new(body(request).into()));
        *http.method_mut() = http::Method::POST;
        *http.uri_mut() = self.path.parse().map_err(|error| format!("{}: {error}", self.path))?;
        let headers = http.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(MEDIA));
        headers.extend(request.headers.clone());
        if let Some(claims) = &request.claims {
            let token = self.token(claims)?;
            self.upstreams.conceal(&token);
            let header = HeaderValue::try_from(format!("Bearer {token}"));
            headers.insert(AUTHORIZATION, header.map_err(|error| error.to_string())?);
        }
        Ok(http)
    }

    /// A token of the issuer that the claims name, else of the first one.
    fn token(&self, claims: &serde_json::Map<String, serde_json::Value>) -> Result<String, String> {
        let named = claims.get("iss").and_then(serde_json::Value::as_str);
        let of_name = |issuer: &&JwtIssuer| named.is_some() && issuer.issuer.as_deref() == named;
        let issuer = self.issuers.iter().find(of_name).or(self.issuers.first());
        let issuer =
            issuer.ok_or("claims need an issuer of tokens: the settings have no `[[auth.jwt]]`")?;
        identity::mint(issuer, claims.clone(), TOKEN_LIFETIME).map_err(|error| error.to_string())
    }
}

/// The headers that the gateway does not write itself, by name; of one name in their order.
fn returned(headers: &HeaderMap) -> String {
    // With a stream the gateway writes one that upstreams may write too.
    let is_returned =
        |name: &HeaderName| config::may_be_returned(name) && name != "x-accel-buffering";
    let mut lines: Vec<_> = headers.iter().filter(|(name, _)| is_returned(name)).collect();
    lines.sort_by_key(|(name, _)| name.as_str());
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    lines.into_iter().map(line).collect()
}

/// The body of a GraphQL request over HTTP.
fn body(request: &Request) -> Vec<u8> {
    let mut body = b"{\"query\":".to_vec();
    write_string(&mut body, &request.query);
    if let Some(operation) = &request.operation {
        body.extend_from_slice(b",\"operationName\":");
        write_string(&mut body, operation);
    }
    if let Some(variables) = &request.variables {
        body.extend_from_slice(b",\"variables\":");
        body.extend_from_slice(variables.as_bytes());
    }
    body.push(b'}');
    body
}

impl Subject {
    /// The info string of its block.
    fn info(self) -> &'static str {
        match self {
            Self::Problems | Self::Start => "text check",
            Self::Response => "json response",
            Self::Returned => "text returned",
            Self::Calls | Self::Exchanges => "text calls",
            Self::Plan => "text plan",
        }
    }
}
