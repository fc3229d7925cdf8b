//! Responses in parts over HTTP: `multipart/mixed`, who gets it and in which format, and that each
//! part goes out when it has come.

mod fetch_rig;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use fetch_rig::{Call, Rig, SHOP, shop};
use futures::StreamExt as _;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::sync::Notify;

const DEFERRED: &str = "{ order(id: 11) { id ... @defer(label: \"b\") { buyer { name } } } }";
const PENDING: &str = "multipart/mixed, application/graphql-response+json, application/json;q=0.9";
const PATHS: &str = "multipart/mixed;deferSpec=20220824,application/json";

async fn ask(router: &Router, accept: &str, document: &str) -> Response<Body> {
    let request = Request::post("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, "zstd, br, gzip")
        .body(Body::from(json!({"query": document}).to_string()))
        .unwrap();
    TowerToHyperService::new(router.clone()).call(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn header(response: &Response<Body>, name: http::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The bodies of the parts, as RFC 2046 tells them apart.
fn parts(body: &str) -> Vec<Value> {
    let body = body.strip_suffix("\r\n-----\r\n").expect("it is closed");
    let body = body.strip_prefix("---\r\n").expect("it begins with a delimiter");
    let part = |part: &str| {
        let (head, body) = part.split_once("\r\n\r\n").expect("a head and a body");
        assert_eq!(head, "Content-Type: application/json; charset=utf-8");
        serde_json::from_str(body).expect("JSON")
    };
    body.split("\r\n---\r\n").map(part).collect()
}

fn router() -> Router {
    Rig::answering(SHOP, shop).gateway.router()
}

#[tokio::test(start_paused = true)]
async fn who_names_multipart_is_answered_in_parts_in_the_format_it_knows() {
    let router = router();
    let answer = ask(&router, PENDING, DEFERRED).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, CONTENT_TYPE), "multipart/mixed; boundary=\"-\"");
    assert_eq!(header(&answer, VARY), "Accept");
    assert_eq!(header(&answer, CONTENT_ENCODING), "", "a part waits for no compressor");
    assert_eq!(
        parts(&text(answer).await),
        [
            json!({
                "data": {"order": {"id": "11"}},
                "pending": [{"id": "0", "path": ["order"], "label": "b"}],
                "hasNext": true,
            }),
            json!({
                "incremental": [{"id": "0", "data": {"buyer": {"name": "Ada"}}}],
                "completed": [{"id": "0"}],
                "hasNext": false,
            }),
        ]
    );
    assert_eq!(
        parts(&text(ask(&router, PATHS, DEFERRED).await).await),
        [
            json!({"data": {"order": {"id": "11"}}, "hasNext": true}),
            json!({
                "incremental":
                    [{"data": {"buyer": {"name": "Ada"}}, "path": ["order"], "label": "b"}],
                "hasNext": false,
            }),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_is_answered_whole() {
    let router = router();
    let whole = json!({"data": {"order": {"id": "11", "buyer": {"name": "Ada"}}}});
    for accept in ["application/json", "*/*", "multipart/mixed;q=0, application/json"] {
        let answer = ask(&router, accept, DEFERRED).await;
        assert_eq!(header(&answer, CONTENT_TYPE), "application/json; charset=utf-8", "{accept}");
        assert_eq!(serde_json::from_str::<Value>(&text(answer).await).unwrap(), whole);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_parts_is_answered_whole_where_the_client_takes_that() {
    let router = router();
    let answer = ask(&router, PENDING, "{ order(id: 11) { id } }").await;
    let modern = "application/graphql-response+json; charset=utf-8";
    assert_eq!(header(&answer, CONTENT_TYPE), modern);
    assert_eq!(header(&answer, VARY), "Accept, Accept-Encoding");
    assert_eq!(text(answer).await, r#"{"data":{"order":{"id":"11"}}}"#);
    let wrong = ask(&router, PENDING, "{ nothing }").await;
    assert_eq!((wrong.status().as_u16(), header(&wrong, CONTENT_TYPE)), (400, modern));
    let only = ask(&router, "multipart/mixed", "{ order(id: 11) { id } }").await;
    assert_eq!(header(&only, CONTENT_TYPE), "multipart/mixed; boundary=\"-\"");
    assert_eq!(parts(&text(only).await), [json!({"data": {"order": {"id": "11"}}})]);
    let only = ask(&router, "multipart/mixed", "{ nothing }").await;
    assert_eq!(only.status(), 400);
    assert_eq!(parts(&text(only).await).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_goes_out_whole_before_the_next_has_come() {
    let release = Arc::new(Notify::new());
    let held = Arc::clone(&release);
    let rig = Rig::new(SHOP, move |call: Call| {
        let held = Arc::clone(&held);
        async move {
            if call.service == "users" {
                held.notified().await;
            }
            shop(&call)
        }
    });
    let mut body =
        ask(&rig.gateway.router(), PENDING, DEFERRED).await.into_body().into_data_stream();
    let mut come = String::new();
    while !come.ends_with("\r\n---") {
        come.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(come.contains(r#""hasNext":true"#), "{come}");
    release.notify_one();
    let mut rest = String::new();
    while let Some(piece) = body.next().await {
        rest.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    assert_eq!(parts(&(come + &rest)).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_takes_the_parts_along_that_have_not_come() {
    let rig = Rig::new(SHOP, move |call: Call| async move {
        if call.service == "users" {
            std::future::pending::<()>().await;
        }
        shop(&call)
    });
    let mut body =
        ask(&rig.gateway.router(), PENDING, DEFERRED).await.into_body().into_data_stream();
    while let Some(piece) = tokio::select! {
        piece = body.next() => piece,
        () = rig.calls.arrived(2) => None,
    } {
        piece.unwrap();
    }
    drop(body);
    assert_eq!(rig.calls.abandoned(), ["GET /users?id=1"]);
}

#[tokio::test(start_paused = true)]
async fn where_parts_may_not_stand_they_are_refused() {
    let schema = format!(
        "{SHOP} type Mutation {{ pay: Order @rest(upstream: \"orders\", method: POST, path: \"/pay\") }}
         type Subscription {{ paid: Order @rest(upstream: \"orders\", path: \"/paid\") @events }}"
    );
    let router = Rig::answering(&schema, shop).gateway.router();
    for (document, said) in [
        ("mutation { ... @defer { pay { id } } }", "root of a mutation"),
        ("subscription { ... @defer { paid { id } } }", "root of a mutation or subscription"),
        ("subscription { paid { ... @defer { id } } }", "may not stand in a subscription"),
        ("{ order(id: 1) @stream { id } }", "`order` is no list"),
        (
            "{ orders { ... @defer(label: \"a\") { id } ... @defer(label: \"a\") { status } } }",
            "The label `a` stands for several parts",
        ),
        ("query ($l: String) { orders { ... @defer(label: $l) { id } } }", "is no variable"),
        ("{ orders @stream { id } orders { id } }", "two lists of which one streams"),
        (
            "{ user(id: 1) { orders @stream { id } } user(id: 1) { orders { id } } }",
            "two lists of which one streams",
        ),
        ("{ orders @stream { id } orders @stream { id } }", "two lists that both stream"),
        ("{ orders @stream(initialCount: \"1\") { id } }", "Int"),
        ("{ orders @defer { id } }", "not supported for FIELD"),
    ] {
        for accept in [PENDING, "application/graphql-response+json"] {
            let answer = ask(&router, accept, document).await;
            assert_eq!(answer.status(), 400, "{document}");
            let body = text(answer).await;
            assert!(body.contains(said), "{document}: {body}");
        }
    }
    for document in [
        "mutation { pay { id ... @defer { buyer { name } } } }",
        "subscription { paid { ... @defer(if: false) { id } } }",
    ] {
        let answer = ask(&router, "application/json", document).await;
        let body = text(answer).await;
        assert!(!body.contains("VALIDATION"), "{document}: {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutation_writes_once_and_its_parts_come_after_it() {
    let schema = format!(
        "{SHOP} type Mutation {{
           pay: Order @rest(upstream: \"orders\", method: POST, path: \"/orders/11\")
           ship: Order @rest(upstream: \"orders\", method: POST, path: \"/orders/12\")
         }}"
    );
    let rig = Rig::answering(&schema, shop);
    let document = "mutation { pay { id ... @defer { buyer { name } } } ship { ... @defer { payment { id } } id } }";
    let body = text(ask(&rig.gateway.router(), PENDING, document).await).await;
    let parts = parts(&body);
    assert_eq!(parts[0]["data"], json!({"pay": {"id": "11"}, "ship": {"id": "12"}}));
    assert_eq!(parts.last().unwrap()["hasNext"], false);
    assert_eq!(
        rig.calls.sorted(),
        ["GET /payments?orderId=12", "GET /users?id=1", "POST /orders/11", "POST /orders/12",]
    );
}
