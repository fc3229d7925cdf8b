//! What a client may read of a failure: a stable code, a safe sentence, the service by its public
//! name. Hosts, URLs and bodies of upstreams never stand here; those go to the log.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The stable code of an error, `extensions.code` of a GraphQL error.
///
/// ARCHITECTURE.md lists what each means and what the client sees beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document breaks a rule of the specification's section 5.
    GraphqlValidationFailed,
    /// No operation of that name, or several and none named.
    OperationResolutionFailed,
    /// An argument or variable is not acceptable: by its type, by a template's rule, or to the upstream (400, 422).
    BadUserInput,
    /// The HTTP request is not a GraphQL request.
    BadRequest,
    /// The request's body is over its limit.
    RequestTooLarge,
    /// The document has more tokens, is nested deeper or selects more fields than allowed.
    QueryTooComplex,
    /// Introspection is switched off.
    IntrospectionDisabled,
    /// The caller must say who they are: no token, or a claim is missing, or the upstream said 401.
    Unauthenticated,
    /// The caller may not: the upstream said 403.
    Forbidden,
    /// Nothing there where something must be: upstream 404 or 410, a missing row of a non-null field.
    NotFound,
    /// The upstream said 409 or 412.
    Conflict,
    /// The upstream said 429.
    RateLimited,
    /// The upstream said another 4xx.
    UpstreamRejected,
    /// The upstream said 5xx, or a redirect, which is never followed.
    UpstreamFailed,
    /// The upstream could not be reached, or the connection broke.
    UpstreamUnavailable,
    /// The upstream did not answer within its timeout.
    UpstreamTimeout,
    /// The upstream's answer is not JSON, not whole, or not of the schema's type.
    UpstreamBadAnswer,
    /// The upstream's answer is over its limit.
    UpstreamAnswerTooLarge,
    /// The upstream answered 2xx, but `error.if` found a failure in it and gave no code of its own.
    UpstreamReportedError,
    /// The request would need more upstream calls than allowed.
    TooManyUpstreamCalls,
    /// The response would be larger than allowed.
    ResponseTooLarge,
    /// The client takes a subscription's events more slowly than they come.
    EventsLost,
    /// The request's deadline has passed.
    DeadlineExceeded,
    /// A fault of the gateway itself.
    Internal,
}

impl Code {
    /// Every code, in the order of their declaration.
    pub const ALL: [Self; 25] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::OperationResolutionFailed,
        Self::BadUserInput,
        Self::BadRequest,
        Self::RequestTooLarge,
        Self::QueryTooComplex,
        Self::IntrospectionDisabled,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::UpstreamRejected,
        Self::UpstreamFailed,
        Self::UpstreamUnavailable,
        Self::UpstreamTimeout,
        Self::UpstreamBadAnswer,
        Self::UpstreamAnswerTooLarge,
        Self::UpstreamReportedError,
        Self::TooManyUpstreamCalls,
        Self::ResponseTooLarge,
        Self::EventsLost,
        Self::DeadlineExceeded,
        Self::Internal,
    ];

    /// The code as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolutionFailed => "OPERATION_RESOLUTION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::BadRequest => "BAD_REQUEST",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::UpstreamRejected => "UPSTREAM_REJECTED",
            Self::UpstreamFailed => "UPSTREAM_FAILED",
            Self::UpstreamUnavailable => "UPSTREAM_UNAVAILABLE",
            Self::UpstreamTimeout => "UPSTREAM_TIMEOUT",
            Self::UpstreamBadAnswer => "UPSTREAM_BAD_ANSWER",
            Self::UpstreamAnswerTooLarge => "UPSTREAM_ANSWER_TOO_LARGE",
            Self::UpstreamReportedError => "UPSTREAM_REPORTED_ERROR",
            Self::TooManyUpstreamCalls => "TOO_MANY_UPSTREAM_CALLS",
            Self::ResponseTooLarge => "RESPONSE_TOO_LARGE",
            Self::EventsLost => "EVENTS_LOST",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Internal => "INTERNAL_ERROR",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure, as a client may read it. Cheap to clone: n positions may share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub code: Code,
    /// One safe sentence.
    pub message: Cow<'static, str>,
    /// The upstream's own code, where `@rest(error: {code})` names one; it stands in `extensions.code`'s place.
    pub own_code: Option<Arc<str>>,
    /// The upstream concerned, if any.
    pub upstream: Option<UpstreamStatus>,
}

/// Which upstream failed and how; `extensions.upstream` of a GraphQL error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamStatus {
    /// The service's name: the stem of its settings file.
    pub service: Arc<str>,
    /// The HTTP status it answered, where it answered.
    pub status: Option<u16>,
}

impl Failure {
    /// A failure of the gateway's or the client's making.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), own_code: None, upstream: None }
    }

    /// The same failure, said of an upstream.
    #[must_use]
    pub fn of(mut self, service: &Arc<str>, status: Option<u16>) -> Self {
        self.upstream = Some(UpstreamStatus { service: Arc::clone(service), status });
        self
    }

    /// What `extensions.code` says.
    #[must_use]
    pub fn client_code(&self) -> &str {
        self.own_code.as_deref().unwrap_or(self.code.as_str())
    }
}
