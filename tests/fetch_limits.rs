//! Documents that would cost too much are refused before anything is asked of an upstream, and
//! plans that a client could multiply are not kept.

mod fetch_rig;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body as HttpBody;
use fetch_rig::{Rig, SHOP, Texts, errors, project, shop};
use http::{Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::engine::Request as Asked;
use onedoor::json::Body;
use onedoor::plan::Plan;
use serde_json::{Value, json};

/// Users have friends, so that there is something to go deep into. Nothing is guarded.
fn deep_shop() -> String {
    format!(
        "{SHOP}\nextend type User {{ friends: [User!]! @ref(key: \"this.friendIds\") }}\n\
         extend type Query {{ search(in: Filter): [User!]! \
         @rest(upstream: \"users\", method: POST, path: \"/search\", body: \"{{args}}\") }}\n\
         input Filter {{ and: [Filter!]  name: String }}"
    )
}

fn open() -> Rig {
    Rig::answering(&deep_shop(), shop)
}

/// Sends a document and returns the codes of its errors, having seen that no service was asked.
async fn refused(query: &str, variables: Value) -> Vec<String> {
    let rig = open();
    let text = rig.text(query, variables).await;
    assert!(text.len() < 100_000, "a refusal of {} bytes", text.len());
    let response: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(response.get("data"), None, "a request error has no data");
    assert_eq!(rig.calls.count(), 0);
    let mut errors = errors(&response);
    errors.dedup();
    errors
}

const TOO_COMPLEX: [&str; 1] = ["[] QUERY_TOO_COMPLEX"];
const INVALID: [&str; 1] = ["[] GRAPHQL_VALIDATION_FAILED"];

#[tokio::test]
async fn fragments_that_double_thirty_times_are_refused() {
    let mut query = "{ user(id: 1) { ...F0 } }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        write!(query, " fragment F{level} on User {{ ...F{next} ...F{next} }}").unwrap();
    }
    query.push_str(" fragment F30 on User { id name }");
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);

    // The same through fields, so that the levels are levels of the response too.
    let mut query = "{ user(id: 1) { ...F0 } }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        write!(
            query,
            " fragment F{level} on User {{ a: friends {{ ...F{next} }} b: friends {{ ...F{next} }} }}"
        )
        .unwrap();
    }
    query.push_str(" fragment F30 on User { id name }");
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);
}

#[tokio::test]
async fn fragments_that_spread_themselves_are_refused() {
    let cycle = |length: usize| {
        let mut query = "{ user(id: 1) { ...F0 } }".to_owned();
        for level in 0..length {
            let next = (level + 1) % length;
            write!(query, " fragment F{level} on User {{ id friends {{ ...F{next} }} }}").unwrap();
        }
        query
    };
    for length in [1, 2, 500] {
        assert_eq!(refused(&cycle(length), json!({})).await, INVALID, "{length}");
    }
}

#[tokio::test]
async fn ten_thousand_aliases_are_refused() {
    let mut query = "{".to_owned();
    for alias in 0..10_000 {
        write!(query, " a{alias}: user(id: {alias}) {{ id }}").unwrap();
    }
    query.push_str(" }");
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);
}

#[tokio::test]
async fn ten_thousand_directives_are_refused() {
    let query = format!("{{ user(id: 1) {{ id {} }} }}", "@include(if: true) ".repeat(10_000));
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);
}

#[tokio::test]
async fn selections_and_values_a_thousand_deep_are_refused() {
    let friends = "friends { ".repeat(1_000);
    let query = format!("{{ user(id: 1) {{ {friends} id {} }} }}", "} ".repeat(1_000));
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);

    let list = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    assert_eq!(
        refused(&format!("{{ users(ids: {list}) {{ id }} }}"), json!({})).await,
        TOO_COMPLEX
    );

    let object = format!("{}{}", "{and: ".repeat(1_000), "}".repeat(1_000));
    let query = format!("{{ search(in: {object}) {{ id }} }}");
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);

    let ty = format!("{}ID{}", "[".repeat(1_000), "]".repeat(1_000));
    let query = format!("query($ids: {ty}) {{ users(ids: $ids) {{ id }} }}");
    assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX);

    // Nothing closes what was opened; a parser that recurses would be as deep.
    for open in ["{", "[", "(", "{a(b:["] {
        assert_eq!(refused(&open.repeat(100_000), json!({})).await, TOO_COMPLEX, "{open}");
    }
}

#[tokio::test]
async fn a_document_of_a_megabyte_is_refused() {
    for part in ["id ", "user(id: 1) { id } ", "\"text\" ", "$ ", "... "] {
        let query = format!("{{ {} }}", part.repeat((1 << 20) / part.len()));
        assert_eq!(refused(&query, json!({})).await, TOO_COMPLEX, "{part}");
    }
    // What is not counted as tokens costs no more than its bytes, and the door bounds those.
    let rig = open();
    let query = format!("{{ user(id: 1) {{ name }} }} #{}", " comment".repeat(1 << 17));
    assert_eq!(rig.data(&query).await, json!({"user": {"name": "Ada"}}));
    let door = TowerToHyperService::new(rig.gateway.router());
    let request = Request::post("/graphql").header("content-type", "application/json");
    let body = HttpBody::from(json!({"query": query}).to_string());
    let response = door.call(request.body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn variables_are_bounded_by_their_type_and_by_what_json_may_nest() {
    let query = "query($in: Filter) { search(in: $in) { id } }";
    let filter =
        |levels: usize| (0..levels).fold(json!({"name": "x"}), |inner, _| json!({"and": [inner]}));
    let odd = json!({"and": [{"and": [], "or": []}]});
    assert_eq!(refused(query, json!({"in": odd})).await, ["[] BAD_USER_INPUT"]);
    let rig = open();
    let response = rig.ask_with(query, json!({"in": filter(60)})).await;
    assert_eq!(response.get("errors"), None);
    let sent: Value = serde_json::from_str(rig.calls.all()[0].text()).unwrap();
    assert_eq!(sent, json!({"in": filter(60)}));
}

#[tokio::test]
async fn a_list_of_variables_makes_no_more_calls_than_a_request_may() {
    let rig = Rig::answering(SHOP, |call| {
        let row = |id: String| json!({"id": id, "name": "found"});
        fetch_rig::ok(call.values("id").into_iter().map(row).collect::<Value>())
    });
    let ids: Vec<_> = (0..30_000).collect();
    let query = "query($ids: [ID!]!) { users(ids: $ids) { name } }";
    let response = rig.ask_with(query, json!({"ids": ids})).await;
    assert_eq!(rig.calls.count(), 200, "of the 300 that all keys would take");
    let users = response["data"]["users"].as_array().unwrap();
    assert_eq!(users.iter().filter(|user| !user.is_null()).count(), 20_000);
    assert_eq!(errors(&response).len(), 10_000);
}

#[tokio::test]
async fn introspection_is_answered_alike_whether_it_is_kept_or_not() {
    let query = "query($name: String!, $id: ID!, $only: Boolean!) { \
                 __type(name: $name) { name fields @skip(if: $only) { name } } user(id: $id) { name } }";
    let rig = |size: &str| {
        let limits = format!("introspection_cache = \"{size}\"");
        let gateway = format!("[graphql]\nintrospection = \"on\"\n[limits]\n{limits}");
        let project = project(Texts { gateway: &gateway, schema: SHOP, ..Texts::default() });
        Rig::over(project, |call| async move { shop(&call) })
    };
    let (keeping, not) = (rig("1MiB"), rig("0B"));
    for (name, id, only) in [
        ("User", 1, true),
        ("Order", 1, true),
        ("User", 2, false),
        ("User", 3, true),
        ("None", 1, true),
    ] {
        let variables = json!({"name": name, "id": id, "only": only});
        let response = keeping.ask_with(query, variables.clone()).await;
        assert_eq!(response, not.ask_with(query, variables).await);
        assert_eq!(response.get("errors"), None);
        let told = response["data"]["__type"].get("name").map_or("None", |it| it.as_str().unwrap());
        assert_eq!(told, name);
        assert_eq!(response["data"]["__type"].get("fields").is_some(), !only);
    }
}

#[tokio::test]
async fn introspection_that_goes_in_circles_is_refused() {
    // Each round multiplies the answer by the fields that a type has.
    let round = |rounds: usize| {
        let (open, close) = ("fields { type { ".repeat(rounds), "} } ".repeat(rounds));
        format!("{{ __schema {{ types {{ {open} name {close} }} }} }}")
    };
    let of_type = format!(
        "{{ __type(name: \"User\") {{ {} name {} }} }}",
        "ofType { ".repeat(100),
        "} ".repeat(100)
    );
    let gateway = "[graphql]\nintrospection = \"on\"";
    let project = project(Texts { gateway, schema: SHOP, ..Texts::default() });
    let rig = Rig::over(project, |call| async move { shop(&call) });
    for query in [round(4), round(8), round(16), round(40), of_type] {
        let response = rig.ask(&query).await;
        assert_eq!(response.get("data"), None, "{query}");
        assert_eq!(errors(&response), TOO_COMPLEX, "{query}");
    }
    let response = rig.ask(&round(2)).await;
    assert_eq!(response.get("errors"), None, "what tools ask is answered");
    assert_eq!(rig.calls.count(), 0);
}

// Conditions.

/// An operation with so many Boolean variables, each of which decides about one field.
fn conditional(variables: usize) -> String {
    let declared: String = (0..variables).map(|n| format!("$c{n}: Boolean! ")).collect();
    let fields: String = (0..variables)
        .map(|n| match n % 2 {
            0 => format!("f{n}: user(id: {n}) @include(if: $c{n}) {{ id }} "),
            _ => format!("f{n}: user(id: {n}) @skip(if: $c{n}) {{ id }} "),
        })
        .collect();
    format!("query({declared}) {{ __typename {fields} }}")
}

/// The values of the variables, as the bits of a number.
fn values(variables: usize, bits: usize) -> Value {
    (0..variables).map(|n| (format!("c{n}"), json!(bits >> n & 1 == 1))).collect()
}

fn planned(rig: &Rig, query: &str, variables: &Value) -> Arc<Plan> {
    let variables = Body::parse(variables.to_string().into()).unwrap();
    let variables = Some(variables.root());
    let explain = Default::default();
    let request = Asked {
        query,
        operation_name: None,
        variables,
        only_queries: false,
        incremental: None,
        explain,
    };
    rig.engine().plan(request).unwrap()
}

#[tokio::test]
async fn any_number_of_conditions_is_answered_right() {
    for count in [1, 8, 9, 12] {
        let query = conditional(count);
        let rig = Rig::answering(SHOP, |call| {
            let row = |id: String| json!({"id": id, "name": "found"});
            fetch_rig::ok(call.values("id").into_iter().map(row).collect::<Value>())
        });
        for bits in [0, 1, 0b1010_1010_1010, 0b0101_0101_0101, 0b1101_0010_0110, usize::MAX] {
            let response = rig.ask_with(&query, values(count, bits)).await;
            let mut expected = serde_json::Map::new();
            expected.insert("__typename".to_owned(), json!("Query"));
            for n in (0..count).filter(|n| (bits >> n & 1 == 1) == (n % 2 == 0)) {
                expected.insert(format!("f{n}"), json!({"id": n.to_string()}));
            }
            assert_eq!(response, json!({"data": expected}), "{count} {bits:b}");
        }
    }
}

#[tokio::test]
async fn a_plan_is_kept_for_each_value_of_up_to_eight_conditions_and_not_of_more() {
    for (count, kept) in [(1, true), (8, true), (9, false), (20, false)] {
        let rig = Rig::answering(SHOP, shop);
        let query = conditional(count);
        let first = planned(&rig, &query, &values(count, 5));
        let again = planned(&rig, &query, &values(count, 5));
        assert_eq!(Arc::ptr_eq(&first, &again), kept, "{count} conditions");
        let other = planned(&rig, &query, &values(count, 4));
        assert!(!Arc::ptr_eq(&first, &other), "another plan for other values");
    }
}

#[tokio::test]
async fn variables_that_decide_nothing_do_not_part_plans() {
    let rig = Rig::answering(SHOP, shop);
    let query = "query($id: ID!, $first: Int) { user(id: $id) { orders(first: $first) { id } } }";
    let one = planned(&rig, query, &json!({"id": 1}));
    let two = planned(&rig, query, &json!({"id": 2, "first": 3}));
    assert!(Arc::ptr_eq(&one, &two), "a plan holds no variable's value");
}
