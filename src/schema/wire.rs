//! Names on the wire: of enum values and of input fields.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::ExtendedType;
use indexmap::IndexMap;

use super::catalog::EnumType;
use super::check::Check;
use super::definitions::is_own_type;
use super::directives::Named;
use super::files::Place;
use super::scalar::Scalar;
use crate::json::{Path, Segment};

/// Input objects by name: field name -> name on the wire.
pub(super) type Inputs = IndexMap<Name, IndexMap<Name, Box<str>>>;

/// What has another name on the wire, or a check, than the schema tells.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) enums: IndexMap<Name, Arc<EnumType>>,
    pub(super) inputs: Inputs,
    pub(super) scalars: IndexMap<Name, Scalar>,
}

impl Check<'_> {
    /// Enums, inputs and custom scalars of the schema.
    pub(super) fn wire(&mut self) -> Wire {
        let mut wire = Wire::default();
        for (name, of) in &self.schema.types {
            if of.is_built_in() || is_own_type(name) {
                continue;
            }
            match of {
                ExtendedType::Enum(of) => {
                    let values = of.values.values().map(|value| (&value.value, &value.directives));
                    let to_wire = self.wire_names(values, |text| Ok(text.into()));
                    wire.enums.insert(name.clone(), Arc::new(EnumType { to_wire }));
                }
                ExtendedType::InputObject(of) => {
                    let fields = of.fields.values().map(|field| (&field.name, &field.directives));
                    wire.inputs.insert(name.clone(), self.wire_names(fields, property));
                }
                ExtendedType::Scalar(of) => {
                    wire.scalars.insert(name.clone(), Scalar::of(of));
                }
                ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_) => {}
            }
        }
        wire
    }

    fn wire_names<'d>(
        &mut self,
        names: impl Iterator<Item = (&'d Name, &'d DirectiveList)>,
        read: impl Fn(&str) -> Result<Box<str>, String>,
    ) -> IndexMap<Name, Box<str>> {
        let mut to_wire: IndexMap<Name, Box<str>> = IndexMap::new();
        let mut taken: HashMap<Box<str>, Name> = HashMap::default();
        for (name, directives) in names {
            let json = Named::read(directives, "json", "name", self.files);
            let own = self.files.place(name.location());
            let place = json.as_ref().map(|json| json.text.place().clone()).or(own);
            let wire = match json.as_ref().map(|json| read(json.text.as_str())) {
                None => name.as_str().into(),
                Some(Ok(wire)) => wire,
                Some(Err(message)) => {
                    self.refuse(place.as_ref(), message);
                    name.as_str().into()
                }
            };
            self.note_taken(&mut taken, (name, &wire), place.as_ref());
            to_wire.insert(name.clone(), wire);
        }
        to_wire
    }

    fn note_taken(
        &mut self,
        taken: &mut HashMap<Box<str>, Name>,
        (name, wire): (&Name, &str),
        place: Option<&Place>,
    ) {
        match taken.get(wire) {
            Some(other) => {
                let message = format!("`{name}` is `{wire}` on the wire, and so is `{other}`");
                self.refuse(place, message);
            }
            None => {
                taken.insert(wire.into(), name.clone());
            }
        }
    }
}

/// An input field's name on the wire: one property, for a request is built from it.
fn property(text: &str) -> Result<Box<str>, String> {
    match Path::parse(text).as_ref().map(Path::segments) {
        Ok([Segment::Property(name)]) => Ok(name.clone()),
        Ok(_) => Err("an input field is one property on the wire, not a path".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
