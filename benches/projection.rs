//! From upstream bytes to response bytes, validation of the bodies included, beside what it costs
//! to parse the same bodies into `serde_json` trees and do nothing with them.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use indexmap::IndexSet;
use onedoor::json::{Body, Path};
use onedoor::plan::{FetchId, Field, FieldValue, Hole, Kind, Leaf, Selection, Shape};
use onedoor::projection::{
    Answer, Groups, Inputs, Layouts, Slot, Tables, Target, assemble, project, project_root, split,
};
use onedoor::schema::{Batch, By, ErrorRule};
use onedoor::template::Key;

const INPUTS: Inputs<'static> = Inputs {
    first_items: &[],
    authenticated: true,
    claims: None,
    this: &[],
    args: &[],
    introspection: &[],
    max_bytes: 1 << 24,
};

fn field(key: &str, value: FieldValue, nullable: bool) -> Field {
    Field {
        key: key.into(),
        key_json: format!("\"{key}\":").into_bytes().into(),
        locations: [].into(),
        authenticated: false,
        args: None,
        value,
        nullable,
    }
}

fn prop(key: &str, kind: Kind) -> Field {
    let shape = Shape { nullable: false, kind };
    field(key, FieldValue::Property(Path::property(key), shape), false)
}

fn leaf(key: &str, leaf: Leaf) -> Field {
    prop(key, Kind::Leaf(leaf))
}

fn hole(key: &str, fetch: u32) -> Field {
    let hole = Hole { fetch: FetchId(fetch), slots: [0].into(), nullable: true, list: None };
    field(key, FieldValue::Hole(hole), true)
}

fn selection(name: &str, fields: Vec<Field>, capture: Option<&str>) -> Selection {
    Selection::new(name.into(), fields, capture.into_iter().map(Path::property).collect())
}

fn object(name: &str, fields: Vec<Field>, capture: Option<&str>) -> Kind {
    Kind::Object(Arc::new(selection(name, fields, capture)))
}

fn list(kind: Kind) -> Kind {
    Kind::List(Box::new(Shape { nullable: false, kind }))
}

fn batch(by: &str) -> Batch {
    let by = By::Property(Path::property(by));
    Batch { key: None, by, value: Path::root(), first: None, max: 100 }
}

fn whole(text: &Bytes) -> Answer {
    let body = Body::parse(text.clone()).unwrap();
    let place = body.root().place();
    Answer::Value(body, place)
}

fn rows(text: &Bytes, batch: &Batch) -> Groups {
    let body = Body::parse(text.clone()).unwrap();
    split(&body, &Path::root(), batch, &ErrorRule::default()).unwrap()
}

/// The slots of a fetch, from their answers.
fn slots<'p>(
    answers: impl IntoIterator<Item = Answer>,
    shape: &'p Shape,
    service: &Arc<str>,
) -> Vec<Slot<'p>> {
    let mut layouts = Layouts::default();
    let project = |answer| project(&answer, shape, &INPUTS, service, &mut layouts);
    let fragments = answers.into_iter().map(project);
    fragments.map(|fragment| Slot { fragment, targets: Vec::new() }).collect()
}

/// Gathers the keys that the holes of some slots read, each once, and points the holes at them.
fn keys(slots: &mut [Slot<'_>]) -> IndexSet<Key> {
    let holes = slots.iter().map(|slot| slot.fragment.holes.len()).sum();
    let mut keys = IndexSet::with_capacity(holes);
    for Slot { fragment, targets } in slots {
        targets.reserve_exact(fragment.holes.len());
        for hole in &fragment.holes {
            let capture = fragment.capture(hole.instance, 0);
            let (slot, _) = keys.insert_full(Key::from_json(capture.unwrap()).unwrap());
            targets.push(Target::Slot(slot as u32));
        }
    }
    keys
}

fn respond<'p>(query: &'p Selection, tables: Vec<Vec<Slot<'p>>>) -> Vec<u8> {
    let root = Slot { fragment: project_root(query, &INPUTS), targets: vec![Target::Slot(0)] };
    assemble(&root, &Tables(tables), &[], 1 << 24).unwrap().data.unwrap()
}

fn words(out: &mut String, seed: usize, count: usize) {
    let words = ["delectus", "aut", "autem", "quis", "nostrum", "sunt", "voluptatem", "et"];
    for n in 0..count {
        let gap = if n == 0 {
            ""
        } else if n % 9 == 8 {
            "\\n"
        } else {
            " "
        };
        let _ = write!(out, "{gap}{}", words[(seed * 7 + n * n) % words.len()]);
    }
}

fn posts() -> Bytes {
    let mut text = "[".to_owned();
    for n in 0..100 {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{{\"userId\":{},\"id\":{},\"title\":\"", n / 10 + 1, n + 1);
        words(&mut text, n, 7);
        text += "\",\"body\":\"";
        words(&mut text, n + 3, 26);
        text += "\"}";
    }
    (text + "]").into()
}

fn orders(count: usize, users: usize) -> Bytes {
    let mut text = "[".to_owned();
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"id\":\"o{n}\",\"userId\":{},\"status\":\"paid\",\"currency\":\"EUR\",\
            \"createdAt\":\"2026-03-0{}T10:00:00Z\",\"items\":[",
            n % users + 1,
            n % 9 + 1,
        );
        for item in 0..3 {
            let comma = if item == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{{\"sku\":\"SKU-{n}-{item}\",\"name\":\"Thing {item}\",\"qty\":{},\
                \"price\":{}.50,\"taxes\":{{\"vat\":0.19}}}}",
                item + 1,
                n + item,
            );
        }
        let _ = write!(text, "],\"total\":{},\"note\":null}}", n * 100);
    }
    (text + "]").into()
}

fn users(count: usize) -> Bytes {
    let user = |n| {
        format!(
            "{{\"id\":{n},\"name\":\"User {n}\",\"email\":\"user{n}@example.com\",\
            \"address\":{{\"city\":\"Ulm\",\"street\":\"Main {n}\"}},\"phone\":\"000-{n}\"}}"
        )
    };
    format!("[{}]", (1..=count).map(user).collect::<Vec<_>>().join(",")).into()
}

fn payments(count: usize) -> Bytes {
    let payment = |n| {
        format!(
            "{{\"id\":\"p{n}\",\"orderId\":\"o{n}\",\"amount\":{},\"method\":\"card\",\
            \"card\":{{\"brand\":\"visa\",\"last4\":\"4242\"}},\"state\":\"captured\"}}",
            n * 100
        )
    };
    format!("[{}]", (0..count).rev().map(payment).collect::<Vec<_>>().join(",")).into()
}

fn order(hole_key: &str, fetch: u32, capture: &str) -> Kind {
    let item = vec![leaf("sku", Leaf::String), leaf("qty", Leaf::Int), leaf("price", Leaf::Float)];
    let fields = vec![
        leaf("id", Leaf::Id),
        leaf("total", Leaf::Int),
        leaf("status", Leaf::Enum([("paid".into(), "PAID".into())].into())),
        prop("items", list(object("Item", item, None))),
        hole(hole_key, fetch),
    ];
    object("Order", fields, Some(capture))
}

/// A hundred titles out of 26 KB.
fn titles(group: &mut BenchmarkGroup<'_, WallTime>) {
    let text = posts();
    let service: Arc<str> = "posts".into();
    let query = selection("Query", vec![hole("posts", 0)], None);
    let post = object("Post", vec![leaf("title", Leaf::String)], None);
    let shape = Shape { nullable: false, kind: list(post) };
    let run = || respond(&query, vec![slots([whole(&text)], &shape, &service)]);
    measure(group, &[&text], run);
}

/// A user, ten orders with their items, a payment each.
fn dashboard(group: &mut BenchmarkGroup<'_, WallTime>) {
    let texts = [users(1), orders(10, 1), payments(10)];
    let service: Arc<str> = "shop".into();
    let query = selection("Query", vec![hole("me", 0)], None);
    let user = vec![leaf("id", Leaf::Id), leaf("name", Leaf::String), hole("orders", 1)];
    let user = Shape { nullable: false, kind: object("User", user, Some("id")) };
    let orders = Shape { nullable: false, kind: list(order("payment", 2, "id")) };
    let payment = vec![leaf("amount", Leaf::Int), leaf("method", Leaf::String)];
    let payment = Shape { nullable: false, kind: object("Payment", payment, None) };
    let (by_id, by_user, by_order) = (batch("id"), batch("userId"), batch("orderId"));
    let run = || {
        let me = rows(&texts[0], &by_id)
            .one(&Key::from_json(Body::parse("1".into()).unwrap().root()).unwrap());
        let mut me = slots(me, &user, &service);
        let groups = rows(&texts[1], &by_user);
        let answers = keys(&mut me).into_iter().map(|key| groups.list(&key, None).unwrap());
        let mut of_user = slots(answers, &orders, &service);
        let groups = rows(&texts[2], &by_order);
        let answers = keys(&mut of_user).into_iter().map(|key| groups.one(&key).unwrap());
        let of_order = slots(answers, &payment, &service);
        respond(&query, vec![me, of_user, of_order])
    };
    measure(group, &[&texts[0], &texts[1], &texts[2]], run);
}

/// A hundred orders with ten buyers.
fn buyers(group: &mut BenchmarkGroup<'_, WallTime>) {
    let texts = [orders(100, 10), users(10)];
    let service: Arc<str> = "shop".into();
    let query = selection("Query", vec![hole("orders", 0)], None);
    let orders = Shape { nullable: false, kind: list(order("buyer", 1, "userId")) };
    let user = vec![leaf("name", Leaf::String), leaf("email", Leaf::String)];
    let user = Shape { nullable: false, kind: object("User", user, None) };
    let by_id = batch("id");
    let run = || {
        let mut all = slots([whole(&texts[0])], &orders, &service);
        let groups = rows(&texts[1], &by_id);
        let answers = keys(&mut all).into_iter().map(|key| groups.one(&key).unwrap());
        let of_order = slots(answers, &user, &service);
        respond(&query, vec![all, of_order])
    };
    measure(group, &[&texts[0], &texts[1]], run);
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, texts: &[&Bytes], run: impl Fn() -> Vec<u8>) {
    let response = run();
    serde_json::from_slice::<serde_json::Value>(&response).unwrap();
    group.bench_function("projection", |bench| bench.iter(|| black_box(run())));
    group.bench_function("bodies checked only", |bench| {
        bench.iter(|| texts.iter().map(|text| Body::parse(Bytes::clone(text))).collect::<Vec<_>>());
    });
    let parse = |text: &&Bytes| serde_json::from_slice::<serde_json::Value>(text).unwrap();
    let trees = || texts.iter().map(parse).collect::<Vec<_>>();
    group.bench_function("serde_json trees", |bench| bench.iter(trees));
    // A profile is of what criterion runs alone.
    if !std::env::args().any(|argument| argument == "--profile-time") {
        ratio(run, trees);
    }
}

/// Both in turn, so that whatever else the machine does is the same for both; the best of many
/// rounds, which disturbances only make slower.
#[allow(clippy::print_stdout, reason = "this is what a bench is for")]
fn ratio<T>(run: impl Fn() -> Vec<u8>, trees: impl Fn() -> T) {
    const ROUNDS: u32 = 1000;
    const TIMES: u32 = 10;
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        (0..TIMES).for_each(|_| drop(black_box(run())));
        ours = ours.min(started.elapsed());
        let started = Instant::now();
        (0..TIMES).for_each(|_| drop(black_box(trees())));
        theirs = theirs.min(started.elapsed());
    }
    let (ours, theirs) = (ours / TIMES, theirs / TIMES);
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("in turn: {ratio:.3} of the time that trees alone take ({ours:?} to {theirs:?})\n");
}

fn benches(criterion: &mut Criterion) {
    titles(&mut criterion.benchmark_group("100 titles of 26 KB"));
    dashboard(&mut criterion.benchmark_group("dashboard"));
    buyers(&mut criterion.benchmark_group("100 orders with 10 buyers"));
}

criterion_group!(projection, benches);
criterion_main!(projection);
