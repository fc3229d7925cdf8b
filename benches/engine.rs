//! Whole queries within the process, from prepared answers to response bytes, with a plan that is
//! known: the shop's dashboard, and a hundred orders with ten buyers and their payments. Beside
//! each, what serde_json takes to make trees of the same answers, and the ratio of the two.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::StatusCode;
use onedoor::cache::Clock;
use onedoor::config::ProcessEnv;
use onedoor::engine::{Context, Request, Response};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::json::Body;
use onedoor::upstream::{CallContext, InMemory, Reply, Transport};
use tokio::runtime::{Builder, Runtime};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the shop's services answer: rows as large as those of `mock/`, of which a query wants a part.
struct Answers {
    users: Bytes,
    orders: Bytes,
    payments: Bytes,
}

impl Answers {
    /// So many orders of so many users, each of them paid.
    fn new(orders: usize, users: usize) -> Self {
        Self {
            users: list(users, user),
            orders: list(orders, |number| order(number, number % users)),
            payments: list(orders, payment),
        }
    }

    fn all(&self) -> [&Bytes; 3] {
        [&self.users, &self.orders, &self.payments]
    }

    fn of(&self, path: &str) -> Bytes {
        match path.as_bytes().get(1) {
            Some(b'u') => self.users.clone(),
            Some(b'o') => self.orders.clone(),
            _ => self.payments.clone(),
        }
    }
}

fn list(count: usize, row: impl Fn(usize) -> String) -> Bytes {
    let rows: Vec<_> = (0..count).map(row).collect();
    Bytes::from(format!("[{}]", rows.join(",\n")))
}

fn user(number: usize) -> String {
    format!(
        concat!(
            r#"{{"id":{0},"name":"Saoirse O'Sullivan {0}","email":"saoirse.{0}@example.net","#,
            r#""phone":"+353 555 01{0:02}","avatar":"https://avatars.example.com/{0}.png","#,
            r#""address":{{"street":"{0} Oliver Plunkett Street","city":"Dublin","#,
            r#""zip":"D02 X285","country":"IE"}},"createdAt":"2021-02-03T08:16:18Z"}}"#
        ),
        number
    )
}

fn order(number: usize, user: usize) -> String {
    let mut items = String::new();
    for item in 0..=number % 3 {
        let comma = if item > 0 { "," } else { "" };
        let item = write!(
            items,
            r#"{comma}{{"sku":"TEA-{item:03}","name":"Sencha 煎茶, 100 g","quantity":2,"price":1450}}"#
        );
        item.expect("a string takes what is written");
    }
    format!(
        concat!(
            r#"{{"id":{},"userId":{},"status":"shipped","total":{},"currency":"EUR","#,
            r#""items":[{}],"note":"Leave with the neighbour at no. 12","#,
            r#""createdAt":"2024-01-02T22:46:45Z"}}"#
        ),
        1000 + number,
        user,
        2900 + number,
        items
    )
}

fn payment(number: usize) -> String {
    format!(
        concat!(
            r#"{{"id":"pay_{0:04}","orderId":{1},"kind":"card","amount":{2},"currency":"EUR","#,
            r#""status":"succeeded","reference":"90071992568{0:05}","#,
            r#""createdAt":"2024-01-03T17:23:49Z","brand":"cb","last4":"9073"}}"#
        ),
        number,
        1000 + number,
        2900 + number
    )
}

/// One query over the repository's own project.
struct Screen {
    gateway: Gateway,
    runtime: Runtime,
    answers: Arc<Answers>,
    query: String,
    variables: Body,
}

impl Screen {
    fn new(query: &str, variables: &'static str, answers: Answers) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (project, problems) = Project::load(root, &ProcessEnv);
        let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
        let answers = Arc::new(answers);
        let gateway = Gateway::over(project, Mode::Serve, Clock::machine(), |_| {
            let answers = Arc::clone(&answers);
            let service =
                InMemory::new(move |request: &onedoor::template::Request, _: &CallContext<'_>| {
                    Ok(Reply::json(StatusCode::OK, answers.of(&request.path_and_query)))
                });
            let service: Arc<dyn Transport> = Arc::new(service);
            Some(service)
        });
        let screen = Self {
            gateway,
            runtime: Builder::new_current_thread().enable_time().build().expect("a runtime"),
            answers,
            query: query.to_owned(),
            variables: Body::parse(Bytes::from_static(variables.as_bytes())).expect("JSON"),
        };
        let response = screen.answer();
        let text = String::from_utf8_lossy(&response.body);
        assert_eq!(response.errors, 0, "{text}");
        assert!(text.contains("9073") && text.len() > 1000, "{text}");
        screen
    }

    /// The whole request, but for HTTP.
    fn answer(&self) -> Response {
        let request = Request {
            query: &self.query,
            operation_name: None,
            variables: Some(self.variables.root()),
            only_queries: false,
            incremental: None,
            explain: onedoor::engine::Explain::default(),
        };
        self.runtime.block_on(async {
            let context = Context::anonymous(self.gateway.engine.deadline());
            self.gateway.engine.execute(request, &context).await
        })
    }

    /// The same answers, made into trees.
    fn trees(&self) -> [serde_json::Value; 3] {
        self.answers.all().map(|body| serde_json::from_slice(black_box(body)).expect("JSON"))
    }

    /// The same answers, checked.
    fn check(&self) -> [Body; 3] {
        self.answers.all().map(|body| Body::parse(black_box(body).clone()).expect("JSON"))
    }
}

fn screens() -> [(&'static str, Screen); 3] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/queries");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("an example's query");
    let dashboard = read("dashboard.graphql");
    let plain = dashboard.replace("displayTotal", "total");
    let of_one = || Answers::new(10, 1);
    let variables = r#"{"user": "0"}"#;
    [
        ("dashboard", Screen::new(&dashboard, variables, of_one())),
        ("dashboard, nothing computed", Screen::new(&plain, variables, of_one())),
        ("100 orders", Screen::new(&read("orders.graphql"), "{}", Answers::new(100, 10))),
    ]
}

fn queries(criterion: &mut Criterion) {
    for (name, screen) in screens() {
        let bytes: usize = screen.answers.all().iter().map(|body| body.len()).sum();
        let mut group = criterion.benchmark_group(format!("{name}, {bytes} bytes"));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("engine", |b| b.iter(|| screen.answer()));
        group.bench_function("Body::parse", |b| b.iter(|| screen.check()));
        group.bench_function("Value", |b| b.iter(|| screen.trees()));
        group.finish();
        // A profile is of what criterion runs alone.
        if !std::env::args().any(|argument| argument == "--profile-time") {
            ratio(name, &screen);
        }
    }
}

/// Both in turn, so that whatever else the machine does is the same for both; the best of many
/// rounds, which disturbances only make slower.
#[allow(clippy::print_stdout, reason = "this is what a bench is for")]
fn ratio(name: &str, screen: &Screen) {
    const ROUNDS: u32 = 400;
    const TIMES: u32 = 10;
    let (mut engine, mut trees) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        (0..TIMES).for_each(|_| drop(black_box(screen.answer())));
        engine = engine.min(started.elapsed());
        let started = Instant::now();
        (0..TIMES).for_each(|_| drop(black_box(screen.trees())));
        trees = trees.min(started.elapsed());
    }
    let (engine, trees) = (engine / TIMES, trees / TIMES);
    let ratio = engine.as_secs_f64() / trees.as_secs_f64();
    println!("{name}: {ratio:.2} of the time that trees alone take ({engine:?} to {trees:?})\n");
}

criterion_group!(benches, queries);
criterion_main!(benches);
