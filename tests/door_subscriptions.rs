//! Subscriptions from end to end: a service that sends events, the whole gateway over real sockets,
//! and clients of every transport.

mod log_rig;
mod stream_rig;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _, stream};
use http::{StatusCode, Uri};
use log_rig::Lines;
use onedoor::config::FixedEnv;
use onedoor::door::serve;
use onedoor::gateway::{Gateway, Mode, Project};
use serde_json::{Value, json};
use stream_rig::happens;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

const SCHEMA: &str = r#"
type Query { user(id: ID!): User @ref(key: "args.id") }

type Subscription {
  orders: Order @rest(upstream: "shop", path: "/events") @events
}

type User @rest(upstream: "shop", path: "/users?id={keys}", batch: {by: "id"}) {
  id: ID!
  name: String!
}

type Order @rest(upstream: "shop", path: "/orders/{key}") {
  id: ID!
  buyer: User @ref(key: "this.userId")
}
"#;

const ORDERS: &str = "subscription Orders { orders { id buyer { name } } }";

/// The service: a stream of events, and users by their ids, unless it is down.
#[derive(Clone, Default)]
struct Shop(Arc<Open>);

#[derive(Default)]
struct Open {
    /// Where events go; the last stream that was opened.
    events: Mutex<Option<mpsc::Sender<Bytes>>>,
    opened: watch::Sender<usize>,
}

impl Shop {
    async fn open(&self, nth: usize) -> mpsc::Sender<Bytes> {
        let mut opened = self.0.opened.subscribe();
        happens(opened.wait_for(|opened| *opened >= nth)).await.expect("the sender is there");
        self.0.events.lock().expect("no panic").take().expect("opened once")
    }
}

async fn events(State(Shop(shop)): State<Shop>) -> Response {
    let (sender, received) = mpsc::channel(1);
    *shop.events.lock().expect("no panic") = Some(sender);
    shop.opened.send_modify(|opened| *opened += 1);
    let pieces = stream::unfold(received, |mut received| async move {
        let piece: Bytes = received.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), received))
    });
    let response = Response::builder().header("content-type", "text/event-stream");
    response.body(Body::from_stream(pieces)).expect("a response")
}

async fn users(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let ids = query.split('&').filter_map(|pair| pair.strip_prefix("id="));
    let users: Vec<_> = ids.map(|id| json!({"id": id, "name": format!("Name {id}")})).collect();
    let down = query.ends_with("=down");
    let response = Response::builder()
        .status(if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })
        .header("cache-control", "max-age=3600")
        .header("content-type", "application/json");
    response.body(Body::from(json!(users).to_string())).expect("a response")
}

/// What all tests of this program log.
static LOG: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    lines.start_for_all();
    lines
});

/// The service and the gateway before it.
async fn start() -> (Shop, SocketAddr) {
    LazyLock::force(&LOG);
    let shop = Shop::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let services = Router::new().route("/events", get(events)).route("/users", get(users));
    let services = services.with_state(shop.clone());
    tokio::spawn(serve(listener, services, std::future::pending()));
    let settings = [
        ("onedoor.toml".to_owned(), String::new()),
        ("upstreams/shop.toml".to_owned(), format!("url = \"{url}\"\n")),
    ];
    let schema = [("schema.graphql".to_owned(), SCHEMA.to_owned())];
    let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
    let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
    let gateway = Gateway::new(project, Mode::Serve).expect("a gateway");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, gateway.router(), std::future::pending()));
    (shop, address)
}

async fn give(events: &mpsc::Sender<Bytes>, order: Value) {
    let event = format!("data: {order}\n\n");
    happens(events.send(event.into())).await.expect("it listens");
}

async fn socket(address: SocketAddr, id: &str) -> WebSocketStream<TcpStream> {
    let uri: Uri = format!("ws://{address}/graphql").parse().expect("a URI");
    let mut request = uri.into_client_request().expect("a request");
    let protocol = "graphql-transport-ws".parse().expect("a value");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    request.headers_mut().insert("x-request-id", id.parse().expect("a value"));
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut socket, _) = happens(client_async(request, stream)).await.expect("a socket");
    send(&mut socket, json!({"type": "connection_init"})).await;
    assert_eq!(read(&mut socket).await, json!({"type": "connection_ack"}));
    socket
}

async fn send(socket: &mut WebSocketStream<TcpStream>, message: Value) {
    socket.send(Message::text(message.to_string())).await.expect("open");
}

async fn read(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match happens(socket.next()).await.expect("open").expect("a message") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Ping(_) => {}
            other => panic!("{other}"),
        }
    }
}

fn joined(id: &str, user: &str) -> Value {
    json!({"data": {"orders": {"id": id, "buyer": {"name": format!("Name {user}")}}}})
}

#[tokio::test]
async fn events_of_a_service_are_joined_and_reach_a_socket_until_it_completes() {
    let (shop, address) = start().await;
    let mut socket = socket(address, "joined").await;
    let subscribe = json!({"type": "subscribe", "id": "s", "payload": {"query": ORDERS}});
    send(&mut socket, subscribe).await;
    let events = shop.open(1).await;
    for (order, user) in [("7", "1"), ("8", "2")] {
        give(&events, json!({"id": order, "userId": user})).await;
        let next = json!({"type": "next", "id": "s", "payload": joined(order, user)});
        assert_eq!(read(&mut socket).await, next);
    }
    // Queries go beside it.
    let query = json!({"query": "{ user(id: 3) { name } }"});
    send(&mut socket, json!({"type": "subscribe", "id": "q", "payload": query})).await;
    let payload = json!({"data": {"user": {"name": "Name 3"}}});
    assert_eq!(read(&mut socket).await, json!({"type": "next", "id": "q", "payload": payload}));
    assert_eq!(read(&mut socket).await, json!({"type": "complete", "id": "q"}));
    // What is wrong with a document is an error, and the only message.
    let query = json!({"query": "subscription { orders { ids } }"});
    send(&mut socket, json!({"type": "subscribe", "id": "w", "payload": query})).await;
    let told = read(&mut socket).await;
    assert_eq!((&told["type"], &told["id"]), (&json!("error"), &json!("w")));
    assert_eq!(told["payload"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");

    send(&mut socket, json!({"type": "complete", "id": "s"})).await;
    happens(events.closed()).await;
}

#[tokio::test]
async fn a_socket_that_goes_ends_the_services_stream() {
    let (shop, address) = start().await;
    let mut socket = socket(address, "gone").await;
    let subscribe = json!({"type": "subscribe", "id": "s", "payload": {"query": ORDERS}});
    send(&mut socket, subscribe).await;
    let events = shop.open(1).await;
    assert!(!events.is_closed());
    drop(socket);
    happens(events.closed()).await;
}

/// Subscribes to orders by Server-Sent Events.
async fn subscribe(address: SocketAddr, id: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("it listens");
    let body = json!({ "query": ORDERS }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nx-request-id: {id}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.expect("it reads");
    client
}

async fn until(client: &mut TcpStream, read: &mut Vec<u8>, wanted: &str) {
    while !read.windows(wanted.len()).any(|part| part == wanted.as_bytes()) {
        assert_ne!(happens(client.read_buf(read)).await.expect("no reset"), 0);
    }
}

#[tokio::test]
async fn events_of_a_service_are_joined_and_reach_a_stream_of_events_until_its_client_goes() {
    let (shop, address) = start().await;
    let mut client = subscribe(address, "until-it-goes").await;
    let events = shop.open(1).await;
    let mut read = Vec::new();
    for (order, user) in [("7", "1"), ("8", "2")] {
        give(&events, json!({"id": order, "userId": user})).await;
        until(&mut client, &mut read, &format!("event: next\ndata: {}\n\n", joined(order, user)))
            .await;
    }
    assert!(String::from_utf8_lossy(&read).contains("content-type: text/event-stream"));
    drop(client);
    happens(events.closed()).await;
}

/// Orders with these buyers, one of whom cannot be had.
const TOLD: [(&str, &str); 4] = [("7", "1"), ("8", "2"), ("9", "1"), ("10", "down")];

/// The numbers of a line, which is told by one of its fields, once it is written.
async fn numbers(field: &str, value: &str) -> [Value; 5] {
    let written = || {
        let text = LOG.text();
        let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.find(|line: &Value| line["target"] == "onedoor::access" && line[field] == value)
    };
    let line = happens(async {
        loop {
            match written() {
                Some(line) => return line,
                None => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    let numbers = ["operation", "events", "errors", "upstream_calls", "upstreams"];
    numbers.map(|field| line[field].clone())
}

#[tokio::test]
async fn the_line_of_a_subscription_has_the_numbers_of_all_its_events_and_calls() {
    let (shop, address) = start().await;
    let mut client = subscribe(address, "by-events").await;
    let events = shop.open(1).await;
    for (order, user) in TOLD {
        give(&events, json!({"id": order, "userId": user})).await;
        until(&mut client, &mut Vec::new(), &format!("\"id\":\"{order}\"")).await;
    }
    drop(client);
    let upstreams = json!("shop=calls:4/failed:1/kept:1");
    assert_eq!(
        numbers("request_id", "by-events").await,
        [json!("Orders"), json!(4), json!(1), json!(4), upstreams]
    );

    let mut socket = socket(address, "by-socket").await;
    let subscribe = json!({"type": "subscribe", "id": "s", "payload": {"query": ORDERS}});
    send(&mut socket, subscribe).await;
    let events = shop.open(2).await;
    for (order, user) in TOLD {
        give(&events, json!({"id": order, "userId": user})).await;
        assert_eq!(read(&mut socket).await["payload"]["data"]["orders"]["id"], order);
    }
    drop(socket);
    let upstreams = json!("shop=calls:2/failed:1/kept:3");
    assert_eq!(
        numbers("socket_id", "by-socket").await,
        [json!("Orders"), json!(4), json!(1), json!(2), upstreams]
    );
}
