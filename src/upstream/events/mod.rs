//! Events that an upstream sends while they happen: Server-Sent Events (WHATWG HTML, section 9.2).
//!
//! A stream may be silent for ever; that its peer is gone is for the connection to find out. Whether
//! one connects again, and when, is for others: here is what they need to know for it.

mod reader;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::HeaderMap;

pub use reader::EventReader;

use super::{Error, Reply};

/// The answer to a request for a stream of events.
#[derive(Debug)]
pub enum Opened {
    /// The stream: status 200 and `text/event-stream`.
    Stream(Events),
    /// A status that is no success, or 204, which asks not to come again; whole.
    Reply(Reply),
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind of event it is; `message` where the upstream names none.
    pub kind: Box<str>,
    /// What it says: UTF-8, lines parted by line feeds.
    pub data: Result<Bytes, TooLarge>,
    /// The last id that came, with this event or before it.
    pub id: Option<Arc<str>>,
}

/// An event was larger than this many bytes, and is lost. Those after it come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event is larger than {0} bytes")]
pub struct TooLarge(pub usize);

/// A stream of events. Dropping it closes its connection.
pub struct Events {
    /// The headers of the answer.
    pub headers: HeaderMap,
    source: Source,
    last_event_id: Option<Arc<str>>,
    retry: Option<Duration>,
}

enum Source {
    Pieces { pieces: BoxStream<'static, Result<Bytes, Error>>, piece: Bytes, reader: EventReader },
    Given(BoxStream<'static, Result<Event, Error>>),
    Ended,
}

impl Events {
    /// A stream of these events, for transports within the process.
    #[must_use]
    pub fn new(headers: HeaderMap, events: BoxStream<'static, Result<Event, Error>>) -> Self {
        Self { headers, source: Source::Given(events), last_event_id: None, retry: None }
    }

    /// The stream that these pieces of `text/event-stream` are, read by this reader. An error among
    /// them ends it.
    #[must_use]
    pub fn read(
        headers: HeaderMap,
        reader: EventReader,
        pieces: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Self {
        let last_event_id = reader.last_event_id().map(Into::into);
        let source = Source::Pieces { pieces, piece: Bytes::new(), reader };
        Self { headers, source, last_event_id, retry: None }
    }

    /// The next event; `None`: the upstream ended the stream. Dropping the future loses nothing.
    ///
    /// # Errors
    /// If the stream broke off. Nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        let next = match &mut self.source {
            Source::Pieces { pieces, piece, reader } => {
                let next = next_read(pieces, piece, reader).await;
                if self.last_event_id.as_deref() != reader.last_event_id() {
                    self.last_event_id = reader.last_event_id().map(Into::into);
                }
                self.retry = reader.retry();
                next
            }
            Source::Given(events) => events.next().await,
            Source::Ended => return None,
        };
        match &next {
            Some(Ok(event)) => self.last_event_id.clone_from(&event.id),
            Some(Err(_)) | None => self.source = Source::Ended,
        }
        next
    }

    /// The id after which one asks for the rest: that of the last event given, or the one that the
    /// stream began with.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// How long the upstream wants one to wait before one connects again, if it said so.
    #[must_use]
    pub const fn retry(&self) -> Option<Duration> {
        self.retry
    }
}

async fn next_read(
    pieces: &mut BoxStream<'static, Result<Bytes, Error>>,
    piece: &mut Bytes,
    reader: &mut EventReader,
) -> Option<Result<Event, Error>> {
    loop {
        if let Some(event) = reader.next_event(piece) {
            return Some(Ok(event));
        }
        match pieces.next().await? {
            Ok(next) => *piece = next,
            Err(error) => return Some(Err(error)),
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("last_event_id", &self.last_event_id)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
