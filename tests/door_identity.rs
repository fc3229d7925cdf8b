//! From a client's headers to an upstream's: whatever a client sends, an upstream is told who is
//! asking by the token's claims or not at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{Config, FixedEnv, Problems, ServiceName};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, router,
};
use onedoor::identity::{Authenticator, Identity, Outbound, ReadClaims, mint};
use onedoor::template;
use onedoor::upstream::{CallContext, InMemory, Reply, Transport, outbound};
use serde_json::{Map, Value};

const GATEWAY: &str = r#"
    [[auth.jwt]]
    secret = "one secret of thirty-two bytes or more"
"#;

const USERS: &str = r#"
    url = "http://127.0.0.1:1"
    [identity]
    headers = { x-user-id = "{claims.sub}", x-role = "{claims.role}" }
    [headers]
    forward = ["accept-language"]
"#;

/// Learns of nobody who is asking, but sees what is forwarded.
const SEARCH: &str = r#"
    url = "http://127.0.0.1:1"
    [headers]
    forward = ["accept-language", "x-page"]
"#;

/// Calls each upstream once, with a template that names an identity header of its own.
struct CallsAll {
    outbound: BTreeMap<ServiceName, Outbound>,
    transport: Arc<dyn Transport>,
}

#[async_trait]
impl Engine for CallsAll {
    async fn execute(
        &self,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> GraphqlResponse {
        for (name, of) in &self.outbound {
            let headers = of.headers(&identity, &context.headers).expect("claims that fit");
            let call = CallContext {
                deadline: context.deadline,
                timeout: None,
                trace: &context.trace,
                request_id: &context.request_id,
                headers: &headers,
            };
            let own = |name| (HeaderName::from_static(name), HeaderValue::from_static("template"));
            let request = template::Request {
                method: Method::GET,
                path_and_query: format!("/{}", name.as_str()),
                headers: match request.document.as_str() {
                    "{ spoof }" => vec![own("x-user-id"), own("x-role"), own("x_user_id")],
                    _ => Vec::new(),
                },
                body: None,
            };
            self.transport.call(&request, &call).await.expect("it always answers");
        }
        let body = Bytes::from_static(b"{\"data\":{}}");
        let (outcome, headers) = (Outcome::Executed, HeaderMap::new());
        GraphqlResponse { body, outcome, operation: None, errors: 0, more: false, headers }
    }
}

/// Sends a request and returns the status and the headers that each upstream got.
async fn ask(
    document: &str,
    claims: Option<Value>,
    sent: &[(&str, &str)],
) -> (StatusCode, BTreeMap<String, HeaderMap>) {
    let files = [
        ("onedoor.toml", GATEWAY),
        ("upstreams/users.toml", USERS),
        ("upstreams/search.toml", SEARCH),
    ];
    let (config, problems) = Config::from_texts(files, &FixedEnv::new()).finish();
    let config = config.unwrap_or_else(|| panic!("{:?}", problems.iter().collect::<Vec<_>>()));
    let outbound_of = Outbound::of_all(&config, &|_| None, &mut Problems::new());
    let reserved: Vec<_> =
        outbound_of.values().flat_map(Outbound::identity_names).cloned().collect();
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let transport = InMemory::new({
        let seen = Arc::clone(&seen);
        move |request: &template::Request, context: &CallContext<'_>| {
            let path = request.path_and_query.trim_start_matches('/').to_owned();
            seen.lock().expect("no panic").insert(path, outbound(request, context));
            Ok(Reply::json(StatusCode::OK, "{}"))
        }
    });
    let engine = CallsAll { outbound: outbound_of, transport: Arc::new(transport) };
    let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
    let door = Door::new(&config, authenticator, reserved, Arc::new(engine));

    let mut request = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
    if let Some(Value::Object(claims)) = claims {
        let token = mint(&config.auth.jwt[0], Map::from_iter(claims), Duration::from_secs(60));
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expect("signed")));
    }
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    let body = serde_json::json!({ "query": document }).to_string();
    let service = TowerToHyperService::new(router(Arc::new(door)));
    let response = service.call(request.body(Body::from(body)).expect("a request")).await;
    let status = response.expect("the router never fails").status();
    let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
    (status, seen)
}

/// All values of whatever a server might take for this header.
fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let same = |other: &HeaderName| other.as_str().replace('_', "-") == name;
    let found = headers.iter().filter(|(other, _)| same(other));
    found.map(|(_, value)| value.to_str().expect("ASCII")).collect()
}

/// Every way to claim to be someone else.
fn spoofs() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![],
        vec![("X-User-Id", "eve")],
        vec![("X-User-Id", "eve"), ("X-User-Id", "mallory")],
        vec![("x-user-id", "eve"), ("X-USER-ID", "mallory"), ("X-Role", "admin")],
        vec![("X_User_Id", "eve"), ("x_role", "admin")],
        vec![("x-user_id", "eve"), ("x_user-id", "eve")],
        vec![("X-User-Id", "")],
        vec![("connection", "x-user-id, x-role"), ("X-User-Id", "eve")],
        vec![("connection", "close, X-User-Id, authorization, x-request-id")],
        vec![("x-user-id", "eve"), ("te", "trailers"), ("trailer", "x-user-id")],
    ]
}

#[tokio::test]
async fn an_upstream_is_told_the_claim_and_nothing_else() {
    for spoof in spoofs() {
        for document in ["{ a }", "{ spoof }"] {
            let claims = serde_json::json!({"sub": "ada", "role": "buyer"});
            let (status, seen) = ask(document, Some(claims), &spoof).await;
            assert_eq!(status, 200, "{spoof:?}");
            assert_eq!(values(&seen["users"], "x-user-id"), ["ada"], "{spoof:?} {document}");
            assert_eq!(values(&seen["users"], "x-role"), ["buyer"], "{spoof:?} {document}");
        }
    }
}

#[tokio::test]
async fn without_the_claim_or_without_a_token_an_upstream_is_told_nothing() {
    for spoof in spoofs() {
        for document in ["{ a }", "{ spoof }"] {
            for claims in [Some(serde_json::json!({"name": "Ada", "role": null})), None] {
                let (status, seen) = ask(document, claims.clone(), &spoof).await;
                assert_eq!(status, 200, "{spoof:?}");
                for name in ["x-user-id", "x-role"] {
                    let told = values(&seen["users"], name);
                    assert!(told.is_empty(), "{told:?} {spoof:?} {document} {claims:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_upstream_gets_a_token_a_cookie_or_a_header_that_is_not_listed() {
    let sent = [
        ("cookie", "session=1"),
        ("x-api-key", "k"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=1.2.3.4"),
        ("x-page", "2"),
        ("accept-language", "en"),
        ("x-user-id", "eve"),
        ("user-agent", "client/1"),
        ("host", "gateway.example"),
        ("accept", "application/json"),
        ("x-request-id", "my-id"),
    ];
    let (_, seen) = ask("{ a }", Some(serde_json::json!({"sub": "ada"})), &sent).await;
    let names = |service: &str| {
        let mut names: Vec<_> = seen[service].keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names.join(" ")
    };
    let own = "accept accept-language traceparent user-agent";
    assert_eq!(names("users"), format!("{own} x-request-id x-user-id"));
    assert_eq!(names("search"), format!("{own} x-page x-request-id"));
    for headers in seen.values() {
        assert_eq!(headers.get("x-request-id").expect("sent"), "my-id");
        assert!(headers.get("user-agent").is_some_and(|agent| agent != "client/1"));
        assert_eq!(headers.get(ACCEPT).expect("sent"), "application/json");
    }
}

#[tokio::test]
async fn a_header_that_concerns_one_connection_is_not_forwarded() {
    let sent = [("connection", "accept-language"), ("accept-language", "en"), ("x-page", "2")];
    let (_, seen) = ask("{ a }", None, &sent).await;
    assert!(!seen["search"].contains_key("accept-language"));
    assert!(seen["search"].contains_key("x-page"));
}

#[tokio::test]
async fn a_token_that_is_refused_reaches_no_upstream() {
    let (status, seen) = ask("{ a }", None, &[("authorization", "Bearer garbage")]).await;
    assert_eq!((status, seen.len()), (StatusCode::UNAUTHORIZED, 0));
}
