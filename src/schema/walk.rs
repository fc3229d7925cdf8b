//! Everything in a schema that may carry directives or default values.

use apollo_compiler::ast::{DirectiveList, FieldDefinition, InputValueDefinition};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

/// The directives of the schema, its types, fields, arguments and values; built-in ones aside.
pub(super) fn directive_lists(schema: &Schema) -> Vec<&DirectiveList> {
    let mut lists = vec![&schema.schema_definition.directives];
    for definition in schema.directive_definitions.values() {
        lists.push(&definition.directives);
    }
    for of in schema.types.values().filter(|of| !of.is_built_in()) {
        lists.push(of.directives());
        for field in fields(of).into_iter().flat_map(IndexMap::values) {
            lists.push(&field.directives);
        }
        if let ExtendedType::Enum(of) = of {
            lists.extend(of.values.values().map(|value| &value.directives));
        }
    }
    lists.extend(input_values(schema).into_iter().map(|value| &value.directives));
    lists
}

/// Every argument and input field.
pub(super) fn input_values(schema: &Schema) -> Vec<&Node<InputValueDefinition>> {
    let mut found = Vec::new();
    for definition in schema.directive_definitions.values() {
        found.extend(&definition.arguments);
    }
    for of in schema.types.values().filter(|of| !of.is_built_in()) {
        for field in fields(of).into_iter().flat_map(IndexMap::values) {
            found.extend(&field.arguments);
        }
        if let ExtendedType::InputObject(of) = of {
            found.extend(of.fields.values());
        }
    }
    found
}

/// The fields of an object or interface.
fn fields(of: &ExtendedType) -> Option<&IndexMap<Name, Node<FieldDefinition>>> {
    match of {
        ExtendedType::Object(of) => Some(&of.fields),
        ExtendedType::Interface(of) => Some(&of.fields),
        _ => None,
    }
}
