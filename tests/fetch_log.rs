//! What the log says of answers that do not fit what the schema reads of them, though no field
//! fails for it.

mod fetch_rig;
mod log_rig;

use fetch_rig::{Call, Rig};
use log_rig::Lines;
use serde_json::{Value, json};

const SCHEMA: &str = r#"
type Query {
  orders: [Order!]! @rest(upstream: "orders", path: "/orders")
}

type Order {
  id: ID!
  buyer: User @rest(upstream: "users", path: "/users?id={keys}", batch: {key: "this.userId", by: "id"})
  invoice: Invoice @rest(upstream: "payments", path: "/invoices/{this.invoiceId}?country={this.country}")
}

type User { name: String! }
type Invoice { number: String! }
"#;

/// What is logged at `warn` while a query runs over these orders and users.
async fn warnings(query: &str, orders: Value, users: Value) -> Vec<Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let rig = Rig::answering(SCHEMA, move |call: &Call| match call.service.as_str() {
        "orders" => fetch_rig::ok(&orders),
        "users" => fetch_rig::ok(&users),
        _ => fetch_rig::ok(json!({"number": "R-1"})),
    });
    rig.data(query).await;
    lines.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

const BUYERS: &str = "{ orders { buyer { name } } }";

#[tokio::test]
async fn a_value_that_every_row_lacks_is_told_with_the_field_that_reads_it() {
    let orders = json!([{"id": 1, "user_id": 7}, {"id": 2, "user_id": 8}]);
    let told = warnings(BUYERS, orders, json!([])).await;
    let expected = json!([{
        "level": "WARN",
        "message": "`this.userId` is absent in 2 of 2 rows",
        "field": "Order.buyer",
        "of": "GET /orders",
    }]);
    assert_eq!(Value::from(told), expected);
}

#[tokio::test]
async fn so_is_one_that_a_template_reads() {
    let orders = json!([{"id": 1, "invoiceId": 5}, {"id": 2, "invoiceId": null}]);
    let told = warnings("{ orders { invoice { number } } }", orders, json!([])).await;
    let messages: Vec<_> = told.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["`this.country` is absent in 2 of 2 rows"]);
}

#[tokio::test]
async fn null_is_not_absent_and_some_rows_are_not_all() {
    let users = json!([{"id": 7, "name": "Ada"}]);
    let none = json!([{"userId": null}, {"userId": null}]);
    assert_eq!(warnings(BUYERS, none, users.clone()).await, [] as [Value; 0]);
    let some = json!([{"userId": 7}, {}]);
    assert_eq!(warnings(BUYERS, some, users.clone()).await, [] as [Value; 0]);
    // Many services leave out what is null: one row says nothing of the name.
    assert_eq!(warnings(BUYERS, json!([{"id": 1}]), users).await, [] as [Value; 0]);
}

#[tokio::test]
async fn keys_with_several_rows_are_counted_where_one_is_wanted() {
    let orders = json!([{"userId": 7}, {"userId": 8}, {"userId": 9}]);
    let users = json!([
        {"id": 7, "name": "Ada"},
        {"id": 8, "name": "Grace"},
        {"id": 7, "name": "Imposter"},
        {"id": 7, "name": "Imposter"},
    ]);
    let told = warnings(BUYERS, orders, users).await;
    let expected = json!([{
        "level": "WARN",
        "message": "keys have several rows; the first counts",
        "endpoint": "GET /users?id={keys}",
        "keys": 1,
        "of": 3,
    }]);
    assert_eq!(Value::from(told), expected);
}

#[tokio::test]
async fn rows_without_a_key_are_counted_and_rows_that_nobody_asked_for_are_none_of_ours() {
    let users = json!([{"name": "Nobody"}, {"id": 7, "name": "Ada"}, {"id": 99, "name": "Eve"}]);
    let told = warnings(BUYERS, json!([{"userId": 7}]), users).await;
    let expected = json!([{
        "level": "WARN",
        "message": "rows without a key were dropped",
        "upstream": "users",
        "endpoint": "GET /users?id={keys}",
        "rows": 1,
    }]);
    assert_eq!(Value::from(told), expected);
}
