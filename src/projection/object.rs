//! Objects: one walk notes where the wanted properties lie, of duplicates the last; then the
//! fields are written in response order.

use std::sync::Arc;

use crate::json::{Kind as JsonKind, Path, Segment, Value};
use crate::plan::{Computed, Field, FieldValue, Hole, Kind, Lead, Selection, Shape};

use super::order::{Layouts, Seen};
use super::paths::PathStep;
use super::value::{Asked, At, Projector};
use super::writer::Bubble;
use super::{Instance, message};

/// An object whose properties have been noted.
#[derive(Clone, Copy)]
struct Object<'p, 'a> {
    value: Value<'a>,
    selection: &'p Selection,
    /// Its wanted properties.
    seen: Seen,
    /// What its holes read of it.
    instance: Instance,
}

impl<'p, 'a> Projector<'p, 'a, '_> {
    /// Writes an object.
    pub(super) fn object(
        &mut self,
        value: Value<'a>,
        selection: &'p Selection,
    ) -> Result<(), Bubble<'p>> {
        let seen = self.layouts.note(value, selection);
        let instance = Instance::default();
        let result = self.fields(Object { value, selection, seen, instance });
        self.layouts.forget(seen);
        result
    }

    fn fields(&mut self, mut object: Object<'p, 'a>) -> Result<(), Bubble<'p>> {
        let selection = object.selection;
        if selection.has_holes() {
            let (layouts, slots) = (&*self.layouts, 0..selection.captures.len() as u32);
            let captures = slots.map(|slot| object.captured(layouts, slot).map(Value::place));
            object.instance = self.writer.instance(self.body, captures);
        }
        if selection.fields.is_empty() {
            self.writer.bytes.push(b'{');
        }
        for (field, lead) in selection.fields.iter().zip(selection.leads()) {
            self.writer.bytes.extend_from_slice(&lead.text);
            self.field(field, lead, object)?;
        }
        self.writer.bytes.push(b'}');
        Ok(())
    }

    #[inline]
    fn field(
        &mut self,
        field: &'p Field,
        lead: &Lead,
        object: Object<'p, 'a>,
    ) -> Result<(), Bubble<'p>> {
        let asked = Some(Asked { selection: object.selection, field });
        let at = At { step: PathStep::Key(&field.key), asked, nullable: field.nullable };
        if field.authenticated && !self.inputs.authenticated {
            return self.within(at, |it| Err(it.failed(message::unauthenticated(at.asked), asked)));
        }
        if let Some(Err(failure)) =
            field.args.and_then(|args| self.inputs.args.get(args.0 as usize))
        {
            let failure = Arc::clone(failure);
            return self.within(at, |it| Err(it.failed(failure, asked)));
        }
        match &field.value {
            FieldValue::Property(path, shape) => match lead.name {
                Some(name) if lead.is_whole => {
                    self.position(object.property(self.layouts, name), shape, at)
                }
                name if path.is_single() => {
                    self.position(object.locate(self.layouts, path, name), shape, at)
                }
                _ => self.each(object, path, shape, at),
            },
            FieldValue::Hole(hole) => self.hole(hole, field, object),
            FieldValue::Streamed(hole, part) => match self.inputs.first_items(*part) {
                Ok(0) => {
                    self.writer.bytes.extend_from_slice(b"[]");
                    Ok(())
                }
                Ok(_) => self.hole(hole, field, object),
                Err(failure) => self.within(at, |it| Err(it.failed(failure, asked))),
            },
            FieldValue::Typename => {
                self.writer.quoted(&object.selection.type_name);
                Ok(())
            }
            FieldValue::Computed(computed, shape) => self.computed(object, computed, shape, at),
            FieldValue::Introspection => self.introspection(at),
        }
    }

    /// A place that a fetch fills.
    fn hole(
        &mut self,
        hole: &'p Hole,
        field: &'p Field,
        object: Object<'p, 'a>,
    ) -> Result<(), Bubble<'p>> {
        self.writer.enter(PathStep::Key(&field.key), false);
        self.writer.hole(hole, &field.locations, object.instance);
        self.writer.leave();
        Ok(())
    }

    /// A path over many values (`items[*].id`): a list of them, null where there is no list.
    fn each(
        &mut self,
        object: Object<'p, 'a>,
        path: &Path,
        shape: &'p Shape,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        let list = path.segments().split(|step| *step == Segment::Each).next();
        let list = list.and_then(|steps| below(object.value, steps));
        let Some(list) = list.filter(|list| !list.is_null()) else {
            return self.no_value("nothing", &shape.kind, at);
        };
        let (Kind::List(item), JsonKind::Array) = (&shape.kind, list.kind()) else {
            let given = list.kind().name();
            return self.within(at, |it| Err(it.mismatch(given, &shape.kind, at.asked)));
        };
        self.within(at, |it| {
            it.writer.bytes.push(b'[');
            for (index, value) in (0..).zip(path.eval_all(object.value)) {
                it.room(at.asked)?;
                it.item(value, item, index, at.asked)?;
            }
            it.writer.bytes.push(b']');
            Ok(())
        })
    }

    fn computed(
        &mut self,
        object: Object<'p, 'a>,
        computed: &Computed,
        shape: &'p Shape,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        let this = computed.slots.iter().map(|slot| object.captured(self.layouts, *slot));
        let this = this.collect::<Vec<_>>();
        match self.compute(computed, &this, None) {
            Ok(body) => self.of_body(&body, |it| it.position(Some(body.root()), shape, at)),
            Err(failure) => self.within(at, |it| Err(it.failed(failure, at.asked))),
        }
    }

    fn introspection(&mut self, at: At<'p>) -> Result<(), Bubble<'p>> {
        let PathStep::Key(key) = at.step else { return Ok(()) };
        let prepared = self.inputs.introspection.iter().find(|(name, _)| **name == *key);
        match prepared {
            Some((_, json)) => {
                self.writer.bytes.extend_from_slice(json);
                Ok(())
            }
            None => self.within(at, |it| Err(it.failed(message::no_introspection(), at.asked))),
        }
    }
}

impl<'a> Object<'_, 'a> {
    /// What a slot of the selection captures of it.
    fn captured(self, layouts: &Layouts<'_>, slot: u32) -> Option<Value<'a>> {
        let (path, name) = self.selection.capture(slot)?;
        self.locate(layouts, path, name)
    }

    /// The value at a path, whose first name has been looked out for.
    fn locate(self, layouts: &Layouts<'_>, path: &Path, name: Option<u32>) -> Option<Value<'a>> {
        match (path.segments(), name) {
            ([_], Some(name)) => self.property(layouts, name),
            ([_, rest @ ..], Some(name)) => below(self.property(layouts, name)?, rest),
            (steps, _) => below(self.value, steps),
        }
    }

    #[inline]
    fn property(self, layouts: &Layouts<'_>, name: u32) -> Option<Value<'a>> {
        layouts.seen(self.seen, name).map(|place| self.value.body().at(place))
    }
}

/// The value at the end of steps that lead to one at most.
fn below<'a>(value: Value<'a>, steps: &[Segment]) -> Option<Value<'a>> {
    steps.iter().try_fold(value, |value, step| match step {
        Segment::Property(name) => value.get(name),
        Segment::Index(index) => item(value, *index),
        Segment::Each => None,
    })
}

fn item(value: Value<'_>, index: i64) -> Option<Value<'_>> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let from_start =
        if index < 0 { value.items().count().checked_sub(distance)? } else { distance };
    value.items().nth(from_start)
}
