//! The whole answer of a fetch, or a root selection, as a fragment.

use std::sync::Arc;

use crate::json::{Body, Place};
use crate::plan::{Kind, Selection, Shape};

use super::order::Layouts;
use super::value::{Came, Projector};
use super::writer::{Bubble, Writer};
use super::{Answer, Fragment, Inputs, Outcome, message};

/// Projects one slot's answer by the fetch's shape. `service` is the upstream that gave it.
///
/// Whether the value itself may be null is not asked here: that is each hole's to say. What one
/// answer shows of the layout of objects makes the next ones of the same fetch cheaper.
#[must_use]
pub fn project<'p>(
    answer: &Answer,
    shape: &'p Shape,
    inputs: &Inputs<'_>,
    service: &Arc<str>,
    layouts: &mut Layouts<'p>,
) -> Fragment<'p> {
    let with = With { inputs: *inputs, service: Some(service) };
    match answer {
        Answer::Null => Writer::new(0, 0).finish(Outcome::Null),
        Answer::Missing => Writer::new(0, 0).finish(Outcome::Missing),
        Answer::Value(body, place) => {
            let value = body.at(*place);
            of_body(body, value.raw().len(), with, layouts, |it| it.value(value, &shape.kind, None))
        }
        Answer::Rows(body, rows) => match &shape.kind {
            Kind::List(item) => {
                let len = rows.iter().map(|row| body.at(*row).raw().len()).sum();
                of_body(body, len, with, layouts, |it| it.rows(rows, item))
            }
            kind => match array(body, rows) {
                Some(body) => of_body(&body, body.bytes().len(), with, layouts, |it| {
                    it.value(body.root(), kind, None)
                }),
                None => Fragment::failed(message::not_computed(Some(service))),
            },
        },
    }
}

/// Projects the root fields of a step, which are read from no answer: from an object without
/// properties, so that a field that is this very object (`@json(name: ".")`) groups root fields.
#[must_use]
pub fn project_root<'p>(selection: &'p Selection, inputs: &Inputs<'_>) -> Fragment<'p> {
    let body = Body::empty_object();
    of_body(&body, 0, With { inputs: *inputs, service: None }, &mut Layouts::default(), |it| {
        it.object(body.root(), selection).map(|()| Came::Value)
    })
}

/// What a projection reads beside body and plan.
#[derive(Clone, Copy)]
struct With<'a> {
    inputs: Inputs<'a>,
    service: Option<&'a Arc<str>>,
}

/// A fragment is seldom larger than what it is made of; most are much smaller.
fn of_body<'p, 'a>(
    body: &'a Body,
    len: usize,
    With { inputs, service }: With<'a>,
    layouts: &mut Layouts<'p>,
    write: impl FnOnce(&mut Projector<'p, 'a, '_>) -> Result<Came, Bubble<'p>>,
) -> Fragment<'p> {
    let mut writer = Writer::new(len / 2 + 64, inputs.max_bytes);
    let mut projector = Projector { writer: &mut writer, inputs, service, body, layouts };
    let outcome = match write(&mut projector) {
        Ok(Came::Value) => Outcome::Value,
        Ok(Came::Null) => Outcome::Null,
        Err(failed) => Outcome::Failed(*failed),
    };
    if writer.is_full() {
        return Fragment::failed(message::too_large());
    }
    writer.finish(outcome)
}

impl<'p> Projector<'p, '_, '_> {
    fn rows(&mut self, rows: &[Place], item: &'p Shape) -> Result<Came, Bubble<'p>> {
        self.writer.bytes.push(b'[');
        for (index, row) in (0..).zip(rows) {
            self.room(None)?;
            self.item(self.body.at(*row), item, index, None)?;
        }
        self.writer.bytes.push(b']');
        Ok(Came::Value)
    }
}

/// Rows as the list they stand for, where something reads them as one value.
fn array(body: &Body, rows: &[Place]) -> Option<Body> {
    let mut text = vec![b'['];
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(body.at(*row).raw());
    }
    text.push(b']');
    Body::parse(text.into()).ok()
}
