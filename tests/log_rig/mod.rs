//! What a test's own subscriber has logged.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Where a subscriber writes.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Writes here whatever this thread logs, as JSON, until the guard is dropped.
    #[allow(dead_code, reason = "each test program uses its part")]
    pub(crate) fn start(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(self.subscriber())
    }

    /// Writes here whatever any thread logs. Where some of a program's tests read the log, it must be
    /// so: what is first logged by a thread without a subscriber may be taken for not wanted at all.
    #[allow(dead_code, reason = "each test program uses its part")]
    pub(crate) fn start_for_all(&self) {
        tracing::subscriber::set_global_default(self.subscriber()).expect("the only one");
    }

    fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        let writer = self.clone();
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish()
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
