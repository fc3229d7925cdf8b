//! A stream of events over a real socket: what is sent, what comes back, and every way to fail.

mod upstream_rig;

use std::time::Duration;

use futures::StreamExt as _;
use http::StatusCode;
use http::header::HeaderMap;
use onedoor::failure::Code;
use onedoor::observe::{REQUEST_ID, TRACEPARENT};
use onedoor::template::Request;
use onedoor::upstream::{
    CallContext, CallerHeaders, Client, Error, ErrorKind, Event, Events, InMemory, Opened, Reply,
    TooLarge, Transport,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use upstream_rig::{client, get, header, read_request, with_context};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    transfer-encoding: chunked\r\nx-region: eu\r\n\r\n";

/// A service, and a client of it that takes events of 1 KiB and waits as long as a test runs.
struct Service {
    listener: TcpListener,
    client: Client,
}

/// A connection on which a request came.
struct Connection {
    stream: TcpStream,
    request: String,
}

impl Service {
    async fn start() -> Self {
        Self::with("timeout = \"30s\"").await
    }

    async fn with(settings: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self { client: client(&url, settings), listener }
    }

    async fn accept(&self) -> Connection {
        let (mut stream, _) = self.listener.accept().await.expect("a connection");
        let request = read_request(&mut stream).await.expect("a request");
        Connection { stream, request }
    }

    /// Listens to a service that answers so, and leaves the connection open.
    async fn answering(&self, answer: &str) -> (Result<Opened, Error>, Connection) {
        let request = events();
        let serve = async {
            let mut connection = self.accept().await;
            connection.send(answer).await;
            connection
        };
        tokio::join!(listen(&self.client, &request, None), serve)
    }

    async fn open(&self) -> (Events, Connection) {
        let (opened, connection) = self.answering(HEAD).await;
        (stream(opened), connection)
    }
}

impl Connection {
    async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.expect("still open");
    }

    /// Sends a piece of the stream, as a chunk of its own.
    async fn piece(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    /// Ends when the client has closed the connection.
    async fn closed(&mut self) {
        let mut rest = [0; 16];
        let read = self.stream.read(&mut rest).await;
        assert!(matches!(read, Ok(0) | Err(_)), "nothing more is sent");
    }

    fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.request.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(header, _)| *header == name).map(|(_, value)| value).collect()
    }
}

fn events() -> Request {
    get("/events?userId=7")
}

/// Listens with a deadline that is a minute away.
async fn listen(
    transport: &dyn Transport,
    request: &Request,
    last_event_id: Option<&str>,
) -> Result<Opened, Error> {
    let late = Instant::now() + Duration::from_secs(60);
    listen_as(transport, request, last_event_id, (&CallerHeaders::default(), late)).await
}

async fn listen_as(
    transport: &dyn Transport,
    request: &Request,
    last_event_id: Option<&str>,
    (headers, deadline): (&CallerHeaders, Instant),
) -> Result<Opened, Error> {
    with_context(headers, async |context| {
        let context = CallContext { deadline, ..context };
        transport.listen(request, last_event_id, &context).await
    })
    .await
}

fn stream(opened: Result<Opened, Error>) -> Events {
    match opened.expect("an answer") {
        Opened::Stream(events) => events,
        Opened::Reply(reply) => panic!("no stream: {reply:?}"),
    }
}

fn reply(opened: Result<Opened, Error>) -> Reply {
    match opened.expect("an answer") {
        Opened::Stream(events) => panic!("no reply: {events:?}"),
        Opened::Reply(reply) => reply,
    }
}

async fn next(events: &mut Events) -> Event {
    events.next().await.expect("it goes on").expect("it is whole")
}

fn data(event: &Event) -> &str {
    std::str::from_utf8(event.data.as_ref().expect("within the limit")).expect("UTF-8")
}

#[tokio::test]
async fn events_come_as_they_are_sent_in_whatever_pieces() {
    let service = Service::start().await;
    let (mut events, mut connection) = service.open().await;
    assert_eq!(events.headers.get("x-region").expect("kept"), "eu");
    assert_eq!((events.last_event_id(), events.retry()), (None, None));

    connection.piece("retry: 2000\n\n: hello\n\nevent: notification\nid: 1\nda").await;
    connection.piece("ta: {\"a\":\ndata: 1}\r").await;
    connection.piece("\n\r\ndata: two\n\n").await;
    let first = next(&mut events).await;
    assert_eq!((&*first.kind, data(&first)), ("notification", "{\"a\":\n1}"));
    assert_eq!(first.id.as_deref(), Some("1"));
    assert_eq!(events.retry(), Some(Duration::from_secs(2)));
    let second = next(&mut events).await;
    assert_eq!((&*second.kind, data(&second)), ("message", "two"));
    assert_eq!(events.last_event_id(), Some("1"), "no other came");

    connection.piece("id: 3\n\ndata: never ended\n").await;
    connection.piece("id: 4\n").await;
    connection.send("0\r\n\r\n").await;
    assert!(events.next().await.is_none(), "the upstream ended it");
    assert!(events.next().await.is_none(), "and it stays ended");
    assert_eq!(events.last_event_id(), Some("3"), "an id without data counts too");
}

#[tokio::test]
async fn a_stream_is_asked_for_as_the_standard_says_and_whoever_asks_is_told() {
    let service = Service::start().await;
    let mut request = events();
    request.headers = vec![
        header("accept", "application/json"),
        header("cache-control", "max-age=60"),
        header("last-event-id", "template"),
        header("last_event_id", "template"),
        header("x-own", "1"),
    ];
    let (name, value) = header("x-user-id", "7");
    let (missing, _) = header("x-role", "");
    let mut forwarded = HeaderMap::new();
    forwarded.extend([header("last-event-id", "client"), header("x-role", "client")]);
    let caller = CallerHeaders { identity: vec![(name, Some(value)), (missing, None)], forwarded };
    let late = Instant::now() + Duration::from_secs(60);
    for (id, sent) in [
        (None, vec![]),
        (Some(""), vec![]),
        (Some("42"), vec!["42"]),
        (Some("\u{e9} 1"), vec!["\u{e9} 1"]),
        (Some("not in\u{1}a header"), vec![]),
    ] {
        let serve = async {
            let mut connection = service.accept().await;
            connection.send(HEAD).await;
            connection
        };
        let opening = listen_as(&service.client, &request, id, (&caller, late));
        let (opened, connection) = tokio::join!(opening, serve);
        assert_eq!(stream(opened).last_event_id(), id.filter(|id| !id.is_empty()));
        assert!(connection.request.starts_with("GET /events?userId=7 HTTP/1.1\r\n"));
        assert_eq!(connection.headers("last-event-id"), sent, "{id:?}");
        for (name, values) in [
            ("accept", &["text/event-stream"][..]),
            ("cache-control", &["no-store"]),
            ("x-user-id", &["7"]),
            ("x-own", &["1"]),
            ("x-role", &[]),
            ("last_event_id", &[]),
        ] {
            assert_eq!(connection.headers(name), values, "{name}");
        }
        for ours in [REQUEST_ID.as_str(), TRACEPARENT.as_str()] {
            assert_eq!(connection.headers(ours).len(), 1, "{ours}");
        }
    }
}

#[tokio::test]
async fn an_identity_header_stands_whatever_its_name() {
    let service = Service::start().await;
    let (name, value) = header("last-event-id", "identity");
    let caller = CallerHeaders { identity: vec![(name, Some(value))], forwarded: HeaderMap::new() };
    let late = Instant::now() + Duration::from_secs(60);
    let request = events();
    let opening = listen_as(&service.client, &request, Some("42"), (&caller, late));
    let serve = async {
        let mut connection = service.accept().await;
        connection.send(HEAD).await;
        connection
    };
    let (_, connection) = tokio::join!(opening, serve);
    assert_eq!(connection.headers("last-event-id"), ["identity"]);
}

#[tokio::test]
async fn the_nearer_of_timeout_and_deadline_bounds_the_time_until_the_head() {
    for (timeout, deadline, expected) in [
        ("50ms", Duration::from_secs(60), ErrorKind::Timeout),
        ("30s", Duration::from_millis(50), ErrorKind::Deadline),
        ("30s", Duration::ZERO, ErrorKind::Deadline),
    ] {
        let service = Service::with(&format!("timeout = \"{timeout}\"")).await;
        let until = Instant::now() + deadline;
        let caller = (&CallerHeaders::default(), until);
        let error = listen_as(&service.client, &events(), None, caller).await.expect_err("silent");
        assert_eq!(error.kind, expected);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_must_be_whole_in_time() {
    let service = Service::with("timeout = \"50ms\"").await;
    let half = "HTTP/1.1 503 Unavailable\r\ncontent-length: 9\r\n\r\n{";
    let (opened, _connection) = service.answering(half).await;
    assert_eq!(opened.expect_err("it never ends").kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn neither_timeout_nor_deadline_ends_a_stream() {
    let service = Service::with("timeout = \"1s\"").await;
    let request = events();
    let deadline = Instant::now() + Duration::from_secs(1);
    let caller = CallerHeaders::default();
    let opening = listen_as(&service.client, &request, None, (&caller, deadline));
    let serve = async {
        let mut connection = service.accept().await;
        connection.send(HEAD).await;
        connection
    };
    let (opened, mut connection) = tokio::join!(opening, serve);
    let mut events = stream(opened);
    // From here on time passes only where nothing else can happen: two hours of silence.
    tokio::time::pause();
    let hours = tokio::time::timeout(Duration::from_secs(7200), events.next()).await;
    assert!(hours.is_err(), "{hours:?}");
    tokio::time::resume();
    connection.piece("data: still here\n\n").await;
    assert_eq!(data(&next(&mut events).await), "still here");
}

#[tokio::test]
async fn any_other_status_is_an_answer_and_whole() {
    let service = Service::start().await;
    for (head, status, body) in [
        ("204 No Content\r\n", 204, "null"),
        ("401 Unauthorized\r\ncontent-length: 4\r\n", 401, "nope"),
        ("404 Not Found\r\ncontent-length: 0\r\n", 404, "null"),
        ("307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n", 307, "null"),
        ("503 Oh\r\ncontent-type: text/event-stream\r\ncontent-length: 7\r\n", 503, "data:x\n"),
    ] {
        let body_sent = if body == "null" { "" } else { body };
        let answer = format!("HTTP/1.1 {head}connection: close\r\n\r\n{body_sent}");
        let (opened, _connection) = service.answering(&answer).await;
        let reply = reply(opened);
        assert_eq!((reply.status.as_u16(), &*reply.body), (status, body.as_bytes()));
    }
    let long = "HTTP/1.1 500 Oh\r\nconnection: close\r\ncontent-length: 2000\r\n\r\n";
    let (opened, _connection) = service.answering(&format!("{long}{}", "x".repeat(2000))).await;
    let reply = reply(opened);
    assert_eq!((reply.status.as_u16(), &*reply.body), (500, &b"null"[..]));
}

#[tokio::test]
async fn a_success_that_is_no_stream_by_its_own_account_is_none() {
    let service = Service::start().await;
    for (head, what) in [
        ("200 OK\r\ncontent-type: application/json\r\n", "application/json"),
        ("200 OK\r\ncontent-type: text/event-streams\r\n", "text/event-streams"),
        ("200 OK\r\n", "no media type"),
        (
            "200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n",
            "content coding gzip",
        ),
        ("201 Created\r\ncontent-type: text/event-stream\r\n", "status 201"),
    ] {
        let answer = format!("HTTP/1.1 {head}content-length: 100\r\n\r\n");
        let (opened, mut connection) = service.answering(&answer).await;
        let error = opened.expect_err(head);
        assert_eq!(error.kind, ErrorKind::NotEvents(what.into()));
        let failure = error.failure(&"users".into());
        assert_eq!(failure.code, Code::UpstreamBadAnswer);
        connection.closed().await;
    }
    let plain = "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream ;charset=utf-8\r\n\
                 content-encoding: identity\r\n\r\ndata:x\n\n";
    let (opened, _connection) = service.answering(plain).await;
    assert_eq!(data(&next(&mut stream(opened)).await), "x");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_told_from_one_that_ends() {
    let service = Service::start().await;
    let (mut events, mut connection) = service.open().await;
    connection.piece("id: 1\ndata: x\n\ndata: half").await;
    drop(connection);
    assert_eq!(data(&next(&mut events).await), "x", "what came whole is given");
    let error = events.next().await.expect("it tells").expect_err("it broke off");
    assert_eq!((&error.kind, error.status), (&ErrorKind::Broken, Some(StatusCode::OK)));
    assert!(error.to_string().contains("/events?..: "), "{error}");
    assert!(events.next().await.is_none(), "nothing comes after that");
    assert_eq!(events.last_event_id(), Some("1"));
}

#[tokio::test]
async fn an_event_that_is_too_large_is_told_of_and_the_next_one_comes() {
    let service = Service::start().await;
    let (mut events, mut connection) = service.open().await;
    connection.piece("event: big\ndata: ").await;
    for _ in 0..100 {
        connection.piece(&"x".repeat(1000)).await;
    }
    connection.piece("\n\ndata: small\n\n").await;
    let lost = next(&mut events).await;
    assert_eq!((&*lost.kind, lost.data), ("big", Err(TooLarge(1024))));
    assert_eq!(data(&next(&mut events).await), "small");
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let service = Service::start().await;
    let (mut events, mut connection) = service.open().await;
    connection.piece("data: x\n\n").await;
    next(&mut events).await;
    drop(events);
    connection.closed().await;
    let (events, mut silent) = service.open().await;
    drop(events);
    silent.closed().await;
}

#[tokio::test]
async fn asking_in_vain_for_the_next_event_loses_none() {
    let service = Service::start().await;
    let (mut events, mut connection) = service.open().await;
    connection.piece("data: x\nda").await;
    let asked = tokio::time::timeout(Duration::from_millis(20), events.next()).await;
    assert!(asked.is_err());
    connection.piece("ta: y\n\n").await;
    assert_eq!(data(&next(&mut events).await), "x\ny");
}

#[tokio::test]
async fn a_service_in_memory_may_open_streams_too() {
    let answer = |_: &Request, _: &CallContext<'_>| Ok(Reply::json(StatusCode::OK, "1"));
    let deaf = InMemory::new(answer);
    let error = listen(&deaf, &events(), None).await.expect_err("it has none");
    assert_eq!(error.kind, ErrorKind::NoStreams);
    assert_eq!(error.failure(&"users".into()).code, Code::Internal);

    let service = InMemory::new(answer).with_events(|request, last_event_id, _| {
        assert_eq!((&*request.path_and_query, last_event_id), ("/events?userId=7", Some("1")));
        let event =
            |id: &str| Event { kind: "a".into(), data: Ok("x".into()), id: Some(id.into()) };
        let broken = Error::new(ErrorKind::Broken, &request.method, &request.path_and_query);
        let events = [Ok(event("2")), Err(broken), Ok(event("3"))];
        let events = futures::stream::iter(events).boxed();
        Ok(Opened::Stream(Events::new(HeaderMap::new(), events)))
    });
    let mut events = stream(listen(&service, &events(), Some("1")).await);
    assert_eq!(next(&mut events).await.id.as_deref(), Some("2"));
    assert_eq!(events.last_event_id(), Some("2"));
    assert!(events.next().await.expect("it tells").is_err());
    assert!(events.next().await.is_none(), "nothing comes after an error");
}
