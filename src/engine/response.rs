//! The response's bytes (specification section 7): errors first, so that a reader sees them, then
//! `data`. A request error has no `data`.

use std::sync::Arc;

use http::HeaderMap;

use super::{Response, ResponseKind};
use crate::failure::{Code, Failure};
use crate::fetch::Answered;
use crate::json::write_string;
use crate::plan::{Field, Location, Operation, Plan, RequestError};
use crate::projection::{Failed, PathStep};

/// The response of an executed operation.
pub(super) fn executed(plan: &Plan, answered: &Answered<'_>) -> Response {
    let size = answered.data.as_ref().map_or(4, Vec::len);
    let mut body = Vec::with_capacity(size + 16 + answered.errors.len() * 200);
    body.push(b'{');
    if !answered.errors.is_empty() {
        write_list(&mut body, &answered.errors, write_failed);
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    body.extend_from_slice(answered.data.as_deref().unwrap_or(b"null"));
    body.push(b'}');
    Response {
        body,
        kind: ResponseKind::Executed,
        operation: plan.name.clone(),
        errors: answered.errors.len(),
        more: false,
        headers: HeaderMap::new(),
    }
}

/// The response of a subscription that was not begun: a request error, with the field at fault.
pub(super) fn not_opened(plan: &Plan, errors: &[Failed<'_>]) -> Response {
    let mut body = vec![b'{'];
    write_list(&mut body, errors, write_failed);
    body.push(b'}');
    Response {
        body,
        kind: ResponseKind::Refused(
            errors.first().map_or(Code::Internal, |error| error.failure.code),
        ),
        operation: plan.name.clone(),
        errors: errors.len(),
        more: false,
        headers: HeaderMap::new(),
    }
}

/// The last response of a subscription that has failed.
pub(super) fn ended(plan: &Plan, failure: Arc<Failure>) -> Response {
    executed(plan, &Answered { data: None, errors: vec![failed_root(plan, failure)] })
}

/// A failure of a subscription's one field.
pub(super) fn failed_root(plan: &Plan, failure: Arc<Failure>) -> Failed<'_> {
    let field = root_field(plan);
    Failed {
        path: field.iter().map(|field| PathStep::Key(&field.key)).collect(),
        locations: field.map(|field| &*field.locations).unwrap_or_default(),
        failure,
    }
}

/// A subscription's one field.
fn root_field(plan: &Plan) -> Option<&Field> {
    plan.steps.first()?.selection.fields.first()
}

/// A subscription where only one response can be given.
pub(super) fn only_streamed(plan: &Plan) -> Response {
    let message = "A subscription is answered over a WebSocket (graphql-transport-ws) or, where the \
        Accept header asks for it, as text/event-stream.";
    let locations = root_field(plan).map(|field| field.locations.to_vec()).unwrap_or_default();
    let error = RequestError::new(Code::BadRequest, message).at(locations);
    refused(plan.name.as_deref(), &[error])
}

/// The response of an operation whose data would be too large to send.
pub(super) fn too_large(plan: &Plan) -> Response {
    let failure = Arc::new(over_the_limit());
    let failed = Failed { path: Vec::new(), locations: &[], failure };
    executed(plan, &Answered { data: None, errors: vec![failed] })
}

pub(super) fn over_the_limit() -> Failure {
    let said = "The response would be larger than allowed; ask for fewer fields or shorter lists.";
    Failure::new(Code::ResponseTooLarge, said)
}

/// The response of a request that was not executed.
pub(super) fn refused(operation: Option<&str>, errors: &[RequestError]) -> Response {
    let mut body = vec![b'{'];
    write_list(&mut body, errors, |out, error: &RequestError| {
        write_error(out, &error.failure, &error.locations, None);
    });
    body.push(b'}');
    let code = errors.first().map_or(Code::Internal, |error| error.failure.code);
    let operation = operation.map(Into::into);
    let (kind, errors) = (ResponseKind::Refused(code), errors.len());
    Response { body, kind, operation, errors, more: false, headers: HeaderMap::new() }
}

/// A mutation where only queries are allowed.
pub(super) fn mutation_refused(operation: Operation<'_>) -> Response {
    let error = RequestError::new(Code::BadRequest, "A mutation must be sent by POST.");
    let error = error.at(operation.locations());
    Response { kind: ResponseKind::MutationRefused, ..refused(operation.name(), &[error]) }
}

/// `__schema` or `__type` where introspection is off.
pub(super) fn introspection_off(operation: Operation<'_>) -> Response {
    let error = RequestError::new(
        Code::IntrospectionDisabled,
        "Introspection is off: this gateway does not answer `__schema` and `__type`.",
    );
    refused(operation.name(), &[error.at(operation.introspection_locations())])
}

pub(super) fn write_list<T>(out: &mut Vec<u8>, errors: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.extend_from_slice(b"\"errors\":[");
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, error);
    }
    out.push(b']');
}

fn write_failed(out: &mut Vec<u8>, failed: &Failed<'_>) {
    write_error(out, &failed.failure, failed.locations, Some(&failed.path));
}

pub(super) fn write_error(
    out: &mut Vec<u8>,
    failure: &Failure,
    locations: &[Location],
    path: Option<&[PathStep<'_>]>,
) {
    out.extend_from_slice(b"{\"message\":");
    write_string(out, &failure.message);
    if !locations.is_empty() {
        out.extend_from_slice(b",\"locations\":[");
        for (index, Location { line, column }) in locations.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            out.extend_from_slice(
                format!("{comma}{{\"line\":{line},\"column\":{column}}}").as_bytes(),
            );
        }
        out.push(b']');
    }
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        out.extend_from_slice(b",\"path\":");
        write_path(out, path);
    }
    out.extend_from_slice(b",\"extensions\":{\"code\":");
    write_string(out, failure.client_code());
    if let Some(upstream) = &failure.upstream {
        out.extend_from_slice(b",\"upstream\":{\"service\":");
        write_string(out, &upstream.service);
        if let Some(status) = upstream.status {
            out.extend_from_slice(format!(",\"status\":{status}").as_bytes());
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
}

pub(super) fn write_path(out: &mut Vec<u8>, path: &[PathStep<'_>]) {
    out.push(b'[');
    for (index, step) in path.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match step {
            PathStep::Key(key) => write_string(out, key),
            PathStep::Index(index) => out.extend_from_slice(index.to_string().as_bytes()),
        }
    }
    out.push(b']');
}
