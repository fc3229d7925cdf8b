//! Document -> valid operation -> immutable [`Plan`]: fetches, their order, and the projection of
//! each answer; coercion of variables; introspection. Pure: no I/O, no clock. A plan never holds a
//! variable's value, and running it never writes into it.

mod build;
mod coercion;
mod collect;
mod conditions;
mod delivery;
mod document;
mod explain;
mod input;
mod introspect;
mod lexical;
mod lines;
mod literals;
mod merging;
mod parts;
mod places;
mod portion;
mod roots;
mod selection;
mod size;
mod uses;
mod validate;
mod variables;
mod volume;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use crate::json::{Body, Path};
use crate::schema::{Endpoint, Scalar};
use crate::template::{Expression, KeyPath};

pub use build::{build, build_portion};
pub use conditions::Mask;
pub use document::{Document, Limits, Operation, RequestError};
pub use explain::{
    BatchExplanation, CacheExplanation, Calls, Explanation, FetchExplanation, TotalCalls, explain,
};
pub use introspect::{Introspection, IntrospectionKey, introspect};
pub use parts::{Brings, Part, PartId, Portion};
pub(crate) use selection::Lead;
pub use selection::Selection;
pub use variables::{VariableDefinition, Variables};

/// One operation, planned.
#[derive(Debug)]
pub struct Plan {
    /// Query, mutation or subscription.
    pub kind: OperationKind,
    /// The operation's name, if it has one.
    pub name: Option<Box<str>>,
    /// What sets off each execution of a subscription; `None`: the request does, once.
    pub stream: Option<Stream>,
    /// A query has one step, and so has each event of a subscription; a mutation has one for each
    /// root field, run in turn.
    pub steps: Vec<Step>,
    /// Every fetch, parents before children; [`FetchId`] is the index.
    pub fetches: Vec<Fetch>,
    /// Argument sets of fetches and computed fields; [`ArgsId`] is the index.
    pub args: Vec<Args>,
    /// The parts of the operation that may come later, by [`PartId`]; none in a plan of the whole.
    pub parts: Vec<Part>,
    /// Whether `__schema` or `__type` is asked for.
    pub introspects: bool,
    /// How many fields it selects, each concrete type of an abstract one counted.
    pub fields: usize,
}

/// What kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// A query.
    Query,
    /// A mutation: root fields run one after the other.
    Mutation,
    /// A subscription: its one root field runs for each event.
    Subscription,
}

/// What sets off the executions of a subscription (specification section 6.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// Server-Sent Events of this type: the data of each stands for the answer of this fetch.
    Events(FetchId, Box<str>),
    /// The time from one execution to the next.
    Poll(Duration),
}

/// A part of a plan that runs by itself, with loaders of its own.
#[derive(Debug)]
pub struct Step {
    /// The root fields, projected from an empty object.
    pub selection: Arc<Selection>,
}

/// Index of a fetch in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchId(pub u32);

/// Index of an argument set in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArgsId(pub u32);

/// One kind of request that a plan makes, for all parents that need it.
#[derive(Debug)]
pub struct Fetch {
    /// The fetch in whose answers the parents lie; `None`: the root.
    pub parent: Option<FetchId>,
    /// Type and field in the schema, `User.orders`, for logs and plans.
    pub coordinate: Box<str>,
    /// Response keys from the root, for plans.
    pub path: Box<str>,
    /// What is asked.
    pub endpoint: Arc<Endpoint>,
    /// The key that tells one parent's value from another's; `None`: the whole request does. Of
    /// `this` and `answer` the hole captures the first part of [`KeyPath::split`]; the second is read
    /// of that.
    pub key: Option<KeyPath>,
    /// The field's arguments.
    pub args: ArgsId,
    /// What the value must be and what is wanted of it. Its own nullability is each [`Hole`]'s.
    pub shape: Shape,
    /// The list is this part's (`@stream`): only its first items are wanted. `None`: all are.
    pub first_of: Option<PartId>,
}

/// What a value must look like, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Whether null may stand here.
    pub nullable: bool,
    /// The kind of value.
    pub kind: Kind,
}

/// The kind of a value.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A scalar or enum.
    Leaf(Leaf),
    /// A list.
    List(Box<Shape>),
    /// An object of this very type.
    Object(Arc<Selection>),
    /// An object of one of several types.
    Abstract(Arc<Cases>),
    /// Not the value itself, but what leads to it (`@rest` beside `@ref`): the hole's captures are
    /// read from the answer.
    Through(Arc<Through>),
    /// The value is computed from the answer (`@rest` beside `@computed`).
    Computed(Arc<Computed>, Box<Shape>),
}

/// Result coercion of a leaf (specification section 3.5, 3.9).
#[derive(Debug, Clone)]
pub enum Leaf {
    /// 32-bit integer.
    Int,
    /// Finite number.
    Float,
    /// String.
    String,
    /// Boolean.
    Boolean,
    /// String or integer, sent as a string.
    Id,
    /// One of the wire values, sent under its schema name: (JSON string on the wire, unescaped; schema name).
    Enum(Arc<[(Box<str>, Box<str>)]>),
    /// A custom scalar, byte for byte: any JSON, or what its known specification allows.
    Custom(Scalar),
}

/// One response key of a selection.
#[derive(Debug)]
pub struct Field {
    /// The response key.
    pub key: Box<str>,
    /// `"key":`, escaped.
    pub key_json: Box<[u8]>,
    /// Where the document asks for it, for errors.
    pub locations: Box<[Location]>,
    /// Whether callers without an identity are refused it.
    pub authenticated: bool,
    /// Arguments of a property: nothing reads them, but the field fails if they cannot be had.
    pub args: Option<ArgsId>,
    /// Where its value comes from.
    pub value: FieldValue,
    /// Whether null may stand here.
    pub nullable: bool,
}

/// Line and column in the document, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Where a field's value comes from.
#[derive(Debug)]
pub enum FieldValue {
    /// `__typename`.
    Typename,
    /// `__schema` or `__type`: JSON prepared before the projection, found by response key.
    Introspection,
    /// A property of the object.
    Property(Path, Shape),
    /// A computed value.
    Computed(Arc<Computed>, Shape),
    /// A value that a fetch brings.
    Hole(Hole),
    /// A list of which a fetch brings the first items only, since the others are a part's; `[]` if
    /// none come at first.
    Streamed(Hole, PartId),
}

impl FieldValue {
    /// The place that a fetch fills, if one does.
    #[must_use]
    pub fn hole(&self) -> Option<&Hole> {
        match self {
            Self::Hole(hole) | Self::Streamed(hole, _) => Some(hole),
            Self::Typename | Self::Introspection | Self::Property(..) | Self::Computed(..) => None,
        }
    }
}

/// A place that a fetch fills.
#[derive(Debug, Clone)]
pub struct Hole {
    /// The fetch.
    pub fetch: FetchId,
    /// For each slot of the endpoint's `this`, then for the fetch's key if it reads `this` or
    /// `answer`, then for each slot of an expression beside the request: the capture of the
    /// selection around.
    pub slots: Box<[u32]>,
    /// Whether null may stand here.
    pub nullable: bool,
    /// `Some`: the key is a list of keys and the value a list with one value a key (`@ref` on a
    /// list field); whether an item may be null.
    pub list: Option<ItemNullable>,
}

/// Whether an item of a list may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemNullable(pub bool);

/// A hole in the place of a whole answer.
#[derive(Debug)]
pub struct Through {
    /// What is read of the answer.
    pub captures: Vec<Path>,
    /// The place to fill.
    pub hole: Hole,
}

/// A computed value.
#[derive(Debug)]
pub struct Computed {
    /// Type and field in the schema, `Order.displayTotal`, for logs.
    pub coordinate: Box<str>,
    /// The expression.
    pub expression: Arc<Expression>,
    /// The field's arguments.
    pub args: ArgsId,
    /// For each slot of the expression's `this`: the capture of the selection around; of the
    /// selection around the request, if the expression stands beside one.
    pub slots: Box<[u32]>,
}

/// Concrete types of an abstract one.
#[derive(Debug)]
pub struct Cases {
    /// The abstract type's name, for errors in the log.
    pub type_name: Box<str>,
    /// The property that tells.
    pub discriminator: Path,
    /// What it says, and the selection for that type.
    pub cases: Vec<(Box<str>, Arc<Selection>)>,
}

/// The arguments of one field: literal parts prepared, variables by name.
#[derive(Debug)]
pub struct Args {
    /// Argument name and value, in the order of the schema.
    values: Vec<(Box<str>, Input)>,
    /// The rendered object, where no variable stands in it.
    ready: Option<Body>,
}

/// An argument's value as the document gives it, in the wire's names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// JSON text, ready.
    Literal(Box<[u8]>),
    /// A variable, by its index in the operation's variables.
    Variable {
        /// The index.
        index: u32,
        /// What stands here where the variable is absent; `None`: nothing.
        default: Option<Box<[u8]>>,
        /// Whether null may stand here.
        nullable: bool,
    },
    /// A list; absent items are null.
    List(Vec<Input>),
    /// An input object; absent members are absent.
    Object(Vec<(Box<str>, Input)>),
}

impl Plan {
    /// A fetch of this plan.
    #[must_use]
    pub fn fetch(&self, id: FetchId) -> &Fetch {
        &self.fetches[id.0 as usize]
    }
}

impl Fetch {
    /// Whether a key's value is made of all its rows, not of the first.
    #[must_use]
    pub fn takes_all_rows(&self) -> bool {
        match &self.shape.kind {
            Kind::List(_) => true,
            Kind::Through(through) => through.hole.list.is_some(),
            Kind::Computed(_, shape) => matches!(shape.kind, Kind::List(_)),
            Kind::Leaf(_) | Kind::Object(_) | Kind::Abstract(_) => false,
        }
    }

    /// How many values of the parent an expression beside the request reads.
    #[must_use]
    pub fn computed_slots(&self) -> usize {
        match &self.shape.kind {
            Kind::Computed(computed, _) => computed.slots.len(),
            _ => 0,
        }
    }
}
