//! The signals that end a command that runs for long.

use super::ending::Ending;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, caught from the moment this exists.
#[cfg(unix)]
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

#[cfg(unix)]
impl Stop {
    /// Catches the signals, which until then end the process at once.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(super) fn listen() -> Result<Self, Ending> {
        let caught = |kind| {
            let failed = |error| Ending::failed(format!("signals cannot be caught: {error}"));
            signal(kind).map_err(failed)
        };
        let terminate = caught(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: caught(SignalKind::interrupt())? })
    }

    /// Completes when one of them arrives.
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
            _ = self.interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) struct Stop;

#[cfg(not(unix))]
impl Stop {
    /// Nothing is to be done beforehand.
    pub(super) fn listen() -> Result<Self, Ending> {
        Ok(Self)
    }

    /// Completes when it is pressed.
    pub(super) async fn wait(self) {
        // Where it cannot be caught, it ends the process at once.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!(signal = "Ctrl-C", "stopping");
    }
}
