//! Nobody gets another's rows. Two hundred callers ask the same at the same moment, of a gateway
//! that has planned it before and keeps answers, and each service answers with what it was told of
//! the caller.
//!
//! What this proves: calls and batches are made with the headers of the request they belong to, and
//! their answers go to that request, or to another of the same caller's. What outlives a request
//! (kept answers and rows, calls under way, verified tokens) has the caller in its key: taken out of
//! any of them, it turns tests here red. Loaders and a step's calls live within one request, so no
//! two callers ever meet in one; that the caller is also part of their keys is a second lock, which
//! no request can try while the first one holds. The unit tests of `fetch` try it.

mod fetch_rig;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use fetch_rig::{Answer, Call, Calls, Rig, Texts, ok, project};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{FixedEnv, JwtIssuer};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::identity::mint;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

const GATEWAY: &str = r#"
[[auth.jwt]]
secret = "one secret of thirty-two bytes or more"
"#;

const SERVICE: &str = r#"
[identity]
headers = { x-user-id = "{claims.sub}", x-team = "{claims.team}" }
"#;

const SCHEMA: &str = r#"
type Query {
  whoami: Account @rest(upstream: "users", path: "/account?as={headers.x-user-id}")
  search(text: String!): Account
    @rest(upstream: "users", method: POST, path: "/search", body: """{"text": "{args.text}"}""")
  users(ids: [ID!]!): [User]! @ref(key: "args.ids")
}
type Account { owner: String  team: String }
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id", max: 2}) {
  id: ID!
  owner: String
  orders: [Order!]!
    @rest(upstream: "orders", path: "/orders?userId={keys}", batch: {key: "this.id", by: "userId"})
}
type Order { id: ID!  owner: String }
"#;

/// The same for everybody, so that nothing but the caller tells one request from another.
const QUERY: &str = r#"query Screen($ids: [ID!]!) {
  whoami { owner team }
  search(text: "all") { owner }
  users(ids: $ids) { id owner orders { id owner } }
}"#;

/// What a service says to whoever asks: itself, with the caller's name on everything.
fn signed(call: &Call) -> Answer {
    let (owner, team) = (call.header("x-user-id"), call.header("x-team"));
    let row = |key: String| json!({"id": key, "userId": key, "owner": owner});
    match call.path() {
        "/users" => ok(call.values("id").into_iter().map(row).collect::<Value>()),
        "/orders" => ok(call.values("userId").into_iter().map(row).collect::<Value>()),
        _ => ok(json!({"owner": owner, "team": team})),
    }
}

/// The same, with this `Cache-Control`; if it is empty, without.
fn signed_and_kept(call: &Call, cache_control: &'static str) -> Answer {
    let mut reply = signed(call)?;
    if !cache_control.is_empty() {
        reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    }
    Ok(reply)
}

struct Doors {
    router: TowerToHyperService<Router>,
    issuers: Vec<JwtIssuer>,
    calls: Calls,
}

/// One caller.
#[derive(Clone)]
struct Caller {
    /// `None`: without a token.
    subject: Option<String>,
    team: Option<String>,
    /// What names its request from end to end.
    request_id: String,
    sent: Vec<(&'static str, &'static str)>,
}

impl Caller {
    fn new(number: usize) -> Self {
        // One says nothing of itself, and some have no team.
        let named = number != 10;
        Self {
            subject: named.then(|| format!("user-{number}")),
            team: (named && number.is_multiple_of(3)).then(|| format!("team-{}", number % 7)),
            request_id: format!("request-{number}"),
            sent: Vec::new(),
        }
    }

    /// Nobody in particular.
    fn anonymous(number: usize) -> Self {
        Self { request_id: format!("anonymous-{number}"), ..Self::new(10) }
    }

    /// The same caller's request of another id.
    fn again(&self, which: &str) -> Self {
        Self { request_id: format!("{}-{which}", self.request_id), ..self.clone() }
    }

    /// Its token's claims; `None`: it has no token.
    fn claims(&self) -> Option<Value> {
        let subject = self.subject.as_ref()?;
        Some(json!({"sub": subject, "team": self.team}))
    }

    /// What the gateway has to answer it.
    fn expected(&self) -> Value {
        let Self { subject, team, .. } = self;
        let user = |id: &str| json!({"id": id, "owner": subject, "orders": [{"id": id, "owner": subject}]});
        json!({"data": {
            "whoami": {"owner": subject, "team": team},
            "search": {"owner": subject},
            "users": [user("1"), user("2"), user("3")],
        }})
    }
}

/// A token of this issuer.
fn token(issuer: &JwtIssuer, claims: Value) -> String {
    let Value::Object(claims) = claims else { unreachable!("an object") };
    mint(issuer, claims, Duration::from_secs(600)).unwrap()
}

/// What a router answers to a request: its status, which must be 200, and its JSON.
async fn answer(router: &TowerToHyperService<Router>, request: Request<Body>) -> Value {
    let response = router.call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

fn graphql(token: Option<&str>) -> http::request::Builder {
    let request = Request::post("/graphql").header("content-type", "application/json");
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

impl Doors {
    fn new<F>(answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::with(GATEWAY, SERVICE, answering)
    }

    /// With settings of its own.
    fn with<F>(
        gateway: &str,
        service: &str,
        answering: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let project = project(Texts { gateway, service, schema: SCHEMA });
        let issuers = project.config.auth.jwt.clone();
        let Rig { gateway, calls, .. } = Rig::over(project, answering);
        Self { router: TowerToHyperService::new(gateway.router()), issuers, calls }
    }

    /// Sends the one query as this caller.
    async fn ask(&self, caller: &Caller) -> Value {
        let token = caller.claims().map(|claims| token(&self.issuers[0], claims));
        let mut request = graphql(token.as_deref()).header("x-request-id", &caller.request_id);
        for (name, value) in &caller.sent {
            request = request.header(*name, *value);
        }
        let body = json!({"query": QUERY, "variables": {"ids": [1, 2, 3]}}).to_string();
        answer(&self.router, request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a query with this token.
    async fn ask_as(&self, token: Option<&str>, query: &str) -> Value {
        let body = json!({"query": query}).to_string();
        answer(&self.router, graphql(token).body(Body::from(body)).unwrap()).await
    }

    /// Holds every call that was made against the caller whose request it belongs to, each of which
    /// made all five of a request's calls.
    fn assert_each_call_tells_its_own_caller(&self, callers: &[Caller]) {
        let calls_of = self.calls_by_request(callers);
        for caller in callers {
            // The account, the search, two requests for three users, and one for their orders.
            assert_eq!(calls_of.get(&caller.request_id).map(Vec::len), Some(5), "{calls_of:?}");
        }
    }

    /// The calls by the id of the request that they belong to, each of which tells the service of
    /// that request's caller and of nobody else.
    fn calls_by_request(&self, callers: &[Caller]) -> HashMap<String, Vec<String>> {
        let callers: HashMap<_, _> =
            callers.iter().map(|caller| (caller.request_id.as_str(), caller)).collect();
        let mut calls_of: HashMap<String, Vec<String>> = HashMap::new();
        for call in self.calls.all() {
            let request_id = call.header("x-request-id").expect("every call has the request's id");
            let caller = callers[request_id];
            assert_eq!(call.header("x-user-id"), caller.subject.as_deref(), "{call:?}");
            assert_eq!(call.header("x-team"), caller.team.as_deref(), "{call:?}");
            assert_eq!(call.header("authorization"), None);
            calls_of.entry(request_id.to_owned()).or_default().push(call.line());
        }
        calls_of
    }
}

const CALLERS: usize = 200;

/// A service that answers nobody before everybody has asked, and then not in that order.
struct Gate {
    /// Four calls of each caller.
    first: Barrier,
    /// One more, for the orders of the users that came.
    second: Barrier,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self { first: Barrier::new(CALLERS * 4), second: Barrier::new(CALLERS) })
    }

    async fn pass(&self, call: &Call) {
        let Some(number) = call.header("x-request-id").and_then(number) else { return };
        let barrier = if call.path() == "/orders" { &self.second } else { &self.first };
        barrier.wait().await;
        for _ in 0..number * 7919 % 23 {
            tokio::task::yield_now().await;
        }
    }
}

/// The number of a caller's request; none of the one that goes ahead.
fn number(request_id: &str) -> Option<usize> {
    request_id.strip_prefix("request-")?.parse().ok()
}

/// One request before all others, so that the document and its plan are known.
async fn warm(doors: &Doors) -> Caller {
    let first = Caller { request_id: "ahead".to_owned(), ..Caller::new(7) };
    assert_eq!(doors.ask(&first).await, first.expected());
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_callers_at_once_get_their_own_rows_from_a_plan_they_share() {
    let gate = Gate::new();
    let doors = Doors::new(move |call| {
        let gate = Arc::clone(&gate);
        async move {
            gate.pass(&call).await;
            signed(&call)
        }
    });
    let doors = Arc::new(doors);
    let mut callers = vec![warm(&doors).await];
    callers.extend((0..CALLERS).map(Caller::new));
    ask_at_once(&doors, &callers[1..], async || {}).await;
    doors.assert_each_call_tells_its_own_caller(&callers);
}

/// Sends every caller's request at the same moment. Each is answered with their own rows.
async fn ask_at_once(doors: &Arc<Doors>, callers: &[Caller], all_wait: impl AsyncFnOnce()) {
    let mut asking = JoinSet::new();
    for caller in callers.iter().cloned() {
        let doors = Arc::clone(doors);
        asking.spawn(async move { (doors.ask(&caller).await, caller) });
    }
    all_wait().await;
    while let Some(answered) = asking.join_next().await {
        let (response, caller) = answered.unwrap();
        assert_eq!(response, caller.expected(), "{}", caller.request_id);
    }
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// What a request asks by GET. However many of a caller's requests ask at once, each is asked once.
const GETS: [&str; 4] = [
    "GET /account",
    "GET /orders?userId=1&userId=2&userId=3",
    "GET /users?id=1&id=2",
    "GET /users?id=3",
];

/// The services say nothing before everybody has asked. Half of the callers have asked before; each
/// asks twice at once; and some are nobody in particular.
#[tokio::test(start_paused = true)]
async fn kept_answers_and_calls_under_way_are_their_callers_own() {
    for (cache_control, is_kept) in
        [("", false), ("max-age=60", true), ("private, max-age=60", true)]
    {
        // 1: what is asked at once passes; 2: so do the orders of the users that came.
        let (open, gate) = watch::channel(2);
        let doors = Arc::new(Doors::new(move |call| {
            let mut gate = gate.clone();
            async move {
                let turn = if call.path() == "/orders" { 2 } else { 1 };
                gate.wait_for(|open| *open >= turn).await.unwrap();
                signed_and_kept(&call, cache_control)
            }
        }));
        let callers: Vec<Caller> = (0..CALLERS).map(Caller::new).collect();
        let before: Vec<Caller> = callers.iter().step_by(2).cloned().collect();
        ask_at_once(&doors, &before, async || {}).await;
        doors.assert_each_call_tells_its_own_caller(&before);

        for (round, has_asked) in [("now", &before[..]), ("later", &callers[..])] {
            doors.calls.forget();
            open.send(0).unwrap();
            let twice =
                |caller: &Caller| [caller.again(round), caller.again(&format!("{round}-2"))];
            let mut asking: Vec<Caller> = callers.iter().flat_map(twice).collect();
            asking.extend((0..3).map(|number| Caller::anonymous(number).again(round)));
            ask_at_once(&doors, &asking, async || {
                for turn in 1..=2 {
                    settle().await;
                    open.send(turn).unwrap();
                }
            })
            .await;

            let mut asked: HashMap<Option<String>, Vec<String>> = HashMap::new();
            for (request_id, lines) in doors.calls_by_request(&asking) {
                let caller = asking.iter().find(|caller| caller.request_id == request_id).unwrap();
                asked.entry(caller.subject.clone()).or_default().extend(lines);
            }
            for caller in &callers {
                let mut asked = asked.remove(&caller.subject).unwrap();
                asked.sort_unstable();
                let known =
                    is_kept && has_asked.iter().any(|other| other.subject == caller.subject);
                let gets = if known { &[][..] } else { &GETS };
                let searches = if caller.subject.is_none() { 5 } else { 2 };
                let expected = [gets, &vec!["POST /search"; searches]].concat();
                assert_eq!(asked, expected, "{cache_control:?} {round} {:?}", caller.subject);
            }
        }
    }
}

/// That the tests here would see a mixture: here is one, as the services wish it.
#[tokio::test]
async fn what_a_service_calls_public_everybody_is_given() {
    let doors = Doors::new(|call| async move { signed_and_kept(&call, "public, max-age=60") });
    let [ada, bob] = [Caller::new(1), Caller::new(2)];
    doors.ask(&ada).await;
    let mut expected = ada.expected();
    expected["data"]["search"] = bob.expected()["data"]["search"].clone();
    assert_eq!(doors.ask(&bob).await, expected);
}

const TWO_ISSUERS: &str = r#"
[[auth.jwt]]
issuer = "https://one.example"
secret = "one secret of thirty-two bytes or more"
[[auth.jwt]]
issuer = "https://other.example"
secret = "another secret of thirty-two bytes or more"
"#;

/// Each part of who somebody is counts by itself: for whole answers, for rows, and for calls under
/// way. Here no service is told of any of them but the team.
#[tokio::test(start_paused = true)]
async fn callers_who_differ_in_any_one_part_share_nothing() {
    const TEAM: &str = "[identity]\nheaders = { x-team = \"{claims.team}\" }\n";
    let same = json!({"sub": "ada", "scope": "read", "scp": ["a"], "team": "red"});
    let with = |name: &str, value: Value| {
        let mut claims = same.clone();
        claims[name] = value;
        claims
    };
    let others = [
        ("nothing", 0, Some(same.clone())),
        ("a claim that nothing reads", 0, Some(with("nickname", json!("Ada")))),
        ("the issuer", 1, Some(same.clone())),
        ("the subject", 0, Some(with("sub", json!("bob")))),
        ("the scope", 0, Some(with("scope", json!("read write")))),
        ("the scopes of another spelling", 0, Some(with("scp", json!(["a", "b"])))),
        ("a claim that a header reads", 0, Some(with("team", json!("blue")))),
        ("a claim's absence", 0, Some(with("team", Value::Null))),
        ("being somebody", 0, None),
    ];
    for query in ["{ whoami { team } }", "{ users(ids: [1]) { owner } }"] {
        for (number, (what, issuer, claims)) in others.iter().enumerate() {
            for cache_control in ["max-age=60", ""] {
                let (open, gate) = watch::channel(false);
                let doors = Doors::with(TWO_ISSUERS, TEAM, move |call| {
                    let mut gate = gate.clone();
                    async move {
                        gate.wait_for(|open| *open).await.unwrap();
                        signed_and_kept(&call, cache_control)
                    }
                });
                let ada = token(&doors.issuers[0], same.clone());
                let other = claims.clone().map(|claims| token(&doors.issuers[*issuer], claims));
                let asks = async || {
                    let one = doors.ask_as(Some(&ada), query).await;
                    if !cache_control.is_empty() {
                        assert_eq!(doors.ask_as(Some(&ada), query).await, one, "kept");
                    }
                };
                let asks_too = async || {
                    // Kept answers are to be had when the first has come.
                    if !cache_control.is_empty() {
                        gate_is_open(&open).await;
                        settle().await;
                    }
                    doors.ask_as(other.as_deref(), query).await;
                };
                let opens = async || {
                    settle().await;
                    open.send(true).unwrap();
                };
                tokio::join!(asks(), asks_too(), opens());
                let expected = if number < 2 { 1 } else { 2 };
                assert_eq!(doors.calls.count(), expected, "{query} {what} {cache_control:?}");
            }
        }
    }
}

/// Callers without a token who send something that a service is told: it is compared byte by byte
/// and line by line, for kept answers and rows and for calls under way.
#[tokio::test(start_paused = true)]
async fn callers_who_differ_in_any_byte_that_is_forwarded_share_nothing() {
    const TENANT: &str = "[headers]\nforward = [\"x-tenant\"]\n";
    let sent: [&[&[u8]]; 8] =
        [&[], &[b""], &[b"a"], &[b"A"], &[b"a", b"b"], &[b"b", b"a"], &[b"a, b"], &[b"\xff"]];
    for query in ["{ whoami { team } }", "{ users(ids: [1]) { owner } }"] {
        let (open, gate) = watch::channel(false);
        let doors = Doors::with(GATEWAY, TENANT, move |call| {
            let mut gate = gate.clone();
            async move {
                gate.wait_for(|open| *open).await.unwrap();
                signed_and_kept(&call, "max-age=60")
            }
        });
        let doors = Arc::new(doors);
        let mut asking = JoinSet::new();
        for values in sent.iter().chain(&sent) {
            let mut request = graphql(None);
            for value in *values {
                request = request.header("x-tenant", HeaderValue::from_bytes(value).unwrap());
            }
            let body = Body::from(json!({"query": query}).to_string());
            let (request, doors) = (request.body(body).unwrap(), Arc::clone(&doors));
            asking.spawn(async move { answer(&doors.router, request).await });
        }
        settle().await;
        open.send(true).unwrap();
        asking.join_all().await;
        let told: HashSet<Vec<Vec<u8>>> = doors
            .calls
            .all()
            .iter()
            .map(|call| {
                let values = call.headers.get_all("x-tenant").iter();
                values.map(|value| value.as_bytes().to_vec()).collect()
            })
            .collect();
        assert_eq!(told, sent.map(|values| values.iter().map(|v| v.to_vec()).collect()).into());
        assert_eq!(doors.calls.count(), sent.len(), "{query}: twice the same is asked once");
    }
}

async fn gate_is_open(gate: &watch::Sender<bool>) {
    gate.subscribe().wait_for(|open| *open).await.unwrap();
}

/// A service on a port of its own that answers nobody before so many have asked, and notes whom it
/// was told of.
#[derive(Clone)]
struct Account {
    all: Arc<Barrier>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// Of one call: its path, whose request it belongs to, and who the service was told asks.
type Heard = (String, String, Option<String>);

impl Account {
    async fn answer(State(account): State<Self>, request: Request<Body>) -> http::Response<Body> {
        let body = account.note(&request).to_string();
        drop(request);
        account.all.wait().await;
        let response = http::Response::builder().header("cache-control", "max-age=60");
        response.header("content-type", "application/json").body(Body::from(body)).unwrap()
    }

    /// Notes a call; what the service says to whoever it was told asks.
    fn note(&self, request: &Request<Body>) -> Value {
        let header = |name: &str| {
            let mut values = request.headers().get_all(name).iter();
            let value = values.next().map(|value| value.to_str().unwrap().to_owned());
            assert!(values.next().is_none(), "{name} is sent twice");
            value
        };
        let (owner, team) = (header("x-user-id"), header("x-team"));
        let body = json!({"owner": owner, "team": team});
        let call = (request.uri().path().to_owned(), header("x-request-id").unwrap(), owner);
        self.heard.lock().unwrap().push(call);
        body
    }

    async fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(Self::answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// What was heard since the last time, sorted.
    fn heard(&self) -> Vec<Heard> {
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap());
        heard.sort_unstable();
        heard
    }
}

/// Over real connections, which callers share one after the other: every caller asks by GraphQL and
/// by a plain path at once. Then all of it again, when GraphQL's answers are kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn graphql_and_plain_paths_tell_each_service_of_their_own_caller_only() {
    let named = (0..CALLERS).map(Caller::new).filter(|caller| caller.subject.is_some());
    let callers: Vec<Caller> = named.chain([Caller::anonymous(0)]).collect();
    let all = Arc::new(Barrier::new(callers.len()));
    let account = Account { all, heard: Arc::default() };
    let address = account.clone().serve().await;
    let route = "[[route]]\npath = \"/api/account\"\nto = \"/plain\"\nauth = \"optional\"\n";
    let settings = [
        ("onedoor.toml".to_owned(), GATEWAY.to_owned()),
        (
            "upstreams/users.toml".to_owned(),
            format!("url = \"http://{address}\"\n{SERVICE}{route}"),
        ),
    ];
    let schema = r#"
      type Query { whoami: Account @rest(upstream: "users", path: "/account") }
      type Account { owner: String  team: String }
    "#;
    let schema = [("schema.graphql".to_owned(), schema.to_owned())];
    let project = Project::from_texts(settings, schema, &FixedEnv::new()).0.unwrap();
    let issuer = project.config.auth.jwt[0].clone();
    let gateway = Gateway::new(project, Mode::Serve).unwrap();
    let router = TowerToHyperService::new(gateway.router());

    let requests = |caller: &Caller, round: usize| {
        let token = caller.claims().map(|claims| token(&issuer, claims));
        let mut plain = Request::get("/api/account").header("host", "shop");
        if let Some(token) = &token {
            plain = plain.header("authorization", format!("Bearer {token}"));
        }
        let body = json!({"query": "{ whoami { owner team } }"}).to_string();
        let id = |kind: &str| format!("{}-{kind}-{round}", caller.request_id);
        let account = json!({"owner": caller.subject, "team": caller.team});
        [
            (plain.header("x-request-id", id("plain")).body(Body::empty()), account.clone()),
            (
                graphql(token.as_deref())
                    .header("x-request-id", id("graphql"))
                    .body(Body::from(body)),
                json!({"data": {"whoami": account}}),
            ),
        ]
    };
    for round in 0..3 {
        let mut asking = JoinSet::new();
        for (request, expected) in callers.iter().flat_map(|caller| requests(caller, round)) {
            let router = router.clone();
            asking.spawn(async move { (answer(&router, request.unwrap()).await, expected) });
        }
        let minute = Duration::from_secs(60);
        while let Some(answered) = timeout(minute, asking.join_next()).await.expect("all are heard")
        {
            let (response, expected) = answered.unwrap();
            assert_eq!(response, expected);
        }
        let heard = |kind: &str, path: &str| {
            let of = |caller: &Caller| {
                let request_id = format!("{}-{kind}-{round}", caller.request_id);
                (path.to_owned(), request_id, caller.subject.clone())
            };
            callers.iter().map(of).collect::<BTreeSet<_>>()
        };
        let mut expected = heard("plain", "/plain");
        if round == 0 {
            expected.extend(heard("graphql", "/account"));
        }
        assert_eq!(account.heard(), Vec::from_iter(expected), "round {round}");
    }
}

#[tokio::test]
async fn callers_who_differ_in_one_claim_only_get_their_own_rows() {
    let doors = Doors::new(|call| async move { signed(&call) });
    let caller = |team: &str, request_id: &str| Caller {
        team: Some(team.to_owned()),
        request_id: request_id.to_owned(),
        ..Caller::new(1)
    };
    let callers = [caller("red", "one"), caller("blue", "other")];
    let (red, blue) = tokio::join!(doors.ask(&callers[0]), doors.ask(&callers[1]));
    assert_eq!((red, blue), (callers[0].expected(), callers[1].expected()));
    doors.assert_each_call_tells_its_own_caller(&callers);
}

#[tokio::test]
async fn a_client_cannot_say_who_it_is_by_a_header() {
    let spoofs: [&[(&str, &str)]; 6] = [
        &[("x-user-id", "user-1")],
        &[("X-User-Id", "user-1"), ("x-user-id", "user-2"), ("x-team", "red")],
        &[("x_user_id", "user-1"), ("X_TEAM", "red"), ("x-user_id", "user-1")],
        &[("x-user-id", "")],
        &[("connection", "x-user-id, x-team, x-request-id, authorization")],
        &[("connection", "close"), ("te", "trailers"), ("trailer", "x-user-id")],
    ];
    let doors = Doors::new(|call| async move { signed(&call) });
    let mut callers = Vec::new();
    for (number, sent) in spoofs.iter().enumerate() {
        for caller in [Caller::new(10), Caller::new(11), Caller::new(12)] {
            let request_id = format!("{number} of {:?}", caller.subject);
            let request_id = request_id.replace(['"', '(', ')', ' '], "-");
            let caller = Caller { request_id, sent: sent.to_vec(), ..caller };
            assert_eq!(doors.ask(&caller).await, caller.expected(), "{sent:?}");
            callers.push(caller);
        }
    }
    doors.assert_each_call_tells_its_own_caller(&callers);
    for call in doors.calls.all() {
        // Templates do not see such a header either.
        assert!(!call.path_and_query.contains("as="), "{}", call.path_and_query);
        let aliases = call.headers.keys().filter(|name| name.as_str().contains('_'));
        assert_eq!(aliases.count(), 0, "{:?}", call.headers);
    }
}
