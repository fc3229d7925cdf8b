//! The grammar of paths: text to segments, names to text. Knows nothing of values.

use std::ops::Range;

use super::{PathError, Segment};
use crate::json::MAX_DEPTH;

/// The largest index that RFC 9535 section 2.1 lets be written.
const MAX_INDEX: i64 = (1 << 53) - 1;

/// Reads a whole text.
pub(super) fn path(text: &str) -> Result<Vec<Segment>, PathError> {
    if text == "." {
        return Ok(Vec::new());
    }
    if text.is_empty() {
        return Err(error(0..0, "the path is empty", "the value itself is written `.`"));
    }
    if text.starts_with('$') {
        let help = match text.trim_start_matches(['$', '.']) {
            "" => "write `.`".to_owned(),
            rest => format!("write `{rest}`; a property named with `$` is quoted: `['$ref']`"),
        };
        return Err(error(0..1, "a path does not begin with `$`", help));
    }
    let mut parser = Parser { text, at: 0 };
    let mut segments = Vec::new();
    while let Some(next) = parser.peek() {
        let first = segments.is_empty();
        let from = parser.at;
        segments.push(match next {
            '[' => parser.bracket()?,
            '.' if !first => parser.dot_name()?,
            '.' => {
                let help = "leave the first `.` out; `.` alone is the value itself";
                return Err(error(0..1, "a path does not begin with `.`", help));
            }
            _ if first => parser.name()?,
            other => return Err(parser.unexpected(other)),
        });
        if segments.len() > MAX_DEPTH {
            let message = format!("the path has more than {MAX_DEPTH} steps");
            let help = format!("no value is nested deeper than {MAX_DEPTH}");
            return Err(error(from..text.len(), message, help));
        }
    }
    Ok(segments)
}

/// Whether a name may stand in a path without quotes.
pub(super) fn is_bare(name: &str) -> bool {
    name.starts_with(begins_name) && name.chars().all(continues_name)
}

/// A name in single quotes, with RFC 9535's escapes.
pub(super) fn quote(name: &str) -> String {
    let mut out = String::from("'");
    for char in name.chars() {
        match char {
            '\'' | '\\' => out.extend(['\\', char]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push('\'');
    out
}

fn begins_name(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '_' || !char.is_ascii()
}

fn continues_name(char: char) -> bool {
    begins_name(char) || char.is_ascii_digit() || char == '-'
}

fn error(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> PathError {
    PathError { span, message: message.into(), help: Some(help.into()) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, char: char) -> bool {
        let eaten = self.rest().starts_with(char);
        self.at += if eaten { char.len_utf8() } else { 0 };
        eaten
    }

    /// Takes as much as the characters are of this sort.
    fn take(&mut self, of_sort: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|char| !of_sort(char)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The blanks that RFC 9535 allows within brackets.
    fn blank(&mut self) {
        self.take(|char| matches!(char, ' ' | '\t' | '\n' | '\r'));
    }

    fn dot_name(&mut self) -> Result<Segment, PathError> {
        let dot = self.at;
        self.at += 1;
        match self.peek() {
            None => Err(error(dot..self.at, "nothing follows the `.`", "leave it out")),
            Some('.') => {
                let help = "name each step on the way; each item of a list is `[*]`";
                Err(error(dot..self.at + 1, "`..` is not supported", help))
            }
            Some('[') => {
                let help = "leave the `.` before `[` out";
                Err(error(dot..self.at, "no name follows the `.`", help))
            }
            Some(_) => self.name(),
        }
    }

    /// A bare name.
    fn name(&mut self) -> Result<Segment, PathError> {
        let start = self.at;
        let word = self.take(|char| !matches!(char, '.' | '[' | ']'));
        if is_bare(word) {
            return Ok(Segment::Property(word.into()));
        }
        let span = start..self.at;
        let quoted = quote(word);
        match word.chars().find(|char| !continues_name(*char)) {
            _ if word.starts_with('@') => {
                let message = format!("`{word}` is not a property: names with `@` are reserved");
                Err(error(span, message, format!("a property of that name is `[{quoted}]`")))
            }
            Some('*') if word == "*" => {
                Err(error(span, "`*` stands in brackets", "each item of a list is `[*]`"))
            }
            Some(odd) => {
                let message = format!("`{}` cannot stand in a bare name", odd.escape_default());
                Err(error(span, message, format!("quote the name: `[{quoted}]`")))
            }
            None if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() => {
                let help = format!("an item is `[{word}]`, a property of that name `[{quoted}]`");
                Err(error(span, format!("`{word}` is not a name"), help))
            }
            None if word.is_empty() => Err(self.unexpected(']')),
            None => {
                let message = format!("`{word}` does not begin like a name");
                Err(error(span, message, format!("quote it: `[{quoted}]`")))
            }
        }
    }

    /// What stands in brackets.
    fn bracket(&mut self) -> Result<Segment, PathError> {
        let open = self.at;
        self.at += 1;
        self.blank();
        let segment = match self.peek() {
            Some('*') => {
                self.at += 1;
                Segment::Each
            }
            Some(quote @ ('\'' | '"')) => Segment::Property(self.quoted(quote)?.into()),
            Some('-' | '0'..='9') => self.index()?,
            _ => return Err(self.no_selector(open)),
        };
        self.blank();
        if self.eat(']') {
            return Ok(segment);
        }
        Err(match self.peek() {
            None => error(open..self.at, "the `[` is not closed", "close it with `]`"),
            Some(':') => {
                let help = "name one item, `[0]`, or each, `[*]`";
                error(open..self.at + 1, "slices are not supported", help)
            }
            Some(',') => {
                let help = "one path selects one thing, or each item with `[*]`";
                error(open..self.at + 1, "several selectors are not supported", help)
            }
            Some(other) => self.unexpected(other),
        })
    }

    fn no_selector(&mut self, open: usize) -> PathError {
        let word = self.take(|char| !matches!(char, '.' | '[' | ']'));
        let span = open..(self.at + usize::from(self.peek() == Some(']')));
        match word.chars().next() {
            Some('?') => error(span, "filters are not supported", "`[*]` selects each item"),
            Some(':') => error(span, "slices are not supported", "`[*]` selects each item"),
            Some(_) => {
                let help = format!("a property is quoted within brackets: `[{}]`", quote(word));
                error(span, format!("`{word}` is not an index"), help)
            }
            None => {
                error(span, "nothing stands in the brackets", "write `[0]`, `[*]` or `['name']`")
            }
        }
    }

    fn index(&mut self) -> Result<Segment, PathError> {
        let start = self.at;
        let minus = self.eat('-');
        let digits = self.take(|char| char.is_ascii_digit());
        let span = start..self.at;
        let padded = digits.starts_with('0') && (digits.len() > 1 || minus);
        if digits.is_empty() || padded {
            let message = "an index is written without leading zeros, as `0`, `12` or `-1`";
            return Err(error(span, message, "the first item is `[0]`, the last `[-1]`"));
        }
        match digits.parse::<i64>() {
            Ok(index) if index <= MAX_INDEX => {
                Ok(Segment::Index(if minus { -index } else { index }))
            }
            _ => Err(error(span, "the index is too large", "no list has so many items")),
        }
    }

    /// A quoted name (RFC 9535 section 2.3.1.1).
    fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let start = self.at;
        self.at += 1;
        let mut name = String::new();
        loop {
            name.push_str(self.take(|char| char != quote && char != '\\' && char >= ' '));
            let from = self.at;
            match self.peek() {
                Some(char) if char == quote => {
                    self.at += 1;
                    return Ok(name);
                }
                Some('\\') => name.push(self.escape(quote)?),
                Some(control) => {
                    let help = format!("write it as `\\u{:04x}`", u32::from(control));
                    let message = "a control character stands in a quoted name";
                    return Err(error(from..from + 1, message, help));
                }
                None => {
                    let help = format!("close it with {quote}");
                    return Err(error(start..from, "the quoted name is not closed", help));
                }
            }
        }
    }

    /// One escape; a surrogate pair is one.
    fn escape(&mut self, quote: char) -> Result<char, PathError> {
        let start = self.at;
        self.at += 1;
        let escaped = self.peek();
        self.at += escaped.map_or(0, char::len_utf8);
        let char = match escaped {
            Some(char @ ('\\' | '/')) => Some(char),
            Some(char) if char == quote => Some(char),
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        char.ok_or_else(|| {
            let help = "write `\\\\` for a backslash, `\\'` for a quote, `\\u` and four digits";
            error(start..self.at, "the escape is malformed", help)
        })
    }

    /// After `\u`: the character.
    fn unicode(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = (self.eat('\\') && self.eat('u')).then(|| self.code_unit())??;
        let low = (0xdc00..0xe000).contains(&second).then_some(second & 0x3ff)?;
        char::from_u32(0x10000 + ((first & 0x3ff) << 10 | low))
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let unit = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)?;
        self.at += 4;
        u32::from_str_radix(unit, 16).ok()
    }

    fn unexpected(&self, char: char) -> PathError {
        let span = self.at..self.at + self.peek().map_or(0, char::len_utf8);
        let message = format!("`{}` is not expected here", char.escape_default());
        error(span, message, "steps are joined as in `a.b`, `a[0]`, `a[*].b` or `a['odd.name']`")
    }
}
