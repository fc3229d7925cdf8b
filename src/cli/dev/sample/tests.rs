//! What is tried first, for schemas and lists of examples of all sorts.

use crate::config::FixedEnv;

use super::*;

fn project(schema: &str) -> Project {
    let settings = [("upstreams/a.toml".to_owned(), "url = \"http://127.0.0.1:1\"".to_owned())];
    let schema = [("schema/a.graphql".to_owned(), schema.to_owned())];
    let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
    project.unwrap_or_else(|| panic!("{}", problems.render(false)))
}

/// Where there are no examples.
fn invented_for(schema: &str) -> String {
    Sample::of(&project(schema)).query
}

#[test]
fn a_field_that_needs_nothing_is_asked_for_with_some_of_its_fields() {
    let schema = r#"
        type Query {
          version: String @rest(upstream: "a", path: "/version")
          secret: T @rest(upstream: "a", path: "/s") @authenticated
          one(id: ID!): T @rest(upstream: "a", path: "/t/{args.id}")
          all(first: Int! = 3): [T!] @rest(upstream: "a", path: "/t")
        }
        type T { id: ID! a: Int b: Float c: E d: String e: String hidden: Int @authenticated
          needs(x: Int!): Int  u: U }
        type U { x: Int t: T }
        enum E { X }
    "#;
    assert_eq!(invented_for(schema), "{ all { id a b c u { x } } }");
}

#[test]
fn arguments_that_must_be_given_are_made_up_whatever_their_type() {
    let schema = r#"
        type Query {
          one(id: ID!, n: [Int!]!, f: Float!, b: Boolean!, e: E!, i: I!, o: O!, free: Int): P
            @rest(upstream: "a", path: "/t/{args.id}")
        }
        interface P @discriminator(property: "kind") { id: ID! }
        type Q implements P { id: ID! }
        enum E { FIRST SECOND }
        input I { need: String! free: Int deep: I2! }
        input I2 { e: [E!]! }
        input O @oneOf { x: Int y: Int }
    "#;
    assert_eq!(
        invented_for(schema),
        "{ one(id: \"1\", n: [1], f: 1.0, b: true, e: FIRST, \
         i: {need: \"1\", deep: {e: [FIRST]}}, o: {x: 1}) { __typename id } }"
    );
}

#[test]
fn where_nothing_can_be_made_up_the_type_is_asked_for() {
    let schema = r#"
        scalar Odd
        type Query { one(odd: Odd!): Int @rest(upstream: "a", path: "/t/{args.odd}") }
    "#;
    assert_eq!(invented_for(schema), "{ __typename }");
}

#[test]
fn an_example_is_taken_if_it_is_a_valid_query_and_has_its_variables() {
    let example = |name: &str, query: &str, variables: Option<&str>| Example {
        file: format!("examples/queries/{name}.graphql"),
        query: query.into(),
        variables: variables.map(Into::into),
    };
    let examples = vec![
        example("a", "{ unknown }", None),
        example("b", "query($id: ID!) { one(id: $id) }", None),
        example("c", "mutation { change }", None),
        example("d", "query($id: ID!) {\n  one(id: $id)\n}\n", Some("{\"id\": \"7\"}")),
    ];
    let schema = r#"
        type Query { one(id: ID!): Int @rest(upstream: "a", path: "/t/{args.id}") }
        type Mutation { change: Int @rest(upstream: "a", method: POST, path: "/t") }
    "#;
    let expected = Sample {
        name: "examples/queries/d.graphql".to_owned(),
        query: "query($id: ID!) { one(id: $id) }".to_owned(),
        variables: Some(serde_json::json!({"id": "7"})),
    };
    let mut project = project(schema);
    project.examples = examples;
    assert_eq!(Sample::of(&project), expected);
}
