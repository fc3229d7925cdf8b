//! GraphQL over HTTP and everything else that the door answers, as tables of requests and answers.
//! No sockets: the router is called as the service it is.

mod door_rig;

use axum::body::Body;
use bytes::Bytes;
use door_rig::{GRAPHQL, Gateway, JSON, document};
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use onedoor::door::status_of;
use onedoor::failure::Code;
use serde_json::json;

#[tokio::test]
async fn the_status_follows_from_the_outcome_and_the_media_type() {
    let gateway = Gateway::new("");
    let mut table = vec![
        ("{ a }".to_owned(), 200, 200),
        ("null".to_owned(), 200, 200),
        ("partial".to_owned(), 200, 200),
        ("mutation".to_owned(), 200, 200),
    ];
    table.extend(Code::ALL.map(|code| (code.to_string(), status_of(code).as_u16(), 200)));
    for (text, modern, legacy) in table {
        for (accept, status) in [(GRAPHQL, modern), (JSON, legacy), ("*/*", legacy)] {
            let answer = gateway.post(accept, document(&text)).await;
            assert_eq!(answer.status, status, "{text} as {accept}");
            let expected = if accept == GRAPHQL { GRAPHQL } else { JSON };
            assert_eq!(answer.header(CONTENT_TYPE), format!("{expected}; charset=utf-8"), "{text}");
            assert_eq!(answer.header("cache-control"), "no-store");
            let challenged = if status == 401 { "Bearer" } else { "" };
            assert_eq!(answer.header(WWW_AUTHENTICATE), challenged, "{text}");
        }
    }
}

#[test]
fn a_failed_request_has_the_status_that_http_has_for_it() {
    for code in Code::ALL {
        let status = status_of(code).as_u16();
        let expected = match code {
            Code::Unauthenticated => 401,
            Code::Forbidden => 403,
            Code::NotFound => 404,
            Code::Conflict => 409,
            Code::RequestTooLarge => 413,
            Code::RateLimited | Code::TooManyOperations => 429,
            Code::Internal => 500,
            Code::UpstreamUnavailable => 503,
            Code::UpstreamTimeout | Code::DeadlineExceeded => 504,
            code if code.as_str().starts_with("UPSTREAM_") => 502,
            _ => 400,
        };
        assert_eq!(status, expected, "{code}");
    }
}

#[tokio::test]
async fn a_malformed_body_is_400_in_either_media_type_and_never_executed() {
    let gateway = Gateway::new("");
    let mut invalid_utf8 = br#"{"query":"{ a }"#.to_vec();
    invalid_utf8.extend_from_slice(b"\xff\"}");
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no JSON", b"{ a }".to_vec()),
        ("cut short", br#"{"query":"{ a }""#.to_vec()),
        ("something after it", br#"{"query":"{ a }"} x"#.to_vec()),
        ("single quotes", b"{'query':'{ a }'}".to_vec()),
        ("invalid UTF-8", invalid_utf8),
        ("UTF-16", document("{ a }").encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a byte order mark", format!("\u{feff}{}", document("{ a }")).into_bytes()),
        ("a lone surrogate", br#"{"query":"\ud800"}"#.to_vec()),
        ("very deep", "[".repeat(100_000).into_bytes()),
        ("null", b"null".to_vec()),
        ("a string", br#""{ a }""#.to_vec()),
        ("a number", b"1".to_vec()),
        ("a batch", br#"[{"query":"{ a }"}]"#.to_vec()),
        ("an empty batch", b"[]".to_vec()),
        ("no query", b"{}".to_vec()),
        ("query null", br#"{"query":null}"#.to_vec()),
        ("query a number", br#"{"query":1}"#.to_vec()),
        ("query in capitals", br#"{"Query":"{ a }"}"#.to_vec()),
        ("operationName a number", br#"{"query":"{ a }","operationName":1}"#.to_vec()),
        ("operationName an object", br#"{"query":"{ a }","operationName":{}}"#.to_vec()),
        ("variables a list", br#"{"query":"{ a }","variables":[]}"#.to_vec()),
        ("variables a string", br#"{"query":"{ a }","variables":"{}"}"#.to_vec()),
        ("variables false", br#"{"query":"{ a }","variables":false}"#.to_vec()),
        ("extensions a list", br#"{"query":"{ a }","extensions":[]}"#.to_vec()),
        ("extensions true", br#"{"query":"{ a }","extensions":true}"#.to_vec()),
    ];
    for (case, body) in table {
        for accept in [GRAPHQL, JSON] {
            let answer = gateway.post(accept, body.clone()).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{case}");
            assert_eq!(answer.header(CONTENT_TYPE), format!("{accept}; charset=utf-8"), "{case}");
        }
    }
    assert!(gateway.asked().is_none());
    // What is wrong is not always what a parser trips over.
    for (body, said) in [
        ("", "the text is empty"),
        ("[]", "Batches"),
        ("\u{feff}{}", "byte order mark"),
        (r#"{"qeury":""}"#, "no `query`"),
        (r#"{"query":"","variables":[7]}"#, "`variables` must be an object, not"),
    ] {
        let message = gateway.post(JSON, body).await.json()["errors"][0]["message"].to_string();
        assert!(message.contains(said), "{message}");
    }
}

#[tokio::test]
async fn what_a_body_holds_reaches_the_engine() {
    let gateway = Gateway::new("");
    let body = r#" { "query" : "{ a(x: \"\u00e9\") }" , "variables" : { "v" : [1.0, "x"] },
        "operationName" : "Op", "extensions" : {"e":null}, "unknown": {"x": []} } "#;
    assert_eq!(gateway.post(GRAPHQL, body).await.status, 200);
    let (request, identity, _) = gateway.asked().expect("executed");
    assert_eq!(request.document, "{ a(x: \"é\") }");
    assert_eq!(request.operation_name.as_deref(), Some("Op"));
    assert_eq!(request.variables().expect("given").raw(), br#"{ "v" : [1.0, "x"] }"#);
    assert_eq!(request.extensions().expect("given").raw(), br#"{"e":null}"#);
    assert!(!request.queries_only && !identity.is_authenticated());

    let nulls = r#"{"query":"{ a }","variables":null,"operationName":null,"extensions":null}"#;
    assert_eq!(gateway.post(GRAPHQL, nulls).await.status, 200);
    let (request, ..) = gateway.asked().expect("executed");
    assert_eq!(request.operation_name, None);
    assert!(request.variables().is_none() && request.extensions().is_none());

    let twice = r#"{"query":1,"variables":[],"query":"{ b }","variables":{"v":2}}"#;
    assert_eq!(gateway.post(GRAPHQL, twice).await.status, 200);
    let (request, ..) = gateway.asked().expect("the last of each counts");
    assert_eq!(request.document, "{ b }");
    assert_eq!(request.variables().expect("given").raw(), br#"{"v":2}"#);
    assert!(!format!("{request:?}").contains("{ b }"), "documents may hold what users typed");
}

#[tokio::test]
async fn a_post_must_say_that_it_is_json() {
    let gateway = Gateway::new("");
    for (content_type, said) in [
        (None, "needs a Content-Type"),
        (Some("text/plain"), "must be application/json"),
        (Some("application/x-www-form-urlencoded"), "must be application/json"),
        (Some("application/graphql"), "an object with a `query`"),
        (Some("multipart/form-data; boundary=x"), "`[[route]]`"),
        (Some("application/json; charset=latin1"), "UTF-8"),
    ] {
        let mut request = Request::post("/graphql").header(ACCEPT, GRAPHQL);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request.body(Body::from(document("{ a }"))).expect("a request");
        let answer = gateway.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (415, "BAD_REQUEST"), "{said}");
        assert_eq!(answer.header(ACCEPT), JSON, "{said}");
        let message = answer.json()["errors"][0]["message"].to_string();
        assert!(message.contains(said), "{message}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_client_that_takes_no_json_gets_406() {
    let gateway = Gateway::new("");
    for accept in [
        "text/html",
        "application/xml, text/*",
        "application/json;q=0, application/graphql-response+json;q=0",
        "*/*;q=0",
        "application/json; charset=latin1",
    ] {
        let answer = gateway.post(accept, document("{ a }")).await;
        assert_eq!((answer.status, answer.code().as_str()), (406, "BAD_REQUEST"), "{accept}");
        assert_eq!(answer.header(CONTENT_TYPE), "application/json; charset=utf-8", "{accept}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_client_that_does_not_say_what_it_takes_is_answered_as_one_that_takes_json_alone() {
    let gateway = Gateway::new("");
    for accept in [None, Some(""), Some("*/*"), Some("application/*")] {
        for (text, status) in [("{ a }", 200), ("GRAPHQL_VALIDATION_FAILED", 200), ("", 200)] {
            let mut request = Request::post("/graphql").header(CONTENT_TYPE, JSON);
            if let Some(accept) = accept {
                request = request.header(ACCEPT, accept);
            }
            let request = request.body(Body::from(document(text))).expect("a request");
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, status, "{text} as {accept:?}");
            assert_eq!(answer.header(CONTENT_TYPE), "application/json; charset=utf-8");
        }
        let mut request = Request::post("/graphql").header(CONTENT_TYPE, JSON);
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        let answer = gateway.send(request.body(Body::from("{")).expect("a request")).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{accept:?}");
    }
}

#[tokio::test]
async fn the_url_of_a_post_brings_nothing() {
    let gateway = Gateway::new("");
    let url = "/graphql?query=%7Bb%7D&operationName=Op&variables=%7B%22v%22%3A1%7D&query=x";
    let ask = async |body: String| {
        let request = Request::post(url).header(CONTENT_TYPE, JSON).header(ACCEPT, GRAPHQL);
        gateway.send(request.body(Body::from(body)).expect("a request")).await.status
    };
    assert_eq!(ask(document("{ a }")).await, 200);
    let (request, ..) = gateway.asked().expect("executed");
    assert_eq!((request.document.as_str(), request.operation_name.as_deref()), ("{ a }", None));
    assert!(request.variables().is_none() && !request.queries_only);
    assert_eq!(ask("{}".to_owned()).await, 400);
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_get_brings_queries_in_its_url() {
    let gateway = Gateway::new("");
    let url = "/graphql?query=%7B+a(x:%22%C3%A9%2B%22)+%7D&variables=%7B%22v%22%3A1%7D\
        &operationName=Op&extensions=%7B%7D&other=x";
    assert_eq!(gateway.get(url).await.status, 200);
    let (request, ..) = gateway.asked().expect("executed");
    assert_eq!(request.document, "{ a(x:\"é+\") }");
    assert_eq!(request.operation_name.as_deref(), Some("Op"));
    assert_eq!(request.variables().expect("given").raw(), br#"{"v":1}"#);
    assert!(request.queries_only && request.extensions().is_some());

    let empty = "/graphql?query=%7Ba%7D&variables=&operationName=&extensions=null&other=y&other=";
    assert_eq!(gateway.get(empty).await.status, 200);
    let (request, ..) = gateway.asked().expect("executed");
    assert_eq!((request.document.as_str(), request.operation_name.as_deref()), ("{a}", None));
    assert!(request.variables().is_none() && request.extensions().is_none());

    for url in [
        "/graphql",
        "/graphql?",
        "/graphql?variables=%7B%7D",
        "/graphql?query=%7Ba%7D&variables=x",
        "/graphql?query=%7Ba%7D&variables=%5B%5D",
        "/graphql?query=%7Ba%7D&variables=1",
        "/graphql?query=%7Ba%7D&extensions=%22%22",
        "/graphql?query=%ff",
        "/graphql?query=%7Ba%7D&operationName=%c3",
        "/graphql?query=%7Ba%7D&query=%7Ba%7D",
        "/graphql?query=%7Ba%7D&operationName=&operationName=Op",
        "/graphql?query=%7Ba%7D&v%61riables=%7B%7D&variables=%7B%7D",
        "/graphql?query=%7Ba%7D&extensions=&extensions=",
    ] {
        let answer = gateway.get(url).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{url}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_mutation_by_get_is_405() {
    let gateway = Gateway::new("");
    for accept in [GRAPHQL, JSON] {
        let request = Request::get("/graphql?query=mutation").header(ACCEPT, accept);
        let answer = gateway.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status, answer.header(ALLOW)), (405, "POST"), "{accept}");
        assert!(answer.json()["errors"].is_array());
    }
}

#[tokio::test]
async fn a_get_that_a_page_of_another_site_could_cause_is_refused() {
    let gateway = Gateway::new("");
    let ask = async |name: &str, value: &str| {
        let request = Request::get("/graphql?query=%7Ba%7D").header(name, value);
        gateway.send(request.body(Body::empty()).expect("a request")).await
    };
    for (name, value) in [
        ("accept", "*/*"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
        ("accept", "image/avif,image/webp,*/*;q=0.8"),
        ("x-none", "1"),
    ] {
        let answer = ask(name, value).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{value}");
    }
    assert!(gateway.asked().is_none());
    for (name, value) in [("accept", JSON), ("accept", GRAPHQL), ("graphql-preflight", "1")] {
        assert_eq!(ask(name, value).await.status, 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_head_is_answered_as_a_get_without_the_body() {
    let gateway = Gateway::new("");
    for (url, accept) in [
        ("/graphql?query=%7Ba%7D", GRAPHQL),
        ("/graphql?query=BAD_USER_INPUT", GRAPHQL),
        ("/graphql?query=BAD_USER_INPUT", JSON),
        ("/graphql?query=mutation", JSON),
        ("/graphql?query=%7Ba%7D", "*/*"),
        ("/graphql", GRAPHQL),
    ] {
        let ask = async |method: Method| {
            let request = Request::builder().method(method).uri(url).header(ACCEPT, accept);
            let request = request.header("x-request-id", "id").body(Body::empty());
            gateway.send(request.expect("a request")).await
        };
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{url} as {accept}");
        assert_eq!(head.header(CONTENT_LENGTH), get.body.len().to_string());
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn options_tells_the_methods_and_any_other_method_is_405() {
    let gateway = Gateway::new("graphql = { auth = \"required\" }");
    for (method, status) in [
        ("OPTIONS", 204),
        ("PUT", 405),
        ("DELETE", 405),
        ("PATCH", 405),
        ("TRACE", 405),
        ("QUERY", 405),
        ("post", 405),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = Request::builder().method(&method).uri("/graphql").header(ACCEPT, GRAPHQL);
        let request = request.header(CONTENT_TYPE, JSON).body(Body::from(document("{ a }")));
        let answer = gateway.send(request.expect("a request")).await;
        let allowed = "GET, HEAD, POST, OPTIONS";
        assert_eq!((answer.status, answer.header(ALLOW)), (status, allowed), "{method}");
        assert_eq!(answer.body.is_empty(), status == 204, "{method}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_announced_or_not() {
    let gateway = Gateway::new("limits = { request_body = \"1KiB\" }");
    let body = |length: usize| {
        let query = "x".repeat(length - document("").len());
        document(&query)
    };
    assert_eq!(gateway.post(GRAPHQL, body(1024)).await.status, 200, "exactly the limit");
    assert!(gateway.asked().is_some());
    let in_pieces = |length: usize| {
        let text = body(length).into_bytes();
        let pieces: Vec<_> = text.chunks(100).map(Bytes::copy_from_slice).collect();
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
        Body::new(StreamBody::new(futures::stream::iter(frames)))
    };
    assert_eq!(gateway.post(GRAPHQL, in_pieces(1024)).await.status, 200, "exactly the limit");
    assert!(gateway.asked().is_some());
    for body in [Body::from(body(1025)), in_pieces(1025)] {
        let answer = gateway.post(JSON, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "REQUEST_TOO_LARGE"));
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_408_and_one_that_breaks_400() {
    let gateway = Gateway::new("limits = { deadline = \"5s\" }");
    let start = tokio::time::Instant::now();
    let silent = futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
    let answer = gateway.post(GRAPHQL, Body::new(StreamBody::new(silent))).await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "BAD_REQUEST"));
    assert_eq!(start.elapsed().as_secs(), 5);
    let broken = futures::stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("gone"))]);
    let answer = gateway.post(GRAPHQL, Body::new(StreamBody::new(broken))).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"));
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_bad_token_is_401_before_any_body_is_read() {
    for settings in ["graphql = { auth = \"required\" }", "graphql = { auth = \"optional\" }"] {
        let gateway = Gateway::new(settings);
        for (token, accept) in [("Bearer garbage", GRAPHQL), ("Basic eDp5", JSON), ("", "*/*")] {
            let request = Request::post("/graphql").header(CONTENT_TYPE, JSON);
            let request = request.header(AUTHORIZATION, token).header(ACCEPT, accept);
            let answer =
                gateway.send(request.body(Body::from("no JSON")).expect("a request")).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "UNAUTHENTICATED"),
                "{token}"
            );
            assert_eq!(answer.header(WWW_AUTHENTICATE), r#"Bearer error="invalid_token""#);
        }
        assert!(gateway.asked().is_none());
    }
}

#[tokio::test]
async fn where_a_token_is_required_the_anonymous_are_401() {
    let gateway = Gateway::new("graphql = { auth = \"required\" }");
    for accept in [GRAPHQL, JSON] {
        let answer = gateway.post(accept, document("{ a }")).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHENTICATED"));
        assert_eq!(answer.header(WWW_AUTHENTICATE), "Bearer");
    }
    assert!(gateway.asked().is_none());
    let request = Request::post("/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, GRAPHQL);
    let request = request.header(AUTHORIZATION, gateway.token()).header("x-other", "1");
    let answer =
        gateway.send(request.body(Body::from(document("{ a }"))).expect("a request")).await;
    assert_eq!(answer.status, 200);
    let (_, identity, context) = gateway.asked().expect("executed");
    let subject = identity.claims().and_then(|claims| claims.get("sub"));
    assert_eq!(subject.and_then(|subject| subject.as_str()).as_deref(), Some("ada"));
    let headers = context.headers.as_map();
    assert!(headers.contains_key("x-other") && !headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn every_answer_has_the_requests_id() {
    let gateway = Gateway::new("");
    for (path, method) in [
        ("/graphql", Method::POST),
        ("/graphql", Method::PUT),
        ("/health/live", Method::GET),
        ("/health/ready", Method::POST),
        ("/nowhere", Method::GET),
    ] {
        let send = async |id: Option<&str>| {
            let mut request = Request::builder().method(&method).uri(path);
            if let Some(id) = id {
                request = request.header("x-request-id", id);
            }
            let answer = gateway.send(request.body(Body::empty()).expect("a request")).await;
            answer.header("x-request-id").to_owned()
        };
        assert_eq!(send(Some("my-id.1")).await, "my-id.1", "{method} {path}");
        let (one, other) = (send(Some("not an id")).await, send(None).await);
        assert_eq!((one.len(), other.len()), (32, 32), "{method} {path}");
        assert_ne!(one, other);
    }
    let request =
        Request::post("/graphql").header(CONTENT_TYPE, JSON).header("x-request-id", "abc");
    gateway.send(request.body(Body::from(document("{ a }"))).expect("a request")).await;
    let (.., context) = gateway.asked().expect("executed");
    assert_eq!(context.request_id.as_str(), "abc");
}

#[tokio::test]
async fn a_panic_costs_its_own_request_only() {
    let gateway = Gateway::new("");
    for accept in [GRAPHQL, JSON] {
        let answer = gateway.post(accept, document("panic")).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL_ERROR"));
        assert!(!answer.header("x-request-id").is_empty());
        assert!(!String::from_utf8_lossy(&answer.body).contains("document says"));
    }
}

#[tokio::test]
async fn health_is_small_json_for_anyone() {
    let gateway = Gateway::new("graphql = { auth = \"required\" }");
    for (path, body) in
        [("/health/live", r#"{"status":"live"}"#), ("/health/ready", r#"{"status":"ready"}"#)]
    {
        for method in [Method::GET, Method::HEAD] {
            let request = Request::builder().method(&method).uri(path).header(AUTHORIZATION, "x");
            let answer = gateway.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(
                (answer.status, answer.header(CONTENT_TYPE)),
                (200, JSON),
                "{method} {path}"
            );
            let expected = if method == Method::GET { body } else { "" };
            assert_eq!(answer.body, expected);
        }
    }
}

#[tokio::test]
async fn elsewhere_errors_are_problems() {
    let gateway = Gateway::new("");
    let send = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("x-request-id", "my-id");
        gateway.send(request.body(Body::empty()).expect("a request")).await
    };
    for path in
        ["/", "/graphql/", "/graphql/x", "/GRAPHQL", "/health", "/health/live/", "//graphql"]
    {
        let answer = send("GET", path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header(CONTENT_TYPE), "application/problem+json", "{path}");
        let expected = json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Nothing is served at this path; GraphQL is at /graphql.",
            "instance": "my-id",
            "code": "NOT_FOUND",
        });
        assert_eq!(answer.json(), expected, "{path}");
    }
    let answer = send("POST", "/health/live").await;
    assert_eq!((answer.status, answer.header(ALLOW)), (405, "GET,HEAD"));
    assert_eq!(answer.header(CONTENT_TYPE), "application/problem+json");
    assert_eq!(answer.json()["code"], "BAD_REQUEST");
    assert_eq!(answer.json()["title"], "Method Not Allowed");
}

#[tokio::test]
async fn graphql_stands_where_the_settings_put_it() {
    for path in ["/api/graph", "/", "/health/live"] {
        let gateway = Gateway::new(&format!("graphql = {{ path = \"{path}\" }}"));
        let request = Request::post(path).header(CONTENT_TYPE, JSON);
        let request = request.body(Body::from(document("{ a }"))).expect("a request");
        assert_eq!(gateway.send(request).await.status, StatusCode::OK.as_u16(), "{path}");
        assert!(gateway.asked().is_some(), "{path}");
        assert_eq!(gateway.get("/graphql?query=%7Ba%7D").await.status, 404, "{path}");
        assert_eq!(gateway.get("/health/ready").await.status, 200, "{path}");
    }
}
