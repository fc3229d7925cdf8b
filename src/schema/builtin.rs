//! Directives that GraphQL itself defines, those of incremental delivery among them, which are but a
//! working draft: a schema may repeat their definitions, as some tools print them, but not change
//! them.

use apollo_compiler::ast::{Definition, DirectiveDefinition, Document, InputValueDefinition, Type};
use apollo_compiler::{Node, Schema};

use super::files::Files;
use crate::config::Problem;

/// Definitions that differ from GraphQL's own.
pub(super) fn problems(schema: &Schema, files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    for own in definitions() {
        let written = schema.directive_definitions.get(&own.name);
        let changed = written.filter(|written| !written.is_built_in() && differs(written, &own));
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
    for own in definitions() {
        schema.directive_definitions.insert(own.name.clone(), own);
    }
}

/// `@defer` and `@stream`, as the working draft of incremental delivery defines them.
const DELIVERY: &str = r#"
"Lets these fields come later, if the client takes a response in parts and they have requests of their own."
directive @defer(
  "Whether they may."
  if: Boolean! = true
  "Names the part."
  label: String
) on FRAGMENT_SPREAD | INLINE_FRAGMENT

"Lets the items of a list come later, if the client takes a response in parts and the list has a request of its own."
directive @stream(
  "Whether they may."
  if: Boolean! = true
  "Names the part."
  label: String
  "How many items come at once."
  initialCount: Int! = 0
) on FIELD
"#;

fn definitions() -> Vec<Node<DirectiveDefinition>> {
    let mut all: Vec<_> = Schema::new().directive_definitions.into_values().collect();
    // Text of ours: what does not parse would be seen by the first test.
    let document = match Document::parse(DELIVERY, "") {
        Ok(document) => document,
        Err(failed) => failed.partial,
    };
    all.extend(document.definitions.into_iter().filter_map(|definition| match definition {
        Definition::DirectiveDefinition(directive) => Some(directive),
        _ => None,
    }));
    all
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
