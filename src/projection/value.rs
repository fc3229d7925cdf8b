//! One value against its shape. A failure bubbles to the nearest nullable value around it, where
//! `null` takes the place of all that was written.

use std::sync::Arc;

use crate::failure::Failure;
use crate::json::{Body, Kind as JsonKind, Value};
use crate::plan::{Cases, Computed, Field, Kind, Leaf, Selection, Shape, Through};
use crate::template::ComputedValues;

use super::leaf;
use super::order::Layouts;
use super::paths::PathStep;
use super::writer::{Bubble, Writer};
use super::{Inputs, message};

/// Writes values of one body.
pub(super) struct Projector<'p, 'a, 'w> {
    pub(super) writer: &'w mut Writer<'p>,
    pub(super) inputs: Inputs<'a>,
    /// The upstream that gave the body; `None` for a root selection.
    pub(super) service: Option<&'a Arc<str>>,
    pub(super) body: &'a Body,
    pub(super) layouts: &'w mut Layouts<'p>,
}

/// The field that asks for a value, and its type's name.
#[derive(Clone, Copy)]
pub(super) struct Asked<'p> {
    pub(super) selection: &'p Selection,
    pub(super) field: &'p Field,
}

/// A position below the fragment's root.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    pub(super) step: PathStep<'p>,
    pub(super) asked: Option<Asked<'p>>,
    pub(super) nullable: bool,
}

/// What came of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It is written.
    Value,
    /// It is null; nothing is written.
    Null,
}

impl<'p, 'a> Projector<'p, 'a, '_> {
    /// Writes the value at a position, or null where nothing is there.
    #[inline]
    pub(super) fn position(
        &mut self,
        value: Option<Value<'a>>,
        shape: &'p Shape,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        match (value, &shape.kind) {
            (Some(value), Kind::Leaf(leaf)) => self.leaf(value, leaf, at),
            (Some(value), kind) => self.nested(value, kind, at),
            (None, _) => self.no_value("nothing", &shape.kind, at),
        }
    }

    /// Writes an item of a list.
    #[inline]
    pub(super) fn item(
        &mut self,
        value: Value<'a>,
        shape: &'p Shape,
        index: u32,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        if index > 0 {
            self.writer.bytes.push(b',');
        }
        let at = At { step: PathStep::Index(index), asked, nullable: shape.nullable };
        self.position(Some(value), shape, at)
    }

    /// Writes what `write` writes as a position's value. Its failure is the position's null, if
    /// null may stand there.
    pub(super) fn within(
        &mut self,
        at: At<'p>,
        write: impl FnOnce(&mut Self) -> Result<(), Bubble<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let mark = at.nullable.then(|| self.writer.mark());
        self.writer.enter(at.step, at.nullable);
        let result = write(self);
        self.writer.leave();
        match (result, mark) {
            (Err(failed), Some(mark)) => {
                self.writer.fail_since(mark, *failed);
                Ok(())
            }
            (result, _) => result,
        }
    }

    /// Writes null, or fails where it may not stand.
    pub(super) fn no_value(
        &mut self,
        given: &'static str,
        kind: &'p Kind,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        if at.nullable {
            self.writer.null();
            return Ok(());
        }
        self.within(at, |it| Err(it.mismatch(given, kind, at.asked)))
    }

    /// Writes a value.
    pub(super) fn value(
        &mut self,
        value: Value<'a>,
        kind: &'p Kind,
        asked: Option<Asked<'p>>,
    ) -> Result<Came, Bubble<'p>> {
        let given = value.kind();
        // What only leads to the value may be null: the key may come from elsewhere.
        let leads_on = matches!(kind, Kind::Through(_) | Kind::Computed(..));
        if given == JsonKind::Null && !leads_on {
            return Ok(Came::Null);
        }
        match (kind, given) {
            (Kind::List(item), JsonKind::Array) => self.list(value, item, asked)?,
            (Kind::Object(selection), JsonKind::Object) => self.object(value, selection)?,
            (Kind::Abstract(cases), JsonKind::Object) => self.one_of(value, cases, asked)?,
            (Kind::Leaf(leaf), _) => self.write_leaf(value, leaf, asked)?,
            (Kind::Through(through), _) => self.through(value, through, asked),
            (Kind::Computed(computed, shape), _) => {
                let result = self.compute(computed, self.inputs.this, Some(value));
                let body = result.map_err(|failure| self.failed(failure, asked))?;
                return self.of_body(&body, |it| it.value(body.root(), &shape.kind, asked));
            }
            (Kind::List(_) | Kind::Object(_) | Kind::Abstract(_), given) => {
                return Err(self.mismatch(given.name(), kind, asked));
            }
        }
        Ok(Came::Value)
    }

    /// Writes values of another body.
    pub(super) fn of_body<'b, T>(
        &mut self,
        body: &'b Body,
        write: impl FnOnce(&mut Projector<'p, 'b, '_>) -> T,
    ) -> T
    where
        'a: 'b,
    {
        write(&mut Projector {
            writer: &mut *self.writer,
            inputs: self.inputs,
            service: self.service,
            body,
            layouts: &mut *self.layouts,
        })
    }

    /// The JSON that an expression gives, checked.
    pub(super) fn compute(
        &self,
        computed: &Computed,
        this: &[Option<Value<'a>>],
        answer: Option<Value<'a>>,
    ) -> Result<Body, Arc<Failure>> {
        let args = self.inputs.args.get(computed.args.0 as usize);
        let args = args.ok_or_else(message::no_arguments)?.as_ref().map_err(Arc::clone)?;
        let values = ComputedValues { args: args.root(), this, claims: self.inputs.claims, answer };
        let text = computed.expression.evaluate(&values).inspect_err(|reason| {
            tracing::warn!(field = %computed.coordinate, reason, "a value could not be computed");
        });
        let body = text.ok().and_then(|text| Body::parse(text.into()).ok());
        body.ok_or_else(|| message::not_computed(self.service))
    }

    /// A failure of the value last entered.
    #[cold]
    pub(super) fn failed(&self, failure: Arc<Failure>, asked: Option<Asked<'p>>) -> Bubble<'p> {
        let locations = asked.map_or(&[][..], |asked| &asked.field.locations);
        self.writer.failed(locations, failure)
    }

    /// The failure of a value that is not of the kind declared.
    #[cold]
    pub(super) fn mismatch(
        &self,
        given: &str,
        kind: &Kind,
        asked: Option<Asked<'p>>,
    ) -> Bubble<'p> {
        self.failed(message::mismatch(given, kind, asked, self.service), asked)
    }

    #[inline]
    fn leaf(&mut self, value: Value<'a>, leaf: &'p Leaf, at: At<'p>) -> Result<(), Bubble<'p>> {
        let raw = value.raw();
        if raw == b"null" {
            if at.nullable {
                self.writer.null();
                return Ok(());
            }
            return self.within(at, |it| Err(it.leaf_mismatch("null", leaf, at.asked)));
        }
        if self.writer.has_room(raw.len())
            && leaf::write(&mut self.writer.bytes, leaf, value, raw).is_ok()
        {
            return Ok(());
        }
        self.within(at, |it| it.write_leaf(value, leaf, at.asked))
    }

    fn write_leaf(
        &mut self,
        value: Value<'a>,
        leaf: &Leaf,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let raw = value.raw();
        if !self.writer.has_room(raw.len()) {
            return Err(self.failed(message::too_large(), asked));
        }
        leaf::write(&mut self.writer.bytes, leaf, value, raw)
            .map_err(|given| self.leaf_mismatch(given, leaf, asked))
    }

    #[cold]
    fn leaf_mismatch(&self, given: &str, leaf: &Leaf, asked: Option<Asked<'p>>) -> Bubble<'p> {
        self.mismatch(given, &Kind::Leaf(leaf.clone()), asked)
    }

    fn nested(&mut self, value: Value<'a>, kind: &'p Kind, at: At<'p>) -> Result<(), Bubble<'p>> {
        self.within(at, |it| match it.value(value, kind, at.asked)? {
            Came::Value => Ok(()),
            Came::Null if at.nullable => {
                it.writer.null();
                Ok(())
            }
            Came::Null => Err(it.mismatch("null", kind, at.asked)),
        })
    }

    fn list(
        &mut self,
        list: Value<'a>,
        item: &'p Shape,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        self.writer.bytes.push(b'[');
        for (index, value) in (0..).zip(list.items()) {
            self.room(asked)?;
            self.item(value, item, index, asked)?;
        }
        self.writer.bytes.push(b']');
        Ok(())
    }

    /// An object of the type that its discriminator tells.
    fn one_of(
        &mut self,
        value: Value<'a>,
        cases: &'p Cases,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let told = cases.discriminator.eval(value).and_then(text);
        let case = told.and_then(|told| cases.cases.iter().find(|(name, _)| **name == *told));
        if let Some((_, selection)) = case {
            return self.object(value, selection);
        }
        Err(self.failed(message::unknown_type(cases, asked, self.service), asked))
    }

    fn through(&mut self, answer: Value<'a>, through: &'p Through, asked: Option<Asked<'p>>) {
        let captures = through.captures.iter().map(|path| Some(path.eval(answer)?.place()));
        let instance = self.writer.instance(self.body, captures);
        let locations = asked.map_or(&[][..], |asked| &asked.field.locations);
        self.writer.hole(&through.hole, locations, instance);
    }

    /// Fails once the fragment is over its limit.
    #[inline]
    pub(super) fn room(&mut self, asked: Option<Asked<'p>>) -> Result<(), Bubble<'p>> {
        if self.writer.has_room(0) {
            return Ok(());
        }
        Err(self.failed(message::too_large(), asked))
    }
}

/// What a discriminator says: a string's content, a number or Boolean as written.
fn text(value: Value<'_>) -> Option<std::borrow::Cow<'_, str>> {
    match value.kind() {
        JsonKind::String => value.as_str(),
        JsonKind::Number | JsonKind::Boolean => {
            std::str::from_utf8(value.raw()).ok().map(Into::into)
        }
        JsonKind::Null | JsonKind::Array | JsonKind::Object => None,
    }
}
