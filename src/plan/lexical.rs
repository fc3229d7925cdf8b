//! A pass over a document's characters before it is parsed: counts tokens and nested brackets, so
//! that a parser never sees a text that would cost it too much. Judges no syntax; that is the
//! parser's.

use crate::failure::Code;

use super::document::{Limits, RequestError};
use super::lines::Lines;

/// Deeper nesting is refused whatever the settings say: parser, validation and planning recurse,
/// and this much fits the stack of a worker thread.
pub(super) const DEEPEST: usize = 128;

/// Refuses a text that has too many tokens or nests its brackets too deep.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), RequestError> {
    let nesting = limits.nesting.min(DEEPEST);
    let (mut tokens, mut depth) = (0usize, 0usize);
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    while let Some((start, first)) = scanner.token() {
        tokens += 1;
        if tokens > limits.tokens {
            let message = format!("The document has more than {} tokens.", limits.tokens);
            return Err(refused(text, start, message));
        }
        match first {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > nesting {
                    return Err(refused(text, start, too_deep(nesting)));
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// What is said of a document that nests deeper than allowed.
pub(super) fn too_deep(nesting: usize) -> String {
    format!("The document is nested more than {nesting} levels deep.")
}

fn refused(text: &str, offset: usize, message: String) -> RequestError {
    let location = Lines::new(text).location(text, offset);
    RequestError::new(Code::QueryTooComplex, message).at(vec![location])
}

/// Lexical tokens of the specification's section 2.1.6, told apart by their first byte.
struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    /// Passes over the next token; where it starts and its first byte.
    fn token(&mut self) -> Option<(usize, u8)> {
        self.skip_ignored();
        let start = self.at;
        let first = self.peek()?;
        self.at += 1;
        match first {
            b'"' => self.string(),
            b'.' => self.while_byte(|byte| byte == b'.'),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.while_byte(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            }
            b'-' | b'0'..=b'9' => {
                self.while_byte(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
            }
            _ => {}
        }
        Some((start, first))
    }

    /// White space, line ends, commas, the byte order mark and comments.
    fn skip_ignored(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                b'#' => self.while_byte(|byte| byte != b'\n' && byte != b'\r'),
                0xEF if self.rest().starts_with("\u{FEFF}".as_bytes()) => self.at += 3,
                _ => return,
            }
        }
    }

    /// The rest of a string whose first quote has been passed. A string without end reaches to the
    /// end of its line, a block string to the end of the text.
    fn string(&mut self) {
        if self.rest().starts_with(b"\"\"") {
            self.at += 2;
            return self.block_string();
        }
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' | b'\n' | b'\r' => return,
                b'\\' if self.peek().is_some_and(|next| next != b'\n' && next != b'\r') => {
                    self.at += 1;
                }
                _ => {}
            }
        }
    }

    fn block_string(&mut self) {
        while !self.rest().is_empty() {
            if self.rest().starts_with(b"\"\"\"") {
                self.at += 3;
                return;
            }
            self.at += if self.rest().starts_with(b"\\\"\"\"") { 4 } else { 1 };
        }
    }

    fn while_byte(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(tokens: usize, nesting: usize) -> Limits {
        Limits { tokens, nesting, fields: 1_000 }
    }

    fn tokens(text: &str) -> usize {
        let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
        std::iter::from_fn(|| scanner.token()).count()
    }

    #[test]
    fn tokens_are_counted_as_the_specification_lexes_them() {
        for (text, count) in [
            ("", 0),
            ("\u{FEFF} ,,\t\r\n # a comment { ( [ \" \n", 0),
            ("{ a }", 3),
            ("query($a:Int=-1.5e+3){...F}", 13),
            (r#"{ a(b: "x } \" \\" c: """ } \""" " """) }"#, 11),
            ("a\"\"b", 3),
            ("\"\"\"\"\"\"", 1),
        ] {
            assert_eq!(tokens(text), count, "{text:?}");
        }
    }

    #[test]
    fn one_token_too_many_is_refused_where_it_stands() {
        assert!(check("{ a b }", &limits(4, 9)).is_ok());
        let refused = check("{ a\n  b }", &limits(2, 9)).unwrap_err();
        assert_eq!(refused.failure.code, Code::QueryTooComplex);
        assert_eq!((refused.locations[0].line, refused.locations[0].column), (2, 3));
    }

    #[test]
    fn brackets_of_every_kind_count_as_nesting_but_not_those_in_strings_and_comments() {
        assert!(check("{ a(b: [[1]]) }", &limits(99, 4)).is_ok());
        assert!(check("{ a(b: [[1]]) }", &limits(99, 3)).is_err());
        assert!(
            check("{ a(b: \"[[[[\") # {{{{\n c(d: \"\"\"((((\"\"\") }", &limits(99, 2)).is_ok()
        );
    }

    #[test]
    fn nesting_has_a_ceiling_that_no_setting_lifts() {
        let deep = "{a".repeat(DEEPEST + 1);
        assert!(check(&deep, &limits(usize::MAX, usize::MAX)).is_err());
    }

    #[test]
    fn texts_cut_anywhere_are_passed_over_without_harm() {
        let text = r#"{ a(b: "x\"y", c: """é\"""z""") # é
            d }"#;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            check(&text[..end], &limits(99, 9)).unwrap();
        }
    }
}
