//! The messages of graphql-transport-ws, from text and to text. Which of them may come when is the
//! session's affair.

use std::borrow::Cow;

use bytes::Bytes;

use crate::failure::Code;
use crate::json::{Body, Kind, Place, Value, write_string};

use super::super::GraphqlRequest;
use super::super::reply::error_body;

/// The name of the protocol, as `Sec-WebSocket-Protocol` has it.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// `connection_ack`.
pub(super) const ACK: Bytes = Bytes::from_static(br#"{"type":"connection_ack"}"#);

const TYPES: [&str; 5] = ["connection_init", "ping", "pong", "subscribe", "complete"];

/// A message of a client.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The client opens the connection within the socket.
    Init(Payload),
    /// To be answered with the same payload.
    Ping(Payload),
    /// An answer to a ping, or a sign of life.
    Pong,
    /// An operation is to run.
    Subscribe(Box<str>, Box<GraphqlRequest>),
    /// An operation is not wanted any longer.
    Complete(Box<str>),
}

/// The payload of a message that needs none: an object, or nothing.
#[derive(Debug)]
pub(super) struct Payload(Option<(Body, Place)>);

impl Payload {
    /// The object; `None`: there is none, or it is null.
    pub(super) fn object(&self) -> Option<Value<'_>> {
        self.0.as_ref().map(|(body, place)| body.at(*place))
    }
}

impl Incoming {
    /// Reads a message. Members that the protocol does not know are left alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: Bytes) -> Result<Self, Cow<'static, str>> {
        let body =
            Body::parse(text).map_err(|invalid| format!("The message is not JSON: {invalid}."))?;
        let root = body.root();
        if root.kind() != Kind::Object {
            return Err(format!("A message is an object, not {}.", root.kind()).into());
        }
        let of = root.get("type").ok_or("The message has no `type`.")?;
        let of = of.as_str().ok_or("The message's `type` is not a string.")?;
        match &*of {
            "connection_init" => Ok(Self::Init(payload(&body)?)),
            "ping" => Ok(Self::Ping(payload(&body)?)),
            "pong" => payload(&body).map(|_| Self::Pong),
            "complete" => Ok(Self::Complete(id(root)?)),
            "subscribe" => {
                let id = id(root)?;
                let payload = root.get("payload").ok_or("`subscribe` has no `payload`.")?;
                let request = GraphqlRequest::from_value(&body, payload)
                    .map_err(|refused| refused.into_message())?;
                Ok(Self::Subscribe(id, Box::new(request)))
            }
            other => Err(unknown(other).into()),
        }
    }
}

fn unknown(name: &str) -> String {
    let near = |known: &&&str| strsim::damerau_levenshtein(known, name) <= 3;
    match TYPES.iter().find(near) {
        Some(known) => format!("No message has the type `{name}`; `{known}` is one."),
        None => format!("No message has the type `{name}`; {} are known.", TYPES.join(", ")),
    }
}

fn id(root: Value<'_>) -> Result<Box<str>, Cow<'static, str>> {
    let id = root.get("id").ok_or("The message has no `id`.")?;
    let id = id.as_str().ok_or("The message's `id` is not a string.")?;
    if id.is_empty() { Err("The message's `id` is empty.".into()) } else { Ok(id.into()) }
}

fn payload(body: &Body) -> Result<Payload, Cow<'static, str>> {
    match body.root().get("payload") {
        Some(payload) if payload.kind() == Kind::Object => {
            Ok(Payload(Some((body.clone(), payload.place()))))
        }
        Some(payload) if !payload.is_null() => {
            Err(format!("The message's `payload` must be an object, not {}.", payload.kind())
                .into())
        }
        _ => Ok(Payload(None)),
    }
}

/// `pong`, with the payload of the ping.
pub(super) fn pong(payload: &Payload) -> Bytes {
    let Some(payload) = payload.object() else {
        return Bytes::from_static(br#"{"type":"pong"}"#);
    };
    [br#"{"type":"pong","payload":"#, payload.raw(), b"}"].concat().into()
}

/// `next`, with a response as it is.
pub(super) fn next(id: &str, response: &[u8]) -> Bytes {
    of_operation(id, "next", Some(response))
}

/// `complete`.
pub(super) fn complete(id: &str) -> Bytes {
    of_operation(id, "complete", None)
}

/// `error`, with the errors of a response without data.
pub(super) fn errors(id: &str, response: &Bytes) -> Bytes {
    let body = Body::parse(response.clone()).ok();
    let errors = body.as_ref().and_then(|body| body.root().get("errors"));
    match errors.filter(|errors| errors.items().next().is_some()) {
        Some(errors) => of_operation(id, "error", Some(errors.raw())),
        None => error(id, Code::Internal, "The gateway failed."),
    }
}

/// `error`, with one error of the gateway's.
pub(super) fn error(id: &str, code: Code, message: &str) -> Bytes {
    errors(id, &error_body(code, message))
}

fn of_operation(id: &str, of: &str, payload: Option<&[u8]>) -> Bytes {
    let room = id.len() + payload.map_or(0, <[u8]>::len) + 64;
    let mut text = Vec::with_capacity(room);
    text.extend_from_slice(br#"{"id":"#);
    write_string(&mut text, id);
    text.extend_from_slice(br#","type":""#);
    text.extend_from_slice(of.as_bytes());
    text.push(b'"');
    if let Some(payload) = payload {
        text.extend_from_slice(br#","payload":"#);
        text.extend_from_slice(payload);
    }
    text.push(b'}');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Incoming, Cow<'static, str>> {
        Incoming::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn each_message_is_read() {
        for (text, expected) in [
            (r#"{"type":"connection_init"}"#, "init"),
            (r#"{"type":"connection_init","payload":null}"#, "init"),
            (r#"{"type":"connection_init","payload":{},"unknown":1}"#, "init"),
            (r#"{"type":"ping"}"#, "ping"),
            (r#" {"payload":{"a":[1]},"type":"pong"} "#, "pong"),
            (r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#, "subscribe 1 { a }"),
            (r#"{"type":"comp\u006cete","id":"\u00e9"}"#, "complete é"),
        ] {
            let read = match parse(text).expect(text) {
                Incoming::Init(_) => "init".to_owned(),
                Incoming::Ping(_) => "ping".to_owned(),
                Incoming::Pong => "pong".to_owned(),
                Incoming::Subscribe(id, request) => format!("subscribe {id} {}", request.document),
                Incoming::Complete(id) => format!("complete {id}"),
            };
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn what_is_no_message_is_told_why() {
        for (text, why) in [
            ("", "The message is not JSON"),
            ("{", "The message is not JSON"),
            ("[]", "A message is an object, not an array."),
            ("null", "A message is an object, not null."),
            ("{}", "The message has no `type`."),
            (r#"{"type":1}"#, "The message's `type` is not a string."),
            (r#"{"type":"subscripe"}"#, "No message has the type `subscripe`; `subscribe` is one."),
            (r#"{"type":"connection_ack"}"#, "No message has the type `connection_ack`"),
            (r#"{"type":"start"}"#, "connection_init, ping, pong, subscribe, complete are known."),
            (r#"{"type":"ping","payload":[]}"#, "`payload` must be an object, not an array."),
            (r#"{"type":"pong","payload":1}"#, "`payload` must be an object, not a number."),
            (r#"{"type":"connection_init","payload":"x"}"#, "must be an object, not a string."),
            (r#"{"type":"complete"}"#, "The message has no `id`."),
            (r#"{"type":"complete","id":1}"#, "The message's `id` is not a string."),
            (r#"{"type":"complete","id":""}"#, "The message's `id` is empty."),
            (r#"{"type":"subscribe","payload":{"query":"{a}"}}"#, "The message has no `id`."),
            (r#"{"type":"subscribe","id":"1"}"#, "`subscribe` has no `payload`."),
            (r#"{"type":"subscribe","id":"1","payload":{}}"#, "The request has no `query`."),
            (r#"{"type":"subscribe","id":"1","payload":[]}"#, "Batches are not supported"),
            (
                r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
                "`variables` must be an object, not an array.",
            ),
        ] {
            let told = parse(text).expect_err(text);
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn messages_of_operations_hold_their_id_and_payloads_as_they_are() {
        assert_eq!(
            next("a\"b", b"{\"data\":1.0}"),
            r#"{"id":"a\"b","type":"next","payload":{"data":1.0}}"#
        );
        assert_eq!(complete("1"), r#"{"id":"1","type":"complete"}"#);
        let response = Bytes::from_static(br#"{"errors":[{"message":"m"}],"extensions":{}}"#);
        assert_eq!(
            errors("1", &response),
            r#"{"id":"1","type":"error","payload":[{"message":"m"}]}"#
        );
        for broken in ["{}", r#"{"errors":[]}"#, "no JSON"] {
            let told = errors("1", &Bytes::from_static(broken.as_bytes()));
            assert!(told.ends_with(br#""extensions":{"code":"INTERNAL_ERROR"}}]}"#), "{told:?}");
        }
    }
}
