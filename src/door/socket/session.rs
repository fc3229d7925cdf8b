//! One socket's life: who asks is found out once, then operations run side by side until either
//! side ends them.
//!
//! All of it is one task, and nothing is queued for a client that does not read: an operation is
//! asked for its next response only when all before it was written.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, poll_fn};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::failure::Code;
use crate::identity::Identity;

use super::super::{GraphqlRequest, GraphqlResponse, Outcome};
use super::caller::Caller;
use super::close::Close;
use super::message::{self, Incoming, Payload};
use super::operations::{Operations, Step};
use super::outbox::{FRAME, Outbox};

/// How long a client may take to say who it is.
pub(super) const INIT_WAIT: Duration = Duration::from_secs(10);

/// How often the client is pinged.
pub(super) const PING_EVERY: Duration = Duration::from_secs(15);

/// How many pings a client may leave unanswered.
pub(super) const UNANSWERED: u32 = 2;

/// How long a client may take to answer a close.
const CLOSING: Duration = Duration::from_secs(5);

/// Bytes of the buffer that is read into; a longer message makes it longer for a while.
const READ_BUFFER: usize = 4 * 1024;

/// A socket and all that runs on it.
pub(super) struct Session<S> {
    socket: WebSocketStream<S>,
    caller: Caller,
    phase: Phase,
    operations: Operations,
    outbox: Outbox,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
    timer: Pin<Box<Sleep>>,
    next_ping: Instant,
    unanswered: u32,
}

/// How far the connection within the socket is.
enum Phase {
    /// `connection_init` is awaited until then.
    Fresh(Instant),
    /// Who asks is being found out.
    Judging(BoxFuture<'static, Result<Identity, Close>>),
    /// `connection_ack` was sent. A token ends then.
    Acknowledged(Identity, Option<Instant>),
}

/// What a session goes on with.
enum Event {
    /// A message; `None`: the client has gone.
    Read(Option<Result<Message, Error>>),
    Judged(Result<Identity, Close>),
    Stepped(Box<str>, Step),
    /// Something is due.
    Due,
    Draining,
}

/// Why a session ends.
enum End {
    /// The client is not there any longer.
    Gone,
    /// The client closed the socket, and waits for an answer to that.
    Left,
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// A session over a connection that was upgraded. `max` are the bytes of a message.
    pub(super) async fn new(connection: S, caller: Caller, max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            // Each frame is written at once, and its buffer holds one beside answers to pings.
            .write_buffer_size(0)
            .max_write_buffer_size(4 * FRAME)
            .max_message_size(Some(max))
            .max_frame_size(Some(max));
        let now = Instant::now();
        let draining = Box::pin(caller.stop.draining.clone().cancelled_owned());
        Self {
            socket: WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await,
            caller,
            phase: Phase::Fresh(now + INIT_WAIT),
            operations: Operations::default(),
            outbox: Outbox::default(),
            draining,
            timer: Box::pin(sleep_until(now + INIT_WAIT)),
            next_ping: now + PING_EVERY,
            unanswered: 0,
        }
    }

    /// Converses until either side ends it.
    pub(super) async fn run(mut self) {
        let ended = AssertUnwindSafe(self.converse()).catch_unwind().await;
        let end = ended.unwrap_or_else(|_| {
            tracing::error!(request_id = %self.caller.request_id(), "a socket's session panicked");
            Close::Fault.into()
        });
        // What runs ends before a client that takes its time has taken note.
        self.operations.clear();
        match end {
            End::Gone => {}
            End::Left => {
                let answered = async { while self.socket.next().await.is_some() {} };
                let _ = timeout(CLOSING, answered).await;
            }
            End::Close(close) => self.close(close).await,
        }
    }

    /// Closes without a word more.
    pub(super) async fn close(mut self, close: Close) {
        self.caller.line.note_close(close.code());
        let _ = timeout(CLOSING, self.say_goodbye(close)).await;
    }

    async fn say_goodbye(&mut self, close: Close) -> Result<(), Error> {
        // Between the frames of a message too (RFC 6455 section 5.4).
        self.socket.send(Message::Close(Some(close.frame()))).await?;
        while let Some(read) = self.socket.next().await {
            if let Err(error) = read
                && Close::of(&error).is_none()
            {
                return Ok(());
            }
        }
        // What was not read and never will be would reset the connection, and the close be lost.
        let connection = self.socket.get_mut();
        connection.shutdown().await?;
        let mut rest = [0; 1024];
        while connection.read(&mut rest).await? > 0 {}
        Ok(())
    }

    async fn converse(&mut self) -> End {
        loop {
            let event = poll_fn(|cx| self.poll_event(cx)).await;
            if let Err(end) = self.handle(event) {
                return end;
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.draining.poll_unpin(cx).is_ready() {
            return Poll::Ready(Event::Draining);
        }
        if self.timer.poll_unpin(cx).is_ready() {
            return Poll::Ready(Event::Due);
        }
        let written = self.outbox.poll_write(&mut self.socket, cx);
        if let Poll::Ready(Err(error)) = written {
            return Poll::Ready(Event::Read(Some(Err(error))));
        }
        if self.outbox.lets_read()
            && let Poll::Ready(read) = self.socket.poll_next_unpin(cx)
        {
            return Poll::Ready(Event::Read(read));
        }
        if let Phase::Judging(judging) = &mut self.phase
            && let Poll::Ready(judged) = judging.poll_unpin(cx)
        {
            return Poll::Ready(Event::Judged(judged));
        }
        if written.is_ready()
            && let Poll::Ready((id, step)) = self.operations.poll_next(cx)
        {
            return Poll::Ready(Event::Stepped(id, step));
        }
        Poll::Pending
    }

    fn handle(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Read(None) => Err(End::Gone),
            Event::Read(Some(Err(error))) => {
                tracing::debug!(request_id = %self.caller.request_id(), %error, "a socket failed");
                Err(Close::of(&error).map_or(End::Gone, End::Close))
            }
            Event::Read(Some(Ok(message))) => self.read(message),
            Event::Judged(judged) => {
                self.judged(judged?);
                Ok(())
            }
            Event::Stepped(id, step) => {
                self.stepped(&id, step);
                Ok(())
            }
            Event::Due => Ok(self.due()?),
            Event::Draining => Err(Close::Draining.into()),
        }
    }

    fn read(&mut self, message: Message) -> Result<(), End> {
        self.outbox.note_read(message.len());
        self.unanswered = 0;
        match message {
            Message::Text(text) => {
                let incoming = Incoming::parse(text.into()).map_err(Close::Invalid)?;
                Ok(self.received(incoming)?)
            }
            Message::Binary(_) => {
                Err(Close::Invalid("Messages are text, not binary.".into()).into())
            }
            Message::Close(_) => Err(End::Left),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn received(&mut self, incoming: Incoming) -> Result<(), Close> {
        match incoming {
            Incoming::Init(payload) => self.init(&payload),
            Incoming::Ping(payload) => {
                self.outbox.push(message::pong(&payload));
                Ok(())
            }
            Incoming::Pong => Ok(()),
            Incoming::Subscribe(id, request) => self.subscribe(id, *request),
            Incoming::Complete(id) => {
                if let Some(mut line) = self.operations.remove(&id) {
                    line.told.ended = Some("completed by the client");
                }
                Ok(())
            }
        }
    }

    fn init(&mut self, payload: &Payload) -> Result<(), Close> {
        if !matches!(self.phase, Phase::Fresh(_)) {
            return Err(Close::InitialisedTwice);
        }
        self.phase = Phase::Judging(self.caller.judge(payload)?);
        self.set_timer();
        Ok(())
    }

    fn judged(&mut self, identity: Identity) {
        let left = self.caller.door.authenticator.time_left(&identity);
        let ends = left.and_then(|left| Instant::now().checked_add(left));
        self.phase = Phase::Acknowledged(identity, ends);
        self.outbox.push(message::ACK);
        self.set_timer();
    }

    fn subscribe(&mut self, id: Box<str>, request: GraphqlRequest) -> Result<(), Close> {
        let Phase::Acknowledged(identity, _) = &self.phase else { return Err(Close::Unauthorized) };
        // The date may have been set, or the machine slept.
        if self.caller.door.authenticator.time_left(identity).is_some_and(|left| left.is_zero()) {
            return Err(expired());
        }
        if self.operations.contains(&id) {
            return Err(Close::Taken(id));
        }
        let identity = identity.clone();
        let allowed = self.caller.door.limits.socket_operations.get();
        if self.operations.len() >= allowed as usize {
            let message = "The socket has more operations at a time than allowed.";
            self.outbox.push(message::error(&id, Code::TooManyOperations, message));
            return Ok(());
        }
        self.caller.line.note_operation();
        let (stream, line) = self.caller.start(request, identity);
        self.operations.insert(id, stream, line);
        Ok(())
    }

    fn stepped(&mut self, id: &str, step: Step) {
        let (message, ended) = match step {
            Step::Response(response) => {
                if let Some(line) = self.operations.line(id) {
                    line.told.note(&response);
                }
                let GraphqlResponse { body, outcome, .. } = response;
                match outcome {
                    Outcome::Executed => (message::next(id, &body), None),
                    Outcome::RequestError(_) | Outcome::MutationByGet => {
                        (message::errors(id, &body), Some("refused"))
                    }
                }
            }
            Step::End => (message::complete(id), Some("completed")),
            Step::Panic => {
                tracing::error!(request_id = %self.caller.request_id(), "an operation panicked");
                (message::error(id, Code::Internal, "The gateway failed."), Some("failed"))
            }
        };
        self.caller.line.note_sent(message.len());
        self.outbox.push(message);
        if let Some(ended) = ended
            && let Some(mut line) = self.operations.remove(id)
        {
            line.told.ended = Some(ended);
        }
    }

    fn due(&mut self) -> Result<(), Close> {
        let now = Instant::now();
        match &self.phase {
            Phase::Fresh(until) if *until <= now => return Err(Close::NotInitialised),
            Phase::Acknowledged(_, Some(ends)) if *ends <= now => return Err(expired()),
            _ => {}
        }
        if self.next_ping <= now {
            self.next_ping = now + PING_EVERY;
            // Whoever takes what is sent slowly gets the ping as slowly; that they take nothing at
            // all is the connection's affair.
            if self.outbox.is_empty() {
                if self.unanswered >= UNANSWERED {
                    return Err(Close::Silent);
                }
                self.unanswered += 1;
                self.outbox.push_ping();
            }
        }
        self.set_timer();
        Ok(())
    }

    /// The timer is for whatever is due next.
    fn set_timer(&mut self) {
        let other = match &self.phase {
            Phase::Fresh(until) => Some(*until),
            Phase::Judging(_) => None,
            Phase::Acknowledged(_, ends) => *ends,
        };
        let next = other.map_or(self.next_ping, |other| other.min(self.next_ping));
        self.timer.as_mut().reset(next);
    }
}

fn expired() -> Close {
    Close::Forbidden("The token has expired.".into())
}
