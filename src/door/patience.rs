//! A connection that is given up when its other end takes nothing for too long: whoever asks and
//! does not read must not hold a call to an upstream for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream whose writes fail when none gets through for a while.
pub(super) struct Patience<S> {
    stream: S,
    longest: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether a write is waiting, and the timer runs.
    waiting: bool,
}

impl<S> Patience<S> {
    pub(super) fn new(stream: S, longest: Duration) -> Self {
        Self { stream, longest, timer: Box::pin(sleep(longest)), waiting: false }
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        if !self.waiting {
            self.waiting = true;
            self.timer.as_mut().reset(Instant::now() + self.longest);
        }
        let timed_out = || io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing");
        self.timer.as_mut().poll(cx).map(|()| Err(timed_out()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_reader_may_be_as_slow_as_it_likes_as_long_as_it_reads() {
        let (ours, mut theirs) = duplex(4);
        let mut ours = Patience::new(ours, LONGEST);
        let reading = tokio::spawn(async move {
            let mut byte = [0];
            for _ in 0..20 {
                sleep(LONGEST - Duration::from_secs(1)).await;
                theirs.read_exact(&mut byte).await.expect("still open");
            }
        });
        ours.write_all(&[1; 20]).await.expect("each byte in time");
        reading.await.expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up() {
        let (ours, _theirs) = duplex(4);
        let mut ours = Patience::new(ours, LONGEST);
        let started = Instant::now();
        let error = ours.write_all(&[1; 20]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), LONGEST.as_secs());
    }
}
