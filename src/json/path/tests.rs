//! The path grammar by example: what is read, what is refused and with which remedy.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{Path, Segment};
use crate::json::Body;

fn property(name: &str) -> Segment {
    Segment::Property(name.into())
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn all(text: &str, body: &str) -> Vec<String> {
    let body = Body::parse(body.to_owned().into()).expect("the test's text is JSON");
    let path = path(text);
    let values = path.eval_all(body.root()).map(|value| value.raw().to_vec());
    values.map(|raw| String::from_utf8(raw).expect("JSON is text")).collect()
}

fn one(text: &str, body: &str) -> Option<String> {
    let body = Body::parse(body.to_owned().into()).expect("the test's text is JSON");
    let raw = path(text).eval(body.root()).map(|value| value.raw().to_vec());
    raw.and_then(|raw| String::from_utf8(raw).ok())
}

#[test]
fn steps_are_names_indices_and_each() {
    for (text, segments) in [
        (".", vec![]),
        ("a", vec![property("a")]),
        ("a.b", vec![property("a"), property("b")]),
        ("has_more", vec![property("has_more")]),
        ("x-total-count", vec![property("x-total-count")]),
        ("größe", vec![property("größe")]),
        ("_1", vec![property("_1")]),
        ("[0]", vec![Segment::Index(0)]),
        ("[-1]", vec![Segment::Index(-1)]),
        ("[*]", vec![Segment::Each]),
        ("[ 12 ]", vec![Segment::Index(12)]),
        ("data[-1].id", vec![property("data"), Segment::Index(-1), property("id")]),
        ("a[*][0]", vec![property("a"), Segment::Each, Segment::Index(0)]),
        ("['odd.name']", vec![property("odd.name")]),
        ("a['b'].c", vec![property("a"), property("b"), property("c")]),
        (r#"["a'b"]"#, vec![property("a'b")]),
        (r"['a\'b\\\n\u00e9\ud83d\ude00\/']", vec![property("a'b\\\né😀/")]),
        ("['']", vec![property("")]),
        ("['@type']", vec![property("@type")]),
        ("['a]b[']", vec![property("a]b[")]),
        ("[9007199254740991]", vec![Segment::Index(9_007_199_254_740_991)]),
    ] {
        assert_eq!(path(text).segments(), segments, "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place_and_a_remedy() {
    for (text, span, message, help) in [
        ("", 0..0, "empty", "`.`"),
        ("$", 0..1, "`$`", "write `.`"),
        ("$.a.b", 0..1, "`$`", "write `a.b`"),
        (".a", 0..1, "begin with `.`", "leave the first"),
        ("..a", 0..1, "begin with `.`", "leave the first"),
        ("a.", 1..2, "nothing follows", "leave it out"),
        ("a..b", 1..3, "`..`", "[*]"),
        ("a.[0]", 1..2, "no name", "leave the `.`"),
        ("a.*", 2..3, "brackets", "`[*]`"),
        ("*", 0..1, "brackets", "`[*]`"),
        ("a b", 0..3, "` `", "['a b']"),
        ("a/b", 0..3, "`/`", "['a/b']"),
        ("it's", 0..4, "`\\'`", r"['it\'s']"),
        ("a.0.b", 2..3, "`0`", "`[0]`"),
        ("2fa", 0..3, "`2fa`", "['2fa']"),
        ("-a", 0..2, "`-a`", "['-a']"),
        ("@key", 0..4, "reserved", "['@key']"),
        ("a.@type", 2..7, "reserved", "['@type']"),
        ("@header.x", 0..7, "reserved", "['@header']"),
        ("a]", 1..2, "`]`", "a[0]"),
        ("]", 0..1, "`]`", "a[0]"),
        ("[0]a", 3..4, "`a`", "a[*].b"),
        ("a[", 1..2, "nothing", "[0]"),
        ("a[]", 1..3, "nothing", "[0]"),
        ("a[0", 1..3, "not closed", "`]`"),
        ("a[b]", 1..4, "`b`", "['b']"),
        ("a[01]", 2..4, "leading zeros", "[0]"),
        ("a[-0]", 2..4, "leading zeros", "[-1]"),
        ("a[-]", 2..3, "leading zeros", "[-1]"),
        ("[9007199254740992]", 1..17, "too large", "no list"),
        ("[99999999999999999999]", 1..21, "too large", "no list"),
        ("a[0:2]", 1..4, "slices", "[*]"),
        ("a[:2]", 1..5, "slices", "[*]"),
        ("a[0,1]", 1..4, "several", "[*]"),
        ("a[?@.b]", 1..4, "filters", "[*]"),
        ("['a", 1..3, "not closed", "'"),
        (r"['\x']", 2..4, "escape", "`\\\\`"),
        (r"['\ud83d']", 2..8, "escape", "`\\\\`"),
        (r"['\ude00']", 2..8, "escape", "`\\\\`"),
        (r"['\u00']", 2..4, "escape", "`\\u`"),
        ("['a\nb']", 3..4, "control", "\\u000a"),
    ] {
        let error = Path::parse(text).expect_err(text);
        assert_eq!(error.span, span, "{text:?}: {error}");
        assert!(error.message.contains(message), "{text:?}: {error}");
        assert!(error.help.as_ref().is_some_and(|h| h.contains(help)), "{text:?}: {error}");
        assert!(text.get(error.span).is_some());
    }
}

#[test]
fn the_number_of_steps_is_bounded() {
    assert!(Path::parse(&"[0]".repeat(128)).is_ok());
    let error = Path::parse(&"[0]".repeat(129)).expect_err("too long");
    assert_eq!(error.span, 384..387);
}

#[test]
fn a_path_leads_to_one_value_or_none() {
    let body = r#"{"a":{"b":[10,20,{"c":null}],"@type":"T"},"n":null,"s":"x"}"#;
    for (text, found) in [
        (".", Some(body)),
        ("a.b[0]", Some("10")),
        ("a.b[-2]", Some("20")),
        ("a.b[-1].c", Some("null")),
        ("a.b[2]", Some(r#"{"c":null}"#)),
        ("a['@type']", Some("\"T\"")),
        ("n", Some("null")),
        ("n.x", None),
        ("n[0]", None),
        ("missing", None),
        ("a.b[3]", None),
        ("a.b[-4]", None),
        ("a.b[-3]", Some("10")),
        ("a.b.c", None),
        ("a[0]", None),
        ("s.length", None),
        ("s[0]", None),
        ("[0]", None),
        ("a.b[*].c", Some("null")),
    ] {
        assert_eq!(one(text, body).as_deref(), found, "{text}");
    }
}

#[test]
fn each_flattens_lists_in_the_order_of_the_text() {
    let body = r#"{"a":[{"t":[1,2]},{"t":[]},{"t":null},{},null,{"t":[3,null]},{"t":4}]}"#;
    assert_eq!(all("a[*].t[*]", body), ["1", "2", "3", "null"]);
    assert_eq!(all("a[*].t", body), ["[1,2]", "[]", "null", "[3,null]", "4"]);
    assert_eq!(all("a[*].t[-1]", body), ["2", "null"]);
    assert_eq!(all("a[0].t[*]", body), ["1", "2"]);
    assert_eq!(all("a[*][*]", body), Vec::<String>::new());
    assert_eq!(all("b[*]", body), Vec::<String>::new());
    assert_eq!(all("[*]", body), Vec::<String>::new());
    assert_eq!(all(".", "[1]"), ["[1]"]);
    assert_eq!(all("[*][*][*]", "[[[1],[2,3]],[],[[4]]]"), ["1", "2", "3", "4"]);
}

#[test]
fn only_each_leads_to_several() {
    assert!(path("a.b[0]").is_single() && path(".").is_single() && path(".").is_root());
    assert!(!path("a[*].b").is_single());
    assert_eq!(Path::property("a.b").to_string(), "['a.b']");
    assert_eq!(Path::root(), path("."));
}

fn segments() -> impl Strategy<Value = Segment> {
    prop_oneof![
        2 => "[a-z_é][a-z0-9_-]{0,4}".prop_map(|name| property(&name)),
        1 => any::<String>().prop_map(|name| property(&name)),
        1 => "[@.'\"\\\\\\[\\]\\*\\$\\x00-\\x1f]{0,4}".prop_map(|name| property(&name)),
        1 => (-(1_i64 << 53) + 1..1_i64 << 53).prop_map(Segment::Index),
        1 => (-3_i64..3).prop_map(Segment::Index),
        1 => Just(Segment::Each),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(9535),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_canonical_form_parses_to_an_equal_path(
        segments in prop::collection::vec(segments(), 0..6),
    ) {
        let path = Path { segments };
        let again = Path::parse(&path.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&path), "{}", path);
    }

    #[test]
    fn any_text_is_a_path_or_a_fault_within_the_text(
        text in "[a.\\[\\]'\"*@$\\\\0-2u: é-]{0,10}",
    ) {
        match Path::parse(&text) {
            Ok(path) => prop_assert_eq!(Path::parse(&path.to_string()), Ok(path)),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error),
        }
    }
}
