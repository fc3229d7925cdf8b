//! Plans made by hand, answers as text, responses as text.

mod assembly;
mod batches;
mod objects;
mod random;
mod reference;
mod values;

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::failure::Code;
use crate::json::Path;
use crate::plan::{
    ArgsId, Cases, Computed, FetchId, Field, FieldValue, ItemNullable, Kind, Leaf, Selection,
    Shape, Through,
};
use crate::schema::Scalar;
use crate::template::Expression;

const INT: Kind = Kind::Leaf(Leaf::Int);
const FLOAT: Kind = Kind::Leaf(Leaf::Float);
const STRING: Kind = Kind::Leaf(Leaf::String);
const BOOLEAN: Kind = Kind::Leaf(Leaf::Boolean);
const ID: Kind = Kind::Leaf(Leaf::Id);
const ANY: Kind = Kind::Leaf(Leaf::Custom(Scalar::Any));

fn colour() -> Kind {
    let names = [("red", "RED"), ("dark \"green\"", "DARK_GREEN")];
    Kind::Leaf(Leaf::Enum(names.map(|(wire, name)| (wire.into(), name.into())).into()))
}

/// May be null.
fn opt(kind: Kind) -> Shape {
    Shape { nullable: true, kind }
}

/// May not be null.
fn req(kind: Kind) -> Shape {
    Shape { nullable: false, kind }
}

fn list(item: Shape) -> Kind {
    Kind::List(Box::new(item))
}

fn path(text: &str) -> Path {
    Path::parse(text).expect("a path")
}

/// A field that asks at a line of its own: errors tell which field they are of.
fn field(key: &str, value: FieldValue, nullable: bool) -> Field {
    let line = key.bytes().map(u32::from).sum();
    Field {
        key: key.into(),
        key_json: format!("\"{key}\":").into_bytes().into(),
        locations: [Location { line, column: 1 }].into(),
        authenticated: false,
        args: None,
        value,
        nullable,
    }
}

/// A field whose property has the response key's name.
fn prop(key: &str, shape: Shape) -> Field {
    prop_at(key, key, shape)
}

fn prop_at(key: &str, at: &str, shape: Shape) -> Field {
    let nullable = shape.nullable;
    field(key, FieldValue::Property(path(at), shape), nullable)
}

/// A hole that reads the first capture.
fn hole(fetch: u32, nullable: bool, list: Option<ItemNullable>) -> Hole {
    Hole { fetch: FetchId(fetch), slots: [0].into(), nullable, list }
}

fn opt_hole(key: &str, fetch: u32) -> Field {
    field(key, FieldValue::Hole(hole(fetch, true, None)), true)
}

fn req_hole(key: &str, fetch: u32) -> Field {
    field(key, FieldValue::Hole(hole(fetch, false, None)), false)
}

/// An expression that reads these captures, in the order in which it names them.
fn computed(cel: &str, slots: &[u32]) -> Arc<Computed> {
    let expression = Expression::parse(cel).expect("an expression");
    Arc::new(Computed {
        coordinate: "T.f".into(),
        expression: Arc::new(expression),
        args: ArgsId(0),
        slots: slots.into(),
    })
}

fn guarded(field: Field) -> Field {
    Field { authenticated: true, ..field }
}

fn selection(name: &str, fields: impl Into<Vec<Field>>, captures: &[&str]) -> Selection {
    let captures = captures.iter().map(|text| path(text)).collect();
    Selection::new(name.into(), fields.into(), captures)
}

fn object(name: &str, fields: impl Into<Vec<Field>>) -> Kind {
    Kind::Object(Arc::new(selection(name, fields, &[])))
}

fn body(text: &str) -> Body {
    Body::parse(text.to_owned().into()).expect("JSON")
}

fn answer(text: &str) -> Answer {
    let body = body(text);
    let span = body.root().place();
    Answer::Value(body, span)
}

fn service() -> Arc<str> {
    "shop".into()
}

const INPUTS: Inputs<'static> = Inputs {
    first_items: &[],
    authenticated: true,
    claims: None,
    this: &[],
    args: &[],
    introspection: &[],
    max_bytes: 1 << 20,
};

fn of<'p>(shape: &'p Shape, text: &str) -> Fragment<'p> {
    project(&answer(text), shape, &INPUTS, &service(), &mut Layouts::default())
}

/// The bytes of a fragment, `_` for each hole, then its errors; or what became of it instead.
fn shown(fragment: &Fragment<'_>) -> String {
    let mut text = match &fragment.outcome {
        Outcome::Null => return "null".to_owned(),
        Outcome::Missing => return "missing".to_owned(),
        Outcome::Failed(failed) => return format!("failed {}", said(failed)),
        Outcome::Value => String::new(),
    };
    let mut done = 0;
    for hole in &fragment.holes {
        let offset = hole.offset as usize;
        text += std::str::from_utf8(&fragment.bytes[done..offset]).expect("text");
        text.push('_');
        done = offset;
    }
    text += std::str::from_utf8(&fragment.bytes[done..]).expect("text");
    for error in &fragment.errors {
        assert!(fragment.bytes[error.offset as usize..].starts_with(b"null"));
        let _ = write!(text, "\n{}", said(&error.failed));
    }
    text
}

/// `path: CODE: message`
fn said(failed: &Failed<'_>) -> String {
    let Failed { path, locations: _, failure } = failed;
    format!("{}: {}: {}", place(path), failure.code, failure.message)
}

fn place(path: &[PathStep<'_>]) -> String {
    let step = |step: &PathStep<'_>| match step {
        PathStep::Key(key) => (*key).to_owned(),
        PathStep::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}
