//! Content codings (RFC 9110 section 8.4): which one a body came in, and which one an answer may go
//! out in. Nothing is compressed here.

use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};

use super::reply::Refused;
use super::weighted::weighted;

/// A content coding that the gateway speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 8878, with a window of at most 8 MiB (RFC 9659).
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

/// All of them, as the value of a header.
pub(super) const ALL: HeaderValue = HeaderValue::from_static("zstd, br, gzip");

impl Coding {
    /// Of those that a client takes alike the first is chosen: it costs least for its size.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    pub(super) const fn token(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// `x-gzip` is gzip (RFC 9110 section 8.4.1.3).
    fn named(name: &str) -> Option<Self> {
        let is = |coding: &Self| name.eq_ignore_ascii_case(coding.token());
        let found = Self::ALL.into_iter().find(is);
        found.or_else(|| name.eq_ignore_ascii_case("x-gzip").then_some(Self::Gzip))
    }
}

/// How a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The coding it likes best, if it likes one at least as much as none.
    pub(super) coding: Option<Coding>,
    /// Whether it may come without.
    pub(super) plain: bool,
}

impl Wanted {
    /// As `Accept-Encoding` says (RFC 9110 section 12.5.3). A client that says nothing may know no
    /// coding.
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let qualities = Qualities::of(headers);
        // The last of equal ones is the greatest.
        let best = Coding::ALL.into_iter().rev().max_by_key(|coding| qualities.of_coding(*coding));
        let liked = best.filter(|best| {
            let quality = qualities.of_coding(*best);
            quality > 0 && quality >= qualities.identity.unwrap_or(0)
        });
        Self { coding: liked, plain: qualities.identity.or(qualities.others) != Some(0) }
    }

    /// The same where nothing is compressed.
    pub(super) fn uncompressed(self) -> Self {
        Self { coding: None, ..self }
    }

    /// Whether there is no way to answer.
    pub(super) fn is_impossible(self) -> bool {
        self.coding.is_none() && !self.plain
    }
}

/// Whether a client takes a coding.
pub(super) fn takes(headers: &HeaderMap, coding: Coding) -> bool {
    Qualities::of(headers).of_coding(coding) > 0
}

#[derive(Default)]
struct Qualities {
    codings: [Option<u16>; Coding::ALL.len()],
    identity: Option<u16>,
    /// Of `*`.
    others: Option<u16>,
}

impl Qualities {
    fn of(headers: &HeaderMap) -> Self {
        let mut qualities = Self::default();
        for member in weighted(headers, &ACCEPT_ENCODING) {
            let place = match (Coding::named(member.name), member.name) {
                (Some(coding), _) => qualities.codings.get_mut(coding as usize),
                (None, "*") => Some(&mut qualities.others),
                (None, name) => {
                    name.eq_ignore_ascii_case("identity").then_some(&mut qualities.identity)
                }
            };
            if let Some(place) = place {
                *place = (*place).max(Some(member.quality));
            }
        }
        qualities
    }

    fn of_coding(&self, coding: Coding) -> u16 {
        let named = self.codings.get(coding as usize).copied().flatten();
        named.or(self.others).unwrap_or(0)
    }
}

/// The coding that a body came in; `None`: none.
///
/// # Errors
/// If it is none of ours, or there are several: each would be one more to take off before anything
/// is known of what is within.
pub(super) fn sent(headers: &HeaderMap) -> Result<Option<Coding>, Refused> {
    let refused = || {
        let message = "A body may come in one content coding: zstd, br or gzip.";
        let refused = Refused::by_http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        refused.with(ACCEPT_ENCODING, ALL)
    };
    let mut found = None;
    for list in headers.get_all(CONTENT_ENCODING) {
        let names = list.to_str().map_err(|_| refused())?.split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
        {
            let coding = Coding::named(name).ok_or_else(refused)?;
            if found.replace(coding).is_some() {
                return Err(refused());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(list: &'static str) -> (Option<Coding>, bool) {
        let header = (ACCEPT_ENCODING, HeaderValue::from_static(list));
        let Wanted { coding, plain } = Wanted::by(&HeaderMap::from_iter([header]));
        (coding, plain)
    }

    #[test]
    fn the_answers_coding_follows_accept_encoding() {
        use Coding::{Brotli, Gzip, Zstd};
        for (list, coding, plain) in [
            // What clients send.
            ("gzip, deflate, br, zstd", Some(Zstd), true),
            ("gzip, deflate, br", Some(Brotli), true),
            ("gzip", Some(Gzip), true),
            ("x-gzip", Some(Gzip), true),
            // The greatest weight is chosen, before our own order.
            ("zstd;q=0.5, gzip;q=0.8", Some(Gzip), true),
            ("GZIP;q=0.001", Some(Gzip), true),
            ("br;q=0, gzip;q=0, *", Some(Zstd), true),
            ("zstd;q=0, *;q=0.1", Some(Brotli), true),
            // None is liked better, or as well, or not at all.
            ("identity, gzip;q=0.9", None, true),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip), true),
            ("gzip, identity;q=0", Some(Gzip), false),
            ("gzip, *;q=0", Some(Gzip), false),
            ("gzip, identity;q=0.1, *;q=0", Some(Gzip), true),
            // Nothing of ours.
            ("", None, true),
            ("deflate, compress", None, true),
            ("gzip;q=0", None, true),
            ("gzip;q=x", None, true),
            ("gzipped", None, true),
            ("*;q=0", None, false),
            ("deflate, identity;q=0", None, false),
        ] {
            assert_eq!(wanted(list), (coding, plain), "{list}");
        }
        let nothing_said = Wanted::by(&HeaderMap::new());
        assert_eq!(nothing_said, Wanted { coding: None, plain: true });
    }

    #[test]
    fn a_coding_is_taken_if_it_or_all_are_named_with_some_weight() {
        let takes = |list: &'static str| {
            let list = (ACCEPT_ENCODING, HeaderValue::from_static(list));
            takes(&HeaderMap::from_iter([list]), Coding::Gzip)
        };
        for list in ["gzip", "br, GZIP;q=0.5", "*", "deflate;q=1, *;q=0.1", "x-gzip"] {
            assert!(takes(list), "{list}");
        }
        for list in ["", "br", "identity", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "gzipped"] {
            assert!(!takes(list), "{list}");
        }
    }

    #[test]
    fn a_body_comes_in_one_coding_of_ours_or_in_none() {
        let sent = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            sent(&headers).ok()
        };
        assert_eq!(sent(&[]), Some(None));
        assert_eq!(sent(&["identity, "]), Some(None));
        assert_eq!(sent(&["X-GZip"]), Some(Some(Coding::Gzip)));
        assert_eq!(sent(&["identity", "br"]), Some(Some(Coding::Brotli)));
        for refused in [&["deflate"][..], &["gzip, gzip"], &["gzip", "br"], &["gzip;q=1"], &["*"]] {
            assert_eq!(sent(refused), None, "{refused:?}");
        }
    }
}
