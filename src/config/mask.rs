//! What of a file may be shown beside a problem: the text with the same bytes' offsets, but with
//! written secrets starred out and nothing a terminal would obey.
//!
//! The rule is lexical on purpose: it must hold in files too broken to be parsed.

use std::borrow::Cow;
use std::ops::Range;

/// Words that make a setting's value a secret: `secret`, `client_secret`, `"password"`, `api_key`. A
/// public key is none, but sooner or later somebody writes the private one in its place.
const SECRET_WORDS: [&str; 6] =
    ["secret", "password", "api_key", "private_key", "public_key", "credential"];

/// The text as it may be shown. Every character keeps its bytes' place: what is hidden becomes as
/// many `*` (secrets) or `?` (control characters) as it had bytes, so spans stay true.
pub(crate) fn displayable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let hidden = secrets(text);
    let mut hidden = hidden.iter().peekable();
    let mut chars = text.char_indices().peekable();
    while let Some((at, character)) = chars.next() {
        while hidden.next_if(|range| range.end <= at).is_some() {}
        let crlf = character == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
        match character {
            '\n' | '\t' => shown.push(character),
            '\r' if crlf => shown.push(character),
            _ if hidden.peek().is_some_and(|range| range.contains(&at)) => {
                star(&mut shown, '*', character);
            }
            // Line and paragraph separators would also shift the line numbers of a report.
            '\u{2028}' | '\u{2029}' => star(&mut shown, '?', character),
            _ if character.is_control() => star(&mut shown, '?', character),
            _ => shown.push(character),
        }
    }
    shown
}

/// A message without control characters other than line ends: names come from files.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(|character| character.is_control() && character != '\n') {
        let escaped = text.chars().map(|character| match character {
            '\n' => "\n".to_owned(),
            _ if character.is_control() => character.escape_default().to_string(),
            _ => character.to_string(),
        });
        Cow::Owned(escaped.collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn star(shown: &mut String, with: char, instead_of: char) {
    shown.extend(std::iter::repeat_n(with, instead_of.len_utf8()));
}

/// The ranges of a text that are secret: values of secret settings, and `user:password@` of URLs.
/// Sorted by start.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (equals, _) in text.match_indices('=') {
        if names_a_secret(text.get(..equals).unwrap_or_default()) {
            hide_value(text, equals + 1, &mut found);
        }
    }
    for (at, _) in text.match_indices("://") {
        hide_user_info(text, at + 3, &mut found);
    }
    found.sort_by_key(|range| range.start);
    found
}

/// Whether the key that ends here holds a secret. A `..._file` names a file, which is none.
fn names_a_secret(before_equals: &str) -> bool {
    let key = before_equals.trim_end().trim_end_matches(['"', '\'']);
    let start = key.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    let key = key.get(start.map_or(0, |at| at + 1)..).unwrap_or_default().to_lowercase();
    !key.ends_with("_file") && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Hides a value from its opening quote to the end of its line, or to the closing quotes of a text
/// over several lines. Variables (`${NAME}`) stay readable, their defaults do not.
fn hide_value(text: &str, from: usize, found: &mut Vec<Range<usize>>) {
    let rest = text.get(from..).unwrap_or_default();
    let start = from + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    let value = text.get(start..).unwrap_or_default();
    let quotes: usize = value.chars().take_while(|c| *c == '"' || *c == '\'').count().min(3);
    let long = quotes == 3;
    let inner = value.get(quotes..).unwrap_or_default();
    let length = if long {
        inner.find(value.get(..3).unwrap_or_default()).unwrap_or(inner.len())
    } else {
        let line = inner.get(..inner.find(['\n', '\r']).unwrap_or(inner.len())).unwrap_or_default();
        line.trim_end_matches(['"', '\'', ' ', '}', ']', ',', '\t']).len()
    };
    hide_around_variables(text, start + quotes..start + quotes + length, found);
}

fn hide_around_variables(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let value = text.get(range.clone()).unwrap_or_default();
    let mut hidden_from = 0;
    for (dollar, _) in value.match_indices("${") {
        let name = value.get(dollar + 2..).unwrap_or_default();
        let name_end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let shown_to = dollar + 2 + name_end.unwrap_or(name.len());
        let shown_to = match value.get(shown_to..) {
            Some(rest) if rest.starts_with('}') => shown_to + 1,
            Some(rest) if rest.starts_with(":-") => shown_to + 2,
            _ => shown_to,
        };
        found.push(range.start + hidden_from..range.start + dollar.max(hidden_from));
        hidden_from = shown_to;
    }
    found.push(range.start + hidden_from..range.end.max(range.start + hidden_from));
}

fn hide_user_info(text: &str, from: usize, found: &mut Vec<Range<usize>>) {
    let rest = text.get(from..).unwrap_or_default();
    // Up to the last `@` of the whole URL: a password may hold what a URL may not.
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let url = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
    if let Some(at) = url.rfind('@') {
        found.push(from..from + at);
    }
}

#[cfg(test)]
mod tests {
    use super::displayable;

    #[test]
    fn written_secrets_are_starred_wherever_they_stand() {
        let cases = [
            (r#"secret = "abc""#, r#"secret = "***""#),
            (r#"secret='abc' # why"#, r#"secret='**********"#),
            (r#"  "client_secret"  =  "abc""#, r#"  "client_secret"  =  "***""#),
            (r#"a = { PASSWORD = "abc" }"#, r#"a = { PASSWORD = "***" }"#),
            (r#"a.secret = abc"#, r#"a.secret = ***"#),
            (r#"secret = "abc"#, r#"secret = "***"#),
            (r#"secret = "é""#, r#"secret = "**""#),
            ("secret = \"\"\"\na\nb\"\"\"\nx = 1", "secret = \"\"\"\n*\n*\"\"\"\nx = 1"),
            ("secret = '''a", "secret = '''*"),
            (r#"url = "http://me:p/w@host/x""#, r#"url = "http://******@host/x""#),
        ];
        for (text, shown) in cases {
            assert_eq!(displayable(text), shown);
        }
    }

    #[test]
    fn variables_stay_readable_and_their_defaults_do_not() {
        let cases = [
            (r#"secret = "${KEY}""#, r#"secret = "${KEY}""#),
            (r#"secret = "${KEY:-abc}""#, r#"secret = "${KEY:-***}""#),
            (r#"secret = "a${KEY}b""#, r#"secret = "*${KEY}*""#),
            (r#"secret = "${KEY"#, r#"secret = "${KEY"#),
        ];
        for (text, shown) in cases {
            assert_eq!(displayable(text), shown);
        }
    }

    #[test]
    fn other_settings_are_shown_as_they_are() {
        let texts = [
            "secret_file = \"jwt.key\"",
            "issuer = \"http://a/b\"",
            "x == y",
            "=",
            "://@",
            "secret =",
        ];
        for text in texts {
            assert_eq!(displayable(text), text);
        }
    }

    #[test]
    fn control_characters_never_reach_a_terminal_and_places_stay() {
        let text = "a\u{1b}[31m\r\nb\rc\u{85}\t\u{2028}d";
        assert_eq!(displayable(text), "a?[31m\r\nb?c??\t???d");
        assert_eq!(displayable(text).len(), text.len());
    }
}
