//! Random operations, valid by construction: what one response key means is the same all over an
//! operation, except for fields of objects that are never the same object.

use std::fmt::Write as _;

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

use crate::literal::{Literals, Variable};
use crate::random::Random;
use crate::types::Types;

/// An operation and what is sent with it.
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) variables: Map<String, Value>,
    pub(crate) mutates: bool,
}

/// A part of a selection set.
#[derive(Clone)]
enum Part {
    Field { head: String, directives: Vec<Condition>, below: Option<Vec<Part>> },
    Inline { on: Option<String>, directives: Vec<Condition>, parts: Vec<Part> },
    Spread { fragment: usize, directives: Vec<Condition> },
}

/// `@skip` or `@include`, with the condition's text.
type Condition = (&'static str, String);

/// What a response key stands for.
#[derive(PartialEq)]
struct Meaning {
    key: String,
    owner: String,
    is_object: bool,
    /// The field with its arguments.
    said: String,
    ty: String,
    is_leaf: bool,
}

struct Fragment {
    on: String,
    parts: Vec<Part>,
}

/// Writes one operation.
struct Writer<'t> {
    types: &'t Types,
    random: Random,
    literals: Literals,
    meanings: Vec<Meaning>,
    fragments: Vec<Fragment>,
    /// How many more fields may be written.
    budget: usize,
    mutates: bool,
    /// How many of a hundred parts have conditions.
    conditional: usize,
}

const ALIASES: [&str; 7] = ["a", "b", "c", "d", "id", "name", "user"];

impl Query {
    /// The operation of a seed.
    pub(crate) fn random(types: &Types, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mutates = random.percent(8);
        let budget = *random.pick(&[3, 6, 8, 10, 12, 20, 40]);
        let conditional = if random.percent(4) { 80 } else { 14 };
        let literals = Literals::new(random.percent(70));
        let mut writer = Writer {
            types,
            random,
            literals,
            meanings: Vec::new(),
            fragments: Vec::new(),
            budget,
            mutates,
            conditional,
        };
        writer.write_fragments();
        let root = if mutates { "Mutation" } else { "Query" };
        writer.budget = budget;
        let parts = writer.selection(root, 0);
        writer.finish(&parts)
    }
}

impl Writer<'_> {
    fn schema(&self) -> &Schema {
        &self.types.strict
    }

    /// Fragments that the operation may spread; each may spread those before it.
    fn write_fragments(&mut self) {
        const ON: [&str; 12] = [
            "User", "User", "Order", "Payment", "Thing", "Named", "Hit", "Product", "Card", "Shop",
            "Item", "Shelf",
        ];
        if !self.random.percent(40) {
            return;
        }
        for _ in 0..=self.random.below(3) {
            let on = *self.random.pick(&ON);
            self.budget = self.budget.clamp(2, 6);
            let parts = self.selection(on, 3);
            self.fragments.push(Fragment { on: on.to_owned(), parts });
        }
    }

    fn selection(&mut self, of: &str, depth: usize) -> Vec<Part> {
        let most = if depth == 0 { 4 } else { 5 };
        let count = 1 + self.random.below(most);
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            if parts.is_empty() || self.budget > 0 {
                let part = self.part(of, depth);
                parts.push(part);
            }
        }
        // The same once more, merged with itself or with what is beside it.
        if self.random.percent(6) {
            let again = self.random.pick(&parts).clone();
            parts.push(again);
        }
        parts
    }

    fn part(&mut self, of: &str, depth: usize) -> Part {
        let is_abstract = self.schema().get_object(of).is_none();
        let choice = self.random.below(100);
        if depth > 0 && choice < 12 {
            let fragments = self.fragments.iter().enumerate();
            let fitting = fragments.filter(|(_, fragment)| self.overlap(of, &fragment.on));
            let fitting: Vec<usize> = fitting.map(|(index, _)| index).collect();
            if !fitting.is_empty() {
                let fragment = *self.random.pick(&fitting);
                let directives = self.conditions();
                return Part::Spread { fragment, directives };
            }
        }
        if depth < 8 && choice >= 12 && choice < if is_abstract { 62 } else { 22 } {
            let on = self.condition_type(of);
            let directives = self.conditions();
            let within = on.clone().unwrap_or_else(|| of.to_owned());
            let parts = self.selection(&within, depth + 1);
            return Part::Inline { on, directives, parts };
        }
        self.field(of, depth)
    }

    /// A type that an object of this type may be, or none.
    fn condition_type(&mut self, of: &str) -> Option<String> {
        if self.random.percent(15) {
            return None;
        }
        let composites = ["Named", "Thing", "Payment", "Hit"];
        let mut fitting =
            self.types.possible(of).into_iter().map(str::to_owned).collect::<Vec<_>>();
        fitting
            .extend(composites.iter().filter(|it| self.overlap(of, it)).map(|it| (*it).to_owned()));
        fitting.push(of.to_owned());
        Some(self.random.pick(&fitting).clone())
    }

    fn overlap(&self, one: &str, other: &str) -> bool {
        let others = self.types.possible(other);
        self.types.possible(one).iter().any(|name| others.contains(name))
    }

    fn field(&mut self, of: &str, depth: usize) -> Part {
        let definition = self.pick_field(of, depth);
        self.budget = self.budget.saturating_sub(1);
        let directives = self.conditions();
        let Some(definition) = definition else {
            return Part::Field { head: "__typename".to_owned(), directives, below: None };
        };
        let name = definition.name.as_str();
        let arguments = self.arguments(&definition);
        let said = format!("{name}{arguments}");
        let is_leaf = !self.types.is_composite(definition.ty.inner_named_type());
        let key = self.key(of, &definition, &said, is_leaf);
        let head = if key == name { said } else { format!("{key}: {said}") };
        let inner = definition.ty.inner_named_type().as_str().to_owned();
        let below = (!is_leaf).then(|| self.selection(&inner, depth + 1));
        Part::Field { head, directives, below }
    }

    /// Any field of the type; deep down rather one that ends there. `None`: `__typename`.
    fn pick_field(&mut self, of: &str, depth: usize) -> Option<FieldDefinition> {
        let schema = &self.types.strict;
        let fields: Vec<&FieldDefinition> = match schema.types.get(of) {
            Some(ExtendedType::Object(of)) => of.fields.values().map(|it| it.as_ref()).collect(),
            Some(ExtendedType::Interface(of)) => of.fields.values().map(|it| it.as_ref()).collect(),
            _ => Vec::new(),
        };
        if fields.is_empty() || self.random.percent(4) {
            return None;
        }
        let mut found = *self.random.pick(&fields);
        for _ in 0..6 {
            let leaf = !self.types.is_composite(found.ty.inner_named_type());
            let deep = depth > 5 || self.budget == 0;
            let shallow = depth < 2 && leaf && self.random.percent(50);
            if if deep { leaf } else { !shallow } {
                break;
            }
            found = *self.random.pick(&fields);
        }
        let leaf = !self.types.is_composite(found.ty.inner_named_type());
        if !leaf && depth > 9 { None } else { Some(found.clone()) }
    }

    /// A response key that means nothing else.
    fn key(&mut self, of: &str, field: &FieldDefinition, said: &str, is_leaf: bool) -> String {
        let is_object = self.schema().get_object(of).is_some();
        let name = field.name.as_str();
        let mut candidates = vec![name.to_owned()];
        if self.random.percent(25) {
            candidates.insert(0, (*self.random.pick(&ALIASES)).to_owned());
        }
        candidates.extend((0..).map(|number| format!("{name}{number}")).take(40));
        for key in candidates {
            let meaning = Meaning {
                key,
                owner: of.to_owned(),
                is_object,
                said: said.to_owned(),
                ty: field.ty.to_string(),
                is_leaf,
            };
            if self.meanings.iter().all(|known| agree(known, &meaning)) {
                let key = meaning.key.clone();
                if !self.meanings.contains(&meaning) {
                    self.meanings.push(meaning);
                }
                return key;
            }
        }
        panic!("no key is left for `{name}`")
    }

    fn arguments(&mut self, field: &FieldDefinition) -> String {
        let mut written = Vec::new();
        self.literals.turn_to(&field.name);
        for argument in &field.arguments {
            let required = argument.ty.is_non_null() && argument.default_value.is_none();
            if !required && self.random.percent(40) {
                continue;
            }
            let (ty, default) = (&argument.ty, argument.default_value.is_some());
            let value = self.literals.value(&mut self.random, ty, default);
            written.push(format!("{}: {value}", argument.name));
        }
        self.random.shuffle(&mut written);
        if written.is_empty() { String::new() } else { format!("({})", written.join(", ")) }
    }

    fn conditions(&mut self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if !self.random.percent(self.conditional) {
            return conditions;
        }
        for name in ["skip", "include"] {
            if self.random.percent(60) {
                let condition = self.literals.condition(&mut self.random, name == "include");
                conditions.push((name, condition));
            }
        }
        self.random.shuffle(&mut conditions);
        conditions
    }

    fn finish(self, parts: &[Part]) -> Query {
        let mut spread = vec![false; self.fragments.len()];
        let mut body = String::new();
        write_parts(&mut body, parts, &mut spread);
        let mut fragments = vec![String::new(); self.fragments.len()];
        // A fragment spreads only those before it.
        for (index, fragment) in self.fragments.iter().enumerate().rev() {
            if spread[index] {
                let mut text = String::new();
                write_parts(&mut text, &fragment.parts, &mut spread);
                fragments[index] = format!("\nfragment F{index} on {} {text}", fragment.on);
            }
        }
        let fragments = fragments.concat();
        let used = |variable: &&Variable| {
            let name = format!("${}", variable.name);
            let within = |text: &str| {
                text.match_indices(&name).any(|(at, _)| {
                    let after = text[at + name.len()..].chars().next();
                    !after.is_some_and(|char| char.is_ascii_alphanumeric())
                })
            };
            within(&body) || within(&fragments)
        };
        let used: Vec<&Variable> = self.literals.variables.iter().filter(used).collect();
        let declared: Vec<String> = used.iter().map(|variable| variable.declared()).collect();
        let declared = match declared.as_slice() {
            [] => String::new(),
            declared => format!("({})", declared.join(", ")),
        };
        let head = match (self.mutates, declared.is_empty()) {
            (true, _) => format!("mutation M{declared} "),
            (false, true) => String::new(),
            (false, false) => format!("query{declared} "),
        };
        let given = used.iter().filter_map(|it| Some((it.name.clone(), it.given.clone()?)));
        Query {
            text: format!("{head}{body}{fragments}"),
            variables: given.collect(),
            mutates: self.mutates,
        }
    }
}

/// Whether two uses of a response key may stand in one operation.
fn agree(one: &Meaning, other: &Meaning) -> bool {
    if one.key != other.key {
        return true;
    }
    let same = one.said == other.said && one.ty == other.ty && one.is_leaf == other.is_leaf;
    let apart = one.is_object && other.is_object && one.owner != other.owner;
    same || (apart && one.is_leaf && other.is_leaf && one.ty == other.ty)
}

fn write_parts(out: &mut String, parts: &[Part], spread: &mut [bool]) {
    let conditions = |out: &mut String, directives: &[Condition]| {
        for (name, condition) in directives {
            let _ = write!(out, " @{name}(if: {condition})");
        }
    };
    out.push('{');
    for (index, part) in parts.iter().enumerate() {
        out.push_str(if index > 0 { " " } else { "" });
        match part {
            Part::Field { head, directives, below } => {
                out.push_str(head);
                conditions(out, directives);
                if let Some(below) = below {
                    out.push(' ');
                    write_parts(out, below, spread);
                }
            }
            Part::Inline { on, directives, parts } => {
                out.push_str("...");
                if let Some(on) = on {
                    let _ = write!(out, " on {on}");
                }
                conditions(out, directives);
                out.push(' ');
                write_parts(out, parts, spread);
            }
            Part::Spread { fragment, directives } => {
                spread[*fragment] = true;
                let _ = write!(out, "...F{fragment}");
                conditions(out, directives);
            }
        }
    }
    out.push('}');
}
