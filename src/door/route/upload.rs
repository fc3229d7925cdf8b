//! A client's body on its way through: within its size, and without silences that are too long.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::door::reply::Refused;
use crate::failure::Code;
use crate::upstream::pass;

/// How much a client may send, and how long it may be silent while it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) size: Option<u64>,
    pub(super) silence: Duration,
}

/// What a client did wrong with its body. The call ends with some error of the upstream's then; the
/// cause is here.
#[derive(Debug, Clone, Default)]
pub(super) struct Blame(Arc<Mutex<Option<Wrong>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("the client's body is larger than allowed")]
    TooLarge,
    #[error("the client's body is not whole")]
    Broken,
    #[error("the client's body did not come in time")]
    Silent,
}

impl Blame {
    /// How the request is refused, if it was the client.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(Wrong::refused)
    }
}

impl Wrong {
    fn refused(self) -> Refused {
        match self {
            Self::TooLarge => {
                Refused::new(Code::RequestTooLarge, "The body is larger than allowed.")
            }
            Self::Broken => Refused::malformed("The body is not whole."),
            Self::Silent => {
                Refused::by_http(StatusCode::REQUEST_TIMEOUT, "The body did not come in time.")
            }
        }
    }
}

/// The body as it is passed on, if there is one, and who is to blame if it breaks off. Nothing of
/// it is read yet: a client that waits for `100 Continue` gets it when the upstream wants the body.
///
/// # Errors
/// If it announces more than is allowed.
pub(super) fn upload(body: Body, bounds: Bounds) -> Result<(Option<pass::Upload>, Blame), Refused> {
    let blame = Blame::default();
    let (hint, ended) = (body.size_hint(), body.is_end_stream());
    if bounds.size.is_some_and(|most| hint.lower() > most) {
        return Err(Wrong::TooLarge.refused());
    }
    if ended {
        return Ok((None, blame));
    }
    let pieces = Bounded {
        pieces: body.into_data_stream(),
        left: bounds.size.unwrap_or(u64::MAX),
        silence: bounds.silence,
        timer: Box::pin(sleep_until(Instant::now())),
        waiting: false,
        blame: blame.clone(),
    };
    let upload = pass::Upload { length: hint.exact(), pieces: Box::pin(pieces) };
    Ok((Some(upload), blame))
}

struct Bounded {
    pieces: BodyDataStream,
    left: u64,
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    blame: Blame,
}

impl Bounded {
    fn wrong(&self, wrong: Wrong) -> pass::Fault {
        *self.blame.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wrong);
        wrong.into()
    }

    fn within(&mut self, piece: Bytes) -> Result<Bytes, pass::Fault> {
        match self.left.checked_sub(piece.len() as u64) {
            Some(left) => {
                self.left = left;
                Ok(piece)
            }
            None => Err(self.wrong(Wrong::TooLarge)),
        }
    }
}

impl Stream for Bounded {
    type Item = Result<Bytes, pass::Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = self.pieces.poll_next_unpin(cx) {
            self.waiting = false;
            return Poll::Ready(piece.map(|piece| match piece {
                Ok(piece) => self.within(piece),
                Err(_) => Err(self.wrong(Wrong::Broken)),
            }));
        }
        if !self.waiting
            && let Some(until) = Instant::now().checked_add(self.silence)
        {
            self.timer.as_mut().reset(until);
            self.waiting = true;
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) if self.waiting => {
                self.waiting = false;
                Poll::Ready(Some(Err(self.wrong(Wrong::Silent))))
            }
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;

    use super::*;

    type Sender = mpsc::UnboundedSender<Result<Bytes, std::io::Error>>;

    fn bounded(size: Option<u64>) -> (Sender, pass::Pieces, Blame) {
        let (pieces, body) = mpsc::unbounded();
        let bounds = Bounds { size, silence: Duration::from_secs(30) };
        let (upload, blame) = upload(Body::from_stream(body), bounds).expect("nothing announced");
        (pieces, upload.expect("there is a body").pieces, blame)
    }

    fn piece(text: &'static str) -> Result<Bytes, std::io::Error> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    fn wrong(blame: &Blame) -> Option<Wrong> {
        *blame.0.lock().expect("no panic")
    }

    #[tokio::test(start_paused = true)]
    async fn each_piece_has_its_time_and_silence_ends_the_body() {
        let (pieces, mut body, blame) = bounded(None);
        for _ in 0..3 {
            let sender = pieces.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(29)).await;
                sender.unbounded_send(piece("x")).expect("it reads");
            });
            assert!(matches!(body.next().await, Some(Ok(_))));
        }
        let started = Instant::now();
        assert!(matches!(body.next().await, Some(Err(_))));
        assert_eq!(started.elapsed().as_secs(), 30);
        assert_eq!(wrong(&blame), Some(Wrong::Silent));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_as_large_as_allowed_and_not_a_byte_larger() {
        for (last, expected) in [("45", None), ("456", Some(Wrong::TooLarge))] {
            let (pieces, mut body, blame) = bounded(Some(5));
            pieces.unbounded_send(piece("123")).expect("it reads");
            pieces.unbounded_send(piece(last)).expect("it reads");
            assert!(matches!(body.next().await, Some(Ok(_))));
            assert_eq!(body.next().await.is_some_and(|piece| piece.is_ok()), expected.is_none());
            assert_eq!(wrong(&blame), expected);
        }
    }

    #[test]
    fn what_announces_too_much_is_not_read_and_what_is_empty_is_none() {
        let bounds = Bounds { size: Some(5), silence: Duration::from_secs(30) };
        assert!(upload(Body::from("123456"), bounds).is_err());
        let (upload, _) = upload(Body::empty(), bounds).expect("it fits");
        assert!(upload.is_none());
    }
}
