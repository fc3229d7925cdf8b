//! GraphQL over WebSocket, rule by rule of the graphql-transport-ws document.

mod stream_rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures::{SinkExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{Request, StatusCode};
use onedoor::cache::Clock;
use onedoor::door::DRAIN;
use serde_json::{Value, json};
use stream_rig::{Gateway, JWT, LARGE, happens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const HOUR: Duration = Duration::from_secs(3600);

/// One socket's client.
struct Client(WebSocketStream<TcpStream>);

impl Client {
    /// With these headers beside those of every WebSocket.
    async fn open(
        gateway: &Gateway,
        headers: &[(http::HeaderName, &str)],
    ) -> Result<(Self, HeaderMap), Error> {
        let stream = gateway.connect().await;
        let url = format!("ws://{}/graphql?token=hunter", gateway.address);
        let mut request: Request<()> = url.into_client_request()?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().append(name, value);
        }
        let (socket, response) = happens(client_async(request, stream)).await?;
        Ok((Self(socket), response.headers().clone()))
    }

    /// That speaks the protocol.
    async fn speaking(gateway: &Gateway, headers: &[(http::HeaderName, &str)]) -> Self {
        let protocol = (SEC_WEBSOCKET_PROTOCOL, "graphql-transport-ws");
        let headers = [&[protocol], headers].concat();
        let (client, answered) = Self::open(gateway, &headers).await.expect("a socket");
        assert_eq!(answered[SEC_WEBSOCKET_PROTOCOL], "graphql-transport-ws");
        client
    }

    /// That has said what opens the connection, and was told that it is.
    async fn acknowledged(gateway: &Gateway) -> Self {
        let mut client = Self::speaking(gateway, &[]).await;
        client.send(json!({"type": "connection_init"})).await;
        assert_eq!(client.read().await, json!({"type": "connection_ack"}));
        client
    }

    async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    async fn send_text(&mut self, text: &str) {
        happens(self.0.send(Message::text(text))).await.expect("still open");
    }

    async fn subscribe(&mut self, id: &str, document: &str) {
        let payload = json!({ "query": document });
        self.send(json!({"id": id, "type": "subscribe", "payload": payload})).await;
    }

    /// The next message; pings of WebSocket's are answered on the way.
    async fn read(&mut self) -> Value {
        loop {
            match happens(self.0.next()).await.expect("still open").expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    /// Until it is closed: by which code, and why.
    async fn closed(mut self) -> (u16, String) {
        loop {
            match happens(self.0.next()).await.expect("a close first").expect("a message") {
                Message::Close(Some(close)) => {
                    return (close.code.into(), close.reason.to_string());
                }
                Message::Close(None) => panic!("without a code"),
                _ => {}
            }
        }
    }
}

fn next(id: &str, payload: Value) -> Value {
    json!({"id": id, "type": "next", "payload": payload})
}

fn complete(id: &str) -> Value {
    json!({"id": id, "type": "complete"})
}

fn refusal(result: Result<(Client, HeaderMap), Error>) -> (StatusCode, Value, HeaderMap) {
    match result {
        Err(Error::Http(response)) => {
            let body = response.body().clone().expect("a body");
            let body = serde_json::from_slice(&body).expect("JSON");
            (response.status(), body, response.headers().clone())
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in"),
    }
}

const SPEAKS: (http::HeaderName, &str) = (SEC_WEBSOCKET_PROTOCOL, "graphql-transport-ws");

#[tokio::test]
async fn a_query_is_answered_with_one_next_and_complete() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "once").await;
    assert_eq!(client.read().await, next("1", json!({"data": {"a": 1.0}})));
    assert_eq!(client.read().await, complete("1"));
    client.subscribe("2", "mutation").await;
    assert_eq!(client.read().await, next("2", json!({"data": {"done": true}})));
    assert_eq!(client.read().await, complete("2"));
    gateway.alive(0).await;
}

#[tokio::test]
async fn a_request_is_handed_on_whole_and_each_has_its_own_id_deadline_and_calls() {
    let gateway = Gateway::start("").await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("x-request-id", "the-socket"),
        ("traceparent", parent),
        ("x-user-id", "forged"),
        ("cookie", "a=b"),
        ("x-mine", "kept"),
    ];
    let headers = headers.map(|(name, value)| (http::HeaderName::from_static(name), value));
    let mut client = Client::speaking(&gateway, &headers).await;
    client.send(json!({"type": "connection_init"})).await;
    client.read().await;
    let payload = json!({
        "query": "three", "operationName": "Op", "variables": {"v": [1]}, "extensions": {"e": null}
    });
    client.send(json!({"id": "1", "type": "subscribe", "payload": payload})).await;
    for n in 1..=3 {
        assert_eq!(client.read().await, next("1", json!({ "data": n })));
    }
    assert_eq!(client.read().await, complete("1"));
    let (request, identity, first) = gateway.asked();
    assert_eq!(request.operation_name.as_deref(), Some("Op"));
    assert_eq!(request.variables().expect("given").raw(), br#"{"v":[1]}"#);
    assert_eq!(request.extensions().expect("given").raw(), br#"{"e":null}"#);
    assert!(!request.queries_only && !identity.is_authenticated());
    assert_eq!(first.trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    let sent = first.headers.as_map();
    assert_eq!(sent["x-mine"], "kept");
    for gone in ["cookie", "x-user-id", "upgrade", "connection", "sec-websocket-key"] {
        assert!(!sent.contains_key(gone), "{gone}");
    }
    client.subscribe("1", "once").await;
    client.read().await;
    let (_, _, second) = gateway.asked();
    assert_ne!(first.request_id, second.request_id);
    assert_ne!(first.request_id.as_str(), "the-socket");
    assert!(second.deadline >= first.deadline);
    assert!(!std::sync::Arc::ptr_eq(&first.calls, &second.calls));
}

#[tokio::test]
async fn operations_run_side_by_side_and_a_slow_one_delays_no_other() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    for (id, document) in [("a", "waits"), ("b", "silent"), ("c", "three")] {
        client.subscribe(id, document).await;
    }
    for n in 1..=3 {
        assert_eq!(client.read().await, next("c", json!({ "data": n })));
    }
    assert_eq!(client.read().await, complete("c"));
    gateway.script.go.notify_one();
    assert_eq!(client.read().await, next("a", json!({"data": "went"})));
    assert_eq!(client.read().await, complete("a"));
    gateway.alive(1).await;
}

#[tokio::test]
async fn a_client_that_completes_an_operation_ends_it_at_once_and_may_use_its_id_again() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "endless").await;
    assert_eq!(client.read().await, next("1", json!({"data": "first"})));
    gateway.alive(1).await;
    client.send(json!({"id": "1", "type": "complete"})).await;
    gateway.alive(0).await;
    // That, and what never was, may be completed again.
    client.send(json!({"id": "1", "type": "complete"})).await;
    client.send(json!({"id": "never", "type": "complete"})).await;
    client.subscribe("1", "once").await;
    assert_eq!(client.read().await, next("1", json!({"data": {"a": 1.0}})));
    assert_eq!(client.read().await, complete("1"));
}

#[tokio::test]
async fn a_request_error_is_an_error_with_the_list_and_nothing_after_it() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "refused").await;
    let errors = json!([{"message": "no", "extensions": {"code": "X"}}, {"message": "nor this"}]);
    assert_eq!(client.read().await, json!({"id": "1", "type": "error", "payload": errors}));
    client.subscribe("1", "once").await;
    assert_eq!(client.read().await["type"], "next");
}

#[tokio::test]
async fn a_panic_costs_its_operation_only() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("other", "endless").await;
    client.read().await;
    for document in ["panics", "does not begin"] {
        client.subscribe("1", document).await;
        if document == "panics" {
            assert_eq!(client.read().await, next("1", json!({"data": 1})));
        }
        let told = client.read().await;
        assert_eq!((&told["id"], &told["type"]), (&json!("1"), &json!("error")), "{told}");
        assert_eq!(told["payload"][0]["extensions"]["code"], "INTERNAL_ERROR");
    }
    gateway.alive(1).await;
}

#[tokio::test]
async fn pings_are_answered_with_their_payload_before_and_after_the_acknowledgement() {
    let gateway = Gateway::start("").await;
    let mut client = Client::speaking(&gateway, &[]).await;
    for round in 0..2 {
        client.send(json!({"type": "ping"})).await;
        assert_eq!(client.read().await, json!({"type": "pong"}), "{round}");
        client.send(json!({"type": "pong", "payload": {"unasked": true}})).await;
        client.send(json!({"type": "ping", "payload": {"a": [1]}})).await;
        assert_eq!(client.read().await, json!({"type": "pong", "payload": {"a": [1]}}));
        if round == 0 {
            client.send(json!({"type": "connection_init"})).await;
            client.read().await;
        }
    }
    client.0.send(Message::Ping("of WebSocket".into())).await.expect("open");
    let pong = happens(client.0.next()).await.expect("open").expect("a message");
    assert_eq!(pong, Message::Pong("of WebSocket".into()));
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    let gateway = Gateway::start("").await;
    let mut client = Client::speaking(&gateway, &[]).await;
    for (piece, of, last) in [
        (r#"{"type":"#, Data::Text, false),
        (r#""connection"#, Data::Continue, false),
        (r#"_init"}"#, Data::Continue, true),
    ] {
        let frame = Frame::message(piece, OpCode::Data(of), last);
        client.0.send(Message::Frame(frame)).await.expect("open");
    }
    assert_eq!(client.read().await, json!({"type": "connection_ack"}));
}

#[tokio::test]
async fn what_is_no_message_closes_with_4400_and_why() {
    let gateway = Gateway::start("").await;
    for (text, why) in [
        ("nonsense", "The message is not JSON"),
        ("[]", "A message is an object, not an array."),
        (r#"{"type":"start","id":"1","payload":{"query":"once"}}"#, "No message has the type"),
        (r#"{"type":"connection_ack"}"#, "No message has the type `connection_ack`"),
        (r#"{"type":"subscribe","payload":{"query":"once"}}"#, "The message has no `id`."),
        (r#"{"type":"complete"}"#, "The message has no `id`."),
        (r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#, "`query` must be a string"),
    ] {
        let mut client = Client::acknowledged(&gateway).await;
        client.subscribe("runs", "endless").await;
        client.read().await;
        client.send_text(text).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 4400, "{text}");
        assert!(reason.starts_with(why) && reason.len() <= 123, "{text}: {reason}");
        gateway.alive(0).await;
    }
    let mut client = Client::acknowledged(&gateway).await;
    client.0.send(Message::binary(&br#"{"type":"ping"}"#[..])).await.expect("open");
    assert_eq!(client.closed().await, (4400, "Messages are text, not binary.".to_owned()));
}

#[tokio::test]
async fn an_operation_before_the_acknowledgement_closes_with_4401() {
    let gateway = Gateway::start("").await;
    let mut client = Client::speaking(&gateway, &[]).await;
    client.subscribe("1", "once").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".to_owned()));
    assert_eq!(gateway.asked_count(), 0);
}

#[tokio::test]
async fn a_second_operation_by_one_id_closes_with_4409() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("the id", "silent").await;
    client.subscribe("the id", "once").await;
    let reason = "Subscriber for the id already exists".to_owned();
    assert_eq!(client.closed().await, (4409, reason));
    gateway.alive(0).await;
    assert_eq!(gateway.asked_count(), 1);
}

#[tokio::test]
async fn a_second_connection_init_closes_with_4429() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.closed().await, (4429, "Too many initialisation requests".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_speak_the_protocol_is_closed_with_4406() {
    let gateway = Gateway::start("").await;
    let told = (4406, "Subprotocol not acceptable".to_owned());
    let (client, answered) = Client::open(&gateway, &[]).await.expect("a socket");
    assert!(!answered.contains_key(SEC_WEBSOCKET_PROTOCOL));
    assert_eq!(client.closed().await, told);
    // The library's client does not go on when nothing of what it offers is taken; others do.
    for offered in ["graphql-ws", "GraphQL-Transport-WS", "graphql-transport-ws2, soap"] {
        let mut stream = gateway.connect().await;
        let request = handshake(&[("sec-websocket-protocol", offered)]);
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut read = Vec::new();
        while !read.windows(told.1.len()).any(|part| part == told.1.as_bytes()) {
            assert_ne!(
                happens(stream.read_buf(&mut read)).await.expect("no reset"),
                0,
                "{offered}"
            );
        }
        let text = String::from_utf8_lossy(&read);
        assert!(text.starts_with("HTTP/1.1 101 "), "{text}");
        assert!(!text.contains("sec-websocket-protocol"), "{text}");
    }
    let several = [(SEC_WEBSOCKET_PROTOCOL, "graphql-ws, graphql-transport-ws")];
    let (_, answered) = Client::open(&gateway, &several).await.expect("a socket");
    assert_eq!(answered[SEC_WEBSOCKET_PROTOCOL], "graphql-transport-ws");
}

/// A request for a socket, as text; a header that is given stands for the usual one.
fn handshake(headers: &[(&str, &str)]) -> String {
    let usual = [
        ("host", "x"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let is_given = |name: &str| headers.iter().any(|(given, _)| *given == name);
    let usual = usual.into_iter().filter(|(name, _)| !is_given(name));
    let lines = usual.chain(headers.iter().copied()).filter(|(_, value)| !value.is_empty());
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET /graphql HTTP/1.1\r\n{lines}\r\n")
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused_by_http() {
    let gateway = Gateway::start("").await;
    for (headers, status) in [
        (&[][..], "101"),
        (&[("connection", "keep-alive")], "400"),
        (&[("connection", "")], "400"),
        (&[("sec-websocket-version", "8")], "426"),
        (&[("sec-websocket-version", "")], "426"),
        (&[("sec-websocket-key", "")], "400"),
        (&[("sec-websocket-key", "short")], "400"),
        (&[("host", "x"), ("host", "y")], "400"),
        (&[("origin", "http://evil.example")], "403"),
        (&[("origin", "null")], "403"),
        (&[("origin", "http://x")], "101"),
        (&[("origin", "http://x:80")], "101"),
        (&[("origin", "https://X")], "101"),
        (&[("origin", "http://x:8080")], "403"),
        (&[("origin", "http://x"), ("origin", "http://x")], "403"),
    ] {
        let mut stream = gateway.connect().await;
        stream.write_all(handshake(headers).as_bytes()).await.expect("it reads");
        let mut read = Vec::new();
        while !read.windows(4).any(|part| part == b"\r\n\r\n") {
            assert_ne!(happens(stream.read_buf(&mut read)).await.expect("no reset"), 0);
        }
        let text = String::from_utf8_lossy(&read);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:?}: {text}");
        if status == "101" {
            // The example of RFC 6455 section 1.3.
            assert!(text.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
        }
        assert_eq!(status == "426", text.contains("sec-websocket-version: 13"), "{text}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_where_cors_lists_them() {
    let settings = "[cors]\norigins = [\"https://app.example\"]\n";
    let gateway = Gateway::start(settings).await;
    Client::speaking(&gateway, &[(ORIGIN, "https://app.example")]).await;
    let foreign = Client::open(&gateway, &[SPEAKS, (ORIGIN, "https://evil.example")]).await;
    let (status, body, _) = refusal(foreign);
    assert_eq!(status, 403);
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_token_comes_by_the_upgrade_or_by_connection_init_in_whatever_case() {
    let gateway = Gateway::start(&format!("{JWT}[graphql]\nauth = \"required\"\n")).await;
    let token = gateway.token("ada", HOUR);
    let same = token.replace("Bearer ", "bearer ");
    for (header, payload) in [
        (Some(&token), json!(null)),
        (Some(&token), json!({})),
        (Some(&token), json!({ "Authorization": token })),
        (Some(&token), json!({ "Authorization": same })),
        (None, json!({ "Authorization": token })),
        (None, json!({ "authorization": token, "other": 1 })),
        (None, json!({ "AUTHORIZATION": token, "Authorization": null })),
        (None, json!({ "headers": { "Authorization": token } })),
        (None, json!({ "headers": { "authorization": token }, "authorization": token })),
    ] {
        let headers: Vec<_> = header.iter().map(|token| (AUTHORIZATION, token.as_str())).collect();
        let mut client = Client::speaking(&gateway, &headers).await;
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.read().await, json!({"type": "connection_ack"}), "{payload}");
        client.subscribe("1", "who").await;
        assert_eq!(client.read().await, next("1", json!({"data": "ada"})), "{payload}");
        assert!(!gateway.asked().2.headers.as_map().contains_key(AUTHORIZATION));
    }
}

#[tokio::test]
async fn a_connection_init_without_a_right_to_it_closes_with_4403() {
    let gateway = Gateway::start(&format!("{JWT}[graphql]\nauth = \"required\"\n")).await;
    let (ada, bob) = (gateway.token("ada", HOUR), gateway.token("bob", HOUR));
    let two = "Two tokens were sent, and they differ.";
    for (header, payload, why) in [
        (None, json!(null), "A token is needed."),
        (None, json!({ "headers": {} }), "A token is needed."),
        (None, json!({ "Authorization": "Bearer x.y.z" }), "The token is not valid."),
        (None, json!({ "Authorization": ada.replace("Bearer ", "") }), "The token is not valid."),
        (None, json!({ "Authorization": 1 }), "`Authorization` is no header's value."),
        (None, json!({ "Authorization": "Bearer a\nb" }), "`Authorization` is no header's value."),
        (None, json!({ "Authorization": ada, "authorization": bob }), two),
        (None, json!({ "Authorization": ada, "headers": { "authorization": bob } }), two),
        (Some(&ada), json!({ "Authorization": bob }), two),
    ] {
        let headers: Vec<_> =
            header.iter().map(|token: &&String| (AUTHORIZATION, token.as_str())).collect();
        let mut client = Client::speaking(&gateway, &headers).await;
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.closed().await, (4403, why.to_owned()), "{payload}");
    }
    // Where none is needed, one that is sent must be valid all the same.
    let gateway = Gateway::start(JWT).await;
    let mut client = Client::speaking(&gateway, &[]).await;
    let payload = json!({ "Authorization": "Bearer x.y.z" });
    client.send(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(client.closed().await.0, 4403);
}

#[tokio::test]
async fn a_token_that_has_expired_by_the_date_begins_nothing_more() {
    let (now, later) = (SystemTime::now(), Arc::new(AtomicU64::new(0)));
    let moved = Arc::clone(&later);
    let clock = Clock::told(move || now + Duration::from_secs(moved.load(Ordering::SeqCst)));
    let gateway = Gateway::by_clock(&format!("{JWT}leeway = \"0s\"\n"), clock).await;
    let token = gateway.token("ada", HOUR);
    let mut client = Client::speaking(&gateway, &[(AUTHORIZATION, &token)]).await;
    client.send(json!({"type": "connection_init"})).await;
    client.read().await;
    client.subscribe("1", "endless").await;
    client.read().await;
    later.store(HOUR.as_secs() + 1, Ordering::SeqCst);
    client.subscribe("2", "once").await;
    assert_eq!(client.closed().await, (4403, "The token has expired.".to_owned()));
    gateway.alive(0).await;
    assert_eq!(gateway.asked_count(), 1);
}

#[tokio::test]
async fn a_bad_token_on_the_upgrade_is_401_before_there_is_a_socket() {
    let gateway = Gateway::start(JWT).await;
    let (status, body, headers) =
        refusal(Client::open(&gateway, &[SPEAKS, (AUTHORIZATION, "Bearer x.y.z")]).await);
    assert_eq!(status, 401);
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(headers["www-authenticate"], "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn more_operations_at_a_time_than_allowed_get_an_error_each() {
    let gateway = Gateway::start("[limits]\nsocket_operations = 2\n").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "silent").await;
    client.subscribe("2", "silent").await;
    client.subscribe("3", "once").await;
    let told = client.read().await;
    assert_eq!((&told["id"], &told["type"]), (&json!("3"), &json!("error")));
    assert_eq!(told["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    assert_eq!(gateway.asked_count(), 2);
    client.send(complete("1")).await;
    client.subscribe("3", "once").await;
    assert_eq!(client.read().await["type"], "next");
}

#[tokio::test]
async fn a_message_over_the_limit_of_a_body_closes_with_1009() {
    let gateway = Gateway::start("[limits]\nrequest_body = \"1KiB\"\n").await;
    let fits = format!(r#"{{"type":"ping","payload":{{"a":"{}"}}}}"#, "x".repeat(1024 - 34));
    assert_eq!(fits.len(), 1024);
    let mut client = Client::acknowledged(&gateway).await;
    client.send_text(&fits).await;
    assert_eq!(client.read().await["type"], "pong");
    client.send_text(&format!("{fits} ")).await;
    assert_eq!(client.closed().await.0, 1009);
    // In pieces too.
    let mut client = Client::acknowledged(&gateway).await;
    for of in [Data::Text, Data::Continue] {
        let frame = Frame::message("x".repeat(600), OpCode::Data(of), false);
        client.0.send(Message::Frame(frame)).await.expect("open");
    }
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn what_is_no_websocket_closes_with_1002_and_what_is_no_text_with_1007() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    let mut frame = Frame::message("{}", OpCode::Data(Data::Text), true);
    frame.header_mut().rsv1 = true;
    client.0.send(Message::Frame(frame)).await.expect("open");
    assert_eq!(client.closed().await.0, 1002);
    let mut client = Client::acknowledged(&gateway).await;
    let frame = Frame::message(&b"\xff"[..], OpCode::Data(Data::Text), true);
    client.0.send(Message::Frame(frame)).await.expect("open");
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn a_client_that_goes_ends_all_it_began() {
    let gateway = Gateway::start("").await;
    let begun = async || {
        let mut client = Client::acknowledged(&gateway).await;
        for id in ["1", "2", "3"] {
            client.subscribe(id, "endless").await;
            client.read().await;
        }
        gateway.alive(3).await;
        client
    };
    // Without a word.
    drop(begun().await);
    gateway.alive(0).await;
    // By WebSocket's close, which is answered.
    let mut client = begun().await;
    client.0.close(None).await.expect("open");
    gateway.alive(0).await;
    while let Some(read) = happens(client.0.next()).await {
        read.expect("a close and an end");
    }
}

#[tokio::test]
async fn a_large_response_arrives_whole_and_a_client_that_does_not_read_gets_no_more_made() {
    let gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "flood").await;
    // Until the buffers of both ends are full.
    let (mut before, mut unchanged) = (0, 0);
    while unchanged < 50 {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        Client::acknowledged(&gateway).await;
        let now = gateway.script.flooded.load(Ordering::SeqCst);
        assert!(now < 500, "nobody reads");
        unchanged = if now > 0 && now == before { unchanged + 1 } else { 0 };
        before = now;
    }
    // It is heard all the same: what it does not want any longer ends.
    client.send(complete("1")).await;
    gateway.alive(0).await;
    client.subscribe("2", "once").await;
    loop {
        let told = client.read().await;
        if told["id"] == "2" {
            break assert_eq!(told, next("2", json!({"data": {"a": 1.0}})));
        }
        let data = told["payload"]["data"].as_str().expect("text");
        assert!(data.len() == LARGE && data.chars().all(|c| c == 'é'));
    }
}

#[tokio::test]
async fn when_the_gateway_stops_sockets_are_closed_with_1001_and_it_waits_for_that() {
    let mut gateway = Gateway::start("").await;
    let mut client = Client::acknowledged(&gateway).await;
    client.subscribe("1", "endless").await;
    client.read().await;
    let fresh = Client::speaking(&gateway, &[]).await;
    gateway.tell_to_stop();
    assert_eq!(client.closed().await, (1001, "The gateway ends.".to_owned()));
    assert_eq!(fresh.closed().await.0, 1001);
    gateway.alive(0).await;
    gateway.stopped().await;
}

#[tokio::test]
async fn a_client_that_does_not_take_note_of_the_stop_is_cut_off_when_the_drain_time_is_over() {
    let mut gateway = Gateway::start("").await;
    let mut stream = gateway.connect().await;
    let request = handshake(&[("sec-websocket-protocol", "graphql-transport-ws")]);
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut read = [0; 12];
    happens(stream.read_exact(&mut read)).await.expect("an answer");
    assert_eq!(&read, b"HTTP/1.1 101");
    let told = tokio::time::Instant::now();
    gateway.tell_to_stop();
    gateway.stopped().await;
    assert!(told.elapsed() >= DRAIN, "it was given its time");
    let mut rest = Vec::new();
    let _ = happens(stream.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_socket_elsewhere_or_by_another_method_is_an_ordinary_request() {
    let gateway = Gateway::start("").await;
    for (line, status) in [("POST /graphql", "415"), ("GET /health/live", "200")] {
        let mut stream = gateway.connect().await;
        let request = handshake(&[]).replace("GET /graphql", line);
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut read = [0; 12];
        happens(stream.read_exact(&mut read)).await.expect("an answer");
        let read = String::from_utf8_lossy(&read);
        assert_eq!(read, format!("HTTP/1.1 {status}"), "{line}");
    }
}
