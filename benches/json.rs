//! Checking and reading bodies, beside what serde_json takes for the same.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onedoor::json::{Body, Foreseen, Kind, Value};

const WORDS: [&str; 12] = [
    "sunt",
    "aut",
    "facere",
    "repellat",
    "provident",
    "occaecati",
    "excepturi",
    "optio",
    "reprehenderit",
    "quia",
    "et",
    "suscipit",
];

fn sentence(seed: usize, words: usize) -> String {
    let word = |n: usize| WORDS[(seed * 7 + n * 5 + n * n) % WORDS.len()];
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// A list of a hundred posts, 26 KB, as public placeholder services answer it.
fn posts() -> String {
    let post = |n: usize| {
        let (title, body) = (sentence(n, 6), sentence(n + 3, 22));
        format!(r#"{{"userId":{},"id":{n},"title":"{title}","body":"{body}\n"}}"#, n % 10 + 1)
    };
    format!("[{}]", (1..=100).map(post).collect::<Vec<_>>().join(","))
}

/// The same list as a service prints it that indents by two.
fn pretty(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).expect("the posts are JSON");
    serde_json::to_string_pretty(&value).expect("a value is written")
}

/// One order of 1 KB with nested objects, numbers and nulls.
fn order() -> String {
    let line = |n: usize| {
        format!(r#"{{"sku":"A-{n}00","name":"{}","quantity":{n},"price":{n}9.95}}"#, sentence(n, 4))
    };
    let lines = (1..=8).map(line).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"id":"o-1","userId":7,"status":"paid","total":129.5,"coupon":null,"gift":false,
"address":{{"street":"12 Hay St","city":"Perth","zip":"6000"}},"lines":[{lines}]}}"#
    )
}

/// A small object of 300 B, such as one user.
fn user() -> String {
    format!(
        concat!(
            r#"{{"id":1,"name":"Leanne Graham","username":"Bret","email":"leanne@example.com","#,
            r#""address":{{"street":"Kulas Light","suite":"Apt. 556","city":"Gwenborough","#,
            r#""zipcode":"92998-3874"}},"phone":"1-770-736-8031","website":"example.org","#,
            r#""company":"{}"}}"#
        ),
        sentence(1, 5)
    )
}

/// Pairs of numbers: short containers, nothing but punctuation and digits.
fn numbers() -> String {
    let pair = |n: usize| format!("[{}.{},-{}]", n * 31, n, n * n);
    format!("[{}]", (0..1500).map(pair).collect::<Vec<_>>().join(","))
}

/// Visits every value.
fn walk(value: Value<'_>) -> usize {
    match value.kind() {
        Kind::Object => value.members().map(|(name, value)| name.raw().len() + walk(value)).sum(),
        Kind::Array => value.items().map(walk).sum(),
        _ => value.raw().len(),
    }
}

/// What a projection of the titles does.
fn titles(body: &Body, out: &mut Vec<u8>) {
    for post in body.root().items() {
        for (name, value) in post.members() {
            if name == "title" {
                out.extend_from_slice(value.raw());
                break;
            }
        }
    }
}

/// The same, with each post's names foreseen from the one before.
fn titles_foreseen(body: &Body, out: &mut Vec<u8>) {
    let mut order: Vec<(Foreseen, bool)> = Vec::new();
    for post in body.root().items() {
        let mut members = post.members();
        let mut place = 0;
        loop {
            let foreseen = order.get(place);
            let foreseen =
                foreseen.and_then(|(name, wanted)| Some((*wanted, members.next_is(name)?)));
            let (wanted, value) = match foreseen {
                Some(found) => found,
                None => {
                    let Some((name, value)) = members.next() else { break };
                    order.truncate(place);
                    order.push((Foreseen::new(name), name == "title"));
                    (name == "title", value)
                }
            };
            place += 1;
            if wanted {
                out.extend_from_slice(value.raw());
                break;
            }
        }
    }
}

fn bodies(criterion: &mut Criterion) {
    let posts = posts();
    let texts = [
        ("user 300 B", user()),
        ("order 1 KB", order()),
        ("posts 26 KB", posts.clone()),
        ("posts pretty", pretty(&posts)),
        ("numbers 26 KB", numbers()),
    ];
    for (name, text) in texts {
        let mut group = criterion.benchmark_group(format!("{name}, {} bytes", text.len()));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let bytes = Bytes::from(text);
        group.bench_function("Body::parse", |b| b.iter(|| Body::parse(black_box(&bytes).clone())));
        let body = Body::parse(bytes.clone()).expect("the body is JSON");
        group.bench_function("walk", |b| b.iter(|| walk(black_box(&body).root())));
        group.bench_function("IgnoredAny", |b| {
            b.iter(|| serde_json::from_slice::<serde::de::IgnoredAny>(black_box(&bytes)))
        });
        group.bench_function("Value", |b| {
            b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&bytes)))
        });
        group.finish();
    }
}

fn projection(criterion: &mut Criterion) {
    let body = Body::parse(posts().into()).expect("the posts are JSON");
    let mut group = criterion.benchmark_group("posts 26 KB, titles only");
    let mut out = Vec::with_capacity(32 << 10);
    group.bench_function("members", |b| {
        b.iter(|| {
            out.clear();
            titles(black_box(&body), &mut out);
            out.len()
        })
    });
    group.bench_function("members, names foreseen", |b| {
        b.iter(|| {
            out.clear();
            titles_foreseen(black_box(&body), &mut out);
            out.len()
        })
    });
    group.bench_function("get", |b| {
        b.iter(|| {
            let items = black_box(&body).root().items();
            items.filter_map(|post| post.get("title")).map(|title| title.raw().len()).sum::<usize>()
        })
    });
    group.finish();
}

criterion_group!(benches, bodies, projection);
criterion_main!(benches);
