//! Roots that are found by their names (specification section 3.3.1): a type that has the name of one
//! and is no object would silently be none.

use apollo_compiler::Schema;
use apollo_compiler::ast::OperationType;
use apollo_compiler::schema::ExtendedType;

use super::files::Files;
use crate::config::Problem;

const ROOTS: [OperationType; 3] =
    [OperationType::Query, OperationType::Mutation, OperationType::Subscription];

/// Types of a root's name that cannot be it.
pub(super) fn problems(schema: &Schema, files: &Files) -> Vec<Problem> {
    let misnamed = ROOTS.into_iter().filter_map(|root| Some((root, misnamed(schema, root)?)));
    let problem = |(root, ty): (OperationType, &ExtendedType)| {
        let place = files.place(ty.name().location())?;
        let message = format!(
            "`{}` is the {} root by its name, and must be an object type, not {}",
            ty.name(),
            root.name(),
            kind(ty)
        );
        Some(place.error(message).with_help(format!(
            "give it another name, or say which types are roots: `schema {{ {} }}`",
            definition(schema)
        )))
    };
    misnamed.filter_map(problem).collect()
}

/// The type that has a root's name and is no object, where no `schema` says which types are roots.
pub(super) fn misnamed(schema: &Schema, root: OperationType) -> Option<&ExtendedType> {
    let implicit = schema.schema_definition.location().is_none();
    let found = schema.types.get(&root.default_type_name());
    found.filter(|ty| implicit && !ty.is_object() && schema.root_operation(root).is_none())
}

/// The roots that there are, as `schema` would name them.
fn definition(schema: &Schema) -> String {
    let roots = ROOTS.into_iter().filter_map(|root| match schema.root_operation(root) {
        Some(name) => Some(format!("{}: {name}", root.name())),
        None => (root == OperationType::Query).then(|| "query: ..".to_owned()),
    });
    roots.collect::<Vec<_>>().join(" ")
}

const fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "a scalar",
        ExtendedType::Object(_) => "an object type",
        ExtendedType::Interface(_) => "an interface",
        ExtendedType::Union(_) => "a union",
        ExtendedType::Enum(_) => "an enum",
        ExtendedType::InputObject(_) => "an input object",
    }
}
