//! `tests/oracle/answers.rs` over whatever bytes are found to matter: the gateway responds as the
//! oracle does.

#![no_main]
#![allow(dead_code, reason = "the oracle's own tests use the rest of it")]

#[path = "../../../tests/oracle/answers.rs"]
mod answers;
#[path = "../../../tests/oracle/asking.rs"]
mod asking;
#[path = "../../../tests/oracle/bench.rs"]
mod bench;
#[path = "../../../tests/oracle/compare.rs"]
mod compare;
#[path = "../../../tests/oracle/coverage.rs"]
mod coverage;
#[path = "../../../tests/oracle/damage.rs"]
mod damage;
#[path = "../../../tests/oracle/gateway.rs"]
mod gateway;
#[path = "../../../tests/oracle/json.rs"]
mod json;
#[path = "../../../tests/oracle/literal.rs"]
mod literal;
#[path = "../../../tests/oracle/naive.rs"]
mod naive;
#[path = "../../../tests/oracle/names.rs"]
mod names;
#[path = "../../../tests/oracle/query.rs"]
mod query;
#[path = "../../../tests/oracle/random.rs"]
mod random;
#[path = "../../../tests/oracle/server.rs"]
mod server;
#[path = "../../../tests/oracle/sources.rs"]
mod sources;
#[path = "../../../tests/oracle/strict.rs"]
mod strict;
#[path = "../../../tests/oracle/tree.rs"]
mod tree;
#[path = "../../../tests/oracle/types.rs"]
mod types;
#[path = "../../../tests/oracle/world.rs"]
mod world;

use std::cell::RefCell;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};

use crate::bench::Bench;
use crate::types::Types;

static TYPES: LazyLock<Types> = LazyLock::new(|| Types::parse(gateway::SCHEMA));

thread_local! {
    static BENCH: RefCell<Bench<'static>> = RefCell::new(Bench::new(&TYPES));
}

fuzz_target!(|input: &[u8]| -> Corpus {
    match BENCH.with_borrow_mut(|bench| answers::check(bench, &TYPES, input)) {
        None => Corpus::Reject,
        Some(Ok(())) => Corpus::Keep,
        Some(Err(told)) => panic!("{told}"),
    }
});
