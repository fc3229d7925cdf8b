//! A list's query string: filters, sorting and paging, with json-server's meaning.

use std::cmp::Ordering;
use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Number, Value};
use url::form_urlencoded;

use super::data::{Collection, Row, text};

/// What a client wants of a list.
#[derive(Debug, Default)]
pub(super) struct Query {
    filters: Vec<Filter>,
    text: Option<String>,
    sort: Vec<Key>,
    part: Part,
}

/// The rows a query found.
pub(super) struct Found<'a> {
    /// The part of them that was asked for.
    pub(super) rows: Vec<&'a Row>,
    /// How many there are in all, where a part was asked for.
    pub(super) total: Option<usize>,
    /// The properties of filters that were left out, since no row has them.
    pub(super) unknown: Vec<&'a str>,
}

/// A paging parameter that is no whole number.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is `{value}`; it must be a whole number")]
pub(super) struct BadQuery {
    name: &'static str,
    value: String,
}

#[derive(Debug)]
struct Filter {
    path: String,
    test: Test,
    wanted: HashSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    Equals,
    Differs,
    AtLeast,
    AtMost,
    Contains,
}

#[derive(Debug)]
struct Key {
    path: String,
    descending: bool,
}

#[derive(Debug, Default)]
enum Part {
    #[default]
    All,
    Page {
        number: usize,
        size: usize,
    },
    Range {
        start: usize,
        end: usize,
    },
}

impl Query {
    /// Reads a raw query string. `extra` is one more filter, as a nested path gives it.
    pub(super) fn parse(raw: &str, extra: Option<(String, String)>) -> Result<Self, BadQuery> {
        let mut parameters: IndexMap<String, Vec<String>> = IndexMap::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            parameters.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        if let Some((name, value)) = extra {
            parameters.insert(name, vec![value]);
        }
        let text = take(&mut parameters, "q").filter(|text| !text.is_empty());
        let sort = take(&mut parameters, "_sort");
        let order = take(&mut parameters, "_order");
        Ok(Self {
            text: text.map(|text| text.to_lowercase()),
            sort: sort_keys(sort.as_deref(), order.as_deref()),
            part: Part::take(&mut parameters)?,
            filters: parameters.into_iter().map(Filter::new).collect(),
        })
    }

    /// The rows of a collection that match, sorted and cut.
    pub(super) fn run<'a>(&'a self, collection: &'a Collection) -> Found<'a> {
        let (filters, unknown): (Vec<_>, Vec<_>) = self.filters.iter().partition(|filter| {
            filter.test != Test::Equals
                || collection.rows().any(|row| lookup(row, &filter.path).is_some())
        });
        let by_id = filters.iter().find(|filter| filter.names_ids_of(collection));
        let mut rows: Vec<&Row> = match by_id {
            Some(filter) => collection.with_ids(filter.wanted.iter().map(String::as_str)),
            None => collection.rows().collect(),
        };
        rows.retain(|row| filters.iter().all(|filter| filter.admits(row)));
        if let Some(text) = &self.text {
            rows.retain(|row| row.values().any(|value| holds(value, text)));
        }
        if !self.sort.is_empty() {
            rows.sort_by(|a, b| self.compare(a, b));
        }
        let total = rows.len();
        let (rows, total) = match self.part.bounds(total) {
            Some((start, end)) => {
                (rows.get(start..end).map(<[_]>::to_vec).unwrap_or_default(), Some(total))
            }
            None => (rows, None),
        };
        Found { rows, total, unknown: unknown.iter().map(|filter| filter.path.as_str()).collect() }
    }

    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        self.sort.iter().fold(Ordering::Equal, |so_far, key| {
            so_far.then_with(|| {
                let ordering = compare(lookup(a, &key.path), lookup(b, &key.path));
                if key.descending { ordering.reverse() } else { ordering }
            })
        })
    }
}

impl Filter {
    fn new((name, values): (String, Vec<String>)) -> Self {
        let suffixes = [
            ("_ne", Test::Differs),
            ("_gte", Test::AtLeast),
            ("_lte", Test::AtMost),
            ("_like", Test::Contains),
        ];
        let (path, test) = suffixes
            .iter()
            .find_map(|(suffix, test)| Some((name.strip_suffix(suffix)?.to_owned(), *test)))
            .unwrap_or((name, Test::Equals));
        let wanted = values.into_iter();
        let wanted = match test {
            Test::Contains => wanted.map(|value| value.to_lowercase()).collect(),
            _ => wanted.collect(),
        };
        Self { path, test, wanted }
    }

    /// Whether only rows of the wanted ids can match, so that the others need no look.
    fn names_ids_of(&self, collection: &Collection) -> bool {
        self.test == Test::Equals && self.path == collection.id_property()
    }

    fn admits(&self, row: &Row) -> bool {
        let Some(value) = lookup(row, &self.path) else {
            return false;
        };
        let Some(text) = text(value) else {
            return false;
        };
        match self.test {
            Test::Equals => self.wanted.contains(&*text),
            Test::Differs => !self.wanted.contains(&*text),
            Test::AtLeast => self.bounded(value, Ordering::is_ge),
            Test::AtMost => self.bounded(value, Ordering::is_le),
            Test::Contains => {
                let text = text.to_lowercase();
                self.wanted.iter().any(|wanted| text.contains(wanted))
            }
        }
    }

    fn bounded(&self, value: &Value, holds: fn(Ordering) -> bool) -> bool {
        self.wanted.iter().any(|wanted| against(value, wanted).is_some_and(holds))
    }
}

impl Part {
    /// json-server's precedence: `_page`, then `_end`, then `_limit`; `_start` alone does nothing.
    fn take(parameters: &mut IndexMap<String, Vec<String>>) -> Result<Self, BadQuery> {
        let mut number = |name: &'static str| match take(parameters, name) {
            None => Ok(None),
            Some(value) => value.parse().map(Some).map_err(|_| BadQuery { name, value }),
        };
        let (page, limit) = (number("_page")?, number("_limit")?);
        let (start, end): (Option<usize>, _) = (number("_start")?, number("_end")?);
        let start = start.unwrap_or(0);
        Ok(match (page, end, limit) {
            (Some(page), _, size) => Self::Page {
                number: usize::max(page, 1),
                size: size.filter(|&size| size > 0).unwrap_or(10),
            },
            (None, Some(end), _) => Self::Range { start, end },
            (None, None, Some(limit)) => Self::Range { start, end: start.saturating_add(limit) },
            (None, None, None) => Self::All,
        })
    }

    /// The places from and before which rows are wanted, of `total`; none where all are.
    fn bounds(&self, total: usize) -> Option<(usize, usize)> {
        let (start, end) = match *self {
            Self::All => return None,
            Self::Range { start, end } => (start, end),
            Self::Page { number, size } => {
                let start = (number - 1).saturating_mul(size);
                (start, start.saturating_add(size))
            }
        };
        Some((start, end.min(total)))
    }
}

/// The first value of a parameter, which is not a filter then.
fn take(parameters: &mut IndexMap<String, Vec<String>>, name: &str) -> Option<String> {
    parameters.shift_remove(name)?.into_iter().next()
}

fn sort_keys(sort: Option<&str>, order: Option<&str>) -> Vec<Key> {
    let mut orders = order.unwrap_or_default().split(',');
    sort.map(|sort| sort.split(','))
        .into_iter()
        .flatten()
        .map(|path| {
            let descending = orders.next().is_some_and(|order| order.eq_ignore_ascii_case("desc"));
            Key { path: path.to_owned(), descending }
        })
        .collect()
}

/// The value at a path of names (`address.city`) and places (`items.0.sku`). A property whose own
/// name holds the dots comes first.
fn lookup<'a>(row: &'a Row, path: &str) -> Option<&'a Value> {
    if let Some(value) = row.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    rest.split('.').try_fold(row.get(first)?, |value, name| match value {
        Value::Object(object) => object.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Where a value stands against a bound: numbers by size, strings by their letters.
fn against(value: &Value, bound: &str) -> Option<Ordering> {
    match value {
        Value::Number(number) => size(number).partial_cmp(&bound.trim().parse().ok()?),
        Value::String(text) => Some(text.as_str().cmp(bound)),
        _ => None,
    }
}

/// The order of two values: numbers, strings, booleans, everything else, null, nothing.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => size(a).total_cmp(&size(b)),
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: Option<&Value>) -> u8 {
    match value {
        Some(Value::Number(_)) => 0,
        Some(Value::String(_)) => 1,
        Some(Value::Bool(_)) => 2,
        Some(Value::Array(_) | Value::Object(_)) => 3,
        Some(Value::Null) => 4,
        None => 5,
    }
}

/// A number's size; one beyond an f64 is infinite.
fn size(number: &Number) -> f64 {
    number.to_string().parse().unwrap_or(f64::INFINITY)
}

/// Whether a scalar anywhere in the value holds the text, given in lower case.
fn holds(value: &Value, lower: &str) -> bool {
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(members) => values.extend(members.values()),
            scalar => {
                if text(scalar).is_some_and(|text| text.to_lowercase().contains(lower)) {
                    return true;
                }
            }
        }
    }
    false
}
