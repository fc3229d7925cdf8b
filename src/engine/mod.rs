//! Text to response bytes: document and plan caches, limits, fetch, projection.
//!
//! It knows no HTTP. `door` and embedders hand it a request and an identity, and get bytes.

mod executor;
mod explain;
mod incremental;
mod pieces;
mod places;
mod ran;
mod response;
mod sent;
mod subscription;

use std::sync::Arc;

use http::HeaderMap;
use tokio::time::Instant;

use crate::cache::{Bounded, Clock, Tally};
use crate::failure::{Code, Failure};
use crate::fetch::{self, Event, Feeds, Kept, Returned, Run, Services, Steps, Trace, Wire};
use crate::identity::{ClientHeaders, Identity, Permission};
use crate::json::{Body, Value};
use crate::limits::{self, Limits, UpstreamCalls};
use crate::observe::{CallLog, RequestId, TraceContext};
use crate::plan::{
    self, Document, Introspection, IntrospectionKey, Mask, OperationKind, Plan, Portion,
    RequestError, Variables,
};
use crate::projection::Inputs;
use crate::schema::Catalog;

pub use self::executor::Executor;
pub use self::explain::Explain;
use self::explain::{Telling, Told};

/// The gateway's engine: a schema, the services behind it, and what it has planned before.
pub struct Engine {
    catalog: Catalog,
    services: Services,
    settings: EngineSettings,
    documents: Bounded<Arc<str>, Arc<Document>>,
    plans: Bounded<PlanKey, Arc<Plan>>,
    introspections: Bounded<IntrospectionKey, Arc<Introspection>>,
    kept: Arc<Kept>,
    feeds: Feeds,
}

/// What an engine may do and how much.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// What one request may cost.
    pub limits: Limits,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether errors suggest the names that were meant.
    pub suggestions: bool,
    /// Who is told a request's plan and its upstream calls on asking.
    pub trace: Permission,
    /// The memory for upstreams' answers that are kept while they are fresh, in bytes.
    pub answers: usize,
    /// What freshness is measured by.
    pub clock: Clock,
}

/// What a validated document takes in memory, in bytes for each byte of its text, about.
const DOCUMENT_WEIGHT: usize = 20;

/// What a plan takes in memory, in bytes for each of its fields and fetches, about.
const PLAN_WEIGHT: usize = 400;

/// A plan is for one operation of one document, or a portion of it, with the values of its Boolean
/// conditions.
#[derive(Clone, PartialEq, Eq, Hash)]
struct PlanKey {
    document: Arc<str>,
    operation: Option<Box<str>>,
    mask: Mask,
    portion: Portion,
}

/// One GraphQL request.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The document's text.
    pub query: &'r str,
    /// Which of its operations.
    pub operation_name: Option<&'r str>,
    /// The variables, a JSON object.
    pub variables: Option<Value<'r>>,
    /// Whether a mutation is refused, as over GET.
    pub only_queries: bool,
    /// Whether parts of the answer may come later (`@defer`, `@stream`), and in which format; only
    /// [`Engine::stream`] looks at it.
    pub incremental: Option<Incremental>,
    /// What it wants to be told beside its answer.
    pub explain: Explain,
}

/// A format of responses whose parts come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incremental {
    /// The working draft's: `pending`, `incremental`, `completed`. Nothing comes twice.
    Pending,
    /// That of the proposal as it was on 2022-08-24: `incremental` with paths. A deferred fragment
    /// comes with all its fields.
    Paths,
}

/// Who asks, and what comes with the asking.
#[derive(Debug, Clone)]
pub struct Context {
    /// The caller.
    pub identity: Identity,
    /// The client's headers.
    pub headers: ClientHeaders,
    /// The request's id.
    pub request_id: RequestId,
    /// Its place in a trace.
    pub trace: TraceContext,
    /// When it ends.
    pub deadline: Instant,
    /// Where its upstream calls are noted.
    pub calls: Arc<CallLog>,
}

impl Context {
    /// Nobody in particular, without any headers.
    #[must_use]
    pub fn anonymous(deadline: Instant) -> Self {
        Self {
            identity: Identity::anonymous(),
            headers: ClientHeaders::default(),
            request_id: RequestId::random(),
            trace: TraceContext::new_trace(),
            deadline,
            calls: Arc::default(),
        }
    }
}

/// A response, ready to be sent.
#[derive(Debug)]
pub struct Response {
    /// The JSON text.
    pub body: Vec<u8>,
    /// Whether it was executed: a request error has no `data`.
    pub kind: ResponseKind,
    /// The name of the operation, where one was chosen.
    pub operation: Option<Box<str>>,
    /// How many errors it holds.
    pub errors: usize,
    /// Whether more of it comes.
    pub more: bool,
    /// Headers of upstreams' answers that the client is given, as `[headers] return` lists them.
    pub headers: HeaderMap,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseKind {
    /// It was executed; `data` stands in the response, with or without errors.
    Executed,
    /// A request error of this code: nothing was executed, no `data` stands in the response.
    Refused(Code),
    /// A mutation where only queries are allowed.
    MutationRefused,
}

impl Engine {
    /// An engine for this schema over these services.
    #[must_use]
    pub fn new(catalog: Catalog, services: Services, settings: EngineSettings) -> Self {
        let EngineSettings { limits, .. } = &settings;
        let documents =
            Bounded::new(limits.document_cache.bytes() as u64, |text: &Arc<str>, _: &_| {
                text.len() * DOCUMENT_WEIGHT
            });
        let plans =
            Bounded::new(limits.plan_cache.bytes() as u64, |_: &PlanKey, plan: &Arc<Plan>| {
                PLAN_WEIGHT * (1 + plan.fields + plan.fetches.len())
            });
        let introspections = Bounded::new(
            limits.introspection_cache.bytes() as u64,
            |key: &IntrospectionKey, answers: &Arc<Introspection>| {
                key.weight()
                    + answers.iter().map(|(key, text)| key.len() + text.len()).sum::<usize>()
            },
        );
        let kept = Arc::new(Kept::new(settings.answers, settings.clock.clone()));
        let feeds = Feeds::default();
        Self { catalog, services, settings, documents, plans, introspections, kept, feeds }
    }

    /// The schema.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What became of upstreams' answers since the engine was made, in numbers: for whoever shows
    /// metrics.
    #[must_use]
    pub fn answers(&self) -> &Tally {
        self.kept.tally()
    }

    /// When a request that arrives now must be answered.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        limits::deadline(&self.settings.limits, Instant::now())
    }

    /// Answers one request. It never fails: what fails stands in the response. A subscription is
    /// refused, since it has more than one: see [`Self::stream`].
    pub async fn execute(&self, request: Request<'_>, context: &Context) -> Response {
        let explain = self.allowed(request.explain, context);
        let telling = Telling::begin(explain);
        let mut prepared = match self.prepare(request, explain.plan) {
            Ok(prepared) => prepared,
            Err(refused) => return *refused,
        };
        if prepared.plan.stream.is_some() {
            return response::only_streamed(&prepared.plan);
        }
        let told = telling.prepared(&mut prepared);
        self.answer(&prepared, context, told).await
    }

    /// What a request is told beside its answer: nothing where its caller may not ask, and no word
    /// of that.
    fn allowed(&self, asked: Explain, context: &Context) -> Explain {
        if asked == Explain::default() || self.settings.trace.includes(&context.identity) {
            return asked;
        }
        let request_id = &context.request_id;
        tracing::debug!(%request_id, "plan or trace was asked for by who may not ask");
        Explain::default()
    }

    async fn answer(&self, prepared: &Prepared, context: &Context, told: Told) -> Response {
        let response = self.run(prepared, context, told.trace(), None).await;
        told.appended(&prepared.plan, response)
    }

    /// The plan of a request, without running it.
    ///
    /// # Errors
    /// The request's errors.
    pub fn plan(&self, request: Request<'_>) -> Result<Arc<Plan>, Vec<RequestError>> {
        let document = self.document(request.query)?;
        let operation = document.operation(request.operation_name).map_err(|error| vec![error])?;
        let variables = Variables::coerce(&self.catalog, &operation, request.variables)?;
        self.planned(&document, &operation, &variables, Portion::Whole)
    }

    fn prepare(&self, request: Request<'_>, explain: bool) -> Result<Prepared, Box<Response>> {
        let refuse = |name: Option<&str>, errors: Vec<RequestError>| {
            Box::new(response::refused(name, &errors))
        };
        let document = self.document(request.query).map_err(|errors| refuse(None, errors))?;
        let operation = document
            .operation(request.operation_name)
            .map_err(|error| refuse(None, vec![error]))?;
        let name = operation.name();
        if request.only_queries && operation.kind() == OperationKind::Mutation {
            return Err(Box::new(response::mutation_refused(operation)));
        }
        let variables = Variables::coerce(&self.catalog, &operation, request.variables)
            .map_err(|errors| refuse(name, errors))?;
        let plan = self
            .planned(&document, &operation, &variables, Portion::Whole)
            .map_err(|errors| refuse(name, errors))?;
        let introspection = if !plan.introspects {
            Arc::default()
        } else if self.settings.introspection {
            self.introspected(&operation, &variables).map_err(|error| refuse(name, vec![error]))?
        } else {
            return Err(Box::new(response::introspection_off(operation)));
        };
        let mask = || operation.mask(&variables);
        let explanation = explain.then(|| plan::explain(&plan, &operation, &mask()));
        Ok(Prepared { plan, variables, introspection, explanation })
    }

    fn document(&self, text: &str) -> Result<Arc<Document>, Vec<RequestError>> {
        if let Some(document) = self.documents.get(text) {
            return Ok(document);
        }
        let limits = plan::Limits {
            tokens: self.settings.limits.query_tokens.get() as usize,
            nesting: self.settings.limits.query_nesting.get() as usize,
            fields: self.settings.limits.plan_fields.get() as usize,
        };
        let document = Document::parse(&self.catalog, text, &limits, self.settings.suggestions)?;
        let document = Arc::new(document);
        self.documents.insert(Arc::from(text), Arc::clone(&document));
        Ok(document)
    }

    fn planned(
        &self,
        document: &Arc<Document>,
        operation: &plan::Operation<'_>,
        variables: &Variables,
        portion: Portion,
    ) -> Result<Arc<Plan>, Vec<RequestError>> {
        let mask = operation.mask(variables);
        let key = PlanKey {
            document: Arc::clone(document.text()),
            operation: operation.name().map(Into::into),
            mask,
            portion,
        };
        if let Some(plan) = self.plans.get(&key) {
            return Ok(plan);
        }
        let plan = plan::build_portion(&self.catalog, operation, &key.mask, portion);
        let plan = Arc::new(plan.map_err(|error| vec![error])?);
        // Above a few conditions a client could ask for any number of variants.
        if operation.cacheable() {
            self.plans.insert(key, Arc::clone(&plan));
        }
        Ok(plan)
    }

    fn introspected(
        &self,
        operation: &plan::Operation<'_>,
        variables: &Variables,
    ) -> Result<Arc<Introspection>, RequestError> {
        let key = IntrospectionKey::of(*operation, variables);
        if let Some(answers) = self.introspections.get(&key) {
            return Ok(answers);
        }
        let answers = Arc::new(plan::introspect(&self.catalog, operation, variables)?);
        self.introspections.insert(key, Arc::clone(&answers));
        Ok(answers)
    }

    async fn run(
        &self,
        prepared: &Prepared,
        context: &Context,
        trace: Option<Arc<Trace>>,
        event: Option<Event>,
    ) -> Response {
        let plan = &prepared.plan;
        let args = prepared.args();
        let inputs = self.inputs(prepared, &args, context);
        let run = self.fetch_run(context, trace, event);
        let response = match fetch::run(plan, inputs, &run).await {
            Ok(answered) => response::executed(plan, &answered),
            Err(_) => response::too_large(plan),
        };
        let headers = run.wire.returned.headers(plan, &run.wire.request_id);
        Response { headers, ..response }
    }

    fn inputs<'r>(
        &self,
        prepared: &'r Prepared,
        args: &'r [Rendered],
        context: &'r Context,
    ) -> Inputs<'r> {
        Inputs {
            this: &[],
            authenticated: context.identity.is_authenticated(),
            claims: context.identity.claims(),
            args,
            introspection: &prepared.introspection,
            first_items: &[],
            max_bytes: self.settings.limits.response.bytes(),
        }
    }

    fn fetch_run<'r>(
        &'r self,
        context: &'r Context,
        trace: Option<Arc<Trace>>,
        event: Option<Event>,
    ) -> Run<'r> {
        Run {
            services: &self.services,
            headers: context.headers.as_map(),
            wire: Arc::new(Wire { traced: trace, ..self.wire(context) }),
            event,
            steps: Steps::default(),
        }
    }

    fn wire(&self, context: &Context) -> Wire {
        Wire {
            partition: Arc::clone(context.identity.partition()),
            budget: UpstreamCalls::new(self.settings.limits.upstream_calls.get()),
            deadline: context.deadline,
            trace: context.trace.clone(),
            request_id: context.request_id.clone(),
            callers: self.services.callers(&context.identity, &context.headers),
            log: Arc::clone(&context.calls),
            traced: None,
            kept: Arc::clone(&self.kept),
            returned: Returned::default(),
        }
    }
}

/// A request that may run.
struct Prepared {
    plan: Arc<Plan>,
    variables: Variables,
    introspection: Arc<Introspection>,
    explanation: Option<plan::Explanation>,
}

/// The arguments of one field, or why there are none.
type Rendered = Result<Body, Arc<Failure>>;

impl Prepared {
    /// The arguments of every field, in the order of the plan.
    fn args(&self) -> Vec<Rendered> {
        rendered(&self.plan, &self.variables)
    }
}

fn rendered(plan: &Plan, variables: &Variables) -> Vec<Rendered> {
    plan.args.iter().map(|args| args.render(variables)).collect()
}
