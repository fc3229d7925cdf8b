//! `onedoor serve`: the gateway, for production. All it tells is its log.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::config::{Config, Log, LogFormat, Mode, Problems, Severity};
use crate::door;
use crate::gateway::Gateway;
use crate::observe;
use crate::upstream::BuildError;

use super::ending::Ending;
use super::root::Root;
use super::size::Size;
use super::stop::Stop;

const EXAMPLES: &str = "\
Examples:
  onedoor serve
  onedoor serve --root /etc/onedoor --listen 0.0.0.0:4000
  RUST_LOG=onedoor=debug onedoor serve

SIGTERM and SIGINT (Ctrl-C) end it within a second: it takes no further connection, answers what it
was asked before, and ends with 0. `/health/live` and `/health/ready` tell whether it runs.";

/// Run the gateway
///
/// Mistakes of the project are shown all at once, and nothing starts; warnings are logged.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) listen: ListenArgs,
}

/// Where to listen.
#[derive(Debug, clap::Args)]
pub(super) struct ListenArgs {
    /// The address to listen at; port 0 lets the system pick one [default: `listen` in
    /// onedoor.toml]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    listen: Option<SocketAddr>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// If the project has mistakes, or the address cannot be had.
pub(super) fn run(args: &Args, root: &Root) -> Result<(), Ending> {
    let (project, warnings) = root.load()?;
    start_logging(&project.config.log)?;
    log_warnings(&warnings);
    let (size, address) = (Size::of(&project), args.listen.address(&project.config));
    let path = project.config.graphql.path.to_string();
    let gateway = Gateway::new(project, Mode::Serve).map_err(|error| cannot_build(&error))?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let stop = Stop::listen()?;
        let listener = bind(address, "give another with `--listen`").await?;
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, graphql = path, project = %size, "listening");
        door::serve(listener, gateway.router(), stop.wait()).await;
        tracing::info!("stopped");
        Ok::<_, Ending>(())
    })?;
    // What still runs was cut off by the drain time; nobody waits for it.
    runtime.shutdown_background();
    Ok(())
}

impl ListenArgs {
    /// The address of the command line, else of the settings.
    pub(super) fn address(&self, config: &Config) -> SocketAddr {
        self.listen.unwrap_or(config.listen)
    }
}

/// The runtime of a gateway: a worker for each core.
///
/// # Errors
/// If the system gives no threads.
pub(super) fn runtime() -> Result<Runtime, Ending> {
    let runtime = Builder::new_multi_thread().enable_all().thread_name("onedoor").build();
    runtime.map_err(|error| Ending::failed(format!("no threads can be started: {error}")))
}

/// A socket at this address.
///
/// # Errors
/// If it is taken, forbidden or not this machine's.
pub(super) async fn bind(address: SocketAddr, help: &str) -> Result<TcpListener, Ending> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
            io::ErrorKind::AddrNotAvailable => "it is not an address of this machine".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not listen there".to_owned(),
            _ => error.to_string(),
        };
        Ending::failed(format!("cannot listen at {address}: {why}")).with_help(help)
    })
}

/// Logging as the settings say.
///
/// # Errors
/// If `RUST_LOG` is no filter.
pub(super) fn start_logging(log: &Log) -> Result<(), Ending> {
    let format = match log.format {
        LogFormat::Auto => observe::LogFormat::Auto,
        LogFormat::Pretty => observe::LogFormat::Pretty,
        LogFormat::Json => observe::LogFormat::Json,
    };
    Ok(observe::start_logging(format, log.level.as_str())?)
}

/// A gateway whose clients cannot be made.
pub(super) fn cannot_build(error: &BuildError) -> Ending {
    let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Ending::failed(format!("{error}{why}"))
}

fn log_warnings(problems: &Problems) {
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Warning) {
        let place = problem.source.and_then(|source| {
            let file = problems.sources.get(source)?;
            Some(format!("{}:{}", file.name, file.position(problem.span.start)))
        });
        let place = place.unwrap_or_default();
        tracing::warn!(place, help = problem.help.as_deref(), "{}", problem.message);
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| {
        "write an IP address and a port: `127.0.0.1:4000` for this machine only, `0.0.0.0:4000` or \
         `[::]:4000` for every network it is in"
    })
}
