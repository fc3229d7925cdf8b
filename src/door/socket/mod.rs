//! GraphQL over WebSocket by the protocol graphql-transport-ws, which graphql-ws, Apollo, urql and
//! Relay speak. (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>)
//!
//! Here a request becomes a socket: all that can be refused by HTTP is. Of GraphQL it knows that a
//! request is answered by a stream of responses.

mod caller;
mod close;
mod log;
mod message;
mod operations;
mod outbox;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{Method, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::failure::Code;
use crate::identity::ClientHeaders;

use super::Door;
use super::accept::MediaType;
use super::arrival::{Arrival, Line, Told, has_one_reading};
use super::graphql::authenticate;
use super::reply::Refused;
use super::serve::Stop;

use caller::Caller;
use close::Close;
use message::SUBPROTOCOL;
use session::Session;

/// Whether a request wants to go on as a WebSocket.
pub(super) fn is_asked_for(request: &Request) -> bool {
    request.method() == Method::GET && lists(request.headers(), &UPGRADE, "websocket")
}

/// Answers a request that wants to go on as a WebSocket.
pub(super) async fn answer(door: Arc<Door>, arrival: Arrival, mut request: Request) -> Response {
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    match admit(&door, &arrival, request.headers(), on_upgrade).await {
        Err(refused) => refused.into_response(MediaType::Json),
        Ok((handshake, on_upgrade)) => {
            let speaks = handshake.speaks;
            let caller = caller(door, arrival, request);
            converse(on_upgrade, caller, speaks);
            handshake.into_response()
        }
    }
}

/// The handshake's part that is the client's (RFC 6455 section 4.2.1).
struct Handshake {
    accept: HeaderValue,
    /// Whether it offers the one protocol that is spoken here.
    speaks: bool,
}

async fn admit(
    door: &Door,
    arrival: &Arrival,
    headers: &HeaderMap,
    on_upgrade: Option<OnUpgrade>,
) -> Result<(Handshake, OnUpgrade), Refused> {
    has_one_reading(headers)?;
    let handshake = Handshake::read(headers)?;
    let on_upgrade = on_upgrade
        .ok_or_else(|| Refused::malformed("A WebSocket begins on a connection of HTTP/1.1."))?;
    if !is_of_this_origin(headers) && !door.cors.as_ref().is_some_and(|cors| cors.lets_in(headers))
    {
        return Err(Refused::new(Code::Forbidden, "Pages of this origin are not let in."));
    }
    // A token that is sent must be valid. Whether one is needed shows when the client has said all.
    authenticate(door, arrival, headers, false).await?;
    Ok((handshake, on_upgrade))
}

impl Handshake {
    fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        if !lists(headers, &CONNECTION, "upgrade") {
            return Err(Refused::malformed("A WebSocket begins with `Connection: Upgrade`."));
        }
        if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            let message = "Of WebSocket there is version 13.";
            return Err(Refused::by_http(StatusCode::UPGRADE_REQUIRED, message)
                .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        }
        // 16 bytes in base64.
        let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
        let key = key.ok_or_else(|| Refused::malformed("There is no `Sec-WebSocket-Key`."))?;
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
        let accept = accept.map_err(|_| Refused::malformed("`Sec-WebSocket-Key` is none."))?;
        // Names of protocols have a case.
        let mut offered = items(headers, &SEC_WEBSOCKET_PROTOCOL);
        Ok(Self { accept, speaks: offered.any(|name| name == SUBPROTOCOL.as_bytes()) })
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        if self.speaks {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        response.extensions_mut().insert(Told { handed_over: true, ..Told::default() });
        response
    }
}

fn caller(door: Arc<Door>, arrival: Arrival, request: Request) -> Caller {
    let (mut parts, _) = request.into_parts();
    let line = Line::of_socket(&parts, &arrival);
    let mut credential = parts.headers.remove(AUTHORIZATION);
    if let Some(credential) = &mut credential {
        credential.set_sensitive(true);
    }
    for of_the_handshake in [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION] {
        parts.headers.remove(of_the_handshake);
    }
    let headers = ClientHeaders::new(parts.headers, &door.reserved);
    let stop = parts.extensions.remove::<Stop>().unwrap_or_default();
    Caller { door, arrival, headers, credential, stop, line }
}

/// Converses on the connection as soon as it is a socket.
fn converse(on_upgrade: OnUpgrade, caller: Caller, speaks: bool) {
    let cut = caller.stop.cut.clone();
    let conversation = async move {
        let Ok(upgraded) = on_upgrade.await else {
            return tracing::debug!("a connection was not upgraded");
        };
        let max = caller.door.limits.request_body.bytes();
        let session = Session::new(TokioIo::new(upgraded), caller, max).await;
        if speaks {
            session.run().await;
        } else {
            session.close(Close::Subprotocol).await;
        }
    };
    tokio::spawn(async move { cut.run_until_cancelled(conversation).await });
}

/// Whether a page of the gateway's own origin asks, or no page. A script of another site can open a
/// socket without being asked for its origin first, as it must be for HTTP. (Nothing here is known
/// of a caller but what the caller sends on purpose: no cookie is ever read. It is the second lock.)
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let (Some(origin), Some(host)) = (only(headers, &ORIGIN), only(headers, &HOST)) else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare =
        |authority: &str| authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
    bare(authority) == bare(host)
}

/// A header that is sent once, as text.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut sent = headers.get_all(name).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    value.to_str().ok()
}

/// Whether a header that is a list has this item, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    items(headers, name).any(|item| item.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lists = headers.get_all(name).iter();
    lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}
