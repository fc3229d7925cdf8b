//! Fields: where each one's value comes from, and who may ask for it.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{OperationType, Type};
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::schema::ExtendedType;
use indexmap::IndexMap;

use super::arguments::{Argument, on_wire};
use super::catalog::{Endpoint, FieldType, Lookup, ObjectType, Source, Then};
use super::check::{Check, Refused};
use super::definitions::is_own_type;
use super::directives::{self, FieldSources, Named, Rest, SOURCES};
use super::endpoint::{FieldSite, Site, Surroundings};
use super::files::Place;
use super::nearest::one_of;
use super::text::Text;
use super::wire::Inputs;
use crate::config::Problem;
use crate::json::Path;
use crate::template::{Expression, Root};

/// Types that have a lookup; `None` where it could not be built.
pub(super) type Lookups = HashMap<Name, Option<Arc<Endpoint>>>;

/// What a field's directives are checked against.
#[derive(Clone, Copy)]
struct Known<'i> {
    lookups: &'i Lookups,
    inputs: &'i Inputs,
}

impl<'s> Check<'s> {
    /// The lookup of every type that has a `@rest`.
    pub(super) fn lookups(&mut self, inputs: &Inputs) -> Lookups {
        let mut lookups = Lookups::default();
        for (name, of) in &self.schema.types {
            let is_composite = matches!(
                of,
                ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)
            );
            if !is_composite || !of.directives().has("rest") {
                continue;
            }
            if self.root(name).is_some() && !self.groups.contains(name) {
                let place = of.directives().get("rest");
                let place = place.and_then(|rest| directives::place(rest, self.files));
                self.refuse(place.as_ref(), format!("`{name}` is a root and cannot be looked up"));
                lookups.insert(name.clone(), None);
                continue;
            }
            let rest = Rest::read(of.directives(), self.files);
            let around = Surroundings { site: Site::Lookup(name), inputs };
            let endpoint = rest.and_then(|rest| self.endpoint(&rest, around).ok());
            lookups.insert(name.clone(), endpoint);
        }
        lookups
    }

    /// Refuses sources on the fields of interfaces: a field has the source that its object says.
    pub(super) fn interface_fields(&mut self) {
        for of in self.schema.types.values().filter_map(ExtendedType::as_interface) {
            for field in of.fields.values() {
                for directive in field.directives.iter() {
                    if !SOURCES.contains(&directive.name.as_str()) {
                        continue;
                    }
                    if let Some(place) = directives::place(directive, self.files) {
                        self.refuse_with(
                            &place,
                            format!(
                                "a field of an interface has no source, so no `@{}`",
                                directive.name
                            ),
                            format!(
                                "write it on that field of each type that implements `{}`",
                                of.name
                            ),
                        );
                    }
                }
            }
        }
    }

    /// Every object type with its fields.
    pub(super) fn objects(
        &mut self,
        lookups: &Lookups,
        inputs: &Inputs,
    ) -> IndexMap<Name, ObjectType> {
        let known = Known { lookups, inputs };
        let mut objects = IndexMap::new();
        for (name, of) in &self.schema.types {
            let ExtendedType::Object(object) = of else { continue };
            if of.is_built_in() || is_own_type(name) {
                continue;
            }
            let mut fields = IndexMap::new();
            for (field, definition) in &object.fields {
                let is_root = self.root(name).is_some();
                let has_answer = definition.directives.has("rest");
                let answer_is_value =
                    !definition.directives.has("ref") && !definition.directives.has("computed");
                let site =
                    FieldSite { of: name, field: definition, is_root, has_answer, answer_is_value };
                if let Ok(source) = self.source(site, known) {
                    let authenticated = self.is_field_guarded(name, field);
                    fields.insert(field.clone(), FieldType { source, authenticated });
                }
            }
            let authenticated = self.is_guarded(name);
            objects.insert(name.clone(), ObjectType { fields, authenticated });
        }
        objects
    }

    fn source(&mut self, site: FieldSite<'s>, known: Known<'_>) -> Result<Source, Refused> {
        self.check_one_source(site)?;
        self.check_root_source(site)?;
        let given = FieldSources::read(&site.field.directives, self.files);
        let has = |name| site.field.directives.has(name);
        let fetched = match &given.rest {
            Some(rest) => {
                let around = Surroundings { site: Site::Field(site), inputs: known.inputs };
                Some(self.endpoint(rest, around))
            }
            None if has("rest") => Some(Err(Refused)),
            None => None,
        };
        let lookup = match &given.reference {
            Some(reference) => Some(self.lookup(reference, site, known)),
            None if has("ref") => Some(Err(Refused)),
            None => None,
        };
        let computed = match &given.computed {
            Some(computed) => Some(self.computed(&computed.text, site, known)),
            None if has("computed") => Some(Err(Refused)),
            None => None,
        };
        match (fetched, lookup, computed) {
            (Some(endpoint), None, None) => Ok(Source::Fetch(endpoint?, Then::Value)),
            (Some(endpoint), Some(lookup), _) => {
                Ok(Source::Fetch(endpoint?, Then::Lookup(lookup?)))
            }
            (Some(endpoint), None, Some(computed)) => {
                Ok(Source::Fetch(endpoint?, Then::Computed(computed?)))
            }
            (None, Some(lookup), _) => Ok(Source::Lookup(lookup?)),
            (None, None, Some(computed)) => Ok(Source::Computed(computed?)),
            (None, None, None) => self.property(site, given.json.as_ref()),
        }
    }

    /// A field has one source; `@rest` alone may have `@ref` or `@computed` beside it.
    fn check_one_source(&mut self, site: FieldSite<'_>) -> Result<(), Refused> {
        let given: Vec<&str> =
            SOURCES.into_iter().filter(|name| site.field.directives.has(name)).collect();
        if matches!(given.as_slice(), [] | [_] | ["rest", "ref" | "computed"]) {
            return Ok(());
        }
        let written: Vec<String> = given.iter().map(|name| format!("@{name}")).collect();
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        let message = format!(
            "`{}.{}` has {} sources: {}",
            site.of,
            site.field.name,
            given.len(),
            one_of(&written, "and")
        );
        let last = given.last().and_then(|name| site.field.directives.get(name));
        let place = last.and_then(|last| directives::place(last, self.files));
        let help = "a field has one; only `@rest` may have `@ref` or `@computed` beside it";
        Err(match place {
            Some(place) => self.refuse_with(&place, message, help),
            None => self.refuse(None, message),
        })
    }

    fn check_root_source(&mut self, site: FieldSite<'_>) -> Result<(), Refused> {
        let Some(root) = self.root(site.of) else { return Ok(()) };
        let has = |name| site.field.directives.has(name);
        let (message, help) = match root {
            // It was meant to be the source.
            _ if self.has_unknown_directive(site) => return Err(Refused),
            OperationType::Mutation if !has("rest") => (
                format!("the mutation `{}` writes nothing", site.field.name),
                "add the `@rest` that does",
            ),
            OperationType::Query if !SOURCES.iter().any(|name| has(name)) => (
                format!("the root field `{}` has no source", site.field.name),
                "add `@rest`, `@ref` or `@computed`; a group of fields is `@json(name: \".\")`",
            ),
            _ => return Ok(()),
        };
        let place = self.files.place(site.field.name.location());
        Err(match place {
            Some(place) => self.refuse_with(&place, message, help),
            None => self.refuse(None, message),
        })
    }

    /// The field's own property, by its name or by `@json`.
    fn property(&mut self, site: FieldSite<'_>, json: Option<&Named>) -> Result<Source, Refused> {
        let Some(json) = json else {
            return Ok(Source::Property(Path::property(&site.field.name)));
        };
        let path = self.path(&json.text).ok_or(Refused)?;
        self.check_each(&path, &json.text, Site::Field(site))?;
        if site.is_root && !(path.is_root() && self.is_object(&site.field.ty)) {
            return Err(self.refuse_with(
                json.text.place(),
                "at the root there are no properties to read",
                "`.` on an object type makes a group of fields that have sources of their own",
            ));
        }
        Ok(Source::Property(path))
    }

    fn is_object(&self, ty: &Type) -> bool {
        !ty.is_list() && self.schema.get_object(ty.inner_named_type()).is_some()
    }

    fn has_unknown_directive(&self, site: FieldSite<'_>) -> bool {
        let known = &self.schema.directive_definitions;
        site.field.directives.iter().any(|directive| !known.contains_key(&directive.name))
    }

    fn lookup(
        &mut self,
        reference: &Named,
        site: FieldSite<'s>,
        known: Known<'_>,
    ) -> Result<Lookup, Refused> {
        let endpoint = self.looked_up(reference, site, known);
        let used = self.ref_use(&reference.text, site);
        let key = used.and_then(|used| self.key(&reference.text, used, site, known.inputs));
        Ok(Lookup { key: key?, endpoint: endpoint? })
    }

    fn looked_up(
        &mut self,
        reference: &Named,
        site: FieldSite<'_>,
        known: Known<'_>,
    ) -> Result<Arc<Endpoint>, Refused> {
        let name = site.field.ty.inner_named_type();
        if let Some(lookup) = known.lookups.get(name) {
            return lookup.clone().ok_or(Refused);
        }
        let keyword = match self.schema.types.get(name) {
            Some(_) if self.is_half_read(name) => return Err(Refused),
            Some(ExtendedType::Object(_)) => "type",
            Some(ExtendedType::Interface(_)) => "interface",
            Some(ExtendedType::Union(_)) => "union",
            Some(_) => {
                return Err(self.refuse_with(
                    &reference.place,
                    format!("`{name}` cannot be looked up by a key"),
                    "only object types, interfaces and unions have a lookup",
                ));
            }
            // Reported where the field names it.
            None => return Err(Refused),
        };
        let message = format!("`{name}` has no lookup");
        let help = format!("add `@rest(..)` with `{{key}}` or `{{keys}}` to `{keyword} {name}`");
        Err(self.refuse_with(&reference.place, message, help))
    }

    fn computed(
        &mut self,
        text: &Text,
        site: FieldSite<'s>,
        known: Known<'_>,
    ) -> Result<Arc<Expression>, Refused> {
        let expression = Expression::parse(text.as_str()).map_err(|error| {
            let problem = text.at(&error.span).error(error.message);
            self.push(Problem { help: error.help, ..problem });
            Refused
        })?;
        let mut checked = Ok(());
        for reference in expression.references() {
            let place = text.at(&reference.span);
            let found = match reference.root {
                Root::This if site.is_root => Err(self.no_this(&place, site)),
                Root::Answer if !site.has_answer => Err(self.refuse_with(
                    &place,
                    "there is no `answer` without a `@rest` beside",
                    "a property of the object is `this.name`",
                )),
                Root::Args => self.computed_args(&reference.path, &place, site, known.inputs),
                _ => Ok(()),
            };
            checked = checked.and(found);
        }
        checked?;
        let mut expression = expression;
        let schema = self.schema;
        expression.rename_args(&mut |path| on_wire(schema, known.inputs, site.field, path));
        Ok(Arc::new(expression))
    }

    /// Checks what an expression reads of the arguments. An input object that is read as a whole
    /// is as it is sent, so it must have the schema's names there.
    fn computed_args(
        &mut self,
        path: &Path,
        place: &Place,
        site: FieldSite<'s>,
        inputs: &Inputs,
    ) -> Result<(), Refused> {
        let whole = path.is_root().then(|| {
            let arguments = site.field.arguments.iter();
            arguments.map(|argument| Path::property(&argument.name)).collect()
        });
        for path in whole.unwrap_or_else(|| vec![path.clone()]) {
            match Argument::find(self.schema, inputs, site.field, &path) {
                Ok(argument) => {
                    if let Some(field) = argument.renamed(self.schema, inputs) {
                        let message = format!(
                            "`args.{path}` is read as a whole, but `{field}` in it has another name \
                             on the wire"
                        );
                        let help = format!(
                            "name what is read of it, as in `args.{path}.{field}`; \
                             `has(args.{path})` tells whether it is there"
                        );
                        return Err(self.refuse_with(place, message, help));
                    }
                }
                Err(error) => {
                    self.push(Problem { help: error.help, ..place.error(error.message) });
                    return Err(Refused);
                }
            }
        }
        Ok(())
    }

    /// Which root a type is, or stands at.
    fn root(&self, name: &Name) -> Option<OperationType> {
        let mut roots = self.schema.schema_definition.iter_root_operations();
        let root = roots.find(|(_, root)| **root == *name).map(|(operation, _)| operation);
        root.or_else(|| self.groups.contains(name).then_some(OperationType::Query))
    }

    /// The types that `@json(name: ".")` puts at the root of queries: they only group fields, which
    /// like those of the root have no upstream object to be read from.
    pub(super) fn groups(&self) -> HashSet<Name> {
        let mut groups: HashSet<Name> = HashSet::default();
        let mut open: Vec<&Name> =
            self.schema.root_operation(OperationType::Query).into_iter().collect();
        while let Some(object) = open.pop().and_then(|name| self.schema.get_object(name)) {
            for field in object.fields.values().filter(|field| self.is_object(&field.ty)) {
                let json = Named::read(&field.directives, "json", "name", self.files);
                let of = field.ty.inner_named_type();
                if json.is_some_and(|json| json.text.as_str() == ".") && groups.insert(of.clone()) {
                    open.push(of);
                }
            }
        }
        groups
    }
}
