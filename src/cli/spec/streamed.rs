//! The responses in the body of an answer: one, or those of a stream of events or of parts.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::role::{EVENTS, Head, PARTS};

/// After so long a silence the client of a stream of events leaves it: polling has no end.
const SILENCE: Duration = Duration::from_secs(1);

/// Reads a body and takes the responses out of it.
///
/// # Errors
/// If the body breaks off.
pub(super) async fn bodies(head: &Head, mut body: Body) -> Result<Vec<Bytes>, String> {
    let broken = |error| format!("no whole answer: {error}");
    if head.media != EVENTS {
        let whole = body.collect().await.map_err(broken)?.to_bytes();
        return Ok(if head.media == PARTS { parts(&whole) } else { vec![whole] });
    }
    let mut read = Vec::new();
    while let Ok(Some(frame)) = timeout(SILENCE, body.frame()).await {
        let frame = frame.map_err(broken)?;
        read.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    Ok(events(&String::from_utf8_lossy(&read)))
}

/// The data of the events `next`; beside them are comments and `complete`.
fn events(text: &str) -> Vec<Bytes> {
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("event: next\ndata: "));
    data.map(|data| Bytes::copy_from_slice(data.as_bytes())).collect()
}

/// What stands below the head of each part.
fn parts(body: &[u8]) -> Vec<Bytes> {
    let text = String::from_utf8_lossy(body);
    let parts = text.split("\r\n---").filter_map(|part| part.split_once("\r\n\r\n"));
    parts.map(|(_, part)| Bytes::copy_from_slice(part.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_from_comments_and_the_end() {
        let text = ":\n\nevent: next\ndata: {\"a\": 1}\n\n:\n\nevent: next\ndata: {}\n\n\
            event: complete\ndata: \n\n";
        assert_eq!(events(text), ["{\"a\": 1}", "{}"]);
    }

    #[test]
    fn parts_are_without_head_and_delimiter() {
        let text = b"---\r\nContent-Type: a\r\n\r\n{}\r\n---\r\nB: b\r\n\r\n[]\r\n-----\r\n";
        assert_eq!(parts(text), ["{}", "[]"]);
    }
}
