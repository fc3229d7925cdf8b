//! Which media types a request speaks and wants (GraphQL over HTTP; RFC 9110 section 12.5.1), and
//! whether a page of another site could have sent it.

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Any value of this header shows that a GET is no link, form or image of another site: none of
/// these can send it, and a script must ask first (CORS).
pub const GRAPHQL_PREFLIGHT: HeaderName = HeaderName::from_static("graphql-preflight");

/// How a response is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the request was in order.
    GraphqlResponse,
    /// `application/json`, for clients that know no other: the status of any well-formed request
    /// is 200.
    Json,
}

impl MediaType {
    const ALL: [Self; 2] = [Self::GraphqlResponse, Self::Json];

    /// The media type without parameters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// The type to answer with; `None`: the client takes neither.
///
/// Of two wanted alike it is `application/graphql-response+json` if the client names that, else
/// `application/json`: who writes `*/*` or nothing is probably older than the other type.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<MediaType> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Some(MediaType::Json);
    }
    let wanted = |wanted: MediaType| {
        let matching = ranges.iter().filter_map(|range| Some((range.rank(wanted)?, range.quality)));
        // The most specific range decides; of equal ones the kindest.
        matching.max().map_or((0, 0), |(rank, quality)| (quality, rank))
    };
    let [(modern, rank), (json, _)] = MediaType::ALL.map(wanted);
    let named = rank == Range::EXACT;
    match (modern, json) {
        (0, 0) => None,
        (modern, json) if modern > json || (modern == json && named) => {
            Some(MediaType::GraphqlResponse)
        }
        (_, 0) => Some(MediaType::GraphqlResponse),
        _ => Some(MediaType::Json),
    }
}

/// Whether a request of this method is certainly no other site's link, form, image or script tag: a
/// POST by its content type, which no form can send; a GET only if it names a JSON type in `Accept`
/// or has a [`GRAPHQL_PREFLIGHT`] header.
pub(super) fn is_deliberate(method: &Method, headers: &HeaderMap) -> bool {
    method != Method::GET
        || headers.contains_key(GRAPHQL_PREFLIGHT)
        || ranges(headers)
            .iter()
            .any(|range| MediaType::ALL.iter().any(|of| range.rank(*of) == Some(Range::EXACT)))
}

/// Whether a body says that it is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

/// One range of `Accept`.
struct Range {
    /// Lower case, without parameters.
    media: String,
    /// Thousandths.
    quality: u16,
}

impl Range {
    const EXACT: u8 = 3;

    /// How specifically it covers a type; `None`: not at all.
    fn rank(&self, of: MediaType) -> Option<u8> {
        match self.media.as_str() {
            media if media == of.as_str() => Some(Self::EXACT),
            "application/*" => Some(2),
            "*/*" => Some(1),
            _ => None,
        }
    }
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let lists = headers.get_all(ACCEPT).iter().filter_map(|list| list.to_str().ok());
    let ranges = lists.flat_map(|list| list.split(',')).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?.to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Some(Range { media, quality: weight.map_or(1000, thousandths) })
    });
    ranges.collect()
}

/// A weight (RFC 9110 section 12.4.2) in thousandths; what is none counts as 0.
fn thousandths(weight: &str) -> u16 {
    match weight.parse::<f32>() {
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_str(value).expect("a header value"));
        }
        headers
    }

    #[test]
    fn the_answers_type_follows_accept() {
        use MediaType::{GraphqlResponse, Json};
        let table: [(&[&str], _); 16] = [
            (&[], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["application/*"], Some(Json)),
            (&["application/json"], Some(Json)),
            (&["application/graphql-response+json"], Some(GraphqlResponse)),
            (&["Application/GraphQL-Response+JSON; charset=utf-8"], Some(GraphqlResponse)),
            (&["application/json, application/graphql-response+json"], Some(GraphqlResponse)),
            (&["application/json", "application/graphql-response+json"], Some(GraphqlResponse)),
            (&["application/graphql-response+json;q=0.5, application/json"], Some(Json)),
            (&["application/graphql-response+json, application/json;q=0.9"], Some(GraphqlResponse)),
            (&["application/graphql-response+json, */*;q=0.1"], Some(GraphqlResponse)),
            (&["application/json;q=0, */*"], Some(GraphqlResponse)),
            (&["text/html, */*;q=0.8"], Some(Json)),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["application/json;q=nonsense"], None),
        ];
        for (accept, expected) in table {
            assert_eq!(negotiate(&headers(ACCEPT, accept)), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_get_is_deliberate_if_it_names_a_json_type_or_has_the_header() {
        let get = |headers| is_deliberate(&Method::GET, &headers);
        assert!(get(headers(ACCEPT, &["application/json"])));
        assert!(get(headers(ACCEPT, &["text/html, application/graphql-response+json;q=0.5"])));
        assert!(get(headers(GRAPHQL_PREFLIGHT, &["1"])));
        assert!(!get(headers(ACCEPT, &["*/*"])));
        assert!(!get(headers(ACCEPT, &["text/html,application/xhtml+xml,image/avif,*/*;q=0.8"])));
        assert!(!get(HeaderMap::new()));
        assert!(is_deliberate(&Method::POST, &HeaderMap::new()), "its content type is looked at");
    }

    #[test]
    fn a_body_is_json_if_it_says_so_once_and_in_utf_8() {
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; profile=x",
        ] {
            assert!(is_json(&headers(CONTENT_TYPE, &[json])), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/graphql",
            "application/jsonp",
            "text/plain; application/json",
            "application/json; charset=utf-16",
            "application/json, text/plain",
        ] {
            assert!(!is_json(&headers(CONTENT_TYPE, &[other])), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
        assert!(!is_json(&headers(CONTENT_TYPE, &["application/json", "application/json"])));
    }
}
