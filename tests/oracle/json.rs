//! JSON as the oracle reads it: trees of `serde_json`, with rules of its own where that is lax, and
//! paths walked one step at a time.

use serde_json::Value;

/// How deep a body may nest. `serde_json` reads one level less; no test case is that one level.
const MAX_DEPTH: usize = 128;

/// The value of a body, if it is one JSON value.
pub(crate) fn parse(body: &[u8]) -> Option<Value> {
    if depth(body) > MAX_DEPTH || has_lone_surrogate(body) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// How deep brackets nest outside of strings.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Whether a string escapes half of a surrogate pair.
fn has_lone_surrogate(body: &[u8]) -> bool {
    let unit = |at: usize| {
        let escape = body.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u").and_then(|it| std::str::from_utf8(it).ok())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while at < body.len() {
        if body[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => return true,
            Some(_) => at += 6,
            None => at += 2,
        }
    }
    false
}

/// What a path with `[*]` finds.
pub(crate) enum Each<'v> {
    /// No list is there.
    Nothing,
    /// Something else is in its place.
    Wrong,
    Items(Vec<&'v Value>),
}

/// The value at a path without `[*]`.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    assert!(!path.contains("[*]"));
    all(value, path).into_iter().next()
}

/// The values at a path with `[*]`. A list must be where the first one is.
pub(crate) fn each<'v>(value: &'v Value, path: &str) -> Each<'v> {
    let (list, _) = path.split_once("[*]").expect("a path of many");
    match at(value, list) {
        None | Some(Value::Null) => Each::Nothing,
        Some(Value::Array(_)) => Each::Items(all(value, path)),
        Some(_) => Each::Wrong,
    }
}

/// Every value at a path; `.` and the empty path are the value itself.
pub(crate) fn all<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![value];
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let step = step.trim_end_matches(']');
        found = found
            .into_iter()
            .flat_map(|value| match (value, step) {
                (Value::Array(items), "*") => items.iter().collect(),
                (Value::Array(items), step) => item(items, step).into_iter().collect(),
                (Value::Object(members), step) => members.get(step).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
}

fn item<'v>(items: &'v [Value], step: &str) -> Option<&'v Value> {
    match step.parse::<isize>().ok()? {
        from_start @ 0.. => items.get(from_start as usize),
        from_end => items.get(items.len().checked_sub(from_end.unsigned_abs())?),
    }
}

/// A scalar as text: a string's content, a number or Boolean as written.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether something is there that is not null, false or empty.
pub(crate) fn counts(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(_)) => true,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}
