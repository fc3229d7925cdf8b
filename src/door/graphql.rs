//! GraphQL over HTTP, from a request to its answer. The order matters: what costs little and
//! refuses much comes first, and no body is read of a caller who is not let in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use http::header::{ACCEPT, HeaderMap, HeaderValue, VARY};
use http::request::Parts;
use http::{Method, StatusCode};

use crate::config::GraphqlAuth;
use crate::engine::Incremental;
use crate::failure::Code;
use crate::identity::{self, ClientHeaders, Identity, Refusal};

use super::accept::{self, Content, MediaType};
use super::arrival::{Arrival, has_one_reading};
use super::coding::{self, Wanted};
use super::reply::{self, Refused, Whole};
use super::request::GraphqlRequest;
use super::serve::Stop;
use super::{Door, RequestContext, body, compress, parts, socket, sse};

/// The methods that are answered; a HEAD as a GET without the body (RFC 9110 section 9.3.2).
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

/// Answers a request to the GraphQL endpoint.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    if socket::is_asked_for(&request) {
        return socket::answer(door, arrival, request).await;
    }
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return reply::options(METHODS);
    }
    let wants = Wants::by(&door, &parts.headers);
    let answered = match admit(&door, &arrival, &parts, body, wants).await {
        Err(refused) => Answered::Whole(refused.into_whole(wants.media.unwrap_or(MediaType::Json))),
        Ok((media, request, identity)) => {
            let Arrival { request_id, trace, deadline, calls } = arrival;
            let stop = parts.extensions.remove::<Stop>().unwrap_or_default();
            let headers = ClientHeaders::new(parts.headers, &door.reserved);
            let context = RequestContext { request_id, trace, deadline, headers, calls };
            if wants.events {
                Answered::Streamed(sse::answer(&door, request, identity, context, stop))
            } else if let Some(format) = wants.parts {
                let request = request.in_parts(format);
                parts::answer(&door, request, identity, context, wants.media).await
            } else {
                let response = door.engine.execute(request, identity, context).await;
                Answered::Whole(reply::graphql(response, media))
            }
        }
    };
    let (mut response, varies) = match answered {
        Answered::Streamed(response) => (response, "Accept"),
        Answered::Whole(whole) => {
            let varies = if door.compression { "Accept, Accept-Encoding" } else { "Accept" };
            (compress::compressed(whole, wants.coding).await.into_response(), varies)
        }
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static(varies));
    response
}

/// What a request is answered with.
pub(super) enum Answered {
    /// Bytes at hand, which may be compressed.
    Whole(Whole),
    /// A body that goes on, which is never compressed.
    Streamed(Response),
}

/// How a client wants its answer.
#[derive(Clone, Copy)]
struct Wants {
    /// `None`: in none of the types there are.
    media: Option<MediaType>,
    /// As a stream of events instead.
    events: bool,
    /// In parts, where it has any, and in which format.
    parts: Option<Incremental>,
    coding: Wanted,
}

impl Wants {
    fn by(door: &Door, headers: &HeaderMap) -> Self {
        let coding = Wanted::by(headers);
        let coding = if door.compression { coding } else { coding.uncompressed() };
        Self {
            media: accept::negotiate(headers),
            events: accept::wants_events(headers),
            parts: accept::wants_parts(headers),
            coding,
        }
    }
}

async fn admit(
    door: &Door,
    arrival: &Arrival,
    parts: &Parts,
    body: Body,
    wants: Wants,
) -> Result<(MediaType, GraphqlRequest, Identity), Refused> {
    let by_url = match parts.method {
        Method::GET | Method::HEAD => true,
        Method::POST => false,
        _ => return Err(Refused::method(METHODS)),
    };
    has_one_reading(&parts.headers)?;
    let not_acceptable = |message| Refused::by_http(StatusCode::NOT_ACCEPTABLE, message);
    let streams = wants.events || wants.parts.is_some();
    let media = wants.media.or(streams.then_some(MediaType::Json)).ok_or_else(|| {
        not_acceptable(
            "The answer is application/graphql-response+json, application/json, multipart/mixed \
             or text/event-stream.",
        )
    })?;
    // A stream is never compressed: each event goes out when it comes.
    if !wants.events && wants.coding.is_impossible() {
        return Err(not_acceptable("The answer has no content coding that is wanted."));
    }
    if !accept::is_deliberate(&parts.method, &parts.headers) {
        let message = "A GET needs an Accept header that names application/json, \
            application/graphql-response+json or text/event-stream, or any graphql-preflight header.";
        return Err(Refused::malformed(message));
    }
    let required = door.auth == GraphqlAuth::Required;
    let identity = authenticate(door, arrival, &parts.headers, required).await?;
    let request = if by_url {
        GraphqlRequest::from_query(parts.uri.query().unwrap_or_default())?
    } else {
        says_json(&parts.headers)?;
        let coding = coding::sent(&parts.headers)?;
        let limit = door.limits.request_body.bytes();
        GraphqlRequest::from_body(body::read(body, coding, limit, arrival.deadline).await?)?
    };
    Ok((media, request, identity))
}

/// Whether a body is worth reading (415 if not).
fn says_json(headers: &HeaderMap) -> Result<(), Refused> {
    let message = match Content::of(headers) {
        Content::Json => return Ok(()),
        Content::OtherCharset => "JSON is UTF-8: leave the charset out, or write charset=utf-8.",
        Content::Upload => {
            "Files are not uploaded by GraphQL: send them to a plain path that passes through to \
             its service (`[[route]]`), and name what came of it in a mutation's arguments."
        }
        Content::Other => "The body must be application/json: an object with a `query`.",
        Content::Unsaid => "The body needs a Content-Type: application/json.",
    };
    let refused = Refused::by_http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    Err(refused.with(ACCEPT, HeaderValue::from_static("application/json")))
}

/// Who is asking. A token that is sent must be valid, needed or not.
pub(super) async fn authenticate(
    door: &Door,
    arrival: &Arrival,
    headers: &HeaderMap,
    required: bool,
) -> Result<Identity, Refused> {
    let identified = door.authenticator.authenticate(headers, arrival.deadline).await;
    let identity = identified.map_err(|error| match error {
        identity::Error::Refused(refusal) => {
            tracing::info!(request_id = %arrival.request_id, reason = %refusal, "token refused");
            Refused::caller("The token is not valid.", Refusal::challenge())
        }
        identity::Error::NoKeys => {
            tracing::warn!(request_id = %arrival.request_id, "token not judged: {error}");
            let message = "The token cannot be verified now: its issuer's keys cannot be had.";
            Refused::new(Code::UpstreamUnavailable, message)
        }
    })?;
    if required && !identity.is_authenticated() {
        return Err(Refused::caller("A token is needed.", Refusal::invitation()));
    }
    Ok(identity)
}
