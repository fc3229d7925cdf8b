//! Responses in parts: `multipart/mixed` (RFC 2046 section 5.1), a part for each piece, of JSON as a
//! whole response is (the working draft "Incremental Delivery over HTTP").
//!
//! Nothing is queued: the engine is asked for the next piece when the connection took the last. The
//! delimiter follows each part at once, so that the client need not wait to know that it is whole.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::header::{CONTENT_TYPE, HeaderValue};

use crate::identity::Identity;

use super::accept::MediaType;
use super::arrival::{Later, Told};
use super::graphql::Answered;
use super::reply;
use super::{Door, GraphqlRequest, GraphqlResponse, RequestContext};

/// The media type, without parameters.
pub(super) const MEDIA_TYPE: &str = "multipart/mixed";

const MULTIPART: HeaderValue = HeaderValue::from_static("multipart/mixed; boundary=\"-\"");
const DELIMITER: &[u8] = b"\r\n---";
const HEAD: &[u8] = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n";
const END: &[u8] = b"--\r\n";

/// Answers a request that was let in. `whole` is the type for a response that has no parts, if the
/// client takes one.
pub(super) async fn answer(
    door: &Door,
    request: GraphqlRequest,
    identity: Identity,
    context: RequestContext,
    whole: Option<MediaType>,
) -> Answered {
    let mut pieces = Arc::clone(&door.engine).stream(request, identity, context);
    let Some(first) = pieces.next().await else {
        return Answered::Streamed(multipart(None, stream::empty().boxed()));
    };
    match whole {
        Some(media) if !first.more => Answered::Whole(reply::graphql(first, media)),
        _ => Answered::Streamed(multipart(Some(first), pieces)),
    }
}

fn multipart(
    first: Option<GraphqlResponse>,
    rest: BoxStream<'static, GraphqlResponse>,
) -> Response {
    let later = Arc::new(Later::default());
    let body = first.as_ref().map(|first| part(&first.body));
    let begun = [Some(Bytes::from_static(DELIMITER.trim_ascii_start())), body];
    let noted = Arc::clone(&later);
    let rest = AssertUnwindSafe(rest).catch_unwind().scan((), move |(), piece| {
        let piece = piece.inspect_err(|_| tracing::error!("an operation panicked")).ok();
        std::future::ready(piece.map(|piece| {
            noted.note(&piece);
            part(&piece.body)
        }))
    });
    let all = stream::iter(begun.into_iter().flatten())
        .chain(rest)
        .chain(stream::iter([Bytes::from_static(END)]));
    let mut response = match first {
        Some(first) => {
            later.note(&first);
            reply::graphql(first, MediaType::GraphqlResponse).into_response()
        }
        None => Response::new(Body::empty()),
    };
    response.headers_mut().insert(CONTENT_TYPE, MULTIPART);
    let told = Told { streamed: true, later: Some(later), ..Told::default() };
    response.extensions_mut().insert(told);
    response.map(|_| Body::from_stream(all.map(Ok::<_, Infallible>)))
}

fn part(body: &[u8]) -> Bytes {
    [HEAD, body, DELIMITER].concat().into()
}
