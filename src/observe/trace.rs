//! W3C Trace Context (level 1, with level 2's random flag): where a request belongs in a trace that
//! began elsewhere, and what upstreams are told of it.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries trace id, span id and flags.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header that carries vendors' own data.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-` + 32 + `-` + 16 + `-` + 2.
const LENGTH: usize = 55;

/// Flags that are known: sampled (level 1), random trace id (level 2). Others are sent as zero.
const KNOWN_FLAGS: u8 = 0b11;

/// Members and bytes of a `tracestate` that are passed on; a longer one is left out whole
/// (section 3.3.1.5 asks for at least 512 bytes).
const MAX_STATE: (usize, usize) = (32, 1024);

/// A request's or an upstream call's place in a trace.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
    state: Option<HeaderValue>,
}

impl TraceContext {
    /// The caller's context, or a new trace where it sent none that is valid (section 4.3).
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(TRACEPARENT).iter();
        let parent = match (sent.next(), sent.next()) {
            (Some(value), None) => parse_parent(value.as_bytes()),
            _ => None,
        };
        match parent {
            Some((trace_id, span_id, flags)) => {
                Self { trace_id, span_id, flags, state: parse_state(headers) }
            }
            None => Self::new_trace(),
        }
    }

    /// A trace that begins here, not sampled, with a random id.
    #[must_use]
    pub fn new_trace() -> Self {
        // Zero is no id: the next best number is as random.
        Self {
            trace_id: rand::random::<u128>().max(1),
            span_id: random_span(),
            flags: 0b10,
            state: None,
        }
    }

    /// A new span in the same trace: one for each upstream call.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: random_span(), ..self.clone() }
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The span's id, 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }

    /// Whether the caller records this trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// Sets `traceparent` and, where there is one, `tracestate`.
    pub fn write_to(&self, headers: &mut HeaderMap) {
        let parent = format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags);
        if let Ok(parent) = HeaderValue::from_str(&parent) {
            headers.insert(TRACEPARENT, parent);
        }
        match &self.state {
            Some(state) => headers.insert(TRACESTATE, state.clone()),
            None => headers.remove(TRACESTATE),
        };
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceContext({:032x}-{:016x}-{:02x})", self.trace_id, self.span_id, self.flags)
    }
}

fn random_span() -> u64 {
    rand::random::<u64>().max(1)
}

/// Section 3.2: version, trace id, span id and flags, lower case only. A later version may be
/// longer, its first fields are the same.
fn parse_parent(value: &[u8]) -> Option<(u128, u64, u8)> {
    let (fields, rest) = value.split_at_checked(LENGTH)?;
    let mut parts = fields.split(|byte| *byte == b'-');
    let version = hex(parts.next()?, 2)?;
    let trace_id = hex(parts.next()?, 32)?;
    let span_id = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    let rest_fits = match version {
        0 => rest.is_empty(),
        255 => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    if parts.next().is_some() || !rest_fits || trace_id == 0 || span_id == 0 {
        return None;
    }
    Some((trace_id, u64::try_from(span_id).ok()?, u8::try_from(flags).ok()? & KNOWN_FLAGS))
}

fn hex(digits: &[u8], length: usize) -> Option<u128> {
    if digits.len() != length {
        return None;
    }
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

/// Section 3.3: one list, from as many headers as it comes in. One bad member voids all of it.
fn parse_state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut members = Vec::new();
    for value in headers.get_all(TRACESTATE) {
        let list = value.to_str().ok()?.split(',').map(|member| member.trim_matches([' ', '\t']));
        members.extend(list.filter(|member| !member.is_empty()));
    }
    let state = members.join(",");
    let (most_members, most_bytes) = MAX_STATE;
    let fits = (1..=most_members).contains(&members.len()) && state.len() <= most_bytes;
    let valid = fits && members.iter().all(|member| is_member(member));
    valid.then(|| HeaderValue::from_str(&state).ok()).flatten()
}

/// Section 3.3.1.3: `key=value`, with the characters that each may have.
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let key_char =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
    let begins = key.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    begins
        && key.len() <= 256
        && key.bytes().all(key_char)
        && (1..=256).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && !b",=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn context(parent: &[&str], state: &[&str]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for (name, values) in [(TRACEPARENT, parent), (TRACESTATE, state)] {
            for value in values {
                headers.append(&name, HeaderValue::from_str(value).expect("a header value"));
            }
        }
        TraceContext::from_headers(&headers)
    }

    fn sent(context: &TraceContext) -> (String, Option<String>) {
        let mut headers = HeaderMap::new();
        context.write_to(&mut headers);
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        (text(TRACEPARENT).expect("always sent"), text(TRACESTATE))
    }

    #[test]
    fn a_valid_parent_is_continued() {
        let parent = context(&[GOOD], &["a=1", " b=2 , c@v=3"]);
        assert_eq!(sent(&parent), (GOOD.to_owned(), Some("a=1,b=2,c@v=3".to_owned())));
        assert!(parent.is_sampled());
    }

    #[test]
    fn a_child_keeps_the_trace_and_has_a_span_of_its_own() {
        let parent = context(&[GOOD], &["a=1"]);
        let (one, other) = (parent.child(), parent.child());
        assert_eq!(one.trace_id(), TRACE);
        assert_ne!(one.span_id(), parent.span_id());
        assert_ne!(one.span_id(), other.span_id());
        assert_eq!(sent(&one).1.as_deref(), Some("a=1"));
    }

    #[test]
    fn a_parent_that_breaks_a_rule_begins_a_new_trace() {
        let id = TRACE;
        let cases = [
            String::new(),
            format!("00-{id}-b7ad6b7169203331"),
            format!("00-{id}-b7ad6b7169203331-01-"),
            format!("00-{id}-b7ad6b7169203331-01-x"),
            format!("ff-{id}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{id}-0000000000000000-01"),
            format!("00-{}-b7ad6b7169203331-01", id.to_uppercase()),
            format!("00-{id}-b7ad6b716920333g-01"),
            format!("00_{id}_b7ad6b7169203331_01"),
            format!("0-0{id}-b7ad6b7169203331-01"),
            format!("01-{id}-b7ad6b7169203331-01x"),
        ];
        for parent in &cases {
            let started = context(&[parent], &["a=1"]);
            assert_ne!(started.trace_id(), TRACE, "{parent:?}");
            assert_eq!(sent(&started).1, None, "{parent:?}");
            assert!(!started.is_sampled(), "{parent:?}");
        }
        assert_ne!(context(&[GOOD, GOOD], &[]).trace_id(), TRACE, "two parents are none");
    }

    #[test]
    fn a_later_version_is_read_by_its_first_fields_and_sent_as_ours() {
        let later = context(&[&format!("cc-{TRACE}-b7ad6b7169203331-ff-what-comes")], &[]);
        assert_eq!(sent(&later).0, format!("00-{TRACE}-b7ad6b7169203331-03"));
    }

    #[test]
    fn a_state_that_breaks_a_rule_is_left_out_and_the_parent_kept() {
        let many = vec!["a=1"; 33].join(",");
        let long = format!("a={}", "1".repeat(257));
        for state in ["a", "A=1", "=1", "a=", "a=b=c", " ", many.as_str(), long.as_str()] {
            let kept = context(&[GOOD], &[state]);
            assert_eq!(sent(&kept), (GOOD.to_owned(), None), "{state:?}");
        }
    }
}
