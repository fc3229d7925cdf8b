//! Input coercion (specification sections 3.5, 3.9, 3.10, 3.12): literals and JSON values into the
//! wire's names. Custom scalars pass byte for byte, those of a known specification if they are such.

use apollo_compiler::ast::{self, Type, Value as Literal};
use apollo_compiler::schema::{ExtendedType, InputObjectType, InputValueDefinition};
use apollo_compiler::{Name, Node};
use indexmap::IndexMap;

use super::Input;
use super::validate::{did_you_mean, nearest};
use crate::json::{Kind, Value, write_string};
use crate::schema::{Catalog, EnumType, Scalar};

/// Default values within default values deeper than this refer to themselves.
const DEEPEST_DEFAULT: usize = 64;

/// Coerces by the types of one schema.
#[derive(Clone, Copy)]
pub(super) struct Coercion<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) suggestions: bool,
}

/// An input type without its list and non-null wrappers.
enum Named<'a> {
    Int,
    Float,
    String,
    Boolean,
    Id,
    Custom(Scalar),
    Enum(&'a EnumType),
    Object(&'a InputObjectType),
}

/// Why a value is not of its type.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) message: String,
    /// Names and indices from the value down, last first.
    path: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

impl Mismatch {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), path: Vec::new() }
    }

    fn below(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// Where within the value: `items[0].qty`.
    pub(super) fn place(&self) -> String {
        let mut place = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Name(name) if place.is_empty() => place.push_str(name),
                Step::Name(name) => {
                    place.push('.');
                    place.push_str(name);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        place
    }
}

/// Finds the index of a variable by its name.
pub(super) type VariableIndex<'a> = &'a dyn Fn(&str) -> Option<u32>;

impl<'a> Coercion<'a> {
    fn named(&self, name: &Name) -> Named<'a> {
        match self.catalog.public.types.get(name) {
            Some(ExtendedType::InputObject(object)) => Named::Object(object),
            Some(ExtendedType::Enum(_)) => match self.catalog.enums.get(name) {
                Some(values) => Named::Enum(values),
                None => Named::Custom(Scalar::Any),
            },
            _ => match name.as_str() {
                "Int" => Named::Int,
                "Float" => Named::Float,
                "String" => Named::String,
                "Boolean" => Named::Boolean,
                "ID" => Named::Id,
                other => {
                    let known = self.catalog.scalars.get(other).copied();
                    Named::Custom(known.unwrap_or(Scalar::Any))
                }
            },
        }
    }

    fn wire_name(&self, object: &Name, field: &Name) -> Box<str> {
        let names = self.catalog.inputs.get(object);
        names.and_then(|names| names.get(field)).cloned().unwrap_or_else(|| field.as_str().into())
    }
}

/// Literals of a valid document or schema.
impl<'a> Coercion<'a> {
    /// The value of a field's argument; `None`: it is absent.
    pub(super) fn argument(
        &self,
        definition: &InputValueDefinition,
        given: Option<&Node<Literal>>,
        variables: VariableIndex<'_>,
    ) -> Result<Option<Input>, Mismatch> {
        self.position(definition, given, variables, 0)
    }

    /// A default value, which has no variables, as JSON text.
    pub(super) fn default(&self, ty: &Type, value: &Literal) -> Result<Box<[u8]>, Mismatch> {
        self.constant(ty, value, 0)
    }

    fn constant(&self, ty: &Type, value: &Literal, depth: usize) -> Result<Box<[u8]>, Mismatch> {
        match self.literal(ty, value, &|_| None, depth)? {
            Input::Literal(text) => Ok(text),
            _ => Err(Mismatch::new("a default value has a variable")),
        }
    }

    /// An argument or input field: what is given, else its default.
    fn position(
        &self,
        definition: &InputValueDefinition,
        given: Option<&Node<Literal>>,
        variables: VariableIndex<'_>,
        depth: usize,
    ) -> Result<Option<Input>, Mismatch> {
        let default = || match &definition.default_value {
            Some(_) if depth >= DEEPEST_DEFAULT => {
                Err(Mismatch::new(format!("the default of `{}` has no end", definition.name)))
            }
            Some(value) => self.constant(&definition.ty, value, depth + 1).map(Some),
            None => Ok(None),
        };
        match given {
            None => Ok(default()?.map(Input::Literal)),
            Some(value) => match self.literal(&definition.ty, value, variables, depth)? {
                Input::Variable { index, nullable, .. } => {
                    Ok(Some(Input::Variable { index, default: default()?, nullable }))
                }
                input => Ok(Some(input)),
            },
        }
    }

    fn literal(
        &self,
        ty: &Type,
        value: &Literal,
        variables: VariableIndex<'_>,
        depth: usize,
    ) -> Result<Input, Mismatch> {
        if let Literal::Variable(name) = value {
            let index = variables(name);
            let index = index.ok_or_else(|| Mismatch::new(format!("`${name}` is not defined")))?;
            return Ok(Input::Variable { index, default: None, nullable: !ty.is_non_null() });
        }
        if value.is_null() {
            return Ok(Input::text("null"));
        }
        let name = match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let one = |value: &Node<Literal>| self.literal(item, value, variables, depth);
                return match value {
                    Literal::List(items) => {
                        Ok(Input::list(items.iter().map(one).collect::<Result<_, _>>()?))
                    }
                    single => Ok(Input::list(vec![self.literal(item, single, variables, depth)?])),
                };
            }
            Type::Named(name) | Type::NonNullNamed(name) => name,
        };
        match (self.named(name), value) {
            (Named::Object(object), Literal::Object(members)) => {
                self.object(object, members, variables, depth)
            }
            (Named::Enum(values), Literal::Enum(value)) => match values.to_wire.get(value) {
                Some(wire) => Ok(Input::string(wire)),
                None => Err(Mismatch::new(format!("`{value}` is no value of `{name}`"))),
            },
            (Named::Id, Literal::Int(id)) => Ok(Input::string(id.as_str())),
            (_, value) => free(value, variables),
        }
    }

    fn object(
        &self,
        object: &InputObjectType,
        members: &[(Name, Node<Literal>)],
        variables: VariableIndex<'_>,
        depth: usize,
    ) -> Result<Input, Mismatch> {
        let mut fields = Vec::with_capacity(members.len());
        for (name, definition) in &object.fields {
            let given = members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
            if let Some(mut value) = self.position(definition, given, variables, depth)? {
                // A variable with a default may be null all the same (specification 3.10.1).
                if let Input::Variable { nullable, .. } = &mut value {
                    *nullable &= !object.is_one_of();
                }
                fields.push((self.wire_name(&object.name, name), value));
            }
        }
        Ok(Input::object(fields))
    }
}

/// A literal as it is written, for scalars: whatever validation let pass.
fn free(value: &Literal, variables: VariableIndex<'_>) -> Result<Input, Mismatch> {
    Ok(match value {
        Literal::Null => Input::text("null"),
        Literal::Boolean(value) => Input::text(if *value { "true" } else { "false" }),
        Literal::Int(number) => Input::text(number.as_str()),
        Literal::Float(number) => Input::text(number.as_str()),
        Literal::String(text) => Input::string(text),
        Literal::Enum(name) => Input::string(name),
        Literal::Variable(name) => {
            let index = variables(name);
            let index = index.ok_or_else(|| Mismatch::new(format!("`${name}` is not defined")))?;
            Input::Variable { index, default: None, nullable: true }
        }
        Literal::List(items) => {
            let items = items.iter().map(|item| free(item, variables));
            Input::list(items.collect::<Result<_, _>>()?)
        }
        Literal::Object(members) => {
            let member = |(name, value): &(Name, Node<ast::Value>)| {
                Ok((name.as_str().into(), free(value, variables)?))
            };
            Input::object(members.iter().map(member).collect::<Result<_, _>>()?)
        }
    })
}

/// JSON values of variables.
impl<'a> Coercion<'a> {
    /// Writes a variable's value as its type wants it.
    pub(super) fn json(
        &self,
        ty: &Type,
        value: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Mismatch> {
        if value.is_null() {
            if ty.is_non_null() {
                return Err(Mismatch::new(format!("expected `{ty}`, found null")));
            }
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) if value.kind() == Kind::Array => {
                out.push(b'[');
                for (index, value) in value.items().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    let written = self.json(item, value, out);
                    written.map_err(|mismatch| mismatch.below(Step::Index(index)))?;
                }
                out.push(b']');
                Ok(())
            }
            Type::List(item) | Type::NonNullList(item) => {
                out.push(b'[');
                self.json(item, value, out)?;
                out.push(b']');
                Ok(())
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.json_named(name, value, out),
        }
    }

    fn json_named(&self, name: &Name, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let unlike = || Mismatch::new(format!("expected `{name}`, found {}", value.kind()));
        match self.named(name) {
            Named::Custom(scalar) if scalar.holds(value) => out.extend_from_slice(value.raw()),
            Named::Custom(scalar) => {
                let expected = format!("expected `{name}`, {}", scalar.called());
                return Err(Mismatch::new(format!(
                    "{expected}, found {}",
                    scalar.found(value.kind())
                )));
            }
            Named::String => match value.kind() {
                Kind::String => out.extend_from_slice(value.raw()),
                _ => return Err(unlike()),
            },
            Named::Boolean => match value.kind() {
                Kind::Boolean => out.extend_from_slice(value.raw()),
                _ => return Err(unlike()),
            },
            Named::Int => {
                let number = value.as_number().ok_or_else(unlike)?;
                let whole = whole(number)
                    .ok_or_else(|| Mismatch::new("expected `Int`, a whole number of 32 bits"))?;
                out.extend_from_slice(whole.to_string().as_bytes());
            }
            Named::Float => {
                let number = value.as_number().ok_or_else(unlike)?;
                if !number.parse::<f64>().is_ok_and(f64::is_finite) {
                    return Err(Mismatch::new("expected `Float`, found a number out of range"));
                }
                out.extend_from_slice(number.as_bytes());
            }
            Named::Id => match value.as_number() {
                Some(number)
                    if number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) =>
                {
                    write_string(out, number);
                }
                Some(_) => return Err(Mismatch::new("expected `ID`, found a fraction")),
                None if value.kind() == Kind::String => out.extend_from_slice(value.raw()),
                None => return Err(unlike()),
            },
            Named::Enum(values) => self.json_enum(name, values, value, out)?,
            Named::Object(object) => match value.kind() {
                Kind::Object => self.json_object(object, value, out)?,
                _ => return Err(unlike()),
            },
        }
        Ok(())
    }

    fn json_enum(
        &self,
        name: &Name,
        values: &EnumType,
        value: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Mismatch> {
        let Some(text) = value.as_str() else {
            let message = format!("expected a value of `{name}`, found {}", value.kind());
            return Err(Mismatch::new(message));
        };
        if let Some(wire) = values.to_wire.get(&*text) {
            write_string(out, wire);
            return Ok(());
        }
        let known = values.to_wire.keys().map(|known| known.as_str());
        let near = nearest(&text, known).filter(|_| self.suggestions);
        Err(Mismatch::new(format!(
            "expected a value of `{name}`, found another string{}",
            did_you_mean(near)
        )))
    }

    fn json_object(
        &self,
        object: &InputObjectType,
        value: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Mismatch> {
        let mut given: IndexMap<&Name, Value<'_>> = IndexMap::new();
        for (name, value) in value.members() {
            let name = name.unescape();
            match object.fields.get_key_value(&*name) {
                Some((name, _)) => given.insert(name, value),
                None => return Err(self.unknown_field(object, &name)),
            };
        }
        if object.is_one_of() {
            one_of(object, &given)?;
        }
        out.push(b'{');
        let mut separator: &[u8] = b"";
        for (name, definition) in &object.fields {
            let default = match given.get(name) {
                Some(_) => None,
                None => self.position(definition, None, &|_| None, 0)?,
            };
            if !given.contains_key(name) && default.is_none() {
                if definition.ty.is_non_null() {
                    let message = format!("expected `{}`, found nothing", definition.ty);
                    return Err(Mismatch::new(message).below(Step::Name(name.as_str().into())));
                }
                continue;
            }
            out.extend_from_slice(separator);
            separator = b",";
            write_string(out, &self.wire_name(&object.name, name));
            out.push(b':');
            if let Some(value) = given.get(name) {
                let written = self.json(&definition.ty, *value, out);
                written.map_err(|mismatch| mismatch.below(Step::Name(name.as_str().into())))?;
            } else if let Some(Input::Literal(text)) = default {
                out.extend_from_slice(&text);
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn unknown_field(&self, object: &InputObjectType, name: &str) -> Mismatch {
        let known = object.fields.keys().map(|known| known.as_str());
        let near = nearest(name, known).filter(|_| self.suggestions);
        let message = format!("`{}` has no field of that name{}", object.name, did_you_mean(near));
        Mismatch::new(message).below(Step::Name(name.into()))
    }
}

/// The whole number of 32 bits that this is. JSON has one kind of number, and some clients write
/// `7.0` or `7e0` for 7.
fn whole(number: &str) -> Option<i32> {
    let number = number.parse::<f64>().ok().filter(|number| number.fract() == 0.0)?;
    format!("{:.0}", number + 0.0).parse().ok()
}

/// A `@oneOf` input object has exactly one member, and that is not null (specification 3.10.1).
fn one_of(object: &InputObjectType, given: &IndexMap<&Name, Value<'_>>) -> Result<(), Mismatch> {
    let mut members = given.values();
    match (members.next(), members.next()) {
        (Some(only), None) if !only.is_null() => Ok(()),
        (Some(_), None) => {
            let message = format!("the one field of `{}` must not be null", object.name);
            Err(Mismatch::new(message))
        }
        _ => Err(Mismatch::new(format!(
            "expected exactly one field of `{}`, found {}",
            object.name,
            given.len()
        ))),
    }
}
