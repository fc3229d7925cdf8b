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
    /// It was executed: the data and, in their order as text, the paths of errors.
    Executed(String, Vec<String>),
}

impl Outcome {
    /// Whether it is what was expected. Of an error that names several places (a conflict of
    /// fields, a name that stands twice) one is enough; but each error must be told of, and
    /// nothing may be pointed at that is not expected to be.
    pub(crate) fn is(&self, expected: &Self) -> bool {
        let (Result::Refused(found), Result::Refused(expected)) = (&self.result, &expected.result)
        else {
            return self.result == expected.result;
        };
        let named: BTreeSet<_> = found.iter().flatten().collect();
        let known: BTreeSet<_> = expected.iter().flatten().collect();
        let told = |error: &Vec<String>| {
            error.is_empty() || error.iter().any(|place| named.contains(place))
        };
        named.is_subset(&known) && expected.iter().all(told)
    }

    /// An expectation as it was generated.
    pub(crate) fn read(expected: &Value) -> Self {
        let result = if expected["valid"] == true {
            Result::Valid
        } else if let Some(data) = expected.get("data") {
            Result::Executed(data.to_string(), sorted(items(&expected["paths"])))
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
    pub(crate) fn executed(response: &Value) -> Self {
        let errors = || items(&response["errors"]);
        let result = match response.get("data") {
            None => {
                let place = |at: &Value| format!("{}:{}", at["line"], at["column"]);
                let places = |error: &Value| items(&error["locations"]).map(place).collect();
                Result::Refused(errors().map(|error: &Value| places(error)).collect())
            }
            Some(data) => {
                Result::Executed(data.to_string(), sorted(errors().map(|error| &error["path"])))
            }
        };
        Self { result, told: errors().map(|error| format!("{} ", error["message"])).collect() }
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn sorted<'v>(paths: impl Iterator<Item = &'v Value>) -> Vec<String> {
    let mut paths: Vec<_> = paths.map(Value::to_string).collect();
    paths.sort();
    paths
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Result::Valid => f.write_str("it to be valid"),
            Result::Refused(places) => write!(f, "errors at {places:?}"),
            Result::Executed(data, paths) => write!(f, "{data} with errors {paths:?}"),
        }
    }
}
