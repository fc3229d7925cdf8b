//! Streams of Server-Sent Events from upstreams. A stream is opened once for all subscribers who may
//! share it, is opened again where it breaks off, and is closed when the last of them has gone.
//!
//! No queue grows: a stream is read as fast as the fastest of its subscribers takes events, and who
//! falls too far behind the others is told so and left out.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Wire;
use super::answer::Content;
use super::calls::{Asking, forwarded, note};
use super::kept::{Ask, Flown};
use super::trace::Ended;
use crate::cache::{NotKept, Partition, is_private};
use crate::failure::{Code, Failure};
use crate::observe::{Outcome, RequestId, TraceContext};
use crate::plan::FetchId;
use crate::upstream::{self, CallContext, CallerHeaders, Events, Opened};

/// How many events a subscriber may be behind the fastest one.
const BEHIND: usize = 64;
/// How long a stream that broke off rests before it is opened again, unless the upstream says.
const REST: Duration = Duration::from_secs(1);
/// The longest rest.
const REST_MOST: Duration = Duration::from_secs(30);
/// How often in a row a stream may fail to open again.
const TRIES: u32 = 10;

/// The streams that are open.
#[derive(Default)]
pub struct Feeds(Mutex<HashMap<FeedKey, Weak<Feed>>>);

/// What a stream was asked for, and who may share it; `None`: everybody. Compared whole.
#[derive(Clone, PartialEq, Eq, Hash)]
struct FeedKey {
    ask: Ask,
    whose: Option<Arc<Partition>>,
}

/// One open stream.
struct Feed {
    told: broadcast::Sender<Told>,
    state: watch::Receiver<State>,
    pace: Arc<Pace>,
    /// For whom it was opened.
    opener: Arc<Partition>,
    _reader: DropGuard,
}

/// How far a stream is.
#[derive(Clone)]
enum State {
    Opening,
    /// Whether only the caller it was opened for may have it.
    Open {
        private: bool,
    },
    Ended(Option<Arc<Failure>>),
}

/// What the subscribers of a stream are told.
#[derive(Clone)]
enum Told {
    Event(Arc<str>, Flown),
    Ended(Option<Arc<Failure>>),
}

/// An event, which stands for the answer of a fetch.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) fetch: FetchId,
    pub(super) brought: Flown,
}

/// What a subscriber hears of.
#[derive(Debug)]
pub enum Happening {
    /// An event of the type it listens for.
    Event(Event),
    /// So many events were lost on it, since it takes them too slowly.
    Lost(u64),
    /// There will be no more: the upstream has ended them, or has failed.
    Ended(Option<Arc<Failure>>),
}

/// A subscriber of a stream. Dropping the last one closes the upstream's connection.
pub struct Listener {
    feed: Arc<Feed>,
    told: broadcast::Receiver<Told>,
    of: Box<str>,
    fetch: FetchId,
}

impl Feeds {
    /// Joins the stream that is open for this request, or opens one, and waits until it is open.
    pub(super) async fn listen(
        &self,
        wire: &Wire,
        asking: &Asking,
        of: &str,
    ) -> Result<Listener, Arc<Failure>> {
        let headers = wire.caller(&asking.service.name)?;
        let (service, request) = (Arc::clone(&asking.service.name), Arc::clone(&asking.request));
        let ask = Ask { service, request, forwarded: forwarded(headers) };
        let tells_who =
            asking.of_caller || !headers.identity.is_empty() || !headers.forwarded.is_empty();
        let own = Some(Arc::clone(&wire.partition));
        let whose = if tells_who { own.clone() } else { None };
        let key = FeedKey { ask: ask.clone(), whose };
        let (listener, is_first) = self.join(key, wire, asking, of)?;
        let private = listener.opened(wire, asking, is_first).await?;
        if !private || listener.feed.opener == wire.partition {
            return Ok(listener);
        }
        // It turned out to be meant for the one who opened it.
        let (listener, is_first) = self.join(FeedKey { ask, whose: own }, wire, asking, of)?;
        listener.opened(wire, asking, is_first).await?;
        Ok(listener)
    }

    /// A subscriber of this stream, and whether it is the first.
    fn join(
        &self,
        key: FeedKey,
        wire: &Wire,
        asking: &Asking,
        of: &str,
    ) -> Result<(Listener, bool), Arc<Failure>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = |feed: Arc<Feed>| {
            let told = feed.told.subscribe();
            Listener { feed, told, of: of.into(), fetch: asking.fetch }
        };
        let found = open.get(&key).and_then(Weak::upgrade).map(listener);
        // It has subscribed before it looks, so that an end from now on is told to it.
        if let Some(found) = found.filter(|found| !found.feed.has_ended()) {
            return Ok((found, false));
        }
        wire.budget.take().map_err(|failure| Arc::new(failure.of(&asking.service.name, None)))?;
        let feed = Arc::new(Feed::open(Opening::new(wire, asking)?, &wire.partition));
        let first = listener(Arc::clone(&feed));
        open.retain(|_, feed| feed.strong_count() > 0);
        open.insert(key, Arc::downgrade(&feed));
        Ok((first, true))
    }
}

impl Feed {
    fn open(opening: Opening, opener: &Arc<Partition>) -> Self {
        let (told, _) = broadcast::channel(BEHIND);
        let (state, seen) = watch::channel(State::Opening);
        let pace = Arc::<Pace>::default();
        let reader = Reader { told: told.clone(), state, pace: Arc::clone(&pace), opening };
        let gone = CancellationToken::new();
        tokio::spawn(gone.clone().run_until_cancelled_owned(reader.run()));
        let opener = Arc::clone(opener);
        Self { told, state: seen, pace, opener, _reader: gone.drop_guard() }
    }

    fn has_ended(&self) -> bool {
        matches!(*self.state.borrow(), State::Ended(_))
    }
}

impl Listener {
    /// What happens next.
    pub async fn next(&mut self) -> Happening {
        loop {
            let told = self.told.recv().await;
            self.feed.pace.reached(&self.told);
            match told {
                Ok(Told::Event(of, brought)) if *of == *self.of => {
                    return Happening::Event(Event { fetch: self.fetch, brought });
                }
                Ok(Told::Event(..)) => {}
                Ok(Told::Ended(failure)) => return Happening::Ended(failure),
                Err(RecvError::Lagged(lost)) => return Happening::Lost(lost),
                Err(RecvError::Closed) => return Happening::Ended(None),
            }
        }
    }

    /// Waits until the stream is open, and tells whether only the first may have it.
    async fn opened(
        &self,
        wire: &Wire,
        asking: &Asking,
        is_first: bool,
    ) -> Result<bool, Arc<Failure>> {
        let started = Instant::now();
        let mut state = self.feed.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Opening));
        let settled = match timeout_at(wire.deadline, settled).await {
            Ok(Ok(state)) => state.clone(),
            // The reader always says how it ended.
            Ok(Err(_)) => State::Ended(None),
            Err(_) => {
                let late = Failure::new(Code::DeadlineExceeded, "The request took too long.");
                State::Ended(Some(Arc::new(late.of(&asking.service.name, None))))
            }
        };
        let (outcome, opened) = match settled {
            State::Ended(Some(failure)) => (Outcome::Failed(failure.code.as_str()), Err(failure)),
            State::Open { private } => (Outcome::Status(200), Ok(private)),
            State::Opening | State::Ended(None) => (Outcome::Status(204), Ok(false)),
        };
        let outcome = if is_first { outcome } else { Outcome::Coalesced };
        let duration = started.elapsed();
        let ended = Ended { outcome, started, duration, answer: None };
        note(wire, &asking.endpoint, None, &ended);
        opened
    }
}

/// How many events were told, and how many the fastest subscriber has taken.
#[derive(Default)]
struct Pace {
    told: AtomicU64,
    taken: AtomicU64,
    moved: Notify,
}

impl Pace {
    /// Notes how far a subscriber is.
    fn reached(&self, told: &broadcast::Receiver<Told>) {
        let sent = self.told.load(Ordering::Acquire);
        let taken = sent.saturating_sub(told.len() as u64);
        if self.taken.fetch_max(taken, Ordering::AcqRel) < taken {
            self.moved.notify_one();
        }
    }

    /// Waits until the fastest subscriber is less than [`BEHIND`] events behind.
    async fn has_room(&self) {
        let is_full = || {
            let told = self.told.load(Ordering::Acquire);
            told.saturating_sub(self.taken.load(Ordering::Acquire)) >= BEHIND as u64
        };
        while is_full() {
            self.moved.notified().await;
        }
    }
}

/// What opens a stream, now and again.
struct Opening {
    asking: Asking,
    headers: CallerHeaders,
    trace: TraceContext,
    request_id: RequestId,
    deadline: Instant,
}

impl Opening {
    fn new(wire: &Wire, asking: &Asking) -> Result<Self, Arc<Failure>> {
        Ok(Self {
            asking: asking.clone(),
            headers: wire.caller(&asking.service.name)?.clone(),
            trace: wire.trace.clone(),
            request_id: wire.request_id.clone(),
            deadline: wire.deadline,
        })
    }

    async fn open(
        &self,
        last_event_id: Option<&str>,
        deadline: Instant,
    ) -> Result<Opened, upstream::Error> {
        let context = CallContext {
            deadline,
            timeout: self.asking.endpoint.timeout,
            trace: &self.trace,
            request_id: &self.request_id,
            headers: &self.headers,
        };
        let Asking { service, request, .. } = &self.asking;
        service.transport.listen(request, last_event_id, &context).await
    }
}

/// Reads a stream and tells its subscribers.
struct Reader {
    told: broadcast::Sender<Told>,
    state: watch::Sender<State>,
    pace: Arc<Pace>,
    opening: Opening,
}

/// How a stream that was to be opened came out.
enum Attempt {
    /// It was read until it broke off.
    Read,
    /// It could not be opened, and may be tried again.
    Failed(Arc<Failure>),
    /// There is nothing more to be had.
    Over(Option<Arc<Failure>>),
}

/// What is remembered from one connection to the next.
#[derive(Default)]
struct Memory {
    last_event_id: Option<Box<str>>,
    retry: Option<Duration>,
}

impl Reader {
    async fn run(self) {
        let mut memory = Memory::default();
        let mut failed = 0;
        let mut deadline = self.opening.deadline;
        let end = loop {
            let is_first = matches!(*self.state.borrow(), State::Opening);
            match self.attempt(&mut memory, deadline).await {
                Attempt::Read => failed = 0,
                Attempt::Failed(_) if !is_first && failed < TRIES => failed += 1,
                Attempt::Failed(failure) => break Some(failure),
                Attempt::Over(failure) => break failure,
            }
            let rest = rest(memory.retry, failed);
            let upstream = &self.opening.asking.service.name;
            tracing::info!(%upstream, failed, ?rest, "a stream of events is opened again");
            tokio::time::sleep(rest).await;
            deadline = Instant::now() + REST_MOST;
        };
        self.state.send_replace(State::Ended(end.clone()));
        // Without a subscriber nobody need know.
        let _ = self.told.send(Told::Ended(end));
    }

    async fn attempt(&self, memory: &mut Memory, deadline: Instant) -> Attempt {
        let service = &self.opening.asking.service.name;
        match self.opening.open(memory.last_event_id.as_deref(), deadline).await {
            Ok(Opened::Stream(events)) => {
                let private = is_private(&events.headers);
                self.state.send_replace(State::Open { private });
                self.read(events, memory).await;
                Attempt::Read
            }
            Ok(Opened::Reply(reply)) if reply.status == StatusCode::NO_CONTENT => {
                Attempt::Over(None)
            }
            Ok(Opened::Reply(reply)) => {
                let endpoint = &self.opening.asking.endpoint;
                let content = Content::read(service, reply, &endpoint.error, Err(NotKept::Failed));
                let failure = content.no_stream(endpoint);
                let again = content.status().is_server_error()
                    || content.status() == StatusCode::TOO_MANY_REQUESTS;
                if again { Attempt::Failed(failure) } else { Attempt::Over(Some(failure)) }
            }
            Err(error) => {
                tracing::warn!(upstream = %service, %error, "a stream of events was not opened");
                Attempt::Failed(Arc::new(error.failure(service)))
            }
        }
    }

    async fn read(&self, mut events: Events, memory: &mut Memory) {
        let service = &self.opening.asking.service.name;
        loop {
            self.pace.has_room().await;
            let event = match events.next().await {
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    tracing::warn!(upstream = %service, %error, "a stream of events broke off");
                    break;
                }
                None => break,
            };
            let brought = match event.data {
                Ok(data) => Ok(Arc::new(Content::of_event(service, data))),
                Err(error) => {
                    tracing::warn!(upstream = %service, %error, "an event is lost");
                    let said = "The upstream sent an event that is larger than allowed.";
                    let failure = Failure::new(Code::UpstreamAnswerTooLarge, said);
                    Err(Arc::new(failure.of(service, None)))
                }
            };
            self.pace.told.fetch_add(1, Ordering::AcqRel);
            // Without a subscriber this task is about to end.
            let _ = self.told.send(Told::Event(event.kind.into(), brought));
        }
        memory.last_event_id =
            events.last_event_id().map(Into::into).or(memory.last_event_id.take());
        memory.retry = events.retry().or(memory.retry);
    }
}

/// How long to rest after so many failures in a row: twice as long each time, and never in step
/// with others.
fn rest(retry: Option<Duration>, failed: u32) -> Duration {
    let longest = retry.unwrap_or(REST).saturating_mul(2_u32.saturating_pow(failed)).min(REST_MOST);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feeds")
    }
}
