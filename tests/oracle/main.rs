//! The oracle test: random queries over mutated answers, executed by the gateway and by another
//! executor that knows nothing of it.
//!
//! The other one is apollo-compiler's own executor over the document, with resolvers that make one
//! call for each parent and key and walk trees of `serde_json` (`naive.rs`, `sources.rs`). So a
//! fault of planning, merging, batching, matching rows or projection cannot be shared. What counts
//! as equal is in `compare.rs`.
//!
//! `ORACLE_SEED=7 ORACLE_CASES=1 cargo test --test oracle` runs the case of one seed, as a failure
//! prints it; more cases go on from there.

mod answers;
mod asking;
mod bench;
mod compare;
mod coverage;
mod damage;
mod gateway;
mod json;
mod literal;
mod naive;
mod names;
mod query;
mod random;
mod regressions;
mod server;
mod sources;
mod strict;
mod tree;
mod types;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::bench::Bench;
use crate::coverage::Coverage;
use crate::gateway::SCHEMA;
use crate::types::Types;

/// Where the seeds of the cases begin, unless `ORACLE_SEED` says.
const SEED: u64 = 20_250_901;
/// How many cases there are, unless `ORACLE_CASES` says.
const CASES: u64 = 100_000;
const THREADS: usize = 2;
/// How many failing cases are told in full, unless `ORACLE_TOLD` says.
const TOLD: u64 = 3;
/// So many cases must have met everything.
const ENOUGH: u64 = 20_000;

#[test]
fn random_queries_over_mutated_answers_are_answered_as_the_oracle_answers_them() {
    let (seed, cases) = (number("ORACLE_SEED", SEED), number("ORACLE_CASES", CASES));
    let types = Types::parse(SCHEMA);
    let next = AtomicU64::new(0);
    let run = || {
        let mut bench = Bench::new(&types);
        let mut failed: Vec<(u64, String)> = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= cases {
                return (failed, bench.coverage);
            }
            let case = seed.wrapping_add(index);
            let ran = catch_unwind(AssertUnwindSafe(|| bench.case(case)));
            if let Err(told) = ran.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                failed.push((case, told));
            }
        }
    };
    let (mut failed, mut coverage) = (Vec::new(), Coverage::default());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            let (of_thread, met) = thread.join().expect("a thread ends");
            failed.extend(of_thread);
            coverage.add(met);
        }
    });
    failed.sort_unstable();
    let told: Vec<String> = failed
        .iter()
        .take(number("ORACLE_TOLD", TOLD) as usize)
        .map(|(seed, told)| format!("ORACLE_SEED={seed} ORACLE_CASES=1\n{told}"))
        .collect();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} of {cases} cases differ\n\n{}", told.join("\n\n"));
    // Shown with `--nocapture`.
    println!("{}", coverage.told(&types));
    let missing = coverage.missing(&types, cases);
    assert!(cases < ENOUGH || missing.is_empty(), "hardly met: {missing:#?}");
}

/// What fuzzing begins with and has found (`soak/fuzz`).
#[test]
fn answers_of_any_bytes_are_answered_as_the_oracle_answers_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("soak/fuzz/seeds/answers");
    let types = Types::parse(SCHEMA);
    let mut bench = Bench::new(&types);
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("inputs") {
        let input = std::fs::read(file.expect("a file").path()).expect("an input");
        let ran = answers::check(&mut bench, &types, &input).expect("enough bytes");
        ran.unwrap_or_else(|told| panic!("{told}"));
        count += 1;
    }
    assert!(count > 5, "{count} inputs");
}

fn number(name: &str, or: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(or, |given| given.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
