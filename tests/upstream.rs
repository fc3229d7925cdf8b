//! One REST service over a real socket: what is sent, what comes back, and every way to fail.

mod upstream_rig;

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use onedoor::failure::Code;
use onedoor::observe::{REQUEST_ID, TRACEPARENT};
use onedoor::template::Request;
use onedoor::upstream::{
    CallContext, CallerHeaders, Client, Error, ErrorKind, Reply, Transport as _, outbound,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use upstream_rig::{client, get, header, read_request, with_context};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// A service that notes each request and answers all of them with the same bytes. What the bytes
/// leave open stays open: the connection is closed only if `close` says so.
struct Service {
    url: String,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Service {
    async fn start(answer: impl Into<Vec<u8>>, close: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, requests) = mpsc::unbounded_channel();
        let answer = answer.into();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        let _ = seen.send(request);
                        let _ = stream.write_all(&answer).await;
                        if close {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    async fn answering(body: &str) -> Self {
        Self::start(format!("{OK}content-length: {}\r\n\r\n{body}", body.len()), false).await
    }

    fn request(&mut self) -> String {
        self.requests.try_recv().expect("a request was made")
    }

    fn was_asked(&mut self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

async fn call(client: &Client, request: &Request) -> Result<Reply, Error> {
    let headers = CallerHeaders::default();
    with_context(&headers, async |context| client.call(request, &context).await).await
}

/// Calls a service that answers so, and then leaves the connection open.
async fn answer(bytes: impl Into<Vec<u8>>) -> Result<Reply, Error> {
    let service = Service::start(bytes, false).await;
    call(&client(&service.url, ""), &get("/x")).await
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_below_the_upstreams_own_path() {
    let mut service = Service::answering(r#"{"id":1}"#).await;
    let client = client(&format!("{}/v1/", service.url), "");
    let request = Request {
        method: Method::POST,
        path_and_query: "/users/a%2Fb?name=%C3%A9&page[size]=2&q=it's".to_owned(),
        headers: vec![header("content-type", "application/json"), header("x-own", "1")],
        body: Some(Bytes::from_static(b"{\"a\":1}")),
    };
    let reply = call(&client, &request).await.expect("an answer");
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, &br#"{"id":1}"#[..]));
    assert_eq!(reply.headers.get("content-type").expect("kept"), "application/json");

    let sent = service.request();
    let (head, body) = sent.split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /v1/users/a%2Fb?name=%C3%A9&page[size]=2&q=it%27s HTTP/1.1");
    assert_eq!(body, "{\"a\":1}");
    for expected in ["content-type: application/json", "x-own: 1", "accept: application/json"] {
        assert!(lines.contains(&expected), "{expected} in {lines:?}");
    }
    let product = format!("user-agent: onedoor/{}", env!("CARGO_PKG_VERSION"));
    assert!(lines.contains(&product.as_str()), "{lines:?}");
    lines.sort_unstable();
    let names: Vec<_> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    let all = "accept content-length content-type host traceparent user-agent x-own x-request-id";
    assert_eq!(names.join(" "), all, "and nothing else");
}

#[tokio::test]
async fn an_upstream_learns_the_requests_id_and_a_span_of_its_own() {
    let caller = CallerHeaders::default();
    with_context(&caller, async |context| {
        let (one, other) = (outbound(&get("/"), &context), outbound(&get("/"), &context));
        assert_eq!(one.get(REQUEST_ID).expect("sent"), context.request_id.as_str());
        let parents = [&one, &other].map(|headers| headers.get(TRACEPARENT).expect("sent"));
        assert_ne!(parents[0], parents[1]);
        for parent in parents {
            let parent = parent.to_str().expect("text");
            assert!(parent.contains(&context.trace.trace_id()), "{parent}");
            assert!(!parent.contains(&context.trace.span_id()), "{parent}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_several_who_set_a_header_the_identity_wins_then_the_client_then_the_template() {
    let mut request = get("/");
    request.headers = vec![
        header("x-user-id", "template"),
        header("x_user_id", "template"),
        header("x-role", "template"),
        header("accept-language", "template"),
        header("accept", "application/vnd.api+json"),
        header("x-own", "1"),
        header("x-own", "2"),
        header("connection", "x-own"),
        header("transfer-encoding", "chunked"),
    ];
    let mut forwarded = HeaderMap::new();
    for (name, value) in [
        header("x-user-id", "client"),
        header("x-role", "client"),
        header("accept-language", "client"),
        header("accept-language", "client too"),
        header("te", "trailers"),
    ] {
        forwarded.append(name, value);
    }
    let (name, value) = header("x-user-id", "identity");
    let (missing, _) = header("x-role", "");
    let identity = vec![(name, Some(value)), (missing, None)];
    let caller = CallerHeaders { identity, forwarded };
    let sent = with_context(&caller, async |context| outbound(&request, &context)).await;
    let all =
        |name: &str| -> Vec<_> { sent.get_all(name).iter().map(HeaderValue::as_bytes).collect() };
    assert_eq!(all("x-user-id"), [b"identity"]);
    assert_eq!(all("x_user_id"), <[&[u8]; 0]>::default(), "an alias of it");
    assert_eq!(all("x-role"), <[&[u8]; 0]>::default(), "its claim is missing");
    assert_eq!(all("accept-language"), [&b"client"[..], b"client too"]);
    assert_eq!(all("accept"), [b"application/vnd.api+json"]);
    assert_eq!(all("x-own"), [b"1", b"2"]);
    for of_http in ["connection", "transfer-encoding", "te"] {
        assert!(!sent.contains_key(of_http), "{of_http}");
    }
}

#[tokio::test]
async fn a_template_cannot_leave_the_upstreams_path_nor_reach_another_host() {
    let mut service = Service::answering("1").await;
    let below = client(&format!("{}/v1", service.url), "");
    let at_root = client(&service.url, "");
    for path in [
        "@evil.example/",
        "",
        "x",
        ".evil.example/",
        "/../admin",
        "/..",
        "/a/../../admin",
        "/a/%2e%2E/b",
        "/./a",
        "/a\\..\\b",
        "/a\t/b/..",
        "/a#b",
    ] {
        for client in [&below, &at_root] {
            let error = call(client, &get(path)).await.expect_err(path);
            assert_eq!(error.kind, ErrorKind::Unsendable, "{path:?}");
            assert_eq!(error.failure(&"users".into()).code, Code::Internal);
        }
    }
    assert!(!service.was_asked());
    for path in ["/a%2e%2e", "/...", "/a..b", "/%252e%252e/", "//evil.example/", "/a?b=/../c"] {
        call(&below, &get(path)).await.expect(path);
        let sent = service.request();
        assert!(sent.starts_with(&format!("GET /v1{path} HTTP/1.1\r\n")), "{sent}");
        assert!(sent.contains(service.url.strip_prefix("http://").expect("plain")), "{sent}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_null() {
    for head in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-type: text/html\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    ] {
        let reply = answer(head).await.expect("an answer");
        assert_eq!(&*reply.body, b"null", "{head:?}");
    }
}

#[tokio::test]
async fn a_2xx_answer_is_json_by_its_own_account_or_says_nothing() {
    let with = |line: &str| format!("HTTP/1.1 200 OK\r\n{line}content-length: 2\r\n\r\n[]");
    for line in [
        "",
        "content-type: application/json\r\n",
        "content-type: Application/JSON ; charset=utf-8\r\n",
        "content-type: application/vnd.api+json\r\n",
        "content-type: application/problem+json\r\n",
        "content-type: application/json\r\ncontent-encoding: identity\r\n",
    ] {
        assert_eq!(&*answer(with(line)).await.expect(line).body, b"[]");
    }
    for line in [
        "content-type: text/html\r\n",
        "content-type: text/plain; application/json\r\n",
        "content-type: application/jsonp\r\n",
        "content-type: application/xml+jsonx\r\n",
        "content-type: \r\n",
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
    ] {
        let error = answer(with(line)).await.expect_err(line);
        assert!(matches!(error.kind, ErrorKind::NotJson(_)), "{line:?}: {error}");
        let failure = error.failure(&"users".into());
        assert_eq!(failure.code, Code::UpstreamBadAnswer);
        assert_eq!(failure.upstream.expect("of an upstream").status, Some(200));
    }
}

#[tokio::test]
async fn the_body_of_an_error_may_be_anything() {
    let html =
        "HTTP/1.1 503 Unavailable\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p>x";
    let reply = answer(html).await.expect("an answer");
    assert_eq!((reply.status.as_u16(), &*reply.body), (503, &b"<p>x"[..]));
    let long = format!("HTTP/1.1 500 Oh\r\ncontent-length: 2000\r\n\r\n{}", "x".repeat(2000));
    let reply = answer(long).await.expect("its status says enough");
    assert_eq!((reply.status.as_u16(), &*reply.body), (500, &b"null"[..]));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_never_followed() {
    let mut elsewhere = Service::answering("1").await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n",
            elsewhere.url
        );
        let reply = answer(head).await.expect("an answer");
        assert_eq!(reply.status.as_u16(), status);
    }
    assert!(!elsewhere.was_asked());
}

#[tokio::test]
async fn an_answer_over_the_limit_is_cut_off_as_soon_as_that_is_known() {
    let whole = |length: usize| {
        format!("{OK}content-length: {length}\r\n\r\n\"{}\"", "x".repeat(length.saturating_sub(2)))
    };
    assert_eq!(answer(whole(1024)).await.expect("exactly the limit").body.len(), 1024);
    let chunks = |n: usize| {
        let chunk = format!("100\r\n{}\r\n", "1".repeat(256));
        format!("{OK}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(n))
    };
    let reply = answer(format!("{}0\r\n\r\n", chunks(4))).await.expect("exactly the limit");
    assert_eq!(&*reply.body, "1".repeat(1024).as_bytes());
    for (case, bytes) in [
        ("announced", format!("{OK}content-length: 1025\r\n\r\n")),
        (
            "announced, and larger than memory",
            format!("{OK}content-length: {}\r\n\r\n", 1_u64 << 60),
        ),
        ("in pieces, and not ended", chunks(5)),
    ] {
        let error = answer(bytes).await.expect_err(case);
        assert_eq!(error.kind, ErrorKind::TooLarge(1024), "{case}");
        assert_eq!(error.failure(&"users".into()).code, Code::UpstreamAnswerTooLarge);
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = call(&client(&url, ""), &get("/x?secret=1")).await.expect_err("nobody listens");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    let failure = error.failure(&"users".into());
    assert_eq!(failure.code, Code::UpstreamUnavailable);
    assert!(!failure.message.contains("127.0.0.1"));
    assert_eq!(error.to_string(), format!("GET {url}/x?..: no connection"));
    let mut source = std::error::Error::source(&error);
    assert!(source.is_some());
    while let Some(cause) = source {
        assert!(!cause.to_string().contains("secret"), "{cause}");
        source = cause.source();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_from_one_that_never_was() {
    for (case, bytes, status) in [
        ("before any answer", String::new(), None),
        ("within the head", "HTTP/1.1 200 OK\r\ncontent-".to_owned(), None),
        ("no HTTP at all", "SSH-2.0-x\r\n\r\n".to_owned(), None),
        ("within the body", format!("{OK}content-length: 10\r\n\r\n{{\"a\""), Some(200)),
        ("within a chunk", format!("{OK}transfer-encoding: chunked\r\n\r\n5\r\n{{"), Some(200)),
        ("between chunks", format!("{OK}transfer-encoding: chunked\r\n\r\n1\r\n1\r\n"), Some(200)),
    ] {
        let service = Service::start(bytes, true).await;
        let error = call(&client(&service.url, ""), &get("/x")).await.expect_err(case);
        assert_eq!(error.kind, ErrorKind::Broken, "{case}: {error}");
        assert_eq!(error.status.map(|status| status.as_u16()), status, "{case}");
        assert_eq!(error.failure(&"users".into()).code, Code::UpstreamUnavailable, "{case}");
    }
}

#[tokio::test]
async fn the_nearer_of_timeout_and_deadline_ends_a_call() {
    let silent = Service::start("", false).await;
    let half = Service::start(format!("{OK}content-length: 9\r\n\r\n{{"), false).await;
    let soon = Duration::from_millis(50);
    let late = Duration::from_secs(60);
    for service in [&silent, &half] {
        let client = client(&service.url, "timeout = \"50ms\"");
        let headers = CallerHeaders::default();
        for (own, deadline, expected) in [
            (None, late, ErrorKind::Timeout),
            (Some(soon), late, ErrorKind::Timeout),
            (Some(late), soon, ErrorKind::Deadline),
            (Some(Duration::MAX), soon, ErrorKind::Deadline),
        ] {
            let error = with_context(&headers, async |context| {
                let deadline = Instant::now() + deadline;
                let context = CallContext { deadline, timeout: own, ..context };
                client.call(&get("/x"), &context).await.expect_err("it never ends")
            })
            .await;
            assert_eq!(error.kind, expected);
        }
    }
}

#[tokio::test]
async fn after_the_deadline_nothing_is_sent() {
    let mut service = Service::answering("1").await;
    let client = client(&service.url, "");
    let headers = CallerHeaders::default();
    let error = with_context(&headers, async |context| {
        let context = CallContext { deadline: Instant::now(), ..context };
        client.call(&get("/x"), &context).await.expect_err("too late")
    })
    .await;
    assert_eq!(error.kind, ErrorKind::Deadline);
    assert_eq!(error.failure(&"users".into()).code, Code::DeadlineExceeded);
    assert!(!service.was_asked());
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        for _ in 0..3 {
            read_request(&mut stream).await.expect("a request");
            let answer = format!("{OK}content-length: 1\r\n\r\n1");
            stream.write_all(answer.as_bytes()).await.expect("still open");
        }
    });
    let client = client(&url, "");
    for _ in 0..3 {
        call(&client, &get("/x")).await.expect("an answer");
    }
    served.await.expect("all three came on one connection");
}
