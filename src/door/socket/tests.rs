//! Sessions over connections in memory, by a clock that does not run by itself: every time limit.

use std::pin::pin;

use async_trait::async_trait;
use axum::body::Body;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::HeaderMap;
use serde_json::{Map, json};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::config::{Config, FixedEnv};
use crate::door::patience::Patience;
use crate::door::{Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext};
use crate::identity::{Authenticator, Identity, ReadClaims, mint};
use crate::observe::{RequestId, TraceContext};

use super::*;

const SETTINGS: &str =
    "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\nleeway = \"0s\"\n";

const HOUR: Duration = Duration::from_secs(3600);

/// Whatever is asked begins and never ends; `flood` has large responses without end, and the end of
/// `burns` is a panic.
#[derive(Default)]
struct Endless(watch::Sender<usize>);

struct Alive(watch::Sender<usize>, bool);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|alive| *alive -= 1);
        assert!(!self.1, "as it says");
    }
}

#[async_trait]
impl Engine for Endless {
    async fn execute(&self, _: GraphqlRequest, _: Identity, _: RequestContext) -> GraphqlResponse {
        std::future::pending().await
    }

    fn stream(
        self: Arc<Self>,
        request: GraphqlRequest,
        _: Identity,
        _: RequestContext,
    ) -> BoxStream<'static, GraphqlResponse> {
        self.0.send_modify(|alive| *alive += 1);
        let alive = Alive(self.0.clone(), request.document == "burns");
        let large = || GraphqlResponse {
            body: vec![b'1'; 100_000].into(),
            outcome: Outcome::Executed,
            operation: None,
            errors: 0,
            more: false,
            headers: HeaderMap::new(),
        };
        let count = if request.document == "flood" { 1000 } else { 0 };
        let flood = stream::repeat_with(large).take(count);
        flood
            .chain(stream::pending())
            .inspect(move |_| {
                let _ = &alive;
            })
            .boxed()
    }
}

/// A session, and its client's end of the connection.
struct Rig {
    config: Config,
    client: DuplexStream,
    alive: watch::Receiver<usize>,
    running: JoinHandle<()>,
    started: Instant,
}

impl Rig {
    fn start() -> Self {
        Self::over(1 << 20)
    }

    /// Over a connection that takes so many bytes unread.
    fn over(room: usize) -> Self {
        let config = Config::from_texts([("onedoor.toml", SETTINGS)], &FixedEnv::new()).draft;
        let engine = Arc::new(Endless::default());
        let alive = engine.0.subscribe();
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let door = Door::new(&config, authenticator, Vec::new(), engine);
        let arrival = Arrival {
            request_id: RequestId::random(),
            trace: TraceContext::new_trace(),
            deadline: Instant::now() + HOUR,
            calls: Arc::default(),
        };
        let caller = caller(Arc::new(door), arrival, Request::new(Body::empty()));
        let (ours, client) = duplex(room);
        let running = tokio::spawn(async move {
            let patient = Patience::new(ours, Duration::from_secs(60));
            Session::new(patient, caller, 1 << 20).await.run().await;
        });
        Self { config, client, alive, running, started: Instant::now() }
    }

    fn token(&self, lifetime: Duration) -> String {
        let claims = Map::from_iter([("sub".to_owned(), json!("ada"))]);
        format!("Bearer {}", mint(&self.config.auth.jwt[0], claims, lifetime).expect("signed"))
    }

    async fn init(&mut self, payload: serde_json::Value) {
        let init = json!({"type": "connection_init", "payload": payload});
        send(&mut self.client, 0x81, init.to_string().as_bytes()).await;
        let (opcode, text) = self.frame().await;
        assert_eq!((opcode, text.as_slice()), (0x81, &message::ACK[..]));
    }

    async fn subscribe(&mut self, document: &str) {
        let payload = json!({ "query": document });
        let subscribe = json!({"type": "subscribe", "id": "1", "payload": payload});
        send(&mut self.client, 0x81, subscribe.to_string().as_bytes()).await;
    }

    async fn alive(&mut self, wanted: usize) {
        let alive = self.alive.wait_for(|alive| *alive == wanted);
        timeout(100 * HOUR, alive).await.expect("it comes to that").expect("the engine is there");
    }

    /// The next frame's first byte and its payload.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.client.read_exact(&mut head).await.expect("still open");
        let mut length = usize::from(head[1]);
        if length == 126 {
            length = self.client.read_u16().await.expect("still open").into();
        }
        let mut payload = vec![0; length];
        self.client.read_exact(&mut payload).await.expect("still open");
        (head[0], payload)
    }

    /// Until it is closed, answering every ping: by which code, why, and after how many seconds.
    async fn closed(&mut self, answers: bool) -> (u16, String, u64) {
        loop {
            match self.frame().await {
                (0x89, payload) if answers => send(&mut self.client, 0x8a, &payload).await,
                (0x88, payload) => {
                    let (code, reason) = payload.split_at(2);
                    let code = u16::from_be_bytes([code[0], code[1]]);
                    let reason = String::from_utf8(reason.to_vec()).expect("UTF-8");
                    return (code, reason, self.started.elapsed().as_secs());
                }
                _ => {}
            }
        }
    }

    async fn ended(self) {
        timeout(100 * HOUR, pin!(self.running)).await.expect("it ends").expect("no panic");
    }
}

/// A frame of a client's, under the mask that changes nothing.
async fn send(client: &mut (impl AsyncWrite + Unpin), first: u8, payload: &[u8]) {
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).expect("short").to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    client.write_all(&frame).await.expect("still open");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_say_who_it_is_for_ten_seconds_is_closed_with_4408() {
    let mut rig = Rig::start();
    // Talk of other things is no answer.
    sleep(Duration::from_secs(9)).await;
    send(&mut rig.client, 0x81, br#"{"type":"ping"}"#).await;
    let told = rig.closed(true).await;
    assert_eq!(told, (4408, "Connection initialisation timeout".to_owned(), 10));
}

#[tokio::test(start_paused = true)]
async fn who_said_it_in_time_stays_as_long_as_pings_are_answered() {
    let mut rig = Rig::start();
    sleep(Duration::from_secs(9)).await;
    rig.init(json!(null)).await;
    rig.subscribe("endless").await;
    for ping in 1..=100 {
        assert_eq!(rig.frame().await, (0x89, Vec::new()));
        assert_eq!(rig.started.elapsed().as_secs(), 15 * ping);
        send(&mut rig.client, 0x8a, b"").await;
    }
    rig.alive(1).await;
}

#[tokio::test(start_paused = true)]
async fn who_answers_no_ping_for_thirty_seconds_is_closed() {
    let mut rig = Rig::start();
    rig.init(json!(null)).await;
    rig.subscribe("endless").await;
    assert_eq!(rig.closed(false).await, (1001, "No ping was answered.".to_owned(), 45));
    rig.alive(0).await;
    // It does not answer the close either.
    let closed = Instant::now();
    rig.ended().await;
    assert_eq!(closed.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_closes_with_4403_and_ends_what_runs() {
    let mut rig = Rig::start();
    // When no ping is due, which would find it out as well.
    let lifetime = HOUR + Duration::from_secs(7);
    let token = rig.token(lifetime);
    rig.init(json!({ "Authorization": token })).await;
    rig.subscribe("endless").await;
    let (code, why, after) = rig.closed(true).await;
    assert_eq!((code, why.as_str()), (4403, "The token has expired."));
    assert!(after.abs_diff(lifetime.as_secs()) <= 1, "{after}: the token's seconds are whole");
    rig.alive(0).await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_for_a_minute_is_given_up() {
    let mut rig = Rig::over(1000);
    rig.init(json!(null)).await;
    rig.subscribe("flood").await;
    rig.alive(1).await;
    let begun = Instant::now();
    rig.alive(0).await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    rig.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_session_closes_with_1011() {
    let mut rig = Rig::start();
    rig.init(json!(null)).await;
    rig.subscribe("burns").await;
    rig.alive(1).await;
    send(&mut rig.client, 0x81, br#"{"type":"complete","id":"1"}"#).await;
    assert_eq!(rig.closed(true).await, (1011, "The gateway failed.".to_owned(), 0));
}
