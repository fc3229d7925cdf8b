//! GraphiQL at `/graphiql`, and what the gateway tells of a request's making: who gets it, and what
//! stands in it.

#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::cache::Clock;
use onedoor::config::{FixedEnv, Mode};
use onedoor::door::console_is_whole;
use onedoor::gateway::{Example, Gateway, Project};
use onedoor::plan::{self, Document, Limits, Variables};
use onedoor::upstream::{InMemory, Reply};
use serde_json::{Value, json};

const ISSUER: &str = "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\n\
    [dev.token]\nclaims = { sub = \"7\" }\n";

const SCHEMA: &str = r#"
type Query {
  users(ids: [ID!]!): [User]! @ref(key: "args.ids")
  news: News @rest(upstream: "users", path: "/news")
    @cacheControl(maxAge: 60, scope: PUBLIC)
  broken: News @rest(upstream: "users", path: "/broken/{claims.sub}")
}
type News { text: String }
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id", max: 2}) {
  id: ID!
  name: String
}
"#;

fn project(settings: &str) -> Project {
    let settings = [
        ("onedoor.toml".to_owned(), format!("{settings}\n{ISSUER}")),
        ("upstreams/users.toml".to_owned(), "url = \"http://hidden.example:1\"".to_owned()),
    ];
    let schema = [("schema/all.graphql".to_owned(), SCHEMA.to_owned())];
    let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
    project.unwrap_or_else(|| panic!("{}", problems.render(false)))
}

struct Door {
    router: TowerToHyperService<Router>,
    gateway: Gateway,
}

impl Door {
    fn new(settings: &str, mode: Mode) -> Self {
        Self::of(project(settings), mode)
    }

    fn of(project: Project, mode: Mode) -> Self {
        let gateway = Gateway::over(project, mode, Clock::hand(), |_| {
            Some(Arc::new(InMemory::new(|request: &onedoor::template::Request, _: &_| {
                let path = request.path_and_query.as_str();
                let mut reply = match path {
                    "/news" => Reply::json(StatusCode::OK, r#"{"text": "all is well"}"#),
                    _ if path.starts_with("/users") => Reply::json(
                        StatusCode::OK,
                        r#"[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}, {"id": 3}]"#,
                    ),
                    _ => Reply::json(StatusCode::BAD_GATEWAY, "{}"),
                };
                let forever = HeaderValue::from_static("max-age=60");
                if path.starts_with("/users") {
                    reply.headers.insert(CACHE_CONTROL, forever);
                }
                Ok(reply)
            })) as _)
        });
        Self { router: TowerToHyperService::new(gateway.router()), gateway }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.call(request).await.unwrap()
    }

    /// A GET as a browser on this machine sends it.
    async fn get(&self, path: &str, headers: &[(&'static str, &'static str)]) -> Response {
        let mut request = Request::get(path).header("host", "localhost:4000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5)));
        self.send(request.extension(peer).body(Body::empty()).unwrap()).await
    }

    async fn text(&self, path: &str) -> String {
        String::from_utf8(body(self.get(path, &[]).await).await.to_vec()).unwrap()
    }

    async fn session(&self, headers: &[(&'static str, &'static str)]) -> Value {
        let response = self.get("/graphiql/session.json", headers).await;
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        serde_json::from_slice(&body(response).await).unwrap()
    }

    async fn ask(&self, request: Value) -> Value {
        serde_json::from_str(&self.ask_text(request).await).unwrap()
    }

    async fn ask_text(&self, request: Value) -> String {
        let asked = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
        let response = self.send(asked.body(Body::from(request.to_string())).unwrap()).await;
        String::from_utf8(body(response).await.to_vec()).unwrap()
    }

    /// The trace's calls of a query, without what differs from run to run.
    async fn calls(&self, query: &str) -> Vec<Value> {
        let extensions = json!({"onedoor": {"trace": true}});
        let response = self.ask(json!({"query": query, "extensions": extensions})).await;
        let told = response["extensions"]["onedoor"].as_object().unwrap();
        assert_eq!(told.keys().collect::<Vec<_>>(), ["trace"], "no plan was asked for");
        assert!(told["trace"]["durationMs"].is_number() && told["trace"]["preparedMs"].is_number());
        let mut calls = told["trace"]["calls"].as_array().unwrap().clone();
        for call in &mut calls {
            let call = call.as_object_mut().unwrap();
            assert!(call.remove("startMs").unwrap().is_number());
            assert!(call.remove("durationMs").unwrap().is_number());
        }
        calls
    }
}

async fn body(response: Response) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn the_page_is_served_in_dev_and_not_in_serve_unless_the_settings_say() {
    for (settings, mode, is_on) in [
        ("", Mode::Dev, true),
        ("", Mode::Serve, false),
        ("[graphql]\ngraphiql = \"on\"", Mode::Serve, true),
        ("[graphql]\ngraphiql = \"off\"", Mode::Dev, false),
    ] {
        let door = Door::new(settings, mode);
        for path in ["/graphiql", "/graphiql/", "/graphiql/session.json"] {
            let status = door.get(path, &[HTML]).await.status();
            let expected = if is_on { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(status, expected, "{path} of {settings:?} in {mode:?}");
        }
        let root = door.get("/", &[HTML]).await.status();
        let expected = if is_on { StatusCode::SEE_OTHER } else { StatusCode::NOT_FOUND };
        assert_eq!(root, expected, "/ of {settings:?} in {mode:?}");
    }
}

#[tokio::test]
async fn what_the_page_may_do_is_said_on_each_of_its_answers() {
    let door = Door::new("", Mode::Dev);
    for path in ["/graphiql", "/graphiql/session.json"] {
        let headers = door.get(path, &[]).await.headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        let rules: Vec<&str> = policy.split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(rules.contains(&rule), "{rule} is not in {policy}");
        }
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-frame-options"], "DENY");
    }
}

#[tokio::test]
async fn the_page_is_whole_or_says_how_to_have_it() {
    let door = Door::new("", Mode::Dev);
    let response = door.get("/graphiql", &[]).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
    let page = door.text("/graphiql").await;
    if console_is_whole() {
        assert!(page.contains("<div id=\"root\">"), "{page}");
        assert!(!page.contains("<script>"), "no script stands in the page: {page}");
        assert!(door.text("/graphiql/THIRD-PARTY.txt").await.contains("graphiql 5."));
    } else {
        assert!(page.contains("ONEDOOR_CONSOLE=required cargo build"), "{page}");
        assert!(page.contains("npm"), "{page}");
    }
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "{page}");
}

#[tokio::test]
async fn files_go_out_compressed_to_who_takes_that_and_are_kept_forever_by_their_names() {
    if !console_is_whole() {
        return;
    }
    let door = Door::new("", Mode::Dev);
    let page = door.text("/graphiql").await;
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(script.starts_with("/graphiql/assets/"), "{script}");
    let small = door.get(script, &[("accept-encoding", "br, gzip")]).await;
    let headers: &HeaderMap = small.headers();
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    assert_eq!(headers[VARY], "Accept-Encoding");
    assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
    let plain = door.get(script, &[("accept-encoding", "br, gzip;q=0")]).await;
    assert_eq!(plain.headers().get(CONTENT_ENCODING), None);
    let (small, plain) = (body(small).await, body(plain).await);
    assert!(small.len() < plain.len() / 2, "{} of {}", small.len(), plain.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&*small).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_not_found_and_nothing_is_written_to_it() {
    let door = Door::new("", Mode::Dev);
    for path in ["/graphiql/assets/none.js", "/graphiql/../Cargo.toml", "/graphiql/%2e%2e/x"] {
        assert_eq!(door.get(path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let post = Request::post("/graphiql").body(Body::empty()).unwrap();
    let response = door.send(post).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_browser_at_the_root_is_led_to_the_page_and_a_program_is_not() {
    let door = Door::new("", Mode::Dev);
    let browser = door.get("/", &[HTML]).await;
    assert_eq!(browser.headers()[LOCATION], "/graphiql");
    assert_eq!(browser.headers()[VARY], "Accept");
    assert_eq!(door.get("/", &[("accept", "*/*")]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(door.get("/other", &[HTML]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn graphql_at_the_pages_own_path_goes_before_it() {
    let door = Door::new("[graphql]\npath = \"/graphiql\"", Mode::Dev);
    let response = door.get("/graphiql", &[("accept", "application/json")]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST, "a GraphQL request without a query");
    assert_eq!(door.get("/", &[HTML]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_is_given_the_projects_examples() {
    let mut project = project("");
    let variables = Some("{\"id\": 7}".into());
    let file = "examples/queries/one.graphql".to_owned();
    project.examples = vec![Example { file, query: "{ news { text } }".into(), variables }];
    let session = Door::of(project, Mode::Dev).session(&[]).await;
    let example = json!({"name": "one", "query": "{ news { text } }", "variables": "{\"id\": 7}"});
    assert_eq!(session["examples"], json!([example]));
    assert_eq!((&session["endpoint"], &session["trace"]), (&json!("/graphql"), &json!("on")));
}

#[tokio::test]
async fn a_token_is_for_browsers_on_the_machine_of_dev_alone() {
    let door = Door::new("", Mode::Dev);
    let token = door.session(&[]).await["token"].as_str().unwrap().to_owned();
    let asked = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
    let asked = asked.header("authorization", format!("Bearer {token}"));
    let query = json!({"query": "{ broken { text } }"}).to_string();
    let response = door.send(asked.body(Body::from(query)).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "the gateway takes it");

    let elsewhere = [("origin", "http://evil.example")];
    assert_eq!(door.session(&elsewhere).await.get("token"), None, "another page asks");
    for (host, peer) in [("evil.example", [127, 0, 0, 1]), ("localhost", [10, 0, 0, 9])] {
        let request = Request::get("/graphiql/session.json").header("host", host);
        let peer = ConnectInfo(SocketAddr::from((peer, 5)));
        let response = door.send(request.extension(peer).body(Body::empty()).unwrap()).await;
        let session: Value = serde_json::from_slice(&body(response).await).unwrap();
        assert_eq!(session.get("token"), None, "{host} from {peer:?}");
    }
    let serve = Door::new("[graphql]\ngraphiql = \"on\"", Mode::Serve);
    assert_eq!(serve.session(&[]).await.get("token"), None);
}

#[tokio::test]
async fn plan_and_trace_are_told_in_dev_to_who_asks_and_in_serve_only_if_set() {
    let asking = json!({
        "query": "{ news { text } }",
        "extensions": {"onedoor": {"plan": true, "trace": true}},
    });
    for (settings, mode, is_told) in [
        ("", Mode::Dev, true),
        ("", Mode::Serve, false),
        ("[graphql]\ntrace = \"on\"", Mode::Serve, true),
        ("[graphql]\ntrace = \"off\"", Mode::Dev, false),
    ] {
        let door = Door::new(settings, mode);
        let response = door.ask(asking.clone()).await;
        assert_eq!(response["data"], json!({"news": {"text": "all is well"}}));
        let told = &response["extensions"]["onedoor"];
        assert_eq!(told["plan"].is_object(), is_told, "{settings:?} in {mode:?}: {response}");
        assert_eq!(told["trace"].is_object(), is_told, "{settings:?} in {mode:?}: {response}");
        assert_eq!(response.get("extensions").is_some(), is_told, "refused without a word");
        for extensions in [json!({}), json!({"onedoor": {"plan": "yes"}}), json!({"onedoor": 1})] {
            let request = json!({"query": "{ news { text } }", "extensions": extensions});
            assert_eq!(door.ask(request).await.get("extensions"), None, "{extensions}");
        }
    }
    let door = Door::new("", Mode::Dev);
    let mut wrong = asking;
    wrong["query"] = json!("{ nothing }");
    assert_eq!(door.ask(wrong).await.get("extensions"), None, "what did not run has no plan");
}

#[tokio::test]
async fn the_plan_is_the_one_that_the_command_shows() {
    let door = Door::new("", Mode::Dev);
    let query = "query Q($a: Boolean!) { news { text } users(ids: [1]) @skip(if: $a) { name } }";
    let told = door
        .ask(json!({
            "query": query,
            "variables": {"a": false},
            "extensions": {"onedoor": {"plan": true}},
        }))
        .await;
    let told = told["extensions"]["onedoor"].as_object().unwrap().clone();
    assert_eq!(told.keys().collect::<Vec<_>>(), ["plan"], "no trace was asked for");
    let catalog = door.gateway.engine.catalog();
    let limits = Limits { tokens: 1000, nesting: 64, fields: 1000 };
    let document = Document::parse(catalog, query, &limits, false).unwrap();
    let operation = document.operation(None).unwrap();
    let given = onedoor::json::Body::parse(Bytes::from_static(b"{\"a\": false}")).unwrap();
    let variables = Variables::coerce(catalog, &operation, Some(given.root())).unwrap();
    let mask = operation.mask(&variables);
    let plan = plan::build(catalog, &operation, &mask).unwrap();
    let shown = serde_json::to_value(plan::explain(&plan, &operation, &mask)).unwrap();
    assert_eq!(told["plan"], shown);
    assert_eq!(shown["conditions"], json!({"$a": false}));
    assert_eq!(shown["fetches"][0]["cache"], json!({"maxAge": 60, "scope": "PUBLIC"}));
}

#[tokio::test]
async fn a_trace_tells_of_each_call_for_how_many_keys_and_what_is_kept_of_it() {
    let door = Door::new("", Mode::Dev);
    let users = |keys: usize, rest: Value| {
        let mut call = json!({
            "fetches": [1], "upstream": "users", "request": "GET /users?id={keys}", "keys": keys,
        });
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call
    };
    let called = json!({
        "result": "called", "status": 200, "bytes": 63,
        "kept": {"freshForMs": 60000.0, "scope": "all"},
    });
    let first = door.calls("{ users(ids: [1, 2, 3]) { name } }").await;
    assert_eq!(first, [users(2, called.clone()), users(1, called)], "at most two keys a request");
    let again = door.calls("{ users(ids: [3, 1]) { name } }").await;
    assert_eq!(again, [users(2, json!({"result": "kept"}))]);

    let news = json!({"fetches": [1], "upstream": "users", "request": "GET /news"});
    let of = |rest: Value| {
        let mut call = news.clone();
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call
    };
    let kept = json!({"freshForMs": 60000.0, "scope": "all"});
    let called = json!({"result": "called", "status": 200, "bytes": 23, "kept": kept});
    assert_eq!(door.calls("{ news { text } }").await, [of(called)]);
    assert_eq!(door.calls("{ news { text } }").await, [of(json!({"result": "kept"}))]);
}

#[tokio::test]
async fn a_trace_holds_what_the_operator_wrote_and_no_value_of_anybodys() {
    let door = Door::new("", Mode::Dev);
    let token = door.session(&[]).await["token"].as_str().unwrap().to_owned();
    let asked = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
    let asked = asked.header("authorization", format!("Bearer {token}"));
    let query = json!({
        "query": "{ broken { text } }",
        "extensions": {"onedoor": {"plan": true, "trace": true}},
    });
    let response = door.send(asked.body(Body::from(query.to_string())).unwrap()).await;
    let response: Value = serde_json::from_slice(&body(response).await).unwrap();
    let told = &response["extensions"]["onedoor"];
    let call = &told["trace"]["calls"][0];
    assert_eq!(call["request"], "GET /broken/{claims.sub}");
    assert_eq!((&call["result"], &call["status"]), (&json!("called"), &json!(502)));
    assert_eq!(call["kept"], json!({"reason": "status"}));
    let told = told.to_string();
    for hidden in ["hidden.example", "/broken/7", "Bearer", "traceparent", &token] {
        assert!(!told.contains(hidden), "{hidden} stands in {told}");
    }
}
