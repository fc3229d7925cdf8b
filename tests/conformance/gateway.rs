//! A gateway for plain SDL: each root field is fetched from one service within the process.

use std::sync::{Arc, Mutex};

use apollo_compiler::ast::{Argument, Definition, Directive, FieldDefinition, Value as Literal};
use apollo_compiler::{Name, Node, ast};
use http::StatusCode;
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Engine, Explain, Request};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::json::Body;
use onedoor::plan::{Document, Limits, RequestError};
use onedoor::upstream::{InMemory, Reply};
use serde_json::{Map, Value};

use crate::cases::Case;

/// Root fields of this type answer their arguments.
const ARGUMENTS: &str = "Arguments";

/// A gateway over one schema.
pub(crate) struct Ours {
    engine: Arc<Engine>,
    runtime: tokio::runtime::Runtime,
    /// The data of the present case.
    root: Arc<Mutex<Map<String, Value>>>,
}

impl Ours {
    pub(crate) fn new(sdl: &str) -> Self {
        let settings = [
            (
                "onedoor.toml".to_owned(),
                "[graphql]\nauth = \"optional\"\nintrospection = \"on\"\n".to_owned(),
            ),
            ("upstreams/root.toml".to_owned(), "url = \"http://127.0.0.1:1\"\n".to_owned()),
        ];
        let schema = [("schema/case.graphql".to_owned(), mapped(sdl))];
        let (project, problems) = Project::from_texts(settings, schema, &FixedEnv::new());
        let told = || problems.iter().map(|it| format!("{it:?}\n")).collect::<String>();
        let project = project.unwrap_or_else(|| panic!("{}", told()));
        let root: Arc<Mutex<Map<String, Value>>> = Arc::default();
        let service = Arc::clone(&root);
        let gateway = Gateway::over(project, Mode::Serve, Clock::machine(), |_| {
            let root = Arc::clone(&service);
            Some(Arc::new(InMemory::new(move |request, _| {
                let root = root.lock().expect("no case panics");
                Ok(answer(&root, &request.path_and_query, request.body.as_deref()))
            })))
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { engine: gateway.engine, runtime, root }
    }

    /// What the gateway says of a document that is not executed.
    pub(crate) fn validate(
        &self,
        case: &Case,
        suggestions: bool,
    ) -> Result<Document, Vec<RequestError>> {
        let limits = Limits { tokens: 5_000, nesting: 40, fields: 2_000 };
        Document::parse(self.engine.catalog(), case.document(), &limits, suggestions)
    }

    /// The gateway's response over this data.
    pub(crate) fn execute(&self, case: &Case, root: Map<String, Value>) -> Value {
        *self.root.lock().expect("no case panics") = root;
        let variables = Body::parse(case.variables().to_owned().into()).expect("JSON");
        let request = Request {
            query: case.document(),
            operation_name: case.operation(),
            variables: Some(variables.root()),
            only_queries: false,
            incremental: None,
            explain: Explain::default(),
        };
        let context = Context::anonymous(self.engine.deadline());
        let response = self.runtime.block_on(self.engine.execute(request, &context));
        serde_json::from_slice(&response.body).expect("a response is JSON")
    }
}

/// What the service answers at `/field`, or `/field/arguments`.
fn answer(root: &Map<String, Value>, target: &str, body: Option<&[u8]>) -> Reply {
    let mut segments = target.trim_start_matches('/').split('/');
    let field = segments.next().unwrap_or_default();
    let value = if segments.next().is_some() {
        sorted(serde_json::from_slice(body.unwrap_or(b"{}")).expect("the gateway sends JSON"))
    } else {
        root.get(field).cloned().unwrap_or_default()
    };
    if value["fail"] == true {
        return Reply::json(StatusCode::INTERNAL_SERVER_ERROR, "{}");
    }
    Reply::json(StatusCode::OK, value.to_string())
}

/// Arguments are an unordered map; here they are ordered by name.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            members.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        leaf => leaf,
    }
}

/// Plain SDL with a request for each root field; what subscriptions tell of is asked for in turn.
fn mapped(sdl: &str) -> String {
    let mut document = ast::Document::parse(sdl, "case.graphql").expect("SDL");
    for definition in &mut document.definitions {
        match definition {
            Definition::ObjectTypeDefinition(object)
                if matches!(&*object.name, "Query" | "Mutation" | "Subscription") =>
            {
                let method = if object.name == "Mutation" { "POST" } else { "GET" };
                let polled = object.name == "Subscription";
                for field in &mut object.make_mut().fields {
                    let rest = rest(field, method);
                    field.make_mut().directives.push(rest);
                    if polled {
                        let every = ("every", Literal::String("1s".to_owned()));
                        field.make_mut().directives.push(directive("poll", vec![every]));
                    }
                }
            }
            Definition::InterfaceTypeDefinition(interface) => {
                interface.make_mut().directives.push(discriminator());
            }
            Definition::UnionTypeDefinition(union) => {
                union.make_mut().directives.push(discriminator());
            }
            _ => {}
        }
    }
    document.to_string()
}

fn rest(field: &FieldDefinition, method: &str) -> Node<Directive> {
    let mut path = format!("/{}", field.name);
    let mut arguments = vec![("upstream", Literal::String("root".to_owned()))];
    let mut method = method;
    if *field.ty.inner_named_type() == ARGUMENTS {
        path.push_str("/arguments");
        arguments.push(("body", Literal::String("{args}".to_owned())));
        method = "POST";
    }
    arguments.push(("path", Literal::String(path)));
    arguments.push(("method", Literal::Enum(name(method))));
    directive("rest", arguments)
}

fn discriminator() -> Node<Directive> {
    directive("discriminator", vec![("property", Literal::String("__typename".to_owned()))])
}

fn directive(called: &str, arguments: Vec<(&str, Literal)>) -> Node<Directive> {
    let argument = |(called, value): (&str, Literal)| {
        Node::new(Argument { name: name(called), value: Node::new(value) })
    };
    let arguments = arguments.into_iter().map(argument).collect();
    Node::new(Directive { name: name(called), arguments })
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}
