//! The oracle: apollo-compiler's own executor over the document, with resolvers that make one call
//! for each parent and key, over trees of `serde_json`. It shares nothing with the gateway but the
//! text of the schema's types.

use std::cell::RefCell;
use std::rc::Rc;

use apollo_compiler::ast::Type;
use apollo_compiler::resolvers::{
    Execution, ExecutionError, ObjectValue, ResolveInfo, ResolvedValue,
};
use apollo_compiler::response::{ExecutionResponse, JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value};

use crate::json;
use crate::server::{Answer, Asked, State};
use crate::sources::{is_guarded, property, schema_name, wire};
use crate::types::Types;
use crate::world::World;

/// One execution of the oracle.
pub(crate) struct Naive<'w> {
    pub(crate) world: &'w World,
    pub(crate) types: &'w Types,
    pub(crate) claims: Option<&'w Value>,
    /// Every field may be null, so that nothing is left out because of a failure beside it.
    pub(crate) relaxed: bool,
    state: RefCell<State>,
    /// For each call, for which response keys it was made.
    places: RefCell<Vec<String>>,
    place: RefCell<String>,
    failures: RefCell<Vec<Failure>>,
}

/// What comes of an execution.
pub(crate) struct Outcome {
    pub(crate) response: ExecutionResponse,
    pub(crate) state: State,
    pub(crate) places: Vec<String>,
    /// Every failure, in the order of the response; only of a relaxed execution.
    pub(crate) failures: Vec<Failure>,
}

/// Why a value cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fail {
    pub(crate) code: String,
    /// Where the schema lets clients read the upstream's own.
    pub(crate) message: Option<String>,
    /// Service and status, where they are told.
    pub(crate) upstream: Option<(&'static str, Option<u16>)>,
}

/// A failure and its place.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) fail: Fail,
    pub(crate) path: Vec<Value>,
    /// For each step of the path: whether null may stand there.
    pub(crate) nullable: Vec<bool>,
    /// For each step of the path: whether a request of its own brings it.
    pub(crate) fetched: Vec<bool>,
}

/// What a source gives.
pub(crate) enum Got {
    Null,
    /// There is no such thing.
    Missing,
    Value(Value),
    /// One value for each of several keys.
    Each(Vec<Result<Got, Fail>>),
}

/// Where a value stands.
struct Trail {
    around: Option<Rc<Trail>>,
    step: Value,
    nullable: bool,
    fetched: bool,
}

/// An object with its concrete type.
pub(crate) struct Object<'w> {
    pub(crate) naive: &'w Naive<'w>,
    pub(crate) type_name: String,
    pub(crate) value: Value,
    trail: Option<Rc<Trail>>,
}

impl Fail {
    pub(crate) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), message: None, upstream: None }
    }

    pub(crate) fn of(code: &str, service: &'static str, status: Option<u16>) -> Self {
        Self { upstream: Some((service, status)), ..Self::new(code) }
    }

    /// An answer that is not what the schema declares.
    pub(crate) fn bad() -> Self {
        Self::new("UPSTREAM_BAD_ANSWER")
    }
}

impl<'w> Naive<'w> {
    pub(crate) fn new(world: &'w World, types: &'w Types, claims: Option<&'w Value>) -> Self {
        Self {
            world,
            types,
            claims,
            relaxed: false,
            state: RefCell::default(),
            places: RefCell::default(),
            place: RefCell::default(),
            failures: RefCell::default(),
        }
    }

    /// The same where every field may be null.
    pub(crate) fn relaxed(self) -> Self {
        Self { relaxed: true, ..self }
    }

    /// The schema its document must be of.
    pub(crate) fn schema(&self) -> &'w Valid<Schema> {
        if self.relaxed { &self.types.relaxed } else { &self.types.strict }
    }

    /// Executes the document's only operation. `None`: the variables are refused.
    pub(crate) fn execute(
        self,
        document: &Valid<ExecutableDocument>,
        variables: &JsonMap,
    ) -> Option<Outcome> {
        let operation = document.operations.get(None).ok()?;
        let root = Object {
            naive: &self,
            type_name: operation.object_type().to_string(),
            value: Value::Object(Map::new()),
            trail: None,
        };
        let execution = Execution::new(self.schema(), document).raw_variable_values(variables);
        let response = execution.execute_sync(&root).ok()?;
        let (state, places) = (self.state.take(), self.places.take());
        Some(Outcome { response, state, places, failures: self.failures.take() })
    }

    pub(crate) fn call(&self, asked: Asked<'_>) -> Answer {
        self.places.borrow_mut().push(self.place.borrow().clone());
        self.world.answer(&mut self.state.borrow_mut(), asked)
    }

    fn fail(&self, fail: &Fail, trail: &Rc<Trail>) -> ExecutionError {
        if self.relaxed {
            let mut failure =
                Failure { fail: fail.clone(), path: vec![], nullable: vec![], fetched: vec![] };
            let mut next = Some(trail);
            while let Some(Trail { around, step, nullable, fetched }) = next.map(|trail| &**trail) {
                failure.path.insert(0, step.clone());
                failure.nullable.insert(0, *nullable);
                failure.fetched.insert(0, *fetched);
                next = around.as_ref();
            }
            self.failures.borrow_mut().push(failure);
        }
        ExecutionError { message: encode(fail) }
    }

    /// The value of a type, its own check made before apollo makes its.
    fn complete(
        &'w self,
        ty: &'w Type,
        got: Result<Got, Fail>,
        trail: &Rc<Trail>,
    ) -> Result<ResolvedValue<'w>, ExecutionError> {
        let absent = |fail: Fail| match ty.is_non_null() {
            true => Err(self.fail(&fail, trail)),
            false => Ok(ResolvedValue::null()),
        };
        let item = |index: usize, ty: &Type, fetched: bool| {
            let (around, nullable) = (Some(Rc::clone(trail)), !ty.is_non_null());
            Rc::new(Trail { around, step: index.into(), nullable, fetched })
        };
        match (got, ty) {
            (Err(fail), _) => Err(self.fail(&fail, trail)),
            (Ok(Got::Missing), _) => absent(Fail::new("NOT_FOUND")),
            (Ok(Got::Null | Got::Value(Value::Null)), _) => absent(Fail::bad()),
            (Ok(Got::Each(items)), Type::List(inner) | Type::NonNullList(inner)) => {
                let trails: Vec<_> = (0..items.len()).map(|at| item(at, inner, true)).collect();
                let items = items.into_iter().zip(trails);
                let items = items.map(|(got, trail)| self.complete(inner, got, &trail));
                Ok(ResolvedValue::List(Box::new(items)))
            }
            (Ok(Got::Value(Value::Array(items))), Type::List(inner) | Type::NonNullList(inner)) => {
                let trails: Vec<_> = (0..items.len()).map(|at| item(at, inner, false)).collect();
                let items = items.into_iter().zip(trails);
                let items =
                    items.map(|(value, trail)| self.complete(inner, Ok(Got::Value(value)), &trail));
                Ok(ResolvedValue::List(Box::new(items)))
            }
            (Ok(Got::Value(value)), Type::Named(name) | Type::NonNullNamed(name)) => {
                self.named(name, value, trail).map_err(|fail| self.fail(&fail, trail))
            }
            (Ok(_), _) => Err(self.fail(&Fail::bad(), trail)),
        }
    }

    fn named(
        &'w self,
        name: &str,
        value: Value,
        trail: &Rc<Trail>,
    ) -> Result<ResolvedValue<'w>, Fail> {
        if !self.types.is_composite(name) {
            return leaf(name, value).map(|leaf| ResolvedValue::leaf(JsonValue::from(leaf)));
        }
        if !value.is_object() {
            return Err(Fail::bad());
        }
        let type_name = match self.types.discriminator(name) {
            None => name.to_owned(),
            Some(property) => {
                let told = json::at(&value, property).and_then(json::text);
                let told = told.and_then(|told| self.types.concrete(name, &told));
                told.ok_or_else(Fail::bad)?
            }
        };
        let trail = Some(Rc::clone(trail));
        Ok(ResolvedValue::object(Object { naive: self, type_name, value, trail }))
    }
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, ExecutionError> {
        let (naive, field) = (self.naive, info.field_name());
        let definition = naive.types.strict.type_field(&self.type_name, field);
        let definition = definition.expect("a field of the schema");
        let ty = &definition.ty;
        let step = Value::from(info.field_selections()[0].response_name().as_str());
        let trail = |fetched| {
            let (around, nullable) = (self.trail.clone(), !ty.is_non_null());
            Rc::new(Trail { around, step: step.clone(), nullable, fetched })
        };
        if is_guarded(&self.type_name, field) && naive.claims.is_none() {
            return Err(naive.fail(&Fail::new("UNAUTHENTICATED"), &trail(false)));
        }
        let mut args = Map::new();
        for argument in &definition.arguments {
            if let Some(value) = info.arguments().get(argument.name.as_str()) {
                let value = wire(argument.ty.inner_named_type(), tree(value));
                args.insert(argument.name.to_string(), value);
            }
        }
        *naive.place.borrow_mut() = self.place(&step);
        if let Some(got) = self.fetched(field, &args) {
            return naive.complete(ty, got, &trail(true));
        }
        let got = match self.computed(field, &args) {
            Some(computed) => computed.map(Got::Value),
            None => self.own(property(&self.type_name, field)),
        };
        naive.complete(ty, got, &trail(false))
    }
}

impl Object<'_> {
    /// A property of the object.
    fn own(&self, path: &str) -> Result<Got, Fail> {
        if !path.contains("[*]") {
            let found = json::at(&self.value, path);
            return Ok(found.map_or(Got::Null, |found| Got::Value(found.clone())));
        }
        match json::each(&self.value, path) {
            json::Each::Nothing => Ok(Got::Null),
            json::Each::Wrong => Err(Fail::bad()),
            json::Each::Items(items) => {
                Ok(Got::Value(Value::Array(items.into_iter().cloned().collect())))
            }
        }
    }

    /// The response keys down to a field, without indices.
    fn place(&self, step: &Value) -> String {
        let mut keys = vec![step.as_str().unwrap_or_default()];
        let mut next = self.trail.as_ref();
        while let Some(trail) = next {
            keys.extend(trail.step.as_str());
            next = trail.around.as_ref();
        }
        keys.reverse();
        keys.join(".")
    }
}

/// The value of a scalar or enum as clients get it.
fn leaf(name: &str, value: Value) -> Result<Value, Fail> {
    let token = match &value {
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match (name, &value, token.as_deref()) {
        ("Json", _, _) | ("String", Value::String(_), _) | ("ID", Value::String(_), _) => Ok(value),
        ("Boolean", Value::Bool(_), _) => Ok(value),
        // An integer within 32 bits; a fraction of zeros does not count, an exponent does.
        ("Int", _, Some(token)) => {
            let digits = whole(token).ok_or_else(Fail::bad)?;
            let number: i32 = digits.parse().map_err(|_| Fail::bad())?;
            Ok(number.into())
        }
        ("ID", _, Some(token)) => whole(token).map(Value::from).ok_or_else(Fail::bad),
        (Types::FLOAT, _, Some(token)) => match token.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(value),
            _ => Err(Fail::bad()),
        },
        ("Role" | "Status", Value::String(said), _) => {
            schema_name(name, said).map(Value::from).ok_or_else(Fail::bad)
        }
        _ => Err(Fail::bad()),
    }
}

/// The digits of a number without a fraction and an exponent.
fn whole(token: &str) -> Option<String> {
    let (integer, fraction) = token.split_once('.').unwrap_or((token, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !plain(integer) || fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Some(if integer == "-0" { "0".to_owned() } else { integer.to_owned() })
}

/// A value of apollo's as one of `serde_json`.
pub(crate) fn tree(value: &JsonValue) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(yes) => Value::Bool(*yes),
        JsonValue::Number(number) => Value::Number(number.clone()),
        JsonValue::String(text) => Value::String(text.as_str().to_owned()),
        JsonValue::Array(items) => items.iter().map(tree).collect(),
        JsonValue::Object(members) => {
            let member = |(name, value): (&_, &JsonValue)| {
                let name: &serde_json_bytes::ByteString = name;
                (name.as_str().to_owned(), tree(value))
            };
            Value::Object(members.iter().map(member).collect())
        }
    }
}

/// A failure within the one text that apollo's errors have.
fn encode(fail: &Fail) -> String {
    let (service, status) = fail.upstream.unzip();
    serde_json::json!([fail.code, fail.message, service, status.flatten()]).to_string()
}

/// The failure in the text of one of apollo's errors. What it finds by itself is an argument whose
/// variable is null.
pub(crate) fn decode(message: &str) -> Fail {
    let Some(text) = message.strip_prefix("resolver error: ") else {
        assert!(message.starts_with("null "), "apollo reports what no resolver did: {message}");
        return Fail::new("BAD_USER_INPUT");
    };
    let [code, message, service, status]: [Value; 4] =
        serde_json::from_str(text).expect("a failure's text");
    let service = ["users", "orders", "shop", "pay"]
        .into_iter()
        .find(|known| service.as_str() == Some(known));
    Fail {
        code: code.as_str().expect("a code").to_owned(),
        message: message.as_str().map(str::to_owned),
        upstream: service.map(|service| (service, status.as_u64().map(|status| status as u16))),
    }
}
