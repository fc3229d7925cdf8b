//! The engine behind async-graphql's own transports: `async_graphql_axum::GraphQL` over
//! `engine::Executor`.

mod fetch_rig;

use async_graphql_axum::GraphQL;
use axum::Router;
use axum::body::Body;
use axum::routing::post_service;
use fetch_rig::{Call, Rig, SHOP, errors, ok, shop, status};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::engine::{Context, Executor};
use serde_json::{Value, json};

const AMOUNTS: &str = r#"
scalar Decimal
scalar Anything

type Query {
  amounts: Amounts @rest(upstream: "payments", path: "/amounts")
  echo(decimal: Decimal, anything: Anything, list: [Int!], input: Range): Anything
    @rest(upstream: "payments", method: POST, path: "/echo", body: "{args}")
  half(of: Float! = 0.5): Anything
    @rest(upstream: "payments", path: "/half?of={args.of}", at: ".")
}
type Mutation {
  pay(amount: Decimal!): Amounts
    @rest(upstream: "payments", method: POST, path: "/payments", body: """{"amount": "{args.amount}"}""")
}
type Amounts { exact: Decimal  price: Decimal  small: Float  count: Int  id: ID  tree: Anything }
input Range { from: Decimal  to: Int }
"#;

/// Sends a body to async-graphql's service and returns the text of its answer.
async fn send(rig: &Rig, body: &str) -> String {
    let service = GraphQL::new(Executor::new(rig.gateway.engine.clone()));
    let router = Router::new().route("/", post_service(service));
    let request = Request::post("/").header("content-type", "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = TowerToHyperService::new(router).call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.into()).unwrap()
}

async fn ask(rig: &Rig, query: &str, variables: Value) -> Value {
    let body = json!({"query": query, "variables": variables}).to_string();
    serde_json::from_str(&send(rig, &body).await).unwrap()
}

#[tokio::test]
async fn a_query_is_answered_as_the_door_answers_it() {
    let rig = Rig::answering(SHOP, shop);
    let query = "query Screen($id: ID!, $first: Int) { user(id: $id) { name orders(first: $first) \
                 { id status buyer { id } payment { amount } } } }";
    for variables in
        [json!({"id": "3", "first": 2}), json!({"id": 1}), json!({"id": 9, "first": null})]
    {
        let response = ask(&rig, query, variables.clone()).await;
        assert_eq!(response, rig.ask_with(query, variables).await);
        assert_eq!(response.get("errors"), None, "{response}");
    }
    let response = ask(&rig, query, json!({"id": "3", "first": 1})).await;
    let order =
        json!({"id": "31", "status": "PAID", "buyer": {"id": "3"}, "payment": {"amount": 310}});
    assert_eq!(response, json!({"data": {"user": {"name": "Cyd", "orders": [order]}}}));
}

#[tokio::test]
async fn errors_keep_path_place_code_and_what_is_told_of_the_upstream() {
    let rig = Rig::answering(SHOP, |call| match call.service.as_str() {
        "payments" => status(503, "down"),
        _ => shop(call),
    });
    let query = "{ user(id: 1) { orders(first: 1) { id payment { amount } } } }";
    let response = ask(&rig, query, json!({})).await;
    assert_eq!(response["data"], json!({"user": {"orders": [{"id": "11", "payment": null}]}}));
    assert_eq!(
        response["errors"],
        json!([{
            "message": "The upstream failed.",
            "locations": [{"line": 1, "column": 39}],
            "path": ["user", "orders", 0, "payment"],
            "extensions": {
                "code": "UPSTREAM_FAILED",
                "upstream": {"service": "payments", "status": 503},
            },
        }])
    );
}

#[tokio::test]
async fn a_request_that_is_refused_has_its_codes_and_reaches_no_upstream() {
    let rig = Rig::answering(SHOP, shop);
    for (query, variables, code) in [
        ("{ user(id: 1) { nme } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ user(id: 1) {", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("query($id: ID!) { user(id: $id) { id } }", json!({}), "BAD_USER_INPUT"),
        ("query($id: ID!) { user(id: $id) { id } }", json!({"id": []}), "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", json!({}), "OPERATION_RESOLUTION_FAILED"),
        ("{ __schema { types { name } } }", json!({}), "INTROSPECTION_DISABLED"),
    ] {
        let response = ask(&rig, query, variables).await;
        assert_eq!(response["data"], Value::Null, "{response}");
        assert_eq!(errors(&response), [format!("[] {code}")], "{query}");
    }
    assert_eq!(rig.calls.count(), 0);
}

#[tokio::test]
async fn numbers_of_an_answer_keep_every_digit_and_its_members_their_order() {
    let rig = Rig::answering(AMOUNTS, |_| {
        ok(r#"{
            "exact": 9007199254740993, "price": 12.50, "small": 1e-7, "count": 3, "id": 18446744073709551616,
            "tree": {"z": [1.0, -0, 1E400, null, true], "a": "\u00e9\ud83e\udd80"}
        }"#)
    });
    let text = send(&rig, r#"{"query": "{ amounts { price exact small count id tree } }"}"#).await;
    // The digits are the upstream's; serde_json has its own way to write an exponent.
    assert_eq!(
        text,
        r#"{"data":{"amounts":{"price":12.50,"exact":9007199254740993,"small":1e-7,"count":3,"#
            .to_owned()
            + r#""id":"18446744073709551616","tree":{"z":[1.0,-0,1e+400,null,true],"a":"é🦀"}}}}"#
    );
}

#[tokio::test]
async fn numbers_of_variables_keep_every_digit_wherever_they_stand() {
    let rig = Rig::answering(AMOUNTS, |call| ok(call.text()));
    let text = send(
        &rig,
        r#"{
            "query": "query($d: Decimal, $a: Anything, $l: [Int!], $r: Range) { echo(decimal: $d, anything: $a, list: $l, input: $r) }",
            "variables": {
                "d": 9007199254740993,
                "a": {"price": 12.50, "deep": [[{"n": 1E400}]], "text": "5"},
                "l": [1, 2],
                "r": {"from": 0.10, "to": 7}
            }
        }"#,
    )
    .await;
    assert_eq!(
        text,
        r#"{"data":{"echo":{"decimal":9007199254740993,"#.to_owned()
            + r#""anything":{"price":12.50,"deep":[[{"n":1e+400}]],"text":"5"},"list":[1,2],"#
            + r#""input":{"from":0.10,"to":7}}}}"#
    );
}

#[tokio::test]
async fn variables_are_coerced_as_the_schema_says() {
    let rig = Rig::answering(AMOUNTS, |call| ok(json!(call.values("of"))));
    let query = "query($of: Float! = 2.5) { half(of: $of) }";
    for (variables, sent) in
        [(json!({}), "2.5"), (json!({"of": 3}), "3"), (json!({"of": 1.25}), "1.25")]
    {
        assert_eq!(ask(&rig, query, variables).await, json!({"data": {"half": [sent]}}));
    }
    let response = ask(&rig, query, json!({"of": "1"})).await;
    assert_eq!(errors(&response), ["[] BAD_USER_INPUT"]);
}

#[tokio::test]
async fn a_mutation_is_carried_out() {
    let rig = Rig::answering(AMOUNTS, |call| {
        let body: Value = serde_json::from_str(call.text()).unwrap();
        ok(json!({"exact": body["amount"], "id": 7}))
    });
    let mutation = "mutation($amount: Decimal!) { pay(amount: $amount) { id exact } }";
    let response = ask(&rig, mutation, json!({"amount": 12.5})).await;
    assert_eq!(response, json!({"data": {"pay": {"id": "7", "exact": 12.5}}}));
    assert_eq!(rig.calls.all().iter().map(Call::line).collect::<Vec<_>>(), ["POST /payments"]);
}

#[tokio::test]
async fn several_requests_in_one_body_are_each_answered() {
    let rig = Rig::answering(SHOP, shop);
    let one = |id: u32| json!({"query": "query($id: ID!) { user(id: $id) { name } }", "variables": {"id": id}});
    let text = send(&rig, &json!([one(1), one(2)]).to_string()).await;
    let response: Value = serde_json::from_str(&text).unwrap();
    let user = |name: &str| json!({"data": {"user": {"name": name}}});
    assert_eq!(response, json!([user("Ada"), user("Bob")]));
}

#[tokio::test]
async fn who_asks_and_until_when_is_a_context_in_the_requests_data() {
    let rig = Rig::answering(SHOP, shop);
    let executor = Executor::new(rig.gateway.engine.clone());
    let late = Context::anonymous(tokio::time::Instant::now());
    let request = async_graphql::Request::new("{ user(id: 1) { name } }").data(late);
    let response = async_graphql::Executor::execute(&executor, request).await;
    let code = response.errors[0].extensions.as_ref().and_then(|told| told.get("code"));
    assert_eq!(code, Some(&async_graphql::Value::from("DEADLINE_EXCEEDED")));
    assert_eq!(rig.calls.count(), 0);

    let request = async_graphql::Request::new("{ user(id: 1) { name } }");
    let response = async_graphql::Executor::execute(&executor, request).await;
    assert!(response.errors.is_empty());
}

#[tokio::test]
async fn variables_that_nest_deeper_than_any_body_may_are_refused() {
    let rig = Rig::answering(AMOUNTS, |call| ok(call.text()));
    let executor = Executor::new(rig.gateway.engine.clone());
    let deep = (0..300)
        .fold(async_graphql::Value::Null, |value, _| async_graphql::Value::List(vec![value]));
    let variables = [(async_graphql::Name::new("a"), deep)].into_iter().collect();
    let variables = async_graphql::Variables::from_value(async_graphql::Value::Object(variables));
    let query = "query($a: Anything) { echo(anything: $a) }";
    let request = async_graphql::Request::new(query).variables(variables);
    let response = async_graphql::Executor::execute(&executor, request).await;
    let code = response.errors[0].extensions.as_ref().and_then(|told| told.get("code"));
    assert_eq!(code, Some(&async_graphql::Value::from("BAD_USER_INPUT")));
    assert_eq!(rig.calls.count(), 0);
}
