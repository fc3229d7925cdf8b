//! Strings of the SDL, with the way back: what a string says, and where in its file each byte of
//! that stands, so that a mistake inside a template is underlined where it was written.
//!
//! Knows GraphQL's string syntax (specification section 2.9.4), not what the strings mean.

use std::ops::Range;

use super::files::Place;

/// A string as it reads once escapes and the indentation of block strings are gone.
#[derive(Debug, Clone)]
pub(super) struct Text {
    value: String,
    place: Place,
    /// For each byte of `value`: the bytes of the file that say its character. Empty if unknown.
    origins: Vec<Range<usize>>,
}

/// A character and the bytes of the file that say it.
type Char = (char, Range<usize>);

impl Text {
    /// A string value: `value` is what the parser made of it, `raw` the file's bytes at `place`.
    pub(super) fn new(value: &str, raw: &str, place: Place) -> Self {
        let decoded = decode(raw, place.span.start).unwrap_or_default();
        let read: String = decoded.iter().map(|(char, _)| *char).collect();
        let origins = if read == value { origins(decoded) } else { Vec::new() };
        Self { value: value.to_owned(), place, origins }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.value
    }

    /// The whole string, quotes included.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where some bytes of the value stand in the file; the whole string if that is not known.
    pub(super) fn at(&self, span: &Range<usize>) -> Place {
        let first = self.origins.get(span.start);
        let last = span.end.checked_sub(1).and_then(|last| self.origins.get(last));
        match (first, last) {
            (Some(first), Some(last)) if first.start < last.end => {
                Place { source: self.place.source, span: first.start..last.end }
            }
            (Some(first), _) => Place { source: self.place.source, span: first.start..first.start },
            _ => self.place.clone(),
        }
    }

    /// The text without its newlines and the blanks around them: how a path is written over lines.
    pub(super) fn unwrapped(&self) -> Self {
        let mut kept = Self { value: String::new(), place: self.place.clone(), origins: vec![] };
        let mut rest = self.value.as_str();
        while let Some(char) = rest.chars().next() {
            let blank = rest.find(|c: char| !c.is_ascii_whitespace()).unwrap_or(rest.len());
            let wraps = rest.get(..blank).is_some_and(|blank| blank.contains(['\n', '\r']));
            let at = self.value.len() - rest.len();
            let length = if wraps { blank } else { char.len_utf8() };
            if !wraps {
                kept.value.push(char);
                kept.origins.extend(self.origins.get(at..at + length).unwrap_or_default().to_vec());
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        kept
    }
}

fn origins(decoded: Vec<Char>) -> Vec<Range<usize>> {
    let per_byte = |(char, origin): Char| std::iter::repeat_n(origin, char.len_utf8());
    decoded.into_iter().flat_map(per_byte).collect()
}

/// The characters of a string literal; `None` if it is not one.
fn decode(raw: &str, base: usize) -> Option<Vec<Char>> {
    if let Some(inner) = raw.strip_prefix("\"\"\"") {
        return Some(block(inner.strip_suffix("\"\"\"")?, base + 3));
    }
    plain(raw.strip_prefix('"')?.strip_suffix('"')?, base + 1)
}

fn plain(inner: &str, base: usize) -> Option<Vec<Char>> {
    let mut decoded = Vec::new();
    let mut rest = inner;
    while let Some(char) = rest.chars().next() {
        let at = base + (inner.len() - rest.len());
        let (said, length) = if char == '\\' { escape(rest)? } else { (char, char.len_utf8()) };
        decoded.push((said, at..at + length));
        rest = rest.get(length..)?;
    }
    Some(decoded)
}

/// What the escape at the beginning of `rest` says, and its length.
fn escape(rest: &str) -> Option<(char, usize)> {
    let simple = |char| Some((char, 2));
    match rest.as_bytes().get(1)? {
        b'"' => simple('"'),
        b'\\' => simple('\\'),
        b'/' => simple('/'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'u' => unicode(rest),
        _ => None,
    }
}

fn unicode(rest: &str) -> Option<(char, usize)> {
    if let Some(braced) = rest.strip_prefix("\\u{") {
        let end = braced.find('}')?;
        let code = u32::from_str_radix(braced.get(..end)?, 16).ok()?;
        return Some((char::from_u32(code)?, 3 + end + 1));
    }
    let unit = |text: &str| u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let first = unit(rest)?;
    if let Some(char) = char::from_u32(first) {
        return Some((char, 6));
    }
    let second = unit(rest.get(6..)?)?;
    let high = first.checked_sub(0xD800)?.checked_mul(0x400)?;
    let pair = second.checked_sub(0xDC00)?.checked_add(high)?.checked_add(0x10000)?;
    Some((char::from_u32(pair)?, 12))
}

/// `BlockStringValue` of the specification.
fn block(inner: &str, base: usize) -> Vec<Char> {
    let lines = lines(inner, base);
    let is_blank = |line: &[Char]| line.iter().all(|(char, _)| matches!(char, ' ' | '\t'));
    let indent =
        |line: &[Char]| line.iter().take_while(|(char, _)| matches!(char, ' ' | '\t')).count();
    let written = |(_, line): &(usize, &Vec<Char>)| !is_blank(line);
    let common = lines.iter().enumerate().skip(1).filter(written).map(|(_, line)| indent(line));
    let common = common.min().unwrap_or(0);
    let first = lines.iter().position(|line| !is_blank(line));
    let last = lines.iter().rposition(|line| !is_blank(line));
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let mut decoded: Vec<Char> = Vec::new();
    for (n, line) in lines.into_iter().enumerate().take(last + 1).skip(first) {
        if n > first {
            let at = decoded.last().map_or(base, |(_, origin)| origin.end);
            decoded.push(('\n', at..at + 1));
        }
        decoded.extend(line.into_iter().skip(if n == 0 { 0 } else { common }));
    }
    decoded
}

/// The lines of a block string, `\"""` already read as `"""`.
fn lines(inner: &str, base: usize) -> Vec<Vec<Char>> {
    let mut lines = vec![Vec::new()];
    let mut rest = inner;
    while let Some(char) = rest.chars().next() {
        let at = base + (inner.len() - rest.len());
        let length = if rest.starts_with("\\\"\"\"") {
            4
        } else if rest.starts_with("\r\n") {
            2
        } else {
            char.len_utf8()
        };
        match (char, lines.last_mut()) {
            ('\n' | '\r', _) => lines.push(Vec::new()),
            ('\\', Some(line)) if length == 4 => line.extend(vec![('"', at..at + 4); 3]),
            (_, Some(line)) => line.push((char, at..at + length)),
            (_, None) => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    lines
}
