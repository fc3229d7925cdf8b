//! What the tests of one upstream need, whole answers or events: a client, requests, and the other end.

use std::future::Future;
use std::time::Duration;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use onedoor::config::{Config, FixedEnv};
use onedoor::observe::{RequestId, TraceContext};
use onedoor::template::Request;
use onedoor::upstream::{CallContext, CallerHeaders, Client};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A client of the service `users`, which takes 1 KiB of an answer or an event.
pub(crate) fn client(url: &str, settings: &str) -> Client {
    let upstream = format!("url = \"{url}\"\n{settings}");
    let gateway = "limits = { upstream_answer = \"1KiB\" }";
    let files = [("onedoor.toml", gateway), ("upstreams/users.toml", &upstream)];
    let (config, problems) = Config::from_texts(files, &FixedEnv::new()).finish();
    let config = config.unwrap_or_else(|| panic!("{:?}", problems.iter().collect::<Vec<_>>()));
    let users = config.upstreams.get("users").expect("its file is there");
    Client::new(users, &config.limits).expect("no certificates are needed")
}

pub(crate) fn get(path_and_query: &str) -> Request {
    Request {
        method: Method::GET,
        path_and_query: path_and_query.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

pub(crate) fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// Runs something with a context; the deadline is a minute away.
pub(crate) async fn with_context<'a, F: Future>(
    headers: &'a CallerHeaders,
    run: impl FnOnce(CallContext<'a>) -> F,
) -> F::Output {
    let trace = Box::leak(Box::new(TraceContext::new_trace()));
    let request_id = Box::leak(Box::new(RequestId::random()));
    let deadline = Instant::now() + Duration::from_secs(60);
    run(CallContext { deadline, timeout: None, trace, request_id, headers }).await
}

/// Head and body of one request; `None`: nothing came.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return Some(text);
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            _ => return None,
        }
    }
}
