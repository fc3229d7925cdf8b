//! What time it is: how old an answer is, and whether a token is still valid.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock: the machine's, or one that a test reads or moves. (What is done every so often goes by
/// the runtime's own time, which can be paused as well.)
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine { started: Instant },
    Hand { millis: Arc<AtomicU64> },
    Told { date: Arc<dyn Fn() -> SystemTime + Send + Sync> },
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

    /// A clock that shows what this says.
    pub fn told(date: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Source::Told { date: Arc::new(date) })
    }

    /// Moves a clock that stands still; any other goes its own way.
    pub fn advance(&self, by: Duration) {
        if let Source::Hand { millis } = &self.0 {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            millis.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// The time since some moment. The machine's never goes back, whatever its date does.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::Machine { started } => started.elapsed(),
            Source::Hand { millis } => Duration::from_millis(millis.load(Ordering::Relaxed)),
            Source::Told { date } => date().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// The date and time, by which other machines' dates are judged.
    #[must_use]
    pub fn date(&self) -> SystemTime {
        match &self.0 {
            Source::Machine { .. } => SystemTime::now(),
            Source::Hand { .. } => UNIX_EPOCH + self.elapsed(),
            Source::Told { date } => date(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::machine()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
