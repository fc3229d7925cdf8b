//! A document, whatever its text, against the shop's schema: refused with a location or planned and
//! run, without a panic, in a response that is JSON.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use http::StatusCode;
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Explain, Request};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::json::{Body, Value};
use onedoor::upstream::{CallContext, InMemory, Reply, Transport};
use tokio::runtime::{Builder, Runtime};

struct Shop {
    gateway: Gateway,
    runtime: Runtime,
}

static SHOP: LazyLock<Shop> = LazyLock::new(|| {
    // This package's, or that of the fuzz targets within it.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|folder| folder.join("onedoor.toml").is_file());
    let (project, problems) = Project::load(root.expect("the project"), &FixedEnv::default());
    let project = project.unwrap_or_else(|| panic!("{}", problems.render(false)));
    let gateway = Gateway::over(project, Mode::Dev, Clock::machine(), |_| {
        let service = InMemory::new(|_: &onedoor::template::Request, _: &CallContext<'_>| {
            Ok(Reply::json(StatusCode::OK, "[]"))
        });
        let service: Arc<dyn Transport> = Arc::new(service);
        Some(service)
    });
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    Shop { gateway, runtime }
});

/// Whether this document is refused or answered as it must be.
pub(crate) fn check(document: &str) {
    let Shop { gateway, runtime } = &*SHOP;
    let request = Request {
        query: document,
        operation_name: None,
        variables: None,
        only_queries: false,
        incremental: None,
        explain: Explain { plan: true, trace: true },
    };
    let response = runtime.block_on(async {
        let context = Context::anonymous(gateway.engine.deadline());
        gateway.engine.execute(request, &context).await
    });
    let body = Body::parse(response.body.to_vec().into()).expect("the response is JSON");
    let errors = body.root().get("errors");
    assert_eq!(errors.map_or(0, |errors| errors.items().count()), response.errors);
    let data = body.root().get("data");
    assert!(data.is_some() || errors.is_some_and(|errors| errors.items().next().is_some()));
    assert!(errors.into_iter().flat_map(Value::items).all(|error| error.get("message").is_some()));
}
