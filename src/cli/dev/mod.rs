//! `onedoor dev`: the gateway with mocked upstreams, made anew when a file of the project changes.
//!
//! The listener and its connections stay. What is replaced is the router behind them, and only once
//! the whole new project is known to be good.

mod hello;
mod mocks;
mod project;
mod reload;
mod running;
mod sample;
mod watch;

use crate::config::suggest::{listed, nearest};
use crate::config::{Config, Mode, Route, ServiceName, Upstream};
use crate::door;

use super::ending::Ending;
use super::root::Root;
use super::serve::{self, ListenArgs};
use super::size::Size;
use super::stop::Stop;
use super::{terminal, token};

use hello::Hello;
use project::{Files, Good, Read};
use reload::Reloader;
use running::Running;
use sample::Sample;
use watch::Watch;

const EXAMPLES: &str = "\
Examples:
  onedoor dev
  onedoor dev --listen 127.0.0.1:0            at any free port
  onedoor dev --real users --real orders      these two are called, the others mocked

An upstream with a `[mock]` in its settings is answered for by the mock, whatever its `url` says.
GraphiQL, introspection and suggestions are on unless the settings say otherwise. A change of `onedoor.toml`,
`upstreams/`, `schema/`, `examples/queries/` or of a mock's data takes effect at once; with a mistake in it the mistake
is shown, and the gateway goes on as before.";

/// Run the gateway with mocked upstreams, for developers
///
/// It prints a query to try, with a token for it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    listen: ListenArgs,
    /// An upstream to call though it has a mock; may be given several times
    #[arg(long, value_name = "UPSTREAM")]
    real: Vec<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// If the project has mistakes at the start, or an address cannot be had.
pub(super) fn run(args: &Args, root: &Root) -> Result<(), Ending> {
    let Read { good, problems, files } = project::read(root.path(), &args.real);
    let Some(good) = good else {
        terminal::show(&problems);
        return Err(Ending::Mistakes);
    };
    refuse_unknown(&args.real, &good.project.config)?;
    serve::start_logging(&good.project.config.log)?;
    terminal::show_briefly(&problems);
    let runtime = serve::runtime()?;
    runtime.block_on(start(args, root, good, files))?;
    // What still runs was cut off by the drain time; nobody waits for it.
    runtime.shutdown_background();
    Ok(())
}

/// The plain paths, each with its service.
fn routes(config: &Config) -> Vec<(String, String)> {
    let of = |(name, upstream): (&ServiceName, &Upstream)| {
        let route = |route: &Route| (route.path.as_str().to_owned(), name.to_string());
        upstream.routes.iter().map(route).collect::<Vec<_>>()
    };
    config.upstreams.iter().flat_map(of).collect()
}

async fn start(args: &Args, root: &Root, good: Good, files: Files) -> Result<(), Ending> {
    let stop = Stop::listen()?;
    let config = good.project.config.clone();
    let watch = Watch::new(project::folders(root.path(), &config));
    let address = args.listen.address(&config);
    let help = "`--listen`, or `listen` in onedoor.toml, chooses another address";
    let listener = serve::bind(address, help).await?;
    let (size, sample) = (Size::of(&good.project), Sample::of(&good.project));
    let running = Running::start(good).await?;
    let hello = Hello {
        size,
        address: listener.local_addr().unwrap_or(address),
        path: config.graphql.path.as_str(),
        console: config.graphql.graphiql.is_on(Mode::Dev).then(door::console_is_whole),
        routes: routes(&config),
        mocks: running.mocks().list(),
        token: token::minted(&config, &[], None)?,
        lifetime: config.dev.token_lifetime,
        sample,
        unwatched: watch.refusal(),
    };
    terminal::print(&hello.to_string())?;
    let router = running.router();
    let reloader = Reloader::new(root, &args.real, config, files, running);
    // It runs beside, so that it holds up no connection.
    let reloading = tokio::spawn(reloader.run(watch));
    door::serve(listener, router, stop.wait()).await;
    // With it go the mocks, which until here answered what was under way.
    reloading.abort();
    Ok(())
}

fn refuse_unknown(real: &[String], config: &Config) -> Result<(), Ending> {
    let known = || config.upstreams.keys().map(|name| name.as_str());
    let Some(unknown) = real.iter().find(|name| !known().any(|known| known == **name)) else {
        return Ok(());
    };
    let help = match nearest(unknown, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", listed(known())),
    };
    Err(Ending::failed(format!("no upstream is named `{unknown}`")).with_help(help))
}
