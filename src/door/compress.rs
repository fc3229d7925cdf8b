//! Answers that are whole, compressed. What the client wants of that is known here; what an answer
//! holds is not looked at. It is no layer around the door: who has a [`Whole`] hands it over, and an
//! answer that comes piece by piece is none.

use std::io;

use async_compression::Level;
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use bytes::Bytes;
use http::HeaderValue;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::coding::{Coding, Wanted};
use super::reply::Whole;

/// What is shorter fits into one packet either way.
const WORTHWHILE: usize = 1024;

/// How much is compressed before other requests have their turn.
const TURN: usize = 64 * 1024;

/// An answer as its client wants it; one that is encoded already stays as it is.
pub(super) async fn compressed(answer: Whole, wanted: Wanted) -> Whole {
    let Some(coding) = wanted.coding else { return answer };
    let small = answer.body().len() < WORTHWHILE && wanted.plain;
    let nothing = answer.body().is_empty() || answer.is_encoded();
    if small || nothing {
        return answer;
    }
    match compress(answer.body(), coding).await {
        Ok(shorter) if shorter.len() < answer.body().len() || !wanted.plain => {
            answer.encoded(HeaderValue::from_static(coding.token()), shorter)
        }
        // An answer may always go out longer than it could be.
        Ok(_) | Err(_) => answer,
    }
}

async fn compress(plain: &[u8], coding: Coding) -> io::Result<Bytes> {
    let mut out = Vec::with_capacity(plain.len() / 4);
    // Low levels: what is compressed here is sent once.
    let into = &mut out;
    match coding {
        Coding::Zstd => write(ZstdEncoder::with_quality(into, Level::Precise(1)), plain).await,
        Coding::Brotli => write(BrotliEncoder::with_quality(into, Level::Precise(3)), plain).await,
        Coding::Gzip => write(GzipEncoder::with_quality(into, Level::Precise(3)), plain).await,
    }?;
    Ok(out.into())
}

async fn write(mut encoder: impl AsyncWrite + Unpin, plain: &[u8]) -> io::Result<()> {
    for (turn, piece) in plain.chunks(TURN).enumerate() {
        if turn > 0 {
            tokio::task::yield_now().await;
        }
        encoder.write_all(piece).await?;
    }
    encoder.shutdown().await
}
