//! The names of metrics. They are part of what operators build upon, so they stand in one place;
//! a name once released does not change its meaning.

/// Counter: requests answered, by operation kind and HTTP status.
pub const REQUESTS: &str = "onedoor_requests_total";
/// Histogram, seconds: from the first byte of a request's head to the last of its response.
pub const REQUEST_DURATION: &str = "onedoor_request_duration_seconds";
/// Gauge: requests being answered.
pub const REQUESTS_IN_FLIGHT: &str = "onedoor_requests_in_flight";
/// Counter: errors in responses, by code.
pub const ERRORS: &str = "onedoor_errors_total";
/// Counter: upstream calls, by service and status or failure code.
pub const UPSTREAM_CALLS: &str = "onedoor_upstream_calls_total";
/// Histogram, seconds: upstream calls, by service.
pub const UPSTREAM_DURATION: &str = "onedoor_upstream_duration_seconds";
/// Counter: upstreams' answers, by what became of them: given again, coalesced, kept, or why not
/// kept.
pub const ANSWERS: &str = "onedoor_upstream_answers_total";
/// Counter: requests refused, by reason.
pub const REFUSALS: &str = "onedoor_refusals_total";
