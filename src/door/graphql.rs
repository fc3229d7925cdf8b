//! GraphQL over HTTP, from a request to its answer. The order matters: what costs little and
//! refuses much comes first, and no body is read of a caller who is not let in.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::config::GraphqlAuth;
use crate::failure::Code;
use crate::identity::{self, ClientHeaders, Identity, Refusal};

use super::accept::{self, MediaType};
use super::arrival::{Arrival, has_one_reading};
use super::reply::{self, Refused};
use super::request::GraphqlRequest;
use super::{Door, RequestContext, socket};

/// Answers a request to the GraphQL endpoint.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    if socket::is_asked_for(&request) {
        return socket::answer(door, arrival, request).await;
    }
    let (parts, body) = request.into_parts();
    let media = accept::negotiate(&parts.headers);
    match admit(&door, &arrival, &parts, body, media).await {
        Err(refused) => refused.into_response(media.unwrap_or(MediaType::Json)),
        Ok((media, request, identity)) => {
            let Arrival { request_id, trace, deadline, calls } = arrival;
            let headers = ClientHeaders::new(parts.headers, &door.reserved);
            let context = RequestContext { request_id, trace, deadline, headers, calls };
            reply::graphql(door.engine.execute(request, identity, context).await, media)
        }
    }
}

async fn admit(
    door: &Door,
    arrival: &Arrival,
    parts: &Parts,
    body: Body,
    media: Option<MediaType>,
) -> Result<(MediaType, GraphqlRequest, Identity), Refused> {
    if parts.method != Method::GET && parts.method != Method::POST {
        return Err(Refused::method("GET, POST"));
    }
    has_one_reading(&parts.headers)?;
    let media = media.ok_or_else(|| {
        let message = "The answer is application/graphql-response+json or application/json.";
        Refused::by_http(StatusCode::NOT_ACCEPTABLE, message)
    })?;
    if !accept::is_deliberate(&parts.method, &parts.headers) {
        let message = "A GET needs an Accept header that names application/json or \
            application/graphql-response+json, or any graphql-preflight header.";
        return Err(Refused::malformed(message));
    }
    let required = door.auth == GraphqlAuth::Required;
    let identity = authenticate(door, arrival, &parts.headers, required).await?;
    let request = if parts.method == Method::GET {
        GraphqlRequest::from_query(parts.uri.query().unwrap_or_default())?
    } else if accept::is_json(&parts.headers) {
        GraphqlRequest::from_body(read(door, arrival, body).await?)?
    } else {
        let message = "The body must be application/json, in UTF-8.";
        return Err(Refused::by_http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    };
    Ok((media, request, identity))
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

/// The whole body, within the limit and before the deadline.
async fn read(door: &Door, arrival: &Arrival, body: Body) -> Result<Bytes, Refused> {
    let limit = door.limits.request_body.bytes();
    let too_large = || Refused::new(Code::RequestTooLarge, "The body is larger than allowed.");
    // What `Content-Length` announces is not read at all.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let whole = Limited::new(body, limit).collect();
    match tokio::time::timeout_at(arrival.deadline, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refused::malformed("The body is not whole.")),
        Err(_) => {
            let message = "The body did not come in time.";
            Err(Refused::by_http(StatusCode::REQUEST_TIMEOUT, message))
        }
    }
}
