//! Text with `{..}` in it, cut into what is written and what is referred to.
//!
//! Knows nothing of where the text stands: URL, header and body encode the pieces their own way.

use std::ops::Range;

use super::reference::{self, Parsed};
use super::{Environment, Error, Reference};

/// A part of a template's text. Spans are bytes of the whole text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// The author's own text, byte for byte the text at `span` (braces: the second of a pair).
    Literal { text: String, span: Range<usize> },
    /// A value known at start: an environment variable. Encoded like any other value.
    Known { text: String, span: Range<usize> },
    /// A value of each request.
    Reference(Reference),
}

impl Piece {
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Piece::Literal { span, .. } | Piece::Known { span, .. } => span.clone(),
            Piece::Reference(reference) => reference.span.clone(),
        }
    }
}

/// Cuts `text` into pieces; `base` is added to every span. All mistakes are pushed to `errors`,
/// and what is wrong is left out of the pieces.
pub(super) fn parse(
    text: &str,
    base: usize,
    env: Environment<'_>,
    errors: &mut Vec<Error>,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find(['{', '}']).unwrap_or(rest.len());
        if plain > 0 {
            push_literal(&mut pieces, rest, plain, base + at);
            at += plain;
        } else if rest.starts_with("{{") || rest.starts_with("}}") {
            push_literal(&mut pieces, rest, 1, base + at + 1);
            at += 2;
        } else if rest.starts_with('}') {
            let error = Error::new(base + at..base + at + 1, "`}` closes nothing");
            errors.push(error.help("write `}}` for the character itself"));
            at += 1;
        } else {
            let length = placeholder(rest);
            let span = base + at..base + at + length.unwrap_or(rest.len());
            match length.and_then(|length| rest.get(1..length.saturating_sub(1))) {
                Some(inner) => match reference::parse(inner, span.clone(), env) {
                    Ok(Parsed::Known(text)) => pieces.push(Piece::Known { text, span }),
                    Ok(Parsed::Reference(found)) => pieces.push(Piece::Reference(found)),
                    Err(error) => errors.push(error),
                },
                None => errors.push(unclosed(span)),
            }
            at += length.unwrap_or(rest.len());
        }
    }
    pieces
}

/// The one reference that is all of the text, as in `"{args.input}"`.
pub(super) fn whole(pieces: &[Piece]) -> Option<&Reference> {
    match pieces {
        [Piece::Reference(reference)] => Some(reference),
        _ => None,
    }
}

fn push_literal(pieces: &mut Vec<Piece>, rest: &str, length: usize, start: usize) {
    let text = rest.get(..length).unwrap_or_default().to_owned();
    pieces.push(Piece::Literal { text, span: start..start + length });
}

/// The bytes from `{` to its `}`, both counted; a `}` within quotes is part of a name.
fn placeholder(rest: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted => return Some(at + 1),
            b'{' if !quoted => return None,
            _ => {}
        }
    }
    None
}

fn unclosed(span: Range<usize>) -> Error {
    Error::new(span, "`{` is not closed")
        .help("close it as in `{args.id}`, or write `{{` for the character itself")
}
