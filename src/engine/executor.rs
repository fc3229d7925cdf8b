//! The engine as an `async_graphql::Executor`, for programs that mount it on async-graphql's own
//! transports.
//!
//! Those differ from `door`: async-graphql takes the HTTP request apart itself, its responses carry
//! `data: null` where a request error has no `data`, and answers are read into its value tree. Who
//! asks is a [`Context`] in the request's data; without one it is an anonymous caller.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::{Name, PathSegment, Pos, ServerError, Value};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::Instant;

use super::{Context, Engine, Explain, Request};
use crate::failure::Code;
use crate::json::{Body, Kind, RawString, Value as JsonValue};

/// A shared [`Engine`] that async-graphql can execute requests with.
#[derive(Clone)]
pub struct Executor(Arc<Engine>);

impl Executor {
    /// Executes with this engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }

    /// Asks the engine so, or says why it cannot be asked.
    fn asked(
        mut request: async_graphql::Request,
        deadline: Instant,
    ) -> Result<Asked, Box<async_graphql::Response>> {
        let Some(variables) = variables(std::mem::take(&mut request.variables)) else {
            let message = "The variables cannot be written as JSON.";
            let refused = async_graphql::Response::from_errors(vec![refused(message)]);
            return Err(Box::new(refused));
        };
        let context = request.data.get(&TypeId::of::<Context>());
        let context = context.and_then(|context| context.downcast_ref::<Context>()).cloned();
        let context = context.unwrap_or_else(|| Context::anonymous(deadline));
        Ok(Asked { request, variables, context })
    }
}

/// What async-graphql asks, as the engine has it.
struct Asked {
    request: async_graphql::Request,
    variables: Body,
    context: Context,
}

impl Asked {
    fn request(&self) -> Request<'_> {
        Request {
            query: &self.request.query,
            operation_name: self.request.operation_name.as_deref(),
            variables: Some(self.variables.root()),
            only_queries: false,
            explain: Explain::default(),
        }
    }
}

impl async_graphql::Executor for Executor {
    async fn execute(&self, request: async_graphql::Request) -> async_graphql::Response {
        match Self::asked(request, self.0.deadline()) {
            Ok(asked) => read(self.0.execute(asked.request(), &asked.context).await),
            Err(refused) => *refused,
        }
    }

    fn execute_stream(
        &self,
        request: async_graphql::Request,
        session_data: Option<Arc<async_graphql::Data>>,
    ) -> BoxStream<'static, async_graphql::Response> {
        let mut asked = match Self::asked(request, self.0.deadline()) {
            Ok(asked) => asked,
            Err(refused) => return stream::iter([*refused]).boxed(),
        };
        // A socket says once who asks, for all that it will ask.
        let session = session_data.as_ref().and_then(|data| data.get(&TypeId::of::<Context>()));
        if let Some(context) = session.and_then(|context| context.downcast_ref::<Context>())
            && !asked.request.data.contains_key(&TypeId::of::<Context>())
        {
            asked.context = Context { deadline: self.0.deadline(), ..context.clone() };
        }
        let engine = Arc::clone(&self.0);
        engine.stream(asked.request(), asked.context.clone()).map(read).boxed()
    }
}

/// The name by which serde_json hands a number's digits to types that are not its own.
const DIGITS: &str = "$serde_json::private::Number";

/// Variables as JSON; `None`: they nest deeper than a body may.
fn variables(mut variables: async_graphql::Variables) -> Option<Body> {
    variables.values_mut().for_each(mend_numbers);
    Body::parse(serde_json::to_vec(&variables).ok()?.into()).ok()
}

/// Makes numbers of what was a number in the request. serde_json keeps all digits here, and so
/// gives them to async-graphql's values as an object of one member.
fn mend_numbers(value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(mend_numbers),
        Value::Object(members) => {
            let digits = match members.get(DIGITS) {
                Some(Value::String(digits)) if members.len() == 1 => digits.parse().ok(),
                _ => None,
            };
            match digits {
                Some(number) => *value = Value::Number(number),
                None => members.values_mut().for_each(mend_numbers),
            }
        }
        _ => {}
    }
}

fn refused(message: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", Code::BadUserInput.as_str());
    error.extensions = Some(extensions);
    error
}

/// A response as async-graphql's type.
fn read(response: super::Response) -> async_graphql::Response {
    let super::Response { body, headers, .. } = response;
    let mut response = async_graphql::Response::default();
    let Ok(body) = Body::parse(body.into()) else {
        response.errors.push(ServerError::new("The gateway's answer is broken.", None));
        return response;
    };
    response.data = body.root().get("data").map(value).unwrap_or_default();
    let errors = body.root().get("errors").into_iter().flat_map(JsonValue::items);
    response.errors = errors.map(server_error).collect();
    response.http_headers(headers)
}

fn server_error(error: JsonValue<'_>) -> ServerError {
    let list = |name| error.get(name).into_iter().flat_map(JsonValue::items);
    let message = error.get("message").and_then(JsonValue::as_str).unwrap_or_default();
    let mut read = ServerError::new(message, None);
    for location in list("locations") {
        let place = |name| location.get(name).map(number).unwrap_or_default();
        read.locations.push(Pos { line: place("line"), column: place("column") });
    }
    read.path.extend(list("path").map(|step| match step.as_str() {
        Some(key) => PathSegment::Field(key.into_owned()),
        None => PathSegment::Index(number(step)),
    }));
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    for (name, member) in error.get("extensions").into_iter().flat_map(JsonValue::members) {
        extensions.set(name.unescape(), value(member));
    }
    read.extensions = Some(extensions);
    read
}

fn number(value: JsonValue<'_>) -> usize {
    value.as_number().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// A JSON value as async-graphql's. Bodies nest 128 deep at most.
fn value(json: JsonValue<'_>) -> Value {
    match json.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Boolean(json.as_bool() == Some(true)),
        Kind::Number => {
            let number = json.as_number().and_then(|number| number.parse().ok());
            number.map_or(Value::Null, Value::Number)
        }
        Kind::String => Value::String(json.as_str().unwrap_or_default().into_owned()),
        Kind::Array => Value::List(json.items().map(value).collect()),
        Kind::Object => {
            let member =
                |(name, member): (RawString<'_>, _)| (Name::new(name.unescape()), value(member));
            Value::Object(json.members().map(member).collect())
        }
    }
}
