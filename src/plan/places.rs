//! Where an error is, and whether it says anything of its own. The compiler points at a node as a
//! whole and goes on after a mistake; here the part that is at fault is found, as graphql-js names
//! it, and what only follows from another error is left out.
//!
//! It is asked for documents that are at fault only.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{
    self, Argument, Definition, Directive, DirectiveList, Field, OperationDefinition, Selection,
    Value,
};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::DiagnosticData;
use apollo_compiler::{Name, Node, Schema};

use super::validate::quoted;

/// The places of a document that errors may mean.
#[derive(Debug, Default)]
pub(super) struct Places<'d> {
    text: &'d str,
    /// By the compiler's name of an error and the place that it gives: the places that are meant,
    /// as offsets in bytes.
    meant: HashMap<(&'static str, usize), Vec<usize>>,
    /// The arguments and input fields that are null: of which node, and their names.
    nulls: HashSet<(usize, &'d Name)>,
    /// The fragments' names.
    fragments: HashSet<&'d Name>,
}

impl<'d> Places<'d> {
    /// The places of this document.
    pub(super) fn of(document: &'d ast::Document, text: &'d str) -> Self {
        let mut places = Self { text, ..Self::default() };
        let (mut operations, mut fragments) = (Vec::new(), Vec::new());
        for definition in &document.definitions {
            match definition {
                Definition::OperationDefinition(operation) => {
                    operations.extend(operation.name.iter().map(|name| (name, name.location())));
                    places.operation(operation);
                }
                Definition::FragmentDefinition(fragment) => {
                    fragments.push((&fragment.name, fragment.name.location()));
                    let condition = fragment.type_condition.location();
                    places.means("InvalidFragmentTarget", fragment.location(), condition);
                    places.directives(&fragment.directives);
                    places.selections(&fragment.selection_set);
                }
                _ => {}
            }
        }
        places.fragments = fragments.iter().map(|(name, _)| *name).collect();
        places.twice("OperationNameCollision", operations);
        places.twice("FragmentNameCollision", fragments);
        places
    }

    /// The places that an error means.
    pub(super) fn of_error(&self, error: &DiagnosticData) -> Vec<usize> {
        let Some(given) = error.location().map(|span| span.offset()) else { return Vec::new() };
        let name = error.unstable_error_name().unwrap_or_default();
        self.meant.get(&(name, given)).cloned().unwrap_or_else(|| vec![given])
    }

    /// Whether an error says what no other error of the same document says.
    pub(super) fn matters(&self, schema: &Schema, error: &DiagnosticData) -> bool {
        let message = error.to_string();
        let (first, second) = quoted(&message);
        let named = |ty: &str| schema.types.get(ty.trim_matches(['[', ']', '!']));
        let has_no_fields = |ty: &str| named(ty).is_some_and(|ty| !is_composite(ty));
        match error.unstable_error_name() {
            // Of a null it is said that it may not be null.
            Some("RequiredArgument" | "RequiredField") => {
                let name = first.trim_end_matches(":)").rsplit(['(', '.']).next();
                let null = |at: SourceSpan| {
                    self.nulls
                        .iter()
                        .any(|(of, null)| *of == at.offset() && Some(null.as_str()) == name)
                };
                !error.location().is_some_and(null)
            }
            // Of a fragment on a type without fields it is said that it may not be.
            Some("UndefinedField") => !has_no_fields(first),
            Some("InvalidFragmentSpread") => !has_no_fields(second),
            // Of a fragment on an unknown type it is said that the type is unknown.
            Some("UndefinedFragment") => {
                !self.fragments.iter().any(|known| known.as_str() == first)
            }
            _ => true,
        }
    }

    fn means(&mut self, error: &'static str, given: Option<SourceSpan>, meant: Option<SourceSpan>) {
        if let (Some(given), Some(meant)) = (given, meant) {
            self.meant.insert((error, given.offset()), vec![meant.offset()]);
        }
    }

    /// Of those that have one name, each but the first is an error that means the first too.
    fn twice(
        &mut self,
        error: &'static str,
        named: impl IntoIterator<Item = (&'d Name, Option<SourceSpan>)>,
    ) {
        let mut seen: HashMap<&Name, usize> = HashMap::new();
        for (name, place) in named {
            let place = offset(place);
            let first = *seen.entry(name).or_insert(place);
            if first != place {
                self.meant.insert((error, place), vec![first, place]);
            }
        }
    }

    fn operation(&mut self, operation: &'d OperationDefinition) {
        let mut names = HashMap::new();
        for variable in &operation.variables {
            let (place, name) = (variable.location(), variable.name.location());
            let first = *names.entry(&variable.name).or_insert(offset(name));
            self.meant.insert(("UniqueVariable", offset(place)), vec![first, offset(name)]);
            let named = variable.ty.inner_named_type().location();
            self.means("UndefinedDefinition", place, named);
            self.means("VariableInputType", place, variable.ty.location());
            self.directives(&variable.directives);
            if let Some(default) = &variable.default_value {
                self.value(default);
            }
        }
        self.directives(&operation.directives);
        self.selections(&operation.selection_set);
    }

    fn selections(&mut self, selections: &'d [Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.field(field);
                    self.selections(field.selection_set.as_deref().unwrap_or_default());
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.location();
                    self.means("UndefinedFragment", spread.location(), name);
                    self.directives(&spread.directives);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref().and_then(Name::location);
                    self.means("InvalidFragmentTarget", inline.location(), condition);
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
            }
        }
    }

    fn field(&mut self, field: &'d Node<Field>) {
        self.means("UndefinedField", field.name.location(), field.location());
        self.arguments(&field.arguments, field.location());
        self.directives(&field.directives);
        if field.selection_set.is_some()
            && let Some(brace) = self.selections_of(field)
        {
            for error in ["SubselectionOnScalarType", "SubselectionOnEnumType"] {
                self.meant.insert((error, offset(field.location())), vec![brace]);
            }
        }
    }

    /// Where a field's selection set begins.
    fn selections_of(&self, field: &Field) -> Option<usize> {
        let argument = field.arguments.last().and_then(|argument| argument.location());
        let directive = field.directives.last().and_then(|directive| directive.location());
        brace(self.text, directive.or(argument).or(field.name.location())?.end_offset())
    }

    fn directives(&mut self, directives: &'d DirectiveList) {
        let named = |directive: &'d Node<Directive>| (&directive.name, directive.location());
        self.twice("UniqueDirective", directives.iter().map(named));
        for directive in directives.iter() {
            self.arguments(&directive.arguments, directive.location());
        }
    }

    fn arguments(&mut self, arguments: &'d [Node<Argument>], of: Option<SourceSpan>) {
        let named = |argument: &'d Node<Argument>| (&argument.name, argument.location());
        self.twice("UniqueArgument", arguments.iter().map(named));
        for argument in arguments {
            match *argument.value {
                Value::Null => {
                    self.nulls.insert((offset(of), &argument.name));
                }
                _ => self.value(&argument.value),
            }
        }
    }

    fn value(&mut self, value: &'d Node<Value>) {
        match &**value {
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    if member.is_null() {
                        self.nulls.insert((offset(value.location()), name));
                    }
                    self.value(member);
                }
            }
            _ => {}
        }
    }
}

/// Where an operation's selection set begins.
pub(super) fn selections(operation: &Node<OperationDefinition>, text: &str) -> Option<usize> {
    let variable = operation.variables.last().and_then(|variable| variable.location());
    let directive = operation.directives.last().and_then(|directive| directive.location());
    let name = operation.name.as_ref().and_then(Name::location);
    let before = directive.or(variable).or(name).map(|span| span.end_offset());
    brace(text, before.or_else(|| Some(operation.location()?.offset()))?)
}

/// The first brace behind all that may stand before it.
fn brace(text: &str, before: usize) -> Option<usize> {
    let mut comment = false;
    let brace = text.get(before..)?.bytes().position(|byte| {
        comment = if comment { !matches!(byte, b'\n' | b'\r') } else { byte == b'#' };
        byte == b'{' && !comment
    });
    Some(before + brace?)
}

fn offset(span: Option<SourceSpan>) -> usize {
    span.map_or(0, |span| span.offset())
}

const fn is_composite(ty: &ExtendedType) -> bool {
    matches!(ty, ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
}
