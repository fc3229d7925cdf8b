//! A running gateway over services within the process. The services note what they are asked, and
//! answer when a test lets them: an answer is a future of the test's own.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Engine, Request as Asked};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::json::Body;
use onedoor::plan::{self, Document, Limits, TotalCalls, Variables};
use onedoor::template::Request;
use onedoor::upstream::{CallContext, Error, Reply, Transport, outbound};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

/// The services of every project here. Each is said to live at a host of this name.
pub const SERVICES: [&str; 3] = ["users", "orders", "payments"];

/// What must never be told to a client.
pub const HOST: &str = "hidden-host.internal";

/// Far beyond any deadline. With the clock paused it passes at once when nothing else can happen,
/// so that a gateway that waits for ever is a test that fails.
const FOR_EVER: Duration = Duration::from_secs(100_000);

/// A small shop: users with orders, orders with buyers and payments.
pub const SHOP: &str = r#"
type Query {
  user(id: ID!): User @ref(key: "args.id")
  users(ids: [ID!]!): [User]! @ref(key: "args.ids")
  order(id: ID!): Order @rest(upstream: "orders", path: "/orders/{args.id}")
  orders: [Order!]! @rest(upstream: "orders", path: "/orders")
}

type User @rest(upstream: "users", path: "/users?id={keys}", batch: {by: "id", max: 100}) {
  id: ID!
  name: String!
  orders(status: OrderStatus, first: Int): [Order!]!
    @rest(
      upstream: "orders"
      path: "/orders?userId={keys}&status={args.status}"
      batch: {key: "this.id", by: "userId", first: "args.first"}
    )
}

type Order {
  id: ID!
  status: OrderStatus!
  buyer: User @ref(key: "this.userId")
  payment: Payment
    @rest(
      upstream: "payments"
      path: "/payments?orderId={keys}"
      batch: {key: "this.id", by: "orderId"}
    )
}

type Payment {
  id: ID!
  amount: Int!
}

enum OrderStatus {
  PAID @json(name: "paid")
  SHIPPED @json(name: "shipped")
}
"#;

/// What the shop's services hold, by service.
static SHOP_ROWS: LazyLock<HashMap<&str, Value>> = LazyLock::new(|| {
    let users = json!([
        {"id": 1, "name": "Ada"},
        {"id": 2, "name": "Bob"},
        {"id": 3, "name": "Cyd"},
    ]);
    let orders = json!([
        {"id": 11, "userId": 1, "status": "paid"},
        {"id": 12, "userId": 1, "status": "shipped"},
        {"id": 21, "userId": 2, "status": "paid"},
        {"id": 22, "userId": 2, "status": "shipped"},
        {"id": 31, "userId": 3, "status": "paid"},
        {"id": 32, "userId": 3, "status": "shipped"},
        {"id": 33, "userId": 3, "status": "paid"},
    ]);
    let payments = json!([
        {"id": 1100, "orderId": 11, "amount": 110},
        {"id": 2100, "orderId": 21, "amount": 210},
        {"id": 3100, "orderId": 31, "amount": 310},
    ]);
    HashMap::from([("users", users), ("orders", orders), ("payments", payments)])
});

/// One call as a service sees it.
#[derive(Debug, Clone)]
pub struct Call {
    pub service: String,
    pub method: Method,
    pub path_and_query: String,
    /// As they would go over the wire.
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
}

impl Call {
    /// `GET /users?id=1`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path_and_query)
    }

    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The query's parameters, decoded.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let query = self.path_and_query.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The values of one parameter.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self.parameters().into_iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value).collect()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_deref().unwrap_or_default()).unwrap()
    }

    /// A header's value, which stands there once or not at all.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() < 2, "{name} is sent {} times", values.len());
        values.first().map(|value| value.to_str().unwrap())
    }
}

/// What a service answers.
pub type Answer = Result<Reply, Error>;

/// 200 with JSON.
pub fn ok(value: impl fmt::Display) -> Answer {
    status(200, value)
}

/// A status with a body.
pub fn status(status: u16, body: impl fmt::Display) -> Answer {
    Ok(Reply::json(StatusCode::from_u16(status).unwrap(), body.to_string()))
}

/// What the shop's services answer, as REST services do: `/orders/11` is one row, and of `/orders`
/// each parameter keeps the rows whose property is one of its values.
pub fn shop(call: &Call) -> Answer {
    from_rows(&SHOP_ROWS[call.service.as_str()], call)
}

/// The same over other rows.
pub fn from_rows(rows: &Value, call: &Call) -> Answer {
    let rows = rows.as_array().unwrap().iter();
    if let Some((_, id)) = call.path()[1..].split_once('/') {
        let mut rows = rows;
        let row = rows.find(|row| text(&row["id"]) == id);
        return row.map_or_else(|| status(404, r#"{"message": "no such row"}"#), ok);
    }
    let mut wanted: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in call.parameters() {
        wanted.entry(name).or_default().push(value);
    }
    let matches = |row: &&Value| {
        wanted.iter().all(|(name, values)| values.contains(&text(&row[name.as_str()])))
    };
    ok(Value::from(rows.filter(matches).cloned().collect::<Vec<_>>()))
}

/// A key as text.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the services were asked, in the order in which it came.
#[derive(Clone, Default)]
pub struct Calls(Arc<Noted>);

#[derive(Default)]
struct Noted {
    calls: Mutex<Vec<Call>>,
    abandoned: Mutex<Vec<Call>>,
    arrived: watch::Sender<usize>,
}

impl Calls {
    pub fn all(&self) -> Vec<Call> {
        self.0.calls.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.0.calls.lock().unwrap().len()
    }

    /// Forgets what came so far, but for how many came in all.
    pub fn forget(&self) {
        self.0.calls.lock().unwrap().clear();
    }

    /// The calls to one service as lines, in the order in which they came.
    pub fn to(&self, service: &str) -> Vec<String> {
        let calls = self.all().into_iter().filter(|call| call.service == service);
        calls.map(|call| call.line()).collect()
    }

    /// All calls as lines, sorted.
    pub fn sorted(&self) -> Vec<String> {
        sorted(&self.all())
    }

    /// The calls that the gateway gave up before they were answered, sorted.
    pub fn abandoned(&self) -> Vec<String> {
        sorted(&self.0.abandoned.lock().unwrap())
    }

    /// Waits until so many have come in all.
    pub async fn arrived(&self, count: usize) {
        let mut arrived = self.0.arrived.subscribe();
        let all = arrived.wait_for(|arrived| *arrived >= count);
        timeout(FOR_EVER, all).await.expect("all of them come").unwrap();
    }

    fn note(&self, call: &Call) {
        self.0.calls.lock().unwrap().push(call.clone());
        self.0.arrived.send_modify(|arrived| *arrived += 1);
    }
}

fn sorted(calls: &[Call]) -> Vec<String> {
    let mut lines: Vec<_> = calls.iter().map(Call::line).collect();
    lines.sort_unstable();
    lines
}

/// Notes a call as abandoned, unless it came to its end.
struct UnderWay {
    calls: Calls,
    call: Option<Call>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.calls.0.abandoned.lock().unwrap().push(call);
        }
    }
}

type Answering = Arc<dyn Fn(Call) -> BoxFuture<'static, Answer> + Send + Sync>;

/// One service.
struct Service {
    name: String,
    calls: Calls,
    answering: Answering,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[async_trait]
impl Transport for Service {
    async fn call(&self, request: &Request, context: &CallContext<'_>) -> Answer {
        let call = Call {
            service: self.name.clone(),
            method: request.method.clone(),
            path_and_query: request.path_and_query.clone(),
            headers: outbound(request, context),
            body: request.body.clone(),
        };
        self.calls.note(&call);
        let mut under_way = UnderWay { calls: self.calls.clone(), call: Some(call.clone()) };
        let answer = (self.answering)(call).await;
        under_way.call = None;
        answer
    }
}

/// What a project is made of.
#[derive(Clone, Copy, Default)]
pub struct Texts<'t> {
    /// `onedoor.toml`.
    pub gateway: &'t str,
    /// What each service's settings say beside its URL.
    pub service: &'t str,
    /// The schema.
    pub schema: &'t str,
}

/// A project of these texts.
pub fn project(texts: Texts<'_>) -> Project {
    let mut settings = vec![("onedoor.toml".to_owned(), texts.gateway.to_owned())];
    for service in SERVICES {
        let url = format!("url = \"https://{service}.{HOST}:7443/base\"\n{}", texts.service);
        settings.push((format!("upstreams/{service}.toml"), url));
    }
    let schema = [("schema.graphql".to_owned(), texts.schema.to_owned())];
    let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
    project.unwrap_or_else(|| panic!("{}", problems.render(false)))
}

/// A gateway, and what its services were asked.
pub struct Rig {
    pub gateway: Gateway,
    pub calls: Calls,
    /// What freshness is measured by; it stands still until a test moves it.
    pub clock: Clock,
}

impl Rig {
    /// A gateway with this schema whose services answer so.
    pub fn new<F>(schema: &str, answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::over(project(Texts { schema, ..Texts::default() }), answering)
    }

    /// A gateway with settings of its own.
    pub fn over<F>(project: Project, answering: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let calls = Calls::default();
        let answering: Answering = Arc::new(move |call| Box::pin(answering(call)));
        let clock = Clock::hand();
        let gateway = Gateway::over(project, Mode::Serve, clock.clone(), |upstream| {
            Some(Arc::new(Service {
                name: upstream.name.as_str().to_owned(),
                calls: calls.clone(),
                answering: Arc::clone(&answering),
            }))
        });
        Self { gateway, calls, clock }
    }

    /// A gateway whose services answer without delay.
    pub fn answering(
        schema: &str,
        answer: impl Fn(&Call) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::new(schema, move |call| std::future::ready(answer(&call)))
    }

    pub fn engine(&self) -> &Engine {
        &self.gateway.engine
    }

    /// The whole response to a document, as text.
    pub async fn text(&self, query: &str, variables: Value) -> String {
        let context = Context::anonymous(self.engine().deadline());
        self.text_in(query, variables, &context).await
    }

    /// The same with a caller and a deadline.
    pub async fn text_in(&self, query: &str, variables: Value, context: &Context) -> String {
        let variables = Body::parse(variables.to_string().into()).unwrap();
        let request = Asked {
            query,
            operation_name: None,
            variables: Some(variables.root()),
            only_queries: false,
            incremental: None,
            explain: onedoor::engine::Explain::default(),
        };
        let answered = timeout(FOR_EVER, self.engine().execute(request, context)).await;
        String::from_utf8(answered.expect("the gateway answers").body).unwrap()
    }

    /// The response to a document without variables.
    pub async fn ask(&self, query: &str) -> Value {
        self.ask_with(query, json!({})).await
    }

    /// The response to a document.
    pub async fn ask_with(&self, query: &str, variables: Value) -> Value {
        serde_json::from_str(&self.text(query, variables).await).unwrap()
    }

    /// The data of a response without errors.
    pub async fn data(&self, query: &str) -> Value {
        let mut response = self.ask(query).await;
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].take()
    }

    /// How many calls the plan says a document takes.
    pub fn foretold(&self, query: &str) -> TotalCalls {
        let limits = Limits { tokens: 10_000, nesting: 64, fields: 10_000 };
        let document = Document::parse(self.engine().catalog(), query, &limits, false).unwrap();
        let operation = document.operation(None).unwrap();
        let mask = operation.mask(&Variables::default());
        let plan = plan::build(self.engine().catalog(), &operation, &mask).unwrap();
        plan::explain(&plan, &operation, &mask).calls
    }
}

/// Path and code of each error, in order: `["user", "orders"] UPSTREAM_FAILED`.
pub fn errors(response: &Value) -> Vec<String> {
    let errors = response["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let error = |error: &Value| {
        let message = error["message"].as_str().expect("a message");
        assert!(!message.is_empty(), "{response}");
        let code = error["extensions"]["code"].as_str().expect("a code");
        format!("{} {code}", error.get("path").unwrap_or(&json!([])))
    };
    errors.iter().map(error).collect()
}
