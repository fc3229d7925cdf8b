//! JSON as documents show it: always the same layout, members and numbers as they came.

use crate::json::{Body, Kind, Value, write_string};

/// The widest line that an object or list of plain values is kept on.
const WIDTH: usize = 80;

/// The text of a body, with a line end. An object or list of plain values stands on one line if it
/// fits, any other has a line for each member. Members keep their order (duplicates too), numbers
/// their digits, and strings are escaped in one way.
pub(super) fn pretty(body: &Body) -> String {
    let mut out = Vec::new();
    write(&mut out, body.root(), 0, 0);
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

/// `before`: how much of the line is taken already. The depth of a checked body is bounded.
fn write(out: &mut Vec<u8>, value: Value<'_>, indent: usize, before: usize) {
    let (open, close) = match value.kind() {
        Kind::Object => (b'{', b'}'),
        Kind::Array => (b'[', b']'),
        _ => return plain(out, value),
    };
    let start = out.len();
    if one_line(out, value) && before + (out.len() - start) <= WIDTH {
        return;
    }
    out.truncate(start);
    out.push(open);
    let mut separator = "";
    for (name, item) in children(value) {
        out.extend_from_slice(separator.as_bytes());
        separator = ",";
        line(out, indent + 1);
        let start = out.len();
        out.extend_from_slice(&name);
        let taken = 2 * (indent + 1) + (out.len() - start);
        write(out, item, indent + 1, taken);
    }
    line(out, indent);
    out.push(close);
}

/// Writes a container of plain values on one line; false if it holds anything else.
fn one_line(out: &mut Vec<u8>, value: Value<'_>) -> bool {
    let is_plain = |value: Value<'_>| match value.kind() {
        Kind::Object => value.members().next().is_none(),
        Kind::Array => value.items().next().is_none(),
        _ => true,
    };
    let (open, close) = if value.kind() == Kind::Object { (b'{', b'}') } else { (b'[', b']') };
    out.push(open);
    for (at, (name, item)) in children(value).enumerate() {
        if !is_plain(item) {
            return false;
        }
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(&name);
        plain(out, item);
    }
    out.push(close);
    true
}

/// The items of a container, each with `"name": ` if it is a member.
fn children<'a>(value: Value<'a>) -> impl Iterator<Item = (Vec<u8>, Value<'a>)> {
    let members = value.members().map(|(name, value)| {
        let mut text = Vec::new();
        write_string(&mut text, &name.unescape());
        text.extend_from_slice(b": ");
        (text, value)
    });
    members.chain(value.items().map(|item| (Vec::new(), item)))
}

/// A value that is no container, or an empty one.
fn plain(out: &mut Vec<u8>, value: Value<'_>) {
    match value.kind() {
        Kind::String => write_string(out, &value.as_str().unwrap_or_default()),
        Kind::Object => out.extend_from_slice(b"{}"),
        Kind::Array => out.extend_from_slice(b"[]"),
        Kind::Null | Kind::Boolean | Kind::Number => out.extend_from_slice(value.raw()),
    }
}

fn line(out: &mut Vec<u8>, indent: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', 2 * indent));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &'static str) -> String {
        pretty(&Body::parse(text.into()).unwrap())
    }

    #[test]
    fn plain_values_share_a_line_and_everything_else_is_spread() {
        let text =
            r#"{"data":{"user":{"id":"1","tags":[],"age":1.50e3},"ok":true},"list":[[1,2],[]]}"#;
        let expected = r#"{
  "data": {
    "user": {"id": "1", "tags": [], "age": 1.50e3},
    "ok": true
  },
  "list": [
    [1, 2],
    []
  ]
}
"#;
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn a_line_that_would_be_too_long_is_spread() {
        let long = r#"{"a": "0123456789012345678901234567890123456789", "b": "0123456789012345678901234567"}"#;
        assert!(shown(long).starts_with("{\n  \"a\": \"0"));
    }

    #[test]
    fn order_duplicates_and_numbers_stay_and_escapes_become_one() {
        let text = r#"{"b":1,"a":12345678901234567890.10,"b":"\u0041\/\n\u00e9"}"#;
        assert_eq!(shown(text), "{\"b\": 1, \"a\": 12345678901234567890.10, \"b\": \"A/\\né\"}\n");
    }

    #[test]
    fn a_plain_value_and_empty_containers_are_themselves() {
        assert_eq!(
            (shown(" null "), shown("[ ]"), shown("{ }")),
            ("null\n".into(), "[]\n".into(), "{}\n".into())
        );
    }

    #[test]
    fn showing_what_was_shown_changes_nothing() {
        let text = r#"{"a":[{"b":{"c":[1,{"d":null}]}}],"e":"x"}"#;
        let once = shown(text);
        assert_eq!(pretty(&Body::parse(once.clone().into()).unwrap()), once);
    }
}
