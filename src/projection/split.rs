//! Hands a batch's rows out by key, in one scan. Rows stay where they lie in the body; a row whose
//! key nobody asked for is simply never asked for here.

use std::fmt;

use crate::json::{Body, Kind, Path, Place, Segment, Span, Value};
use crate::schema::{Batch, By, ErrorRule};
use crate::template::Key;

use super::Answer;
use super::keys::{Group, Keys, Text};

/// The rows of one batch's answer, by key.
#[derive(Debug)]
pub struct Groups {
    body: Body,
    /// The part of a row that is wanted.
    part: Path,
    keys: Keys,
    /// Each row, and the next one of its key.
    rows: Vec<(Place, Option<u32>)>,
    without_key: usize,
    /// How many times a row has joined a group.
    joined: usize,
    /// How many of those were not the first of their group.
    repeated: usize,
}

/// A row that reports a failure (`error.if`): where it lies in the batch's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedRow(pub Place);

/// A batch's answer that holds no rows where they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitError {
    /// What should be there.
    pub expected: Kind,
    /// What is there.
    pub given: Kind,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, given } = self;
        write!(f, "the upstream gave {given} where a batch expects {expected} of rows")
    }
}

impl std::error::Error for SplitError {}

/// Tells a batch's rows apart by key.
///
/// Nothing, or null, where the rows should be is no rows.
///
/// # Errors
/// A value of another kind where the rows should be.
pub fn split(
    body: &Body,
    rows_at: &Path,
    batch: &Batch,
    error: &ErrorRule,
) -> Result<Groups, SplitError> {
    let mut groups = Groups::none(body.clone(), batch.value.clone());
    match &batch.by {
        By::Property(by) if rows_at.is_single() => {
            let Some(rows) = rows_of(rows_at.eval(body.root()), Kind::Array)? else {
                return Ok(groups);
            };
            for row in rows.items() {
                groups.add(row, by, error);
            }
        }
        By::Property(by) => {
            rows_of(rows_at.list(body.root()), Kind::Array)?;
            for row in rows_at.eval_all(body.root()) {
                groups.add(row, by, error);
            }
        }
        By::Name => {
            let rows = rows_of(rows_at.eval(body.root()), Kind::Object)?;
            for (name, row) in rows.into_iter().flat_map(Value::members) {
                groups.replace(name.unescape().into(), row, error);
            }
        }
    }
    Ok(groups)
}

fn rows_of(rows: Option<Value<'_>>, expected: Kind) -> Result<Option<Value<'_>>, SplitError> {
    match rows.map(Value::kind) {
        None | Some(Kind::Null) => Ok(None),
        Some(given) if given == expected => Ok(rows),
        Some(given) => Err(SplitError { expected, given }),
    }
}

/// Whether an answer, or a row of a batch, reports a failure: what `error.if` names is there and
/// not null, false or empty.
#[must_use]
pub fn reports_failure(error: &ErrorRule, value: Value<'_>) -> bool {
    let found = error.when.as_ref().and_then(|when| when.eval(value));
    found.is_some_and(|found| match found.kind() {
        Kind::Null => false,
        Kind::Boolean => found.as_bool() == Some(true),
        Kind::Number => true,
        Kind::String => found.raw() != b"\"\"",
        Kind::Array => found.items().next().is_some(),
        Kind::Object => found.members().next().is_some(),
    })
}

impl Groups {
    /// The body that the rows lie in.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The rows of one key in a body of their own; `None`: one of them reports a failure.
    #[must_use]
    pub fn only(&self, key: &Key) -> Option<Self> {
        let group = self.group(key).ok()?;
        let mut text = vec![b'['];
        for (index, row) in group.into_iter().flat_map(|group| self.rows(group)).enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.extend_from_slice(self.body.at(row).raw());
        }
        text.push(b']');
        let mut only = Self::none(Body::parse(text.into()).ok()?, self.part.clone());
        for row in only.body.clone().root().items() {
            only.join(Some(Text::Unescaped(key.text().into())), row.place(), false);
        }
        Some(only)
    }

    fn none(body: Body, part: Path) -> Self {
        Self {
            body,
            part,
            keys: Keys::default(),
            rows: Vec::new(),
            without_key: 0,
            joined: 0,
            repeated: 0,
        }
    }

    /// What the rows take in memory, in bytes, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.body.bytes().len() * 5 / 2 + self.rows.len() * size_of::<(Place, Option<u32>)>()
    }

    /// How many rows were dropped because they have no key.
    #[must_use]
    pub fn without_key(&self) -> usize {
        self.without_key
    }

    /// Whether a key has several rows.
    #[must_use]
    pub fn has_several(&self, key: &Key) -> bool {
        let find = || self.keys.find(&self.body, key.text().as_bytes());
        self.repeated > 0 && find().is_some_and(|group| self.rows(group).nth(1).is_some())
    }

    /// A key's value where one is wanted: of its first row.
    ///
    /// # Errors
    /// The row of the key that reports a failure.
    pub fn one(&self, key: &Key) -> Result<Answer, FailedRow> {
        let group = self.group(key)?;
        let row = group.and_then(|group| self.rows(group).next());
        let Some(row) = row else { return Ok(Answer::Missing) };
        if self.part.is_root() {
            return Ok(Answer::Value(self.body.clone(), row));
        }
        Ok(match self.part.eval(self.body.at(row)) {
            Some(part) => Answer::Value(self.body.clone(), part.place()),
            None => Answer::Null,
        })
    }

    /// A key's value where a list is wanted: the wanted part of each of its rows, at most `first`.
    /// Parts that are lists are joined; a part that is null, or not there, adds nothing.
    ///
    /// # Errors
    /// The row of the key that reports a failure.
    pub fn list(&self, key: &Key, first: Option<usize>) -> Result<Answer, FailedRow> {
        let mut parts = Vec::new();
        for row in self.group(key)?.into_iter().flat_map(|group| self.rows(group)) {
            if parts.len() >= first.unwrap_or(usize::MAX) {
                break;
            }
            self.append(row, &mut parts);
        }
        parts.truncate(first.unwrap_or(usize::MAX));
        Ok(Answer::Rows(self.body.clone(), parts))
    }

    fn append(&self, row: Place, parts: &mut Vec<Place>) {
        let row = self.body.at(row);
        if !self.part.is_single() {
            parts.extend(self.part.eval_all(row).map(Value::place));
            return;
        }
        let Some(part) = self.part.eval(row) else { return };
        match part.kind() {
            Kind::Null => {}
            Kind::Array => parts.extend(part.items().map(Value::place)),
            Kind::Boolean | Kind::Number | Kind::String | Kind::Object => parts.push(part.place()),
        }
    }

    /// The group of a key, unless a row of it reports a failure.
    fn group(&self, key: &Key) -> Result<Option<&Group>, FailedRow> {
        let group = self.keys.find(&self.body, key.text().as_bytes());
        match group.and_then(|group| group.failed) {
            Some(row) => Err(FailedRow(row)),
            None => Ok(group),
        }
    }

    fn rows(&self, group: &Group) -> impl Iterator<Item = Place> {
        let row = |row: u32| self.rows.get(row as usize);
        let first = group.rows.and_then(|(first, _)| row(first));
        std::iter::successors(first, move |(_, next)| next.and_then(row)).map(|(row, _)| *row)
    }

    /// Adds a row to the group of each of its keys.
    fn add(&mut self, row: Value<'_>, by: &Path, error: &ErrorRule) {
        let (place, failed, before) = (row.place(), reports_failure(error, row), self.joined);
        if let [Segment::Property(name)] = by.segments() {
            if let Some(value) = row.get(name) {
                self.join_all(value, place, failed);
            }
        } else {
            for value in by.eval_all(row) {
                self.join_all(value, place, failed);
            }
        }
        if self.joined == before {
            self.without_key += 1;
        }
    }

    fn join_all(&mut self, value: Value<'_>, row: Place, failed: bool) {
        if value.kind() == Kind::Array {
            for key in value.items() {
                self.join(key_text(key), row, failed);
            }
        } else {
            self.join(key_text(value), row, failed);
        }
    }

    fn join(&mut self, key: Option<Text>, row: Place, failed: bool) {
        let group = key.and_then(|key| self.keys.group(&self.body, key));
        let Some(group) = group else { return };
        self.joined += 1;
        if failed {
            group.failed.get_or_insert(row);
            return;
        }
        let Ok(number) = u32::try_from(self.rows.len()) else { return };
        let Some((first, last)) = group.rows else {
            group.rows = Some((number, number));
            self.rows.push((row, None));
            return;
        };
        let Some((known, next)) = self.rows.get_mut(last as usize) else { return };
        // A row that names a key twice belongs to it once.
        if *known != row {
            self.repeated += 1;
            *next = Some(number);
            group.rows = Some((first, number));
            self.rows.push((row, None));
        }
    }

    /// Gives a key its only row. Of duplicate properties the last counts.
    fn replace(&mut self, name: Box<str>, row: Value<'_>, error: &ErrorRule) {
        let failed = reports_failure(error, row);
        let Some(group) = self.keys.group(&self.body, Text::Unescaped(name)) else { return };
        let Ok(number) = u32::try_from(self.rows.len()) else { return };
        (group.rows, group.failed) = (Some((number, number)), failed.then(|| row.place()));
        self.rows.push((row.place(), None));
    }
}

/// A key's text: a string's content, a number or Boolean as written.
fn key_text(value: Value<'_>) -> Option<Text> {
    let Span { start, end } = value.span();
    match value.kind() {
        Kind::Number | Kind::Boolean => Some(Text::InBody(Span { start, end })),
        Kind::String => {
            let string = value.as_raw_string()?;
            Some(if string.is_escaped() {
                Text::Unescaped(string.unescape().into())
            } else {
                Text::InBody(Span { start: start + 1, end: end.saturating_sub(1) })
            })
        }
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}
