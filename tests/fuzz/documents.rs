//! A document, whatever its text, against the shop's schema: refused with a location or planned and
//! run, without a panic, in a response that is JSON; as a whole, and in parts of either format.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use futures::StreamExt as _;
use http::StatusCode;
use onedoor::cache::Clock;
use onedoor::config::FixedEnv;
use onedoor::engine::{Context, Explain, Incremental, Request, Response};
use onedoor::gateway::{Gateway, Mode, Project};
use onedoor::json::{Body, Value};
use onedoor::plan::OperationKind;
use onedoor::upstream::{CallContext, InMemory, Reply, Transport};
use serde_json::{Map, Value as Json};
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
    let gateway = Gateway::over(project, Mode::Dev, Clock::machine(), |upstream| {
        let row = first_row(&root.expect("the project").join("mock"), upstream.name.as_str());
        let service =
            InMemory::new(move |request: &onedoor::template::Request, _: &CallContext<'_>| {
                Ok(Reply::json(StatusCode::OK, answer(&row, &request.path_and_query)))
            });
        let service: Arc<dyn Transport> = Arc::new(service);
        Some(service)
    });
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    Shop { gateway, runtime }
});

/// One row of what stands in for a service.
fn first_row(mocks: &Path, service: &str) -> Map<String, Json> {
    let text = fs::read(mocks.join(format!("{service}.json"))).expect("mock data");
    let data: Map<String, Json> = serde_json::from_slice(&text).expect("an object");
    let rows = data.values().find_map(Json::as_array).expect("rows");
    rows.first().and_then(Json::as_object).expect("a row").clone()
}

/// A row for each parameter, which has its value; the row itself where there are none.
fn answer(row: &Map<String, Json>, path_and_query: &str) -> String {
    let Some((_, query)) = path_and_query.split_once('?') else {
        return Json::Object(row.clone()).to_string();
    };
    let rows = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| {
        let mut row = row.clone();
        row.insert(name.to_owned(), value.into());
        Json::Object(row)
    });
    Json::Array(rows.collect()).to_string()
}

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
    let (response, in_parts) = runtime.block_on(async {
        let engine = &gateway.engine;
        let context = Context::anonymous(engine.deadline());
        let response = engine.execute(request, &context).await;
        let mut in_parts = Vec::new();
        if engine.plan(request).is_ok_and(|plan| plan.kind != OperationKind::Subscription) {
            for incremental in [Incremental::Pending, Incremental::Paths] {
                let request = Request { incremental: Some(incremental), ..request };
                let pieces = Arc::clone(engine).stream(request, context.clone());
                in_parts.push(pieces.collect::<Vec<Response>>().await);
            }
        }
        (response, in_parts)
    });
    for pieces in &in_parts {
        check_parts(pieces);
    }
    let body = Body::parse(response.body.to_vec().into()).expect("the response is JSON");
    let errors = body.root().get("errors");
    assert_eq!(errors.map_or(0, |errors| errors.items().count()), response.errors);
    let data = body.root().get("data");
    assert!(data.is_some() || errors.is_some_and(|errors| errors.items().next().is_some()));
    assert!(errors.into_iter().flat_map(Value::items).all(|error| error.get("message").is_some()));
}

/// Whether pieces of a response end, and complete each part that they announce.
fn check_parts(pieces: &[Response]) {
    let (mut pending, mut completed) = (Vec::new(), Vec::new());
    for (nth, piece) in (1..).zip(pieces) {
        assert_eq!(piece.more, nth < pieces.len());
        let body = Body::parse(piece.body.clone().into()).expect("a piece is JSON");
        let ids = |of| {
            let listed = body.root().get(of).into_iter().flat_map(Value::items);
            let ids = listed.filter_map(|one| Some(one.get("id")?.raw().to_vec()));
            ids.collect::<Vec<_>>()
        };
        pending.extend(ids("pending"));
        completed.extend(ids("completed"));
        let open = completed.iter().all(|id| pending.contains(id));
        assert!(open, "only what was announced is completed");
    }
    assert!(!pieces.is_empty());
    pending.sort();
    completed.sort();
    assert_eq!(pending, completed);
}
