//! Bodies in content codings, both ways (RFC 9110 section 8.4): which answers go out compressed and
//! for whom, and what becomes of requests that come in so.

mod door_rig;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_compression::tokio::bufread as decoders;
use async_compression::tokio::write as encoders;
use axum::body::Body;
use bytes::Bytes;
use door_rig::{Answer, GRAPHQL, Gateway, JSON, document, response_of};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY,
};
use http::{Method, Request};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

async fn encoded(coding: &str, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    macro_rules! through {
        ($encoder:ident) => {{
            let mut encoder = encoders::$encoder::new(&mut out);
            encoder.write_all(plain).await.expect("in memory");
            encoder.shutdown().await.expect("in memory");
        }};
    }
    match coding {
        "zstd" => through!(ZstdEncoder),
        "br" => through!(BrotliEncoder),
        "gzip" => through!(GzipEncoder),
        "identity" => out.extend_from_slice(plain),
        other => panic!("{other} is no coding"),
    }
    out
}

async fn decoded(answer: &Answer) -> String {
    let mut plain = String::new();
    let sent = &*answer.body;
    match answer.header(CONTENT_ENCODING) {
        "zstd" => decoders::ZstdDecoder::new(sent).read_to_string(&mut plain).await,
        "br" => decoders::BrotliDecoder::new(sent).read_to_string(&mut plain).await,
        "gzip" => decoders::GzipDecoder::new(sent).read_to_string(&mut plain).await,
        "" => return String::from_utf8(sent.to_vec()).expect("UTF-8"),
        other => panic!("{other} is no coding"),
    }
    .expect("whole");
    plain
}

async fn ask(gateway: &Gateway, takes: Option<&str>, text: &str) -> Answer {
    let mut request = Request::post("/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, GRAPHQL);
    if let Some(takes) = takes {
        request = request.header(ACCEPT_ENCODING, takes);
    }
    gateway.send(request.body(Body::from(document(text))).expect("a request")).await
}

#[tokio::test]
async fn a_response_is_compressed_for_who_takes_that_and_where_it_is_worth_it() {
    let gateway = Gateway::new("");
    for (takes, length, coding) in [
        (None, 100_000, ""),
        (Some(""), 100_000, ""),
        (Some("deflate"), 100_000, ""),
        (Some("gzip, deflate, br, zstd"), 100_000, "zstd"),
        (Some("gzip, deflate, br"), 100_000, "br"),
        (Some("gzip"), 100_000, "gzip"),
        (Some("zstd;q=0.5, gzip"), 100_000, "gzip"),
        (Some("identity, br;q=0.5"), 100_000, ""),
        (Some("gzip"), 1024, "gzip"),
        (Some("gzip"), 1023, ""),
        // None of it plain, then also what is short.
        (Some("gzip, identity;q=0"), 100, "gzip"),
        (Some("zstd, *;q=0"), 20, "zstd"),
        // Many turns of the compressor.
        (Some("br"), 1_000_000, "br"),
    ] {
        let answer = ask(&gateway, takes, &format!("long {length}")).await;
        let what = format!("{takes:?} of {length} bytes");
        assert_eq!((answer.status, answer.header(CONTENT_ENCODING)), (200, coding), "{what}");
        assert_eq!(answer.header(CONTENT_LENGTH), answer.body.len().to_string(), "{what}");
        assert_eq!(answer.header(VARY), "Accept, Accept-Encoding", "{what}");
        assert_eq!(decoded(&answer).await, response_of(length), "{what}");
        if length > 1000 && !coding.is_empty() {
            assert!(answer.body.len() < length * 3 / 4, "{what}: {}", answer.body.len());
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_neither_a_coding_nor_none_gets_406_and_nothing_is_executed() {
    let gateway = Gateway::new("");
    for takes in ["identity;q=0", "*;q=0", "deflate, *;q=0"] {
        let answer = ask(&gateway, Some(takes), "long 5000").await;
        assert_eq!((answer.status, answer.code().as_str()), (406, "BAD_REQUEST"), "{takes}");
        assert_eq!(answer.header(CONTENT_ENCODING), "", "{takes}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn what_is_refused_or_asked_by_another_method_follows_the_same_rules() {
    let gateway = Gateway::new("");
    // A refusal that may not be plain.
    let answer = ask(&gateway, Some("br, identity;q=0"), "BAD_USER_INPUT").await;
    assert_eq!((answer.status, answer.header(CONTENT_ENCODING)), (400, "br"));
    assert_eq!(decoded(&answer).await, r#"{"errors":[{}]}"#);
    let mut lengths = Vec::new();
    for method in [Method::GET, Method::HEAD] {
        let request = Request::builder().method(&method).uri("/graphql?query=long+5000");
        let request = request.header(ACCEPT, JSON).header(ACCEPT_ENCODING, "gzip");
        let answer = gateway.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.header(CONTENT_ENCODING), "gzip", "{method}");
        lengths.push(answer.header(CONTENT_LENGTH).to_owned());
    }
    assert_eq!(lengths[0], lengths[1]);
}

#[tokio::test]
async fn compression_can_be_switched_off() {
    let gateway = Gateway::new("graphql = { compression = false }");
    let answer = ask(&gateway, Some("gzip, br, zstd"), "long 5000").await;
    assert_eq!((answer.status, answer.header(CONTENT_ENCODING)), (200, ""));
    assert_eq!(answer.header(VARY), "Accept");
    assert_eq!(answer.body, response_of(5000));
    assert_eq!(ask(&gateway, Some("gzip, identity;q=0"), "{ a }").await.status, 406);
    // That is about answers; requests may still come compressed.
    let body = encoded("gzip", document("{ a }").as_bytes()).await;
    assert_eq!(send(&gateway, "gzip", body).await.status, 200);
}

#[tokio::test]
async fn elsewhere_nothing_is_compressed() {
    let gateway = Gateway::new("");
    for path in ["/health/live", "/health/ready", "/nowhere"] {
        let request = Request::get(path).header(ACCEPT_ENCODING, "gzip, identity;q=0");
        let answer = gateway.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.header(CONTENT_ENCODING), "", "{path}");
        assert_eq!(answer.header(VARY), "", "{path}");
    }
}

async fn send(gateway: &Gateway, coding: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, GRAPHQL);
    let request = request.header(CONTENT_ENCODING, coding).body(body.into());
    gateway.send(request.expect("a request")).await
}

#[tokio::test]
async fn a_compressed_request_is_the_request_it_was() {
    let gateway = Gateway::new("");
    let text = document("{ a(x: \"é\") }");
    for coding in CODINGS {
        let whole = encoded(coding, text.as_bytes()).await;
        let bytes: Vec<_> = whole.chunks(1).map(Bytes::copy_from_slice).collect();
        let frames = bytes.into_iter().map(|byte| Ok::<_, std::io::Error>(Frame::data(byte)));
        let in_pieces = Body::new(StreamBody::new(futures::stream::iter(frames)));
        for body in [Body::from(whole), in_pieces] {
            assert_eq!(send(&gateway, coding, body).await.status, 200, "{coding}");
            let (request, ..) = gateway.asked().expect("executed");
            assert_eq!(request.document, "{ a(x: \"é\") }", "{coding}");
        }
    }
    // Names in any case, and the one that says nothing.
    let gzip = encoded("gzip", text.as_bytes()).await;
    for coding in ["GZIP", "x-gzip", "identity, gzip"] {
        assert_eq!(send(&gateway, coding, gzip.clone()).await.status, 200, "{coding}");
    }
    assert_eq!(send(&gateway, "identity", text.clone()).await.status, 200);
    // Several members or frames are one body (RFC 1952 section 2.2, RFC 8878 section 3.1).
    for coding in ["gzip", "zstd"] {
        let (begin, end) = text.as_bytes().split_at(10);
        let parts = [encoded(coding, begin).await, encoded(coding, end).await].concat();
        assert_eq!(send(&gateway, coding, parts).await.status, 200, "{coding}");
    }
}

#[tokio::test]
async fn a_body_in_a_coding_that_is_not_known_or_in_several_is_415_and_says_which_are() {
    let gateway = Gateway::new("");
    let twice = encoded("gzip", &encoded("gzip", document("{ a }").as_bytes()).await).await;
    for coding in ["deflate", "compress", "gzip, gzip", "gzip;level=9", "é"] {
        let answer = send(&gateway, coding, twice.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (415, "BAD_REQUEST"), "{coding}");
        assert_eq!(answer.header(ACCEPT_ENCODING), "zstd, br, gzip", "{coding}");
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_body_that_is_not_whole_and_valid_in_its_coding_is_400() {
    let gateway = Gateway::new("");
    let text = document("{ a }");
    for coding in CODINGS {
        let whole = encoded(coding, text.as_bytes()).await;
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 0xff;
        for (case, body) in [
            ("nothing", Vec::new()),
            ("plain text", text.clone().into_bytes()),
            ("cut short", whole[..whole.len() - 1].to_vec()),
            ("something after it", [&whole[..], b"x"].concat()),
            ("damaged", damaged),
        ] {
            let answer = send(&gateway, coding, body).await;
            let got = (answer.status, answer.code());
            assert_eq!(got, (400, "BAD_REQUEST".to_owned()), "{coding}: {case}");
        }
        let broken = futures::stream::iter([
            Ok(Frame::data(Bytes::from(whole[..5].to_vec()))),
            Err(std::io::Error::other("gone")),
        ]);
        let answer = send(&gateway, coding, Body::new(StreamBody::new(broken))).await;
        let message = answer.json()["errors"][0]["message"].to_string();
        assert_eq!((answer.status, message.as_str()), (400, "\"The body is not whole.\""));
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_bomb_ends_at_the_limit_of_what_it_becomes() {
    let gateway = Gateway::new("limits = { request_body = \"64KiB\" }");
    let limit = 64 * 1024;
    for coding in CODINGS {
        let query = |length: usize| document(&"x".repeat(length - document("").len()));
        let exactly = encoded(coding, query(limit).as_bytes()).await;
        assert_eq!(send(&gateway, coding, exactly).await.status, 200, "{coding}: the limit itself");
        assert!(gateway.asked().is_some());
        let over = encoded(coding, query(limit + 1).as_bytes()).await;
        let bomb = encoded(coding, &vec![b' '; 50_000_000]).await;
        assert!(bomb.len() < limit, "{coding}: what is sent is no reason to refuse it");
        for body in [over, bomb] {
            let answer = send(&gateway, coding, body).await;
            assert_eq!((answer.status, answer.code().as_str()), (413, "REQUEST_TOO_LARGE"));
        }
    }
    assert!(gateway.asked().is_none());
}

#[tokio::test]
async fn a_bomb_is_not_read_further_than_the_limit() {
    let gateway = Gateway::new("limits = { request_body = \"64KiB\" }");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&[b' '; 4096]).expect("in memory");
    encoder.flush().expect("in memory");
    let begin = Bytes::from(encoder.get_ref().clone());
    let head = begin.len();
    encoder.write_all(&[b' '; 4096]).expect("in memory");
    encoder.flush().expect("in memory");
    let more = Bytes::copy_from_slice(&encoder.get_ref()[head..]);
    let read = Arc::new(AtomicUsize::new(0));
    let reading = Arc::clone(&read);
    let pieces = std::iter::once(begin).chain(std::iter::repeat(more)).take(2_000);
    let frames = pieces.map(move |piece| {
        reading.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Frame::data(piece))
    });
    let bomb = Body::new(StreamBody::new(futures::stream::iter(frames)));
    assert_eq!(send(&gateway, "gzip", bomb).await.status, 413);
    let read = read.load(Ordering::Relaxed);
    assert!((16..32).contains(&read), "{read} pieces of 4 KiB");
}

#[tokio::test]
async fn what_decompresses_to_nothing_ends_at_the_limit_of_what_is_sent() {
    let gateway = Gateway::new("limits = { request_body = \"64KiB\" }");
    let nothing = encoded("gzip", b"").await;
    for (coding, begin, again) in [
        // A frame that a decoder skips (RFC 8878 section 3.1.2), again and again.
        ("zstd", &b""[..], &b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip"[..]),
        // A window of 2^16 bytes, and then blocks of four bytes that are metadata (RFC 7932 section
        // 9.2).
        ("br", b"\xac\x01skip", b"\xd6\x00skip"),
        // Members that hold nothing.
        ("gzip", b"", &nothing),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let sending = Arc::clone(&sent);
        let pieces = std::iter::once(Bytes::copy_from_slice(begin));
        let pieces = pieces.chain(std::iter::repeat_n(Bytes::copy_from_slice(again), 20_000));
        let frames = pieces.map(move |piece| {
            sending.fetch_add(piece.len(), Ordering::Relaxed);
            Ok::<_, std::io::Error>(Frame::data(piece))
        });
        let long = Body::new(StreamBody::new(futures::stream::iter(frames)));
        let answer = send(&gateway, coding, long).await;
        let got = (answer.status, answer.code());
        assert_eq!(got, (413, "REQUEST_TOO_LARGE".to_owned()), "{coding}");
        let (sent, limit) = (sent.load(Ordering::Relaxed), 64 * 1024);
        assert!((limit..limit + 100).contains(&sent), "{coding}: {sent} bytes");
    }
}

#[tokio::test]
async fn a_zstd_frame_that_asks_for_too_much_memory_is_refused() {
    let gateway = Gateway::new("");
    // One raw block of two bytes, in a window of 2^23 and of 2^27 bytes (RFC 8878 section 3.1.1).
    let frame = |window: u8| {
        let descriptor = (window - 10) << 3;
        [&b"\x28\xb5\x2f\xfd\x00"[..], &[descriptor], b"\x11\x00\x00{}"].concat()
    };
    let answer = send(&gateway, "zstd", frame(23)).await;
    assert!(answer.json()["errors"][0]["message"].to_string().contains("no `query`"));
    let answer = send(&gateway, "zstd", frame(27)).await;
    assert!(answer.json()["errors"][0]["message"].to_string().contains("valid zstd"));
}

#[tokio::test]
async fn a_caller_who_is_not_let_in_has_nothing_decompressed() {
    let gateway = Gateway::new("");
    let request = Request::post("/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, GRAPHQL);
    let request = request.header(AUTHORIZATION, "Bearer x").header(CONTENT_ENCODING, "deflate");
    let answer = gateway.send(request.body(Body::from("x")).expect("a request")).await;
    assert_eq!(answer.status, 401);
}
