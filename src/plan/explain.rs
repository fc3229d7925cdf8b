//! A plan told to people (`Display`) and to programs (`Serialize`): which requests it makes, in
//! which order, and how many upstream calls that comes to.

mod forecast;
mod text;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Args, Fetch, Input, Mask, Operation, OperationKind, Plan};
use crate::schema::{By, CacheControl, CacheScope};
use crate::template::{KeyPath, Root};

use forecast::Forecasts;

/// A plan, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// `query Dashboard`.
    pub operation: String,
    /// The values of the variables that `@skip` and `@include` read, which the plan is for.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub conditions: IndexMap<String, bool>,
    /// How many fetches wait for each other at most.
    pub stages: u32,
    /// How many upstream calls all of it takes.
    pub calls: TotalCalls,
    /// The fetches, parents before children.
    pub fetches: Vec<FetchExplanation>,
    /// Whether `__schema` or `__type` is answered, without a call.
    pub introspection: bool,
}

/// How many upstream calls a plan takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TotalCalls {
    /// So many while each batch fits one request.
    pub calls: u32,
    /// Whether that is certain; otherwise batches may take more, or fetches call for each parent.
    pub exact: bool,
    /// How many fetches make a call for each parent, beside those calls.
    pub fetches_by_parent: u32,
}

/// One fetch of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct FetchExplanation {
    /// Counted from 1.
    pub number: u32,
    /// The root field of a mutation that it belongs to, counted from 1; 1 in a query.
    pub step: u32,
    /// How many fetches wait for each other until this one starts, itself included.
    pub stage: u32,
    /// The fetch whose answers it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
    /// Type and field of the schema.
    pub coordinate: String,
    /// Response keys from the root.
    pub path: String,
    /// The upstream's name.
    pub upstream: String,
    /// Method, path and query as the schema has them.
    pub request: String,
    /// The field's arguments by name, variables with their dollar.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub args: IndexMap<String, String>,
    /// Where the key comes from: `this.id`, `args.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How parents share requests, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchExplanation>,
    /// How many calls it makes.
    pub calls: Calls,
    /// How long the schema says its answers are kept; without it they say so themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheExplanation>,
}

/// What `@cacheControl` says of a fetch's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheExplanation {
    /// In seconds.
    pub max_age: u64,
    /// `PUBLIC` or `PRIVATE`.
    pub scope: &'static str,
}

/// How a batch's keys are gathered and its rows handed out.
#[derive(Debug, Clone, Serialize)]
pub struct BatchExplanation {
    /// The property of a row that equals its key; `@key`: rows are named by it.
    pub by: String,
    /// At most so many keys a request.
    pub max: usize,
    /// What parents must have in common, beside the arguments, to share a request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<String>,
}

/// How many upstream calls a fetch makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// One.
    One,
    /// One for all keys, as long as they fit the batch.
    OneBatch,
    /// One for each parent.
    OneEach,
    /// None of its own: its request is also that of the fetch of this number.
    SharedWith(u32),
}

/// Explains a plan of an operation.
#[must_use]
pub fn explain(plan: &Plan, operation: &Operation<'_>, mask: &Mask) -> Explanation {
    let forecasts = Forecasts::of(plan);
    let fetches: Vec<_> = (0u32..)
        .zip(&plan.fetches)
        .map(|(index, fetch)| {
            let forecast = forecasts.get(index);
            FetchExplanation {
                number: index + 1,
                step: forecast.step + 1,
                stage: forecast.stage,
                after: fetch.parent.map(|parent| parent.0 + 1),
                coordinate: fetch.coordinate.to_string(),
                path: fetch.path.to_string(),
                upstream: fetch.endpoint.upstream.to_string(),
                request: fetch.endpoint.label.to_string(),
                args: args(plan.args.get(fetch.args.0 as usize), operation),
                key: fetch.key.as_ref().map(key),
                batch: batch(fetch),
                calls: forecast.calls,
                cache: fetch.endpoint.cache.map(|CacheControl { max_age, scope }| {
                    let scope = match scope {
                        CacheScope::Public => "PUBLIC",
                        CacheScope::Private => "PRIVATE",
                    };
                    CacheExplanation { max_age: max_age.as_secs(), scope }
                }),
            }
        })
        .collect();
    let kind = match plan.kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    };
    Explanation {
        operation: match &plan.name {
            Some(name) => format!("{kind} {name}"),
            None => kind.to_owned(),
        },
        conditions: conditions(operation, mask),
        stages: fetches.iter().map(|fetch| fetch.stage).max().unwrap_or(0),
        calls: total(&fetches),
        fetches,
        introspection: plan.introspects,
    }
}

fn total(fetches: &[FetchExplanation]) -> TotalCalls {
    let count = |wanted: fn(&Calls) -> bool| {
        let found = fetches.iter().filter(|fetch| wanted(&fetch.calls)).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let fetches_by_parent = count(|calls| matches!(calls, Calls::OneEach));
    let batches = count(|calls| matches!(calls, Calls::OneBatch));
    TotalCalls {
        calls: batches + count(|calls| matches!(calls, Calls::One)),
        exact: batches == 0 && fetches_by_parent == 0,
        fetches_by_parent,
    }
}

fn conditions(operation: &Operation<'_>, mask: &Mask) -> IndexMap<String, bool> {
    let variables = operation.condition_variables().iter().filter_map(|index| {
        operation.variables().get(*index as usize).map(|variable| format!("${}", variable.name()))
    });
    variables.zip(mask.values()).collect()
}

fn batch(fetch: &Fetch) -> Option<BatchExplanation> {
    let batch = fetch.endpoint.batch.as_ref()?;
    let by = match &batch.by {
        By::Property(path) => path.to_string(),
        By::Name => "@key".to_owned(),
    };
    let mut alike: Vec<String> = Vec::new();
    for (_, reference) in fetch.endpoint.request.references() {
        let written = reference.as_written();
        if reference.root == Root::This && !alike.iter().any(|known| known == written) {
            alike.push(written.to_owned());
        }
    }
    Some(BatchExplanation { by, max: batch.max, alike })
}

fn key(key: &KeyPath) -> String {
    let root = key.root.name();
    match key.path.to_string() {
        path if path == "." => root.to_owned(),
        path if path.starts_with('[') => format!("{root}{path}"),
        path => format!("{root}.{path}"),
    }
}

fn args(args: Option<&Args>, operation: &Operation<'_>) -> IndexMap<String, String> {
    let values = args.into_iter().flat_map(|args| &args.values);
    let text = |(name, value): &(Box<str>, Input)| (name.to_string(), input(value, operation));
    values.map(text).collect()
}

fn input(value: &Input, operation: &Operation<'_>) -> String {
    match value {
        Input::Literal(text) => String::from_utf8_lossy(text).into_owned(),
        Input::Variable { index, .. } => match operation.variables().get(*index as usize) {
            Some(variable) => format!("${}", variable.name()),
            None => "$".to_owned(),
        },
        Input::List(items) => {
            let items: Vec<_> = items.iter().map(|item| input(item, operation)).collect();
            format!("[{}]", items.join(", "))
        }
        Input::Object(members) => {
            let member =
                |(name, value): &(Box<str>, Input)| format!("{name}: {}", input(value, operation));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}
