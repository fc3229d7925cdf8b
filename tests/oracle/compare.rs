//! Whether the gateway's response and calls are what the oracle's say they must be.
//!
//! `data` is equal as text, members in order and numbers by their digits. Errors are equal one by
//! one, in the order of the response, by path, code and, where the schema lets it through, message,
//! service and status. What apollo's executor reports differs from what the gateway does in two
//! points, and these alone are levelled:
//!
//! - One error stands for a position that became null (the nearest position at or above the failure
//!   where null may stand); the gateway reports none beneath it. Apollo reports those which it met
//!   before the one that propagated. Of apollo's errors beneath one nulled position the last is the
//!   one that propagated, for nothing beneath that position is executed afterwards; the rest goes.
//! - Where several failures null the same position, apollo stops at the first in response order. The
//!   gateway knows an answer's own failures before those of the requests that are made for what is
//!   in it, so of these the first counts, fetched or not: within one answer, first the values that
//!   the answer itself has not right, in response order; then what requests were to bring, in
//!   response order, and within that the same again. Either error may stand. To know all failures
//!   the oracle executes once more with every field nullable, so that nothing is left out.

use std::collections::{HashMap, HashSet};

use apollo_compiler::response::{GraphQLError, ResponseDataPathSegment};
use serde_json::Value;

use crate::naive::{Fail, Failure, Outcome, decode};
use crate::server::{Call, State};
use crate::strict::Response;

/// A position that became null, and why.
struct Expected {
    at: Vec<Value>,
    path: Vec<Value>,
    fail: Fail,
}

/// Compares data and errors. `relaxed` executes once more with every field nullable.
pub(crate) fn responses(
    ours: &Response,
    oracle: &Outcome,
    relaxed: &mut dyn FnMut() -> Vec<Failure>,
) -> Result<(), String> {
    let text = |data: &dyn Fn() -> serde_json::Result<String>| data().expect("JSON is written");
    let theirs = text(&|| serde_json::to_string(&oracle.response.data));
    let own = text(&|| serde_json::to_string(&ours.data));
    if own != theirs {
        return Err(format!("data differs\n  ours:   {own}\n  oracle: {theirs}"));
    }
    let expected = expected(&oracle.response.errors, ours.data.as_ref());
    let mut known: Option<Vec<Failure>> = None;
    for (index, reported) in ours.errors.iter().enumerate() {
        let place = nulled(&reported.path, ours.data.as_ref());
        let Some(expected) = expected.get(index).filter(|expected| expected.at == place) else {
            return Err(differ(ours, &expected, index));
        };
        if reported.is(&expected.path, &expected.fail) {
            continue;
        }
        let failures = known.get_or_insert_with(&mut *relaxed);
        let first = first_known(failures, place);
        if !first.is_some_and(|first| reported.is(&first.path, &first.fail)) {
            let told =
                format!("{}\n  or: {first:?}", differ(ours, std::slice::from_ref(expected), index));
            return Err(told);
        }
    }
    if ours.errors.len() < expected.len() {
        return Err(differ(ours, &expected, ours.errors.len()));
    }
    Ok(())
}

fn differ(ours: &Response, expected: &[Expected], index: usize) -> String {
    let mut told = format!("error {index} differs");
    for error in &ours.errors {
        told += &format!("\n  ours:   {}", show(&error.path, &error.code, &error.message));
        if let Some(upstream) = &error.upstream {
            told += &format!(" {upstream:?}");
        }
    }
    for Expected { path, fail, .. } in expected {
        let message = fail.message.as_deref().unwrap_or("-");
        told += &format!("\n  oracle: {}", show(path, &fail.code, message));
        if let Some(upstream) = &fail.upstream {
            told += &format!(" {upstream:?}");
        }
    }
    told
}

fn show(path: &[Value], code: &str, message: &str) -> String {
    format!("{} {code} {message:?}", Value::from(path.to_vec()))
}

/// The oracle's errors, one for each nulled position.
fn expected(errors: &[GraphQLError], data: Option<&Value>) -> Vec<Expected> {
    let mut expected: Vec<Expected> = Vec::new();
    for error in errors {
        let step = |step: &ResponseDataPathSegment| match step {
            ResponseDataPathSegment::Field(key) => Value::from(key.as_str()),
            ResponseDataPathSegment::ListIndex(index) => Value::from(*index),
        };
        let path: Vec<Value> = error.path.iter().map(step).collect();
        let at = nulled(&path, data).to_vec();
        // What lies beneath one position is executed in one go.
        if expected.last().is_some_and(|last| last.at == at) {
            expected.pop();
        }
        expected.push(Expected { at, path, fail: decode(&error.message) });
    }
    expected
}

/// The shortest beginning of a path at whose end the data is null.
fn nulled<'p>(path: &'p [Value], data: Option<&Value>) -> &'p [Value] {
    let Some(mut value) = data else { return &[] };
    for (length, step) in (1..).zip(path) {
        let next = match step {
            Value::String(key) => value.get(key),
            step => step.as_u64().and_then(|index| value.get(index as usize)),
        };
        match next {
            Some(next) if !next.is_null() => value = next,
            _ => return &path[..length],
        }
    }
    path
}

/// Of the failures that null a position, the one that the gateway must know first.
fn first_known<'f>(failures: &'f [Failure], place: &[Value]) -> Option<&'f Failure> {
    let nulls = |failure: &&Failure| {
        let length = failure.nullable.iter().rposition(|nullable| *nullable);
        failure.path[..length.map_or(0, |last| last + 1)] == *place
    };
    let mut candidates: Vec<&Failure> = failures.iter().filter(nulls).collect();
    let mut from = place.len();
    loop {
        let request = |failure: &Failure| {
            let fetched = failure.fetched[from..].iter().position(|fetched| *fetched);
            fetched.map(|at| from + at + 1)
        };
        // Failures are listed in response order.
        if let Some(own) = candidates.iter().find(|failure| request(failure).is_none()) {
            return Some(own);
        }
        let first = *candidates.first()?;
        from = request(first)?;
        candidates.retain(|failure| failure.path.starts_with(&first.path[..from]));
    }
}

/// Checks what the gateway asked: nothing twice, nothing that the oracle did not need, and for one
/// loader no more than its keys and places account for.
pub(crate) fn calls(
    ours: &State,
    oracle: &Outcome,
    mutates: bool,
    relaxed: &mut dyn FnMut() -> Outcome,
) -> Result<(), String> {
    let mut asked = HashSet::new();
    let mut lines = HashSet::new();
    for call in ours.calls.iter().filter(|call| call.reads && !mutates) {
        if !lines.insert(&call.line) {
            return Err(format!("asked twice: {}", call.line));
        }
        for key in &call.keys {
            if !asked.insert((call.endpoint, &call.rest, key)) {
                return Err(format!("key {key} was asked for twice: {}", call.line));
            }
        }
    }
    let mut wider = None;
    if !needs(&oracle.state).is_superset(&needs(ours)) {
        wider = Some(relaxed());
    }
    let oracle = wider.as_ref().unwrap_or(oracle);
    if let Some((endpoint, rest, key)) = needs(ours).difference(&needs(&oracle.state)).next() {
        return Err(format!("nobody needs {key} of {endpoint} {rest}"));
    }
    few_enough(&ours.calls, oracle)
}

fn needs(state: &State) -> HashSet<(&'static str, &str, &str)> {
    let keys = |call: &'_ Call| call.keys.len();
    let mut needs = HashSet::with_capacity(state.calls.iter().map(keys).sum());
    for call in &state.calls {
        needs.extend(call.keys.iter().map(|key| (call.endpoint, &*call.rest, &**key)));
    }
    needs
}

/// All keys that are wanted at one place (the same response keys, whatever the indices) of one
/// loader make one batch, in as many requests as `max` says.
fn few_enough(ours: &[Call], oracle: &Outcome) -> Result<(), String> {
    let mut made: HashMap<(&str, &str), usize> = HashMap::new();
    for call in ours.iter().filter(|call| call.batch) {
        *made.entry((call.endpoint, &call.rest)).or_default() += 1;
    }
    if made.values().all(|made| *made < 2) {
        return Ok(());
    }
    let mut wanted: HashMap<(&str, &str), HashMap<&str, HashSet<&str>>> = HashMap::new();
    for (call, place) in oracle.state.calls.iter().zip(&oracle.places) {
        let places = wanted.entry((call.endpoint, &call.rest)).or_default();
        places.entry(place).or_default().extend(call.keys.iter().map(String::as_str));
    }
    for ((endpoint, rest), made) in made {
        let max = match endpoint {
            "users" => 4,
            "products" | "things" => 3,
            "orders" if rest.is_empty() || rest.starts_with("status") => 3,
            "payments" if rest.starts_with("shop") => 3,
            "settings" if !rest.contains("needed") && !rest.contains("hints") => 2,
            _ => 100,
        };
        let places = wanted.get(&(endpoint, rest)).into_iter().flat_map(HashMap::values);
        let most: usize = places.map(|keys| keys.len().div_ceil(max)).sum();
        if made > most {
            return Err(format!("{made} calls of {endpoint} {rest} where {most} would do"));
        }
    }
    Ok(())
}
