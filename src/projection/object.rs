//! Objects: one walk notes where the wanted properties lie, of duplicates the last; then the
//! fields are written in response order.

use crate::json::{Cursor, Kind as JsonKind, Path, Segment, Value};
use crate::plan::{Computed, Field, FieldValue, Kind, Selection, Shape};

use super::message;
use super::order::Order;
use super::paths::PathStep;
use super::value::{Asked, At, Projector, Seen};
use super::writer::Bubble;

/// An object whose properties have been noted.
#[derive(Clone, Copy)]
struct Object<'p, 'a> {
    /// `None`: the empty object that root fields are read from.
    value: Option<Value<'a>>,
    selection: &'p Selection,
    /// Where its properties begin in what was seen.
    base: usize,
    /// What its holes read of it.
    instance: u32,
}

impl<'p, 'a> Projector<'p, 'a, '_> {
    /// Writes the object that the cursor stands at, and passes it.
    pub(super) fn object(
        &mut self,
        cursor: &mut Cursor<'a>,
        selection: &'p Selection,
    ) -> Result<(), Bubble<'p>> {
        let (value, base) = (Some(cursor.value()), self.seen.len());
        self.note(cursor, selection);
        let result = self.fields(Object { value, selection, base, instance: 0 });
        self.seen.truncate(base);
        result
    }

    /// Writes the root selection, which is read from nothing.
    pub(super) fn empty_object(&mut self, selection: &'p Selection) -> Result<(), Bubble<'p>> {
        self.fields(Object { value: None, selection, base: self.seen.len(), instance: 0 })
    }

    fn note(&mut self, cursor: &mut Cursor<'a>, selection: &'p Selection) {
        let names = selection.names();
        let base = self.seen.len();
        self.seen.resize(base + names.len(), None);
        let Some(seen) = self.seen.get_mut(base..) else { return };
        let known = self.orders.iter_mut().find(|(known, _)| std::ptr::eq(*known, selection));
        let tell = |number: u32, value, span| {
            if let Some(seen) = seen.get_mut(number as usize) {
                *seen = Some(Seen { value, span });
            }
        };
        match known {
            Some((_, order)) => order.walk(cursor, |name| names.find(name), tell),
            None => {
                self.orders.push((selection, Order::default()));
                Order::unlearned(cursor, |name| names.find(name), tell);
            }
        }
    }

    fn fields(&mut self, mut object: Object<'p, 'a>) -> Result<(), Bubble<'p>> {
        let selection = object.selection;
        if selection.has_holes() {
            let slots = 0..u32::try_from(selection.captures.len()).unwrap_or(0);
            let captures = slots.map(|slot| Some(self.captured(object, slot)?.span)).collect();
            object.instance = self.writer.instance(self.body, captures);
        }
        if selection.fields.is_empty() {
            self.writer.bytes.push(b'{');
        }
        for (field, lead) in selection.fields.iter().zip(selection.leads()) {
            self.writer.bytes.extend_from_slice(&lead.text);
            self.field(field, lead.name, object)?;
        }
        self.writer.bytes.push(b'}');
        Ok(())
    }

    #[inline]
    fn field(
        &mut self,
        field: &'p Field,
        name: Option<u32>,
        object: Object<'p, 'a>,
    ) -> Result<(), Bubble<'p>> {
        let asked = Some(Asked { selection: object.selection, field });
        let at = At { step: PathStep::Key(&field.key), asked, nullable: field.nullable };
        if field.authenticated && !self.inputs.authenticated {
            return self.within(at, |it| Err(it.failed(message::unauthenticated(at.asked), asked)));
        }
        match &field.value {
            FieldValue::Property(path, shape) => match (path.segments(), name) {
                ([_], Some(name)) => self.position(self.seen(object, name), shape, at),
                _ if path.is_single() => self.position(self.locate(object, path, name), shape, at),
                _ => self.each(object, path, shape, at),
            },
            FieldValue::Hole(hole) => {
                self.writer.enter(at.step, false);
                self.writer.hole(hole, &field.locations, object.instance);
                self.writer.leave();
                Ok(())
            }
            FieldValue::Typename => {
                self.writer.quoted(&object.selection.type_name);
                Ok(())
            }
            FieldValue::Computed(computed, shape) => self.computed(object, computed, shape, at),
            FieldValue::Introspection => self.introspection(at),
        }
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
        let list = object.value.zip(list).and_then(|(value, steps)| below(value, steps));
        let Some((value, list)) = object.value.zip(list).filter(|(_, list)| !list.is_null()) else {
            return self.no_value("nothing", &shape.kind, at);
        };
        let (Kind::List(item), JsonKind::Array) = (&shape.kind, list.kind()) else {
            let given = list.kind().to_string();
            return self.within(at, |it| Err(it.mismatch(&given, &shape.kind, at.asked)));
        };
        self.within(at, |it| {
            it.writer.bytes.push(b'[');
            for (index, value) in (0..).zip(path.eval_all(value)) {
                it.room(at.asked)?;
                it.item(&mut value.cursor(), item, index, at.asked)?;
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
        let this = computed.slots.iter().map(|slot| Some(self.captured(object, *slot)?.value));
        let this = this.collect::<Vec<_>>();
        match self.compute(computed, &this, None) {
            Ok(body) => self.of_body(&body, |it| it.position(Some(body.root().into()), shape, at)),
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

    /// What a slot of the selection captures of an object.
    fn captured(&self, object: Object<'p, 'a>, slot: u32) -> Option<Seen<'a>> {
        let (path, name) = object.selection.capture(slot)?;
        self.locate(object, path, name)
    }

    /// The value at a path, whose first name has been looked out for.
    fn locate(&self, object: Object<'p, 'a>, path: &Path, name: Option<u32>) -> Option<Seen<'a>> {
        match (path.segments(), name) {
            ([_], Some(name)) => self.seen(object, name),
            ([_, rest @ ..], Some(name)) => {
                below(self.seen(object, name)?.value, rest).map(Seen::from)
            }
            (steps, _) => below(object.value?, steps).map(Seen::from),
        }
    }

    #[inline]
    fn seen(&self, object: Object<'p, 'a>, name: u32) -> Option<Seen<'a>> {
        *self.seen.get(object.base + name as usize)?
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
