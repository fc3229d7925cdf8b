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
use crate::failure::Code;
use crate::identity::{self, ClientHeaders, Identity, Refusal};

use super::accept::{self, Content, MediaType};
use super::arrival::{Arrival, has_one_reading};
use super::coding::{self, Wanted};
use super::reply::{self, Refused};
use super::request::GraphqlRequest;
use super::{Door, RequestContext, body, compress};

/// The methods that are answered; a HEAD as a GET without the body (RFC 9110 section 9.3.2).
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

/// Answers a request to the GraphQL endpoint.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return reply::options(METHODS);
    }
    let wants = Wants::by(&door, &parts.headers);
    let whole = match admit(&door, &arrival, &parts, body, wants).await {
        Err(refused) => refused.into_whole(wants.media.unwrap_or(MediaType::Json)),
        Ok((media, request, identity)) => {
            let Arrival { request_id, trace, deadline, calls } = arrival;
            let headers = ClientHeaders::new(parts.headers, &door.reserved);
            let context = RequestContext { request_id, trace, deadline, headers, calls };
            reply::graphql(door.engine.execute(request, identity, context).await, media)
        }
    };
    let mut response = compress::compressed(whole, wants.coding).await.into_response();
    let varies = if door.compression { "Accept, Accept-Encoding" } else { "Accept" };
    response.headers_mut().insert(VARY, HeaderValue::from_static(varies));
    response
}

/// How a client wants its answer.
#[derive(Clone, Copy)]
struct Wants {
    /// `None`: in none of the types there are.
    media: Option<MediaType>,
    coding: Wanted,
}

impl Wants {
    fn by(door: &Door, headers: &HeaderMap) -> Self {
        let coding = Wanted::by(headers);
        let coding = if door.compression { coding } else { coding.uncompressed() };
        Self { media: accept::negotiate(headers), coding }
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
    let media = wants.media.ok_or_else(|| {
        not_acceptable("The answer is application/graphql-response+json or application/json.")
    })?;
    if wants.coding.is_impossible() {
        return Err(not_acceptable("The answer has no content coding that is wanted."));
    }
    if !accept::is_deliberate(&parts.method, &parts.headers) {
        let message = "A GET needs an Accept header that names application/json or \
            application/graphql-response+json, or any graphql-preflight header.";
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
