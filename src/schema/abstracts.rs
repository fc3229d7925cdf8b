//! Interfaces and unions: the property that tells the concrete type, and its values.

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::ExtendedType;
use indexmap::IndexMap;

use super::catalog::AbstractType;
use super::check::Check;
use super::directives::Named;

impl Check<'_> {
    /// Interfaces and unions by name; those without `@discriminator`, which no field may return,
    /// are left out.
    pub(super) fn abstracts(&mut self) -> IndexMap<Name, AbstractType> {
        let mut abstracts = IndexMap::new();
        for (name, of) in &self.schema.types {
            let directives = match of {
                ExtendedType::Interface(of) => &of.directives,
                ExtendedType::Union(of) => &of.directives,
                _ => continue,
            };
            match Named::read(directives, "discriminator", "property", self.files) {
                Some(property) => {
                    if let Some(found) = self.abstract_type(name, &property) {
                        abstracts.insert(name.clone(), found);
                    }
                }
                None if directives.has("discriminator") => {}
                None => self.check_never_returned(name),
            }
        }
        abstracts
    }

    fn abstract_type(&mut self, name: &Name, property: &Named) -> Option<AbstractType> {
        let discriminator = self.path(&property.text)?;
        if !discriminator.is_single() {
            self.push(
                property
                    .text
                    .place()
                    .error("a discriminator is one property, not each item of a list"),
            );
            return None;
        }
        if let (true, Some(place)) =
            (self.possible_types(name).is_empty(), self.files.place(name.location()))
        {
            self.push(
                place.warning(format!("no type is a `{name}`, so any value of it is an error")),
            );
        }
        let mut members: Vec<(Box<str>, Name)> = Vec::new();
        let mut taken: HashMap<Box<str>, Name> = HashMap::default();
        for member in self.possible_types(name) {
            let Some(object) = self.schema.get_object(&member) else { continue };
            let json = Named::read(&object.directives, "json", "name", self.files);
            let said: Box<str> = json.as_ref().map_or(&*member, |json| json.text.as_str()).into();
            if let Some(other) = taken.insert(said.clone(), member.clone()) {
                let own = self.files.place(member.location());
                let place = json.as_ref().map(|json| json.text.place().clone()).or(own);
                self.refuse(
                    place.as_ref(),
                    format!("`{said}` means `{other}` already where a `{name}` is read"),
                );
            }
            members.push((said, member));
        }
        Some(AbstractType { discriminator, members })
    }

    fn check_never_returned(&mut self, name: &Name) {
        let returning = self.schema.types.values().find_map(|of| {
            let ExtendedType::Object(of) = of else { return None };
            let field = of.fields.values().find(|field| field.ty.inner_named_type() == name)?;
            Some(format!("{}.{}", of.name, field.name))
        });
        if let (Some(returning), Some(place)) = (returning, self.files.place(name.location())) {
            self.push(
                place
                    .error(format!("nothing tells which `{name}` an upstream's object is"))
                    .with_help(format!(
                        "`{returning}` returns it: add `@discriminator(property: ..)`, naming the \
                         property whose value is the type's name, or its `@json(name:)`"
                    )),
            );
        }
    }

    /// The object types that a value of this type may have, in the order of the schema.
    pub(super) fn possible_types(&self, name: &Name) -> Vec<Name> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Union(of)) => {
                of.members.iter().map(|member| (**member).clone()).collect()
            }
            Some(ExtendedType::Interface(_)) => self
                .schema
                .types
                .values()
                .filter_map(ExtendedType::as_object)
                .filter(|object| object.implements_interfaces.contains(name))
                .map(|object| object.name.clone())
                .collect(),
            Some(ExtendedType::Object(of)) => vec![of.name.clone()],
            _ => Vec::new(),
        }
    }

    /// Whether a type says `@authenticated`, or one of the interfaces it implements does.
    pub(super) fn is_guarded(&self, name: &Name) -> bool {
        let guards = |directives: &DirectiveList| directives.has("authenticated");
        match self.schema.types.get(name) {
            Some(ExtendedType::Object(of)) => {
                guards(&of.directives)
                    || of.implements_interfaces.iter().any(|of| self.is_guarded_itself(of))
            }
            Some(ExtendedType::Interface(of)) => {
                guards(&of.directives)
                    || of.implements_interfaces.iter().any(|of| self.is_guarded_itself(of))
            }
            _ => false,
        }
    }

    /// Whether one field of an object is guarded: by itself, as a field of an interface, by the
    /// object, or by the type it returns.
    pub(super) fn is_field_guarded(&self, of: &Name, field: &Name) -> bool {
        let Some(object) = self.schema.get_object(of) else { return false };
        let Some(definition) = object.fields.get(field) else { return false };
        let by_interface = || {
            object.implements_interfaces.iter().any(|interface| {
                let interface = self.schema.get_interface(interface);
                let field = interface.and_then(|interface| interface.fields.get(field));
                field.is_some_and(|field| field.directives.has("authenticated"))
            })
        };
        definition.directives.has("authenticated")
            || by_interface()
            || self.is_guarded(of)
            || self.is_guarded(definition.ty.inner_named_type())
    }

    /// An object lists all interfaces it implements, those of its interfaces too (section 3.6), so
    /// one level is enough.
    fn is_guarded_itself(&self, interface: &str) -> bool {
        self.schema
            .get_interface(interface)
            .is_some_and(|interface| interface.directives.has("authenticated"))
    }
}
