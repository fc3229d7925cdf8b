//! A GraphQL request as HTTP brings it: a JSON object in a body, or parameters of a URL.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode;

use crate::json::{Body, Kind, Place, Value};

use super::reply::Refused;

/// A GraphQL request; the document is not parsed yet.
#[derive(Clone)]
pub struct GraphqlRequest {
    /// The document's text.
    pub document: String,
    /// Which of the document's operations to run.
    pub operation_name: Option<String>,
    variables: Option<(Body, Place)>,
    extensions: Option<(Body, Place)>,
    /// Whether a mutation is refused: the request came by GET.
    pub queries_only: bool,
}

impl GraphqlRequest {
    /// A request for a document without variables, allowed to be a mutation.
    pub fn new(document: impl Into<String>) -> Self {
        Self {
            document: document.into(),
            operation_name: None,
            variables: None,
            extensions: None,
            queries_only: false,
        }
    }

    /// The same with variables; `None` if they are no object.
    #[must_use]
    pub fn with_variables(self, variables: &Body) -> Option<Self> {
        let root = variables.root();
        let object = root.kind() == Kind::Object;
        let place = root.place();
        object.then(|| Self { variables: Some((variables.clone(), place)), ..self })
    }

    /// The variables: an object.
    #[must_use]
    pub fn variables(&self) -> Option<Value<'_>> {
        self.variables.as_ref().map(|(body, place)| body.at(*place))
    }

    /// The protocol's extensions: an object.
    #[must_use]
    pub fn extensions(&self) -> Option<Value<'_>> {
        self.extensions.as_ref().map(|(body, place)| body.at(*place))
    }

    /// Reads a body. Of members with the same name the last counts; unknown ones are left alone, as
    /// the protocol reserves them.
    pub(super) fn from_body(bytes: Bytes) -> Result<Self, Refused> {
        // Some editors and shells write one, and nobody sees it (RFC 8259 section 8.1).
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(Refused::malformed(
                "The body begins with a byte order mark: leave it out.",
            ));
        }
        let body = Body::parse(bytes)
            .map_err(|invalid| Refused::malformed(format!("The body is not JSON: {invalid}.")))?;
        let root = body.root();
        match root.kind() {
            Kind::Object => {}
            Kind::Array => {
                return Err(Refused::malformed(
                    "Batches are not supported: send one request each, they may share a connection.",
                ));
            }
            kind => {
                return Err(Refused::malformed(format!(
                    "The body must be an object with a `query`, not {kind}."
                )));
            }
        }
        let (mut query, mut name, mut variables, mut extensions) = (None, None, None, None);
        for (member, value) in root.members() {
            if member == "query" {
                query = Some(value);
            } else if member == "operationName" {
                name = Some(value);
            } else if member == "variables" {
                variables = Some(value);
            } else if member == "extensions" {
                extensions = Some(value);
            }
        }
        let object = |name, value: Option<Value<'_>>| {
            object(name, value).map(|value| value.map(|value| (body.clone(), value.place())))
        };
        Ok(Self {
            document: string("query", query)?.ok_or_else(no_query)?.into_owned(),
            operation_name: string("operationName", name)?.map(Cow::into_owned),
            variables: object("variables", variables)?,
            extensions: object("extensions", extensions)?,
            queries_only: false,
        })
    }

    /// Reads the parameters of a URL (`application/x-www-form-urlencoded`). Empty ones that may be
    /// left out are left out. None may come twice: which one counts, each reader of URLs decides
    /// otherwise, where all readers of JSON agree on the last.
    pub(super) fn from_query(query: &str) -> Result<Self, Refused> {
        const NAMES: [&str; 4] = ["query", "operationName", "variables", "extensions"];
        let mut values = [const { None }; NAMES.len()];
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            let place = values.iter_mut().zip(NAMES).find(|(_, known)| *known == name);
            let Some((place, known)) = place else { continue };
            if place.replace(decode(value)?).is_some() {
                return Err(Refused::malformed(format!("`{known}` is in the URL more than once.")));
            }
        }
        let [document, operation_name, variables, extensions] = values;
        Ok(Self {
            document: document.ok_or_else(no_query)?,
            operation_name: operation_name.filter(|name| !name.is_empty()),
            variables: parameter("variables", &variables.unwrap_or_default())?,
            extensions: parameter("extensions", &extensions.unwrap_or_default())?,
            queries_only: true,
        })
    }
}

fn no_query() -> Refused {
    Refused::malformed("The request has no `query`.")
}

/// A string, or nothing or null.
fn string<'a>(name: &str, value: Option<Value<'a>>) -> Result<Option<Cow<'a, str>>, Refused> {
    match value.filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| wrong_kind(name, "a string", value)),
    }
}

/// An object, or nothing or null.
fn object<'a>(name: &str, value: Option<Value<'a>>) -> Result<Option<Value<'a>>, Refused> {
    match value.filter(|value| !value.is_null()) {
        Some(value) if value.kind() != Kind::Object => Err(wrong_kind(name, "an object", value)),
        value => Ok(value),
    }
}

fn wrong_kind(name: &str, wanted: &str, found: Value<'_>) -> Refused {
    Refused::malformed(format!("`{name}` must be {wanted}, not {}.", found.kind()))
}

/// A parameter that holds JSON.
fn parameter(name: &str, text: &str) -> Result<Option<(Body, Place)>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let body = Body::parse(Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|invalid| Refused::malformed(format!("`{name}` is not JSON: {invalid}.")))?;
    let place = object(name, Some(body.root()))?.map(Value::place);
    Ok(place.map(|place| (body, place)))
}

fn decode(text: &str) -> Result<String, Refused> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| Refused::malformed("The URL's parameters are not UTF-8."))
}

/// Its size only: a document may hold anything that a user typed.
impl fmt::Debug for GraphqlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlRequest")
            .field("document", &format_args!("{} bytes", self.document.len()))
            .field("operation_name", &self.operation_name)
            .field("queries_only", &self.queries_only)
            .finish_non_exhaustive()
    }
}
