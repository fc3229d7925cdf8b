//! The gateway under test, over upstreams within the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Engine, Request};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::identity::{Authenticator, Identity, ReadClaims, mint};
use onedoor::json::Body;
use onedoor::upstream::{CallContext, Error, ErrorKind, Reply, Transport};
use serde_json::{Value, json};

use crate::query::Query;
use crate::random::Random;
use crate::server::{Answer, Asked, State};
use crate::world::{Broken, World};

/// The schema in the gateway's language.
pub(crate) const SCHEMA: &str = include_str!("schema.graphql");

const SETTINGS: &str = r#"
    [[auth.jwt]]
    secret = "a secret of the oracle's own, of thirty-two bytes and more"
    algorithms = ["HS256"]
    [graphql]
    auth = "optional"
    [limits]
    upstream_calls = 20000
    plan_fields = 100000
    document_cache = "4MiB"
    plan_cache = "4MiB"
"#;

/// A gateway that is used for one case after another.
pub(crate) struct Ours {
    engine: Arc<Engine>,
    runtime: tokio::runtime::Runtime,
    upstreams: Arc<Mutex<Upstreams>>,
    caller: Identity,
}

/// What all upstreams share: the world of the present case.
struct Upstreams {
    world: Option<Arc<World>>,
    state: State,
    /// How long each answer takes.
    turns: Random,
}

/// Who asks.
pub(crate) fn claims() -> Value {
    let groups = json!([{"id": 1}, {"id": "é/6&=?%"}]);
    json!({"sub": "2", "groups": groups, "roles": ["x", 1], "exp": 4_000_000_000_u64, "iat": 1})
}

impl Ours {
    pub(crate) fn new() -> Self {
        let upstream = |name: &str, more: &str| {
            (format!("upstreams/{name}.toml"), format!("url = \"http://127.0.0.1:1\"\n{more}"))
        };
        let settings = [
            ("onedoor.toml".to_owned(), SETTINGS.to_owned()),
            upstream("users", ""),
            upstream("orders", ""),
            upstream("shop", ""),
            upstream("pay", "[error]\nif = \"error\"\nmessage = \"error.text\""),
        ];
        let schema = [("schema/oracle.graphql".to_owned(), SCHEMA.to_owned())];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let told = || problems.iter().map(|it| format!("{it:?}\n")).collect::<String>();
        let project = project.unwrap_or_else(|| panic!("{}", told()));
        let caller = caller(&project);
        let upstreams = Arc::new(Mutex::new(Upstreams {
            world: None,
            state: State::default(),
            turns: Random::new(0),
        }));
        let gateway = Gateway::over(project, Mode::Serve, Clock::machine(), |_| {
            Some(Arc::new(Wire(Arc::clone(&upstreams))))
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { engine: gateway.engine, runtime, upstreams, caller }
    }

    /// The gateway's response to a query, and what it asked for it.
    pub(crate) fn ask(&self, world: &Arc<World>, query: &Query, known: bool) -> (Vec<u8>, State) {
        let turns = Random::new(world.seed);
        *lock(&self.upstreams) =
            Upstreams { world: Some(Arc::clone(world)), state: State::default(), turns };
        let variables = Value::Object(query.variables.clone()).to_string();
        let variables = Body::parse(variables.into()).expect("JSON");
        let mut context = Context::anonymous(self.engine.deadline());
        if known {
            context.identity = self.caller.clone();
        }
        let request = Request {
            query: &query.text,
            operation_name: None,
            variables: Some(variables.root()),
            only_queries: false,
            incremental: None,
            explain: onedoor::engine::Explain::default(),
        };
        let response = self.runtime.block_on(self.engine.execute(request, &context));
        (response.body, std::mem::take(&mut lock(&self.upstreams).state))
    }
}

fn caller(project: &Project) -> Identity {
    let issuer = &project.config.auth.jwt[0];
    let claims = claims().as_object().cloned().unwrap_or_default();
    let token = mint(issuer, claims, Duration::from_secs(3600)).expect("a token");
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, bearer);
    let authenticator = Authenticator::new(&project.config.auth, ReadClaims::default());
    let deadline = tokio::time::Instant::now();
    let identified = authenticator.authenticate(&headers, deadline);
    identified.now_or_never().expect("its key is at hand").expect("a good token")
}

fn lock(upstreams: &Mutex<Upstreams>) -> MutexGuard<'_, Upstreams> {
    upstreams.lock().expect("no upstream panics")
}

/// Any upstream: their paths differ.
struct Wire(Arc<Mutex<Upstreams>>);

#[async_trait]
impl Transport for Wire {
    async fn call(
        &self,
        request: &onedoor::template::Request,
        _: &CallContext<'_>,
    ) -> Result<Reply, Error> {
        let (answer, turns) = {
            let Upstreams { world, state, turns } = &mut *lock(&self.0);
            let header = |(name, value): &(HeaderName, HeaderValue)| {
                let value = std::str::from_utf8(value.as_bytes()).expect("UTF-8").to_owned();
                name.as_str().starts_with("x-").then(|| (name.to_string(), value))
            };
            let headers: Vec<_> = request.headers.iter().filter_map(header).collect();
            let asked = Asked {
                headers: headers.iter().map(|(name, value)| (&**name, &**value)).collect(),
                method: request.method.as_str(),
                target: &request.path_and_query,
                body: request.body.as_deref(),
            };
            let world = world.as_ref().expect("a case runs");
            (world.answer(state, &asked), turns.below(4))
        };
        // Answers come in another order than requests were sent.
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        match answer {
            Answer::Came { status: 204, .. } => Ok(Reply::json(StatusCode::NO_CONTENT, "null")),
            Answer::Came { status, body } => {
                let status = StatusCode::from_u16(status).expect("a status");
                Ok(Reply::json(status, body))
            }
            Answer::Broken(broken) => {
                let kind = match broken {
                    Broken::Unreachable => ErrorKind::Unreachable,
                    Broken::Reset => ErrorKind::Broken,
                    Broken::Timeout => ErrorKind::Timeout,
                    Broken::TooLarge => ErrorKind::TooLarge(1),
                };
                Err(Error::new(kind, &Method::GET, "/"))
            }
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
