//! Real sockets: what a connection may do, and how serving ends.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use onedoor::config::{Config, FixedEnv};
use onedoor::door::{
    DRAIN, Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, router, serve,
};
use onedoor::identity::{Authenticator, Identity, ReadClaims};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Answers at once, or `{ wait }` when it is told to; tells when it has begun and when it was
/// dropped.
#[derive(Default)]
struct Patient {
    begun: Notify,
    go: Notify,
    dropped: Arc<Notify>,
}

struct TellsOfDrop(Arc<Notify>);

impl Drop for TellsOfDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Engine for Patient {
    async fn execute(
        &self,
        request: GraphqlRequest,
        _: Identity,
        _: RequestContext,
    ) -> GraphqlResponse {
        if request.document == "{ wait }" {
            let _guard = TellsOfDrop(Arc::clone(&self.dropped));
            self.begun.notify_one();
            self.go.notified().await;
        }
        let body = Bytes::from_static(b"{\"data\":{}}");
        let (outcome, headers) = (Outcome::Executed, HeaderMap::new());
        GraphqlResponse { body, outcome, operation: None, errors: 0, more: false, headers }
    }
}

struct Gateway {
    address: SocketAddr,
    engine: Arc<Patient>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Gateway {
    async fn start() -> Self {
        let config = Config::from_texts([("onedoor.toml", "")], &FixedEnv::new()).draft;
        let engine = Arc::new(Patient::default());
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let engine_of_door: Arc<dyn Engine> = Arc::clone(&engine) as _;
        let door = Door::new(&config, authenticator, Vec::new(), engine_of_door);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, router(Arc::new(door)), async {
            let _ = stopped.await;
        }));
        Self { address, engine, stop, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }
}

fn post(document: &str) -> String {
    let body = format!(r#"{{"query":"{document}"}}"#);
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// Sends bytes and reads until an answer of this document's length is whole; its first line.
async fn exchange(stream: &mut TcpStream, bytes: &str) -> String {
    stream.write_all(bytes.as_bytes()).await.expect("still open");
    read_answer(stream).await
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return head.lines().next().unwrap_or_default().to_owned();
            }
        }
        if stream.read_buf(&mut read).await.expect("no reset") == 0 {
            return text;
        }
    }
}

/// What must happen, or the test fails instead of waiting for ever.
async fn happens<T>(what: impl Future<Output = T>) -> T {
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, what).await.expect("it happens within a minute")
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(happens(stream.read(&mut [0; 64])).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    for _ in 0..3 {
        assert_eq!(exchange(&mut stream, &post("{ a }")).await, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn http_2_is_spoken_with_whoever_begins_with_it() {
    let gateway = Gateway::start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build_plain();
    let url = format!("http://{}/graphql", gateway.address);
    let request = client.post(url).header("content-type", "application/json");
    let answer = request.body(r#"{"query":"{ a }"}"#).send().await.expect("an answer");
    assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_2, 200));
}

/// A client without TLS: its roots are none, so that the machine's certificates are not read.
trait Plain {
    fn build_plain(self) -> reqwest::Client;
}

impl Plain for reqwest::ClientBuilder {
    fn build_plain(self) -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        self.tls_certs_only([]).build().expect("nothing to fail")
    }
}

#[tokio::test]
async fn what_is_no_http_request_is_400_and_too_large_a_head_431() {
    let gateway = Gateway::start().await;
    let many = "x: y\r\n".repeat(101);
    let long = format!("x: {}\r\n", "y".repeat(64 * 1024));
    for (case, head, status) in [
        ("no HTTP", "hello\r\n\r\n".to_owned(), "HTTP/1.1 400 Bad Request"),
        (
            "a space before the colon",
            "GET / HTTP/1.1\r\nhost : x\r\n\r\n".to_owned(),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            "a line folded",
            "GET / HTTP/1.1\r\nhost: x\r\n y\r\n\r\n".to_owned(),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            "two lengths",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"
                .to_owned(),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            "a length that is none",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n".to_owned(),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            "many headers",
            format!("GET / HTTP/1.1\r\n{many}\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (
            "long headers",
            format!("GET / HTTP/1.1\r\n{long}\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
    ] {
        let mut stream = gateway.connect().await;
        let _ = stream.write_all(head.as_bytes()).await;
        assert_eq!(read_answer(&mut stream).await, status, "{case}");
        assert!(is_closed(&mut stream).await, "{case}");
    }
}

#[tokio::test]
async fn an_early_refusal_does_not_let_the_body_be_read_as_the_next_request() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    let smuggled = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let refused = format!(
        "PUT /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    assert_eq!(exchange(&mut stream, &refused).await, "HTTP/1.1 405 Method Not Allowed");
    let next = "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n";
    let _ = stream.write_all(next.as_bytes()).await;
    let answer = read_answer(&mut stream).await;
    assert!(answer.is_empty() || answer == "HTTP/1.1 404 Not Found", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_sends_no_whole_head_within_ten_seconds_is_dropped() {
    let gateway = Gateway::start().await;
    for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = gateway.connect().await;
        stream.write_all(begun.as_bytes()).await.expect("still open");
        let start = Instant::now();
        assert!(is_closed(&mut stream).await, "{begun:?}");
        let seconds = start.elapsed().as_secs();
        assert!((9..=11).contains(&seconds), "{begun:?}: {seconds} s");
    }
    let mut stream = gateway.connect().await;
    assert_eq!(exchange(&mut stream, &post("{ a }")).await, "HTTP/1.1 200 OK");
    let start = Instant::now();
    assert!(is_closed(&mut stream).await, "idle after a request");
    assert!((9..=11).contains(&start.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
        expect: 100-continue\r\ncontent-length: 10000000000\r\n\r\n";
    assert_eq!(exchange(&mut stream, head).await, "HTTP/1.1 413 Payload Too Large");
    assert!(is_closed(&mut stream).await, "what may still come is no request");
}

#[tokio::test(start_paused = true)]
async fn a_request_may_take_longer_than_its_head() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    stream.write_all(post("{ wait }").as_bytes()).await.expect("still open");
    happens(gateway.engine.begun.notified()).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    gateway.engine.go.notify_one();
    assert_eq!(read_answer(&mut stream).await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_what_it_started() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    stream.write_all(post("{ wait }").as_bytes()).await.expect("still open");
    happens(gateway.engine.begun.notified()).await;
    drop(stream);
    happens(gateway.engine.dropped.notified()).await;
}

#[tokio::test(start_paused = true)]
async fn idle_connections_do_not_keep_it_from_stopping() {
    let gateway = Gateway::start().await;
    let mut used = gateway.connect().await;
    assert_eq!(exchange(&mut used, &post("{ a }")).await, "HTTP/1.1 200 OK");
    let mut silent = gateway.connect().await;
    let mut half = gateway.connect().await;
    half.write_all(b"POST /graphql HT").await.expect("still open");
    let start = Instant::now();
    gateway.stop.send(()).expect("it serves");
    gateway.served.await.expect("no panic");
    assert!(start.elapsed() <= DRAIN, "{:?}", start.elapsed());
    for stream in [&mut used, &mut silent, &mut half] {
        assert!(is_closed(stream).await);
    }
    assert!(TcpStream::connect(gateway.address).await.is_err(), "the port is free");
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_answered_before_it_stops() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    stream.write_all(post("{ wait }").as_bytes()).await.expect("still open");
    happens(gateway.engine.begun.notified()).await;
    gateway.stop.send(()).expect("it serves");
    // The port is closed before requests are waited for.
    while TcpStream::connect(gateway.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gateway.engine.go.notify_one();
    assert_eq!(read_answer(&mut stream).await, "HTTP/1.1 200 OK");
    assert!(is_closed(&mut stream).await);
    gateway.served.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_longer_than_the_drain_time_is_cut_off() {
    let gateway = Gateway::start().await;
    let mut stream = gateway.connect().await;
    stream.write_all(post("{ wait }").as_bytes()).await.expect("still open");
    happens(gateway.engine.begun.notified()).await;
    let start = Instant::now();
    gateway.stop.send(()).expect("it serves");
    gateway.served.await.expect("no panic");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(start.elapsed() >= DRAIN, "{:?}", start.elapsed());
    happens(gateway.engine.dropped.notified()).await;
    assert!(is_closed(&mut stream).await);
}
