//! The grammar of RFC 8259 over bytes nobody has checked, in one pass without recursion.
//!
//! Leaves behind where every value begins and ends, so that no later pass looks for that again.
//! Knows nothing of values or how they are read.

use std::fmt;

use super::scan::{byte, space, string_break, token};

/// How deep arrays and objects may nest: as deep as `serde_json` reads, and one more.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not a JSON body, and where. Says nothing of the content, so it may be logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The byte at which the text stops being JSON.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong with a text that is no JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing but white space.
    Empty,
    /// Longer than a [`Span`](super::Span) can tell.
    TooLong,
    /// More than [`MAX_DEPTH`] arrays and objects within each other.
    TooDeep,
    /// The text ends within a value.
    Cut,
    /// Something follows the value.
    Trailing,
    /// No value where one must be.
    NoValue,
    /// No property name where one must be.
    NoName,
    /// No `:` after a property's name.
    NoColon,
    /// Neither `,` nor `]` after an item.
    NoCommaOrBracket,
    /// Neither `,` nor `}` after a property.
    NoCommaOrBrace,
    /// A number that RFC 8259 section 6 does not allow (`01`, `1.`, `+1`).
    Number,
    /// A control character within a string.
    Control,
    /// A backslash before something that cannot be escaped.
    Escape,
    /// Half of a surrogate pair.
    Surrogate,
    /// Bytes that are not UTF-8.
    Utf8,
}

/// A value, a property's name or the end of a container, in the order in which they begin.
///
/// | of | `start` | `end` |
/// | --- | --- | --- |
/// | a scalar or a name | its first byte | the byte after its last one |
/// | a container | its opening bracket | the index of the first mark after the container's own |
/// | a container's end | the byte after its closing bracket | 0 |
///
/// A container's own marks stand between it and its end: the items of an array, the names and
/// values of an object in turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What the check leaves behind.
pub(super) struct Checked {
    /// The first is the value's own.
    pub(super) marks: Vec<Mark>,
    /// Whether any property's name is written with an escape.
    pub(super) has_escaped_names: bool,
}

/// Checks a whole text.
pub(super) fn validate(text: &[u8]) -> Result<Checked, Invalid> {
    if u32::try_from(text.len()).is_err() {
        return Err(Invalid { offset: u32::MAX as usize, reason: Reason::TooLong });
    }
    if simdutf8::basic::from_utf8(text).is_err() {
        let offset = simdutf8::compat::from_utf8(text).map_or_else(|e| e.valid_up_to(), str::len);
        return Err(Invalid { offset, reason: Reason::Utf8 });
    }
    let start = space(text, 0);
    if start == text.len() {
        return Err(Invalid { offset: start, reason: Reason::Empty });
    }
    let mut open = Open::new(text.len());
    let end = value(text, start, &mut open)?;
    let rest = space(text, end);
    if rest < text.len() {
        return Err(Invalid { offset: rest, reason: Reason::Trailing });
    }
    Ok(Checked { marks: open.marks, has_escaped_names: open.has_escaped_names })
}

/// One value with all that it holds; returns where it ends.
fn value(text: &[u8], mut at: usize, open: &mut Open) -> Result<usize, Invalid> {
    let mut first = byte(text, at);
    loop {
        if open.in_object() {
            (at, first) = name(text, at, first, open)?;
        }
        match first {
            b'"' => at = open.note(at, string(text, at + 1)?),
            b'0'..=b'9' | b'-' => at = open.note(at, number(text, at)?),
            b'{' => {
                open.push(at, true)?;
                (at, first) = token(text, at + 1);
                if first != b'}' {
                    continue;
                }
            }
            b'[' => {
                open.push(at, false)?;
                (at, first) = token(text, at + 1);
                if first != b']' {
                    continue;
                }
            }
            b't' => at = open.note(at, literal(text, at, b"true")?),
            b'f' => at = open.note(at, literal(text, at, b"false")?),
            b'n' => at = open.note(at, literal(text, at, b"null")?),
            _ => return Err(wrong(text, at, Reason::NoValue)),
        }
        loop {
            if open.depth == 0 {
                return Ok(at);
            }
            (at, first) = token(text, at);
            if first == b',' {
                (at, first) = token(text, at + 1);
                break;
            }
            let (close, reason) = if open.in_object() {
                (b'}', Reason::NoCommaOrBrace)
            } else {
                (b']', Reason::NoCommaOrBracket)
            };
            if first != close {
                return Err(wrong(text, at, reason));
            }
            at += 1;
            open.pop(at);
        }
    }
}

/// A property's name and its colon; returns where the value begins, and its first byte.
#[inline(always)]
fn name(text: &[u8], at: usize, first: u8, open: &mut Open) -> Result<(usize, u8), Invalid> {
    if first != b'"' {
        return Err(wrong(text, at, Reason::NoName));
    }
    let stop = string_break(text, at + 1);
    let end = if byte(text, stop) == b'"' {
        stop + 1
    } else {
        open.has_escaped_names = true;
        escaped_string(text, stop)?
    };
    let (at, colon) = token(text, open.note(at, end));
    if colon != b':' {
        return Err(wrong(text, at, Reason::NoColon));
    }
    Ok(token(text, at + 1))
}

/// A string from after its opening quote; returns where it ends.
#[inline(always)]
fn string(text: &[u8], at: usize) -> Result<usize, Invalid> {
    let at = string_break(text, at);
    if byte(text, at) == b'"' { Ok(at + 1) } else { escaped_string(text, at) }
}

/// The rest of a string, from its first escape or fault.
fn escaped_string(text: &[u8], mut at: usize) -> Result<usize, Invalid> {
    loop {
        match byte(text, at) {
            b'"' => return Ok(at + 1),
            b'\\' => at = escape(text, at)?,
            _ => return Err(wrong(text, at, Reason::Control)),
        }
        at = string_break(text, at);
    }
}

/// One escape from its backslash; a surrogate pair is one (RFC 8259 section 7).
fn escape(text: &[u8], at: usize) -> Result<usize, Invalid> {
    match byte(text, at + 1) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => match code_unit(text, at + 2)? {
            0xd800..=0xdbff => {
                let low = text.get(at + 6..).is_some_and(|rest| rest.starts_with(b"\\u"));
                match low.then(|| code_unit(text, at + 8)).transpose()? {
                    Some(0xdc00..=0xdfff) => Ok(at + 12),
                    _ => Err(wrong(text, at, Reason::Surrogate)),
                }
            }
            0xdc00..=0xdfff => Err(wrong(text, at, Reason::Surrogate)),
            _ => Ok(at + 6),
        },
        _ => Err(wrong(text, at + 1, Reason::Escape)),
    }
}

/// Four hexadecimal digits.
fn code_unit(text: &[u8], at: usize) -> Result<u16, Invalid> {
    (at..at + 4).try_fold(0, |unit, at| match char::from(byte(text, at)).to_digit(16) {
        Some(digit) => Ok(unit << 4 | digit as u16),
        None => Err(wrong(text, at, Reason::Escape)),
    })
}

/// A number (RFC 8259 section 6); returns where it ends.
#[inline(always)]
pub(super) fn number(text: &[u8], at: usize) -> Result<usize, Invalid> {
    let start = at + usize::from(byte(text, at) == b'-');
    let mut at = digits(text, start)?;
    if byte(text, start) == b'0' && at > start + 1 {
        return Err(wrong(text, start + 1, Reason::Number));
    }
    if byte(text, at) == b'.' {
        at = digits(text, at + 1)?;
    }
    if byte(text, at) | 0x20 == b'e' {
        at += 1 + usize::from(matches!(byte(text, at + 1), b'+' | b'-'));
        at = digits(text, at)?;
    }
    Ok(at)
}

/// One digit or more.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Result<usize, Invalid> {
    let mut at = start;
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    if at > start { Ok(at) } else { Err(wrong(text, at, Reason::Number)) }
}

#[inline(always)]
fn literal(text: &[u8], at: usize, literal: &[u8]) -> Result<usize, Invalid> {
    if text.get(at..).is_some_and(|rest| rest.starts_with(literal)) {
        return Ok(at + literal.len());
    }
    Err(wrong_literal(text, at, literal))
}

/// Points at the first byte that differs.
#[cold]
fn wrong_literal(text: &[u8], at: usize, literal: &[u8]) -> Invalid {
    let rest = text.get(at..).unwrap_or_default();
    let same = rest.iter().zip(literal).take_while(|(a, b)| a == b).count();
    wrong(text, at + same, Reason::NoValue)
}

/// What is missing at the text's end is not wrong but cut off.
#[cold]
fn wrong(text: &[u8], offset: usize, reason: Reason) -> Invalid {
    Invalid { offset, reason: if offset < text.len() { reason } else { Reason::Cut } }
}

/// The containers open at the moment, and the marks made so far.
struct Open {
    /// One bit a level, the innermost lowest: whether it is an object.
    objects: u128,
    depth: usize,
    /// For each level the index of its container's mark.
    levels: [u32; MAX_DEPTH],
    marks: Vec<Mark>,
    has_escaped_names: bool,
}

impl Open {
    /// Few texts have more than a mark for every six bytes.
    fn new(len: usize) -> Open {
        let marks = Vec::with_capacity(len / 6 + 4);
        Open { objects: 0, depth: 0, levels: [0; MAX_DEPTH], marks, has_escaped_names: false }
    }

    #[inline(always)]
    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// Marks a scalar or a name; returns its end.
    #[inline(always)]
    fn note(&mut self, start: usize, end: usize) -> usize {
        self.marks.push(Mark { start: start as u32, end: end as u32 });
        end
    }

    #[inline(always)]
    fn push(&mut self, at: usize, object: bool) -> Result<(), Invalid> {
        let Some(level) = self.levels.get_mut(self.depth) else {
            return Err(Invalid { offset: at, reason: Reason::TooDeep });
        };
        *level = self.marks.len() as u32;
        self.marks.push(Mark { start: at as u32, end: 0 });
        self.objects = self.objects << 1 | u128::from(object);
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn pop(&mut self, end: usize) {
        self.objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
        self.marks.push(Mark { start: end as u32, end: 0 });
        let next = self.marks.len() as u32;
        let index = self.levels.get(self.depth).map_or(usize::MAX, |index| *index as usize);
        if let Some(container) = self.marks.get_mut(index) {
            container.end = next;
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid JSON at byte {}: {}", self.offset, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Empty => "the text is empty",
            Reason::TooLong => "the text is longer than 4 GiB",
            Reason::TooDeep => "arrays and objects nest deeper than 128",
            Reason::Cut => "the text ends before its value does",
            Reason::Trailing => "something follows the value",
            Reason::NoValue => "expected a value",
            Reason::NoName => "expected a property name in double quotes",
            Reason::NoColon => "expected `:` after a property name",
            Reason::NoCommaOrBracket => "expected `,` or `]` after an item",
            Reason::NoCommaOrBrace => "expected `,` or `}` after a property",
            Reason::Number => "a number is malformed",
            Reason::Control => "a control character stands unescaped in a string",
            Reason::Escape => "an escape sequence is malformed",
            Reason::Surrogate => "an escape is half of a surrogate pair",
            Reason::Utf8 => "the text is not UTF-8",
        })
    }
}

impl std::error::Error for Invalid {}
