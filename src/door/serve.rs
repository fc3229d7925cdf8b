//! Sockets in, until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::patience::Patience;

/// How long requests that are being answered may go on after the gateway was told to stop. With it
/// the whole ends within a second.
pub const DRAIN: Duration = Duration::from_millis(800);

/// How long a client may take for a request's head, and leave a connection idle between requests.
const HEAD: Duration = Duration::from_secs(10);

/// How long a client may take nothing of an answer.
const UNREAD: Duration = Duration::from_secs(60);

/// Header fields of a request; more is 431.
const MAX_HEADERS: usize = 100;

/// Bytes of a request's head; more is 431.
const MAX_HEAD: u32 = 32 * 1024;

/// Requests on one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 100;

/// How long no connection is taken after taking one failed (the process has no descriptor left).
const PAUSE: Duration = Duration::from_millis(50);

/// Serves HTTP/1.1 and HTTP/2 (with prior knowledge) until `shutdown` completes, then at most
/// [`DRAIN`] longer. Dropping the future ends all connections at once.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let (stop, mut ended) = Stop::new();
    let _cut = stop.cut.clone().drop_guard();
    let builder = Arc::new(builder());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = serve_connection(
                    stream,
                    peer,
                    router.clone(),
                    Arc::clone(&builder),
                    graceful.watcher(),
                    stop.clone(),
                );
                let cut = stop.cut.clone();
                tokio::spawn(async move { cut.run_until_cancelled(connection).await });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    // The port is free for whoever comes next.
    drop(listener);
    stop.draining.cancel();
    drop(stop);
    // Whatever became of a connection ends when nobody is left who would say that it has not.
    let drained = async { tokio::join!(graceful.shutdown(), ended.recv()) };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("requests were cut off: they took longer than the drain time");
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
    stop: Stop,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let (service, asked) = Watched::new(router, peer, stop);
    let stream = TokioIo::new(Patience::new(stream, UNREAD));
    let connection = builder.serve_connection_with_upgrades(stream, service).into_owned();
    let mut served = pin!(watcher.watch(connection));
    // hyper's own time limit begins with the first bytes that tell HTTP/1 from HTTP/2.
    let served = match tokio::time::timeout(HEAD, &mut served).await {
        Ok(served) => served,
        Err(_) if asked.load(Ordering::Relaxed) => served.await,
        Err(_) => return tracing::debug!("a connection asked nothing in time"),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HEAD)
        .max_header_list_size(MAX_HEAD)
        .max_concurrent_streams(MAX_STREAMS);
    builder
}

/// A connection that the client has given up already is its own affair; anything else would come
/// again at once.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection could be taken");
        tokio::time::sleep(PAUSE).await;
    }
}

/// How whatever outlives a request learns that serving ends; it is among the request's extensions.
/// Whoever serves requests by other means never stops.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// Cancelled when the gateway is told to stop: what has no end of its own ends now, in order.
    pub(super) draining: CancellationToken,
    /// Cancelled when the time for that is over.
    pub(super) cut: CancellationToken,
    /// Serving goes on as long as one is left, for the drain time at most.
    _alive: Option<mpsc::Sender<Infallible>>,
}

impl Stop {
    fn new() -> (Self, mpsc::Receiver<Infallible>) {
        let (alive, ended) = mpsc::channel(1);
        (Self { _alive: Some(alive), ..Self::default() }, ended)
    }
}

/// The router, who asks it, and whether it was asked anything.
struct Watched {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    asked: Arc<AtomicBool>,
    stop: Stop,
}

impl Watched {
    fn new(router: Router, peer: SocketAddr, stop: Stop) -> (Self, Arc<AtomicBool>) {
        let asked = Arc::new(AtomicBool::new(false));
        let router = TowerToHyperService::new(router);
        (Self { router, peer, asked: Arc::clone(&asked), stop }, asked)
    }
}

impl Service<Request<Incoming>> for Watched {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.stop.clone());
        self.router.call(request)
    }
}
