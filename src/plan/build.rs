//! A valid operation -> [`Plan`]: for each object type what is wanted of it, and for each value
//! that needs a request of its own a [`Fetch`].

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::Field as FieldNode;
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use indexmap::IndexMap;

use super::coercion::Coercion;
use super::collect::{Chosen, Collected, Collector};
use super::conditions::{Conditions, Mask};
use super::document::{Document, Operation, RequestError};
use super::parts::{Parts, Portion};
use super::portion;
use super::{
    Args, ArgsId, Cases, Computed, Fetch, FetchId, Field, FieldValue, Hole, Input, ItemNullable,
    Kind, Leaf, OperationKind, Plan, Selection, Shape, Step, Stream, Through, size,
};
use crate::failure::Code;
use crate::json::{Path, write_string};
use crate::schema::{Catalog, Endpoint, Lookup, Scalar, Source, SourceStream, Then};
use crate::template::{Expression, KeyPath, Root};

/// Plans an operation for the requests whose conditions come to this mask.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`: what is selected of abstract types, counted for each type that they can be,
/// is over the limit of fields. `GRAPHQL_VALIDATION_FAILED`: `__schema` or `__type` is asked for
/// elsewhere than at the root of a query.
pub fn build(
    catalog: &Catalog,
    operation: &Operation<'_>,
    mask: &Mask,
) -> Result<Plan, RequestError> {
    build_portion(catalog, operation, mask, Portion::Whole)
}

/// Plans a portion of an operation. What a part's plan gives is no response of its own: the fields
/// that only lead to those of the part have response keys that begin with `@`, and where a further
/// part belongs stands its number after `@@`.
///
/// # Errors
/// As [`build`].
pub fn build_portion(
    catalog: &Catalog,
    operation: &Operation<'_>,
    mask: &Mask,
    portion: Portion,
) -> Result<Plan, RequestError> {
    let operation = *operation;
    let document = operation.document();
    let conditions = Conditions::new(operation, mask);
    let parts = match portion {
        Portion::Whole => Parts::default(),
        _ => Parts::of(catalog, operation, &conditions),
    };
    let collector = Collector {
        schema: &catalog.public,
        fragments: document.fragments(),
        conditions,
        portion,
        parts,
    };
    let mut builder = Builder {
        catalog,
        document,
        operation,
        collector,
        planned: 0,
        fetches: Vec::new(),
        args: IndexMap::new(),
        enums: HashMap::new(),
        shared: HashMap::new(),
        introspects: false,
    };
    let steps = builder.steps()?;
    builder.finish(steps)
}

pub(super) struct Builder<'a> {
    catalog: &'a Catalog,
    document: &'a Document,
    operation: Operation<'a>,
    pub(super) collector: Collector<'a>,
    /// Fields planned so far.
    planned: usize,
    /// `None`: under construction.
    pub(super) fetches: Vec<Option<Fetch>>,
    args: IndexMap<Vec<(Box<str>, Input)>, ArgsId>,
    enums: HashMap<&'a Name, Leaf>,
    shared: HashMap<SharedKey, Arc<Selection>>,
    introspects: bool,
}

/// What makes two selections one: the type, the fields they merge, and where they stand.
type SharedKey = (Name, Vec<(*const FieldNode, bool)>, Option<FetchId>, Box<str>);

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// In the answers of this fetch; `None`: at the root.
    fetch: Option<FetchId>,
    /// Response keys from the root.
    path: &'p str,
}

/// Fields of one response key of one object type.
struct Group<'g, 'a> {
    owner: &'g Name,
    nodes: &'g [Chosen<'a>],
    definition: &'a FieldDefinition,
}

impl Group<'_, '_> {
    fn coordinate(&self) -> Box<str> {
        format!("{}.{}", self.owner, self.definition.name).into()
    }

    /// A fetch for these fields; its key is the caller's to give.
    fn fetch(&self, endpoint: &Arc<Endpoint>, args: ArgsId, shape: Shape, at: Place<'_>) -> Fetch {
        Fetch {
            parent: at.fetch,
            coordinate: self.coordinate(),
            path: at.path.into(),
            endpoint: Arc::clone(endpoint),
            key: None,
            args,
            shape,
            first_of: None,
        }
    }
}

impl<'a> Builder<'a> {
    /// One step for a query; one for each root field of a mutation (section 6.2.2).
    fn steps(&mut self) -> Result<Vec<Step>, RequestError> {
        let root = &self.operation.node().selection_set;
        let collected = self.collector.collect(&root.ty, [(root, false)]);
        let at = Place { fetch: None, path: "" };
        let parts: Vec<Collected<'a>> = match self.operation.kind() {
            OperationKind::Subscription if collected.fields.len() != 1 => {
                let message = "A subscription selects one field at its root.";
                return Err(RequestError::new(Code::GraphqlValidationFailed, message));
            }
            OperationKind::Query | OperationKind::Subscription => vec![collected],
            OperationKind::Mutation => collected.one_by_one(),
        };
        let step = |part| Ok(Step { selection: Arc::new(self.fields(&root.ty, &part, at)?) });
        parts.into_iter().map(step).collect()
    }

    /// What sets off a subscription (`CreateSourceEventStream`, section 6.2.3.1).
    fn stream(&self, steps: &[Step]) -> Result<Option<Stream>, RequestError> {
        if self.operation.kind() != OperationKind::Subscription {
            return Ok(None);
        }
        let root = &self.operation.node().selection_set;
        let field = self.collector.collect(&root.ty, [(root, false)]).fields.into_values().next();
        let field = field.and_then(|nodes| nodes.into_iter().next());
        let first = steps.first().and_then(|step| step.selection.fields.first());
        let hole = first.and_then(|field| Some(field.value.hole()?.fetch));
        let stream = field.and_then(|field| self.catalog.streams.get(&field.node.name));
        match (stream, hole) {
            (Some(SourceStream::Events(of)), Some(fetch)) => {
                Ok(Some(Stream::Events(fetch, of.clone())))
            }
            (Some(SourceStream::Poll(every)), _) => Ok(Some(Stream::Poll(*every))),
            _ => Err(broken("the subscription has no source stream")),
        }
    }

    fn finish(self, steps: Vec<Step>) -> Result<Plan, RequestError> {
        let stream = self.stream(&steps)?;
        let fetches: Option<Vec<Fetch>> = self.fetches.into_iter().collect();
        let fetches = fetches.ok_or_else(|| broken("a fetch was not finished"))?;
        Ok(Plan {
            kind: self.operation.kind(),
            name: self.operation.name().map(Into::into),
            stream,
            steps,
            fetches,
            args: self.args.into_keys().map(Args::new).collect(),
            parts: self.collector.parts.into_all(),
            introspects: self.introspects,
            fields: self.planned,
        })
    }

    /// What merged fields select of an object type.
    fn selection(
        &mut self,
        object: &Name,
        nodes: &[Chosen<'a>],
        at: Place<'_>,
    ) -> Result<Arc<Selection>, RequestError> {
        let addresses = nodes
            .iter()
            .map(|chosen| (std::ptr::from_ref(chosen.node.as_ref()), chosen.inside))
            .collect();
        let key = (object.clone(), addresses, at.fetch, at.path.into());
        if let Some(shared) = self.shared.get(&key) {
            return Ok(Arc::clone(shared));
        }
        let sets = nodes.iter().filter_map(|it| Some((it.node.selection_set.as_ref()?, it.inside)));
        let collected = self.collector.collect(object, sets);
        let selection = Arc::new(self.fields(object, &collected, at)?);
        self.shared.insert(key, Arc::clone(&selection));
        Ok(selection)
    }

    fn fields(
        &mut self,
        object: &Name,
        collected: &Collected<'a>,
        at: Place<'_>,
    ) -> Result<Selection, RequestError> {
        self.planned = self.planned.saturating_add(collected.fields.len());
        let limit = self.document.limits().fields;
        if self.planned > limit {
            let nodes = collected.fields.values().flatten().next();
            let nodes = nodes.map(|chosen| chosen.node.location());
            let locations = self.document.source().locations(nodes);
            let message = size::too_many(limit);
            return Err(RequestError::new(Code::QueryTooComplex, message).at(locations));
        }
        let mut captures = Vec::new();
        let mut fields = Vec::with_capacity(collected.fields.len());
        let mut later = collected.later.clone();
        for (key, nodes) in &collected.fields {
            for role in self.roles(nodes) {
                let field = self.field(object, key, role.nodes(), &mut captures, at)?;
                fields.extend(self.played(role, field, &mut later));
            }
        }
        fields.extend(later.into_iter().map(portion::marker));
        Ok(Selection::new(object.as_str().into(), fields, captures))
    }

    fn field(
        &mut self,
        object: &Name,
        key: &Name,
        nodes: &[Chosen<'a>],
        captures: &mut Vec<Path>,
        at: Place<'_>,
    ) -> Result<Field, RequestError> {
        let name =
            nodes.first().map(|chosen| &chosen.node.name).ok_or_else(|| broken("no field"))?;
        let mut args = None;
        let (value, nullable, authenticated) = match name.as_str() {
            "__typename" => (FieldValue::Typename, false, false),
            "__schema" | "__type" => (self.introspection(nodes, at)?, name == "__type", false),
            _ => {
                let known = self.catalog.objects.get(object);
                let known = known.and_then(|known| known.fields.get(name));
                let definition = self.catalog.public.type_field(object, name).ok();
                let (Some(known), Some(definition)) = (known, definition) else {
                    return Err(broken(&format!("`{object}.{name}` has no source")));
                };
                let path =
                    if at.path.is_empty() { key.to_string() } else { format!("{}.{key}", at.path) };
                let group = Group { owner: object, nodes, definition };
                let at = Place { fetch: at.fetch, path: &path };
                let value = self.value(&group, &known.source, captures, at)?;
                let has_args = nodes.first().is_some_and(|it| !it.node.arguments.is_empty());
                if has_args && matches!(known.source, Source::Property(_)) {
                    args = Some(self.args(&group)?);
                }
                (value, !definition.ty.is_non_null(), known.authenticated)
            }
        };
        let mut key_json = Vec::with_capacity(key.len() + 3);
        write_string(&mut key_json, key);
        key_json.push(b':');
        let locations =
            self.document.source().locations(nodes.iter().map(|chosen| chosen.node.location()));
        Ok(Field {
            key: key.as_str().into(),
            key_json: key_json.into(),
            locations: locations.into(),
            authenticated,
            args,
            value,
            nullable,
        })
    }

    /// `__schema` and `__type` belong to the root of a query (specification section 4.1).
    fn introspection(
        &mut self,
        nodes: &[Chosen<'a>],
        at: Place<'_>,
    ) -> Result<FieldValue, RequestError> {
        if at.path.is_empty() && self.operation.kind() == OperationKind::Query {
            self.introspects = true;
            return Ok(FieldValue::Introspection);
        }
        let message = "`__schema` and `__type` may only be asked for at the root of a query.";
        let locations =
            self.document.source().locations(nodes.iter().map(|chosen| chosen.node.location()));
        Err(RequestError::new(Code::GraphqlValidationFailed, message).at(locations))
    }

    fn value(
        &mut self,
        group: &Group<'_, 'a>,
        source: &Source,
        captures: &mut Vec<Path>,
        at: Place<'_>,
    ) -> Result<FieldValue, RequestError> {
        let ty = &group.definition.ty;
        Ok(match source {
            Source::Property(path) => {
                FieldValue::Property(path.clone(), self.shape(ty, group.nodes, at)?)
            }
            Source::Computed(expression) => {
                let args = self.args(group)?;
                let computed = computed(group, expression, args, captures);
                FieldValue::Computed(computed, self.shape(ty, group.nodes, at)?)
            }
            Source::Lookup(lookup) => FieldValue::Hole(self.lookup(group, lookup, captures, at)?),
            Source::Fetch(endpoint, then) => {
                FieldValue::Hole(self.request(group, (endpoint, then), captures, at)?)
            }
        })
    }

    /// A field's own request.
    fn request(
        &mut self,
        group: &Group<'_, 'a>,
        (endpoint, then): (&Arc<Endpoint>, &Then),
        captures: &mut Vec<Path>,
        at: Place<'_>,
    ) -> Result<Hole, RequestError> {
        let args = self.args(group)?;
        let ty = &group.definition.ty;
        let key = endpoint.batch.as_ref().and_then(|batch| batch.key.clone());
        let mut slots = slots(endpoint, key.as_ref(), captures);
        let fetch = self.reserve();
        let within = Place { fetch: Some(fetch), path: at.path };
        let shape = match then {
            Then::Value => self.shape(ty, group.nodes, within)?,
            Then::Lookup(lookup) => {
                let mut captures = Vec::new();
                let hole = self.lookup(group, lookup, &mut captures, within)?;
                let through = Arc::new(Through { captures, hole });
                Shape { nullable: !ty.is_non_null(), kind: Kind::Through(through) }
            }
            Then::Computed(expression) => {
                let computed = computed(group, expression, args, captures);
                slots.extend_from_slice(&computed.slots);
                let shape = self.shape(ty, group.nodes, within)?;
                Shape { nullable: shape.nullable, kind: Kind::Computed(computed, Box::new(shape)) }
            }
        };
        self.fill(fetch, Fetch { key, ..group.fetch(endpoint, args, shape, at) });
        Ok(Hole { fetch, slots: slots.into(), nullable: !ty.is_non_null(), list: None })
    }

    /// Another type's lookup, by one key or by a list of keys.
    fn lookup(
        &mut self,
        group: &Group<'_, 'a>,
        lookup: &Lookup,
        captures: &mut Vec<Path>,
        at: Place<'_>,
    ) -> Result<Hole, RequestError> {
        let args = self.args(group)?;
        let (ty, list) = match &group.definition.ty {
            Type::List(item) | Type::NonNullList(item) => {
                (item.as_ref(), Some(ItemNullable(!item.is_non_null())))
            }
            one => (one, None),
        };
        let slots = slots(&lookup.endpoint, Some(&lookup.key), captures).into();
        let fetch = self.reserve();
        let shape = self.shape(ty, group.nodes, Place { fetch: Some(fetch), path: at.path })?;
        let key = Some(lookup.key.clone());
        self.fill(fetch, Fetch { key, ..group.fetch(&lookup.endpoint, args, shape, at) });
        Ok(Hole { fetch, slots, nullable: !group.definition.ty.is_non_null(), list })
    }

    /// A place among the fetches before those of its answer are planned: parents come first.
    fn reserve(&mut self) -> FetchId {
        let id = FetchId(u32::try_from(self.fetches.len()).unwrap_or(u32::MAX));
        self.fetches.push(None);
        id
    }

    fn fill(&mut self, id: FetchId, fetch: Fetch) {
        if let Some(reserved) = self.fetches.get_mut(id.0 as usize) {
            *reserved = Some(fetch);
        }
    }

    fn args(&mut self, group: &Group<'_, 'a>) -> Result<ArgsId, RequestError> {
        let coercion = Coercion { catalog: self.catalog, suggestions: false };
        let declared = self.operation.variables();
        let index = |name: &str| {
            let found = declared.iter().zip(0u32..).find(|(variable, _)| variable.name() == name);
            found.map(|(_, index)| index)
        };
        let given = group.nodes.first().map(|it| it.node.arguments.as_slice()).unwrap_or_default();
        let mut values: Vec<(Box<str>, Input)> = Vec::new();
        for definition in &group.definition.arguments {
            let argument = given.iter().find(|argument| argument.name == definition.name);
            let value = argument.map(|argument| &argument.value);
            let value = coercion.argument(definition, value, &index).map_err(|mismatch| {
                let message = format!("Argument `{}`: {}.", definition.name, mismatch.message);
                let nodes = group.nodes.iter().map(|chosen| chosen.node.location());
                let locations = self.document.source().locations(nodes);
                RequestError::new(Code::GraphqlValidationFailed, message).at(locations)
            })?;
            if let Some(value) = value {
                values.push((definition.name.as_str().into(), value));
            }
        }
        let next = ArgsId(u32::try_from(self.args.len()).unwrap_or(u32::MAX));
        Ok(*self.args.entry(values).or_insert(next))
    }

    fn shape(
        &mut self,
        ty: &Type,
        nodes: &[Chosen<'a>],
        at: Place<'_>,
    ) -> Result<Shape, RequestError> {
        let nullable = !ty.is_non_null();
        let name = match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let item = self.shape(item, nodes, at)?;
                return Ok(Shape { nullable, kind: Kind::List(Box::new(item)) });
            }
            Type::Named(name) | Type::NonNullNamed(name) => name,
        };
        let kind = match self.catalog.public.types.get(name) {
            Some(ExtendedType::Object(_)) => Kind::Object(self.selection(name, nodes, at)?),
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                Kind::Abstract(self.cases(name, nodes, at)?)
            }
            Some(ExtendedType::Enum(_)) => Kind::Leaf(self.enumeration(name)?),
            _ => Kind::Leaf(scalar(self.catalog, name)),
        };
        Ok(Shape { nullable, kind })
    }

    fn cases(
        &mut self,
        name: &Name,
        nodes: &[Chosen<'a>],
        at: Place<'_>,
    ) -> Result<Arc<Cases>, RequestError> {
        let catalog = self.catalog;
        let known = catalog.abstracts.get(name);
        let known = known.ok_or_else(|| broken(&format!("`{name}` has no discriminator")))?;
        let mut cases = Vec::with_capacity(known.members.len());
        for (value, member) in &known.members {
            cases.push((value.clone(), self.selection(member, nodes, at)?));
        }
        let discriminator = known.discriminator.clone();
        Ok(Arc::new(Cases { type_name: name.as_str().into(), discriminator, cases }))
    }

    fn enumeration(&mut self, name: &Name) -> Result<Leaf, RequestError> {
        let known = self.catalog.enums.get_key_value(name);
        let (name, values) = known.ok_or_else(|| broken(&format!("`{name}` has no values")))?;
        let table = || {
            let values = values.to_wire.iter();
            Leaf::Enum(values.map(|(name, wire)| (wire.clone(), name.as_str().into())).collect())
        };
        Ok(self.enums.entry(name).or_insert_with(table).clone())
    }
}

/// Result coercion by a scalar's name (specification section 3.5); all but the five built in are
/// custom.
fn scalar(catalog: &Catalog, name: &Name) -> Leaf {
    match name.as_str() {
        "Int" => Leaf::Int,
        "Float" => Leaf::Float,
        "String" => Leaf::String,
        "Boolean" => Leaf::Boolean,
        "ID" => Leaf::Id,
        _ => Leaf::Custom(catalog.scalars.get(name).copied().unwrap_or(Scalar::Any)),
    }
}

/// What a request reads of the object around it, then what its key reads.
fn slots(endpoint: &Endpoint, key: Option<&KeyPath>, captures: &mut Vec<Path>) -> Vec<u32> {
    let key = key.filter(|key| matches!(key.root, Root::This | Root::Answer));
    let key = key.map(|key| key.split().0);
    endpoint.this.iter().chain(&key).map(|path| capture(path, captures)).collect()
}

fn computed(
    group: &Group<'_, '_>,
    expression: &Arc<Expression>,
    args: ArgsId,
    captures: &mut Vec<Path>,
) -> Arc<Computed> {
    let references = expression.references().iter();
    let this = references.filter(|reference| reference.root == Root::This);
    let slots = this.map(|reference| capture(&reference.path, captures)).collect();
    let coordinate = group.coordinate();
    Arc::new(Computed { coordinate, expression: Arc::clone(expression), args, slots })
}

/// The index of a captured path; equal ones are captured once.
fn capture(path: &Path, captures: &mut Vec<Path>) -> u32 {
    let index = captures.iter().position(|known| known == path).unwrap_or_else(|| {
        captures.push(path.clone());
        captures.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A schema and a document that do not fit: a fault of the gateway.
fn broken(what: &str) -> RequestError {
    RequestError::new(Code::Internal, format!("The operation cannot be planned: {what}."))
}
