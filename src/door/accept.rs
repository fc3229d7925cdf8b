//! Which media types a request speaks and wants (GraphQL over HTTP; RFC 9110 section 12.5.1), and
//! whether a page of another site could have sent it.

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::weighted::{Weighted, parameter, weighted};

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
    let ranges: Vec<_> = weighted(headers, &ACCEPT).collect();
    if ranges.is_empty() {
        return Some(MediaType::Json);
    }
    let wanted = |wanted: MediaType| {
        let matching =
            ranges.iter().filter_map(|range| Some((rank(range, wanted)?, range.quality)));
        // The most specific range decides; of equal ones the kindest.
        matching.max().map_or((0, 0), |(rank, quality)| (quality, rank))
    };
    let [(modern, rank), (json, _)] = MediaType::ALL.map(wanted);
    let named = rank == EXACT;
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
/// POST by its content type, which no form can send; a GET or HEAD only if it names a JSON type in
/// `Accept` or has a [`GRAPHQL_PREFLIGHT`] header.
pub(super) fn is_deliberate(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST
        || headers.contains_key(GRAPHQL_PREFLIGHT)
        || weighted(headers, &ACCEPT)
            .any(|range| MediaType::ALL.iter().any(|of| rank(&range, *of) == Some(EXACT)))
}

/// How specifically a range covers a type that is its own name.
const EXACT: u8 = 3;

/// How specifically a range of `Accept` covers a type; `None`: not at all, as does one that asks for
/// another charset than the only one JSON has.
fn rank(range: &Weighted<'_>, of: MediaType) -> Option<u8> {
    if !range.parameter("charset").is_none_or(is_utf_8) {
        return None;
    }
    match range.name {
        name if name.eq_ignore_ascii_case(of.as_str()) => Some(EXACT),
        name if name.eq_ignore_ascii_case("application/*") => Some(2),
        "*/*" => Some(1),
        _ => None,
    }
}

/// What a request says that its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON in UTF-8.
    Json,
    /// JSON in another charset, which is none (RFC 8259 section 8.1).
    OtherCharset,
    /// A form with files, as GraphQL's multipart uploads are.
    Upload,
    /// Something else, or several things at once.
    Other,
    /// It does not say.
    Unsaid,
}

impl Content {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(CONTENT_TYPE).iter();
        let value = match (sent.next(), sent.next()) {
            (None, _) => return Self::Unsaid,
            (Some(value), None) => value.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => return Self::Other,
        };
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        let is = |media: &str| essence.trim().eq_ignore_ascii_case(media);
        if is("multipart/form-data") {
            Self::Upload
        } else if !is("application/json") {
            Self::Other
        } else if parameter(parameters, "charset").is_none_or(is_utf_8) {
            Self::Json
        } else {
            Self::OtherCharset
        }
    }
}

fn is_utf_8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8")
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
        let table: [(&[&str], _); 24] = [
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
            (&[""], Some(Json)),
            (&["application/json;q=0.001"], Some(Json)),
            (&["application/*, application/json;q=0.5"], Some(GraphqlResponse)),
            (&["application/graphql-response+json;q=0, application/*"], Some(Json)),
            (&["*/*;q=0.1, application/json;q=0"], Some(GraphqlResponse)),
            (&["application/json;charset=\"UTF-8\""], Some(Json)),
            (&["application/json; charset=latin1"], None),
            // Java's own client.
            (&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], Some(Json)),
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
        use Content::{Json, Other, OtherCharset, Unsaid, Upload};
        let table: [(&[&str], _); 16] = [
            (&["application/json"], Json),
            (&["Application/JSON"], Json),
            (&["application/json; charset=utf-8"], Json),
            (&["application/json;Charset=\"UTF-8\""], Json),
            (&["application/json; profile=x"], Json),
            (&["application/json; charset=utf-16"], OtherCharset),
            (&["application/json; charset="], OtherCharset),
            (&["multipart/form-data; boundary=x"], Upload),
            (&["text/plain"], Other),
            (&["application/graphql"], Other),
            (&["application/x-www-form-urlencoded"], Other),
            (&["application/jsonp"], Other),
            (&["text/plain; application/json"], Other),
            (&["application/json, text/plain"], Other),
            (&["application/json", "application/json"], Other),
            (&[], Unsaid),
        ];
        for (sent, expected) in table {
            assert_eq!(Content::of(&headers(CONTENT_TYPE, sent)), expected, "{sent:?}");
        }
    }
}
