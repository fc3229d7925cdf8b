//! The line of the log that an operation on a socket has, beside the socket's own.

use std::sync::Arc;

use tokio::time::Instant;

use crate::observe::{self, CallLog, RequestId, TraceContext};

use super::super::{GraphqlResponse, Outcome};

/// Written when it is dropped: however an operation ends, it ends.
pub(super) struct OperationLine {
    pub(super) request_id: RequestId,
    pub(super) socket_id: RequestId,
    pub(super) trace: TraceContext,
    pub(super) calls: Arc<CallLog>,
    pub(super) started: Instant,
    pub(super) told: Told,
}

/// What becomes known while an operation runs.
#[derive(Default)]
pub(super) struct Told {
    operation: Option<Arc<str>>,
    events: u64,
    errors: usize,
    bytes: u64,
    /// How it ended; nothing: the client or the socket ended it.
    pub(super) ended: Option<&'static str>,
}

impl Told {
    /// Notes a response that is sent.
    pub(super) fn note(&mut self, response: &GraphqlResponse) {
        let is_event = matches!(response.outcome, Outcome::Executed);
        self.operation.clone_from(&response.operation);
        self.events += u64::from(is_event);
        self.errors += response.errors;
        self.bytes += response.body.len() as u64;
    }
}

impl Drop for OperationLine {
    fn drop(&mut self) {
        observe::OperationLine {
            request_id: &self.request_id,
            socket_id: &self.socket_id,
            trace: &self.trace,
            operation: self.told.operation.as_deref(),
            ended: self.told.ended.unwrap_or("dropped"),
            duration: self.started.elapsed(),
            calls: &self.calls,
            events: self.told.events,
            errors: self.told.errors,
            bytes: self.told.bytes,
        }
        .write();
    }
}
