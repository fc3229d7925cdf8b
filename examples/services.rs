//! The services behind the gateway, by themselves: slow and unreliable as you like, for `onedoor
//! serve` or a gateway of your own in front of them.
//!
//!     cargo run --example services -- --latency 200ms --fail 0.1
//!     cargo run --example services -- --latency payments=2s --fail orders=1
//!
//! Each upstream of the project that has a `[mock]` in its settings is served from its data, at its
//! port: for the shop of this repository users, payments, orders and notifications at 127.0.0.1:3001 to 3004, where
//! `onedoor serve` looks for them. `onedoor dev` serves the same, but its gateway comes along.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use onedoor::cli::mock::{self, Mock, Options};
use onedoor::config::{self, ProcessEnv, Upstream};
use onedoor::gateway::Project;
use tokio::net::TcpListener;

/// Serves a project's mocks without its gateway
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The project's folder [default: this repository]
    #[arg(default_value = env!("CARGO_MANIFEST_DIR"), hide_default_value = true)]
    project: PathBuf,
    /// How long each answer takes, `200ms`; of one service, `payments=2s`. The last one counts
    #[arg(long, value_name = "[SERVICE=]TIME")]
    latency: Vec<For<Latency>>,
    /// The share of answers that are a 503, `0.1`; of one service, `orders=1`. The last one counts
    #[arg(long, value_name = "[SERVICE=]SHARE")]
    fail: Vec<For<Share>>,
    /// Take any free ports instead of the settings'
    #[arg(long)]
    any_port: bool,
}

/// One service, listening.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) options: Options,
    listener: TcpListener,
    mock: Mock,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let services = open(&args).await?;
    for Service { name, address, options, .. } in &services {
        let Options { latency, failure_rate, .. } = options;
        println!("{name:<10} http://{address}  {latency:?} an answer, {failure_rate} of them fail");
    }
    if args.any_port {
        let url = |Service { name, address, .. }: &Service| {
            format!("{}_URL=http://{address} ", name.to_uppercase())
        };
        println!("{}onedoor serve", services.iter().map(url).collect::<String>());
    } else {
        println!("In another terminal: onedoor serve");
    }
    let serving = services.into_iter().map(Service::serve);
    futures::future::try_join_all(serving).await?;
    Ok(())
}

/// Reads the project and takes a port for each of its mocks.
pub(crate) async fn open(args: &Args) -> Result<Vec<Service>, Box<dyn Error>> {
    let (project, problems) = Project::load(&args.project, &ProcessEnv);
    let project = project.ok_or_else(|| problems.render(false))?;
    let mocked = || project.config.upstreams.values().filter(|upstream| upstream.mock.is_some());
    let named =
        args.latency.iter().map(|of| &of.service).chain(args.fail.iter().map(|of| &of.service));
    for name in named.flatten() {
        if !mocked().any(|upstream| upstream.name.as_str() == name) {
            let known: Vec<_> = mocked().map(|upstream| upstream.name.as_str()).collect();
            return Err(format!("no mock is named `{name}`; there are {}", known.join(", ")).into());
        }
    }
    let mut services = Vec::new();
    for upstream in mocked() {
        services.extend(Service::open(args, upstream).await?);
    }
    if services.is_empty() {
        return Err("no upstream of this project has a `[mock]` in its settings".into());
    }
    Ok(services)
}

impl Service {
    /// `None`: the upstream has no mock.
    async fn open(args: &Args, upstream: &Upstream) -> Result<Option<Self>, Box<dyn Error>> {
        let Some(settings) = &upstream.mock else { return Ok(None) };
        let name = upstream.name.as_str().to_owned();
        let data = read(&args.project.join(settings.data.as_str()))?;
        let options = Options {
            latency: last(&args.latency, &name).map_or(settings.latency, |Latency(time)| time),
            failure_rate: last(&args.fail, &name).map_or(settings.failure_rate, |Share(of)| of),
            ..Options::from(settings)
        };
        let mock = Mock::new(data, options.clone())?;
        let port = settings.port.filter(|_| !args.any_port).unwrap_or(0);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| {
            format!("port {port} for {name} cannot be had: {error}; `--any-port` takes another")
        })?;
        Ok(Some(Self { name, address: listener.local_addr()?, options, listener, mock }))
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self) -> std::io::Result<()> {
        mock::serve(self.listener, self.mock, std::future::pending()).await
    }
}

fn read(file: &Path) -> Result<serde_json::Value, Box<dyn Error>> {
    let told = |error: &dyn Error| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| told(&error))?;
    Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
}

/// A value for one service, or for all.
#[derive(Debug, Clone)]
struct For<T> {
    service: Option<String>,
    value: T,
}

impl<T: FromStr> FromStr for For<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let (service, value) = match text.split_once('=') {
            Some((service, value)) => (Some(service.to_owned()), value),
            None => (None, text),
        };
        Ok(Self { service, value: value.parse()? })
    }
}

/// The last value that is this service's.
fn last<T: Copy>(values: &[For<T>], name: &str) -> Option<T> {
    let its = |of: &&For<T>| of.service.as_deref().is_none_or(|service| service == name);
    values.iter().rfind(its).map(|of| of.value)
}

/// The longest latency, in milliseconds.
const HOUR: u64 = 60 * 60 * 1000;

#[derive(Debug, Clone, Copy)]
struct Latency(Duration);

impl FromStr for Latency {
    type Err = serde_json::Error;

    /// As in the settings.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(text.into()).map(|time: config::Duration<0, HOUR>| Self(time.get()))
    }
}

#[derive(Debug, Clone, Copy)]
struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Self(share)),
            _ => Err("it is a share of all answers: a number from 0 to 1".to_owned()),
        }
    }
}
