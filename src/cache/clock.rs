//! The time that freshness is measured by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// A clock: the machine's, or one that a test moves.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Machine { started: Instant },
    Hand { millis: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Self {
        Self(Source::Machine { started: Instant::now() })
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it. It begins in 1970, so
    /// that dates in tests can be written down. Clones are the same clock.
    #[must_use]
    pub fn hand() -> Self {
        Self(Source::Hand { millis: Arc::default() })
    }

    /// Moves a clock that stands still; the machine's goes its own way.
    pub fn advance(&self, by: Duration) {
        if let Source::Hand { millis } = &self.0 {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            millis.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// The time since the clock was made. It never goes back.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::Machine { started } => started.elapsed(),
            Source::Hand { millis } => Duration::from_millis(millis.load(Ordering::Relaxed)),
        }
    }

    /// The date and time, by which other machines' dates are judged.
    #[must_use]
    pub fn date(&self) -> SystemTime {
        match &self.0 {
            Source::Machine { .. } => SystemTime::now(),
            Source::Hand { .. } => SystemTime::UNIX_EPOCH + self.elapsed(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::machine()
    }
}
