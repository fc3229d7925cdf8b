//! What a path below `args` leads to: the argument's type, whether it may be null, and the path's
//! names on the wire.

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::collections::HashSet;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};

use super::nearest::{did_you_mean, one_of};
use super::wire::Inputs;
use crate::json::{Path, Segment};

/// Where a path below `args` leads.
#[derive(Debug)]
pub(super) struct Argument<'s> {
    /// Its type; `None` below a custom scalar, where anything may lie.
    pub(super) ty: Option<&'s Type>,
    /// It may be null, or not there at all.
    pub(super) is_nullable: bool,
    /// The path passes over the items of a list (`[*]`).
    pub(super) is_each: bool,
    /// The path by the names that the wire has.
    pub(super) wire: Path,
}

/// Why a path leads nowhere.
#[derive(Debug)]
pub(super) struct NoArgument {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The kind of value at the end of a path, lists aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A built-in scalar or an enum: fits where text stands.
    Plain,
    /// An input object.
    Object,
    /// A custom scalar: only a request can tell.
    Any,
}

impl<'s> Argument<'s> {
    /// Follows a path that begins with an argument's name.
    pub(super) fn find(
        schema: &'s Schema,
        inputs: &Inputs,
        field: &'s FieldDefinition,
        path: &Path,
    ) -> Result<Self, NoArgument> {
        let Some((Segment::Property(name), below)) = path.segments().split_first() else {
            return Err(NoArgument {
                message: "`args` is an object".to_owned(),
                help: Some("name an argument, as in `args.id`".to_owned()),
            });
        };
        let Some(definition) = field.arguments.iter().find(|known| known.name == **name) else {
            return Err(unknown_argument(field, name));
        };
        let mut walk = Walk {
            schema,
            inputs,
            ty: Some(&definition.ty),
            is_nullable: may_be_null(definition),
            is_each: false,
            written: format!("args.{name}"),
            wire: Path::property(name).to_string(),
        };
        below.iter().try_for_each(|segment| walk.step(segment))?;
        let Walk { ty, is_nullable, is_each, wire, .. } = walk;
        // The text is a path's own form and names only; it parses to what it was made of.
        let wire = Path::parse(&wire).unwrap_or_else(|_| path.clone());
        Ok(Self { ty, is_nullable, is_each, wire })
    }

    /// Whether it is a list, by its type or because the path passes over several values.
    pub(super) fn is_list(&self) -> bool {
        self.is_each || self.ty.is_some_and(Type::is_list)
    }

    /// Whether it is a list of lists.
    pub(super) fn is_nested_list(&self) -> bool {
        let depth = self.ty.map_or(0, list_depth) + usize::from(self.is_each);
        depth > 1
    }

    /// The kind of the value, or of a list's items.
    pub(super) fn sort(&self, schema: &Schema) -> Sort {
        let Some(ty) = self.ty else { return Sort::Any };
        match schema.types.get(ty.inner_named_type()) {
            Some(ExtendedType::InputObject(_)) => Sort::Object,
            Some(ExtendedType::Scalar(scalar)) if scalar.is_built_in() => Sort::Plain,
            Some(ExtendedType::Enum(_)) => Sort::Plain,
            _ => Sort::Any,
        }
    }

    /// A field of it, if it is an input object or a list of them, that has another name on the
    /// wire; or a field of what it holds.
    pub(super) fn renamed(&self, schema: &Schema, inputs: &Inputs) -> Option<Name> {
        let mut seen = HashSet::default();
        let mut open: Vec<&Name> = self.ty.map(Type::inner_named_type).into_iter().collect();
        while let Some(input) = open.pop().and_then(|of| schema.get_input_object(of)) {
            let wire = inputs.get(&input.name);
            for (name, field) in &input.fields {
                let wire = wire.and_then(|fields| fields.get(name));
                if wire.is_some_and(|wire| **wire != **name) {
                    return Some(name.clone());
                }
                let of = field.ty.inner_named_type();
                if schema.get_input_object(of).is_some() && seen.insert(of) {
                    open.push(of);
                }
            }
        }
        None
    }

    /// Whether the client writes any text it likes there.
    pub(super) fn is_free_text(&self, schema: &Schema) -> bool {
        let is_text = |ty: &Type| matches!(ty.inner_named_type().as_str(), "String" | "ID");
        self.sort(schema) == Sort::Any || self.ty.is_some_and(is_text)
    }

    /// Whether it is one `Int`.
    pub(super) fn is_int(&self) -> bool {
        let is_int = |ty: &Type| ty.inner_named_type() == "Int" && !ty.is_list();
        !self.is_each && self.ty.is_some_and(is_int)
    }
}

/// A path below `args` by the names that the wire has; as it is if it leads nowhere.
pub(super) fn on_wire(
    schema: &Schema,
    inputs: &Inputs,
    field: &FieldDefinition,
    path: &Path,
) -> Path {
    Argument::find(schema, inputs, field, path).map_or_else(|_| path.clone(), |found| found.wire)
}

/// How many lists lie around a type's name.
pub(super) fn list_depth(ty: &Type) -> usize {
    let mut depth = 0;
    let mut ty = ty;
    while let Type::List(item) | Type::NonNullList(item) = ty {
        depth += 1;
        ty = item;
    }
    depth
}

struct Walk<'s, 'i> {
    schema: &'s Schema,
    inputs: &'i Inputs,
    ty: Option<&'s Type>,
    is_nullable: bool,
    is_each: bool,
    written: String,
    wire: String,
}

impl<'s> Walk<'s, '_> {
    fn step(&mut self, segment: &Segment) -> Result<(), NoArgument> {
        match (segment, self.ty) {
            (Segment::Property(name), Some(Type::Named(of) | Type::NonNullNamed(of))) => {
                self.property(name, of)?;
            }
            (Segment::Property(name), Some(Type::List(_) | Type::NonNullList(_))) => {
                return Err(NoArgument {
                    message: format!("`{}` is a list and has no `{name}`", self.written),
                    help: Some(format!("`{}[*].{name}` reads it of each item", self.written)),
                });
            }
            (Segment::Property(name), None) => self.extend(&Path::property(name).to_string()),
            (_, Some(Type::List(item) | Type::NonNullList(item))) => {
                self.ty = Some(item);
                self.items(segment);
            }
            (_, Some(Type::Named(of) | Type::NonNullNamed(of))) => {
                if !self.is_custom_scalar(of) {
                    return Err(NoArgument {
                        message: format!("`{}` is a `{of}`, not a list", self.written),
                        help: None,
                    });
                }
                self.ty = None;
                self.items(segment);
            }
            (_, None) => self.items(segment),
        }
        Ok(())
    }

    fn property(&mut self, name: &str, of: &Name) -> Result<(), NoArgument> {
        if self.is_custom_scalar(of) {
            self.ty = None;
            self.is_nullable = true;
            self.extend(&Path::property(name).to_string());
            return Ok(());
        }
        let Some(input) = self.schema.get_input_object(of) else {
            return Err(NoArgument {
                message: format!("`{}` is a `{of}` and has no `{name}`", self.written),
                help: None,
            });
        };
        let Some(field) = input.fields.get(name) else {
            return Err(NoArgument {
                message: format!("`{of}` has no field `{name}`"),
                help: did_you_mean(name, input.fields.keys().map(|known| known.as_str())),
            });
        };
        self.ty = Some(&field.ty);
        self.is_nullable |= may_be_null(field);
        let wire = self.inputs.get(of).and_then(|fields| fields.get(name));
        let wire = Path::property(wire.map_or(name, |wire| wire)).to_string();
        self.extend(&wire);
        self.written.push('.');
        self.written.push_str(name);
        Ok(())
    }

    fn items(&mut self, segment: &Segment) {
        let text = match segment {
            Segment::Index(index) => format!("[{index}]"),
            Segment::Each | Segment::Property(_) => "[*]".to_owned(),
        };
        self.is_each |= *segment == Segment::Each;
        self.is_nullable = true;
        self.wire.push_str(&text);
        self.written.push_str(&text);
    }

    fn extend(&mut self, property: &str) {
        if !property.starts_with('[') {
            self.wire.push('.');
        }
        self.wire.push_str(property);
    }

    fn is_custom_scalar(&self, of: &Name) -> bool {
        self.schema.get_scalar(of).is_some_and(|scalar| !scalar.is_built_in())
    }
}

fn may_be_null(definition: &InputValueDefinition) -> bool {
    !definition.ty.is_non_null() && definition.default_value.is_none()
}

fn unknown_argument(field: &FieldDefinition, name: &str) -> NoArgument {
    let known: Vec<&str> = field.arguments.iter().map(|known| known.name.as_str()).collect();
    let help = match known.as_slice() {
        [] => Some(format!("`{}` has no arguments", field.name)),
        known => did_you_mean(name, known.iter().copied())
            .or_else(|| Some(format!("`{}` has {}", field.name, one_of(known, "and")))),
    };
    NoArgument { message: format!("there is no argument `{name}`"), help }
}
