//! Documents made to cost much are refused, each before it does.

use std::fmt::Write;

use onedoor::failure::Code;
use onedoor::plan::{Document, Limits, Variables, build};

use crate::pets::{load, pets, planned};

/// Parses on a small stack, as a worker thread's is, and tells the codes of its errors.
fn codes(text: &str, limits: Limits) -> Vec<Code> {
    let text = text.to_owned();
    let parse = move || {
        let catalog = pets();
        match Document::parse(catalog, &text, &limits, true) {
            Ok(document) => {
                let operation = document.operation(None);
                let plan = operation.and_then(|operation| {
                    let mask = operation.mask(&Variables::default());
                    build(catalog, &operation, &mask)
                });
                plan.err().into_iter().map(|error| error.failure.code).collect()
            }
            Err(errors) => errors.iter().map(|error| error.failure.code).collect(),
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(parse);
    thread.unwrap().join().expect("nothing overflows the stack")
}

/// Whatever is set, nothing nests deeper.
const DEEPEST: usize = 128;

const WIDE: Limits = Limits { tokens: 1_000_000, nesting: 128, fields: 1_000_000 };

#[test]
fn fragments_that_double_thirty_times_are_refused() {
    let mut text = "{ dog { ...F0 } } fragment F30 on Dog { name }".to_owned();
    for n in 0..30 {
        let next = n + 1;
        write!(text, " fragment F{n} on Dog {{ ...F{next} ...F{next} }}").unwrap();
    }
    assert_eq!(codes(&text, WIDE), [Code::QueryTooComplex]);
    let mut nested = "{ dog { ...F0 } } fragment F30 on Dog { name }".to_owned();
    for n in 0..30 {
        let next = n + 1;
        write!(
            nested,
            " fragment F{n} on Dog {{ a: mate {{ ...F{next} }} b: mate {{ ...F{next} }} }}"
        )
        .unwrap();
    }
    assert_eq!(codes(&nested, WIDE), [Code::QueryTooComplex]);
}

#[test]
fn fragments_in_a_circle_are_refused() {
    let mut text = "{ dog { ...F0 } }".to_owned();
    for n in 0..500 {
        write!(text, " fragment F{n} on Dog {{ name ...F{} }}", (n + 1) % 500).unwrap();
    }
    assert_eq!(codes(&text, WIDE), [Code::GraphqlValidationFailed]);
    let own = "{ dog { ...F } } fragment F on Dog { mate { ...F } }";
    assert_eq!(codes(own, WIDE), [Code::GraphqlValidationFailed]);
}

#[test]
fn a_long_chain_of_fragments_is_refused() {
    let mut text = "{ dog { ...F0 } } fragment F5000 on Dog { name }".to_owned();
    for n in 0..5000 {
        write!(text, " fragment F{n} on Dog {{ ...F{} }}", n + 1).unwrap();
    }
    assert_eq!(codes(&text, WIDE), [Code::QueryTooComplex]);
}

#[test]
fn the_deepest_document_allowed_fits_the_stack() {
    let depth = DEEPEST - 2;
    let fields =
        format!("{{ dog {}name{} }}", "{ mate ".repeat(depth) + "{ ", " }".repeat(depth + 1));
    assert_eq!(codes(&fields, WIDE), []);
    let inline =
        format!("{{ dog {}name{} }}", "{ ... on Pet ".repeat(depth) + "{ ", " }".repeat(depth + 1));
    assert_eq!(codes(&inline, WIDE), []);
    let values = depth - 2;
    let lists = format!("{{ anything(json: {}1{}) }}", "[".repeat(values), "]".repeat(values));
    assert_eq!(codes(&lists, WIDE), []);
    let objects = format!("{{ anything(json: {}1{}) }}", "{a: ".repeat(values), "}".repeat(values));
    assert_eq!(codes(&objects, WIDE), []);
    let mut chain = format!("{{ dog {{ ...F{} }} }} fragment F1 on Dog {{ name }}", depth);
    for n in 2..=depth {
        write!(chain, " fragment F{n} on Dog {{ ...F{} }}", n - 1).unwrap();
    }
    // The compiler allows chains of a hundred.
    assert_eq!(codes(&chain, WIDE).first(), Some(&Code::GraphqlValidationFailed));
}

#[test]
fn what_is_nested_a_thousand_deep_is_refused() {
    for open in ["{ dog ", "{ ... ", "{ a(b: [", "{ a(b: {c: ", "{ a @b(c: [[", "query ($a: [["] {
        assert_eq!(codes(&open.repeat(1000), WIDE), [Code::QueryTooComplex], "{open}");
    }
}

#[test]
fn many_tokens_are_refused_before_they_are_parsed() {
    let limits = Limits { tokens: 5_000, ..WIDE };
    let aliases: String = (0..10_000).map(|n| format!("a{n}: name ")).collect();
    assert_eq!(codes(&format!("{{ dog {{ {aliases} }} }}"), limits), [Code::QueryTooComplex]);
    let directives = "@skip(if: false) ".repeat(10_000);
    assert_eq!(
        codes(&format!("{{ dog {directives} {{ name }} }}"), limits),
        [Code::QueryTooComplex]
    );
}

#[test]
fn many_aliases_are_refused_by_the_limit_of_fields() {
    let aliases: String = (0..10_000).map(|n| format!("a{n}: name ")).collect();
    let limits = Limits { fields: 5_000, ..WIDE };
    assert_eq!(codes(&format!("{{ dog {{ {aliases} }} }}"), limits), [Code::QueryTooComplex]);
}

#[test]
fn ten_thousand_faults_are_a_hundred_errors() {
    let directives = "@skip(if: false) ".repeat(10_000);
    let found = codes(&format!("{{ dog {directives} {{ name }} }}"), WIDE);
    assert_eq!(found.len(), 100);
    let fields: String = (0..10_000).map(|n| format!("f{n} ")).collect();
    assert_eq!(codes(&format!("{{ dog {{ {fields} }} }}"), WIDE).len(), 100);
    let members: String = (0..10_000).map(|_| "a: 1 ").collect();
    assert_eq!(codes(&format!("{{ anything(json: {{ {members} }}) }}"), WIDE).len(), 100);
}

#[test]
fn many_operations_count_together() {
    let limits = Limits { fields: 1_000, ..WIDE };
    let fields: String = (0..90).map(|n| format!("a{n}: name ")).collect();
    let operations: String = (0..20).map(|n| format!("query Q{n} {{ dog {{ ...F }} }} ")).collect();
    let text = format!("{operations} fragment F on Dog {{ {fields} }}");
    assert_eq!(codes(&text, limits), [Code::QueryTooComplex]);
}

#[test]
fn a_plan_counts_fields_for_each_type_that_an_abstract_one_can_be() {
    let kinds = 50;
    let mut sdl = "type Query { node: Node @rest(upstream: \"pets\", path: \"/node\") }\n\
                   interface Node @discriminator(property: \"kind\") { name: String  next: Node }\n"
        .to_owned();
    for n in 0..kinds {
        let source = "@rest(upstream: \"pets\", path: \"/next\")";
        writeln!(sdl, "type T{n} implements Node {{ name: String  next: Node {source} }}").unwrap();
    }
    let catalog = load(&sdl);
    let plan = |text: &str| planned(&catalog, text, "{}").map(|(plan, _)| plan.fields);
    assert_eq!(plan("{ node { name } }"), Ok(1 + kinds));
    let refused = plan("{ node { name next { name next { name } } } }").unwrap_err();
    assert!(refused.starts_with("QUERY_TOO_COMPLEX"), "{refused}");
}

#[test]
fn what_abstract_types_embed_alike_is_planned_once() {
    let mut sdl = "type Query { node: Node @rest(upstream: \"pets\", path: \"/node\") }\n\
                   interface Node @discriminator(property: \"kind\") { name: String  next: Node }\n"
        .to_owned();
    for n in 0..50 {
        writeln!(sdl, "type T{n} implements Node {{ name: String  next: Node }}").unwrap();
    }
    let catalog = load(&sdl);
    let text = "{ node { next { next { next { next { name } } } } } }";
    assert_eq!(planned(&catalog, text, "{}").map(|(plan, _)| plan.fields), Ok(1 + 5 * 50));
}
