//! A gateway with routes between sockets that show every byte: a client that writes what it likes,
//! and an upstream that notes what arrives and answers as it was told.

#![allow(dead_code, reason = "each test file uses its part of the rig")]

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onedoor::config::{FixedEnv, JwtIssuer};
use onedoor::door;
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::identity::mint;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a plain answer begins with.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// What must happen, or the test fails instead of waiting for ever.
pub(crate) async fn happens<T>(what: impl Future<Output = T>) -> T {
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, what).await.expect("it happens within a minute")
}

/// One HTTP message, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) start: String,
    /// `name: value`, in their order.
    pub(crate) headers: Vec<String>,
    /// The body as it was framed.
    pub(crate) body: String,
}

impl Message {
    fn parse(head: &str, body: &str) -> Self {
        let mut lines = head.lines().map(str::to_owned);
        let start = lines.next().unwrap_or_default();
        Self { start, headers: lines.collect(), body: body.to_owned() }
    }

    /// The header lines of what arrives, without those that differ from run to run.
    pub(crate) fn told(&self) -> Vec<&str> {
        let varying = ["host: ", "x-request-id: ", "traceparent: "];
        let lines = self.headers.iter().map(String::as_str);
        let mut told: Vec<_> =
            lines.filter(|line| !varying.iter().any(|name| line.starts_with(name))).collect();
        told.sort_unstable();
        told
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.headers.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The value of a header that is there once; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} stands {} times: {self:?}", all.len());
        all.first().copied().unwrap_or_default()
    }

    /// The names of all headers, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let names = self.headers.iter().filter_map(|line| line.split_once(": "));
        let mut names: Vec<_> = names.map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of a problem of the gateway's own, with all that belongs to one.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status(), "{self:?}");
        assert_eq!(body["instance"], self.header("x-request-id"), "{self:?}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].is_string(), "{member}: {self:?}");
        }
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Reads one message off a connection; `None`: nothing came any more. `bodiless` answers have none
/// whatever they announce.
pub(crate) async fn read_message(stream: &mut TcpStream, bodiless: bool) -> Option<Message> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let field = |name: &str| lower.lines().find_map(|line| line.strip_prefix(name));
            let chunked = field("transfer-encoding: ").is_some();
            let length = field("content-length: ").map_or(0, |n| n.parse().expect("a number"));
            let whole = if chunked { body.ends_with("0\r\n\r\n") } else { body.len() >= length };
            if bodiless || whole {
                return Some(Message::parse(head, body));
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            // Cut off: what came is shown.
            _ if !bytes.is_empty() => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                return Some(Message::parse(head, body));
            }
            _ => return None,
        }
    }
}

/// A service that notes each request and answers all of them with the same bytes.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Message>>>,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (answer, notes, count) = (answer.into(), Arc::clone(&seen), Arc::clone(&connections));
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (answer, notes) = (answer.clone(), Arc::clone(&notes));
                tokio::spawn(async move {
                    while let Some(request) = read_message(&mut stream, false).await {
                        notes.lock().expect("no panic").push(request);
                        let _ = stream.write_all(&answer).await;
                    }
                });
            }
        });
        Self { address, seen, connections, serving }
    }

    pub(crate) async fn saying(body: &str) -> Self {
        Self::answering(format!("{OK}content-length: {}\r\n\r\n{body}", body.len())).await
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests since the last time.
    pub(crate) fn requests(&self) -> Vec<Message> {
        std::mem::take(&mut *self.seen.lock().expect("no panic"))
    }

    /// The only request since the last time.
    pub(crate) fn request(&self) -> Message {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.remove(0)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A gateway on a port of its own.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    issuer: JwtIssuer,
    serving: JoinHandle<()>,
}

const SECRET: &str = "one secret of thirty-two bytes or more";

impl Served {
    /// Over one upstream `orders` at this host, or host and path, with these further settings.
    pub(crate) async fn over(upstream: impl fmt::Display, orders: &str) -> Self {
        Self::with("", upstream, orders).await
    }

    /// The same with settings of the gateway's own, which stand before everything else.
    pub(crate) async fn with(gateway: &str, upstream: impl fmt::Display, orders: &str) -> Self {
        let schema = "type Query { one: Int @rest(upstream: \"orders\", path: \"/one\") }";
        Self::of_schema(schema, gateway, upstream, orders).await
    }

    /// The same with a schema of its own.
    pub(crate) async fn of_schema(
        schema: &str,
        gateway: &str,
        upstream: impl fmt::Display,
        orders: &str,
    ) -> Self {
        let settings = [
            ("onedoor.toml", format!("{gateway}\n[[auth.jwt]]\nsecret = \"{SECRET}\"\n")),
            ("upstreams/orders.toml", format!("url = \"http://{upstream}\"\n{orders}")),
        ];
        let settings = settings.map(|(name, text)| (name.to_owned(), text));
        let schema = [("query.graphql".to_owned(), schema.to_owned())];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let issuer = project.config.auth.jwt[0].clone();
        let gateway = Gateway::new(project, Mode::Serve).expect("no certificates are needed");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(door::serve(listener, gateway.router(), std::future::pending()));
        Self { address, issuer, serving }
    }

    /// The header of a caller who is let in.
    pub(crate) fn token(&self) -> String {
        self.token_of("ada")
    }

    /// The header of whoever this is.
    pub(crate) fn token_of(&self, subject: &str) -> String {
        let claims = Map::from_iter([("sub".to_owned(), Value::from(subject))]);
        let token = mint(&self.issuer, claims, Duration::from_secs(600)).expect("signed");
        format!("authorization: Bearer {token}")
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// Sends bytes on a connection of its own and reads one answer.
    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) -> Message {
        let bytes = bytes.as_ref();
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("it reads");
        let head = bytes.starts_with(b"HEAD ");
        happens(read_message(&mut stream, head)).await.expect("an answer")
    }

    /// A request without a body, its token sent along.
    pub(crate) async fn get(&self, path_and_query: &str) -> Message {
        let token = self.token();
        self.send(format!("GET {path_and_query} HTTP/1.1\r\nhost: shop\r\n{token}\r\n\r\n")).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
