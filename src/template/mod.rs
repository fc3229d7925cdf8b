//! Request templates, header templates, key paths and CEL expressions: what `@rest`, `@ref`,
//! `@computed`, `[identity]` and `[graphql] trace` write, parsed and checked once at start, rendered
//! for each request.
//!
//! A template is text with `{..}` in it. A [`Reference`] inside the braces names one value: a
//! [`Root`] (`args`, `this`, `claims`, `headers`, `key`, `keys`) and a path below it. `{env.X}` is
//! read while parsing. `{{` and `}}` are braces.
//!
//! What holds for every value, whatever it contains:
//!
//! - It never alters the authority, the path's structure, the parameters or the headers around it.
//! - **A null never widens a request.** Only a null argument or client header leaves its parameter
//!   or header out; any other null ends in a [`RenderError`], not in a request.
//! - Numbers keep their digits, strings are unescaped and encoded anew for where they stand.
//!
//! The module knows no schema and does no I/O: it tells which names a template uses, and whether
//! they exist is checked by its caller.

mod body;
mod condition;
mod encode;
mod expression;
mod header;
mod key;
mod line;
mod lookup;
mod reference;
mod rendered;
mod request;
mod split;
mod text;
mod url;
mod warning;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use condition::Condition;
pub use expression::{ComputedValues, Expression, ExpressionReference};
pub use header::HeaderTemplate;
pub use key::{Key, KeyPath};
pub use line::TextTemplate;
pub use lookup::{RenderError, Values};
pub use reference::{Reference, Root};
pub use rendered::{Rendered, Request};
pub use request::{BodyEncoding, KeyMode, Part, PartError, Place, RequestParts, RequestTemplate};
pub use warning::Warning;

/// A mistake in a template, a key path or an expression, found at start.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The bytes at fault, within the text that was parsed.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it, where that is known.
    pub help: Option<String>,
}

impl Error {
    fn new(span: Range<usize>, message: impl Into<String>) -> Error {
        Error { span, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Error {
        self.help = Some(help.into());
        self
    }
}

/// Reads an environment variable; `{env.X}` goes through it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;
