//! How text becomes part of a URL (RFC 3986).
//!
//! Knows two kinds of text: a value, of which nothing but the unreserved characters stays as it
//! is, and an author's literal, which may hold the delimiters of its place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Error;

/// Everything but RFC 3986's unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where an author's literal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Component {
    Path,
    Query,
}

/// Writes a value: one piece of a segment or of a parameter, whatever it holds.
pub(super) fn value(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, VALUE));
}

/// How many bytes [`value`] would write.
pub(super) fn value_len(text: &str) -> usize {
    utf8_percent_encode(text, VALUE).map(str::len).sum()
}

/// Writes the author's own text: what RFC 3986 allows at that place stays as written, also a
/// `%20`; the rest is encoded. `[` and `]` stay in a query (`page[size]`), as every URL parser
/// lets them.
pub(super) fn literal(
    out: &mut String,
    text: &str,
    component: Component,
    start: usize,
) -> Result<(), Error> {
    for (at, char) in text.char_indices() {
        if char == '%' {
            let digits = text.get(at + 1..at + 3);
            if !digits.is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                let error = Error::new(start + at..start + at + 1, "`%` without two digits");
                return Err(error.help("write `%25` for the character itself"));
            }
            out.push('%');
        } else if allowed(char, component) {
            out.push(char);
        } else {
            let mut buffer = [0; 4];
            value(out, char.encode_utf8(&mut buffer));
        }
    }
    Ok(())
}

/// Writes the separator of a joined list as a literal of its place.
pub(super) fn separator(out: &mut String, separator: char, component: Component) {
    if allowed(separator, component) {
        out.push(separator);
    } else {
        value(out, separator.encode_utf8(&mut [0; 4]));
    }
}

/// Whether a URL parser would read this segment as `.` or `..`, which climb; `%2e` counts as a dot
/// (WHATWG URL, section 4.1).
pub(super) fn is_dots(segment: &str) -> bool {
    let mut dots = 0;
    let mut rest = segment;
    while !rest.is_empty() {
        let Some(after) = rest
            .strip_prefix('.')
            .or_else(|| rest.strip_prefix("%2e"))
            .or_else(|| rest.strip_prefix("%2E"))
        else {
            return false;
        };
        dots += 1;
        rest = after;
    }
    dots == 1 || dots == 2
}

fn allowed(char: char, component: Component) -> bool {
    match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' => true,
        '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' | ':' | '@' => true,
        '/' | '?' | '[' | ']' => component == Component::Query,
        _ => false,
    }
}
