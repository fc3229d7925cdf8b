//! One line of text as a template: a header's value, a cache tag. Nothing in it is encoded, so
//! control characters are refused: at start in what the author wrote, else in each value.

use std::fmt;

use super::lookup::{self, RenderError, Text, Values};
use super::reference::Slot;
use super::split::check_scalar;
use super::text::{self, Piece};
use super::{Environment, Error, Reference, Root};
use crate::json::Path;

/// One line of text with values in it, as a cache tag is (`orders:{claims.sub}`).
#[derive(Clone)]
pub struct TextTemplate {
    parts: Vec<Part>,
}

#[derive(Clone)]
enum Part {
    Literal(String),
    Reference(Reference),
}

impl TextTemplate {
    /// Parses a line.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn parse(text: &str, env: Environment<'_>) -> Result<TextTemplate, Vec<Error>> {
        let mut errors = Vec::new();
        let template = TextTemplate::parse_into(text, env, &mut errors);
        if errors.is_empty() { Ok(template) } else { Err(errors) }
    }

    pub(super) fn parse_into(
        text: &str,
        env: Environment<'_>,
        errors: &mut Vec<Error>,
    ) -> TextTemplate {
        let mut parts = Vec::new();
        for piece in text::parse(text, 0, env, errors) {
            match piece {
                Piece::Literal { text, span } | Piece::Known { text, span } => {
                    if has_control(&text) {
                        let message = "this is one line without control characters";
                        errors.push(Error::new(span, message));
                    }
                    match parts.last_mut() {
                        Some(Part::Literal(before)) => before.push_str(&text),
                        _ => parts.push(Part::Literal(text)),
                    }
                }
                Piece::Reference(reference) => {
                    errors.extend(check_scalar(&reference).err());
                    if reference.root == Root::Keys {
                        let error = Error::new(reference.span.clone(), "keys do not go here");
                        errors.push(error.help("put `{keys}` in the path, the query or the body"));
                    }
                    parts.push(Part::Reference(reference));
                }
            }
        }
        TextTemplate { parts }
    }

    /// What it reads, in the order in which it is written.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    pub(super) fn references_mut(&mut self) -> impl Iterator<Item = &mut Reference> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    /// Turns the names of arguments into those on the wire.
    pub fn rename_args(&mut self, rename: &mut dyn FnMut(&Path) -> Path) {
        for reference in self.references_mut().filter(|found| found.root == Root::Args) {
            reference.path = rename(&reference.path);
        }
    }

    /// Gives every `this.x` its slot among the parent's captured values; equal paths share one.
    pub fn bind_this(&mut self, captures: &mut Vec<Path>) {
        for reference in self.references_mut().filter(|found| found.root == Root::This) {
            reference.slot = Slot::bind(&reference.path, captures);
        }
    }

    /// The whole line, where it holds no reference.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The line; `None` where a null argument or client header leaves it out.
    ///
    /// # Errors
    /// Why there is no line for these values.
    pub fn render(&self, values: &Values<'_>) -> Result<Option<String>, RenderError> {
        let mut out = String::new();
        for part in &self.parts {
            let reference = match part {
                Part::Literal(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Reference(reference) => reference,
            };
            let start = out.len();
            match (values.text(reference)?, reference.join) {
                (Text::Absent, _) => {
                    lookup::may_leave_out(reference, self.references())?;
                    return Ok(None);
                }
                (Text::One(text), _) => out.push_str(&text),
                (Text::Many(texts), Some(separator)) => {
                    for (index, text) in texts.iter().enumerate() {
                        out.extend((index > 0).then_some(separator));
                        out.push_str(text);
                    }
                }
                (Text::Many(_), None) => {
                    return Err(lookup::blame(reference, "is a list, but part of a text"));
                }
            }
            if has_control(out.get(start..).unwrap_or_default()) {
                return Err(lookup::blame(reference, "holds a control character"));
            }
        }
        Ok(Some(out))
    }
}

/// The tab is white space within a line (RFC 9110 section 5.5).
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t')
}

/// Shows what is read; literal text may hold what the environment gave, and is left out.
impl fmt::Debug for TextTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.references().map(Reference::as_written)).finish()
    }
}
