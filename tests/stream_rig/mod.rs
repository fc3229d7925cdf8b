//! A gateway on a real socket, over an engine that answers with several responses.

#![allow(dead_code, reason = "each test program uses its part")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use http::HeaderMap;
use onedoor::cache::Clock;
use onedoor::config::{Config, FixedEnv};
use onedoor::door::{
    Door, Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext, router, serve,
};
use onedoor::failure::Code;
use onedoor::identity::{Authenticator, Identity, ReadClaims, mint};
use serde_json::{Map, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) const JWT: &str = "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\n";

/// Answers by what the document says: `once`, `three`, `endless` (one response, then nothing),
/// `silent`, `flood` (large ones without end), `sub` (whose token it is), `refused`, `breaks`,
/// `panics`, `mutation`.
#[derive(Default)]
pub(crate) struct Script {
    /// Each request, with who asked and what the engine is told of it.
    pub(crate) asked: Mutex<Vec<(GraphqlRequest, Identity, RequestContext)>>,
    /// How many streams are there.
    pub(crate) alive: watch::Sender<usize>,
    /// How many responses of a flood were asked for.
    pub(crate) flooded: Arc<AtomicUsize>,
    /// Lets `waits` go on.
    pub(crate) go: Arc<Notify>,
}

struct Guard(watch::Sender<usize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_modify(|alive| *alive -= 1);
    }
}

pub(crate) fn response(body: impl Into<Bytes>) -> GraphqlResponse {
    GraphqlResponse {
        body: body.into(),
        outcome: Outcome::Executed,
        operation: Some("Op".into()),
        errors: 0,
        headers: HeaderMap::new(),
    }
}

fn refused(outcome: Outcome) -> GraphqlResponse {
    let body = r#"{"errors":[{"message":"no","extensions":{"code":"X"}},{"message":"nor this"}]}"#;
    GraphqlResponse { outcome, errors: 2, ..response(body) }
}

/// One response of a flood.
pub(crate) const LARGE: usize = 256 << 10;

#[async_trait]
impl Engine for Script {
    async fn execute(&self, _: GraphqlRequest, _: Identity, _: RequestContext) -> GraphqlResponse {
        response(r#"{"data":{"by":"execute"}}"#)
    }

    fn stream(
        self: Arc<Self>,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> BoxStream<'static, GraphqlResponse> {
        let document = request.document.clone();
        let by_get = request.queries_only;
        self.asked.lock().expect("no panic").push((request, identity.clone(), context));
        assert_ne!(document, "does not begin", "as it says");
        self.alive.send_modify(|alive| *alive += 1);
        let guard = Guard(self.alive.clone());
        let responses: BoxStream<'static, GraphqlResponse> = match document.as_str() {
            "once" => stream::iter([response(r#"{"data":{"a":1.0}}"#)]).boxed(),
            "three" => {
                stream::iter((1..=3).map(|n| response(format!(r#"{{"data":{n}}}"#)))).boxed()
            }
            "endless" => {
                stream::iter([response(r#"{"data":"first"}"#)]).chain(stream::pending()).boxed()
            }
            "silent" => stream::pending().boxed(),
            "waits" => {
                let go = Arc::clone(&self.go);
                stream::once(async move {
                    go.notified().await;
                    response(r#"{"data":"went"}"#)
                })
                .boxed()
            }
            "flood" => {
                let flooded = Arc::clone(&self.flooded);
                let large = Bytes::from(format!(r#"{{"data":"{}"}}"#, "é".repeat(LARGE / 2)));
                stream::repeat_with(move || {
                    flooded.fetch_add(1, Ordering::SeqCst);
                    response(large.clone())
                })
                .boxed()
            }
            "lines" => stream::iter([response("{\"data\":\r\n1\n}")]).boxed(),
            "who" => {
                let sub = identity.claims().and_then(|claims| claims.get("sub"));
                let sub = sub.and_then(|sub| sub.as_str().map(|sub| sub.into_owned()));
                stream::iter([response(json!({ "data": sub }).to_string())]).boxed()
            }
            "refused" => {
                stream::iter([refused(Outcome::RequestError(Code::GraphqlValidationFailed))])
                    .boxed()
            }
            "mutation" if by_get => stream::iter([refused(Outcome::MutationByGet)]).boxed(),
            "mutation" => stream::iter([response(r#"{"data":{"done":true}}"#)]).boxed(),
            "panics" => stream::iter([response(r#"{"data":1}"#)])
                .chain(stream::once(async { panic!("as it says") }))
                .boxed(),
            other => panic!("no such document: {other}"),
        };
        responses
            .inspect(move |_| {
                let _ = &guard;
            })
            .boxed()
    }
}

/// What must happen, or the test fails instead of waiting for ever.
pub(crate) async fn happens<T>(what: impl Future<Output = T>) -> T {
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, what).await.expect("it happens within a minute")
}

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) script: Arc<Script>,
    config: Config,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Gateway {
    pub(crate) async fn start(settings: &str) -> Self {
        Self::by_clock(settings, Clock::machine()).await
    }

    /// With this clock for tokens.
    pub(crate) async fn by_clock(settings: &str, clock: Clock) -> Self {
        let loaded = Config::from_texts([("onedoor.toml", settings)], &FixedEnv::new());
        assert!(!loaded.problems.has_errors(), "{}", loaded.problems.render(false));
        let config = loaded.draft;
        let script = Arc::new(Script::default());
        let authenticator = Authenticator::new(&config.auth, ReadClaims::default());
        let engine = Arc::clone(&script) as Arc<dyn Engine>;
        let reserved = vec![http::HeaderName::from_static("x-user-id")];
        let door = Door::new(&config, authenticator.with_clock(clock), reserved, engine);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, router(Arc::new(door)), async {
            let _ = stopped.await;
        }));
        Self { address, script, config, stop: Some(stop), served }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// A token of this subject, valid for so long.
    pub(crate) fn token(&self, subject: &str, lifetime: Duration) -> String {
        let claims = Map::from_iter([("sub".to_owned(), json!(subject))]);
        let token = mint(&self.config.auth.jwt[0], claims, lifetime).expect("signed");
        format!("Bearer {token}")
    }

    /// Until so many streams are there.
    pub(crate) async fn alive(&self, wanted: usize) {
        let mut alive = self.script.alive.subscribe();
        happens(alive.wait_for(|alive| *alive == wanted)).await.expect("the sender is there");
    }

    pub(crate) fn asked(&self) -> (GraphqlRequest, Identity, RequestContext) {
        self.script.asked.lock().expect("no panic").pop().expect("an operation was begun")
    }

    pub(crate) fn asked_count(&self) -> usize {
        self.script.asked.lock().expect("no panic").len()
    }

    pub(crate) fn tell_to_stop(&mut self) {
        self.stop.take().expect("once").send(()).expect("it serves");
    }

    pub(crate) async fn stopped(self) {
        happens(self.served).await.expect("no panic");
    }
}
