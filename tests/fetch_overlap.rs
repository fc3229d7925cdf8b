//! What can happen at the same time does. A service here answers only when the calls that should
//! overlap have all come: a gateway that made them in turn would never be answered.

mod fetch_rig;

use std::sync::Arc;

use fetch_rig::{Answer, Call, Rig, SHOP, ok, shop};
use serde_json::json;
use tokio::sync::{Barrier, Notify};

/// A shop in which calls to this service are answered only when so many of them are there.
fn together(schema: &str, service: &'static str, count: usize) -> Rig {
    let barrier = Arc::new(Barrier::new(count));
    Rig::new(schema, move |call| {
        let barrier = Arc::clone(&barrier);
        async move {
            if call.service == service {
                barrier.wait().await;
            }
            shop(&call)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn two_batches_of_one_endpoint_are_under_way_at_the_same_time() {
    let rig = together(SHOP, "orders", 2);
    let data = rig
        .data(
            "{ users(ids: [1, 2]) {
                 paid: orders(status: PAID) { id }
                 shipped: orders(status: SHIPPED) { id }
               } }",
        )
        .await;
    assert_eq!(
        data,
        json!({"users": [
            {"paid": [{"id": "11"}], "shipped": [{"id": "12"}]},
            {"paid": [{"id": "21"}], "shipped": [{"id": "22"}]},
        ]})
    );
    assert_eq!(
        rig.calls.to("orders"),
        [
            "GET /orders?userId=1&userId=2&status=paid",
            "GET /orders?userId=1&userId=2&status=shipped",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_requests_that_a_batch_is_split_into_are_under_way_at_the_same_time() {
    let rig = together(&SHOP.replace("max: 100", "max: 1"), "users", 3);
    let data = rig.data("{ users(ids: [3, 1, 2]) { name } }").await;
    assert_eq!(data, json!({"users": [{"name": "Cyd"}, {"name": "Ada"}, {"name": "Bob"}]}));
}

#[tokio::test(start_paused = true)]
async fn one_call_for_each_parent_means_all_of_them_at_the_same_time() {
    let schema = SHOP.replace("/users?id={keys}", "/users/{key}");
    let rig = together(&schema.replace(", batch: {by: \"id\", max: 100}", ""), "users", 3);
    let data = rig.data("{ orders { buyer { name } } }").await;
    assert_eq!(data["orders"].as_array().map(Vec::len), Some(7));
    assert_eq!(rig.calls.to("users"), ["GET /users/1", "GET /users/2", "GET /users/3"]);
}

/// A shop in which the first call to each of these services waits for the other.
fn each_other(first: &'static str, second: &'static str) -> Rig {
    let both = Arc::new(Barrier::new(2));
    Rig::new(SHOP, move |call| {
        let both = Arc::clone(&both);
        async move {
            if call.service == first || call.service == second {
                both.wait().await;
            }
            shop(&call)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn siblings_over_different_upstreams_are_under_way_at_the_same_time() {
    let rig = each_other("users", "payments");
    let data = rig.data("{ order(id: 11) { buyer { name } payment { amount } } }").await;
    assert_eq!(data, json!({"order": {"buyer": {"name": "Ada"}, "payment": {"amount": 110}}}));
}

#[tokio::test(start_paused = true)]
async fn root_fields_are_under_way_at_the_same_time() {
    let rig = each_other("users", "orders");
    let data = rig.data("{ user(id: 2) { name } order(id: 11) { id } }").await;
    assert_eq!(data, json!({"user": {"name": "Bob"}, "order": {"id": "11"}}));
}

/// A shop in which one kind of call is answered only once another has come.
fn after(late: fn(&Call) -> bool, early: fn(&Call) -> bool) -> Rig {
    let came = Arc::new(Notify::new());
    Rig::new(SHOP, move |call| {
        let came = Arc::clone(&came);
        async move {
            if early(&call) {
                came.notify_one();
            }
            if late(&call) {
                came.notified().await;
            }
            shop(&call)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_fetch_starts_when_its_own_parent_came_and_not_when_a_slower_root_field_did() {
    let rig = after(|call| call.service == "users", |call| call.service == "payments");
    let data = rig.data("{ user(id: 2) { name } order(id: 11) { payment { amount } } }").await;
    assert_eq!(data, json!({"user": {"name": "Bob"}, "order": {"payment": {"amount": 110}}}));
}

#[tokio::test(start_paused = true)]
async fn a_slow_sibling_holds_up_nothing_below_its_neighbour_at_any_depth() {
    // The payment of the first order comes only when that of the buyer's other order is asked for.
    let rig = after(
        |call| call.values("orderId") == ["11"],
        |call| call.service == "payments" && call.values("orderId").contains(&"12".to_owned()),
    );
    let data = rig
        .data(
            "{ order(id: 11) {
                 payment { amount }
                 buyer { orders(status: SHIPPED) { id payment { amount } } }
               } }",
        )
        .await;
    let below = json!({"orders": [{"id": "12", "payment": null}]});
    assert_eq!(data, json!({"order": {"payment": {"amount": 110}, "buyer": below}}));
    assert_eq!(rig.calls.to("payments"), ["GET /payments?orderId=11", "GET /payments?orderId=12"]);
}

#[tokio::test(start_paused = true)]
async fn requests_of_different_clients_do_not_wait_for_each_other() {
    let first = Arc::new(Notify::new());
    let rig = Rig::new(SHOP, move |call| {
        let first = Arc::clone(&first);
        async move { slow_first(&call, &first).await }
    });
    let (slow, quick) =
        tokio::join!(rig.data("{ user(id: 1) { name } }"), rig.data("{ user(id: 2) { name } }"));
    assert_eq!(slow, json!({"user": {"name": "Ada"}}));
    assert_eq!(quick, json!({"user": {"name": "Bob"}}));
}

/// Answers for the first user once the second was asked for.
async fn slow_first(call: &Call, second: &Notify) -> Answer {
    if call.values("id") == ["1"] {
        second.notified().await;
        return ok(json!([{"id": 1, "name": "Ada"}]));
    }
    second.notify_one();
    shop(call)
}
