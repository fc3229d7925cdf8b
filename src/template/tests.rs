//! Templates over whole requests: what is written, what the request then is.

mod body;
mod expression;
mod hazard;
mod header;
mod key;
mod mistake;
mod url;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use crate::json::{Body, Path, Value};

/// What a request's templates may read, as JSON texts.
#[derive(Clone, Copy)]
struct With<'t> {
    args: &'t str,
    this: &'t str,
    /// Empty: an anonymous caller.
    claims: &'t str,
    headers: &'t [(&'t str, &'t str)],
    /// A JSON text; empty: none.
    key: &'t str,
    /// A JSON array.
    keys: &'t str,
}

const NOTHING: With<'static> =
    With { args: "{}", this: "{}", claims: "", headers: &[], key: "", keys: "[]" };

/// So many random cases; a failing one is printed and not kept in a file.
fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}

fn args(args: &str) -> With<'_> {
    With { args, ..NOTHING }
}

fn this(this: &str) -> With<'_> {
    With { this, ..NOTHING }
}

fn claims(claims: &str) -> With<'_> {
    With { claims, ..NOTHING }
}

fn keys(keys: &str) -> With<'_> {
    With { keys, ..NOTHING }
}

fn json(text: &str) -> Body {
    Body::parse(text.to_owned().into()).unwrap()
}

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cr3t/=".to_owned()),
        "EMPTY" => Some(String::new()),
        "LINES" => Some("a\r\nb".to_owned()),
        _ => None,
    }
}

/// A request in a shape that is short to write.
#[derive(Clone, Copy)]
struct Written<'t> {
    method: &'t str,
    path: &'t str,
    headers: &'t [(&'t str, &'t str)],
    body: Option<&'t str>,
    encoding: BodyEncoding,
}

fn get(path: &str) -> Written<'_> {
    Written { method: "GET", path, headers: &[], body: None, encoding: BodyEncoding::Json }
}

fn post(body: &str) -> Written<'_> {
    Written { method: "POST", path: "/", body: Some(body), ..get("/") }
}

fn form(body: &str) -> Written<'_> {
    Written { encoding: BodyEncoding::Form, ..post(body) }
}

fn mode_of(written: &Written<'_>) -> KeyMode {
    let all = format!(
        "{written_path}{body:?}{headers:?}",
        written_path = written.path,
        body = written.body,
        headers = written.headers
    );
    match (all.contains("{keys"), all.contains("{key}")) {
        (true, _) => KeyMode::Many,
        (_, true) => KeyMode::One,
        _ => KeyMode::None,
    }
}

fn parse(written: Written<'_>, mode: KeyMode) -> Result<RequestTemplate, Vec<PartError>> {
    let parts = RequestParts {
        method: Method::from_bytes(written.method.as_bytes()).unwrap(),
        path: written.path,
        headers: written.headers,
        body: written.body,
        encoding: written.encoding,
    };
    RequestTemplate::parse(parts, mode, &environment)
}

fn rendered(written: Written<'_>, with: With<'_>) -> Result<Rendered, RenderError> {
    let mut template = parse(written, mode_of(&written)).unwrap();
    let mut captures = Vec::new();
    template.bind_this(&mut captures);
    let (args, parent) = (json(with.args), json(with.this));
    let claims = (!with.claims.is_empty()).then(|| json(with.claims));
    let key = (!with.key.is_empty()).then(|| json(with.key));
    let key = key.as_ref().and_then(|key| Key::from_json(key.root()));
    let captured: Vec<Option<Value<'_>>> =
        captures.iter().map(|path| path.eval(parent.root())).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in with.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    template.render(&Values {
        args: args.root(),
        this: &captured,
        claims: claims.as_ref().map(Body::root),
        headers: &headers,
        key: key.as_ref(),
    })
}

fn keys_of(text: &str) -> Vec<Key> {
    json(text).root().items().map(|item| Key::from_json(item).unwrap()).collect()
}

fn request(written: Written<'_>, with: With<'_>) -> Result<Request, RenderError> {
    let keys = keys_of(with.keys);
    rendered(written, with)?.finish(&keys.iter().collect::<Vec<_>>())
}

fn url(path: &str, with: With<'_>) -> Result<String, RenderError> {
    request(get(path), with).map(|request| request.path_and_query)
}

fn body(written: Written<'_>, with: With<'_>) -> Result<String, RenderError> {
    let body = request(written, with)?.body.unwrap_or_default();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn headers(headers: &[(&str, &str)], with: With<'_>) -> Result<Vec<(String, String)>, RenderError> {
    let request = request(Written { headers, ..get("/") }, with)?;
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    Ok(request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect())
}

fn refused(message: &str) -> RenderError {
    RenderError::Refused { message: message.to_owned() }
}

fn bad_answer(message: &str) -> RenderError {
    RenderError::BadAnswer { message: message.to_owned() }
}

fn unauthenticated(claim: &str) -> RenderError {
    RenderError::Unauthenticated { claim: claim.to_owned() }
}
