//! What the gateway tells its operators: logs, request ids, trace contexts, the access line, and
//! the names of metrics. Also what of a request must never be told.
//!
//! It imports nothing of the gateway; whatever it prints is handed to it.

mod access;
mod logging;
pub mod metric;
mod redact;
mod request_id;
mod trace;

pub use access::{AccessLine, Call, CallLog, OperationLine, Outcome};
pub use logging::{LogFormat, LoggingError, start_logging};
pub use redact::{Redacted, RedactedHeaders, is_secret_header};
pub use request_id::{REQUEST_ID, RequestId};
pub use trace::{TRACEPARENT, TRACESTATE, TraceContext};
