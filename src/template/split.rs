//! Splits a URL template, once, at the delimiters of its literal text.
//!
//! What comes out has a fixed shape: so many segments, these parameters. Values only fill it.

use std::ops::Range;

use super::encode::{self, Component};
use super::text::Piece;
use super::url::{Param, Part, Segment, Url, bad_segment_value, push_literal};
use super::{Error, Reference, Root};

/// Builds a URL from the pieces of its text. White space that holds a line break is dropped, so
/// that a block string may break a URL over lines.
pub(super) fn url(pieces: Vec<Piece>, errors: &mut Vec<Error>) -> Url {
    let end = pieces.last().map_or(0, |piece| piece.span().end);
    let mut splitter = Splitter {
        errors,
        state: State::Start,
        segment: Vec::new(),
        segment_start: 0,
        param: Pending::default(),
        path: Vec::new(),
        query: Vec::new(),
    };
    for piece in pieces {
        match piece {
            Piece::Literal { text, span } => splitter.literal(&text, span.start),
            Piece::Known { text, span } => splitter.known(&text, span),
            Piece::Reference(reference) => splitter.reference(reference),
        }
    }
    splitter.finish(end);
    Url::new(splitter.path, splitter.query)
}

/// An error if the reference is an object as a whole, and so can only stand in a body.
pub(super) fn check_scalar(reference: &Reference) -> Result<(), Error> {
    let whole = reference.path.segments().is_empty();
    if !whole || !matches!(reference.root, Root::Args | Root::This) {
        return Ok(());
    }
    let name = reference.root.name();
    Err(Error::new(reference.span.clone(), format!("`{{{name}}}` is an object"))
        .help(format!("name a part of it, as in `{{{name}.id}}`; a body may take it whole")))
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first slash.
    Start,
    Segment,
    Name,
    Value,
}

struct Splitter<'e> {
    errors: &'e mut Vec<Error>,
    state: State,
    segment: Vec<Part>,
    segment_start: usize,
    param: Pending,
    path: Vec<Segment>,
    query: Vec<Param>,
}

#[derive(Default)]
struct Pending {
    head: String,
    name: String,
    value: Vec<Part>,
    start: usize,
}

impl Splitter<'_> {
    fn literal(&mut self, text: &str, start: usize) {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let length = rest.find(|char| self.is_special(char)).unwrap_or(rest.len());
            if let Some(plain) = rest.get(..length).filter(|plain| !plain.is_empty()) {
                self.plain(plain, start + at);
                at += length;
                continue;
            }
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            match rest.get(..blank).filter(|blank| !blank.is_empty()) {
                Some(blank) if blank.contains('\n') => {}
                Some(blank) => self.plain(blank, start + at),
                None => self.delimiter(rest, start + at),
            }
            at += blank.max(1);
        }
    }

    fn is_special(&self, char: char) -> bool {
        match char {
            ' ' | '\t' | '\r' | '\n' | '#' => true,
            '/' | '?' | '\\' => matches!(self.state, State::Start | State::Segment),
            '&' => matches!(self.state, State::Name | State::Value),
            '=' => self.state == State::Name,
            _ => false,
        }
    }

    fn delimiter(&mut self, rest: &str, at: usize) {
        match rest.as_bytes().first() {
            Some(b'/') => self.end_segment(at, true),
            Some(b'?') => {
                self.end_segment(at, false);
                self.state = State::Name;
                self.param.start = at + 1;
            }
            Some(b'=') => {
                self.param.head.push('=');
                self.param.start = at + 1;
                self.state = State::Value;
            }
            Some(b'&') => self.end_param(at),
            Some(b'#') => self.errors.push(
                Error::new(at..at + 1, "a fragment is never sent")
                    .help("write `%23` for the character itself"),
            ),
            _ => self.errors.push(
                Error::new(at..at + 1, "a backslash is no part of a path")
                    .help("write `/` between segments, `%5C` for the character itself"),
            ),
        }
    }

    fn plain(&mut self, text: &str, at: usize) {
        let result = match self.state {
            State::Start => {
                self.no_slash(at..at + text.len());
                Ok(())
            }
            State::Segment => encoded(&mut self.segment, text, Component::Path, at),
            State::Name => {
                self.param.name.push_str(text);
                encode::literal(&mut self.param.head, text, Component::Query, at)
            }
            State::Value => encoded(&mut self.param.value, text, Component::Query, at),
        };
        self.errors.extend(result.err());
    }

    /// A value known at start is encoded like any other.
    fn known(&mut self, text: &str, span: Range<usize>) {
        match self.state {
            State::Start => self.no_slash(span),
            State::Segment => match bad_segment_value(text) {
                Some(fault) => self.errors.push(Error::new(span, format!("the variable {fault}"))),
                None => push_literal(&mut self.segment, |out| encode::value(out, text)),
            },
            State::Name => {
                self.param.name.push_str(text);
                encode::value(&mut self.param.head, text);
            }
            State::Value => push_literal(&mut self.param.value, |out| encode::value(out, text)),
        }
    }

    fn reference(&mut self, reference: Reference) {
        if let Err(error) = check_scalar(&reference) {
            self.errors.push(error);
        }
        match self.state {
            State::Start => self.no_slash(reference.span),
            State::Segment => {
                if reference.root == Root::Keys && reference.join.is_none() {
                    let error = Error::new(reference.span.clone(), "a path takes keys joined only");
                    self.errors.push(error.help("write `{keys:,}`"));
                }
                self.segment.push(Part::Reference(reference));
            }
            State::Name => {
                self.errors.push(
                    Error::new(reference.span, "a parameter's name cannot be a value")
                        .help("write `name={args.name}`"),
                );
                // A name was meant: not a second mistake.
                self.param.head.push('_');
            }
            State::Value => self.param.value.push(Part::Reference(reference)),
        }
    }

    /// Said once: the segment is taken as begun.
    fn no_slash(&mut self, span: Range<usize>) {
        self.errors.push(
            Error::new(span.clone(), "a path begins with `/`")
                .help("it is relative to the upstream's own URL"),
        );
        self.state = State::Segment;
        self.segment_start = span.start;
        self.path.push(Segment::Literal(String::new()));
    }

    fn end_segment(&mut self, at: usize, more: bool) {
        if self.state == State::Start {
            if !more {
                self.no_slash(at..at + 1);
            }
        } else {
            self.push_segment(at, more);
        }
        self.state = State::Segment;
        self.segment_start = at + 1;
    }

    fn push_segment(&mut self, at: usize, more: bool) {
        let parts = std::mem::take(&mut self.segment);
        let span = self.segment_start..at;
        if parts.is_empty() && more && self.path.is_empty() {
            self.errors.push(
                Error::new(span.start.saturating_sub(1)..at + 1, "a path begins with one `/`")
                    .help("after two a host's name would follow"),
            );
        }
        let text: Option<String> = parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Reference(_) => None,
            })
            .collect();
        if text.as_deref().is_some_and(encode::is_dots) {
            self.errors.push(
                Error::new(span, "`.` and `..` are no segments")
                    .help("write the path that is meant"),
            );
        }
        let slash = format!("/{}", text.as_deref().unwrap_or_default());
        match self.path.last_mut() {
            Some(Segment::Literal(path)) => path.push_str(&slash),
            _ => self.path.push(Segment::Literal(slash)),
        }
        if text.is_none() {
            self.path.push(Segment::Dynamic(parts));
        }
    }

    fn end_param(&mut self, at: usize) {
        let Pending { head, name, value, start } = std::mem::take(&mut self.param);
        if head == "=" {
            self.errors.push(Error::new(start.saturating_sub(1)..start, "a parameter has no name"));
        } else if !head.is_empty() {
            self.query.push(Param { head, name, value, span: start..at });
        }
        self.state = State::Name;
        self.param.start = at + 1;
    }

    fn finish(&mut self, end: usize) {
        match self.state {
            State::Start => self.no_slash(end..end),
            State::Segment => self.push_segment(end, false),
            State::Name | State::Value => self.end_param(end),
        }
    }
}

fn encoded(
    parts: &mut Vec<Part>,
    text: &str,
    component: Component,
    at: usize,
) -> Result<(), Error> {
    let mut result = Ok(());
    push_literal(parts, |out| result = encode::literal(out, text, component, at));
    result
}
