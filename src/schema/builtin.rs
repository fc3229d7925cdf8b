//! Directives that GraphQL itself defines: a schema may repeat their definitions, as some tools
//! print them, but not change them.

use apollo_compiler::ast::{DirectiveDefinition, InputValueDefinition, Type};
use apollo_compiler::{Node, Schema};

use super::files::Files;
use crate::config::Problem;

/// Definitions that differ from GraphQL's own.
pub(super) fn problems(schema: &Schema, files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for own in Schema::new().directive_definitions.values() {
        let written = schema.directive_definitions.get(&own.name);
        let changed = written.filter(|written| !written.is_built_in() && differs(written, own));
        let place = changed.and_then(|changed| files.place(changed.name.location()));
        if let Some(place) = place {
            let message = format!("`@{}` is defined otherwise by GraphQL itself", own.name);
            problems.push(place.error(message).with_help("leave the definition out"));
        }
    }
    problems
}

/// Puts GraphQL's own definitions in the place of their repetitions.
pub(super) fn restore(schema: &mut Schema) {
    for (name, own) in Schema::new().directive_definitions {
        schema.directive_definitions.insert(name, own);
    }
}

/// Nullability of arguments, default values and added locations do differ between editions.
fn differs(written: &DirectiveDefinition, own: &Node<DirectiveDefinition>) -> bool {
    arguments(written) != arguments(own)
        || written.locations.iter().any(|location| !own.locations.contains(location))
}

fn arguments(of: &DirectiveDefinition) -> Vec<(&str, Type)> {
    let argument = |it: &'_ Node<InputValueDefinition>| it.ty.as_ref().clone().nullable();
    of.arguments.iter().map(|it| (it.name.as_str(), argument(it))).collect()
}
