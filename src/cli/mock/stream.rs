//! Streams of events (WHATWG HTML, section 9.2): the rows of a collection, one after the other, over
//! and over.
//!
//! What a stream sends follows from the number of the event alone, so that `Last-Event-ID` goes on
//! where another connection broke off, and nothing is held for anybody.

use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::answer::Refusal;
use super::call::Call;
use super::data::{Data, Problem, Resource};
use super::handler::Service;
use super::query::Query;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long a client is asked to wait before it connects again.
const RETRY: &str = "retry: 2000\n\n";

/// What is sent where there is nothing to say.
const COMMENT: &str = ":\n\n";

/// The longest silence, as the standard advises (section 9.2.7).
const SILENCE: Duration = Duration::from_secs(15);

/// A stream of events that a [`super::Mock`] sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Where it is asked for: `/events`. The query chooses among the rows as that of a list does.
    pub path: String,
    /// The collection whose rows it sends.
    pub rows: String,
    /// The type of its events.
    pub kind: String,
    /// How long after one event the next one comes.
    pub every: Duration,
}

impl Stream {
    /// Whether this is the raw path at which it is asked for; a slash at its end means nothing.
    pub(super) fn is_at(&self, path: &str) -> bool {
        path.strip_suffix('/').unwrap_or(path) == self.path
    }

    /// What speaks against it.
    pub(super) fn check(&self, data: &Data) -> Option<Problem> {
        let Self { path, rows, kind, every: _ } = self;
        let segments = path.strip_prefix('/').map(|path| path.split('/').next().unwrap_or(path));
        let why = match segments {
            None => "it must begin with `/`",
            Some("" | "db") => "something else answers there",
            Some(first) if data.contains_key(first) => "a resource of that name answers there",
            Some(_) if kind.contains(['\r', '\n']) => "the type of its events must be one line",
            Some(_) => {
                let known = matches!(data.get(rows), Some(Resource::Collection(_)));
                return (!known).then(|| {
                    let is_collection = |resource| matches!(resource, &Resource::Collection(_));
                    let collections = data.iter().filter(|(_, it)| is_collection(*it));
                    let known = collections.map(|(name, _)| name.clone()).collect();
                    Problem::StreamOfNothing { path: path.clone(), rows: rows.clone(), known }
                });
            }
        };
        Some(Problem::BadStream { path: path.clone(), why })
    }

    /// Answers with the stream, which lasts as long as the client, the service and what stops it
    /// let it.
    pub(super) fn open(
        &self,
        service: &Arc<Service>,
        stop: &CancellationToken,
        call: &Call<'_>,
    ) -> Result<Response, Refusal> {
        if !call.reads() {
            return Err(Refusal::Method("GET, HEAD"));
        }
        let query = Query::parse(call.query, None).map_err(|e| Refusal::Bad(e.to_string()))?;
        service.look(&self.rows, |rows| {
            for property in query.run(rows).unknown {
                tracing::warn!(path = self.path, property, "no row has the property of a filter");
            }
        });
        let sending = Sending {
            stream: self.clone(),
            query,
            service: Arc::downgrade(service),
            stop: stop.clone(),
            sent: last_event_id(call.headers).unwrap_or(0),
            due: Some(Instant::now()),
        };
        let pieces = futures::stream::unfold(Some(sending), |sending| async {
            let mut sending = sending?;
            let piece = sending.next().await?;
            Some((Ok::<_, Infallible>(piece), Some(sending)))
        });
        let begin = futures::stream::iter([Ok(RETRY.to_owned())]);
        let body = Body::from_stream(futures::StreamExt::chain(begin, pieces));
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
        Ok((headers, body).into_response())
    }
}

/// A stream that is being sent.
struct Sending {
    stream: Stream,
    query: Query,
    /// It keeps no service that nobody serves any more.
    service: Weak<Service>,
    stop: CancellationToken,
    /// The number of the last event that was sent.
    sent: u64,
    /// When the next one comes; `None`: beyond all time.
    due: Option<Instant>,
}

impl Sending {
    async fn next(&mut self) -> Option<String> {
        let silence = Instant::now() + SILENCE;
        let due = self.due.filter(|due| *due <= silence);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            () = sleep_until(due.unwrap_or(silence)) => {}
        }
        let service = self.service.upgrade()?;
        let Some(due) = due else { return Some(COMMENT.to_owned()) };
        self.due = due.checked_add(self.stream.every);
        let event = service.look(&self.stream.rows, |rows| {
            let rows = self.query.run(rows).rows;
            let nth = usize::try_from(self.sent).ok()?.checked_rem(rows.len())?;
            rows.get(nth).and_then(|row| serde_json::to_string(row).ok())
        });
        Some(match event.flatten() {
            Some(row) => {
                self.sent = self.sent.saturating_add(1);
                format!("event: {}\nid: {}\ndata: {row}\n\n", self.stream.kind, self.sent)
            }
            None => {
                self.due = Instant::now().checked_add(self.stream.every.max(SILENCE));
                COMMENT.to_owned()
            }
        })
    }
}

/// The number of an event of ours; what is none is no place to go on from.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}
