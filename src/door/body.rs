//! A GraphQL request's body, whole: within its size, before its deadline, and out of its content
//! coding. What it says is not looked at.

use std::io;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;
use tokio_util::io::StreamReader;

use crate::failure::Code;

use super::coding::Coding;
use super::reply::Refused;

/// The largest window that a zstd frame may ask for, as a power of two (RFC 9659): a decoder that
/// took its word for more would set aside 128 MiB for some bytes of body.
const ZSTD_WINDOW: u32 = 23;

/// Reads a body. `limit` is for what was sent and for what it is when decompressed: whichever is
/// larger ends the body there.
///
/// # Errors
/// If it is too large (413), late (408), not whole or not in the coding that it says (400).
pub(super) async fn read(
    body: Body,
    coding: Option<Coding>,
    limit: usize,
    deadline: Instant,
) -> Result<Bytes, Refused> {
    // What `Content-Length` announces is not read at all.
    if body.size_hint().lower() > limit as u64 {
        return Err(Wrong::TooLarge.refused(coding));
    }
    let sent = Limited::new(body, limit);
    let whole = async {
        match coding {
            None => sent.collect().await.map(|body| body.to_bytes()).map_err(io::Error::other),
            Some(coding) => {
                let pieces = sent.into_data_stream().map_err(io::Error::other);
                decompress(StreamReader::new(pieces), coding, limit).await
            }
        }
    };
    match tokio::time::timeout_at(deadline, whole).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(Wrong::by(&error).refused(coding)),
        Err(_) => {
            let message = "The body did not come in time.";
            Err(Refused::by_http(StatusCode::REQUEST_TIMEOUT, message))
        }
    }
}

async fn decompress(
    mut sent: impl AsyncBufRead + Unpin,
    coding: Coding,
    limit: usize,
) -> io::Result<Bytes> {
    let plain = match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(&mut sent);
            decoder.multiple_members(true);
            up_to(decoder, limit).await?
        }
        Coding::Zstd => {
            let window = [DParameter::window_log_max(ZSTD_WINDOW)];
            let mut decoder = ZstdDecoder::with_params(&mut sent, &window);
            decoder.multiple_members(true);
            up_to(decoder, limit).await?
        }
        Coding::Brotli => up_to(BrotliDecoder::new(&mut sent), limit).await?,
    };
    // What comes after the end is no part of the body, and nobody else may think it is.
    if sent.fill_buf().await?.is_empty() {
        return Ok(plain);
    }
    Err(io::ErrorKind::InvalidData.into())
}

async fn up_to(decoder: impl AsyncRead + Unpin, limit: usize) -> io::Result<Bytes> {
    let mut plain = Vec::new();
    // One byte more shows that there is more.
    decoder.take(limit as u64 + 1).read_to_end(&mut plain).await?;
    if plain.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(plain.into())
}

/// What is wrong with a body.
enum Wrong {
    TooLarge,
    /// The connection broke.
    Broken,
    /// It is not in the coding that it says.
    Coded,
}

impl Wrong {
    fn by(error: &io::Error) -> Self {
        match error.get_ref() {
            Some(cause) if cause.is::<LengthLimitError>() => Self::TooLarge,
            Some(cause) if cause.is::<axum::Error>() => Self::Broken,
            _ if error.kind() == io::ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Coded,
        }
    }

    fn refused(self, coding: Option<Coding>) -> Refused {
        match (self, coding) {
            (Self::TooLarge, None) => {
                Refused::new(Code::RequestTooLarge, "The body is larger than allowed.")
            }
            (Self::TooLarge, Some(_)) => {
                let message = "The body is larger than allowed when it is decompressed.";
                Refused::new(Code::RequestTooLarge, message)
            }
            (Self::Coded, Some(coding)) => {
                Refused::malformed(format!("The body is not whole and valid {}.", coding.token()))
            }
            (Self::Broken, _) | (Self::Coded, None) => Refused::malformed("The body is not whole."),
        }
    }
}
