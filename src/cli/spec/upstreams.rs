//! The services behind the gateway while a document runs: they answer as its exchanges say, and
//! keep what they were asked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::{ServiceName, Upstream};
use crate::template;
use crate::upstream::{
    CallContext, Error, ErrorKind, EventReader, Events, Opened, Reply, Transport,
};

use super::call::Call;
use super::document::{Exchange, Section};
use super::http_text::{Answer, Pattern};

/// All services of one document.
#[derive(Debug)]
pub(super) struct Upstreams {
    exchanges: Vec<Exchange>,
    max_answer: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often each exchange was used.
    used: Vec<usize>,
    /// Where the request that runs stands.
    section: Section,
    /// Its token.
    token: Option<String>,
    /// The calls of the request that runs, in the order in which they began.
    calls: Vec<Call>,
    /// Those of them that no exchange answers.
    undeclared: Vec<Undeclared>,
    /// The exchanges that answered it as streams of events, or might have.
    listened: Vec<usize>,
}

/// A call that no exchange answers.
#[derive(Debug, Clone)]
pub(super) struct Undeclared {
    /// The call.
    pub(super) call: Call,
    /// The exchange that is nearest to it, and what of it differs where that is not plain to see.
    pub(super) nearest: Option<(String, usize, Option<String>)>,
}

/// What a request asked of the services.
#[derive(Debug)]
pub(super) struct Asked {
    /// The calls, in the order in which they began.
    pub(super) calls: Vec<Call>,
    /// Those that no exchange answers, each once.
    pub(super) undeclared: Vec<Undeclared>,
}

impl Upstreams {
    pub(super) fn new(exchanges: Vec<Exchange>, max_answer: usize) -> Self {
        let state = State { used: vec![0; exchanges.len()], ..State::default() };
        Self { exchanges, max_answer, state: Mutex::new(state) }
    }

    /// The service of this name.
    pub(super) fn transport(self: &Arc<Self>, upstream: &Upstream) -> Arc<dyn Transport> {
        Arc::new(Mocked { name: upstream.name.clone(), of: Arc::clone(self) })
    }

    /// Makes ready for a request of this section.
    pub(super) fn begin(&self, section: &Section) {
        let mut state = self.lock();
        state.section.clone_from(section);
        state.token = None;
        state.calls.clear();
        state.undeclared.clear();
        state.listened.clear();
    }

    /// Tells the token that the request is sent with: calls do not show it.
    pub(super) fn conceal(&self, token: &str) {
        self.lock().token = Some(token.to_owned());
    }

    /// What was asked since.
    pub(super) fn asked(&self) -> Asked {
        let mut state = self.lock();
        Asked {
            calls: std::mem::take(&mut state.calls),
            undeclared: std::mem::take(&mut state.undeclared),
        }
    }

    /// The exchanges that never were used.
    pub(super) fn unused(&self) -> Vec<&Exchange> {
        let state = self.lock();
        let unused = self.exchanges.iter().zip(&state.used).filter(|(_, used)| **used == 0);
        unused.map(|(exchange, _)| exchange).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut call: Call) -> Result<Reply, Error> {
        let mut state = self.lock();
        if let Some(token) = &state.token {
            call.conceal(token);
        }
        state.calls.push(call.clone());
        let Some(at) = self.find(&state, &call) else {
            self.note(&mut state, &call);
            return Ok(reply(StatusCode::NOT_IMPLEMENTED, HeaderMap::new(), Bytes::new()));
        };
        if let Some(used) = state.used.get_mut(at) {
            *used += 1;
        }
        drop(state);
        match self.exchanges.get(at) {
            Some(exchange) => self.reply(&exchange.answer, &call),
            None => Err(failed(ErrorKind::Broken, &call)),
        }
    }

    /// A stream of events that is at its end is asked for again: by the exchange that comes next,
    /// and without one it is over for good, of which nothing is noted.
    fn listen(&self, mut call: Call, last_event_id: Option<&str>) -> Result<Opened, Error> {
        let exchange = {
            let mut state = self.lock();
            if let Some(token) = &state.token {
                call.conceal(token);
            }
            let at = self.find(&state, &call);
            if at.is_some_and(|at| state.listened.contains(&at)) {
                let over = reply(StatusCode::NO_CONTENT, HeaderMap::new(), Bytes::new());
                return Ok(Opened::Reply(over));
            }
            state.listened.extend(at);
            at.and_then(|at| self.exchanges.get(at))
        };
        if let Some(Answer::Message { status: StatusCode::OK, headers, body }) =
            exchange.map(|exchange| &exchange.answer)
        {
            self.answer(call.clone()).ok();
            let media = headers.get(CONTENT_TYPE).map(essence).unwrap_or_default();
            if media != "text/event-stream" {
                let other = ErrorKind::NotEvents(media.into());
                return Err(failed(other, &call).with_status(StatusCode::OK));
            }
            // The blank line ends the last event, and nobody need rest before asking again.
            let end = Bytes::from_static(b"\n\nretry: 0\n");
            let pieces = stream::iter([Ok(body.clone()), Ok(end)]).boxed();
            let reader = EventReader::new(self.max_answer, last_event_id);
            return Ok(Opened::Stream(Events::read(headers.clone(), reader, pieces)));
        }
        let reply = self.answer(call.clone())?;
        if reply.status.is_success() && reply.status != StatusCode::NO_CONTENT {
            let other = ErrorKind::NotEvents(format!("status {}", reply.status.as_u16()).into());
            return Err(failed(other, &call).with_status(reply.status));
        }
        Ok(Opened::Reply(reply))
    }

    /// The exchange for a call: of the innermost section that has one, the first unused one, else
    /// the last.
    fn find(&self, state: &State, call: &Call) -> Option<usize> {
        let fitting = || {
            self.exchanges.iter().enumerate().filter(|(_, exchange)| {
                is_visible(exchange, &state.section)
                    && exchange.upstream == call.upstream
                    && fits(&exchange.pattern, call)
            })
        };
        let depth = fitting().map(|(_, exchange)| exchange.section.len()).max()?;
        let innermost = || fitting().filter(|(_, exchange)| exchange.section.len() == depth);
        let unused = innermost().find(|(at, _)| state.used.get(*at) == Some(&0));
        unused.or_else(|| innermost().last()).map(|(at, _)| at)
    }

    fn note(&self, state: &mut State, call: &Call) {
        let again = |known: &Undeclared| known.call.text() == call.text();
        if state.undeclared.iter().any(again) {
            return;
        }
        let wanted = call.line();
        let visible = self.exchanges.iter().filter(|exchange| is_visible(exchange, &state.section));
        let nearest = visible
            .map(|exchange| {
                (strsim::normalized_levenshtein(&exchange.call_line(), &wanted), exchange)
            })
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let nearest = nearest.map(|(_, exchange)| {
            let line = exchange.call_line();
            let difference = (line == wanted).then(|| difference(&exchange.pattern, call));
            (line, exchange.line, difference.flatten())
        });
        state.undeclared.push(Undeclared { call: call.clone(), nearest });
    }

    /// What the network would make of an answer; [`Client`](crate::upstream::Client) has the rules.
    fn reply(&self, answer: &Answer, call: &Call) -> Result<Reply, Error> {
        let (status, headers, body) = match answer {
            Answer::Refused => return Err(failed(ErrorKind::Unreachable, call)),
            Answer::Timeout => return Err(failed(ErrorKind::Timeout, call)),
            Answer::Broken => return Err(failed(ErrorKind::Broken, call)),
            Answer::Message { status, headers, body } => (*status, headers, body),
        };
        let answered = |kind| failed(kind, call).with_status(status);
        if status.is_success() && body.len() > self.max_answer {
            return Err(answered(ErrorKind::TooLarge(self.max_answer)));
        }
        if let Some(media) = headers.get(CONTENT_TYPE)
            && status.is_success()
            && !body.is_empty()
        {
            let essence = essence(media);
            let media = String::from_utf8_lossy(media.as_bytes());
            let json = matches!(&*essence, "application/json" | "text/json");
            if !json && !essence.ends_with("+json") {
                return Err(answered(ErrorKind::NotJson(media.into())));
            }
        }
        Ok(reply(status, headers.clone(), body.clone()))
    }
}

/// A media type without parameters, in small letters.
fn essence(media: &HeaderValue) -> String {
    let media = String::from_utf8_lossy(media.as_bytes());
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn reply(status: StatusCode, headers: HeaderMap, body: Bytes) -> Reply {
    let body = if body.is_empty() { Bytes::from_static(b"null") } else { body };
    Reply { status, headers, body }
}

fn failed(kind: ErrorKind, call: &Call) -> Error {
    Error::new(kind, &call.method, &call.target)
}

/// Whether a request of this section can use an exchange: it stands beside the request or above.
fn is_visible(exchange: &Exchange, section: &Section) -> bool {
    section.starts_with(&exchange.section)
}

fn fits(pattern: &Pattern, call: &Call) -> bool {
    pattern.method == call.method
        && pattern.target == call.target
        && difference(pattern, call).is_none()
}

/// What of headers and body is not as the exchange wants it.
fn difference(pattern: &Pattern, call: &Call) -> Option<String> {
    for (name, value) in &pattern.headers {
        let mut sent = call.headers.get_all(name).iter();
        if !sent.any(|sent| sent == value) {
            let shown = |value: &http::HeaderValue| {
                format!("`{name}: {}`", String::from_utf8_lossy(value.as_bytes()))
            };
            let found = call.headers.get(name).map_or("none".to_owned(), shown);
            return Some(format!("it wants the header {}, and the call has {found}", shown(value)));
        }
    }
    let wanted = pattern.body.as_deref()?;
    let sent = call.body.as_deref().unwrap_or_default();
    let same = match (json(wanted.as_bytes()), json(sent)) {
        (Some(wanted), Some(sent)) => wanted == sent,
        _ => wanted.as_bytes() == sent,
    };
    (!same).then(|| "its body is another one".to_owned())
}

/// Objects compare without order, numbers by their text.
fn json(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes).ok()
}

/// One of the services.
struct Mocked {
    name: ServiceName,
    of: Arc<Upstreams>,
}

#[async_trait]
impl Transport for Mocked {
    async fn call(
        &self,
        request: &template::Request,
        context: &CallContext<'_>,
    ) -> Result<Reply, Error> {
        let answered = self.of.answer(Call::new(&self.name, request, context));
        // As over a network, whatever can start does so before the first answer comes.
        tokio::task::yield_now().await;
        answered
    }

    async fn listen(
        &self,
        request: &template::Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        let opened = self.of.listen(Call::new(&self.name, request, context), last_event_id);
        tokio::task::yield_now().await;
        opened
    }
}

impl fmt::Debug for Mocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mocked({})", self.name)
    }
}
