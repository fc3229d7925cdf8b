//! A path as segments, read once: what is matched is what is forwarded.
//!
//! A path that another reader could take for a different one is refused: upstreams decode, merge
//! and resolve in ways of their own, and none of these may lead out of the path that a route was
//! given. What remains is forwarded in one form (RFC 3986 section 6.2.2): unreserved characters
//! plain, everything else that a segment cannot hold percent-encoded.

use std::fmt::Write as _;

/// A path that means one thing only. It begins with `/`; its last segment is empty if it ends with
/// one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Segment>);

#[derive(Debug, PartialEq, Eq)]
struct Segment {
    /// Decoded once.
    decoded: String,
    /// What the most careless reader takes it for: decoded over and over, without parameters, in
    /// lower case.
    name: Vec<u8>,
    /// As it is forwarded.
    canonical: String,
}

/// What is wrong with a path; a sentence for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) &'static str);

/// How a path stands to a route.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the route's path or below it; what is below, as it is forwarded.
    Below(String),
    /// An upstream that is careless with case or parameters would take it for the route's.
    Misspelt,
    /// It is another.
    Apart,
}

impl Path {
    /// Reads a request's path.
    pub(super) fn parse(raw: &str) -> Result<Self, Ambiguous> {
        let rest = raw.strip_prefix('/').ok_or(Ambiguous("A path begins with a slash."))?;
        let count = rest.split('/').count();
        let segment = |(nth, raw): (usize, &str)| {
            let segment = Segment::parse(raw)?;
            if segment.name.is_empty() && (nth + 1 < count || !raw.is_empty()) {
                return Err(Ambiguous("The path has an empty segment."));
            }
            Ok(segment)
        };
        rest.split('/').enumerate().map(segment).collect::<Result<_, _>>().map(Self)
    }

    /// How it stands to a route's path, given as segments.
    pub(super) fn fit(&self, route: &[Box<str>]) -> Fit {
        let Some((own, below)) = self.0.split_at_checked(route.len()) else { return Fit::Apart };
        let mut pairs = own.iter().zip(route);
        if !pairs.clone().all(|(own, route)| own.name == route.to_ascii_lowercase().as_bytes()) {
            return Fit::Apart;
        }
        if !pairs.all(|(own, route)| own.decoded == **route) {
            return Fit::Misspelt;
        }
        Fit::Below(below.iter().fold(String::new(), |mut path, segment| {
            path.push('/');
            path.push_str(&segment.canonical);
            path
        }))
    }
}

impl Segment {
    fn parse(raw: &str) -> Result<Self, Ambiguous> {
        let (decoded, canonical) = decode(raw)?;
        let decoded = String::from_utf8(decoded)
            .map_err(|_| Ambiguous("The path is not UTF-8 when it is decoded."))?;
        if decoded.chars().any(char::is_control) {
            return Err(Ambiguous("The path has a control character."));
        }
        if decoded.contains(['/', '\\']) {
            return Err(Ambiguous("The path has an encoded slash, or a backslash."));
        }
        let name =
            innermost(&decoded).ok_or(Ambiguous("The path has a segment that leads elsewhere."))?;
        Ok(Self { decoded, name, canonical })
    }
}

/// A segment's bytes, and its one form.
fn decode(raw: &str) -> Result<(Vec<u8>, String), Ambiguous> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut canonical = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let (value, encoded) = if byte == b'%' {
            let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
            let (Some(high), Some(low)) = digits else {
                return Err(Ambiguous("The path has a percent sign that encodes nothing."));
            };
            (high << 4 | low, true)
        } else {
            (byte, false)
        };
        decoded.push(value);
        let unreserved = value.is_ascii_alphanumeric() || b"-._~".contains(&value);
        if unreserved || (!encoded && b"!$&'()*+,;=:@".contains(&value)) {
            canonical.push(value.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(canonical, "%{value:02X}");
        }
    }
    Ok((decoded, canonical))
}

/// How often a segment may be encoded over again before nobody can have meant it.
const LAYERS: usize = 4;

/// The name that is left when a segment was decoded as often as it can be and its parameters (RFC
/// 3986 section 3.3) were cut off, in lower case. `None`: at some layer a `.` or `..` stands
/// between slashes, backslashes or parameters.
fn innermost(decoded: &str) -> Option<Vec<u8>> {
    let dots = |text: &[u8]| {
        text.split(|byte| b"/\\;".contains(byte)).any(|piece| piece == b"." || piece == b"..")
    };
    let mut text = decoded.to_ascii_lowercase().into_bytes();
    for _ in 0..LAYERS {
        if dots(&text) {
            return None;
        }
        match decode_leniently(&text) {
            Some(inner) => text = inner.to_ascii_lowercase(),
            None => {
                let name = text.split(|byte| *byte == b';').next().unwrap_or_default();
                return Some(name.to_vec());
            }
        }
    }
    None
}

/// One layer of encoding less; `None`: there is none.
fn decode_leniently(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        match (byte, after) {
            (b'%', [high, low, after @ ..])
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) =>
            {
                decoded.push(high << 4 | low);
                rest = after;
            }
            _ => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    (decoded.len() < text.len()).then_some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn route(path: &str) -> Vec<Box<str>> {
        path.split('/').skip(1).filter(|segment| !segment.is_empty()).map(Box::from).collect()
    }

    /// How a path stands to the route `/api`; `None`: it is refused.
    fn fit(raw: &str) -> Option<Fit> {
        Path::parse(raw).ok().map(|path| path.fit(&route("/api")))
    }

    fn below(path: &str) -> Option<Fit> {
        Some(Fit::Below(path.to_owned()))
    }

    #[test]
    fn whole_segments_match_however_they_are_encoded() {
        assert_eq!(fit("/api"), below(""));
        assert_eq!(fit("/api/"), below("/"));
        assert_eq!(fit("/api/orders/1"), below("/orders/1"));
        assert_eq!(fit("/%61p%69/orders"), below("/orders"));
        for other in ["/", "/apix", "/ap", "/api..", "/x/api", "/api%20"] {
            assert_eq!(fit(other), Some(Fit::Apart), "{other}");
        }
    }

    #[test]
    fn a_route_of_everything_takes_everything() {
        let all = |raw| Path::parse(raw).map(|path| path.fit(&route("/")));
        assert_eq!(all("/"), Ok(Fit::Below("/".to_owned())));
        assert_eq!(all("/a/b/"), Ok(Fit::Below("/a/b/".to_owned())));
    }

    #[test]
    fn what_a_careless_upstream_takes_for_the_route_does_not_pass_as_another() {
        for other in [
            "/API",
            "/Api/x",
            "/api;x",
            "/api;x=1/y",
            "/%41pi",
            "/api%3bx",
            "/%2561pi",
            "/api%253bx",
        ] {
            assert_eq!(fit(other), Some(Fit::Misspelt), "{other}");
        }
    }

    #[test]
    fn segments_are_forwarded_in_one_form() {
        for (raw, forwarded) in [
            ("/api/a,b;v=1:2@x!$&'()*+=~", "/a,b;v=1:2@x!$&'()*+=~"),
            ("/api/%2c%3B%2526%25", "/%2C%3B%2526%25"),
            ("/api/%7e%41%2d", "/~A-"),
            ("/api/\u{e9}\"{}|^`", "/%C3%A9%22%7B%7D%7C%5E%60"),
            ("/api/%c3%a9%20+", "/%C3%A9%20+"),
            ("/api/%23%3f", "/%23%3F"),
            ("/api/...", "/..."),
            ("/api/a..b/.c/d.", "/a..b/.c/d."),
            ("/api/%2541", "/%2541"),
        ] {
            assert_eq!(fit(raw), below(forwarded), "{raw}");
        }
    }

    #[test]
    fn a_path_that_two_readers_take_for_two_paths_is_refused() {
        for raw in [
            "",
            "*",
            "api",
            "//api",
            "/api//x",
            "/api///",
            "/api/;x/y",
            "/api/;",
            "/api/..",
            "/api/../x",
            "/api/./x",
            "/api/%2e%2e/x",
            "/api/%2E./x",
            "/api/.%2e",
            "/api/..;/x",
            "/api/..;a=1",
            "/api/..%3b/x",
            "/api/a;/../x",
            "/api/a;..",
            "/api/%252e%252e/x",
            "/api/%25252e%25252e/x",
            "/api/%2525252525252e/x",
            "/api/..%252fx",
            "/api/a%252f..",
            "/api/a%255c..",
            "/api/1%2f..%2fx",
            "/api/1%2Fx",
            "/api%2Fx",
            "/api/1%5cx",
            "/api/1\\x",
            "/api/1%00",
            "/api/1%0d%0ax",
            "/api/1%7f",
            "/api/%c2%85",
            "/api/%",
            "/api/%4",
            "/api/%zz",
            "/api/%+1",
            "/api/%c0%ae%c0%ae/x",
            "/api/%ff",
        ] {
            assert_eq!(fit(raw), None, "{raw}");
        }
    }

    #[test]
    fn many_layers_of_encoding_are_refused_in_no_time() {
        assert_eq!(fit(&format!("/api/%{}2e", "25".repeat(100_000))), None);
    }

    /// Pieces of paths, the awkward ones more often.
    fn raw() -> impl Strategy<Value = String> {
        let pieces = [
            "/", "/", "api", "API", "a", ".", "..", "%2e", "%2E", "%252e", "%2f", "%5c", "\\", ";",
            "%3b", "%00", "%25", "%", "'", "\"", "{", "|", "^", "%41", "%c3%a9", "é", "?", "#",
            " ", "@", ":", "~",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..10)
            .prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_is_forwarded_reads_the_same_again_and_stays_below_its_route(raw in raw()) {
            let Ok(path) = Path::parse(&raw) else { return Ok(()) };
            let Fit::Below(forwarded) = path.fit(&[]) else { panic!("everything is below `/`") };
            prop_assert_eq!(Path::parse(&forwarded), Ok(path));
            let url = format!("http://upstream.invalid/to{forwarded}");
            let parsed = url::Url::parse(&url).expect("a URL");
            prop_assert_eq!(parsed.as_str(), url.as_str());
        }
    }
}
