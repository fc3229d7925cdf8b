//! No log shows a token that is sent on: not the gateway's, nor that of the libraries which write
//! headers. One test in a file of its own, since whoever logs first in a process decides what others
//! see of it.

mod log_rig;
mod route_rig;

use log_rig::Lines;
use route_rig::{Served, Upstream};
use serde_json::json;

const SETTINGS: &str = "[identity]\ntoken = \"forward\"\n\
                        [[route]]\npath = \"/api\"\nto = \"/api\"\n";

#[tokio::test]
async fn a_token_that_is_sent_on_is_in_no_line_of_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let upstream = Upstream::saying("1").await;
    let gateway = Served::over(upstream.address, SETTINGS).await;
    let own = gateway.token();
    let bearer = own.split_once(": ").unwrap().1;
    assert_eq!(gateway.get("/api").await.status(), 200);
    assert_eq!(upstream.request().header("authorization"), bearer);
    let body = r#"{"query":"{ one }"}"#;
    let graphql = format!(
        "POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n{own}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(gateway.send(graphql).await.json(), json!({"data": {"one": 1}}));
    assert_eq!(upstream.request().header("authorization"), bearer);
    // One that cannot be reached, or that answers what nobody understands, is an error with causes.
    let broken = Upstream::answering("nonsense\r\n\r\n").await;
    assert_eq!(Served::over(broken.address, SETTINGS).await.get("/api").await.status(), 503);
    drop(upstream);
    gateway.get("/api").await;

    let text = lines.text();
    for part in ["TRACE", "hyper", "/api", "upstream call failed"] {
        assert!(text.contains(part), "`{part}` is logged: {text}");
    }
    let signature = bearer.rsplit('.').next().unwrap();
    assert!(!text.contains(signature), "the token is in the log: {text}");
}
