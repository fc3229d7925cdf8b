//! Any text at all is read without a panic, and every problem points into its file.

use proptest::prelude::*;

use super::language::SHOP;
use super::*;

/// The shop with pieces of it, or of GraphQL, put in place of others.
fn mangled() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[ -~]{0,6}",
        "[\"{}()\\[\\]:@!$&|=#.\\\\]{1,4}",
        prop::sample::select(vec![
            "$",
            "&",
            "|",
            "\"\"\"",
            "\\u{",
            "\\uD83D",
            "{args.",
            "{keys}",
            "é",
            "@",
            "...",
            "on",
            "extend ",
            "directive @",
            "type ",
            "schema {",
            "null",
            "[[",
            "-1",
            "1e999",
            "input X {",
        ])
        .prop_map(ToOwned::to_owned),
    ];
    prop::collection::vec((0..SHOP.len(), 0..12usize, piece), 1..5).prop_map(|edits| {
        let mut text = SHOP.to_owned();
        for (at, length, piece) in edits {
            let start = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
            let start = start.unwrap_or(0);
            let end = (start + length).min(text.len());
            let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
            text.replace_range(start..end, &piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mangled_schema_never_panics_and_problems_lie_within_its_text(text in mangled()) {
        let (catalog, problems) = read(&[&text]);
        prop_assert_eq!(catalog.is_none(), problems.has_errors());
        for problem in problems.iter() {
            prop_assert!(problem.span.start <= problem.span.end);
            prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
        }
    }
}

#[test]
fn a_place_within_a_string_is_where_it_was_written() {
    let at = |text: &str, marked: &str| {
        let (_, problems) = read(&[text]);
        let problem = problems.iter().next().expect("a problem");
        assert_eq!(text.get(problem.span.clone()), Some(marked), "{}", problem.message);
    };
    let field =
        |path: &str| format!("type Query {{ a: Int @rest(upstream: \"users\", path: {path}) }}");
    at(&field("\"/é/{args.x}\""), "{args.x}");
    at(&field("\"/\\u00e9\\n/\\uD83D\\uDE00\\u{1F600}\\\"/{args.x}/\""), "{args.x}");
    at(&field("\"/\\u007Bargs.x}\""), "\\u007Bargs.x}");
    at(&field("\"\"\"\n      /é\n        ?x={args.x}\n    \"\"\""), "{args.x}");
    at(&field("\"\"\"/a\r\n   ?y=\\\"\"\"\r\n   &x={args.x}\"\"\""), "{args.x}");
    at(&field("\"\""), "\"\"");
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("type Query {{ a(x: S = {open}{close}): {open}Int{close} }} scalar S")
    };
    let told = |depth| read(&[&nested(depth)]).1.lines();
    assert!(told(100_000).contains("recursion limit"), "{}", told(100_000));
    assert!(told(400).contains("no source"), "{}", told(400));
}
