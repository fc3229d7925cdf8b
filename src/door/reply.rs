//! How answers look on the wire, and the one table from failures to statuses.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};

use crate::failure::{Code, Failure};
use crate::identity::Refusal;
use crate::json::write_string;
use crate::observe::RequestId;

use super::accept::MediaType;
use super::arrival::Told;
use super::{GraphqlResponse, Outcome};

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The status of a request that failed as a whole. Failures of fields never come here: they stand
/// in the response.
#[must_use]
pub const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::GraphqlParseFailed
        | Code::GraphqlValidationFailed
        | Code::OperationResolutionFailed
        | Code::BadUserInput
        | Code::BadRequest
        | Code::QueryTooComplex
        | Code::IntrospectionDisabled
        | Code::TooManyUpstreamCalls
        | Code::ResponseTooLarge
        | Code::EventsLost => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::UpstreamRejected
        | Code::UpstreamFailed
        | Code::UpstreamBadAnswer
        | Code::UpstreamAnswerTooLarge
        | Code::UpstreamReportedError => StatusCode::BAD_GATEWAY,
        Code::UpstreamUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::UpstreamTimeout | Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// An answer of GraphQL's door whose bytes are all there: the only kind that can be compressed. It is
/// made of bytes, and here only, so that nothing which is still to come can be waited for by mistake.
#[derive(Debug)]
pub(super) struct Whole(http::Response<Bytes>);

impl Whole {
    pub(super) fn body(&self) -> &Bytes {
        self.0.body()
    }

    /// Whether it has a content coding already.
    pub(super) fn is_encoded(&self) -> bool {
        self.0.headers().contains_key(CONTENT_ENCODING)
    }

    /// The same in a content coding.
    pub(super) fn encoded(self, coding: HeaderValue, body: Bytes) -> Self {
        let mut response = self.0.map(|_| body);
        response.headers_mut().insert(CONTENT_ENCODING, coding);
        Self(response)
    }

    pub(super) fn into_response(self) -> Response {
        self.0.map(Body::from)
    }
}

/// A request that is refused at the door, before any GraphQL and before any upstream: its status is
/// the same in either of GraphQL's media types.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refused {
    /// With the status of its code.
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: status_of(code), code, message: message.into(), header: None }
    }

    /// The HTTP request is none that this path can answer (400).
    pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// The HTTP request is none that this path can answer, and HTTP has a status for why.
    pub(super) fn by_http(status: StatusCode, message: &'static str) -> Self {
        Self { status, ..Self::malformed(message) }
    }

    /// Another method than these (405).
    pub(super) fn method(allowed: HeaderValue) -> Self {
        let message = "GraphQL is asked by POST, or by GET for queries.";
        Self::by_http(StatusCode::METHOD_NOT_ALLOWED, message).with(ALLOW, allowed)
    }

    /// The same with a header that says what would have been right.
    pub(super) fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// Where this request ends and the next begins is not beyond doubt: none that follows on its
    /// connection can be trusted (RFC 9112 section 6.3).
    pub(super) fn unframed(status: StatusCode, message: &'static str) -> Self {
        Self::by_http(status, message).with(CONNECTION, HeaderValue::from_static("close"))
    }

    /// The caller is not let in (401).
    pub(super) fn caller(message: &'static str, challenge: HeaderValue) -> Self {
        Self::new(Code::Unauthenticated, message).with(WWW_AUTHENTICATE, challenge)
    }

    /// As a GraphQL response without data.
    pub(super) fn into_response(self, media: MediaType) -> Response {
        self.into_whole(media).into_response()
    }

    /// The same, its bytes at hand.
    pub(super) fn into_whole(self, media: MediaType) -> Whole {
        let Self { status, code, message, header } = self;
        let mut response = json(status, media, error_body(code, &message));
        response.extensions_mut().insert(Told { errors: 1, ..Told::default() });
        response.headers_mut().extend(header);
        Whole(response)
    }

    /// As a problem of a plain path.
    pub(super) fn into_problem(self, request_id: &RequestId) -> Response {
        let Self { status, code, message, header } = self;
        let mut response = problem(status, code, &message, request_id);
        response.extensions_mut().insert(Told { errors: 1, ..Told::default() });
        response.headers_mut().extend(header);
        response
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let refused = Self::new(failure.code, failure.message);
        let challenge = (failure.code == Code::Unauthenticated)
            .then(|| (WWW_AUTHENTICATE, Refusal::challenge()));
        Self { header: challenge, ..refused }
    }
}

/// An engine's response, with the status that GraphQL over HTTP wants for it.
pub(super) fn graphql(answer: GraphqlResponse, media: MediaType) -> Whole {
    let GraphqlResponse { body, outcome, operation, errors, headers } = answer;
    let status = match (outcome, media) {
        (Outcome::MutationByGet, _) => StatusCode::METHOD_NOT_ALLOWED,
        (Outcome::RequestError(code), MediaType::GraphqlResponse) => status_of(code),
        (Outcome::RequestError(_), MediaType::Json) | (Outcome::Executed, _) => StatusCode::OK,
    };
    let mut response = json(status, media, body);
    // Line by line: cookies may not be joined (RFC 6265 section 3).
    response.headers_mut().extend(headers);
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        StatusCode::UNAUTHORIZED => {
            response.headers_mut().insert(WWW_AUTHENTICATE, Refusal::invitation());
        }
        _ => {}
    }
    response.extensions_mut().insert(Told { operation, errors, ..Told::default() });
    Whole(response)
}

/// An error on any path but GraphQL's (RFC 9457).
pub(super) fn problem(
    status: StatusCode,
    code: Code,
    detail: &str,
    request_id: &RequestId,
) -> Response {
    let mut body = br#"{"type":"about:blank","title":"#.to_vec();
    write_string(&mut body, status.canonical_reason().unwrap_or("Error"));
    body.extend_from_slice(format!(r#","status":{},"detail":"#, status.as_u16()).as_bytes());
    write_string(&mut body, detail);
    body.extend_from_slice(br#","instance":"#);
    write_string(&mut body, request_id.as_str());
    body.extend_from_slice(br#","code":"#);
    write_string(&mut body, code.as_str());
    body.push(b'}');
    bytes(status, PROBLEM, body.into())
}

/// An answer of JSON bytes in one of GraphQL's media types.
fn json(status: StatusCode, media: MediaType, body: Bytes) -> http::Response<Bytes> {
    whole(status, media.content_type(), body)
}

/// Which methods a path answers, for who asks just that (RFC 9110 section 9.3.7).
pub(super) fn options(allowed: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// An answer that is the caller's own and no page: no cache keeps it, no browser reads it as
/// anything else.
pub(super) fn bytes(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response {
    whole(status, content_type, body).map(Body::from)
}

fn whole(status: StatusCode, content_type: HeaderValue, body: Bytes) -> http::Response<Bytes> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    response
}

fn error_body(code: Code, message: &str) -> Bytes {
    let mut body = br#"{"errors":[{"message":"#.to_vec();
    write_string(&mut body, message);
    body.extend_from_slice(br#","extensions":{"code":"#);
    write_string(&mut body, code.as_str());
    body.extend_from_slice(b"}}]}");
    body.into()
}
