//! The forms of known scalars: what a crate says, and what the RFC asks beyond that.

use email_address::EmailAddress;
use fluent_uri::Uri;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::fmt::Hyphenated;

/// `date-time` of RFC 3339, section 5.6. The crate takes any byte for the `T`.
pub(super) fn is_date_time(text: &str) -> bool {
    matches!(text.as_bytes().get(10), Some(b'T' | b't'))
        && OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

/// `full-date` of RFC 3339, section 5.6: what a `date-time` may begin with.
pub(super) fn is_date(text: &str) -> bool {
    is_date_time(&format!("{text}T00:00:00Z"))
}

/// RFC 9562, section 4: digits of either case, any version.
pub(super) fn is_uuid(text: &str) -> bool {
    text.parse::<Hyphenated>().is_ok()
}

/// `URI` of RFC 3986, section 3; of `http` and `https` with a host (RFC 9110, section 4.2).
pub(super) fn is_url(text: &str) -> bool {
    let Ok(url) = Uri::parse(text) else { return false };
    let scheme = url.scheme().as_str();
    let of_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    !of_web || url.authority().is_some_and(|authority| !authority.host().is_empty())
}

/// `Dot-string "@" Domain` of RFC 5321, section 4.1.2, and the lengths of section 4.5.3.1. The
/// crate also takes quotes, Unicode (RFC 6531), more than 254 bytes, and all of `atext` in domains.
pub(super) fn is_email_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    text.len() <= 254
        && text.is_ascii()
        && !local.starts_with('"')
        && domain.bytes().all(in_domain)
        && EmailAddress::is_valid_local_part(local)
        && EmailAddress::is_valid_domain(domain)
}
