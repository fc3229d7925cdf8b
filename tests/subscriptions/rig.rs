//! A gateway before services within the process that open streams of events. The streams are the
//! test's: it sends each event, and sees who listens and who has gone.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{HeaderName, StatusCode};
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Engine, Explain, Request as Asked, Response, ResponseKind};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::identity::{Authenticator, Identity, ReadClaims, mint};
use onedoor::json::Body;
use onedoor::observe::CallLog;
use onedoor::template::Request;
use onedoor::upstream::{
    CallContext, Error, ErrorKind, Event, Events, Opened, Reply, Transport, outbound,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Far beyond any deadline; with the clock paused it passes at once when nothing else can happen.
const FOR_EVER: Duration = Duration::from_secs(100_000);

pub const SCHEMA: &str = r#"
type Query { user(id: ID!): User @ref(key: "args.id") }

type Subscription {
  "Asked with nothing of the caller's."
  orders(userId: ID): Order
    @rest(upstream: "orders", path: "/events?userId={args.userId}") @events
  paid: Order @rest(upstream: "orders", path: "/events") @events(type: "paid")
  mine: Order!
    @rest(upstream: "orders", path: "/events?userId={claims.sub}") @events @authenticated
  stub: Order
    @rest(upstream: "orders", path: "/events") @events @ref(key: "answer.id")
  total: Int
    @rest(upstream: "orders", path: "/events") @events @computed(cel: "int(answer.net) * 2")
  user(id: ID!): User @ref(key: "args.id") @poll(every: "5s")
  count: Int @rest(upstream: "orders", path: "/count") @poll(every: "1s")
}

type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id"}) {
  id: ID!
  name: String!
}

type Order @rest(upstream: "orders", path: "/orders/{key}") {
  id: ID!
  buyers: [User!] @ref(key: "this.userIds")
  buyer: User @ref(key: "this.userId")
}
"#;

const GATEWAY: &str = r#"
[[auth.jwt]]
secret = "not much of a secret, but a long one: 0123456789"
"#;

/// What the test sends on a stream. `Err`: the connection breaks.
pub type Sent = Result<Event, ErrorKind>;

/// A stream that was opened.
pub struct Stream {
    /// `/events?userId=1`.
    pub path: String,
    pub last_event_id: Option<String>,
    pub headers: HeaderMap,
    events: mpsc::Sender<Sent>,
}

impl Stream {
    /// Sends an event without a type, and waits until it is taken.
    pub async fn send(&self, data: impl fmt::Display) {
        self.send_as("message", data).await;
    }

    pub async fn send_as(&self, kind: &str, data: impl fmt::Display) {
        self.give(Ok(event(kind, None, data))).await;
    }

    pub async fn give(&self, sent: Sent) {
        timeout(FOR_EVER, self.events.send(sent)).await.expect("it is read").expect("it is open");
    }

    /// Sends an event if there is room for it.
    pub fn offer(&self, data: impl fmt::Display) -> bool {
        self.events.try_send(Ok(event("message", None, data))).is_ok()
    }

    /// Waits until nobody listens any more.
    pub async fn abandoned(&self) {
        timeout(FOR_EVER, self.events.closed()).await.expect("it is given up");
    }

    pub fn is_open(&self) -> bool {
        !self.events.is_closed()
    }
}

pub fn event(kind: &str, id: Option<&str>, data: impl fmt::Display) -> Event {
    let data = Ok(data.to_string().into());
    Event { kind: kind.into(), data, id: id.map(Into::into) }
}

/// How a service answers a request for a stream.
pub type Opening = fn(usize) -> Option<Result<Reply, ErrorKind>>;

#[derive(Clone)]
pub struct Services(Arc<State>);

struct State {
    /// `None` for the nth request: a stream is opened.
    opening: Opening,
    /// Headers of the answers that are streams.
    headers: HeaderMap,
    opened: Mutex<Vec<Option<Stream>>>,
    count: watch::Sender<usize>,
    calls: Mutex<Vec<String>>,
    answering: fn(&str, usize) -> Value,
}

impl Services {
    /// The nth stream, once it is opened.
    pub async fn stream(&self, nth: usize) -> Stream {
        let mut count = self.0.count.subscribe();
        let opened = count.wait_for(|count| *count > nth);
        timeout(FOR_EVER, opened).await.expect("it is opened").unwrap();
        self.0.opened.lock().unwrap()[nth].take().expect("it is a stream, and not taken before")
    }

    /// How many requests for streams have come.
    pub fn asked(&self) -> usize {
        *self.0.count.borrow()
    }

    /// What else was asked since this was last read.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Services")
    }
}

#[async_trait]
impl Transport for Services {
    async fn call(&self, request: &Request, _: &CallContext<'_>) -> Result<Reply, Error> {
        let path = request.path_and_query.clone();
        let mut calls = self.0.calls.lock().unwrap();
        calls.push(format!("{} {path}", request.method));
        let answer = (self.0.answering)(&path, calls.len());
        Ok(Reply::json(StatusCode::OK, answer.to_string()))
    }

    async fn listen(
        &self,
        request: &Request,
        last_event_id: Option<&str>,
        context: &CallContext<'_>,
    ) -> Result<Opened, Error> {
        let path = request.path_and_query.clone();
        let error = {
            let (method, path) = (request.method.clone(), path.clone());
            move |kind| Error::new(kind, &method, &path)
        };
        let mut opened = self.0.opened.lock().unwrap();
        let answer = (self.0.opening)(opened.len());
        let is_stream = answer.is_none();
        let (events, received) = mpsc::channel(1);
        let headers = outbound(request, context);
        let last_event_id = last_event_id.map(Into::into);
        opened.push(is_stream.then_some(Stream { path, last_event_id, headers, events }));
        self.0.count.send_modify(|count| *count += 1);
        match answer {
            Some(answer) => answer.map(Opened::Reply).map_err(error),
            None => {
                let receive = |mut received: mpsc::Receiver<Sent>| async move {
                    received.recv().await.map(|sent| (sent, received))
                };
                let events = futures::stream::unfold(received, receive);
                let events = events.map(move |sent| sent.map_err(&error)).boxed();
                Ok(Opened::Stream(Events::new(self.0.headers.clone(), events)))
            }
        }
    }
}

/// The users asked for, and orders that all are Ada's.
pub fn shop(path: &str, _: usize) -> Value {
    let ids = path.split(['?', '&']).filter_map(|part| part.strip_prefix("id="));
    let name = |id: &str| ["Ada", "Bob", "Cyd"][id.parse::<usize>().unwrap() - 1];
    match path.strip_prefix("/orders/") {
        Some(id) => json!({"id": id, "userId": 1}),
        None => ids.map(|id| json!({"id": id, "name": name(id)})).collect(),
    }
}

pub struct Rig {
    engine: Arc<Engine>,
    project: Project,
    pub services: Services,
}

/// What a gateway is made with.
pub struct With {
    pub schema: String,
    pub opening: Opening,
    pub answering: fn(&str, usize) -> Value,
    /// Headers of the answers that are streams.
    pub headers: &'static [(&'static str, &'static str)],
    /// What each service is told of the caller.
    pub identity: &'static str,
}

impl Default for With {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            opening: |_| None,
            answering: shop,
            headers: &[],
            identity: "",
        }
    }
}

impl Rig {
    pub fn new() -> Self {
        Self::with(With::default())
    }

    pub fn with(with: With) -> Self {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let services = Services(Arc::new(State {
            opening: with.opening,
            headers: with.headers.iter().map(header).collect(),
            opened: Mutex::default(),
            count: watch::Sender::default(),
            calls: Mutex::default(),
            answering: with.answering,
        }));
        let mut settings = vec![("onedoor.toml".to_owned(), GATEWAY.to_owned())];
        for name in ["orders", "users"] {
            let upstream = format!("url = \"http://{name}.internal\"\n{}", with.identity);
            settings.push((format!("upstreams/{name}.toml"), upstream));
        }
        let schema = [("schema.graphql".to_owned(), with.schema)];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let given = services.clone();
        let (again, _) = Project::from_texts(
            [("onedoor.toml".to_owned(), GATEWAY.to_owned())],
            [("s.graphql".to_owned(), "type Query { a: Int @computed(cel: \"1\") }".to_owned())],
            &FixedEnv::new(),
        );
        let gateway = Gateway::over(project, Mode::Serve, Clock::machine(), |_| {
            Some(Arc::new(given.clone()))
        });
        Self { engine: gateway.engine, project: again.unwrap(), services }
    }

    /// A caller whose token says so.
    pub fn caller(&self, subject: &str) -> Identity {
        let auth = &self.project.config.auth;
        let claims = json!({"sub": subject}).as_object().cloned().unwrap();
        let token = mint(&auth.jwt[0], claims, Duration::from_secs(3600)).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let mut read = ReadClaims::default();
        read.add(&onedoor::json::Path::parse("sub").unwrap());
        let authenticator = Authenticator::new(auth, read);
        let identified = authenticator.authenticate(&headers, tokio::time::Instant::now());
        identified.now_or_never().unwrap().unwrap()
    }

    /// Subscribes as nobody in particular.
    pub fn subscribe(&self, query: &str) -> Subscriber {
        self.subscribe_as(Identity::anonymous(), query)
    }

    pub fn subscribe_as(&self, identity: Identity, query: &str) -> Subscriber {
        let context = Context { identity, ..Context::anonymous(self.engine.deadline()) };
        Subscriber(Arc::clone(&self.engine).stream(asked(query), context))
    }

    /// Subscribes, and what is noted of the calls that are made for it.
    pub fn subscribe_noting(&self, query: &str) -> (Subscriber, Arc<CallLog>) {
        let context = Context::anonymous(self.engine.deadline());
        let calls = Arc::clone(&context.calls);
        (Subscriber(Arc::clone(&self.engine).stream(asked(query), context)), calls)
    }

    /// Asks where only one answer can be given.
    pub async fn execute(&self, query: &str) -> Value {
        let context = Context::anonymous(self.engine.deadline());
        let response = self.engine.execute(asked(query), &context).await;
        serde_json::from_slice(&response.body).unwrap()
    }
}

fn asked(query: &str) -> Asked<'_> {
    Asked {
        query,
        operation_name: None,
        variables: None,
        only_queries: false,
        incremental: None,
        explain: Explain::default(),
    }
}

/// A client that subscribes.
pub struct Subscriber(BoxStream<'static, Response>);

impl Subscriber {
    /// The next response.
    pub async fn response(&mut self) -> Option<Response> {
        timeout(FOR_EVER, self.0.next()).await.expect("something happens")
    }

    /// The next response's body.
    pub async fn next(&mut self) -> Value {
        let response = self.response().await.expect("a response");
        assert_eq!(response.kind, ResponseKind::Executed);
        let body: Body = Body::parse(response.body.clone().into()).expect("JSON");
        assert_eq!(
            body.root().get("errors").map_or(0, |errors| errors.items().count()),
            response.errors
        );
        serde_json::from_slice(&response.body).unwrap()
    }

    /// The next response's data, of which nothing failed.
    pub async fn data(&mut self) -> Value {
        let mut response = self.next().await;
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].take()
    }

    /// Polls once: what is there already.
    pub fn now(&mut self) -> Option<Option<Response>> {
        self.0.next().now_or_never()
    }

    /// That the stream is over.
    pub async fn ended(&mut self) {
        assert!(self.response().await.is_none(), "it is over");
    }

    /// The errors of a subscription that is refused, which is all that comes.
    pub async fn refused(&mut self) -> Value {
        let response = self.response().await.expect("a response");
        assert!(matches!(response.kind, ResponseKind::Refused(_)), "{response:?}");
        let mut body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1, "errors only: {body}");
        self.ended().await;
        body["errors"].take()
    }
}
