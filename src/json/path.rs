//! Paths: where in a value another one lies.
//!
//! RFC 9535's plain segments without `$.`: `a.b`, `[0]`, `[-1]`, `[*]` (each item),
//! `['odd.name']`, and `.` for the value itself. Beyond RFC 9535 a bare name may hold `-`. Names
//! that begin with `@` are the gateway's own and are not read here; a property of that sort is
//! quoted.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use super::Value;
use super::value::Items;

/// A checked path.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Path {
    segments: Vec<Segment>,
}

/// One step of a path.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Segment {
    /// The property of this name; of duplicates the last.
    Property(Box<str>),
    /// The item at this index; from the end if negative, -1 the last.
    Index(i64),
    /// Each item.
    Each,
}

/// Why a text is no path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    /// The bytes of the text at fault.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Path {
    /// The value itself, written `.`.
    pub fn root() -> Path {
        Path::default()
    }

    /// The property of this name, whatever characters that has.
    pub fn property(name: &str) -> Path {
        Path { segments: vec![Segment::Property(name.into())] }
    }

    /// Reads a path.
    ///
    /// # Errors
    /// Where the text departs from the grammar, and what to write instead.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        parse::path(text).map(|segments| Path { segments })
    }

    /// The steps in order; none for `.`.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether this is `.`, the value itself.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether the path leads to one value at most: it has no `[*]`.
    pub fn is_single(&self) -> bool {
        !self.segments.contains(&Segment::Each)
    }

    /// The value at the path; `None` where nothing lies there, also where a value on the way is
    /// null or of another kind. A null at the path's very end is a value. A path that is not
    /// [single](Path::is_single) gives its first value.
    pub fn eval<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        self.eval_all(value).next()
    }

    /// Every value at the path, in the text's order. Lists within lists are flattened, one level
    /// for each `[*]`.
    pub fn eval_all<'p, 'a>(&'p self, value: Value<'a>) -> Matches<'p, 'a> {
        Matches { start: Some((value, &self.segments)), open: Vec::new() }
    }
}

/// The item at an index, from the end if negative.
fn item(value: Value<'_>, index: i64) -> Option<Value<'_>> {
    let mut items = value.items();
    if index == -1 {
        return items.last();
    }
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    let from_start =
        if index < 0 { items.clone().count().checked_sub(from_end)? } else { from_end };
    items.nth(from_start)
}

/// The values at a path; see [`Path::eval_all`].
pub struct Matches<'p, 'a> {
    start: Option<(Value<'a>, &'p [Segment])>,
    /// For each `[*]` passed: what it has left, and the steps below it.
    open: Vec<(Items<'a>, &'p [Segment])>,
}

impl<'p, 'a> Matches<'p, 'a> {
    /// Goes down from a value; at a `[*]` remembers the list and stops.
    fn descend(&mut self, mut value: Value<'a>, segments: &'p [Segment]) -> Option<Value<'a>> {
        let mut rest = segments.iter();
        while let Some(segment) = rest.next() {
            value = match segment {
                Segment::Property(name) => value.get(name)?,
                Segment::Index(index) => item(value, *index)?,
                Segment::Each => {
                    self.open.push((value.items(), rest.as_slice()));
                    return None;
                }
            };
        }
        Some(value)
    }
}

impl<'a> Iterator for Matches<'_, 'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if let Some((value, segments)) = self.start.take()
            && let Some(found) = self.descend(value, segments)
        {
            return Some(found);
        }
        while let Some((items, segments)) = self.open.last_mut() {
            let below = *segments;
            let Some(value) = items.next() else {
                self.open.pop();
                continue;
            };
            if let Some(found) = self.descend(value, below) {
                return Some(found);
            }
        }
        None
    }
}

/// The canonical form: parses to an equal path.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str(".");
        }
        for (place, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Property(name) if parse::is_bare(name) => {
                    f.write_str(if place == 0 { "" } else { "." })?;
                    f.write_str(name)?;
                }
                Segment::Property(name) => write!(f, "[{}]", parse::quote(name))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Each => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for PathError {}
