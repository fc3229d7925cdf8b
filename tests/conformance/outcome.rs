//! What becomes of a case, as far as it is compared.

use std::collections::BTreeSet;
use std::fmt;

use onedoor::plan::{Document, Location, RequestError};
use serde_json::Value;

/// What becomes of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    result: Result,
    /// The messages, which are not compared.
    pub(crate) told: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Result {
    /// Nothing is wrong with the document; it was not to be executed.
    Valid,
    /// It is refused: the places `line:column` that each error names.
    Refused(BTreeSet<Vec<String>>),
    /// It was executed: the data and, in their order as text, each error's path and places.
    Executed(String, Vec<String>),
}

impl Outcome {
    /// Whether it is what was expected: each error must be told of, and nothing may be pointed at
    /// that is not expected to be. An error that names several places (a conflict of fields, a name
    /// that stands twice) may do so by two of them.
    pub(crate) fn is(&self, expected: &Self) -> bool {
        let (Result::Refused(found), Result::Refused(expected)) = (&self.result, &expected.result)
        else {
            return self.result == expected.result;
        };
        let named: BTreeSet<_> = found.iter().flatten().collect();
        let told = |error: &Vec<String>| {
            error.is_empty() || error.iter().any(|place| named.contains(place))
        };
        let meant = |error: &Vec<String>, expected: &Vec<String>| {
            error.len() >= expected.len().min(2)
                && error.iter().all(|place| expected.contains(place))
        };
        let right = |error: &Vec<String>| {
            error.is_empty() || expected.iter().any(|expected| meant(error, expected))
        };
        expected.iter().all(told) && found.iter().all(right)
    }

    /// An expectation as it was generated.
    pub(crate) fn read(expected: &Value) -> Self {
        let result = if expected["valid"] == true {
            Result::Valid
        } else if let Some(data) = expected.get("data") {
            Result::Executed(
                unordered(data),
                items(&expected["raised"]).filter_map(Value::as_str).map(str::to_owned).collect(),
            )
        } else {
            let errors = items(&expected["errors"]).filter_map(Value::as_str);
            let places = |error: &str| error.split_whitespace().map(str::to_owned).collect();
            Result::Refused(errors.map(places).collect())
        };
        Self { result, told: String::new() }
    }

    /// What Onedoor says of a document.
    pub(crate) fn validated(validated: &std::result::Result<Document, Vec<RequestError>>) -> Self {
        let Err(errors) = validated else {
            return Self { result: Result::Valid, told: String::new() };
        };
        let place = |at: &Location| format!("{}:{}", at.line, at.column);
        let places = |error: &RequestError| error.locations.iter().map(place).collect();
        let told = errors.iter().map(|error| format!("{} ", error.failure.message)).collect();
        Self { result: Result::Refused(errors.iter().map(places).collect()), told }
    }

    /// Onedoor's response.
    ///
    /// # Panics
    /// It has an entry that the specification's section 7.1 does not know, or lacks one.
    pub(crate) fn executed(response: &Value) -> Self {
        well_formed(response);
        let errors = || items(&response["errors"]);
        let result = match response.get("data") {
            None => Result::Refused(errors().map(places).collect()),
            Some(data) => {
                let raised = |error: &Value| {
                    let mut places = places(error);
                    places.sort();
                    places.dedup();
                    format!("{} at {}", error["path"], places.join(" "))
                };
                let mut raised: Vec<_> = errors().map(raised).collect();
                raised.sort();
                Result::Executed(unordered(data), raised)
            }
        };
        Self { result, told: errors().map(|error| format!("{} ", error["message"])).collect() }
    }
}

/// What sections 7.1.1, 7.1.3, 7.1.6, 7.1.7 and 7.1.8 say of any response.
fn well_formed(response: &Value) {
    let has = |key: &str| response.get(key).is_some();
    let only = |of: &Value, known: &[&str]| {
        let of = of.as_object().expect("a map");
        let other = of.keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(other, None, "an entry of no specification: {response}");
    };
    only(response, &["data", "errors", "extensions"]);
    assert!(has("data") || has("errors"), "neither data nor errors: {response}");
    let some = response["errors"].as_array().is_some_and(|errors| !errors.is_empty());
    assert!(some || !has("errors"), "`errors` is no list of errors: {response}");
    for error in items(&response["errors"]) {
        only(error, &["message", "locations", "path", "extensions"]);
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "an error without a message: {response}");
        assert_eq!(error.get("path").is_some(), has("data"), "a path or none: {response}");
        for place in items(&error["locations"]) {
            only(place, &["line", "column"]);
            let positive = |key: &str| place[key].as_u64().is_some_and(|number| number > 0);
            assert!(positive("line") && positive("column"), "a place: {response}");
        }
        let segment = |part: &Value| part.is_string() || part.is_u64();
        assert!(items(&error["path"]).all(segment), "a path: {response}");
    }
}

/// The data as text. Of introspection, types, directives and possible types have no order (section
/// 4.2), and what GraphQL itself defines is described in each implementation's own words and order.
fn unordered(data: &Value) -> String {
    let mut data = data.clone();
    order(&mut data, false);
    data.to_string()
}

fn order(value: &mut Value, own: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| order(item, own)),
        Value::Object(members) => {
            let name = members.get("name").and_then(Value::as_str).unwrap_or_default();
            let own = own || name.starts_with("__") || OWN.contains(&name);
            for (key, value) in members.iter_mut() {
                order(value, own);
                match (key.as_str(), &mut *value) {
                    (key, Value::Array(items)) if own || UNORDERED.contains(&key) => {
                        items.sort_by_key(|item| item["name"].to_string() + &item.to_string());
                    }
                    ("description", text) if own => *text = Value::Null,
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Lists without an order.
const UNORDERED: [&str; 4] = ["types", "directives", "possibleTypes", "locations"];

/// The scalars and directives that GraphQL defines.
const OWN: [&str; 10] = [
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "skip",
    "include",
    "deprecated",
    "specifiedBy",
    "oneOf",
];

/// The places that an error of a response names.
fn places(error: &Value) -> Vec<String> {
    let place = |at: &Value| format!("{}:{}", at["line"], at["column"]);
    items(&error["locations"]).map(place).collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Result::Valid => f.write_str("it to be valid"),
            Result::Refused(places) => write!(f, "errors at {places:?}"),
            Result::Executed(data, raised) => write!(f, "{data} with errors {raised:?}"),
        }
    }
}
