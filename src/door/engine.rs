//! The gateway's engine behind the door.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};

use crate::engine;
use crate::identity::Identity;

use super::{Engine, GraphqlRequest, GraphqlResponse, Outcome, RequestContext};

#[async_trait]
impl Engine for engine::Engine {
    async fn execute(
        &self,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> GraphqlResponse {
        let context = of_engine(identity, context);
        engine::Engine::execute(self, asked(&request), &context).await.into()
    }

    fn stream(
        self: Arc<Self>,
        request: GraphqlRequest,
        identity: Identity,
        context: RequestContext,
    ) -> BoxStream<'static, GraphqlResponse> {
        let context = of_engine(identity, context);
        engine::Engine::stream(self, asked(&request), context).map(Into::into).boxed()
    }
}

fn asked(request: &GraphqlRequest) -> engine::Request<'_> {
    engine::Request {
        query: &request.document,
        operation_name: request.operation_name.as_deref(),
        variables: request.variables(),
        only_queries: request.queries_only,
        explain: engine::Explain::asked_by(request.extensions()),
    }
}

fn of_engine(identity: Identity, context: RequestContext) -> engine::Context {
    let RequestContext { request_id, trace, deadline, headers, calls } = context;
    engine::Context { identity, headers, request_id, trace, deadline, calls }
}

impl From<engine::Response> for GraphqlResponse {
    fn from(response: engine::Response) -> Self {
        let engine::Response { body, kind, operation, errors, headers } = response;
        let outcome = match kind {
            engine::ResponseKind::Executed => Outcome::Executed,
            engine::ResponseKind::Refused(code) => Outcome::RequestError(code),
            engine::ResponseKind::MutationRefused => Outcome::MutationByGet,
        };
        let operation = operation.map(Into::into);
        Self { body: Bytes::from(body), outcome, operation, errors, headers }
    }
}
