//! Whether an answer may be kept, for how long and for whom: what of RFC 9111 a gateway needs that
//! never asks an upstream whether what it keeps still holds.
//!
//! Where the RFC leaves a choice, it is the careful one: `no-cache` and `private` count as a whole
//! where they name single headers, what cannot be read counts as stale, and nothing is kept without
//! being told how long it is fresh.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::header::{
    AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use http::{Method, StatusCode};

/// The longest that anything is kept. Upstreams say "a year" where they mean "for good".
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Who may be given a kept answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everybody who asks the same.
    Shared,
    /// Callers of the same [`Partition`](super::Partition) only.
    Private,
}

/// An answer that may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// For how long it is fresh, from now.
    pub fresh_for: Duration,
    /// For whom.
    pub scope: Scope,
}

/// Why an answer is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The request was no GET.
    Method,
    /// Its status is not one of those that stand for the thing itself.
    Status,
    /// `no-store`.
    NoStore,
    /// `no-cache`: it must be asked for again each time.
    NoCache,
    /// It sets a cookie, which is for one client.
    SetsCookie,
    /// It depends on what differs from call to call (`Vary`).
    Varies,
    /// It does not say how long it is fresh.
    NoLifetime,
    /// It is no answer: not readable, or it reports a failure of its own.
    Failed,
    /// It was stale when it came, or what it says cannot be read.
    Stale,
    /// Nothing is kept: there is no memory for it.
    Off,
}

impl NotKept {
    /// Every reason there is.
    pub const ALL: [Self; 10] = [
        Self::Method,
        Self::Status,
        Self::NoStore,
        Self::NoCache,
        Self::SetsCookie,
        Self::Varies,
        Self::NoLifetime,
        Self::Failed,
        Self::Stale,
        Self::Off,
    ];

    /// The reason in a word, as the log and labels of metrics have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Status => "status",
            Self::NoStore => "no-store",
            Self::NoCache => "no-cache",
            Self::SetsCookie => "set-cookie",
            Self::Varies => "vary",
            Self::NoLifetime => "no-lifetime",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::Off => "off",
        }
    }
}

/// What the schema says of an answer, in place of the upstream (`@cacheControl`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Declared {
    /// For how long it is fresh.
    pub max_age: Duration,
    /// For whom.
    pub scope: Scope,
}

/// An answer, and what it was asked with.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's headers.
    pub headers: &'a HeaderMap,
    /// Whether the request held anything of the caller's.
    pub of_caller: bool,
    /// How long the answer was under way.
    pub delay: Duration,
    /// The date and time now.
    pub date: SystemTime,
    /// What the schema says.
    pub declared: Option<Declared>,
}

/// What a header that an answer varies with means for who may share the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varying {
    /// All who would be given the answer have sent the same.
    Same,
    /// It tells callers apart.
    Caller,
    /// It is another one each time.
    Call,
}

/// Judges an answer. `varying` says what each header means that `Vary` names.
///
/// # Errors
/// Why it is not kept.
pub fn judge(
    answer: Judged<'_>,
    varying: impl Fn(&HeaderName) -> Varying,
) -> Result<Keep, NotKept> {
    if *answer.method != Method::GET && answer.declared.is_none() {
        return Err(NotKept::Method);
    }
    if !matches!(answer.status.as_u16(), 200 | 203 | 204 | 404 | 410) {
        return Err(NotKept::Status);
    }
    if answer.headers.contains_key(SET_COOKIE) {
        return Err(NotKept::SetsCookie);
    }
    let varies = varies(answer.headers, varying)?;
    if let Some(Declared { max_age, scope }) = answer.declared {
        let scope = if varies == Varying::Caller { Scope::Private } else { scope };
        return keep(max_age, Duration::ZERO, scope);
    }
    let said = CacheControl::read(answer.headers);
    if said.no_store {
        return Err(NotKept::NoStore);
    }
    if said.no_cache {
        return Err(NotKept::NoCache);
    }
    let lifetime = match (said.s_maxage, said.max_age) {
        (Some(s_maxage), _) => s_maxage,
        (None, Some(max_age)) => max_age,
        (None, None) => expires(answer.headers, answer.date)?,
    };
    // RFC 9111 section 3.5, and the gateway's own rule: an answer to nobody in particular.
    let shared = said.public || said.s_maxage.is_some() || said.must_revalidate;
    let scope = if said.private || varies == Varying::Caller || (answer.of_caller && !shared) {
        Scope::Private
    } else {
        Scope::Shared
    };
    keep(lifetime, age(&answer)?, scope)
}

fn keep(lifetime: Duration, age: Duration, scope: Scope) -> Result<Keep, NotKept> {
    match lifetime.min(LONGEST).checked_sub(age) {
        Some(fresh_for) if !fresh_for.is_zero() => Ok(Keep { fresh_for, scope }),
        _ => Err(NotKept::Stale),
    }
}

fn varies(
    headers: &HeaderMap,
    varying: impl Fn(&HeaderName) -> Varying,
) -> Result<Varying, NotKept> {
    let mut varies = Varying::Same;
    for name in headers.get_all(VARY).iter().flat_map(members) {
        match HeaderName::from_bytes(name.as_bytes()).map(|name| varying(&name)) {
            Ok(_) if name == "*" => return Err(NotKept::Varies),
            Ok(Varying::Same) => {}
            Ok(Varying::Caller) => varies = Varying::Caller,
            Ok(Varying::Call) | Err(_) => return Err(NotKept::Varies),
        }
    }
    Ok(varies)
}

/// The members of a list header, without the space around them. A value that is no text has one
/// member that is no name.
fn members(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let text = value.to_str().unwrap_or("*");
    text.split(',').map(str::trim).filter(|member| !member.is_empty())
}

/// How old the answer is now (RFC 9111 section 4.2.3).
fn age(answer: &Judged<'_>) -> Result<Duration, NotKept> {
    let told = match answer.headers.get(AGE) {
        Some(age) => seconds(age.to_str().unwrap_or_default()).ok_or(NotKept::Stale)?,
        None => Duration::ZERO,
    };
    let apparent = date(answer.headers.get(DATE))
        .and_then(|date| answer.date.duration_since(date).ok())
        .unwrap_or_default();
    Ok(apparent.max(told + answer.delay))
}

/// The lifetime by `Expires` (section 5.3); what is no date is in the past.
fn expires(headers: &HeaderMap, now: SystemTime) -> Result<Duration, NotKept> {
    let expires = headers.get(EXPIRES).ok_or(NotKept::NoLifetime)?;
    let expires = date(Some(expires)).ok_or(NotKept::Stale)?;
    let from = date(headers.get(DATE)).unwrap_or(now);
    expires.duration_since(from).map_err(|_| NotKept::Stale)
}

fn date(value: Option<&HeaderValue>) -> Option<SystemTime> {
    httpdate::parse_http_date(value?.to_str().ok()?).ok()
}

/// `delta-seconds` (section 1.2.2): a number too large is as large as can be.
fn seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))))
}

/// Whether an answer is one caller's own by its own account: `private`, or it sets a cookie.
#[must_use]
pub fn is_private(headers: &HeaderMap) -> bool {
    CacheControl::read(headers).private || headers.contains_key(SET_COOKIE)
}

/// The directives that count (section 5.2.2). Of one that is given twice the shorter time counts.
#[derive(Default)]
struct CacheControl {
    no_store: bool,
    no_cache: bool,
    private: bool,
    public: bool,
    must_revalidate: bool,
    max_age: Option<Duration>,
    s_maxage: Option<Duration>,
}

impl CacheControl {
    fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            let Ok(text) = value.to_str() else {
                read.no_store = true;
                continue;
            };
            for (name, argument) in directives(text) {
                read.add(name, argument);
            }
        }
        read
    }

    fn add(&mut self, name: &str, argument: Option<&str>) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let shorter = |known: &mut Option<Duration>| {
            let time = argument.and_then(seconds).unwrap_or_default();
            *known = Some(known.map_or(time, |known| known.min(time)));
        };
        if is("no-store") {
            self.no_store = true;
        } else if is("no-cache") {
            self.no_cache = true;
        } else if is("private") {
            self.private = true;
        } else if is("public") {
            self.public = true;
        } else if is("must-revalidate") {
            self.must_revalidate = true;
        } else if is("max-age") {
            shorter(&mut self.max_age);
        } else if is("s-maxage") {
            shorter(&mut self.s_maxage);
        }
    }
}

/// The directives of a `Cache-Control` value, each with its argument, quotes taken off. A comma
/// within quotes parts nothing.
fn directives(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut quoted = false;
    let parts = text.split(move |char| {
        quoted ^= char == '"';
        char == ',' && !quoted
    });
    parts.filter_map(|part| {
        let part = part.trim();
        let (name, argument) = match part.split_once('=') {
            Some((name, argument)) => (name, Some(argument.trim().trim_matches('"'))),
            None => (part, None),
        };
        (!name.is_empty()).then(|| (name.trim(), argument))
    })
}

/// As the log has it.
impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[path = "freshness/tests.rs"]
mod tests;
