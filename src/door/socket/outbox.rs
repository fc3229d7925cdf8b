//! What waits to be written to a socket: never more than one response, and the little that answers
//! what was read meanwhile.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::{Sink, SinkExt as _};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Bytes of a frame. A longer message goes out in several, so that no copy of it is made, and so
/// that each has left before the next is copied.
pub(super) const FRAME: usize = 16 * 1024;

/// Bytes that are read at most while nothing can be written.
const CREDIT: usize = 64 * 1024;

/// What each message that is read costs beside its bytes: the answer to it.
const ANSWER: usize = 512;

/// Messages on their way out, in order.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
    /// What of a message has not gone out yet, of one that has begun to.
    begun: Option<Bytes>,
    unflushed: bool,
    /// Bytes that were read since all was written the last time.
    read: usize,
}

enum Outgoing {
    Text(Bytes),
    Ping,
}

impl Outbox {
    /// Sends a message, after all others.
    pub(super) fn push(&mut self, message: Bytes) {
        self.waiting.push_back(Outgoing::Text(message));
    }

    /// Sends a ping of WebSocket's.
    pub(super) fn push_ping(&mut self) {
        self.waiting.push_back(Outgoing::Ping);
    }

    /// Notes that so much was read; there may be something to write for it.
    pub(super) fn note_read(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(bytes).saturating_add(ANSWER);
        // An answer to a ping of WebSocket's is written by the library, which must be asked to.
        self.unflushed = true;
    }

    /// Whether more may be read: who does not read is not listened to for ever.
    pub(super) fn lets_read(&self) -> bool {
        self.read < CREDIT
    }

    /// Whether all was written.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.begun.is_none() && !self.unflushed
    }

    /// Writes as much as the socket takes; ready when that is all.
    pub(super) fn poll_write<S>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>>
    where
        S: Sink<Message, Error = Error> + Unpin,
    {
        loop {
            if self.begun.is_none() && self.waiting.is_empty() {
                break;
            }
            ready!(socket.poll_ready_unpin(cx))?;
            let Some(message) = self.next_frame() else { break };
            socket.start_send_unpin(message)?;
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(socket.poll_flush_unpin(cx))?;
            self.unflushed = false;
        }
        self.read = 0;
        Poll::Ready(Ok(()))
    }

    fn next_frame(&mut self) -> Option<Message> {
        let (mut rest, of) = match self.begun.take() {
            Some(rest) => (rest, Data::Continue),
            None => match self.waiting.pop_front()? {
                Outgoing::Text(text) => (text, Data::Text),
                Outgoing::Ping => return Some(Message::Ping(Bytes::new())),
            },
        };
        let piece = rest.split_to(rest.len().min(FRAME));
        let header = FrameHeader {
            is_final: rest.is_empty(),
            opcode: OpCode::Data(of),
            ..FrameHeader::default()
        };
        self.begun = (!rest.is_empty()).then_some(rest);
        Some(Message::Frame(Frame::from_payload(header, piece)))
    }
}
