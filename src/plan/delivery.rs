//! Where `@defer` and `@stream` may stand (the rules that the working draft of incremental delivery
//! adds to section 5). The compiler knows their definitions only.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Directive, DirectiveList, OperationType, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;

use super::document::{RequestError, Source};
use crate::failure::Code;

const DIRECTIVES: [&str; 2] = ["defer", "stream"];

/// Checks every `@defer` and `@stream` of a document.
pub(super) fn check(
    schema: &Schema,
    document: &ExecutableDocument,
    source: &Source,
) -> Vec<RequestError> {
    let mut checking =
        Checking { schema, document, source, labels: IndexMap::new(), errors: Vec::new() };
    for operation in document.operations.iter() {
        checking.set(&operation.selection_set);
        if operation.operation_type == OperationType::Subscription {
            checking.subscription(&operation.selection_set, &mut HashSet::new());
        }
    }
    for fragment in document.fragments.values() {
        checking.set(&fragment.selection_set);
    }
    for (label, spans) in std::mem::take(&mut checking.labels) {
        if spans.len() > 1 {
            let message = format!("The label `{label}` stands for {} parts.", spans.len());
            checking.refuse(message, spans);
        }
    }
    checking.errors
}

struct Checking<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    source: &'a Source,
    labels: IndexMap<&'a str, Vec<Option<SourceSpan>>>,
    errors: Vec<RequestError>,
}

impl<'a> Checking<'a> {
    fn refuse(&mut self, message: String, at: impl IntoIterator<Item = Option<SourceSpan>>) {
        let locations = self.source.locations(at);
        let error = RequestError::new(Code::GraphqlValidationFailed, message).at(locations);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn set(&mut self, set: &'a SelectionSet) {
        self.streams_agree(set);
        for selection in &set.selections {
            for directive in parts(selection.directives()) {
                self.label(directive);
                if self.is_root_of_writes(&set.ty) {
                    let message = format!(
                        "`@{}` may not stand at the root of a mutation or subscription.",
                        directive.name
                    );
                    self.refuse(message, [directive.location()]);
                }
            }
            match selection {
                Selection::Field(field) => {
                    if let Some(stream) = field.directives.get("stream")
                        && !field.ty().is_list()
                    {
                        let message = format!("`{}` is no list, so nothing streams.", field.name);
                        self.refuse(message, [stream.location()]);
                    }
                    if let Some(below) = &field.selection_set {
                        self.set(below);
                    }
                }
                Selection::InlineFragment(inline) => self.set(&inline.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn is_root_of_writes(&self, ty: &Name) -> bool {
        [OperationType::Mutation, OperationType::Subscription]
            .into_iter()
            .any(|root| self.schema.root_operation(root) == Some(ty))
    }

    fn label(&mut self, directive: &'a Node<Directive>) {
        let Some(label) = directive.specified_argument_by_name("label") else { return };
        match label.as_ref() {
            Value::String(label) => {
                self.labels.entry(label).or_default().push(directive.location());
            }
            Value::Variable(_) => {
                let message = format!("The label of `@{}` is no variable.", directive.name);
                self.refuse(message, [directive.location()]);
            }
            _ => {}
        }
    }

    /// An event's response has no parts: here, too, they must be switched off.
    fn subscription(&mut self, set: &'a SelectionSet, visited: &mut HashSet<&'a Name>) {
        for selection in &set.selections {
            for directive in parts(selection.directives()) {
                let condition = directive.specified_argument_by_name("if");
                let condition = condition.map(|condition| condition.as_ref());
                if !matches!(condition, Some(Value::Boolean(false) | Value::Variable(_))) {
                    let message = format!(
                        "`@{}` may not stand in a subscription, unless its `if` is false or a \
                         variable.",
                        directive.name
                    );
                    self.refuse(message, [directive.location()]);
                }
            }
            match selection {
                Selection::Field(field) => {
                    if let Some(below) = &field.selection_set {
                        self.subscription(below, visited);
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.subscription(&inline.selection_set, visited);
                }
                Selection::FragmentSpread(spread) => {
                    if visited.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.subscription(&fragment.selection_set, visited);
                    }
                }
            }
        }
    }

    /// Fields of one response key stream alike. Those that fragments bring are looked at too, each
    /// fragment once.
    fn streams_agree(&mut self, set: &'a SelectionSet) {
        let mut fields: HashMap<&Name, &'a Node<Field>> = HashMap::new();
        let (mut open, mut visited) = (vec![set], HashSet::new());
        while let Some(set) = open.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => {
                        let first = *fields.entry(field.response_name()).or_insert(field);
                        if stream(first) != stream(field) {
                            let message = format!(
                                "Fields for `{}` are not one field: they stream differently.",
                                field.response_name()
                            );
                            self.refuse(message, [first.location(), field.location()]);
                        }
                    }
                    Selection::InlineFragment(inline) => open.push(&inline.selection_set),
                    Selection::FragmentSpread(spread) => {
                        if visited.insert(&spread.fragment_name) {
                            let fragment = self.document.fragments.get(&spread.fragment_name);
                            open.extend(fragment.map(|fragment| &fragment.selection_set));
                        }
                    }
                }
            }
        }
    }
}

fn parts(directives: &DirectiveList) -> impl Iterator<Item = &Node<Directive>> {
    DIRECTIVES.into_iter().filter_map(|name| directives.get(name))
}

/// The arguments of a field's `@stream`, by name; `None`: it has none.
fn stream(field: &Field) -> Option<Vec<(&str, &Value)>> {
    let arguments = field.directives.get("stream")?.arguments.iter();
    let mut arguments: Vec<_> =
        arguments.map(|argument| (argument.name.as_str(), argument.value.as_ref())).collect();
    arguments.sort_unstable_by_key(|(name, _)| *name);
    Some(arguments)
}
