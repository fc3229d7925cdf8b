//! Headers of upstreams' answers that the client is given (`[headers] return`).
//!
//! Only calls that the request itself has made give any: what a kept answer or another request's call
//! brought was said to somebody else. They are given in the plan's order, whichever came first.

use std::sync::{Mutex, PoisonError};

use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

use crate::observe::RequestId;
use crate::plan::{FetchId, OperationKind, Plan};

/// The most lines that a client is given. Many clients take a hundred headers in all.
const LINES_MAX: usize = 64;
/// The most bytes of them, names and values. Many clients and proxies take 8 or 16 KiB of headers in
/// all.
const BYTES_MAX: usize = 6 * 1024;

/// What the calls of one request have brought for the client.
#[derive(Debug, Default)]
pub struct Returned(Mutex<Vec<Brought>>);

/// What one call has brought.
#[derive(Debug)]
struct Brought {
    place: CallPlace,
    lines: Vec<(HeaderName, HeaderValue)>,
}

/// The place of a call in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallPlace {
    /// The step's number.
    pub(super) step: usize,
    /// The fetch that it was made for first.
    pub(super) fetch: FetchId,
    /// How many the step had asked for before it.
    pub(super) nth: usize,
}

impl Returned {
    /// Notes a call that has ended, to a service that gives back these headers; without an answer it
    /// brings none.
    pub(super) fn note(
        &self,
        place: CallPlace,
        returns: &[HeaderName],
        answer: Option<&HeaderMap>,
    ) {
        if returns.is_empty() {
            return;
        }
        let lines = |name| {
            let values = answer.into_iter().flat_map(move |answer| answer.get_all(name));
            values.map(move |value| (HeaderName::clone(name), value.clone()))
        };
        let lines = returns.iter().flat_map(lines).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Brought { place, lines });
    }

    /// What the client is given. Lines that are the same are one line, but for cookies, which set
    /// each other's values; those only come from what may write ([`sets_cookies`]). What no longer
    /// fits is left out.
    pub(crate) fn headers(&self, plan: &Plan, request_id: &RequestId) -> HeaderMap {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.sort_by_key(|brought| brought.place);
        let sets_cookies = sets_cookies(plan, all.len());
        let mut given = Given::default();
        for (name, value) in all.into_iter().flat_map(|brought| brought.lines) {
            if name != SET_COOKIE {
                given.add(name, value, true);
            } else if sets_cookies {
                given.add(name, value, false);
            } else {
                given.withheld += 1;
            }
        }
        given.finish(request_id)
    }
}

/// Whether a client may be given the cookies that these calls set: of a mutation, whose fields run
/// in turn, and of a query that is one request upstream. Of several that run at the same time it
/// would depend on the plan which cookie stays.
fn sets_cookies(plan: &Plan, calls: usize) -> bool {
    match plan.kind {
        OperationKind::Mutation => true,
        OperationKind::Query | OperationKind::Subscription => plan.fetches.len() == 1 && calls == 1,
    }
}

#[derive(Default)]
struct Given {
    headers: HeaderMap,
    bytes: usize,
    /// Cookies that are not for the client.
    withheld: usize,
    /// Lines that had no room.
    over: usize,
}

impl Given {
    fn add(&mut self, name: HeaderName, value: HeaderValue, once: bool) {
        if once && self.headers.get_all(&name).iter().any(|other| *other == value) {
            return;
        }
        let bytes = self.bytes + name.as_str().len() + value.len();
        if bytes > BYTES_MAX || self.headers.len() >= LINES_MAX {
            self.over += 1;
            return;
        }
        self.bytes = bytes;
        self.headers.append(name, value);
    }

    fn finish(self, request_id: &RequestId) -> HeaderMap {
        let Self { headers, withheld, over, .. } = self;
        if withheld > 0 {
            tracing::debug!(
                %request_id,
                cookies = withheld,
                "not given to the client: a query that makes several requests sets no cookies"
            );
        }
        if over > 0 {
            tracing::warn!(
                %request_id,
                lines = over,
                "headers for the client are left out: there is room for {LINES_MAX} lines and \
                 {BYTES_MAX} bytes"
            );
        }
        headers
    }
}
