//! One response for each event of a subscription (specification section 6.2.3). Each is an execution
//! of the plan with loaders, calls and a deadline of its own. What is noted of their calls are numbers
//! over all of them.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::time::{Instant, sleep_until};

use super::explain::{Explain, Telling, Told};
use super::{Context, Engine, Prepared, Request, Response, response};
use crate::failure::{Code, Failure};
use crate::fetch::{self, Event, Happening, Listener};
use crate::plan::Stream;

impl Engine {
    /// Answers one request with as many responses as it takes: a query or a mutation with one, a
    /// subscription with one for each event. No upstream is called before the stream is polled, and
    /// dropping it ends all that it began. A first response that is a request error is the only one.
    pub fn stream(
        self: Arc<Self>,
        request: Request<'_>,
        context: Context,
    ) -> BoxStream<'static, Response> {
        let explain = self.allowed(request.explain, &context);
        let telling = Telling::begin(explain);
        let mut prepared = match self.prepare(request, explain.plan) {
            Ok(prepared) => prepared,
            Err(refused) => return stream::iter([*refused]).boxed(),
        };
        let stream = prepared.plan.stream.clone();
        if stream.is_none() {
            let told = telling.prepared(&mut prepared);
            if let Some(format) = request.incremental
                && let Some(portions) = self.portions(request, &prepared, format)
            {
                return self.deliver((prepared, context, told), portions, format);
            }
            let once = async move { self.answer(&prepared, &context, told).await };
            return stream::once(once).boxed();
        }
        if request.incremental.is_some() {
            let refused = response::only_streamed(&prepared.plan);
            return stream::iter([refused]).boxed();
        }
        context.calls.count_only();
        let running = Running { engine: self, prepared, context, explain };
        match stream {
            Some(Stream::Poll(every)) => running.poll(every),
            Some(Stream::Events(..)) | None => running.events(),
        }
    }
}

/// An operation under way.
struct Running {
    engine: Arc<Engine>,
    prepared: Prepared,
    context: Context,
    explain: Explain,
}

/// How far a subscription to events is.
enum Step {
    Opening(Box<Running>),
    Open(Box<Running>, Listener),
    Over,
}

impl Running {
    /// Executes the plan once, for an event perhaps.
    async fn execute(&mut self, event: Option<Event>) -> (Response, Told) {
        let Self { engine, prepared, context, explain } = self;
        let told = Telling::begin(*explain).prepared(prepared);
        (engine.run(prepared, context, told.trace(), event).await, told)
    }

    /// Gives the next execution a deadline of its own: a subscription has no end to which it could
    /// keep it.
    fn renew(&mut self) {
        self.context.deadline = self.engine.deadline();
    }

    /// Executes again and again. A response that is the same as the last is not sent.
    fn poll(self, every: Duration) -> BoxStream<'static, Response> {
        let first = (self, Instant::now(), None::<Vec<u8>>);
        let next = move |(mut running, mut at, last): (Self, Instant, Option<Vec<u8>>)| async move {
            loop {
                sleep_until(at).await;
                running.renew();
                let (response, told) = running.execute(None).await;
                let now = Instant::now();
                at = now.checked_add(every).unwrap_or(now);
                if last.as_ref() != Some(&response.body) {
                    let sent = Some(response.body.clone());
                    let response = told.appended(&running.prepared.plan, response);
                    return Some((response, (running, at, sent)));
                }
            }
        };
        stream::unfold(first, next).boxed()
    }

    fn events(self) -> BoxStream<'static, Response> {
        let next = |step| async move {
            let (running, listener) = match step {
                Step::Opening(running) => match running.listen().await {
                    Ok(Some(listener)) => (running, listener),
                    Ok(None) => return Some((running.refused().await, Step::Over)),
                    Err(failure) => {
                        let plan = &running.prepared.plan;
                        let failed = [response::failed_root(plan, failure)];
                        return Some((response::not_opened(plan, &failed), Step::Over));
                    }
                },
                Step::Open(running, listener) => (running, listener),
                Step::Over => return None,
            };
            running.next(listener).await
        };
        stream::unfold(Step::Opening(Box::new(self)), next).boxed()
    }

    async fn listen(&self) -> Result<Option<Listener>, Arc<Failure>> {
        let Self { engine, prepared, context, .. } = self;
        let args = prepared.args();
        let inputs = engine.inputs(prepared, &args, context);
        let run = engine.fetch_run(context, None, None);
        fetch::listen(&prepared.plan, inputs, &run, &engine.feeds).await
    }

    /// Why there is nothing to listen to: what the plan comes to without any event.
    async fn refused(&self) -> Response {
        let Self { engine, prepared, context, .. } = self;
        let args = prepared.args();
        let inputs = engine.inputs(prepared, &args, context);
        let run = engine.fetch_run(context, None, None);
        match fetch::run(&prepared.plan, inputs, &run).await {
            Ok(answered) if answered.errors.is_empty() => {
                response::executed(&prepared.plan, &answered)
            }
            Ok(answered) => response::not_opened(&prepared.plan, &answered.errors),
            Err(_) => response::too_large(&prepared.plan),
        }
    }

    async fn next(mut self: Box<Self>, mut listener: Listener) -> Option<(Response, Step)> {
        match listener.next().await {
            Happening::Event(event) => {
                self.renew();
                let (response, told) = self.execute(Some(event)).await;
                let response = told.appended(&self.prepared.plan, response);
                Some((response, Step::Open(self, listener)))
            }
            Happening::Lost(lost) => {
                let message = format!("Events come faster than they are taken; {lost} were lost.");
                let failure = Arc::new(Failure::new(Code::EventsLost, message));
                Some((response::ended(&self.prepared.plan, failure), Step::Over))
            }
            Happening::Ended(Some(failure)) => {
                Some((response::ended(&self.prepared.plan, failure), Step::Over))
            }
            Happening::Ended(None) => None,
        }
    }
}
