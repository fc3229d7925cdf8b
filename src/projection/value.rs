//! One value against its shape. A failure bubbles to the nearest nullable value around it, where
//! `null` takes the place of all that was written.

use std::sync::Arc;

use crate::failure::Failure;
use crate::json::{Body, Cursor, Kind as JsonKind, Span, Value};
use crate::plan::{Cases, Computed, Field, Kind, Leaf, Selection, Shape, Through};
use crate::template::ComputedValues;

use super::leaf;
use super::order::Order;
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
    /// Where the wanted properties of the objects around the next byte lie.
    pub(super) seen: Vec<Option<Seen<'a>>>,
    /// How the objects of a selection that were met so far are laid out.
    pub(super) orders: Vec<(&'p Selection, Order)>,
}

/// A value whose end is known.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) value: Value<'a>,
    pub(super) span: Span,
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

impl<'a> From<Value<'a>> for Seen<'a> {
    fn from(value: Value<'a>) -> Self {
        Self { value, span: value.span() }
    }
}

impl<'p, 'a> Projector<'p, 'a, '_> {
    /// Writes the value at a position, or null where nothing is there.
    #[inline]
    pub(super) fn position(
        &mut self,
        seen: Option<Seen<'a>>,
        shape: &'p Shape,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        match (seen, &shape.kind) {
            (Some(seen), Kind::Leaf(leaf)) => self.leaf(seen, leaf, at),
            (Some(seen), _) => self.nested(&mut seen.value.cursor(), &shape.kind, at),
            (None, _) => self.no_value("nothing", &shape.kind, at),
        }
    }

    /// Writes the item of a list that the cursor stands at, and passes it.
    #[inline]
    pub(super) fn item(
        &mut self,
        cursor: &mut Cursor<'a>,
        shape: &'p Shape,
        index: u32,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        if index > 0 {
            self.writer.bytes.push(b',');
        }
        let at = At { step: PathStep::Index(index), asked, nullable: shape.nullable };
        let Kind::Leaf(leaf) = &shape.kind else { return self.nested(cursor, &shape.kind, at) };
        let (value, start) = (cursor.value(), cursor.position());
        cursor.skip();
        let span = Span { start, end: cursor.position() };
        self.leaf(Seen { value, span }, leaf, at)
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

    /// Writes the value that the cursor stands at, and passes it, also where it fails.
    pub(super) fn value(
        &mut self,
        cursor: &mut Cursor<'a>,
        kind: &'p Kind,
        asked: Option<Asked<'p>>,
    ) -> Result<Came, Bubble<'p>> {
        let value = cursor.value();
        // What only leads to the value may be null: the key may come from elsewhere.
        let leads_on = matches!(kind, Kind::Through(_) | Kind::Computed(..));
        if value.is_null() && !leads_on {
            cursor.skip();
            return Ok(Came::Null);
        }
        match (kind, value.kind()) {
            (Kind::List(item), JsonKind::Array) => self.list(cursor, item, asked)?,
            (Kind::Object(selection), JsonKind::Object) => self.object(cursor, selection)?,
            (Kind::Abstract(cases), JsonKind::Object) => self.one_of(cursor, cases, asked)?,
            (Kind::Leaf(leaf), _) => {
                cursor.skip();
                self.write_leaf(value.into(), leaf, asked)?;
            }
            (Kind::Through(through), _) => {
                cursor.skip();
                self.through(value, through, asked);
            }
            (Kind::Computed(computed, shape), _) => {
                cursor.skip();
                let result = self.compute(computed, self.inputs.this, Some(value));
                let body = result.map_err(|failure| self.failed(failure, asked))?;
                return self
                    .of_body(&body, |it| it.value(&mut body.root().cursor(), &shape.kind, asked));
            }
            (Kind::List(_) | Kind::Object(_) | Kind::Abstract(_), given) => {
                cursor.skip();
                return Err(self.mismatch(&given.to_string(), kind, asked));
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
            seen: Vec::new(),
            orders: Vec::new(),
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
    fn leaf(&mut self, seen: Seen<'a>, leaf: &'p Leaf, at: At<'p>) -> Result<(), Bubble<'p>> {
        if seen.value.is_null() {
            if at.nullable {
                self.writer.null();
                return Ok(());
            }
            return self.within(at, |it| Err(it.leaf_mismatch("null", leaf, at.asked)));
        }
        let raw = self.raw(seen.span);
        if self.writer.has_room(raw.len())
            && leaf::write(&mut self.writer.bytes, leaf, seen.value, raw).is_ok()
        {
            return Ok(());
        }
        self.within(at, |it| it.write_leaf(seen, leaf, at.asked))
    }

    fn write_leaf(
        &mut self,
        seen: Seen<'a>,
        leaf: &Leaf,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let raw = self.raw(seen.span);
        if !self.writer.has_room(raw.len()) {
            return Err(self.failed(message::too_large(), asked));
        }
        leaf::write(&mut self.writer.bytes, leaf, seen.value, raw)
            .map_err(|given| self.leaf_mismatch(&given, leaf, asked))
    }

    #[cold]
    fn leaf_mismatch(&self, given: &str, leaf: &Leaf, asked: Option<Asked<'p>>) -> Bubble<'p> {
        self.mismatch(given, &Kind::Leaf(leaf.clone()), asked)
    }

    fn nested(
        &mut self,
        cursor: &mut Cursor<'a>,
        kind: &'p Kind,
        at: At<'p>,
    ) -> Result<(), Bubble<'p>> {
        self.within(at, |it| match it.value(cursor, kind, at.asked)? {
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
        cursor: &mut Cursor<'a>,
        item: &'p Shape,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let Some(mut items) = cursor.array() else { return Ok(()) };
        self.writer.bytes.push(b'[');
        let mut index = 0;
        while let Some(cursor) = items.next_item() {
            let result = self.room(asked).and_then(|()| self.item(cursor, item, index, asked));
            if let Err(failed) = result {
                items.finish();
                return Err(failed);
            }
            index += 1;
        }
        self.writer.bytes.push(b']');
        Ok(())
    }

    /// An object of the type that its discriminator tells.
    fn one_of(
        &mut self,
        cursor: &mut Cursor<'a>,
        cases: &'p Cases,
        asked: Option<Asked<'p>>,
    ) -> Result<(), Bubble<'p>> {
        let told = cases.discriminator.eval(cursor.value()).and_then(text);
        let case = told.and_then(|told| cases.cases.iter().find(|(name, _)| **name == *told));
        if let Some((_, selection)) = case {
            return self.object(cursor, selection);
        }
        cursor.skip();
        Err(self.failed(message::unknown_type(cases, asked, self.service), asked))
    }

    fn through(&mut self, answer: Value<'a>, through: &'p Through, asked: Option<Asked<'p>>) {
        let captures = through.captures.iter().map(|path| Some(path.eval(answer)?.span()));
        let instance = self.writer.instance(self.body, captures.collect());
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

    fn raw(&self, span: Span) -> &'a [u8] {
        self.body.bytes().get(span.range()).unwrap_or_default()
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
