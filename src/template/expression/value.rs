//! JSON in, JSON out: what an expression's variables hold, and its result as text.
//!
//! A variable holds no more than the expression reads of it.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::{Key, Map};

use crate::json::{self, Kind, Path, Segment, Value};
use crate::template::reference;

/// Deeper values are refused: both directions recurse.
const MAX_DEPTH: usize = 160;

/// Which parts of a variable an expression reads.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Read as a whole.
    whole: bool,
    /// Tested by `has()`: where absent it stays absent, and does not read as null.
    tested: bool,
    children: Vec<Child>,
}

/// A property that an expression reads.
#[derive(Debug)]
struct Child {
    name: String,
    /// Its name in the JSON, where that is another.
    wire: Option<String>,
    shape: Shape,
}

impl Shape {
    pub(super) fn add(&mut self, names: &[String], is_test: bool) {
        let Some((name, rest)) = names.split_first() else {
            self.whole |= !is_test;
            self.tested |= is_test;
            return;
        };
        if let Some(child) = self.children.iter_mut().find(|child| child.name == *name) {
            return child.shape.add(rest, is_test);
        }
        let mut shape = Shape::default();
        shape.add(rest, is_test);
        self.children.push(Child { name: name.clone(), wire: None, shape });
    }

    /// Reads every property by the name that the JSON has; `path` is what leads here.
    pub(super) fn rename(&mut self, path: &mut Vec<Segment>, wire: &mut dyn FnMut(&Path) -> Path) {
        for child in &mut self.children {
            path.push(Segment::Property(child.name.as_str().into()));
            match wire(&reference::path_of(path)).segments().last() {
                Some(Segment::Property(name)) if **name != *child.name => {
                    child.wire = Some(name.to_string());
                }
                _ => {}
            }
            child.shape.rename(path, wire);
            path.pop();
        }
    }

    /// The parts that are read of a value; `None` where it must be absent.
    pub(super) fn read(
        &self,
        value: Option<Value<'_>>,
        depth: usize,
    ) -> Result<Option<cel::Value>, String> {
        match value {
            None => Ok(self.absent()),
            Some(value) if self.whole => convert(value, Some(self), depth).map(Some),
            Some(value) if value.is_null() && self.tested => Ok(Some(cel::Value::Null)),
            Some(value) if value.is_null() => Ok(self.absent().or(Some(cel::Value::Null))),
            // Only whether it is there is asked.
            Some(_) if self.children.is_empty() => Ok(Some(cel::Value::Null)),
            Some(value) if value.kind() == Kind::Object => {
                self.map(|child| child.shape.read(value.get(child.wire()), depth + 1)).map(Some)
            }
            Some(value) => convert(value, None, depth).map(Some),
        }
    }

    /// The variable out of values captured at paths within it.
    pub(super) fn assemble<'a, 'p>(
        &self,
        parts: impl Iterator<Item = (&'p Path, Option<Value<'a>>)>,
    ) -> Result<cel::Value, String> {
        let parts: Vec<_> = parts.map(|(path, value)| (path.segments(), value)).collect();
        Ok(self.part(&parts, 0)?.unwrap_or(cel::Value::Null))
    }

    /// The part at a path, out of the value captured there.
    pub(super) fn part_of(
        &self,
        path: &Path,
        captured: Option<Value<'_>>,
    ) -> Result<cel::Value, String> {
        let mut part = self;
        for segment in path.segments() {
            let Segment::Property(name) = segment else { break };
            let Some(child) = part.child(name) else { break };
            part = child;
        }
        Ok(part.read(captured, path.segments().len())?.unwrap_or(cel::Value::Null))
    }

    /// `parts` are those below this shape, `depth` steps down.
    fn part(
        &self,
        parts: &[(&[Segment], Option<Value<'_>>)],
        depth: usize,
    ) -> Result<Option<cel::Value>, String> {
        if let Some((_, value)) = parts.iter().find(|(path, _)| path.len() == depth) {
            return self.read(*value, depth);
        }
        self.map(|child| {
            let is_below = |path: &[Segment]| match path.get(depth) {
                Some(Segment::Property(property)) => **property == *child.name,
                _ => false,
            };
            let below: Vec<_> = parts.iter().copied().filter(|(path, _)| is_below(path)).collect();
            child.shape.part(&below, depth + 1)
        })
        .map(Some)
    }

    /// What stands for a value that is not there.
    fn absent(&self) -> Option<cel::Value> {
        if self.tested {
            return None;
        }
        if self.whole || self.children.is_empty() {
            return Some(cel::Value::Null);
        }
        let absent = |child: &Child| Some((Key::from(child.name.as_str()), child.shape.absent()?));
        Some(map(self.children.iter().filter_map(absent).collect()))
    }

    fn map(
        &self,
        mut read: impl FnMut(&Child) -> Result<Option<cel::Value>, String>,
    ) -> Result<cel::Value, String> {
        let mut entries = HashMap::with_capacity(self.children.len());
        for child in &self.children {
            if let Some(value) = read(child)? {
                entries.insert(Key::from(child.name.as_str()), value);
            }
        }
        Ok(map(entries))
    }

    fn child(&self, name: &str) -> Option<&Shape> {
        self.children.iter().find(|child| child.name == name).map(|child| &child.shape)
    }
}

impl Child {
    fn wire(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.name)
    }
}

/// A whole value. Of what the expression names below it nothing is missing: it is null instead.
fn convert(value: Value<'_>, shape: Option<&Shape>, depth: usize) -> Result<cel::Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("a value is nested more than {MAX_DEPTH} deep"));
    }
    Ok(match value.kind() {
        Kind::Null => cel::Value::Null,
        Kind::Boolean => cel::Value::Bool(value.as_bool().unwrap_or_default()),
        Kind::Number => number(value.as_number().unwrap_or_default())?,
        Kind::String => {
            cel::Value::String(Arc::new(value.as_str().unwrap_or_default().into_owned()))
        }
        Kind::Array => {
            let items = value.items().map(|item| convert(item, None, depth + 1));
            cel::Value::List(Arc::new(items.collect::<Result<Vec<_>, _>>()?))
        }
        Kind::Object => {
            let mut entries = HashMap::new();
            for (name, value) in value.members() {
                let name = name.unescape();
                let below = shape.and_then(|shape| shape.child(&name));
                entries.insert(Key::from(&*name), convert(value, below, depth + 1)?);
            }
            for child in shape.map(|shape| shape.children.as_slice()).unwrap_or_default() {
                let key = Key::from(child.name.as_str());
                if let (false, Some(absent)) = (entries.contains_key(&key), child.shape.absent()) {
                    entries.insert(key, absent);
                }
            }
            map(entries)
        }
    })
}

fn number(text: &str) -> Result<cel::Value, String> {
    if let Ok(int) = text.parse() {
        return Ok(cel::Value::Int(int));
    }
    if let Ok(uint) = text.parse() {
        return Ok(cel::Value::UInt(uint));
    }
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() => Ok(cel::Value::Float(double)),
        _ => Err("a number is out of range".to_owned()),
    }
}

fn map(entries: HashMap<Key, cel::Value>) -> cel::Value {
    cel::Value::Map(Map { map: Arc::new(entries) })
}

/// Writes a result as JSON.
pub(super) fn write(out: &mut Vec<u8>, value: &cel::Value, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("the result is nested more than {MAX_DEPTH} deep"));
    }
    match value {
        cel::Value::Null => out.extend_from_slice(b"null"),
        cel::Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        cel::Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        cel::Value::UInt(value) => out.extend_from_slice(value.to_string().as_bytes()),
        // With `{:?}` a whole double keeps its `.0`, and the exponents are JSON's.
        cel::Value::Float(value) if value.is_finite() => {
            out.extend_from_slice(format!("{value:?}").as_bytes());
        }
        cel::Value::Float(value) => return Err(format!("{value} is no JSON number")),
        cel::Value::String(value) => json::write_string(out, value),
        cel::Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        cel::Value::Map(entries) => write_map(out, entries, depth)?,
        other => {
            return Err(format!("the result is of type {}, which is no JSON", other.type_of()));
        }
    }
    Ok(())
}

/// A map has no order of its own: by name, so that equal values are equal text.
fn write_map(out: &mut Vec<u8>, entries: &Map, depth: usize) -> Result<(), String> {
    let mut sorted: Vec<(&str, &cel::Value)> = Vec::with_capacity(entries.map.len());
    for (key, value) in entries.map.iter() {
        match key {
            Key::String(name) => sorted.push((name.as_str(), value)),
            other => return Err(format!("the result has the key {other}, which is no string")),
        }
    }
    sorted.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_string(out, name);
        out.push(b':');
        write(out, value, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}
