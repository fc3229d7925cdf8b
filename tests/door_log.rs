//! What the log says of a request: one line, and nothing that a user typed or a client must keep.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{Config, FixedEnv};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, router,
};
use onedoor::identity::{Authenticator, Identity, ReadClaims};
use onedoor::observe::{Call, Outcome as CallOutcome};
use serde_json::{Value, json};

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
            context.calls.record(Call { service: service.into(), outcome, duration });
        }
        GraphqlResponse {
            body: Bytes::from_static(br#"{"errors":[{}],"data":{"a":null}}"#),
            outcome: Outcome::Executed,
            operation: Some("Screen".into()),
            errors: 1,
        }
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_is_one_line_without_query_string_document_variables_or_token() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

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

    let text = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("UTF-8");
    assert!(!text.contains("hunter"), "{text}");
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
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
    assert_eq!(refused.get("operation"), None);
    let why = events.iter().find(|event| event["message"] == "token refused").expect("the reason");
    assert_eq!(why["reason"], "not three parts of base64url", "{text}");
    assert_eq!(why["request_id"], refused["request_id"]);
}
