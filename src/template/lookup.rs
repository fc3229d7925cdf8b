//! What a reference gives for one request, and what it means where that is null or of a wrong kind.
//!
//! The one place that decides who is told: a null never becomes text.

use std::borrow::Cow;

use http::HeaderMap;

use super::{Key, Reference, Root};
use crate::json::{Kind, Value};

/// What a request's templates may read.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The field's arguments: an object with defaults applied and wire names below each argument.
    pub args: Value<'a>,
    /// The parent's captured values, by slot; `None` where its object has no such property.
    pub this: &'a [Option<Value<'a>>],
    /// The caller's claims; `None` for an anonymous caller.
    pub claims: Option<Value<'a>>,
    /// The headers of the client's request.
    pub headers: &'a HeaderMap,
    /// The key of a lookup that asks for one at a time.
    pub key: Option<&'a Key>,
}

/// Why there is no request.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RenderError {
    /// The parent's value or the key is null or not there: the field is null, without a request.
    #[error("a value of the parent is null")]
    Null,
    /// The caller has no such claim (`UNAUTHENTICATED`).
    #[error("the caller has no claim `{claim}`")]
    Unauthenticated {
        /// The claim's path.
        claim: String,
    },
    /// The client's own input cannot be sent (`BAD_USER_INPUT`). The message may be shown to it.
    #[error("{message}")]
    Refused {
        /// What is wrong with which argument or header.
        message: String,
    },
    /// An upstream's value cannot stand where the template puts it (`UPSTREAM_BAD_ANSWER`).
    #[error("{message}")]
    BadAnswer {
        /// What is wrong with which property.
        message: String,
    },
    /// A key that cannot be sent. Whose fault it is depends on where the key was read from.
    #[error("{message}")]
    Key {
        /// The key's text.
        key: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A reference as text, for a URL, a header or the inside of a string.
pub(super) enum Text<'a> {
    /// A null argument or client header, or an empty list of the client's: leave out what holds it.
    Absent,
    One(Cow<'a, str>),
    /// The items of a list, at least one.
    Many(Vec<Cow<'a, str>>),
}

/// A reference as JSON, for a body.
pub(super) enum Json<'a> {
    Absent,
    Null,
    Value(Value<'a>),
    /// The values of a path with `[*]`.
    Several(Vec<Value<'a>>),
    /// A client's header: always a string.
    Header(Cow<'a, str>),
    Key(&'a Key),
}

impl<'a> Values<'a> {
    /// The value with its JSON type. A null that is not the client's is an error.
    pub(super) fn json(&self, reference: &Reference) -> Result<Json<'a>, RenderError> {
        let json = match &reference.root {
            Root::Args if reference.path.is_single() => match reference.path.eval(self.args) {
                Some(value) if value.is_null() => Json::Null,
                Some(value) => Json::Value(value),
                None => Json::Absent,
            },
            Root::Args => Json::Several(reference.path.eval_all(self.args).collect()),
            Root::This => self.this(reference)?,
            Root::Claims => self.claim(reference)?,
            Root::Headers(name) => self.header(reference, name)?,
            Root::Key => self.key.map_or(Json::Null, Json::Key),
            // The keys are put into their place when the request is finished, and parsing lets no
            // other root in.
            Root::Keys | Root::Answer => Json::Null,
        };
        match (json, &reference.root) {
            (Json::Null, Root::Args | Root::Headers(_)) => Ok(Json::Null),
            (Json::Null | Json::Absent, Root::Claims) => Err(unauthenticated(reference)),
            (Json::Null | Json::Absent, Root::This | Root::Key | Root::Keys | Root::Answer) => {
                Err(RenderError::Null)
            }
            (json, _) => Ok(json),
        }
    }

    /// The value as text. Objects, and lists in lists, are refused.
    pub(super) fn text(&self, reference: &Reference) -> Result<Text<'a>, RenderError> {
        match self.json(reference)? {
            Json::Absent | Json::Null => Ok(Text::Absent),
            Json::Header(text) => unseparated(reference, text).map(Text::One),
            Json::Key(key) => Ok(Text::One(Cow::Borrowed(key.text()))),
            Json::Value(value) if value.kind() == Kind::Array => {
                list(reference, &mut value.items())
            }
            Json::Several(values) => list(reference, &mut values.into_iter()),
            Json::Value(value) => scalar(reference, value)
                .and_then(|text| unseparated(reference, text))
                .map(Text::One),
        }
    }

    /// No list where `[*]` takes the items of one is a null if nothing is there, else a fault.
    fn this(&self, reference: &Reference) -> Result<Json<'a>, RenderError> {
        let value = self.this.get(reference.slot.index).copied().flatten();
        match (value.filter(|value| !value.is_null()), &reference.slot.below) {
            (Some(value), Some(below)) if value.kind() == Kind::Array => {
                Ok(Json::Several(below.eval_all(value).collect()))
            }
            (Some(_), Some(_)) => Err(blame(reference, "is no list")),
            (Some(value), None) => Ok(Json::Value(value)),
            (None, _) => Ok(Json::Null),
        }
    }

    fn claim(&self, reference: &Reference) -> Result<Json<'a>, RenderError> {
        let Some(claims) = self.claims else { return Ok(Json::Null) };
        let found = reference.path.list(claims).filter(|found| !found.is_null());
        match found {
            Some(value) if reference.path.is_single() => Ok(Json::Value(value)),
            Some(list) if list.kind() == Kind::Array => {
                Ok(Json::Several(reference.path.eval_all(claims).collect()))
            }
            Some(_) => Err(blame(reference, "is no list")),
            None => Ok(Json::Null),
        }
    }

    /// Several lines of one header are one list (RFC 9110 section 5.3).
    fn header(
        &self,
        reference: &Reference,
        name: &http::HeaderName,
    ) -> Result<Json<'a>, RenderError> {
        let mut joined: Option<Cow<'a, str>> = None;
        for line in self.headers.get_all(name) {
            let line = std::str::from_utf8(line.as_bytes())
                .map_err(|_| blame(reference, "is not UTF-8"))?;
            joined = Some(match joined {
                None => Cow::Borrowed(line),
                Some(text) => Cow::Owned(format!("{text}, {line}")),
            });
        }
        Ok(joined.map_or(Json::Absent, Json::Header))
    }
}

/// The error of a value that cannot stand where it is put: its origin says who is told.
pub(super) fn blame(reference: &Reference, fault: &str) -> RenderError {
    let name = reference.as_written().strip_prefix("args").unwrap_or_default();
    match &reference.root {
        Root::Args => {
            let name = name.strip_prefix('.').unwrap_or(name);
            RenderError::Refused { message: format!("argument `{name}` {fault}") }
        }
        Root::Headers(name) => RenderError::Refused { message: format!("header `{name}` {fault}") },
        Root::This | Root::Answer => {
            RenderError::BadAnswer { message: format!("`{}` {fault}", reference.as_written()) }
        }
        // Who cannot name what the upstream must be told is nobody to it.
        Root::Claims => unauthenticated(reference),
        Root::Key | Root::Keys => {
            RenderError::Key { key: String::new(), message: format!("the key {fault}") }
        }
    }
}

fn unauthenticated(reference: &Reference) -> RenderError {
    RenderError::Unauthenticated { claim: reference.path.to_string() }
}

/// An error unless nothing but the client's own goes when a parameter, header or text is left out
/// for this absent reference: a null must not take a key, a claim or the parent's value with it.
pub(super) fn may_leave_out<'r>(
    reference: &Reference,
    mut others: impl Iterator<Item = &'r Reference>,
) -> Result<(), RenderError> {
    if others.all(|other| matches!(other.root, Root::Args | Root::Headers(_))) {
        return Ok(());
    }
    Err(blame(reference, "is null, but stands beside values that must be sent"))
}

/// Only the client may widen a request, by an empty list of its own; one of the parent's or the
/// caller's is like a null.
fn list<'a>(
    reference: &Reference,
    items: &mut dyn Iterator<Item = Value<'a>>,
) -> Result<Text<'a>, RenderError> {
    let mut texts = Vec::new();
    for item in items {
        let text = match (item.kind(), &reference.root) {
            (Kind::Null, Root::Args) => return Err(blame(reference, "holds a null")),
            (Kind::Null, _) => return Err(RenderError::Null),
            _ => scalar(reference, item)?,
        };
        texts.push(unseparated(reference, text)?);
    }
    match (texts.is_empty(), &reference.root) {
        (false, _) => Ok(Text::Many(texts)),
        (true, Root::Args) => Ok(Text::Absent),
        (true, Root::Claims) => Err(unauthenticated(reference)),
        (true, _) => Err(RenderError::Null),
    }
}

/// One part of a joined list must stay one part.
fn unseparated<'a>(reference: &Reference, text: Cow<'a, str>) -> Result<Cow<'a, str>, RenderError> {
    if reference.join.is_some_and(|separator| text.contains(separator)) {
        return Err(blame(reference, "holds the separator of its list"));
    }
    Ok(text)
}

fn scalar<'a>(reference: &Reference, value: Value<'a>) -> Result<Cow<'a, str>, RenderError> {
    scalar_text(value).ok_or_else(|| blame(reference, "is no single value"))
}

/// A string, number or boolean as text; a number with the digits it has.
pub(super) fn scalar_text(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::String => value.as_str(),
        Kind::Number => value.as_number().map(Cow::Borrowed),
        Kind::Boolean => {
            value.as_bool().map(|yes| Cow::Borrowed(if yes { "true" } else { "false" }))
        }
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}
