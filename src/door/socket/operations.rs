//! The operations that run on one socket: each answers when it can, none waits for another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use futures::task::AtomicWaker;
use indexmap::IndexMap;

use super::super::GraphqlResponse;
use super::log::OperationLine;

/// Operations that have not ended, by their ids.
#[derive(Default)]
pub(super) struct Operations {
    running: IndexMap<Box<str>, Running>,
    /// Who polls them.
    session: Arc<AtomicWaker>,
    /// Whose turn it is to be looked at first.
    turn: usize,
}

/// One operation. To drop it is to end all that it began.
struct Running {
    stream: BoxStream<'static, GraphqlResponse>,
    ring: Arc<Ring>,
    line: OperationLine,
}

/// Tells that one operation has something to say, so that the others are not asked.
struct Ring {
    rang: AtomicBool,
    session: Arc<AtomicWaker>,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        self.session.wake();
    }
}

/// What an operation comes with.
pub(super) enum Step {
    /// A response.
    Response(GraphqlResponse),
    /// There are no more.
    End,
    /// It panicked.
    Panic,
}

impl Operations {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Starts one, by an id that no other has.
    pub(super) fn insert(
        &mut self,
        id: Box<str>,
        stream: BoxStream<'static, GraphqlResponse>,
        line: OperationLine,
    ) {
        let ring = Ring { rang: AtomicBool::new(true), session: Arc::clone(&self.session) };
        self.running.insert(id, Running { stream, ring: Arc::new(ring), line });
    }

    /// Ends one; gives its line of the log, which is written when it is dropped.
    pub(super) fn remove(&mut self, id: &str) -> Option<OperationLine> {
        self.running.swap_remove(id).map(|running| running.line)
    }

    /// The line of one.
    pub(super) fn line(&mut self, id: &str) -> Option<&mut OperationLine> {
        self.running.get_mut(id).map(|running| &mut running.line)
    }

    /// Ends all.
    pub(super) fn clear(&mut self) {
        self.running.clear();
    }

    /// The next step of any of them, each in its turn.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Box<str>, Step)> {
        self.session.register(cx.waker());
        let count = self.running.len();
        for _ in 0..count {
            self.turn = (self.turn + 1) % count;
            let Some((id, running)) = self.running.get_index_mut(self.turn) else { continue };
            if !running.ring.rang.swap(false, Ordering::Acquire) {
                continue;
            }
            if let Poll::Ready(step) = running.poll() {
                // It may have more.
                running.ring.rang.store(true, Ordering::Release);
                return Poll::Ready((id.clone(), step));
            }
        }
        Poll::Pending
    }
}

impl Running {
    fn poll(&mut self) -> Poll<Step> {
        let waker = Waker::from(Arc::clone(&self.ring));
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| self.stream.poll_next_unpin(&mut cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Some(response))) => Poll::Ready(Step::Response(response)),
            Ok(Poll::Ready(None)) => Poll::Ready(Step::End),
            Err(_) => Poll::Ready(Step::Panic),
        }
    }
}
