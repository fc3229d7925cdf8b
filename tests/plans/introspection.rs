//! `__schema` and `__type`, and how much of them one request may ask for.

use onedoor::json::Body;
use onedoor::plan::{IntrospectionKey, Variables, introspect};
use onedoor::schema::Catalog;

use crate::pets::{coerced, load, parse, pets, planned, told};

fn introspected(catalog: &Catalog, text: &str, raw: &str) -> Result<Vec<(String, String)>, String> {
    let document = parse(catalog, text).map_err(|errors| told(&errors))?;
    let variables = coerced(catalog, &document, raw)?;
    let operation = document.operation(None).map_err(|error| error.to_string())?;
    let answers = introspect(catalog, &operation, &variables).map_err(|error| told(&[error]))?;
    let text = |(key, json): (Box<str>, Box<[u8]>)| {
        (key.into(), String::from_utf8_lossy(&json).into_owned())
    };
    Ok(answers.into_iter().map(text).collect())
}

#[test]
fn schema_and_types_are_answered_by_response_key_without_mapping_directives() {
    let catalog = pets();
    let text = r#"query ($name: String!, $all: Boolean!) {
        schema: __schema { queryType { name } directives { name } }
        __type(name: $name) { fields(includeDeprecated: $all) { name } }
        left: __type(name: "Cat") @skip(if: true) { name }
        none: __type(name: "None") { name }
        dog { name }
    }"#;
    let answers = introspected(catalog, text, r#"{"name": "Arguments", "all": true}"#).unwrap();
    let keys: Vec<_> = answers.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["schema", "__type", "none"]);
    assert!(answers[0].1.starts_with(r#"{"queryType":{"name":"Query"}"#));
    assert!(!answers[0].1.contains("\"rest\""), "{}", answers[0].1);
    assert_eq!(answers[1].1, r#"{"fields":[{"name":"int"},{"name":"bool"}]}"#);
    assert_eq!(answers[2].1, "null");
}

#[test]
fn the_query_of_editors_is_answered() {
    let catalog = pets();
    let answers = introspected(catalog, EDITORS, "{}").unwrap();
    assert!(answers[0].1.contains(r#""isOneOf":true"#));
}

#[test]
fn an_answer_depends_on_the_document_the_operation_and_the_variables_that_are_read() {
    let catalog = pets();
    let text = r#"
        query A($name: String!, $all: Boolean, $no: Boolean = false, $other: String) {
            __type(name: $name) { ...Fields }
            dog @skip(if: $no) { name }
            arguments(string: $other) { int(int: 1) }
        }
        query B($name: String!, $all: Boolean) { __type(name: $name) { ...Fields } }
        fragment Fields on __Type { fields(includeDeprecated: $all) { name } }"#;
    let document = parse(catalog, text).unwrap();
    let key = |name: &str, raw: &str| {
        let operation = document.operation(Some(name)).unwrap();
        let raw = Body::parse(raw.to_owned().into()).unwrap();
        let variables = Variables::coerce(catalog, &operation, Some(raw.root())).unwrap();
        IntrospectionKey::of(operation, &variables)
    };
    let dog = key("A", r#"{"name": "Dog"}"#);
    assert_eq!(dog, key("A", r#"{"no": false, "name": "Dog", "other": "of no matter"}"#));
    for (operation, other) in [
        ("B", r#"{"name": "Dog"}"#),
        ("A", r#"{"name": "Cat"}"#),
        ("A", r#"{"name": "Dog", "all": true}"#),
        ("A", r#"{"name": "Dog", "all": null}"#),
        ("A", r#"{"name": "Dog", "no": true}"#),
    ] {
        assert_ne!(dog, key(operation, other), "{operation} {other}");
    }
}

#[test]
fn lists_of_types_within_lists_of_types_are_refused() {
    let catalog = pets();
    let twice = "{ __schema { types { fields { type { fields { name } } } } } }";
    assert!(introspected(catalog, twice, "{}").is_ok());
    for text in [
        "{ __schema { types { fields { type { interfaces { fields { name } } } } } } }",
        "{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } } \
         fragment B on __Type { possibleTypes { inputFields { name } } }",
        // A fragment that was met before, now deeper.
        "{ __schema { types { ...B ...A } } } fragment A on __Type { fields { type { ...B } } } \
         fragment B on __Type { fields { type { fields { name } } } }",
    ] {
        let refused = introspected(catalog, text, "{}").unwrap_err();
        assert!(refused.starts_with("QUERY_TOO_COMPLEX"), "{text}: {refused}");
    }
}

#[test]
fn the_whole_schema_many_times_is_refused() {
    let catalog = pets();
    let once = "types { fields { args { type { name } } } } ";
    let aliases: String = (0..200).map(|n| format!("a{n}: __schema {{ {once} }} ")).collect();
    assert!(introspected(catalog, &format!("{{ {aliases} }}"), "{}").is_ok());
    let nested = "types { fields { type { fields { args { type { enumValues { name description } } } } } } }";
    let aliases: String = (0..100).map(|n| format!("a{n}: __schema {{ {nested} }} ")).collect();
    let refused = introspected(catalog, &format!("{{ {aliases} }}"), "{}").unwrap_err();
    assert!(refused.starts_with("QUERY_TOO_COMPLEX"), "{refused}");
}

#[test]
fn a_null_where_a_name_must_stand_is_refused() {
    let catalog = pets();
    let text = "query ($name: String = \"Dog\") { __type(name: $name) { name } }";
    assert_eq!(introspected(catalog, text, "{}").unwrap()[0].1, r#"{"name":"Dog"}"#);
    let refused = introspected(catalog, text, r#"{"name": null}"#).unwrap_err();
    assert!(refused.starts_with("BAD_USER_INPUT"), "{refused}");
}

#[test]
fn the_schema_is_asked_for_only_at_the_root_of_a_query() {
    let catalog = load(
        "type Query { dog: Dog @rest(upstream: \"pets\", path: \"/dog\") }\n\
         type Mutation { feed: Fed @rest(upstream: \"pets\", path: \"/feed\", method: POST) }\n\
         type Dog { name: String }\n\
         type Fed { query: Query @json(name: \".\") }",
    );
    let nested =
        planned(&catalog, "mutation { feed { query { __schema { description } } } }", "{}");
    let refused = nested.map(|_| ()).unwrap_err();
    assert!(refused.contains("only be asked for at the root of a query"), "{refused}");
}

/// What GraphiQL and others ask first.
const EDITORS: &str = "
query IntrospectionQuery {
  __schema {
    description
    queryType { name kind }
    mutationType { name kind }
    subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description isDeprecated deprecationReason
    args(includeDeprecated: true) { ...InputValue }
    type { ...TypeRef }
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
}
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
  } } } }
}";
