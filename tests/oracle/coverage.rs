//! What the random cases have reached: a generator that has stopped making something makes its test
//! pass for nothing.

use std::collections::{BTreeMap, HashMap};
use std::ptr;

use crate::naive::Outcome;
use crate::query::Query;
use crate::server::State;
use crate::strict::Response;
use crate::types::Types;

/// Every code that a field's error may have here; the schema lets some of the upstreams' through.
const CODES: [&str; 19] = [
    "BAD_USER_INPUT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "CONFLICT",
    "RATE_LIMITED",
    "UPSTREAM_REJECTED",
    "UPSTREAM_FAILED",
    "UPSTREAM_UNAVAILABLE",
    "UPSTREAM_TIMEOUT",
    "UPSTREAM_ANSWER_TOO_LARGE",
    "UPSTREAM_BAD_ANSWER",
    "UPSTREAM_REPORTED_ERROR",
    "NO_BIO",
    "ROW",
    "GONE",
    "K",
    "4",
    "7",
];

/// How often each thing has been met.
#[derive(Default)]
pub(crate) struct Coverage {
    /// Fields, by the address of their definition.
    fields: HashMap<usize, u64>,
    codes: HashMap<String, u64>,
    facts: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub(crate) fn note(
        &mut self,
        query: &Query,
        ours: &Response,
        calls: &State,
        oracle: &Outcome,
        relaxed: u64,
    ) {
        for field in &oracle.fields {
            *self.fields.entry(*field).or_default() += 1;
        }
        for error in &ours.errors {
            *self.codes.entry(error.code.clone()).or_default() += 1;
        }
        let deep = |nulled: usize| {
            ours.errors.iter().any(|error| {
                let place = crate::compare::nulled(&error.path, ours.data.as_ref());
                error.path.len() - place.len() == nulled
            })
        };
        let text = query.text.as_str();
        for (fact, holds) in [
            ("data is null", ours.data.is_none()),
            ("errors", !ours.errors.is_empty()),
            ("no errors", ours.errors.is_empty()),
            ("a null that propagated through one position", deep(1)),
            ("a null that propagated through three positions", deep(3)),
            ("many keys in one request", calls.calls.iter().any(|call| call.keys.len() > 1)),
            (
                "a full request of a batch",
                calls.calls.iter().any(|call| call.keys.len() == crate::compare::most_keys(call)),
            ),
            ("failures whose order requests decide", relaxed > 0),
            ("mutations", query.mutates),
            ("fragments", text.contains("fragment ")),
            ("conditions of variables", text.contains("(if: $")),
            ("more than eight conditions", text.matches(": Boolean!").count() > 8),
            ("variables", !query.variables.is_empty()),
            ("aliases of one field", text.contains("a: ") && text.contains("b: ")),
        ] {
            *self.facts.entry(fact).or_default() += u64::from(holds);
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        let Self { fields, codes, facts } = other;
        fields.into_iter().for_each(|(field, met)| *self.fields.entry(field).or_default() += met);
        codes.into_iter().for_each(|(code, met)| *self.codes.entry(code).or_default() += met);
        facts.into_iter().for_each(|(fact, met)| *self.facts.entry(fact).or_default() += met);
    }

    /// What was met less often than once in so many cases.
    pub(crate) fn missing(&self, types: &Types, cases: u64) -> Vec<String> {
        let fields = types.objects().flat_map(|object| {
            object.fields.values().map(move |field| {
                let met = self.fields.get(&ptr::from_ref(&**field).addr());
                (format!("{}.{}", object.name, field.name), met.copied().unwrap_or_default(), 2000)
            })
        });
        let codes = CODES.iter().map(|code| {
            ((*code).to_owned(), self.codes.get(*code).copied().unwrap_or_default(), 10_000)
        });
        let facts = self.facts.iter().map(|(fact, met)| ((*fact).to_owned(), *met, 1000));
        let all = fields.chain(codes).chain(facts);
        let rare = all.filter(|(_, met, once_in)| met * once_in < cases);
        rare.map(|(what, met, _)| format!("{what}: {met} of {cases} cases")).collect()
    }

    /// All of it, the rarest first.
    pub(crate) fn told(&self, types: &Types) -> String {
        let mut told: Vec<(u64, String)> = Vec::new();
        for object in types.objects() {
            for field in object.fields.values() {
                let met = self.fields.get(&ptr::from_ref(&**field).addr()).copied();
                told.push((met.unwrap_or_default(), format!("{}.{}", object.name, field.name)));
            }
        }
        told.extend(self.codes.iter().map(|(code, met)| (*met, code.clone())));
        told.extend(self.facts.iter().map(|(fact, met)| (*met, (*fact).to_owned())));
        told.sort();
        told.into_iter().map(|(met, what)| format!("{met:>9} {what}\n")).collect()
    }
}
