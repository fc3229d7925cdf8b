//! Who is told plan and trace in `serve` where `[graphql] trace` is an expression over claims, by
//! every transport; and that it tells nobody's neighbours apart from who they were before.

#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in tests, not in what they call")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::{SinkExt as _, StreamExt as _};
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use onedoor::cache::Clock;
use onedoor::config::{FixedEnv, JwtIssuer, Mode};
use onedoor::door::serve;
use onedoor::gateway::{Gateway, Project};
use onedoor::identity::mint;
use onedoor::upstream::{InMemory, Reply};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use url::form_urlencoded::Serializer;

const ISSUER: &str = "[[auth.jwt]]\nsecret = \"one secret of thirty-two bytes or more\"\n";

const SCHEMA: &str = r#"
type Query {
  news: News @rest(upstream: "users", path: "/news")
  mine: News @rest(upstream: "users", path: "/mine")
}
type Subscription { news: News @rest(upstream: "users", path: "/news") @poll(every: "1h") }
type News { text: String }
"#;

const NEWS: &str = "{ news { text } }";
const IN_PARTS: &str = "{ __typename ... @defer { news { text } } }";
const SUBSCRIPTION: &str = "subscription { news { text } }";

struct Door {
    router: Router,
    issuer: JwtIssuer,
}

impl Door {
    fn new(trace: &str, mode: Mode) -> Self {
        let settings = format!("[graphql]\ngraphiql = \"on\"\ntrace = \"{trace}\"\n{ISSUER}");
        let users = "url = \"http://hidden.example:1\"\n[identity]\n\
                     headers = { x-user-id = \"{claims.sub}\" }\n";
        let settings = [("onedoor.toml", settings.as_str()), ("upstreams/users.toml", users)];
        let settings = settings.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let schema = [("schema/all.graphql".to_owned(), SCHEMA.to_owned())];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let issuer = project.config.auth.jwt[0].clone();
        let gateway = Gateway::over(project, mode, Clock::machine(), |_| {
            Some(Arc::new(InMemory::new(|request: &onedoor::template::Request, _: &_| {
                let mut reply = Reply::json(StatusCode::OK, r#"{"text": "all is well"}"#);
                if request.path_and_query.as_str() == "/mine" {
                    let own = HeaderValue::from_static("private, max-age=60");
                    reply.headers.insert(CACHE_CONTROL, own);
                }
                Ok(reply)
            })) as _)
        });
        Self { router: gateway.router(), issuer }
    }

    /// A token of these claims.
    fn token(&self, claims: &Value) -> String {
        let claims = claims.as_object().unwrap().clone();
        format!("Bearer {}", mint(&self.issuer, claims, Duration::from_secs(60)).unwrap())
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Body {
        let service = TowerToHyperService::new(self.router.clone());
        let response = service.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }

    /// The responses to a request of this caller's, one for each part or event.
    async fn ask(&self, by: Transport, token: Option<&str>, asks: bool) -> Vec<Value> {
        let (document, accept) = match by {
            Transport::Post | Transport::Get => (NEWS, "application/graphql-response+json"),
            Transport::Parts => (IN_PARTS, "multipart/mixed"),
            Transport::Events => (SUBSCRIPTION, "text/event-stream"),
            Transport::Socket => return vec![self.by_socket(token, asks).await],
        };
        let request = if matches!(by, Transport::Get) {
            let asked = asking(asks).to_string();
            let mut query = Serializer::new(String::new());
            query.append_pair("query", document).append_pair("extensions", &asked);
            Request::get(format!("/graphql?{}", query.finish()))
        } else {
            Request::post("/graphql").header(CONTENT_TYPE, "application/json")
        };
        let request = token
            .iter()
            .fold(request, |request, token| request.header(AUTHORIZATION, *token))
            .header(ACCEPT, accept);
        let body = match by {
            Transport::Get => String::new(),
            _ => json!({"query": document, "extensions": asking(asks)}).to_string(),
        };
        let body = self.send(request, body).await;
        match by {
            Transport::Events => vec![first_event(body).await],
            Transport::Parts => parts(&text(body).await),
            _ => vec![serde_json::from_str(&text(body).await).unwrap()],
        }
    }

    async fn by_socket(&self, token: Option<&str>, asks: bool) -> Value {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, self.router.clone(), std::future::pending()));
        let uri: Uri = format!("ws://{address}/graphql").parse().unwrap();
        let mut request = uri.into_client_request().unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut socket, _) = client_async(request, stream).await.unwrap();
        let payload = token.map_or_else(|| json!({}), |token| json!({"Authorization": token}));
        let ask = json!({"query": SUBSCRIPTION, "extensions": asking(asks)});
        for message in [
            json!({"type": "connection_init", "payload": payload}),
            json!({"type": "subscribe", "id": "s", "payload": ask}),
        ] {
            socket.send(Message::text(message.to_string())).await.unwrap();
        }
        loop {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str().unwrap() {
                "connection_ack" => {}
                "next" => return message["payload"].clone(),
                other => panic!("{other}: {message}"),
            }
        }
    }

    /// How the one call of a query came out, as its trace has it.
    async fn call(&self, document: &str, token: &str) -> Value {
        let request = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
        let ask = json!({"query": document, "extensions": asking(true)});
        let body = self.send(request.header(AUTHORIZATION, token), ask.to_string()).await;
        let response: Value = serde_json::from_str(&text(body).await).unwrap();
        assert!(response["errors"].is_null(), "{response}");
        response["extensions"]["onedoor"]["trace"]["calls"][0]["result"].clone()
    }
}

#[derive(Debug, Clone, Copy)]
enum Transport {
    Post,
    Get,
    Parts,
    Events,
    Socket,
}

const TRANSPORTS: [Transport; 5] =
    [Transport::Post, Transport::Get, Transport::Parts, Transport::Events, Transport::Socket];

fn asking(asks: bool) -> Value {
    if asks { json!({"onedoor": {"plan": true, "trace": true}}) } else { json!({}) }
}

async fn text(body: Body) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The bodies of a response's parts.
fn parts(text: &str) -> Vec<Value> {
    let bodies = text.split("\r\n\r\n").skip(1);
    bodies.map(|body| serde_json::from_str(body.split("\r\n").next().unwrap()).unwrap()).collect()
}

async fn first_event(mut body: Body) -> Value {
    let mut read = String::new();
    loop {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        read.push_str(std::str::from_utf8(&frame).unwrap());
        if let Some((_, data)) = read.split_once("event: next\ndata: ")
            && let Some((data, _)) = data.split_once("\n\n")
        {
            return serde_json::from_str(data).unwrap();
        }
    }
}

/// What all responses of one request tell of its making.
fn told(responses: &[Value]) -> Vec<&str> {
    let told = |response: &Value| -> Option<Vec<&str>> {
        let onedoor = response.get("extensions")?.get("onedoor")?.as_object()?;
        Some(["plan", "trace"].into_iter().filter(|name| onedoor.contains_key(*name)).collect())
    };
    responses.iter().filter_map(told).flatten().collect()
}

#[tokio::test]
async fn who_has_the_claim_is_told_plan_and_trace_in_serve_and_nobody_else_by_any_transport() {
    // Of a claim that is missing, or no text, this has no value.
    let door = Door::new("claims.team.startsWith('plat')", Mode::Serve);
    let allowed = door.token(&json!({"sub": "1", "team": "platform"}));
    for by in TRANSPORTS {
        let responses = door.ask(by, Some(&allowed), true).await;
        assert_eq!(told(&responses), ["plan", "trace"], "{by:?}: {responses:?}");
        let unasked = door.ask(by, Some(&allowed), false).await;
        assert!(told(&unasked).is_empty(), "{by:?}: {unasked:?}");
        let others = [
            Some(door.token(&json!({"sub": "1", "team": "sales"}))),
            Some(door.token(&json!({"sub": "1", "team": null}))),
            Some(door.token(&json!({"sub": "1", "team": ["platform"]}))),
            Some(door.token(&json!({"sub": "1"}))),
            None,
        ];
        for other in others {
            let responses = door.ask(by, other.as_deref(), true).await;
            assert_eq!(responses, unasked, "{by:?}: refused without a word");
        }
    }
}

#[tokio::test]
async fn who_has_no_token_is_told_nothing_whatever_the_expression_says_of_missing_claims() {
    let door = Door::new("claims.team != 'guests'", Mode::Serve);
    let somebody = door.token(&json!({"sub": "1"}));
    for by in TRANSPORTS {
        assert_eq!(told(&door.ask(by, Some(&somebody), true).await), ["plan", "trace"], "{by:?}");
        let nobodys = door.ask(by, None, true).await;
        assert!(told(&nobodys).is_empty(), "{by:?}: {nobodys:?}");
    }
}

#[tokio::test]
async fn in_dev_everybody_is_told_and_the_page_knows_whom_it_speaks_for() {
    for (trace, mode, nobody_is_told, page) in [
        ("claims.team == 'platform'", Mode::Dev, true, "on"),
        ("claims.team == 'platform'", Mode::Serve, false, "some"),
        ("auto", Mode::Serve, false, "off"),
    ] {
        let door = Door::new(trace, mode);
        let responses = door.ask(Transport::Post, None, true).await;
        assert_eq!(!told(&responses).is_empty(), nobody_is_told, "{trace} in {mode:?}");
        let session = door.send(Request::get("/graphiql/session.json"), String::new()).await;
        let session: Value = serde_json::from_str(&text(session).await).unwrap();
        assert_eq!(session["trace"], page, "{trace} in {mode:?}");
    }
}

#[tokio::test]
async fn the_claims_it_reads_keep_no_answers_apart_and_tell_of_no_other_subjects() {
    let door = Door::new("claims.team == 'platform'", Mode::Serve);
    let sales = door.token(&json!({"sub": "1", "team": "sales"}));
    let platform = door.token(&json!({"sub": "1", "team": "platform"}));
    let other = door.token(&json!({"sub": "2", "team": "platform"}));
    let mine = "{ mine { text } }";
    assert_eq!(door.call(mine, &sales).await, Value::Null, "not told");
    assert_eq!(door.call(mine, &platform).await, "kept", "the same subject's own answer");
    assert_eq!(door.call(mine, &other).await, "called", "nobody else's");
}
