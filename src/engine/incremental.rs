//! Incremental delivery (`@defer` and `@stream`, of the working draft): the first response as soon as
//! it is whole, each part when it has come.
//!
//! Every part is a plan of its own that leads from the root to what the part selects. All of them
//! share the calls and loaders of their request, so that what leads there is asked for once, and a
//! part's own requests begin the moment the answers they depend on are there.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, FuturesUnordered, StreamExt as _};

use super::explain::Told;
use super::pieces::{Piece, Writer};
use super::ran::Ran;
use super::{
    Context, Engine, Incremental, Prepared, Request, Response, ResponseKind, rendered, response,
};
use crate::failure::Failure;
use crate::fetch::{self, Run, Steps, Wire};
use crate::plan::{OperationKind, PartId, Plan, Portion, Variables};
use crate::projection::{Inputs, TooLarge};

/// The plans of an operation that comes in pieces.
pub(super) struct Portions {
    first: Arc<Plan>,
    parts: Vec<(PartId, Arc<Plan>)>,
}

impl Engine {
    /// The plans of a prepared operation's portions; `None`: it has no part that may come later.
    pub(super) fn portions(
        &self,
        request: Request<'_>,
        prepared: &Prepared,
        format: Incremental,
    ) -> Option<Portions> {
        let document = self.document(request.query).ok()?;
        let operation = document.operation(request.operation_name).ok()?;
        let variables: &Variables = &prepared.variables;
        let plan = |portion| self.planned(&document, &operation, variables, portion).ok();
        let first = plan(Portion::First)?;
        let ids = (0u8..).take(first.parts.len()).map(PartId);
        let part = |id| match format {
            Incremental::Pending => Some((id, plan(Portion::Part(id))?)),
            Incremental::Paths => Some((id, plan(Portion::WholePart(id))?)),
        };
        let parts: Vec<_> = ids.map(part).collect::<Option<_>>()?;
        (!parts.is_empty()).then_some(Portions { first, parts })
    }

    /// Answers in pieces.
    pub(super) fn deliver(
        self: Arc<Self>,
        (prepared, context, told): (Prepared, Context, Told),
        portions: Portions,
        format: Incremental,
    ) -> BoxStream<'static, Response> {
        let wire = Arc::new(Wire { traced: told.trace(), ..self.wire(&context) });
        let (at_first, at_last) = told.in_two();
        let parts = portions.first.parts.clone();
        let first_items = parts.iter().map(|part| part.first_items(&prepared.variables));
        let first_items: Vec<_> = first_items.collect();
        // A list that has none, because its field fails, has no others either.
        let counts = first_items.iter().map(|count| count.as_ref().map_or(0, |count| *count));
        let writer = Writer::new(parts, counts.collect(), format);
        let steps = Steps::default();
        let shared = Shared { engine: self, prepared, context, wire, steps, first_items };
        let delivery = Delivery {
            writer,
            shared: Arc::new(shared),
            running: FuturesUnordered::new(),
            ran: HashMap::new(),
            portions,
            at_first: Some(at_first),
            at_last: Some(at_last),
        };
        stream::unfold(Some(Box::new(delivery)), |delivery| async move { delivery?.piece().await })
            .boxed()
    }
}

/// What all portions share.
struct Shared {
    engine: Arc<Engine>,
    prepared: Prepared,
    context: Context,
    wire: Arc<Wire>,
    steps: Steps,
    /// How many items of its list each part leaves to what comes before it.
    first_items: Vec<Result<usize, Arc<Failure>>>,
}

impl Shared {
    async fn run(&self, plan: &Plan) -> Result<Ran, TooLarge> {
        let args = rendered(plan, &self.prepared.variables);
        let inputs = self.engine.inputs(&self.prepared, &args, &self.context);
        let inputs = Inputs { first_items: &self.first_items, ..inputs };
        let run = Run {
            services: &self.engine.services,
            headers: self.context.headers.as_map(),
            wire: Arc::clone(&self.wire),
            event: None,
            steps: self.steps.clone(),
        };
        fetch::run(plan, inputs, &run).await.map(Ran::new)
    }
}

/// A response on its way, piece by piece.
struct Delivery {
    writer: Writer,
    shared: Arc<Shared>,
    portions: Portions,
    running: FuturesUnordered<BoxFuture<'static, (PartId, Result<Ran, TooLarge>)>>,
    ran: HashMap<PartId, Arc<Ran>>,
    /// What is told with the first piece; `None`: it is sent.
    at_first: Option<Told>,
    at_last: Option<Told>,
}

impl Delivery {
    async fn piece(mut self: Box<Self>) -> Option<(Response, Option<Box<Self>>)> {
        let piece = match self.at_first.take() {
            Some(told) => {
                let plan = Arc::clone(&self.shared.prepared.plan);
                let response = self.first().await;
                let response = told.appended(&plan, response);
                return Some(if response.more {
                    (response, Some(self))
                } else {
                    (self.last(response), None)
                });
            }
            None => self.next().await?,
        };
        let more = !self.writer.waiting.is_empty();
        let response = self.response(piece, more);
        Some(if more { (response, Some(self)) } else { (self.last(response), None) })
    }

    fn response(&self, Piece { body, errors }: Piece, more: bool) -> Response {
        Response {
            body,
            kind: ResponseKind::Executed,
            operation: self.portions.first.name.clone(),
            errors,
            more,
            headers: http::HeaderMap::new(),
        }
    }

    fn last(&mut self, response: Response) -> Response {
        match self.at_last.take() {
            Some(told) => told.appended(&self.shared.prepared.plan, response),
            None => response,
        }
    }

    async fn first(&mut self) -> Response {
        let plan = Arc::clone(&self.portions.first);
        // What a mutation's fields lead to comes after all of them.
        if plan.kind == OperationKind::Query {
            self.start();
        }
        let shared = Arc::clone(&self.shared);
        let mut first = Box::pin(shared.run(&plan));
        let ran = loop {
            tokio::select! {
                biased;
                ran = &mut first => break ran,
                Some((part, ran)) = self.running.next(), if !self.running.is_empty() => {
                    self.ran.insert(part, Arc::new(ran.unwrap_or_else(|_| Ran::too_large())));
                }
            }
        };
        let Ok(ran) = ran else { return response::too_large(&plan) };
        let piece = self.writer.first(ran);
        if plan.kind == OperationKind::Mutation {
            self.start();
        }
        let headers = shared.wire.returned.headers(&plan, &shared.wire.request_id);
        Response { headers, ..self.response(piece, !self.writer.waiting.is_empty()) }
    }

    fn start(&mut self) {
        for (part, plan) in &self.portions.parts {
            let (part, plan, shared) = (*part, Arc::clone(plan), Arc::clone(&self.shared));
            self.running.push(Box::pin(async move { (part, shared.run(&plan).await) }));
        }
    }

    /// The next piece that can be sent; `None`: none will come.
    async fn next(&mut self) -> Option<Piece> {
        loop {
            let mut waiting = self.writer.waiting.iter().map(|position| position.part);
            if let Some(part) = waiting.find(|part| self.ran.contains_key(part)) {
                let ran = self.ran.get(&part)?;
                return Some(self.writer.next(part, ran));
            }
            let (part, ran) = self.running.next().await?;
            let ran = ran.unwrap_or_else(|_| Ran::too_large());
            self.ran.insert(part, Arc::new(ran));
        }
    }
}
