//! The checked schema: what clients see, and for every field where its value comes from.

use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::collections::HashMap as CompilerMap;
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use indexmap::IndexMap;

use super::scalar::Scalar;
use crate::config::BodyFormat;
use crate::json::Path;
use crate::template::{Expression, KeyPath, RequestTemplate, Root};

/// A whole schema, checked: built by [`crate::schema::load`] only.
#[derive(Debug)]
pub struct Catalog {
    /// What clients may know: the SDL without mapping directives. Queries are validated against it.
    pub public: Valid<Schema>,
    /// Implementers of each interface, for introspection.
    pub implementers: CompilerMap<Name, Implementers>,
    /// Object types by name, introspection's own left out.
    pub objects: IndexMap<Name, ObjectType>,
    /// Interfaces and unions by name, those left out that no field returns and nothing tells.
    pub abstracts: IndexMap<Name, AbstractType>,
    /// Enums by name.
    pub enums: IndexMap<Name, Arc<EnumType>>,
    /// Input objects by name: field name -> name on the wire.
    pub inputs: IndexMap<Name, IndexMap<Name, Box<str>>>,
    /// Custom scalars by name.
    pub scalars: IndexMap<Name, Scalar>,
    /// What sets off the events of each field of the subscription root.
    pub streams: IndexMap<Name, SourceStream>,
}

impl Catalog {
    /// The object type of this name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&ObjectType> {
        self.objects.get(name)
    }

    /// The field of an object type; `None` for interfaces too, whose fields have no source.
    #[must_use]
    pub fn field(&self, object: &str, field: &str) -> Option<&FieldType> {
        self.object(object)?.fields.get(field)
    }

    /// The object types that a value of this type may have: an object itself, the members of a
    /// union, whatever implements an interface; in the order of the schema. None for other types.
    pub fn possible_types(&self, name: &str) -> impl Iterator<Item = &Name> {
        let object = self.public.get_object(name).map(|object| &object.name);
        let members = self.public.get_union(name).map(|union| &union.members);
        let implementers = self.implementers.get(name).map(|found| &found.objects);
        let members = members.into_iter().flatten().map(|member| member.as_ref());
        object.into_iter().chain(members).chain(implementers.into_iter().flatten())
    }

    /// The schema that clients see, as SDL.
    #[must_use]
    pub fn public_sdl(&self) -> String {
        self.public.serialize().to_string()
    }
}

impl Catalog {
    /// Every claim that a template, a key or an expression reads, some perhaps several times.
    pub fn claims(&self) -> impl Iterator<Item = &Path> {
        let fields = self.objects.values().flat_map(|object| object.fields.values());
        fields.flat_map(|field| field.source.claims())
    }
}

impl Source {
    fn claims(&self) -> Vec<&Path> {
        match self {
            Self::Property(_) => Vec::new(),
            Self::Fetch(endpoint, then) => {
                let mut claims = endpoint.claims();
                match then {
                    Then::Value => {}
                    Then::Lookup(lookup) => claims.extend(lookup.claims()),
                    Then::Computed(expression) => claims.extend(read_by(expression)),
                }
                claims
            }
            Self::Lookup(lookup) => lookup.claims(),
            Self::Computed(expression) => read_by(expression),
        }
    }
}

impl Lookup {
    fn claims(&self) -> Vec<&Path> {
        let mut claims = self.endpoint.claims();
        claims.extend((self.key.root == Root::Claims).then_some(&self.key.path));
        claims
    }
}

impl Endpoint {
    fn claims(&self) -> Vec<&Path> {
        let key = self.batch.as_ref().and_then(|batch| batch.key.as_ref());
        let key = key.filter(|key| key.root == Root::Claims).map(|key| &key.path);
        let read = self.request.references().map(|(_, reference)| reference);
        let read = read.filter(|reference| reference.root == Root::Claims);
        read.map(|reference| &reference.path).chain(key).collect()
    }
}

fn read_by(expression: &Expression) -> Vec<&Path> {
    let read = expression.references().iter();
    let read = read.filter(|reference| reference.root == Root::Claims);
    read.map(|reference| &reference.path).collect()
}

/// An object type.
#[derive(Debug)]
pub struct ObjectType {
    /// Its fields by name.
    pub fields: IndexMap<Name, FieldType>,
    /// Whether callers without an identity are refused (`@authenticated` on the type or one of its interfaces).
    pub authenticated: bool,
}

/// One field of an object type.
#[derive(Debug)]
pub struct FieldType {
    /// Where the value comes from.
    pub source: Source,
    /// Whether callers without an identity are refused: `@authenticated` on the field, on that field
    /// of an interface, on the type that has the field, or on the type it returns; a type is guarded
    /// by its interfaces too.
    pub authenticated: bool,
}

/// Where a field's value comes from. A field has exactly one source.
#[derive(Debug, Clone)]
pub enum Source {
    /// A property of the parent's upstream object.
    Property(Path),
    /// A request of its own (`@rest`), and what becomes of its answer.
    Fetch(Arc<Endpoint>, Then),
    /// Another type's lookup (`@ref`).
    Lookup(Lookup),
    /// A CEL expression (`@computed`).
    Computed(Arc<Expression>),
}

/// What becomes of the answer of a field's own request.
#[derive(Debug, Clone)]
pub enum Then {
    /// It is the value.
    Value,
    /// It holds the key or keys of the value (`@rest` beside `@ref`).
    Lookup(Lookup),
    /// The value is computed from it (`@rest` beside `@computed`).
    Computed(Arc<Expression>),
}

/// What sets off the events of a subscription (specification section 6.2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceStream {
    /// The answer of the field's request is a stream of Server-Sent Events, and the data of each
    /// event of this type stands for the answer (`@events`).
    Events(Box<str>),
    /// The field is asked for again whenever so much time has passed (`@poll`).
    Poll(Duration),
}

/// A use of a type's lookup.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Where the key comes from: `this`, `args`, `claims` or `answer`.
    pub key: KeyPath,
    /// The type's lookup.
    pub endpoint: Arc<Endpoint>,
}

/// One request an upstream can be asked, declared by one `@rest`.
#[derive(Debug)]
pub struct Endpoint {
    /// Unique within the catalog: part of loader keys.
    pub id: EndpointId,
    /// The upstream's name: the stem of its file.
    pub upstream: Arc<str>,
    /// For logs and plans: `GET /orders?userId={keys}`.
    pub label: Box<str>,
    /// The request.
    pub request: RequestTemplate,
    /// Paths of the parent's object that the request reads, by slot.
    pub this: Vec<Path>,
    /// Where the value, or a batch's rows, lie in the answer.
    pub at: Path,
    /// How many parents share one request; `None`: one request each.
    pub batch: Option<Arc<Batch>>,
    /// What of a failed answer clients may read, and which 2xx answers have failed.
    pub error: ErrorRule,
    /// Its own timeout; else the upstream's.
    pub timeout: Option<Duration>,
    /// What 404 and 410 mean outside a batch.
    pub not_found: NotFound,
    /// How long its answers are kept and for whom; `None`: as the upstream says.
    pub cache: Option<CacheControl>,
}

/// How long answers are kept and for whom (`@cacheControl`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheControl {
    /// For so long they are fresh.
    pub max_age: Duration,
    /// Whether callers may share them.
    pub scope: CacheScope,
}

/// Whether callers may share what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// All callers may.
    Public,
    /// Each has their own.
    Private,
}

/// Identifies an endpoint within its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// How a batch's keys are gathered and its rows handed out.
#[derive(Debug)]
pub struct Batch {
    /// The parent's key. `None` on a type's lookup: `@ref` brings it.
    pub key: Option<KeyPath>,
    /// What of a row equals its key.
    pub by: By,
    /// The part of a row that is wanted.
    pub value: Path,
    /// Keep so many rows of each key: a path below `args`.
    pub first: Option<Path>,
    /// At most so many keys a request.
    pub max: usize,
}

/// What of a batch's answer tells which key a row belongs to.
#[derive(Debug)]
pub enum By {
    /// The answer is a list of rows, and this path of a row gives its key, or keys.
    Property(Path),
    /// The answer is an object whose property names are the keys (`by: "@key"`).
    Name,
}

/// What of a failed answer clients may read (`error: {if, message, code}`).
#[derive(Debug, Default, Clone)]
pub struct ErrorRule {
    /// A 2xx answer (or row of a batch) where this is there and not null, false or empty has failed too.
    pub when: Option<Path>,
    /// Where the message for clients lies.
    pub message: Option<Path>,
    /// Where the code for clients lies.
    pub code: Option<Path>,
}

impl ErrorRule {
    /// This rule, completed by a general one.
    #[must_use]
    pub fn or(self, general: &Self) -> Self {
        Self {
            when: self.when.or_else(|| general.when.clone()),
            message: self.message.or_else(|| general.message.clone()),
            code: self.code.or_else(|| general.code.clone()),
        }
    }
}

/// What holds for an upstream's endpoints where their directives do not say.
#[derive(Debug, Default, Clone)]
pub struct Defaults {
    /// How bodies are sent.
    pub body: BodyFormat,
    /// What of a failed answer clients may read.
    pub error: ErrorRule,
}

/// What 404 and 410 mean for a request that is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// Null, where the field is nullable.
    Null,
    /// The error `NOT_FOUND`.
    Error,
}

/// An interface or union.
#[derive(Debug)]
pub struct AbstractType {
    /// The property that tells the concrete type.
    pub discriminator: Path,
    /// What the property says for each concrete type.
    pub members: Vec<(Box<str>, Name)>,
}

/// An enum: names on both sides.
#[derive(Debug)]
pub struct EnumType {
    /// Name in the schema -> value on the wire.
    pub to_wire: IndexMap<Name, Box<str>>,
}
