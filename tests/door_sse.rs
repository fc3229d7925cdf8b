//! GraphQL as Server-Sent Events: the distinct connections mode of graphql-sse.

mod stream_rig;

use std::time::Duration;

use onedoor::cache::Clock;
use stream_rig::{Gateway, JWT, happens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const EVENTS: &str = "text/event-stream";
const OPENED: &str = ":\n\n";
const END: &str = "event: complete\ndata: \n\n";

fn post(document: &str, accept: &str, more: &str) -> String {
    let body = format!(r#"{{"query":"{document}"}}"#);
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: {accept}\r\n\
         content-type: application/json\r\naccept-encoding: gzip\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(document: &str, accept: &str) -> String {
    format!(
        "GET /graphql?query={document} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         accept: {accept}\r\n\r\n"
    )
}

/// Head and body, out of its chunks.
fn apart(read: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(read);
    let (head, mut rest) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut body = String::new();
    if !head.contains("transfer-encoding: chunked") {
        return (head.to_owned(), rest.to_owned());
    }
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        let Some(piece) = after.get(..size) else { break };
        body.push_str(piece);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    (head.to_owned(), body)
}

async fn ask(gateway: &Gateway, request: &str) -> TcpStream {
    let mut stream = gateway.connect().await;
    stream.write_all(request.as_bytes()).await.expect("it reads");
    stream
}

/// Everything until the connection ends.
async fn whole(gateway: &Gateway, request: &str) -> (String, String) {
    let (mut stream, mut read) = (ask(gateway, request).await, Vec::new());
    happens(stream.read_to_end(&mut read)).await.expect("an end");
    apart(&read)
}

/// Until the body has this.
async fn until(stream: &mut TcpStream, wanted: &str) {
    let mut read = Vec::new();
    while !apart(&read).1.ends_with(wanted) {
        assert_ne!(happens(stream.read_buf(&mut read)).await.expect("no reset"), 0, "{wanted}");
    }
}

fn next(payload: &str) -> String {
    format!("event: next\ndata: {payload}\n\n")
}

#[tokio::test]
async fn each_response_is_one_event_and_the_end_is_said() {
    let gateway = Gateway::start("").await;
    let three: String = (1..=3).map(|n| next(&format!(r#"{{"data":{n}}}"#))).collect();
    for request in [post("three", EVENTS, ""), get("three", EVENTS)] {
        let (head, body) = whole(&gateway, &request).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        for header in [
            "content-type: text/event-stream; charset=utf-8",
            "cache-control: no-store",
            "x-accel-buffering: no",
            "vary: Accept",
        ] {
            assert!(head.contains(header), "{header}: {head}");
        }
        assert!(!head.contains("content-encoding"), "{head}");
        assert_eq!(body, format!("{OPENED}{three}{END}"));
    }
    let (_, body) = whole(&gateway, &post("lines", EVENTS, "")).await;
    assert_eq!(body, format!("{OPENED}{}{END}", next("{\"data\":  1 }")));
}

#[tokio::test]
async fn request_errors_and_panics_are_events() {
    let gateway = Gateway::start("").await;
    for request in [post("refused", EVENTS, ""), get("mutation", EVENTS)] {
        let (head, body) = whole(&gateway, &request).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(body.starts_with(&format!("{OPENED}event: next\ndata: {{\"errors\":")), "{body}");
        assert!(body.ends_with(END) && !body.contains("done"), "{body}");
    }
    for document in ["panics", "does not begin"] {
        let (_, body) = whole(&gateway, &post(document, EVENTS, "")).await;
        assert!(body.contains("INTERNAL_ERROR") && body.ends_with(END), "{body}");
    }
    gateway.alive(0).await;
}

#[tokio::test]
async fn events_are_chosen_where_they_are_wanted_more_than_json() {
    let gateway = Gateway::start("").await;
    for (accept, events) in [
        ("text/event-stream", true),
        ("Text/Event-Stream; charset=utf-8", true),
        ("text/event-stream, */*", true),
        ("text/event-stream, application/json;q=0.9", true),
        ("application/json, text/event-stream", false),
        ("text/event-stream;q=0.5, application/graphql-response+json", false),
        ("*/*", false),
        ("text/*, application/json", false),
    ] {
        let (head, body) = whole(&gateway, &post("once", accept, "")).await;
        assert_eq!(head.contains("text/event-stream"), events, "{accept}");
        assert_eq!(body.contains("\"by\":\"execute\""), !events, "{accept}: {body}");
    }
    let (head, _) = whole(&gateway, &post("once", "text/event-stream;q=0", "")).await;
    assert!(head.starts_with("HTTP/1.1 406 "), "{head}");
}

#[tokio::test]
async fn what_is_refused_before_graphql_is_an_answer_of_http() {
    let settings =
        format!("{JWT}[graphql]\nauth = \"required\"\n[limits]\nrequest_body = \"1KiB\"");
    let gateway = Gateway::start(&settings).await;
    let token = format!("authorization: {}\r\n", gateway.token("ada", Duration::from_secs(60)));
    let asked = |more: &str| post("who", EVENTS, more);
    for (request, status) in [
        (asked(""), "401"),
        (asked("authorization: Bearer x.y.z\r\n"), "401"),
        (post(&"x".repeat(2000), EVENTS, &token), "413"),
        (asked(&token).replace("application/json", "text/plain"), "415"),
        (asked(&token).replace("\"query\"", "\"quary\""), "400"),
        (asked(&token).replace("POST", "PUT"), "405"),
    ] {
        let (head, body) = whole(&gateway, &request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {head}");
        assert!(body.starts_with("{\"errors\":"), "{body}");
    }
    let (_, body) = whole(&gateway, &asked(&token)).await;
    assert_eq!(body, format!("{OPENED}{}{END}", next(r#"{"data":"ada"}"#)));
}

#[tokio::test]
async fn an_event_goes_out_when_it_is_there_and_a_client_that_goes_ends_the_stream() {
    let gateway = Gateway::start("").await;
    let mut stream = ask(&gateway, &post("endless", EVENTS, "")).await;
    until(&mut stream, &next(r#"{"data":"first"}"#)).await;
    gateway.alive(1).await;
    drop(stream);
    gateway.alive(0).await;
}

#[tokio::test]
async fn when_the_gateway_stops_the_stream_ends_without_complete() {
    let mut gateway = Gateway::start("").await;
    let mut stream = ask(&gateway, &post("endless", EVENTS, "")).await;
    until(&mut stream, &next(r#"{"data":"first"}"#)).await;
    gateway.tell_to_stop();
    let mut rest = Vec::new();
    happens(stream.read_to_end(&mut rest)).await.expect("an end in order");
    assert_eq!(rest, b"0\r\n\r\n");
    gateway.alive(0).await;
    gateway.stopped().await;
}

#[tokio::test]
async fn a_token_that_expires_ends_the_stream_with_an_error() {
    let now = std::time::SystemTime::now();
    let later = now + Duration::from_millis(3_599_900);
    let clock = Clock::told(move || later);
    let gateway = Gateway::by_clock(&format!("{JWT}leeway = \"0s\"\n"), clock).await;
    let token = format!("authorization: {}\r\n", gateway.token("ada", Duration::from_secs(3601)));
    let (_, body) = whole(&gateway, &post("silent", EVENTS, &token)).await;
    assert!(body.contains("UNAUTHENTICATED") && body.ends_with(END), "{body}");
    gateway.alive(0).await;
}
