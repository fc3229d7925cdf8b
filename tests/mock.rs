//! The mocked REST service: json-server's answers, faults on demand, and what it refuses.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::cli::mock::{self, Mock, MockError, Options, Problem};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

fn shop() -> Value {
    json!({
        "users": [
            {"id": 1, "name": "Ana", "address": {"city": "Oslo"}, "vip": true, "phone": null},
            {"id": 2, "name": "Bo", "address": {"city": "Łódź & Co"}, "vip": false, "phone": "+45 1"},
        ],
        "orders": [
            {"id": 10, "userId": 2, "total": 500, "status": "paid", "items": [{"sku": "A-1"}]},
            {"id": 11, "userId": 1, "total": 90, "status": "paid", "items": []},
            {"id": 12, "userId": 1, "total": 1500, "status": "shipped", "items": [{"sku": "B-7"}]},
            {"id": 13, "userId": null, "total": 20, "status": "pending", "items": []},
        ],
        "profile": {"name": "Shop", "open": true},
    })
}

fn shop_mock() -> Mock {
    Mock::new(shop(), Options::default()).expect("the data is sound")
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().expect("an error has a message")
    }
}

async fn send(mock: &Mock, method: Method, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned()));
    answer(mock, request.unwrap()).await
}

async fn answer(mock: &Mock, request: Request<Body>) -> Answer {
    let response = TowerToHyperService::new(mock.router()).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).expect("every answer is JSON");
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn get(mock: &Mock, path: &str) -> Answer {
    send(mock, Method::GET, path, "").await
}

/// The ids of the rows at a path, in order.
async fn ids(mock: &Mock, path: &str) -> Vec<i64> {
    let answer = get(mock, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    let rows = answer.body.as_array().expect("a list").clone();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_list_has_every_row_in_the_files_order_and_is_json() {
    let answer = get(&shop_mock(), "/orders").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, shop()["orders"]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-total-count"), None);
}

#[tokio::test]
async fn one_row_is_found_by_its_id_and_a_missing_one_is_404_with_an_empty_object() {
    let mock = shop_mock();
    assert_eq!(get(&mock, "/orders/12").await.body, shop()["orders"][2]);
    assert_eq!(get(&mock, "/orders/12/").await.body, shop()["orders"][2]);
    let missing = get(&mock, "/orders/99").await;
    assert_eq!((missing.status, missing.body), (StatusCode::NOT_FOUND, json!({})));
}

#[tokio::test]
async fn repeated_parameters_are_or_and_different_ones_are_and() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/orders?id=12&id=10&id=99&id=10").await, [10, 12]);
    assert_eq!(ids(&mock, "/orders?userId=1&status=paid").await, [11]);
    assert_eq!(ids(&mock, "/orders?id=10&id=11&userId=1").await, [11]);
    assert_eq!(ids(&mock, "/orders?userId=1&userId=2").await, [10, 11, 12]);
    assert_eq!(ids(&mock, "/orders?status=lost").await, [0_i64; 0]);
}

#[tokio::test]
async fn a_filter_reaches_into_objects_and_lists_and_compares_as_text() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/users?address.city=%C5%81%C3%B3d%C5%BA+%26%20Co").await, [2]);
    assert_eq!(ids(&mock, "/orders?items.0.sku=B-7").await, [12]);
    assert_eq!(ids(&mock, "/users?vip=true").await, [1]);
    assert_eq!(ids(&mock, "/orders?total=90").await, [11]);
    assert_eq!(ids(&mock, "/orders?total=90.0").await, [0_i64; 0]);
}

#[tokio::test]
async fn null_equals_nothing_and_a_filter_no_row_has_is_left_out() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/orders?userId=null").await, [0_i64; 0]);
    assert_eq!(ids(&mock, "/users?phone=").await, [0_i64; 0]);
    assert_eq!(ids(&mock, "/users?nosuch=1").await, [1, 2]);
}

#[tokio::test]
async fn operators_bound_exclude_and_contain() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/orders?total_gte=90&total_lte=500").await, [10, 11]);
    assert_eq!(ids(&mock, "/users?name_gte=B").await, [2]);
    assert_eq!(ids(&mock, "/orders?status_ne=paid&status_ne=pending").await, [12]);
    assert_eq!(ids(&mock, "/users?address.city_like=OSL").await, [1]);
    assert_eq!(ids(&mock, "/users?phone_ne=x").await, [2], "null is not compared");
    assert_eq!(ids(&mock, "/orders?total_gte=many").await, [0_i64; 0]);
}

#[tokio::test]
async fn full_text_looks_at_every_depth() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/orders?q=b-7").await, [12]);
    assert_eq!(ids(&mock, "/users?q=oslo").await, [1]);
    assert_eq!(ids(&mock, "/users?q=").await, [1, 2]);
}

#[tokio::test]
async fn lists_are_sorted_by_several_properties_with_nulls_last() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/orders?_sort=total").await, [13, 11, 10, 12]);
    assert_eq!(ids(&mock, "/orders?_sort=status,total&_order=asc,DESC").await, [10, 11, 13, 12]);
    assert_eq!(ids(&mock, "/orders?_sort=userId").await, [11, 12, 10, 13]);
    assert_eq!(ids(&mock, "/orders?_sort=userId&_order=desc").await, [13, 10, 11, 12]);
    assert_eq!(ids(&mock, "/users?_sort=address.city&_order=desc").await, [2, 1]);
}

#[tokio::test]
async fn a_part_of_a_list_tells_the_whole_count() {
    let mock = shop_mock();
    for (path, expected, total) in [
        ("/orders?_limit=2", vec![10, 11], "4"),
        ("/orders?_limit=0", vec![], "4"),
        ("/orders?_start=1&_limit=2", vec![11, 12], "4"),
        ("/orders?_start=1&_end=2", vec![11], "4"),
        ("/orders?_start=9&_end=99", vec![], "4"),
        ("/orders?_page=2&_limit=3", vec![13], "4"),
        ("/orders?_page=0&_limit=3", vec![10, 11, 12], "4"),
        ("/orders?_page=18446744073709551615&_limit=3", vec![], "4"),
        ("/orders?_page=1", vec![10, 11, 12, 13], "4"),
        ("/orders?userId=1&_limit=1", vec![11], "2"),
    ] {
        assert_eq!(ids(&mock, path).await, expected, "{path}");
        assert_eq!(get(&mock, path).await.header("x-total-count"), Some(total), "{path}");
    }
    let bad = get(&mock, "/orders?_limit=few").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert_eq!(bad.message(), "`_limit` is `few`; it must be a whole number");
}

#[tokio::test]
async fn a_nested_path_filters_by_the_parent_and_creates_below_it() {
    let mock = shop_mock();
    assert_eq!(ids(&mock, "/users/1/orders").await, [11, 12]);
    assert_eq!(ids(&mock, "/users/1/orders?status=shipped").await, [12]);
    let created = send(&mock, Method::POST, "/users/1/orders", r#"{"total": 1}"#).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.body, json!({"total": 1, "userId": "1", "id": 14}));
    assert_eq!(created.header("location"), Some("/orders/14"));
    assert_eq!(ids(&mock, "/users/1/orders").await, [11, 12, 14]);
}

#[tokio::test]
async fn the_root_lists_the_resources_and_db_has_them_all() {
    let mock = shop_mock();
    let expected = json!({"users": "/users", "orders": "/orders", "profile": "/profile"});
    assert_eq!(get(&mock, "/").await.body, expected);
    assert_eq!(get(&mock, "/db").await.body, shop());
}

#[tokio::test]
async fn a_created_row_gets_the_next_id_and_is_there_afterwards() {
    let mock = shop_mock();
    let created = send(&mock, Method::POST, "/orders", r#"{"total": 7}"#).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.body, json!({"total": 7, "id": 14}));
    assert_eq!(created.header("location"), Some("/orders/14"));
    assert_eq!(get(&mock, "/orders/14").await.body, created.body);
    assert_eq!(get(&shop_mock(), "/orders/14").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_created_row_may_bring_its_id_unless_it_is_taken_or_no_id() {
    let mock = shop_mock();
    let own = send(&mock, Method::POST, "/orders", r#"{"id": "a/b", "total": 7}"#).await;
    assert_eq!((own.status, own.header("location")), (StatusCode::CREATED, Some("/orders/a%2Fb")));
    assert_eq!(get(&mock, "/orders/a%2Fb").await.body, own.body);
    let taken = send(&mock, Method::POST, "/orders", r#"{"id": "12"}"#).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let bad = send(&mock, Method::POST, "/orders", r#"{"id": [1]}"#).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert_eq!(bad.message(), "`id` is a list; it must be a string or a number");
    let drawn = send(&mock, Method::POST, "/orders", "{}").await;
    assert_eq!(drawn.body["id"].as_str().map(str::len), Some(7), "not all ids are numbers now");
}

#[tokio::test]
async fn put_replaces_and_patch_merges_and_neither_moves_a_row_to_another_id() {
    let mock = shop_mock();
    let put = send(&mock, Method::PUT, "/orders/11", r#"{"id": 12, "total": 1}"#).await;
    assert_eq!((put.status, put.body), (StatusCode::OK, json!({"id": 11, "total": 1})));
    let patch = send(&mock, Method::PATCH, "/users/1", r#"{"id": 2, "address": {}}"#).await;
    assert_eq!(
        patch.body,
        json!({"id": 1, "name": "Ana", "address": {}, "vip": true, "phone": null})
    );
    assert_eq!(ids(&mock, "/orders").await, [10, 11, 12, 13]);
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let missing = send(&mock, method, "/orders/99", "{}").await;
        assert_eq!((missing.status, missing.body), (StatusCode::NOT_FOUND, json!({})));
    }
}

#[tokio::test]
async fn delete_takes_one_row_away() {
    let mock = shop_mock();
    let deleted = send(&mock, Method::DELETE, "/users/1", "").await;
    assert_eq!((deleted.status, deleted.body), (StatusCode::OK, json!({})));
    assert_eq!(get(&mock, "/users/1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(ids(&mock, "/orders").await, [10, 11, 12, 13]);
}

#[tokio::test]
async fn an_object_at_the_top_level_is_one_resource() {
    let mock = shop_mock();
    assert_eq!(get(&mock, "/profile").await.body, shop()["profile"]);
    let patch = send(&mock, Method::PATCH, "/profile", r#"{"open": false}"#).await;
    assert_eq!(patch.body, json!({"name": "Shop", "open": false}));
    let put = send(&mock, Method::PUT, "/profile", r#"{"a": 1}"#).await;
    assert_eq!((put.status, put.body), (StatusCode::OK, json!({"a": 1})));
    let post = send(&mock, Method::POST, "/profile", r#"{"b": 2}"#).await;
    assert_eq!((post.status, post.body), (StatusCode::CREATED, json!({"b": 2})));
    assert_eq!(get(&mock, "/profile").await.body, json!({"b": 2}));
}

#[tokio::test]
async fn a_form_is_a_row_of_strings() {
    let mock = shop_mock();
    let request = Request::post("/orders")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Body::from("note=a+b%21&tag=x&tag=y"));
    let created = answer(&mock, request.unwrap()).await;
    assert_eq!(created.body, json!({"note": "a b!", "tag": ["x", "y"], "id": 14}));
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_400_and_changes_nothing() {
    let mock = shop_mock();
    for (method, path, body) in [
        (Method::POST, "/orders", "{\"total\": "),
        (Method::POST, "/orders", "[]"),
        (Method::PUT, "/orders/11", "1"),
        (Method::PATCH, "/profile", "{} trailing"),
    ] {
        let refused = send(&mock, method, path, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.message().starts_with("the body is"), "{}", refused.message());
    }
    assert_eq!(get(&mock, "/db").await.body, shop());
}

#[tokio::test]
async fn an_unknown_collection_is_404_and_tells_the_known_ones() {
    let mock = shop_mock();
    for path in ["/order", "/order/1", "/users/1/order"] {
        let unknown = get(&mock, path).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        assert_eq!(
            unknown.message(),
            "there is no collection `order`; there are: /users, /orders, /profile"
        );
    }
    for path in ["/users/1/orders/2", "//orders", "/profile/1", "/%ff"] {
        assert_eq!(get(&mock, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_method_a_target_does_not_know_is_405_with_the_ones_it_does() {
    let mock = shop_mock();
    for (method, path, allowed) in [
        (Method::DELETE, "/orders", "GET, HEAD, POST"),
        (Method::POST, "/orders/11", "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::DELETE, "/profile", "GET, HEAD, POST, PUT, PATCH"),
        (Method::PUT, "/db", "GET, HEAD"),
        (Method::POST, "/", "GET, HEAD"),
    ] {
        let refused = send(&mock, method, path, "{}").await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.header("allow"), Some(allowed), "{path}");
    }
}

#[tokio::test]
async fn another_property_can_be_the_id() {
    let options = Options { id: "sku".to_owned(), ..Options::default() };
    let mock = Mock::new(json!({"parts": [{"sku": "A", "id": 1}]}), options).unwrap();
    assert_eq!(get(&mock, "/parts/A").await.body, json!({"sku": "A", "id": 1}));
    assert_eq!(ids(&mock, "/parts?sku=A&sku=B").await, [1]);
}

#[tokio::test(start_paused = true)]
async fn every_answer_is_held_back_by_the_latency() {
    let latency = Duration::from_millis(250);
    let mock = Mock::new(shop(), Options { latency, ..Options::default() }).unwrap();
    for path in ["/orders", "/orders/99"] {
        let start = Instant::now();
        get(&mock, path).await;
        assert_eq!(start.elapsed(), latency, "{path}");
    }
}

#[tokio::test]
async fn the_same_answers_fail_for_the_same_seed() {
    let options = Options { failure_rate: 0.5, seed: 42, ..Options::default() };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mock = Mock::new(shop(), options.clone()).unwrap();
        let mut statuses = Vec::new();
        for _ in 0..32 {
            statuses.push(get(&mock, "/orders").await.status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&StatusCode::OK), "{:?}", runs[0]);
    assert!(runs[0].contains(&StatusCode::SERVICE_UNAVAILABLE), "{:?}", runs[0]);
}

#[tokio::test]
async fn a_failed_answer_says_so_in_json_and_changes_nothing() {
    let options = Options { failure_rate: 1.0, ..Options::default() };
    let mock = Mock::new(shop(), options).unwrap();
    let failed = send(&mock, Method::DELETE, "/orders/11", "").await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.message(), "this mock was told to fail some answers");
}

fn problems(data: Value) -> Vec<String> {
    let MockError { problems } = Mock::new(data, Options::default()).unwrap_err();
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn unsound_data_is_refused_with_its_place_and_all_collections_at_once() {
    assert_eq!(
        problems(json!([1])),
        ["the data is a list; it must be an object of collections: {\"orders\": [..]}"]
    );
    assert_eq!(
        problems(json!({
            "users": [{"id": 1}, {"id": 2}, {"id": "1"}],
            "orders": [{"id": 1}, null],
            "carts": [{"name": "no id"}],
            "teams": [{"id": {}}],
            "count": 3,
            "db": [],
            "a/b": [],
            "$schema": "ignored",
        })),
        [
            "`users[2].id` is \"1\", as is that of `users[0]`",
            "`orders[1]` is null; every row must be an object",
            "`carts[0].id` is missing; every row needs a string or a number there",
            "`teams[0].id` is an object; every row needs a string or a number there",
            "`count` is a number; it must be a list of objects, or an object",
            "`db` cannot be the name of a resource: `GET /db` answers with all the data",
            "`a/b` cannot be the name of a resource: `/` separates the segments of a path",
        ]
    );
}

#[test]
fn a_failure_rate_that_is_no_share_is_refused() {
    for failure_rate in [-0.1, 1.5, f64::NAN] {
        let options = Options { failure_rate, ..Options::default() };
        let error = Mock::new(json!({}), options).unwrap_err();
        assert!(error.to_string().starts_with("the failure rate is"), "{error}");
    }
}

/// What must happen, or the test fails instead of waiting for ever.
async fn happens<T>(what: impl Future<Output = T>) -> T {
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, what).await.expect("it happens within a minute")
}

/// Sends one GET over an open connection and reads exactly its answer.
async fn get_over(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: mock\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let n = stream.read_buf(&mut answer).await.unwrap();
        assert_ne!(n, 0, "the connection was closed");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return text.into_owned();
        }
    }
}

#[tokio::test]
async fn connections_are_kept_alive_and_shutdown_ends_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = tokio::spawn(mock::serve(listener, shop_mock(), async {
        stopped.await.unwrap_or_default();
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for id in [10, 11, 12] {
        let answer = get_over(&mut stream, &format!("/orders/{id}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(&format!("\"id\":{id},")), "{answer}");
    }
    stop.send(()).unwrap();
    service.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "the connection is closed");
    assert!(TcpStream::connect(address).await.is_err());
}

/// The rows of one of the shop's own data files.
fn shop_file(name: &str) -> Vec<Value> {
    let path = format!("{}/mock/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the file is there");
    assert!(text.len() < 200_000, "{path} is to be small");
    let data: Value = serde_json::from_str(&text).expect("it is JSON");
    Mock::new(data.clone(), Options::default()).expect("it is sound");
    data[name].as_array().expect("the collection has the file's name").clone()
}

#[test]
fn the_shops_rows_refer_to_one_another_but_for_the_ones_its_readme_names() {
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let (users, orders, payments) =
        (shop_file("users"), shop_file("orders"), shop_file("payments"));
    let (user_ids, order_ids) = (ids(&users), ids(&orders));
    let dangling = |rows: &[Value], key: &str, known: &[Value]| {
        ids(&rows.iter().filter(|row| !known.contains(&row[key])).cloned().collect::<Vec<_>>())
    };
    assert_eq!(dangling(&orders, "userId", &user_ids), [json!(1555), json!(1560)]);
    assert_eq!(dangling(&payments, "orderId", &order_ids), [Value::Null; 0]);
    let odd: Vec<_> =
        payments.iter().filter(|p| p["kind"] != "card" && p["kind"] != "bank").collect();
    assert_eq!(odd.iter().map(|p| &p["orderId"]).collect::<Vec<_>>(), [&json!(1042)]);
}

fn with_stream(stream: mock::Stream) -> Result<Mock, MockError> {
    Mock::new(shop(), Options { streams: vec![stream], ..Options::default() })
}

fn of_orders() -> mock::Stream {
    mock::Stream {
        path: "/events".to_owned(),
        rows: "orders".to_owned(),
        kind: "order".to_owned(),
        every: Duration::from_secs(2),
    }
}

/// The pieces of a stream that come, each with the seconds after which it does.
async fn pieces(mock: &Mock, request: Request<Body>, count: usize) -> Vec<(u64, String)> {
    let response = TowerToHyperService::new(mock.router()).call(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (started, mut body) = (Instant::now(), response.into_body().into_data_stream());
    let mut pieces = Vec::new();
    for _ in 0..count {
        let piece = futures::StreamExt::next(&mut body).await.expect("it goes on").unwrap();
        let text = String::from_utf8(piece.to_vec()).unwrap();
        pieces.push((started.elapsed().as_secs(), text));
    }
    pieces
}

fn events(query: &str) -> http::request::Builder {
    Request::get(format!("/events{query}"))
}

#[tokio::test(start_paused = true)]
async fn a_stream_sends_the_rows_one_by_one_over_and_over_and_goes_on_after_the_last() {
    let mock = with_stream(of_orders()).unwrap();
    let row = |id: u64, nth: usize| {
        let row = serde_json::to_string(&shop()["orders"][nth]).unwrap();
        format!("event: order\nid: {id}\ndata: {row}\n\n")
    };
    let all = pieces(&mock, events("?userId=1").body(Body::empty()).unwrap(), 4).await;
    let retry = "retry: 2000\n\n".to_owned();
    assert_eq!(all, [(0, retry), (0, row(1, 1)), (2, row(2, 2)), (4, row(3, 1))]);
    let later = events("?userId=1").header("last-event-id", "3").body(Body::empty()).unwrap();
    assert_eq!(pieces(&mock, later, 3).await[1..], [(0, row(4, 2)), (2, row(5, 1))]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_nobody_serves_its_mock_any_more() {
    let mock = with_stream(of_orders()).unwrap();
    let request = events("").body(Body::empty()).unwrap();
    let response = TowerToHyperService::new(mock.router()).call(request).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    for _ in 0..2 {
        assert!(futures::StreamExt::next(&mut body).await.is_some());
    }
    drop(mock);
    assert!(futures::StreamExt::next(&mut body).await.is_none());
}

/// Reads until the text is there.
async fn read_until(stream: &mut TcpStream, read: &mut Vec<u8>, text: &str) {
    while !String::from_utf8_lossy(read).contains(text) {
        assert_ne!(happens(stream.read_buf(read)).await.unwrap(), 0, "the connection was closed");
    }
}

#[tokio::test]
async fn a_stream_goes_over_a_connection_and_ends_in_order_when_its_service_is_shut_down() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hourly = mock::Stream { every: Duration::from_secs(3600), ..of_orders() };
    let (stop, stopped) = oneshot::channel::<()>();
    let service = tokio::spawn(mock::serve(listener, with_stream(hourly).unwrap(), async {
        stopped.await.unwrap_or_default();
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /events?userId=1 HTTP/1.1\r\nhost: mock\r\nlast-event-id: 1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut stream, &mut read, "event: order\nid: 2\ndata: {\"id\":12,").await;
    stop.send(()).unwrap();
    // What ends a body of chunks (RFC 9112 section 7.1), an hour before the next event.
    happens(stream.read_to_end(&mut read)).await.unwrap();
    let text = String::from_utf8(read).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"), "{text}");
    assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
    assert_eq!(text.matches("event: ").count(), 1, "{text}");
    happens(service).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_rows_is_kept_alive() {
    let mock = with_stream(of_orders()).unwrap();
    let none = events("?userId=99").body(Body::empty()).unwrap();
    let seconds: Vec<_> = pieces(&mock, none, 4).await.into_iter().map(|(at, _)| at).collect();
    assert_eq!(seconds, [0, 0, 15, 30]);
}

#[test]
fn a_stream_needs_rows_and_a_path_of_its_own() {
    for (stream, said) in [
        (mock::Stream { rows: "order".to_owned(), ..of_orders() }, "no collection `order`"),
        (mock::Stream { rows: "profile".to_owned(), ..of_orders() }, "no collection `profile`"),
        (mock::Stream { path: "/orders/new".to_owned(), ..of_orders() }, "a resource of that name"),
        (mock::Stream { path: "/db".to_owned(), ..of_orders() }, "something else answers there"),
        (mock::Stream { kind: "a\nb".to_owned(), ..of_orders() }, "one line"),
    ] {
        let error = with_stream(stream).unwrap_err();
        assert!(error.problems[0].to_string().contains(said), "{}", error.problems[0]);
    }
}
