//! A document in one line.

/// The same document without comments, line ends and commas. What stands in quotes stays as it is.
pub(super) fn shorten(document: &str) -> String {
    let mut short = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let (length, kept) = match first {
            '"' => (string(rest), true),
            '#' => (rest.find(['\n', '\r']).unwrap_or(rest.len()), false),
            ',' | '\u{feff}' => (first.len_utf8(), false),
            _ if first.is_ascii_whitespace() => (1, false),
            _ => (rest.find(ENDS).filter(|end| *end > 0).unwrap_or(rest.len()), true),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if kept {
            short.push_str(token);
        } else if !short.is_empty() && !short.ends_with(' ') {
            short.push(' ');
        }
        rest = after;
    }
    short.truncate(short.trim_end().len());
    short
}

/// What ends a stretch that is copied as it is.
const ENDS: [char; 7] = ['"', '#', ',', ' ', '\t', '\n', '\r'];

/// The length of the string that a text begins with (specification section 2.9.4).
fn string(text: &str) -> usize {
    let quote = if text.starts_with(r#"""""#) { r#"""""# } else { "\"" };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..) {
        if rest.starts_with(quote) {
            return at + quote.len();
        }
        let escape = if quote.len() == 1 { "\\" } else { r#"\""""# };
        let Some(next) = rest.chars().next() else { break };
        at += match rest.strip_prefix(escape) {
            // In a plain string, whatever follows the backslash.
            Some(after) if quote.len() == 1 => 1 + after.chars().next().map_or(0, char::len_utf8),
            Some(_) => escape.len(),
            None => next.len_utf8(),
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_one_line_and_strings_stay_as_they_are() {
        let table = [
            ("# first\nquery Q($a: Int, $b: Int) {\n  a\n}\n", "query Q($a: Int $b: Int) { a }"),
            ("{\n  a # here\r\n  b,\tc #", "{ a b c"),
            ("{ a(s: \"x # , \\\" y\") }", "{ a(s: \"x # , \\\" y\") }"),
            ("{ a(s: \"é\\\\\")  ,,, b }", "{ a(s: \"é\\\\\") b }"),
            (r#"{ a(s: """x \""" # , y""")    b }"#, r#"{ a(s: """x \""" # , y""") b }"#),
            ("{ a(s: \"\") b }", "{ a(s: \"\") b }"),
            ("\u{feff}{a}", "{a}"),
            ("{ a(s: \"open", "{ a(s: \"open"),
            ("", ""),
        ];
        for (document, expected) in table {
            assert_eq!(shorten(document), expected, "{document:?}");
        }
    }
}
