//! The caller's own token, for services whose settings ask for it: it arrives there and nowhere
//! else, and no answer that was given to one token is given to another.

mod fetch_rig;
mod route_rig;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use fetch_rig::{Answer, Call, Calls, HOST, Rig, SERVICES, ok};
use http::header::HeaderValue;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::config::{FixedEnv, JwtIssuer};
use onedoor::gateway::Project;
use onedoor::identity::mint;
use route_rig::{Served, Upstream};
use serde_json::{Value, json};
use tokio::sync::Notify;

const GATEWAY: &str = r#"
[[auth.jwt]]
secret = "one secret of thirty-two bytes or more"
"#;

const FORWARD: &str = "[identity]\ntoken = \"forward\"\n";

const SCHEMA: &str = r#"
type Query {
  account: Account @rest(upstream: "users", path: "/account")
  keyed: Account
    @rest(upstream: "users", path: "/keyed", headers: [{name: "authorization", value: "Basic abc"}])
  users(ids: [ID!]!): [Account]! @ref(key: "args.ids")
  rates: Account @rest(upstream: "orders", path: "/rates")
  machine: Account
    @rest(upstream: "orders", path: "/rates", headers: [{name: "authorization", value: "Basic abc"}])
}
type Mutation { rename: Account @rest(upstream: "users", method: POST, path: "/rename") }
type Account @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id"}) { seen: String }
"#;

struct Door {
    router: TowerToHyperService<Router>,
    issuer: JwtIssuer,
    calls: Calls,
}

impl Door {
    /// A gateway of which the first service, `users`, is sent tokens if these settings say so.
    fn new<F>(users: &str, answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut settings = vec![("onedoor.toml".to_owned(), GATEWAY.to_owned())];
        settings.extend(SERVICES.map(|name| {
            let more = if name == "users" { users } else { "" };
            (format!("upstreams/{name}.toml"), format!("url = \"http://{HOST}\"\n{more}"))
        }));
        let schema = [("schema.graphql".to_owned(), SCHEMA.to_owned())];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let issuer = project.config.auth.jwt[0].clone();
        let Rig { gateway, calls, .. } = Rig::over(project, answering);
        Self { router: TowerToHyperService::new(gateway.router()), issuer, calls }
    }

    /// One whose services say which credential they were sent, with this `Cache-Control`.
    fn telling(users: &str, control: &'static str) -> Self {
        Self::new(users, move |call| async move { told(&call, &[("cache-control", control)]) })
    }

    /// A token of Ada's; the id tells one from another, and no template reads it.
    fn token(&self, id: &str) -> String {
        let Value::Object(claims) = json!({"sub": "ada", "jti": id}) else { unreachable!() };
        mint(&self.issuer, claims, Duration::from_secs(600)).expect("signed")
    }

    async fn ask(&self, authorization: Option<&str>, query: &str) -> (StatusCode, Value) {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let body = json!({"query": query}).to_string();
        let response = self.router.call(request.body(Body::from(body)).expect("a request"));
        let response = response.await.expect("the router never fails");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let mut response: Value = serde_json::from_slice(&body).expect("JSON");
        (status, response["data"].take())
    }

    /// What services were sent since this was last asked: path and credential, sorted.
    fn sent(&self) -> Vec<(String, Option<String>)> {
        let credential = |call: &Call| call.header("authorization").map(str::to_owned);
        let calls = self.calls.all();
        self.calls.forget();
        let mut sent: Vec<_> =
            calls.iter().map(|call| (call.path().to_owned(), credential(call))).collect();
        sent.sort();
        sent
    }
}

/// The credential that a service was sent.
fn told(call: &Call, lines: &[(&'static str, &'static str)]) -> Answer {
    let seen = json!({"seen": call.header("authorization"), "id": "1"});
    let mut reply = ok(if call.path() == "/users" { json!([seen]) } else { seen })?;
    for (name, value) in lines {
        reply.headers.append(*name, HeaderValue::from_static(value));
    }
    Ok(reply)
}

const ACCOUNT: &str = "{ account { seen } }";

#[tokio::test]
async fn the_token_arrives_at_the_service_that_asks_for_it_and_at_no_other() {
    let door = Door::telling(FORWARD, "no-store");
    let bearer = format!("Bearer {}", door.token("1"));
    let query = "{ account { seen } keyed { seen } users(ids: [1]) { seen } rates { seen } machine { seen } }";
    // The scheme's case is the client's to choose, and the gateway's to mend.
    for sent in [&bearer, &bearer.replace("Bearer", "bEARER"), &bearer.replace(' ', "  ")] {
        let (status, data) = door.ask(Some(sent), query).await;
        assert_eq!((status, &data["account"]["seen"]), (StatusCode::OK, &json!(bearer)));
        let token = || Some(bearer.clone());
        let expected = [
            ("/account", token()),
            ("/keyed", token()),
            ("/rates", None),
            ("/rates", Some("Basic abc".to_owned())),
            ("/users", token()),
        ];
        assert_eq!(door.sent(), expected.map(|(path, sent)| (path.to_owned(), sent)));
    }
    let (_, data) = door.ask(Some(&bearer), "mutation { rename { seen } }").await;
    assert_eq!(data, json!({"rename": {"seen": bearer}}));
}

#[tokio::test]
async fn whoever_sent_no_token_has_none_and_a_bad_one_goes_nowhere() {
    let door = Door::telling(FORWARD, "no-store");
    let (_, data) = door.ask(None, "{ account { seen } keyed { seen } }").await;
    // A credential of the schema's own does not stand in for the caller's.
    assert_eq!(data, json!({"account": {"seen": null}, "keyed": {"seen": null}}));
    door.sent();
    let token = door.token("1");
    let forged = format!("{}x", &token[..token.len() - 1]);
    for bad in [format!("Bearer {forged}"), format!("Basic {token}"), token, "Bearer".to_owned()] {
        let (status, _) = door.ask(Some(&bad), ACCOUNT).await;
        assert_eq!((status, door.sent()), (StatusCode::UNAUTHORIZED, vec![]), "{bad}");
    }
}

#[tokio::test]
async fn no_service_is_sent_it_unless_its_settings_say_so() {
    for settings in ["", "[identity]\ntoken = \"none\"\n"] {
        let door = Door::telling(settings, "no-store");
        door.ask(Some(&format!("Bearer {}", door.token("1"))), ACCOUNT).await;
        assert_eq!(door.sent(), [("/account".to_owned(), None)]);
    }
}

#[tokio::test]
async fn an_answer_to_one_token_is_not_given_to_another_of_the_same_subject() {
    for (query, field) in [(ACCOUNT, "account"), ("{ users(ids: [1]) { seen } }", "users")] {
        for control in ["max-age=60", "private, max-age=60"] {
            let door = Door::telling(FORWARD, control);
            let [one, other] = ["1", "2"].map(|id| format!("Bearer {}", door.token(id)));
            for authorization in [Some(&one), Some(&other), None, Some(&one), Some(&other), None] {
                let (_, data) = door.ask(authorization.map(String::as_str), query).await;
                let seen = data[field].get(0).unwrap_or(&data[field]);
                assert_eq!(seen["seen"], json!(authorization), "{query} {control}");
            }
            assert_eq!(door.sent().len(), 3, "each is asked for once: {query} {control}");
        }
    }
}

#[tokio::test]
async fn what_a_service_says_all_may_share_is_shared_unless_it_varies_by_token() {
    const PUBLIC: (&str, &str) = ("cache-control", "public, max-age=60");
    let lines: [&'static [(&str, &str)]; 2] = [&[PUBLIC], &[PUBLIC, ("vary", "Authorization")]];
    for (lines, calls) in lines.into_iter().zip([1, 2]) {
        let door = Door::new(FORWARD, move |call| async move { told(&call, lines) });
        for id in ["1", "2", "1", "2"] {
            door.ask(Some(&format!("Bearer {}", door.token(id))), ACCOUNT).await;
        }
        assert_eq!(door.sent().len(), calls, "{lines:?}");
    }
}

#[tokio::test]
async fn where_no_service_is_sent_it_two_tokens_of_one_subject_share() {
    let door = Door::telling("", "private, max-age=60");
    for id in ["1", "2"] {
        door.ask(Some(&format!("Bearer {}", door.token(id))), ACCOUNT).await;
    }
    assert_eq!(door.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_is_not_shared_between_two_tokens() {
    let go = Arc::new(Notify::new());
    let waiting = Arc::clone(&go);
    let door = Arc::new(Door::new(FORWARD, move |call| {
        let waiting = Arc::clone(&waiting);
        async move {
            waiting.notified().await;
            told(&call, &[])
        }
    }));
    let asking = ["1", "2", "1"].map(|id| {
        let (door, bearer) = (Arc::clone(&door), format!("Bearer {}", door.token(id)));
        let asking = async move { (door.ask(Some(&bearer), ACCOUNT).await.1, bearer) };
        tokio::spawn(asking)
    });
    door.calls.arrived(2).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    go.notify_waiters();
    for asked in asking {
        let (data, bearer) = asked.await.unwrap();
        assert_eq!(data, json!({"account": {"seen": bearer}}));
    }
    assert_eq!(door.calls.count(), 2, "the third one's token is the first one's");
}

#[tokio::test]
async fn plain_paths_send_it_too_where_tokens_are_looked_at() {
    let upstream = Upstream::saying("1").await;
    let routes = ["required", "optional", "none"].map(|auth| {
        format!("[[route]]\npath = \"/{auth}\"\nto = \"/{auth}\"\nauth = \"{auth}\"\n")
    });
    let settings = format!("{FORWARD}{}", routes.concat());
    let gateway = Served::over(upstream.address, &settings).await;
    let own = gateway.token();
    let bearer = own.split_once(": ").unwrap().1;
    for (path, expected) in [("/required", bearer), ("/optional", bearer), ("/none", "")] {
        assert_eq!(gateway.get(path).await.status(), 200);
        assert_eq!(upstream.request().header("authorization"), expected, "{path}");
    }
    let anonymous = "GET /optional HTTP/1.1\r\nhost: shop\r\n\r\n";
    assert_eq!(gateway.send(anonymous).await.status(), 200);
    assert_eq!(upstream.request().header("authorization"), "");
}
