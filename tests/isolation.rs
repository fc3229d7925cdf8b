//! Nobody gets another's rows. Two hundred callers ask the same at the same moment, of a gateway
//! that has planned it before, and each service answers with what it was told of the caller.
//!
//! What this proves: calls and batches are made with the headers of the request they belong to, and
//! their answers go to that request. Loaders and calls live for one step of one request, so no two
//! callers ever meet in one; that the caller is also part of their keys is a second lock, which no
//! request can try while the first one holds. (Tried by hand: with calls kept for the whole process,
//! callers who differ in one claim still get their own rows, and no longer do once the caller is
//! taken out of the keys as well.)

mod fetch_rig;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use fetch_rig::{Answer, Call, Calls, Rig, Texts, ok, project};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::JwtIssuer;
use onedoor::identity::mint;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

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
  me: User @ref(key: "claims.sub")
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

struct Doors {
    router: TowerToHyperService<Router>,
    issuer: JwtIssuer,
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

impl Doors {
    fn new<F>(answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let project = project(Texts { gateway: GATEWAY, service: SERVICE, schema: SCHEMA });
        let issuer = project.config.auth.jwt[0].clone();
        let Rig { gateway, calls, .. } = Rig::over(project, answering);
        Self { router: TowerToHyperService::new(gateway.router()), issuer, calls }
    }

    /// Sends the one query as this caller.
    async fn ask(&self, caller: &Caller) -> Value {
        let mut request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("x-request-id", &caller.request_id);
        if let Some(subject) = &caller.subject {
            let claims = json!({"sub": subject, "team": caller.team});
            let Value::Object(claims) = claims else { unreachable!("an object") };
            let token = mint(&self.issuer, claims, Duration::from_secs(600)).unwrap();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &caller.sent {
            request = request.header(*name, *value);
        }
        let body = json!({"query": QUERY, "variables": {"ids": [1, 2, 3]}}).to_string();
        let response = self.router.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    /// Holds every call that was made against the caller whose request it belongs to.
    fn assert_each_call_tells_its_own_caller(&self, callers: &[Caller]) {
        let callers: HashMap<_, _> =
            callers.iter().map(|caller| (caller.request_id.as_str(), caller)).collect();
        let mut calls_of: HashMap<String, usize> = HashMap::new();
        for call in self.calls.all() {
            let request_id = call.header("x-request-id").expect("every call has the request's id");
            let caller = callers[request_id];
            assert_eq!(call.header("x-user-id"), caller.subject.as_deref(), "{call:?}");
            assert_eq!(call.header("x-team"), caller.team.as_deref(), "{call:?}");
            assert_eq!(call.header("authorization"), None);
            *calls_of.entry(request_id.to_owned()).or_default() += 1;
        }
        for caller in callers.keys() {
            // The account, the search, two requests for three users, and one for their orders.
            assert_eq!(calls_of.get(*caller), Some(&5), "{caller}");
        }
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
    let mut asking = JoinSet::new();
    for caller in callers[1..].iter().cloned() {
        let doors = Arc::clone(&doors);
        asking.spawn(async move { (doors.ask(&caller).await, caller) });
    }
    while let Some(answered) = asking.join_next().await {
        let (response, caller) = answered.unwrap();
        assert_eq!(response, caller.expected(), "{}", caller.request_id);
    }
    doors.assert_each_call_tells_its_own_caller(&callers);
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
