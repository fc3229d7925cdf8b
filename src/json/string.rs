//! Strings as JSON writes them: comparing, resolving escapes, and writing.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

use super::scan::{byte, string_break};

/// A string of a checked body as it is written, without its quotes.
#[derive(Clone, Copy)]
pub struct RawString<'a> {
    text: &'a [u8],
}

impl<'a> RawString<'a> {
    #[inline(always)]
    pub(super) fn new(text: &'a [u8]) -> RawString<'a> {
        RawString { text }
    }

    /// The text between the quotes, escapes as they are written.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.text
    }

    /// Whether any character is written as an escape.
    #[inline]
    pub fn is_escaped(self) -> bool {
        memchr(b'\\', self.text).is_some()
    }

    /// The string itself; borrowed where nothing is escaped.
    pub fn unescape(self) -> Cow<'a, str> {
        let Some(mut plain) = memchr(b'\\', self.text) else {
            return String::from_utf8_lossy(self.text);
        };
        let mut out = Vec::with_capacity(self.text.len());
        let mut at = 0;
        while at < self.text.len() {
            out.extend_from_slice(self.text.get(at..plain).unwrap_or_default());
            at = escape(self.text, plain, &mut out);
            let rest = self.text.get(at..).unwrap_or_default();
            plain = at + memchr(b'\\', rest).unwrap_or(rest.len());
        }
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    }
}

/// A name that is likely to come, made ready for comparing: see
/// [`Members::next_is`](super::Members::next_is).
#[derive(Clone, Copy, Debug)]
pub struct Foreseen {
    /// The name as it is written and its closing quote, and which bits of that there are.
    text: u128,
    mask: u128,
}

impl Foreseen {
    /// A name as it was written before. Names of more than 15 bytes are never found.
    pub fn new(name: RawString<'_>) -> Foreseen {
        let length = name.text.len() + 1;
        let mut bytes = [0; 16];
        let quoted = name.text.iter().chain(b"\"");
        bytes.iter_mut().zip(quoted).for_each(|(byte, known)| *byte = *known);
        let text = u128::from_le_bytes(bytes);
        match length {
            ..16 => Foreseen { text, mask: (1 << (8 * length)) - 1 },
            16 => Foreseen { text, mask: u128::MAX },
            // Nothing is left of any text, so that none is equal.
            17.. => Foreseen { text: 1, mask: 0 },
        }
    }

    /// Whether it stands in the text at a place.
    #[inline(always)]
    pub(super) fn begins(&self, text: &[u8], at: usize) -> bool {
        let bytes = text.get(at..).and_then(|rest| rest.first_chunk());
        bytes.is_some_and(|bytes| u128::from_le_bytes(*bytes) & self.mask == self.text)
    }
}

/// Compares the string itself, whichever way it is written.
impl PartialEq<str> for RawString<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        let other = other.as_bytes();
        let alike = |(byte, other): &(&u8, &u8)| byte == other && **byte != b'\\';
        let alike = self.text.iter().zip(other).take_while(alike).count();
        match self.text.get(alike) {
            Some(b'\\') => self.unescape().as_bytes() == other,
            next => next.is_none() && alike == other.len(),
        }
    }
}

impl PartialEq<&str> for RawString<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// Shows the length, not the text: bodies may hold secrets.
impl fmt::Debug for RawString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawString({} bytes)", self.text.len())
    }
}

/// Writes a string with its quotes; escapes what RFC 8259 section 7 demands and nothing else.
pub fn write_string(out: &mut Vec<u8>, string: &str) {
    let text = string.as_bytes();
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut at = 0;
    loop {
        let plain = string_break(text, at);
        out.extend_from_slice(text.get(at..plain).unwrap_or_default());
        let Some(&special) = text.get(plain) else { break };
        write_escape(out, special);
        at = plain + 1;
    }
    out.push(b'"');
}

#[cold]
fn write_escape(out: &mut Vec<u8>, special: u8) {
    let short = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef".get(nibble as usize).copied().unwrap_or(0);
            let digits = [digit(special >> 4), digit(special & 15)];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Resolves the escape at `at`, a surrogate pair as one; returns where it ends.
#[cold]
fn escape(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let short = match byte(text, at + 1) {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let first = code_unit(text, at + 2);
            let pair = (0xd800..0xdc00).contains(&first);
            let code = if pair {
                0x10000 + ((first & 0x3ff) << 10 | code_unit(text, at + 8) & 0x3ff)
            } else {
                first
            };
            let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return at + if pair { 12 } else { 6 };
        }
        0 => return text.len(),
        other => other,
    };
    out.push(short);
    at + 2
}

fn code_unit(text: &[u8], at: usize) -> u32 {
    let digit = |at| char::from(byte(text, at)).to_digit(16).unwrap_or(0);
    (at..at + 4).fold(0, |unit, at| unit << 4 | digit(at))
}
