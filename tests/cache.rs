//! What is kept of upstreams' answers: for how long, for whom, and what is asked again all the same.

mod fetch_rig;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use fetch_rig::{Answer, Call, Calls, Rig, Texts, ok, project, status};
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::cache::{Clock, Fate, NotKept, Tally};
use onedoor::config::JwtIssuer;
use onedoor::engine::Context;
use onedoor::gateway::Gateway;
use onedoor::identity::mint;
use serde_json::{Value, json};
use tokio::sync::Notify;

const GATEWAY: &str = r#"
[[auth.jwt]]
secret = "one secret of thirty-two bytes or more"
"#;

/// The users' service is told who asks, the others are not.
const SCHEMA: &str = r#"
type Query {
  account: Account @rest(upstream: "users", path: "/account")
  mine: Account @rest(upstream: "orders", path: "/accounts/{claims.sub}")
  rates(currency: String = "EUR"): Rates
    @rest(upstream: "orders", path: "/rates?in={args.currency}")
  search(text: String!): Rates
    @rest(upstream: "orders", method: POST, path: "/search", body: """{"text": "{args.text}"}""")
  users(ids: [ID!]!): [User]! @ref(key: "args.ids")
  me: User @ref(key: "claims.sub")
}
type Mutation {
  rename: Rates @rest(upstream: "orders", method: POST, path: "/rename", body: "{}")
  reread: Rates @rest(upstream: "orders", path: "/rates?in=EUR")
}
type Account { owner: String }
type Rates { euro: Int }
type User @rest(upstream: "payments", path: "/users?id={keys}", batch: {by: "id"}) {
  id: ID!
  name: String
  likes: [Like!]!
    @rest(upstream: "payments", path: "/likes?userId={keys}", batch: {key: "this.id", by: "userId"})
}
type Like { of: String }
"#;

const IDENTITY: &str = r#"
[identity]
headers = { x-user-id = "{claims.sub}" }
[headers]
forward = ["accept-language"]
"#;

struct Door {
    gateway: Gateway,
    router: TowerToHyperService<Router>,
    issuer: JwtIssuer,
    calls: Calls,
    clock: Clock,
}

impl Door {
    fn new<F>(service: &str, answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let project = project(Texts { gateway: GATEWAY, service, schema: SCHEMA });
        let issuer = project.config.auth.jwt[0].clone();
        let Rig { gateway, calls, clock } = Rig::over(project, answering);
        let router = TowerToHyperService::new(gateway.router());
        Self { gateway, router, issuer, calls, clock }
    }

    /// A gateway whose services answer what `content` says, with these headers on each answer.
    fn saying(service: &str, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self::new(service, move |call| async move { with(content(&call), headers) })
    }

    async fn ask(&self, subject: Option<&str>, query: &str) -> Value {
        self.ask_with(subject, query, &[]).await
    }

    async fn ask_with(
        &self,
        subject: Option<&str>,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Value {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(subject) = subject {
            let Value::Object(claims) = json!({"sub": subject}) else { unreachable!("an object") };
            let token = mint(&self.issuer, claims, Duration::from_secs(600)).unwrap();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({"query": query}).to_string();
        let response = self.router.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let mut response: Value = serde_json::from_slice(&body).unwrap();
        response["data"].take()
    }

    /// What became of answers, in numbers.
    fn answers(&self) -> &Tally {
        self.gateway.engine.answers()
    }

    /// How many calls have been made since this was last asked.
    fn calls(&self) -> usize {
        let count = self.calls.count();
        self.calls.forget();
        count
    }
}

/// What each service says to whoever asks.
fn content(call: &Call) -> Value {
    let row =
        |key: String| json!({"id": key, "userId": key, "name": format!("N{key}"), "of": "tea"});
    match call.path() {
        "/users" => call.values("id").into_iter().map(row).collect(),
        "/likes" => call.values("userId").into_iter().map(row).collect(),
        "/account" => json!({"owner": call.header("x-user-id")}),
        path if path.starts_with("/accounts/") => json!({"owner": path[10..]}),
        _ => json!({"euro": 3}),
    }
}

fn with(body: Value, headers: &[(&'static str, &'static str)]) -> Answer {
    let mut reply = ok(body)?;
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        reply.headers.append(HeaderName::from_static(name), value);
    }
    Ok(reply)
}

const RATES: &str = "{ rates { euro } }";
const ACCOUNT: &str = "{ account { owner } }";

#[tokio::test]
async fn an_answer_is_given_again_until_it_is_stale() {
    let door = Door::saying("", &[("cache-control", "max-age=60")]);
    for _ in 0..3 {
        assert_eq!(door.ask(None, RATES).await, json!({"rates": {"euro": 3}}));
    }
    assert_eq!(door.calls(), 1);
    door.ask(None, r#"{ rates(currency: "USD") { euro } }"#).await;
    assert_eq!(door.calls(), 1, "another URL");
    door.clock.advance(Duration::from_secs(59));
    door.ask(None, RATES).await;
    assert_eq!(door.calls(), 0);
    door.clock.advance(Duration::from_secs(1));
    door.ask(None, RATES).await;
    assert_eq!(door.calls(), 1);
}

/// Who sees whose answer: of each kind of answer, to a request that tells the service who asks and to
/// one that does not.
#[tokio::test]
async fn who_may_share_an_answer_is_for_the_upstream_to_say() {
    #[derive(Debug, PartialEq)]
    enum Given {
        /// Everybody is given it.
        All,
        /// Only whoever asked.
        One,
        /// It is asked for each time.
        Nobody,
    }
    use Given::{All, Nobody, One};
    type Lines = &'static [(&'static str, &'static str)];
    let table: [(Lines, Given, Given); 15] = [
        // What it says; where the service is told who asks; where it is not.
        (&[("cache-control", "max-age=60")], One, All),
        (&[("cache-control", "public, max-age=60")], All, All),
        (&[("cache-control", "s-maxage=60")], All, All),
        (&[("cache-control", "must-revalidate, max-age=60")], All, All),
        (&[("cache-control", "private, max-age=60")], One, One),
        (&[("cache-control", "private, public, s-maxage=60")], One, One),
        (&[("expires", "Thu, 01 Jan 1970 00:01:00 GMT")], One, All),
        (&[("cache-control", "public, max-age=60"), ("vary", "x-user-id")], One, All),
        (&[("cache-control", "public, max-age=60"), ("vary", "accept-language")], All, All),
        (&[("cache-control", "public, max-age=60"), ("vary", "*")], Nobody, Nobody),
        (&[("cache-control", "public, max-age=60"), ("vary", "traceparent")], Nobody, Nobody),
        (&[("cache-control", "public, max-age=60"), ("set-cookie", "a=b")], Nobody, Nobody),
        (&[("cache-control", "no-store, max-age=60")], Nobody, Nobody),
        (&[("cache-control", "no-cache, max-age=60")], Nobody, Nobody),
        (&[], Nobody, Nobody),
    ];
    for (lines, told, untold) in table {
        for (service, query, expected) in [(IDENTITY, ACCOUNT, told), ("", RATES, untold)] {
            let door = Door::saying(service, lines);
            door.ask(Some("ada"), query).await;
            door.calls();
            let other = door.ask(Some("bob"), query).await;
            let other_was_asked = door.calls() == 1;
            door.ask(Some("ada"), query).await;
            let asked_again = door.calls() == 1;
            let shared = match (other_was_asked, asked_again) {
                (false, false) => All,
                (true, false) => One,
                (true, true) => Nobody,
                (false, true) => panic!("{lines:?}: given to the other and not to the one"),
            };
            assert_eq!(shared, expected, "{lines:?} {query}");
            if query == ACCOUNT && shared != All {
                assert_eq!(other, json!({"account": {"owner": "bob"}}), "{lines:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_request_holds_of_the_caller_makes_its_answer_the_callers_own() {
    let door = Door::saying("", &[("cache-control", "max-age=60")]);
    let mine = "{ mine { owner } }";
    assert_eq!(door.ask(Some("ada"), mine).await, json!({"mine": {"owner": "ada"}}));
    assert_eq!(door.ask(Some("bob"), mine).await, json!({"mine": {"owner": "bob"}}));
    assert_eq!(door.ask(Some("ada"), mine).await, json!({"mine": {"owner": "ada"}}));
    assert_eq!(door.calls(), 2);
    // A key that came from a claim does so too, though another caller may name it.
    door.ask(Some("7"), "{ me { name } }").await;
    door.ask(Some("bob"), "{ users(ids: [7]) { name } }").await;
    assert_eq!(door.calls(), 2);
}

#[tokio::test]
async fn what_nobody_in_particular_was_told_is_not_given_to_somebody() {
    let door = Door::saying(IDENTITY, &[("cache-control", "max-age=60")]);
    assert_eq!(door.ask(None, ACCOUNT).await, json!({"account": {"owner": null}}));
    assert_eq!(door.ask(Some("ada"), ACCOUNT).await, json!({"account": {"owner": "ada"}}));
    assert_eq!(door.ask(None, ACCOUNT).await, json!({"account": {"owner": null}}));
    assert_eq!(door.calls(), 2);
}

#[tokio::test]
async fn a_header_that_is_forwarded_is_part_of_the_question() {
    let door = Door::saying(IDENTITY, &[("cache-control", "public, max-age=60")]);
    for language in ["de", "fr", "de", "fr"] {
        door.ask_with(None, RATES, &[("accept-language", language)]).await;
    }
    door.ask_with(None, RATES, &[("x-forwarded-host", "evil.example"), ("cookie", "a=b")]).await;
    door.ask(None, RATES).await;
    assert_eq!(door.calls(), 3, "two languages, and none");
}

#[tokio::test]
async fn rows_are_kept_by_key_and_only_the_others_are_asked_for() {
    let door = Door::saying("", &[("cache-control", "max-age=60")]);
    let likes = |ids: &str| format!("{{ users(ids: [{ids}]) {{ name likes {{ of }} }} }}");
    let user = |name: &str| json!({"name": name, "likes": [{"of": "tea"}]});
    door.ask(None, &likes("1, 2")).await;
    door.calls.forget();
    let one = door.ask(None, &likes("1")).await;
    assert_eq!(one, json!({"users": [user("N1")]}));
    assert_eq!(door.calls(), 0);
    let three = door.ask(None, &likes("3, 2, 1")).await;
    assert_eq!(three, json!({"users": [user("N3"), user("N2"), user("N1")]}));
    let asked = door.calls.to("payments");
    assert_eq!(asked, ["GET /users?id=3", "GET /likes?userId=3"]);
    door.calls.forget();
    door.clock.advance(Duration::from_secs(60));
    door.ask(None, &likes("1, 2")).await;
    let asked = door.calls.to("payments");
    assert_eq!(asked, ["GET /users?id=1&id=2", "GET /likes?userId=1&userId=2"]);
}

#[tokio::test]
async fn that_there_is_no_row_is_kept_too() {
    let door = Door::new("", |_| async {
        with(json!([{"id": 1, "name": "Ada"}]), &[("cache-control", "max-age=60")])
    });
    for _ in 0..2 {
        let users = door.ask(None, "{ users(ids: [1, 9]) { name } }").await;
        assert_eq!(users, json!({"users": [{"name": "Ada"}, null]}));
    }
    assert_eq!(door.calls(), 1);
}

#[tokio::test]
async fn rows_are_their_callers_own_unless_the_answer_says_otherwise() {
    for (lines, calls_of_the_other) in [("max-age=60", 1), ("public, max-age=60", 0)] {
        let door = Door::new(IDENTITY, move |call| async move {
            let owner = call.header("x-user-id").map(str::to_owned);
            let rows = json!([{"id": 1, "name": owner}]);
            let mut reply = ok(rows)?;
            reply.headers.insert("cache-control", HeaderValue::from_static(lines));
            Ok(reply)
        });
        let users = "{ users(ids: [1]) { name } }";
        door.ask(Some("ada"), users).await;
        door.calls();
        door.ask(Some("bob"), users).await;
        assert_eq!(door.calls(), calls_of_the_other, "{lines}");
        door.ask(Some("ada"), users).await;
        assert_eq!(door.calls(), 0, "{lines}");
    }
}

#[tokio::test]
async fn what_has_failed_is_not_kept() {
    let answers: [fn() -> Answer; 4] = [
        || status(500, json!({"euro": 3})),
        || status(429, json!({})),
        || ok("no JSON"),
        || ok(json!([1, 2, 3])),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let door = Door::new("", move |_| async move {
            let mut reply = answer()?;
            reply.headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
            Ok(reply)
        });
        door.ask(None, RATES).await;
        door.ask(None, RATES).await;
        // JSON of the wrong kind is an answer: that it does not fit is the schema's to say.
        assert_eq!(door.calls(), if number == 3 { 1 } else { 2 }, "{number}");
    }
}

#[tokio::test]
async fn writes_and_what_follows_them_are_never_answered_from_what_is_kept() {
    let door = Door::saying("", &[("cache-control", "max-age=60")]);
    door.ask(None, RATES).await;
    door.calls();
    let written = door.ask(None, "mutation { rename { euro } reread { euro } }").await;
    assert_eq!(written, json!({"rename": {"euro": 3}, "reread": {"euro": 3}}));
    assert_eq!(door.calls(), 2);
    let search = r#"{ search(text: "tea") { euro } }"#;
    door.ask(None, search).await;
    door.ask(None, search).await;
    let methods: Vec<Method> = door.calls.all().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, [Method::POST, Method::POST], "a POST is asked each time");
}

#[tokio::test]
async fn a_cache_without_size_keeps_nothing() {
    let gateway = &format!("{GATEWAY}\n[cache]\nsize = \"0B\"");
    let project = project(Texts { gateway, service: "", schema: SCHEMA });
    let rig = Rig::over(project, |call| async move {
        with(content(&call), &[("cache-control", "max-age=60")])
    });
    rig.data(RATES).await;
    rig.data(RATES).await;
    assert_eq!(rig.calls.count(), 2);
}

/// A service that answers when it is told to, and what it then says.
fn held(lines: &'static [(&'static str, &'static str)]) -> (Arc<Door>, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let waiting = Arc::clone(&go);
    let door = Door::new(IDENTITY, move |call| {
        let waiting = Arc::clone(&waiting);
        async move {
            waiting.notified().await;
            with(content(&call), lines)
        }
    });
    (Arc::new(door), go)
}

fn asking(door: &Arc<Door>, subject: &'static str) -> tokio::task::JoinHandle<Value> {
    let door = Arc::clone(door);
    tokio::spawn(async move { door.ask(Some(subject), ACCOUNT).await })
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_question_of_the_same_caller_is_asked_once_while_it_is_under_way() {
    let (door, go) = held(&[]);
    let (one, two, other) = (asking(&door, "ada"), asking(&door, "ada"), asking(&door, "bob"));
    door.calls.arrived(2).await;
    settle().await;
    assert_eq!(door.calls.count(), 2, "one for Ada, one for Bob");
    go.notify_waiters();
    let ada = json!({"account": {"owner": "ada"}});
    assert_eq!((one.await.unwrap(), two.await.unwrap()), (ada.clone(), ada));
    assert_eq!(other.await.unwrap(), json!({"account": {"owner": "bob"}}));
    assert_eq!(door.calls.count(), 2);
    // Nothing was kept: the next one asks for itself.
    let again = asking(&door, "ada");
    door.calls.arrived(3).await;
    settle().await;
    go.notify_waiters();
    again.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_loss_of_the_one_who_asked_first_is_not_the_others_loss() {
    let (door, go) = held(&[]);
    let first = asking(&door, "ada");
    door.calls.arrived(1).await;
    let second = asking(&door, "ada");
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!(door.calls.abandoned(), [""; 0], "the call goes on");
    go.notify_waiters();
    assert_eq!(second.await.unwrap(), json!({"account": {"owner": "ada"}}));
    assert_eq!(door.calls.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_one_request_only_is_asked_for_again() {
    for lines in [[("cache-control", "no-store")], [("set-cookie", "a=b")], [("vary", "*")]] {
        let lines: &'static [_] = Box::leak(Box::new(lines));
        let (door, go) = held(lines);
        let (one, two) = (asking(&door, "ada"), asking(&door, "ada"));
        door.calls.arrived(1).await;
        settle().await;
        assert_eq!(door.calls.count(), 1, "it may turn out to be for both");
        go.notify_waiters();
        door.calls.arrived(2).await;
        settle().await;
        go.notify_waiters();
        one.await.unwrap();
        two.await.unwrap();
        assert_eq!(door.calls.count(), 2, "{lines:?}");
    }
}

/// What the access line says of the calls of one request, without their times.
async fn line(rig: &Rig, query: &str) -> String {
    let context = Context::anonymous(rig.engine().deadline());
    rig.text_in(query, json!({}), &context).await;
    let calls = context.calls.to_string();
    let call = |call: &str| {
        let mut parts = call.split('/');
        let (outcome, _time) = (parts.next().unwrap_or_default(), parts.next());
        parts.next().map_or(outcome.to_owned(), |reason| format!("{outcome} {reason}"))
    };
    calls.split(' ').map(call).collect::<Vec<_>>().join(", ")
}

fn counted(rig: &Rig) -> Vec<(String, u64)> {
    let counts = Fate::all().map(|fate| (fate.to_string(), rig.engine().answers().of(fate)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn the_access_line_says_why_an_answer_is_not_kept_and_each_reason_is_counted() {
    type Lines = &'static [(&'static str, &'static str)];
    let mutation = "mutation { rename { euro } }";
    let table: [(&str, u16, Lines, &str, NotKept); 10] = [
        (RATES, 200, &[], "", NotKept::NoLifetime),
        (RATES, 200, &[("cache-control", "no-store")], "", NotKept::NoStore),
        (RATES, 200, &[("cache-control", "no-cache")], "", NotKept::NoCache),
        (RATES, 200, &[("set-cookie", "a=b")], "", NotKept::SetsCookie),
        (RATES, 200, &[("vary", "*")], "", NotKept::Varies),
        (RATES, 200, &[("cache-control", "max-age=0")], "", NotKept::Stale),
        (RATES, 503, &[("cache-control", "max-age=60")], "", NotKept::Status),
        (RATES, 200, &[("cache-control", "max-age=60")], "no JSON", NotKept::Failed),
        (RATES, 200, &[("cache-control", "max-age=60")], "off", NotKept::Off),
        (mutation, 200, &[("cache-control", "max-age=60")], "", NotKept::Method),
    ];
    for (query, code, lines, how, reason) in table {
        let size = if how == "off" { "0B" } else { "1MiB" };
        let gateway = &format!("{GATEWAY}\n[cache]\nsize = \"{size}\"");
        let project = project(Texts { gateway, service: "", schema: SCHEMA });
        let rig = Rig::over(project, move |_| async move {
            let body = if how == "no JSON" { how } else { "{\"euro\": 3}" };
            let mut reply = status(code, body)?;
            for (name, value) in lines {
                let value = HeaderValue::from_static(value);
                reply.headers.append(HeaderName::from_static(name), value);
            }
            Ok(reply)
        });
        for _ in 0..2 {
            assert_eq!(line(&rig, query).await, format!("orders={code} {reason}"));
        }
        assert_eq!(counted(&rig), [(reason.to_string(), 2)]);
    }
}

#[tokio::test]
async fn the_access_line_says_what_was_kept_too() {
    let project = project(Texts { gateway: GATEWAY, service: "", schema: SCHEMA });
    let rig = Rig::over(project, |call| async move {
        with(content(&call), &[("cache-control", "max-age=60")])
    });
    assert_eq!(line(&rig, RATES).await, "orders=200");
    assert_eq!(line(&rig, RATES).await, "orders=kept");
    assert_eq!(line(&rig, "{ users(ids: [1, 2]) { name } }").await, "payments=200");
    assert_eq!(line(&rig, "{ users(ids: [2, 1]) { name } }").await, "payments=kept");
    assert_eq!(line(&rig, "{ users(ids: [2, 3]) { name } }").await, "payments=kept, payments=200");
    let expected = [("given", 3), ("kept", 3)];
    assert_eq!(counted(&rig), expected.map(|(fate, count)| (fate.to_owned(), count)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_waited_for_is_counted_apart() {
    let (door, go) = held(&[("cache-control", "max-age=60")]);
    let (one, two) = (asking(&door, "ada"), asking(&door, "ada"));
    door.calls.arrived(1).await;
    settle().await;
    go.notify_waiters();
    one.await.unwrap();
    two.await.unwrap();
    let answers = door.answers();
    assert_eq!((answers.of(Fate::Coalesced), answers.of(Fate::Kept)), (1, 1));
}
