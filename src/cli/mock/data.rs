//! The rows: what stands in the data file, checked once, and what writes make of it.
//!
//! Knows nothing of HTTP.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::faults;

/// One row, or one single resource.
pub(super) type Row = Map<String, Value>;

/// All resources by name, in the file's order.
pub(super) type Data = IndexMap<String, Resource>;

/// What stands behind one name of the data file.
#[derive(Debug)]
pub(super) enum Resource {
    /// A list of rows.
    Collection(Collection),
    /// One object.
    Single(Row),
}

/// Rows in the file's order, found by the text of their id without looking at the others.
#[derive(Debug)]
pub(super) struct Collection {
    id: String,
    rows: IndexMap<String, Row>,
}

/// One mistake in a [`super::Mock`]'s data or options.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The file holds something else than an object.
    #[error("the data is {found}; it must be an object of collections: {{\"orders\": [..]}}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// No path could reach a resource of this name.
    #[error("`{name}` cannot be the name of a resource: {why}")]
    BadName {
        /// The name.
        name: String,
        /// What speaks against it.
        why: &'static str,
    },
    /// A value at the top level is neither a list nor an object.
    #[error("`{name}` is {found}; it must be a list of objects, or an object")]
    NotAResource {
        /// The value's name.
        name: String,
        /// What it is.
        found: &'static str,
    },
    /// A collection holds something else than objects.
    #[error("`{collection}[{row}]` is {found}; every row must be an object")]
    RowNotAnObject {
        /// The collection's name.
        collection: String,
        /// The row's place, from 0.
        row: usize,
        /// What it is.
        found: &'static str,
    },
    /// A row cannot be told from the others.
    #[error("`{collection}[{row}].{id}` is {found}; every row needs a string or a number there")]
    BadId {
        /// The collection's name.
        collection: String,
        /// The row's place, from 0.
        row: usize,
        /// The property that holds the id.
        id: String,
        /// What it is.
        found: &'static str,
    },
    /// Two rows have the same id; ids are compared as text.
    #[error("`{collection}[{row}].{id}` is {value}, as is that of `{collection}[{first}]`")]
    DuplicateId {
        /// The collection's name.
        collection: String,
        /// The later row's place, from 0.
        row: usize,
        /// The earlier row's place, from 0.
        first: usize,
        /// The property that holds the id.
        id: String,
        /// The id in JSON, as it stands in the later row.
        value: String,
    },
    /// A stream cannot be where, or what, it is said to be.
    #[error("the stream `{path}` cannot be: {why}")]
    BadStream {
        /// The stream's path.
        path: String,
        /// What speaks against it.
        why: &'static str,
    },
    /// A stream sends the rows of a collection.
    #[error("the stream `{path}` has no rows: there is no collection `{rows}`")]
    StreamOfNothing {
        /// The stream's path.
        path: String,
        /// What it is to send.
        rows: String,
        /// The collections there are.
        known: Vec<String>,
    },
    /// A rate is a share of all answers.
    #[error("the failure rate is {0}; it must be from 0 (never) to 1 (always)")]
    FailureRate(f64),
}

/// Why a row cannot be added.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// The row's own id is neither a string nor a number.
    BadId { id: String, found: &'static str },
    /// Another row has this id.
    Taken(String),
}

/// The resources of a data file.
pub(super) fn parse(data: Value, id: &str) -> Result<Data, Vec<Problem>> {
    let Value::Object(members) = data else {
        return Err(vec![Problem::NotAnObject { found: kind(&data) }]);
    };
    let mut resources = Data::new();
    let mut problems = Vec::new();
    // Editors look for a schema's address there (json-server leaves it alone too).
    for (name, value) in members.into_iter().filter(|(name, _)| name != "$schema") {
        match resource(&name, value, id) {
            Ok(resource) => drop(resources.insert(name, resource)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(resources) } else { Err(problems) }
}

fn resource(name: &str, value: Value, id: &str) -> Result<Resource, Problem> {
    let bad_name = |why| Err(Problem::BadName { name: name.to_owned(), why });
    match name {
        "" => return bad_name("it is empty"),
        "db" => return bad_name("`GET /db` answers with all the data"),
        _ if name.contains('/') => return bad_name("`/` separates the segments of a path"),
        _ => {}
    }
    match value {
        Value::Array(rows) => Collection::new(name, rows, id).map(Resource::Collection),
        Value::Object(single) => Ok(Resource::Single(single)),
        other => Err(Problem::NotAResource { name: name.to_owned(), found: kind(&other) }),
    }
}

impl Collection {
    fn new(name: &str, values: Vec<Value>, id: &str) -> Result<Self, Problem> {
        let mut rows = IndexMap::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            let Value::Object(row) = value else {
                let (collection, found) = (name.to_owned(), kind(&value));
                return Err(Problem::RowNotAnObject { collection, row: place, found });
            };
            let Some(key) = row.get(id).and_then(id_text) else {
                return Err(Problem::BadId {
                    collection: name.to_owned(),
                    row: place,
                    id: id.to_owned(),
                    found: row.get(id).map_or("missing", kind),
                });
            };
            if let Some(first) = rows.get_index_of(&*key) {
                return Err(Problem::DuplicateId {
                    collection: name.to_owned(),
                    row: place,
                    first,
                    id: id.to_owned(),
                    value: row.get(id).map(Value::to_string).unwrap_or_default(),
                });
            }
            rows.insert(key.into_owned(), row);
        }
        Ok(Self { id: id.to_owned(), rows })
    }

    /// The property that holds the id.
    pub(super) fn id_property(&self) -> &str {
        &self.id
    }

    /// Every row, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The rows of these ids, in the collection's order, each once; unknown ids give none.
    pub(super) fn with_ids<'a>(&'a self, ids: impl Iterator<Item = &'a str>) -> Vec<&'a Row> {
        let mut places: Vec<usize> = ids.filter_map(|id| self.rows.get_index_of(id)).collect();
        places.sort_unstable();
        places.dedup();
        places.iter().filter_map(|&place| self.rows.get_index(place)).map(|(_, row)| row).collect()
    }

    /// One row.
    pub(super) fn get(&self, id: &str) -> Option<&Row> {
        self.rows.get(id)
    }

    /// Adds a row at the end; one without an id (absent, null or empty) gets the next: the highest
    /// and one where all ids are whole numbers, else seven letters drawn from `seed`.
    pub(super) fn insert(&mut self, mut row: Row, seed: u64) -> Result<&Row, Refused> {
        let own = match row.get(&self.id) {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if id.is_empty() => None,
            Some(id) => match id_text(id) {
                Some(key) => Some(key.into_owned()),
                None => {
                    return Err(Refused::BadId { id: self.id.clone(), found: kind(id) });
                }
            },
        };
        let key = match own {
            Some(key) if self.rows.contains_key(&key) => return Err(Refused::Taken(key)),
            Some(key) => key,
            None => {
                let id = self.next_id(seed);
                let key = id_text(&id).unwrap_or_default().into_owned();
                row.insert(self.id.clone(), id);
                key
            }
        };
        Ok(self.rows.entry(key).or_insert(row))
    }

    /// Puts a row in another's place, which keeps its id.
    pub(super) fn replace(&mut self, id: &str, mut row: Row) -> Option<&Row> {
        let old = self.rows.get_mut(id)?;
        row.insert(self.id.clone(), old.get(&self.id).cloned().unwrap_or_default());
        *old = row;
        Some(old)
    }

    /// Sets some properties of a row, which keeps its id.
    pub(super) fn merge(&mut self, id: &str, mut changes: Row) -> Option<&Row> {
        let row = self.rows.get_mut(id)?;
        changes.shift_remove(&self.id);
        row.extend(changes);
        Some(row)
    }

    /// Takes a row away.
    pub(super) fn remove(&mut self, id: &str) -> Option<Row> {
        self.rows.shift_remove(id)
    }

    fn next_id(&self, seed: u64) -> Value {
        let highest = self.rows().try_fold(0, |highest, row| match row.get(&self.id) {
            Some(Value::Number(id)) => id.as_i64().map(|id| highest.max(id)),
            _ => None,
        });
        match highest.and_then(|highest| highest.checked_add(1)) {
            Some(next) => Value::from(next),
            None => (self.rows.len() as u64..)
                .map(|n| faults::id(seed, n))
                .find(|id| !self.rows.contains_key(id))
                .map_or(Value::Null, Value::String),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Collection(collection) => serializer.collect_seq(collection.rows()),
            Self::Single(row) => row.serialize(serializer),
        }
    }
}

/// A value's kind, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A scalar as the text it is compared by; none for null, lists and objects.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of an id: only a string or a number is one.
pub(super) fn id_text(value: &Value) -> Option<Cow<'_, str>> {
    text(value).filter(|_| !value.is_boolean())
}
