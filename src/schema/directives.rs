//! The directives as they stand in the SDL: each argument with its place, nothing checked yet but
//! its type. What is missing or of a wrong type has been reported by validation and is left out.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};

use super::catalog::{CacheScope, NotFound};
use super::files::{Files, Place};
use super::text::Text;

/// `@rest(..)`.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) upstream: Option<Text>,
    pub(super) method: http::Method,
    pub(super) path: Option<Text>,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<Text>,
    pub(super) at: Option<Text>,
    pub(super) batch: Option<Batch>,
    pub(super) error: Failure,
    pub(super) timeout: Option<Text>,
    /// Where it is written, and what.
    pub(super) not_found: Option<(Place, NotFound)>,
    /// The `@cacheControl` beside it.
    pub(super) cache: Option<CacheControl>,
}

/// `@cacheControl(..)`.
#[derive(Debug)]
pub(super) struct CacheControl {
    /// The directive itself, without its arguments.
    pub(super) place: Place,
    /// Where it is written, and the seconds.
    pub(super) max_age: Option<(Place, i32)>,
    pub(super) scope: CacheScope,
    /// Arguments that do not work yet.
    pub(super) later: Vec<(Place, &'static str)>,
}

/// `headers: [{name: .., value: ..}]`.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: Text,
    pub(super) value: Text,
}

/// `batch: {..}`.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) place: Place,
    pub(super) key: Option<Text>,
    pub(super) by: Option<Text>,
    pub(super) value: Option<Text>,
    pub(super) first: Option<Text>,
    pub(super) max: Option<(Place, i32)>,
}

/// `error: {..}`.
#[derive(Debug, Default)]
pub(super) struct Failure {
    pub(super) when: Option<Text>,
    pub(super) message: Option<Text>,
    pub(super) code: Option<Text>,
}

/// A directive with one string: `@ref(key:)`, `@json(name:)`, `@discriminator(property:)`,
/// `@computed(cel:)`.
#[derive(Debug)]
pub(super) struct Named {
    /// The directive itself, without its argument.
    pub(super) place: Place,
    pub(super) text: Text,
}

/// What a field says of its source.
#[derive(Debug)]
pub(super) struct FieldSources {
    pub(super) rest: Option<Rest>,
    pub(super) reference: Option<Named>,
    pub(super) json: Option<Named>,
    pub(super) computed: Option<Named>,
}

/// The names of the directives that are sources.
pub(super) const SOURCES: [&str; 4] = ["rest", "ref", "json", "computed"];

impl FieldSources {
    pub(super) fn read(directives: &DirectiveList, files: &Files) -> Self {
        Self {
            rest: Rest::read(directives, files),
            reference: Named::read(directives, "ref", "key", files),
            json: Named::read(directives, "json", "name", files),
            computed: Named::read(directives, "computed", "cel", files),
        }
    }
}

impl Named {
    pub(super) fn read(
        directives: &DirectiveList,
        directive: &str,
        argument: &str,
        files: &Files,
    ) -> Option<Self> {
        let directive = directives.get(directive)?;
        let text = files.text(self::argument(directive, argument)?)?;
        Some(Self { place: place(directive, files)?, text })
    }
}

impl Rest {
    pub(super) fn read(directives: &DirectiveList, files: &Files) -> Option<Self> {
        let directive = directives.get("rest")?;
        let value = |name| argument(directive, name);
        let text = |name| files.text(value(name)?);
        let failure = value("error").map(|error| Failure {
            when: member_text(error, "if", files),
            message: member_text(error, "message", files),
            code: member_text(error, "code", files),
        });
        Some(Self {
            upstream: text("upstream"),
            method: method(value("method")),
            path: text("path"),
            headers: value("headers").map(|list| headers(list, files)).unwrap_or_default(),
            body: text("body"),
            at: text("at"),
            batch: value("batch").and_then(|batch| Batch::read(batch, files)),
            error: failure.unwrap_or_default(),
            timeout: text("timeout"),
            not_found: value("notFound").and_then(|value| not_found(value, files)),
            cache: CacheControl::read(directives, files),
        })
    }
}

impl CacheControl {
    fn read(directives: &DirectiveList, files: &Files) -> Option<Self> {
        let directive = directives.get("cacheControl")?;
        let value = |name| argument(directive, name);
        let later = ["staleWhileRevalidate", "staleIfError", "tags"].into_iter();
        Some(Self {
            place: place(directive, files)?,
            max_age: value("maxAge").and_then(|seconds| number(seconds, files)),
            scope: match value("scope").map(|scope| &**scope) {
                Some(Value::Enum(name)) if name == "PUBLIC" => CacheScope::Public,
                _ => CacheScope::Private,
            },
            later: later
                .filter_map(|name| Some((files.place(value(name)?.location())?, name)))
                .collect(),
        })
    }
}

impl Batch {
    fn read(value: &Node<Value>, files: &Files) -> Option<Self> {
        if !matches!(**value, Value::Object(_)) {
            return None;
        }
        let text = |name| member_text(value, name, files);
        let max = member(value, "max").and_then(|max| number(max, files));
        Some(Self {
            place: files.place(value.location())?,
            key: text("key"),
            by: text("by"),
            value: text("value"),
            first: text("first"),
            max,
        })
    }
}

/// The directive's name with its `@`.
pub(super) fn place(directive: &Node<Directive>, files: &Files) -> Option<Place> {
    let place = files.place(directive.location())?;
    let end = place.span.start + 1 + directive.name.len();
    Some(Place { span: place.span.start..end.min(place.span.end), ..place })
}

fn number(value: &Node<Value>, files: &Files) -> Option<(Place, i32)> {
    match &**value {
        Value::Int(number) => Some((files.place(value.location())?, number.try_to_i32().ok()?)),
        _ => None,
    }
}

/// An argument that is given and not null.
fn argument<'d>(directive: &'d Directive, name: &str) -> Option<&'d Node<Value>> {
    let argument = directive.arguments.iter().find(|argument| argument.name == name)?;
    (!argument.value.is_null()).then_some(&argument.value)
}

/// A field of an input object that is given and not null.
fn member<'v>(value: &'v Node<Value>, name: &str) -> Option<&'v Node<Value>> {
    let Value::Object(fields) = &**value else { return None };
    let (_, value) = fields.iter().find(|(field, _)| field == name)?;
    (!value.is_null()).then_some(value)
}

fn member_text(value: &Node<Value>, name: &str, files: &Files) -> Option<Text> {
    files.text(member(value, name)?)
}

fn headers(list: &Node<Value>, files: &Files) -> Vec<Header> {
    // A single value stands for a list of one (specification section 3.11).
    let items = match &**list {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(list),
    };
    let header = |item| {
        let name = member_text(item, "name", files)?;
        Some(Header { name, value: member_text(item, "value", files)? })
    };
    items.iter().filter_map(header).collect()
}

fn method(value: Option<&Node<Value>>) -> http::Method {
    match value.map(|value| &**value) {
        Some(Value::Enum(name)) => match name.as_str() {
            "POST" => http::Method::POST,
            "PUT" => http::Method::PUT,
            "PATCH" => http::Method::PATCH,
            "DELETE" => http::Method::DELETE,
            _ => http::Method::GET,
        },
        _ => http::Method::GET,
    }
}

fn not_found(value: &Node<Value>, files: &Files) -> Option<(Place, NotFound)> {
    let meaning = match &**value {
        Value::Enum(name) if name == "ERROR" => NotFound::Error,
        _ => NotFound::Null,
    };
    Some((files.place(value.location())?, meaning))
}
