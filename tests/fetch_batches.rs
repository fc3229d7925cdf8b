//! Many parents, few calls: which calls are made, with which keys, and which rows each parent gets.

mod fetch_rig;

use std::sync::{Arc, Mutex};

use fetch_rig::{Answer, Call, Rig, SHOP, errors, from_rows, ok, shop, text};
use onedoor::plan::TotalCalls;
use serde_json::{Value, json};
use tokio::sync::Notify;

fn open() -> Rig {
    Rig::answering(SHOP, shop)
}

// Which fetches share a batch.

#[tokio::test]
async fn aliases_with_other_arguments_get_their_own_rows_from_batches_of_their_own() {
    let rig = open();
    let query = "{
        a: user(id: 1) { orders(status: PAID) { id } }
        b: user(id: 2) { orders(status: SHIPPED) { id } }
        c: user(id: 3) { orders(first: 2) { id } }
    }";
    assert_eq!(
        rig.data(query).await,
        json!({
            "a": {"orders": [{"id": "11"}]},
            "b": {"orders": [{"id": "22"}]},
            "c": {"orders": [{"id": "31"}, {"id": "32"}]},
        })
    );
    assert_eq!(
        rig.calls.sorted(),
        [
            "GET /orders?userId=1&status=paid",
            "GET /orders?userId=2&status=shipped",
            "GET /orders?userId=3",
            "GET /users?id=1&id=2&id=3",
        ]
    );
    assert_eq!(rig.foretold(query), TotalCalls { calls: 4, exact: true, fetches_by_parent: 0 });
}

#[tokio::test]
async fn aliases_with_the_same_arguments_share_one_batch_however_those_are_written() {
    let rig = open();
    let query = "query($status: OrderStatus = PAID) {
        a: user(id: 1) { orders(status: PAID) { id } }
        b: user(id: 2) { orders(status: $status) { status } }
        c: user(id: 1) { paid: orders(status: PAID) { id } }
    }";
    assert_eq!(
        rig.data(query).await,
        json!({
            "a": {"orders": [{"id": "11"}]},
            "b": {"orders": [{"status": "PAID"}]},
            "c": {"paid": [{"id": "11"}]},
        })
    );
    assert_eq!(
        rig.calls.sorted(),
        ["GET /orders?userId=1&userId=2&status=paid", "GET /users?id=1&id=2"]
    );
}

#[tokio::test]
async fn how_many_rows_a_parent_keeps_does_not_part_a_batch() {
    let rig = open();
    let query = "{ user(id: 3) { one: orders(first: 1) { id } two: orders(first: 2) { id } \
                 none: orders(first: 0) { id } all: orders { id } } }";
    let ids = |ids: &[&str]| ids.iter().map(|id| json!({"id": id})).collect::<Value>();
    assert_eq!(
        rig.data(query).await["user"],
        json!({
            "one": ids(&["31"]),
            "two": ids(&["31", "32"]),
            "none": [],
            "all": ids(&["31", "32", "33"]),
        })
    );
    assert_eq!(rig.calls.to("orders"), ["GET /orders?userId=3"]);
}

#[tokio::test]
async fn parents_that_differ_in_what_the_request_reads_of_them_are_in_different_batches() {
    let schema = r#"
type Query { items: [Item!]! @rest(upstream: "orders", path: "/items") }
type Item {
  id: ID!
  stock: Stock
    @rest(
      upstream: "orders"
      path: "/stock/{this.tenant}?sku={keys}"
      batch: {key: "this.sku", by: "sku"}
    )
}
type Stock { count: Int! }
"#;
    let rig = Rig::answering(schema, |call| match call.path() {
        "/items" => ok(json!([
            {"id": 1, "tenant": "north", "sku": "a"},
            {"id": 2, "tenant": "south", "sku": "a"},
            {"id": 3, "tenant": "north", "sku": "b"},
            {"id": 4, "tenant": null, "sku": "a"},
            {"id": 5, "tenant": "north", "sku": null},
        ])),
        "/stock/north" => ok(json!([{"sku": "a", "count": 1}, {"sku": "b", "count": 3}])),
        _ => ok(json!([{"sku": "a", "count": 2}])),
    });
    let data = rig.data("{ items { stock { count } } }").await;
    let stock = |count: i32| json!({"stock": {"count": count}});
    let none = || json!({"stock": null});
    assert_eq!(data["items"], json!([stock(1), stock(2), stock(3), none(), none()]));
    assert_eq!(
        rig.calls.sorted(),
        ["GET /items", "GET /stock/north?sku=a&sku=b", "GET /stock/south?sku=a"]
    );
}

#[tokio::test]
async fn an_entity_that_is_reached_by_two_paths_is_fetched_once() {
    let rig = open();
    let data = rig
        .data("{ user(id: 1) { name } users(ids: [2, 1]) { name } order(id: 21) { buyer { id name } } }")
        .await;
    assert_eq!(
        data,
        json!({
            "user": {"name": "Ada"},
            "users": [{"name": "Bob"}, {"name": "Ada"}],
            "order": {"buyer": {"id": "2", "name": "Bob"}},
        })
    );
    // The buyer is known only once the order came, and is not asked for again.
    assert_eq!(rig.calls.to("users"), ["GET /users?id=1&id=2"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_on_its_way_is_not_asked_for_again() {
    let buyer_found = Arc::new(Notify::new());
    let rig = Rig::new(SHOP, move |call| {
        let buyer_found = Arc::clone(&buyer_found);
        async move {
            if call.values("id") == ["1"] {
                buyer_found.notified().await;
            }
            if call.service == "payments" {
                buyer_found.notify_one();
            }
            shop(&call)
        }
    });
    // Payment and buyers are asked for together, so the first request for a user is under way then.
    let data = rig.data("{ user(id: 1) { name } orders { buyer { name } payment { id } } }").await;
    assert_eq!(data["orders"].as_array().map(Vec::len), Some(7));
    assert_eq!(rig.calls.to("users"), ["GET /users?id=1", "GET /users?id=2&id=3"]);
}

// How many calls a screen takes, and that the plan says so.

#[tokio::test]
async fn a_dashboard_is_three_calls_as_its_plan_says() {
    let rig = open();
    let query = "{ user(id: 1) { name orders(first: 10) { id status payment { amount } } } }";
    assert_eq!(
        rig.data(query).await,
        json!({"user": {"name": "Ada", "orders": [
            {"id": "11", "status": "PAID", "payment": {"amount": 110}},
            {"id": "12", "status": "SHIPPED", "payment": null},
        ]}})
    );
    assert_eq!(
        rig.calls.all().iter().map(Call::line).collect::<Vec<_>>(),
        ["GET /users?id=1", "GET /orders?userId=1", "GET /payments?orderId=11&orderId=12"]
    );
    let foretold = rig.foretold(query);
    assert_eq!((foretold.calls as usize, foretold.fetches_by_parent), (rig.calls.count(), 0));
}

#[tokio::test]
async fn a_hundred_orders_with_buyers_and_payments_are_three_calls_as_their_plan_says() {
    let order = |id: u32| json!({"id": id, "userId": id % 10, "status": "paid"});
    let user = |id: u32| json!({"id": id, "name": format!("user {id}")});
    let payment = |id: u32| json!({"id": id + 1000, "orderId": id, "amount": id * 10});
    let orders: Value = (0..100).map(order).collect();
    let users: Value = (0..10).map(user).collect();
    let payments: Value = (0..100).map(payment).collect();
    let rig = Rig::answering(SHOP, move |call| match call.service.as_str() {
        "orders" => from_rows(&orders, call),
        "users" => from_rows(&users, call),
        _ => from_rows(&payments, call),
    });
    let query = "{ orders { id buyer { name } payment { amount } } }";
    let data = rig.data(query).await;
    for (id, order) in (0..100).zip(data["orders"].as_array().expect("orders")) {
        let name = format!("user {}", id % 10);
        let payment = json!({"amount": id * 10});
        let expected = json!({"id": id.to_string(), "buyer": {"name": name}, "payment": payment});
        assert_eq!(*order, expected);
    }
    let keys = |count: u32, name: &str| {
        (0..count).map(|key| format!("{name}={key}")).collect::<Vec<_>>().join("&")
    };
    assert_eq!(
        rig.calls.sorted(),
        [
            "GET /orders".to_owned(),
            format!("GET /payments?{}", keys(100, "orderId")),
            format!("GET /users?{}", keys(10, "id")),
        ]
    );
    let foretold = rig.foretold(query);
    assert_eq!((foretold.calls as usize, foretold.fetches_by_parent), (rig.calls.count(), 0));
}

#[tokio::test]
async fn the_children_of_a_batch_that_was_split_are_one_batch() {
    let rig = Rig::answering(&SHOP.replace("max: 100", "max: 2"), shop);
    let data = rig.data("{ users(ids: [1, 2, 3]) { orders(first: 1) { id } } }").await;
    let first = |id: &str| json!({"orders": [{"id": id}]});
    assert_eq!(data["users"], json!([first("11"), first("21"), first("31")]));
    assert_eq!(
        rig.calls.sorted(),
        ["GET /orders?userId=1&userId=2&userId=3", "GET /users?id=1&id=2", "GET /users?id=3"]
    );
}

// How keys are sent.

/// Orders that name their buyers in every way a service might, and users found by a body.
const POSTED: &str = r#"
type Query { orders: [Order!]! @rest(upstream: "orders", path: "/orders") }
type Order { buyer: User @ref(key: "this.userId") }
type User
  @rest(
    upstream: "users"
    method: POST
    path: "/users/search"
    body: """{"ids": "{keys}"}"""
    batch: {by: "id", max: 4}
  ) { id: ID!  name: String! }
"#;

#[tokio::test]
async fn keys_are_sorted_sent_once_and_with_the_type_first_seen() {
    let rig = Rig::answering(POSTED, |call| match call.service.as_str() {
        "orders" => ok(r#"[
            {"userId": "10"}, {"userId": 2}, {"userId": 10}, {"userId": "2"}, {"userId": true},
            {"userId": null}, {}, {"userId": 9007199254740993}, {"userId": "10"}
        ]"#),
        _ => ok(r#"[
            {"id": 2, "name": "two"}, {"id": "true", "name": "yes"}, {"id": 10, "name": "ten"},
            {"id": "9007199254740993", "name": "exact"}, {"id": 9007199254740992, "name": "near"}
        ]"#),
    });
    let data = rig.data("{ orders { buyer { name } } }").await;
    let buyer = |name: &str| json!({"buyer": {"name": name}});
    let nobody = || json!({"buyer": null});
    assert_eq!(
        data["orders"],
        json!([
            buyer("ten"),
            buyer("two"),
            buyer("ten"),
            buyer("two"),
            buyer("yes"),
            nobody(),
            nobody(),
            buyer("exact"),
            buyer("ten"),
        ])
    );
    let bodies: Vec<_> = rig.calls.all().iter().map(|call| call.text().to_owned()).collect();
    assert_eq!(bodies, ["", r#"{"ids":[2,"10",true,9007199254740993]}"#]);
}

#[tokio::test]
async fn a_key_that_is_an_object_fails_its_own_field() {
    let rig = Rig::answering(POSTED, |call| match call.service.as_str() {
        "orders" => ok(r#"[{"userId": {"id": 1}}, {"userId": 2}]"#),
        _ => ok(r#"[{"id": 2, "name": "two"}]"#),
    });
    let response = rig.ask("{ orders { buyer { name } } }").await;
    assert_eq!(response["data"]["orders"], json!([{"buyer": null}, {"buyer": {"name": "two"}}]));
    assert_eq!(errors(&response), [r#"["orders",0,"buyer"] UPSTREAM_BAD_ANSWER"#]);
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_fails_its_own_field_and_is_kept_out_of_the_batch() {
    let schema = SHOP.replace("id={keys}", "id=in.({keys:,})");
    let rig = Rig::answering(&schema, |call| match call.service.as_str() {
        "orders" => ok(json!([
            {"id": 1, "userId": "2", "status": "paid"},
            {"id": 2, "userId": "3,4", "status": "paid"},
        ])),
        _ => ok(json!([{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}])),
    });
    let query = r#"{ users(ids: ["1", "1,2", "2"]) { name } orders { buyer { name } } }"#;
    let response = rig.ask(query).await;
    let (ada, bob) = (json!({"name": "Ada"}), json!({"name": "Bob"}));
    assert_eq!(
        response["data"],
        json!({"users": [ada, null, bob], "orders": [{"buyer": bob}, {"buyer": null}]})
    );
    assert_eq!(
        errors(&response),
        [
            r#"["users",1] BAD_USER_INPUT"#,
            // The client has no part in that one.
            r#"["orders",1,"buyer"] UPSTREAM_BAD_ANSWER"#,
        ]
    );
    assert_eq!(rig.calls.to("users"), ["GET /users?id=in.(1,2)"]);
}

#[tokio::test]
async fn keys_that_are_looked_up_one_at_a_time_are_looked_up_once_each() {
    let schema = SHOP
        .replace("/users?id={keys}", "/users/{key}")
        .replace(", batch: {by: \"id\", max: 100}", "");
    let rig = Rig::answering(&schema, shop);
    let query = r#"{ users(ids: [3, 9, ".", 3]) { name } orders { buyer { name } } }"#;
    let response = rig.ask(query).await;
    let (ada, bob, cyd) = ("Ada", "Bob", "Cyd");
    let buyer = |name: &str| json!({"buyer": {"name": name}});
    let cyd_again = json!({"name": cyd});
    assert_eq!(response["data"]["users"], json!([cyd_again, null, null, cyd_again]));
    assert_eq!(response["data"]["orders"], json!([ada, ada, bob, bob, cyd, cyd, cyd].map(buyer)));
    assert_eq!(errors(&response), [r#"["users",2] BAD_USER_INPUT"#]);
    assert_eq!(
        rig.calls.sorted(),
        ["GET /orders", "GET /users/1", "GET /users/2", "GET /users/3", "GET /users/9"]
    );
}

#[tokio::test]
async fn a_batch_is_split_at_its_max_with_the_keys_in_order() {
    let rig = Rig::answering(&SHOP.replace("max: 100", "max: 2"), |call| {
        let row = |id: String| json!({"id": id, "name": format!("user {id}")});
        ok(call.values("id").into_iter().map(row).collect::<Value>())
    });
    let data = rig.data(r#"{ users(ids: [5, 10, 4, 5, 3, 1, "4"]) { name } }"#).await;
    let names = [5, 10, 4, 5, 3, 1, 4].map(|id| json!({"name": format!("user {id}")}));
    assert_eq!(data["users"], json!(names));
    assert_eq!(
        rig.calls.sorted(),
        ["GET /users?id=1&id=3", "GET /users?id=10", "GET /users?id=4&id=5"]
    );
}

#[tokio::test]
async fn a_batch_is_split_before_its_url_is_longer_than_8_kib() {
    const LONGEST: usize = 8 * 1024;
    let schema = SHOP.replace("max: 100", "max: 1000");
    // Letters as they are, letters that are encoded, and keys that leave no room for another.
    for (letter, length, count) in [("x", 1000, 20), ("é", 300, 20), ("x", 20, 900), ("x", 9000, 3)]
    {
        let rig = Rig::answering(&schema, |call| {
            let row = |id: String| json!({"id": id, "name": "found"});
            ok(call.values("id").into_iter().map(row).collect::<Value>())
        });
        let ids: Vec<_> =
            (0..count).map(|id| format!("{}{id:03}", letter.repeat(length))).collect();
        let query = "query($ids: [ID!]!) { users(ids: $ids) { name } }";
        let response = rig.ask_with(query, json!({"ids": ids})).await;
        let found = vec![json!({"name": "found"}); count];
        assert_eq!(response, json!({"data": {"users": found}}));

        let calls = rig.calls.all();
        let asked: Vec<_> = calls.iter().flat_map(|call| call.values("id")).collect();
        assert_eq!(asked, ids, "every key once, in order");
        let key = letter.replace('é', "%C3%A9").len() * length + 3 + "&id=".len();
        for (index, call) in calls.iter().enumerate() {
            let (alone, length) = (call.values("id").len() == 1, call.path_and_query.len());
            assert!(length <= LONGEST || alone, "{letter} {length}");
            let is_last = index + 1 == calls.len();
            assert!(length + key > LONGEST || is_last, "{letter}: there was room for a key");
        }
    }
}

// Which rows a parent gets.

#[tokio::test]
async fn rows_are_matched_by_key_whatever_their_order_and_number() {
    let rig = Rig::answering(SHOP, |_| {
        ok(r#"[
            {"id": 4, "name": "four"},
            {"id": 99, "name": "nobody asked"},
            {"name": "no key"},
            {"id": null, "name": "null key"},
            {"id": {}, "name": "odd key"},
            "no object",
            {"id": "1", "name": "one"},
            {"id": 3.0, "name": "not three"},
            {"id": 1, "name": "one again"},
            {"id": 2, "name": "two"}
        ]"#)
    });
    let data = rig.data("{ users(ids: [1, 2, 3, 4]) { name } }").await;
    let name = |name: &str| json!({"name": name});
    assert_eq!(data["users"], json!([name("one"), name("two"), null, name("four")]));
    assert_eq!(rig.calls.count(), 1);
}

#[tokio::test]
async fn rows_of_many_parents_are_grouped_by_key_and_keep_their_order() {
    let rig = Rig::answering(SHOP, |call| match call.service.as_str() {
        "users" => shop(call),
        _ => ok(r#"[
            {"id": 5, "userId": 3, "status": "paid"},
            {"id": 4, "userId": "1", "status": "paid"},
            {"id": 3, "userId": 3, "status": "paid"},
            {"id": 2, "status": "paid"},
            {"id": 9, "userId": 77, "status": 0},
            {"id": 1, "userId": 1, "status": "paid"}
        ]"#),
    });
    let data = rig.data("{ users(ids: [1, 2, 3]) { orders { id } } }").await;
    let orders =
        |ids: &[&str]| json!({"orders": ids.iter().map(|id| json!({"id": id})).collect::<Value>()});
    assert_eq!(data["users"], json!([orders(&["4", "1"]), orders(&[]), orders(&["5", "3"])]));
}

#[tokio::test]
async fn a_missing_row_where_null_may_not_stand_is_not_found_at_its_own_path() {
    let schema = SHOP.replace("buyer: User @ref", "buyer: User! @ref");
    let rig = Rig::answering(&schema.replace("[Order!]! @rest", "[Order]! @rest"), |call| {
        if call.service == "orders" {
            return shop(call);
        }
        ok(json!([{"id": 1, "name": "Ada"}, {"id": 3, "name": "Cyd"}]))
    });
    let response = rig.ask("{ orders { buyer { name } } }").await;
    let buyer = |name: &str| json!({"buyer": {"name": name}});
    let (ada, cyd) = (buyer("Ada"), buyer("Cyd"));
    assert_eq!(response["data"]["orders"], json!([ada, ada, null, null, cyd, cyd, cyd]));
    assert_eq!(
        errors(&response),
        [r#"["orders",2,"buyer"] NOT_FOUND"#, r#"["orders",3,"buyer"] NOT_FOUND"#]
    );
}

// Calls that are the same.

const ACCOUNT: &str = r#"
type Query {
  name: String @rest(upstream: "users", path: "/account", at: "name")
  city: String @rest(upstream: "users", path: "/account", at: "address.city")
  account: Account @rest(upstream: "users", path: "/account")
  other: Account @rest(upstream: "orders", path: "/account")
  inFrench: Account
    @rest(upstream: "users", path: "/account", headers: [{name: "accept-language", value: "fr"}])
  search(text: String!): [Account!]!
    @rest(upstream: "users", method: POST, path: "/search", body: """{"text": "{args.text}"}""")
}
type Account { name: String }
"#;

#[tokio::test]
async fn a_request_that_several_fields_make_is_made_once() {
    let rig = Rig::answering(ACCOUNT, |call| {
        let language = call.header("accept-language").unwrap_or("en");
        let name = format!("{} {language}", call.service);
        ok(json!({"name": name, "address": {"city": "Oslo"}}))
    });
    let data = rig
        .data("{ name city account { name } again: account { n: name } other { name } inFrench { name } }")
        .await;
    assert_eq!(
        data,
        json!({
            "name": "users en",
            "city": "Oslo",
            "account": {"name": "users en"},
            "again": {"n": "users en"},
            "other": {"name": "orders en"},
            "inFrench": {"name": "users fr"},
        })
    );
    // One, one of another upstream, and one with another header.
    assert_eq!(rig.calls.to("users"), ["GET /account", "GET /account"]);
    assert_eq!(rig.calls.to("orders"), ["GET /account"]);
}

#[tokio::test]
async fn a_query_that_is_posted_is_coalesced_like_any_other_within_a_request_only() {
    let rig = Rig::answering(ACCOUNT, |call| ok(json!([{"name": call.text()}])));
    let query = r#"{
        a: search(text: "x") { name }
        b: search(text: "x") { found: name }
        c: search(text: "y") { name }
    }"#;
    let (x, y) = (r#"{"text":"x"}"#, r#"{"text":"y"}"#);
    let expected = json!({"a": [{"name": x}], "b": [{"found": x}], "c": [{"name": y}]});
    assert_eq!(rig.data(query).await, expected);
    assert_eq!(rig.calls.count(), 2);
    assert_eq!(rig.data(query).await, expected);
    assert_eq!(rig.calls.count(), 4, "nothing is kept for the next request");
}

// Mutations.

const COUNTER: &str = r#"
type Query { counter(id: ID!): Counter @ref(key: "args.id") }
type Mutation {
  add(id: ID!, n: Int!): Counter
    @rest(upstream: "users", method: POST, path: "/counters/{args.id}", body: """{"add": "{args.n}"}""")
    @ref(key: "args.id")
}
type Counter @rest(upstream: "users", path: "/counters?id={keys}", batch: {by: "id"}) {
  id: ID!
  value: Int!
}
"#;

/// A service that counts.
fn counter() -> impl Fn(&Call) -> Answer {
    let value = Mutex::new(0);
    move |call| {
        let mut value = value.lock().unwrap();
        if call.method == "POST" {
            let body: Value = serde_json::from_str(call.text()).unwrap();
            *value += text(&body["add"]).parse::<i32>().unwrap();
            return ok("null");
        }
        ok(json!([{"id": "c", "value": *value}]))
    }
}

#[tokio::test]
async fn each_root_field_of_a_mutation_reads_what_the_one_before_has_written() {
    let rig = Rig::answering(COUNTER, counter());
    let data = rig
        .data(r#"mutation { a: add(id: "c", n: 1) { value } b: add(id: "c", n: 10) { value } }"#)
        .await;
    assert_eq!(data, json!({"a": {"value": 1}, "b": {"value": 11}}));
    let lines: Vec<_> = rig.calls.all().iter().map(Call::line).collect();
    let (write, read) = ("POST /counters/c", "GET /counters?id=c");
    assert_eq!(lines, [write, read, write, read]);
}

#[tokio::test]
async fn equal_root_fields_of_a_mutation_are_each_carried_out() {
    let rig = Rig::answering(COUNTER, counter());
    let twice = "mutation { a: add(id: \"c\", n: 1) { value } b: add(id: \"c\", n: 1) { value } }";
    assert_eq!(rig.data(twice).await, json!({"a": {"value": 1}, "b": {"value": 2}}));
    assert_eq!(rig.calls.all().iter().filter(|call| call.method == "POST").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_root_field_of_a_mutation_starts_when_all_of_the_one_before_has_come() {
    let read = Arc::new(Notify::new());
    let rig = Rig::new(COUNTER, {
        let read = Arc::clone(&read);
        move |call: Call| {
            let read = Arc::clone(&read);
            async move {
                if call.method == "GET" {
                    read.notified().await;
                }
                ok(json!([{"id": "c", "value": 1}]))
            }
        }
    });
    let mutation =
        "mutation { a: add(id: \"c\", n: 1) { value } b: add(id: \"c\", n: 1) { value } }";
    let watch = async {
        rig.calls.arrived(2).await;
        // Nothing but the read of the first field holds the request up now.
        tokio::task::yield_now().await;
        assert_eq!(rig.calls.sorted(), ["GET /counters?id=c", "POST /counters/c"]);
        read.notify_one();
        rig.calls.arrived(4).await;
        read.notify_one();
    };
    let (data, ()) = tokio::join!(rig.data(mutation), watch);
    assert_eq!(data, json!({"a": {"value": 1}, "b": {"value": 1}}));
}
