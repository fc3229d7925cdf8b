//! Variables and arguments: what is accepted, what it becomes on the wire, what is refused.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Schema;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonValue;
use apollo_compiler::response::serde_json_bytes::serde_json;
use onedoor::json::Body;
use onedoor::plan::Document;
use onedoor::schema::Catalog;
use proptest::prelude::*;

use crate::pets::{LIMITS, coerced, first_args, load, parse, pets, planned, told};

/// The wire text of `$v` of this type for this JSON, or what is said of it.
fn variable(catalog: &Catalog, ty: &str, json: &str) -> String {
    let document = format!(
        "query ($v: {ty}) {{ anything(json: [1]) @skip(if: false) dog @include(if: true) {{ name }} v: anything(json: {{v: $v}}) }}"
    );
    let document = parse(catalog, &document).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    match coerced(catalog, &document, &format!("{{\"v\": {json}, \"undeclared\": 1}}")) {
        Ok(variables) => match variables.get(0) {
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None => "absent".to_owned(),
        },
        Err(error) => error,
    }
}

#[test]
fn values_of_variables_are_coerced_into_the_wires_words() {
    let catalog = pets();
    for (ty, json, wire) in [
        ("Int", "1", "1"),
        ("Int", "-2147483648", "-2147483648"),
        ("Int", "7.0", "7"),
        ("Int", "7e3", "7000"),
        ("Int", "-0.0", "0"),
        ("Int", "null", "null"),
        ("Float", "1", "1"),
        ("Float", "9007199254740993", "9007199254740993"),
        ("Float", "1.50e3", "1.50e3"),
        ("String", r#""é""#, r#""é""#),
        ("Boolean", "false", "false"),
        ("ID", "7", r#""7""#),
        ("ID", "18446744073709551616", r#""18446744073709551616""#),
        ("ID", r#""7""#, r#""7""#),
        ("Command", r#""SIT""#, r#""SIT""#),
        ("Command", r#""DOWN""#, r#""lie-down""#),
        ("[Command!]", r#"["DOWN", "HEEL"]"#, r#"["lie-down","heel"]"#),
        ("[Command!]", r#""DOWN""#, r#"["lie-down"]"#),
        ("[[Int]]", "1", "[[1]]"),
        ("[[Int]]", "[1, null, [2, null]]", "[[1],null,[2,null]]"),
        ("[Int]", "null", "null"),
        ("JSON", r#"{"b": 1.0,  "a": [1e2]}"#, r#"{"b": 1.0,  "a": [1e2]}"#),
        ("[JSON!]", r#"{"a": 1}"#, r#"[{"a": 1}]"#),
        ("Where", "{}", r#"{"age":3,"required":false}"#),
        (
            "Where",
            r#"{"required": true, "name": null, "age": 1, "age": 2}"#,
            r#"{"called":null,"age":2,"required":true}"#,
        ),
        (
            "Where",
            r#"{"not": {"name": "a", "commands": "DOWN"}}"#,
            r#"{"age":3,"not":{"called":"a","age":3,"commands":["lie-down"],"required":false},"required":false}"#,
        ),
        ("FindBy", r#"{"id": 1}"#, r#"{"id":"1"}"#),
        ("FindBy", r#"{"where": {}}"#, r#"{"where":{"age":3,"required":false}}"#),
    ] {
        assert_eq!(variable(catalog, ty, json), wire, "{ty} {json}");
    }
}

#[test]
fn values_that_are_not_of_their_type_are_refused_where_they_stand() {
    let catalog = pets();
    for (ty, json, said) in [
        ("Int", "1.5", "Variable `$v`: expected `Int`, a whole number of 32 bits."),
        ("Int", "1e-3", "a whole number of 32 bits"),
        ("Int", "1e10", "a whole number of 32 bits"),
        ("Int", "2147483648", "a whole number of 32 bits"),
        ("Int", r#""1""#, "expected `Int`, found a string"),
        ("Int!", "null", "expected `Int!`, found null"),
        ("Float", r#""1""#, "expected `Float`, found a string"),
        ("Float", "1e999", "found a number out of range"),
        ("String", "1", "expected `String`, found a number"),
        ("Boolean", "0", "expected `Boolean`, found a number"),
        ("ID", "1.5", "expected `ID`, found a fraction"),
        ("ID", "true", "expected `ID`, found a Boolean"),
        ("Command", r#""sit""#, "expected a value of `Command`, found another string"),
        ("Command", r#""lie-down""#, "expected a value of `Command`, found another string"),
        ("Command", "1", "expected a value of `Command`, found a number"),
        ("[Int!]", "[1, null]", "at `[1]`: expected `Int!`, found null"),
        ("[[Int]]", "[[1], [[2]]]", "at `[1][0]`: expected `Int`, found an array"),
        ("Where", "1", "expected `Where`, found a number"),
        ("Where", r#"{"not": {"age": "3"}}"#, "at `not.age`: expected `Int`, found a string"),
        ("Where", r#"{"years": 3}"#, "at `years`: `Where` has no field of that name"),
        ("Where", r#"{"required": null}"#, "at `required`: expected `Boolean!`, found null"),
        ("FindBy", "{}", "expected exactly one field of `FindBy`, found 0"),
        ("FindBy", r#"{"id": 1, "name": null}"#, "expected exactly one field of `FindBy`, found 2"),
        ("FindBy", r#"{"name": null}"#, "the one field of `FindBy` must not be null"),
    ] {
        let found = variable(catalog, ty, json);
        assert!(found.starts_with("BAD_USER_INPUT Variable `$v`"), "{ty} {json}: {found}");
        assert!(found.contains(said) && found.ends_with("(1:8)"), "{ty} {json}: {found}");
    }
}

#[test]
fn absent_variables_take_their_default_or_stay_absent_and_null_is_null() {
    let catalog = pets();
    let text = "query ($a: Int, $b: [Command] = DOWN, $c: Where = {age: null}, $d: ID! = 5) {
        anything(json: {a: $a, b: $b, c: $c, d: $d})
    }";
    let document = parse(catalog, text).unwrap();
    let get = |raw: &str| {
        let variables = coerced(catalog, &document, raw).unwrap();
        let text =
            |index| variables.get(index).map(|text| String::from_utf8_lossy(text).into_owned());
        [0, 1, 2, 3].map(text).map(|text| text.unwrap_or_else(|| "absent".to_owned()))
    };
    let defaults = ["absent", r#"["lie-down"]"#, r#"{"age":null,"required":false}"#, r#""5""#];
    assert_eq!(get("{}"), defaults);
    assert_eq!(get(r#"{"a": null, "b": null, "c": null}"#), ["null", "null", "null", r#""5""#]);
}

#[test]
fn every_missing_variable_is_told_and_null_variables_are_none_at_all() {
    let catalog = pets();
    let text = "query ($a: Int!,\n $b: Int!) { arguments { a: int(int: $a) b: int(int: $b) } }";
    let document = parse(catalog, text).unwrap();
    let found = coerced(catalog, &document, "null").unwrap_err();
    assert_eq!(
        found,
        "BAD_USER_INPUT Variable `$a`: expected `Int!`, found nothing. (1:8)\n\
         BAD_USER_INPUT Variable `$b`: expected `Int!`, found nothing. (2:2)"
    );
    let found = coerced(catalog, &document, "[]").unwrap_err();
    assert_eq!(found, "BAD_USER_INPUT The variables must be an object.");
}

#[test]
fn a_condition_cannot_be_null() {
    let catalog = pets();
    let text = "query ($if: Boolean = true) { dog @include(if: $if) { name } }";
    let document = parse(catalog, text).unwrap();
    assert!(coerced(catalog, &document, "{}").is_ok());
    let found = coerced(catalog, &document, r#"{"if": null}"#).unwrap_err();
    assert!(found.contains("null cannot be the `if` of a directive"), "{found}");
}

#[test]
fn names_of_the_schema_are_suggested_for_variables_only_where_that_is_on() {
    let catalog = pets();
    let text = "query ($w: Where) { dogs(where: $w) { name } }";
    for (suggestions, said) in [(true, "; did you mean `name`?"), (false, "of that name. (1:8)")] {
        let document = Document::parse(catalog, text, &LIMITS, suggestions).unwrap();
        let found = coerced(catalog, &document, r#"{"w": {"nam": 1}}"#).unwrap_err();
        assert!(found.contains(said), "{found}");
    }
}

#[test]
fn arguments_are_coerced_with_defaults_and_the_wires_names() {
    let catalog = pets();
    for (query, variables, args) in [
        ("{ arguments { __typename } }", "{}", r#"{"needed":5,"command":"SIT"}"#),
        (
            "{ arguments(command: DOWN, id: 7, string: \"a\\\"\\u{1F600}\", float: 1, needed: 2) { __typename } }",
            "{}",
            "{\"float\":1,\"string\":\"a\\\"\u{1F600}\",\"id\":\"7\",\"needed\":2,\"command\":\"lie-down\"}",
        ),
        (
            "query ($i: Int, $n: Int) { arguments(int: $i, needed: $n, command: null) { __typename } }",
            "{}",
            r#"{"needed":5,"command":null}"#,
        ),
        (
            "query ($i: Int, $n: Int) { arguments(int: $i, needed: $n) { __typename } }",
            r#"{"i": null, "n": 1}"#,
            r#"{"int":null,"needed":1,"command":"SIT"}"#,
        ),
        (
            "query ($n: Int) { arguments(needed: $n) { __typename } }",
            r#"{"n": null}"#,
            "BAD_USER_INPUT Null is not allowed for `needed`.",
        ),
        (
            "query ($a: Int = 1) { dogs(ids: [1, $a]) { name } }",
            r#"{"a": null}"#,
            "BAD_USER_INPUT Null is not allowed for `ids`.",
        ),
        (
            "{ dogs(ids: 1, grid: [1, null, [2]]) { name } }",
            "{}",
            r#"{"ids":[1],"grid":[[1],null,[2]]}"#,
        ),
        (
            "query ($a: Int) { dogs(grid: [[$a, 1], null]) { name } }",
            "{}",
            r#"{"grid":[[null,1],null]}"#,
        ),
        (
            "query ($n: String, $r: Boolean) { dogs(where: {required: $r, name: $n, commands: DOWN}) { name } }",
            "{}",
            r#"{"where":{"age":3,"commands":["lie-down"],"required":false}}"#,
        ),
        (
            "query ($r: Boolean) { dogs(where: {not: {required: $r}}) { name } }",
            r#"{"r": null}"#,
            "BAD_USER_INPUT Null is not allowed for `where.not.required`.",
        ),
        ("{ find(by: {id: 5}) { name } }", "{}", r#"{"by":{"id":"5"}}"#),
        (
            "query ($n: String = \"a\") { find(by: {name: $n}) { name } }",
            r#"{"n": null}"#,
            "BAD_USER_INPUT Null is not allowed for `by.name`.",
        ),
        (
            "query ($n: String = \"a\") { find(by: {name: $n}) { name } }",
            "{}",
            r#"{"by":{"name":"a"}}"#,
        ),
        (
            "query ($a: Int, $b: JSON) { anything(json: {a: $a, b: [$a, $b, SIT, -0.5e1], c: {}}) }",
            r#"{"b": {"x":  1}}"#,
            r#"{"json":{"b":[null,{"x":  1},"SIT",-0.5e1],"c":{}}}"#,
        ),
    ] {
        assert_eq!(first_args(catalog, query, variables), args, "{query} {variables}");
    }
}

#[test]
fn a_default_that_holds_itself_ends_in_an_error() {
    // No such schema loads; should one ever, no request may end the process.
    let endless = "type Query { a(b: B): Int } input B { c: B = {} }";
    let mut catalog = load(
        "type Query { a(b: B): Int @rest(upstream: \"pets\", path: \"/a\", method: POST, body: \"{args}\") }
         input B { c: B }",
    );
    catalog.public = Schema::parse_and_validate(endless, "schema.graphql").unwrap();
    let found = planned(&catalog, "{ a(b: {}) }", "{}").map(|_| ()).unwrap_err();
    assert!(found.contains("has no end"), "{found}");
    let document = parse(&catalog, "query ($b: B) { a(b: $b) }").unwrap();
    let found = coerced(&catalog, &document, r#"{"b": {}}"#).map(|_| ()).unwrap_err();
    assert!(found.contains("has no end"), "{found}");
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        (-3i64..4).prop_map(|number| number.to_string()),
        Just("2147483648".to_owned()),
        Just("1.5".to_owned()),
        Just("\"SIT\"".to_owned()),
        Just("\"a\"".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = prop::sample::select(vec![
            "name", "age", "commands", "not", "required", "id", "where", "x",
        ]);
        let member =
            (names, inner.clone()).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..4)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    /// Where the compiler accepts a value, so do we, and the other way round; but for integers that
    /// it has no room for.
    #[test]
    fn the_compiler_coerces_alike(
        ty in prop::sample::select(vec![
            "Int", "Float!", "String", "Boolean", "ID", "Command", "[Int!]", "[[Command]]!", "JSON!",
            "Where", "[Where!]", "FindBy", "FindBy!",
        ]),
        value in json(),
    ) {
        let catalog = pets();
        let text = format!("query ($v: {ty}) {{ anything(json: {{v: $v}}) }}");
        let document = parse(catalog, &text).unwrap();
        let raw = format!("{{\"v\": {value}}}");
        let ours = coerced(catalog, &document, &raw);
        let map = JsonValue::from(serde_json::from_str::<serde_json::Value>(&raw).unwrap());
        let map = map.as_object().unwrap();
        let compiled = ExecutableDocument::parse_and_validate(&catalog.public, &text, "document");
        let compiled = compiled.unwrap();
        let operation = compiled.operations.get(None).unwrap();
        let theirs = coerce_variable_values(&catalog.public, operation, map);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{} {}", ty, value);
        if let Ok(variables) = ours {
            let text = variables.get(0).unwrap();
            prop_assert!(Body::parse(text.to_vec().into()).is_ok());
        }
    }
}
