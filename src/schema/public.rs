//! The schema that clients see: plain GraphQL, without a trace of upstreams.

use apollo_compiler::ast::{
    DirectiveList, DirectiveLocation, FieldDefinition, InputValueDefinition,
};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{ExtendedType, SchemaDefinition};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Node, Schema};

use super::builtin;
use super::definitions::{is_own_directive, is_own_type};

/// The directives that introspection tells of; all others are for those who write the schema.
const VISIBLE: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// Takes everything away that maps the schema to upstreams.
///
/// Own directive definitions of the schema stay if operations can use them; their uses within the
/// SDL go, as no client can ask for those.
///
/// # Errors
/// What is wrong with the rest: a schema that was valid before stays so.
pub(super) fn public(schema: &Schema) -> Result<Valid<Schema>, DiagnosticList> {
    let mut schema = schema.clone();
    builtin::restore(&mut schema);
    schema.directive_definitions.retain(|name, definition| {
        !is_own_directive(name)
            && (definition.is_built_in() || definition.locations.iter().any(is_executable))
    });
    schema.types.retain(|name, _| !is_own_type(name));
    for definition in schema.directive_definitions.values_mut() {
        if !definition.is_built_in() {
            let definition = definition.make_mut();
            strip(&mut definition.directives);
            strip_arguments(&mut definition.arguments);
        }
    }
    strip_schema(schema.schema_definition.make_mut());
    for of in schema.types.values_mut() {
        if !of.is_built_in() {
            strip_type(of);
        }
    }
    schema.validate().map_err(|failed| failed.errors)
}

fn is_executable(location: &DirectiveLocation) -> bool {
    matches!(
        location,
        DirectiveLocation::Query
            | DirectiveLocation::Mutation
            | DirectiveLocation::Subscription
            | DirectiveLocation::Field
            | DirectiveLocation::FragmentDefinition
            | DirectiveLocation::FragmentSpread
            | DirectiveLocation::InlineFragment
            | DirectiveLocation::VariableDefinition
    )
}

/// Keeps what is visible. A node made anew belongs to its type and no longer to an extension, so
/// that the schema prints as one whole.
fn strip(directives: &mut DirectiveList) {
    directives.0.retain(|directive| VISIBLE.contains(&directive.name.as_str()));
    directives.0.iter_mut().for_each(renew);
}

fn renew<T: Clone>(node: &mut Node<T>) {
    *node = Node::new((**node).clone());
}

fn renewed(names: &IndexSet<Node<Name>>) -> IndexSet<Node<Name>> {
    names.iter().map(|name| Node::new((**name).clone())).collect()
}

fn strip_arguments(arguments: &mut [Node<InputValueDefinition>]) {
    for argument in arguments {
        strip(&mut argument.make_mut().directives);
    }
}

fn strip_fields(fields: &mut IndexMap<Name, Node<FieldDefinition>>) {
    for field in fields.values_mut() {
        let definition = field.make_mut();
        strip(&mut definition.directives);
        strip_arguments(&mut definition.arguments);
        renew(field);
    }
}

fn strip_schema(schema: &mut SchemaDefinition) {
    strip(&mut schema.directives);
    let roots = [&mut schema.query, &mut schema.mutation, &mut schema.subscription];
    roots.into_iter().flatten().for_each(renew);
}

fn strip_type(of: &mut ExtendedType) {
    match of {
        ExtendedType::Scalar(of) => strip(&mut of.make_mut().directives),
        ExtendedType::Object(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            strip_fields(&mut of.fields);
            of.implements_interfaces = renewed(&of.implements_interfaces);
        }
        ExtendedType::Interface(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            strip_fields(&mut of.fields);
            of.implements_interfaces = renewed(&of.implements_interfaces);
        }
        ExtendedType::Union(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            of.members = renewed(&of.members);
        }
        ExtendedType::Enum(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            for value in of.values.values_mut() {
                strip(&mut value.make_mut().directives);
                renew(value);
            }
        }
        ExtendedType::InputObject(of) => {
            let of = of.make_mut();
            strip(&mut of.directives);
            for field in of.fields.values_mut() {
                strip(&mut field.make_mut().directives);
                renew(field);
            }
        }
    }
}
