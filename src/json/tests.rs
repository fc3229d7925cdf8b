//! What is accepted, what is refused and where, and how values and numbers are read.

use super::Reason::{
    Control, Cut, Empty, Escape, NoColon, NoCommaOrBrace, NoCommaOrBracket, NoName, NoValue,
    Number, Surrogate, Trailing,
};
use super::number::{canonical_i32, fits_i32, is_finite_f64, is_number};
use super::{Body, Foreseen, Invalid, Kind, MAX_DEPTH, Reason, Span, Value, write_string};

fn body(text: &str) -> Body {
    Body::parse(text.to_owned().into()).expect("the test's text is JSON")
}

fn fault(text: &[u8]) -> (usize, Reason) {
    let invalid = Body::parse(text.to_vec().into()).expect_err("the test's text is not JSON");
    (invalid.offset, invalid.reason)
}

/// Texts that every reader must refuse, and where and why this one does.
const NOT_JSON: [(&str, usize, Reason); 93] = [
    ("", 0, Empty),
    (" \n\t ", 4, Empty),
    ("[", 1, Cut),
    ("{", 1, Cut),
    ("[1", 2, Cut),
    ("[1,", 3, Cut),
    (r#"{"a""#, 4, Cut),
    (r#"{"a":"#, 5, Cut),
    (r#"{"a":1"#, 6, Cut),
    (r#"{"a":1,"#, 7, Cut),
    (r#"""#, 1, Cut),
    (r#""abc"#, 4, Cut),
    (r#""\"#, 2, Cut),
    (r#""\u12"#, 5, Cut),
    ("-", 1, Cut),
    ("1.", 2, Cut),
    ("1e", 2, Cut),
    ("1e+", 3, Cut),
    ("tru", 3, Cut),
    ("nul", 3, Cut),
    ("[1]]", 3, Trailing),
    ("{}{}", 2, Trailing),
    ("1 2", 2, Trailing),
    ("\"a\"b", 3, Trailing),
    ("nulll", 4, Trailing),
    ("[]\0", 2, Trailing),
    ("[1,]", 3, NoValue),
    ("[,1]", 1, NoValue),
    ("[1,,2]", 3, NoValue),
    ("[a]", 1, NoValue),
    ("True", 0, NoValue),
    ("truE", 3, NoValue),
    ("NaN", 0, NoValue),
    ("[Infinity]", 1, NoValue),
    ("'a'", 0, NoValue),
    ("+1", 0, NoValue),
    (".5", 0, NoValue),
    ("]", 0, NoValue),
    ("}", 0, NoValue),
    ("[}", 1, NoValue),
    ("\u{feff}[]", 0, NoValue),
    ("\u{a0}1", 0, NoValue),
    ("\x0c1", 0, NoValue),
    ("/* c */ 1", 0, NoValue),
    (r#"{"a":}"#, 5, NoValue),
    ("{a:1}", 1, NoName),
    ("{'a':1}", 1, NoName),
    ("{1:1}", 1, NoName),
    ("{,}", 1, NoName),
    (r#"{"a":1,}"#, 7, NoName),
    (r#"{"a":1,,"b":2}"#, 7, NoName),
    ("{]", 1, NoName),
    (r#"{"a"}"#, 4, NoColon),
    (r#"{"a" 1}"#, 5, NoColon),
    (r#"{"a",1}"#, 4, NoColon),
    ("[1 2]", 3, NoCommaOrBracket),
    ("[1}", 2, NoCommaOrBracket),
    ("[1:2]", 2, NoCommaOrBracket),
    ("[1a]", 2, NoCommaOrBracket),
    ("[0x1]", 2, NoCommaOrBracket),
    ("[1.5.5]", 4, NoCommaOrBracket),
    (r#"{"a":1]"#, 6, NoCommaOrBrace),
    (r#"{"a":1 "b":2}"#, 7, NoCommaOrBrace),
    (r#"{"a"::1}"#, 5, NoValue),
    (r#"{"a":1:2}"#, 6, NoCommaOrBrace),
    ("[-]", 2, Number),
    ("[-a]", 2, Number),
    ("[--1]", 2, Number),
    ("[01]", 2, Number),
    ("[-01]", 3, Number),
    ("[00]", 2, Number),
    ("[1.]", 3, Number),
    ("[1.e5]", 3, Number),
    ("[1e]", 3, Number),
    ("[1e+]", 4, Number),
    ("[1eE2]", 3, Number),
    ("[-.5]", 2, Number),
    ("\"a\nb\"", 2, Control),
    ("\"\t\"", 1, Control),
    ("\"\0\"", 1, Control),
    ("\"eight or more, \x1f\"", 16, Control),
    (r#""\x41""#, 2, Escape),
    (r#""\'""#, 2, Escape),
    (r#""\U0041""#, 2, Escape),
    (r#""\u00g0""#, 5, Escape),
    (r#""\u+041""#, 3, Escape),
    (r#""\ud83d""#, 1, Surrogate),
    (r#""\ude00""#, 1, Surrogate),
    (r#""\ud83dx""#, 1, Surrogate),
    (r#""\ud83d\n""#, 1, Surrogate),
    (r#""\ud83d\u0041""#, 1, Surrogate),
    (r#""\ud83d\ud83d""#, 1, Surrogate),
    (r#""\ude00\ud83d""#, 1, Surrogate),
];

/// Texts that every reader must accept.
#[test]
fn json_is_accepted() {
    let nested = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let long = format!("\"{}\"", "x".repeat(100_000));
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1",
        "-1",
        "12.50",
        "1e5",
        "1E+5",
        "1e-05",
        "0e0",
        "0.1E1",
        "123456789012345678901234567890",
        "1e999",
        "-1e-999",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        " [\t] ",
        "\r\n{\n}\r\n",
        "[[],{}]",
        "[null,1,\"2\",{}]",
        r#"{"":0}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"a":{"a":[]}}}"#,
        r#"[1 , 2]"#,
        r#"{"a" : "b" , "c" :1}"#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0000\u001F\uFFFF\uffff""#,
        r#""\ud83d\ude00""#,
        r#""\uD834\uDD1E and more""#,
        r#"{"\u0061":1}"#,
        "\"\u{7f}\"",
        "\"\u{2028}\u{2029}\"",
        "\"é€😀\"",
        "\"\u{fdd0}\u{10ffff}\"",
        "\"[{]},:\"",
        &nested,
        &long,
    ] {
        assert!(Body::parse(text.to_owned().into()).is_ok(), "{text}");
        let padded = format!(" \n{text}\t\r\n");
        assert_eq!(body(&padded).root().raw(), text.trim().as_bytes());
    }
}

#[test]
fn what_is_not_json_is_refused_where_it_stops_being_json() {
    for (text, offset, reason) in NOT_JSON {
        assert_eq!(fault(text.as_bytes()), (offset, reason), "{text:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    for odd in [
        &b"\x80"[..],
        b"\xc0\xaf",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xff\xfe",
        b"\xf0\x80\x80\xaf",
        b"\xe9",
    ] {
        let text = [b"[\"in a longer string: ", odd, b"\"]"].concat();
        assert_eq!(fault(&text), (22, Reason::Utf8), "{odd:?}");
    }
    assert_eq!(fault(b"\xff\xfe[\0]\0"), (0, Reason::Utf8));
}

#[test]
fn a_bad_byte_is_found_wherever_in_a_string_it_stands() {
    for before in 0..80 {
        for after in [0, 1, 7, 8, 15, 31, 32, 70] {
            let text = |byte| format!("\"{}{byte}{}\"", "a".repeat(before), "b".repeat(after));
            assert_eq!(fault(text('\x1f').as_bytes()), (before + 1, Reason::Control));
            assert_eq!(fault(text('"').as_bytes()).0, before + 2);
            assert!(Body::parse(text('\u{7f}').into()).is_ok());
            assert!(Body::parse(text(' ').into()).is_ok());
            assert!(Body::parse(text('é').into()).is_ok());
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(Body::parse(nested(MAX_DEPTH).into()).is_ok());
        let (offset, reason) = fault(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!((offset, reason), (open.len() * MAX_DEPTH, Reason::TooDeep));
    }
    let endless = "[".repeat(1 << 20);
    assert_eq!(fault(endless.as_bytes()), (MAX_DEPTH, Reason::TooDeep));
    let mut wide = "[{},[]],".repeat(100_000);
    wide.insert(0, '[');
    wide.push_str("0]");
    assert_eq!(body(&wide).root().items().count(), 100_001);
}

#[test]
fn a_fault_tells_what_and_where_but_nothing_of_the_content() {
    let invalid = Invalid { offset: 17, reason: Reason::Control };
    let told = "invalid JSON at byte 17: a control character stands unescaped in a string";
    assert_eq!(invalid.to_string(), told);
    let secret = Body::parse(r#"{"token":"s3cret" x"#.into()).expect_err("not JSON");
    assert!(!format!("{secret} {secret:?}").contains("s3cret"));
    let body = body(r#"{"token":"s3cret"}"#);
    let member = body.root().members().next();
    assert!(!format!("{body:?} {:?} {member:?}", body.root()).contains("s3cret"));
}

#[test]
fn a_property_is_found_by_its_unescaped_name_and_the_last_one_counts() {
    let body = body(r#"{"a":1,"\u0062":2,"a":3,"a\"":4,"":5,"\u0061":6,"é":7}"#);
    let get = |name| body.root().get(name).map(|value| value.as_number());
    assert_eq!(get("a"), Some(Some("6")));
    assert_eq!(get("b"), Some(Some("2")));
    assert_eq!(get("a\""), Some(Some("4")));
    assert_eq!(get(""), Some(Some("5")));
    assert_eq!(get("é"), Some(Some("7")));
    assert_eq!(get(r"\u0062"), None);
    assert_eq!(get("c"), None);
}

#[test]
fn null_is_told_from_absent() {
    let body = body(r#"{"a":null}"#);
    assert!(body.root().get("a").is_some_and(|value| value.is_null()));
    assert!(body.root().get("b").is_none());
    assert!(Body::null().root().is_null());
    assert_eq!(Body::null().bytes().as_ref(), b"null");
}

#[test]
fn a_value_knows_its_kind() {
    let body = body(r#"[null,true,false,-1,"s",[],{}]"#);
    let kinds: Vec<Kind> = body.root().items().map(|item| item.kind()).collect();
    let expected = [
        Kind::Null,
        Kind::Boolean,
        Kind::Boolean,
        Kind::Number,
        Kind::String,
        Kind::Array,
        Kind::Object,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(body.root().kind(), Kind::Array);
}

#[test]
fn places_lead_back_to_their_values_in_bodies_of_every_size() {
    for filler in ["", "some text that makes each object longer than a short one, by far"] {
        let item = format!(r#"{{"id":1,"in":{{"t":"{filler}","l":[[1],"{filler}"]}}}}"#);
        let body = body(&format!(" [{item} , {item},{item}] "));
        for place in 0..3 {
            let item = body.root().items().nth(place).expect("three items");
            let inner = item.get("in").and_then(|value| value.get("l")).expect("a list");
            assert_eq!(body.bytes().get(inner.span().range()), Some(inner.raw()));
            let again = body.clone();
            let found = again.at(inner.place());
            assert_eq!((found.place(), found.span()), (inner.place(), inner.span()));
            assert_eq!(found.items().count(), 2);
            assert_eq!(found.items().last().and_then(|v| v.as_str()).as_deref(), Some(filler));
        }
        let whole = Span { start: 1, end: body.bytes().len() as u32 - 1 };
        assert_eq!(body.root().span(), whole);
        assert_eq!((whole.len(), whole.is_empty()), (body.bytes().len() - 2, false));
    }
}

#[test]
fn a_foreseen_name_is_found_only_as_it_was_written() {
    let names = ["a", "ab", r"\u0061", "fifteen letters", "sixteen letters.", "sixteen letters.x"];
    for known in names {
        let text = format!(r#"{{"{known}":1}}"#);
        let body = body(&text);
        let foreseen = body.root().members().map(|(key, _)| Foreseen::new(key)).next();
        let foreseen = foreseen.expect("one member");
        for next in names {
            let other = format!(r#"{{"{next}" : 1, "more": "than sixteen bytes"}}"#);
            let other = Body::parse(other.into()).expect("JSON");
            let mut members = other.root().members();
            let found = members.next_is(&foreseen);
            let expected = known == next && known.len() < 16;
            assert_eq!(found.is_some(), expected, "{known} before {next}");
            let value = found.unwrap_or_else(|| {
                let (name, value) = members.next().expect("a member");
                assert_eq!(name.raw(), next.as_bytes());
                value
            });
            assert_eq!(value.raw(), b"1");
            assert!(members.next().is_some_and(|(name, _)| name == "more"));
        }
    }
}

#[test]
fn only_containers_hold_something() {
    let body = body(r#"["[1]", {"a": [{}]}, 1, [], {}]"#);
    let held = |value: Value<'_>| (value.items().count(), value.members().count());
    assert_eq!(held(body.root()), (5, 0));
    let held: Vec<_> = body.root().items().map(held).collect();
    assert_eq!(held, [(0, 0), (0, 1), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(Body::empty_object().root().members().count(), 0);
    assert_eq!(Body::empty_object().root().raw(), b"{}");
}

#[test]
fn strings_are_written_with_no_more_escapes_than_needed() {
    let mut out = Vec::new();
    write_string(&mut out, "a\"b\\c/d\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}é😀");
    let expected = r#""a\"b\\c/d\n\r\t\b\f\u0001\u001f"#.to_owned() + "\u{7f}é😀\"";
    assert_eq!(String::from_utf8(out).ok(), Some(expected));
}

#[test]
fn an_integer_within_32_bits_is_told_from_the_text() {
    for (token, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.000", "0"),
        ("1", "1"),
        ("1.0", "1"),
        ("-12.00", "-12"),
        ("2147483647", "2147483647"),
        ("-2147483648", "-2147483648"),
        ("-2147483648.0", "-2147483648"),
    ] {
        assert_eq!(canonical_i32(token), Some(canonical), "{token}");
        assert!(fits_i32(token));
    }
    for token in [
        "2147483648",
        "-2147483649",
        "1.5",
        "1.01",
        "0.1",
        "1e2",
        "1E0",
        "1.0e1",
        "5000000000",
        "99999999999999999999",
        "",
        "-",
        "1.",
        ".0",
        "+1",
        "a",
        "1.0.0",
        "--1",
        " 1",
    ] {
        assert!(!fits_i32(token), "{token}");
    }
}

#[test]
fn a_number_is_told_as_in_a_body() {
    for text in ["0", "-0", "10", "1.50", "-1.5E+10", "1e400", "9007199254740993.10"] {
        assert!(is_number(text), "{text}");
    }
    for text in
        ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1 ", " 1", "1,5", "0x1", "NaN"]
    {
        assert!(!is_number(text), "{text}");
    }
}

#[test]
fn a_double_is_told_from_what_is_beyond_one() {
    for token in ["0", "-1.5e300", "1e308", "1.7976931348623157e308", "1e-999", "-0.0"] {
        assert!(is_finite_f64(token), "{token}");
    }
    let digits = "9".repeat(400);
    for token in ["1e309", "-1e999", "1.7976931348623159e308", digits.as_str(), "", "x"] {
        assert!(!is_finite_f64(token), "{token}");
    }
}
