//! Field merging (section 5.3.2) where arguments are lists: the compiler takes `[1]` and `[1, 2]`
//! for the same value. Lists are therefore written as strings and its rule is asked again; all
//! other errors of that second document mean nothing.

use apollo_compiler::ast::Value;
use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use super::document::{RequestError, Source};
use super::places::Places;
use super::validate::told;

/// Checks that fields of one response key have the same lists as arguments.
pub(super) fn check(
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    source: &Source,
) -> Vec<RequestError> {
    let mut rewritten = ExecutableDocument::clone(document);
    let operations = &mut rewritten.operations;
    let mut changed = false;
    for operation in operations.anonymous.iter_mut().chain(operations.named.values_mut()) {
        changed |= selections(&mut operation.make_mut().selection_set);
    }
    for fragment in rewritten.fragments.values_mut() {
        changed |= selections(&mut fragment.make_mut().selection_set);
    }
    if !changed {
        return Vec::new();
    }
    let Err(errors) = rewritten.validate(schema) else { return Vec::new() };
    let errors = errors.errors.iter().map(|error| error.error.clone());
    let conflicts =
        errors.filter(|error| error.unstable_error_name() == Some("ConflictingFieldArgument"));
    told(conflicts, source, &Places::default(), None)
}

/// Replaces the lists among the arguments of these selections; whether there were any.
fn selections(set: &mut SelectionSet) -> bool {
    let mut changed = false;
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) => {
                if field.arguments.iter().any(|argument| has_list(&argument.value)) {
                    for argument in &mut field.make_mut().arguments {
                        replace(&mut argument.make_mut().value);
                    }
                    changed = true;
                }
                if field.selection_set.is_some() {
                    let set = field.make_mut().selection_set.as_mut();
                    changed |= set.is_some_and(selections);
                }
            }
            Selection::InlineFragment(inline) => {
                changed |= selections(&mut inline.make_mut().selection_set);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    changed
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::List(_) => true,
        Value::Object(members) => members.iter().any(|(_, value)| has_list(value)),
        _ => false,
    }
}

fn replace(value: &mut Node<Value>) {
    if matches!(&**value, Value::List(_)) {
        let text = canonical(value);
        *value.make_mut() = Value::String(text);
    } else if matches!(&**value, Value::Object(_))
        && let Value::Object(members) = value.make_mut()
    {
        members.iter_mut().for_each(|(_, value)| replace(value));
    }
}

/// A value's text, the same for the same value: the order of an object's fields tells nothing.
fn canonical(value: &Value) -> String {
    match value {
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| canonical(item)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let member =
                |(name, value): &(Name, Node<Value>)| format!("{name}:{}", canonical(value));
            let mut members: Vec<_> = members.iter().map(member).collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}
