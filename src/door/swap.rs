//! A router that is replaced while it serves, so that the listener and its connections stay.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

/// Stands for the router that was put in last. A request is answered to its end by the router that
/// it came to, also on a connection that is older than that router.
#[derive(Clone)]
pub struct Swap(Arc<RwLock<Router>>);

impl Swap {
    /// With a first router.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self(Arc::new(RwLock::new(router)))
    }

    /// From here on another router answers.
    pub fn replace(&self, router: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = router;
    }

    /// What is to be served.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    fn now(&self) -> Router {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(swap): State<Swap>, request: Request) -> Response {
    let router = TowerToHyperService::new(swap.now());
    let answered: Result<Response, Infallible> = router.call(request).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl fmt::Debug for Swap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Swap").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tokio::sync::Notify;

    use super::*;

    async fn ask(router: &Router) -> String {
        let request = Request::new(Body::empty());
        let response = TowerToHyperService::new(router.clone()).call(request).await;
        let body = response.expect("infallible").into_body().collect().await.expect("in memory");
        String::from_utf8(body.to_bytes().to_vec()).expect("text")
    }

    #[tokio::test]
    async fn a_request_ends_on_the_router_it_came_to_and_the_next_comes_to_the_new_one() {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
            get(async move || {
                arrived.notify_one();
                go_on.notified().await;
                "old"
            })
        };
        let swap = Swap::new(Router::new().route("/", slow));
        let served = swap.router();
        let under_way = tokio::spawn({
            let served = served.clone();
            async move { ask(&served).await }
        });
        arrived.notified().await;
        swap.replace(Router::new().route("/", get(async || "new")));
        assert_eq!(ask(&served).await, "new");
        go_on.notify_one();
        assert_eq!(under_way.await.expect("no panic"), "old");
    }
}
