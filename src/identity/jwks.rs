//! The keys that an issuer publishes: fetched once, used by all, fetched anew every so often and when
//! a token names a key that is not among them.
//!
//! One task an issuer fetches, so that there is never more than one fetch under way, whoever waits
//! for it and whoever leaves. What it brought last stands until it brings something better.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::config;
use crate::signature::{Algorithm, Choice, KeyError, KeySet, SetError, SetKey};
use crate::upstream::{self, Document, Reply};

use super::refusal::{Error, Reason};

/// How long one fetch may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The size of a set: a hundred keys with their certificates.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Where an issuer's keys come from.
#[async_trait]
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Asks for the set once. Every status but 200 counts as a failure, redirects too.
    ///
    /// # Errors
    /// If no whole answer came.
    async fn fetch(&self) -> Result<Reply, upstream::Error>;
}

#[async_trait]
impl KeySource for Document {
    async fn fetch(&self) -> Result<Reply, upstream::Error> {
        self.get().await
    }
}

/// The keys of one issuer. Dropping it ends what it does.
pub(super) struct Jwks {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    settings: config::Jwks,
    source: Arc<dyn KeySource>,
    /// A token named a key that is not known.
    wanted: Notify,
    state: watch::Sender<State>,
}

#[derive(Clone, Default)]
struct State {
    /// What was fetched last, and when that was begun.
    keys: Option<(Arc<KeySet>, Instant)>,
    /// The last fetch, whatever came of it.
    last: Option<Attempt>,
}

#[derive(Clone, Copy)]
struct Attempt {
    began: Instant,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    UnderWay,
    Fetched,
    Failed,
}

/// Why a fetch brought no keys.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Call(#[from] upstream::Error),
    #[error("no whole answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("the answer's status is {0}")]
    Status(StatusCode),
    #[error("the answer is longer than {MAX_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Set(#[from] SetError),
}

/// What to make of a key that is not known.
enum Outlook {
    /// The keys are as new as they may be: the token's is none of them.
    Settled,
    /// They could not be fetched a moment ago.
    Failed,
    /// They are being fetched.
    UnderWay,
    /// They may be fetched anew.
    Due,
}

impl Jwks {
    /// Nothing is fetched yet.
    pub(super) fn new(settings: config::Jwks, source: Arc<dyn KeySource>) -> Self {
        let (wanted, state) = (Notify::new(), watch::Sender::default());
        Self {
            shared: Arc::new(Shared { settings, source, wanted, state }),
            task: Mutex::default(),
        }
    }

    /// Begins to fetch, and goes on by itself; outside a runtime the first request does so.
    pub(super) fn start(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended did so with its runtime.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(runtime.spawn(keep_fresh(Arc::clone(&self.shared))));
        }
    }

    /// The key for a token, if it is known now.
    pub(super) fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Choice {
        self.shared.state.borrow().choose(kid, algorithm, self.shared.settings.keep)
    }

    /// The key for a token. One that is not known is waited for if the keys may be fetched anew.
    pub(super) async fn key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        deadline: Instant,
    ) -> Result<Arc<SetKey>, Error> {
        if let Choice::One(key) = self.choose(kid, algorithm) {
            return Ok(key);
        }
        let Shared { settings, state, wanted, .. } = &*self.shared;
        let mut state = state.subscribe();
        loop {
            let outlook = {
                let state = state.borrow_and_update();
                match state.choose(kid, algorithm, settings.keep) {
                    Choice::One(key) => return Ok(key),
                    Choice::Several => return Err(Reason::SeveralKeys.into()),
                    Choice::None => state.outlook(settings.refetch),
                }
            };
            match outlook {
                Outlook::Settled => return Err(Reason::UnknownKey.into()),
                Outlook::Failed => return Err(Error::NoKeys),
                Outlook::UnderWay => {}
                Outlook::Due => wanted.notify_one(),
            }
            self.start();
            if timeout_at(deadline, state.changed()).await.is_err() {
                return Err(Error::NoKeys);
            }
        }
    }
}

impl Drop for Jwks {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

impl State {
    fn choose(&self, kid: Option<&str>, algorithm: Algorithm, keep: Duration) -> Choice {
        match &self.keys {
            Some((keys, fetched)) if fetched.elapsed() <= keep => keys.choose(kid, algorithm),
            _ => Choice::None,
        }
    }

    fn outlook(&self, refetch: Duration) -> Outlook {
        match self.last {
            Some(Attempt { outcome: Outcome::UnderWay, .. }) => Outlook::UnderWay,
            Some(Attempt { began, outcome }) if began.elapsed() < refetch => match outcome {
                Outcome::Fetched => Outlook::Settled,
                Outcome::Failed | Outcome::UnderWay => Outlook::Failed,
            },
            _ => Outlook::Due,
        }
    }
}

/// Fetches whenever it is time.
async fn keep_fresh(shared: Arc<Shared>) {
    loop {
        shared.due().await;
        shared.fetch().await;
    }
}

impl Shared {
    /// Waits until it is time: at once, after `refresh`, or when a key is wanted; after a failure
    /// sooner; but never sooner than `refetch`.
    async fn due(&self) {
        loop {
            // Of a fetch under way nothing will come: whoever made it has ended.
            let Some(Attempt { began, outcome }) = self.state.borrow().last else { return };
            let soonest = began + self.settings.refetch;
            let latest = match outcome {
                Outcome::Fetched => began + self.settings.refresh,
                Outcome::Failed | Outcome::UnderWay => soonest,
            };
            tokio::select! {
                () = sleep_until(latest) => return,
                () = self.wanted.notified() => if Instant::now() >= soonest { return },
            }
        }
    }

    async fn fetch(&self) {
        let began = Instant::now();
        let attempt = |outcome| Some(Attempt { began, outcome });
        self.state.send_modify(|state| state.last = attempt(Outcome::UnderWay));
        let fetched = self.try_fetch().await;
        let url = &self.settings.url;
        match fetched {
            Ok((keys, left_out)) => self.state.send_modify(|state| {
                let before = state.keys.take().map(|(keys, _)| keys);
                let keys = match &before {
                    Some(before) => keys.sharing(before),
                    None => keys,
                };
                if before.as_deref() != Some(&keys) {
                    tracing::info!(%url, keys = keys.n_keys(), "an issuer's keys have come");
                    for (at, why) in left_out {
                        tracing::warn!(%url, place = at, %why, "a key of an issuer is not used");
                    }
                }
                *state =
                    State { keys: Some((Arc::new(keys), began)), last: attempt(Outcome::Fetched) };
            }),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%url, %error, cause, "an issuer's keys cannot be fetched");
                self.state.send_modify(|state| state.last = attempt(Outcome::Failed));
            }
        }
    }

    /// A set, and what of it cannot be used.
    async fn try_fetch(&self) -> Result<(KeySet, Vec<(usize, KeyError)>), FetchError> {
        let answer = timeout(TIMEOUT, self.source.fetch()).await;
        let Reply { status, body, .. } = answer.map_err(|_| FetchError::Timeout)??;
        if status != StatusCode::OK {
            return Err(FetchError::Status(status));
        }
        if body.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        Ok(KeySet::parse(body)?)
    }
}
