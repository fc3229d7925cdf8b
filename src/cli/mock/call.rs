//! What a request asks: the resource its path names, its method, and its body as a row.

use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

use super::answer::Refusal;
use super::data::{Row, kind};
use super::names::singular;

/// What a path names.
#[derive(Debug, PartialEq)]
pub(super) enum Target {
    /// `/`
    Root,
    /// `/db`
    Db,
    /// `/orders`, or `/users/1/orders` with the property that makes a row one of that user's.
    All { name: String, owner: Option<(String, String)> },
    /// `/orders/3`
    One { name: String, id: String },
    /// No resource could be there.
    Nothing,
}

/// What is asked of a target.
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Target {
    /// Reads a raw path; a slash at its end means nothing.
    pub(super) fn parse(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Result<Vec<_>, _> =
            path.split('/').map(|segment| percent_decode_str(segment).decode_utf8()).collect();
        match segments.as_deref() {
            Ok([root]) if root.is_empty() => Self::Root,
            Ok([db]) if db == "db" => Self::Db,
            Ok([name]) => Self::All { name: name.to_string(), owner: None },
            Ok([name, id]) => Self::One { name: name.to_string(), id: id.to_string() },
            Ok([parent, id, name]) => Self::All {
                name: name.to_string(),
                owner: Some((format!("{}Id", singular(parent)), id.to_string())),
            },
            _ => Self::Nothing,
        }
    }
}

impl Call<'_> {
    pub(super) fn reads(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// The body as a row: a JSON object, or a form whose repeated names are lists. No body at all
    /// is an empty row.
    pub(super) fn row(&self) -> Result<Row, Refusal> {
        let content_type = self.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if content_type.is_some_and(|t| t.starts_with(b"application/x-www-form-urlencoded")) {
            return Ok(form(self.body));
        }
        if self.body.is_empty() {
            return Ok(Row::new());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(row)) => Ok(row),
            Ok(other) => Err(Refusal::Bad(format!("the body is {}, not an object", kind(&other)))),
            Err(error) => Err(Refusal::Bad(format!("the body is not JSON: {error}"))),
        }
    }
}

fn form(body: &[u8]) -> Row {
    let mut row = Row::new();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Value::String(value.into_owned());
        match row.get_mut(&*name) {
            None => drop(row.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    row
}
