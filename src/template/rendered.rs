//! A rendered request: everything but its keys, and how the keys come in.
//!
//! Equality is by value over all of it, so that a [`Rendered`] is part of a loader's key: parents
//! for whom it is equal share one request.

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

use super::encode::{self, Component};
use super::lookup::RenderError;
use super::url::bad_segment_value;
use super::{Key, encode::is_dots};
use crate::json;

/// A request without its keys.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Rendered {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) hole: Option<Hole>,
}

/// A finished request, relative to its upstream's URL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, encoded; begins with one slash.
    pub path_and_query: String,
    /// The template's headers, `content-type` among them where there is a body.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Option<Bytes>,
}

/// Where the keys go: a place in the URL, or in the body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Hole {
    pub(super) kind: HoleKind,
    /// Where the segment or parameter begins.
    pub(super) start: usize,
    /// Where the keys stand in it.
    pub(super) at: usize,
    /// Where it ends.
    pub(super) end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum HoleKind {
    /// Joined in one segment.
    Path(char),
    /// A parameter a key, or joined in one.
    Query(Option<char>),
    /// The same in a form.
    Form(Option<char>),
    /// An array in a body.
    Json,
    /// Joined within a string of a body.
    JsonText(char),
}

impl Hole {
    /// The hole of a parameter, where the parameter is the field of a form.
    pub(super) fn in_form(self) -> Hole {
        let kind = match self.kind {
            HoleKind::Query(separator) => HoleKind::Form(separator),
            kind => kind,
        };
        Hole { kind, ..self }
    }
}

impl Rendered {
    /// Whether keys are missing yet.
    pub fn has_keys(&self) -> bool {
        self.hole.is_some()
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL's bytes (path and query) with these keys. It is [`Self::url_base`] and the
    /// [`Self::url_cost`] of each of them.
    pub fn url_len(&self, keys: &[&Key]) -> usize {
        keys.iter().fold(self.url_base(), |sum, key| sum + self.url_cost(key))
    }

    /// What the URL takes beside the keys; one key's cost must be added at least.
    pub fn url_base(&self) -> usize {
        match self.hole {
            Some(Hole { kind: HoleKind::Query(None), start, end, .. }) => {
                self.url.len().saturating_sub(end - start + 1)
            }
            Some(Hole { kind: HoleKind::Query(Some(separator)), .. }) => {
                self.url.len().saturating_sub(separator_len(separator, Component::Query))
            }
            Some(Hole { kind: HoleKind::Path(separator), .. }) => {
                self.url.len().saturating_sub(separator_len(separator, Component::Path))
            }
            Some(Hole {
                kind: HoleKind::Form(_) | HoleKind::Json | HoleKind::JsonText(_), ..
            })
            | None => self.url.len(),
        }
    }

    /// What one key adds to the URL.
    pub fn url_cost(&self, key: &Key) -> usize {
        let Some(Hole { kind, start, end, .. }) = self.hole else { return 0 };
        match kind {
            HoleKind::Query(None) => end - start + encode::value_len(key.text()) + 1,
            HoleKind::Query(Some(separator)) => {
                encode::value_len(key.text()) + separator_len(separator, Component::Query)
            }
            HoleKind::Path(separator) => {
                encode::value_len(key.text()) + separator_len(separator, Component::Path)
            }
            HoleKind::Form(_) | HoleKind::Json | HoleKind::JsonText(_) => 0,
        }
    }

    /// Whether this key can be sent, alone or among others.
    ///
    /// # Errors
    /// [`RenderError::Key`]: it holds the separator of its list, or cannot be a path segment.
    pub fn check_key(&self, key: &Key) -> Result<(), RenderError> {
        let Some(hole) = self.hole else { return Ok(()) };
        let refused =
            |message: String| Err(RenderError::Key { key: key.text().to_owned(), message });
        let separator = match hole.kind {
            HoleKind::Path(separator) | HoleKind::JsonText(separator) => Some(separator),
            HoleKind::Query(separator) | HoleKind::Form(separator) => separator,
            HoleKind::Json => None,
        };
        if separator.is_some_and(|separator| key.text().contains(separator)) {
            return refused("a key holds the separator of its list".to_owned());
        }
        if matches!(hole.kind, HoleKind::Path(_)) {
            if let Some(fault) = bad_segment_value(key.text()) {
                return refused(format!("a key {fault}"));
            }
            let mut segment = self.slice(hole.start, hole.at).to_owned();
            encode::value(&mut segment, key.text());
            segment.push_str(self.slice(hole.at, hole.end));
            if is_dots(&segment) {
                return refused("a key makes a path segment of dots".to_owned());
            }
        }
        Ok(())
    }

    /// Puts the keys into their place. Without a place for keys they are not looked at.
    ///
    /// # Errors
    /// [`RenderError::Null`] where keys are needed and there are none; else what
    /// [`Self::check_key`] says of one of them.
    pub fn finish(&self, keys: &[&Key]) -> Result<Request, RenderError> {
        let Rendered { method, url, headers, body, hole } = self;
        let mut request = Request {
            method: method.clone(),
            path_and_query: String::new(),
            headers: headers.clone(),
            body: None,
        };
        let Some(hole) = hole else {
            request.path_and_query.clone_from(url);
            request.body = body.clone().map(Bytes::from);
            return Ok(request);
        };
        if keys.is_empty() {
            return Err(RenderError::Null);
        }
        for key in keys {
            self.check_key(key)?;
        }
        match (hole.kind, body) {
            (HoleKind::Path(_) | HoleKind::Query(_), _) => {
                request.path_and_query = self.url_with(*hole, keys);
                request.body = body.clone().map(Bytes::from);
            }
            (_, body) => {
                request.path_and_query.clone_from(url);
                request.body = body.as_deref().map(|body| body_with(body, *hole, keys));
            }
        }
        Ok(request)
    }

    fn url_with(&self, hole: Hole, keys: &[&Key]) -> String {
        let mut out = String::with_capacity(self.url_len(keys));
        out.push_str(self.slice(0, hole.start));
        let (head, tail) = (self.slice(hole.start, hole.at), self.slice(hole.at, hole.end));
        let (separator, component) = match hole.kind {
            HoleKind::Path(separator) => (Some(separator), Component::Path),
            HoleKind::Query(separator) => (separator, Component::Query),
            HoleKind::Form(_) | HoleKind::Json | HoleKind::JsonText(_) => (None, Component::Query),
        };
        write_keys(&mut out, (head, tail), separator, component, keys);
        out.push_str(self.slice(hole.end, self.url.len()));
        out
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        self.url.get(start..end).unwrap_or_default()
    }
}

/// Repeats `head key tail` with `&` between, or joins the keys within one of them.
fn write_keys(
    out: &mut String,
    (head, tail): (&str, &str),
    separator: Option<char>,
    component: Component,
    keys: &[&Key],
) {
    out.push_str(head);
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            match separator {
                Some(separator) => encode::separator(out, separator, component),
                None => {
                    out.push_str(tail);
                    out.push('&');
                    out.push_str(head);
                }
            }
        }
        encode::value(out, key.text());
    }
    out.push_str(tail);
}

fn body_with(body: &[u8], hole: Hole, keys: &[&Key]) -> Bytes {
    let slice = |start, end| body.get(start..end).unwrap_or_default();
    let mut out = Vec::with_capacity(body.len() + keys.len() * 16);
    match hole.kind {
        HoleKind::Json => {
            out.extend_from_slice(slice(0, hole.at));
            out.push(b'[');
            for (index, key) in keys.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key.json().as_bytes());
            }
            out.push(b']');
            out.extend_from_slice(slice(hole.at, body.len()));
        }
        HoleKind::JsonText(separator) => {
            let joined = keys.iter().enumerate().fold(String::new(), |mut joined, (index, key)| {
                if index > 0 {
                    joined.push(separator);
                }
                joined.push_str(key.text());
                joined
            });
            let mut quoted = Vec::with_capacity(joined.len() + 2);
            json::write_string(&mut quoted, &joined);
            out.extend_from_slice(slice(0, hole.at));
            // The quotes around the text are the body's own.
            let inner = quoted.get(1..quoted.len().saturating_sub(1));
            out.extend_from_slice(inner.unwrap_or_default());
            out.extend_from_slice(slice(hole.at, body.len()));
        }
        HoleKind::Form(separator) => {
            let text = |start, end| std::str::from_utf8(slice(start, end)).unwrap_or_default();
            let ends = (text(hole.start, hole.at), text(hole.at, hole.end));
            let mut form = String::new();
            write_keys(&mut form, ends, separator, Component::Query, keys);
            out.extend_from_slice(slice(0, hole.start));
            out.extend_from_slice(form.as_bytes());
            out.extend_from_slice(slice(hole.end, body.len()));
        }
        HoleKind::Path(_) | HoleKind::Query(_) => out.extend_from_slice(body),
    }
    Bytes::from(out)
}

fn separator_len(separator: char, component: Component) -> usize {
    let mut text = String::new();
    encode::separator(&mut text, separator, component);
    text.len()
}

/// The query and the headers' values may hold secrets: neither is shown.
impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Rendered", (&self.method, &self.url), &self.headers)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Request", (&self.method, &self.path_and_query), &self.headers)
    }
}

fn show(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    (method, url): (&Method, &str),
    headers: &[(HeaderName, HeaderValue)],
) -> fmt::Result {
    let path = url.split('?').next().unwrap_or_default();
    let headers: Vec<&HeaderName> = headers.iter().map(|(name, _)| name).collect();
    f.debug_struct(name)
        .field("method", method)
        .field("path", &path)
        .field("headers", &headers)
        .finish_non_exhaustive()
}
