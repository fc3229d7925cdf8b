//! What the oracle has found, each fault at its smallest.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::gateway::SCHEMA;
use crate::query::Query;
use crate::tree::Tree;
use crate::types::Types;
use crate::world::{Fault, World};

/// Both sides give this `data` and these codes for a query of a known caller.
fn both_give(world: World, text: &str, data: &str, codes: &[&str]) {
    both_give_with(world, (text, json!({})), data, codes);
}

/// The same with variables.
fn both_give_with(world: World, (text, variables): (&str, Value), data: &str, codes: &[&str]) {
    let types = Types::parse(SCHEMA);
    let mutates = text.starts_with("mutation");
    let variables = variables.as_object().cloned().unwrap_or_default();
    let query = Query { text: text.to_owned(), variables, mutates };
    let response = Bench::new(&types).compare(&query, &Arc::new(world), true);
    let response = response.unwrap_or_else(|told| panic!("{told}"));
    let response: Value = serde_json::from_str(&response).expect("JSON");
    assert_eq!(response["data"].to_string(), data);
    let errors = response["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<_> = errors.iter().map(|error| &error["extensions"]["code"]).collect();
    assert_eq!(told, codes);
}

fn tree(text: &str) -> Tree {
    Tree::read(&serde_json::from_str(text).expect("JSON"))
}

#[test]
fn a_lookup_by_one_key_sends_that_key() {
    let orders = vec![tree(r#"{"id": 11, "total": 5}"#)];
    let world = World { orders, ..World::empty() };
    both_give(world, "{order(id: 11) {total}}", r#"{"order":{"total":5}}"#, &[]);
}

#[test]
fn stubs_of_nothing_are_an_empty_list_not_null() {
    both_give(World::empty(), "{recent {id}}", r#"{"recent":[]}"#, &[]);
}

#[test]
fn one_null_among_keys_is_one_null_in_the_list() {
    let users = vec![tree(r#"{"id": "1", "contacts": [{"userId": null}]}"#)];
    let world = World { users, ..World::empty() };
    let query = "{user(id: 1) {contacts {phone} allies {id}}}";
    both_give(world, query, r#"{"user":null}"#, &["UPSTREAM_BAD_ANSWER"]);
    let orders = vec![tree(r#"{"id": "11", "items": [{"productId": null}]}"#)];
    let world = World { orders, ..World::empty() };
    both_give(world, "{order(id: 11) {goods {id}}}", r#"{"order":{"goods":[null]}}"#, &[]);
}

#[test]
fn one_key_where_a_list_of_keys_is_declared_is_no_list() {
    let users = vec![tree(r#"{"id": "1", "friendIds": "1"}"#)];
    let world = World { users, ..World::empty() };
    let data = r#"{"user":{"friends":null}}"#;
    both_give(world, "{user(id: 1) {friends {id}}}", data, &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn a_key_that_cannot_be_sent_costs_its_own_value_only() {
    let products = vec![tree(r#"{"id": "p1", "kind": "prod", "name": "a"}"#)];
    let world = World { products, ..World::empty() };
    let data = r#"{"things":[{"name":"a"},null]}"#;
    let query = r#"{things(ids: ["p1", "x,y"]) {name}}"#;
    both_give(world, query, data, &["BAD_USER_INPUT"]);
    let orders = vec![tree(r#"{"id": "11", "total": 5, "relatedIds": ["11", "", ["12"]]}"#)];
    let world = World { orders, ..World::empty() };
    let data = r#"{"order":{"related":[{"total":5},null,null]}}"#;
    let query = "{order(id: 11) {related {total}}}";
    both_give(world, query, data, &["UPSTREAM_BAD_ANSWER", "UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn a_write_that_answers_nothing_is_read_again() {
    let users = vec![tree(r#"{"id": "1", "visits": 0}"#)];
    let world = World { users, ..World::empty() };
    let query = "mutation {touch(id: 1) {visits} again: touch(id: 1) {visits} gone(id: 1)}";
    let data = r#"{"touch":{"visits":1},"again":{"visits":2},"gone":"gone 1"}"#;
    both_give(world, query, data, &[]);
}

#[test]
fn root_fields_may_be_grouped() {
    let status = tree(r#"{"level": "open"}"#);
    let world = World { status, ..World::empty() };
    let data = r#"{"shop":{"deep":{"level":"OPEN"}}}"#;
    both_give(world, "{shop {deep {level}}}", data, &[]);
}

#[test]
fn at_takes_every_value() {
    let users = vec![tree(r#"{"address": {"city": "Oslo"}}"#), tree(r#"{"address": null}"#)];
    let world = World { users, ..World::empty() };
    both_give(world, "{cities}", r#"{"cities":["Oslo"]}"#, &[]);
    let people = Fault::Other(tree(r#"{"data": {"items": {}}}"#));
    let world = World { faults: vec![("people", people)], ..World::empty() };
    both_give(world, "{cities}", r#"{"cities":null}"#, &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn rows_of_each_item_are_a_list_or_an_error() {
    let orders = vec![tree(r#"{"id": "11"}"#)];
    let faults = vec![("payments", Fault::Other(tree(r#"{"data": {}}"#)))];
    let world = World { orders, faults, ..World::empty() };
    let data = r#"{"order":{"payments":null}}"#;
    both_give(world, "{order(id: 11) {payments {id}}}", data, &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn a_failure_of_what_stubs_lead_to_is_located_where_they_are_asked_for() {
    // Locations are checked of every response.
    let orders = vec![tree(r#"{"id": ""}"#)];
    let world = World { orders, ..World::empty() };
    both_give(world, "{latest {id}}", "null", &["UPSTREAM_BAD_ANSWER"]);
    let users = vec![tree(r#"{"id": "1", "bossId": "x", "name": null}"#), tree(r#"{"id": "x"}"#)];
    let world = World { users, ..World::empty() };
    let query = "{user(id: 1) {spouse {name}}}";
    both_give(world, query, r#"{"user":{"spouse":null}}"#, &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn data_that_is_null_has_one_error_also_after_several_writes() {
    let orders = vec![tree(r#"{"id": "11", "items": []}"#)];
    let world = World { orders, ..World::empty() };
    let query =
        r#"mutation {note(id: 11) {first {sku} id total2} place(input: {user: "1"}) {total}}"#;
    both_give(world, query, "null", &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn every_item_of_a_claim_is_sent() {
    let data = r#"{"groups":"g=1,é/6&=?%;r=x;r=1;","peers":[null,null]}"#;
    both_give(World::empty(), "{groups peers {id}}", data, &[]);
}

#[test]
fn items_of_what_is_no_list_are_not_sent() {
    let users = vec![tree(r#"{"id": "1", "contacts": {"userId": "2"}}"#), tree(r#"{"id": "2"}"#)];
    let world = World { users, ..World::empty() };
    let data = r#"{"users":[{"circle":null},{"circle":null}]}"#;
    both_give(world, "{users(ids: [1, 2]) {circle}}", data, &["UPSTREAM_BAD_ANSWER"]);
}

#[test]
fn arguments_that_nothing_reads_are_coerced_too() {
    let users = vec![tree(r#"{"id": "1", "nick": "n"}"#)];
    let world = World { users, ..World::empty() };
    let query = "query($short: Boolean = true) {user(id: 1) {nick(short: $short)}}";
    let data = r#"{"user":{"nick":null}}"#;
    both_give_with(world, (query, json!({"short": null})), data, &["BAD_USER_INPUT"]);
}
