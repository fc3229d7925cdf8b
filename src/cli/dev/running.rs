//! The gateway and the mocks that run now, and how others take their place.

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

use axum::Router;

use crate::cli::ending::Ending;
use crate::cli::serve::cannot_build;
use crate::config::{Mode, UpstreamUrl};
use crate::door::Swap;
use crate::gateway::Gateway;

use super::mocks::{Mocks, Next};
use super::project::Good;

/// What runs. Dropping it ends the mocks.
#[derive(Debug)]
pub(super) struct Running {
    swap: Swap,
    mocks: Mocks,
}

impl Running {
    /// Starts the mocks, and a gateway over them.
    ///
    /// # Errors
    /// If a port is taken.
    pub(super) async fn start(good: Good) -> Result<Self, Ending> {
        let mut mocks = Mocks::default();
        let (gateway, next) = prepare(good, &mocks).await?;
        mocks.apply(next);
        Ok(Self { swap: Swap::new(gateway.router()), mocks })
    }

    /// Puts another gateway and other mocks in their place. What is being answered is answered to
    /// its end.
    ///
    /// # Errors
    /// If a port is taken; then nothing has changed.
    pub(super) async fn replace(&mut self, good: Good) -> Result<(), Ending> {
        let (gateway, next) = prepare(good, &self.mocks).await?;
        self.mocks.apply(next);
        self.swap.replace(gateway.router());
        Ok(())
    }

    /// What is to be served.
    pub(super) fn router(&self) -> Router {
        self.swap.router()
    }

    /// The mocks.
    pub(super) fn mocks(&self) -> &Mocks {
        &self.mocks
    }
}

/// Everything that may fail. Each mocked upstream is called where its mock is; the path of its
/// `url` is the service's own affair, and a mock has none.
async fn prepare(good: Good, mocks: &Mocks) -> Result<(Gateway, Next), Ending> {
    let Good { mut project, mocked } = good;
    let next = mocks.prepare(mocked).await?;
    for (name, address) in next.addresses() {
        if let Some(upstream) = project.config.upstreams.get_mut(name) {
            upstream.url = url(&format!("http://{address}"))?;
        }
    }
    let gateway = Gateway::new(project, Mode::Dev).map_err(|error| cannot_build(&error))?;
    Ok((gateway, next))
}

fn url(text: &str) -> Result<UpstreamUrl, Ending> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    UpstreamUrl::deserialize(text).map_err(|error| Ending::failed(error.to_string()))
}
