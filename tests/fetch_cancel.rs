//! A client that leaves takes its upstream calls along, and nobody else's.

mod fetch_rig;

use std::sync::Arc;

use axum::body::Body;
use fetch_rig::{Call, Rig, SHOP, shop};
use http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::sync::Notify;

/// A shop whose users are held back until they are released; the rest is answered at once.
fn held() -> (Rig, Arc<Notify>) {
    let release = Arc::new(Notify::new());
    let rig = Rig::new(SHOP, {
        let release = Arc::clone(&release);
        move |call: Call| {
            let release = Arc::clone(&release);
            async move {
                if call.service == "users" {
                    release.notified().await;
                }
                shop(&call)
            }
        }
    });
    (rig, release)
}

/// Runs a request until so many calls have come, and then drops it.
async fn leave_after(rig: &Rig, query: &str, calls: usize) {
    tokio::select! {
        response = rig.ask(query) => panic!("it was to be held back: {response}"),
        () = rig.calls.arrived(calls) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_cancels_every_call_it_has_started() {
    let rig = Rig::new(&SHOP.replace("max: 100", "max: 1"), |_| std::future::pending());
    leave_after(&rig, "{ users(ids: [1, 2, 3]) { name } order(id: 11) { id } orders { id } }", 5)
        .await;
    assert_eq!(
        rig.calls.abandoned(),
        ["GET /orders", "GET /orders/11", "GET /users?id=1", "GET /users?id=2", "GET /users?id=3"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_before_the_client_left_is_not_cancelled_and_nothing_follows_it() {
    let (rig, release) = held();
    // The order has come, its buyer is held back, and what lies below is never asked for.
    leave_after(&rig, "{ order(id: 11) { buyer { orders { id } } } }", 2).await;
    assert_eq!(rig.calls.abandoned(), ["GET /users?id=1"]);
    release.notify_waiters();
    tokio::task::yield_now().await;
    assert_eq!(rig.calls.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_two_fields_wait_for_is_cancelled_once() {
    let (rig, _release) = held();
    let query = "{ a: user(id: 1) { name } b: user(id: 1) { id } orders { buyer { id } } }";
    leave_after(&rig, query, 3).await;
    assert_eq!(rig.calls.abandoned(), ["GET /users?id=1", "GET /users?id=2&id=3"]);
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_is_left_does_not_go_on_to_its_next_field() {
    let schema = r#"
type Query { ping: Int @rest(upstream: "users", path: "/ping") }
type Mutation {
  first: Int @rest(upstream: "users", method: POST, path: "/first")
  second: Int @rest(upstream: "users", method: POST, path: "/second")
}
"#;
    let rig = Rig::new(schema, |_| std::future::pending());
    leave_after(&rig, "mutation { first second }", 1).await;
    tokio::task::yield_now().await;
    assert_eq!(rig.calls.sorted(), ["POST /first"]);
    assert_eq!(rig.calls.abandoned(), ["POST /first"]);
}

#[tokio::test(start_paused = true)]
async fn one_of_two_equal_requests_that_leaves_does_not_disturb_the_other() {
    let (rig, release) = held();
    let query = "{ user(id: 1) { name orders(first: 1) { id } } }";
    let mut stays = Box::pin(rig.ask(query));
    let mut leaves = Box::pin(rig.ask(query));
    tokio::select! {
        _ = &mut leaves => panic!("it was to be held back"),
        _ = &mut stays => panic!("it was to be held back"),
        () = rig.calls.arrived(1) => {}
    }
    // They wait for one call, which belongs to neither.
    let _ = futures::poll!(&mut leaves);
    let _ = futures::poll!(&mut stays);
    assert_eq!(rig.calls.to("users"), ["GET /users?id=1"]);
    drop(leaves);
    assert_eq!(rig.calls.abandoned(), [""; 0]);

    release.notify_waiters();
    let user = json!({"name": "Ada", "orders": [{"id": "11"}]});
    assert_eq!(stays.await, json!({"data": {"user": user}}));
    assert_eq!(rig.calls.abandoned(), [""; 0]);
    assert_eq!(rig.calls.count(), 2);

    // And the gateway answers the next one.
    release.notify_one();
    assert_eq!(
        rig.ask("{ user(id: 2) { name } }").await,
        json!({"data": {"user": {"name": "Bob"}}})
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_the_door_cancels_its_calls_too() {
    let (rig, _release) = held();
    let door = TowerToHyperService::new(rig.gateway.router());
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .body(Body::from(json!({"query": "{ user(id: 1) { name } }"}).to_string()))
        .unwrap();
    tokio::select! {
        _ = door.call(request) => panic!("it was to be held back"),
        () = rig.calls.arrived(1) => {}
    }
    assert_eq!(rig.calls.abandoned(), ["GET /users?id=1"]);
}
