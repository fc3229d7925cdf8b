//! Responses in parts (`@defer`, `@stream`): what comes at once, what comes later and where it
//! belongs, in both formats; and that no part asks an upstream for what another has asked already.

mod fetch_rig;

use std::sync::Arc;

use fetch_rig::{Call, Rig, SHOP, ok, shop, status};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use onedoor::engine::{Context, Explain, Incremental, Request, Response};
use onedoor::json::Body;
use serde_json::{Value, json};
use tokio::sync::Notify;

use Incremental::{Paths, Pending};

/// The response to a request, on its way.
fn stream(
    rig: &Rig,
    (query, variables): (&str, Value),
    format: Incremental,
) -> BoxStream<'static, Response> {
    let engine = Arc::clone(&rig.gateway.engine);
    let context = Context::anonymous(engine.deadline());
    let variables = Body::parse(variables.to_string().into()).unwrap();
    let request = Request {
        query,
        operation_name: None,
        variables: Some(variables.root()),
        only_queries: false,
        incremental: Some(format),
        explain: Explain::default(),
    };
    engine.stream(request, context)
}

/// The pieces of a response, in order.
async fn pieces(rig: &Rig, query: &str, format: Incremental) -> Vec<Value> {
    pieces_with(rig, (query, json!({})), format).await
}

async fn pieces_with(
    rig: &Rig,
    (query, variables): (&str, Value),
    format: Incremental,
) -> Vec<Value> {
    let responses: Vec<_> = stream(rig, (query, variables), format).collect().await;
    let last = responses.len() - 1;
    let pieces = responses.into_iter().enumerate().map(|(nth, response)| {
        assert_eq!(response.more, nth < last);
        let text = String::from_utf8(response.body).unwrap();
        assert!(!text.contains("\"@"), "no mark is left: {text}");
        serde_json::from_str(&text).unwrap()
    });
    pieces.collect()
}

/// A shop that answers at once.
fn rig() -> Rig {
    Rig::answering(SHOP, shop)
}

/// A shop of which one service answers only when it is let.
fn holding(service: &'static str) -> (Rig, Arc<Notify>) {
    let release = Arc::new(Notify::new());
    let held = Arc::clone(&release);
    let rig = Rig::new(SHOP, move |call: Call| {
        let held = Arc::clone(&held);
        async move {
            if call.service == service {
                held.notified().await;
            }
            shop(&call)
        }
    });
    (rig, release)
}

/// What the pieces come to, put together as a client does; errors apart.
fn merged(pieces: &[Value]) -> (Value, Vec<Value>) {
    let mut data = pieces[0]["data"].clone();
    let mut errors = list(&pieces[0]["errors"]);
    let mut paths = std::collections::HashMap::new();
    let mut starts = std::collections::HashMap::new();
    for piece in pieces {
        for pending in list(&piece["pending"]) {
            paths.insert(pending["id"].clone(), list(&pending["path"]));
        }
        for one in list(&piece["incremental"]) {
            errors.extend(list(&one["errors"]));
            let mut path = match one.get("path") {
                Some(path) => list(path),
                None => [paths[&one["id"]].clone(), list(&one["subPath"])].concat(),
            };
            if let Some(items) = one.get("items") {
                if one.get("path").is_some() {
                    starts.insert(path.clone(), path.pop().unwrap());
                }
                let place = at(&mut data, &path).as_array_mut().unwrap();
                place.extend(list(items));
            } else {
                let place = at(&mut data, &path);
                assert!(place.is_object(), "{path:?} is null: {pieces:#?}");
                if one.get("id").is_some() {
                    let new = one["data"].as_object().unwrap().keys();
                    let twice: Vec<_> =
                        new.filter(|key| place.get(key.as_str()).is_some()).collect();
                    assert!(twice.is_empty(), "{twice:?} came twice: {pieces:#?}");
                }
                merge(place, &one["data"]);
            }
        }
        for completed in list(&piece["completed"]) {
            errors.extend(list(&completed["errors"]));
        }
    }
    (data, errors)
}

/// The ids of the parts that are announced, or completed, in the order of their numbers.
fn ids(pieces: &[Value], of: &str) -> Vec<u32> {
    let all = pieces.iter().flat_map(|piece| list(&piece[of]));
    let mut ids: Vec<u32> = all.map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// What the client has at a place. It must have something there.
fn at<'v>(value: &'v mut Value, path: &[Value]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Value::String(key) => value.get_mut(key.as_str()).expect("a field that has come"),
        index => value.get_mut(usize::try_from(index.as_u64().unwrap()).unwrap()).expect("an item"),
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) if into.len() == from.len() => {
            into.iter_mut().zip(from).for_each(|(into, from)| merge(into, from));
        }
        (into, from) => *into = from.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_deferred_fragment_comes_when_its_request_is_answered() {
    let (rig, release) = holding("payments");
    let query = "{ order(id: 11) { id ... @defer(label: \"pay\") { payment { amount } } } }";
    let mut stream = stream(&rig, (query, json!({})), Pending);
    let first = stream.next().await.unwrap();
    assert!(first.more);
    assert_eq!(
        serde_json::from_slice::<Value>(&first.body).unwrap(),
        json!({
            "data": {"order": {"id": "11"}},
            "pending": [{"id": "0", "path": ["order"], "label": "pay"}],
            "hasNext": true,
        })
    );
    let (last, ()) = tokio::join!(stream.next(), async {
        rig.calls.arrived(2).await;
        release.notify_one();
    });
    let last = last.unwrap();
    assert!(!last.more);
    assert_eq!(
        serde_json::from_slice::<Value>(&last.body).unwrap(),
        json!({
            "incremental": [{"id": "0", "data": {"payment": {"amount": 110}}}],
            "completed": [{"id": "0"}],
            "hasNext": false,
        })
    );
    assert!(stream.next().await.is_none());
    assert_eq!(rig.calls.sorted(), ["GET /orders/11", "GET /payments?orderId=11"]);
}

#[tokio::test(start_paused = true)]
async fn the_older_format_has_paths_and_whole_fragments() {
    let rig = rig();
    let query = "{ order(id: 11) { id ... @defer(label: \"pay\") { id payment { amount } } } }";
    assert_eq!(
        pieces(&rig, query, Paths).await,
        [
            json!({"data": {"order": {"id": "11"}}, "hasNext": true}),
            json!({
                "incremental": [{
                    "data": {"id": "11", "payment": {"amount": 110}},
                    "path": ["order"],
                    "label": "pay",
                }],
                "hasNext": false,
            }),
        ]
    );
    assert_eq!(rig.calls.sorted(), ["GET /orders/11", "GET /payments?orderId=11"]);
    let pending = pieces(&rig, query, Pending).await;
    assert_eq!(pending[1]["incremental"][0]["data"], json!({"payment": {"amount": 110}}));
}

#[tokio::test(start_paused = true)]
async fn what_has_no_request_of_its_own_comes_at_once() {
    let rig = rig();
    for query in [
        "{ order(id: 11) { id ... @defer { status } } }",
        "{ order(id: 11) { id ... @defer(if: false) { buyer { id } } } }",
        "{ order(id: 11) { id ... @defer { buyer @skip(if: true) { id } status } } }",
        "{ order(id: 11) { id } }",
        "{ order(id: 99) { ... @defer { buyer { id } } } }",
    ] {
        let pieces = pieces(&rig, query, Pending).await;
        assert_eq!(pieces.len(), 1, "{query}: {pieces:?}");
        assert_eq!(pieces[0].get("hasNext"), None);
        assert_eq!(pieces[0].get("pending"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn parts_of_a_list_share_their_requests() {
    let rig = rig();
    let query = "{ orders { id ... @defer { buyer { name } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    assert_eq!(pieces.len(), 2);
    assert_eq!(pieces[0]["pending"].as_array().unwrap().len(), 7);
    assert_eq!(pieces[0]["pending"][3], json!({"id": "3", "path": ["orders", 3]}));
    assert_eq!(pieces[1]["incremental"][3], json!({"id": "3", "data": {"buyer": {"name": "Bob"}}}));
    assert_eq!(pieces[1]["completed"].as_array().unwrap().len(), 7);
    assert_eq!(rig.calls.sorted(), ["GET /orders", "GET /users?id=1&id=2&id=3"]);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_does_not_come_again() {
    let rig = rig();
    let query = "{ order(id: 11) { buyer { id } ... @defer { id status buyer { id name orders { id } } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    assert_eq!(pieces[0]["data"], json!({"order": {"buyer": {"id": "1"}}}));
    let entries = json!([
        {"id": "0", "data": {"id": "11", "status": "PAID"}},
        {"id": "0", "subPath": ["buyer"], "data": {"name": "Ada", "orders": [{"id": "11"}, {"id": "12"}]}},
    ]);
    assert_eq!(pieces[1]["incremental"], entries);
    assert_eq!(rig.calls.sorted(), ["GET /orders/11", "GET /orders?userId=1", "GET /users?id=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_part_within_a_part_is_announced_with_it() {
    let rig = rig();
    let query = "{ order(id: 11) { id ... @defer(label: \"a\") { buyer { id ... @defer(label: \"b\") { \
        orders { id } } } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[0]["pending"], json!([{"id": "0", "path": ["order"], "label": "a"}]));
    assert_eq!(
        pieces[1]["pending"],
        json!([{"id": "1", "path": ["order", "buyer"], "label": "b"}])
    );
    assert_eq!(pieces[1]["incremental"], json!([{"id": "0", "data": {"buyer": {"id": "1"}}}]));
    assert_eq!(pieces[1]["hasNext"], true);
    assert_eq!(
        pieces[2],
        json!({
            "incremental": [{"id": "1", "data": {"orders": [{"id": "11"}, {"id": "12"}]}}],
            "completed": [{"id": "1"}],
            "hasNext": false,
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_part_within_two_parts_is_announced_once() {
    let query = "{ user(id: 1) { ...@defer { ...F name } ...@defer { ...F } } } \
                 fragment F on User { id ...@defer { orders { id payment { id } } } }";
    let pieces = pieces(&rig(), query, Pending).await;
    assert_eq!(ids(&pieces, "pending"), [0, 1, 2]);
    assert_eq!(ids(&pieces, "completed"), [0, 1, 2]);
    assert_eq!(merged(&pieces).0, rig().data(query).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_deferred_in_too_many_places_comes_at_once() {
    let fields = |n: usize, of: &str| (0..n).map(|i| format!("a{i}: {of} ")).collect::<String>();
    for (users, is_deferred) in [(20, true), (26, false)] {
        let query = format!(
            "{{ {} }} fragment G on User {{ {} }} fragment F on Order {{ ...@defer {{ buyer {{ id }} }} }}",
            fields(users, "user(id: 1) { ...G }"),
            fields(40, "orders(first: 1) { ...F }"),
        );
        let pieces = pieces(&rig(), &query, Pending).await;
        assert_eq!(pieces.len() > 1, is_deferred, "{users}");
        assert_eq!(merged(&pieces).0, rig().data(&query).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_gives_its_first_items_at_once() {
    let rig = rig();
    let query = "{ user(id: 3) { orders @stream(initialCount: 2, label: \"o\") { id payment { amount } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    let first = json!([{"id": "31", "payment": {"amount": 310}}, {"id": "32", "payment": null}]);
    assert_eq!(pieces[0]["data"], json!({"user": {"orders": first}}));
    assert_eq!(
        pieces[0]["pending"],
        json!([{"id": "0", "path": ["user", "orders"], "label": "o"}])
    );
    assert_eq!(
        pieces[1]["incremental"],
        json!([{"id": "0", "items": [{"id": "33", "payment": null}]}])
    );
    assert_eq!(
        rig.calls.to("payments"),
        ["GET /payments?orderId=31&orderId=32", "GET /payments?orderId=33"]
    );
    assert_eq!(rig.calls.to("orders").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_first_items_waits_for_nothing() {
    let rig = rig();
    let query = "{ users(ids: [2, 9]) @stream { id } orders @stream(initialCount: 6) { id } }";
    let pieces_ = pieces(&rig, query, Paths).await;
    assert_eq!(pieces_[0]["data"]["users"], json!([]));
    assert_eq!(pieces_[0]["data"]["orders"].as_array().unwrap().len(), 6);
    let (data, errors) = merged(&pieces_);
    assert_eq!(data["users"], json!([{"id": "2"}, null]));
    assert_eq!(data["orders"].as_array().unwrap().len(), 7);
    assert_eq!(errors, [json!(null); 0]);
    let all: Vec<Value> = pieces_[1..].iter().flat_map(|it| list(&it["incremental"])).collect();
    assert!(all.contains(&json!({"items": [{"id": "33"}], "path": ["orders", 6]})), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_costs_its_own_fields() {
    let rig = Rig::answering(SHOP, |call| match call.service.as_str() {
        "payments" => status(503, "{}"),
        _ => shop(call),
    });
    let query = "{ order(id: 11) { id ... @defer { payment { amount } buyer { name } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    let entry = &pieces[1]["incremental"][0];
    assert_eq!(entry["data"], json!({"payment": null, "buyer": {"name": "Ada"}}));
    assert_eq!(entry["errors"][0]["path"], json!(["order", "payment"]));
    assert_eq!(pieces[1]["completed"], json!([{"id": "0"}]));
}

#[tokio::test(start_paused = true)]
async fn a_null_goes_no_further_than_the_part() {
    let schema = SHOP.replace("payment: Payment\n", "payment: Payment!\n");
    let rig = Rig::answering(&schema, |call| match call.service.as_str() {
        "payments" => ok("[]"),
        _ => shop(call),
    });
    let query = "{ orders { id ... @defer { status payment { amount } } } }";
    let pending = pieces(&rig, query, Pending).await;
    assert_eq!(pending[0]["data"]["orders"].as_array().unwrap().len(), 7);
    assert_eq!(pending[1].get("incremental"), None);
    let failed = &pending[1]["completed"][1];
    assert_eq!(failed["id"], "1");
    assert_eq!(failed["errors"].as_array().unwrap().len(), 1);
    assert_eq!(failed["errors"][0]["path"], json!(["orders", 1, "payment"]));
    assert_eq!(failed["errors"][0]["extensions"]["code"], "NOT_FOUND");
    let paths = pieces(&rig, query, Paths).await;
    assert_eq!(paths[1]["incremental"][1]["data"], json!(null));
    assert_eq!(paths[1]["incremental"][1]["path"], json!(["orders", 1]));
    assert_eq!(paths[1]["incremental"][1]["errors"], failed["errors"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_told_before_is_not_told_again() {
    // The order's status is none: the first response says so, and the part has nothing to add.
    let rig = Rig::answering(SHOP, |call| match call.path() {
        "/orders" => {
            ok(r#"[{"id": 1, "status": "lost", "userId": 1}, {"id": 2, "status": "paid"}]"#)
        }
        _ => shop(call),
    });
    let schema_nullable = "{ orders { id ... @defer { buyer { name } } } }";
    let pieces_ = pieces(&rig, schema_nullable, Pending).await;
    assert_eq!(pieces_[0].get("errors"), None);
    let query = "{ orders { status ... @defer { buyer { name } } } }";
    let pieces_ = pieces(&rig, query, Pending).await;
    assert_eq!(pieces_.len(), 1, "null went up to the root, so that nothing is left to wait for");
    assert_eq!(pieces_[0]["data"], json!(null));
    assert_eq!(pieces_[0]["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn below_a_null_that_was_sent_nothing_comes() {
    // The order has no status that is known, so that it is null; its buyer is found all the same.
    let rig = Rig::answering(SHOP, |call| match call.path() {
        "/orders/11" => ok(r#"{"id": 11, "status": "lost", "userId": 1}"#),
        "/orders" => ok(r#"[{"id": 11, "status": "paid", "userId": 9}]"#),
        _ => shop(call),
    });
    let query = "{ order(id: 11) { status } orders { id } \
                 ... @defer { order(id: 11) { payment { amount } } orders { buyer { name } } } }";
    for format in [Pending, Paths] {
        let pieces = pieces(&rig, query, format).await;
        assert_eq!(pieces[0]["data"], json!({"order": null, "orders": [{"id": "11"}]}));
        assert_eq!(pieces[0]["errors"].as_array().unwrap().len(), 1);
        let incremental = &pieces[1]["incremental"];
        let part = match format {
            Pending => json!([{"id": "0", "subPath": ["orders", 0], "data": {"buyer": null}}]),
            Paths => {
                let data = json!({"order": null, "orders": [{"buyer": null}]});
                json!([{"path": [], "data": data}])
            }
        };
        assert_eq!(*incremental, part, "{format:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_streams_first_items_is_told_with_them() {
    let rig = Rig::answering(SHOP, |call| match call.service.as_str() {
        "payments" => status(503, "{}"),
        _ => shop(call),
    });
    let query = "{ user(id: 3) { orders @stream(initialCount: 2) { payment { amount } } } }";
    for format in [Pending, Paths] {
        let pieces = pieces(&rig, query, format).await;
        let paths = |errors: &Value| -> Vec<Value> {
            list(errors).iter().map(|error| error["path"].clone()).collect()
        };
        let place = |index| json!(["user", "orders", index, "payment"]);
        assert_eq!(paths(&pieces[0]["errors"]), [place(0), place(1)]);
        assert_eq!(paths(&pieces[1]["incremental"][0]["errors"]), [place(2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_two_parts_select_comes_once() {
    let rig = rig();
    let query = "{ order(id: 11) { ... @defer(label: \"a\") { id buyer { name } } \
                 ... @defer(label: \"b\") { id buyer { name orders { id } } payment { amount } } } }";
    let pieces_ = pieces(&rig, query, Pending).await;
    assert_eq!(pieces_.len(), 3);
    let (data, errors) = merged(&pieces_);
    assert_eq!(data, rig.data(query).await);
    assert!(errors.is_empty());
    assert_eq!(
        pieces_[2]["incremental"],
        json!([
            {"id": "1", "data": {"payment": {"amount": 110}}},
            {"id": "1", "subPath": ["buyer"], "data": {"orders": [{"id": "11"}, {"id": "12"}]}},
        ])
    );
    // In the older format each comes whole.
    let paths = pieces(&rig, query, Paths).await;
    let name = "/incremental/0/data/buyer/name";
    assert!(paths[1..].iter().all(|piece| piece.pointer(name) == Some(&json!("Ada"))), "{paths:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_field_of_two_parts_is_told_once() {
    let rig = Rig::answering(SHOP, |call| match call.service.as_str() {
        "payments" => status(503, "{}"),
        _ => shop(call),
    });
    let query = "{ orders { ... @defer { payment { amount } } \
                 ... @defer { payment { amount } buyer { name } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    let (_, errors) = merged(&pieces);
    assert_eq!(errors.len(), 7, "{pieces:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_one_part_nulls_is_not_lost_to_the_other() {
    // A payment must be, and the first of the user's orders has one only.
    let schema = SHOP.replace("payment: Payment\n", "payment: Payment!\n");
    let query = "{ user(id: 1) { ... @defer { orders { id payment { amount } } } \
                 ... @defer { orders { id status } name } } }";
    let rig = Rig::answering(&schema, |call| match call.service.as_str() {
        "payments" => ok(r#"[{"orderId": 11, "amount": 110}]"#),
        _ => shop(call),
    });
    let pieces = pieces(&rig, query, Pending).await;
    // What the client has is whole; the part that cannot be is lost, and says why.
    let (data, errors) = merged(&pieces);
    assert_eq!(data["user"]["name"], "Ada");
    assert_eq!(data["user"]["orders"][0]["status"], "PAID");
    assert_eq!(data["user"]["orders"][1]["id"], "12");
    assert_eq!(errors.len(), 1, "{pieces:#?}");
    assert_eq!(errors[0]["path"], json!(["user", "orders", 1, "payment"]));
}

#[tokio::test(start_paused = true)]
async fn of_a_part_that_failed_nothing_is_announced() {
    let schema = SHOP.replace("payment: Payment\n", "payment: Payment!\n");
    let rig = Rig::answering(&schema, |call| match call.service.as_str() {
        "payments" => ok("[]"),
        _ => shop(call),
    });
    let query = "{ user(id: 1) { orders { id } ... @defer { \
                 o: orders { buyer { id ... @defer { orders { id } } } } orders { payment { amount } } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    assert_eq!(pieces.len(), 2, "{pieces:#?}");
    assert_eq!(pieces[1].get("pending"), None);
    assert_eq!(pieces[1].get("incremental"), None);
    assert_eq!(pieces[1]["completed"][0]["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_variable_says_how_many_items_a_stream_gives_at_once() {
    let query = "query ($n: Int, $m: Int! = 1) { user(id: 3) { orders @stream(initialCount: $n) { id } \
                 o: orders @stream(initialCount: $m) { status } } }";
    for (n, given) in
        [(json!({"n": 2}), 2), (json!({}), 0), (json!({"n": 0}), 0), (json!({"n": 9}), 3)]
    {
        for format in [Pending, Paths] {
            let rig = rig();
            let pieces = pieces_with(&rig, (query, n.clone()), format).await;
            let user = &pieces[0]["data"]["user"];
            assert_eq!(user["orders"].as_array().unwrap().len(), given, "{n} {format:?}");
            assert_eq!(user["o"].as_array().unwrap().len(), 1);
            let (data, errors) = merged(&pieces);
            let ids: Vec<_> =
                list(&data["user"]["orders"]).iter().map(|it| it["id"].clone()).collect();
            assert_eq!(ids, ["31", "32", "33"]);
            assert_eq!(data["user"]["o"].as_array().unwrap().len(), 3);
            assert!(errors.is_empty());
            assert_eq!(rig.calls.to("orders").len(), 1);
        }
    }
    // The plan is one, whatever the variable says; a number that cannot be fails its field.
    for n in [json!({"n": -1}), json!({"n": null})] {
        let pieces = pieces_with(&rig(), (query, n.clone()), Pending).await;
        assert_eq!(pieces[0]["data"], json!({"user": null}), "{n}");
        assert_eq!(pieces[0]["errors"].as_array().unwrap().len(), 1, "{pieces:#?}");
        assert_eq!(pieces[0]["errors"][0]["path"], json!(["user", "orders"]));
        assert_eq!(pieces[0]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_which_nothing_comes_at_once_is_not_waited_for() {
    let (rig, release) = holding("orders");
    let query = "query ($n: Int!) { user(id: 3) { name orders @stream(initialCount: $n) { id } } }";
    let mut stream = stream(&rig, (query, json!({"n": 0})), Pending);
    let first: Value = serde_json::from_slice(&stream.next().await.unwrap().body).unwrap();
    assert_eq!(first["data"], json!({"user": {"name": "Cyd", "orders": []}}));
    release.notify_one();
    let last: Value = serde_json::from_slice(&stream.next().await.unwrap().body).unwrap();
    assert_eq!(last["incremental"][0]["items"], json!([{"id": "31"}, {"id": "32"}, {"id": "33"}]));
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_deferred_by_a_variable_that_is_absent_is_deferred() {
    let rig = rig();
    let query =
        "query ($late: Boolean) { order(id: 11) { id ... @defer(if: $late) { buyer { name } } } }";
    let pieces = pieces(&rig, query, Pending).await;
    assert_eq!(pieces[0]["data"], json!({"order": {"id": "11"}}));
    assert_eq!(pieces[1]["incremental"][0]["data"], json!({"buyer": {"name": "Ada"}}));
    let whole = rig.ask(query).await;
    assert_eq!(whole["data"]["order"]["buyer"]["name"], "Ada");
}

#[tokio::test(start_paused = true)]
async fn in_parts_or_at_once_the_data_is_the_same_and_so_are_the_calls() {
    for query in [
        "{ orders { id ...@defer { buyer { id name } payment { id } } } }",
        "{ orders { ...@defer { buyer { ...@defer { orders { id } } } } } }",
        "{ a: order(id: 11) { ...F @defer } b: order(id: 21) { id ...F } } fragment F on Order { status buyer { name } }",
        "{ ...@defer { orders { id } } users(ids: [1, 3]) { id orders(first: 1) @stream { id payment { amount } } } }",
        "{ users(ids: [3, 1, 2]) @stream(initialCount: 1) { name orders { id ...@defer { payment { amount } } } } }",
        "{ order(id: 12) { buyer { id } ...@defer { buyer { name } } ...@defer { buyer { orders { id } } } } }",
        "{ order(id: 12) { ...@defer(label: \"x\") { __typename id payment { id } } } }",
        // What stands below itself is no part: here what one leads to is what the other lacks.
        "{ user(id: 1) { ...F ...@defer { orders { buyer { ...F payment: __typename } } } } } \
         fragment F on User { id ...@defer { orders { id payment { id } } } }",
        "{ user(id: 1) { ...F } } fragment F on User { orders @stream { id buyer { ...G } } ...G } \
         fragment G on User { ...@defer { o: orders { payment { id } } } }",
        // A part within two parts.
        "{ user(id: 1) { ...@defer { ...F name } ...@defer { ...F } } } \
         fragment F on User { id ...@defer { orders { id payment { id } } } }",
        // One part belongs to two places, of which one comes later, and has another part beside it.
        "{ a: order(id: 11) { ...F } ...@defer { b: order(id: 21) { ...F payment { id } ...@defer { buyer { name } } } } } \
         fragment F on Order { id ...@defer { buyer { id name } } }",
    ] {
        let whole = rig();
        let data = whole.data(query).await;
        for format in [Pending, Paths] {
            let rig = rig();
            let pieces = pieces(&rig, query, format).await;
            assert!(pieces.len() > 1, "{query}");
            let (found, errors) = merged(&pieces);
            assert_eq!(found, data, "{query} {format:?} {pieces:#?}");
            assert!(errors.is_empty());
            assert_eq!(ids(&pieces, "pending"), ids(&pieces, "completed"), "{query} {pieces:#?}");
            assert_eq!(pieces.last().unwrap()["hasNext"], false);
        }
    }
}

/// A few numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// What may be selected of a type, some of it deferred or streamed.
    fn selection(&mut self, of: &str, depth: u32) -> String {
        let mut fields = Vec::new();
        for _ in 0..=self.below(3) {
            let field = match (of, self.below(if depth == 0 { 2 } else { 4 })) {
                ("User", 0) => "name".to_owned(),
                ("User", 1) => "id".to_owned(),
                ("User", _) => {
                    let (streams, orders) = (self.streams(), self.selection("Order", depth - 1));
                    // Fields of one response key must stream alike.
                    format!("o{}: orders{streams} {orders}", self.below(1 << 20))
                }
                ("Order", 0) => "id".to_owned(),
                ("Order", 1) => "status".to_owned(),
                ("Order", 2) => format!("buyer {}", self.selection("User", depth - 1)),
                (_, 3) => "payment { amount }".to_owned(),
                _ => "__typename".to_owned(),
            };
            fields.push(match self.below(4) {
                0 => format!("... @defer {{ {field} }}"),
                1 => format!("... on {of} @defer {{ id {field} }}"),
                _ => field,
            });
        }
        format!("{{ {} }}", fields.join(" "))
    }

    fn streams(&mut self) -> String {
        match self.below(3) {
            0 => format!(" @stream(initialCount: {})", self.below(3)),
            _ => String::new(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_deferred_the_pieces_come_to_the_whole() {
    let (mut several, mut random) = (0, Random(42));
    for _ in 0..400 {
        let (orders, streams) = (random.selection("Order", 3), random.streams());
        let query =
            format!("{{ orders{streams} {orders} user(id: 3) {} }}", random.selection("User", 3));
        let data = rig().data(&query).await;
        for format in [Pending, Paths] {
            let pieces = pieces(&rig(), &query, format).await;
            several += usize::from(pieces.len() > 1);
            let (found, errors) = merged(&pieces);
            assert_eq!(found, data, "{query} {format:?} {pieces:#?}");
            assert!(errors.is_empty());
        }
    }
    assert!(several > 400, "most of them have parts: {several}");
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_each_part_that_was_announced_is_completed_once() {
    let mut random = Random(7);
    let strict = SHOP.replace("payment: Payment\n", "payment: Payment!\n");
    let strict = strict.replace("buyer: User ", "buyer: User! ");
    assert_eq!(strict.matches('!').count(), SHOP.matches('!').count() + 2);
    let fails = ["/users", "/orders?userId", "/payments", "/orders?userId=3"];
    for (schema, fails) in [SHOP, &strict].into_iter().flat_map(|it| fails.map(|fails| (it, fails)))
    {
        for _ in 0..60 {
            let query = format!("{{ orders {} }}", random.selection("Order", 3));
            let rig = Rig::answering(schema, move |call| {
                if call.path_and_query.starts_with(fails) { status(503, "{}") } else { shop(call) }
            });
            let pieces = pieces(&rig, &query, Pending).await;
            assert_eq!(ids(&pieces, "pending"), ids(&pieces, "completed"), "{query} {pieces:#?}");
            // Each piece has a place for what it brings, and no error is told twice.
            let (_, errors) = merged(&pieces);
            let mut places: Vec<_> = errors.iter().map(|it| it["path"].to_string()).collect();
            places.sort();
            let several = places.len();
            places.dedup();
            // But for what nulls the whole of two parts: either is lost by it.
            assert!(places.len() == several || schema == strict, "{query} {pieces:#?}");
            if pieces.len() > 1 {
                assert_eq!(pieces.last().unwrap()["hasNext"], false);
            }
        }
    }
}
