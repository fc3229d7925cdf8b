//! Why a socket is closed, and what its client is told: the codes of the graphql-transport-ws
//! document, and of RFC 6455 section 7.4.1 and its registry where that document is silent.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};

/// Bytes of a reason; a close frame holds 125 with its code (RFC 6455 section 5.5).
const MAX_REASON: usize = 123;

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    /// A message is none of the protocol's; what is wrong with it.
    Invalid(Cow<'static, str>),
    /// An operation was asked for before the connection was acknowledged.
    Unauthorized,
    /// The caller is not let in, or no longer; why.
    Forbidden(Cow<'static, str>),
    /// The client does not speak graphql-transport-ws.
    Subprotocol,
    /// No `connection_init` came in time.
    NotInitialised,
    /// A second operation by the id of one that has not ended.
    Taken(Box<str>),
    /// A second `connection_init`.
    InitialisedTwice,
    /// The gateway ends.
    Draining,
    /// The client answered no ping.
    Silent,
    /// A frame is none of WebSocket's.
    Protocol,
    /// A text is not UTF-8.
    NotUtf8,
    /// A message is larger than allowed.
    TooLarge,
    /// A fault of the gateway itself.
    Fault,
    /// Who is asking cannot be told now: another try may succeed.
    TryAgain(Cow<'static, str>),
}

impl Close {
    /// The reason for what could not be read; `None`: the client has gone.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Capacity(_) => Some(Self::TooLarge),
            Error::Utf8(_) => Some(Self::NotUtf8),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            Error::Protocol(_) => Some(Self::Protocol),
            _ => None,
        }
    }

    /// The code, as clients and the log see it.
    pub(super) const fn code(&self) -> u16 {
        match self {
            Self::Draining | Self::Silent => 1001,
            Self::Protocol => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
            Self::Fault => 1011,
            Self::TryAgain(_) => 1013,
            Self::Invalid(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(_) => 4403,
            Self::Subprotocol => 4406,
            Self::NotInitialised => 4408,
            Self::Taken(_) => 4409,
            Self::InitialisedTwice => 4429,
        }
    }

    /// The frame that says so.
    pub(super) fn frame(self) -> CloseFrame {
        let code = self.code().into();
        let reason = match self {
            Self::Invalid(reason) | Self::Forbidden(reason) | Self::TryAgain(reason) => reason,
            Self::Taken(id) => format!("Subscriber for {id} already exists").into(),
            Self::Unauthorized => "Unauthorized".into(),
            Self::Subprotocol => "Subprotocol not acceptable".into(),
            Self::NotInitialised => "Connection initialisation timeout".into(),
            Self::InitialisedTwice => "Too many initialisation requests".into(),
            Self::Draining => "The gateway ends.".into(),
            Self::Silent => "No ping was answered.".into(),
            Self::Protocol => "Not a WebSocket frame.".into(),
            Self::NotUtf8 => "Text must be UTF-8.".into(),
            Self::TooLarge => "The message is larger than allowed.".into(),
            Self::Fault => "The gateway failed.".into(),
        };
        CloseFrame { code, reason: shortened(&reason).into() }
    }
}

/// As much of a reason as fits, in whole characters.
fn shortened(reason: &str) -> &str {
    let end = reason.floor_char_boundary(MAX_REASON);
    reason.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_where_a_character_ends() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"x".repeat(200)).len(), 123);
        assert_eq!(shortened(&"é".repeat(100)).len(), 122);
        let frame = Close::Taken("ß".repeat(1000).into()).frame();
        assert!(frame.reason.starts_with("Subscriber for ß") && frame.reason.len() <= 123);
    }
}
