//! Section 5 of the specification, rule by rule; the grammar; which operation is meant.

use onedoor::failure::Code;
use onedoor::plan::{self, Document, FetchId, Mask, OperationKind, Stream};

use crate::pets::{LIMITS, errors, load, parse, pets, told};

/// For each rule of the specification's section 5: its number, what it allows, what it refuses, and
/// a part of what is said of that.
const RULES: &[(&str, &str, &str, &str)] = &[
    (
        "5.1.1",
        "{ dog { name } }",
        "{ dog { name } } type Extra { a: Int }",
        "must not contain an object type",
    ),
    (
        "5.2.1.1",
        "query A { dog { name } } query B { cat { name } }",
        "query A { dog { name } } mutation A { rename(name: \"a\") { name } }",
        "`A` is defined multiple times",
    ),
    ("5.2.1.2", "{ dog { name } }", "{ dog { name } } { cat { name } }", "Anonymous operation"),
    (
        "5.2.1.2",
        "query A { dog { name } }",
        "query A { dog { name } } { cat { name } }",
        "Anonymous operation",
    ),
    (
        "5.2.1",
        "mutation { rename(name: \"a\") { name } }",
        "mutation { unknown }",
        "does not have a field `unknown`",
    ),
    (
        "5.2.4.1",
        "{ dog { name } }",
        "subscription { dogs { name } }",
        "`subscription` root operation type is not defined",
    ),
    (
        "5.3.1",
        "{ dog { name } }",
        "{ dog { meowVolume } }",
        "type `Dog` does not have a field `meowVolume`",
    ),
    (
        "5.3.1",
        "{ pet { name } }",
        "{ pet { nickname } }",
        "type `Pet` does not have a field `nickname`",
    ),
    (
        "5.3.1",
        "{ catOrDog { __typename } }",
        "{ catOrDog { name } }",
        "type `CatOrDog` does not have a field `name`",
    ),
    (
        "5.3.2",
        "{ dog { name name } }",
        "{ dog { name: nickname name } }",
        "`name` would be `Dog.nickname` and `Dog.name`",
    ),
    (
        "5.3.2",
        "{ dog { doesKnowCommand(command: SIT) doesKnowCommand(command: SIT) } }",
        "{ dog { doesKnowCommand(command: SIT) doesKnowCommand(command: HEEL) } }",
        "would be `Dog.doesKnowCommand` with different `command`",
    ),
    (
        "5.3.2",
        "{ pet { ... on Dog { v: barkVolume } ... on Cat { w: meowVolume } } }",
        "{ pet { ... on Dog { v: barkVolume } ... on Cat { v: meowVolume } } }",
        "`v` would be `Int` of `Dog.barkVolume` and",
    ),
    (
        "5.3.2",
        "{ pet { ... on Dog { n: name } ... on Cat { n: nickname } } }",
        "{ pet { ... on Dog { n: name } ... on Cat { n: meowVolume } } }",
        "`n` would be `String",
    ),
    (
        "5.3.2",
        "{ dog { mate { name } mate { n: name } } }",
        "{ dog { mate { n: name } mate { n: nickname } } }",
        "`n` would be `Dog.name` and `Dog.nickname`",
    ),
    (
        "5.3.2",
        "{ dogs(ids: [1, 2]) { name } dogs(ids: [1, 2]) { name } }",
        "{ dogs(ids: [1]) { name } dogs(ids: [1, 2]) { name } }",
        "`dogs` would be `Query.dogs` with different `ids`",
    ),
    (
        "5.3.2",
        "{ dogs(where: {age: 1, commands: [SIT]}) { name } dogs(where: {commands: [SIT], age: 1}) { name } }",
        "{ dogs(where: {commands: [SIT]}) { name } dogs(where: {commands: [SIT, HEEL]}) { name } }",
        "`dogs` would be `Query.dogs` with different `where`",
    ),
    (
        "5.3.2",
        "{ a: dogs(ids: [1]) { name } b: dogs(ids: [1, 2]) { name } }",
        "{ ...A ...B } fragment A on Query { dogs(ids: []) { name } } fragment B on Query { dogs(ids: [1]) { name } }",
        "`dogs` would be `Query.dogs` with different `ids`",
    ),
    ("5.3.3", "{ dog { name } }", "{ dog }", "must have a subselection set"),
    (
        "5.3.3",
        "{ dog { barkVolume } }",
        "{ dog { barkVolume { sinceWhen } } }",
        "must not have subselections",
    ),
    (
        "5.4.1",
        "{ dog { doesKnowCommand(command: SIT) } }",
        "{ dog { doesKnowCommand(order: SIT, command: SIT) } }",
        "argument `order` is not supported",
    ),
    (
        "5.4.1",
        "{ dog @include(if: true) { name } }",
        "{ dog @include(unless: false, if: true) { name } }",
        "argument `unless` is not supported",
    ),
    (
        "5.4.2",
        "{ arguments(int: 1) { __typename } }",
        "{ arguments(int: 1, int: 1) { __typename } }",
        "provided multiple times",
    ),
    (
        "5.4.3",
        "{ arguments { bool(bool: true) } }",
        "{ arguments { bool } }",
        "`Arguments.bool(bool:)` is not provided",
    ),
    (
        "5.4.3",
        "{ arguments { bool(bool: true) } }",
        "{ arguments { bool(bool: null) } }",
        "expected value of type Boolean!, found null",
    ),
    (
        "5.5.1.1",
        "{ dog { ...A } } fragment A on Dog { name }",
        "{ dog { ...A } } fragment A on Dog { name } fragment A on Dog { nickname }",
        "`A` is defined multiple times",
    ),
    (
        "5.5.1.2",
        "{ dog { ...A } } fragment A on Being { name }",
        "{ dog { ...A } } fragment A on Unknown { name }",
        "`Unknown` of fragment `A` is not a type",
    ),
    (
        "5.5.1.2",
        "{ dog { ... on Pet { name } } }",
        "{ dog { ... on Unknown { name } } }",
        "`Unknown` of inline fragment is not a type",
    ),
    (
        "5.5.1.3",
        "{ dog { ...A } } fragment A on CatOrDog { ... on Dog { name } }",
        "{ dog { ...A } } fragment A on Int { something }",
        "must have a composite type",
    ),
    (
        "5.5.1.3",
        "{ dog { ... on Dog { name } } }",
        "{ dog { ... on Where { name } } }",
        "must have a composite type",
    ),
    (
        "5.5.1.4",
        "{ dog { ...A } } fragment A on Dog { name }",
        "{ dog { name } } fragment A on Dog { name }",
        "fragment `A` must be used",
    ),
    (
        "5.5.2.1",
        "{ dog { ...A } } fragment A on Dog { name }",
        "{ dog { ...B } }",
        "cannot find fragment `B`",
    ),
    (
        "5.5.2.2",
        "{ dog { ...A } } fragment A on Dog { mate { name } }",
        "{ dog { ...A } } fragment A on Dog { name mate { ...B } } fragment B on Dog { mate { ...A } }",
        "cannot spread itself",
    ),
    (
        "5.5.2.3",
        "{ dog { ... on Dog { name } } }",
        "{ dog { ... on Cat { meowVolume } } }",
        "`Cat` cannot be applied to `Dog`",
    ),
    (
        "5.5.2.3",
        "{ pet { ... on Dog { name } } }",
        "{ pet { ... on Human { name } } }",
        "`Human` cannot be applied to `Pet`",
    ),
    (
        "5.5.2.3",
        "{ dog { ...A } } fragment A on CatOrDog { __typename }",
        "{ cat { ...A } } fragment A on Pet { ... on Human { name } }",
        "cannot be applied to `Pet`",
    ),
    (
        "5.6.1",
        "{ arguments(int: 1, float: 1, bool: true, string: \"a\", id: 1) { __typename } }",
        "{ arguments(int: \"1\") { __typename } }",
        "expected value of type Int, found a string",
    ),
    (
        "5.6.1",
        "{ arguments(int: 2147483647) { __typename } }",
        "{ arguments(int: 2147483648) { __typename } }",
        "32-bit",
    ),
    (
        "5.6.1",
        "{ arguments(command: HEEL) { __typename } }",
        "{ arguments(command: \"HEEL\") { __typename } }",
        "found a string",
    ),
    (
        "5.6.1",
        "{ arguments(command: HEEL) { __typename } }",
        "{ arguments(command: JUMP) { __typename } }",
        "value `JUMP` does not exist on `Command`",
    ),
    (
        "5.6.1",
        "{ dogs(ids: 1, grid: [1, null, [2]]) { name } }",
        "{ dogs(ids: [1, null]) { name } }",
        "found null",
    ),
    (
        "5.6.1",
        "{ dogs(where: {name: \"a\"}) { name } }",
        "{ dogs(where: \"a\") { name } }",
        "found a string",
    ),
    (
        "5.6.1",
        "query ($w: Where = {age: 1}) { dogs(where: $w) { name } }",
        "query ($w: Where = {age: \"1\"}) { dogs(where: $w) { name } }",
        "found a string",
    ),
    (
        "5.6.2",
        "{ dogs(where: {not: {age: 1}}) { name } }",
        "{ dogs(where: {not: {years: 1}}) { name } }",
        "the input type `Where` has no field `years`",
    ),
    (
        "5.6.3",
        "{ dogs(where: {age: 1}) { name } }",
        "{ dogs(where: {age: 1, age: 2}) { name } }",
        "field `age` is given twice",
    ),
    (
        "5.6.3",
        "{ anything(json: {a: [{a: 1}]}) }",
        "{ anything(json: {a: [{b: 1, b: 2}]}) }",
        "field `b` is given twice",
    ),
    (
        "5.6.3",
        "query ($w: Where = {age: 1}) { dogs(where: $w) { name } }",
        "query ($w: Where = {age: 1, age: 1}) { dogs(where: $w) { name } }",
        "given twice",
    ),
    (
        "5.6.4",
        "{ dogs(where: {required: true}) { name } }",
        "{ dogs(where: {required: null}) { name } }",
        "found null",
    ),
    (
        "5.6.5",
        "{ find(by: {id: 1}) { name } }",
        "{ find(by: {id: 1, name: \"a\"}) { name } }",
        "must specify exactly one key",
    ),
    (
        "5.6.5",
        "{ find(by: {name: \"a\"}) { name } }",
        "{ find(by: {}) { name } }",
        "must specify exactly one key",
    ),
    (
        "5.6.5",
        "query ($n: String!) { find(by: {name: $n}) { name } }",
        "{ find(by: {name: null}) { name } }",
        "found null",
    ),
    (
        "5.6.5",
        "query ($n: String!) { find(by: {name: $n}) { name } }",
        "query ($n: String) { find(by: {name: $n}) { name } }",
        "cannot be used where `String!` is expected",
    ),
    (
        "5.7.1",
        "{ dog @skip(if: false) { name } }",
        "{ dog @omit(if: false) { name } }",
        "cannot find directive `@omit`",
    ),
    (
        "5.7.2",
        "{ dog @skip(if: false) { name } }",
        "query @skip(if: false) { dog { name } }",
        "not supported for QUERY",
    ),
    (
        "5.7.3",
        "{ dog @skip(if: false) @include(if: true) { name } }",
        "{ dog @skip(if: false) @skip(if: true) { name } }",
        "can only be used once",
    ),
    (
        "5.8.1",
        "query ($a: Int) { arguments(int: $a) { __typename } }",
        "query ($a: Int, $a: Int) { arguments(int: $a) { __typename } }",
        "`$a` is declared multiple times",
    ),
    (
        "5.8.2",
        "query ($w: Where) { dogs(where: $w) { name } }",
        "query ($w: Dog) { dogs(where: $w) { name } }",
        "must be of an input type",
    ),
    (
        "5.8.2",
        "query ($w: Where) { dogs(where: $w) { name } }",
        "query ($w: Unknown) { dogs(where: $w) { name } }",
        "cannot find type `Unknown`",
    ),
    (
        "5.8.3",
        "query ($a: Int) { ...A } fragment A on Query { arguments(int: $a) { __typename } }",
        "query A { ...A } query B($a: Int) { ...A } fragment A on Query { arguments(int: $a) { __typename } }",
        "variable `$a` is not defined",
    ),
    (
        "5.8.3",
        "query ($a: Int) { anything(json: {a: [$a]}) }",
        "{ anything(json: {a: [$a]}) }",
        "Variable `$a` is not defined",
    ),
    (
        "5.8.4",
        "query ($a: Int) { arguments(int: $a) { __typename } }",
        "query ($a: Int) { dog { name } }",
        "variable `$a` is not used",
    ),
    (
        "5.8.5",
        "query ($a: Int!) { arguments { int(int: $a) } }",
        "query ($a: Int) { arguments { int(int: $a) } }",
        "`$a` of type `Int` cannot be used",
    ),
    (
        "5.8.5",
        "query ($a: Int = 1) { arguments { int(int: $a) } }",
        "query ($a: Int = null) { arguments { int(int: $a) } }",
        "its default is null",
    ),
    (
        "5.8.5",
        "query ($a: Int = null) { arguments(needed: $a) { __typename } }",
        "query ($a: Boolean = null) { dog @skip(if: $a) { name } }",
        "its default is null",
    ),
    (
        "5.8.5",
        "query ($a: Int) { arguments(needed: $a) { __typename } }",
        "query ($a: String) { arguments(needed: $a) { __typename } }",
        "`$a` of type `String` cannot be used",
    ),
    (
        "5.8.5",
        "query ($a: [Int!]) { dogs(ids: $a) { name } }",
        "query ($a: Int!) { dogs(ids: $a) { name } }",
        "`$a` of type `Int!` cannot be used",
    ),
    (
        "5.8.5",
        "query ($a: Int!) { dogs(ids: [$a]) { name } }",
        "query ($a: Int) { dogs(ids: [$a]) { name } }",
        "cannot be used",
    ),
];

#[test]
fn every_rule_of_section_5_allows_what_is_valid_and_refuses_what_is_not() {
    let catalog = pets();
    for (rule, valid, invalid, said) in RULES {
        assert_eq!(errors(catalog, valid), "", "{rule} allows {valid}");
        let found = errors(catalog, invalid);
        assert!(
            found.to_lowercase().contains(&said.to_lowercase()),
            "{rule} refuses {invalid} with {said:?}, found {found:?}"
        );
        assert!(found.starts_with("GRAPHQL_VALIDATION_FAILED"), "{rule}: {found}");
    }
}

#[test]
fn texts_that_are_not_graphql_are_refused_at_the_first_fault() {
    let catalog = pets();
    for text in [
        "",
        "   # nothing\n",
        "{",
        "{}",
        "{ dog {} }",
        "{ dog { ... {} } }",
        "{ dog { name }",
        "{ dog { name } } }",
        "{ dog() { name } }",
        "query () { dog { name } }",
        "query ($a Int) { dog { name } }",
        "query ($a: Int = $b) { dog { name } }",
        "{ arguments(int: 01) { __typename } }",
        "{ arguments(int: 1a) { __typename } }",
        "{ arguments(float: 1.) { __typename } }",
        "{ arguments(string: \"a\nb\") { __typename } }",
        "{ arguments(string: \"\\q\") { __typename } }",
        "{ arguments(string: \"\\uD800\") { __typename } }",
        "{ arguments(string: \"\\u{110000}\") { __typename } }",
        "fragment on on Dog { name } { dog { ...on } }",
        "{ dog { name: } }",
        "{ dog { 1 } }",
        "querry { dog { name } }",
        "{ dog \u{0} { name } }",
    ] {
        let found = errors(catalog, text);
        assert!(found.starts_with("GRAPHQL_PARSE_FAILED Syntax error"), "{text:?}: {found}");
        assert_eq!(found.lines().count(), 1, "{text:?}: {found}");
    }
}

#[test]
fn the_grammar_of_september_2025_is_read() {
    let catalog = pets();
    for text in [
        "\u{FEFF}{ dog { name } }",
        r#""The dog." query Named("Which." $a: Int) { arguments(int: $a) { __typename } }"#,
        r#"{ dog { ...A } } "Its name." fragment A on Dog { name }"#,
        r#"{ arguments(string: "\u{1F600} \uD83D\uDE00") { __typename } }"#,
        "{ arguments(string: \"\"\"\n  block \\\"\"\" string\n  \"\"\") { __typename } }",
        "{ dog { true: name null: name on: name fragment: name } }",
    ] {
        assert_eq!(errors(catalog, text), "", "{text}");
    }
}

#[test]
fn errors_say_where_and_each_fault_is_told() {
    let catalog = pets();
    let found = errors(catalog, "{\n  dog { nme }\n  ca\u{301} { x }\n}");
    assert!(found.contains("(3:5)"), "{found}");
    let found = errors(catalog, "{\n  dog { nme }\n  cats { name }\n  dogs(id: 1) { name }\n}");
    assert_eq!(
        found,
        "GRAPHQL_VALIDATION_FAILED Type `Dog` does not have a field `nme`. (2:9)\n\
         GRAPHQL_VALIDATION_FAILED Type `Query` does not have a field `cats`. (3:3)\n\
         GRAPHQL_VALIDATION_FAILED The argument `id` is not supported by `Query.dogs`. (4:8)"
    );
}

#[test]
fn names_are_suggested_only_where_that_is_on() {
    let catalog = pets();
    for (text, suggested) in [
        ("{ dog { nme } }", "; did you mean `name`?"),
        ("{ dogs(id: 1) { name } }", "; did you mean `ids`?"),
        ("{ arguments(command: HEAL) { __typename } }", "; did you mean `HEEL`?"),
        ("{ dogs(where: {nam: \"a\"}) { name } }", "; did you mean `name`?"),
        ("{ dog @inclde(if: true) { name } }", "; did you mean `include`?"),
        ("{ dog { ... on Dogs { name } } }", "; did you mean `Dog`?"),
        ("query ($a: Were) { dogs(where: $a) { name } }", "; did you mean `Where`?"),
    ] {
        let with = told(&Document::parse(catalog, text, &LIMITS, true).unwrap_err());
        assert!(with.contains(suggested), "{text}: {with}");
        assert!(!errors(catalog, text).contains("did you mean"), "{text}");
    }
}

#[test]
fn an_operation_is_found_by_its_name_or_by_being_the_only_one() {
    let catalog = pets();
    let one = parse(catalog, "query A { dog { name } }").unwrap();
    assert_eq!(one.operation(None).unwrap().name(), Some("A"));
    assert_eq!(one.operation(Some("A")).unwrap().kind(), OperationKind::Query);
    let two = "query Dashboard { dog { name } } mutation B { rename(name: \"a\") { name } }";
    let two = parse(catalog, two).unwrap();
    assert_eq!(two.operation(Some("B")).unwrap().kind(), OperationKind::Mutation);
    for (document, name, said) in [
        (&one, Some(""), "No operation is named ``."),
        (&two, None, "The document has 2 operations; `operationName` must name one of them."),
        (&two, Some("Dashbord"), "No operation is named `Dashbord`; did you mean `Dashboard`?"),
    ] {
        let refused = document.operation(name).unwrap_err();
        assert_eq!(refused.failure.code, Code::OperationResolutionFailed);
        assert_eq!(refused.failure.message, said);
    }
}

#[test]
fn a_subscription_is_planned_as_one_and_has_one_root_field() {
    let sdl = r#"
        type Query { dog: Int @computed(cel: "1") }
        type Subscription {
          dog: Int @rest(upstream: "pets", path: "/dog") @poll(every: "5s")
          bark: Int @rest(upstream: "pets", path: "/barks") @events(type: "bark")
        }
    "#;
    let catalog = load(sdl);
    let document = "query A { dog }\nsubscription B { dog }\nsubscription C { bark }";
    let document = parse(&catalog, document).unwrap();
    let planned = |name| {
        let operation = document.operation(Some(name)).unwrap();
        let plan = plan::build(&catalog, &operation, &Mask::default()).unwrap();
        (operation.kind(), plan.stream)
    };
    assert_eq!(planned("A"), (OperationKind::Query, None));
    let every = std::time::Duration::from_secs(5);
    assert_eq!(planned("B"), (OperationKind::Subscription, Some(Stream::Poll(every))));
    let events = Stream::Events(FetchId(0), "bark".into());
    assert_eq!(planned("C"), (OperationKind::Subscription, Some(events)));
    let two = parse(&catalog, "subscription { dog again: dog }").unwrap_err();
    assert!(told(&two).contains("one field at its root"));
}
