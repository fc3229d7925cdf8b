//! The gateway as a part of another axum application: the application's own paths come first, and
//! everything else is the gateway's, GraphQL, health and plain paths.
//!
//!     cargo run --example embed [PROJECT]
//!
//! Without a project it is the shop of this repository; `onedoor dev` in another terminal gives it
//! mocked services. Then `curl http://127.0.0.1:4100/hello` is the application's own answer.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use onedoor::config::ProcessEnv;
use onedoor::gateway::{Gateway, Mode, Project};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
    let (project, problems) = Project::load(&PathBuf::from(root), &ProcessEnv);
    let project = project.ok_or_else(|| problems.render(false))?;
    let gateway = Gateway::new(project, Mode::Serve)?;

    let app = Router::new()
        .route("/hello", get(async || "the application's own answer\n"))
        .fallback_service(gateway.router());

    let listener = TcpListener::bind("127.0.0.1:4100").await?;
    println!("GraphQL at http://{}/graphql", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
