//! How the oracle asks an upstream: one request for one key, its URL written by hand.

use serde_json::Value;

use crate::json;
use crate::naive::{Fail, Got, Naive};
use crate::server::{Answer, Asked};
use crate::world::Broken;

/// A request.
pub(crate) struct Ask<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: &'a str,
    pub(crate) body: Option<String>,
    pub(crate) rule: Rule,
}

/// What clients may read of a failure, as `error: {if, message, code}` says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rule {
    pub(crate) when: Option<&'static str>,
    pub(crate) message: Option<&'static str>,
    pub(crate) code: Option<&'static str>,
}

/// A `GET` of a service that reports nothing.
pub(crate) fn get<'a>(service: &'static str, target: &'a str) -> Ask<'a> {
    Ask { service, method: "GET", target, body: None, rule: Rule::default() }
}

pub(crate) fn post<'a>(service: &'static str, target: &'a str, body: &Value) -> Ask<'a> {
    Ask { method: "POST", body: Some(body.to_string()), ..get(service, target) }
}

impl Ask<'_> {
    pub(crate) fn with(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }
}

/// Rows of one key, where one value is made of the first and a list of all.
pub(crate) struct Rows(pub Vec<Value>);

/// How the rows of a batch tell their keys.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Path(&'static str),
    Name,
}

impl Naive<'_> {
    /// The whole answer, unless it has failed; and its status.
    fn answer(&self, ask: &Ask<'_>) -> Result<(u16, Value), Fail> {
        let asked = Asked {
            method: ask.method,
            target: ask.target,
            body: ask.body.as_ref().map(String::as_bytes),
        };
        let (status, body) = match self.call(asked) {
            Answer::Came { status, body } => (status, body),
            Answer::Broken(broken) => {
                let code = match broken {
                    Broken::Unreachable | Broken::Reset => "UPSTREAM_UNAVAILABLE",
                    Broken::Timeout => "UPSTREAM_TIMEOUT",
                    Broken::TooLarge => "UPSTREAM_ANSWER_TOO_LARGE",
                };
                return Err(Fail::of(code, ask.service, None));
            }
        };
        let value = if status == 204 { Some(Value::Null) } else { json::parse(&body) };
        let code = match status {
            200..=299 => match &value {
                None => "UPSTREAM_BAD_ANSWER",
                Some(value) if reports(ask.rule, value) => "UPSTREAM_REPORTED_ERROR",
                Some(_) => return Ok((status, value.unwrap_or_default())),
            },
            400 | 422 => "BAD_USER_INPUT",
            401 => "UNAUTHENTICATED",
            403 => "FORBIDDEN",
            404 | 410 => "NOT_FOUND",
            409 | 412 => "CONFLICT",
            429 => "RATE_LIMITED",
            402..=499 => "UPSTREAM_REJECTED",
            _ => "UPSTREAM_FAILED",
        };
        Err(told(Fail::of(code, ask.service, Some(status)), ask.rule, value.as_ref()))
    }

    /// The value of a request that has the answer for itself.
    pub(crate) fn value(&self, ask: &Ask<'_>, at: &str) -> Result<Got, Fail> {
        let missing = |fail: &Fail| matches!(fail.upstream, Some((_, Some(404 | 410))));
        match self.strict_value(ask, at) {
            Err(fail) if missing(&fail) => Ok(Got::Missing),
            got => got,
        }
    }

    /// The same where 404 is an error (`notFound: ERROR`).
    pub(crate) fn strict_value(&self, ask: &Ask<'_>, at: &str) -> Result<Got, Fail> {
        let (_, answer) = self.answer(ask)?;
        if at.contains("[*]") {
            return match json::each(&answer, at) {
                json::Each::Nothing => Ok(Got::Null),
                json::Each::Wrong => Err(Fail::bad()),
                json::Each::Items(items) => {
                    Ok(Got::Value(Value::Array(items.into_iter().cloned().collect())))
                }
            };
        }
        Ok(json::at(&answer, at).map_or(Got::Null, |value| Got::Value(value.clone())))
    }

    /// The rows of one key out of an answer that may hold those of others.
    pub(crate) fn rows(&self, ask: &Ask<'_>, at: &str, by: By, key: &str) -> Result<Rows, Fail> {
        let (status, answer) = self.answer(ask)?;
        let bad = || Fail::of("UPSTREAM_BAD_ANSWER", ask.service, Some(status));
        let rows: Vec<&Value> = match by {
            By::Name => match json::at(&answer, at) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Object(rows)) => rows.get(key).into_iter().collect(),
                Some(_) => return Err(bad()),
            },
            By::Path(by) => {
                let list = if at.contains("[*]") { at.to_owned() } else { format!("{at}[*]") };
                let rows = match json::each(&answer, &list) {
                    json::Each::Nothing => Vec::new(),
                    json::Each::Wrong => return Err(bad()),
                    json::Each::Items(rows) => rows,
                };
                rows.into_iter().filter(|row| has_key(row, by, key)).collect()
            }
        };
        if let Some(row) = rows.iter().find(|row| reports(ask.rule, row)) {
            let fail = Fail::of("UPSTREAM_REPORTED_ERROR", ask.service, Some(status));
            return Err(told(fail, ask.rule, Some(row)));
        }
        Ok(Rows(rows.into_iter().cloned().collect()))
    }
}

impl Rows {
    /// One value: the wanted part of the first row.
    pub(crate) fn one(self, part: &str) -> Got {
        match self.0.first() {
            None => Got::Missing,
            Some(row) => json::at(row, part).map_or(Got::Null, |part| Got::Value(part.clone())),
        }
    }

    /// A list: the wanted part of every row, lists joined; at most `first`.
    pub(crate) fn many(self, part: &str, first: Option<&Value>) -> Value {
        let mut items = Vec::new();
        for part in self.0.iter().filter_map(|row| json::at(row, part)) {
            match part {
                Value::Null => {}
                Value::Array(parts) => items.extend(parts.iter().cloned()),
                part => items.push(part.clone()),
            }
        }
        if let Some(first) = first.and_then(Value::as_i64) {
            items.truncate(first.max(0) as usize);
        }
        Value::Array(items)
    }
}

fn has_key(row: &Value, by: &str, key: &str) -> bool {
    json::all(row, by).into_iter().any(|found| match found {
        Value::Array(keys) => keys.iter().filter_map(json::text).any(|found| found == key),
        found => json::text(found).is_some_and(|found| found == key),
    })
}

fn reports(rule: Rule, value: &Value) -> bool {
    rule.when.is_some_and(|when| json::counts(json::at(value, when)))
}

/// Puts in what the rule lets clients read.
fn told(mut fail: Fail, rule: Rule, value: Option<&Value>) -> Fail {
    let read = |path: Option<&'static str>| {
        let found = json::at(value?, path?)?;
        match found {
            Value::String(_) | Value::Number(_) => json::text(found).filter(|it| !it.is_empty()),
            _ => None,
        }
    };
    fail.message = read(rule.message);
    if let Some(code) = read(rule.code) {
        fail.code = code;
    }
    fail
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}
