//! The gateway's engine behind the door.

use async_trait::async_trait;
use bytes::Bytes;

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
        let RequestContext { request_id, trace, deadline, headers, calls } = context;
        let context = engine::Context { identity, headers, request_id, trace, deadline, calls };
        let request = engine::Request {
            query: &request.document,
            operation_name: request.operation_name.as_deref(),
            variables: request.variables(),
            only_queries: request.queries_only,
            explain: engine::Explain::asked_by(request.extensions()),
        };
        let engine::Response { body, kind, operation, errors, headers } =
            engine::Engine::execute(self, request, &context).await;
        let outcome = match kind {
            engine::ResponseKind::Executed => Outcome::Executed,
            engine::ResponseKind::Refused(code) => Outcome::RequestError(code),
            engine::ResponseKind::MutationRefused => Outcome::MutationByGet,
        };
        let operation = operation.map(Into::into);
        GraphqlResponse { body: Bytes::from(body), outcome, operation, errors, headers }
    }
}
