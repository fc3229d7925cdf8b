//! Header templates: of a request (`@rest(headers:)`) and of an upstream's `[identity]`.
//!
//! A value is sent as UTF-8; beyond ASCII that is `obs-text` (RFC 9110 section 5.5). Control
//! characters but the tab are refused, at start in what the author wrote and else in each value.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::line::TextTemplate;
use super::lookup::{RenderError, Values};
use super::{Environment, Error, Reference, Root};
use crate::json::{Body, Path, Value};

/// A header's value as a template.
#[derive(Clone)]
pub(super) struct HeaderText {
    line: TextTemplate,
    /// The whole value, where it holds no reference.
    fixed: Option<HeaderValue>,
}

impl HeaderText {
    pub(super) fn parse(text: &str, env: Environment<'_>, errors: &mut Vec<Error>) -> HeaderText {
        let line = TextTemplate::parse_into(text, env, errors);
        let fixed = line.fixed().and_then(header_value);
        HeaderText { line, fixed }
    }

    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.line.references()
    }

    pub(super) fn references_mut(&mut self) -> impl Iterator<Item = &mut Reference> {
        self.line.references_mut()
    }

    /// The value; `None` where a null argument or client header leaves it out.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Option<HeaderValue>, RenderError> {
        if self.fixed.is_some() {
            return Ok(self.fixed.clone());
        }
        let Some(line) = self.line.render(values)? else { return Ok(None) };
        // A line has no control characters, and nothing else is forbidden.
        header_value(&line).map(Some).ok_or_else(|| RenderError::Refused {
            message: "a header's value holds a control character".to_owned(),
        })
    }
}

/// Values may be secrets (`Bearer {env.TOKEN}`), so none of them prints.
fn header_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Checks a header's name: those that frame the message are the gateway's own.
pub(super) fn parse_name(name: &str) -> Result<HeaderName, Error> {
    let span = 0..name.len();
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(Error::new(span, format!("`{name}` is no header name"))
            .help("letters, digits and `-`; a name holds no template"));
    };
    let own = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
    ];
    if own.contains(&parsed.as_str()) {
        return Err(Error::new(span, format!("the header `{name}` is the gateway's own"))
            .help("it belongs to the connection, not to the request"));
    }
    Ok(parsed)
}

/// A header that tells an upstream who is asking (`[identity]`): literal text, `{claims.x}` and
/// `{env.X}`.
#[derive(Clone)]
pub struct HeaderTemplate {
    text: HeaderText,
}

impl HeaderTemplate {
    /// Parses a header's value.
    ///
    /// # Errors
    /// All mistakes; also a root other than `claims` and `env`.
    pub fn parse(text: &str, env: Environment<'_>) -> Result<HeaderTemplate, Vec<Error>> {
        let mut errors = Vec::new();
        let text = HeaderText::parse(text, env, &mut errors);
        for reference in text.references().filter(|reference| reference.root != Root::Claims) {
            let name = reference.root.name();
            let error = Error::new(reference.span.clone(), format!("`{name}` is not known here"));
            errors.push(error.help("an identity header reads `{claims.x}` and `{env.X}` only"));
        }
        if errors.is_empty() { Ok(HeaderTemplate { text }) } else { Err(errors) }
    }

    /// The claims it reads.
    pub fn claims(&self) -> impl Iterator<Item = &Path> {
        self.text.references().map(|reference| &reference.path)
    }

    /// The value for a caller; `None` where a claim is missing: the header is then left out.
    ///
    /// # Errors
    /// A claim that is there but cannot stand in a header: an object, a list that is not joined,
    /// text with control characters. Sending no header would make the caller a stranger.
    pub fn render(&self, claims: Option<Value<'_>>) -> Result<Option<HeaderValue>, RenderError> {
        let there = |path: &Path| {
            claims.and_then(|claims| path.eval(claims)).is_some_and(|value| !value.is_null())
        };
        if !self.claims().all(there) {
            return Ok(None);
        }
        let none = Body::null();
        let headers = HeaderMap::new();
        let values = Values { args: none.root(), this: &[], claims, headers: &headers, key: None };
        self.text.render(&values)
    }
}

/// Shows which claims are read; literal text may be a secret.
impl fmt::Debug for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.text.references().map(Reference::as_written)).finish()
    }
}
