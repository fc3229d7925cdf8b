//! What the log says of a request: one line, and nothing that a user typed or a client must keep.

mod log_rig;
mod stream_rig;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use log_rig::Lines;
use onedoor::config::{Config, FixedEnv, Problems};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, Route, Routes, router,
};
use onedoor::identity::{Authenticator, Identity, Outbound, ReadClaims};
use onedoor::observe::{Call, Outcome as CallOutcome};
use onedoor::upstream::{CallContext, Error, ErrorKind, Passage, pass};
use serde_json::{Value, json};
use stream_rig::{Gateway, happens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const JWT: &str = "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"";

/// Makes two calls and has one error.
struct Partial;

#[async_trait]
impl Engine for Partial {
    async fn execute(
        &self,
        _: GraphqlRequest,
        _: Identity,
        context: RequestContext,
    ) -> GraphqlResponse {
        for (service, outcome, millis) in [
            ("users", CallOutcome::Status(200), 3),
            ("orders", CallOutcome::Failed("UPSTREAM_TIMEOUT"), 2000),
        ] {
            let duration = Duration::from_millis(millis);
            context.calls.record(Call {
                service: service.into(),
                outcome,
                duration,
                not_kept: None,
            });
        }
        GraphqlResponse {
            body: Bytes::from_static(br#"{"errors":[{}],"data":{"a":null}}"#),
            outcome: Outcome::Executed,
            operation: Some("Screen".into()),
            errors: 1,
            more: false,
            headers: HeaderMap::new(),
        }
    }
}

/// What was logged, as JSON.
fn logged(lines: &Lines) -> Vec<Value> {
    let text = lines.text();
    assert!(!text.contains("hunter"), "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn a_request_is_one_line_without_query_string_document_variables_or_token() {
    let lines = Lines::default();
    let _guard = lines.start();

    let config = Config::from_texts([("onedoor.toml", JWT)], &FixedEnv::new()).draft;
    let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
    let door = Door::new(&config, authenticator, Vec::new(), Arc::new(Partial));
    let service = TowerToHyperService::new(router(Arc::new(door)));
    let body =
        json!({"query": "query Screen { a(x: \"hunter1\") }", "variables": {"p": "hunter2"}});
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Request::post("/graphql?access_token=hunter3")
        .header("content-type", "application/json")
        .header("cookie", "session=hunter4")
        .header("x-request-id", "my-id")
        .header("traceparent", parent)
        .body(Body::from(body.to_string()));
    let answered = service.call(request.expect("a request")).await;
    assert_eq!(answered.expect("the router never fails").status(), 200);
    let bad = Request::post("/graphql").header("authorization", "Bearer hunter5.x.y");
    let answered = service.call(bad.body(Body::empty()).expect("a request")).await;
    assert_eq!(answered.expect("the router never fails").status(), 401);

    let events = logged(&lines);
    let text = format!("{events:#?}");
    let of_requests: Vec<_> = events.iter().filter(|event| event["message"] == "request").collect();
    let [served, refused] = of_requests.as_slice() else { panic!("one line each: {text}") };
    for (field, expected) in [
        ("target", json!("onedoor::access")),
        ("request_id", json!("my-id")),
        ("trace_id", json!("0af7651916cd43dd8448eb211c80319c")),
        ("method", json!("POST")),
        ("path", json!("/graphql")),
        ("operation", json!("Screen")),
        ("status", json!(200)),
        ("upstream_calls", json!(2)),
        ("upstreams", json!("users=200/3.0ms orders=UPSTREAM_TIMEOUT/2000.0ms")),
        ("errors", json!(1)),
        ("bytes", json!(33)),
    ] {
        assert_eq!(served[field], expected, "{field}: {text}");
    }
    assert!(served["duration_ms"].is_number(), "{text}");
    assert_eq!((&refused["status"], &refused["errors"]), (&json!(401), &json!(1)), "{text}");
    assert_eq!((served.get("events"), refused.get("operation")), (None, None), "{text}");
    let why = events.iter().find(|event| event["message"] == "token refused").expect("the reason");
    assert_eq!(why["reason"], "not three parts of base64url", "{text}");
    assert_eq!(why["request_id"], refused["request_id"]);
}

/// Answers by the path.
#[derive(Debug)]
struct Script;

#[async_trait]
impl Passage for Script {
    async fn pass(
        &self,
        request: pass::Request<'_>,
        _: &CallContext<'_>,
    ) -> Result<pass::Reply, Error> {
        let path = request.path_and_query.split('?').next().unwrap_or_default().to_owned();
        let error = || Error::new(ErrorKind::Broken, &request.method, "http://x/y?hunter2");
        let part = Ok(Bytes::from_static(b"part"));
        let pieces: Vec<Result<Bytes, pass::Fault>> = match path.as_str() {
            "/waits" => std::future::pending().await,
            "/fails" => return Err(error()),
            "/breaks" => vec![part, Err(error().into())],
            _ => vec![part, Ok(Bytes::from_static(b"ial"))],
        };
        let body = Box::pin(futures::stream::iter(pieces));
        Ok(pass::Reply { status: StatusCode::ACCEPTED, headers: HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn a_passed_request_is_one_line_when_its_answer_has_ended_however_it_ended() {
    let lines = Lines::default();
    let _guard = lines.start();
    let orders = "url = \"http://x\"\n[[route]]\npath = \"/api\"\nto = \"/\"\nauth = \"none\"\n";
    let files = [("onedoor.toml", JWT), ("upstreams/orders.toml", orders)];
    let config = Config::from_texts(files, &FixedEnv::new()).draft;
    let outbound = Outbound::of_all(&config, &|_| None, &mut Problems::new());
    let settings = &config.upstreams["orders"].routes[0];
    let route = Route::new("orders".into(), settings, outbound["orders"].clone(), Arc::new(Script));
    let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
    let door = Door::new(&config, authenticator, Vec::new(), Arc::new(Partial));
    let routes: Routes = [route].into_iter().collect();
    let service = TowerToHyperService::new(router(Arc::new(door.with_routes(routes))));
    for path in ["/api/all", "/api/breaks", "/api/fails", "/api/left", "/api/waits"] {
        let request = Request::get(format!("{path}?key=hunter1")).header("host", "x");
        let request = request.body(Body::empty()).expect("a request");
        let mut answered = Box::pin(service.call(request));
        if path == "/api/waits" {
            // The client leaves.
            assert!(futures::poll!(&mut answered).is_pending());
            continue;
        }
        let mut body = answered.await.expect("the router never fails").into_body();
        while let Some(Ok(_)) = body.frame().await {
            if path == "/api/left" {
                break;
            }
        }
    }
    let events = logged(&lines);
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["message"] == "request")
        .map(|event| {
            let upstreams = event["upstreams"].as_str().expect("text").split('/').next();
            assert!(event["path"] == "/api/waits" || event["route"] == "/api", "{event}");
            (
                event["path"].as_str().expect("text"),
                event["status"].as_u64().expect("a number"),
                upstreams.expect("a first part"),
                event["bytes"].as_u64().filter(|_| event["status"] != 503),
                event["whole"].as_bool().expect("true or false"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/api/all", 202, "orders=202", Some(7), true),
            ("/api/breaks", 202, "orders=202", Some(4), false),
            ("/api/fails", 503, "orders=UPSTREAM_UNAVAILABLE", None, true),
            ("/api/left", 202, "orders=202", Some(4), false),
            ("/api/waits", 499, "", Some(0), false),
        ]
    );
    for (message, count) in [("the answer broke off", 1), ("upstream call failed", 1)] {
        let found = events.iter().filter(|event| event["message"] == message);
        assert_eq!(found.count(), count, "{message}");
    }
}

/// A conversation on a socket with operations of every end; the last message closes it.
async fn converse(gateway: &Gateway, token: &str) {
    let url = format!("ws://{}/graphql?token=hunter1", gateway.address);
    let mut request = url.into_client_request().expect("a request");
    for (name, value) in [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("x-request-id", "the-socket"),
        ("cookie", "session=hunter2"),
        ("authorization", token),
    ] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let (mut socket, _) =
        happens(client_async(request, gateway.connect().await)).await.expect("a socket");
    let init = json!({"type": "connection_init", "payload": {
        "Authorization": token, "password": "hunter3",
    }});
    let subscribe = |id: &str, query: &str| {
        let payload = json!({"query": query, "variables": {"v": "hunter4"}});
        json!({"type": "subscribe", "id": id, "payload": payload})
    };
    let said = [
        (init, 1),
        (subscribe("1", "three"), 4),
        (subscribe("2", "refused"), 1),
        (subscribe("3", "panics"), 2),
        (subscribe("4", "endless"), 1),
        (json!({"type": "complete", "id": "4"}), 0),
        (subscribe("5", "silent"), 0),
        // Closes it: the id is taken.
        (subscribe("5", "silent"), 1),
    ];
    for (message, answers) in said {
        socket.send(Message::text(message.to_string())).await.expect("open");
        for _ in 0..answers {
            happens(socket.next()).await.expect("open").expect("a message");
        }
    }
    while let Some(Ok(_)) = happens(socket.next()).await {}
    drop(socket);
}

#[tokio::test]
async fn a_socket_is_one_line_when_it_is_over_and_each_operation_one_when_it_ends() {
    let lines = Lines::default();
    let _guard = lines.start();
    let gateway = Gateway::start(JWT).await;
    let token = gateway.token("ada", Duration::from_secs(60));
    converse(&gateway, &token).await;
    gateway.alive(0).await;
    let is_over = || lines.text().contains("\"close\":");
    happens(async {
        while !is_over() {
            tokio::task::yield_now().await;
        }
    })
    .await;

    assert!(!lines.text().contains(token.trim_start_matches("Bearer ")), "{}", lines.text());
    let events = logged(&lines);
    let of = |message: &str| -> Vec<Value> {
        events.iter().filter(|event| event["message"] == message).cloned().collect()
    };
    let sockets = of("request");
    let [socket] = sockets.as_slice() else { panic!("one line: {events:#?}") };
    for (field, expected) in [
        ("request_id", json!("the-socket")),
        ("method", json!("GET")),
        ("path", json!("/graphql")),
        ("status", json!(101)),
        ("operations", json!(5)),
        ("close", json!(4409)),
    ] {
        assert_eq!(socket[field], expected, "{field}: {socket}");
    }
    let told: Vec<_> = of("operation")
        .iter()
        .map(|line| {
            assert_eq!(line["socket_id"], "the-socket");
            assert_eq!(line["trace_id"], socket["trace_id"]);
            assert!(line["duration_ms"].is_number() && line["request_id"] != "the-socket");
            assert!(line["upstream_calls"].is_number());
            (
                line["ended"].as_str().expect("text").to_owned(),
                line["operation"].as_str().unwrap_or_default().to_owned(),
                line["events"].as_u64().expect("a number"),
                line["errors"].as_u64().expect("a number"),
            )
        })
        .collect();
    let line = |ended: &str, operation: &str, responses, errors| {
        (ended.to_owned(), operation.to_owned(), responses, errors)
    };
    assert_eq!(
        told,
        [
            line("completed", "Op", 3, 0),
            line("refused", "Op", 0, 2),
            line("failed", "Op", 1, 0),
            line("completed by the client", "Op", 1, 0),
            line("dropped", "", 0, 0),
        ]
    );
}

#[tokio::test]
async fn a_stream_of_events_is_one_line_when_it_is_over() {
    let lines = Lines::default();
    let _guard = lines.start();
    let gateway = Gateway::start("").await;
    for document in ["three", "endless"] {
        let mut stream = gateway.connect().await;
        let request = format!(
            "GET /graphql?query={document} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             accept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut read = Vec::new();
        if document == "three" {
            happens(stream.read_to_end(&mut read)).await.expect("an end");
        } else {
            gateway.alive(1).await;
            let first = br#"{"data":"first"}"#;
            while !read.windows(first.len()).any(|part| part == first) {
                assert_ne!(happens(stream.read_buf(&mut read)).await.expect("no reset"), 0);
            }
            assert_eq!(lines.text().matches("\"request\"").count(), 1, "it is not over");
        }
        drop(stream);
        gateway.alive(0).await;
    }
    let is_over = || lines.text().matches("\"request\"").count() == 2;
    happens(async {
        while !is_over() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let told: Vec<_> = logged(&lines)
        .into_iter()
        .filter(|event| event["message"] == "request")
        .map(|line| ["status", "operation", "events", "whole"].map(|field| line[field].clone()))
        .collect();
    let line = |events: u64, whole: bool| [json!(200), json!("Op"), json!(events), json!(whole)];
    assert_eq!(told, [line(3, true), line(1, false)]);
}
