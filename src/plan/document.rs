//! A document: parsed, measured and valid, with what each of its operations needs to run.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::{self, ExecutableDocument, FragmentMap};
use apollo_compiler::parser::{Parser, SourceSpan};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Node, ast};
use indexmap::IndexMap;

use super::conditions::{self, Mask};
use super::lines::Lines;
use super::variables::{self, VariableDefinition, Variables};
use super::{Location, OperationKind, introspect, lexical, size, validate};
use crate::failure::{Code, Failure};
use crate::schema::{Catalog, Incomplete, incomplete, with_signs};

/// What a document may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most lexical tokens.
    pub tokens: usize,
    /// Most brackets within each other, those of spread fragments and of inline fragments
    /// included. At most 128 whatever is set.
    pub nesting: usize,
    /// Most fields, of all operations together and with each spread of a fragment counted; also
    /// most fields of a plan, where each type that an abstract one can be counts its own.
    pub fields: usize,
}

/// A request that is at fault as a whole: its response has errors and no `data`
/// (specification section 7.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// What is wrong, as the client may read it.
    pub failure: Failure,
    /// Where in the document, as far as it is known.
    pub locations: Vec<Location>,
}

impl RequestError {
    /// An error of the request as a whole.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { failure: Failure::new(code, message), locations: Vec::new() }
    }

    /// The same error, at these places of the document.
    #[must_use]
    pub fn at(mut self, locations: Vec<Location>) -> Self {
        self.locations = locations;
        self
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.message)?;
        for Location { line, column } in &self.locations {
            write!(f, " ({line}:{column})")?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestError {}

/// A valid document.
#[derive(Debug)]
pub struct Document {
    valid: Valid<ExecutableDocument>,
    source: Source,
    operations: IndexMap<Option<Box<str>>, Facts>,
    limits: Limits,
    suggestions: bool,
}

/// The text that locations point into.
#[derive(Debug)]
pub(super) struct Source {
    text: Arc<str>,
    lines: Lines,
}

/// What is known of an operation before any request names it.
#[derive(Debug)]
struct Facts {
    node: Node<executable::Operation>,
    variables: Box<[VariableDefinition]>,
    conditions: Box<[u32]>,
    introspected: Box<[u32]>,
}

/// One operation of a document.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'d> {
    document: &'d Document,
    facts: &'d Facts,
}

impl Document {
    /// Parses and validates a document (specification sections 2 and 5). With `suggestions`, errors
    /// name what the client may have meant, and so the schema's names to those who may not
    /// introspect it.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` where it is over a limit, `GRAPHQL_PARSE_FAILED` for the first thing that
    /// is not GraphQL, `GRAPHQL_VALIDATION_FAILED` for each thing that the schema does not allow
    /// (one hundred at most).
    pub fn parse(
        catalog: &Catalog,
        text: &str,
        limits: &Limits,
        suggestions: bool,
    ) -> Result<Self, Vec<RequestError>> {
        lexical::check(text, limits).map_err(|refused| vec![refused])?;
        let source = Source { text: text.into(), lines: Lines::new(text) };
        let ast = parse(&source).map_err(|error| vec![error])?;
        let cycles = size::check(&ast, &source, limits)?;
        let valid = validate::validate(catalog, ast, cycles, &source, suggestions)?;
        let mut operations = IndexMap::new();
        for node in valid.operations.iter() {
            let name = node.name.as_ref().map(|name| name.as_str().into());
            let facts = Facts::of(catalog, &valid, &source, node).map_err(|error| vec![error])?;
            operations.insert(name, facts);
        }
        Ok(Self { valid, source, operations, limits: *limits, suggestions })
    }

    /// The operation that a request means (specification section 6.1, `GetOperation`).
    ///
    /// # Errors
    /// `OPERATION_RESOLUTION_FAILED`: there is no operation of that name; several, and none is
    /// named.
    pub fn operation(&self, name: Option<&str>) -> Result<Operation<'_>, RequestError> {
        let found = match name {
            Some(name) => self.operations.get(&Some(name.into())).ok_or_else(|| self.unknown(name)),
            None if self.operations.len() > 1 => Err(format!(
                "The document has {} operations; `operationName` must name one of them.",
                self.operations.len()
            )),
            None => {
                let only = self.operations.values().next();
                only.ok_or_else(|| "The document has no operation.".to_owned())
            }
        };
        let code = Code::OperationResolutionFailed;
        let facts = found.map_err(|message| RequestError::new(code, message))?;
        Ok(Operation { document: self, facts })
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.operations.keys().flatten().map(|name| &**name);
        match validate::nearest(name, names) {
            Some(near) => format!("No operation is named `{name}`; did you mean `{near}`?"),
            None => format!("No operation is named `{name}`."),
        }
    }

    /// The text it was parsed from.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.source.text
    }

    pub(super) fn fragments(&self) -> &FragmentMap {
        &self.valid.fragments
    }

    pub(super) fn valid(&self) -> &Valid<ExecutableDocument> {
        &self.valid
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn suggestions(&self) -> bool {
        self.suggestions
    }
}

impl Facts {
    fn of(
        catalog: &Catalog,
        document: &ExecutableDocument,
        source: &Source,
        node: &Node<executable::Operation>,
    ) -> Result<Self, RequestError> {
        let conditions = conditions::variables(document, node);
        Ok(Self {
            node: Node::clone(node),
            variables: variables::definitions(catalog, source, node)?,
            introspected: introspect::variables(document, node, &conditions),
            conditions,
        })
    }
}

impl<'d> Operation<'d> {
    /// The document it stands in.
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'d str> {
        self.facts.node.name.as_ref().map(|name| name.as_str())
    }

    /// Query, mutation or subscription.
    #[must_use]
    pub fn kind(self) -> OperationKind {
        match self.facts.node.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }

    /// The variables it declares, in the order of their declaration.
    #[must_use]
    pub fn variables(self) -> &'d [VariableDefinition] {
        &self.facts.variables
    }

    /// The variables that `@skip` and `@include` read, by index in [`Self::variables`].
    #[must_use]
    pub fn condition_variables(self) -> &'d [u32] {
        &self.facts.conditions
    }

    /// Where it stands.
    #[must_use]
    pub fn locations(self) -> Vec<Location> {
        self.document.source().locations([self.facts.node.location()])
    }

    /// Where `__schema` and `__type` stand in it.
    #[must_use]
    pub fn introspection_locations(self) -> Vec<Location> {
        let fields = introspect::fields(&self.document.valid, &self.facts.node);
        self.document.source().locations(fields.map(|field| field.location()))
    }

    /// The variables that its answers to `__schema` and `__type` may depend on, by index in
    /// [`Self::variables`].
    pub(super) fn introspected_variables(self) -> &'d [u32] {
        &self.facts.introspected
    }

    /// Whether its plans may be kept. Each further condition variable doubles the plans that a
    /// client can have made of one text.
    #[must_use]
    pub fn cacheable(self) -> bool {
        self.facts.conditions.len() <= 8
    }

    /// What the conditions of this request come to.
    #[must_use]
    pub fn mask(self, variables: &Variables) -> Mask {
        // Only `@defer` and `@stream` may be given a variable that is absent; theirs is then true.
        let decided = |index: &u32| variables.boolean(*index).unwrap_or(true);
        Mask::of(self.facts.conditions.iter().map(decided))
    }

    pub(super) fn node(self) -> &'d Node<executable::Operation> {
        &self.facts.node
    }
}

impl Source {
    /// The text itself.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The locations of what has any, each once.
    pub(super) fn locations(
        &self,
        spans: impl IntoIterator<Item = Option<SourceSpan>>,
    ) -> Vec<Location> {
        self.locations_at(spans.into_iter().flatten().map(|span| span.offset()))
    }

    /// Where these offsets are, each place once.
    pub(super) fn locations_at(&self, offsets: impl IntoIterator<Item = usize>) -> Vec<Location> {
        let mut locations = Vec::new();
        for offset in offsets {
            let location = self.lines.location(&self.text, offset);
            if !locations.contains(&location) {
                locations.push(location);
            }
        }
        locations
    }
}

/// Parses; of several syntax errors only the first, which the others mostly follow from.
fn parse(source: &Source) -> Result<ast::Document, RequestError> {
    let mut parser = Parser::new().recursion_limit(lexical::DEEPEST * 2);
    let parsed = parser.parse_ast(&*source.text, "document");
    let failed = |message: String| RequestError::new(Code::GraphqlParseFailed, message);
    match parsed {
        Ok(document) if document.definitions.is_empty() => {
            Err(failed("Syntax error: the document is empty.".to_owned()))
        }
        Ok(document) => match incomplete(&source.text).first() {
            Some(Incomplete { name, next, .. }) => {
                let message = format!("Syntax error: `{name}` has no value.");
                Err(failed(message).at(source.locations_at([*next])))
            }
            None => Ok(document),
        },
        Err(errors) => Err(match errors.errors.iter().next() {
            Some(first) => {
                let locations = source.locations([first.error.location()]);
                let message = with_signs(&first.error.to_string());
                failed(validate::sentence(&message)).at(locations)
            }
            None => failed("Syntax error.".to_owned()),
        }),
    }
}

/// A document may be shared between threads, as a cache does.
const _: fn() = || {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Arc<Document>>();
};
