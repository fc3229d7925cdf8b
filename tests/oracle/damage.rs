//! Texts that are almost JSON, and JSON that few expect. A damaged answer is damaged as a whole, so
//! that it is one however many keys were asked for.

use crate::tree::{Style, Tree};

/// No JSON value, for one reason each.
const BAD: [&[u8]; 44] = [
    b"01",
    b"-01",
    b"1.",
    b"+1",
    b".5",
    b"-",
    b"1e",
    b"1e+",
    b"1.e1",
    b"0x1",
    b"--1",
    b"1 2",
    b"1_0",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"tru",
    b"nulll",
    b"True",
    b"nil",
    b"'a'",
    b"a",
    b"\"a",
    b"\"\\",
    b"\"\\x\"",
    b"\"\\u12\"",
    b"\"\\u12g4\"",
    b"\"\\ud800\"",
    b"\"\\udc00\\ud800\"",
    b"\"\\ud83d\\u0041\"",
    b"\"\\ud83d\"",
    b"\"\x01\"",
    b"\"\n\"",
    b"\"\t\"",
    b"\"\xff\"",
    b"\"\xc0\x80\"",
    b"\"\xed\xa0\x80\"",
    b"\"\xf5\x80\x80\x80\"",
    b"[1,]",
    b"{\"a\":1,}",
    b"{a:1}",
    b"{\"a\" 1}",
    b"[1}",
    b"/*c*/1",
];

/// JSON values that are good, though one would not think so.
const GOOD: [&[u8]; 10] = [
    b"-0",
    b"1e400",
    b"\"\\ud83d\\ude00\"",
    b"\"\x7f\"",
    b"\"\\u0000\"",
    b"\"\xef\xbf\xbf\"",
    b" [ ] ",
    b"{\"\":{\"\":[]}}",
    b"0.0E-0",
    b"{\"a\":1,\"a\":2}",
];

/// What may not follow a value.
const TAILS: [&[u8]; 10] = [b"x", b",", b"]", b"}", b"{}", b" 1", b"\0", b"//", b"\xff", b"null"];

/// The text of an answer, damaged in one way of many.
pub(crate) fn damaged(tree: &Tree, style: Style, way: usize) -> Vec<u8> {
    let mut text = tree.bytes(style);
    let (kind, way) = (way % 10, way / 10);
    match kind {
        0 => text.truncate(text.len() - 1),
        1 => text.truncate(way % text.len()),
        2 => text.extend_from_slice(TAILS[way % TAILS.len()]),
        3 => {
            let head: &[u8] = if way % 2 == 0 { b"\xef\xbb\xbf" } else { b"," };
            text = [head, &text].concat();
        }
        4 => {
            let depth = [60, 100, 126, 129, 200, 2000][way % 6] - 1;
            let nested = [b"[".repeat(depth), b"]".repeat(depth)].concat();
            insert(&mut text, &nested);
        }
        5 => insert(&mut text, GOOD[way % GOOD.len()]),
        _ => insert(&mut text, BAD[way % BAD.len()]),
    }
    text
}

/// Puts a value at the end of the outermost container.
fn insert(text: &mut Vec<u8>, value: &[u8]) {
    let Some(close) = text.pop() else { return };
    let empty = !text.iter().skip(1).any(|byte| !byte.is_ascii_whitespace());
    text.extend_from_slice(if empty { b"" } else { b"," });
    if close == b'}' {
        text.extend_from_slice(b"\"zz\":");
    }
    text.extend_from_slice(value);
    text.push(close);
}
