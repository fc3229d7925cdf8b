//! Bodies on their way through: in flat memory, as fast as the slower side, and no longer than both
//! sides are there.

mod route_rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use route_rig::{OK, Served, Upstream, happens, read_message};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Nothing here ends because of a clock.
const PATIENT: &str = "limits = { deadline = \"1h\" }";
const OPEN: &str = "[[route]]\npath = \"/api\"\nto = \"/\"\nauth = \"none\"\ntimeout = \"1h\"\n";

/// Larger than all buffers of two connections and of the gateway together: with those of this
/// machine's loopback, some ten MiB.
const LARGE: usize = 96 << 20;

async fn listen() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    happens(listener.accept()).await.expect("a connection").0
}

/// The byte at a place of a large body; a piece lost, doubled or moved does not fit.
fn byte_at(place: usize) -> u8 {
    ((place >> 8) ^ place) as u8
}

/// Writes a large body and counts what was taken. The writer comes back, as dropping it says that
/// nothing more comes, and who says so has left.
async fn write_large<W: AsyncWrite + Unpin>(mut to: W, taken: Arc<AtomicUsize>) -> W {
    let mut at = 0;
    while at < LARGE {
        let piece: Vec<u8> = (at..(at + (64 << 10)).min(LARGE)).map(byte_at).collect();
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let written = to.write(rest).await.expect("still open");
            rest = &rest[written..];
            at += written;
            taken.fetch_add(written, Ordering::SeqCst);
        }
    }
    to
}

/// Reads a large body, every byte of it.
async fn read_large(mut from: impl AsyncRead + Unpin) {
    let (mut at, mut piece) = (0, vec![0; 64 << 10]);
    while at < LARGE {
        let read = from.read(&mut piece).await.expect("still open");
        assert_ne!(read, 0, "cut off at {at}");
        let expected = (at..at + read).map(byte_at);
        assert!(piece[..read].iter().copied().eq(expected), "another body at {at}");
        at += read;
    }
}

/// Gives the gateway every chance to take more, until it takes nothing more. All run on this one
/// thread, so that each time this task steps back, every other one goes on as far as it can.
async fn stalls(gateway: &Served, taken: &AtomicUsize) {
    let (mut before, mut unchanged) = (0, 0);
    while unchanged < 50 {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        let health = gateway.send("GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert_eq!(health.status(), 200);
        let now = taken.load(Ordering::SeqCst);
        assert!(now < LARGE, "all of it was taken, and nobody has read any");
        unchanged = if now > 0 && now == before { unchanged + 1 } else { 0 };
        before = now;
    }
}

/// A head, and nothing after it.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(happens(stream.read_u8()).await.expect("a head"));
    }
    String::from_utf8(head).expect("ASCII")
}

#[tokio::test]
async fn an_answer_is_taken_from_the_upstream_no_faster_than_the_client_reads() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let mut client = gateway.connect().await;
    client.write_all(b"GET /api/x HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let head = format!("{OK}content-length: {LARGE}\r\n\r\n");
    upstream.write_all(head.as_bytes()).await.expect("it reads");
    let taken = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn(write_large(upstream, Arc::clone(&taken)));
    stalls(&gateway, &taken).await;
    assert!(read_head(&mut client).await.contains(&format!("content-length: {LARGE}\r\n")));
    happens(read_large(&mut client)).await;
    happens(writing).await.expect("no panic");
}

#[tokio::test]
async fn a_body_is_taken_from_the_client_no_faster_than_the_upstream_reads() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let client = gateway.connect().await;
    let (mut answers, mut sending) = client.into_split();
    let head = format!("POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: {LARGE}\r\n\r\n");
    sending.write_all(head.as_bytes()).await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn(write_large(sending, Arc::clone(&taken)));
    stalls(&gateway, &taken).await;
    happens(read_large(&mut upstream)).await;
    let _sending = happens(writing).await.expect("no panic");
    let answer = format!("{OK}content-length: 2\r\n\r\n{{}}");
    upstream.write_all(answer.as_bytes()).await.expect("it reads");
    let mut read = vec![0; 15];
    happens(answers.read_exact(&mut read)).await.expect("an answer");
    assert_eq!(read, b"HTTP/1.1 200 OK");
}

/// An answer may begin before the request has ended, and each piece arrives before the next is made,
/// whatever coding the client would take.
#[tokio::test]
async fn pieces_pass_as_they_come_in_both_directions_at_once() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let mut client = gateway.connect().await;
    let head = "POST /api/x HTTP/1.1\r\nhost: x\r\naccept-encoding: zstd, br, gzip\r\n\
                transfer-encoding: chunked\r\n\r\n";
    client.write_all(head.as_bytes()).await.expect("it reads");
    client.write_all(b"4\r\nping\r\n").await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                transfer-encoding: chunked\r\n\r\n";
    upstream.write_all(head.as_bytes()).await.expect("it reads");
    let mut piece = [0; 9];
    for round in 0..3 {
        happens(upstream.read_exact(&mut piece)).await.expect("the client's piece");
        assert_eq!(&piece, b"4\r\nping\r\n", "{round}");
        upstream.write_all(b"4\r\npong\r\n").await.expect("it reads");
        if round == 0 {
            read_head(&mut client).await;
        }
        happens(client.read_exact(&mut piece)).await.expect("the upstream's piece");
        assert_eq!(&piece, b"4\r\npong\r\n", "{round}");
        client.write_all(b"4\r\nping\r\n").await.expect("it reads");
    }
}

/// The end of a connection: by a close or a reset.
async fn ends(stream: &mut TcpStream) {
    let mut read = vec![0; 64 << 10];
    while happens(stream.read(&mut read)).await.is_ok_and(|length| length > 0) {}
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_upstreams_call() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    for request in [
        "GET /api/x HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
        "POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{}",
        "POST /api/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ] {
        let mut client = gateway.connect().await;
        client.write_all(request.as_bytes()).await.expect("it reads");
        let mut upstream = accept(&listener).await;
        read_head(&mut upstream).await;
        drop(client);
        ends(&mut upstream).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_within_the_answer_ends_it() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let mut client = gateway.connect().await;
    client.write_all(b"GET /api/x HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n";
    upstream.write_all(head.as_bytes()).await.expect("it reads");
    read_head(&mut client).await;
    drop(client);
    ends(&mut upstream).await;
}

#[tokio::test]
async fn an_upstream_that_breaks_within_its_answer_breaks_the_clients() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let mut client = gateway.connect().await;
    client.write_all(b"GET /api/x HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n";
    upstream.write_all(head.as_bytes()).await.expect("it reads");
    drop(upstream);
    let answer = happens(read_message(&mut client, false)).await.expect("its head has come");
    assert_eq!((answer.status(), answer.body.as_str()), (200, "4\r\npart\r\n"));
}

/// What the upstream says before it has the whole body is the answer.
#[tokio::test]
async fn an_answer_before_the_bodys_end_is_passed_and_the_connection_not_used_again() {
    let (listener, address) = listen().await;
    let gateway = Served::with(PATIENT, address, OPEN).await;
    let mut client = gateway.connect().await;
    let head = "POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\npart";
    client.write_all(head.as_bytes()).await.expect("it reads");
    let mut upstream = accept(&listener).await;
    read_head(&mut upstream).await;
    let answer = "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nno!";
    upstream.write_all(answer.as_bytes()).await.expect("it reads");
    let answer = happens(read_message(&mut client, false)).await.expect("an answer");
    assert_eq!((answer.status(), answer.body.as_str()), (413, "no!"));
    ends(&mut client).await;
    ends(&mut upstream).await;
}

#[tokio::test]
async fn connections_to_the_upstream_are_used_again() {
    let upstream = Upstream::saying("{}").await;
    let gateway = Served::with(PATIENT, upstream.address, OPEN).await;
    let request = "POST /api/x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    for _ in 0..3 {
        assert_eq!(gateway.send(request).await.status(), 200);
    }
    assert_eq!(upstream.connections(), 1);
}
