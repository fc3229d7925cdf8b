//! JSON as documents show it: always the same layout, members and numbers as they came.

use crate::json::{Body, Kind, Value, write_string};

/// The widest line that an object or list of plain values is kept on.
const WIDTH: usize = 80;

/// The text of a body, with a line end. An object or list of plain values stands on one line if it
/// fits, and so does a list of one such; the items of a list look alike; anything else has a line
/// for each member. Members keep their order (duplicates too), numbers their digits, and strings
/// are escaped in one way.
pub(super) fn pretty(body: &Body) -> String {
    let mut out = Vec::new();
    write(&mut out, body.root(), Place::default());
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

/// Where a value is written.
#[derive(Clone, Copy, Default)]
struct Place {
    /// How deep its lines are indented.
    indent: usize,
    /// How much of its first line is taken.
    taken: usize,
    /// Whether it is spread over lines though it might fit on one.
    spread: bool,
}

/// The depth of a checked body is bounded, and so is the recursion.
fn write(out: &mut Vec<u8>, value: Value<'_>, at: Place) {
    let (open, close) = match value.kind() {
        Kind::Object => (b'{', b'}'),
        Kind::Array => (b'[', b']'),
        _ => return plain(out, value),
    };
    let start = out.len();
    if (is_empty(value) || !at.spread) && fits(out, value, at.taken) {
        return;
    }
    out.truncate(start);
    out.push(open);
    let indent = at.indent + 1;
    let mut scratch = Vec::new();
    let spread = value.items().any(|item| {
        scratch.clear();
        !is_empty(item) && !fits(&mut scratch, item, 2 * indent)
    });
    let mut separator = "";
    for (name, item) in children(value) {
        out.extend_from_slice(separator.as_bytes());
        separator = ",";
        line(out, indent);
        out.extend_from_slice(&name);
        write(out, item, Place { indent, taken: 2 * indent + name.len(), spread });
    }
    line(out, at.indent);
    out.push(close);
}

/// Writes a value on one line, after so much else; false if it cannot be.
fn fits(out: &mut Vec<u8>, value: Value<'_>, taken: usize) -> bool {
    let start = out.len();
    one_line(out, value) && taken + (out.len() - start) <= WIDTH
}

fn is_empty(value: Value<'_>) -> bool {
    value.members().next().is_none() && value.items().next().is_none()
}

/// Writes a value on one line; false if that would be hard to read.
fn one_line(out: &mut Vec<u8>, value: Value<'_>) -> bool {
    let (open, close) = match value.kind() {
        Kind::Object => (b'{', b'}'),
        Kind::Array => (b'[', b']'),
        _ => {
            plain(out, value);
            return true;
        }
    };
    let alone = value.items().nth(1).is_none() && value.kind() == Kind::Array;
    out.push(open);
    for (at, (name, item)) in children(value).enumerate() {
        if !is_empty(item) && !alone {
            return false;
        }
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(&name);
        if !one_line(out, item) {
            return false;
        }
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
        let text = r#"{"data":{"user":{"id":"1","tags":[],"age":1.50e3},"ok":true},"list":[[1,2],[]],"one":[{"a":1}]}"#;
        let expected = r#"{
  "data": {
    "user": {"id": "1", "tags": [], "age": 1.50e3},
    "ok": true
  },
  "list": [
    [1, 2],
    []
  ],
  "one": [{"a": 1}]
}
"#;
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn the_items_of_a_list_look_alike() {
        let text = r#"[{"id":1,"of":{"a":1}},{"id":2,"of":null},{},3]"#;
        let expected = r#"[
  {
    "id": 1,
    "of": {"a": 1}
  },
  {
    "id": 2,
    "of": null
  },
  {},
  3
]
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
