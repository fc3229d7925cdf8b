//! The forms of known scalars, byte by byte: nothing is allocated.

use std::net::Ipv6Addr;

/// JSON's grammar of numbers (RFC 8259, section 6).
pub(super) fn is_number(token: &[u8]) -> bool {
    let rest = token.strip_prefix(b"-").unwrap_or(token);
    let Some((whole, mut rest)) = digits(rest) else { return false };
    if whole.len() > 1 && whole.starts_with(b"0") {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let Some((_, after)) = digits(fraction) else { return false };
        rest = after;
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            digits(exponent).is_some_and(|(_, rest)| rest.is_empty())
        }
        _ => false,
    }
}

/// The digits that a text begins with, at least one, and the rest.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The number that two digits are.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// `full-date` of RFC 3339, section 5.6: a day that there is.
pub(super) fn is_date(text: &[u8]) -> bool {
    let &[c, d, y, z, b'-', m, n, b'-', e, f] = text else { return false };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (two(c, d), two(y, z), two(m, n), two(e, f))
    else {
        return false;
    };
    let year = century * 100 + year;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// `date-time` of RFC 3339, section 5.6.
pub(super) fn is_date_time(text: &[u8]) -> bool {
    let Some((date, [b'T' | b't', h, i, b':', m, n, b':', s, t, rest @ ..])) =
        text.split_at_checked(10)
    else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) = (two(*h, *i), two(*m, *n), two(*s, *t)) else {
        return false;
    };
    let rest = match rest.strip_prefix(b".") {
        None => Some(rest),
        Some(fraction) => digits(fraction).map(|(_, rest)| rest),
    };
    // Minutes by which the clock is ahead of UTC.
    let offset = match rest {
        Some([b'Z' | b'z']) => Some(0),
        Some([b'+', h, i, b':', m, n]) => offset(two(*h, *i), two(*m, *n)),
        Some([b'-', h, i, b':', m, n]) => offset(two(*h, *i), two(*m, *n)).map(|it| 1440 - it),
        _ => None,
    };
    // A leap second is the last of a day of UTC.
    let leaps = |offset: u32| (hour * 60 + minute + 1440 - offset) % 1440 == 1439;
    is_date(date)
        && hour < 24
        && minute < 60
        && offset.is_some_and(|offset| second < 60 || (second == 60 && leaps(offset)))
}

fn offset(hours: Option<u32>, minutes: Option<u32>) -> Option<u32> {
    let (hours, minutes) = (hours?, minutes?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// RFC 9562, section 4: digits of either case, any version.
pub(super) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `URI` of RFC 3986, section 3; of `http` and `https` with a host.
pub(super) fn is_url(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return false };
    let (scheme, rest) = text.split_at(colon);
    let rest = rest.get(1..).unwrap_or_default();
    let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !scheme.iter().all(in_scheme) {
        return false;
    }
    let of_web = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
    let Some(rest) = rest.strip_prefix(b"//") else {
        return !of_web && !rest.is_empty() && is_path(rest);
    };
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
    is_path(path) && is_authority(authority, of_web)
}

/// Path, query and fragment: of the fragments one.
fn is_path(text: &[u8]) -> bool {
    let allowed = |byte: u8| is_plain(byte) || matches!(byte, b':' | b'@' | b'/' | b'?' | b'#');
    text.iter().filter(|byte| **byte == b'#').count() < 2 && is_made_of(text, allowed)
}

fn is_authority(text: &[u8], of_web: bool) -> bool {
    let at = text.iter().rposition(|byte| *byte == b'@');
    let user = at.and_then(|at| text.get(..at)).unwrap_or_default();
    let host = at.and_then(|at| text.get(at + 1..)).unwrap_or(text);
    let (host, port) = if let Some(literal) = host.strip_prefix(b"[") {
        let Some(close) = literal.iter().position(|byte| *byte == b']') else { return false };
        let (address, rest) = literal.split_at(close);
        let address = std::str::from_utf8(address).unwrap_or_default();
        if address.parse::<Ipv6Addr>().is_err() {
            return false;
        }
        (&b"literal"[..], rest.get(1..).unwrap_or_default())
    } else {
        let colon = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
        host.split_at(colon)
    };
    let port_is_one = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    port_is_one
        && (!of_web || !host.is_empty())
        && is_made_of(host, is_plain)
        && is_made_of(user, |byte| is_plain(byte) || byte == b':')
}

/// `unreserved` and `sub-delims`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// Only of allowed characters and of escapes, `%2F`.
fn is_made_of(text: &[u8], allowed: impl Fn(u8) -> bool) -> bool {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [byte, rest @ ..] if allowed(*byte) => rest,
            _ => return false,
        };
    }
}

/// RFC 5321, section 4.1.2, and the lengths of section 4.5.3.1.
pub(super) fn is_email_address(text: &[u8]) -> bool {
    let Some(at) = text.iter().rposition(|byte| *byte == b'@') else { return false };
    let (local, domain) = text.split_at(at);
    let domain = domain.get(1..).unwrap_or_default();
    let in_atom = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
    let is_atom = |atom: &[u8]| !atom.is_empty() && atom.iter().all(in_atom);
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    text.len() <= 254
        && local.len() <= 64
        && local.split(|byte| *byte == b'.').all(is_atom)
        && domain.split(|byte| *byte == b'.').all(is_label)
}
