//! One request to a mock: what it reads or changes, and the answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderName, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use indexmap::IndexMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::answer::{Refusal, json};
use super::call::{Call, Target};
use super::data::{Collection, Data, Problem, Resource, Row, id_text, parse};
use super::query::Query;
use super::{Options, faults};

/// json-server's own bound on a body, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// What the clones of a mock share.
#[derive(Debug)]
pub(super) struct Service {
    options: Options,
    data: RwLock<Data>,
    asked: AtomicU64,
}

/// A service that is being served, and what ends its streams.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) service: Arc<Service>,
    pub(super) stop: CancellationToken,
}

/// Answers every request to a mock.
pub(super) async fn answer(State(served): State<Served>, request: Request) -> Response {
    let Served { service, stop } = &served;
    let n = service.asked.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await;
    let Options { latency, failure_rate, seed, .. } = service.options;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let answer = match &body {
        _ if faults::fails(seed, n, failure_rate) => Err(Refusal::Chance),
        Ok(body) => {
            let (method, headers, path) = (&parts.method, &parts.headers, parts.uri.path());
            let query = parts.uri.query().unwrap_or_default();
            let call = Call { method, query, headers, body };
            match service.options.streams.iter().find(|stream| stream.is_at(path)) {
                Some(stream) => stream.open(service, stop, &call),
                None => service.dispatch(Target::parse(path), &call),
            }
        }
        Err(_) => Err(Refusal::Body),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

impl Service {
    pub(super) fn new(data: Value, options: Options) -> Result<Self, Vec<Problem>> {
        let rate = options.failure_rate;
        let bad_rate = (!(0.0..=1.0).contains(&rate)).then_some(Problem::FailureRate(rate));
        let (data, mut problems) = match parse(data, &options.id) {
            Ok(data) => {
                let problems = options.streams.iter().filter_map(|stream| stream.check(&data));
                let problems = problems.collect();
                (data, problems)
            }
            Err(problems) => (Data::new(), problems),
        };
        problems.extend(bad_rate);
        if problems.is_empty() {
            Ok(Self { options, data: RwLock::new(data), asked: AtomicU64::new(0) })
        } else {
            Err(problems)
        }
    }

    /// Looks at a collection as it is now; `None`: there is none of that name.
    pub(super) fn look<T>(&self, name: &str, look: impl FnOnce(&Collection) -> T) -> Option<T> {
        match self.read().get(name) {
            Some(Resource::Collection(collection)) => Some(look(collection)),
            _ => None,
        }
    }

    // A panic would leave whole rows behind: every write is one call on a map.
    fn read(&self) -> RwLockReadGuard<'_, Data> {
        self.data.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Data> {
        self.data.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn dispatch(&self, target: Target, call: &Call<'_>) -> Result<Response, Refusal> {
        match target {
            Target::Root | Target::Db if !call.reads() => Err(Refusal::Method("GET, HEAD")),
            Target::Root => {
                let data = self.read();
                let paths = data.keys().map(|name| (name, format!("/{name}")));
                json(StatusCode::OK, &paths.collect::<IndexMap<_, _>>())
            }
            Target::Db => json(StatusCode::OK, &*self.read()),
            Target::All { name, owner } if call.reads() => self.list(&name, owner, call),
            Target::All { name, owner } => self.add(&name, owner, call),
            Target::One { name, id } if call.reads() => self.show(&name, &id),
            Target::One { name, id } => self.change(&name, &id, call),
            Target::Nothing => Err(Refusal::no_resource("", &self.read())),
        }
    }

    /// `GET /orders`, `/users/1/orders` and `/profile`.
    fn list(
        &self,
        name: &str,
        owner: Option<(String, String)>,
        call: &Call<'_>,
    ) -> Result<Response, Refusal> {
        let data = self.read();
        let collection = match data.get(name) {
            Some(Resource::Collection(collection)) => collection,
            Some(Resource::Single(row)) => return json(StatusCode::OK, row),
            None => return Err(Refusal::no_resource(name, &data)),
        };
        let query = Query::parse(call.query, owner).map_err(|e| Refusal::Bad(e.to_string()))?;
        let found = query.run(collection);
        for property in found.unknown {
            tracing::warn!(collection = name, property, "no row has the property of a filter");
        }
        let mut response = json(StatusCode::OK, &found.rows)?;
        if let Some(total) = found.total {
            response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(total));
        }
        Ok(response)
    }

    /// `POST /orders` and `/users/1/orders`; every write to `/profile`.
    fn add(
        &self,
        name: &str,
        owner: Option<(String, String)>,
        call: &Call<'_>,
    ) -> Result<Response, Refusal> {
        let mut data = self.write();
        match (data.get_mut(name), call.method) {
            (Some(Resource::Collection(collection)), &Method::POST) => {
                let mut row = call.row()?;
                row.extend(owner.map(|(property, id)| (property, Value::String(id))));
                create(name, collection, row, self.options.seed)
            }
            (Some(Resource::Collection(_)), _) => Err(Refusal::Method("GET, HEAD, POST")),
            (Some(Resource::Single(single)), &Method::PATCH) => {
                single.extend(call.row()?);
                json(StatusCode::OK, single)
            }
            (Some(Resource::Single(single)), &Method::PUT | &Method::POST) => {
                *single = call.row()?;
                let created = call.method == Method::POST;
                json(if created { StatusCode::CREATED } else { StatusCode::OK }, single)
            }
            (Some(Resource::Single(_)), _) => Err(Refusal::Method("GET, HEAD, POST, PUT, PATCH")),
            (None, _) => Err(Refusal::no_resource(name, &data)),
        }
    }

    /// `GET /orders/3`.
    fn show(&self, name: &str, id: &str) -> Result<Response, Refusal> {
        let data = self.read();
        match data.get(name) {
            Some(Resource::Collection(collection)) => {
                collection.get(id).ok_or(Refusal::NoRow).and_then(|row| json(StatusCode::OK, row))
            }
            Some(Resource::Single(_)) => Err(Refusal::NoRow),
            None => Err(Refusal::no_resource(name, &data)),
        }
    }

    /// `PUT`, `PATCH` and `DELETE /orders/3`.
    fn change(&self, name: &str, id: &str, call: &Call<'_>) -> Result<Response, Refusal> {
        let mut data = self.write();
        let collection = match data.get_mut(name) {
            Some(Resource::Collection(collection)) => collection,
            Some(Resource::Single(_)) => return Err(Refusal::NoRow),
            None => return Err(Refusal::no_resource(name, &data)),
        };
        let row = match *call.method {
            Method::PUT => collection.replace(id, call.row()?),
            Method::PATCH => collection.merge(id, call.row()?),
            Method::DELETE => {
                collection.remove(id).ok_or(Refusal::NoRow)?;
                return json(StatusCode::OK, &Row::new());
            }
            _ => return Err(Refusal::Method("GET, HEAD, PUT, PATCH, DELETE")),
        };
        row.ok_or(Refusal::NoRow).and_then(|row| json(StatusCode::OK, row))
    }
}

fn create(
    name: &str,
    collection: &mut Collection,
    row: Row,
    seed: u64,
) -> Result<Response, Refusal> {
    let property = collection.id_property().to_owned();
    let row = collection.insert(row, seed)?;
    let segment = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let location = row
        .get(&property)
        .and_then(id_text)
        .map(|id| format!("/{}/{}", segment(name), segment(&id)))
        .and_then(|location| HeaderValue::try_from(location).ok());
    let mut response = json(StatusCode::CREATED, row)?;
    response.headers_mut().extend(location.map(|location| (LOCATION, location)));
    Ok(response)
}
