//! Headers of upstreams' answers that the client is given: which, in which order, and of whose calls.

mod fetch_rig;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor as _;
use axum::Router;
use axum::body::Body;
use fetch_rig::{Answer, Call, Calls, Rig, Texts, ok, project, status};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::engine::Executor;
use onedoor::gateway::Gateway;
use serde_json::{Value, json};
use tokio::sync::Notify;

const GATEWAY: &str = r#"
[cors]
origins = ["https://app.example"]
"#;

const RETURN: &str = r#"
[headers]
return = ["set-cookie", "x-region"]
"#;

const SCHEMA: &str = r#"
type Query {
  session: Session @rest(upstream: "users", path: "/session")
  basket: Session @rest(upstream: "orders", path: "/basket")
  users(ids: [ID!]!): [User]! @ref(key: "args.ids")
  notes(ids: [ID!]!): [Note]! @ref(key: "args.ids")
}
type Mutation {
  signIn: Session @rest(upstream: "users", method: POST, path: "/sign-in")
  choose: Session @rest(upstream: "orders", method: POST, path: "/choose")
  required: Session! @rest(upstream: "orders", method: POST, path: "/required")
}
type Session { name: String  basket: Session @rest(upstream: "orders", path: "/basket") }
type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id", max: 2}) {
  name: String
}
type Note @rest(upstream: "users", path: "/notes/{key}") { name: String }
"#;

type Lines = Vec<(&'static str, String)>;

struct Door {
    gateway: Gateway,
    router: TowerToHyperService<Router>,
    calls: Calls,
}

/// What a client gets.
struct Given {
    status: StatusCode,
    headers: HeaderMap,
    data: Value,
}

impl Given {
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
    }
}

impl Door {
    fn new<F>(answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let project = project(Texts { gateway: GATEWAY, service: RETURN, schema: SCHEMA });
        let Rig { gateway, calls, .. } = Rig::over(project, answering);
        Self { router: TowerToHyperService::new(gateway.router()), gateway, calls }
    }

    /// A gateway whose services answer with these headers, by path.
    fn saying(lines: impl Fn(&Call) -> Lines + Send + Sync + 'static) -> Self {
        Self::new(move |call| {
            let answer = with(ok(content(&call)), lines(&call));
            async move { answer }
        })
    }

    async fn ask(&self, query: &str) -> Given {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("origin", "https://app.example");
        let body = json!({"query": query}).to_string();
        let response = self.router.call(request.body(Body::from(body)).expect("a request"));
        let response = response.await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let mut response: Value = serde_json::from_slice(&body).expect("JSON");
        Given { status: parts.status, headers: parts.headers, data: response["data"].take() }
    }
}

fn content(call: &Call) -> Value {
    let row = |key: String| json!({"id": key, "name": format!("N{key}")});
    match call.path() {
        "/users" => call.values("id").into_iter().map(row).collect(),
        _ => json!({"name": "Ada"}),
    }
}

fn with(answer: Answer, lines: Lines) -> Answer {
    let mut reply = answer?;
    for (name, value) in lines {
        let value = HeaderValue::try_from(value).expect("a header");
        reply.headers.append(HeaderName::from_static(name), value);
    }
    Ok(reply)
}

/// Two cookies named after the path, and one of a name that all share.
fn cookies(call: &Call) -> Lines {
    let path = call.path().trim_start_matches('/');
    vec![("set-cookie", format!("{path}=1; HttpOnly")), ("set-cookie", format!("last={path}"))]
}

fn region(call: &Call) -> Lines {
    vec![("x-region", call.service.clone()), ("x-internal", "10.0.0.1".to_owned())]
}

#[tokio::test]
async fn two_mutations_set_their_cookies_line_by_line_in_the_order_in_which_they_ran() {
    let door = Door::saying(cookies);
    let given =
        door.ask("mutation { choose { name } signIn { name } again: choose { name } }").await;
    let choose = ["choose=1; HttpOnly", "last=choose"];
    let all = [&choose[..], &["sign-in=1; HttpOnly", "last=sign-in"], &choose[..]].concat();
    assert_eq!(
        given.all("set-cookie"),
        all,
        "none is joined, and none left out for being the same"
    );
}

#[tokio::test]
async fn a_mutation_that_fails_later_has_set_its_cookies_all_the_same() {
    let door = Door::new(|call| async move {
        let failed = call.path() == "/required";
        let answer = if failed { status(500, json!({})) } else { ok(content(&call)) };
        with(answer, cookies(&call))
    });
    let given = door.ask("mutation { signIn { name } required { name } choose { name } }").await;
    assert_eq!(given.data, Value::Null);
    let expected = ["sign-in=1; HttpOnly", "last=sign-in", "required=1; HttpOnly", "last=required"];
    assert_eq!(given.all("set-cookie"), expected, "`choose` never ran");
}

#[tokio::test]
async fn a_query_sets_cookies_only_if_it_is_one_request() {
    let door = Door::saying(cookies);
    let one = door.ask("{ session { name } }").await;
    assert_eq!(one.all("set-cookie"), ["session=1; HttpOnly", "last=session"]);
    assert_eq!(door.ask("{ users(ids: [1, 2]) { name } }").await.all("set-cookie").len(), 2);
    for several in [
        "{ session { name } basket { name } }",
        "{ session { basket { name } } }",
        // Several requests of one fetch.
        "{ users(ids: [1, 2, 3]) { name } }",
        "{ notes(ids: [1, 2]) { name } }",
        // The same request, asked for twice: one call, but not by the plan.
        "{ a: session { name } b: session { name } }",
    ] {
        assert_eq!(door.ask(several).await.all("set-cookie"), [""; 0], "{several}");
    }
}

#[tokio::test]
async fn no_cookie_comes_of_a_plan_of_two_of_which_one_had_nothing_to_ask() {
    let door = Door::new(|call| async move {
        with(
            ok(if call.path() == "/session" { Value::Null } else { content(&call) }),
            cookies(&call),
        )
    });
    let given = door.ask("{ session { basket { name } } }").await;
    assert_eq!(door.calls.count(), 1);
    assert_eq!(given.all("set-cookie"), [""; 0], "what a query may do is known from its text");
}

/// Two services, of which the one asked first answers last.
#[tokio::test(start_paused = true)]
async fn headers_stand_in_the_order_of_the_plan_whichever_answer_came_first() {
    let basket_is_there = Arc::new(Notify::new());
    let door = Door::new(move |call| {
        let there = Arc::clone(&basket_is_there);
        async move {
            match call.path() {
                "/session" => there.notified().await,
                _ => there.notify_one(),
            }
            with(ok(content(&call)), region(&call))
        }
    });
    let given = door.ask("{ session { name } basket { name } }").await;
    assert_eq!(given.all("x-region"), ["users", "orders"]);
    let given = door.ask("{ basket { name } session { name } }").await;
    assert_eq!(given.all("x-region"), ["orders", "users"]);
}

#[tokio::test]
async fn lines_that_are_the_same_are_one_and_what_is_not_listed_never_comes() {
    let door = Door::saying(region);
    let given = door.ask("{ users(ids: [1, 2, 3, 4, 5]) { name } basket { name } }").await;
    assert_eq!(door.calls.count(), 4);
    assert_eq!(given.all("x-region"), ["users", "orders"]);
    assert_eq!(given.all("x-internal"), [""; 0]);
}

#[tokio::test]
async fn a_kept_answer_gives_none_and_one_that_sets_a_cookie_is_not_kept() {
    let fresh = ("cache-control", "public, max-age=60".to_owned());
    let door = Door::saying(move |call| [region(call), vec![fresh.clone()]].concat());
    assert_eq!(door.ask("{ session { name } }").await.all("x-region"), ["users"]);
    let kept = door.ask("{ session { name } }").await;
    assert_eq!((door.calls.count(), kept.all("x-region")), (1, vec![]));
    assert_eq!(kept.headers["cache-control"], "no-store");

    let fresh = ("cache-control", "public, max-age=60".to_owned());
    let door = Door::saying(move |call| [cookies(call), vec![fresh.clone()]].concat());
    for calls in 1..3 {
        let given = door.ask("{ session { name } }").await;
        assert_eq!((door.calls.count(), given.all("set-cookie").len()), (calls, 2));
    }
}

/// A service that answers when it is told to.
fn held(lines: impl Fn(&Call) -> Lines + Send + Sync + 'static) -> (Arc<Door>, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let waiting = Arc::clone(&go);
    let door = Door::new(move |call| {
        let waiting = Arc::clone(&waiting);
        let lines = lines(&call);
        async move {
            waiting.notified().await;
            with(ok(content(&call)), lines)
        }
    });
    (Arc::new(door), go)
}

fn asking(door: &Arc<Door>) -> tokio::task::JoinHandle<Given> {
    let door = Arc::clone(door);
    tokio::spawn(async move { door.ask("{ session { name } }").await })
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_requests_call_gives_nothing_to_whoever_waits_for_it() {
    let (door, go) = held(region);
    let leader = asking(&door);
    door.calls.arrived(1).await;
    let follower = asking(&door);
    settle().await;
    go.notify_waiters();
    let (leader, follower) = (leader.await.unwrap(), follower.await.unwrap());
    assert_eq!(door.calls.count(), 1);
    assert_eq!(follower.data, leader.data);
    assert_eq!(leader.all("x-region"), ["users"]);
    assert_eq!(follower.all("x-region"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nor_does_it_if_the_one_who_made_the_call_has_left() {
    let (door, go) = held(region);
    let leader = asking(&door);
    door.calls.arrived(1).await;
    let follower = asking(&door);
    settle().await;
    leader.abort();
    assert!(leader.await.is_err());
    go.notify_waiters();
    let follower = follower.await.unwrap();
    assert_eq!((door.calls.count(), follower.all("x-region")), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn two_who_ask_at_once_are_given_a_cookie_of_their_own_each() {
    let (door, go) = held(|call| {
        // The request that made the call is told by its id.
        vec![("set-cookie", format!("session={}", call.header("x-request-id").unwrap()))]
    });
    let one = asking(&door);
    door.calls.arrived(1).await;
    let two = asking(&door);
    settle().await;
    go.notify_waiters();
    door.calls.arrived(2).await;
    settle().await;
    go.notify_waiters();
    for given in [one.await.unwrap(), two.await.unwrap()] {
        let own = given.headers["x-request-id"].to_str().unwrap();
        assert_eq!(given.all("set-cookie"), [format!("session={own}")]);
    }
}

#[tokio::test]
async fn what_pages_may_read_and_the_gateways_own_headers_are_as_ever() {
    let door = Door::saying(|call| {
        let own = |name: &'static str| (name, "upstream".to_owned());
        let mut lines = region(call);
        lines.extend(["access-control-expose-headers", "x-request-id", "date"].map(own));
        lines.push(("cache-control", "max-age=60".to_owned()));
        lines
    });
    let given = door.ask("{ session { name } }").await;
    assert_eq!(given.status, StatusCode::OK);
    for (name, expected) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-expose-headers", "x-request-id"),
        ("cache-control", "no-store"),
        ("content-type", "application/json; charset=utf-8"),
        ("vary", "Accept, Accept-Encoding, Origin"),
        ("x-content-type-options", "nosniff"),
        ("x-region", "users"),
    ] {
        assert_eq!(given.all(name), [expected], "{name}");
    }
    assert_ne!(given.all("x-request-id"), ["upstream"]);
}

#[tokio::test]
async fn a_service_cannot_give_more_than_clients_take() {
    // Whole lines that still fit are given, whatever came before them.
    let door = Door::saying(|_| {
        let long = ("x-region", "x".repeat(100_000));
        vec![long, ("x-region", "eu".to_owned()), ("x-region", "y".repeat(7_000))]
    });
    assert_eq!(door.ask("{ session { name } }").await.all("x-region"), ["eu"]);
    let many =
        Door::saying(|_| (0..1_000).map(|number| ("set-cookie", format!("c{number}=1"))).collect());
    let given = many.ask("mutation { signIn { name } choose { name } }").await;
    let expected: Vec<_> = (0..64).map(|number| format!("c{number}=1")).collect();
    assert_eq!(given.all("set-cookie"), expected);
    let large = Door::saying(|_| (0..50).map(|_| ("set-cookie", "z".repeat(500))).collect());
    let given = large.ask("mutation { signIn { name } }").await;
    let bytes: usize = given.all("set-cookie").iter().map(|line| line.len() + 10).sum();
    assert!((5_500..=6 * 1024).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn embedders_are_given_them_with_the_response() {
    let door = Door::saying(cookies);
    let executor = Executor::new(Arc::clone(&door.gateway.engine));
    let request = async_graphql::Request::new("mutation { signIn { name } }");
    let answered = tokio::time::timeout(Duration::from_secs(60), executor.execute(request)).await;
    let headers = answered.unwrap().http_headers;
    let lines: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(lines, ["sign-in=1; HttpOnly", "last=sign-in"]);
}
