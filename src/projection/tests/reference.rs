//! The same from trees, as the specification words it: complete the values, then put in what the
//! holes bring, each failure going up to the nearest value that may be null. Shares nothing with
//! the code it is held against but the plan's types.

use serde_json::Value as Json;

use super::*;
use crate::json::Segment;

/// Path, code and line of an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub(super) path: Vec<String>,
    pub(super) code: Code,
    pub(super) line: u32,
}

/// What a fetch's slot has got.
#[derive(Debug, Clone)]
pub(super) enum Got {
    Text(String),
    Missing,
    Failed,
}

/// What the holes that read a key bring.
#[derive(Debug, Clone)]
pub(super) enum Bring {
    Slot(usize),
    List(Vec<Option<usize>>),
    Null,
    Failed,
}

pub(super) struct World<'p> {
    pub(super) shapes: &'p [Shape],
    /// By fetch and slot.
    pub(super) slots: &'p [Vec<Got>],
    /// By fetch, then by what the hole's object says.
    pub(super) brings: &'p dyn Fn(u32, Option<&str>, bool) -> Bring,
    pub(super) authenticated: bool,
}

/// A completed value in which holes are still open.
enum Tree<'p> {
    Whole(Json),
    Null(Option<Wrong>),
    List(Vec<(Tree<'p>, bool)>),
    Object(Vec<(&'p str, Tree<'p>, bool)>),
    Open(&'p Hole, Option<String>, Vec<String>, u32),
}

type Completed<'p> = Result<Tree<'p>, Wrong>;

/// Where a value lies: its path, and the line that asks for it.
#[derive(Clone)]
struct Place {
    path: Vec<String>,
    line: u32,
}

impl Place {
    fn wrong(&self, code: Code) -> Wrong {
        Wrong { path: self.path.clone(), code, line: self.line }
    }

    fn below(&self, step: &dyn ToString, line: u32) -> Self {
        let mut path = self.path.clone();
        path.push(step.to_string());
        Self { path, line }
    }
}

impl<'p> World<'p> {
    pub(super) fn respond(&self, root: &'p Selection) -> (Option<Json>, Vec<Wrong>) {
        let mut errors = Vec::new();
        let place = Place { path: Vec::new(), line: 0 };
        let tree = self.object(root, None, &place);
        match tree.and_then(|tree| self.fill(tree, &mut errors)) {
            Ok(data) => (Some(data), errors),
            Err(wrong) => (None, vec![wrong]),
        }
    }

    /// A value that may be null takes its failures upon itself.
    fn position(&self, value: Option<&Json>, shape: &'p Shape, place: &Place) -> Completed<'p> {
        let value = value.filter(|value| !value.is_null());
        let done = match value {
            None if shape.nullable => return Ok(Tree::Null(None)),
            None => Err(place.wrong(Code::UpstreamBadAnswer)),
            Some(value) => self.complete(value, &shape.kind, place),
        };
        guard(done, shape.nullable)
    }

    fn complete(&self, value: &Json, kind: &'p Kind, place: &Place) -> Completed<'p> {
        let bad = || place.wrong(Code::UpstreamBadAnswer);
        match kind {
            Kind::Leaf(leaf) => coerce(leaf, value).map(Tree::Whole).ok_or_else(bad),
            Kind::List(item) => {
                let items = value.as_array().ok_or_else(bad)?;
                self.list(&items.iter().collect::<Vec<_>>(), item, place)
            }
            Kind::Object(selection) if value.is_object() => {
                self.object(selection, Some(value), place)
            }
            Kind::Abstract(cases) if value.is_object() => {
                let told = find(value, cases.discriminator.segments()).into_iter().next();
                let told = told.map(|told| told.as_str().map_or(told.to_string(), str::to_owned));
                let case = cases.cases.iter().find(|(name, _)| Some(&**name) == told.as_deref());
                self.object(&case.ok_or_else(bad)?.1, Some(value), place)
            }
            _ => Err(bad()),
        }
    }

    fn list(&self, items: &[&Json], item: &'p Shape, place: &Place) -> Completed<'p> {
        let item = |(index, value): (usize, &&Json)| {
            let tree = self.position(Some(value), item, &place.below(&index, place.line))?;
            Ok((tree, item.nullable))
        };
        items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Tree::List)
    }

    fn object(
        &self,
        selection: &'p Selection,
        value: Option<&Json>,
        place: &Place,
    ) -> Completed<'p> {
        let mut fields = Vec::new();
        for field in &selection.fields {
            let place = place.below(&field.key, field.locations[0].line);
            let done = if field.authenticated && !self.authenticated {
                Err(place.wrong(Code::Unauthenticated))
            } else {
                self.field(selection, field, value, place)
            };
            fields.push((&*field.key, guard(done, field.nullable)?, field.nullable));
        }
        Ok(Tree::Object(fields))
    }

    fn field(
        &self,
        selection: &'p Selection,
        field: &'p Field,
        object: Option<&Json>,
        place: Place,
    ) -> Completed<'p> {
        match &field.value {
            FieldValue::Typename => Ok(Tree::Whole((&*selection.type_name).into())),
            FieldValue::Property(path, shape) => {
                let Some(object) = object else { return self.position(None, shape, &place) };
                let steps = path.segments();
                let found = find(object, steps);
                let Some(many) = steps.iter().position(|step| *step == Segment::Each) else {
                    return self.position(found.first().copied(), shape, &place);
                };
                match (find(object, &steps[..many]).first(), &shape.kind) {
                    (None | Some(Json::Null), _) => self.position(None, shape, &place),
                    (Some(Json::Array(_)), Kind::List(item)) => {
                        guard(self.list(&found, item, &place), shape.nullable)
                    }
                    _ => guard(Err(place.wrong(Code::UpstreamBadAnswer)), shape.nullable),
                }
            }
            FieldValue::Hole(hole) => {
                let key = object.and_then(|object| {
                    find(object, selection.captures[0].segments()).first().map(ToString::to_string)
                });
                Ok(Tree::Open(hole, key, place.path, place.line))
            }
            FieldValue::Introspection | FieldValue::Computed(..) | FieldValue::Streamed(..) => {
                panic!("not made here")
            }
        }
    }

    fn fill(&self, tree: Tree<'p>, errors: &mut Vec<Wrong>) -> Result<Json, Wrong> {
        match tree {
            Tree::Whole(json) => Ok(json),
            Tree::Null(wrong) => {
                errors.extend(wrong);
                Ok(Json::Null)
            }
            Tree::List(items) => items
                .into_iter()
                .map(|(item, nullable)| self.filled(item, nullable, errors))
                .collect(),
            Tree::Object(fields) => fields
                .into_iter()
                .map(|(key, field, nullable)| {
                    Ok((key.to_owned(), self.filled(field, nullable, errors)?))
                })
                .collect(),
            Tree::Open(hole, key, path, line) => {
                self.bring(hole, key.as_deref(), &Place { path, line }, errors)
            }
        }
    }

    fn filled(
        &self,
        tree: Tree<'p>,
        nullable: bool,
        errors: &mut Vec<Wrong>,
    ) -> Result<Json, Wrong> {
        let before = errors.len();
        self.fill(tree, errors).or_else(|wrong| caught(wrong, nullable, before, errors))
    }

    fn bring(
        &self,
        hole: &'p Hole,
        key: Option<&str>,
        place: &Place,
        errors: &mut Vec<Wrong>,
    ) -> Result<Json, Wrong> {
        let before = errors.len();
        let fetch = hole.fetch.0;
        let brought = match (self.brings)(fetch, key, hole.list.is_some()) {
            Bring::Slot(slot) => self.slot(fetch, Some(slot), hole.nullable, place, errors),
            Bring::Null => self.slot(fetch, None, hole.nullable, place, errors),
            Bring::Failed => Err(place.wrong(Code::UpstreamUnavailable)),
            Bring::List(items) => {
                let ItemNullable(nullable) = hole.list.expect("a list");
                let item = |(index, slot): (usize, Option<usize>)| {
                    let (before, place) = (errors.len(), place.below(&index, place.line));
                    self.slot(fetch, slot, nullable, &place, errors)
                        .or_else(|wrong| caught(wrong, nullable, before, errors))
                };
                items.into_iter().enumerate().map(item).collect()
            }
        };
        brought.or_else(|wrong| caught(wrong, hole.nullable, before, errors))
    }

    fn slot(
        &self,
        fetch: u32,
        slot: Option<usize>,
        nullable: bool,
        place: &Place,
        errors: &mut Vec<Wrong>,
    ) -> Result<Json, Wrong> {
        let none = |code| if nullable { Ok(Json::Null) } else { Err(place.wrong(code)) };
        let Some(slot) = slot else { return none(Code::UpstreamBadAnswer) };
        match &self.slots[fetch as usize][slot] {
            Got::Missing => none(Code::NotFound),
            Got::Failed => Err(place.wrong(Code::UpstreamUnavailable)),
            Got::Text(text) => {
                let value: Json = serde_json::from_str(text).expect("JSON");
                if value.is_null() {
                    return none(Code::UpstreamBadAnswer);
                }
                let tree = self.complete(&value, &self.shapes[fetch as usize].kind, place)?;
                self.fill(tree, errors)
            }
        }
    }
}

fn guard(done: Completed<'_>, nullable: bool) -> Completed<'_> {
    match done {
        Err(wrong) if nullable => Ok(Tree::Null(Some(wrong))),
        done => done,
    }
}

/// One error stands for a nulled value, and none beneath it.
fn caught(
    wrong: Wrong,
    nullable: bool,
    before: usize,
    errors: &mut Vec<Wrong>,
) -> Result<Json, Wrong> {
    if !nullable {
        return Err(wrong);
    }
    errors.truncate(before);
    errors.push(wrong);
    Ok(Json::Null)
}

fn find<'j>(value: &'j Json, steps: &[Segment]) -> Vec<&'j Json> {
    let Some((step, rest)) = steps.split_first() else { return vec![value] };
    match (step, value) {
        (Segment::Property(name), Json::Object(members)) => {
            members.get(&**name).map_or(Vec::new(), |value| find(value, rest))
        }
        (Segment::Index(index), Json::Array(items)) => {
            let index = if *index < 0 { items.len() as i64 + index } else { *index };
            let item = usize::try_from(index).ok().and_then(|index| items.get(index));
            item.map_or(Vec::new(), |value| find(value, rest))
        }
        (Segment::Each, Json::Array(items)) => {
            items.iter().flat_map(|value| find(value, rest)).collect()
        }
        _ => Vec::new(),
    }
}

fn coerce(leaf: &Leaf, value: &Json) -> Option<Json> {
    let token = value.as_number().map(ToString::to_string);
    let whole = token.as_ref().filter(|token| !token.contains(['e', 'E'])).and_then(|token| {
        let (digits, fraction) = token.split_once('.').unwrap_or((token, "0"));
        fraction
            .trim_matches('0')
            .is_empty()
            .then(|| digits.replace("-0", "0").parse::<i128>().ok())?
    });
    match leaf {
        Leaf::Int => i32::try_from(whole?).ok().map(Json::from),
        Leaf::Float => token?.parse::<f64>().ok()?.is_finite().then(|| value.clone()),
        Leaf::String => value.as_str().map(Json::from),
        Leaf::Boolean => value.as_bool().map(Json::from),
        Leaf::Id => value.as_str().map(Json::from).or_else(|| Some(whole?.to_string().into())),
        Leaf::Enum(names) => {
            let name = names.iter().find(|(wire, _)| Some(&**wire) == value.as_str());
            name.map(|(_, name)| (&**name).into())
        }
        Leaf::Custom(_) => Some(value.clone()),
    }
}
