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

mod asking;
mod compare;
mod damage;
mod gateway;
mod json;
mod literal;
mod naive;
mod query;
mod random;
mod server;
mod sources;
mod strict;
mod tree;
mod types;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::response::{JsonMap, JsonValue};
use serde_json::Value;

use crate::gateway::{Ours, SCHEMA, claims};
use crate::naive::Naive;
use crate::query::Query;
use crate::random::Random;
use crate::strict::Response;
use crate::types::Types;
use crate::world::World;

/// Where the seeds of the cases begin, unless `ORACLE_SEED` says.
const SEED: u64 = 20_250_901;
/// How many cases there are, unless `ORACLE_CASES` says.
const CASES: u64 = 100_000;
const THREADS: usize = 2;
/// How many failing cases are told in full, unless `ORACLE_TOLD` says.
const TOLD: u64 = 3;

#[test]
fn random_queries_over_mutated_answers_are_answered_as_the_oracle_answers_them() {
    let number = |name: &str, or: u64| {
        let given = std::env::var(name).ok();
        given.map_or(or, |given| given.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let (seed, cases) = (number("ORACLE_SEED", SEED), number("ORACLE_CASES", CASES));
    let types = Types::parse(SCHEMA);
    let next = AtomicU64::new(0);
    let failed: Vec<(u64, String)> = thread::scope(|scope| {
        let run = || {
            let bench = Bench { types: &types, ours: Ours::new(), claims: claims() };
            let mut failed = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= cases {
                    return failed;
                }
                let case = seed.wrapping_add(index);
                let ran = catch_unwind(AssertUnwindSafe(|| bench.case(case)));
                if let Err(told) = ran.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                    failed.push((case, told));
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread ends")).collect()
    });
    let told: Vec<String> = failed
        .iter()
        .take(number("ORACLE_TOLD", TOLD) as usize)
        .map(|(seed, told)| format!("ORACLE_SEED={seed} ORACLE_CASES=1\n{told}"))
        .collect();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} of {cases} cases differ\n\n{}", told.join("\n\n"));
}

/// What one thread runs its cases with.
struct Bench<'t> {
    types: &'t Types,
    ours: Ours,
    claims: Value,
}

impl Bench<'_> {
    /// One case: a query, and now and then the same once more, where its plan is known, in another
    /// world and with other conditions.
    fn case(&self, seed: u64) -> Result<(), String> {
        let mut random = Random::new(seed);
        let mut query = Query::random(self.types, random.next());
        let document = ExecutableDocument::parse_and_validate(
            &self.types.strict,
            query.text.as_str(),
            "query.graphql",
        );
        let document = match document {
            Ok(document) => document,
            Err(invalid) => return Err(format!("not valid: {}\n{}", query.text, invalid.errors)),
        };
        let again = random.percent(15);
        for turn in 0..1 + u8::from(again) {
            if turn > 0 {
                for value in query.variables.values_mut() {
                    if let Value::Bool(yes) = value {
                        *yes ^= random.percent(50);
                    }
                }
            }
            let world = Arc::new(World::random(random.next()));
            let known = random.percent(60);
            self.turn(&query, &document, &world, known)?;
        }
        Ok(())
    }

    fn turn(
        &self,
        query: &Query,
        document: &apollo_compiler::validation::Valid<ExecutableDocument>,
        world: &Arc<World>,
        known: bool,
    ) -> Result<(), String> {
        let claims = known.then_some(&self.claims);
        let variables = bytes(&query.variables);
        let oracle = Naive::new(world, self.types, claims).execute(document, &variables);
        let oracle = oracle.ok_or_else(|| format!("the oracle refuses {}", query.text))?;
        let (body, state) = self.ours.ask(world, query, known);
        let relaxed = || {
            let naive = Naive::new(world, self.types, claims).relaxed();
            let document = ExecutableDocument::parse_and_validate(
                naive.schema(),
                query.text.as_str(),
                "query.graphql",
            );
            let document = document.expect("what is valid stays so where more is nullable");
            naive.execute(&document, &variables).expect("the same variables are taken")
        };
        let compared = Response::parse(&body, &query.text).and_then(|ours| {
            compare::responses(&ours, &oracle, &mut || relaxed().failures)?;
            compare::calls(&state, &oracle, query.mutates, &mut || relaxed())
        });
        compared.map_err(|told| {
            let calls = |calls: &[server::Call]| {
                calls.iter().map(|call| format!("\n  {}", call.line)).collect::<String>()
            };
            format!(
                "{told}\nquery: {}\nvariables: {}\nidentity: {known}\nresponse: {}\nfaults: {:?}\n\
                 our calls:{}\nthe oracle's calls:{}",
                query.text,
                Value::Object(query.variables.clone()),
                String::from_utf8_lossy(&body),
                world.faults,
                calls(&state.calls),
                calls(&oracle.state.calls),
            )
        })
    }
}

/// Variables as apollo's types.
fn bytes(variables: &serde_json::Map<String, Value>) -> JsonMap {
    let member =
        |(name, value): (&String, &Value)| (name.as_str().into(), JsonValue::from(value.clone()));
    variables.iter().map(member).collect()
}
