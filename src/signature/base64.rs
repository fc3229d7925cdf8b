//! Base64, strictly: one text for one sequence of bytes. Tokens and JWKs are base64url without
//! padding (RFC 4648 section 5, RFC 7515 section 2), PEM is base64 with it (RFC 4648 section 4).
//!
//! The token's library decodes too, but hands out parsed claims only; here the bytes are wanted.

/// The bytes of a base64url text; `None` if it is none, has padding, or has bits left over that are
/// not zero.
pub(crate) fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, [b'-', b'_'])
}

/// The bytes of a base64 text with padding; `None` if it is none.
pub(super) fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    decode(bare, [b'+', b'/'])
}

fn decode(text: &[u8], last_two: [u8; 2]) -> Option<Vec<u8>> {
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut pending, mut bits) = (0_u32, 0_u32);
    for character in text {
        pending = pending << 6 | u32::from(value(*character, last_two)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(pending >> bits).ok()?);
            pending &= (1 << bits) - 1;
        }
    }
    (pending == 0).then_some(bytes)
}

fn value(character: u8, [plus, slash]: [u8; 2]) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        _ if character == plus => 62,
        _ if character == slash => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_rfc_4648_are_read() {
        for (text, bytes) in [
            ("", ""),
            ("Zg", "f"),
            ("Zm8", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode_url(text.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode_url(b"-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["Z", "Zg==", "Zm9vY", "Zh", "Zm9", "+/+/", "Zm 9v", "Zm9v\n", "Zm.v"] {
            assert_eq!(decode_url(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn padding_is_what_the_length_wants() {
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("", "")] {
            assert_eq!(decode_padded(text.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Zm8==", "Zm9v====", "=", "====", "Zh==", "-_-_"] {
            assert_eq!(decode_padded(text.as_bytes()), None, "{text:?}");
        }
    }
}
