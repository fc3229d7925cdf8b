//! The JSON answers: those a client asked for, and those it did not.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::data::{Data, Refused};

/// An answer that is not what the client asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The row is not there.
    NoRow,
    /// The path names no resource; these there are.
    NoResource { name: String, known: String },
    /// The target knows only these methods.
    Method(&'static str),
    /// The request cannot be understood.
    Bad(String),
    /// Another row has the id.
    Taken(String),
    /// The body is too large, or was cut off.
    Body,
    /// The failure the options ask for.
    Chance,
    /// The answer could not be written.
    Unwritten,
}

impl Refusal {
    pub(super) fn no_resource(name: &str, data: &Data) -> Self {
        let known = data.keys().map(|name| format!("/{name}")).collect::<Vec<_>>().join(", ");
        Self::NoResource { name: name.to_owned(), known }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoRow | Self::NoResource { .. } => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Taken(_) => StatusCode::CONFLICT,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Chance => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unwritten => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Value {
        let message = match self {
            // json-server's own answer, which schemas may lean on.
            Self::NoRow => return json!({}),
            Self::NoResource { name, known } => {
                format!("there is no collection `{name}`; there are: {known}")
            }
            Self::Method(allowed) => format!("only {allowed} mean something here"),
            Self::Bad(why) => why.clone(),
            Self::Taken(id) => format!("there is a row `{id}` already"),
            Self::Body => "a body may have 10 MiB at most".to_owned(),
            Self::Chance => "this mock was told to fail some answers".to_owned(),
            Self::Unwritten => "the answer could not be written".to_owned(),
        };
        json!({ "error": { "message": message } })
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::BadId { id, found } => {
                Self::Bad(format!("`{id}` is {found}; it must be a string or a number"))
            }
            Refused::Taken(id) => Self::Taken(id),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = respond(self.status(), self.body().to_string().into_bytes());
        if let Self::Method(allowed) = self {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Refusal> {
    serde_json::to_vec(value).map(|body| respond(status, body)).map_err(|_| Refusal::Unwritten)
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    // `no-cache` as json-server: a mock's rows change, and nothing tells who keeps them.
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (status, headers, body).into_response()
}
