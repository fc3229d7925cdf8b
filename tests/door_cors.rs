//! Which pages may read answers: every kind of answer, for every kind of origin and setting. No
//! sockets: the router is called as the service it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{Config, FixedEnv, Problems};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, Route, Routes, router,
};
use onedoor::identity::{Authenticator, Identity, Outbound, ReadClaims};
use onedoor::upstream::{CallContext, Error, ErrorKind, Passage, pass};

const APP: &str = "https://app.example.com";

struct Scripted;

#[async_trait]
impl Engine for Scripted {
    async fn execute(
        &self,
        request: GraphqlRequest,
        _: Identity,
        _: RequestContext,
    ) -> GraphqlResponse {
        assert_ne!(request.document, "panic");
        let body = Bytes::from_static(b"{\"data\":{}}");
        let (outcome, headers) = (Outcome::Executed, HeaderMap::new());
        GraphqlResponse { body, outcome, operation: None, errors: 0, headers }
    }
}

/// Answers with CORS headers of its own, or fails if the path says so.
#[derive(Debug, Default)]
struct Opinionated(AtomicUsize);

#[async_trait]
impl Passage for Opinionated {
    async fn pass(
        &self,
        request: pass::Request<'_>,
        _: &CallContext<'_>,
    ) -> Result<pass::Reply, Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        if request.path_and_query.ends_with("/fails") {
            return Err(Error::new(ErrorKind::Unreachable, &request.method, "http://x"));
        }
        let headers = [
            ("access-control-allow-origin", "https://upstream.example"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "x-secret"),
            ("access-control-max-age", "99999"),
            ("vary", "Accept-Encoding"),
            ("vary", "Accept"),
            ("x-own", "1"),
        ];
        let headers = headers
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let body = Box::pin(stream::iter([Ok(Bytes::from_static(b"{}"))]));
        Ok(pass::Reply { status: StatusCode::OK, headers: map, body })
    }
}

struct Gateway {
    router: TowerToHyperService<axum::Router>,
    upstream: Arc<Opinionated>,
}

impl Gateway {
    fn new(cors: &str) -> Self {
        let settings = format!(
            "graphql.auth = \"optional\"\nlimits.request_body = \"1KiB\"\n\
             [[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\n{cors}"
        );
        let route =
            |path, auth| format!("[[route]]\npath = \"{path}\"\nto = \"/\"\nauth = \"{auth}\"\n");
        let upstream = [
            "url = \"http://upstream.invalid\"\n",
            &route("/api", "none"),
            &route("/mine", "required"),
        ];
        let files = [("onedoor.toml", settings), ("upstreams/orders.toml", upstream.concat())];
        let (config, problems) = Config::from_texts(files, &FixedEnv::new()).finish();
        let config = config.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let mut outbound = Outbound::of_all(&config, &|_| None, &mut Problems::new());
        let outbound = outbound.remove("orders").expect("its file is there");
        let upstream = Arc::new(Opinionated::default());
        let route = |route| {
            let passage: Arc<dyn Passage> = Arc::clone(&upstream) as _;
            Route::new("orders".into(), route, outbound.clone(), passage)
        };
        let routes: Routes = config.upstreams["orders"].routes.iter().map(route).collect();
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let door = Door::new(&config, authenticator, Vec::new(), Arc::new(Scripted));
        let router = TowerToHyperService::new(router(Arc::new(door.with_routes(routes))));
        Self { router, upstream }
    }

    async fn send(&self, request: Request<Body>) -> (u16, HeaderMap) {
        let response = self.router.call(request).await.expect("the router never fails");
        (response.status().as_u16(), response.headers().clone())
    }

    fn asked(&self) -> usize {
        self.upstream.0.swap(0, Ordering::SeqCst)
    }
}

/// A request, and what it is answered whoever asks.
fn kinds() -> Vec<(Request<Body>, u16)> {
    let build = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut request = Request::builder().method(method).uri(path).header("host", "shop");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body.to_owned())).expect("a request")
    };
    let json = ("content-type", "application/json");
    let large = format!("{{\"query\": \"{}\"}}", "x".repeat(2000));
    vec![
        (build("POST", "/graphql", &[json], "{\"query\": \"{ a }\"}"), 200),
        (build("POST", "/graphql", &[json], "{\"query\": \"panic\"}"), 500),
        (build("POST", "/graphql", &[json], "nonsense"), 400),
        (build("POST", "/graphql", &[json], &large), 413),
        (build("POST", "/graphql", &[("content-type", "text/plain")], "{}"), 415),
        (build("POST", "/graphql", &[json, ("authorization", "Bearer x")], "{}"), 401),
        (build("DELETE", "/graphql", &[], ""), 405),
        (build("GET", "/health/live", &[], ""), 200),
        (build("POST", "/health/live", &[], ""), 405),
        (build("GET", "/nothing", &[], ""), 404),
        (build("GET", "/api", &[], ""), 200),
        (build("OPTIONS", "/api", &[], ""), 200),
        (build("GET", "/api/fails", &[], ""), 503),
        (build("GET", "/api/../x", &[], ""), 400),
        (build("GET", "/mine", &[], ""), 401),
    ]
}

fn all<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
}

/// Whether a list of a header has a member.
fn lists(headers: &HeaderMap, name: &str, member: &str) -> bool {
    all(headers, name).join(",").split(',').any(|own| own.trim().eq_ignore_ascii_case(member))
}

const SETTINGS: [(&str, &str); 5] = [
    ("one", "origins = [\"https://app.example.com\"]"),
    ("credentials", "origins = [\"https://app.example.com\"]\ncredentials = true"),
    ("several", "origins = [\"http://localhost:5173\", \"https://app.example.com\"]\nexpose = []"),
    ("domain", "origins = [\"https://*.example.com\"]\nexpose = [\"x-own\", \"etag\"]"),
    ("any", "origins = [\"*\"]"),
];

/// Origins, and which of the settings let them in.
const ORIGINS: [(&[&str], &[&str]); 12] = [
    (&[APP], &["one", "credentials", "several", "domain", "any"]),
    (&["https://b.example.com"], &["domain", "any"]),
    (&["http://localhost:5173"], &["several", "any"]),
    (&["http://app.example.com"], &["any"]),
    (&["https://app.example.com:8443"], &["any"]),
    (&["https://app.example.com.evil.net"], &["any"]),
    (&["https://evilapp.example.com.net"], &["any"]),
    (&["https://evilexample.com"], &["any"]),
    (&["null"], &[]),
    (&["https://app.example.com", "https://app.example.com"], &[]),
    (&["https://app.example.com, https://evil.net"], &["any"]),
    (&[], &[]),
];

#[tokio::test]
async fn every_answer_says_who_may_read_it_and_nothing_of_the_upstreams_on_that() {
    for (setting, cors) in SETTINGS {
        let gateway = Gateway::new(&format!("[cors]\n{cors}"));
        for (origins, let_in_by) in ORIGINS {
            for (mut request, expected) in kinds() {
                let what =
                    format!("{setting}, {origins:?}: {} {}", request.method(), request.uri());
                for origin in origins {
                    request.headers_mut().append("origin", HeaderValue::from_static(origin));
                }
                let (status, headers) = gateway.send(request).await;
                assert_eq!(status, expected, "{what}");
                assert!(lists(&headers, "vary", "origin"), "{what}: {headers:?}");
                assert_eq!(all(&headers, "vary").len(), 1, "{what}: one line");
                let may = let_in_by.contains(&setting);
                let origin = if setting == "any" { "*" } else { origins.first().unwrap_or(&"") };
                let own: &[&str] = if may { &[origin] } else { &[] };
                assert_eq!(all(&headers, "access-control-allow-origin"), own, "{what}");
                let credentials: &[&str] =
                    if may && setting == "credentials" { &["true"] } else { &[] };
                assert_eq!(
                    all(&headers, "access-control-allow-credentials"),
                    credentials,
                    "{what}"
                );
                let exposed: &[&str] = match setting {
                    _ if !may => &[],
                    "several" => &[],
                    "domain" => &["x-own, etag"],
                    _ => &["x-request-id"],
                };
                assert_eq!(all(&headers, "access-control-expose-headers"), exposed, "{what}");
                assert!(!headers.contains_key("access-control-max-age"), "{what}");
            }
        }
    }
}

fn preflight(path: &str, origin: &'static str) -> Request<Body> {
    let request = Request::options(path).header("host", "shop").header("origin", origin);
    let request = request.header("access-control-request-method", "PUT");
    let request = request.header("access-control-request-headers", "authorization,x-own");
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_preflight_is_answered_at_the_door_before_anybody_says_who_they_are() {
    for (cors, methods, names, max_age) in [
        (
            "",
            "GET, HEAD, POST, PUT, PATCH, DELETE",
            "authorization, content-type, graphql-preflight",
            "600",
        ),
        (
            "methods = [\"GET\", \"REPORT\"]\nheaders = [\"X-Own\"]\nmax_age = \"0ms\"",
            "GET, REPORT",
            "x-own",
            "0",
        ),
    ] {
        let gateway = Gateway::new(&format!("[cors]\norigins = [\"{APP}\"]\n{cors}"));
        for path in ["/graphql", "/api/x", "/mine", "/nothing", "/health/live"] {
            let (status, headers) = gateway.send(preflight(path, APP)).await;
            assert_eq!(status, 204, "{path}");
            assert_eq!(all(&headers, "access-control-allow-origin"), [APP]);
            assert_eq!(all(&headers, "access-control-allow-methods"), [methods]);
            assert_eq!(all(&headers, "access-control-allow-headers"), [names]);
            assert_eq!(all(&headers, "access-control-max-age"), [max_age]);
            assert_eq!(all(&headers, "vary"), ["Origin"]);
            assert!(headers.contains_key("x-request-id"));

            let (status, headers) = gateway.send(preflight(path, "https://evil.net")).await;
            assert_eq!(status, 403, "{path}");
            let told = headers.keys().filter(|name| name.as_str().starts_with("access-control"));
            assert_eq!(told.count(), 0, "{headers:?}");
            assert_eq!(all(&headers, "vary"), ["Origin"]);
        }
        assert_eq!(gateway.asked(), 0, "no upstream hears of it");
    }
}

#[tokio::test]
async fn any_other_options_is_the_upstreams_to_answer() {
    let gateway = Gateway::new(&format!("[cors]\norigins = [\"{APP}\"]"));
    for missing in ["origin", "access-control-request-method"] {
        let mut request = preflight("/api/x", APP);
        request.headers_mut().remove(missing);
        let (status, headers) = gateway.send(request).await;
        assert_eq!((status, gateway.asked()), (200, 1), "without {missing}");
        assert_eq!(headers.get("x-own").expect("the upstream's"), "1");
    }
}

#[tokio::test]
async fn without_settings_nothing_is_said_and_an_upstreams_own_headers_pass() {
    let gateway = Gateway::new("");
    for (mut request, expected) in kinds() {
        request.headers_mut().insert("origin", HeaderValue::from_static(APP));
        let is_upstreams = expected == 200 && request.uri().path().starts_with("/api");
        let (status, headers) = gateway.send(request).await;
        assert_eq!(status, expected);
        let own: &[&str] = if is_upstreams { &["https://upstream.example", "*"] } else { &[] };
        assert_eq!(all(&headers, "access-control-allow-origin"), own);
        assert!(is_upstreams || !lists(&headers, "vary", "origin"), "{headers:?}");
    }
    gateway.asked();
    let (status, _) = gateway.send(preflight("/api/x", APP)).await;
    assert_eq!((status, gateway.asked()), (200, 1), "a preflight is an OPTIONS like any other");
    assert_eq!(gateway.send(preflight("/mine", APP)).await.0, 401);
    // Which methods there are may be asked; pages of other origins are told nothing by that.
    let (status, headers) = gateway.send(preflight("/graphql", APP)).await;
    assert_eq!(status, 204);
    assert!(all(&headers, "access-control-allow-origin").is_empty());
}
