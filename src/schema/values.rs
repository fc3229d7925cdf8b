//! Rules for values written in the SDL that validation leaves out: fields of input objects are
//! known and given once (specification sections 5.6.2 and 5.6.3), a known scalar's value is one
//! (5.6.1), and no default value needs itself (section 3.10, `InputObjectDefaultValueHasCycle`).

use apollo_compiler::ast::{InputValueDefinition, Type, Value};
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{Name, Node, Schema};

use super::definitions::written_as;
use super::files::Files;
use super::nearest::{did_you_mean, one_of};
use super::scalar::Scalar;
use super::walk;
use crate::config::Problem;

/// Every breach of these rules.
pub(super) fn problems(schema: &Schema, files: &Files) -> Vec<Problem> {
    let mut rules = Rules { schema, files, problems: Vec::new() };
    for definition in walk::input_values(schema) {
        if let Some(default) = &definition.default_value {
            rules.value(&definition.ty, default);
        }
    }
    for directive in walk::directive_lists(schema).into_iter().flat_map(|list| list.iter()) {
        let Some(definition) = schema.directive_definitions.get(&directive.name) else { continue };
        for argument in &directive.arguments {
            let known = definition.arguments.iter().find(|known| known.name == argument.name);
            if let Some(known) = known {
                rules.value(&known.ty, &argument.value);
            }
        }
    }
    rules.default_cycles();
    rules.problems
}

struct Rules<'s> {
    schema: &'s Schema,
    files: &'s Files,
    problems: Vec<Problem>,
}

/// An input field: its type's name and its own.
type Field<'s> = (&'s Name, &'s Name);

impl<'s> Rules<'s> {
    /// Values nest no deeper than the parser allows.
    fn value(&mut self, ty: &Type, value: &Node<Value>) {
        match &**value {
            Value::List(items) if ty.is_list() => {
                items.iter().for_each(|item| self.value(ty.item_type(), item))
            }
            Value::Object(fields) => {
                if let Some(of) = self.schema.get_input_object(ty.inner_named_type()) {
                    self.object(of, fields);
                }
            }
            _ => {}
        }
        self.scalar(ty, value);
    }

    fn scalar(&mut self, ty: &Type, value: &Node<Value>) {
        let name = ty.inner_named_type();
        let Some(ExtendedType::Scalar(of)) = self.schema.types.get(name) else { return };
        let known = Scalar::of(of);
        let is_list = ty.is_list() && matches!(**value, Value::List(_));
        if !is_list
            && !known.holds_literal(value)
            && let Some(place) = self.files.place(value.location())
        {
            let message = format!("`{name}` is {}, and this is none", known.called());
            self.problems.push(place.error(message));
        }
    }

    fn object(&mut self, of: &InputObjectType, fields: &[(Name, Node<Value>)]) {
        let mut given: HashSet<&Name> = HashSet::default();
        for (name, value) in fields {
            let Some(place) = self.files.place(name.location()) else { continue };
            let called = written_as(&of.name).map_or_else(|| format!("`{}`", of.name), Into::into);
            if !given.insert(name) {
                self.problems.push(place.error(format!("{called} is given `{name}` twice")));
            }
            match of.fields.get(name) {
                Some(known) => self.value(&known.ty, value),
                None => {
                    let known: Vec<&str> = of.fields.keys().map(|known| known.as_str()).collect();
                    let help = did_you_mean(name, known.iter().copied())
                        .unwrap_or_else(|| format!("it has {}", one_of(&known, "and")));
                    let problem = place.error(format!("{called} has no `{name}`")).with_help(help);
                    self.problems.push(problem);
                }
            }
        }
    }

    /// Depth-first over "this field's default needs that field's default".
    fn default_cycles(&mut self) {
        let mut needs: HashMap<Field<'s>, Vec<Field<'s>>> = HashMap::default();
        let mut fields = Vec::new();
        for of in self.schema.types.values().filter_map(ExtendedType::as_input_object) {
            for (name, field) in &of.fields {
                fields.push((&of.name, name));
                needs.insert((&of.name, name), self.needs_of_default(field));
            }
        }
        let mut done: HashSet<Field<'s>> = HashSet::default();
        for start in fields {
            if done.contains(&start) {
                continue;
            }
            let mut path = vec![start];
            let mut stack = vec![needs.get(&start).map_or(&[][..], Vec::as_slice).iter()];
            while let Some(next) = stack.last_mut().map(Iterator::next) {
                match next {
                    Some(field) if path.contains(field) => self.default_cycle(&path, *field),
                    Some(field) if done.contains(field) => {}
                    Some(field) => {
                        path.push(*field);
                        stack.push(needs.get(field).map_or(&[][..], Vec::as_slice).iter());
                    }
                    None => {
                        stack.pop();
                        done.extend(path.pop());
                    }
                }
            }
        }
    }

    fn default_cycle(&mut self, path: &[Field<'s>], again: Field<'s>) {
        let (of, name) = again;
        let definition = self.schema.get_input_object(of).and_then(|of| of.fields.get(name));
        let span = definition.and_then(|field| field.default_value.as_ref()?.location());
        let Some(place) = self.files.place(span) else { return };
        let cycle = path.iter().skip_while(|field| **field != again);
        let through: Vec<String> = cycle.map(|(of, name)| format!("`{of}.{name}`")).collect();
        let message = format!("the default value of `{of}.{name}` needs itself");
        let problem = place.error(message);
        let help = format!("it needs the defaults of {}", through.join(", then of "));
        let problem = problem.with_help(help);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn needs_of_default(&self, field: &'s InputValueDefinition) -> Vec<Field<'s>> {
        let mut needs = Vec::new();
        if let Some(default) = &field.default_value {
            self.needs_of_value(field.ty.inner_named_type(), default, &mut needs);
        }
        needs
    }

    fn needs_of_value(&self, of: &Name, value: &'s Value, needs: &mut Vec<Field<'s>>) {
        let Some(of) = self.schema.get_input_object(of) else { return };
        match value {
            Value::List(items) => {
                items.iter().for_each(|item| self.needs_of_value(&of.name, item, needs));
            }
            Value::Object(given) => {
                for (name, field) in &of.fields {
                    match given.iter().find(|(given, _)| given == name) {
                        Some((_, value)) => {
                            self.needs_of_value(field.ty.inner_named_type(), value, needs);
                        }
                        None if field.default_value.is_some() => needs.push((&of.name, name)),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }
}
