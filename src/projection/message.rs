//! What clients read of a projection's failures. Nothing of a body stands here.

use std::sync::Arc;

use crate::failure::{Code, Failure};
use crate::plan::{Cases, Kind, Leaf};

use super::value::Asked;

/// A value that is not of the kind declared.
pub(super) fn mismatch(
    given: &str,
    kind: &Kind,
    asked: Option<Asked<'_>>,
    service: Option<&Arc<str>>,
) -> Arc<Failure> {
    let strict = if matches!(given, "null" | "nothing") { "!" } else { "" };
    let declared = declared(kind);
    bad_answer(
        format!("{}the upstream gave {given} where {declared}{strict} is declared", place(asked)),
        service,
    )
}

/// An object whose discriminator names none of the types.
pub(super) fn unknown_type(
    cases: &Cases,
    asked: Option<Asked<'_>>,
    service: Option<&Arc<str>>,
) -> Arc<Failure> {
    let (place, name) = (place(asked), &cases.type_name);
    bad_answer(format!("{place}the upstream does not say which type of {name} it gave"), service)
}

/// An expression that fails, or gives no JSON.
pub(super) fn not_computed(service: Option<&Arc<str>>) -> Arc<Failure> {
    bad_answer("the value could not be computed".to_owned(), service)
}

/// A guarded field, asked for by nobody in particular.
pub(super) fn unauthenticated(asked: Option<Asked<'_>>) -> Arc<Failure> {
    let place = place(asked);
    Failure::new(Code::Unauthenticated, format!("{place}sign in to read this field")).into()
}

/// A fragment over its limit.
pub(super) fn too_large() -> Arc<Failure> {
    Failure::new(Code::ResponseTooLarge, "the response would be larger than allowed").into()
}

/// A computed field whose arguments nobody prepared.
pub(super) fn no_arguments() -> Arc<Failure> {
    Failure::new(Code::Internal, "the field's arguments are missing").into()
}

/// An introspection field that nobody prepared.
pub(super) fn no_introspection() -> Arc<Failure> {
    Failure::new(Code::Internal, "the schema's description is missing").into()
}

fn bad_answer(message: String, service: Option<&Arc<str>>) -> Arc<Failure> {
    let failure = Failure::new(Code::UpstreamBadAnswer, message);
    match service {
        Some(service) => failure.of(service, None),
        None => failure,
    }
    .into()
}

/// `Order.total: `, by response key; nothing for the root of a fragment.
fn place(asked: Option<Asked<'_>>) -> String {
    asked.map_or_else(String::new, |Asked { selection, field }| {
        format!("{}.{}: ", selection.type_name, field.key)
    })
}

fn declared(kind: &Kind) -> String {
    match kind {
        Kind::Leaf(leaf) => match leaf {
            Leaf::Int => "Int",
            Leaf::Float => "Float",
            Leaf::String => "String",
            Leaf::Boolean => "Boolean",
            Leaf::Id => "ID",
            Leaf::Enum(_) => "an enum",
            Leaf::Custom(scalar) => scalar.called(),
        }
        .to_owned(),
        Kind::List(item) => {
            let strict = if item.nullable { "" } else { "!" };
            format!("[{}{strict}]", declared(&item.kind))
        }
        Kind::Object(selection) => selection.type_name.to_string(),
        Kind::Abstract(cases) => cases.type_name.to_string(),
        Kind::Through(_) => "a value".to_owned(),
        Kind::Computed(_, shape) => declared(&shape.kind),
    }
}
