//! Opens a stream of events of an upstream.

use futures::StreamExt as _;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};

use crate::template::Request;

use super::client::{Client, essence, foreign_coding, or_null, printable};
use super::{CallContext, Error, ErrorKind, EventReader, Events, Opened, headers};

impl Client {
    /// Sends the request, and reads what is no stream to its end.
    pub(super) async fn open(
        &self,
        request: &Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        let url = self.url(request)?;
        let failed = {
            let (method, url) = (request.method.clone(), url.clone());
            move |kind| Error::new(kind, &method, url.as_str())
        };
        let headers = headers::listening(request, last_event_id, context);
        let mut answer = self.send(request, &url, headers).await?;
        let status = answer.status();
        if status == StatusCode::NO_CONTENT || !status.is_success() {
            return Ok(Opened::Reply(or_null(self.whole(answer, failed).await?)));
        }
        let failed = move |kind| failed(kind).with_status(status);
        // WHATWG HTML section 9.2.3: of the other successes none is a stream.
        let other = match status {
            StatusCode::OK => other_than_events(answer.headers()),
            _ => Some(format!("status {}", status.as_u16()).into()),
        };
        if let Some(what) = other {
            return Err(failed(ErrorKind::NotEvents(what)));
        }
        let headers = std::mem::take(answer.headers_mut());
        let pieces = answer.bytes_stream().map(move |piece| {
            piece.map_err(|error| failed(ErrorKind::Broken).with_source(error.without_url()))
        });
        let reader = EventReader::new(self.max_answer, last_event_id);
        Ok(Opened::Stream(Events::read(headers, reader, pieces.boxed())))
    }
}

/// What a 200 answer says it is, if that is no stream of events. One that says nothing is none:
/// whatever it sends would be waited for.
fn other_than_events(headers: &HeaderMap) -> Option<Box<str>> {
    if let Some(coding) = foreign_coding(headers) {
        return Some(coding);
    }
    let Some(declared) = headers.get(CONTENT_TYPE) else { return Some("no media type".into()) };
    (essence(declared) != b"text/event-stream").then(|| printable(declared))
}
