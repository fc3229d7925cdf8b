//! What a request may cost: calls to upstreams and time. The numbers are the settings'
//! (`[limits]`); what is counted here is one request's own.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use crate::failure::{Code, Failure};

pub use crate::config::Limits;

/// How many upstream calls a request has left. Shared by everything that calls on its behalf.
#[derive(Debug)]
pub struct UpstreamCalls {
    left: AtomicU32,
}

impl UpstreamCalls {
    /// So many, as `[limits] upstream_calls` says.
    #[must_use]
    pub const fn new(allowed: u32) -> Self {
        Self { left: AtomicU32::new(allowed) }
    }

    /// Takes one call.
    ///
    /// # Errors
    /// If none is left: the call must not be made.
    pub fn take(&self) -> Result<(), Failure> {
        let one_less = |left: u32| left.checked_sub(1);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::new(
                Code::TooManyUpstreamCalls,
                "The request needs more upstream calls than allowed.",
            )),
        }
    }
}

/// When a request that arrived then must be answered.
#[must_use]
pub fn deadline(limits: &Limits, arrived: Instant) -> Instant {
    // The settings allow an hour at most, so that this cannot be too far away to be a time.
    arrived.checked_add(limits.deadline.get()).unwrap_or(arrived)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn exactly_as_many_calls_may_be_made_as_allowed_also_from_several_threads() {
        let calls = Arc::new(UpstreamCalls::new(100));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let calls = Arc::clone(&calls);
                std::thread::spawn(move || (0..50).filter(|_| calls.take().is_ok()).count())
            })
            .collect();
        let made: usize = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(made, 100);
        assert_eq!(calls.take().expect_err("none is left").code, Code::TooManyUpstreamCalls);
    }

    #[test]
    fn the_deadline_is_the_settings_time_after_the_arrival() {
        let (limits, arrived) = (Limits::default(), Instant::now());
        assert_eq!(deadline(&limits, arrived) - arrived, Duration::from_secs(30));
    }
}
