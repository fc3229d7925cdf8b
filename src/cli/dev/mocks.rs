//! The mocks that are being served, each on its own loopback port.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cli::ending::Ending;
use crate::cli::mocked::{MadeFrom, Mocked};
use crate::cli::serve;
use crate::config::ServiceName;
use crate::door::{self, Swap};

/// What is served now. Dropping it ends all of it.
#[derive(Debug, Default)]
pub(super) struct Mocks(BTreeMap<ServiceName, Serving>);

/// One mock on its port.
#[derive(Debug)]
struct Serving {
    at: SocketAddr,
    /// The port that the settings say.
    port: Option<u16>,
    file: String,
    made_from: MadeFrom,
    swap: Swap,
    _stop: DropGuard,
}

/// What is to be served next: every port is had already, nothing is served yet.
#[derive(Debug)]
pub(super) struct Next(BTreeMap<ServiceName, Prepared>);

#[derive(Debug)]
struct Prepared {
    mocked: Mocked,
    at: SocketAddr,
    /// `None`: the port is the one it has now.
    listener: Option<TcpListener>,
}

impl Mocks {
    /// Takes the ports that are needed beside those it has.
    ///
    /// # Errors
    /// If one is taken.
    pub(super) async fn prepare(
        &self,
        wanted: BTreeMap<ServiceName, Mocked>,
    ) -> Result<Next, Ending> {
        let mut next = BTreeMap::new();
        for (name, mocked) in wanted {
            let kept = self.0.get(&name).filter(|now| now.port == mocked.port);
            let (at, listener) = match kept {
                Some(now) => (now.at, None),
                None => {
                    let listener = listen(&name, mocked.port).await?;
                    (listener.local_addr()?, Some(listener))
                }
            };
            next.insert(name, Prepared { mocked, at, listener });
        }
        Ok(Next(next))
    }

    /// Serves what was prepared, and nothing else any more. A mock whose data and settings are the
    /// same keeps what was written to it.
    pub(super) fn apply(&mut self, Next(next): Next) {
        let mut now = std::mem::take(&mut self.0);
        for (name, Prepared { mocked, at, listener }) in next {
            let serving = match (now.remove(&name), listener) {
                (Some(mut serving), None) => {
                    serving.take_on(mocked);
                    serving
                }
                (_, Some(listener)) => Serving::start(mocked, at, listener),
                // Not prepared by this very `self`: there is no socket to serve it on.
                (None, None) => continue,
            };
            self.0.insert(name, serving);
        }
    }

    /// Name, address and file of each.
    pub(super) fn list(&self) -> Vec<(String, SocketAddr, String)> {
        let each = |(name, serving): (&ServiceName, &Serving)| {
            (name.to_string(), serving.at, serving.file.clone())
        };
        self.0.iter().map(each).collect()
    }
}

impl Next {
    /// Where each will be found.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&ServiceName, SocketAddr)> {
        self.0.iter().map(|(name, prepared)| (name, prepared.at))
    }
}

impl Serving {
    fn start(mocked: Mocked, at: SocketAddr, listener: TcpListener) -> Self {
        let Mocked { mock, port, file, made_from } = mocked;
        let swap = Swap::new(mock.router());
        let stop = CancellationToken::new();
        tokio::spawn(door::serve(listener, swap.router(), stop.clone().cancelled_owned()));
        Self { at, port, file, made_from, swap, _stop: stop.drop_guard() }
    }

    fn take_on(&mut self, mocked: Mocked) {
        if self.made_from != mocked.made_from {
            self.swap.replace(mocked.mock.router());
        }
        self.made_from = mocked.made_from;
        self.file = mocked.file;
    }
}

async fn listen(name: &ServiceName, port: Option<u16>) -> Result<TcpListener, Ending> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let help = format!(
        "it is for the mock of `{name}`: `[mock] port` in upstreams/{name}.toml chooses another, \
         and without it the system picks one"
    );
    serve::bind(address, &help).await
}
