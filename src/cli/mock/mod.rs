//! A REST service out of one JSON file, so that a gateway can be tried before its upstreams exist.
//!
//! `onedoor dev` serves one [`Mock`] an upstream, each on its own loopback port. The answers are
//! those of json-server 0.17 where the two overlap, so that one schema works on either:
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /orders` | every row, in the file's order |
//! | `GET /orders?status=paid&id=1&id=2` | rows by any property; repeated, a parameter means "or" |
//! | `GET /orders?address.city=Oslo` | by a property inside another; `items.0.sku`: inside a list |
//! | `?total_gte=100` `_lte` `_ne` `_like` | at least, at most, other than, contains (any case) |
//! | `?q=oslo` | rows with that text in any value, at any depth (any case) |
//! | `?_sort=status,total&_order=asc,desc` | sorted; nulls come last, or first when descending |
//! | `?_page=2&_limit=20`, `?_start=5&_end=9` | a part, with the whole count in `x-total-count` |
//! | `GET /orders/3` | one row, or 404 and `{}` |
//! | `GET /users/1/orders` | `/orders?userId=1` (`POST` sets `userId`) |
//! | `POST /orders` | 201, the row with the next id, `location` |
//! | `PUT`, `PATCH`, `DELETE /orders/3` | replaced, merged at the top level, gone (200 and `{}`) |
//! | `GET /`, `GET /db` | the collections there are; all the data |
//! | a [`Stream`]: `GET /events?userId=1` | its rows as events, one at a time, over and over |
//!
//! An object at the top level is a single resource (`GET`, `POST`, `PUT`, `PATCH /profile`).
//! Values are compared as text, so `1` equals `"1"`; a null, a list or an object equals nothing.
//! As in json-server, a plain filter on a property that *no* row has is left out; here that is
//! logged, since it is most often a misspelt name.
//!
//! What differs: `_like` takes plain text, `DELETE` removes no dependent rows, a used id is 409,
//! a paging parameter that is no number is 400, a wrong method 405, and `_embed`, `_expand` and
//! the `Link` header do not exist. Writes stay in memory.
//!
//! Must not know the gateway's schema or settings: it is an upstream like any other.

mod answer;
mod call;
mod data;
mod faults;
mod handler;
mod names;
mod query;
mod stream;

use std::future::{Future, IntoFuture};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use data::Problem;
pub use stream::Stream;

use handler::{Served, Service};

/// A mocked REST service. Cloning is cheap, and the clones share their rows.
#[derive(Clone, Debug)]
pub struct Mock(Arc<Service>);

/// How a [`Mock`] behaves beside what its data says.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Every answer is held back for so long.
    pub latency: Duration,
    /// The share of answers, from 0 to 1, that are a 503 instead.
    pub failure_rate: f64,
    /// Which answers fail, and which ids are drawn for rows whose ids are not numbers. The same
    /// seed and the same requests give the same answers.
    pub seed: u64,
    /// The property that tells the rows of a collection apart.
    pub id: String,
    /// The streams of events it sends.
    pub streams: Vec<Stream>,
}

impl Default for Options {
    /// At once, never failing, by `id`, without streams.
    fn default() -> Self {
        let id = "id".to_owned();
        Self { latency: Duration::ZERO, failure_rate: 0.0, seed: 0, id, streams: Vec::new() }
    }
}

/// Why data or options make no service: every mistake found, at most one a collection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct MockError {
    /// The mistakes, in the order of the data. Never empty.
    pub problems: Vec<Problem>,
}

impl Mock {
    /// A service for the collections and single resources in `data`.
    ///
    /// # Errors
    ///
    /// When `data` is not an object of lists of objects and of objects, a row lacks an id or shares
    /// it with another, a stream has no rows or stands where a resource is, or the failure rate is
    /// not from 0 to 1.
    pub fn new(data: Value, options: Options) -> Result<Self, MockError> {
        Service::new(data, options)
            .map(|service| Self(Arc::new(service)))
            .map_err(|problems| MockError { problems })
    }

    /// The service as a router, for tests and for embedding. Its streams go on until mock and router
    /// are dropped.
    pub fn router(&self) -> Router {
        self.router_until(CancellationToken::new())
    }

    fn router_until(&self, stop: CancellationToken) -> Router {
        let served = Served { service: Arc::clone(&self.0), stop };
        Router::new().fallback(handler::answer).with_state(served)
    }
}

/// Answers on `listener` until `shutdown` is ready and the requests under way are answered. Streams
/// end then.
///
/// # Errors
///
/// When the listener itself fails.
pub async fn serve<S>(listener: TcpListener, mock: Mock, shutdown: S) -> io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    // Small answers must not wait for the acknowledgement of the one before (RFC 896).
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the mock could not set TCP_NODELAY");
        }
    });
    let stop = CancellationToken::new();
    let router = mock.router_until(stop.clone());
    let shutdown = async move {
        shutdown.await;
        stop.cancel();
    };
    axum::serve(listener, router).with_graceful_shutdown(shutdown).into_future().await
}
